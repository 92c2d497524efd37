/* What the commands borrow from the shell: time spent, figures, addresses, a check of the whole database. */
#include "run.h"

#include <string.h>

static uint64_t spent_ms(void *data)
{
    const struct running *r = data;
    struct focal_now now;
    focal_clock_now(&now);
    return now.mono_ms - r->turn_began_ms;
}

static void figures(void *data, struct focal_admin_figures *out)
{
    struct running *r = data;
    out->stall_ms = focal_io_stall_ms(r->io, false);
    out->link_bytes_sent = focal_io_link_bytes(r->io, true);
    out->link_bytes_received = focal_io_link_bytes(r->io, false);
    out->cpu_us = focal_process_cpu_us();
    out->peak_kib = focal_process_peak_kib();
    out->rss_kib = focal_process_rss_kib();
}

static size_t addresses(void *data, const char *out[], size_t room)
{
    struct running *r = data;
    size_t count = 0;
    for (; count < r->config.advertise_count && count < room; count++)
        out[count] = r->config.advertise[count];
    /* An address that means "all of this machine" tells nobody where it is. */
    if (count == 0 && room && r->listens && !focal_config_address_any(r->bound))
        out[count++] = r->bound;
    return count;
}

/* ---- the full check, on a thread of its own ---- */

struct deep { struct running *r; struct focal_store *snapshot; struct focal_buf findings; enum focal_status status; uint64_t ticket; };

static void deep_work(void *data)
{
    struct deep *d = data;
    d->status = focal_sqlite_deep_check(d->snapshot, &d->findings);
}

static void deep_done(void *data)
{
    struct deep *d = data;
    if (d->r->admin)
        focal_admin_checked(d->r->admin, d->ticket, d->status, focal_buf_view(&d->findings));
    focal_store_close(d->snapshot);
    focal_buf_close(&d->findings);
    focal_io_again(d->r->io);
    focal_free(d);
}

static enum focal_status deep_check(void *data, uint64_t ticket)
{
    struct running *r = data;
    struct deep *d = focal_alloc(sizeof *d);
    if (!d)
        return FOCAL_NO_MEMORY;
    d->r = r;
    d->ticket = ticket;
    focal_buf_init(&d->findings, 256 << 10);
    enum focal_status st = focal_store_snapshot(r->store, &d->snapshot);
    if (st == FOCAL_OK)
        st = focal_io_work(r->io, deep_work, deep_done, d);
    if (st != FOCAL_OK) {
        focal_store_close(d->snapshot);
        focal_buf_close(&d->findings);
        focal_free(d);
    }
    return st;
}

void services_fill(struct focal_admin_setup *s, struct running *r)
{
    s->data = r;
    s->spent_ms = spent_ms;
    s->figures = figures;
    s->addresses = addresses;
    s->deep_check = deep_check;
    s->store_order = store_order;
    s->store_key = store_key_word;
}
