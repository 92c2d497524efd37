/* What passes over a link's stream: nng's own SP/TCP mapping for PAIR0. Eight bytes of greeting each way, then messages,
 * each behind its length as a 64-bit big-endian number. nng's streams send and receive any part of what they are given,
 * and a completed send says that the bytes left here, not that they arrived. */
#include "loop.h"

#include <string.h>

static const uint8_t greeting[IO_GREETING_BYTES] = { 0, 'S', 'P', 0, 0, 0x10, 0, 0 };

static bool grow(uint8_t **data, size_t *cap, size_t need)
{
    if (need <= *cap)
        return true;
    uint8_t *more = focal_realloc(*data, need);
    if (!more)
        return false;
    *data = more;
    *cap = need;
    return true;
}

static size_t in_cap_max(const struct io_link *link)
{
    size_t most = IO_LENGTH_BYTES + (size_t)link->io->limits.frame_bytes_max;

    return most < IO_RECEIVE_BYTES_MIN ? IO_RECEIVE_BYTES_MIN : most;
}

/* The frame at the front, if it is whole. Fails the link when its announced length is over the limit, before anything
 * is sized by it. */
static bool frame_whole(struct io_link *link, struct focal_span *frame)
{
    size_t have = link->in_end - link->in_at;

    if (link->state != IO_LINK_OPEN || have < IO_LENGTH_BYTES)
        return false;
    uint64_t length = focal_get_be64(link->in + link->in_at);
    if (length > link->io->limits.frame_bytes_max) {
        focal_io_link_fail(link, FOCAL_TOO_BIG, "a frame over the limit was announced");
        return false;
    }
    if (have - IO_LENGTH_BYTES < length)
        return false;
    *frame = focal_span_of(link->in + link->in_at + IO_LENGTH_BYTES, (size_t)length);
    return true;
}

/* Asks for more bytes; only called when no whole frame waits, so a peer never gets further ahead than one buffer. */
static void receive(struct io_link *link)
{
    if (link->receive.busy || (link->state != IO_LINK_GREETING && link->state != IO_LINK_OPEN))
        return;
    bool was_full = link->in_end == link->in_cap;
    if (link->in_at) {
        memmove(link->in, link->in + link->in_at, link->in_end - link->in_at);
        link->in_end -= link->in_at;
        link->in_at = 0;
    }
    size_t need = IO_RECEIVE_BYTES_MIN;
    if (was_full && link->in_cap)
        need = link->in_cap * 2;
    if (link->state == IO_LINK_OPEN && link->in_end >= IO_LENGTH_BYTES) {
        uint64_t length = focal_get_be64(link->in);
        focal_assert(length <= link->io->limits.frame_bytes_max);
        if (need < IO_LENGTH_BYTES + length)
            need = IO_LENGTH_BYTES + (size_t)length;
    }
    if (need > in_cap_max(link))
        need = in_cap_max(link);
    if (!grow(&link->in, &link->in_cap, need)) {
        focal_io_link_fail(link, FOCAL_NO_MEMORY, "no memory for what the peer sends");
        return;
    }
    focal_assert(link->in_end < link->in_cap);
    nng_iov iov = { .iov_buf = link->in + link->in_end, .iov_len = link->in_cap - link->in_end };
    int rv = nng_aio_set_iov(link->receive.aio, 1, &iov);
    focal_assert(rv == 0);
    focal_io_op_begin(&link->receive);
    nng_stream_recv(link->stream, link->receive.aio);
}

/* Sends what is left in out; nng may take any part of it. */
static void transmit(struct io_link *link)
{
    nng_iov iov = { .iov_buf = link->out + link->out_at, .iov_len = link->out_end - link->out_at };
    int rv = nng_aio_set_iov(link->send.aio, 1, &iov);

    focal_assert(rv == 0);
    focal_io_op_begin(&link->send);
    nng_stream_send(link->stream, link->send.aio);
}

/* ---- greeting --------------------------------------------------------------------------------------------------- */

static void send_greeting(struct io_link *link)
{
    if (!grow(&link->out, &link->out_cap, sizeof greeting)) {
        focal_io_link_fail(link, FOCAL_NO_MEMORY, "no memory for the greeting");
        return;
    }
    memcpy(link->out, greeting, sizeof greeting);
    link->out_at = 0;
    link->out_end = sizeof greeting;
    transmit(link);
}

void focal_io_link_greet(struct io_link *link, nng_stream *stream)
{
    link->stream = stream;
    focal_io_link_move(link, IO_LINK_GREETING);
    /* Who listens answers only a caller that speaks SP PAIR0: a scanner learns nothing. */
    if (link->dialled)
        send_greeting(link);
    receive(link);
}

