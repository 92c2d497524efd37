/* How a stretch is packed. Private to this room.
 *
 *   packed  := version 1 byte, form 1 byte, varint first, varint count, varint canonical bytes, varint bytes of columns,
 *              (form 1: varint bytes of the zstd frame), columns or frame, raw
 *   columns := dictionary, then the columns in the order of enum pack_column, then the values, tag by tag
 *   raw     := log ids, h8 of records, h8 of replaced entries, commitments of stripped entries, seeds and salts:
 *              hashes and chance, in which zstd would only look in vain
 *
 * No column carries its length: each is read as far as what stands before it says. An entry that does not fit the
 * columns (begin, quote, headers and payloads of newer programs, odd sizes) travels as it is in the last two columns,
 * so every canonical entry can be packed and comes out as the same bytes. */
#ifndef FOCAL_WIRE_PACK_H
#define FOCAL_WIRE_PACK_H

#include "focal/wire.h"
#include "focal/base_plant.h"

#include <assert.h>
#include <zstd.h>

enum { PACK_VERSION = 1, FORM_STORED = 0, FORM_ZSTD = 1 };

enum pack_column {
    COLUMN_DICTIONARY,          /* counts; tags; shapes of payloads; salt runs */
    COLUMN_FLAGS,               /* a byte an entry */
    COLUMN_SHAPE,               /* varint: which shape the payload has */
    COLUMN_RECORD_LOG,          /* varint: log id of the record reference, in the dictionary */
    COLUMN_RECORD_SEQ,          /* zigzag varint: from the last record reference into that log */
    COLUMN_REPLACED_COUNT,
    COLUMN_REPLACED_FROM,       /* varint: enum replaced_from, or that many plus the log id's place */
    COLUMN_REPLACED_SEQ,        /* zigzag varint: from the last replaced reference into that log */
    COLUMN_ORDINAL,
    COLUMN_HEADER_LENGTH,       /* of headers that travel as they are */
    COLUMN_PAYLOAD_LENGTH,
    COLUMN_VALUE_LENGTH,        /* of values whose length the shape leaves open */
    COLUMN_HEADER,
    COLUMN_PAYLOAD,
    COLUMN_COUNT
};

/* A flag byte: header kind, whether it replaces, payload kind. */
enum header_kind { HEADER_CREATES = 0, HEADER_RECORD = 1, HEADER_SAME_RECORD = 2, HEADER_WHOLE = 3, HEADER_MASK = 3 };
enum payload_kind { PAYLOAD_STRIPPED = 0, PAYLOAD_SHAPED = 8, PAYLOAD_WHOLE = 16, PAYLOAD_MASK = 24 };
enum { FLAG_REPLACES = 4, FLAGS_MASK = HEADER_MASK | FLAG_REPLACES | PAYLOAD_MASK };

enum replaced_from { FROM_RECORD = 0, FROM_LAST = 1, FROM_LOG = 2 };

enum {
    PACK_LOGS_MAX = 1024,
    PACK_TAGS_MAX = 64,
    PACK_SHAPES_MAX = 1024,
    PACK_ITEMS_MAX = 32,                /* of a shape */
    PACK_REPLACED_MAX = 64,             /* of an entry */
    /* Large entries travel as they are, so that one alone is never much larger packed than canonical. */
    PACK_COLUMNS_ENTRY_MAX = 8 * 1024,
    /* A length in a shape: 0 to 8 and 32 say themselves, for codes and hashes; text would make a shape for every length. */
    LENGTH_EXACT_MAX = 8, LENGTH_HASH = 32, LENGTH_OPEN = 255,
    VARINT_MAX = 10,
    PACK_SLOTS = 2048,
    PACK_PROBES_MAX = 16,               /* peers choose what is hashed: a full neighbourhood goes the slow way */
    PACK_WINDOW_LOG = 19,
};

/* What columns may hold beyond canonical bytes. An entry: flags 1, shape 2, count of replaced 1, lengths 3 + 3, its run
 * 4 or less; 16 in round figures. A shape: its count, and a byte for each item that leaves the length open. A reference
 * (34 or more canonical) takes 15 or less. Then tags, counts and the first run. */
#define PACK_COLUMNS_MAX (FOCAL_STRETCH_BYTES_MAX + 16 * FOCAL_STRETCH_ENTRIES_MAX \
                          + (PACK_ITEMS_MAX + 1) * PACK_SHAPES_MAX + VARINT_MAX * PACK_TAGS_MAX + 64)
