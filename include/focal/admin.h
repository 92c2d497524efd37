/* admin: what the daemon does when somebody asks it something over the control socket.
 *
 * Here: THE table of commands {name, handler, permission, help}, connections and their requests, and the handlers.
 * A request is a resumable job: it works in slices, waits for the commit of what it changed, or for a peer; its answer
 * leaves only after the commit of the step that it depends on. Answers of one connection keep the order of its requests.
 * Not here: sockets, files, clocks: the daemon passes lines and time in, takes answers out, and lends the services below.
 * No handler sees the authority key: what the authority signs, the client signs.
 *
 * Who may what: a caller has a set of rights, by the groups it is in (below), and each row of the table names the rights of
 * which one is needed. They are no ladder: who administers sees no record and no reference, in no answer and no error; who
 * records does not administer; who reads does not write.
 * What is kept of it in the history, by user, right, command and outcome, and never with content (src/admin/noting.c):
 * every command that changes something, in the same transaction; exports, imports, proofs and invitations before the first
 * byte of the answer leaves; what was done to the store and its key before it is answered, and what failed of it soon after; who looked at records (list, show, conflicts, redactions, refused, report) with the next step,
 * so the last turn before a crash may be missing, and none is written while the disk is full; who was not permitted, of
 * these no more than DENIED_NOTES_PER_S. Not kept: help, status, matrix, history itself, lists of offices and of requests,
 * ping, sync now, how the store's key is kept, what was wrongly typed, and the pieces of an import between its begin and its end.
 * Two persons: where the policy says so (two_persons), a command is kept as a request until a second user agrees to it
 * (src/admin/pending_commands.c). Never what is done to the store and its key: arguments of a request are kept, and these are
 * passphrases; and who must lock or destroy has no time to look for a second person.
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

/* Of the store's key. to: DESTROY typed by a person, or the way of wrapping that the key goes over to. */
enum focal_store_order_type { FOCAL_STORE_LOCK, FOCAL_STORE_DESTROY, FOCAL_STORE_ROTATE, FOCAL_STORE_CHANGE };
struct focal_store_order { enum focal_store_order_type type; const char *to; struct focal_span passphrase, next; };

struct focal_admin_setup {
    struct focal_node *node;
    struct focal_entropy entropy;
    const struct focal_public_keys *keys;       /* this node's own */
    const char *program;                /* version */
    const char *dir;
    const char *listen;                 /* address in force, or NULL */
    int pid;
    const struct focal_groups *groups;
    unsigned two_persons;               /* enum focal_two_persons of config; of this and what the authority states the stricter counts */
    uint64_t started_mono_ms;
    void *data;                         /* for the services */
    /* Milliseconds spent in this turn: no new slice begins when it is over FOCAL_ADMIN_TURN_MS. */
    uint64_t (*spent_ms)(void *data);
    void (*figures)(void *data, struct focal_admin_figures *);
    /* Addresses under which others are told to dial this office; at most room. */
    size_t (*addresses)(void *data, const char *out[], size_t room);
    /* Begins a full check of a snapshot of the store, elsewhere; focal_admin_checked answers. */
    enum focal_status (*deep_check)(void *data, uint64_t ticket);
    /* Lock and destroy: OK says that it follows when the answer is out. The others: focal_admin_store_done answers. */
    enum focal_status (*store_order)(void *data, uint64_t ticket, const struct focal_store_order *, struct focal_error *);
    const char *(*store_key)(void *data);       /* how the store's key is kept: "plain", "passphrase", "credential", "both" */
};
#define FOCAL_ADMIN_TURN_MS 12

FOCAL_MUST_USE enum focal_status focal_admin_open(struct focal_admin **, const struct focal_admin_setup *);
void focal_admin_close(struct focal_admin *);

/* rights: of focal_rights_of. False: no room, or no room for this user; close it. */
FOCAL_MUST_USE bool focal_admin_connect(struct focal_admin *, uint64_t conn, uint32_t uid, unsigned rights);
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

void focal_admin_store_done(struct focal_admin *, uint64_t ticket, enum focal_status, const struct focal_error *);
/* `unlock` was obeyed before there was an admin to obey it; rights of focal_rights_of. */
void focal_admin_unlocked(struct focal_admin *, uint32_t uid, unsigned rights);
/* Before an orderly close: what the history lacks still, for one step more. */
size_t focal_admin_last(struct focal_admin *, struct focal_node_event *events, size_t room);
void focal_admin_checked(struct focal_admin *, uint64_t ticket, enum focal_status, struct focal_span findings);

/* ---- who may what (rights.c) ---- */

enum focal_permission {
    FOCAL_MAY_ADMIN = 1,                /* the machinery: offices, links, checks; no record */
    FOCAL_MAY_ENTRY = 2,                /* records, and reading them */
    FOCAL_MAY_READ = 4,                 /* reading records */
    FOCAL_MAY_ALL = 7
};
struct focal_group { char name[33]; bool exists; uint32_t gid; };        /* a group of this machine */
struct focal_groups {
    struct focal_group admin, entry, read;
    uint32_t owner;                     /* the user that the daemon runs as */
    bool owner_all;                     /* who has all rights: it was started by hand for this user, or there are no groups */
};
/* A set of enum focal_permission. By primary and other groups alike; user 0 always administers, since nothing keeps it from
 * joining a group, and has no other right by being 0. */
unsigned focal_rights_of(const struct focal_groups *, uint32_t uid, uint32_t gid, const uint32_t *groups, size_t group_count);

/* ---- THE table, for help and for tests ---- */

struct focal_command;
size_t focal_command_count(void);
/* permission: the set of rights of which one is needed. */
bool focal_command_at(size_t i, const char **name, unsigned *permission, const char **help);

#endif
