/* History: what happened to this node, for its people, by its own clock and in its own order. Nothing is decided by it. */
#include "inner.h"

#include <string.h>

enum { ROWS_MAX = 10000 };

static enum focal_status last_number(struct focal_node *n, struct focal_buf *key, uint64_t *number)
{
    *number = 0;
    enum focal_status st = focal_store_prev(n->store, FOCAL_SHELF_HISTORY, focal_span_of(NULL, 0), key, NULL);
    if (st == FOCAL_OK && key->len != 8)
        return FOCAL_DAMAGED;
    if (st == FOCAL_OK)
        *number = focal_get_be64(key->data);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

/* Row: wall_ms 8, code 1, detail. The oldest row gives way. */
enum focal_status history_note(struct focal_node *n, enum focal_history_code code, struct focal_span detail)
{
    uint64_t last;
    uint8_t key[8];
    struct focal_buf value;
    focal_assert(detail.len <= FOCAL_HISTORY_DETAIL_MAX);
    focal_buf_init(&value, 1024);
    enum focal_status st = node_writing(n);
    if (st == FOCAL_OK)
        st = last_number(n, &value, &last);
    focal_buf_clear(&value);
    focal_buf_be64(&value, n->host.now.wall_ms);
    focal_buf_u8(&value, (uint8_t)code);
    focal_buf_span(&value, detail);
    if (st == FOCAL_OK && value.failed)
        st = FOCAL_NO_MEMORY;
    if (st == FOCAL_OK) {
        focal_put_be64(key, last + 1);
        st = focal_store_put(n->store, FOCAL_SHELF_HISTORY, focal_span_of(key, sizeof key), focal_buf_view(&value));
    }
    if (st == FOCAL_OK && last + 1 > ROWS_MAX) {
        focal_put_be64(key, last + 1 - ROWS_MAX);
        st = focal_store_del(n->store, FOCAL_SHELF_HISTORY, focal_span_of(key, sizeof key));
    }
    focal_buf_close(&value);
    return st;
}

static enum focal_status decode(struct focal_history *out, struct focal_span key, struct focal_span value)
{
    memset(out, 0, sizeof *out);
    struct focal_cur cur = focal_cur_of(value);
    out->wall_ms = focal_cur_be64(&cur);
    out->code = focal_cur_u8(&cur);
    if (cur.failed || key.len != 8 || value.len - 9 > FOCAL_HISTORY_DETAIL_MAX)
        return FOCAL_DAMAGED;
    out->number = focal_get_be64(key.data);
    out->detail_len = value.len - 9;
    memcpy(out->detail, value.data + 9, out->detail_len);
    return FOCAL_OK;
}

static enum focal_status beside(struct focal_node *n, uint64_t number, bool before, struct focal_history *out)
{
    uint8_t at[8];
    struct focal_buf key, value;
    focal_put_be64(at, number);
    const struct focal_span from = focal_span_of(at, before && number == 0 ? 0 : sizeof at);
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, 1024);
    enum focal_status st = before ? focal_store_prev(n->store, FOCAL_SHELF_HISTORY, from, &key, &value)
                                  : focal_store_next(n->store, FOCAL_SHELF_HISTORY, from, &key, &value);
    if (st == FOCAL_OK)
        st = decode(out, focal_buf_view(&key), focal_buf_view(&value));
    focal_buf_close(&key);
    focal_buf_close(&value);
    return st;
}

enum focal_status focal_node_next_history(struct focal_node *n, uint64_t after, struct focal_history *out)
{
    return beside(n, after, false, out);
}

enum focal_status focal_node_prev_history(struct focal_node *n, uint64_t before, struct focal_history *out)
{
    return beside(n, before, true, out);
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
