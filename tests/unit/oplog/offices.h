/* A network in a test: an authority, offices with keys and certificates, an oplog over a fake store for each. */
#ifndef FOCAL_TESTS_OFFICES_H
#define FOCAL_TESTS_OFFICES_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_store.h"
#include "focal/oplog.h"

#include <string.h>

/* ---- chance ---- */

struct chance { uint64_t state; };

static inline uint64_t chance_next(struct chance *c)
{
    c->state += 0x9E3779B97F4A7C15u;
    uint64_t z = c->state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static inline uint64_t chance_below(struct chance *c, uint64_t n)
{
    return chance_next(c) % n;
}

static inline void chance_fill(void *data, void *out, size_t len)
{
    uint8_t *at = out;
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)chance_next(data);
}

/* ---- network ---- */

static const struct focal_scope scope_control = { .cls = FOCAL_SCOPE_CONTROL };
static const struct focal_scope scope_network = { .cls = FOCAL_SCOPE_NETWORK };
static const struct focal_scope scope_kenya = { .cls = FOCAL_SCOPE_COUNTRY, .country = "KEN" };
static const struct focal_scope scope_chad = { .cls = FOCAL_SCOPE_COUNTRY, .country = "TCD" };

struct network {
    struct focal_sign_key authority, recovery;
    struct focal_hash id;
    struct focal_buf genesis;
};

struct office {
    struct focal_office code;
    struct focal_node_keys keys;
    struct focal_store *store;
    struct focal_oplog *ol;
    struct chance chance;
    struct focal_entropy entropy;
    struct focal_buf statement;         /* its first certificate */
};

static inline void network_make(struct network *n)
{
    uint8_t seed[32];
    struct focal_genesis genesis = { .label = "test", .day = 20000 };
    struct focal_buf body;
    assert_int_equal(focal_crypto_init(), FOCAL_OK);
    memset(seed, 1, sizeof seed);
    focal_sign_key_make(&n->authority, seed);
    memset(seed, 2, sizeof seed);
    focal_sign_key_make(&n->recovery, seed);
    genesis.authority = n->authority.public;
    genesis.recovery = n->recovery.public;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&n->genesis, FOCAL_STATEMENT_MAX);
    focal_genesis_encode(&body, &genesis);
    focal_network_id(&n->id, focal_buf_view(&body));
    focal_statement_sign(&n->genesis, n->authority.secret, NULL, focal_buf_view(&body));
    focal_buf_close(&body);
}

static inline void network_close(struct network *n)
{
    focal_buf_close(&n->genesis);
}

/* A certificate for everything this test has: control, network and both countries. */
static inline void certificate_for(struct focal_certificate *c, const struct office *o, uint64_t number)
{
    const struct focal_scope all[] = { scope_control, scope_network, scope_kenya, scope_chad };
    memset(c, 0, sizeof *c);
    c->office = o->code;
    memcpy(c->entity, "TEST", 5);
    c->role = FOCAL_ROLE_OFFICE;
    memcpy(c->read, all, sizeof all);
    memcpy(c->write, all, sizeof all);
    c->read_count = c->write_count = sizeof all / sizeof *all;
    focal_node_keys_public(&c->keys, &o->keys);
    c->number = number;
    c->from_day = 20000;
    c->to_day = 20400;
    c->openings_max = 400;
}

static inline void certificate_sign(struct focal_buf *statement, const struct network *n, const struct focal_certificate *c)
{
    struct focal_buf body;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_certificate_encode(&body, c);
    focal_statement_sign(statement, n->authority.secret, &n->id, focal_buf_view(&body));
    assert_false(statement->failed);
    focal_buf_close(&body);
}

static inline void office_open(struct office *o)
{
    struct focal_error err = { .status = FOCAL_OK };
    o->entropy = (struct focal_entropy){ .fill = chance_fill, .data = &o->chance };
    enum focal_status st = focal_oplog_open(&o->ol, o->store, &o->keys, &o->entropy, NULL, &err);
    if (st != FOCAL_OK)
        fail_msg("open: %s", err.message);
}

