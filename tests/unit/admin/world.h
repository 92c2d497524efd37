/* A whole node over a store in memory, and its commands: lines in, lines out, a step between. */
#ifndef FOCAL_TESTS_WORLD_H
#define FOCAL_TESTS_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_store.h"
#include "focal/admin.h"
#include "focal/control.h"

#include <stdio.h>
#include <string.h>

enum { DAY = 20780, ROOM = 2048 };      /* 2026-11-23 */

struct world {
    struct focal_store *store;
    struct focal_node_keys keys;
    struct focal_public_keys public_keys;
    struct focal_node *node;
    struct focal_admin *admin;
    struct focal_now now;
    uint64_t chance;
    struct focal_buf out;
    unsigned two_persons;
    struct focal_node_event events[ROOM];
};

/* Groups 100, 101 and 102; whoever starts the daemon has all rights. */
static const struct focal_groups groups = { .admin = { "focal-admin", true, 100 }, .entry = { "focal-entry", true, 101 }, .read = { "focal-read", true, 102 },
                                            .owner = 5, .owner_all = true };

static inline void fill(void *data, void *out, size_t len)
{
    uint64_t *x = data;
    for (size_t i = 0; i < len; i++) {
        *x = *x * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)out)[i] = (uint8_t)(*x >> 56);
    }
}

static inline uint64_t no_time(void *data) { (void)data; return 0; }
static inline void no_figures(void *data, struct focal_admin_figures *f) { (void)data; (void)f; }
static inline enum focal_status no_check(void *data, uint64_t ticket) { (void)data; (void)ticket; return FOCAL_UNSUPPORTED; }
static inline size_t one_address(void *data, const char *out[], size_t room)
{
    (void)data;
    assert_true(room > 0);
    out[0] = "192.0.2.1:7443";
    return 1;
}

static inline void found(struct world *w)
{
    struct focal_sign_key authority, recovery;
    struct focal_genesis g;
    struct focal_certificate c;
    struct focal_buf body, genesis, certificate;
    struct focal_hash network;
    uint8_t seed[96], secret[32];
    fill(&w->chance, seed, sizeof seed);
    focal_node_keys_make(&w->keys, seed);
    focal_node_keys_public(&w->public_keys, &w->keys);
    focal_sign_key_make(&authority, seed);
    focal_sign_key_make(&recovery, seed + 32);
    memset(&g, 0, sizeof g);
    snprintf(g.label, sizeof g.label, "Test");
    g.authority = authority.public;
    g.recovery = recovery.public;
    g.day = DAY;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&genesis, FOCAL_STATEMENT_MAX);
    focal_buf_init(&certificate, FOCAL_STATEMENT_MAX);
    focal_genesis_encode(&body, &g);
    focal_network_id(&network, focal_buf_view(&body));
    focal_statement_sign(&genesis, authority.secret, NULL, focal_buf_view(&body));
    memset(&c, 0, sizeof c);
    snprintf(c.office.text, sizeof c.office.text, "HQ");
    c.role = FOCAL_ROLE_HQ;
    c.read[0] = (struct focal_scope){ .cls = FOCAL_SCOPE_CONTROL };
    c.read[1] = (struct focal_scope){ .cls = FOCAL_SCOPE_NETWORK };
    c.read[2] = (struct focal_scope){ .cls = FOCAL_SCOPE_COUNTRY, .country = "KEN" };
    memcpy(c.write, c.read, sizeof c.write);
    c.read_count = c.write_count = 3;
    c.keys = w->public_keys;
    c.number = 1;
    c.from_day = DAY;
    c.to_day = DAY + 365;
    c.openings_max = 400;
    focal_buf_clear(&body);
    focal_certificate_encode(&body, &c);
    focal_statement_sign(&certificate, authority.secret, &network, focal_buf_view(&body));
    fill(&w->chance, secret, sizeof secret);
    assert_int_equal(focal_node_found_hq(w->store, focal_buf_view(&genesis), focal_buf_view(&certificate), secret), FOCAL_OK);
    focal_buf_close(&body);
    focal_buf_close(&genesis);
    focal_buf_close(&certificate);
}

