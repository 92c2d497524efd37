/* The only way in for what others bring.
 *
 *   form        unpacks, sizes, a begin entry at sequence 1                         else NEVER
 *   rights      a certificate grants the scope, the epoch's opening is held         else NOT_YET
 *   place       on which line of the log it stands, or that it opens a branch       gap: NOT_YET, follows nothing: CONFLICT
 *   cut         nothing of it is beyond what the authority left of its log           else NO_LONGER
 *   signature   over the hash that its own bytes chain to, or a cut vouches for it   else NEVER
 *   in          staged when not signed; else appended and applied
 *
 * Nothing is stored or applied before the signature is found good, except staging. An answer that is not OK leaves all as
 * it was; staging may have been dropped, which costs a transfer and nothing else. */
#include "inside.h"

struct arrival {
    struct focal_oplog *ol;
    const struct focal_incoming *in;
    struct focal_error *err;
    struct oplog_log *trunk;            /* the one known, or `fresh_trunk` */
    struct oplog_log *log;              /* the line it stands on: known, or `fresh` */
    struct oplog_log fresh_trunk, fresh;
    bool known;                         /* log is */
    struct focal_stretch s;
    uint64_t last;
    struct focal_hash *hashes;          /* of the entries of s */
    struct focal_hash before;           /* of the entry before them */
    bool vouched;                       /* it ends at a tip that a cut lists, which stands for its signature */
    bool shortened;                     /* and what came went on beyond it */
};

static bool is_control(const struct arrival *a)
{
    return a->in->name->lane == FOCAL_LANE_DATA
        && focal_hash_equal(&a->in->name->scope, &a->ol->control_scope);
}

/* ---- form ------------------------------------------------------------------------------------------------------------------ */

static enum focal_status never(struct arrival *a, const char *what)
{
    return focal_fail(a->err, FOCAL_NEVER, "", "%s", what);
}

static enum focal_status form(struct arrival *a)
{
    enum focal_status st = focal_stretch_unpack(a->ol->packer, &a->s, &a->ol->arena, a->in->packed);
    if (st == FOCAL_NO_MEMORY)
        return st;
    if (st != FOCAL_OK || a->s.count == 0)
        return never(a, "a stretch of a log that is malformed");
    a->last = a->s.first + (a->s.count - 1);
    bool stripped = false;
    for (size_t i = 0; i < a->s.count; i++) {
        const struct focal_stretch_entry *e = &a->s.entries[i];
        struct focal_header h;
        if (focal_header_decode(&h, e->header) != FOCAL_OK)
            return never(a, "a header that is malformed");
        if (h.shape == FOCAL_SHAPE_ORDINARY && e->header.len + (e->has_payload ? e->payload.len : 0) > FOCAL_ORDINARY_MAX)
            return never(a, "an entry over its size");
        /* Shapes that come later may begin a log; these two never do. */
        if (h.seq == 1 && (h.shape == FOCAL_SHAPE_ORDINARY || h.shape == FOCAL_SHAPE_QUOTE))
            return never(a, "a log that does not begin with a begin entry");
        if (!e->has_payload && h.shape == FOCAL_SHAPE_BEGIN)
            return never(a, "a begin entry without its payload");
        stripped |= !e->has_payload;
    }
    if (stripped && a->in->name->lane != FOCAL_LANE_DATA)
        return never(a, "a notice without what it says");
    return FOCAL_OK;
}

/* ---- rights ------------------------------------------------------------------------------------------------------------------ */

static enum focal_status not_yet(struct arrival *a, const char *what)
{
    return focal_fail(a->err, FOCAL_NOT_YET, "", "%s", what);
}

/* The number by which the first entry of a control log opens its epoch, if a certificate allows it. */
static uint64_t opening_of(const struct arrival *a, const struct focal_stretch *s)
{
    const struct focal_stretch_entry *e = &s->entries[0];
    uint64_t number = e->has_payload ? focal_oplog_opening(a->in->name, e->payload) : 0;
    return focal_oplog_opens(a->ol, &a->in->name->author, number) ? number : 0;
}

