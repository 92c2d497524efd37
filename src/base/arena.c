/* Memory of one step: taken bit by bit, given back all at once. */
#include "focal/base.h"

#include <stdalign.h>
#include <string.h>

enum { CHUNK_BYTES_MIN = 4096, CHUNK_BYTES_MAX = 1024 * 1024 };

struct focal_arena_chunk {
    struct focal_arena_chunk *next;
    size_t cap, used;
    alignas(max_align_t) uint8_t bytes[];
};

void focal_arena_init(struct focal_arena *arena, size_t limit)
{
    *arena = (struct focal_arena){ .limit = limit };
}

/* Each chunk is twice the one before, so that a big step takes few of them. */
static struct focal_arena_chunk *add_chunk(struct focal_arena *arena, size_t need)
{
    size_t cap = arena->chunks ? arena->chunks->cap * 2 : CHUNK_BYTES_MIN;
    if (cap > CHUNK_BYTES_MAX)
        cap = CHUNK_BYTES_MAX;
    if (cap < need)
        cap = need;
    if (cap > SIZE_MAX - sizeof(struct focal_arena_chunk))
        return NULL;
    struct focal_arena_chunk *chunk = focal_realloc(NULL, sizeof *chunk + cap);
    if (!chunk)
        return NULL;
    *chunk = (struct focal_arena_chunk){ .next = arena->chunks, .cap = cap };
    arena->chunks = chunk;
    return chunk;
}

void *focal_arena_alloc(struct focal_arena *arena, size_t bytes)
{
    size_t step = alignof(max_align_t);
    if (bytes > SIZE_MAX - step)
        return NULL;
    /* A piece of no bytes has an address of its own as well. */
    size_t need = bytes ? (bytes + step - 1) / step * step : step;
    if (arena->used > arena->limit || need > arena->limit - arena->used)
        return NULL;
    struct focal_arena_chunk *chunk = arena->chunks;
    if (!chunk || need > chunk->cap - chunk->used) {
        chunk = add_chunk(arena, need);
        if (!chunk)
            return NULL;
    }
    void *piece = chunk->bytes + chunk->used;
    chunk->used += need;
    arena->used += need;
    return memset(piece, 0, need);
}

void *focal_arena_copy(struct focal_arena *arena, const void *data, size_t bytes)
{
    void *piece = focal_arena_alloc(arena, bytes);
    if (piece && bytes)
        memcpy(piece, data, bytes);
    return piece;
}

static void free_chunks(struct focal_arena_chunk *chunk)
{
    while (chunk) {
        struct focal_arena_chunk *next = chunk->next;
        focal_free(chunk);
        chunk = next;
    }
}

/* The newest chunk is kept for the next step, unless one huge piece made it: an idle daemon must stay small. */
void focal_arena_reset(struct focal_arena *arena)
{
    struct focal_arena_chunk *kept = arena->chunks;
    if (kept && kept->cap > CHUNK_BYTES_MAX) {
        free_chunks(kept);
        arena->chunks = NULL;
    } else if (kept) {
        free_chunks(kept->next);
        kept->next = NULL;
        kept->used = 0;
    }
    arena->used = 0;
}

void focal_arena_close(struct focal_arena *arena)
{
    free_chunks(arena->chunks);
    *arena = (struct focal_arena){ .limit = arena->limit };
}
