/* The made-up network: dials, links, frames under way. */
#include "inner.h"

#include <stdio.h>
#include <string.h>

static struct sim_link *link_at(struct world *w, int node, uint64_t id, int *end)
{
    for (size_t i = 0; i < w->link_top; i++)
        for (int e = 0; e < 2; e++)
            if (w->links[i].open && !w->links[i].gone[e] && w->links[i].node[e] == node && w->links[i].id[e] == id) {
                *end = e;
                return &w->links[i];
            }
    return NULL;
}

static void drop_frames(struct sim_link *l, int e)
{
    while (l->first[e]) {
        struct sim_frame *f = l->first[e];
        l->first[e] = f->next;
        focal_free(f);
    }
    l->last[e] = NULL;
}

/* Both ends hear of it at once; what was under way is lost. */
void sim_cut(struct world *w, struct sim_link *l)
{
    if (!l->open)
        return;
    l->open = false;
    for (int e = 0; e < 2; e++)
        drop_frames(l, e);
    for (int e = 0; e < 2; e++) {
        struct focal_node_event ev = { .type = FOCAL_EVENT_LINK_CLOSED };
        ev.is.closed.link = l->id[e];
        ev.is.closed.why = FOCAL_UNREACHABLE;
        if (!l->gone[e])
            (void)!sim_step(w, l->node[e], &ev, 1);
    }
}

static bool odds(struct world *w, uint32_t permille)
{
    return permille && world_random(w, 1000) < permille;
}

void sim_put(struct world *w, struct sim_link *l, int to, struct focal_span frame, uint64_t at_ms)
{
    if (l->gone[to])
        return;
    struct sim_frame *f = focal_alloc(sizeof *f + frame.len);
    focal_assert(f);
    f->at_ms = l->last[to] && at_ms < l->last[to]->at_ms ? l->last[to]->at_ms : at_ms;         /* in order */
    f->len = frame.len;
    memcpy(f->bytes, frame.data, frame.len);
    if (f->len && odds(w, w->network.garble_permille))
        f->bytes[world_random(w, f->len)] ^= (uint8_t)(1u << world_random(w, 8));
    if (f->len && odds(w, w->network.shorten_permille))
        f->len = world_random(w, f->len);
    if (l->last[to])
        l->last[to]->next = f;
    else
        l->first[to] = f;
    l->last[to] = f;
    w->counts.frames++;
    w->counts.bytes += f->len;
}

/* One frame of an end's on its way. False: the end has no more, or its link is cut, or narrow. */
static bool pump_one(struct world *w, struct sim_link *l, int e, struct focal_buf *frame)
{
    if (!l->open || l->gone[e] || !sim_take(w, l, e, frame))
        return false;
    sim_mix(w, frame->data, frame->len);
    if (odds(w, w->network.cut_permille)) {
        sim_cut(w, l);
        return false;
    }
    uint64_t span = w->network.delay_most_ms - w->network.delay_least_ms;
    uint64_t at = w->now_ms + w->network.delay_least_ms + (span ? world_random(w, span + 1) : 0);
    at += sim_malice_delay_ms(w, &w->nodes[l->node[e]]);
    sim_put(w, l, 1 - e, focal_buf_view(frame), at);
    if (odds(w, w->network.double_permille))
        sim_put(w, l, 1 - e, focal_buf_view(frame), at);
    if (!w->network.bytes_per_ms)
        return true;
    l->busy_until_ms[1 - e] = w->now_ms + frame->len / w->network.bytes_per_ms + 1;
    return false;
}

/* What was handed over before a close still arrives, as TCP's FIN stands behind the data. */
static void close_ordered(struct world *w, struct sim_link *l, int end)
{
    int to = 1 - end, from = l->node[end], other = l->node[to];
    while (l->open && l->first[to] && !w->partitioned[from][other] && !w->nodes[other].stopped) {
        struct sim_frame *f = l->first[to];
        l->first[to] = f->next;
        if (!l->first[to])
            l->last[to] = NULL;
        struct focal_node_event ev = { .type = FOCAL_EVENT_LINK_FRAME };
        ev.is.frame.link = l->id[to];
        ev.is.frame.bytes = focal_span_of(f->bytes, f->len);
        (void)!sim_step(w, other, &ev, 1);
        focal_free(f);
    }
    sim_cut(w, l);
}

