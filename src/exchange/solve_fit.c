/* Weights when several dimensions are counted in the same unit: proportional fitting, then rounding.
 *
 * Every item begins with the same weight; table after table, the items of each part are scaled so that their weights make
 * the part's number (Deming and Stephan, 1940). Rounded group by group, what is left off is small, and moves repair it. */
#include "solve.h"

#include <string.h>

enum { ROUNDS = 40, GROUPS_MAX = 1 << 16 };

struct fit {
    struct solve_dimension *d;
    const struct focal_figure_table *table;
    uint16_t cell_of[SOLVE_CODES_MAX + 1];      /* of each code: 1 + part, or 0 for what lies in none */
};

static void prepare(struct fit *f, struct solve_dimension *d, const struct focal_figure_table *table)
{
    memset(f, 0, sizeof *f);
    f->d = d;
    f->table = table;
    for (size_t k = 1; k < d->code_count; k++) {
        for (size_t c = 0; c < table->cell_count && f->cell_of[k] == 0; c++) {
            if (solve_in_cell(&table->cells[c], d->codes[k]))
                f->cell_of[k] = (uint16_t)(c + 1);
        }
    }
}

/* Only dimensions whose items bear codes, and tables whose parts exclude one another. */
static size_t gather(struct solve *s, enum focal_unit unit, struct fit *fits)
{
    size_t count = 0;
    for (size_t i = 0; i < s->dimension_count; i++) {
        struct solve_dimension *d = &s->dimensions[i];
        bool any = false;
        for (size_t n = 0; n < s->items && !any; n++)
            any = d->code_of[n] != 0;
        const struct focal_figure_table *table = any ? solve_table_in(d, unit) : NULL;
        if (table && table->part != FOCAL_PART_OVERLAP)
            prepare(&fits[count++], d, table);
    }
    return count;
}

static void scale(const struct solve *s, const struct fit *f, double *weight, double *sums)
{
    memset(sums, 0, (f->table->cell_count + 1) * sizeof *sums);
    for (size_t i = 0; i < s->items; i++)
        sums[f->cell_of[f->d->code_of[i]]] += weight[i];
    for (size_t c = 0; c <= f->table->cell_count; c++) {
        double target = (double)(c ? f->table->cells[c - 1].count : f->table->not_published);
        sums[c] = sums[c] > 0 ? target / sums[c] : 0;
    }
    for (size_t i = 0; i < s->items; i++)
        weight[i] *= sums[f->cell_of[f->d->code_of[i]]];
}

static size_t group_of(const struct fit *fits, size_t count, size_t item)
{
    size_t group = 0;
    for (size_t i = 0; i < count; i++) {
        size_t parts = fits[i].table->cell_count + 1;
        if ((group + 1) * parts > GROUPS_MAX)
            break;
        group = group * parts + fits[i].cell_of[fits[i].d->code_of[item]];
    }
    return group % GROUPS_MAX;
}

/* Within a group of items that are alike in all parts, fractions are carried on from item to item. */
static void round_off(struct solve *s, enum focal_unit unit, const struct fit *fits, size_t count, const double *weight, double *carried)
{
    uint64_t given = 0;
    for (size_t i = 0; i < s->items; i++) {
        double *carry = &carried[group_of(fits, count, i)];
        double whole = *carry + weight[i] + 1e-9;
        uint32_t n = whole > 0 ? (uint32_t)whole : 0;
        *carry = whole - n;
        s->weight[unit][i] = n;
        given += n;
    }
    while (given != s->total[unit]) {
        size_t i = (size_t)solve_random(&s->random, s->items);
        if (given < s->total[unit]) {
            s->weight[unit][i]++;
            given++;
        } else if (s->weight[unit][i] > 0) {
            s->weight[unit][i]--;
            given--;
        }
    }
}

bool solve_fit(struct solve *s, enum focal_unit unit)
{
    size_t most = 0;
    struct fit *fits = focal_alloc(SOLVE_DIMENSIONS_MAX * sizeof *fits);
    double *weight = focal_alloc(s->items * sizeof *weight), *carried = focal_alloc(GROUPS_MAX * sizeof *carried);
    size_t count = fits && weight && carried ? gather(s, unit, fits) : 0;
    for (size_t i = 0; i < count; i++)
        most = fits[i].table->cell_count > most ? fits[i].table->cell_count : most;
    double *sums = focal_alloc((most + 1) * sizeof *sums);
    bool fitted = count > 1 && sums;
    for (size_t i = 0; i < s->items && fitted; i++)
        weight[i] = 1;
    for (int round = 0; round < ROUNDS && fitted; round++) {
        for (size_t i = 0; i < count; i++)
            scale(s, &fits[i], weight, sums);
    }
    if (fitted)
        round_off(s, unit, fits, count, weight, carried);
    focal_free(fits);
    focal_free(weight);
    focal_free(carried);
    focal_free(sums);
    return fitted;
}
