/* The control socket, both halves: the daemon's on the loop of this thread, the client's in a thread of its own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/io.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

struct hall {
    struct focal_io *io;
    char dir[64], path[128];
    pthread_t client;
    unsigned opened, closed, lines, ready, stop_when_closed;
    uint64_t conn, bytes;
    uint32_t uid, gid;
    size_t group_count; uint64_t group_sum;
    int pid;
    uint64_t to_send, send_number;      /* for the reader that is slower than the daemon */
    unsigned times_full;
    bool guard_went_off, echo, close_on_line;
    bool close_on_end;
    unsigned ended;
    char wrong[200];                    /* what the client thread found wrong */
};

/* Assertions of cmocka belong to its own thread; the client's thread leaves a note and ends. */
#define EXPECT(hall, condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            snprintf((hall)->wrong, sizeof (hall)->wrong, "line %d: %s", __LINE__, #condition);    \
            return NULL;                                                                           \
        }                                                                                          \
    } while (0)

static void on_opened(void *data, uint64_t conn, const struct focal_io_caller *caller)
{
    struct hall *h = data;

    h->opened++;
    h->conn = conn;
    h->uid = caller->uid;
    h->gid = caller->gid;
    h->pid = caller->pid;
    h->group_count = caller->group_count;
    for (size_t i = 0; i < caller->group_count; i++)
        h->group_sum += caller->groups[i];
}

static void on_line(void *data, uint64_t conn, struct focal_span line)
{
    struct hall *h = data;
    uint8_t answer[512];

    h->lines++;
    h->bytes += line.len;
    if (h->echo && line.len < sizeof answer) {
        if (line.len)
            memcpy(answer, line.data, line.len);
        answer[line.len] = '\n';
        assert_int_equal(focal_io_control_send(h->io, conn, focal_span_of(answer, line.len + 1)), FOCAL_OK);
    }
    if (h->close_on_line) {
        focal_io_control_close(h->io, conn);
        assert_int_equal(focal_io_control_send(h->io, conn, focal_span_text("x\n")), FOCAL_NOT_FOUND);
    }
}

/* The answer comes later than the end of the requests. */
static void on_ended(void *data, uint64_t conn)
{
    struct hall *h = data;

    h->ended++;
    if (h->close_on_end) {
        assert_int_equal(focal_io_control_send(h->io, conn, focal_span_text("late\n")), FOCAL_OK);
        focal_io_control_close(h->io, conn);
    }
}

static void on_closed(void *data, uint64_t conn)
{
    struct hall *h = data;

    (void)conn;
    h->closed++;
}

static void pump(struct hall *h, uint64_t conn)
{
    char line[4096];

    while (h->send_number < h->to_send) {
        int n = snprintf(line, sizeof line, "%llu %04000d\n", (unsigned long long)h->send_number, 7);
        enum focal_status status = focal_io_control_send(h->io, conn, focal_span_of(line, (size_t)n));
        if (status == FOCAL_FULL) {
            h->times_full++;
            return;
        }
        assert_int_equal(status, FOCAL_OK);
        h->send_number++;
    }
}

static void on_ready(void *data, uint64_t conn)
{
    struct hall *h = data;

    h->ready++;
    pump(h, conn);
}

static void on_wake(void *data)
{
    struct hall *h = data;

    h->guard_went_off = true;
    focal_io_stop(h->io);
}

static void on_turn(void *data)
{
    struct hall *h = data;

    if (h->opened && h->to_send && !h->send_number)
        pump(h, h->conn);
    if (h->closed >= h->stop_when_closed)
        focal_io_stop(h->io);
}

