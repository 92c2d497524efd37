/* A map from fixed-size keys to pointers.
 *
 *   table     buckets of two words: entry number + 1 (0: empty), and the entry's hash, so that a probe that does not
 *             match touches no other memory
 *   entries   values in order of insertion; a removed entry stays as a hole (value NULL) until the next growth
 *   keys      the keys, in the same order
 *
 * Linear probing; removal moves later buckets of the run back, so the table holds no tombstones. */
#include "focal/base.h"

#include <string.h>

struct focal_map_slot {
    void *value;
    uint32_t hash;
};

enum {
    ENTRIES_FIRST = 16,
    BUCKET_WORDS = 2,
    KEY_BYTES_MAX = 1024,
    /* Entries and buckets are counted in 32 bits, and a table has two buckets for an entry. */
    ENTRIES_MAX = 1 << 29,
};

static uint64_t rotate(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash's construction with one round for a word and three at the end: keys may be chosen by a peer who wants them
 * all in one bucket. All keys of a map have one length, so the length is not hashed. */
static uint32_t hash_of(const struct focal_map *map, const uint8_t *key)
{
    uint64_t k0 = map->seed, k1 = rotate(map->seed, 29) * 0x9E3779B97F4A7C15u;
    uint64_t v[4] = { k0 ^ 0x736F6D6570736575u, k1 ^ 0x646F72616E646F6Du, k0 ^ 0x6C7967656E657261u,
                      k1 ^ 0x7465646279746573u };
    size_t left = map->key_len;
    while (left > 0) {
        uint64_t word = 0;
        size_t n = left < sizeof word ? left : sizeof word;
        if (n == sizeof word)
            memcpy(&word, key, sizeof word);
        else
            memcpy(&word, key, n);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
        key += n;
        left -= n;
    }
    v[2] ^= 0xFF;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    uint64_t h = v[0] ^ v[1] ^ v[2] ^ v[3];
    return (uint32_t)(h ^ h >> 32);
}

static uint8_t *key_at(const struct focal_map *map, size_t entry)
{
    return map->keys + entry * map->key_len;
}

/* The bucket of the key, or the empty bucket where it would go. The table has room. */
static size_t find(const struct focal_map *map, const void *key, uint32_t hash)
{
    size_t mask = map->table_cap - 1;
    for (size_t b = hash & mask;; b = (b + 1) & mask) {
        const uint32_t *bucket = map->table + BUCKET_WORDS * b;
        if (bucket[0] == 0)
            return b;
        if (bucket[1] == hash && memcmp(key_at(map, bucket[0] - 1), key, map->key_len) == 0)
            return b;
    }
}

void focal_map_init(struct focal_map *map, size_t key_len, uint64_t seed)
{
    focal_assert(key_len > 0 && key_len <= KEY_BYTES_MAX);
    *map = (struct focal_map){ .key_len = key_len, .seed = seed };
}

void focal_map_close(struct focal_map *map)
{
    focal_free(map->entries);
    focal_free(map->keys);
    focal_free(map->table);
    *map = (struct focal_map){ .key_len = map->key_len, .seed = map->seed };
}

void *focal_map_get(const struct focal_map *map, const void *key)
{
    if (map->count == 0)
        return NULL;
    size_t b = find(map, key, hash_of(map, key));
    uint32_t entry = map->table[BUCKET_WORDS * b];
    return entry ? map->entries[entry - 1].value : NULL;
}

static void insert_bucket(struct focal_map *map, size_t entry)
{
    size_t mask = map->table_cap - 1;
    uint32_t hash = map->entries[entry].hash;
    size_t b = hash & mask;
    while (map->table[BUCKET_WORDS * b] != 0)
        b = (b + 1) & mask;
    map->table[BUCKET_WORDS * b] = (uint32_t)entry + 1;
    map->table[BUCKET_WORDS * b + 1] = hash;
}

/* Close the holes that removed entries left, then fill the (empty) table anew. */
static void settle(struct focal_map *map)
{
    size_t to = 0;
    for (size_t from = 0; from < map->entry_count; from++) {
        if (!map->entries[from].value)
            continue;
        if (to != from) {
            map->entries[to] = map->entries[from];
            memcpy(key_at(map, to), key_at(map, from), map->key_len);
        }
        insert_bucket(map, to++);
    }
    focal_assert(to == map->count);
    map->entry_count = to;
}

/* Called when the entries are used up. When a quarter of them or more are holes, closing those is enough. */
static enum focal_status grow(struct focal_map *map)
{
    if (map->entry_cap > 0 && map->count <= map->entry_cap - map->entry_cap / 4) {
        memset(map->table, 0, map->table_cap * BUCKET_WORDS * sizeof *map->table);
        settle(map);
        return FOCAL_OK;
    }
    size_t cap = map->entry_cap ? map->entry_cap * 2 : ENTRIES_FIRST;
    if (cap > ENTRIES_MAX)
        return FOCAL_NO_MEMORY;
    /* Two buckets for an entry: runs stay short. Pieces that were got before one fails are kept, they do no harm. */
    size_t table_cap = cap * 2;
    struct focal_map_slot *entries = focal_realloc(map->entries, cap * sizeof *entries);
    if (!entries)
        return FOCAL_NO_MEMORY;
    map->entries = entries;
    uint8_t *keys = focal_realloc(map->keys, cap * map->key_len);
    if (!keys)
        return FOCAL_NO_MEMORY;
    map->keys = keys;
    uint32_t *table = focal_alloc(table_cap * BUCKET_WORDS * sizeof *table);
    if (!table)
        return FOCAL_NO_MEMORY;
    focal_free(map->table);
    map->table = table;
    map->table_cap = table_cap;
    map->entry_cap = cap;
    settle(map);
    return FOCAL_OK;
}

enum focal_status focal_map_put(struct focal_map *map, const void *key, void *value)
{
    focal_assert(value);
    uint32_t hash = hash_of(map, key);
    size_t b = 0;
    if (map->table_cap > 0) {
        b = find(map, key, hash);
        uint32_t entry = map->table[BUCKET_WORDS * b];
        if (entry) {
            map->entries[entry - 1].value = value;
            return FOCAL_OK;
        }
    }
    if (map->entry_count == map->entry_cap) {
        enum focal_status status = grow(map);
        if (status != FOCAL_OK)
            return status;
        b = find(map, key, hash);
    }
    size_t entry = map->entry_count++;
    map->entries[entry] = (struct focal_map_slot){ .value = value, .hash = hash };
    memcpy(key_at(map, entry), key, map->key_len);
    map->table[BUCKET_WORDS * b] = (uint32_t)entry + 1;
    map->table[BUCKET_WORDS * b + 1] = hash;
    map->count++;
    return FOCAL_OK;
}

/* Empty bucket b, and move back whatever of its run may stand nearer to its home. */
static void empty_bucket(struct focal_map *map, size_t b)
{
    size_t mask = map->table_cap - 1;
    for (size_t next = (b + 1) & mask; map->table[BUCKET_WORDS * next] != 0; next = (next + 1) & mask) {
        size_t home = map->table[BUCKET_WORDS * next + 1] & mask;
        if (((next - home) & mask) < ((next - b) & mask))
            continue;
        memcpy(map->table + BUCKET_WORDS * b, map->table + BUCKET_WORDS * next, BUCKET_WORDS * sizeof *map->table);
        b = next;
    }
    map->table[BUCKET_WORDS * b] = 0;
}

void *focal_map_remove(struct focal_map *map, const void *key)
{
    if (map->count == 0)
        return NULL;
    size_t b = find(map, key, hash_of(map, key));
    uint32_t entry = map->table[BUCKET_WORDS * b];
    if (entry == 0)
        return NULL;
    void *value = map->entries[entry - 1].value;
    map->entries[entry - 1].value = NULL;
    empty_bucket(map, b);
    map->count--;
    if (map->count == 0)
        map->entry_count = 0;
    return value;
}

void focal_map_clear(struct focal_map *map)
{
    size_t mask = map->table_cap - 1;
    if (map->count > 0 && map->count >= map->table_cap / 16) {
        memset(map->table, 0, map->table_cap * BUCKET_WORDS * sizeof *map->table);
    } else if (map->count > 0) {
        /* A big table with little in it: empty only what is filled. Empty buckets do not end this search, because
         * they may be ones emptied a moment ago; the entry is surely there. */
        for (size_t e = 0; e < map->entry_count; e++) {
            if (!map->entries[e].value)
                continue;
            size_t b = map->entries[e].hash & mask;
            while (map->table[BUCKET_WORDS * b] != e + 1)
                b = (b + 1) & mask;
            map->table[BUCKET_WORDS * b] = 0;
        }
    }
    map->count = 0;
    map->entry_count = 0;
}

bool focal_map_next(const struct focal_map *map, size_t *at, const void **key, void **value)
{
    while (*at < map->entry_count) {
        size_t entry = (*at)++;
        if (!map->entries[entry].value)
            continue;
        if (key)
            *key = key_at(map, entry);
        if (value)
            *value = map->entries[entry].value;
        return true;
    }
    return false;
}
