/* Fields as typed, into what the daemon takes: {"set":{…},"add":{…},"remove":{…}}. */
#include "cli.h"

#include "focal/io.h"

#include <string.h>

enum { FILE_BYTES_MAX = 1 << 20 };

static enum focal_status json_file(const char *path, json_t **out, struct focal_error *err)
{
    struct focal_buf bytes;
    struct focal_error why;
    *out = NULL;
    focal_buf_init(&bytes, FILE_BYTES_MAX + 16384);
    enum focal_status st = focal_file_read(&bytes, path, FILE_BYTES_MAX, err);
    if (st == FOCAL_OK) {
        st = focal_json_parse(out, focal_buf_view(&bytes), &why);
        if (st != FOCAL_OK)
            st = focal_fail(err, st, why.hint, "%.200s: %s", strcmp(path, "-") == 0 ? "standard input" : path, why.message);
    }
    focal_buf_wipe_close(&bytes);
    return st;
}

static enum focal_status object_file(const struct args *args, const char *path, json_t **out, struct focal_error *err)
{
    enum focal_status st = json_file(path, out, err);
    if (st != FOCAL_OK || json_is_object(*out))
        return st;
    json_decref(*out);
    *out = NULL;
    return focal_fail(err, FOCAL_MALFORMED, "several records at once: `focalctl import FILE --format jsonl`",
                      "%.200s: one JSON object of fields is wanted, {\"country\":\"KEN\",...}; no %s was written", path, args->noun->word);
}

/* "name.rest=value" or "name=value"; the name must be one of the kind, so that a slip is told before anything is asked. */
static enum focal_status split(const struct args *args, enum opt o, const char *typed, char name[64], const char **rest, const char **value,
    struct focal_error *err)
{
    const char *equals = strchr(typed, '=');
    size_t whole = equals ? (size_t)(equals - typed) : 0, len = whole ? strcspn(typed, ".=") : 0;
    if (!equals || len == 0 || len > 63)
        return focal_fail(err, FOCAL_USAGE, "write FIELD=VALUE, such as status=received",
                          "--%s \"%.60s\" is not of the form FIELD=VALUE", option_rows[o].name, typed);
    json_t *text = json_string(typed);
    json_decref(text);
    if (!text)                          /* a letter lost on the way would be a wrong record */
        return focal_fail(err, FOCAL_USAGE, "use a terminal that writes UTF-8, or --from FILE", "what --%s says is not UTF-8 text", option_rows[o].name);
    (void)snprintf(name, 64, "%.*s", (int)len, typed);
    *rest = len < whole ? typed + len + 1 : NULL;
    *value = equals + 1;
    const struct focal_kind *kind = focal_kind_by_name(args->noun->kind);
    if (!kind || focal_field_by_name(kind, name))
        return FOCAL_OK;
    const char *near = NULL;
    int least = 4;
    for (size_t i = 0; i < kind->field_count; i++) {
        int far = focal_text_distance(name, kind->fields[i].name);
        if (far >= 0 && far < least) {
            least = far;
            near = kind->fields[i].name;
        }
    }
    char hint[120];
    if (near)
        (void)snprintf(hint, sizeof hint, "did you mean %s? `focalctl %s --help` lists the fields", near, args->words);
    else
        (void)snprintf(hint, sizeof hint, "`focalctl %s --help` lists the fields", args->words);
    return focal_fail(err, FOCAL_USAGE, hint, "a record of kind %s has no field \"%s\"", args->noun->word, name);
}

static void put_key(json_t *into, const char *name, const char *rest, size_t rest_len, const char *value)
{
    json_t *map = json_object_get(into, name);
    char key[128];
    if (!json_is_object(map)) {
        map = json_object();
        json_object_set_new(into, name, map);
    }
    (void)snprintf(key, sizeof key, "%.*s", (int)rest_len, rest);
    json_object_set_new(map, key, *value ? focal_json_text(focal_span_text(value)) : json_null());
}

static void append_rows(json_t *rows, const char *value)
{
    while (*value) {
        size_t len = strcspn(value, ";");
        if (len)
            json_array_append_new(rows, focal_json_text(focal_span_of(value, len)));
        value += len + (value[len] == ';');
    }
}

/* Rows of one value stand with ';' between; what stood there before goes first. */
static void put_rows(json_t *into, const char *name, const char *value)
{
    json_t *rows = json_object_get(into, name);
    if (!json_is_array(rows)) {
        json_t *made = json_array();
        if (json_is_string(rows))
            append_rows(made, json_string_value(rows));
        else if (rows && !json_is_null(rows))
            json_array_append(made, rows);
        json_object_set_new(into, name, made);
        rows = made;
    }
    append_rows(rows, value);
}

