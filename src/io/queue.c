/* The only concurrent code of the program. completed() runs on nng's threads, everything else on the loop's. */
#include "queue.h"

static void completed(void *data)
{
    struct io_op *op = data;
    struct io_queue *queue = op->queue;

    uv_mutex_lock(&queue->mutex);
    focal_assert(!op->queued);
    op->queued = true;
    op->next = NULL;
    if (queue->last)
        queue->last->next = op;
    else
        queue->first = op;
    queue->last = op;
    uv_mutex_unlock(&queue->mutex);

    uv_async_send(queue->wake);
}

enum focal_status focal_io_queue_init(struct io_queue *queue, uv_async_t *wake)
{
    queue->first = NULL;
    queue->last = NULL;
    queue->wake = wake;
    return uv_mutex_init(&queue->mutex) ? FOCAL_NO_MEMORY : FOCAL_OK;
}

void focal_io_queue_close(struct io_queue *queue)
{
    uv_mutex_destroy(&queue->mutex);
}

struct io_op *focal_io_queue_take(struct io_queue *queue)
{
    uv_mutex_lock(&queue->mutex);
    struct io_op *taken = queue->first;
    queue->first = NULL;
    queue->last = NULL;
    for (struct io_op *op = taken; op; op = op->next)
        op->queued = false;
    uv_mutex_unlock(&queue->mutex);
    return taken;
}

enum focal_status focal_io_op_init(struct io_op *op, struct io_queue *queue, enum io_op_kind kind, void *owner)
{
    *op = (struct io_op){ .queue = queue, .owner = owner, .kind = kind };
    return nng_aio_alloc(&op->aio, completed, op) ? FOCAL_NO_MEMORY : FOCAL_OK;
}

void focal_io_op_begin(struct io_op *op)
{
    focal_assert(op->aio && !op->busy);
    op->busy = true;
}

void focal_io_op_stop(struct io_op *op)
{
    if (op->aio)
        nng_aio_stop(op->aio);
}

/* A completion that came after the last taking still stands in the queue. */
static void forget(struct io_queue *queue, struct io_op *op)
{
    struct io_op *before = NULL;

    uv_mutex_lock(&queue->mutex);
    if (op->queued) {
        for (struct io_op *at = queue->first; at != op; at = at->next)
            before = at;
        if (before)
            before->next = op->next;
        else
            queue->first = op->next;
        if (queue->last == op)
            queue->last = before;
        op->queued = false;
    }
    uv_mutex_unlock(&queue->mutex);
}

void focal_io_op_close(struct io_op *op)
{
    if (!op->aio)
        return;
    nng_aio_free(op->aio);
    op->aio = NULL;
    forget(op->queue, op);
}
