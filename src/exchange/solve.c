/* The published parts as sums over items, and the whole course: begin, repair, begin anew, give up. */
#include "solve.h"

#include <stdio.h>
#include <string.h>

enum { SOLVE_ARENA_MAX = 128 << 20, TRIES = 8, MOVES_MIN = 200000, MOVES_PER_ITEM = 60 };

uint64_t solve_random(uint64_t *state, uint64_t below)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t x = *state;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return below ? x % below : 0;
}

bool solve_in_cell(const struct focal_figure_cell *cell, const char *code)
{
    for (size_t i = 0; i < cell->code_count; i++) {
        if (strcmp(cell->codes[i], code) == 0)
            return true;
    }
    return false;
}

static bool in_table(const struct focal_figure_table *table, const char *code)
{
    for (size_t i = 0; i < table->cell_count; i++) {
        if (solve_in_cell(&table->cells[i], code))
            return true;
    }
    return false;
}

/* ---- dimensions ---- */

static bool disjoint(const struct focal_figure_table *table)
{
    for (size_t i = 0; i < table->cell_count; i++) {
        for (size_t c = 0; c < table->cells[i].code_count; c++) {
            for (size_t j = 0; j < i; j++) {
                if (solve_in_cell(&table->cells[j], table->cells[i].codes[c]))
                    return false;
            }
        }
    }
    return true;
}

/* Overlapping parts that together exceed the total cannot come out, since an item bears one code: they are left out. */
static bool can_be_borne(const struct solve *s, const struct focal_figure_table *table)
{
    return table->part != FOCAL_PART_OVERLAP || !disjoint(table) || table->sum <= s->total[table->unit];
}

static struct solve_dimension *dimension_of(struct solve *s, const char *name)
{
    struct dimension d;
    for (size_t i = 0; i < s->dimension_count; i++) {
        if (strcmp(s->dimensions[i].name, name) == 0)
            return &s->dimensions[i];
    }
    if (s->dimension_count == SOLVE_DIMENSIONS_MAX || !figures_dimension(&d, focal_span_text(name)))
        return NULL;
    struct solve_dimension *made = &s->dimensions[s->dimension_count++];
    *made = (struct solve_dimension){ .name = d.name, .field = d.field };
    return made;
}

static bool better_primary(const struct solve *s, const struct focal_figure_table *table, const struct focal_figure_table *than)
{
    return table->unit == s->base && (table->part != FOCAL_PART_OVERLAP || disjoint(table)) && (!than || table->part < than->part);
}

static enum focal_status gather(struct solve *s, const struct focal_figure_period *period, enum dimension_is is, struct focal_error *err)
{
    for (size_t i = 0; i < period->table_count; i++) {
        const struct focal_figure_table *table = &period->tables[i];
        struct dimension d;
        focal_assert(figures_dimension(&d, focal_span_text(table->name)));
        if (d.is != is || !can_be_borne(s, table))
            continue;
        struct solve_dimension *made = dimension_of(s, table->name);
        if (!made || made->table_count == SOLVE_TABLES_MAX)
            return focal_fail(err, FOCAL_TOO_BIG, "leave some of them out", "%s publishes more tables than cases can be made for", period->period);
        made->tables[made->table_count++] = table;
        if (better_primary(s, table, made->primary))
            made->primary = table;
        s->sum_count += table->cell_count;
    }
    return FOCAL_OK;
}

static bool list_codes(struct solve *s, struct solve_dimension *d)
{
    size_t most = 1;
    for (size_t t = 0; t < d->table_count; t++) {
        for (size_t i = 0; i < d->tables[t]->cell_count; i++)
            most += d->tables[t]->cells[i].code_count;
    }
    d->codes = focal_arena_alloc(&s->arena, most * sizeof d->codes[0]);
    d->code_count = 1;
    for (size_t t = 0; t < d->table_count && d->codes; t++) {
        for (size_t i = 0; i < d->tables[t]->cell_count; i++) {
            const struct focal_figure_cell *cell = &d->tables[t]->cells[i];
            for (size_t c = 0; c < cell->code_count; c++) {
                bool known = false;
                for (size_t k = 1; k < d->code_count && !known; k++)
                    known = strcmp(d->codes[k], cell->codes[c]) == 0;
                if (!known)
                    d->codes[d->code_count++] = cell->codes[c];
            }
        }
    }
    return d->codes && d->code_count <= SOLVE_CODES_MAX;
}

