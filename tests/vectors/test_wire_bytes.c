/* Bytes between peers of version 1: both ends must make and read the same ones, whatever program they run. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "focal/wire.h"
#include "wire_bytes.h"

static struct focal_arena arena;

static int open_arena(void **state)
{
    (void)state;
    focal_arena_init(&arena, 4 << 20);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    focal_arena_close(&arena);
    return 0;
}

static struct focal_span from_hex(const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *bytes = focal_arena_alloc(&arena, len);
    assert_non_null(bytes);
    assert_true(focal_unhex(bytes, len, focal_span_text(hex)));
    return focal_span_of(bytes, len);
}

static void rising(void *out, uint8_t first, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)(first + i);
}

static void is_rising(const void *bytes, uint8_t first, size_t len)
{
    uint8_t expected[128];
    rising(expected, first, len);
    assert_memory_equal(bytes, expected, len);
}

/* ---- messages ---- */

/* The golden bytes, decoded; and what was decoded encodes to the golden bytes. */
static struct focal_message golden(const char *hex, uint8_t type)
{
    struct focal_span bytes = from_hex(hex);
    struct focal_message m;
    assert_int_equal(focal_message_decode(&m, bytes), FOCAL_OK);
    assert_int_equal(m.type, type);
    struct focal_buf buf;
    focal_buf_init(&buf, FOCAL_FRAME_MAX);
    focal_message_encode(&buf, &m);
    assert_true(focal_span_equal(focal_buf_view(&buf), bytes));
    focal_buf_close(&buf);
    return m;
}

static void hello(void **state)
{
    (void)state;
    struct focal_message m = golden(message_hello, FOCAL_MSG_HELLO);
    assert_int_equal(m.is.hello.version_least, 1);
    assert_int_equal(m.is.hello.version_most, 2);
    is_rising(m.is.hello.epoch, 0x10, 8);
    assert_int_equal(m.is.hello.certificate_number, 7);
    is_rising(m.is.hello.certificate, 0x20, 8);
    is_rising(m.is.hello.statements, 0x30, 8);
    assert_true(m.is.hello.wants_certificates);
    assert_int_equal(m.is.hello.scope_count, 2);
    is_rising(m.is.hello.scopes[1].tag, 0x60, 8);
    is_rising(m.is.hello.scopes[1].frontier, 0x68, 16);
}

static void lists(void **state)
{
    (void)state;
    struct focal_message m = golden(message_subjects, FOCAL_MSG_SUBJECTS);
    struct focal_subject subject;
    assert_true(m.is.subjects.last && m.is.subjects.count == 2);
    focal_subject_get(&subject, &m.is.subjects, 1);
    is_rising(subject.subject, 0x40, 8);
    is_rising(subject.set, 0x48, 16);

    m = golden(message_frontier, FOCAL_MSG_FRONTIER);
    struct focal_frontier_item item;
    size_t at = 0;
    assert_true(m.is.frontier.whole && m.is.frontier.last);
    is_rising(m.is.frontier.tag, 0x10, 8);
    assert_true(focal_frontier_next(&m.is.frontier, &at, &item));
    is_rising(item.author.b, 0x20, 32);
    is_rising(item.epoch.b, 0x50, 16);
    assert_int_equal(item.lane, FOCAL_LANE_NOTICES);
    assert_int_equal(item.tip_count, 2);
    assert_int_equal(item.tips[1].seq, 9);
    is_rising(item.tips[1].keyed, 0x70, 8);
    assert_false(focal_frontier_next(&m.is.frontier, &at, &item));

    m = golden(message_ack, FOCAL_MSG_ACK);
    struct focal_ack_item ack;
    assert_int_equal(m.is.ack.count, 2);
    focal_ack_get(&ack, &m.is.ack, 0);
    is_rising(ack.log.b, 0x10, 16);
    assert_int_equal(ack.seq, 258);
}

static void segments(void **state)
{
    (void)state;
    struct focal_message m = golden(message_segment, FOCAL_MSG_SEGMENT);
    is_rising(m.is.segment.log.b, 0x10, 16);
    is_rising(m.is.segment.before, 0x40, 8);
    assert_true(m.is.segment.is_signed);
    is_rising(m.is.segment.signature.b, 0x80, 64);
    assert_true(focal_span_equal(m.is.segment.packed, focal_span_text("piece")));
    m = golden(message_segment_unsigned, FOCAL_MSG_SEGMENT);
    assert_false(m.is.segment.is_signed);
    assert_true(focal_span_equal(m.is.segment.packed, focal_span_text("piece")));
    m = golden(message_want, FOCAL_MSG_WANT);
    is_rising(m.is.want.log.b, 0x10, 16);
    assert_int_equal(m.is.want.from, 258);
    assert_int_equal(m.is.want.to.seq, 772);
    is_rising(m.is.want.to.keyed, 0x40, 8);
}

