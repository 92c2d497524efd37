/* Headquarters and one office as real daemons on loopback, joined as in life, with the counting proxy between them. The
 * office listens nowhere, so everything they say to one another passes there. */
#include "bench.h"

#include <string.h>

enum { LOOK_MS = 8, LIST_PAGE = 1000 };

static const char passphrase[] = "nothing here happened to anyone\n";

static enum focal_status write_text(struct bench *b, char path[PATH_BYTES], const char *name, const char *text, struct focal_error *err)
{
    enum focal_status status = place_path(path, err, "%s/%s", b->dir, name);

    return status ? status : focal_file_write(path, focal_span_text(text), 0600, false, err);
}

static enum focal_status name_node(struct bench *b, struct node *n, const char *code, const char *country, struct focal_error *err)
{
    (void)snprintf(n->code, sizeof n->code, "%s", code);
    (void)snprintf(n->country, sizeof n->country, "%s", country);
    enum focal_status status = place_path(n->dir, err, "%s/%s", b->dir, code);
    if (status == FOCAL_OK)
        status = place_path(n->log, err, "%s/%s.log", b->dir, code);
    return status ? status : place_path(n->socket, err, "%s/control.sock", n->dir);
}

static enum focal_status start(struct bench *b, struct node *n, struct focal_error *err)
{
    enum focal_status status = child_start(b, n, err);

    return status ? status : talk_open(b, n, err);
}

static enum focal_status headquarters(struct bench *b, struct focal_error *err)
{
    char listen[32], advertise[32];
    unsigned port;
    json_t *out = NULL;
    enum focal_status status = child_free_port(&port, err);

    if (status == FOCAL_OK)
        status = proxy_open(&b->proxy, &b->proxy_port, port, err);
    if (status == FOCAL_OK)
        status = write_text(b, b->secret, "passphrase", passphrase, err);
    (void)snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    (void)snprintf(advertise, sizeof advertise, "127.0.0.1:%u", b->proxy_port);
    const char *argv[] = { b->focald, "setup", "--role", "hq", "--network", "Focal bench", "--office", b->hq.code,
                           "--country", b->office.country, "--dir", b->hq.dir, "--listen", listen, "--advertise", advertise, "--passphrase-file", b->secret, "--no-input", "--json", NULL };
    if (status == FOCAL_OK)
        status = child_json(b, argv, &out, err);
    json_decref(out);
    return status ? status : start(b, &b->hq, err);
}

/* Sets the office up with an invitation; words: where the eight words stand. */
static enum focal_status invited(struct bench *b, char words[PATH_BYTES], struct focal_error *err)
{
    const char *invite[] = { b->focalctl, "--socket", b->hq.socket, "office", "invite", b->office.code, "--country", b->office.country,
                             "--no-input", "--json", NULL };
    char token[PATH_BYTES], text[200] = "";
    json_t *out = NULL, *joined = NULL;
    enum focal_status status = child_json(b, invite, &out, err);
    const char *given = status ? NULL : json_string_value(json_object_get(out, "token"));

    if (status == FOCAL_OK)
        status = given ? write_text(b, token, "invitation", given, err) : focal_fail(err, FOCAL_UNSUPPORTED, "", "office invite gave no token");
    const char *setup[] = { b->focald, "setup", "--join-file", token, "--dir", b->office.dir, "--listen", "none", "--no-input", "--json", NULL };
    if (status == FOCAL_OK)
        status = child_json(b, setup, &joined, err);
    const json_t *list = json_object_get(joined, "words");
    if (status == FOCAL_OK && json_array_size(list) != 8)
        status = focal_fail(err, FOCAL_UNSUPPORTED, "", "setup gave no eight words");
    for (size_t i = 0, at = 0; status == FOCAL_OK && i < 8 && at < sizeof text; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? " " : "", json_string_value(json_array_get(list, i)));
    if (status == FOCAL_OK)
        status = write_text(b, words, "words", text, err);
    json_decref(out);
    json_decref(joined);
    return status;
}

static enum focal_status admit(struct bench *b, const char *words, struct focal_error *err)
{
    const char *admit[] = { b->focalctl, "--socket", b->hq.socket, "office", "admit", b->office.code, "--words-file", words,
                            "--passphrase-file", b->secret, "--no-input", "--json", NULL };
    double until = seconds() + ANSWER_MS / 1000.0;
    enum focal_status status = FOCAL_OK;
    bool waits = false;
    json_t *out = NULL;

