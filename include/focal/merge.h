/* merge: what a set of entries means, as pure functions.
 *
 * The state of one record in one scope is a *part*. It is a join-semilattice: adding the same entries in any order, any
 * grouping, any repetition gives the same part, byte for byte:
 *     add(add(p, a), b) = add(add(p, b), a)      add(add(p, a), a) = add(p, a)      join(p, q) = join(q, p)  …
 *     live values = values of the entries added that no entry added replaces
 * Nothing waits for what it replaces: a replaced value that arrives later is dead on arrival, so the replaced set is kept.
 * Source: observed-remove sets and multi-value registers (Shapiro et al., 2011), names by reference (PROTOCOL §4, §5).
 * Not here: which entries contribute (oplog), storage.
 * Memory: a part owns a copy of everything added. Threads: pure. */
#ifndef FOCAL_MERGE_H
#define FOCAL_MERGE_H

#include "focal/model.h"

/* One contributing entry about this record in this scope. */
struct focal_contribution {
    struct focal_ref ref;               /* of the entry; ref.h8 = first 8 bytes of h */
    struct focal_hash h;
    struct focal_span header;           /* ordinary */
    bool has_payload;                   /* false: stripped; what it replaces still counts */
    struct focal_span payload;
};

struct focal_live {                     /* a live value; spans look into the part */
    struct focal_ref ref;
    struct focal_hash h;
    uint16_t ordinal;
    uint64_t field;
    struct focal_span value;
    bool has_day; uint32_t day;         /* of its entry */
};

struct focal_part_entry;
struct focal_part {
    struct focal_part_entry *entries; size_t entry_count, entry_cap;      /* creating entries, those that name the home, those with live values */
    struct focal_replaced *replaced; size_t replaced_count, replaced_cap; /* sorted */
    struct focal_buf bytes;             /* what the spans of the entries look into; may hold dead stretches */
    size_t value_bytes;                 /* of these, the live ones */
    size_t limit;                       /* FOCAL_PART_BYTES_MAX, unless it was lifted */
    bool more;                          /* said by who filled it: it is not all that the record holds in this scope */
};
#define FOCAL_PART_BYTES_MAX (2u << 20)                 /* of the canonical bytes, estimated from above */

void focal_part_init(struct focal_part *);
void focal_part_close(struct focal_part *);
void focal_part_clear(struct focal_part *);             /* empty, memory kept */
/* Takes whatever comes: for who bounds by himself what he adds, or has nothing less than all to hold. */
void focal_part_lift_limit(struct focal_part *);
/* Most bytes that its canonical form has: follows from what it says, not from how it came about. */
size_t focal_part_bytes_most(const struct focal_part *);
/* The same from counts alone; value_bytes as in the part. */
size_t focal_part_bytes_of(size_t entries, size_t replaced, size_t value_bytes);
/* MALFORMED: the entry's syntax (never so after admission). TOO_BIG: over its limit. On failure unchanged. */
FOCAL_MUST_USE enum focal_status focal_part_add(struct focal_part *, const struct focal_contribution *);
FOCAL_MUST_USE enum focal_status focal_part_join(struct focal_part *into, const struct focal_part *);
/* Canonical bytes: equal parts have equal bytes on every node. decode is of our own store: DAMAGED if malformed. */
void focal_part_encode(struct focal_buf *, const struct focal_part *);
FOCAL_MUST_USE enum focal_status focal_part_decode(struct focal_part *, struct focal_span);
bool focal_part_empty(const struct focal_part *);
/* A replacement touches only entries under the one reference that it names. So a part falls into pieces, one for each reference
 * that an entry or a replaced name bears, and joining two parts is joining their pieces. The pieces come in order of references,
 * each as a part; NOT_FOUND: no more. */
struct focal_part_walk { const struct focal_part *part; size_t entry, replaced; };
FOCAL_MUST_USE enum focal_status focal_part_next_piece(struct focal_part_walk *, struct focal_ref *, struct focal_part *piece);

/* Who wrote a log, and which logs are of one office. merge knows neither keys nor certificates, so the caller says.
 *   of_log       NULL key if not known; for tie-breaks and for showing the office
 *   same_office  did the office that wrote creating_log write log as well? It may answer otherwise later, when more is known */
struct focal_authors {
    const struct focal_key *(*of_log)(void *data, const struct focal_id *log);
    bool (*same_office)(void *data, const struct focal_id *log, const struct focal_id *creating_log);
    void *data;
};

/* The creating entry: of two under one reference the smaller h. Kind and home are what it says; where it is stripped, what the
 * least entry by (log, seq, h) says that names the home again, is unstripped and is of the creating office (PROTOCOL §6).
 * False while the creating entry is not here, or stripped and nobody of its office has said the home again. Without authors, or
 * without same_office, only the creating entry itself counts. */
