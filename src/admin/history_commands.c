/* history, the proof of an incident, the veil: what happened to this node, told to people. */
#include "job.h"

#include <stdio.h>
#include <string.h>

enum { HISTORY_LIMIT = 100, ROWS_PER_SLICE = 64, INCIDENTS_TOLD_MAX = 20, ROWS_LOOKED_AT_MAX = 1000, INCIDENT_DAYS = 30 };

static const char *const code_words[] = {
    [FOCAL_HISTORY_EPOCH] = "epoch", [FOCAL_HISTORY_INCIDENT] = "incident", [FOCAL_HISTORY_MEMBER] = "member", [FOCAL_HISTORY_VEILED] = "veiled",
    [FOCAL_HISTORY_UNVEILED] = "unveiled", [FOCAL_HISTORY_REDACTED] = "redacted", [FOCAL_HISTORY_WITHDRAWN] = "withdrawn",
    [FOCAL_HISTORY_COMMAND] = "command", [FOCAL_HISTORY_READING] = "reading", [FOCAL_HISTORY_DENIED] = "denied",
    [FOCAL_HISTORY_LEFT] = "left", [FOCAL_HISTORY_RESCUED] = "rescued",
};
static const char *const incident_words[] = {
    [FOCAL_INCIDENT_FORK] = "fork", [FOCAL_INCIDENT_ROLLBACK] = "rollback", [FOCAL_INCIDENT_OPENED] = "opened", [FOCAL_INCIDENT_TWO_LIVE] = "two_live",
};

static const char *author_name(struct focal_oplog *oplog, const struct focal_key *author)
{
    const struct focal_certificate *c = focal_oplog_certificate_by_sign(oplog, author), *mine = focal_oplog_mine(oplog);
    if (!c)
        return "an unknown office";
    return mine && strcmp(c->office.text, mine->office.text) == 0 ? "this office" : c->office.text;
}

/* ---- sentences --------------------------------------------------------------------------------------------------------- */

/* What it means, and whom. */
static void say_incident(struct focal_buf *out, struct focal_oplog *oplog, const struct focal_incident *is)
{
    const char *who = author_name(oplog, &is->log.author);
    switch (is->kind) {
    case FOCAL_INCIDENT_FORK:
        focal_buf_printf(out, "%s signed two branches of one log: an old copy of its disk, or a second copy, was in use; nothing is lost", who);
        break;
    case FOCAL_INCIDENT_ROLLBACK:
        focal_buf_printf(out, "%s had signed entries that were not in its database: an older copy of it was put back, or a second copy is in use; "
                         "they were fetched back, and nothing is lost", who);
        break;
    case FOCAL_INCIDENT_OPENED:
        focal_buf_printf(out, "%s went on from a restored, moved or second copy of its database, under a new epoch; nothing is lost", who);
        break;
    case FOCAL_INCIDENT_TWO_LIVE:
        focal_buf_printf(out, "two copies of %s were running at the same time; nothing is lost, but one of them should be stopped", who);
        break;
    default:
        focal_buf_printf(out, "something about %s that needs a newer program to be told", who);
    }
}

static const char *opening_reason(uint8_t code)
{
    const struct focal_field *field = focal_field_by_number(focal_kind_by_number(FOCAL_KIND_OPENING), FOCAL_OPENING_REASON);
    const struct focal_code *is = field && field->tables[0] ? focal_code_by_number(field->tables[0], code) : NULL;
    return is ? is->name : "unknown";
}

/* Who does not read records is not told which it was. */
static void say_code(struct focal_buf *out, const struct job *j, const struct focal_ref *ref)
{
    char code[32];
    if (!job_may(j, FOCAL_MAY_READ | FOCAL_MAY_ENTRY) && !FOCAL_PLANTED(HISTORY_NAMES_RECORDS)) {
        focal_buf_text(out, "a record");
        return;
    }
    focal_oplog_record_code(job_oplog(j), ref, code);
    focal_buf_text(out, code);
}

static void say_record(struct focal_buf *out, const struct job *j, const struct focal_history *row, const char *done)
{
    struct focal_ref ref;
    focal_buf_printf(out, "this office %s ", done);
    if (row->detail_len != FOCAL_REF_BYTES) {
        focal_buf_text(out, "?");
        return;
    }
    focal_ref_get(&ref, row->detail);
    say_code(out, j, &ref);
}

