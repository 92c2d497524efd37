/* What people do in a world: cases and edits at the offices, acknowledged when the step is done. */
#include "inner.h"

#include <string.h>

/* Answered and not refused: into the book. No answer: it may be there or not. */
static bool change(struct world *w, int i, struct focal_change *c)
{
    struct sim_node *n = &w->nodes[i];
    sim_injection(w);
    if (!n->node || n->stopped || w->failure[0])
        return false;
    struct focal_node_event ev = { .type = FOCAL_EVENT_CHANGE };
    ev.is.change = c;
    c->day_set = true;
    c->day = (uint32_t)(sim_time(w, n).wall_ms / 86400000u);
    struct sim_moment before;
    sim_moment_take(w, i, c->is_new ? NULL : &c->record, &before);
    bool answered = sim_step(w, i, &ev, 1) == FOCAL_OK, ok = answered && c->status == FOCAL_OK;
    if (ok)
        sim_acknowledged(w, i, &c->result, &before);
    else if (!answered)
        sim_unanswered(w, &before);
    sim_moment_close(&before);
    return ok;
}

static bool item(struct focal_change_item *to, struct focal_buf *bytes, enum focal_change_op op, const char *field, const char *value)
{
    const struct focal_kind *kind = focal_kind_by_number(FOCAL_KIND_CASE);
    to->op = op;
    to->field = focal_field_by_name(kind, field);
    focal_assert(to->field);
    size_t from = bytes->len;
    struct focal_error err;
    if (focal_value_parse(bytes, to->field, focal_span_text(value), 100000, &err) != FOCAL_OK)
        return false;
    to->value = focal_span_of(bytes->data + from, bytes->len - from);
    return true;
}

/* The home of what a node records: its country, where it happened, or else the first that it writes, as far as it knows. */
static void home_of(const struct world *w, int i, struct sim_case *s)
{
    const struct sim_node *n = &w->nodes[i];
    s->home.cls = FOCAL_SCOPE_COUNTRY;
    for (size_t k = 0; n->node && k < n->read_count; k++) {
        struct focal_scope scope = { .cls = FOCAL_SCOPE_COUNTRY, .country = "" };
        memcpy(scope.country, n->reads[k], 4);
        if (!focal_oplog_may_write(focal_node_oplog(n->node), &scope))
            continue;
        if (!s->home_set || memcmp(n->reads[k], n->country[0] ? n->country : "KEN", 3) == 0)
            s->home = scope;
        s->home_set = true;
    }
}

/* A country's value that is found again wherever it stands: the world's mark, the country, and chance. */
static void canary(struct world *w, int i, char hex[65])
{
    uint8_t bytes[32];
    sim_entropy(w, bytes, sizeof bytes);
    memcpy(bytes, w->mark, SIM_MARK_BYTES);
    memcpy(bytes + SIM_MARK_BYTES, w->nodes[i].country, 3);
    focal_hex(hex, bytes, sizeof bytes);
}

bool world_case(struct world *w, int i, struct focal_ref *out)
{
    static const char *const types[] = { "sexual_exploitation", "sexual_abuse", "other", "unknown" };
    static const char *const channels[] = { "hotline", "in_person", "media", "unknown" };
    enum { ITEMS = 6, WIDE_ITEMS = 4 };
    struct focal_buf bytes[ITEMS];
    struct focal_change_item items[ITEMS + 1];
    uint8_t sealed[SIM_SEALED_BYTES];
    char entity[65];
    bool ok = true;
    struct sim_case home = { .home_set = false };
    canary(w, i, entity);
    home_of(w, i, &home);
    for (int k = 0; k < ITEMS; k++)
        focal_buf_init(&bytes[k], 64);
    ok = ok && item(&items[0], &bytes[0], FOCAL_OP_SET, "country", w->nodes[i].country[0] ? w->nodes[i].country : "KEN");
    ok = ok && item(&items[1], &bytes[1], FOCAL_OP_SET, "allegation_type", types[world_random(w, 4)]);
    ok = ok && item(&items[2], &bytes[2], FOCAL_OP_SET, "channel", channels[world_random(w, 4)]);
    ok = ok && item(&items[3], &bytes[3], FOCAL_OP_ADD, "victims", "female.child");
    ok = ok && item(&items[4], &bytes[4], FOCAL_OP_SET, "source_role", "family");
    ok = ok && item(&items[5], &bytes[5], FOCAL_OP_SET, "concerned_entity", entity);
    focal_assert(ok);
    struct focal_change c = { .kind = focal_kind_by_number(FOCAL_KIND_CASE), .is_new = true, .items = items,
                              .item_count = w->nodes[i].country[0] && home.home_set ? ITEMS : WIDE_ITEMS };
    if (sim_seals(w, i))
        sim_sealed_item(w, &items[c.item_count++], sealed);
    ok = change(w, i, &c);
    for (int k = 0; k < ITEMS; k++)
        focal_buf_close(&bytes[k]);
    if (ok && !w->nodes[i].malice) {
        focal_assert(sim_grow(&w->cases, w->case_count, &w->case_cap, sizeof *w->cases));
        struct sim_case *s = &w->cases[w->case_count++];
        *s = home;
        s->ref = c.result;
        s->author = i;
        focal_assert(focal_unhex(s->canary, sizeof s->canary, focal_span_text(entity)));
        if (out)
            *out = c.result;
    }
    return ok;
}

