/* Whose word counts, once the authority's key was changed (PROTOCOL §3).
 *
 * A succession names a new authority and what stays good of all that others signed. Of several the highest number counts, then
 * the smaller hash; those of its number and its key are one list. What does not count is set aside, as if it had never come: it
 * grants nothing, is told nobody, and comes back when a later succession names it.
 *
 * Rights may vanish so, as by a cut: a line that no certificate of today grants counts up to nothing. */
#include "inside.h"

bool focal_oplog_statement_signed(const struct focal_oplog *ol, const struct focal_statement *s)
{
    return FOCAL_PLANTED(STATEMENT_UNSIGNED) || focal_statement_verify(s, focal_statement_signer(s, &ol->genesis), &ol->network);
}

static bool goes_before(const struct held_statement *a, const struct held_statement *b)
{
    if (a->succession->number != b->succession->number)
        return a->succession->number > b->succession->number;
    return memcmp(a->hash.b, b->hash.b, sizeof a->hash.b) < 0;
}

static bool kept(const struct statement_set *set, const struct focal_hash *statement)
{
    const struct focal_succession *in_force = set->authority->succession;
    for (size_t i = 0; i < set->count; i++) {
        const struct focal_succession *s = set->list[i]->succession;
        if (s && s->number == in_force->number && focal_key_equal(&s->key, &in_force->key) && focal_succession_keeps(s, statement))
            return true;
    }
    return false;
}

bool focal_oplog_statement_counts(const struct focal_oplog *ol, const struct held_statement *held)
{
    const struct statement_set *set = &ol->statements;
    if (held->kind == FOCAL_STATEMENT_GENESIS || held->succession)
        return true;
    if (!set->authority)
        return focal_key_equal(&held->signer, &ol->genesis.authority);
    if (focal_key_equal(&held->signer, &set->authority->succession->key) || FOCAL_PLANTED(OLD_AUTHORITY_GOES_ON))
        return true;
    return kept(set, &held->hash) || (held->delegated && kept(set, &held->under));
}

static enum focal_status put_aside(struct statement_set *set, struct held_statement *held)
{
    void *list = set->idle;
    enum focal_status st = focal_oplog_room(&list, &set->idle_cap, set->idle_count, sizeof *set->idle);
    set->idle = list;
    if (st == FOCAL_OK)
        set->idle[set->idle_count++] = held;
    return st;
}

enum focal_status focal_oplog_authority_derive(struct focal_oplog *ol)
{
    struct statement_set *set = &ol->statements;
    enum focal_status st = FOCAL_OK;
    set->authority = NULL;
    for (size_t i = 0; i < set->count; i++)
        if (set->list[i]->succession && (!set->authority || goes_before(set->list[i], set->authority)))
            set->authority = set->list[i];
    /* Successions stay in the list, so that what is kept does not change meanwhile. */
    const size_t was_idle = set->idle_count;
    for (size_t i = 0; i < set->count && st == FOCAL_OK;) {
        struct held_statement *held = set->list[i];
        if (focal_oplog_statement_counts(ol, held)) {
            i++;
            continue;
        }
        st = put_aside(set, held);
        if (st == FOCAL_OK)
            memmove(set->list + i, set->list + i + 1, (--set->count - i) * sizeof *set->list);
    }
    size_t stay = 0;
    for (size_t i = 0; i < set->idle_count; i++) {
        if (st == FOCAL_OK && i < was_idle && focal_oplog_statement_counts(ol, set->idle[i]) && (st = focal_oplog_statement_insert(ol, set->idle[i])) == FOCAL_OK)
            continue;
        set->idle[stay++] = set->idle[i];
    }
    set->idle_count = stay;
    return st;
}

/* ---- lines that count no more --------------------------------------------------------------------------------------------- */

/* The number by which the epoch of a line was opened, as its control log says; 0: that is not held. */
static uint64_t opening_of(const struct focal_oplog *ol, const struct oplog_log *line)
{
    struct focal_log_name name = line->pub.name;
    struct focal_id id;
    if (focal_hash_equal(&name.scope, &ol->control_scope) && name.lane == FOCAL_LANE_DATA) {
        while (line->parent && line->pub.base.seq > 0)
            line = line->parent;
        return line->opening;
    }
    name.scope = ol->control_scope;
    name.lane = FOCAL_LANE_DATA;
    focal_log_id(&id, &ol->network, &name);
    const struct oplog_log *control = focal_oplog_log_of(ol, &id);
    return control && focal_oplog_has_entries(control) ? control->opening : 0;
}

bool focal_oplog_still_granted(const struct focal_oplog *ol, const struct oplog_log *line)
{
    if (!ol->statements.authority || (line->pub.mine && !focal_oplog_has_entries(line)))
        return true;
    return focal_oplog_grants(ol, &line->pub.name.author, &line->pub.scope) && focal_oplog_opens(ol, &line->pub.name.author, opening_of(ol, line));
}

/* Nobody would count what is written under an opening that no certificate allows any more. */
bool focal_oplog_epoch_allowed(const struct focal_oplog *ol)
{
    return !ol->statements.authority || !ol->epoch_set || !ol->has_keys || focal_oplog_opens(ol, &ol->keys->sign_public, ol->epoch_number);
}

/* ---- asked ----------------------------------------------------------------------------------------------------------------- */

const struct focal_key *focal_oplog_authority(const struct focal_oplog *ol, uint64_t *number)
{
    const struct held_statement *in_force = ol->statements.authority;
    if (number)
        *number = in_force ? in_force->succession->number : 0;
    return in_force ? &in_force->succession->key : &ol->genesis.authority;
}

bool focal_oplog_idle_statement(const struct focal_oplog *ol, size_t i, struct focal_span *out)
{
    if (i >= ol->statements.idle_count)
        return false;
    *out = focal_span_of(ol->statements.idle[i]->bytes, ol->statements.idle[i]->len);
    return true;
}
