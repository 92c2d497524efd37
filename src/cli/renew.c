/* office renew, network delegate, network policy, membership export and import: the last day of memberships is put off. The client signs, as for office admit. */
#include "cli.h"

#include "authority.h"
#include "focal/io.h"

#include <string.h>
#include <strings.h>

enum { FILE_BYTES_MAX = 900 << 10 };

static bool is_renewal(const struct args *args, const json_t *begun, const struct focal_statement *s)
{
    (void)begun;
    return s->kind == FOCAL_STATEMENT_RENEWAL && strcasecmp(s->is.renewal.office.text, args->operands[0]) == 0 && s->is.renewal.delegation.len == 0;
}

static bool is_delegation(const struct args *args, const json_t *begun, const struct focal_statement *s)
{
    (void)begun;
    return s->kind == FOCAL_STATEMENT_DELEGATION && s->is.delegation.key_set != args_has(args, OPTION_END);
}

static bool is_policy(const struct args *args, const json_t *begun, const struct focal_statement *s)
{
    (void)begun;
    static const char *const words[] = { "redact", "export", "revoke", "veil" };
    const char *typed = args_value(args, OPTION_TWO_PERSONS);
    bool same = s->kind == FOCAL_STATEMENT_POLICY && strcmp(s->is.policy.name, FOCAL_POLICY_TWO_PERSONS) == 0 && typed && s->is.policy.value >> 4 == 0;
    for (size_t i = 0; same && i < sizeof words / sizeof *words; i++)
        same = (strstr(typed, words[i]) != NULL) == ((s->is.policy.value >> i & 1) != 0);
    return same;
}

/* Each asks for what is to be signed under its name and ".begin", and hands the signed statement in under its name. */
static is_asked_for *asked_for(const struct args *args)
{
    return strcmp(args->words, "network delegate") == 0 ? is_delegation : strcmp(args->words, "network policy") == 0 ? is_policy : is_renewal;
}

static enum focal_status question(const struct args *args, json_t *with, struct focal_error *err)
{
    uint64_t months;
    const char *until = args_value(args, OPTION_UNTIL);
    if (args->operand_count)
        put_text(with, "office", args->operands[0]);
    if (args_has(args, OPTION_MONTHS)) {
        if (args_number(args, OPTION_MONTHS, &months, err) != FOCAL_OK)
            return err->status;
        json_object_set_new(with, "months", json_integer((json_int_t)(months < 100000 ? months : 100000)));
    }
    if (strcmp(args->words, "network delegate") == 0 && (until != NULL) == args_has(args, OPTION_END))
        return focal_fail(err, FOCAL_USAGE, "network delegate --until 2031-12-31, or network delegate --end", "say until when it may renew, or that it may no more");
    if (strcmp(args->words, "network policy") == 0 && !args_has(args, OPTION_TWO_PERSONS))
        return focal_fail(err, FOCAL_USAGE, "network policy --two-persons redact,export", "say what two persons are wanted for");
    put_text(with, "two_persons", args_value(args, OPTION_TWO_PERSONS));
    put_text(with, "until", until);
    if (args_has(args, OPTION_END))
        json_object_set_new(with, "end", json_true());
    return FOCAL_OK;
}

static void show_renewed(const json_t *told)
{
    say_text(stdout, text_of(told, "office"));
    printf(": its membership holds to %s; every office learns it at the next contact\n", text_of(told, "membership_to"));
}

static void show_delegated(const json_t *told)
{
    if (json_is_true(json_object_get(told, "delegated")))
        printf("headquarters renews memberships by itself from now on, up to %s\n", text_of(told, "until"));
    else
        puts("headquarters renews no membership by itself any more; days that it gave so count no more");
}

static void show(const json_t *told)
{
    if (json_object_get(told, "renewed"))
        show_renewed(told);
    else if (json_object_get(told, "delegated"))
        show_delegated(told);
    else
        printf("two persons are wanted everywhere for: %s\n", *text_of(told, "two_persons") ? text_of(told, "two_persons") : "nothing");
}

static enum focal_status to_file(struct talk *t, const char *office, const char *path, struct focal_error *err)
{
    json_t *with = json_object(), *item = NULL;
    put_text(with, "office", office);
    enum focal_status st = talk_one(t, "membership.export", with, &item, NULL, err);
    if (st == FOCAL_OK)
        st = sink_json(item, path, err);
    json_decref(item);
    return st;
}

