/* focald: the daemon, and what is done before one runs. */
#include "daemon.h"

#include "focal/control.h"
#include "focal/demo.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const char help[] =
    "Examples:\n"
    "  focald demo                                    watch a headquarters and four offices, on this machine alone\n"
    "  focald setup --role hq --network \"My network\" --office HQ --dir hq\n"
    "  focald run --dir hq\n"
    "  focalctl --dir hq office invite KEN            gives a token for the new office\n"
    "  focald setup --join-file token --dir ken       on the new office's machine; prints eight words\n"
    "  focald run --dir ken\n"
    "  focalctl --dir hq office admit KEN             compares the words and admits\n"
    "\n"
    "usage: focald VERB [OPTIONS]\n"
    "  setup          makes keys, recovery sheet and configuration of a headquarters or an office;\n"
    "                 with --rejoin, a new database for an office whose own is damaged or lost\n"
    "  run            the service\n"
    "  check-config   reads the configuration and says what is wrong with it\n"
    "  demo           all of it as real processes, with published figures\n"
    "\n"
    "`focald VERB --help` says more. focalctl talks to a running focald.\n";

int exit_of(enum focal_status status)
{
    switch (status) {
    case FOCAL_OK:
        return SAY_OK;
    case FOCAL_USAGE:
        return SAY_USAGE;
    case FOCAL_MALFORMED:
    case FOCAL_DAMAGED:
    case FOCAL_NEVER:
    case FOCAL_UNSUPPORTED:
        return SAY_DATA;
    case FOCAL_EXISTS:
        return SAY_CANNOT_MAKE;
    case FOCAL_IO:
    case FOCAL_DISK_FULL:
        return SAY_IO;
    case FOCAL_BUSY:
    case FOCAL_FULL:
    case FOCAL_NO_MEMORY:
    case FOCAL_TIMEOUT:
        return SAY_LATER;
    case FOCAL_DENIED:
        return SAY_DENIED;
    default:
        return SAY_CONFIG;
    }
}

int say_failed(const struct focal_error *err, bool json)
{
    if (json) {
        char code[16];
        (void)snprintf(code, sizeof code, "FD-%03d", (int)err->status);
        json_t *all = json_pack("{s:{s:s,s:i,s:o,s:o}}", "error", "code", code, "exit", exit_of(err->status),
            "message", focal_json_text(focal_span_text(err->message)), "hint", focal_json_text(focal_span_text(err->hint)));
        if (all && json_dumpf(all, stderr, JSON_COMPACT) == 0)
            fputc('\n', stderr);
        json_decref(all);
    } else {
        fprintf(stderr, "focald: %s\n", err->message[0] ? err->message : focal_status_text(err->status));
        if (err->hint[0])
            fprintf(stderr, "        %s\n", err->hint);
    }
    return exit_of(err->status);
}

int say_usage(const char *verb, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("focald: ", stderr);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\n        `focald %s%s--help` shows examples\n", verb, verb[0] ? " " : "");
    return SAY_USAGE;
}

enum focal_status say_rejoin(struct focal_error *err, const char *dir, const char *before)
{
    char hint[sizeof err->hint];
    int n = snprintf(hint, sizeof hint, "%s`focald setup --rejoin --dir %s`", before, dir);
    if (n < 0 || n >= (int)sizeof hint)
        (void)snprintf(hint, sizeof hint, "%s`focald setup --rejoin --dir DIR`", before);
    return focal_fail(err, FOCAL_DAMAGED, hint, "%s", err->message);
}

bool path_join(char out[PATH_BYTES], const char *dir, const char *name)
{
    int n = snprintf(out, PATH_BYTES, "%s/%s", dir, name);
    return n > 0 && n < PATH_BYTES;
}

/* Keys and records stand in this process's memory: no core file, and no other process of this user may look inside. */
static void keep_memory_private(void)
{
    const struct rlimit none = { 0, 0 };
    (void)!setrlimit(RLIMIT_CORE, &none);
    (void)!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0 || strcmp(verb, "help") == 0) {
        fputs(help, stdout);
        return SAY_OK;
    }
    if (strcmp(verb, "--version") == 0) {
        puts("focald " FOCAL_VERSION);
        return SAY_OK;
    }
    if (strcmp(verb, "demo") == 0)      /* a client of daemons; it forks, so nothing may have been started before */
        return focal_demo_main(argc - 1, argv + 1);
    if (focal_crypto_init() != FOCAL_OK) {
        fputs("focald: the cryptographic library does not start\n", stderr);
        return SAY_IO;
    }
    keep_memory_private();
    if (strcmp(verb, "setup") == 0)
        return setup_main(argc - 1, argv + 1);
    if (strcmp(verb, "run") == 0)
        return run_main(argc - 1, argv + 1);
    if (strcmp(verb, "check-config") == 0)
        return check_config_main(argc - 1, argv + 1);
    if (!verb[0])
        return say_usage("", "which verb? setup, run, check-config or demo");
    return say_usage("", "there is no verb \"%s\"; there are setup, run, check-config and demo", verb);
}