static bool index_codes(struct solve *s, struct solve_dimension *d)
{
    size_t used = 0, room = 0;
    for (size_t k = 1; k < d->code_count; k++) {
        for (size_t i = 0; i < s->sum_count; i++)
            room += strcmp(s->sums[i].table->name, d->name) == 0 && solve_in_cell(s->sums[i].cell, d->codes[k]);
    }
    d->group = focal_arena_alloc(&s->arena, d->code_count * sizeof d->group[0]);
    d->sums = focal_arena_alloc(&s->arena, d->code_count * sizeof d->sums[0]);
    d->touched = focal_arena_alloc(&s->arena, room * sizeof d->touched[0]);
    d->code_of = focal_arena_alloc(&s->arena, s->items * sizeof d->code_of[0]);
    if (!d->group || !d->sums || !d->touched || !d->code_of)
        return false;
    for (size_t k = 1; k < d->code_count; k++) {
        d->sums[k][0] = (uint32_t)used;
        for (size_t i = 0; i < s->sum_count; i++) {
            if (strcmp(s->sums[i].table->name, d->name) == 0 && solve_in_cell(s->sums[i].cell, d->codes[k]))
                d->touched[used++] = (uint32_t)i;
        }
        d->sums[k][1] = (uint32_t)used - d->sums[k][0];
        for (size_t i = 0; d->primary && i < d->primary->cell_count; i++) {
            if (solve_in_cell(&d->primary->cells[i], d->codes[k]))
                d->group[k] = (uint32_t)i + 1;
        }
    }
    d->linked = d->table_count > (d->primary ? 1u : 0u);
    return true;
}

static bool list_sums(struct solve *s)
{
    size_t count = 0;
    s->sums = focal_arena_alloc(&s->arena, s->sum_count * sizeof *s->sums);
    for (size_t i = 0; i < s->dimension_count && s->sums; i++) {
        const struct solve_dimension *d = &s->dimensions[i];
        for (size_t t = 0; t < d->table_count; t++) {
            for (size_t c = 0; c < d->tables[t]->cell_count; c++)
                s->sums[count++] = (struct solve_sum){ .table = d->tables[t], .cell = &d->tables[t]->cells[c],
                    .unit = d->tables[t]->unit, .target = (int64_t)d->tables[t]->cells[c].count };
        }
    }
    return s->sums != NULL;
}

enum focal_status solve_open(struct solve *s, const struct focal_figure_period *period, enum dimension_is is, enum focal_unit base,
                             uint64_t seed, struct focal_error *err)
{
    *s = (struct solve){ .base = base, .items = (size_t)period->total[base], .random = seed };
    focal_arena_init(&s->arena, SOLVE_ARENA_MAX);
    memcpy(s->total, period->total, sizeof s->total);
    enum focal_status status = gather(s, period, is, err);
    if (status != FOCAL_OK)
        return status;
    bool room = list_sums(s);
    for (unsigned u = 0; u < FOCAL_UNITS && room; u++) {
        if (u != base && is == DIMENSION_CASE) {
            s->weight[u] = focal_arena_alloc(&s->arena, s->items * sizeof s->weight[u][0]);
            room = s->weight[u] != NULL;
        }
    }
    for (size_t i = 0; i < s->dimension_count && room; i++)
        room = list_codes(s, &s->dimensions[i]) && index_codes(s, &s->dimensions[i]);
    return room ? FOCAL_OK : focal_fail(err, FOCAL_NO_MEMORY, "free some memory and try again", "no memory to make the cases of %s", period->period);
}

void solve_close(struct solve *s)
{
    focal_arena_close(&s->arena);
}

/* ---- sums follow every change ---- */

static int64_t off(const struct solve_sum *sum)
{
    return sum->now > sum->target ? sum->now - sum->target : sum->target - sum->now;
}

void solve_touch(struct solve *s, const struct solve_dimension *d, uint16_t code, enum focal_unit unit, int64_t by)
{
    for (uint32_t i = 0; i < d->sums[code][1]; i++) {
        struct solve_sum *sum = &s->sums[d->touched[d->sums[code][0] + i]];
        if (sum->unit != unit)
            continue;
        s->cost -= off(sum);
        sum->now += by;
        s->cost += off(sum);
    }
}

void solve_recode(struct solve *s, struct solve_dimension *d, size_t item, uint16_t code)
{
    for (unsigned u = 0; u < FOCAL_UNITS; u++) {
        int64_t weight = u == s->base ? 1 : s->weight[u] ? s->weight[u][item] : 0;
        solve_touch(s, d, d->code_of[item], (enum focal_unit)u, -weight);
        solve_touch(s, d, code, (enum focal_unit)u, weight);
    }
    d->code_of[item] = code;
}

