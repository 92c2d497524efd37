/* What is counted, and the names and places of the cells of each table. */
#include "inside.h"

#include <string.h>

const struct counted focal_report_counted[KINDS_OF_CELLS] = {
    { "entity_class", "entity_class", true, false },
    { "allegation_type", "allegation_type", true, true },
    { "status", "status", true, false },
    { "incident_period", "incident_period", true, false },
    { "member_state_referral", "member_state_referral", true, false },
    { "channel", "channel", true, false },
    { "country", "country", true, false },
    { "received_quarter", "received_quarter", false, false },
    { "elapsed", "elapsed", false, false },
    { "source_role", "source_role", false, false },
    { "personnel_category", "personnel_category", false, false },
    { "paternity_claim", "paternity_claim", false, false },
    { "interim_action", "interim_action", false, false },
    { "outcome", "outcome", false, false },
    { "victim_sex_age", "victims", true, false },
    { "perpetrator_sex", "perpetrators", true, false },
};

const struct focal_field *focal_report_field(size_t i)
{
    const struct focal_kind *kind = focal_kind_by_number(FOCAL_KIND_CASE);
    return focal_field_by_name(kind, focal_report_counted[i].field);
}

/* ---- keys ---- */

static uint64_t number_key(struct focal_span value)
{
    struct focal_cur cur = focal_cur_of(value);
    uint64_t n = focal_cur_varint(&cur);
    return focal_cur_done(&cur) && n < UINT32_MAX ? n + KEY_FIRST : KEY_NEWER;
}

/* Rows: sex and age (or sex alone) as code numbers, side by side. A row that states nothing is absent. */
static uint64_t row_key(size_t counted, const uint32_t codes[FOCAL_PARTS_MAX])
{
    uint64_t key = counted == VICTIM_CELLS ? ((uint64_t)codes[0] << 16 | codes[1]) : codes[0];
    return key == 0 ? KEY_ABSENT : key + KEY_FIRST;
}

uint64_t focal_report_key(size_t counted, struct focal_span value)
{
    const struct focal_field *field = focal_report_field(counted);
    uint32_t codes[FOCAL_PARTS_MAX];
    if (!focal_value_known(field, value))
        return KEY_NEWER;
    switch (field->type) {
    case FOCAL_TYPE_CODE:
        return focal_value_codes(field, value, codes) ? codes[0] + (uint64_t)KEY_FIRST : KEY_NEWER;
    case FOCAL_TYPE_ROW:
        return focal_value_codes(field, value, codes) ? row_key(counted, codes) : KEY_NEWER;
    case FOCAL_TYPE_COUNTRY:
        return ((uint64_t)value.data[0] << 16 | (uint64_t)value.data[1] << 8 | value.data[2]) + KEY_FIRST;
    default:
        return number_key(value);
    }
}

/* ---- places ---- */

static uint64_t place_in(const struct focal_code_table *table, uint64_t number)
{
    uint64_t place = 0;
    while (table->codes[place].name && table->codes[place].number != number)
        place++;
    return place;                       /* a part left out stands behind all codes */
}

uint64_t focal_report_rank(size_t counted, uint64_t key)
{
    const struct focal_field *field = focal_report_field(counted);
    if (key < KEY_FIRST)
        return UINT64_MAX - KEY_FIRST + key;
    uint64_t n = key - KEY_FIRST;
    switch (field->type) {
    case FOCAL_TYPE_CODE:
        return place_in(field->tables[0], n);
    case FOCAL_TYPE_ROW:
        return counted == PERPETRATOR_CELLS ? place_in(field->tables[0], n)
                                            : place_in(field->tables[0], n >> 16) << 16 | place_in(field->tables[1], n & 0xffff);
    case FOCAL_TYPE_PERIOD:
        /* "before 2016" stands before 2016; unknown last. */
        return n == 0 ? UINT32_MAX : n % 2 ? n / 2 * 4 - 1 : n / 2 * 4;
    default:
        return n;
    }
}

/* ---- names ---- */

static const char *part_name(const struct focal_code_table *table, uint64_t number)
{
    const struct focal_code *code = focal_code_by_number(table, number);
    return code ? code->name : "not_stated";
}

