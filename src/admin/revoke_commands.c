/* Taking rights back: what this office holds of another's logs, and the cut that is to be signed by what is known. */
#include "job.h"

#include "focal/config.h"

#include <string.h>

enum { KEYS_MAX = 32, TIPS_KNOWN_MAX = 512, KNOWN_FILES_MAX = 16 };

/* One tip of a log of the office, and who told of it. */
struct known_tip { struct focal_key author; struct focal_scope scope; uint8_t lane; struct focal_cut_tip is; bool dropped; char by[16]; };
struct known {
    struct focal_office office;
    struct focal_key keys[KEYS_MAX]; size_t key_count;
    struct known_tip tips[TIPS_KNOWN_MAX]; size_t tip_count;
    bool too_many;
};

/* ---- what is known ---- */

static void add_key(struct known *k, const struct focal_key *key)
{
    for (size_t i = 0; i < k->key_count; i++)
        if (focal_key_equal(&k->keys[i], key))
            return;
    if (k->key_count == KEYS_MAX)
        k->too_many = true;
    else
        k->keys[k->key_count++] = *key;
}

/* Every key that a certificate ever gave the office. */
static void keys_of(struct focal_oplog *ol, struct known *k)
{
    struct focal_subject subject;
    for (size_t i = 0; focal_oplog_subject(ol, i, &subject); i++) {
        struct focal_span bytes;
        for (size_t n = 0; focal_oplog_subject_statement(ol, subject.subject, n, &bytes); n++) {
            struct focal_statement s;
            if (focal_statement_decode(&s, bytes) == FOCAL_OK && s.kind == FOCAL_STATEMENT_CERTIFICATE
                && strcmp(s.is.certificate.office.text, k->office.text) == 0)
                add_key(k, &s.is.certificate.keys.sign);
        }
    }
}

static void add_tip(struct known *k, const struct known_tip *tip)
{
    for (size_t i = 0; i < k->tip_count; i++)
        if (memcmp(&k->tips[i].is, &tip->is, sizeof tip->is) == 0)
            return;
    if (k->tip_count == TIPS_KNOWN_MAX)
        k->too_many = true;
    else
        k->tips[k->tip_count++] = *tip;
}

static bool is_key(const struct known *k, const struct focal_key *key)
{
    for (size_t i = 0; i < k->key_count; i++)
        if (focal_key_equal(&k->keys[i], key))
            return true;
    return false;
}

static void held_here(struct job *j, struct known *k)
{
    struct focal_oplog *ol = job_oplog(j);
    struct focal_office us;
    focal_node_office(j->admin->is.node, &us);
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        struct known_tip tip = { .author = log->name.author, .scope = log->scope, .lane = log->name.lane, .is = { .log = log->id, .tip = log->head } };
        if (log->head.seq == log->base.seq || !is_key(k, &log->name.author))
            continue;
        memcpy(tip.by, us.text, strlen(us.text) + 1);
        add_tip(k, &tip);
    }
}

static bool tip_of_json(const json_t *one, struct known_tip *tip)
{
    const char *author = json_string_value(json_object_get(one, "key")), *log = json_string_value(json_object_get(one, "log"));
    const char *scope = json_string_value(json_object_get(one, "scope")), *h = json_string_value(json_object_get(one, "h"));
    const char *lane = json_string_value(json_object_get(one, "lane"));
    const json_int_t seq = json_integer_value(json_object_get(one, "sequence"));
    if (!author || !log || !scope || !h || !lane || seq <= 0)
        return false;
    tip->is.tip.seq = (uint64_t)seq;
    tip->lane = strcmp(lane, "notices") == 0 ? FOCAL_LANE_NOTICES : FOCAL_LANE_DATA;
    return focal_unhex(tip->author.b, 32, focal_span_text(author)) && focal_unhex(tip->is.log.b, 16, focal_span_text(log))
        && focal_unhex(tip->is.tip.h.b, 32, focal_span_text(h)) && focal_scope_parse(&tip->scope, focal_span_text(scope));
}

