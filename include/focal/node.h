/* node: one replica, whole: peers, sessions, local changes, joining, receipts, questions.
 *
 * A node is a value: give it the time and what happened, it changes its store and hands out frames to send. It knows no
 * socket, clock or file. The daemon and the simulator are two shells around it.
 * Contract: focal_node_step takes what happened, in order, as ONE store transaction. A bad message costs its sender the
 * link and nobody else anything; only a failing store fails the step, and then no frame of this step leaves the node:
 * every later call gives the same failure, and the shell stops. A full disk is no failure: the step is taken back whole,
 * in memory too, every link is closed, and what people asked for in it is answered with DISK_FULL (src/node/space.c).
 * Memory: the node owns its sessions; the store, keys and trace are the caller's and outlive it. Threads: one. */
#ifndef FOCAL_NODE_H
#define FOCAL_NODE_H

#include "focal/crypto.h"
#include "focal/oplog.h"
#include "focal/sync.h"

struct focal_node;

struct focal_node_setup {
    struct focal_store *store;
    const struct focal_node_keys *keys;
    struct focal_entropy entropy;
    struct focal_trace trace;
    const char *machine_id, *boot_id;   /* may be "" */
    uint64_t map_seed;
    uint32_t redial_least_ms, redial_most_ms;   /* zero: 1 s and 5 min */
    uint32_t dials_max;                 /* zero: 4 offices dialled at a time */
    uint32_t made_day;                  /* no right clock shows a day before it, days since 1970; zero: not known */
};

/* First contents of a new store; own transaction. HQ: founds the network with its own genesis, certificate and a fresh
 * network secret. Office: keeps the invitation until it is admitted. */
FOCAL_MUST_USE enum focal_status focal_node_found_hq(struct focal_store *, struct focal_span genesis_statement,
    struct focal_span certificate_statement, const uint8_t network_secret[32]);
FOCAL_MUST_USE enum focal_status focal_node_found_office(struct focal_store *, const struct focal_invitation *, struct focal_span token);
/* A new store for a headquarters that takes the place of one that is gone: everything that members hold of the authority's statements
 * stays good, a new authority is signed with the recovery key, and it certifies these keys. The token is a member's invitation to it.
 * *err says what is wrong with what members gave; then the store is of no use. */
#define FOCAL_RECOVERY_MADE_MAX 64
struct focal_node_recovery {
    const struct focal_span *statements; size_t statement_count;
    struct focal_span token;
    const struct focal_invitation *invitation;
    const struct focal_sign_key *recovery, *authority;
    const struct focal_public_keys *keys;
    uint32_t today;
    /* Where the key of the one that is gone ends: in these scopes, and nothing of it is left beyond these tips. */
    struct focal_recovery_scope { struct focal_scope scope; struct focal_buf tips; } scopes[FOCAL_CERTIFICATE_SCOPES_MAX]; size_t scope_count;
    struct focal_buf made[FOCAL_RECOVERY_MADE_MAX]; size_t made_count;     /* for members: the new authority, what ends, and last the membership */
    size_t kept, offices;
};
FOCAL_MUST_USE enum focal_status focal_node_recover_hq(struct focal_store *, struct focal_node_recovery *, struct focal_error *);
void focal_node_recovery_close(struct focal_node_recovery *);

/* A new store for an office that was a member and has lost its database, or has it damaged. Membership comes from the keepsake
 * (below; may be empty) and from what can still be read of the old database (may be NULL), entries from the latter alone,
 * each by the one way in; the rest is for the other offices to bring. What is readable and cannot be admitted yet, because
 * something before it is missing, is kept and admitted when that has come. The first write opens a new epoch.
 * NOT_FOUND: nothing says which network, which membership or which secret; err says what to do then. */
struct focal_readable {                 /* rows in order of key, of one key the likeliest first; shelf 0: not known */
    void *data;
    size_t count;
    /* NOT_FOUND: this one cannot be read. value may be NULL. */
    enum focal_status (*row)(void *data, size_t i, enum focal_shelf *, struct focal_buf *key, struct focal_buf *value);
};
enum { FOCAL_CUT_LOGS_MAX = 64 };
struct focal_cut_log { struct focal_id log; struct focal_office author; struct focal_scope scope; uint64_t held, known; };
struct focal_rejoined {
    struct focal_office office; char label[64];
    bool keepsake;                      /* it was there and whole */
    uint64_t statements, entries, own_entries;
    uint64_t waiting, waiting_own;      /* entries that wait for what stands before them */
    uint64_t missing;                   /* entries known to have been there, neither admitted nor waiting */
    struct focal_cut_log cut[FOCAL_CUT_LOGS_MAX]; size_t cut_count;     /* logs that end earlier than they did; the count may be larger */
};
FOCAL_MUST_USE enum focal_status focal_node_found_again(struct focal_store *, const struct focal_node_keys *, const struct focal_entropy *,
    struct focal_span keepsake, const struct focal_readable *, struct focal_rejoined *, struct focal_error *);

