/* Lines of published figures to periods and tables, and what can be checked only when all lines are there. */
#include "figures.h"

#include <stdio.h>
#include <string.h>

typedef bool same_line(const struct figure_line *, const struct figure_line *);

static bool same_period(const struct figure_line *a, const struct figure_line *b)
{
    return strcmp(a->period, b->period) == 0;
}

static bool same_table(const struct figure_line *a, const struct figure_line *b)
{
    return same_period(a, b) && a->unit == b->unit && a->part == b->part && strcmp(a->dimension.name, b->dimension.name) == 0;
}

static bool first_of(const struct figures_file *file, size_t i, same_line *same)
{
    for (size_t j = 0; j < i; j++) {
        if (same(&file->lines[j], &file->lines[i]))
            return false;
    }
    return true;
}

static void *take(struct figures_file *file, size_t bytes)
{
    void *piece = focal_arena_alloc(&file->figures->arena, bytes);
    if (!piece)
        file->no_memory = true;
    return piece;
}

/* "allegation_type by victim in 2018-Q2", with how it was published. */
static void name_table(char *out, size_t size, const struct figure_line *line)
{
    snprintf(out, size, "%s by %s in %s%s%s", line->dimension.name, focal_unit_name(line->unit), line->period,
             line->part ? ", " : "", focal_part_kind_name(line->part));
}

/* ---- totals ---- */

static void read_totals(struct figures_file *file, struct focal_figure_period *period, uint64_t line_of[FOCAL_UNITS], const struct figure_line *like)
{
    for (size_t i = 0; i < file->line_count; i++) {
        const struct figure_line *line = &file->lines[i];
        if (!same_period(line, like) || line->dimension.is != DIMENSION_TOTAL)
            continue;
        if (line->part != FOCAL_PART_WHOLE)
            refuse(file->refusals, line->line, "part", "leave it empty", "a total is no part of anything");
        else if (period->has_total[line->unit])
            refuse(file->refusals, line->line, "dimension", "take one of them out", "the total of %s in %s stands twice, in line %llu before",
                   focal_unit_plural(line->unit, 2), line->period, (unsigned long long)line_of[line->unit]);
        period->has_total[line->unit] = true;
        period->total[line->unit] = line->count;
        line_of[line->unit] = line->line;
    }
}

/* Without a printed total there are at least as many as the fullest table says. */
static void infer_totals(struct focal_figure_period *period)
{
    for (size_t i = 0; i < period->table_count; i++) {
        const struct focal_figure_table *table = &period->tables[i];
        uint64_t least = table->sum;
        if (table->part == FOCAL_PART_OVERLAP) {
            least = 0;
            for (size_t c = 0; c < table->cell_count; c++)
                least = table->cells[c].count > least ? table->cells[c].count : least;
        }
        if (!period->has_total[table->unit] && least > period->total[table->unit])
            period->total[table->unit] = least;
    }
}

/* ---- one table ---- */

static bool share_code(const struct focal_figure_cell *a, const struct focal_figure_cell *b)
{
    for (size_t i = 0; i < a->code_count; i++) {
        for (size_t j = 0; j < b->code_count; j++) {
            if (strcmp(a->codes[i], b->codes[j]) == 0)
                return true;
        }
    }
    return false;
}

/* A part may be named once, and in a partition no code may lie in two parts. */
static void check_cell(struct figures_file *file, const struct focal_figure_table *table, size_t at, const struct figure_line *like)
{
    const struct focal_figure_cell *cell = &table->cells[at];
    char name[120];
    name_table(name, sizeof name, like);
    for (size_t i = 0; i < at; i++) {
        const struct focal_figure_cell *before = &table->cells[i];
        if (strcmp(before->value, cell->value) == 0) {
            refuse(file->refusals, cell->line, "value", "take one of them out", "%s: \"%s\" stands twice, in line %llu before",
                   name, show(focal_span_text(cell->value)).text, (unsigned long long)before->line);
            return;
        }
        if (table->part != FOCAL_PART_OVERLAP && share_code(before, cell)) {
            refuse(file->refusals, cell->line, "value", "mark the part as overlap, or correct it",
                   "%s: \"%s\" lies partly in \"%s\" of line %llu", name, show(focal_span_text(cell->value)).text,
                   show(focal_span_text(before->value)).text, (unsigned long long)before->line);
            return;
        }
    }
}

