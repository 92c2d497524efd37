/* disk: a disk in memory that keeps apart what was written and what is durable.
 *
 * A write or a change of size is durable after an fsync of its file; a name (created, renamed, taken away) after an fsync
 * of its directory. When the power goes, each change that is not durable is lost, kept, or kept in part, as chance has it.
 * The disk is mounted at /power: the calls of posix.c and the SQLite file layer of vfs.c lead every path below it here.
 * Every call gives 0 or an errno.
 * Threads: one. */
#ifndef FOCAL_POWER_DISK_H
#define FOCAL_POWER_DISK_H

#include "chance.h"

#define DISK_PREFIX "/power"
enum { DISK_NAME_BYTES = 64, DISK_SECTOR_BYTES = 512 };

/* What a program asks of a disk; or'ed to say which of them are meant. */
enum disk_kind {
    DISK_READ = 1,
    DISK_WRITE = 2,
    DISK_TRUNCATE = 4,
    DISK_SYNC = 8,
    DISK_SYNC_DIRECTORY = 16,
    DISK_CREATE = 32,
    DISK_RENAME = 64,
    DISK_UNLINK = 128,
    DISK_OPEN = 256,                /* of a file that is there */
    /* What a power cut can fall on. */
    DISK_EVENTS = DISK_WRITE | DISK_TRUNCATE | DISK_SYNC | DISK_SYNC_DIRECTORY | DISK_CREATE | DISK_RENAME | DISK_UNLINK
};

/* Faults of the disk itself that no program can stand: they show that the checks can fail. */
enum disk_lie {
    DISK_LIES_SYNC = 1,             /* fsync of a file does nothing */
    DISK_LIES_DIRECTORY = 2,        /* fsync of a directory does nothing */
    DISK_LIES_CHECKPOINT = 4,       /* fsync of a database file does nothing, that of its log does */
    DISK_LIES_SECTOR = 8            /* a power cut takes a durable sector along */
};

struct disk_failure {
    uint64_t nth;                   /* 1: the next of these kinds; 0: none */
    unsigned kinds;
    int error;
    bool from_then_on;
    bool in_part;                   /* a write that fails has written its first half */
    bool keeps_dirty;               /* an fsync that fails leaves its pages to be written; else they are forgotten, as by Linux */
};

struct disk;
struct disk_node;
struct disk_look { bool is_directory; uint64_t number; uint64_t size; };

extern struct disk *disk_mounted;

struct disk *disk_new(uint64_t seed);
void disk_free(struct disk *);

/* ---- what happens to it ---- */

uint64_t disk_events(const struct disk *);
/* The power goes at the event of this number, counted from now (1: the next); everything fails from then on. 0: never. */
void disk_plan_cut(struct disk *, uint64_t events);
void disk_cut(struct disk *);                           /* the power goes now */
bool disk_is_off(const struct disk *);
/* Chance says what of the changes that were not durable is there. Nothing may be open. */
void disk_power_on(struct disk *);
/* The harshest of all chances: nothing is there that was not durable. */
void disk_power_on_bare(struct disk *);
/* Another program starts while the power stayed: it finds all that was written, durable or not. After disk_cut it is as if
 * the one before had been killed at that moment. */
void disk_start_again(struct disk *);
void disk_plan_failure(struct disk *, struct disk_failure);
void disk_lift_failure(struct disk *);                  /* none happens any more; whether one did is still known */
bool disk_failure_happened(const struct disk *);
void disk_lie(struct disk *, unsigned lies);
unsigned disk_lies(const struct disk *);
uint64_t disk_digest(const struct disk *);              /* over names and durable bytes; lock files left out */

/* ---- names ---- */

int disk_find(struct disk *, const char *path, struct disk_node **);
/* Finds or makes. O_CREAT, O_EXCL, O_DIRECTORY are looked at. The node is opened: disk_close it. */
int disk_open(struct disk *, const char *path, int flags, struct disk_node **);
void disk_close(struct disk_node *);
int disk_make_directory(struct disk *, const char *path);
int disk_rename(struct disk *, const char *from, const char *to, bool replace);
int disk_unlink(struct disk *, const char *path);
int disk_link(struct disk *, const char *from, const char *to);         /* a second name of a file */
/* Whether these bytes stand in a file that has a name, as it was written or as it is durable. */
bool disk_shows(const struct disk *, const void *bytes, size_t len);
int disk_sync_directory_of(struct disk *, const char *path);

/* ---- bytes ---- */

void disk_look(const struct disk_node *, struct disk_look *);
int disk_read(struct disk *, struct disk_node *, void *to, size_t len, uint64_t at, size_t *got);
int disk_write(struct disk *, struct disk_node *, const void *from, size_t len, uint64_t at);
int disk_truncate(struct disk *, struct disk_node *, uint64_t size);
int disk_sync(struct disk *, struct disk_node *);       /* a file or a directory */

/* Who holds the file's advisory lock, and what the SQLite file layer keeps for it in memory. */
struct disk_holds { int readers; const void *writer; void *shared_memory; int level, shared; };
struct disk_holds *disk_holds(struct disk_node *);

/* From now on the paths below /power are on this disk. posix.c, so that whoever mounts has the calls linked in. */
void power_mount(struct disk *);
/* vfs.c: makes SQLite's file layer "power" the default one; SQLite's chance begins anew with each call. */
void power_register(void);

#endif
