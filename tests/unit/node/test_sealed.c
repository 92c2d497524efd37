/* Sealed fields between offices: who they are sealed to, who reads them, what merging and resolving do with values that most
 * offices cannot open, and that a value opens nowhere but where its author put it. */
#include "sealed_places.h"

/* ---- who reads it ---- */

static void who_follows_up_and_headquarters(void **state)
{
    (void)state;
    struct focal_ref ref = a_case();
    const uint64_t wish = field("feedback_preference")->number;
    reads(ken, &ref, wish, "KEN", "\x04", "HQ,KEN");
    reads(hq, &ref, wish, "KEN", "\x04", "HQ,KEN");
    sealed_from(ssd, &ref, wish, "KEN", "HQ,KEN");
    sealed_from(near, &ref, wish, "KEN", "HQ,KEN");
    /* Of a third office: it, the creator, headquarters. */
    assert_int_equal(say(ssd, &ref, canary, NULL), FOCAL_OK);
    all_good();
    reads(ssd, &ref, talk.number, "SSD", canary, "HQ,KEN,SSD");
    reads(ken, &ref, talk.number, "SSD", canary, "HQ,KEN,SSD");
    reads(hq, &ref, talk.number, "SSD", canary, "HQ,KEN,SSD");
    sealed_from(near, &ref, talk.number, "SSD", "HQ,KEN,SSD");
    for (size_t i = 0; i < all.count; i++)
        nowhere(&all.places[i], canary);
    /* Nothing of it needs a newer program. */
    struct focal_record_view view;
    struct focal_ref plain = a_case();
    assert_int_equal(focal_oplog_record(focal_node_oplog(near->node), NULL, &plain, &view), FOCAL_OK);
    assert_false(view.record.needs_newer);
    focal_record_view_close(&view);
}

static void who_is_named(void **state)
{
    static const char *const to_ssd[] = { "SSD", "SSD", NULL }, *const to_nobody[] = { "COD", NULL };
    static const char *const many[] = { "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", NULL };
    (void)state;
    struct focal_ref ref = a_case();
    struct focal_change c;
    assert_int_equal(say(ken, &ref, canary, to_ssd), FOCAL_OK);
    all_good();
    reads(ken, &ref, talk.number, NULL, canary, "KEN,SSD");
    reads(ssd, &ref, talk.number, NULL, canary, "KEN,SSD");
    sealed_from(hq, &ref, talk.number, NULL, "KEN,SSD");
    assert_int_equal(say(ken, &ref, "x", to_nobody), FOCAL_NOT_FOUND);
    const struct focal_change_item open = { .op = FOCAL_OP_SET, .field = field("status"), .value = focal_span_text("\x02") };
    assert_int_equal(change(ken, &ref, false, &open, 1, to_ssd, &c), FOCAL_REFUSED);
    assert_non_null(strstr(c.error.message, "nothing of the change is sealed"));
    const struct focal_change_item set = { .op = FOCAL_OP_SET, .field = &talk, .value = focal_span_text("x") };
    for (size_t i = 0; many[i]; i++) {
        struct place copy = { .keys = ken->keys };
        struct focal_buf statement;
        struct focal_public_keys keys;
        focal_node_keys_public(&keys, &copy.keys);
        keys.open.b[5] ^= (uint8_t)(i + 1);
        keys.sign.b[5] ^= (uint8_t)(i + 1);
        keys.channel.b[5] ^= (uint8_t)(i + 1);
        certify(&statement, many[i], FOCAL_ROLE_OFFICE, &keys, 1, 0, true);
        assert_int_equal(give_statement(ken, &statement), FOCAL_OK);
        focal_buf_close(&statement);
    }
    assert_int_equal(change(ken, &ref, false, &set, 1, many, &c), FOCAL_REFUSED);
    assert_non_null(strstr(c.error.message, "8 offices at most"));
    assert_int_equal(change(ken, &ref, false, &set, 1, many + 1, &c), FOCAL_OK);
    assert_int_equal(change(ken, &ref, false, &set, 1, NULL, &c), FOCAL_OK);
}

