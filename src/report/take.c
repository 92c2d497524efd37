/* Cases are taken in one at a time and kept in few bytes, because only at the end is it known which of linked cases
 * counts. A stretch is: reference 32, flags, quarter, and for a case of the period the fields with two versions, a key
 * for each counted field, and the rows of victims and perpetrators. */
#include "inside.h"

#include <stdio.h>
#include <string.h>

enum { COMPLETE = 1, NEWER = 2, TWO_VERSIONS = 4, COUNTS = 8, WITHDRAWN = 16, WITHDRAWN_CHANGED = 32 };
enum { CASES_BYTES_MAX = 512 << 20, REPORT_ARENA_MAX = 64 << 20, COVERAGE_MAX = 4096, YEAR_FIRST = 1945, TEXT_BYTES_MAX = 200 };

/* ---- periods ---- */

static bool parse_period(struct section *section, struct focal_span text)
{
    uint32_t quarter;
    uint64_t year;
    if (text.len == 0 || text.len >= sizeof section->shown.period)
        return false;
    if (focal_span_equal(text, focal_span_text("all"))) {
        section->all = true;
    } else if (focal_quarter_parse(&quarter, text) && quarter / 4 >= YEAR_FIRST) {
        section->first = section->last = quarter;
    } else if (text.len == 4 && focal_parse_u64(text, &year) && year >= YEAR_FIRST) {
        section->first = (uint32_t)year * 4;
        section->last = section->first + 3;
    } else {
        return false;
    }
    memcpy(section->shown.period, text.data, text.len);
    return true;
}

static struct focal_span trim(const char *text, size_t len)
{
    for (; len > 0 && text[0] == ' '; len--)
        text++;
    while (len > 0 && text[len - 1] == ' ')
        len--;
    return focal_span_of(text, len);
}

static enum focal_status add_section(struct focal_report *report, struct focal_span text, struct focal_error *err)
{
    struct section *section = &report->sections[report->section_count];
    char shown[24] = "";
    for (size_t i = 0; i < text.len && i < sizeof shown - 1; i++)
        shown[i] = text.data[i] >= ' ' && text.data[i] < 0x7f ? (char)text.data[i] : '?';
    if (report->section_count == SECTIONS_MAX)
        return focal_fail(err, FOCAL_USAGE, "ask for fewer at once", "more than %d periods", SECTIONS_MAX);
    if (!parse_period(section, text))
        return focal_fail(err, FOCAL_USAGE, "write a quarter as 2018-Q2, a year as 2018, or all", "\"%s\" is no period", shown);
    for (size_t i = 0; i < report->section_count; i++) {
        if (strcmp(report->sections[i].shown.period, section->shown.period) == 0)
            return focal_fail(err, FOCAL_USAGE, "name each period once", "the period %s is named twice", shown);
    }
    report->section_count++;
    return FOCAL_OK;
}

static enum focal_status open_sections(struct focal_report *report, const char *period, struct focal_error *err)
{
    report->sections = focal_arena_alloc(&report->arena, (SECTIONS_MAX + 1) * sizeof *report->sections);
    if (!report->sections)
        return focal_fail(err, FOCAL_NO_MEMORY, "free some memory and try again", "no memory for the report");
    for (const char *at = period ? period : "all";; at++) {
        size_t len = strcspn(at, ",");
        enum focal_status status = add_section(report, trim(at, len), err);
        at += len;
        if (status != FOCAL_OK || !*at)
            return status;
    }
}

/* ---- open and close ---- */

/* Text that others gave, fit to be shown: not long, valid, without controls. */
static bool copy(struct focal_report *report, char **to, const char *text)
{
    *to = NULL;
    if (!text)
        return true;
    size_t len = strlen(text) < TEXT_BYTES_MAX ? strlen(text) : TEXT_BYTES_MAX;
    while (len > 0 && text[len] && ((uint8_t)text[len] & 0xc0) == 0x80)
        len--;
    char *kept = *to = focal_arena_alloc(&report->arena, len + 1);
    if (!kept)
        return false;
    memcpy(kept, text, len);
    for (size_t i = 0; i < len; i++) {
        if ((uint8_t)kept[i] < 0x20 || kept[i] == 0x7f)
            kept[i] = '?';
    }
    bool valid = focal_utf8_valid(focal_span_of(kept, len));
    for (size_t i = 0; i < len && !valid; i++) {
        if ((uint8_t)kept[i] >= 0x80)
            kept[i] = '?';
    }
    return true;
}

