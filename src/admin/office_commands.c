/* Offices: who is a member, who is invited, who waits; invitations and admission.
 * The client signs; here the statement is only handed on, and what the client needs to sign is told. */
#include "job.h"

#include <stdio.h>
#include <string.h>

enum { JOINS_MAX = 64, EXPIRES_DAYS = 7, EXPIRES_DAYS_MAX = 90, ADMIT_WAIT_MS = 60000 };

static const char *state_of(const struct focal_join_waiting *w, uint32_t today)
{
    return w->joined ? "waiting" : w->expires_day && w->expires_day < today ? "expired" : "invited";
}

static json_t *scopes_json(const struct focal_scope *list, size_t count)
{
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++) {
        char text[16];
        focal_scope_print(text, &list[i]);
        json_array_append_new(out, json_string(text));
    }
    return out;
}

static json_t *member_json(struct focal_oplog *ol, const struct focal_certificate *c)
{
    const struct focal_cut *cut = focal_oplog_cut_of(ol, &c->keys.sign);
    json_t *out = json_object();
    json_object_set_new(out, "id", text_json(c->office.text));
    json_object_set_new(out, "state", json_string(cut ? "revoked" : "member"));
    if (cut) {
        json_object_set_new(out, "revoked", day_json(cut->day));
        json_object_set_new(out, "reason", json_string(cut_reason(cut->reason)));
        json_object_set_new(out, "beyond", json_integer((json_int_t)beyond_cut(ol, &c->keys.sign)));
    }
    json_object_set_new(out, "role", json_string(c->role == FOCAL_ROLE_HQ ? "hq" : "office"));
    json_object_set_new(out, "reads", scopes_json(c->read, c->read_count));
    json_object_set_new(out, "writes", scopes_json(c->write, c->write_count));
    json_object_set_new(out, "number", json_integer((json_int_t)c->number));
    json_object_set_new(out, "from", day_json(c->from_day));
    json_object_set_new(out, "to", day_json(c->to_day));
    return out;
}

static json_t *waiting_json(const struct focal_join_waiting *w, uint32_t today)
{
    json_t *out = json_object();
    json_object_set_new(out, "id", text_json(w->office.text));
    json_object_set_new(out, "state", json_string(state_of(w, today)));
    json_object_set_new(out, "role", json_string("office"));
    json_object_set_new(out, "country", w->country[0] ? text_json(w->country) : json_null());
    json_object_set_new(out, "invitation", json_integer((json_int_t)w->invitation));
    json_object_set_new(out, "may_redact", json_boolean(w->may_redact));
    json_object_set_new(out, "to", w->expires_day ? day_json(w->expires_day) : json_null());
    return out;
}

static struct focal_join_waiting *joins_of(struct job *j, size_t *count)
{
    struct focal_join_waiting *joins = focal_alloc(JOINS_MAX * sizeof *joins);
    *count = joins ? focal_node_waiting_joins(j->admin->is.node, joins, JOINS_MAX) : 0;
    return joins;
}

enum job_state run_offices(struct job *j)
{
    const struct focal_certificate *c;
    size_t count;
    for (size_t i = 0; (c = focal_oplog_office_at(job_oplog(j), i)); i++)
        job_item(j, member_json(job_oplog(j), c));
    struct focal_join_waiting *joins = joins_of(j, &count);
    for (size_t i = 0; i < count; i++)
        if (!joins[i].admitted && !joins[i].closed)
            job_item(j, waiting_json(&joins[i], job_today(j)));
    focal_free(joins);
    return job_end(j, FOCAL_OK, json_pack("{s:b}", "more", 0));
}

