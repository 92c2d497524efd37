/* What another headquarters needs that takes the place of one that is gone: a member's file for it, and its file for members. */
#include "job.h"

#include <string.h>

enum { STATEMENTS_MAX = 64, BYTES_MAX = 400 << 10, EXPIRES_DAYS = 30 };

/* ---- network.export ---- */

struct exporting { struct focal_invitation is; struct focal_buf token; enum focal_status answer; };

static void exporting_free(void *own)
{
    struct exporting *e = own;
    focal_buf_wipe_close(&e->token);
    focal_wipe(e, sizeof *e);
}

static enum focal_status statements_json(struct focal_oplog *ol, json_t *list, struct focal_error *err)
{
    struct focal_subject subject;
    size_t bytes = 0;
    for (size_t i = 0; focal_oplog_subject(ol, i, &subject); i++) {
        struct focal_span one;
        for (size_t n = 0; focal_oplog_subject_statement(ol, subject.subject, n, &one); n++) {
            bytes += one.len;
            json_array_append_new(list, body_json(one));
        }
    }
    return bytes <= BYTES_MAX ? FOCAL_OK : focal_fail(err, FOCAL_TOO_BIG, "ask who wrote this program", "the authority has signed more than a file may hold");
}

/* What is held here of the headquarters that is gone, in every scope that this office reads: that stays, and its key ends there. */
static void put_heads(struct focal_oplog *ol, const struct focal_key *key, json_t *out)
{
    const struct focal_certificate *mine = focal_oplog_mine(ol);
    json_t *scopes = json_array(), *heads = json_array();
    char name[16];
    for (size_t i = 0; mine && i < mine->read_count; i++) {
        focal_scope_print(name, &mine->read[i]);
        json_array_append_new(scopes, json_string(name));
    }
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        const struct focal_tip *tip = focal_log_tip(log);
        if (!focal_key_equal(&log->name.author, key) || tip->seq <= log->base.seq)
            continue;
        json_t *one = json_object();
        focal_scope_print(name, &log->scope);
        json_object_set_new(one, "scope", json_string(name));
        json_object_set_new(one, "log", hex_json(log->id.b, sizeof log->id.b));
        json_object_set_new(one, "sequence", json_integer((json_int_t)tip->seq));
        json_object_set_new(one, "h", hex_json(tip->h.b, sizeof tip->h.b));
        json_array_append_new(heads, one);
    }
    json_object_set_new(out, "scopes", scopes);
    json_object_set_new(out, "heads", heads);
}

/* The one headquarters there is, or the one that was named. */
static enum focal_status find_hq(struct job *j, struct focal_office *out, struct focal_error *err)
{
    const char *text = job_text(j, "office");
    const struct focal_certificate *c, *mine = focal_oplog_mine(job_oplog(j));
    size_t count = 0;
    if (!mine || mine->role == FOCAL_ROLE_HQ)
        return focal_fail(err, FOCAL_REFUSED, "do it at an office that is a member", "it is for an office whose headquarters is gone");
    for (size_t i = 0; (c = focal_oplog_office_at(job_oplog(j), i)) != NULL; i++) {
        if (c->role != FOCAL_ROLE_HQ || focal_oplog_cut_of(job_oplog(j), &c->keys.sign) || (text && strcmp(text, c->office.text) != 0))
            continue;
        *out = c->office;
        count++;
    }
    if (count == 1)
        return FOCAL_OK;
    return count ? focal_fail(err, FOCAL_AMBIGUOUS, "name it: --office CODE", "the network has more than one headquarters")
                 : focal_fail(err, FOCAL_NOT_FOUND, "`focalctl office list` shows who is a member", "no headquarters is known here%s%.20s", text ? " under the name " : "", text ? text : "");
}

static enum focal_status fill(struct job *j, struct focal_invitation *v, struct focal_error *err)
{
    struct focal_admin *a = j->admin;
    enum focal_status st = find_hq(j, &v->office, err);
    if (st == FOCAL_OK)
        st = invitation_from_here(j, v, err);
    v->number = focal_node_next_invitation(a->is.node);
    v->expires_day = job_today(j) + EXPIRES_DAYS;
    return st;
}

