/* Records, as they follow from their parts; and finding them by kind, by conflict, by code. */
#include "inside.h"

#include <stdio.h>

static enum focal_status read_part(struct focal_oplog *ol, struct focal_store *from, const uint8_t key[PART_KEY_BYTES], struct focal_part *part)
{
    /* Only the live store knows of entries that wait to be written. */
    const struct waiting_part *waiting = from ? NULL : focal_oplog_batch_find(&ol->batch, key);
    if (waiting && waiting->count > BATCH_REREAD_MAX) {
        enum focal_status flushed = focal_oplog_flush(ol);
        if (flushed != FOCAL_OK)
            return flushed;
        waiting = NULL;
    }
    struct split split;
    struct focal_store *store = from ? from : ol->store;
    enum focal_status st = focal_oplog_part_load(ol, store, key, part, &split);
    if (st == FOCAL_OK && split.is)
        st = waiting ? FOCAL_TOO_BIG : focal_oplog_split_show(ol, store, key, part);
    if (waiting && (st == FOCAL_OK || st == FOCAL_NOT_FOUND))
        st = focal_oplog_batch_merge(&ol->batch, waiting, part);
    if (!waiting || st != FOCAL_TOO_BIG)
        return st;
    st = focal_oplog_flush(ol);         /* over the limit: its rows know what to show of it */
    return st == FOCAL_OK ? read_part(ol, from, key, part) : st;
}

enum focal_status focal_oplog_part(struct focal_oplog *ol, const struct focal_ref *ref, const struct focal_hash *scope, struct focal_part *part)
{
    uint8_t key[PART_KEY_BYTES];
    focal_oplog_part_key(key, ref, scope);
    return read_part(ol, NULL, key, part);
}

static const struct focal_key *author_of(void *data, const struct focal_id *log)
{
    const struct oplog_log *found = focal_oplog_log_of(data, log);
    return found && focal_oplog_has_author(found) ? &found->pub.name.author : NULL;
}

static bool same_office(void *data, const struct focal_id *log, const struct focal_id *creating_log)
{
    const struct focal_key *one = author_of(data, log), *other = author_of(data, creating_log);
    const struct focal_certificate *a = one ? focal_oplog_certificate_by_sign(data, one) : NULL;
    const struct focal_certificate *b = other ? focal_oplog_certificate_by_sign(data, other) : NULL;
    return a && b && strcmp(a->office.text, b->office.text) == 0;
}

struct focal_authors focal_oplog_authors(const struct focal_oplog *ol)
{
    struct focal_authors authors = { .of_log = author_of, .same_office = same_office };
    /* The callback takes any data; this one only reads it. */
    memcpy(&authors.data, &ol, sizeof authors.data);
    return authors;
}

const struct focal_certificate *focal_oplog_author(const struct focal_oplog *ol, const struct focal_id *log)
{
    const struct oplog_log *found = focal_oplog_log_of(ol, log);
    return found ? focal_oplog_certificate_by_sign(ol, &found->pub.name.author) : NULL;
}

enum focal_status focal_oplog_record(struct focal_oplog *ol, struct focal_store *from, const struct focal_ref *ref, struct focal_record_view *view)
{
    memset(view, 0, sizeof *view);
    /* The creating entry stands in the widest scope, and its log's name says which that is. */
    const struct oplog_log *log = focal_oplog_log_of(ol, &ref->log);
    if (!log)
        return FOCAL_NOT_FOUND;
    uint8_t key[PART_KEY_BYTES];
    const struct focal_authors authors = focal_oplog_authors(ol);
    focal_part_init(&view->widest);
    focal_part_init(&view->home);
    focal_oplog_part_key(key, ref, &log->pub.name.scope);
    enum focal_status st = read_part(ol, from, key, &view->widest);
    bool reads_home = false, has_home = false;
    struct focal_creation creation;
    if (st == FOCAL_OK && focal_part_creation(&view->widest, &authors, &creation) && creation.home_set
        && !focal_bytes_zero(creation.home.b, sizeof creation.home.b)) {
        const struct focal_scope *home = focal_oplog_scope(ol, &creation.home);
        reads_home = home && focal_oplog_may_read(ol, focal_oplog_mine(ol), home);
        focal_oplog_part_key(key, ref, &creation.home);
        st = read_part(ol, from, key, &view->home);
        has_home = st == FOCAL_OK;
        if (st == FOCAL_NOT_FOUND)
            st = FOCAL_OK;
    }
    if (st == FOCAL_OK) {
        st = focal_record_open(&view->record, ref, &view->widest, has_home ? &view->home : NULL, reads_home, &authors);
    }
    if (st != FOCAL_OK) {
        focal_part_close(&view->widest);
        focal_part_close(&view->home);
        memset(view, 0, sizeof *view);
    }
    return st;
}

void focal_record_view_close(struct focal_record_view *view)
{
    focal_record_close(&view->record);
    focal_part_close(&view->widest);
    focal_part_close(&view->home);
}

/* ---- entries of a record ------------------------------------------------------------------------------------------------------ */

struct listing { struct focal_oplog *ol; const struct focal_ref *record; uint64_t field; struct focal_record_entry *out; size_t room, count; };

static bool speaks_of(const struct listing *l, const struct focal_payload *payload)
{
    struct focal_value_walk at = { 0 };
    struct focal_item item;
    bool found = l->field == 0;
    while (!found && focal_payload_next(payload, &at, &item))
        found = item.field == l->field;
    return found;
}

