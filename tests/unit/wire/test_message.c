/* Messages: each goes there and back; anything else is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "focal/wire.h"

static struct focal_buf out, items;

static int setup(void **state)
{
    (void)state;
    focal_buf_init(&out, 1 << 17);
    focal_buf_init(&items, 1 << 17);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    focal_buf_close(&out);
    focal_buf_close(&items);
    return 0;
}

static enum focal_status decode(struct focal_message *m)
{
    return focal_message_decode(m, focal_buf_view(&out));
}

/* Encodes, decodes, encodes what was decoded, compares. */
static void there_and_back(const struct focal_message *m, struct focal_message *back)
{
    struct focal_buf again;
    focal_buf_clear(&out);
    focal_message_encode(&out, m);
    assert_false(out.failed);
    assert_int_equal(decode(back), FOCAL_OK);
    assert_int_equal(back->type, m->type);
    focal_buf_init(&again, 1 << 17);
    focal_message_encode(&again, back);
    assert_true(focal_span_equal(focal_buf_view(&again), focal_buf_view(&out)));
    focal_buf_close(&again);
}

/* No shorter and no longer form of what stands in `out` is taken, except where the message is as long as it is. */
static void exact_length(void)
{
    struct focal_message m;
    struct focal_span whole = focal_buf_view(&out);
    for (size_t len = 0; len < whole.len; len++)
        assert_int_equal(focal_message_decode(&m, focal_span_of(whole.data, len)), FOCAL_MALFORMED);
    focal_buf_u8(&out, 0);
    assert_int_equal(decode(&m), FOCAL_MALFORMED);
}

static void hello(void **state)
{
    (void)state;
    struct focal_message m = { .type = FOCAL_MSG_HELLO }, back;
    struct focal_hello *hello = &m.is.hello;
    hello->version_least = 1;
    hello->version_most = 15;
    hello->certificate_number = 0x01020304;
    memset(hello->epoch, 5, 8);
    memset(hello->certificate, 6, 8);
    memset(hello->statements, 7, 8);
    for (size_t i = 0; i < FOCAL_HELLO_SCOPES_MAX; i++) {
        memset(hello->scopes[i].tag, (int)(0x80 + i), 8);
        memset(hello->scopes[i].frontier, (int)i, 16);
    }
    static const uint8_t counts[] = { 0, 1, 3, FOCAL_HELLO_SCOPES_MAX };
    for (size_t i = 0; i < sizeof counts; i++) {
        hello->scope_count = counts[i];
        hello->wants_certificates = i % 2;
        hello->veiled = i > 1;
        there_and_back(&m, &back);
        assert_int_equal(out.len, 32 + 24 * (size_t)counts[i]);
        assert_int_equal(back.is.hello.wants_certificates, i % 2);
        assert_int_equal(back.is.hello.veiled, i > 1);
        assert_int_equal(back.is.hello.certificate_number, 0x01020304);
        assert_memory_equal(back.is.hello.scopes, hello->scopes, sizeof hello->scopes[0] * counts[i]);
        exact_length();
    }
    /* Two HELLOs with three scopes, each with tag and framing, stay within what an equal pair may cost. */
    assert_true(2 * (32 + 24 * 3 + 16 + 8) <= 256);
}

