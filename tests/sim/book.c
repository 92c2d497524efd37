/* The book of what was acknowledged, and whether it is kept.
 *
 * A change that was answered OK added values to the state of one record in one scope and replaced others there. That is read
 * off at its author, before and after. Then it must hold at every live member of that scope, at the end: each value is live, or
 * is named as replaced; and what the change replaced is named as replaced. Both can only come true by the entry itself or by
 * one that knew it. And nothing is replaced that no change replaced: so no value vanishes without somebody's word.
 * A change without an answer (the node was killed, the disk failed) may be there or not: what it could have replaced is known.
 * Excused is what stood on one disk alone when that disk was lost or an old copy was put in its place. */
#include "inner.h"

#include <stdlib.h>
#include <string.h>

static uint64_t digest(struct focal_span bytes)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < bytes.len; i++)
        h = (h ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    return h;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct focal_replaced *x = a, *y = b;
    int order = focal_ref_compare(&x->entry, &y->entry);
    return order ? order : (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

static bool names(const struct focal_replaced *sorted, size_t count, const struct focal_replaced *one)
{
    return count && bsearch(one, sorted, count, sizeof *one, compare_pairs) != NULL;
}

/* The part of an oplog, empty when it has none. */
static void part_of(struct world *w, struct focal_oplog *ol, const struct focal_ref *record, const struct focal_scope *scope, struct focal_part *part)
{
    struct focal_hash id;
    focal_scope_id(&id, &w->network_id, scope);
    focal_part_init(part);
    enum focal_status st = focal_oplog_part(ol, record, &id, part);
    if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
        sim_fail(w, "a part cannot be read: %s", focal_status_name(st));
}

/* ---- writing it down -------------------------------------------------------------------------------------------- */

/* record NULL: it is about to be made. */
void sim_moment_take(struct world *w, int i, const struct focal_ref *record, struct sim_moment *m)
{
    struct focal_oplog *ol = focal_node_oplog(w->nodes[i].node);
    const struct focal_certificate *mine = focal_oplog_mine(ol);
    m->count = 0;
    for (size_t k = 0; mine && k < mine->write_count && m->count < SIM_PARTS_MAX; k++) {
        if (mine->write[k].cls != FOCAL_SCOPE_NETWORK && mine->write[k].cls != FOCAL_SCOPE_COUNTRY)
            continue;
        m->parts[m->count].scope = mine->write[k];
        if (record)
            part_of(w, ol, record, &mine->write[k], &m->parts[m->count].part);
        else
            focal_part_init(&m->parts[m->count].part);
        m->count++;
    }
}

void sim_moment_close(struct sim_moment *m)
{
    for (size_t k = 0; k < m->count; k++)
        focal_part_close(&m->parts[k].part);
}

static void add_pair(struct focal_replaced **list, size_t *count, size_t *cap, const struct focal_replaced *one)
{
    focal_assert(sim_grow(list, *count, cap, sizeof **list));
    (*list)[(*count)++] = *one;
}

enum { LIVES_MAX = 512 };

static bool among(const struct focal_live *lives, size_t count, const struct focal_live *one)
{
    for (size_t i = 0; i < count; i++)
        if (focal_ref_compare(&lives[i].ref, &one->ref) == 0 && lives[i].ordinal == one->ordinal)
            return true;
    return false;
}

static void note_part(struct world *w, int i, const struct focal_ref *record, const struct focal_scope *scope,
                      const struct focal_part *before, const struct focal_part *after)
{
    struct focal_live was[LIVES_MAX], is[LIVES_MAX];
    struct sim_book *b = &w->book;
    size_t was_count = focal_part_live(before, was, LIVES_MAX), is_count = focal_part_live(after, is, LIVES_MAX);
    focal_assert(was_count <= LIVES_MAX && is_count <= LIVES_MAX);
    struct sim_ack a = { .record = *record, .scope = *scope, .author = i, .value_first = b->value_count, .pair_first = b->pair_count,
                         .excused = w->nodes[i].malice != NULL || w->nodes[i].cut || !sim_reads(w, i, scope) };
    for (size_t k = 0; k < is_count; k++) {
        if (among(was, was_count, &is[k]))
            continue;
        focal_assert(sim_grow(&b->values, b->value_count, &b->value_cap, sizeof *b->values));
        b->values[b->value_count++] = (struct sim_value){ .entry = is[k].ref, .ordinal = is[k].ordinal, .field = is[k].field, .digest = digest(is[k].value) };
    }
    for (size_t k = 0; k < after->replaced_count; k++)
        if (!names(before->replaced, before->replaced_count, &after->replaced[k]))
            add_pair(&b->pairs, &b->pair_count, &b->pair_cap, &after->replaced[k]);
    a.value_count = b->value_count - a.value_first;
    a.pair_count = b->pair_count - a.pair_first;
    if (a.value_count + a.pair_count == 0)
        return;
    focal_assert(sim_grow(&b->acks, b->count, &b->cap, sizeof *b->acks));
    b->acks[b->count++] = a;
    w->counts.acknowledged++;
}

void sim_acknowledged(struct world *w, int i, const struct focal_ref *record, const struct sim_moment *before)
{
    struct sim_node *n = &w->nodes[i];
    struct focal_oplog *own = NULL;
    /* What was sent after the answer may have ended the node: then its disk must have what it answered. */
    if (!n->node && focal_oplog_open(&own, n->store, NULL, NULL, NULL, NULL) != FOCAL_OK)
        sim_fail(w, "node %s: ended after an answer, and its disk cannot be read", n->code);
    for (size_t k = 0; k < before->count && (n->node || own); k++) {
        struct focal_part after;
        part_of(w, own ? own : focal_node_oplog(n->node), record, &before->parts[k].scope, &after);
        note_part(w, i, record, &before->parts[k].scope, &before->parts[k].part, &after);
        focal_part_close(&after);
    }
    focal_oplog_close(own);
}

void sim_unanswered(struct world *w, const struct sim_moment *before)
{
    struct focal_live lives[LIVES_MAX];
    for (size_t k = 0; k < before->count; k++) {
        size_t count = focal_part_live(&before->parts[k].part, lives, LIVES_MAX);
        for (size_t j = 0; j < count && j < LIVES_MAX; j++) {
            struct focal_replaced one = { .entry = lives[j].ref, .ordinal = lives[j].ordinal };
            add_pair(&w->book.maybe, &w->book.maybe_count, &w->book.maybe_cap, &one);
        }
    }
}

void sim_book_close(struct sim_book *b)
{
    focal_free(b->acks);
    focal_free(b->values);
    focal_free(b->pairs);
    focal_free(b->maybe);
}

struct sim_case *sim_case_of(const struct world *w, const struct focal_ref *record)
{
    for (size_t k = 0; k < w->case_count; k++)
        if (focal_ref_compare(&w->cases[k].ref, record) == 0)
            return &w->cases[k];
    return NULL;
}

/* ---- looking it up ------------------------------------------------------------------------------------------------- */

static bool has_value(const struct focal_part *part, const struct focal_live *lives, size_t count, const struct sim_value *v)
{
    struct focal_replaced name = { .entry = v->entry, .ordinal = v->ordinal };
    for (size_t k = 0; k < count; k++)
        if (focal_ref_compare(&lives[k].ref, &v->entry) == 0 && lives[k].ordinal == v->ordinal)
            return lives[k].field == v->field && digest(lives[k].value) == v->digest;
    return names(part->replaced, part->replaced_count, &name);
}

static bool has_ack(struct world *w, const struct focal_part *part, const struct sim_ack *a)
{
    struct focal_live lives[LIVES_MAX];
    size_t count = focal_part_live(part, lives, LIVES_MAX);
    const struct sim_case *c = sim_case_of(w, &a->record);
    bool redacted = c && (a->scope.cls == FOCAL_SCOPE_COUNTRY ? c->home_redacted : c->redacted);
    focal_assert(count <= LIVES_MAX);
    for (size_t k = 0; k < a->value_count && !redacted; k++)
        if (!has_value(part, lives, count, &w->book.values[a->value_first + k]))
            return false;
    for (size_t k = 0; k < a->pair_count; k++)
        if (!names(part->replaced, part->replaced_count, &w->book.pairs[a->pair_first + k]))
            return false;
    return true;
}

static bool held(struct world *w, struct focal_oplog *ol, const struct sim_ack *a)
{
    struct focal_part part;
    part_of(w, ol, &a->record, &a->scope, &part);
    bool yes = has_ack(w, &part, a);
    focal_part_close(&part);
    return yes;
}

/* Has the office that recorded the case asked for it to be redacted, as this node knows? in: NULL, in whatever scope. */
static bool knows_request(struct focal_oplog *ol, const struct sim_case *c, const struct focal_office *by, const struct focal_scope *in)
{
    struct focal_redaction row;
    struct focal_buf key;
    uint8_t target[FOCAL_REF_BYTES];
    bool yes = false;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_ref_put(target, &c->ref);
    focal_buf_bytes(&key, target, sizeof target);
    while (!yes && focal_oplog_next_request(ol, &key, &row) == FOCAL_OK && focal_ref_compare(&row.target, &c->ref) == 0) {
        const struct focal_scope *scope = focal_oplog_scope(ol, &row.scope);
        yes = row.whole_record && strcmp(row.by.text, by->text) == 0 && (!in || (scope && focal_scope_compare(scope, in) == 0));
    }
    focal_buf_close(&key);
    return yes;
}

/* From whom something was taken says it again in no other scope: then it must stand in the scope where it erases. */
static bool says_again(const struct world *w, int i)
{
    return !w->nodes[i].cut && w->nodes[i].lost_count == 0;
}

static void note_requests(struct world *w, size_t i, struct focal_oplog *ol)
{
    for (size_t k = 0; k < w->case_count; k++) {
        struct sim_case *c = &w->cases[k];
        struct focal_office by;
        focal_assert(focal_office_parse(&by, focal_span_text(w->nodes[c->author].code)));
        const struct focal_scope *in = says_again(w, c->author) || !c->home_set ? NULL : &c->home;
        if (c->erased && !c->request_held && (!in || sim_reads(w, (int)i, in)))
            c->request_held = knows_request(ol, c, &by, in);
    }
}

void sim_excuse(struct world *w)
{
    for (size_t k = 0; k < w->case_count; k++)
        w->cases[k].request_held = false;
    bool *safe = focal_alloc((w->book.count + 1) * sizeof *safe);
    focal_assert(safe);
    for (size_t i = 0; i < w->node_count; i++) {
        struct sim_node *n = &w->nodes[i];
        struct focal_oplog *ol = n->node ? focal_node_oplog(n->node) : NULL, *own = NULL;
        if (n->malice || n->cut)
            continue;           /* its word is worth nothing, or nobody hears it any more */
        if (!ol && focal_oplog_open(&own, n->store, NULL, NULL, NULL, NULL) != FOCAL_OK)
            continue;
        note_requests(w, i, ol ? ol : own);
        for (size_t k = 0; k < w->book.count; k++) {
            const struct sim_ack *a = &w->book.acks[k];
            /* What another copy of the office holds alone comes back to nobody, and what stands where it is read no more. */
            bool way = sim_reads(w, (int)i, &a->scope) && ((size_t)a->author == i || sim_bridged(w, i, (size_t)a->author, &a->scope));
            safe[k] = safe[k] || (way && !a->excused && held(w, ol ? ol : own, a));
        }
        focal_oplog_close(own);
    }
    for (size_t k = 0; k < w->book.count; k++) {
        w->counts.excused += !safe[k] && !w->book.acks[k].excused;
        w->book.acks[k].excused = w->book.acks[k].excused || !safe[k];
    }
    for (size_t k = 0; k < w->case_count; k++)
        w->cases[k].erased = w->cases[k].erased && w->cases[k].request_held;
    focal_free(safe);
}

void sim_excuse_unreported(struct world *w, size_t ack, int i, int who)
{
    struct sim_ack *a = &w->book.acks[ack];
    bool reported = false;
    if (a->excused || strcmp(w->nodes[a->author].code, w->nodes[i].code) != 0)
        return;
    for (size_t r = 0; r < w->node_count && !reported; r++)
        reported = sim_reports(w, r, &a->scope, i, who) && held(w, focal_node_oplog(w->nodes[r].node), a);
    a->excused = !reported;
    w->counts.excused += !reported;
}

static bool scope_in(const struct focal_reach *reach, const struct focal_scope *scope)
{
    return reach->kind == FOCAL_REACH_EVERYTHING || (reach->kind == FOCAL_REACH_SCOPE && focal_scope_compare(&reach->scope, scope) == 0);
}

/* Whose a record is counts as well: if nothing is left of the log that it was made in, nobody can tell. */
void sim_unsure_of_erased(struct world *w, int i, const struct focal_reach *reach, int who)
{
    const struct focal_scope network = { .cls = FOCAL_SCOPE_NETWORK, .country = "" };
    for (size_t k = 0; k < w->case_count; k++) {
        struct sim_case *c = &w->cases[k];
        struct focal_office by;
        if (!c->erased || strcmp(w->nodes[c->author].code, w->nodes[i].code) != 0)
            continue;
        focal_assert(focal_office_parse(&by, focal_span_text(w->nodes[i].code)));
        bool made = !scope_in(reach, &network), asked = !c->home_set || !scope_in(reach, &c->home);
        for (size_t r = 0; r < w->node_count; r++) {
            struct focal_oplog *ol = w->nodes[r].node ? focal_node_oplog(w->nodes[r].node) : NULL;
            const struct focal_log *log = ol ? focal_oplog_log(ol, &c->ref.log) : NULL;
            made = made || (log && log->head.seq >= c->ref.seq && sim_reports(w, r, &network, i, who));
            asked = asked || (ol && sim_reports(w, r, &c->home, i, who) && knows_request(ol, c, &by, &c->home));
        }
        c->erased = made && asked;
    }
}

/* ---- checking -------------------------------------------------------------------------------------------------------- */

static void check_phantoms(struct world *w, struct sim_node *n, const struct sim_ack *a, const struct focal_part *part)
{
    for (size_t k = 0; k < part->replaced_count; k++) {
        if (names(w->book.maybe, w->book.maybe_count, &part->replaced[k]))
            continue;
        char scope[16];
        focal_scope_print(scope, &a->scope);
        sim_fail(w, "node %s: a value in %s is replaced, and nobody replaced it", n->code, scope);
        return;
    }
}

/* All that was ever replaced, in one sorted list; for the last check of a life. */
static void gather(struct sim_book *b)
{
    for (size_t k = 0; k < b->pair_count; k++)
        add_pair(&b->maybe, &b->maybe_count, &b->maybe_cap, &b->pairs[k]);
    if (b->maybe_count)
        qsort(b->maybe, b->maybe_count, sizeof *b->maybe, compare_pairs);
}

/* Copies of an office do not speak with each other: does one lack what its author does not tell any more? */
static bool cut_from_copy(const struct world *w, size_t i, const struct sim_ack *a)
{
    const struct sim_node *author = &w->nodes[a->author];
    if (!author->cut && sim_reads(w, a->author, &a->scope))
        return false;
    for (size_t k = 0; k < w->node_count; k++)
        if (k != i && !sim_bridged(w, i, k, &a->scope))
            return true;
    return false;
}

void sim_book_check(struct world *w)
{
    gather(&w->book);
    for (size_t i = 0; i < w->node_count; i++) {
        struct sim_node *n = &w->nodes[i];
        if (!n->node || n->malice || n->cut || !focal_oplog_mine(focal_node_oplog(n->node)))
            continue;
        for (size_t k = 0; k < w->book.count && !w->failure[0]; k++) {
            const struct sim_ack *a = &w->book.acks[k];
            if (!sim_reads(w, (int)i, &a->scope) || ((size_t)a->author != i && !sim_bridged(w, i, (size_t)a->author, &a->scope))
                || cut_from_copy(w, i, a))
                continue;
            struct focal_part part;
            char scope[16];
            focal_scope_print(scope, &a->scope);
            part_of(w, focal_node_oplog(n->node), &a->record, &a->scope, &part);
            w->counts.checked++;
            if (!a->excused && !has_ack(w, &part, a))
                sim_fail(w, "node %s: a change of %s in %s that was acknowledged (%zu values, %zu replaced) is not kept", n->code,
                         w->nodes[a->author].code, scope, a->value_count, a->pair_count);
            check_phantoms(w, n, a, &part);
            focal_part_close(&part);
        }
    }
}
