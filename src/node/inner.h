/* The inside of a node, shared by the files of this room only. */
#ifndef FOCAL_NODE_INNER_H
#define FOCAL_NODE_INNER_H

#include "focal/node.h"
#include "focal/base_plant.h"

enum {
    ADDRESSES_MAX = 8,
    ADDRESS_BYTES = 80,
    LINKS_MAX = 320,                    /* above what the shell lets in */
    LINKS_PER_KEY_MAX = 4,              /* an office and copies of it; a member must not take the places of others */
    TWO_LIVE_MS = 60000,                /* what is still heard after so long is no link that was lost without a sign */
    ORDERS_MAX = 2048,
    SCRUB_AGAIN_MS = 500,
    RECEIPT_DELAY_MS = 150,             /* changes close together share one receipt */
    RECEIPT_PASS_ON_MS = 6 * 3600 * 1000,       /* other members' receipts travel beyond neighbours at most so often */
    PASS_ON_LATE_MS = 60000,            /* on a link that never comes to rest receipts are passed on after so long */
    CLOSING_MS = 5000,                  /* a peer that does not take our BYE by then loses the link without it */
    TICK_LEAST_MS = 20,
    PAUSED_REDIAL_MS = 30000            /* they paused the link: asked again about so often */
};

/* Entries of a lost database that wait (salvaged.c): keys on shelf META. */
#define SALVAGED_PREFIX "salvaged/"
enum { SEGMENT_KEY_BYTES = 16 + 8, SALVAGED_KEY_BYTES = sizeof SALVAGED_PREFIX - 1 + 16 + 8 + 8 };

struct peer {                           /* one other office of the network, or who invited us */
    struct focal_office office;         /* empty: the inviter, while no certificate is held */
    struct focal_ref address_record; bool address_known;       /* newest record of kind address that it wrote */
    char addresses[ADDRESSES_MAX][ADDRESS_BYTES]; size_t address_count, address_next;
    bool paused, wanted;                /* wanted: we keep a link to it by dialling */
    bool dial_now;                      /* asked for by hand, once */
    uint64_t dial_tag;                  /* 0: none under way */
    uint32_t tries, tries_before;       /* before: those that led to the present link */
    uint64_t next_dial_ms;
    char why[120];
    bool refused;
    uint64_t heard_wall_ms, passed_on_wall_ms;  /* kept on shelf PEER */
    uint64_t heard_kept_wall_ms;
    bool passed_on_set; uint64_t passed_on_mono_ms;     /* in this run: the wall clock may stand */
    bool equal_at_mark, said;           /* see clock.c; said: we know what its clock said at a time we know */
    uint32_t said_day;
    uint64_t said_mono_ms;
};

struct clock {                          /* is our wall clock right? */
    uint32_t made_day;
    uint64_t kept_wall_ms;              /* on shelf META; the last while we believed it */
    struct focal_now base;              /* a pair that belonged together: what wall must be by now */
    bool suspect, stands;
    struct focal_now suspect_since;
    bool marked, heard;                 /* heard: of some peer's clock since the mark */
    uint64_t mark_mono_ms;
    uint64_t *marks; size_t mark_count; /* by log serial: head at the mark */
    bool looked;
    uint64_t looked_mono_ms;
    struct focal_clock is;
};

struct link {
    uint64_t link;
    struct focal_session *session;
    uint64_t closing_since_ms;          /* 0: not closing */
    bool close_ordered, proven_told, passed_on;
    bool up;                            /* the far end has spoken in the channel; for a dialler the handshake's end alone proves nothing */
    bool fault;                         /* they broke the rules */
    uint64_t beside[LINKS_PER_KEY_MAX]; size_t beside_count;    /* older links of the same key known to be of another copy */
};

struct follow {                         /* see follow.c: a walk over all redactions held, a slice a tick */
    bool due, again;                    /* again: something came meanwhile */
    struct focal_buf after;             /* key of the last row seen */
    bool begun; struct focal_ref record;                /* rows of one record stand together */
    struct { struct focal_hash scope; struct focal_ref notice; } asked[FOCAL_CERTIFICATE_SCOPES_MAX]; size_t asked_count;
};

