/* network rotate-authority: a new authority key, signed with the recovery key of the sheet. The daemon sees neither. */
#include "cli.h"

#include "authority.h"
#include "focal/io.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { SHEET_BYTES_MAX = 16 << 10, PATH_BYTES = 4096, BESIDE_BYTES = PATH_BYTES + 64 };

struct rotating {
    struct focal_hash network;
    struct focal_key recovery;
    struct focal_sign_key by, key;
    struct focal_buf good;
    uint64_t number;
    uint32_t today;
    char path[PATH_BYTES], fresh[BESIDE_BYTES], aside[BESIDE_BYTES];
    bool written;                       /* fresh */
};

/* ---- what the daemon told ---- */

static enum focal_status take_good(struct rotating *r, const json_t *begun)
{
    const json_t *list = json_object_get(begun, "statements");
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct focal_hash hash;
        if (!focal_unhex(hash.b, 32, focal_span_text(text_of(json_array_get(list, i), "statement"))))
            return FOCAL_MALFORMED;
        focal_buf_bytes(&r->good, hash.b, sizeof hash.b);
    }
    return r->good.failed ? FOCAL_NO_MEMORY : FOCAL_OK;
}

static enum focal_status take_begun(const struct args *args, struct rotating *r, const json_t *begun, struct focal_error *err)
{
    const char *typed = args_value(args, OPTION_AUTHORITY_KEY);
    const json_int_t number = json_integer_value(json_object_get(begun, "number")), today = json_integer_value(json_object_get(begun, "today"));
    if (!focal_unhex(r->network.b, 32, focal_span_text(text_of(begun, "network"))) || !focal_unhex(r->recovery.b, 32, focal_span_text(text_of(begun, "recovery")))
        || number < 1 || today < 1 || today > UINT32_MAX || take_good(r, begun) != FOCAL_OK)
        return focal_fail(err, FOCAL_UNSUPPORTED, "are focald and focalctl of one version?", "the daemon's account of the network cannot be read");
    r->number = (uint64_t)number;
    r->today = (uint32_t)today;
    const int len = typed ? snprintf(r->path, sizeof r->path, "%s", typed) : snprintf(r->path, sizeof r->path, "%s/keys/authority.key", text_of(begun, "dir"));
    if (len < 0 || len >= PATH_BYTES)
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path of the authority key is too long");
    (void)snprintf(r->fresh, sizeof r->fresh, "%s.new", r->path);
    (void)snprintf(r->aside, sizeof r->aside, "%s.before-%llu", r->path, (unsigned long long)r->number);
    return FOCAL_OK;
}

static void show_list(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        fprintf(stderr, "  %-14s ", text_of(one, "kind"));
        say_text(stderr, text_of(one, "office"));
        fprintf(stderr, "  %.16s\n", text_of(one, "statement"));
    }
}

static void show_begun(const json_t *begun)
{
    fprintf(stderr, "What the authority signed, and stays good:\n");
    show_list(json_object_get(begun, "statements"));
    if (json_array_size(json_object_get(begun, "idle")) > 0) {
        fprintf(stderr, "What an earlier change left out, and stays out:\n");
        show_list(json_object_get(begun, "idle"));
    }
    fprintf(stderr, "All else that the key signed, or signs from now on, counts nowhere: also a membership above that you do not know\n"
                    "must be ended first, with `focalctl office revoke`.\n");
}

static enum focal_status sure(const struct args *args, const json_t *begun, struct focal_error *err)
{
    struct focal_buf typed;
    if (args_has(args, OPTION_YES))
        return FOCAL_OK;
    if (args_has(args, OPTION_NO_INPUT) || !args->terminal_err)
        return focal_fail(err, FOCAL_USAGE, "say --yes if you are sure", "%s: nobody can be asked", args->words);
    enum focal_status st = ask_again(&typed, "Type the name of the network to go on: ", err);
    if (st == FOCAL_OK && strcmp(focal_buf_cstr(&typed), text_of(begun, "label")) != 0)
        st = focal_fail(err, FOCAL_CANCELLED, "nothing was changed", "that is not the name of this network");
    focal_buf_close(&typed);
    return st;
}