static void opened(struct io_link *link)
{
    struct focal_io *io = link->io;
    nng_sockaddr far;

    if (link->dialled && nng_stream_get_addr(link->stream, NNG_OPT_REMADDR, &far) == 0)
        (void)focal_io_address_text(link->far_address, &far);
    focal_io_link_move(link, IO_LINK_OPEN);
    link->opened = true;
    /* The listener's deadline runs on until the first frame. */
    if (link->dialled)
        link->deadline_ms = IO_NEVER;
    io->told = true;
    io->tell.link_opened(io->tell.data, link->number, link->dialled, link->dial_tag, link->far_address);
}

static void greet_on(struct io_link *link)
{
    if (!link->greeting_read && link->in_end - link->in_at >= sizeof greeting) {
        if (memcmp(link->in + link->in_at, greeting, sizeof greeting) != 0) {
            focal_io_link_fail(link, FOCAL_MALFORMED, "the far end does not speak SP PAIR0");
            return;
        }
        link->in_at += sizeof greeting;
        link->greeting_read = true;
        if (!link->dialled)
            send_greeting(link);
    }
    if (link->greeting_read && link->greeting_sent)
        opened(link);
    else if (!link->greeting_read)
        receive(link);
}

/* ---- completions ------------------------------------------------------------------------------------------------ */

static void received(struct io_link *link, size_t count)
{
    focal_assert(count <= link->in_cap - link->in_end);
    link->io->bytes_received += count;
    link->in_end += count;
    if (link->state == IO_LINK_GREETING)
        greet_on(link);
}

static void sent(struct io_link *link, size_t count)
{
    struct focal_io *io = link->io;

    focal_assert(count <= link->out_end - link->out_at);
    io->bytes_sent += count;
    link->out_at += count;
    if (link->out_at < link->out_end) {
        transmit(link);
        return;
    }
    link->out_at = 0;
    link->out_end = 0;
    if (link->state == IO_LINK_GREETING) {
        link->greeting_sent = true;
        greet_on(link);
        return;
    }
    io->told = true;
    io->tell.link_ready(io->tell.data, link->number);
}

void focal_io_link_op(struct io_link *link, struct io_op *op)
{
    int rv = nng_aio_result(op->aio);

    if (link->state == IO_LINK_CLOSING) {
        link->io->sweep = true;
        return;
    }
    if (rv) {
        focal_io_link_fail(link, focal_io_status_of_nng(rv), nng_strerror(rv));
        return;
    }
    if (op->kind == IO_OP_RECEIVE)
        received(link, nng_aio_count(op->aio));
    else
        sent(link, nng_aio_count(op->aio));
    focal_io_link_check(link);
}

/* ---- telling ---------------------------------------------------------------------------------------------------- */

static void tell_link(struct io_link *link, uint32_t *frames, size_t *bytes)
{
    struct focal_io *io = link->io;
    struct focal_span frame;
    uint32_t of_this = 0;

    while (*frames < IO_TURN_FRAMES && *bytes < io->limits.turn_frame_bytes_max && of_this < io->limits.queue_frames_per_link &&
           frame_whole(link, &frame)) {
        link->in_at += IO_LENGTH_BYTES + frame.len;
        if (!link->had_frame) {
            link->had_frame = true;
            link->deadline_ms = IO_NEVER;
        }
        *frames += 1;
        of_this += 1;
        *bytes += frame.len;
        io->told = true;
        io->tell.link_frame(io->tell.data, link->number, frame);
    }
}

void focal_io_links_tell(struct focal_io *io)
{
    uint32_t frames = 0, start = io->link_next;
    size_t bytes = 0;
    struct focal_span frame;

    /* Whoever was first in this turn is last in the next one: a flood delays only the rest of itself. */
    io->link_next = (start + 1) % io->link_slots;
    for (uint32_t n = 0; n < io->link_slots; n++) {
        struct io_link *link = &io->links[(start + n) % io->link_slots];
        if (link->state != IO_LINK_OPEN)
            continue;
        tell_link(link, &frames, &bytes);
        if (link->state != IO_LINK_OPEN)
            continue;
        if (frame_whole(link, &frame))
            io->more = true;
        else
            receive(link);
    }
}

enum focal_status focal_io_send(struct focal_io *io, uint64_t number, struct focal_span frame)
{
    struct io_link *link = focal_io_link_find(io, number);

    if (!link || link->state != IO_LINK_OPEN)
        return FOCAL_NOT_FOUND;
    if (link->out_end)
        return FOCAL_BUSY;
    if (frame.len > io->limits.frame_bytes_max)
        return FOCAL_TOO_BIG;
    if (!grow(&link->out, &link->out_cap, IO_LENGTH_BYTES + frame.len))
        return FOCAL_NO_MEMORY;
    focal_put_be64(link->out, frame.len);
    if (frame.len)
        memcpy(link->out + IO_LENGTH_BYTES, frame.data, frame.len);
    link->out_at = 0;
    link->out_end = IO_LENGTH_BYTES + frame.len;
    transmit(link);
    return FOCAL_OK;
}
