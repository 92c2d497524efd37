/* oplog: the append-only history of every log, and what is derived from it.
 *
 * Here: the set of statements and what it grants; logs and their heads; the one way an entry gets in (admit); writing our
 * own entries; reading ranges to send; staging of unfinished segments; frontier hashes; the derived parts; receipts;
 * rebuild and verify.
 * Not here: peers, links, when to ask whom (sync); SQL (store).
 * Rule: admission says *never* (FOCAL_NEVER) only for form, chain and signature, which every node answers alike; what
 * is missing here is FOCAL_NOT_YET. What an entry means is derived from the set held, and may be derived again.
 * Transactions: calls marked [tx] need a transaction that the caller has begun on the store; commit and rollback are the
 * caller's, and it tells the oplog with focal_oplog_committed or focal_oplog_rolled_back.
 * Threads: one thread. Memory: an oplog keeps logs' heads and statements, never entries. */
#ifndef FOCAL_OPLOG_H
#define FOCAL_OPLOG_H

#include "focal/crypto.h"
#include "focal/merge.h"
#include "focal/store.h"
#include "focal/wire.h"

struct focal_oplog;

/* The genesis must be the first statement of a new store: focal_oplog_found puts it there. */
FOCAL_MUST_USE enum focal_status focal_oplog_found(struct focal_store *, struct focal_span genesis_statement);   /* own transaction */
/* NOT_FOUND: no genesis. DAMAGED: err names what does not fit. keys may be NULL (reading only). Takes copies. */
FOCAL_MUST_USE enum focal_status focal_oplog_open(struct focal_oplog **, struct focal_store *, const struct focal_node_keys *keys,
    const struct focal_entropy *, const struct focal_trace *, struct focal_error *);
void focal_oplog_close(struct focal_oplog *);
/* What goes into the name of an epoch beside chance; may be empty, is cut at 64 bytes. To be set before the first write. */
void focal_oplog_set_machine(struct focal_oplog *, struct focal_span machine_id, struct focal_span boot_id);
const struct focal_hash *focal_oplog_network(const struct focal_oplog *);
const struct focal_genesis *focal_oplog_genesis(const struct focal_oplog *);
/* Whose signature counts today: the founder's key, or that of the succession in force. number: of that; 0, the founder's. */
const struct focal_key *focal_oplog_authority(const struct focal_oplog *, uint64_t *number);
/* Would it be taken in now? NEVER: form or signature. NOT_YET: the authority of today does not know it. EXISTS: held. */
FOCAL_MUST_USE enum focal_status focal_oplog_weigh(const struct focal_oplog *, struct focal_span statement);
/* Statements kept that do not count, because the authority of today does not name them; false at the end. */
bool focal_oplog_idle_statement(const struct focal_oplog *, size_t i, struct focal_span *);
/* Do statements about this go first? Whether others count depends on them. */
bool focal_oplog_subject_leads(const struct focal_oplog *, const uint8_t subject[8]);

/* ---- statements ---------------------------------------------------------------------------------------------------------------- */

/* [tx] EXISTS: held already. NEVER: form or signature. Derived rights are new after it. */
FOCAL_MUST_USE enum focal_status focal_oplog_add_statement(struct focal_oplog *, struct focal_span statement);
/* One 8-byte subject per kind of statement and what its first item names: of certificates and cuts the office code, and the genesis has
 * one of its own. set = 16 bytes over the hashes of all its statements. Walks in order. */
bool focal_oplog_subject(const struct focal_oplog *, size_t i, struct focal_subject *out);
/* Statements of a subject, one by one; false at the end. */
bool focal_oplog_subject_statement(const struct focal_oplog *, const uint8_t subject[8], size_t i, struct focal_span *statement);
void focal_oplog_statements_hash(const struct focal_oplog *, struct focal_hash *out);
/* What a certificate says, but with the last day and the openings that renewals have made of it (src/oplog/renewals.c).
 * Highest-numbered certificate (equal numbers: smaller hash) by office, by sign key, by channel key; NULL if none. */
