/* matrix, sync, ping, verify, office show, pause and resume: one question, one picture each. */
#include "cli.h"

#include <string.h>

int ask_and_show(const struct args *args, json_t *with, bool waits, picture *show)
{
    struct talk t;
    struct focal_error err;
    json_t *item = NULL;
    enum focal_status st = talk_open(&t, args, &err);
    if (st == FOCAL_OK && waits)
        t.idle_ms = 0;                  /* the daemon keeps the time */
    if (st == FOCAL_OK)
        st = talk_one(&t, args->request, with, &item, NULL, &err);
    else
        json_decref(with);
    talk_close(&t);
    bool shown = item && (st == FOCAL_OK || st == FOCAL_PARTIAL || st == FOCAL_DAMAGED);
    if (shown && args->json)
        (void)say_object(args, item);
    else if (shown)
        show(args, item);
    json_decref(item);
    if (shown || st == FOCAL_OK)
        return say_done(focal_status_exit(st));
    return say_error(args, &err);
}

bool put_timeout(const struct args *args, json_t *with, struct focal_error *err)
{
    const char *text = args_value(args, OPTION_TIMEOUT);
    uint64_t seconds;
    if (!text)
        return true;
    if (args_seconds(text, &seconds, err) != FOCAL_OK)
        return false;
    json_object_set_new(with, "timeout_ms", json_integer((json_int_t)seconds * 1000));
    return true;
}

/* ---- matrix ---- */

static void show_matrix(const struct args *args, const json_t *m)
{
    struct table t;
    struct focal_error err;
    const json_t *rows = json_object_get(m, "rows");
    table_open(&t, args);
    table_column(&t, "CHANGES OF", false);
    const json_t *first = json_object_get(json_array_get(rows, 0), "seen");
    size_t columns = 1;
    void *at = json_object_iter((json_t *)(uintptr_t)first);
    for (; at && columns < TABLE_COLUMNS_MAX; at = json_object_iter_next((json_t *)(uintptr_t)first, at), columns++)
        table_column(&t, json_object_iter_key(at), true);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i), *seen = json_object_get(row, "seen");
        table_cell(&t, text_of(row, "of"));
        for (size_t c = 1; c < columns; c++) {
            const json_t *cell = json_object_get(seen, t.heads[c]);
            const json_t *have = json_object_get(cell, "have"), *age = json_object_get(cell, "asof_s");
            struct focal_buf text;
            focal_buf_init(&text, 64);
            focal_buf_printf(&text, json_is_integer(have) ? "%" JSON_INTEGER_FORMAT : "?", json_integer_value(have));
            if (json_is_integer(age) && json_integer_value(age) > 0) {
                focal_buf_text(&text, " (");
                say_age(&text, (uint64_t)json_integer_value(age));
                focal_buf_text(&text, ")");
            }
            table_cell(&t, focal_buf_cstr(&text));
            focal_buf_close(&text);
        }
    }
    if (table_print(&t, &err) != FOCAL_OK)
        (void)say_error(args, &err);
    table_close(&t);
    puts("\nOf the changes that each row's office wrote, how many each column's office has, and how old that knowledge is.\n? is not known here.");
}

int run_matrix(const struct args *args)
{
    return ask_and_show(args, NULL, false, show_matrix);
}

/* ---- sync now, ping ---- */

static void show_sync(const struct args *args, const json_t *s)
{
    const json_t *offices = json_object_get(s, "offices");
    bool wait = args_has(args, OPTION_WAIT);
    for (size_t i = 0; i < json_array_size(offices); i++) {
        const json_t *one = json_array_get(offices, i);
        say_text(stdout, text_of(one, "code"));
        if (json_is_true(json_object_get(one, "synced")))
            puts(": has everything, and has signed for it");
        else
            puts(wait ? ": has not signed for everything yet" : ": under way");
    }
    if (json_array_size(offices) == 0)
        puts("no other office in the network yet");
}

