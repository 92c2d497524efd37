/* The rows of a part. One row holds it whole, as long as it stays under FOCAL_PART_BYTES_MAX. A part over that is split: each
 * of its pieces (merge: what bears one reference) has rows of its own, and the part's row only says how much there is.
 *
 * Whether it is split follows from what it says, not from how it came about: who holds the same entries has the same rows.
 * Nothing is ever left out of the rows. Someone who floods a record thereby makes rows of his own and touches nobody else's;
 * and what a change costs does not grow with what was written before.
 *
 * Rows beside the one of the part, under its key:
 *   0, reference -> the entries that bear it, as a part       1, reference -> the replaced names that bear it, as a part */
#include "inside.h"

enum {
    SPLIT_VERSION = 2,                  /* where a whole part has its version, 1 */
    OF_ENTRIES = 0, OF_NAMES = 1,
    KIND_AT = PART_KEY_BYTES, REF_AT = KIND_AT + 1, SEQ_AT = REF_AT + 16,
    /* Shown is at most a whole row's worth; room in it is kept for the creating entry. */
    SHOWN_BYTES_MAX = FOCAL_PART_BYTES_MAX - 8 * FOCAL_ENTRY_MAX,
    SHARE_LEAST = 256
};

static void piece_key(uint8_t out[PIECE_KEY_BYTES], const uint8_t part[PART_KEY_BYTES], uint8_t kind, const struct focal_ref *ref)
{
    memcpy(out, part, PART_KEY_BYTES);
    out[KIND_AT] = kind;
    focal_ref_put(out + REF_AT, ref);
}

/* ---- one row ----------------------------------------------------------------------------------------------------------- */

static enum focal_status put_part(struct focal_oplog *ol, struct focal_span key, const struct focal_part *part)
{
    focal_buf_clear(&ol->encoded);
    focal_part_encode(&ol->encoded, part);
    return ol->encoded.failed ? FOCAL_NO_MEMORY : focal_store_put(ol->store, FOCAL_SHELF_PART, key, focal_buf_view(&ol->encoded));
}

void focal_oplog_split_encode(struct focal_buf *out, const struct split *s)
{
    focal_buf_clear(out);
    focal_buf_u8(out, SPLIT_VERSION);
    focal_buf_be64(out, s->entries);
    focal_buf_be64(out, s->names);
    focal_buf_be64(out, s->value_bytes);
}

static enum focal_status decode_split(struct split *s, struct focal_span value)
{
    struct focal_cur cur = focal_cur_of(value);
    (void)focal_cur_u8(&cur);
    s->entries = focal_cur_be64(&cur);
    s->names = focal_cur_be64(&cur);
    s->value_bytes = focal_cur_be64(&cur);
    return focal_cur_done(&cur) ? FOCAL_OK : FOCAL_DAMAGED;
}

enum focal_status focal_oplog_part_load(struct focal_oplog *ol, struct focal_store *from, const uint8_t key[PART_KEY_BYTES], struct focal_part *part,
                                        struct split *split)
{
    *split = (struct split){ .is = false };
    focal_part_clear(part);
    enum focal_status st = focal_store_get(from, FOCAL_SHELF_PART, focal_span_of(key, PART_KEY_BYTES), &ol->value);
    if (st != FOCAL_OK)
        return st;
    split->is = ol->value.len > 0 && ol->value.data[0] == SPLIT_VERSION;
    return split->is ? decode_split(split, focal_buf_view(&ol->value)) : focal_part_decode(part, focal_buf_view(&ol->value));
}