const struct focal_certificate *focal_oplog_certificate(const struct focal_oplog *, const struct focal_office *);
const struct focal_certificate *focal_oplog_certificate_by_sign(const struct focal_oplog *, const struct focal_key *);
const struct focal_certificate *focal_oplog_certificate_by_channel(const struct focal_oplog *, const struct focal_key *);
void focal_oplog_certificate_hash(const struct focal_oplog *, const struct focal_certificate *, struct focal_hash *out);
/* Which has this opening key of 32 bytes, or had it in an earlier certificate. NULL: none that is known here. */
const struct focal_certificate *focal_oplog_certificate_by_opening(const struct focal_oplog *, const uint8_t key[32]);
/* Every office with a certificate, sorted by code. */
const struct focal_certificate *focal_oplog_office_at(const struct focal_oplog *, size_t i);
const struct focal_certificate *focal_oplog_mine(const struct focal_oplog *);           /* NULL before admission */

/* The highest number of a renewal of this office; 0: none. */
uint64_t focal_oplog_renewal_number(const struct focal_oplog *, const struct focal_office *);
/* The delegation of this office that counts, and the statement itself; false: none was ever given. */
bool focal_oplog_delegation(const struct focal_oplog *, const struct focal_office *, struct focal_delegation *, struct focal_span *statement);

/* What the authority wants by this name; of equal numbers all bits together. False: it said nothing. */
bool focal_oplog_policy(const struct focal_oplog *, const char *name, struct focal_policy *);
/* The latest day, since 1970, that the authority wrote anywhere or that a member in good standing, not this office, put into a
 * receipt held here. */
uint32_t focal_oplog_others_day(const struct focal_oplog *);

/* ---- cuts (PROTOCOL §3) ---------------------------------------------------------------------------------------------------------- */

/* Those that count, in no order; NULL at the end. */
const struct focal_cut *focal_oplog_cut_at(const struct focal_oplog *, size_t i);
/* Does any cut held list this very tip? Then what leads to it needs no signature. */
bool focal_oplog_is_vouched(const struct focal_oplog *, const struct focal_id *log, const struct focal_tip *);
/* And the statement that does, as long as it is held. */
bool focal_oplog_vouches(const struct focal_oplog *, const struct focal_id *log, const struct focal_tip *, struct focal_span *statement);
/* The statement itself, where it is of this key, else empty. False: at the end. */
bool focal_oplog_cut_statement(const struct focal_oplog *, size_t i, const struct focal_key *, struct focal_span *statement);
/* The one that takes everything from a key; NULL: none. */
const struct focal_cut *focal_oplog_cut_of(const struct focal_oplog *, const struct focal_key *);
/* Is any in force that takes this scope from a key? Then it writes nothing more there, and reads nothing. */
bool focal_oplog_cut_off(const struct focal_oplog *, const struct focal_key *, const struct focal_scope *);
/* Does the certificate list the scope, and no cut take it? A country goes with network: whose a record is stands there, and who
 * cannot tell which redactions count would keep what others have erased. */
bool focal_oplog_may_read(const struct focal_oplog *, const struct focal_certificate *, const struct focal_scope *);
/* This office: a certificate lists the scope for writing, and no cut takes it; redacting what is not its own, likewise. */
bool focal_oplog_may_write(const struct focal_oplog *, const struct focal_scope *);
bool focal_oplog_may_redact(const struct focal_oplog *, const struct focal_certificate *);
/* Up to which sequence anything of a log, held or not, may count. UINT64_MAX: no cut covers it. */
uint64_t focal_oplog_limit(struct focal_oplog *, const struct focal_id *, const struct focal_log_name *);
/* What is held beyond cuts, a segment's worth at a time from a zero walk. NOT_FOUND: at the end. */
struct focal_beyond {
    struct focal_ref entry, record;
    struct focal_scope scope;
    struct focal_office office;         /* whose key signed it; "": not known */
    bool creates;
    bool whole;                         /* else it is redacted, or its content is not here */
    bool brought_in;                    /* a quote of it counts */
    struct focal_span payload;          /* where it is whole; during the call */
};
struct focal_beyond_walk { size_t line; uint64_t next; };
FOCAL_MUST_USE enum focal_status focal_oplog_next_beyond(struct focal_oplog *, struct focal_beyond_walk *, void (*each)(void *, const struct focal_beyond *), void *);
/* [tx] Brings in what is held of a record in a scope beyond cuts, as quotes in a log of this office; adds to the counts. MORE: that
 * was a slice, the next call goes on. DENIED: this office does not write there. */
