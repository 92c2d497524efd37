/* Cases made so that counting them gives published figures. */
#include "solve.h"

#include <string.h>

enum { CASES_MAX = 100000, PEOPLE_MAX = 300000, PEOPLE_OF_ONE_CASE_MAX = 1000, CASE_BYTES_MAX = 128 << 10 };

struct making {
    const struct focal_figure_period *period;
    const struct focal_cases_setup *is;
    struct solve cases, victims, perpetrators;
    size_t next_victim, next_perpetrator;
};

/* ---- what can be made at all ---- */

static enum focal_status check_period(const struct focal_figure_period *period, struct focal_error *err)
{
    uint32_t quarter;
    const uint64_t *total = period->total;
    if (!focal_quarter_parse(&quarter, focal_span_text(period->period)))
        return focal_fail(err, FOCAL_REFUSED, "publish the figures by quarter",
                          "%s is no quarter, and a case is received in a quarter", period->period);
    if (total[FOCAL_UNIT_ALLEGATION] == 0 && (total[FOCAL_UNIT_VICTIM] > 0 || total[FOCAL_UNIT_PERPETRATOR] > 0))
        return focal_fail(err, FOCAL_REFUSED, "add the total by allegation",
                          "%s: no cases give both the table total by allegation and the table total by %s: nobody would have a case",
                          period->period, focal_unit_name(total[FOCAL_UNIT_VICTIM] > 0 ? FOCAL_UNIT_VICTIM : FOCAL_UNIT_PERPETRATOR));
    if (total[FOCAL_UNIT_ALLEGATION] > CASES_MAX || total[FOCAL_UNIT_VICTIM] > PEOPLE_MAX || total[FOCAL_UNIT_PERPETRATOR] > PEOPLE_MAX)
        return focal_fail(err, FOCAL_TOO_BIG, "split the period", "%s: at most %d cases and %d people are made for one quarter",
                          period->period, CASES_MAX, PEOPLE_MAX);
    return FOCAL_OK;
}

static enum focal_status check_people(const struct making *m, struct focal_error *err)
{
    for (size_t i = 0; i < m->cases.items; i++) {
        for (unsigned u = FOCAL_UNIT_VICTIM; u < FOCAL_UNITS; u++) {
            if (m->cases.weight[u][i] > PEOPLE_OF_ONE_CASE_MAX)
                return focal_fail(err, FOCAL_TOO_BIG, "check the totals", "%s: one case would have %u %s", m->period->period,
                                  (unsigned)m->cases.weight[u][i], focal_unit_plural((enum focal_unit)u, 2));
        }
    }
    return FOCAL_OK;
}

/* ---- one case as JSON ---- */

static const char *code_of(const struct solve *s, const char *dimension, size_t item)
{
    for (size_t i = 0; i < s->dimension_count; i++) {
        if (strcmp(s->dimensions[i].name, dimension) == 0)
            return s->dimensions[i].codes[s->dimensions[i].code_of[item]];
    }
    return NULL;
}

static bool is_dimension(const struct solve *s, const char *dimension)
{
    for (size_t i = 0; i < s->dimension_count; i++) {
        if (strcmp(s->dimensions[i].name, dimension) == 0)
            return true;
    }
    return false;
}

/* A victim of whom nothing was published is there all the same: "." is a row that states nothing. */
static void put_victims(struct focal_buf *out, struct making *m, size_t item)
{
    uint32_t count = m->cases.weight[FOCAL_UNIT_VICTIM][item];
    for (uint32_t i = 0; i < count; i++) {
        const char *code = code_of(&m->victims, "victim_sex_age", m->next_victim++);
        const char *dot = code ? strchr(code, '.') : NULL;
        focal_buf_text(out, i ? "," : ",\"victims\":[");
        if (dot)
            focal_buf_printf(out, "{\"sex\":\"%.*s\",\"age\":\"%s\"}", (int)(dot - code), code, dot + 1);
        else
            focal_buf_text(out, "\".\"");
    }
    focal_buf_text(out, count ? "]" : "");
}

static void put_perpetrators(struct focal_buf *out, struct making *m, size_t item)
{
    uint32_t count = m->cases.weight[FOCAL_UNIT_PERPETRATOR][item];
    for (uint32_t i = 0; i < count; i++) {
        const char *code = code_of(&m->perpetrators, "perpetrator_sex", m->next_perpetrator++);
        focal_buf_text(out, i ? "," : ",\"perpetrators\":[");
        if (code)
            focal_buf_printf(out, "{\"sex\":\"%s\",\"count\":\"1\"}", code);
        else
            focal_buf_text(out, "{\"count\":\"1\"}");
    }
    focal_buf_text(out, count ? "]" : "");
}

static void put_case(struct focal_buf *out, struct making *m, size_t item)
{
    const struct focal_kind *kind = figures_kind();
    focal_buf_printf(out, "{\"received_quarter\":\"%s\"", m->period->period);
    for (size_t i = 0; i < kind->field_count; i++) {
        const char *name = kind->fields[i].name, *code = code_of(&m->cases, name, item);
        if (strcmp(name, "country") == 0 && m->is->country_count > 0 && !is_dimension(&m->cases, name))
            code = m->is->countries[item % m->is->country_count];
        if (strcmp(name, "victims") == 0)
            put_victims(out, m, item);
        else if (strcmp(name, "perpetrators") == 0)
            put_perpetrators(out, m, item);
        else if (code)
            focal_buf_printf(out, ",\"%s\":\"%s\"", name, code);
    }
    focal_buf_u8(out, '}');
}

static enum focal_status put_cases(struct making *m, focal_write *each, void *data, struct focal_error *err)
{
    struct focal_buf out;
    enum focal_status status = FOCAL_OK;
    focal_buf_init(&out, CASE_BYTES_MAX);
    for (size_t i = 0; i < m->cases.items && status == FOCAL_OK; i++) {
        focal_buf_clear(&out);
        put_case(&out, m, i);
        status = out.failed ? FOCAL_NO_MEMORY : each(data, focal_buf_view(&out));
        if (status != FOCAL_OK)
            focal_fail(err, status, "", "%s: the cases could not be given out: %s", m->period->period, focal_status_text(status));
    }
    focal_buf_close(&out);
    return status;
}

/* ---- the door ---- */

enum focal_status focal_cases_make(const struct focal_figure_period *period, const struct focal_cases_setup *setup,
                                   focal_write *each, void *data, struct focal_error *err)
{
    static const struct { enum dimension_is is; enum focal_unit base; } parts[3] = {
        { DIMENSION_CASE, FOCAL_UNIT_ALLEGATION }, { DIMENSION_VICTIM, FOCAL_UNIT_VICTIM }, { DIMENSION_PERPETRATOR, FOCAL_UNIT_PERPETRATOR }
    };
    struct making m = { .period = period, .is = setup };
    struct solve *solves[3] = { &m.cases, &m.victims, &m.perpetrators };
    enum focal_status status = check_period(period, err);
    for (size_t i = 0; i < 3 && status == FOCAL_OK; i++) {
        status = solve_open(solves[i], period, parts[i].is, parts[i].base, setup->seed + i, err);
        if (status == FOCAL_OK)
            status = solve_run(solves[i], period, err);
    }
    if (status == FOCAL_OK)
        status = check_people(&m, err);
    if (status == FOCAL_OK)
        status = put_cases(&m, each, data, err);
    for (size_t i = 0; i < 3; i++)
        solve_close(solves[i]);
    return status;
}
