/* The inside of an oplog, shared by the files of this room only.
 *
 *   statements.c   the set of statements          logs.c      logs, scopes, frontier hashes
 *   contributes.c  what the set grants            admit.c     the way in for what others bring
 *   stretches.c    cutting, joining, hashing      write.c     the way in for what we write
 *   branches.c     the lines of forked logs       epoch.c     opening epochs
 *   redactions.c   the set of redactions          hide.c      what follows from it for entries (unhide.c: and no longer)
 *                                                 seeds.c     and for the seeds of their salts
 *   postings.c     which segments speak of what   incidents.c what must not happen, with its proof
 *   cuts.c         how far each line counts       leads.c     the tips that decide it, and where they are held
 *   again.c        deriving again what that changes
 *   renewals.c     until when a membership holds  authority.c  whose word counts, after the authority's key was changed
 *   holes.c        what was erased and should be here   leave.c   erasing a scope that is read no more
 *   rescue.c       honest entries beyond a cut
 *   append.c       rows of segments and logs      staging.c   pieces that wait for their signature
 *   batch.c        parts being derived            apply.c     entries -> parts
 *   pieces.c       the rows of a part             indexes.c   records by kind and by code
 *
 * Rows, integers big-endian:
 *   META      "genesis" -> hash 32                 "epoch" -> id 16, number 8
 *             "hole/", line 16, seq 8 -> "": an entry is missing here that was redacted, and is no more
 *             "again/", line 16 -> first seq 8, last seq 8: what these entries mean has changed, and is to be derived again
 *   STATEMENT hash -> signature, body
 *   LOG       line -> author 32, epoch 16, scope 32, lane 1, head seq 8, head h 32, flags 1, opening number 8;
 *             of a branch also: number 4, parent's line 16, base seq 8, base h 32
 *   SEGMENT   line, first 8 -> before h 32, last 8, last h 32, signature 64, canonical bytes 4, packed
 *   STAGING   line, first 8 -> the same without signature
 *   PART      record reference 32, scope id 32 -> canonical part; of one over its limit the counts, and in pieces.c's rows the rest
 *   CODE      short code 5, record reference 32 -> kind 4         KIND  kind 4, record reference 32 -> ""
 *   CONFLICT  record reference 32, scope id 32 -> ""
 *   RECEIPT   scope id 32, signer 32, epoch 16, number 8 -> signature 64, body
 *   POSTING   record or quoted entry 32, line 16, first seq 8 -> ""
 *   REDACTION target 32, scope id 32, notice 32, kind 1 -> author 32
 *   HIDDEN    line 16, seq 8 -> salt 16, payload    REFUSED  the same key -> record 32, entry 32, kind, field numbers
 *   INCIDENT  number 8 -> kind 1, author 32, epoch 16, scope 32, lane 1, base seq 8, base h 32, twice (seq 8, h 32, signature 64) */
#ifndef FOCAL_OPLOG_INSIDE_H
#define FOCAL_OPLOG_INSIDE_H

#include "focal/oplog.h"
#include "focal/base_plant.h"

#include <string.h>

enum {
    SEGMENT_KEY_BYTES = 16 + 8,
    SEGMENT_HEAD_BYTES = 32 + 8 + 32 + 64 + 4,
    STAGING_HEAD_BYTES = 32 + 8 + 32 + 4,
    PART_KEY_BYTES = FOCAL_REF_BYTES + 32,
    PIECE_KEY_BYTES = PART_KEY_BYTES + 1 + FOCAL_REF_BYTES,
    CODE_KEY_BYTES = 5 + FOCAL_REF_BYTES,
    KIND_KEY_BYTES = 4 + FOCAL_REF_BYTES,
    POSTING_KEY_BYTES = FOCAL_REF_BYTES + SEGMENT_KEY_BYTES,
    FOCAL_REDACTION_KEY_BYTES = FOCAL_REF_BYTES + 32 + FOCAL_REF_BYTES + 1,
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
    UNSIGNED_LOGS_MAX = 64,             /* lines known by staging alone, which any member could invent */
    BRANCHES_MAX = 480,                /* of one log; more wait, because only an author who forges his own log makes them */
    RECEIPTS_PER_SIGNER_MAX = 1024,     /* live ones in a scope */
    RECEIPT_AHEAD_MAX = 256,            /* heads of logs not held here, of one signer in a scope */
    MACHINE_ID_MAX = 64
};

/* Codes of opening.reason. */
enum opening_reason { REASON_FIRST = 2, REASON_RESTORED = 3, REASON_MOVED = 4, REASON_FENCE_MISSING = 5, REASON_FORKED = 6, REASON_RESTARTED = 7, REASON_LEFT = 8 };

/* ---- what is held in memory --------------------------------------------------------------------------------------- */