enum job_state run_office(struct job *j)
{
    struct focal_error err;
    struct focal_office office;
    struct focal_peer_status p;
    const char *text = job_text(j, "office");
    if (!text)
        return job_failf(j, FOCAL_USAGE, "name it by its code", "which office?");
    if (office_find(job_oplog(j), text, &office, &err) != FOCAL_OK) {
        size_t count;
        json_t *found = NULL;
        struct focal_join_waiting *joins = joins_of(j, &count);
        for (size_t i = 0; i < count && !found; i++)
            if (strcasecmp(joins[i].office.text, text) == 0 && !joins[i].closed)
                found = waiting_json(&joins[i], job_today(j));
        focal_free(joins);
        return found ? job_one(j, found) : job_fail(j, &err);
    }
    const struct focal_certificate *c = focal_oplog_certificate(job_oplog(j), &office);
    json_t *out = member_json(job_oplog(j), c);
    json_object_set_new(out, "sign_key", hex_json(c->keys.sign.b, 32));
    json_object_set_new(out, "channel_key", hex_json(c->keys.channel.b, 32));
    json_object_set_new(out, "may_redact", json_boolean(focal_oplog_may_redact(job_oplog(j), c)));
    if (peer_find(j, office.text, &p)) {
        static const char *const words[] = { "up", "offline", "refused", "paused", "unknown" };
        json_object_set_new(out, "link", json_string(words[p.link]));
        json_object_set_new(out, "session_bytes_sent", json_integer((json_int_t)focal_node_session_bytes(j->admin->is.node, &office, true)));
        json_object_set_new(out, "session_bytes_received", json_integer((json_int_t)focal_node_session_bytes(j->admin->is.node, &office, false)));
    }
    return job_one(j, out);
}

/* ---- invite ---- */

struct inviting {
    struct focal_invitation is;
    struct focal_buf token;
    enum focal_status answer;
};

static void inviting_free(void *own)
{
    struct inviting *v = own;
    focal_buf_wipe_close(&v->token);
    focal_wipe(v, sizeof *v);
}

static enum focal_status genesis_of(struct focal_oplog *oplog, struct focal_span *out)
{
    struct focal_subject subject;
    for (size_t i = 0; focal_oplog_subject(oplog, i, &subject); i++) {
        struct focal_span bytes;
        for (size_t k = 0; focal_oplog_subject_statement(oplog, subject.subject, k, &bytes); k++) {
            struct focal_statement s;
            if (focal_statement_decode(&s, bytes) == FOCAL_OK && s.kind == FOCAL_STATEMENT_GENESIS) {
                *out = bytes;
                return FOCAL_OK;
            }
        }
    }
    return FOCAL_DAMAGED;
}

static enum focal_status take_addresses(struct job *j, struct focal_invitation *v, struct focal_error *err)
{
    const char *list[FOCAL_ADDRESSES_MAX];
    const json_t *given = json_object_get(j->with, "addresses");
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(given) && count < FOCAL_ADDRESSES_MAX; i++)
        if (json_is_string(json_array_get(given, i)))
            list[count++] = json_string_value(json_array_get(given, i));
    if (count == 0)
        count = j->admin->is.addresses(j->admin->is.data, list, FOCAL_ADDRESSES_MAX);
    if (count == 0)
        return focal_fail(err, FOCAL_REFUSED, "set `advertise = host:port` in focald.conf and start focald again, or use --address host:port",
                          "no address is known under which the new office could reach this one");
    for (size_t i = 0; i < count; i++) {
        if (strlen(list[i]) >= sizeof v->addresses[0])
            return focal_fail(err, FOCAL_REFUSED, "choose a shorter name", "the address %.60s... is too long for an invitation", list[i]);
        (void)snprintf(v->addresses[i], sizeof v->addresses[i], "%s", list[i]);
    }
    v->address_count = count;
    return FOCAL_OK;
}

enum focal_status invitation_from_here(struct job *j, struct focal_invitation *v, struct focal_error *err)
{
    struct focal_admin *a = j->admin;
    enum focal_status st = take_addresses(j, v, err);
    if (st == FOCAL_OK && genesis_of(job_oplog(j), &v->genesis) != FOCAL_OK)
        st = focal_fail(err, FOCAL_DAMAGED, "run `focalctl verify`", "the network's first statement cannot be found");
    v->network = *focal_oplog_network(job_oplog(j));
    v->listener = a->is.keys->channel;
    a->is.entropy.fill(a->is.entropy.data, v->psk, sizeof v->psk);
    return st;
}