struct focal_node {
    struct focal_store *store;
    const struct focal_node_keys *keys;
    struct focal_entropy entropy;
    struct focal_trace trace;
    struct focal_oplog *oplog;
    struct focal_sync_host host;
    enum focal_status failed;
    enum focal_status scrub_failed;     /* after the last commit: no further step */
    bool in_step, tx_open;
    uint64_t ticked_ms;
    enum focal_space space; uint64_t space_wanted;      /* as the store said when the step began */

    struct focal_office office;
    struct { uint64_t look_ms, lacked; uint32_t turn; } ways;       /* turn 0: nothing is lacking that does not come */
    struct { uint64_t look_ms, head; uint32_t minutes; bool watching; struct focal_signed_head is; } missing;
    bool secret_set; uint8_t *secret;   /* of the network, 32 bytes in guarded memory */
    bool invited; struct focal_invitation invitation; struct focal_buf invitation_bytes, invitation_token;

    struct peer *peers; size_t peer_count;
    bool peers_stale;                   /* certificates or addresses changed: derive again at the end of the step */
    uint64_t derived;                   /* how often */
    struct link links[LINKS_MAX]; size_t link_count;
    bool copies_linked;                 /* perhaps: links of one key, and of two epochs of it */
    struct focal_id epoch_named;        /* ours, that new sessions are named by; zero: none */
    uint64_t next_dial_tag;
    uint32_t redial_least_ms, redial_most_ms, dials_max;

    char own_addresses[ADDRESSES_MAX][ADDRESS_BYTES]; size_t own_address_count;
    bool addresses_due;                 /* to be published as soon as we are a member */

    bool salvaged;                      /* there are entries of a lost database that wait for others */
    uint64_t salvaged_tried;            /* change count when they were last tried from the first one on */
    uint8_t salvaged_at[SALVAGED_KEY_BYTES]; size_t salvaged_at_len;    /* the last one tried; empty: all were */

    uint64_t *heads_told; size_t heads_told_count;      /* by log serial: what sessions were told of */
    uint64_t change_count_told;
    uint64_t receipts_due_ms;           /* UINT64_MAX: none */

    uint64_t incident_noted;            /* the last one that history speaks of */
    bool mine_noted, veil_noted;
    struct focal_hash told[FOCAL_CERTIFICATE_SCOPES_MAX]; size_t told_count;    /* while veiled: scopes whose notices are here */

    struct focal_order *orders; size_t order_first, order_count;
    struct clock clock;
    struct follow follow;
    bool renewals_looked; uint64_t renewals_looked_mono_ms;
    bool others_day_looked; uint64_t others_day_looked_mono_ms; uint32_t others_day;     /* expiry.c */
};

/* node.c */
enum focal_status node_writing(struct focal_node *);
enum focal_status node_scrub(struct focal_node *);
uint64_t node_random(struct focal_node *, uint64_t below);
void node_order(struct focal_node *, const struct focal_order *);

/* Events as one transaction; what failed has been rolled back in the store, not in memory. */
enum focal_status node_attempt(struct focal_node *, const struct focal_node_event *, size_t count, bool local_only);
enum focal_status node_heads_load(struct focal_node *);

/* space.c */
bool space_is_local(const struct focal_node_event *);           /* somebody here asked for it */
bool space_refuses(struct focal_node *, const struct focal_node_event *);       /* and answers it */
enum focal_status space_look(struct focal_node *, const struct focal_node_event *, size_t count);
enum focal_status space_again(struct focal_node *, const struct focal_node_event *, size_t count);      /* after DISK_FULL */
uint64_t space_deadline_ms(const struct focal_node *);

/* links.c */
struct link *link_find(struct focal_node *, uint64_t link);
enum focal_status link_opened(struct focal_node *, uint64_t link, bool dialled, uint64_t dial_tag);
enum focal_status link_frame(struct focal_node *, uint64_t link, struct focal_span);
void link_closed(struct focal_node *, uint64_t link, enum focal_status why);
enum focal_status links_tick(struct focal_node *);
void links_close_office(struct focal_node *, const struct focal_office *, enum focal_bye_reason);
const struct link *link_of_office(const struct focal_node *, const struct focal_office *);      /* talking, the newest; NULL */
/* Every one of them, one after the other: copies of an office have one each. NULL first and at the end. */
const struct link *link_of_office_next(const struct focal_node *, const struct focal_office *, const struct link *after);
void link_end(struct focal_node *, struct link *, enum focal_bye_reason);      /* says BYE, then closes */
bool peer_linked(const struct focal_node *, const struct peer *);       /* by any link, however young */
void links_host(struct focal_node *);   /* fills the session host's calls */
void statements_tell(struct focal_node *);      /* the set has grown: rights are judged again */

