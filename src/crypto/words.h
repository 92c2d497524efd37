/* Two lists of 256 plain words, read aloud over bad lines by people for whom English is a second language or a third.
 * Even places have words of four and five letters, odd places of six to eight, so that a word left out or two swapped is
 * heard at once. A list never changes: the same keys must give the same words on both screens whatever the versions. */
#ifndef FOCAL_CRYPTO_WORDS_H
#define FOCAL_CRYPTO_WORDS_H

#include "focal/crypto.h"

extern const char *const focal_words_even[256];
extern const char *const focal_words_odd[256];

#endif
