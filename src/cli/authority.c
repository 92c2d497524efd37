/* The authority's key, as long as something is signed with it. */
#include "authority.h"

#include "focal/io.h"

#include <string.h>
#include <sys/prctl.h>

enum { KEY_FILE_MAX = 4096, BODIES_MAX = 32 };

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
            st = focal_fail(err, FOCAL_DENIED, "`focalctl network show` names the key that counts today", "%.200s is the authority key of another network, or an earlier one of this", name);
    }
    focal_wipe(seed, sizeof seed);
    focal_buf_wipe_close(&passphrase);
    focal_buf_wipe_close(&file);
    focal_buf_close(&path);
    return st;
}

struct signing { struct focal_hash network; struct focal_key authority; bool successor; struct focal_buf body; };

static enum focal_status look_at_body(const struct args *args, const json_t *begun, struct signing *s, const char *hex, is_asked_for *asked, struct focal_error *err)
{
    struct focal_statement statement;
    struct focal_buf whole;
    const size_t len = strlen(hex) / 2;
    static const uint8_t unsigned_yet[64];
    focal_buf_clear(&s->body);
    focal_buf_init(&whole, FOCAL_STATEMENT_MAX);
    uint8_t *room = focal_buf_reserve(&s->body, len);
    bool good = room && len > 0 && focal_unhex(room, len, focal_span_text(hex));
    focal_buf_bytes(&whole, unsigned_yet, sizeof unsigned_yet);
    focal_buf_span(&whole, focal_buf_view(&s->body));
    good = good && !whole.failed && focal_statement_decode(&statement, focal_buf_view(&whole)) == FOCAL_OK && !statement.newer && asked(args, begun, &statement);
    focal_buf_close(&whole);
    return good ? FOCAL_OK : focal_fail(err, FOCAL_UNSUPPORTED, "are focald and focalctl of one version?", "what the daemon wants signed is not what was asked for; nothing was signed");
}

/* A later authority says in what it signs that it is by its key: the founder's is meant where nothing is said. */
bool authority_put(struct focal_buf *statement, const struct focal_sign_key *key, bool successor, const struct focal_hash *network, struct focal_buf *body)
{
    if (successor)
        focal_statement_by(body, &key->public);
    if (!body->failed)
        focal_statement_sign(statement, key->secret, network, focal_buf_view(body));
    return !body->failed && !statement->failed;
}

static enum focal_status sign_one(struct talk *t, struct signing *s, const struct focal_sign_key *key, const char *office, const char *request, json_t **told,
                                  struct focal_error *err)
{
    struct focal_buf statement;
    enum focal_status st;
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    const bool good = authority_put(&statement, key, s->successor, &s->network, &s->body);
    char *out = !good ? NULL : focal_alloc(statement.len * 2 + 1);
    if (out) {
        focal_hex(out, statement.data, statement.len);
        json_decref(*told);
        *told = NULL;
        st = talk_one(t, request, json_pack("{s:s, s:s}", "office", office, "statement", out), told, NULL, err);
    } else {
        st = focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the statement");
    }
    focal_free(out);
    focal_buf_close(&statement);
    return st;
}

enum focal_status authority_sign(const struct args *args, struct talk *t, const json_t *begun, is_asked_for *asked, const char *request, json_t **told, struct focal_error *err)
{
    const json_t *bodies = json_object_get(begun, "bodies");
    struct signing s = { .successor = json_is_true(json_object_get(begun, "successor")) };
    struct focal_sign_key key;
    enum focal_status st = FOCAL_OK;
    memset(&key, 0, sizeof key);
    focal_buf_init(&s.body, FOCAL_STATEMENT_MAX);
    if (!focal_unhex(s.network.b, 32, focal_span_text(text_of(begun, "network"))) || !focal_unhex(s.authority.b, 32, focal_span_text(text_of(begun, "authority")))
        || json_array_size(bodies) == 0 || json_array_size(bodies) > BODIES_MAX)
        st = focal_fail(err, FOCAL_UNSUPPORTED, "are focald and focalctl of one version?", "the daemon's account of what is to be signed cannot be read");
    (void)!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  /* no core file and no other process sees the authority's key */
    if (st == FOCAL_OK)
        st = authority_unlock(args, text_of(begun, "dir"), &s.authority, &key, err);
    for (size_t i = 0; i < json_array_size(bodies) && st == FOCAL_OK; i++) {
        const char *hex = json_string_value(json_array_get(bodies, i));
        st = look_at_body(args, begun, &s, hex ? hex : "", asked, err);
        if (st == FOCAL_OK)
            st = sign_one(t, &s, &key, text_of(begun, "office"), request, told, err);
    }
    focal_sign_key_wipe(&key);
    (void)!prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    focal_buf_close(&s.body);
    return st;
}
