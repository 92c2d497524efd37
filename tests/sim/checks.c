/* What must hold: nodes that hold the same entries are equal byte for byte; nothing acknowledged is missing. */
#include "inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct focal_certificate *mine(const struct world *w, size_t i)
{
    return w->nodes[i].node ? focal_oplog_mine(focal_node_oplog(w->nodes[i].node)) : NULL;
}

/* Copies of one office do not speak with each other: what they write comes together at whoever else reads the scope, once it
 * is a member. */
bool sim_bridged(const struct world *w, size_t a, size_t b, const struct focal_scope *scope)
{
    if (strcmp(w->nodes[a].code, w->nodes[b].code) != 0)
        return true;
    for (size_t i = 0; i < w->node_count; i++)
        if (mine(w, i) && !w->nodes[i].malice && !w->nodes[i].cut && strcmp(w->nodes[i].code, w->nodes[a].code) != 0 && sim_reads(w, (int)i, scope))
            return true;
    return false;
}

/* Equal frontiers in every scope that both read. */
static bool same(struct world *w, size_t a, size_t b)
{
    const struct focal_certificate *ca = mine(w, a), *cb = mine(w, b);
    if (!ca || !cb)
        return false;
    if (strcmp(w->nodes[a].code, w->nodes[b].code) != 0) {      /* copies hear of it by others */
        struct focal_hash sa, sb;
        focal_oplog_statements_hash(focal_node_oplog(w->nodes[a].node), &sa);
        focal_oplog_statements_hash(focal_node_oplog(w->nodes[b].node), &sb);
        if (!focal_hash_equal(&sa, &sb))
            return false;
    }
    for (size_t i = 0; i < ca->read_count; i++) {
        if (!focal_certificate_lists(cb->read, cb->read_count, &ca->read[i]) || !sim_reads(w, (int)a, &ca->read[i])
            || !sim_reads(w, (int)b, &ca->read[i]) || !sim_bridged(w, a, b, &ca->read[i]))
            continue;
        struct focal_hash id;
        uint8_t ha[16], hb[16];
        focal_scope_id(&id, &w->network_id, &ca->read[i]);
        focal_oplog_frontier_hash(focal_node_oplog(w->nodes[a].node), &id, ha);
        focal_oplog_frontier_hash(focal_node_oplog(w->nodes[b].node), &id, hb);
        if (memcmp(ha, hb, 16) != 0)
            return false;
    }
    return true;
}

/* What runs and is honest. Whose invitation was lost with headquarters' disk must be invited again. */
static bool looked_at(struct world *w, size_t i)
{
    struct sim_node *n = &w->nodes[i];
    if (!n->node || n->malice || n->cut)
        return false;
    return !w->invitations_lost || focal_oplog_mine(focal_node_oplog(n->node)) != NULL;
}

static bool all_same(struct world *w)
{
    for (size_t a = 0; a < w->node_count; a++)
        for (size_t b = a + 1; b < w->node_count; b++)
            if (looked_at(w, a) && looked_at(w, b) && !same(w, a, b))
                return false;
    return true;
}

/* What each node holds and knows, for whoever looks into one seed. */
static void dump(struct world *w)
{
    for (size_t i = 0; i < w->node_count; i++) {
        if (!w->nodes[i].node)
            continue;
        const struct focal_oplog *ol = focal_node_oplog(w->nodes[i].node);
        fprintf(stderr, "%s at %llu ms, %s\n", w->nodes[i].code, (unsigned long long)w->now_ms, mine(w, i) ? "member" : "no member");
        for (size_t k = 0; k < focal_oplog_log_count(ol); k++) {
            const struct focal_log *log = focal_oplog_log_at(ol, k);
            const struct focal_certificate *author = focal_oplog_author(ol, &log->id);
            char scope[16];
            focal_scope_print(scope, &log->scope);
            fprintf(stderr, "  log of %s in %s: head %llu, staged %llu\n", author ? author->office.text : "?", scope,
                    (unsigned long long)log->head.seq, (unsigned long long)log->staged.seq);
        }
        struct focal_peer_status peer;
        for (size_t k = 0; focal_node_peer(w->nodes[i].node, sim_time(w, &w->nodes[i]), k, &peer); k++)
            fprintf(stderr, "  %s: link %d, they lack %llu, we lack %llu, %s\n", peer.office.text, (int)peer.link,
                    (unsigned long long)peer.they_lack, (unsigned long long)peer.we_lack, peer.why);
    }
}

struct digests { struct { struct focal_scope scope; struct focal_hash hash; } of[64]; size_t count; };