static bool one_op(struct world *w, int i, const struct focal_ref *ref, enum focal_change_op op, const char *field, const char *value)
{
    struct focal_buf bytes;
    focal_buf_init(&bytes, 256);
    struct focal_change_item it[2] = { { .op = op } };
    uint8_t sealed[SIM_SEALED_BYTES];
    bool ok = item(&it[0], &bytes, op, field, value);
    struct focal_change c = { .record = *ref, .items = it, .item_count = 1 };
    if (op == FOCAL_OP_SET && sim_seals(w, i))
        sim_sealed_item(w, &it[c.item_count++], sealed);
    ok = ok && change(w, i, &c);
    focal_buf_close(&bytes);
    return ok;
}

bool world_set(struct world *w, int i, const struct focal_ref *ref, const char *field, const char *value)
{
    return one_op(w, i, ref, FOCAL_OP_SET, field, value);
}

bool world_add(struct world *w, int i, const struct focal_ref *ref, const char *field, const char *value)
{
    return one_op(w, i, ref, FOCAL_OP_ADD, field, value);
}

bool world_remove_row(struct world *w, int i, const struct focal_ref *ref, const char *field)
{
    if (!w->nodes[i].node || w->nodes[i].stopped)
        return false;
    struct focal_record_view view;
    if (focal_oplog_record(focal_node_oplog(w->nodes[i].node), NULL, ref, &view) != FOCAL_OK)
        return false;
    const struct focal_field *f = focal_field_by_name(focal_kind_by_number(FOCAL_KIND_CASE), field);
    const struct focal_slot *slot = focal_record_slot(&view.record, f->number, focal_span_of(NULL, 0));
    bool ok = slot && slot->value_count;
    if (ok) {
        const struct focal_live *v = &slot->values[world_random(w, slot->value_count)];
        struct focal_change_item it = { .op = FOCAL_OP_REMOVE, .field = f, .row = v->ref, .ordinal = v->ordinal };
        struct focal_change c = { .record = *ref, .items = &it, .item_count = 1 };
        ok = change(w, i, &c);
    }
    focal_record_view_close(&view);
    return ok;
}

/* Answered or not, from now on the values need not be there; answered to the author, they must not. */
bool world_redact(struct world *w, int i, const struct focal_ref *record)
{
    struct sim_node *n = &w->nodes[i];
    struct sim_case *c = sim_case_of(w, record);
    sim_injection(w);
    if (!n->node || n->stopped || !c)
        return false;
    struct focal_redact_order o = { .record = *record, .reason = 1, .day = (uint32_t)(sim_time(w, n).wall_ms / 86400000u) };
    struct focal_node_event ev = { .type = FOCAL_EVENT_REDACT };
    ev.is.redact = &o;
    bool answered = sim_step(w, i, &ev, 1) == FOCAL_OK;
    if (answered && o.status != FOCAL_OK)
        return false;
    sim_tell(w, i, answered ? "redacts a case" : "redacts a case, perhaps");
    c->redacted = true;
    c->home_redacted = c->home_redacted || (c->home_set && sim_reads(w, i, &c->home));
    c->erased = c->erased || (answered && strcmp(n->code, w->nodes[c->author].code) == 0 && !n->malice && !n->cut
                               && (!c->home_set || sim_reads(w, i, &c->home)));
    w->counts.redactions += answered;
    return answered;
}

bool world_pause(struct world *w, int i, int other, bool on)
{
    enum focal_status answer = FOCAL_OK;
    struct focal_node_event ev = { .type = FOCAL_EVENT_PAUSE, .answer = &answer };
    focal_assert(focal_office_parse(&ev.is.pause.office, focal_span_text(w->nodes[other].code)));
    ev.is.pause.on = on;
    return w->nodes[i].node && !w->nodes[i].stopped && sim_step(w, i, &ev, 1) == FOCAL_OK && answer == FOCAL_OK;
}

struct focal_ref world_known_case(struct world *w)
{
    focal_assert(w->case_count);
    return w->cases[world_random(w, w->case_count)].ref;
}

int world_author(const struct world *w, const struct focal_ref *ref)
{
    const struct sim_case *c = sim_case_of(w, ref);
    return c ? c->author : -1;
}

bool world_country(const struct world *w, int i, struct focal_scope *scope)
{
    *scope = (struct focal_scope){ .cls = FOCAL_SCOPE_COUNTRY, .country = "" };
    if (w->nodes[i].read_count == 0)
        return false;
    memcpy(scope->country, w->nodes[i].reads[0], 4);
    return true;
}
