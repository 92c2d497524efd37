/* Epochs: the life of an author's logs between two doubts about his own memory.
 *
 * An epoch is opened at the first write or receipt, never at a start alone. It ends as soon as anything says that this
 * database may not know all that this office has signed: the fence at a start, or an entry signed by this office that
 * comes from a peer and is not here. What is written then stands in new logs, so that it cannot meet other entries
 * under the same sequence. Nothing of the old logs is touched. Source: PROTOCOL §7. */
#include "inside.h"

static enum focal_status opening_payload(struct focal_oplog *ol, struct focal_buf *out)
{
    struct focal_buf number;
    focal_buf_init(&number, 16);
    focal_buf_varint(&number, ol->epoch_number);
    const struct focal_item items[] = {
        { .field = FOCAL_OPENING_NUMBER, .value = focal_buf_view(&number) },
        { .field = FOCAL_OPENING_AUTHOR, .value = focal_span_of(ol->keys->sign_public.b, sizeof ol->keys->sign_public.b) },
        { .field = FOCAL_OPENING_EPOCH, .value = focal_span_of(ol->epoch.b, sizeof ol->epoch.b) },
        { .field = FOCAL_OPENING_REASON, .value = focal_span_of(&ol->epoch_reason, 1) },
    };
    focal_payload_encode(out, FOCAL_KIND_OPENING, NULL, NULL, items, sizeof items / sizeof *items);
    bool failed = number.failed || out->failed;
    focal_buf_close(&number);
    return failed ? FOCAL_NO_MEMORY : FOCAL_OK;
}

/* What is unique about this epoch's beginning; the last head of ours ties it to what we wrote before. */
static void choose_epoch(struct focal_oplog *ol)
{
    struct focal_hash previous = { { 0 } };
    uint8_t random[32];
    ol->epoch_number = 1;
    for (size_t i = 0; i < ol->log_count; i++) {
        const struct oplog_log *log = ol->logs[i];
        if (!log->pub.mine || log->pub.scope.cls != FOCAL_SCOPE_CONTROL || log->opening < ol->epoch_number)
            continue;           /* an opening in the row of any other log is damage, and may not use up numbers */
        ol->epoch_number = log->opening + 1;
        previous = log->pub.head.h;
    }
    if (ol->epoch_reason == REASON_FIRST && ol->epoch_number > 1)
        ol->epoch_reason = REASON_RESTORED;     /* it comes back to a network that knows it */
    ol->entropy.fill(ol->entropy.data, random, sizeof random);
    focal_epoch_id(&ol->epoch, random, focal_span_of(ol->machine_id, ol->machine_id_len),
                   focal_span_of(ol->boot_id, ol->boot_id_len), &previous);
}

/* [tx] */
static enum focal_status keep_epoch(struct focal_oplog *ol)
{
    uint8_t bytes[sizeof ol->epoch.b + 8];
    memcpy(bytes, ol->epoch.b, sizeof ol->epoch.b);
    focal_put_be64(bytes + sizeof ol->epoch.b, ol->epoch_number);
    enum focal_status st = focal_store_put(ol->store, FOCAL_SHELF_META, focal_span_text("epoch"), focal_span_of(bytes, sizeof bytes));
    return st == FOCAL_OK ? focal_store_del(ol->store, FOCAL_SHELF_META, focal_span_text("epoch-ended")) : st;
}

enum focal_status focal_oplog_epoch_ensure(struct focal_oplog *ol, struct focal_error *err)
{
    if (ol->epoch_set)
        return FOCAL_OK;
    struct oplog_scope *control = focal_oplog_scope_of(ol, &ol->control_scope);
    if (!control || !focal_oplog_grants(ol, &ol->keys->sign_public, &control->scope))
        return focal_fail(err, FOCAL_DENIED, "ask headquarters for a certificate that lets this office write in control",
                          "this office's certificate does not let it write in control");
    if (focal_oplog_cut_off(ol, &ol->keys->sign_public, &control->scope))
        return focal_fail(err, FOCAL_DENIED, "what is written now would count nowhere; ask headquarters. A new membership needs a new key",
                          "the authority has ended this office's membership");
    choose_epoch(ol);
    if (!focal_oplog_opens(ol, &ol->keys->sign_public, ol->epoch_number))
        return focal_fail(err, FOCAL_DENIED, "ask headquarters to renew this office's certificate",
                          "this office has opened as many epochs as its certificate allows");
    struct focal_buf bytes;
    struct oplog_log *log = NULL;
    focal_buf_init(&bytes, FOCAL_ORDINARY_MAX);
    enum focal_status st = opening_payload(ol, &bytes);
    if (st == FOCAL_OK)
        st = focal_oplog_own_log(ol, &log, control, FOCAL_LANE_DATA, focal_buf_view(&bytes));
    focal_buf_close(&bytes);
    if (st == FOCAL_OK) {
        log->opening = ol->epoch_number;
        st = keep_epoch(ol);
    }
    if (st == FOCAL_OK && ol->epoch_reason != REASON_FIRST && ol->epoch_reason != REASON_RESTARTED && ol->epoch_reason != REASON_LEFT)
        st = focal_oplog_incident_opened(ol, log);
    if (st != FOCAL_OK)
        return st;
    ol->epoch_set = true;
    ol->epoch_reason = REASON_FIRST;
    for (size_t i = 0; i < ol->log_count; i++)
        ol->logs[i]->receipted = 0;     /* a new epoch's receipts say all anew */
    return FOCAL_OK;
}

