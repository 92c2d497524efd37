/* A session from its first byte to its last.
 *
 *                 handshake done,          handshake done,
 *                 network secret           invitation
 *   HANDSHAKE ───────────────► TALKING       ┌──────────► JOINING
 *       │                        │           │               │  ADMIT: the joiner closes and dials again
 *       └────────────────────────┴─── CLOSED ┴───────────────┘  under the network secret
 *
 * allowed moves: HANDSHAKE → TALKING | JOINING | CLOSED, TALKING → CLOSED, JOINING → CLOSED. */
#include "session.h"

#include <string.h>

bool focal_sync_world(enum focal_status st)
{
    return st == FOCAL_NO_MEMORY || st == FOCAL_DISK_FULL || st == FOCAL_IO || st == FOCAL_DAMAGED;
}

static void move(struct focal_session *s, enum focal_session_state to)
{
    static const bool allowed[4][4] = {
        [FOCAL_SESSION_HANDSHAKE] = { [FOCAL_SESSION_TALKING] = true, [FOCAL_SESSION_JOINING] = true, [FOCAL_SESSION_CLOSED] = true },
        [FOCAL_SESSION_JOINING] = { [FOCAL_SESSION_CLOSED] = true },
        [FOCAL_SESSION_TALKING] = { [FOCAL_SESSION_CLOSED] = true },
    };
    focal_assert(allowed[s->state][to]);
    s->state = to;
    focal_assert(to == FOCAL_SESSION_CLOSED || (s->channel_open && s->far_known));
}

static struct focal_session *open_session(struct focal_sync_host *host, uint64_t link, bool dialled)
{
    struct focal_session *s = focal_alloc(sizeof *s);
    struct session_secrets *secrets = focal_secret_alloc(sizeof *secrets);
    if (!s || !secrets) {
        focal_free(s);
        focal_secret_free(secrets);
        return NULL;
    }
    s->secrets = secrets;
    s->host = host;
    s->link = link;
    s->dialled = dialled;
    s->state = FOCAL_SESSION_HANDSHAKE;
    s->opened_ms = s->heard_ms = s->sent_ms = host->now.mono_ms;
    s->round_trip_ms = -1;
    s->bye = -1;
    s->window_bytes = FOCAL_WINDOW_START_BYTES;
    tip_looks_open(s);
    focal_map_init(&s->logs, sizeof(struct focal_id), host->asks.seed + link);
    focal_map_init(&s->given, 24, host->asks.seed + link);
    return s;
}

struct focal_session *focal_session_dialled(struct focal_sync_host *host, uint64_t link, const struct focal_key *far, const struct focal_psk *psk)
{
    struct focal_session *s = open_session(host, link, true);
    if (!s)
        return NULL;
    s->far = *far;
    s->far_known = true;
    s->secrets->psk = *psk;
    if (handshake_start(s) != FOCAL_OK) {
        focal_session_free(s);
        return NULL;
    }
    return s;
}

struct focal_session *focal_session_accepted(struct focal_sync_host *host, uint64_t link)
{
    struct focal_session *s = open_session(host, link, false);
    if (s) {
        enum focal_status st = handshake_start(s);      /* who listens says nothing yet */
        focal_assert(st == FOCAL_OK);
    }
    return s;
}

void focal_session_free(struct focal_session *s)
{
    if (!s)
        return;
    asks_forget_link(s->host, s->link);
    queue_drop(s);
    size_t at = 0;
    void *value;
    while (focal_map_next(&s->logs, &at, NULL, &value)) {
        fork_free(value);
        focal_free(value);
    }
    focal_map_close(&s->logs);
    focal_map_close(&s->given);
    focal_secret_free(s->secrets);
    focal_free(s);
}

enum focal_status talk_start(struct focal_session *s)
{
    move(s, s->secrets->psk.is_network ? FOCAL_SESSION_TALKING : FOCAL_SESSION_JOINING);
    if (!s->host->ready(s->host->data, s)) {
        focal_session_bye(s, FOCAL_BYE_DUPLICATE);
        return FOCAL_OK;
    }
    if (s->state == FOCAL_SESSION_TALKING)
        return hello_send(s);
    return s->dialled ? join_send(s) : FOCAL_OK;
}

void focal_session_bye(struct focal_session *s, enum focal_bye_reason reason)
{
    if (s->closing)
        return;
    struct focal_message m = { .type = FOCAL_MSG_BYE };
    m.is.bye = (uint8_t)reason;
    if (s->channel_open)
        (void)!queue_message(s, &m);
    s->closing = true;
}

