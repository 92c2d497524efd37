/* The laws of merge: any order, any grouping, any repetition of the same entries gives the same part, byte for byte, and
 * its live values are those that no entry replaces. Exhaustive over small histories, then seeded random over larger ones.
 *
 * What is right is said a second time here, by `judge`, in the plainest words: it looks at nothing but the entries as the
 * test wrote them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "merge_entries.h"

#include <stdio.h>
#include <string.h>

enum { HISTORY_MAX = 40, SMALL_MAX = 7, LIVES_MAX = HISTORY_MAX * MADE_VALUES_MAX };

struct history { size_t count; struct made_entry entries[HISTORY_MAX]; struct made_bytes bytes[HISTORY_MAX]; };

static const uint64_t register_a = FOCAL_FIELD(21, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER);
static const uint64_t register_b = FOCAL_FIELD(30, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER);
static const uint64_t rows = FOCAL_FIELD(27, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET);
static const uint64_t map = FOCAL_FIELD(32, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_MAP);
static const uint64_t events = FOCAL_FIELD(35, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_EVENTS);
static const uint64_t later_class = FOCAL_FIELD(900, FOCAL_SCOPE_NETWORK, 5);

/* ---- what is right --------------------------------------------------------------------------------------------------- */

static bool delivered(uint64_t mask, size_t i)
{
    return mask >> i & 1;
}

static bool is_replaced(const struct history *h, uint64_t mask, const struct made_entry *e, size_t ordinal)
{
    for (size_t i = 0; i < h->count; i++) {
        for (size_t r = 0; delivered(mask, i) && r < h->entries[i].replaced_count; r++) {
            const struct made_name *n = &h->entries[i].replaced[r];
            if (n->log == e->log && n->seq == e->seq && n->name == e->name && n->ordinal == ordinal)
                return true;
        }
    }
    return false;
}

static bool same_entry(const struct made_entry *a, const struct made_entry *b)
{
    return a->log == b->log && a->seq == b->seq && a->name == b->name && a->tail == b->tail;
}

/* Is this the first delivery with payload of its entry? So that an entry delivered twice counts once. */
static bool stands_for_entry(const struct history *h, uint64_t mask, size_t i)
{
    if (h->entries[i].stripped || !delivered(mask, i))
        return false;
    for (size_t j = 0; j < i; j++) {
        if (delivered(mask, j) && !h->entries[j].stripped && same_entry(&h->entries[i], &h->entries[j]))
            return false;
    }
    return true;
}

static bool holds(const struct focal_live *lives, size_t count, const struct made_entry *e, size_t ordinal)
{
    struct focal_ref ref = made_ref(e->log, e->seq, e->name);
    struct focal_hash hash = made_hash(e->name, e->tail);
    const struct made_value *v = &e->values[ordinal];
    for (size_t i = 0; i < count; i++) {
        if (focal_ref_compare(&lives[i].ref, &ref) == 0 && focal_hash_equal(&lives[i].h, &hash) && lives[i].ordinal == ordinal
            && lives[i].field == v->field && focal_span_equal(lives[i].value, focal_span_of(v->bytes, v->len))
            && lives[i].has_day == e->has_day && (!e->has_day || lives[i].day == e->day))
            return true;
    }
    return false;
}

/* Odd logs are one office's, even logs another's. */
static bool same_office(void *data, const struct focal_id *log, const struct focal_id *creating_log)
{
    (void)data;
    return log->b[0] % 2 == creating_log->b[0] % 2;
}

static bool stands_before(const struct made_entry *a, const struct made_entry *b)
{
    if (a->log != b->log)
        return a->log < b->log;
    if (a->seq != b->seq)
        return a->seq < b->seq;
    return a->name != b->name ? a->name < b->name : a->tail < b->tail;
}

