/* The running daemon, shared by run.c, turn.c and events.c. */
#ifndef FOCAL_DAEMON_RUN_H
#define FOCAL_DAEMON_RUN_H

#include "daemon.h"

#include "focal/admin.h"
#include "focal/node.h"
#include "focal/store_sqlite.h"

enum {
    LINKS_MAX = 256,
    /* Of one step, so that none keeps the loop long: packed in bulk, a frame of 16 KiB holds 2,000 entries. */
    CHANGES_ROOM = 768, STEP_FRAME_BYTES = 24 << 10,
    TURN_BYTES = 4 << 20,
    LOCKED_CONNS_MAX = 16, LOCKED_STRANGERS_MAX = 4, CONNS_MAX = 64,
    RESERVE_BYTES = 8 << 20             /* of the disk, for what is entered here when all else is used up */
};

/* A connection to the control socket that was opened while the store was locked. */
struct locked_conn { uint64_t number; uint32_t uid; unsigned rights; bool may, greeted, ended, waits; };

struct running {
    const char *dir, *file;             /* as given, for reading the configuration again */
    bool json;
    struct focal_config config;
    struct focal_trace trace;
    struct focal_groups groups;
    struct focal_store *store;
    struct store_secret *secret;        /* in guarded memory; the way of wrapping is known while locked, the keys are not */
    bool locked, locking, destroying, unlocking, changing;
    struct locked_conn locked_conns[LOCKED_CONNS_MAX];
    uint64_t conns[CONNS_MAX]; size_t conn_count;       /* all of the control socket */
    struct focal_node_keys *keys;       /* in guarded memory */
    struct focal_public_keys public_keys;
    struct focal_node *node;
    struct focal_admin *admin;
    struct focal_io *io;
    char machine_id[33], boot_id[37], socket[FOCAL_CONFIG_PATH_MAX + 16], bound[64];
    char fence_state[PATH_BYTES], fence_runtime[PATH_BYTES];
    bool listens;

    struct focal_node_event *events; size_t event_count, event_cap;
    struct focal_arena frames;          /* bytes of this turn's frames */
    struct open_link { uint64_t number; bool busy; } links[LINKS_MAX]; size_t link_count;
    struct focal_buf frame;             /* the one on its way out */
    struct focal_buf kept;              /* keys/network.focal as it is, decoded */
    uint64_t kept_version;
    uint64_t turn_began_ms;
    bool stopping, failed;
    enum focal_status why;              /* it failed */
};

/* events.c: what io tells, kept until the turn */
void events_handlers(struct focal_io_handlers *, struct running *);
bool event_room(struct running *, size_t count);        /* false: no memory */
void event_put(struct running *, const struct focal_node_event *);
/* keepsake.c: brings the file beside the keys up to date */
void keepsake_open(struct running *);
void keepsake_refresh(struct running *);
/* turn.c */
void turn(void *running);
enum focal_status say_addresses(struct running *);
/* fence.c: the two places that a fence may stand in, "" for none; the fence of the store just opened */
void fence_places(const struct running *, char state[PATH_BYTES], char runtime[PATH_BYTES]);
/* the same as the store wants it */
void fence_setup(struct focal_fence_setup *, struct running *);
enum focal_status open_fence(struct running *, struct focal_error *);
/* confine.c: from here on this process reaches its own files only, and starts no other program */
void confine(struct running *);
/* groups.c: who may what, by the groups of this machine */
FOCAL_MUST_USE enum focal_status find_groups(struct running *, struct focal_error *);
/* run.c: store and node, from keys that are there; and back, keys wiped, to the locked state */
enum focal_status running_open(struct running *, struct focal_error *);
void running_close(struct running *);
/* secret.c */
enum focal_status secret_open(struct running *, struct focal_error *);
enum focal_status secret_finish(struct store_secret *, const char *dir, struct focal_span passphrase, const struct focal_fence_setup *, struct focal_error *);
/* OK: locked_answer comes. */
enum focal_status secret_unlock(struct running *, const struct locked_conn *by, uint64_t id, struct focal_span passphrase, struct focal_error *);
void secret_lock(struct running *);
void secret_wipe(struct running *);
/* locked.c */
bool locked_has(struct running *, uint64_t conn);
void locked_opened(struct running *, uint64_t conn, const struct focal_io_caller *);
void locked_line(struct running *, uint64_t conn, struct focal_span line);
void locked_ended(struct running *, uint64_t conn);
void locked_closed(struct running *, uint64_t conn);
void locked_answer(struct running *, uint64_t conn, uint64_t id, enum focal_status, const struct focal_error *);
/* destroy.c: the key at once; the rest when answers are out, and then the daemon ends */
enum focal_status destroy_begin(struct running *, const char *confirm, struct focal_error *);
void destroy_finish(struct running *);
/* store_orders.c */
enum focal_status store_order(void *running, uint64_t ticket, const struct focal_store_order *, struct focal_error *);
const char *store_key_word(void *running);
/* services.c: what the commands borrow from the shell */
void services_fill(struct focal_admin_setup *, struct running *);

#endif
