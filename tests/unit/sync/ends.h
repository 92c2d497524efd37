/* Two sessions back to back over oplogs in memory: what one hands out the other takes in, frame by frame. */
#ifndef FOCAL_TESTS_ENDS_H
#define FOCAL_TESTS_ENDS_H

#include "../oplog/offices.h"
#include "session.h"

struct end {
    struct office *office;
    struct focal_sync_host host;
    struct focal_session *s;
    uint64_t told[2048];                /* heads that the session was told of */
    struct focal_psk psks[2]; size_t psk_count;
    bool tx;
    uint64_t frames;                    /* handed out */
    struct focal_public_keys joined_keys; uint64_t joined; bool admit;
    uint8_t admitted[64]; size_t admitted_len;
};

/* A store that keeps a fence can be copied. */
static inline void office_fence(struct office *o)
{
    focal_fake_store_fence(o->store, (struct focal_entropy){ .fill = chance_fill, .data = &o->chance }, "machine");
    focal_oplog_close(o->ol);
    office_open(o);
}

/* Its disk copied, and started as if it were the only one. */
static inline void office_copy(struct office *copy, const struct office *of)
{
    struct focal_fake_image *image = focal_fake_store_backup(of->store, true);
    assert_non_null(image);
    *copy = *of;
    copy->store = focal_fake_store_clone(image);
    assert_non_null(copy->store);
    focal_buf_init(&copy->statement, FOCAL_STATEMENT_MAX);
    copy->chance.state += 99;
    focal_fake_image_free(image);
    office_open(copy);
}

static enum focal_status end_writing(void *data)
{
    struct end *e = data;
    if (!e->tx)
        begin(e->office);
    e->tx = true;
    return FOCAL_OK;
}

static size_t end_candidates(void *data, const struct focal_key *channel, struct focal_psk *out, size_t room)
{
    struct end *e = data;
    (void)channel;
    assert_true(e->psk_count <= room);
    memcpy(out, e->psks, e->psk_count * sizeof *out);
    return e->psk_count;
}

static bool end_ready(void *data, struct focal_session *s)
{
    (void)data;
    (void)s;
    return true;
}

static bool end_named(void *data, struct focal_session *s)
{
    (void)data;
    return focal_session_named(s);
}

static enum focal_status end_joined(void *data, struct focal_session *s, uint64_t invitation, const struct focal_public_keys *keys, struct focal_buf *sealed)
{
    struct end *e = data;
    (void)s;
    e->joined = invitation;
    e->joined_keys = *keys;
    if (e->admit)
        focal_buf_text(sealed, "sealed secret");
    return FOCAL_OK;
}

static enum focal_status end_admitted(void *data, struct focal_session *s, struct focal_span sealed)
{
    struct end *e = data;
    (void)s;
    assert_true(sealed.len <= sizeof e->admitted);
    memcpy(e->admitted, sealed.data, sealed.len);
    e->admitted_len = sealed.len;
    return FOCAL_OK;
}

static void end_statements_changed(void *data, struct focal_session *from)
{
    struct end *e = data;
    assert_ptr_equal(from, e->s);
    assert_int_equal(focal_session_rights_changed(e->s), FOCAL_OK);
}

