/* From JSON to a change: field by field, refused with the field's name before anything is written. */
#include "job.h"

#include <stdio.h>
#include <string.h>

enum { DRAFT_BYTES_MAX = 256 << 10, TEXT_BYTES_MAX = 4096 };

void draft_open(struct draft *d, struct focal_node *node, uint32_t today)
{
    memset(d, 0, sizeof *d);
    focal_arena_init(&d->own, DRAFT_BYTES_MAX);
    d->arena = &d->own;
    d->node = node;
    d->oplog = focal_node_oplog(node);
    d->store = focal_node_store(node);
    d->today = today;
}

void draft_close(struct draft *d)
{
    focal_free(d->items);
    focal_arena_close(&d->own);
    memset(d, 0, sizeof *d);
}

static enum focal_status no_memory(struct focal_error *err)
{
    return focal_fail(err, FOCAL_NO_MEMORY, "make the change in several steps", "the change is too big to hold");
}

enum focal_status draft_put(struct draft *d, enum focal_change_op op, const struct focal_field *field, struct focal_span value, struct focal_error *err)
{
    if (d->count == d->cap) {
        size_t cap = d->cap ? d->cap * 2 : 16;
        struct focal_change_item *grown = focal_realloc(d->items, cap * sizeof *grown);
        if (!grown)
            return no_memory(err);
        d->items = grown;
        d->cap = cap;
    }
    const void *kept = focal_arena_copy(d->arena, value.len ? (const void *)value.data : "", value.len);
    if (!kept)
        return no_memory(err);
    d->items[d->count++] = (struct focal_change_item){ .op = op, .field = field, .value = focal_span_of(kept, value.len) };
    return FOCAL_OK;
}

enum focal_status value_parse(struct focal_oplog *oplog, struct focal_store *store, const struct focal_field *field, struct focal_span text,
    uint32_t today, struct focal_buf *out, struct focal_error *err)
{
    if (field->type != FOCAL_TYPE_REF || text.len == 0 || text.len > 80)
        return focal_value_parse(out, field, text, today, err);
    char typed[81] = "", hex[2 * FOCAL_REF_BYTES + 1];
    uint8_t bytes[FOCAL_REF_BYTES];
    struct focal_ref ref;
    memcpy(typed, text.data, text.len);
    struct focal_error why;
    enum focal_status st = record_find(oplog, store, typed, &ref, &why);
    if (st != FOCAL_OK)
        return focal_fail(err, st, why.hint, "%s: %s", field->name, why.message);
    focal_ref_put(bytes, &ref);
    focal_hex(hex, bytes, sizeof bytes);
    return focal_value_parse(out, field, focal_span_text(hex), today, err);
}

static enum focal_status put_text(struct draft *d, enum focal_change_op op, const struct focal_field *field, struct focal_span text, struct focal_error *err)
{
    struct focal_buf bytes;
    focal_buf_init(&bytes, FOCAL_ORDINARY_MAX);
    enum focal_status st = value_parse(d->oplog, d->store, field, text, d->today, &bytes, err);
    if (st == FOCAL_OK)
        st = draft_put(d, op, field, focal_buf_view(&bytes), err);
    focal_buf_close(&bytes);
    return st;
}

/* ---- JSON to the text of one value ---- */

