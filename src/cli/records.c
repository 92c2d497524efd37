/* new, update, withdraw, restore, list, conflicts, resolve. */
#include "cli.h"

#include <string.h>

enum { TABLE_ROWS = 400 };

/* ---- one answer of id and version ---- */

static int changed(const struct args *args, const char *request, json_t *with)
{
    struct talk t;
    struct focal_error err;
    json_t *item = NULL;
    enum focal_status st = talk_open(&t, args, &err);
    if (st == FOCAL_OK)
        st = talk_one(&t, request, with, &item, NULL, &err);
    else
        json_decref(with);
    talk_close(&t);
    if (st != FOCAL_OK) {
        json_decref(item);
        return say_error(args, &err);
    }
    if (args->json) {
        (void)say_object(args, item);
    } else {
        say_text(stdout, text_of(item, "id"));
        putchar('\n');
        if (args->terminal_err && args->noun)
            fprintf(stderr, "  version %s; `focalctl %s show %s` shows it and who has seen it\n", text_of(item, "version"), args->noun->word,
                    text_of(item, "id"));
    }
    json_decref(item);
    return say_done(0);
}

int run_new(const struct args *args)
{
    struct focal_error err;
    json_t *with;
    if (fields_new(args, &with, &err) != FOCAL_OK)
        return say_error(args, &err);
    return changed(args, args->request, with);
}

int run_update(const struct args *args)
{
    struct focal_error err;
    json_t *with;
    if (fields_update(args, &with, &err) != FOCAL_OK)
        return say_error(args, &err);
    return changed(args, args->request, with);
}

/* And restore, which takes no reason. */
int run_withdraw(const struct args *args)
{
    struct focal_error err;
    const char *reason = args_value(args, OPTION_REASON);
    if (!reason && args->verb->options & HAS(REASON)) {
        (void)!focal_fail(&err, FOCAL_USAGE, "--reason entered_in_error, duplicate, complainant_request or other", "%s: say why", args->words);
        return say_error(args, &err);
    }
    json_t *with = json_object();
    put_text(with, "ref", args->operands[0]);
    put_text(with, "reason", reason);
    put_text(with, "if_version", args_value(args, OPTION_IF_VERSION));
    return changed(args, args->request, with);
}

int run_resolve(const struct args *args)
{
    struct focal_error err;
    const char *take = args_value(args, OPTION_TAKE), *office = args_value(args, OPTION_TAKE_OFFICE), *version = args_value(args, OPTION_IF_VERSION);
    if (!take == !office) {
        (void)!focal_fail(&err, FOCAL_USAGE, "--take VALUE or --take-office CODE; `conflicts REF` shows the versions",
                          "%s: say which version to keep, one way", args->words);
        return say_error(args, &err);
    }
    json_t *with = json_object();
    put_text(with, "ref", args->operands[0]);
    put_text(with, "field", args->operands[1]);
    put_text(with, take ? "take" : "take_office", take ? take : office);
    put_text(with, "if_version", version);
    return changed(args, args->request, with);
}

/* ---- list ---- */

/* What a list shows of each kind; from the item itself where the name begins with '/', from its withdrawal where with '=';
 * '?': how many of those in the item's list; '@': a user. */