/* Keys, a store with the genesis, an oplog; its certificate is made but held by nobody. */
static inline void office_make(struct office *o, const struct network *n, const char *code, uint64_t seed)
{
    uint8_t random[96];
    struct focal_certificate c;
    memset(o, 0, sizeof *o);
    o->chance.state = seed;
    assert_true(focal_office_parse(&o->code, focal_span_text(code)));
    chance_fill(&o->chance, random, sizeof random);
    focal_node_keys_make(&o->keys, random);
    o->store = focal_fake_store_new();
    assert_non_null(o->store);
    assert_int_equal(focal_oplog_found(o->store, focal_buf_view(&n->genesis)), FOCAL_OK);
    office_open(o);
    focal_buf_init(&o->statement, FOCAL_STATEMENT_MAX);
    certificate_for(&c, o, 1);
    certificate_sign(&o->statement, n, &c);
}

static inline void office_close(struct office *o)
{
    focal_oplog_close(o->ol);
    focal_store_close(o->store);
    focal_buf_close(&o->statement);
}

static inline void begin(struct office *o)
{
    assert_int_equal(focal_store_begin(o->store), FOCAL_OK);
}

static inline void commit(struct office *o)
{
    assert_int_equal(focal_oplog_seal(o->ol), FOCAL_OK);
    assert_int_equal(focal_store_commit(o->store), FOCAL_OK);
    focal_oplog_committed(o->ol);
}

static inline void roll_back(struct office *o)
{
    focal_store_rollback(o->store);
    assert_int_equal(focal_oplog_rolled_back(o->ol), FOCAL_OK);
}

static inline void hold(struct office *o, const struct focal_buf *statement)
{
    begin(o);
    enum focal_status st = focal_oplog_add_statement(o->ol, focal_buf_view(statement));
    assert_true(st == FOCAL_OK || st == FOCAL_EXISTS);
    commit(o);
}

/* Everybody holds everybody's certificate. */
static inline void introduce(struct office *offices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            hold(&offices[i], &offices[k].statement);
}

/* ---- writing ---- */

enum {
    FIELD_A = FOCAL_FIELD(500, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER),
    FIELD_B = FOCAL_FIELD(501, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER),
    FIELD_ROWS = FOCAL_FIELD(502, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET)
};

static inline enum focal_status try_write(struct office *o, const struct focal_scope *scope, const struct focal_ref *record,
    const struct focal_replaced *replaced, size_t replaced_count, uint64_t kind, uint64_t field, struct focal_span value,
    struct focal_ref *out)
{
    struct focal_buf payload;
    struct focal_error err;
    const struct focal_item item = { .field = field, .value = value };
    focal_buf_init(&payload, 64 * 1024);
    focal_payload_encode(&payload, kind, NULL, NULL, &item, 1);
    struct focal_write w = { .scope = *scope, .creates = record == NULL, .replaced = replaced, .replaced_count = replaced_count,
        .payload = focal_buf_view(&payload) };
    if (record)
        w.record = *record;
    enum focal_status st = focal_oplog_write(o->ol, &w, out, &err);
    focal_buf_close(&payload);
    return st;
}

static inline void write_value(struct office *o, const struct focal_scope *scope, const struct focal_ref *record, uint64_t field,
    uint8_t value, struct focal_ref *out)
{
    assert_int_equal(try_write(o, scope, record, NULL, 0, FOCAL_KIND_CASE, field, focal_span_of(&value, 1), out), FOCAL_OK);
}

/* ---- carrying ---- */

struct carried {
    struct focal_log_name name;
    struct focal_piece piece;
    struct focal_buf packed;
};

static inline void carried_close(struct carried *c)
{
    focal_buf_close(&c->packed);
}

static inline enum focal_status take_up(struct office *from, const struct focal_log *log, uint64_t first, size_t packed_max, struct carried *out)
{
    memset(out, 0, sizeof *out);
    focal_buf_init(&out->packed, 1 << 20);
    out->name = log->name;
    return focal_oplog_read(from->ol, log, first, packed_max, &out->piece, &out->packed);
}

static inline enum focal_status hand_over_or(struct office *to, const struct carried *c, struct focal_error *err)
{
    const struct focal_log *log;
    struct focal_incoming in = { .name = &c->name, .before = c->piece.before, .packed = focal_buf_view(&c->packed),
        .signature = c->piece.is_signed ? &c->piece.signature : NULL };
    return focal_oplog_admit(to->ol, &in, &log, err);
}

static inline enum focal_status hand_over(struct office *to, const struct carried *c)
{
    return hand_over_or(to, c, NULL);
}

