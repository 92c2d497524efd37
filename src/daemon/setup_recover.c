/* focald setup --recover: another machine for a headquarters that is gone, keys and all. Members gave files with what the authority had
 * signed; the recovery sheet signs a new authority, which signs a new membership; a member takes both in and lets this machine in. */
#include "daemon.h"

#include "focal/node.h"
#include "focal/store.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { FILE_BYTES_MAX = 4 << 20, SHEET_BYTES_MAX = 16 << 10, STATEMENTS_MAX = 8192, PASSPHRASE_BYTES_MAX = 8192, TOKEN_BYTES_MAX = 32 << 10 };

static const char AGAIN[] = "copy it again, or make it again with `focalctl network export -o FILE` at a member; nothing was changed";

struct recovering {
    struct focal_buf passphrase, token, token_bytes, bytes;
    size_t ends[STATEMENTS_MAX], count;
    struct focal_span spans[STATEMENTS_MAX];
    struct focal_invitation invitation;
    struct focal_genesis genesis;
    struct focal_sign_key recovery, authority;
    uint8_t authority_seed[32];
    char member[FOCAL_OFFICE_MAX + 1];
    struct focal_public_keys keys;
    struct focal_node_recovery is;
};

/* ---- members' files --------------------------------------------------------------------------------------------------------- */

static enum focal_status take_statement(struct recovering *r, const json_t *hex, const char *path, struct focal_error *err)
{
    const char *text = json_string_value(hex);
    const size_t len = text ? strlen(text) / 2 : 0;
    uint8_t *room = len > 0 && len <= FOCAL_STATEMENT_MAX ? focal_buf_reserve(&r->bytes, len) : NULL;
    if (!room || !focal_unhex(room, len, focal_span_text(text)))
        return focal_fail(err, FOCAL_MALFORMED, AGAIN, "%.200s is damaged", path);
    r->ends[r->count++] = r->bytes.len;
    return FOCAL_OK;
}

/* The first file's member is the one that lets this machine in. */
static enum focal_status take_token(struct recovering *r, const json_t *file, const char *path, struct focal_error *err)
{
    struct focal_statement genesis;
    const char *token = json_string_value(json_object_get(file, "token")), *office = json_string_value(json_object_get(file, "office"));
    focal_buf_text(&r->token, token ? token : "");
    if (!token || focal_invitation_decode(&r->invitation, &r->token_bytes, focal_buf_view(&r->token), err) != FOCAL_OK
        || focal_statement_decode(&genesis, r->invitation.genesis) != FOCAL_OK || genesis.kind != FOCAL_STATEMENT_GENESIS
        || !focal_statement_verify(&genesis, NULL, &r->invitation.network))
        return focal_fail(err, FOCAL_MALFORMED, AGAIN, "%.200s is damaged", path);
    if (r->invitation.expires_day && today_now() > r->invitation.expires_day)
        return focal_fail(err, FOCAL_REFUSED, "make a new one with `focalctl network export -o FILE` there; is this machine's clock right?", "%.200s is too old to be used", path);
    r->genesis = genesis.is.genesis;
    (void)snprintf(r->member, sizeof r->member, "%s", office ? office : "");
    return FOCAL_OK;
}

static enum focal_status take_list(struct recovering *r, const json_t *list, const char *path, struct focal_error *err)
{
    enum focal_status st = FOCAL_OK;
    if (!json_is_array(list) || r->count + json_array_size(list) > STATEMENTS_MAX)
        return focal_fail(err, FOCAL_MALFORMED, AGAIN, "%.200s is damaged", path);
    for (size_t i = 0; i < json_array_size(list) && st == FOCAL_OK; i++)
        st = take_statement(r, json_array_get(list, i), path, err);
    return st;
}

static struct focal_recovery_scope *scope_of(struct recovering *r, const char *name)
{
    struct focal_scope scope;
    if (!name || !focal_scope_parse(&scope, focal_span_text(name)))
        return NULL;
    for (size_t i = 0; i < r->is.scope_count; i++)
        if (focal_scope_compare(&r->is.scopes[i].scope, &scope) == 0)
            return &r->is.scopes[i];
    if (r->is.scope_count == FOCAL_CERTIFICATE_SCOPES_MAX)
        return NULL;
    struct focal_recovery_scope *fresh = &r->is.scopes[r->is.scope_count++];
    fresh->scope = scope;
    focal_buf_init(&fresh->tips, 1 << 20);
    return fresh;
}