static bool epoch_open(const struct arrival *a)
{
    uint64_t limit;
    if (focal_oplog_has_entries(a->log))
        return focal_oplog_still_granted(a->ol, a->log) || (a->log->limited && a->log->limit > 0);      /* was asked when its first entries came */
    if (is_control(a))
        return a->s.first > 1 || opening_of(a, &a->s) > 0;
    /* Where a cut lists the log, the authority vouches for it: the cut need not leave the log with the opening. */
    if (focal_oplog_limit_of(a->ol, a->trunk, &limit) && limit > 0)
        return true;
    struct focal_log_name name = *a->in->name;
    struct focal_id id;
    name.scope = a->ol->control_scope;
    name.lane = FOCAL_LANE_DATA;
    focal_log_id(&id, &a->ol->network, &name);
    const struct oplog_log *control = focal_oplog_log_of(a->ol, &id);
    return control && control->pub.head.seq > 0 && focal_oplog_opens(a->ol, &name.author, control->opening);
}

static enum focal_status rights(struct arrival *a)
{
    struct focal_id id;
    focal_log_id(&id, &a->ol->network, a->in->name);
    a->log = focal_oplog_log_of(a->ol, &id);
    a->known = a->log != NULL;
    if (!a->known) {
        const struct focal_scope *scope = focal_oplog_scope(a->ol, &a->in->name->scope);
        if (!scope || a->in->name->lane > FOCAL_LANE_NOTICES)
            return not_yet(a, "a log of a scope or lane that is not known here");
        memset(&a->fresh_trunk, 0, sizeof a->fresh_trunk);
        struct focal_log *pub = &a->fresh_trunk.pub;
        pub->id = pub->line = id;
        pub->name = *a->in->name;
        pub->scope = *scope;
        focal_chain_start(&pub->base.h, &id);
        pub->head = pub->staged = pub->base;
        a->log = &a->fresh_trunk;
    }
    a->trunk = a->log;
    if (!FOCAL_PLANTED(AUTHOR_UNCHECKED) && !focal_oplog_contributes(a->ol, a->log))
        return not_yet(a, "no certificate held here lets its author write in this scope");
    if (!FOCAL_PLANTED(OPENING_UNCHECKED) && !epoch_open(a))
        return not_yet(a, "the opening of its epoch is not held here");
    return FOCAL_OK;
}

/* A line is known from its first admitted or staged entry on, not from being spoken of. */
static enum focal_status make_known(struct arrival *a)
{
    if (a->known)
        return FOCAL_OK;
    struct oplog_log *line;
    enum focal_status st = a->log->parent ? focal_oplog_branch_add(a->ol, &line, a->log->parent, &a->log->pub.base, 0)
                                          : focal_oplog_log_add(a->ol, &line, &a->log->pub.name, &a->log->pub.scope);
    if (st != FOCAL_OK)
        return st;
    line->granted = a->log->granted;
    line->limited = a->log->limited;
    line->limit = a->log->limit;
    if (!line->parent)
        a->trunk = line;
    a->log = line;
    a->known = true;
    return FOCAL_OK;
}

/* ---- place ------------------------------------------------------------------------------------------------------------------- */

static bool signature_good(const struct arrival *a)
{
    const struct focal_tip tip = { .seq = a->last, .h = a->hashes[a->s.count - 1] };
    return FOCAL_PLANTED(SIGNATURE_UNCHECKED) || focal_verify_head(a->in->signature, &a->log->pub.name.author, &a->ol->network, &a->log->pub.id, &tip);
}

/* What is staged cannot be told from a forgery before its signature comes: where it disagrees, it goes. */
static enum focal_status distrust_staging(struct arrival *a, struct oplog_log *line)
{
    enum focal_status st = focal_oplog_staging_drop(a->ol, line);
    return st == FOCAL_OK ? FOCAL_MORE : st;
}