struct focal_rescue {
    struct focal_ref record;
    const struct focal_ref *only; size_t only_count;    /* these entries of it; none: all */
    size_t brought_in, gone;            /* gone: redacted, or without their content here */
    bool begun; uint8_t after[24];      /* zero at first: how far a slice has come */
};
FOCAL_MUST_USE enum focal_status focal_oplog_rescue(struct focal_oplog *, struct focal_rescue *, const struct focal_scope *, struct focal_error *);
/* Parts are still to be derived again after a cut: focal_oplog_seal does a slice in each transaction. */
bool focal_oplog_again_due(const struct focal_oplog *);

/* ---- logs ------------------------------------------------------------------------------------------------------------------------ */

/* A log is one line of entries, until its author's disk is put back or copied and written on: then it is a tree (a fork).
 * Each struct focal_log is one line of that tree: the trunk, or a branch that leaves another line at `base`. Which line is
 * the trunk depends on what came first; what they hold together does not. Nothing of a fork is refused or renamed. */
struct focal_log {                      /* read only for others */
    struct focal_id id;                 /* of the log; all its lines bear it */
    struct focal_id line;               /* where the line is stored; the trunk's is the log's id. Never leaves the node */
    struct focal_log_name name;
    struct focal_scope scope;
    struct focal_tip base;              /* of a branch: the last entry it shares; of a trunk: sequence 0 */
    struct focal_tip head;              /* durable or in this transaction; always at a signature; base: nothing yet */
    struct focal_tip staged;            /* >= head: end of the pieces waiting for their signature */
    bool clipped;                       /* a cut leaves less of it than is held: */
    struct focal_tip clip;              /* the last entry that counts; base: none of its own */
    bool mine;
    bool forked;                        /* of the trunk: the log has branches with entries */
    uint64_t serial;                    /* small number by order of first sight, for per-session arrays */
    uint64_t moves;                     /* of the trunk: counts up whenever the head of any line of the log moves, or went back */
};
/* The last entry that counts: what is beyond it is not announced, asked for or sent. */
static inline const struct focal_tip *focal_log_tip(const struct focal_log *log)
{
    return log->clipped ? &log->clip : &log->head;
}
size_t focal_oplog_log_count(const struct focal_oplog *);                               /* lines of all logs */
const struct focal_log *focal_oplog_log_at(const struct focal_oplog *, size_t i);       /* i = serial */
const struct focal_log *focal_oplog_log(const struct focal_oplog *, const struct focal_id *);   /* its trunk */
/* The lines of a log that hold entries of their own, one after the other; NULL first and at the end. */
const struct focal_log *focal_oplog_next_line(const struct focal_oplog *, const struct focal_id *log, const struct focal_log *after);
/* Those of them that end at a tip which counts and leads to no other. */
const struct focal_log *focal_oplog_next_tip(const struct focal_oplog *, const struct focal_id *log, const struct focal_log *after);
/* The line that a branch leaves; NULL: it is a trunk. */
const struct focal_log *focal_oplog_parent(const struct focal_oplog *, const struct focal_log *);
/* h at a sequence on the way from the log's beginning to the line's head. NOT_FOUND: beyond the head. */
FOCAL_MUST_USE enum focal_status focal_oplog_hash_on(struct focal_oplog *, const struct focal_log *line, uint64_t seq, struct focal_hash *out);
/* Segments read so far to say an h. Only this costs: what is a head, or stands in the segment read last, does not count. */
uint64_t focal_oplog_looks(const struct focal_oplog *);
/* A line on which the entry at seq is one that fits. NOT_FOUND. */
FOCAL_MUST_USE enum focal_status focal_oplog_line_with(struct focal_oplog *, const struct focal_id *log, uint64_t seq,
    bool (*fits)(const void *data, const struct focal_hash *h), const void *data, const struct focal_log **line);
