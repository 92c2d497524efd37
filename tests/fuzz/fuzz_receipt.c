/* Receipts: heads are whole and in order, and what holds nothing newer has one form only. */
#include "fuzz.h"

#include <string.h>

#include "focal/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct focal_receipt receipt;
    struct focal_receipt_head head;
    struct focal_buf again;
    if (focal_crypto_init() != FOCAL_OK || focal_receipt_decode(&receipt, focal_span_of(data, len)) != FOCAL_OK)
        return 0;
    for (size_t i = 0; i < focal_receipt_head_count(&receipt); i++)
        focal_receipt_head(&head, &receipt, i);
    focal_buf_init(&again, FOCAL_RECEIPT_MAX);
    focal_receipt_encode(&again, &receipt);
    /* Newer items come after all known ones: what is known is a prefix. */
    focal_assert(!again.failed && again.len <= len && memcmp(again.data, data, again.len) == 0);
    focal_buf_close(&again);
    return 0;
}
