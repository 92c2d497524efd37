/* One step: what happened comes in, in order, as one transaction; what may leave is taken afterwards. */
#include "inner.h"

#include <string.h>

uint64_t node_random(struct focal_node *n, uint64_t below)
{
    uint8_t bytes[8];
    n->entropy.fill(n->entropy.data, bytes, sizeof bytes);
    return below ? focal_get_be64(bytes) % below : 0;
}

void node_order(struct focal_node *n, const struct focal_order *o)
{
    if (n->order_count == ORDERS_MAX)
        return;     /* the shell has stopped taking orders: it is closing */
    n->orders[(n->order_first + n->order_count++) % ORDERS_MAX] = *o;
}

bool focal_node_take_order(struct focal_node *n, struct focal_order *out)
{
    if (n->order_count == 0)
        return false;
    *out = n->orders[n->order_first];
    n->order_first = (n->order_first + 1) % ORDERS_MAX;
    n->order_count--;
    return true;
}

enum focal_status node_writing(struct focal_node *n)
{
    focal_assert(n->in_step);
    if (n->tx_open)
        return FOCAL_OK;
    enum focal_status st = focal_store_begin(n->store);
    n->tx_open = st == FOCAL_OK;
    return st;
}

/* What sessions need not be told of: all that was there before them. */
static enum focal_status heads_room(struct focal_node *n, size_t count)
{
    if (count <= n->heads_told_count)
        return FOCAL_OK;
    uint64_t *grown = focal_realloc(n->heads_told, count * sizeof *grown);
    if (!grown)
        return FOCAL_NO_MEMORY;
    memset(grown + n->heads_told_count, 0, (count - n->heads_told_count) * sizeof *grown);
    n->heads_told = grown;
    n->heads_told_count = count;
    return FOCAL_OK;
}

enum focal_status node_heads_load(struct focal_node *n)
{
    enum focal_status st = heads_room(n, focal_oplog_log_count(n->oplog));
    for (size_t i = 0; i < n->heads_told_count; i++)
        n->heads_told[i] = focal_log_tip(focal_oplog_log_at(n->oplog, i))->seq;
    n->change_count_told = focal_oplog_change_count(n->oplog);
    return st;
}

/* ---- open and close -------------------------------------------------------------------------------------------- */

enum focal_status focal_node_open(struct focal_node **out, const struct focal_node_setup *setup, struct focal_now now, struct focal_error *err)
{
    *out = NULL;
    struct focal_node *n = focal_alloc(sizeof *n);
    if (!n)
        return focal_fail(err, FOCAL_NO_MEMORY, "free some memory", "no memory for the node");
    n->store = setup->store;
    n->keys = setup->keys;
    n->entropy = setup->entropy;
    n->trace = setup->trace;
    n->redial_least_ms = setup->redial_least_ms ? setup->redial_least_ms : 1000;
    n->redial_most_ms = setup->redial_most_ms ? setup->redial_most_ms : 5 * 60 * 1000;
    n->dials_max = setup->dials_max ? setup->dials_max : 4;
    n->receipts_due_ms = now.mono_ms;   /* what an earlier run left unsaid */
    n->next_dial_tag = 1;
    focal_buf_init(&n->follow.after, FOCAL_STORE_KEY_MAX);
    follow_begin(n);
    focal_buf_init(&n->invitation_bytes, 16384);
    focal_buf_init(&n->invitation_token, 32768);
    focal_sync_host_init(&n->host, setup->map_seed);
    n->host.now = now;
    n->host.keys = n->keys;
    n->host.entropy = &n->entropy;
    n->host.trace = &n->trace;
    links_host(n);
    n->orders = focal_alloc(ORDERS_MAX * sizeof *n->orders);
    n->secret = focal_secret_alloc(32);
    enum focal_status st = n->orders && n->secret ? FOCAL_OK : focal_fail(err, FOCAL_NO_MEMORY, "free some memory", "no memory for the node");
    if (st == FOCAL_OK)
        st = focal_oplog_open(&n->oplog, n->store, n->keys, &n->entropy, &n->trace, err);
    if (st == FOCAL_OK) {
        n->host.oplog = n->oplog;
        focal_oplog_set_machine(n->oplog, focal_span_text(setup->machine_id), focal_span_text(setup->boot_id));
        st = join_load(n, err);
    }
    if (st == FOCAL_OK) {
        st = node_heads_load(n);
        if (st == FOCAL_OK)
            st = clock_load(n, setup->made_day);
        copies_rename(n);
        if (st == FOCAL_OK)
            st = history_load(n);
        if (st == FOCAL_OK)
            st = salvaged_load(n);
        if (st == FOCAL_OK)
            st = peers_derive(n);
        if (st != FOCAL_OK)
            focal_fail(err, st, "look at the message before this one", "cannot read the list of offices");
    }
    if (st != FOCAL_OK) {
        focal_node_close(n);
        return st;
    }
    *out = n;
    return FOCAL_OK;
}