FOCAL_MUST_USE enum focal_status focal_node_open(struct focal_node **, const struct focal_node_setup *, struct focal_now, struct focal_error *);
void focal_node_close(struct focal_node *);

/* ---- what happened ------------------------------------------------------------------------------------------------------- */

/* A local change to one record: writes one entry per scope touched, in one transaction. */
enum focal_change_op {
    FOCAL_OP_SET,           /* register or map key: new value, replaces every live one of it */
    FOCAL_OP_ADD,           /* set, events: one more row */
    FOCAL_OP_REMOVE,        /* set: the live rows named by (row, ordinal); register or map key: clears it */
    FOCAL_OP_CLEAR,         /* every live value of the field */
    FOCAL_OP_KEEP           /* register: of its live values the one named by (row, ordinal) stays as it stands, the others go */
};
struct focal_change_item {
    enum focal_change_op op;
    const struct focal_field *field;
    struct focal_span value;            /* canonical bytes, also of a sealed field, which the node seals; for REMOVE of a map key: the key */
    struct focal_ref row; uint16_t ordinal;     /* REMOVE of a row, KEEP */
};
struct focal_change {
    const struct focal_kind *kind;      /* for a new record */
    bool is_new; struct focal_ref record;
    const struct focal_change_item *items; size_t item_count;
    bool if_version; uint8_t version[8];
    bool day_set; uint32_t day;         /* days since 1970: the writer's calendar day, carried in country scopes only */
    /* Who opens what is sealed in it, besides this office. None named: the office that created the record, which follows it up,
     * and headquarters, its alternate. */
    const struct focal_office *seal_to; size_t seal_to_count;
    /* answer, valid when the step is OK */
    enum focal_status status;           /* CONFLICT: the version moved on; NOT_FOUND; NO_LONGER: redacted; REFUSED; DENIED */
    struct focal_ref result;
    uint8_t result_version[8];
    struct focal_error error;
};
/* A redaction, of a record with all entries on it or of one field with all values it ever had. It cannot be taken back. */
struct focal_redact_order {
    struct focal_ref record;
    const struct focal_field *field;    /* NULL: the whole record */
    bool agree;                         /* instead: all of this record that other offices have redacted and this one has not */
    uint8_t reason;                     /* code of redaction.reason */
    uint32_t day;                       /* days since 1970: the writer's calendar day */
    /* answer, valid when the step is OK */
    enum focal_status status;           /* NOT_FOUND; DENIED: neither the right nor the record is ours; REFUSED; TOO_BIG */
    struct focal_ref notices[FOCAL_CERTIFICATE_SCOPES_MAX]; size_t notice_count;        /* one a scope */
    size_t entry_count;                 /* of a field: the entries that held it; the entries agreed to */
    bool part_left;                     /* the record has a country part that this office may not write to */
    struct focal_error error;
};
struct focal_rescue_order {             /* a record of which a cut caught something honest: a slice a step */
    struct focal_rescue is;
    size_t scope;                       /* zero at first: the scope that the slice is of */
    /* answer, valid when the step is OK */
    enum focal_status status;           /* MORE: again; NOT_FOUND: nothing to bring in; DENIED */
    struct focal_error error;
};
struct focal_join_waiting {             /* somebody who holds an invitation and asked to be admitted */
    uint64_t invitation; struct focal_office office; char country[4]; bool may_redact;
    bool joined; struct focal_public_keys keys;         /* joined: their keys are known */
    bool admitted; uint32_t expires_day; bool closed;
};