/* A member that can write already and has not heard of headquarters' membership seals to nobody in its stead. */
static void headquarters_is_not_known_yet(void **state)
{
    static const char *const alone[] = { "NEW", NULL };
    static const char *const wide[][2] = { { "country", "KEN" }, { "feedback_preference", "unsafe" } };
    (void)state;
    all_close();
    hq_make(true);
    struct place *new = joiner_make("NEW", 0);
    struct focal_public_keys keys;
    struct focal_buf statement;
    struct focal_ref ref;
    struct focal_change c;
    focal_node_keys_public(&keys, &new->keys);
    certify(&statement, "NEW", FOCAL_ROLE_OFFICE, &keys, 1, 0, true);
    assert_int_equal(give_statement(new, &statement), FOCAL_OK);
    focal_buf_close(&statement);
    assert_int_equal(set_text(new, &ref, true, wide, 1, &c), FOCAL_OK);
    assert_int_equal(c.status, FOCAL_OK);
    assert_int_equal(set_text(new, &ref, true, wide, 2, &c), FOCAL_OK);
    assert_int_equal(c.status, FOCAL_REFUSED);
    assert_non_null(strstr(c.error.message, "headquarters"));
    assert_int_equal(say(new, &ref, canary, alone), FOCAL_OK);
    assert_int_equal(give_statement(new, &all.hq_certificate), FOCAL_OK);
    assert_int_equal(set_text(new, &ref, true, wide, 2, &c), FOCAL_OK);
    assert_int_equal(c.status, FOCAL_OK);
    reads(new, &ref, field("feedback_preference")->number, "NEW", "\x04", "HQ,NEW");
}

static void too_much_is_refused_whole(void **state)
{
    static char text[9001];
    (void)state;
    struct focal_ref ref = a_case(), none = ref;
    struct focal_change c;
    struct focal_change_item items[3] = { { .op = FOCAL_OP_SET, .field = &talk, .value = focal_span_of(text, 8191) },
                                          { .op = FOCAL_OP_SET, .field = field("status"), .value = focal_span_text("\x03") } };
    memset(text, 'a', sizeof text - 1);
    const uint64_t before = focal_node_waiting(ken->node);
    assert_int_equal(change(ken, &ref, false, items, 2, NULL, &c), FOCAL_TOO_BIG);
    assert_int_equal(change(ken, &none, true, items, 2, NULL, &c), FOCAL_TOO_BIG);
    items[0].value.len = 4000;
    items[0].field = &places;
    items[0].op = FOCAL_OP_ADD;
    items[1] = items[2] = items[0];
    assert_int_equal(change(ken, &ref, false, items, 3, NULL, &c), FOCAL_OK);
    items[0].value.len = items[1].value.len = items[2].value.len = 5000;
    assert_int_equal(change(ken, &ref, false, items, 3, NULL, &c), FOCAL_TOO_BIG);
    assert_int_equal(change(ken, &none, true, items, 3, NULL, &c), FOCAL_TOO_BIG);
    assert_int_equal(focal_node_waiting(ken->node), before + 1);
    static const struct focal_field map = { .number = FOCAL_FIELD(702, FOCAL_SCOPE_SEALED, FOCAL_MERGE_MAP), .name = "map", .label_en = "Map", .type = FOCAL_TYPE_TEXT };
    static const struct focal_field local = { .number = FOCAL_FIELD(703, FOCAL_SCOPE_LOCAL, FOCAL_MERGE_REGISTER), .name = "local", .label_en = "L", .type = FOCAL_TYPE_TEXT };
    items[0] = (struct focal_change_item){ .op = FOCAL_OP_SET, .field = &map, .value = focal_span_text("\x01kv") };
    assert_int_equal(change(ken, &ref, false, items, 1, NULL, &c), FOCAL_REFUSED);
    items[0].field = &local;
    assert_int_equal(change(ken, &ref, false, items, 1, NULL, &c), FOCAL_REFUSED);
}

