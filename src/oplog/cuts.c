/* How far each line counts.
 *
 * A cut leaves, of each log within its reach, the listed tips and what leads to them; a log that is not listed is left up to
 * nothing, unless a listed log of the same key, scope and lane begins by naming its tips. While a tip is not held, what is not
 * above it counts. So along a line what counts is a beginning, and one number says how far it goes:
 *
 *      1 ── 2 ── 3 ── 4 ── 5        limit 3: the tip 4' is held, and leaves this line after 3
 *                └── 3' ── 4'       limit 4
 *
 * Of several cuts each may only take away: the least limit holds. Source: PROTOCOL §3. */
#include "inside.h"

/* ---- which cuts count -------------------------------------------------------------------------------------------- */

static bool outnumbered(const struct statement_set *set, const struct focal_cut *cut)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct focal_cut *other = set->list[i]->cut;
        if (other && other->number > cut->number && focal_key_equal(&other->key, &cut->key) && focal_reach_equal(&other->reach, &cut->reach))
            return true;
    }
    return false;
}

enum focal_status focal_oplog_cuts_derive(struct focal_oplog *ol)
{
    struct statement_set *set = &ol->statements;
    enum focal_status st = FOCAL_OK;
    set->cut_count = 0;
    for (size_t i = 0; i < set->count && st == FOCAL_OK; i++) {
        struct held_statement *held = set->list[i];
        if (!held->cut || held->cut->reach.kind == FOCAL_REACH_UNKNOWN || (outnumbered(set, held->cut) && !FOCAL_PLANTED(LOWER_CUT_COUNTS)))
            continue;
        void *list = set->cuts;
        st = focal_oplog_room(&list, &set->cut_cap, set->cut_count, sizeof *set->cuts);
        set->cuts = list;
        if (st == FOCAL_OK)
            st = focal_oplog_leads_listed(held);
        if (st == FOCAL_OK)
            set->cuts[set->cut_count++] = held;
    }
    return st;
}

/* What a cut of a right takes is the right: what its author may do without it still counts. */
static bool covers(const struct focal_cut *cut, const struct focal_key *author, const struct focal_scope *scope)
{
    return focal_key_equal(&cut->key, author)
        && (cut->reach.kind == FOCAL_REACH_EVERYTHING
            || (cut->reach.kind == FOCAL_REACH_SCOPE && focal_scope_compare(&cut->reach.scope, scope) == 0));
}

bool focal_oplog_cut_off(const struct focal_oplog *ol, const struct focal_key *key, const struct focal_scope *scope)
{
    for (size_t i = 0; i < ol->statements.cut_count; i++) {
        if (covers(ol->statements.cuts[i]->cut, key, scope))
            return true;
    }
    return false;
}

const struct focal_cut *focal_oplog_cut_at(const struct focal_oplog *ol, size_t i)
{
    return i < ol->statements.cut_count ? ol->statements.cuts[i]->cut : NULL;
}

bool focal_oplog_cut_statement(const struct focal_oplog *ol, size_t i, const struct focal_key *key, struct focal_span *out)
{
    *out = focal_span_of(NULL, 0);
    if (i >= ol->statements.count)
        return false;
    const struct held_statement *held = ol->statements.list[i];
    if (held->cut && focal_key_equal(&held->cut->key, key))
        *out = focal_span_of(held->bytes, held->len);
    return true;
}

const struct focal_cut *focal_oplog_cut_of(const struct focal_oplog *ol, const struct focal_key *key)
{
    for (size_t i = 0; i < ol->statements.cut_count; i++) {
        const struct focal_cut *cut = ol->statements.cuts[i]->cut;
        if (cut->reach.kind == FOCAL_REACH_EVERYTHING && focal_key_equal(&cut->key, key))
            return cut;
    }
    return NULL;
}

/* Whose a record is stands in network: who may not read that could not tell which redactions of a country's part count, and
 * would differ from the others there. So the countries go with it. */
static bool reads_network(const struct focal_oplog *ol, const struct focal_certificate *c)
{
    const struct focal_scope network = { .cls = FOCAL_SCOPE_NETWORK, .country = "" };
    return focal_oplog_reads(c, &network) && !focal_oplog_cut_off(ol, &c->keys.sign, &network);
}

