/* office invite and office admit. The client signs: the daemon never sees the authority's key. */
#include "cli.h"

#include "authority.h"
#include "focal/io.h"

#include <string.h>
#include <sys/prctl.h>

enum { VALID_DAYS = 366, OPENINGS = 400 };

/* ---- invite ---- */

static enum focal_status invite_with(const struct args *args, json_t *with, struct focal_error *err)
{
    const char *expires = args_value(args, OPTION_EXPIRES), *country = args_value(args, OPTION_COUNTRY);
    json_t *addresses = json_array();
    uint64_t seconds;
    put_text(with, "office", args->operands[0]);
    for (size_t i = 0; i < args->given_count; i++)
        if (args->given[i].option == OPTION_ADDRESS)
            json_array_append_new(addresses, focal_json_text(focal_span_text(args->given[i].value)));
    if (json_array_size(addresses))
        json_object_set(with, "addresses", addresses);
    json_decref(addresses);
    put_text(with, "country", country);
    if (args_has(args, OPTION_MAY_REDACT))
        json_object_set_new(with, "may_redact", json_true());
    if (!expires)
        return FOCAL_OK;
    if (args_seconds(expires, &seconds, err) != FOCAL_OK)
        return err->status;
    if (seconds < 86400 || seconds % 86400)
        return focal_fail(err, FOCAL_USAGE, "write 7d for seven days", "--expires takes whole days, not \"%.40s\"", expires);
    json_object_set_new(with, "days", json_integer((json_int_t)(seconds / 86400)));
    return FOCAL_OK;
}

static void show_invitation(const struct args *args, const json_t *item)
{
    const char *code = args->operands[0];
    (void)fflush(stdout);
    say_text(stdout, text_of(item, "token"));
    putchar('\n');
    (void)fflush(stdout);
    fprintf(stderr, "\nThis is the invitation for ");
    say_text(stderr, code);
    fprintf(stderr, ", good until ");
    say_text(stderr, text_of(item, "expires"));
    fprintf(stderr, ". It holds a secret: hand it to that office alone.\n"
                    "  1. There: put it into a file, then   focald setup --join-file FILE\n"
                    "     It shows eight words and the next command. Start the daemon there: it asks to be admitted.\n"
                    "  2. Let them read you the eight words, by telephone or face to face.\n"
                    "  3. Here:   focalctl office admit ");
    say_text(stderr, code);
    fputc('\n', stderr);
}

int run_invite(const struct args *args)
{
    struct talk t = { 0 };
    struct focal_error err;
    json_t *with = json_object(), *item = NULL;
    enum focal_status st = invite_with(args, with, &err);
    if (st == FOCAL_OK)
        st = talk_open(&t, args, &err);
    if (st == FOCAL_OK)
        st = talk_one(&t, args->request, json_incref(with), &item, NULL, &err);
    json_decref(with);
    talk_close(&t);
    if (st == FOCAL_OK && !item)
        st = focal_fail(&err, FOCAL_UNSUPPORTED, "are focald and focalctl of one version?", "the daemon gave no invitation");
    if (st != FOCAL_OK)
        return say_error(args, &err);
    if (args->json)
        (void)say_object(args, item);
    else
        show_invitation(args, item);
    json_decref(item);
    return say_done(0);
}

/* ---- admit ---- */

struct joining {                        /* what the daemon told of the office that waits */
    struct focal_certificate certificate;
    struct focal_hash network;
    struct focal_key authority;
    const char *dir;
    bool admitted, successor;
};

static bool take_hex(const json_t *item, const char *key, void *out, size_t len)
{
    return focal_unhex(out, len, focal_span_text(text_of(item, key)));
}

