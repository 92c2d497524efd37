/* Reading bodies made of items (tag, length, value) in strictly ascending tags: statements, receipts, invitations. */
#ifndef FOCAL_CRYPTO_ITEMS_H
#define FOCAL_CRYPTO_ITEMS_H

#include "focal/crypto.h"

/* Tags from here up belong to newer programs: kept in the body, not understood. */
#define FOCAL_ITEM_NEWER 16
/* But for this one of statements: by which authority it is signed. */
#define FOCAL_ITEM_SIGNER 64

struct focal_items {
    struct focal_cur cur;
    uint64_t last;
    uint32_t seen;
    bool newer, failed;
    struct focal_key *signer; bool signer_set;          /* signer: where it goes; NULL: such an item is unknown like any other */
};

void focal_items_start(struct focal_items *, struct focal_cur);
/* The next item this program may know. False at the end and at the first fault (`failed`). Skips newer items. */
bool focal_items_next(struct focal_items *, uint64_t *tag, struct focal_span *value);
bool focal_items_has(const struct focal_items *, unsigned tag);
/* Everything read, nothing at fault, and every tag of `needed` (bit n: tag n) was there. */
bool focal_items_whole(const struct focal_items *, uint32_t needed);

/* One value, exactly of its form. */
bool focal_item_copy(void *out, size_t len, struct focal_span value);
bool focal_item_u8(uint8_t *out, struct focal_span value);
bool focal_item_be32(uint32_t *out, struct focal_span value);
bool focal_item_varint(uint64_t *out, struct focal_span value);
bool focal_item_text(char *out, size_t cap, struct focal_span value);       /* UTF-8 without zeroes, cap - 1 bytes at most */
bool focal_item_office(struct focal_office *out, struct focal_span value);

void focal_item_put_be32(struct focal_buf *, uint64_t tag, uint32_t);
void focal_item_put_varint(struct focal_buf *, uint64_t tag, uint64_t);

bool focal_country_letters(const uint8_t letters[3]);        /* three of A-Z: form, not whether there is such a country */

#endif
