/* Records by kind and by code: rows that follow from what a record's widest part says of its creation.
 *
 * Mostly the part alone tells. Where the creating entry is stripped it does not: then another entry of the same office says it,
 * and whose entries these are depends on which logs are held. So what the rows said before is not guessed from the part as it
 * was: the row of the code names the kind under which the record is listed. */
#include "inside.h"

#include <stdlib.h>

uint32_t focal_oplog_kind32(uint64_t kind)
{
    return kind > UINT32_MAX ? UINT32_MAX : (uint32_t)kind;
}

static void kind_key(uint8_t out[KIND_KEY_BYTES], uint32_t kind, const uint8_t record[FOCAL_REF_BYTES])
{
    focal_oplog_put_be32(out, kind);
    memcpy(out + 4, record, FOCAL_REF_BYTES);
}

static void code_key(uint8_t out[CODE_KEY_BYTES], const uint8_t record[FOCAL_REF_BYTES])
{
    struct focal_ref ref;
    uint8_t code[8];
    focal_ref_get(&ref, record);
    focal_put_be64(code, focal_short_code(&ref) << 24);
    memcpy(out, code, 5);
    memcpy(out + 5, record, FOCAL_REF_BYTES);
}

static struct indexed indexed_by(const struct focal_part *part)
{
    struct focal_creation creation;
    if (focal_part_creation(part, NULL, &creation))
        return (struct indexed){ .sure = true, .is = true, .kind = focal_oplog_kind32(creation.kind) };
    return (struct indexed){ .sure = !focal_part_creation_stripped(part) };
}

enum focal_status focal_oplog_index_was(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES], const struct split *split, struct indexed *was)
{
    struct focal_part creation;
    enum focal_status st = FOCAL_OK;
    focal_part_init(&creation);
    if (split->is)
        st = focal_oplog_split_creation(ol, ol->store, key, &creation);
    *was = indexed_by(split->is ? &creation : &ol->part);
    focal_part_close(&creation);
    return st;
}

static enum focal_status read_rows(struct focal_oplog *ol, const uint8_t record[FOCAL_REF_BYTES], struct indexed *out)
{
    uint8_t code[CODE_KEY_BYTES];
    code_key(code, record);
    *out = (struct indexed){ .sure = true };
    enum focal_status st = focal_store_get(ol->store, FOCAL_SHELF_CODE, focal_span_of(code, sizeof code), &ol->value);
    if (st != FOCAL_OK)
        return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
    if (ol->value.len != sizeof(uint32_t))
        return FOCAL_DAMAGED;
    struct focal_cur cur = focal_cur_of(focal_buf_view(&ol->value));
    out->is = true;
    out->kind = focal_cur_be32(&cur);
    return FOCAL_OK;
}

static enum focal_status forget_kind(struct focal_oplog *ol, const uint8_t record[FOCAL_REF_BYTES], uint32_t kind)
{
    uint8_t key[KIND_KEY_BYTES];
    kind_key(key, kind, record);
    return focal_store_del(ol->store, FOCAL_SHELF_KIND, focal_span_of(key, sizeof key));
}

/* The row of the code is put later, with the others of a flush. */
static enum focal_status put_rows(struct focal_oplog *ol, const uint8_t record[FOCAL_REF_BYTES], uint32_t kind)
{
    uint8_t key[KIND_KEY_BYTES];
    void *list = ol->created;
    enum focal_status st = focal_oplog_room(&list, &ol->created_cap, ol->created_count, sizeof *ol->created);
    ol->created = list;
    kind_key(key, kind, record);
    if (st == FOCAL_OK && !FOCAL_PLANTED(KIND_ROW_FORGOTTEN))
        st = focal_store_put(ol->store, FOCAL_SHELF_KIND, focal_span_of(key, sizeof key), focal_span_of(key, 0));
    if (st != FOCAL_OK)
        return st;
    struct created *made = &ol->created[ol->created_count++];
    code_key(made->key, record);
    memcpy(made->kind, key, sizeof made->kind);
    return FOCAL_OK;
}

static enum focal_status forget_rows(struct focal_oplog *ol, const uint8_t record[FOCAL_REF_BYTES], uint32_t kind)
{
    uint8_t code[CODE_KEY_BYTES];
    code_key(code, record);
    enum focal_status st = FOCAL_PLANTED(REDACTED_KIND_ROW_STAYS) ? FOCAL_OK : forget_kind(ol, record, kind);
    return st == FOCAL_OK ? focal_store_del(ol->store, FOCAL_SHELF_CODE, focal_span_of(code, sizeof code)) : st;
}

static enum focal_status index_by(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES], struct indexed was, const struct focal_part *part)
{
    const struct focal_authors authors = focal_oplog_authors(ol);
    struct focal_creation creation;
    const bool is = focal_part_creation(part, &authors, &creation);
    const uint32_t kind = is ? focal_oplog_kind32(creation.kind) : 0;
    enum focal_status st = was.sure ? FOCAL_OK : read_rows(ol, key, &was);
    if (st != FOCAL_OK || (was.is == is && was.kind == kind))
        return st;
    if (was.is && !is)
        return forget_rows(ol, key, was.kind);
    if (was.is)
        st = forget_kind(ol, key, was.kind);
    return st == FOCAL_OK ? put_rows(ol, key, kind) : st;
}

