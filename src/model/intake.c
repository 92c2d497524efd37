/* Values as people and files give them: text to canonical bytes, or a refusal in a sentence. */
#include "inside.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_DAY = 710031 /* 1945-01-01 */, DAYS_AHEAD_MAX = 36525 };

static bool is_word(struct focal_span text, const char *word)
{
    return focal_span_equal(text, focal_span_text(word));
}

/* ---- codes ---- */

/* Cuts the next part off, at a dot or at the end. */
static struct focal_span next_part(struct focal_span *text, bool *more)
{
    const uint8_t *dot = text->len ? memchr(text->data, '.', text->len) : NULL;
    struct focal_span part = { text->data, dot ? (size_t)(dot - text->data) : text->len };
    size_t used = part.len + (dot ? 1 : 0);
    *text = (struct focal_span){ text->data + used, text->len - used };
    *more = dot != NULL;
    return part;
}

static void put_form(const struct focal_field *field, char *out, size_t size)
{
    size_t used = 0;
    unsigned names = field->type == FOCAL_TYPE_EVENT ? field->parts + 1u : field->parts;
    out[0] = 0;
    for (unsigned i = 0; i < names && used < size; i++) {
        int n = snprintf(out + used, size - used, "%s%s", i ? "." : "", field->part_names[i]);
        used += n > 0 ? (size_t)n : 0;
    }
}

static enum focal_status refuse_form(const struct focal_intake_value *value)
{
    char form[100], hint[140];
    put_form(value->field, form, sizeof form);
    snprintf(hint, sizeof hint, "write it as %s", form);
    return focal_model_refuse(value, hint, "it has too many or too few parts");
}

/* Of text such as "female.child": codes of the first `count` parts, and what follows them. */
static enum focal_status parse_parts(const struct focal_intake_value *value, uint32_t codes[FOCAL_PARTS_MAX],
                                     struct focal_span *rest, bool *more)
{
    const struct focal_field *field = value->field;
    *rest = value->text;
    *more = true;
    memset(codes, 0, FOCAL_PARTS_MAX * sizeof codes[0]);
    for (unsigned i = 0; i < field->parts && *more; i++) {
        struct focal_span word = next_part(rest, more);
        if (word.len == 0)
            continue;
        const struct focal_code *code = focal_code_by_name(field->tables[i], word);
        if (!code)
            return focal_model_refuse_code(value, field->part_names[i], field->tables[i], word);
        codes[i] = code->number;
    }
    return FOCAL_OK;
}

static enum focal_status parse_row(const struct focal_intake_value *value, struct focal_buf *out)
{
    uint32_t codes[FOCAL_PARTS_MAX];
    struct focal_span rest;
    bool more;
    enum focal_status status = parse_parts(value, codes, &rest, &more);
    if (status != FOCAL_OK)
        return status;
    if (more)
        return refuse_form(value);
    for (unsigned i = 0; i < value->field->parts; i++)
        focal_buf_varint(out, codes[i]);
    return FOCAL_OK;
}

static enum focal_status parse_code(const struct focal_intake_value *value, struct focal_buf *out)
{
    const struct focal_field *field = value->field;
    const struct focal_code *code = focal_code_by_name(field->tables[0], value->text);
    if (!code)
        return focal_model_refuse_code(value, field->name, field->tables[0], value->text);
    focal_buf_varint(out, code->number);
    return FOCAL_OK;
}

static size_t varint_bytes(uint64_t v)
{
    size_t n = 1;
    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}

static enum focal_status parse_entry_code(const struct focal_intake_value *value, struct focal_buf *out)
{
    const struct focal_field *field = value->field;
    uint32_t codes[FOCAL_PARTS_MAX];
    struct focal_span rest;
    bool more;
    enum focal_status status = parse_parts(value, codes, &rest, &more);
    if (status != FOCAL_OK)
        return status;
    if (more)
        return refuse_form(value);
    size_t key_len = 0;
    for (unsigned i = 0; i <= field->key_parts; i++) {
        if (codes[i] == 0)
            return focal_model_refuse_code(value, field->part_names[i], field->tables[i], focal_span_of(NULL, 0));
        if (i < field->key_parts)
            key_len += varint_bytes(codes[i]);
    }
    focal_buf_varint(out, key_len);
    for (unsigned i = 0; i < field->parts; i++)
        focal_buf_varint(out, codes[i]);
    return FOCAL_OK;
}

