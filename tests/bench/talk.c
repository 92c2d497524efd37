/* Talk with a daemon over its control socket, as any client does. */
#include "bench.h"

#include "focal/control.h"

#include <string.h>

enum { SLICE_MS = 200, LINE_BYTES_MAX = 4 << 20, LOOK_MS = 5 };

/* One line, in short waits, so that Ctrl-C is heard. */
static enum focal_status hear(struct bench *b, struct node *node, struct focal_span *line, struct focal_error *err)
{
    double until = seconds() + ANSWER_MS / 1000.0;
    enum focal_status status;

    do {
        status = focal_client_receive(node->client, line, SLICE_MS, err);
    } while (status == FOCAL_TIMEOUT && seconds() < until && !interrupted(b));
    if (b->signal)
        return focal_fail(err, FOCAL_CANCELLED, "", "interrupted");
    if (status == FOCAL_TIMEOUT)
        return focal_fail(err, status, "", "%s gave no answer within %d s", node->code, ANSWER_MS / 1000);
    if (status == FOCAL_UNREACHABLE)
        return focal_fail(err, status, "run it again with --keep and look at the logs", "the daemon of %s closed its control socket", node->code);
    return status;
}

enum focal_status talk_open(struct bench *b, struct node *node, struct focal_error *err)
{
    double until = seconds() + ANSWER_MS / 1000.0;
    struct focal_span line;
    struct focal_buf hello;
    enum focal_status status;

    while ((status = focal_client_open(&node->client, node->socket, err)) == FOCAL_UNREACHABLE) {
        if (!child_alive(node))
            return focal_fail(err, FOCAL_UNREACHABLE, "run it again with --keep and look at the logs", "the daemon of %s ended at once", node->code);
        status = wait_ms(b, LOOK_MS, until, "a daemon to answer", err);
        if (status)
            return status;
    }
    if (status == FOCAL_OK)
        status = hear(b, node, &line, err);
    if (status == FOCAL_OK)
        status = focal_control_hello_check(line, err);
    focal_buf_init(&hello, LINE_BYTES_MAX);
    focal_control_hello(&hello);
    if (status == FOCAL_OK && hello.failed)
        status = FOCAL_NO_MEMORY;
    if (status == FOCAL_OK)             /* the client adds the newline itself */
        status = focal_client_send(node->client, focal_span_of(hello.data, hello.len - 1), err);
    focal_buf_close(&hello);
    return status;
}

void talk_close(struct node *node)
{
    focal_client_close(node->client);
    node->client = NULL;
}

enum focal_status talk_ask(struct bench *b, struct node *node, const char *verb, json_t *with, struct focal_error *err)
{
    struct focal_buf line;
    enum focal_status status;

    focal_buf_init(&line, LINE_BYTES_MAX);
    focal_request_print(&line, ++node->last_id, verb, with);
    json_decref(with);
    if (interrupted(b))
        status = focal_fail(err, FOCAL_CANCELLED, "", "interrupted");
    else if (line.failed)
        status = focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the request %s", verb);
    else
        status = focal_client_send(node->client, focal_span_of(line.data, line.len - 1), err);
    focal_buf_close(&line);
    return status;
}

enum focal_status talk_hear(struct bench *b, struct node *node, json_t **items, json_t **end, struct focal_error *err)
{
    enum focal_status status = FOCAL_OK;
    bool ended = false;

    if (items)
        *items = json_array();
    if (end)
        *end = NULL;
    while (status == FOCAL_OK && !ended) {
        struct focal_answer answer;
        struct focal_span line;
        status = hear(b, node, &line, err);
        if (status == FOCAL_OK)
            status = focal_answer_parse(&answer, line, err);
        if (status)
            break;
        if (answer.type == FOCAL_ANSWER_ITEM && items)
            json_array_append(*items, answer.body);
        if (answer.type == FOCAL_ANSWER_END || answer.type == FOCAL_ANSWER_ERROR) {
            ended = true;
            status = answer.status;
            if (end && answer.type == FOCAL_ANSWER_END)
                *end = json_incref(answer.body);
            if (status)
                (void)focal_fail(err, status, answer.error.hint, "%s: %s", node->code,
                                 answer.error.message[0] ? answer.error.message : focal_status_text(status));
        }
        focal_answer_close(&answer);
    }
    if (status && items) {
        json_decref(*items);
        *items = NULL;
    }
    return status;
}

enum focal_status talk(struct bench *b, struct node *node, const char *verb, json_t *with, json_t **items, json_t **end, struct focal_error *err)
{
    enum focal_status status = talk_ask(b, node, verb, with, err);

    if (items)
        *items = NULL;
    if (end)
        *end = NULL;
    return status ? status : talk_hear(b, node, items, end, err);
}

enum focal_status talk_one(struct bench *b, struct node *node, const char *verb, json_t *with, json_t **item, struct focal_error *err)
{
    json_t *items = NULL;
    enum focal_status status = talk(b, node, verb, with, &items, NULL, err);

    *item = NULL;
    if (status == FOCAL_OK && json_array_size(items) != 1)
        status = focal_fail(err, FOCAL_UNSUPPORTED, "", "%s answered %s with %zu items, not one", node->code, verb, json_array_size(items));
    if (status == FOCAL_OK)
        *item = json_incref(json_array_get(items, 0));
    json_decref(items);
    return status;
}
