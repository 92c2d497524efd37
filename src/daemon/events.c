/* What io tells is kept as events until the turn takes one step with all of them. */
#include "run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

bool event_room(struct running *r, size_t count)
{
    if (r->event_count + count <= r->event_cap)
        return true;
    size_t cap = r->event_cap ? r->event_cap : 64;
    while (cap < r->event_count + count)
        cap *= 2;
    struct focal_node_event *grown = focal_realloc(r->events, cap * sizeof *grown);
    if (!grown)
        return false;
    r->events = grown;
    r->event_cap = cap;
    return true;
}

void event_put(struct running *r, const struct focal_node_event *e)
{
    if (!r->node)                       /* locked */
        return;
    if (!event_room(r, 1)) {
        focal_trace_line(&r->trace, FOCAL_ERROR, "daemon", "out of memory: an event was lost, stopping");
        r->stopping = r->failed = true;
        r->why = FOCAL_NO_MEMORY;
        return;
    }
    r->events[r->event_count++] = *e;
}

static void link_opened(void *data, uint64_t link, bool dialled, uint64_t dial_tag, const char *far_address)
{
    struct running *r = data;
    if (r->link_count == LINKS_MAX || !r->node) {
        focal_io_link_close(r->io, link);
        return;
    }
    r->links[r->link_count++] = (struct open_link){ .number = link };
    const char *kept = focal_arena_copy(&r->frames, far_address, strlen(far_address) + 1);
    struct focal_node_event e = { .type = FOCAL_EVENT_LINK_OPENED };
    e.is.opened.link = link;
    e.is.opened.dialled = dialled;
    e.is.opened.dial_tag = dial_tag;
    e.is.opened.address = kept ? kept : "";
    event_put(r, &e);
}

static void link_frame(void *data, uint64_t link, struct focal_span frame)
{
    struct running *r = data;
    if (!r->node)
        return;
    const void *kept = focal_arena_copy(&r->frames, frame.data, frame.len);
    if (!kept) {                        /* a frame may not be dropped silently: the link goes */
        focal_io_link_close(r->io, link);
        return;
    }
    struct focal_node_event e = { .type = FOCAL_EVENT_LINK_FRAME };
    e.is.frame.link = link;
    e.is.frame.bytes = focal_span_of(kept, frame.len);
    event_put(r, &e);
}

static void link_ready(void *data, uint64_t link)
{
    struct running *r = data;
    for (size_t i = 0; i < r->link_count; i++)
        if (r->links[i].number == link)
            r->links[i].busy = false;
}

static void link_closed(void *data, uint64_t link, enum focal_status why)
{
    struct running *r = data;
    for (size_t i = 0; i < r->link_count; i++) {
        if (r->links[i].number == link) {
            r->links[i] = r->links[--r->link_count];
            break;
        }
    }
    struct focal_node_event e = { .type = FOCAL_EVENT_LINK_CLOSED };
    e.is.closed.link = link;
    e.is.closed.why = why;
    event_put(r, &e);
}

static void dial_failed(void *data, uint64_t dial_tag, enum focal_status why, const char *text)
{
    struct running *r = data;
    focal_trace_line(&r->trace, FOCAL_DEBUG, "daemon", "dial failed: %s", text);
    struct focal_node_event e = { .type = FOCAL_EVENT_DIAL_FAILED };
    e.is.dial.dial_tag = dial_tag;
    e.is.dial.why = why;
    event_put(r, &e);
}

static void control_opened(void *data, uint64_t conn, const struct focal_io_caller *who)
{
    struct running *r = data;
    if (r->conn_count == CONNS_MAX || r->destroying) {
        focal_io_control_close(r->io, conn);
        return;
    }
    r->conns[r->conn_count++] = conn;
    if (!r->admin) {
        locked_opened(r, conn, who);
        return;
    }
    unsigned rights = focal_rights_of(&r->groups, who->uid, who->gid, who->groups, who->group_count);
    if (!focal_admin_connect(r->admin, conn, who->uid, rights))
        focal_io_control_close(r->io, conn);
}

static void control_line(void *data, uint64_t conn, struct focal_span line)
{
    struct running *r = data;
    struct focal_now now;
    if (locked_has(r, conn)) {
        locked_line(r, conn, line);
        return;
    }
    if (!r->admin)                      /* locked since, and on its way out */
        return;
    focal_clock_now(&now);
    focal_admin_line(r->admin, conn, line, now);
}

static void control_ended(void *data, uint64_t conn)
{
    struct running *r = data;
    if (locked_has(r, conn))
        locked_ended(r, conn);
    else if (r->admin)
        focal_admin_ended(r->admin, conn);
}

static void control_closed(void *data, uint64_t conn)
{
    struct running *r = data;
    for (size_t i = 0; i < r->conn_count; i++) {
        if (r->conns[i] == conn) {
            r->conns[i] = r->conns[--r->conn_count];
            break;
        }
    }
    if (locked_has(r, conn))
        locked_closed(r, conn);
    else if (r->admin)
        focal_admin_disconnect(r->admin, conn);
}

static void control_ready(void *data, uint64_t conn)
{
    (void)data;     /* the turn that follows hands over what waits */
    (void)conn;
}

static void wake(void *data)
{
    (void)data;     /* the turn that follows looks at the time itself */
}

static void read_again(struct running *r)
{
    struct focal_config fresh;
    struct focal_error err;
    if (config_read(&fresh, r->dir, r->file, &err) != FOCAL_OK) {
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "the configuration was not read again: %s", err.message);
        return;
    }
    r->config.log_level = fresh.log_level;
    r->trace.most = fresh.log_level;
    focal_trace_line(&r->trace, FOCAL_INFO, "daemon", "configuration read again; what it says of addresses and paths counts from the next start");
}

static void signalled(void *data, int number)
{
    struct running *r = data;
    if (number == SIGHUP)
        read_again(r);
    else
        r->stopping = true;
}

void events_handlers(struct focal_io_handlers *h, struct running *r)
{
    *h = (struct focal_io_handlers){
        .data = r, .link_opened = link_opened, .link_frame = link_frame, .link_ready = link_ready, .link_closed = link_closed,
        .dial_failed = dial_failed, .control_opened = control_opened, .control_line = control_line, .control_ready = control_ready,
        .control_ended = control_ended, .control_closed = control_closed, .wake = wake, .turn = turn, .signal = signalled
    };
}