enum job_state run_network_export(struct job *j)
{
    struct focal_error err;
    struct exporting *e = j->own;
    if (j->stage == 0) {
        e = job_own(j, sizeof *e, exporting_free);
        if (!e)
            return job_fail(j, NULL);
        focal_buf_init(&e->token, 64 << 10);
        j->stage = 1;
    }
    if (j->stage == 1) {
        if (!job_events_left(j, 1))
            return JOB_AGAIN;
        if (fill(j, &e->is, &err) != FOCAL_OK)
            return job_fail(j, &err);
        focal_invitation_encode(&e->token, &e->is);
        if (e->token.failed)
            return job_fail(j, NULL);
        struct focal_node_event event = { .type = FOCAL_EVENT_INVITE, .answer = &e->answer, .is.invite.invitation = &e->is };
        (void)job_event(j, &event);
        j->stage = 2;
        return JOB_STEP;
    }
    if (e->answer != FOCAL_OK)
        return job_failf(j, e->answer, "try again", "the invitation for headquarters could not be kept");
    json_t *list = json_array();
    if (statements_json(job_oplog(j), list, &err) != FOCAL_OK) {
        json_decref(list);
        return job_fail(j, &err);
    }
    const struct focal_certificate *mine = focal_oplog_mine(job_oplog(j));
    json_t *out = json_object();
    json_object_set_new(out, "what", json_string("focal network 1"));
    json_object_set_new(out, "network", hex_json(focal_oplog_network(job_oplog(j))->b, 32));
    json_object_set_new(out, "label", text_json(focal_oplog_genesis(job_oplog(j))->label));
    json_object_set_new(out, "office", mine ? text_json(mine->office.text) : json_null());
    json_object_set_new(out, "headquarters", text_json(e->is.office.text));
    json_object_set_new(out, "day", day_json(job_today(j)));
    json_object_set_new(out, "token", focal_json_text(focal_buf_view(&e->token)));
    json_object_set_new(out, "statements", list);
    const struct focal_certificate *gone = focal_oplog_certificate(job_oplog(j), &e->is.office);
    if (gone)
        put_heads(job_oplog(j), &gone->keys.sign, out);
    return job_one(j, out);
}

/* ---- network.import ---- */

struct importing {
    struct focal_buf bytes[STATEMENTS_MAX];
    enum focal_status answers[STATEMENTS_MAX];
    struct focal_statement is[STATEMENTS_MAX];
    size_t count;
    bool news;
};

static void importing_free(void *own)
{
    struct importing *t = own;
    for (size_t i = 0; i < t->count; i++)
        focal_buf_close(&t->bytes[i]);
}

static const char AGAIN[] = "copy for-members.json of the new headquarters again; nothing was changed";

/* The new authority comes first, then where the old key ends, and last the membership of the new one. */
static enum focal_status take_one(struct job *j, struct importing *t, const json_t *hex, bool last, struct focal_error *err)
{
    const char *text = json_string_value(hex);
    const size_t len = text ? strlen(text) / 2 : 0;
    struct focal_statement *s = &t->is[t->count];
    struct focal_buf *to = &t->bytes[t->count++];
    focal_buf_init(to, FOCAL_STATEMENT_MAX);
    uint8_t *room = len > 0 && len <= FOCAL_STATEMENT_MAX ? focal_buf_reserve(to, len) : NULL;
    if (!room || !focal_unhex(room, len, focal_span_text(text)) || focal_statement_decode(s, focal_buf_view(to)) != FOCAL_OK
        || (last ? s->kind != FOCAL_STATEMENT_CERTIFICATE : s->kind != FOCAL_STATEMENT_AUTHORITY && s->kind != FOCAL_STATEMENT_CUT))
        return focal_fail(err, FOCAL_MALFORMED, AGAIN, "statement %zu of the file is damaged", t->count);
    const enum focal_status weight = focal_oplog_weigh(job_oplog(j), focal_buf_view(to));
    if (weight == FOCAL_NEVER)
        return focal_fail(err, FOCAL_DENIED, AGAIN, "statement %zu of the file was not signed with the recovery key of this network", t->count);
    t->news = t->news || weight != FOCAL_EXISTS;
    return FOCAL_OK;
}