/* "user 1001, focal-entry: case update KEN-4F7Q-29XD-8; done". The client knows the user's name. */
static void say_note(struct focal_buf *out, const struct job *j, const struct focal_note *n)
{
    char words[FOCAL_CONTROL_VERB_MAX];
    const struct focal_group *group = right_group(j->admin->is.groups, n->right);
    command_words(words, n->command);
    focal_buf_printf(out, "user %u%s%s: %s", (unsigned)n->uid, group ? ", " : "", group ? group->name : "", words);
    if (n->about[0])
        focal_buf_printf(out, " %s", n->about);
    if (n->record_set) {
        focal_buf_text(out, " ");
        say_code(out, j, &n->record);
    }
    if (n->request && n->other_uid == FOCAL_NOBODY)
        focal_buf_printf(out, "; request %llu, for a second person", (unsigned long long)n->request);
    else if (n->request)
        focal_buf_printf(out, "; request %llu, with user %u", (unsigned long long)n->request, (unsigned)n->other_uid);
    if (n->outcome != FOCAL_OK)
        focal_buf_printf(out, "; %s", focal_status_text(n->outcome));
}

static void put_note(struct job *j, json_t *out, const struct focal_note *n)
{
    char words[FOCAL_CONTROL_VERB_MAX], outcome[32];
    const char *name = focal_status_name(n->outcome);
    size_t len = 0;
    for (; name[len] && len + 1 < sizeof outcome; len++)
        outcome[len] = (char)(name[len] >= 'A' && name[len] <= 'Z' ? name[len] - 'A' + 'a' : name[len]);
    outcome[len] = 0;
    command_words(words, n->command);
    json_object_set_new(out, "uid", json_integer((json_int_t)n->uid));
    json_object_set_new(out, "role", n->right == FOCAL_MAY_ADMIN ? json_string("admin") : n->right == FOCAL_MAY_ENTRY ? json_string("entry")
                                     : n->right == FOCAL_MAY_READ ? json_string("read") : json_null());
    json_object_set_new(out, "command", text_json(words));
    if (n->about[0])
        json_object_set_new(out, "about", text_json(n->about));
    if (n->record_set && job_may(j, FOCAL_MAY_READ | FOCAL_MAY_ENTRY))
        json_object_set_new(out, "id", code_json(job_oplog(j), &n->record));
    if (n->request)
        json_object_set_new(out, "request", json_integer((json_int_t)n->request));
    if (n->other_uid != FOCAL_NOBODY)
        json_object_set_new(out, "with_uid", json_integer((json_int_t)n->other_uid));
    const bool waits = n->request && n->other_uid == FOCAL_NOBODY && n->outcome == FOCAL_OK;
    json_object_set_new(out, "outcome", json_string(waits ? "waiting" : outcome));
}

static void say_row(struct focal_buf *out, struct job *j, const struct focal_history *row)
{
    struct focal_oplog *oplog = job_oplog(j);
    struct focal_incident is;
    struct focal_note note;
    struct focal_key author;
    struct focal_scope scope = { .country = "" };
    char name[16];
    switch (row->code) {
    case FOCAL_HISTORY_EPOCH:
        if (row->detail_len != 49)
            break;
        memcpy(author.b, row->detail, sizeof author.b);
        focal_buf_printf(out, "%s opened an epoch: %s", author_name(oplog, &author), opening_reason(row->detail[48]));
        return;
    case FOCAL_HISTORY_INCIDENT:
        if (row->detail_len != 9 || focal_node_incident(j->admin->is.node, focal_get_be64(row->detail), &is) != FOCAL_OK)
            break;
        focal_buf_printf(out, "incident %llu: ", (unsigned long long)is.number);
        say_incident(out, oplog, &is);
        return;
    case FOCAL_HISTORY_MEMBER:
        focal_buf_printf(out, "%.*s became a member", (int)row->detail_len, (const char *)row->detail);
        return;
    case FOCAL_HISTORY_VEILED:
        focal_buf_text(out, "an old copy of this office's database was put back: records were veiled");
        return;
    case FOCAL_HISTORY_UNVEILED:
        focal_buf_printf(out, row->detail_len ? "the veil was lifted by hand: %.*s" : "the veil was lifted: others told what was redacted%.*s",
                         (int)row->detail_len, (const char *)row->detail);
        return;
    case FOCAL_HISTORY_REDACTED:
        say_record(out, j, row, "redacted something of");
        return;
    case FOCAL_HISTORY_RESCUED:
        say_record(out, j, row, "brought in again what a cut had caught of");
        return;
    case FOCAL_HISTORY_WITHDRAWN:
        say_record(out, j, row, "withdrew or restored");
        return;
    case FOCAL_HISTORY_COMMAND:
    case FOCAL_HISTORY_READING:
    case FOCAL_HISTORY_DENIED:
        if (!focal_note_get(&note, row))
            break;
        say_note(out, j, &note);
        return;
    case FOCAL_HISTORY_LEFT:
        if (row->detail_len != 4)
            break;
        scope.cls = row->detail[0];
        memcpy(scope.country, row->detail + 1, 3);
        focal_scope_print(name, &scope);
        focal_buf_printf(out, "this office reads %s no more: what it held of it was erased", name);
        return;
    default:
        break;
    }
    focal_buf_printf(out, "something that needs a newer program to be told (code %u)", row->code);
}

