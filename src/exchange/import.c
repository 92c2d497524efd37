/* A whole file of records, in pieces: rows without fault to the caller, every fault to the list. */
#include "inside.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN_FIELD, COLUMN_ID, COLUMN_RECORD, COLUMN_PASSED_OVER };
struct column { int is; const struct focal_field *field; };

struct focal_import {
    struct focal_import_setup is;
    struct focal_csv *csv;
    struct column columns[FOCAL_ROW_CELLS_MAX];
    size_t column_count;
    struct focal_buf header;            /* the first line as it stood */
    bool header_seen;
    struct focal_buf line; uint64_t line_number; bool line_lost;    /* JSON lines */
    unsigned mark;
    struct focal_row row;
    struct focal_refusals refusals;
    uint64_t good, bad;
    bool broken;
    enum focal_status stopped;          /* what a callback of the caller said, or NO_MEMORY */
};

bool focal_form_by_name(enum focal_form *out, const char *name)
{
    if (strcmp(name, "csv") == 0)
        *out = FOCAL_FORM_CSV;
    else if (strcmp(name, "jsonl") == 0)
        *out = FOCAL_FORM_JSONL;
    else
        return false;
    return true;
}

/* ---- a row that was read: with faults or without ---- */

static enum focal_status settle(struct focal_import *import, uint64_t refused_before, struct focal_span source)
{
    uint64_t count = import->refusals.total - refused_before;
    if (count == 0) {
        import->good++;
        return import->is.row ? import->is.row(import->is.data, &import->row) : FOCAL_OK;
    }
    import->bad++;
    if (!import->is.refused)
        return FOCAL_OK;
    struct focal_refusal unkept = { .line = import->row.line };
    snprintf(unkept.reason, sizeof unkept.reason, "refused; more than %d faults came before it", FOCAL_REFUSALS_KEPT);
    const struct focal_refusal *first = refused_before < import->refusals.kept ? &import->refusals.list[refused_before] : &unkept;
    return import->is.refused(import->is.data, first, (size_t)count, source);
}

/* ---- CSV ---- */

static void read_column(struct focal_import *import, uint64_t line, struct column *column, struct focal_span cell)
{
    struct shown name = show(cell);
    *column = (struct column){ .is = COLUMN_PASSED_OVER };
    if (strcmp(name.text, "id") == 0) {
        column->is = COLUMN_ID;
    } else if (strcmp(name.text, "record") == 0) {
        column->is = COLUMN_RECORD;
    } else if (!passed_over(name.text)) {
        column->is = COLUMN_FIELD;
        column->field = field_named(import->is.intake.kind, name.text);
        if (!column->field) {
            char hint[120];
            hint_nearest_field(hint, sizeof hint, import->is.intake.kind, name.text);
            refuse(&import->refusals, line, name.text, hint, "a %s has no field \"%s\"", import->is.intake.kind->label_en, name.text);
        }
    }
}

static void read_header(struct focal_import *import, const struct focal_csv_row *row)
{
    uint64_t before = import->refusals.total;
    import->header_seen = true;
    focal_buf_span(&import->header, row->source);
    import->column_count = row->cell_count;
    for (size_t i = 0; i < row->cell_count; i++) {
        struct column *column = &import->columns[i];
        read_column(import, row->line, column, row->cells[i]);
        for (size_t j = 0; j < i; j++) {
            bool same = column->is == import->columns[j].is && column->field == import->columns[j].field;
            bool one = column->is == COLUMN_PASSED_OVER || (column->is == COLUMN_FIELD && !column->field);
            if (same && !one)
                refuse(&import->refusals, row->line, show(row->cells[i]).text, "take one of them out",
                       "the first line names \"%s\" twice", show(row->cells[i]).text);
        }
    }
    import->broken = import->refusals.total > before;
}

static enum focal_status read_cells(struct focal_import *import, const struct focal_csv_row *row, int is)
{
    for (size_t i = 0; i < import->column_count; i++) {
        struct focal_error err;
        if (import->columns[i].is != is)
            continue;
        enum focal_status status = row_set_id(&import->row, row->cells[i], &err);
        if (status == FOCAL_NO_MEMORY)
            return status;
        if (status != FOCAL_OK)
            refuse_error(&import->refusals, row->line, "id", &err);
    }
    return FOCAL_OK;
}

