/* A local change: from what a person says to entries. Intake is the only place where the schema refuses anything.
 *
 * A change that touches several scope classes writes one entry per scope, in the step's transaction. The creating entry
 * stands in the kind's widest scope and names the home scope; a kind with country fields always writes its country part,
 * if only an empty one, so that a reader can say "part not yet here".
 *
 * Each sealed field has an entry of its own in the widest scope: it can only be sealed when the record has its name, and
 * when another field is redacted nothing sealed has to be written again by who cannot open it. */
#include "inner.h"

#include <stdlib.h>
#include <string.h>

enum { WIDE = 0, HOME = 1, SEALED = 2, SEALED_MAX = 4, DRAFTS = SEALED + SEALED_MAX, ITEMS_MAX = 512, REPLACED_MAX = 448 };

struct draft {                          /* one entry to be: values and what they replace */
    const struct focal_field *field;    /* of a sealed field; else NULL */
    struct focal_item *values; size_t value_count;      /* of a sealed field: before they are sealed */
    struct focal_item *sealed; struct focal_buf sealed_bytes;
    struct focal_replaced *replaced; size_t replaced_count;
    struct focal_buf payload;
    bool touched;
};

struct work {
    struct focal_node *node;
    struct focal_change *change;
    struct draft drafts[DRAFTS];        /* those of sealed fields as they come up */
    struct sealed_keys to; bool to_set; /* who opens what is sealed */
    struct focal_scope home; bool home_set;
    struct focal_record_view view; bool view_open;
    bool wrote;
};

static enum focal_status no_memory(struct focal_change *c)
{
    return focal_fail(&c->error, FOCAL_NO_MEMORY, "try again with fewer changes at once", "no memory for the change");
}

static bool has_country_fields(const struct focal_kind *kind)
{
    for (size_t i = 0; i < kind->field_count; i++)
        if (focal_field_scope(kind->fields[i].number) == FOCAL_SCOPE_COUNTRY)
            return true;
    return false;
}

/* The home scope of a new record: the writer's scope of the country where it happened, else the writer's first. */
static void choose_home(struct work *w)
{
    const struct focal_certificate *mine = focal_oplog_mine(w->node->oplog);
    const struct focal_change *c = w->change;
    for (size_t i = 0; mine && i < mine->write_count; i++) {
        const struct focal_scope *s = &mine->write[i];
        if (s->cls != FOCAL_SCOPE_COUNTRY || !focal_oplog_may_write(w->node->oplog, s))
            continue;
        bool happened_there = false;
        for (size_t k = 0; k < c->item_count; k++)
            happened_there = happened_there || (c->items[k].field->type == FOCAL_TYPE_COUNTRY && c->items[k].value.len == 3
                                                && memcmp(c->items[k].value.data, s->country, 3) == 0);
        if (!w->home_set || happened_there)
            w->home = *s;
        w->home_set = true;
        if (happened_there)
            return;
    }
}

static bool draft_make(struct draft *d, size_t items)
{
    d->values = focal_alloc(items * sizeof *d->values);
    d->replaced = focal_alloc(REPLACED_MAX * sizeof *d->replaced);
    /* All the room there may be, so that a payload that fails later is too big and nothing else, and what looks into it stays. */
    bool made = d->values && d->replaced && focal_buf_reserve(&d->payload, FOCAL_ENTRY_MAX);
    focal_buf_clear(&d->payload);
    if (made && d->field) {
        d->sealed = focal_alloc(items * sizeof *d->sealed);
        made = d->sealed && focal_buf_reserve(&d->sealed_bytes, FOCAL_ENTRY_MAX);
        focal_buf_clear(&d->sealed_bytes);
    }
    return made;
}

