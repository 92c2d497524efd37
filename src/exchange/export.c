/* A record as a row of CSV or a line of JSON, in the form that import takes. */
#include "inside.h"

#include <string.h>

enum { TEXT_MAX = 64 << 10 };

/* Walks the values to be written for one field: the value shown first of a register and of each key of a map, every row
 * of a set. What this program does not understand has no text that could be read back. */
struct walk { size_t slot, value; };

static const struct focal_live *next_value(const struct focal_record *record, const struct focal_field *field, struct walk *at)
{
    enum focal_merge_class merge = focal_field_merge(field->number);
    bool one = merge == FOCAL_MERGE_REGISTER || merge == FOCAL_MERGE_MAP;
    for (; at->slot < record->slot_count; at->slot++, at->value = 0) {
        const struct focal_slot *slot = &record->slots[at->slot];
        if (slot->field != field)
            continue;
        while (at->value < (one && slot->value_count > 0 ? 1 : slot->value_count)) {
            const struct focal_live *live = &slot->values[at->value++];
            if (focal_value_known(field, live->value))
                return live;
        }
    }
    return NULL;
}

/* Puts what a sealed value says in its place. False: it does not open here, or not in a way this program understands. */
static bool opens(const struct focal_export_for *export, const struct focal_record *record, const struct focal_field *field, const struct focal_live *live,
    struct focal_buf *out)
{
    struct focal_field as = focal_field_opened(field);
    struct focal_buf plain;
    focal_buf_init(&plain, FOCAL_ENTRY_MAX);
    bool good = export->open && export->open(export->data, &plain, &record->ref, live) && focal_value_known(&as, focal_buf_view(&plain));
    if (good)
        focal_value_print(out, &as, focal_buf_view(&plain));
    focal_buf_wipe_close(&plain);
    return good;
}

static bool put_text(struct focal_buf *out, const struct focal_export_for *export, const struct focal_record *record, const struct focal_field *field,
    const struct focal_live *live)
{
    const struct focal_span value = live->value;
    if (focal_field_is_sealed(field->number))
        return opens(export, record, field, live, out);
    if (field->type == FOCAL_TYPE_REF && export->print) {
        struct focal_ref ref;
        focal_ref_get(&ref, value.data);
        export->print(export->data, out, &ref);
    } else {
        focal_value_print(out, field, value);
    }
    return true;
}

static bool is_written(const struct focal_export_for *export, const struct focal_field *field)
{
    if (focal_field_is_sealed(field->number) && !export->open)
        return false;
    return field->intake < FOCAL_INTAKE_COMMAND || (export->withdrawn && field->intake == FOCAL_INTAKE_COMMAND);
}

bool focal_export_wants(const struct focal_export_for *export, const struct focal_record *record)
{
    return (focal_record_withdrawn_by(record) != NULL) == export->withdrawn;
}

/* ---- CSV ---- */

void focal_export_csv_header(struct focal_buf *out, const struct focal_export_for *export)
{
    focal_buf_text(out, "id");
    for (size_t i = 0; i < export->kind->field_count; i++) {
        if (is_written(export, &export->kind->fields[i]))
            focal_buf_printf(out, ",%s", export->kind->fields[i].name);
    }
    focal_buf_text(out, "\r\n");
}

void focal_export_csv_row(struct focal_buf *out, const struct focal_export_for *export, const struct focal_record *record, const char *id)
{
    struct focal_buf cell;
    focal_buf_init(&cell, TEXT_MAX * 4);
    focal_csv_cell(out, focal_span_text(id));
    for (size_t i = 0; i < export->kind->field_count; i++) {
        const struct focal_field *field = &export->kind->fields[i];
        const struct focal_live *live;
        struct walk at = { 0 };
        bool first = true;
        if (!is_written(export, field))
            continue;
        focal_buf_clear(&cell);
        while ((live = next_value(record, field, &at)) != NULL) {
            const size_t before = cell.len;
            focal_buf_text(&cell, first ? "" : ";");
            if (put_text(&cell, export, record, field, live))
                first = false;
            else
                focal_buf_truncate(&cell, before);
        }
        focal_buf_u8(out, ',');
        focal_csv_cell(out, focal_buf_view(&cell));
        if (cell.failed)
            out->failed = true;
    }
    focal_buf_text(out, "\r\n");
    focal_buf_close(&cell);
}

