/* office renew, network delegate: the last day of memberships is put off. The client signs, as for office admit. */
#include "cli.h"

#include "authority.h"

#include <string.h>
#include <strings.h>

static bool is_renewal(const struct args *args, const struct focal_statement *s)
{
    return s->kind == FOCAL_STATEMENT_RENEWAL && strcasecmp(s->is.renewal.office.text, args->operands[0]) == 0 && s->is.renewal.delegation.len == 0;
}

static bool is_delegation(const struct args *args, const struct focal_statement *s)
{
    return s->kind == FOCAL_STATEMENT_DELEGATION && s->is.delegation.key_set != args_has(args, OPTION_END);
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

int run_renew(const struct args *args)
{
    const bool delegates = strcmp(args->words, "network delegate") == 0;
    const char *begin = delegates ? "network.delegate.begin" : "office.renew.begin";
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
        st = talk_one(&t, begin, json_incref(with), &begun, NULL, &err);
    if (st == FOCAL_OK)
        st = authority_sign(args, &t, begun, delegates ? is_delegation : is_renewal, args->request, &told, &err);
    talk_close(&t);
    if (st == FOCAL_OK && args->json)
        (void)say_object(args, told);
    else if (st == FOCAL_OK)
        (delegates ? show_delegated : show_renewed)(told);
    json_decref(with);
    json_decref(begun);
    json_decref(told);
    return st == FOCAL_OK ? say_done(0) : say_error(args, &err);
}