struct list_column { const char *noun, *head, *name; bool right; };
static const struct list_column list_columns[] = {
    { "case", "REFERENCE", "/id", false }, { "case", "COUNTRY", "country", false }, { "case", "RECEIVED", "received_quarter", false },
    { "case", "TYPE", "allegation_type", false }, { "case", "STATUS", "status", false }, { "case", "VICTIMS", "#victims", true },
    { "case", "TWO VERSIONS", "/two_versions", true },
    { "withdrawn", "REFERENCE", "/id", false }, { "withdrawn", "COUNTRY", "country", false }, { "withdrawn", "RECEIVED", "received_quarter", false },
    { "withdrawn", "REASON", "=reason", false }, { "withdrawn", "BY", "=office", false }, { "withdrawn", "SINCE THEN", "=state", false },
    { "entity", "REFERENCE", "/id", false }, { "entity", "KIND", "kind", false }, { "entity", "SHORT", "short_name", false },
    { "entity", "NAME", "name", false },
    { "focal-point", "REFERENCE", "/id", false }, { "focal-point", "COUNTRY", "country", false }, { "focal-point", "ROLE", "role", false },
    { "focal-point", "ENTITY", "entity", false }, { "focal-point", "DUTY CONTACT", "duty_contact", false },
    { "endorsement", "REFERENCE", "/id", false }, { "endorsement", "DATE", "date", false }, { "endorsement", "WITHDRAWN", "withdrawn_on", false },
    { "endorsement", "ENTITY", "entity", false },
    { "nil-return", "REFERENCE", "/id", false }, { "nil-return", "PERIOD", "period", false }, { "nil-return", "COUNTRY", "country", false },
    { "nil-return", "ENTITY", "entity", false },
    { "redaction", "REFERENCE", "/id", false }, { "redaction", "WHAT", "/what", false }, { "redaction", "SCOPES", "/scopes", false },
    { "redaction", "ASKED BY", "/by", false }, { "redaction", "HERE", "/state", false }, { "redaction", "CONFIRMED", "?confirmed", false },
    { "refused", "REFERENCE", "/id", false }, { "refused", "KIND", "/kind", false }, { "refused", "FIELDS", "/fields", false },
    { "rescue", "REFERENCE", "/id", false }, { "rescue", "OFFICE", "/offices", false }, { "rescue", "SCOPES", "/scopes", false },
    { "rescue", "ENTRIES", "/entries", true }, { "rescue", "BROUGHT IN", "/brought_in", true }, { "rescue", "WITHOUT CONTENT", "/without_content", true },
    { "request", "NUMBER", "/id", true }, { "request", "ASKED BY", "@uid", false }, { "request", "COMMAND", "/command", false },
    { "request", "ABOUT", "/about", false }, { "request", "UNTIL", "/until", false }, { "request", "APPROVED BY", "@approved_by", false },
    { "office", "OFFICE", "/id", false }, { "office", "STATE", "/state", false }, { "office", "ROLE", "/role", false },
    { "office", "UNTIL", "/to", false },
    { "office", "WRITES", "/writes", false },
};
enum { LIST_COLUMNS = sizeof list_columns / sizeof list_columns[0] };

struct listing {
    const struct args *args;
    struct table table;
    const char *noun;
    bool any, lines, opened;
    char last[80];
};

const char *withdrawal_words(const char *state)
{
    if (state && strcmp(state, "changed") == 0)
        return "changed after it was withdrawn";
    return state && strcmp(state, "unseen") == 0 ? "country fields not seen by who withdrew it" : "-";
}

static void put_how_many(struct focal_buf *out, const json_t *list, const char *key)
{
    size_t yes = 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        yes += json_is_true(json_object_get(json_array_get(list, i), key));
    focal_buf_printf(out, "%zu of %zu", yes, json_array_size(list));
}

static void list_cell(struct table *t, const json_t *item, const struct list_column *c)
{
    struct focal_buf text;
    const json_t *value = c->name[0] == '/' || c->name[0] == '?' || c->name[0] == '@' ? json_object_get(item, c->name + 1)
                          : c->name[0] == '='                    ? json_object_get(json_object_get(item, "withdrawal"), c->name + 1)
                                                                 : json_object_get(json_object_get(item, "fields"), c->name + (c->name[0] == '#'));
    focal_buf_init(&text, 4096);
    if (strcmp(c->name, "=state") == 0)
        focal_buf_text(&text, withdrawal_words(json_string_value(value)));
    else if (c->name[0] == '?')
        put_how_many(&text, value, c->name + 1);
    else if (c->name[0] == '@' && json_is_integer(value))
        say_user(&text, (uint64_t)json_integer_value(value));
    else if (c->name[0] == '#')
        focal_buf_printf(&text, "%zu", json_array_size(value));
    else if (!value || json_is_null(value) || (strcmp(c->name, "/two_versions") == 0 && json_integer_value(value) == 0))
        focal_buf_text(&text, "-");
    else
        say_scalar(&text, value);
    table_cell(t, focal_buf_cstr(&text));
    focal_buf_close(&text);
}

