/* The inside of a verify run: verify.c walks the log, verify_parts.c derives again and compares. */
#ifndef FOCAL_OPLOG_VERIFY_H
#define FOCAL_OPLOG_VERIFY_H

#include "inside.h"

enum {
    VERIFY_ERRORS_KEPT = 100,
    VERIFY_PASS_BYTES = 12 * 1024 * 1024,       /* of entries held at once, in canonical bytes and what surrounds them */
    VERIFY_ENTRY_BYTES = 160
};

enum verify_phase {
    VERIFY_STATEMENTS, VERIFY_RECEIPTS, VERIFY_LOGS, VERIFY_CHAINS, VERIFY_ENTRIES, VERIFY_PARTS, VERIFY_COUNTS, VERIFY_DONE
};

struct verify_log {
    struct focal_log log;
    uint64_t opening;
    bool contributes;
    uint64_t limit;                     /* entries beyond it a cut takes away */
    uint64_t good;                      /* entries up to here are as they should be */
    bool is_branch; struct focal_id parent;
};
struct verify_scope { struct focal_scope scope; struct focal_hash id; uint8_t sum[32]; bool reads; };

struct focal_verify {
    struct focal_oplog *ol;
    struct focal_store *store;          /* a snapshot */
    struct focal_packer *packer;
    struct focal_arena arena;
    struct focal_buf key, value, index, encoded, refs;
    struct focal_part part;

    enum verify_phase phase;
    uint64_t *limits;                   /* of the lines at the moment of the snapshot, by serial */
    size_t limit_count;
    struct verify_log *logs;
    size_t log_count, log_cap;
    struct verify_scope *scopes;
    size_t scope_count;

    size_t at;                          /* log under way */
    uint64_t next;                      /* its next entry */
    struct focal_hash h;                /* of the one before */
    uint64_t entries, total;            /* checked; by the heads */

    struct batch batch;
    uint64_t derived_bytes;             /* that all passes have to hold */
    uint64_t pass, pass_count, pass_entries;
    size_t order_at;
    uint64_t rows[FOCAL_SHELF_LAST + 1], wanted[FOCAL_SHELF_LAST + 1];
    uint64_t pieces;                    /* rows of split parts that are there; wanted[FOCAL_SHELF_PART]: that should be */

    char *errors[VERIFY_ERRORS_KEPT];
    size_t error_count;
};

void focal_verify_note(struct focal_verify *, const char *fmt, ...) FOCAL_PRINTF(2, 3);
/* The segment that starts at v->next, unpacked, with the hash of each entry. NOT_FOUND: none, or damaged. */
enum focal_status focal_verify_segment(struct focal_verify *, const struct verify_log *, struct segment *, struct focal_stretch *, struct focal_hash **hashes);
void focal_verify_next_log(struct focal_verify *);
void focal_verify_note_log(struct focal_verify *, const struct verify_log *, uint64_t seq, const char *what);
/* verify_redacted.c: what should be gone and is still here. */
enum focal_status focal_verify_redacted(struct focal_verify *, const struct verify_log *, const struct focal_stretch *, const struct focal_hash *hashes);
/* verify_parts.c */
enum focal_status focal_verify_entries_slice(struct focal_verify *, size_t *budget);
enum focal_status focal_verify_parts_slice(struct focal_verify *, size_t *budget);
void focal_verify_pass_start(struct focal_verify *);

#endif
