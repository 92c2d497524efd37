/* status and matrix: what this node knows, and what needs a person. */
#include "job.h"

#include "focal/store.h"

#include <stdio.h>
#include <string.h>

/* LOOKS_MAX: the index also holds withdrawn cases that are somebody else's to look at. */
enum { NEEDS_MAX = 20, LOOKS_MAX = 400, JOINS_MAX = 64, STATUS_WAIT_MS = 60000, EXPIRY_WARN_DAYS = 60, EXPIRY_SOON_DAYS = 30, EXPIRY_LAST_DAYS = 7 };

static const char *const link_words[] = { "up", "offline", "refused", "paused", "unknown" };

static json_t *number_or_null(bool known, uint64_t n)
{
    return known ? json_integer((json_int_t)n) : json_null();
}

static void put_time(char out[32], uint64_t ms)
{
    uint64_t s = ms / 1000;
    if (s < 90)
        (void)snprintf(out, 32, "%llu s", (unsigned long long)s);
    else if (s < 5400)
        (void)snprintf(out, 32, "%llu min", (unsigned long long)(s + 30) / 60);
    else
        (void)snprintf(out, 32, "%llu h", (unsigned long long)(s + 1800) / 3600);
}

static json_t *why_json(const struct focal_peer_status *p)
{
    char text[300], next[32];
    if ((p->link == FOCAL_LINK_UP && !p->they_pause && !p->revoked && !p->limited) || !p->why[0])
        return json_null();
    int used = snprintf(text, sizeof text, "%s", p->why);
    if (p->link == FOCAL_LINK_OFFLINE && p->tries && used > 0) {
        put_time(next, p->next_try_in_ms);
        (void)snprintf(text + used, sizeof text - (size_t)used, "; %u %s, next in %s", (unsigned)p->tries, p->tries == 1 ? "try" : "tries",
                       p->will_try ? next : "no time set");
    }
    return text_json(text);
}

static json_t *peer_json(const struct focal_peer_status *p)
{
    json_t *out = json_object();
    json_object_set_new(out, "code", text_json(p->office.text[0] ? p->office.text : "-"));
    json_object_set_new(out, "role", json_string(p->role == FOCAL_ROLE_HQ ? "hq" : "office"));
    json_object_set_new(out, "link", json_string(link_words[p->link]));
    json_object_set_new(out, "last_heard_s", number_or_null(p->heard, p->heard_ago_ms / 1000));
    json_object_set_new(out, "they_lack", number_or_null(p->they_lack_known, p->they_lack));
    json_object_set_new(out, "we_lack", number_or_null(p->we_lack_known, p->we_lack));
    json_object_set_new(out, "why", why_json(p));
    json_object_set_new(out, "equal", json_boolean(p->equal));
    json_object_set_new(out, "tries", json_integer((json_int_t)p->tries));
    json_object_set_new(out, "round_trip_ms", p->round_trip_ms < 0 ? json_null() : json_integer((json_int_t)p->round_trip_ms));
    if (p->certificate)
        json_object_set_new(out, "membership_to", day_json(p->certificate->to_day));
    if (p->limited)
        json_object_set_new(out, "limited", json_true());
    if (p->revoked)
        json_object_set_new(out, "revoked", json_true());
    return out;
}

/* ---- needs you ---- */

void need(json_t *list, const char *command, const char *fmt, ...)
{
    char what[600];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    json_t *one = json_object();
    json_object_set_new(one, "what", text_json(what));
    json_object_set_new(one, "command", command ? text_json(command) : json_null());
    json_array_append_new(list, one);
}

static void need_withdrawal(json_t *list, struct focal_oplog *oplog, const struct focal_record *r, const char *code)
{
    char command[100];
    const struct focal_live *live = focal_record_withdrawn_by(r);
    const struct focal_certificate *author = live ? focal_oplog_author(oplog, &live->ref.log) : NULL;
    if (!withdrawal_needs_person(r))
        return;
    (void)snprintf(command, sizeof command, "focalctl %s show %s", r->kind ? r->kind->name : "case", code);
    if (focal_record_withdrawal(r) == FOCAL_WITHDRAWAL_CHANGED)
        need(list, command, "%s was changed after it was withdrawn", code);
    else
        need(list, command, "%s was withdrawn by %s, which does not see its country fields", code, author ? author->office.text : "an office not known here");
}

