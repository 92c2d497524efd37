/* model: the words of the domain.
 *
 * Here: identifiers, scopes, references; header and payload of an entry as canonical bytes; THE schema table of record
 * kinds, fields and codes; values as text and as bytes; dates and quarters; the reference code people read aloud.
 * Not here: hashing and keys (crypto), conflict rules (merge), storage, any I/O.
 *
 * Bytes: everything in "bytes that are signed for ever" below may never change meaning; tests/vectors holds them.
 * Memory: decoded structures borrow from the bytes they were decoded from. Threads: pure, any thread. */
#ifndef FOCAL_MODEL_H
#define FOCAL_MODEL_H

#include "focal/base.h"

/* ---- identifiers ---------------------------------------------------------------------------------------------------- */

struct focal_id   { uint8_t b[16]; };                   /* log id, epoch */
struct focal_hash { uint8_t b[32]; };                   /* BLAKE2b-256: network id, scope id, chain hash h, statement */
struct focal_key  { uint8_t b[32]; };                   /* public Ed25519 or X25519 key */
struct focal_signature { uint8_t b[64]; };              /* Ed25519 */

bool focal_id_equal(const struct focal_id *, const struct focal_id *);
bool focal_hash_equal(const struct focal_hash *, const struct focal_hash *);
bool focal_key_equal(const struct focal_key *, const struct focal_key *);
bool focal_bytes_zero(const void *, size_t);

/* Names an entry wherever it is spoken of. (log, seq) is only an address, since after a clone two entries share one:
 * the 8 bytes of its chain hash make it a name. Canonical bytes: log 16, seq 8 big-endian, h8 8. */
#define FOCAL_REF_BYTES 32
struct focal_ref { struct focal_id log; uint64_t seq; uint8_t h8[8]; };
void focal_ref_put(uint8_t out[FOCAL_REF_BYTES], const struct focal_ref *);
void focal_ref_get(struct focal_ref *, const uint8_t in[FOCAL_REF_BYTES]);
int  focal_ref_compare(const struct focal_ref *, const struct focal_ref *);   /* order of the bytes */
bool focal_ref_parse(struct focal_ref *, struct focal_span hex);              /* 64 hex digits */

struct focal_tip { uint64_t seq; struct focal_hash h; };

enum focal_lane { FOCAL_LANE_DATA = 0, FOCAL_LANE_NOTICES = 1 };

/* Who may see something. In numbers that are part of signed bytes. */
enum focal_scope_class {
    FOCAL_SCOPE_CONTROL = 0, FOCAL_SCOPE_NETWORK = 1, FOCAL_SCOPE_COUNTRY = 2,
    FOCAL_SCOPE_SEALED = 3,      /* only as a class of a field: sealed values stand in network logs */
    FOCAL_SCOPE_LOCAL = 4        /* never leaves the node; in no log */
};
/* A scope as people and certificates name it; country is "" unless class is country ("KEN"). Text: "control",
 * "network", "country:KEN". The scope id is a hash of it (crypto). */
struct focal_scope { uint8_t cls; char country[4]; };
bool focal_scope_parse(struct focal_scope *, struct focal_span text);
void focal_scope_print(char out[16], const struct focal_scope *);
int  focal_scope_compare(const struct focal_scope *, const struct focal_scope *);

/* Everything a log id is the hash of, besides the network id. */
struct focal_log_name { struct focal_key author; struct focal_id epoch; struct focal_hash scope; uint8_t lane; };

/* Office code: 2 to 12 of A-Z 0-9 and '-', not at the ends; zero-ended. */
#define FOCAL_OFFICE_MAX 12
struct focal_office { char text[FOCAL_OFFICE_MAX + 1]; };
bool focal_office_parse(struct focal_office *, struct focal_span text);

/* ---- entry: bytes that are signed for ever ---------------------------------------------------------------------------- */

/* Limits of one entry's canonical bytes: header and payload together, salt not counted. */
#define FOCAL_ORDINARY_MAX (15 * 1024)
#define FOCAL_ENTRY_MAX    (16 * 1024)

/* header  := varint shape, varint sequence, items in strictly ascending tags      (items: tag, length, value)
 *   shape 1 ordinary  item 1 record reference (32 bytes; left out: this entry creates its record)
 *                     item 2 replaced: n x (reference 32, ordinal 2 big-endian), strictly ascending, n >= 1
 *   shape 2 begin     sequence is 1; item 3 previous tips: n x (log id 16, seq 8, h 32), strictly ascending, n >= 1
 *   shape 3 quote     item 4 quoted author key 32, epoch 16, h_(i-1) 32; item 5 quoted header (ordinary); item 6 C 32
 * A shape above 3, and items with tags from 16 up in any shape, are syntax we keep, hash, relay and do not understand
 * ("needs a newer program"); tags below 16 that the shape does not have are malformed. */