static enum focal_status list_segment(struct listing *l, const struct oplog_log *line, uint64_t first)
{
    struct focal_oplog *ol = l->ol;
    struct segment seg;
    struct focal_stretch s;
    struct focal_hash *hashes;
    enum focal_status st = focal_oplog_segment_load(ol, line, first, &seg, &s, &hashes);
    if (st != FOCAL_OK)
        return st;
    for (size_t i = 0; i < s.count && focal_oplog_counts(line, s.first + i); i++) {
        struct entry_name name;
        struct focal_payload payload;
        focal_oplog_entry_name(ol, &name, &line->pub, s.entries[i].header, s.first + i, &hashes[i]);
        if (!name.makes_part || !s.entries[i].has_payload || focal_ref_compare(&name.record, l->record) != 0)
            continue;
        st = focal_payload_decode(&payload, s.entries[i].payload);
        focal_assert(st == FOCAL_OK);       /* unpacking gives nothing but canonical entries */
        if (!speaks_of(l, &payload))
            continue;
        if (l->count < l->room) {
            const struct focal_certificate *by = focal_oplog_certificate_by_sign(ol, &name.author);
            struct focal_record_entry *out = &l->out[l->count];
            *out = (struct focal_record_entry){ .ref = name.ref, .creates = name.creates, .has_home = payload.has_home };
            if (by)
                out->office = by->office;
        }
        l->count++;
    }
    return FOCAL_OK;
}

enum focal_status focal_oplog_record_entries(struct focal_oplog *ol, const struct focal_ref *record, const struct focal_hash *scope, uint64_t field,
                                             struct focal_record_entry *out, size_t room, size_t *count)
{
    struct listing l = { .ol = ol, .record = record, .field = field, .out = out, .room = room };
    struct focal_buf segments;
    focal_buf_init(&segments, SIZE_MAX / 2);
    enum focal_status st = focal_oplog_segments_about(ol, record, scope, &segments);
    for (size_t at = 0; at < segments.len && st == FOCAL_OK; at += SEGMENT_KEY_BYTES) {
        struct focal_id id;
        memcpy(id.b, segments.data + at, sizeof id.b);
        st = list_segment(&l, focal_oplog_line_of(ol, &id), focal_get_be64(segments.data + at + sizeof id.b));
    }
    focal_buf_close(&segments);
    *count = l.count;
    return st;
}

/* ---- indexes ---------------------------------------------------------------------------------------------------------------- */

/* Indexes are written when parts are: before the live ones are read, what waits is written. */
static enum focal_status settle(struct focal_oplog *ol, const struct focal_store *from)
{
    return from ? FOCAL_OK : focal_oplog_flush(ol);
}

enum focal_status focal_oplog_next_of_kind(struct focal_oplog *ol, struct focal_store *from, uint32_t kind, const struct focal_ref *after, struct focal_ref *out)
{
    uint8_t key[KIND_KEY_BYTES];
    enum focal_status st = settle(ol, from);
    if (st != FOCAL_OK)
        return st;
    focal_oplog_put_be32(key, kind);
    if (after)
        focal_ref_put(key + 4, after);
    st = focal_store_next(from ? from : ol->store, FOCAL_SHELF_KIND, focal_span_of(key, after ? sizeof key : 4), &ol->key, NULL);
    if (st != FOCAL_OK)
        return st;
    if (ol->key.len != sizeof key)
        return FOCAL_DAMAGED;
    if (memcmp(ol->key.data, key, 4) != 0)
        return FOCAL_NOT_FOUND;
    focal_ref_get(out, ol->key.data + 4);
    return FOCAL_OK;
}

enum focal_status focal_oplog_next_conflict(struct focal_oplog *ol, struct focal_store *from, const struct focal_ref *after, struct focal_ref *out)
{
    uint8_t key[PART_KEY_BYTES];
    enum focal_status st = settle(ol, from);
    if (st != FOCAL_OK)
        return st;
    /* Past every scope of the record before. */
    memset(key, 0xff, sizeof key);
    if (after)
        focal_ref_put(key, after);
    st = focal_store_next(from ? from : ol->store, FOCAL_SHELF_CONFLICT, focal_span_of(key, after ? sizeof key : 0), &ol->key, NULL);
    if (st != FOCAL_OK)
        return st;
    if (ol->key.len != sizeof key)
        return FOCAL_DAMAGED;
    focal_ref_get(out, ol->key.data);
    return FOCAL_OK;
}

enum focal_status focal_oplog_by_code(struct focal_oplog *ol, const struct focal_office *office, uint64_t short40, struct focal_ref *out)
{
    uint8_t code[8];
    bool found = false;
    focal_put_be64(code, short40 << 24);
    focal_buf_clear(&ol->names);
    focal_buf_bytes(&ol->names, code, 5);
    enum focal_status st = ol->names.failed ? FOCAL_NO_MEMORY : settle(ol, NULL);
    while (st == FOCAL_OK) {
        st = focal_store_next(ol->store, FOCAL_SHELF_CODE, focal_buf_view(&ol->names), &ol->names, NULL);
        if (st != FOCAL_OK || ol->names.len != CODE_KEY_BYTES || memcmp(ol->names.data, code, 5) != 0)
            break;
        struct focal_ref ref;
        focal_ref_get(&ref, ol->names.data + 5);
        const struct focal_certificate *author = focal_oplog_author(ol, &ref.log);
        if (!author || strcmp(author->office.text, office->text) != 0)
            continue;
        if (found)
            return FOCAL_AMBIGUOUS;
        *out = ref;
        found = true;
    }
    if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
        return st;
    return found ? FOCAL_OK : FOCAL_NOT_FOUND;
}

void focal_oplog_record_code(struct focal_oplog *ol, const struct focal_ref *ref, char out[32])
{
    static const struct focal_office unknown = { "UNKNOWN" };
    const struct focal_certificate *author = focal_oplog_author(ol, &ref->log);
    focal_code_print(out, author ? &author->office : &unknown, focal_short_code(ref));
}
