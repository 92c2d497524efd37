/* A row of a file as values: its memory, and values given as text. */
#include "inside.h"

#include <string.h>

enum { ROW_ARENA_MAX = 1 << 20, ID_BYTES_MAX = 80 };

void focal_row_init(struct focal_row *row)
{
    *row = (struct focal_row){ .line = 0 };
    focal_arena_init(&row->arena, ROW_ARENA_MAX);
}

void focal_row_close(struct focal_row *row)
{
    focal_free(row->items);
    focal_arena_close(&row->arena);
    *row = (struct focal_row){ .line = 0 };
}

void focal_row_clear(struct focal_row *row)
{
    row->line = 0;
    row->id = focal_span_of(NULL, 0);
    row->item_count = 0;
    focal_arena_reset(&row->arena);
}

const struct focal_row_item *focal_row_find(const struct focal_row *row, uint64_t field, const struct focal_row_item *after)
{
    for (size_t i = after ? (size_t)(after - row->items) + 1 : 0; i < row->item_count; i++) {
        if (row->items[i].field->number == field)
            return &row->items[i];
    }
    return NULL;
}

bool passed_over(const char *name)
{
    return strcmp(name, "refused") == 0 || strcmp(name, "two_versions") == 0;
}

enum focal_status row_set_id(struct focal_row *row, struct focal_span text, struct focal_error *err)
{
    if (text.len == 0 || row->id.len > 0)
        return FOCAL_OK;
    if (text.len > ID_BYTES_MAX || !focal_utf8_valid(text))
        return focal_fail(err, FOCAL_REFUSED, "write it as KEN-4F7Q-29XD-0", "id: \"%s\" is no reference", show(text).text);
    const void *kept = focal_arena_copy(&row->arena, text.data, text.len);
    if (!kept)
        return focal_fail(err, FOCAL_NO_MEMORY, "free some memory and try again", "no memory to read the row");
    row->id = focal_span_of(kept, text.len);
    return FOCAL_OK;
}

/* ---- one value ---- */

static enum focal_status parse_value(const struct focal_intake_for *intake, const struct focal_field *field,
                                     struct focal_span text, struct focal_buf *out, struct focal_error *err)
{
    if (field->type != FOCAL_TYPE_REF || !intake->resolve || text.len == 0)
        return focal_value_parse(out, field, text, intake->today, err);
    struct focal_ref ref;
    enum focal_status status = intake->resolve(intake->data, &ref, field, text, err);
    if (status != FOCAL_OK)
        return status;
    uint8_t *to = focal_buf_reserve(out, FOCAL_REF_BYTES);
    if (to)
        focal_ref_put(to, &ref);
    return FOCAL_OK;
}

static bool grow(struct focal_row *row)
{
    if (row->item_count < row->item_cap)
        return true;
    size_t cap = row->item_cap ? row->item_cap * 2 : 16;
    struct focal_row_item *items = focal_realloc(row->items, cap * sizeof *items);
    if (!items)
        return false;
    row->items = items;
    row->item_cap = cap;
    return true;
}

/* A key of a map holds one value, so a row that names a key twice contradicts itself. */
static bool key_taken(const struct focal_row *row, const struct focal_field *field, struct focal_span value)
{
    struct focal_span key, other, rest;
    if (focal_field_merge(field->number) != FOCAL_MERGE_MAP || !focal_map_value_split(value, &key, &rest))
        return false;
    for (size_t i = 0; i < row->item_count; i++) {
        if (row->items[i].field == field && focal_map_value_split(row->items[i].value, &other, &rest) && focal_span_equal(key, other))
            return true;
    }
    return false;
}

static enum focal_status keep(struct focal_row *row, const struct focal_field *field, struct focal_span value,
                              struct focal_span text, struct focal_error *err)
{
    enum focal_merge_class merge = focal_field_merge(field->number);
    if (row->item_count == ROW_ITEMS_MAX)
        return focal_fail(err, FOCAL_REFUSED, "enter the rest with an update", "%s: more than %d values in one record", field->name, ROW_ITEMS_MAX);
    if (key_taken(row, field, value))
        return focal_fail(err, FOCAL_REFUSED, "leave one of them out", "%s: \"%s\" says a second time what is said already",
                          field->name, show(text).text);
    const void *kept = grow(row) ? focal_arena_copy(&row->arena, value.data, value.len) : NULL;
    if (!kept)
        return focal_fail(err, FOCAL_NO_MEMORY, "free some memory and try again", "%s: no memory for the value", field->name);
    row->items[row->item_count++] = (struct focal_row_item){
        .op = merge == FOCAL_MERGE_REGISTER || merge == FOCAL_MERGE_MAP ? FOCAL_ROW_SET : FOCAL_ROW_ADD,
        .field = field, .value = focal_span_of(kept, value.len)
    };
    return FOCAL_OK;
}

enum focal_status row_put(struct focal_row *row, const struct focal_intake_for *intake, const struct focal_field *field,
                          struct focal_span text, struct focal_error *err)
{
    struct focal_buf bytes;
    focal_buf_init(&bytes, FOCAL_ORDINARY_MAX);
    enum focal_status status = parse_value(intake, field, text, &bytes, err);
    if (status == FOCAL_OK && bytes.failed)
        status = focal_fail(err, FOCAL_NO_MEMORY, "free some memory and try again", "%s: no memory for the value", field->name);
    if (status == FOCAL_OK)
        status = keep(row, field, focal_buf_view(&bytes), text, err);
    focal_buf_close(&bytes);
    return status;
}

enum focal_status focal_rows_add_text(struct focal_row *row, const struct focal_intake_for *intake,
                                      const struct focal_field *field, struct focal_span text, struct focal_error *err)
{
    if (text.len == 0)
        return FOCAL_OK;
    if (focal_field_merge(field->number) == FOCAL_MERGE_REGISTER)
        return row_put(row, intake, field, text, err);
    enum focal_status status = FOCAL_OK;
    for (bool more = true; more && status == FOCAL_OK;) {
        const uint8_t *end = text.len ? memchr(text.data, ';', text.len) : NULL;
        struct focal_span one = { text.data, end ? (size_t)(end - text.data) : text.len };
        more = end != NULL;
        if (more)
            text = (struct focal_span){ end + 1, text.len - one.len - 1 };
        status = row_put(row, intake, field, one, err);
    }
    return status;
}
