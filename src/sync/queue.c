/* Messages made by a step wait here, in the clear, until the stream is free: they are encrypted when handed over. */
#include "session.h"

#include <string.h>

static enum focal_status put(struct focal_session *s, bool raw, const uint8_t *data, size_t len)
{
    if (s->queue_bytes + len > QUEUE_BYTES_MAX)
        return FOCAL_FULL;
    struct queued *q = focal_alloc(sizeof *q + len);
    if (!q)
        return FOCAL_NO_MEMORY;
    q->len = len;
    q->raw = raw;
    focal_assert(len > 0);
    memcpy(q->bytes, data, len);
    if (s->queue_tail)
        s->queue_tail->next = q;
    else
        s->queue_head = q;
    s->queue_tail = q;
    s->queue_bytes += len;
    return FOCAL_OK;
}

enum focal_status queue_raw(struct focal_session *s, struct focal_span frame)
{
    focal_assert(!s->channel_open);
    return put(s, true, frame.data, frame.len);
}

enum focal_status queue_message(struct focal_session *s, const struct focal_message *m)
{
    struct focal_buf b;
    focal_buf_init(&b, FOCAL_FRAME_MAX);
    focal_message_encode(&b, m);
    enum focal_status st = b.failed ? FOCAL_NO_MEMORY : put(s, false, b.data, b.len);
    focal_buf_close(&b);
    return st;
}

struct queued *queue_take(struct focal_session *s)
{
    struct queued *q = s->queue_head;
    if (q) {
        s->queue_head = q->next;
        if (!s->queue_head)
            s->queue_tail = NULL;
        s->queue_bytes -= q->len;
    }
    return q;
}

/* Does a waiting message speak of this scope? */
static bool speaks_of(const struct focal_session *s, const struct queued *q, const struct shared_scope *scope)
{
    struct focal_message m;
    struct focal_receipt r;
    if (q->raw || focal_message_decode(&m, focal_span_of(q->bytes, q->len)) != FOCAL_OK)
        return false;
    const struct focal_log *log = NULL;
    switch (m.type) {
    case FOCAL_MSG_FRONTIER: return memcmp(m.is.frontier.tag, scope->tag, sizeof scope->tag) == 0;
    case FOCAL_MSG_RECEIPT: return focal_receipt_decode(&r, m.is.receipt.body) != FOCAL_OK || focal_hash_equal(&r.scope, &scope->id);
    case FOCAL_MSG_WANT: log = focal_oplog_log(s->host->oplog, &m.is.want.log); break;
    case FOCAL_MSG_HEADS: log = focal_oplog_log(s->host->oplog, &m.is.heads.log); break;
    default: return false;
    }
    return log && focal_hash_equal(&log->name.scope, &scope->id);
}

void queue_drop_scope(struct focal_session *s, const struct shared_scope *scope)
{
    struct queued *kept = s->queue_head, *next;
    s->queue_head = s->queue_tail = NULL;
    s->queue_bytes = 0;
    for (struct queued *q = kept; q; q = next) {
        next = q->next;
        q->next = NULL;
        if (!FOCAL_PLANTED(WAITING_IS_SENT) && speaks_of(s, q, scope)) {
            focal_wipe(q->bytes, q->len);
            focal_free(q);
            continue;
        }
        if (s->queue_tail)
            s->queue_tail->next = q;
        else
            s->queue_head = q;
        s->queue_tail = q;
        s->queue_bytes += q->len;
    }
}

void queue_drop(struct focal_session *s)
{
    for (struct queued *q = queue_take(s); q; q = queue_take(s)) {
        focal_wipe(q->bytes, q->len);
        focal_free(q);
    }
}