/* ---- JSON ---- */

/* "female.child" with its names: {"sex":"female","age":"child"}; absent parts are left out. */
static void put_parts(struct focal_buf *out, const struct focal_field *field, struct focal_span text)
{
    bool first = true;
    focal_buf_u8(out, '{');
    for (unsigned i = 0; i < part_count(field); i++) {
        const uint8_t *dot = text.len ? memchr(text.data, '.', text.len) : NULL;
        struct focal_span part = { text.data, dot ? (size_t)(dot - text.data) : text.len };
        size_t used = part.len + (dot ? 1 : 0);
        text = (struct focal_span){ text.data + used, text.len - used };
        if (part.len == 0)
            continue;
        focal_buf_printf(out, "%s\"%s\":", first ? "" : ",", field->part_names[i]);
        focal_json_string(out, part);
        first = false;
    }
    focal_buf_u8(out, '}');
}

/* "medical.accepted" as "medical":"accepted". */
static void put_entry(struct focal_buf *out, const struct focal_field *field, struct focal_span text)
{
    size_t at = 0;
    for (unsigned dots = 0; at < text.len; at++) {
        if (text.data[at] == '.' && ++dots == field->key_parts)
            break;
    }
    focal_json_string(out, focal_span_of(text.data, at));
    focal_buf_u8(out, ':');
    focal_json_string(out, at < text.len ? focal_span_of(text.data + at + 1, text.len - at - 1) : focal_span_of(text.data, 0));
}

static void put_value(struct focal_buf *out, const struct focal_field *field, struct focal_span text)
{
    switch (field->type) {
    case FOCAL_TYPE_ROW:
    case FOCAL_TYPE_EVENT:      put_parts(out, field, text); return;
    case FOCAL_TYPE_ENTRY_CODE: put_entry(out, field, text); return;
    case FOCAL_TYPE_NUMBER:     focal_buf_span(out, text); return;
    default:                    focal_json_string(out, text);
    }
}

static void put_field(struct focal_buf *out, struct focal_buf *text, const struct focal_export_for *export,
                      const struct focal_record *record, const struct focal_field *field)
{
    enum focal_merge_class merge = focal_field_merge(field->number);
    const char *open = merge == FOCAL_MERGE_REGISTER ? "" : merge == FOCAL_MERGE_MAP ? "{" : "[";
    const char *close = merge == FOCAL_MERGE_REGISTER ? "" : merge == FOCAL_MERGE_MAP ? "}" : "]";
    const struct focal_live *live;
    struct walk at = { 0 };
    bool first = true;
    while ((live = next_value(record, field, &at)) != NULL) {
        focal_buf_clear(text);
        if (!put_text(text, export, record, field, live))
            continue;
        if (first)
            focal_buf_printf(out, ",\"%s\":%s", field->name, open);
        else
            focal_buf_u8(out, ',');
        put_value(out, field, focal_buf_view(text));
        first = false;
        if (text->failed)
            out->failed = true;
    }
    if (!first)
        focal_buf_text(out, close);
}

static void put_two_versions(struct focal_buf *out, const struct focal_record *record)
{
    bool first = true;
    const struct focal_field *last = NULL;
    for (size_t i = 0; i < record->slot_count; i++) {
        const struct focal_slot *slot = &record->slots[i];
        if (!slot->two_versions || !slot->field || slot->field == last)
            continue;
        focal_buf_printf(out, "%s\"%s\"", first ? ",\"two_versions\":[" : ",", slot->field->name);
        first = false;
        last = slot->field;
    }
    if (!first)
        focal_buf_u8(out, ']');
}

void focal_export_json_line(struct focal_buf *out, const struct focal_export_for *export, const struct focal_record *record, const char *id)
{
    struct focal_buf text;
    focal_buf_init(&text, TEXT_MAX);
    focal_buf_text(out, "{\"id\":");
    focal_json_string(out, focal_span_text(id));
    for (size_t i = 0; i < export->kind->field_count; i++) {
        if (is_written(export, &export->kind->fields[i]))
            put_field(out, &text, export, record, &export->kind->fields[i]);
    }
    put_two_versions(out, record);
    focal_buf_text(out, "}\n");
    focal_buf_close(&text);
}
