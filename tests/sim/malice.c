/* Bad members: a genuine key, a genuine certificate, and their own way with the wire.
 *
 * A bad member runs the honest program; what it wants to say is opened with the link's keys before it leaves, changed, and
 * sealed again, and more is said beside it. So it speaks well enough to be listened to. */
#include "malice.h"

#include <string.h>

enum { EQUIVOCATIONS_MOST = 12 };

static const struct world_malice_row rows[WORLD_MALICES] = {
    [WORLD_HONEST] = { "honest", false, true },
    [WORLD_FLOOD] = { "flood", false, true },
    [WORLD_WITHHOLD] = { "withhold", false, true },
    [WORLD_REPLAY] = { "replay", true, true },
    [WORLD_REPLAY_RAW] = { "replay-frames", true, true },
    [WORLD_GARBAGE] = { "garbage", true, true },
    [WORLD_TRUNCATE] = { "truncate", true, true },
    [WORLD_OVERSIZE] = { "oversize", true, true },
    [WORLD_SLOW] = { "slow", false, true },
    [WORLD_LIE_HIGH] = { "lie-high", false, true },
    [WORLD_LIE_LOW] = { "lie-low", false, true },
    [WORLD_WRONG_SCOPE] = { "wrong-scope", false, true },
    [WORLD_FORGE] = { "forge", true, true },
    [WORLD_STORM] = { "storm", false, true },
    [WORLD_FOREIGN] = { "foreign", true, true },
    [WORLD_EQUIVOCATE] = { "equivocate", false, true },
    [WORLD_STRIP] = { "strip", false, true },
    [WORLD_SEED] = { "strip-then-seed", false, true },
    [WORLD_SHRINK] = { "shrink", false, true },
    [WORLD_GOES_ON] = { "revoked-goes-on", false, true },
    [WORLD_KEEPS_SCOPE] = { "keeps-scope", false, true },
};

const struct world_malice_row *world_malice_row(enum world_malice kind) { return &rows[kind]; }

void world_malicious(struct world *w, int i, enum world_malice kind)
{
    struct sim_node *n = &w->nodes[i];
    if (kind == WORLD_HONEST)
        return;
    if (!n->malice)
        n->malice = focal_alloc(sizeof *n->malice);
    focal_assert(n->malice);
    n->malice->kind = kind;
}

uint64_t world_malice_done(const struct world *w, int i) { return w->nodes[i].malice ? w->nodes[i].malice->done : 0; }

void sim_malice_free(struct malice *m) { focal_free(m); }

uint64_t sim_malice_delay_ms(struct world *w, const struct sim_node *n)
{
    if (!n->malice || n->malice->kind != WORLD_SLOW)
        return 0;
    n->malice->done++;
    return 5000 + world_random(w, 20000);
}

/* ---- saying ------------------------------------------------------------------------------------------------------ */

/* In the place of what the program said: under the same number of the channel. */
static void instead(struct saying *s, struct focal_span plain)
{
    struct focal_channel again = *s->before;
    s->m->done++;
    focal_buf_clear(s->frame);
    focal_assert(focal_channel_seal(&again, s->frame, plain) == FOCAL_OK);
}

/* Beside it, after it. */
static void more(struct saying *s, struct focal_span plain)
{
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    s->m->done++;
    /* What is said beside a frame goes before it on the link: so the frame that stands is put there first. */
    focal_assert(focal_channel_seal(&s->at.inner->session->secrets->channel, &frame, plain) == FOCAL_OK);
    sim_put(s->w, s->l, 1 - s->end, focal_buf_view(s->frame), s->w->now_ms + s->w->network.delay_most_ms);
    focal_buf_clear(s->frame);
    focal_buf_span(s->frame, focal_buf_view(&frame));
    focal_buf_close(&frame);
}

void malice_say(struct saying *s, const struct focal_message *m)
{
    struct focal_buf plain;
    focal_buf_init(&plain, FOCAL_FRAME_MAX);
    focal_message_encode(&plain, m);
    if (!plain.failed)
        more(s, focal_buf_view(&plain));
    focal_buf_close(&plain);
}

