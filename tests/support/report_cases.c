#include "report_cases.h"

#include <stdio.h>
#include <string.h>

enum { TODAY = 18000 };                 /* in 2019 */

struct focal_ref report_ref(uint8_t log, uint64_t seq)
{
    struct focal_ref ref = { .seq = seq };
    memset(ref.log.b, log, sizeof ref.log.b);
    memset(ref.h8, (int)(seq & 0xff), sizeof ref.h8);
    return ref;
}

void report_hex(char out[2 * FOCAL_REF_BYTES + 1], uint8_t log, uint64_t seq)
{
    uint8_t bytes[FOCAL_REF_BYTES];
    struct focal_ref ref = report_ref(log, seq);
    focal_ref_put(bytes, &ref);
    focal_hex(out, bytes, sizeof bytes);
}

void report_case_init(struct report_case *one, uint8_t log, uint64_t seq)
{
    *one = (struct report_case){ .ref = report_ref(log, seq) };
    focal_part_init(&one->widest);
    focal_part_init(&one->home);
}

void report_case_close(struct report_case *one)
{
    focal_part_close(&one->widest);
    focal_part_close(&one->home);
}

/* One entry into one part. */
static void put_entry(struct report_case *one, bool creates, bool in_home, uint8_t log, const struct focal_item *items, size_t count)
{
    struct focal_buf header, payload;
    struct focal_ref ref = creates ? one->ref : report_ref(log, 1000u + one->entries);
    struct focal_hash home = { { 7 } }, h = { { 0 } };
    struct focal_span home_span = focal_span_of(home.b, sizeof home.b);
    memcpy(h.b, ref.h8, sizeof ref.h8);
    focal_buf_init(&header, FOCAL_ENTRY_MAX);
    focal_buf_init(&payload, FOCAL_ENTRY_MAX);
    focal_header_encode(&header, &(struct focal_header){ .shape = FOCAL_SHAPE_ORDINARY, .seq = ref.seq, .creates = creates, .record = one->ref });
    focal_payload_encode(&payload, FOCAL_KIND_CASE, creates ? &home_span : NULL, NULL, items, count);
    focal_assert(!header.failed && !payload.failed);
    struct focal_contribution contribution = { .ref = ref, .h = h, .header = focal_buf_view(&header), .has_payload = true,
        .payload = focal_buf_view(&payload) };
    focal_assert(focal_part_add(in_home ? &one->home : &one->widest, &contribution) == FOCAL_OK);
    one->entries++;
    focal_buf_close(&header);
    focal_buf_close(&payload);
}

static void put_json(struct report_case *one, bool creates, uint8_t log, const char *json)
{
    struct focal_row row;
    struct focal_refusals refusals;
    struct focal_item network[256], country[256];
    size_t networks = 0, countries = 0;
    struct focal_intake_for intake = { .kind = focal_kind_by_number(FOCAL_KIND_CASE), .today = TODAY };
    focal_row_init(&row);
    focal_refusals_init(&refusals);
    enum focal_status status = focal_rows_from_json(&row, &intake, focal_span_text(json), 1, &refusals);
    if (status != FOCAL_OK)
        fprintf(stderr, "%s: %s\n", json, refusals.kept ? refusals.list[0].reason : focal_status_text(status));
    focal_assert(status == FOCAL_OK && row.item_count <= 256);
    for (size_t i = 0; i < row.item_count; i++) {
        struct focal_item item = { .field = row.items[i].field->number, .value = row.items[i].value };
        if (focal_field_scope(item.field) == FOCAL_SCOPE_COUNTRY)
            country[countries++] = item;
        else
            network[networks++] = item;
    }
    put_entry(one, creates, false, log, network, networks);
    if (countries)
        put_entry(one, false, true, log, country, countries);
    focal_refusals_close(&refusals);
    focal_row_close(&row);
}

void report_case_begin(struct report_case *one, const char *json)
{
    put_json(one, true, one->ref.log.b[0], json);
}

void report_case_also(struct report_case *one, uint8_t log, const char *json)
{
    put_json(one, false, log, json);
}

void report_case_bytes(struct report_case *one, uint64_t field, const void *bytes, size_t len)
{
    put_entry(one, false, false, 200, &(struct focal_item){ .field = field, .value = focal_span_of(bytes, len) }, 1);
}

enum focal_status report_case_give(struct focal_report *report, const struct report_case *one)
{
    struct focal_record record;
    enum focal_status status = focal_record_open(&record, &one->ref, &one->widest, &one->home, true, NULL);
    if (status == FOCAL_OK) {
        status = focal_report_add(report, &record);
        focal_record_close(&record);
    }
    return status;
}

enum focal_status report_give(struct focal_report *report, uint8_t log, uint64_t seq, const char *json)
{
    struct report_case one;
    report_case_init(&one, log, seq);
    report_case_begin(&one, json);
    enum focal_status status = report_case_give(report, &one);
    report_case_close(&one);
    return status;
}

struct focal_report *report_opened(const char *period)
{
    struct focal_report *report;
    struct focal_error err;
    focal_assert(focal_report_open(&report, &(struct focal_report_setup){ .period = period }, &err) == FOCAL_OK);
    return report;
}

uint64_t report_cell(const struct focal_report *report, const char *period, const char *name, enum focal_unit unit, const char *code)
{
    const struct focal_table *table = focal_report_table(report, period, name, unit);
    focal_assert(table);
    if (strcmp(code, "not_stated") == 0)
        return table->not_stated;
    if (strcmp(code, "total") == 0)
        return table->total;
    for (size_t i = 0; i < table->cell_count; i++) {
        if (strcmp(table->cells[i].code, code) == 0)
            return table->cells[i].count;
    }
    return 0;
}

static enum focal_status take(void *data, struct focal_span bytes)
{
    focal_buf_span(data, bytes);
    return FOCAL_OK;
}

enum focal_status report_rendered(struct focal_buf *out, const struct focal_report *report, const char *renderer)
{
    const struct focal_renderer *one = focal_renderer_by_name(renderer);
    focal_assert(one);
    focal_buf_init(out, 64u << 20);
    return focal_report_render(report, one, take, out);
}
