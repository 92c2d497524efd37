/* What is there when the power comes back. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum fate { FATE_LOST, FATE_KEPT, FATE_PREFIX, FATE_SUBSET, FATE_TORN, FATES };

/* What holds for one file or directory in one cut. */
struct luck { enum fate fate; size_t prefix; unsigned in_a_hundred; bool garbage; };

static struct luck luck_of(struct disk *d, size_t changes)
{
    if (d->bare)
        return (struct luck){ .fate = FATE_LOST };
    struct luck l = { .fate = (enum fate)chance_below(&d->chance, FATES), .prefix = chance_below(&d->chance, changes + 1),
                      .in_a_hundred = 10 + (unsigned)chance_below(&d->chance, 81), .garbage = chance_of(&d->chance, 30) };
    return l;
}

static bool survives(struct disk *d, const struct luck *l, size_t i)
{
    switch (l->fate) {
    case FATE_LOST:
        return false;
    case FATE_PREFIX:
        return i < l->prefix;
    case FATE_SUBSET:
        return chance_of(&d->chance, l->in_a_hundred);
    default:
        return true;
    }
}

/* Bytes that the file grew by and that nobody wrote: zeros on a kind file system, anything on another. */
static void grow(struct disk *d, struct disk_node *node, const struct luck *l, uint64_t size)
{
    uint64_t from = node->durable.size;
    if (size <= from)
        return;
    disk_bytes_resize(&node->durable, size);
    if (l->garbage)
        chance_fill(&d->chance, node->durable.data + from, (size_t)(size - from < 64 ? size - from : 64));
}

static void put(struct disk *d, struct disk_node *node, const struct luck *l, uint64_t at, const uint8_t *from, size_t len)
{
    grow(d, node, l, at);
    disk_bytes_put(&node->durable, at, from, len);
}

/* Sectors of a write, each for itself; those at its ends may be written in part, the bytes beside them stay. */
static void tear(struct disk *d, struct disk_node *node, const struct luck *l, const struct change *c)
{
    const uint8_t *from = node->journal.data + c->journal_at;
    for (size_t done = 0; done < c->len;) {
        size_t piece = DISK_SECTOR_BYTES - (c->at + done) % DISK_SECTOR_BYTES;
        if (piece > c->len - done)
            piece = c->len - done;
        if (chance_of(&d->chance, l->in_a_hundred))
            put(d, node, l, c->at + done, from + done, piece);
        done += piece;
    }
}

static void settle_file(struct disk *d, struct disk_node *node)
{
    if (node->change_count == 0 && !node->strayed)
        return;
    uint64_t before = node->durable.size;
    struct luck l = luck_of(d, node->change_count);
    for (size_t i = 0; i < node->change_count; i++) {
        const struct change *c = &node->changes[i];
        bool kept = survives(d, &l, i);
        if (c->truncates) {
            if (kept && (l.fate != FATE_TORN || chance_of(&d->chance, l.in_a_hundred)))
                disk_bytes_resize(&node->durable, c->at);
        } else if (kept && l.fate != FATE_TORN) {
            put(d, node, &l, c->at, node->journal.data + c->journal_at, c->len);
        } else if (kept) {
            tear(d, node, &l, c);
        } else if (l.fate == FATE_SUBSET && chance_of(&d->chance, 25)) {
            grow(d, node, &l, c->at + c->len);          /* the new size is there, its bytes are not */
        }
    }
    bool whole = node->strayed || node->durable.size != node->written.size || node->durable.size != before;
    for (size_t i = 0; i < node->change_count && !whole; i++) {
        const struct change *c = &node->changes[i];
        whole = c->truncates || c->at + c->len > node->durable.size;
        if (!whole)
            memcpy(node->written.data + c->at, node->durable.data + c->at, c->len);
    }
    if (whole) {
        disk_bytes_resize(&node->written, node->durable.size);
        if (node->durable.size)
            memcpy(node->written.data, node->durable.data, node->durable.size);
    }
    node->strayed = false;
    disk_changes_forget(node);
}

