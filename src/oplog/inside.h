/* The inside of an oplog, shared by the files of this room only.
 *
 *   statements.c   the set of statements          logs.c      logs, scopes, frontier hashes
 *   contributes.c  what the set grants            admit.c     the way in for what others bring
 *   stretches.c    cutting, joining, hashing      write.c     the way in for what we write
 *   append.c       rows of segments and logs      staging.c   pieces that wait for their signature
 *   batch.c        parts being derived            apply.c     entries -> parts and their indexes
 *
 * Rows, integers big-endian:
 *   META      "genesis" -> hash 32                 "epoch" -> id 16, number 8
 *   STATEMENT hash -> signature, body
 *   LOG       log id -> author 32, epoch 16, scope 32, lane 1, head seq 8, head h 32, flags 1, opening number 8
 *   SEGMENT   log id, first 8 -> before h 32, last 8, last h 32, signature 64, canonical bytes 4, packed
 *   STAGING   log id, first 8 -> the same without signature
 *   PART      record reference 32, scope id 32 -> canonical part
 *   CODE      short code 5, record reference 32 -> kind 4         KIND  kind 4, record reference 32 -> ""
 *   CONFLICT  record reference 32, scope id 32 -> ""
 *   RECEIPT   scope id 32, signer 32, epoch 16, number 8 -> signature 64, body
 *   INCIDENT  number 8 -> what 1, log id 16, seq 8, h 32, signature 64 */
#ifndef FOCAL_OPLOG_INSIDE_H
#define FOCAL_OPLOG_INSIDE_H

#include "focal/oplog.h"
#include "focal/base_plant.h"

#include <string.h>

enum {
    SEGMENT_KEY_BYTES = 16 + 8,
    SEGMENT_HEAD_BYTES = 32 + 8 + 32 + 64 + 4,
    STAGING_HEAD_BYTES = 32 + 8 + 32 + 4,
    LOG_VALUE_BYTES = 32 + 16 + 32 + 1 + 8 + 32 + 1 + 8,
    PART_KEY_BYTES = FOCAL_REF_BYTES + 32,
    CODE_KEY_BYTES = 5 + FOCAL_REF_BYTES,
    KIND_KEY_BYTES = 4 + FOCAL_REF_BYTES,
    RECEIPT_KEY_BYTES = 32 + 32 + 16 + 8,

    /* A stored segment fits a SEGMENT message, so that sending it costs neither unpacking nor packing. */
    OWN_SEGMENT_TARGET = 14 * 1024,
    OWN_SEGMENT_LEAST = 11 * 1024,      /* packed smaller than this, a stretch goes on growing */
    OWN_SEGMENT_MOST = 15 * 1024,

    /* Parts waiting to be written, and the entries they come from. */
    BATCH_PARTS_MAX = 8192,
    BATCH_ENTRIES_MAX = 16384,
    BATCH_BYTES_MAX = 2 * 1024 * 1024,
    BATCH_REREAD_MAX = 32,              /* a part read with more entries waiting than this is written first */

    ARENA_BYTES_MAX = 24 * 1024 * 1024, /* the largest stretch four times over, with its entries and hashes */
    UNSIGNED_LOGS_MAX = 64,             /* logs known by staging alone, which any member could invent */
    RECEIPTS_PER_SIGNER_MAX = 1024,     /* live ones in a scope */
    RECEIPT_AHEAD_MAX = 256,            /* heads of logs not held here, of one signer in a scope */
    MACHINE_ID_MAX = 64
};

/* ---- what is held in memory --------------------------------------------------------------------------------------- */

struct held_statement {
    struct focal_hash hash;
    uint8_t subject[8];
    uint64_t kind;
    bool durable;
    uint8_t *bytes;
    size_t len;
    struct focal_certificate *certificate;      /* NULL: of another kind */
    struct held_statement *same_sign;           /* the next certificate of the same signing key */
};

struct held_subject { uint8_t subject[8]; size_t first, count; uint8_t set[16]; };

struct statement_set {
    struct held_statement **list;               /* by (subject, hash) */
    size_t count, cap;
    struct held_subject *subjects;
    size_t subject_count, subject_cap;
    struct held_statement **offices;            /* highest certificate of each, by office code */
    size_t office_count, office_cap;
    struct focal_map by_sign, by_channel;       /* the highest certificate; by_sign: head of same_sign as well */
    struct focal_hash hash;
};

struct own_stretch;
struct oplog_log {
    struct focal_log pub;                       /* first */
    uint64_t opening;                           /* number in its begin entry, when it is a control log's; 0: none */
    bool incident;
    bool granted;                               /* asked and found to be granted; never taken back by what is built */
    size_t staged_bytes, staged_entries;        /* in staging */
    uint64_t receipted;                         /* our own receipts list it up to here */
    struct own_stretch *own;                    /* ours, while entries wait for their signature */
};

struct oplog_scope {
    struct focal_scope scope;
    struct focal_hash id;
    struct oplog_log **logs;                    /* by id */
    size_t log_count, log_cap;
    struct oplog_log *own;                      /* ours of this epoch, once it has its begin entry */
    bool frontier_known;
    uint8_t frontier[16];
};