enum focal_status focal_oplog_index(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES], const struct split *split, const struct indexed *was)
{
    struct focal_part creation;
    enum focal_status st = FOCAL_OK;
    focal_part_init(&creation);
    if (split->is)
        st = focal_oplog_split_creation(ol, ol->store, key, &creation);
    if (st == FOCAL_OK)
        st = index_by(ol, key, *was, split->is ? &creation : &ol->part);
    focal_part_close(&creation);
    return st;
}

enum focal_status focal_oplog_index_forget(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES])
{
    struct indexed was;
    enum focal_status st = read_rows(ol, key, &was);
    return st == FOCAL_OK && was.is ? forget_rows(ol, key, was.kind) : st;
}

static int created_order(const void *a, const void *b)
{
    return memcmp(a, b, CODE_KEY_BYTES);
}

/* Short codes are hashes: in order they cost a store far less. */
enum focal_status focal_oplog_index_flush(struct focal_oplog *ol)
{
    enum focal_status st = FOCAL_OK;
    if (ol->created_count > 1)
        qsort(ol->created, ol->created_count, sizeof *ol->created, created_order);
    for (size_t i = 0; i < ol->created_count && st == FOCAL_OK; i++)
        st = focal_store_put(ol->store, FOCAL_SHELF_CODE, focal_span_of(ol->created[i].key, CODE_KEY_BYTES),
                             focal_span_of(ol->created[i].kind, sizeof ol->created[i].kind));
    ol->created_count = 0;
    return st;
}

/* ---- logs that have begun, or ended ---------------------------------------------------------------------------------------- */

/* A record whose creating entry came as a quote is its office's when the log it was quoted from is known, and so is what was
 * said again in a quote. Quotes are posted under what they quote. One that is stripped has its salt from a run of that log. */
static enum focal_status look_at_quotes(struct focal_oplog *ol, const struct oplog_log *line, uint64_t first, const struct focal_id *begun)
{
    struct segment seg;
    struct focal_stretch s;
    struct focal_hash *hashes;
    enum focal_status st = focal_oplog_segment_load(ol, line, first, &seg, &s, &hashes);
    for (size_t i = 0; st == FOCAL_OK && i < s.count; i++) {
        struct entry_name name;
        struct split split;
        struct indexed was;
        uint8_t key[PART_KEY_BYTES];
        focal_oplog_entry_name(ol, &name, &line->pub, s.entries[i].header, s.first + i, &hashes[i]);
        if (!name.is_quote || !focal_id_equal(&name.ref.log, begun))
            continue;
        struct oplog_log *quoted = focal_oplog_log_of(ol, begun);
        if (!s.entries[i].has_payload && focal_oplog_has_entries(quoted))
            st = focal_oplog_breach(ol, quoted, name.ref.seq, name.ref.seq);
        if (st != FOCAL_OK)
            break;
        focal_oplog_part_key(key, &name.record, &line->pub.name.scope);
        st = focal_oplog_part_load(ol, ol->store, key, &ol->part, &split);
        if (st == FOCAL_OK)
            st = focal_oplog_index_was(ol, key, &split, &was);
        if (st == FOCAL_OK && !was.sure)
            st = focal_oplog_index(ol, key, &split, &was);
        if (st == FOCAL_OK)
            st = focal_oplog_index_flush(ol);
        if (st == FOCAL_NOT_FOUND)      /* of a log that does not contribute */
            st = FOCAL_OK;
    }
    return st;
}

static enum focal_status segments_quoting(struct focal_oplog *ol, const struct focal_id *begun, struct focal_buf *keys)
{
    struct focal_buf at;
    focal_buf_clear(keys);
    focal_buf_init(&at, FOCAL_STORE_KEY_MAX);
    focal_buf_bytes(&at, begun->b, sizeof begun->b);
    enum focal_status st = at.failed ? FOCAL_NO_MEMORY : FOCAL_OK;
    while (st == FOCAL_OK && (st = focal_store_next(ol->store, FOCAL_SHELF_POSTING, focal_buf_view(&at), &at, NULL)) == FOCAL_OK) {
        if (at.len != POSTING_KEY_BYTES || memcmp(at.data, begun->b, sizeof begun->b) != 0)
            break;
        if (memcmp(at.data + FOCAL_REF_BYTES, begun->b, sizeof begun->b) != 0)      /* no log quotes itself */
            focal_buf_bytes(keys, at.data + FOCAL_REF_BYTES, SEGMENT_KEY_BYTES);
    }
    focal_buf_close(&at);
    if (st == FOCAL_OK || st == FOCAL_NOT_FOUND)
        st = keys->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
    if (st == FOCAL_OK)
        focal_oplog_segment_keys_once(keys);
    return st;
}

enum focal_status focal_oplog_index_begun(struct focal_oplog *ol)
{
    struct focal_buf keys;
    enum focal_status st = FOCAL_OK;
    focal_buf_init(&keys, SIZE_MAX / 2);
    ol->created_count = 0;
    for (; st == FOCAL_OK && ol->begun_count > 0; ol->begun_count -= st == FOCAL_OK) {
        const struct focal_id begun = ol->begun[ol->begun_count - 1];
        st = segments_quoting(ol, &begun, &keys);
        for (size_t at = 0; at < keys.len && st == FOCAL_OK; at += SEGMENT_KEY_BYTES) {
            struct focal_id line;
            memcpy(line.b, keys.data + at, sizeof line.b);
            const struct oplog_log *log = focal_oplog_line_of(ol, &line);
            st = log ? look_at_quotes(ol, log, focal_get_be64(keys.data + at + sizeof line.b), &begun) : FOCAL_DAMAGED;
        }
    }
    focal_buf_close(&keys);
    return st;
}
