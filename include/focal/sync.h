/* sync: one conversation with one peer over one link: handshake, hello, statements, frontiers, segments, receipts.
 *
 * Pure: bytes and time come in, bytes go out; the oplog is called. A session never decides what an entry means.
 * Not here: sockets, whom to dial, back-off between links (node).
 * Failing: a status of focal_sync_world (disk, memory) fails the whole step; any other failure is the peer's and costs it
 * the link, nothing else.
 * Memory: a session belongs to who opened it. Threads: one. Source: PROTOCOL §8, §9. */
#ifndef FOCAL_SYNC_H
#define FOCAL_SYNC_H

#include "focal/crypto.h"
#include "focal/oplog.h"
#include "focal/wire.h"

struct focal_session;

/* Times in ms; derived from PROTOCOL §8. */
enum {
    FOCAL_HEARTBEAT_MS = 20000,         /* a ping after this long without having sent anything */
    FOCAL_DEAD_MS = 60000,              /* the link is dead after this long without an authenticated byte */
    FOCAL_HANDSHAKE_MS = 30000,
    FOCAL_LINK_AGE_MS_MAX = 6 * 3600 * 1000,    /* then a new connection, for new keys */
    FOCAL_ASK_STALE_MS = 10000,         /* a peer that sent nothing asked of it for so long: ask the next one too */
    FOCAL_ASK_RANGE_STALE_MS = 60000,   /* or none of this range for so long */
    FOCAL_ASK_HEAD_STALE_MS = 600000,   /* or nothing signed of it for so long */
    FOCAL_WINDOW_START_BYTES = 64 * 1024,
    FOCAL_WINDOW_MAX_BYTES = 1024 * 1024,
    FOCAL_INVITATIONS_MAX = 64,         /* candidates tried beside the network secret */
};
#define FOCAL_LINK_BYTES_MAX ((uint64_t)4 << 30)

/* Which psk opened the link. */
struct focal_psk { uint8_t key[32]; bool is_network; uint64_t invitation; };

/* What a session needs of its node. Every call comes from inside focal_session_* on the node's thread. */
struct focal_sync_host {
    void *data;
    struct focal_oplog *oplog;
    const struct focal_node_keys *keys;
    const struct focal_entropy *entropy;
    const struct focal_trace *trace;
    struct focal_now now;               /* of the step under way */
    /* Our disk is nearly full: peers are told to pause, and of what still comes only notices and control are taken in. With
     * strict not even these, nor anything else that would be written. */
    bool pause, pause_strict;
    struct focal_map asks;              /* log id -> struct ask: ranges asked of some peer, node-wide (src/sync/asks.c) */
    /* Begins the step's transaction if it has not begun. */
    enum focal_status (*writing)(void *data);
    /* psks to try for an accepted link with this static key, at most room; gives the number. */
    size_t (*candidates)(void *data, const struct focal_key *channel, struct focal_psk *out, size_t room);
    /* The handshake is done. False: close it (a paused office). */
    bool (*ready)(void *data, struct focal_session *);
    /* Their HELLO has come: the session has its name now. False: close it (a duplicate). */
    bool (*named)(void *data, struct focal_session *);
    /* Listener: a JOIN whose signature is good, under this invitation. sealed: when the key is admitted already, the sealed
     * network secret is appended, to be sent as ADMIT. */
    enum focal_status (*joined)(void *data, struct focal_session *, uint64_t invitation, const struct focal_public_keys *, struct focal_buf *sealed);
    /* Joiner: the sealed network secret has come. */
    enum focal_status (*admitted)(void *data, struct focal_session *, struct focal_span sealed);
    void (*statements_changed)(void *data, struct focal_session *from);
    /* A receipt, to be taken in: as focal_oplog_take_receipt. */
    enum focal_status (*receipt)(void *data, struct focal_session *from, struct focal_span body, const struct focal_signature *);
    /* Its membership has expired: what it sends is taken in, and it is given statements, receipts and what it wrote itself, but no
     * entries of others. NULL: nobody's has. */
    bool (*expired)(void *data, const struct focal_certificate *);
};
void focal_sync_host_init(struct focal_sync_host *, uint64_t map_seed);
void focal_sync_host_close(struct focal_sync_host *);

/* Disk, memory, our own store: fails the step. Anything else that a session call gives is the peer's fault. */
bool focal_sync_world(enum focal_status);

