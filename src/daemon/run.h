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
    RESERVE_BYTES = 8 << 20             /* of the disk, for what is entered here when all else is used up */
};

struct running {
    const char *dir, *file;             /* as given, for reading the configuration again */
    struct focal_config config;
    struct focal_trace trace;
    struct focal_groups groups;
    struct focal_store *store;
    struct focal_node_keys *keys;       /* in guarded memory */
    struct focal_public_keys public_keys;
    struct focal_node *node;
    struct focal_admin *admin;
    struct focal_io *io;
    char machine_id[33], boot_id[37], socket[FOCAL_CONFIG_PATH_MAX + 16], bound[64];
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
enum focal_status open_fence(struct running *, struct focal_error *);
/* confine.c: from here on this process reaches its own files only, and starts no other program */
void confine(struct running *);
/* groups.c: who may what, by the groups of this machine */
FOCAL_MUST_USE enum focal_status find_groups(struct running *, struct focal_error *);
/* services.c: what the commands borrow from the shell */
void services_fill(struct focal_admin_setup *, struct running *);

#endif