/* Is any entry held without its payload though no redaction in force names it? Also one beyond a cut. */
bool focal_oplog_has_holes(const struct focal_oplog *);
/* Those of them that count: one of each line, the least; after NULL: the first. NOT_FOUND. */
FOCAL_MUST_USE enum focal_status focal_oplog_next_hole(struct focal_oplog *, const struct focal_log *after, const struct focal_log **log, uint64_t *seq);
/* The next of one line behind a sequence. NOT_FOUND. */
FOCAL_MUST_USE enum focal_status focal_oplog_hole_behind(struct focal_oplog *, const struct focal_log *line, uint64_t after, uint64_t *seq);
/* How many there are. */
FOCAL_MUST_USE enum focal_status focal_oplog_holes_count(struct focal_oplog *, uint64_t *count);
/* Up to where a line is held with all that it says: the last entry that counts, or the one before its first hole. That far this
 * office signs for it, and acknowledges it. Where it cannot be read: its base. */
uint64_t focal_oplog_whole(struct focal_oplog *, const struct focal_log *line);
/* Is anything of this record missing in this scope? */
FOCAL_MUST_USE enum focal_status focal_oplog_missing_about(struct focal_oplog *, const struct focal_ref *record, const struct focal_hash *scope, bool *any);
uint64_t focal_oplog_holes_noted(const struct focal_oplog *);          /* counts up with each that is found */
/* Entries that were missing or hidden and are here again, numbered from 0 since the start. false: forgotten, or none so far. */
uint64_t focal_oplog_restored_count(const struct focal_oplog *);
bool focal_oplog_restored(const struct focal_oplog *, uint64_t number, const struct focal_log **line, uint64_t *seq);
/* Scopes of which something is held and that this office may read no more, one after the other (*at starts at 0); kept: entries
 * there, of whomever, that no office which may still read them is known to hold. NULL at the end, and for who is no member any more. */
const struct focal_scope *focal_oplog_next_left(const struct focal_oplog *, size_t *at, uint64_t *kept);
/* [tx] Erases all that is held of a scope; its files are to be scrubbed after the commit. If this office has written there, its epoch
 * ends: were the scope given back, what it writes then must not stand where other entries stood. */
FOCAL_MUST_USE enum focal_status focal_oplog_leave(struct focal_oplog *, const struct focal_scope *);
/* Scopes known: of certificates in the set. */
size_t focal_oplog_scope_count(const struct focal_oplog *);
const struct focal_scope *focal_oplog_scope_at(const struct focal_oplog *, size_t i, const struct focal_hash **id);
const struct focal_scope *focal_oplog_scope(const struct focal_oplog *, const struct focal_hash *id);      /* NULL: not known */
bool focal_oplog_reads(const struct focal_certificate *, const struct focal_scope *);
/* 16 bytes keyed "focal frontier 1", network, scope id, over logs sorted by id and their tips. Cached. */
void focal_oplog_frontier_hash(struct focal_oplog *, const struct focal_hash *scope, uint8_t out[16]);
/* Counts up whenever any head moves, or a hole is found or filled: cheap "has anything changed?". */
uint64_t focal_oplog_change_count(const struct focal_oplog *);

/* ---- getting in: src/oplog/admit.c, the only way -------------------------------------------------------------------------------------- */

/* [tx] A piece of a log as a peer, a bundle or we ourselves bring it. name announces the log; its scope must be one whose
 * certificate grants the author to write. OK: admitted, or staged when not signed, or held already (nothing changed).
 * NEVER: form, chain on what is staged or held, signature, salt that does not give the chain: the sender's fault.
 * NOT_YET: no certificate, no opening of this epoch, or a gap before it (err names which).
 * CONFLICT: it follows nothing that is held: its log has a branch here or there, whose common beginning must be found.
 * What leaves the held line at some entry and is well signed opens a branch; an incident is then written.
 * *log: the line it stands on. */
struct focal_incoming {
    const struct focal_log_name *name;
    const uint8_t *before;              /* 8 bytes */
    struct focal_span packed;
    const struct focal_signature *signature;    /* NULL: unfinished, goes to staging */
};
FOCAL_MUST_USE enum focal_status focal_oplog_admit(struct focal_oplog *, const struct focal_incoming *, const struct focal_log **log, struct focal_error *);