enum focal_status focal_report_open(struct focal_report **out, const struct focal_report_setup *setup, struct focal_error *err)
{
    struct focal_report *report = *out = focal_alloc(sizeof *report);
    if (!report)
        return focal_fail(err, FOCAL_NO_MEMORY, "free some memory and try again", "no memory for the report");
    focal_arena_init(&report->arena, REPORT_ARENA_MAX);
    focal_buf_init(&report->cases, CASES_BYTES_MAX);
    focal_buf_init(&report->links, CASES_BYTES_MAX);
    report->generated = setup->generated;
    report->every_unit = setup->every_unit;
    enum focal_status status = open_sections(report, setup->period, err);
    if (status == FOCAL_OK && !(copy(report, &report->office, setup->office) && copy(report, &report->network, setup->network) &&
                                copy(report, &report->program, setup->program) && copy(report, &report->made_on, setup->made_on) &&
                                copy(report, &report->frontier, setup->frontier)))
        status = focal_fail(err, FOCAL_NO_MEMORY, "free some memory and try again", "no memory for the report");
    if (status != FOCAL_OK) {
        focal_report_close(report);
        *out = NULL;
    }
    return status;
}

void focal_report_close(struct focal_report *report)
{
    if (!report)
        return;
    for (size_t i = 0; i < report->section_count; i++) {
        if (report->sections[i].shown.has_published)
            focal_beside_close(&report->sections[i].shown.beside);
        for (size_t k = 0; k < KINDS_OF_CELLS; k++)
            focal_free(report->sections[i].tallies[k].list);
    }
    focal_buf_close(&report->cases);
    focal_buf_close(&report->links);
    focal_free(report->coverage);
    focal_arena_close(&report->arena);
    focal_free(report);
}

enum focal_status focal_report_coverage(struct focal_report *report, const char *office, bool heard, uint64_t last_heard_s)
{
    if (report->coverage_count == report->coverage_cap) {
        size_t cap = report->coverage_cap ? report->coverage_cap * 2 : 16;
        struct coverage *grown = cap > COVERAGE_MAX ? NULL : focal_realloc(report->coverage, cap * sizeof *grown);
        if (!grown)
            return cap > COVERAGE_MAX ? FOCAL_TOO_BIG : FOCAL_NO_MEMORY;
        report->coverage = grown;
        report->coverage_cap = cap;
    }
    struct coverage row = { .heard = heard, .last_heard_s = last_heard_s };
    if (!copy(report, &row.office, office))
        return FOCAL_NO_MEMORY;
    report->coverage[report->coverage_count++] = row;
    return FOCAL_OK;
}

void focal_report_publish(struct focal_report *report, const struct focal_figures *figures)
{
    report->published = figures;
}

/* ---- taking in ---- */

static const struct focal_slot *slot_of(const struct focal_record *record, const struct focal_field *field)
{
    static const uint8_t nothing[1];
    const struct focal_slot *slot = focal_record_slot(record, field->number, focal_span_of(nothing, 0));
    return slot && slot->value_count > 0 ? slot : NULL;
}

static uint32_t quarter_of(const struct focal_record *record)
{
    const struct focal_field *field = focal_field_by_name(record->kind, "received_quarter");
    const struct focal_slot *slot = slot_of(record, field);
    bool day = !slot;
    if (day) {
        field = focal_field_by_name(record->kind, "received_date");
        slot = slot_of(record, field);
    }
    if (!slot || !focal_value_known(field, slot->values[0].value))
        return 0;
    struct focal_cur cur = focal_cur_of(slot->values[0].value);
    uint64_t n = focal_cur_varint(&cur);
    if (cur.failed || n == 0 || n > UINT32_MAX)
        return 0;
    return day ? focal_quarter_of_date((uint32_t)n - 1) : (uint32_t)n;
}

/* 1 to 3 by value; "more than 3" is at least 4, unknown at least 1. The codes "1", "2", "3" are read by name, since
 * their numbers are not their values. */
static uint64_t people_of(const struct focal_field *field, uint32_t count_code, bool *at_least)
{
    const struct focal_code *code = focal_code_by_number(field->tables[1], count_code);
    uint64_t n;
    if (code && focal_parse_u64(focal_span_text(code->name), &n))
        return n;
    *at_least = true;
    return code && strcmp(code->name, "more_than_3") == 0 ? 4 : 1;
}

static void put_rows(struct focal_buf *out, const struct focal_record *record, size_t counted)
{
    const struct focal_field *field = focal_report_field(counted);
    const struct focal_slot *slot = slot_of(record, field);
    struct focal_buf keys;
    focal_buf_init(&keys, CASES_BYTES_MAX);
    for (size_t i = 0; slot && i < slot->value_count; i++) {
        struct focal_span value = slot->values[i].value;
        uint32_t codes[FOCAL_PARTS_MAX] = { 0 };
        focal_buf_varint(&keys, focal_report_key(counted, value));
        /* Of perpetrators the row also says how many, and whether that is certain. */
        if (counted == PERPETRATOR_CELLS) {
            bool at_least = false;
            (void)!focal_value_codes(field, value, codes);
            uint64_t people = people_of(field, codes[1], &at_least);
            focal_buf_varint(&keys, people * 2 + at_least);
        }
    }
    focal_buf_varint(out, slot ? slot->value_count : 0);
    focal_buf_varint(out, keys.len);
    focal_buf_span(out, focal_buf_view(&keys));
    if (keys.failed)
        out->failed = true;
    focal_buf_close(&keys);
}

