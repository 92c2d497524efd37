/* The authority's key, as long as something is signed with it. */
#include "authority.h"

#include "focal/io.h"

#include <string.h>

enum { KEY_FILE_MAX = 4096 };

static enum focal_status key_fault(enum focal_status st, const char *path, struct focal_error *err)
{
    if (st == FOCAL_DENIED)
        return focal_fail(err, st, "try again; nothing was changed", "the passphrase does not open %.200s", path);
    if (st == FOCAL_MALFORMED)
        return focal_fail(err, st, "is it the file that `focald setup` made?", "%.200s is not an authority key file", path);
    return focal_fail(err, st, "64 MiB are needed for a moment", "there is no memory to open %.200s", path);
}

enum focal_status authority_unlock(const struct args *args, const char *dir, const struct focal_key *authority, struct focal_sign_key *key, struct focal_error *err)
{
    struct focal_buf path, file, passphrase;
    uint8_t seed[32] = { 0 };
    const char *typed = args_value(args, OPTION_AUTHORITY_KEY);
    focal_buf_init(&path, 4096);
    focal_buf_init(&file, KEY_FILE_MAX + 20000);
    focal_buf_init(&passphrase, 0);
    if (typed)
        focal_buf_text(&path, typed);
    else
        focal_buf_printf(&path, "%s/keys/authority.key", dir);
    const char *name = focal_buf_cstr(&path);
    enum focal_status st = focal_file_read_secret(&file, name, KEY_FILE_MAX, err);
    if (st == FOCAL_NOT_FOUND)
        st = focal_fail(err, st, "say where it is with --authority-key FILE", "there is no authority key at %.200s", name);
    if (st == FOCAL_OK)
        st = ask_passphrase(args, &passphrase, err);
    if (st == FOCAL_OK) {
        st = focal_authority_unlock(seed, focal_buf_view(&file), focal_buf_view(&passphrase));
        if (st != FOCAL_OK)
            st = key_fault(st, name, err);
    }
    if (st == FOCAL_OK) {
        focal_sign_key_make(key, seed);
        if (!focal_key_equal(&key->public, authority))
            st = focal_fail(err, FOCAL_DENIED, "use the key that founded this network", "%.200s is the authority key of another network", name);
    }
    focal_wipe(seed, sizeof seed);
    focal_buf_wipe_close(&passphrase);
    focal_buf_wipe_close(&file);
    focal_buf_close(&path);
    return st;
}
