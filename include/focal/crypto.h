/* crypto: everything that needs a key or a hash.
 *
 * Here: H(parts) and the hashes of the log, salts and commitments, node keys, authority key, statements (genesis,
 * certificate, cut), signatures of segment heads and receipts, Noise handshake and channel, sealed boxes, invitations, the
 * eight words.
 * Not here: which statement counts (oplog), sockets, chance: every random byte is an argument. libsodium calls that
 * draw chance inside are banned.
 * Sources: Noise Protocol Framework rev. 34; RFC 7693 (BLAKE2); RFC 8032 (Ed25519); RFC 7748 (X25519); RFC 8439.
 * Memory: caller owns all. Secrets are wiped by the *_wipe functions. Threads: pure after focal_crypto_init. */
#ifndef FOCAL_CRYPTO_H
#define FOCAL_CRYPTO_H

#include "focal/model.h"

FOCAL_MUST_USE enum focal_status focal_crypto_init(void);     /* once per process, before anything else here */
void focal_wipe(void *, size_t);
/* Zeroed memory for keys that stand for longer than a call: its own pages between guard pages, locked as far as RLIMIT_MEMLOCK
 * goes, wiped by _free (which takes NULL). NULL: none. A page or two each, so not for what is many. Source: libsodium, sodium_malloc. */
void *focal_secret_alloc(size_t bytes);
void focal_secret_free(void *);
bool focal_secret_equal(const void *, const void *, size_t);  /* constant time */

/* ---- H(parts) ------------------------------------------------------------------------------------------------------- */

/* BLAKE2b-256 over the parts, each preceded by its length as 2 bytes big-endian (a part is at most 65,535 bytes). */
void focal_hash_parts(struct focal_hash *out, const struct focal_span *parts, size_t count);
/* Unkeyed BLAKE2b of plain bytes, out_len 16..64; with key (may be empty, at most 64 bytes). */
void focal_blake2b(uint8_t *out, size_t out_len, struct focal_span key, struct focal_span bytes);

void focal_scope_id(struct focal_hash *out, const struct focal_hash *network, const struct focal_scope *);
void focal_log_id(struct focal_id *out, const struct focal_hash *network, const struct focal_log_name *);
uint64_t focal_short_code(const struct focal_ref *);          /* 40 bits of H("focal code 1", ref bytes) */
void focal_epoch_id(struct focal_id *out, const uint8_t random[32], struct focal_span machine_id,
                    struct focal_span boot_id, const struct focal_hash *previous_head);

/* ---- the chain of a log (PROTOCOL §4) ---------------------------------------------------------------------------------- */

#define FOCAL_SALT_BYTES 16
void focal_chain_start(struct focal_hash *h0, const struct focal_id *log);
void focal_salt_from_seed(uint8_t salt[FOCAL_SALT_BYTES], const uint8_t seed[16], uint64_t seq);
void focal_commitment(struct focal_hash *c, const uint8_t salt[FOCAL_SALT_BYTES], struct focal_span payload);
/* h_i from h_(i-1); out may be the same object as before. */
void focal_chain_next(struct focal_hash *out, const struct focal_hash *before, const struct focal_id *log,
                      struct focal_span header, const struct focal_hash *c);

/* ---- keys ---------------------------------------------------------------------------------------------------------------- */

#define FOCAL_FORMER_KEYS_MAX 31
struct focal_node_keys {                /* one office's three key pairs; secret halves never leave the node */
    struct focal_key sign_public, channel_public, open_public;
    uint8_t sign_secret[64], channel_secret[32], open_secret[32];
    /* Opening keys of earlier certificates, the newest first: what was sealed to them is opened by nothing else. */
    struct focal_key former_public[FOCAL_FORMER_KEYS_MAX]; uint8_t former_secret[FOCAL_FORMER_KEYS_MAX][32];
    size_t former_count;
};
struct focal_public_keys { struct focal_key sign, channel, open; };
void focal_node_keys_make(struct focal_node_keys *, const uint8_t random[96]);
void focal_node_keys_public(struct focal_public_keys *, const struct focal_node_keys *);
/* Another opening key; the one until now becomes a former one. TOO_BIG: there are as many of those as there can be. */
FOCAL_MUST_USE enum focal_status focal_node_keys_renew_opening(struct focal_node_keys *, const uint8_t random[32]);
/* Canonical bytes of the key file's inner part: 96, and 32 for each former opening key. decode recomputes publics and refuses
 * what does not fit. */
