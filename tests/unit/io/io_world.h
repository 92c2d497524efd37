/* A test's daemon: one focal_io whose handlers write down what was told, and end the run when `until` says so.
 * The wake timer is the guard: a test that hangs fails instead. */
#ifndef FOCAL_TEST_IO_WORLD_H
#define FOCAL_TEST_IO_WORLD_H

#include "focal/io.h"

#include <stdlib.h>
#include <string.h>

enum { WORLD_LINKS = 32, WORLD_GUARD_MS = 20000 };

struct world_link {
    uint64_t number, tag, frames, bytes, ready;
    bool dialled, closed;
    enum focal_status why;
    uint8_t last[64];
    size_t last_len;
    char address[80];
};

struct world {
    struct focal_io *io;
    char bound[64];
    struct world_link links[WORLD_LINKS];
    unsigned opened, closed, failed, turns;
    uint64_t failed_tag;
    enum focal_status failed_why;
    bool (*until)(struct world *);
    void (*on_frame)(struct world *, struct world_link *, struct focal_span);
    void (*on_ready)(struct world *, struct world_link *);
    bool guard_went_off;
    bool busy;                  /* look at `until` again and again, not only when something was told */
    bool auto_prove;            /* accepted links count as proven at once */
    void *more;
};

static inline struct world_link *world_link(struct world *w, uint64_t number)
{
    for (unsigned i = 0; i < WORLD_LINKS; i++) {
        if (w->links[i].number == number)
            return &w->links[i];
    }
    return NULL;
}

/* The n-th link (from 0) that was opened and is of that side. */
static inline struct world_link *world_side(struct world *w, bool dialled, unsigned n)
{
    for (unsigned i = 0; i < WORLD_LINKS; i++) {
        if (w->links[i].number && w->links[i].dialled == dialled && n-- == 0)
            return &w->links[i];
    }
    return NULL;
}

static inline void world_opened(void *data, uint64_t number, bool dialled, uint64_t tag, const char *address)
{
    struct world *w = data;
    struct world_link *link = &w->links[w->opened++ % WORLD_LINKS];

    *link = (struct world_link){ .number = number, .tag = tag, .dialled = dialled };
    size_t len = strlen(address);
    memcpy(link->address, address, len < sizeof link->address ? len : sizeof link->address - 1);
    if (w->auto_prove)
        focal_io_link_proven(w->io, number);
}

static inline void world_frame(void *data, uint64_t number, struct focal_span frame)
{
    struct world *w = data;
    struct world_link *link = world_link(w, number);

    focal_assert(link && !link->closed);
    link->frames++;
    link->bytes += frame.len;
    link->last_len = frame.len < sizeof link->last ? frame.len : sizeof link->last;
    if (link->last_len)
        memcpy(link->last, frame.data, link->last_len);
    if (w->on_frame)
        w->on_frame(w, link, frame);
}

static inline void world_ready(void *data, uint64_t number)
{
    struct world *w = data;
    struct world_link *link = world_link(w, number);

    focal_assert(link && !link->closed);
    link->ready++;
    if (w->on_ready)
        w->on_ready(w, link);
}

static inline void world_closed(void *data, uint64_t number, enum focal_status why)
{
    struct world *w = data;
    struct world_link *link = world_link(w, number);

    if (link) {
        focal_assert(!link->closed);
        link->closed = true;
        link->why = why;
    }
    w->closed++;
}

static inline void world_failed(void *data, uint64_t tag, enum focal_status why, const char *text)
{
    struct world *w = data;

    (void)text;
    w->failed++;
    w->failed_tag = tag;
    w->failed_why = why;
}

static inline void world_wake(void *data)
{
    struct world *w = data;

    w->guard_went_off = true;
    focal_io_stop(w->io);
}

static inline void world_turn(void *data)
{
    struct world *w = data;

    w->turns++;
    if (w->until(w))
        focal_io_stop(w->io);
    else if (w->busy)
        focal_io_again(w->io);
}

static inline void world_open(struct world *w, const struct focal_io_limits *limits)
{
    struct focal_io_handlers handlers = {
        .data = w, .link_opened = world_opened, .link_frame = world_frame, .link_ready = world_ready,
        .link_closed = world_closed, .dial_failed = world_failed, .wake = world_wake, .turn = world_turn,
    };
    struct focal_error err;

    memset(w, 0, sizeof *w);
    enum focal_status status = focal_io_open(&w->io, &handlers, limits, NULL);
    focal_assert(status == FOCAL_OK);
    status = focal_io_listen(w->io, "127.0.0.1:0", w->bound, &err);
    focal_assert(status == FOCAL_OK);
}

/* Runs until `until` holds after a turn. */
static inline bool world_run(struct world *w, bool (*until)(struct world *))
{
    struct focal_now now;

    w->until = until;
    focal_clock_now(&now);
    focal_io_wake_at(w->io, now.mono_ms + WORLD_GUARD_MS);
    focal_io_again(w->io);
    focal_io_run(w->io);
    focal_io_wake_at(w->io, UINT64_MAX);
    return !w->guard_went_off;
}

static inline unsigned world_port(const struct world *w)
{
    return (unsigned)strtoul(strrchr(w->bound, ':') + 1, NULL, 10);
}

#endif