/* A command that somebody gave, for the history: never what stood in a record, and of its arguments only what is named here. */
enum { FOCAL_NOTE_COMMAND_MAX = 48, FOCAL_NOTE_ABOUT_MAX = 16 };
#define FOCAL_NOBODY UINT32_MAX         /* no user's number */
enum focal_note_class { FOCAL_NOTE_COMMAND, FOCAL_NOTE_READING, FOCAL_NOTE_DENIED };
struct focal_note {
    enum focal_note_class cls;
    uint32_t uid;
    uint8_t right;                      /* by which; enum focal_permission of admin, 0: none */
    enum focal_status outcome;
    uint64_t request;                   /* it waited, or waits, for a second person under this number; 0: no */
    uint32_t other_uid;                 /* the other of the two; FOCAL_NOBODY */
    bool record_set; struct focal_ref record;
    char command[FOCAL_NOTE_COMMAND_MAX], about[FOCAL_NOTE_ABOUT_MAX];      /* about: an office, or a kind; may be "" */
};
/* What one person asked for and a second has to agree to within a day; kept on disk. */
#define FOCAL_PENDING_MS 86400000u
enum { FOCAL_PENDING_WITH_MAX = 24 << 10, FOCAL_PENDING_MOST = 64, FOCAL_PENDING_MOST_OF_ONE = 16 };
struct focal_pending {
    uint64_t number, wall_ms;
    uint32_t uid, by;                   /* by: who agreed; FOCAL_NOBODY: nobody yet */
    char command[FOCAL_NOTE_COMMAND_MAX];
};
struct focal_pending_order {
    enum { FOCAL_PENDING_ASK, FOCAL_PENDING_AGREE, FOCAL_PENDING_CLOSE } op;
    uint64_t number;                    /* ASK: the answer */
    uint32_t uid;
    const char *command; struct focal_span with;        /* ASK */
    const enum focal_status *only_if;   /* CLOSE: only where this is OK by then; NULL: in any case */
};

enum focal_node_event_type {
    FOCAL_EVENT_LINK_OPENED, FOCAL_EVENT_LINK_FRAME, FOCAL_EVENT_LINK_CLOSED, FOCAL_EVENT_DIAL_FAILED,
    FOCAL_EVENT_REDACT,                 /* answered in the order itself */
    FOCAL_EVENT_RESCUE,                 /* answered in the order itself */
    FOCAL_EVENT_CHANGE,                 /* answered in the change itself; a refused change fails nothing else */
    FOCAL_EVENT_STATEMENT,              /* an authority statement brought by hand (office admit) */
    FOCAL_EVENT_INVITE,                 /* keeps a new invitation */
    FOCAL_EVENT_PAUSE,                  /* cut (on) or heal (off) the link to an office by hand; survives a restart */
    FOCAL_EVENT_DIAL_NOW,               /* office empty: all */
    FOCAL_EVENT_REFUSED_SEEN,           /* somebody has looked at all that others redacted of ours */
    FOCAL_EVENT_ADDRESSES,              /* where this office listens; published when it is a member and it changed */
    FOCAL_EVENT_LIFT_VEIL,              /* by hand, for a reason; NOT_FOUND: there is none. REFUSED: the reason is no code */
    FOCAL_EVENT_NOTE,                   /* who asked for what, for the history; stands behind the event it tells of, in its step */
    FOCAL_EVENT_PENDING,                /* what waits for a second person; answered in *answer */
    FOCAL_EVENT_TICK
};
struct focal_node_event {
    enum focal_node_event_type type;
    enum focal_status *answer;          /* may be NULL: how STATEMENT, INVITE, PAUSE, DIAL_NOW, REFUSED_SEEN, ADDRESSES, LIFT_VEIL, NOTE went */
    union {
        struct { uint64_t link; bool dialled; uint64_t dial_tag; const char *address; } opened;
        struct { uint64_t link; struct focal_span bytes; } frame;
        struct { uint64_t link; enum focal_status why; } closed;
        struct { uint64_t dial_tag; enum focal_status why; } dial;
        struct focal_change *change;
        struct focal_redact_order *redact;
        struct focal_rescue_order *rescue;
        struct focal_span statement;
        struct { const struct focal_invitation *invitation; } invite;
        struct { struct focal_office office; bool on; } pause;
        struct focal_office dial_now;
        struct { const char *const *list; size_t count; } addresses;
        struct { const char *reason; } lift_veil;       /* small letters, digits, "_" */
        /* What is known only when the step has come so far stands behind pointers, which may be NULL. */
        struct { const struct focal_note *is; const enum focal_status *outcome; const struct focal_ref *record; const uint64_t *request; } note;
        struct focal_pending_order *pending;
    } is;
};
FOCAL_MUST_USE enum focal_status focal_node_step(struct focal_node *, struct focal_now, const struct focal_node_event *, size_t count);
/* How much of an event array may go into one step so that no step keeps the loop long. */
#define FOCAL_STEP_ENTRIES_MAX 4096