static void dial_ordered(struct world *w, int i, const struct focal_order *o)
{
    for (size_t k = 0; k < WORLD_LINKS_MAX; k++) {
        struct sim_dial *d = &w->dials[k];
        if (d->used)
            continue;
        *d = (struct sim_dial){ .used = true, .node = i, .tag = o->dial_tag, .at_ms = w->now_ms + 1 + w->network.delay_most_ms };
        (void)snprintf(d->address, sizeof d->address, "%s", o->address);
        if (k >= w->dial_top)
            w->dial_top = k + 1;
        return;
    }
}

/* Takes what a node wants to send and do, after a step. */
void sim_pump(struct world *w, int i)
{
    struct sim_node *n = &w->nodes[i];
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    for (size_t k = 0; k < w->link_top; k++) {
        struct sim_link *l = &w->links[k];
        for (int e = 0; e < 2; e++)
            if (l->open && l->node[e] == i && l->busy_until_ms[1 - e] <= w->now_ms)
                while (n->node && pump_one(w, l, e, &frame))
                    ;
    }
    focal_buf_close(&frame);
    struct focal_order o;
    while (n->node && focal_node_take_order(n->node, &o)) {
        int end = 0;
        struct sim_link *l = o.type == FOCAL_ORDER_CLOSE ? link_at(w, i, o.link, &end) : NULL;
        if (l)
            close_ordered(w, l, end);
        else if (o.type == FOCAL_ORDER_DIAL)
            dial_ordered(w, i, &o);
    }
}

static struct sim_link *free_link(struct world *w)
{
    for (size_t k = 0; k < WORLD_LINKS_MAX; k++) {
        if (w->links[k].open)
            continue;
        if (k >= w->link_top)
            w->link_top = k + 1;
        return &w->links[k];
    }
    return NULL;
}

static void opened(struct world *w, struct sim_link *l, int e, uint64_t tag, const char *address)
{
    struct focal_node_event ev = { .type = FOCAL_EVENT_LINK_OPENED };
    ev.is.opened.link = l->id[e];
    ev.is.opened.dialled = e == 0;
    ev.is.opened.dial_tag = tag;
    ev.is.opened.address = address;
    l->gone[e] = false;
    if (sim_step(w, l->node[e], &ev, 1) != FOCAL_OK)
        l->gone[e] = true;
}

/* Copies of an office have one address: any of them answers, but in the healing phase each in its turn. */
static int who_answers(struct world *w, const char *address)
{
    int at[WORLD_NODES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < w->node_count; i++)
        if (w->nodes[i].node && strcmp(w->nodes[i].address, address) == 0)
            at[count++] = (int)i;
    if (count < 2)
        return count ? at[0] : -1;
    return at[w->copies_turn ? w->copies_turn % count : world_random(w, count)];
}

static void dial_due(struct world *w, struct sim_dial *d)
{
    d->used = false;
    int to = who_answers(w, d->address);
    if (!w->nodes[d->node].node)
        return;
    bool fails = to < 0 || w->partitioned[d->node][to] || w->partitioned[to][d->node] || odds(w, w->network.dial_fails_permille);
    struct sim_link *l = fails ? NULL : free_link(w);
    struct focal_node_event ev = { .type = FOCAL_EVENT_DIAL_FAILED };
    if (!l) {
        ev.is.dial.dial_tag = d->tag;
        ev.is.dial.why = FOCAL_UNREACHABLE;
        (void)!sim_step(w, d->node, &ev, 1);
        return;
    }
    int from = d->node;
    uint64_t tag = d->tag;
    char address[sizeof d->address];
    memcpy(address, d->address, sizeof address);
    *l = (struct sim_link){ .open = true, .gone = { true, true }, .node = { from, to }, .id = { w->next_link, w->next_link + 1 } };
    w->next_link += 2;
    opened(w, l, 1, 0, address);
    if (l->open && !l->gone[1]) {
        opened(w, l, 0, tag, address);
        return;
    }
    l->open = false;                    /* the listener was killed by it */
    ev.is.dial.dial_tag = tag;
    ev.is.dial.why = FOCAL_UNREACHABLE;
    (void)!sim_step(w, from, &ev, 1);
}

