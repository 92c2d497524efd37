/* lock, unlock, destroy, store-key: the key of the store, which the daemon holds and these only speak of. */
#include "job.h"

#include <string.h>

enum { ASKED = 1, DONE, NOTED_NOW };

struct ordering { uint64_t ticket; enum focal_status status; struct focal_error err; };

void store_order_done(struct job *j, uint64_t ticket, enum focal_status status, const struct focal_error *err)
{
    struct ordering *o = j->own;
    if (!o || o->ticket != ticket || j->stage != ASKED)
        return;
    o->status = status;
    o->err = *err;
    j->stage = DONE;
    j->look_ms = 0;
}

static struct focal_span secret_of(const struct job *j, const char *key)
{
    const char *text = job_text(j, key);
    return focal_span_text(text ? text : "");
}

static const char *type_of(const struct job *j, enum focal_store_order_type *type)
{
    static const struct { const char *name; enum focal_store_order_type type; const char *to; } orders[] = {
        { "lock", FOCAL_STORE_LOCK, NULL }, { "destroy", FOCAL_STORE_DESTROY, "confirm" },
        { "store-key.rotate", FOCAL_STORE_ROTATE, NULL }, { "store-key.change", FOCAL_STORE_CHANGE, "to" },
    };
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        if (strcmp(orders[i].name, j->command->name) == 0) {
            *type = orders[i].type;
            return orders[i].to ? job_text(j, orders[i].to) : NULL;
        }
    }
    focal_unreachable();
}

/* A lock and a destruction are only agreed to here and done behind this turn, so that this goes out before the store closes. */
static enum job_state note_then_answer(struct job *j)
{
    if (!note_alone(j))
        return JOB_AGAIN;
    j->stage = NOTED_NOW;
    return JOB_STEP;
}

static enum job_state answer(struct job *j)
{
    json_t *out = json_object();
    json_object_set_new(out, "store_key", json_string(j->admin->is.store_key(j->admin->is.data)));
    return job_one(j, out);
}

enum job_state run_store_order(struct job *j)
{
    struct ordering *o = j->own;
    if (j->stage == ASKED)
        return JOB_WAIT;
    if (j->stage == DONE)
        return o->status == FOCAL_OK ? note_then_answer(j) : job_fail(j, &o->err);
    if (j->stage == NOTED_NOW)
        return answer(j);
    if (!j->admin->events || !job_events_left(j, 1))
        return JOB_AGAIN;
    struct focal_store_order order = { .passphrase = secret_of(j, "passphrase"), .next = secret_of(j, "new_passphrase") };
    struct focal_error err;
    order.to = type_of(j, &order.type);
    if (order.type == FOCAL_STORE_CHANGE && !order.to)
        return job_failf(j, FOCAL_USAGE, "plain, passphrase, credential or both", "say how the key is to be kept");
    o = job_own(j, sizeof *o, NULL);
    if (!o)
        return job_fail(j, NULL);
    o->ticket = j->admin->next_ticket++;
    enum focal_status st = j->admin->is.store_order(j->admin->is.data, o->ticket, &order, &err);
    if (st != FOCAL_OK)
        return job_fail(j, &err);
    const bool at_once = order.type == FOCAL_STORE_LOCK || order.type == FOCAL_STORE_DESTROY;
    j->stage = at_once ? DONE : ASKED;
    return at_once ? note_then_answer(j) : JOB_WAIT;
}

enum job_state run_store_key(struct job *j)
{
    return answer(j);
}

enum job_state run_unlock(struct job *j)
{
    return job_failf(j, FOCAL_CONFLICT, "`focalctl lock` closes it", "the store is open already");
}

void need_store_key(struct job *j, json_t *list)
{
    if (strcmp(j->admin->is.store_key(j->admin->is.data), "plain") == 0)
        need(list, "focalctl store-key change --to passphrase", "who takes this disk can read everything: the key of the store lies beside it in clear");
}