static enum focal_status hash_at(struct arrival *a, const struct oplog_log *line, uint64_t seq, struct focal_hash *out)
{
    enum focal_status st = focal_oplog_hash_at(a->ol, a->ol->store, &line->pub, seq, out);
    return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
}

/* The h that the stretch follows: on which line it stands, is seen later. MORE: staging was dropped, look again. */
static enum focal_status find_before(struct arrival *a, struct focal_hash *before)
{
    const uint64_t at = a->s.first - 1;
    struct oplog_log *suspect = NULL;
    bool gap = true;
    for (struct oplog_log *line = a->log; line; line = line->next_line) {
        if (line->void_here || at > line->pub.staged.seq)
            continue;
        gap = false;
        enum focal_status st = hash_at(a, line, at, before);
        if (st != FOCAL_OK)
            return st;
        if (memcmp(a->in->before, before->b, 8) == 0 || FOCAL_PLANTED(CHAIN_UNCHECKED))
            return FOCAL_OK;
        if (at > line->pub.head.seq)
            suspect = line;
    }
    if (suspect)
        return distrust_staging(a, suspect);
    if (gap)
        return not_yet(a, "entries before it are not held here");
    return focal_fail(a->err, FOCAL_CONFLICT, "", "it does not follow the entries held here");
}

/* Up to where the line holds what the stretch says; first - 1: none of it. MORE: it does not even hold what comes before. */
static enum focal_status agreement(struct arrival *a, const struct oplog_log *line, const struct focal_hash *before, uint64_t *upto)
{
    const uint64_t first = a->s.first;
    struct focal_hash h;
    if (first - 1 > line->pub.head.seq)
        return FOCAL_MORE;
    enum focal_status st = hash_at(a, line, first - 1, &h);
    if (st != FOCAL_OK || !focal_hash_equal(&h, before))
        return st == FOCAL_OK ? FOCAL_MORE : st;
    uint64_t high = a->last < line->pub.head.seq ? a->last : line->pub.head.seq, low = first - 1;
    while (low < high) {        /* mostly the highest agrees at once; else what agrees is a beginning */
        const uint64_t at = high == a->last || high == line->pub.head.seq ? high : low + (high - low + 1) / 2;
        st = hash_at(a, line, at, &h);
        if (st != FOCAL_OK)
            return st;
        if (focal_hash_equal(&h, &a->hashes[at - first]))
            low = at;
        else
            high = at - 1;
    }
    *upto = low;
    return FOCAL_OK;
}

/* A branch of which nothing signed is held, or that was rolled back, gives its place to another: whoever invents branches
 * must not keep out those that an author signed. */
static enum focal_status move_branch(struct arrival *a, struct oplog_log *parent, uint64_t at)
{
    struct oplog_log *line = a->trunk->next_line;
    while (line && focal_oplog_has_entries(line))
        line = line->next_line;
    if (!line)
        return not_yet(a, "too many branches of one log");
    struct focal_tip base = { .seq = at };
    enum focal_status st = hash_at(a, parent, at, &base.h);
    if (st == FOCAL_OK)
        st = focal_oplog_staging_drop(a->ol, line);
    if (st != FOCAL_OK)
        return st;
    focal_oplog_branch_move(line, parent, &base);
    a->log = line;
    a->known = true;
    return FOCAL_OK;
}

