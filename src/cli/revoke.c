/* office heads, revoke and retire; network show. The daemon says what it would have signed; what is signed is looked at here. */
#include "cli.h"

#include "authority.h"
#include "focal/io.h"

#include <string.h>
#include <strings.h>

enum { KNOWN_BYTES_MAX = 256 << 10 };

/* ---- heads ---- */

static void show_heads(const struct args *args, const json_t *item)
{
    struct table t;
    struct focal_error err;
    const json_t *heads = json_object_get(item, "heads");
    table_open(&t, args);
    table_column(&t, "SCOPE", false);
    table_column(&t, "LANE", false);
    table_column(&t, "LOG", false);
    table_column(&t, "UP TO", true);
    for (size_t i = 0; i < json_array_size(heads); i++) {
        struct focal_buf number;
        focal_buf_init(&number, 64);
        say_scalar(&number, json_object_get(json_array_get(heads, i), "sequence"));
        table_cell(&t, text_of(json_array_get(heads, i), "scope"));
        table_cell(&t, text_of(json_array_get(heads, i), "lane"));
        table_cell(&t, text_of(json_array_get(heads, i), "log"));
        table_cell(&t, focal_buf_cstr(&number));
        focal_buf_close(&number);
    }
    (void)!table_print(&t, &err);
    table_close(&t);
}

int run_heads(const struct args *args)
{
    struct talk t;
    struct focal_error err;
    json_t *with = json_object(), *item = NULL;
    const char *path = args_value(args, OPTION_OUTPUT);
    put_text(with, "office", args->operands[0]);
    if (!path)
        return ask_and_show(args, with, false, show_heads);
    enum focal_status st = talk_open(&t, args, &err);
    if (st == FOCAL_OK)
        st = talk_one(&t, args->request, with, &item, NULL, &err);
    else
        json_decref(with);
    talk_close(&t);
    if (st == FOCAL_OK)
        st = sink_json(item, path, &err);      /* whatever is asked for on the screen: it is for `office revoke --known` */
    json_decref(item);
    return st == FOCAL_OK ? say_done(0) : say_error(args, &err);
}

/* ---- what is to be signed ---- */