static void say_random(struct saying *s, size_t len, bool beside)
{
    struct focal_buf plain;
    focal_buf_init(&plain, FOCAL_NOISE_MAX);
    uint8_t *at = focal_buf_reserve(&plain, len);
    focal_assert(at);
    sim_entropy(s->w, at, len);
    if (beside)
        more(s, focal_buf_view(&plain));
    else
        instead(s, focal_buf_view(&plain));
    focal_buf_close(&plain);
}

struct focal_oplog *malice_oplog(const struct saying *s) { return focal_node_oplog(s->at.node); }

/* ---- lies about heads ------------------------------------------------------------------------------------------------ */

static void lie_frontier(struct saying *s, const struct focal_frontier *f, bool high)
{
    struct focal_buf items, plain;
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    focal_buf_init(&plain, FOCAL_FRAME_MAX);
    struct focal_frontier_item item;
    size_t offset = 0;
    while (focal_frontier_next(f, &offset, &item)) {
        for (size_t k = 0; k < item.tip_count; k++) {
            uint64_t seq = item.tips[k].seq;
            item.tips[k].seq = high ? seq + 1 + world_random(s->w, 100000) : seq / 2;
            sim_entropy(s->w, item.tips[k].keyed, sizeof item.tips[k].keyed);
        }
        focal_frontier_put(&items, &item);
    }
    struct focal_message m = { .type = FOCAL_MSG_FRONTIER };
    m.is.frontier = *f;
    m.is.frontier.items = focal_buf_view(&items);
    focal_message_encode(&plain, &m);
    if (!plain.failed)
        instead(s, focal_buf_view(&plain));
    focal_buf_close(&items);
    focal_buf_close(&plain);
}

static void lie_ack(struct saying *s, const struct focal_ack *ack, bool high)
{
    struct focal_buf items, plain;
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    focal_buf_init(&plain, FOCAL_FRAME_MAX);
    for (size_t i = 0; i < ack->count; i++) {
        struct focal_ack_item item;
        focal_ack_get(&item, ack, i);
        item.seq = high ? item.seq + 1 + world_random(s->w, 1000) : item.seq / 2 + 1;
        focal_ack_put(&items, &item);
    }
    struct focal_message m = { .type = FOCAL_MSG_ACK };
    m.is.ack.count = ack->count;
    m.is.ack.items = focal_buf_view(&items);
    focal_message_encode(&plain, &m);
    if (!plain.failed)
        instead(s, focal_buf_view(&plain));
    focal_buf_close(&items);
    focal_buf_close(&plain);
}

static void lie(struct saying *s, bool high)
{
    struct focal_message m;
    if (focal_message_decode(&m, s->plain) != FOCAL_OK)
        return;
    if (m.type == FOCAL_MSG_FRONTIER)
        lie_frontier(s, &m.is.frontier, high);
    else if (m.type == FOCAL_MSG_ACK)
        lie_ack(s, &m.is.ack, high);
}

/* ---- what is not its own -------------------------------------------------------------------------------------------------- */

/* Entries of others are announced and never sent: what goes instead says nothing. */
static void withhold(struct saying *s)
{
    struct focal_message m, ping = { .type = FOCAL_MSG_PING };
    if (focal_message_decode(&m, s->plain) != FOCAL_OK || m.type != FOCAL_MSG_SEGMENT)
        return;
    const struct focal_log *log = focal_oplog_log(malice_oplog(s), &m.is.segment.log);
    if (log && log->mine)
        return;
    struct focal_buf plain;
    focal_buf_init(&plain, 64);
    focal_message_encode(&plain, &ping);
    instead(s, focal_buf_view(&plain));
    focal_buf_close(&plain);
}

