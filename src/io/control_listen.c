/* Listening on the control socket: whose path it may take, and who comes in. */
#include "loop.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { GROUPS_FIRST = 32, GROUPS_MAX = 65536 };        /* NGROUPS_MAX of Linux */

/* All of them, however many: who is in a hundred groups is a member of the hundredth as well. */
static bool read_groups(struct io_conn *conn, int fd)
{
    uint32_t room = GROUPS_FIRST;

    for (;;) {
        socklen_t len = room * (socklen_t)sizeof *conn->groups;
        uint32_t *grown = focal_realloc(conn->groups, len);
        if (!grown)
            return false;
        conn->groups = grown;
        if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, conn->groups, &len)) {
            conn->caller.groups = conn->groups;
            conn->caller.group_count = len / sizeof *conn->groups;
            return true;
        }
        uint32_t wanted = (uint32_t)(len / sizeof *conn->groups);      /* the system says how much it needs */
        if (errno != ERANGE || wanted <= room || wanted > GROUPS_MAX)
            return false;
        room = wanted;
    }
}

static bool read_credentials(struct io_conn *conn)
{
    uv_os_fd_t fd;
    struct ucred who;
    socklen_t len = sizeof who;

    _Static_assert(sizeof(gid_t) == sizeof *conn->groups, "the system's groups are of 32 bits");
    if (uv_fileno((uv_handle_t *)&conn->pipe, &fd) || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len))
        return false;
    conn->caller.uid = who.uid;
    conn->caller.gid = who.gid;
    conn->caller.pid = who.pid;
    return read_groups(conn, fd);
}

static void connected(uv_stream_t *server, int status)
{
    struct focal_io *io = server->data;
    uint32_t place = 0, most = io->limits.control_conns_max;

    if (status < 0)
        return;
    struct io_conn *conn = focal_alloc(sizeof *conn);
    if (!conn || uv_pipe_init(&io->loop, &conn->pipe, 0)) {
        /* uv lets no further one in until this one is taken, and does not ask again. */
        focal_free(conn);
        io->control_retry_ms = focal_io_mono_ms() + IO_ACCEPT_RETRY_MS;
        focal_io_deadline_at(io, io->control_retry_ms);
        return;
    }
    conn->io = io;
    conn->deadline_ms = IO_NEVER;
    conn->pipe.data = conn;
    while (place < most && io->conns[place])
        place++;
    if (uv_accept(server, (uv_stream_t *)&conn->pipe) || place == most || !read_credentials(conn)) {
        if (place == most)
            focal_trace_line(io->trace, FOCAL_WARNING, "io", "control socket: all %u connections are taken", (unsigned)most);
        uv_close((uv_handle_t *)&conn->pipe, focal_io_conn_freed);
        return;
    }
    conn->number = ++io->conn_sequence * most + place;
    io->conns[place] = conn;
    focal_io_mark(io);
}

uint64_t focal_io_control_deadlines(struct focal_io *io, uint64_t now_ms)
{
    uint64_t next = IO_NEVER;

    if (io->control_retry_ms <= now_ms) {
        io->control_retry_ms = IO_NEVER;
        connected((uv_stream_t *)io->control, 0);
    }
    if (io->control_retry_ms < next)
        next = io->control_retry_ms;
    for (uint32_t i = 0; i < io->limits.control_conns_max; i++) {
        struct io_conn *conn = io->conns[i];
        if (!conn || conn->deadline_ms == IO_NEVER)
            continue;
        if (conn->deadline_ms <= now_ms && conn->ended && !conn->finishing)
            focal_io_conn_look(conn);
        else if (conn->deadline_ms <= now_ms)
            focal_io_conn_gone(conn);
        if (conn->deadline_ms < next)
            next = conn->deadline_ms;
    }
    return next;
}

/* Makes way for our socket: nothing there, or a socket on which nobody listens any more. */
static enum focal_status clear_path(const char *path, const struct sockaddr_un *address, struct focal_error *err)
{
    struct stat st;

    if (lstat(path, &st)) {
        if (errno == ENOENT)
            return FOCAL_OK;
        return focal_fail(err, focal_io_status_of_errno(errno), "", "%s: %s", path, strerror(errno));
    }
    if (!S_ISSOCK(st.st_mode))
        return focal_fail(err, FOCAL_EXISTS, "Move it away, or choose another path for the control socket.",
                          "%s exists and is not a socket; it was left alone", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return focal_fail(err, focal_io_status_of_errno(errno), "", "%s: %s", path, strerror(errno));
    int code = connect(fd, (const struct sockaddr *)address, sizeof *address) ? errno : 0;
    close(fd);
    if (code == ENOENT)
        return FOCAL_OK;
    if (code == EACCES || code == EPERM)
        return focal_fail(err, FOCAL_DENIED, "Choose another path, or run as the user who owns it.",
                          "the socket %s belongs to somebody else", path);
    if (code != ECONNREFUSED)
        return focal_fail(err, FOCAL_BUSY, "End that daemon first, or choose another path.",
                          "a running daemon answers on %s", path);
    if (unlink(path) && errno != ENOENT)
        return focal_fail(err, focal_io_status_of_errno(errno), "", "cannot remove the dead socket %s: %s", path, strerror(errno));
    return FOCAL_OK;
}

static void listener_freed(uv_handle_t *handle)
{
    focal_free(handle);
}

enum focal_status focal_io_control_listen(struct focal_io *io, const char *path, unsigned mode, struct focal_error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (io->control)
        return focal_fail(err, FOCAL_BUSY, "", "the control socket is open already");
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof address.sun_path)
        return focal_fail(err, FOCAL_TOO_BIG, "Choose a directory with a shorter name.",
                          "a socket's path has at most %zu bytes, this one has %zu: %s", sizeof address.sun_path - 1, len, path);
    memcpy(address.sun_path, path, len);
    enum focal_status status = clear_path(path, &address, err);
    if (status)
        return status;
    uv_pipe_t *pipe = focal_alloc(sizeof *pipe);
    if (!pipe)
        return focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the control socket");
    int rv = uv_pipe_init(&io->loop, pipe, 0);
    if (rv) {
        focal_free(pipe);
        return focal_fail(err, focal_io_status_of_uv(rv), "", "%s: %s", path, uv_strerror(rv));
    }
    pipe->data = io;
    /* The mode must hold from the first moment, not from a chmod later. */
    mode_t before = umask(~(mode_t)mode & 0777);
    rv = uv_pipe_bind(pipe, path);
    umask(before);
    if (!rv)
        rv = uv_listen((uv_stream_t *)pipe, 64, connected);
    if (rv) {
        uv_close((uv_handle_t *)pipe, listener_freed);
        return focal_fail(err, focal_io_status_of_uv(rv), "", "cannot listen on %s: %s", path, uv_strerror(rv));
    }
    io->control = pipe;
    return FOCAL_OK;
}

void focal_io_controls_close(struct focal_io *io)
{
    for (uint32_t i = 0; i < io->limits.control_conns_max; i++) {
        if (io->conns[i])
            uv_close((uv_handle_t *)&io->conns[i]->pipe, focal_io_conn_freed);
        io->conns[i] = NULL;
    }
    if (io->control)
        uv_close((uv_handle_t *)io->control, listener_freed);   /* uv removes the socket's file as well */
    io->control = NULL;
}
