/* Values as they are told to a reader: those of sealed fields as they open here, and those that do not, by who could open them.
 * What is opened goes into the answer to who asked and nowhere else. */
#include "job.h"

#include <string.h>

void opened_begin(struct opened *o, struct focal_node *node, const struct focal_ref *record, const struct focal_field *field, const struct focal_live *live)
{
    *o = (struct opened){ .field = field, .value = live->value, .status = FOCAL_OK };
    focal_buf_init(&o->plain, FOCAL_ENTRY_MAX);
    if (!field || !focal_field_is_sealed(field->number))
        return;
    o->sealed = true;
    o->status = focal_node_unseal(node, record, live, &o->plain, &o->to);
    o->as = focal_field_opened(field);
    o->field = &o->as;
    o->value = focal_buf_view(&o->plain);
}

void opened_end(struct opened *o)
{
    focal_buf_wipe_close(&o->plain);
}

static void put_offices(struct focal_buf *out, const struct focal_sealed_to *to)
{
    for (size_t i = 0; i < to->count; i++)
        focal_buf_printf(out, "%s%s", i ? ", " : "", to->office[i].text);
    if (to->unknown)
        focal_buf_printf(out, "%s%s", to->count ? ", " : "", to->unknown > 1 ? "offices not known here" : "an office not known here");
}

static json_t *sealed_to_json(const struct focal_sealed_to *to)
{
    json_t *out = json_array();
    for (size_t i = 0; i < to->count; i++)
        json_array_append_new(out, text_json(to->office[i].text));
    for (size_t i = 0; i < to->unknown; i++)
        json_array_append_new(out, json_null());
    return out;
}

/* What is told in place of a value that does not open here. */
static json_t *shut_json(const struct opened *o)
{
    json_t *out = json_object();
    if (o->status == FOCAL_UNSUPPORTED || o->status == FOCAL_MALFORMED)
        json_object_set_new(out, "sealed_to", json_null());
    else
        json_object_set_new(out, "sealed_to", sealed_to_json(&o->to));
    if (o->status != FOCAL_NOT_FOUND)
        json_object_set_new(out, "why", json_string(o->status == FOCAL_NEVER ? "does_not_open" : o->status == FOCAL_NO_MEMORY ? "no_memory" : "needs_newer"));
    return out;
}

static void shut_text(struct focal_buf *out, const struct opened *o)
{
    if (o->status == FOCAL_UNSUPPORTED || o->status == FOCAL_MALFORMED) {
        focal_buf_text(out, "sealed in a form that needs a newer program");
        return;
    }
    focal_buf_text(out, "sealed to ");
    put_offices(out, &o->to);
    if (o->status == FOCAL_NEVER)
        focal_buf_text(out, "; it does not open: it was not written for this place by this office");
    else if (o->status == FOCAL_NO_MEMORY)
        focal_buf_text(out, "; there is no memory to open it");
}

void live_text(struct focal_buf *out, struct focal_node *node, const struct focal_ref *record, const struct focal_field *field, const struct focal_live *live)
{
    struct opened o;
    opened_begin(&o, node, record, field, live);
    if (o.status != FOCAL_OK)
        shut_text(out, &o);
    else
        value_text(out, focal_node_oplog(node), o.field, o.value);
    opened_end(&o);
}

json_t *live_json(struct focal_node *node, const struct focal_ref *record, const struct focal_field *field, const struct focal_live *live)
{
    struct opened o;
    opened_begin(&o, node, record, field, live);
    json_t *out = o.status != FOCAL_OK ? shut_json(&o) : value_json(focal_node_oplog(node), o.field, o.value);
    opened_end(&o);
    return out;
}

bool live_is(struct focal_node *node, const struct focal_ref *record, const struct focal_field *field, const struct focal_live *live, struct focal_span value)
{
    struct opened o;
    opened_begin(&o, node, record, field, live);
    bool same = o.status == FOCAL_OK && focal_span_equal(o.value, value);
    opened_end(&o);
    return same;
}

bool lives_same(struct focal_node *node, const struct focal_ref *record, const struct focal_field *field, const struct focal_live *a, const struct focal_live *b)
{
    struct opened o;
    if (focal_span_equal(a->value, b->value))
        return true;
    if (!field || !focal_field_is_sealed(field->number))
        return false;
    opened_begin(&o, node, record, field, a);
    bool same = o.status == FOCAL_OK && live_is(node, record, field, b, o.value);
    opened_end(&o);
    return same;
}

json_t *sealed_json(struct focal_node *node, const struct focal_record *r)
{
    json_t *out = NULL;
    for (size_t s = 0; s < r->slot_count; s++) {
        const struct focal_slot *slot = &r->slots[s];
        struct focal_sealed_to to;
        if (!slot->field || !focal_field_is_sealed(slot->number) || slot->value_count == 0
            || focal_node_unseal(node, &r->ref, &slot->values[0], NULL, &to) != FOCAL_OK)
            continue;
        if (!out)
            out = json_object();
        json_object_set_new(out, slot->field->name, sealed_to_json(&to));
    }
    return out;
}