enum focal_shape { FOCAL_SHAPE_ORDINARY = 1, FOCAL_SHAPE_BEGIN = 2, FOCAL_SHAPE_QUOTE = 3 };

#define FOCAL_REPLACED_BYTES (FOCAL_REF_BYTES + 2)
struct focal_replaced { struct focal_ref entry; uint16_t ordinal; };
#define FOCAL_PREVIOUS_BYTES (16 + 8 + 32)
struct focal_previous { struct focal_id log; struct focal_tip tip; };

struct focal_header {
    uint64_t shape, seq;
    bool creates;                       /* ordinary without a record reference */
    struct focal_ref record;            /* ordinary that does not create */
    struct focal_span replaced;         /* ordinary: focal_header_replaced reads them */
    struct focal_span previous;         /* begin: focal_header_previous reads them */
    struct focal_key quoted_author;     /* quote */
    struct focal_id quoted_epoch;
    struct focal_hash quoted_before;    /* h_(i-1) */
    struct focal_span quoted_header;
    struct focal_hash quoted_commitment;
    bool newer;                         /* holds something this program does not understand */
};
FOCAL_MUST_USE enum focal_status focal_header_decode(struct focal_header *, struct focal_span bytes);
void   focal_header_encode(struct focal_buf *, const struct focal_header *);    /* never writes `newer` things */
size_t focal_header_replaced_count(const struct focal_header *);
void   focal_header_replaced(struct focal_replaced *, const struct focal_header *, size_t i);
size_t focal_header_previous_count(const struct focal_header *);
void   focal_header_previous(struct focal_previous *, const struct focal_header *, size_t i);
void   focal_replaced_put(struct focal_buf *, const struct focal_replaced *);
int    focal_replaced_compare(const struct focal_replaced *, const struct focal_replaced *);

/* payload := varint kind, items in ascending order of (tag, value); tags from 64 up are values and may repeat,
 *            tags below 64 may not
 *   item 1 home scope: scope id 32, or empty for "none"; in creating entries and in those that repeat it
 *   item 2 day: 4 bytes big-endian, days since 1970-01-01; only in scopes of class country and narrower
 * A value's tag is its field number; its ordinal is its index among the values of the entry, from 0.
 * kind 0 is nothing: the payload of a begin entry that opens no epoch. */
struct focal_payload {
    uint64_t kind;
    bool has_home; struct focal_span home;
    bool has_day;  uint32_t day;
    struct focal_span values;           /* the items with tags >= 64 */
    uint16_t value_count;
    bool newer;                         /* holds items with tags 3..63, which this program does not understand */
};
struct focal_item { uint64_t field; struct focal_span value; uint16_t ordinal; };
#define FOCAL_VALUE_TAG_MIN 64
FOCAL_MUST_USE enum focal_status focal_payload_decode(struct focal_payload *, struct focal_span bytes);
/* Walk values: *at starts zeroed. */
struct focal_value_walk { size_t offset; uint16_t ordinal; };
bool focal_payload_next(const struct focal_payload *, struct focal_value_walk *at, struct focal_item *out);
/* Encoding: items may come in any order and are sorted; ordinals follow from the sorted order. */
void focal_payload_encode(struct focal_buf *, uint64_t kind, const struct focal_span *home, const uint32_t *day,
                          const struct focal_item *values, size_t value_count);

/* ---- field numbers ------------------------------------------------------------------------------------------------- */

/* number = serial * 64 + scope class * 8 + merge class, serial >= 1. So an office that does not know a field still
 * merges and relays it rightly. A field that changes either gets a new serial; serials are never reused. */
enum focal_merge_class {
    FOCAL_MERGE_REGISTER = 0,           /* one value; several live ones that differ are two versions */
    FOCAL_MERGE_SET = 1,                /* observed-remove set of rows; a row is named by (entry, ordinal) */
    FOCAL_MERGE_MAP = 2,                /* one register per key; value := varint key length, key, value */
    FOCAL_MERGE_EVENTS = 3              /* add-only: replacing one of these has no effect */
};
#define FOCAL_FIELD(serial, scope, merge) ((uint32_t)((serial) * 64 + (scope) * 8 + (merge)))
enum focal_merge_class focal_field_merge(uint64_t number);      /* classes 4..7: not known yet, merged as SET */
uint8_t focal_field_scope(uint64_t number);

