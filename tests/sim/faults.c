/* What happens to links, processes, clocks and disks. */
#include "inner.h"

#include <stdio.h>
#include <string.h>

/* ---- network ---------------------------------------------------------------------------------------------------- */

void world_one_way(struct world *w, int from, int to, bool cut)
{
    w->partitioned[from][to] = cut;
}

void world_partition(struct world *w, int a, int b, bool cut)
{
    w->partitioned[a][b] = w->partitioned[b][a] = cut;
}

void world_isolate(struct world *w, int i, bool cut)
{
    for (int k = 0; k < (int)w->node_count; k++)
        if (k != i)
            world_partition(w, i, k, cut);
}

void world_cut_links(struct world *w, int i)
{
    for (size_t k = 0; k < w->link_top; k++)
        if (w->links[k].open && (w->links[k].node[0] == i || w->links[k].node[1] == i))
            sim_cut(w, &w->links[k]);
}

void world_half_open(struct world *w, int i)
{
    size_t count = 0, chosen;
    for (size_t k = 0; k < w->link_top; k++)
        count += w->links[k].open && (w->links[k].node[0] == i || w->links[k].node[1] == i);
    chosen = world_random(w, count);
    for (size_t k = 0; count && k < w->link_top; k++) {
        struct sim_link *l = &w->links[k];
        if (!l->open || (l->node[0] != i && l->node[1] != i) || chosen-- > 0)
            continue;
        int told = (int)world_random(w, 2);
        if (l->gone[1 - told]) {
            sim_cut(w, l);
            return;
        }
        l->gone[told] = true;
        struct focal_node_event ev = { .type = FOCAL_EVENT_LINK_CLOSED };
        ev.is.closed.link = l->id[told];
        ev.is.closed.why = FOCAL_UNREACHABLE;
        (void)!sim_step(w, l->node[told], &ev, 1);
        return;
    }
}

/* ---- process and clock ----------------------------------------------------------------------------------------------- */

void world_crash(struct world *w, int i)
{
    struct sim_node *n = &w->nodes[i];
    if (!n->node)
        return;
    w->counts.crashes++;
    focal_node_close(n->node);
    n->node = NULL;
    n->stopped = false;
    n->start_at_ms = 0;
    focal_fake_store_crash(n->store);
    world_cut_links(w, i);
    for (size_t k = 0; k < w->dial_top; k++)
        if (w->dials[k].node == i)
            w->dials[k].used = false;
}

void world_stop(struct world *w, int i, uint64_t ms)
{
    w->nodes[i].stopped = w->nodes[i].node != NULL;
    w->nodes[i].go_on_at_ms = w->now_ms + ms;
}

void world_clock(struct world *w, int i, int64_t off_ms)
{
    w->nodes[i].clock_off_ms = off_ms;
}

void world_clock_frozen(struct world *w, int i, bool on)
{
    w->nodes[i].clock_frozen = on;
    w->nodes[i].frozen_wall_ms = w->now_ms;
}

/* ---- disk -------------------------------------------------------------------------------------------------------------- */

void world_backup(struct world *w, int i, bool with_fence)
{
    struct sim_node *n = &w->nodes[i];
    struct focal_fake_image *image = focal_fake_store_backup(n->store, with_fence);
    focal_assert(image);
    focal_fake_image_free(n->backup);
    n->backup = image;
}

static void another_disk(struct world *w, struct sim_node *n)
{
    n->watch_count = 0;
    n->watched_cuts = UINT64_MAX;
    w->invitations_lost = w->invitations_lost || n == &w->nodes[0] || n->joins;
    sim_excuse(w);
}

bool world_restore(struct world *w, int i)
{
    struct sim_node *n = &w->nodes[i];
    if (!n->backup)
        return false;
    sim_tell(w, i, "an old backup is put back");
    world_crash(w, i);
    focal_assert(focal_fake_store_restore(n->store, n->backup) == FOCAL_OK);
    another_disk(w, n);
    w->counts.restores++;
    world_start(w, i);
    return true;
}

int world_clone(struct world *w, int i, bool other_machine)
{
    if (w->node_count == WORLD_NODES_MAX)
        return -1;
    int at = (int)w->node_count++;
    struct sim_node *from = &w->nodes[i], *n = &w->nodes[at];
    *n = (struct sim_node){ .keys = from->keys, .read_count = from->read_count, .joins = from->joins, .cut = from->cut,
                             .lost_count = from->lost_count };
    memcpy(n->code, from->code, sizeof n->code);
    memcpy(n->country, from->country, sizeof n->country);
    memcpy(n->reads, from->reads, sizeof n->reads);
    memcpy(n->lost, from->lost, sizeof n->lost);
    memcpy(n->lost_held, from->lost_held, sizeof n->lost_held);
    bool only_listens = strcmp(from->code, w->nodes[0].code) == 0;      /* then whoever dials it may reach either */
    (void)snprintf(n->address, sizeof n->address, "n%d.example:7443", only_listens ? 0 : at);
    (void)snprintf(n->machine, sizeof n->machine, "m%d", other_machine ? at : i);
    focal_buf_init(&n->certificate, FOCAL_STATEMENT_MAX);
    focal_buf_span(&n->certificate, focal_buf_view(&from->certificate));
    struct focal_fake_image *image = focal_fake_store_backup(from->store, true);
    focal_assert(image);
    n->store = focal_fake_store_clone(image);
    focal_assert(n->store);
    focal_fake_image_free(image);
    if (other_machine)
        focal_fake_store_machine(n->store, n->machine);
    for (int k = 0; k < at; k++) {
        w->partitioned[at][k] = w->partitioned[k][at] = false;
    }
    sim_tell(w, i, "is copied");
    w->counts.clones++;
    w->invitations_lost = w->invitations_lost || n->joins || only_listens;       /* an invitation is good at one of them */
    world_start(w, at);
    return at;
}

bool world_lose(struct world *w, int i)
{
    struct sim_node *n = &w->nodes[i];
    if (n->certificate.len == 0)
        return false;
    sim_tell(w, i, "its disk is lost");
    world_crash(w, i);
    focal_store_close(n->store);
    n->store = focal_fake_store_new();
    focal_assert(n->store);
    focal_fake_store_fence(n->store, (struct focal_entropy){ sim_entropy, w }, n->machine);
    sim_found(w, n);
    another_disk(w, n);
    w->counts.losses++;
    world_start(w, i);
    return true;
}

/* ---- the end of all faults ------------------------------------------------------------------------------------------------ */

void world_heal(struct world *w)
{
    static const struct world_network calm = { .delay_least_ms = 5, .delay_most_ms = 30 };
    int count = (int)w->node_count;
    w->network = calm;
    w->wrong = (struct world_steps_go_wrong){ 0 };
    for (int i = 0; i < count; i++) {
        world_clock(w, i, 0);
        world_clock_frozen(w, i, false);
        w->nodes[i].stopped = false;
        for (int k = 0; k < count; k++)
            world_one_way(w, i, k, false);
        world_start(w, i);
    }
    sim_tell_succession(w);
    for (int i = 0; i < count; i++)
        sim_tell_words(w, i);
    sim_tell_renewals(w);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < count; k++)
            if (strcmp(w->nodes[i].code, w->nodes[k].code) != 0)
                (void)world_pause(w, i, k, false);
}
