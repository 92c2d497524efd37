/* Shared by the files that read published figures. */
#ifndef FOCAL_EXCHANGE_FIGURES_H
#define FOCAL_EXCHANGE_FIGURES_H

#include "inside.h"

enum { FIGURE_LINES_MAX = 5000, FIGURES_ARENA_MAX = 64 << 20 };

enum { COLUMN_PERIOD, COLUMN_UNIT, COLUMN_DIMENSION, COLUMN_PART, COLUMN_VALUE, COLUMN_COUNT, COLUMNS };

enum dimension_is { DIMENSION_TOTAL, DIMENSION_CASE, DIMENSION_VICTIM, DIMENSION_PERPETRATOR };
struct dimension { const char *name; enum dimension_is is; const struct focal_field *field; };

struct figure_line {
    uint64_t line, count;
    char period[12];
    enum focal_unit unit;
    struct dimension dimension;
    enum focal_part_kind part;
    const char *value;
    const char **codes; size_t code_count;
};

struct figures_file {
    struct focal_figures *figures;
    struct focal_refusals *refusals;
    size_t column[COLUMNS], cell_count;
    bool header_seen, header_bad, no_memory;
    struct figure_line *lines; size_t line_count, line_cap;
};

const struct focal_kind *figures_kind(void);
bool figures_dimension(struct dimension *, struct focal_span name);
/* Lines to periods and tables, and the checks that need all lines. */
FOCAL_MUST_USE enum focal_status figures_tables(struct figures_file *);

#endif
