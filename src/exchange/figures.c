/* Files of published figures: every line read and checked. Tables are made of the lines in tables.c. */
#include "figures.h"

#include <stdio.h>
#include <string.h>

enum { COUNT_MAX = 1000000, CODES_MAX = 64 };

static const char *const columns[COLUMNS] = { "period", "unit", "dimension", "part", "value", "count" };

const struct focal_kind *figures_kind(void)
{
    return focal_kind_by_number(FOCAL_KIND_CASE);
}

/* Fields of a case of which every case has one value. */
static const struct focal_field *counted_field(const char *name)
{
    const struct focal_field *field = field_named(figures_kind(), name);
    if (!field || focal_field_merge(field->number) != FOCAL_MERGE_REGISTER || strcmp(name, "received_quarter") == 0 ||
        focal_field_scope(field->number) == FOCAL_SCOPE_SEALED)
        return NULL;
    return field->type == FOCAL_TYPE_CODE || field->type == FOCAL_TYPE_PERIOD || field->type == FOCAL_TYPE_COUNTRY ? field : NULL;
}

bool figures_dimension(struct dimension *out, struct focal_span text)
{
    struct shown name = show(text);
    *out = (struct dimension){ .name = NULL };
    if (strcmp(name.text, "total") == 0)
        *out = (struct dimension){ .name = "total", .is = DIMENSION_TOTAL };
    else if (strcmp(name.text, "victim_sex_age") == 0)
        *out = (struct dimension){ .name = "victim_sex_age", .is = DIMENSION_VICTIM, .field = field_named(figures_kind(), "victims") };
    else if (strcmp(name.text, "perpetrator_sex") == 0)
        *out = (struct dimension){ .name = "perpetrator_sex", .is = DIMENSION_PERPETRATOR, .field = field_named(figures_kind(), "perpetrators") };
    else if (counted_field(name.text))
        *out = (struct dimension){ .name = counted_field(name.text)->name, .is = DIMENSION_CASE, .field = counted_field(name.text) };
    return out->name != NULL;
}

/* ---- one line ---- */

static bool read_period(struct figures_file *file, const struct focal_csv_row *row, struct figure_line *line)
{
    struct focal_span text = row->cells[file->column[COLUMN_PERIOD]];
    uint32_t quarter;
    uint64_t year;
    bool fits = text.len < sizeof line->period && (focal_quarter_parse(&quarter, text) ||
                (text.len == 4 && focal_parse_u64(text, &year) && year >= 1945));
    if (!fits) {
        refuse(file->refusals, row->line, "period", "write 2018-Q2, or 2018", "period: \"%s\" is no quarter and no year", show(text).text);
        return false;
    }
    memcpy(line->period, text.data, text.len);
    return true;
}

static bool read_unit(struct figures_file *file, const struct focal_csv_row *row, struct figure_line *line)
{
    struct focal_span text = row->cells[file->column[COLUMN_UNIT]];
    if (focal_unit_by_name(&line->unit, text))
        return true;
    refuse(file->refusals, row->line, "unit", "write allegation, victim or perpetrator", "unit: \"%s\" is nothing that is counted", show(text).text);
    return false;
}

static bool read_dimension(struct figures_file *file, const struct focal_csv_row *row, struct figure_line *line)
{
    struct focal_span text = row->cells[file->column[COLUMN_DIMENSION]];
    if (!figures_dimension(&line->dimension, text)) {
        char hint[120];
        hint_nearest_field(hint, sizeof hint, figures_kind(), show(text).text);
        refuse(file->refusals, row->line, "dimension", hint, "dimension: \"%s\" is no field by which cases are counted", show(text).text);
        return false;
    }
    bool victims = line->dimension.is == DIMENSION_VICTIM, people = line->dimension.is == DIMENSION_PERPETRATOR;
    if ((victims && line->unit != FOCAL_UNIT_VICTIM) || (people && line->unit != FOCAL_UNIT_PERPETRATOR)) {
        refuse(file->refusals, row->line, "unit", "correct the unit", "%s is counted by %s", line->dimension.name, victims ? "victim" : "perpetrator");
        return false;
    }
    return true;
}

static bool read_part(struct figures_file *file, const struct focal_csv_row *row, struct figure_line *line)
{
    struct focal_span text = row->cells[file->column[COLUMN_PART]];
    for (unsigned i = FOCAL_PART_WHOLE; i <= FOCAL_PART_OVERLAP; i++) {
        line->part = (enum focal_part_kind)i;
        if (focal_span_equal(text, focal_span_text(focal_part_kind_name(line->part))))
            return true;
    }
    refuse(file->refusals, row->line, "part", "leave it empty, or write partial or overlap", "part: \"%s\" is not known", show(text).text);
    return false;
}

