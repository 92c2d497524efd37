/* The file of store keys, and small files under a store key.
 *
 * keys file  := "focal-store-key-1 " word " " base64url(salt 16, nonce 24, sealed(record) + 16) "\n"
 * plain      := "focal-store-key-1 plain " base64url(record) "\n"
 * record     := flags 1, count 1, count x (id 16, secret 32)
 * small file := "focal-sealed-1 " base64url(id 16, nonce 24, sealed(plain) + 16) "\n"
 * What stands before the base64url is the additional data, so that neither kind can be relabelled as the other. */
#include "focal/crypto_store.h"

#include <sodium.h>
#include <string.h>

#define FORM "focal-store-key-1 "
#define SEALED_FORM "focal-sealed-1 "

enum {
    SALT = crypto_pwhash_SALTBYTES,
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    KEY = FOCAL_STORE_KEY_BYTES,
    ENTRY = FOCAL_STORE_ID_BYTES + FOCAL_STORE_KEY_BYTES,
    RECORD_MAX = 2 + FOCAL_STORE_KEYS_MAX * ENTRY,
    FLAG_TAKE_OVER = 1,
    FILE_BYTES_MAX = 2048
};
_Static_assert(SALT + NONCE == FOCAL_WRAP_RANDOM_BYTES, "the door asks for that many random bytes");
_Static_assert(NONCE == FOCAL_SEALED_RANDOM_BYTES, "and here");

static const char *const words[] = { [FOCAL_WRAP_PLAIN] = "plain", [FOCAL_WRAP_PASSPHRASE] = "passphrase",
                                     [FOCAL_WRAP_CREDENTIAL] = "credential", [FOCAL_WRAP_BOTH] = "both" };

bool focal_wrap_asks(enum focal_wrap w) { return w == FOCAL_WRAP_PASSPHRASE || w == FOCAL_WRAP_BOTH; }
bool focal_wrap_has_credential(enum focal_wrap w) { return w == FOCAL_WRAP_CREDENTIAL || w == FOCAL_WRAP_BOTH; }
const char *focal_wrap_word(enum focal_wrap w) { return words[w]; }

bool focal_wrap_parse(enum focal_wrap *w, const char *word)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], word) == 0) {
            *w = (enum focal_wrap)i;
            return true;
        }
    }
    return false;
}

void focal_store_key_make(struct focal_store_key *key, const uint8_t random[ENTRY])
{
    memcpy(key->id, random, sizeof key->id);
    memcpy(key->secret, random + sizeof key->id, sizeof key->secret);
}

/* ---- the record ---- */

static size_t put_record(uint8_t out[RECORD_MAX], const struct focal_store_keys *keys)
{
    uint8_t *at = out;
    focal_assert(keys->count > 0 && keys->count <= FOCAL_STORE_KEYS_MAX);
    *at++ = keys->take_over ? FLAG_TAKE_OVER : 0;
    *at++ = (uint8_t)keys->count;
    for (size_t i = 0; i < keys->count; i++, at += ENTRY) {
        memcpy(at, keys->list[i].id, FOCAL_STORE_ID_BYTES);
        memcpy(at + FOCAL_STORE_ID_BYTES, keys->list[i].secret, FOCAL_STORE_KEY_BYTES);
    }
    return (size_t)(at - out);
}

static enum focal_status get_record(struct focal_store_keys *keys, struct focal_span in)
{
    memset(keys, 0, sizeof *keys);
    if (in.len < 2 || in.data[0] > FLAG_TAKE_OVER || in.data[1] < 1 || in.data[1] > FOCAL_STORE_KEYS_MAX
        || in.len != 2 + (size_t)in.data[1] * ENTRY)
        return FOCAL_MALFORMED;
    keys->take_over = in.data[0] & FLAG_TAKE_OVER;
    keys->count = in.data[1];
    for (size_t i = 0; i < keys->count; i++)
        focal_store_key_make(&keys->list[i], in.data + 2 + i * ENTRY);
    return FOCAL_OK;
}

/* ---- wrapping ---- */

