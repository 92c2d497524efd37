/* One record, readable: every field with its label, versions side by side, and who has seen it. */
#include "cli.h"

#include <ctype.h>
#include <string.h>

enum { LABEL_WIDTH = 32 };

/* Is the label no more than the code with a capital? Then it need not be said twice. */
static bool same_words(const char *code, const char *label)
{
    for (; *code && *label; code++, label++) {
        char a = (char)(*code == '_' || *code == '-' ? ' ' : tolower((unsigned char)*code));
        char b = (char)(*label == '-' ? ' ' : tolower((unsigned char)*label));
        if (a != b)
            return false;
    }
    return !*code && !*label;
}

static void put_value(const struct focal_field *field, const json_t *value)
{
    struct focal_buf text;
    focal_buf_init(&text, 65536);
    say_scalar(&text, value);
    const char *whole = focal_buf_cstr(&text);
    say_text(stdout, whole);
    const char *label = NULL;
    if (field && field->type == FOCAL_TYPE_CODE && field->tables[0]) {
        const struct focal_code *code = focal_code_by_name(field->tables[0], focal_span_text(whole));
        label = code && !same_words(code->name, code->label_en) ? code->label_en : NULL;
    } else if (field && field->type == FOCAL_TYPE_COUNTRY && strlen(whole) == 3) {
        label = focal_country_name(whole);
    }
    if (label)
        printf("  (%s)", label);
    focal_buf_close(&text);
}

static void put_label(const char *label)
{
    printf("%-*.*s  ", LABEL_WIDTH, LABEL_WIDTH, label);
}

static void put_versions(const struct args *args, const json_t *record, const char *name, const struct focal_field *field, const json_t *values)
{
    const char *take = NULL, *office = NULL;
    printf("%stwo versions%s\n", paint(args->color_out, "yellow"), paint(args->color_out, ""));
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *one = json_array_get(values, i), *value = json_object_get(one, "value");
        put_label("");
        printf("%c ", i ? ' ' : '*');
        put_value(field, value);
        printf("   by ");
        say_text(stdout, *text_of(one, "office") ? text_of(one, "office") : "an office not known here");
        if (*text_of(one, "day")) {
            printf(", ");
            say_text(stdout, text_of(one, "day"));
        }
        putchar('\n');
        take = take ? take : json_string_value(value);
        if (!office && json_object_get(value, "sealed_to") && *text_of(one, "office"))
            office = text_of(one, "office");
    }
    put_label("");
    printf("end it: focalctl %s resolve ", args->noun->word);
    say_text(stdout, text_of(record, "id"));
    putchar(' ');
    say_text(stdout, name);
    printf(take || !office ? " --take " : " --take-office ");
    say_text(stdout, take ? take : office ? office : "VALUE");
    putchar('\n');
}

static void put_rows(const json_t *rows, const json_t *values)
{
    const json_t *list = json_array_size(rows) ? rows : values;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (i)
            put_label("");
        if (list == rows) {
            const char *value = text_of(one, "value");
            say_text(stdout, value);
            printf("%*s row ", (int)(strlen(value) < 28 ? 28 - strlen(value) : 0), "");
            say_text(stdout, text_of(one, "row"));
            printf(" by ");
            say_text(stdout, *text_of(one, "office") ? text_of(one, "office") : "an office not known here");
        } else {
            put_value(NULL, one);
        }
        putchar('\n');
    }
}

static void put_map(const struct args *args, const json_t *record, const char *name, const json_t *map, const struct focal_field *field)
{
    const json_t *conflicts = json_object_get(record, "conflicts");
    void *at = json_object_iter((json_t *)(uintptr_t)map);
    for (bool first = true; at; at = json_object_iter_next((json_t *)(uintptr_t)map, at), first = false) {
        char slot[128];
        (void)snprintf(slot, sizeof slot, "%s.%s", name, json_object_iter_key(at));
        const json_t *two = json_object_get(conflicts, slot);
        if (!first)
            put_label("");
        say_text(stdout, json_object_iter_key(at));
        printf(": ");
        if (two) {
            put_versions(args, record, slot, field, two);
        } else {
            put_value(NULL, json_object_iter_value(at));
            putchar('\n');
        }
    }
}

/* Who besides this office reads what stands here opened. */
static void put_opens(const json_t *to)
{
    for (size_t i = 0; i < json_array_size(to); i++) {
        const char *office = json_string_value(json_array_get(to, i));
        printf("%s", i ? ", " : "   sealed to ");
        say_text(stdout, office ? office : "an office not known here");
    }
}

static void put_field(const struct args *args, const json_t *record, const char *name, const json_t *value, const struct focal_field *field)
{
    const json_t *two = json_object_get(json_object_get(record, "conflicts"), name);
    put_label(field ? field->label_en : name);
    if (two) {
        put_versions(args, record, name, field, two);
    } else if (json_is_array(value)) {
        put_rows(json_object_get(json_object_get(record, "rows"), name), value);
        if (json_array_size(value) == 0)
            puts("none");
    } else if (json_is_object(value) && field && field->type == FOCAL_TYPE_ENTRY_CODE) {
        put_map(args, record, name, value, field);
    } else {
        put_value(field, value);
        if (!json_object_get(value, "sealed_to"))
            put_opens(json_object_get(json_object_get(record, "sealed"), name));
        putchar('\n');
    }
}

