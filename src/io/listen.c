/* Where links come from: listening with its caps, dialling, and their deadlines. */
#include "loop.h"

#include <string.h>

/* ---- the caps on callers that have not proven who they are ------------------------------------------------------- */

static bool same_source(const struct io_source *a, const struct io_source *b)
{
    return a->family == b->family && memcmp(a->prefix, b->prefix, sizeof a->prefix) == 0;
}

static bool unproven(const struct io_link *link)
{
    return !link->dialled && !link->proven && (link->state == IO_LINK_GREETING || link->state == IO_LINK_OPEN);
}

static bool older(const struct io_link *a, const struct io_link *b)
{
    return a->number / a->io->link_slots < b->number / b->io->link_slots;
}

/* Counts unproven callers (of one source, or all when source is NULL) and finds the oldest, and of those that brought
 * no frame the oldest. */
static uint32_t count_unproven(struct focal_io *io, const struct io_source *source, struct io_link **oldest, struct io_link **silent)
{
    uint32_t count = 0;

    *oldest = NULL;
    *silent = NULL;
    for (uint32_t i = 0; i < io->link_slots; i++) {
        struct io_link *link = &io->links[i];
        if (!unproven(link) || (source && !same_source(source, &link->source)))
            continue;
        count++;
        if (!*oldest || older(link, *oldest))
            *oldest = link;
        if (!link->had_frame && (!*silent || older(link, *silent)))
            *silent = link;
    }
    return count;
}

/* The oldest caller of the source that has the most of them; NULL unless that is at least two more than this one has. A
 * first message can be recorded and replayed, so having brought one must not let a few addresses keep all others out. */
static struct io_link *of_the_most(struct focal_io *io, const struct io_source *source)
{
    struct io_link *found = NULL, *oldest, *silent;
    uint32_t most = count_unproven(io, source, &oldest, &silent) + 1;

    for (uint32_t i = 0; i < io->link_slots; i++) {
        if (!unproven(&io->links[i]))
            continue;
        uint32_t count = count_unproven(io, &io->links[i].source, &oldest, &silent);
        if (count > most) {
            most = count;
            found = oldest;
        }
    }
    return found;
}

static bool make_room_for(struct focal_io *io, const struct io_source *source)
{
    struct io_link *oldest, *goes;

    if (count_unproven(io, source, &oldest, &goes) >= io->limits.unproven_per_address_max) {
        if (!goes)
            return false;
        focal_io_link_fail(goes, FOCAL_FULL, "a newer caller from its address took its place");
    }
    if (count_unproven(io, NULL, &oldest, &goes) < io->limits.unproven_max)
        return true;
    if (!goes)
        goes = of_the_most(io, source);
    if (!goes)
        return false;
    focal_io_link_fail(goes, FOCAL_FULL, "a newer caller took its place");
    return true;
}

static void admit(struct focal_io *io, nng_stream *stream)
{
    nng_sockaddr far;
    struct io_source source;
    struct io_link *link = NULL;

    /* A caller that is gone already has no address any more. */
    if (nng_stream_get_addr(stream, NNG_OPT_REMADDR, &far) == 0 && focal_io_address_source(&source, &far) &&
        make_room_for(io, &source))
        link = focal_io_link_new(io);
    if (!link) {
        nng_stream_close(stream);
        nng_stream_free(stream);
        return;
    }
    link->source = source;
    (void)focal_io_address_text(link->far_address, &far);
    link->deadline_ms = focal_io_mono_ms() + io->limits.first_frame_ms;
    focal_io_deadline_at(io, link->deadline_ms);
    focal_io_link_greet(link, stream);
}

/* ---- listening -------------------------------------------------------------------------------------------------- */

static void accept_next(struct io_listener *listener, struct io_op *accept)
{
    focal_io_op_begin(accept);
    nng_stream_listener_accept(listener->listener, accept->aio);
}

static void accept_all(struct io_listener *listener)
{
    for (unsigned i = 0; i < IO_ACCEPTS; i++) {
        if (!listener->accepts[i].busy)
            accept_next(listener, &listener->accepts[i]);
    }
}

void focal_io_listener_op(struct io_listener *listener, struct io_op *accept)
{
    struct focal_io *io = listener->io;
    int rv = nng_aio_result(accept->aio);

    if (rv) {
        /* The caller's fault or want of files: the listener itself is sound, so try again, but not in a spin. */
        focal_trace_line(io->trace, FOCAL_WARNING, "io", "accept failed: %s", nng_strerror(rv));
        listener->retry_ms = focal_io_mono_ms() + IO_ACCEPT_RETRY_MS;
        focal_io_deadline_at(io, listener->retry_ms);
        return;
    }
    admit(io, nng_aio_get_output(accept->aio, 0));
    accept_next(listener, accept);
}

static enum focal_status listen_failed(struct io_listener *listener, int rv, const char *address, struct focal_error *err)
{
    for (unsigned i = 0; i < IO_ACCEPTS; i++)
        focal_io_op_close(&listener->accepts[i]);
    if (listener->listener)
        nng_stream_listener_free(listener->listener);
    *listener = (struct io_listener){ 0 };
    const char *hint = "";
    if (rv == NNG_EADDRINUSE)
        hint = "Another program listens there: choose another port, or end that program.";
    else if (rv == NNG_EPERM)
        hint = "Ports below 1024 need a privilege: choose a higher one.";
    else if (rv == NNG_EADDRINVAL)
        hint = "The address must be one of this machine's own; 0.0.0.0 means all of them.";
    return focal_fail(err, focal_io_status_of_nng(rv), hint, "cannot listen on %s: %s", address, nng_strerror(rv));
}

enum focal_status focal_io_listen(struct focal_io *io, const char *address, char bound[64], struct focal_error *err)
{
    char url[IO_URL_TEXT];
    nng_sockaddr local;

