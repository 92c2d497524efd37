/* Small entries for tests of merge: said in a few numbers, made into real header and payload bytes. */
#ifndef FOCAL_TEST_MERGE_ENTRIES_H
#define FOCAL_TEST_MERGE_ENTRIES_H

#include "focal/merge.h"

enum { MADE_VALUES_MAX = 12, MADE_REPLACED_MAX = 12, MADE_VALUE_BYTES_MAX = 24 };

struct made_value { uint64_t field; uint8_t len, bytes[MADE_VALUE_BYTES_MAX]; };
struct made_name { uint8_t log, seq, name; uint16_t ordinal; };

/* log, seq and name (first byte of h) make the reference; tail is the last byte of h, so that two entries can share a
 * reference. Values need not be sorted: as in real entries, ordinals follow from the sorted order. */
struct made_entry {
    uint8_t log, seq, name, tail;
    bool creates, stripped, has_day, has_home, newer;
    uint8_t home;                       /* every byte of it; 0: "none" */
    uint64_t kind;
    uint32_t day;
    size_t value_count; struct made_value values[MADE_VALUES_MAX];
    size_t replaced_count; struct made_name replaced[MADE_REPLACED_MAX];
};

struct made_bytes { struct focal_buf header, payload; struct focal_contribution contribution; };

void made_entry_bytes(struct made_bytes *, struct made_entry *);    /* sorts values and replaced of the entry */
void made_bytes_close(struct made_bytes *);
struct focal_ref made_ref(uint8_t log, uint8_t seq, uint8_t name);
struct focal_hash made_hash(uint8_t name, uint8_t tail);
void made_value_add(struct made_entry *, uint64_t field, const void *bytes, size_t len);
void made_replace(struct made_entry *, uint8_t log, uint8_t seq, uint8_t name, uint16_t ordinal);

#endif