/* ---- time ---- */

static enum focal_status refuse_range(const struct focal_intake_value *value)
{
    char first[16], last[16], hint[100];
    focal_date_print(first, value->first_day);
    focal_date_print(last, value->last_day);
    snprintf(hint, sizeof hint, "check the year, and this machine's clock; from %s to %s is taken", first, last);
    return focal_model_refuse(value, hint, "it lies before %s or after %s", first, last);
}

/* A day as DATE holds it. `text` is the value, or the part of it that holds the day. */
static enum focal_status parse_day(const struct focal_intake_value *value, struct focal_span text, uint64_t *day)
{
    uint32_t days;
    *day = 0;
    if (is_word(text, "unknown"))
        return FOCAL_OK;
    if (!focal_date_parse(&days, text))
        return focal_model_refuse(value, "write YYYY-MM-DD, such as 2018-05-03, or unknown", "not a day of the calendar");
    if (days < value->first_day || days > value->last_day)
        return refuse_range(value);
    *day = (uint64_t)days + 1;
    return FOCAL_OK;
}

static enum focal_status parse_date(const struct focal_intake_value *value, struct focal_buf *out)
{
    uint64_t day;
    enum focal_status status = parse_day(value, value->text, &day);
    if (status == FOCAL_OK)
        focal_buf_varint(out, day);
    return status;
}

static enum focal_status parse_event(const struct focal_intake_value *value, struct focal_buf *out)
{
    uint32_t codes[FOCAL_PARTS_MAX];
    struct focal_span rest;
    bool more;
    uint64_t day;
    enum focal_status status = parse_parts(value, codes, &rest, &more);
    if (status != FOCAL_OK)
        return status;
    if (codes[0] == 0)
        return focal_model_refuse_code(value, value->field->part_names[0], value->field->tables[0], focal_span_of(NULL, 0));
    if (!more)
        return refuse_form(value);
    status = parse_day(value, rest, &day);
    if (status != FOCAL_OK)
        return status;
    focal_buf_varint(out, codes[0]);
    focal_buf_varint(out, day);
    return FOCAL_OK;
}

static enum focal_status parse_quarter(const struct focal_intake_value *value, struct focal_buf *out)
{
    uint32_t quarter;
    if (!focal_quarter_parse(&quarter, value->text))
        return focal_model_refuse(value, "write a year and a quarter, such as 2018-Q2", "not a quarter");
    if (quarter < focal_quarter_of_date(value->first_day) || quarter > focal_quarter_of_date(value->last_day))
        return refuse_range(value);
    focal_buf_varint(out, quarter);
    return FOCAL_OK;
}

static enum focal_status parse_period(const struct focal_intake_value *value, struct focal_buf *out)
{
    static const char prefix[] = "before-";
    enum { PREFIX = sizeof prefix - 1 };
    if (is_word(value->text, "unknown")) {
        focal_buf_varint(out, 0);
        return FOCAL_OK;
    }
    struct focal_span year_text = value->text;
    bool before = year_text.len > PREFIX && memcmp(year_text.data, prefix, PREFIX) == 0;
    if (before)
        year_text = (struct focal_span){ year_text.data + PREFIX, year_text.len - PREFIX };
    uint64_t year;
    if (year_text.len != 4 || !focal_parse_u64(year_text, &year))
        return focal_model_refuse(value, "write a year as 2017 or before-2016, or unknown", "not a year");
    int last_year, month, day;
    focal_date_parts(value->last_day, &last_year, &month, &day);
    if (year < FOCAL_YEAR_MIN + (before ? 1u : 0u) || year > (uint64_t)last_year)
        return refuse_range(value);
    focal_buf_varint(out, 2 * year + (before ? 1 : 0));
    return FOCAL_OK;
}

/* ---- the rest ---- */