static enum focal_status read_fields(struct focal_import *import, const struct focal_csv_row *row)
{
    const struct focal_kind *kind = import->is.intake.kind;
    for (size_t f = 0; f < kind->field_count; f++) {
        for (size_t i = 0; i < import->column_count; i++) {
            struct focal_error err;
            if (import->columns[i].field != &kind->fields[f])
                continue;
            enum focal_status status = focal_rows_add_text(&import->row, &import->is.intake, &kind->fields[f], row->cells[i], &err);
            if (status == FOCAL_NO_MEMORY)
                return status;
            if (status != FOCAL_OK)
                refuse_error(&import->refusals, row->line, kind->fields[f].name, &err);
        }
    }
    return FOCAL_OK;
}

static void refuse_empty(struct focal_import *import, uint64_t line, uint64_t before)
{
    if (import->refusals.total == before && import->row.item_count == 0)
        refuse(&import->refusals, line, "", "take the line out", "the row says nothing");
}

static enum focal_status read_row(struct focal_import *import, const struct focal_csv_row *row)
{
    if (import->broken)
        return FOCAL_OK;
    if (!import->header_seen) {
        read_header(import, row);
        return import->header.failed ? FOCAL_NO_MEMORY : FOCAL_OK;
    }
    uint64_t before = import->refusals.total;
    focal_row_clear(&import->row);
    import->row.line = row->line;
    if (row->cell_count != import->column_count) {
        refuse(&import->refusals, row->line, "", "put cells that hold commas in quotes; leave no cell out",
               "the row has %zu cells, the first line has %zu", row->cell_count, import->column_count);
        return settle(import, before, row->source);
    }
    enum focal_status status = read_cells(import, row, COLUMN_ID);
    if (status == FOCAL_OK)
        status = read_cells(import, row, COLUMN_RECORD);
    if (status == FOCAL_OK)
        status = read_fields(import, row);
    refuse_empty(import, row->line, before);
    return status == FOCAL_OK ? settle(import, before, row->source) : status;
}

static enum focal_status csv_row(void *data, const struct focal_csv_row *row)
{
    struct focal_import *import = data;
    return import->stopped = read_row(import, row);
}

/* ---- JSON lines ---- */

static bool blank(struct focal_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != ' ' && text.data[i] != '\t')
            return false;
    }
    return true;
}

