/* A packed stretch: what is taken can be packed again and comes out the same, within the limits. */
#include "fuzz.h"

#include "focal/wire.h"

#include <string.h>

static void same(const struct focal_stretch *a, const struct focal_stretch *b)
{
    focal_assert(a->first == b->first && a->count == b->count && a->run_count == b->run_count);
    for (size_t i = 0; i < a->count; i++) {
        const struct focal_stretch_entry *x = &a->entries[i], *y = &b->entries[i];
        focal_assert(focal_span_equal(x->header, y->header) && x->has_payload == y->has_payload);
        focal_assert(focal_span_equal(x->payload, y->payload) && memcmp(x->c.b, y->c.b, sizeof x->c.b) == 0);
    }
    for (size_t r = 0; r < a->run_count; r++) {
        const struct focal_salt_run *x = &a->runs[r], *y = &b->runs[r];
        focal_assert(x->first == y->first && x->last == y->last && x->has_seed == y->has_seed);
        focal_assert(memcmp(x->seed, y->seed, sizeof x->seed) == 0 && focal_span_equal(x->salts, y->salts));
    }
}

static void seed_only(uint8_t salt[16], const uint8_t seed[16], uint64_t seq)
{
    (void)seq;
    memcpy(salt, seed, 16);
}

static void check(struct focal_packer *packer, const struct focal_stretch *s)
{
    focal_assert(s->count > 0 && s->count <= FOCAL_STRETCH_ENTRIES_MAX);
    focal_assert(focal_stretch_canonical_bytes(s) <= FOCAL_STRETCH_BYTES_MAX);
    for (size_t i = 0; i < s->count; i++) {
        uint8_t salt[16];
        focal_assert(focal_stretch_salt(s, i, salt, seed_only) == s->entries[i].has_payload);
    }
    struct focal_buf packed;
    struct focal_arena arena;
    struct focal_stretch again;
    focal_buf_init(&packed, 1 << 20);
    focal_arena_init(&arena, 1 << 21);
    focal_assert(focal_stretch_pack(packer, &packed, s) == FOCAL_OK);
    focal_assert(focal_stretch_unpack(packer, &again, &arena, focal_buf_view(&packed)) == FOCAL_OK);
    same(s, &again);
    focal_arena_close(&arena);
    focal_buf_close(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct focal_packer *packer = focal_packer_open();
    if (!packer)
        return 0;
    struct focal_arena arena;
    struct focal_stretch s;
    focal_arena_init(&arena, 1 << 21);
    uint64_t first;
    uint32_t count;
    bool peeked = focal_stretch_peek(&first, &count, focal_span_of(data, len)) == FOCAL_OK;
    enum focal_status status = focal_stretch_unpack(packer, &s, &arena, focal_span_of(data, len));
    focal_assert(status == FOCAL_OK || status == FOCAL_MALFORMED);
    if (status == FOCAL_OK) {
        focal_assert(peeked && first == s.first && count == s.count);
        check(packer, &s);
    }
    focal_arena_close(&arena);
    focal_packer_close(packer);
    return 0;
}