/* An entry that waits to be added to a part. */
struct waiting {
    uint32_t next;                              /* of the same part; UINT32_MAX: the last */
    uint32_t at, header_len, payload_len;
    bool has_payload;
    struct focal_id log;
    uint64_t seq;
    struct focal_hash h;
};
struct waiting_part { uint8_t key[PART_KEY_BYTES]; uint32_t first, last, count; };

struct batch {
    struct focal_map map;                       /* key -> place + 1 */
    struct waiting_part *parts;
    struct waiting *entries;
    const struct waiting_part **order;
    size_t part_count, part_cap, entry_count, entry_cap, order_cap;
    struct focal_buf bytes;
    size_t parts_max, entries_max;
};

struct created { uint8_t key[CODE_KEY_BYTES]; uint8_t kind[4]; };

struct held_receipt {
    uint8_t key[RECEIPT_KEY_BYTES];
    uint64_t number;
    uint32_t day;
    size_t live;                                /* heads for which it is the highest */
    size_t ahead;                               /* heads of logs that were not held when it came */
};
struct receipt_head { uint64_t seq, number; uint32_t day; struct held_receipt *of; };
struct receipt_set {
    struct focal_map heads;                     /* signer 32, log 16 -> receipt_head */
    struct focal_map held;                      /* key -> held_receipt */
};

struct focal_oplog {
    struct focal_store *store;
    bool has_keys;
    struct focal_node_keys keys;
    struct focal_entropy entropy;
    struct focal_trace trace;
    uint64_t seed;
    uint8_t machine_id[MACHINE_ID_MAX], boot_id[MACHINE_ID_MAX];
    size_t machine_id_len, boot_id_len;

    struct focal_hash network;
    struct focal_genesis genesis;
    struct statement_set statements;

    struct oplog_log **logs;
    size_t log_count, log_cap, unsigned_logs;
    struct focal_map log_map;
    struct oplog_scope **scopes;                /* by class and country */
    size_t scope_count, scope_cap;
    struct focal_map scope_map;
    struct focal_hash control_scope;
    uint64_t changes;

    bool epoch_set;
    struct focal_id epoch;
    uint64_t epoch_number;

    struct batch batch;
    struct created *created;
    size_t created_count, created_cap;
    struct focal_part part;
    struct receipt_set receipts;

    struct focal_packer *packer;
    struct focal_arena arena;
    struct focal_buf key, value, encoded, scratch, names;       /* of one call each; no call leaves anything in them */
};

/* ---- rows ------------------------------------------------------------------------------------------------------------ */

struct segment {
    uint64_t first;
    struct focal_hash before;
    struct focal_tip last;
    struct focal_signature signature;           /* zero: staged */
    uint32_t canonical;
    struct focal_span packed;
};

static inline void focal_oplog_put_be32(uint8_t out[4], uint32_t v)
{
    out[0] = (uint8_t)(v >> 24);
    out[1] = (uint8_t)(v >> 16);
    out[2] = (uint8_t)(v >> 8);
    out[3] = (uint8_t)v;
}

static inline struct focal_span focal_oplog_segment_key(uint8_t out[SEGMENT_KEY_BYTES], const struct focal_id *log, uint64_t first)
{
    memcpy(out, log->b, sizeof log->b);
    focal_put_be64(out + sizeof log->b, first);
    return (struct focal_span){ .data = out, .len = SEGMENT_KEY_BYTES };
}

static inline void focal_oplog_part_key(uint8_t out[PART_KEY_BYTES], const struct focal_ref *record, const struct focal_hash *scope)
{
    focal_ref_put(out, record);
    memcpy(out + FOCAL_REF_BYTES, scope->b, sizeof scope->b);
}

/* append.c */
enum focal_status focal_oplog_segment_decode(struct segment *, struct focal_span key, struct focal_span value, bool staged);
/* The segment that holds seq; its spans look into ol->value. NOT_FOUND: none does. */
enum focal_status focal_oplog_segment_of(struct focal_oplog *, struct focal_store *, const struct focal_id *log, uint64_t seq, bool staged, struct segment *);
/* The one that starts right after seq. */
enum focal_status focal_oplog_segment_at(struct focal_oplog *, const struct focal_id *log, uint64_t first, bool staged, struct segment *);
enum focal_status focal_oplog_append(struct focal_oplog *, struct oplog_log *, const struct segment *);
enum focal_status focal_oplog_log_row(struct focal_oplog *, const struct oplog_log *);
enum focal_status focal_oplog_incident(struct focal_oplog *, struct oplog_log *, const struct focal_tip *, const struct focal_signature *);

/* staging.c */
enum focal_status focal_oplog_stage(struct focal_oplog *, struct oplog_log *, const struct segment *, size_t entries);
enum focal_status focal_oplog_staging_drop(struct focal_oplog *, struct oplog_log *);
enum focal_status focal_oplog_staging_load(struct focal_oplog *, struct focal_error *);

