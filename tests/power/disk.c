/* Names and bytes while the power is on. */
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct disk *disk_mounted;

/* ---- memory: the disk's own is never part of a test of memory ---- */

void *disk_room(void *array, size_t *cap, size_t count, size_t size)
{
    if (count <= *cap)
        return array;
    size_t wanted = *cap ? *cap : 8;
    while (wanted < count)
        wanted *= 2;
    array = realloc(array, wanted * size);
    if (!array)
        abort();
    *cap = wanted;
    return array;
}

void disk_bytes_resize(struct bytes *b, uint64_t size)
{
    b->data = disk_room(b->data, &b->cap, size, 1);
    if (size > b->size)
        memset(b->data + b->size, 0, size - b->size);
    b->size = size;
}

void disk_bytes_put(struct bytes *b, uint64_t at, const void *from, size_t len)
{
    if (len == 0)
        return;
    if (at + len > b->size) {
        b->data = disk_room(b->data, &b->cap, at + len, 1);
        if (at > b->size)
            memset(b->data + b->size, 0, at - b->size);
        b->size = at + len;
    }
    memcpy(b->data + at, from, len);
}

static struct disk_node *node_new(struct disk *d, bool is_directory)
{
    struct disk_node *node = calloc(1, sizeof *node);
    if (!node)
        abort();
    node->number = d->next_number++;
    node->is_directory = is_directory;
    node->next = d->nodes;
    d->nodes = node;
    return node;
}

void disk_node_free(struct disk_node *node)
{
    free(node->written.data);
    free(node->durable.data);
    free(node->journal.data);
    free(node->changes);
    free(node->now.list);
    free(node->kept.list);
    free(node->moves);
    free(node);
}

struct disk *disk_new(uint64_t seed)
{
    struct disk *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    d->chance.state = seed;
    d->next_number = 1;
    d->root = node_new(d, true);
    return d;
}

void disk_free(struct disk *d)
{
    if (!d)
        return;
    while (d->nodes) {
        struct disk_node *node = d->nodes;
        d->nodes = node->next;
        disk_node_free(node);
    }
    if (disk_mounted == d)
        disk_mounted = NULL;
    free(d);
}

/* ---- what happens ---- */

uint64_t disk_events(const struct disk *d) { return d->events; }
bool disk_is_off(const struct disk *d) { return d->off; }
void disk_cut(struct disk *d) { d->off = true; }
void disk_lie(struct disk *d, unsigned lies) { d->lies = lies; }
unsigned disk_lies(const struct disk *d) { return d->lies; }
bool disk_failure_happened(const struct disk *d) { return d->failed; }

void disk_plan_cut(struct disk *d, uint64_t events)
{
    d->cut_at = events ? d->events + events : 0;
}

void disk_plan_failure(struct disk *d, struct disk_failure failure)
{
    d->failure = failure;
    d->failed = false;
}

void disk_lift_failure(struct disk *d)
{
    d->failure.nth = 0;
}

/* Counts, and says how it goes: 0, or the error to give without doing it. *last: do it, then the power is gone. */
static int strike(struct disk *d, enum disk_kind kind, bool *last)
{
    *last = false;
    if (d->off)
        return EIO;
    if (kind & DISK_EVENTS) {
        d->events++;
        *last = d->cut_at && d->events >= d->cut_at;
    }
    struct disk_failure *f = &d->failure;
    if (f->nth == 0 || !(f->kinds & kind) || --f->nth > 0)
        return 0;
    f->nth = f->from_then_on;
    d->failed = true;
    return f->error;
}

static int over(struct disk *d, bool last)
{
    if (!last)
        return 0;
    d->off = true;
    return EIO;
}

/* ---- names ---- */

static struct entry *entry_of(const struct entries *e, const char *name)
{
    for (size_t i = 0; i < e->count; i++)
        if (strcmp(e->list[i].name, name) == 0)
            return &e->list[i];
    return NULL;
}

void disk_entries_set(struct entries *e, const char *name, struct disk_node *node)
{
    struct entry *there = entry_of(e, name);
    if (!there) {
        e->list = disk_room(e->list, &e->cap, e->count + 1, sizeof *e->list);
        there = &e->list[e->count++];
        memset(there, 0, sizeof *there);
        memcpy(there->name, name, strlen(name) + 1);
    }
    there->node = node;
}

void disk_entries_drop(struct entries *e, const char *name)
{
    struct entry *there = entry_of(e, name);
    if (there)
        memmove(there, there + 1, (size_t)(e->list + --e->count - there) * sizeof *there);
}

void disk_entry_apply(struct entries *e, const struct entry_change *c)
{
    if (c->from[0]) {
        struct entry *there = entry_of(e, c->from);
        if (there && there->node == c->node)
            disk_entries_drop(e, c->from);
    }
    if (c->to[0])
        disk_entries_set(e, c->to, c->node);
}

