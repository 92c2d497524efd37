/* Leads: the tips that cuts list, and those that listed logs begin by naming, each with the line that holds it.
 *
 *      a cut lists 7 of log B      B begins by naming 5 of log A, which is finished and not listed
 *
 *      lead (B, 7) ── root ──► the line of B whose first entry leads to 7 ── names ──► lead (A, 5)
 *
 * Where a tip is held never changes while it is held, so it is looked for once, when its cut or the begin entry that names it
 * comes, and afterwards only seen among what comes in. Whoever asks how far a line counts reads no entry. An author whose key is
 * cut made his logs as he liked, so the bounds are, for each cut that counts:
 *
 *   memory   140 listed tips, and of each at most one begin entry of 16 KiB, which names at most 292 tips: 3.4 MB
 *   a cut    each segment of the logs it leads to is read once, however many tips lie in it, and the first of each listed log
 *   a piece  its own hashes are compared; where it begins a listed log, or holds a listed tip, what that log begins by naming
 *            (at most 292 tips, each looked for on 481 lines) is looked for once
 *
 * A log that a forger began more than once: its beginning is the one that leads to the listed tip, and none while that is not
 * held. He could else add beginnings, and let them name what he likes. */
#include "inside.h"

#include <assert.h>
#include <stdlib.h>

enum { NAMES_MAX = FOCAL_ENTRY_MAX / FOCAL_PREVIOUS_BYTES };
static_assert(FOCAL_CUT_TIPS_MAX * (NAMES_MAX + 1) * sizeof(struct lead) <= 3400 * 1024, "the bound that stands above");

/* ---- asked --------------------------------------------------------------------------------------------------------------------- */

const struct oplog_log *focal_oplog_lead_holder(const struct lead *lead)
{
    return lead->holder && lead->holder->life == lead->life ? lead->holder : NULL;
}

/* Both lists ascend: the first that is of the log, or of one after it. */
static size_t first_of(const struct lead *list, size_t count, const struct focal_id *log)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (memcmp(list[middle].log.b, log->b, sizeof log->b) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct lead *focal_oplog_leads_to(struct lead *list, size_t count, const struct focal_id *log, size_t *found)
{
    const size_t at = first_of(list, count, log);
    *found = 0;
    while (at + *found < count && focal_id_equal(&list[at + *found].log, log))
        ++*found;
    return list ? list + at : NULL;
}

/* ---- lists of them --------------------------------------------------------------------------------------------------------------- */

enum focal_status focal_oplog_leads_listed(struct held_statement *held)
{
    const size_t count = focal_cut_tip_count(held->cut);
    if (held->leads || count == 0)
        return FOCAL_OK;
    held->leads = focal_alloc(count * sizeof *held->leads);
    if (!held->leads)
        return FOCAL_NO_MEMORY;
    held->lead_count = count;
    for (size_t i = 0; i < count; i++) {
        struct focal_cut_tip tip;
        focal_cut_tip_get(&tip, held->cut, i);
        held->leads[i] = (struct lead){ .log = tip.log, .tip = tip.tip };
    }
    return FOCAL_OK;
}

void focal_oplog_names_forget(struct oplog_log *line)
{
    focal_free(line->names);
    line->names = NULL;
    line->name_count = 0;
    line->names_known = false;
}

static enum focal_status copy_names(struct oplog_log *root, struct focal_span begin)
{
    struct focal_header header;
    if (focal_header_decode(&header, begin) != FOCAL_OK)
        return FOCAL_DAMAGED;
    /* Shapes that come later may begin a log, and name nothing that is understood here. */
    const size_t count = header.shape == FOCAL_SHAPE_BEGIN ? focal_header_previous_count(&header) : 0;
    focal_assert(count <= NAMES_MAX);
    root->names = count ? focal_alloc(count * sizeof *root->names) : NULL;
    if (count && !root->names)
        return FOCAL_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct focal_previous previous;
        focal_header_previous(&previous, &header, i);
        root->names[i] = (struct lead){ .log = previous.log, .tip = previous.tip };
    }
    root->name_count = count;
    root->names_known = true;
    return FOCAL_OK;
}