#define FOCAL_NODE_KEYS_BYTES 96
#define FOCAL_NODE_KEYS_BYTES_MAX (FOCAL_NODE_KEYS_BYTES + FOCAL_FORMER_KEYS_MAX * 32)
void focal_node_keys_encode(struct focal_buf *, const struct focal_node_keys *);
FOCAL_MUST_USE enum focal_status focal_node_keys_decode(struct focal_node_keys *, struct focal_span);
void focal_node_keys_wipe(struct focal_node_keys *);

struct focal_sign_key { struct focal_key public; uint8_t secret[64]; };      /* authority, recovery */
void focal_sign_key_make(struct focal_sign_key *, const uint8_t seed[32]);
void focal_sign_key_wipe(struct focal_sign_key *);
/* Authority key file: Argon2id (ops 2, 64 MiB) over the passphrase, XChaCha20-Poly1305 over the seeds. Slow on purpose:
 * run it off the loop. Text form "focal-authority-1 <base64url>\n". DENIED: wrong passphrase (or changed file). */
FOCAL_MUST_USE enum focal_status focal_authority_lock(struct focal_buf *file, const uint8_t authority_seed[32],
    struct focal_span passphrase, const uint8_t random[40]);
FOCAL_MUST_USE enum focal_status focal_authority_unlock(uint8_t authority_seed[32], struct focal_span file,
    struct focal_span passphrase);

/* Ed25519 over H(parts): every signature of the project is over a domain-separated hash that holds the network id. */
void focal_sign(struct focal_signature *out, const uint8_t secret[64], const struct focal_span *parts, size_t count);
FOCAL_MUST_USE bool focal_verify(const struct focal_signature *, const struct focal_key *,
                                 const struct focal_span *parts, size_t count);
/* ("focal head 1", network, log, seq, h) */
void focal_sign_head(struct focal_signature *, const uint8_t secret[64], const struct focal_hash *network,
                     const struct focal_id *log, const struct focal_tip *);
FOCAL_MUST_USE bool focal_verify_head(const struct focal_signature *, const struct focal_key *author,
                     const struct focal_hash *network, const struct focal_id *log, const struct focal_tip *);

/* ---- statements (PROTOCOL §3) --------------------------------------------------------------------------------------------- */

/* body := varint kind, items in strictly ascending tags. Signed by the authority, or a renewal by the key that the authority
 * gave for that, over ("focal statement 1", network id, body), genesis
 * with 32 zero bytes as id; network id = H("focal statement 1", 32 zero bytes, body of genesis). A statement's hash =
 * H("focal statement 1", network id, body). Carried as: signature 64, body. Unknown kinds and items from 16 up are kept, but for
 * one: item 64 of any kind is the key of a later authority, by whom it is signed. So its bytes alone say whose signature must
 * stand there; whether that authority's word counts is decided where the set is held. */
enum focal_statement_kind { FOCAL_STATEMENT_GENESIS = 1, FOCAL_STATEMENT_CERTIFICATE = 2, FOCAL_STATEMENT_CUT = 3,
    FOCAL_STATEMENT_RENEWAL = 4, FOCAL_STATEMENT_DELEGATION = 5,
    FOCAL_STATEMENT_POLICY = 6, FOCAL_STATEMENT_AUTHORITY = 7 /* 8, 9: later work */ };
#define FOCAL_STATEMENT_MAX 8192
#define FOCAL_CERTIFICATE_SCOPES_MAX 64
enum focal_role { FOCAL_ROLE_OFFICE = 1, FOCAL_ROLE_HQ = 2 };
enum focal_rights { FOCAL_RIGHT_REDACT = 1 };