static enum focal_status take_country(struct job *j, struct focal_invitation *v, struct focal_error *err)
{
    const char *country = job_text(j, "country");
    if (!country)
        return FOCAL_OK;
    for (size_t i = 0; i < 3 && country[i]; i++)
        v->country[i] = (char)(country[i] >= 'a' && country[i] <= 'z' ? country[i] - 'a' + 'A' : country[i]);
    if (strlen(country) != 3 || !focal_country_known(v->country))
        return focal_fail(err, FOCAL_REFUSED, "use the three letters of ISO 3166-1, such as KEN", "\"%.20s\" is not a country", country);
    return FOCAL_OK;
}

static enum focal_status fill_invitation(struct job *j, struct focal_invitation *v, struct focal_error *err)
{
    struct focal_admin *a = j->admin;
    const char *office = job_text(j, "office");
    uint64_t days = EXPIRES_DAYS;
    const struct focal_certificate *mine = focal_oplog_mine(job_oplog(j));
    if (!mine || mine->role != FOCAL_ROLE_HQ)
        return focal_fail(err, FOCAL_DENIED, "ask headquarters for an invitation", "only headquarters invites offices");
    if (!office)
        return focal_fail(err, FOCAL_USAGE, "office invite CODE", "which office?");
    enum focal_status st = office_find(job_oplog(j), office, &v->office, err);
    /* Whose rights were taken back comes back only so, with a new key. */
    const struct focal_certificate *old = st == FOCAL_OK ? focal_oplog_certificate(job_oplog(j), &v->office) : NULL;
    if (st == FOCAL_OK && !(old && focal_oplog_cut_of(job_oplog(j), &old->keys.sign)))
        return focal_fail(err, FOCAL_EXISTS, "choose another code", "%s is a member already", v->office.text);
    if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
        return st;
    if ((job_number(j, "days", &days) && days == 0) || days > EXPIRES_DAYS_MAX)
        return focal_fail(err, FOCAL_USAGE, "between 1d and 90d", "an invitation cannot be open for %llu days", (unsigned long long)days);
    st = take_country(j, v, err);
    if (st == FOCAL_OK)
        st = invitation_from_here(j, v, err);
    if (st != FOCAL_OK)
        return st;
    v->number = focal_node_next_invitation(a->is.node);
    v->may_redact = job_flag(j, "may_redact");
    v->expires_day = job_today(j) + (uint32_t)days;
    return FOCAL_OK;
}

enum job_state run_invite(struct job *j)
{
    struct focal_error err;
    struct inviting *v = j->own;
    if (j->stage == 0) {
        v = job_own(j, sizeof *v, inviting_free);
        if (!v)
            return job_fail(j, NULL);
        focal_buf_init(&v->token, 64 << 10);
        j->stage = 1;
    }
    if (j->stage == 1) {
        /* The number is drawn in the very turn that keeps it, so that no two invitations share one. */
        if (!job_events_left(j, 1))
            return JOB_AGAIN;
        if (fill_invitation(j, &v->is, &err) != FOCAL_OK)
            return job_fail(j, &err);
        focal_invitation_encode(&v->token, &v->is);
        if (v->token.failed)
            return job_fail(j, NULL);
        struct focal_node_event e = { .type = FOCAL_EVENT_INVITE, .answer = &v->answer, .is.invite.invitation = &v->is };
        (void)job_event(j, &e);
        j->stage = 2;
        return JOB_STEP;
    }
    if (v->answer == FOCAL_EXISTS) {    /* another connection drew the same number in that turn */
        memset(&v->is, 0, sizeof v->is);
        focal_buf_clear(&v->token);
        j->stage = 1;
        return JOB_AGAIN;
    }
    if (v->answer == FOCAL_FULL)
        return job_failf(j, FOCAL_FULL, "wait until some are used or have expired", "too many invitations are open");
    if (v->answer != FOCAL_OK)
        return job_failf(j, v->answer, "look at the daemon's log", "the invitation could not be kept");
    json_t *out = json_object();
    json_object_set_new(out, "token", focal_json_text(focal_buf_view(&v->token)));
    json_object_set_new(out, "expires", day_json(v->is.expires_day));
    json_object_set_new(out, "office", text_json(v->is.office.text));
    return job_one(j, out);
}

