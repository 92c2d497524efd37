/* What the authority does to a member in the middle of things: it takes everything, or a scope, from its key. */
#include "inner.h"

#include <string.h>

/* Who tells what is held of a log: headquarters, or for what it does not read the first other honest member that does. */
static struct focal_oplog *reporter(struct world *w, const struct focal_scope *scope, int not)
{
    for (size_t i = 0; i < w->node_count; i++) {
        struct sim_node *n = &w->nodes[i];
        if (n->node && !n->malice && strcmp(n->code, w->nodes[not].code) != 0 && !n->cut && sim_reads(w, (int)i, scope))
            return focal_node_oplog(n->node);
    }
    return NULL;
}

/* The tips of its logs, as reported. */
static void tips_of(struct world *w, int i, struct focal_buf *tips)
{
    for (size_t r = 0; r < w->node_count; r++) {
        struct focal_oplog *ol = w->nodes[r].node ? focal_node_oplog(w->nodes[r].node) : NULL;
        for (size_t k = 0; ol && k < focal_oplog_log_count(ol); k++) {
            const struct focal_log *log = focal_oplog_log_at(ol, k);
            if (!focal_key_equal(&log->name.author, &w->nodes[i].keys.sign_public) || log->head.seq == log->base.seq || reporter(w, &log->scope, i) != ol)
                continue;
            focal_cut_tip_put(tips, &(struct focal_cut_tip){ .log = log->id, .tip = log->head });
        }
    }
}

static void say(struct world *w, int i, const struct focal_reach *reach, struct focal_span tips, struct focal_buf *statement)
{
    struct focal_cut c = { .key = w->nodes[i].keys.sign_public, .reach = *reach, .number = ++w->cuts_made, .tips = tips, .day = 20600,
                           .reason = FOCAL_CUT_REVOKED };
    struct focal_buf body;
    focal_assert(focal_office_parse(&c.office, focal_span_text(w->nodes[i].code)));
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_cut_encode(&body, &c);
    focal_statement_sign(statement, w->authority.secret, &w->network_id, focal_buf_view(&body));
    focal_assert(!body.failed && !statement->failed);
    focal_buf_close(&body);
}

/* Where the step goes wrong, people bring it again: at the latest when all is healed. */
void sim_tell_cut(struct world *w, int i)
{
    enum focal_status answer = FOCAL_OK;
    struct focal_node_event ev = { .type = FOCAL_EVENT_STATEMENT, .answer = &answer };
    ev.is.statement = focal_buf_view(&w->nodes[i].cut_statement);
    if (w->nodes[i].cut_statement.len > 0 && sim_step(w, 0, &ev, 1) == FOCAL_OK && answer != FOCAL_OK && answer != FOCAL_EXISTS)
        sim_fail(w, "headquarters does not take a cut: %s", focal_status_name(answer));
}

/* Everything of node i counts as far as others report it; what it did that they do not hold is excused. Not headquarters: it
 * is what brings the statement. */
bool world_cut(struct world *w, int i)
{
    const struct focal_reach everything = { .kind = FOCAL_REACH_EVERYTHING };
    struct sim_node *n = &w->nodes[i];
    if (strcmp(n->code, w->nodes[0].code) == 0 || !w->nodes[0].node || n->certificate.len == 0 || n->cut)
        return false;
    struct focal_buf tips;
    focal_buf_init(&tips, FOCAL_STATEMENT_MAX);
    focal_buf_init(&n->cut_statement, FOCAL_STATEMENT_MAX);
    tips_of(w, i, &tips);
    say(w, i, &everything, focal_buf_view(&tips), &n->cut_statement);
    sim_excuse_cut(w, i, reporter);
    for (size_t k = 0; k < w->case_count; k++)          /* its redactions may count no more */
        w->cases[k].erased = w->cases[k].erased && strcmp(w->nodes[w->cases[k].author].code, n->code) != 0;
    for (size_t k = 0; k < w->node_count; k++)          /* its copies have its key */
        w->nodes[k].cut = w->nodes[k].cut || strcmp(w->nodes[k].code, n->code) == 0;
    sim_excuse(w);                      /* what it alone held of others comes to nobody any more */
    w->counts.cuts++;
    focal_buf_close(&tips);
    sim_tell_cut(w, i);
    return true;
}
