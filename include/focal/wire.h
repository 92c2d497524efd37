/* wire: the bytes between peers: stretches of a log packed by columns, and the messages of the conversation.
 *
 * Not here: encryption (crypto), when to send what (sync), whether an entry is admissible (oplog).
 * Versions: 1 is the first. A message type below 64 that is not listed is malformed; types from 64 up are for later
 * versions, are skipped, and never carry anything the talk depends on.
 * Memory: decoded structures borrow from the bytes (or the arena) given. Every decoder is total and checks declared
 * sizes before allocating. Threads: pure. */
#ifndef FOCAL_WIRE_H
#define FOCAL_WIRE_H

#include "focal/model.h"

#define FOCAL_WIRE_VERSION 1
/* A message, before encryption, padding included: 16 KiB and what the largest entry needs around it to travel alone. */
#define FOCAL_FRAME_MAX       (16 * 1024 + 256)
#define FOCAL_SEGMENT_PAD     256               /* SEGMENT messages are padded to a multiple of this */
#define FOCAL_SEGMENT_HEAD    (1 + 16 + 8 + 1 + 64 + 2)     /* of a signed SEGMENT, before the packed bytes */
#define FOCAL_SEGMENT_PACKED_MAX (FOCAL_FRAME_MAX - FOCAL_SEGMENT_HEAD)
#define FOCAL_STRETCH_ENTRIES_MAX 4096          /* between two signatures, and in one packed piece */
#define FOCAL_STRETCH_BYTES_MAX  (256 * 1024)   /* canonical bytes (headers and payloads) likewise */
#define FOCAL_RUN_SEQS_MAX 1024                 /* sequences of one salt run */

/* ---- stretches ------------------------------------------------------------------------------------------------------------ */

/* Consecutive entries of one log. A salt run keeps the author's first and last whatever part of it is handed on, and
 * carries its seed, or explicit salts: 16 bytes for each entry that is in this stretch, in the run and has a payload. */
struct focal_stretch_entry {
    struct focal_span header;
    bool has_payload;
    struct focal_span payload;
    struct focal_hash c;                /* commitment; on the wire only of stripped entries, else zero after unpacking */
};
struct focal_salt_run { uint64_t first, last; bool has_seed; uint8_t seed[16]; struct focal_span salts; };
struct focal_stretch {
    uint64_t first; size_t count;
    struct focal_stretch_entry *entries;
    struct focal_salt_run *runs; size_t run_count;      /* ascending, not overlapping; cover every entry with a payload */
};
size_t focal_stretch_canonical_bytes(const struct focal_stretch *);
/* The salt of entries[i]; false if it has none. needs crypto: derive is focal_salt_from_seed. */
bool focal_stretch_salt(const struct focal_stretch *, size_t i, uint8_t out[16],
                        void (*derive)(uint8_t salt[16], const uint8_t seed[16], uint64_t seq));

/* Packs by columns, then zstd (falls back to stored columns where that is smaller). Lossless: unpacking gives the very
 * bytes. TOO_BIG: a limit above is passed, an entry is over FOCAL_ENTRY_MAX, or out has no room; out is then as it was.
 * MALFORMED: an entry is not canonical or not in its place; a run has more than FOCAL_RUN_SEQS_MAX sequences, overlaps,
 * touches none of the entries, or carries its seed though one of its entries here is stripped (the seed would let what
 * was stripped be guessed and checked). A single entry packs to at most FOCAL_SEGMENT_PACKED_MAX. */
struct focal_packer;                    /* reusable scratch: zstd contexts and column buffers */
struct focal_packer *focal_packer_open(void);           /* NULL: no memory */
void focal_packer_close(struct focal_packer *);
FOCAL_MUST_USE enum focal_status focal_stretch_pack(struct focal_packer *, struct focal_buf *out, const struct focal_stretch *);
/* MALFORMED for anything that pack would not have made (decode, re-encode syntax checked per entry; header sequence of
 * entry i must be first + i). Everything is allocated from the arena or borrows from it. */
FOCAL_MUST_USE enum focal_status focal_stretch_unpack(struct focal_packer *, struct focal_stretch *out, struct focal_arena *, struct focal_span packed);
/* first and count without unpacking. */
FOCAL_MUST_USE enum focal_status focal_stretch_peek(uint64_t *first, uint32_t *count, struct focal_span packed);

/* ---- messages ------------------------------------------------------------------------------------------------------------------ */

enum focal_message_type {
    FOCAL_MSG_HELLO = 1, FOCAL_MSG_SUBJECTS = 2, FOCAL_MSG_STATEMENT = 3, FOCAL_MSG_FRONTIER = 4, FOCAL_MSG_WANT = 5,
    FOCAL_MSG_SEGMENT = 6, FOCAL_MSG_CREDIT = 7, FOCAL_MSG_ACK = 8, FOCAL_MSG_RECEIPT = 9, FOCAL_MSG_PING = 10,
    FOCAL_MSG_PONG = 11, FOCAL_MSG_PAUSE = 12, FOCAL_MSG_JOIN = 13, FOCAL_MSG_ADMIT = 14, FOCAL_MSG_BYE = 15, FOCAL_MSG_HEADS = 16
};
/* Every message: type 1 byte, then its fields in this order, integers big-endian, then nothing (SEGMENT: zero padding). */

