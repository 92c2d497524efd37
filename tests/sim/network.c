/* The made-up network: dials, links, frames under way. */
#include "inner.h"

#include <stdio.h>
#include <string.h>

static struct sim_link *link_at(struct world *w, int node, uint64_t id, int *end)
{
    for (size_t i = 0; i < WORLD_LINKS_MAX; i++)
        for (int e = 0; e < 2; e++)
            if (w->links[i].open && w->links[i].node[e] == node && w->links[i].id[e] == id) {
                *end = e;
                return &w->links[i];
            }
    return NULL;
}

static void drop_frames(struct sim_link *l)
{
    for (int e = 0; e < 2; e++) {
        while (l->first[e]) {
            struct sim_frame *f = l->first[e];
            l->first[e] = f->next;
            focal_free(f);
        }
        l->last[e] = NULL;
    }
}

/* Both ends hear of it at once; what was under way is lost. */
void sim_cut(struct world *w, struct sim_link *l)
{
    if (!l->open)
        return;
    l->open = false;
    drop_frames(l);
    for (int e = 0; e < 2; e++) {
        struct focal_node_event ev = { .type = FOCAL_EVENT_LINK_CLOSED };
        ev.is.closed.link = l->id[e];
        ev.is.closed.why = FOCAL_UNREACHABLE;
        if (w->nodes[l->node[e]].node)
            (void)!sim_step(w, l->node[e], &ev, 1);
    }
}

static void put_frame(struct world *w, struct sim_link *l, int to, const struct focal_buf *frame, uint64_t at_ms)
{
    struct sim_frame *f = focal_alloc(sizeof *f + frame->len);
    focal_assert(f);
    f->at_ms = at_ms;
    f->len = frame->len;
    memcpy(f->bytes, frame->data, frame->len);
    if (w->network.garble_permille && f->len && world_random(w, 1000) < w->network.garble_permille)
        f->bytes[world_random(w, f->len)] ^= (uint8_t)(1u << world_random(w, 8));
    if (l->last[to])
        l->last[to]->next = f;
    else
        l->first[to] = f;
    l->last[to] = f;
}

/* Takes what a node wants to send and do, after a step. */
void sim_pump(struct world *w, int i)
{
    struct sim_node *n = &w->nodes[i];
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    for (size_t k = 0; k < WORLD_LINKS_MAX; k++) {
        struct sim_link *l = &w->links[k];
        for (int e = 0; e < 2 && l->open; e++) {
            if (l->node[e] != i || l->busy_until_ms[1 - e] > w->now_ms)
                continue;
            while (l->open && focal_node_take_frame(n->node, l->id[e], &frame)) {
                sim_mix(w, frame.data, frame.len);
                if (w->network.cut_permille && world_random(w, 1000) < w->network.cut_permille) {
                    sim_cut(w, l);
                    break;
                }
                uint64_t span = w->network.delay_most_ms - w->network.delay_least_ms;
                uint64_t at = w->now_ms + w->network.delay_least_ms + (span ? world_random(w, span + 1) : 0);
                if (l->last[1 - e] && at < l->last[1 - e]->at_ms)
                    at = l->last[1 - e]->at_ms;         /* in order */
                put_frame(w, l, 1 - e, &frame, at);
                if (w->network.double_permille && world_random(w, 1000) < w->network.double_permille)
                    put_frame(w, l, 1 - e, &frame, at);
                if (w->network.bytes_per_ms) {
                    l->busy_until_ms[1 - e] = w->now_ms + frame.len / w->network.bytes_per_ms + 1;
                    break;
                }
            }
        }
    }
    focal_buf_close(&frame);
    struct focal_order o;
    while (n->node && focal_node_take_order(n->node, &o)) {
        int end = 0;
        struct sim_link *l;
        if (o.type == FOCAL_ORDER_CLOSE && (l = link_at(w, i, o.link, &end)) != NULL) {
            /* What was handed over before the close still arrives, as TCP's FIN stands behind the data. */
            int other = l->node[1 - end];
            uint64_t other_id = l->id[1 - end];
            while (l->first[1 - end] && !w->partitioned[i][other]) {
                struct sim_frame *f = l->first[1 - end];
                l->first[1 - end] = f->next;
                struct focal_node_event ev = { .type = FOCAL_EVENT_LINK_FRAME };
                ev.is.frame.link = other_id;
                ev.is.frame.bytes = focal_span_of(f->bytes, f->len);
                if (w->nodes[other].node)
                    (void)!sim_step(w, other, &ev, 1);
                focal_free(f);
                if (!l->open)
                    break;
            }
            if (l->open)
                l->last[1 - end] = l->first[1 - end];
            sim_cut(w, l);
        } else if (o.type == FOCAL_ORDER_DIAL) {
            for (size_t k = 0; k < WORLD_LINKS_MAX; k++)
                if (!w->dials[k].used) {
                    w->dials[k] = (struct sim_dial){ .used = true, .node = i, .tag = o.dial_tag, .at_ms = w->now_ms + 1 + w->network.delay_most_ms };
                    (void)snprintf(w->dials[k].address, sizeof w->dials[k].address, "%s", o.address);
                    break;
                }
        }
    }
}