/* What members of scopes that this office does not read have told, in files that `office heads` wrote there. */
static enum focal_status told_by_files(struct job *j, struct known *k, struct focal_error *err)
{
    const json_t *files = json_object_get(j->with, "known");
    if (json_array_size(files) > KNOWN_FILES_MAX)
        return focal_fail(err, FOCAL_TOO_BIG, "", "at most %d files of known heads", KNOWN_FILES_MAX);
    for (size_t f = 0; f < json_array_size(files); f++) {
        const json_t *file = json_array_get(files, f), *heads = json_object_get(file, "heads");
        const char *of = json_string_value(json_object_get(file, "office")), *by = json_string_value(json_object_get(file, "by"));
        char network[65];
        focal_hex(network, focal_oplog_network(job_oplog(j))->b, 32);
        const char *theirs = json_string_value(json_object_get(file, "network"));
        if (!of || !by || !theirs || !json_is_array(heads) || strlen(by) >= sizeof k->tips[0].by)
            return focal_fail(err, FOCAL_MALFORMED, "make it with `focalctl office heads CODE -o FILE`", "file %zu of --known is not a list of heads", f + 1);
        if (strcmp(network, theirs) != 0 || strcmp(of, k->office.text) != 0)
            return focal_fail(err, FOCAL_REFUSED, "ask for the heads of this office", "file %zu of --known speaks of another office or network", f + 1);
        for (size_t i = 0; i < json_array_size(heads); i++) {
            struct known_tip tip = { .lane = 0 };
            if (!tip_of_json(json_array_get(heads, i), &tip) || !is_key(k, &tip.author))
                return focal_fail(err, FOCAL_MALFORMED, "make it again with `focalctl office heads`", "head %zu in file %zu of --known is malformed", i + 1, f + 1);
            memcpy(tip.by, by, strlen(by) + 1);
            add_tip(k, &tip);
        }
    }
    return FOCAL_OK;
}

static bool same_hash(const void *wanted, const struct focal_hash *h) { return focal_hash_equal(wanted, h); }

/* A tip that leads to another one held here need not be said. */
static void drop_led_to(struct focal_oplog *ol, struct known *k)
{
    for (size_t i = 0; i < k->tip_count; i++) {
        const struct focal_log *line = NULL;
        const struct focal_cut_tip *tip = &k->tips[i].is;
        if (focal_oplog_line_with(ol, &tip->log, tip->tip.seq, same_hash, &tip->tip.h, &line) == FOCAL_OK)
            k->tips[i].dropped = line->head.seq > tip->tip.seq;
    }
}

static const char *lane_word(uint8_t lane) { return lane == FOCAL_LANE_NOTICES ? "notices" : "data"; }

static json_t *tip_json(const struct known_tip *t)
{
    char scope[16];
    json_t *one = json_object();
    focal_scope_print(scope, &t->scope);
    json_object_set_new(one, "key", hex_json(t->author.b, 32));
    json_object_set_new(one, "log", hex_json(t->is.log.b, 16));
    json_object_set_new(one, "scope", json_string(scope));
    json_object_set_new(one, "lane", json_string(lane_word(t->lane)));
    json_object_set_new(one, "sequence", json_integer((json_int_t)t->is.tip.seq));
    json_object_set_new(one, "h", hex_json(t->is.tip.h.b, 32));
    return one;
}

static enum focal_status known_of(struct job *j, struct known **out, struct focal_error *err)
{
    const char *text = job_text(j, "office");
    *out = NULL;
    struct known *k = job_own(j, sizeof *k, NULL);
    if (!k)
        return focal_fail(err, FOCAL_NO_MEMORY, "", "no memory");
    if (!text)
        return focal_fail(err, FOCAL_USAGE, "name it by its code", "which office?");
    enum focal_status st = office_find(job_oplog(j), text, &k->office, err);
    if (st != FOCAL_OK)
        return st;
    keys_of(job_oplog(j), k);
    held_here(j, k);
    *out = k;
    return st;
}

/* ---- office.heads ---- */

enum job_state run_heads(struct job *j)
{
    struct focal_error err;
    struct known *k;
    struct focal_office us;
    if (known_of(j, &k, &err) != FOCAL_OK)
        return job_fail(j, &err);
    json_t *out = json_object(), *heads = json_array();
    focal_node_office(j->admin->is.node, &us);
    for (size_t i = 0; i < k->tip_count; i++)
        json_array_append_new(heads, tip_json(&k->tips[i]));
    json_object_set_new(out, "office", text_json(k->office.text));
    json_object_set_new(out, "by", text_json(us.text));
    json_object_set_new(out, "network", hex_json(focal_oplog_network(job_oplog(j))->b, 32));
    json_object_set_new(out, "day", day_json(job_today(j)));
    json_object_set_new(out, "heads", heads);
    return job_one(j, out);
}