void focal_session_ping(struct focal_session *s)
{
    if (s->state == FOCAL_SESSION_HANDSHAKE || s->closing)
        return;
    struct focal_message m = { .type = FOCAL_MSG_PING };
    m.is.ping = s->host->now.mono_ms;
    if (queue_message(s, &m) == FOCAL_OK) {
        s->ping_sent_ms = s->host->now.mono_ms;
        s->pings++;
#ifdef FOCAL_NEXT_VERSION
        m.type = 64;                /* made up: what today's program skips */
        (void)!queue_message(s, &m);
#endif
    }
}

/* ---- taking in -------------------------------------------------------------------------------------------------- */

static enum focal_status receipt_take(struct focal_session *s, const struct focal_receipt_message *r)
{
    enum focal_status st = s->host->writing(s->host->data);
    if (st == FOCAL_OK)
        st = s->host->receipt(s->host->data, s, r->body, &r->signature);
    if (st == FOCAL_EXISTS || st == FOCAL_NOT_YET)
        return FOCAL_OK;
    return st;
}

static enum focal_status ping_take(struct focal_session *s, uint64_t token)
{
    struct focal_message m = { .type = FOCAL_MSG_PONG };
    m.is.ping = token;
    return queue_message(s, &m);
}

/* Messages that stand in any open channel; FOCAL_MORE: not one of them. */
static enum focal_status take_common(struct focal_session *s, const struct focal_message *m)
{
    switch (m->type) {
    case FOCAL_MSG_PING:
        return ping_take(s, m->is.ping);
    case FOCAL_MSG_PONG:
        s->pongs += s->pongs < s->pings;
        if (m->is.ping <= s->host->now.mono_ms)
            s->round_trip_ms = (int64_t)(s->host->now.mono_ms - m->is.ping);
        return FOCAL_OK;
    case FOCAL_MSG_BYE:
        s->bye = m->is.bye;
        s->closing = true;
        return FOCAL_OK;
    case FOCAL_MSG_PAUSE:
        s->they_pause = m->is.pause;
        return FOCAL_OK;
    default:
        return FOCAL_MORE;
    }
}

static enum focal_status take_talk(struct focal_session *s, const struct focal_message *m, size_t bytes)
{
    if (!s->hello_taken && m->type != FOCAL_MSG_HELLO)
        return FOCAL_NEVER;
    switch (m->type) {
    case FOCAL_MSG_HELLO:     return hello_take(s, &m->is.hello);
    case FOCAL_MSG_SUBJECTS:  return subjects_take(s, &m->is.subjects);
    case FOCAL_MSG_STATEMENT: return statement_take(s, m->is.statement);
    case FOCAL_MSG_FRONTIER:  return frontier_take(s, &m->is.frontier);
    case FOCAL_MSG_WANT:      return want_take(s, &m->is.want);
    case FOCAL_MSG_HEADS:     return heads_take(s, &m->is.heads);
    case FOCAL_MSG_SEGMENT:   return segment_take(s, &m->is.segment, bytes);
    case FOCAL_MSG_CREDIT:    credit_take(s, m->is.credit); return FOCAL_OK;
    case FOCAL_MSG_ACK:       return ack_take(s, &m->is.ack);
    case FOCAL_MSG_RECEIPT:   return receipt_take(s, &m->is.receipt);
    default:                  return FOCAL_NEVER;
    }
}

static enum focal_status take_join(struct focal_session *s, const struct focal_message *m)
{
    if (m->type == FOCAL_MSG_JOIN)
        return join_take(s, &m->is.join);
    if (m->type == FOCAL_MSG_ADMIT && s->dialled) {
        enum focal_status st = s->host->writing(s->host->data);
        if (st == FOCAL_OK)
            st = s->host->admitted(s->host->data, s, m->is.admit.sealed_secret);
        if (st == FOCAL_OK)
            focal_session_bye(s, FOCAL_BYE_CLOSING);
        return st;
    }
    return FOCAL_NEVER;
}

enum focal_status focal_session_frame(struct focal_session *s, struct focal_span frame)
{
    if (s->closing)
        return FOCAL_OK;        /* what still comes behind a BYE is of no interest */
    if (!s->channel_open)
        return handshake_frame(s, frame);