/* What the daemon would do with an order; the test answers for it. */
static struct focal_store_order ordered;
static char ordered_to[40];
static uint64_t ordered_ticket;
static const char *store_key_kept = "passphrase";
static bool store_orders_wait;          /* until the test says that they are done; else the next turn does it */
static bool store_order_waits;

static inline const char *kept_so(void *data)
{
    (void)data;
    return store_key_kept;
}

static inline enum focal_status take_order(void *data, uint64_t ticket, const struct focal_store_order *o, struct focal_error *err)
{
    (void)data;
    ordered = *o;
    ordered_ticket = ticket;
    snprintf(ordered_to, sizeof ordered_to, "%s", o->to ? o->to : "");
    if (o->type == FOCAL_STORE_DESTROY && strcmp(ordered_to, "DESTROY") != 0)
        return focal_fail(err, FOCAL_REFUSED, "type DESTROY", "nothing was destroyed");
    store_order_waits = o->type == FOCAL_STORE_ROTATE || o->type == FOCAL_STORE_CHANGE;
    return FOCAL_OK;
}

static inline void open_node(struct world *w)
{
    struct focal_error err;
    struct focal_node_setup setup = { .store = w->store, .keys = &w->keys, .entropy = { fill, &w->chance }, .machine_id = "", .boot_id = "" };
    assert_int_equal(focal_node_open(&w->node, &setup, w->now, &err), FOCAL_OK);
    struct focal_admin_setup admin = { .node = w->node, .entropy = { fill, &w->chance }, .keys = &w->public_keys, .program = "0", .dir = "/d", .groups = &groups, .two_persons = w->two_persons,
        .spent_ms = no_time, .figures = no_figures, .addresses = one_address, .deep_check = no_check, .store_order = take_order, .store_key = kept_so };
    assert_int_equal(focal_admin_open(&w->admin, &admin), FOCAL_OK);
}

static inline int open_world(void **state)
{
    struct world *w = focal_alloc(sizeof *w);
    assert_non_null(w);
    assert_int_equal(focal_crypto_init(), FOCAL_OK);
    w->store = focal_fake_store_new();
    w->chance = 7;
    w->now = (struct focal_now){ .mono_ms = 1000, .wall_ms = (uint64_t)DAY * 86400000u + 36000000u };
    focal_buf_init(&w->out, 16 << 20);
    found(w);
    open_node(w);
    *state = w;
    return 0;
}

/* Another member, whose keys are drawn from this number. */
static inline void add_member(struct world *w, const char *code, uint64_t number, struct focal_node_keys *keys)
{
    struct focal_sign_key authority;
    struct focal_certificate c;
    struct focal_buf body, statement;
    uint8_t seed[96];
    uint64_t chance = 7;
    fill(&chance, seed, sizeof seed);
    focal_sign_key_make(&authority, seed);
    fill(&number, seed, sizeof seed);
    focal_node_keys_make(keys, seed);
    memset(&c, 0, sizeof c);
    snprintf(c.office.text, sizeof c.office.text, "%s", code);
    c.role = FOCAL_ROLE_OFFICE;
    c.read[0] = c.write[0] = (struct focal_scope){ .cls = FOCAL_SCOPE_NETWORK };
    c.read_count = c.write_count = 1;
    focal_node_keys_public(&c.keys, keys);
    c.number = 1;
    c.from_day = DAY;
    c.to_day = DAY + 365;
    c.openings_max = 400;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_certificate_encode(&body, &c);
    focal_statement_sign(&statement, authority.secret, focal_oplog_network(focal_node_oplog(w->node)), focal_buf_view(&body));
    struct focal_node_event e = { .type = FOCAL_EVENT_STATEMENT };
    e.is.statement = focal_buf_view(&statement);
    assert_int_equal(focal_node_step(w->node, w->now, &e, 1), FOCAL_OK);
    focal_buf_close(&body);
    focal_buf_close(&statement);
}