/* Adds what a row holds, if there is one. */
static enum focal_status join_row(struct focal_oplog *ol, struct focal_store *from, const uint8_t key[PIECE_KEY_BYTES], struct focal_part *into)
{
    struct focal_part row;
    focal_part_init(&row);
    enum focal_status st = focal_store_get(from, FOCAL_SHELF_PART, focal_span_of(key, PIECE_KEY_BYTES), &ol->value);
    if (st == FOCAL_OK)
        st = focal_part_decode(&row, focal_buf_view(&ol->value));
    if (st == FOCAL_OK)
        st = focal_part_join(into, &row);
    focal_part_close(&row);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

/* Writes the entries or the names of a piece, or takes their row away when there are none. */
static enum focal_status put_half(struct focal_oplog *ol, const uint8_t part[PART_KEY_BYTES], uint8_t kind, const struct focal_ref *ref, const struct focal_part *piece)
{
    uint8_t key[PIECE_KEY_BYTES];
    struct focal_part half = *piece;
    piece_key(key, part, kind, ref);
    if (kind == OF_ENTRIES)
        half.replaced_count = 0;
    else
        half.entry_count = half.value_bytes = 0;
    const struct focal_span at = focal_span_of(key, sizeof key);
    return focal_part_empty(&half) ? focal_store_del(ol->store, FOCAL_SHELF_PART, at) : put_part(ol, at, &half);
}

/* ---- splitting and joining ------------------------------------------------------------------------------------------------- */

/* Adds to the rows what `more` says; s grows by what they then hold more. */
static enum focal_status add_pieces(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES], const struct focal_part *more, struct split *s)
{
    struct focal_part_walk walk = { .part = more };
    struct focal_part piece, held;
    struct focal_ref ref;
    enum focal_status st;
    focal_part_init(&piece);
    focal_part_init(&held);
    focal_part_lift_limit(&held);       /* 65536 ordinals of one entry may be named */
    while ((st = focal_part_next_piece(&walk, &ref, &piece)) == FOCAL_OK) {
        uint8_t row[PIECE_KEY_BYTES];
        focal_part_clear(&held);
        for (uint8_t kind = OF_ENTRIES; kind <= OF_NAMES && st == FOCAL_OK; kind++) {
            piece_key(row, key, kind, &ref);
            st = join_row(ol, ol->store, row, &held);
        }
        const struct split before = { .entries = held.entry_count, .names = held.replaced_count, .value_bytes = held.value_bytes };
        if (st == FOCAL_OK)
            st = focal_part_join(&held, &piece);
        s->entries += held.entry_count - before.entries;
        s->names += held.replaced_count - before.names;
        s->value_bytes += held.value_bytes - before.value_bytes;
        if (st == FOCAL_OK && (before.entries || held.entry_count))
            st = put_half(ol, key, OF_ENTRIES, &ref, &held);
        if (st == FOCAL_OK && held.replaced_count != before.names)
            st = put_half(ol, key, OF_NAMES, &ref, &held);
        if (st != FOCAL_OK)
            break;
    }
    focal_part_close(&piece);
    focal_part_close(&held);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

/* Each row under the key, one after the other; at is as long as the key of the last one. */
static enum focal_status next_row(struct focal_oplog *ol, struct focal_store *from, const uint8_t part[PART_KEY_BYTES], struct focal_buf *at)
{
    enum focal_status st = focal_store_next(from, FOCAL_SHELF_PART, focal_buf_view(at), at, &ol->value);
    if (st == FOCAL_OK && (at->len < PART_KEY_BYTES || memcmp(at->data, part, PART_KEY_BYTES) != 0))
        return FOCAL_NOT_FOUND;
    return st == FOCAL_OK && at->len != PIECE_KEY_BYTES ? FOCAL_DAMAGED : st;
}

static enum focal_status start_at(struct focal_buf *at, const void *key, size_t len)
{
    focal_buf_clear(at);
    focal_buf_bytes(at, key, len);
    return at->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
}

/* All rows into one part, which fits. */
static enum focal_status gather(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES], struct focal_part *into)
{
    struct focal_buf at;
    struct focal_part row;
    focal_buf_init(&at, FOCAL_STORE_KEY_MAX);
    focal_part_init(&row);
    focal_part_clear(into);
    enum focal_status st = start_at(&at, key, PART_KEY_BYTES);
    while (st == FOCAL_OK && (st = next_row(ol, ol->store, key, &at)) == FOCAL_OK) {
        st = focal_part_decode(&row, focal_buf_view(&ol->value));
        if (st == FOCAL_OK)
            st = focal_part_join(into, &row);
    }
    focal_buf_close(&at);
    focal_part_close(&row);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

static enum focal_status forget_pieces(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES])
{
    struct focal_buf at;
    focal_buf_init(&at, FOCAL_STORE_KEY_MAX);
    enum focal_status st = start_at(&at, key, PART_KEY_BYTES);
    while (st == FOCAL_OK && (st = next_row(ol, ol->store, key, &at)) == FOCAL_OK)
        st = focal_store_del(ol->store, FOCAL_SHELF_PART, focal_buf_view(&at));
    focal_buf_close(&at);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

static bool over(const struct split *s)
{
    return focal_part_bytes_of(s->entries, s->names, s->value_bytes) > FOCAL_PART_BYTES_MAX;
}

void focal_oplog_split_of(struct split *out, const struct focal_part *part)
{
    *out = (struct split){ .entries = part->entry_count, .names = part->replaced_count, .value_bytes = part->value_bytes };
    out->is = over(out);
}

enum focal_status focal_oplog_part_put(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES], struct focal_part *part, struct split *split)
{
    const struct focal_span at = focal_span_of(key, PART_KEY_BYTES);
    const bool was_split = split->is;
    enum focal_status st = FOCAL_OK;
    if (!was_split)
        focal_oplog_split_of(split, part);
    if (!was_split && !split->is)
        return put_part(ol, at, part);
    if (!was_split)
        split->entries = split->names = split->value_bytes = 0;
    st = add_pieces(ol, key, part, split);
    split->is = over(split);
    if (st == FOCAL_OK && !split->is)
        st = gather(ol, key, part);
    if (st == FOCAL_OK && !split->is)
        st = forget_pieces(ol, key);
    if (st != FOCAL_OK || !split->is)
        return st == FOCAL_OK ? put_part(ol, at, part) : st;
    focal_oplog_split_encode(&ol->encoded, split);
    return ol->encoded.failed ? FOCAL_NO_MEMORY : focal_store_put(ol->store, FOCAL_SHELF_PART, at, focal_buf_view(&ol->encoded));
}