    tip_looks_start(s);
    struct focal_buf plain;
    focal_buf_init(&plain, FOCAL_NOISE_MAX);
    enum focal_status st = focal_channel_unseal(&s->secrets->channel, &plain, frame);
    if (st == FOCAL_OK) {
        s->heard_ms = s->host->now.mono_ms;
        s->bytes_received += frame.len + 8;
        struct focal_message m;
        st = plain.len > FOCAL_FRAME_MAX ? FOCAL_TOO_BIG : focal_message_decode(&m, focal_buf_view(&plain));
        if (st == FOCAL_UNSUPPORTED)
            st = FOCAL_OK;      /* of a later version, and never needed */
        else if (st == FOCAL_OK) {
            st = pause_drops(s, m.type) ? FOCAL_OK : take_common(s, &m);
            if (st == FOCAL_MORE)
                st = s->state == FOCAL_SESSION_TALKING ? take_talk(s, &m, plain.len) : take_join(s, &m);
        }
    }
    focal_buf_close(&plain);
    if (st != FOCAL_OK && !focal_sync_world(st))
        focal_session_bye(s, FOCAL_BYE_FAULT);
    return st;
}

/* ---- handing out ----------------------------------------------------------------------------------------------- */

/* Makes the next message from what is due: acks, credit, announcements, then entries. */
static enum focal_status make_due(struct focal_session *s, struct focal_buf *message, bool *made)
{
    struct focal_message m;
    memset(&m, 0, sizeof m);
    struct focal_buf items;
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    enum focal_status st = FOCAL_OK;
    *made = true;
    if (pause_make(s, &m) || ack_make(s, &m, &items)) {
        if (!items.failed)
            focal_message_encode(message, &m);
    } else if (s->credit_due_bytes >= CREDIT_STEP_BYTES) {
        m.type = FOCAL_MSG_CREDIT;
        m.is.credit = (uint32_t)(s->credit_due_bytes > UINT32_MAX ? UINT32_MAX : s->credit_due_bytes);
        s->credit_due_bytes -= m.is.credit;
        focal_message_encode(message, &m);
    } else if (focal_buf_clear(&items), frontier_announce(s, &m, &items)) {
        focal_message_encode(message, &m);
    } else {
        st = segment_make(s, message, made);
    }
    if (st == FOCAL_OK && (message->failed || items.failed))
        st = FOCAL_NO_MEMORY;
    focal_buf_close(&items);
    return st;
}

enum focal_status focal_session_take(struct focal_session *s, struct focal_buf *frame, bool *taken)
{
    *taken = false;
    const bool talking = s->state == FOCAL_SESSION_TALKING && s->hello_taken && !s->closing;
    enum focal_status st = talking && s->subjects_due && !s->queue_head ? subjects_send(s) : FOCAL_OK;
    if (st != FOCAL_OK)
        return st;
    struct queued *q = queue_take(s);
    if (q && q->raw) {
        focal_buf_bytes(frame, q->bytes, q->len);
        focal_free(q);
        *taken = true;
        return frame->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
    }
    struct focal_buf message;
    focal_buf_init(&message, FOCAL_NOISE_MAX - FOCAL_NOISE_TAG);
    bool made = q != NULL;
    if (q)
        focal_buf_bytes(&message, q->bytes, q->len);
    else if (talking)
        st = make_due(s, &message, &made);
    if (st == FOCAL_OK && made) {
        st = message.failed ? FOCAL_NO_MEMORY : focal_channel_seal(&s->secrets->channel, frame, focal_buf_view(&message));
        *taken = st == FOCAL_OK;
        s->sent_ms = s->host->now.mono_ms;
        s->bytes_sent += frame->len + 8;
    }
    focal_free(q);
    focal_buf_wipe_close(&message);
    if (!*taken && s->closing && s->state != FOCAL_SESSION_CLOSED)
        move(s, FOCAL_SESSION_CLOSED);      /* everything said: the node closes the link */
    return st;
}

/* ---- time ------------------------------------------------------------------------------------------------------------ */

uint64_t focal_session_deadline_ms(const struct focal_session *s)
{
    if (s->state == FOCAL_SESSION_CLOSED)
        return UINT64_MAX;
    if (s->state == FOCAL_SESSION_HANDSHAKE)
        return s->opened_ms + FOCAL_HANDSHAKE_MS;
    uint64_t beat = (s->sent_ms > s->ping_sent_ms ? s->sent_ms : s->ping_sent_ms) + FOCAL_HEARTBEAT_MS, dead = s->heard_ms + FOCAL_DEAD_MS;
    uint64_t next = beat < dead ? beat : dead;
    const bool soon = s->host->asks.count || s->looks_due || s->holes_due;
    return soon && next > s->host->now.mono_ms + 1000 ? s->host->now.mono_ms + 1000 : next;
}