static void verify(struct world *w, size_t i, struct digests *out)
{
    struct focal_verify *v = NULL;
    out->count = 0;
    if (focal_verify_open(&v, focal_node_oplog(w->nodes[i].node)) != FOCAL_OK) {
        sim_fail(w, "node %s: verify does not open", w->nodes[i].code);
        return;
    }
    enum focal_status st;
    do
        st = focal_verify_slice(v, 1000);
    while (st == FOCAL_MORE);
    if (st != FOCAL_OK || focal_verify_error_count(v))
        sim_fail(w, "node %s: verify: %s", w->nodes[i].code, focal_verify_error_count(v) ? focal_verify_error(v, 0) : focal_status_name(st));
    while (out->count < 64 && focal_verify_digest(v, out->count, &out->of[out->count].scope, &out->of[out->count].hash))
        out->count++;
    focal_verify_close(v);
}

/* Two that look at one scope, or none that differ. */
static bool differ(struct world *w, size_t *one, size_t *other, struct focal_scope *in)
{
    static struct digests of[WORLD_NODES_MAX];
    for (size_t i = 0; i < w->node_count; i++) {
        of[i].count = 0;
        if (looked_at(w, i))
            verify(w, i, &of[i]);
    }
    for (size_t a = 0; a < w->node_count; a++)
        for (size_t b = a + 1; b < w->node_count; b++)
            for (size_t i = 0; i < of[a].count; i++)
                for (size_t k = 0; k < of[b].count; k++) {
                    const struct focal_scope *scope = &of[a].of[i].scope;
                    if (focal_scope_compare(scope, &of[b].of[k].scope) != 0 || focal_hash_equal(&of[a].of[i].hash, &of[b].of[k].hash)
                        || !sim_reads(w, (int)a, scope) || !sim_reads(w, (int)b, scope) || !sim_bridged(w, a, b, scope))
                        continue;
                    *one = a;
                    *other = b;
                    *in = *scope;
                    return true;
                }
    return false;
}

/* It has nothing left to erase of scopes that were taken from it. */
static bool has_left(struct world *w, size_t i)
{
    uint64_t kept;
    size_t at = 0;
    while (focal_oplog_next_left(focal_node_oplog(w->nodes[i].node), &at, &kept))
        if (kept == 0)
            return false;
    return true;
}

/* Equal frontiers say nothing of entries that were redacted and are no more: where one has such a hole and another the entry, it
 * is still to come. What is derived again after a cut is still to be made as well. */
static bool all_filled(struct world *w)
{
    size_t a, b;
    struct focal_scope scope;
    bool holes = false;
    for (size_t i = 0; i < w->node_count; i++) {
        holes = holes || (looked_at(w, i) && focal_oplog_has_holes(focal_node_oplog(w->nodes[i].node)));
        if (looked_at(w, i) && (focal_oplog_again_due(focal_node_oplog(w->nodes[i].node)) || !has_left(w, i)))
            return false;
    }
    return !holes || !differ(w, &a, &b, &scope);
}

static bool has_copy(const struct world *w, size_t i)
{
    for (size_t k = 0; k < w->node_count; k++)
        if (k != i && strcmp(w->nodes[k].code, w->nodes[i].code) == 0)
            return true;
    return false;
}

/* Whoever dials an office of which there are copies reaches one of them. Links are made anew here every minute, as they are
 * in life after six hours, so that each copy is reached in its turn, also by each copy of another office. */
static void reach_copies(struct world *w)
{
    w->copies_turn++;
    for (size_t i = 0; i < w->node_count; i++)
        if (has_copy(w, i))
            world_cut_links(w, (int)i);
}

bool world_settle(struct world *w, uint64_t most_ms)
{
    enum { FOLLOW_MS = 200 };
    for (uint64_t spent = 0; spent < most_ms && !w->failure[0]; spent += 1000) {
        if (all_same(w) && (w->counts.clones || w->counts.restores || w->counts.losses))
            world_run(w, FOLLOW_MS);    /* what an office redacted it redacts again, if need be, at its next tick */
        if (all_same(w) && (!w->counts.cuts || (spent % 20000 == 0 && all_filled(w))))
            return true;
        if (spent % 60000 == 0)
            reach_copies(w);
        world_run(w, 1000);
    }
    bool same_at_last = all_same(w) && all_filled(w);
    if (!same_at_last && getenv("FOCAL_SIM_TRACE"))
        dump(w);
    return same_at_last;
}

