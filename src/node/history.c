/* History: what happened to this node, for its people, by its own clock and in its own order. Nothing is decided by it. */
#include "inner.h"

#include <string.h>

/* Rings by the place of their bit in enum focal_history_ring. Keys: of an event its number 8; of the others MARK 1, ring 1,
 * number 8, which stand behind all events. */
enum { RINGS = 4, MARK = 0xfe, KEY_MAX = 10 };
static const uint64_t rows_max[RINGS] = { 10000, 20000, 20000, 2000 };
#define COUNTS_KEY "history-counts"     /* on shelf META: rows of each ring 8; made anew by counting when it is not there */

static size_t ring_of(enum focal_history_code code)
{
    return code < FOCAL_HISTORY_COMMAND ? 0 : code == FOCAL_HISTORY_COMMAND ? 1 : code == FOCAL_HISTORY_READING ? 2 : 3;
}

static struct focal_span key_of(uint8_t key[KEY_MAX], size_t ring, uint64_t number)
{
    key[0] = MARK;
    key[1] = (uint8_t)ring;
    focal_put_be64(key + (ring ? 2 : 0), number);
    return focal_span_of(key, ring ? KEY_MAX : 8);
}

static bool key_get(struct focal_span key, size_t ring, uint64_t *number)
{
    if (key.len != (ring ? KEY_MAX : 8) || (ring && (key.data[0] != MARK || key.data[1] != ring)))
        return false;
    *number = focal_get_be64(key.data + (ring ? 2 : 0));
    return true;
}

static enum focal_status decode(struct focal_history *out, uint64_t number, struct focal_span value)
{
    memset(out, 0, sizeof *out);
    struct focal_cur cur = focal_cur_of(value);
    out->wall_ms = focal_cur_be64(&cur);
    out->code = focal_cur_u8(&cur);
    if (cur.failed || value.len - 9 > FOCAL_HISTORY_DETAIL_MAX)
        return FOCAL_DAMAGED;
    out->number = number;
    out->detail_len = value.len - 9;
    memcpy(out->detail, value.data + 9, out->detail_len);
    return FOCAL_OK;
}

/* One row of one ring; out may be NULL. before with number 0: the last. */
static enum focal_status beside(struct focal_node *n, size_t ring, uint64_t number, bool before, uint64_t *found, struct focal_history *out)
{
    uint8_t at[KEY_MAX];
    struct focal_buf key, value;
    const uint64_t last = ring ? UINT64_MAX : (uint64_t)MARK << 56;     /* above every key of the ring, below those of the others */
    const struct focal_span from = key_of(at, ring, before && number == 0 ? last : number);
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, 1024);
    struct focal_buf *into = out ? &value : NULL;
    enum focal_status st = before ? focal_store_prev(n->store, FOCAL_SHELF_HISTORY, from, &key, into)
                                  : focal_store_next(n->store, FOCAL_SHELF_HISTORY, from, &key, into);
    if (st == FOCAL_OK && !key_get(focal_buf_view(&key), ring, found))
        st = FOCAL_NOT_FOUND;           /* of the ring beside it */
    if (st == FOCAL_OK && out)
        st = decode(out, *found, focal_buf_view(&value));
    focal_buf_close(&key);
    focal_buf_close(&value);
    return st;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------- */

static enum focal_status nearest(struct focal_node *n, unsigned rings, uint64_t number, bool before, struct focal_history *out)
{
    bool any = false;
    for (size_t ring = 0; ring < RINGS; ring++) {
        struct focal_history row;
        uint64_t found;
        if (!(rings & 1u << ring))
            continue;
        enum focal_status st = beside(n, ring, number, before, &found, &row);
        if (st == FOCAL_NOT_FOUND)
            continue;
        if (st != FOCAL_OK)
            return st;
        if (!any || (before ? row.number > out->number : row.number < out->number))
            *out = row;
        any = true;
    }
    return any ? FOCAL_OK : FOCAL_NOT_FOUND;
}

enum focal_status focal_node_history_after(struct focal_node *n, unsigned rings, uint64_t after, struct focal_history *out)
{
    return nearest(n, rings, after, false, out);
}

enum focal_status focal_node_history_before(struct focal_node *n, unsigned rings, uint64_t before, struct focal_history *out)
{
    return nearest(n, rings, before, true, out);
}

enum focal_status focal_node_next_history(struct focal_node *n, uint64_t after, struct focal_history *out)
{
    return nearest(n, FOCAL_RING_EVENTS, after, false, out);
}