/* ---- sealed values: bytes that are signed for ever -------------------------------------------------------------------- */

/* A value of a field of class sealed: everybody carries it, its addressees alone open it (crypto), and everybody sees to whom
 * it is sealed and, roughly, how long it is.
 * sealed := version 1, n, size class c   one byte each; 1 <= n <= 8, c <= 8
 *           ephemeral key 32             X25519
 *           commitment 32                to the data key, so that all addressees read the same or nothing
 *           n x (opening key 32, wrapped data key 48), strictly ascending by opening key
 *           body: 32 << c, and tag 16
 * Another version is syntax that we keep, merge as bytes and relay, and do not understand. A map's key has to be seen by who
 * merges, and this form has no place for one: there are no sealed maps. */
#define FOCAL_SEALED_VERSION        1
#define FOCAL_SEALED_ADDRESSEES_MAX 8
#define FOCAL_SEALED_CLASS_MAX      8
#define FOCAL_SEALED_ROOM_LEAST     32
#define FOCAL_SEALED_WRAP_BYTES     48
#define FOCAL_SEALED_TAG_BYTES      16
struct focal_sealed {
    size_t addressees, room;            /* room: bytes of the padded value */
    const uint8_t *ephemeral, *commitment;
    struct focal_span before, body;     /* before: all that stands before the body */
};
FOCAL_MUST_USE enum focal_status focal_sealed_decode(struct focal_sealed *, struct focal_span value);   /* MALFORMED; UNSUPPORTED: another version */
const uint8_t *focal_sealed_to(const struct focal_sealed *, size_t i);          /* an addressee's opening key, 32 bytes */
const uint8_t *focal_sealed_wrap(const struct focal_sealed *, size_t i);
size_t focal_sealed_room(unsigned size_class);
size_t focal_sealed_bytes(size_t plain_len, size_t addressees);                 /* 0: too long to be sealed */
bool focal_field_is_sealed(uint64_t number);

/* ---- schema ----------------------------------------------------------------------------------------------------------- */

enum focal_kind_number {
    FOCAL_KIND_NOTHING = 0, FOCAL_KIND_OPENING = 1, FOCAL_KIND_ADDRESS = 2, FOCAL_KIND_REDACTION = 3,
    FOCAL_KIND_CASE = 16, FOCAL_KIND_ENTITY = 17, FOCAL_KIND_FOCAL_POINT = 18, FOCAL_KIND_ENDORSEMENT = 19,
    FOCAL_KIND_NIL_RETURN = 20
    /* 21 and up: coordination kinds of later work */
};

enum focal_type {
    FOCAL_TYPE_CODE,        /* varint code number                                   text: code name */
    FOCAL_TYPE_ROW,         /* varint code per part, 0 = absent part               text: female.child; absent part empty */
    FOCAL_TYPE_ENTRY_CODE,  /* map: key is one or more codes, value is codes         text: medical.accepted */
    FOCAL_TYPE_QUARTER,     /* varint year * 4 + quarter - 1                        text: 2018-Q2 */
    FOCAL_TYPE_PERIOD,      /* varint 0 unknown, 2 * year in that year, 2 * year + 1 before it   text: 2017, before-2016 */
    FOCAL_TYPE_DATE,        /* varint days since 0001-01-01 (proleptic Gregorian) + 1; 0 unknown  text: 2018-05-03 */
    FOCAL_TYPE_COUNTRY,     /* 3 letters ISO 3166-1 alpha-3 */
    FOCAL_TYPE_TEXT,        /* UTF-8, guarded short plain text */
    FOCAL_TYPE_NUMBER,      /* varint */
    FOCAL_TYPE_REF,         /* 32 bytes                                             text: 64 hex digits, or a reference code resolved by the caller */
    FOCAL_TYPE_BYTES,       /* opaque (keys, hashes); max = their exact length      text: hex */
    FOCAL_TYPE_EVENT        /* varint code, varint day as in DATE                   text: given.2018-05-03 */
};

/* What intake asks of a value beyond its type. Nothing here decides what a peer's bytes mean. */
enum focal_intake {
    FOCAL_INTAKE_PLAIN = 0,  /* TEXT: no digit runs, mail addresses, URLs;  DATE: not after tomorrow */
    FOCAL_INTAKE_AHEAD,      /* DATE: may lie up to a hundred years ahead */
    FOCAL_INTAKE_CONTACT,    /* TEXT: exactly one mailbox or one phone number, of a post */
    FOCAL_INTAKE_LANGUAGE,   /* TEXT: a language tag: "fr", "sw", "ar-SD" */
    FOCAL_INTAKE_OFFICE,     /* TEXT: an office code */
    FOCAL_INTAKE_ADDRESS,    /* TEXT: host:port or [v6]:port */
    FOCAL_INTAKE_URL,        /* TEXT: an http or https address; for kinds to come */
    FOCAL_INTAKE_COMMAND,    /* written by a command of its own: refused from people and files as a field, and left out of files */
    FOCAL_INTAKE_MACHINE     /* the same, and for programs only: people are not shown it */
};