/* ---- history ------------------------------------------------------------------------------------------------------------- */

static json_t *row_json(struct job *j, const struct focal_history *row)
{
    struct focal_buf what;
    json_t *out = json_object();
    const bool known = row->code < sizeof code_words / sizeof *code_words && code_words[row->code];
    focal_buf_init(&what, 1024);
    say_row(&what, j, row);
    json_object_set_new(out, "number", json_integer((json_int_t)row->number));
    json_object_set_new(out, "at_ms", json_integer((json_int_t)row->wall_ms));
    json_object_set_new(out, "code", known ? json_string(code_words[row->code]) : json_null());
    if (row->code == FOCAL_HISTORY_INCIDENT && row->detail_len == 9)
        json_object_set_new(out, "incident", json_integer((json_int_t)focal_get_be64(row->detail)));
    json_object_set_new(out, "what", text_json(focal_buf_cstr(&what)));
    focal_buf_close(&what);
    struct focal_note note;
    if (focal_note_get(&note, row))
        put_note(j, out, &note);
    return out;
}

struct telling { uint64_t at, back, left; };    /* back: while the beginning is looked for */
enum { TELL = 1 };

/* Who looked at what is many rows and seldom asked for. */
static unsigned rings_of(const struct job *j)
{
    return FOCAL_RING_EVENTS | FOCAL_RING_COMMANDS | FOCAL_RING_DENIED | (job_flag(j, "readings") ? FOCAL_RING_READINGS : 0u);
}

/* The newest so many are told, the oldest of them first; or all after a number. OK: at is known; MORE: another slice. */
static enum focal_status begin_at(struct job *j, struct telling *t)
{
    struct focal_history row;
    for (int i = 0; i < ROWS_PER_SLICE; i++) {
        enum focal_status st = focal_node_history_before(j->admin->is.node, rings_of(j), t->back, &row);
        if (st == FOCAL_NOT_FOUND)      /* there are not so many */
            return FOCAL_OK;
        if (st != FOCAL_OK)
            return st;
        t->back = row.number;
        if (t->left-- == 0) {
            t->at = row.number;
            return FOCAL_OK;
        }
    }
    return FOCAL_MORE;
}

static struct telling *open_telling(struct job *j)
{
    struct telling *t = job_own(j, sizeof *t, NULL);
    if (!t)
        return NULL;
    t->left = HISTORY_LIMIT;
    (void)job_number(j, "limit", &t->left);
    j->stage = job_number(j, "after", &t->at) ? TELL : 0;
    return t;
}

enum job_state run_history(struct job *j)
{
    struct telling *t = j->own ? j->own : open_telling(j);
    enum focal_status st = FOCAL_OK;
    if (!t)
        return job_fail(j, NULL);
    if (j->stage != TELL) {
        st = begin_at(j, t);
        if (st == FOCAL_MORE)
            return JOB_AGAIN;
        j->stage = TELL;
    }
    for (int i = 0; i < ROWS_PER_SLICE && st == FOCAL_OK; i++) {
        struct focal_history row;
        st = focal_node_history_after(j->admin->is.node, rings_of(j), t->at, &row);
        if (st == FOCAL_NOT_FOUND)
            return job_flag(j, "follow") ? JOB_WAIT : job_end(j, FOCAL_OK, json_pack("{s:b}", "more", 0));
        if (st != FOCAL_OK)
            break;
        job_item(j, row_json(j, &row));
        t->at = row.number;
    }
    return st == FOCAL_OK ? JOB_AGAIN : job_failf(j, st, "run `focalctl verify --deep`", "the history cannot be read");
}

/* ---- proof ------------------------------------------------------------------------------------------------------------------ */

struct proving { struct job *job; const char *way; };

