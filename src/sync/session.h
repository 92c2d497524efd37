/* The inside of a session, shared by the files of this room only. One file per kind of message; session.c holds the table. */
#ifndef FOCAL_SYNC_SESSION_H
#define FOCAL_SYNC_SESSION_H

#include "focal/sync.h"
#include "focal/base_plant.h"

enum {
    SHARED_MAX = FOCAL_HELLO_SCOPES_MAX,
    QUEUE_BYTES_MAX = 8 * 1024 * 1024,      /* control messages waiting; a peer that does not read loses the link */
    CREDIT_STEP_BYTES = 16 * 1024,          /* credit is given back in steps of this, well below the smallest window */
    PACKED_MAX = FOCAL_SEGMENT_PACKED_MAX,
    ITEMS_MAX = FOCAL_FRAME_MAX - 64,       /* items in one SUBJECTS, FRONTIER or ACK message */
    SUBJECTS_ANSWERS_MAX = 64,
    NAMES_MAX = 32768,                      /* logs a peer may name that are not held here: more wait for the next connection */
    FORK_ITEMS_BYTES = 9000,                /* of one log with as many branches as are kept, in a FRONTIER */
    FORK_TIPS_MAX = 512,                    /* of one log, as a peer tells them; nobody keeps as many branches */
    FORK_SENDS_MAX = 8,                     /* tips of one log being sent to one peer */
    LOOKS_MAX = 32,                         /* segments read for what a peer says it holds, in one call from outside, */
    LOOKS_PER_SECOND = 64,                  /* in a second, */
    LOOKS_BURST = 256,                      /* and at once, when there were none for a while */
    BLOCKED_MS = 5000                       /* after a "not yet": asked again after this, or when something it needs came */
};

/* One tip of a forked log on its way to them: along the line and those it leaves, from next on. */
struct fork_send { uint64_t serial, next; };

/* A tip of theirs, and whether it is held here: see tips.c. */
enum tip_state { TIP_UNKNOWN, TIP_LACKING, TIP_HELD };
struct fork_tip {
    struct focal_frontier_tip tip;
    enum tip_state state;
    uint64_t serial;                    /* held: its line. Unknown: 1 more than the line to go on with; 0: from the first */
};

/* What we know of one log at the far end when it is forked, here or there: see forks.c. */
struct fork {
    struct fork_tip *tips;              /* theirs, as they told them last */
    size_t tip_count, tip_cap, unknown;
    uint64_t looked;                    /* the log's moves when their states were found */
    bool tips_open;                     /* their list goes on with the next item */
    uint64_t told;                      /* digest of our tips as told them last; 0: never */
    struct focal_frontier_tip asked;    /* with HEADS, last; sequence 0: none */
    struct fork_send sends[FORK_SENDS_MAX];
    size_t send_count;
};

/* What we know of one log at the far end. */
struct peer_log {
    struct focal_id id;
    struct focal_log_name name;
    uint64_t theirs;                /* they hold it durably up to here: a frontier, an ack, or they sent it */
    struct focal_frontier_tip announced;        /* their tip as they told it; seq 0: not told */
    uint64_t sent;                  /* handed to the stream up to here */
    uint64_t next, to;              /* being sent while next <= to */
    uint64_t head_seen;             /* our head when last looked at: what is above it is new */
    uint64_t blocked_until_ms;      /* a "not yet" */
    uint32_t series;                /* the whole series that listed it last */
    bool ack_due;                   /* what is durable here is to be told */
    struct fork *fork;              /* NULL: one line here and there, as far as we know */
    uint64_t hole_asked, hole_next_ms;          /* the hole last asked of them; when the next may be */
    uint64_t holes_asked_at;        /* how many had been found then */
    uint64_t tip_told;              /* announced because it could not be acknowledged: up to here */
    uint64_t wanted_from;           /* they asked for what they held once, from here on; 0: never */
    uint64_t again_from, again_to;  /* of that, to be sent; 0: nothing */
    bool told_cuts;                 /* what they sent was beyond a cut, and they have heard of it */
    bool told_name;                 /* they know its name */
    bool announce_due;              /* our new tip is to be announced, not pushed */
    bool look_due;                  /* whether their tip lies on our line is still to be seen */
};

struct shared_scope {
    struct focal_scope scope;
    struct focal_hash id;
    uint8_t tag[8];
    bool they_share;                /* they spoke of it: until then what we say of it may be dropped there */
    bool sent_whole;                /* our whole frontier went out */
    bool sent_sure;                 /* and they did not drop it */
    bool exchanged;                 /* equal hashes, or their whole frontier came: what they hold is known */
    uint32_t series;                /* the series under way */
};

struct queued { struct queued *next; size_t len; bool raw; uint8_t bytes[]; };      /* raw: a handshake message */

