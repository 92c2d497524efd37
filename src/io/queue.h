/* queue: the one place where nng's threads and the loop's thread meet.
 *
 * An operation is one thing that nng was asked to do: accept, dial, receive or send. Its completion is told by linking the
 * operation itself into the queue, so the queue needs no memory and is bounded by the number of operations that exist
 * (three per link, some per listener): it cannot overflow, and a link that was not served by the loop yet cannot put in more. */
#ifndef FOCAL_IO_QUEUE_H
#define FOCAL_IO_QUEUE_H

#include "focal/base.h"

#include <nng/nng.h>
#include <uv.h>

enum io_op_kind { IO_OP_ACCEPT, IO_OP_DIAL, IO_OP_RECEIVE, IO_OP_SEND };

struct io_queue;

struct io_op {
    nng_aio *aio;
    struct io_queue *queue;
    void *owner;                /* the link or listener, by kind */
    enum io_op_kind kind;
    bool busy;                  /* loop thread only: begun, and its completion not yet taken */
    bool queued;                /* under the queue's mutex */
    struct io_op *next;         /* under the queue's mutex until taken */
};

struct io_queue {
    uv_mutex_t mutex;
    struct io_op *first, *last;
    uv_async_t *wake;           /* outlives every operation */
};

FOCAL_MUST_USE enum focal_status focal_io_queue_init(struct io_queue *, uv_async_t *wake);
void focal_io_queue_close(struct io_queue *);
struct io_op *focal_io_queue_take(struct io_queue *);       /* all that completed, oldest first, linked by next */

FOCAL_MUST_USE enum focal_status focal_io_op_init(struct io_op *, struct io_queue *, enum io_op_kind, void *owner);
void focal_io_op_begin(struct io_op *);                     /* call just before nng is asked */
void focal_io_op_stop(struct io_op *);                      /* waits until nng will never touch it again */
void focal_io_op_close(struct io_op *);                     /* stops it, and takes it out of the queue */

#endif
