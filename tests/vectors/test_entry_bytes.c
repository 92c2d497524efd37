/* Bytes of entries that are signed for ever: made once from the text of the door by other means than this program. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "focal/model.h"

static const char ordinary_creating[] = "0102";
static const char ordinary_changing[] =
    "01ac020120111111111111111111111111111111110000000000000002222222222222222202441111111111111111111111"
    "1111111111000000000000000222222222222222220007333333333333333333333333333333330102030405060708444444"
    "44444444440102";
static const char begin_first[] = "0201";
static const char begin_following[] =
    "02010370555555555555555555555555555555550000000000000009000102030405060708090a0b0c0d0e0f101112131415"
    "161718191a1b1c1d1e1f5555555555555555555555555555555500000000000000090102030405060708090a0b0c0d0e0f10"
    "1112131415161718191a1b1c1d1e1f20";
static const char quote[] =
    "03f0a2040450404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b"
    "6c6d6e6f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f056b01ac02012011111111111111"
    "1111111111111111110000000000000002222222222222222202441111111111111111111111111111111100000000000000"
    "0222222222222222220007333333333333333333333333333333330102030405060708444444444444444401020620a0a1a2"
    "a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf";

static const char payload_nothing[] = "00";
static const char payload_opening[] =
    "01400101800120000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fc00110b0b1b2b3b4b5b6b7"
    "b8b9babbbcbdbebf80020102";
static const char payload_case_network[] =
    "100120c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf8808034b454ec80802893fc80902c1"
    "1fc80a0102880d0103c90d020200c90d020203c90d020203890e020302880f0102";
static const char payload_case_country[] = "100204000044f6900903b1fc2c921003010303d210050202020202d3110402b1fc2c";
static const char payload_case_no_home[] = "100100";

enum { TODAY = 20000 };

static struct focal_span from_hex(uint8_t *room, size_t size, const char *hex)
{
    size_t len = strlen(hex) / 2;
    assert_true(len <= size);
    assert_true(focal_unhex(room, len, focal_span_text(hex)));
    return focal_span_of(room, len);
}

static void fill(uint8_t *out, uint8_t first, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(first + i);
}

static void same_bytes(const struct focal_buf *made, const char *hex)
{
    uint8_t room[512];
    struct focal_span expected = from_hex(room, sizeof room, hex);
    assert_false(made->failed);
    assert_int_equal(made->len, expected.len);
    assert_memory_equal(made->data, expected.data, expected.len);
}

static void decodes_and_encodes(const char *hex)
{
    uint8_t room[512];
    struct focal_header h;
    struct focal_buf again;
    assert_int_equal(focal_header_decode(&h, from_hex(room, sizeof room, hex)), FOCAL_OK);
    assert_false(h.newer);
    focal_buf_init(&again, FOCAL_ENTRY_MAX);
    focal_header_encode(&again, &h);
    same_bytes(&again, hex);
    focal_buf_close(&again);
}

static void all_shapes_decode_and_encode(void **state)
{
    (void)state;
    decodes_and_encodes(ordinary_creating);
    decodes_and_encodes(ordinary_changing);
    decodes_and_encodes(begin_first);
    decodes_and_encodes(begin_following);
    decodes_and_encodes(quote);
}

static struct focal_ref ref_of(uint8_t log, uint64_t seq, uint8_t h)
{
    struct focal_ref ref = { .seq = seq };
    memset(ref.log.b, log, sizeof ref.log.b);
    memset(ref.h8, h, sizeof ref.h8);
    return ref;
}

static void put_changing(struct focal_buf *out, struct focal_buf *replaced)
{
    struct focal_replaced first = { ref_of(0x11, 2, 0x22), 7 };
    struct focal_replaced second = { ref_of(0x33, 0x0102030405060708, 0x44), 258 };
    focal_replaced_put(replaced, &first);
    focal_replaced_put(replaced, &second);
    struct focal_header h = { .shape = FOCAL_SHAPE_ORDINARY, .seq = 300, .record = first.entry,
                              .replaced = focal_buf_view(replaced) };
    focal_header_encode(out, &h);
}

static void headers_from_their_parts(void **state)
{
    (void)state;
    struct focal_buf out, inner, replaced;
    focal_buf_init(&out, FOCAL_ENTRY_MAX);
    focal_buf_init(&inner, FOCAL_ENTRY_MAX);
    focal_buf_init(&replaced, FOCAL_ENTRY_MAX);

    struct focal_header creating = { .shape = FOCAL_SHAPE_ORDINARY, .seq = 2, .creates = true };
    focal_header_encode(&out, &creating);
    same_bytes(&out, ordinary_creating);

    put_changing(&inner, &replaced);
    same_bytes(&inner, ordinary_changing);

    uint8_t previous[2 * FOCAL_PREVIOUS_BYTES] = { 0 };
    for (int i = 0; i < 2; i++) {
        uint8_t *at = previous + i * FOCAL_PREVIOUS_BYTES;
        memset(at, 0x55, 16);
        at[23] = 9;
        fill(at + 24, (uint8_t)i, 32);
    }
    struct focal_header begin = { .shape = FOCAL_SHAPE_BEGIN, .seq = 1, .previous = { previous, sizeof previous } };
    focal_buf_clear(&out);
    focal_header_encode(&out, &begin);
    same_bytes(&out, begin_following);

    struct focal_header quoting = { .shape = FOCAL_SHAPE_QUOTE, .seq = 70000, .quoted_header = focal_buf_view(&inner) };
    fill(quoting.quoted_author.b, 0x40, 32);
    fill(quoting.quoted_epoch.b, 0x60, 16);
    fill(quoting.quoted_before.b, 0x80, 32);
    fill(quoting.quoted_commitment.b, 0xA0, 32);
    focal_buf_clear(&out);
    focal_header_encode(&out, &quoting);
    same_bytes(&out, quote);

    focal_buf_close(&out);
    focal_buf_close(&inner);
    focal_buf_close(&replaced);
}

static void fields_of_headers(void **state)
{
    (void)state;
    uint8_t room[512];
    struct focal_header h;
    struct focal_replaced replaced;
    struct focal_previous previous;

    assert_int_equal(focal_header_decode(&h, from_hex(room, sizeof room, ordinary_changing)), FOCAL_OK);
    assert_int_equal(h.shape, FOCAL_SHAPE_ORDINARY);
    assert_int_equal(h.seq, 300);
    assert_false(h.creates);
    struct focal_ref record = ref_of(0x11, 2, 0x22);
    assert_int_equal(focal_ref_compare(&h.record, &record), 0);
    assert_int_equal(focal_header_replaced_count(&h), 2);
    focal_header_replaced(&replaced, &h, 1);
    assert_int_equal(replaced.ordinal, 258);
    assert_int_equal(replaced.entry.seq, 0x0102030405060708);

    assert_int_equal(focal_header_decode(&h, from_hex(room, sizeof room, begin_following)), FOCAL_OK);
    assert_int_equal(focal_header_previous_count(&h), 2);
    focal_header_previous(&previous, &h, 1);
    assert_int_equal(previous.log.b[15], 0x55);
    assert_int_equal(previous.tip.seq, 9);
    assert_int_equal(previous.tip.h.b[31], 32);

    assert_int_equal(focal_header_decode(&h, from_hex(room, sizeof room, quote)), FOCAL_OK);
    assert_int_equal(h.seq, 70000);
    assert_int_equal(h.quoted_author.b[0], 0x40);
    assert_int_equal(h.quoted_epoch.b[0], 0x60);
    assert_int_equal(h.quoted_before.b[0], 0x80);
    assert_int_equal(h.quoted_commitment.b[0], 0xA0);
    assert_int_equal(h.quoted_header.len, 107);
}

/* ---- payloads ---- */