static void put_fields(struct focal_buf *out, const struct focal_record *record)
{
    uint64_t versions_of = 0, keys[CASE_FIELDS];
    for (size_t i = 0; i < CASE_FIELDS; i++) {
        const struct focal_slot *slot = slot_of(record, focal_report_field(i));
        keys[i] = slot ? focal_report_key(i, slot->values[0].value) : KEY_ABSENT;
        if (slot && slot->two_versions)
            versions_of |= (uint64_t)1 << i;
    }
    focal_buf_varint(out, versions_of);
    for (size_t i = 0; i < CASE_FIELDS; i++)
        focal_buf_varint(out, keys[i]);
    put_rows(out, record, VICTIM_CELLS);
    put_rows(out, record, PERPETRATOR_CELLS);
}

static void put_links(struct focal_buf *out, const struct focal_record *record, const uint8_t ref[FOCAL_REF_BYTES])
{
    const struct focal_slot *slot = slot_of(record, focal_field_by_name(record->kind, "same_as"));
    for (size_t i = 0; slot && i < slot->value_count; i++) {
        if (slot->values[i].value.len != FOCAL_REF_BYTES)
            continue;
        focal_buf_bytes(out, ref, FOCAL_REF_BYTES);
        focal_buf_span(out, slot->values[i].value);
    }
}

static bool quarter_in(const struct section *section, uint32_t quarter)
{
    return section->all || (quarter != 0 && quarter >= section->first && quarter <= section->last);
}

/* A record of which the beginning has not come has no kind; its fields tell a case. */
static bool is_case(const struct focal_record *record)
{
    const struct focal_kind *kind = focal_kind_by_number(FOCAL_KIND_CASE);
    bool any = record->kind_number == FOCAL_KIND_CASE;
    for (size_t i = 0; i < record->slot_count && record->kind_number == 0 && !any; i++)
        any = focal_field_by_number(kind, record->slots[i].number) != NULL;
    return any;
}

enum focal_status focal_report_add(struct focal_report *report, const struct focal_record *record)
{
    focal_assert(!report->finished);
    if (!is_case(record))
        return FOCAL_OK;
    struct focal_record seen = *record;
    seen.kind = focal_kind_by_number(FOCAL_KIND_CASE);
    bool counts = false;
    uint32_t quarter = quarter_of(&seen);
    for (size_t i = 0; i < report->section_count; i++)
        counts = counts || quarter_in(&report->sections[i], quarter);
    uint8_t *ref = focal_buf_reserve(&report->cases, FOCAL_REF_BYTES);
    if (ref) {
        focal_ref_put(ref, &record->ref);
        put_links(&report->links, &seen, ref);
    }
    enum focal_withdrawal withdrawal = focal_record_withdrawal(record);
    bool complete = record->complete && record->kind_number == FOCAL_KIND_CASE, withdrawn = withdrawal != FOCAL_WITHDRAWAL_NONE;
    counts = counts && complete && !withdrawn;
    focal_buf_u8(&report->cases, (uint8_t)((complete ? COMPLETE : 0) | (record->needs_newer ? NEWER : 0) |
                                           (record->two_versions > 0 ? TWO_VERSIONS : 0) | (counts ? COUNTS : 0) | (withdrawn ? WITHDRAWN : 0) |
                                           (withdrawn && withdrawal != FOCAL_WITHDRAWAL_AS_SEEN ? WITHDRAWN_CHANGED : 0)));
    focal_buf_varint(&report->cases, quarter);
    if (counts)
        put_fields(&report->cases, &seen);
    if (report->cases.failed || report->links.failed)
        return report->cases.len + report->links.len > CASES_BYTES_MAX / 2 ? FOCAL_TOO_BIG : FOCAL_NO_MEMORY;
    return FOCAL_OK;
}

/* ---- reading back ---- */

bool focal_report_taken_next(struct focal_cur *cur, struct taken *out)
{
    if (focal_cur_left(cur) == 0)
        return false;
    memset(out, 0, sizeof *out);
    focal_cur_copy(cur, out->ref, sizeof out->ref);
    uint8_t flags = focal_cur_u8(cur);
    out->complete = flags & COMPLETE;
    out->newer = flags & NEWER;
    out->two_versions = flags & TWO_VERSIONS;
    out->counts = flags & COUNTS;
    out->withdrawn = flags & WITHDRAWN;
    out->withdrawn_changed = flags & WITHDRAWN_CHANGED;
    out->quarter = (uint32_t)focal_cur_varint(cur);
    if (out->counts) {
        out->versions_of = focal_cur_varint(cur);
        for (size_t i = 0; i < CASE_FIELDS; i++)
            out->keys[i] = focal_cur_varint(cur);
        out->victim_count = focal_cur_varint(cur);
        out->victims = focal_cur_bytes(cur, (size_t)focal_cur_varint(cur));
        out->perpetrator_count = focal_cur_varint(cur);
        out->perpetrators = focal_cur_bytes(cur, (size_t)focal_cur_varint(cur));
    }
    focal_assert(!cur->failed);
    return true;
}

bool focal_report_section_holds(const struct section *section, const struct taken *taken)
{
    return quarter_in(section, taken->quarter);
}
