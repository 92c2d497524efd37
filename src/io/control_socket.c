/* The daemon's half of the control socket: a Unix socket on uv, lines in, bytes out.
 *
 * A connection is read only while no whole line of it waits to be told, so a client that sends faster than the daemon
 * works is held back by its own socket, and costs one line buffer. */
#include "loop.h"

#include <poll.h>
#include <string.h>

struct control_write {
    uv_write_t request;
    struct io_conn *conn;
    size_t len;
    uint8_t bytes[];
};

static struct io_conn *conn_find(struct focal_io *io, uint64_t number)
{
    struct io_conn *conn = io->conns[number % io->limits.control_conns_max];

    return conn && conn->number == number && !conn->gone && !conn->finishing ? conn : NULL;
}

void focal_io_conn_freed(uv_handle_t *handle)
{
    struct io_conn *conn = handle->data;

    focal_free(conn->groups);
    focal_free(conn->in);
    focal_free(conn);
}

void focal_io_conn_gone(struct io_conn *conn)
{
    if (conn->gone)
        return;
    conn->gone = true;
    conn->deadline_ms = IO_NEVER;
    uv_read_stop((uv_stream_t *)&conn->pipe);
    focal_io_mark(conn->io);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void written(uv_write_t *request, int status)
{
    struct control_write *write = request->data;
    struct io_conn *conn = write->conn;

    focal_assert(write->len <= conn->pending);
    conn->pending -= write->len;
    focal_free(write);
    if (conn->gone || uv_is_closing((uv_handle_t *)&conn->pipe))
        return;
    if (status < 0 || (conn->finishing && conn->pending == 0)) {
        focal_io_conn_gone(conn);
    } else if (conn->pending == 0) {
        conn->ready = true;
        focal_io_mark(conn->io);
    }
}

static enum focal_status queue_bytes(struct io_conn *conn, struct focal_span bytes)
{
    struct control_write *write = focal_alloc(sizeof *write + bytes.len);

    if (!write)
        return FOCAL_NO_MEMORY;
    write->conn = conn;
    write->len = bytes.len;
    write->request.data = write;
    memcpy(write->bytes, bytes.data, bytes.len);
    uv_buf_t buf = { .base = (char *)write->bytes, .len = bytes.len };
    int rv = uv_write(&write->request, (uv_stream_t *)&conn->pipe, &buf, 1, written);
    if (rv) {
        focal_free(write);
        focal_io_conn_gone(conn);
        return FOCAL_NOT_FOUND;
    }
    conn->pending += bytes.len;
    return FOCAL_OK;
}

enum focal_status focal_io_control_send(struct focal_io *io, uint64_t number, struct focal_span lines)
{
    struct io_conn *conn = conn_find(io, number);

    if (!conn)
        return FOCAL_NOT_FOUND;
    if (lines.len == 0)
        return FOCAL_OK;
    /* What is over the limit by itself still goes, alone: else it never could. */
    if (conn->pending && conn->pending + lines.len > IO_CONTROL_PENDING_MAX)
        return FOCAL_FULL;
    return queue_bytes(conn, lines);
}

static void finish(struct io_conn *conn)
{
    conn->finishing = true;
    conn->ready = false;
    uv_read_stop((uv_stream_t *)&conn->pipe);
    if (conn->pending == 0) {
        focal_io_conn_gone(conn);
        return;
    }
    conn->deadline_ms = focal_io_mono_ms() + IO_CONTROL_FINISH_MS;
    focal_io_deadline_at(conn->io, conn->deadline_ms);
}

void focal_io_control_close(struct focal_io *io, uint64_t number)
{
    struct io_conn *conn = conn_find(io, number);

    if (conn)
        finish(conn);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct io_conn *conn = handle->data;
    size_t most = (size_t)conn->io->limits.control_line_bytes_max + 1;

    (void)suggested;
    if (conn->in_at) {
        memmove(conn->in, conn->in + conn->in_at, conn->in_end - conn->in_at);
        conn->in_end -= conn->in_at;
        conn->in_seen -= conn->in_at;
        conn->in_at = 0;
    }
    if (conn->in_end == conn->in_cap) {
        size_t cap = conn->in_cap ? conn->in_cap * 2 : IO_RECEIVE_BYTES_MIN;
        if (cap > most)
            cap = most;
        uint8_t *more = cap > conn->in_cap ? focal_realloc(conn->in, cap) : NULL;
        if (!more) {
            *buf = uv_buf_init(NULL, 0);        /* uv answers with ENOBUFS, which ends the connection */
            return;
        }
        conn->in = more;
        conn->in_cap = cap;
    }
    buf->base = (char *)conn->in + conn->in_end;
    buf->len = conn->in_cap - conn->in_end;
}

static void was_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct io_conn *conn = stream->data;

    (void)buf;
    if (count == 0)
        return;
    if (count > 0)
        conn->in_end += (size_t)count;
    else
        conn->ended = true;
    uv_read_stop(stream);
    conn->reading = false;
    focal_io_mark(conn->io);
}