static enum focal_status sealed_draft(struct work *w, const struct focal_field *field, struct draft **out)
{
    struct focal_change *c = w->change;
    int at = SEALED;
    while (at < DRAFTS && w->drafts[at].field && w->drafts[at].field->number != field->number)
        at++;
    if (at == DRAFTS)
        return focal_fail(&c->error, FOCAL_TOO_BIG, "make the change in several steps", "one change holds at most %d sealed fields", SEALED_MAX);
    if (focal_field_merge(field->number) == FOCAL_MERGE_MAP)
        return focal_fail(&c->error, FOCAL_REFUSED, "leave the field out", "field \"%s\" is a map, and those cannot be sealed", field->name);
    *out = &w->drafts[at];
    if ((*out)->field)
        return FOCAL_OK;
    (*out)->field = field;
    return draft_make(*out, c->item_count + 1) ? FOCAL_OK : no_memory(c);
}

static enum focal_status draft_of(struct work *w, const struct focal_field *field, struct draft **out)
{
    struct focal_change *c = w->change;
    switch (focal_field_scope(field->number)) {
    case FOCAL_SCOPE_CONTROL:
    case FOCAL_SCOPE_NETWORK:
        *out = &w->drafts[WIDE];
        return FOCAL_OK;
    case FOCAL_SCOPE_COUNTRY:
        *out = &w->drafts[HOME];
        if (w->home_set)
            return FOCAL_OK;
        return focal_fail(&c->error, FOCAL_REFUSED, "leave the field out, or let an office of the country record it",
                          "field \"%s\" is seen only inside a country, and this record has no country scope that this office writes", field->name);
    case FOCAL_SCOPE_SEALED:
        return sealed_draft(w, field, out);
    default:
        return focal_fail(&c->error, FOCAL_REFUSED, "leave the field out", "field \"%s\" is of no scope that this program writes", field->name);
    }
}

static enum focal_status add_replaced(struct work *w, struct draft *d, const struct focal_ref *entry, uint16_t ordinal)
{
    if (d->replaced_count == REPLACED_MAX)
        return focal_fail(&w->change->error, FOCAL_TOO_BIG, "make the change in several steps", "one change replaces at most %d values", REPLACED_MAX);
    d->replaced[d->replaced_count++] = (struct focal_replaced){ .entry = *entry, .ordinal = ordinal };
    d->touched = true;
    return FOCAL_OK;
}

static enum focal_status replace_slot(struct work *w, struct draft *d, const struct focal_slot *slot)
{
    for (size_t i = 0; slot && i < (FOCAL_PLANTED(ONE_VERSION_SETTLED) ? 1 : slot->value_count); i++) {
        enum focal_status st = add_replaced(w, d, &slot->values[i].ref, slot->values[i].ordinal);
        if (st != FOCAL_OK)
            return st;
    }
    return FOCAL_OK;
}

static const struct focal_slot *slot_of(const struct work *w, uint64_t field, struct focal_span key)
{
    return w->view_open ? focal_record_slot(&w->view.record, field, key) : NULL;
}

/* One change says one thing of a register: two values of one entry would be two versions that nobody disagreed about. */
static bool set_already(const struct draft *d, const struct focal_field *field, struct focal_span key)
{
    for (size_t i = 0; i < d->value_count; i++) {
        struct focal_span other = { NULL, 0 }, rest;
        if (d->values[i].field != field->number)
            continue;
        if (focal_field_merge(field->number) != FOCAL_MERGE_MAP
            || (focal_map_value_split(d->values[i].value, &other, &rest) && focal_span_equal(other, key)))
            return true;
    }
    return false;
}

/* Who opens what this change seals: the same for all of it. */
static enum focal_status find_addressees(struct work *w)
{
    struct focal_change *c = w->change;
    if (w->to_set)
        return FOCAL_OK;
    enum focal_status st = sealed_addressees(w->node, c, c->is_new ? NULL : focal_oplog_author(w->node->oplog, &c->record.log), &w->to, &c->error);
    w->to_set = st == FOCAL_OK;
    return st;
}