struct focal_genesis {
    char label[64];                     /* network's name for people */
    struct focal_key authority, recovery;
    uint8_t follow_up_salt[16];         /* PROTOCOL §10 */
    bool expiry_stops;                  /* expiry stops sessions, or only warns */
    uint32_t day;                       /* made on, days since 1970 */
};
struct focal_certificate {
    struct focal_office office;
    char entity[64];
    uint8_t role;
    uint32_t rights;
    struct focal_scope read[FOCAL_CERTIFICATE_SCOPES_MAX], write[FOCAL_CERTIFICATE_SCOPES_MAX];
    size_t read_count, write_count;     /* decoded: sorted, unique; encoding sorts and drops doubles itself */
    struct focal_public_keys keys;
    bool follows_set; struct focal_key follows;         /* the sign key it follows (rotation) */
    uint64_t number;                    /* per subject; the subject is the office code */
    uint32_t from_day, to_day;          /* days since 1970 */
    uint32_t openings_max;              /* highest opening number allowed */
    bool invitation_set; uint64_t invitation;           /* the invitation it answers */
};
/* A cut takes rights from a signing key: what it wrote counts up to the good tips, and no further. For each key and reach the
 * highest number counts, equal numbers as their intersection; which entries that leaves is said in PROTOCOL §3. */
enum focal_reach_kind { FOCAL_REACH_UNKNOWN = 0, FOCAL_REACH_EVERYTHING = 1, FOCAL_REACH_SCOPE = 2, FOCAL_REACH_RIGHT = 3 };
struct focal_reach { uint8_t kind; struct focal_scope scope; uint32_t right; };     /* the two others are zero */
enum focal_cut_reason { FOCAL_CUT_RETIRED = 1, FOCAL_CUT_REVOKED = 2, FOCAL_CUT_KEY_STOLEN = 3, FOCAL_CUT_NARROWED = 4 };
#define FOCAL_CUT_TIP_BYTES 56
#define FOCAL_CUT_TIPS_MAX 140
struct focal_cut_tip { struct focal_id log; struct focal_tip tip; };
struct focal_cut {
    struct focal_office office;         /* whose key it is: for people, and for finding it */
    struct focal_key key;
    struct focal_reach reach;
    uint64_t number;                    /* per key and reach */
    struct focal_span tips;             /* n x 56; decoded: sorted, unique, in the statement's bytes; encoding sorts and drops doubles */
    uint32_t day;
    uint8_t reason;
};
/* A delegation gives an office a key that may put off the last day of memberships, and nothing else; of an office the highest
 * number counts. A renewal does that for one certificate. What both come to is derived where the set is held. */
#define FOCAL_DELEGATION_MAX 512        /* the whole statement */
struct focal_delegation {
    struct focal_office office;         /* who keeps the key */
    bool key_set; struct focal_key key; /* not set: nobody may any more */
    uint64_t number;                    /* per office */
    uint32_t until_day;                 /* no renewal reaches beyond it */
    uint32_t day;                       /* made on */
};
struct focal_renewal {
    struct focal_office office;
    struct focal_hash certificate;      /* which it extends */
    uint64_t number;                    /* per certificate */
    uint32_t to_day, openings_max;
    uint32_t day;                       /* made on */
    struct focal_span delegation;       /* the whole statement; empty: signed by the authority itself. Decoded: in the statement's bytes */
    struct focal_delegation by;         /* what stands in it; encoding looks at the bytes alone */
    bool by_signer_set; struct focal_key by_signer;     /* its item 64 */
};
/* A new authority, signed by the recovery key: of several the highest number counts, then the smaller hash. From then on of what
 * other authority keys signed only that counts which the list names. */