static enum focal_status take_joining(struct joining *j, const json_t *item, struct focal_error *err)
{
    struct focal_certificate *c = &j->certificate;
    json_int_t number = json_integer_value(json_object_get(item, "number")), invitation = json_integer_value(json_object_get(item, "invitation"));
    const char *country = text_of(item, "country");
    bool good = focal_office_parse(&c->office, focal_span_text(text_of(item, "office"))) && number > 0 && invitation > 0
                && take_hex(item, "network", j->network.b, 32) && take_hex(item, "authority", j->authority.b, 32)
                && take_hex(item, "sign", c->keys.sign.b, 32) && take_hex(item, "channel", c->keys.channel.b, 32)
                && take_hex(item, "open", c->keys.open.b, 32) && (!*country || (strlen(country) == 3 && focal_country_known(country)));
    if (!good)
        return focal_fail(err, FOCAL_UNSUPPORTED, "are focald and focalctl of one version?",
                          "the daemon's account of the waiting office cannot be read");
    struct focal_now now;
    focal_clock_now(&now);
    c->role = FOCAL_ROLE_OFFICE;
    c->rights = json_is_true(json_object_get(item, "may_redact")) ? FOCAL_RIGHT_REDACT : 0;
    c->read[c->read_count++] = (struct focal_scope){ .cls = FOCAL_SCOPE_CONTROL };
    c->read[c->read_count++] = (struct focal_scope){ .cls = FOCAL_SCOPE_NETWORK };
    if (*country) {
        struct focal_scope *s = &c->read[c->read_count++];
        s->cls = FOCAL_SCOPE_COUNTRY;
        memcpy(s->country, country, 4);
    }
    memcpy(c->write, c->read, sizeof c->write);
    c->write_count = c->read_count;
    c->number = (uint64_t)number;
    c->from_day = (uint32_t)(now.wall_ms / 86400000u);
    c->to_day = c->from_day + VALID_DAYS;
    c->openings_max = OPENINGS;
    j->successor = json_is_true(json_object_get(item, "successor"));
    c->invitation_set = true;
    c->invitation = (uint64_t)invitation;
    (void)snprintf(c->entity, sizeof c->entity, "%s", text_of(item, "entity"));
    j->dir = text_of(item, "dir");
    j->admitted = json_is_true(json_object_get(item, "admitted"));
    return FOCAL_OK;
}

/* The one moment that binds keys to people: eight words read aloud. */
static enum focal_status compare_words(const struct args *args, const struct joining *j, struct focal_error *err)
{
    struct focal_buf typed;
    const char *words[8];
    const char *office = j->certificate.office.text;
    enum focal_status st = ask_words(args, office, &typed, err);
    focal_eight_words(words, &j->network, j->certificate.invitation, &j->certificate.keys);
    int place = st == FOCAL_OK ? focal_eight_words_check(focal_buf_view(&typed), words) : 0;
    focal_buf_close(&typed);
    if (st != FOCAL_OK || place == 0)
        return st;
    if (place == 9)
        return focal_fail(err, FOCAL_REFUSED, "type the eight words alone", "there is something after the eighth word; %s was not admitted", office);
    return focal_fail(err, FOCAL_REFUSED,
                      "read them again, word for word. If they still differ, somebody else may be answering in its place: make a new invitation",
                      "word %d is not what these keys give; %s was not admitted", place, office);
}

#ifdef FOCAL_NEXT_VERSION
/* A kind of statement that today's program knows nothing of. */
static void sign_made_up(json_t *with, const struct focal_sign_key *key, const struct focal_hash *network)
{
    struct focal_buf body, statement;
    char hex[512];
    focal_buf_init(&body, 100);
    focal_buf_init(&statement, 200);
    focal_buf_varint(&body, 64);
    focal_buf_item(&body, 16, focal_span_text("made up"));
    focal_statement_sign(&statement, key->secret, network, focal_buf_view(&body));
    focal_hex(hex, statement.data, statement.len);
    json_object_set_new(with, "made_up", json_string(hex));
    focal_buf_close(&body);
    focal_buf_close(&statement);
}
#endif