static enum focal_status proof_entry(void *data, uint64_t seq, struct focal_span header, const struct focal_hash *c)
{
    const struct proving *p = data;
    json_t *one = json_object();
    json_object_set_new(one, "way", json_string(p->way));
    json_object_set_new(one, "seq", json_integer((json_int_t)seq));
    json_object_set_new(one, "header", hex_json(header.data, header.len));
    json_object_set_new(one, "c", hex_json(c->b, sizeof c->b));
    job_item(p->job, one);
    return FOCAL_OK;
}

static json_t *tip_json(const struct focal_tip *tip)
{
    json_t *out = json_object();
    json_object_set_new(out, "seq", json_integer((json_int_t)tip->seq));
    json_object_set_new(out, "h", hex_json(tip->h.b, sizeof tip->h.b));
    return out;
}

/* Where the author's signature is not held, the authority's over a cut that lists the tip stands for it. */
static json_t *signed_tip(struct focal_oplog *oplog, const struct focal_incident *is, int which, const struct focal_id *log)
{
    struct focal_span cut;
    json_t *out = tip_json(&is->tips[which]);
    if (is->vouched[which] && focal_oplog_vouches(oplog, log, &is->tips[which], &cut))
        json_object_set_new(out, "vouched", hex_json(cut.data, cut.len));
    else
        json_object_set_new(out, "signature", hex_json(is->signatures[which].b, sizeof is->signatures[which].b));
    return out;
}

/* Everything that is hashed and signed, and nothing of what the entries say. */
static json_t *proof_head(struct focal_oplog *oplog, const struct focal_incident *is)
{
    struct focal_id log;
    struct focal_buf what;
    json_t *out = json_object();
    const struct focal_hash *network = focal_oplog_network(oplog);
    const struct focal_certificate *c = focal_oplog_certificate_by_sign(oplog, &is->log.author);
    focal_log_id(&log, network, &is->log);
    focal_buf_init(&what, 1024);
    say_incident(&what, oplog, is);
    json_object_set_new(out, "incident", json_integer((json_int_t)is->number));
    json_object_set_new(out, "kind", is->kind < sizeof incident_words / sizeof *incident_words && incident_words[is->kind]
                                         ? json_string(incident_words[is->kind]) : json_null());
    json_object_set_new(out, "what", text_json(focal_buf_cstr(&what)));
    json_object_set_new(out, "office", c ? text_json(c->office.text) : json_null());
    json_object_set_new(out, "network", hex_json(network->b, sizeof network->b));
    json_object_set_new(out, "author", hex_json(is->log.author.b, sizeof is->log.author.b));
    json_object_set_new(out, "epoch", hex_json(is->log.epoch.b, sizeof is->log.epoch.b));
    json_object_set_new(out, "scope", hex_json(is->log.scope.b, sizeof is->log.scope.b));
    json_object_set_new(out, "lane", json_integer(is->log.lane));
    json_object_set_new(out, "log", hex_json(log.b, sizeof log.b));
    json_object_set_new(out, "base", tip_json(&is->base));
    json_object_set_new(out, "one", signed_tip(oplog, is, 0, &log));
    json_object_set_new(out, "other", signed_tip(oplog, is, 1, &log));
    focal_buf_close(&what);
    return out;
}

enum job_state run_proof(struct job *j)
{
    static const char *const ways[] = { "one", "other" };
    struct focal_incident is;
    uint64_t number = 0;
    if (!job_number(j, "number", &number) || focal_node_incident(j->admin->is.node, number, &is) != FOCAL_OK)
        return job_failf(j, FOCAL_NOT_FOUND, "`focalctl history` shows the numbers", "there is no incident %llu", (unsigned long long)number);
    job_item(j, proof_head(job_oplog(j), &is));
    for (int i = 0; i < 2; i++) {
        struct proving p = { j, ways[i] };
        enum focal_status st = focal_node_proof_way(j->admin->is.node, &is, i, proof_entry, &p);
        if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
            return job_failf(j, st, "run `focalctl verify --deep`", "the entries that lead to the signed tips cannot be read");
    }
    return job_end(j, FOCAL_OK, NULL);
}

/* ---- the veil ---------------------------------------------------------------------------------------------------------------- */

struct lifting { enum focal_status answer; };