static bool says_already(const struct work *w, const struct focal_slot *slot, const struct focal_change_item *item)
{
    if (!slot || slot->value_count != 1)
        return false;
    if (focal_field_is_sealed(item->field->number))
        return sealed_says(w->node, &w->change->record, &slot->values[0], item->value, &w->to);
    return focal_span_equal(slot->values[0].value, item->value);
}

static enum focal_status item_set(struct work *w, struct draft *d, const struct focal_change_item *item)
{
    struct focal_span key = { NULL, 0 }, rest;
    if (focal_field_merge(item->field->number) == FOCAL_MERGE_MAP && !focal_map_value_split(item->value, &key, &rest))
        return focal_fail(&w->change->error, FOCAL_REFUSED, "give it as key and value", "field \"%s\" needs a key", item->field->name);
    if (set_already(d, item->field, key))
        return focal_fail(&w->change->error, FOCAL_REFUSED, "give it once", "field \"%s\" is set twice in one change", item->field->name);
    const struct focal_slot *slot = slot_of(w, item->field->number, key);
    if (says_already(w, slot, item))
        return FOCAL_OK;
    enum focal_status st = replace_slot(w, d, slot);
    if (st != FOCAL_OK)
        return st;
    d->values[d->value_count++] = (struct focal_item){ .field = item->field->number, .value = item->value };
    d->touched = true;
    return FOCAL_OK;
}

static enum focal_status item_remove_row(struct work *w, struct draft *d, const struct focal_change_item *item)
{
    const struct focal_slot *slot = slot_of(w, item->field->number, focal_span_of(NULL, 0));
    for (size_t i = 0; slot && i < slot->value_count; i++)
        if (focal_ref_compare(&slot->values[i].ref, &item->row) == 0 && slot->values[i].ordinal == item->ordinal)
            return FOCAL_PLANTED(ROW_TAKES_ALL) ? replace_slot(w, d, slot) : add_replaced(w, d, &item->row, item->ordinal);
    return focal_fail(&w->change->error, FOCAL_NOT_FOUND, "look at the record for the names of its rows", "field \"%s\" has no such row", item->field->name);
}

static enum focal_status item_clear(struct work *w, struct draft *d, const struct focal_field *field)
{
    for (size_t i = 0; w->view_open && i < w->view.record.slot_count; i++) {
        const struct focal_slot *slot = &w->view.record.slots[i];
        enum focal_status st = slot->number == field->number ? replace_slot(w, d, slot) : FOCAL_OK;
        if (st != FOCAL_OK)
            return st;
    }
    return FOCAL_OK;
}

/* Nothing is written in its place: what is sealed cannot be written again by who cannot open it. */
static enum focal_status item_keep(struct work *w, struct draft *d, const struct focal_change_item *item)
{
    const struct focal_slot *slot = slot_of(w, item->field->number, focal_span_of(NULL, 0));
    enum focal_status st = FOCAL_OK;
    bool found = false;
    for (size_t i = 0; slot && i < slot->value_count; i++)
        found = found || (focal_ref_compare(&slot->values[i].ref, &item->row) == 0 && slot->values[i].ordinal == item->ordinal);
    if (!found)
        return focal_fail(&w->change->error, FOCAL_NOT_FOUND, "look at the record again", "field \"%s\" has no such version", item->field->name);
    for (size_t i = 0; i < slot->value_count && st == FOCAL_OK; i++)
        if (focal_ref_compare(&slot->values[i].ref, &item->row) != 0 || slot->values[i].ordinal != item->ordinal)
            st = add_replaced(w, d, &slot->values[i].ref, slot->values[i].ordinal);
    return st;
}

