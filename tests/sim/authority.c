/* What the authority does to a member in the middle of things: it takes everything, a scope, or the right to redact from its
 * key, or gives it a membership that lists less; it renews its membership, or lets headquarters do that.
 *
 * The tips of a cut are what members report: either all that run and read the scope, or the first of them alone, as where nobody
 * asked the others. What no reporter holds is lost, and only that is excused. */
#include "inner.h"

#include <string.h>

/* ---- who reports --------------------------------------------------------------------------------------------------- */

static bool could_report(const struct world *w, size_t r, const struct focal_scope *scope, int not)
{
    const struct sim_node *n = &w->nodes[r];
    return n->node && !n->malice && !n->cut && strcmp(n->code, w->nodes[not].code) != 0 && sim_reads(w, (int)r, scope);
}

bool sim_reports(const struct world *w, size_t r, const struct focal_scope *scope, int not, int who)
{
    for (size_t i = 0; i < r && who == WORLD_FIRST_REPORTS; i++)
        if (could_report(w, i, scope, not))
            return false;
    return could_report(w, r, scope, not) && (who < 0 || (size_t)who == r);
}

static bool same_hash(const void *wanted, const struct focal_hash *h) { return focal_hash_equal(wanted, h); }

/* Does it lead to another tip that somebody reports? */
static bool leads_on(struct world *w, int i, const struct focal_scope *scope, const struct focal_cut_tip *tip, int who)
{
    for (size_t r = 0; r < w->node_count; r++) {
        const struct focal_log *line = NULL;
        if (sim_reports(w, r, scope, i, who)
            && focal_oplog_line_with(focal_node_oplog(w->nodes[r].node), &tip->log, tip->tip.seq, same_hash, &tip->tip.h, &line) == FOCAL_OK
            && line->head.seq > tip->tip.seq)
            return true;
    }
    return false;
}

static void tips_of(struct world *w, int i, int who, struct focal_buf *tips)
{
    for (size_t r = 0; r < w->node_count; r++) {
        struct focal_oplog *ol = w->nodes[r].node ? focal_node_oplog(w->nodes[r].node) : NULL;
        for (size_t k = 0; ol && k < focal_oplog_log_count(ol); k++) {
            const struct focal_log *log = focal_oplog_log_at(ol, k);
            const struct focal_cut_tip tip = { .log = log->id, .tip = log->head };
            if (!focal_key_equal(&log->name.author, &w->nodes[i].keys.sign_public) || log->head.seq == log->base.seq
                || !sim_reports(w, r, &log->scope, i, who) || leads_on(w, i, &log->scope, &tip, who))
                continue;
            focal_cut_tip_put(tips, &tip);
        }
    }
}

/* ---- saying it ------------------------------------------------------------------------------------------------------ */

static struct sim_word *new_word(struct sim_node *n)
{
    struct sim_word *word = n->word_count < SIM_WORDS_MAX ? &n->words[n->word_count++] : NULL;
    if (word)
        focal_buf_init(&word->statement, FOCAL_STATEMENT_MAX);
    return word;
}

static void sign(struct world *w, struct focal_buf *statement, struct focal_buf *body)
{
    if (w->successions > 0)
        focal_statement_by(body, &w->authority.public);
    focal_statement_sign(statement, w->authority.secret, &w->network_id, focal_buf_view(body));
    focal_assert(!body->failed && !statement->failed);
    focal_buf_close(body);
}

/* Where the step goes wrong, or the disk of headquarters is put back, people bring it again: at the latest when all is healed. */
void sim_tell_words(struct world *w, int i)
{
    for (size_t k = 0; k <= w->nodes[i].word_count; k++) {
        enum focal_status answer = FOCAL_OK;
        struct focal_node_event ev = { .type = FOCAL_EVENT_STATEMENT, .answer = &answer };
        ev.is.statement = focal_buf_view(k == 0 ? &w->nodes[i].certificate : &w->nodes[i].words[k - 1].statement);
        if (ev.is.statement.len > 0 && sim_step(w, 0, &ev, 1) == FOCAL_OK && answer != FOCAL_OK && answer != FOCAL_EXISTS
            && answer != FOCAL_DISK_FULL)
            sim_fail(w, "headquarters does not take what the authority says of %s: %s", w->nodes[i].code, focal_status_name(answer));
    }
}

