/* What the authority signed of an office, as a file for who cannot connect; and such a file taken in. */
#include "job.h"

#include <string.h>

enum { STATEMENTS_MAX = 256, BYTES_MAX = 256 << 10 };

/* ---- membership.export ---- */

/* Of the office itself, and whose word counts: who may renew, because a day that was given by a key counts only while that is
 * known to stand; and a new authority, without which nothing counts that it signed. */
static bool goes_along(const struct focal_statement *s, const struct focal_office *office)
{
    const bool for_all = s->kind == FOCAL_STATEMENT_DELEGATION || s->kind == FOCAL_STATEMENT_POLICY || s->kind == FOCAL_STATEMENT_AUTHORITY;
    return s->kind != FOCAL_STATEMENT_GENESIS && (for_all || focal_span_equal(s->subject, focal_span_text(office->text)));
}

static size_t put_statements(struct focal_oplog *ol, const struct focal_office *office, bool leading, json_t *list)
{
    struct focal_subject subject;
    size_t bytes = 0;
    for (size_t i = 0; focal_oplog_subject(ol, i, &subject); i++) {
        struct focal_span one;
        if (focal_oplog_subject_leads(ol, subject.subject) != leading)
            continue;
        for (size_t n = 0; focal_oplog_subject_statement(ol, subject.subject, n, &one); n++) {
            struct focal_statement s;
            if (focal_statement_decode(&s, one) != FOCAL_OK || !goes_along(&s, office))
                continue;
            bytes += one.len;
            json_array_append_new(list, body_json(one));
        }
    }
    return bytes;
}

/* A new authority first: what it signed counts only then. */
static enum focal_status statements_json(struct focal_oplog *ol, const struct focal_office *office, json_t *list, struct focal_error *err)
{
    const size_t bytes = put_statements(ol, office, true, list) + put_statements(ol, office, false, list);
    if (json_array_size(list) > STATEMENTS_MAX || bytes > BYTES_MAX)
        return focal_fail(err, FOCAL_TOO_BIG, "bring the link up for a moment", "the authority signed more of %s than a file may hold", office->text);
    return FOCAL_OK;
}

enum job_state run_membership_export(struct job *j)
{
    struct focal_error err;
    struct focal_office office;
    const char *text = job_text(j, "office");
    if (!text)
        return job_failf(j, FOCAL_USAGE, "name it by its code", "which office?");
    json_t *list = json_array();
    enum focal_status st = office_find(job_oplog(j), text, &office, &err);
    if (st == FOCAL_OK)
        st = statements_json(job_oplog(j), &office, list, &err);
    if (st != FOCAL_OK) {
        json_decref(list);
        return job_fail(j, &err);
    }
    json_t *out = json_object();
    json_object_set_new(out, "what", json_string("focal membership 1"));
    json_object_set_new(out, "office", text_json(office.text));
    json_object_set_new(out, "network", hex_json(focal_oplog_network(job_oplog(j))->b, 32));
    json_object_set_new(out, "label", text_json(focal_oplog_genesis(job_oplog(j))->label));
    json_object_set_new(out, "day", day_json(job_today(j)));
    json_object_set_new(out, "statements", list);
    return job_one(j, out);
}

/* ---- membership.import ---- */

struct taking {
    struct focal_office office;
    struct focal_buf bytes[STATEMENTS_MAX];
    enum focal_status answers[STATEMENTS_MAX];
    size_t count;
    bool succession;                    /* whose word counts is in it, and changes what else of it does */
    bool news; size_t news_at;          /* something in it is not held, and says more than what is */
};

static void taking_free(void *own)
{
    struct taking *t = own;
    for (size_t i = 0; i < t->count; i++)
        focal_buf_close(&t->bytes[i]);
}

static bool is_held(struct focal_oplog *ol, struct focal_span statement)
{
    struct focal_subject subject;
    for (size_t i = 0; focal_oplog_subject(ol, i, &subject); i++) {
        struct focal_span one;
        for (size_t n = 0; focal_oplog_subject_statement(ol, subject.subject, n, &one); n++)
            if (focal_span_equal(one, statement))
                return true;
    }
    return false;
}

/* An older file may hold a renewal that a later one has made idle: that is no news. */
static bool is_news(struct focal_oplog *ol, const struct focal_statement *s, struct focal_span bytes)
{
    const bool certificate = s->kind == FOCAL_STATEMENT_CERTIFICATE, renewal = s->kind == FOCAL_STATEMENT_RENEWAL;
    const struct focal_certificate *c = certificate ? focal_oplog_certificate(ol, &s->is.certificate.office) : renewal ? focal_oplog_certificate(ol, &s->is.renewal.office) : NULL;
    if (is_held(ol, bytes) || (c && certificate && s->is.certificate.number < c->number))
        return false;
    return !(c && renewal && s->is.renewal.to_day <= c->to_day && s->is.renewal.openings_max <= c->openings_max);
}

