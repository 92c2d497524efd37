/* Things that bear codes so that all published sums over them come out at once.
 *
 * Items (cases, or victims, or perpetrators) bear for each dimension one code or none. A table counts items, or the
 * victims or perpetrators that items have: that number is the item's weight. Every published part of every table is a
 * sum that must come out. */
#ifndef FOCAL_EXCHANGE_SOLVE_H
#define FOCAL_EXCHANGE_SOLVE_H

#include "figures.h"

enum { SOLVE_DIMENSIONS_MAX = 24, SOLVE_CODES_MAX = 320, SOLVE_TABLES_MAX = 24 };

struct solve_sum {                      /* one published part */
    const struct focal_figure_table *table;
    const struct focal_figure_cell *cell;
    enum focal_unit unit;               /* what is summed; the base unit: items themselves */
    int64_t target, now;
};

struct solve_dimension {
    const char *name;
    const struct focal_field *field;
    const struct focal_figure_table *tables[SOLVE_TABLES_MAX]; size_t table_count;
    const struct focal_figure_table *primary;       /* counts items themselves; kept by every move. NULL: none */
    const char **codes; size_t code_count;          /* codes[0] is NULL: none */
    uint32_t *group;                    /* of each code: 1 + part of the primary table, or 0 */
    uint32_t (*sums)[2];                /* of each code: where its list in `touched` begins, and how long it is */
    uint32_t *touched;
    uint16_t *code_of;                  /* of each item */
    bool linked;                        /* more than the primary table is to come out */
};

struct solve {
    enum focal_unit base;
    size_t items;
    uint64_t total[FOCAL_UNITS];        /* weights to be given out; of the base unit: items */
    uint32_t *weight[FOCAL_UNITS];      /* NULL: that unit is not given out to these items */
    struct solve_dimension dimensions[SOLVE_DIMENSIONS_MAX]; size_t dimension_count;
    struct solve_sum *sums; size_t sum_count;
    int64_t cost;                       /* how much all sums are off, together */
    uint64_t random;
    struct focal_arena arena;
};

uint64_t solve_random(uint64_t *state, uint64_t below);
/* Takes the period's tables over these kinds of dimension. */
FOCAL_MUST_USE enum focal_status solve_open(struct solve *, const struct focal_figure_period *, enum dimension_is, enum focal_unit base,
                                            uint64_t seed, struct focal_error *);
void solve_close(struct solve *);
/* REFUSED: err names two tables. */
FOCAL_MUST_USE enum focal_status solve_run(struct solve *, const struct focal_figure_period *, struct focal_error *);

/* ---- between the files of the solver ---- */
bool solve_in_cell(const struct focal_figure_cell *, const char *code);
void solve_touch(struct solve *, const struct solve_dimension *, uint16_t code, enum focal_unit, int64_t by);
void solve_recode(struct solve *, struct solve_dimension *, size_t item, uint16_t code);
void solve_reweigh(struct solve *, enum focal_unit, size_t item, int64_t by);
void solve_begin(struct solve *);       /* a first assignment: primary tables come out, the rest nearly */
/* The unit's table in this dimension that says most; NULL: none. */
const struct focal_figure_table *solve_table_in(const struct solve_dimension *, enum focal_unit);
/* Weights by proportional fitting; false: there is no more than one table to fit, or no memory; nothing was given out. */
bool solve_fit(struct solve *, enum focal_unit);
void solve_repair(struct solve *, uint64_t moves);
FOCAL_MUST_USE enum focal_status solve_possible(const struct solve *, const struct focal_figure_period *, struct focal_error *);

#endif