/* Which entry says kind and home when the creating one is stripped. */
static const struct made_entry *says_it_again(const struct history *h, uint64_t mask, const struct made_entry *creating)
{
    const struct made_entry *least = NULL;
    for (size_t i = 0; i < h->count; i++) {
        const struct made_entry *e = &h->entries[i];
        if (!delivered(mask, i) || e->stripped || e->creates || !e->has_home || e->log % 2 != creating->log % 2)
            continue;
        if (!least || stands_before(e, least))
            least = e;
    }
    return least;
}

static void judge_creation(const struct history *h, uint64_t mask, const struct focal_part *part)
{
    const struct made_entry *first = NULL;
    bool has_payload = false;
    for (size_t i = 0; i < h->count; i++) {
        const struct made_entry *e = &h->entries[i];
        if (!delivered(mask, i) || !e->creates || (first && first->tail < e->tail))
            continue;
        has_payload = (first && first->tail == e->tail && has_payload) || !e->stripped;
        first = e;
    }
    struct focal_creation creation;
    const struct focal_authors offices = { .same_office = same_office };
    bool here = focal_part_creation(part, NULL, &creation);
    assert_int_equal(here, first && has_payload);
    const struct made_entry *says = here || !first ? first : says_it_again(h, mask, first);
    here = focal_part_creation(part, &offices, &creation);
    assert_int_equal(here, says != NULL);
    if (here) {
        struct focal_ref ref = made_ref(first->log, first->seq, first->name);
        assert_int_equal(focal_ref_compare(&creation.ref, &ref), 0);
        assert_int_equal(creation.h.b[31], first->tail);
        assert_int_equal(creation.kind, says->kind);
        assert_int_equal(creation.home_set, says->has_home);
        assert_int_equal(creation.home.b[7], says->has_home ? says->home : 0);
    }
}

static void judge(const struct history *h, uint64_t mask, const struct focal_part *part)
{
    static struct focal_live lives[LIVES_MAX];
    size_t count = focal_part_live(part, lives, LIVES_MAX), right = 0;
    assert_int_equal(count, focal_part_live_count(part));
    for (size_t i = 0; i < h->count; i++) {
        const struct made_entry *e = &h->entries[i];
        if (!stands_for_entry(h, mask, i))
            continue;
        for (size_t v = 0; v < e->value_count; v++) {
            bool dead = focal_field_merge(e->values[v].field) != FOCAL_MERGE_EVENTS && is_replaced(h, mask, e, v);
            right += !dead;
            assert_int_equal(holds(lives, count, e, v), !dead);
        }
    }
    assert_int_equal(count, right);
    judge_creation(h, mask, part);
    bool two = false;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            bool same = lives[i].field == lives[j].field;
            if (lives[i].field == map)
                same = same && lives[i].value.data[1] == lives[j].value.data[1];
            bool versions = lives[i].field == register_a || lives[i].field == register_b || lives[i].field == map;
            two = two || (same && versions && !focal_span_equal(lives[i].value, lives[j].value));
        }
    }
    assert_int_equal(focal_part_two_versions(part), two);
}

/* ---- doing it in every way -------------------------------------------------------------------------------------------- */

static void assert_same_bytes(const struct focal_part *part, const struct focal_buf *right)
{
    struct focal_buf buf;
    focal_buf_init(&buf, FOCAL_PART_BYTES_MAX);
    focal_part_encode(&buf, part);
    assert_false(buf.failed);
    assert_int_equal(buf.len, right->len);
    assert_memory_equal(buf.data, right->data, right->len);
    focal_buf_close(&buf);
}

static void add(struct focal_part *part, const struct history *h, size_t i)
{
    assert_int_equal(focal_part_add(part, &h->bytes[i].contribution), FOCAL_OK);
}

static void through_store(struct focal_part *part)
{
    struct focal_buf buf;
    focal_buf_init(&buf, FOCAL_PART_BYTES_MAX);
    focal_part_encode(&buf, part);
    assert_int_equal(focal_part_decode(part, focal_buf_view(&buf)), FOCAL_OK);
    focal_buf_close(&buf);
}