/* ---- the sheet ---- */

static enum focal_status read_sheet(const struct args *args, struct rotating *r, struct focal_error *err)
{
    const char *path = args_value(args, OPTION_SHEET);
    struct focal_buf text;
    struct focal_sheet sheet;
    enum focal_status st;
    memset(&sheet, 0, sizeof sheet);
    if (path) {
        focal_buf_init(&text, SHEET_BYTES_MAX + 20000);
        (void)focal_buf_reserve(&text, SHEET_BYTES_MAX);    /* so that it leaves no copy as it grows */
        focal_buf_truncate(&text, 0);
        st = strcmp(path, "-") == 0 ? focal_file_read(&text, path, SHEET_BYTES_MAX, err) : focal_file_read_secret(&text, path, SHEET_BYTES_MAX, err);
    } else if (args_has(args, OPTION_NO_INPUT)) {
        return focal_fail(err, FOCAL_USAGE, "give it with --sheet FILE", "the recovery sheet must be given, and --no-input says not to ask");
    } else {
        st = ask_again(&text, "Recovery key and its check, as they stand on the sheet, in one line: ", err);
    }
    if (st == FOCAL_OK)
        st = focal_sheet_read(&sheet, focal_buf_view(&text), err);
    if (st == FOCAL_OK)
        focal_sign_key_make(&r->by, sheet.recovery);
    if (st == FOCAL_OK && ((sheet.network_set && !focal_hash_equal(&sheet.network, &r->network)) || !focal_key_equal(&r->by.public, &r->recovery)))
        st = focal_fail(err, FOCAL_DENIED, "find the sheet that was printed when this network was set up; nothing was changed", "it is the recovery sheet of another network");
    focal_wipe(&sheet, sizeof sheet);
    focal_buf_wipe_close(&text);
    return st;
}

/* ---- the new key ---- */

static enum focal_status ask_new(const struct args *args, struct focal_buf *out, struct focal_error *err)
{
    struct focal_buf again;
    enum focal_status st = ask_secret(args, out, OPTION_PASSPHRASE_FILE, "Passphrase for the new authority key: ", err);
    if (st != FOCAL_OK || args_has(args, OPTION_PASSPHRASE_FILE))
        return st;
    st = ask_secret(args, &again, OPTION_PASSPHRASE_FILE, "The same once more: ", err);
    if (st == FOCAL_OK && !focal_span_equal(focal_buf_view(out), focal_buf_view(&again)))
        st = focal_fail(err, FOCAL_CANCELLED, "nothing was changed", "the two are not the same");
    focal_buf_wipe_close(&again);
    return st;
}

/* It is on the disk before anything is signed for it. */
static enum focal_status make_key(const struct args *args, struct rotating *r, struct focal_error *err)
{
    uint8_t seed[32], random[40];
    struct focal_buf passphrase, file;
    enum focal_status st;
    if (access(r->fresh, F_OK) == 0)
        return focal_fail(err, FOCAL_EXISTS, "if `focalctl network show` names that key, put it in the place of the old one; else delete it", "%.300s is left from an attempt before", r->fresh);
    focal_buf_init(&file, 4096);
    st = ask_new(args, &passphrase, err);
    focal_entropy_fill(NULL, seed, sizeof seed);
    focal_entropy_fill(NULL, random, sizeof random);
    if (st == FOCAL_OK && (st = focal_authority_lock(&file, seed, focal_buf_view(&passphrase), random)) != FOCAL_OK)
        st = focal_fail(err, st, "64 MiB of memory are needed for a moment", "the new authority key could not be locked");
    if (st == FOCAL_OK)
        st = focal_file_write(r->fresh, focal_buf_view(&file), 0600, false, err);
    r->written = st == FOCAL_OK;
    if (st == FOCAL_OK)
        focal_sign_key_make(&r->key, seed);
    focal_wipe(seed, sizeof seed);
    focal_buf_wipe_close(&passphrase);
    focal_buf_wipe_close(&file);
    return st;
}