/* The line that the stretch goes on with, or a new branch. */
static enum focal_status choose_line(struct arrival *a, const struct focal_hash *before)
{
    struct oplog_log *best = NULL;
    uint64_t most = 0;
    for (struct oplog_log *line = a->log; line; line = line->next_line) {
        uint64_t upto = 0;
        if (line->void_here)
            continue;
        enum focal_status st = agreement(a, line, before, &upto);
        if (st == FOCAL_MORE)
            continue;
        if (st != FOCAL_OK)
            return st;
        /* Of equal ones that whose head it is: the stretch simply follows it. */
        if (!best || upto > most || (upto == most && upto == line->pub.head.seq)) {
            best = line;
            most = upto;
        }
    }
    focal_assert(best != NULL);     /* what find_before found is staged, and then nobody asks here, or is held */
    if (FOCAL_PLANTED(FORK_STOPS_GROWING) && a->trunk->pub.forked && most < a->last)
        return not_yet(a, "its log is forked");
    if (most == a->last || most == best->pub.head.seq) {
        a->log = best;
        return FOCAL_OK;
    }
    while (best->parent && most <= best->pub.base.seq)
        best = best->parent;
    if (a->trunk->branch_count >= BRANCHES_MAX)
        return move_branch(a, best, most);
    a->fresh = (struct oplog_log){ .pub = a->trunk->pub, .parent = best, .granted = a->trunk->granted };
    a->fresh.pub.base.seq = most;
    enum focal_status st = hash_at(a, best, most, &a->fresh.pub.base.h);
    a->fresh.pub.head = a->fresh.pub.staged = a->fresh.pub.base;
    a->fresh.pub.forked = false;
    a->log = &a->fresh;
    a->known = false;
    return st;
}

static struct oplog_log *staged_line(struct arrival *a, const struct focal_hash *before, enum focal_status *st)
{
    for (struct oplog_log *line = a->trunk; line; line = line->next_line) {
        struct focal_hash h;
        if (line->void_here || a->s.first - 1 <= line->pub.head.seq || a->s.first - 1 > line->pub.staged.seq)
            continue;
        *st = hash_at(a, line, a->s.first - 1, &h);
        if (*st != FOCAL_OK)
            return NULL;
        if (focal_hash_equal(&h, before))
            return line;
    }
    return NULL;
}

/* OK: s follows or equals what is held and staged on a->log. MORE: staging was dropped, look again. */
static enum focal_status place(struct arrival *a)
{
    const uint64_t first = a->s.first;
    struct focal_hash before, held;
    a->log = a->trunk;
    a->known = a->trunk != &a->fresh_trunk;
    enum focal_status st = find_before(a, &before);
    if (st != FOCAL_OK)
        return st;
    focal_oplog_hash(a->hashes, &a->s, 0, a->s.count, &a->trunk->pub.id, &before);
    a->before = before;
    struct oplog_log *after_staged = staged_line(a, &before, &st);
    if (st != FOCAL_OK)
        return st;
    if (after_staged)
        a->log = after_staged;
    else if ((st = choose_line(a, &before)) != FOCAL_OK)
        return st;
    struct oplog_log *line = a->log;
    const uint64_t staged = a->last < line->pub.staged.seq ? a->last : line->pub.staged.seq;
    if (staged >= first && staged > line->pub.head.seq) {
        st = focal_oplog_hash_at(a->ol, a->ol->store, &line->pub, staged, &held);
        if (st != FOCAL_OK || !focal_hash_equal(&held, &a->hashes[staged - first]))
            return st == FOCAL_OK || st == FOCAL_NOT_FOUND || st == FOCAL_DAMAGED ? distrust_staging(a, line) : st;
    }
    return FOCAL_OK;
}

/* ---- what is cut --------------------------------------------------------------------------------------------------------------- */

static bool vouched_at(const struct arrival *a, uint64_t seq)
{
    const struct focal_tip tip = { .seq = seq, .h = a->hashes[seq - a->s.first] };
    return focal_oplog_is_vouched(a->ol, &a->trunk->pub.id, &tip);
}

/* What lies beyond a cut does not come in any more. A listed tip is evidence by itself: what leads to it comes in also where
 * who sends it has signed only more. */