static enum focal_status take_item(struct work *w, const struct focal_change_item *item)
{
    struct draft *d = NULL;
    enum focal_status st = draft_of(w, item->field, &d);
    if (st == FOCAL_OK && d->field)
        st = find_addressees(w);
    if (st != FOCAL_OK)
        return st;
    enum focal_merge_class merge = focal_field_merge(item->field->number);
    switch (item->op) {
    case FOCAL_OP_SET:
        if (merge == FOCAL_MERGE_REGISTER || merge == FOCAL_MERGE_MAP)
            return item_set(w, d, item);
        return focal_fail(&w->change->error, FOCAL_REFUSED, "use --add and --remove", "field \"%s\" holds rows and cannot be set", item->field->name);
    case FOCAL_OP_ADD:
        if (merge == FOCAL_MERGE_REGISTER)
            return focal_fail(&w->change->error, FOCAL_REFUSED, "use --set", "field \"%s\" holds one value and cannot be added to", item->field->name);
        if (merge == FOCAL_MERGE_MAP)
            return item_set(w, d, item);
        d->values[d->value_count++] = (struct focal_item){ .field = item->field->number, .value = item->value };
        d->touched = true;
        return FOCAL_OK;
    case FOCAL_OP_REMOVE:
        if (merge == FOCAL_MERGE_EVENTS)
            return focal_fail(&w->change->error, FOCAL_REFUSED, "add a later event instead", "field \"%s\" is a list of events: nothing is taken off it", item->field->name);
        if (merge == FOCAL_MERGE_SET)
            return item_remove_row(w, d, item);
        return replace_slot(w, d, slot_of(w, item->field->number, merge == FOCAL_MERGE_MAP ? item->value : focal_span_of(NULL, 0)));
    case FOCAL_OP_CLEAR:
        if (merge == FOCAL_MERGE_EVENTS)
            return focal_fail(&w->change->error, FOCAL_REFUSED, "add a later event instead", "field \"%s\" is a list of events: nothing is taken off it", item->field->name);
        return item_clear(w, d, item->field);
    case FOCAL_OP_KEEP:
        if (merge == FOCAL_MERGE_REGISTER)
            return item_keep(w, d, item);
        return focal_fail(&w->change->error, FOCAL_REFUSED, "use --set, or --remove", "field \"%s\" does not hold one value", item->field->name);
    }
    focal_unreachable();
}

static int by_replaced(const void *a, const void *b)
{
    return focal_replaced_compare(a, b);
}

static void sort_replaced(struct draft *d)
{
    if (d->replaced_count == 0)
        return;
    qsort(d->replaced, d->replaced_count, sizeof *d->replaced, by_replaced);
    size_t kept = 1;
    for (size_t i = 1; i < d->replaced_count; i++)
        if (focal_replaced_compare(&d->replaced[kept - 1], &d->replaced[i]) != 0)
            d->replaced[kept++] = d->replaced[i];
    d->replaced_count = kept;
}

/* For this record and no other. *values is what goes into the entry. */
static enum focal_status seal_values(struct work *w, struct draft *d, const struct focal_ref *record, const struct focal_item **values)
{
    enum focal_status st = FOCAL_OK;
    *values = d->field ? d->sealed : d->values;
    focal_buf_clear(&d->sealed_bytes);
    for (size_t i = 0; d->field && i < d->value_count && st == FOCAL_OK; i++) {
        const size_t start = d->sealed_bytes.len;
        st = sealed_put(w->node, &d->sealed_bytes, d->values[i].value, record, d->values[i].field, &w->to, &w->change->error);
        d->sealed[i] = (struct focal_item){ .field = d->values[i].field, .value = focal_span_of(d->sealed_bytes.data + start, d->sealed_bytes.len - start) };
    }
    return d->sealed_bytes.failed ? focal_fail(&w->change->error, FOCAL_TOO_BIG, "make the change in several steps", "one change holds at most %d bytes", FOCAL_ORDINARY_MAX) : st;
}