static void others(void **state)
{
    (void)state;
    struct focal_message m = golden(message_statement, FOCAL_MSG_STATEMENT);
    assert_int_equal(m.is.statement.len, 64 + 4);
    m = golden(message_receipt, FOCAL_MSG_RECEIPT);
    assert_true(focal_span_equal(m.is.receipt.body, focal_span_text("receipt body")));
    is_rising(m.is.receipt.signature.b, 0x80, 64);
    assert_int_equal(golden(message_credit, FOCAL_MSG_CREDIT).is.credit, 0x10203);
    assert_int_equal(golden(message_ping, FOCAL_MSG_PING).is.ping, 0x0102030405060708);
    assert_int_equal(golden(message_pong, FOCAL_MSG_PONG).is.ping, 0x0102030405060708);
    assert_int_equal(golden(message_pause, FOCAL_MSG_PAUSE).is.pause, 1);
    assert_int_equal(golden(message_bye, FOCAL_MSG_BYE).is.bye, FOCAL_BYE_VERSION);
    m = golden(message_join, FOCAL_MSG_JOIN);
    is_rising(m.is.join.sign.b, 0x10, 32);
    is_rising(m.is.join.channel.b, 0x30, 32);
    is_rising(m.is.join.open.b, 0x50, 32);
    is_rising(m.is.join.signature.b, 0x80, 64);
    m = golden(message_admit, FOCAL_MSG_ADMIT);
    is_rising(m.is.admit.sealed_secret.data, 0x10, 80);
    assert_int_equal(m.is.admit.sealed_secret.len, 80);
}

/* ---- stretches ---- */

struct golden_stretch {
    uint64_t first;
    const struct golden_entry *entries; size_t count;
    const struct golden_run *runs; size_t run_count;
    const char *packed;
};

static void build(struct focal_stretch *s, const struct golden_stretch *g)
{
    *s = (struct focal_stretch){ .first = g->first, .count = g->count, .run_count = g->run_count };
    s->entries = focal_arena_alloc(&arena, g->count * sizeof s->entries[0]);
    s->runs = focal_arena_alloc(&arena, g->run_count * sizeof s->runs[0]);
    assert_true(s->entries && s->runs);
    for (size_t i = 0; i < g->count; i++) {
        struct focal_stretch_entry *e = &s->entries[i];
        e->header = from_hex(g->entries[i].header);
        e->has_payload = g->entries[i].payload;
        if (e->has_payload)
            e->payload = from_hex(g->entries[i].payload);
        else
            memcpy(e->c.b, from_hex(g->entries[i].commitment).data, 32);
    }
    for (size_t r = 0; r < g->run_count; r++) {
        struct focal_salt_run *run = &s->runs[r];
        *run = (struct focal_salt_run){ .first = g->runs[r].first, .last = g->runs[r].last, .has_seed = g->runs[r].seed };
        if (run->has_seed)
            memcpy(run->seed, from_hex(g->runs[r].seed).data, 16);
        else
            run->salts = from_hex(g->runs[r].salts);
    }
}

static void same(const struct focal_stretch *a, const struct focal_stretch *b)
{
    assert_int_equal(a->first, b->first);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->run_count, b->run_count);
    for (size_t i = 0; i < a->count; i++) {
        assert_true(focal_span_equal(a->entries[i].header, b->entries[i].header));
        assert_int_equal(a->entries[i].has_payload, b->entries[i].has_payload);
        assert_true(focal_span_equal(a->entries[i].payload, b->entries[i].payload));
        assert_memory_equal(a->entries[i].c.b, b->entries[i].c.b, 32);
    }
    for (size_t r = 0; r < a->run_count; r++) {
        assert_int_equal(a->runs[r].first, b->runs[r].first);
        assert_int_equal(a->runs[r].last, b->runs[r].last);
        assert_int_equal(a->runs[r].has_seed, b->runs[r].has_seed);
        assert_memory_equal(a->runs[r].seed, b->runs[r].seed, 16);
        assert_true(focal_span_equal(a->runs[r].salts, b->runs[r].salts));
    }
}