/* ---- writing our own ---------------------------------------------------------------------------------------------------------------------- */

struct focal_write {
    struct focal_scope scope;
    uint8_t lane;                                       /* FOCAL_LANE_NOTICES: redactions, and nothing else */
    bool creates; struct focal_ref record;              /* record: when it does not create */
    const struct focal_replaced *replaced; size_t replaced_count;
    struct focal_span payload;                          /* canonical */
};
/* [tx] Opens the epoch at the first write (reason `first`). Appends to the open stretch of its log and derives at once, so
 * that later writes of the same transaction see it. ref receives the entry's reference.
 * DENIED: our certificate does not grant the scope. TOO_BIG: over FOCAL_ORDINARY_MAX. */
FOCAL_MUST_USE enum focal_status focal_oplog_write(struct focal_oplog *, const struct focal_write *, struct focal_ref *ref, struct focal_error *);
/* [tx] Before commit: packs and signs every open stretch, stores segments, flushes derived parts. */
FOCAL_MUST_USE enum focal_status focal_oplog_seal(struct focal_oplog *);
void focal_oplog_committed(struct focal_oplog *);
/* Memory goes back to what the store holds. */
FOCAL_MUST_USE enum focal_status focal_oplog_rolled_back(struct focal_oplog *);
bool focal_oplog_epoch(const struct focal_oplog *, struct focal_id *out);              /* false: none opened yet */
/* A copy of the database was put back (the fence says so), and no member has told since what was redacted meanwhile: records
 * are not to be shown. Writing goes on, under a new epoch. */
bool focal_oplog_veiled(const struct focal_oplog *);
FOCAL_MUST_USE enum focal_status focal_oplog_lift_veil(struct focal_oplog *);          /* [tx] */

/* ---- reading ranges ---------------------------------------------------------------------------------------------------------------------------- */

/* The piece of the line `log` that starts at `from`, above its base, and packs to at most packed_max bytes: adjacent small segments are merged under
 * the last signature, a large one passes as stored. is_signed when it ends at a kept signature. NOT_FOUND: from is beyond
 * the head. */
struct focal_piece { uint64_t first, last; uint8_t before[8]; bool is_signed; struct focal_signature signature; };
FOCAL_MUST_USE enum focal_status focal_oplog_read(struct focal_oplog *, const struct focal_log *, uint64_t from, size_t packed_max,
    struct focal_piece *, struct focal_buf *packed);
/* The same of what ends there. */
FOCAL_MUST_USE enum focal_status focal_oplog_read_upto(struct focal_oplog *, const struct focal_log *, uint64_t from, uint64_t upto, size_t packed_max,
    struct focal_piece *, struct focal_buf *packed);

/* ---- incidents ------------------------------------------------------------------------------------------------------------------------------------- */

enum focal_incident_kind {
    FOCAL_INCIDENT_FORK = 1,            /* an author signed two branches of one log: both tips, signed or vouched for */
    FOCAL_INCIDENT_ROLLBACK = 2,        /* this office signed what was not here: what it held (unsigned), what it had signed */
    FOCAL_INCIDENT_OPENED = 3,          /* an office went on from an old or second copy of its database: log is where it says so */
    FOCAL_INCIDENT_TWO_LIVE = 4         /* two copies of an office spoke here at once: the log's epoch is the first 8 bytes of either, the smaller first */
};
struct focal_incident {
    uint64_t number;                    /* by order of being seen, from 1 */
    uint8_t kind;
    struct focal_log_name log;
    struct focal_tip base, tips[2];
    struct focal_signature signatures[2];       /* over the tips, by log.author: anyone can check them */
    bool vouched[2];                    /* a tip without a signature that a cut lists: focal_oplog_vouches has what stands for it */
};
/* [tx] EXISTS: of these two it is kept, or of this author so many that more would say nothing new. */
FOCAL_MUST_USE enum focal_status focal_oplog_incident_two_live(struct focal_oplog *, const struct focal_key *author, const uint8_t one[8], const uint8_t other[8]);
/* NOT_FOUND: none after that number. */
FOCAL_MUST_USE enum focal_status focal_oplog_next_incident(struct focal_oplog *, uint64_t after, struct focal_incident *);