static enum focal_status form(const struct focal_field *field, struct focal_error *err)
{
    char names[100] = "";
    size_t used = 0;
    unsigned count = field->type == FOCAL_TYPE_EVENT ? field->parts + 1u : field->parts;
    for (unsigned i = 0; i < count && used < sizeof names; i++) {
        int n = snprintf(names + used, sizeof names - used, "%s\"%s\"", i ? ", " : "", field->part_names[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    if (names[0])
        return focal_fail(err, FOCAL_REFUSED, "give it as text, or as an object with the parts that the message names",
                          "field \"%s\" has the parts %s", field->name, names);
    return focal_fail(err, FOCAL_REFUSED, "give it as text", "field \"%s\" holds one plain value", field->name);
}

static unsigned part_count(const struct focal_field *field)
{
    return field->type == FOCAL_TYPE_EVENT ? field->parts + 1u : field->type == FOCAL_TYPE_ROW || field->type == FOCAL_TYPE_ENTRY_CODE ? field->parts : 0;
}

static bool is_part(const struct focal_field *field, const char *name)
{
    for (unsigned i = 0; i < part_count(field); i++)
        if (strcmp(field->part_names[i], name) == 0)
            return true;
    return false;
}

static bool has_parts(const struct focal_field *field, const json_t *value)
{
    for (unsigned i = 0; i < part_count(field); i++)
        if (json_object_get(value, field->part_names[i]))
            return true;
    return json_object_size(value) == 0;
}

static enum focal_status object_text(const struct focal_field *field, const json_t *value, struct focal_buf *out, struct focal_error *err)
{
    unsigned count = part_count(field), last = 0;
    void *at = json_object_iter((json_t *)(uintptr_t)value);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)value, at))
        if (!is_part(field, json_object_iter_key(at)) || !json_is_string(json_object_iter_value(at)))
            return form(field, err);
    for (unsigned i = 0; i < count; i++)
        if (json_object_get(value, field->part_names[i]))
            last = i;
    for (unsigned i = 0; i <= last && count; i++) {
        const json_t *part = json_object_get(value, field->part_names[i]);
        focal_buf_text(out, i ? "." : "");
        focal_buf_bytes(out, part ? json_string_value(part) : "", part ? json_string_length(part) : 0);
    }
    return FOCAL_OK;
}

static enum focal_status scalar_text(const struct focal_field *field, const json_t *value, struct focal_buf *out, struct focal_error *err)
{
    if (json_is_string(value))
        focal_buf_bytes(out, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        focal_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_object(value) && part_count(field))
        return object_text(field, value, out, err);
    else
        return form(field, err);
    return FOCAL_OK;
}

static enum focal_status put_scalar(struct draft *d, enum focal_change_op op, const struct focal_field *field, const json_t *value, struct focal_error *err)
{
    struct focal_buf text;
    focal_buf_init(&text, TEXT_BYTES_MAX);
    enum focal_status st = scalar_text(field, value, &text, err);
    if (st == FOCAL_OK && text.failed)
        st = focal_fail(err, FOCAL_REFUSED, "make it shorter", "field \"%s\" is too long", field->name);
    if (st == FOCAL_OK)
        st = put_text(d, op, field, focal_buf_view(&text), err);
    focal_buf_close(&text);
    return st;
}

/* ---- removing ---- */

/* The canonical key of a map, of the text "medical" or "referral.ngo". */
static enum focal_status map_key(const struct focal_field *field, struct focal_span text, struct focal_buf *out, struct focal_error *err)
{
    struct focal_span rest = text;
    for (unsigned i = 0; i < field->key_parts; i++) {
        const uint8_t *dot = rest.len && i + 1u < field->key_parts ? memchr(rest.data, '.', rest.len) : NULL;
        struct focal_span word = focal_span_of(rest.data, dot ? (size_t)(dot - rest.data) : rest.len);
        const struct focal_code *code = focal_code_by_name(field->tables[i], word);
        if (!code)
            return focal_fail(err, FOCAL_REFUSED, "`focalctl case show` shows its keys", "field \"%s\" has no key \"%.*s\"", field->name,
                              (int)(text.len < 60 ? text.len : 60), (const char *)text.data);
        focal_buf_varint(out, code->number);
        size_t used = word.len + (dot ? 1 : 0);
        rest = focal_span_of(rest.data + used, rest.len - used);
    }
    return FOCAL_OK;
}

enum focal_status draft_put_row(struct draft *d, const struct focal_field *field, const struct focal_live *row, struct focal_error *err)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->items[i].op == FOCAL_OP_REMOVE && d->items[i].field == field && d->items[i].ordinal == row->ordinal
            && focal_ref_compare(&d->items[i].row, &row->ref) == 0)
            return focal_fail(err, FOCAL_REFUSED, "name each row once", "a row of \"%s\" is removed twice", field->name);
    enum focal_status st = draft_put(d, FOCAL_OP_REMOVE, field, focal_span_of(NULL, 0), err);
    if (st == FOCAL_OK) {
        d->items[d->count - 1].row = row->ref;
        d->items[d->count - 1].ordinal = row->ordinal;
    }
    return st;
}

