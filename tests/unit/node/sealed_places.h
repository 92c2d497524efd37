/* Four offices that seal fields to each other, and what a test of that looks at. */
#ifndef FOCAL_TESTS_SEALED_PLACES_H
#define FOCAL_TESTS_SEALED_PLACES_H

#include "places.h"

static struct place *hq, *ken, *near, *ssd;     /* near: a second office of Kenya */

/* A text, so that it can be searched for: the schema has none that is sealed yet. */
static const struct focal_field talk = { .number = FOCAL_FIELD(700, FOCAL_SCOPE_SEALED, FOCAL_MERGE_REGISTER), .name = "talk", .label_en = "Talk",
                                         .type = FOCAL_TYPE_TEXT, .max = 9000 };
static const struct focal_field places = { .number = FOCAL_FIELD(701, FOCAL_SCOPE_SEALED, FOCAL_MERGE_SET), .name = "places", .label_en = "Places",
                                           .type = FOCAL_TYPE_TEXT, .max = 9000 };
static const char canary[] = "under the mango tree";

static inline void ease(void)
{
    for (int i = 0; i < 12; i++) {
        pass(1000);
        for (size_t k = 1; k < all.count; k++)
            while (all.places[k].dial_count)
                (void)answer_dial(&all.places[k], hq);
        run();
    }
}

static inline int set_up(void **state)
{
    (void)state;
    hq = hq_make(true);
    ken = member_make("KEN");
    near = member_make("NEAR");
    ssd = member_make("SSD");
    recertify(hq, 2, true, FOCAL_RIGHT_REDACT);
    recertify(ken, 2, true, 0);
    recertify(near, 2, true, 0);
    recertify(ssd, 2, false, 0);
    ease();
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    all_close();
    return 0;
}

/* ---- doing ---- */

static inline enum focal_status change(struct place *p, struct focal_ref *ref, bool is_new, const struct focal_change_item *items, size_t count, const char *const *seal_to,
    struct focal_change *c)
{
    static struct focal_office offices[16];
    *c = (struct focal_change){ .kind = focal_kind_by_number(FOCAL_KIND_CASE), .is_new = is_new, .items = items, .item_count = count, .seal_to = offices };
    for (; seal_to && seal_to[c->seal_to_count]; c->seal_to_count++)
        assert_true(focal_office_parse(&offices[c->seal_to_count], focal_span_text(seal_to[c->seal_to_count])));
    if (!is_new)
        c->record = *ref;
    struct focal_node_event e = { .type = FOCAL_EVENT_CHANGE };
    e.is.change = c;
    assert_int_equal(step_with(p, &e), FOCAL_OK);
    if (c->status == FOCAL_OK)
        *ref = c->result;
    else
        assert_true(c->error.message[0] != 0);
    return c->status;
}

static inline enum focal_status say(struct place *p, struct focal_ref *ref, const char *text, const char *const *seal_to)
{
    struct focal_change c;
    const struct focal_change_item item = { .op = FOCAL_OP_SET, .field = &talk, .value = focal_span_text(text) };
    return change(p, ref, false, &item, 1, seal_to, &c);
}

/* By Kenya, with the wish for feedback, and a field beside it in the same change. */
static inline struct focal_ref a_case(void)
{
    static const char *const pairs[][2] = { { "country", "KEN" }, { "status", "received" }, { "received_date", "2018-05-03" }, { "feedback_preference", "unsafe" } };
    struct focal_ref ref;
    struct focal_change c;
    assert_int_equal(set_text(ken, &ref, true, pairs, 4, &c), FOCAL_OK);
    if (c.status != FOCAL_OK)
        fail_msg("%s", c.error.message);
    ease();
    return ref;
}

static inline enum focal_status redact(struct place *p, const struct focal_ref *ref, const struct focal_field *field, struct focal_redact_order *o)
{
    *o = (struct focal_redact_order){ .record = *ref, .field = field, .reason = 2, .day = DAY };
    struct focal_node_event e = { .type = FOCAL_EVENT_REDACT };
    e.is.redact = o;
    assert_int_equal(step_with(p, &e), FOCAL_OK);
    return o->status;
}

static inline const struct focal_field *field(const char *name)
{
    return focal_field_by_name(focal_kind_by_number(FOCAL_KIND_CASE), name);
}

/* An entry of this office as no command of this program writes it. */
static inline void write_by_hand(struct place *p, const struct focal_ref *record, const struct focal_item *items, size_t count, const struct focal_replaced *replaced)
{
    static const struct focal_scope network = { .cls = FOCAL_SCOPE_NETWORK };
    struct focal_buf payload;
    struct focal_ref ref;
    struct focal_error err;
    struct focal_oplog *ol = focal_node_oplog(p->node);
    focal_buf_init(&payload, FOCAL_ENTRY_MAX);
    focal_payload_encode(&payload, FOCAL_KIND_CASE, NULL, NULL, items, count);
    const struct focal_write w = { .scope = network, .record = *record, .payload = focal_buf_view(&payload), .replaced = replaced, .replaced_count = replaced ? 1 : 0 };
    assert_int_equal(focal_store_begin(p->store), FOCAL_OK);
    assert_int_equal(focal_oplog_write(ol, &w, &ref, &err), FOCAL_OK);
    assert_int_equal(focal_oplog_seal(ol), FOCAL_OK);
    assert_int_equal(focal_store_commit(p->store), FOCAL_OK);
    focal_oplog_committed(ol);
    focal_buf_close(&payload);
}

