/* fuzz: what every fuzz_<name>.c defines. One target is one decoder of bytes that somebody else made: it must take any
 * input without a crash, a leak, a broken assumption or endless work, and should hold what it decoded to some truth
 * (most often: encoding it again gives the same bytes). It takes the input as a whole, keeps nothing between calls,
 * and returns 0. */
#ifndef FOCAL_TESTS_FUZZ_H
#define FOCAL_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