static void make_table(struct figures_file *file, struct focal_figure_table *table, size_t first)
{
    const struct figure_line *like = &file->lines[first];
    size_t count = 0;
    for (size_t i = first; i < file->line_count; i++)
        count += same_table(&file->lines[i], like);
    *table = (struct focal_figure_table){ .name = like->dimension.name, .unit = like->unit, .part = like->part };
    table->cells = take(file, count * sizeof *table->cells);
    for (size_t i = first; i < file->line_count && table->cells; i++) {
        const struct figure_line *line = &file->lines[i];
        if (!same_table(line, like))
            continue;
        struct focal_figure_cell *cell = &table->cells[table->cell_count];
        *cell = (struct focal_figure_cell){ .value = line->value, .codes = line->codes, .code_count = line->code_count,
                                            .count = line->count, .line = line->line };
        check_cell(file, table, table->cell_count++, line);
        table->sum += line->count;
    }
}

static void check_sums(struct figures_file *file, const struct focal_figure_period *period, struct focal_figure_table *table,
                       const struct figure_line *like)
{
    uint64_t total = period->total[table->unit], most = table->sum;
    const struct focal_figure_cell *at = &table->cells[table->cell_count - 1];
    char name[120];
    name_table(name, sizeof name, like);
    if (table->part == FOCAL_PART_OVERLAP) {
        most = 0;
        for (size_t i = 0; i < table->cell_count; i++) {
            if (table->cells[i].count > most) {
                most = table->cells[i].count;
                at = &table->cells[i];
            }
        }
    }
    if (most > total) {
        refuse(file->refusals, at->line, table->name, "correct the parts or the total",
               "%s: %s %llu %s, the total is %llu: %llu too many", name, table->part == FOCAL_PART_OVERLAP ? "one part is" : "the parts are",
               (unsigned long long)most, focal_unit_plural(table->unit, most), (unsigned long long)total, (unsigned long long)(most - total));
        return;
    }
    table->not_published = table->part == FOCAL_PART_OVERLAP ? 0 : total - most;
}

/* ---- periods ---- */

static void make_period(struct figures_file *file, struct focal_figure_period *period, size_t first)
{
    const struct figure_line *like = &file->lines[first];
    uint64_t line_of[FOCAL_UNITS] = { 0 };
    size_t count = 0;
    memcpy(period->period, like->period, sizeof period->period);
    read_totals(file, period, line_of, like);
    for (size_t i = first; i < file->line_count; i++)
        count += same_period(&file->lines[i], like) && file->lines[i].dimension.is != DIMENSION_TOTAL && first_of(file, i, same_table);
    period->tables = take(file, count * sizeof *period->tables);
    size_t *begins = take(file, count * sizeof *begins);
    for (size_t i = first; i < file->line_count && period->tables && begins; i++) {
        const struct figure_line *line = &file->lines[i];
        if (!same_period(line, like) || line->dimension.is == DIMENSION_TOTAL || !first_of(file, i, same_table))
            continue;
        begins[period->table_count] = i;
        make_table(file, &period->tables[period->table_count++], i);
    }
    if (file->no_memory)
        return;
    infer_totals(period);
    for (size_t i = 0; i < period->table_count; i++)
        check_sums(file, period, &period->tables[i], &file->lines[begins[i]]);
}

enum focal_status figures_tables(struct figures_file *file)
{
    struct focal_figures *figures = file->figures;
    size_t count = 0;
    for (size_t i = 0; i < file->line_count; i++)
        count += first_of(file, i, same_period);
    figures->periods = take(file, count * sizeof *figures->periods);
    for (size_t i = 0; i < file->line_count && !file->no_memory; i++) {
        if (first_of(file, i, same_period))
            make_period(file, &figures->periods[figures->period_count++], i);
    }
    return file->no_memory ? FOCAL_NO_MEMORY : FOCAL_OK;
}
