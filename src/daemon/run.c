/* focald run and check-config. */
#include "run.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char run_help[] =
    "Examples:\n"
    "  focald run --dir ken\n"
    "  focald run --config /etc/focal/focald.conf\n"
    "\n"
    "The service, in the foreground. TERM and INT end it after the step under way; HUP reads the configuration again.\n"
    "\n"
    "  --dir DIR       the directory that `focald setup` filled\n"
    "  --config FILE   the configuration; default DIR/focald.conf, else /etc/focal/focald.conf\n"
    "  --json          the ready line as JSON\n";

static const char check_help[] =
    "Examples:\n"
    "  focald check-config --dir ken\n"
    "  focald check-config --config /etc/focal/focald.conf\n"
    "\n"
    "Reads the configuration as the daemon does, prints what is in force, or says what is wrong and where.\n"
    "\n"
    "The keys:\n";

struct words { const char *dir, *file; bool json; };
enum { OPT_DIR = 256, OPT_CONFIG, OPT_JSON, OPT_HELP };

/* -1: go on. */
static int read_options(struct words *w, const char *verb, const char *help, int argc, char **argv)
{
    static const struct option options[] = { { "dir", required_argument, NULL, OPT_DIR }, { "config", required_argument, NULL, OPT_CONFIG },
        { "json", no_argument, NULL, OPT_JSON }, { "help", no_argument, NULL, OPT_HELP }, { 0 } };
    int opt;
    opterr = 0;
    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == OPT_DIR)
            w->dir = optarg;
        else if (opt == OPT_CONFIG)
            w->file = optarg;
        else if (opt == OPT_JSON)
            w->json = true;
        else if (opt == OPT_HELP) {
            fputs(help, stdout);
            for (size_t i = 0; help == check_help && i < focal_config_key_count(); i++) {
                const struct focal_config_key *key = focal_config_key_at(i);
                printf("  [%s] %s\n      %s\n", key->section, key->name, key->help);
            }
            return SAY_OK;
        } else {
            return say_usage(verb, "\"%s\" is not an option here, or lacks its value", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return say_usage(verb, "\"%s\" is too much", argv[optind]);
    if (!w->dir && !w->file)
        w->file = "/etc/focal/focald.conf";
    return -1;
}

int check_config_main(int argc, char **argv)
{
    struct words w = { 0 };
    struct focal_config config;
    struct focal_error err;
    int rv = read_options(&w, "check-config", check_help, argc, argv);
    if (rv >= 0)
        return rv;
    if (config_read(&config, w.dir, w.file, &err) != FOCAL_OK) {
        (void)say_failed(&err, w.json);
        return SAY_CONFIG;
    }
    struct focal_buf text;
    focal_buf_init(&text, 64 << 10);
    focal_config_print(&text, &config, false);
    if (w.json) {
        json_t *out = json_pack("{s:s,s:b,s:s,s:s,s:s}", "schema", "focal.check-config/1", "ok", 1, "dir", config.dir, "listen", config.listen, "text", focal_buf_cstr(&text));
        if (out && json_dumpf(out, stdout, JSON_COMPACT) == 0)
            putchar('\n');
        json_decref(out);
    } else {
        fputs(focal_buf_cstr(&text), stdout);
    }
    focal_buf_close(&text);
    return SAY_OK;
}

/* ---- run ---------------------------------------------------------------------------------------------------------- */

static void log_line(void *data, enum focal_level level, const char *room, const char *text)
{
    static const char *const words[] = { "error", "warning", "info", "debug" };
    struct focal_now now;
    (void)data;
    focal_clock_now(&now);
    time_t s = (time_t)(now.wall_ms / 1000);
    struct tm t;
    char when[32] = "";
    if (gmtime_r(&s, &t))
        (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &t);
    fprintf(stderr, "%s %s %s: %s\n", when, words[level], room, text);
}

static bool keys_are_there(const struct running *r)
{
    char path[PATH_BYTES];
    return path_join(path, r->config.dir, "keys/node.key") && access(path, F_OK) == 0;
}

static enum focal_status open_store(struct running *r, struct focal_error *err)
{
    char path[PATH_BYTES];
    if (!path_join(path, r->config.dir, "focal.db"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    enum focal_status st = store_open_at(&r->store, path, false, r->secret, err);
    if (st == FOCAL_DISK_FULL && focal_sqlite_give_back(path))
        st = store_open_at(&r->store, path, false, r->secret, err);
    if (st == FOCAL_BUSY)
        return focal_fail(err, st, "there is one daemon to a directory; `focalctl --dir DIR status` talks to it", "another focald has %s open", r->config.dir);
    if (st == FOCAL_NOT_FOUND && keys_are_there(r)) {
        (void)focal_fail(err, st, "", "the database %s is gone, and the keys of an office are there", path);
        return say_rejoin(err, r->config.dir, "next: ");
    }
    if (st == FOCAL_DAMAGED)
        return say_rejoin(err, r->config.dir, "it was left as it is; next: ");
    if (st == FOCAL_OK)
        st = focal_sqlite_reserve(r->store, &(struct focal_space_setup){ .reserve_bytes = RESERVE_BYTES }, err);
    if (r->store && st == FOCAL_DISK_FULL) {    /* not even the file's name finds room: all the more must people be able to read */
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "%s", err->message);
        st = FOCAL_OK;
    }
    return st == FOCAL_OK ? open_fence(r, err) : st;
}

static enum focal_status open_node(struct running *r, struct focal_error *err)
{
    char path[PATH_BYTES];
    if (!path_join(path, r->config.dir, "keys/node.key"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    r->keys = focal_secret_alloc(sizeof *r->keys);
    if (!r->keys)
        return focal_fail(err, FOCAL_NO_MEMORY, "free some memory", "no memory for the keys");
    enum focal_status st = node_key_read(r->keys, path, &r->secret->keys, err);
    if (st != FOCAL_OK)
        return st;
    struct focal_now now;
    focal_clock_now(&now);
    focal_node_keys_public(&r->public_keys, r->keys);
    focal_boot_id(r->boot_id);
    struct focal_node_setup setup = { .store = r->store, .keys = r->keys, .entropy = { focal_entropy_fill, NULL }, .trace = r->trace,
        .machine_id = r->machine_id, .boot_id = r->boot_id, .made_day = FOCAL_MADE_DAY,
        .redial_least_ms = r->config.redial_least_s * 1000, .redial_most_ms = r->config.redial_most_s * 1000 };
    focal_entropy_fill(NULL, &setup.map_seed, sizeof setup.map_seed);
    st = focal_node_open(&r->node, &setup, now, err);
    /* What setup put there once is not there, or not readable: the file is whole and its contents are not. */
    if (st == FOCAL_DAMAGED || st == FOCAL_NOT_FOUND || st == FOCAL_MALFORMED) {
        struct focal_error why = *err;
        (void)focal_fail(err, st, "", "%s/focal.db: %s", r->config.dir, why.message);
        return say_rejoin(err, r->config.dir, "it was left as it is; next: ");
    }
    if (st != FOCAL_OK)
        return st;
    keepsake_open(r);
    struct focal_admin_setup admin = { .node = r->node, .entropy = { focal_entropy_fill, NULL }, .keys = &r->public_keys, .program = FOCAL_VERSION,
        .dir = r->config.dir, .listen = strcmp(r->config.listen, "none") == 0 ? NULL : r->bound, .pid = (int)getpid(), .groups = &r->groups, .two_persons = r->config.two_persons, .started_mono_ms = now.mono_ms };
    services_fill(&admin, r);
    st = focal_admin_open(&r->admin, &admin);
    return st == FOCAL_OK ? st : focal_fail(err, st, "free some memory", "no memory for the commands");
}

static void say_ready(const struct running *r)
{
    struct focal_office office = { .text = "" };
    if (r->node)
        focal_node_office(r->node, &office);
    if (r->json) {
        json_t *out = json_pack("{s:s,s:s,s:s?,s:s,s:s?,s:i}", "schema", "focal.run/1", "event", r->node ? "ready" : "locked", "office",
            r->node ? office.text : NULL, "socket", r->socket, "listen", r->listens ? r->bound : NULL, "pid", (int)getpid());
        if (out && json_dumpf(out, stdout, JSON_COMPACT) == 0)
            putchar('\n');
        json_decref(out);
    } else if (!r->node) {
        printf("locked: control socket %s; `focalctl unlock` opens the store\n", r->socket);
    } else {
        printf("ready: %s, control socket %s, %s%s\n", office.text, r->socket, r->listens ? "listening on " : "dialling only", r->bound);
    }
    fflush(stdout);
}

static enum focal_status open_io(struct running *r, struct focal_error *err)
{
    struct focal_io_handlers handlers;
    struct focal_io_limits limits = { .turn_frame_bytes_max = STEP_FRAME_BYTES };
    events_handlers(&handlers, r);
    enum focal_status st = focal_io_open(&r->io, &handlers, &limits, &r->trace);
    if (st != FOCAL_OK)
        return focal_fail(err, st, "free some memory", "the event loop cannot be opened: %s", focal_status_text(st));
    return focal_io_control_listen(r->io, r->socket, 0666, err);  /* who connects has the rights of its groups, or none */
}

static enum focal_status open_links(struct running *r, struct focal_error *err)
{
    enum focal_status st = FOCAL_OK;
    if (strcmp(r->config.listen, "none") != 0 && !r->listens) {
        st = focal_io_listen(r->io, r->config.listen, r->bound, err);
        if (st != FOCAL_OK)
            return st;
        r->listens = true;
    }
    st = say_addresses(r);
    return st == FOCAL_OK ? st : focal_fail(err, st, "look at the message before this one", "the database could not be written: %s", focal_status_text(st));
}

enum focal_status running_open(struct running *r, struct focal_error *err)
{
    enum focal_status st = open_store(r, err);
    if (st == FOCAL_OK)
        st = open_node(r, err);
    if (st == FOCAL_OK)
        st = open_links(r, err);
    if (st == FOCAL_OK)
        say_ready(r);
    return st;
}

void running_close(struct running *r)
{
    focal_admin_close(r->admin);
    focal_node_close(r->node);
    focal_store_close(r->store);
    r->admin = NULL;
    r->node = NULL;
    r->store = NULL;
    secret_wipe(r);
    r->event_count = 0;
    focal_arena_reset(&r->frames);
    focal_buf_wipe_close(&r->frame);
    focal_buf_init(&r->frame, 1 << 20);
    focal_buf_wipe_close(&r->kept);
    r->locked = true;
}

static void close_all(struct running *r)
{
    if (r->io)
        focal_io_close(r->io);
    running_close(r);
    if (r->destroying)                  /* it ended before the last answer was out */
        destroy_finish(r);
    focal_secret_free(r->secret);
    focal_buf_close(&r->frame);
    focal_arena_close(&r->frames);
    focal_free(r->events);
}

int run_main(int argc, char **argv)
{
    struct words w = { 0 };
    struct focal_error err;
    int rv = read_options(&w, "run", run_help, argc, argv);
    if (rv >= 0)
        return rv;
    struct running *r = focal_alloc(sizeof *r);
    if (!r)
        return SAY_LATER;
    memset(&err, 0, sizeof err);
    r->dir = w.dir;
    r->file = w.file;
    r->json = w.json;
    r->secret = focal_secret_alloc(sizeof *r->secret);
    if (!r->secret) {
        focal_free(r);
        return SAY_LATER;
    }
    focal_buf_init(&r->frame, 1 << 20);
    focal_arena_init(&r->frames, TURN_BYTES);
    enum focal_status st = config_read(&r->config, w.dir, w.file, &err);
    r->trace = (struct focal_trace){ .line = log_line, .most = r->config.log_level };
    if (st == FOCAL_OK) {
        focal_config_socket(r->socket, &r->config);
        st = find_groups(r, &err);      /* the list of groups is out of reach afterwards */
    }
    if (st == FOCAL_OK) {
        confine(r);
        /* The socket first: a second daemon of this directory ends here, before it has touched anything. */
        st = open_io(r, &err);
    }
    if (st == FOCAL_OK)
        st = secret_open(r, &err);
    if (st == FOCAL_OK && !r->locked)
        st = running_open(r, &err);
    if (st == FOCAL_OK) {
        if (r->locked)
            say_ready(r);
        focal_io_again(r->io);
        focal_io_run(r->io);
        rv = r->failed ? exit_of(r->why) : SAY_OK;
    } else {
        err.status = st;
        rv = say_failed(&err, w.json);
    }
    close_all(r);
    focal_free(r);
    return rv;
}