enum focal_status focal_oplog_part_forget(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES])
{
    enum focal_status st = forget_pieces(ol, key);
    return st == FOCAL_OK ? focal_store_del(ol->store, FOCAL_SHELF_PART, focal_span_of(key, PART_KEY_BYTES)) : st;
}

/* ---- the rows that a part should have ------------------------------------------------------------------------------------------ */

enum focal_status focal_oplog_each_piece_row(const uint8_t part[PART_KEY_BYTES], const struct focal_part *whole, struct focal_buf *encoded, piece_row *each, void *data)
{
    struct focal_part_walk walk = { .part = whole };
    struct focal_part piece;
    struct focal_ref ref;
    enum focal_status st;
    focal_part_init(&piece);
    while ((st = focal_part_next_piece(&walk, &ref, &piece)) == FOCAL_OK) {
        for (uint8_t kind = OF_ENTRIES; kind <= OF_NAMES && st == FOCAL_OK; kind++) {
            uint8_t key[PIECE_KEY_BYTES];
            struct focal_part half = piece;
            piece_key(key, part, kind, &ref);
            if (kind == OF_ENTRIES)
                half.replaced_count = 0;
            else
                half.entry_count = half.value_bytes = 0;
            if (focal_part_empty(&half))
                continue;
            focal_buf_clear(encoded);
            focal_part_encode(encoded, &half);
            st = encoded->failed ? FOCAL_NO_MEMORY : each(data, key, focal_buf_view(encoded));
        }
        if (st != FOCAL_OK)
            break;
    }
    focal_part_close(&piece);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

/* ---- showing -------------------------------------------------------------------------------------------------------------------- */

/* The walk goes on behind everything of the log that it stands in. */
static void leave_log(struct focal_buf *at)
{
    memset(at->data + SEQ_AT, 0xff, PIECE_KEY_BYTES - SEQ_AT);
}

/* Rows of entries whose place in their log lies within the log's share, in order. TOO_BIG: that is more than can be shown. */
static enum focal_status gather_shares(struct focal_oplog *ol, struct focal_store *from, const uint8_t key[PART_KEY_BYTES], size_t share, struct focal_part *into)
{
    uint8_t first[PART_KEY_BYTES + 1], log[16] = { 0 };
    struct focal_buf at;
    struct focal_part row;
    size_t used = 0;
    bool any = false;
    focal_buf_init(&at, FOCAL_STORE_KEY_MAX);
    focal_part_init(&row);
    focal_part_clear(into);
    memcpy(first, key, PART_KEY_BYTES);
    first[KIND_AT] = OF_ENTRIES;
    enum focal_status st = start_at(&at, first, sizeof first);
    while (st == FOCAL_OK && (st = next_row(ol, from, key, &at)) == FOCAL_OK && at.data[KIND_AT] == OF_ENTRIES) {
        if (!any || memcmp(log, at.data + REF_AT, sizeof log) != 0)
            used = 0;
        any = true;
        memcpy(log, at.data + REF_AT, sizeof log);
        used += ol->value.len;
        if (used > share) {
            leave_log(&at);
            continue;
        }
        st = focal_part_decode(&row, focal_buf_view(&ol->value));
        if (st == FOCAL_OK)
            st = focal_part_join(into, &row);
        if (st == FOCAL_OK && focal_part_bytes_most(into) > SHOWN_BYTES_MAX)
            st = FOCAL_TOO_BIG;
    }
    focal_buf_close(&at);
    focal_part_close(&row);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

/* The entry that says the home again, where the creating one is stripped: the least of the office's. */
static enum focal_status join_said_again(struct focal_oplog *ol, struct focal_store *from, const uint8_t key[PART_KEY_BYTES], struct focal_part *into)
{
    const struct focal_authors authors = focal_oplog_authors(ol);
    uint8_t first[PART_KEY_BYTES + 1];
    struct focal_creation creation;
    struct focal_buf at;
    struct focal_part both, row;
    struct focal_id creating, log;
    focal_buf_init(&at, FOCAL_STORE_KEY_MAX);
    focal_part_init(&both);
    focal_part_init(&row);
    memcpy(creating.b, key, sizeof creating.b);
    memcpy(first, key, PART_KEY_BYTES);
    first[KIND_AT] = OF_ENTRIES;
    enum focal_status st = start_at(&at, first, sizeof first);
    while (st == FOCAL_OK && (st = next_row(ol, from, key, &at)) == FOCAL_OK && at.data[KIND_AT] == OF_ENTRIES) {
        memcpy(log.b, at.data + REF_AT, sizeof log.b);
        if (!authors.same_office(authors.data, &log, &creating)) {
            leave_log(&at);
            continue;
        }
        st = focal_part_decode(&row, focal_buf_view(&ol->value));
        focal_part_clear(&both);
        if (st == FOCAL_OK)
            st = focal_part_join(&both, into);
        if (st == FOCAL_OK)
            st = focal_part_join(&both, &row);
        if (st != FOCAL_OK || !focal_part_creation(&both, &authors, &creation))
            continue;
        st = focal_part_join(into, &row);
        break;
    }
    focal_buf_close(&at);
    focal_part_close(&both);
    focal_part_close(&row);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

enum focal_status focal_oplog_split_creation(struct focal_oplog *ol, struct focal_store *from, const uint8_t key[PART_KEY_BYTES], struct focal_part *out)
{
    uint8_t row[PIECE_KEY_BYTES];
    struct focal_ref record;
    focal_ref_get(&record, key);
    piece_key(row, key, OF_ENTRIES, &record);
    focal_part_clear(out);
    enum focal_status st = join_row(ol, from, row, out);
    return st == FOCAL_OK && focal_part_creation_stripped(out) ? join_said_again(ol, from, key, out) : st;
}

enum focal_status focal_oplog_split_show(struct focal_oplog *ol, struct focal_store *from, const uint8_t key[PART_KEY_BYTES], struct focal_part *part)
{
    struct focal_part creation;
    enum focal_status st = FOCAL_TOO_BIG;
    for (size_t share = SHOWN_BYTES_MAX; st == FOCAL_TOO_BIG && share >= SHARE_LEAST; share /= 2)
        st = gather_shares(ol, from, key, share, part);
    if (st == FOCAL_TOO_BIG)            /* so many logs that not even a little of each can be shown: then the first of them */
        st = FOCAL_OK;
    focal_part_init(&creation);
    if (st == FOCAL_OK)
        st = focal_oplog_split_creation(ol, from, key, &creation);
    if (st == FOCAL_OK)
        st = focal_part_join(part, &creation);
    part->more = true;
    focal_part_close(&creation);
    return st;
}
