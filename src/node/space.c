/* What the node does about a disk that fills up.
 *
 * While space is SHORT peers are told to pause, and of what still comes only notices and control are taken in. On the
 * RESERVE nothing of others is written at all, and with NONE nothing of people either: their changes are refused.
 * A step that met a full disk has left nothing on it, so nothing of it may be left in memory: what the store says is
 * read again, conversations end, since they remember what was not kept, and what people had asked for in that step is
 * tried again as long as there is some reserve to give back. */
#include "inner.h"

#include <stdio.h>
#include <string.h>

enum { TRIES_MAX = 8, LOOK_MS = 1000 };

bool space_is_local(const struct focal_node_event *e)
{
    switch (e->type) {
    case FOCAL_EVENT_CHANGE:
    case FOCAL_EVENT_REDACT:
    case FOCAL_EVENT_STATEMENT:
    case FOCAL_EVENT_INVITE:
    case FOCAL_EVENT_REFUSED_SEEN:
    case FOCAL_EVENT_PAUSE:
    case FOCAL_EVENT_DIAL_NOW:
    case FOCAL_EVENT_ADDRESSES:
    case FOCAL_EVENT_LIFT_VEIL:
    case FOCAL_EVENT_PENDING:
        return true;
    case FOCAL_EVENT_NOTE:
        return e->is.note.is->cls == FOCAL_NOTE_COMMAND;       /* the reserve is not for telling who looked */
    default:
        return false;
    }
}

static bool any_local(const struct focal_node_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (space_is_local(&events[i]))
            return true;
    return false;
}

static void refuse(struct focal_node *n, const struct focal_node_event *e)
{
    char hint[120];
    (void)snprintf(hint, sizeof hint, "free at least %llu MiB on the disk of the office's directory, then try again",
                   (unsigned long long)(n->space_wanted >> 20) + 1);
    if (e->type == FOCAL_EVENT_CHANGE)
        e->is.change->status = focal_fail(&e->is.change->error, FOCAL_DISK_FULL, hint, "the disk is full: nothing was changed");
    else if (e->type == FOCAL_EVENT_REDACT)
        e->is.redact->status = focal_fail(&e->is.redact->error, FOCAL_DISK_FULL, hint, "the disk is full: nothing was redacted");
    else if (e->answer)
        *e->answer = FOCAL_DISK_FULL;
}

bool space_refuses(struct focal_node *n, const struct focal_node_event *e)
{
    if (e->type == FOCAL_EVENT_NOTE && !space_is_local(e) && n->space >= FOCAL_SPACE_RESERVE) {
        refuse(n, e);
        return true;
    }
    bool needs = space_is_local(e) && e->type != FOCAL_EVENT_DIAL_NOW && e->type != FOCAL_EVENT_ADDRESSES;
    if (n->space != FOCAL_SPACE_NONE || !needs)
        return false;
    refuse(n, e);
    return true;
}

/* ---- from one state to the next ------------------------------------------------------------------------------------ */

static enum focal_status go_on(struct focal_node *n, bool were_strict)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < n->link_count && st == FOCAL_OK; i++) {
        if (were_strict)        /* what was dropped then is said again on the next link */
            focal_session_bye(n->links[i].session, FOCAL_BYE_CLOSING);
        else if (!n->host.pause)
            st = focal_session_resume(n->links[i].session);
        if (st == FOCAL_FULL) {
            focal_session_bye(n->links[i].session, FOCAL_BYE_CLOSING);
            st = FOCAL_OK;
        }
    }
    return st;
}