static void read_on(struct io_conn *conn)
{
    if (conn->reading || conn->ended || conn->gone || conn->finishing)
        return;
    if (uv_read_start((uv_stream_t *)&conn->pipe, give_room, was_read))
        focal_io_conn_gone(conn);
    else
        conn->reading = true;
}

/* ---- telling ---------------------------------------------------------------------------------------------------- */

static bool line_whole(struct io_conn *conn, struct focal_span *line)
{
    if (conn->gone || conn->finishing || conn->in_seen == conn->in_end)
        return false;
    const uint8_t *newline = memchr(conn->in + conn->in_seen, '\n', conn->in_end - conn->in_seen);
    if (!newline) {
        conn->in_seen = conn->in_end;
        return false;
    }
    *line = focal_span_of(conn->in + conn->in_at, (size_t)(newline - (conn->in + conn->in_at)));
    return true;
}

static void refuse_line(struct io_conn *conn)
{
    static const char text[] =
        "{\"id\":0,\"error\":{\"code\":\"FD-012\",\"exit\":1,\"message\":\"the request line is over the limit\","
        "\"hint\":\"Send it in smaller parts.\"}}\n";

    if (queue_bytes(conn, focal_span_text(text)) == FOCAL_OK)
        finish(conn);
    else
        focal_io_conn_gone(conn);
}

/* Who only stopped sending (`socat` at the end of its input) still waits for answers; who closed its end does not. */
void focal_io_conn_look(struct io_conn *conn)
{
    struct pollfd look = { .events = 0 };           /* a client that left is told even so */

    if (uv_fileno((uv_handle_t *)&conn->pipe, &look.fd) || poll(&look, 1, 0) != 0) {
        focal_io_conn_gone(conn);
        return;
    }
    conn->deadline_ms = focal_io_mono_ms() + IO_CONTROL_LOOK_MS;
    focal_io_deadline_at(conn->io, conn->deadline_ms);
}

static void tell_ended(struct io_conn *conn)
{
    struct focal_io *io = conn->io;

    if (conn->ended_told)
        return;
    conn->ended_told = true;
    if (!io->tell.control_ended) {
        focal_io_conn_gone(conn);
        return;
    }
    focal_io_conn_look(conn);
    if (conn->gone)
        return;
    io->told = true;
    io->tell.control_ended(io->tell.data, conn->number);
}

static void tell_conn(struct io_conn *conn, uint32_t *lines, size_t *bytes)
{
    struct focal_io *io = conn->io;
    struct focal_span line;

    if (!conn->opened) {
        conn->opened = true;
        io->told = true;
        io->tell.control_opened(io->tell.data, conn->number, &conn->caller);
        focal_free(conn->groups);
        conn->groups = NULL;
        conn->caller.group_count = 0;
    }
    if (conn->ready && !conn->gone && !conn->finishing) {
        conn->ready = false;
        io->told = true;
        io->tell.control_ready(io->tell.data, conn->number);
    }
    while (line_whole(conn, &line)) {
        if (*lines >= IO_TURN_FRAMES || *bytes >= IO_TURN_BYTES) {
            io->more = true;
            return;
        }
        conn->in_at += line.len + 1;
        conn->in_seen = conn->in_at;
        *lines += 1;
        *bytes += line.len;
        io->told = true;
        io->tell.control_line(io->tell.data, conn->number, line);
    }
    if (conn->gone || conn->finishing)
        return;
    if (conn->in_end - conn->in_at > io->limits.control_line_bytes_max)
        refuse_line(conn);
    else if (conn->ended)
        tell_ended(conn);
    else
        read_on(conn);
}

void focal_io_controls_tell(struct focal_io *io)
{
    uint32_t lines = 0, most = io->limits.control_conns_max, start = io->conn_next;
    size_t bytes = 0;

    io->conn_next = (start + 1) % most;
    for (uint32_t n = 0; n < most; n++) {
        struct io_conn **place = &io->conns[(start + n) % most];
        struct io_conn *conn = *place;
        if (!conn)
            continue;
        if (!conn->gone)
            tell_conn(conn, &lines, &bytes);
        if (!conn->gone)
            continue;
        *place = NULL;
        uint64_t number = conn->number;
        bool opened = conn->opened;
        uv_close((uv_handle_t *)&conn->pipe, focal_io_conn_freed);
        if (opened) {
            io->told = true;
            io->tell.control_closed(io->tell.data, number);
        }
    }
}