/* ---- office.revoke.begin ---- */

/* 1 + the highest number that was given to this key and reach. */
static uint64_t next_number(struct focal_oplog *ol, const struct focal_key *key, const struct focal_reach *reach)
{
    uint64_t number = 1;
    const struct focal_cut *cut;
    for (size_t i = 0; (cut = focal_oplog_cut_at(ol, i)) != NULL; i++)
        if (focal_key_equal(&cut->key, key) && focal_reach_equal(&cut->reach, reach) && cut->number >= number)
            number = cut->number + 1;
    return number;
}

static bool named(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_is_string(json_array_get(list, i)) && strcmp(json_string_value(json_array_get(list, i)), text) == 0)
            return true;
    return false;
}

/* A scope in which it may have written, which this office does not read and of which nobody told: all of it would be void. */
static enum focal_status scopes_heard(struct job *j, const struct known *k, const struct focal_certificate *c, const struct focal_reach *reach, struct focal_error *err)
{
    const struct focal_certificate *mine = focal_oplog_mine(job_oplog(j));
    for (size_t i = 0; i < c->write_count; i++) {
        const struct focal_scope *scope = &c->write[i];
        char name[16];
        bool told = mine && focal_oplog_reads(mine, scope);
        focal_scope_print(name, scope);
        for (size_t t = 0; t < k->tip_count; t++)
            told = told || focal_scope_compare(&k->tips[t].scope, scope) == 0;
        if (told || named(json_object_get(j->with, "void"), name)
            || (reach->kind == FOCAL_REACH_SCOPE && focal_scope_compare(&reach->scope, scope) != 0))
            continue;
        return focal_fail(err, FOCAL_REFUSED, "ask a member of that scope for `focalctl office heads CODE -o FILE` and add --known FILE; or --void SCOPE, if nothing is to stay",
                          "this office does not read %s, and nobody told what %s wrote there: all of it would be void", name, k->office.text);
    }
    return FOCAL_OK;
}

/* By every certificate that ever let one of the keys write. */
static enum focal_status nothing_unheard(struct job *j, const struct known *k, const struct focal_reach *reach, struct focal_error *err)
{
    struct focal_oplog *ol = job_oplog(j);
    struct focal_subject subject;
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; focal_oplog_subject(ol, i, &subject) && st == FOCAL_OK; i++) {
        struct focal_span bytes;
        for (size_t n = 0; focal_oplog_subject_statement(ol, subject.subject, n, &bytes) && st == FOCAL_OK; n++) {
            struct focal_statement s;
            if (focal_statement_decode(&s, bytes) == FOCAL_OK && s.kind == FOCAL_STATEMENT_CERTIFICATE && is_key(k, &s.is.certificate.keys.sign))
                st = scopes_heard(j, k, &s.is.certificate, reach, err);
        }
    }
    return st;
}

/* Keys from which this reach was not taken yet; again: those from which it was, to move the line. */
static enum focal_status choose_keys(struct job *j, struct known *k, const struct focal_reach *reach, struct focal_error *err)
{
    const bool again = job_flag(j, "again");
    size_t kept = 0;
    for (size_t i = 0; i < k->key_count; i++) {
        if ((next_number(job_oplog(j), &k->keys[i], reach) > 1) == again)
            k->keys[kept++] = k->keys[i];
    }
    k->key_count = kept;
    if (kept > 0)
        return FOCAL_OK;
    return again ? focal_fail(err, FOCAL_NOT_FOUND, "leave --again out", "nothing of this was taken from %s before", k->office.text)
                 : focal_fail(err, FOCAL_EXISTS, "--again moves the line that was drawn", "this was taken from every key of %s before", k->office.text);
}

