/* A new authority for the network: what would stay good is told, the client signs with the recovery key, all of it is taken in at once. */
#include "job.h"

#include <string.h>

enum { STATEMENTS_MAX = 64 };

void put_authority(json_t *out, const struct focal_oplog *ol)
{
    uint64_t number;
    json_object_set_new(out, "authority", hex_json(focal_oplog_authority(ol, &number)->b, 32));
    json_object_set_new(out, "authority_number", json_integer((json_int_t)number));
    json_object_set_new(out, "successor", json_boolean(number > 0));
}

/* ---- network.rotate-authority.begin ---- */

/* What it is, as people say it. */
static const char *kind_word(uint64_t kind)
{
    static const char *const words[] = { "statement", "network", "membership", "end of rights", "renewal", "delegation", "policy" };
    return words[kind < sizeof words / sizeof *words ? kind : 0];
}

static const struct focal_office *office_in(const struct focal_statement *s)
{
    switch (s->kind) {
    case FOCAL_STATEMENT_CERTIFICATE: return &s->is.certificate.office;
    case FOCAL_STATEMENT_CUT: return &s->is.cut.office;
    case FOCAL_STATEMENT_RENEWAL: return &s->is.renewal.office;
    case FOCAL_STATEMENT_DELEGATION: return &s->is.delegation.office;
    default: return NULL;
    }
}

static json_t *statement_json(const struct focal_oplog *ol, const struct focal_statement *s)
{
    struct focal_hash hash;
    const struct focal_office *office = office_in(s);
    json_t *one = json_object();
    focal_statement_hash(&hash, focal_oplog_network(ol), s->body);
    json_object_set_new(one, "statement", hex_json(hash.b, 32));
    json_object_set_new(one, "kind", json_string(kind_word(s->kind)));
    json_object_set_new(one, "office", office ? text_json(office->text) : json_null());
    if (s->kind == FOCAL_STATEMENT_CERTIFICATE) {
        json_object_set_new(one, "number", json_integer((json_int_t)s->is.certificate.number));
        json_object_set_new(one, "key", hex_json(s->is.certificate.keys.sign.b, 32));
    }
    return one;
}

/* All that counts and that a new authority has to name; renewals by a key stand and fall with their delegation, and go by themselves. */
static json_t *counting_json(const struct focal_oplog *ol)
{
    struct focal_subject subject;
    json_t *list = json_array();
    for (size_t i = 0; focal_oplog_subject(ol, i, &subject); i++) {
        struct focal_span one;
        for (size_t n = 0; focal_oplog_subject_statement(ol, subject.subject, n, &one); n++) {
            struct focal_statement s;
            const bool read = focal_statement_decode(&s, one) == FOCAL_OK && s.kind != FOCAL_STATEMENT_GENESIS && s.kind != FOCAL_STATEMENT_AUTHORITY;
            if (read && !(s.kind == FOCAL_STATEMENT_RENEWAL && s.is.renewal.delegation.len > 0))
                json_array_append_new(list, statement_json(ol, &s));
        }
    }
    return list;
}

static json_t *idle_json(const struct focal_oplog *ol)
{
    json_t *list = json_array();
    struct focal_span one;
    for (size_t i = 0; focal_oplog_idle_statement(ol, i, &one); i++) {
        struct focal_statement s;
        if (focal_statement_decode(&s, one) == FOCAL_OK)
            json_array_append_new(list, statement_json(ol, &s));
    }
    return list;
}