static void put_seen(const json_t *seen)
{
    static const struct { const char *head; int is; } groups[] = { { "Seen by", 1 }, { "Not yet seen by", 0 }, { "Not known of", -1 } };
    for (size_t g = 0; g < 3; g++) {
        bool any = false;
        for (size_t i = 0; i < json_array_size(seen); i++) {
            const json_t *one = json_array_get(seen, i), *is = json_object_get(one, "seen");
            if ((json_is_true(is) ? 1 : json_is_false(is) ? 0 : -1) != groups[g].is)
                continue;
            if (any)
                printf(", ");
            else
                put_label(groups[g].head);
            say_text(stdout, text_of(one, "office"));
            any = true;
        }
        if (any)
            putchar('\n');
    }
}

/* And what to do, when something came that whoever withdrew it had not seen. */
static void put_withdrawal(const struct args *args, const json_t *record)
{
    const json_t *withdrawal = json_object_get(record, "withdrawal");
    const char *words = withdrawal_words(text_of(withdrawal, "state"));
    if (!withdrawal)
        return;
    printf("  %sWithdrawn%s by ", paint(args->color_out, "yellow"), paint(args->color_out, ""));
    say_text(stdout, *text_of(withdrawal, "office") ? text_of(withdrawal, "office") : "an office not known here");
    printf(": ");
    say_text(stdout, text_of(withdrawal, "reason"));
    puts(". It is left out of lists, files and reports.");
    if (strcmp(words, "-") == 0)
        return;
    if (strcmp(text_of(withdrawal, "state"), "changed") == 0)
        puts("  It was changed after it was withdrawn. Look at it; then");
    else
        puts("  Who withdrew it does not see its country fields. Look at them; then");
    printf("    focalctl case restore ");
    say_text(stdout, text_of(record, "id"));
    printf("                   if it is to go on, or\n    focalctl case withdraw ");
    say_text(stdout, text_of(record, "id"));
    puts(" --reason CODE    to leave it withdrawn");
}

static void put_head(const struct args *args, const json_t *record, const struct focal_kind *kind)
{
    printf("%s%s ", paint(args->color_out, "bold"), kind ? kind->label_en : args->noun->word);
    say_text(stdout, text_of(record, "id"));
    printf("%s", paint(args->color_out, ""));
    if (*text_of(record, "office")) {
        printf("   written by ");
        say_text(stdout, text_of(record, "office"));
    }
    printf("   version ");
    say_text(stdout, text_of(record, "version"));
    putchar('\n');
    if (json_is_false(json_object_get(record, "complete")))
        puts("  Its beginning has not arrived yet: what stands here is not all of it.");
    if (json_is_true(json_object_get(record, "needs_newer")))
        puts("  It holds something that needs a newer program.");
    if (json_is_true(json_object_get(record, "not_all_shown")))
        puts("  It holds more values at once than can be shown: of each office the first of them stand here.");
    put_withdrawal(args, record);
    putchar('\n');
}

static void put_record(const struct args *args, const json_t *record)
{
    const struct focal_kind *kind = focal_kind_by_name(args->noun->kind);
    const json_t *fields = json_object_get(record, "fields");
    put_head(args, record, kind);
    for (size_t i = 0; kind && i < kind->field_count; i++) {
        const json_t *value = json_object_get(fields, kind->fields[i].name);
        if (!value)
            value = json_object_get(json_object_get(record, "conflicts"), kind->fields[i].name) ? json_null() : NULL;
        if (value)
            put_field(args, record, kind->fields[i].name, value, &kind->fields[i]);
    }
    void *at = json_object_iter((json_t *)(uintptr_t)fields);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)fields, at))
        if (!kind || !focal_field_by_name(kind, json_object_iter_key(at)))
            put_field(args, record, json_object_iter_key(at), json_object_iter_value(at), NULL);
    if (json_array_size(json_object_get(record, "seen_by"))) {
        putchar('\n');
        put_seen(json_object_get(record, "seen_by"));
    }
}

int run_show(const struct args *args)
{
    struct talk t;
    struct focal_error err;
    json_t *item = NULL, *with = json_object();
    put_text(with, "ref", args->operands[0]);
    enum focal_status st = talk_open(&t, args, &err);
    if (st == FOCAL_OK)
        st = talk_one(&t, args->request, with, &item, NULL, &err);
    else
        json_decref(with);
    talk_close(&t);
    if (st != FOCAL_OK) {
        json_decref(item);
        return say_error(args, &err);
    }
    if (args->json)
        (void)say_object(args, item);
    else
        put_record(args, item);
    json_decref(item);
    return say_done(0);
}