/* A row by its name ("9f3a2c11.0"), or by its value where only one row has that. */
static enum focal_status remove_row(struct draft *d, const struct focal_record *r, const struct focal_field *field, struct focal_span text, struct focal_error *err)
{
    const struct focal_slot *slot = focal_record_slot(r, field->number, focal_span_of(NULL, 0));
    const struct focal_live *by_name = NULL, *by_value = NULL;
    size_t named = 0, equal = 0;
    for (size_t i = 0; slot && i < slot->value_count; i++) {
        char name[24];
        struct focal_buf value;
        row_name(name, &slot->values[i]);
        if (focal_span_equal(focal_span_text(name), text)) {
            by_name = &slot->values[i];
            named++;
        }
        focal_buf_init(&value, 65536);
        live_text(&value, d->node, &r->ref, field, &slot->values[i]);
        if (focal_span_equal(focal_buf_view(&value), text)) {
            by_value = &slot->values[i];
            equal++;
        }
        focal_buf_close(&value);
    }
    if (named == 1)
        return draft_put_row(d, field, by_name, err);
    if (named == 0 && equal == 1)
        return draft_put_row(d, field, by_value, err);
    const char *hint = "`show` gives each row's name, such as 9f3a2c11.0";
    if (named + equal > 1)
        return focal_fail(err, FOCAL_AMBIGUOUS, hint, "\"%s\" has %zu such rows", field->name, named + equal);
    return focal_fail(err, FOCAL_NOT_FOUND, hint, "\"%s\" has no row \"%.*s\"", field->name, (int)(text.len < 60 ? text.len : 60), (const char *)text.data);
}

/* Is it one of the versions of a register? Clearing another value than the one that was named would lose it unseen. */
static bool stands(const struct draft *d, const struct focal_record *r, const struct focal_field *field, const json_t *value)
{
    const struct focal_slot *slot = focal_record_slot(r, field->number, focal_span_of(NULL, 0));
    bool found = false;
    for (size_t i = 0; slot && i < slot->value_count && !found; i++) {
        struct focal_buf text;
        focal_buf_init(&text, 65536);
        live_text(&text, d->node, &r->ref, field, &slot->values[i]);
        found = focal_span_equal(focal_buf_view(&text), focal_span_of(json_string_value(value), json_string_length(value)));
        focal_buf_close(&text);
    }
    return found;
}

static enum focal_status remove_one(struct draft *d, const struct focal_record *r, const struct focal_field *field, const json_t *value, struct focal_error *err)
{
    enum focal_merge_class merge = focal_field_merge(field->number);
    if (merge == FOCAL_MERGE_REGISTER && json_string_length(value) && !stands(d, r, field, value))
        return focal_fail(err, FOCAL_NOT_FOUND, "`show` gives what stands there; `--set` with nothing after the = clears a field",
                          "\"%s\" is not \"%.60s\"", field->name, json_string_value(value));
    if (merge == FOCAL_MERGE_REGISTER)
        return draft_put(d, FOCAL_OP_CLEAR, field, focal_span_of(NULL, 0), err);
    if (!json_is_string(value))
        return form(field, err);
    struct focal_span text = focal_span_of(json_string_value(value), json_string_length(value));
    if (merge == FOCAL_MERGE_MAP) {
        struct focal_buf key;
        focal_buf_init(&key, 256);
        enum focal_status st = map_key(field, text, &key, err);
        if (st == FOCAL_OK)
            st = draft_put(d, FOCAL_OP_REMOVE, field, focal_buf_view(&key), err);
        focal_buf_close(&key);
        return st;
    }
    return remove_row(d, r, field, text, err);
}

/* ---- whole fields ---- */

