/* Scenes 1 and 4: published figures are read, cases are made up so that counting them gives those figures, and they are
 * entered at the offices as somebody's work of a quarter would be. */
#include "stage.h"

#include "focal/control.h"

#include <jansson.h>
#include <string.h>

enum { FIGURES_BYTES_MAX = 8 << 20, ENDORSERS_BYTES_MAX = 1 << 20, ENDORSERS_MAX = 500, AHEAD_MAX = 16, SEED = 1 };

/* ---- figures ---- */

static enum focal_status refuse_figures(const char *path, const struct focal_refusals *refusals, struct focal_error *err)
{
    if (refusals->kept == 0)
        return focal_fail(err, FOCAL_REFUSED, "", "%s holds no published figures", path);
    const struct focal_refusal *first = &refusals->list[0];
    char more[64] = "";
    if (refusals->total > 1)
        (void)snprintf(more, sizeof more, " (and %llu more)", (unsigned long long)refusals->total - 1);
    return focal_fail(err, FOCAL_REFUSED, first->hint, "%s is refused: line %llu: %s%s%s%s", path, (unsigned long long)first->line, first->field,
                      first->field[0] ? ": " : "", first->reason, more);
}

struct making { struct stage *stage; const char *period; size_t count; };

static enum focal_status keep_case(void *data, struct focal_span object)
{
    struct making *m = data;
    json_t *fields = NULL;
    enum focal_status status = focal_json_parse(&fields, object, NULL);

    if (status == FOCAL_OK && json_array_append_new(m->stage->cases, json_pack("{s:s, s:o}", "period", m->period, "case", fields)) != 0)
        status = FOCAL_NO_MEMORY;
    m->count++;
    return status;
}

static enum focal_status make_cases(struct stage *s, struct focal_buf *told, struct focal_error *err)
{
    const char *countries[STAGE_OFFICES_MAX];
    struct focal_cases_setup setup = { .seed = SEED, .countries = countries, .country_count = s->node_count - 1 };
    enum focal_status status = FOCAL_OK;

    for (size_t i = 1; i < s->node_count; i++)
        countries[i - 1] = s->nodes[i].country;
    s->cases = json_array();
    for (size_t i = 0; status == FOCAL_OK && i < s->figures->period_count; i++) {
        struct making making = { .stage = s, .period = s->figures->periods[i].period };
        status = focal_cases_make(&s->figures->periods[i], &setup, keep_case, &making, err);
        focal_buf_printf(told, "%s%s %zu", i ? ", " : "", making.period, making.count);
    }
    if (status == FOCAL_OK && json_array_size(s->cases) == 0)
        status = focal_fail(err, FOCAL_REFUSED, "Give a file with a total of allegations.", "the figures need not a single case");
    return status;
}

enum focal_status focal_scene_figures(struct stage *s, struct focal_error *err)
{
    struct focal_buf text, told;
    struct focal_refusals refusals;
    size_t rows = 0;
    enum focal_status status = FOCAL_OK;

    focal_show_scene(s, 1, "reading");
    if (s->options.figures)
        status = focal_place_path(s->figures_path, err, "%s", s->options.figures);
    else if (!focal_place_data(s, s->figures_path, "un_sea_quarterly.csv"))
        status = focal_fail(err, FOCAL_NOT_FOUND, "Name one with --figures CSV.", "un_sea_quarterly.csv is neither in ../../conf/data nor in ../share/focal of %s", s->bin);
    focal_buf_init(&text, FIGURES_BYTES_MAX);
    focal_buf_init(&told, 4096);
    focal_refusals_init(&refusals);
    if (status == FOCAL_OK)
        status = focal_file_read(&text, s->figures_path, FIGURES_BYTES_MAX, err);
    if (status == FOCAL_OK && focal_figures_parse(&s->figures, focal_buf_view(&text), &refusals) != FOCAL_OK)
        status = refuse_figures(s->figures_path, &refusals, err);
    if (status == FOCAL_OK)
        status = make_cases(s, &told, err);
    for (size_t i = 0; status == FOCAL_OK && i < s->figures->period_count; i++) {
        const struct focal_figure_period *period = &s->figures->periods[i];
        for (size_t k = 0; k < period->table_count; k++)
            rows += period->tables[k].cell_count;
        for (size_t unit = 0; unit < FOCAL_UNITS; unit++)
            rows += period->has_total[unit];
    }
    if (status == FOCAL_OK)
        focal_show_done(s, json_pack("{s:s, s:I, s:I}", "file", s->figures_path, "cells", (json_int_t)rows, "cases", (json_int_t)json_array_size(s->cases)),
                  "%zu published numbers from %s; cases to make: %s", rows, s->figures_path, focal_buf_cstr(&told));
    focal_refusals_close(&refusals);
    focal_buf_close(&told);
    focal_buf_close(&text);
    return status;
}

/* ---- entering ---- */

/* Records on their way to several nodes: each node's answers come in the order of its requests. */
struct entering {
    struct stage *stage;
    const char *verb, *key;             /* key: under which a row holds the fields */
    json_t *rows;
    size_t asked, heard, at[1 + STAGE_OFFICES_MAX], ahead[1 + STAGE_OFFICES_MAX];
};

static size_t node_of(const json_t *row)
{
    return (size_t)json_integer_value(json_object_get(row, "node"));
}

/* The oldest unanswered row of a node. */
static enum focal_status hear_one(struct entering *e, size_t node, struct focal_error *err)
{
    struct stage *s = e->stage;
    json_t *items = NULL;