/* Somebody who would have to be heard; and the mark that is left on an old copy. */
static inline void veil_it(struct world *w)
{
    struct focal_node_keys keys;
    add_member(w, "KEN", 8, &keys);
    focal_admin_close(w->admin);
    focal_node_close(w->node);
    assert_int_equal(focal_store_begin(w->store), FOCAL_OK);
    assert_int_equal(focal_store_put(w->store, FOCAL_SHELF_META, focal_span_text("veil"), focal_span_of("\x03", 1)), FOCAL_OK);
    assert_int_equal(focal_store_commit(w->store), FOCAL_OK);
    open_node(w);
}

static inline int close_world(void **state)
{
    struct world *w = *state;
    focal_admin_close(w->admin);
    focal_node_close(w->node);
    focal_store_close(w->store);
    focal_buf_close(&w->out);
    focal_free(w);
    return 0;
}

static inline void take_out(struct world *w)
{
    uint64_t conn;
    for (size_t at = 0; focal_admin_next(w->admin, &at, &conn);) {
        focal_buf_span(&w->out, focal_admin_take(w->admin, conn));
        focal_admin_taken(w->admin, conn);
    }
}

static inline void turn(struct world *w)
{
    w->now.mono_ms += 1;
    if (store_order_waits && !store_orders_wait) {
        store_order_waits = false;
        focal_admin_store_done(w->admin, ordered_ticket, FOCAL_OK, &(struct focal_error){ .status = FOCAL_OK });
    }
    size_t n = focal_admin_before(w->admin, w->now, w->events, ROOM);
    take_out(w);
    if (n)
        assert_int_equal(focal_node_step(w->node, w->now, w->events, n), FOCAL_OK);
    focal_admin_after(w->admin, w->now);
    take_out(w);
}

static inline void line(struct world *w, const char *text)
{
    focal_admin_line(w->admin, 1, focal_span_text(text), w->now);
}

static inline void settle(struct world *w)
{
    int turns = 0;
    do {
        turn(w);
        assert_true(++turns < 10000);
    } while (focal_admin_again(w->admin));
}

static inline void start(struct world *w)
{
    assert_true(focal_admin_connect(w->admin, 1, 5, FOCAL_MAY_ALL));
    line(w, "{\"focal\":\"control\",\"version\":1}");
    settle(w);
    focal_buf_clear(&w->out);
}

/* The same connection, another person. */
static inline void come_as(struct world *w, uint32_t uid, unsigned rights)
{
    focal_admin_disconnect(w->admin, 1);
    assert_true(focal_admin_connect(w->admin, 1, uid, rights));
    line(w, "{\"focal\":\"control\",\"version\":1}");
    settle(w);
    focal_buf_clear(&w->out);
}

/* The node and its commands, from what is on the disk. */
static inline void start_again(struct world *w)
{
    focal_admin_close(w->admin);
    focal_node_close(w->node);
    open_node(w);
}

/* What one request answers, as text. */
static inline const char *ask(struct world *w, const char *text)
{
    focal_buf_clear(&w->out);
    line(w, text);
    settle(w);
    return focal_buf_cstr(&w->out);
}

#define HAS(text, part)                                                                                                \
    do {                                                                                                               \
        const char *has_text = (text);                                                                                 \
        if (!strstr(has_text, part))                                                                                   \
            fail_msg("no %s in %s", part, has_text);                                                                   \
    } while (0)

#define HAS_NOT(text, part)                                                                                            \
    do {                                                                                                               \
        const char *has_text = (text);                                                                                 \
        if (strstr(has_text, part))                                                                                    \
            fail_msg("%s in %s", part, has_text);                                                                      \
    } while (0)

/* The value of "key":"..." in the last answer. */
static inline void pick(struct world *w, const char *key, char out[80])
{
    char find[40];
    snprintf(find, sizeof find, "\"%s\":\"", key);
    const char *at = strstr(focal_buf_cstr(&w->out), find);
    assert_non_null(at);
    at += strlen(find);
    snprintf(out, 80, "%.*s", (int)strcspn(at, "\""), at);
}

#endif