enum focal_status focal_session_tick(struct focal_session *s)
{
    uint64_t now = s->host->now.mono_ms;
    if (s->state == FOCAL_SESSION_CLOSED)
        return FOCAL_OK;
    if (s->state == FOCAL_SESSION_HANDSHAKE)
        return now - s->opened_ms >= FOCAL_HANDSHAKE_MS ? FOCAL_TIMEOUT : FOCAL_OK;
    if (now - s->heard_ms >= FOCAL_DEAD_MS)
        return FOCAL_TIMEOUT;
    if (now - s->opened_ms >= FOCAL_LINK_AGE_MS_MAX || s->bytes_sent + s->bytes_received >= FOCAL_LINK_BYTES_MAX)
        focal_session_bye(s, FOCAL_BYE_CLOSING);
    if (now - s->sent_ms >= FOCAL_HEARTBEAT_MS && now - s->ping_sent_ms >= FOCAL_HEARTBEAT_MS)
        focal_session_ping(s);
    tip_looks_start(s);
    s->looks_due = false;
    size_t at = 0;
    void *value;
    while (s->state == FOCAL_SESSION_TALKING && focal_map_next(&s->logs, &at, NULL, &value)) {
        enum focal_status st = frontier_look_again(s, value);
        if (st == FOCAL_OK)
            st = ask_if_behind(s, value);
        if (st != FOCAL_OK)
            return st;
    }
    holes_give(s);
    return holes_ask(s);
}

/* ---- told by the node -------------------------------------------------------------------------------------------------- */

static enum focal_status ask_blocked(struct focal_session *s)
{
    size_t at = 0;
    void *value;
    enum focal_status st = FOCAL_OK;
    while (st == FOCAL_OK && focal_map_next(&s->logs, &at, NULL, &value)) {
        struct peer_log *p = value;
        if (p->blocked_until_ms == 0)
            continue;
        p->blocked_until_ms = 0;
        st = ask_if_behind(s, p);
    }
    return st;
}

/* An opening may be what other logs waited for; a redaction, what stripped entries did. */
static bool others_may_wait_for(const struct focal_log *log)
{
    return log->scope.cls == FOCAL_SCOPE_CONTROL || log->name.lane == FOCAL_LANE_NOTICES;
}

enum focal_status focal_session_log_changed(struct focal_session *s, const struct focal_log *log)
{
    if (s->state != FOCAL_SESSION_TALKING || s->closing)
        return FOCAL_OK;
    const struct shared_scope *scope = shared_by_id(s, &log->name.scope);
    if (!scope)
        return FOCAL_OK;
    tip_looks_start(s);
    struct peer_log *p = peer_log_make(s, &log->id, &log->name);
    if (!p)
        return FOCAL_NO_MEMORY;
    const struct focal_log *trunk = focal_oplog_log(s->host->oplog, &log->id);
    enum focal_status st = trunk->forked ? fork_enter(s, p) : FOCAL_OK;
    if (st != FOCAL_OK)
        return st;
    if (p->fork) {
        fork_announce(s, p);
        if (others_may_wait_for(log))
            st = ask_blocked(s);
        return st == FOCAL_OK ? fork_ask(s, p) : st;
    }
    bool sending = p->next != 0 && p->next <= p->to;
    uint64_t covered = p->theirs > p->sent ? p->theirs : p->sent;
    const uint64_t tip = focal_log_tip(log)->seq;
    if (sending && p->to > covered)
        covered = p->to;
    if (covered < tip) {
        if (scope->exchanged && covered >= p->head_seen) {
            if (!sending)
                p->next = covered + 1;
            p->to = tip;
        } else if (!FOCAL_PLANTED(TIP_NOT_ANNOUNCED) && !p->announce_due) {
            p->announce_due = true;
            s->announces_due++;
        }
    } else if (p->theirs >= tip) {
        ack_owe(s, p);          /* they had it first, and cannot know that it came here by another way */
    }
    p->head_seen = tip;
    if (others_may_wait_for(log))
        st = ask_blocked(s);
    return st == FOCAL_OK ? ask_if_behind(s, p) : st;
}

enum focal_status focal_session_rights_changed(struct focal_session *s)
{
    if (s->state != FOCAL_SESSION_TALKING)
        return FOCAL_OK;
    tip_looks_start(s);
    if (!FOCAL_PLANTED(RIGHTS_JUDGED_ONCE))
        shared_refresh(s);              /* also of a link that is closing: what waits is still sent */
    if (s->closing)
        return FOCAL_OK;
    enum focal_status st = s->hello_taken ? shared_announce(s) : FOCAL_OK;
    if (st == FOCAL_OK)
        st = ask_blocked(s);
    struct focal_hash set;
    focal_oplog_statements_hash(s->host->oplog, &set);
    if (!s->taking_statement && !focal_hash_equal(&set, &s->subjects_sent_for))
        s->subjects_due = true;
    return st;
}

