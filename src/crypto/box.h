/* Sealed boxes, inside this room: opened with a key pair given by itself. */
#ifndef FOCAL_CRYPTO_BOX_H
#define FOCAL_CRYPTO_BOX_H

#include "focal/crypto.h"

FOCAL_MUST_USE enum focal_status focal_box_open_by(struct focal_buf *out, struct focal_span sealed, const struct focal_key *public, const uint8_t secret[32]);

#endif