static enum focal_status take_one(struct job *j, struct taking *t, const json_t *hex, struct focal_error *err)
{
    static const char again[] = "make it again with `focalctl membership export CODE -o FILE` at headquarters; nothing was changed";
    struct focal_oplog *ol = job_oplog(j);
    struct focal_statement s;
    const char *text = json_string_value(hex);
    const size_t len = text ? strlen(text) / 2 : 0;
    struct focal_buf *to = &t->bytes[t->count++];
    focal_buf_init(to, FOCAL_STATEMENT_MAX);
    uint8_t *room = len > 0 && len <= FOCAL_STATEMENT_MAX ? focal_buf_reserve(to, len) : NULL;
    if (!room || !focal_unhex(room, len, focal_span_text(text)) || focal_statement_decode(&s, focal_buf_view(to)) != FOCAL_OK || s.kind == FOCAL_STATEMENT_GENESIS)
        return focal_fail(err, FOCAL_MALFORMED, again, "statement %zu of the file is damaged", t->count);
    const enum focal_status weight = focal_oplog_weigh(ol, focal_buf_view(to));
    t->succession = t->succession || (s.kind == FOCAL_STATEMENT_AUTHORITY && weight == FOCAL_OK);
    if (weight == FOCAL_NEVER || (weight == FOCAL_NOT_YET && !t->succession))
        return focal_fail(err, FOCAL_DENIED, again, "statement %zu of the file was not signed by the authority of this network", t->count);
    if (is_news(ol, &s, focal_buf_view(to))) {
        t->news = true;
        t->news_at = t->count - 1;
    }
    return FOCAL_OK;
}

static enum focal_status take_file(struct job *j, struct taking *t, struct focal_error *err)
{
    const json_t *file = json_object_get(j->with, "file"), *list = json_object_get(file, "statements");
    const char *what = json_string_value(json_object_get(file, "what")), *network = json_string_value(json_object_get(file, "network"));
    const char *office = json_string_value(json_object_get(file, "office")), *label = json_string_value(json_object_get(file, "label"));
    char ours[65], day[16];
    focal_hex(ours, focal_oplog_network(job_oplog(j))->b, 32);
    if (!what || strcmp(what, "focal membership 1") != 0 || !network || !json_is_array(list) || json_array_size(list) == 0
        || json_array_size(list) > STATEMENTS_MAX || !office || !focal_office_parse(&t->office, focal_span_text(office)))
        return focal_fail(err, FOCAL_MALFORMED, "make one with `focalctl membership export CODE -o FILE` at headquarters", "that is no file of a membership");
    if (strcmp(network, ours) != 0)
        return focal_fail(err, FOCAL_REFUSED, "ask the headquarters of this office's own network for a file; nothing was changed", "the file is of another network%s%.60s",
                          label ? ": " : "", label ? label : "");
    for (size_t i = 0; i < json_array_size(list); i++) {
        enum focal_status st = take_one(j, t, json_array_get(list, i), err);
        if (st != FOCAL_OK)
            return st;
    }
    const struct focal_certificate *c = focal_oplog_certificate(job_oplog(j), &t->office);
    day_print(day, c ? c->to_day : 0);
    if (!t->news)
        return focal_fail(err, FOCAL_EXISTS, "ask headquarters for a newer file, if that day has passed; nothing was changed",
                          "the file says nothing new: the membership of %s to %s is known here", t->office.text, day);
    return FOCAL_OK;
}

/* What is news comes last, and the history's note behind it. */
static void put_up(struct job *j, struct taking *t, size_t i)
{
    const bool last = i == t->count;
    if (!last && i == t->news_at)
        return;
    const size_t at = last ? t->news_at : i;
    struct focal_node_event e = { .type = FOCAL_EVENT_STATEMENT, .answer = &t->answers[at], .is.statement = focal_buf_view(&t->bytes[at]) };
    if (last)
        (void)job_event(j, &e);
    else
        j->admin->events[j->admin->event_count++] = e;
}

enum job_state run_membership_import(struct job *j)
{
    struct focal_error err;
    struct taking *t = j->own;
    if (j->stage == 0) {
        t = job_own(j, sizeof *t, taking_free);
        if (!t)
            return job_fail(j, NULL);
        if (take_file(j, t, &err) != FOCAL_OK)
            return job_fail(j, &err);
        j->stage = 1;
    }
    if (j->stage == 1) {                /* all of it in one step, or nothing */
        if (!job_events_left(j, t->count))
            return JOB_AGAIN;
        for (size_t i = 0; i < t->count; i++)
            put_up(j, t, i);
        put_up(j, t, t->count);
        j->stage = 2;
        return JOB_STEP;
    }
    size_t taken = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (t->answers[i] != FOCAL_OK && t->answers[i] != FOCAL_EXISTS && !(t->answers[i] == FOCAL_NOT_YET && t->succession))
            return job_failf(j, t->answers[i], "look at the daemon's log", "statement %zu of the file was not taken", i + 1);
        taken += t->answers[i] == FOCAL_OK;
    }
    const struct focal_certificate *c = focal_oplog_certificate(job_oplog(j), &t->office);
    json_t *out = json_object();
    json_object_set_new(out, "office", text_json(t->office.text));
    json_object_set_new(out, "taken", json_integer((json_int_t)taken));
    json_object_set_new(out, "membership_to", c ? day_json(c->to_day) : json_null());
    return job_one(j, out);
}
