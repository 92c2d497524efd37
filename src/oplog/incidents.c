/* Incidents: what was seen that must not happen, with the signed proof, so that people can show it to others. */
#include "inside.h"

enum { TWO_LIVE_PER_AUTHOR_MAX = 16 };

static enum focal_status next_number(struct focal_oplog *ol, uint64_t *number)
{
    enum focal_status st = focal_store_prev(ol->store, FOCAL_SHELF_INCIDENT, focal_span_of(NULL, 0), &ol->key, NULL);
    *number = 1;
    if (st == FOCAL_NOT_FOUND)
        return FOCAL_OK;
    if (st == FOCAL_OK && ol->key.len != 8)
        return FOCAL_DAMAGED;
    if (st == FOCAL_OK)
        *number = focal_get_be64(ol->key.data) + 1;
    return st;
}

static void put_tip(struct focal_buf *value, const struct focal_tip *tip, const struct focal_signature *signature)
{
    focal_buf_be64(value, tip->seq);
    focal_buf_bytes(value, tip->h.b, sizeof tip->h.b);
    focal_buf_bytes(value, signature->b, sizeof signature->b);
}

static enum focal_status put(struct focal_oplog *ol, enum focal_incident_kind kind, const struct focal_log *log, const struct focal_tip *base,
                             const struct segment *one, const struct segment *other)
{
    uint64_t number;
    uint8_t key[8];
    enum focal_status st = next_number(ol, &number);
    if (st != FOCAL_OK)
        return st;
    focal_put_be64(key, number);
    struct focal_buf *value = &ol->encoded;
    focal_buf_clear(value);
    focal_buf_u8(value, (uint8_t)kind);
    focal_buf_bytes(value, log->name.author.b, sizeof log->name.author.b);
    focal_buf_bytes(value, log->name.epoch.b, sizeof log->name.epoch.b);
    focal_buf_bytes(value, log->name.scope.b, sizeof log->name.scope.b);
    focal_buf_u8(value, log->name.lane);
    focal_buf_be64(value, base->seq);
    focal_buf_bytes(value, base->h.b, sizeof base->h.b);
    put_tip(value, &one->last, &one->signature);
    put_tip(value, &other->last, &other->signature);
    if (value->failed)
        return FOCAL_NO_MEMORY;
    return focal_store_put(ol->store, FOCAL_SHELF_INCIDENT, focal_span_of(key, sizeof key), focal_buf_view(value));
}

/* A tip that a cut vouches for may have come without its author's signature, on either side: then the row has none, and the cut,
 * which is never forgotten, is the proof.
 *
 * One a log: the proof of a fork is the same however often it is seen, and a peer must not fill the disk with it. */
enum focal_status focal_oplog_incident_fork(struct focal_oplog *ol, struct oplog_log *branch, const struct focal_tip *tip, const struct focal_signature *signature)
{
    struct oplog_log *trunk = focal_oplog_log_of(ol, &branch->pub.id), *parent = branch->parent;
    if (trunk->incident)
        return FOCAL_OK;
    struct segment one, other = { .last = *tip, .signature = *signature };
    enum focal_status st = focal_oplog_segment_of(ol, ol->store, &parent->pub.line, branch->pub.base.seq + 1, false, &one);
    if (st != FOCAL_OK)
        return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
    st = put(ol, FOCAL_INCIDENT_FORK, &trunk->pub, &branch->pub.base, &one, &other);
    if (st != FOCAL_OK)
        return st;
    trunk->incident = true;
    focal_trace_line(&ol->trace, FOCAL_ERROR, "oplog", "an author has signed two different branches of one log");
    return focal_oplog_log_row(ol, trunk);
}

/* The tips are empty: the opening itself, in the log named, is signed. */
enum focal_status focal_oplog_incident_opened(struct focal_oplog *ol, const struct oplog_log *control)
{
    const struct segment none = { .first = 0 };
    return put(ol, FOCAL_INCIDENT_OPENED, &control->pub, &control->pub.base, &none, &none);
}

enum focal_status focal_oplog_incident_rollback(struct focal_oplog *ol, const struct oplog_log *log, const struct focal_tip *tip, const struct focal_signature *signature)
{
    const struct segment seen = { .last = *tip, .signature = *signature }, held = { .last = log->pub.head };
    focal_trace_line(&ol->trace, FOCAL_ERROR, "oplog", "this office has signed entries that were not here: its database is an older copy, or a second copy of it is in use");
    return put(ol, FOCAL_INCIDENT_ROLLBACK, &log->pub, &log->pub.head, &held, &seen);
}

enum focal_status focal_oplog_next_incident(struct focal_oplog *ol, uint64_t after, struct focal_incident *out)
{
    uint8_t key[8];
    focal_put_be64(key, after);
    memset(out, 0, sizeof *out);
    enum focal_status st = focal_store_next(ol->store, FOCAL_SHELF_INCIDENT, focal_span_of(key, sizeof key), &ol->key, &ol->value);
    if (st != FOCAL_OK)
        return st;
    struct focal_cur cur = focal_cur_of(focal_buf_view(&ol->value));
    if (ol->key.len != sizeof key)
        return FOCAL_DAMAGED;
    out->number = focal_get_be64(ol->key.data);
    out->kind = focal_cur_u8(&cur);
    focal_cur_copy(&cur, out->log.author.b, sizeof out->log.author.b);
    focal_cur_copy(&cur, out->log.epoch.b, sizeof out->log.epoch.b);
    focal_cur_copy(&cur, out->log.scope.b, sizeof out->log.scope.b);
    out->log.lane = focal_cur_u8(&cur);
    out->base.seq = focal_cur_be64(&cur);
    focal_cur_copy(&cur, out->base.h.b, sizeof out->base.h.b);
    for (size_t i = 0; i < 2; i++) {
        out->tips[i].seq = focal_cur_be64(&cur);
        focal_cur_copy(&cur, out->tips[i].h.b, sizeof out->tips[i].h.b);
        focal_cur_copy(&cur, out->signatures[i].b, sizeof out->signatures[i].b);
    }
    struct focal_id log;
    focal_log_id(&log, &ol->network, &out->log);
    for (size_t i = 0; i < 2; i++)
        out->vouched[i] = focal_bytes_zero(out->signatures[i].b, sizeof out->signatures[i].b) && focal_oplog_is_vouched(ol, &log, &out->tips[i]);
    return focal_cur_done(&cur) ? FOCAL_OK : FOCAL_DAMAGED;
}

enum focal_status focal_oplog_incident_two_live(struct focal_oplog *ol, const struct focal_key *author, const uint8_t one[8], const uint8_t other[8])
{
    const struct segment none = { .first = 0 };
    struct focal_incident known = { .number = 0 };
    struct focal_log pair = { .name.author = *author };
    size_t of_author = 0;
    const bool in_order = memcmp(one, other, 8) < 0;
    memcpy(pair.name.epoch.b, in_order ? one : other, 8);
    memcpy(pair.name.epoch.b + 8, in_order ? other : one, 8);
    enum focal_status st;
    while ((st = focal_oplog_next_incident(ol, known.number, &known)) == FOCAL_OK) {
        if (known.kind != FOCAL_INCIDENT_TWO_LIVE || !focal_key_equal(&known.log.author, author))
            continue;
        if (focal_id_equal(&known.log.epoch, &pair.name.epoch) || ++of_author == TWO_LIVE_PER_AUTHOR_MAX)
            return FOCAL_EXISTS;
    }
    return st == FOCAL_NOT_FOUND ? put(ol, FOCAL_INCIDENT_TWO_LIVE, &pair, &pair.base, &none, &none) : st;
}