static enum focal_status list_row(struct listing *l, const json_t *item, struct focal_error *err)
{
    for (size_t i = 0; i < LIST_COLUMNS; i++)
        if (strcmp(list_columns[i].noun, l->noun) == 0)
            list_cell(&l->table, item, &list_columns[i]);
    return l->table.cell_count >= TABLE_ROWS * l->table.columns ? table_print(&l->table, err) : FOCAL_OK;
}

/* Nothing is said before there is something to say, so that an error leaves standard output empty. */
static void list_open(struct listing *l)
{
    if (!l->opened) {
        char schema[SCHEMA_BYTES];
        say_schema(schema, l->args);
        printf("{\"schema\":\"%s\",\"items\":[", schema);
    }
    l->opened = true;
}

static enum focal_status listed(void *data, const json_t *item, struct focal_error *err)
{
    struct listing *l = data;
    const char *id = text_of(item, "id");
    (void)snprintf(l->last, sizeof l->last, "%s", id);
    if (l->lines || l->args->json) {
        if (!l->lines)
            list_open(l);
        if (l->any && !l->lines)
            putchar(',');
        if (json_dumpf(item, stdout, JSON_COMPACT) != 0 && !say_gone())
            return focal_fail(err, FOCAL_NO_MEMORY, "", "no memory to write the row");
        if (l->lines)
            putchar('\n');
    } else if (list_row(l, item, err) != FOCAL_OK) {
        return err->status;
    }
    l->any = true;
    if (say_gone())
        return focal_fail(err, FOCAL_CANCELLED, "", "standard output is closed");
    return FOCAL_OK;
}

static enum focal_status list_with(const struct args *args, json_t *with, struct focal_error *err)
{
    const char *after = args_value(args, OPTION_AFTER);
    uint64_t limit = 0;
    if (args_has(args, OPTION_ALL)) {
        json_object_set_new(with, "limit", json_integer(INT32_MAX));
    } else if (args_has(args, OPTION_LIMIT)) {
        enum focal_status st = args_number(args, OPTION_LIMIT, &limit, err);
        if (st != FOCAL_OK)
            return st;
        json_object_set_new(with, "limit", json_integer((json_int_t)limit));
    }
    if (after)
        json_object_set_new(with, "after", focal_json_text(focal_span_text(after)));
    if (args_has(args, OPTION_WITHDRAWN))
        json_object_set_new(with, "withdrawn", json_true());
    return fields_filter(args, with, err);
}

static int list_end(struct listing *l, const json_t *end, enum focal_status st, struct focal_error *err)
{
    const struct args *args = l->args;
    bool more = json_is_true(json_object_get(end, "more"));
    if (args->json && !l->lines && st == FOCAL_OK) {
        list_open(l);
        printf("],\"more\":%s}\n", more ? "true" : "false");
    }
    if (!args->json && st == FOCAL_OK)
        st = table_print(&l->table, err);
    if (st != FOCAL_OK && say_gone())
        return say_done(0);
    if (st != FOCAL_OK)
        return say_error(args, err);
    if (!args->json && !l->any && args->terminal_err)
        fprintf(stderr, "none\n");
    if (more && !args->json) {
        (void)fflush(stdout);
        fprintf(stderr, "there are more: --after %s goes on, --all shows all\n", l->last);
    }
    return say_done(0);
}

int run_list(const struct args *args)
{
    struct talk t;
    struct focal_error err;
    char first[40];
    (void)snprintf(first, sizeof first, "%.*s", (int)strcspn(args->words, " "), args->words);
    struct listing l = { .args = args, .noun = first, .lines = args_has(args, OPTION_JSON_LINES) };
    json_t *with = json_object(), *end = NULL;
    enum focal_status st = list_with(args, with, &err);
    if (st == FOCAL_OK && args_has(args, OPTION_WITHDRAWN) && strcmp(l.noun, "case") != 0)
        st = focal_fail(&err, FOCAL_USAGE, "leave --withdrawn out", "%s: only cases are withdrawn", args->words);
    else if (args_has(args, OPTION_WITHDRAWN))
        l.noun = "withdrawn";
    if (st != FOCAL_OK) {
        json_decref(with);
        return say_error(args, &err);
    }
    table_open(&l.table, args);
    for (size_t i = 0; i < LIST_COLUMNS; i++)
        if (strcmp(list_columns[i].noun, l.noun) == 0)
            table_column(&l.table, list_columns[i].head, list_columns[i].right);
    st = talk_open(&t, args, &err);
    if (st == FOCAL_OK)
        st = talk_ask(&t, args->request, with, &err);
    else
        json_decref(with);
    bool begun = st == FOCAL_OK;
    if (begun)
        st = talk_hear(&t, listed, &l, &end, &err);
    talk_close(&t);
    int code = begun ? list_end(&l, end, st, &err) : say_error(args, &err);
    json_decref(end);
    table_close(&l.table);
    return code;
}

