/* Values as bytes: reading them, saying whether they are understood, printing them. */
#include "inside.h"

#include <string.h>

static const uint8_t nothing[1];

bool focal_map_value_split(struct focal_span value, struct focal_span *key, struct focal_span *rest)
{
    struct focal_cur cur = focal_cur_of(value);
    uint64_t len = focal_cur_varint(&cur);
    if (cur.failed || len > focal_cur_left(&cur)) {
        *key = *rest = focal_span_of(nothing, 0);
        return false;
    }
    *key = focal_cur_bytes(&cur, (size_t)len);
    *rest = focal_cur_rest(&cur);
    return true;
}

static bool read_codes(struct focal_cur *cur, uint32_t *codes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t code = focal_cur_varint(cur);
        if (cur->failed || code > UINT32_MAX)
            return false;
        codes[i] = (uint32_t)code;
    }
    return true;
}

/* Codes of all parts; *cur is left where they end. */
static bool read_parts(const struct focal_field *field, struct focal_cur *cur, uint32_t codes[FOCAL_PARTS_MAX])
{
    memset(codes, 0, FOCAL_PARTS_MAX * sizeof codes[0]);
    if (focal_field_is_sealed(field->number))
        return false;
    switch (field->type) {
    case FOCAL_TYPE_CODE:
    case FOCAL_TYPE_ROW:
    case FOCAL_TYPE_EVENT:
        return read_codes(cur, codes, field->parts);
    case FOCAL_TYPE_ENTRY_CODE: {
        struct focal_span key, rest;
        if (!focal_map_value_split(focal_cur_rest(cur), &key, &rest))
            return false;
        struct focal_cur in_key = focal_cur_of(key);
        *cur = focal_cur_of(rest);
        return read_codes(&in_key, codes, field->key_parts) && focal_cur_done(&in_key) &&
               read_codes(cur, codes + field->key_parts, field->parts - (unsigned)field->key_parts);
    }
    default:
        return false;
    }
}

bool focal_value_codes(const struct focal_field *field, struct focal_span value, uint32_t codes[FOCAL_PARTS_MAX])
{
    struct focal_cur cur = focal_cur_of(value);
    if (read_parts(field, &cur, codes)) {
        if (field->type == FOCAL_TYPE_EVENT)
            focal_cur_varint(&cur);
        if (focal_cur_done(&cur))
            return true;
    }
    memset(codes, 0, FOCAL_PARTS_MAX * sizeof codes[0]);
    return false;
}

/* In a row any part may be absent; in a map the key and the first part after it may not. */
static bool may_be_absent(const struct focal_field *field, unsigned part)
{
    return field->type == FOCAL_TYPE_ROW || (field->type == FOCAL_TYPE_ENTRY_CODE && part > field->key_parts);
}

static bool codes_known(const struct focal_field *field, struct focal_span value)
{
    uint32_t codes[FOCAL_PARTS_MAX];
    if (!focal_value_codes(field, value, codes))
        return false;
    for (unsigned i = 0; i < field->parts; i++) {
        if (codes[i] == 0 ? !may_be_absent(field, i) : !focal_code_by_number(field->tables[i], codes[i]))
            return false;
    }
    return true;
}

static bool read_number(struct focal_span value, uint64_t *number)
{
    struct focal_cur cur = focal_cur_of(value);
    *number = focal_cur_varint(&cur);
    return focal_cur_done(&cur);
}

/* A day as DATE values hold it: 0 unknown, else days since 0001-01-01 plus one. */
static bool day_known(uint64_t day)
{
    if (day > UINT32_MAX)
        return false;
    int year = 0, month, dom;
    if (day > 0)
        focal_date_parts((uint32_t)day - 1, &year, &month, &dom);
    return year <= FOCAL_YEAR_MAX;
}

static bool event_day(const struct focal_field *field, struct focal_span value, uint64_t *day)
{
    uint32_t codes[FOCAL_PARTS_MAX];
    struct focal_cur cur = focal_cur_of(value);
    if (!read_parts(field, &cur, codes))
        return false;
    *day = focal_cur_varint(&cur);
    return focal_cur_done(&cur);
}

static bool number_known(const struct focal_field *field, uint64_t n)
{
    switch (field->type) {
    case FOCAL_TYPE_QUARTER: return n >= 4 && n / 4 <= FOCAL_YEAR_MAX;
    case FOCAL_TYPE_PERIOD:  return n == 0 || (n >= 2 && n / 2 <= FOCAL_YEAR_MAX);
    case FOCAL_TYPE_DATE:    return day_known(n);
    default:                 return true;
    }
}

static bool country_known(struct focal_span value)
{
    char alpha3[4] = { 0 };
    if (value.len != 3)
        return false;
    memcpy(alpha3, value.data, 3);
    return focal_country_known(alpha3);
}

