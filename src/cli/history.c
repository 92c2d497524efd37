/* history: what happened at this office, by its own clock; the proof of an incident; the veil lifted by hand. */
#include "cli.h"

#include <string.h>
#include <time.h>

enum { PROOF_BYTES_MAX = 64 << 20 };

/* Of a command it begins with "user 1001", whose name is known here and not to the daemon. */
static void say_what(const json_t *row)
{
    const char *what = text_of(row, "what");
    const json_t *uid = json_object_get(row, "uid");
    if (json_is_integer(uid) && strncmp(what, "user ", 5) == 0) {
        struct focal_buf user;
        focal_buf_init(&user, 200);
        say_user(&user, (uint64_t)json_integer_value(uid));
        say_text(stdout, focal_buf_cstr(&user));
        focal_buf_close(&user);
        what += 5 + strspn(what + 5, "0123456789");
    }
    say_text(stdout, what);
}

static void print_row(const json_t *row)
{
    char when[32] = "?";
    struct tm tm;
    time_t at = (time_t)(json_integer_value(json_object_get(row, "at_ms")) / 1000);
    if (localtime_r(&at, &tm))
        (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
    printf("%6" JSON_INTEGER_FORMAT "  %s  ", json_integer_value(json_object_get(row, "number")), when);
    say_what(row);
    putchar('\n');
}

struct hearing { const struct args *args; bool lines; json_t *items; };

static enum focal_status hear_row(void *data, const json_t *row, struct focal_error *err)
{
    const struct hearing *h = data;
    if (h->lines) {
        (void)json_dumpf(row, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (h->items) {
        json_array_append(h->items, (json_t *)(uintptr_t)row);
    } else {
        print_row(row);
    }
    if (args_has(h->args, OPTION_FOLLOW) && (fflush(stdout) != 0 || say_gone()))
        return focal_fail(err, FOCAL_CANCELLED, "", "standard output is closed");
    return FOCAL_OK;
}

static int show_history(const struct args *args)
{
    struct talk t;
    struct focal_error err;
    const bool follow = args_has(args, OPTION_FOLLOW);
    struct hearing h = { .args = args, .lines = args_has(args, OPTION_JSON_LINES) || (args->json && follow) };
    uint64_t limit;
    json_t *with = json_object();
    enum focal_status st = FOCAL_OK;
    if (args_has(args, OPTION_LIMIT) && (st = args_number(args, OPTION_LIMIT, &limit, &err)) == FOCAL_OK)
        json_object_set_new(with, "limit", json_integer((json_int_t)limit));
    if (follow)
        json_object_set_new(with, "follow", json_true());
    if (args_has(args, OPTION_READINGS))
        json_object_set_new(with, "readings", json_true());
    if (args->json && !h.lines)
        h.items = json_array();
    if (st == FOCAL_OK)
        st = talk_open(&t, args, &err);
    if (st != FOCAL_OK) {
        json_decref(with);
        json_decref(h.items);
        return say_error(args, &err);
    }
    if (follow)
        t.idle_ms = 0;
    st = talk_ask(&t, "history", with, &err);
    if (st == FOCAL_OK)
        st = talk_hear(&t, hear_row, &h, NULL, &err);
    talk_close(&t);
    if (st == FOCAL_OK && h.items) {
        json_t *whole = json_pack("{s:O}", "items", h.items);
        (void)say_object(args, whole);
        json_decref(whole);
    }
    json_decref(h.items);
    return st == FOCAL_OK || say_gone() ? say_done(0) : say_error(args, &err);
}

/* ---- proof ---------------------------------------------------------------------------------------------------------------- */

/* The head comes first; then the entries of either way, in order. */
static enum focal_status hear_proof(void *data, const json_t *item, struct focal_error *err)
{
    json_t **proof = data;
    const char *way = text_of(item, "way");
    if (!*proof) {
        *proof = json_deep_copy(item);
        json_object_set_new(*proof, "way_one", json_array());
        json_object_set_new(*proof, "way_other", json_array());
    } else if (*way) {
        json_t *entry = json_deep_copy(item);
        json_object_del(entry, "way");
        json_array_append_new(json_object_get(*proof, strcmp(way, "one") == 0 ? "way_one" : "way_other"), entry);
    }
    return *proof ? FOCAL_OK : focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the proof");
}

static enum focal_status put_proof(const struct args *args, json_t *proof, struct focal_error *err)
{
    struct sink s;
    struct focal_buf text;
    struct focal_error other;
    json_object_set_new(proof, "schema", json_string("focal.history.proof/1"));
    focal_buf_init(&text, PROOF_BYTES_MAX);
    focal_json_print(&text, proof);
    focal_buf_text(&text, "\n");
    enum focal_status st = text.failed ? focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the proof") : sink_open(&s, args_value(args, OPTION_OUTPUT), err);
    if (st == FOCAL_OK) {
        st = sink_put(&s, text.data, text.len, err);
        enum focal_status closed = sink_close(&s, st == FOCAL_OK, &other);
        if (st == FOCAL_OK && closed != FOCAL_OK) {
            st = closed;
            *err = other;
        }
    }
    focal_buf_close(&text);
    return st;
}

static int write_proof(const struct args *args)
{
    struct talk t;
    struct focal_error err;
    uint64_t number;
    json_t *proof = NULL;
    if (args_number(args, OPTION_PROOF, &number, &err) != FOCAL_OK)
        return say_error(args, &err);
    enum focal_status st = talk_open(&t, args, &err);
    if (st == FOCAL_OK)
        st = talk_ask(&t, "history.proof", json_pack("{s:I}", "number", (json_int_t)number), &err);
    if (st == FOCAL_OK)
        st = talk_hear(&t, hear_proof, &proof, NULL, &err);
    talk_close(&t);
    if (st == FOCAL_OK && proof)
        st = put_proof(args, proof, &err);
    json_decref(proof);
    return st == FOCAL_OK ? say_done(0) : say_error(args, &err);
}

int run_history(const struct args *args)
{
    return args_has(args, OPTION_PROOF) ? write_proof(args) : show_history(args);
}

/* ---- the veil ---------------------------------------------------------------------------------------------------------------- */

static void show_lifted(const struct args *args, const json_t *item)
{
    (void)args;
    (void)item;
    puts("the veil is lifted, and the reason stands in `focalctl history`");
}

int run_lift_veil(const struct args *args)
{
    json_t *with = json_object();
    put_text(with, "reason", args_value(args, OPTION_REASON));
    return ask_and_show(args, with, false, show_lifted);
}
