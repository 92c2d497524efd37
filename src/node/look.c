/* One entry by itself: what people ask of entries that stand in no part any more. */
#include "inner.h"

#include <string.h>

enum { LINE_BYTES = 16, HIDDEN_KEY_BYTES = LINE_BYTES + 8, PACKED_MAX = FOCAL_ENTRY_MAX + 4096 };

static bool fits_ref(const void *h8, const struct focal_hash *h)
{
    return memcmp(h->b, h8, 8) == 0;
}

static enum focal_status read_one(struct focal_entry_look *out, const struct focal_stretch_entry *e)
{
    struct focal_header header;
    struct focal_payload payload;
    struct focal_value_walk at = { 0 };
    struct focal_item item;
    if (focal_header_decode(&header, e->header) != FOCAL_OK || header.shape != FOCAL_SHAPE_ORDINARY)
        return FOCAL_NOT_FOUND;
    out->record = header.creates ? out->ref : header.record;
    out->has_payload = e->has_payload;
    if (!e->has_payload || focal_payload_decode(&payload, e->payload) != FOCAL_OK)
        return FOCAL_OK;
    out->day_set = payload.has_day;
    out->day = payload.day;
    while (payload.kind == FOCAL_KIND_REDACTION && focal_payload_next(&payload, &at, &item)) {
        if (item.field == FOCAL_REDACTION_REASON && item.value.len == 1)
            out->reason = item.value.data[0];
        out->everywhere = out->everywhere || (item.field == FOCAL_REDACTION_REACH && item.value.len == 1 && item.value.data[0] == FOCAL_CODE_EVERYWHERE);
    }
    return FOCAL_OK;
}

/* ref: log and seq are set; h8 is filled in where the line is given. */
static enum focal_status look_on(struct focal_node *n, const struct focal_log *line, struct focal_entry_look *out)
{
    struct focal_packer *packer = focal_packer_open();
    struct focal_arena arena;
    struct focal_buf packed;
    struct focal_piece piece;
    struct focal_stretch s;
    focal_arena_init(&arena, 64u << 20);
    focal_buf_init(&packed, PACKED_MAX);
    enum focal_status st = packer ? focal_oplog_read(n->oplog, line, out->ref.seq, PACKED_MAX, &piece, &packed) : FOCAL_NO_MEMORY;
    if (st == FOCAL_OK)
        st = focal_stretch_unpack(packer, &s, &arena, focal_buf_view(&packed));
    if (st == FOCAL_OK)
        st = s.count > 0 && s.first == out->ref.seq ? read_one(out, &s.entries[0]) : FOCAL_DAMAGED;
    focal_buf_wipe_close(&packed);
    focal_arena_close(&arena);
    focal_packer_close(packer);
    return st;
}

enum focal_status focal_node_look(struct focal_node *n, const struct focal_ref *entry, struct focal_entry_look *out)
{
    const struct focal_log *line = NULL;
    memset(out, 0, sizeof *out);
    out->ref = *entry;
    enum focal_status st = focal_oplog_line_with(n->oplog, &entry->log, entry->seq, fits_ref, entry->h8, &line);
    return st == FOCAL_OK ? look_on(n, line, out) : st;
}

enum focal_status focal_node_next_hidden(struct focal_node *n, struct focal_buf *key, struct focal_entry_look *out)
{
    memset(out, 0, sizeof *out);
    enum focal_status st = focal_store_next(n->store, FOCAL_SHELF_HIDDEN, focal_buf_view(key), key, NULL);
    if (st != FOCAL_OK)
        return st;
    if (key->len != HIDDEN_KEY_BYTES)
        return FOCAL_DAMAGED;
    for (size_t i = 0; i < focal_oplog_log_count(n->oplog); i++) {
        const struct focal_log *line = focal_oplog_log_at(n->oplog, i);
        struct focal_hash h;
        if (memcmp(line->line.b, key->data, LINE_BYTES) != 0)
            continue;
        out->ref.log = line->id;
        out->ref.seq = focal_get_be64(key->data + LINE_BYTES);
        st = focal_oplog_hash_on(n->oplog, line, out->ref.seq, &h);
        if (st != FOCAL_OK)
            return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
        memcpy(out->ref.h8, h.b, sizeof out->ref.h8);
        st = look_on(n, line, out);
        return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;   /* a quote: of which record is not said */
    }
    return FOCAL_DAMAGED;
}

/* ---- what others redacted of ours, and how much of that somebody here has looked at ---- */

static const char SEEN_KEY[] = "refused-seen";

void focal_node_refused(struct focal_node *n, uint64_t *count, uint64_t *seen)
{
    struct focal_buf key, value;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, 8);
    *count = *seen = 0;
    while (focal_store_next(n->store, FOCAL_SHELF_REFUSED, focal_buf_view(&key), &key, NULL) == FOCAL_OK)
        ++*count;
    if (focal_store_get(n->store, FOCAL_SHELF_META, focal_span_text(SEEN_KEY), &value) == FOCAL_OK && value.len == 8)
        *seen = focal_get_be64(value.data);
    focal_buf_close(&key);
    focal_buf_close(&value);
}

enum focal_status refused_seen(struct focal_node *n)
{
    uint64_t count, seen;
    uint8_t value[8];
    enum focal_status st = node_writing(n);
    focal_node_refused(n, &count, &seen);
    focal_put_be64(value, count);
    return st == FOCAL_OK ? focal_store_put(n->store, FOCAL_SHELF_META, focal_span_text(SEEN_KEY), focal_span_of(value, sizeof value)) : st;
}