static void need_record(json_t *list, struct focal_oplog *oplog, const struct focal_record *r)
{
    char code[32], command[100];
    focal_oplog_record_code(oplog, &r->ref, code);
    need_withdrawal(list, oplog, r, code);
    for (size_t i = 0; i < r->slot_count; i++) {
        if (!slot_needs_person(r, &r->slots[i]))
            continue;
        struct focal_buf name;
        focal_buf_init(&name, 256);
        slot_name(&name, &r->slots[i]);
        (void)snprintf(command, sizeof command, "focalctl %s conflicts %s", r->kind ? r->kind->name : "case", code);
        need(list, command, "%s has two versions of \"%s\"", code, focal_buf_cstr(&name));
        focal_buf_close(&name);
    }
}

static void need_less(json_t *list, struct focal_oplog *oplog, const struct focal_record *r)
{
    char code[32], command[96];
    if (!r->more)
        return;
    focal_oplog_record_code(oplog, &r->ref, code);
    (void)snprintf(command, sizeof command, "focalctl %s conflicts %s", r->kind ? r->kind->name : "case", code);
    need(list, command, "%s holds more values at once than can be shown", code);
}

static void need_conflicts(struct job *j, json_t *list)
{
    struct focal_oplog *oplog = job_oplog(j);
    struct focal_ref at, next;
    bool started = false;
    int told = 0;
    for (int n = 0; focal_oplog_next_conflict(oplog, NULL, started ? &at : NULL, &next) == FOCAL_OK; n++) {
        struct focal_record_view view;
        if (told == NEEDS_MAX || n == LOOKS_MAX) {
            need(list, "focalctl case conflicts", "more records have two versions");
            return;
        }
        if (focal_oplog_record(oplog, NULL, &next, &view) != FOCAL_OK)
            return;
        told += record_needs_person(&view.record);
        need_record(list, oplog, &view.record);
        need_less(list, oplog, &view.record);
        focal_record_view_close(&view);
        at = next;
        started = true;
    }
}

static void need_joins(struct job *j, json_t *list)
{
    struct focal_join_waiting *joins = focal_alloc(JOINS_MAX * sizeof *joins);
    size_t count = joins ? focal_node_waiting_joins(j->admin->is.node, joins, JOINS_MAX) : 0;
    for (size_t i = 0; i < count; i++) {
        char command[80];
        if (!joins[i].joined || joins[i].admitted || joins[i].closed)
            continue;
        (void)snprintf(command, sizeof command, "focalctl office admit %s", joins[i].office.text);
        need(list, command, "%s asks to be admitted", joins[i].office.text);
    }
    focal_free(joins);
}

static int64_t days_left(const struct focal_certificate *c, uint32_t today) { return (int64_t)c->to_day - today; }

/* The fewer days are left, the plainer: at 60, 30 and 7. */
static void need_renewal(struct job *j, json_t *list, const struct focal_certificate *c, bool ours, bool hq)
{
    const enum focal_expiry expiry = focal_node_expiry(j->admin->is.node, j->admin->now, c);
    const bool stops = focal_oplog_genesis(job_oplog(j))->expiry_stops;
    const int64_t left = days_left(c, job_today(j));
    char whose[40], day[16], command[60];
    (void)snprintf(whose, sizeof whose, "%s", ours ? "this office" : c->office.text);
    (void)snprintf(command, sizeof command, "focalctl office renew %s", c->office.text);
    const char *what_to_do = hq ? command : NULL, *must = hq ? "renew it" : "headquarters must renew it";
    day_print(day, c->to_day);
    if (expiry == FOCAL_EXPIRY_EXPIRED)
        need(list, what_to_do, "the membership of %s expired %s%s; %s", whose, day, stops ? ", so what it writes is taken in and it is given nothing new" : "", must);
    else if (expiry == FOCAL_EXPIRY_BY_US)
        need(list, what_to_do, "by this machine's clock alone the membership of %s expired %s; %s", whose, day, must);
    else if (expiry == FOCAL_EXPIRY_BY_OTHERS)
        need(list, what_to_do, "by the days that others give the membership of %s expired %s, and this machine's clock may be behind; %s", whose, day, must);
    else if (left < EXPIRY_WARN_DAYS)
        need(list, what_to_do, "the membership of %s ends in %lld day%s, on %s%s; %s", whose, (long long)left, left == 1 ? "" : "s", day,
             left <= EXPIRY_LAST_DAYS ? ": this is urgent" : left <= EXPIRY_SOON_DAYS ? ": it is time" : "", must);
}