struct told { const char *field, *value; };

/* Values as a person gives them, in the order given here, to one payload. */
static void tells(const char *kind_name, const struct focal_span *home, const uint32_t *day, const struct told *told,
                  size_t count, const char *expected)
{
    const struct focal_kind *kind = focal_kind_by_name(kind_name);
    struct focal_item items[16];
    struct focal_buf values[16], out;
    assert_non_null(kind);
    assert_true(count <= 16);
    for (size_t i = 0; i < count; i++) {
        struct focal_error err;
        const struct focal_field *field = focal_field_by_name(kind, told[i].field);
        assert_non_null(field);
        focal_buf_init(&values[i], 1024);
        assert_int_equal(focal_value_parse(&values[i], field, focal_span_text(told[i].value), TODAY, &err), FOCAL_OK);
        items[i] = (struct focal_item){ .field = field->number, .value = focal_buf_view(&values[i]) };
    }
    focal_buf_init(&out, FOCAL_ENTRY_MAX);
    focal_payload_encode(&out, kind->number, home, day, items, count);
    same_bytes(&out, expected);
    focal_buf_close(&out);
    for (size_t i = 0; i < count; i++)
        focal_buf_close(&values[i]);
}

static void payload_of_a_case(void **state)
{
    (void)state;
    static const struct told network[] = {
        { "status", "received" }, { "victims", "female.child" }, { "victims", "female." }, { "country", "KEN" },
        { "received_quarter", "2018-Q2" }, { "perpetrators", "male.1" }, { "incident_period", "before-2016" },
        { "victims", "female.child" }, { "allegation_type", "sexual_abuse" }, { "channel", "hotline" },
    };
    static const struct told country[] = {
        { "feedback_events", "acknowledged.2018-05-03" }, { "consent", "referral.service_provider.given.self" },
        { "assistance", "medical.accepted" }, { "received_date", "2018-05-03" },
    };
    uint8_t home[32];
    fill(home, 0xC0, sizeof home);
    struct focal_span home_span = { home, sizeof home }, none = { home, 0 };
    uint32_t day = 17654;
    tells("case", &home_span, NULL, network, 10, payload_case_network);
    tells("case", NULL, &day, country, 4, payload_case_country);
    tells("case", &none, NULL, NULL, 0, payload_case_no_home);
}