/* In guarded memory of its own (focal_secret_alloc). */
struct session_secrets {
    struct focal_noise noise;
    struct focal_channel channel;
    struct focal_psk psk;
};

struct focal_session {
    struct focal_sync_host *host;
    uint64_t link;
    enum focal_session_state state;
    bool dialled, far_known, channel_open, closing;
    uint8_t handshake_step;
    struct session_secrets *secrets;
    struct focal_key far;

    struct queued *queue_head, *queue_tail;         /* plaintext messages and raw handshake messages, in order */
    size_t queue_bytes;

    uint64_t opened_ms, heard_ms, sent_ms, ping_sent_ms;
    int64_t round_trip_ms;
    uint64_t bytes_sent, bytes_received;
    int bye;

    uint8_t they_pause;                             /* their PAUSE */
    bool pause_told;                                /* ours is what they heard last */
    bool hello_taken;
    uint8_t epochs[2][8];                           /* ours, theirs, as HELLO said */
    bool veiled[2];
    uint64_t hello_taken_ms;
    uint64_t pings, pongs;                          /* the nth PONG answers the nth PING, and all that was said before it */
    bool statements_equal;                          /* by HELLO */
    uint64_t statements_by;                         /* all their statements are here once so many PONGs came; 0: not asked */
    struct focal_hash subjects_sent_for;            /* statement set when SUBJECTS went out last */
    uint32_t subjects_answers;                      /* how often, to theirs, for that set */
    bool subjects_due;                              /* our set changed: to be told when the stream is free */
    bool taking_statement;                          /* from them: they need not be told of it */
    struct focal_key given_under;                   /* the authority whose word counted meanwhile */
    struct focal_map given;                         /* (subject, its set) whose statements went out on this link */
    struct shared_scope shared[SHARED_MAX]; size_t shared_count;
    uint32_t series_count;

    struct focal_map logs;                          /* log id -> struct peer_log */
    size_t names;                                   /* of them, named by the far end alone */
    bool names_cut;                                 /* it named more than we keep */
    bool names_dropped;                             /* it spoke of a scope that we do not share (yet) */
    uint64_t turn;                                  /* round robin over logs */
    size_t acks_due, announces_due;
    bool holes_due;                                 /* more is missing here than was asked for */
    uint64_t restored_seen;                         /* how many of what came back here were looked at */

    uint64_t window_bytes, in_flight_bytes;         /* ours towards them */
    uint64_t credit_due_bytes;                      /* theirs, taken and not yet given back */
    uint64_t probe_at_ms, probe_left_bytes, trip_least_ms;      /* measures one window's way */
    uint64_t segment_heard_ms;                      /* last SEGMENT from them */

    uint64_t looks_call, looks_saved;               /* looks that this call, and this link, may still have */
    uint64_t looks_filled_ms;                       /* up to when looks_saved was filled up */
    bool looks_due;                                 /* something was left over */
};

/* queue.c */
enum focal_status queue_message(struct focal_session *, const struct focal_message *);
enum focal_status queue_raw(struct focal_session *, struct focal_span);
struct queued *queue_take(struct focal_session *);
void queue_drop(struct focal_session *);
void queue_drop_scope(struct focal_session *, const struct shared_scope *);     /* what speaks of it */

/* handshake.c */
enum focal_status handshake_start(struct focal_session *);
enum focal_status handshake_frame(struct focal_session *, struct focal_span);

/* hello.c */
enum focal_status hello_send(struct focal_session *);
enum focal_status hello_take(struct focal_session *, const struct focal_hello *);
void shared_refresh(struct focal_session *);
enum focal_status shared_announce(struct focal_session *);     /* the frontiers of those they have not heard of */
struct shared_scope *shared_by_tag(struct focal_session *, const uint8_t tag[8]);
struct shared_scope *shared_by_id(struct focal_session *, const struct focal_hash *id);
void keyed_hash(const struct focal_session *, uint8_t out[8], const struct focal_hash *);

/* statements.c */
enum focal_status subjects_send(struct focal_session *);
enum focal_status subjects_take(struct focal_session *, const struct focal_subjects *);
enum focal_status statement_take(struct focal_session *, struct focal_span);
enum focal_status cuts_send(struct focal_session *, struct peer_log *);        /* the answer to what is no longer admitted */

/* frontier.c */
enum focal_status frontier_send_whole(struct focal_session *, struct shared_scope *);
enum focal_status frontier_take(struct focal_session *, const struct focal_frontier *);
enum focal_status frontier_mark_equal(struct focal_session *, struct shared_scope *);
bool frontier_announce(struct focal_session *, struct focal_message *, struct focal_buf *items);
struct peer_log *peer_log_get(struct focal_session *, const struct focal_id *);
struct peer_log *peer_log_make(struct focal_session *, const struct focal_id *, const struct focal_log_name *);