struct focal_creation {
    struct focal_ref ref;
    struct focal_hash h;
    uint64_t kind;
    bool home_set; struct focal_hash home;      /* zero: none */
    bool said_again;                            /* not by the creating entry: what authors answered made it so */
};
bool focal_part_creation(const struct focal_part *, const struct focal_authors *, struct focal_creation *);
/* Is the creating entry here, and stripped? Then what the record is depends on who is known to have written what. */
bool focal_part_creation_stripped(const struct focal_part *);

/* Live values in order of (field, map key, log, seq, h, ordinal). */
size_t focal_part_live_count(const struct focal_part *);
/* Fills up to `room` and gives the number there are. */
size_t focal_part_live(const struct focal_part *, struct focal_live *out, size_t room);

/* ---- a record as people see it ------------------------------------------------------------------------------------------- */

/* One register (a field, or one key of a map field) with its live values; or one field of class set or events with its
 * rows. values[0] is the one shown first: by rank table, then known before unknown, then code order, then author key,
 * then h (a display rule reads only fields of the same scope class). Rows stand in the order of (log, seq, h, ordinal). */
struct focal_slot {
    const struct focal_field *field;    /* NULL: needs a newer program */
    uint64_t number;
    struct focal_span key;              /* map key, else empty */
    const struct focal_live *values; size_t value_count;
    size_t distinct;                    /* different values; > 1 in a register: two versions */
    bool two_versions;
    bool rows_concurrent;               /* set: rows added by entries that did not know each other: flagged (same field, different authors' logs, none replaced) */
};
struct focal_record {
    struct focal_ref ref;
    uint64_t kind_number; const struct focal_kind *kind;        /* kind NULL: needs a newer program */
    struct focal_hash home; bool home_set;
    bool complete;                      /* creation here, and the home part too if the record has a home scope we read */
    bool more;                          /* its parts are not all that is held of it: too many values at once */
    bool needs_newer;                   /* holds a kind, field or code this program does not know */
    size_t two_versions;                /* slots with two versions */
    struct focal_slot *slots; size_t slot_count;                /* schema order, unknown fields last */
    struct focal_live *lives; size_t live_count;                /* backing */
    uint8_t version[8];                 /* changes whenever any part changes: for --if-version */
};
/* widest: the part that holds (or waits for) the creation; home: part of the home scope, maybe empty, or NULL: none is here. The parts must outlive
 * the record. reads_home: does this node read the home scope at all? authors may be NULL. */
FOCAL_MUST_USE enum focal_status focal_record_open(struct focal_record *, const struct focal_ref *, const struct focal_part *widest,
    const struct focal_part *home, bool reads_home, const struct focal_authors *);
void focal_record_close(struct focal_record *);
const struct focal_slot *focal_record_slot(const struct focal_record *, uint64_t field, struct focal_span key);  /* NULL: absent */
/* Must a person look at this part: does any register have two versions, or is it withdrawn and not, or not surely, as its
 * withdrawal saw it? (kept as an index by the oplog; the record tells which) */
bool focal_part_two_versions(const struct focal_part *);

/* ---- withdrawn records ----------------------------------------------------------------------------------------------------- */

/* A case is withdrawn while any live value of `withdrawn` is another than "restored". So of a withdrawal and a restoration that
 * did not know of each other the withdrawal counts, until a person ends the two versions.
 * A withdrawal writes digests of what it saw, the parts each for itself: `withdrawn_saw` and `withdrawn_saw_country`; who does
 * not see the country part writes `withdrawn_saw_network` alone. They are rows of sets: each part need be only what one of
 * several withdrawals saw. Whatever was written without knowing of the withdrawal makes another sum, and is seen. */
enum focal_withdrawal {
    FOCAL_WITHDRAWAL_NONE,
    FOCAL_WITHDRAWAL_AS_SEEN,           /* as far as this node can tell */
    FOCAL_WITHDRAWAL_CHANGED,           /* something was written that no withdrawal saw */
    FOCAL_WITHDRAWAL_UNSEEN             /* by an office that does not see the country part, which is here and not empty */
};
enum focal_withdrawal focal_record_withdrawal(const struct focal_record *);
const struct focal_live *focal_record_withdrawn_by(const struct focal_record *);     /* the first value that says so; NULL: not withdrawn */
/* What a withdrawal made now would have seen; country: of the country part. */
#define FOCAL_SAW_BYTES 8
void focal_record_saw(const struct focal_record *, bool country, uint8_t out[FOCAL_SAW_BYTES]);

#endif
