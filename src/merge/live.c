/* What a part says: who created the record, and which values are live. */
#include "part.h"

static void take_kind(struct focal_creation *out, const struct focal_part_entry *e)
{
    out->kind = e->kind;
    out->home_set = e->flags & FOCAL_ENTRY_HOME_SET;
    out->home = e->home;
}

/* Entries are sorted by (log, seq, h): the first that fits is the least. */
static bool find_said_again(const struct focal_part *part, const struct focal_authors *authors, struct focal_creation *out)
{
    if (!authors || !authors->same_office)
        return false;
    for (size_t i = 0; i < part->entry_count; i++) {
        const struct focal_part_entry *e = &part->entries[i];
        if ((e->flags & FOCAL_ENTRY_CREATES) || !(e->flags & FOCAL_ENTRY_HOME_SET)
            || !authors->same_office(authors->data, &e->ref.log, &out->ref.log))
            continue;
        take_kind(out, e);
        out->said_again = true;
        return true;
    }
    return false;
}

bool focal_part_creation(const struct focal_part *part, const struct focal_authors *authors, struct focal_creation *out)
{
    /* Of two under one reference, the smaller h comes first. A stripped one is not passed over for the other, so that kind and
     * home do not change under a reader when its payload comes. */
    for (size_t i = 0; i < part->entry_count; i++) {
        const struct focal_part_entry *e = &part->entries[i];
        if (!(e->flags & FOCAL_ENTRY_CREATES))
            continue;
        *out = (struct focal_creation){ .ref = e->ref, .h = e->h };
        if (!(e->flags & FOCAL_ENTRY_PAYLOAD))
            return find_said_again(part, authors, out);
        take_kind(out, e);
        return true;
    }
    return false;
}

bool focal_part_creation_stripped(const struct focal_part *part)
{
    for (size_t i = 0; i < part->entry_count; i++) {
        if (part->entries[i].flags & FOCAL_ENTRY_CREATES)
            return !(part->entries[i].flags & FOCAL_ENTRY_PAYLOAD);
    }
    return false;
}

size_t focal_part_live_count(const struct focal_part *part)
{
    size_t count = 0;
    for (size_t i = 0; i < part->entry_count; i++)
        count += part->entries[i].count;
    return count;
}

struct focal_span focal_merge_key(uint64_t field, struct focal_span value)
{
    struct focal_span key, rest;
    if (focal_field_merge(field) != FOCAL_MERGE_MAP || !focal_map_value_split(value, &key, &rest))
        return focal_span_of("", 0);
    return key;
}

int focal_merge_row_order(const struct focal_live *a, const struct focal_live *b)
{
    int c = focal_part_ref_order(&a->ref, &b->ref);
    if (c == 0)
        c = memcmp(a->h.b, b->h.b, sizeof a->h.b);
    return c ? c : (int)a->ordinal - (int)b->ordinal;
}

static int slot_order(const struct focal_live *a, const struct focal_live *b)
{
    if (a->field != b->field)
        return a->field < b->field ? -1 : 1;
    if (focal_field_merge(a->field) != FOCAL_MERGE_MAP)
        return 0;
    return focal_span_compare(focal_merge_key(a->field, a->value), focal_merge_key(b->field, b->value));
}

static int live_order(const void *one, const void *other)
{
    const struct focal_live *a = one, *b = other;
    int c = slot_order(a, b);
    return c ? c : focal_merge_row_order(a, b);
}

/* The least `room` of them, kept sorted. */
static void keep_least(struct focal_live *out, size_t *held, size_t room, const struct focal_live *live)
{
    size_t at = *held;
    if (at == room) {
        if (live_order(&out[room - 1], live) < 0)
            return;
        at--;
    } else {
        (*held)++;
    }
    while (at > 0 && live_order(&out[at - 1], live) > 0) {
        out[at] = out[at - 1];
        at--;
    }
    out[at] = *live;
}

