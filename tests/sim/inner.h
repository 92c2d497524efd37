/* The inside of a world, shared by the files of this folder only. */
#ifndef FOCAL_SIM_INNER_H
#define FOCAL_SIM_INNER_H

#include "fake_store.h"
#include "world.h"

enum { SIM_READS_MAX = 8, SIM_PARTS_MAX = 6, SIM_MARK_BYTES = 8, SIM_WORDS_MAX = 8, SIM_SEALED_BYTES = 40 };

struct malice;
struct sim_watch { struct focal_id line; uint64_t seq; };
/* What the authority says of an office after its first membership; of a cut its reach and number. */
struct sim_word { struct focal_buf statement; struct focal_reach reach; uint64_t number; };
struct sim_node {
    char code[16], country[4], address[32], machine[20];
    char reads[SIM_READS_MAX][4]; size_t read_count;    /* countries; control and network are everybody's */
    struct focal_node_keys keys;
    struct focal_buf certificate;       /* statement; empty: it came by invitation */
    bool joins;                         /* came by invitation */
    bool cut;                           /* the authority has taken everything from its key */
    struct focal_scope lost[SIM_READS_MAX]; bool lost_held[SIM_READS_MAX]; size_t lost_count;     /* scopes that it took; was anything held of them? */
    struct sim_word words[SIM_WORDS_MAX]; size_t word_count, narrowed;      /* narrowed: 1 + which of them is its last membership */
    struct focal_buf renewal;           /* the last that the authority signed for it */
    struct focal_store *store;
    struct focal_node *node;
    struct focal_fake_image *backup;
    struct malice *malice;              /* NULL: an honest program */
    int64_t clock_off_ms;
    bool clock_frozen; uint64_t frozen_wall_ms;
    bool stopped; uint64_t go_on_at_ms;         /* the process stands still */
    uint64_t start_at_ms;               /* a killed one starts again then; 0: only when told */
    struct sim_watch *watch; size_t watch_count, watch_cap;     /* heads that a commit has shown */
    uint64_t watched_changes, watched_cuts;
    uint64_t starts;
};
struct sim_frame { struct sim_frame *next; uint64_t at_ms; size_t len; uint8_t bytes[]; };
struct sim_link {
    bool open;
    bool gone[2];                       /* this end has been told that it is closed, the other not: half-open */
    bool sealed[2];                     /* this end has sent under the channel */
    int node[2];                        /* dialler, listener */
    uint64_t id[2];                     /* link number at each end */
    struct sim_frame *first[2], *last[2];       /* towards end 0, towards end 1 */
    uint64_t busy_until_ms[2];
};
struct sim_dial { bool used; int node; uint64_t tag, at_ms; char address[80]; };
struct sim_case {
    struct focal_ref ref;
    int author;
    struct focal_scope home; bool home_set;
    uint8_t canary[32];                 /* stands in its country part */
    bool redacted, home_redacted;       /* perhaps without an answer: then its values need not be there any more */
    bool erased;                        /* its office said so, was answered, and some disk knows of it: nowhere to be found */
    bool request_held;                  /* see sim_excuse */
};

/* What an acknowledged change added to the state of one record in one scope, and what it replaced there. */
struct sim_value { struct focal_ref entry; uint16_t ordinal; uint64_t field, digest; };
struct sim_ack {
    struct focal_ref record;
    struct focal_scope scope;
    int author;
    size_t value_first, value_count, pair_first, pair_count;
    bool excused;                       /* a disk was lost or put back that alone held it */
};
struct sim_book {
    struct sim_ack *acks; size_t count, cap;
    struct sim_value *values; size_t value_count, value_cap;
    struct focal_replaced *pairs; size_t pair_count, pair_cap;      /* replaced by acknowledged changes */
    struct focal_replaced *maybe; size_t maybe_count, maybe_cap;    /* perhaps, by changes that got no answer */
};
struct sim_moment { struct { struct focal_scope scope; struct focal_part part; } parts[SIM_PARTS_MAX]; size_t count; };