#define FOCAL_SUCCESSION_SUBJECT "authority"
#define FOCAL_SUCCESSION_GOOD_MAX 240
struct focal_succession {
    uint64_t number;
    struct focal_key key;
    struct focal_span good;             /* n x 32; decoded: sorted, unique, in the statement's bytes; encoding sorts and drops doubles */
    uint32_t day;                       /* made on */
};
/* What the authority wants everywhere in the network; of a name the highest number counts. */
#define FOCAL_POLICY_TWO_PERSONS "two-persons"
enum { FOCAL_POLICY_TWO_REDACT = 1, FOCAL_POLICY_TWO_EXPORT = 2, FOCAL_POLICY_TWO_REVOKE = 4, FOCAL_POLICY_TWO_VEIL = 8 };
struct focal_policy { char name[32]; uint64_t number, value; uint32_t day; };
struct focal_statement {                /* decoded head of any statement */
    uint64_t kind;
    struct focal_span body;
    struct focal_span subject;          /* its first item, whatever kind it is, where that bears tag 1: what it is about */
    struct focal_signature signature;
    bool signer_set; struct focal_key signer;           /* item 64 */
    union {
        struct focal_genesis genesis; struct focal_certificate certificate; struct focal_cut cut;
        struct focal_renewal renewal; struct focal_delegation delegation; struct focal_policy policy;
        struct focal_succession succession;
    } is;
    bool newer;
};
void focal_genesis_encode(struct focal_buf *body, const struct focal_genesis *);
void focal_certificate_encode(struct focal_buf *body, const struct focal_certificate *);
void focal_cut_encode(struct focal_buf *body, const struct focal_cut *);
void focal_renewal_encode(struct focal_buf *body, const struct focal_renewal *);
void focal_delegation_encode(struct focal_buf *body, const struct focal_delegation *);
void focal_policy_encode(struct focal_buf *body, const struct focal_policy *);
void focal_succession_encode(struct focal_buf *body, const struct focal_succession *);
bool focal_succession_keeps(const struct focal_succession *, const struct focal_hash *statement);
/* Adds item 64 to a body that is made: it will be signed by this later authority. */
void focal_statement_by(struct focal_buf *body, const struct focal_key *signer);
/* The key that a delegation gives this office: made from its signing key, so that it stands and falls with that. */
void focal_renewal_key(struct focal_sign_key *, const struct focal_node_keys *);
void focal_cut_tip_put(struct focal_buf *tips, const struct focal_cut_tip *);
size_t focal_cut_tip_count(const struct focal_cut *);
void focal_cut_tip_get(struct focal_cut_tip *, const struct focal_cut *, size_t i);
bool focal_reach_equal(const struct focal_reach *, const struct focal_reach *);
void focal_statement_sign(struct focal_buf *statement, const uint8_t secret[64], const struct focal_hash *network,
                          struct focal_span body);           /* network NULL for genesis */
FOCAL_MUST_USE enum focal_status focal_statement_decode(struct focal_statement *, struct focal_span bytes);   /* form only */
/* The hash of a genesis is its own network's id whatever network is given (it may be NULL for a genesis only). */
void focal_statement_hash(struct focal_hash *, const struct focal_hash *network, struct focal_span body);
void focal_network_id(struct focal_hash *, struct focal_span genesis_body);
/* A genesis is verified by the key in it: then authority and network, where not NULL, must be its own. */
FOCAL_MUST_USE bool focal_statement_verify(const struct focal_statement *, const struct focal_key *authority,
                                           const struct focal_hash *network);
/* Which key of the network's must have signed it, or its delegation. Whether what that key signs counts is another question. */
const struct focal_key *focal_statement_signer(const struct focal_statement *, const struct focal_genesis *);
bool focal_certificate_lists(const struct focal_scope *list, size_t count, const struct focal_scope *);

/* ---- the recovery sheet ------------------------------------------------------------------------------------------------------ */

void focal_sheet_print(struct focal_buf *, const char *label, const struct focal_office *headquarters, const struct focal_hash *network,
                       const uint8_t recovery_seed[32], const uint8_t channel_secret[32]);
/* What of it makes a new authority; secret. The network's id is there unless someone typed the key alone. */
struct focal_sheet { uint8_t recovery[32]; bool network_set; struct focal_hash network; };
FOCAL_MUST_USE enum focal_status focal_sheet_read(struct focal_sheet *, struct focal_span text, struct focal_error *);

/* ---- Noise ------------------------------------------------------------------------------------------------------------------ */

/* Patterns are data, so that the published vectors of all six exercise one machine. */
enum focal_noise_pattern { FOCAL_NOISE_IK, FOCAL_NOISE_XX, FOCAL_NOISE_XK, FOCAL_NOISE_IKpsk2, FOCAL_NOISE_XXpsk3, FOCAL_NOISE_XKpsk3 };
#define FOCAL_NOISE_MAX 65535
#define FOCAL_NOISE_TAG 16