/* The passphrase is stretched; the credential is a key already, and only brought to length. */
static enum focal_status wrapping_key(uint8_t key[KEY], enum focal_wrap by, struct focal_span passphrase,
                                      struct focal_span credential, const uint8_t salt[SALT])
{
    static const char none[1] = "";
    uint8_t stretched[KEY] = { 0 };
    if (focal_wrap_asks(by) && crypto_pwhash(stretched, KEY, passphrase.len ? (const char *)passphrase.data : none, passphrase.len,
                                             salt, 2, 64u << 20, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return FOCAL_NO_MEMORY;
    struct focal_hash mixed;
    const struct focal_span parts[] = { focal_span_text("focal store wrap 1"), focal_span_text(words[by]),
        focal_span_of(stretched, sizeof stretched), focal_wrap_has_credential(by) ? credential : focal_span_of(NULL, 0),
        focal_span_of(salt, SALT) };
    focal_hash_parts(&mixed, parts, sizeof parts / sizeof *parts);
    memcpy(key, mixed.b, KEY);
    focal_wipe(&mixed, sizeof mixed);
    focal_wipe(stretched, sizeof stretched);
    return FOCAL_OK;
}

static void put_head(struct focal_buf *out, enum focal_wrap by)
{
    focal_buf_printf(out, FORM "%s ", words[by]);
}

enum focal_status focal_store_keys_wrap(struct focal_buf *file, const struct focal_store_keys *keys, enum focal_wrap by,
                                        struct focal_span passphrase, struct focal_span credential, const uint8_t random[FOCAL_WRAP_RANDOM_BYTES])
{
    uint8_t record[RECORD_MAX], key[KEY], blob[SALT + NONCE + RECORD_MAX + TAG];
    const size_t len = put_record(record, keys), before = file->len;
    enum focal_status status = FOCAL_OK;
    put_head(file, by);
    if (by == FOCAL_WRAP_PLAIN) {
        focal_base64url(file, focal_span_of(record, len));
    } else {
        memcpy(blob, random, SALT + NONCE);
        status = wrapping_key(key, by, passphrase, credential, blob);
        if (status == FOCAL_OK && !file->failed) {
            crypto_aead_xchacha20poly1305_ietf_encrypt(blob + SALT + NONCE, NULL, record, len, file->data + before, file->len - before,
                                                       NULL, blob + SALT, key);
            focal_base64url(file, focal_span_of(blob, SALT + NONCE + len + TAG));
        }
    }
    focal_buf_text(file, "\n");
    if (status == FOCAL_OK && file->failed)
        status = FOCAL_NO_MEMORY;
    focal_wipe(record, sizeof record);
    focal_wipe(key, sizeof key);
    return status;
}

/* Editors add and take line ends; nothing else is forgiven. body: after the head. */
static enum focal_status cut_head(struct focal_span file, enum focal_wrap *by, struct focal_span *head, struct focal_span *body)
{
    while (file.len && (file.data[file.len - 1] == '\n' || file.data[file.len - 1] == '\r'))
        file.len--;
    if (file.len > FILE_BYTES_MAX)
        return FOCAL_MALFORMED;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t form = strlen(FORM), word = strlen(words[i]), len = form + word + 1;
        if (file.len > len && memcmp(file.data, FORM, form) == 0 && memcmp(file.data + form, words[i], word) == 0
            && file.data[len - 1] == ' ') {
            *by = (enum focal_wrap)i;
            *head = focal_span_of(file.data, len);
            *body = focal_span_of(file.data + len, file.len - len);
            return FOCAL_OK;
        }
    }
    return FOCAL_MALFORMED;
}

enum focal_status focal_store_keys_wrapped_by(enum focal_wrap *by, struct focal_span file)
{
    struct focal_span head, body;
    return cut_head(file, by, &head, &body);
}

static enum focal_status open_record(struct focal_store_keys *keys, enum focal_wrap by, struct focal_span head, struct focal_buf *blob,
                                     struct focal_span passphrase, struct focal_span credential)
{
    if (by == FOCAL_WRAP_PLAIN)
        return get_record(keys, focal_buf_view(blob));
    uint8_t key[KEY], record[RECORD_MAX];
    if (blob->len < SALT + NONCE + TAG || blob->len > SALT + NONCE + TAG + RECORD_MAX)
        return FOCAL_MALFORMED;
    enum focal_status status = wrapping_key(key, by, passphrase, credential, blob->data);
    unsigned long long len = 0;
    if (status == FOCAL_OK && crypto_aead_xchacha20poly1305_ietf_decrypt(record, &len, NULL, blob->data + SALT + NONCE, blob->len - SALT - NONCE,
                                                                         head.data, head.len, blob->data + SALT, key) != 0)
        status = FOCAL_DENIED;
    if (status == FOCAL_OK)
        status = get_record(keys, focal_span_of(record, (size_t)len));
    focal_wipe(key, sizeof key);
    focal_wipe(record, sizeof record);
    return status;
}

enum focal_status focal_store_keys_unwrap(struct focal_store_keys *keys, struct focal_span file, struct focal_span passphrase,
                                          struct focal_span credential)
{
    enum focal_wrap by;
    struct focal_span head, body;
    struct focal_buf blob;
    memset(keys, 0, sizeof *keys);
    enum focal_status status = cut_head(file, &by, &head, &body);
    if (status != FOCAL_OK)
        return status;
    focal_buf_init(&blob, FILE_BYTES_MAX);
    if (!focal_unbase64url(&blob, body))
        status = blob.failed ? FOCAL_NO_MEMORY : FOCAL_MALFORMED;
    if (status == FOCAL_OK)
        status = open_record(keys, by, head, &blob, passphrase, credential);
    focal_buf_wipe_close(&blob);
    return status;
}

/* ---- small files ---- */

static void files_key(uint8_t key[KEY], const struct focal_store_key *store)
{
    struct focal_hash h;
    const struct focal_span parts[] = { focal_span_text("focal store files 1"), focal_span_of(store->id, sizeof store->id),
                                        focal_span_of(store->secret, sizeof store->secret) };
    focal_hash_parts(&h, parts, sizeof parts / sizeof *parts);
    memcpy(key, h.b, KEY);
    focal_wipe(&h, sizeof h);
}

static void put_label(struct focal_buf *label, const char *name)
{
    focal_buf_init(label, 256);
    focal_buf_printf(label, SEALED_FORM "%s", name);
}

enum focal_status focal_store_seal(struct focal_buf *text, const struct focal_store_key *store, const char *name, struct focal_span plain,
                                   const uint8_t random[FOCAL_SEALED_RANDOM_BYTES])
{
    uint8_t key[KEY];
    struct focal_buf blob, label;
    put_label(&label, name);
    focal_buf_init(&blob, plain.len + FOCAL_STORE_ID_BYTES + NONCE + TAG);
    uint8_t *at = focal_buf_reserve(&blob, FOCAL_STORE_ID_BYTES + NONCE + plain.len + TAG);
    if (at && !label.failed) {
        memcpy(at, store->id, FOCAL_STORE_ID_BYTES);
        memcpy(at + FOCAL_STORE_ID_BYTES, random, NONCE);
        files_key(key, store);
        crypto_aead_xchacha20poly1305_ietf_encrypt(at + FOCAL_STORE_ID_BYTES + NONCE, NULL, plain.data, plain.len, label.data, label.len, NULL,
                                                   at + FOCAL_STORE_ID_BYTES, key);
        focal_wipe(key, sizeof key);
        focal_buf_text(text, SEALED_FORM);
        focal_base64url(text, focal_span_of(at, blob.len));
        focal_buf_text(text, "\n");
    }
    bool good = at && !label.failed && !text->failed;
    focal_buf_close(&blob);
    focal_buf_close(&label);
    return good ? FOCAL_OK : FOCAL_NO_MEMORY;
}

bool focal_store_is_sealed(struct focal_span text)
{
    const size_t form = strlen(SEALED_FORM);
    return text.len > form && memcmp(text.data, SEALED_FORM, form) == 0;
}

static enum focal_status open_blob(struct focal_buf *plain, const struct focal_store_keys *keys, struct focal_span label, struct focal_span blob)
{
    uint8_t key[KEY];
    const size_t head = FOCAL_STORE_ID_BYTES + NONCE;
    if (blob.len < head + TAG)
        return FOCAL_MALFORMED;
    for (size_t i = 0; i < keys->count; i++) {
        if (memcmp(keys->list[i].id, blob.data, FOCAL_STORE_ID_BYTES) != 0)
            continue;
        uint8_t *to = focal_buf_reserve(plain, blob.len - head - TAG);
        if (!to && blob.len > head + TAG)
            return FOCAL_NO_MEMORY;
        files_key(key, &keys->list[i]);
        int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(to, NULL, NULL, blob.data + head, blob.len - head, label.data, label.len,
                                                            blob.data + FOCAL_STORE_ID_BYTES, key);
        focal_wipe(key, sizeof key);
        return rc == 0 ? FOCAL_OK : FOCAL_DENIED;
    }
    return FOCAL_DENIED;
}

enum focal_status focal_store_unseal(struct focal_buf *plain, const struct focal_store_keys *keys, const char *name, struct focal_span text)
{
    const size_t form = strlen(SEALED_FORM);
    struct focal_buf blob, label;
    focal_buf_clear(plain);
    while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    if (!focal_store_is_sealed(text))
        return FOCAL_MALFORMED;
    put_label(&label, name);
    focal_buf_init(&blob, text.len);
    enum focal_status status = FOCAL_OK;
    if (!focal_unbase64url(&blob, focal_span_of(text.data + form, text.len - form)))
        status = blob.failed ? FOCAL_NO_MEMORY : FOCAL_MALFORMED;
    if (status == FOCAL_OK)
        status = label.failed ? FOCAL_NO_MEMORY : open_blob(plain, keys, focal_buf_view(&label), focal_buf_view(&blob));
    if (status != FOCAL_OK)
        focal_buf_clear(plain);
    focal_buf_close(&blob);
    focal_buf_close(&label);
    return status;
}
