/* The veil: a copy of the database was put back, and may show what was redacted since. Records are not shown until, of
 * every scope that this office reads, a member that is not veiled itself has told all notices and all statements.
 * Source: PROTOCOL §6. */
#include "inner.h"

#include <string.h>

static bool anybody_else_reads(const struct focal_node *n, const struct focal_certificate *mine, const struct focal_scope *scope)
{
    const struct focal_certificate *c;
    for (size_t i = 0; (c = focal_oplog_office_at(n->oplog, i)) != NULL; i++)
        if (strcmp(c->office.text, mine->office.text) != 0 && focal_oplog_may_read(n->oplog, c, scope))
            return true;
    return false;
}

static bool told(const struct focal_node *n, const struct focal_hash *scope)
{
    for (size_t i = 0; i < n->told_count; i++)
        if (focal_hash_equal(&n->told[i], scope))
            return true;
    return false;
}

static void look(struct focal_node *n, const struct focal_hash *scope)
{
    for (size_t i = 0; i < n->link_count; i++) {
        const struct link *l = &n->links[i];
        if (l->closing_since_ms || l->close_ordered || n->told_count == FOCAL_CERTIFICATE_SCOPES_MAX || !focal_session_told_notices(l->session, scope))
            continue;
        n->told[n->told_count++] = *scope;
        return;
    }
}

size_t focal_node_veil_waits(const struct focal_node *n, struct focal_scope *out, size_t room)
{
    const struct focal_certificate *mine = focal_oplog_mine(n->oplog);
    size_t count = 0;
    for (size_t i = 0; mine && focal_oplog_veiled(n->oplog) && i < mine->read_count && count < room; i++) {
        struct focal_hash scope;
        focal_scope_id(&scope, focal_oplog_network(n->oplog), &mine->read[i]);
        if (!told(n, &scope) && anybody_else_reads(n, mine, &mine->read[i]))
            out[count++] = mine->read[i];
    }
    return count;
}

/* Who waits for our word with a veil of its own hears on a new link that ours is lifted. */
static void say_lifted(struct focal_node *n)
{
    for (size_t i = 0; i < n->link_count; i++) {
        struct link *l = &n->links[i];
        if (focal_session_state(l->session) == FOCAL_SESSION_TALKING && !l->closing_since_ms && focal_session_says_veiled(l->session, false)
            && focal_session_says_veiled(l->session, true))
            link_end(n, l, FOCAL_BYE_CLOSING);
    }
}

static enum focal_status lift(struct focal_node *n, struct focal_span reason)
{
    enum focal_status st = node_writing(n);
    if (st == FOCAL_OK)
        st = focal_oplog_lift_veil(n->oplog);
    if (st == FOCAL_OK)
        st = history_note(n, FOCAL_HISTORY_UNVEILED, reason);
    if (st == FOCAL_OK)
        say_lifted(n);
    return st;
}

static bool is_code(const char *text)
{
    size_t len = 0;
    for (; text[len]; len++)
        if (!((text[len] >= 'a' && text[len] <= 'z') || (len > 0 && text[len] >= '0' && text[len] <= '9') || (len > 0 && text[len] == '_')))
            return false;
    return len > 0 && len <= FOCAL_VEIL_REASON_MAX;
}

enum focal_status veil_lift_by_hand(struct focal_node *n, const char *reason)
{
    if (!focal_oplog_veiled(n->oplog))
        return FOCAL_NOT_FOUND;
    return is_code(reason) ? lift(n, focal_span_text(reason)) : FOCAL_REFUSED;
}

/* What was told once stays told: what is redacted later comes as it comes to everybody. */
enum focal_status veil_step(struct focal_node *n)
{
    const struct focal_certificate *mine = focal_oplog_mine(n->oplog);
    bool all = true;
    if (!focal_oplog_veiled(n->oplog) || !mine)
        return FOCAL_OK;
    for (size_t i = 0; i < mine->read_count; i++) {
        struct focal_hash scope;
        focal_scope_id(&scope, focal_oplog_network(n->oplog), &mine->read[i]);
        if (told(n, &scope))
            continue;
        look(n, &scope);
        all = all && (told(n, &scope) || !anybody_else_reads(n, mine, &mine->read[i]));
    }
    return all ? lift(n, focal_span_of(NULL, 0)) : FOCAL_OK;
}