static enum focal_status read_known(json_t *list, const char *path, struct focal_error *err)
{
    struct focal_buf file;
    focal_buf_init(&file, KNOWN_BYTES_MAX);
    enum focal_status st = focal_file_read(&file, path, KNOWN_BYTES_MAX, err);
    json_t *one = st == FOCAL_OK ? json_loadb((const char *)file.data, file.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (st == FOCAL_OK && !json_is_object(one))
        st = focal_fail(err, FOCAL_MALFORMED, "make it with `focalctl office heads CODE -o FILE`", "%.200s is not a list of heads", path);
    if (st == FOCAL_OK)
        json_array_append(list, one);
    json_decref(one);
    focal_buf_close(&file);
    return st;
}

static enum focal_status question(const struct args *args, json_t *with, struct focal_error *err)
{
    json_t *known = json_array(), *nothing = json_array();
    enum focal_status st = FOCAL_OK;
    put_text(with, "office", args->operands[0]);
    put_text(with, "reason", strcmp(args->words, "office retire") == 0 ? "retired" : args_value(args, OPTION_CUT_REASON));
    put_text(with, "scope", args_value(args, OPTION_SCOPE));
    put_text(with, "right", args_value(args, OPTION_RIGHT));
    if (args_has(args, OPTION_AGAIN))
        json_object_set_new(with, "again", json_true());
    for (size_t i = 0; i < args->given_count && st == FOCAL_OK; i++) {
        if (args->given[i].option == OPTION_KNOWN)
            st = read_known(known, args->given[i].value, err);
        if (args->given[i].option == OPTION_VOID)
            json_array_append_new(nothing, focal_json_text(focal_span_text(args->given[i].value)));
    }
    if (json_array_size(known))
        json_object_set(with, "known", known);
    if (json_array_size(nothing))
        json_object_set(with, "void", nothing);
    json_decref(known);
    json_decref(nothing);
    return st;
}

/* ---- what is signed ---- */

enum { NUMBER_MOST = 1000000 };         /* so that a later one can always outnumber it */

struct spoken { uint8_t bytes[FOCAL_STATEMENT_MAX]; struct focal_statement is; };

static bool take_spoken(struct spoken *out, const json_t *list, size_t i)
{
    const char *hex = json_string_value(json_array_get(list, i));
    const size_t len = hex ? strlen(hex) / 2 : 0;
    return len > 0 && len <= sizeof out->bytes && focal_unhex(out->bytes, len, focal_span_text(hex))
           && focal_statement_decode(&out->is, focal_span_of(out->bytes, len)) == FOCAL_OK;
}

/* The genesis that gives this network its id. */
static bool take_genesis(struct spoken *out, const json_t *roots, const struct focal_hash *network)
{
    bool found = false;
    for (size_t i = 0; i < json_array_size(roots) && !found; i++)
        found = take_spoken(out, roots, i) && out->is.kind == FOCAL_STATEMENT_GENESIS && focal_statement_verify(&out->is, NULL, network);
    return found;
}

/* Signed by the authority of today; or by an earlier one, and named as good by the recovery key when it gave the authority to
 * that of today. */
static bool counts_today(const json_t *roots, const struct focal_statement *s, const struct focal_key *authority, const struct focal_hash *network)
{
    struct spoken genesis, other;
    struct focal_hash h;
    if (focal_statement_verify(s, authority, network))
        return true;
    if (!take_genesis(&genesis, roots, network) || !focal_statement_verify(s, focal_statement_signer(s, &genesis.is.is.genesis), network))
        return false;
    focal_statement_hash(&h, network, s->body);
    for (size_t i = 0; i < json_array_size(roots); i++) {
        if (take_spoken(&other, roots, i) && other.is.kind == FOCAL_STATEMENT_AUTHORITY && focal_statement_verify(&other.is, &genesis.is.is.genesis.recovery, network)
            && focal_key_equal(&other.is.is.succession.key, authority) && focal_succession_keeps(&other.is.is.succession, &h))
            return true;
    }
    return false;
}

/* Does the authority say of this key that it is the office's? What the daemon says of it counts for nothing. */
static bool key_is_theirs(const json_t *begun, const struct focal_cut *cut)
{
    const json_t *list = json_object_get(begun, "certificates");
    struct focal_hash network;
    struct focal_key authority;
    struct spoken c;
    bool found = false;
    if (!focal_unhex(network.b, sizeof network.b, focal_span_text(text_of(begun, "network"))) || !focal_unhex(authority.b, sizeof authority.b, focal_span_text(text_of(begun, "authority"))))
        return false;
    for (size_t i = 0; i < json_array_size(list) && !found; i++)
        found = take_spoken(&c, list, i) && c.is.kind == FOCAL_STATEMENT_CERTIFICATE && counts_today(json_object_get(begun, "roots"), &c.is, &authority, &network)
                && strcmp(c.is.is.certificate.office.text, cut->office.text) == 0 && focal_key_equal(&c.is.is.certificate.keys.sign, &cut->key);
    return found;
}

/* Does the person see this tip in the list? */
static bool is_shown(const json_t *begun, const struct focal_cut *cut, const struct focal_cut_tip *tip)
{
    const json_t *known = json_object_get(begun, "known");
    char key[65], log[33], h[65];
    focal_hex(key, cut->key.b, sizeof cut->key.b);
    focal_hex(log, tip->log.b, sizeof tip->log.b);
    focal_hex(h, tip->tip.h.b, sizeof tip->tip.h.b);
    for (size_t i = 0; i < json_array_size(known); i++) {
        const json_t *one = json_array_get(known, i);
        if (json_is_true(json_object_get(one, "listed")) && strcmp(text_of(one, "key"), key) == 0 && strcmp(text_of(one, "log"), log) == 0
            && strcmp(text_of(one, "h"), h) == 0 && (uint64_t)json_integer_value(json_object_get(one, "sequence")) == tip->tip.seq)
            return true;
    }
    return false;
}

/* All that the person sees as staying of this key, and nothing else. */
static bool tips_are_shown(const json_t *begun, const struct focal_cut *cut)
{
    const json_t *known = json_object_get(begun, "known");
    size_t listed = 0;
    char key[65];
    focal_hex(key, cut->key.b, sizeof cut->key.b);
    for (size_t i = 0; i < json_array_size(known); i++)
        listed += json_is_true(json_object_get(json_array_get(known, i), "listed")) && strcmp(text_of(json_array_get(known, i), "key"), key) == 0;
    bool good = listed == focal_cut_tip_count(cut);
    for (size_t i = 0; i < focal_cut_tip_count(cut) && good; i++) {
        struct focal_cut_tip tip;
        focal_cut_tip_get(&tip, cut, i);
        good = is_shown(begun, cut, &tip);
    }
    return good;
}

static uint8_t reason_of(const struct args *args)
{
    static const char *const words[] = { [FOCAL_CUT_RETIRED] = "retired", [FOCAL_CUT_REVOKED] = "revoked", [FOCAL_CUT_KEY_STOLEN] = "key_stolen", [FOCAL_CUT_NARROWED] = "narrowed" };
    const char *typed = strcmp(args->words, "office retire") == 0 ? "retired" : args_value(args, OPTION_CUT_REASON);
    uint8_t code = typed ? 0 : FOCAL_CUT_REVOKED;
    for (uint8_t i = FOCAL_CUT_RETIRED; i < sizeof words / sizeof *words; i++)
        code = typed && strcmp(words[i], typed) == 0 ? i : code;
    return code;
}

/* A cut cannot be undone, so it is looked at whole: of a key of that office, of the very reach and reason that were asked for,
 * leaving what was shown. */
static bool is_cut(const struct args *args, const json_t *begun, const struct focal_statement *s)
{
    const struct focal_cut *cut = &s->is.cut;
    const char *scope = args_value(args, OPTION_SCOPE);
    struct focal_reach asked = { .kind = FOCAL_REACH_EVERYTHING };
    if (scope && !focal_scope_parse(&asked.scope, focal_span_text(scope)))
        return false;
    if (scope)
        asked.kind = FOCAL_REACH_SCOPE;
    else if (args_has(args, OPTION_RIGHT))
        asked = (struct focal_reach){ .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT };
    return s->kind == FOCAL_STATEMENT_CUT && strcasecmp(cut->office.text, args->operands[0]) == 0 && focal_reach_equal(&cut->reach, &asked)
           && cut->reason == reason_of(args) && cut->number <= NUMBER_MOST && key_is_theirs(begun, cut) && tips_are_shown(begun, cut);
}

static void show_known(const struct args *args, const json_t *begun)
{
    const json_t *known = json_object_get(begun, "known");
    size_t left = 0;
    fprintf(stderr, "What is known of ");
    say_text(stderr, text_of(begun, "office"));
    fprintf(stderr, ", and stays:\n");
    for (size_t i = 0; i < json_array_size(known); i++) {
        const json_t *one = json_array_get(known, i);
        if (!json_is_true(json_object_get(one, "listed")))
            continue;
        left++;
        fprintf(stderr, "  %s, %s: up to entry %" JSON_INTEGER_FORMAT ", told by ", text_of(one, "scope"), text_of(one, "lane"),
                json_integer_value(json_object_get(one, "sequence")));
        say_text(stderr, text_of(one, "by"));
        fputc('\n', stderr);
    }
    if (left == 0)
        fprintf(stderr, "  nothing\n");
    for (size_t i = 0; i < json_array_size(json_object_get(begun, "keys")); i++)
        fprintf(stderr, "Key        %.16s...\n", json_string_value(json_array_get(json_object_get(begun, "keys"), i)));
    fprintf(stderr, "All else that it wrote%s counts no more, on every office's machine. Only a later cut with a wider list undoes that;\n"
                    "it comes back only with a new key.\n", args_has(args, OPTION_SCOPE) ? " there" : "");
}

static enum focal_status sure(const struct args *args, struct focal_error *err)
{
    struct focal_buf typed;
    if (args_has(args, OPTION_YES))
        return FOCAL_OK;
    if (args_has(args, OPTION_NO_INPUT) || !args->terminal_err)
        return focal_fail(err, FOCAL_USAGE, "say --yes if you are sure", "%s: nobody can be asked", args->words);
    enum focal_status st = ask_again(&typed, "Type the office's code again to go on: ", err);
    if (st == FOCAL_OK && strcasecmp(focal_buf_cstr(&typed), args->operands[0]) != 0)
        st = focal_fail(err, FOCAL_CANCELLED, "nothing was changed", "that is not %.20s", args->operands[0]);
    focal_buf_close(&typed);
    return st;
}

int run_revoke(const struct args *args)
{
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
    if (st == FOCAL_OK)
        st = talk_one(&t, "office.revoke.begin", json_incref(with), &begun, NULL, &err);
    if (st == FOCAL_OK && !args->json)
        show_known(args, begun);
    if (st == FOCAL_OK)
        st = sure(args, &err);
    if (st == FOCAL_OK)
        st = authority_sign(args, &t, begun, is_cut, "office.revoke", &told, &err);
    talk_close(&t);
    if (st == FOCAL_OK && args->json) {
        json_object_set(told, "known", json_object_get(begun, "known"));
        (void)say_object(args, told);
    } else if (st == FOCAL_OK) {
        say_text(stdout, args->operands[0]);
        puts(": rights are taken back; every office learns it at the next contact");
    }
    json_decref(with);
    json_decref(begun);
    json_decref(told);
    return st == FOCAL_OK ? say_done(0) : say_error(args, &err);
}

/* ---- network show ---- */

static void show_network(const struct args *args, const json_t *item)
{
    const json_t *cuts = json_object_get(item, "cuts"), *delegations = json_object_get(item, "delegations");
    (void)args;
    printf("Network    ");
    say_text(stdout, text_of(item, "network"));
    printf("\nId         %s\nAuthority  %s\nFounded    %s\nOffices    %" JSON_INTEGER_FORMAT ", and %" JSON_INTEGER_FORMAT " revoked\n", text_of(item, "id"),
           text_of(item, "authority"), text_of(item, "founded"), json_integer_value(json_object_get(item, "offices")),
           json_integer_value(json_object_get(item, "revoked")));
    if (*text_of(item, "two_persons"))
        printf("Two        persons are wanted everywhere for: %s\n", text_of(item, "two_persons"));
    for (size_t i = 0; i < json_array_size(delegations); i++) {
        const json_t *one = json_array_get(delegations, i);
        printf("Renews     ");
        say_text(stdout, text_of(one, "office"));
        printf(", by itself, up to %s\n", text_of(one, "until"));
    }
    for (size_t i = 0; i < json_array_size(cuts); i++) {
        const json_t *one = json_array_get(cuts, i);
        printf("Cut        ");
        say_text(stdout, text_of(one, "office"));
        printf(", %s, since %s (%s); %" JSON_INTEGER_FORMAT " entries held here lie beyond it\n", text_of(one, "reach"), text_of(one, "day"),
               text_of(one, "reason"), json_integer_value(json_object_get(one, "beyond")));
    }
}

int run_network(const struct args *args)
{
    return ask_and_show(args, json_object(), false, show_network);
}
