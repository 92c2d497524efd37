/* A first assignment that is exact where a construction is known, and small moves that repair the rest. */
#include "solve.h"

#include <string.h>

/* ---- beginning ---- */

static void shuffle(struct solve *s, uint16_t *list, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)solve_random(&s->random, i);
        uint16_t held = list[i - 1];
        list[i - 1] = list[j];
        list[j] = held;
    }
}

static uint16_t code_number(const struct solve_dimension *d, const char *code)
{
    for (size_t k = 1; k < d->code_count; k++) {
        if (strcmp(d->codes[k], code) == 0)
            return (uint16_t)k;
    }
    focal_unreachable();
}

/* The primary table comes out; codes of one part take turns; which item bears which is chance. */
static void deal_codes(struct solve *s, struct solve_dimension *d)
{
    size_t at = 0;
    memset(d->code_of, 0, s->items * sizeof d->code_of[0]);
    for (size_t c = 0; d->primary && c < d->primary->cell_count; c++) {
        const struct focal_figure_cell *cell = &d->primary->cells[c];
        for (uint64_t i = 0; i < cell->count; i++) {
            focal_assert(at < s->items);
            d->code_of[at++] = code_number(d, cell->codes[i % cell->code_count]);
        }
    }
    shuffle(s, d->code_of, s->items);
}

static void count_all(struct solve *s)
{
    s->cost = 0;
    for (size_t i = 0; i < s->sum_count; i++) {
        s->sums[i].now = 0;
        s->cost += s->sums[i].target;
    }
    for (size_t i = 0; i < s->dimension_count; i++) {
        struct solve_dimension *d = &s->dimensions[i];
        for (size_t item = 0; item < s->items; item++) {
            for (unsigned u = 0; u < FOCAL_UNITS; u++)
                solve_touch(s, d, d->code_of[item], (enum focal_unit)u, u == s->base ? 1 : s->weight[u] ? s->weight[u][item] : 0);
        }
    }
}

static bool bears(const struct solve_dimension *d, size_t item, const struct focal_figure_cell *cell)
{
    uint16_t code = d->code_of[item];
    return code != 0 && solve_in_cell(cell, d->codes[code]);
}

static bool bears_any(const struct solve_dimension *d, size_t item, const struct focal_figure_table *table)
{
    for (size_t c = 0; c < table->cell_count; c++) {
        if (bears(d, item, &table->cells[c]))
            return true;
    }
    return false;
}

/* The nth code of a part that an item may get without moving the primary table; 0: none. */
static uint16_t free_code(const struct solve_dimension *d, const struct focal_figure_cell *cell, uint64_t nth)
{
    for (size_t i = 0; i < cell->code_count; i++) {
        uint16_t code = code_number(d, cell->codes[(nth + i) % cell->code_count]);
        if (d->group[code] == 0)
            return code;
    }
    return 0;
}

/* Items that bear nothing yet get codes of a part, as many as are its due, when no item bears one. */
static void find_bearers(struct solve *s, struct solve_dimension *d, const struct focal_figure_table *table)
{
    uint64_t all = s->total[table->unit], cells_left = table->cell_count;
    size_t at = 0, free_items = 0;
    for (size_t i = 0; i < s->items; i++)
        free_items += d->code_of[i] == 0;
    free_items -= table->not_published > 0 && free_items > 0 ? 1 : 0;
    for (size_t c = 0; c < table->cell_count; c++, cells_left--) {
        const struct focal_figure_cell *cell = &table->cells[c];
        bool borne = cell->count == 0 || free_code(d, cell, 0) == 0;
        for (size_t i = 0; i < s->items && !borne; i++)
            borne = bears(d, i, cell);
        if (borne)
            continue;
        uint64_t due = cell->count * s->items / (all ? all : 1), most = free_items > cells_left - 1 ? free_items - (cells_left - 1) : free_items;
        due = due < 1 ? 1 : due;
        due = due > cell->count ? cell->count : due;
        due = due > most ? most : due;
        free_items -= (size_t)due;
        for (uint64_t given = 0; given < due && at < s->items; at++) {
            if (d->code_of[at] == 0)
                d->code_of[at] = free_code(d, cell, given++);
        }
    }
}

/* `count` spread evenly over the items of a part (NULL: over those in no part of the table; no table: over all). */
static uint64_t spread(struct solve *s, const struct solve_dimension *d, const struct focal_figure_table *table,
                       const struct focal_figure_cell *cell, enum focal_unit unit, uint64_t count)
{
    uint64_t items = 0, nth = 0;
    for (int pass = 0; pass < 2; pass++) {
        uint64_t turn = items ? solve_random(&s->random, items) : 0;
        for (size_t i = 0; i < s->items; i++) {
            if (table && (cell ? !bears(d, i, cell) : bears_any(d, i, table)))
                continue;
            if (pass == 0)
                items++;
            else
                s->weight[unit][i] += (uint32_t)(count / items + ((nth++ + turn) % items < count % items ? 1 : 0));
        }
        if (items == 0)
            return 0;
    }
    return count;
}

const struct focal_figure_table *solve_table_in(const struct solve_dimension *d, enum focal_unit unit)
{
    const struct focal_figure_table *best = NULL;
    for (size_t t = 0; t < d->table_count; t++) {
        if (d->tables[t]->unit == unit && (!best || d->tables[t]->part < best->part))
            best = d->tables[t];
    }
    return best;
}