struct world {
    uint64_t seed, random, now_ms, trace, steps, next_link;
    struct world_network network;
    struct world_steps_go_wrong wrong;
    struct sim_node nodes[WORLD_NODES_MAX]; size_t node_count;
    uint64_t copies_turn;                                       /* in the healing phase: which copy of an office is reached */
    bool partitioned[WORLD_NODES_MAX][WORLD_NODES_MAX];         /* from, to */
    bool blamed[WORLD_NODES_MAX][WORLD_NODES_MAX];              /* the first said BYE to the second over a fault */
    struct sim_link links[WORLD_LINKS_MAX]; size_t link_top;    /* above it none was ever used */
    struct sim_dial dials[WORLD_LINKS_MAX]; size_t dial_top;
    struct focal_sign_key authority;
    struct focal_buf genesis;           /* statement */
    struct focal_hash network_id;
    uint8_t secret[32], mark[SIM_MARK_BYTES];
    struct sim_case *cases; size_t case_count, case_cap;
    struct sim_book book;
    struct world_counts counts;
    uint64_t inject_at; void (*inject)(struct world *, void *); void *inject_data;
    bool invitations_lost;              /* the disk of headquarters or of one who joins was lost or put back */
    uint64_t renewals_made;
    uint64_t successions; struct focal_sign_key recovery;       /* recovery: once there was one */
    struct focal_buf succession;        /* the last */
    struct focal_buf delegation;        /* to headquarters, if there is one */
    uint64_t later_ms;                  /* every wall clock has been set on by so much */
    bool wire_spoilt;                   /* bytes are changed on their way: honest nodes blame each other */
    char failure[400];
};

/* world.c */
void sim_fail(struct world *, const char *fmt, ...) FOCAL_PRINTF(2, 3);
void sim_mix(struct world *, const void *, size_t);
void sim_tell(const struct world *, int i, const char *what);         /* what happens to node i, for whoever looks into one seed */
struct focal_now sim_time(const struct world *, const struct sim_node *);
void sim_entropy(void *data, void *out, size_t len);
bool sim_grow(void *list, size_t count, size_t *cap, size_t size);      /* list: address of the array's pointer */
void sim_certify(struct world *, struct focal_buf *statement, const struct focal_sign_key *, const char *code, uint8_t role,
                 const struct focal_public_keys *, const char *const *countries, size_t country_count, uint64_t invitation);
void sim_found(struct world *, struct sim_node *);      /* the first contents of its store */
void sim_injection(struct world *);                     /* between events: what is to happen at this index */

/* authority.c: brings headquarters what the authority has said of node i. */
void sim_tell_words(struct world *, int i);
/* Does node r report what it holds of this scope, when the authority takes something from `not`? who: see world_cut_reach. */
bool sim_reports(const struct world *, size_t r, const struct focal_scope *, int not, int who);
void sim_tell_renewals(struct world *);
void sim_tell_succession(struct world *);
void sim_check_renewed(struct world *);                 /* who was to be renewed without anybody's doing has been */

/* step.c */
enum focal_status sim_step(struct world *, int i, const struct focal_node_event *, size_t count);
void sim_memory_watched(bool on);
bool sim_reads(const struct world *, int i, const struct focal_scope *);
bool sim_read_once(const struct world *, int i, const struct focal_scope *);        /* it does, or did before that was taken from it */

/* network.c */
void sim_pump(struct world *, int i);
void sim_cut(struct world *, struct sim_link *);
uint64_t sim_next_event_ms(const struct world *);
void sim_network_due(struct world *);
void sim_put(struct world *, struct sim_link *, int to, struct focal_span, uint64_t at_ms);

/* wire.c: takes the next frame of this end and looks into it. */
bool sim_take(struct world *, struct sim_link *, int end, struct focal_buf *frame);

/* malice.c: what a bad node makes of a frame: plain is what it says, channel what seals it. */
void sim_twist(struct world *, struct sim_link *, int end, const void *channel_before, struct focal_span plain, struct focal_buf *frame);
uint64_t sim_malice_delay_ms(struct world *, const struct sim_node *);
void sim_malice_free(struct malice *);

/* book.c */
void sim_moment_take(struct world *, int i, const struct focal_ref *record, struct sim_moment *);
void sim_moment_close(struct sim_moment *);
void sim_acknowledged(struct world *, int i, const struct focal_ref *record, const struct sim_moment *before);
void sim_unanswered(struct world *, const struct sim_moment *before);
void sim_excuse(struct world *);        /* after a disk was lost or put back */
/* Something is taken from node i, and members report: excuses this acknowledged change of i, if nobody holds it who does. */
void sim_excuse_unreported(struct world *, size_t ack, int i, int who);
/* What i redacted of its own cases is sure to be erased only if who reports knows of it. */
void sim_unsure_of_erased(struct world *, int i, const struct focal_reach *, int who);
void sim_book_check(struct world *);
void sim_book_close(struct sim_book *);
struct sim_case *sim_case_of(const struct world *, const struct focal_ref *);     /* NULL: none that was acknowledged */

/* seals.c */
bool sim_seals(const struct world *, int i);
void sim_sealed_item(struct world *, struct focal_change_item *, uint8_t bytes[SIM_SEALED_BYTES]);
void sim_sealed_check(struct world *);

/* checks.c */
bool sim_bridged(const struct world *, size_t a, size_t b, const struct focal_scope *);

/* known_answers.c: slow questions of cryptography; those answered from what was known */
void sim_known_answers(uint64_t *all, uint64_t *answered);

#endif
