#include "exchange_record.h"

#include <stdio.h>
#include <string.h>

enum { BYTES_MAX = 1 << 20, TODAY = 20000, VALUES_MAX = 4096 };

static struct focal_ref ref_of(uint8_t log, uint8_t number)
{
    struct focal_ref ref = { .seq = number };
    memset(ref.log.b, log, sizeof ref.log.b);
    memset(ref.h8, number, sizeof ref.h8);
    return ref;
}

static const uint8_t home_scope[32] = { 9 };

static void add(struct focal_part *part, uint64_t kind, uint8_t log, uint8_t number, const struct focal_ref *record,
                const struct focal_item *items, size_t count)
{
    struct focal_header header = { .shape = FOCAL_SHAPE_ORDINARY, .seq = number, .creates = record == NULL };
    struct focal_contribution c = { .ref = ref_of(log, number), .has_payload = true };
    struct focal_span home = focal_span_of(home_scope, sizeof home_scope);
    struct focal_buf head, body;
    if (record)
        header.record = *record;
    memset(c.h.b, number, sizeof c.h.b);
    focal_buf_init(&head, BYTES_MAX);
    focal_buf_init(&body, BYTES_MAX);
    focal_header_encode(&head, &header);
    focal_payload_encode(&body, kind, record ? NULL : &home, NULL, items, count);
    c.header = focal_buf_view(&head);
    c.payload = focal_buf_view(&body);
    focal_assert(!head.failed && !body.failed && focal_part_add(part, &c) == FOCAL_OK);
    focal_buf_close(&head);
    focal_buf_close(&body);
}

static size_t of_scope(struct focal_item *items, const struct focal_row *row, bool country)
{
    size_t count = 0;
    for (size_t i = 0; i < row->item_count; i++) {
        if ((focal_field_scope(row->items[i].field->number) == FOCAL_SCOPE_COUNTRY) == country)
            items[count++] = (struct focal_item){ .field = row->items[i].field->number, .value = row->items[i].value };
    }
    return count;
}

void exchange_record_open(struct exchange_record *r, const struct focal_kind *kind, const struct focal_row *row, uint8_t number)
{
    static struct focal_item items[VALUES_MAX];
    struct focal_ref ref = ref_of(1, number);
    memset(r, 0, sizeof *r);
    focal_part_init(&r->widest);
    focal_part_init(&r->home);
    focal_assert(row->item_count <= VALUES_MAX);
    add(&r->widest, kind->number, 1, number, NULL, items, of_scope(items, row, false));
    size_t count = of_scope(items, row, true);
    if (count > 0)
        add(&r->home, kind->number, 3, number, &ref, items, count);
    focal_assert(focal_record_open(&r->record, &ref, &r->widest, &r->home, true, NULL) == FOCAL_OK);
}

void exchange_record_also(struct exchange_record *r, const struct focal_field *field, const char *text, uint8_t number)
{
    struct focal_buf bytes;
    struct focal_ref ref = r->record.ref;
    focal_buf_init(&bytes, BYTES_MAX);
    focal_assert(focal_value_parse(&bytes, field, focal_span_text(text), TODAY, NULL) == FOCAL_OK);
    struct focal_item item = { .field = field->number, .value = focal_buf_view(&bytes) };
    uint64_t kind = r->record.kind_number;
    focal_record_close(&r->record);
    add(&r->widest, kind, 2, number, &ref, &item, 1);
    focal_assert(focal_record_open(&r->record, &ref, &r->widest, &r->home, true, NULL) == FOCAL_OK);
    focal_buf_close(&bytes);
}

void exchange_record_close(struct exchange_record *r)
{
    focal_record_close(&r->record);
    focal_part_close(&r->widest);
    focal_part_close(&r->home);
}

void exchange_file(struct focal_buf *out, const char *path)
{
    char piece[4096];
    size_t got;
    FILE *file = fopen(path, "rb");
    focal_assert(file);
    while ((got = fread(piece, 1, sizeof piece, file)) > 0)
        focal_buf_bytes(out, piece, got);
    fclose(file);
    focal_assert(!out->failed && out->len > 0);
}