/* A name that was moved is under one of the two, never under both or none: file systems keep at least that. */
static void settle_directory(struct disk *d, struct disk_node *node)
{
    if (node->move_count == 0)
        return;
    struct luck l = luck_of(d, node->move_count);
    for (size_t i = 0; i < node->move_count; i++) {
        bool kept = l.fate == FATE_TORN ? chance_of(&d->chance, l.in_a_hundred) : survives(d, &l, i);
        if (kept)
            disk_entry_apply(&node->kept, &node->moves[i]);
    }
    node->move_count = 0;
    node->now.count = 0;
    for (size_t i = 0; i < node->kept.count; i++)
        disk_entries_set(&node->now, node->kept.list[i].name, node->kept.list[i].node);
}

static void mark(struct disk_node *node)
{
    node->reachable = true;
    for (size_t i = 0; i < node->kept.count; i++)
        mark(node->kept.list[i].node);
}

static void sweep(struct disk *d)
{
    for (struct disk_node *node = d->nodes; node; node = node->next)
        node->reachable = false;
    mark(d->root);
    for (struct disk_node **at = &d->nodes; *at;) {
        struct disk_node *node = *at;
        if (node->reachable) {
            at = &node->next;
        } else {
            *at = node->next;
            disk_node_free(node);
        }
    }
}

static void take_a_sector(struct disk *d)
{
    struct disk_node *largest = NULL;
    for (struct disk_node *node = d->nodes; node; node = node->next)
        if (!node->is_directory && node->durable.size >= DISK_SECTOR_BYTES
            && (!largest || node->durable.size > largest->durable.size))
            largest = node;
    if (!largest)
        return;
    size_t at = chance_below(&d->chance, largest->durable.size / DISK_SECTOR_BYTES) * DISK_SECTOR_BYTES;
    memset(largest->durable.data + at, 0, DISK_SECTOR_BYTES);
    memset(largest->written.data + at, 0, DISK_SECTOR_BYTES);
}

static void begin_anew(struct disk *d)
{
    for (struct disk_node *node = d->nodes; node; node = node->next) {
        if (node->opened || node->holds.shared_memory) {
            fprintf(stderr, "a file is still open while the program starts again\n");
            abort();
        }
        memset(&node->holds, 0, sizeof node->holds);
    }
    d->off = d->failed = false;
    d->cut_at = 0;
    d->failure = (struct disk_failure){ .nth = 0 };
}

void disk_power_on(struct disk *d)
{
    begin_anew(d);
    for (struct disk_node *node = d->nodes; node; node = node->next) {
        if (node->is_directory)
            settle_directory(d, node);
        else
            settle_file(d, node);
    }
    sweep(d);
    if (d->lies & DISK_LIES_SECTOR)
        take_a_sector(d);
}

void disk_power_on_bare(struct disk *d)
{
    d->bare = true;
    disk_power_on(d);
    d->bare = false;
}

void disk_start_again(struct disk *d)
{
    begin_anew(d);
}

static uint64_t mix(uint64_t h, const void *from, size_t len)
{
    const uint8_t *at = from;
    for (size_t i = 0; i < len; i++)
        h = (h ^ at[i]) * 0x100000001B3u;
    return h;
}

static uint64_t digest_of(const struct disk_node *node, uint64_t h)
{
    if (!node->is_directory)
        return mix(h, node->durable.data, node->durable.size);
    for (size_t i = 0; i < node->kept.count; i++) {
        const struct entry *e = &node->kept.list[i];
        h = mix(h, e->name, strlen(e->name));
        if (!strstr(e->name, ".lock"))
            h = digest_of(e->node, h);
    }
    return h;
}

uint64_t disk_digest(const struct disk *d)
{
    return digest_of(d->root, 0xCBF29CE484222325u);
}