/* One set of statements, and so the same last day of every membership. */
static void statements_equal(struct world *w)
{
    static const struct focal_scope control = { .cls = FOCAL_SCOPE_CONTROL };
    for (size_t a = 0; a < w->node_count; a++)
        for (size_t b = a + 1; b < w->node_count; b++) {
            struct focal_hash of[2];
            if (!looked_at(w, a) || !looked_at(w, b) || !sim_bridged(w, a, b, &control))
                continue;
            struct focal_oplog *ols[] = { focal_node_oplog(w->nodes[a].node), focal_node_oplog(w->nodes[b].node) };
            const struct focal_certificate *c, *theirs;
            focal_oplog_statements_hash(ols[0], &of[0]);
            focal_oplog_statements_hash(ols[1], &of[1]);
            if (!focal_hash_equal(&of[0], &of[1]))
                sim_fail(w, "%s and %s hold different statements", w->nodes[a].code, w->nodes[b].code);
            for (size_t i = 0; (c = focal_oplog_office_at(ols[0], i)) != NULL; i++) {
                theirs = focal_oplog_certificate(ols[1], &c->office);
                if (theirs && (theirs->to_day != c->to_day || theirs->openings_max != c->openings_max))
                    sim_fail(w, "%s and %s differ in the membership of %s", w->nodes[a].code, w->nodes[b].code, c->office.text);
            }
        }
}

void world_check_equal(struct world *w)
{
    size_t a, b;
    struct focal_scope scope;
    char name[16];
    if (differ(w, &a, &b, &scope)) {
        focal_scope_print(name, &scope);
        sim_fail(w, "%s and %s differ in %s", w->nodes[a].code, w->nodes[b].code, name);
    }
    statements_equal(w);
    sim_check_renewed(w);
}

/* Entries of a log, on all its lines. */
static uint64_t entries_of(struct focal_oplog *ol, const struct focal_id *log)
{
    uint64_t count = 0;
    for (const struct focal_log *line = NULL; (line = focal_oplog_next_line(ol, log, line)) != NULL;)
        count += focal_log_tip(line)->seq - line->base.seq;
    return count;
}

uint64_t world_missing(struct world *w)
{
    uint64_t missing = 0;
    for (size_t a = 0; a < w->node_count; a++) {
        if (!looked_at(w, a))
            continue;
        struct focal_oplog *from = focal_node_oplog(w->nodes[a].node);
        for (size_t k = 0; k < focal_oplog_log_count(from); k++) {
            const struct focal_log *log = focal_oplog_log_at(from, k);
            uint64_t held = entries_of(from, &log->id);
            for (size_t b = 0; b < w->node_count && focal_id_equal(&log->id, &log->line); b++) {
                if (b == a || !looked_at(w, b) || !sim_reads(w, (int)b, &log->scope))
                    continue;
                uint64_t theirs = entries_of(focal_node_oplog(w->nodes[b].node), &log->id);
                missing += held > theirs ? held - theirs : 0;
            }
        }
    }
    return missing;
}

/* ---- nothing of a country where it must not be ------------------------------------------------------------------- */

/* Taken from it, and still there because of what nobody else is known to hold of its own. */
static bool stays(struct world *w, size_t i, const struct focal_scope *scope)
{
    const struct focal_scope *left;
    uint64_t kept;
    size_t at = 0;
    while (w->nodes[i].node && (left = focal_oplog_next_left(focal_node_oplog(w->nodes[i].node), &at, &kept)) != NULL)
        if (focal_scope_compare(left, scope) == 0)
            return kept > 0;
    return false;
}

/* Who has lost everything is told nothing any more, and decides for itself; who is bad erases nothing. */
static bool may_stand(struct world *w, size_t i, const struct focal_scope *scope)
{
    const bool own_way = w->nodes[i].cut || w->nodes[i].malice || !w->nodes[i].node;
    return sim_reads(w, (int)i, scope) || (sim_read_once(w, (int)i, scope) && (own_way || stays(w, i, scope)));
}

static void look_into(struct world *w, size_t i, struct focal_span bytes)
{
    const uint8_t *at = bytes.data, *end = bytes.data + bytes.len;
    while ((size_t)(end - at) > SIM_MARK_BYTES + 3 && (at = memmem(at, (size_t)(end - at), w->mark, SIM_MARK_BYTES)) != NULL) {
        struct focal_scope s = { .cls = FOCAL_SCOPE_COUNTRY, .country = "" };
        at += SIM_MARK_BYTES;
        if (end - at >= 3)
            memcpy(s.country, at, 3);
        if (!may_stand(w, i, &s))
            sim_fail(w, "node %s has content of %s on its disk", w->nodes[i].code, s.country);
    }
}