static enum focal_status json_line(struct focal_import *import)
{
    struct focal_span text = focal_buf_view(&import->line);
    if (text.len > 0 && text.data[text.len - 1] == '\r')
        text.len--;
    if (import->line_number == 1 && text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        text = focal_span_of(text.data + 3, text.len - 3);
    uint64_t before = import->refusals.total;
    import->row.line = import->line_number;
    if (import->line_lost) {
        refuse(&import->refusals, import->line_number, "", "give one record a line", "the line has more than %d bytes", FOCAL_ROW_BYTES_MAX);
        text = focal_span_of(text.data, 0);
    } else if (blank(text)) {
        return FOCAL_OK;
    } else {
        enum focal_status status = focal_rows_from_json(&import->row, &import->is.intake, text, import->line_number, &import->refusals);
        if (status == FOCAL_NO_MEMORY)
            return status;
        refuse_empty(import, import->line_number, before);
    }
    return settle(import, before, text);
}

static enum focal_status end_line(struct focal_import *import)
{
    import->line_number++;
    enum focal_status status = json_line(import);
    focal_buf_clear(&import->line);
    import->line_lost = false;
    return status;
}

static enum focal_status feed_lines(struct focal_import *import, struct focal_span bytes)
{
    enum focal_status status = FOCAL_OK;
    while (bytes.len > 0 && status == FOCAL_OK) {
        const uint8_t *end = memchr(bytes.data, '\n', bytes.len);
        size_t len = end ? (size_t)(end - bytes.data) : bytes.len;
        if (len > FOCAL_ROW_BYTES_MAX - import->line.len)
            import->line_lost = true;
        if (!import->line_lost)
            focal_buf_bytes(&import->line, bytes.data, len);
        if (import->line.failed)
            return FOCAL_NO_MEMORY;
        if (end)
            status = end_line(import);
        len += end ? 1 : 0;
        bytes = (struct focal_span){ bytes.data + len, bytes.len - len };
    }
    return status;
}

/* ---- the door ---- */

enum focal_status focal_import_open(struct focal_import **out, const struct focal_import_setup *setup)
{
    struct focal_import *import = *out = focal_alloc(sizeof *import);
    if (!import)
        return FOCAL_NO_MEMORY;
    import->is = *setup;
    import->stopped = FOCAL_OK;
    focal_buf_init(&import->header, FOCAL_ROW_BYTES_MAX);
    focal_buf_init(&import->line, FOCAL_ROW_BYTES_MAX);
    focal_row_init(&import->row);
    focal_refusals_init(&import->refusals);
    if (setup->form == FOCAL_FORM_CSV && focal_csv_open(&import->csv, csv_row, import) != FOCAL_OK) {
        focal_import_close(import);
        *out = NULL;
        return FOCAL_NO_MEMORY;
    }
    return FOCAL_OK;
}

void focal_import_close(struct focal_import *import)
{
    if (!import)
        return;
    focal_csv_close(import->csv);
    focal_buf_close(&import->header);
    focal_buf_close(&import->line);
    focal_row_close(&import->row);
    focal_refusals_close(&import->refusals);
    focal_free(import);
}

/* What the CSV reader cannot read is a fault of the file; what a callback says is the caller's own. */
static enum focal_status csv_outcome(struct focal_import *import, enum focal_status status, const struct focal_error *why, struct focal_error *err)
{
    if (import->stopped == FOCAL_OK && (status == FOCAL_MALFORMED || status == FOCAL_TOO_BIG)) {
        if (!import->broken)
            refuse_error(&import->refusals, focal_csv_line(import->csv), "", why);
        import->broken = true;
        return FOCAL_OK;
    }
    if (status != FOCAL_OK && err)
        *err = *why;
    return status;
}

enum focal_status focal_import_feed(struct focal_import *import, struct focal_span bytes, struct focal_error *err)
{
    if (import->broken)
        return FOCAL_OK;
    if (import->csv) {
        struct focal_error why;
        enum focal_status status = focal_csv_feed(import->csv, bytes, &why);
        return csv_outcome(import, status, &why, err);
    }
    enum focal_status status = feed_lines(import, bytes);
    if (status != FOCAL_OK)
        focal_fail(err, status, "", "line %llu: %s", (unsigned long long)import->line_number, focal_status_text(status));
    return status;
}

enum focal_status focal_import_finish(struct focal_import *import, struct focal_error *err)
{
    enum focal_status status = FOCAL_OK;
    if (import->csv && !import->broken) {
        struct focal_error why;
        status = focal_csv_finish(import->csv, &why);
        status = csv_outcome(import, status, &why, err);
    } else if (!import->csv && (import->line.len > 0 || import->line_lost)) {
        status = end_line(import);
        if (status != FOCAL_OK)
            focal_fail(err, status, "", "line %llu: %s", (unsigned long long)import->line_number, focal_status_text(status));
    }
    if (status == FOCAL_OK && import->csv && !import->header_seen && !import->broken) {
        refuse(&import->refusals, 1, "", "begin the file with a line of field names", "the file is empty");
        import->broken = true;
    }
    return status;
}

const struct focal_refusals *focal_import_refusals(const struct focal_import *import) { return &import->refusals; }
uint64_t focal_import_good(const struct focal_import *import) { return import->good; }
uint64_t focal_import_bad(const struct focal_import *import) { return import->bad; }
bool focal_import_broken(const struct focal_import *import) { return import->broken; }

/* ---- for a file of what was refused ---- */

void focal_reject_header(struct focal_buf *out, const struct focal_import *import)
{
    if (import->is.form != FOCAL_FORM_CSV || !import->header_seen)
        return;
    focal_buf_span(out, focal_buf_view(&import->header));
    focal_buf_text(out, ",refused\r\n");
}