static void payload_of_an_opening(void **state)
{
    (void)state;
    static const struct told opening[] = {
        { "reason", "first" }, { "epoch", "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf" }, { "number", "1" },
        { "author", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" },
    };
    struct focal_buf out;
    tells("opening", NULL, NULL, opening, 4, payload_opening);
    focal_buf_init(&out, FOCAL_ENTRY_MAX);
    focal_payload_encode(&out, FOCAL_KIND_NOTHING, NULL, NULL, NULL, 0);
    same_bytes(&out, payload_nothing);
    focal_buf_close(&out);
}

static void shows(const struct focal_payload *p, const struct told *expected, size_t count)
{
    const struct focal_kind *kind = focal_kind_by_number(p->kind);
    struct focal_value_walk walk = { 0 };
    struct focal_item item;
    struct focal_buf text;
    focal_buf_init(&text, 4096);
    for (size_t i = 0; i < count; i++) {
        assert_true(focal_payload_next(p, &walk, &item));
        assert_int_equal(item.ordinal, i);
        const struct focal_field *field = focal_field_by_number(kind, item.field);
        assert_non_null(field);
        assert_string_equal(field->name, expected[i].field);
        focal_buf_clear(&text);
        focal_value_print(&text, field, item.value);
        assert_string_equal(focal_buf_cstr(&text), expected[i].value);
    }
    assert_false(focal_payload_next(p, &walk, &item));
    focal_buf_close(&text);
}

static void payloads_are_read(void **state)
{
    (void)state;
    static const struct told network[] = {
        { "country", "KEN" }, { "received_quarter", "2018-Q2" }, { "incident_period", "before-2016" },
        { "channel", "hotline" }, { "allegation_type", "sexual_abuse" }, { "victims", "female." },
        { "victims", "female.child" }, { "victims", "female.child" }, { "perpetrators", "male.1" },
        { "status", "received" },
    };
    static const struct told country[] = {
        { "received_date", "2018-05-03" }, { "assistance", "medical.accepted" },
        { "consent", "referral.service_provider.given.self" }, { "feedback_events", "acknowledged.2018-05-03" },
    };
    uint8_t room[512];
    struct focal_payload p;
    assert_int_equal(focal_payload_decode(&p, from_hex(room, sizeof room, payload_case_network)), FOCAL_OK);
    assert_true(p.has_home && p.home.len == 32 && p.home.data[0] == 0xC0);
    assert_false(p.has_day);
    assert_int_equal(p.value_count, 10);
    shows(&p, network, 10);

    assert_int_equal(focal_payload_decode(&p, from_hex(room, sizeof room, payload_case_country)), FOCAL_OK);
    assert_true(p.has_day && p.day == 17654 && !p.has_home);
    shows(&p, country, 4);

    assert_int_equal(focal_payload_decode(&p, from_hex(room, sizeof room, payload_case_no_home)), FOCAL_OK);
    assert_true(p.has_home && p.home.len == 0 && p.value_count == 0);

    assert_int_equal(focal_payload_decode(&p, from_hex(room, sizeof room, payload_nothing)), FOCAL_OK);
    assert_true(p.kind == FOCAL_KIND_NOTHING && p.value_count == 0);

    struct focal_value_walk walk = { 0 };
    struct focal_item item;
    assert_int_equal(focal_payload_decode(&p, from_hex(room, sizeof room, payload_opening)), FOCAL_OK);
    assert_int_equal(p.kind, FOCAL_KIND_OPENING);
    assert_true(focal_payload_next(&p, &walk, &item) && item.field == FOCAL_OPENING_NUMBER && item.value.data[0] == 1);
    assert_true(focal_payload_next(&p, &walk, &item) && item.field == FOCAL_OPENING_AUTHOR && item.value.len == 32);
    assert_true(focal_payload_next(&p, &walk, &item) && item.field == FOCAL_OPENING_EPOCH && item.value.len == 16);
    assert_true(focal_payload_next(&p, &walk, &item) && item.field == FOCAL_OPENING_REASON && item.value.data[0] == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_shapes_decode_and_encode), cmocka_unit_test(headers_from_their_parts),
        cmocka_unit_test(fields_of_headers),            cmocka_unit_test(payload_of_a_case),
        cmocka_unit_test(payload_of_an_opening),        cmocka_unit_test(payloads_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