/* All that `from` holds and `to` lacks, control first, then notices, in one transaction. */
static inline void carry_all(struct office *from, struct office *to)
{
    begin(to);
    for (int rank = 0; rank < 3; rank++) {
        for (size_t i = 0; i < focal_oplog_log_count(from->ol); i++) {
            const struct focal_log *log = focal_oplog_log_at(from->ol, i);
            if (rank != (log->scope.cls == FOCAL_SCOPE_CONTROL ? 0 : log->name.lane == FOCAL_LANE_NOTICES ? 1 : 2))
                continue;
            const struct focal_log *held = focal_oplog_log(to->ol, &log->id), *trunk = focal_oplog_log(from->ol, &log->id);
            const bool forked = trunk->forked || (held && held->forked);
            for (uint64_t next = held && !forked ? held->staged.seq + 1 : log->base.seq + 1; next <= log->head.seq;) {
                struct carried c;
                assert_int_equal(take_up(from, log, next, 15872, &c), FOCAL_OK);
                struct focal_error err = { .status = FOCAL_OK };
                if (hand_over_or(to, &c, &err) != FOCAL_OK)
                    fail_msg("carrying entry %llu on: %s", (unsigned long long)next, err.message);
                next = c.piece.last + 1;
                carried_close(&c);
            }
        }
    }
    commit(to);
}

static inline const struct focal_log *log_of(struct office *at, const struct network *n, const struct office *author, const struct focal_scope *scope)
{
    struct focal_log_name name = { .author = author->keys.sign_public, .lane = FOCAL_LANE_DATA };
    struct focal_id id;
    if (!focal_oplog_epoch(author->ol, &name.epoch))
        return NULL;
    focal_scope_id(&name.scope, &n->id, scope);
    focal_log_id(&id, &n->id, &name);
    return focal_oplog_log(at->ol, &id);
}

/* ---- comparing ---- */

static const enum focal_shelf derived_shelves[] = { FOCAL_SHELF_PART, FOCAL_SHELF_KIND, FOCAL_SHELF_CODE, FOCAL_SHELF_CONFLICT };

static inline void assert_same_state(struct office *a, struct office *b)
{
    struct focal_buf why;
    focal_buf_init(&why, 1 << 16);
    for (size_t i = 0; i < sizeof derived_shelves / sizeof *derived_shelves; i++) {
        if (focal_shelf_compare(a->store, b->store, derived_shelves[i], &why) != FOCAL_OK)
            fail_msg("shelf %d differs: %s", derived_shelves[i], focal_buf_cstr(&why));
    }
    focal_buf_close(&why);
    for (size_t i = 0; i < focal_oplog_scope_count(a->ol); i++) {
        const struct focal_hash *id;
        uint8_t one[16], two[16];
        assert_non_null(focal_oplog_scope_at(a->ol, i, &id));
        focal_oplog_frontier_hash(a->ol, id, one);
        focal_oplog_frontier_hash(b->ol, id, two);
        assert_memory_equal(one, two, 16);
    }
}

/* Gives the digest of all scopes together. */
static inline void assert_verifies(struct office *o, struct focal_hash *digest)
{
    struct focal_verify *v;
    enum focal_status st;
    assert_int_equal(focal_verify_open(&v, o->ol), FOCAL_OK);
    uint64_t before = 0;
    while ((st = focal_verify_slice(v, 37)) == FOCAL_MORE) {
        assert_true(focal_verify_progress_permille(v) >= before);
        before = focal_verify_progress_permille(v);
    }
    assert_int_equal(st, FOCAL_OK);
    if (focal_verify_error_count(v) > 0)
        fail_msg("verify: %s", focal_verify_error(v, 0));
    assert_int_equal(focal_verify_progress_permille(v), 1000);
    if (digest) {
        struct focal_buf all;
        struct focal_scope scope;
        struct focal_hash one;
        focal_buf_init(&all, 4096);
        for (size_t i = 0; focal_verify_digest(v, i, &scope, &one); i++)
            focal_buf_bytes(&all, one.b, sizeof one.b);
        focal_blake2b(digest->b, sizeof digest->b, focal_span_of(NULL, 0), focal_buf_view(&all));
        focal_buf_close(&all);
    }
    focal_verify_close(v);
}

#endif