static void need_membership(struct job *j, json_t *list)
{
    const struct focal_certificate *mine = focal_oplog_mine(job_oplog(j)), *other;
    uint32_t today = job_today(j);
    uint64_t invitation = 0;
    focal_node_words_invitation(j->admin->is.node, &invitation);
    if (!focal_node_admitted(j->admin->is.node)) {
        const char *words[8];
        struct focal_buf all;
        focal_buf_init(&all, 200);
        focal_eight_words(words, focal_oplog_network(job_oplog(j)), invitation, j->admin->is.keys);
        for (int i = 0; i < 8; i++)
            focal_buf_printf(&all, "%s%s", i ? " " : "", words[i]);
        const uint32_t ends = focal_node_invitation_ends(j->admin->is.node);
        if (ends && ends < today) {
            char day[16];
            day_print(day, ends);
            need(list, NULL, "the invitation of this office was good until %s: ask headquarters for another, and set the office up anew with it", day);
        } else {
            need(list, NULL, "headquarters must admit this office; read these words to them: %s", focal_buf_cstr(&all));
        }
        focal_buf_close(&all);
    }
    const struct focal_cut *cut = mine ? focal_oplog_cut_of(job_oplog(j), &mine->keys.sign) : NULL;
    if (cut) {
        char day[16];
        day_print(day, cut->day);
        need(list, NULL, "the authority ended the membership of this office on %s (%s): nothing is sent to it, and what it writes counts nowhere", day, cut_reason(cut->reason));
        return;
    }
    for (size_t i = 0; mine && (other = focal_oplog_office_at(job_oplog(j), i)) != NULL; i++)
        if (!focal_oplog_cut_of(job_oplog(j), &other->keys.sign) && (other == mine || mine->role == FOCAL_ROLE_HQ || days_left(other, today) <= EXPIRY_LAST_DAYS))
            need_renewal(j, list, other, other == mine, mine->role == FOCAL_ROLE_HQ);
}

/* "ok", or "wrong: " and why. */
static void clock_print(char out[200], const struct focal_clock *c)
{
    char day[16], other[16], lost[32];
    day_print(day, c->day);
    day_print(other, c->expected_day);
    put_time(lost, c->lost_ms);
    switch (c->word) {
    case FOCAL_CLOCK_OK:
        (void)snprintf(out, 200, "ok");
        return;
    case FOCAL_CLOCK_BEFORE_PROGRAM:
        (void)snprintf(out, 200, "wrong: it says %s, this program was made on %s", day, other);
        return;
    case FOCAL_CLOCK_BEFORE_NETWORK:
        (void)snprintf(out, 200, "wrong: it says %s, the network was founded on %s", day, other);
        return;
    case FOCAL_CLOCK_BEFORE_MEMBERSHIP:
        (void)snprintf(out, 200, "wrong: it says %s, the membership of this office begins on %s", day, other);
        return;
    case FOCAL_CLOCK_NOT_AS_OTHERS:
        day_print(other, c->who_day);
        if (c->differ == 1)
            (void)snprintf(out, 200, "wrong here or at %s: it says %s, theirs %s", c->who.text, day, other);
        else
            (void)snprintf(out, 200, "wrong: it says %s, the clocks of %zu other offices, among them %s, %s", day, c->differ, c->who.text, other);
        return;
    case FOCAL_CLOCK_WENT_BACK:
        (void)snprintf(out, 200, "wrong: it says %s and was set back by %s, or was wrong before", day, lost);
        return;
    case FOCAL_CLOCK_STANDS:
        (void)snprintf(out, 200, "wrong: it says %s and stands still, %s behind", day, lost);
        return;
    }
    focal_assert(false);
}

static void need_clock(struct job *j, json_t *list)
{
    char text[200];
    struct focal_clock c;
    focal_node_clock(j->admin->is.node, j->admin->now, &c);
    clock_print(text, &c);
    if (c.word != FOCAL_CLOCK_OK)
        need(list, "timedatectl", "the clock of this machine is %s; set it right: nothing is lost by it, but days are recorded by it", text);
}

