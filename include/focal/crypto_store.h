/* crypto_store: the keys of an office's store, and how they lie on its disk (second door of room crypto).
 *
 * A store key encrypts the pages of the database (room store does that) and, by a key derived from it, the small files
 * beside it: the office's private keys, what outlives the database.
 * The file that holds store keys is wrapped by a passphrase, by a credential that the system hands over at start, by both,
 * or by nothing.
 * Not here: where the files are (daemon), pages (store), chance: every random byte is an argument.
 * Memory: caller owns all; secrets are wiped with focal_wipe. Threads: pure after focal_crypto_init. */
#ifndef FOCAL_CRYPTO_STORE_H
#define FOCAL_CRYPTO_STORE_H

#include "focal/crypto.h"

enum { FOCAL_STORE_ID_BYTES = 16, FOCAL_STORE_KEY_BYTES = 32 };

/* id: in the associated data of every page, so that pages of two stores are never taken for one another. */
struct focal_store_key { uint8_t id[FOCAL_STORE_ID_BYTES], secret[FOCAL_STORE_KEY_BYTES]; };

/* In rest there is one. While a store is given a new key there are two, the old one first, until all is under the new.
 * take_over: what stands beside is still in clear, of a program that did not encrypt; only then may it be. */
enum { FOCAL_STORE_KEYS_MAX = 2 };
struct focal_store_keys { struct focal_store_key list[FOCAL_STORE_KEYS_MAX]; size_t count; bool take_over; };

void focal_store_key_make(struct focal_store_key *, const uint8_t random[FOCAL_STORE_ID_BYTES + FOCAL_STORE_KEY_BYTES]);

/* ---- the file of store keys ---- */

enum focal_wrap { FOCAL_WRAP_PLAIN, FOCAL_WRAP_PASSPHRASE, FOCAL_WRAP_CREDENTIAL, FOCAL_WRAP_BOTH };
#define FOCAL_WRAP_RANDOM_BYTES 40
#define FOCAL_CREDENTIAL_LEAST 16       /* bytes of a credential: it is not stretched */

bool focal_wrap_asks(enum focal_wrap);                  /* for a passphrase */
bool focal_wrap_has_credential(enum focal_wrap);
const char *focal_wrap_word(enum focal_wrap);           /* "plain", "passphrase", "credential", "both" */
bool focal_wrap_parse(enum focal_wrap *, const char *word);

/* What the way of wrapping does not ask for is not looked at. With a passphrase: Argon2id (ops 2, 64 MiB), slow on
 * purpose, so off the loop. Text form "focal-store-key-1 <word> <base64url>\n". NO_MEMORY. */
FOCAL_MUST_USE enum focal_status focal_store_keys_wrap(struct focal_buf *file, const struct focal_store_keys *, enum focal_wrap,
    struct focal_span passphrase, struct focal_span credential, const uint8_t random[FOCAL_WRAP_RANDOM_BYTES]);
/* MALFORMED: no such file. */
FOCAL_MUST_USE enum focal_status focal_store_keys_wrapped_by(enum focal_wrap *, struct focal_span file);
/* DENIED: wrong passphrase or credential, or a changed file. MALFORMED. NO_MEMORY. */
FOCAL_MUST_USE enum focal_status focal_store_keys_unwrap(struct focal_store_keys *, struct focal_span file,
    struct focal_span passphrase, struct focal_span credential);

/* ---- small files under a store key ---- */

#define FOCAL_SEALED_RANDOM_BYTES 24
/* Text form "focal-sealed-1 <base64url>\n"; name: of the file, so that one is not taken for another. */
FOCAL_MUST_USE enum focal_status focal_store_seal(struct focal_buf *text, const struct focal_store_key *, const char *name,
    struct focal_span plain, const uint8_t random[FOCAL_SEALED_RANDOM_BYTES]);
bool focal_store_is_sealed(struct focal_span text);
/* With whichever of the keys it was sealed. DENIED: none of them, another file, or changed. MALFORMED. */
FOCAL_MUST_USE enum focal_status focal_store_unseal(struct focal_buf *plain, const struct focal_store_keys *, const char *name,
    struct focal_span text);

#endif
