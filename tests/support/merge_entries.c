#include "merge_entries.h"

#include <string.h>

struct focal_ref made_ref(uint8_t log, uint8_t seq, uint8_t name)
{
    struct focal_ref ref = { .seq = seq };
    memset(ref.log.b, log, sizeof ref.log.b);
    ref.h8[0] = name;
    return ref;
}

struct focal_hash made_hash(uint8_t name, uint8_t tail)
{
    struct focal_hash h = { { 0 } };
    h.b[0] = name;
    h.b[sizeof h.b - 1] = tail;
    return h;
}

void made_value_add(struct made_entry *e, uint64_t field, const void *bytes, size_t len)
{
    focal_assert(e->value_count < MADE_VALUES_MAX && len <= MADE_VALUE_BYTES_MAX);
    struct made_value *v = &e->values[e->value_count++];
    *v = (struct made_value){ .field = field, .len = (uint8_t)len };
    if (len)
        memcpy(v->bytes, bytes, len);
}

void made_replace(struct made_entry *e, uint8_t log, uint8_t seq, uint8_t name, uint16_t ordinal)
{
    focal_assert(e->replaced_count < MADE_REPLACED_MAX);
    e->replaced[e->replaced_count++] = (struct made_name){ log, seq, name, ordinal };
}

static int value_order(const struct made_value *a, const struct made_value *b)
{
    if (a->field != b->field)
        return a->field < b->field ? -1 : 1;
    return focal_span_compare(focal_span_of(a->bytes, a->len), focal_span_of(b->bytes, b->len));
}

static int name_order(const struct made_name *a, const struct made_name *b)
{
    if (a->log != b->log)
        return a->log < b->log ? -1 : 1;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    if (a->name != b->name)
        return a->name < b->name ? -1 : 1;
    return (int)a->ordinal - (int)b->ordinal;
}

static void sort(struct made_entry *e)
{
    for (size_t i = 1; i < e->value_count; i++) {
        for (size_t j = i; j > 0 && value_order(&e->values[j - 1], &e->values[j]) > 0; j--) {
            struct made_value held = e->values[j];
            e->values[j] = e->values[j - 1];
            e->values[j - 1] = held;
        }
    }
    for (size_t i = 1; i < e->replaced_count; i++) {
        for (size_t j = i; j > 0 && name_order(&e->replaced[j - 1], &e->replaced[j]) > 0; j--) {
            struct made_name held = e->replaced[j];
            e->replaced[j] = e->replaced[j - 1];
            e->replaced[j - 1] = held;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < e->replaced_count; i++) {
        if (kept == 0 || name_order(&e->replaced[kept - 1], &e->replaced[i]) != 0)
            e->replaced[kept++] = e->replaced[i];
    }
    e->replaced_count = kept;
}

static void make_header(struct made_bytes *out, const struct made_entry *e)
{
    struct focal_buf names;
    focal_buf_init(&names, 4096);
    for (size_t i = 0; i < e->replaced_count; i++) {
        const struct made_name *n = &e->replaced[i];
        struct focal_replaced name = { .entry = made_ref(n->log, n->seq, n->name), .ordinal = n->ordinal };
        focal_replaced_put(&names, &name);
    }
    struct focal_header header = { .shape = FOCAL_SHAPE_ORDINARY, .seq = e->seq, .creates = e->creates,
        .record = made_ref(1, 1, 1), .replaced = focal_buf_view(&names) };
    focal_header_encode(&out->header, &header);
    if (e->newer)
        focal_buf_item(&out->header, 17, focal_span_text("newer"));
    focal_buf_close(&names);
}

static void make_payload(struct made_bytes *out, const struct made_entry *e)
{
    struct focal_item items[MADE_VALUES_MAX];
    for (size_t i = 0; i < e->value_count; i++)
        items[i] = (struct focal_item){ .field = e->values[i].field, .value = focal_span_of(e->values[i].bytes, e->values[i].len) };
    struct focal_hash home;
    memset(home.b, e->home, sizeof home.b);
    struct focal_span span = focal_span_of(home.b, e->home ? sizeof home.b : 0);
    focal_payload_encode(&out->payload, e->kind, e->has_home ? &span : NULL, e->has_day ? &e->day : NULL, items, e->value_count);
}

void made_entry_bytes(struct made_bytes *out, struct made_entry *e)
{
    sort(e);
    focal_buf_init(&out->header, FOCAL_ENTRY_MAX);
    focal_buf_init(&out->payload, FOCAL_ENTRY_MAX);
    make_header(out, e);
    make_payload(out, e);
    focal_assert(!out->header.failed && !out->payload.failed);
    out->contribution = (struct focal_contribution){ .ref = made_ref(e->log, e->seq, e->name), .h = made_hash(e->name, e->tail),
        .header = focal_buf_view(&out->header), .has_payload = !e->stripped, .payload = focal_buf_view(&out->payload) };
}

void made_bytes_close(struct made_bytes *bytes)
{
    focal_buf_close(&bytes->header);
    focal_buf_close(&bytes->payload);
}