/* renew.c, expiry.c: the days of memberships */
enum focal_status renew_tick(struct focal_node *);
void expiry_tick(struct focal_node *);
enum focal_expiry expiry_of(const struct focal_node *, const struct focal_certificate *, uint32_t today);
bool expiry_stops(const struct focal_node *, const struct focal_certificate *);         /* and here that has a consequence */

/* copies.c */
bool copies_named(struct focal_node *, struct focal_session *fresh);            /* false: a duplicate that does not stay */
void copies_keep_few(struct focal_node *, const struct focal_session *fresh);
void copies_rename(struct focal_node *);        /* our epoch is another one: new sessions, named by it */
enum focal_status copies_look(struct focal_node *);     /* two epochs of one key that both speak: an incident */

/* peers.c */
enum focal_status peers_derive(struct focal_node *);
void peers_free(struct focal_node *);
struct peer *peer_of(const struct focal_node *, const struct focal_office *);
struct peer *peer_of_session(const struct focal_node *, const struct focal_session *);
void peers_tick(struct focal_node *);
/* Dials one more of each scope, another each time; not stuck: no more than usual again. */
void peers_other_ways(struct focal_node *, bool stuck);
void ways_tick(struct focal_node *);    /* ways.c */
void missing_tick(struct focal_node *); /* missing.c */
void peer_link_up(struct focal_node *, struct peer *);
void peer_link_down(struct focal_node *, struct peer *, const char *why, bool refused);
void dial_failed(struct focal_node *, uint64_t dial_tag, enum focal_status why);
void dial_dropped(struct focal_node *, uint64_t dial_tag);     /* answered, but we want the link no longer */
enum focal_status peer_pause(struct focal_node *, const struct focal_office *, bool on);
enum focal_status peer_dial_now(struct focal_node *, const struct focal_office *);
enum focal_status peer_keep_heard(struct focal_node *, struct peer *, uint64_t ago_ms);

/* join.c */
enum focal_status join_load(struct focal_node *, struct focal_error *);
enum focal_status join_put_token(struct focal_store *, struct focal_span token);       /* [tx] */
size_t join_candidates(struct focal_node *, const struct focal_key *channel, struct focal_psk *out, size_t room);
enum focal_status join_joined(struct focal_node *, struct focal_session *, uint64_t invitation, const struct focal_public_keys *, struct focal_buf *sealed);
enum focal_status join_admitted(struct focal_node *, struct focal_span sealed);
enum focal_status join_statement(struct focal_node *, struct focal_span statement);
enum focal_status join_invite(struct focal_node *, const struct focal_invitation *);
enum focal_status join_first_session(struct focal_node *, const struct focal_key *channel);

/* history.c */
enum focal_status history_load(struct focal_node *);
enum focal_status history_note(struct focal_node *, enum focal_history_code, struct focal_span detail);
enum focal_status history_epoch(struct focal_node *, const struct focal_log *control);
enum focal_status history_members(struct focal_node *);
enum focal_status history_leave(struct focal_node *);
enum focal_status history_step(struct focal_node *);           /* before the commit */

/* notes.c, pending.c */
enum focal_status note_run(struct focal_node *, const struct focal_node_event *);
enum focal_status pending_run(struct focal_node *, struct focal_pending_order *);

/* skeleton.c: one piece of a line, unpacked */
struct skeleton { struct focal_buf packed; struct focal_arena arena; struct focal_stretch stretch; };
enum focal_status skeleton_open(struct skeleton *, struct focal_node *, const struct focal_log *line, uint64_t from);
void skeleton_close(struct skeleton *);

/* veil.c */
enum focal_status veil_step(struct focal_node *);
enum focal_status veil_lift_by_hand(struct focal_node *, const char *reason);

