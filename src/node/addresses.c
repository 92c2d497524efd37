/* Where offices listen: one record of kind address per office in `control`, believed only from that office itself. */
#include "inner.h"

#include <stdio.h>
#include <string.h>

/* Calls for each address record with who wrote it, in order. */
static enum focal_status walk(struct focal_node *n, void (*each)(void *data, const struct focal_certificate *, const struct focal_ref *), void *data)
{
    struct focal_ref ref;
    const struct focal_ref *after = NULL;
    enum focal_status st;
    while ((st = focal_oplog_next_of_kind(n->oplog, NULL, FOCAL_KIND_ADDRESS, after, &ref)) == FOCAL_OK) {
        const struct focal_certificate *author = focal_oplog_author(n->oplog, &ref.log);
        if (author)
            each(data, author, &ref);
        after = &ref;
    }
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

struct wanted { struct focal_node *node; struct peer *list; size_t count; };

/* Of an office that has had several keys the record of today's goes before what an earlier one wrote. */
static void note(void *data, const struct focal_certificate *author, const struct focal_ref *ref)
{
    const struct wanted *w = data;
    const struct focal_certificate *today = focal_oplog_certificate(w->node->oplog, &author->office);
    const bool of_today = today && focal_key_equal(&today->keys.sign, &author->keys.sign);
    for (size_t i = 0; i < w->count; i++) {
        if (strcmp(w->list[i].office.text, author->office.text) != 0 || (w->list[i].address_known && !of_today))
            continue;
        w->list[i].address_record = *ref;
        w->list[i].address_known = true;
    }
}

enum focal_status addresses_find(struct focal_node *n, struct peer *list, size_t count)
{
    struct wanted w = { .node = n, .list = list, .count = count };
    for (size_t i = 0; i < count; i++)
        list[i].address_known = false;
    return walk(n, note, &w);
}

/* Others print and dial what stands here: only what an address is made of. */
static bool plain(struct focal_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return text.len > 0 && text.len < ADDRESS_BYTES;
}

size_t addresses_of(struct focal_node *n, const struct peer *p, char out[][ADDRESS_BYTES], size_t room)
{
    struct focal_record_view view;
    if (!p->address_known || focal_oplog_record(n->oplog, NULL, &p->address_record, &view) != FOCAL_OK)
        return 0;
    size_t count = 0;
    const struct focal_slot *slot = focal_record_slot(&view.record, FOCAL_ADDRESS_AT, focal_span_of(NULL, 0));
    for (size_t i = 0; slot && i < slot->value_count && count < room; i++) {
        const struct focal_live *v = &slot->values[i];
        const struct focal_certificate *author = focal_oplog_author(n->oplog, &v->ref.log);
        if (!author || strcmp(author->office.text, p->office.text) != 0 || !plain(v->value))
            continue;
        memcpy(out[count], v->value.data, v->value.len);
        out[count++][v->value.len] = 0;
    }
    focal_record_view_close(&view);
    return count;
}

static bool listed(struct focal_node *n, struct focal_span text)
{
    for (size_t i = 0; i < n->own_address_count; i++)
        if (focal_span_equal(focal_span_text(n->own_addresses[i]), text))
            return true;
    return false;
}

/* Writes only what differs, so that a restart writes nothing. */
static enum focal_status publish(struct focal_node *n, const struct focal_record_view *view)
{
    const struct focal_kind *kind = focal_kind_by_number(FOCAL_KIND_ADDRESS);
    const struct focal_field *office = focal_field_by_number(kind, FOCAL_ADDRESS_OFFICE), *at = focal_field_by_number(kind, FOCAL_ADDRESS_AT);
    struct focal_change_item items[2 * ADDRESSES_MAX + 1];
    struct focal_change c = { .kind = kind, .is_new = view == NULL, .items = items };
    const struct focal_slot *slot = view ? focal_record_slot(&view->record, FOCAL_ADDRESS_AT, focal_span_of(NULL, 0)) : NULL;
    if (view)
        c.record = view->record.ref;
    else
        items[c.item_count++] = (struct focal_change_item){ .op = FOCAL_OP_SET, .field = office, .value = focal_span_text(n->office.text) };
    for (size_t i = 0; i < n->own_address_count; i++) {
        struct focal_span text = focal_span_text(n->own_addresses[i]);
        bool there = false;
        for (size_t k = 0; slot && k < slot->value_count; k++)
            there = there || focal_span_equal(slot->values[k].value, text);
        if (!there)
            items[c.item_count++] = (struct focal_change_item){ .op = FOCAL_OP_ADD, .field = at, .value = text };
    }
    for (size_t k = 0; slot && k < slot->value_count && c.item_count < sizeof items / sizeof items[0]; k++)
        if (!listed(n, slot->values[k].value))
            items[c.item_count++] = (struct focal_change_item){ .op = FOCAL_OP_REMOVE, .field = at, .row = slot->values[k].ref, .ordinal = slot->values[k].ordinal };
    if (c.item_count == 0 || (!view && n->own_address_count == 0))
        return FOCAL_OK;
    enum focal_status world = FOCAL_OK;
    change_run(n, &c, &world);
    if (c.status != FOCAL_OK)
        focal_trace_line(&n->trace, FOCAL_WARNING, "node", "addresses are not published: %s", c.error.message);
    return world;
}

/* Kept until this office is a member, then published by itself. */
enum focal_status addresses_set(struct focal_node *n, const char *const *list, size_t count)
{
    n->own_address_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (n->own_address_count == ADDRESSES_MAX || strlen(list[i]) >= ADDRESS_BYTES)
            return FOCAL_TOO_BIG;
        (void)snprintf(n->own_addresses[n->own_address_count++], ADDRESS_BYTES, "%s", list[i]);
    }
    n->addresses_due = true;
    return FOCAL_OK;
}

enum focal_status addresses_due(struct focal_node *n)
{
    const struct focal_certificate *mine = focal_oplog_mine(n->oplog);
    if (!n->addresses_due || !mine || !n->secret_set)
        return FOCAL_OK;
    n->addresses_due = false;
    struct peer *us = focal_alloc(sizeof *us);
    if (!us)
        return FOCAL_NO_MEMORY;
    us->office = mine->office;
    struct focal_record_view view;
    enum focal_status st = addresses_find(n, us, 1);
    if (st == FOCAL_OK)
        st = us->address_known ? focal_oplog_record(n->oplog, NULL, &us->address_record, &view) : FOCAL_NOT_FOUND;
    focal_free(us);
    if (st == FOCAL_NOT_FOUND)
        return publish(n, NULL);
    if (st != FOCAL_OK)
        return st;
    st = publish(n, &view);
    focal_record_view_close(&view);
    return st;
}