static void hall_open(struct hall *h, const struct focal_io_limits *limits)
{
    struct focal_io_handlers handlers = {
        .data = h, .control_opened = on_opened, .control_line = on_line, .control_ready = on_ready,
        .control_ended = on_ended, .control_closed = on_closed, .wake = on_wake, .turn = on_turn,
    };
    struct focal_error err;

    memset(h, 0, sizeof *h);
    h->stop_when_closed = 1;
    strcpy(h->dir, "/tmp/focal-control-XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    snprintf(h->path, sizeof h->path, "%s/control.sock", h->dir);
    assert_int_equal(focal_io_open(&h->io, &handlers, limits, NULL), FOCAL_OK);
    assert_int_equal(focal_io_control_listen(h->io, h->path, 0660, &err), FOCAL_OK);
}

/* Runs the loop and, beside it, the client; both must come to their end. */
static void hall_run(struct hall *h, void *(*client)(void *))
{
    struct focal_now now;

    focal_clock_now(&now);
    focal_io_wake_at(h->io, now.mono_ms + 20000);
    assert_int_equal(pthread_create(&h->client, NULL, client, h), 0);
    focal_io_run(h->io);
    assert_false(h->guard_went_off);
    pthread_join(h->client, NULL);
    assert_string_equal(h->wrong, "");
}

static void hall_close(struct hall *h)
{
    struct stat st;

    focal_io_close(h->io);
    assert_int_equal(lstat(h->path, &st), -1);          /* a daemon that ends well leaves no socket behind */
    assert_int_equal(rmdir(h->dir), 0);
}

/* ---- conversations ---------------------------------------------------------------------------------------------- */

static void *converse(void *data)
{
    struct hall *h = data;
    struct focal_client *client;
    struct focal_error err;
    struct focal_span line;

    EXPECT(h, focal_client_open(&client, h->path, &err) == FOCAL_OK);
    EXPECT(h, focal_client_receive(client, &line, 20, &err) == FOCAL_TIMEOUT);
    EXPECT(h, focal_client_send(client, focal_span_text("one"), &err) == FOCAL_OK);
    EXPECT(h, focal_client_receive(client, &line, 5000, &err) == FOCAL_OK);
    EXPECT(h, line.len == 3 && memcmp(line.data, "one", 3) == 0);
    /* Many at once, empty ones among them, come back in order. */
    char text[32];
    for (unsigned i = 0; i < 3000; i++) {
        int n = i % 7 ? snprintf(text, sizeof text, "line %u", i) : 0;
        EXPECT(h, focal_client_send(client, focal_span_of(text, (size_t)n), &err) == FOCAL_OK);
    }
    for (unsigned i = 0; i < 3000; i++) {
        int n = i % 7 ? snprintf(text, sizeof text, "line %u", i) : 0;
        EXPECT(h, focal_client_receive(client, &line, 0, &err) == FOCAL_OK);
        EXPECT(h, line.len == (size_t)n && (n == 0 || memcmp(line.data, text, line.len) == 0));
    }
    focal_client_close(client);
    return NULL;
}

static void test_lines_both_ways_and_who_sent_them(void **state)
{
    struct hall h;

    (void)state;
    hall_open(&h, NULL);
    h.echo = true;
    hall_run(&h, converse);
    assert_int_equal(h.opened, 1);
    assert_int_equal(h.closed, 1);
    assert_int_equal(h.lines, 3001);
    assert_int_equal(h.uid, geteuid());
    assert_int_equal(h.gid, getegid());
    assert_int_equal(h.pid, getpid());
    assert_int_equal(h.group_count, getgroups(0, NULL));
    hall_close(&h);
}

enum { MANY_GROUPS = 1000 };

/* This thread alone, by the bare call: the daemon's half keeps its own. */
static void *come_with_many_groups(void *data)
{
    struct hall *h = data;
    struct focal_client *client;
    struct focal_error err;
    struct focal_span line;
    gid_t groups[MANY_GROUPS];

    for (size_t i = 0; i < MANY_GROUPS; i++)
        groups[i] = (gid_t)(20000 + i);
    EXPECT(h, syscall(SYS_setgroups, MANY_GROUPS, groups) == 0);
    EXPECT(h, focal_client_open(&client, h->path, &err) == FOCAL_OK);
    EXPECT(h, focal_client_send(client, focal_span_text("x"), &err) == FOCAL_OK);
    EXPECT(h, focal_client_receive(client, &line, 5000, &err) == FOCAL_OK);
    focal_client_close(client);
    return NULL;
}

/* All groups of who connects, the last of a thousand as well. */
static void test_many_groups(void **state)
{
    struct hall h;

    (void)state;
    if (geteuid() != 0) {
        print_message("left out: only root can be in many groups\n");
        return;
    }
    hall_open(&h, NULL);
    h.echo = true;
    hall_run(&h, come_with_many_groups);
    assert_int_equal(h.group_count, MANY_GROUPS);
    assert_int_equal(h.group_sum, (uint64_t)20000 * MANY_GROUPS + (uint64_t)MANY_GROUPS * (MANY_GROUPS - 1) / 2);
    hall_close(&h);
}

static void *ask_and_end(void *data)
{
    struct hall *h = data;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char text[64];
    size_t have = 0;
    ssize_t n;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, h->path);
    EXPECT(h, connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
    EXPECT(h, send(fd, "one\n", 4, 0) == 4);
    EXPECT(h, shutdown(fd, SHUT_WR) == 0);
    while (h->close_on_end && (n = recv(fd, text + have, sizeof text - have, 0)) > 0)
        have += (size_t)n;
    EXPECT(h, !h->close_on_end || (have == 9 && memcmp(text, "one\nlate\n", 9) == 0));
    close(fd);
    return NULL;
}

static void test_who_only_stops_sending_is_answered(void **state)
{
    struct hall h;

    (void)state;
    hall_open(&h, NULL);
    h.echo = h.close_on_end = true;
    hall_run(&h, ask_and_end);
    assert_int_equal(h.ended, 1);
    assert_int_equal(h.closed, 1);
    hall_close(&h);
}

/* Nobody closes the connection here: that the client left, after it had stopped sending, is found out. */
static void test_who_stopped_sending_and_left_is_noticed(void **state)
{
    struct hall h;

    (void)state;
    hall_open(&h, NULL);
    hall_run(&h, ask_and_end);
    assert_int_equal(h.lines, 1);
    assert_int_equal(h.closed, 1);
    hall_close(&h);
}

static void *read_slowly(void *data)
{
    struct hall *h = data;
    struct focal_client *client;
    struct focal_error err;
    struct focal_span line;

    EXPECT(h, focal_client_open(&client, h->path, &err) == FOCAL_OK);
    for (uint64_t i = 0; i < h->to_send; i++) {
        char head[32];
        size_t n = (size_t)snprintf(head, sizeof head, "%llu ", (unsigned long long)i);
        EXPECT(h, focal_client_receive(client, &line, 10000, &err) == FOCAL_OK);
        EXPECT(h, line.len > 4000 && memcmp(line.data, head, n) == 0);
    }
    focal_client_close(client);
    return NULL;
}

static void test_a_slow_reader_holds_back_the_sender(void **state)
{
    struct hall h;

    (void)state;
    hall_open(&h, NULL);
    h.to_send = 4000;                   /* sixteen megabytes, over what may wait */
    hall_run(&h, read_slowly);
    assert_int_equal(h.send_number, 4000);
    assert_true(h.times_full >= 1);
    assert_true(h.ready >= h.times_full);
    hall_close(&h);
}

static void *say_and_listen(void *data)
{
    struct hall *h = data;
    struct focal_client *client;
    struct focal_error err;
    struct focal_span line;

    EXPECT(h, focal_client_open(&client, h->path, &err) == FOCAL_OK);
    EXPECT(h, focal_client_send(client, focal_span_text("last words"), &err) == FOCAL_OK);
    EXPECT(h, focal_client_receive(client, &line, 5000, &err) == FOCAL_OK);
    EXPECT(h, line.len == 10);
    EXPECT(h, focal_client_receive(client, &line, 5000, &err) == FOCAL_UNREACHABLE);
    focal_client_close(client);
    return NULL;
}

static void test_closing_lets_out_what_is_queued(void **state)
{
    struct hall h;

    (void)state;
    hall_open(&h, NULL);
    h.echo = true;
    h.close_on_line = true;
    hall_run(&h, say_and_listen);
    assert_int_equal(h.lines, 1);
    hall_close(&h);
}

enum { LINE_MAX_TEST = 10000 };

static void *send_lengthy(void *data)
{
    struct hall *h = data;
    struct focal_client *client;
    struct focal_error err;
    struct focal_span line;
    char text[LINE_MAX_TEST + 1];

    memset(text, 'x', sizeof text);
    EXPECT(h, focal_client_open(&client, h->path, &err) == FOCAL_OK);
    EXPECT(h, focal_client_send(client, focal_span_of(text, LINE_MAX_TEST), &err) == FOCAL_OK);
    enum focal_status status = focal_client_send(client, focal_span_of(text, LINE_MAX_TEST + 1), &err);
    EXPECT(h, status == FOCAL_OK || status == FOCAL_UNREACHABLE);       /* the newline may come too late */
    EXPECT(h, focal_client_receive(client, &line, 5000, &err) == FOCAL_OK);
    EXPECT(h, line.len > 2 && line.data[0] == '{' && line.data[line.len - 1] == '}');
    EXPECT(h, focal_client_receive(client, &line, 5000, &err) == FOCAL_UNREACHABLE);
    focal_client_close(client);
    return NULL;
}

static void test_a_line_over_the_limit_ends_the_connection(void **state)
{
    struct focal_io_limits limits = { .control_line_bytes_max = LINE_MAX_TEST };
    struct hall h;

    (void)state;
    hall_open(&h, &limits);
    hall_run(&h, send_lengthy);
    assert_int_equal(h.lines, 1);
    assert_int_equal(h.bytes, LINE_MAX_TEST);
    hall_close(&h);
}

static void *too_many(void *data)
{
    struct hall *h = data;
    struct focal_client *clients[3];
    struct focal_error err;
    struct focal_span line;

    for (unsigned i = 0; i < 3; i++) {
        EXPECT(h, focal_client_open(&clients[i], h->path, &err) == FOCAL_OK);
        /* Only when this one is in does the next one come. */
        if (i < 2) {
            EXPECT(h, focal_client_send(clients[i], focal_span_text("in"), &err) == FOCAL_OK);
            EXPECT(h, focal_client_receive(clients[i], &line, 5000, &err) == FOCAL_OK);
        }
    }
    EXPECT(h, focal_client_receive(clients[2], &line, 5000, &err) == FOCAL_UNREACHABLE);
    for (unsigned i = 0; i < 3; i++)
        focal_client_close(clients[i]);
    return NULL;
}

static void test_connections_are_bounded(void **state)
{
    struct focal_io_limits limits = { .control_conns_max = 2 };
    struct hall h;

    (void)state;
    hall_open(&h, &limits);
    h.echo = true;
    h.stop_when_closed = 2;
    hall_run(&h, too_many);
    assert_int_equal(h.opened, 2);
    hall_close(&h);
}

/* ---- the path --------------------------------------------------------------------------------------------------- */

static void test_paths_are_judged(void **state)
{
    struct hall h, other;
    struct focal_io_handlers none = { 0 };
    struct focal_error err;
    struct focal_client *client;
    struct stat st;
    char lengthy[200] = "/tmp/";

    (void)state;
    hall_open(&h, NULL);
    assert_int_equal(stat(h.path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0660);

    assert_int_equal(focal_io_open(&other.io, &none, NULL, NULL), FOCAL_OK);
    assert_int_equal(focal_io_control_listen(other.io, h.path, 0600, &err), FOCAL_BUSY);
    assert_non_null(strstr(err.message, h.path));

    memset(lengthy + 5, 'd', 103);
    lengthy[108] = 0;
    assert_int_equal(focal_io_control_listen(other.io, lengthy, 0600, &err), FOCAL_TOO_BIG);
    assert_non_null(strstr(err.message, "107"));
    assert_non_null(strstr(err.message, lengthy));
    assert_int_equal(focal_client_open(&client, lengthy, &err), FOCAL_TOO_BIG);
    lengthy[107] = 0;
    assert_int_equal(focal_client_open(&client, lengthy, &err), FOCAL_UNREACHABLE);
    assert_true(err.hint[0] != 0);
    assert_int_equal(focal_io_control_listen(other.io, lengthy, 0600, &err), FOCAL_OK);
    focal_io_close(other.io);

    char plain[128];
    snprintf(plain, sizeof plain, "%s/plain", h.dir);
    assert_int_equal(focal_file_write(plain, focal_span_text("precious"), 0600, false, &err), FOCAL_OK);
    assert_int_equal(focal_io_open(&other.io, &none, NULL, NULL), FOCAL_OK);
    assert_int_equal(focal_io_control_listen(other.io, plain, 0600, &err), FOCAL_EXISTS);
    assert_int_equal(stat(plain, &st), 0);
    assert_int_equal(st.st_size, 8);
    unlink(plain);

    /* A socket that a killed daemon left behind. */
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    memcpy(a.sun_path, plain, strlen(plain));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 1), 0);
    close(fd);
    assert_int_equal(focal_client_open(&client, plain, &err), FOCAL_UNREACHABLE);
    assert_int_equal(focal_io_control_listen(other.io, plain, 0600, &err), FOCAL_OK);
    assert_int_equal(stat(plain, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    focal_io_close(other.io);
    hall_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_both_ways_and_who_sent_them),
        cmocka_unit_test(test_many_groups),
        cmocka_unit_test(test_who_only_stops_sending_is_answered),
        cmocka_unit_test(test_who_stopped_sending_and_left_is_noticed),
        cmocka_unit_test(test_a_slow_reader_holds_back_the_sender),
        cmocka_unit_test(test_closing_lets_out_what_is_queued),
        cmocka_unit_test(test_a_line_over_the_limit_ends_the_connection),
        cmocka_unit_test(test_connections_are_bounded),
        cmocka_unit_test(test_paths_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