struct focal_tip malice_say_made(struct saying *s, const struct focal_id *log, const struct focal_tip *before, const struct focal_header *made, struct focal_span payload)
{
    struct focal_buf header, packed;
    focal_buf_init(&header, FOCAL_ENTRY_MAX);
    focal_buf_init(&packed, FOCAL_SEGMENT_PACKED_MAX);
    struct focal_tip tip = { .seq = before->seq + 1 };
    focal_header_encode(&header, made);
    struct focal_hash c;
    struct focal_stretch_entry entry = { .header = focal_buf_view(&header), .has_payload = true, .payload = payload };
    struct focal_salt_run run = { .first = tip.seq, .last = tip.seq, .has_seed = true };
    struct focal_stretch stretch = { .first = tip.seq, .count = 1, .entries = &entry, .runs = &run, .run_count = 1 };
    uint8_t salt[FOCAL_SALT_BYTES];
    sim_entropy(s->w, run.seed, sizeof run.seed);
    focal_salt_from_seed(salt, run.seed, tip.seq);
    focal_commitment(&c, salt, payload);
    focal_chain_next(&tip.h, &before->h, log, focal_buf_view(&header), &c);
    struct focal_packer *packer = focal_packer_open();
    struct focal_message m = { .type = FOCAL_MSG_SEGMENT };
    focal_assert(packer && focal_stretch_pack(packer, &packed, &stretch) == FOCAL_OK);
    m.is.segment.log = *log;
    memcpy(m.is.segment.before, before->h.b, 8);
    m.is.segment.is_signed = true;
    focal_sign_head(&m.is.segment.signature, s->w->nodes[s->l->node[s->end]].keys.sign_secret, &s->w->network_id, log, &tip);
    m.is.segment.packed = focal_buf_view(&packed);
    malice_say(s, &m);
    focal_packer_close(packer);
    focal_buf_close(&header);
    focal_buf_close(&packed);
    return tip;
}

struct focal_tip malice_say_entry(struct saying *s, const struct focal_id *log, const struct focal_tip *before)
{
    struct focal_buf payload;
    const struct focal_hash none = { { 0 } };
    const struct focal_span home = focal_span_of(none.b, sizeof none.b);
    const struct focal_header header = { .shape = FOCAL_SHAPE_ORDINARY, .seq = before->seq + 1, .creates = true };
    focal_buf_init(&payload, FOCAL_ENTRY_MAX);
    focal_payload_encode(&payload, FOCAL_KIND_CASE, &home, NULL, NULL, 0);
    const struct focal_tip tip = malice_say_made(s, log, before, &header, focal_buf_view(&payload));
    focal_buf_close(&payload);
    return tip;
}

/* The next entry of another's log. */
static void forge(struct saying *s)
{
    struct focal_oplog *ol = malice_oplog(s);
    size_t count = focal_oplog_log_count(ol);
    const struct focal_log *log = count ? focal_oplog_log_at(ol, (size_t)world_random(s->w, count)) : NULL;
    if (log && !log->mine && log->head.seq > 0 && log->scope.cls == FOCAL_SCOPE_NETWORK)
        (void)malice_say_entry(s, &log->id, &log->head);
}

/* A second entry under the last sequence of its own log. */
static void equivocate(struct saying *s)
{
    struct focal_oplog *ol = malice_oplog(s);
    for (size_t i = 0; i < focal_oplog_log_count(ol) && s->m->done < EQUIVOCATIONS_MOST; i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        if (!log->mine || log->head.seq < 3 || log->base.seq > 0 || log->scope.cls != FOCAL_SCOPE_NETWORK)
            continue;
        struct focal_tip before = { .seq = log->head.seq - 1 };
        if (focal_oplog_hash_on(ol, log, before.seq, &before.h) == FOCAL_OK)
            (void)malice_say_entry(s, &log->id, &before);
        return;
    }
}