bool focal_oplog_may_read(const struct focal_oplog *ol, const struct focal_certificate *c, const struct focal_scope *scope)
{
    return c && focal_oplog_reads(c, scope) && !focal_oplog_cut_off(ol, &c->keys.sign, scope)
        && (scope->cls != FOCAL_SCOPE_COUNTRY || reads_network(ol, c));
}

bool focal_oplog_may_write(const struct focal_oplog *ol, const struct focal_scope *scope)
{
    const struct focal_certificate *mine = focal_oplog_mine(ol);
    return mine && focal_oplog_epoch_allowed(ol) && focal_certificate_lists(mine->write, mine->write_count, scope)
        && !focal_oplog_cut_off(ol, &mine->keys.sign, scope) && (scope->cls != FOCAL_SCOPE_COUNTRY || reads_network(ol, mine));
}

bool focal_oplog_may_redact(const struct focal_oplog *ol, const struct focal_certificate *c)
{
    bool may = (c->rights & FOCAL_RIGHT_REDACT) != 0;
    for (size_t i = 0; i < ol->statements.cut_count; i++) {
        const struct focal_cut *cut = ol->statements.cuts[i]->cut;
        may = may && !(cut->reach.kind == FOCAL_REACH_RIGHT && cut->reach.right == FOCAL_RIGHT_REDACT && focal_key_equal(&cut->key, &c->keys.sign));
    }
    return may;
}

/* ---- how far a line leads to a tip -------------------------------------------------------------------------------- */

/* Up to where the way to an entry of `holder` at seq runs along `line`. Each line leaves its parent behind the parent's own base,
 * so whichever of the two was left later cannot lead to the other. */
static uint64_t shared_way(const struct oplog_log *line, const struct oplog_log *holder, uint64_t seq)
{
    const struct oplog_log *at = line, *way = holder;
    uint64_t upto = seq;
    while (at != way) {
        const struct oplog_log **up = at->parent && (!way->parent || at->pub.base.seq >= way->pub.base.seq) ? &at : &way;
        upto = upto < (*up)->pub.base.seq ? upto : (*up)->pub.base.seq;
        focal_assert((*up)->parent != NULL);        /* of one log all come from its trunk */
        *up = (*up)->parent;
    }
    return upto;
}

static uint64_t reach_of_lead(const struct oplog_log *line, const struct lead *lead)
{
    const struct oplog_log *holder = focal_oplog_lead_holder(lead);
    return holder && !FOCAL_PLANTED(CUT_TIP_BY_NUMBER) ? shared_way(line, holder, lead->tip.seq) : lead->tip.seq;
}

/* The farthest of the leads in a list. False: none leads to its log. */
static bool reach_of_leads(const struct oplog_log *line, struct lead *list, size_t count, uint64_t *most)
{
    size_t found;
    const struct lead *lead = focal_oplog_leads_to(list, count, &line->pub.id, &found);
    for (size_t i = 0; i < found; i++) {
        const uint64_t upto = reach_of_lead(line, &lead[i]);
        *most = *most > upto ? *most : upto;
    }
    return found > 0;
}

/* A finished log need not stand in a cut that lists one which begins by naming its tips. */
static void reach_of_finished(const struct held_statement *cut, const struct oplog_log *line, uint64_t *most)
{
    const struct oplog_log *before = NULL;
    for (size_t i = 0; i < cut->lead_count; i++) {
        const struct oplog_log *later = cut->leads[i].root;
        if (!later || !later->names_known || later == before || later->pub.name.lane != line->pub.name.lane
            || !focal_key_equal(&later->pub.name.author, &line->pub.name.author) || !focal_hash_equal(&later->pub.name.scope, &line->pub.name.scope))
            continue;
        before = later;
        (void)reach_of_leads(line, later->names, later->name_count, most);
    }
}

static uint64_t limit_under(const struct held_statement *cut, const struct oplog_log *line)
{
    uint64_t most = 0;
    if (!reach_of_leads(line, cut->leads, cut->lead_count, &most))
        reach_of_finished(cut, line, &most);
    return most;
}

