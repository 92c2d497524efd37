/* sync now, ping, pause, resume: links moved by hand. */
#include "job.h"

#include <stdio.h>
#include <string.h>

enum { SYNC_WAIT_MS = 60000, PING_WAIT_MS = 10000 };

struct by_hand { struct focal_office office; enum focal_status answer; };

/* ---- sync now ---- */

static enum job_state sync_answer(struct job *j, const struct by_hand *h, bool wait)
{
    struct focal_peer_status p;
    size_t synced = 0, all = 0;
    json_t *offices = json_array();
    for (size_t i = 0; focal_node_peer(j->admin->is.node, j->admin->now, i, &p); i++) {
        if ((h->office.text[0] && strcmp(h->office.text, p.office.text) != 0) || !p.office.text[0])
            continue;
        bool is = peer_synced(j, &p);
        all++;
        synced += is;
        json_t *one = json_object();
        json_object_set_new(one, "code", text_json(p.office.text));
        json_object_set_new(one, "synced", json_boolean(is));
        json_array_append_new(offices, one);
    }
    if (wait && (synced < all || all == 0) && !job_waited(j, SYNC_WAIT_MS)) {
        json_decref(offices);
        return JOB_WAIT;
    }
    json_t *out = json_object();
    json_object_set_new(out, "offices", offices);
    if (!wait || (synced == all && all > 0))
        return job_one(j, out);
    if (synced > 0) {
        job_item(j, out);
        return job_end(j, FOCAL_PARTIAL, NULL);
    }
    json_decref(out);
    return job_failf(j, FOCAL_TIMEOUT, "work goes on; `focalctl status` shows the links", "no receipt came from %s in time", h->office.text[0] ? h->office.text : "any office");
}

enum job_state run_sync(struct job *j)
{
    struct focal_error err;
    struct by_hand *h = j->own;
    const char *office = job_text(j, "office");
    if (j->stage == 0) {
        h = job_own(j, sizeof *h, NULL);
        if (!h)
            return job_fail(j, NULL);
        if (office && office_find(job_oplog(j), office, &h->office, &err) != FOCAL_OK)
            return job_fail(j, &err);
        j->stage = 1;
    }
    if (j->stage == 1) {
        struct focal_node_event e = { .type = FOCAL_EVENT_DIAL_NOW, .answer = &h->answer, .is.dial_now = h->office };
        if (!job_event(j, &e))
            return JOB_AGAIN;
        j->stage = 2;
        return JOB_STEP;
    }
    if (j->stage == 2 && h->answer != FOCAL_OK)
        return job_failf(j, h->answer, "`focalctl office list` shows the offices", "%s cannot be dialled from here", h->office.text);
    j->stage = 3;
    return sync_answer(j, h, job_flag(j, "wait"));
}

/* ---- ping ---- */

enum job_state run_ping(struct job *j)
{
    struct focal_error err;
    struct focal_peer_status p;
    struct by_hand *h = j->own;
    const char *office = job_text(j, "office");
    if (j->stage == 0) {
        h = job_own(j, sizeof *h, NULL);
        if (!h)
            return job_fail(j, NULL);
        if (!office)
            return job_failf(j, FOCAL_USAGE, "ping OFFICE", "which office?");
        if (office_find(job_oplog(j), office, &h->office, &err) != FOCAL_OK)
            return job_fail(j, &err);
        j->stage = 1;
    }
    if (j->stage == 1) {                /* the node learns the time by a step, and measures from then */
        if (!job_event(j, &(struct focal_node_event){ .type = FOCAL_EVENT_TICK }))
            return JOB_AGAIN;
        j->stage = 2;
        return JOB_STEP;
    }
    if (j->stage == 2) {
        if (!focal_node_ping(j->admin->is.node, &h->office))
            return job_failf(j, FOCAL_TIMEOUT, "`focalctl sync now` dials at once; `focalctl status` says why", "there is no link to %s", h->office.text);
        j->began_ms = j->admin->now.mono_ms;
        j->stage = 3;
        return JOB_WAIT;
    }
    uint64_t waited = j->admin->now.mono_ms - j->began_ms;
    if (peer_find(j, h->office.text, &p) && p.link == FOCAL_LINK_UP && p.round_trip_ms >= 0 && waited > 0 && p.heard_ago_ms <= waited) {
        json_t *out = json_object();
        json_object_set_new(out, "office", text_json(h->office.text));
        json_object_set_new(out, "round_trip_ms", json_integer((json_int_t)p.round_trip_ms));
        return job_one(j, out);
    }
    if (!job_waited(j, PING_WAIT_MS))
        return JOB_WAIT;
    return job_failf(j, FOCAL_TIMEOUT, "`focalctl status` shows the link", "%s did not answer in time", h->office.text);
}

/* ---- pause, resume ---- */

static enum job_state pause(struct job *j, bool on)
{
    struct focal_error err;
    struct by_hand *h = j->own;
    const char *office = job_text(j, "office");
    if (j->stage == 0) {
        h = job_own(j, sizeof *h, NULL);
        if (!h)
            return job_fail(j, NULL);
        if (!office)
            return job_failf(j, FOCAL_USAGE, "name it by its code", "which office?");
        if (office_find(job_oplog(j), office, &h->office, &err) != FOCAL_OK)
            return job_fail(j, &err);
        j->stage = 1;
    }
    if (j->stage == 1) {
        struct focal_node_event e = { .type = FOCAL_EVENT_PAUSE, .answer = &h->answer };
        e.is.pause.office = h->office;
        e.is.pause.on = on;
        if (!job_event(j, &e))
            return JOB_AGAIN;
        j->stage = 2;
        return JOB_STEP;
    }
    if (h->answer != FOCAL_OK)
        return job_failf(j, h->answer, "`focalctl office list` shows the offices", "there is no link to %s that could be cut", h->office.text);
    json_t *out = json_object();
    json_object_set_new(out, "office", text_json(h->office.text));
    json_object_set_new(out, "paused", json_boolean(on));
    return job_one(j, out);
}

enum job_state run_pause(struct job *j)
{
    return pause(j, true);
}

enum job_state run_resume(struct job *j)
{
    return pause(j, false);
}