static void need_space(struct job *j, json_t *list)
{
    uint64_t wanted;
    enum focal_space space = focal_node_space(j->admin->is.node, &wanted);
    unsigned long long mib = (unsigned long long)(wanted >> 20) + 1;
    if (space == FOCAL_SPACE_SHORT)
        need(list, NULL, "the disk is nearly full: what other offices enter waits until %llu MiB more are free", mib);
    else if (space == FOCAL_SPACE_RESERVE)
        need(list, NULL, "the disk is full: only what is entered here is kept, in a small reserve, until %llu MiB more are free", mib);
    else if (space == FOCAL_SPACE_NONE)
        need(list, NULL, "the disk is full: nothing can be entered until %llu MiB more are free", mib);
}

static void need_salvaged(struct job *j, json_t *list)
{
    size_t count = focal_node_salvaged(j->admin->is.node, 1000);
    if (count)
        need(list, "focalctl sync now", "%zu stretch%s of the damaged database wait%s for entries before them that no other office has brought yet", count,
             count == 1 ? "" : "es", count == 1 ? "s" : "");
}

/* Told to everybody: it names no record. */
static void need_holes(struct job *j, json_t *list)
{
    uint64_t missing;
    if (focal_oplog_holes_count(job_oplog(j), &missing) == FOCAL_OK && missing > 0)
        need(list, "focalctl sync now", "what %llu %s here is missing: it was taken out, and no redaction that counts says so; every office is asked for it, "
             "and until it comes this office does not confirm to have what follows", (unsigned long long)missing, missing == 1 ? "entry says" : "entries say");
}

static void need_redactions(struct job *j, json_t *list)
{
    uint64_t hidden, refused;
    redactions_waiting(j, &hidden, &refused);
    if (hidden)
        need(list, "focalctl redaction list", "%llu %s hidden and %s for a second office to ask as well", (unsigned long long)hidden,
             hidden == 1 ? "entry is" : "entries are", hidden == 1 ? "waits" : "wait");
    if (refused)
        need(list, "focalctl refused", "others have redacted %llu %s of this office", (unsigned long long)refused, refused == 1 ? "entry" : "entries");
}

static void need_missing(struct job *j, json_t *list)
{
    struct focal_missing m;
    char command[FOCAL_OFFICE_MAX + 32];
    if (!focal_node_missing(j->admin->is.node, &m))
        return;
    (void)snprintf(command, sizeof command, "focalctl sync now %s", m.signed_by.text);
    need(list, command, "%llu %s%s%s, which %s has signed for, %s not come for %u min though links are up: %s", (unsigned long long)m.entries,
         m.entries == 1 ? "entry" : "entries", m.author.text[0] ? " of " : "", m.author.text, m.signed_by.text, m.entries == 1 ? "has" : "have", m.minutes,
         m.signer_linked ? "it withholds them, or its database is damaged" : "who passes on to this office withholds or lacks them; bring up another link");
}

/* Scopes of which nobody else is reached, and scopes that were left and hold what nobody else has. */
static void need_scopes(struct job *j, json_t *list)
{
    enum { LONG_MS = 7 * 24 * 3600 * 1000, SETTLED_MS = 10 * 60 * 1000 };
    struct focal_oplog *oplog = job_oplog(j);
    const struct focal_certificate *mine = focal_oplog_mine(oplog);
    const bool settled = j->admin->now.mono_ms - j->admin->is.started_mono_ms >= SETTLED_MS;     /* who dials us has had the time to */
    for (size_t i = 0; settled && mine && i < mine->read_count; i++) {
        struct focal_peer_status p;
        char name[16];
        size_t others = 0, reached = 0;
        focal_scope_print(name, &mine->read[i]);
        for (size_t k = 0; focal_node_peer(j->admin->is.node, j->admin->now, k, &p); k++) {
            if (!p.certificate || !focal_oplog_may_read(oplog, p.certificate, &mine->read[i]))
                continue;
            others++;
            reached += p.link == FOCAL_LINK_UP || p.will_try || (p.heard && p.heard_ago_ms < LONG_MS);
        }
        if (others > 0 && reached == 0)
            need(list, "focalctl status", "no way leads to another office of %s: none is linked, dialled or heard of for a week", name);
    }
    const struct focal_scope *left;
    size_t at = 0;
    uint64_t kept;
    while ((left = focal_oplog_next_left(oplog, &at, &kept)) != NULL) {
        char name[16];
        focal_scope_print(name, left);
        if (kept > 0)
            need(list, NULL, "%s was taken from this office; %llu %s there no office that may still read it is known to hold, so nothing of it is erased yet: ask headquarters", name,
                 (unsigned long long)kept, kept == 1 ? "entry" : "entries");
    }
}