static enum focal_status reach_of(struct job *j, struct focal_reach *reach, struct focal_error *err)
{
    const char *scope = job_text(j, "scope"), *right = job_text(j, "right");
    *reach = (struct focal_reach){ .kind = FOCAL_REACH_EVERYTHING };
    if (scope && right)
        return focal_fail(err, FOCAL_USAGE, "make two cuts of it", "one cut takes a scope or a right, not both");
    if (scope && (!focal_scope_parse(&reach->scope, focal_span_text(scope)) || reach->scope.cls > FOCAL_SCOPE_COUNTRY))
        return focal_fail(err, FOCAL_USAGE, "network or country:KEN", "\"%.20s\" is not a scope", scope);
    if (right && strcmp(right, "redact") != 0)
        return focal_fail(err, FOCAL_USAGE, "redact", "\"%.20s\" is not a right", right);
    if (scope)
        reach->kind = FOCAL_REACH_SCOPE;
    if (right)
        *reach = (struct focal_reach){ .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT };
    return FOCAL_OK;
}

static bool within(const struct known_tip *t, const struct focal_key *key, const struct focal_reach *reach)
{
    return !t->dropped && focal_key_equal(&t->author, key)
        && (reach->kind != FOCAL_REACH_SCOPE || focal_scope_compare(&t->scope, &reach->scope) == 0)
        && (reach->kind != FOCAL_REACH_RIGHT || t->lane == FOCAL_LANE_NOTICES);
}

static enum focal_status cut_of(struct job *j, const struct known *k, const struct focal_key *key, const struct focal_reach *reach, uint8_t reason,
                                struct focal_buf *body, struct focal_error *err)
{
    struct focal_cut cut = { .office = k->office, .key = *key, .reach = *reach, .number = next_number(job_oplog(j), key, reach), .day = job_today(j), .reason = reason };
    struct focal_buf tips;
    focal_buf_init(&tips, FOCAL_STATEMENT_MAX);
    size_t count = 0;
    for (size_t i = 0; i < k->tip_count; i++) {
        if (!within(&k->tips[i], key, reach))
            continue;
        if (++count <= FOCAL_CUT_TIPS_MAX)
            focal_cut_tip_put(&tips, &k->tips[i].is);
    }
    enum focal_status st = FOCAL_OK;
    if (k->too_many || count > FOCAL_CUT_TIPS_MAX)
        st = focal_fail(err, FOCAL_TOO_BIG, "cut its scopes one by one: --scope", "%s has written more logs than one cut can name", k->office.text);
    cut.tips = focal_buf_view(&tips);
    if (st == FOCAL_OK)
        focal_cut_encode(body, &cut);
    focal_buf_close(&tips);
    return st == FOCAL_OK && body->failed ? focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the cut") : st;
}

json_t *body_json(struct focal_span body)
{
    char hex[2 * FOCAL_STATEMENT_MAX + 1];
    focal_assert(body.len <= FOCAL_STATEMENT_MAX);
    focal_hex(hex, body.data, body.len);
    return json_string(hex);
}

/* A body for each of the keys. */
static enum focal_status bodies_of(struct job *j, const struct known *k, const struct focal_reach *reach, uint8_t reason, json_t *bodies, struct focal_error *err)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < k->key_count && st == FOCAL_OK; i++) {
        struct focal_buf body;
        focal_buf_init(&body, FOCAL_STATEMENT_MAX);
        st = cut_of(j, k, &k->keys[i], reach, reason, &body, err);
        if (st == FOCAL_OK)
            json_array_append_new(bodies, body_json(focal_buf_view(&body)));
        focal_buf_close(&body);
    }
    return st;
}

static json_t *view_json(const struct known *k, const struct focal_reach *reach)
{
    json_t *list = json_array();
    for (size_t i = 0; i < k->tip_count; i++) {
        json_t *one = tip_json(&k->tips[i]);
        bool counts = false;
        for (size_t key = 0; key < k->key_count; key++)
            counts = counts || within(&k->tips[i], &k->keys[key], reach);
        json_object_set_new(one, "by", text_json(k->tips[i].by));
        json_object_set_new(one, "listed", json_boolean(counts));
        json_array_append_new(list, one);
    }
    return list;
}