void solve_reweigh(struct solve *s, enum focal_unit unit, size_t item, int64_t by)
{
    s->weight[unit][item] = (uint32_t)((int64_t)s->weight[unit][item] + by);
    for (size_t i = 0; i < s->dimension_count; i++)
        solve_touch(s, &s->dimensions[i], s->dimensions[i].code_of[item], unit, by);
}

/* ---- whether it can come out at all ---- */

static enum focal_status stand_against(const struct focal_figure_period *period, const struct focal_figure_table *a,
                                       const struct focal_figure_table *b, const char *why, struct focal_error *err)
{
    return focal_fail(err, FOCAL_REFUSED, "correct one of the two tables, or take it out",
                      "%s: no cases give both the table %s by %s and the table %s by %s%s%s", period->period, a->name,
                      focal_unit_name(a->unit), b->name, focal_unit_name(b->unit), why[0] ? ": " : "", why);
}

/* Items that may bear a code in (or, with `in` false, outside) the table's parts or the one part. */
static bool has_bearer(const struct solve *s, const struct solve_dimension *d, const struct focal_figure_table *table,
                       const struct focal_figure_cell *cell)
{
    uint64_t free_items = s->items - (d->primary->sum < s->items ? d->primary->sum : s->items);
    if (!cell && free_items > 0)
        return true;
    for (size_t k = 1; k < d->code_count; k++) {
        bool wanted = cell ? solve_in_cell(cell, d->codes[k]) : !in_table(table, d->codes[k]);
        uint64_t items = d->group[k] ? d->primary->cells[d->group[k] - 1].count : free_items;
        if (wanted && items > 0)
            return true;
    }
    return false;
}

enum focal_status solve_possible(const struct solve *s, const struct focal_figure_period *period, struct focal_error *err)
{
    char why[160];
    for (size_t i = 0; i < s->dimension_count; i++) {
        const struct solve_dimension *d = &s->dimensions[i];
        for (size_t t = 0; t < d->table_count && d->primary; t++) {
            const struct focal_figure_table *table = d->tables[t];
            if (table == d->primary)
                continue;
            for (size_t c = 0; c < table->cell_count; c++) {
                if (table->cells[c].count == 0 || has_bearer(s, d, table, &table->cells[c]))
                    continue;
                snprintf(why, sizeof why, "%llu %s of %s would have no %s", (unsigned long long)table->cells[c].count,
                         focal_unit_plural(table->unit, table->cells[c].count), show(focal_span_text(table->cells[c].value)).text, focal_unit_name(s->base));
                return stand_against(period, table, d->primary, why, err);
            }
            if (table->not_published > 0 && !has_bearer(s, d, table, NULL)) {
                snprintf(why, sizeof why, "%llu %s not published there would have no %s", (unsigned long long)table->not_published,
                         focal_unit_plural(table->unit, table->not_published), focal_unit_name(s->base));
                return stand_against(period, table, d->primary, why, err);
            }
        }
    }
    return FOCAL_OK;
}

/* ---- the course ---- */

static enum focal_status give_up(const struct solve *s, const struct focal_figure_period *period, struct focal_error *err)
{
    const struct focal_figure_table *first = NULL, *second = NULL;
    for (size_t i = 0; i < s->sum_count; i++) {
        if (off(&s->sums[i]) == 0)
            continue;
        if (!first)
            first = s->sums[i].table;
        else if (s->sums[i].table != first && !second)
            second = s->sums[i].table;
    }
    focal_assert(first);
    for (size_t i = 0; i < s->dimension_count && !second; i++) {
        if (strcmp(s->dimensions[i].name, first->name) == 0 && s->dimensions[i].primary != first)
            second = s->dimensions[i].primary;
    }
    for (size_t i = 0; i < s->sum_count && !second; i++) {
        if (s->sums[i].table != first && s->sums[i].unit == first->unit)
            second = s->sums[i].table;
    }
    return stand_against(period, first, second ? second : first, "", err);
}

enum focal_status solve_run(struct solve *s, const struct focal_figure_period *period, struct focal_error *err)
{
    enum focal_status status = solve_possible(s, period, err);
    if (status != FOCAL_OK)
        return status;
    for (int i = 0; i < TRIES; i++) {
        solve_begin(s);
        if (s->cost > 0)
            solve_repair(s, MOVES_MIN + (uint64_t)s->items * MOVES_PER_ITEM);
        if (s->cost == 0)
            return FOCAL_OK;
    }
    return give_up(s, period, err);
}