struct table { struct focal_part parts[1 << SMALL_MAX]; struct focal_buf bytes[1 << SMALL_MAX]; };

/* Delivers in the order given; after each delivery the part must be the one that this set has, also when what came is
 * brought again, and also when the part was stored and read back. */
static void deliver_in_order(const struct history *h, const size_t *order, const struct table *table)
{
    struct focal_part kept, stored;
    focal_part_init(&kept);
    focal_part_init(&stored);
    size_t mask = 0;
    for (size_t i = 0; i < h->count; i++) {
        mask |= (size_t)1 << order[i];
        add(&kept, h, order[i]);
        assert_same_bytes(&kept, &table->bytes[mask]);
        for (size_t j = 0; j <= i; j++)
            add(&kept, h, order[j]);
        assert_same_bytes(&kept, &table->bytes[mask]);
        add(&stored, h, order[i]);
        through_store(&stored);
        assert_same_bytes(&stored, &table->bytes[mask]);
    }
    focal_part_close(&kept);
    focal_part_close(&stored);
}

static void every_order(const struct history *h, size_t *order, size_t from, const struct table *table)
{
    if (from == h->count) {
        deliver_in_order(h, order, table);
        return;
    }
    for (size_t i = from; i < h->count; i++) {
        size_t held = order[from];
        order[from] = order[i];
        order[i] = held;
        every_order(h, order, from + 1, table);
        held = order[from];
        order[from] = order[i];
        order[i] = held;
    }
}

static void every_grouping(const struct history *h, const struct table *table)
{
    struct focal_part joined;
    focal_part_init(&joined);
    size_t sets = (size_t)1 << h->count;
    for (size_t a = 0; a < sets; a++) {
        for (size_t b = 0; b < sets; b++) {
            focal_part_clear(&joined);
            assert_int_equal(focal_part_join(&joined, &table->parts[a]), FOCAL_OK);
            assert_same_bytes(&joined, &table->bytes[a]);
            assert_int_equal(focal_part_join(&joined, &table->parts[b]), FOCAL_OK);
            assert_same_bytes(&joined, &table->bytes[a | b]);
            assert_int_equal(focal_part_join(&joined, &table->parts[a]), FOCAL_OK);
            assert_same_bytes(&joined, &table->bytes[a | b]);
        }
    }
    focal_part_close(&joined);
}

static void hold_laws(struct history *h)
{
    static struct table table;
    assert_true(h->count <= SMALL_MAX);
    size_t sets = (size_t)1 << h->count;
    for (size_t i = 0; i < h->count; i++)
        made_entry_bytes(&h->bytes[i], &h->entries[i]);
    for (size_t mask = 0; mask < sets; mask++) {
        focal_part_init(&table.parts[mask]);
        focal_buf_init(&table.bytes[mask], FOCAL_PART_BYTES_MAX);
        for (size_t i = 0; i < h->count; i++) {
            if (delivered(mask, i))
                add(&table.parts[mask], h, i);
        }
        judge(h, mask, &table.parts[mask]);
        focal_part_encode(&table.bytes[mask], &table.parts[mask]);
        through_store(&table.parts[mask]);
        judge(h, mask, &table.parts[mask]);
        assert_int_equal(focal_part_empty(&table.parts[mask]), focal_part_live_count(&table.parts[mask]) == 0 && table.bytes[mask].len == 4);
    }
    size_t order[SMALL_MAX];
    for (size_t i = 0; i < h->count; i++)
        order[i] = i;
    every_order(h, order, 0, &table);
    every_grouping(h, &table);
    for (size_t mask = 0; mask < sets; mask++) {
        focal_part_close(&table.parts[mask]);
        focal_buf_close(&table.bytes[mask]);
    }
    for (size_t i = 0; i < h->count; i++)
        made_bytes_close(&h->bytes[i]);
}

/* ---- small histories ---------------------------------------------------------------------------------------------------- */