/* What the authority signed of these keys, and the keys: who signs looks whether they are that office's. */
static void put_keys(struct job *j, const struct known *k, json_t *out)
{
    json_t *keys = json_array(), *list = json_array(), *roots = json_array();
    struct focal_subject subject;
    for (size_t i = 0; i < k->key_count; i++)
        json_array_append_new(keys, hex_json(k->keys[i].b, sizeof k->keys[i].b));
    for (size_t i = 0; focal_oplog_subject(job_oplog(j), i, &subject); i++) {
        struct focal_span bytes;
        for (size_t n = 0; focal_oplog_subject_statement(job_oplog(j), subject.subject, n, &bytes); n++) {
            struct focal_statement s;
            if (focal_statement_decode(&s, bytes) != FOCAL_OK)
                continue;
            if (s.kind == FOCAL_STATEMENT_CERTIFICATE && is_key(k, &s.is.certificate.keys.sign))
                json_array_append_new(list, body_json(bytes));
            if (s.kind == FOCAL_STATEMENT_GENESIS || s.kind == FOCAL_STATEMENT_AUTHORITY)       /* what an earlier authority signed may stay good */
                json_array_append_new(roots, body_json(bytes));
        }
    }
    json_object_set_new(out, "keys", keys);
    json_object_set_new(out, "certificates", list);
    json_object_set_new(out, "roots", roots);
}

/* Of an office that is let go all stays: what came since the list was made must stand in it. */
bool cut_misses(struct focal_oplog *ol, const struct focal_cut *cut)
{
    bool misses = false;
    for (size_t i = 0; i < focal_oplog_log_count(ol) && !misses; i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        if (!focal_key_equal(&log->name.author, &cut->key) || focal_log_tip(log)->seq <= log->base.seq)
            continue;
        misses = true;
        for (size_t k = 0; k < focal_cut_tip_count(cut) && misses; k++) {
            struct focal_cut_tip tip;
            focal_cut_tip_get(&tip, cut, k);
            misses = !focal_id_equal(&tip.log, &log->id) || tip.tip.seq < focal_log_tip(log)->seq;
        }
    }
    return misses;
}

json_t *to_sign_json(struct job *j, const struct focal_office *office, json_t *bodies)
{
    json_t *out = json_object();
    json_object_set_new(out, "office", text_json(office->text));
    json_object_set_new(out, "network", hex_json(focal_oplog_network(job_oplog(j))->b, 32));
    put_authority(out, job_oplog(j));
    json_object_set_new(out, "dir", text_json(j->admin->is.dir));
    json_object_set_new(out, "bodies", bodies);
    return out;
}

enum job_state run_revoke_begin(struct job *j)
{
    struct focal_error err;
    struct known *k;
    struct focal_reach reach;
    const char *reason_text = job_text(j, "reason");
    static const struct { const char *word; uint8_t code; } reasons[] = { { "revoked", FOCAL_CUT_REVOKED }, { "retired", FOCAL_CUT_RETIRED },
        { "key_stolen", FOCAL_CUT_KEY_STOLEN }, { "narrowed", FOCAL_CUT_NARROWED } };
    uint8_t reason = reason_text ? 0 : FOCAL_CUT_REVOKED;
    for (size_t i = 0; reason_text && i < sizeof reasons / sizeof *reasons; i++)
        reason = strcmp(reasons[i].word, reason_text) == 0 ? reasons[i].code : reason;
    if (reason == 0)
        return job_failf(j, FOCAL_USAGE, "revoked, key_stolen, retired or narrowed", "\"%.20s\" is not a reason", reason_text);
    struct focal_peer_status p;
    json_t *bodies = json_array();
    enum focal_status st = known_of(j, &k, &err);
    if (st == FOCAL_OK)
        st = told_by_files(j, k, &err);
    if (st == FOCAL_OK)
        st = reach_of(j, &reach, &err);
    if (st == FOCAL_OK && reason == FOCAL_CUT_RETIRED && !(peer_find(j, k->office.text, &p) && peer_synced(j, &p)))
        st = focal_fail(&err, FOCAL_CONFLICT, "`focalctl status` shows what is on its way; or `office revoke`, if it will not come any more",
                        "%s does not stand equal with this office: what it wrote last might be lost", k->office.text);
    if (st == FOCAL_OK)
        st = choose_keys(j, k, &reach, &err);
    if (st == FOCAL_OK)
        st = nothing_unheard(j, k, &reach, &err);
    if (st == FOCAL_OK) {
        drop_led_to(job_oplog(j), k);
        st = bodies_of(j, k, &reach, reason, bodies, &err);
    }
    if (st != FOCAL_OK) {
        json_decref(bodies);
        return job_fail(j, &err);
    }
    json_t *out = to_sign_json(j, &k->office, bodies);
    json_object_set_new(out, "known", view_json(k, &reach));
    put_keys(j, k, out);
    return job_one(j, out);
}