    if (io->listener_count == IO_LISTENERS_MAX)
        return focal_fail(err, FOCAL_FULL, "", "at most %d addresses can be listened on", IO_LISTENERS_MAX);
    if (focal_io_address_url(url, address, true))
        return focal_fail(err, FOCAL_USAGE, "Write host:port, or [v6]:port; port 0 lets the system choose.",
                          "\"%.80s\" is no address to listen on", address);
    struct io_listener *listener = &io->listeners[io->listener_count];
    *listener = (struct io_listener){ .io = io, .retry_ms = IO_NEVER };
    for (unsigned i = 0; i < IO_ACCEPTS; i++) {
        if (focal_io_op_init(&listener->accepts[i], &io->queue, IO_OP_ACCEPT, listener))
            return listen_failed(listener, NNG_ENOMEM, address, err);
    }
    int rv = nng_stream_listener_alloc(&listener->listener, url);
    if (!rv)
        rv = nng_stream_listener_set_bool(listener->listener, NNG_OPT_TCP_NODELAY, true);
    if (!rv)
        rv = nng_stream_listener_set_bool(listener->listener, NNG_OPT_TCP_KEEPALIVE, true);
    if (!rv)
        rv = nng_stream_listener_listen(listener->listener);
    if (!rv)
        rv = nng_stream_listener_get_addr(listener->listener, NNG_OPT_LOCADDR, &local);
    if (!rv && bound && !focal_io_address_text(bound, &local))
        rv = NNG_EADDRINVAL;
    if (rv)
        return listen_failed(listener, rv, address, err);
    io->listener_count++;
    accept_all(listener);
    return FOCAL_OK;
}

static void listener_close(struct io_listener *listener)
{
    nng_stream_listener_close(listener->listener);
    for (unsigned i = 0; i < IO_ACCEPTS; i++) {
        struct io_op *accept = &listener->accepts[i];
        focal_io_op_stop(accept);
        /* A caller that was let in, and whom nobody had taken yet. */
        if (accept->busy && nng_aio_result(accept->aio) == 0) {
            nng_stream *stream = nng_aio_get_output(accept->aio, 0);
            nng_stream_close(stream);
            nng_stream_free(stream);
        }
        focal_io_op_close(accept);
    }
    nng_stream_listener_free(listener->listener);
}

void focal_io_listeners_close(struct focal_io *io)
{
    for (uint32_t i = 0; i < io->listener_count; i++)
        listener_close(&io->listeners[i]);
    io->listener_count = 0;
}

/* ---- dialling --------------------------------------------------------------------------------------------------- */

void focal_io_dial_op(struct io_link *link)
{
    int rv = nng_aio_result(link->dial.aio);

    if (rv == 0)
        link->stream = nng_aio_get_output(link->dial.aio, 0);
    if (link->state == IO_LINK_CLOSING) {
        if (link->stream)
            nng_stream_close(link->stream);
        link->io->sweep = true;
        return;
    }
    if (rv) {
        focal_io_link_fail(link, focal_io_status_of_nng(rv), nng_strerror(rv));
        return;
    }
    /* nng may say so before TCP's own handshake is through; then the greeting's send or receive fails, and with it
     * the dial. */
    nng_stream *stream = link->stream;
    link->stream = NULL;
    focal_io_link_greet(link, stream);
}

enum focal_status focal_io_dial(struct focal_io *io, uint64_t dial_tag, const char *address, uint32_t timeout_ms)
{
    char url[IO_URL_TEXT];

    if (focal_io_address_url(url, address, false))
        return FOCAL_USAGE;
    struct io_link *link = focal_io_link_new(io);
    if (!link)
        return FOCAL_FULL;
    int rv = nng_stream_dialer_alloc(&link->dialer, url);
    if (!rv)
        rv = nng_stream_dialer_set_bool(link->dialer, NNG_OPT_TCP_NODELAY, true);
    if (!rv)
        rv = nng_stream_dialer_set_bool(link->dialer, NNG_OPT_TCP_KEEPALIVE, true);
    if (rv) {
        focal_io_link_drop(link);
        return focal_io_status_of_nng(rv);
    }
    link->dialled = true;
    link->dial_tag = dial_tag;
    memcpy(link->far_address, address, strlen(address) + 1);        /* shorter than its URL, which fitted */
    link->deadline_ms = focal_io_mono_ms() + timeout_ms;
    focal_io_link_move(link, IO_LINK_DIALLING);
    focal_io_deadline_at(io, link->deadline_ms);
    focal_io_op_begin(&link->dial);
    nng_stream_dialer_dial(link->dialer, link->dial.aio);
    return FOCAL_OK;
}

/* ---- deadlines -------------------------------------------------------------------------------------------------- */

uint64_t focal_io_transport_deadlines(struct focal_io *io, uint64_t now_ms)
{
    uint64_t next = IO_NEVER;

    for (uint32_t i = 0; i < io->link_slots; i++) {
        struct io_link *link = &io->links[i];
        if (link->state == IO_LINK_FREE || link->deadline_ms == IO_NEVER)
            continue;
        if (link->deadline_ms <= now_ms)
            focal_io_link_fail(link, FOCAL_TIMEOUT, "no answer in time");
        else if (link->deadline_ms < next)
            next = link->deadline_ms;
    }
    for (uint32_t i = 0; i < io->listener_count; i++) {
        struct io_listener *listener = &io->listeners[i];
        if (listener->retry_ms == IO_NEVER)
            continue;
        if (listener->retry_ms <= now_ms) {
            listener->retry_ms = IO_NEVER;
            accept_all(listener);
        } else if (listener->retry_ms < next) {
            next = listener->retry_ms;
        }
    }
    return next;
}