/* ---- admit ---- */

/* What the client needs to compare the words and to sign. */
static json_t *admit_json(struct job *j, const struct focal_join_waiting *w, bool admitted, uint64_t number)
{
    struct focal_oplog *oplog = job_oplog(j);
    json_t *out = json_object();
    json_object_set_new(out, "office", text_json(w->office.text));
    json_object_set_new(out, "country", w->country[0] ? text_json(w->country) : json_null());
    json_object_set_new(out, "invitation", json_integer((json_int_t)w->invitation));
    json_object_set_new(out, "network", hex_json(focal_oplog_network(oplog)->b, 32));
    put_authority(out, oplog);
    json_object_set_new(out, "sign", hex_json(w->keys.sign.b, 32));
    json_object_set_new(out, "channel", hex_json(w->keys.channel.b, 32));
    json_object_set_new(out, "open", hex_json(w->keys.open.b, 32));
    json_object_set_new(out, "number", json_integer((json_int_t)number));
    json_object_set_new(out, "may_redact", json_boolean(w->may_redact));
    json_object_set_new(out, "today", json_integer((json_int_t)job_today(j)));
    json_object_set_new(out, "dir", text_json(j->admin->is.dir));
    json_object_set_new(out, "admitted", json_boolean(admitted));
    return out;
}

enum job_state run_admit_begin(struct job *j)
{
    const char *text = job_text(j, "office");
    size_t count, best = SIZE_MAX;
    if (!text)
        return job_failf(j, FOCAL_USAGE, "office admit CODE", "which office?");
    struct focal_join_waiting *joins = joins_of(j, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(joins[i].office.text, text) != 0)
            continue;
        /* Who has come goes before who has not; then the newer invitation. */
        if (best == SIZE_MAX || joins[i].joined || !joins[best].joined)
            best = i;
    }
    enum job_state state = JOB_WAIT;
    if (best == SIZE_MAX)
        state = job_failf(j, FOCAL_NOT_FOUND, "`focalctl office invite CODE` makes an invitation", "no invitation was made here for %.20s", text);
    else if (!joins[best].joined && !joins[best].admitted && joins[best].expires_day && joins[best].expires_day < job_today(j))
        state = job_failf(j, FOCAL_REFUSED, "`focalctl office invite CODE` makes another, with which that office is set up anew",
                          "the invitation of %s is over, and it did not ask to be admitted in time", joins[best].office.text);
    else if (!joins[best].joined && job_waited(j, ADMIT_WAIT_MS))
        state = job_failf(j, FOCAL_TIMEOUT, "start focald there, then repeat this", "%s has not asked to be admitted yet", joins[best].office.text);
    else if (joins[best].joined) {
        const struct focal_certificate *c = focal_oplog_certificate(job_oplog(j), &joins[best].office);
        bool admitted = joins[best].admitted || (c && memcmp(&c->keys, &joins[best].keys, sizeof c->keys) == 0);
        state = job_one(j, admit_json(j, &joins[best], admitted, c ? c->number + 1 : 1));
    }
    focal_free(joins);
    return state;
}

struct admitting { struct focal_buf statement; enum focal_status answer; };

static void admitting_free(void *own)
{
    struct admitting *v = own;
    focal_buf_close(&v->statement);
}

/* Each command takes in its own kind, so that a kind that two persons decide on comes by no other. */
static bool fits(const struct job *j, struct focal_span statement)
{
    static const struct { const char *command; uint64_t kind; } kinds[] = { { "office.admit", FOCAL_STATEMENT_CERTIFICATE }, { "office.revoke", FOCAL_STATEMENT_CUT },
        { "office.renew", FOCAL_STATEMENT_RENEWAL }, { "network.delegate", FOCAL_STATEMENT_DELEGATION }, { "network.policy", FOCAL_STATEMENT_POLICY } };
    struct focal_statement s;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].command, j->command->name) == 0)
            return focal_statement_decode(&s, statement) != FOCAL_OK || s.kind == kinds[i].kind || s.kind > FOCAL_STATEMENT_AUTHORITY;
    return false;
}

