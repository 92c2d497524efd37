/* Answers: written by the daemon, read by the client. */
#include "focal/control.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void begin(struct focal_buf *out, uint64_t id, const char *what)
{
    focal_buf_printf(out, "{\"id\":%llu,\"%s\":", (unsigned long long)id, what);
}

void focal_answer_item(struct focal_buf *out, uint64_t id, const struct json_t *item)
{
    begin(out, id, "item");
    focal_json_print(out, item);
    focal_buf_text(out, "}\n");
}

void focal_answer_progress(struct focal_buf *out, uint64_t id, uint64_t done, uint64_t of)
{
    begin(out, id, "progress");
    focal_buf_printf(out, "{\"done\":%llu,\"of\":%llu}}\n", (unsigned long long)done, (unsigned long long)of);
}

/* "not_found" */
static void put_word(char *out, size_t size, enum focal_status status)
{
    const char *name = focal_status_name(status);
    size_t i = 0;
    for (; name[i] && i + 1 < size; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    out[i] = 0;
}

static enum focal_status status_of_word(const char *word)
{
#define X(name, number, exit, text)                                                                                    \
    {                                                                                                                  \
        char lower[32];                                                                                                \
        put_word(lower, sizeof lower, FOCAL_##name);                                                                   \
        if (strcmp(lower, word) == 0)                                                                                  \
            return FOCAL_##name;                                                                                       \
    }
    FOCAL_STATUS_LIST(X)
#undef X
    return FOCAL_UNSUPPORTED;
}

void focal_answer_end(struct focal_buf *out, uint64_t id, enum focal_status status, const struct json_t *more)
{
    char word[32];
    put_word(word, sizeof word, status);
    json_t *end = json_object();
    json_object_set_new(end, "status", json_string(word));
    const char *key;
    json_t *value;
    void *at = json_object_iter((json_t *)(uintptr_t)more);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)more, at)) {
        key = json_object_iter_key(at);
        value = json_object_iter_value(at);
        json_object_set(end, key, value);
    }
    begin(out, id, "end");
    focal_json_print(out, end);
    focal_buf_text(out, "}\n");
    json_decref(end);
}

struct json_t *focal_error_json(const struct focal_error *e)
{
    char code[16];
    (void)snprintf(code, sizeof code, "FD-%03d", (int)e->status);
    json_t *out = json_object();
    json_object_set_new(out, "code", json_string(code));
    json_object_set_new(out, "exit", json_integer(focal_status_exit(e->status)));
    json_object_set_new(out, "message", focal_json_text(focal_span_text(e->message[0] ? e->message : focal_status_text(e->status))));
    json_object_set_new(out, "hint", focal_json_text(focal_span_text(e->hint)));
    return out;
}

void focal_answer_error(struct focal_buf *out, uint64_t id, const struct focal_error *e)
{
    json_t *body = focal_error_json(e);
    begin(out, id, "error");
    focal_json_print(out, body);
    focal_buf_text(out, "}\n");
    json_decref(body);
}

/* ---- reading ---- */

static void read_error(struct focal_answer *a, const json_t *body)
{
    const char *code = json_string_value(json_object_get(body, "code"));
    const char *message = json_string_value(json_object_get(body, "message"));
    const char *hint = json_string_value(json_object_get(body, "hint"));
    uint64_t number = 0;
    a->status = FOCAL_UNSUPPORTED;
    if (code && strncmp(code, "FD-", 3) == 0 && focal_parse_u64(focal_span_text(code + 3), &number)) {
#define X(name, n, exit, text) if (number == (n)) a->status = FOCAL_##name;
        FOCAL_STATUS_LIST(X)
#undef X
    }
    a->error.status = a->status;
    (void)snprintf(a->error.message, sizeof a->error.message, "%s", message ? message : "the daemon gave no reason");
    (void)snprintf(a->error.hint, sizeof a->error.hint, "%s", hint ? hint : "");
}

enum focal_status focal_answer_parse(struct focal_answer *a, struct focal_span line, struct focal_error *err)
{
    json_t *parsed = NULL, *body;
    memset(a, 0, sizeof *a);
    enum focal_status st = focal_json_parse(&parsed, line, err);
    if (st != FOCAL_OK)
        return st;
    a->id = (uint64_t)json_integer_value(json_object_get(parsed, "id"));
    a->type = FOCAL_ANSWER_OTHER;
    if ((body = json_object_get(parsed, "item"))) {
        a->type = FOCAL_ANSWER_ITEM;
        a->body = json_incref(body);
    } else if ((body = json_object_get(parsed, "progress"))) {
        a->type = FOCAL_ANSWER_PROGRESS;
        a->body = json_incref(body);
    } else if ((body = json_object_get(parsed, "end"))) {
        const char *word = json_string_value(json_object_get(body, "status"));
        a->type = FOCAL_ANSWER_END;
        a->body = json_incref(body);
        a->status = status_of_word(word ? word : "");
    } else if ((body = json_object_get(parsed, "error"))) {
        a->type = FOCAL_ANSWER_ERROR;
        read_error(a, body);
    }
    json_decref(parsed);
    return FOCAL_OK;
}

void focal_answer_close(struct focal_answer *a)
{
    json_decref(a->body);
    a->body = NULL;
}
