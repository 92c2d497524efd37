/* The bench: what the README says about speed, measured beside the limits of the same machine in the same run.
 *
 * Every scene is one function: it measures, notes figures, and checks what must hold whatever the speed. The limits that
 * the project promises are noted as "must" lines: a missed one is printed and does not fail the run, because time is the
 * machine's; a claim about counts, order or content that does not hold does. */
#ifndef FOCAL_BENCH_H
#define FOCAL_BENCH_H

#include "focal/base.h"
#include "focal/io.h"
#include "focal/model.h"

#include <jansson.h>
#include <stdio.h>
#include <sys/types.h>

enum {
    PATH_BYTES = 512,
    FIGURES_MAX = 160, MUSTS_MAX = 24, BROKEN_MAX = 16,
    FIELDS = 10,                        /* of a case record in the network scope */
    ANSWER_MS = 60000,                  /* longest wait for one answer of a daemon */
    SETTLE_MS = 120000,                 /* longest wait for two daemons to agree */
    PROGRAM_MS = 120000,                /* longest run of setup, invite, admit, import */
    END_MS = 8000                       /* TERM until KILL */
};

/* Scenes, in order; each names what it needs to have run before. */
#define SCENES(X)                                                                                                      \
    X(bound, 0)                                                                                                        \
    X(merge, 1u << SCENE_bound)                                                                                        \
    X(bulk, 1u << SCENE_bound)                                                                                         \
    X(sealed, 1u << SCENE_bound | 1u << SCENE_bulk)                                                                    \
    X(noop, 1u << SCENE_bound | 1u << SCENE_bulk)                                                                      \
    X(propagate, 1u << SCENE_bound | 1u << SCENE_bulk)                                                                 \
    X(delta, 1u << SCENE_bound | 1u << SCENE_bulk)                                                                     \
    X(idle, 1u << SCENE_bound | 1u << SCENE_bulk)
enum scene {
#define X(name, needs) SCENE_##name,
    SCENES(X)
#undef X
    SCENE_COUNT
};

struct figure { enum scene scene; const char *name, *unit; double value; };
struct must { const char *what, *unit; bool least; double limit, value; };

struct proxy;

struct node {
    char code[16], country[4];
    char dir[PATH_BYTES], log[PATH_BYTES], socket[PATH_BYTES];
    pid_t pid;                          /* 0: not running */
    struct focal_client *client;        /* NULL: not connected */
    uint64_t last_id;
};

struct bench {
    size_t records;
    unsigned scenes;                    /* bits */
    bool json, keep;

    char bin[PATH_BYTES], focald[PATH_BYTES], focalctl[PATH_BYTES], dir[PATH_BYTES], secret[PATH_BYTES];
    bool dir_made;
    struct node hq, office;
    struct proxy *proxy;
    unsigned proxy_port;

    double bound_records_per_s, bound_random_per_s, bulk_records_per_s;
    double stall_ms;                    /* longest of either daemon; negative: none was asked */

    struct figure figures[FIGURES_MAX]; size_t figure_count;
    struct must musts[MUSTS_MAX]; size_t must_count;
    char broken[BROKEN_MAX][200]; size_t broken_count;

    int signal;                         /* that asked us to end; 0: none */
    double began_s;
    enum scene scene;
    bool terminal, drawn;
};

/* ---- scenes ---- */
#define X(name, needs) FOCAL_MUST_USE enum focal_status scene_##name(struct bench *, struct focal_error *);
SCENES(X)
#undef X
const char *scene_name(enum scene);

/* ---- what came out (figures.c) ---- */
void note(struct bench *, const char *name, double value, const char *unit);        /* of the scene under way */
void must_least(struct bench *, const char *what, double value, double limit, const char *unit);
void must_most(struct bench *, const char *what, double value, double limit, const char *unit);
/* What must hold whatever the speed; gives back held. */
bool claim(struct bench *, bool held, const char *fmt, ...) FOCAL_PRINTF(3, 4);
void progress(struct bench *, const char *fmt, ...) FOCAL_PRINTF(2, 3);             /* on a terminal only */
void progress_end(struct bench *);
void show_table(struct bench *, FILE *);
void show_json(struct bench *, FILE *);

/* ---- time ---- */
double seconds(void);                   /* monotonic */
bool interrupted(struct bench *);
/* Sleeps; CANCELLED by a signal, TIMEOUT once until_s is past. */
FOCAL_MUST_USE enum focal_status wait_ms(struct bench *, int ms, double until_s, const char *what, struct focal_error *);

/* ---- chance with a fixed seed ---- */
struct draw { uint64_t state; };
uint64_t draw_u64(struct draw *);
uint64_t draw_below(struct draw *, uint64_t below);
void draw_fill(void *draw, void *out, size_t len);      /* as struct focal_entropy wants it */
void draw_shuffle(struct draw *, uint32_t *list, size_t count);

