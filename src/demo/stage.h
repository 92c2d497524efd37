/* The demo's stage: what its scenes share. Every scene is one function that says what it did and checks it. */
#ifndef FOCAL_DEMO_STAGE_H
#define FOCAL_DEMO_STAGE_H

#include "focal/base.h"
#include "focal/exchange.h"
#include "focal/io.h"

#include <signal.h>
#include <stdio.h>
#include <sys/types.h>

struct json_t;

enum {
    STAGE_OFFICES_MAX = 8,              /* without headquarters; as many as the list of invented offices names */
    STAGE_PATH_MAX = 512,
    STAGE_SOCKET_MAX = 107,             /* bytes of a Unix socket's path, without its zero */
    STAGE_SCENES = 10,
    STAGE_ANSWER_MS = 20000,            /* longest wait for one answer of a daemon */
    STAGE_SETTLE_MS = 30000,            /* longest wait for all offices to agree */
    STAGE_PROGRAM_MS = 60000,           /* longest run of setup, invite or admit */
    STAGE_END_MS = 8000                 /* TERM until KILL */
};

struct stage_options {
    const char *dir, *figures, *report;
    unsigned offices;
    bool keep, json, stop;
};

struct stage_node {
    char code[16], country[4];
    char dir[STAGE_PATH_MAX], log[STAGE_PATH_MAX], socket[STAGE_PATH_MAX];
    pid_t pid;                          /* 0: not running */
    int how;                            /* it ended: as waitpid has it */
    struct focal_client *client;        /* NULL: not connected */
    uint64_t last_id;
};

struct stage {
    struct stage_options options;
    char exe[STAGE_PATH_MAX], ctl[STAGE_PATH_MAX], bin[STAGE_PATH_MAX];
    char dir[STAGE_PATH_MAX], secret[STAGE_PATH_MAX], report[STAGE_PATH_MAX], figures_path[STAGE_PATH_MAX];
    bool dir_made, dir_entered;         /* made by us; taken into use */
    struct stage_node nodes[1 + STAGE_OFFICES_MAX];     /* headquarters first */
    size_t node_count;
    struct focal_figures *figures;
    struct json_t *cases;               /* array of what case.new was given, in order of entry, with "record" beside it */
    int signal;                         /* the signal that asked us to end; 0: none */
    uint64_t began_ms, scene_ms, drawn_ms;
    int scene;
    bool terminal, colour, drawn;       /* drawn: a progress line stands unfinished */
    bool in_scene; struct focal_buf held;       /* lines that wait until their scene's own line is printed */
    unsigned broken;                    /* claims that did not hold */
};

