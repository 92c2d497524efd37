/* A record as people see it: both its parts together, field by field. */
#include "shown.h"

#define UNKNOWN_FIELD UINT32_MAX

/* A live value on its way into a slot. */
struct placed { uint32_t index; struct focal_span key; struct focal_live live; };

/* Where a value of this scope class may stand. Fields of class country count only in the home scope, so that nobody else's
 * country can write them; all others count only where the record was created, so that every member sees the same. */
static bool counts(uint8_t scope, bool in_home, bool created_in_country)
{
    bool narrow = scope == FOCAL_SCOPE_COUNTRY || scope > FOCAL_SCOPE_LOCAL;
    if (scope == FOCAL_SCOPE_LOCAL)
        return false;
    return in_home ? narrow : !narrow || created_in_country;
}

static int placed_order(const void *one, const void *other)
{
    const struct placed *a = one, *b = other;
    if (a->index != b->index)
        return a->index < b->index ? -1 : 1;
    if (a->live.field != b->live.field)
        return a->live.field < b->live.field ? -1 : 1;
    int c = focal_span_compare(a->key, b->key);
    return c ? c : focal_merge_row_order(&a->live, &b->live);
}

static size_t collect(struct focal_record *record, struct placed *out, const struct focal_part *part, bool in_home)
{
    size_t count = 0;
    bool in_country = record->kind && record->kind->creating_scope == FOCAL_SCOPE_COUNTRY;
    for (size_t i = 0; i < part->entry_count; i++) {
        const struct focal_part_entry *e = &part->entries[i];
        struct focal_cur cur = focal_part_items(part, e);
        struct focal_part_item item;
        uint32_t next = 0;
        if (e->flags & FOCAL_ENTRY_NEWER)
            record->needs_newer = true;
        while (focal_part_item_next(&cur, &next, &item)) {
            if (!counts(focal_field_scope(item.field), in_home, in_country))
                continue;
            const struct focal_field *field = record->kind ? focal_field_by_number(record->kind, item.field) : NULL;
            struct placed *to = &out[count++];
            focal_part_live_of(&to->live, e, &item);
            to->index = field ? (uint32_t)(field - record->kind->fields) : UNKNOWN_FIELD;
            to->key = focal_merge_key(item.field, item.value);
        }
    }
    return count;
}

/* Slots are cut where index, field or key changes. */
static bool same_slot(const struct placed *a, const struct placed *b)
{
    return a->index == b->index && a->live.field == b->live.field && focal_span_equal(a->key, b->key);
}

static void cut_slots(struct focal_record *record, const struct placed *placed)
{
    for (size_t i = 0; i < record->live_count; i++) {
        record->lives[i] = placed[i].live;
        if (i == 0 || !same_slot(&placed[i - 1], &placed[i])) {
            record->slots[record->slot_count++] = (struct focal_slot){
                .field = placed[i].index == UNKNOWN_FIELD ? NULL : &record->kind->fields[placed[i].index],
                .number = placed[i].live.field, .key = placed[i].key, .values = &record->lives[i] };
        }
        record->slots[record->slot_count - 1].value_count++;
    }
}

static void fill_slot(struct focal_record *record, struct focal_slot *slot, struct focal_live *lives,
    const struct focal_authors *authors, struct focal_shown *scratch)
{
    enum focal_merge_class merge = focal_field_merge(slot->number);
    bool is_register = merge == FOCAL_MERGE_REGISTER || merge == FOCAL_MERGE_MAP;
    slot->distinct = focal_shown_distinct(lives, slot->value_count, scratch);
    slot->two_versions = is_register && slot->distinct > 1;
    slot->rows_concurrent = merge == FOCAL_MERGE_SET && focal_shown_several_authors(lives, slot->value_count, authors);
    if (is_register && slot->value_count > 1)
        focal_shown_sort(lives, slot->value_count, slot->field, authors, scratch);
    record->two_versions += slot->two_versions;
    /* Without a kind nothing can be said of a field: the creation is not here yet, or the kind itself is newer. */
    for (size_t i = 0; i < slot->value_count && record->kind && !record->needs_newer; i++)
        record->needs_newer = !slot->field || !focal_value_known(slot->field, lives[i].value);
}