/* ---- conflicts ---- */

static void conflict_withdrawal(struct table *t, const json_t *item)
{
    const json_t *withdrawal = json_object_get(item, "withdrawal");
    const char *words = withdrawal_words(text_of(withdrawal, "state"));
    if (strcmp(words, "-") == 0)
        return;
    table_cell(t, text_of(item, "id"));
    table_cell(t, "withdrawn");
    table_cell(t, words);
    table_cell(t, *text_of(withdrawal, "office") ? text_of(withdrawal, "office") : "-");
    table_cell(t, "-");
}

static enum focal_status conflict(void *data, const json_t *item, struct focal_error *err)
{
    struct listing *l = data;
    const json_t *conflicts = json_object_get(item, "conflicts");
    if (l->lines || l->args->json)
        return listed(data, item, err);
    conflict_withdrawal(&l->table, item);
    if (json_is_true(json_object_get(item, "not_all_shown"))) {
        table_cell(&l->table, text_of(item, "id"));
        table_cell(&l->table, "-");
        table_cell(&l->table, "more than can be shown");
        table_cell(&l->table, "-");
        table_cell(&l->table, "-");
    }
    void *at = json_object_iter((json_t *)(uintptr_t)conflicts);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)conflicts, at)) {
        const json_t *values = json_object_iter_value(at);
        for (size_t i = 0; i < json_array_size(values); i++) {
            const json_t *one = json_array_get(values, i);
            struct focal_buf text;
            focal_buf_init(&text, 4096);
            say_scalar(&text, json_object_get(one, "value"));
            table_cell(&l->table, i ? "" : text_of(item, "id"));
            table_cell(&l->table, i ? "" : json_object_iter_key(at));
            table_cell(&l->table, focal_buf_cstr(&text));
            table_cell(&l->table, *text_of(one, "office") ? text_of(one, "office") : "-");
            table_cell(&l->table, *text_of(one, "day") ? text_of(one, "day") : "-");
            focal_buf_close(&text);
        }
    }
    (void)snprintf(l->last, sizeof l->last, "%s", text_of(item, "id"));
    l->any = true;
    return l->table.cell_count >= TABLE_ROWS * l->table.columns ? table_print(&l->table, err) : FOCAL_OK;
}

int run_conflicts(const struct args *args)
{
    struct talk t;
    struct focal_error err;
    struct listing l = { .args = args, .noun = args->noun->word, .lines = args_has(args, OPTION_JSON_LINES) };
    json_t *with = json_object(), *end = NULL;
    if (list_with(args, with, &err) != FOCAL_OK) {
        json_decref(with);
        return say_error(args, &err);
    }
    put_text(with, "ref", args->operand_count ? args->operands[0] : NULL);
    table_open(&l.table, args);
    table_column(&l.table, "REFERENCE", false);
    table_column(&l.table, "FIELD", false);
    table_column(&l.table, "VERSION", false);
    table_column(&l.table, "OFFICE", false);
    table_column(&l.table, "DAY", false);
    enum focal_status st = talk_open(&t, args, &err);
    if (st == FOCAL_OK)
        st = talk_ask(&t, args->request, with, &err);
    else
        json_decref(with);
    bool begun = st == FOCAL_OK;
    if (begun)
        st = talk_hear(&t, conflict, &l, &end, &err);
    talk_close(&t);
    int code = begun ? list_end(&l, end, st, &err) : say_error(args, &err);
    if (code == 0 && l.any && !args->json && args->terminal_err)
        fprintf(stderr, "end one with: focalctl %s resolve %s FIELD --take VALUE\n", l.noun, args->operand_count ? args->operands[0] : "REFERENCE");
    json_decref(end);
    table_close(&l.table);
    return code;
}