static bool lets_go_too_early(const struct job *j, struct focal_span statement)
{
    struct focal_statement s;
    return focal_statement_decode(&s, statement) == FOCAL_OK && s.kind == FOCAL_STATEMENT_CUT && s.is.cut.reason == FOCAL_CUT_RETIRED
           && s.is.cut.reach.kind == FOCAL_REACH_EVERYTHING && cut_misses(job_oplog(j), &s.is.cut);
}

static json_t *taken_json(struct focal_oplog *ol, const struct focal_statement *s)
{
    json_t *out = json_object();
    const struct focal_certificate *c;
    switch (s->kind) {
    case FOCAL_STATEMENT_CERTIFICATE:
        json_object_set_new(out, "office", text_json(s->is.certificate.office.text));
        json_object_set_new(out, "admitted", json_true());
        break;
    case FOCAL_STATEMENT_CUT:
        json_object_set_new(out, "office", text_json(s->is.cut.office.text));
        json_object_set_new(out, "revoked", json_true());
        break;
    case FOCAL_STATEMENT_RENEWAL:
        c = focal_oplog_certificate(ol, &s->is.renewal.office);
        json_object_set_new(out, "office", text_json(s->is.renewal.office.text));
        json_object_set_new(out, "renewed", json_true());
        json_object_set_new(out, "membership_to", c ? day_json(c->to_day) : json_null());
        break;
    case FOCAL_STATEMENT_DELEGATION:
        json_object_set_new(out, "office", text_json(s->is.delegation.office.text));
        json_object_set_new(out, "delegated", json_boolean(s->is.delegation.key_set));
        json_object_set_new(out, "until", s->is.delegation.key_set ? day_json(s->is.delegation.until_day) : json_null());
        break;
    case FOCAL_STATEMENT_POLICY:
        json_object_set_new(out, "policy", text_json(s->is.policy.name));
        json_object_set_new(out, "two_persons", two_persons_json(ol));
        break;
    default:
        break;
    }
    return out;
}

enum job_state run_admit(struct job *j)
{
    struct admitting *v = j->own;
    if (j->stage == 0) {
        const char *hex = job_text(j, "statement");
        size_t len = hex ? strlen(hex) / 2 : 0;
        if (len == 0 || len > FOCAL_STATEMENT_MAX)
            return job_failf(j, FOCAL_USAGE, "use `focalctl office admit CODE`", "the statement is missing");
        v = job_own(j, sizeof *v, admitting_free);
        if (!v)
            return job_fail(j, NULL);
        focal_buf_init(&v->statement, FOCAL_STATEMENT_MAX);
        uint8_t *room = focal_buf_reserve(&v->statement, len);
        if (!room || !focal_unhex(room, len, focal_span_text(hex)))
            return job_failf(j, FOCAL_MALFORMED, "use `focalctl office admit CODE`", "the statement is not hex");
        if (!fits(j, focal_buf_view(&v->statement)))
            return job_failf(j, FOCAL_USAGE, "give it to the command that it is for", "the statement is of another kind");
        if (lets_go_too_early(j, focal_buf_view(&v->statement)))
            return job_failf(j, FOCAL_CONFLICT, "do it again", "the office wrote more since the list was made, and all of it is to stay");
        j->stage = 1;
    }
    if (j->stage == 1) {
        struct focal_node_event e = { .type = FOCAL_EVENT_STATEMENT, .answer = &v->answer, .is.statement = focal_buf_view(&v->statement) };
        if (!job_event(j, &e))
            return JOB_AGAIN;
        j->stage = 2;
        return JOB_STEP;
    }
    if (v->answer != FOCAL_OK && v->answer != FOCAL_EXISTS)
        return job_failf(j, v->answer, "is it this network's authority key?", "the statement was not taken");
    struct focal_statement s;
    return job_one(j, focal_statement_decode(&s, focal_buf_view(&v->statement)) == FOCAL_OK ? taken_json(job_oplog(j), &s) : json_object());
}
