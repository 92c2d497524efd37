/* The inside of a world, shared by the files of this folder only. */
#ifndef FOCAL_SIM_INNER_H
#define FOCAL_SIM_INNER_H

#include "world.h"

struct sim_node {
    char code[16], country[4], address[32];
    struct focal_node_keys keys;
    struct focal_store *store;
    struct focal_node *node;
    int64_t clock_off_ms;
    uint64_t stepped_at_ms;
    uint64_t starts;
};
struct sim_frame { struct sim_frame *next; uint64_t at_ms; size_t len; uint8_t bytes[]; };
struct sim_link {
    bool open;
    int node[2];                        /* dialler, listener */
    uint64_t id[2];                     /* link number at each end */
    struct sim_frame *first[2], *last[2];       /* towards end 0, towards end 1 */
    uint64_t busy_until_ms[2];
};
struct sim_dial { bool used; int node; uint64_t tag, at_ms; char address[80]; };
struct sim_case { struct focal_ref ref; int author; struct focal_scope home; bool home_set; };

struct world {
    uint64_t seed, random, now_ms, trace, steps, next_link;
    struct world_network network;
    struct sim_node nodes[WORLD_NODES_MAX]; size_t node_count;
    bool partitioned[WORLD_NODES_MAX][WORLD_NODES_MAX];
    struct sim_link links[WORLD_LINKS_MAX];
    struct sim_dial dials[WORLD_LINKS_MAX];
    struct focal_sign_key authority;
    struct focal_buf genesis;           /* statement */
    struct focal_hash network_id;
    uint8_t secret[32];
    struct sim_case *cases; size_t case_count, case_cap;
    char failure[400];
};

void sim_fail(struct world *, const char *fmt, ...) FOCAL_PRINTF(2, 3);
void sim_mix(struct world *, const void *, size_t);
struct focal_now sim_time(const struct world *, const struct sim_node *);
enum focal_status sim_step(struct world *, int i, const struct focal_node_event *, size_t count);
void sim_pump(struct world *, int i);
void sim_cut(struct world *, struct sim_link *);
uint64_t sim_next_event_ms(const struct world *);
void sim_network_due(struct world *);
void sim_entropy(void *data, void *out, size_t len);
void sim_known_answers(uint64_t *all, uint64_t *answered);     /* slow questions of cryptography; those answered from what was known */

#endif