/* The same entries without their payloads, though nobody has redacted them; after: then whole, with the seed of their salts. */
static void strip(struct saying *s, bool after)
{
    struct focal_message m;
    struct focal_stretch stretch;
    struct focal_arena arena;
    struct focal_buf packed, plain;
    if (focal_message_decode(&m, s->plain) != FOCAL_OK || m.type != FOCAL_MSG_SEGMENT)
        return;
    const struct focal_log *log = focal_oplog_log(malice_oplog(s), &m.is.segment.log);
    if (!log || log->scope.cls == FOCAL_SCOPE_CONTROL)
        return;                         /* what can never be redacted is never without payload: that would be its fault */
    focal_arena_init(&arena, 16u << 20);
    focal_buf_init(&packed, FOCAL_SEGMENT_PACKED_MAX);
    focal_buf_init(&plain, FOCAL_FRAME_MAX);
    struct focal_packer *packer = focal_packer_open();
    focal_assert(packer && focal_stretch_unpack(packer, &stretch, &arena, m.is.segment.packed) == FOCAL_OK);
    for (size_t i = 0; i < stretch.count; i++) {
        uint8_t salt[FOCAL_SALT_BYTES];
        if (!focal_stretch_salt(&stretch, i, salt, focal_salt_from_seed))
            continue;
        focal_commitment(&stretch.entries[i].c, salt, stretch.entries[i].payload);
    }
    for (size_t i = 0; i < stretch.count; i++)
        stretch.entries[i].has_payload = false;
    stretch.run_count = 0;
    /* A log's beginning can never be redacted either. */
    if (stretch.first > 1 && focal_stretch_pack(packer, &packed, &stretch) == FOCAL_OK) {
        m.is.segment.packed = focal_buf_view(&packed);
        focal_message_encode(&plain, &m);
        instead(s, focal_buf_view(&plain));
        if (after)
            more(s, s->plain);
    }
    focal_packer_close(packer);
    focal_buf_close(&packed);
    focal_buf_close(&plain);
    focal_arena_close(&arena);
}

/* A log of its country, announced under a tag and sent to who does not read it. */
static void wrong_scope(struct saying *s)
{
    struct focal_oplog *ol = malice_oplog(s);
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        if (log->scope.cls != FOCAL_SCOPE_COUNTRY || log->head.seq == 0 || sim_reads(s->w, s->l->node[1 - s->end], &log->scope))
            continue;
        struct focal_buf bytes;
        struct focal_piece piece;
        struct focal_message m = { .type = FOCAL_MSG_FRONTIER };
        struct focal_frontier_item item = { .author = log->name.author, .epoch = log->name.epoch, .lane = log->name.lane, .tip_count = 1 };
        item.tips[0].seq = log->head.seq;
        focal_buf_init(&bytes, FOCAL_FRAME_MAX);
        focal_frontier_put(&bytes, &item);
        keyed_hash(s->at.inner->session, m.is.frontier.tag, &log->name.scope);
        m.is.frontier.tag[0] &= 0x7f;
        m.is.frontier.last = true;
        m.is.frontier.items = focal_buf_view(&bytes);
        malice_say(s, &m);
        focal_buf_clear(&bytes);
        if (focal_oplog_read(ol, log, 1, FOCAL_SEGMENT_PACKED_MAX, &piece, &bytes) == FOCAL_OK) {
            m = (struct focal_message){ .type = FOCAL_MSG_SEGMENT };
            m.is.segment.log = log->id;
            memcpy(m.is.segment.before, piece.before, 8);
            m.is.segment.is_signed = piece.is_signed;
            m.is.segment.signature = piece.signature;
            m.is.segment.packed = focal_buf_view(&bytes);
            malice_say(s, &m);
        }
        focal_buf_close(&bytes);
        return;
    }
}

/* A membership that another authority signed. */
static void foreign(struct saying *s)
{
    struct focal_sign_key other;
    struct focal_node_keys keys;
    struct focal_public_keys public;
    uint8_t random[128];
    sim_entropy(s->w, random, sizeof random);
    focal_sign_key_make(&other, random);
    focal_node_keys_make(&keys, random + 32);
    focal_node_keys_public(&public, &keys);
    struct focal_buf statement;
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    sim_certify(s->w, &statement, &other, "EVIL", FOCAL_ROLE_HQ, &public, NULL, 0, 0);
    struct focal_message m = { .type = FOCAL_MSG_STATEMENT };
    m.is.statement = focal_buf_view(&statement);
    malice_say(s, &m);
    focal_buf_close(&statement);
}

/* ---- too much -------------------------------------------------------------------------------------------------------------- */

static void flood(struct saying *s)
{
    struct focal_message m = { .type = FOCAL_MSG_PING };
    for (int k = 0; k < 20; k++) {
        m.is.ping = world_random(s->w, UINT64_MAX);
        malice_say(s, &m);
    }
}