static void note(struct disk_node *directory, const char *from, const char *to, struct disk_node *node)
{
    directory->moves = disk_room(directory->moves, &directory->move_cap, directory->move_count + 1, sizeof *directory->moves);
    struct entry_change *c = &directory->moves[directory->move_count++];
    memset(c, 0, sizeof *c);
    c->node = node;
    memcpy(c->from, from, strlen(from) + 1);
    memcpy(c->to, to, strlen(to) + 1);
    disk_entry_apply(&directory->now, c);
}

/* The directory of the path's last name, and that name ("" for the root itself). */
static int walk(struct disk *d, const char *path, struct disk_node **directory, char name[DISK_NAME_BYTES])
{
    size_t prefix = strlen(DISK_PREFIX);
    if (strncmp(path, DISK_PREFIX, prefix) != 0 || (path[prefix] != '/' && path[prefix] != 0))
        return ENOENT;
    const char *at = path + prefix;
    struct disk_node *here = d->root;
    name[0] = 0;
    for (;;) {
        while (*at == '/')
            at++;
        if (*at == 0) {
            *directory = here;
            return 0;
        }
        if (name[0]) {
            struct entry *there = entry_of(&here->now, name);
            if (!there)
                return ENOENT;
            if (!there->node->is_directory)
                return ENOTDIR;
            here = there->node;
        }
        size_t len = strcspn(at, "/");
        if (len >= DISK_NAME_BYTES)
            return ENAMETOOLONG;
        memcpy(name, at, len);
        name[len] = 0;
        at += len;
    }
}

int disk_find(struct disk *d, const char *path, struct disk_node **out)
{
    struct disk_node *directory;
    char name[DISK_NAME_BYTES];
    int error = d->off ? EIO : walk(d, path, &directory, name);
    if (error)
        return error;
    struct entry *there = name[0] ? entry_of(&directory->now, name) : NULL;
    if (name[0] && !there)
        return ENOENT;
    *out = there ? there->node : directory;
    return 0;
}

static int make(struct disk *d, const char *path, bool is_directory, struct disk_node **out)
{
    struct disk_node *directory;
    char name[DISK_NAME_BYTES];
    bool last;
    int error = walk(d, path, &directory, name);
    if (!error)
        error = strike(d, DISK_CREATE, &last);
    if (error)
        return error;
    *out = node_new(d, is_directory);
    note(directory, "", name, *out);
    return over(d, last);
}

int disk_open(struct disk *d, const char *path, int flags, struct disk_node **out)
{
    bool last;
    int error = disk_find(d, path, out);
    if (error == ENOENT && (flags & O_CREAT)) {
        error = make(d, path, false, out);
    } else if (!error) {
        if ((flags & O_CREAT) && (flags & O_EXCL))
            return EEXIST;
        if ((flags & O_DIRECTORY) && !(*out)->is_directory)
            return ENOTDIR;
        error = strike(d, DISK_OPEN, &last);
    }
    if (!error)
        (*out)->opened++;
    return error;
}

void disk_close(struct disk_node *node)
{
    if (node->opened == 0)
        abort();
    node->opened--;
}

int disk_make_directory(struct disk *d, const char *path)
{
    struct disk_node *node;
    int error = disk_find(d, path, &node);
    if (!error)
        return EEXIST;
    return error == ENOENT ? make(d, path, true, &node) : error;
}

int disk_rename(struct disk *d, const char *from, const char *to, bool replace)
{
    struct disk_node *old_place, *new_place, *node, *other;
    char old_name[DISK_NAME_BYTES], new_name[DISK_NAME_BYTES];
    bool last;
    int error = disk_find(d, from, &node);
    if (!error)
        error = walk(d, from, &old_place, old_name);
    if (!error)
        error = walk(d, to, &new_place, new_name);
    if (!error && !replace && disk_find(d, to, &other) == 0)
        error = EEXIST;
    if (!error)
        error = strike(d, DISK_RENAME, &last);
    if (error)
        return error;
    if (old_place == new_place) {
        note(old_place, old_name, new_name, node);
    } else {
        note(new_place, "", new_name, node);
        note(old_place, old_name, "", node);
    }
    return over(d, last);
}

int disk_link(struct disk *d, const char *from, const char *to)
{
    struct disk_node *place, *node, *other;
    char name[DISK_NAME_BYTES];
    bool last;
    int error = disk_find(d, from, &node);
    if (!error)
        error = walk(d, to, &place, name);
    if (!error && disk_find(d, to, &other) == 0)
        error = EEXIST;
    if (!error)
        error = strike(d, DISK_RENAME, &last);
    if (error)
        return error;
    note(place, "", name, node);
    return over(d, last);
}