static bool take_head(struct recovering *r, const json_t *one)
{
    struct focal_cut_tip tip;
    const char *log = json_string_value(json_object_get(one, "log")), *h = json_string_value(json_object_get(one, "h"));
    const json_int_t sequence = json_integer_value(json_object_get(one, "sequence"));
    struct focal_recovery_scope *scope = scope_of(r, json_string_value(json_object_get(one, "scope")));
    if (!scope || !log || !h || sequence < 1 || !focal_unhex(tip.log.b, sizeof tip.log.b, focal_span_text(log)) || !focal_unhex(tip.tip.h.b, 32, focal_span_text(h)))
        return false;
    tip.tip.seq = (uint64_t)sequence;
    focal_cut_tip_put(&scope->tips, &tip);
    return !scope->tips.failed;
}

/* How far the logs of the one that is gone go, as this member holds them. */
static enum focal_status take_heads(struct recovering *r, const json_t *file, const char *path, struct focal_error *err)
{
    const json_t *scopes = json_object_get(file, "scopes"), *heads = json_object_get(file, "heads");
    bool good = json_is_array(scopes) && json_is_array(heads);
    for (size_t i = 0; good && i < json_array_size(scopes); i++)
        good = scope_of(r, json_string_value(json_array_get(scopes, i))) != NULL;
    for (size_t i = 0; good && i < json_array_size(heads); i++)
        good = take_head(r, json_array_get(heads, i));
    return good ? FOCAL_OK : focal_fail(err, FOCAL_MALFORMED, AGAIN, "%.200s is damaged", path);
}

static enum focal_status take_file(struct recovering *r, const char *path, struct focal_error *err)
{
    struct focal_buf text;
    char id[65];
    focal_buf_init(&text, FILE_BYTES_MAX + 1);
    enum focal_status st = focal_file_read(&text, path, FILE_BYTES_MAX, err);
    json_t *file = st == FOCAL_OK ? json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const char *what = json_string_value(json_object_get(file, "what")), *network = json_string_value(json_object_get(file, "network"));
    if (st == FOCAL_OK && !json_is_object(file))
        st = focal_fail(err, FOCAL_MALFORMED, AGAIN, "%.200s is cut short, or no file of a network", path);
    else if (st == FOCAL_OK && (!what || strcmp(what, "focal network 1") != 0 || !network))
        st = focal_fail(err, FOCAL_MALFORMED, AGAIN, "%.200s is no file of a network", path);
    if (st == FOCAL_OK && r->token.len == 0)
        st = take_token(r, file, path, err);
    focal_hex(id, r->invitation.network.b, 32);
    if (st == FOCAL_OK && strcmp(network, id) != 0)
        st = focal_fail(err, FOCAL_REFUSED, "give files of members of one network; nothing was changed", "%.200s is of another network than the file before it", path);
    if (st == FOCAL_OK)
        st = take_list(r, json_object_get(file, "statements"), path, err);
    if (st == FOCAL_OK)
        st = take_heads(r, file, path, err);
    json_decref(file);
    focal_buf_wipe_close(&text);
    return st;
}

/* ---- the sheet ---------------------------------------------------------------------------------------------------------------- */

static enum focal_status take_sheet(const struct setup *s, struct recovering *r, struct focal_error *err)
{
    struct focal_buf text;
    struct focal_sheet sheet;
    memset(&sheet, 0, sizeof sheet);
    if (!s->sheet)
        return focal_fail(err, FOCAL_USAGE, "give it with --sheet FILE: the file of the first setup, or its recovery key and check typed again from the paper",
                          "the recovery sheet is missing");
    focal_buf_init(&text, SHEET_BYTES_MAX + 20000);
    (void)focal_buf_reserve(&text, SHEET_BYTES_MAX);        /* so that it leaves no copy as it grows */
    focal_buf_truncate(&text, 0);
    enum focal_status st = focal_file_read_secret(&text, s->sheet, SHEET_BYTES_MAX, err);
    if (st == FOCAL_OK)
        st = focal_sheet_read(&sheet, focal_buf_view(&text), err);
    if (st == FOCAL_OK)
        focal_sign_key_make(&r->recovery, sheet.recovery);
    if (st == FOCAL_OK && ((sheet.network_set && !focal_hash_equal(&sheet.network, &r->invitation.network)) || !focal_key_equal(&r->recovery.public, &r->genesis.recovery)))
        st = focal_fail(err, FOCAL_DENIED, "find the sheet that was printed when this network was set up; nothing was changed",
                        "%.200s is the recovery sheet of another network than \"%s\"", s->sheet, r->genesis.label);
    focal_wipe(&sheet, sizeof sheet);
    focal_buf_wipe_close(&text);
    return st;
}

/* ---- made here ------------------------------------------------------------------------------------------------------------------ */

