/* A file of published figures. What is taken holds together: parts do not exceed totals; and the cases made for it are
 * cases that go in. */
#include <string.h>

#include "focal/exchange.h"
#include "fuzz.h"

enum { TODAY = 400000, PEOPLE_MAX = 400 /* so that one input takes little time */ };

struct counted { struct focal_row row; struct focal_refusals refusals; uint64_t cases, victims; };

static enum focal_status count(void *data, struct focal_span json)
{
    struct counted *counted = data;
    struct focal_intake_for intake = { .kind = focal_kind_by_number(FOCAL_KIND_CASE), .today = TODAY };
    focal_assert(focal_rows_from_json(&counted->row, &intake, json, 1, &counted->refusals) == FOCAL_OK);
    counted->cases++;
    for (size_t i = 0; i < counted->row.item_count; i++)
        counted->victims += strcmp(counted->row.items[i].field->name, "victims") == 0;
    return FOCAL_OK;
}

/* Quarters outside the years that intake takes are no fault of the figures. */
static bool tried(const struct focal_figure_period *period)
{
    uint32_t quarter;
    uint64_t people = 0;
    for (unsigned u = 0; u < FOCAL_UNITS; u++)
        people += period->total[u];
    return people <= PEOPLE_MAX && period->table_count <= 6 && focal_quarter_parse(&quarter, focal_span_text(period->period)) && quarter / 4 >= 1946 && quarter / 4 < 2999;
}

static void look(const struct focal_figure_period *period)
{
    for (size_t i = 0; i < period->table_count; i++) {
        const struct focal_figure_table *table = &period->tables[i];
        uint64_t sum = 0;
        focal_assert(table->cell_count > 0);
        for (size_t c = 0; c < table->cell_count; c++) {
            focal_assert(table->cells[c].code_count > 0 && table->cells[c].count <= period->total[table->unit]);
            sum += table->cells[c].count;
        }
        focal_assert(sum == table->sum);
        focal_assert(table->part == FOCAL_PART_OVERLAP || sum + table->not_published == period->total[table->unit]);
    }
    struct focal_besides besides;
    if (focal_beside_open(&besides, period, NULL, 0, period->total) == FOCAL_OK)
        focal_beside_close(&besides);
}

static void make(const struct focal_figure_period *period)
{
    struct focal_cases_setup setup = { .seed = 1 };
    struct counted counted = { .cases = 0 };
    struct focal_error err = { 0 };
    focal_row_init(&counted.row);
    focal_refusals_init(&counted.refusals);
    enum focal_status status = focal_cases_make(period, &setup, count, &counted, &err);
    if (status == FOCAL_OK)
        focal_assert(counted.cases == period->total[FOCAL_UNIT_ALLEGATION] && counted.victims == period->total[FOCAL_UNIT_VICTIM]);
    else
        focal_assert(err.status == status && err.message[0] && counted.cases == 0);
    focal_row_close(&counted.row);
    focal_refusals_close(&counted.refusals);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct focal_figures *figures;
    struct focal_refusals refusals;
    focal_refusals_init(&refusals);
    enum focal_status status = focal_figures_parse(&figures, focal_span_of(data, len), &refusals);
    focal_assert((status == FOCAL_OK) == (figures != NULL) && (status == FOCAL_OK) == (refusals.total == 0));
    for (size_t i = 0; figures && i < figures->period_count; i++)
        look(&figures->periods[i]);
    for (size_t i = 0; figures && i < figures->period_count && i < 2; i++) {
        if (tried(&figures->periods[i]))
            make(&figures->periods[i]);
    }
    focal_figures_close(figures);
    focal_refusals_close(&refusals);
    return 0;
}
