/* What the authority signs: form, signature, name. Which statement counts is decided where the set is held. */
#include "statement_body.h"

#include <string.h>

static bool is_genesis(struct focal_span body)
{
    /* A canonical varint: no other number begins with this byte. */
    return body.len > 0 && body.data[0] == FOCAL_STATEMENT_GENESIS;
}

enum { PARTS = 3 };

/* A genesis is the one statement that cannot hold the network id, being what it is the hash of. */
static void statement_parts(struct focal_span parts[PARTS], const struct focal_hash *network, struct focal_span body)
{
    static const uint8_t zeroes[32];
    const bool named = network != NULL && !is_genesis(body);
    parts[0] = focal_span_text("focal statement 1");
    parts[1] = focal_span_of(named ? network->b : zeroes, 32);
    parts[2] = body;
}

void focal_statement_hash(struct focal_hash *out, const struct focal_hash *network, struct focal_span body)
{
    struct focal_span parts[PARTS];
    statement_parts(parts, network, body);
    focal_hash_parts(out, parts, PARTS);
}

void focal_network_id(struct focal_hash *out, struct focal_span genesis_body)
{
    focal_statement_hash(out, NULL, genesis_body);
}

void focal_statement_sign(struct focal_buf *statement, const uint8_t secret[64], const struct focal_hash *network,
                          struct focal_span body)
{
    struct focal_signature signature;
    struct focal_span parts[PARTS];
    focal_assert(body.len > 0 && body.len + sizeof signature.b <= FOCAL_STATEMENT_MAX);
    focal_assert(network != NULL || is_genesis(body));
    statement_parts(parts, network, body);
    focal_sign(&signature, secret, parts, PARTS);
    focal_buf_bytes(statement, signature.b, sizeof signature.b);
    focal_buf_span(statement, body);
}

enum focal_status focal_statement_decode(struct focal_statement *out, struct focal_span bytes)
{
    memset(out, 0, sizeof *out);
    if (bytes.len > FOCAL_STATEMENT_MAX)
        return FOCAL_MALFORMED;
    struct focal_cur cur = focal_cur_of(bytes);
    focal_cur_copy(&cur, out->signature.b, sizeof out->signature.b);
    if (cur.failed)
        return FOCAL_MALFORMED;
    out->body = focal_span_of(cur.at, focal_cur_left(&cur));
    out->kind = focal_cur_varint(&cur);
    if (cur.failed || out->kind == 0)
        return FOCAL_MALFORMED;

    struct focal_items items;
    uint64_t first;
    struct focal_cur peek = cur;
    focal_items_start(&items, cur);
    items.signer = out->kind == FOCAL_STATEMENT_GENESIS || out->kind == FOCAL_STATEMENT_AUTHORITY ? NULL : &out->signer;
    out->subject = focal_cur_item(&peek, &first);
    if (peek.failed || first != 1 || out->kind == FOCAL_STATEMENT_GENESIS)
        out->subject = focal_span_of(NULL, 0);
    bool good;
    switch (out->kind) {
    case FOCAL_STATEMENT_GENESIS:
        good = focal_genesis_items(&out->is.genesis, &items, &out->newer);
        break;
    case FOCAL_STATEMENT_CERTIFICATE:
        good = focal_certificate_items(&out->is.certificate, &items, &out->newer);
        break;
    case FOCAL_STATEMENT_CUT:
        good = focal_cut_items(&out->is.cut, &items, &out->newer);
        break;
    case FOCAL_STATEMENT_RENEWAL:
        good = focal_renewal_items(&out->is.renewal, &items, &out->newer);
        break;
    case FOCAL_STATEMENT_DELEGATION:
        good = focal_delegation_items(&out->is.delegation, &items, &out->newer);
        break;
    case FOCAL_STATEMENT_POLICY:
        good = focal_policy_items(&out->is.policy, &items, &out->newer);
        break;
    case FOCAL_STATEMENT_AUTHORITY:
        good = focal_succession_items(&out->is.succession, &items, &out->newer);
        break;
    default: {
        uint64_t tag;
        struct focal_span value;
        while (focal_items_next(&items, &tag, &value))
            ;
        good = focal_items_whole(&items, 0);
        out->newer = true;
    }
    }
    out->signer_set = items.signer_set;
    /* Two answers to the question who signed it are one too many. */
    const bool twice = out->signer_set && out->kind == FOCAL_STATEMENT_RENEWAL && out->is.renewal.delegation.len > 0;
    return good && !twice ? FOCAL_OK : FOCAL_MALFORMED;
}

void focal_statement_by(struct focal_buf *body, const struct focal_key *signer)
{
    focal_buf_item(body, FOCAL_ITEM_SIGNER, focal_span_of(signer->b, sizeof signer->b));
}

const struct focal_key *focal_statement_signer(const struct focal_statement *statement, const struct focal_genesis *genesis)
{
    if (statement->kind == FOCAL_STATEMENT_AUTHORITY)
        return &genesis->recovery;
    if (statement->kind == FOCAL_STATEMENT_RENEWAL && statement->is.renewal.delegation.len > 0)
        return statement->is.renewal.by_signer_set ? &statement->is.renewal.by_signer : &genesis->authority;
    return statement->signer_set ? &statement->signer : &genesis->authority;
}

/* Whose key it is that must have signed: the authority's, or the one that the authority gave for renewals. NULL: nobody's. */
static const struct focal_key *signer_of(const struct focal_statement *statement, const struct focal_key *authority, const struct focal_hash *network)
{
    struct focal_statement by;
    if (statement->kind != FOCAL_STATEMENT_RENEWAL || statement->is.renewal.delegation.len == 0)
        return authority;
    const bool given = focal_statement_decode(&by, statement->is.renewal.delegation) == FOCAL_OK && focal_statement_verify(&by, authority, network);
    return given ? &statement->is.renewal.by.key : NULL;
}

bool focal_statement_verify(const struct focal_statement *statement, const struct focal_key *authority,
                            const struct focal_hash *network)
{
    struct focal_span parts[PARTS];
    statement_parts(parts, network, statement->body);
    if (statement->kind != FOCAL_STATEMENT_GENESIS) {
        const struct focal_key *signer = authority != NULL && network != NULL ? signer_of(statement, authority, network) : NULL;
        return signer != NULL && focal_verify(&statement->signature, signer, parts, PARTS);
    }

    /* A genesis vouches for its own key; what makes it ours is its hash. */
    struct focal_hash id;
    focal_network_id(&id, statement->body);
    const struct focal_key *own = &statement->is.genesis.authority;
    if ((network != NULL && !focal_hash_equal(&id, network)) || (authority != NULL && !focal_key_equal(own, authority)))
        return false;
    return focal_verify(&statement->signature, own, parts, PARTS);
}