/* Everything that may be refused is refused here, before the first entry is written. */
static enum focal_status prepare(struct work *w, struct draft *d, const struct focal_scope *scope, uint64_t kind, const struct focal_span *home)
{
    enum { HEADER_BYTES = 96 };         /* shape, sequence, record reference and the items' tags and lengths */
    struct focal_change *c = w->change;
    const struct focal_certificate *mine = focal_oplog_mine(w->node->oplog);
    struct focal_hash id;
    bool redacted = false;
    char name[16];
    focal_scope_print(name, scope);
    if (mine && focal_oplog_cut_off(w->node->oplog, &mine->keys.sign, scope))
        return focal_fail(&c->error, FOCAL_DENIED, "what is written now would count nowhere; ask headquarters. A new membership needs a new key",
                          "the right to write in %s was taken from this office", name);
    if (!focal_oplog_may_write(w->node->oplog, scope))
        return focal_fail(&c->error, FOCAL_DENIED, "ask headquarters for a membership that covers it", "this office does not write in scope \"%s\"", name);
    focal_scope_id(&id, focal_oplog_network(w->node->oplog), scope);
    enum focal_status st = c->is_new ? FOCAL_OK : focal_oplog_record_redacted(w->node->oplog, &c->record, &id, &redacted);
    if (st != FOCAL_OK)
        return focal_fail(&c->error, st, "run `focalctl verify`", "it cannot be read whether the record was redacted");
    if (redacted)
        return focal_fail(&c->error, FOCAL_NO_LONGER, "`focalctl history` says by whom", "the record was redacted, and takes nothing more");
    sort_replaced(d);
    const struct focal_item *values;
    /* A record to be has no name yet: what is sealed here for none shows that it can be, and is sealed again (write_sealed). */
    st = seal_values(w, d, &c->record, &values);
    if (st != FOCAL_OK)
        return st;
    focal_payload_encode(&d->payload, kind, home, scope->cls == FOCAL_SCOPE_COUNTRY && c->day_set ? &c->day : NULL, values, d->value_count);
    size_t size = HEADER_BYTES + d->replaced_count * FOCAL_REPLACED_BYTES + d->payload.len;
    if (d->payload.failed || size > FOCAL_ORDINARY_MAX)
        return focal_fail(&c->error, FOCAL_TOO_BIG, "make the change in several steps", "one change holds at most %d bytes", FOCAL_ORDINARY_MAX);
    return FOCAL_OK;
}

/* record NULL: creates. */
static enum focal_status write_draft(struct work *w, struct draft *d, const struct focal_scope *scope, const struct focal_ref *record, struct focal_ref *out)
{
    struct focal_write write = { .scope = *scope, .creates = record == NULL, .replaced = d->replaced, .replaced_count = d->replaced_count,
                                 .payload = focal_buf_view(&d->payload) };
    if (record)
        write.record = *record;
    enum focal_status st = focal_oplog_write(w->node->oplog, &write, out, &w->change->error);
    w->wrote = w->wrote || st == FOCAL_OK;
    return st;
}

static enum focal_status prepare_sealed(struct work *w, const struct focal_scope *wide, uint64_t kind)
{
    enum focal_status st = FOCAL_OK;
    for (int i = SEALED; i < DRAFTS && st == FOCAL_OK; i++)
        if (w->drafts[i].touched)
            st = prepare(w, &w->drafts[i], wide, kind, NULL);
    return st;
}

/* Of a new record, now that it has its name. */
static enum focal_status write_sealed(struct work *w, const struct focal_scope *wide)
{
    struct focal_change *c = w->change;
    struct focal_ref part;
    enum focal_status st = FOCAL_OK;
    for (int i = SEALED; i < DRAFTS && st == FOCAL_OK; i++) {
        struct draft *d = &w->drafts[i];
        const struct focal_item *values;
        if (!d->touched)
            continue;
        st = seal_values(w, d, &c->result, &values);
        if (st != FOCAL_OK)
            break;
        focal_buf_clear(&d->payload);
        focal_payload_encode(&d->payload, c->kind->number, NULL, NULL, values, d->value_count);
        st = write_draft(w, d, wide, &c->result, &part);
    }
    return st;
}

