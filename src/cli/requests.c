/* approve, request refuse: the second of two persons; and how users are called. */
#include "cli.h"

#include <pwd.h>
#include <string.h>

void say_user(struct focal_buf *out, uint64_t uid)
{
    char text[4096];
    struct passwd row, *found = NULL;
    focal_buf_printf(out, "user %llu", (unsigned long long)uid);
    if (uid <= UINT32_MAX && getpwuid_r((uid_t)uid, &row, text, sizeof text, &found) == 0 && found)
        focal_buf_printf(out, " (%.60s)", row.pw_name);
}

static bool put_number(const struct args *args, json_t *with, struct focal_error *err)
{
    uint64_t number;
    if (!focal_parse_u64(focal_span_text(args->operands[0]), &number) || number == 0 || number > INT64_MAX) {
        (void)!focal_fail(err, FOCAL_USAGE, "`focalctl request list` shows the numbers", "\"%.40s\" is not the number of a request", args->operands[0]);
        return false;
    }
    json_object_set_new(with, "number", json_integer((json_int_t)number));
    return true;
}

/* Of what is done at once the daemon gives the same answer as to who would do it alone. */
static void show_approved(const struct args *args, const json_t *item)
{
    if (json_is_true(json_object_get(item, "refused")))
        printf("request %s waits no more\n", args->operands[0]);
    else if (json_is_true(json_object_get(item, "approved")))
        printf("request %s is agreed to; who asked for it repeats the command now, just as it was\n", args->operands[0]);
    else if (json_object_get(item, "confirmed"))
        show_redacted(args, item);
    else
        printf("request %s is agreed to, and done\n", args->operands[0]);
}

int run_approve(const struct args *args)
{
    struct focal_error err;
    json_t *with = json_object();
    if (!put_number(args, with, &err)) {
        json_decref(with);
        return say_error(args, &err);
    }
    return ask_and_show(args, with, false, show_approved);
}

int run_refuse_request(const struct args *args)
{
    return run_approve(args);
}