/* ---- merging ---- */

static void said_again_is_no_change(void **state)
{
    static const char *const alone[] = { "KEN", NULL };
    (void)state;
    struct focal_ref ref = a_case();
    uint64_t entries[2], rows;
    assert_int_equal(say(ken, &ref, canary, NULL), FOCAL_OK);
    ease();
    assert_int_equal(focal_shelf_digest(ken->store, FOCAL_SHELF_SEGMENT, &entries[0], &rows), FOCAL_OK);
    assert_int_equal(say(ken, &ref, canary, NULL), FOCAL_OK);
    assert_int_equal(say(hq, &ref, canary, NULL), FOCAL_OK);       /* the same addressees, and it can read that it says the same */
    ease();
    assert_int_equal(focal_shelf_digest(ken->store, FOCAL_SHELF_SEGMENT, &entries[1], &rows), FOCAL_OK);
    assert_int_equal(entries[0], entries[1]);
    assert_int_equal(say(ken, &ref, canary, alone), FOCAL_OK);     /* other addressees are a change */
    all_good();
    sealed_from(hq, &ref, talk.number, NULL, "KEN");
    assert_int_equal(say(ssd, &ref, canary, NULL), FOCAL_OK);      /* it cannot tell, so it says it */
    all_good();
    assert_int_equal(versions(hq, &ref, talk.number), 1);
    reads(hq, &ref, talk.number, "SSD", canary, "HQ,KEN,SSD");
}

/* Of two offices that did not know of each other there are two versions, whatever they say; who cannot open them can end that
 * too, and what it keeps still opens. */
static void two_versions_and_an_end(void **state)
{
    (void)state;
    struct focal_ref ref = a_case();
    struct focal_live kept, other;
    struct focal_change c;
    char text[64], to[100];
    for (int round = 0; round < 2; round++) {
        struct place *by = round ? ken : near;          /* near can open neither */
        for (size_t i = 0; i < LINES; i++)
            cut(&all.lines[i], FOCAL_UNREACHABLE);
        assert_int_equal(say(ken, &ref, round ? "by Kenya" : "the same", NULL), FOCAL_OK);
        assert_int_equal(say(hq, &ref, round ? "by headquarters" : "the same", NULL), FOCAL_OK);
        all_good();
        for (size_t i = 0; i < all.count; i++)
            assert_int_equal(versions(&all.places[i], &ref, talk.number), 2);
        assert_int_equal(look(by, &ref, talk.number, "KEN", &other, text, to), round ? FOCAL_OK : FOCAL_NOT_FOUND);
        assert_int_equal(look(by, &ref, talk.number, "HQ", &kept, text, to), round ? FOCAL_OK : FOCAL_NOT_FOUND);
        struct focal_change_item keep = { .op = FOCAL_OP_KEEP, .field = &talk, .row = kept.ref, .ordinal = (uint16_t)(kept.ordinal + 1) };
        assert_int_equal(change(by, &ref, false, &keep, 1, NULL, &c), FOCAL_NOT_FOUND);
        keep.ordinal = kept.ordinal;
        assert_int_equal(change(by, &ref, false, &keep, 1, NULL, &c), FOCAL_OK);
        all_good();
        for (size_t i = 0; i < all.count; i++)
            assert_int_equal(versions(&all.places[i], &ref, talk.number), 1);
        reads(ken, &ref, talk.number, "HQ", round ? "by headquarters" : "the same", "HQ,KEN");
        reads(hq, &ref, talk.number, "HQ", round ? "by headquarters" : "the same", "HQ,KEN");
        sealed_from(near, &ref, talk.number, "HQ", "HQ,KEN");
    }
    const struct focal_change_item keep = { .op = FOCAL_OP_KEEP, .field = field("victims"), .row = kept.ref };
    assert_int_equal(change(ken, &ref, false, &keep, 1, NULL, &c), FOCAL_REFUSED);
}

