/* Withdrawn records: is one withdrawn, and is it still what its withdrawal saw?
 *
 * A digest is a sum over live values, so that nothing must be sorted and no order can matter. It is kept in entries for ever:
 *     digest = sum modulo 2^64, 8 bytes big-endian, of SipHash-2-4(key, field 8 bytes big-endian, then the value)
 *     key    = "focal saw 1" and five bytes 0
 * over all live values of the part but those of the fields of a withdrawal, as often as they are live. It tells changes, not
 * forgers: who may write the record needs no collision to do harm, and who may not never gets here. */
#include "part.h"

enum { DIGEST_BYTES = 8, PIECE_BYTES = 8 };

/* ---- the hash ------------------------------------------------------------------------------------------------------- */

static uint64_t turned(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = turned(v[1], 13) ^ v[0];
    v[0] = turned(v[0], 32);
    v[2] += v[3];
    v[3] = turned(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = turned(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = turned(v[1], 17) ^ v[2];
    v[2] = turned(v[2], 32);
}

static void sip_take(uint64_t v[4], uint64_t piece)
{
    v[3] ^= piece;
    sip_round(v);
    sip_round(v);
    v[0] ^= piece;
}

static uint64_t little_endian(const uint8_t *bytes, size_t count)
{
    uint64_t out = 0;
    for (size_t i = 0; i < count; i++)
        out |= (uint64_t)bytes[i] << (8 * i);
    return out;
}

static uint64_t hash_of(uint64_t field, struct focal_span value)
{
    static const uint8_t key[16] = "focal saw 1";
    uint64_t k0 = little_endian(key, 8), k1 = little_endian(key + 8, 8);
    uint64_t v[4] = { k0 ^ 0x736F6D6570736575u, k1 ^ 0x646F72616E646F6Du, k0 ^ 0x6C7967656E657261u, k1 ^ 0x7465646279746573u };
    uint8_t number[PIECE_BYTES];
    size_t at = 0;
    focal_put_be64(number, field);
    sip_take(v, little_endian(number, sizeof number));
    for (; at + PIECE_BYTES <= value.len; at += PIECE_BYTES)
        sip_take(v, little_endian(value.data + at, PIECE_BYTES));
    uint64_t rest = value.len > at ? little_endian(value.data + at, value.len - at) : 0;
    sip_take(v, rest | (uint64_t)(sizeof number + value.len) << 56);
    v[2] ^= 0xFF;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- what live values say of a withdrawal --------------------------------------------------------------------------- */

enum { WIDE = 0, COUNTRY = 1 };

struct seen {
    bool withdrawn;                     /* some live value of `withdrawn` says so */
    uint64_t sum[2]; bool any[2];       /* of the wide part and of the country part: their other live values */
    size_t rows[2], fitting[2];         /* digests of withdrawals, and those that are the present one */
    size_t network_rows_fitting;        /* likewise of withdrawals that saw the wide part alone */
};

static int part_of(uint64_t field)
{
    uint8_t scope = focal_field_scope(field);
    return scope == FOCAL_SCOPE_COUNTRY || scope > FOCAL_SCOPE_LOCAL ? COUNTRY : WIDE;
}

static bool says_restored(struct focal_span value)
{
    struct focal_cur cur = focal_cur_of(value);
    uint64_t code = focal_cur_varint(&cur);
    return focal_cur_done(&cur) && code == FOCAL_CODE_RESTORED;
}

/* First over all values, then `fit` over all: a digest can only be held against the whole sum. */
static void sum_up(struct seen *seen, uint64_t field, struct focal_span value)
{
    if (field == FOCAL_CASE_WITHDRAWN)
        seen->withdrawn = seen->withdrawn || !says_restored(value);
    if (focal_merge_of_withdrawal(field) || focal_field_scope(field) == FOCAL_SCOPE_LOCAL)
        return;
    seen->sum[part_of(field)] += hash_of(field, value);
    seen->any[part_of(field)] = true;
}

static void fit(struct seen *seen, uint64_t field, struct focal_span value)
{
    if (field != FOCAL_CASE_SAW && field != FOCAL_CASE_SAW_NETWORK && field != FOCAL_CASE_SAW_COUNTRY)
        return;
    uint8_t now[DIGEST_BYTES];
    int part = part_of(field);
    focal_put_be64(now, seen->sum[part]);
    bool same = focal_span_equal(value, focal_span_of(now, sizeof now));
    if (field == FOCAL_CASE_SAW_NETWORK) {
        seen->network_rows_fitting += same;
        return;
    }
    seen->rows[part]++;
    seen->fitting[part] += same;
}

static struct seen seen_in_record(const struct focal_record *record)
{
    struct seen seen = { 0 };
    for (size_t i = 0; i < record->live_count; i++)
        sum_up(&seen, record->lives[i].field, record->lives[i].value);
    for (size_t i = 0; i < record->live_count; i++)
        fit(&seen, record->lives[i].field, record->lives[i].value);
    return seen;
}

static void each_item(const struct focal_part *part, struct seen *seen, void (*call)(struct seen *, uint64_t, struct focal_span))
{
    for (size_t i = 0; i < part->entry_count; i++) {
        struct focal_cur cur = focal_part_items(part, &part->entries[i]);
        struct focal_part_item item;
        uint32_t next = 0;
        while (focal_part_item_next(&cur, &next, &item))
            call(seen, item.field, item.value);
    }
}

/* ---- the door ------------------------------------------------------------------------------------------------------- */

bool focal_part_withdrawal_open(const struct focal_part *part)
{
    struct seen seen = { 0 };
    each_item(part, &seen, sum_up);
    each_item(part, &seen, fit);
    return (seen.withdrawn && seen.fitting[WIDE] == 0) || (seen.rows[COUNTRY] > 0 && seen.fitting[COUNTRY] == 0);
}

const struct focal_live *focal_record_withdrawn_by(const struct focal_record *record)
{
    const struct focal_slot *slot = focal_record_slot(record, FOCAL_CASE_WITHDRAWN, focal_span_of("", 0));
    for (size_t i = 0; slot && i < slot->value_count; i++) {
        if (!says_restored(slot->values[i].value))
            return &slot->values[i];
    }
    return NULL;
}

enum focal_withdrawal focal_record_withdrawal(const struct focal_record *record)
{
    if (!focal_record_withdrawn_by(record))
        return FOCAL_WITHDRAWAL_NONE;
    const struct seen seen = seen_in_record(record);
    if (seen.fitting[WIDE] + seen.network_rows_fitting == 0)
        return FOCAL_WITHDRAWAL_CHANGED;
    if (seen.rows[COUNTRY] > 0)
        return seen.fitting[COUNTRY] > 0 ? FOCAL_WITHDRAWAL_AS_SEEN : FOCAL_WITHDRAWAL_CHANGED;
    return seen.any[COUNTRY] ? FOCAL_WITHDRAWAL_UNSEEN : FOCAL_WITHDRAWAL_AS_SEEN;
}

void focal_record_saw(const struct focal_record *record, bool country, uint8_t out[FOCAL_SAW_BYTES])
{
    focal_put_be64(out, seen_in_record(record).sum[country ? COUNTRY : WIDE]);
}