static void hello_refused(void **state)
{
    (void)state;
    struct focal_message m = { .type = FOCAL_MSG_HELLO, .is.hello = { .version_least = 1, .version_most = 1, .scope_count = 1 } };
    focal_message_encode(&out, &m);
    static const struct { size_t at; uint8_t byte; enum focal_status status; } cases[] = {
        { 1, 0x11, FOCAL_OK }, { 1, 0x12, FOCAL_OK }, { 1, 0x01, FOCAL_MALFORMED }, { 1, 0x21, FOCAL_MALFORMED },
        { 30, 0x01, FOCAL_OK }, { 30, 0x80, FOCAL_OK },
        { 31, 0, FOCAL_MALFORMED }, { 31, 2, FOCAL_MALFORMED }, { 31, 65, FOCAL_MALFORMED }, { 31, 255, FOCAL_MALFORMED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t right = out.data[cases[i].at];
        out.data[cases[i].at] = cases[i].byte;
        assert_int_equal(decode(&m), cases[i].status);
        out.data[cases[i].at] = right;
    }
    /* More scopes than there may be, all of them there. */
    focal_buf_truncate(&out, 31);
    focal_buf_u8(&out, 65);
    focal_buf_reserve(&out, 65 * 24);
    assert_int_equal(decode(&m), FOCAL_MALFORMED);
}

static void subjects_and_acks(void **state)
{
    (void)state;
    struct focal_message m = { .type = FOCAL_MSG_SUBJECTS }, back;
    for (size_t n = 0; n < 4; n++) {
        m.is.subjects = (struct focal_subjects){ .last = n % 2, .items = focal_buf_view(&items), .count = n };
        there_and_back(&m, &back);
        assert_int_equal(back.is.subjects.count, n);
        assert_int_equal(back.is.subjects.last, n % 2);
        for (size_t i = 0; i < n; i++) {
            struct focal_subject subject;
            focal_subject_get(&subject, &back.is.subjects, i);
            assert_int_equal(subject.subject[7], i);
            assert_int_equal(subject.set[15], 100 + i);
        }
        struct focal_subject next;
        memset(next.subject, (int)n, 8);
        memset(next.set, (int)(100 + n), 16);
        focal_subject_put(&items, &next);
    }
    out.data[1] |= 2;
    assert_int_equal(decode(&back), FOCAL_MALFORMED);

    focal_buf_clear(&items);
    struct focal_ack_item item = { .seq = 0x0102030405060708 };
    focal_ack_put(&items, &item);
    focal_ack_put(&items, &item);
    m = (struct focal_message){ .type = FOCAL_MSG_ACK, .is.ack = { focal_buf_view(&items), 2 } };
    there_and_back(&m, &back);
    assert_int_equal(out.len, 1 + 48);
    focal_ack_get(&item, &back.is.ack, 1);
    assert_int_equal(item.seq, 0x0102030405060708);
    focal_buf_truncate(&out, 48);
    assert_int_equal(decode(&back), FOCAL_MALFORMED);
}

static void frontier(void **state)
{
    (void)state;
    struct focal_message m = { .type = FOCAL_MSG_FRONTIER }, back;
    for (size_t n = 0; n < 4; n++) {
        struct focal_frontier_item item = { .lane = n % 2, .tip_count = (uint8_t)(n == 3 ? FOCAL_TIPS_MAX : n + 1) };
        for (size_t t = 0; t < item.tip_count; t++)
            item.tips[t].seq = 1000 * n + t;
        memset(item.author.b, (int)n, 32);
        focal_frontier_put(&items, &item);
    }
    m.is.frontier = (struct focal_frontier){ .whole = true, .items = focal_buf_view(&items) };
    memset(m.is.frontier.tag, 9, 8);
    there_and_back(&m, &back);
    assert_true(back.is.frontier.whole && !back.is.frontier.last);
    size_t at = 0, n = 0;
    struct focal_frontier_item item;
    for (; focal_frontier_next(&back.is.frontier, &at, &item); n++) {
        assert_int_equal(item.author.b[31], n);
        assert_int_equal(item.tips[item.tip_count - 1].seq, 1000 * n + item.tip_count - 1);
    }
    assert_int_equal(n, 4);
    struct focal_span whole = focal_buf_view(&out);
    size_t good = 0;
    for (size_t len = 0; len < whole.len; len++)
        good += focal_message_decode(&back, focal_span_of(whole.data, len)) == FOCAL_OK;
    assert_int_equal(good, 4);          /* no item, one, two, three */

    static const struct { size_t at; uint8_t byte; } wrong[] = { { 9, 4 }, { 10 + 48, 2 }, { 10 + 49, 0 }, { 10 + 49, 33 } };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t right = out.data[wrong[i].at];
        out.data[wrong[i].at] = wrong[i].byte;
        assert_int_equal(decode(&back), FOCAL_MALFORMED);
        out.data[wrong[i].at] = right;
    }
    assert_int_equal(decode(&back), FOCAL_OK);
}

static void want(void **state)
{
    (void)state;
    struct focal_message m = { .type = FOCAL_MSG_WANT, .is.want = { .from = 7, .to = { .seq = 7 } } }, back;
    there_and_back(&m, &back);
    assert_int_equal(out.len, 1 + 16 + 8 + 16);
    exact_length();
    m.is.want.to.seq = UINT64_MAX;
    there_and_back(&m, &back);
    assert_int_equal(back.is.want.to.seq, UINT64_MAX);
    out.data[24] = 0;                   /* from 0 */
    assert_int_equal(decode(&back), FOCAL_MALFORMED);
    m.is.want.to.seq = 8;
    there_and_back(&m, &back);
    out.data[24] = 9;                   /* to before from */
    assert_int_equal(decode(&back), FOCAL_MALFORMED);
}

static void segment(void **state)
{
    (void)state;
    static uint8_t packed[FOCAL_SEGMENT_PACKED_MAX + 100];
    memset(packed, 3, sizeof packed);
    struct focal_message m = { .type = FOCAL_MSG_SEGMENT }, back;
    static const size_t lens[] = { 1, 100, 163, 164, 165, 227, 228, 229, FOCAL_SEGMENT_PACKED_MAX };
    for (size_t i = 0; i < 2 * sizeof lens / sizeof lens[0]; i++) {
        m.is.segment.is_signed = i % 2;
        m.is.segment.packed = focal_span_of(packed, lens[i / 2]);
        memset(m.is.segment.before, 0xBE, 8);
        if (i % 2)
            memset(m.is.segment.signature.b, 0x51, 64);
        there_and_back(&m, &back);
        assert_int_equal(out.len % FOCAL_SEGMENT_PAD, 0);
        assert_true(out.len < lens[i / 2] + FOCAL_SEGMENT_HEAD + FOCAL_SEGMENT_PAD && out.len <= FOCAL_FRAME_MAX);
        assert_true(focal_span_equal(back.is.segment.packed, m.is.segment.packed));
        assert_int_equal(back.is.segment.is_signed, i % 2);
    }
    m.is.segment.packed.len++;
    focal_buf_clear(&out);
    focal_buf_text(&out, "kept");
    focal_message_encode(&out, &m);
    assert_true(out.failed);
    assert_int_equal(out.len, 4);
    m.is.segment.packed.len = (size_t)UINT16_MAX + 2;
    focal_buf_clear(&out);
    focal_message_encode(&out, &m);
    assert_true(out.failed);
}