void focal_session_receipt(struct focal_session *s, const struct focal_hash *scope, struct focal_span body, const struct focal_signature *signature)
{
    if (s->state != FOCAL_SESSION_TALKING || s->closing || !s->hello_taken || !shared_by_id(s, scope))
        return;
    struct focal_message m = { .type = FOCAL_MSG_RECEIPT };
    m.is.receipt.body = body;
    m.is.receipt.signature = *signature;
    (void)!queue_message(s, &m);        /* a lost receipt is made again by the next one that lists the log */
}

/* ---- what it knows --------------------------------------------------------------------------------------------------------- */

enum focal_session_state focal_session_state(const struct focal_session *s) { return s->state; }
uint64_t focal_session_link(const struct focal_session *s) { return s->link; }
bool focal_session_is_dialled(const struct focal_session *s) { return s->dialled; }
bool focal_session_proven(const struct focal_session *s) { return s->channel_open; }
const struct focal_key *focal_session_far(const struct focal_session *s) { return &s->far; }
uint64_t focal_session_invitation(const struct focal_session *s) { return s->secrets->psk.is_network ? 0 : s->secrets->psk.invitation; }
uint64_t focal_session_heard_ms(const struct focal_session *s) { return s->heard_ms; }
uint64_t focal_session_opened_ms(const struct focal_session *s) { return s->opened_ms; }
int64_t focal_session_round_trip_ms(const struct focal_session *s) { return s->round_trip_ms; }
uint64_t focal_session_bytes(const struct focal_session *s, bool sent) { return sent ? s->bytes_sent : s->bytes_received; }
int focal_session_bye_reason(const struct focal_session *s) { return s->bye; }
bool focal_session_named(const struct focal_session *s) { return s->hello_taken; }
const uint8_t *focal_session_epoch(const struct focal_session *s, bool theirs) { return s->epochs[theirs]; }
uint64_t focal_session_named_ms(const struct focal_session *s) { return s->hello_taken_ms; }
bool focal_session_says_veiled(const struct focal_session *s, bool theirs) { return s->veiled[theirs]; }

const struct focal_certificate *focal_session_certificate(const struct focal_session *s)
{
    return s->far_known ? focal_oplog_certificate_by_channel(s->host->oplog, &s->far) : NULL;
}

bool focal_session_shares(const struct focal_session *s, const struct focal_hash *scope)
{
    for (size_t i = 0; i < s->shared_count; i++)
        if (focal_hash_equal(&s->shared[i].id, scope))
            return true;
    return false;
}

void focal_session_lack(const struct focal_session *s, uint64_t *they, uint64_t *we)
{
    *they = *we = 0;
    size_t at = 0;
    void *value;
    while (focal_map_next(&s->logs, &at, NULL, &value)) {
        const struct peer_log *p = value;
        const struct focal_log *log = focal_oplog_log(s->host->oplog, &p->id);
        const uint64_t limit = focal_oplog_limit(s->host->oplog, &p->id, &p->name), theirs = p->theirs < limit ? p->theirs : limit;
        uint64_t ours = log ? focal_log_tip(log)->seq : 0;
        if (!focal_session_shares(s, &p->name.scope))
            continue;
        if (p->fork) {
            for (const struct focal_log *line = NULL; (line = focal_oplog_next_tip(s->host->oplog, &p->id, line)) != NULL;)
                *they += focal_log_tip(line)->seq - fork_holds(s, p, line);
            *we += fork_lack(s, p);
            continue;
        }
        if (ours > theirs)
            *they += ours - theirs;
        else
            *we += theirs - ours;
    }
}

bool focal_session_equal(const struct focal_session *s)
{
    if (s->state != FOCAL_SESSION_TALKING || !s->hello_taken || s->shared_count == 0 || s->names_cut)
        return false;
    for (size_t i = 0; i < s->shared_count; i++)
        if (!s->shared[i].exchanged)
            return false;
    uint64_t they, we;
    focal_session_lack(s, &they, &we);
    return they == 0 && we == 0;
}

bool focal_session_has(const struct focal_session *s, const struct focal_log *line, uint64_t *seq)
{
    const struct peer_log *p = focal_map_get(&s->logs, &line->id);
    if (!p)
        return false;
    const bool trunk = focal_id_equal(&line->id, &line->line);
    *seq = p->fork ? fork_holds(s, p, line) : trunk ? p->theirs : line->base.seq;
    if (!p->fork && p->wanted_from != 0 && p->wanted_from <= *seq)     /* they hold its name, and asked for what it says */
        *seq = p->wanted_from - 1 > line->base.seq ? p->wanted_from - 1 : line->base.seq;
    return true;
}