static struct made_entry *entry(struct history *h, uint8_t log, uint8_t seq, uint8_t name)
{
    struct made_entry *e = &h->entries[h->count++];
    *e = (struct made_entry){ .log = log, .seq = seq, .name = name, .kind = FOCAL_KIND_CASE };
    return e;
}

static void test_concurrent_registers(void **state)
{
    (void)state;
    struct history h = { 0 };
    struct made_entry *e = entry(&h, 1, 1, 1);
    e->creates = e->has_home = true;
    e->home = 9;
    made_value_add(e, register_a, "\x02", 1);
    made_value_add(e, register_b, "\x02", 1);
    e = entry(&h, 2, 5, 2);                             /* two offices at once */
    made_value_add(e, register_a, "\x03", 1);
    made_replace(e, 1, 1, 1, 0);
    e = entry(&h, 3, 7, 3);
    made_value_add(e, register_a, "\x04", 1);
    made_replace(e, 1, 1, 1, 0);
    e = entry(&h, 3, 8, 4);                             /* the same value: agreement */
    made_value_add(e, register_b, "\x02", 1);
    e = entry(&h, 1, 2, 5);                             /* a person names both */
    made_value_add(e, register_a, "\x05", 1);
    made_replace(e, 2, 5, 2, 0);
    made_replace(e, 3, 7, 3, 0);
    e = entry(&h, 2, 6, 6);                             /* and somebody who had not seen that */
    made_value_add(e, register_a, "\x06", 1);
    made_replace(e, 2, 5, 2, 0);
    hold_laws(&h);
}

static void test_rows_of_a_set(void **state)
{
    (void)state;
    struct history h = { 0 };
    struct made_entry *e = entry(&h, 1, 1, 1);
    e->creates = true;
    for (int i = 0; i < 3; i++)
        made_value_add(e, rows, "\x02\x02", 2);         /* three equal rows are three victims */
    made_value_add(e, rows, "\x03\x01", 2);
    e = entry(&h, 2, 1, 2);                             /* one was a mistake */
    made_replace(e, 1, 1, 1, 1);
    e = entry(&h, 3, 1, 3);                             /* another office takes off the same and one more, adds one */
    made_replace(e, 1, 1, 1, 1);
    made_replace(e, 1, 1, 1, 3);
    made_value_add(e, rows, "\x02\x02", 2);
    e = entry(&h, 2, 2, 4);
    made_value_add(e, later_class, "any", 3);           /* a class of a newer program: as a set */
    made_value_add(e, later_class, "any", 3);
    made_value_add(e, later_class, "", 0);
    e = entry(&h, 3, 2, 5);
    made_replace(e, 1, 1, 1, 0);
    made_replace(e, 1, 1, 1, 2);
    made_replace(e, 2, 2, 4, 2);
    e = entry(&h, 1, 9, 6);
    made_replace(e, 2, 2, 4, 0);
    made_replace(e, 2, 2, 4, 1);
    hold_laws(&h);
}

static void test_maps_and_events(void **state)
{
    (void)state;
    struct history h = { 0 };
    struct made_entry *e = entry(&h, 1, 1, 1);
    e->creates = e->has_day = true;
    e->day = 17000;
    made_value_add(e, map, "\x01\x02\x02", 3);
    made_value_add(e, map, "\x01\x03\x02", 3);
    made_value_add(e, events, "\x02\x05", 2);
    e = entry(&h, 2, 1, 2);
    made_value_add(e, map, "\x01\x02\x03", 3);
    made_replace(e, 1, 1, 1, 0);
    e = entry(&h, 3, 1, 3);
    made_value_add(e, map, "\x01\x02\x04", 3);
    made_replace(e, 1, 1, 1, 0);
    made_replace(e, 1, 1, 1, 2);                        /* an event stays, whoever replaces it */
    e = entry(&h, 3, 2, 4);
    e->has_day = true;
    made_value_add(e, events, "\x02\x05", 2);
    made_replace(e, 7, 7, 7, 7);                        /* of an entry that never comes */
    e = entry(&h, 2, 2, 5);
    made_replace(e, 3, 2, 4, 0);
    made_replace(e, 2, 1, 2, 0);
    made_replace(e, 3, 1, 3, 0);
    hold_laws(&h);
}

