/* Agreement: scenes 5, 7 and 8. What each daemon says of the others, and whether all of them hold the same. */
#include "stage.h"

#include "focal/control.h"

#include <jansson.h>
#include <string.h>

enum { CELL_WIDTH = 8 };

/* Nothing lacking either way, with every office a link leads to; and headquarters has a link with every office. */
static bool at_rest(const struct stage *s, const struct stage_node *node, const json_t *is)
{
    const json_t *office;
    size_t i, up = 0;
    bool hq = node == &s->nodes[0], rest = json_integer_value(json_object_get(is, "waiting")) == 0;

    json_array_foreach(json_object_get(is, "offices"), i, office) {
        const char *link = json_string_value(json_object_get(office, "link"));
        const json_t *they = json_object_get(office, "they_lack"), *we = json_object_get(office, "we_lack");
        if (!link || strcmp(link, "up") != 0)
            continue;
        up++;
        rest &= json_is_integer(they) && json_integer_value(they) == 0 && json_is_integer(we) && json_integer_value(we) == 0;
    }
    return rest && (hq ? up == s->node_count - 1 : up > 0);
}

enum focal_status focal_agree_wait(struct stage *s, struct focal_error *err)
{
    uint64_t until = focal_stage_mono_ms() + STAGE_SETTLE_MS;
    enum focal_status status = FOCAL_OK;
    size_t resting = 0;

    while (status == FOCAL_OK && resting < s->node_count) {
        resting = 0;
        for (size_t i = 0; status == FOCAL_OK && i < s->node_count; i++) {
            json_t *is = NULL;
            status = focal_talk_one(s, &s->nodes[i], "status", NULL, &is, err);
            resting += status == FOCAL_OK && at_rest(s, &s->nodes[i], is);
            json_decref(is);
        }
        focal_show_progress(s, resting, s->node_count);
        if (status == FOCAL_OK && resting < s->node_count)
            status = focal_stage_pause(s, until, "all offices to have everything", err);
    }
    return status;
}

/* How many records of kind case a node lists. */
static enum focal_status count_cases(struct stage *s, struct stage_node *node, size_t *count, struct focal_error *err)
{
    enum focal_status status = FOCAL_OK;
    char after[128] = "";
    bool more = true;

    *count = 0;
    while (status == FOCAL_OK && more) {
        json_t *rows = NULL, *end = NULL, *with = json_pack("{s:i}", "limit", 1000);
        if (after[0])
            json_object_set_new(with, "after", json_string(after));
        status = focal_talk(s, node, "case.list", with, &rows, &end, err);
        size_t n = json_array_size(rows);
        const char *last = n ? json_string_value(json_object_get(json_array_get(rows, n - 1), "record")) : NULL;
        *count += n;
        more = status == FOCAL_OK && json_is_true(json_object_get(end, "more")) && last;
        (void)snprintf(after, sizeof after, "%s", last ? last : "");
        json_decref(rows);
        json_decref(end);
    }
    return status;
}

enum focal_status focal_scene_replication(struct stage *s, struct focal_error *err)
{
    struct focal_buf told;
    json_t *facts = json_object();
    size_t expected = json_array_size(s->cases);
    enum focal_status status = FOCAL_OK;

    focal_show_scene(s, 5, "waiting for everybody to have everything");
    for (size_t i = 1; status == FOCAL_OK && i < s->node_count; i++)
        status = focal_talk(s, &s->nodes[i], "sync.now", json_pack("{s:s, s:b, s:i}", "office", s->nodes[0].code, "wait", 1, "timeout_ms", STAGE_ANSWER_MS / 2),
                      NULL, NULL, err);
    if (status == FOCAL_OK)
        status = focal_agree_wait(s, err);
    focal_buf_init(&told, 1024);
    for (size_t i = 0; status == FOCAL_OK && i < s->node_count; i++) {
        size_t count = 0;
        status = count_cases(s, &s->nodes[i], &count, err);
        if (status == FOCAL_OK)
            focal_show_claim(s, count == expected, "%s lists %zu cases, %zu were entered", s->nodes[i].code, count, expected);
        focal_buf_printf(&told, "%s%s %zu", i ? ", " : "", s->nodes[i].code, count);
        json_object_set_new(facts, s->nodes[i].code, json_integer((json_int_t)count));
    }
    if (status == FOCAL_OK)
        focal_show_done(s, json_pack("{s:O}", "cases", facts), "cases held: %s", focal_buf_cstr(&told));
    json_decref(facts);
    focal_buf_close(&told);
    return status;
}

/* ---- verify ---- */

/* The digests of one node against those of the nodes before it. */
static void hold_against(struct stage *s, size_t at, const json_t *answers, json_t *holders)
{
    const char *scope;
    json_t *digest, *mine = json_object_get(json_array_get(answers, at), "digests");

    json_object_foreach(mine, scope, digest) {
        json_t *n = json_object_get(holders, scope);
        json_object_set_new(holders, scope, json_integer(json_integer_value(n) + 1));
        for (size_t i = 0; i < at; i++) {
            const json_t *theirs = json_object_get(json_object_get(json_array_get(answers, i), "digests"), scope);
            if (!theirs)
                continue;
            focal_show_claim(s, json_equal(theirs, digest), "scope %s is not the same at %s and %s", scope, s->nodes[i].code, s->nodes[at].code);
            break;
        }
    }
}

enum focal_status focal_agree_verify(struct stage *s, json_t **answers, size_t *shared, size_t *alone, struct focal_error *err)
{
    json_t *holders = json_object(), *holding;
    enum focal_status status = FOCAL_OK;
    const char *scope;

