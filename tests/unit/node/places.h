/* Nodes in a test: founded, opened, and joined by links that the test opens and cuts. */
#ifndef FOCAL_TESTS_PLACES_H
#define FOCAL_TESTS_PLACES_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "fake_store.h"
#include "inner.h"

enum { PLACES = 4, LINES = 64, DAY = 18000 };

struct place {
    char code[16];
    struct focal_node_keys keys;
    struct focal_store *store;
    struct focal_node *node;
    uint64_t chance;
    struct focal_order dials[16]; size_t dial_count;
    uint64_t closes;                    /* CLOSE orders so far */
};
struct line { bool open; struct place *at[2]; uint64_t id[2]; };

static struct {
    struct focal_sign_key authority;
    struct focal_hash network;
    struct focal_buf genesis, hq_certificate;
    uint8_t secret[32];
    struct focal_now now;
    struct place places[PLACES]; size_t count;
    struct line lines[LINES];
    uint64_t next_id;
} all;
static bool expiry_is_to_stop;          /* as networks founded from now on say */
static bool keep_fences;                /* stores made from now on keep one, all on one machine */

static inline void chance_fill(void *data, void *out, size_t len)
{
    uint64_t *state = data;
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        to[i] = (uint8_t)(*state >> 56);
    }
}

/* ---- founding ---- */

static inline void certify(struct focal_buf *statement, const char *code, uint8_t role, const struct focal_public_keys *keys, uint64_t number,
                           uint64_t invitation, bool writes_control)
{
    static const struct focal_scope control = { .cls = FOCAL_SCOPE_CONTROL }, network = { .cls = FOCAL_SCOPE_NETWORK };
    struct focal_certificate c;
    struct focal_buf body;
    memset(&c, 0, sizeof c);
    assert_true(focal_office_parse(&c.office, focal_span_text(code)));
    (void)snprintf(c.entity, sizeof c.entity, "TEST");
    c.role = role;
    c.read[c.read_count++] = control;
    c.read[c.read_count++] = network;
    c.write[c.write_count++] = writes_control ? control : network;
    if (writes_control)
        c.write[c.write_count++] = network;
    c.keys = *keys;
    c.number = number;
    c.from_day = DAY;
    c.to_day = DAY + 366;
    c.openings_max = 400;
    c.invitation_set = invitation != 0;
    c.invitation = invitation;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(statement, FOCAL_STATEMENT_MAX);
    focal_certificate_encode(&body, &c);
    focal_statement_sign(statement, all.authority.secret, &all.network, focal_buf_view(&body));
    assert_false(statement->failed);
    focal_buf_close(&body);
}

static inline void place_open(struct place *p)
{
    struct focal_error err;
    struct focal_node_setup setup = { .store = p->store, .keys = &p->keys, .entropy = { chance_fill, &p->chance }, .machine_id = p->code,
                                      .boot_id = "", .map_seed = 3 };
    if (focal_node_open(&p->node, &setup, all.now, &err) != FOCAL_OK)
        fail_msg("open: %s", err.message);
}

static inline struct place *place_new(const char *code)
{
    struct place *p = &all.places[all.count++];
    uint8_t random[96];
    assert_true(all.count <= PLACES);
    memset(p, 0, sizeof *p);
    (void)snprintf(p->code, sizeof p->code, "%s", code);
    p->chance = all.count * 77;
    chance_fill(&p->chance, random, sizeof random);
    focal_node_keys_make(&p->keys, random);
    p->store = focal_fake_store_new();
    assert_non_null(p->store);
    if (keep_fences)
        focal_fake_store_fence(p->store, (struct focal_entropy){ chance_fill, &p->chance }, "machine");
    return p;
}

static inline void place_open(struct place *p);

/* A second installation from a copy of a place's disk, keys and all. */
static inline struct place *place_copy(const struct place *of, const struct focal_fake_image *image)
{
    struct place *p = &all.places[all.count++];
    assert_true(all.count <= PLACES);
    *p = (struct place){ .keys = of->keys, .chance = all.count * 99, .store = focal_fake_store_clone(image) };
    assert_non_null(p->store);
    memcpy(p->code, of->code, sizeof p->code);
    place_open(p);
    return p;
}

