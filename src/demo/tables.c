/* Scenes 9 and 10: what headquarters counts beside what was published, quarter by quarter, and the page of it. */
#include "stage.h"

#include "focal/control.h"

#include <jansson.h>
#include <string.h>

enum { ARENA_BYTES = 4 << 20, PAGE_BYTES_MAX = 32 << 20, FIGURES_SENT_MAX = 700 << 10, NAME_WIDTH = 40 };

/* ---- a report's tables, as the daemon gave them ---- */

static enum focal_status take_table(struct focal_table *out, const json_t *table, struct focal_arena *arena, struct focal_error *err)
{
    const char *name = json_string_value(json_object_get(table, "name")), *unit = json_string_value(json_object_get(table, "unit")), *code;
    json_t *cells = json_object_get(table, "cells"), *count;

    if (!name || !unit || !focal_unit_by_name(&out->unit, focal_span_text(unit)) || !json_is_object(cells))
        return focal_fail(err, FOCAL_UNSUPPORTED, "", "headquarters gave a table without name, unit or cells");
    struct focal_table_cell *list = focal_arena_alloc(arena, (json_object_size(cells) + 1) * sizeof *list);
    if (!list)
        return focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the table %s", name);
    json_object_foreach(cells, code, count) {
        if (json_integer_value(count) > 0)
            list[out->cell_count++] = (struct focal_table_cell){ .code = code, .count = (uint64_t)json_integer_value(count) };
    }
    out->name = name;
    out->cells = list;
    out->not_stated = (uint64_t)json_integer_value(json_object_get(table, "not_stated"));
    out->total = (uint64_t)json_integer_value(json_object_get(table, "total"));
    return FOCAL_OK;
}

static enum focal_status hold_beside(struct focal_besides *out, const struct focal_figure_period *published, const json_t *report, struct focal_error *err)
{
    const json_t *tables = json_object_get(report, "tables"), *table;
    uint64_t totals[FOCAL_UNITS];
    struct focal_arena arena;
    enum focal_status status = FOCAL_OK;
    size_t i, count = json_array_size(tables);

    for (int unit = 0; unit < FOCAL_UNITS; unit++) {
        const json_t *total = json_object_get(report, focal_unit_plural((enum focal_unit)unit, 2));
        totals[unit] = (uint64_t)json_integer_value(total);
        if (!json_is_integer(total))
            status = focal_fail(err, FOCAL_UNSUPPORTED, "", "headquarters gave no number of %s", focal_unit_plural((enum focal_unit)unit, 2));
    }
    focal_arena_init(&arena, ARENA_BYTES);
    struct focal_table *ours = focal_arena_alloc(&arena, (count + 1) * sizeof *ours);
    if (!ours)
        status = focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for %zu tables", count);
    json_array_foreach(tables, i, table)
        if (status == FOCAL_OK)
            status = take_table(&ours[i], table, &arena, err);
    if (status == FOCAL_OK)
        status = focal_beside_open(out, published, ours, count, totals);
    focal_arena_close(&arena);
    return status;
}

/* ---- printing ---- */

static void print_row(struct stage *s, const char *name, uint64_t published, uint64_t ours, const char *word)
{
    focal_show_line(s, "    %-*.*s %9llu %9llu%s%s", NAME_WIDTH, NAME_WIDTH, name, (unsigned long long)published, (unsigned long long)ours,
                    word[0] ? "  " : "", word);
}

static void print_table(struct stage *s, const char *period, const struct focal_beside *b)
{
    char title[160];
    const char *part = focal_part_kind_name(b->part), *units = focal_unit_plural(b->unit, 2);

    if (strcmp(b->name, "total") == 0 && b->cell_count == 1) {
        (void)snprintf(title, sizeof title, "%s, all", units);
        print_row(s, title, b->cells[0].published, b->cells[0].ours, b->equal ? "equal" : "DIFFERENT");
    } else {
        focal_show_line(s, "  %s, %s%s%s: %s", b->name, units, part[0] ? ", " : "", part, b->equal ? "equal" : "DIFFERENT");
        for (size_t i = 0; i < b->cell_count; i++)
            print_row(s, b->cells[i].value, b->cells[i].published, b->cells[i].ours, b->cells[i].published == b->cells[i].ours ? "" : "<");
        if (b->part != FOCAL_PART_OVERLAP && (b->not_published || b->ours_rest))
            print_row(s, "not published | in none of these", b->not_published, b->ours_rest, b->not_published == b->ours_rest ? "" : "<");
    }
    focal_show_claim(s, b->held, "%s: headquarters makes no table of %s by %s", period, b->name, units);
    for (size_t i = 0; b->held && i < b->cell_count; i++)
        focal_show_claim(s, b->cells[i].published == b->cells[i].ours, "%s, %s, %s: %s: published %llu, here %llu", period, b->name, units, b->cells[i].value,
                   (unsigned long long)b->cells[i].published, (unsigned long long)b->cells[i].ours);
}

