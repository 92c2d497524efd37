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

struct indexed focal_oplog_indexed_by(const struct focal_part *part)
{
    struct focal_creation creation;
    if (focal_part_creation(part, NULL, &creation))
        return (struct indexed){ .sure = true, .is = true, .kind = focal_oplog_kind32(creation.kind) };
    return (struct indexed){ .sure = !focal_part_creation_stripped(part) };
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

enum focal_status focal_oplog_index(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES], struct indexed was, const struct focal_part *part)
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
    return st;
}