/* Code numbers are signed for ever like field numbers: from 2 up, in the order in which codes are listed; never reused. */
struct focal_code { uint32_t number; const char *name; const char *label_en; };     /* ends with name NULL */
struct focal_code_table { const char *name; const struct focal_code *codes; };
#define FOCAL_CODE_UNKNOWN 1            /* `unknown` has this number in every table that has it */

#define FOCAL_PARTS_MAX 4
struct focal_field {
    uint32_t number;                    /* FOCAL_FIELD(...) */
    const char *name;                   /* "allegation_type" */
    const char *label_en;
    enum focal_type type;
    uint8_t parts;                      /* ROW, ENTRY_CODE: how many code tables; else 1 or 0 */
    uint8_t key_parts;                  /* ENTRY_CODE: the first so many parts are the key */
    const char *part_names[FOCAL_PARTS_MAX];                /* JSON keys of a row: "sex", "age" */
    const struct focal_code_table *tables[FOCAL_PARTS_MAX];
    const char *const *shown_first;     /* display rank of codes, most first, ends with NULL; NULL: code-table order;
                                         * codes not named follow; of an ENTRY_CODE it ranks the first part after the key */
    uint32_t max;                       /* longest text in code points, largest number (0: any), exact length of BYTES */
    enum focal_intake intake;
};
struct focal_kind { uint32_t number; const char *name; const char *plural; const char *label_en; uint8_t creating_scope;
    const struct focal_field *fields; size_t field_count; };

const struct focal_kind  *focal_kind_by_number(uint64_t number);                 /* NULL: needs a newer program */
const struct focal_kind  *focal_kind_by_name(const char *name);                  /* "focal-point" and "focal_point" */
size_t focal_kind_count(void);
const struct focal_kind  *focal_kind_at(size_t i);
const struct focal_field *focal_field_by_number(const struct focal_kind *, uint64_t number);
const struct focal_field *focal_field_by_name(const struct focal_kind *, const char *name);
const struct focal_code  *focal_code_by_number(const struct focal_code_table *, uint64_t number);
const struct focal_code  *focal_code_by_name(const struct focal_code_table *, struct focal_span name);
/* Field numbers that code elsewhere must name. */
enum {
    FOCAL_OPENING_NUMBER = FOCAL_FIELD(1, FOCAL_SCOPE_CONTROL, FOCAL_MERGE_REGISTER),   /* NUMBER */
    FOCAL_OPENING_AUTHOR = FOCAL_FIELD(2, FOCAL_SCOPE_CONTROL, FOCAL_MERGE_REGISTER),   /* BYTES 32 */
    FOCAL_OPENING_EPOCH  = FOCAL_FIELD(3, FOCAL_SCOPE_CONTROL, FOCAL_MERGE_REGISTER),   /* BYTES 16 */
    FOCAL_OPENING_REASON = FOCAL_FIELD(4, FOCAL_SCOPE_CONTROL, FOCAL_MERGE_REGISTER),   /* CODE: first, restored, moved, … */
    FOCAL_ADDRESS_OFFICE = FOCAL_FIELD(5, FOCAL_SCOPE_CONTROL, FOCAL_MERGE_REGISTER),   /* TEXT: office code */
    FOCAL_ADDRESS_AT     = FOCAL_FIELD(6, FOCAL_SCOPE_CONTROL, FOCAL_MERGE_SET),        /* TEXT: host:port, [v6]:port */
    /* A redaction stands in the notices lane of the scope it erases, whatever that scope's class. */
    FOCAL_REDACTION_ENTRY  = FOCAL_FIELD(7, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET),      /* REF: an entry */
    FOCAL_REDACTION_RECORD = FOCAL_FIELD(8, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET),      /* REF: a record, by its creating entry */
    FOCAL_REDACTION_REASON = FOCAL_FIELD(9, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER), /* CODE: survivor_request, … */
    FOCAL_REDACTION_REACH  = FOCAL_FIELD(10, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER), /* CODE: everywhere */
    FOCAL_CODE_EVERYWHERE  = 2,                                                         /* of `reach` */
    /* Of a case. What they mean together: "withdrawn records" in merge.h. */
    FOCAL_CASE_WITHDRAWN   = FOCAL_FIELD(40, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER),    /* CODE: why, or "restored" */
    FOCAL_CASE_SAW         = FOCAL_FIELD(41, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET),         /* BYTES 8 */
    FOCAL_CASE_SAW_NETWORK = FOCAL_FIELD(42, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET),         /* BYTES 8 */
    FOCAL_CASE_SAW_COUNTRY = FOCAL_FIELD(43, FOCAL_SCOPE_COUNTRY, FOCAL_MERGE_SET),         /* BYTES 8 */
    FOCAL_CODE_RESTORED    = 6                                                              /* of `withdrawn` */
};

