/* status: the picture people look at first. */
#include "cli.h"

#include <string.h>

static void cell_number(struct table *t, const json_t *value, const char *unknown)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    table_cell(t, json_is_integer(value) ? text : unknown);
}

static void cell_age(struct table *t, const json_t *value, const char *unknown)
{
    struct focal_buf text;
    focal_buf_init(&text, 64);
    if (json_is_integer(value))
        say_age(&text, (uint64_t)json_integer_value(value));
    else
        focal_buf_text(&text, unknown);
    table_cell(t, focal_buf_cstr(&text));
    focal_buf_close(&text);
}

static const char *age_of(struct focal_buf *buf, const json_t *seconds)
{
    focal_buf_clear(buf);
    if (json_is_integer(seconds))
        say_age(buf, (uint64_t)json_integer_value(seconds));
    return focal_buf_cstr(buf);
}

static void status_head(const json_t *s)
{
    struct focal_buf text;
    focal_buf_init(&text, 256);
    printf("Office    ");
    say_text(stdout, text_of(s, "office"));
    if (*text_of(s, "name")) {
        printf("  ");
        say_text(stdout, text_of(s, "name"));
    }
    printf("    role %s", strcmp(text_of(s, "role"), "hq") == 0 ? "headquarters" : "office");
    if (json_is_integer(json_object_get(s, "up_s")))
        printf("    up %s", age_of(&text, json_object_get(s, "up_s")));
    if (*text_of(s, "program"))
        printf("    focald %s", text_of(s, "program"));
    printf("\nNetwork   ");
    say_text(stdout, text_of(s, "network"));
    const json_t *days = json_object_get(s, "membership_days");
    if (json_is_false(json_object_get(s, "admitted")))
        printf("    not admitted yet");
    else if (*text_of(s, "membership_to") && json_integer_value(days) < 0)
        printf("    membership expired %s", text_of(s, "membership_to"));
    else if (*text_of(s, "membership_to"))
        printf("    membership valid to %s (%" JSON_INTEGER_FORMAT " days)", text_of(s, "membership_to"), json_integer_value(days));
    putchar('\n');
    focal_buf_close(&text);
}

static void status_store(const json_t *s)
{
    struct focal_buf text;
    const json_t *store = json_object_get(s, "store"), *bytes = json_object_get(s, "store_bytes");
    focal_buf_init(&text, 64);
    if (json_is_integer(json_object_get(store, "bytes")))
        bytes = json_object_get(store, "bytes");
    if (json_is_integer(bytes))
        say_bytes(&text, (uint64_t)json_integer_value(bytes));
    if (store || json_is_integer(bytes)) {
        const char *state = text_of(store, "state");
        printf("Store     %s%s%s", state, *state && text.len ? ", " : "", focal_buf_cstr(&text));
        if (*text_of(store, "checked"))
            printf(", last full check %s", text_of(store, "checked"));
        bool wrong = strncmp(text_of(s, "clock"), "wrong", 5) == 0;
        if (*text_of(s, "clock")) {     /* a clock that is wrong has a sentence, and a line for it */
            printf(wrong ? "\nClock     " : "    Clock  ");
            say_text(stdout, text_of(s, "clock"));
        }
        putchar('\n');
    }
    focal_buf_close(&text);
}

static void status_waiting(const json_t *s)
{
    struct focal_buf text;
    json_int_t n = json_integer_value(json_object_get(s, "waiting"));
    focal_buf_init(&text, 64);
    if (n == 0)
        printf("Waiting   none of your changes\n");
    else
        printf("Waiting   %" JSON_INTEGER_FORMAT " of your changes %s not reached another office", n, n == 1 ? "has" : "have");
    if (n && json_is_integer(json_object_get(s, "waiting_oldest_s")))
        printf(" (oldest %s)", age_of(&text, json_object_get(s, "waiting_oldest_s")));
    if (n)
        putchar('\n');
    focal_buf_close(&text);
}

static void show_status(const struct args *args, const json_t *s)
{
    struct table t;
    struct focal_error err;
    static const char *const heads[] = { "OFFICE", "LINK", "LAST HEARD", "THEY LACK", "WE LACK", "WHY" };
    const json_t *offices = json_object_get(s, "offices"), *needs = json_object_get(s, "needs_you");
    if (json_is_true(json_object_get(s, "locked"))) {
        printf("Store     locked: nothing is sent, received or entered\n\n`focalctl unlock` opens it\n");
        return;
    }
    status_head(s);
    status_store(s);
    status_waiting(s);
    putchar('\n');
    table_open(&t, args);
    for (size_t i = 0; i < 6; i++)
        table_column(&t, heads[i], false);
    for (size_t i = 0; i < json_array_size(offices); i++) {
        const json_t *o = json_array_get(offices, i);
        bool refused = strcmp(text_of(o, "link"), "refused") == 0;
        table_cell(&t, text_of(o, "code"));
        table_cell(&t, text_of(o, "link"));
        cell_age(&t, json_object_get(o, "last_heard_s"), "never");
        cell_number(&t, json_object_get(o, "they_lack"), refused ? "-" : "unknown");
        cell_number(&t, json_object_get(o, "we_lack"), refused ? "-" : "unknown");
        table_cell(&t, text_of(o, "why"));
    }
    if (json_array_size(offices) == 0)
        puts("No other office in the network yet.");
    if (table_print(&t, &err) != FOCAL_OK)
        (void)say_error(args, &err);
    table_close(&t);
    if (json_array_size(needs) == 0)
        return;
    printf("\n%sNeeds you (%zu)%s\n", paint(args->color_out, "bold"), json_array_size(needs), paint(args->color_out, ""));
    for (size_t i = 0; i < json_array_size(needs); i++) {
        const json_t *one = json_array_get(needs, i);
        printf("  ");
        say_text(stdout, text_of(one, "what"));
        if (*text_of(one, "command")) {
            printf("     ");
            say_text(stdout, text_of(one, "command"));
        }
        putchar('\n');
    }
}

int run_status(const struct args *args)
{
    struct focal_error err;
    json_t *with = json_object();
    put_text(with, "office", args_value(args, OPTION_OFFICE));
    put_text(with, "wait", args_value(args, OPTION_WAIT_FOR));
    if (!put_timeout(args, with, &err)) {
        json_decref(with);
        return say_error(args, &err);
    }
    return ask_and_show(args, with, args_has(args, OPTION_WAIT_FOR), show_status);
}