static void test_one_reference_two_entries(void **state)
{
    (void)state;
    struct history h = { 0 };
    for (uint8_t tail = 1; tail <= 2; tail++) {
        struct made_entry *e = entry(&h, 1, 1, 1);
        e->creates = e->has_home = true;
        e->tail = tail;
        e->home = (uint8_t)(3 - tail);
        e->kind = 15u + tail;
        made_value_add(e, register_a, tail == 1 ? "\x02" : "\x03", 1);
        made_value_add(e, register_b, "\x02", 1);
    }
    struct made_entry *e = entry(&h, 2, 1, 2);          /* means both */
    made_replace(e, 1, 1, 1, 0);
    made_value_add(e, register_a, "\x04", 1);
    e = entry(&h, 2, 1, 2);
    e->tail = 8;
    made_value_add(e, register_a, "\x05", 1);
    e = entry(&h, 3, 1, 3);                             /* means both of the last two; takes all of the first two */
    made_replace(e, 2, 1, 2, 0);
    made_replace(e, 1, 1, 1, 1);
    e = &h.entries[h.count++];                          /* the smaller of the creating entries, stripped */
    *e = h.entries[0];
    e->stripped = true;
    hold_laws(&h);
}

static void test_stripped(void **state)
{
    (void)state;
    struct history h = { 0 };
    struct made_entry *e = entry(&h, 1, 1, 1);
    e->creates = e->has_home = true;
    made_value_add(e, register_a, "\x02", 1);
    made_value_add(e, register_b, "\x02", 1);
    e = entry(&h, 1, 1, 1);
    *e = h.entries[0];
    e->stripped = true;
    e = entry(&h, 2, 1, 2);
    made_replace(e, 1, 1, 1, 0);
    made_value_add(e, register_a, "\x03", 1);
    e->newer = true;
    e = entry(&h, 2, 1, 2);                             /* erased; what it replaced stays replaced */
    *e = h.entries[2];
    e->stripped = true;
    e = entry(&h, 3, 1, 3);
    e->newer = true;
    made_value_add(e, register_a, "\x04", 1);
    e = entry(&h, 3, 2, 4);
    made_replace(e, 3, 1, 3, 0);
    made_replace(e, 1, 1, 1, 1);
    hold_laws(&h);
}

static struct made_entry *home_again(struct history *h, uint8_t log, uint8_t seq, uint8_t name, uint8_t home)
{
    struct made_entry *e = entry(h, log, seq, name);
    e->has_home = true;
    e->home = home;
    e->kind = 16u + home;
    return e;
}

/* One field of the creating entry was redacted: the other values were written again, with the home, by its office. Others name
 * a home too, which counts for nothing; and of those that count, none may depend on its values. */
static void test_creation_stripped(void **state)
{
    (void)state;
    struct history h = { 0 };
    struct made_entry *e = home_again(&h, 1, 1, 1, 5);
    e->creates = e->stripped = true;
    made_value_add(e, register_a, "\x02", 1);
    made_value_add(e, register_b, "\x02", 1);
    e = home_again(&h, 3, 4, 2, 6);                     /* written again */
    made_value_add(e, register_b, "\x02", 1);
    made_replace(e, 1, 1, 1, 0);
    made_replace(e, 1, 1, 1, 1);
    e = home_again(&h, 3, 4, 2, 7);                     /* its twin under one reference */
    e->tail = 1;
    made_value_add(e, register_b, "\x02", 1);
    e = home_again(&h, 2, 1, 3, 8);                     /* of another office */
    made_value_add(e, register_b, "\x04", 1);
    made_replace(e, 3, 4, 2, 0);
    e = home_again(&h, 3, 5, 4, 0);                     /* "none", and no value at all */
    made_replace(e, 2, 1, 3, 0);
    e = home_again(&h, 1, 9, 5, 9);                     /* least of all, and redacted itself */
    e->stripped = true;
    made_value_add(e, register_a, "\x03", 1);
    made_replace(e, 3, 5, 4, 0);
    e = home_again(&h, 1, 8, 6, 10);                    /* least of those that count */
    e->newer = e->has_day = true;
    e->day = 17000;
    hold_laws(&h);
}