void focal_node_close(struct focal_node *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->link_count; i++)
        focal_session_free(n->links[i].session);
    focal_sync_host_close(&n->host);
    peers_free(n);
    clock_free(n);
    focal_oplog_close(n->oplog);
    focal_buf_close(&n->follow.after);
    focal_buf_wipe_close(&n->invitation_bytes);
    focal_buf_wipe_close(&n->invitation_token);
    focal_free(n->heads_told);
    focal_free(n->orders);
    focal_secret_free(n->secret);
    focal_wipe(n, sizeof *n);
    focal_free(n);
}

/* ---- step ------------------------------------------------------------------------------------------------------------ */

static enum focal_status tick(struct focal_node *n)
{
    n->ticked_ms = n->host.now.mono_ms;
    expiry_tick(n);
    ways_tick(n);
    missing_tick(n);
    peers_tick(n);
    enum focal_status st = follow_tick(n);
    if (st == FOCAL_OK)
        st = receipts_tick(n);          /* before links: receipts are passed on when none of ours is due */
    if (st == FOCAL_OK)
        st = history_leave(n);
    if (st == FOCAL_OK)
        st = links_tick(n);
    if (st == FOCAL_OK)
        st = clock_tick(n);
    return st == FOCAL_OK ? renew_tick(n) : st;
}

/* Gives what failed the step; what an admin or a peer did wrong goes into *answer. */
static enum focal_status run(struct focal_node *n, const struct focal_node_event *e, enum focal_status *answer)
{
    enum focal_status world = FOCAL_OK;
    *answer = FOCAL_OK;
    if (space_refuses(n, e)) {
        *answer = FOCAL_DISK_FULL;
        return FOCAL_OK;
    }
    switch (e->type) {
    case FOCAL_EVENT_LINK_OPENED:
        return link_opened(n, e->is.opened.link, e->is.opened.dialled, e->is.opened.dial_tag);
    case FOCAL_EVENT_LINK_FRAME:
        return link_frame(n, e->is.frame.link, e->is.frame.bytes);
    case FOCAL_EVENT_LINK_CLOSED:
        link_closed(n, e->is.closed.link, e->is.closed.why);
        return FOCAL_OK;
    case FOCAL_EVENT_DIAL_FAILED:
        dial_failed(n, e->is.dial.dial_tag, e->is.dial.why);
        return FOCAL_OK;
    case FOCAL_EVENT_CHANGE:
        change_run(n, e->is.change, &world);
        return world;
    case FOCAL_EVENT_REDACT:
        redact_run(n, e->is.redact, &world);
        return world;
    case FOCAL_EVENT_RESCUE:
        rescue_run(n, e->is.rescue, &world);
        return world;
    case FOCAL_EVENT_STATEMENT:
        *answer = join_statement(n, e->is.statement);
        break;
    case FOCAL_EVENT_INVITE:
        *answer = join_invite(n, e->is.invite.invitation);
        break;
    case FOCAL_EVENT_REFUSED_SEEN:
        *answer = refused_seen(n);
        break;
    case FOCAL_EVENT_PAUSE:
        *answer = peer_pause(n, &e->is.pause.office, e->is.pause.on);
        break;
    case FOCAL_EVENT_DIAL_NOW:
        *answer = peer_dial_now(n, &e->is.dial_now);
        break;
    case FOCAL_EVENT_ADDRESSES:
        *answer = addresses_set(n, e->is.addresses.list, e->is.addresses.count);
        break;
    case FOCAL_EVENT_LIFT_VEIL:
        *answer = veil_lift_by_hand(n, e->is.lift_veil.reason);
        break;
    case FOCAL_EVENT_NOTE:
        *answer = note_run(n, e);
        break;
    case FOCAL_EVENT_PENDING:
        *answer = pending_run(n, e->is.pending);
        break;
    case FOCAL_EVENT_TICK:
        return tick(n);
    }
    return focal_sync_world(*answer) ? *answer : FOCAL_OK;
}

/* Heads that moved in this step, told to every session, before the commit: what they make of it leaves after it. */
static enum focal_status tell_heads(struct focal_node *n)
{
    uint64_t changes = focal_oplog_change_count(n->oplog);
    if (changes == n->change_count_told)
        return FOCAL_OK;
    size_t count = focal_oplog_log_count(n->oplog);
    enum focal_status room = heads_room(n, count);
    if (room != FOCAL_OK)
        return room;
    for (size_t i = 0; i < count; i++) {
        const struct focal_log *log = focal_oplog_log_at(n->oplog, i);
        if (focal_log_tip(log)->seq == n->heads_told[i])
            continue;
        const bool fresh = n->heads_told[i] == 0 && focal_id_equal(&log->id, &log->line);
        n->heads_told[i] = focal_log_tip(log)->seq;
        follow_log(n, log);
        if (log->scope.cls == FOCAL_SCOPE_CONTROL)
            n->peers_stale = true;
        if (fresh && log->scope.cls == FOCAL_SCOPE_CONTROL && log->name.lane == FOCAL_LANE_DATA)
            room = history_epoch(n, log);
        if (room != FOCAL_OK)
            return room;
        for (size_t k = 0; k < n->link_count; k++) {
            enum focal_status st = focal_session_log_changed(n->links[k].session, log);
            if (focal_sync_world(st))
                return st;
            if (st != FOCAL_OK)
                focal_session_bye(n->links[k].session, FOCAL_BYE_FAULT);
        }
    }
    n->change_count_told = changes;
    if (n->receipts_due_ms == UINT64_MAX)
        n->receipts_due_ms = n->host.now.mono_ms + RECEIPT_DELAY_MS;
    return FOCAL_OK;
}