static enum focal_status write_new(struct work *w)
{
    struct focal_change *c = w->change;
    struct focal_scope wide = { .cls = c->kind->creating_scope, .country = "" };
    bool parted = has_country_fields(c->kind);
    struct focal_hash id;
    struct focal_span home = { NULL, 0 };
    if (w->home_set) {
        focal_scope_id(&id, focal_oplog_network(w->node->oplog), &w->home);
        home = focal_span_of(id.b, sizeof id.b);
    }
    bool two = parted && w->home_set;
    enum focal_status st = prepare(w, &w->drafts[WIDE], &wide, c->kind->number, parted ? &home : NULL);
    if (st == FOCAL_OK && two)
        st = prepare(w, &w->drafts[HOME], &w->home, c->kind->number, NULL);
    if (st == FOCAL_OK)
        st = prepare_sealed(w, &wide, c->kind->number);
    if (st == FOCAL_OK)
        st = write_draft(w, &w->drafts[WIDE], &wide, NULL, &c->result);
    struct focal_ref part;
    if (st == FOCAL_OK && two)
        st = write_draft(w, &w->drafts[HOME], &w->home, &c->result, &part);
    return st == FOCAL_OK ? write_sealed(w, &wide) : st;
}

static enum focal_status write_update(struct work *w)
{
    struct focal_change *c = w->change;
    const struct focal_record *r = &w->view.record;
    struct focal_scope wide = { .cls = r->kind->creating_scope, .country = "" };
    struct focal_ref part;
    enum focal_status st = FOCAL_OK;
    for (int i = 0; i < DRAFTS && st == FOCAL_OK; i++)
        if (w->drafts[i].touched)
            st = prepare(w, &w->drafts[i], i == HOME ? &w->home : &wide, r->kind_number, NULL);
    for (int i = 0; i < DRAFTS && st == FOCAL_OK; i++)
        if (w->drafts[i].touched)
            st = write_draft(w, &w->drafts[i], i == HOME ? &w->home : &wide, &c->record, &part);
    return st;
}

static bool may_write(const struct focal_node *n, const struct focal_scope *scope)
{
    return focal_oplog_may_write(n->oplog, scope);
}

/* What is withdrawn stays as it was seen: only what withdraws it again or restores it is let in here. What others write
 * without knowing of it comes in all the same, and is shown as that. */
static enum focal_status refuse_withdrawn(struct focal_change *c, const struct focal_record *r)
{
    bool only = true;
    for (size_t i = 0; i < c->item_count; i++)
        only = only && c->items[i].field->intake >= FOCAL_INTAKE_COMMAND;
    if (only || focal_record_withdrawal(r) == FOCAL_WITHDRAWAL_NONE)
        return FOCAL_OK;
    return focal_fail(&c->error, FOCAL_REFUSED, "run `focalctl case restore REF` first, if it is to go on", "the case is withdrawn; nothing was changed");
}

static enum focal_status open_existing(struct work *w)
{
    struct focal_change *c = w->change;
    c->result = c->record;
    enum focal_status st = focal_oplog_record(w->node->oplog, NULL, &c->record, &w->view);
    if (st == FOCAL_NOT_FOUND)
        return focal_fail(&c->error, st, "look at the list of records", "no such record is here");
    if (st != FOCAL_OK)
        return focal_fail(&c->error, st, "run `focalctl verify`", "the record cannot be read");
    w->view_open = true;
    const struct focal_record *r = &w->view.record;
    if (!r->kind)
        return focal_fail(&c->error, FOCAL_UNSUPPORTED, "update this program", "the record is of a kind that needs a newer program, or its first part is not here yet");
    if (c->if_version && memcmp(c->version, r->version, sizeof c->version) != 0)
        return focal_fail(&c->error, FOCAL_CONFLICT, "show it again, then repeat the change", "the record has changed since that version");
    st = refuse_withdrawn(c, r);
    if (st != FOCAL_OK)
        return st;
    if (r->home_set && !focal_bytes_zero(r->home.b, sizeof r->home.b)) {
        const struct focal_scope *home = focal_oplog_scope(w->node->oplog, &r->home);
        w->home_set = home && may_write(w->node, home);
        if (w->home_set)
            w->home = *home;
    }
    return FOCAL_OK;
}

