/* What people do in a world: cases and edits at the offices, acknowledged when the step is done. */
#include "inner.h"

#include <string.h>

static bool grow(void **list, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : 64;
    void *p = focal_realloc(*list, more * size);
    if (!p)
        return false;
    *list = p;
    *cap = more;
    return true;
}

static bool change(struct world *w, int i, struct focal_change *c)
{
    if (!w->nodes[i].node || w->failure[0])
        return false;
    struct focal_node_event ev = { .type = FOCAL_EVENT_CHANGE };
    ev.is.change = c;
    uint32_t today = (uint32_t)(sim_time(w, &w->nodes[i]).wall_ms / 86400000u);
    c->day_set = true;
    c->day = today;
    return sim_step(w, i, &ev, 1) == FOCAL_OK && c->status == FOCAL_OK;
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

bool world_case(struct world *w, int i, struct focal_ref *out)
{
    static const char *const types[] = { "sexual_exploitation", "sexual_abuse", "other", "unknown" };
    static const char *const channels[] = { "hotline", "in_person", "media", "unknown" };
    struct focal_buf bytes[5];
    struct focal_change_item items[5];
    bool ok = true;
    for (int k = 0; k < 5; k++)
        focal_buf_init(&bytes[k], 64);
    ok = ok && item(&items[0], &bytes[0], FOCAL_OP_SET, "country", w->nodes[i].country[0] ? w->nodes[i].country : "KEN");
    ok = ok && item(&items[1], &bytes[1], FOCAL_OP_SET, "allegation_type", types[world_random(w, 4)]);
    ok = ok && item(&items[2], &bytes[2], FOCAL_OP_SET, "channel", channels[world_random(w, 4)]);
    ok = ok && item(&items[3], &bytes[3], FOCAL_OP_ADD, "victims", "female.child");
    ok = ok && item(&items[4], &bytes[4], FOCAL_OP_SET, "source_role", "family");
    focal_assert(ok);
    struct focal_change c = { .kind = focal_kind_by_number(FOCAL_KIND_CASE), .is_new = true, .items = items,
                              .item_count = w->nodes[i].country[0] ? 5 : 4 };
    ok = change(w, i, &c);
    for (int k = 0; k < 5; k++)
        focal_buf_close(&bytes[k]);
    if (ok) {
        focal_assert(grow((void **)&w->cases, w->case_count, &w->case_cap, sizeof *w->cases));
        struct sim_case *s = &w->cases[w->case_count++];
        memset(s, 0, sizeof *s);
        s->ref = c.result;
        s->author = i;
        s->home_set = w->nodes[i].country[0] != 0;
        s->home.cls = FOCAL_SCOPE_COUNTRY;
        memcpy(s->home.country, w->nodes[i].country, 4);
        if (out)
            *out = c.result;
    }
    return ok;
}

static bool one_op(struct world *w, int i, const struct focal_ref *ref, enum focal_change_op op, const char *field, const char *value)
{
    struct focal_buf bytes;
    focal_buf_init(&bytes, 256);
    struct focal_change_item it = { .op = op };
    bool ok = item(&it, &bytes, op, field, value);
    struct focal_change c = { .record = *ref, .items = &it, .item_count = 1 };
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
    if (!w->nodes[i].node)
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

bool world_pause(struct world *w, int i, int other, bool on)
{
    enum focal_status answer = FOCAL_OK;
    struct focal_node_event ev = { .type = FOCAL_EVENT_PAUSE, .answer = &answer };
    focal_assert(focal_office_parse(&ev.is.pause.office, focal_span_text(w->nodes[other].code)));
    ev.is.pause.on = on;
    return w->nodes[i].node && sim_step(w, i, &ev, 1) == FOCAL_OK && answer == FOCAL_OK;
}

struct focal_ref world_known_case(struct world *w)
{
    focal_assert(w->case_count);
    return w->cases[world_random(w, w->case_count)].ref;
}
