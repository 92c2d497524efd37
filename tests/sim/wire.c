/* Looks into every frame before it leaves, with the keys that seal it: nothing of a country goes to who does not read it,
 * nothing goes unsealed, and who blames whom is known. Here too a bad node changes what its honest program wanted to say. */
#include "inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/inner.h"
#include "sync/session.h"

/* By what the sender itself knows. */
static bool may_hear(struct world *w, int from, int to, const struct focal_scope *scope)
{
    const struct focal_oplog *ol = focal_node_oplog(w->nodes[from].node);
    struct focal_office office;
    focal_assert(focal_office_parse(&office, focal_span_text(w->nodes[to].code)));
    return focal_oplog_may_read(ol, focal_oplog_certificate(ol, &office), scope) && focal_oplog_may_read(ol, focal_oplog_mine(ol), scope);
}

static void look_scope(struct world *w, int from, int to, const struct focal_scope *scope, const char *what)
{
    char name[16];
    if (scope && !sim_read_once(w, to, scope)) {
        focal_scope_print(name, scope);
        sim_fail(w, "%s sends %s of %s to %s, who does not read it", w->nodes[from].code, what, name, w->nodes[to].code);
    }
    if (scope && !may_hear(w, from, to, scope)) {
        focal_scope_print(name, scope);
        sim_fail(w, "%s sends %s of %s to %s, and knows that it was taken from one of them", w->nodes[from].code, what, name, w->nodes[to].code);
    }
}

static void look_log(struct world *w, int from, int to, const struct focal_id *id, const char *what)
{
    const struct focal_log *log = focal_oplog_log(focal_node_oplog(w->nodes[from].node), id);
    look_scope(w, from, to, log ? &log->scope : NULL, what);
}

/* The scope that a frontier's tag stands for on this link. */
static void look_tag(struct world *w, int from, int to, const struct focal_session *s, const uint8_t tag[8])
{
    const struct focal_oplog *ol = focal_node_oplog(w->nodes[from].node);
    const struct focal_hash *id;
    const struct focal_scope *scope;
    for (size_t k = 0; (scope = focal_oplog_scope_at(ol, k, &id)) != NULL; k++) {
        uint8_t known[8];
        keyed_hash(s, known, id);
        if (memcmp(known + 1, tag + 1, 7) == 0 && ((known[0] ^ tag[0]) & 0x7f) == 0)
            look_scope(w, from, to, scope, "names of logs");
    }
}

/* FOCAL_SIM_TRACE=1: who says what to whom. */
static void tell(const struct world *w, int from, int to, const struct sim_link *l, const struct focal_message *m, size_t len)
{
    static const char *const names[] = { "?", "HELLO", "SUBJECTS", "STATEMENT", "FRONTIER", "WANT", "SEGMENT", "CREDIT", "ACK", "RECEIPT", "PING", "PONG",
                                         "PAUSE", "JOIN", "ADMIT", "BYE" };
    if (getenv("FOCAL_SIM_TRACE"))
        fprintf(stderr, "%llu ms, step %llu: %s -> %s by %llu: %s, %zu bytes\n", (unsigned long long)w->now_ms, (unsigned long long)w->steps,
                w->nodes[from].code, w->nodes[to].code, (unsigned long long)l->id[0], names[m->type < 16 ? m->type : 0], len);
}

static void look_message(struct world *w, int from, int to, const struct focal_session *s, const struct focal_message *m)
{
    struct focal_receipt r;
    switch (m->type) {
    case FOCAL_MSG_SEGMENT:
        look_log(w, from, to, &m->is.segment.log, "entries");
        break;
    case FOCAL_MSG_WANT:
        look_log(w, from, to, &m->is.want.log, "a wish");
        break;
    case FOCAL_MSG_ACK:
        for (size_t i = 0; i < m->is.ack.count; i++) {
            struct focal_ack_item item;
            focal_ack_get(&item, &m->is.ack, i);
            look_log(w, from, to, &item.log, "an acknowledgement");
        }
        break;
    case FOCAL_MSG_RECEIPT:
        w->counts.receipts++;
        if (focal_receipt_decode(&r, m->is.receipt.body) == FOCAL_OK)
            look_scope(w, from, to, focal_oplog_scope(focal_node_oplog(w->nodes[from].node), &r.scope), "a receipt");
        break;
    case FOCAL_MSG_HEADS:
        look_log(w, from, to, &m->is.heads.log, "heads");
        break;
    case FOCAL_MSG_FRONTIER:
        look_tag(w, from, to, s, m->is.frontier.tag);
        break;
    case FOCAL_MSG_BYE:
        if (m->is.bye == FOCAL_BYE_FAULT)
            w->blamed[from][to] = true;
        break;
    default:
        break;
    }
}

/* The mark that begins every canary, then its country. */
static void look_bytes(struct world *w, int from, int to, struct focal_span plain)
{
    const uint8_t *at = plain.data, *end = plain.data + plain.len;
    while ((size_t)(end - at) > SIM_MARK_BYTES + 3 && (at = memmem(at, (size_t)(end - at), w->mark, SIM_MARK_BYTES)) != NULL) {
        struct focal_scope s = { .cls = FOCAL_SCOPE_COUNTRY, .country = "" };
        at += SIM_MARK_BYTES;
        if (end - at >= 3)
            memcpy(s.country, at, 3);
        look_scope(w, from, to, &s, "content");
    }
}

bool sim_take(struct world *w, struct sim_link *l, int e, struct focal_buf *frame)
{
    int from = l->node[e], to = l->node[1 - e];
    struct focal_node *node = w->nodes[from].node;
    struct link *inner = link_find(node, l->id[e]);
    struct focal_channel before;
    bool open = inner && inner->session->channel_open;
    memset(&before, 0, sizeof before);
    if (open)
        before = inner->session->secrets->channel;
    focal_buf_clear(frame);
    if (!focal_node_take_frame(node, l->id[e], frame))
        return false;
    if (!open)
        return true;
    struct focal_channel reader = { .receive = before.send, .handshake = before.handshake };
    struct focal_buf plain;
    focal_buf_init(&plain, FOCAL_NOISE_MAX);
    bool opens = focal_channel_unseal(&reader, &plain, focal_buf_view(frame)) == FOCAL_OK;
    struct focal_message m;
    if (!opens && l->sealed[e])
        sim_fail(w, "%s sends a frame that its channel did not seal", w->nodes[from].code);
    l->sealed[e] = l->sealed[e] || opens;       /* the handshake's last message may stand before */
    if (opens && !w->nodes[from].malice) {
        look_bytes(w, from, to, focal_buf_view(&plain));
        if (focal_message_decode(&m, focal_buf_view(&plain)) == FOCAL_OK) {
            tell(w, from, to, l, &m, plain.len);
            look_message(w, from, to, inner->session, &m);
        } else {
            sim_fail(w, "%s sends a message that does not decode", w->nodes[from].code);
        }
    } else if (opens) {
        sim_twist(w, l, e, &before, focal_buf_view(&plain), frame);
    }
    focal_buf_close(&plain);
    return true;
}