    while (status == FOCAL_OK && !waits) {
        json_t *rows = NULL;
        status = talk(b, &b->hq, "office.list", NULL, &rows, NULL, err);
        for (size_t i = 0; status == FOCAL_OK && i < json_array_size(rows); i++) {
            const char *state = json_string_value(json_object_get(json_array_get(rows, i), "state"));
            waits = waits || (state && strcmp(state, "waiting") == 0);
        }
        json_decref(rows);
        if (status == FOCAL_OK && !waits)
            status = wait_ms(b, LOOK_MS, until, "the office to ask for admission", err);
    }
    if (status == FOCAL_OK)
        status = child_json(b, admit, &out, err);
    json_decref(out);
    return status;
}

enum focal_status network_open(struct bench *b, struct focal_error *err)
{
    char words[PATH_BYTES];

    progress(b, "a headquarters and an office join");
    enum focal_status status = name_node(b, &b->hq, "HQ", "", err);
    if (status == FOCAL_OK)
        status = name_node(b, &b->office, "KEN", "KEN", err);
    if (status == FOCAL_OK)
        status = headquarters(b, err);
    if (status == FOCAL_OK)
        status = invited(b, words, err);
    if (status == FOCAL_OK)
        status = start(b, &b->office, err);
    if (status == FOCAL_OK)
        status = admit(b, words, err);
    return status ? status : network_settle(b, err);
}

enum focal_status network_restart(struct bench *b, bool killed, double took_s[2], struct focal_error *err)
{
    enum focal_status status = FOCAL_OK;

    (killed ? child_kill : child_end)(&b->office);
    (killed ? child_kill : child_end)(&b->hq);
    for (int i = 0; status == FOCAL_OK && i < 2; i++) {
        double began = seconds();
        status = start(b, i ? &b->office : &b->hq, err);
        took_s[i] = seconds() - began;
    }
    return status;
}

enum focal_status network_pause(struct bench *b, bool on, struct focal_error *err)
{
    return talk(b, &b->office, on ? "office.pause" : "office.resume", json_pack("{s:s}", "office", b->hq.code), NULL, NULL, err);
}

/* What a daemon says of itself; its longest turn is remembered. */
static enum focal_status status_of(struct bench *b, struct node *n, json_t **item, struct focal_error *err)
{
    enum focal_status status = talk_one(b, n, "status", NULL, item, err);
    const json_t *stall = status ? NULL : json_object_get(*item, "stall_ms");

    if (json_is_number(stall) && json_number_value(stall) > b->stall_ms)
        b->stall_ms = json_number_value(stall);
    return status;
}

/* Is the link up, and what does the other lack, as far as this one knows? */
static enum focal_status lacks(struct bench *b, struct node *n, const struct node *other, bool *up, json_int_t *lacks, struct focal_error *err)
{
    json_t *item = NULL;
    enum focal_status status = status_of(b, n, &item, err);
    const json_t *rows = status ? NULL : json_object_get(item, "offices");

    *up = false;
    *lacks = -1;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i), *they = json_object_get(row, "they_lack");
        const char *code = json_string_value(json_object_get(row, "code")), *link = json_string_value(json_object_get(row, "link"));
        if (!code || strcmp(code, other->code) != 0)
            continue;
        *up = link && strcmp(link, "up") == 0;
        *lacks = json_is_integer(they) ? json_integer_value(they) : -1;
    }
    json_decref(item);
    return status;
}

enum focal_status network_settle(struct bench *b, struct focal_error *err)
{
    double until = seconds() + SETTLE_MS / 1000.0;
    enum focal_status status;

    for (;;) {
        bool up[2] = { false, false };
        json_int_t lack[2] = { -1, -1 };
        status = lacks(b, &b->office, &b->hq, &up[0], &lack[0], err);
        if (status == FOCAL_OK && up[0] && lack[0] == 0)
            status = lacks(b, &b->hq, &b->office, &up[1], &lack[1], err);
        if (status || (up[1] && lack[1] == 0))
            return status;
        if (lack[0] > 0)
            progress(b, "%s: headquarters lacks %lld entries", scene_name(b->scene), (long long)lack[0]);
        status = wait_ms(b, LOOK_MS, until, "the daemons to agree", err);
        if (status)
            return status;
    }
}

