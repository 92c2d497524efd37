/* focal_bench: options, scenes one after the other, and the one way out that ends children and tidies up. */
#include "bench.h"

#include "focal/crypto.h"

#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECORDS = 100000, RECORDS_LEAST = 1000, EXIT_USAGE = 2, STALL_MS_MOST = 100 };

double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void end_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

/* The signals are blocked, and looked for where the bench can stop. */
bool interrupted(struct bench *b)
{
    sigset_t set;
    struct timespec none = { 0 };

    end_signals(&set);
    int number = b->signal ? b->signal : sigtimedwait(&set, NULL, &none);
    if (number > 0)
        b->signal = number;
    return b->signal != 0;
}

enum focal_status wait_ms(struct bench *b, int ms, double until_s, const char *what, struct focal_error *err)
{
    if (interrupted(b))
        return focal_fail(err, FOCAL_CANCELLED, "", "interrupted");
    if (seconds() >= until_s)
        return focal_fail(err, FOCAL_TIMEOUT, "run it again with --keep and look at the logs", "waited too long for %s", what);
    poll(NULL, 0, ms);
    return FOCAL_OK;
}

static void help(void)
{
    printf("Examples:\n"
           "  focal_bench                          measure everything, in under five minutes\n"
           "  focal_bench --json > bench.json\n"
           "  focal_bench --only merge --records 10000\n"
           "\n"
           "  --only NAME    one scene and what it needs; may be repeated:");
    for (int i = 0; i < SCENE_COUNT; i++)
        printf(" %s", scene_name((enum scene)i));
    printf("\n"
           "  --records N    case records (%d); the limits are meant for that many\n"
           "  --keep         leave the directory, for its logs\n"
           "  --json         one JSON object on standard output\n"
           "  --help\n"
           "\n"
           "Exit 0: everything that does not depend on speed held; limits that were missed are listed. 1: something did not.\n",
           RECORDS);
}

static bool pick(struct bench *b, const char *name)
{
    static const unsigned needs[SCENE_COUNT] = {
#define X(n, of) [SCENE_##n] = (of),
        SCENES(X)
#undef X
    };

    for (unsigned i = 0; i < SCENE_COUNT; i++)
        if (strcmp(name, scene_name((enum scene)i)) == 0) {
            b->scenes |= 1u << i | needs[i];
            return true;
        }
    return false;
}

/* -1: go on; else the exit status. */
static int read_options(struct bench *b, int argc, char **argv)
{
    static const struct option longs[] = {
        { "only", required_argument, NULL, 'o' }, { "records", required_argument, NULL, 'n' }, { "json", no_argument, NULL, 'j' },
        { "keep", no_argument, NULL, 'k' },       { "help", no_argument, NULL, 'h' },           { NULL, 0, NULL, 0 },
    };
    uint64_t n = RECORDS;

    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        switch (c) {
        case 'j': b->json = true; break;
        case 'k': b->keep = true; break;
        case 'h': help(); return 0;
        case 'o':
            if (pick(b, optarg))
                break;
            fprintf(stderr, "focal_bench: no scene is called \"%s\"; see --help\n", optarg);
            return EXIT_USAGE;
        case 'n':
            if (focal_parse_u64(focal_span_text(optarg), &n) && n >= RECORDS_LEAST && n <= 10 * RECORDS)
                break;
            fprintf(stderr, "focal_bench: --records %s: write a number from %d to %d\n", optarg, RECORDS_LEAST, 10 * RECORDS);
            return EXIT_USAGE;
        default: return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "focal_bench: what is \"%s\"? See --help\n", argv[optind]);
        return EXIT_USAGE;
    }
    b->records = (size_t)n;
    if (!b->scenes)
        b->scenes = (1u << SCENE_COUNT) - 1;
    return -1;
}

static enum focal_status play(struct bench *b, struct focal_error *err)
{
    static enum focal_status (*const scenes[SCENE_COUNT])(struct bench *, struct focal_error *) = {
#define X(name, needs) [SCENE_##name] = scene_##name,
        SCENES(X)
#undef X
    };
    enum focal_status status = focal_crypto_init() == FOCAL_OK ? place_open(b, err) : focal_fail(err, FOCAL_IO, "", "libsodium does not start");

    for (unsigned i = 0; status == FOCAL_OK && i < SCENE_COUNT; i++) {
        b->scene = (enum scene)i;
        if (b->scenes & 1u << i)
            status = scenes[i](b, err);
    }
    if (status == FOCAL_OK && b->stall_ms >= 0)
        must_most(b, "longest turn of a daemon's loop", b->stall_ms, STALL_MS_MOST, "ms");
    return status;
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };
    struct focal_error err = { .status = FOCAL_OK };
    sigset_t set;

    int code = read_options(&b, argc, argv);
    if (code >= 0)
        return code;
    end_signals(&set);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    b.began_s = seconds();
    b.stall_ms = -1;
    b.terminal = isatty(STDERR_FILENO);
    enum focal_status status = play(&b, &err);
    progress_end(&b);
    child_end(&b.office);
    child_end(&b.hq);
    proxy_close(b.proxy);
    place_close(&b);
    if (b.signal) {                     /* whoever waits for us sees what ended us */
        (void)signal(b.signal, SIG_DFL);
        (void)raise(b.signal);
        (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    }
    if (status) {
        fprintf(stderr, "focal_bench: %s: %s\n", scene_name(b.scene), err.message[0] ? err.message : focal_status_text(status));
        if (err.hint[0])
            fprintf(stderr, "focal_bench: %s\n", err.hint);
    }
    if (b.json)
        show_json(&b, stdout);
    else
        show_table(&b, stdout);
    return status || b.broken_count ? 1 : 0;
}