size_t focal_part_live(const struct focal_part *part, struct focal_live *out, size_t room)
{
    size_t count = focal_part_live_count(part), held = 0;
    if (room == 0)
        return count;
    for (size_t i = 0; i < part->entry_count; i++) {
        struct focal_cur cur = focal_part_items(part, &part->entries[i]);
        struct focal_part_item item;
        uint32_t next = 0;
        while (focal_part_item_next(&cur, &next, &item)) {
            struct focal_live live;
            focal_part_live_of(&live, &part->entries[i], &item);
            if (count <= room)
                out[held++] = live;
            else
                keep_least(out, &held, room, &live);
        }
    }
    if (count <= room)
        focal_merge_sort(out, count, sizeof *out, live_order);
    return count;
}

/* ---- two versions --------------------------------------------------------------------------------------------------- */

/* One live value of a register. This is asked after every change of a part, so it carries no more than it needs. */
struct said { uint64_t field; struct focal_span value; };

static int said_order(const void *one, const void *other)
{
    const struct said *a = one, *b = other;
    if (a->field != b->field)
        return a->field < b->field ? -1 : 1;
    if (focal_field_merge(a->field) != FOCAL_MERGE_MAP)
        return 0;
    return focal_span_compare(focal_merge_key(a->field, a->value), focal_merge_key(b->field, b->value));
}

static bool differ(const struct said *a, const struct said *b)
{
    return a->field == b->field && (FOCAL_PLANTED(AGREEMENT_IS_CONFLICT) || !focal_span_equal(a->value, b->value)) && said_order(a, b) == 0;
}

/* The values of registers, one by one. */
struct said_walk { const struct focal_part *part; size_t entry; struct focal_cur cur; uint32_t next; bool withdrawal; };

static bool next_said(struct said_walk *walk, struct said *out)
{
    struct focal_part_item item;
    for (;;) {
        while (focal_part_item_next(&walk->cur, &walk->next, &item)) {
            enum focal_merge_class merge = focal_field_merge(item.field);
            walk->withdrawal = walk->withdrawal || focal_merge_of_withdrawal(item.field);
            if (merge != FOCAL_MERGE_REGISTER && merge != FOCAL_MERGE_MAP)
                continue;
            *out = (struct said){ .field = item.field, .value = item.value };
            return true;
        }
        if (walk->entry == walk->part->entry_count)
            return false;
        walk->cur = focal_part_items(walk->part, &walk->part->entries[walk->entry++]);
        walk->next = 0;
    }
}

/* Without memory for a sorted list: every value against all after it. Slower, never wrong. */
static bool any_pair_differs(const struct focal_part *part)
{
    struct said_walk walk = { .part = part };
    struct said one, other;
    while (next_said(&walk, &one)) {
        struct said_walk rest = walk;
        while (next_said(&rest, &other)) {
            if (differ(&one, &other))
                return true;
        }
    }
    return false;
}

bool focal_part_two_versions(const struct focal_part *part)
{
    enum { ON_STACK = 128 };
    struct said few[ON_STACK], *said = few;
    size_t most = focal_part_live_count(part), count = 0;
    if (most > ON_STACK)
        said = focal_alloc(most * sizeof *said);
    if (!said)
        return !FOCAL_PLANTED(VERSIONS_NEED_MEMORY) && (any_pair_differs(part) || focal_part_withdrawal_open(part));
    struct said_walk walk = { .part = part };
    /* One bit per field, shared by few: mostly no bit is met twice, and then no register is. */
    uint64_t seen = 0, twice = 0;
    for (struct said next; next_said(&walk, &next);) {
        uint64_t bit = (uint64_t)1 << (next.field / 64 % 64);
        twice |= seen & bit;
        seen |= bit;
        said[count++] = next;
    }
    bool found = false;
    if (twice)
        focal_merge_sort(said, count, sizeof *said, said_order);
    for (size_t i = 1; i < count && twice && !found; i++)
        found = differ(&said[i - 1], &said[i]);
    if (said != few)
        focal_free(said);
    return found || (walk.withdrawal && focal_part_withdrawal_open(part));
}