/* The creating entry is whole: what is said again changes nothing, and does not go when its values do. */
static void test_home_said_again(void **state)
{
    (void)state;
    struct history h = { 0 };
    struct made_entry *e = home_again(&h, 3, 1, 1, 5);
    e->creates = true;
    made_value_add(e, register_a, "\x02", 1);
    e = home_again(&h, 1, 1, 2, 6);
    made_value_add(e, rows, "\x02\x02", 2);
    made_value_add(e, rows, "\x02\x02", 2);
    made_replace(e, 3, 1, 1, 0);
    e = entry(&h, 2, 1, 3);
    made_replace(e, 1, 1, 2, 0);
    made_replace(e, 1, 1, 2, 1);
    made_value_add(e, register_a, "\x03", 1);
    e = home_again(&h, 2, 2, 4, 7);
    made_value_add(e, register_a, "\x04", 1);
    e = entry(&h, 1, 2, 5);
    made_replace(e, 2, 2, 4, 0);
    made_replace(e, 2, 1, 3, 0);
    hold_laws(&h);
}

/* Every ordinal of an entry with many values taken out in a different company: gaps before, between and after. */
static void test_ordinals(void **state)
{
    (void)state;
    struct history h = { 0 };
    struct made_entry *e = entry(&h, 1, 1, 1);
    for (uint8_t i = 0; i < 8; i++)
        made_value_add(e, i < 4 ? register_a : rows, &i, 1);
    static const uint8_t taken[6][3] = { { 0, 1, 7 }, { 2, 6, 7 }, { 1, 3, 5 }, { 4, 9, 200 }, { 0, 4, 6 }, { 2, 3, 5 } };
    for (uint8_t i = 0; i < 6; i++) {
        e = entry(&h, 2, (uint8_t)(i + 1), (uint8_t)(i + 2));
        for (int j = 0; j < 3; j++)
            made_replace(e, 1, 1, 1, taken[i][j]);
    }
    hold_laws(&h);
}

/* ---- larger histories, seeded -------------------------------------------------------------------------------------------- */

