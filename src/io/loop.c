/* The loop and its turns.
 *
 *   uv callbacks, nng completions          only note what happened, and mark
 *        v
 *   check (end of the iteration)           links → signals, wake, jobs → frames → lines → closed → turn
 *        v
 *   idle active?                           more waits, or was marked meanwhile: poll without sleeping, then check again
 *
 * Every handler is called from `check`, so all that one poll brought is told before `turn`, and nothing re-enters. */
#include "loop.h"

#include <signal.h>
#include <string.h>

static const int signal_numbers[3] = { SIGINT, SIGTERM, SIGHUP };

/* ---- one turn --------------------------------------------------------------------------------------------------- */

static void idle_nothing(uv_idle_t *idle)
{
    (void)idle;
}

static void async_nothing(uv_async_t *async)
{
    (void)async;                    /* its only purpose is to end the poll */
}

void focal_io_mark(struct focal_io *io)
{
    io->more = true;
    if (!io->closing)               /* jobs that end while the loop closes are told when it is closed */
        uv_idle_start(&io->idle, idle_nothing);
}

static void take_completions(struct focal_io *io)
{
    struct io_op *op = focal_io_queue_take(&io->queue);

    while (op) {
        struct io_op *next = op->next;      /* handling may begin the operation anew */
        op->busy = false;
        switch (op->kind) {
        case IO_OP_ACCEPT:
            focal_io_listener_op(op->owner, op);
            break;
        case IO_OP_DIAL:
            focal_io_dial_op(op->owner);
            break;
        case IO_OP_RECEIVE:
        case IO_OP_SEND:
            focal_io_link_op(op->owner, op);
            break;
        }
        op = next;
    }
}

static void tell_jobs(struct focal_io *io)
{
    while (io->jobs_first) {
        struct io_job *job = io->jobs_first;
        io->jobs_first = job->next;
        if (!io->jobs_first)
            io->jobs_last = NULL;
        job->done(job->data);
        focal_free(job);
        io->told = true;
    }
}

static void tell_notes(struct focal_io *io)
{
    uint8_t seen = io->signals_seen;

    io->signals_seen = 0;
    for (size_t i = 0; i < sizeof signal_numbers / sizeof *signal_numbers; i++) {
        if (seen & (1u << i)) {
            io->tell.signal(io->tell.data, signal_numbers[i]);
            io->told = true;
        }
    }
    if (io->wake_due) {
        io->wake_due = false;
        io->tell.wake(io->tell.data);
        io->told = true;
    }
    tell_jobs(io);
}

static void turn(uv_check_t *check)
{
    struct focal_io *io = check->data;
    uint64_t began = focal_io_mono_ns();

    io->more = false;
    io->told = false;
    take_completions(io);
    tell_notes(io);
    focal_io_links_tell(io);
    focal_io_controls_tell(io);
    focal_io_links_sweep(io);
    if (io->told || io->again) {
        io->again = false;
        io->tell.turn(io->tell.data);
        uint64_t took = focal_io_mono_ns() - began;
        if (took > io->stall_ns)
            io->stall_ns = took;
    }
    /* `turn` may have closed links that have nothing under way: they must be told too. */
    if (io->again || io->sweep)
        io->more = true;
    if (io->more)
        uv_idle_start(&io->idle, idle_nothing);
    else
        uv_idle_stop(&io->idle);
    if (io->stopping)
        uv_stop(&io->loop);
}

/* ---- timers and signals ----------------------------------------------------------------------------------------- */

static uint64_t delay_ms(struct focal_io *io, uint64_t mono_ms)
{
    uint64_t now = focal_io_mono_ms();

    /* uv counts from its own idea of now, which is as old as this turn. */
    uv_update_time(&io->loop);
    if (mono_ms <= now)
        return 0;
    return mono_ms - now < 3600000 ? mono_ms - now : 3600000;
}

static void deadlines_due(uv_timer_t *timer)
{
    struct focal_io *io = timer->data;
    uint64_t now = focal_io_mono_ms();

    io->deadline_next_ms = IO_NEVER;
    uint64_t transport = focal_io_transport_deadlines(io, now);
    uint64_t control = focal_io_control_deadlines(io, now);
    focal_io_deadline_at(io, transport < control ? transport : control);
}

void focal_io_deadline_at(struct focal_io *io, uint64_t mono_ms)
{
    if (mono_ms >= io->deadline_next_ms || io->closing)
        return;
    io->deadline_next_ms = mono_ms;
    uv_timer_start(&io->deadline_timer, deadlines_due, delay_ms(io, mono_ms), 0);
}

static void wake_due(uv_timer_t *timer)
{
    struct focal_io *io = timer->data;

    if (io->wake_ms == IO_NEVER)
        return;
    if (focal_io_mono_ms() < io->wake_ms) {
        uv_timer_start(timer, wake_due, delay_ms(io, io->wake_ms), 0);
        return;
    }
    io->wake_ms = IO_NEVER;
    io->wake_due = true;
    focal_io_mark(io);
}

void focal_io_wake_at(struct focal_io *io, uint64_t mono_ms)
{
    if (mono_ms == io->wake_ms)
        return;
    io->wake_ms = mono_ms;
    if (mono_ms == IO_NEVER)
        uv_timer_stop(&io->wake_timer);
    else
        uv_timer_start(&io->wake_timer, wake_due, delay_ms(io, mono_ms), 0);
}

static void signalled(uv_signal_t *handle, int number)
{
    struct focal_io *io = handle->data;

    for (size_t i = 0; i < sizeof signal_numbers / sizeof *signal_numbers; i++) {
        if (signal_numbers[i] == number)
            io->signals_seen |= (uint8_t)(1u << i);
    }
    focal_io_mark(io);
}