enum job_state run_rotate_authority_begin(struct job *j)
{
    const struct focal_oplog *ol = job_oplog(j);
    const struct focal_certificate *mine = focal_oplog_mine(ol);
    uint64_t number;
    if (!mine || mine->role != FOCAL_ROLE_HQ)
        return job_failf(j, FOCAL_DENIED, "do it at headquarters; if its machine is gone, README says how another takes its place", "only headquarters changes the authority's key");
    (void)focal_oplog_authority(ol, &number);
    json_t *out = to_sign_json(j, &mine->office, json_array());
    json_object_set_new(out, "label", text_json(focal_oplog_genesis(ol)->label));
    json_object_set_new(out, "recovery", hex_json(focal_oplog_genesis(ol)->recovery.b, 32));
    json_object_set_new(out, "number", json_integer((json_int_t)number + 1));
    json_object_set_new(out, "today", json_integer((json_int_t)job_today(j)));
    json_object_set_new(out, "statements", counting_json(ol));
    json_object_set_new(out, "idle", idle_json(ol));
    return job_one(j, out);
}

/* ---- network.rotate-authority ---- */

struct changing {
    struct focal_buf bytes[STATEMENTS_MAX];
    enum focal_status answers[STATEMENTS_MAX];
    size_t count;
};

static void changing_free(void *own)
{
    struct changing *c = own;
    for (size_t i = 0; i < c->count; i++)
        focal_buf_close(&c->bytes[i]);
}

static enum focal_status take_one(struct job *j, struct changing *c, const json_t *hex, struct focal_error *err)
{
    struct focal_statement s;
    const char *text = json_string_value(hex);
    const size_t len = text ? strlen(text) / 2 : 0;
    struct focal_buf *to = &c->bytes[c->count++];
    focal_buf_init(to, FOCAL_STATEMENT_MAX);
    uint8_t *room = len > 0 && len <= FOCAL_STATEMENT_MAX ? focal_buf_reserve(to, len) : NULL;
    if (!room || !focal_unhex(room, len, focal_span_text(text)) || focal_statement_decode(&s, focal_buf_view(to)) != FOCAL_OK || s.kind != FOCAL_STATEMENT_AUTHORITY)
        return focal_fail(err, FOCAL_USAGE, "use `focalctl network rotate-authority`", "that names no new authority");
    if (focal_oplog_weigh(job_oplog(j), focal_buf_view(to)) == FOCAL_NEVER)
        return focal_fail(err, FOCAL_DENIED, "is it this network's recovery sheet? Nothing was changed", "it was not signed with the recovery key of this network");
    return FOCAL_OK;
}

static enum focal_status take_all(struct job *j, struct changing *c, struct focal_error *err)
{
    const json_t *list = json_object_get(j->with, "statements");
    enum focal_status st = FOCAL_OK;
    if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > STATEMENTS_MAX)
        return focal_fail(err, FOCAL_USAGE, "use `focalctl network rotate-authority`", "the statements are missing");
    for (size_t i = 0; i < json_array_size(list) && st == FOCAL_OK; i++)
        st = take_one(j, c, json_array_get(list, i), err);
    return st;
}

enum job_state run_rotate_authority(struct job *j)
{
    struct focal_error err;
    struct changing *c = j->own;
    if (j->stage == 0) {
        c = job_own(j, sizeof *c, changing_free);
        if (!c)
            return job_fail(j, NULL);
        if (take_all(j, c, &err) != FOCAL_OK)
            return job_fail(j, &err);
        j->stage = 1;
    }
    if (j->stage == 1) {                /* all of it in one step: half a list would end memberships for a while */
        if (!job_events_left(j, c->count))
            return JOB_AGAIN;
        for (size_t i = 0; i < c->count; i++) {
            struct focal_node_event e = { .type = FOCAL_EVENT_STATEMENT, .answer = &c->answers[i], .is.statement = focal_buf_view(&c->bytes[i]) };
            if (i + 1 == c->count)
                (void)job_event(j, &e);
            else
                j->admin->events[j->admin->event_count++] = e;
        }
        j->stage = 2;
        return JOB_STEP;
    }
    for (size_t i = 0; i < c->count; i++)
        if (c->answers[i] != FOCAL_OK && c->answers[i] != FOCAL_EXISTS)
            return job_failf(j, c->answers[i], "look at the daemon's log", "the new authority was not taken in");
    json_t *out = json_object();
    put_authority(out, job_oplog(j));
    return job_one(j, out);
}
