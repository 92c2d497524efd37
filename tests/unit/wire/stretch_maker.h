/* Stretches for tests, entry by entry; everything in them follows from a seed. */
#ifndef FOCAL_TESTS_STRETCH_MAKER_H
#define FOCAL_TESTS_STRETCH_MAKER_H

#include "focal/wire.h"

#include <string.h>

struct maker {
    struct focal_arena arena;
    struct focal_stretch s;
    struct focal_stretch_entry entries[FOCAL_STRETCH_ENTRIES_MAX + 1];
    struct focal_salt_run runs[FOCAL_STRETCH_ENTRIES_MAX + 1];
    uint64_t chance;
};

static inline uint64_t maker_draw(struct maker *m, uint64_t below)
{
    m->chance += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t v = m->chance;
    v = (v ^ v >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    v = (v ^ v >> 27) * UINT64_C(0x94D049BB133111EB);
    return (v ^ v >> 31) % below;
}

static inline void maker_fill(struct maker *m, void *out, size_t len)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)maker_draw(m, 256);
}

static inline void maker_open(struct maker *m, uint64_t first, uint64_t seed)
{
    memset(m, 0, sizeof *m);
    focal_arena_init(&m->arena, (size_t)16 << 20);
    m->s = (struct focal_stretch){ .first = first, .entries = m->entries, .runs = m->runs };
    m->chance = seed;
}

static inline void maker_close(struct maker *m)
{
    focal_arena_close(&m->arena);
}

static inline struct focal_span maker_keep(struct maker *m, struct focal_span bytes)
{
    uint8_t *copy = focal_arena_copy(&m->arena, bytes.data, bytes.len);
    focal_assert(copy);
    return focal_span_of(copy, bytes.len);
}

/* Bytes as they are; payload NULL: stripped. */
static inline struct focal_stretch_entry *maker_add(struct maker *m, struct focal_span header, const struct focal_span *payload)
{
    focal_assert(m->s.count < sizeof m->entries / sizeof m->entries[0]);
    struct focal_stretch_entry *entry = &m->entries[m->s.count++];
    *entry = (struct focal_stretch_entry){ .header = maker_keep(m, header), .has_payload = payload != NULL };
    if (payload)
        entry->payload = maker_keep(m, *payload);
    else
        maker_fill(m, entry->c.b, sizeof entry->c.b);
    return entry;
}

static inline uint64_t maker_seq(const struct maker *m)
{
    return m->s.first + m->s.count;
}

/* Any header, which gets its sequence here, with any payload. */
static inline struct focal_stretch_entry *maker_header(struct maker *m, struct focal_header h, const struct focal_span *payload)
{
    struct focal_buf buf;
    focal_buf_init(&buf, 1 << 20);
    h.seq = maker_seq(m);
    focal_header_encode(&buf, &h);
    focal_assert(!buf.failed);
    struct focal_stretch_entry *entry = maker_add(m, focal_buf_view(&buf), payload);
    focal_buf_close(&buf);
    return entry;
}

static inline struct focal_ref maker_ref(struct maker *m, uint8_t log, uint64_t seq)
{
    struct focal_ref ref = { .seq = seq };
    memset(ref.log.b, log, sizeof ref.log.b);
    maker_fill(m, ref.h8, sizeof ref.h8);
    return ref;
}

static inline struct focal_header maker_on(struct focal_ref record)
{
    return (struct focal_header){ .shape = FOCAL_SHAPE_ORDINARY, .record = record };
}

/* Replaced items, already ascending, as a header holds them. */
static inline struct focal_span maker_replaced(struct maker *m, const struct focal_replaced *items, size_t count)
{
    struct focal_buf buf;
    focal_buf_init(&buf, 1 << 20);
    for (size_t i = 0; i < count; i++)
        focal_replaced_put(&buf, &items[i]);
    struct focal_span span = maker_keep(m, focal_buf_view(&buf));
    focal_buf_close(&buf);
    return span;
}

static inline struct focal_span maker_payload(struct maker *m, uint64_t kind, const struct focal_span *home, const uint32_t *day,
                                              const struct focal_item *values, size_t count)
{
    struct focal_buf buf;
    focal_buf_init(&buf, 1 << 20);
    focal_payload_encode(&buf, kind, home, day, values, count);
    focal_assert(!buf.failed);
    struct focal_span span = maker_keep(m, focal_buf_view(&buf));
    focal_buf_close(&buf);
    return span;
}

static inline struct focal_item maker_code(struct maker *m, uint32_t serial, uint64_t codes)
{
    uint8_t code = (uint8_t)(1 + maker_draw(m, codes));
    return (struct focal_item){ .field = FOCAL_FIELD(serial, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER),
        .value = maker_keep(m, focal_span_of(&code, 1)) };
}