/* ---- what it wants -------------------------------------------------------------------------------------------------------- */

enum focal_order_type { FOCAL_ORDER_DIAL, FOCAL_ORDER_CLOSE, FOCAL_ORDER_PROVEN };
struct focal_order {
    enum focal_order_type type;
    uint64_t link;                      /* CLOSE, PROVEN (the handshake is done) */
    uint64_t dial_tag; char address[80];        /* DIAL */
};
bool focal_node_take_order(struct focal_node *, struct focal_order *);
/* The next frame for a link, encrypted at this moment. After a step, and whenever a stream becomes free, the shell calls it
 * for every link with a free stream until it is false. src/node/outbox.c: the only way out. */
bool focal_node_take_frame(struct focal_node *, uint64_t link, struct focal_buf *frame);
uint64_t focal_node_deadline_ms(const struct focal_node *);         /* step with TICK by then */

/* ---- questions --------------------------------------------------------------------------------------------------------------- */

struct focal_oplog *focal_node_oplog(struct focal_node *);          /* for reading only */
struct focal_store *focal_node_store(struct focal_node *);
/* Our office code: of the certificate, or of the invitation before admission. */
void focal_node_office(const struct focal_node *, struct focal_office *);
/* The public half of the key with which this office renews memberships, once the authority has given it that. */
void focal_node_renewal_key(const struct focal_node *, struct focal_key *);
bool focal_node_admitted(const struct focal_node *);                /* holds the network secret and a certificate */
void focal_node_words_invitation(const struct focal_node *, uint64_t *invitation);   /* 0: none */
uint32_t focal_node_invitation_ends(const struct focal_node *);     /* the last day of ours, before admission; 0: none */
const uint8_t *focal_node_network_secret(const struct focal_node *);        /* NULL: not admitted yet */

/* A sealed value of a record, as it stands there. Appends to plain what it says: to be shown to a reader here, never to be kept
 * or sent. plain may be NULL: then only `to` is asked for. NOT_FOUND: it is sealed to others. NEVER: to this office, and does
 * not open: it was moved here from another place, or changed. UNSUPPORTED: in a way that a newer program knows. MALFORMED. */
struct focal_sealed_to { struct focal_office office[FOCAL_SEALED_ADDRESSEES_MAX]; size_t count, unknown; };      /* sorted; unknown: by no certificate here */
FOCAL_MUST_USE enum focal_status focal_node_unseal(const struct focal_node *, const struct focal_ref *record, const struct focal_live *,
    struct focal_buf *plain, struct focal_sealed_to *to);

enum focal_link_word { FOCAL_LINK_UP, FOCAL_LINK_OFFLINE, FOCAL_LINK_REFUSED, FOCAL_LINK_PAUSED, FOCAL_LINK_UNKNOWN };
struct focal_peer_status {
    struct focal_office office; uint8_t role;
    enum focal_link_word link;
    bool heard; uint64_t heard_ago_ms;
    bool they_lack_known; uint64_t they_lack;
    bool we_lack_known; uint64_t we_lack;
    bool equal;
    char why[160];                      /* a sentence when the link is not up */
    uint32_t tries; uint64_t next_try_in_ms; bool will_try;
    int64_t round_trip_ms;
    bool revoked;                       /* the authority has taken everything from its key */
    bool limited;                       /* its membership, or ours, has expired: one gives the other no entries of others */
    bool they_pause;                    /* they take nothing but notices for now: their disk is nearly full */
    const struct focal_certificate *certificate;
};
size_t focal_node_peer_count(const struct focal_node *);            /* offices of the network, us left out, by code */
bool focal_node_peer(const struct focal_node *, struct focal_now, size_t i, struct focal_peer_status *);
/* Has a membership expired? Only where this clock and another source are past its last day: a day that the authority wrote, or
 * another member's receipt. */
