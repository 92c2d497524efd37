/* Members from which the authority took everything, or a scope, and which go on as if nothing had been said. Their program would
 * stop and erase: so they remember what they held, and speak by hand. */
#include "malice.h"

#include <string.h>

static struct malice_log *remembered(struct malice *m, const struct focal_log *log)
{
    for (size_t i = 0; i < m->log_count; i++)
        if (focal_id_equal(&m->logs[i].id, &log->id))
            return &m->logs[i];
    if (m->log_count == MALICE_LOGS)
        return NULL;
    m->logs[m->log_count] = (struct malice_log){ .id = log->id, .name = log->name, .scope = log->scope, .mine = log->mine };
    return &m->logs[m->log_count++];
}

static void remember_piece(struct focal_oplog *ol, const struct focal_log *log, struct malice_log *at)
{
    struct focal_buf bytes;
    struct focal_piece piece;
    focal_buf_init(&bytes, FOCAL_FRAME_MAX);
    if (focal_oplog_read(ol, log, 1, MALICE_PIECE_BYTES, &piece, &bytes) == FOCAL_OK && bytes.len <= MALICE_PIECE_BYTES) {
        memcpy(at->piece, bytes.data, bytes.len);
        memcpy(at->before, piece.before, sizeof at->before);
        at->piece_len = bytes.len;
        at->is_signed = piece.is_signed;
        at->signature = piece.signature;
    }
    focal_buf_close(&bytes);
}

/* Trunks as they are held now; what is held no more is remembered as it was. */
void malice_remember(struct saying *s)
{
    struct focal_oplog *ol = malice_oplog(s);
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        struct malice_log *at = log->head.seq > 0 && focal_id_equal(&log->id, &log->line) ? remembered(s->m, log) : NULL;
        if (!at || log->head.seq <= at->head.seq)
            continue;
        at->head = at->on = log->head;
        remember_piece(ol, log, at);
    }
}

/* Under the tag of its scope, whether or not the other end shares it: then what follows is not of a log that nobody named. */
static void name(struct saying *s, const struct malice_log *log, uint64_t seq)
{
    struct focal_buf items;
    struct focal_message m = { .type = FOCAL_MSG_FRONTIER };
    struct focal_frontier_item item = { .author = log->name.author, .epoch = log->name.epoch, .lane = log->name.lane, .tip_count = 1 };
    item.tips[0].seq = seq;
    keyed_hash(s->at.inner->session, item.tips[0].keyed, &log->on.h);
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    focal_frontier_put(&items, &item);
    keyed_hash(s->at.inner->session, m.is.frontier.tag, &log->name.scope);
    m.is.frontier.tag[0] &= 0x7f;
    m.is.frontier.last = true;
    m.is.frontier.items = focal_buf_view(&items);
    malice_say(s, &m);
    focal_buf_close(&items);
}

static void ask(struct saying *s, const struct malice_log *log)
{
    struct focal_message m = { .type = FOCAL_MSG_WANT };
    m.is.want.log = log->id;
    m.is.want.from = 1 + world_random(s->w, log->head.seq);
    m.is.want.to.seq = log->head.seq + world_random(s->w, 3);
    keyed_hash(s->at.inner->session, m.is.want.to.keyed, &log->head.h);
    malice_say(s, &m);
    struct focal_buf none;
    focal_buf_init(&none, 64);
    m = (struct focal_message){ .type = FOCAL_MSG_HEADS };
    m.is.heads.log = log->id;
    m.is.heads.to.seq = log->head.seq;
    keyed_hash(s->at.inner->session, m.is.heads.to.keyed, &log->head.h);
    m.is.heads.items = focal_buf_view(&none);
    malice_say(s, &m);
    focal_buf_close(&none);
}

static void send_what_was_held(struct saying *s, const struct malice_log *log)
{
    struct focal_message m = { .type = FOCAL_MSG_SEGMENT };
    if (log->piece_len == 0)
        return;
    name(s, log, log->head.seq);
    m.is.segment.log = log->id;
    memcpy(m.is.segment.before, log->before, sizeof log->before);
    m.is.segment.is_signed = log->is_signed;
    m.is.segment.signature = log->signature;
    m.is.segment.packed = focal_span_of(log->piece, log->piece_len);
    malice_say(s, &m);
}