/* The same from the disk as it is now, without its fence. */
static inline struct place *copy_of(struct place *p)
{
    struct focal_fake_image *image = focal_fake_store_backup(p->store, false);
    assert_non_null(image);
    struct place *copy = place_copy(p, image);
    focal_fake_image_free(image);
    return copy;
}

/* Power off, an older state of the disk put in its place, power on. */
static inline void place_restore(struct place *p, const struct focal_fake_image *image)
{
    focal_node_close(p->node);
    assert_int_equal(focal_fake_store_restore(p->store, image), FOCAL_OK);
    place_open(p);
}

static inline struct place *hq_make(bool writes_control)
{
    uint8_t seed[32] = { 9 };
    struct focal_genesis g;
    struct focal_buf body;
    struct focal_public_keys keys;
    memset(&all, 0, sizeof all);
    assert_int_equal(focal_crypto_init(), FOCAL_OK);
    all.now = (struct focal_now){ .mono_ms = 1000, .wall_ms = (uint64_t)DAY * 86400000u };
    all.next_id = 1;
    memset(all.secret, 0x33, sizeof all.secret);
    focal_sign_key_make(&all.authority, seed);
    memset(&g, 0, sizeof g);
    (void)snprintf(g.label, sizeof g.label, "Test");
    g.authority = g.recovery = all.authority.public;
    g.day = DAY;
    g.expiry_stops = expiry_is_to_stop;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&all.genesis, FOCAL_STATEMENT_MAX);
    focal_genesis_encode(&body, &g);
    focal_network_id(&all.network, focal_buf_view(&body));
    focal_statement_sign(&all.genesis, all.authority.secret, NULL, focal_buf_view(&body));
    struct place *p = place_new("HQ");
    focal_node_keys_public(&keys, &p->keys);
    certify(&all.hq_certificate, "HQ", FOCAL_ROLE_HQ, &keys, 1, 0, writes_control);
    assert_int_equal(focal_node_found_hq(p->store, focal_buf_view(&all.genesis), focal_buf_view(&all.hq_certificate), all.secret), FOCAL_OK);
    focal_buf_close(&body);
    place_open(p);
    return p;
}

static inline void all_close(void)
{
    for (size_t i = 0; i < all.count; i++) {
        focal_node_close(all.places[i].node);
        focal_store_close(all.places[i].store);
    }
    focal_buf_close(&all.genesis);
    focal_buf_close(&all.hq_certificate);
}

/* ---- steps ---- */

static inline enum focal_status step_with(struct place *p, const struct focal_node_event *e)
{
    return focal_node_step(p->node, all.now, e, 1);
}

static inline enum focal_status answer_to(struct place *p, struct focal_node_event e)
{
    enum focal_status answer = FOCAL_OK;
    e.answer = &answer;
    assert_int_equal(step_with(p, &e), FOCAL_OK);
    return answer;
}

static inline void tick(struct place *p)
{
    struct focal_node_event e = { .type = FOCAL_EVENT_TICK };
    assert_int_equal(step_with(p, &e), FOCAL_OK);
}

static inline void say_addresses(struct place *p, const char *const *list, size_t count)
{
    struct focal_node_event e = { .type = FOCAL_EVENT_ADDRESSES };
    e.is.addresses.list = list;
    e.is.addresses.count = count;
    assert_int_equal(answer_to(p, e), FOCAL_OK);
}

static inline void pause_office(struct place *p, const char *code, bool on)
{
    struct focal_node_event e = { .type = FOCAL_EVENT_PAUSE };
    assert_true(focal_office_parse(&e.is.pause.office, focal_span_text(code)));
    e.is.pause.on = on;
    assert_int_equal(answer_to(p, e), FOCAL_OK);
}

static inline enum focal_status give_statement(struct place *p, const struct focal_buf *statement)
{
    struct focal_node_event e = { .type = FOCAL_EVENT_STATEMENT };
    e.is.statement = focal_buf_view(statement);
    return answer_to(p, e);
}

/* ---- offices ---- */