enum job_state run_lift_veil(struct job *j)
{
    struct lifting *l = j->own ? j->own : job_own(j, sizeof *l, NULL);
    const char *reason = job_text(j, "reason");
    if (!l)
        return job_fail(j, NULL);
    if (!reason)
        return job_failf(j, FOCAL_USAGE, "--reason CODE: small letters, digits and \"_\"", "say why the veil is to be lifted");
    if (j->stage == 0) {
        struct focal_node_event e = { .type = FOCAL_EVENT_LIFT_VEIL, .answer = &l->answer };
        e.is.lift_veil.reason = reason;
        if (!job_event(j, &e))
            return JOB_AGAIN;
        j->stage = 1;
        return JOB_STEP;
    }
    if (l->answer == FOCAL_NOT_FOUND)
        return job_failf(j, FOCAL_NOT_FOUND, "records are shown", "there is no veil to be lifted");
    if (l->answer == FOCAL_REFUSED)
        return job_failf(j, FOCAL_REFUSED, "small letters, digits and \"_\", at most 40, such as two_persons_agreed", "\"%.40s\" is not a reason that can be kept", reason);
    if (l->answer != FOCAL_OK)
        return job_failf(j, l->answer, "`focalctl status` says how the disk is", "the veil was not lifted");
    json_t *out = json_object();
    json_object_set_new(out, "lifted", json_true());
    json_object_set_new(out, "reason", text_json(reason));
    return job_one(j, out);
}

static void veil_scopes(struct job *j, struct focal_buf *out)
{
    struct focal_scope scopes[FOCAL_CERTIFICATE_SCOPES_MAX];
    size_t count = focal_node_veil_waits(j->admin->is.node, scopes, FOCAL_CERTIFICATE_SCOPES_MAX);
    for (size_t i = 0; i < count; i++) {
        char name[16];
        focal_scope_print(name, &scopes[i]);
        focal_buf_printf(out, "%s%s", i ? ", " : "", name);
    }
}

bool veil_refuses(const struct job *j, struct focal_error *err)
{
    if (!focal_oplog_veiled(job_oplog(j)))
        return false;
    (void)!focal_fail(err, FOCAL_DENIED, "`focalctl sync now` dials at once; `focalctl status` says who is still to be heard",
                      "records are veiled: an old copy of this office's database was put back, and nobody has told yet what was redacted since");
    return true;
}

void need_veil(struct job *j, json_t *list)
{
    struct focal_buf scopes;
    if (!focal_oplog_veiled(job_oplog(j)))
        return;
    focal_buf_init(&scopes, 2048);
    veil_scopes(j, &scopes);
    need(list, "focalctl sync now", "an old copy of this office's database was put back: records are veiled until an office that was not restored itself "
         "has told what was redacted since (of %s); if none can be reached, two persons may run `focalctl veil lift --reason CODE`",
         scopes.len ? focal_buf_cstr(&scopes) : "the network");
    focal_buf_close(&scopes);
}

/* ---- incidents in status ------------------------------------------------------------------------------------------------------ */

/* Seen of late, newest first; the rest stands in history. */
void need_incidents(struct job *j, json_t *list)
{
    struct focal_history row = { .number = 0 };
    const uint64_t span = (uint64_t)INCIDENT_DAYS * 86400000u, oldest = j->admin->now.wall_ms > span ? j->admin->now.wall_ms - span : 0;
    size_t told = 0;
    for (int looked = 0; looked < ROWS_LOOKED_AT_MAX && focal_node_prev_history(j->admin->is.node, row.number, &row) == FOCAL_OK; looked++) {
        struct focal_incident is;
        struct focal_buf what;
        char day[16], command[60];
        if (row.code != FOCAL_HISTORY_INCIDENT || row.detail_len != 9 || row.wall_ms < oldest
            || focal_node_incident(j->admin->is.node, focal_get_be64(row.detail), &is) != FOCAL_OK)
            continue;
        if (told++ == INCIDENTS_TOLD_MAX) {
            need(list, "focalctl history", "more incidents were seen");
            return;
        }
        focal_buf_init(&what, 1024);
        say_incident(&what, job_oplog(j), &is);
        day_print(day, (uint32_t)(row.wall_ms / 86400000u));
        const unsigned minutes = (unsigned)(row.wall_ms / 60000u % 1440u);
        (void)snprintf(command, sizeof command, is.kind == FOCAL_INCIDENT_FORK && job_may(j, FOCAL_MAY_READ | FOCAL_MAY_ENTRY) ? "focalctl history --proof %llu -o FILE" : "focalctl history",
                       (unsigned long long)is.number);
        need(list, command, "%s (incident %llu, seen %s %02u:%02u UTC; find out which copy is in use, and stop any other)", focal_buf_cstr(&what),
             (unsigned long long)is.number, day, minutes / 60, minutes % 60);
        focal_buf_close(&what);
    }
}