static void storm(struct saying *s)
{
    struct focal_oplog *ol = malice_oplog(s);
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        struct focal_message m = { .type = FOCAL_MSG_WANT };
        m.is.want.log = log->id;
        m.is.want.from = 1;
        m.is.want.to.seq = log->head.seq + 1;
        malice_say(s, &m);
        malice_say(s, &m);
    }
}

static void replay(struct saying *s)
{
    struct malice *m = s->m;
    if (m->said_count) {
        size_t at = (size_t)world_random(s->w, m->said_count < MALICE_KEPT ? m->said_count : MALICE_KEPT);
        more(s, focal_span_of(m->said[at].bytes, m->said[at].len));
    }
    if (s->plain.len <= MALICE_KEPT_BYTES) {
        size_t at = m->said_count++ % MALICE_KEPT;
        m->said[at].len = s->plain.len;
        memcpy(m->said[at].bytes, s->plain.data, s->plain.len);
    }
}

/* The sealed bytes themselves, again, on whatever link. */
static void replay_frames(struct saying *s)
{
    struct malice *m = s->m;
    if (s->frame->len <= MALICE_KEPT_BYTES) {
        size_t at = m->frame_count++ % MALICE_KEPT;
        m->frames[at].len = s->frame->len;
        memcpy(m->frames[at].bytes, s->frame->data, s->frame->len);
    }
    if (m->frame_count > 2 && m->turn % 5 == 0) {
        size_t at = (size_t)world_random(s->w, m->frame_count < MALICE_KEPT ? m->frame_count : MALICE_KEPT);
        m->done++;
        sim_put(s->w, s->l, 1 - s->end, focal_span_of(m->frames[at].bytes, m->frames[at].len), s->w->now_ms);
    }
}

void sim_twist(struct world *w, struct sim_link *l, int end, const void *channel_before, struct focal_span plain, struct focal_buf *frame)
{
    struct focal_node *node = w->nodes[l->node[end]].node;
    struct saying s = { .w = w, .m = w->nodes[l->node[end]].malice, .l = l, .end = end, .before = channel_before, .plain = plain, .frame = frame,
                        .at = { node, link_find(node, l->id[end]) } };
    bool now_and_then = s.m->turn++ % 6 == 3;
    if (!s.at.inner || s.at.inner->session->state != FOCAL_SESSION_TALKING)
        return;
    switch (s.m->kind) {
    case WORLD_WITHHOLD: withhold(&s); break;
    case WORLD_REPLAY: replay(&s); break;
    case WORLD_REPLAY_RAW: replay_frames(&s); break;
    case WORLD_GARBAGE: if (now_and_then) say_random(&s, 1 + (size_t)world_random(w, 600), world_random(w, 2) != 0); break;
    case WORLD_TRUNCATE: if (now_and_then) instead(&s, focal_span_of(plain.data, (size_t)world_random(w, plain.len))); break;
    case WORLD_OVERSIZE: if (now_and_then) say_random(&s, FOCAL_FRAME_MAX + 1 + (size_t)world_random(w, 40000), true); break;
    case WORLD_LIE_HIGH: lie(&s, true); break;
    case WORLD_LIE_LOW: lie(&s, false); break;
    case WORLD_WRONG_SCOPE: if (now_and_then) wrong_scope(&s); break;
    case WORLD_FORGE: if (now_and_then) forge(&s); break;
    case WORLD_STORM: if (now_and_then) storm(&s); break;
    case WORLD_FOREIGN: if (now_and_then) foreign(&s); break;
    case WORLD_EQUIVOCATE: if (now_and_then) equivocate(&s); break;
    case WORLD_STRIP: strip(&s, false); break;
    case WORLD_SEED: strip(&s, true); break;
    case WORLD_GOES_ON: malice_remember(&s); if (now_and_then) malice_goes_on(&s); break;
    case WORLD_KEEPS_SCOPE: malice_remember(&s); if (now_and_then) malice_keeps_scope(&s); break;
    case WORLD_FLOOD: if (now_and_then) flood(&s); break;
    default: break;
    }
}