/* ---- cases with ten network fields, codes drawn evenly (cases.c) ---- */
struct choice { char text[40]; uint8_t bytes[8]; uint8_t len; };
struct choices { const struct focal_field *field; struct choice *list; size_t count; };
struct cases {
    const struct focal_kind *kind;
    struct choices fields[FIELDS];      /* ascending by field number */
    uint16_t *drawn;                    /* record * FIELDS + field -> choice */
    size_t count;
};
FOCAL_MUST_USE enum focal_status cases_open(struct cases *, size_t count, uint64_t seed, struct focal_error *);
void cases_close(struct cases *);
const struct choice *cases_value(const struct cases *, size_t record, size_t field);
FOCAL_MUST_USE enum focal_status cases_write_csv(const struct cases *, const char *path, struct focal_error *);
json_t *cases_json(const struct cases *, size_t record);                /* as case.new takes it */

/* ---- the directory and the programs (place.c) ---- */
FOCAL_MUST_USE enum focal_status place_open(struct bench *, struct focal_error *);
void place_close(struct bench *);
FOCAL_MUST_USE enum focal_status place_path(char out[PATH_BYTES], struct focal_error *, const char *fmt, ...) FOCAL_PRINTF(3, 4);

/* ---- children (child.c) ---- */
FOCAL_MUST_USE enum focal_status child_start(struct bench *, struct node *, struct focal_error *);
FOCAL_MUST_USE enum focal_status child_json(struct bench *, const char *const *argv, json_t **out, struct focal_error *);
bool child_alive(struct node *);
void child_end(struct node *);
void child_kill(struct node *);         /* with kill -9 */
FOCAL_MUST_USE enum focal_status child_free_port(unsigned *port, struct focal_error *);
double child_cpu_s(const struct node *);
double child_rss_mib(const struct node *, bool peak);

/* ---- talk with a daemon (talk.c) ---- */
FOCAL_MUST_USE enum focal_status talk_open(struct bench *, struct node *, struct focal_error *);
void talk_close(struct node *);
FOCAL_MUST_USE enum focal_status talk_ask(struct bench *, struct node *, const char *verb, json_t *with, struct focal_error *);
/* items, end: may be NULL; given back with json_decref. */
FOCAL_MUST_USE enum focal_status talk_hear(struct bench *, struct node *, json_t **items, json_t **end, struct focal_error *);
FOCAL_MUST_USE enum focal_status talk(struct bench *, struct node *, const char *verb, json_t *with, json_t **items, json_t **end, struct focal_error *);
FOCAL_MUST_USE enum focal_status talk_one(struct bench *, struct node *, const char *verb, json_t *with, json_t **item, struct focal_error *);

/* ---- the wire, counted where it passes (proxy.c) ---- */
struct passed {                         /* [0]: from who dialled, [1]: to it */
    uint64_t bytes[2];                  /* everything, since the proxy began */
    uint64_t session_bytes[2], session_frames[2];       /* newest connection, after its three handshake frames */
    uint64_t turns;                     /* of it: how often the direction of session frames changed, the first counted */
    uint64_t connections;               /* ever */
    double handshake_s, last_s;         /* when the third handshake frame passed; when anything passed last */
};
FOCAL_MUST_USE enum focal_status proxy_open(struct proxy **, unsigned *port, unsigned to_port, struct focal_error *);
void proxy_look(struct proxy *, struct passed *);
void proxy_close(struct proxy *);

/* ---- two daemons that share a network (network.c) ---- */
FOCAL_MUST_USE enum focal_status network_open(struct bench *, struct focal_error *);
FOCAL_MUST_USE enum focal_status network_pause(struct bench *, bool on, struct focal_error *);
/* Looks until both links are up and each knows that the other has, durably, everything it has itself. */
FOCAL_MUST_USE enum focal_status network_settle(struct bench *, struct focal_error *);
/* Full check of both: no errors, and equal digests. entries: of the office. */
FOCAL_MUST_USE enum focal_status network_verify(struct bench *, uint64_t *entries, struct focal_error *);
/* Ends both daemons and starts them again; seconds until each answers. */
FOCAL_MUST_USE enum focal_status network_restart(struct bench *, bool killed, double took_s[2], struct focal_error *);
FOCAL_MUST_USE enum focal_status network_ids(struct bench *, struct node *, size_t count, json_t **rows, struct focal_error *);

struct usage { double cpu_s[2]; uint64_t bytes[2]; double at_s; };       /* cpu: headquarters, office; bytes: up, down */
void usage_look(struct bench *, struct usage *);
/* Notes what it took since: seconds, CPU and peak memory of both, bytes each way, longest turns of their loops. */
FOCAL_MUST_USE enum focal_status usage_note(struct bench *, const struct usage *since, double *took_s, uint64_t *bytes, struct focal_error *);

#endif
