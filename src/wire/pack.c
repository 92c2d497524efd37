/* Packing a stretch by columns. */
#include "pack.h"

static enum focal_status put_entry(struct focal_packer *p, const struct focal_stretch *s, size_t i)
{
    const struct focal_stretch_entry *entry = &s->entries[i];
    size_t payload_len = entry->has_payload ? entry->payload.len : 0;
    if (entry->header.len > FOCAL_ENTRY_MAX || payload_len > FOCAL_ENTRY_MAX - entry->header.len)
        return FOCAL_TOO_BIG;
    struct focal_header h;
    if (focal_header_decode(&h, entry->header) != FOCAL_OK || h.seq != s->first + i)
        return FOCAL_MALFORMED;
    bool whole = entry->header.len + payload_len > PACK_COLUMNS_ENTRY_MAX;
    uint8_t flags = focal_pack_header(p, &h, entry->header, whole);
    if (entry->has_payload) {
        struct focal_payload payload;
        if (focal_payload_decode(&payload, entry->payload) != FOCAL_OK)
            return FOCAL_MALFORMED;
        flags = (uint8_t)(flags | focal_pack_payload(p, i, entry->payload, whole));
    }
    focal_buf_u8(&p->columns[COLUMN_FLAGS], flags);
    return FOCAL_OK;
}

static void put_dictionary(struct focal_packer *p, const struct focal_stretch *s)
{
    struct focal_buf *dictionary = &p->columns[COLUMN_DICTIONARY];
    focal_buf_varint(dictionary, p->log_count);
    focal_buf_varint(dictionary, p->tag_count);
    focal_buf_varint(dictionary, p->shape_count);
    focal_buf_varint(dictionary, s->run_count);
    focal_pack_shapes(p, dictionary);
    uint64_t expected = s->first;
    for (size_t r = 0; r < s->run_count; r++) {
        const struct focal_salt_run *run = &s->runs[r];
        focal_buf_varint(dictionary, pack_zigzag(run->first - expected));
        focal_buf_varint(dictionary, (run->last - run->first) << 1 | run->has_seed);
        expected = run->last + 1;
    }
}

static enum focal_status squeeze_columns(struct focal_packer *p, const struct focal_stretch *s)
{
    size_t ends[COLUMN_COUNT + PACK_TAGS_MAX], n = 0;
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        if (p->columns[c].failed)
            return FOCAL_NO_MEMORY;
        focal_buf_span(&p->whole, focal_buf_view(&p->columns[c]));
        ends[n++] = p->whole.len;
    }
    focal_pack_values(p, s);
    if (p->whole.failed || p->record_h8.failed || p->replaced_h8.failed)
        return FOCAL_NO_MEMORY;
    for (size_t t = 0; t < p->tag_count; t++, n++)
        ends[n] = ends[n - 1] + p->value_bytes[t];
    return focal_pack_squeeze(p, ends, n);
}

static size_t raw_bytes(const struct focal_packer *p, const struct focal_stretch *s)
{
    size_t bytes = p->log_count * sizeof p->logs[0] + p->record_h8.len + p->replaced_h8.len;
    for (size_t i = 0; i < s->count; i++)
        bytes += s->entries[i].has_payload ? 0 : sizeof s->entries[i].c;
    for (size_t r = 0; r < s->run_count; r++)
        bytes += s->runs[r].has_seed ? sizeof s->runs[r].seed : s->runs[r].salts.len;
    return bytes;
}

static void put_raw(struct focal_packer *p, struct focal_buf *out, const struct focal_stretch *s)
{
    focal_buf_bytes(out, p->logs, p->log_count * sizeof p->logs[0]);
    focal_buf_span(out, focal_buf_view(&p->record_h8));
    focal_buf_span(out, focal_buf_view(&p->replaced_h8));
    for (size_t i = 0; i < s->count; i++) {
        if (!s->entries[i].has_payload)
            focal_buf_bytes(out, s->entries[i].c.b, sizeof s->entries[i].c.b);
    }
    for (size_t r = 0; r < s->run_count; r++) {
        if (s->runs[r].has_seed)
            focal_buf_bytes(out, s->runs[r].seed, sizeof s->runs[r].seed);
        else
            focal_buf_span(out, s->runs[r].salts);
    }
}

/* All or nothing: what does not fit leaves `out` as it was, and says which limit it met. */
static enum focal_status put_all(struct focal_packer *p, struct focal_buf *out, const struct focal_stretch *s, size_t canonical)
{
    bool squeezed = p->squeezed.len > 0;
    uint8_t head[2 + 5 * VARINT_MAX];
    size_t n = 0;
    head[n++] = PACK_VERSION;
    head[n++] = squeezed ? FORM_ZSTD : FORM_STORED;
    n += pack_varint(head + n, s->first);
    n += pack_varint(head + n, s->count);
    n += pack_varint(head + n, canonical);
    n += pack_varint(head + n, p->whole.len);
    if (squeezed)
        n += pack_varint(head + n, p->squeezed.len);
    struct focal_span columns = focal_buf_view(squeezed ? &p->squeezed : &p->whole);
    size_t bytes = n + columns.len + raw_bytes(p, s);
    if (out->failed)
        return FOCAL_NO_MEMORY;
    if (bytes > out->limit - out->len)
        return FOCAL_TOO_BIG;
    size_t before = out->len;
    focal_buf_bytes(out, head, n);
    focal_buf_span(out, columns);
    put_raw(p, out, s);
    if (out->failed)
        return FOCAL_NO_MEMORY;
    focal_assert(out->len - before == bytes);
    return FOCAL_OK;
}

enum focal_status focal_stretch_pack(struct focal_packer *p, struct focal_buf *out, const struct focal_stretch *s)
{
    if (s->count > FOCAL_STRETCH_ENTRIES_MAX)
        return FOCAL_TOO_BIG;
    if (s->count == 0 || s->first == 0 || s->first > UINT64_MAX - s->count)
        return FOCAL_MALFORMED;
    size_t canonical = focal_stretch_canonical_bytes(s);
    if (canonical > FOCAL_STRETCH_BYTES_MAX)
        return FOCAL_TOO_BIG;
    if (!focal_pack_runs_fit(s))
        return FOCAL_MALFORMED;
    focal_pack_forget(p);
    for (size_t i = 0; i < s->count; i++) {
        enum focal_status status = put_entry(p, s, i);
        if (status != FOCAL_OK)
            return status;
    }
    put_dictionary(p, s);
    enum focal_status status = squeeze_columns(p, s);
    return status == FOCAL_OK ? put_all(p, out, s, canonical) : status;
}