static inline void invitation_for(struct focal_invitation *v, const char *code, uint64_t number)
{
    memset(v, 0, sizeof *v);
    v->network = all.network;
    v->genesis = focal_buf_view(&all.genesis);
    v->listener = all.places[0].keys.channel_public;
    memset(v->psk, 0x11, sizeof v->psk);
    v->number = number;
    assert_true(focal_office_parse(&v->office, focal_span_text(code)));
    (void)snprintf(v->addresses[0], sizeof v->addresses[0], "hq.example:7443");
    v->address_count = 1;
    v->expires_day = DAY + 30;
}

static inline struct place *joiner_make(const char *code, uint64_t number)
{
    struct place *p = place_new(code);
    struct focal_invitation v;
    struct focal_buf token;
    invitation_for(&v, code, number);
    focal_buf_init(&token, 16384);
    focal_invitation_encode(&token, &v);
    assert_int_equal(focal_node_found_office(p->store, &v, focal_buf_view(&token)), FOCAL_OK);
    focal_buf_close(&token);
    place_open(p);
    return p;
}

/* A member from the start, which knows headquarters. */
static inline struct place *member_make(const char *code)
{
    struct place *p = joiner_make(code, 0);
    struct focal_public_keys keys;
    struct focal_buf statement;
    focal_node_close(p->node);
    p->node = NULL;
    focal_node_keys_public(&keys, &p->keys);
    certify(&statement, code, FOCAL_ROLE_OFFICE, &keys, 1, 0, true);
    struct focal_oplog *ol = NULL;
    assert_int_equal(focal_oplog_open(&ol, p->store, NULL, NULL, NULL, NULL), FOCAL_OK);
    assert_int_equal(focal_store_begin(p->store), FOCAL_OK);
    assert_int_equal(focal_oplog_add_statement(ol, focal_buf_view(&statement)), FOCAL_OK);
    assert_int_equal(focal_oplog_add_statement(ol, focal_buf_view(&all.hq_certificate)), FOCAL_OK);
    assert_int_equal(focal_store_put(p->store, FOCAL_SHELF_META, focal_span_text("network-secret"), focal_span_of(all.secret, 32)), FOCAL_OK);
    assert_int_equal(focal_store_commit(p->store), FOCAL_OK);
    focal_oplog_close(ol);
    assert_int_equal(give_statement(&all.places[0], &statement), FOCAL_OK);
    focal_buf_close(&statement);
    place_open(p);
    return p;
}

/* Another membership of the same keys, given to everybody: with Kenya or without it. */
static inline void recertify(struct place *p, uint64_t number, bool country, uint32_t rights)
{
    static const struct focal_scope control = { .cls = FOCAL_SCOPE_CONTROL }, network = { .cls = FOCAL_SCOPE_NETWORK };
    static const struct focal_scope kenya = { .cls = FOCAL_SCOPE_COUNTRY, .country = "KEN" };
    struct focal_certificate c;
    struct focal_buf body, statement;
    memset(&c, 0, sizeof c);
    assert_true(focal_office_parse(&c.office, focal_span_text(p->code)));
    c.role = p == &all.places[0] ? FOCAL_ROLE_HQ : FOCAL_ROLE_OFFICE;
    c.rights = rights;
    c.read[c.read_count++] = control;
    c.read[c.read_count++] = network;
    if (country)
        c.read[c.read_count++] = kenya;
    memcpy(c.write, c.read, sizeof c.write);
    c.write_count = c.read_count;
    focal_node_keys_public(&c.keys, &p->keys);
    c.number = number;
    c.from_day = DAY;
    c.to_day = DAY + 366;
    c.openings_max = 400;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_certificate_encode(&body, &c);
    focal_statement_sign(&statement, all.authority.secret, &all.network, focal_buf_view(&body));
    for (size_t i = 0; i < all.count; i++)
        assert_int_equal(give_statement(&all.places[i], &statement), FOCAL_OK);
    focal_buf_close(&body);
    focal_buf_close(&statement);
}