/* stretches.c: all memory is the arena's */
enum focal_status focal_oplog_cut(struct focal_stretch *, struct focal_arena *, const struct focal_stretch *, size_t from, size_t count);
enum focal_status focal_oplog_join(struct focal_stretch *, struct focal_arena *, const struct focal_stretch *, size_t count);
/* h of each of count entries from entries[from], into out; the first follows before. */
void focal_oplog_hash(struct focal_hash *out, const struct focal_stretch *, size_t from, size_t count, const struct focal_id *log,
                      const struct focal_hash *before);
/* h at seq, of what is held or staged. NOT_FOUND: not held. */
enum focal_status focal_oplog_hash_at(struct focal_oplog *, struct focal_store *, const struct focal_log *, uint64_t seq, struct focal_hash *);

/* statements.c */
void focal_oplog_statements_init(struct focal_oplog *);
void focal_oplog_statements_close(struct focal_oplog *);
enum focal_status focal_oplog_statements_load(struct focal_oplog *, struct focal_error *);
enum focal_status focal_oplog_statements_forget(struct focal_oplog *);     /* those that are not durable */
void focal_oplog_statements_durable(struct focal_oplog *);
const struct held_statement *focal_oplog_held_by_sign(const struct focal_oplog *, const struct focal_key *);
enum focal_status focal_oplog_room(void **array, size_t *cap, size_t count, size_t size);

/* contributes.c */
/* Does a certificate let this key write in this scope? */
bool focal_oplog_grants(const struct focal_oplog *, const struct focal_key *, const struct focal_scope *);
bool focal_oplog_opens(const struct focal_oplog *, const struct focal_key *, uint64_t number);
/* THE question: does this entry count? Asked once for a stretch while only certificates decide. */
bool focal_oplog_contributes(const struct focal_oplog *, struct oplog_log *);
/* The number in the payload of a control log's begin entry; 0: it is no opening of this log's epoch. */
uint64_t focal_oplog_opening(const struct focal_log_name *, struct focal_span payload);

/* logs.c */
enum focal_status focal_oplog_scope_add(struct focal_oplog *, const struct focal_scope *);
void focal_oplog_scopes_close(struct focal_oplog *);
struct oplog_scope *focal_oplog_scope_of(const struct focal_oplog *, const struct focal_hash *id);
struct oplog_log *focal_oplog_log_of(const struct focal_oplog *, const struct focal_id *);
enum focal_status focal_oplog_log_add(struct focal_oplog *, struct oplog_log **, const struct focal_log_name *, const struct focal_scope *);
void focal_oplog_head_moved(struct focal_oplog *, struct oplog_log *);
enum focal_status focal_oplog_logs_load(struct focal_oplog *, struct focal_error *);
enum focal_status focal_oplog_logs_reload(struct focal_oplog *);
void focal_oplog_logs_close(struct focal_oplog *);

/* batch.c */
void focal_oplog_batch_init(struct batch *, uint64_t seed, size_t parts_max, size_t entries_max, size_t bytes_max);
void focal_oplog_batch_close(struct batch *);
void focal_oplog_batch_clear(struct batch *);
bool focal_oplog_batch_full(const struct batch *, size_t more_bytes);
enum focal_status focal_oplog_batch_add(struct batch *, const uint8_t key[PART_KEY_BYTES], const struct focal_contribution *);
const struct waiting_part *focal_oplog_batch_find(const struct batch *, const uint8_t key[PART_KEY_BYTES]);
enum focal_status focal_oplog_batch_sort(struct batch *);                   /* fills order */
/* Adds what waits for a part. What does not fit the part is left out, and counted. */
enum focal_status focal_oplog_batch_merge(const struct batch *, const struct waiting_part *, struct focal_part *, size_t *left_out);

/* apply.c */
/* One entry of a log that contributes. NOT_FOUND: it makes no part. */
enum focal_status focal_oplog_contribution(uint8_t key[PART_KEY_BYTES], struct focal_contribution *, const struct focal_log *,
                                           const struct focal_stretch_entry *, uint64_t seq, const struct focal_hash *h);
enum focal_status focal_oplog_apply(struct focal_oplog *, struct oplog_log *, const struct focal_stretch *, size_t from, const struct focal_hash *hashes);
enum focal_status focal_oplog_apply_one(struct focal_oplog *, struct oplog_log *, const struct focal_stretch_entry *, uint64_t seq, const struct focal_hash *h);
enum focal_status focal_oplog_flush(struct focal_oplog *);
uint32_t focal_oplog_kind32(uint64_t kind);

/* write.c */
void focal_oplog_own_free(struct oplog_log *);
void focal_oplog_own_forget(struct focal_oplog *);
enum focal_status focal_oplog_own_close(struct focal_oplog *, struct oplog_log *, bool all);
/* Opens the epoch if there is none. DENIED: we may not write in control. */
enum focal_status focal_oplog_epoch_ensure(struct focal_oplog *, struct focal_error *);
enum focal_status focal_oplog_epoch_load(struct focal_oplog *);

/* receipts.c */
void focal_oplog_receipts_init(struct focal_oplog *);
void focal_oplog_receipts_close(struct focal_oplog *);
enum focal_status focal_oplog_receipts_load(struct focal_oplog *);

#endif
