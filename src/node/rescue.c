/* Bringing in, for a person who says which record, what a cut caught of it though it was honest. */
#include "inner.h"

#include <string.h>

static enum focal_status fail(struct focal_rescue_order *o, enum focal_status st, const char *hint, const char *what)
{
    return focal_fail(&o->error, st, hint, "%s", what);
}

static bool of_records(const struct focal_scope *scope)
{
    return scope->cls == FOCAL_SCOPE_NETWORK || scope->cls == FOCAL_SCOPE_COUNTRY;
}

static enum focal_status outcome(struct focal_rescue_order *o)
{
    if (o->is.brought_in > 0)
        return FOCAL_OK;
    if (o->is.gone > 0)
        return fail(o, FOCAL_NOT_FOUND, "an office that has its content may bring it in", "what lies beyond a cut of this record was redacted, or is here without its content");
    return fail(o, FOCAL_NOT_FOUND, "`focalctl rescue list` shows what there is",
                "nothing of this record that this office may write lies beyond a cut here, or all of it was brought in before");
}

static enum focal_status run(struct focal_node *n, struct focal_rescue_order *o)
{
    const struct focal_certificate *mine = focal_oplog_mine(n->oplog);
    enum focal_status st = mine ? node_writing(n) : fail(o, FOCAL_DENIED, "let headquarters run `focalctl office admit`", "this office is not admitted to the network yet");
    while (st == FOCAL_OK && o->scope < mine->write_count) {
        const struct focal_scope *scope = &mine->write[o->scope];
        if (of_records(scope) && focal_oplog_may_write(n->oplog, scope))
            st = focal_oplog_rescue(n->oplog, &o->is, scope, &o->error);
        o->scope += st == FOCAL_OK;
    }
    return st == FOCAL_OK ? outcome(o) : st;
}

void rescue_run(struct focal_node *n, struct focal_rescue_order *order, enum focal_status *world)
{
    const size_t before = order->is.brought_in;
    memset(&order->error, 0, sizeof order->error);
    order->status = run(n, order);
    if (order->status == FOCAL_OK) {
        uint8_t detail[FOCAL_REF_BYTES];
        focal_ref_put(detail, &order->is.record);
        order->status = history_note(n, FOCAL_HISTORY_RESCUED, focal_span_of(detail, sizeof detail));
    }
    const bool good = order->status == FOCAL_OK || order->status == FOCAL_MORE;
    *world = focal_sync_world(order->status) ? order->status : !good && order->is.brought_in > before ? FOCAL_IO : FOCAL_OK;
}