static void end_tell(struct end *e)
{
    for (size_t i = 0; i < focal_oplog_log_count(e->office->ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(e->office->ol, i);
        assert_true(i < sizeof e->told / sizeof e->told[0]);
        if (log->head.seq == e->told[i])
            continue;
        e->told[i] = log->head.seq;
        if (e->s)
            assert_int_equal(focal_session_log_changed(e->s, log), FOCAL_OK);
    }
}

static void end_finish(struct end *e)
{
    if (e->tx)
        assert_int_equal(focal_oplog_seal(e->office->ol), FOCAL_OK);
    end_tell(e);
    if (e->tx)
        commit(e->office);
    e->tx = false;
}

static inline void end_write(struct end *e, const struct focal_scope *scope, size_t count)
{
    struct focal_ref ref;
    end_writing(e);
    for (size_t i = 0; i < count; i++)
        write_value(e->office, scope, NULL, FIELD_A, (uint8_t)i, &ref);
    end_finish(e);
}

static inline enum focal_status end_frame(struct end *e, struct focal_span frame)
{
    enum focal_status st = focal_session_frame(e->s, frame);
    end_finish(e);
    return st;
}

static inline bool end_take(struct end *e, struct focal_buf *frame)
{
    bool taken = false;
    focal_buf_clear(frame);
    assert_int_equal(focal_session_take(e->s, frame, &taken), FOCAL_OK);
    e->frames += taken;
    return taken;
}

/* One frame of each, in turn, until nobody has any; what an end answers must be OK. */
static inline size_t pump_some(struct end *a, struct end *b, size_t most)
{
    struct focal_buf frame;
    size_t moved = 0;
    bool any = true;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    while (any && moved < most) {
        any = false;
        for (int i = 0; i < 2; i++) {
            struct end *from = i ? b : a, *to = i ? a : b;
            if (!end_take(from, &frame))
                continue;
            any = true;
            moved++;
            assert_int_equal(end_frame(to, focal_buf_view(&frame)), FOCAL_OK);
        }
    }
    focal_buf_close(&frame);
    return moved;
}

static inline size_t pump(struct end *a, struct end *b)
{
    size_t moved = pump_some(a, b, 1000000);
    assert_true(moved < 1000000);
    return moved;
}

static enum focal_status end_receipt(void *data, struct focal_session *from, struct focal_span body, const struct focal_signature *signature)
{
    struct end *e = data;
    (void)from;
    return focal_oplog_take_receipt(e->office->ol, body, signature);
}

static inline void end_make(struct end *e, struct office *o, uint64_t now_ms)
{
    memset(e, 0, sizeof *e);
    e->office = o;
    focal_sync_host_init(&e->host, 5);
    e->host.data = e;
    e->host.oplog = o->ol;
    e->host.keys = &o->keys;
    e->host.entropy = &o->entropy;
    e->host.now = (struct focal_now){ .mono_ms = now_ms, .wall_ms = 1 };
    e->host.writing = end_writing;
    e->host.candidates = end_candidates;
    e->host.ready = end_ready;
    e->host.named = end_named;
    e->host.joined = end_joined;
    e->host.admitted = end_admitted;
    e->host.statements_changed = end_statements_changed;
    e->host.receipt = end_receipt;
    e->psk_count = 1;
    memset(e->psks[0].key, 0x55, 32);
    e->psks[0].is_network = true;
    end_tell(e);
}

static inline void end_close(struct end *e)
{
    focal_session_free(e->s);
    e->s = NULL;
    assert_int_equal(e->host.asks.count, 0);
    focal_sync_host_close(&e->host);
}

static inline void ends_dial(struct end *a, struct end *b)
{
    a->s = focal_session_dialled(&a->host, 1, &b->office->keys.channel_public, &a->psks[0]);
    b->s = focal_session_accepted(&b->host, 2);
    assert_non_null(a->s);
    assert_non_null(b->s);
}

static inline void ends_link(struct end *a, struct office *oa, struct end *b, struct office *ob)
{
    end_make(a, oa, 1000);
    end_make(b, ob, 1000);
    ends_dial(a, b);
}

static inline void ends_close(struct end *a, struct end *b)
{
    end_close(a);
    end_close(b);
}

static inline void ends_time(struct end *a, struct end *b, uint64_t mono_ms)
{
    a->host.now.mono_ms = b->host.now.mono_ms = mono_ms;
}

/* Only the three frames of the handshake. */
static inline void ends_shake(struct end *a, struct end *b)
{
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    for (int i = 0; i < 3; i++) {
        assert_true(end_take(i == 1 ? b : a, &frame));
        assert_int_equal(end_frame(i == 1 ? a : b, focal_buf_view(&frame)), FOCAL_OK);
    }
    focal_buf_close(&frame);
    assert_int_equal(focal_session_state(a->s), FOCAL_SESSION_TALKING);
    assert_int_equal(focal_session_state(b->s), FOCAL_SESSION_TALKING);
}

/* Any message, encrypted by one end and put before the other: what a hostile member can do. */
static inline enum focal_status say(struct end *from, struct end *to, const struct focal_message *m)
{
    struct focal_buf plain, frame;
    focal_buf_init(&plain, FOCAL_NOISE_MAX);
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    focal_message_encode(&plain, m);
    assert_false(plain.failed);
    assert_int_equal(focal_channel_seal(&from->s->secrets->channel, &frame, focal_buf_view(&plain)), FOCAL_OK);
    enum focal_status st = end_frame(to, focal_buf_view(&frame));
    focal_buf_close(&plain);
    focal_buf_close(&frame);
    return st;
}

static inline bool same_frontier(struct office *a, struct office *b, const struct network *n, const struct focal_scope *scope)
{
    struct focal_hash id;
    uint8_t x[16], y[16];
    focal_scope_id(&id, &n->id, scope);
    focal_oplog_frontier_hash(a->ol, &id, x);
    focal_oplog_frontier_hash(b->ol, &id, y);
    return memcmp(x, y, 16) == 0;
}

static inline uint64_t head_of(struct office *o, const struct office *author, const struct network *n, const struct focal_scope *scope)
{
    const struct focal_log *log = log_of(o, n, author, scope);
    return log ? log->head.seq : 0;
}

#endif
