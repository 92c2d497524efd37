/* admin: what the daemon does when somebody asks it something over the control socket.
 *
 * Here: THE table of commands {name, handler, permission, help}, connections and their requests, and the handlers.
 * A request is a resumable job: it works in slices, waits for the commit of what it changed, or for a peer; its answer
 * leaves only after the commit of the step that it depends on. Answers of one connection keep the order of its requests.
 * Not here: sockets, files, clocks: the daemon passes lines and time in, takes answers out, and lends the services below.
 * No handler sees the authority key: what the authority signs, the client signs.
 *
 * A turn of the daemon:
 *     focal_admin_line(...)                            for every line that came
 *     n = focal_admin_before(admin, now, events, room) slices of work; what is to go into this turn's step
 *     focal_node_step(node, now, all events)
 *     focal_admin_after(admin, now)                    answers of what the step committed
 *     focal_admin_take / focal_admin_taken             for every connection
 *     focal_admin_again(admin)?                        another turn at once
 *     focal_admin_deadline_ms(admin)                   or by then
 * Memory: owns its jobs; node, keys and strings of the setup are the caller's and outlive it. Threads: one. */
#ifndef FOCAL_ADMIN_H
#define FOCAL_ADMIN_H

#include "focal/node.h"

struct focal_admin;

struct focal_admin_figures {            /* what only the shell knows */
    double stall_ms;                    /* longest turn of the loop since start */
    uint64_t link_bytes_sent, link_bytes_received, cpu_us, peak_kib, rss_kib;
};

struct focal_admin_setup {
    struct focal_node *node;
    struct focal_entropy entropy;
    const struct focal_public_keys *keys;       /* this node's own */
    const char *program;                /* version */
    const char *dir;
    const char *listen;                 /* address in force, or NULL */
    int pid;
    uint32_t own_uid;
    uint64_t started_mono_ms;
    void *data;                         /* for the services */
    /* Milliseconds spent in this turn: no new slice begins when it is over FOCAL_ADMIN_TURN_MS. */
    uint64_t (*spent_ms)(void *data);
    void (*figures)(void *data, struct focal_admin_figures *);
    /* Addresses under which others are told to dial this office; at most room. */
    size_t (*addresses)(void *data, const char *out[], size_t room);
    /* Begins a full check of a snapshot of the store, elsewhere; focal_admin_checked answers. */
    enum focal_status (*deep_check)(void *data, uint64_t ticket);
};
#define FOCAL_ADMIN_TURN_MS 12

FOCAL_MUST_USE enum focal_status focal_admin_open(struct focal_admin **, const struct focal_admin_setup *);
void focal_admin_close(struct focal_admin *);

/* False: no room, close it. */
FOCAL_MUST_USE bool focal_admin_connect(struct focal_admin *, uint64_t conn, uint32_t uid, uint32_t gid);
/* The client asks no more; what it asked is still answered, then the connection is finished. */
void focal_admin_ended(struct focal_admin *, uint64_t conn);
void focal_admin_disconnect(struct focal_admin *, uint64_t conn);       /* its jobs end; what is committed stays */
void focal_admin_line(struct focal_admin *, uint64_t conn, struct focal_span line, struct focal_now);

size_t focal_admin_before(struct focal_admin *, struct focal_now, struct focal_node_event *events, size_t room);
void focal_admin_after(struct focal_admin *, struct focal_now);
bool focal_admin_again(const struct focal_admin *);
uint64_t focal_admin_deadline_ms(const struct focal_admin *);           /* UINT64_MAX: none */

/* Walks connections that have something to say; *at starts at 0. */
bool focal_admin_next(struct focal_admin *, size_t *at, uint64_t *conn);
/* Whole lines, good until the next call. */
struct focal_span focal_admin_take(struct focal_admin *, uint64_t conn);
void focal_admin_taken(struct focal_admin *, uint64_t conn);            /* what take gave is on its way */
/* The connection broke the protocol: close it when all is written. */
bool focal_admin_finished(const struct focal_admin *, uint64_t conn);

void focal_admin_checked(struct focal_admin *, uint64_t ticket, enum focal_status, struct focal_span findings);

/* ---- THE table, for help and for tests ---- */

enum focal_permission { FOCAL_MAY_ADMIN = 1, FOCAL_MAY_ENTRY = 2, FOCAL_MAY_READ = 4 };
struct focal_command;
size_t focal_command_count(void);
bool focal_command_at(size_t i, const char **name, enum focal_permission *, const char **help);

#endif