void frontier_put(const struct focal_session *, struct focal_buf *items, const struct focal_id *log);
enum focal_status frontier_look_again(struct focal_session *, struct peer_log *);       /* at a tip that was left over */

/* tips.c */
void tip_looks_open(struct focal_session *);         /* of a new session */
void tip_looks_start(struct focal_session *);        /* of a call from outside */
bool tip_looks_left(struct focal_session *, uint64_t least);
/* h at a sequence of a line, on this share. */
enum focal_status tip_hash(struct focal_session *, const struct focal_log *line, uint64_t seq, struct focal_hash *);
bool keyed_fits(const struct focal_session *, const struct focal_frontier_tip *, const struct focal_hash *);
enum focal_status tip_look(struct focal_session *, const struct focal_id *log, struct fork_tip *);      /* gives its state */
enum focal_status tips_add(struct fork *, const struct focal_frontier_tip *);
void tips_clear(struct fork *);
enum focal_status tips_look(struct focal_session *, struct peer_log *);
bool tips_known(const struct focal_session *, const struct peer_log *);     /* false: the log has moved since they were looked at */

/* forks.c */
enum focal_status fork_enter(struct focal_session *, struct peer_log *);        /* once known to be forked: always so on this link */
void fork_free(struct peer_log *);
enum focal_status fork_item(struct focal_session *, struct peer_log *, const struct focal_frontier_item *);
enum focal_status fork_ask(struct focal_session *, struct peer_log *);          /* for a tip of theirs that is not here */
void fork_announce(struct focal_session *, struct peer_log *);                  /* if our tips are not as told last */
void fork_told(const struct focal_session *, struct peer_log *);                /* our present tips go out */
enum focal_status fork_mark_equal(struct focal_session *, struct peer_log *);
bool fork_equal(const struct focal_session *, const struct peer_log *);
uint64_t fork_holds(const struct focal_session *, const struct peer_log *, const struct focal_log *line);  /* up to which sequence */
uint64_t fork_lack(const struct focal_session *, const struct peer_log *);      /* tips of theirs that are not here */
enum focal_status fork_send_from(struct focal_session *, struct peer_log *, const struct focal_frontier_tip *to, uint64_t from);
enum focal_status heads_take(struct focal_session *, const struct focal_heads *);
/* The next piece of what is being sent; line NULL: none. */
void fork_send_again(struct peer_log *, const struct focal_log *line, uint64_t from);
enum focal_status fork_piece(struct focal_session *, struct peer_log *, struct focal_piece *, struct focal_buf *packed, bool *made);

/* asks.c */
/* May this be asked of this peer now? Then it is noted as asked. */
enum focal_status ask_note(struct focal_session *, const struct focal_id *log, uint64_t to, uint64_t head, bool *may);
enum focal_status ask_if_behind(struct focal_session *, struct peer_log *);

/* holes.c */
enum focal_status holes_ask(struct focal_session *);      /* what is missing here, once of each peer */
bool hole_wanted(struct peer_log *, const struct focal_want *);        /* true: it is only that, and will be sent by hole_piece */
void holes_give(struct focal_session *);                  /* what they asked for and is here now */
void hole_filled(struct peer_log *, uint64_t upto);       /* they have all of it up to here */
enum focal_status hole_piece(struct focal_session *, struct peer_log *, const struct focal_log *, struct focal_piece *, struct focal_buf *packed);
void asks_forget_link(struct focal_sync_host *, uint64_t link);
void asks_touch(struct focal_session *, const struct peer_log *);      /* something of it was admitted */
void asks_drop(struct focal_session *, const struct focal_id *log);

/* segments.c */
enum focal_status want_take(struct focal_session *, const struct focal_want *);
enum focal_status segment_take(struct focal_session *, const struct focal_segment *, size_t message_bytes);
void credit_take(struct focal_session *, uint32_t bytes);
enum focal_status ack_take(struct focal_session *, const struct focal_ack *);
bool ack_make(struct focal_session *, struct focal_message *, struct focal_buf *items);
void ack_owe(struct focal_session *, struct peer_log *);
enum focal_status segment_make(struct focal_session *, struct focal_buf *message, bool *made);

/* pause.c */
bool pause_passes(struct focal_session *, const struct focal_log_name *);       /* goes on while somebody pauses */
bool pause_holds(struct focal_session *, const struct focal_log_name *);        /* we take nothing of it now */
bool pause_drops(const struct focal_session *, uint8_t message_type);
bool pause_make(struct focal_session *, struct focal_message *);

/* join.c */
enum focal_status join_send(struct focal_session *);
enum focal_status join_take(struct focal_session *, const struct focal_join *);

/* session.c */
enum focal_status talk_start(struct focal_session *);

#endif
