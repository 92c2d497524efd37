/* Messages: the table of types, and the small ones. */
#include "message.h"

enum {
    SUBJECT_BYTES = 24,
    ACK_BYTES = 24,
    HEAD_BYTES = 16,
    RESERVED_TYPE_MIN = 64,             /* from here up: for later versions, skipped */
    SUBJECTS_LAST = 1,
};

/* ---- subjects, acks ---- */

static void put_items(struct focal_buf *buf, struct focal_span items, size_t count, size_t size)
{
    focal_assert(items.len == count * size);
    focal_buf_span(buf, items);
}

static bool take_items(struct focal_cur *cur, struct focal_span *items, size_t *count, size_t size)
{
    *items = focal_cur_rest(cur);
    *count = items->len / size;
    return items->len % size == 0;
}

static void encode_subjects(struct focal_buf *buf, const struct focal_message *m)
{
    focal_buf_u8(buf, m->is.subjects.last ? SUBJECTS_LAST : 0);
    put_items(buf, m->is.subjects.items, m->is.subjects.count, SUBJECT_BYTES);
}

static bool decode_subjects(struct focal_message *m, struct focal_cur *cur)
{
    m->is.subjects.last = message_flags(cur, SUBJECTS_LAST) & SUBJECTS_LAST;
    return take_items(cur, &m->is.subjects.items, &m->is.subjects.count, SUBJECT_BYTES);
}

void focal_subject_get(struct focal_subject *out, const struct focal_subjects *subjects, size_t i)
{
    focal_assert(i < subjects->count);
    struct focal_cur cur = focal_cur_of(focal_span_of(subjects->items.data + i * SUBJECT_BYTES, SUBJECT_BYTES));
    focal_cur_copy(&cur, out->subject, sizeof out->subject);
    focal_cur_copy(&cur, out->set, sizeof out->set);
}

void focal_subject_put(struct focal_buf *items, const struct focal_subject *subject)
{
    focal_buf_bytes(items, subject->subject, sizeof subject->subject);
    focal_buf_bytes(items, subject->set, sizeof subject->set);
}

static void encode_ack(struct focal_buf *buf, const struct focal_message *m)
{
    put_items(buf, m->is.ack.items, m->is.ack.count, ACK_BYTES);
}

static bool decode_ack(struct focal_message *m, struct focal_cur *cur)
{
    return take_items(cur, &m->is.ack.items, &m->is.ack.count, ACK_BYTES);
}

void focal_ack_get(struct focal_ack_item *out, const struct focal_ack *ack, size_t i)
{
    focal_assert(i < ack->count);
    struct focal_cur cur = focal_cur_of(focal_span_of(ack->items.data + i * ACK_BYTES, ACK_BYTES));
    focal_cur_copy(&cur, out->log.b, sizeof out->log.b);
    out->seq = focal_cur_be64(&cur);
}

void focal_ack_put(struct focal_buf *items, const struct focal_ack_item *ack)
{
    focal_buf_bytes(items, ack->log.b, sizeof ack->log.b);
    focal_buf_be64(items, ack->seq);
}

/* ---- what fills the whole message ---- */

static void encode_statement(struct focal_buf *buf, const struct focal_message *m)
{
    focal_buf_span(buf, m->is.statement);
}

static bool decode_statement(struct focal_message *m, struct focal_cur *cur)
{
    m->is.statement = focal_cur_rest(cur);
    return m->is.statement.len > 0;
}

static void encode_receipt(struct focal_buf *buf, const struct focal_message *m)
{
    focal_buf_span(buf, m->is.receipt.body);
    focal_buf_bytes(buf, m->is.receipt.signature.b, sizeof m->is.receipt.signature.b);
}

static bool decode_receipt(struct focal_message *m, struct focal_cur *cur)
{
    size_t left = focal_cur_left(cur), signature = sizeof m->is.receipt.signature.b;
    if (left <= signature)
        return false;
    m->is.receipt.body = focal_cur_bytes(cur, left - signature);
    focal_cur_copy(cur, m->is.receipt.signature.b, signature);
    return true;
}

