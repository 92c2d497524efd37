/* What outlives the database: enough to be the same member again with an empty one. The file that holds it stands beside
 * the keys and is no secret to who has those: the network secret in it is sealed to this office's own opening key.
 *
 *   items: 1 statement, the genesis first · 2 sealed network secret · 3 office, zero byte, its addresses, one a line
 *   then 16 bytes over all of it, so that a damaged one is known */
#include "inner.h"

#include <stdio.h>
#include <string.h>

enum { KEPT_STATEMENT = 1, KEPT_SECRET = 2, KEPT_ADDRESSES = 3, SUM_BYTES = 16 };

static void sum(uint8_t out[SUM_BYTES], struct focal_span bytes)
{
    focal_blake2b(out, SUM_BYTES, focal_span_text("focal keepsake 1"), bytes);
}

static void put_statements(struct focal_oplog *ol, struct focal_buf *out)
{
    struct focal_subject subject;
    struct focal_span bytes;
    for (int genesis = 1; genesis >= 0; genesis--) {
        for (size_t i = 0; focal_oplog_subject(ol, i, &subject); i++) {
            for (size_t k = 0; focal_oplog_subject_statement(ol, subject.subject, k, &bytes); k++) {
                struct focal_statement s;
                if (focal_statement_decode(&s, bytes) == FOCAL_OK && (s.kind == FOCAL_STATEMENT_GENESIS) == (genesis == 1))
                    focal_buf_item(out, KEPT_STATEMENT, bytes);
            }
        }
    }
}

static void put_addresses(const struct focal_node *n, struct focal_buf *out)
{
    for (size_t i = 0; i < n->peer_count; i++) {
        const struct peer *p = &n->peers[i];
        struct focal_buf item;
        if (!p->office.text[0] || p->address_count == 0)
            continue;
        focal_buf_init(&item, 4096);
        focal_buf_text(&item, p->office.text);
        focal_buf_u8(&item, 0);
        for (size_t k = 0; k < p->address_count; k++)
            focal_buf_printf(&item, "%s%s", k ? "\n" : "", p->addresses[k]);
        if (item.failed)
            out->failed = true;
        focal_buf_item(out, KEPT_ADDRESSES, focal_buf_view(&item));
        focal_buf_close(&item);
    }
}

enum focal_status focal_node_keepsake(struct focal_node *n, struct focal_buf *out)
{
    uint8_t random[32], check[SUM_BYTES];
    struct focal_buf sealed;
    if (!focal_node_admitted(n))
        return FOCAL_NOT_FOUND;
    focal_buf_clear(out);
    put_statements(n->oplog, out);
    focal_buf_init(&sealed, 1024);
    /* Drawn from the secrets themselves, so that equal contents give equal bytes and a restart has nothing to write. */
    uint8_t secrets[64];
    memcpy(secrets, n->keys->open_secret, 32);
    memcpy(secrets + 32, n->secret, 32);
    focal_blake2b(random, sizeof random, focal_span_text("focal keepsake seal 1"), focal_span_of(secrets, sizeof secrets));
    focal_wipe(secrets, sizeof secrets);
    enum focal_status st = focal_box_seal(&sealed, focal_span_of(n->secret, 32), &n->keys->open_public, random);
    focal_buf_item(out, KEPT_SECRET, focal_buf_view(&sealed));
    focal_buf_close(&sealed);
    focal_wipe(random, sizeof random);
    put_addresses(n, out);
    sum(check, focal_buf_view(out));
    focal_buf_bytes(out, check, sizeof check);
    return st != FOCAL_OK ? st : out->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
}

uint64_t focal_node_keepsake_version(const struct focal_node *n)
{
    return n->derived * 2 + (n->secret_set ? 1 : 0);
}

/* ---- reading it again ---------------------------------------------------------------------------------------------------- */

static bool whole(struct focal_span bytes)
{
    uint8_t check[SUM_BYTES];
    if (bytes.len <= SUM_BYTES)
        return false;
    sum(check, focal_span_of(bytes.data, bytes.len - SUM_BYTES));
    return memcmp(check, bytes.data + bytes.len - SUM_BYTES, SUM_BYTES) == 0;
}

static void read_secret(struct keepsake *k, struct focal_span sealed, const struct focal_node_keys *keys)
{
    struct focal_buf secret;
    focal_buf_init(&secret, 64);
    k->secret_set = focal_box_open(&secret, sealed, keys) == FOCAL_OK && secret.len == sizeof k->secret;
    if (k->secret_set)
        memcpy(k->secret, secret.data, sizeof k->secret);
    focal_buf_wipe_close(&secret);
}

bool keepsake_read(struct focal_span bytes, const struct focal_node_keys *keys, struct keepsake *k, enum focal_status (*statement)(void *, struct focal_span),
                   enum focal_status (*address)(void *, struct focal_span office, struct focal_span list), void *data, enum focal_status *failed)
{
    memset(k, 0, sizeof *k);
    *failed = FOCAL_OK;
    if (!whole(bytes))
        return false;
    struct focal_cur cur = focal_cur_of(focal_span_of(bytes.data, bytes.len - SUM_BYTES));
    while (focal_cur_left(&cur) > 0 && *failed == FOCAL_OK) {
        uint64_t tag;
        struct focal_span item = focal_cur_item(&cur, &tag);
        if (cur.failed)
            break;
        const uint8_t *zero = tag == KEPT_ADDRESSES && item.len ? memchr(item.data, 0, item.len) : NULL;
        if (tag == KEPT_SECRET)
            read_secret(k, item, keys);
        if (tag == KEPT_STATEMENT && statement)
            *failed = statement(data, item);
        if (zero && address)
            *failed = address(data, focal_span_of(item.data, (size_t)(zero - item.data)),
                              focal_span_of(zero + 1, item.len - (size_t)(zero - item.data) - 1));
    }
    return true;
}

/* ---- addresses in a store that was founded again ----------------------------------------------------------------------------- */

static bool plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return text[0] != 0;
}

void keepsake_addresses(struct focal_node *n, struct peer *p)
{
    struct focal_buf key, value;
    focal_buf_init(&key, 64);
    focal_buf_init(&value, 4096);
    focal_buf_printf(&key, "address/%s", p->office.text);
    bool there = focal_store_get(n->store, FOCAL_SHELF_META, focal_buf_view(&key), &value) == FOCAL_OK;
    const char *at = there ? focal_buf_cstr(&value) : "";
    while (*at && p->address_count < ADDRESSES_MAX) {
        size_t len = strcspn(at, "\n");
        char *to = p->addresses[p->address_count];
        if (len < ADDRESS_BYTES) {
            (void)snprintf(to, ADDRESS_BYTES, "%.*s", (int)len, at);
            p->address_count += plain(to);
        }
        at += len + (at[len] == '\n');
    }
    focal_buf_close(&key);
    focal_buf_close(&value);
}
