/* A part: what it refuses, what it does when memory runs out, and its canonical bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "merge_entries.h"
#include "part.h"

#include <string.h>

static const uint64_t channel = FOCAL_FIELD(21, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER);
static const uint64_t victims = FOCAL_FIELD(27, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET);

static void encode(struct focal_buf *buf, const struct focal_part *part)
{
    focal_buf_init(buf, FOCAL_PART_BYTES_MAX);
    focal_part_encode(buf, part);
    assert_false(buf->failed);
}

static enum focal_status add(struct focal_part *part, struct made_entry *e)
{
    struct made_bytes bytes;
    made_entry_bytes(&bytes, e);
    enum focal_status status = focal_part_add(part, &bytes.contribution);
    made_bytes_close(&bytes);
    return status;
}

/* Three entries, a replaced row in the middle, a day, a replacement of what never comes. */
static void fill(struct focal_part *part)
{
    struct made_entry first = { .log = 2, .seq = 1, .name = 7, .tail = 9, .creates = true, .has_home = true, .home = 5, .kind = 16 };
    made_value_add(&first, channel, "\x02", 1);
    made_value_add(&first, victims, "\x02\x03", 2);
    made_value_add(&first, victims, "\x02\x03", 2);
    made_value_add(&first, victims, "\x03\x01", 2);
    struct made_entry second = { .log = 1, .seq = 200, .name = 8, .kind = 16, .has_day = true, .day = 17000 };
    made_value_add(&second, channel, "\x03", 1);
    made_replace(&second, 2, 1, 7, 1);
    struct made_entry third = { .log = 1, .seq = 201, .name = 4, .kind = 16 };
    made_replace(&third, 3, 1, 1, 300);
    assert_int_equal(add(part, &first), FOCAL_OK);
    assert_int_equal(add(part, &second), FOCAL_OK);
    assert_int_equal(add(part, &third), FOCAL_OK);
}

static void test_canonical_bytes(void **state)
{
    (void)state;
    struct focal_part part;
    struct focal_buf buf, right;
    focal_part_init(&part);
    fill(&part);
    encode(&buf, &part);
    focal_buf_init(&right, 1024);
    uint8_t fill_with[32];
    focal_buf_bytes(&right, "\x01\x03", 2);             /* version, logs 1 2 3 */
    for (uint8_t log = 1; log <= 3; log++) {
        memset(fill_with, log, 16);
        focal_buf_bytes(&right, fill_with, 16);
    }
    focal_buf_bytes(&right, "\x02", 1);
    focal_buf_bytes(&right, "\x00\xC8\x01", 3);         /* log 0, seq 200 */
    struct focal_hash h = made_hash(8, 0);
    focal_buf_bytes(&right, h.b, 32);
    focal_buf_bytes(&right, "\x06\xE8\x84\x01", 4);     /* payload, day; 17000 */
    focal_buf_bytes(&right, "\x04\xC8\x0A\x02\x03", 5); /* 4 bytes: field 1352, length 1 without gap */
    focal_buf_bytes(&right, "\x01\x01", 2);             /* log 1, seq 1 */
    h = made_hash(7, 9);
    focal_buf_bytes(&right, h.b, 32);
    focal_buf_bytes(&right, "\x1B\x10", 2);             /* creates, payload, home; kind 16 */
    memset(fill_with, 5, 32);
    focal_buf_bytes(&right, fill_with, 32);
    focal_buf_bytes(&right, "\x0F\xC8\x0A\x02\x02", 5); /* ordinal 1 is gone: a gap of 1 before ordinal 2 */
    focal_buf_bytes(&right, "\xC9\x0D\x05\x01\x02\x03", 6);
    focal_buf_bytes(&right, "\xC9\x0D\x04\x03\x01", 5);
    focal_buf_bytes(&right, "\x02\x01\x01\x07\0\0\0\0\0\0\0\x01", 12);
    focal_buf_bytes(&right, "\x02\x01\x01\0\0\0\0\0\0\0\xAC\x02", 12);
    assert_int_equal(buf.len, right.len);
    assert_memory_equal(buf.data, right.data, right.len);
    focal_buf_close(&buf);
    focal_buf_close(&right);
    focal_part_close(&part);
}