/* In memory of its own: who asks has a stretch in the arena. */
static enum focal_status load_names(struct focal_oplog *ol, struct oplog_log *root)
{
    struct segment seg;
    struct focal_stretch s;
    struct focal_arena arena;
    if (!root->beginning) {
        void *list = ol->beginnings;
        enum focal_status st = focal_oplog_room(&list, &ol->beginning_cap, ol->beginning_count, sizeof *ol->beginnings);
        ol->beginnings = list;
        if (st != FOCAL_OK)
            return st;
        ol->beginnings[ol->beginning_count++] = root;
        root->beginning = true;
    }
    focal_arena_init(&arena, ARENA_BYTES_MAX);
    enum focal_status st = focal_oplog_segment_at(ol, &root->pub.line, 1, false, &seg);
    if (st == FOCAL_OK)
        st = focal_stretch_unpack(ol->packer, &s, &arena, seg.packed);
    if (st == FOCAL_OK)
        st = copy_names(root, s.entries[0].header);
    focal_arena_close(&arena);
    return st == FOCAL_OK || st == FOCAL_NO_MEMORY || st == FOCAL_IO ? st : FOCAL_DAMAGED;
}

void focal_oplog_leads_forget(struct focal_oplog *ol)
{
    for (size_t i = 0; i < ol->statements.count; i++) {
        struct held_statement *held = ol->statements.list[i];
        for (size_t k = 0; k < held->lead_count; k++)
            held->leads[k] = (struct lead){ .log = held->leads[k].log, .tip = held->leads[k].tip };
    }
    for (size_t i = 0; i < ol->beginning_count; i++) {
        focal_oplog_names_forget(ol->beginnings[i]);
        ol->beginnings[i]->beginning = false;
    }
    ol->beginning_count = 0;
}

/* ---- where they are held ------------------------------------------------------------------------------------------------------------ */

static int lead_order(const void *a, const void *b)
{
    const struct lead *const *one = a, *const *other = b;
    const int order = memcmp((*one)->log.b, (*other)->log.b, sizeof (*one)->log.b);
    if (order != 0)
        return order;
    return ((*one)->tip.seq > (*other)->tip.seq) - ((*one)->tip.seq < (*other)->tip.seq);
}

/* Leads to one log, by sequence: along each line once, so that each segment is read once. */
static enum focal_status look_along(struct focal_oplog *ol, struct oplog_log *line, struct lead *const *leads, size_t count)
{
    struct focal_hash h;
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        struct lead *lead = leads[i];
        if (lead->holder || lead->tip.seq <= line->pub.base.seq || lead->tip.seq > line->pub.head.seq)
            continue;
        enum focal_status st = at == lead->tip.seq ? FOCAL_OK : focal_oplog_hash_at(ol, ol->store, &line->pub, lead->tip.seq, &h);
        if (st != FOCAL_OK)
            return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
        at = lead->tip.seq;
        if (!focal_hash_equal(&h, &lead->tip.h))
            continue;
        lead->holder = line;
        lead->life = line->life;
    }
    return FOCAL_OK;
}

static enum focal_status look(struct focal_oplog *ol, struct lead **leads, size_t count)
{
    enum focal_status st = FOCAL_OK;
    qsort(leads, count, sizeof *leads, lead_order);
    for (size_t from = 0, to; from < count && st == FOCAL_OK; from = to) {
        for (to = from + 1; to < count && focal_id_equal(&leads[to]->log, &leads[from]->log); to++)
            ;
        for (struct oplog_log *line = focal_oplog_log_of(ol, &leads[from]->log); line && st == FOCAL_OK; line = line->next_line) {
            if (!line->void_here)
                st = look_along(ol, line, leads + from, to - from);
        }
    }
    for (size_t i = 0; i < count && st == FOCAL_OK; i++)
        leads[i]->looked = true;
    return st;
}

static void add_unlooked(struct lead **out, size_t *count, struct lead *list, size_t list_count)
{
    for (size_t i = 0; i < list_count; i++) {
        if (!list[i].looked)
            out[(*count)++] = &list[i];
    }
}