void focal_report_code(struct focal_buf *out, size_t counted, uint64_t key)
{
    const struct focal_field *field = focal_report_field(counted);
    if (key < KEY_FIRST) {
        focal_buf_text(out, "needs_newer_program");
        return;
    }
    uint64_t n = key - KEY_FIRST;
    if (field->type == FOCAL_TYPE_ROW) {
        focal_buf_text(out, part_name(field->tables[0], counted == VICTIM_CELLS ? n >> 16 : n));
        if (counted == VICTIM_CELLS)
            focal_buf_printf(out, ".%s", part_name(field->tables[1], n & 0xffff));
    } else if (field->type == FOCAL_TYPE_COUNTRY) {
        focal_buf_printf(out, "%c%c%c", (int)(n >> 16 & 0xff), (int)(n >> 8 & 0xff), (int)(n & 0xff));
    } else {
        uint8_t bytes[10];
        size_t len = 0;
        for (; n >= 0x80; n >>= 7)
            bytes[len++] = (uint8_t)(n | 0x80);
        bytes[len++] = (uint8_t)n;
        focal_value_print(out, field, focal_span_of(bytes, len));
    }
}

static void put_lower(struct focal_buf *out, const char *label)
{
    bool word = label[0] >= 'A' && label[0] <= 'Z' && !(label[1] >= 'A' && label[1] <= 'Z');
    focal_buf_u8(out, word ? (uint8_t)(label[0] - 'A' + 'a') : (uint8_t)label[0]);
    focal_buf_text(out, label + 1);
}

/* "male": the label of one part; a part left out is said so. */
static void put_part(struct focal_buf *out, const struct focal_code_table *table, struct focal_span text, bool begins)
{
    const struct focal_code *code = focal_code_by_name(table, text);
    const char *label = code ? code->label_en : "Not stated";
    if (begins)
        focal_buf_text(out, label);
    else
        put_lower(out, label);
}

static void put_row(struct focal_buf *out, size_t counted, const struct focal_field *field, const char *code)
{
    const char *dot = strchr(code, '.');
    size_t len = dot ? (size_t)(dot - code) : strlen(code);
    put_part(out, field->tables[0], focal_span_of(code, len), true);
    if (counted != VICTIM_CELLS || !dot)
        return;
    focal_buf_text(out, ", ");
    if (strcmp(dot + 1, "unknown") == 0)
        focal_buf_text(out, "age unknown");
    else if (strcmp(dot + 1, "not_stated") == 0)
        focal_buf_text(out, "age not stated");
    else
        put_part(out, field->tables[1], focal_span_text(dot + 1), false);
}

static void put_one_label(struct focal_buf *out, size_t counted, const char *code)
{
    const struct focal_field *field = focal_report_field(counted);
    const struct focal_code *known = field->type == FOCAL_TYPE_CODE ? focal_code_by_name(field->tables[0], focal_span_text(code)) : NULL;
    char alpha3[4] = "";
    if (strlen(code) == 3)
        memcpy(alpha3, code, 3);
    if (strcmp(code, "needs_newer_program") == 0)
        focal_buf_text(out, "Needs a newer program");
    else if (known)
        focal_buf_text(out, known->label_en);
    else if (field->type == FOCAL_TYPE_ROW)
        put_row(out, counted, field, code);
    else if (field->type == FOCAL_TYPE_COUNTRY && focal_country_name(alpha3))
        focal_buf_text(out, focal_country_name(alpha3));
    else if (strncmp(code, "before-", 7) == 0)
        focal_buf_printf(out, "Before %s", code + 7);
    else if (strcmp(code, "unknown") == 0)
        focal_buf_text(out, "Unknown");
    else
        focal_buf_text(out, code);
}

void focal_report_label(struct focal_buf *out, const char *table, const char *code)
{
    size_t i = 0;
    while (i < KINDS_OF_CELLS && strcmp(focal_report_counted[i].table, table) != 0)
        i++;
    if (i == KINDS_OF_CELLS || strcmp(table, "total") == 0) {
        focal_buf_text(out, code);
        return;
    }
    /* Published classes may span several codes. */
    for (bool first = true;; first = false) {
        char one[64];
        size_t len = strcspn(code, "+"), kept = len < sizeof one ? len : sizeof one - 1;
        memcpy(one, code, kept);
        one[kept] = 0;
        focal_buf_text(out, first ? "" : " + ");
        put_one_label(out, i, one);
        if (!code[len])
            return;
        code += len + 1;
    }
}