static enum focal_status set_map(struct draft *d, const struct focal_field *field, const json_t *value, struct focal_error *err)
{
    if (!json_is_object(value) || has_parts(field, value))
        return put_scalar(d, FOCAL_OP_SET, field, value, err);
    enum focal_status st = FOCAL_OK;
    void *at = json_object_iter((json_t *)(uintptr_t)value);
    for (; at && st == FOCAL_OK; at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
        const json_t *one = json_object_iter_value(at);
        struct focal_buf text;
        focal_buf_init(&text, TEXT_BYTES_MAX);
        focal_buf_text(&text, json_object_iter_key(at));
        if (json_is_null(one)) {
            struct focal_buf key;
            focal_buf_init(&key, 256);
            st = map_key(field, focal_buf_view(&text), &key, err);
            if (st == FOCAL_OK)
                st = draft_put(d, FOCAL_OP_REMOVE, field, focal_buf_view(&key), err);
            focal_buf_close(&key);
        } else {
            focal_buf_text(&text, ".");
            st = json_is_string(one) ? FOCAL_OK : form(field, err);
            if (st == FOCAL_OK) {
                focal_buf_bytes(&text, json_string_value(one), json_string_length(one));
                st = put_text(d, FOCAL_OP_SET, field, focal_buf_view(&text), err);
            }
        }
        focal_buf_close(&text);
    }
    return st;
}

/* Rows of one cell stand with ';' between. */
static enum focal_status each_row(struct draft *d, enum focal_change_op op, const struct focal_field *field, struct focal_span text, struct focal_error *err)
{
    enum focal_status st = FOCAL_OK;
    do {
        const uint8_t *end = text.len ? memchr(text.data, ';', text.len) : NULL;
        struct focal_span one = focal_span_of(text.data, end ? (size_t)(end - text.data) : text.len);
        text = focal_span_of(text.data + one.len + (end ? 1 : 0), text.len - one.len - (end ? 1 : 0));
        while (one.len && one.data[0] == ' ')
            one = focal_span_of(one.data + 1, one.len - 1);
        while (one.len && one.data[one.len - 1] == ' ')
            one.len--;
        st = one.len || !end ? put_text(d, op, field, one, err) : FOCAL_OK;
        if (!end)
            break;
    } while (st == FOCAL_OK && text.len);
    return st;
}

enum focal_status draft_text(struct draft *d, const struct focal_field *field, struct focal_span text, struct focal_error *err)
{
    enum focal_merge_class merge = focal_field_merge(field->number);
    if (merge == FOCAL_MERGE_REGISTER)
        return put_text(d, FOCAL_OP_SET, field, text, err);
    return each_row(d, merge == FOCAL_MERGE_MAP ? FOCAL_OP_SET : FOCAL_OP_ADD, field, text, err);
}

/* One value or several, added. */
static enum focal_status add_value(struct draft *d, const struct focal_field *field, const json_t *value, struct focal_error *err)
{
    enum focal_merge_class merge = focal_field_merge(field->number);
    if (json_is_string(value))
        return draft_text(d, field, focal_span_of(json_string_value(value), json_string_length(value)), err);
    if (merge == FOCAL_MERGE_MAP && !json_is_array(value))
        return set_map(d, field, value, err);
    if (!json_is_array(value))
        return put_scalar(d, merge == FOCAL_MERGE_REGISTER || merge == FOCAL_MERGE_MAP ? FOCAL_OP_SET : FOCAL_OP_ADD, field, value, err);
    if (merge == FOCAL_MERGE_REGISTER)
        return form(field, err);
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < json_array_size(value) && st == FOCAL_OK; i++)
        st = put_scalar(d, merge == FOCAL_MERGE_MAP ? FOCAL_OP_SET : FOCAL_OP_ADD, field, json_array_get(value, i), err);
    return st;
}

enum focal_status draft_set(struct draft *d, const struct focal_field *field, const json_t *value, struct focal_error *err)
{
    enum focal_merge_class merge = focal_field_merge(field->number);
    bool empty = json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0);
    enum focal_status st = FOCAL_OK;
    if (!d->change.is_new && (empty || merge == FOCAL_MERGE_SET))
        st = draft_put(d, FOCAL_OP_CLEAR, field, focal_span_of(NULL, 0), err);
    if (st == FOCAL_OK && !empty)
        st = add_value(d, field, value, err);
    return st;
}