/* ---- work off the loop ------------------------------------------------------------------------------------------ */

static void job_work(uv_work_t *request)
{
    struct io_job *job = request->data;

    job->work(job->data);
}

static void job_after(uv_work_t *request, int status)
{
    struct io_job *job = request->data;
    struct focal_io *io = job->io;

    (void)status;                   /* jobs are never cancelled */
    job->next = NULL;
    if (io->jobs_last)
        io->jobs_last->next = job;
    else
        io->jobs_first = job;
    io->jobs_last = job;
    focal_io_mark(io);
}

enum focal_status focal_io_work(struct focal_io *io, void (*work)(void *data), void (*done)(void *data), void *data)
{
    struct io_job *job = focal_alloc(sizeof *job);

    if (!job)
        return FOCAL_NO_MEMORY;
    *job = (struct io_job){ .io = io, .work = work, .done = done, .data = data };
    job->request.data = job;
    int rv = uv_queue_work(&io->loop, &job->request, job_work, job_after);
    if (rv) {
        focal_free(job);
        return focal_io_status_of_uv(rv);
    }
    return FOCAL_OK;
}

/* ---- open, run, close ------------------------------------------------------------------------------------------- */

static void close_handle(uv_handle_t *handle, void *data)
{
    (void)data;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void close_loop(struct focal_io *io)
{
    uv_walk(&io->loop, close_handle, NULL);
    int rv = uv_run(&io->loop, UV_RUN_DEFAULT);
    focal_assert(rv == 0);
    rv = uv_loop_close(&io->loop);
    focal_assert(rv == 0);
}

static int start_handles(struct focal_io *io, bool with_signals)
{
    int rv = uv_async_init(&io->loop, &io->async, async_nothing);
    if (!rv) rv = uv_check_init(&io->loop, &io->check);
    if (!rv) rv = uv_idle_init(&io->loop, &io->idle);
    if (!rv) rv = uv_timer_init(&io->loop, &io->deadline_timer);
    if (!rv) rv = uv_timer_init(&io->loop, &io->wake_timer);
    if (rv)
        return rv;
    io->check.data = io;
    io->deadline_timer.data = io;
    io->wake_timer.data = io;
    for (size_t i = 0; with_signals && !rv && i < sizeof signal_numbers / sizeof *signal_numbers; i++) {
        rv = uv_signal_init(&io->loop, &io->signals[i]);
        if (!rv) {
            io->signals[i].data = io;
            rv = uv_signal_start(&io->signals[i], signalled, signal_numbers[i]);
        }
    }
    return rv ? rv : uv_check_start(&io->check, turn);
}

enum focal_status focal_io_open(struct focal_io **out, const struct focal_io_handlers *handlers,
                                const struct focal_io_limits *limits, const struct focal_trace *trace)
{
    *out = NULL;
    struct focal_io *io = focal_alloc(sizeof *io);
    if (!io)
        return FOCAL_NO_MEMORY;
    io->tell = *handlers;
    if (limits)
        io->limits = *limits;
    focal_io_defaults(&io->tell, &io->limits);
    io->trace = trace;
    io->wake_ms = IO_NEVER;
    io->deadline_next_ms = IO_NEVER;
    io->control_retry_ms = IO_NEVER;
    io->link_slots = io->limits.links_max + IO_CLOSING_SPARE;
    io->links = focal_alloc(io->link_slots * sizeof *io->links);
    io->conns = focal_alloc(io->limits.control_conns_max * sizeof *io->conns);
    if (!io->links || !io->conns || uv_loop_init(&io->loop)) {
        focal_free(io->links);
        focal_free(io->conns);
        focal_free(io);
        return FOCAL_NO_MEMORY;
    }
    enum focal_status status = focal_io_queue_init(&io->queue, &io->async);
    if (!status) {
        status = focal_io_status_of_uv(start_handles(io, handlers->signal != NULL));
        if (status)
            focal_io_queue_close(&io->queue);
    }
    if (status) {
        close_loop(io);
        focal_free(io->links);
        focal_free(io->conns);
        focal_free(io);
        return status;
    }
    /* A peer or client that goes away is told by the write's result. */
    signal(SIGPIPE, SIG_IGN);
    *out = io;
    return FOCAL_OK;
}

void focal_io_run(struct focal_io *io)
{
    focal_assert(!io->running && !io->closing);
    io->running = true;
    /* What was asked before the run may wait to be told already. */
    focal_io_mark(io);
    while (!io->stopping)
        uv_run(&io->loop, UV_RUN_DEFAULT);
    io->stopping = false;
    io->running = false;
}

void focal_io_stop(struct focal_io *io)
{
    io->stopping = true;
    focal_io_mark(io);
}

void focal_io_again(struct focal_io *io)
{
    io->again = true;
    focal_io_mark(io);
}

double focal_io_stall_ms(struct focal_io *io, bool reset)
{
    double ms = (double)io->stall_ns / 1e6;

    if (reset)
        io->stall_ns = 0;
    return ms;
}

uint64_t focal_io_link_bytes(struct focal_io *io, bool sent)
{
    return sent ? io->bytes_sent : io->bytes_received;
}

void focal_io_close(struct focal_io *io)
{
    if (!io)
        return;
    focal_assert(!io->running);
    io->closing = true;
    focal_io_listeners_close(io);
    focal_io_links_close(io);
    /* Only now, with every nng operation gone, may the async go that their completions wake. */
    focal_io_controls_close(io);
    close_loop(io);
    tell_jobs(io);
    focal_io_queue_close(&io->queue);
    focal_free(io->conns);
    focal_free(io->links);
    focal_free(io);
}