static enum focal_status within_cut(struct arrival *a)
{
    if (a->ol->statements.cut_count == 0)
        return FOCAL_OK;
    a->log->limited = focal_oplog_limit_of(a->ol, a->log, &a->log->limit);
    if (a->last <= a->log->limit || FOCAL_PLANTED(BEYOND_CUT_COUNTS)) {
        a->vouched = !a->in->signature && vouched_at(a, a->last);
        return FOCAL_OK;
    }
    if (a->log->limit < a->s.first || !vouched_at(a, a->log->limit))
        return focal_fail(a->err, FOCAL_NO_LONGER, "", "it is beyond what the authority left of its author's log");
    const struct focal_stretch all = a->s;
    a->last = a->log->limit;
    a->vouched = a->shortened = true;
    /* What is left may all be held, where it leaves the line that it agreed with up to there. */
    while (a->log->parent && a->last <= a->log->pub.base.seq) {
        a->log = a->log->parent;
        a->known = true;
    }
    return focal_oplog_cut(&a->s, &a->ol->arena, &all, 0, (size_t)(a->last - all.first) + 1);
}

/* ---- what is redacted --------------------------------------------------------------------------------------------------------- */

/* A stripped entry takes the place of a whole one, so it needs a redaction that is held here and names it: whoever strips what he
 * hands on must not make others lose it. Such a redaction may count no more, lie beyond a cut, and never come here, while nobody
 * has the entry whole: where a cut takes anything from an office that could have redacted it, the entry gets in as a hole. A hole
 * is asked for of everybody, and nobody is told that this office has it: its receipts and acknowledgements end before it. */
static enum focal_status stripped_rightly(struct arrival *a)
{
    for (size_t i = 0; i < a->s.count; i++) {
        struct entry_name name;
        struct redaction_force force;
        if (a->s.entries[i].has_payload || a->s.first + i <= a->log->pub.head.seq)
            continue;
        focal_oplog_entry_name(a->ol, &name, &a->log->pub, a->s.entries[i].header, a->s.first + i, &a->hashes[i]);
        if (!focal_oplog_redactable(&a->log->pub))
            return never(a, "an entry without its payload that cannot be redacted");
        enum focal_status st = focal_oplog_force(a->ol, &name, &a->log->pub, &force);
        if (st != FOCAL_OK)
            return st;
        if (!force.in_force && !focal_oplog_maybe_void(a->ol, &name, &a->log->pub) && !a->ol->statements.authority
            && !FOCAL_PLANTED(STRIPPED_TAKEN))
            return not_yet(a, "an entry came without its payload, and nothing here says that it was redacted");
    }
    return FOCAL_OK;
}

/* A quote's payload is the quoted one, under the quoted salt: its own commitment is the quoted one, or it is no quote. */
static enum focal_status quotes_true(struct arrival *a)
{
    for (size_t i = 0; i < a->s.count; i++) {
        struct focal_header header, inner;
        struct focal_hash before, h;
        if (focal_header_decode(&header, a->s.entries[i].header) != FOCAL_OK || header.shape != FOCAL_SHAPE_QUOTE)
            continue;
        if (focal_header_decode(&inner, header.quoted_header) != FOCAL_OK || inner.shape != FOCAL_SHAPE_ORDINARY)
            return never(a, "a quote of something that is no entry");
        if (i > 0)
            before = a->hashes[i - 1];
        else
            before = a->before;
        focal_chain_next(&h, &before, &a->trunk->pub.id, a->s.entries[i].header, &header.quoted_commitment);
        if (!focal_hash_equal(&h, &a->hashes[i]))
            return never(a, "a quote whose payload is not the quoted one");
    }
    return FOCAL_OK;
}

/* ---- in ---------------------------------------------------------------------------------------------------------------------- */