/* Rows of a set are each sealed; one is taken off by who cannot read it. */
static void rows_are_sealed_each(void **state)
{
    (void)state;
    struct focal_ref ref = a_case();
    struct focal_change c;
    const struct focal_change_item add[] = { { .op = FOCAL_OP_ADD, .field = &places, .value = focal_span_text("here") },
                                             { .op = FOCAL_OP_ADD, .field = &places, .value = focal_span_text("there") } };
    assert_int_equal(change(ken, &ref, false, add, 2, NULL, &c), FOCAL_OK);
    all_good();
    struct focal_record_view view;
    assert_int_equal(focal_oplog_record(focal_node_oplog(ssd->node), NULL, &ref, &view), FOCAL_OK);
    const struct focal_slot *slot = focal_record_slot(&view.record, places.number, focal_span_of(NULL, 0));
    assert_int_equal(slot->value_count, 2);
    const struct focal_change_item off = { .op = FOCAL_OP_REMOVE, .field = &places, .row = slot->values[0].ref, .ordinal = slot->values[0].ordinal };
    focal_record_view_close(&view);
    assert_int_equal(change(ssd, &ref, false, &off, 1, NULL, &c), FOCAL_OK);
    all_good();
    assert_int_equal(versions(ken, &ref, places.number), 1);
    char text[64], to[100];
    assert_int_equal(look(ken, &ref, places.number, NULL, NULL, text, to), FOCAL_OK);
    assert_true(strcmp(text, "here") == 0 || strcmp(text, "there") == 0);
    const struct focal_change_item clear = { .op = FOCAL_OP_CLEAR, .field = &places };
    assert_int_equal(change(ssd, &ref, false, &clear, 1, NULL, &c), FOCAL_OK);
    all_good();
    assert_int_equal(versions(ken, &ref, places.number), 0);
}

/* ---- moved ---- */

/* A member that cannot read a value puts it back, or somewhere else, under its own name: it opens nowhere. */
static void a_copied_value_opens_nowhere(void **state)
{
    (void)state;
    struct focal_ref ref = a_case(), other = a_case();
    struct focal_live live;
    char text[64], to[100];
    static uint8_t bytes[1024];
    assert_int_equal(say(ken, &ref, canary, NULL), FOCAL_OK);
    ease();
    assert_int_equal(look(ssd, &ref, talk.number, "KEN", &live, text, to), FOCAL_NOT_FOUND);
    struct focal_record_view view;
    assert_int_equal(focal_oplog_record(focal_node_oplog(ssd->node), NULL, &ref, &view), FOCAL_OK);
    const struct focal_slot *slot = focal_record_slot(&view.record, talk.number, focal_span_of(NULL, 0));
    const size_t len = slot->values[0].value.len;
    assert_true(len < sizeof bytes);
    memcpy(bytes, slot->values[0].value.data, len);
    focal_record_view_close(&view);
    const struct focal_item same = { .field = talk.number, .value = focal_span_of(bytes, len) };
    const struct focal_item elsewhere = { .field = talk.number + 64 * 20, .value = focal_span_of(bytes, len) };
    const struct focal_replaced replaced = { .entry = live.ref, .ordinal = live.ordinal };
    write_by_hand(ssd, &ref, &same, 1, &replaced);
    write_by_hand(ssd, &other, &same, 1, NULL);
    write_by_hand(ssd, &ref, &elsewhere, 1, NULL);
    /* And by its author: in another record, and in another field. */
    write_by_hand(ken, &other, &elsewhere, 1, NULL);
    all_good();
    struct place *const readers[] = { ken, hq };
    for (int i = 0; i < 2; i++) {
        assert_int_equal(look(readers[i], &ref, talk.number, "SSD", NULL, text, to), FOCAL_NEVER);
        assert_string_equal(to, "HQ,KEN");
        assert_int_equal(look(readers[i], &other, talk.number, "SSD", NULL, text, to), FOCAL_NEVER);
        assert_int_equal(look(readers[i], &ref, elsewhere.field, "SSD", NULL, text, to), FOCAL_NEVER);
        assert_int_equal(look(readers[i], &other, elsewhere.field, "KEN", NULL, text, to), FOCAL_NEVER);
    }
    assert_int_equal(look(near, &ref, talk.number, "SSD", NULL, text, to), FOCAL_NOT_FOUND);
    assert_int_equal(say(ken, &ref, canary, NULL), FOCAL_OK);      /* and its author can put it right */
    all_good();
    reads(hq, &ref, talk.number, NULL, canary, "HQ,KEN");
}