enum focal_status focal_oplog_epoch_load(struct focal_oplog *ol)
{
    ol->epoch_set = ol->veiled = false;
    ol->epoch_reason = REASON_FIRST;
    enum focal_status st = focal_store_get(ol->store, FOCAL_SHELF_META, focal_span_text("veil"), &ol->value);
    ol->veiled = st == FOCAL_OK;
    if (st == FOCAL_OK || st == FOCAL_NOT_FOUND)
        st = focal_store_get(ol->store, FOCAL_SHELF_META, focal_span_text("epoch-ended"), &ol->value);
    if (st == FOCAL_OK && ol->value.len == 1)
        ol->epoch_reason = ol->value.data[0];
    if (st == FOCAL_OK || st == FOCAL_NOT_FOUND)
        st = focal_store_get(ol->store, FOCAL_SHELF_META, focal_span_text("epoch"), &ol->value);
    if (st != FOCAL_OK)
        return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
    struct focal_cur cur = focal_cur_of(focal_buf_view(&ol->value));
    focal_cur_copy(&cur, ol->epoch.b, sizeof ol->epoch.b);
    ol->epoch_number = focal_cur_be64(&cur);
    if (!focal_cur_done(&cur))
        return FOCAL_DAMAGED;
    ol->epoch_set = true;
    return FOCAL_OK;
}

bool focal_oplog_epoch(const struct focal_oplog *ol, struct focal_id *out)
{
    if (ol->epoch_set)
        *out = ol->epoch;
    return ol->epoch_set;
}

/* ---- the end of an epoch --------------------------------------------------------------------------------------------------- */

/* [tx] Nothing more is written under it, also after a crash. */
static enum focal_status end_epoch(struct focal_oplog *ol, uint8_t reason)
{
    ol->epoch_set = false;
    ol->epoch_reason = reason;
    for (size_t i = 0; i < ol->scope_count; i++)
        memset(ol->scopes[i]->own, 0, sizeof ol->scopes[i]->own);
    enum focal_status st = focal_store_del(ol->store, FOCAL_SHELF_META, focal_span_text("epoch"));
    if (st == FOCAL_OK)
        st = focal_store_put(ol->store, FOCAL_SHELF_META, focal_span_text("epoch-ended"), focal_span_of(&reason, 1));
    return st;
}

enum focal_status focal_oplog_epoch_betrayed(struct focal_oplog *ol, const struct oplog_log *line, const struct focal_tip *tip,
                                             const struct focal_signature *signature)
{
    if (!ol->epoch_set || !focal_id_equal(&line->pub.name.epoch, &ol->epoch))
        return FOCAL_OK;
    enum focal_status st = focal_oplog_incident_rollback(ol, line, tip, signature);
    return st == FOCAL_OK ? end_epoch(ol, line->parent ? REASON_FORKED : REASON_RESTORED) : st;
}

enum focal_status focal_oplog_epoch_left(struct focal_oplog *ol)
{
    return ol->epoch_set ? end_epoch(ol, REASON_LEFT) : FOCAL_OK;
}

/* A fence that does not fit ends the epoch in a transaction of its own, before anything can be written under it. A copy that
 * was put back may show what was redacted since: until a member has told what was, it is veiled. */
enum focal_status focal_oplog_heed_fence(struct focal_oplog *ol)
{
    static const uint8_t reasons[] = {
        [FOCAL_FENCE_BEHIND] = REASON_RESTORED, [FOCAL_FENCE_MISSING] = REASON_FENCE_MISSING,
        [FOCAL_FENCE_MOVED] = REASON_MOVED, [FOCAL_FENCE_NONE] = REASON_RESTARTED,
    };
    const enum focal_fence_verdict verdict = focal_store_fence(ol->store);
    if (verdict == FOCAL_FENCE_NEW || verdict == FOCAL_FENCE_GOOD || !ol->has_keys || FOCAL_PLANTED(OLD_COPY_GOES_ON))
        return FOCAL_OK;
    enum focal_status st = focal_store_begin(ol->store);
    if (st != FOCAL_OK)
        return st;
    if (ol->epoch_set)
        st = end_epoch(ol, reasons[verdict]);
    if (st == FOCAL_OK && verdict != FOCAL_FENCE_NONE && ol->log_count > 0) {
        st = focal_store_put(ol->store, FOCAL_SHELF_META, focal_span_text("veil"), focal_span_of(&reasons[verdict], 1));
        ol->veiled = true;
    }
    if (st == FOCAL_OK)
        return focal_store_commit(ol->store);
    focal_store_rollback(ol->store);
    return st;
}

bool focal_oplog_veiled(const struct focal_oplog *ol)
{
    return ol->veiled;
}

enum focal_status focal_oplog_lift_veil(struct focal_oplog *ol)
{
    ol->veiled = false;
    return focal_store_del(ol->store, FOCAL_SHELF_META, focal_span_text("veil"));
}