static json_t *needs_json(struct job *j)
{
    json_t *list = json_array();
    const bool reads = job_may(j, FOCAL_MAY_READ | FOCAL_MAY_ENTRY);
    need_space(j, list);
    need_membership(j, list);
    need_clock(j, list);
    if (job_may(j, FOCAL_MAY_ADMIN))
        need_joins(j, list);
    need_veil(j, list);
    need_incidents(j, list);
    need_salvaged(j, list);
    need_requests(j, list);
    if (reads && !focal_oplog_veiled(job_oplog(j)))     /* it names records, and fields of them */
        need_conflicts(j, list);
    if (reads)
        need_redactions(j, list);
    if (job_may(j, FOCAL_MAY_ADMIN))    /* nobody else can mend it */
        need_store_key(j, list);
    need_scopes(j, list);
    need_holes(j, list);
    need_missing(j, list);
    return list;
}

/* ---- status ---- */

static void put_figures(struct job *j, json_t *out)
{
    struct focal_admin_figures f = { 0 };
    j->admin->is.figures(j->admin->is.data, &f);
    json_object_set_new(out, "stall_ms", json_real(f.stall_ms));
    json_object_set_new(out, "bytes_sent", json_integer((json_int_t)f.link_bytes_sent));
    json_object_set_new(out, "bytes_received", json_integer((json_int_t)f.link_bytes_received));
    json_object_set_new(out, "cpu_us", json_integer((json_int_t)f.cpu_us));
    json_object_set_new(out, "peak_kib", json_integer((json_int_t)f.peak_kib));
    json_object_set_new(out, "rss_kib", json_integer((json_int_t)f.rss_kib));
}