/* What is redacted is taken out before anything is written. The bytes that came pass as they are where nothing was. */
static enum focal_status screen_and_pack(struct arrival *a, struct segment *out, struct focal_stretch *s, const struct focal_hash *hashes)
{
    bool changed;
    enum focal_status screened = focal_oplog_screen(a->ol, a->log, s, hashes, &changed);
    if (screened != FOCAL_OK)
        return screened;
    out->first = s->first;
    out->canonical = (uint32_t)focal_stretch_canonical_bytes(s);
    if (!changed && !a->shortened && s->first == a->s.first) {      /* it ends where what came ends, so it is all of it */
        out->packed = a->in->packed;
        return FOCAL_OK;
    }
    focal_buf_clear(&a->ol->scratch);
    enum focal_status st = focal_stretch_pack(a->ol->packer, &a->ol->scratch, s);
    out->packed = focal_buf_view(&a->ol->scratch);
    return st == FOCAL_OK || st == FOCAL_NO_MEMORY ? st : never(a, "pieces of a stretch that contradict each other");
}

/* Names of control logs anybody can invent; those beyond a few wait until they come signed, as they do from a program like
 * this one. Of other logs only staging is bounded: one more takes the place of another, by turns, so that nobody's junk
 * keeps out what is honest for longer than it keeps coming. */
static enum focal_status make_room(struct arrival *a)
{
    struct focal_oplog *ol = a->ol;
    const bool invented = is_control(a) && !a->log->parent;
    size_t count = 0;
    for (size_t i = 0; i < ol->log_count; i++) {
        struct oplog_log *line = ol->logs[(ol->evicted + 1 + i) % ol->log_count];
        const bool control = focal_hash_equal(&line->pub.name.scope, &ol->control_scope) && !line->parent;
        if (line == a->log || focal_oplog_has_entries(line) || control != invented || (!invented && line->pub.staged.seq == line->pub.base.seq))
            continue;
        if (++count < UNSIGNED_LOGS_MAX)
            continue;
        if (invented)
            return not_yet(a, "too many logs of which nothing signed is held");
        ol->evicted = line->pub.serial;
        return focal_oplog_staging_drop(ol, line);
    }
    return FOCAL_OK;
}

static enum focal_status stage(struct arrival *a)
{
    struct oplog_log *log = a->log;
    if (a->last <= log->pub.staged.seq)
        return FOCAL_OK;
    const bool first_of_log = log->pub.staged.seq == log->pub.base.seq;
    struct focal_stretch tail;
    const size_t from = (size_t)(log->pub.staged.seq + 1 - a->s.first);
    enum focal_status st = focal_oplog_cut(&tail, &a->ol->arena, &a->s, from, a->s.count - from);
    if (st != FOCAL_OK)
        return st;
    struct segment piece = { .before = log->pub.staged.h, .last = { .seq = a->last, .h = a->hashes[a->s.count - 1] } };
    if (log->staged_entries + tail.count > FOCAL_STRETCH_ENTRIES_MAX
        || log->staged_bytes + focal_stretch_canonical_bytes(&tail) > FOCAL_STRETCH_BYTES_MAX) {
        /* Pieces of several peers, cut in different places, can be more than one stretch together: not the last one's fault. */
        st = focal_oplog_staging_drop(a->ol, log);
        return st == FOCAL_OK ? not_yet(a, "more entries without a signature than a stretch may hold") : st;
    }
    st = first_of_log ? make_room(a) : FOCAL_OK;
    if (st == FOCAL_OK)
        st = make_known(a);
    if (st == FOCAL_OK)
        st = screen_and_pack(a, &piece, &tail, a->hashes + from);
    if (st == FOCAL_OK && first_of_log)
        st = focal_oplog_log_row(a->ol, a->log);
    return st == FOCAL_OK ? focal_oplog_stage(a->ol, a->log, &piece, tail.count) : st;
}