enum focal_session_state { FOCAL_SESSION_HANDSHAKE, FOCAL_SESSION_JOINING, FOCAL_SESSION_TALKING, FOCAL_SESSION_CLOSED };

/* dialled: far is the listener's channel key and psk the one to use. NULL: no memory. */
struct focal_session *focal_session_dialled(struct focal_sync_host *, uint64_t link, const struct focal_key *far, const struct focal_psk *);
struct focal_session *focal_session_accepted(struct focal_sync_host *, uint64_t link);
void focal_session_free(struct focal_session *);

/* One frame of the link. Not OK: close the link (after what focal_session_take still gives, if it is not FAULT). */
FOCAL_MUST_USE enum focal_status focal_session_frame(struct focal_session *, struct focal_span frame);
/* The next frame for the stream, encrypted now; false when there is none. Never call it inside a step. */
FOCAL_MUST_USE enum focal_status focal_session_take(struct focal_session *, struct focal_buf *frame, bool *taken);
/* Timers. TIMEOUT: dead or too old, close it. */
FOCAL_MUST_USE enum focal_status focal_session_tick(struct focal_session *);
uint64_t focal_session_deadline_ms(const struct focal_session *);
void focal_session_bye(struct focal_session *, enum focal_bye_reason);        /* says BYE, then closes */

/* The node tells every session. */
FOCAL_MUST_USE enum focal_status focal_session_log_changed(struct focal_session *, const struct focal_log *);
FOCAL_MUST_USE enum focal_status focal_session_rights_changed(struct focal_session *);
/* host.pause is over: asks for all that was passed over. */
FOCAL_MUST_USE enum focal_status focal_session_resume(struct focal_session *);
void focal_session_receipt(struct focal_session *, const struct focal_hash *scope, struct focal_span body, const struct focal_signature *);
void focal_session_admit(struct focal_session *, struct focal_span sealed_secret);
void focal_session_ping(struct focal_session *);

/* What it knows. */
enum focal_session_state focal_session_state(const struct focal_session *);
uint64_t focal_session_link(const struct focal_session *);
bool focal_session_is_dialled(const struct focal_session *);
bool focal_session_proven(const struct focal_session *);                      /* handshake done */
const struct focal_key *focal_session_far(const struct focal_session *);      /* channel key; zero until known */
uint64_t focal_session_invitation(const struct focal_session *);              /* 0: under the network secret */
/* A session is named by the keys of both ends and the epochs in their HELLOs (first 8 bytes, 0 if none), for its life. */
bool focal_session_named(const struct focal_session *);                       /* their HELLO has come */
const uint8_t *focal_session_epoch(const struct focal_session *, bool theirs);
uint64_t focal_session_named_ms(const struct focal_session *);                /* when it came */
const struct focal_certificate *focal_session_certificate(const struct focal_session *);    /* NULL: none held */
bool focal_session_shares(const struct focal_session *, const struct focal_hash *scope);
bool focal_session_equal(const struct focal_session *);                       /* all shared scopes known equal or caught up */
uint64_t focal_session_heard_ms(const struct focal_session *);                /* mono time of the last authenticated byte */
uint64_t focal_session_opened_ms(const struct focal_session *);
/* Entries of shared scopes they lack, as far as they told us; and that we lack of what they announced. */
void focal_session_lack(const struct focal_session *, uint64_t *they, uint64_t *we);
bool focal_session_has(const struct focal_session *, const struct focal_log *line, uint64_t *seq);      /* false: not known */
int64_t focal_session_round_trip_ms(const struct focal_session *);            /* of the last ping answered; -1 unknown */
uint64_t focal_session_bytes(const struct focal_session *, bool sent);        /* frames with tags and 8 bytes of framing, since the handshake */
/* They are not veiled, and all that they had at HELLO of statements, of control and of the notices of this scope is here. */
bool focal_session_told_notices(const struct focal_session *, const struct focal_hash *scope);
bool focal_session_says_veiled(const struct focal_session *, bool theirs);    /* what HELLO said: theirs, or ours */
bool focal_session_they_pause(const struct focal_session *);                  /* they take nothing but notices and control */
/* Peer's BYE, if it said one: -1 none. */
int focal_session_bye_reason(const struct focal_session *);

#endif