/* follow.c */
void follow_begin(struct focal_node *);         /* all redactions held are to be looked at */
void follow_log(struct focal_node *, const struct focal_log *);         /* its head has moved */
bool follow_due(const struct focal_node *);
enum focal_status follow_tick(struct focal_node *);

/* sealed.c: values for their addressees alone */
struct sealed_keys { struct focal_key list[FOCAL_SEALED_ADDRESSEES_MAX]; size_t count; };
/* Of a change: who is named, or who follows from the record's creator (NULL: this office). */
enum focal_status sealed_addressees(const struct focal_node *, const struct focal_change *, const struct focal_certificate *creator, struct sealed_keys *,
    struct focal_error *);
enum focal_status sealed_put(struct focal_node *, struct focal_buf *out, struct focal_span plain, const struct focal_ref *record, uint64_t field,
    const struct sealed_keys *, struct focal_error *);
/* Does the value say just this, to just these? */
bool sealed_says(const struct focal_node *, const struct focal_ref *record, const struct focal_live *, struct focal_span plain, const struct sealed_keys *);
/* The value for an entry of this office that takes the place of another one, to the same addressees. DENIED: another office
 * sealed it, and it does not open here. */
enum focal_status sealed_again(struct focal_node *, struct focal_buf *out, const struct focal_ref *record, const struct focal_live *, struct focal_error *);

/* change.c, redact.c, look.c, addresses.c */
enum focal_status refused_seen(struct focal_node *);
void redact_run(struct focal_node *, struct focal_redact_order *, enum focal_status *world);
void rescue_run(struct focal_node *, struct focal_rescue_order *, enum focal_status *world);
/* Is there anything of the record in this scope, or has it been redacted there? */
enum focal_status redact_speaks(struct focal_node *, const struct focal_ref *record, const struct focal_scope *, bool *here);
void change_run(struct focal_node *, struct focal_change *, enum focal_status *world);
enum focal_status addresses_set(struct focal_node *, const char *const *list, size_t count);
enum focal_status addresses_due(struct focal_node *);
enum focal_status addresses_find(struct focal_node *, struct peer *list, size_t count);         /* sets address_record of each */
size_t addresses_of(struct focal_node *, const struct peer *, char out[][ADDRESS_BYTES], size_t room);

/* clock.c */
enum focal_status clock_load(struct focal_node *, uint32_t made_day);
void clock_free(struct focal_node *);
enum focal_status clock_tick(struct focal_node *);

/* keepsake.c */
struct keepsake { bool secret_set; uint8_t secret[32]; };
/* Calls for each statement and address. False: not whole, or not for these keys; then nothing was called. */
bool keepsake_read(struct focal_span bytes, const struct focal_node_keys *, struct keepsake *, enum focal_status (*statement)(void *, struct focal_span),
                   enum focal_status (*address)(void *, struct focal_span office, struct focal_span list), void *data, enum focal_status *failed);
/* Addresses of an office that has not published any here. */
void keepsake_addresses(struct focal_node *, struct peer *);

/* salvaged.c: entries of a lost database that wait for what stands before them, on shelf META */
struct salvaged_segment { uint64_t first; uint8_t before[8]; struct focal_tip last; struct focal_signature signature; struct focal_span packed; };
bool salvaged_decode(struct salvaged_segment *, uint64_t first, struct focal_span row);
/* NULL: a cut vouches for its end, and nobody signed it. */
const struct focal_signature *salvaged_signature(const struct salvaged_segment *);
/* log: where it is looked for; of a line that cannot be named, the line. */
void salvaged_key(uint8_t out[SALVAGED_KEY_BYTES], const struct focal_id *log, const struct salvaged_segment *);
void salvaged_name_put(struct focal_buf *, const struct focal_log_name *);
bool salvaged_name_get(struct focal_cur *, struct focal_log_name *);
enum focal_status salvaged_load(struct focal_node *);
enum focal_status salvaged_fill(struct focal_node *);

/* receipts.c */
enum focal_status receipts_tick(struct focal_node *);
enum focal_status receipts_pass_on(struct focal_node *, struct link *, struct peer *);
enum focal_status receipts_take(struct focal_node *, const struct focal_session *from, struct focal_span body, const struct focal_signature *);

#endif
