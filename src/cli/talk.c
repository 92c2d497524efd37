/* The connection to the daemon. */
#include "cli.h"

#include "focal/io.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLICE_MS = 200, GREETING_MS = 10000, IDLE_MS = 120000, LINE_BYTES_MAX = 4 << 20 };

static bool interrupted(const struct talk *t)
{
    sigset_t set;
    struct timespec none = { 0 };
    if (!t->stop_on_signal)
        return false;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return sigtimedwait(&set, NULL, &none) > 0;
}

/* Where it listens, told in the order in which people can say so. */
static void socket_path(const struct args *args, struct focal_buf *path)
{
    const char *typed = args_value(args, OPTION_SOCKET), *dir = args_value(args, OPTION_DIR), *env = getenv("FOCAL_SOCKET");
    if (typed)
        focal_buf_text(path, typed);
    else if (dir)
        focal_buf_printf(path, "%s/control.sock", dir);
    else
        focal_buf_text(path, env && *env ? env : "/run/focal/control.sock");
}

static enum focal_status nobody(const char *path, struct focal_error *err)
{
    const char *slash = strrchr(path, '/');
    char hint[240];
    if (slash && strcmp(slash, "/control.sock") == 0 && strncmp(path, "/run/", 5) != 0)
        (void)snprintf(hint, sizeof hint, "start it with: focald run --dir %.*s", (int)(slash > path ? slash - path : 1), path);
    else
        (void)snprintf(hint, sizeof hint,
                       "start it with: systemctl start focald, or: focald run --dir DIR; say where it is with --dir DIR or --socket PATH");
    return focal_fail(err, FOCAL_UNREACHABLE, hint, "no daemon listens on %s", path);
}

/* One line, in short waits, so that Ctrl-C is heard where it must be. */
static enum focal_status hear_line(struct talk *t, struct focal_span *line, uint64_t within_ms, struct focal_error *err)
{
    for (uint64_t waited = 0;;) {
        if (interrupted(t))
            return focal_fail(err, FOCAL_CANCELLED, "", "interrupted");
        enum focal_status st = focal_client_receive(t->client, line, SLICE_MS, err);
        if (st == FOCAL_UNREACHABLE)
            return focal_fail(err, st, "look at its log; what it acknowledged is kept", "the daemon closed the connection");
        if (st != FOCAL_TIMEOUT)
            return st;
        waited += SLICE_MS;
        if (within_ms && waited >= within_ms)
            return focal_fail(err, FOCAL_TIMEOUT, "try again; the work may go on in the daemon", "the daemon said nothing for %llu s",
                              (unsigned long long)(within_ms / 1000));
    }
}

static enum focal_status greet(struct talk *t, struct focal_error *err)
{
    struct focal_span line;
    struct focal_buf hello;
    enum focal_status st = hear_line(t, &line, GREETING_MS, err);
    if (st == FOCAL_OK)
        st = focal_control_hello_check(line, err);
    focal_buf_init(&hello, 4096);
    focal_control_hello(&hello);
    if (st == FOCAL_OK && hello.failed)
        st = focal_fail(err, FOCAL_NO_MEMORY, "", "no memory");
    if (st == FOCAL_OK)                 /* the connection adds the newline itself */
        st = focal_client_send(t->client, focal_span_of(hello.data, hello.len - 1), err);
    focal_buf_close(&hello);
    return st;
}

enum focal_status talk_open(struct talk *t, const struct args *args, struct focal_error *err)
{
    struct focal_buf path;
    memset(t, 0, sizeof *t);
    t->args = args;
    t->next_id = 1;
    t->idle_ms = IDLE_MS;
    focal_buf_init(&path, 4096);
    socket_path(args, &path);
    enum focal_status st = focal_client_open(&t->client, focal_buf_cstr(&path), err);
    if (st == FOCAL_UNREACHABLE || st == FOCAL_NOT_FOUND)
        st = nobody(focal_buf_cstr(&path), err);
    focal_buf_close(&path);
    return st == FOCAL_OK ? greet(t, err) : st;
}

void talk_close(struct talk *t)
{
    if (t->progress_shown)
        say_progress_end(t->args);
    focal_client_close(t->client);
    t->client = NULL;
}

enum focal_status talk_ask(struct talk *t, const char *request, json_t *with, struct focal_error *err)
{
    struct focal_buf line;
    enum focal_status st;
    focal_buf_init(&line, LINE_BYTES_MAX);
    focal_request_print(&line, t->next_id++, request, with);
    json_decref(with);
    if (line.failed || line.len > FOCAL_CONTROL_LINE_MAX)
        st = focal_fail(err, FOCAL_TOO_BIG, "make it in several steps",
                        "the request is longer than the daemon takes (%u bytes)", FOCAL_CONTROL_LINE_MAX);
    else
        st = focal_client_send(t->client, focal_span_of(line.data, line.len - 1), err);
    focal_buf_wipe_close(&line);
    return st;
}

static enum focal_status ended_with(const struct focal_answer *a, json_t **end, struct focal_error *err)
{
    const char *message = text_of(a->body, "message"), *hint = text_of(a->body, "hint");
    if (end)
        *end = json_incref(a->body);
    if (a->status == FOCAL_OK)
        return FOCAL_OK;
    return focal_fail(err, a->status, hint, "%s", *message ? message : focal_status_text(a->status));
}

static enum focal_status told(struct talk *t, struct focal_answer *a, talk_item *call, void *data, struct focal_error *err)
{
    if (a->type == FOCAL_ANSWER_ITEM && call)
        return call(data, a->body, err);
    if (a->type == FOCAL_ANSWER_PROGRESS) {
        say_progress(t->args, "", (uint64_t)json_integer_value(json_object_get(a->body, "done")),
                     (uint64_t)json_integer_value(json_object_get(a->body, "of")));
        t->progress_shown = true;
    }
    return FOCAL_OK;
}

enum focal_status talk_hear(struct talk *t, talk_item *call, void *data, json_t **end, struct focal_error *err)
{
    enum focal_status st = FOCAL_OK;
    bool ended = false;
    if (end)
        *end = NULL;
    while (st == FOCAL_OK && !ended) {
        struct focal_answer answer;
        struct focal_span line;
        st = hear_line(t, &line, t->idle_ms, err);
        if (st == FOCAL_OK)
            st = focal_answer_parse(&answer, line, err);
        if (st != FOCAL_OK)
            break;
        ended = answer.type == FOCAL_ANSWER_END || answer.type == FOCAL_ANSWER_ERROR;
        if (answer.type == FOCAL_ANSWER_ERROR) {
            *err = answer.error;
            st = answer.status;
        } else if (answer.type == FOCAL_ANSWER_END) {
            st = ended_with(&answer, end, err);
        } else {
            st = told(t, &answer, call, data, err);
        }
        focal_answer_close(&answer);
    }
    if (t->progress_shown) {
        say_progress_end(t->args);
        t->progress_shown = false;
    }
    return st;
}

static enum focal_status keep(void *data, const json_t *item, struct focal_error *err)
{
    json_t **kept = data;
    (void)err;
    if (!*kept)
        *kept = json_incref((json_t *)(uintptr_t)item);
    return FOCAL_OK;
}

enum focal_status talk_one(struct talk *t, const char *request, json_t *with, json_t **item, json_t **end, struct focal_error *err)
{
    *item = NULL;
    enum focal_status st = talk_ask(t, request, with, err);
    return st == FOCAL_OK ? talk_hear(t, keep, item, end, err) : st;
}