static bool fill_slots(struct focal_record *record, const struct focal_authors *authors)
{
    size_t most = 1;
    for (size_t i = 0; i < record->slot_count; i++) {
        if (record->slots[i].value_count > most)
            most = record->slots[i].value_count;
    }
    struct focal_shown one, *scratch = most > 1 ? focal_alloc(most * sizeof *scratch) : &one;
    if (!scratch)
        return false;
    struct focal_live *lives = record->lives;
    for (size_t i = 0; i < record->slot_count; i++) {
        fill_slot(record, &record->slots[i], lives, authors, scratch);
        lives += record->slots[i].value_count;
    }
    if (scratch != &one)
        focal_free(scratch);
    return true;
}

/* A change detector, not a seal: 64 bits over the canonical bytes of both parts. Nobody is kept from forging it; who
 * may write the record needs no collision to do harm, and who may not never gets here. */
static uint64_t mix(uint64_t sum, struct focal_span bytes)
{
    const uint64_t prime = 0x100000001B3u;
    sum = (sum ^ bytes.len) * prime;
    size_t i = 0;
    for (; i + 8 <= bytes.len; i += 8) {
        sum = (sum ^ focal_get_be64(bytes.data + i)) * prime;
        sum ^= sum >> 29;
    }
    for (; i < bytes.len; i++)
        sum = (sum ^ bytes.data[i]) * prime;
    return sum ^ sum >> 32;
}

static bool take_version(struct focal_record *record, const struct focal_part *widest, const struct focal_part *home)
{
    struct focal_part nothing;
    struct focal_buf buf;
    focal_part_init(&nothing);
    focal_buf_init(&buf, 2 * (size_t)FOCAL_PART_BYTES_MAX);
    focal_part_encode(&buf, widest);
    uint64_t sum = mix(0xCBF29CE484222325u, focal_buf_view(&buf));
    bool made = !buf.failed;
    focal_buf_clear(&buf);
    focal_part_encode(&buf, home ? home : &nothing);
    sum = mix(sum, focal_buf_view(&buf));
    made = made && !buf.failed;
    focal_buf_close(&buf);
    focal_put_be64(record->version, sum);
    return made;
}

static void take_creation(struct focal_record *record, const struct focal_part *widest, const struct focal_part *home,
    bool reads_home, const struct focal_authors *authors)
{
    struct focal_creation creation;
    if (!focal_part_creation(widest, authors, &creation) || focal_part_ref_order(&creation.ref, &record->ref) != 0)
        return;
    record->kind_number = creation.kind;
    record->kind = focal_kind_by_number(creation.kind);
    record->home_set = creation.home_set;
    record->home = creation.home;
    record->needs_newer = !record->kind;
    bool has_home = creation.home_set && !focal_bytes_zero(creation.home.b, sizeof creation.home.b);
    record->complete = !has_home || !reads_home || home != NULL;       /* an empty part is there too: it says "nothing more" */
}

/* Created with no home scope: then there is none whose country-class fields would count. */
static bool home_counts(const struct focal_record *record)
{
    return !record->home_set || !focal_bytes_zero(record->home.b, sizeof record->home.b);
}

enum focal_status focal_record_open(struct focal_record *record, const struct focal_ref *ref, const struct focal_part *widest,
    const struct focal_part *home, bool reads_home, const struct focal_authors *authors)
{
    *record = (struct focal_record){ .ref = *ref, .more = widest->more || (home && home->more) };
    take_creation(record, widest, home, reads_home, authors);
    size_t most = focal_part_live_count(widest) + (home ? focal_part_live_count(home) : 0);
    struct placed *placed = focal_alloc(most * sizeof *placed);
    bool made = placed && take_version(record, widest, home);
    if (made) {
        record->live_count = collect(record, placed, widest, false);
        if (home && home_counts(record))
            record->live_count += collect(record, placed + record->live_count, home, true);
        focal_merge_sort(placed, record->live_count, sizeof *placed, placed_order);
        record->lives = focal_alloc(record->live_count * sizeof *record->lives);
        record->slots = focal_alloc(record->live_count * sizeof *record->slots);
        made = record->lives && record->slots;
    }
    if (made) {
        cut_slots(record, placed);
        made = fill_slots(record, authors);
    }
    focal_free(placed);
    if (made)
        return FOCAL_OK;
    focal_record_close(record);
    return FOCAL_NO_MEMORY;
}

void focal_record_close(struct focal_record *record)
{
    focal_free(record->lives);
    focal_free(record->slots);
    *record = (struct focal_record){ 0 };
}

const struct focal_slot *focal_record_slot(const struct focal_record *record, uint64_t field, struct focal_span key)
{
    for (size_t i = 0; i < record->slot_count; i++) {
        if (record->slots[i].number == field && focal_span_equal(record->slots[i].key, key))
            return &record->slots[i];
    }
    return NULL;
}