static enum focal_status parse_country(const struct focal_intake_value *value, struct focal_buf *out)
{
    char alpha3[4] = { 0 }, hint[100];
    if (value->text.len == 3)
        memcpy(alpha3, value->text.data, 3);
    if (!focal_country_known(alpha3)) {
        const char *meant = focal_model_country_meant(value->text);
        if (meant)
            snprintf(hint, sizeof hint, "did you mean \"%s\"?", meant);
        else
            snprintf(hint, sizeof hint, "write three capital letters, such as KEN for Kenya");
        return focal_model_refuse(value, hint, "not a country code of ISO 3166-1 alpha-3");
    }
    focal_buf_span(out, value->text);
    return FOCAL_OK;
}

static enum focal_status parse_number(const struct focal_intake_value *value, struct focal_buf *out)
{
    uint64_t n;
    if (!focal_parse_u64(value->text, &n))
        return focal_model_refuse(value, "write digits alone", "not a whole number");
    if (value->field->max > 0 && n > value->field->max)
        return focal_model_refuse(value, "check it", "at most %u is allowed", (unsigned)value->field->max);
    focal_buf_varint(out, n);
    return FOCAL_OK;
}

static enum focal_status parse_hex(const struct focal_intake_value *value, struct focal_buf *out, size_t len)
{
    bool ref = value->field->type == FOCAL_TYPE_REF;
    uint8_t *to = value->text.len / 2 == len && value->text.len % 2 == 0 ? focal_buf_reserve(out, len) : NULL;
    if (out->failed || (to && focal_unhex(to, len, value->text)))
        return FOCAL_OK;                /* a buffer that failed is looked at by the caller */
    return focal_model_refuse(value, ref ? "give the reference code, or the long form that \"show\" prints" : "check it",
                              "%zu hexadecimal digits are needed", 2 * len);
}

static enum focal_status parse_typed(const struct focal_intake_value *value, struct focal_buf *out)
{
    switch (value->field->type) {
    case FOCAL_TYPE_CODE:       return parse_code(value, out);
    case FOCAL_TYPE_ROW:        return parse_row(value, out);
    case FOCAL_TYPE_ENTRY_CODE: return parse_entry_code(value, out);
    case FOCAL_TYPE_EVENT:      return parse_event(value, out);
    case FOCAL_TYPE_QUARTER:    return parse_quarter(value, out);
    case FOCAL_TYPE_PERIOD:     return parse_period(value, out);
    case FOCAL_TYPE_DATE:       return parse_date(value, out);
    case FOCAL_TYPE_COUNTRY:    return parse_country(value, out);
    case FOCAL_TYPE_NUMBER:     return parse_number(value, out);
    case FOCAL_TYPE_REF:        return parse_hex(value, out, FOCAL_REF_BYTES);
    case FOCAL_TYPE_BYTES:      return parse_hex(value, out, value->field->max);
    case FOCAL_TYPE_TEXT: {
        enum focal_status status = focal_model_guard_text(value);
        if (status == FOCAL_OK)
            focal_buf_span(out, value->text);
        return status;
    }
    }
    focal_unreachable();
}

enum focal_status focal_value_parse(struct focal_buf *out, const struct focal_field *field, struct focal_span text,
                                    uint32_t today, struct focal_error *err)
{
    uint64_t last = (uint64_t)focal_date_from_unix_days(today) + (field->intake == FOCAL_INTAKE_AHEAD ? DAYS_AHEAD_MAX : 1);
    struct focal_intake_value value = { .field = field, .text = text, .first_day = FIRST_DAY,
                                        .last_day = last < UINT32_MAX ? (uint32_t)last : UINT32_MAX, .err = err };
    if (field->intake >= FOCAL_INTAKE_COMMAND)
        return focal_model_refuse(&value, "leave it out; `focalctl case --help` lists the commands",
                                  "it is written by a command of its own, not as a field");
    if (text.len == 0)
        return focal_model_refuse(&value, "leave the field out, or say unknown where the field has that code",
                                  "it is empty");
    size_t before = out->len;
    enum focal_status status = parse_typed(&value, out);
    if (status == FOCAL_OK && out->failed)
        status = focal_fail(err, FOCAL_NO_MEMORY, "free some memory and try again", "%s: no room for the value", field->name);
    if (status != FOCAL_OK)
        focal_buf_truncate(out, before);
    return status;
}