static bool is_named(const struct importing *t, const struct focal_hash *hash)
{
    bool named = false;
    for (size_t i = 0; i + 1 < t->count; i++)
        named = named || (t->is[i].kind == FOCAL_STATEMENT_AUTHORITY && focal_succession_keeps(&t->is[i].is.succession, hash));
    return named;
}

/* Who made the file may not have known everything: what it does not name would count nowhere. */
static enum focal_status all_named(struct job *j, const struct importing *t, struct focal_error *err)
{
    struct focal_oplog *ol = job_oplog(j);
    struct focal_subject subject;
    for (size_t i = 0; focal_oplog_subject(ol, i, &subject); i++) {
        struct focal_span one;
        for (size_t n = 0; focal_oplog_subject_statement(ol, subject.subject, n, &one); n++) {
            struct focal_statement s;
            struct focal_hash hash;
            if (focal_statement_decode(&s, one) != FOCAL_OK || s.kind == FOCAL_STATEMENT_GENESIS || s.kind == FOCAL_STATEMENT_AUTHORITY
                || (s.kind == FOCAL_STATEMENT_RENEWAL && s.is.renewal.delegation.len > 0))
                continue;
            focal_statement_hash(&hash, focal_oplog_network(ol), s.body);
            if (!is_named(t, &hash))
                return focal_fail(err, FOCAL_CONFLICT, "set the new headquarters up again, with a new file of `focalctl network export` from here besides; nothing was changed",
                                  "the file was made without something that this office holds of %.*s", (int)(s.subject.len < 32 ? s.subject.len : 32), (const char *)s.subject.data);
        }
    }
    return FOCAL_OK;
}

static bool lists(const struct focal_cut *cut, const struct focal_log *log)
{
    bool listed = false;
    for (size_t i = 0; i < focal_cut_tip_count(cut) && !listed; i++) {
        struct focal_cut_tip tip;
        focal_cut_tip_get(&tip, cut, i);
        listed = focal_id_equal(&tip.log, &log->id) && tip.tip.seq == focal_log_tip(log)->seq && focal_hash_equal(&tip.tip.h, &focal_log_tip(log)->h);
    }
    return listed;
}

/* Of what the old key wrote nothing that is held here may be lost. */
static bool leaves_all(struct job *j, const struct focal_cut *cut)
{
    bool all = true;
    for (size_t i = 0; i < focal_oplog_log_count(job_oplog(j)) && all; i++) {
        const struct focal_log *log = focal_oplog_log_at(job_oplog(j), i);
        all = !focal_key_equal(&log->name.author, &cut->key) || focal_scope_compare(&log->scope, &cut->reach.scope) != 0
              || focal_log_tip(log)->seq <= log->base.seq || lists(cut, log);
    }
    return all;
}

static enum focal_status cut_fits(struct job *j, const struct focal_cut *cut, const struct focal_certificate *c, struct focal_error *err)
{
    if (cut->reach.kind != FOCAL_REACH_SCOPE || !c->follows_set || !focal_key_equal(&cut->key, &c->follows))
        return focal_fail(err, FOCAL_MALFORMED, AGAIN, "the file does not fit together");
    if (!leaves_all(j, cut))
        return focal_fail(err, FOCAL_CONFLICT, "set the new headquarters up again, with a new file of `focalctl network export` from here besides; nothing was changed",
                          "the file was made without something that this office holds of what headquarters wrote");
    return FOCAL_OK;
}