/* Small stretches travel as stored columns, which do not depend on the zstd at hand: their bytes are compared. */
static void stored(const struct golden_stretch *g)
{
    struct focal_stretch s, out;
    build(&s, g);
    struct focal_packer *packer = focal_packer_open();
    assert_non_null(packer);
    struct focal_span packed = from_hex(g->packed);
    assert_int_equal(focal_stretch_unpack(packer, &out, &arena, packed), FOCAL_OK);
    same(&s, &out);
    struct focal_buf made;
    focal_buf_init(&made, 1 << 16);
    assert_int_equal(focal_stretch_pack(packer, &made, &s), FOCAL_OK);
    assert_true(focal_span_equal(focal_buf_view(&made), packed));
    focal_buf_close(&made);
    focal_packer_close(packer);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define GOLDEN(name, at) &(struct golden_stretch){ at, name##_entries, COUNT(name##_entries), name##_runs, COUNT(name##_runs), name##_packed }

static void ordinary(void **state)
{
    (void)state;
    stored(GOLDEN(ordinary, 5));
}

static void begin_and_quote(void **state)
{
    (void)state;
    stored(GOLDEN(begin, 1));
    stored(GOLDEN(quote, 40000));
}

static void salts_and_stripped(void **state)
{
    (void)state;
    stored(GOLDEN(stripped, 100));
    stored(GOLDEN(in_part, 100));
}

/* Packed with the zstd command; only what comes out is compared. */
static void squeezed(void **state)
{
    (void)state;
    struct focal_packer *packer = focal_packer_open();
    assert_non_null(packer);
    struct focal_stretch out;
    assert_int_equal(focal_stretch_unpack(packer, &out, &arena, from_hex(squeezed_packed)), FOCAL_OK);
    assert_int_equal(out.first, 1000);
    assert_int_equal(out.count, 120);
    assert_int_equal(out.run_count, 1);
    is_rising(out.runs[0].seed, 0xe0, 16);
    uint8_t home[32];
    rising(home, 0xc0, 32);
    struct focal_id log;
    rising(log.b, 0x10, 16);
    for (uint64_t i = 0; i < out.count; i++) {
        struct focal_header h;
        struct focal_payload p;
        assert_int_equal(focal_header_decode(&h, out.entries[i].header), FOCAL_OK);
        assert_int_equal(focal_payload_decode(&p, out.entries[i].payload), FOCAL_OK);
        assert_int_equal(h.seq, 1000 + i);
        assert_int_equal(p.kind, FOCAL_KIND_CASE);
        struct focal_value_walk walk = { 0 };
        struct focal_item item;
        if (i % 3 == 0) {
            assert_true(h.creates && p.has_home && focal_span_equal(p.home, focal_span_of(home, 32)));
            assert_true(focal_payload_next(&p, &walk, &item) && focal_span_equal(item.value, focal_span_text("KEN")));
            assert_true(focal_payload_next(&p, &walk, &item) && item.value.len == 1 && item.value.data[0] == 1 + i % 7);
            continue;
        }
        uint64_t creator = i % 3 == 1 ? i : i - 1;
        assert_memory_equal(h.record.log.b, log.b, 16);
        assert_int_equal(h.record.seq, 10 + creator);
        assert_int_equal(focal_get_be64(h.record.h8), creator);
        assert_int_equal(focal_header_replaced_count(&h), i % 3 == 2);
        assert_int_equal(p.value_count, i % 3 == 2);
        if (i % 3 == 2) {
            struct focal_replaced replaced;
            focal_header_replaced(&replaced, &h, 0);
            assert_int_equal(replaced.ordinal, i % 4);
            assert_int_equal(focal_ref_compare(&replaced.entry, &h.record), 0);
            assert_true(focal_payload_next(&p, &walk, &item) && item.value.data[0] == 1 + i % 5);
        }
    }
    focal_packer_close(packer);
}

int main(void)
{
#define WITH(f) cmocka_unit_test_setup_teardown(f, open_arena, close_arena)
    const struct CMUnitTest tests[] = {
        WITH(hello), WITH(lists), WITH(segments), WITH(others), WITH(ordinary), WITH(begin_and_quote),
        WITH(salts_and_stripped), WITH(squeezed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