static bool same_office(const struct world *w, size_t a, int b) { return strcmp(w->nodes[a].code, w->nodes[b].code) == 0; }

static bool holds(const struct focal_oplog *ol, const struct focal_scope *scope)
{
    bool any = false;
    for (size_t k = 0; k < focal_oplog_log_count(ol) && !any; k++)
        any = focal_scope_compare(&focal_oplog_log_at(ol, k)->scope, scope) == 0 && focal_oplog_log_at(ol, k)->staged.seq > focal_oplog_log_at(ol, k)->base.seq;
    return any;
}

/* Its copies have its key and its certificate. */
static void lose_one(struct world *w, int i, const struct focal_scope *scope)
{
    for (size_t k = 0; k < w->node_count; k++) {
        struct sim_node *n = &w->nodes[k];
        if (!same_office(w, k, i) || !sim_reads(w, (int)k, scope))
            continue;
        focal_assert(n->lost_count < SIM_READS_MAX);
        n->lost_held[n->lost_count] = n->node && holds(focal_node_oplog(n->node), scope);
        n->lost[n->lost_count++] = *scope;
    }
}

/* Who does not read network reads no country either. */
static void lose_scope(struct world *w, int i, const struct focal_scope *scope)
{
    lose_one(w, i, scope);
    for (size_t k = 0; k < w->nodes[i].read_count && scope->cls == FOCAL_SCOPE_NETWORK; k++) {
        struct focal_scope country = { .cls = FOCAL_SCOPE_COUNTRY, .country = "" };
        memcpy(country.country, w->nodes[i].reads[k], 4);
        lose_one(w, i, &country);
    }
}

/* An equal number leaves what both cuts leave; the next one counts alone. */
static uint64_t number_of(const struct sim_node *n, const struct focal_reach *reach, bool again)
{
    uint64_t last = 0;
    for (size_t k = 0; k < n->word_count; k++)
        if (n->words[k].number > last && focal_reach_equal(&n->words[k].reach, reach))
            last = n->words[k].number;
    return again && last ? last : last + 1;
}

static bool reaches(const struct focal_reach *reach, const struct focal_scope *scope)
{
    return reach->kind == FOCAL_REACH_EVERYTHING || (reach->kind == FOCAL_REACH_SCOPE && focal_scope_compare(&reach->scope, scope) == 0);
}

/* What is said of an office stands at the first that bears its code, of all copies. */
static int first_of(const struct world *w, int i)
{
    int first = 0;
    while (!same_office(w, (size_t)first, i))
        first++;
    return first;
}

static bool may_lose(const struct world *w, int i)
{
    const struct sim_node *n = &w->nodes[i];
    return !same_office(w, 0, i) && w->nodes[0].node && n->certificate.len > 0 && n->word_count < SIM_WORDS_MAX;
}