static json_t *sign(const struct rotating *r)
{
    json_t *list = json_array();
    const size_t most = FOCAL_SUCCESSION_GOOD_MAX * sizeof(struct focal_hash);
    for (size_t at = 0; at == 0 || at < r->good.len; at += most) {
        struct focal_buf body, statement;
        const size_t left = r->good.len - at;
        const struct focal_succession s = { .number = r->number, .key = r->key.public, .good = focal_span_of(r->good.data + at, left < most ? left : most), .day = r->today };
        focal_buf_init(&body, FOCAL_STATEMENT_MAX);
        focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
        focal_succession_encode(&body, &s);
        focal_statement_sign(&statement, r->by.secret, &r->network, focal_buf_view(&body));
        char hex[2 * FOCAL_STATEMENT_MAX + 1];
        focal_hex(hex, statement.data, statement.len);
        json_array_append_new(list, json_string(hex));
        focal_buf_close(&body);
        focal_buf_close(&statement);
    }
    return list;
}

/* Whether it was taken in is not known when the daemon fell silent: the key must not be lost then. */
static enum focal_status tell(struct talk *t, struct rotating *r, const char *office, json_t **told, struct focal_error *err)
{
    json_t *with = json_object();
    put_text(with, "office", office);
    json_object_set_new(with, "statements", sign(r));
    enum focal_status st = talk_one(t, "network.rotate-authority", with, told, NULL, err);
    if (st == FOCAL_OK || st == FOCAL_UNREACHABLE || st == FOCAL_TIMEOUT || st == FOCAL_IO || st == FOCAL_CANCELLED)
        return st;
    (void)unlink(r->fresh);
    return st;
}

static enum focal_status put_in_place(const struct rotating *r, struct focal_error *err)
{
    const bool had = access(r->path, F_OK) == 0;
    if ((had && rename(r->path, r->aside) != 0) || rename(r->fresh, r->path) != 0)
        return focal_fail(err, FOCAL_IO, "rename it by hand: it is the authority's key now", "the new key could not be put in its place, and stands in %.300s", r->fresh);
    return FOCAL_OK;
}

static enum focal_status rotate(const struct args *args, struct talk *t, struct rotating *r, const json_t *begun, json_t **told, struct focal_error *err)
{
    (void)!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);      /* no core file and no other process sees the keys */
    enum focal_status st = read_sheet(args, r, err);
    if (st == FOCAL_OK)
        st = make_key(args, r, err);
    if (st == FOCAL_OK)
        st = tell(t, r, text_of(begun, "office"), told, err);
    if (st == FOCAL_OK)
        st = put_in_place(r, err);
    focal_sign_key_wipe(&r->by);
    focal_sign_key_wipe(&r->key);
    (void)!prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    return st;
}

int run_rotate_authority(const struct args *args)
{
    struct talk t = { 0 };
    struct focal_error err = { 0 };
    struct rotating r;
    json_t *begun = NULL, *told = NULL;
    memset(&r, 0, sizeof r);
    focal_buf_init(&r.good, 1 << 20);
    enum focal_status st = focal_crypto_init();
    if (st != FOCAL_OK)
        st = focal_fail(&err, st, "", "the cryptographic library does not start");
    if (st == FOCAL_OK)
        st = talk_open(&t, args, &err);
    if (st == FOCAL_OK)
        st = talk_one(&t, "network.rotate-authority.begin", NULL, &begun, NULL, &err);
    if (st == FOCAL_OK)
        st = take_begun(args, &r, begun, &err);
    if (st == FOCAL_OK && !args->json)
        show_begun(begun);
    if (st == FOCAL_OK)
        st = sure(args, begun, &err);
    if (st == FOCAL_OK)
        st = rotate(args, &t, &r, begun, &told, &err);
    talk_close(&t);
    if (st == FOCAL_OK && args->json) {
        json_object_set(told, "kept", json_object_get(begun, "statements"));
        put_text(told, "key", r.path);
        (void)say_object(args, told);
    } else if (st == FOCAL_OK) {
        printf("The network has a new authority key, in %s; the one before is kept as %s.\n"
               "Every office learns it at the next contact. Lock the recovery sheet away again.\n", r.path, r.aside);
    }
    focal_buf_close(&r.good);
    json_decref(begun);
    json_decref(told);
    return st == FOCAL_OK ? say_done(0) : say_error(args, &err);
}