/* What was redacted is to be in no file any more. While somebody reads an older state it is tried again: receipts wait. */
enum focal_status node_scrub(struct focal_node *n)
{
    if (!focal_oplog_scrub_due(n->oplog) || FOCAL_PLANTED(SCRUB_LEFT_OUT))
        return FOCAL_OK;
    enum focal_status st = focal_store_scrub(n->store);
    if (st == FOCAL_OK)
        focal_oplog_scrubbed(n->oplog);
    return st == FOCAL_BUSY || st == FOCAL_DISK_FULL ? FOCAL_OK : st;
}

static enum focal_status finish(struct focal_node *n)
{
    enum focal_status st = n->host.pause_strict ? FOCAL_OK : addresses_due(n);    /* what nobody waits for can wait */
    if (st == FOCAL_OK)
        st = salvaged_fill(n);
    if (st == FOCAL_OK && !n->host.pause_strict)
        st = veil_step(n);
    if (st == FOCAL_OK && focal_oplog_again_due(n->oplog) && !n->host.pause_strict)
        st = node_writing(n);
    if (st == FOCAL_OK && n->tx_open)
        st = focal_oplog_seal(n->oplog);
    copies_rename(n);
    if (st == FOCAL_OK)
        st = tell_heads(n);
    if (st == FOCAL_OK && n->peers_stale)
        st = history_members(n);
    if (st == FOCAL_OK)
        st = history_step(n);
    if (st == FOCAL_OK && n->peers_stale) {     /* the commit is the last that may fail: a step that failed has left nothing */
        n->peers_stale = false;
        st = peers_derive(n);
    }
    if (FOCAL_PLANTED(ACK_BEFORE_COMMIT) && n->receipts_due_ms != UINT64_MAX)
        return st;
    if (st == FOCAL_OK && n->tx_open) {
        st = focal_store_commit(n->store);
        if (st == FOCAL_OK) {
            n->tx_open = false;
            focal_oplog_committed(n->oplog);
            n->scrub_failed = node_scrub(n);    /* this step is kept, whatever becomes of the next */
        }
    }
    return st;
}

enum focal_status node_attempt(struct focal_node *n, const struct focal_node_event *events, size_t count, bool local_only)
{
    n->in_step = true;
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < count && st == FOCAL_OK; i++) {
        enum focal_status answer;
        if (local_only && !space_is_local(&events[i]))
            continue;
        st = run(n, &events[i], &answer);
        if (events[i].answer)
            *events[i].answer = answer;
    }
    if (st == FOCAL_OK)
        st = finish(n);
    n->in_step = false;
    if (st != FOCAL_OK && n->tx_open)
        focal_store_rollback(n->store);
    if (st != FOCAL_OK)
        n->tx_open = false;
    return st;
}

enum focal_status focal_node_step(struct focal_node *n, struct focal_now now, const struct focal_node_event *events, size_t count)
{
    if (n->failed == FOCAL_OK)
        n->failed = n->scrub_failed;
    if (n->failed != FOCAL_OK)
        return n->failed;
    if (now.mono_ms < n->host.now.mono_ms)
        now.mono_ms = n->host.now.mono_ms;
    n->host.now = now;
    focal_oplog_set_day(n->oplog, (uint32_t)(now.wall_ms / 86400000u));
    enum focal_status st = space_look(n, events, count);
    if (st == FOCAL_OK)
        st = node_attempt(n, events, count, false);
    if (st == FOCAL_DISK_FULL)
        st = space_again(n, events, count);
    if (st != FOCAL_OK) {
        n->failed = st;
        if (!FOCAL_PLANTED(MEMORY_NOT_ROLLED_BACK))
            (void)!focal_oplog_rolled_back(n->oplog);
        focal_trace_line(&n->trace, FOCAL_ERROR, "node", "step failed: %s", focal_status_name(st));
    }
    return st;
}

enum focal_status focal_node_failed(const struct focal_node *n) { return n->failed; }
struct focal_oplog *focal_node_oplog(struct focal_node *n) { return n->oplog; }
struct focal_store *focal_node_store(struct focal_node *n) { return n->store; }