const struct focal_field *field_find(const struct focal_kind *kind, const char *name, struct focal_error *err)
{
    const struct focal_field *field = focal_field_by_name(kind, name), *nearest = NULL;
    if (field)
        return field;
    int least = 4;
    for (size_t i = 0; i < kind->field_count; i++) {
        int far = focal_text_distance(name, kind->fields[i].name);
        if (far >= 0 && far < least) {
            least = far;
            nearest = &kind->fields[i];
        }
    }
    char hint[100] = "`focalctl case new --help` lists the fields, as for every kind";
    if (nearest)
        (void)snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest->name);
    (void)!focal_fail(err, FOCAL_REFUSED, hint, "a %s has no field \"%.60s\"", kind->label_en, name);
    return NULL;
}

typedef enum focal_status with_field(struct draft *, const struct focal_record *, const struct focal_field *, const json_t *, struct focal_error *);

static enum focal_status with_set(struct draft *d, const struct focal_record *r, const struct focal_field *field, const json_t *value, struct focal_error *err)
{
    (void)r;
    return draft_set(d, field, value, err);
}

static enum focal_status with_add(struct draft *d, const struct focal_record *r, const struct focal_field *field, const json_t *value, struct focal_error *err)
{
    (void)r;
    enum focal_merge_class merge = focal_field_merge(field->number);
    if (merge == FOCAL_MERGE_REGISTER)
        return focal_fail(err, FOCAL_REFUSED, "use --set", "field \"%s\" holds one value and cannot be added to", field->name);
    return add_value(d, field, value, err);
}

static enum focal_status with_remove(struct draft *d, const struct focal_record *r, const struct focal_field *field, const json_t *value, struct focal_error *err)
{
    if (!json_is_array(value))
        return remove_one(d, r, field, value, err);
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < json_array_size(value) && st == FOCAL_OK; i++)
        st = remove_one(d, r, field, json_array_get(value, i), err);
    return st;
}

/* Said here too, because clearing a field parses nothing. */
static enum focal_status by_hand(const struct focal_field *field, struct focal_error *err)
{
    if (field->intake < FOCAL_INTAKE_COMMAND)
        return FOCAL_OK;
    return focal_fail(err, FOCAL_REFUSED, "`focalctl case withdraw REF --reason CODE`, or `focalctl case restore REF`",
                      "field \"%s\" is not set by hand", field->name);
}

static enum focal_status each_field(struct draft *d, const struct focal_record *r, const json_t *object, with_field *call, struct focal_error *err)
{
    enum focal_status st = FOCAL_OK;
    if (object && !json_is_object(object))
        return focal_fail(err, FOCAL_USAGE, "give fields by name: {\"country\":\"KEN\"}", "the fields are not a JSON object");
    void *at = json_object_iter((json_t *)(uintptr_t)object);
    for (; at && st == FOCAL_OK; at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        const struct focal_field *field = field_find(d->change.kind, json_object_iter_key(at), err);
        st = field ? by_hand(field, err) : FOCAL_REFUSED;
        if (st == FOCAL_OK)
            st = call(d, r, field, json_object_iter_value(at), err);
    }
    return st;
}

/* ---- who opens what is sealed ---- */

static enum focal_status seal_to_one(struct draft *d, struct focal_span text, struct focal_error *err)
{
    struct focal_change *c = &d->change;
    char typed[FOCAL_OFFICE_MAX + 2] = "";
    if (c->seal_to_count == FOCAL_SEALED_ADDRESSEES_MAX)
        return focal_fail(err, FOCAL_REFUSED, "name fewer", "a value is sealed to %d offices at most", FOCAL_SEALED_ADDRESSEES_MAX);
    memcpy(typed, text.data, text.len < sizeof typed - 1 ? text.len : sizeof typed - 1);
    enum focal_status st = office_find(d->oplog, typed, &d->seal_to[c->seal_to_count], err);
    if (st == FOCAL_OK)
        c->seal_to_count++;
    return st;
}

