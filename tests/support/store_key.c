/* Not secret, and the same in every run; only nonces must never come twice. */
#include "store_key.h"

#include <stdatomic.h>
#include <string.h>

const struct focal_store_key focal_test_key = { .id = "the tests' store", .secret = "a key that everybody may know." };

void focal_test_chance(void *data, void *out, size_t len)
{
    static atomic_uint_fast64_t drawn = 1;
    uint8_t *at = out;
    (void)data;
    for (size_t done = 0; done < len; done += 8) {
        uint64_t z = atomic_fetch_add(&drawn, 1) * 0x9E3779B97F4A7C15u;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        z ^= z >> 27;
        memcpy(at + done, &z, len - done < 8 ? len - done : 8);
    }
}