/* ---- redaction (PROTOCOL §6) ---------------------------------------------------------------------------------------------------------------------------- */

/* [tx] Writes a notice into the scope whose entries it names. It hides at once, here before the commit and elsewhere when it
 * arrives; what it erases, and when, is each member's to find out from the set of all redactions. */
struct focal_redact {
    struct focal_scope scope;
    const struct focal_ref *entries; size_t entry_count;
    const struct focal_ref *records; size_t record_count;
    uint8_t reason;                     /* code of redaction.reason */
    uint32_t day;                       /* days since 1970; in country scopes only */
    bool everywhere;                    /* the records as a whole are meant, wherever this office writes of them */
};
FOCAL_MUST_USE enum focal_status focal_oplog_redact(struct focal_oplog *, const struct focal_redact *, struct focal_ref *notice, struct focal_error *);
/* Is a redaction of the whole record in force in this scope? What cannot be read counts as redacted: nothing of it is shown. */
FOCAL_MUST_USE enum focal_status focal_oplog_record_redacted(struct focal_oplog *, const struct focal_ref *record, const struct focal_hash *scope, bool *redacted);
/* Entries of a record in a scope whose payload has this field (0: any entry with a payload), live or not: up to room; the number
 * there are in *count. has_home: it creates the record, or says its home again. */
struct focal_record_entry { struct focal_ref ref; struct focal_office office; bool creates, has_home; };
FOCAL_MUST_USE enum focal_status focal_oplog_record_entries(struct focal_oplog *, const struct focal_ref *record, const struct focal_hash *scope, uint64_t field,
    struct focal_record_entry *out, size_t room, size_t *count);
/* Days since 1970 by this node's clock. It decides only how much is erased alone on one day. */
void focal_oplog_set_day(struct focal_oplog *, uint32_t day);
/* After a commit: does any file of the store still show what was redacted? Then it is to be scrubbed, and no receipt made before. */
bool focal_oplog_scrub_due(const struct focal_oplog *);
void focal_oplog_scrubbed(struct focal_oplog *);
/* Every target of every redaction held, one after key (empty: the first). NOT_FOUND at the end. */
struct focal_redaction {
    struct focal_ref target, notice;    /* notice: the entry that says so; who holds it has confirmed */
    struct focal_hash scope;
    struct focal_office by;             /* "" if not known */
    bool whole_record;
    bool in_force;                      /* of whole records: it counts here */
};
FOCAL_MUST_USE enum focal_status focal_oplog_next_redaction(struct focal_oplog *, struct focal_buf *key, struct focal_redaction *);
/* The same, but for in_force: what one target costs does not grow with how often others name it. */
FOCAL_MUST_USE enum focal_status focal_oplog_next_request(struct focal_oplog *, struct focal_buf *key, struct focal_redaction *);
/* Entries hidden here that wait for a second office. */
FOCAL_MUST_USE enum focal_status focal_oplog_hidden_count(struct focal_oplog *, uint64_t *count);
/* What of ours others have redacted. */
#define FOCAL_REFUSED_FIELDS_MAX 32
struct focal_refused { struct focal_ref record, entry; uint64_t kind, fields[FOCAL_REFUSED_FIELDS_MAX]; size_t field_count; };
FOCAL_MUST_USE enum focal_status focal_oplog_next_refused(struct focal_oplog *, struct focal_buf *key, struct focal_refused *);

/* ---- records (derived) ------------------------------------------------------------------------------------------------------------------------------ */

