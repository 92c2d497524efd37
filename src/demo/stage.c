/* The demo's order: options, scenes one after the other, and the one way out that ends children and tidies up. */
#include "stage.h"

#include "focal/control.h"
#include "focal/demo.h"

#include <getopt.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_MS = 20, EXIT_USAGE = 64, OFFICES_LEAST = 2, OFFICES_DEFAULT = 4 };

/* Where the invented offices are said to be. ISO 3166-1 codes serve as names; nothing that is loaded happened there. */
static const char *const invented[STAGE_OFFICES_MAX] = { "KEN", "SSD", "COD", "UGA", "CAF", "MLI", "HTI", "BGD" };

uint64_t focal_stage_mono_ms(void)
{
    struct focal_now now;

    focal_clock_now(&now);
    return now.mono_ms;
}

static void end_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

bool focal_stage_interrupted(struct stage *s)
{
    sigset_t set;
    struct timespec none = { 0 };

    end_signals(&set);
    int number = s->signal ? s->signal : sigtimedwait(&set, NULL, &none);
    if (number > 0)
        s->signal = number;
    return s->signal != 0;
}

enum focal_status focal_stage_pause(struct stage *s, uint64_t until, const char *what, struct focal_error *err)
{
    if (focal_stage_interrupted(s))
        return focal_fail(err, FOCAL_CANCELLED, "", "interrupted");
    if (focal_stage_mono_ms() >= until)
        return focal_fail(err, FOCAL_TIMEOUT, "Run it again with --keep and look at the logs.", "waited too long for %s", what);
    poll(NULL, 0, LOOK_MS);
    return FOCAL_OK;
}

static void help(FILE *to)
{
    fprintf(to,
            "Examples:\n"
            "  focald demo                               watch a headquarters and %d offices, then everything is removed\n"
            "  focald demo --keep --dir /tmp/d           the daemons go on; look around with focalctl\n"
            "  focald demo --stop --dir /tmp/d           ends them\n"
            "  focald demo --figures my.csv --report r.html\n"
            "\n"
            "  --dir D          directory to work in: empty or not there yet (otherwise a temporary one)\n"
            "  --keep           leave the daemons running and the directory in place\n"
            "  --offices N      offices besides headquarters, %d to %d (%d)\n"
            "  --figures CSV    published figures to load as cases (un_sea_quarterly.csv)\n"
            "  --report F.html  where the report goes\n"
            "  --json           JSON lines; the last one says who runs where\n"
            "  --stop           end the daemons that --keep left in --dir D\n"
            "  --help\n",
            OFFICES_DEFAULT, OFFICES_LEAST, STAGE_OFFICES_MAX, OFFICES_DEFAULT);
}

/* -1: go on; else the exit status. */
static int read_options(struct stage_options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        { "dir", required_argument, NULL, 'd' },    { "keep", no_argument, NULL, 'k' },
        { "offices", required_argument, NULL, 'n' }, { "figures", required_argument, NULL, 'f' },
        { "report", required_argument, NULL, 'r' }, { "json", no_argument, NULL, 'j' },
        { "stop", no_argument, NULL, 's' },         { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    uint64_t n = OFFICES_DEFAULT;

    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        switch (c) {
        case 'd': o->dir = optarg; break;
        case 'k': o->keep = true; break;
        case 'f': o->figures = optarg; break;
        case 'r': o->report = optarg; break;
        case 'j': o->json = true; break;
        case 's': o->stop = true; break;
        case 'h': help(stdout); return 0;
        case 'n':
            if (focal_parse_u64(focal_span_text(optarg), &n) && n >= OFFICES_LEAST && n <= STAGE_OFFICES_MAX)
                break;
            fprintf(stderr, "focald demo: --offices %s: write a number from %d to %d\n", optarg, OFFICES_LEAST, STAGE_OFFICES_MAX);
            return EXIT_USAGE;
        default:
            fprintf(stderr, "See: focald demo --help\n");
            return EXIT_USAGE;
        }
    }
    o->offices = (unsigned)n;
    if (optind < argc)
        fprintf(stderr, "focald demo: what is \"%s\"? See: focald demo --help\n", argv[optind]);
    else if (o->stop && !o->dir)
        fprintf(stderr, "focald demo: --stop needs --dir DIR\n");
    else
        return -1;
    return EXIT_USAGE;
}

static void cast(struct stage *s)
{
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

    s->terminal = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
    s->colour = s->terminal && !(no_colour && no_colour[0]);
    s->began_ms = focal_stage_mono_ms();
    s->node_count = 1 + s->options.offices;
    (void)snprintf(s->nodes[0].code, sizeof s->nodes[0].code, "HQ");
    for (size_t i = 1; i < s->node_count; i++) {
        (void)snprintf(s->nodes[i].code, sizeof s->nodes[i].code, "%s", invented[i - 1]);
        (void)snprintf(s->nodes[i].country, sizeof s->nodes[i].country, "%s", invented[i - 1]);
    }
}

static enum focal_status play(struct stage *s, struct focal_error *err)
{
    static enum focal_status (*const scenes[STAGE_SCENES])(struct stage *, struct focal_error *) = {
        focal_scene_figures, focal_scene_headquarters, focal_scene_offices, focal_scene_cases, focal_scene_replication,
        focal_scene_two_versions, focal_scene_verify, focal_scene_matrix, focal_scene_tables, focal_scene_report,
    };
    enum focal_status status = focal_place_find_programs(s, err);

    if (status == FOCAL_OK)
        status = focal_place_open(s, err);
    if (status == FOCAL_OK)
        status = focal_place_report(s, err);
    if (status == FOCAL_OK)
        focal_show_opening(s);
    for (size_t i = 0; status == FOCAL_OK && i < STAGE_SCENES; i++) {
        status = focal_stage_interrupted(s) ? focal_fail(err, FOCAL_CANCELLED, "", "interrupted") : scenes[i](s, err);
    }
    return status;
}

int focal_demo_main(int argc, char **argv)
{
    struct stage s = { 0 };
    struct focal_error err = { 0 };
    sigset_t ends;

    int exit_now = read_options(&s.options, argc, argv);
    if (exit_now >= 0)
        return exit_now;
    if (s.options.stop)
        return focal_place_stop(&s.options);
    end_signals(&ends);
    sigprocmask(SIG_BLOCK, &ends, NULL);        /* looked at between waits, so that there is one way out */
    signal(SIGPIPE, SIG_IGN);
    cast(&s);
    enum focal_status status = play(&s, &err);
    bool well = status == FOCAL_OK && s.broken == 0;
    if (status)
        focal_show_error(&s, &err);
    if (s.options.keep && well) {
        for (size_t i = 0; i < s.node_count; i++)
            focal_talk_close(&s.nodes[i]);
    } else {
        focal_child_end_all(&s);
        well = well && s.broken == 0;
    }
    focal_show_closing(&s, well);
    focal_place_close(&s);
    json_decref(s.cases);
    focal_figures_close(s.figures);
    return s.signal ? 128 + s.signal : well ? 0 : 1;
}