/* 32 bytes and 24 a scope, so that an equal pair costs at most 256 bytes both ways with framing and tags. */
#define FOCAL_HELLO_SCOPES_MAX 64
struct focal_hello_scope { uint8_t tag[8]; uint8_t frontier[16]; };     /* tag: first 8 bytes of keyed BLAKE2b of the scope id */
struct focal_hello {
    uint8_t version_least, version_most;        /* one byte: 4 bits each */
    uint8_t epoch[8];                           /* first 8 bytes of the epoch, 0 if none */
    uint32_t certificate_number;
    uint8_t certificate[8];                     /* first 8 bytes of its hash, 0 if none */
    uint8_t statements[8];                      /* keyed hash of the statement set */
    bool wants_certificates;                    /* flag bit 0: I hold none of yours */
    bool veiled;                                /* flag bit 1: a copy was put back here; do not take my word for what was redacted */
    uint8_t scope_count;
    struct focal_hello_scope scopes[FOCAL_HELLO_SCOPES_MAX];   /* bit 63 of the tag (top bit of tag[0]) = "I have holes" */
};
/* Statement sets differ: which subjects. Answered by STATEMENTs of the subjects that differ. */
struct focal_subject { uint8_t subject[8]; uint8_t set[16]; };  /* 24 bytes each */
struct focal_subjects { bool last; struct focal_span items; size_t count; };
/* What I hold of one scope: changed logs, or all (when `whole`). item := author 32, epoch 16, lane 1, tip count 1 (1..32),
 * tips (seq 8, keyed hash 8) each. whole and last: a log not listed in the whole series is one of which I hold nothing. */
struct focal_frontier_tip { uint64_t seq; uint8_t keyed[8]; };
#define FOCAL_TIPS_MAX 32
struct focal_frontier_item { struct focal_key author; struct focal_id epoch; uint8_t lane; uint8_t tip_count; struct focal_frontier_tip tips[FOCAL_TIPS_MAX]; };
struct focal_frontier { uint8_t tag[8]; bool whole, last; struct focal_span items; };
struct focal_want { struct focal_id log; uint64_t from; struct focal_frontier_tip to; };       /* from: first sequence wanted */
/* Of a log with branches: what leads to the tip `to` is wanted, from the highest entry on that shared way that is listed.
 * items: what the asker holds, at halving distances from the heads of its lines, n x (seq 8, keyed hash 8). */
#define FOCAL_HEADS_MAX 64
struct focal_heads { struct focal_id log; struct focal_frontier_tip to; struct focal_span items; size_t count; };
struct focal_segment {
    struct focal_id log;
    uint8_t before[8];                          /* first 8 bytes of h before its first entry */
    bool is_signed; struct focal_signature signature;   /* over the last entry of the piece; not signed: goes to staging */
    struct focal_span packed;
};
struct focal_ack_item { struct focal_id log; uint64_t seq; };   /* 24 bytes each */
struct focal_ack { struct focal_span items; size_t count; };
struct focal_receipt_message { struct focal_span body; struct focal_signature signature; };
struct focal_join { struct focal_key sign, channel, open; struct focal_signature signature; };
struct focal_admit { struct focal_span sealed_secret; };        /* network secret sealed to the joiner's opening key */
enum focal_pause_reason { FOCAL_PAUSE_NONE = 0, FOCAL_PAUSE_DISK = 1 };         /* any but NONE pauses */
enum focal_bye_reason { FOCAL_BYE_CLOSING = 0, FOCAL_BYE_DUPLICATE = 1, FOCAL_BYE_PAUSED = 2, FOCAL_BYE_NOT_A_MEMBER = 3, FOCAL_BYE_VERSION = 4, FOCAL_BYE_FAULT = 5 };

struct focal_message {
    uint8_t type;
    union {
        struct focal_hello hello; struct focal_subjects subjects; struct focal_span statement; struct focal_frontier frontier;
        struct focal_want want; struct focal_segment segment; uint32_t credit; struct focal_ack ack;
        struct focal_receipt_message receipt; uint64_t ping; uint8_t pause; struct focal_join join; struct focal_admit admit;
        uint8_t bye; struct focal_heads heads;
    } is;                               /* ping serves PONG too; credit: bytes of SEGMENT messages taken since the last */
};
/* The buffer fails, with nothing appended, when the message is over FOCAL_FRAME_MAX. */
void focal_message_encode(struct focal_buf *, const struct focal_message *);
/* MALFORMED: closes the link. UNSUPPORTED: a type from 64 up, skip it. */
FOCAL_MUST_USE enum focal_status focal_message_decode(struct focal_message *, struct focal_span);
void focal_subject_get(struct focal_subject *, const struct focal_subjects *, size_t i);
void focal_subject_put(struct focal_buf *items, const struct focal_subject *);
bool focal_frontier_next(const struct focal_frontier *, size_t *offset, struct focal_frontier_item *);   /* decode has checked them */
void focal_frontier_put(struct focal_buf *items, const struct focal_frontier_item *);
void focal_heads_get(struct focal_frontier_tip *, const struct focal_heads *, size_t i);
void focal_heads_put(struct focal_buf *items, const struct focal_frontier_tip *);
void focal_ack_get(struct focal_ack_item *, const struct focal_ack *, size_t i);
void focal_ack_put(struct focal_buf *items, const struct focal_ack_item *);

#endif