/* Every --set, --add or --remove of the command line into one object. */
static enum focal_status gather(const struct args *args, enum opt o, json_t *into, struct focal_error *err)
{
    for (size_t i = 0; i < args->given_count; i++) {
        char name[64];
        const char *rest = NULL, *value = "";
        if (args->given[i].option != o)
            continue;
        enum focal_status st = split(args, o, args->given[i].value, name, &rest, &value, err);
        if (st != FOCAL_OK)
            return st;
        size_t rest_len = rest ? (size_t)(value - 1 - rest) : 0;
        if (o == OPTION_REMOVE && rest) {
            char key[128];
            (void)snprintf(key, sizeof key, "%.*s", (int)rest_len, rest);
            put_rows(into, name, key);
        } else if (o == OPTION_REMOVE || (o == OPTION_ADD && !rest))
            put_rows(into, name, o == OPTION_REMOVE && !*value ? "-" : value);
        else if (rest)
            put_key(into, name, rest, rest_len, value);
        else
            json_object_set_new(into, name, *value ? focal_json_text(focal_span_text(value)) : json_null());
    }
    return FOCAL_OK;
}

/* Codes may stand in one word, "KEN,HQ". */
static void put_seal_to(const struct args *args, json_t *with)
{
    json_t *offices = json_array();
    for (size_t i = 0; i < args->given_count; i++) {
        const char *at = args->given[i].option == OPTION_SEAL_TO ? args->given[i].value : "";
        while (*at) {
            size_t len = strcspn(at, ",");
            json_array_append_new(offices, focal_json_text(focal_span_of(at, len)));
            at += len + (at[len] == ',');
        }
    }
    if (args_has(args, OPTION_SEAL_TO))
        json_object_set(with, "seal_to", offices);
    json_decref(offices);
}

static enum focal_status put_day(const struct args *args, json_t *with)
{
    const char *day = args_value(args, OPTION_DAY);
    if (day)
        json_object_set_new(with, "day", focal_json_text(focal_span_text(day)));
    return FOCAL_OK;
}

enum focal_status fields_new(const struct args *args, json_t **with, struct focal_error *err)
{
    const char *from = args_value(args, OPTION_FROM);
    json_t *fields = NULL;
    *with = NULL;
    enum focal_status st = from ? object_file(args, from, &fields, err) : FOCAL_OK;
    if (st != FOCAL_OK)
        return st;
    if (!fields)
        fields = json_object();
    if (from && json_object_get(fields, "schema"))      /* what `--json` gave may be given back */
        json_object_del(fields, "schema");
    st = gather(args, OPTION_SET, fields, err);
    if (st == FOCAL_OK)
        st = gather(args, OPTION_ADD, fields, err);
    if (st == FOCAL_OK && json_object_size(fields) == 0)
        st = focal_fail(err, FOCAL_USAGE, "give fields with --from FILE, --set FIELD=VALUE or --add FIELD=VALUE",
                        "%s: there is nothing to write", args->words);
    if (st != FOCAL_OK) {
        json_decref(fields);
        return st;
    }
    *with = json_object();
    json_object_set_new(*with, "fields", fields);
    put_seal_to(args, *with);
    return put_day(args, *with);
}

enum focal_status fields_update(const struct args *args, json_t **with, struct focal_error *err)
{
    const char *from = args_value(args, OPTION_FROM), *version = args_value(args, OPTION_IF_VERSION);
    json_t *set = NULL, *add = json_object(), *removed = json_object();
    enum focal_status st = from ? object_file(args, from, &set, err) : FOCAL_OK;
    *with = json_object();
    if (st == FOCAL_OK && !set)
        set = json_object();
    if (st == FOCAL_OK)
        st = gather(args, OPTION_SET, set, err);
    if (st == FOCAL_OK)
        st = gather(args, OPTION_ADD, add, err);
    if (st == FOCAL_OK)
        st = gather(args, OPTION_REMOVE, removed, err);
    if (st == FOCAL_OK && json_object_size(set) + json_object_size(add) + json_object_size(removed) == 0)
        st = focal_fail(err, FOCAL_USAGE, "say what with --set, --add or --remove", "%s: there is nothing to change", args->words);
    put_text(*with, "ref", args->operands[0]);
    if (set && json_object_size(set))
        json_object_set(*with, "set", set);
    if (json_object_size(add))
        json_object_set(*with, "add", add);
    if (json_object_size(removed))
        json_object_set(*with, "remove", removed);
    if (version)
        json_object_set_new(*with, "if_version", focal_json_text(focal_span_text(version)));
    json_decref(set);
    json_decref(add);
    json_decref(removed);
    if (st != FOCAL_OK) {
        json_decref(*with);
        *with = NULL;
        return st;
    }
    put_seal_to(args, *with);
    return put_day(args, *with);
}

enum focal_status fields_filter(const struct args *args, json_t *with, struct focal_error *err)
{
    json_t *filter = json_object();
    enum focal_status st = args->noun ? gather(args, OPTION_FILTER, filter, err) : FOCAL_OK;
    if (st == FOCAL_OK && json_object_size(filter))
        json_object_set(with, "filter", filter);
    json_decref(filter);
    return st;
}