/* ---- scenes, in order ---- */
FOCAL_MUST_USE enum focal_status focal_scene_figures(struct stage *, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_scene_headquarters(struct stage *, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_scene_offices(struct stage *, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_scene_cases(struct stage *, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_scene_replication(struct stage *, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_scene_two_versions(struct stage *, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_scene_verify(struct stage *, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_scene_matrix(struct stage *, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_scene_tables(struct stage *, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_scene_report(struct stage *, struct focal_error *);

/* ---- the screen: one line per scene, lines beneath it, or JSON lines ---- */
void focal_show_opening(struct stage *);
void focal_show_scene(struct stage *, int number, const char *doing);
void focal_show_progress(struct stage *, size_t done, size_t of);         /* on a terminal only */
/* The scene's line. facts (may be NULL, taken over) stand beside it in the JSON line. */
void focal_show_done(struct stage *, struct json_t *facts, const char *fmt, ...) FOCAL_PRINTF(3, 4);
void focal_show_line(struct stage *, const char *fmt, ...) FOCAL_PRINTF(2, 3);            /* beneath the scene's line, also when said before it */
/* A claim that was checked. When it does not hold the sentence is shown and the demo ends with 1. Gives back held. */
bool focal_show_claim(struct stage *, bool held, const char *fmt, ...) FOCAL_PRINTF(3, 4);
void focal_show_error(struct stage *, const struct focal_error *);
void focal_show_closing(struct stage *, bool well);

/* ---- children ---- */
/* Starts the daemon of a node, its output to the node's log. */
FOCAL_MUST_USE enum focal_status focal_child_start(struct stage *, struct stage_node *, struct focal_error *);
/* Runs a program to its end and gives its standard output as JSON. Fails when it exits other than 0, with its message. */
FOCAL_MUST_USE enum focal_status focal_child_json(struct stage *, const char *const *argv, struct json_t **out, struct focal_error *);
bool focal_child_alive(struct stage_node *);
void focal_child_end_all(struct stage *);           /* a claim for each that did not end well */
/* A loopback port that is free now. */
FOCAL_MUST_USE enum focal_status focal_child_free_port(unsigned *port, struct focal_error *);

/* ---- talk with a daemon ---- */
/* One request; with is taken over. items (may be NULL) receives an array, end (may be NULL) the end object. The caller
 * gives both back with json_decref. A status other than OK in the end is given back with err filled. */
FOCAL_MUST_USE enum focal_status focal_talk(struct stage *, struct stage_node *, const char *verb, struct json_t *with,
                                      struct json_t **items, struct json_t **end, struct focal_error *);
/* The same, when the answer is one item. */
FOCAL_MUST_USE enum focal_status focal_talk_one(struct stage *, struct stage_node *, const char *verb, struct json_t *with,
                                          struct json_t **item, struct focal_error *);
/* The two halves, for requests sent ahead. */
FOCAL_MUST_USE enum focal_status focal_talk_ask(struct stage *, struct stage_node *, const char *verb, struct json_t *with, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_talk_hear(struct stage *, struct stage_node *, struct json_t **items, struct json_t **end, struct focal_error *);
/* Waits until a started daemon answers on its socket. */
FOCAL_MUST_USE enum focal_status focal_talk_open(struct stage *, struct stage_node *, struct focal_error *);
void focal_talk_close(struct stage_node *);

/* ---- agreement (agree.c) ---- */
/* Waits until every office's links stand and nobody lacks anything of anybody, as each of them tells. */
FOCAL_MUST_USE enum focal_status focal_agree_wait(struct stage *, struct focal_error *);
/* Asks every node to verify itself and holds the digests against one another, scope by scope: a claim for each fault. The
 * array of answers, in node order, is the caller's to give back. shared: scopes that more than one holds. */
FOCAL_MUST_USE enum focal_status focal_agree_verify(struct stage *, struct json_t **answers, size_t *shared, size_t *alone, struct focal_error *);

/* ---- waiting ---- */
/* True once a signal asked us to end; remembered. */
bool focal_stage_interrupted(struct stage *);
/* Sleeps a moment between two looks at something; CANCELLED by a signal, TIMEOUT once `until` is past. */
FOCAL_MUST_USE enum focal_status focal_stage_pause(struct stage *, uint64_t until_mono_ms, const char *what, struct focal_error *);
uint64_t focal_stage_mono_ms(void);

/* ---- the directory ---- */
FOCAL_MUST_USE enum focal_status focal_place_find_programs(struct stage *, struct focal_error *);
/* A file of conf/data: beside the figures file, in the source tree of this build, or installed. False: nowhere. */
bool focal_place_data(const struct stage *, char out[STAGE_PATH_MAX], const char *name);
FOCAL_MUST_USE enum focal_status focal_place_open(struct stage *, struct focal_error *);
FOCAL_MUST_USE enum focal_status focal_place_remember(struct stage *, struct focal_error *);      /* who runs, for --stop */
FOCAL_MUST_USE enum focal_status focal_place_report(struct stage *, struct focal_error *);        /* settles stage.report */
void focal_place_close(struct stage *);                                                           /* removes what we made */
/* `--stop --dir D`: the exit status. */
int  focal_place_stop(const struct stage_options *);
FOCAL_MUST_USE enum focal_status focal_place_path(char out[STAGE_PATH_MAX], struct focal_error *, const char *fmt, ...) FOCAL_PRINTF(3, 4);

/* The final line of --json, also kept in the directory. NULL: no memory. */
struct json_t *focal_stage_account(const struct stage *, bool running);

#endif