    *answers = json_array();
    for (size_t i = 0; status == FOCAL_OK && i < s->node_count; i++) {
        json_t *said = NULL;
        status = focal_talk_one(s, &s->nodes[i], "verify", NULL, &said, err);
        if (status)
            break;
        json_array_append_new(*answers, said);
        const json_t *errors = json_object_get(said, "errors");
        focal_show_claim(s, json_is_array(errors) && json_array_size(errors) == 0, "%s found %zu errors in its history", s->nodes[i].code, json_array_size(errors));
        focal_show_claim(s, json_object_get(json_object_get(said, "digests"), "network") != NULL, "%s gives no digest of scope network", s->nodes[i].code);
        hold_against(s, i, *answers, holders);
        focal_show_progress(s, i + 1, s->node_count);
    }
    *shared = *alone = 0;
    json_object_foreach(holders, scope, holding)
        *(json_integer_value(holding) > 1 ? shared : alone) += 1;
    json_decref(holders);
    return status;
}

enum focal_status focal_scene_verify(struct stage *s, struct focal_error *err)
{
    json_t *answers = NULL;
    struct focal_buf told;
    size_t shared = 0, alone = 0;

    focal_show_scene(s, 7, "every node checks its history");
    enum focal_status status = focal_agree_wait(s, err);
    unsigned before = s->broken;
    if (status == FOCAL_OK)
        status = focal_agree_verify(s, &answers, &shared, &alone, err);
    focal_buf_init(&told, 1024);
    for (size_t i = 0; i < json_array_size(answers); i++)
        focal_buf_printf(&told, "%s%s %lld", i ? ", " : "", s->nodes[i].code,
                         (long long)json_integer_value(json_object_get(json_array_get(answers, i), "entries")));
    const json_t *network = json_object_get(json_object_get(json_array_get(answers, 0), "digests"), "network");
    if (status == FOCAL_OK) {
        focal_show_line(s, "entries: %s; each country's own scope (%zu) stays at its office; digest of network: %.16s...", focal_buf_cstr(&told), alone,
                        json_string_value(network) ? json_string_value(network) : "?");
        focal_show_done(s, json_pack("{s:O, s:I, s:I}", "nodes", answers, "shared", (json_int_t)shared, "alone", (json_int_t)alone),
                        s->broken == before ? "no errors in any of %zu histories; digests equal in all %zu shared scopes"
                                            : "%zu histories and %zu shared scopes checked, with ERRORS", s->node_count, shared);
    }
    json_decref(answers);
    focal_buf_close(&told);
    return status;
}

/* ---- matrix ---- */

static const json_t *cell(const json_t *matrix, const char *of, const char *who)
{
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(matrix, "rows"), i, row) {
        const char *code = json_string_value(json_object_get(row, "of"));
        if (code && strcmp(code, of) == 0)
            return json_object_get(json_object_get(json_object_get(row, "seen"), who), "have");
    }
    return NULL;
}

static size_t unknown_cells(const struct stage *s, const json_t *matrix)
{
    size_t unknown = 0;

    for (size_t of = 0; of < s->node_count; of++)
        for (size_t who = 0; who < s->node_count; who++)
            unknown += !json_is_integer(cell(matrix, s->nodes[of].code, s->nodes[who].code));
    return unknown;
}

static void print_matrix(struct stage *s, const json_t *matrix)
{
    struct focal_buf line;

    focal_buf_init(&line, 1024);
    focal_buf_printf(&line, "%-12s", "changes of");
    for (size_t who = 0; who < s->node_count; who++)
        focal_buf_printf(&line, "%*s", CELL_WIDTH, s->nodes[who].code);
    focal_buf_text(&line, "   have them");
    focal_show_line(s, "%s", focal_buf_cstr(&line));
    for (size_t of = 0; of < s->node_count; of++) {
        focal_buf_clear(&line);
        focal_buf_printf(&line, "%-12s", s->nodes[of].code);
        for (size_t who = 0; who < s->node_count; who++) {
            const json_t *have = cell(matrix, s->nodes[of].code, s->nodes[who].code);
            if (json_is_integer(have))
                focal_buf_printf(&line, "%*lld", CELL_WIDTH, (long long)json_integer_value(have));
            else
                focal_buf_printf(&line, "%*s", CELL_WIDTH, "?");
        }
        focal_show_line(s, "%s", focal_buf_cstr(&line));
    }
    focal_buf_close(&line);
}

enum focal_status focal_scene_matrix(struct stage *s, struct focal_error *err)
{
    uint64_t until = focal_stage_mono_ms() + STAGE_SETTLE_MS;
    enum focal_status status = FOCAL_OK;
    json_t *matrix = NULL;
    size_t unknown = 1;

    focal_show_scene(s, 8, "asking headquarters");
    while (status == FOCAL_OK && unknown) {
        json_decref(matrix);
        status = focal_talk_one(s, &s->nodes[0], "matrix", NULL, &matrix, err);
        unknown = unknown_cells(s, matrix);
        if (status == FOCAL_OK && unknown && focal_stage_mono_ms() >= until)
            break;                      /* shown and counted below */
        if (status == FOCAL_OK && unknown)
            status = focal_stage_pause(s, until, "receipts", err);
    }
    if (status == FOCAL_OK) {
        focal_show_done(s, json_pack("{s:O?}", "rows", json_object_get(matrix, "rows")), "whose changes have reached whom, as headquarters knows by signed receipts");
        focal_show_claim(s, unknown == 0, "headquarters does not know %zu cells of the matrix", unknown);
        print_matrix(s, matrix);
    }
    json_decref(matrix);
    return status;
}
