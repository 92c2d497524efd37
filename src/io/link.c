/* The life of a link, and its place.
 *
 *             dialled                                       accepted
 *   FREE ──> DIALLING ──> GREETING <───────────────────────── FREE
 *               │             │  both greetings are through: link_opened
 *               │             v
 *               │           OPEN ──── frames both ways
 *               v             v
 *             CLOSING ── no operation is busy any more ──> FREE: link_closed, or dial_failed if it never opened
 *
 * The stream is closed on the way into CLOSING and freed only on the way out of it. */
#include "loop.h"

#include <string.h>

static const bool moves[5][5] = {
    [IO_LINK_FREE]     = { [IO_LINK_DIALLING] = true, [IO_LINK_GREETING] = true },
    [IO_LINK_DIALLING] = { [IO_LINK_GREETING] = true, [IO_LINK_CLOSING] = true },
    [IO_LINK_GREETING] = { [IO_LINK_OPEN] = true, [IO_LINK_CLOSING] = true },
    [IO_LINK_OPEN]     = { [IO_LINK_CLOSING] = true },
    [IO_LINK_CLOSING]  = { [IO_LINK_FREE] = true },
};

void focal_io_link_check(const struct io_link *link)
{
    focal_assert(link->in_at <= link->in_end && link->in_end <= link->in_cap);
    focal_assert(link->out_at <= link->out_end && link->out_end <= link->out_cap);
    focal_assert(!link->opened || link->state == IO_LINK_OPEN || link->state == IO_LINK_CLOSING);
    focal_assert((link->state != IO_LINK_GREETING && link->state != IO_LINK_OPEN) || link->stream);
    focal_assert(link->state != IO_LINK_DIALLING || (link->dialled && link->dialer && !link->stream));
}

void focal_io_link_move(struct io_link *link, enum io_link_state to)
{
    focal_assert(moves[link->state][to]);
    link->state = to;
    focal_io_link_check(link);
}

/* ---- places ----------------------------------------------------------------------------------------------------- */

void focal_io_link_drop(struct io_link *link)
{
    focal_io_op_close(&link->dial);
    focal_io_op_close(&link->receive);
    focal_io_op_close(&link->send);
    if (link->dialer)
        nng_stream_dialer_free(link->dialer);
    if (link->stream)
        nng_stream_free(link->stream);
    focal_free(link->in);
    focal_free(link->out);
    *link = (struct io_link){ .io = link->io };
}

struct io_link *focal_io_link_new(struct focal_io *io)
{
    uint32_t used = 0, place = 0;
    bool found = false;

    for (uint32_t n = 0; n < io->link_slots; n++) {
        uint32_t i = (io->link_next + n) % io->link_slots;
        if (io->links[i].state != IO_LINK_FREE) {
            used += io->links[i].state != IO_LINK_CLOSING;
        } else if (!found) {
            found = true;
            place = i;
        }
    }
    if (!found || used >= io->limits.links_max)
        return NULL;
    struct io_link *link = &io->links[place];
    *link = (struct io_link){ .io = io, .deadline_ms = IO_NEVER };
    if (focal_io_op_init(&link->dial, &io->queue, IO_OP_DIAL, link) ||
        focal_io_op_init(&link->receive, &io->queue, IO_OP_RECEIVE, link) ||
        focal_io_op_init(&link->send, &io->queue, IO_OP_SEND, link)) {
        focal_io_link_drop(link);
        return NULL;
    }
    link->number = ++io->link_sequence * io->link_slots + place;
    return link;
}

struct io_link *focal_io_link_find(struct focal_io *io, uint64_t number)
{
    struct io_link *link = &io->links[number % io->link_slots];

    if (link->number != number || link->state == IO_LINK_FREE || link->state == IO_LINK_CLOSING)
        return NULL;
    return link;
}

/* ---- closing ---------------------------------------------------------------------------------------------------- */

void focal_io_link_fail(struct io_link *link, enum focal_status why, const char *text)
{
    struct focal_io *io = link->io;

    if (link->state == IO_LINK_CLOSING)
        return;
    focal_io_link_move(link, IO_LINK_CLOSING);
    link->why = why;
    link->deadline_ms = IO_NEVER;
    size_t len = strlen(text);
    if (len >= sizeof link->why_text)
        len = sizeof link->why_text - 1;
    memcpy(link->why_text, text, len);
    link->why_text[len] = 0;
    if (link->stream)
        nng_stream_close(link->stream);
    else
        nng_aio_cancel(link->dial.aio);
    io->sweep = true;
    focal_io_mark(io);
}

void focal_io_links_sweep(struct focal_io *io)
{
    if (!io->sweep)
        return;
    io->sweep = false;
    for (uint32_t i = 0; i < io->link_slots; i++) {
        struct io_link *link = &io->links[i];
        if (link->state != IO_LINK_CLOSING || link->dial.busy || link->receive.busy || link->send.busy)
            continue;
        struct io_link was = *link;         /* handlers may take the place at once */
        link->opened = false;
        focal_io_link_move(link, IO_LINK_FREE);
        focal_io_link_drop(link);
        if (was.opened) {
            io->told = true;
            io->tell.link_closed(io->tell.data, was.number, was.why);
        } else if (was.dialled) {
            io->told = true;
            io->tell.dial_failed(io->tell.data, was.dial_tag, was.why, was.why_text);
        } else {
            focal_trace_line(io->trace, FOCAL_DEBUG, "io", "caller gone before it opened: %s", focal_status_name(was.why));
        }
    }
}

void focal_io_links_close(struct focal_io *io)
{
    for (uint32_t i = 0; i < io->link_slots; i++) {
        struct io_link *link = &io->links[i];
        if (link->state == IO_LINK_FREE)
            continue;
        if (link->stream)
            nng_stream_close(link->stream);
        if (link->dialer)
            nng_stream_dialer_close(link->dialer);
        focal_io_op_stop(&link->dial);
        focal_io_op_stop(&link->receive);
        focal_io_op_stop(&link->send);
        /* A dial that had succeeded, and whose success nobody had taken yet. */
        if (link->dial.busy && nng_aio_result(link->dial.aio) == 0)
            link->stream = nng_aio_get_output(link->dial.aio, 0);
        focal_io_link_drop(link);
    }
}

/* ---- the door --------------------------------------------------------------------------------------------------- */

void focal_io_link_proven(struct focal_io *io, uint64_t number)
{
    struct io_link *link = focal_io_link_find(io, number);

    if (link)
        link->proven = true;
}

void focal_io_link_close(struct focal_io *io, uint64_t number)
{
    struct io_link *link = focal_io_link_find(io, number);

    if (link)
        focal_io_link_fail(link, FOCAL_CANCELLED, "closed here");
}