/* The authority puts off the last day of an office's membership; given to headquarters. */
static inline void renew(const char *code, uint32_t to)
{
    struct focal_renewal r = { .to_day = to, .openings_max = 800, .day = (uint32_t)(all.now.wall_ms / 86400000u) };
    struct focal_oplog *ol = focal_node_oplog(all.places[0].node);
    struct focal_buf body, statement;
    assert_true(focal_office_parse(&r.office, focal_span_text(code)));
    r.number = focal_oplog_renewal_number(ol, &r.office) + 1;
    focal_oplog_certificate_hash(ol, focal_oplog_certificate(ol, &r.office), &r.certificate);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_renewal_encode(&body, &r);
    focal_statement_sign(&statement, all.authority.secret, &all.network, focal_buf_view(&body));
    assert_int_equal(give_statement(&all.places[0], &statement), FOCAL_OK);
    focal_buf_close(&body);
    focal_buf_close(&statement);
}

/* ---- links ---- */

static inline void cut(struct line *l, enum focal_status why)
{
    if (!l->open)
        return;
    l->open = false;
    for (int i = 0; i < 2; i++) {
        struct focal_node_event e = { .type = FOCAL_EVENT_LINK_CLOSED };
        e.is.closed.link = l->id[i];
        e.is.closed.why = why;
        if (l->at[i]->node)
            assert_int_equal(step_with(l->at[i], &e), FOCAL_OK);
    }
}

static inline bool obey(struct place *p)
{
    struct focal_order o;
    bool any = false;
    while (p->node && focal_node_take_order(p->node, &o)) {
        any = true;
        if (o.type == FOCAL_ORDER_DIAL) {
            assert_true(p->dial_count < 16);
            p->dials[p->dial_count++] = o;
        }
        p->closes += o.type == FOCAL_ORDER_CLOSE;
        for (size_t i = 0; i < LINES && o.type == FOCAL_ORDER_CLOSE; i++)
            for (int k = 0; k < 2; k++)
                if (all.lines[i].open && all.lines[i].at[k] == p && all.lines[i].id[k] == o.link)
                    cut(&all.lines[i], FOCAL_CANCELLED);
    }
    return any;
}

/* All frames and orders until nothing moves. Dials wait in place.dials. */
static inline void run(void)
{
    struct focal_buf frame;
    bool any = true;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    while (any) {
        any = false;
        for (size_t i = 0; i < LINES; i++)
            for (int k = 0; k < 2; k++) {
                struct line *l = &all.lines[i];
                if (!l->open || !focal_node_take_frame(l->at[k]->node, l->id[k], &frame))
                    continue;
                struct focal_node_event e = { .type = FOCAL_EVENT_LINK_FRAME };
                e.is.frame.link = l->id[1 - k];
                e.is.frame.bytes = focal_buf_view(&frame);
                assert_int_equal(step_with(l->at[1 - k], &e), FOCAL_OK);
                any = true;
            }
        for (size_t i = 0; i < all.count; i++)
            any = obey(&all.places[i]) || any;
    }
    focal_buf_close(&frame);
}

static inline void pass(uint64_t ms)
{
    all.now.mono_ms += ms;
    all.now.wall_ms += ms;
    for (size_t i = 0; i < all.count; i++)
        if (all.places[i].node)
            tick(&all.places[i]);
    run();
}

/* The dial that waits longest is answered by `to`. */
static inline struct line *answer_dial(struct place *from, struct place *to)
{
    assert_true(from->dial_count > 0);
    struct focal_order o = from->dials[0];
    memmove(from->dials, from->dials + 1, --from->dial_count * sizeof o);
    struct line *l = all.lines;
    while (l->open)
        l++;
    assert_true(l < all.lines + LINES);
    *l = (struct line){ .open = true, .at = { from, to }, .id = { all.next_id, all.next_id + 1 } };
    all.next_id += 2;
    for (int k = 1; k >= 0; k--) {
        struct focal_node_event e = { .type = FOCAL_EVENT_LINK_OPENED };
        e.is.opened.link = l->id[k];
        e.is.opened.dialled = k == 0;
        e.is.opened.dial_tag = k == 0 ? o.dial_tag : 0;
        e.is.opened.address = o.address;
        assert_int_equal(step_with(l->at[k], &e), FOCAL_OK);
    }
    return l;
}