enum focal_status focal_node_prev_history(struct focal_node *n, uint64_t before, struct focal_history *out)
{
    return nearest(n, FOCAL_RING_EVENTS, before, true, out);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------- */

static enum focal_status last_number(struct focal_node *n, uint64_t *last)
{
    *last = 0;
    for (size_t ring = 0; ring < RINGS; ring++) {
        uint64_t number;
        enum focal_status st = beside(n, ring, 0, true, &number, NULL);
        if (st == FOCAL_OK && number > *last)
            *last = number;
        if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
            return st;
    }
    return FOCAL_OK;
}

static enum focal_status count_rows(struct focal_node *n, uint64_t counts[RINGS])
{
    for (size_t ring = 0; ring < RINGS; ring++) {
        enum focal_status st;
        uint64_t at = 0;
        counts[ring] = 0;
        while ((st = beside(n, ring, at, false, &at, NULL)) == FOCAL_OK)
            counts[ring]++;
        if (st != FOCAL_NOT_FOUND)
            return st;
    }
    return FOCAL_OK;
}

static enum focal_status counts_get(struct focal_node *n, uint64_t counts[RINGS], struct focal_buf *value)
{
    enum focal_status st = focal_store_get(n->store, FOCAL_SHELF_META, focal_span_text(COUNTS_KEY), value);
    if (st == FOCAL_NOT_FOUND || (st == FOCAL_OK && value->len != RINGS * 8))
        return count_rows(n, counts);
    for (size_t ring = 0; st == FOCAL_OK && ring < RINGS; ring++)
        counts[ring] = focal_get_be64(value->data + 8 * ring);
    return st;
}

/* The new row counts; the oldest of its ring gives way. */
static enum focal_status make_room(struct focal_node *n, size_t ring, uint64_t counts[RINGS])
{
    uint8_t bytes[RINGS * 8], key[KEY_MAX];
    enum focal_status st = FOCAL_OK;
    counts[ring]++;
    while (st == FOCAL_OK && counts[ring] > rows_max[ring]) {
        uint64_t oldest;
        st = beside(n, ring, 0, false, &oldest, NULL);
        if (st == FOCAL_NOT_FOUND) {    /* there are fewer than was counted */
            counts[ring] = 1;
            st = FOCAL_OK;
            break;
        }
        if (st == FOCAL_OK)
            st = focal_store_del(n->store, FOCAL_SHELF_HISTORY, key_of(key, ring, oldest));
        counts[ring]--;
    }
    for (size_t i = 0; i < RINGS; i++)
        focal_put_be64(bytes + 8 * i, counts[i]);
    return st == FOCAL_OK ? focal_store_put(n->store, FOCAL_SHELF_META, focal_span_text(COUNTS_KEY), focal_span_of(bytes, sizeof bytes)) : st;
}

/* Row: wall_ms 8, code 1, detail. */
enum focal_status history_note(struct focal_node *n, enum focal_history_code code, struct focal_span detail)
{
    const size_t ring = ring_of(code);
    uint64_t last, counts[RINGS];
    uint8_t key[KEY_MAX];
    struct focal_buf value;
    focal_assert(detail.len <= FOCAL_HISTORY_DETAIL_MAX);
    focal_buf_init(&value, 1024);
    enum focal_status st = node_writing(n);
    if (st == FOCAL_OK)
        st = last_number(n, &last);
    if (st == FOCAL_OK)
        st = counts_get(n, counts, &value);
    if (st == FOCAL_OK)
        st = make_room(n, ring, counts);
    focal_buf_clear(&value);
    focal_buf_be64(&value, n->host.now.wall_ms);
    focal_buf_u8(&value, (uint8_t)code);
    focal_buf_span(&value, detail);
    if (st == FOCAL_OK && value.failed)
        st = FOCAL_NO_MEMORY;
    if (st == FOCAL_OK)
        st = focal_store_put(n->store, FOCAL_SHELF_HISTORY, key_of(key, ring, last + 1), focal_buf_view(&value));
    focal_buf_close(&value);
    return st;
}

/* ---- what is noted ----------------------------------------------------------------------------------------------------- */

static uint8_t reason_of(struct focal_span bytes)
{
    struct focal_payload payload;
    struct focal_value_walk at = { 0 };
    struct focal_item item;
    if (focal_payload_decode(&payload, bytes) != FOCAL_OK || payload.kind != FOCAL_KIND_OPENING)
        return 0;
    while (focal_payload_next(&payload, &at, &item))
        if (item.field == FOCAL_OPENING_REASON && item.value.len == 1)
            return item.value.data[0];
    return 0;
}

/* Author 32, epoch 16, reason 1. The opening is the first entry of its control log. */
enum focal_status history_epoch(struct focal_node *n, const struct focal_log *log)
{
    struct skeleton s;
    enum focal_status st = skeleton_open(&s, n, log, 1);
    if (st == FOCAL_NO_MEMORY || focal_sync_world(st))
        return st;
    uint8_t detail[32 + 16 + 1] = { 0 };
    memcpy(detail, log->name.author.b, 32);
    memcpy(detail + 32, log->name.epoch.b, 16);
    if (st == FOCAL_OK && s.stretch.count > 0 && s.stretch.entries[0].has_payload)
        detail[48] = reason_of(s.stretch.entries[0].payload);
    skeleton_close(&s);
    return history_note(n, FOCAL_HISTORY_EPOCH, focal_span_of(detail, sizeof detail));
}

static enum focal_status note_incidents(struct focal_node *n)
{
    struct focal_incident is;
    enum focal_status st;
    while ((st = focal_oplog_next_incident(n->oplog, n->incident_noted, &is)) == FOCAL_OK) {
        uint8_t detail[9];
        focal_put_be64(detail, is.number);
        detail[8] = is.kind;
        st = history_note(n, FOCAL_HISTORY_INCIDENT, focal_span_of(detail, sizeof detail));
        if (st != FOCAL_OK)
            return st;
        n->incident_noted = is.number;
    }
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

static enum focal_status note_member(struct focal_node *n, const struct focal_office *office)
{
    return history_note(n, FOCAL_HISTORY_MEMBER, focal_span_text(office->text));
}

/* Before the list of peers is derived anew: whoever is not on it is new. */
enum focal_status history_members(struct focal_node *n)
{
    const struct focal_certificate *c, *mine = focal_oplog_mine(n->oplog);
    enum focal_status st = FOCAL_OK;
    if (mine && !n->mine_noted) {
        n->mine_noted = true;
        st = note_member(n, &mine->office);
    }
    for (size_t i = 0; st == FOCAL_OK && (c = focal_oplog_office_at(n->oplog, i)) != NULL; i++)
        if (!peer_of(n, &c->office) && !(mine && strcmp(c->office.text, mine->office.text) == 0))
            st = note_member(n, &c->office);
    return st;
}

/* Scopes that this office reads no more are erased as soon as no record can be lost by it. A few rights change in a year: it is
 * looked for whenever statements or receipts may have come. */
enum focal_status history_leave(struct focal_node *n)
{
    const struct focal_scope *scope;
    size_t at = 0;
    uint64_t kept;
    enum focal_status st = FOCAL_OK;
    while (st == FOCAL_OK && !n->host.pause_strict && (scope = focal_oplog_next_left(n->oplog, &at, &kept)) != NULL) {
        const uint8_t detail[4] = { scope->cls, (uint8_t)scope->country[0], (uint8_t)scope->country[1], (uint8_t)scope->country[2] };
        const struct focal_scope left = *scope;
        if (kept > 0 || FOCAL_PLANTED(SCOPE_NOT_LEFT))
            continue;
        st = node_writing(n);
        if (st == FOCAL_OK)
            st = focal_oplog_leave(n->oplog, &left);
        if (st == FOCAL_OK)
            st = history_note(n, FOCAL_HISTORY_LEFT, focal_span_of(detail, sizeof detail));
    }
    return st;
}

/* Whether the last that was said of a veil is that it fell. */
static enum focal_status veil_noted(struct focal_node *n, bool *noted)
{
    struct focal_history row = { .number = 0 };
    enum focal_status st;
    *noted = false;
    while ((st = focal_node_prev_history(n, row.number, &row)) == FOCAL_OK) {
        if (row.code != FOCAL_HISTORY_VEILED && row.code != FOCAL_HISTORY_UNVEILED)
            continue;
        *noted = row.code == FOCAL_HISTORY_VEILED;
        break;
    }
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

enum focal_status history_load(struct focal_node *n)
{
    struct focal_incident is = { .number = 0 };
    enum focal_status st;
    while ((st = focal_oplog_next_incident(n->oplog, is.number, &is)) == FOCAL_OK)
        n->incident_noted = is.number;
    n->mine_noted = focal_oplog_mine(n->oplog) != NULL;
    n->veil_noted = true;
    n->told_count = 0;
    if (st == FOCAL_NOT_FOUND)
        st = focal_oplog_veiled(n->oplog) ? veil_noted(n, &n->veil_noted) : FOCAL_OK;
    return st;
}

enum focal_status history_step(struct focal_node *n)
{
    enum focal_status st = FOCAL_OK;
    if (!n->veil_noted && n->space != FOCAL_SPACE_NONE) {
        n->veil_noted = true;
        st = history_note(n, FOCAL_HISTORY_VEILED, focal_span_of(NULL, 0));
    }
    if (st == FOCAL_OK && n->tx_open)
        st = note_incidents(n);
    return st;
}
