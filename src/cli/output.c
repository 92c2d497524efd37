/* export and report: text that the daemon makes, to standard output or to a file. */
#include "cli.h"

#include "focal/io.h"

#include <string.h>

enum { REPORT_BYTES_MAX = 64 << 20 };

static enum focal_status text_to_sink(void *data, const json_t *item, struct focal_error *err)
{
    const json_t *text = json_object_get(item, "text");
    return sink_put(data, json_string_value(text), json_string_length(text), err);
}

static enum focal_status one_of(const struct args *args, const char *const *words, const char **chosen, struct focal_error *err)
{
    const char *typed = args_value(args, OPTION_FORMAT);
    char all[80] = "";
    for (size_t i = 0, used = 0; words[i]; i++) {
        if (typed && strcmp(typed, words[i]) == 0) {
            *chosen = words[i];
            return FOCAL_OK;
        }
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", words[i]);
    }
    *chosen = words[0];
    return typed ? focal_fail(err, FOCAL_USAGE, all, "--format does not know \"%.40s\"", typed) : FOCAL_OK;
}

int no_kind(const struct args *args, const char *typed)
{
    struct focal_error err;
    (void)!focal_fail(&err, FOCAL_USAGE, "--kind case, entity, focal-point, endorsement or nil-return", "\"%.40s\" is not a kind of record", typed);
    return say_error(args, &err);
}

/* ---- export ---- */

/* As JSON: one object whose items are the records. Nothing is said before there is something to say. */
struct as_items { const struct args *args; bool begun, any; };

static void items_begin(struct as_items *w)
{
    char schema[SCHEMA_BYTES];
    say_schema(schema, w->args);
    if (!w->begun)
        printf("{\"schema\":\"%s\",\"items\":[", schema);
    w->begun = true;
}

static enum focal_status lines_to_items(void *data, const json_t *item, struct focal_error *err)
{
    struct as_items *w = data;
    const char *at = text_of(item, "text");
    items_begin(w);
    while (*at) {
        size_t len = strcspn(at, "\r\n");
        if (len) {
            if (w->any)
                putchar(',');
            w->any = true;
            if (fwrite(at, 1, len, stdout) != len)
                return focal_fail(err, FOCAL_CANCELLED, "", "standard output is closed");
        }
        at += len;
        at += strspn(at, "\r\n");
    }
    return FOCAL_OK;
}

static void say_left_out(json_t *end)
{
    const json_int_t count = json_integer_value(json_object_get(end, "sealed_left_out"));
    if (count > 0) {
        (void)fflush(stdout);
        fprintf(stderr, "left out: %" JSON_INTEGER_FORMAT " sealed %s, which other offices open\n", count, count == 1 ? "value" : "values");
    }
    json_decref(end);
}

static int export_json(const struct args *args, json_t *with)
{
    json_t *end = NULL;
    struct talk t;
    struct focal_error err;
    struct as_items w = { .args = args };
    json_object_set_new(with, "format", json_string("jsonl"));
    enum focal_status st = talk_open(&t, args, &err);
    if (st == FOCAL_OK)
        st = talk_ask(&t, args->request, json_incref(with), &err);
    if (st == FOCAL_OK)
        st = talk_hear(&t, lines_to_items, &w, &end, &err);
    talk_close(&t);
    if (st == FOCAL_OK) {
        items_begin(&w);
        puts("],\"more\":false}");
    }
    say_left_out(end);
    return st == FOCAL_OK || (w.begun && say_gone()) ? 0 : say_error(args, &err);
}

static int export_text(const struct args *args, json_t *with)
{
    json_t *end = NULL;
    struct talk t;
    struct sink s;
    struct focal_error err, other;
    enum focal_status st = talk_open(&t, args, &err);
    bool opened = false;
    if (st == FOCAL_OK) {
        st = sink_open(&s, args_value(args, OPTION_OUTPUT), &err);
        opened = s.to != NULL;
    }
    if (st == FOCAL_OK)
        st = talk_ask(&t, args->request, json_incref(with), &err);
    if (st == FOCAL_OK)
        st = talk_hear(&t, text_to_sink, &s, &end, &err);
    talk_close(&t);
    say_left_out(end);
    bool gone = st != FOCAL_OK && opened && !s.path && say_gone();
    enum focal_status closed = opened ? sink_close(&s, st == FOCAL_OK, &other) : FOCAL_OK;
    if (st == FOCAL_OK && closed != FOCAL_OK) {
        st = closed;
        err = other;
    }
    return st == FOCAL_OK || gone ? 0 : say_error(args, &err);
}

