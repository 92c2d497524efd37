/* The keys of the store on the disk, and the small files that are sealed under them.
 *
 *   keys/store.key      the store keys, wrapped by a passphrase, by a credential of the system, by both, or by nothing
 *   keys/node.key       sealed: the office's private keys
 *   keys/network.focal  sealed: what outlives the database */
#include "daemon.h"

#include "focal/store_sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CREDENTIAL "focal-store-key"
enum { KEY_FILE_BYTES_MAX = 4096, CREDENTIAL_BYTES_MAX = 4096, SMALL_FILE_BYTES_MAX = 32 << 20 };

/* ---- the file of store keys ---- */

enum focal_status store_key_path(char out[PATH_BYTES], const char *dir, struct focal_error *err)
{
    return path_join(out, dir, "keys/store.key") ? FOCAL_OK : focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
}

void store_key_draw(struct focal_store_key *key)
{
    uint8_t random[FOCAL_STORE_ID_BYTES + FOCAL_STORE_KEY_BYTES];
    focal_entropy_fill(NULL, random, sizeof random);
    focal_store_key_make(key, random);
    focal_wipe(random, sizeof random);
}

/* What systemd lends for the time of a start: LoadCredential= or LoadCredentialEncrypted=. */
enum focal_status credential_read(struct focal_buf *out, struct focal_error *err)
{
    char path[PATH_BYTES];
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    const char *const how = "give the service LoadCredentialEncrypted=" CREDENTIAL ", or set CREDENTIALS_DIRECTORY to the directory that holds the file " CREDENTIAL;
    if (!dir || dir[0] != '/' || !path_join(path, dir, CREDENTIAL))
        return focal_fail(err, FOCAL_DENIED, how, "the store's key needs the credential " CREDENTIAL ", and the system gave none");
    enum focal_status st = focal_file_read_secret(out, path, CREDENTIAL_BYTES_MAX, err);
    if (st == FOCAL_NOT_FOUND)
        return focal_fail(err, FOCAL_DENIED, how, "there is no credential %s", path);
    if (st == FOCAL_OK && out->len < FOCAL_CREDENTIAL_LEAST)
        return focal_fail(err, FOCAL_DENIED, "make one of 32 bytes drawn by chance", "the credential %s has fewer than %d bytes", path, FOCAL_CREDENTIAL_LEAST);
    return st;
}

enum focal_status store_key_wrap(struct focal_buf *text, const struct store_secret *s, struct focal_span passphrase, struct focal_error *err)
{
    uint8_t random[FOCAL_WRAP_RANDOM_BYTES];
    struct focal_buf credential;
    enum focal_status st = FOCAL_OK;
    focal_buf_init(&credential, CREDENTIAL_BYTES_MAX + 1);
    focal_buf_init(text, KEY_FILE_BYTES_MAX);
    if (focal_wrap_has_credential(s->wrap))
        st = credential_read(&credential, err);
    if (st == FOCAL_OK) {
        focal_entropy_fill(NULL, random, sizeof random);
        st = focal_store_keys_wrap(text, &s->keys, s->wrap, passphrase, focal_buf_view(&credential), random);
        if (st != FOCAL_OK)
            (void)focal_fail(err, st, "64 MiB of memory are needed", "the store's key could not be wrapped");
    }
    focal_buf_wipe_close(&credential);
    return st;
}

enum focal_status store_key_write(const char *path, const struct store_secret *s, struct focal_span passphrase, bool replace, struct focal_error *err)
{
    struct focal_buf text;
    enum focal_status st = store_key_wrap(&text, s, passphrase, err);
    if (st == FOCAL_OK)
        st = focal_file_write(path, focal_buf_view(&text), 0600, replace, err);
    focal_buf_wipe_close(&text);
    return st;
}

enum focal_status store_key_file(struct focal_buf *text, enum focal_wrap *wrap, const char *dir, struct focal_error *err)
{
    char path[PATH_BYTES];
    focal_buf_init(text, KEY_FILE_BYTES_MAX + 1);
    enum focal_status st = store_key_path(path, dir, err);
    if (st == FOCAL_OK)
        st = focal_file_read_secret(text, path, KEY_FILE_BYTES_MAX, err);
    if (st == FOCAL_OK && focal_store_keys_wrapped_by(wrap, focal_buf_view(text)) != FOCAL_OK)
        st = focal_fail(err, FOCAL_DAMAGED, "restore it from a backup; without it nothing here can be read", "%s does not hold a store's key", path);
    return st;
}

enum focal_status store_key_unwrap(struct focal_store_keys *keys, enum focal_wrap wrap, struct focal_span file, struct focal_span passphrase, struct focal_error *err)
{
    struct focal_buf credential;
    enum focal_status st = FOCAL_OK;
    focal_buf_init(&credential, CREDENTIAL_BYTES_MAX + 1);
    if (focal_wrap_has_credential(wrap))
        st = credential_read(&credential, err);
    if (st == FOCAL_OK) {
        st = focal_store_keys_unwrap(keys, file, passphrase, focal_buf_view(&credential));
        if (st == FOCAL_DENIED && wrap == FOCAL_WRAP_PASSPHRASE)
            (void)focal_fail(err, st, "try again; nothing was changed", "that is not the passphrase of this store");
        else if (st == FOCAL_DENIED && wrap == FOCAL_WRAP_BOTH)
            (void)focal_fail(err, st, "try again, and look whether the service has its own credential; nothing was changed", "passphrase and credential do not open this store");
        else if (st == FOCAL_DENIED)
            (void)focal_fail(err, st, "give the service the credential with which it was set up; nothing was changed", "the credential " CREDENTIAL " does not open this store");
        else if (st == FOCAL_NO_MEMORY)
            (void)focal_fail(err, st, "64 MiB of memory are needed", "no memory to open the store's key");
        else if (st != FOCAL_OK)
            (void)focal_fail(err, FOCAL_DAMAGED, "restore it from a backup; without it nothing here can be read", "keys/store.key is damaged");
    }
    focal_buf_wipe_close(&credential);
    return st == FOCAL_MALFORMED ? FOCAL_DAMAGED : st;
}