/* A caller whom no node dialled for: the test is the far end. Gives the link's number. */
static inline uint64_t accept_stranger(struct place *p)
{
    struct focal_node_event e = { .type = FOCAL_EVENT_LINK_OPENED };
    e.is.opened.link = all.next_id;
    assert_int_equal(step_with(p, &e), FOCAL_OK);
    return all.next_id++;
}

static inline struct line *dial(struct place *from, struct place *to)
{
    tick(from);
    obey(from);
    return answer_dial(from, to);
}

static inline size_t lines_open(void)
{
    size_t count = 0;
    for (size_t i = 0; i < LINES; i++)
        count += all.lines[i].open;
    return count;
}

static inline void status_of(struct place *p, const char *code, struct focal_peer_status *out)
{
    for (size_t i = 0; focal_node_peer(p->node, all.now, i, out); i++)
        if (strcmp(out->office.text, code) == 0)
            return;
    fail_msg("%s does not know %s", p->code, code);
}

/* ---- changes ---- */

static inline enum focal_status set_text(struct place *p, struct focal_ref *ref, bool is_new, const char *const (*pairs)[2], size_t count, struct focal_change *c)
{
    const struct focal_kind *kind = focal_kind_by_number(FOCAL_KIND_CASE);
    struct focal_change_item items[8];
    struct focal_buf bytes[8];
    assert_true(count <= 8);
    memset(items, 0, sizeof items);
    for (size_t i = 0; i < count; i++) {
        struct focal_error err;
        items[i].op = FOCAL_OP_SET;
        items[i].field = focal_field_by_name(kind, pairs[i][0]);
        assert_non_null(items[i].field);
        focal_buf_init(&bytes[i], 64);
        assert_int_equal(focal_value_parse(&bytes[i], items[i].field, focal_span_text(pairs[i][1]), DAY + 400, &err), FOCAL_OK);
        items[i].value = focal_buf_view(&bytes[i]);
    }
    *c = (struct focal_change){ .kind = kind, .is_new = is_new, .items = items, .item_count = count, .day_set = true, .day = DAY };
    if (!is_new)
        c->record = *ref;
    struct focal_node_event e = { .type = FOCAL_EVENT_CHANGE };
    e.is.change = c;
    enum focal_status st = step_with(p, &e);
    for (size_t i = 0; i < count; i++)
        focal_buf_close(&bytes[i]);
    if (st == FOCAL_OK && c->status == FOCAL_OK)
        *ref = c->result;
    return st;
}

static inline void new_case(struct place *p, struct focal_ref *ref)
{
    static const char *const pairs[][2] = { { "country", "KEN" }, { "allegation_type", "other" } };
    struct focal_change c;
    assert_int_equal(set_text(p, ref, true, pairs, 2, &c), FOCAL_OK);
    if (c.status != FOCAL_OK)
        fail_msg("case: %s", c.error.message);
}

static inline bool has_case(struct place *p, const struct focal_ref *ref)
{
    struct focal_record_view view;
    if (focal_oplog_record(focal_node_oplog(p->node), NULL, ref, &view) != FOCAL_OK)
        return false;
    focal_record_view_close(&view);
    return true;
}

/* ---- life goes on ---- */

/* Time goes by, and headquarters answers whoever dials. */
static inline void live_on(uint64_t ms)
{
    for (uint64_t end = all.now.mono_ms + ms; all.now.mono_ms < end;) {
        pass(500);
        for (size_t i = 1; i < all.count; i++)
            while (all.places[i].dial_count > 0)
                (void)answer_dial(&all.places[i], &all.places[0]);
        run();
    }
}

static inline size_t incidents_of(struct place *p, enum focal_incident_kind kind, struct focal_incident *last)
{
    struct focal_incident one = { .number = 0 };
    size_t count = 0;
    while (focal_oplog_next_incident(focal_node_oplog(p->node), one.number, &one) == FOCAL_OK) {
        count += one.kind == kind;
        if (one.kind == kind && last)
            *last = one;
    }
    return count;
}

#endif