enum focal_status draft_seal_to(struct draft *d, const json_t *offices, struct focal_error *err)
{
    enum focal_status st = FOCAL_OK;
    d->change.seal_to = d->seal_to;
    if (!offices)
        return FOCAL_OK;
    if (!json_is_array(offices) || json_array_size(offices) == 0)
        return focal_fail(err, FOCAL_USAGE, "name them by their codes: [\"KEN\",\"HQ\"]", "\"seal_to\" is not a list of offices");
    for (size_t i = 0; i < json_array_size(offices) && st == FOCAL_OK; i++) {
        const json_t *one = json_array_get(offices, i);
        st = json_is_string(one) && json_string_length(one) > 0 ? seal_to_one(d, focal_span_of(json_string_value(one), json_string_length(one)), err)
             : focal_fail(err, FOCAL_USAGE, "name them by their codes: [\"KEN\",\"HQ\"]", "\"seal_to\" is not a list of offices");
    }
    return st;
}

/* ---- what follows ---- */

static struct focal_change_item *item_of(struct draft *d, const char *name)
{
    struct focal_change_item *found = NULL;
    for (size_t i = 0; i < d->count; i++)
        if (d->items[i].op == FOCAL_OP_SET && strcmp(d->items[i].field->name, name) == 0)
            found = &d->items[i];
    return found;
}

/* Tables are counted by quarter, in a scope that does not see the day: so the day brings its quarter. */
static enum focal_status follow_quarter(struct draft *d, struct focal_error *err)
{
    const struct focal_change_item *day = item_of(d, "received_date"), *quarter = item_of(d, "received_quarter");
    if (!day)
        return FOCAL_OK;
    struct focal_cur c = focal_cur_of(day->value);
    uint64_t days = focal_cur_varint(&c);
    if (c.failed || days == 0)
        return FOCAL_OK;
    uint32_t theirs = focal_quarter_of_date((uint32_t)(days - 1));
    struct focal_buf bytes;
    focal_buf_init(&bytes, 16);
    focal_buf_varint(&bytes, theirs);
    enum focal_status st = FOCAL_OK;
    if (!quarter) {
        st = draft_put(d, FOCAL_OP_SET, focal_field_by_name(d->change.kind, "received_quarter"), focal_buf_view(&bytes), err);
    } else if (!focal_span_equal(quarter->value, focal_buf_view(&bytes))) {
        char text[12];
        focal_quarter_print(text, theirs);
        st = focal_fail(err, FOCAL_REFUSED, "leave received_quarter out: it follows from the day", "received_date lies in %s, and received_quarter says otherwise", text);
    }
    focal_buf_close(&bytes);
    return st;
}

enum focal_status draft_finish(struct draft *d, struct focal_error *err)
{
    enum focal_status st = d->change.kind->number == FOCAL_KIND_CASE ? follow_quarter(d, err) : FOCAL_OK;
    d->change.items = d->items;
    d->change.item_count = d->count;
    if (!d->change.day_set) {
        d->change.day_set = true;
        d->change.day = d->today;
    }
    return st;
}

enum focal_status draft_new(struct draft *d, const struct focal_kind *kind, const json_t *fields, struct focal_error *err)
{
    d->change.kind = kind;
    d->change.is_new = true;
    enum focal_status st = each_field(d, NULL, fields, with_set, err);
    return st == FOCAL_OK ? draft_finish(d, err) : st;
}

enum focal_status draft_update(struct draft *d, const struct focal_record *r, const json_t *with, struct focal_error *err)
{
    d->change.kind = r->kind;
    d->change.record = r->ref;
    enum focal_status st = each_field(d, r, json_object_get(with, "set"), with_set, err);
    if (st == FOCAL_OK)
        st = each_field(d, r, json_object_get(with, "remove"), with_remove, err);
    if (st == FOCAL_OK)
        st = each_field(d, r, json_object_get(with, "add"), with_add, err);
    return st == FOCAL_OK ? draft_finish(d, err) : st;
}