    while (node_of(json_array_get(e->rows, e->at[node])) != node)
        e->at[node]++;
    json_t *row = json_array_get(e->rows, e->at[node]);
    enum focal_status status = focal_talk_hear(s, &s->nodes[node], &items, NULL, err);
    json_t *made = json_array_get(items, 0), *id = json_object_get(made, "id"), *record = json_object_get(made, "record");
    if (status == FOCAL_OK && (!json_is_string(id) || !json_is_string(record)))
        status = focal_fail(err, FOCAL_UNSUPPORTED, "", "%s answered %s without id and record", s->nodes[node].code, e->verb);
    if (status == FOCAL_OK) {
        json_object_set(row, "id", id);
        json_object_set(row, "record", record);
    }
    json_decref(items);
    e->at[node]++;
    e->ahead[node]--;
    e->heard++;
    return status;
}

static enum focal_status enter_all(struct entering *e, struct focal_error *err)
{
    struct stage *s = e->stage;
    size_t count = json_array_size(e->rows);
    enum focal_status status = FOCAL_OK;

    while (status == FOCAL_OK && e->asked < count) {
        const json_t *row = json_array_get(e->rows, e->asked);
        size_t node = node_of(row);
        if (e->ahead[node] == AHEAD_MAX)
            status = hear_one(e, node, err);
        if (status == FOCAL_OK)
            status = focal_talk_ask(s, &s->nodes[node], e->verb, json_pack("{s:O}", "fields", json_object_get(row, e->key)), err);
        e->ahead[node] += status == FOCAL_OK;
        e->asked++;
        focal_show_progress(s, e->heard, count);
    }
    for (size_t node = 0; node < s->node_count; node++)
        while (status == FOCAL_OK && e->ahead[node])
            status = hear_one(e, node, err);
    return status;
}

/* A case goes to the office of its country; where the file itself names countries, to each office in turn. */
static void spread(struct stage *s)
{
    json_t *row;
    size_t i;

    json_array_foreach(s->cases, i, row) {
        const char *country = json_string_value(json_object_get(json_object_get(row, "case"), "country"));
        size_t node = 1 + i % (s->node_count - 1);
        for (size_t k = 1; country && k < s->node_count; k++)
            if (strcmp(country, s->nodes[k].country) == 0)
                node = k;
        json_object_set_new(row, "node", json_integer((json_int_t)node));
    }
}

/* ---- endorsers ---- */

static enum focal_status keep_endorser(void *data, const struct focal_csv_row *row)
{
    json_t *rows = data;

    if (row->line == 1 || row->cell_count < 2 || json_array_size(rows) >= ENDORSERS_MAX)
        return FOCAL_OK;
    json_t *fields = json_object();
    json_object_set_new(fields, "name", focal_json_text(row->cells[0]));
    json_object_set_new(fields, "kind", focal_json_text(row->cells[1]));
    return json_array_append_new(rows, json_pack("{s:i, s:o}", "node", 0, "entity", fields)) == 0 ? FOCAL_OK : FOCAL_NO_MEMORY;
}

static enum focal_status read_endorsers(const char *path, json_t *rows, struct focal_error *err)
{
    struct focal_buf text;
    struct focal_csv *csv = NULL;

    focal_buf_init(&text, ENDORSERS_BYTES_MAX);
    enum focal_status status = focal_file_read(&text, path, ENDORSERS_BYTES_MAX, err);
    if (status == FOCAL_OK)
        status = focal_csv_open(&csv, keep_endorser, rows);
    if (status == FOCAL_OK)
        status = focal_csv_feed(csv, focal_buf_view(&text), err);
    if (status == FOCAL_OK)
        status = focal_csv_finish(csv, err);
    focal_csv_close(csv);
    focal_buf_close(&text);
    return status;
}

/* Who endorsed the Statement of Commitment, as records of headquarters: an entity each and its endorsement. */
static enum focal_status enter_endorsers(struct stage *s, size_t *count, struct focal_error *err)
{
    char path[STAGE_PATH_MAX];
    json_t *rows = json_array(), *row;
    size_t i;
    enum focal_status status = FOCAL_OK;

    if (focal_place_data(s, path, "soc_endorsers.csv"))
        status = read_endorsers(path, rows, err);
    struct entering entities = { .stage = s, .verb = "entity.new", .key = "entity", .rows = rows };
    if (status == FOCAL_OK)
        status = enter_all(&entities, err);
    json_array_foreach(rows, i, row)
        json_object_set_new(row, "endorsement", json_pack("{s:O?}", "entity", json_object_get(row, "record")));
    struct entering endorsements = { .stage = s, .verb = "endorsement.new", .key = "endorsement", .rows = rows };
    if (status == FOCAL_OK)
        status = enter_all(&endorsements, err);
    *count = json_array_size(rows);
    json_decref(rows);
    return status;
}

enum focal_status focal_scene_cases(struct stage *s, struct focal_error *err)
{
    struct entering cases = { .stage = s, .verb = "case.new", .key = "case", .rows = s->cases };
    size_t endorsers = 0, count = json_array_size(s->cases);

    focal_show_scene(s, 4, "entering");
    spread(s);
    enum focal_status status = enter_all(&cases, err);
    if (status == FOCAL_OK)
        status = enter_endorsers(s, &endorsers, err);
    if (status)
        return status;
    focal_show_done(s, json_pack("{s:I, s:I, s:b}", "cases", (json_int_t)count, "endorsers", (json_int_t)endorsers, "generated", 1),
              "%zu cases entered at %zu offices; %zu endorsers of the Statement of Commitment at %s", count, s->node_count - 1, endorsers, s->nodes[0].code);
    focal_show_line(s, "The cases are made up so that counting them gives the published figures; their countries are invented.");
    return FOCAL_OK;
}