static enum focal_status sign(const struct args *args, const struct joining *j, json_t **with, struct focal_error *err)
{
    struct focal_sign_key key;
    struct focal_buf body, statement;
    memset(&key, 0, sizeof key);
    (void)!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  /* no core file and no other process sees the authority's key */
    enum focal_status st = authority_unlock(args, j->dir, &j->authority, &key, err);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    if (st == FOCAL_OK) {
        focal_certificate_encode(&body, &j->certificate);
        (void)authority_put(&statement, &key, j->successor, &j->network, &body);
    }
#ifdef FOCAL_NEXT_VERSION
    *with = json_object();
    if (st == FOCAL_OK)
        sign_made_up(*with, &key, &j->network);
#endif
    focal_sign_key_wipe(&key);
    (void)!prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    char *hex = st == FOCAL_OK && !body.failed && !statement.failed ? focal_alloc(statement.len * 2 + 1) : NULL;
    if (hex) {
        focal_hex(hex, statement.data, statement.len);
#ifndef FOCAL_NEXT_VERSION
        *with = json_object();
#endif
        json_object_set_new(*with, "office", json_string(j->certificate.office.text));
        json_object_set_new(*with, "statement", json_string(hex));
        focal_free(hex);
    } else if (st == FOCAL_OK) {
        st = focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the membership");
    }
    focal_buf_close(&statement);
    focal_buf_close(&body);
    return st;
}

static enum focal_status admit(const struct args *args, struct talk *t, json_t *begin, json_t **told, struct focal_error *err)
{
    struct joining j;
    json_t *with = NULL;
    memset(&j, 0, sizeof j);
    enum focal_status st = talk_open(t, args, err);
    t->idle_ms = 0;                     /* the daemon keeps the time */
    if (st == FOCAL_OK && args->terminal_err && !args->json)
        fprintf(stderr, "Waiting for %s to ask to be admitted ...\n", args->operands[0]);
    if (st == FOCAL_OK)
        st = talk_one(t, "office.admit.begin", json_incref(begin), told, NULL, err);
    if (st == FOCAL_OK)
        st = take_joining(&j, *told, err);
    if (st == FOCAL_OK && j.admitted)
        return FOCAL_EXISTS;
    if (st == FOCAL_OK)
        st = compare_words(args, &j, err);
    if (st == FOCAL_OK)
        st = sign(args, &j, &with, err);
    if (st != FOCAL_OK)
        return st;
    json_decref(*told);
#ifdef FOCAL_NEXT_VERSION
    json_t *more = json_pack("{s:s,s:O}", "office", j.certificate.office.text, "statement", json_object_get(with, "made_up"));
    json_object_del(with, "made_up");
    if ((st = talk_one(t, "office.admit", more, told, NULL, err)) != FOCAL_OK)
        return st;
    json_decref(*told);
#endif
    return talk_one(t, "office.admit", with, told, NULL, err);
}

int run_admit(const struct args *args)
{
    struct talk t = { 0 };
    struct focal_error err = { 0 };
    json_t *begin = json_object(), *told = NULL;
    uint64_t seconds;
    const char *timeout = args_value(args, OPTION_TIMEOUT);
    enum focal_status st = focal_crypto_init();
    if (st != FOCAL_OK)
        st = focal_fail(&err, st, "", "the cryptographic library does not start");
    if (st == FOCAL_OK && timeout)
        st = args_seconds(timeout, &seconds, &err);
    if (st == FOCAL_OK && timeout)
        json_object_set_new(begin, "timeout_ms", json_integer((json_int_t)seconds * 1000));
    put_text(begin, "office", args->operands[0]);
    if (st == FOCAL_OK)
        st = admit(args, &t, begin, &told, &err);
    talk_close(&t);
    json_decref(begin);
    json_t *item = json_object();
    json_object_set_new(item, "office", focal_json_text(focal_span_text(*text_of(told, "office") ? text_of(told, "office") : args->operands[0])));
    json_object_set_new(item, "admitted", json_true());
    int code = 0;
    if (st != FOCAL_OK && st != FOCAL_EXISTS) {
        code = say_error(args, &err);
    } else if (args->json) {
        (void)say_object(args, item);
    } else {
        say_text(stdout, text_of(item, "office"));
        puts(st == FOCAL_EXISTS ? " was admitted before" : " is admitted; it learns it at the next contact");
    }
    json_decref(told);
    json_decref(item);
    return say_done(code);
}