struct focal_cipher { uint8_t key[32]; uint64_t n; bool set; };
struct focal_noise {                    /* a handshake under way; copied as a value for the psk candidates */
    uint8_t ck[32], h[32];
    struct focal_cipher cipher;
    uint8_t s_secret[32], e_secret[32], psk[32];
    struct focal_key s_public, e_public, rs, re;
    bool rs_set, re_set, psk_set, initiator;
    uint8_t pattern, message;           /* next message's index */
};
/* s_secret: our static secret key; rs: the other's static public key if the pattern knows it before (else NULL);
 * e_random: our ephemeral secret; psk may be NULL here and set later by the responder, before message 3 is read. */
void focal_noise_init(struct focal_noise *, enum focal_noise_pattern, bool initiator, struct focal_span prologue,
                      const uint8_t s_secret[32], const struct focal_key *rs, const uint8_t e_random[32], const uint8_t psk[32]);
FOCAL_MUST_USE enum focal_status focal_noise_write(struct focal_noise *, struct focal_buf *out, struct focal_span payload);
/* NEVER: does not authenticate or has a bad length; the object is then good only for focal_wipe. Payload appended. */
FOCAL_MUST_USE enum focal_status focal_noise_read(struct focal_noise *, struct focal_buf *payload, struct focal_span message);
/* Reads message 3 of XKpsk3, without a payload, against each candidate psk on a copy; *which is the index that authenticated.
 * Takes the same work for every candidate. */
FOCAL_MUST_USE enum focal_status focal_noise_read_candidates(struct focal_noise *, size_t *which,
    const uint8_t (*psks)[32], size_t count, struct focal_span message);
/* The static key that message 3 carries, before any psk is tried. False when it does not authenticate. */
bool focal_noise_peek_static(const struct focal_noise *, struct focal_key *rs, struct focal_span message3);
bool focal_noise_done(const struct focal_noise *);

struct focal_channel {                  /* two directions after the handshake */
    struct focal_cipher send, receive;
    struct focal_hash handshake;        /* handshake hash: binds JOIN, keys the short hashes */
};
void focal_channel_open(struct focal_channel *, struct focal_noise *);        /* wipes the handshake */
/* REKEY before use when n > 0 and n mod 1000 = 0, n goes on (per direction). out: ciphertext and tag, appended. */
FOCAL_MUST_USE enum focal_status focal_channel_seal(struct focal_channel *, struct focal_buf *out, struct focal_span plain);
FOCAL_MUST_USE enum focal_status focal_channel_unseal(struct focal_channel *, struct focal_buf *plain, struct focal_span frame);

/* Our prologue: "focal" and the network id, nothing that ever changes. */
void focal_prologue(uint8_t out[37], const struct focal_hash *network);

/* ---- joining -------------------------------------------------------------------------------------------------------------------- */

#define FOCAL_PSK_BYTES 16              /* of an invitation; widened to 32 by H("focal psk 1", network, psk) */
#define FOCAL_ADDRESSES_MAX 8
struct focal_invitation {
    struct focal_hash network;
    struct focal_span genesis;          /* the whole statement (signature, body) */
    struct focal_key listener;          /* channel key of who invites */
    uint8_t psk[FOCAL_PSK_BYTES];
    uint64_t number;
    struct focal_office office;
    char country[4];                    /* may be "" */
    char addresses[FOCAL_ADDRESSES_MAX][64]; size_t address_count;
    uint32_t expires_day;
    bool may_redact;                    /* a right that goes into the certificate: kept by who invites, not in the token */
};
void focal_invitation_encode(struct focal_buf *text, const struct focal_invitation *);     /* "focal1-<base64url>" with a 4-byte check */
/* bytes: backing store of genesis; MALFORMED names what is wrong (cut short, mistyped, not a token) in err. */
FOCAL_MUST_USE enum focal_status focal_invitation_decode(struct focal_invitation *, struct focal_buf *bytes,
                                                         struct focal_span text, struct focal_error *err);
void focal_psk_widen(uint8_t out[32], const struct focal_hash *network, const uint8_t psk[FOCAL_PSK_BYTES]);

/* First 64 bits of H("focal words 1", network, invitation number, sign, channel, open), one word per byte from two lists
 * of 256 (even and odd places). words[i] points to static text. */