/* Whatever a change comes to by a fault of ours, no log takes what was left unsealed. */
static void nothing_unsealed_gets_into_a_log(void **state)
{
    static const struct focal_scope network = { .cls = FOCAL_SCOPE_NETWORK };
    (void)state;
    struct focal_ref ref = a_case(), out;
    struct focal_error err;
    struct focal_buf payload;
    struct focal_oplog *ol = focal_node_oplog(ken->node);
    const struct focal_item items[] = { { .field = field("status")->number, .value = focal_span_text("\x02") }, { .field = talk.number, .value = focal_span_text(canary) } };
    focal_buf_init(&payload, FOCAL_ENTRY_MAX);
    focal_payload_encode(&payload, FOCAL_KIND_CASE, NULL, NULL, items, 2);
    const struct focal_write w = { .scope = network, .record = ref, .payload = focal_buf_view(&payload) };
    assert_int_equal(focal_store_begin(ken->store), FOCAL_OK);
    assert_int_equal(focal_oplog_write(ol, &w, &out, &err), FOCAL_REFUSED);
    assert_non_null(strstr(err.message, "not sealed"));
    assert_int_equal(focal_oplog_seal(ol), FOCAL_OK);
    assert_int_equal(focal_store_commit(ken->store), FOCAL_OK);
    focal_oplog_committed(ol);
    focal_buf_close(&payload);
    nowhere(ken, canary);
}

static bool allow_but_one(void *data, size_t bytes)
{
    uint64_t *left = data;
    (void)bytes;
    return (*left)-- != 0;
}

/* Each allocation on the way fails in turn. The case is there with what is sealed in it, or is not there; nothing stands open. */
static void no_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    struct focal_change c;
    const struct focal_change_item items[] = { { .op = FOCAL_OP_SET, .field = field("status"), .value = focal_span_text("\x02") },
                                               { .op = FOCAL_OP_SET, .field = &talk, .value = focal_span_text(canary) } };
    bool done = false;
    uint64_t tries = 0, refused = 0;
    for (; !done; tries++) {
        uint64_t left = tries;
        c = (struct focal_change){ .kind = focal_kind_by_number(FOCAL_KIND_CASE), .is_new = true, .items = items, .item_count = 2 };
        struct focal_node_event e = { .type = FOCAL_EVENT_CHANGE };
        e.is.change = &c;
        focal_alloc_hook(allow_but_one, &left);
        enum focal_status st = step_with(ken, &e);
        focal_alloc_hook(NULL, NULL);
        done = left < UINT64_MAX / 2;
        if (st == FOCAL_OK && c.status == FOCAL_OK) {
            reads(ken, &c.result, talk.number, "KEN", canary, "HQ,KEN");
            assert_int_equal(versions(ken, &c.result, field("status")->number), 1);
        } else {
            refused++;
        }
        if (st != FOCAL_OK) {
            focal_node_close(ken->node);
            ken->node = NULL;
            place_open(ken);
        }
        nowhere(ken, canary);
    }
    assert_true(refused > 10 && tries > refused);
    for (size_t i = 0; i < LINES; i++)
        all.lines[i].open = false;
    live_on(400000);
    all_good();
    struct focal_record_view view;
    struct focal_ref at = { { { 0 } }, 0, { 0 } };
    size_t cases = 0;
    for (bool more = true; more; cases += more) {
        more = focal_oplog_next_of_kind(focal_node_oplog(hq->node), NULL, FOCAL_KIND_CASE, cases ? &at : NULL, &at) == FOCAL_OK;
        if (!more)
            break;
        assert_int_equal(focal_oplog_record(focal_node_oplog(hq->node), NULL, &at, &view), FOCAL_OK);
        focal_record_view_close(&view);
        reads(hq, &at, talk.number, "KEN", canary, "HQ,KEN");
    }
    assert_int_equal(cases, tries - refused);
}

