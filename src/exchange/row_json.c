/* A JSON object of fields by name to the values of a record. */
#include "inside.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* jansson goes down the stack with every bracket, so depth is looked at before it sees the text. */
static bool too_deep(struct focal_span text)
{
    size_t depth = 0;
    bool inside = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (inside) {
            if (c == '\\')
                i++;
            else if (c == '"')
                inside = false;
        } else if (c == '"') {
            inside = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_DEPTH_MAX)
                return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

struct json_t *object_parse(struct focal_span text, struct focal_error *err)
{
    json_error_t why;
    if (too_deep(text)) {
        (void)focal_fail(err, FOCAL_MALFORMED, "make it flatter", "the JSON is nested deeper than %d levels", JSON_DEPTH_MAX);
        return NULL;
    }
    json_t *object = json_loadb(text.len ? (const char *)text.data : "", text.len, JSON_REJECT_DUPLICATES, &why);
    if (!object && json_error_code(&why) == json_error_out_of_memory) {
        (void)focal_fail(err, FOCAL_NO_MEMORY, "free some memory and try again", "no memory to read the JSON");
    } else if (!object) {
        (void)focal_fail(err, FOCAL_MALFORMED, "look at that place", "not JSON: at character %d: %s", why.column,
                         show(focal_span_text(why.text)).text);
    } else if (!json_is_object(object)) {
        (void)focal_fail(err, FOCAL_MALFORMED, "write {\"country\":\"KEN\",...}", "the JSON is not an object of fields");
        json_decref(object);
        object = NULL;
    }
    return object;
}

unsigned part_count(const struct focal_field *field)
{
    switch (field->type) {
    case FOCAL_TYPE_ROW:
    case FOCAL_TYPE_ENTRY_CODE: return field->parts;
    case FOCAL_TYPE_EVENT:      return field->parts + 1u;
    default:                    return 0;
    }
}

struct reading {
    struct focal_row *row;
    const struct focal_intake_for *intake;
    const struct focal_field *field;
    struct focal_error *err;
};

static struct focal_span string_span(const json_t *text)
{
    return focal_span_of(json_string_value(text), json_string_length(text));
}

static enum focal_status wrong_form(const struct reading *r)
{
    char names[120] = "";
    size_t used = 0;
    unsigned count = part_count(r->field);
    for (unsigned i = 0; i < count && used < sizeof names; i++) {
        int n = snprintf(names + used, sizeof names - used, "%s\"%s\":...", i ? "," : "", r->field->part_names[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    if (count == 0)
        return focal_fail(r->err, FOCAL_REFUSED, "write it as text", "%s: a plain value is needed here", r->field->name);
    char hint[200];
    snprintf(hint, sizeof hint, "write {%s}, or the parts as text with dots between", names);
    return focal_fail(r->err, FOCAL_REFUSED, hint, "%s: this is no row of it", r->field->name);
}

/* ---- one value ---- */

static bool is_part(const struct focal_field *field, const char *name)
{
    for (unsigned i = 0; i < part_count(field); i++) {
        if (strcmp(field->part_names[i], name) == 0)
            return true;
    }
    return false;
}

static bool names_parts(const struct focal_field *field, const json_t *object)
{
    for (unsigned i = 0; i < part_count(field); i++) {
        if (json_object_get(object, field->part_names[i]))
            return true;
    }
    return false;
}

/* Text or whole number, as text. */
static bool put_plain(struct focal_buf *out, const json_t *value)
{
    if (json_is_string(value))
        focal_buf_bytes(out, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        focal_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        return false;
    return true;
}

/* Parts joined by dots; parts left out at the end leave no dots. All left out: a row that states nothing. */
static enum focal_status put_parts(const struct reading *r, struct focal_buf *out, const json_t *object)
{
    const char *name;
    json_t *part;
    json_t *walked = (json_t *)(uintptr_t)object;
    json_object_foreach(walked, name, part) {
        if (!is_part(r->field, name))
            return wrong_form(r);
    }
    unsigned last = 0;
    bool any = false;
    for (unsigned i = 0; i < part_count(r->field); i++) {
        part = json_object_get(object, r->field->part_names[i]);
        if (part && !json_is_null(part)) {
            any = true;
            last = i;
        }
    }
    if (!any && part_count(r->field) > 1)
        last = 1;
    for (unsigned i = 0; i <= last; i++) {
        part = json_object_get(object, r->field->part_names[i]);
        size_t before = out->len + (i > 0);
        focal_buf_text(out, i ? "." : "");
        if (part && !json_is_null(part) && !put_plain(out, part))
            return wrong_form(r);
        if (out->len > before && memchr(out->data + before, '.', out->len - before))
            return wrong_form(r);
    }
    return FOCAL_OK;
}

static enum focal_status put_scalar(const struct reading *r, const json_t *value)
{
    struct focal_buf text;
    focal_buf_init(&text, FOCAL_ROW_BYTES_MAX);
    enum focal_status status = FOCAL_OK;
    if (json_is_object(value) && part_count(r->field) > 0)
        status = put_parts(r, &text, value);
    else if (!put_plain(&text, value))
        status = wrong_form(r);
    if (status == FOCAL_OK && text.failed)
        status = focal_fail(r->err, FOCAL_NO_MEMORY, "free some memory and try again", "%s: no memory for the value", r->field->name);
    if (status == FOCAL_OK)
        status = row_put(r->row, r->intake, r->field, focal_buf_view(&text), r->err);
    focal_buf_close(&text);
    return status;
}

/* ---- a field ---- */

/* {"medical":"accepted"}: key, then what follows it. */
static enum focal_status put_map(const struct reading *r, const json_t *object)
{
    const char *key;
    json_t *value;
    json_t *walked = (json_t *)(uintptr_t)object;
    enum focal_status status = FOCAL_OK;
    json_object_foreach(walked, key, value) {
        if (json_is_null(value))
            continue;
        struct focal_buf text;
        focal_buf_init(&text, FOCAL_ROW_BYTES_MAX);
        focal_buf_printf(&text, "%s.", key);
        if (!put_plain(&text, value))
            status = wrong_form(r);
        else if (text.failed)
            status = focal_fail(r->err, FOCAL_NO_MEMORY, "free some memory and try again", "%s: no memory for the value", r->field->name);
        else
            status = row_put(r->row, r->intake, r->field, focal_buf_view(&text), r->err);
        focal_buf_close(&text);
        if (status != FOCAL_OK)
            return status;
    }
    return status;
}

static enum focal_status put_field(const struct reading *r, const json_t *value)
{
    enum focal_merge_class merge = focal_field_merge(r->field->number);
    if (json_is_null(value))
        return FOCAL_OK;
    if (json_is_string(value))
        return focal_rows_add_text(r->row, r->intake, r->field, string_span(value), r->err);
    if (merge == FOCAL_MERGE_REGISTER)
        return json_is_array(value) && json_array_size(value) == 0 ? FOCAL_OK : put_scalar(r, value);
    if (json_is_object(value) && merge == FOCAL_MERGE_MAP && !names_parts(r->field, value))
        return put_map(r, value);
    if (!json_is_array(value))
        return put_scalar(r, value);
    for (size_t i = 0; i < json_array_size(value); i++) {
        enum focal_status status = put_scalar(r, json_array_get(value, i));
        if (status != FOCAL_OK)
            return status;
    }
    return FOCAL_OK;
}

static bool is_id(const char *name)
{
    return strcmp(name, "id") == 0 || strcmp(name, "record") == 0;
}

static void refuse_unknown_keys(const struct focal_kind *kind, const json_t *object, uint64_t line, struct focal_refusals *refusals)
{
    const char *name;
    json_t *value;
    json_t *walked = (json_t *)(uintptr_t)object;
    json_object_foreach(walked, name, value) {
        if (is_id(name) || passed_over(name) || field_named(kind, name))
            continue;
        char hint[120];
        struct shown typed = show(focal_span_text(name));
        hint_nearest_field(hint, sizeof hint, kind, typed.text);
        refuse(refusals, line, typed.text, hint, "a %s has no field \"%s\"", kind->label_en, typed.text);
    }
}

static enum focal_status read_ids(struct focal_row *row, const json_t *object, uint64_t line, struct focal_refusals *refusals)
{
    static const char *const names[] = { "id", "record" };
    for (size_t i = 0; i < 2; i++) {
        const json_t *value = json_object_get(object, names[i]);
        struct focal_error err;
        if (!value || json_is_null(value))
            continue;
        if (!json_is_string(value)) {
            refuse(refusals, line, names[i], "write it as \"KEN-4F7Q-29XD-0\"", "%s: text is needed here", names[i]);
            continue;
        }
        enum focal_status status = row_set_id(row, string_span(value), &err);
        if (status == FOCAL_NO_MEMORY)
            return status;
        if (status != FOCAL_OK)
            refuse_error(refusals, line, names[i], &err);
    }
    return FOCAL_OK;
}

enum focal_status focal_rows_from_json_object(struct focal_row *row, const struct focal_intake_for *intake,
                                              const struct json_t *object, uint64_t line, struct focal_refusals *refusals)
{
    uint64_t before = refusals->total;
    struct focal_error err;
    focal_row_clear(row);
    row->line = line;
    if (!json_is_object(object)) {
        refuse(refusals, line, "", "write {\"country\":\"KEN\",...}", "the JSON is not an object of fields");
        return FOCAL_REFUSED;
    }
    enum focal_status status = read_ids(row, object, line, refusals);
    for (size_t i = 0; i < intake->kind->field_count && status != FOCAL_NO_MEMORY; i++) {
        struct reading r = { row, intake, &intake->kind->fields[i], &err };
        const json_t *value = json_object_get(object, r.field->name);
        status = value ? put_field(&r, value) : FOCAL_OK;
        if (status != FOCAL_OK && status != FOCAL_NO_MEMORY)
            refuse_error(refusals, line, r.field->name, &err);
    }
    if (status == FOCAL_NO_MEMORY)
        return status;
    refuse_unknown_keys(intake->kind, object, line, refusals);
    return refusals->total == before ? FOCAL_OK : FOCAL_REFUSED;
}

enum focal_status focal_rows_from_json(struct focal_row *row, const struct focal_intake_for *intake,
                                       struct focal_span text, uint64_t line, struct focal_refusals *refusals)
{
    struct focal_error err;
    focal_row_clear(row);
    row->line = line;
    json_t *object = object_parse(text, &err);
    if (!object) {
        if (err.status != FOCAL_NO_MEMORY)
            refuse_error(refusals, line, "", &err);
        return err.status;
    }
    enum focal_status status = focal_rows_from_json_object(row, intake, object, line, refusals);
    json_decref(object);
    return status;
}
