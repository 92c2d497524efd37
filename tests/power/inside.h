/* What the files of the disk share. */
#ifndef FOCAL_POWER_INSIDE_H
#define FOCAL_POWER_INSIDE_H

#include "disk.h"

struct bytes { uint8_t *data; size_t size, cap; };

/* A write, or a change of size, that is not durable. Its bytes stand in the node's journal. */
struct change { bool truncates; uint64_t at; size_t len, journal_at; };

struct entry { char name[DISK_NAME_BYTES]; struct disk_node *node; };
struct entries { struct entry *list; size_t count, cap; };
/* A name that is new (no from), moved, or gone (no to). */
struct entry_change { char from[DISK_NAME_BYTES], to[DISK_NAME_BYTES]; struct disk_node *node; };

struct disk_node {
    uint64_t number;
    bool is_directory, reachable;
    unsigned opened;
    struct bytes written, durable, journal;
    struct change *changes;
    size_t change_count, change_cap;
    bool strayed;                   /* written and durable differ by more than the changes */
    struct entries now, kept;       /* of a directory */
    struct entry_change *moves;
    size_t move_count, move_cap;
    struct disk_holds holds;
    struct disk_node *next;
};

struct disk {
    struct disk_node *nodes, *root;
    uint64_t next_number, events, cut_at;
    bool off, bare;
    unsigned lies;
    struct disk_failure failure;
    bool failed;
    struct chance chance;
};

void *disk_room(void *array, size_t *cap, size_t count, size_t size);
void disk_bytes_put(struct bytes *, uint64_t at, const void *from, size_t len);
void disk_bytes_resize(struct bytes *, uint64_t size);
void disk_entries_set(struct entries *, const char *name, struct disk_node *);
void disk_entries_drop(struct entries *, const char *name);
void disk_entry_apply(struct entries *, const struct entry_change *);
void disk_changes_forget(struct disk_node *);
void disk_node_free(struct disk_node *);

#endif