static uint64_t draw(uint64_t *seed)
{
    uint64_t x = *seed += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

static size_t draw_below(uint64_t *seed, size_t n)
{
    return (size_t)(draw(seed) % n);
}

static void draw_value(struct made_entry *e, uint64_t *seed)
{
    const uint64_t fields[] = { register_a, register_b, rows, map, events, later_class };
    uint64_t field = fields[draw_below(seed, 6)];
    uint8_t bytes[3] = { 1, (uint8_t)draw_below(seed, 3), (uint8_t)draw_below(seed, 4) };
    made_value_add(e, field, bytes, sizeof bytes);
}

/* In a world of one form every delivery of an entry is stripped or none is, as where a redaction is in force or is not; in
 * the other an entry may come once so and once so, as while it spreads. */
static void draw_history(struct history *h, uint64_t *seed, bool one_form)
{
    *h = (struct history){ 0 };
    size_t count = 2 + draw_below(seed, HISTORY_MAX - 1);
    for (size_t i = 0; i < count; i++) {
        struct made_entry *e = entry(h, (uint8_t)(1 + draw_below(seed, 4)), (uint8_t)(1 + draw_below(seed, 30)), (uint8_t)draw_below(seed, 3));
        if (i > 0 && draw_below(seed, 12) == 0)
            *e = h->entries[draw_below(seed, i)];       /* delivered twice, perhaps stripped once */
        for (size_t j = 0; j + 1 < h->count; j++) {
            if (same_entry(e, &h->entries[j]))
                *e = h->entries[j];
        }
        bool known = e->value_count || e->replaced_count;
        if (known) {
            e->stripped = one_form ? e->stripped : draw_below(seed, 3) == 0;
            continue;
        }
        if (i == 0)
            *e = (struct made_entry){ .log = 1, .seq = 1, .name = 1, .kind = FOCAL_KIND_CASE, .creates = true, .has_home = true };
        e->newer = draw_below(seed, 9) == 0;
        e->stripped = draw_below(seed, i == 0 ? 2 : 9) == 0;
        if (i > 0 && draw_below(seed, 5) == 0) {
            e->has_home = true;
            e->home = (uint8_t)draw_below(seed, 4);
        }
        for (size_t v = 1 + draw_below(seed, MADE_VALUES_MAX); v > 0; v--)
            draw_value(e, seed);
        for (size_t r = draw_below(seed, MADE_REPLACED_MAX); r > 0; r--) {
            const struct made_entry *of = &h->entries[draw_below(seed, h->count)];
            made_replace(e, of->log, of->seq, of->name, (uint16_t)draw_below(seed, MADE_VALUES_MAX + 1));
        }
    }
}

/* Splits what is to be delivered into up to four heaps, each entry into one or more, and joins them. */
static void deliver_in_heaps(const struct history *h, uint64_t *seed, const struct focal_buf *right)
{
    struct focal_part heaps[4];
    for (size_t i = 0; i < 4; i++)
        focal_part_init(&heaps[i]);
    size_t order[HISTORY_MAX];
    for (size_t i = 0; i < h->count; i++) {
        size_t at = draw_below(seed, i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (size_t i = 0; i < h->count; i++) {
        size_t heap = draw_below(seed, 4);
        add(&heaps[heap], h, order[i]);
        if (draw_below(seed, 4) == 0)
            add(&heaps[draw_below(seed, 4)], h, order[i]);
        if (draw_below(seed, 4) == 0)
            through_store(&heaps[heap]);
    }
    for (size_t left = 4; left > 1; left--) {
        size_t from = draw_below(seed, left);
        size_t into = (from + 1 + draw_below(seed, left - 1)) % left;
        assert_int_equal(focal_part_join(&heaps[into], &heaps[from]), FOCAL_OK);
        struct focal_part spent = heaps[from];
        heaps[from] = heaps[left - 1];
        heaps[left - 1] = spent;
    }
    /* The last join may have moved its result. */
    assert_same_bytes(&heaps[0], right);
    for (size_t i = 0; i < 4; i++)
        focal_part_close(&heaps[i]);
}

static void test_random_histories(void **state)
{
    (void)state;
    static struct history h;
    for (uint64_t round = 1; round <= 600; round++) {
        uint64_t seed = round;
        draw_history(&h, &seed, round % 2);
        for (size_t i = 0; i < h.count; i++)
            made_entry_bytes(&h.bytes[i], &h.entries[i]);
        struct focal_part part;
        struct focal_buf right;
        focal_part_init(&part);
        focal_buf_init(&right, FOCAL_PART_BYTES_MAX);
        for (size_t i = 0; i < h.count; i++)
            add(&part, &h, i);
        judge(&h, UINT64_MAX, &part);
        focal_part_encode(&right, &part);
        for (int i = 0; i < 6; i++)
            deliver_in_heaps(&h, &seed, &right);
        focal_buf_close(&right);
        focal_part_close(&part);
        for (size_t i = 0; i < h.count; i++)
            made_bytes_close(&h.bytes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_concurrent_registers),
        cmocka_unit_test(test_rows_of_a_set),
        cmocka_unit_test(test_maps_and_events),
        cmocka_unit_test(test_one_reference_two_entries),
        cmocka_unit_test(test_stripped),
        cmocka_unit_test(test_creation_stripped),
        cmocka_unit_test(test_home_said_again),
        cmocka_unit_test(test_ordinals),
        cmocka_unit_test(test_random_histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