static enum focal_status look_for_new(struct focal_oplog *ol)
{
    size_t most = 0, count = 0;
    for (size_t i = 0; i < ol->statements.cut_count; i++)
        most += ol->statements.cuts[i]->lead_count;
    for (size_t i = 0; i < ol->beginning_count; i++)
        most += ol->beginnings[i]->name_count;
    if (most == 0)
        return FOCAL_OK;
    struct lead **leads = focal_alloc(most * sizeof *leads);
    if (!leads)
        return FOCAL_NO_MEMORY;
    for (size_t i = 0; i < ol->statements.cut_count; i++)
        add_unlooked(leads, &count, ol->statements.cuts[i]->leads, ol->statements.cuts[i]->lead_count);
    for (size_t i = 0; i < ol->beginning_count; i++)
        add_unlooked(leads, &count, ol->beginnings[i]->names, ol->beginnings[i]->name_count);
    enum focal_status st = count ? look(ol, leads, count) : FOCAL_OK;
    focal_free(leads);
    return st;
}

/* ---- which beginning leads to them --------------------------------------------------------------------------------------------------- */

static struct oplog_log *root_of(const struct focal_oplog *ol, const struct lead *lead)
{
    struct oplog_log *root = focal_oplog_lead_holder(lead) ? lead->holder : NULL;
    if (root) {
        while (root->pub.base.seq > 0)
            root = root->parent;
        return root;
    }
    for (struct oplog_log *line = focal_oplog_log_of(ol, &lead->log); line; line = line->next_line) {
        if (line->void_here || line->pub.base.seq > 0 || !focal_oplog_has_entries(line))
            continue;
        if (root)
            return NULL;
        root = line;
    }
    return root;
}

/* Whether what is named by it has changed. */
static bool set_root(const struct focal_oplog *ol, struct lead *lead)
{
    const struct oplog_log *was = lead->root;
    lead->root = root_of(ol, lead);
    return lead->root != was || (lead->root && !lead->root->names_known);
}

enum focal_status focal_oplog_leads_settle(struct focal_oplog *ol)
{
    enum focal_status st = look_for_new(ol);
    bool more = false;
    for (size_t i = 0; i < ol->statements.cut_count && st == FOCAL_OK; i++) {
        struct held_statement *held = ol->statements.cuts[i];
        for (size_t k = 0; k < held->lead_count && st == FOCAL_OK; k++) {
            struct lead *lead = &held->leads[k];
            if (!lead->root || !lead->root->names_known)        /* a scope that was left is empty */
                (void)set_root(ol, lead);
            if (!lead->root || lead->root->names_known)
                continue;
            st = load_names(ol, lead->root);
            more = true;
        }
    }
    return st == FOCAL_OK && more ? look_for_new(ol) : st;
}

/* ---- what has come ------------------------------------------------------------------------------------------------------------------- */

static bool see(struct lead *lead, struct oplog_log *line, uint64_t first, size_t count, const struct focal_hash *hashes)
{
    if (focal_oplog_lead_holder(lead) || lead->tip.seq < first || lead->tip.seq - first >= count
        || !focal_hash_equal(&hashes[lead->tip.seq - first], &lead->tip.h))
        return false;
    lead->holder = line;
    lead->life = line->life;
    return true;
}

enum focal_status focal_oplog_leads_grown(struct focal_oplog *ol, struct oplog_log *line, uint64_t first, size_t count, const struct focal_hash *hashes,
                                          struct lead_news *news)
{
    size_t n;
    *news = (struct lead_news){ .held = false };
    for (size_t i = 0; i < ol->beginning_count; i++) {
        struct lead *lead = focal_oplog_leads_to(ol->beginnings[i]->names, ol->beginnings[i]->name_count, &line->pub.id, &n);
        for (; n > 0; lead++, n--)
            news->held = see(lead, line, first, count, hashes) || news->held;
    }
    for (size_t i = 0; i < ol->statements.cut_count; i++) {
        struct held_statement *held = ol->statements.cuts[i];
        struct lead *lead = focal_oplog_leads_to(held->leads, held->lead_count, &line->pub.id, &n);
        for (; n > 0; lead++, n--) {
            const bool seen = see(lead, line, first, count, hashes);
            news->held = seen || news->held;
            news->begun = ((seen || first == 1) && set_root(ol, lead)) || news->begun;
        }
    }
    return news->begun ? focal_oplog_leads_settle(ol) : FOCAL_OK;
}