/* ---- keys ---- */

/* Kenya gets a new opening key with its next membership: what was sealed before opens as before, what comes after is sealed to
 * the new one, and everybody still names it rightly. */
static void a_later_membership_has_another_key(void **state)
{
    uint8_t random[32];
    (void)state;
    struct focal_ref ref = a_case();
    assert_int_equal(say(hq, &ref, canary, NULL), FOCAL_OK);
    ease();
    focal_node_close(ken->node);
    ken->node = NULL;
    memset(random, 0x5c, sizeof random);
    assert_int_equal(focal_node_keys_renew_opening(&ken->keys, random), FOCAL_OK);
    place_open(ken);
    for (size_t i = 0; i < LINES; i++)
        all.lines[i].open = false;
    recertify(ken, 3, true, 0);
    all_good();
    reads(ken, &ref, talk.number, "HQ", canary, "HQ,KEN");
    reads(ken, &ref, field("feedback_preference")->number, "KEN", "\x04", "HQ,KEN");
    sealed_from(ssd, &ref, talk.number, "HQ", "HQ,KEN");
    assert_int_equal(say(hq, &ref, "another", NULL), FOCAL_OK);
    all_good();
    reads(ken, &ref, talk.number, "HQ", "another", "HQ,KEN");
    reads(hq, &ref, talk.number, "HQ", "another", "HQ,KEN");
    ken->keys.former_count = 0;
    focal_node_close(ken->node);
    ken->node = NULL;
    place_open(ken);
    reads(ken, &ref, talk.number, "HQ", "another", "HQ,KEN");
    sealed_from(ken, &ref, field("feedback_preference")->number, "KEN", "HQ,KEN");
}

/* An office that is not known here has a place in the list all the same. */
static void an_addressee_that_is_not_known(void **state)
{
    (void)state;
    struct focal_ref ref = a_case();
    struct focal_sealed_place place = { .network = all.network, .record = ref, .field = talk.number, .author = { "KEN" } };
    struct focal_key to[2] = { ken->keys.open_public, { { 9 } } };
    uint8_t random[32] = { 5 };
    struct focal_buf sealed;
    focal_buf_init(&sealed, 4096);
    assert_int_equal(focal_sealed_seal(&sealed, focal_span_text(canary), &place, to, 2, random), FOCAL_OK);
    const struct focal_item item = { .field = talk.number, .value = focal_buf_view(&sealed) };
    write_by_hand(ken, &ref, &item, 1, NULL);
    focal_buf_close(&sealed);
    all_good();
    reads(ken, &ref, talk.number, NULL, canary, "KEN+");
    sealed_from(hq, &ref, talk.number, NULL, "KEN+");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_follows_up_and_headquarters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(headquarters_is_not_known_yet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_much_is_refused_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(said_again_is_no_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_versions_and_an_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_are_sealed_each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_copied_value_opens_nowhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_unsealed_gets_into_a_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_memory_leaves_nothing_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_later_membership_has_another_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_addressee_that_is_not_known, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
