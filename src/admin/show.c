/* Records as JSON: what `show` and `list` say. */
#include "job.h"

#include <stdio.h>
#include <string.h>

void value_text(struct focal_buf *out, struct focal_oplog *oplog, const struct focal_field *field, struct focal_span value)
{
    if (field && field->type == FOCAL_TYPE_REF && value.len == FOCAL_REF_BYTES) {
        struct focal_ref ref;
        struct focal_record_view view;
        focal_ref_get(&ref, value.data);
        /* A code can be read back only while the record is here; the long form always. */
        if (focal_oplog_record(oplog, NULL, &ref, &view) == FOCAL_OK) {
            char code[32];
            bool known = view.record.kind != NULL;
            focal_record_view_close(&view);
            focal_oplog_record_code(oplog, &ref, code);
            if (known) {
                focal_buf_text(out, code);
                return;
            }
        }
    }
    if (field) {
        focal_value_print(out, field, value);
        return;
    }
    char hex[2 * 32 + 1];
    focal_hex(hex, value.data, value.len < 32 ? value.len : 32);
    focal_buf_printf(out, "?%s", hex);
}

static json_t *text_of(struct focal_oplog *oplog, const struct focal_field *field, struct focal_span value)
{
    struct focal_buf text;
    focal_buf_init(&text, 65536);
    value_text(&text, oplog, field, value);
    json_t *out = focal_json_text(focal_buf_view(&text));
    focal_buf_close(&text);
    return out;
}

/* {"sex":"female","age":"child"}, a part that is absent left out; {"event":"given","day":"2018-05-03"}. */
static json_t *parts_json(const struct focal_field *field, struct focal_span value)
{
    struct focal_buf text;
    focal_buf_init(&text, 4096);
    focal_value_print(&text, field, value);
    const char *at = focal_buf_cstr(&text);
    unsigned names = field->type == FOCAL_TYPE_EVENT ? field->parts + 1u : field->parts;
    json_t *out = json_object();
    for (unsigned i = 0; i < names; i++) {
        size_t len = i + 1 < names ? strcspn(at, ".") : strlen(at);
        if (len)
            json_object_set_new(out, field->part_names[i], focal_json_text(focal_span_of(at, len)));
        at += len + (at[len] == '.');
    }
    focal_buf_close(&text);
    return out;
}

json_t *value_json(struct focal_oplog *oplog, const struct focal_field *field, struct focal_span value)
{
    uint64_t n;
    if (!field || !focal_value_known(field, value))
        return text_of(oplog, field, value);
    if (field->type == FOCAL_TYPE_ROW || field->type == FOCAL_TYPE_EVENT)
        return parts_json(field, value);
    if (field->type == FOCAL_TYPE_NUMBER) {
        struct focal_cur c = focal_cur_of(value);
        n = focal_cur_varint(&c);
        return json_integer((json_int_t)n);
    }
    return text_of(oplog, field, value);
}

/* Of an entry-code, printed "medical.accepted": where what the key says ends. */
static size_t key_length(const struct focal_field *field, const char *text)
{
    size_t len = 0;
    for (unsigned i = 0; i < field->key_parts; i++) {
        len += strcspn(text + len, ".");
        if (i + 1u < field->key_parts && text[len] == '.')
            len++;
    }
    return len;
}

void slot_name(struct focal_buf *out, const struct focal_slot *slot)
{
    if (!slot->field) {
        focal_buf_printf(out, "field-%llu", (unsigned long long)slot->number);
        return;
    }
    focal_buf_text(out, slot->field->name);
    if (slot->key.len == 0 || slot->value_count == 0)
        return;
    struct focal_buf text;
    focal_buf_init(&text, 4096);
    focal_value_print(&text, slot->field, slot->values[0].value);
    const char *whole = focal_buf_cstr(&text);
    focal_buf_printf(out, ".%.*s", (int)key_length(slot->field, whole), whole);
    focal_buf_close(&text);
}

/* A map's value without its key. */
static json_t *map_value_json(const struct focal_field *field, struct focal_span value, char key[128])
{
    struct focal_buf text;
    focal_buf_init(&text, 4096);
    focal_value_print(&text, field, value);
    const char *whole = focal_buf_cstr(&text);
    size_t len = key_length(field, whole);
    if (key)
        (void)snprintf(key, 128, "%.*s", (int)len, whole);
    json_t *out = text_json(whole[len] == '.' ? whole + len + 1 : whole);
    focal_buf_close(&text);
    return out;
}

static json_t *slot_value_json(struct focal_node *node, const struct focal_record *r, const struct focal_slot *slot, size_t i)
{
    if (slot->field && slot->field->type == FOCAL_TYPE_ENTRY_CODE && slot->key.len)
        return map_value_json(slot->field, slot->values[i].value, NULL);
    return live_json(node, &r->ref, slot->field, &slot->values[i]);
}