/* ---- looking ---- */

static inline size_t versions(struct place *p, const struct focal_ref *ref, uint64_t number)
{
    struct focal_record_view view;
    assert_int_equal(focal_oplog_record(focal_node_oplog(p->node), NULL, ref, &view), FOCAL_OK);
    const struct focal_slot *slot = focal_record_slot(&view.record, number, focal_span_of(NULL, 0));
    size_t count = slot ? slot->value_count : 0;
    focal_record_view_close(&view);
    return count;
}

/* How the version of this author opens at p, its text and its addressees. */
static inline enum focal_status look(struct place *p, const struct focal_ref *ref, uint64_t number, const char *author, struct focal_live *kept, char text[64], char to[100])
{
    struct focal_record_view view;
    struct focal_buf plain;
    struct focal_sealed_to sealed_to;
    enum focal_status st = FOCAL_MORE;
    memset(text, 0, 64);
    memset(to, 0, 100);
    focal_buf_init(&plain, 1 << 14);
    assert_int_equal(focal_oplog_record(focal_node_oplog(p->node), NULL, ref, &view), FOCAL_OK);
    const struct focal_slot *slot = focal_record_slot(&view.record, number, focal_span_of(NULL, 0));
    for (size_t i = 0; slot && i < slot->value_count; i++) {
        const struct focal_certificate *who = focal_oplog_author(focal_node_oplog(p->node), &slot->values[i].ref.log);
        if (author && strcmp(who->office.text, author) != 0)
            continue;
        assert_int_equal(st, FOCAL_MORE);
        st = focal_node_unseal(p->node, ref, &slot->values[i], &plain, &sealed_to);
        if (kept)
            *kept = slot->values[i];
        if (st == FOCAL_NOT_FOUND || st == FOCAL_NEVER)
            assert_int_equal(plain.len, 0);
        memcpy(text, focal_buf_cstr(&plain), plain.len < 63 ? plain.len : 63);
        for (size_t k = 0; k < sealed_to.count; k++) {
            strcat(to, k ? "," : "");
            strcat(to, sealed_to.office[k].text);
        }
        if (sealed_to.unknown)
            strcat(to, "+");
    }
    focal_buf_close(&plain);
    focal_record_view_close(&view);
    return st;
}

static inline void reads(struct place *p, const struct focal_ref *ref, uint64_t number, const char *author, const char *want, const char *want_to)
{
    char text[64], to[100];
    enum focal_status st = look(p, ref, number, author, NULL, text, to);
    if (st != FOCAL_OK || strcmp(text, want) != 0 || strcmp(to, want_to) != 0)
        fail_msg("%s: %d \"%s\" to %s", p->code, (int)st, text, to);
}

static inline void sealed_from(struct place *p, const struct focal_ref *ref, uint64_t number, const char *author, const char *want_to)
{
    char text[64], to[100];
    enum focal_status st = look(p, ref, number, author, NULL, text, to);
    if (st != FOCAL_NOT_FOUND || strcmp(to, want_to) != 0)
        fail_msg("%s: %d \"%s\" to %s", p->code, (int)st, text, to);
}

static inline bool stands(struct focal_span in, const char *what)
{
    const size_t len = strlen(what);
    for (size_t i = 0; i + len <= in.len; i++)
        if (memcmp(in.data + i, what, len) == 0)
            return true;
    return false;
}

/* In what the store holds open: parts, indexes, whatever is not packed. */
static inline void nowhere(struct place *p, const char *what)
{
    struct focal_buf key, value;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        focal_buf_clear(&key);
        while (focal_store_next(p->store, (enum focal_shelf)shelf, focal_buf_view(&key), &key, &value) == FOCAL_OK)
            if (stands(focal_buf_view(&value), what) || stands(focal_buf_view(&key), what))
                fail_msg("%s: shelf %d", p->code, shelf);
    }
    focal_buf_close(&key);
    focal_buf_close(&value);
}

static inline void all_good(void)
{
    ease();
    for (size_t i = 0; i < all.count; i++) {
        struct focal_verify *v;
        enum focal_status st = focal_verify_open(&v, focal_node_oplog(all.places[i].node));
        assert_int_equal(st, FOCAL_OK);
        while ((st = focal_verify_slice(v, 1000)) == FOCAL_MORE)
            continue;
        assert_int_equal(st, FOCAL_OK);
        if (focal_verify_error_count(v))
            fail_msg("%s: %s", all.places[i].code, focal_verify_error(v, 0));
        focal_verify_close(v);
    }
}

#endif