bool focal_value_known(const struct focal_field *field, struct focal_span value)
{
    uint64_t n;
    struct focal_sealed sealed;
    if (focal_field_is_sealed(field->number))
        return focal_sealed_decode(&sealed, value) == FOCAL_OK;
    switch (field->type) {
    case FOCAL_TYPE_CODE:
    case FOCAL_TYPE_ROW:
    case FOCAL_TYPE_ENTRY_CODE:
        return codes_known(field, value);
    case FOCAL_TYPE_EVENT:
        return codes_known(field, value) && event_day(field, value, &n) && day_known(n);
    case FOCAL_TYPE_QUARTER:
    case FOCAL_TYPE_PERIOD:
    case FOCAL_TYPE_DATE:
    case FOCAL_TYPE_NUMBER:
        return read_number(value, &n) && number_known(field, n);
    case FOCAL_TYPE_COUNTRY:
        return country_known(value);
    case FOCAL_TYPE_TEXT:
        return value.len > 0 && focal_model_text_plain(value);
    case FOCAL_TYPE_REF:
        return value.len == FOCAL_REF_BYTES;
    case FOCAL_TYPE_BYTES:
        return value.len == field->max;
    }
    return false;
}

/* A row says nothing when no part of it says more than `unknown`. */
static bool codes_unknown(const struct focal_field *field, struct focal_span value)
{
    uint32_t codes[FOCAL_PARTS_MAX];
    bool any = false;
    if (!focal_value_codes(field, value, codes))
        return false;
    for (unsigned i = 0; i < field->parts; i++) {
        if (codes[i] == FOCAL_CODE_UNKNOWN && focal_code_by_number(field->tables[i], FOCAL_CODE_UNKNOWN))
            any = true;
        else if (codes[i] != 0)
            return false;
    }
    return any;
}

bool focal_value_is_unknown(const struct focal_field *field, struct focal_span value)
{
    uint64_t n;
    if (focal_field_is_sealed(field->number))
        return false;
    switch (field->type) {
    case FOCAL_TYPE_CODE:
    case FOCAL_TYPE_ROW:
        return codes_unknown(field, value);
    case FOCAL_TYPE_PERIOD:
    case FOCAL_TYPE_DATE:
        return read_number(value, &n) && n == 0;
    default:
        return false;
    }
}

/* ---- printing ---- */

static void print_hex(struct focal_buf *out, struct focal_span bytes)
{
    enum { STRIDE = 64 };
    char hex[2 * STRIDE + 1];
    for (size_t at = 0; at < bytes.len; at += STRIDE) {
        size_t len = bytes.len - at < STRIDE ? bytes.len - at : STRIDE;
        focal_hex(hex, bytes.data + at, len);
        focal_buf_text(out, hex);
    }
}

static void print_codes(struct focal_buf *out, const struct focal_field *field, struct focal_span value)
{
    uint32_t codes[FOCAL_PARTS_MAX];
    focal_assert(focal_value_codes(field, value, codes));
    for (unsigned i = 0; i < field->parts; i++) {
        if (i > 0)
            focal_buf_u8(out, '.');
        if (codes[i] != 0)
            focal_buf_text(out, focal_code_by_number(field->tables[i], codes[i])->name);
    }
}

static void print_day(struct focal_buf *out, uint64_t day)
{
    char text[16] = "unknown";
    if (day > 0)
        focal_date_print(text, (uint32_t)day - 1);
    focal_buf_text(out, text);
}

static void print_number(struct focal_buf *out, enum focal_type type, uint64_t n)
{
    char text[12];
    switch (type) {
    case FOCAL_TYPE_QUARTER:
        focal_quarter_print(text, (uint32_t)n);
        focal_buf_text(out, text);
        return;
    case FOCAL_TYPE_PERIOD:
        if (n == 0)
            focal_buf_text(out, "unknown");
        else
            focal_buf_printf(out, "%s%04u", n % 2 ? "before-" : "", (unsigned)(n / 2));
        return;
    case FOCAL_TYPE_DATE:
        print_day(out, n);
        return;
    default:
        focal_buf_printf(out, "%llu", (unsigned long long)n);
    }
}

static void print_known(struct focal_buf *out, const struct focal_field *field, struct focal_span value)
{
    uint64_t n = 0;
    switch (field->type) {
    case FOCAL_TYPE_CODE:
    case FOCAL_TYPE_ROW:
    case FOCAL_TYPE_ENTRY_CODE:
        print_codes(out, field, value);
        return;
    case FOCAL_TYPE_EVENT:
        print_codes(out, field, value);
        focal_buf_u8(out, '.');
        focal_assert(event_day(field, value, &n));
        print_day(out, n);
        return;
    case FOCAL_TYPE_QUARTER:
    case FOCAL_TYPE_PERIOD:
    case FOCAL_TYPE_DATE:
    case FOCAL_TYPE_NUMBER:
        focal_assert(read_number(value, &n));
        print_number(out, field->type, n);
        return;
    case FOCAL_TYPE_COUNTRY:
    case FOCAL_TYPE_TEXT:
        focal_buf_span(out, value);
        return;
    case FOCAL_TYPE_REF:
    case FOCAL_TYPE_BYTES:
        print_hex(out, value);
        return;
    }
}

void focal_value_print(struct focal_buf *out, const struct focal_field *field, struct focal_span value)
{
    if (focal_field_is_sealed(field->number)) {
        focal_buf_text(out, "sealed");
    } else if (focal_value_known(field, value)) {
        print_known(out, field, value);
    } else {
        focal_buf_u8(out, '?');
        print_hex(out, value);
    }
}
