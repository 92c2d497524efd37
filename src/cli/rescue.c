/* rescue show, rescue take: what a cut caught, and bringing it in again. */
#include "cli.h"

#include <string.h>

static void show_rescued(const struct args *args, const json_t *r)
{
    const json_int_t count = json_integer_value(json_object_get(r, "brought_in")), gone = json_integer_value(json_object_get(r, "without_content"));
    (void)args;
    say_text(stdout, text_of(r, "id"));
    printf(": %" JSON_INTEGER_FORMAT " %s brought in; it counts again everywhere.\n", count, count == 1 ? "entry was" : "entries were");
    if (gone > 0)
        printf("%" JSON_INTEGER_FORMAT " %s redacted, or here without content, and stay out.\n", gone, gone == 1 ? "is" : "are");
}

static void show_values(const char *name, const json_t *values)
{
    printf("    ");
    say_text(stdout, name);
    printf(": ");
    for (size_t i = 0; i < json_array_size(values); i++) {
        const char *text = json_string_value(json_array_get(values, i));
        printf("%s", i ? ", " : "");
        say_text(stdout, text ? text : "?");
    }
    putchar('\n');
}

static void show_entry(const json_t *entry)
{
    json_t *fields = json_object_get(entry, "fields"), *values;
    const char *name;
    printf("  %s\n    of ", text_of(entry, "entry"));
    say_text(stdout, text_of(entry, "office"));
    printf(", in %s%s%s\n", text_of(entry, "scope"), json_is_true(json_object_get(entry, "creates")) ? ", which created the record" : "",
           json_is_true(json_object_get(entry, "brought_in")) ? "; it was brought in" : "");
    if (json_is_null(fields))
        puts("    redacted, or without content here: it stays out");
    json_object_foreach(fields, name, values)
        show_values(name, values);
}

static void show_beyond(const struct args *args, const json_t *item)
{
    const json_t *entries = json_object_get(item, "entries");
    (void)args;
    say_text(stdout, text_of(item, "id"));
    puts(": beyond what was left of a revoked office");
    for (size_t i = 0; i < json_array_size(entries); i++)
        show_entry(json_array_get(entries, i));
}

int run_rescue(const struct args *args)
{
    json_t *with = json_object();
    put_text(with, "ref", args->operands[0]);
    json_t *only = json_array();
    for (size_t i = 0; i < args->given_count; i++)
        if (args->given[i].option == OPTION_ENTRY)
            json_array_append_new(only, focal_json_text(focal_span_text(args->given[i].value)));
    if (json_array_size(only))
        json_object_set(with, "entries", only);
    json_decref(only);
    return strcmp(args->words, "rescue show") == 0 ? ask_and_show(args, with, false, show_beyond) : ask_and_show(args, with, true, show_rescued);
}
