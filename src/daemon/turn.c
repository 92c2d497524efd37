/* One turn: one step with all that happened, then what the node wants, then the answers. */
#include "run.h"

#include <stdio.h>
#include <string.h>

enum { DIAL_TIMEOUT_MS = 30000 };

static void fail(struct running *r, enum focal_status status)
{
    const char *what = status == FOCAL_DISK_FULL ? "the disk is full" : status == FOCAL_NO_MEMORY ? "there is no memory left"
                       : status == FOCAL_DAMAGED ? "the database is damaged" : "the database could not be read or written";
    fprintf(stderr, "focald: stopping: %s (%s); nothing of the last step was kept or sent, and nothing kept before it is lost\n", what, focal_status_name(status));
    if (status == FOCAL_DAMAGED)
        fprintf(stderr, "        next: `focald setup --rejoin --dir %s`\n", r->config.dir);
    r->failed = r->stopping = true;
    r->why = status;
}

static void obey(struct running *r)
{
    struct focal_order order;
    while (focal_node_take_order(r->node, &order)) {
        struct focal_node_event e = { .type = FOCAL_EVENT_DIAL_FAILED };
        switch (order.type) {
        case FOCAL_ORDER_DIAL:
            e.is.dial.dial_tag = order.dial_tag;
            e.is.dial.why = focal_io_dial(r->io, order.dial_tag, order.address, DIAL_TIMEOUT_MS);
            if (e.is.dial.why != FOCAL_OK) {
                event_put(r, &e);
                focal_io_again(r->io);
            }
            break;
        case FOCAL_ORDER_CLOSE:
            focal_io_link_close(r->io, order.link);
            break;
        case FOCAL_ORDER_PROVEN:
            focal_io_link_proven(r->io, order.link);
            break;
        }
    }
}

static void send_frames(struct running *r)
{
    for (size_t i = 0; i < r->link_count; i++) {
        struct open_link *link = &r->links[i];
        if (link->busy)
            continue;
        focal_buf_clear(&r->frame);
        if (!focal_node_take_frame(r->node, link->number, &r->frame))
            continue;
        enum focal_status st = r->frame.failed ? FOCAL_NO_MEMORY : focal_io_send(r->io, link->number, focal_buf_view(&r->frame));
        link->busy = st == FOCAL_OK;
        if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)    /* encrypted is numbered: a frame that is not sent breaks the link */
            focal_io_link_close(r->io, link->number);
    }
}

static void send_answers(struct running *r)
{
    uint64_t conn;
    for (size_t at = 0; focal_admin_next(r->admin, &at, &conn);) {
        struct focal_span lines = focal_admin_take(r->admin, conn);
        enum focal_status st = lines.len ? focal_io_control_send(r->io, conn, lines) : FOCAL_OK;
        if (st == FOCAL_FULL)
            continue;                   /* control_ready brings the next turn */
        focal_admin_taken(r->admin, conn);
        if (st == FOCAL_NO_MEMORY || focal_admin_finished(r->admin, conn))
            focal_io_control_close(r->io, conn);
    }
}

static enum focal_status step(struct running *r)
{
    struct focal_now now;
    focal_clock_now(&now);
    if (!event_room(r, CHANGES_ROOM + 1))
        return FOCAL_NO_MEMORY;
    r->event_count += focal_admin_before(r->admin, now, r->events + r->event_count, CHANGES_ROOM);
    if (focal_node_deadline_ms(r->node) <= now.mono_ms)
        r->events[r->event_count++] = (struct focal_node_event){ .type = FOCAL_EVENT_TICK };
    enum focal_status st = FOCAL_OK;
    if (r->event_count)
        st = focal_node_step(r->node, now, r->events, r->event_count);
    r->event_count = 0;
    focal_arena_reset(&r->frames);
    if (st == FOCAL_OK)
        focal_admin_after(r->admin, now);
    return st;
}

/* Who looked at records in the last turn before an orderly end is in the history too. */
static void last_notes(struct running *r)
{
    struct focal_now now;
    focal_clock_now(&now);
    if (!event_room(r, CHANGES_ROOM))
        return;
    r->event_count += focal_admin_last(r->admin, r->events + r->event_count, CHANGES_ROOM);
    enum focal_status st = r->event_count ? focal_node_step(r->node, now, r->events, r->event_count) : FOCAL_OK;
    r->event_count = 0;
    if (st != FOCAL_OK)
        fail(r, st);
}

/* Nothing to be done but what is asked; a store that is being destroyed waits for its last answer to be out. */
static void turn_locked(struct running *r)
{
    if (r->destroying && r->conn_count == 0)
        destroy_finish(r);
    if (r->stopping)
        focal_io_stop(r->io);
    else
        focal_io_wake_at(r->io, UINT64_MAX);
}

void turn(void *running)
{
    struct running *r = running;
    struct focal_now now;
    focal_clock_now(&now);
    r->turn_began_ms = now.mono_ms;
    if (!r->node) {
        turn_locked(r);
        return;
    }
    if (!r->failed) {
        enum focal_status st = step(r);
        if (st != FOCAL_OK)
            fail(r, st);
    }
    if (!r->failed) {
        obey(r);
        send_frames(r);
        obey(r);                        /* a session that said its last frame wants its link closed */
        send_answers(r);
        keepsake_refresh(r);
    }
    if (!r->failed && (r->stopping || r->locking || r->destroying))
        last_notes(r);
    if (r->stopping) {
        focal_io_stop(r->io);
        return;
    }
    if (r->locking || r->destroying) {
        r->locking = false;
        secret_lock(r);
        turn_locked(r);
        return;
    }
    if (focal_admin_again(r->admin))
        focal_io_again(r->io);
    uint64_t by = focal_node_deadline_ms(r->node), admin_by = focal_admin_deadline_ms(r->admin);
    focal_io_wake_at(r->io, by < admin_by ? by : admin_by);
}

/* Tells the network under which addresses this office is reached. */
enum focal_status say_addresses(struct running *r)
{
    const char *list[FOCAL_CONFIG_ADVERTISE_MAX];
    struct focal_admin_setup services;
    struct focal_now now;
    memset(&services, 0, sizeof services);
    services_fill(&services, r);
    struct focal_node_event e = { .type = FOCAL_EVENT_ADDRESSES };
    e.is.addresses.list = list;
    e.is.addresses.count = services.addresses(r, list, FOCAL_CONFIG_ADVERTISE_MAX);
    focal_clock_now(&now);
    return focal_node_step(r->node, now, &e, 1);
}
