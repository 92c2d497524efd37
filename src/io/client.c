/* The client's half of the control socket: blocking, one thread, no loop. */
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENT_READ_BYTES = 65536, CLIENT_LINE_BYTES_MAX = 64 << 20 };

struct focal_client {
    int fd;
    struct focal_buf in;
    size_t at, seen;            /* told up to at; no newline between at and seen */
    bool ended;
};

enum focal_status focal_client_open(struct focal_client **out, const char *path, struct focal_error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = strlen(path);

    *out = NULL;
    if (len == 0 || len >= sizeof address.sun_path)
        return focal_fail(err, FOCAL_TOO_BIG, "Choose a directory with a shorter name.",
                          "a socket's path has at most %zu bytes, this one has %zu: %s", sizeof address.sun_path - 1, len, path);
    memcpy(address.sun_path, path, len);
    struct focal_client *client = focal_alloc(sizeof *client);
    if (!client)
        return focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the connection");
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, (const struct sockaddr *)&address, sizeof address)) {
        int code = errno;
        if (client->fd >= 0)
            close(client->fd);
        focal_free(client);
        if (code == EACCES || code == EPERM)
            return focal_fail(err, FOCAL_DENIED, "Run it as the user the daemon runs as, or ask to be added to its group.",
                              "no permission to use the control socket %s", path);
        return focal_fail(err, FOCAL_UNREACHABLE, "Start it with: systemctl start focald, or: focald --dir DIR",
                          "no daemon answers on %s: %s", path, strerror(code));
    }
    focal_buf_init(&client->in, CLIENT_LINE_BYTES_MAX);
    *out = client;
    return FOCAL_OK;
}

void focal_client_close(struct focal_client *client)
{
    if (!client)
        return;
    close(client->fd);
    focal_buf_close(&client->in);
    focal_free(client);
}

/* Takes in what is there, without waiting. */
static enum focal_status take_in(struct focal_client *client, struct focal_error *err)
{
    if (client->at) {
        size_t left = client->in.len - client->at;
        memmove(client->in.data, client->in.data + client->at, left);
        focal_buf_truncate(&client->in, left);
        client->seen -= client->at;
        client->at = 0;
    }
    size_t before = client->in.len;
    uint8_t *room = focal_buf_reserve(&client->in, CLIENT_READ_BYTES);
    if (!room)
        return focal_fail(err, FOCAL_TOO_BIG, "", "the daemon's answer is too long to hold");
    ssize_t n = recv(client->fd, room, CLIENT_READ_BYTES, MSG_DONTWAIT);
    int code = errno;
    focal_buf_truncate(&client->in, before + (n > 0 ? (size_t)n : 0));
    if (n == 0 || (n < 0 && code == ECONNRESET))
        client->ended = true;
    else if (n < 0 && code != EAGAIN && code != EINTR)
        return focal_fail(err, FOCAL_IO, "", "the control socket failed: %s", strerror(code));
    return FOCAL_OK;
}

static enum focal_status gone(struct focal_error *err)
{
    return focal_fail(err, FOCAL_UNREACHABLE, "Look at its log: journalctl -u focald", "the daemon closed the connection");
}

static enum focal_status send_all(struct focal_client *client, const uint8_t *data, size_t len, struct focal_error *err)
{
    while (len) {
        ssize_t n = send(client->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0) {
            data += n;
            len -= (size_t)n;
            continue;
        }
        if (errno == EPIPE || errno == ECONNRESET)
            return gone(err);
        if (errno != EAGAIN && errno != EINTR)
            return focal_fail(err, FOCAL_IO, "", "the control socket failed: %s", strerror(errno));
        /* The daemon may be waiting for us to read its answers before it takes more. */
        struct pollfd wait = { .fd = client->fd, .events = POLLOUT };
        if (!client->ended)
            wait.events |= POLLIN;
        if (poll(&wait, 1, -1) < 0 && errno != EINTR)
            return focal_fail(err, FOCAL_IO, "", "poll failed: %s", strerror(errno));
        if (wait.revents & POLLIN) {
            enum focal_status status = take_in(client, err);
            if (status)
                return status;
        }
    }
    return FOCAL_OK;
}

enum focal_status focal_client_send(struct focal_client *client, struct focal_span line, struct focal_error *err)
{
    enum focal_status status = send_all(client, line.data, line.len, err);

    return status ? status : send_all(client, (const uint8_t *)"\n", 1, err);
}

enum focal_status focal_client_receive(struct focal_client *client, struct focal_span *line, uint32_t timeout_ms,
                                       struct focal_error *err)
{
    uint64_t until = timeout_ms ? focal_io_mono_ms() + timeout_ms : IO_NEVER;

    for (;;) {
        const uint8_t *newline = NULL;
        if (client->seen < client->in.len)
            newline = memchr(client->in.data + client->seen, '\n', client->in.len - client->seen);
        if (newline) {
            *line = focal_span_of(client->in.data + client->at, (size_t)(newline - (client->in.data + client->at)));
            client->at += line->len + 1;
            client->seen = client->at;
            return FOCAL_OK;
        }
        client->seen = client->in.len;
        if (client->ended)
            return gone(err);
        uint64_t now = focal_io_mono_ms();
        if (now >= until)
            return focal_fail(err, FOCAL_TIMEOUT, "", "no answer within %u ms", (unsigned)timeout_ms);
        struct pollfd wait = { .fd = client->fd, .events = POLLIN };
        int rv = poll(&wait, 1, until == IO_NEVER ? -1 : (int)(until - now < 1000000 ? until - now : 1000000));
        if (rv < 0 && errno != EINTR)
            return focal_fail(err, FOCAL_IO, "", "poll failed: %s", strerror(errno));
        if (rv > 0) {
            enum focal_status status = take_in(client, err);
            if (status)
                return status;
        }
    }
}