static void put_own(struct job *j, json_t *out)
{
    struct focal_node *node = j->admin->is.node;
    struct focal_oplog *oplog = job_oplog(j);
    const struct focal_certificate *mine = focal_oplog_mine(oplog);
    struct focal_office office;
    uint64_t bytes = 0;
    focal_node_office(node, &office);
    json_object_set_new(out, "office", text_json(office.text));
    json_object_set_new(out, "role", json_string(mine && mine->role == FOCAL_ROLE_HQ ? "hq" : "office"));
    json_object_set_new(out, "waiting", json_integer((json_int_t)focal_node_waiting(node)));
    json_object_set_new(out, "network", text_json(focal_oplog_genesis(oplog)->label));
    json_object_set_new(out, "admitted", json_boolean(focal_node_admitted(node)));
    json_object_set_new(out, "veiled", json_boolean(focal_oplog_veiled(oplog)));
    json_object_set_new(out, "membership_to", mine ? day_json(mine->to_day) : json_null());
    json_object_set_new(out, "membership_days", mine ? json_integer((json_int_t)mine->to_day - (json_int_t)job_today(j)) : json_null());
    json_object_set_new(out, "program", json_string(j->admin->is.program));
    json_object_set_new(out, "up_s", json_integer((json_int_t)((j->admin->now.mono_ms - j->admin->is.started_mono_ms) / 1000)));
    static const char *const space_words[] = { "ok", "disk nearly full", "disk full, on its reserve", "disk full" };
    uint64_t wanted = 0;
    enum focal_status st = focal_store_sizes(focal_node_store(node), &bytes);
    json_t *store = json_object();
    const char *state = space_words[focal_node_space(node, &wanted)];
    json_object_set_new(store, "state", json_string(st == FOCAL_OK ? state : "cannot be read"));
    json_object_set_new(store, "wanted_bytes", json_integer((json_int_t)wanted));
    json_object_set_new(store, "bytes", number_or_null(st == FOCAL_OK, bytes));
    json_object_set_new(out, "store", store);
    struct focal_clock clock;
    char text[200];
    focal_node_clock(node, j->admin->now, &clock);
    clock_print(text, &clock);
    json_object_set_new(out, "clock", text_json(text));
    json_object_set_new(out, "dir", text_json(j->admin->is.dir));
    json_object_set_new(out, "pid", json_integer(j->admin->is.pid));
    json_object_set_new(out, "listen", j->admin->is.listen ? text_json(j->admin->is.listen) : json_null());
    json_t *addresses = json_array();
    const char *list[FOCAL_ADDRESSES_MAX];
    size_t count = j->admin->is.addresses(j->admin->is.data, list, FOCAL_ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(addresses, text_json(list[i]));
    json_object_set_new(out, "addresses", addresses);
}

/* All of ours is durable there by its own receipts, and all it has is here. */
bool peer_synced(struct job *j, const struct focal_peer_status *p)
{
    return p->link == FOCAL_LINK_UP && p->we_lack_known && p->we_lack == 0 && p->they_lack_known && p->they_lack == 0
           && focal_node_receipted(j->admin->is.node, &p->office);
}

bool peer_find(struct job *j, const char *code, struct focal_peer_status *p)
{
    for (size_t i = 0; focal_node_peer(j->admin->is.node, j->admin->now, i, p); i++)
        if (strcasecmp(p->office.text, code) == 0)
            return true;
    return false;
}

/* OK: go on; MORE: wait. */
static enum focal_status status_wait(struct job *j, const char *wait, struct focal_error *err)
{
    struct focal_peer_status p;
    if (strncmp(wait, "synced=", 7) != 0 || !wait[7])
        return focal_fail(err, FOCAL_USAGE, "use --wait synced=HQ", "\"%.40s\" is not something to wait for", wait);
    bool known = peer_find(j, wait + 7, &p);
    if (known && peer_synced(j, &p))
        return FOCAL_OK;
    if (!job_waited(j, STATUS_WAIT_MS))
        return FOCAL_MORE;
    if (!known)
        return focal_fail(err, FOCAL_NOT_FOUND, "`focalctl office list` shows the offices of the network", "the network has no other office %.20s", wait + 7);
    return focal_fail(err, FOCAL_TIMEOUT, "work goes on; `focalctl status` shows what is on its way", "%s does not have everything yet", p.office.text);
}

enum job_state run_status(struct job *j)
{
    const char *wait = job_text(j, "wait"), *only = job_text(j, "office");
    struct focal_error err;
    struct focal_peer_status p;
    if (wait) {
        enum focal_status st = status_wait(j, wait, &err);
        if (st == FOCAL_MORE)
            return JOB_WAIT;
        if (st != FOCAL_OK)
            return job_fail(j, &err);
    }
    struct focal_office office;
    if (only && !peer_find(j, only, &p) && office_find(job_oplog(j), only, &office, &err) != FOCAL_OK)
        return job_fail(j, &err);
    json_t *out = json_object(), *offices = json_array();
    put_own(j, out);
    for (size_t i = 0; focal_node_peer(j->admin->is.node, j->admin->now, i, &p); i++)
        if (!only || strcasecmp(p.office.text, only) == 0)
            json_array_append_new(offices, peer_json(&p));
    json_object_set_new(out, "offices", offices);
    json_object_set_new(out, "needs_you", needs_json(j));
    put_figures(j, out);
    return job_one(j, out);
}

/* ---- matrix ---- */

enum job_state run_matrix(struct job *j)
{
    struct focal_oplog *oplog = job_oplog(j);
    const struct focal_certificate *of, *who;
    json_t *rows = json_array();
    for (size_t i = 0; (of = focal_oplog_office_at(oplog, i)); i++) {
        json_t *seen = json_object(), *row = json_object();
        for (size_t k = 0; (who = focal_oplog_office_at(oplog, k)); k++) {
            uint64_t have, ago_ms;
            bool known = focal_node_matrix(j->admin->is.node, j->admin->now, &of->office, &who->office, &have, &ago_ms);
            json_t *cell = json_object();
            json_object_set_new(cell, "have", number_or_null(known, have));
            json_object_set_new(cell, "asof_s", number_or_null(known, ago_ms / 1000));
            json_object_set_new(seen, who->office.text, cell);
        }
        json_object_set_new(row, "of", text_json(of->office.text));
        json_object_set_new(row, "seen", seen);
        json_array_append_new(rows, row);
    }
    json_t *out = json_object();
    json_object_set_new(out, "rows", rows);
    return job_one(j, out);
}