bool focal_oplog_limit_of(const struct focal_oplog *ol, const struct oplog_log *line, uint64_t *limit)
{
    bool limited = false;
    *limit = UINT64_MAX;
    for (size_t i = 0; i < ol->statements.cut_count; i++) {
        if (!covers(ol->statements.cuts[i]->cut, &line->pub.name.author, &line->pub.scope))
            continue;
        const uint64_t upto = limit_under(ol->statements.cuts[i], line);
        limited = true;
        *limit = *limit < upto ? *limit : upto;
    }
    return limited;
}

/* Asked of logs that may not be held: then any of its tips may be what leads to a good one. */
uint64_t focal_oplog_limit(struct focal_oplog *ol, const struct focal_id *id, const struct focal_log_name *name)
{
    if (!focal_oplog_takes_back(ol))    /* asked often */
        return UINT64_MAX;
    uint64_t least = UINT64_MAX;
    const struct oplog_log *trunk = focal_oplog_log_of(ol, id);
    const struct focal_scope *scope = focal_oplog_scope(ol, &name->scope);
    bool covered = false;
    if (scope && ol->statements.authority && !focal_oplog_grants(ol, &name->author, scope))
        return 0;
    for (size_t i = 0; scope && i < ol->statements.cut_count; i++) {
        const struct held_statement *cut = ol->statements.cuts[i];
        size_t found;
        if (!covers(cut->cut, &name->author, scope))
            continue;
        covered = true;
        const struct lead *lead = focal_oplog_leads_to(cut->leads, cut->lead_count, id, &found);
        const uint64_t most = found ? lead[found - 1].tip.seq : 0;      /* they ascend */
        least = least < most ? least : most;
    }
    if (!covered || least > 0)
        return least;
    /* Not listed: it may be a finished one. */
    const struct oplog_log line = { .pub = { .id = *id, .line = *id, .name = *name, .scope = *scope } };
    if (!trunk)
        (void)focal_oplog_limit_of(ol, &line, &least);
    for (; trunk; trunk = trunk->next_line)
        least = trunk->limited && trunk->limit > least ? trunk->limit : least;
    return least;
}

bool focal_oplog_vouches(const struct focal_oplog *ol, const struct focal_id *log, const struct focal_tip *at, struct focal_span *statement)
{
    for (size_t i = 0; i < ol->statements.count; i++) {
        const struct held_statement *held = ol->statements.list[i];
        for (size_t k = 0; held->cut && k < focal_cut_tip_count(held->cut); k++) {
            struct focal_cut_tip tip;
            focal_cut_tip_get(&tip, held->cut, k);
            if (!focal_id_equal(&tip.log, log) || tip.tip.seq != at->seq || !focal_hash_equal(&tip.tip.h, &at->h))
                continue;
            *statement = focal_span_of(held->bytes, held->len);
            return true;
        }
    }
    return false;
}

bool focal_oplog_is_vouched(const struct focal_oplog *ol, const struct focal_id *log, const struct focal_tip *at)
{
    struct focal_span statement;
    return focal_oplog_vouches(ol, log, at, &statement);
}

/* ---- the limits of all lines ---------------------------------------------------------------------------------------- */

/* The last entry that counts, as others are told: the head, or what a cut leaves of the line. */
static enum focal_status clip(struct focal_oplog *ol, struct oplog_log *line)
{
    line->pub.clipped = line->limited && line->limit < line->pub.head.seq;
    if (!line->pub.clipped)
        return FOCAL_OK;
    line->pub.clip = line->pub.base;
    if (line->limit <= line->pub.base.seq)
        return FOCAL_OK;
    line->pub.clip.seq = line->limit;
    enum focal_status st = focal_oplog_hash_at(ol, ol->store, &line->pub, line->limit, &line->pub.clip.h);
    return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
}