static_assert(PACK_COLUMNS_MAX <= 1 << PACK_WINDOW_LOG, "one window holds all columns");
static_assert(PACK_SLOTS >= 2 * PACK_LOGS_MAX && PACK_SLOTS >= 2 * PACK_SHAPES_MAX, "tables stay half empty");

/* A single entry travels as it is when it is large: head 30, counts and its run 32, flags and lengths 7, salt 16. */
#define PACK_ONE_OVERHEAD 96
static_assert(FOCAL_ENTRY_MAX + PACK_ONE_OVERHEAD <= FOCAL_SEGMENT_PACKED_MAX, "any entry fits a message");

struct pack_tag { uint64_t tag; uint8_t bytes[VARINT_MAX], len; };
struct pack_item { uint8_t tag, length; };
struct pack_shape {
    uint64_t kind;
    uint32_t used;                      /* entries of this shape */
    uint8_t count, open;                /* items; how many of them leave their length open */
    struct pack_item items[PACK_ITEMS_MAX];
};

struct focal_packer {
    ZSTD_CCtx *squeeze;
    ZSTD_DCtx *swell;
    struct focal_buf columns[COLUMN_COUNT], record_h8, replaced_h8;
    struct focal_buf whole, squeezed;
    size_t log_count, tag_count, shape_count;
    struct focal_id logs[PACK_LOGS_MAX];
    uint64_t record_seq[PACK_LOGS_MAX], replaced_seq[PACK_LOGS_MAX];
    struct pack_tag tags[PACK_TAGS_MAX];
    struct pack_shape shapes[PACK_SHAPES_MAX];
    uint16_t shape_of[FOCAL_STRETCH_ENTRIES_MAX];       /* packing: PACK_SHAPES_MAX when it has none */
    uint16_t log_slots[PACK_SLOTS], shape_slots[PACK_SLOTS];    /* place + 1 */
    uint16_t last_log, last_shape;
    bool record_set; struct focal_ref record;           /* the last record reference */
    size_t value_bytes[PACK_TAGS_MAX];
};

struct pack_head {
    uint64_t first;
    size_t count, canonical, columns, frame;
    uint8_t form;
};

static inline uint64_t pack_zigzag(uint64_t delta)
{
    return delta << 1 ^ (0 - (delta >> 63));
}

static inline uint64_t pack_unzigzag(uint64_t z)
{
    return z >> 1 ^ (0 - (z & 1));
}

static inline size_t pack_varint(uint8_t *out, uint64_t v)
{
    size_t n = 0;
    while (v >= 0x80) {
        out[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    out[n++] = (uint8_t)v;
    return n;
}

/* The length code of a value in a shape. */
static inline uint8_t pack_length_code(size_t len)
{
    return len <= LENGTH_EXACT_MAX || len == LENGTH_HASH ? (uint8_t)len : LENGTH_OPEN;
}

/* stretch.c */
void focal_pack_forget(struct focal_packer *);          /* what was learned of the stretch before */
enum focal_status focal_pack_head_read(struct pack_head *, struct focal_cur *);
bool focal_pack_runs_fit(const struct focal_stretch *);
size_t focal_pack_run_payloads(const struct focal_stretch *, const struct focal_salt_run *);

/* pack_header.c, pack_payload.c: put one into the columns and give its part of the flag byte */
uint8_t focal_pack_header(struct focal_packer *, const struct focal_header *, struct focal_span bytes, bool whole);
uint8_t focal_pack_payload(struct focal_packer *, size_t i, struct focal_span bytes, bool whole);
void focal_pack_shapes(struct focal_packer *, struct focal_buf *dictionary);
void focal_pack_values(struct focal_packer *, const struct focal_stretch *);    /* appends all values to `whole` */

/* squeeze.c */
enum focal_status focal_pack_squeeze(struct focal_packer *, const size_t *ends, size_t end_count);
enum focal_status focal_pack_swell(struct focal_packer *, struct focal_span *columns, struct focal_span frame, size_t len);

/* unpack_columns.c, unpack_entry.c */
struct unpacking {
    struct focal_packer *packer;
    struct focal_stretch *stretch;
    struct focal_cur columns[COLUMN_COUNT], values[PACK_TAGS_MAX];
    struct focal_cur record_h8, replaced_h8, commitments, salts;
    size_t shaped, records, replacing, whole_headers, whole_payloads, stripped, replaced_refs;
    uint8_t *at, *end;                  /* canonical bytes being made */
};
bool focal_unpack_dictionary(struct unpacking *, struct focal_cur *, struct focal_arena *, enum focal_status *);
bool focal_unpack_split(struct unpacking *, struct focal_cur *columns, struct focal_cur *raw);
bool focal_unpack_entry(struct unpacking *, size_t i);

#endif