bool world_cut_reach(struct world *w, int i, const struct focal_reach *reach, int who, bool again)
{
    i = first_of(w, i);
    struct sim_node *n = &w->nodes[i];
    if (!may_lose(w, i))
        return false;
    struct focal_buf tips, body;
    struct focal_cut c = { .key = n->keys.sign_public, .reach = *reach, .number = number_of(n, reach, again), .day = 20600, .reason = FOCAL_CUT_REVOKED };
    struct sim_word *word = new_word(n);
    focal_buf_init(&tips, FOCAL_STATEMENT_MAX);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    tips_of(w, i, who, &tips);
    if (tips.len / FOCAL_CUT_TIP_BYTES > FOCAL_CUT_TIPS_MAX) {     /* so many forks that one statement does not hold them: not today */
        n->word_count--;
        focal_buf_close(&tips);
        return false;
    }
    c.tips = focal_buf_view(&tips);
    focal_assert(focal_office_parse(&c.office, focal_span_text(n->code)));
    focal_cut_encode(&body, &c);
    word->reach = *reach;
    word->number = c.number;
    sign(w, &word->statement, &body);
    focal_buf_close(&tips);
    for (size_t k = 0; k < w->book.count; k++)
        if (reaches(reach, &w->book.acks[k].scope))
            sim_excuse_unreported(w, k, i, who);
    sim_unsure_of_erased(w, i, reach, who);
    for (size_t k = 0; k < w->node_count && reach->kind == FOCAL_REACH_EVERYTHING; k++)
        w->nodes[k].cut = w->nodes[k].cut || same_office(w, k, i);
    if (reach->kind == FOCAL_REACH_SCOPE)
        lose_scope(w, i, &reach->scope);
    sim_excuse(w);                      /* what it alone held of others comes to nobody any more */
    static const char *const what[] = { "", "everything is taken from it", "a scope is taken from it", "a right is taken from it" };
    sim_tell(w, i, what[reach->kind]);
    w->counts.cuts++;
    sim_tell_words(w, i);
    return true;
}

static int by_chance(struct world *w) { return world_random(w, 2) ? WORLD_ALL_REPORT : WORLD_FIRST_REPORTS; }

bool world_cut(struct world *w, int i)
{
    const struct focal_reach everything = { .kind = FOCAL_REACH_EVERYTHING };
    return !w->nodes[i].cut && world_cut_reach(w, i, &everything, by_chance(w), false);
}

bool world_cut_again(struct world *w, int i, bool equal_number)
{
    const struct focal_reach everything = { .kind = FOCAL_REACH_EVERYTHING };
    return w->nodes[i].cut && world_cut_reach(w, i, &everything, by_chance(w), equal_number);
}

bool world_cut_scope(struct world *w, int i, const struct focal_scope *scope)
{
    const struct focal_reach reach = { .kind = FOCAL_REACH_SCOPE, .scope = *scope };
    return !w->nodes[i].cut && sim_reads(w, i, scope) && world_cut_reach(w, i, &reach, by_chance(w), false);
}

bool world_cut_right(struct world *w, int i)
{
    const struct focal_reach reach = { .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT };
    return !w->nodes[i].cut && world_cut_reach(w, i, &reach, by_chance(w), false);
}

/* ---- a membership that lists less ------------------------------------------------------------------------------------ */

static void leave_out(struct focal_scope *list, size_t *count, const struct focal_scope *scope)
{
    size_t kept = 0;
    for (size_t k = 0; k < *count; k++)
        if (focal_scope_compare(&list[k], scope) != 0)
            list[kept++] = list[k];
    *count = kept;
}

/* What it wrote there counts as before; what others do not hold yet comes to nobody. */
bool world_narrow(struct world *w, int i, const struct focal_scope *scope)
{
    i = first_of(w, i);
    struct sim_node *n = &w->nodes[i];
    struct focal_statement s;
    struct focal_buf body;
    if (!may_lose(w, i) || n->cut || !sim_reads(w, i, scope))
        return false;
    const struct focal_span now = n->narrowed ? focal_buf_view(&n->words[n->narrowed - 1].statement) : focal_buf_view(&n->certificate);
    focal_assert(focal_statement_decode(&s, now) == FOCAL_OK && s.kind == FOCAL_STATEMENT_CERTIFICATE);
    struct focal_certificate c = s.is.certificate;
    leave_out(c.read, &c.read_count, scope);
    leave_out(c.write, &c.write_count, scope);
    c.number++;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_certificate_encode(&body, &c);
    sign(w, &new_word(n)->statement, &body);
    n->narrowed = n->word_count;
    for (size_t k = 0; k < w->book.count; k++)
        if (focal_scope_compare(&w->book.acks[k].scope, scope) == 0)
            sim_excuse_unreported(w, k, i, WORLD_ALL_REPORT);
    lose_scope(w, i, scope);
    sim_excuse(w);
    sim_tell(w, i, "its membership lists a scope less");
    w->counts.cuts++;
    sim_tell_words(w, i);
    return true;
}