static enum focal_status set_limit(struct focal_oplog *ol, struct oplog_log *line, bool note)
{
    const uint64_t was = line->limited ? line->limit : UINT64_MAX;
    uint64_t limit;
    line->limited = focal_oplog_limit_of(ol, line, &limit);
    if (!focal_oplog_still_granted(ol, line) && !(line->limited && limit > 0 && focal_oplog_grants(ol, &line->pub.name.author, &line->pub.scope))) {
        line->limited = true;
        limit = 0;
    }
    line->limit = limit;
    enum focal_status st = clip(ol, line);
    if (st != FOCAL_OK || limit == was)
        return st;
    if (!focal_oplog_scope_of(ol, &line->pub.name.scope)) {     /* it was rolled back, and all that the line held with it */
        focal_assert(!note && !focal_oplog_has_entries(line));
        return FOCAL_OK;
    }
    focal_oplog_head_moved(ol, line);
    uint64_t first = (was < limit ? was : limit), last = was < limit ? limit : was;
    first = (first > line->pub.base.seq ? first : line->pub.base.seq) + 1;
    last = last < line->pub.head.seq ? last : line->pub.head.seq;
    if (!note || first > last || FOCAL_PLANTED(CUT_LEAVES_DERIVED))
        return FOCAL_OK;
    if (first == line->pub.base.seq + 1) {      /* it begins or ends, and so it changes whether it is known whose it is */
        st = focal_oplog_log_begun(ol, &line->pub);
        ol->unhide_due = ol->unhide_due || (limit < was && ol->redacted.count > 0);
    }
    if (st != FOCAL_OK)
        return st;
    if (line->pub.staged.seq > line->pub.head.seq && (st = focal_oplog_staging_drop(ol, line)) != FOCAL_OK)
        return st;
    return focal_oplog_again_note(ol, line, first, last);
}

/* Of whom: NULL, everybody. */
static enum focal_status set_limits(struct focal_oplog *ol, const struct focal_key *author, bool note)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < ol->log_count && st == FOCAL_OK; i++) {
        struct oplog_log *line = ol->logs[i];
        if (!line->void_here && (!author || focal_key_equal(&line->pub.name.author, author)))
            st = set_limit(ol, line, note);
    }
    return st;
}

enum focal_status focal_oplog_limits_load(struct focal_oplog *ol)
{
    for (size_t i = 0; i < ol->log_count; i++) {        /* cuts may have been rolled back */
        ol->logs[i]->limited = ol->logs[i]->pub.clipped = false;
    }
    focal_oplog_leads_forget(ol);
    enum focal_status st = ol->statements.cut_count > 0 ? focal_oplog_leads_settle(ol) : FOCAL_OK;
    return st == FOCAL_OK && focal_oplog_takes_back(ol) ? set_limits(ol, NULL, false) : st;
}

enum focal_status focal_oplog_own_first(struct focal_oplog *ol)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < ol->log_count && st == FOCAL_OK; i++)
        st = ol->logs[i]->own ? focal_oplog_own_close(ol, ol->logs[i], true) : FOCAL_OK;
    return st == FOCAL_OK ? focal_oplog_flush(ol) : st;
}

enum focal_status focal_oplog_limits_again(struct focal_oplog *ol)
{
    for (size_t i = 0; i < ol->log_count; i++)
        ol->logs[i]->granted = false;
    enum focal_status st = ol->statements.cut_count > 0 ? focal_oplog_leads_settle(ol) : FOCAL_OK;
    return st == FOCAL_OK ? set_limits(ol, NULL, true) : st;
}

enum focal_status focal_oplog_cut_taken(struct focal_oplog *ol, const struct focal_cut *cut)
{
    enum focal_status st = focal_oplog_own_first(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_cuts_derive(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_leads_settle(ol);
    if (st == FOCAL_OK)
        st = set_limits(ol, &cut->key, true);
    /* What is staged may end at a tip that is vouched for now: it comes again, and gets in. */
    for (size_t i = 0; i < ol->log_count && st == FOCAL_OK; i++) {
        struct oplog_log *line = ol->logs[i];
        if (line->pub.staged.seq > line->pub.head.seq && focal_key_equal(&line->pub.name.author, &cut->key))
            st = focal_oplog_staging_drop(ol, line);
    }
    if (cut->reach.kind == FOCAL_REACH_RIGHT && ol->redacted.count > 0)
        ol->targets_all = ol->unhide_due = true;
    return st;
}

static enum focal_status set_limits_of_log(struct focal_oplog *ol, const struct focal_id *log)
{
    enum focal_status st = FOCAL_OK;
    for (struct oplog_log *line = focal_oplog_log_of(ol, log); line && st == FOCAL_OK; line = line->next_line)
        st = line->void_here ? FOCAL_OK : set_limit(ol, line, true);
    return st;
}

/* Another beginning of a listed log counts, or none: of what they name, each log once. */
static enum focal_status set_limits_named(struct focal_oplog *ol, const struct oplog_log *of)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < ol->beginning_count && st == FOCAL_OK; i++) {
        const struct oplog_log *root = ol->beginnings[i];
        for (size_t k = 0; k < root->name_count && st == FOCAL_OK && focal_id_equal(&root->pub.id, &of->pub.id); k++) {
            if (k == 0 || !focal_id_equal(&root->names[k].log, &root->names[k - 1].log))
                st = set_limits_of_log(ol, &root->names[k].log);
        }
    }
    return st;
}