struct oplog_log;
struct lead {                                   /* a tip that decides how far a cut leaves its log */
    struct focal_id log;
    struct focal_tip tip;
    struct oplog_log *holder;                   /* the line that holds it, as long as its `life` is this; NULL: none did when looked for */
    struct oplog_log *root;                     /* of a listed one: the line that begins what leads to it; NULL: none, or not known which */
    uint32_t life;
    bool looked;                                /* for; what came since is seen as it comes */
};

struct held_statement {
    struct focal_hash hash;
    uint8_t subject[8];
    uint64_t kind;
    bool durable;
    uint8_t *bytes;
    size_t len;
    void *what;                                 /* the one of these that it is; NULL: none */
    struct focal_certificate *certificate;      /* NULL: of another kind; with its last day and openings as renewed */
    struct focal_cut *cut;                      /* likewise, and so on */
    struct focal_renewal *renewal;
    struct focal_delegation *delegation;
    struct focal_policy *policy;
    struct focal_succession *succession;
    struct focal_key signer;                    /* the authority that signed it, or the delegation in it */
    bool delegated; struct focal_hash under;    /* a renewal by a key: the name of its delegation */
    uint32_t signed_to, signed_openings;        /* of a certificate: what stands in it */
    struct lead *leads;                         /* of a cut that counts: its tips */
    size_t lead_count;
    struct held_statement *same_sign;           /* the next certificate of the same signing key */
};

struct held_subject { uint8_t subject[8]; size_t first, count; uint8_t set[16]; };

struct statement_set {
    struct held_statement **list;               /* those that count, by (subject, hash) */
    size_t count, cap;
    struct held_statement **idle;               /* those that an authority of today does not know: kept, and told nobody */
    size_t idle_count, idle_cap;
    const struct held_statement *authority;     /* the succession in force; NULL: the founder's key is the authority's */
    struct held_subject *subjects;
    size_t subject_count, subject_cap;
    struct held_statement **offices;            /* highest certificate of each, by office code */
    size_t office_count, office_cap;
    struct held_statement **cuts;               /* those that count: of each key and reach the highest number */
    size_t cut_count, cut_cap;
    struct focal_map by_sign, by_channel;       /* the highest certificate; by_sign: head of same_sign as well */
    struct focal_hash hash;
};

struct own_stretch;
struct oplog_log {
    struct focal_log pub;                       /* first */
    uint64_t opening;                           /* number in its begin entry, when it is a control log's; 0: none */
    bool incident;
    bool stripped;                              /* something of the log was redacted: no seed near it is kept any more */
    uint64_t stripped_to;                       /* of the trunk: how far on any line, or beyond */
    bool granted;                               /* asked and found to be granted: certificates grant for ever */
    bool limited; uint64_t limit;               /* a cut covers it: its entries count up to here */
    struct lead *names;                         /* what it begins by naming, once a cut leads to it */
    size_t name_count;
    bool names_known, beginning;                /* beginning: it stands in the list of those */
    uint32_t life;                              /* counted on when what it held is erased */
    size_t staged_bytes, staged_entries;        /* in staging */
    uint64_t receipted;                         /* our own receipts list it up to here */
    struct own_stretch *own;                    /* ours, while entries wait for their signature */

    struct oplog_log *parent;                   /* the line that it leaves; NULL: it is the trunk */
    struct oplog_log *next_line;                /* of the same log, by number; the trunk is the first */
    uint32_t number, branch_count;              /* of a branch, from 1; of the trunk: the highest given out */
    bool void_here;                             /* made in a transaction that was rolled back: its base may not be held */
};

struct oplog_scope {
    struct focal_scope scope;
    struct focal_hash id;
    struct oplog_log **logs;                    /* by id */
    size_t log_count, log_cap;
    struct oplog_log *own[FOCAL_LANE_NOTICES + 1];      /* ours of this epoch by lane, once they have their begin entry */
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

enum redaction_target_kind { TARGET_ENTRY = 1, TARGET_RECORD = 2 };
struct redaction_target { uint8_t kind; struct focal_ref ref; struct focal_hash scope; };

/* Stripped entries lie between low and high, on some line of this log: no seed that may reach them is kept on any. */
struct breach { struct oplog_log *line; uint64_t low, high; };

/* What is in force against one entry. */
struct redaction_force {
    bool in_force;
    bool by_owner;                              /* the office whose entry or record it is asked for it */
    bool by_others;                             /* and none of them is this office */
    size_t offices;                             /* different ones, counted up to two */
    struct focal_office office[2];
};

/* Whose a key is ("": not known), and whether any certificate gave it the right to redact. */
struct redactor { struct focal_office office; bool right; };

/* An ordinary entry, or the one that a quote quotes. */
struct entry_name {
    struct focal_ref ref, record;
    struct focal_hash h;
    struct focal_key author;
    struct focal_span header;                   /* ordinary */
    bool makes_part;                            /* it says something of a record */
    bool creates, is_quote;
};

/* The h of each entry of the segment that was read last: who asks for one asks for its neighbours. What is held never changes
 * its h; only a transaction that is taken back makes this forgotten. */
struct kept_hashes { struct focal_id line; uint64_t first; size_t count, cap; struct focal_hash *h; };

enum { RESTORED_KEPT = 64 };
struct restored { uint64_t serial, seq; };

struct focal_oplog {
    struct focal_store *store;
    bool has_keys;
    struct focal_node_keys *keys;          /* NULL: reading only; in guarded memory */
    struct focal_entropy entropy;
    struct focal_trace trace;
    uint64_t seed;
    uint8_t machine_id[MACHINE_ID_MAX], boot_id[MACHINE_ID_MAX];
    size_t machine_id_len, boot_id_len;