static inline struct focal_item maker_row(struct maker *m, uint32_t serial, uint64_t first, uint64_t second)
{
    uint8_t row[2] = { (uint8_t)(1 + maker_draw(m, first)), (uint8_t)(1 + maker_draw(m, second)) };
    return (struct focal_item){ .field = FOCAL_FIELD(serial, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET),
        .value = maker_keep(m, focal_span_of(row, 2)) };
}

static inline struct focal_item maker_wide(struct maker *m, uint32_t serial, unsigned number)
{
    uint8_t wide[2] = { (uint8_t)(number | 0x80), (uint8_t)(number >> 7) };
    return (struct focal_item){ .field = FOCAL_FIELD(serial, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER),
        .value = maker_keep(m, focal_span_of(wide, 2)) };
}

/* A case as bench enters it: ten network fields, codes drawn evenly. */
static inline struct focal_span maker_case(struct maker *m, struct focal_span home)
{
    struct focal_item values[16];
    size_t n = 0;
    uint8_t country[3] = { (uint8_t)('A' + maker_draw(m, 26)), (uint8_t)('A' + maker_draw(m, 26)), (uint8_t)('A' + maker_draw(m, 26)) };
    values[n++] = (struct focal_item){ .field = FOCAL_FIELD(16, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER),
        .value = maker_keep(m, focal_span_of(country, 3)) };
    values[n++] = maker_wide(m, 17, (unsigned)(4 * 2017 + maker_draw(m, 32)));
    values[n++] = maker_wide(m, 19, (unsigned)(2 * 2010 + maker_draw(m, 30)));
    values[n++] = maker_code(m, 21, 12);
    values[n++] = maker_code(m, 23, 9);
    values[n++] = maker_code(m, 26, 6);
    for (uint64_t rows = 1 + maker_draw(m, 3); rows > 0; rows--)
        values[n++] = maker_row(m, 27, 5, 4);
    for (uint64_t rows = 1 + maker_draw(m, 2); rows > 0; rows--)
        values[n++] = maker_row(m, 28, 5, 6);
    values[n++] = maker_code(m, 30, 9);
    values[n++] = maker_code(m, 31, 6);
    return maker_payload(m, FOCAL_KIND_CASE, &home, NULL, values, n);
}

/* A run with a seed, or with salts for the entries that are here; call it after the entries are made. */
static inline void maker_run(struct maker *m, uint64_t first, uint64_t last, bool seed)
{
    focal_assert(m->s.run_count < sizeof m->runs / sizeof m->runs[0]);
    struct focal_salt_run *run = &m->runs[m->s.run_count++];
    *run = (struct focal_salt_run){ .first = first, .last = last, .has_seed = seed };
    if (seed) {
        maker_fill(m, run->seed, sizeof run->seed);
        return;
    }
    size_t n = 0;
    for (size_t i = 0; i < m->s.count; i++)
        n += m->entries[i].has_payload && m->s.first + i >= first && m->s.first + i <= last;
    uint8_t *salts = focal_arena_alloc(&m->arena, n * 16);
    focal_assert(salts);
    maker_fill(m, salts, n * 16);
    run->salts = focal_span_of(salts, n * 16);
}

/* Runs over everything made, of at most `most` sequences: seeds where nothing is stripped, else salts. */
static inline void maker_runs(struct maker *m, uint64_t most)
{
    for (size_t i = 0; i < m->s.count; i += most) {
        size_t end = i + most < m->s.count ? i + most : m->s.count;
        bool seed = true;
        for (size_t k = i; k < end; k++)
            seed &= m->entries[k].has_payload;
        maker_run(m, m->s.first + i, m->s.first + end - 1, seed);
    }
}

static inline bool maker_same(const struct focal_stretch *a, const struct focal_stretch *b)
{
    if (a->first != b->first || a->count != b->count || a->run_count != b->run_count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct focal_stretch_entry *x = &a->entries[i], *y = &b->entries[i];
        if (!focal_span_equal(x->header, y->header) || x->has_payload != y->has_payload)
            return false;
        if (x->has_payload ? !focal_span_equal(x->payload, y->payload) : memcmp(x->c.b, y->c.b, 32) != 0)
            return false;
    }
    for (size_t r = 0; r < a->run_count; r++) {
        const struct focal_salt_run *x = &a->runs[r], *y = &b->runs[r];
        if (x->first != y->first || x->last != y->last || x->has_seed != y->has_seed)
            return false;
        if (x->has_seed ? memcmp(x->seed, y->seed, 16) != 0 : !focal_span_equal(x->salts, y->salts))
            return false;
    }
    return true;
}

#endif