static bool read_count(struct figures_file *file, const struct focal_csv_row *row, struct figure_line *line)
{
    struct focal_span text = row->cells[file->column[COLUMN_COUNT]];
    if (focal_parse_u64(text, &line->count) && line->count <= COUNT_MAX)
        return true;
    refuse(file->refusals, row->line, "count", "write digits alone", "count: \"%s\" is no whole number up to %d", show(text).text, COUNT_MAX);
    return false;
}

/* No incident lies after the year in which it was reported. In days since 1970, one less than the last that is taken. */
static uint32_t day_before_last(const struct figure_line *line)
{
    enum { EPOCH_DAY = 719162 /* 1970-01-01 */ };
    char text[16] = "9999-12-30";
    uint32_t days;
    if (line->period[0])
        memcpy(text, line->period, 4);
    return focal_date_parse(&days, focal_span_text(text)) && days > EPOCH_DAY ? days - EPOCH_DAY : 0;
}

/* One code of the dimension, in the spelling in which values print. */
static bool read_code(struct figures_file *file, uint64_t at_line, const struct figure_line *line, struct focal_span text)
{
    const struct dimension *dimension = &line->dimension;
    struct focal_error err;
    struct focal_buf bytes;
    bool taken = true;
    if (dimension->is == DIMENSION_PERPETRATOR) {
        if (!focal_code_by_name(dimension->field->tables[0], text)) {
            refuse(file->refusals, at_line, "value", "write male, female, other or unknown", "%s: \"%s\" is no code of it", dimension->name, show(text).text);
            return false;
        }
        return true;
    }
    if (dimension->is == DIMENSION_VICTIM && (text.len < 3 || text.data[0] == '.' || text.data[text.len - 1] == '.' || !memchr(text.data, '.', text.len))) {
        refuse(file->refusals, at_line, "value", "write sex and age, such as female.child or female.unknown",
               "%s: \"%s\" is no code of it", dimension->name, show(text).text);
        return false;
    }
    focal_buf_init(&bytes, 256);
    if (focal_value_parse(&bytes, dimension->field, text, day_before_last(line), &err) != FOCAL_OK) {
        refuse_error(file->refusals, at_line, "value", &err);
        taken = false;
    }
    focal_buf_close(&bytes);
    return taken;
}

static const char *copy_text(struct figures_file *file, struct focal_span text)
{
    char *copy = focal_arena_alloc(&file->figures->arena, text.len + 1);
    if (copy)
        memcpy(copy, text.data, text.len);
    else
        file->no_memory = true;
    return copy;
}

/* "2015+2016+2017": each code once. */
static bool read_value(struct figures_file *file, const struct focal_csv_row *row, struct figure_line *line)
{
    struct focal_span text = row->cells[file->column[COLUMN_VALUE]];
    const char *codes[CODES_MAX];
    if (line->dimension.is == DIMENSION_TOTAL) {
        if (!focal_span_equal(text, focal_span_text("all"))) {
            refuse(file->refusals, row->line, "value", "write all", "total: its value is all, not \"%s\"", show(text).text);
            return false;
        }
        line->value = "all";
        return true;
    }
    line->value = copy_text(file, text);
    for (bool more = true; more;) {
        const uint8_t *plus = text.len ? memchr(text.data, '+', text.len) : NULL;
        struct focal_span one = { text.data, plus ? (size_t)(plus - text.data) : text.len };
        more = plus != NULL;
        if (more)
            text = (struct focal_span){ plus + 1, text.len - one.len - 1 };
        if (line->code_count == CODES_MAX) {
            refuse(file->refusals, row->line, "value", "split the class", "%s: more than %d codes in one class", line->dimension.name, CODES_MAX);
            return false;
        }
        if (!read_code(file, row->line, line, one))
            return false;
        codes[line->code_count] = copy_text(file, one);
        for (size_t i = 0; i < line->code_count && !file->no_memory; i++) {
            if (strcmp(codes[i], codes[line->code_count]) == 0) {
                refuse(file->refusals, row->line, "value", "name it once", "%s: \"%s\" stands twice in one class", line->dimension.name, codes[i]);
                return false;
            }
        }
        line->code_count++;
    }
    line->codes = focal_arena_copy(&file->figures->arena, codes, line->code_count * sizeof codes[0]);
    if (!line->codes)
        file->no_memory = true;
    return !file->no_memory;
}