static void encode_admit(struct focal_buf *buf, const struct focal_message *m)
{
    focal_buf_span(buf, m->is.admit.sealed_secret);
}

static bool decode_admit(struct focal_message *m, struct focal_cur *cur)
{
    m->is.admit.sealed_secret = focal_cur_rest(cur);
    return m->is.admit.sealed_secret.len > 0;
}

/* ---- of fixed size ---- */

static void encode_want(struct focal_buf *buf, const struct focal_message *m)
{
    const struct focal_want *want = &m->is.want;
    focal_assert(want->from > 0 && want->to.seq >= want->from);
    focal_buf_bytes(buf, want->log.b, sizeof want->log.b);
    focal_buf_be64(buf, want->from);
    focal_buf_be64(buf, want->to.seq);
    focal_buf_bytes(buf, want->to.keyed, sizeof want->to.keyed);
}

static bool decode_want(struct focal_message *m, struct focal_cur *cur)
{
    struct focal_want *want = &m->is.want;
    focal_cur_copy(cur, want->log.b, sizeof want->log.b);
    want->from = focal_cur_be64(cur);
    want->to.seq = focal_cur_be64(cur);
    focal_cur_copy(cur, want->to.keyed, sizeof want->to.keyed);
    return want->from > 0 && want->to.seq >= want->from;
}

static void encode_credit(struct focal_buf *buf, const struct focal_message *m)
{
    focal_buf_be32(buf, m->is.credit);
}

static bool decode_credit(struct focal_message *m, struct focal_cur *cur)
{
    m->is.credit = focal_cur_be32(cur);
    return true;
}

static void encode_ping(struct focal_buf *buf, const struct focal_message *m)
{
    focal_buf_be64(buf, m->is.ping);
}

static bool decode_ping(struct focal_message *m, struct focal_cur *cur)
{
    m->is.ping = focal_cur_be64(cur);
    return true;
}

static void encode_pause(struct focal_buf *buf, const struct focal_message *m)
{
    focal_buf_u8(buf, m->is.pause);
}

static bool decode_pause(struct focal_message *m, struct focal_cur *cur)
{
    m->is.pause = focal_cur_u8(cur);
    return true;
}

static void encode_join(struct focal_buf *buf, const struct focal_message *m)
{
    const struct focal_join *join = &m->is.join;
    focal_buf_bytes(buf, join->sign.b, sizeof join->sign.b);
    focal_buf_bytes(buf, join->channel.b, sizeof join->channel.b);
    focal_buf_bytes(buf, join->open.b, sizeof join->open.b);
    focal_buf_bytes(buf, join->signature.b, sizeof join->signature.b);
}

static bool decode_join(struct focal_message *m, struct focal_cur *cur)
{
    struct focal_join *join = &m->is.join;
    focal_cur_copy(cur, join->sign.b, sizeof join->sign.b);
    focal_cur_copy(cur, join->channel.b, sizeof join->channel.b);
    focal_cur_copy(cur, join->open.b, sizeof join->open.b);
    focal_cur_copy(cur, join->signature.b, sizeof join->signature.b);
    return true;
}

static void encode_heads(struct focal_buf *buf, const struct focal_message *m)
{
    const struct focal_heads *heads = &m->is.heads;
    focal_assert(heads->count <= FOCAL_HEADS_MAX && heads->to.seq > 0);
    focal_buf_bytes(buf, heads->log.b, sizeof heads->log.b);
    focal_buf_be64(buf, heads->to.seq);
    focal_buf_bytes(buf, heads->to.keyed, sizeof heads->to.keyed);
    put_items(buf, heads->items, heads->count, HEAD_BYTES);
}

static bool decode_heads(struct focal_message *m, struct focal_cur *cur)
{
    struct focal_heads *heads = &m->is.heads;
    focal_cur_copy(cur, heads->log.b, sizeof heads->log.b);
    heads->to.seq = focal_cur_be64(cur);
    focal_cur_copy(cur, heads->to.keyed, sizeof heads->to.keyed);
    return take_items(cur, &heads->items, &heads->count, HEAD_BYTES) && heads->count <= FOCAL_HEADS_MAX && heads->to.seq > 0;
}