static enum focal_status run(struct work *w)
{
    struct focal_change *c = w->change;
    enum focal_status st = FOCAL_OK;
    if (c->item_count > ITEMS_MAX)
        return focal_fail(&c->error, FOCAL_TOO_BIG, "make the change in several steps", "one change holds at most %d fields and rows", ITEMS_MAX);
    if (!focal_oplog_mine(w->node->oplog))
        return focal_fail(&c->error, FOCAL_DENIED, "let headquarters run `focalctl office admit`", "this office is not admitted to the network yet");
    for (int i = 0; i < SEALED; i++)
        if (!draft_make(&w->drafts[i], c->item_count + 1))
            return no_memory(c);
    if (c->is_new)
        choose_home(w);
    else
        st = open_existing(w);
    for (size_t i = 0; i < c->item_count && st == FOCAL_OK; i++)
        st = take_item(w, &c->items[i]);
    if (st == FOCAL_OK && c->seal_to_count > 0 && !w->to_set)
        return focal_fail(&c->error, FOCAL_REFUSED, "leave `--seal-to` out, or give the field that it is for", "nothing of the change is sealed to anybody");
    if (st == FOCAL_OK)
        st = node_writing(w->node);
    if (st == FOCAL_OK)
        st = c->is_new ? write_new(w) : write_update(w);
    return st;
}

static enum focal_status new_version(struct work *w)
{
    struct focal_record_view after;
    enum focal_status st = focal_oplog_record(w->node->oplog, NULL, &w->change->result, &after);
    if (st == FOCAL_OK) {
        memcpy(w->change->result_version, after.record.version, sizeof after.record.version);
        focal_record_view_close(&after);
    }
    return st;
}

static enum focal_status note_withdrawal(struct work *w)
{
    uint8_t detail[FOCAL_REF_BYTES];
    focal_ref_put(detail, &w->change->result);
    return history_note(w->node, FOCAL_HISTORY_WITHDRAWN, focal_span_of(detail, sizeof detail));
}

/* *world: what fails the step. A refusal leaves nothing behind: everything is checked before the first entry is written; a
 * change that fails between its entries fails the step, and with it is undone. */
void change_run(struct focal_node *n, struct focal_change *c, enum focal_status *world)
{
    struct work w = { .node = n, .change = c };
    memset(&c->error, 0, sizeof c->error);
    for (int i = 0; i < DRAFTS; i++) {
        focal_buf_init(&w.drafts[i].payload, FOCAL_ENTRY_MAX);
        focal_buf_init(&w.drafts[i].sealed_bytes, FOCAL_ENTRY_MAX);
    }
    enum focal_status st = run(&w);
    if (st == FOCAL_OK)
        st = new_version(&w);
    for (size_t i = 0; i < c->item_count && st == FOCAL_OK && w.wrote; i++)
        if (c->items[i].field->number == FOCAL_CASE_WITHDRAWN)
            st = note_withdrawal(&w);
    c->status = st;
    *world = focal_sync_world(st) ? st : st != FOCAL_OK && w.wrote ? FOCAL_IO : FOCAL_OK;
    if (w.view_open)
        focal_record_view_close(&w.view);
    for (int i = 0; i < DRAFTS; i++) {
        focal_buf_close(&w.drafts[i].payload);
        focal_buf_close(&w.drafts[i].sealed_bytes);
        focal_free(w.drafts[i].values);
        focal_free(w.drafts[i].sealed);
        focal_free(w.drafts[i].replaced);
    }
}