static void segment_refused(void **state)
{
    (void)state;
    uint8_t packed[100] = { 1 };
    struct focal_message m = { .type = FOCAL_MSG_SEGMENT, .is.segment = { .packed = focal_span_of(packed, 100) } }, back;
    there_and_back(&m, &back);
    exact_length();
    there_and_back(&m, &back);
    assert_int_equal(out.len, 256);
    static const struct { size_t at; uint8_t byte; } wrong[] = {
        { 25, 2 }, { 25, 1 },           /* a flag not known; signed, so that all that follows is displaced */
        { 255, 1 }, { 128, 1 },         /* padding that is not zero */
        { 27, 0 }, { 27, 255 }, { 26, 1 },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t right = out.data[wrong[i].at];
        out.data[wrong[i].at] = wrong[i].byte;
        assert_int_equal(decode(&back), FOCAL_MALFORMED);
        out.data[wrong[i].at] = right;
    }
    /* A whole block of padding too many. */
    memset(focal_buf_reserve(&out, 256), 0, 256);
    assert_int_equal(decode(&back), FOCAL_MALFORMED);
}

static void the_rest(void **state)
{
    (void)state;
    struct focal_message back;
    const struct { struct focal_message m; size_t len; } fixed[] = {
        { { .type = FOCAL_MSG_CREDIT, .is.credit = UINT32_MAX }, 5 },
        { { .type = FOCAL_MSG_PING, .is.ping = 1 }, 9 },
        { { .type = FOCAL_MSG_PONG, .is.ping = UINT64_MAX }, 9 },
        { { .type = FOCAL_MSG_PAUSE, .is.pause = 1 }, 2 },
        { { .type = FOCAL_MSG_BYE, .is.bye = FOCAL_BYE_FAULT }, 2 },
        { { .type = FOCAL_MSG_JOIN, .is.join = { .sign = { { 1 } } } }, 1 + 3 * 32 + 64 },
    };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        there_and_back(&fixed[i].m, &back);
        assert_int_equal(out.len, fixed[i].len);
        exact_length();
    }
    struct focal_message m = { .type = FOCAL_MSG_STATEMENT, .is.statement = focal_span_text("signed") };
    there_and_back(&m, &back);
    assert_true(focal_span_equal(back.is.statement, m.is.statement));
    m = (struct focal_message){ .type = FOCAL_MSG_ADMIT, .is.admit.sealed_secret = focal_span_text("sealed") };
    there_and_back(&m, &back);
    m = (struct focal_message){ .type = FOCAL_MSG_RECEIPT, .is.receipt.body = focal_span_text("body") };
    memset(m.is.receipt.signature.b, 4, 64);
    there_and_back(&m, &back);
    assert_true(focal_span_equal(back.is.receipt.body, m.is.receipt.body));
    assert_memory_equal(back.is.receipt.signature.b, m.is.receipt.signature.b, 64);
    assert_int_equal(focal_message_decode(&back, focal_span_of(out.data, 65)), FOCAL_MALFORMED);
    assert_int_equal(focal_message_decode(&back, focal_span_of("\x03", 1)), FOCAL_MALFORMED);
    assert_int_equal(focal_message_decode(&back, focal_span_of("\x0e", 1)), FOCAL_MALFORMED);
}

static void types(void **state)
{
    (void)state;
    static uint8_t bytes[FOCAL_FRAME_MAX + 1];
    struct focal_message m;
    for (unsigned type = 0; type < 256; type++) {
        bytes[0] = (uint8_t)type;
        enum focal_status status = focal_message_decode(&m, focal_span_of(bytes, 3));
        if (type >= 64)
            assert_int_equal(status, FOCAL_UNSUPPORTED);
        else if (type == 0 || type > FOCAL_MSG_BYE)
            assert_int_equal(status, FOCAL_MALFORMED);
        assert_int_equal(focal_message_decode(&m, focal_span_of(bytes, sizeof bytes)), FOCAL_MALFORMED);
    }
    assert_int_equal(focal_message_decode(&m, focal_span_of(bytes, 0)), FOCAL_MALFORMED);
    bytes[0] = FOCAL_MSG_STATEMENT;
    assert_int_equal(focal_message_decode(&m, focal_span_of(bytes, FOCAL_FRAME_MAX)), FOCAL_OK);
}

int main(void)
{
#define WITH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(hello), WITH(hello_refused), WITH(subjects_and_acks), WITH(frontier), WITH(want), WITH(segment),
        WITH(segment_refused), WITH(the_rest), WITH(types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