/* One headquarters, certified by the authority that the file names, which is later than what is known here. */
static enum focal_status fits_together(struct job *j, const struct importing *t, struct focal_error *err)
{
    uint64_t known;
    const struct focal_statement *last = &t->is[t->count - 1];
    const struct focal_key *key = &t->is[0].is.succession.key;
    enum focal_status st = FOCAL_OK;
    (void)focal_oplog_authority(job_oplog(j), &known);
    if (t->is[0].kind == FOCAL_STATEMENT_AUTHORITY && t->is[0].is.succession.number <= known)
        return focal_fail(err, FOCAL_EXISTS, "set the new headquarters up again, with a new file of `focalctl network export` from here; nothing was changed",
                          "the file is older than the authority that is known here");
    for (size_t i = 0; i < t->count && st == FOCAL_OK; i++) {
        const struct focal_statement *s = &t->is[i];
        const bool change = s->kind == FOCAL_STATEMENT_AUTHORITY;
        if ((i == 0 && !change) || (change ? !focal_key_equal(&s->is.succession.key, key) || s->is.succession.number != t->is[0].is.succession.number
                                           : !s->signer_set || !focal_key_equal(&s->signer, key)))
            return focal_fail(err, FOCAL_MALFORMED, AGAIN, "the file does not fit together");
        st = s->kind == FOCAL_STATEMENT_CUT ? cut_fits(j, &s->is.cut, &last->is.certificate, err) : FOCAL_OK;
    }
    return st;
}

static enum focal_status take_file(struct job *j, struct importing *t, struct focal_error *err)
{
    const json_t *file = json_object_get(j->with, "file"), *list = json_object_get(file, "statements");
    const char *what = json_string_value(json_object_get(file, "what")), *network = json_string_value(json_object_get(file, "network"));
    const char *label = json_string_value(json_object_get(file, "label"));
    const size_t count = json_array_size(list);
    char ours[65];
    focal_hex(ours, focal_oplog_network(job_oplog(j))->b, 32);
    if (!what || strcmp(what, "focal headquarters 1") != 0 || !network || count < 2 || count > STATEMENTS_MAX)
        return focal_fail(err, FOCAL_MALFORMED, "give for-members.json, which `focald setup --recover` made; nothing was changed", "that is no file of a new headquarters");
    if (strcmp(network, ours) != 0)
        return focal_fail(err, FOCAL_REFUSED, "give the file of this office's own network; nothing was changed", "the file is of another network%s%.60s", label ? ": " : "", label ? label : "");
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < count && st == FOCAL_OK; i++)
        st = take_one(j, t, json_array_get(list, i), i + 1 == count, err);
    if (st == FOCAL_OK && !t->news)
        st = focal_fail(err, FOCAL_EXISTS, "start focald at the new headquarters, if it is not running", "the new headquarters is known here already");
    if (st == FOCAL_OK)
        st = fits_together(j, t, err);
    return st == FOCAL_OK ? all_named(j, t, err) : st;
}

enum job_state run_network_import(struct job *j)
{
    struct focal_error err;
    struct importing *t = j->own;
    if (j->stage == 0) {
        t = job_own(j, sizeof *t, importing_free);
        if (!t)
            return job_fail(j, NULL);
        if (take_file(j, t, &err) != FOCAL_OK)
            return job_fail(j, &err);
        j->stage = 1;
    }
    if (j->stage == 1) {
        if (!job_events_left(j, t->count))
            return JOB_AGAIN;
        for (size_t i = 0; i < t->count; i++) {
            struct focal_node_event e = { .type = FOCAL_EVENT_STATEMENT, .answer = &t->answers[i], .is.statement = focal_buf_view(&t->bytes[i]) };
            if (i + 1 == t->count)
                (void)job_event(j, &e);
            else
                j->admin->events[j->admin->event_count++] = e;
        }
        j->stage = 2;
        return JOB_STEP;
    }
    for (size_t i = 0; i < t->count; i++)
        if (t->answers[i] != FOCAL_OK && t->answers[i] != FOCAL_EXISTS)
            return job_failf(j, t->answers[i], "look at the daemon's log", "statement %zu of the file was not taken", i + 1);
    json_t *out = json_object();
    json_object_set_new(out, "office", text_json(t->is[t->count - 1].is.certificate.office.text));
    put_authority(out, job_oplog(j));
    return job_one(j, out);
}