int run_export(const struct args *args)
{
    static const char *const formats[] = { "csv", "jsonl", NULL };
    struct focal_error err;
    const char *format, *kind = args_value(args, OPTION_KIND);
    const struct focal_kind *known = focal_kind_by_name(kind ? kind : "case");
    if (one_of(args, formats, &format, &err) != FOCAL_OK)
        return say_error(args, &err);
    if (!known || known->number < FOCAL_KIND_CASE) {
        return no_kind(args, kind);
    }
    json_t *with = json_object();
    json_object_set_new(with, "kind", json_string(kind ? kind : "case"));
    json_object_set_new(with, "format", json_string(format));
    if (args_has(args, OPTION_WITHDRAWN))
        json_object_set_new(with, "withdrawn", json_true());
    if (args_has(args, OPTION_SEALED))
        json_object_set_new(with, "sealed", json_true());
    bool as_json = args->json && !args_value(args, OPTION_OUTPUT);
    int code = as_json ? export_json(args, with) : export_text(args, with);
    if (code == 0 && args->json && !as_json) {
        json_t *told = json_object();
        json_object_set_new(told, "output", focal_json_text(focal_span_text(args_value(args, OPTION_OUTPUT))));
        (void)say_object(args, told);
        json_decref(told);
    }
    json_decref(with);
    return say_done(code);
}

/* ---- report ---- */

struct pages { struct focal_buf text; json_t *item; };

static enum focal_status page(void *data, const json_t *item, struct focal_error *err)
{
    struct pages *p = data;
    const json_t *text = json_object_get(item, "text");
    if (text)
        focal_buf_bytes(&p->text, json_string_value(text), json_string_length(text));
    else if (!p->item)
        p->item = json_incref((json_t *)(uintptr_t)item);
    return p->text.failed ? focal_fail(err, FOCAL_NO_MEMORY, "ask for fewer periods", "the report is too long to hold") : FOCAL_OK;
}

static enum focal_status put_report(const struct args *args, struct pages *p, const char *format, struct focal_error *err)
{
    const char *path = args_value(args, OPTION_OUTPUT);
    if (p->item && !path) {
        (void)say_object(args, p->item);
        return FOCAL_OK;
    }
    if (p->item) {
        json_object_del(p->item, "schema");
        char schema[SCHEMA_BYTES];
        say_schema(schema, args);
        focal_buf_printf(&p->text, "{\"schema\":\"%s\",", schema);
        size_t brace = p->text.len;
        focal_json_print(&p->text, p->item);
        if (!p->text.failed)
            memmove(p->text.data + brace, p->text.data + brace + 1, p->text.len - brace - 1);
        focal_buf_truncate(&p->text, p->text.failed ? 0 : p->text.len - 1);
        focal_buf_text(&p->text, "\n");
    }
    if (p->text.failed)
        return focal_fail(err, FOCAL_NO_MEMORY, "", "the report is too long to hold");
    if (!path || strcmp(path, "-") == 0) {
        if (strcmp(format, "text") == 0)
            say_lines(stdout, focal_buf_cstr(&p->text));
        else
            (void)fwrite(p->text.data, 1, p->text.len, stdout);
        return FOCAL_OK;
    }
    /* Until figures are protected against small counts, the page is for this office's eyes. */
    return focal_file_write(path, focal_buf_view(&p->text), 0600, true, err);
}

int run_report(const struct args *args)
{
    static const char *const formats[] = { "text", "csv", "json", "html", NULL };
    struct talk t;
    struct focal_error err;
    struct pages p = { .item = NULL };
    const char *format, *period = args_value(args, OPTION_PERIOD);
    if (one_of(args, formats, &format, &err) != FOCAL_OK)
        return say_error(args, &err);
    if (args->json && !args_has(args, OPTION_FORMAT))
        format = "json";
    focal_buf_init(&p.text, REPORT_BYTES_MAX);
    json_t *with = json_object();
    if (period)
        json_object_set_new(with, "period", focal_json_text(focal_span_text(period)));
    json_object_set_new(with, "format", json_string(format));
    enum focal_status st = talk_open(&t, args, &err);
    if (st == FOCAL_OK)
        st = talk_ask(&t, args->request, json_incref(with), &err);
    if (st == FOCAL_OK)
        st = talk_hear(&t, page, &p, NULL, &err);
    talk_close(&t);
    if (st == FOCAL_OK)
        st = put_report(args, &p, format, &err);
    json_decref(with);
    json_decref(p.item);
    focal_buf_close(&p.text);
    return say_done(st == FOCAL_OK ? 0 : say_error(args, &err));
}