/* ---- sealed files ---- */

enum focal_status sealed_write(const char *path, const char *name, const struct focal_store_key *key, struct focal_span plain, bool replace, struct focal_error *err)
{
    uint8_t random[FOCAL_SEALED_RANDOM_BYTES];
    struct focal_buf text;
    focal_buf_init(&text, SMALL_FILE_BYTES_MAX);
    focal_entropy_fill(NULL, random, sizeof random);
    enum focal_status st = focal_store_seal(&text, key, name, plain, random);
    st = st == FOCAL_OK ? focal_file_write(path, focal_buf_view(&text), 0600, replace, err) : focal_fail(err, st, "", "no memory for %s", path);
    focal_buf_close(&text);
    return st;
}

enum focal_status sealed_read(struct focal_buf *plain, const char *path, const char *name, const struct focal_store_keys *keys, struct focal_error *err)
{
    struct focal_buf text;
    focal_buf_init(&text, SMALL_FILE_BYTES_MAX);
    enum focal_status st = focal_file_read_secret(&text, path, SMALL_FILE_BYTES_MAX - 1, err);
    if (st == FOCAL_OK && focal_store_is_sealed(focal_buf_view(&text))) {
        st = focal_store_unseal(plain, keys, name, focal_buf_view(&text));
        if (st == FOCAL_DENIED || st == FOCAL_MALFORMED)
            st = focal_fail(err, FOCAL_DAMAGED, "restore it from a backup, or set the office up anew", "%s is damaged, or not sealed under this office's store key", path);
        else if (st != FOCAL_OK)
            (void)focal_fail(err, st, "free some memory", "no memory to read %s", path);
    } else if (st == FOCAL_OK && keys->take_over) {
        focal_buf_span(plain, focal_buf_view(&text));
        st = plain->failed ? focal_fail(err, FOCAL_NO_MEMORY, "free some memory", "no memory to read %s", path) : FOCAL_OK;
    } else if (st == FOCAL_OK) {
        st = focal_fail(err, FOCAL_DAMAGED, "find out who put it there; restore the right one from a backup", "%s is not sealed under this office's store key", path);
    }
    focal_buf_wipe_close(&text);
    return st;
}

/* Under `key`, whatever it was under; what stood there is written over, as far as a disk lets that be. */
static enum focal_status seal_again(const char *dir, const char *beneath, const char *name, const struct focal_store_keys *keys,
                                    const struct focal_store_key *key, struct focal_error *err)
{
    char path[PATH_BYTES], before[PATH_BYTES];
    struct focal_buf plain;
    if (!path_join(path, dir, beneath) || snprintf(before, sizeof before, "%s.old", path) >= (int)sizeof before)
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    focal_buf_init(&plain, SMALL_FILE_BYTES_MAX);
    enum focal_status st = sealed_read(&plain, path, name, keys, err);
    if (st == FOCAL_OK) {
        (void)!unlink(before);
        (void)!link(path, before);
        st = sealed_write(path, name, key, focal_buf_view(&plain), true, err);
        /* Before it was replaced both names are of one file, and that must stay. */
        if (st == FOCAL_OK)
            st = focal_sqlite_overwrite(before, err);
        else
            (void)!unlink(before);
    }
    focal_buf_wipe_close(&plain);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

enum focal_status sealed_files_follow(const char *dir, const struct focal_store_keys *keys, const struct focal_store_key *key, struct focal_error *err)
{
    enum focal_status st = seal_again(dir, "keys/node.key", "node.key", keys, key, err);
    return st == FOCAL_OK ? seal_again(dir, "keys/network.focal", "network.focal", keys, key, err) : st;
}

/* ---- an office of a program that did not encrypt ---- */

enum focal_status store_key_first(struct store_secret *s, const char *dir, struct focal_error *err)
{
    char path[PATH_BYTES], node[PATH_BYTES];
    struct focal_buf text;
    if (store_key_path(path, dir, err) != FOCAL_OK || !path_join(node, dir, "keys/node.key"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    focal_buf_init(&text, KEY_FILE_BYTES_MAX);
    enum focal_status st = focal_file_read_secret(&text, node, KEY_FILE_BYTES_MAX - 1, err);
    bool sealed = focal_store_is_sealed(focal_buf_view(&text));
    focal_buf_wipe_close(&text);
    if (st == FOCAL_NOT_FOUND)
        return focal_fail(err, st, "`focald setup --help` shows how to make one", "there is no office in %s", dir);
    if (st != FOCAL_OK)
        return st;
    if (sealed)
        return focal_fail(err, FOCAL_DAMAGED, "restore it from a backup, or ask headquarters for a new invitation", "%s is gone, and without it nothing here can be read", path);
    memset(s, 0, sizeof *s);
    s->wrap = FOCAL_WRAP_PLAIN;
    s->keys.count = 1;
    s->keys.take_over = true;
    store_key_draw(&s->keys.list[0]);
    return store_key_write(path, s, focal_span_of(NULL, 0), false, err);
}