enum focal_status space_look(struct focal_node *n, const struct focal_node_event *events, size_t count)
{
    static const char *const words[] = { "enough again", "short: other offices are asked to wait", "all but used up: only what is entered here is written, into the reserve",
                                         "used up: nothing is written" };
    enum focal_space before = n->space;
    n->space = focal_store_space(n->store, &n->space_wanted);
    if (n->space == FOCAL_SPACE_RESERVE && any_local(events, count))
        (void)!focal_store_release(n->store);
    if (n->space == before)
        return FOCAL_OK;
    focal_trace_line(&n->trace, n->space == FOCAL_SPACE_ENOUGH ? FOCAL_INFO : FOCAL_WARNING, "node", "space on the disk is %s", words[n->space]);
    bool were_strict = n->host.pause_strict;
    n->host.pause = n->space != FOCAL_SPACE_ENOUGH;
    n->host.pause_strict = n->space >= FOCAL_SPACE_RESERVE;
    return n->space < before ? go_on(n, were_strict && !n->host.pause_strict) : FOCAL_OK;
}

uint64_t space_deadline_ms(const struct focal_node *n)
{
    return n->space == FOCAL_SPACE_ENOUGH ? UINT64_MAX : n->host.now.mono_ms + LOOK_MS;
}

enum focal_space focal_node_space(const struct focal_node *n, uint64_t *wanted)
{
    *wanted = n->space_wanted;
    return n->space;
}

/* ---- a step that found the disk full ----------------------------------------------------------------------------------- */

static void forget_invitation(struct focal_node *n)
{
    focal_wipe(n->secret, 32);
    n->secret_set = n->invited = false;
    focal_wipe(&n->invitation, sizeof n->invitation);
    focal_buf_clear(&n->invitation_bytes);
    focal_buf_clear(&n->invitation_token);
}

static enum focal_status start_over(struct focal_node *n)
{
    struct focal_error err;
    for (size_t i = 0; i < n->link_count; i++) {
        node_order(n, &(struct focal_order){ .type = FOCAL_ORDER_CLOSE, .link = n->links[i].link });
        focal_session_free(n->links[i].session);
    }
    n->link_count = 0;
    enum focal_status st = focal_oplog_rolled_back(n->oplog);
    forget_invitation(n);
    if (st == FOCAL_OK)
        st = join_load(n, &err);
    n->heads_told_count = 0;
    if (st == FOCAL_OK)
        st = node_heads_load(n);
    memset(&n->epoch_named, 0, sizeof n->epoch_named);
    copies_rename(n);
    if (st == FOCAL_OK)
        st = history_load(n);
    if (st == FOCAL_OK)
        st = salvaged_load(n);
    peers_free(n);
    if (st == FOCAL_OK)
        st = peers_derive(n);
    for (size_t i = 0; i < n->peer_count; i++) {
        n->peers[i].tries = 1;
        n->peers[i].next_dial_ms = n->host.now.mono_ms + n->redial_least_ms + node_random(n, n->redial_least_ms);
        (void)snprintf(n->peers[i].why, sizeof n->peers[i].why, "the disk here was full");
    }
    n->peers_stale = false;
    follow_begin(n);
    n->addresses_due = n->own_address_count > 0;
    n->receipts_due_ms = n->host.now.mono_ms + RECEIPT_DELAY_MS;
    return st;
}

enum focal_status space_again(struct focal_node *n, const struct focal_node_event *events, size_t count)
{
    bool local = any_local(events, count);
    enum focal_status st = start_over(n);
    focal_trace_line(&n->trace, FOCAL_WARNING, "node", "the disk is full: a step was taken back, and the links are closed");
    for (size_t i = 0; i < count; i++)
        if (events[i].type == FOCAL_EVENT_LINK_OPENED)
            node_order(n, &(struct focal_order){ .type = FOCAL_ORDER_CLOSE, .link = events[i].is.opened.link });
    for (int tries = 0; tries < TRIES_MAX && local && st == FOCAL_OK && focal_store_release(n->store) == FOCAL_OK; tries++) {
        st = node_attempt(n, events, count, true);
        if (st != FOCAL_DISK_FULL)
            return st;
        st = start_over(n);
    }
    for (size_t i = 0; i < count && st == FOCAL_OK; i++)
        if (space_is_local(&events[i]) && events[i].type != FOCAL_EVENT_DIAL_NOW)
            refuse(n, &events[i]);
    return st;
}