/* One of all these, by chance. */
bool world_take_back(struct world *w, int i)
{
    struct focal_scope scope = { .cls = FOCAL_SCOPE_NETWORK, .country = "" };
    const uint64_t what = world_random(w, 8);
    const bool country = w->nodes[i].read_count && world_random(w, 3);
    if (country) {
        scope.cls = FOCAL_SCOPE_COUNTRY;
        memcpy(scope.country, w->nodes[i].reads[0], 4);
    }
    if (w->nodes[i].cut)
        return world_cut_again(w, i, world_random(w, 2) != 0);
    switch (what) {
    case 0: case 1: return world_cut_scope(w, i, &scope);
    case 2: return world_cut_right(w, i);
    case 3: return world_narrow(w, i, &scope);
    default: return world_cut(w, i);
    }
}

/* ---- renewals ---------------------------------------------------------------------------------------------------------- */

enum { LATER_DAYS = 400, DUE_DAYS = 320, TO_DAYS = 800 };
static const uint64_t day_ms = 86400000;

static uint32_t today(const struct world *w)
{
    static const struct sim_node right = { .clock_off_ms = 0 };
    return (uint32_t)(sim_time(w, &right).wall_ms / day_ms);
}

static void tell(struct world *w, const struct focal_buf *statement)
{
    enum focal_status answer = FOCAL_OK;
    struct focal_node_event ev = { .type = FOCAL_EVENT_STATEMENT, .answer = &answer };
    ev.is.statement = focal_buf_view(statement);
    if (statement->len > 0 && w->nodes[0].node && sim_step(w, 0, &ev, 1) == FOCAL_OK && answer != FOCAL_OK && answer != FOCAL_EXISTS)
        sim_fail(w, "headquarters does not take a renewal: %s", focal_status_name(answer));
}

void sim_tell_succession(struct world *w)
{
    tell(w, &w->succession);
}

void sim_tell_renewals(struct world *w)
{
    for (size_t i = 0; i < w->node_count; i++)
        tell(w, &w->nodes[i].renewal);
    tell(w, &w->delegation);
}

bool world_renew(struct world *w, int i)
{
    struct focal_renewal r = { .number = w->renewals_made + 1, .day = today(w), .to_day = today(w) + TO_DAYS };
    struct focal_oplog *ol = w->nodes[0].node ? focal_node_oplog(w->nodes[0].node) : NULL;
    struct focal_buf body;
    focal_assert(focal_office_parse(&r.office, focal_span_text(w->nodes[i].code)));
    const struct focal_certificate *c = ol ? focal_oplog_certificate(ol, &r.office) : NULL;
    if (!c)
        return false;
    w->renewals_made++;
    w->counts.renewals++;
    r.openings_max = c->openings_max + 400;
    focal_oplog_certificate_hash(ol, c, &r.certificate);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_renewal_encode(&body, &r);
    focal_buf_close(&w->nodes[i].renewal);
    focal_buf_init(&w->nodes[i].renewal, FOCAL_STATEMENT_MAX);
    sign(w, &w->nodes[i].renewal, &body);
    tell(w, &w->nodes[i].renewal);
    return true;
}

/* Is there one of this office before it in the list? Copies have one membership. */
static bool copy(const struct world *w, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(w->nodes[k].code, w->nodes[i].code) == 0)
            return true;
    return false;
}

void world_renew_all(struct world *w)
{
    for (size_t i = 0; i < w->node_count; i++)
        if (!copy(w, i))
            (void)world_renew(w, (int)i);
}