static void dial_due(struct world *w, struct sim_dial *d)
{
    d->used = false;
    int to = -1;
    for (size_t i = 0; i < w->node_count; i++)
        if (w->nodes[i].node && strcmp(w->nodes[i].address, d->address) == 0)
            to = (int)i;
    if (!w->nodes[d->node].node)
        return;
    bool fails = to < 0 || w->partitioned[d->node][to] || (w->network.dial_fails_permille && world_random(w, 1000) < w->network.dial_fails_permille);
    struct sim_link *l = NULL;
    for (size_t k = 0; k < WORLD_LINKS_MAX && !fails; k++)
        if (!w->links[k].open) {
            l = &w->links[k];
            break;
        }
    struct focal_node_event ev = { .type = FOCAL_EVENT_DIAL_FAILED };
    if (!l) {
        ev.is.dial.dial_tag = d->tag;
        ev.is.dial.why = FOCAL_UNREACHABLE;
        (void)!sim_step(w, d->node, &ev, 1);
        return;
    }
    *l = (struct sim_link){ .open = true, .node = { d->node, to }, .id = { w->next_link, w->next_link + 1 } };
    w->next_link += 2;
    for (int e = 1; e >= 0; e--) {
        ev = (struct focal_node_event){ .type = FOCAL_EVENT_LINK_OPENED };
        ev.is.opened.link = l->id[e];
        ev.is.opened.dialled = e == 0;
        ev.is.opened.dial_tag = e == 0 ? d->tag : 0;
        ev.is.opened.address = d->address;
        if (w->nodes[l->node[e]].node)
            (void)!sim_step(w, l->node[e], &ev, 1);
    }
}

uint64_t sim_next_event_ms(const struct world *w)
{
    uint64_t next = UINT64_MAX;
    for (size_t k = 0; k < WORLD_LINKS_MAX; k++) {
        const struct sim_link *l = &w->links[k];
        for (int e = 0; e < 2 && l->open; e++) {
            if (l->first[e] && l->first[e]->at_ms < next)
                next = l->first[e]->at_ms;
            if (l->busy_until_ms[e] > w->now_ms && l->busy_until_ms[e] < next)
                next = l->busy_until_ms[e];
        }
        if (w->dials[k].used && w->dials[k].at_ms < next)
            next = w->dials[k].at_ms;
    }
    for (size_t i = 0; i < w->node_count; i++) {
        uint64_t d = w->nodes[i].node ? focal_node_deadline_ms(w->nodes[i].node) : UINT64_MAX;
        if (d < next)
            next = d;
    }
    return next;
}

/* Everything that is due now. Frames that came together are taken in one step, as the daemon does. */
void sim_network_due(struct world *w)
{
    enum { TOGETHER = 16 };
    for (size_t k = 0; k < WORLD_LINKS_MAX; k++) {
        if (w->dials[k].used && w->dials[k].at_ms <= w->now_ms)
            dial_due(w, &w->dials[k]);
        struct sim_link *l = &w->links[k];
        for (int e = 0; e < 2; e++) {
            struct focal_node_event events[TOGETHER];
            struct sim_frame *taken[TOGETHER];
            size_t count = 0, most = 1 + world_random(w, TOGETHER);
            while (l->open && count < most && l->first[e] && l->first[e]->at_ms <= w->now_ms) {
                struct sim_frame *f = l->first[e];
                if (w->partitioned[l->node[0]][l->node[1]]) {
                    f->at_ms = w->now_ms + 500;         /* held back, as TCP goes on trying */
                    break;
                }
                l->first[e] = f->next;
                if (!l->first[e])
                    l->last[e] = NULL;
                taken[count] = f;
                events[count] = (struct focal_node_event){ .type = FOCAL_EVENT_LINK_FRAME };
                events[count].is.frame.link = l->id[e];
                events[count++].is.frame.bytes = focal_span_of(f->bytes, f->len);
            }
            if (count && w->nodes[l->node[e]].node)
                (void)!sim_step(w, l->node[e], events, count);
            for (size_t i = 0; i < count; i++)
                focal_free(taken[i]);
            if (l->open && l->busy_until_ms[1 - e] && l->busy_until_ms[1 - e] <= w->now_ms && w->nodes[l->node[e]].node) {
                l->busy_until_ms[1 - e] = 0;
                sim_pump(w, l->node[e]);
            }
        }
    }
}
