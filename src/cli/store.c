/* lock, unlock, destroy, store-key: the key of the store on this machine. */
#include "cli.h"

#include <string.h>

static bool asks(const char *store_key)
{
    return strcmp(store_key, "passphrase") == 0 || strcmp(store_key, "both") == 0;
}

static void show_locked(const struct args *args, const json_t *item)
{
    (void)args;
    puts("Locked: the store is closed and its key is gone from memory. The links are down.");
    printf("Opened again by %s\n", asks(text_of(item, "store_key")) ? "`focalctl unlock`, with the passphrase" : "`focalctl unlock`, by whoever may use this socket");
}

static void show_destroyed(const struct args *args, const json_t *item)
{
    (void)args;
    puts("The key of the store is gone. The daemon writes over the rest, says so in its log, and ends.");
    if (asks(text_of(item, "store_key")))
        puts("Mind: an SSD may keep old blocks where no program reaches them; without the passphrase they stay closed.");
    else
        puts("Mind: an SSD may keep old blocks where no program reaches them, and this key lay there without a passphrase: destroy the disk itself.");
    puts("Copies of this directory elsewhere, and papers, are not touched.");
}

static void show_key(const struct args *args, const json_t *item)
{
    const char *how = text_of(item, "store_key");
    if (strcmp(args->words, "store-key rotate") == 0)
        puts("Everything is encrypted anew, under another key.");
    printf("The key of the store is kept %s\n", strcmp(how, "plain") == 0 ? "in a file beside it: who takes this disk can read everything"
        : strcmp(how, "passphrase") == 0 ? "under a passphrase: the daemon starts locked, and waits for `focalctl unlock`"
        : strcmp(how, "credential") == 0 ? "under the credential of the service: the daemon starts by itself"
                                         : "under the credential of the service and a passphrase");
    if (strcmp(how, "credential") == 0)
        puts("Where that credential is sealed with this machine's own key alone, who takes the disk has both: seal it with the TPM, or add a passphrase.");
}

static json_t *secret_json(const struct focal_buf *secret)
{
    return json_stringn((const char *)secret->data, secret->len);
}

static enum focal_status put_secret(const struct args *args, json_t *with, const char *key, enum opt option, const char *question, bool twice, struct focal_error *err)
{
    struct focal_buf secret, again;
    enum focal_status st = ask_secret(args, &secret, option, question, err);
    if (st == FOCAL_OK && twice && !args_has(args, option)) {
        st = ask_secret(args, &again, option, "The same once more: ", err);
        if (st == FOCAL_OK && !focal_span_equal(focal_buf_view(&secret), focal_buf_view(&again)))
            st = focal_fail(err, FOCAL_CANCELLED, "nothing was changed", "the two are not the same");
        focal_buf_wipe_close(&again);
    }
    if (st == FOCAL_OK && json_object_set_new(with, key, secret_json(&secret)) != 0)
        st = focal_fail(err, FOCAL_REFUSED, "use letters, digits and signs", "the passphrase is not text");
    focal_buf_wipe_close(&secret);
    return st;
}

static int ask_about(const struct args *args, json_t *with, enum focal_status st, const struct focal_error *err, picture *show)
{
    if (st == FOCAL_OK)
        return ask_and_show(args, with, true, show);
    json_decref(with);
    return say_error(args, err);
}

/* What the daemon says of itself, on a connection of its own. */
static enum focal_status ask_first(const struct args *args, const char *request, json_t **item, struct focal_error *err)
{
    struct talk t;
    *item = NULL;
    enum focal_status st = talk_open(&t, args, err);
    if (st == FOCAL_OK)
        st = talk_one(&t, request, NULL, item, NULL, err);
    talk_close(&t);
    return st;
}

int run_lock(const struct args *args)
{
    return ask_and_show(args, NULL, true, show_locked);
}

/* A daemon that is locked answers unlock with an end alone. */
int run_unlock(const struct args *args)
{
    struct focal_error err;
    json_t *item, *with = json_object();
    enum focal_status st = ask_first(args, "status", &item, &err);
    if (st == FOCAL_OK && json_is_true(json_object_get(item, "passphrase")))
        st = put_secret(args, with, "passphrase", OPTION_STORE_PASSPHRASE, "Passphrase of the store: ", false, &err);
    json_decref(item);
    int code = ask_about(args, with, st, &err, show_key);
    if (code == 0 && args->json)
        puts("{\"schema\":\"focal.unlock/1\",\"locked\":false}");
    else if (code == 0)
        puts("The store is open.");
    return code == 0 ? say_done(0) : code;
}

int run_destroy(const struct args *args)
{
    struct focal_error err;
    struct focal_buf typed;
    const char *given = args_value(args, OPTION_CONFIRM);
    enum focal_status st = FOCAL_OK;
    focal_buf_init(&typed, 64);
    if (!given && (args_has(args, OPTION_NO_INPUT) || !args->terminal_err))
        st = focal_fail(&err, FOCAL_USAGE, "say --confirm DESTROY if you are sure", "destroy: it cannot be taken back, and nobody can be asked");
    else if (!given)
        st = ask_again(&typed, "Everything of this office on this machine will be gone: records, keys, history. Other offices keep what they have.\n"
                               "Type DESTROY to go on: ", &err);
    json_t *with = json_object();
    put_text(with, "confirm", given ? given : focal_buf_cstr(&typed));
    focal_buf_close(&typed);
    return ask_about(args, with, st, &err, show_destroyed);
}

int run_store_key(const struct args *args)
{
    struct focal_error err;
    json_t *item = NULL, *with = json_object();
    const char *to = args_value(args, OPTION_TO);
    bool changes = strcmp(args->words, "store-key change") == 0, rotates = strcmp(args->words, "store-key rotate") == 0;
    enum focal_status st = FOCAL_OK;
    if (changes && !to)
        st = focal_fail(&err, FOCAL_USAGE, "--to plain, passphrase, credential or both", "%s: say how the key is to be kept", args->words);
    if (st == FOCAL_OK && (changes || rotates))
        st = ask_first(args, "store-key.show", &item, &err);
    if (st == FOCAL_OK && item && asks(text_of(item, "store_key")))
        st = put_secret(args, with, "passphrase", OPTION_STORE_PASSPHRASE, "Passphrase of the store, as it is now: ", false, &err);
    if (st == FOCAL_OK && changes && asks(to))
        st = put_secret(args, with, "new_passphrase", OPTION_NEW_PASSPHRASE, "New passphrase of the store: ", true, &err);
    put_text(with, "to", to);
    json_decref(item);
    return ask_about(args, with, st, &err, show_key);
}