static void check_disk(struct world *w, size_t i)
{
    struct focal_buf key, value;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        focal_buf_clear(&key);
        while (focal_store_next(w->nodes[i].store, (enum focal_shelf)shelf, focal_buf_view(&key), &key, &value) == FOCAL_OK)
            look_into(w, i, focal_buf_view(&value));
    }
    focal_buf_close(&key);
    focal_buf_close(&value);
    const struct focal_oplog *ol = w->nodes[i].node ? focal_node_oplog(w->nodes[i].node) : NULL;
    for (size_t k = 0; ol && k < focal_oplog_log_count(ol); k++) {
        const struct focal_log *log = focal_oplog_log_at(ol, k);
        const bool emptied = log->staged.seq == log->base.seq;      /* lines keep their place when a scope is left */
        if (log->scope.cls != FOCAL_SCOPE_CONTROL && !may_stand(w, i, &log->scope) && !(emptied && sim_read_once(w, (int)i, &log->scope)))
            sim_fail(w, "node %s holds a log of a scope that it does not read", w->nodes[i].code);
    }
}

/* Who left a scope has said so; what nobody else held stays, and then it has not left. */
static void check_left(struct world *w, size_t i)
{
    struct sim_node *n = &w->nodes[i];
    if (!looked_at(w, i) || w->counts.restores || w->counts.losses || w->counts.clones)
        return;
    for (size_t k = 0; k < n->lost_count; k++) {
        struct focal_history row = { .number = 0 };
        bool said = stays(w, i, &n->lost[k]) || !n->lost_held[k];
        while (!said && focal_node_next_history(n->node, row.number, &row) == FOCAL_OK)
            said = row.code == FOCAL_HISTORY_LEFT && row.detail[0] == n->lost[k].cls
                   && (n->lost[k].cls != FOCAL_SCOPE_COUNTRY || memcmp(row.detail + 1, n->lost[k].country, 3) == 0);
        if (!said)
            sim_fail(w, "node %s does not say that it left a scope", n->code);
    }
}

static void check_case(struct world *w, size_t i, const struct sim_case *s)
{
    struct focal_record_view view;
    bool home = s->home_set && (sim_reads(w, (int)i, &s->home) || stays(w, i, &s->home));
    if (focal_oplog_record(focal_node_oplog(w->nodes[i].node), NULL, &s->ref, &view) != FOCAL_OK)
        return;                         /* the book says what is missing, and what of it is excused */
    if (view.record.kind_number == FOCAL_KIND_CASE) {
        const struct focal_field *f = focal_field_by_name(focal_kind_by_number(FOCAL_KIND_CASE), "source_role");
        bool country_part = focal_record_slot(&view.record, f->number, focal_span_of(NULL, 0)) != NULL;
        if (country_part && !home)
            sim_fail(w, "node %s: the country part of a case of %s is where it must not be", w->nodes[i].code, w->nodes[s->author].code);
    }
    focal_record_view_close(&view);
}

/* Honest nodes blame each other only over bytes that were changed on their way. A node that had no memory for the name of a log
 * may blame who speaks of it. */
static void check_blame(struct world *w)
{
    if (w->counts.memory_faults)
        return;
    for (size_t a = 0; a < w->node_count; a++)
        for (size_t b = 0; b < w->node_count; b++)
            if (w->blamed[a][b] && !w->wire_spoilt && !w->nodes[a].malice && !w->nodes[b].malice)
                sim_fail(w, "%s closed a link to %s over a fault, and both are honest", w->nodes[a].code, w->nodes[b].code);
}

/* What its author redacted is erased everywhere, once all have heard of it: no byte of it is left. From whom the scope was taken
 * hears nothing of it; what stays there of its own stays with all that it held. */
static void check_erased(struct world *w)
{
    for (size_t k = 0; k < w->case_count; k++)
        for (size_t i = 0; i < w->node_count; i++)
            if (w->cases[k].erased && looked_at(w, i) && !stays(w, i, &w->cases[k].home)
                && focal_fake_store_holds(w->nodes[i].store, focal_span_of(w->cases[k].canary, sizeof w->cases[k].canary)))
                sim_fail(w, "node %s: what %s redacted stands on its disk", w->nodes[i].code, w->nodes[w->cases[k].author].code);
}

static void count_forks(struct world *w)
{
    for (size_t i = 0; i < w->node_count; i++) {
        struct focal_incident incident = { .number = 0 };
        while (looked_at(w, i) && focal_oplog_next_incident(focal_node_oplog(w->nodes[i].node), incident.number, &incident) == FOCAL_OK)
            w->counts.forks += incident.kind == FOCAL_INCIDENT_FORK;
    }
}

void world_check_kept(struct world *w)
{
    check_erased(w);
    count_forks(w);
    sim_book_check(w);
    check_blame(w);
    sim_sealed_check(w);
    for (size_t i = 0; i < w->node_count; i++) {
        check_disk(w, i);
        check_left(w, i);
        for (size_t k = 0; looked_at(w, i) && k < w->case_count; k++)
            check_case(w, i, &w->cases[k]);
    }
}

bool world_blamed(const struct world *w, int by, int whom) { return w->blamed[by][whom]; }
