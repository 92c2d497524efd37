/* Headers into columns. */
#include "pack.h"

#include <string.h>

/* The place of a log id in the dictionary, put there if it is new; PACK_LOGS_MAX when there is no room for it. */
static uint16_t place_of_log(struct focal_packer *p, const struct focal_id *id)
{
    if (p->log_count > 0 && memcmp(&p->logs[p->last_log], id, sizeof *id) == 0)
        return p->last_log;
    uint64_t hash = focal_get_be64(id->b) * UINT64_C(0x9E3779B97F4A7C15);
    for (size_t probe = 0; probe < PACK_PROBES_MAX; probe++) {
        uint16_t *slot = &p->log_slots[(hash + probe) % PACK_SLOTS];
        if (*slot == 0) {
            if (p->log_count == PACK_LOGS_MAX)
                return PACK_LOGS_MAX;
            p->logs[p->log_count++] = *id;
            *slot = (uint16_t)p->log_count;
            return p->last_log = (uint16_t)(p->log_count - 1);
        }
        if (memcmp(&p->logs[*slot - 1], id, sizeof *id) == 0)
            return p->last_log = (uint16_t)(*slot - 1);
    }
    return PACK_LOGS_MAX;
}

static uint8_t put_whole(struct focal_packer *p, struct focal_span bytes)
{
    focal_buf_varint(&p->columns[COLUMN_HEADER_LENGTH], bytes.len);
    focal_buf_span(&p->columns[COLUMN_HEADER], bytes);
    return HEADER_WHOLE;
}

static void put_record(struct focal_packer *p, const struct focal_ref *record, uint16_t log)
{
    focal_buf_varint(&p->columns[COLUMN_RECORD_LOG], log);
    focal_buf_varint(&p->columns[COLUMN_RECORD_SEQ], pack_zigzag(record->seq - p->record_seq[log]));
    focal_buf_bytes(&p->record_h8, record->h8, sizeof record->h8);
    p->record_seq[log] = record->seq;
    p->record = *record;
    p->record_set = true;
}

static bool same_ref(const struct focal_ref *a, const struct focal_ref *b)
{
    return a->seq == b->seq && memcmp(a->h8, b->h8, sizeof a->h8) == 0 && memcmp(&a->log, &b->log, sizeof a->log) == 0;
}

/* Where each replaced reference comes from; false when a log id finds no room. */
static bool find_replaced(struct focal_packer *p, const struct focal_header *h, size_t count,
                          uint16_t from[PACK_REPLACED_MAX])
{
    struct focal_ref last = { 0 };
    for (size_t i = 0; i < count; i++) {
        struct focal_replaced replaced;
        focal_header_replaced(&replaced, h, i);
        if (!h->creates && same_ref(&replaced.entry, &h->record)) {
            from[i] = FROM_RECORD;
        } else if (i > 0 && same_ref(&replaced.entry, &last)) {
            from[i] = FROM_LAST;
        } else {
            uint16_t log = place_of_log(p, &replaced.entry.log);
            if (log == PACK_LOGS_MAX)
                return false;
            from[i] = (uint16_t)(FROM_LOG + log);
        }
        last = replaced.entry;
    }
    return true;
}

static void put_replaced(struct focal_packer *p, const struct focal_header *h, size_t count, const uint16_t *from)
{
    focal_buf_varint(&p->columns[COLUMN_REPLACED_COUNT], count);
    for (size_t i = 0; i < count; i++) {
        struct focal_replaced replaced;
        focal_header_replaced(&replaced, h, i);
        focal_buf_varint(&p->columns[COLUMN_REPLACED_FROM], from[i]);
        focal_buf_varint(&p->columns[COLUMN_ORDINAL], replaced.ordinal);
        if (from[i] < FROM_LOG)
            continue;
        uint64_t *last = &p->replaced_seq[from[i] - FROM_LOG];
        focal_buf_varint(&p->columns[COLUMN_REPLACED_SEQ], pack_zigzag(replaced.entry.seq - *last));
        focal_buf_bytes(&p->replaced_h8, replaced.entry.h8, sizeof replaced.entry.h8);
        *last = replaced.entry.seq;
    }
}

uint8_t focal_pack_header(struct focal_packer *p, const struct focal_header *h, struct focal_span bytes, bool whole)
{
    size_t count = focal_header_replaced_count(h);
    if (whole || h->shape != FOCAL_SHAPE_ORDINARY || h->newer || count > PACK_REPLACED_MAX)
        return put_whole(p, bytes);
    uint16_t from[PACK_REPLACED_MAX], log = 0;
    uint8_t kind = HEADER_CREATES;
    if (!h->creates) {
        kind = p->record_set && same_ref(&h->record, &p->record) ? HEADER_SAME_RECORD : HEADER_RECORD;
        if (kind == HEADER_RECORD && (log = place_of_log(p, &h->record.log)) == PACK_LOGS_MAX)
            return put_whole(p, bytes);
    }
    if (!find_replaced(p, h, count, from))
        return put_whole(p, bytes);
    if (kind == HEADER_RECORD)
        put_record(p, &h->record, log);
    if (count > 0)
        put_replaced(p, h, count, from);
    return (uint8_t)(kind | (count > 0 ? FLAG_REPLACES : 0));
}
