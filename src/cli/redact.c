/* redact, redaction show, refused: what cannot be taken back, and who has confirmed it. */
#include "cli.h"

#include <string.h>

/* ---- who has confirmed ---- */

struct count { size_t all, confirmed; };

static struct count count_confirmed(const json_t *list)
{
    struct count c = { .all = json_array_size(list) };
    for (size_t i = 0; i < c.all; i++)
        c.confirmed += json_is_true(json_object_get(json_array_get(list, i), "confirmed"));
    return c;
}

/* "erased at 2 of 3; SSD not heard from for 2 d". */
static void say_confirmed(const json_t *list, const char *done)
{
    struct focal_buf text;
    struct count c = count_confirmed(list);
    focal_buf_init(&text, 4096);
    printf("%s at %zu of %zu", done, c.confirmed, c.all);
    for (size_t i = 0; i < c.all; i++) {
        const json_t *one = json_array_get(list, i), *heard = json_object_get(one, "last_heard_s");
        if (json_is_true(json_object_get(one, "confirmed")))
            continue;
        focal_buf_clear(&text);
        printf("; ");
        say_text(stdout, text_of(one, "office"));
        if (json_is_integer(heard))
            say_age(&text, (uint64_t)json_integer_value(heard));
        if (!heard)
            printf(" not done yet");
        else if (json_is_integer(heard) && json_integer_value(heard) < 60)
            printf(" has not said so yet");
        else if (json_is_integer(heard))
            printf(" not heard from for %s", focal_buf_cstr(&text));
        else
            printf(" not heard from");
    }
    putchar('\n');
    focal_buf_close(&text);
}

static void say_list(const json_t *list, const char *between)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        printf("%s", i ? between : "");
        say_text(stdout, text ? text : "?");
    }
}

/* ---- redact ---- */

void show_redacted(const struct args *args, const json_t *r)
{
    const char *field = text_of(r, "field"), *id = text_of(r, "id");
    bool erased = json_is_true(json_object_get(r, "erased"));
    say_text(stdout, id);
    if (json_is_true(json_object_get(r, "asked_before")))
        printf(" was redacted before, and this office has asked for it.\n");
    else if (strcmp(args->words, "redaction agree") == 0)
        puts(": this office has asked as well.");
    else if (*field)
        printf(": the field \"%s\" is redacted, in %" JSON_INTEGER_FORMAT " %s.\n", field, json_integer_value(json_object_get(r, "entries")),
               json_integer_value(json_object_get(r, "entries")) == 1 ? "entry" : "entries");
    else
        puts(" is redacted.");
    puts("This cannot be taken back.");
    if (!erased) {
        puts("It is hidden, and will be erased when a second office asks for it as well; there:");
        printf("  focalctl redaction agree %s --reason CODE\n", id);
    }
    if (json_is_true(json_object_get(r, "part_left"))) {
        printf("The fields of the country stand where this office may not write. Who can redact those: ");
        say_list(json_object_get(r, "left_to"), ", ");
        printf(json_array_size(json_object_get(r, "left_to")) ? ".\n" : "an office of that country.\n");
    }
    say_confirmed(json_object_get(r, "confirmed"), erased ? "Erased" : "Hidden");
    /* Nobody could tell it to an older copy of this office. */
    if (json_array_size(json_object_get(r, "confirmed")) == 1)
        puts("No other member reads where it stands: an older copy or backup of this office, put back, shows it again. Delete those.");
    if (args->terminal_err)
        fprintf(stderr, "  `focalctl redaction show %s` shows later who has confirmed\n", id);
}

static enum focal_status sure(const struct args *args, const char *ref, struct focal_error *err)
{
    struct focal_buf typed;
    if (args_has(args, OPTION_YES))
        return FOCAL_OK;
    if (args_has(args, OPTION_NO_INPUT) || !args->terminal_err)
        return focal_fail(err, FOCAL_USAGE, "say --yes if you are sure", "%s: it cannot be taken back, and nobody can be asked", args->words);
    enum focal_status st = ask_again(&typed, "What is redacted is gone for good, here and everywhere. Type the reference again to go on: ", err);
    if (st == FOCAL_OK && strcasecmp(focal_buf_cstr(&typed), ref) != 0)
        st = focal_fail(err, FOCAL_CANCELLED, "nothing was changed", "that is not %.70s", ref);
    focal_buf_close(&typed);
    return st;
}

/* And `redaction agree`, which takes no field. */
int run_redact(const struct args *args)
{
    struct focal_error err;
    const char *reason = args_value(args, OPTION_WHY), *field = args_value(args, OPTION_FIELD);
    enum focal_status st = FOCAL_OK;
    if (!reason)
        st = focal_fail(&err, FOCAL_USAGE, "--reason survivor_request, entered_in_error, identifies_a_person, retention or other", "%s: say why", args->words);
    if (st == FOCAL_OK)
        st = sure(args, args->operands[0], &err);
    if (st != FOCAL_OK)
        return say_error(args, &err);
    json_t *with = json_object();
    put_text(with, "ref", args->operands[0]);
    put_text(with, "reason", reason);
    put_text(with, "field", field);
    return ask_and_show(args, with, true, show_redacted);
}

/* ---- redaction show ---- */

static void show_one(const json_t *one)
{
    static const struct { const char *state, *word, *says; } states[] = {
        { "erased", "erased", "erased" }, { "hidden", "hidden", "hidden; it waits for a second office to ask as well" },
        { "without_right", "known", "asked for by an office that may not: it does not count" }
    };
    const char *word = "known", *state = text_of(one, "state");
    printf("%s", strcmp(text_of(one, "what"), "record") == 0 ? "the whole record" : "one entry");
    if (*text_of(one, "entry_of")) {
        printf(" of ");
        say_text(stdout, text_of(one, "entry_of"));
    }
    printf(", in ");
    say_list(json_object_get(one, "scopes"), ", ");
    printf("\n  asked by   ");
    say_list(json_object_get(one, "by"), ", ");
    printf(json_array_size(json_object_get(one, "by")) ? "\n" : "-\n");
    printf("  because    ");
    say_list(json_object_get(one, "reasons"), ", ");
    if (*text_of(one, "day")) {
        printf(", ");
        say_text(stdout, text_of(one, "day"));
    }
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strcmp(states[i].state, state) == 0) {
            printf("\n  here       %s", states[i].says);
            word = states[i].word;
        }
    printf("\n  confirmed  ");
    say_confirmed(json_object_get(one, "confirmed"), word);
}

static void show_redaction(const struct args *args, const json_t *item)
{
    const json_t *list = json_object_get(item, "redactions");
    (void)args;
    say_text(stdout, text_of(item, "id"));
    printf("  ");
    say_text(stdout, text_of(item, "record"));
    putchar('\n');
    for (size_t i = 0; i < json_array_size(list); i++)
        show_one(json_array_get(list, i));
}

int run_redaction_show(const struct args *args)
{
    json_t *with = json_object();
    put_text(with, "ref", args->operands[0]);
    return ask_and_show(args, with, false, show_redaction);
}

/* ---- refused ---- */

static void show_seen(const struct args *args, const json_t *item)
{
    (void)args;
    (void)item;
    puts("`focalctl status` says nothing more of these");
}

int run_refused(const struct args *args)
{
    if (!args_has(args, OPTION_SEEN))
        return run_list(args);
    return ask_and_show(args, json_pack("{s:b}", "seen", 1), false, show_seen);
}