int run_renew(const struct args *args)
{
    char begin[FOCAL_CONTROL_VERB_MAX + 8];
    struct talk t = { 0 };
    struct focal_error err = { 0 };
    json_t *with = json_object(), *begun = NULL, *told = NULL;
    enum focal_status st = focal_crypto_init();
    if (st != FOCAL_OK)
        st = focal_fail(&err, st, "", "the cryptographic library does not start");
    if (st == FOCAL_OK)
        st = question(args, with, &err);
    if (st == FOCAL_OK)
        st = talk_open(&t, args, &err);
    (void)snprintf(begin, sizeof begin, "%s.begin", args->request);
    if (st == FOCAL_OK)
        st = talk_one(&t, begin, json_incref(with), &begun, NULL, &err);
    if (st == FOCAL_OK)
        st = authority_sign(args, &t, begun, asked_for(args), args->request, &told, &err);
    if (st == FOCAL_OK && args_has(args, OPTION_TO_FILE))
        st = to_file(&t, args->operands[0], args_value(args, OPTION_TO_FILE), &err);
    talk_close(&t);
    if (st == FOCAL_OK && args->json)
        (void)say_object(args, told);
    else if (st == FOCAL_OK)
        show(told);
    json_decref(with);
    json_decref(begun);
    json_decref(told);
    return st == FOCAL_OK ? say_done(0) : say_error(args, &err);
}

/* ---- membership export, membership import ---- */

static enum focal_status read_file(const char *path, const char *hint, json_t *with, struct focal_error *err)
{
    struct focal_buf file;
    json_error_t where;
    focal_buf_init(&file, FILE_BYTES_MAX + 1);
    enum focal_status st = focal_file_read(&file, path, FILE_BYTES_MAX, err);
    json_t *one = st == FOCAL_OK ? json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, &where) : NULL;
    if (st == FOCAL_OK && !json_is_object(one))
        st = focal_fail(err, FOCAL_MALFORMED, hint, "%.200s is cut short, or no file of a %s", path, strncmp(hint, "copy for-", 9) == 0 ? "new headquarters" : "membership");
    if (st == FOCAL_OK) {
        put_text(with, "office", *text_of(one, "office") ? text_of(one, "office") : NULL);
        json_object_set(with, "file", one);
    }
    json_decref(one);
    focal_buf_close(&file);
    return st;
}

static void show_taken(const json_t *item)
{
    say_text(stdout, text_of(item, "office"));
    printf(": its membership holds to %s\n", text_of(item, "membership_to"));
}

int run_membership(const struct args *args)
{
    const bool imports = strcmp(args->request, "membership.import") == 0;
    struct talk t = { 0 };
    struct focal_error err = { 0 };
    json_t *with = json_object(), *item = NULL;
    enum focal_status st = imports ? read_file(args->operands[0], "copy it again, or make it again with `focalctl membership export CODE -o FILE` at headquarters; nothing was changed", with, &err) : FOCAL_OK;
    if (!imports)
        put_text(with, "office", args->operands[0]);
    if (st == FOCAL_OK)
        st = talk_open(&t, args, &err);
    if (st == FOCAL_OK)
        st = talk_one(&t, args->request, json_incref(with), &item, NULL, &err);
    talk_close(&t);
    if (st == FOCAL_OK && !imports)
        st = sink_json(item, args_value(args, OPTION_OUTPUT), &err);
    else if (st == FOCAL_OK && args->json)
        (void)say_object(args, item);
    else if (st == FOCAL_OK)
        show_taken(item);
    json_decref(with);
    json_decref(item);
    return st == FOCAL_OK ? say_done(0) : say_error(args, &err);
}

/* ---- network export, network import ---- */

static enum focal_status name_addresses(const struct args *args, json_t *with)
{
    json_t *list = json_array();
    for (size_t i = 0; i < args->given_count; i++)
        if (args->given[i].option == OPTION_ADDRESS)
            json_array_append_new(list, focal_json_text(focal_span_text(args->given[i].value)));
    put_text(with, "office", args_value(args, OPTION_OFFICE));
    json_object_set_new(with, "addresses", list);
    return FOCAL_OK;
}

int run_network_file(const struct args *args)
{
    const bool imports = strcmp(args->request, "network.import") == 0;
    struct talk t = { 0 };
    struct focal_error err = { 0 };
    json_t *with = json_object(), *item = NULL;
    enum focal_status st = imports ? read_file(args->operands[0], "copy for-members.json of the new headquarters again; nothing was changed", with, &err) : name_addresses(args, with);
    if (st == FOCAL_OK)
        st = talk_open(&t, args, &err);
    if (st == FOCAL_OK)
        st = talk_one(&t, args->request, json_incref(with), &item, NULL, &err);
    talk_close(&t);
    if (st == FOCAL_OK && !imports)
        st = sink_json(item, args_value(args, OPTION_OUTPUT), &err);
    else if (st == FOCAL_OK && args->json)
        (void)say_object(args, item);
    else if (st == FOCAL_OK) {
        say_text(stdout, text_of(item, "office"));
        puts(" is headquarters again, under a new authority; it gets everything from here once it is started");
    }
    json_decref(with);
    json_decref(item);
    return st == FOCAL_OK ? say_done(0) : say_error(args, &err);
}