/* The limit of a line does not follow from how long it is, so what only goes on changes none but, by its head, its own. */
enum focal_status focal_oplog_limits_grown(struct focal_oplog *ol, struct oplog_log *line, uint64_t first, size_t count, const struct focal_hash *hashes)
{
    struct lead_news news;
    enum focal_status st = FOCAL_OK;
    /* It may be the opening that others of its author wait for. */
    if (ol->statements.authority && focal_hash_equal(&line->pub.name.scope, &ol->control_scope))
        st = set_limits(ol, &line->pub.name.author, true);
    if (ol->statements.cut_count == 0 || st != FOCAL_OK)
        return st;
    st = focal_oplog_leads_grown(ol, line, first, count, hashes, &news);
    if (st == FOCAL_OK)
        st = news.held ? set_limits_of_log(ol, &line->pub.id) : set_limit(ol, line, true);
    if (st == FOCAL_OK && news.begun)
        st = set_limits_named(ol, line);
    for (size_t i = 0; i < ol->statements.cut_count && (news.held || news.begun) && ol->redacted.count > 0; i++) {
        const struct focal_cut *cut = ol->statements.cuts[i]->cut;
        if (cut->reach.kind == FOCAL_REACH_RIGHT && focal_key_equal(&cut->key, &line->pub.name.author))
            ol->targets_all = ol->unhide_due = true;
    }
    return st;
}

/* ---- rights ------------------------------------------------------------------------------------------------------------ */

/* Up to where the notice's log counts on the line that it stands on. Of two lines the hash says which; it is read only where they
 * differ in whether they count so far, which takes a redactor who forged notices: at most one segment of each of his lines. */
static enum focal_status notice_counts(struct focal_oplog *ol, const struct held_statement *cut, const struct focal_ref *notice, bool *counts)
{
    const struct oplog_log *trunk = focal_oplog_log_of(ol, &notice->log);
    size_t good = 0, bad = 0;
    for (const struct oplog_log *line = trunk; line; line = line->next_line) {
        if (line->void_here || notice->seq <= line->pub.base.seq || notice->seq > line->pub.head.seq)
            continue;
        if (notice->seq <= limit_under(cut, line))
            good++;
        else
            bad++;
    }
    *counts = good > 0;
    if (good == 0 || bad == 0)
        return FOCAL_OK;
    *counts = false;
    for (const struct oplog_log *line = trunk; line; line = line->next_line) {
        struct focal_hash h;
        if (line->void_here || notice->seq <= line->pub.base.seq || notice->seq > line->pub.head.seq)
            continue;
        enum focal_status st = focal_oplog_hash_at(ol, ol->store, &line->pub, notice->seq, &h);
        if (st != FOCAL_OK)
            return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
        if (memcmp(h.b, notice->h8, sizeof notice->h8) == 0) {
            *counts = notice->seq <= limit_under(cut, line);
            return FOCAL_OK;
        }
    }
    return FOCAL_OK;
}

enum focal_status focal_oplog_right_reaches(struct focal_oplog *ol, const struct focal_key *author, uint32_t right, const struct focal_ref *notice, bool *reaches)
{
    enum focal_status st = FOCAL_OK;
    *reaches = true;
    for (size_t i = 0; i < ol->statements.cut_count && *reaches && st == FOCAL_OK; i++) {
        const struct focal_cut *cut = ol->statements.cuts[i]->cut;
        if (cut->reach.kind == FOCAL_REACH_RIGHT && cut->reach.right == right && focal_key_equal(&cut->key, author) && !FOCAL_PLANTED(RIGHT_CUT_IGNORED))
            st = notice_counts(ol, ol->statements.cuts[i], notice, reaches);
    }
    return st;
}