static void earlier(uint64_t *next, uint64_t at)
{
    if (at < *next)
        *next = at;
}

uint64_t sim_next_event_ms(const struct world *w)
{
    uint64_t next = UINT64_MAX;
    for (size_t k = 0; k < w->link_top; k++) {
        const struct sim_link *l = &w->links[k];
        for (int e = 0; e < 2 && l->open; e++) {
            if (l->first[e] && !w->nodes[l->node[e]].stopped)
                earlier(&next, l->first[e]->at_ms);
            if (l->busy_until_ms[e] > w->now_ms)
                earlier(&next, l->busy_until_ms[e]);
        }
    }
    for (size_t k = 0; k < w->dial_top; k++)
        if (w->dials[k].used)
            earlier(&next, w->dials[k].at_ms);
    for (size_t i = 0; i < w->node_count; i++) {
        const struct sim_node *n = &w->nodes[i];
        if (n->node && n->stopped)
            earlier(&next, n->go_on_at_ms);
        else if (n->node)
            earlier(&next, focal_node_deadline_ms(n->node));
        else if (n->start_at_ms)
            earlier(&next, n->start_at_ms);
    }
    return next;
}

/* Frames that came together are taken in one step, as the daemon does. */
static void frames_due(struct world *w, struct sim_link *l, int e)
{
    enum { TOGETHER = 16 };
    struct focal_node_event events[TOGETHER];
    struct sim_frame *taken[TOGETHER];
    int to = l->node[e], from = l->node[1 - e];
    if (!l->open || !l->first[e] || l->first[e]->at_ms > w->now_ms || w->nodes[to].stopped)
        return;
    if (w->partitioned[from][to]) {
        l->first[e]->at_ms = w->now_ms + 500;           /* held back, as TCP goes on trying */
        return;
    }
    size_t count = 0, most = 1 + world_random(w, TOGETHER);
    while (count < most && l->first[e] && l->first[e]->at_ms <= w->now_ms) {
        struct sim_frame *f = l->first[e];
        l->first[e] = f->next;
        if (!l->first[e])
            l->last[e] = NULL;
        taken[count] = f;
        events[count] = (struct focal_node_event){ .type = FOCAL_EVENT_LINK_FRAME };
        events[count].is.frame.link = l->id[e];
        events[count++].is.frame.bytes = focal_span_of(f->bytes, f->len);
    }
    (void)!sim_step(w, to, events, count);
    for (size_t i = 0; i < count; i++)
        focal_free(taken[i]);
}

/* Everything that is due now. */
void sim_network_due(struct world *w)
{
    for (size_t k = 0; k < w->dial_top; k++) {
        if (w->dials[k].used && w->dials[k].at_ms <= w->now_ms) {
            dial_due(w, &w->dials[k]);
            sim_injection(w);
        }
    }
    for (size_t k = 0; k < w->link_top; k++) {
        struct sim_link *l = &w->links[k];
        for (int e = 0; e < 2; e++) {
            frames_due(w, l, e);
            sim_injection(w);
            if (l->open && !l->gone[e] && l->busy_until_ms[1 - e] && l->busy_until_ms[1 - e] <= w->now_ms && w->nodes[l->node[e]].node) {
                l->busy_until_ms[1 - e] = 0;
                sim_pump(w, l->node[e]);
            }
        }
    }
}