/* All from the head to the signature: what is staged of it, and what came now. NOT_FOUND: staging does not give it. */
static enum focal_status whole_stretch(struct arrival *a, struct focal_stretch *out)
{
    const struct focal_log *log = &a->log->pub;
    struct focal_arena *arena = &a->ol->arena;
    enum focal_status st = FOCAL_OK;
    if (log->staged.seq == log->head.seq) {
        const size_t from = (size_t)(log->head.seq + 1 - a->s.first);
        if (from > 0)
            return focal_oplog_cut(out, arena, &a->s, from, a->s.count - from);
        *out = a->s;
        return FOCAL_OK;
    }
    size_t count = 0, cap = (size_t)(log->staged.seq - log->head.seq) + 1;
    struct focal_stretch *parts = focal_arena_alloc(arena, cap * sizeof *parts);
    if (!parts)
        return FOCAL_NO_MEMORY;
    uint64_t next = log->head.seq + 1;
    for (; next <= a->last && next <= log->staged.seq; count++) {
        struct segment piece;
        st = focal_oplog_segment_at(a->ol, &log->line, next, true, &piece);
        if (st != FOCAL_OK)
            return st == FOCAL_DAMAGED ? FOCAL_NOT_FOUND : st;
        st = focal_stretch_unpack(a->ol->packer, &parts[count], arena, piece.packed);
        if (st != FOCAL_OK)
            return st == FOCAL_NO_MEMORY ? st : FOCAL_NOT_FOUND;
        if (piece.last.seq > a->last) {
            const struct focal_stretch all = parts[count];
            st = focal_oplog_cut(&parts[count], arena, &all, 0, (size_t)(a->last - piece.first) + 1);
            if (st != FOCAL_OK)
                return st;
        }
        next = piece.last.seq + 1;
    }
    if (next <= a->last) {
        const size_t from = (size_t)(next - a->s.first);
        st = focal_oplog_cut(&parts[count++], arena, &a->s, from, a->s.count - from);
    }
    return st == FOCAL_OK ? focal_oplog_join(out, arena, parts, count) : st;
}

static enum focal_status drop_and_ask_again(struct arrival *a)
{
    enum focal_status st = focal_oplog_staging_drop(a->ol, a->log);
    return st == FOCAL_OK ? not_yet(a, "the unsigned beginning of this stretch is asked for again") : st;
}

static enum focal_status note_holes(struct arrival *a, const struct focal_stretch *s, const struct focal_hash *hashes)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < s->count && st == FOCAL_OK && focal_oplog_redactable(&a->log->pub); i++) {
        struct entry_name name;
        struct redaction_force force;
        if (s->entries[i].has_payload)
            continue;
        focal_oplog_entry_name(a->ol, &name, &a->log->pub, s->entries[i].header, s->first + i, &hashes[i]);
        st = focal_oplog_force(a->ol, &name, &a->log->pub, &force);
        if (st == FOCAL_OK && !force.in_force)
            st = focal_oplog_hole_note(a->ol, a->log, s->first + i);
    }
    return st;
}

static enum focal_status take(struct arrival *a)
{
    struct focal_stretch whole;
    enum focal_status st = whole_stretch(a, &whole);
    if (st == FOCAL_NOT_FOUND)
        return drop_and_ask_again(a);
    if (st != FOCAL_OK)
        return st;
    const struct focal_log *log = &a->log->pub;
    const bool joined = whole.first < a->s.first;
    const struct focal_hash *hashes = a->hashes;
    if (joined) {
        if (whole.count > FOCAL_STRETCH_ENTRIES_MAX || focal_stretch_canonical_bytes(&whole) > FOCAL_STRETCH_BYTES_MAX)
            return drop_and_ask_again(a);
        struct focal_hash *all = focal_arena_alloc(&a->ol->arena, whole.count * sizeof *all);
        if (!all)
            return FOCAL_NO_MEMORY;
        focal_oplog_hash(all, &whole, 0, whole.count, &log->id, &log->head.h);
        if (!focal_hash_equal(&all[whole.count - 1], &a->hashes[a->s.count - 1]))
            return drop_and_ask_again(a);
        hashes = all;
    } else {
        hashes += whole.first - a->s.first;
    }
    uint64_t opening = 0;
    if (whole.first == 1 && is_control(a) && (opening = opening_of(a, &whole)) == 0)
        return not_yet(a, "the opening of its epoch is not one that a certificate allows");