int run_sync(const struct args *args)
{
    struct focal_error err;
    json_t *with = json_object();
    bool wait = args_has(args, OPTION_WAIT);
    put_text(with, "office", args->operand_count ? args->operands[0] : NULL);
    if (wait)
        json_object_set_new(with, "wait", json_true());
    if (!put_timeout(args, with, &err)) {
        json_decref(with);
        return say_error(args, &err);
    }
    return ask_and_show(args, with, wait, show_sync);
}

static void show_ping(const struct args *args, const json_t *p)
{
    (void)args;
    say_text(stdout, text_of(p, "office"));
    printf(" answered in %" JSON_INTEGER_FORMAT " ms\n", json_integer_value(json_object_get(p, "round_trip_ms")));
}

int run_ping(const struct args *args)
{
    struct focal_error err;
    json_t *with = json_object();
    put_text(with, "office", args->operands[0]);
    if (!put_timeout(args, with, &err)) {
        json_decref(with);
        return say_error(args, &err);
    }
    return ask_and_show(args, with, true, show_ping);
}

/* ---- verify ---- */

static void show_verify(const struct args *args, const json_t *v)
{
    const json_t *errors = json_object_get(v, "errors"), *digests = json_object_get(v, "digests");
    printf("%" JSON_INTEGER_FORMAT " entries checked: ", json_integer_value(json_object_get(v, "entries")));
    if (json_array_size(errors) == 0)
        printf("%sno errors%s\n", paint(args->color_out, "green"), paint(args->color_out, ""));
    else
        printf("%s%zu error%s%s\n", paint(args->color_out, "red"), json_array_size(errors), json_array_size(errors) == 1 ? "" : "s",
               paint(args->color_out, ""));
    for (size_t i = 0; i < json_array_size(errors); i++) {
        printf("  ");
        say_text(stdout, json_string_value(json_array_get(errors, i)) ? json_string_value(json_array_get(errors, i)) : "?");
        putchar('\n');
    }
    const char *next = json_string_value(json_object_get(v, "next"));
    if (next) {
        printf("\nNext: ");
        say_text(stdout, next);
        putchar('\n');
    }
    if (json_object_size(digests))
        puts("\nDigests, equal on every office that holds the scope and is up to date");
    void *at = json_object_iter((json_t *)(uintptr_t)digests);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)digests, at)) {
        const char *digest = json_string_value(json_object_iter_value(at));
        printf("  %-14s %s\n", json_object_iter_key(at), digest ? digest : "?");
    }
}

int run_verify(const struct args *args)
{
    json_t *with = json_object();
    if (args_has(args, OPTION_DEEP))
        json_object_set_new(with, "deep", json_true());
    return ask_and_show(args, with, true, show_verify);
}

/* ---- office show, pause, resume ---- */

static void show_pairs(const struct args *args, const json_t *item)
{
    (void)args;
    void *at = json_object_iter((json_t *)(uintptr_t)item);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)item, at)) {
        char key[40];
        struct focal_buf text;
        (void)snprintf(key, sizeof key, "%s", json_object_iter_key(at));
        for (char *c = key; *c; c++)
            *c = *c == '_' ? ' ' : *c;
        focal_buf_init(&text, 65536);
        say_scalar(&text, json_object_iter_value(at));
        printf("%-24s  ", key);
        say_text(stdout, focal_buf_cstr(&text));
        putchar('\n');
        focal_buf_close(&text);
    }
}

int run_office_show(const struct args *args)
{
    json_t *with = json_object();
    put_text(with, "office", args->operands[0]);
    return ask_and_show(args, with, false, show_pairs);
}

static void show_pause(const struct args *args, const json_t *item)
{
    const char *code = *text_of(item, "office") ? text_of(item, "office") : args->operands[0];
    say_text(stdout, code);
    if (json_is_true(json_object_get(item, "paused")))
        printf(": the link is cut until `focalctl office resume %s`\n", args->operands[0]);
    else
        puts(": the link may come back");
}

int run_pause(const struct args *args)
{
    json_t *with = json_object();
    put_text(with, "office", args->operands[0]);
    return ask_and_show(args, with, false, show_pause);
}
