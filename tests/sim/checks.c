/* What must hold: nodes that hold the same entries are equal byte for byte; nothing acknowledged is missing. */
#include "inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct focal_certificate *mine(struct world *w, size_t i)
{
    return w->nodes[i].node ? focal_oplog_mine(focal_node_oplog(w->nodes[i].node)) : NULL;
}

/* Equal frontiers in every scope that both read. */
static bool same(struct world *w, size_t a, size_t b)
{
    const struct focal_certificate *ca = mine(w, a), *cb = mine(w, b);
    if (!ca || !cb)
        return false;
    for (size_t i = 0; i < ca->read_count; i++) {
        if (!focal_certificate_lists(cb->read, cb->read_count, &ca->read[i]))
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

static bool all_same(struct world *w)
{
    for (size_t a = 0; a < w->node_count; a++)
        for (size_t b = a + 1; b < w->node_count; b++)
            if (w->nodes[a].node && w->nodes[b].node && !same(w, a, b))
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

bool world_settle(struct world *w, uint64_t most_ms)
{
    for (uint64_t spent = 0; spent < most_ms && !w->failure[0]; spent += 1000) {
        if (all_same(w))
            return true;
        world_run(w, 1000);
    }
    bool same_at_last = all_same(w);
    if (!same_at_last && getenv("FOCAL_SIM_TRACE"))
        dump(w);
    return same_at_last;
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

void world_check_equal(struct world *w)
{
    static struct digests of[WORLD_NODES_MAX];
    for (size_t i = 0; i < w->node_count; i++) {
        of[i].count = 0;
        if (w->nodes[i].node)
            verify(w, i, &of[i]);
    }
    for (size_t a = 0; a < w->node_count; a++)
        for (size_t b = a + 1; b < w->node_count; b++)
            for (size_t i = 0; i < of[a].count; i++)
                for (size_t k = 0; k < of[b].count; k++) {
                    char name[16];
                    if (focal_scope_compare(&of[a].of[i].scope, &of[b].of[k].scope) != 0 || focal_hash_equal(&of[a].of[i].hash, &of[b].of[k].hash))
                        continue;
                    focal_scope_print(name, &of[a].of[i].scope);
                    sim_fail(w, "%s and %s differ in %s", w->nodes[a].code, w->nodes[b].code, name);
                }
}

void world_check_kept(struct world *w)
{
    for (size_t i = 0; i < w->node_count; i++) {
        const struct focal_certificate *c = mine(w, i);
        for (size_t k = 0; c && k < w->case_count; k++) {
            const struct sim_case *s = &w->cases[k];
            struct focal_record_view view;
            bool home = s->home_set && focal_certificate_lists(c->read, c->read_count, &s->home);
            if (focal_oplog_record(focal_node_oplog(w->nodes[i].node), NULL, &s->ref, &view) != FOCAL_OK) {
                sim_fail(w, "node %s: a case of %s that was acknowledged is missing", w->nodes[i].code, w->nodes[s->author].code);
                return;
            }
            if (!view.record.complete || view.record.kind_number != FOCAL_KIND_CASE)
                sim_fail(w, "node %s: a case of %s is not complete", w->nodes[i].code, w->nodes[s->author].code);
            const struct focal_field *f = focal_field_by_name(focal_kind_by_number(FOCAL_KIND_CASE), "source_role");
            bool country_part = focal_record_slot(&view.record, f->number, focal_span_of(NULL, 0)) != NULL;
            if (s->home_set && country_part != home)
                sim_fail(w, "node %s: the country part of a case of %s is %s", w->nodes[i].code, w->nodes[s->author].code,
                         country_part ? "where it must not be" : "missing");
            focal_record_view_close(&view);
        }
    }
}