/* NOT_FOUND: no part there. */
FOCAL_MUST_USE enum focal_status focal_oplog_part(struct focal_oplog *, const struct focal_ref *, const struct focal_hash *scope, struct focal_part *);
/* Both parts and the record over them; `from` may be a snapshot of the store (NULL: the live one). NOT_FOUND. */
struct focal_record_view { struct focal_record record; struct focal_part widest, home; };
FOCAL_MUST_USE enum focal_status focal_oplog_record(struct focal_oplog *, struct focal_store *from, const struct focal_ref *, struct focal_record_view *);
void focal_record_view_close(struct focal_record_view *);
/* Records of a kind in order of reference, one after `after` (NULL: the first). NOT_FOUND at the end. */
FOCAL_MUST_USE enum focal_status focal_oplog_next_of_kind(struct focal_oplog *, struct focal_store *from, uint32_t kind, const struct focal_ref *after, struct focal_ref *out);
FOCAL_MUST_USE enum focal_status focal_oplog_next_conflict(struct focal_oplog *, struct focal_store *from, const struct focal_ref *after, struct focal_ref *out);
/* By short code and office code of the creator: NOT_FOUND, AMBIGUOUS (out is the first). */
FOCAL_MUST_USE enum focal_status focal_oplog_by_code(struct focal_oplog *, const struct focal_office *, uint64_t short40, struct focal_ref *out);
void focal_oplog_record_code(struct focal_oplog *, const struct focal_ref *, char out[32]);     /* KEN-4F7Q-29XD-0 */
const struct focal_certificate *focal_oplog_author(const struct focal_oplog *, const struct focal_id *log);    /* NULL: not known */
struct focal_authors focal_oplog_authors(const struct focal_oplog *);

/* ---- receipts -------------------------------------------------------------------------------------------------------------------------------------------- */

/* [tx] Ours for a scope: heads that changed since our last one (all at the first). NOT_FOUND: nothing changed. message gets
 * body and signature, as kept and as sent. */
FOCAL_MUST_USE enum focal_status focal_oplog_make_receipt(struct focal_oplog *, const struct focal_scope *, uint32_t day, struct focal_buf *body, struct focal_signature *);
/* [tx] A member's. NEVER: form or signature. NOT_YET: signer's certificate not held. EXISTS: held or superseded. */
FOCAL_MUST_USE enum focal_status focal_oplog_take_receipt(struct focal_oplog *, struct focal_span body, const struct focal_signature *);
/* Up to where each signer has signed to have each log, in no order; *at starts at 0. line: of a line held here (held), or the log's id. */
struct focal_signed_head { struct focal_key signer; struct focal_id line; struct focal_hash scope; uint64_t seq; const struct focal_log *held; };
bool focal_oplog_next_signed(const struct focal_oplog *, size_t *at, struct focal_signed_head *);
/* What office X is known to have of a line by its own receipts: highest sequence, and the day; false: unknown. */
bool focal_oplog_receipt_of(const struct focal_oplog *, const struct focal_office *, const struct focal_log *line, uint64_t *seq, uint32_t *day);
/* Receipts held, for passing on: one after (office, scope, number) order; used at session start. */
FOCAL_MUST_USE enum focal_status focal_oplog_next_receipt(struct focal_oplog *, struct focal_buf *key, struct focal_buf *body, struct focal_signature *, struct focal_scope *);

/* ---- verify ---------------------------------------------------------------------------------------------------------------------------------------------------- */

/* Sliced: each call does about `budget` entries and gives MORE until the end (then OK). Reads a snapshot of the store.
 * Checks form, chain, commitments, signatures, that kept heads fit, that derived parts and indexes equal what the
 * entries give (by a digest per scope summed over parts, and a digest of the parts rebuilt), staging apart. */
struct focal_verify;
FOCAL_MUST_USE enum focal_status focal_verify_open(struct focal_verify **, struct focal_oplog *);
FOCAL_MUST_USE enum focal_status focal_verify_slice(struct focal_verify *, size_t budget);
uint64_t focal_verify_entries(const struct focal_verify *);
size_t focal_verify_error_count(const struct focal_verify *);
const char *focal_verify_error(const struct focal_verify *, size_t i);
bool focal_verify_digest(const struct focal_verify *, size_t i, struct focal_scope *, struct focal_hash *digest);   /* scopes this node reads */
uint64_t focal_verify_progress_permille(const struct focal_verify *);
void focal_verify_close(struct focal_verify *);

/* [tx] Throws every derived shelf away and derives it again from the log. */
FOCAL_MUST_USE enum focal_status focal_oplog_rebuild(struct focal_oplog *);

#endif
