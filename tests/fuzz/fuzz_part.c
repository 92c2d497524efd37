/* A part from stored bytes, and a part from entries as peers send them.
 * First byte 0: the rest is decoded as a stored part. Else: the rest is a row of entries, each
 * { flags, log, seq, name, header length (2), payload length (2), header, payload }, added one by one. */
#include "fuzz.h"

#include "focal/merge.h"

#include <string.h>

static void encode(struct focal_buf *buf, const struct focal_part *part)
{
    focal_buf_init(buf, FOCAL_PART_BYTES_MAX);
    focal_part_encode(buf, part);
    focal_assert(!buf->failed);
}

static bool same_office(void *data, const struct focal_id *log, const struct focal_id *creating_log)
{
    (void)data;
    return log->b[0] % 2 == creating_log->b[0] % 2;
}

/* Whatever came in: it is read back the same, joining it with itself changes nothing, and it can be shown. */
static void hold(const struct focal_part *part)
{
    struct focal_part again;
    struct focal_buf bytes, bytes_again;
    focal_part_init(&again);
    encode(&bytes, part);
    focal_assert(focal_part_decode(&again, focal_buf_view(&bytes)) == FOCAL_OK);
    focal_assert(focal_part_join(&again, part) != FOCAL_DAMAGED);
    encode(&bytes_again, &again);
    focal_assert(focal_span_equal(focal_buf_view(&bytes), focal_buf_view(&bytes_again)));
    struct focal_ref ref = { .seq = 1 };
    struct focal_creation creation;
    const struct focal_authors authors = { .same_office = same_office };
    if (focal_part_creation(part, &authors, &creation))
        ref = creation.ref;
    struct focal_record record;
    if (focal_record_open(&record, &ref, part, &again, true, &authors) == FOCAL_OK) {
        focal_assert((focal_record_withdrawal(&record) == FOCAL_WITHDRAWAL_NONE) == !focal_record_withdrawn_by(&record));
        size_t values = 0;
        for (size_t i = 0; i < record.slot_count; i++)
            values += record.slots[i].value_count;
        focal_assert(values == record.live_count);
        focal_record_close(&record);
    }
    (void)focal_part_two_versions(part);
    focal_buf_close(&bytes);
    focal_buf_close(&bytes_again);
    focal_part_close(&again);
}

static bool next_entry(struct focal_cur *cur, struct focal_contribution *out)
{
    *out = (struct focal_contribution){ 0 };
    uint8_t flags = focal_cur_u8(cur);
    memset(out->ref.log.b, focal_cur_u8(cur), sizeof out->ref.log.b);
    out->ref.seq = focal_cur_u8(cur);
    out->ref.h8[0] = out->h.b[0] = focal_cur_u8(cur);
    out->h.b[31] = flags >> 1;
    size_t header = focal_cur_be16(cur), payload = focal_cur_be16(cur);
    out->header = focal_cur_bytes(cur, header);
    out->payload = focal_cur_bytes(cur, payload);
    out->has_payload = !(flags & 1);
    return !cur->failed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct focal_part part;
    struct focal_cur cur = focal_cur_of(focal_span_of(data, size));
    if (size == 0)
        return 0;
    focal_part_init(&part);
    if (focal_cur_u8(&cur) == 0) {
        struct focal_span stored = focal_cur_rest(&cur);
        if (focal_part_decode(&part, stored) == FOCAL_OK) {
            struct focal_buf bytes;
            encode(&bytes, &part);
            focal_assert(focal_span_equal(focal_buf_view(&bytes), stored));
            focal_buf_close(&bytes);
            hold(&part);
        }
    } else {
        struct focal_contribution c;
        while (focal_cur_left(&cur) > 0 && next_entry(&cur, &c)) {
            enum focal_status status = focal_part_add(&part, &c);
            focal_assert(status == FOCAL_OK || status == FOCAL_MALFORMED || status == FOCAL_TOO_BIG);
        }
        hold(&part);
    }
    focal_part_close(&part);
    return 0;
}