/* Codes for a further dimension without a primary table, given the weights: the heaviest need takes the next item. */
static void fit_codes(struct solve *s, struct solve_dimension *d, const struct focal_figure_table *table)
{
    for (size_t i = 0; i < s->items; i++) {
        if (d->code_of[i] != 0 || s->weight[table->unit][i] == 0)
            continue;
        const struct focal_figure_cell *best = NULL;
        int64_t most = 0;
        for (size_t n = 0; n < s->sum_count; n++) {
            if (s->sums[n].table == table && s->sums[n].target - s->sums[n].now > most) {
                most = s->sums[n].target - s->sums[n].now;
                best = s->sums[n].cell;
            }
        }
        if (best && most >= (int64_t)s->weight[table->unit][i])
            solve_recode(s, d, i, code_number(d, best->codes[i % best->code_count]));
    }
}

static void give_weights(struct solve *s, enum focal_unit unit)
{
    struct solve_dimension *lead = NULL;
    const struct focal_figure_table *table = NULL;
    uint64_t left = s->total[unit];
    memset(s->weight[unit], 0, s->items * sizeof s->weight[unit][0]);
    for (size_t i = 0; i < s->dimension_count && !table; i++) {
        lead = &s->dimensions[i];
        table = solve_table_in(lead, unit);
    }
    if (table) {
        find_bearers(s, lead, table);
        if (solve_fit(s, unit))
            return;
        for (size_t c = 0; c < table->cell_count; c++) {
            uint64_t count = table->cells[c].count < left ? table->cells[c].count : left;
            left -= spread(s, lead, table, &table->cells[c], unit, count);
        }
        left -= spread(s, lead, table, NULL, unit, left);
    }
    if (left > 0)
        (void)spread(s, NULL, NULL, NULL, unit, left);
}

void solve_begin(struct solve *s)
{
    if (s->items == 0)
        return;
    for (size_t i = 0; i < s->dimension_count; i++)
        deal_codes(s, &s->dimensions[i]);
    for (unsigned u = 0; u < FOCAL_UNITS; u++) {
        if (s->weight[u])
            give_weights(s, (enum focal_unit)u);
    }
    count_all(s);
    for (size_t i = 0; i < s->dimension_count; i++) {
        for (unsigned u = 0; u < FOCAL_UNITS && !s->dimensions[i].primary; u++) {
            const struct focal_figure_table *table = s->weight[u] ? solve_table_in(&s->dimensions[i], (enum focal_unit)u) : NULL;
            if (table)
                fit_codes(s, &s->dimensions[i], table);
        }
    }
}

/* ---- moves: each leaves every primary table and every total as it is ---- */

struct move {
    enum { MOVE_NONE, MOVE_WEIGHT, MOVE_SWAP, MOVE_CODE } is;
    enum focal_unit unit;
    struct solve_dimension *d;
    size_t a, b;
    uint16_t code;
};

static struct move draw(struct solve *s)
{
    struct move m = { .is = MOVE_NONE, .a = (size_t)solve_random(&s->random, s->items), .b = (size_t)solve_random(&s->random, s->items) };
    uint64_t way = solve_random(&s->random, 4);
    m.d = &s->dimensions[solve_random(&s->random, s->dimension_count)];
    m.unit = (enum focal_unit)solve_random(&s->random, FOCAL_UNITS);
    if (way == 0) {
        if (s->weight[m.unit] && m.a != m.b && s->weight[m.unit][m.a] > 0)
            m.is = MOVE_WEIGHT;
    } else if (!m.d->linked) {
        return m;
    } else if (way == 1) {
        m.code = (uint16_t)solve_random(&s->random, m.d->code_count);
        if (m.d->group[m.code] == m.d->group[m.d->code_of[m.a]] && m.code != m.d->code_of[m.a])
            m.is = MOVE_CODE;
    } else if (m.d->code_of[m.a] != m.d->code_of[m.b]) {
        m.is = MOVE_SWAP;
    }
    return m;
}

/* Done twice, a move takes itself back: `code` then holds what was there. */
static void make(struct solve *s, struct move *m)
{
    uint16_t was = m->d->code_of[m->a];
    size_t held = m->a;
    switch (m->is) {
    case MOVE_NONE:
        break;
    case MOVE_WEIGHT:
        solve_reweigh(s, m->unit, m->a, -1);
        solve_reweigh(s, m->unit, m->b, 1);
        m->a = m->b;
        m->b = held;
        break;
    case MOVE_SWAP:
        solve_recode(s, m->d, m->a, m->d->code_of[m->b]);
        solve_recode(s, m->d, m->b, was);
        break;
    case MOVE_CODE:
        solve_recode(s, m->d, m->a, m->code);
        m->code = was;
        break;
    }
}

/* A move that makes it worse is kept now and then, the rarer the worse, or the search stays in the first hollow. */
void solve_repair(struct solve *s, uint64_t moves)
{
    enum { WORSE_MAX = 4, SELDOM = 32 };
    if (s->items == 0 || s->dimension_count == 0)
        return;
    for (uint64_t i = 0; i < moves && s->cost > 0; i++) {
        int64_t before = s->cost;
        struct move m = draw(s);
        make(s, &m);
        int64_t worse = s->cost - before;
        if (worse > 0 && (worse > WORSE_MAX || solve_random(&s->random, (uint64_t)SELDOM << (2 * worse)) != 0))
            make(s, &m);
    }
}