    struct focal_hash network;
    struct focal_genesis genesis;
    struct statement_set statements;

    struct oplog_log **logs;
    size_t log_count, log_cap;
    struct oplog_log **beginnings;              /* lines that lead to a listed tip and begin its log */
    size_t beginning_count, beginning_cap;
    uint64_t evicted;                           /* serial of the line whose staging last gave way to another's */
    struct focal_map log_map;                   /* log id -> trunk */
    struct focal_map line_map;                  /* line -> itself */
    struct oplog_scope **scopes;                /* by class and country */
    size_t scope_count, scope_cap;
    struct focal_map scope_map;
    struct focal_hash control_scope;
    uint64_t changes;
    struct kept_hashes kept;
    uint64_t looks;

    bool epoch_set;
    struct focal_id epoch;
    uint64_t epoch_number;
    uint8_t epoch_reason;                       /* why the next one will be opened */
    bool veiled;                                /* a copy was put back: what was redacted since is not known yet */

    struct focal_map redacted;                  /* every target of a redaction held */
    struct redaction_target *targets;           /* to be enforced before the commit */
    size_t target_count, target_cap;
    bool targets_all;                           /* rights changed: every redaction is judged again */
    struct focal_id *begun;                     /* logs that count from now on, or no more: to be judged with, and indexed by, before the commit */
    size_t begun_count, begun_cap;
    struct breach *breaches;                    /* to be mended before the commit */
    size_t breach_count, breach_cap;
    bool again_due;                             /* rows "again/" are on shelf META: parts to be derived again */
    bool unhide_due;                            /* a redaction may count no more: what it hid is to be looked at before the commit */
    bool holes;                                 /* rows "hole/" are on shelf META */
    uint64_t holes_noted;                       /* how often one was written */
    struct restored restored[RESTORED_KEPT];    /* entries that came back, the latest */
    uint64_t restored_count;
    bool scrub_due;                             /* something was redacted, and files of the store may still show it */
    uint32_t day;                               /* here, by whoever runs this node: for the daily measure of erasing alone */

    struct batch batch;
    struct created *created;
    size_t created_count, created_cap;
    struct focal_part part;
    struct receipt_set receipts;