static enum focal_status fill_store(struct setup *s, struct recovering *r, struct focal_error *err)
{
    char path[PATH_BYTES];
    struct focal_store *store = NULL;
    if (!path_join(path, s->place.stage, "focal.db"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    for (size_t i = 0; i < r->count; i++)
        r->spans[i] = focal_span_of(r->bytes.data + (i ? r->ends[i - 1] : 0), r->ends[i] - (i ? r->ends[i - 1] : 0));
    focal_entropy_fill(NULL, r->authority_seed, sizeof r->authority_seed);
    focal_sign_key_make(&r->authority, r->authority_seed);
    focal_node_keys_public(&r->keys, &s->keys);
    r->is.statements = r->spans;
    r->is.statement_count = r->count;
    r->is.token = focal_buf_view(&r->token);
    r->is.invitation = &r->invitation;
    r->is.recovery = &r->recovery;
    r->is.authority = &r->authority;
    r->is.keys = &r->keys;
    r->is.today = today_now();
    enum focal_status st = store_open_at(&store, path, true, &s->secret, err);
    if (st == FOCAL_OK)
        st = focal_node_recover_hq(store, &r->is, err);
    focal_store_close(store);
    return st;
}

static enum focal_status write_for_members(struct setup *s, struct recovering *r, struct focal_error *err)
{
    char path[PATH_BYTES], id[65], hex[2 * FOCAL_STATEMENT_MAX + 1];
    json_t *list = json_array();
    if (!path_join(path, s->place.stage, "for-members.json"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    for (size_t i = 0; i < r->is.made_count; i++) {
        focal_hex(hex, r->is.made[i].data, r->is.made[i].len);
        json_array_append_new(list, json_string(hex));
    }
    focal_hex(id, r->invitation.network.b, 32);
    json_t *out = json_pack("{s:s,s:s,s:s,s:s,s:o}", "what", "focal headquarters 1", "office", r->invitation.office.text, "network", id, "label", r->genesis.label, "statements", list);
    char *text = out ? json_dumps(out, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
    enum focal_status st = text ? focal_file_write(path, focal_span_text(text), 0600, false, err) : focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the file for members");
    focal_free(text);
    json_decref(out);
    return st;
}

static void tell(const struct setup *s, const struct recovering *r)
{
    if (s->json) {
        char socket_path[PATH_BYTES];
        if (!path_join(socket_path, s->dir_absolute, "control.sock"))
            focal_unreachable();        /* setup_make held it against the limit of sockets */
        json_t *out = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:n}", "schema", "focal.setup/1", "office", r->invitation.office.text, "role", "hq", "network", r->genesis.label,
            "dir", s->dir_absolute, "socket", socket_path, "listen", s->config.listen, "member", r->member, "kept", (json_int_t)r->is.kept, "offices", (json_int_t)r->is.offices, "words");
        if (out && json_dumpf(out, stdout, JSON_COMPACT) == 0)
            putchar('\n');
        json_decref(out);
        return;
    }
    printf("Headquarters %s of the network \"%s\" is set up anew in %s: %zu offices, %zu statements stay good.\n\n", r->invitation.office.text, r->genesis.label, s->dir_absolute,
           r->is.offices, r->is.kept);
    printf("Authority key   %s/keys/authority.key\n                opens with your passphrase; the old one counts no more. Lock the recovery sheet away again\n\n", s->dir_absolute);
    printf("Next            focald run --dir %s\n", s->dir);
    printf("at %-12s focalctl network import for-members.json\n                (%s/for-members.json, carried there: it holds no secret)\n", r->member, s->dir_absolute);
}

enum focal_status setup_recover(struct setup *s, struct focal_error *err)
{
    struct recovering *r = focal_alloc(sizeof *r);
    if (!r)
        return focal_fail(err, FOCAL_NO_MEMORY, "", "out of memory");
    focal_buf_init(&r->passphrase, PASSPHRASE_BYTES_MAX);
    focal_buf_init(&r->token, TOKEN_BYTES_MAX);
    focal_buf_init(&r->token_bytes, TOKEN_BYTES_MAX);
    focal_buf_init(&r->bytes, FILE_BYTES_MAX);
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < s->recover_count && st == FOCAL_OK; i++)
        st = take_file(r, s->recover[i], err);
    if (st == FOCAL_OK)
        st = take_sheet(s, r, err);
    if (st == FOCAL_OK)
        st = setup_ask_authority(s, &r->passphrase, err);
    if (st == FOCAL_OK)
        st = setup_make(s, err);
    if (st == FOCAL_OK)
        st = fill_store(s, r, err);
    if (st == FOCAL_OK)
        st = setup_write_authority(s, r->authority_seed, focal_buf_view(&r->passphrase), err);
    if (st == FOCAL_OK)
        st = write_for_members(s, r, err);
    if (st == FOCAL_OK)
        st = place_finish(&s->place, err);
    if (st == FOCAL_OK)
        tell(s, r);
    focal_node_recovery_close(&r->is);
    focal_buf_wipe_close(&r->passphrase);
    focal_buf_wipe_close(&r->token);
    focal_buf_wipe_close(&r->token_bytes);
    focal_buf_close(&r->bytes);
    focal_wipe(r, sizeof *r);
    focal_free(r);
    return st;
}