static void test_empty(void **state)
{
    (void)state;
    struct focal_part part, other;
    struct focal_buf buf;
    struct focal_creation creation;
    focal_part_init(&part);
    focal_part_init(&other);
    assert_true(focal_part_empty(&part));
    assert_false(focal_part_creation(&part, NULL, &creation));
    assert_false(focal_part_two_versions(&part));
    assert_int_equal(focal_part_live(&part, NULL, 0), 0);
    encode(&buf, &part);
    assert_int_equal(buf.len, 4);
    assert_int_equal(focal_part_decode(&other, focal_buf_view(&buf)), FOCAL_OK);
    assert_true(focal_part_empty(&other));
    assert_int_equal(focal_part_join(&part, &other), FOCAL_OK);
    assert_true(focal_part_empty(&part));
    fill(&part);
    assert_false(focal_part_empty(&part));
    focal_part_clear(&part);
    assert_true(focal_part_empty(&part));
    focal_buf_close(&buf);
    focal_part_close(&part);
    focal_part_close(&other);
}

/* Every byte cut off and every bit turned: refused, or what it says is exactly what it encodes to. */
static void test_damaged_bytes(void **state)
{
    (void)state;
    struct focal_part part, read;
    struct focal_buf buf, again;
    focal_part_init(&part);
    focal_part_init(&read);
    fill(&part);
    encode(&buf, &part);
    for (size_t len = 0; len < buf.len; len++) {
        assert_int_equal(focal_part_decode(&read, focal_span_of(buf.data, len)), FOCAL_DAMAGED);
        assert_true(focal_part_empty(&read));
    }
    size_t refused = 0;
    for (size_t bit = 0; bit < 8 * buf.len; bit++) {
        buf.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum focal_status status = focal_part_decode(&read, focal_buf_view(&buf));
        assert_true(status == FOCAL_OK || status == FOCAL_DAMAGED);
        refused += status == FOCAL_DAMAGED;
        if (status == FOCAL_OK) {
            encode(&again, &read);
            assert_true(focal_span_equal(focal_buf_view(&again), focal_buf_view(&buf)));
            focal_buf_close(&again);
        }
        buf.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(refused > 100);
    focal_buf_u8(&buf, 0);                              /* and nothing may follow */
    assert_int_equal(focal_part_decode(&read, focal_buf_view(&buf)), FOCAL_DAMAGED);
    focal_buf_close(&buf);
    focal_part_close(&part);
    focal_part_close(&read);
}

static enum focal_status decode_text(const char *bytes, size_t len)
{
    struct focal_part part;
    focal_part_init(&part);
    enum focal_status status = focal_part_decode(&part, focal_span_of(bytes, len));
    focal_part_close(&part);
    return status;
}

#define LOG_A "aaaaaaaaaaaaaaaa"
#define LOG_B "bbbbbbbbbbbbbbbb"
#define H_X "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define DECODES(bytes) decode_text(bytes, sizeof bytes - 1)

static void test_only_canonical_bytes(void **state)
{
    (void)state;
    assert_int_equal(DECODES("\x01\x00\x00\x00"), FOCAL_OK);
    assert_int_equal(DECODES("\x02\x00\x00\x00"), FOCAL_DAMAGED);
    assert_int_equal(DECODES("\x01\x80\x00\x00\x00"), FOCAL_DAMAGED);                   /* a longer form of 0 */
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x00\x00"), FOCAL_DAMAGED);              /* a log nobody names */
    assert_int_equal(DECODES("\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), FOCAL_DAMAGED);
    assert_int_equal(DECODES("\x01\x00\xFF\xFF\xFF\x7F\x00"), FOCAL_DAMAGED);           /* counts beyond what is there */
    assert_int_equal(DECODES("\x01\x00\x00\xFF\xFF\xFF\x7F"), FOCAL_DAMAGED);
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x00\x01\x00\x01xxxxxxxx\x00"), FOCAL_OK);
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x00\x01\x01\x01xxxxxxxx\x00"), FOCAL_DAMAGED);  /* no such log */
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x00\x02\x00\x01xxxxxxxx\x00\x00\x01xxxxxxxx\x00"), FOCAL_DAMAGED);     /* twice */
    assert_int_equal(DECODES("\x01\x02" LOG_B LOG_A "\x00\x02\x00\x01xxxxxxxx\x00\x01\x01xxxxxxxx\x00"), FOCAL_DAMAGED);
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x02\x03\x48\x02v\x00"), FOCAL_OK);
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x02\x03\x3F\x02v\x00"), FOCAL_DAMAGED);     /* tag below 64 */
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x02\x00\x00"), FOCAL_DAMAGED);      /* neither values nor creating */
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x01\x00\x00"), FOCAL_OK);           /* creating, stripped */
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x01\x03\x48\x02v\x00"), FOCAL_DAMAGED);
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x0A\x10\x00\x00"), FOCAL_OK);       /* the home again, "none" */
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x1A\x10" H_X "\x00\x00"), FOCAL_OK);
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x08\x00\x00"), FOCAL_DAMAGED);      /* named without a payload */
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x09\x00\x00"), FOCAL_DAMAGED);
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x12\x10" H_X "\x00\x00"), FOCAL_DAMAGED);  /* a home not named */
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x42\x03\x48\x02v\x00"), FOCAL_DAMAGED);     /* flag 64 */
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x02\x04\x48\x03\x00v\x00"), FOCAL_DAMAGED); /* a gap of none */
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x02\x04\x48\x03\x01v\x00"), FOCAL_OK);
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x02\x03\x48\x04v\x00"), FOCAL_DAMAGED);     /* runs over its end */
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x02\x06\x48\x02v\x47\x02v\x00"), FOCAL_DAMAGED);
    /* ordinal 65535 there is, 65536 not */
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x02\x06\x48\x03\xFF\xFF\x03v\x00"), FOCAL_OK);
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x02\x06\x48\x03\x80\x80\x04v\x00"), FOCAL_DAMAGED);
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x02\x09\x48\x03\xFF\xFF\x03v\x48\x02v\x00"), FOCAL_DAMAGED);
    /* a value that is replaced cannot be live, but an event can */
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x02\x03\x48\x02v\x01\x00\x01xxxxxxxx\x00"), FOCAL_DAMAGED);
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x02\x03\x4B\x02v\x01\x00\x01xxxxxxxx\x00"), FOCAL_OK);
    assert_int_equal(DECODES("\x01\x01" LOG_A "\x01\x00\x01" H_X "\x02\x03\x48\x02v\x01\x00\x01xxxxxxxx\x01"), FOCAL_OK);
}

static enum focal_status add_raw(struct focal_part *part, const char *header, size_t header_len, const char *payload, size_t payload_len)
{
    struct focal_contribution c = { .ref = made_ref(1, 1, 1), .h = made_hash(1, 0), .header = focal_span_of(header, header_len),
        .has_payload = true, .payload = focal_span_of(payload, payload_len) };
    return focal_part_add(part, &c);
}

static void test_malformed_entries(void **state)
{
    (void)state;
    struct focal_part part;
    struct focal_buf before, after;
    focal_part_init(&part);
    fill(&part);
    encode(&before, &part);
    assert_int_equal(add_raw(&part, "", 0, "\x10", 1), FOCAL_MALFORMED);
    assert_int_equal(add_raw(&part, "\x01\x01\x02\x01x", 5, "\x10", 1), FOCAL_MALFORMED);      /* replaced of a wrong length */
    assert_int_equal(add_raw(&part, "\x01\x02", 2, "\x10", 1), FOCAL_MALFORMED);               /* another sequence than its name */
    assert_int_equal(add_raw(&part, "\x02\x01", 2, "\x10", 1), FOCAL_MALFORMED);               /* a begin entry is about no record */
    assert_int_equal(add_raw(&part, "\x04\x01", 2, "\x10", 1), FOCAL_MALFORMED);               /* a shape of a newer program */
    assert_int_equal(add_raw(&part, "\x01\x01", 2, "", 0), FOCAL_MALFORMED);
    assert_int_equal(add_raw(&part, "\x01\x01", 2, "\x10\x48\x02v", 4), FOCAL_MALFORMED);
    assert_int_equal(add_raw(&part, "\x01\x01", 2, "\x10\x49\x01v\x48\x01v", 7), FOCAL_MALFORMED);
    encode(&after, &part);
    assert_true(focal_span_equal(focal_buf_view(&before), focal_buf_view(&after)));
    assert_int_equal(add_raw(&part, "\x01\x01", 2, "\x10\x48\x01v", 4), FOCAL_OK);
    focal_buf_close(&before);
    focal_buf_close(&after);
    focal_part_close(&part);
}

struct shortage { size_t left; };

static bool while_it_lasts(void *data, size_t bytes)
{
    (void)bytes;
    struct shortage *shortage = data;
    if (shortage->left == 0)
        return false;
    shortage->left--;
    return true;
}

/* Each allocation in turn fails: the part is what it was, and the same call works when there is memory. */
static void test_no_memory(void **state)
{
    (void)state;
    struct made_entry big = { .log = 4, .seq = 3, .name = 3, .kind = 16 };
    for (uint8_t i = 0; i < MADE_VALUES_MAX; i++) {
        uint8_t bytes[MADE_VALUE_BYTES_MAX] = { i };
        made_value_add(&big, victims, bytes, sizeof bytes);
    }
    for (uint8_t i = 0; i < MADE_REPLACED_MAX; i++)
        made_replace(&big, 2, 1, 7, i);
    struct made_bytes bytes;
    made_entry_bytes(&bytes, &big);
    struct focal_part from, into;
    struct focal_buf before, after;
    focal_part_init(&from);
    fill(&from);
    encode(&before, &from);
    int failures = 0;
    enum focal_status status = FOCAL_NO_MEMORY;
    for (size_t allowed = 0; status != FOCAL_OK; allowed++) {
        struct shortage shortage = { .left = allowed };
        focal_part_init(&into);
        focal_alloc_hook(while_it_lasts, &shortage);
        status = focal_part_decode(&into, focal_buf_view(&before));
        if (status == FOCAL_OK) {
            status = focal_part_add(&into, &bytes.contribution);
            if (status == FOCAL_OK)
                status = focal_part_join(&into, &from);
        }
        focal_alloc_hook(NULL, NULL);
        failures += status == FOCAL_NO_MEMORY;
        assert_true(status == FOCAL_OK || status == FOCAL_NO_MEMORY);
        bool added = into.replaced_count > 2;
        if (status == FOCAL_NO_MEMORY && !focal_part_empty(&into) && !added) {
            encode(&after, &into);
            assert_true(focal_span_equal(focal_buf_view(&before), focal_buf_view(&after)));
            focal_buf_close(&after);
            assert_int_equal(focal_part_add(&into, &bytes.contribution), FOCAL_OK);
        }
        focal_part_close(&into);
    }
    assert_true(failures >= 3);
    made_bytes_close(&bytes);
    focal_buf_close(&before);
    focal_part_close(&from);
}

/* Full at the same size for add and for join; what is refused leaves no trace, and what is full can be stored and read. */
static void test_too_big(void **state)
{
    (void)state;
    static uint8_t big[FOCAL_ORDINARY_MAX - 64];
    struct focal_part part, more, read;
    struct focal_buf payload, bytes;
    focal_part_init(&part);
    focal_part_init(&more);
    focal_part_init(&read);
    focal_buf_init(&payload, FOCAL_ENTRY_MAX);
    struct focal_item item = { .field = channel, .value = focal_span_of(big, sizeof big) };
    focal_payload_encode(&payload, 16, NULL, NULL, &item, 1);
    enum focal_status status = FOCAL_OK;
    uint8_t seq = 1;
    for (; status == FOCAL_OK && seq < 200; seq++) {
        struct focal_contribution c = { .ref = made_ref(1, 1, seq), .h = made_hash(seq, 0), .header = focal_span_of("\x01\x01", 2),
            .has_payload = true, .payload = focal_buf_view(&payload) };
        size_t count = part.entry_count;
        status = focal_part_add(&part, &c);
        assert_int_equal(part.entry_count, count + (status == FOCAL_OK));
        if (status != FOCAL_OK)
            assert_int_equal(focal_part_add(&more, &c), FOCAL_OK);
    }
    assert_int_equal(status, FOCAL_TOO_BIG);
    assert_in_range(seq, 138, 142);
    assert_int_equal(focal_part_join(&part, &more), FOCAL_TOO_BIG);
    encode(&bytes, &part);
    assert_int_equal(focal_part_decode(&read, focal_buf_view(&bytes)), FOCAL_OK);
    assert_int_equal(read.entry_count, part.entry_count);
    assert_true(focal_part_two_versions(&read) == false);       /* all of them are equal */
    focal_buf_close(&bytes);
    focal_buf_close(&payload);
    focal_part_close(&part);
    focal_part_close(&more);
    focal_part_close(&read);
}

/* A register written over and over: what is dead does not stay in memory for ever. */
static void test_dead_bytes_are_given_back(void **state)
{
    (void)state;
    struct focal_part part, again;
    struct focal_buf one, other;
    focal_part_init(&part);
    focal_part_init(&again);
    uint8_t value[MADE_VALUE_BYTES_MAX] = { 0 };
    for (unsigned i = 1; i <= 6000; i++) {
        struct made_entry e = { .log = (uint8_t)(i % 3), .seq = (uint8_t)(1 + i % 200), .name = (uint8_t)(i / 200), .kind = 16 };
        value[0] = (uint8_t)i;
        made_value_add(&e, channel, value, sizeof value);
        if (i > 1)
            made_replace(&e, (uint8_t)((i - 1) % 3), (uint8_t)(1 + (i - 1) % 200), (uint8_t)((i - 1) / 200), 0);
        assert_int_equal(add(&part, &e), FOCAL_OK);
    }
    assert_int_equal(focal_part_live_count(&part), 1);
    assert_true(part.bytes.cap <= 128u * 1024);
    encode(&one, &part);
    assert_int_equal(focal_part_decode(&again, focal_buf_view(&one)), FOCAL_OK);
    encode(&other, &again);
    assert_true(focal_span_equal(focal_buf_view(&one), focal_buf_view(&other)));
    focal_buf_close(&one);
    focal_buf_close(&other);
    focal_part_close(&part);
    focal_part_close(&again);
}

static void test_join_with_itself(void **state)
{
    (void)state;
    struct focal_part part;
    struct focal_buf before, after;
    focal_part_init(&part);
    fill(&part);
    encode(&before, &part);
    assert_int_equal(focal_part_join(&part, &part), FOCAL_OK);
    encode(&after, &part);
    assert_true(focal_span_equal(focal_buf_view(&before), focal_buf_view(&after)));
    focal_buf_close(&before);
    focal_buf_close(&after);
    focal_part_close(&part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical_bytes),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_damaged_bytes),
        cmocka_unit_test(test_only_canonical_bytes),
        cmocka_unit_test(test_malformed_entries),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_too_big),
        cmocka_unit_test(test_dead_bytes_are_given_back),
        cmocka_unit_test(test_join_with_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