    struct focal_packer *packer;
    struct focal_arena arena;
    struct focal_buf key, value, encoded, scratch, names, refs; /* of one call each; no call leaves anything in them */
};

/* ---- rows ------------------------------------------------------------------------------------------------------------ */

enum { LOG_INCIDENT = 1, LOG_STRIPPED = 2 };
struct log_row {
    struct focal_log_name name;
    struct focal_tip head;
    uint8_t flags;
    uint64_t opening;
    uint32_t number;                            /* of a branch; 0: a trunk */
    struct focal_id parent;
    struct focal_tip base;
};

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

static inline struct focal_span focal_oplog_segment_key(uint8_t out[SEGMENT_KEY_BYTES], const struct focal_id *line, uint64_t first)
{
    memcpy(out, line->b, sizeof line->b);
    focal_put_be64(out + sizeof line->b, first);
    return (struct focal_span){ .data = out, .len = SEGMENT_KEY_BYTES };
}

static inline void focal_oplog_part_key(uint8_t out[PART_KEY_BYTES], const struct focal_ref *record, const struct focal_hash *scope)
{
    focal_ref_put(out, record);
    memcpy(out + FOCAL_REF_BYTES, scope->b, sizeof scope->b);
}

/* append.c */
enum focal_status focal_oplog_segment_decode(struct segment *, struct focal_span key, struct focal_span value, bool staged);
/* The segment of a line that holds seq; its spans look into ol->value. NOT_FOUND: none does. */
enum focal_status focal_oplog_segment_of(struct focal_oplog *, struct focal_store *, const struct focal_id *line, uint64_t seq, bool staged, struct segment *);
/* The one that starts right after seq. */
enum focal_status focal_oplog_segment_at(struct focal_oplog *, const struct focal_id *line, uint64_t first, bool staged, struct segment *);
enum focal_status focal_oplog_append(struct focal_oplog *, struct oplog_log *, const struct segment *);
enum focal_status focal_oplog_log_row(struct focal_oplog *, const struct oplog_log *);
enum focal_status focal_oplog_log_decode(struct log_row *, struct focal_span value);
/* Writes a segment's row anew, in the place of the one that starts where it does. */
enum focal_status focal_oplog_segment_put(struct focal_oplog *, const struct oplog_log *line, const struct segment *);

/* branches.c */
/* Does the line hold entries of its own? Then its head is one of the log's tips. */
static inline bool focal_oplog_has_entries(const struct oplog_log *line)
{
    return line->pub.head.seq > line->pub.base.seq;
}
void focal_oplog_line_id(struct focal_id *out, const struct focal_id *log, uint32_t number);
/* A branch that leaves `parent` at base; number 0: the next. */
enum focal_status focal_oplog_branch_add(struct focal_oplog *, struct oplog_log **, struct oplog_log *parent, const struct focal_tip *base, uint32_t number);
/* One without entries and without staging leaves `parent` at base instead. */
void focal_oplog_branch_move(struct oplog_log *line, struct oplog_log *parent, const struct focal_tip *base);
/* Does a tip that counts, and leads to no other, end the line? */
bool focal_oplog_ends_at_tip(const struct focal_oplog *, const struct oplog_log *line);
void focal_oplog_forked_again(struct oplog_log *trunk);    /* derives `forked` */

/* incidents.c */
/* A branch that is about to get its first entries, up to a signed tip. */
enum focal_status focal_oplog_incident_fork(struct focal_oplog *, struct oplog_log *branch, const struct focal_tip *, const struct focal_signature *);
/* An epoch that was opened because of an old copy, a move or a fork, by whomever. */
enum focal_status focal_oplog_incident_opened(struct focal_oplog *, const struct oplog_log *control);
/* Our own signed word for entries that are not here. */
enum focal_status focal_oplog_incident_rollback(struct focal_oplog *, const struct oplog_log *, const struct focal_tip *, const struct focal_signature *);

/* staging.c */
enum focal_status focal_oplog_stage(struct focal_oplog *, struct oplog_log *, const struct segment *, size_t entries);
enum focal_status focal_oplog_staging_drop(struct focal_oplog *, struct oplog_log *);
enum focal_status focal_oplog_staging_load(struct focal_oplog *, struct focal_error *);

/* stretches.c: all memory is the arena's */
enum focal_status focal_oplog_cut(struct focal_stretch *, struct focal_arena *, const struct focal_stretch *, size_t from, size_t count);
enum focal_status focal_oplog_join(struct focal_stretch *, struct focal_arena *, const struct focal_stretch *, size_t count);
/* The same without the payloads of entries marked gone (each has its commitment; gone may be NULL), and with explicit salts in
 * every run of which one is gone, or that overlaps low..high. Runs keep their places. */
enum focal_status focal_oplog_strip(struct focal_stretch *, struct focal_arena *, const struct focal_stretch *, const bool *gone, uint64_t low, uint64_t high);
/* h of each of count entries from entries[from], into out; the first follows before. */
void focal_oplog_hash(struct focal_hash *out, const struct focal_stretch *, size_t from, size_t count, const struct focal_id *log,
                      const struct focal_hash *before);
/* A segment that is held, from its first seq: unpacked, with the h of each entry. Forgets what the arena held. DAMAGED: it is
 * not there, or does not unpack. */
enum focal_status focal_oplog_segment_load(struct focal_oplog *, const struct oplog_log *, uint64_t first, struct segment *, struct focal_stretch *,
                                           struct focal_hash **hashes);
/* h at seq, of what is held or staged. NOT_FOUND: not held. */
enum focal_status focal_oplog_hash_at(struct focal_oplog *, struct focal_store *, const struct focal_log *, uint64_t seq, struct focal_hash *);

/* statements.c */
void focal_oplog_statements_init(struct focal_oplog *);
void focal_oplog_statements_close(struct focal_oplog *);
enum focal_status focal_oplog_statements_load(struct focal_oplog *, struct focal_error *);
enum focal_status focal_oplog_statements_forget(struct focal_oplog *);     /* those that are not durable */
void focal_oplog_statements_durable(struct focal_oplog *);
/* Those of a kind about an office, or whatever their first item names: they stand side by side. */
struct held_statement *const *focal_oplog_statements_of(const struct focal_oplog *, uint64_t kind, const char *about, size_t *count);
const struct held_statement *focal_oplog_held_by_sign(const struct focal_oplog *, const struct focal_key *);
enum focal_status focal_oplog_room(void **array, size_t *cap, size_t count, size_t size);

/* renewals.c */
/* What the certificates held come to; after the cuts that count are known. */
void focal_oplog_renewals_derive(struct focal_oplog *);

/* contributes.c */
/* Does a certificate let this key write in this scope? */
bool focal_oplog_grants(const struct focal_oplog *, const struct focal_key *, const struct focal_scope *);
bool focal_oplog_opens(const struct focal_oplog *, const struct focal_key *, uint64_t number);
/* Does what stands on this line count, as far as certificates say? How far of it a cut leaves: focal_oplog_counts. */
bool focal_oplog_contributes(const struct focal_oplog *, struct oplog_log *);
/* Is it known whose the log is? Not of one of which nothing but staging is known, and not of one that a cut leaves nothing of:
 * for whom the same entries count must answer alike, and what is beyond a cut may never have come. */
bool focal_oplog_has_author(const struct oplog_log *trunk);
/* The number in the payload of a control log's begin entry; 0: it is no opening of this log's epoch. */
uint64_t focal_oplog_opening(const struct focal_log_name *, struct focal_span payload);
/* Does it say that its office went on from an old or second copy? */
bool focal_oplog_opening_troubled(struct focal_span payload);

/* cuts.c */
/* Which cuts count, from the set of statements. */
enum focal_status focal_oplog_cuts_derive(struct focal_oplog *);
/* [tx] A cut has come: lines of its key count as far as it leaves them, and what changes by that is noted to be derived again. */
enum focal_status focal_oplog_cut_taken(struct focal_oplog *, const struct focal_cut *);
/* After loading: the limits of all lines. */
enum focal_status focal_oplog_limits_load(struct focal_oplog *);
/* [tx] A line has grown by these entries: a tip that a cut lists may be held now. */
enum focal_status focal_oplog_limits_grown(struct focal_oplog *, struct oplog_log *, uint64_t first, size_t count, const struct focal_hash *hashes);
/* The limit of a line, in the lists or not; false: no cut covers it. It reads no entry. */
bool focal_oplog_limit_of(const struct focal_oplog *, const struct oplog_log *line, uint64_t *limit);
static inline bool focal_oplog_counts(const struct oplog_log *line, uint64_t seq)
{
    return !line->limited || seq <= line->limit;
}
/* Does the right of a notice's author reach this notice? */
enum focal_status focal_oplog_right_reaches(struct focal_oplog *, const struct focal_key *author, uint32_t right, const struct focal_ref *notice, bool *reaches);

/* leads.c */
/* Of a cut that counts: makes its list. */
enum focal_status focal_oplog_leads_listed(struct held_statement *);
/* Finds where those are held that were not looked for yet, and what the logs they lead to begin by naming. */
enum focal_status focal_oplog_leads_settle(struct focal_oplog *);
/* A line has grown by these entries. held: a tip in its log is held by it now; begun: what is named by beginnings of its log that
 * count is not what it was. */
struct lead_news { bool held, begun; };
enum focal_status focal_oplog_leads_grown(struct focal_oplog *, struct oplog_log *, uint64_t first, size_t count, const struct focal_hash *hashes,
                                          struct lead_news *);
/* After a rollback: where each is held is not known any more. */
void focal_oplog_leads_forget(struct focal_oplog *);
void focal_oplog_names_forget(struct oplog_log *);
/* NULL: not held. */
const struct oplog_log *focal_oplog_lead_holder(const struct lead *);
/* Those of a list that lead to this log: `found` of them, one after the other. */
struct lead *focal_oplog_leads_to(struct lead *list, size_t count, const struct focal_id *log, size_t *found);
/* [tx] All limits anew: what certificates grant has changed, and not only grown. */
enum focal_status focal_oplog_limits_again(struct focal_oplog *);
/* [tx] What we are writing is signed, before what we may write changes. */
enum focal_status focal_oplog_own_first(struct focal_oplog *);

/* authority.c */
/* Signed by the key that it says, which is one of the network's. */
bool focal_oplog_statement_signed(const struct focal_oplog *, const struct focal_statement *);
/* Puts every statement held where it belongs, into the list or aside. */
enum focal_status focal_oplog_authority_derive(struct focal_oplog *);
enum focal_status focal_oplog_statement_insert(struct focal_oplog *, struct held_statement *);       /* into the list; statements.c */
bool focal_oplog_statement_counts(const struct focal_oplog *, const struct held_statement *);
/* Something that counted once may count no more. */
static inline bool focal_oplog_takes_back(const struct focal_oplog *ol)
{
    return ol->statements.cut_count > 0 || ol->statements.authority;
}
/* Where the authority was changed: do certificates of today let a line count, its scope and its epoch? Else yes. */
bool focal_oplog_epoch_allowed(const struct focal_oplog *);     /* the same of the epoch in which this office writes */
bool focal_oplog_still_granted(const struct focal_oplog *, const struct oplog_log *line);

/* again.c */
/* [tx] What these entries of a line mean has changed. */
enum focal_status focal_oplog_again_note(struct focal_oplog *, const struct oplog_log *line, uint64_t first, uint64_t last);
enum focal_status focal_oplog_again_load(struct focal_oplog *);
/* [tx] Before the commit: as much as a transaction should do. */
enum focal_status focal_oplog_again_slice(struct focal_oplog *);
/* [tx] Throws away what is derived of these parts (keys in order, each once) and derives it again. */
enum focal_status focal_oplog_derive_parts(struct focal_oplog *, struct focal_span keys);
/* The same for keys in any order, which it sorts. */
enum focal_status focal_oplog_derive_touched(struct focal_oplog *, struct focal_buf *keys);

/* logs.c */
enum focal_status focal_oplog_scope_add(struct focal_oplog *, const struct focal_scope *);
void focal_oplog_scopes_close(struct focal_oplog *);
struct oplog_scope *focal_oplog_scope_of(const struct focal_oplog *, const struct focal_hash *id);
struct oplog_log *focal_oplog_log_of(const struct focal_oplog *, const struct focal_id *log);      /* its trunk */
struct oplog_log *focal_oplog_line_of(const struct focal_oplog *, const struct focal_id *line);
enum focal_status focal_oplog_line_keep(struct focal_oplog *, struct oplog_log *);      /* into the lists and maps; freed on failure */
enum focal_status focal_oplog_log_add(struct focal_oplog *, struct oplog_log **, const struct focal_log_name *, const struct focal_scope *);
void focal_oplog_line_empty(struct oplog_log *);        /* what it held is erased */
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
/* Adds what waits for a part. TOO_BIG: it does not fit under the part's limit. */
enum focal_status focal_oplog_batch_merge(const struct batch *, const struct waiting_part *, struct focal_part *);

/* pieces.c */
struct split { bool is; uint64_t entries, names, value_bytes; };       /* how much a part holds; is: more than one row may */
/* Reads a whole part. Of a split one the part is left empty. */
enum focal_status focal_oplog_part_load(struct focal_oplog *, struct focal_store *, const uint8_t key[PART_KEY_BYTES], struct focal_part *, struct split *);
/* Writes the part in the place of what was loaded; to one that was loaded split, adds it. Where split->is is false afterwards, part
 * is all there is. */
enum focal_status focal_oplog_part_put(struct focal_oplog *, const uint8_t key[PART_KEY_BYTES], struct focal_part *, struct split *);
enum focal_status focal_oplog_part_forget(struct focal_oplog *, const uint8_t key[PART_KEY_BYTES]);
/* Of a split part: what says what the record is; and as much of every log as can be shown. */
enum focal_status focal_oplog_split_creation(struct focal_oplog *, struct focal_store *, const uint8_t key[PART_KEY_BYTES], struct focal_part *);
enum focal_status focal_oplog_split_show(struct focal_oplog *, struct focal_store *, const uint8_t key[PART_KEY_BYTES], struct focal_part *);
void focal_oplog_split_of(struct split *, const struct focal_part *whole);
void focal_oplog_split_encode(struct focal_buf *, const struct split *);
typedef enum focal_status piece_row(void *data, const uint8_t key[PIECE_KEY_BYTES], struct focal_span value);
/* Every row that a split part has beside its own, in order of references. */
enum focal_status focal_oplog_each_piece_row(const uint8_t key[PART_KEY_BYTES], const struct focal_part *whole, struct focal_buf *scratch, piece_row *, void *data);

/* indexes.c */
/* What the rows say of a record, as far as its part alone tells: `sure` where it does. */
struct indexed { bool sure, is; uint32_t kind; };
/* Of the part in ol->part, or split. */
enum focal_status focal_oplog_index_was(struct focal_oplog *, const uint8_t key[PART_KEY_BYTES], const struct split *, struct indexed *was);
/* Makes the rows of kind and code say what the part says; those of the code with the next index_flush. */
enum focal_status focal_oplog_index(struct focal_oplog *, const uint8_t key[PART_KEY_BYTES], const struct split *, const struct indexed *was);
enum focal_status focal_oplog_index_forget(struct focal_oplog *, const uint8_t key[PART_KEY_BYTES]);
/* [tx] Of logs that have their first entries since: what of theirs came in quotes before may mean more now. */
enum focal_status focal_oplog_index_begun(struct focal_oplog *);
enum focal_status focal_oplog_index_flush(struct focal_oplog *);

/* apply.c */
/* [tx] Takes a part and its rows in the indexes away. */
enum focal_status focal_oplog_forget_part(struct focal_oplog *, const uint8_t key[PART_KEY_BYTES]);
/* One entry of a log that contributes. False: it makes no part. */
bool focal_oplog_contribution(const struct focal_oplog *, uint8_t key[PART_KEY_BYTES], struct focal_contribution *, const struct focal_log *,
                              const struct focal_stretch_entry *, uint64_t seq, const struct focal_hash *h);
enum focal_status focal_oplog_apply(struct focal_oplog *, struct oplog_log *, const struct focal_stretch *, size_t from, const struct focal_hash *hashes);
enum focal_status focal_oplog_apply_one(struct focal_oplog *, struct oplog_log *, const struct focal_stretch_entry *, uint64_t seq, const struct focal_hash *h);
enum focal_status focal_oplog_flush(struct focal_oplog *);
uint32_t focal_oplog_kind32(uint64_t kind);

/* [tx] Throws away what is derived of one record in one scope, and derives it again from the segments that speak of it. */
enum focal_status focal_oplog_derive_part(struct focal_oplog *, const struct focal_ref *record, const struct focal_hash *scope);

/* redactions.c */
enum focal_status focal_oplog_redactions_load(struct focal_oplog *);
/* [tx] An entry of a notices log: its targets stand in the set, and are enforced before the commit. */
enum focal_status focal_oplog_notice(struct focal_oplog *, const struct focal_log *, const struct focal_stretch_entry *, uint64_t seq, const struct focal_hash *h);
/* False: no reference. */
bool focal_oplog_redaction_key(uint8_t key[FOCAL_REDACTION_KEY_BYTES], const struct focal_log *, const struct focal_ref *notice, uint8_t kind, struct focal_span target);
typedef enum focal_status notice_target(void *data, uint8_t kind, struct focal_span value);
enum focal_status focal_oplog_notice_targets(const struct focal_log *, const struct focal_stretch_entry *, notice_target *, void *data);
/* [tx] It counts no more: its targets leave the set, unless others name them too. */
enum focal_status focal_oplog_notice_void(struct focal_oplog *, const struct focal_log *, const struct focal_stretch_entry *, uint64_t seq, const struct focal_hash *h);
bool focal_oplog_maybe_redacted(const struct focal_oplog *, const struct focal_ref *);
enum focal_status focal_oplog_target_add(struct focal_oplog *, uint8_t kind, const struct focal_ref *, const struct focal_hash *scope);
bool focal_oplog_redactable(const struct focal_log *);
/* A log has its first entries: that records which it creates are its office's is known from now on, so what this office redacted
 * is judged again before the commit, whatever it names and in whichever scope. Or a cut has left nothing of it, or lets it count
 * again, or its scope was left. */
enum focal_status focal_oplog_log_begun(struct focal_oplog *, const struct focal_log *);
/* Makes targets of all that is to be judged again, in one walk over all redactions, however many logs have begun. */
enum focal_status focal_oplog_judge_again(struct focal_oplog *);
/* What the certificates say of a key, as far as redactions ask: while it stays, a new certificate changes none of them. */
struct redactor focal_oplog_redactor(const struct focal_oplog *, const struct focal_key *);
/* Of an entry as it comes out of a stretch, or was encoded here: unpacking gives nothing but canonical ones. */
void focal_oplog_entry_name(const struct focal_oplog *, struct entry_name *, const struct focal_log *, struct focal_span header, uint64_t seq, const struct focal_hash *h);
enum focal_status focal_oplog_force(struct focal_oplog *, const struct entry_name *, const struct focal_log *in, struct redaction_force *);
/* Could a redaction of this entry have been one that a cut has made void? It need not be known here: what is beyond a cut is not
 * handed on. */
bool focal_oplog_maybe_void(const struct focal_oplog *, const struct entry_name *, const struct focal_log *in);
enum focal_status focal_oplog_may_erase(struct focal_oplog *, const struct redaction_force *, const struct focal_ref *record, bool *may);

/* seeds.c */
/* How far from an entry another may lie whose salt comes from the same seed. */
enum { SEED_REACH = FOCAL_RUN_SEQS_MAX - 1 };
struct near { uint64_t low, high; };            /* sequences; none: low is above high */
/* What lies between low and high is stripped, or was where it was quoted, or is named by a redaction. */
enum focal_status focal_oplog_breach(struct focal_oplog *, struct oplog_log *line, uint64_t low, uint64_t high);
/* The same of a target that may be named before it comes. */
enum focal_status focal_oplog_breach_ahead(struct focal_oplog *, const struct redaction_target *);
/* Between which sequences no run of this stretch may keep its seed. Entries marked gone are about to be stripped. */
enum focal_status focal_oplog_seeds_to_break(struct focal_oplog *, struct oplog_log *, const struct focal_stretch *, const struct focal_hash *hashes,
                                             const bool *gone, struct near *);
bool focal_oplog_has_seed_in(const struct focal_stretch *, const struct near *);
/* [tx] Before the commit: spells out every seed that reaches a breach, in all that is held. */
enum focal_status focal_oplog_breaches_mend(struct focal_oplog *);

/* hide.c */
/* Packs a segment that is held anew, in its place. */
enum focal_status focal_oplog_segment_again(struct focal_oplog *, const struct oplog_log *, struct segment *, const struct focal_stretch *);
/* Strips what is redacted out of a stretch that comes in on a line; its hashes stay. changed: it must be packed anew. */
enum focal_status focal_oplog_screen(struct focal_oplog *, struct oplog_log *, struct focal_stretch *, const struct focal_hash *hashes, bool *changed);
/* [tx] Before the commit, with no stretch under way: what the redactions of this transaction mean for what is held. */
enum focal_status focal_oplog_enforce(struct focal_oplog *);

/* unhide.c */
/* [tx] What is hidden and redacted no more is put back. */
enum focal_status focal_oplog_unhide(struct focal_oplog *);
/* Gives a stripped entry its payload and salt; in the arena, but for the payload. */
enum focal_status focal_oplog_fill(struct focal_oplog *, struct focal_stretch *, size_t place, const uint8_t salt[FOCAL_SALT_BYTES], struct focal_span payload);

/* holes.c */
enum focal_status focal_oplog_holes_load(struct focal_oplog *);
/* [tx] An entry that is held without its payload, though nothing in force says so. */
enum focal_status focal_oplog_hole_note(struct focal_oplog *, const struct oplog_log *line, uint64_t seq);
/* An entry that was missing or hidden is here with its payload. */
void focal_oplog_restored_note(struct focal_oplog *, const struct oplog_log *line, uint64_t seq);
/* [tx] Such entries among all that speak of a target. */
enum focal_status focal_oplog_holes_about(struct focal_oplog *, const struct focal_ref *target, const struct focal_hash *scope);
/* [tx] Those of a line that a stretch which agrees with it brings back. It forgets what the arena held. */
enum focal_status focal_oplog_holes_fill(struct focal_oplog *, struct oplog_log *line, const struct focal_stretch *);

/* postings.c */
enum focal_status focal_oplog_post(struct focal_oplog *, const struct focal_log *, const struct focal_stretch *, const struct focal_hash *hashes);
/* The references under which a stretch is posted, sorted, each once. */
enum focal_status focal_oplog_spoken_of(const struct focal_oplog *, struct focal_buf *refs, const struct focal_log *, const struct focal_stretch *, const struct focal_hash *hashes);
/* Sorts them, each once. */
void focal_oplog_segment_keys_once(struct focal_buf *keys);
/* Adds the keys of the segments of a scope that are posted under a record or entry: not those that hold the entry itself. */
enum focal_status focal_oplog_postings_of(struct focal_oplog *, const struct focal_ref *, const struct focal_hash *scope, struct focal_buf *keys);
/* Keys of the segments of a scope that speak of a record or entry, each once, in order. */
enum focal_status focal_oplog_segments_about(struct focal_oplog *, const struct focal_ref *, const struct focal_hash *scope, struct focal_buf *keys);

/* write.c */
void focal_oplog_own_free(struct oplog_log *);
void focal_oplog_own_forget(struct focal_oplog *);
enum focal_status focal_oplog_own_close(struct focal_oplog *, struct oplog_log *, bool all);
/* Our log of this scope and lane in this epoch, with its begin entry. */
enum focal_status focal_oplog_own_log(struct focal_oplog *, struct oplog_log **, struct oplog_scope *, uint8_t lane, struct focal_span begin);

/* An entry to be quoted, as it stands in its own log. */
struct focal_quote { struct focal_key author; struct focal_id epoch; struct focal_hash before; struct focal_span header, payload; uint8_t salt[FOCAL_SALT_BYTES]; };
/* [tx] Quotes it in our log of the scope that it is of. DENIED: we may not write there. */
enum focal_status focal_oplog_quote(struct focal_oplog *, const struct focal_scope *, const struct focal_quote *, struct focal_error *);

/* epoch.c */
/* Opens the epoch if there is none. DENIED: we may not write in control. */
enum focal_status focal_oplog_epoch_ensure(struct focal_oplog *, struct focal_error *);
enum focal_status focal_oplog_epoch_load(struct focal_oplog *);
/* [tx] Entries that this office has signed, up to tip, come in from outside: if they are of the present epoch, it ends. */
enum focal_status focal_oplog_epoch_betrayed(struct focal_oplog *, const struct oplog_log *line, const struct focal_tip *tip, const struct focal_signature *);
/* [tx] What it wrote under the present epoch is erased here: if the scope is given back, nothing may be written in its place. */
enum focal_status focal_oplog_epoch_left(struct focal_oplog *);
/* At opening; own transaction. */
enum focal_status focal_oplog_heed_fence(struct focal_oplog *);

/* receipts.c */
void focal_oplog_receipts_init(struct focal_oplog *);
void focal_oplog_receipts_close(struct focal_oplog *);
enum focal_status focal_oplog_receipts_load(struct focal_oplog *);

#endif