void focal_eight_words(const char *words[8], const struct focal_hash *network, uint64_t invitation,
                       const struct focal_public_keys *);
/* Compares what a person typed: any case, any mix of spaces, commas, dashes and line ends between words, each word whole or
 * by its first four letters or more. 0: all eight are right; else the place, 1 to 8, of the first that is not, or 9 when
 * something follows the eighth. */
int focal_eight_words_check(struct focal_span typed, const char *const words[8]);
/* JOIN's signature: ("focal join 1", network, handshake hash, the three keys) */
void focal_join_sign(struct focal_signature *, const struct focal_node_keys *, const struct focal_hash *network,
                     const struct focal_hash *handshake);
FOCAL_MUST_USE bool focal_join_verify(const struct focal_signature *, const struct focal_public_keys *,
                     const struct focal_hash *network, const struct focal_hash *handshake);

/* Sealed box with given chance: X25519 + XSalsa20-Poly1305, nonce = BLAKE2b-192(ephemeral ‖ recipient); 48 bytes longer. */
FOCAL_MUST_USE enum focal_status focal_box_seal(struct focal_buf *out, struct focal_span plain, const struct focal_key *to, const uint8_t random[32]);
FOCAL_MUST_USE enum focal_status focal_box_open(struct focal_buf *out, struct focal_span sealed, const struct focal_node_keys *);

/* ---- sealed values ------------------------------------------------------------------------------------------------------------- */

/* A value sealed to offices (its form: model.h). What is sealed belongs to one record, one field and one author: moved to
 * another of these it does not open. The author is named by its code, so that it may come to sign with another key. */
struct focal_sealed_place { struct focal_hash network; struct focal_ref record; uint64_t field; struct focal_office author; };
/* to: opening keys, 1 to FOCAL_SEALED_ADDRESSEES_MAX; one that is named twice counts once. random is used up: never the same
 * twice. TOO_BIG: more than can be sealed. NEVER: one of the keys is none. On failure `out` is as before. */
FOCAL_MUST_USE enum focal_status focal_sealed_seal(struct focal_buf *out, struct focal_span plain, const struct focal_sealed_place *,
                                                   const struct focal_key *to, size_t to_count, const uint8_t random[32]);
/* With the present opening key or a former one. NOT_FOUND: it is sealed to others. NEVER: it is sealed to this office and does
 * not open: moved, changed, or not written as it should be. MALFORMED, UNSUPPORTED: as decoding says. */
FOCAL_MUST_USE enum focal_status focal_sealed_open(struct focal_buf *out, struct focal_span sealed, const struct focal_sealed_place *,
                                                   const struct focal_node_keys *);

/* ---- receipts ---------------------------------------------------------------------------------------------------------------------- */

/* A peer's signed word that something is durable there. body := canonical bytes of all but the signature;
 * signed over ("focal receipt 1", network, body). */
#define FOCAL_RECEIPT_MAX (16 * 1024)   /* body */
#define FOCAL_RECEIPT_HEADS_MAX 256     /* so that a receipt fits one message; more changed heads make several receipts */
struct focal_receipt_head { struct focal_id log; struct focal_tip tip; };     /* 56 bytes each, sorted by bytes */
struct focal_receipt {
    struct focal_office office;
    struct focal_key signer;
    struct focal_id epoch;
    struct focal_hash scope;
    uint64_t number;                    /* in that scope and epoch, from 1 */
    uint32_t day;                       /* days since 1970 by the signer's clock */
    struct focal_hash statements;       /* hash of the statement set */
    struct focal_span heads;            /* n x 56: heads that changed; the first of an epoch lists all */
};
void focal_receipt_encode(struct focal_buf *body, const struct focal_receipt *);
FOCAL_MUST_USE enum focal_status focal_receipt_decode(struct focal_receipt *, struct focal_span body);
size_t focal_receipt_head_count(const struct focal_receipt *);
void focal_receipt_head(struct focal_receipt_head *, const struct focal_receipt *, size_t i);
void focal_receipt_sign(struct focal_signature *, const uint8_t secret[64], const struct focal_hash *network, struct focal_span body);
FOCAL_MUST_USE bool focal_receipt_verify(const struct focal_signature *, const struct focal_key *, const struct focal_hash *network, struct focal_span body);

#endif