void focal_heads_get(struct focal_frontier_tip *out, const struct focal_heads *heads, size_t i)
{
    focal_assert(i < heads->count);
    struct focal_cur cur = focal_cur_of(focal_span_of(heads->items.data + i * HEAD_BYTES, HEAD_BYTES));
    out->seq = focal_cur_be64(&cur);
    focal_cur_copy(&cur, out->keyed, sizeof out->keyed);
}

void focal_heads_put(struct focal_buf *items, const struct focal_frontier_tip *head)
{
    focal_buf_be64(items, head->seq);
    focal_buf_bytes(items, head->keyed, sizeof head->keyed);
}

static void encode_bye(struct focal_buf *buf, const struct focal_message *m)
{
    focal_buf_u8(buf, m->is.bye);
}

/* Reasons of later versions are let through: it is the last word anyway. */
static bool decode_bye(struct focal_message *m, struct focal_cur *cur)
{
    m->is.bye = focal_cur_u8(cur);
    return true;
}

/* ---- the table ---- */

static const struct {
    void (*encode)(struct focal_buf *, const struct focal_message *);
    bool (*decode)(struct focal_message *, struct focal_cur *);
} types[] = {
    [FOCAL_MSG_HELLO] = { focal_message_hello_encode, focal_message_hello_decode },
    [FOCAL_MSG_SUBJECTS] = { encode_subjects, decode_subjects },
    [FOCAL_MSG_STATEMENT] = { encode_statement, decode_statement },
    [FOCAL_MSG_FRONTIER] = { focal_message_frontier_encode, focal_message_frontier_decode },
    [FOCAL_MSG_WANT] = { encode_want, decode_want },
    [FOCAL_MSG_SEGMENT] = { focal_message_segment_encode, focal_message_segment_decode },
    [FOCAL_MSG_CREDIT] = { encode_credit, decode_credit },
    [FOCAL_MSG_ACK] = { encode_ack, decode_ack },
    [FOCAL_MSG_RECEIPT] = { encode_receipt, decode_receipt },
    [FOCAL_MSG_PING] = { encode_ping, decode_ping },
    [FOCAL_MSG_PONG] = { encode_ping, decode_ping },
    [FOCAL_MSG_PAUSE] = { encode_pause, decode_pause },
    [FOCAL_MSG_JOIN] = { encode_join, decode_join },
    [FOCAL_MSG_ADMIT] = { encode_admit, decode_admit },
    [FOCAL_MSG_BYE] = { encode_bye, decode_bye },
    [FOCAL_MSG_HEADS] = { encode_heads, decode_heads },
#ifdef FOCAL_NEXT_VERSION
    [RESERVED_TYPE_MIN] = { encode_ping, decode_ping },
#endif
};

enum { TYPE_COUNT = sizeof types / sizeof types[0] };

/* A message too large for a frame is never half written: the buffer says failed, and its sender must cut it smaller. */
void focal_message_encode(struct focal_buf *buf, const struct focal_message *m)
{
    focal_assert(m->type < TYPE_COUNT && types[m->type].encode);
    size_t before = buf->len;
    focal_buf_u8(buf, m->type);
    types[m->type].encode(buf, m);
    if (buf->len - before > FOCAL_FRAME_MAX)
        buf->failed = true;
    if (buf->failed)
        focal_buf_truncate(buf, before);
}

enum focal_status focal_message_decode(struct focal_message *m, struct focal_span bytes)
{
    *m = (struct focal_message){ 0 };
    if (bytes.len == 0 || bytes.len > FOCAL_FRAME_MAX)
        return FOCAL_MALFORMED;
    struct focal_cur cur = focal_cur_of(bytes);
    uint8_t type = focal_cur_u8(&cur);
    if (type >= RESERVED_TYPE_MIN)
        return FOCAL_UNSUPPORTED;
    if (type >= TYPE_COUNT || !types[type].decode)
        return FOCAL_MALFORMED;
    m->type = type;
    if (types[type].decode(m, &cur) && focal_cur_done(&cur))
        return FOCAL_OK;
    *m = (struct focal_message){ 0 };
    return FOCAL_MALFORMED;
}