enum focal_expiry { FOCAL_EXPIRY_VALID, FOCAL_EXPIRY_BY_US, FOCAL_EXPIRY_BY_OTHERS, FOCAL_EXPIRY_EXPIRED };
enum focal_expiry focal_node_expiry(const struct focal_node *, struct focal_now, const struct focal_certificate *);
/* Is the wall clock of this machine right? Only people read it: days on records and receipts, ages. */
enum focal_clock_word {
    FOCAL_CLOCK_OK,
    FOCAL_CLOCK_BEFORE_PROGRAM, FOCAL_CLOCK_BEFORE_NETWORK, FOCAL_CLOCK_BEFORE_MEMBERSHIP,     /* before expected_day */
    FOCAL_CLOCK_NOT_AS_OTHERS,          /* more offices say one other day than say ours; who is one of them */
    FOCAL_CLOCK_WENT_BACK, FOCAL_CLOCK_STANDS       /* behind what it must show by now, by lost_ms */
};
struct focal_clock {
    enum focal_clock_word word;
    uint32_t day, expected_day;         /* days since 1970 */
    uint64_t lost_ms;
    size_t agree, differ;               /* other offices that say our day; the most that say one other day */
    struct focal_office who; uint32_t who_day;
};
void focal_node_clock(struct focal_node *, struct focal_now, struct focal_clock *);
/* Entries that an office has signed to have, and that have not come for so long while links were up. False: none. */
struct focal_missing { uint64_t entries; uint32_t minutes; struct focal_office signed_by, author; bool signer_linked; };     /* author "": of a log not known here */
bool focal_node_missing(struct focal_node *, struct focal_missing *);
/* Entries of ours that nobody else is known to have; and age is not kept. */
uint64_t focal_node_waiting(const struct focal_node *);
/* Does `office` hold the entry? -1 unknown, 0 no, 1 yes. Own receipts and what sessions told. */
int focal_node_seen(const struct focal_node *, const struct focal_office *, const struct focal_ref *);
/* Has it signed for the notice, and so that what the notice erases is in no file of it any more? That it holds the notice is
 * not enough: its files are scrubbed after that. -1 unknown, 0 no, 1 yes. */
int focal_node_confirmed(const struct focal_node *, const struct focal_office *, const struct focal_ref *notice);
/* One entry, be it in a part or not: what it is about, and of a redaction why, whether the whole record is meant wherever its
 * office writes of it, and (in a country scope) on which day.
 * NOT_FOUND: not here, or of a form that names no record. */
struct focal_entry_look { struct focal_ref ref, record; bool has_payload, day_set, everywhere; uint32_t day; uint8_t reason; };
FOCAL_MUST_USE enum focal_status focal_node_look(struct focal_node *, const struct focal_ref *entry, struct focal_entry_look *);
/* Entries that are hidden here and wait for a second office, one after key (empty: the first); record is zero where a quote is
 * hidden. NOT_FOUND at the end. */
FOCAL_MUST_USE enum focal_status focal_node_next_hidden(struct focal_node *, struct focal_buf *key, struct focal_entry_look *);
/* Entries of ours that others redacted, and how many of them there were when somebody last looked. */
void focal_node_refused(struct focal_node *, uint64_t *count, uint64_t *seen);
/* How many entries of author `of` office `who` has, in scopes both and we read; false: unknown. asof_ago_ms: age of it. */
bool focal_node_matrix(const struct focal_node *, struct focal_now, const struct focal_office *of, const struct focal_office *who, uint64_t *have, uint64_t *asof_ago_ms);
/* Are all our present heads covered by this office's receipts (scopes it reads)? */
bool focal_node_receipted(const struct focal_node *, const struct focal_office *);
bool focal_node_ping(struct focal_node *, const struct focal_office *);     /* false: no link up */
uint64_t focal_node_session_bytes(const struct focal_node *, const struct focal_office *, bool sent);
size_t focal_node_waiting_joins(struct focal_node *, struct focal_join_waiting *out, size_t room);
/* What has to outlive the loss of the database, to be kept beside the keys: statements, addresses, and the network secret
 * sealed to this office's own opening key. NOT_FOUND: not a member yet. */
FOCAL_MUST_USE enum focal_status focal_node_keepsake(struct focal_node *, struct focal_buf *out);
uint64_t focal_node_keepsake_version(const struct focal_node *);    /* another number: it may say something else now */
/* Stretches of a lost database that wait until another office brings what stands before them; at most `most` are counted. */
size_t focal_node_salvaged(struct focal_node *, size_t most);
uint64_t focal_node_next_invitation(struct focal_node *);           /* number for a new one */
/* Of the disk, when the last step began; wanted: bytes that must become free until it is ENOUGH again. */
enum focal_space focal_node_space(const struct focal_node *, uint64_t *wanted);
enum focal_status focal_node_failed(const struct focal_node *);     /* OK, or what failed the last step */