/* ---- values ----------------------------------------------------------------------------------------------------------- */

/* Text of one value -> canonical bytes, appended. Refuses (FOCAL_REFUSED) what the schema and the anonymity guard do
 * not let in at intake: unknown codes (naming the nearest), absurd dates (before 1945-01-01, after `today` + 1),
 * over-long text, digits runs, addresses, URLs outside URL fields, free text where none belongs; and every value of a field
 * that a command of its own writes. Of a sealed field it gives what is to be sealed: node/change.c seals it, and no log takes
 * it before that. err names field, value, rule, next step. On failure `out` is as before, except that it may be marked
 * failed (NO_MEMORY). `today` = days since 1970-01-01 by the caller's clock; it decides at intake only. */
FOCAL_MUST_USE enum focal_status focal_value_parse(struct focal_buf *out, const struct focal_field *,
                                                   struct focal_span text, uint32_t today, struct focal_error *err);
/* A sealed field as it is once opened: the same, but of class local, for what was opened never leaves the node. Every function
 * here that takes a field and a value takes that pair for an opened value, and the field itself for the sealed bytes. */
struct focal_field focal_field_opened(const struct focal_field *);
/* Canonical bytes -> text, appended. Never fails: what this program does not understand prints as "?" and hex. */
void focal_value_print(struct focal_buf *out, const struct focal_field *, struct focal_span value);
/* Does this program understand the value (syntax of its type and known codes)? */
bool focal_value_known(const struct focal_field *, struct focal_span value);
bool focal_value_is_unknown(const struct focal_field *, struct focal_span value);   /* the code or date `unknown` */
/* Splits a map value into key and value. False if malformed. */
bool focal_map_value_split(struct focal_span value, struct focal_span *key, struct focal_span *rest);
/* Parts of a CODE, ROW, ENTRY_CODE or EVENT (its code alone) as code numbers, absent = 0. False if malformed. */
bool focal_value_codes(const struct focal_field *, struct focal_span value, uint32_t codes[FOCAL_PARTS_MAX]);

/* ---- dates -------------------------------------------------------------------------------------------------------------- */

bool     focal_date_parse(uint32_t *days_0001, struct focal_span text);   /* YYYY-MM-DD, days since 0001-01-01 */
void     focal_date_print(char out[16], uint32_t days_0001);
uint32_t focal_date_from_unix_days(uint32_t days_1970);
void     focal_date_parts(uint32_t days_0001, int *year, int *month, int *day);
bool     focal_quarter_parse(uint32_t *quarter, struct focal_span text);  /* year * 4 + quarter - 1 */
void     focal_quarter_print(char out[12], uint32_t quarter);
uint32_t focal_quarter_of_date(uint32_t days_0001);

/* ---- reference codes: what people read aloud -------------------------------------------------------------------------------- */

/* KEN-4F7Q-29XD-0: office code, 40 bits of H("focal code 1", reference) as 8 Crockford base-32 characters, one check
 * character: sum of a^(i+1) * v_i over GF(32) (a = x, polynomial x^5 + x^2 + 1; v = low 5 bits of each character of
 * the office code, then the 8 values), which catches every single slip and every swap of unequal neighbours.
 * Reading ignores case, takes O for 0, I and L for 1, and forgives missing dashes after the office code. */
void focal_code_print(char out[32], const struct focal_office *, uint64_t short40);
/* MALFORMED: not of this shape; REFUSED: the check character says it is mistyped. */
FOCAL_MUST_USE enum focal_status focal_code_parse(struct focal_office *, uint64_t *short40, struct focal_span text);

/* ---- countries ---------------------------------------------------------------------------------------------------------------- */

bool focal_country_known(const char alpha3[4]);         /* ISO 3166-1 alpha-3, table of 249 built in */
const char *focal_country_name(const char alpha3[4]);   /* NULL if not known */

#endif