void world_expire(struct world *w, int victim)
{
    w->later_ms += LATER_DAYS * day_ms;         /* first: the day in the renewals is the other source */
    for (size_t i = 0; i < w->node_count; i++)
        if (!copy(w, i) && strcmp(w->nodes[i].code, w->nodes[victim].code) != 0)
            (void)world_renew(w, (int)i);
}

void world_delegate(struct world *w)
{
    struct focal_delegation d = { .key_set = true, .number = 1, .day = today(w), .until_day = today(w) + 4 * LATER_DAYS };
    struct focal_buf body;
    if (w->nodes[0].node) {
        focal_node_renewal_key(w->nodes[0].node, &d.key);
        focal_assert(focal_office_parse(&d.office, focal_span_text(w->nodes[0].code)));
        focal_buf_init(&body, FOCAL_STATEMENT_MAX);
        focal_delegation_encode(&body, &d);
        focal_buf_close(&w->delegation);
        focal_buf_init(&w->delegation, FOCAL_STATEMENT_MAX);
        sign(w, &w->delegation, &body);
        tell(w, &w->delegation);
    }
    w->later_ms += DUE_DAYS * day_ms;
}

void sim_check_renewed(struct world *w)
{
    enum { LEFT_DAYS = 60 };
    const struct focal_certificate *c;
    for (size_t i = 0; i < w->node_count && w->delegation.len > 0; i++)
        for (size_t k = 0; w->nodes[i].node && (c = focal_oplog_office_at(focal_node_oplog(w->nodes[i].node), k)) != NULL; k++)
            if (c->to_day < today(w) + LEFT_DAYS && !w->nodes[i].malice && !focal_oplog_cut_of(focal_node_oplog(w->nodes[i].node), &c->keys.sign))
                sim_fail(w, "at %s nothing has put off the last day of %s", w->nodes[i].code, c->office.text);
}

/* ---- another authority -------------------------------------------------------------------------------------------------- */

/* Everything that headquarters holds by then stays good. */
void world_succeed(struct world *w)
{
    struct focal_succession s = { .number = w->successions + 1, .day = today(w) };
    struct focal_oplog *ol = w->nodes[0].node ? focal_node_oplog(w->nodes[0].node) : NULL;
    struct focal_subject subject;
    struct focal_buf good, body;
    uint8_t seed[32];
    if (!ol)
        return;
    focal_buf_init(&good, FOCAL_STATEMENT_MAX);
    for (size_t i = 0; focal_oplog_subject(ol, i, &subject); i++) {
        struct focal_span bytes;
        for (size_t n = 0; focal_oplog_subject_statement(ol, subject.subject, n, &bytes); n++) {
            struct focal_statement of;
            struct focal_hash h;
            focal_assert(focal_statement_decode(&of, bytes) == FOCAL_OK);
            focal_statement_hash(&h, &w->network_id, of.body);
            if (of.kind != FOCAL_STATEMENT_GENESIS && of.kind != FOCAL_STATEMENT_AUTHORITY)
                focal_buf_bytes(&good, h.b, sizeof h.b);
        }
    }
    if (w->successions++ == 0)
        w->recovery = w->authority;     /* the genesis names one key for both */
    sim_entropy(w, seed, sizeof seed);
    focal_sign_key_make(&w->authority, seed);
    s.key = w->authority.public;
    s.good = focal_buf_view(&good);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_succession_encode(&body, &s);
    focal_buf_close(&w->succession);
    focal_buf_init(&w->succession, FOCAL_STATEMENT_MAX);
    focal_statement_sign(&w->succession, w->recovery.secret, &w->network_id, focal_buf_view(&body));
    focal_assert(!good.failed && !body.failed && !w->succession.failed);
    focal_buf_close(&body);
    focal_buf_close(&good);
    tell(w, &w->succession);
}