/* ---- what happened here, for people ------------------------------------------------------------------------------------------- */

/* Codes stand on disk. Detail: */
enum focal_history_code {
    FOCAL_HISTORY_EPOCH = 1,            /* author 32, epoch 16, code of opening.reason 1: an office opened an epoch */
    FOCAL_HISTORY_INCIDENT = 2,         /* number 8, enum focal_incident_kind 1 */
    FOCAL_HISTORY_MEMBER = 3,           /* office code: its first certificate came */
    FOCAL_HISTORY_VEILED = 4,           /* nothing */
    FOCAL_HISTORY_UNVEILED = 5,         /* reason typed; nothing: by itself */
    FOCAL_HISTORY_REDACTED = 6,         /* reference 32 of a record of which this office redacted something */
    FOCAL_HISTORY_WITHDRAWN = 7,        /* reference 32 of a record whose withdrawal this office changed */
    FOCAL_HISTORY_RESCUED = 8,          /* reference 32 of a record of which this office brought in what a cut had caught */
    FOCAL_HISTORY_LEFT = 16,            /* class 1, country 3: a scope was taken from this office, and erased here */
    FOCAL_HISTORY_COMMAND = 32,         /* a note (focal_note_get): what somebody changed, or took out in bulk */
    FOCAL_HISTORY_READING = 33,         /* the same, of who looked at records */
    FOCAL_HISTORY_DENIED = 34           /* the same, of who was not permitted what he asked for */
};
#define FOCAL_HISTORY_DETAIL_MAX 128
#define FOCAL_VEIL_REASON_MAX 40
struct focal_history { uint64_t number, wall_ms; uint8_t code; uint8_t detail[FOCAL_HISTORY_DETAIL_MAX]; size_t detail_len; };
/* All rows are numbered in one order, and grow in four rings, so that nobody drives out what happened by looking or by
 * asking in vain. In each the oldest row gives way when it is full: */
enum focal_history_ring {
    FOCAL_RING_EVENTS = 1,              /* the newest 10,000: epochs, incidents, members, veils, redactions, withdrawals */
    FOCAL_RING_COMMANDS = 2,            /* the newest 20,000 */
    FOCAL_RING_READINGS = 4,            /* the newest 20,000 */
    FOCAL_RING_DENIED = 8               /* the newest 2,000 */
};
/* One after, or before (0: the last), that number, of these rings together. NOT_FOUND at the end. */
FOCAL_MUST_USE enum focal_status focal_node_history_after(struct focal_node *, unsigned rings, uint64_t after, struct focal_history *);
FOCAL_MUST_USE enum focal_status focal_node_history_before(struct focal_node *, unsigned rings, uint64_t before, struct focal_history *);
/* The same of events alone. */
FOCAL_MUST_USE enum focal_status focal_node_next_history(struct focal_node *, uint64_t after, struct focal_history *);
FOCAL_MUST_USE enum focal_status focal_node_prev_history(struct focal_node *, uint64_t before, struct focal_history *);
void focal_note_put(struct focal_buf *, const struct focal_note *);
FOCAL_MUST_USE bool focal_note_get(struct focal_note *, const struct focal_history *);     /* false: not a note, or of another form */
/* What waits for a second person, one after number; what is older than a day waits no more and is not told. with (may be NULL):
 * as it was asked. NOT_FOUND at the end. */
FOCAL_MUST_USE enum focal_status focal_node_next_pending(struct focal_node *, struct focal_now, uint64_t after, struct focal_pending *, struct focal_buf *with);
/* NOT_FOUND. */
FOCAL_MUST_USE enum focal_status focal_node_incident(struct focal_node *, uint64_t number, struct focal_incident *);
/* What leads from the incident's base to one of its tips, entry by entry: whoever hashes it has the tip that is signed.
 * NOT_FOUND: the incident has no such tip, or it is not held. What each gives, if not OK, ends it. */
typedef enum focal_status focal_proof_entry(void *data, uint64_t seq, struct focal_span header, const struct focal_hash *commitment);
FOCAL_MUST_USE enum focal_status focal_node_proof_way(struct focal_node *, const struct focal_incident *, int which, focal_proof_entry *, void *data);
/* Scopes that nobody has told the notices of since the veil fell; 0 with a veil: this office has no membership yet. */
size_t focal_node_veil_waits(const struct focal_node *, struct focal_scope *out, size_t room);

#endif