    struct segment segment = { .before = log->head.h,
        .last = { .seq = a->last, .h = a->hashes[a->s.count - 1] } };
    if (!a->vouched)
        segment.signature = *a->in->signature;
    const bool was_empty = !focal_oplog_has_entries(a->log);
    st = make_known(a);
    if (st == FOCAL_OK)
        st = screen_and_pack(a, &segment, &whole, hashes);
    if (st != FOCAL_OK)
        return st;
    if (opening > 0)
        a->log->opening = opening;
    /* What this office signed under its present epoch is written here and nowhere else. */
    if (a->log->pub.mine && (st = focal_oplog_epoch_betrayed(a->ol, a->log, &segment.last, &segment.signature)) != FOCAL_OK)
        return st;
    if (focal_oplog_takes_back(a->ol) && (st = note_holes(a, &whole, hashes)) != FOCAL_OK)
        return st;
    if (was_empty && a->log->parent && (st = focal_oplog_incident_fork(a->ol, a->log, &segment.last, &segment.signature)) != FOCAL_OK)
        return st;
    st = focal_oplog_append(a->ol, a->log, &segment);
    if (st == FOCAL_OK)
        st = focal_oplog_post(a->ol, &a->log->pub, &whole, hashes);
    focal_oplog_forked_again(a->trunk);
    if (st == FOCAL_OK && opening > 0 && focal_oplog_opening_troubled(whole.entries[0].payload))
        st = focal_oplog_incident_opened(a->ol, a->log);
    if (st == FOCAL_OK)
        st = focal_oplog_apply(a->ol, a->log, &whole, 0, hashes);
    return st == FOCAL_OK ? focal_oplog_limits_grown(a->ol, a->log, whole.first, whole.count, hashes) : st;
}

static enum focal_status admit(struct arrival *a)
{
    enum focal_status st = form(a);
    if (st == FOCAL_OK)
        st = rights(a);
    if (st == FOCAL_OK && a->trunk->own)        /* what we are writing comes before what is said about us */
        st = focal_oplog_own_close(a->ol, a->trunk, true);
    if (st != FOCAL_OK)
        return st;
    a->hashes = focal_arena_alloc(&a->ol->arena, a->s.count * sizeof *a->hashes);
    if (!a->hashes)
        return FOCAL_NO_MEMORY;
    do
        st = place(a);
    while (st == FOCAL_MORE);
    if (st == FOCAL_OK && a->last > a->log->pub.head.seq)
        st = within_cut(a);
    if (st == FOCAL_OK && a->last <= a->log->pub.head.seq)     /* nothing new, unless something of it is missing here */
        return focal_oplog_holes_fill(a->ol, a->log, &a->s);
    if (st != FOCAL_OK)
        return st;
    st = quotes_true(a);
    if (st == FOCAL_OK)
        st = stripped_rightly(a);
    if (st != FOCAL_OK)
        return st;
    if (!a->in->signature && !a->vouched)
        return stage(a);
    if (!a->vouched && !signature_good(a)) {
        if (a->known && a->log->pub.staged.seq > a->log->pub.head.seq && (st = focal_oplog_staging_drop(a->ol, a->log)) != FOCAL_OK)
            return st;
        return never(a, "a signature that does not fit");
    }
    return take(a);
}

enum focal_status focal_oplog_admit(struct focal_oplog *ol, const struct focal_incoming *in, const struct focal_log **log, struct focal_error *err)
{
    struct arrival a = { .ol = ol, .in = in, .err = err };
    focal_arena_reset(&ol->arena);
    enum focal_status st = admit(&a);
    focal_assert(st != FOCAL_OK || a.known);
    if (log)
        *log = a.known ? &a.log->pub : NULL;
    return st;
}