static bool keep_line(struct figures_file *file, const struct figure_line *line)
{
    if (file->line_count == file->line_cap) {
        size_t cap = file->line_cap ? file->line_cap * 2 : 64;
        struct figure_line *lines = focal_realloc(file->lines, cap * sizeof *lines);
        if (!lines) {
            file->no_memory = true;
            return false;
        }
        file->lines = lines;
        file->line_cap = cap;
    }
    file->lines[file->line_count++] = *line;
    return true;
}

static void read_header(struct figures_file *file, const struct focal_csv_row *row)
{
    file->header_seen = true;
    file->cell_count = row->cell_count;
    for (size_t c = 0; c < COLUMNS; c++) {
        bool found = false;
        for (size_t i = 0; i < row->cell_count && !found; i++) {
            found = focal_span_equal(row->cells[i], focal_span_text(columns[c]));
            file->column[c] = i;
        }
        if (!found) {
            refuse(file->refusals, row->line, columns[c], "begin with: period,unit,dimension,part,value,count,source,note",
                   "the first line names no column \"%s\"", columns[c]);
            file->header_bad = true;
        }
    }
}

static enum focal_status read_row(void *data, const struct focal_csv_row *row)
{
    struct figures_file *file = data;
    struct figure_line line = { .line = row->line };
    if (!file->header_seen) {
        read_header(file, row);
        return FOCAL_OK;
    }
    if (file->header_bad)
        return FOCAL_OK;
    if (row->cell_count != file->cell_count) {
        refuse(file->refusals, row->line, "", "put cells that hold commas in quotes; leave no cell out",
               "the row has %zu cells, the first line has %zu", row->cell_count, file->cell_count);
        return FOCAL_OK;
    }
    if (file->line_count == FIGURE_LINES_MAX)
        return FOCAL_TOO_BIG;
    bool good = read_period(file, row, &line);
    good = read_unit(file, row, &line) && good;
    good = read_part(file, row, &line) && good;
    good = read_count(file, row, &line) && good;
    if (read_dimension(file, row, &line) && read_value(file, row, &line) && good)
        keep_line(file, &line);
    return file->no_memory ? FOCAL_NO_MEMORY : FOCAL_OK;
}

/* ---- the door ---- */

static enum focal_status read_file(struct figures_file *file, struct focal_span bytes)
{
    struct focal_csv *csv;
    struct focal_error err;
    if (focal_csv_open(&csv, read_row, file) != FOCAL_OK)
        return FOCAL_NO_MEMORY;
    enum focal_status status = focal_csv_feed(csv, bytes, &err);
    if (status == FOCAL_OK)
        status = focal_csv_finish(csv, &err);
    if (status != FOCAL_OK && status != FOCAL_NO_MEMORY)
        refuse_error(file->refusals, focal_csv_line(csv), "", &err);
    focal_csv_close(csv);
    return status;
}

enum focal_status focal_figures_parse(struct focal_figures **out, struct focal_span csv, struct focal_refusals *refusals)
{
    uint64_t before = refusals->total;
    struct figures_file file = { .refusals = refusals, .figures = focal_alloc(sizeof *file.figures) };
    *out = NULL;
    if (!file.figures)
        return FOCAL_NO_MEMORY;
    focal_arena_init(&file.figures->arena, FIGURES_ARENA_MAX);
    enum focal_status status = read_file(&file, csv);
    if (status == FOCAL_OK && file.line_count == 0 && refusals->total == before)
        refuse(refusals, 1, "", "begin with: period,unit,dimension,part,value,count,source,note", "the file holds no figures");
    if (status == FOCAL_OK)
        status = figures_tables(&file);
    focal_free(file.lines);
    if (status == FOCAL_OK && refusals->total > before)
        status = FOCAL_REFUSED;
    if (status == FOCAL_OK)
        *out = file.figures;
    else
        focal_figures_close(file.figures);
    return status;
}

void focal_figures_close(struct focal_figures *figures)
{
    if (!figures)
        return;
    focal_arena_close(&figures->arena);
    focal_free(figures);
}

const struct focal_figure_period *focal_figures_period(const struct focal_figures *figures, const char *period)
{
    for (size_t i = 0; i < figures->period_count; i++) {
        if (strcmp(figures->periods[i].period, period) == 0)
            return &figures->periods[i];
    }
    return NULL;
}