/* Behind the head, and on and on. */
static void write_on(struct saying *s, struct malice_log *log)
{
    name(s, log, log->on.seq + 1);
    log->on = malice_say_entry(s, &log->id, &log->on);
}

/* Beside what the authority left: behind an entry below the head. */
static void write_aside(struct saying *s, struct malice_log *log)
{
    struct focal_oplog *ol = malice_oplog(s);
    const struct focal_log *held = focal_oplog_log(ol, &log->id);
    struct focal_tip before = { .seq = 1 + world_random(s->w, log->head.seq) };
    if (!held || before.seq > held->head.seq || focal_oplog_hash_on(ol, held, before.seq, &before.h) != FOCAL_OK)
        return;
    name(s, log, before.seq + 1);
    const struct focal_tip made = malice_say_entry(s, &log->id, &before);
    if (world_random(s->w, 2))
        log->on = made;
}

/* An epoch that its certificate allows, and a log in it. */
static void open_epoch(struct saying *s, const struct malice_log *like)
{
    static const uint8_t nothing = 0;
    struct malice_log control = { .name = like->name }, data = { .name = like->name };
    struct focal_scope scope = { .cls = FOCAL_SCOPE_CONTROL, .country = "" };
    struct focal_buf payload;
    const uint8_t number = (uint8_t)(100 + s->m->openings++ % 20);
    focal_scope_id(&control.name.scope, &s->w->network_id, &scope);
    sim_entropy(s->w, control.name.epoch.b, sizeof control.name.epoch.b);
    data.name.epoch = control.name.epoch;
    control.name.lane = FOCAL_LANE_DATA;
    const struct focal_item items[] = {
        { .field = FOCAL_OPENING_NUMBER, .value = focal_span_of(&number, 1) },
        { .field = FOCAL_OPENING_AUTHOR, .value = focal_span_of(control.name.author.b, sizeof control.name.author.b) },
        { .field = FOCAL_OPENING_EPOCH, .value = focal_span_of(control.name.epoch.b, sizeof control.name.epoch.b) },
    };
    focal_buf_init(&payload, 1024);
    focal_payload_encode(&payload, FOCAL_KIND_OPENING, NULL, NULL, items, 3);
    const struct focal_header begin = { .shape = FOCAL_SHAPE_BEGIN, .seq = 1 };
    focal_log_id(&control.id, &s->w->network_id, &control.name);
    focal_log_id(&data.id, &s->w->network_id, &data.name);
    focal_chain_start(&control.on.h, &control.id);
    focal_chain_start(&data.on.h, &data.id);
    name(s, &control, 1);
    (void)malice_say_made(s, &control.id, &control.on, &begin, focal_buf_view(&payload));
    name(s, &data, 2);
    data.on = malice_say_made(s, &data.id, &data.on, &begin, focal_span_of(&nothing, 1));
    (void)malice_say_entry(s, &data.id, &data.on);
    focal_buf_close(&payload);
}

static struct malice_log *any(struct saying *s, bool mine, bool country)
{
    for (int tries = 0; tries < 20 && s->m->log_count > 0; tries++) {
        struct malice_log *log = &s->m->logs[world_random(s->w, s->m->log_count)];
        if ((!mine || log->mine) && (!country || log->scope.cls == FOCAL_SCOPE_COUNTRY))
            return log;
    }
    return NULL;
}

void malice_goes_on(struct saying *s)
{
    struct malice_log *log = any(s, world_random(s->w, 3) != 0, false);
    if (!log || !s->w->nodes[s->l->node[s->end]].cut)
        return;
    switch (world_random(s->w, 5)) {
    case 0: ask(s, log); break;
    case 1: send_what_was_held(s, log); break;
    case 2: if (log->mine) write_aside(s, log); break;
    case 3: if (log->mine) open_epoch(s, log); break;
    default: if (log->mine) write_on(s, log); break;
    }
}

void malice_keeps_scope(struct saying *s)
{
    struct malice_log *log = any(s, false, true);
    if (!log || s->w->nodes[s->l->node[s->end]].lost_count == 0)
        return;
    switch (world_random(s->w, 4)) {
    case 0: ask(s, log); break;
    case 1: if (log->mine) write_on(s, log); break;
    case 2: name(s, log, log->head.seq + world_random(s->w, 1000)); break;
    default: send_what_was_held(s, log); break;
    }
}