json_t *fields_json(struct focal_node *node, const struct focal_record *r)
{
    json_t *out = json_object();
    for (size_t s = 0; s < r->slot_count; s++) {
        const struct focal_slot *slot = &r->slots[s];
        if (slot->value_count == 0 || (slot->field && slot->field->intake == FOCAL_INTAKE_MACHINE))
            continue;
        enum focal_merge_class merge = focal_field_merge(slot->number);
        if (!slot->field) {             /* of a newer program: kept, shown as what it is */
            struct focal_buf name;
            focal_buf_init(&name, 64);
            slot_name(&name, slot);
            json_object_set_new(out, focal_buf_cstr(&name), json_string("needs a newer program"));
            focal_buf_close(&name);
        } else if (merge == FOCAL_MERGE_REGISTER) {
            json_object_set_new(out, slot->field->name, slot_value_json(node, r, slot, 0));
        } else if (merge == FOCAL_MERGE_MAP) {
            json_t *map = json_object_get(out, slot->field->name);
            char key[128];
            if (!map) {
                map = json_object();
                json_object_set_new(out, slot->field->name, map);
            }
            json_t *value = map_value_json(slot->field, slot->values[0].value, key);
            json_object_set_new(map, key, value);
        } else {
            json_t *rows = json_array();
            for (size_t i = 0; i < slot->value_count; i++)
                json_array_append_new(rows, slot_value_json(node, r, slot, i));
            json_object_set_new(out, slot->field->name, rows);
        }
    }
    return out;
}

void row_name(char out[24], const struct focal_live *live)
{
    char hex[9];
    focal_hex(hex, live->ref.h8, 4);
    (void)snprintf(out, 24, "%s.%u", hex, (unsigned)live->ordinal);
}

static json_t *live_text_json(struct focal_node *node, const struct focal_record *r, const struct focal_slot *slot, size_t i)
{
    struct focal_buf text;
    focal_buf_init(&text, 65536);
    live_text(&text, node, &r->ref, slot->field, &slot->values[i]);
    json_t *out = focal_json_text(focal_buf_view(&text));
    focal_buf_wipe_close(&text);
    return out;
}

json_t *rows_json(struct focal_node *node, const struct focal_record *r)
{
    const struct focal_oplog *oplog = focal_node_oplog(node);
    json_t *out = json_object();
    for (size_t s = 0; s < r->slot_count; s++) {
        const struct focal_slot *slot = &r->slots[s];
        if (!slot->field || focal_field_merge(slot->number) != FOCAL_MERGE_SET || slot->field->intake == FOCAL_INTAKE_MACHINE)
            continue;
        json_t *rows = json_array();
        for (size_t i = 0; i < slot->value_count; i++) {
            char name[24];
            json_t *row = json_object();
            const struct focal_certificate *author = focal_oplog_author(oplog, &slot->values[i].ref.log);
            row_name(name, &slot->values[i]);
            json_object_set_new(row, "row", json_string(name));
            json_object_set_new(row, "value", live_text_json(node, r, slot, i));
            json_object_set_new(row, "office", author ? text_json(author->office.text) : json_null());
            json_array_append_new(rows, row);
        }
        json_object_set_new(out, slot->field->name, rows);
    }
    return out;
}

json_t *conflicts_json(struct focal_node *node, const struct focal_record *r)
{
    const struct focal_oplog *oplog = focal_node_oplog(node);
    json_t *out = json_object();
    for (size_t s = 0; s < r->slot_count; s++) {
        const struct focal_slot *slot = &r->slots[s];
        if (!slot->two_versions)
            continue;
        json_t *values = json_array();
        for (size_t i = 0; i < slot->value_count; i++) {
            const struct focal_certificate *author = focal_oplog_author(oplog, &slot->values[i].ref.log);
            json_t *one = json_object();
            json_object_set_new(one, "value", slot_value_json(node, r, slot, i));
            json_object_set_new(one, "office", author ? text_json(author->office.text) : json_null());
            if (slot->values[i].has_day)
                json_object_set_new(one, "day", day_json(slot->values[i].day));
            json_array_append_new(values, one);
        }
        struct focal_buf name;
        focal_buf_init(&name, 256);
        slot_name(&name, slot);
        json_object_set_new(out, focal_buf_cstr(&name), values);
        focal_buf_close(&name);
    }
    return out;
}

json_t *record_head_json(struct focal_oplog *oplog, const struct focal_record *r)
{
    json_t *out = json_object();
    json_object_set_new(out, "id", code_json(oplog, &r->ref));
    json_object_set_new(out, "record", ref_json(&r->ref));
    json_object_set_new(out, "version", hex_json(r->version, sizeof r->version));
    return out;
}
