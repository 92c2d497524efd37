/* Counts to tables: cells in their order, with names; which tables are listed; published figures beside them. */
#include "inside.h"

#include <stdlib.h>
#include <string.h>

struct ranked { uint64_t rank; const struct tally *tally; };

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static const char *keep_code(struct focal_report *report, size_t counted, uint64_t key)
{
    struct focal_buf text;
    focal_buf_init(&text, 256);
    focal_report_code(&text, counted, key);
    const char *kept = text.failed ? NULL : focal_arena_copy(&report->arena, focal_buf_cstr(&text), text.len + 1);
    focal_buf_close(&text);
    return kept;
}

static const char *label_of(size_t counted)
{
    return counted == VICTIM_CELLS ? "Sex and age of victims" : counted == PERPETRATOR_CELLS ? "Sex of alleged perpetrators"
                                                                                           : focal_report_field(counted)->label_en;
}

static bool fill_cells(struct focal_report *report, struct focal_table *table, size_t counted, const struct tallies *t)
{
    struct focal_table_cell *cells = focal_arena_alloc(&report->arena, t->count * sizeof *cells);
    struct ranked *order = focal_arena_alloc(&report->arena, t->count * sizeof *order);
    size_t count = 0;
    if (!cells || !order)
        return false;
    for (size_t i = 0; i < t->count; i++) {
        uint64_t n = t->list[i].count[table->unit];
        table->total += n;
        if (t->list[i].key == KEY_ABSENT)
            table->not_stated = n;
        else if (n > 0)
            order[count++] = (struct ranked){ focal_report_rank(counted, t->list[i].key), &t->list[i] };
    }
    qsort(order, count, sizeof *order, by_rank);
    for (size_t i = 0; i < count; i++) {
        cells[i] = (struct focal_table_cell){ .code = keep_code(report, counted, order[i].tally->key), .count = order[i].tally->count[table->unit] };
        if (!cells[i].code)
            return false;
    }
    table->cells = cells;
    table->cell_count = count;
    return true;
}

static bool make_table(struct focal_report *report, struct section *section, struct focal_table *table, size_t counted, enum focal_unit unit)
{
    *table = (struct focal_table){ .name = focal_report_counted[counted].table, .label_en = label_of(counted), .unit = unit,
        .two_versions = section->tallies[counted].two_versions[unit], .at_least = unit == FOCAL_UNIT_PERPETRATOR && section->shown.at_least };
    if (!fill_cells(report, table, counted, &section->tallies[counted]))
        return false;
    focal_assert(table->total == section->shown.totals[unit]);
    return true;
}

static bool usual(const struct section *section, size_t counted, enum focal_unit unit)
{
    const struct counted *c = &focal_report_counted[counted];
    if (counted == VICTIM_CELLS || counted == PERPETRATOR_CELLS)
        return true;
    if (unit == FOCAL_UNIT_PERPETRATOR || (unit == FOCAL_UNIT_VICTIM && !c->by_victim))
        return false;
    if (strcmp(c->table, "received_quarter") == 0)
        return section->all || section->first != section->last;
    for (size_t i = 0; i < section->tallies[counted].count; i++) {
        if (section->tallies[counted].list[i].key != KEY_ABSENT)
            return true;
    }
    return c->always;
}

static bool fits(size_t counted, enum focal_unit unit)
{
    return (counted != VICTIM_CELLS || unit == FOCAL_UNIT_VICTIM) && (counted != PERPETRATOR_CELLS || unit == FOCAL_UNIT_PERPETRATOR);
}

/* The order on the page: people beside the type by victim, the rest as counted. */
static size_t place(size_t i)
{
    static const uint8_t order[KINDS_OF_CELLS] = { 1, VICTIM_CELLS, PERPETRATOR_CELLS, 2, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 };
    return order[i];
}

static bool make_section(struct focal_report *report, struct section *section)
{
    size_t count = 0;
    struct focal_table *tables = focal_arena_alloc(&report->arena, KINDS_OF_CELLS * FOCAL_UNITS * sizeof *tables);
    for (int pass = 0; pass < 2 && tables; pass++) {
        for (size_t i = 0; i < KINDS_OF_CELLS; i++) {
            for (unsigned u = 0; u < FOCAL_UNITS; u++) {
                enum focal_unit unit = (enum focal_unit)u;
                if (!fits(place(i), unit) || usual(section, place(i), unit) != (pass == 0))
                    continue;
                if (!make_table(report, section, &tables[count++], place(i), unit))
                    return false;
            }
        }
        if (pass == 0)
            section->shown.table_count = count;
    }
    section->shown.tables = tables;
    section->every_table = count;
    if (report->every_unit)
        section->shown.table_count = count;
    return tables != NULL;
}

static enum focal_status put_published(const struct focal_report *report, struct section *section)
{
    const struct focal_figure_period *published = report->published ? focal_figures_period(report->published, section->shown.period) : NULL;
    if (!published)
        return FOCAL_OK;
    enum focal_status status = focal_beside_open(&section->shown.beside, published, section->shown.tables, section->every_table, section->shown.totals);
    section->shown.has_published = status == FOCAL_OK;
    return status;
}

enum focal_status focal_report_tables_make(struct focal_report *report)
{
    enum focal_status status = FOCAL_OK;
    for (size_t i = 0; i < report->section_count && status == FOCAL_OK; i++) {
        status = make_section(report, &report->sections[i]) ? FOCAL_OK : FOCAL_NO_MEMORY;
        if (status == FOCAL_OK)
            status = put_published(report, &report->sections[i]);
    }
    return status;
}
