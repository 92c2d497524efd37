/* Chance from a seed: the same seed gives the same life, to the last byte. */
#ifndef FOCAL_POWER_CHANCE_H
#define FOCAL_POWER_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance { uint64_t state; };

static inline uint64_t chance_next(struct chance *c)
{
    c->state += 0x9E3779B97F4A7C15u;
    uint64_t z = c->state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static inline uint64_t chance_below(struct chance *c, uint64_t n)
{
    return chance_next(c) % n;
}

static inline bool chance_of(struct chance *c, unsigned in_a_hundred)
{
    return chance_below(c, 100) < in_a_hundred;
}

static inline void chance_fill(void *data, void *out, size_t len)
{
    uint8_t *at = out;
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)chance_next(data);
}

#endif