/* ---- network.show, and what is beyond ---- */

uint64_t beyond_cut(struct focal_oplog *ol, const struct focal_key *key)
{
    uint64_t beyond = 0;
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        if (focal_key_equal(&log->name.author, key) && log->clipped)
            beyond += log->head.seq - focal_log_tip(log)->seq;
    }
    return beyond;
}

const char *cut_reason(uint8_t reason)
{
    static const char *const words[] = { "-", "retired", "revoked", "key_stolen", "narrowed" };
    return words[reason < sizeof words / sizeof *words ? reason : 0];
}

static json_t *cut_json(struct focal_oplog *ol, const struct focal_cut *cut)
{
    char scope[16];
    json_t *one = json_object();
    focal_scope_print(scope, &cut->reach.scope);
    json_object_set_new(one, "office", text_json(cut->office.text));
    json_object_set_new(one, "key", hex_json(cut->key.b, 32));
    json_object_set_new(one, "reach", json_string(cut->reach.kind == FOCAL_REACH_EVERYTHING ? "everything" : cut->reach.kind == FOCAL_REACH_RIGHT ? "redact" : scope));
    json_object_set_new(one, "number", json_integer((json_int_t)cut->number));
    json_object_set_new(one, "day", day_json(cut->day));
    json_object_set_new(one, "reason", json_string(cut_reason(cut->reason)));
    json_object_set_new(one, "beyond", json_integer((json_int_t)beyond_cut(ol, &cut->key)));
    return one;
}

/* Who may renew by itself, as the authority said last. */
static json_t *delegations_json(struct focal_oplog *ol)
{
    json_t *list = json_array();
    const struct focal_certificate *c;
    for (size_t i = 0; (c = focal_oplog_office_at(ol, i)) != NULL; i++) {
        struct focal_delegation d;
        struct focal_span statement;
        if (!focal_oplog_delegation(ol, &c->office, &d, &statement) || !d.key_set)
            continue;
        json_t *one = json_object();
        json_object_set_new(one, "office", text_json(d.office.text));
        json_object_set_new(one, "key", hex_json(d.key.b, 32));
        json_object_set_new(one, "until", day_json(d.until_day));
        json_array_append_new(list, one);
    }
    return list;
}

json_t *two_persons_json(struct focal_oplog *ol)
{
    struct focal_policy p;
    struct focal_buf text;
    if (!focal_oplog_policy(ol, FOCAL_POLICY_TWO_PERSONS, &p))
        return json_null();
    focal_buf_init(&text, 100);
    focal_two_persons_print(&text, (uint32_t)p.value);
    json_t *out = text_json(focal_buf_cstr(&text));
    focal_buf_close(&text);
    return out;
}

enum job_state run_network(struct job *j)
{
    struct focal_oplog *ol = job_oplog(j);
    const struct focal_genesis *g = focal_oplog_genesis(ol);
    const struct focal_cut *cut;
    struct focal_hash set;
    json_t *out = json_object(), *cuts = json_array();
    size_t offices = 0, revoked = 0;
    for (; focal_oplog_office_at(ol, offices); offices++)
        revoked += focal_oplog_cut_of(ol, &focal_oplog_office_at(ol, offices)->keys.sign) != NULL;
    for (size_t i = 0; (cut = focal_oplog_cut_at(ol, i)) != NULL; i++)
        json_array_append_new(cuts, cut_json(ol, cut));
    focal_oplog_statements_hash(ol, &set);
    json_object_set_new(out, "network", text_json(g->label));
    json_object_set_new(out, "id", hex_json(focal_oplog_network(ol)->b, 32));
    put_authority(out, ol);
    json_object_set_new(out, "recovery", hex_json(g->recovery.b, 32));
    json_object_set_new(out, "founded", day_json(g->day));
    json_object_set_new(out, "expiry_stops", json_boolean(g->expiry_stops));
    json_object_set_new(out, "offices", json_integer((json_int_t)(offices - revoked)));
    json_object_set_new(out, "revoked", json_integer((json_int_t)revoked));
    json_object_set_new(out, "statements", hex_json(set.b, 32));
    json_object_set_new(out, "cuts", cuts);
    json_object_set_new(out, "delegations", delegations_json(ol));
    json_object_set_new(out, "two_persons", two_persons_json(ol));
    return job_one(j, out);
}