int disk_unlink(struct disk *d, const char *path)
{
    struct disk_node *directory, *node;
    char name[DISK_NAME_BYTES];
    bool last;
    int error = disk_find(d, path, &node);
    if (!error)
        error = walk(d, path, &directory, name);
    if (!error && (node->is_directory || !name[0]))
        error = EISDIR;
    if (!error)
        error = strike(d, DISK_UNLINK, &last);
    if (error)
        return error;
    note(directory, name, "", node);
    return over(d, last);
}

int disk_sync_directory_of(struct disk *d, const char *path)
{
    struct disk_node *directory;
    char name[DISK_NAME_BYTES];
    int error = walk(d, path, &directory, name);
    return error ? error : disk_sync(d, directory);
}

static bool holds(const struct bytes *b, const void *bytes, size_t len)
{
    return b->size >= len && memmem(b->data, b->size, bytes, len);
}

static bool shows(const struct entries *e, const void *bytes, size_t len)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct disk_node *n = e->list[i].node;
        if (n->is_directory ? shows(&n->now, bytes, len) || shows(&n->kept, bytes, len)
                            : holds(&n->written, bytes, len) || holds(&n->durable, bytes, len))
            return true;
    }
    return false;
}

bool disk_shows(const struct disk *d, const void *bytes, size_t len)
{
    return shows(&d->root->now, bytes, len) || shows(&d->root->kept, bytes, len);
}

/* ---- bytes ---- */

void disk_look(const struct disk_node *node, struct disk_look *out)
{
    *out = (struct disk_look){ .is_directory = node->is_directory, .number = node->number, .size = node->written.size };
}

struct disk_holds *disk_holds(struct disk_node *node) { return &node->holds; }

int disk_read(struct disk *d, struct disk_node *node, void *to, size_t len, uint64_t at, size_t *got)
{
    bool last;
    *got = 0;
    int error = node->is_directory ? EISDIR : strike(d, DISK_READ, &last);
    if (error || at >= node->written.size)
        return error;
    *got = node->written.size - at < len ? node->written.size - at : len;
    memcpy(to, node->written.data + at, *got);
    return 0;
}

static struct change *change(struct disk_node *node)
{
    node->changes = disk_room(node->changes, &node->change_cap, node->change_count + 1, sizeof *node->changes);
    struct change *c = &node->changes[node->change_count++];
    memset(c, 0, sizeof *c);
    return c;
}

static void put(struct disk_node *node, const void *from, size_t len, uint64_t at)
{
    struct change *c = change(node);
    c->at = at;
    c->len = len;
    c->journal_at = node->journal.size;
    disk_bytes_put(&node->journal, node->journal.size, from, len);
    disk_bytes_put(&node->written, at, from, len);
}

int disk_write(struct disk *d, struct disk_node *node, const void *from, size_t len, uint64_t at)
{
    bool last;
    int error = strike(d, DISK_WRITE, &last);
    if (error) {
        if (!d->off && d->failure.in_part && len > 1)
            put(node, from, len / 2, at);
        return error;
    }
    put(node, from, len, at);
    return over(d, last);
}

int disk_truncate(struct disk *d, struct disk_node *node, uint64_t size)
{
    bool last;
    int error = strike(d, DISK_TRUNCATE, &last);
    if (error)
        return error;
    struct change *c = change(node);
    c->truncates = true;
    c->at = size;
    disk_bytes_resize(&node->written, size);
    return over(d, last);
}

void disk_changes_forget(struct disk_node *node)
{
    node->change_count = 0;
    node->journal.size = 0;
}

static void keep(struct disk_node *node)
{
    for (size_t i = 0; i < node->change_count; i++) {
        const struct change *c = &node->changes[i];
        if (c->truncates)
            disk_bytes_resize(&node->durable, c->at);
        else
            disk_bytes_put(&node->durable, c->at, node->journal.data + c->journal_at, c->len);
    }
    disk_changes_forget(node);
}

static int sync_directory(struct disk *d, struct disk_node *node)
{
    bool last;
    int error = strike(d, DISK_SYNC_DIRECTORY, &last);
    if (!error)
        error = over(d, last);
    if (error || (d->lies & DISK_LIES_DIRECTORY))
        return error;
    for (size_t i = 0; i < node->move_count; i++)
        disk_entry_apply(&node->kept, &node->moves[i]);
    node->move_count = 0;
    return 0;
}

int disk_sync(struct disk *d, struct disk_node *node)
{
    bool last;
    if (node->is_directory)
        return sync_directory(d, node);
    int error = strike(d, DISK_SYNC, &last);
    if (error && !d->off && !d->failure.keeps_dirty && node->change_count) {
        disk_changes_forget(node);
        node->strayed = true;
    }
    if (!error)
        error = over(d, last);
    if (!error && !(d->lies & DISK_LIES_SYNC))
        keep(node);
    return error;
}