enum focal_status network_verify(struct bench *b, uint64_t *entries, struct focal_error *err)
{
    json_t *items[2] = { NULL, NULL };
    enum focal_status status = FOCAL_OK;

    progress(b, "%s: both daemons check everything they hold", scene_name(b->scene));
    for (int i = 0; status == FOCAL_OK && i < 2; i++)
        status = talk_ask(b, i ? &b->office : &b->hq, "verify", NULL, err);
    for (int i = 0; status == FOCAL_OK && i < 2; i++) {
        struct node *n = i ? &b->office : &b->hq;
        json_t *list = NULL;
        status = talk_hear(b, n, &list, NULL, err);
        if (status == FOCAL_OK) {
            items[i] = json_incref(json_array_get(list, 0));
            (void)claim(b, json_array_size(json_object_get(items[i], "errors")) == 0, "verify finds errors at %s", n->code);
        }
        json_decref(list);
    }
    if (status == FOCAL_OK) {
        const json_t *mine = json_object_get(items[1], "digests");
        (void)claim(b, json_object_size(mine) && json_equal(json_object_get(items[0], "digests"), mine), "the digests of both differ");
        *entries = (uint64_t)json_integer_value(json_object_get(items[1], "entries"));
    }
    json_decref(items[0]);
    json_decref(items[1]);
    return status;
}

enum focal_status network_ids(struct bench *b, struct node *n, size_t count, json_t **rows, struct focal_error *err)
{
    enum focal_status status = FOCAL_OK;

    *rows = json_array();
    while (status == FOCAL_OK && json_array_size(*rows) < count) {
        size_t have = json_array_size(*rows);
        json_t *more = NULL, *with = json_pack("{s:i}", "limit", LIST_PAGE);
        if (have)
            json_object_set(with, "after", json_object_get(json_array_get(*rows, have - 1), "record"));
        status = talk(b, n, "case.list", with, &more, NULL, err);
        if (status == FOCAL_OK && json_array_size(more) == 0)
            status = focal_fail(err, FOCAL_NOT_FOUND, "", "%s lists only %zu cases", n->code, have);
        if (status == FOCAL_OK)
            json_array_extend(*rows, more);
        json_decref(more);
    }
    return status;
}

/* ---- what something took ---- */

void usage_look(struct bench *b, struct usage *u)
{
    struct passed passed;

    proxy_look(b->proxy, &passed);
    u->cpu_s[0] = child_cpu_s(&b->hq);
    u->cpu_s[1] = child_cpu_s(&b->office);
    memcpy(u->bytes, passed.bytes, sizeof u->bytes);
    u->at_s = seconds();
}

enum focal_status usage_note(struct bench *b, const struct usage *since, double *took_s, uint64_t *bytes, struct focal_error *err)
{
    static const char *const stall_names[2] = { "hq_longest_turn_so_far", "office_longest_turn_so_far" };
    struct usage u;
    enum focal_status status = FOCAL_OK;

    usage_look(b, &u);
    *took_s = u.at_s - since->at_s;
    *bytes = u.bytes[0] - since->bytes[0] + u.bytes[1] - since->bytes[1];
    note(b, "took", *took_s, "s");
    note(b, "hq_cpu", u.cpu_s[0] - since->cpu_s[0], "s");
    note(b, "office_cpu", u.cpu_s[1] - since->cpu_s[1], "s");
    note(b, "hq_peak", child_rss_mib(&b->hq, true), "MiB");
    note(b, "office_peak", child_rss_mib(&b->office, true), "MiB");
    note(b, "wire_to_hq", (double)(u.bytes[0] - since->bytes[0]), "bytes");
    note(b, "wire_to_office", (double)(u.bytes[1] - since->bytes[1]), "bytes");
    for (int i = 0; status == FOCAL_OK && i < 2; i++) {
        json_t *item = NULL;
        status = status_of(b, i ? &b->office : &b->hq, &item, err);
        if (status == FOCAL_OK)
            note(b, stall_names[i], json_number_value(json_object_get(item, "stall_ms")), "ms");
        json_decref(item);
    }
    return status;
}