static enum focal_status one_period(struct stage *s, const struct focal_figure_period *published, json_t *tables, size_t *equal, struct focal_error *err)
{
    struct focal_besides besides = { 0 };
    json_t *report = NULL;
    enum focal_status status = focal_talk_one(s, &s->nodes[0], "report", json_pack("{s:s, s:b}", "period", published->period, "every_unit", 1), &report, err);

    if (status == FOCAL_OK)
        status = hold_beside(&besides, published, report, err);
    if (status == FOCAL_OK) {
        focal_show_line(s, "%-*s %9s %9s", NAME_WIDTH + 4, published->period, "published", "here");
        for (size_t i = 0; i < besides.count; i++) {
            const struct focal_beside *b = &besides.list[i];
            print_table(s, published->period, b);
            *equal += b->equal;
            json_array_append_new(tables, json_pack("{s:s, s:s, s:s, s:s, s:b}", "period", published->period, "name", b->name, "unit", focal_unit_name(b->unit),
                                                    "part", focal_part_kind_name(b->part), "equal", b->equal));
        }
        focal_show_claim(s, besides.equal, "%s is not what was published", published->period);
        focal_show_claim(s, json_integer_value(json_object_get(report, "two_versions")) == 0, "%s: cases with two versions are left", published->period);
    }
    focal_beside_close(&besides);
    json_decref(report);
    return status;
}

enum focal_status focal_scene_tables(struct stage *s, struct focal_error *err)
{
    json_t *tables = json_array();
    enum focal_status status = FOCAL_OK;
    size_t equal = 0;

    focal_show_scene(s, 9, "headquarters counts");
    for (size_t i = 0; status == FOCAL_OK && i < s->figures->period_count; i++)
        status = one_period(s, &s->figures->periods[i], tables, &equal, err);
    size_t all = json_array_size(tables);
    if (status == FOCAL_OK && focal_show_claim(s, equal == all && all > 0, "%zu of %zu published tables are not met", all - equal, all))
        focal_show_done(s, json_pack("{s:I, s:I, s:O}", "equal", (json_int_t)equal, "different", (json_int_t)(all - equal), "tables", tables),
                  "all %zu tables of %zu quarters, as headquarters counts them, equal the published ones", all, s->figures->period_count);
    else if (status == FOCAL_OK)
        focal_show_done(s, json_pack("{s:I, s:I, s:O}", "equal", (json_int_t)equal, "different", (json_int_t)(all - equal), "tables", tables),
                  "%zu of %zu tables equal the published ones", equal, all);
    json_decref(tables);
    return status;
}

/* ---- the page ---- */

static enum focal_status ask_page(struct stage *s, struct focal_buf *page, struct focal_error *err)
{
    struct focal_buf periods, figures;
    json_t *items = NULL, *item, *with = json_object();
    size_t i;

    focal_buf_init(&periods, 1 << 16);
    focal_buf_init(&figures, FIGURES_SENT_MAX);
    for (i = 0; i < s->figures->period_count; i++)
        focal_buf_printf(&periods, "%s%s", i ? "," : "", s->figures->periods[i].period);
    json_object_set_new(with, "period", json_string(focal_buf_cstr(&periods)));
    json_object_set_new(with, "format", json_string("html"));
    json_object_set_new(with, "generated", json_true());
    /* A request has a longest line; without the file the page has our side alone. */
    if (focal_file_read(&figures, s->figures_path, FIGURES_SENT_MAX, NULL) == FOCAL_OK)
        json_object_set_new(with, "figures", focal_json_text(focal_buf_view(&figures)));
    enum focal_status status = focal_talk(s, &s->nodes[0], "report", with, &items, NULL, err);
    json_array_foreach(items, i, item) {
        const json_t *text = json_object_get(item, "text");
        focal_buf_bytes(page, json_string_value(text) ? json_string_value(text) : "", json_string_length(text));
    }
    if (status == FOCAL_OK && page->failed)
        status = focal_fail(err, FOCAL_TOO_BIG, "", "the page is over %d MiB", PAGE_BYTES_MAX >> 20);
    json_decref(items);
    focal_buf_close(&figures);
    focal_buf_close(&periods);
    return status;
}

enum focal_status focal_scene_report(struct stage *s, struct focal_error *err)
{
    struct focal_buf page;

    focal_buf_init(&page, PAGE_BYTES_MAX);
    focal_show_scene(s, 10, "writing");
    enum focal_status status = ask_page(s, &page, err);
    if (status == FOCAL_OK)
        status = focal_file_write(s->report, focal_buf_view(&page), 0644, true, err);
    if (status == FOCAL_OK) {
        const char *text = focal_buf_cstr(&page);
        focal_show_claim(s, strstr(text, "</html>") != NULL, "the page in %s is not whole", s->report);
        focal_show_done(s, json_pack("{s:s, s:I}", "report", s->report, "bytes", (json_int_t)page.len), "%s (%zu kB)", s->report, (page.len + 999) / 1000);
    }
    focal_buf_close(&page);
    return status;
}
