#include "office.h"

#include "fake_store.h"

#include <string.h>

enum { PEER_COMMITS = 60, FIELD = FOCAL_FIELD(500, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER) };

const struct focal_scope office_scopes[3] = {
    { .cls = FOCAL_SCOPE_CONTROL }, { .cls = FOCAL_SCOPE_NETWORK }, { .cls = FOCAL_SCOPE_COUNTRY, .country = "KEN" },
};

static void found(struct network *n)
{
    uint8_t seed[32];
    struct focal_genesis genesis = { .label = "power", .day = 20000 };
    struct focal_buf body;
    memset(seed, 1, sizeof seed);
    focal_sign_key_make(&n->authority, seed);
    genesis.authority = genesis.recovery = n->authority.public;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&n->genesis, FOCAL_STATEMENT_MAX);
    focal_genesis_encode(&body, &genesis);
    focal_network_id(&n->id, focal_buf_view(&body));
    focal_statement_sign(&n->genesis, n->authority.secret, NULL, focal_buf_view(&body));
    focal_buf_close(&body);
}

static void certify(struct network *n, struct office *o, const char *code)
{
    uint8_t random[96];
    struct focal_certificate c;
    struct focal_buf body;
    chance_fill(&n->chance, random, sizeof random);
    focal_node_keys_make(&o->keys, random);
    memset(&c, 0, sizeof c);
    focal_assert(focal_office_parse(&c.office, focal_span_text(code)));
    memcpy(c.entity, "TEST", 5);
    c.role = FOCAL_ROLE_OFFICE;
    memcpy(c.read, office_scopes, sizeof office_scopes);
    memcpy(c.write, office_scopes, sizeof office_scopes);
    c.read_count = c.write_count = 3;
    focal_node_keys_public(&c.keys, &o->keys);
    c.number = 1;
    c.from_day = 20000;
    c.to_day = 20400;
    c.openings_max = 400;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&o->certificate, FOCAL_STATEMENT_MAX);
    focal_certificate_encode(&body, &c);
    focal_statement_sign(&o->certificate, n->authority.secret, &n->id, focal_buf_view(&body));
    focal_assert(!o->certificate.failed);
    focal_buf_close(&body);
}

static void must(enum focal_status status)
{
    focal_assert(status == FOCAL_OK);
}

static void let_peer_write(struct network *n)
{
    struct focal_entropy entropy = { chance_fill, &n->chance };
    struct focal_ref record = { .seq = 0 }, ref;
    n->peer_store = focal_fake_store_new();
    focal_assert(n->peer_store);
    must(focal_oplog_found(n->peer_store, focal_buf_view(&n->genesis)));
    must(focal_oplog_open(&n->peer, n->peer_store, &n->peers.keys, &entropy, NULL, NULL));
    for (int i = 0; i < PEER_COMMITS; i++) {
        must(focal_store_begin(n->peer_store));
        if (i == 0)
            must(focal_oplog_add_statement(n->peer, focal_buf_view(&n->peers.certificate)));
        for (int k = 0; k < 4; k++) {
            bool creates = (i + k) % 3 == 0;
            must(office_write(n->peer, &office_scopes[1 + i % 2], creates ? NULL : &record, 1 + chance_below(&n->chance, 300),
                              (uint8_t)i, &ref));
            if (creates)
                record = ref;
        }
        must(focal_oplog_seal(n->peer));
        must(focal_store_commit(n->peer_store));
        focal_oplog_committed(n->peer);
    }
}

const struct network *office_network(void)
{
    static struct network n;
    if (n.peer)
        return &n;
    focal_assert(focal_crypto_init() == FOCAL_OK);
    n.chance.state = 5;
    found(&n);
    certify(&n, &n.ours, "KEN");
    certify(&n, &n.peers, "SSD");
    let_peer_write(&n);
    return &n;
}

enum focal_status office_write(struct focal_oplog *ol, const struct focal_scope *scope, const struct focal_ref *record, size_t len,
                               uint8_t fill, struct focal_ref *out)
{
    uint8_t value[512];
    struct focal_buf payload;
    struct chance chance = { fill };
    len = len < sizeof value ? len : sizeof value;
    chance_fill(&chance, value, len);       /* packing must not make it small */
    const struct focal_item item = { .field = FIELD, .value = focal_span_of(value, len) };
    focal_buf_init(&payload, 8192);
    focal_payload_encode(&payload, FOCAL_KIND_CASE, NULL, NULL, &item, 1);
    struct focal_write w = { .scope = *scope, .creates = record == NULL, .payload = focal_buf_view(&payload) };
    if (record)
        w.record = *record;
    enum focal_status status = payload.failed ? FOCAL_NO_MEMORY : focal_oplog_write(ol, &w, out, NULL);
    focal_buf_close(&payload);
    return status;
}

static enum focal_status carry_from(struct focal_oplog *to, const struct focal_log *log, uint64_t first, size_t most)
{
    const struct focal_log *there;
    struct focal_piece piece;
    struct focal_buf packed;
    focal_buf_init(&packed, 1 << 20);
    enum focal_status status = focal_oplog_read(office_network()->peer, log, first, most, &piece, &packed);
    if (status == FOCAL_OK) {
        struct focal_incoming in = { .name = &log->name, .before = piece.before, .packed = focal_buf_view(&packed),
                                     .signature = piece.is_signed ? &piece.signature : NULL };
        status = focal_oplog_admit(to, &in, &there, NULL);
    }
    focal_buf_close(&packed);
    return status;
}

/* Control logs come first: nothing of an epoch is admitted before its opening. */
enum focal_status office_carry(struct focal_oplog *to, size_t most)
{
    struct focal_oplog *peer = office_network()->peer;
    for (int control = 1; control >= 0; control--) {
        for (size_t i = 0; i < focal_oplog_log_count(peer); i++) {
            const struct focal_log *log = focal_oplog_log_at(peer, i);
            if ((log->scope.cls == FOCAL_SCOPE_CONTROL) != (control == 1))
                continue;
            const struct focal_log *held = focal_oplog_log(to, &log->id);
            uint64_t next = held ? held->staged.seq + 1 : 1;
            if (next <= log->head.seq)
                return carry_from(to, log, next, most);
        }
    }
    return FOCAL_NOT_FOUND;
}
