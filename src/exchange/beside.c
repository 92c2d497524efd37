/* Published figures beside ours: for each published part the sum of our codes that lie in it. */
#include "focal/exchange.h"

#include <string.h>

enum { BESIDE_ARENA_MAX = 16 << 20 };

static const struct focal_table *find(const struct focal_table *tables, size_t count, const char *name, enum focal_unit unit)
{
    for (size_t i = 0; i < count; i++) {
        if (tables[i].unit == unit && strcmp(tables[i].name, name) == 0)
            return &tables[i];
    }
    return NULL;
}

static bool holds(const struct focal_figure_cell *part, const char *code)
{
    for (size_t i = 0; i < part->code_count; i++) {
        if (strcmp(part->codes[i], code) == 0)
            return true;
    }
    return false;
}

static uint64_t ours_in(const struct focal_table *ours, const struct focal_figure_cell *part)
{
    uint64_t count = 0;
    for (size_t i = 0; ours && i < ours->cell_count; i++)
        count += holds(part, ours->cells[i].code) ? ours->cells[i].count : 0;
    return count;
}

static bool put_total(struct focal_besides *all, const struct focal_figure_period *published, enum focal_unit unit, uint64_t ours)
{
    struct focal_beside *beside = &all->list[all->count];
    struct focal_beside_cell *cell = focal_arena_alloc(&all->arena, sizeof *cell);
    if (!cell)
        return false;
    *cell = (struct focal_beside_cell){ .value = "all", .published = published->total[unit], .ours = ours };
    *beside = (struct focal_beside){ .name = "total", .unit = unit, .cells = cell, .cell_count = 1, .held = true,
                                     .equal = cell->published == ours };
    all->count++;
    return true;
}

static bool put_table(struct focal_besides *all, const struct focal_figure_table *published, const struct focal_table *ours)
{
    struct focal_beside *beside = &all->list[all->count];
    *beside = (struct focal_beside){ .name = published->name, .unit = published->unit, .part = published->part,
        .not_published = published->not_published, .held = ours != NULL, .equal = true };
    beside->cells = focal_arena_alloc(&all->arena, published->cell_count * sizeof *beside->cells);
    if (!beside->cells)
        return false;
    uint64_t told = 0;
    for (size_t i = 0; i < published->cell_count; i++) {
        struct focal_beside_cell *cell = &beside->cells[beside->cell_count++];
        *cell = (struct focal_beside_cell){ .value = published->cells[i].value, .published = published->cells[i].count,
                                            .ours = ours_in(ours, &published->cells[i]) };
        told += cell->ours;
        beside->equal = beside->equal && cell->published == cell->ours;
    }
    /* The parts of an overlap do not make up the whole, so nothing can be said about what they leave. */
    if (published->part != FOCAL_PART_OVERLAP) {
        beside->ours_rest = ours && ours->total > told ? ours->total - told : 0;
        beside->equal = beside->equal && beside->ours_rest == beside->not_published;
    }
    all->count++;
    return true;
}

enum focal_status focal_beside_open(struct focal_besides *all, const struct focal_figure_period *published,
                                    const struct focal_table *tables, size_t table_count, const uint64_t totals[FOCAL_UNITS])
{
    *all = (struct focal_besides){ .equal = true };
    focal_arena_init(&all->arena, BESIDE_ARENA_MAX);
    all->list = focal_arena_alloc(&all->arena, (FOCAL_UNITS + published->table_count) * sizeof *all->list);
    bool room = all->list != NULL;
    for (unsigned u = 0; u < FOCAL_UNITS && room; u++) {
        if (published->has_total[u])
            room = put_total(all, published, (enum focal_unit)u, totals[u]);
    }
    for (size_t i = 0; i < published->table_count && room; i++) {
        const struct focal_figure_table *table = &published->tables[i];
        room = put_table(all, table, find(tables, table_count, table->name, table->unit));
    }
    if (!room) {
        focal_beside_close(all);
        return FOCAL_NO_MEMORY;
    }
    for (size_t i = 0; i < all->count; i++)
        all->equal = all->equal && all->list[i].equal;
    return FOCAL_OK;
}

void focal_beside_close(struct focal_besides *all)
{
    focal_arena_close(&all->arena);
    *all = (struct focal_besides){ .list = NULL };
}
