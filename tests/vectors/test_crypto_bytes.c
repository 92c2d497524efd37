/* Golden bytes of everything that is signed for ever or compared by people, from fixed keys. When one of these fails the
 * code is wrong, not the vector: networks hold these bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "focal/crypto.h"

#include "crypto_bytes.h"

static void check(const char *what, const void *bytes, size_t len, const char *want)
{
    static char got[8192];
    assert_true(2 * len < sizeof got);
    focal_hex(got, bytes, len);
    if (strcmp(got, want) != 0)
        fail_msg("%s is\n%s", what, got);
}

#define CHECK(what, object) check(#what, (object), sizeof *(object), what)
#define CHECK_BUF(what, buf) do { assert_false((buf)->failed); check(#what, (buf)->data, (buf)->len, what); } while (0)

static void fill(void *out, size_t len, uint8_t first)
{
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)(first + i);
}

/* The same small network in every test. */
struct world {
    struct focal_sign_key authority, recovery;
    struct focal_node_keys node;
    struct focal_buf genesis, genesis_statement;
    struct focal_hash network;
    struct focal_log_name name;
    struct focal_id log;
};

static struct focal_scope scope_of(const char *text)
{
    struct focal_scope scope;
    assert_true(focal_scope_parse(&scope, focal_span_text(text)));
    return scope;
}

static void office_of(struct focal_office *office, const char *text)
{
    assert_true(focal_office_parse(office, focal_span_text(text)));
}

static void world_open(struct world *w)
{
    uint8_t seed[32], random[96];
    struct focal_genesis genesis;
    assert_int_equal(focal_crypto_init(), FOCAL_OK);
    memset(w, 0, sizeof *w);
    fill(seed, sizeof seed, 1);
    focal_sign_key_make(&w->authority, seed);
    fill(seed, sizeof seed, 51);
    focal_sign_key_make(&w->recovery, seed);
    fill(random, sizeof random, 101);
    focal_node_keys_make(&w->node, random);

    memset(&genesis, 0, sizeof genesis);
    memcpy(genesis.label, "Réseau d'essai", strlen("Réseau d'essai"));
    genesis.authority = w->authority.public;
    genesis.recovery = w->recovery.public;
    fill(genesis.follow_up_salt, 16, 200);
    genesis.day = 20000;
    focal_buf_init(&w->genesis, FOCAL_STATEMENT_MAX);
    focal_buf_init(&w->genesis_statement, FOCAL_STATEMENT_MAX);
    focal_genesis_encode(&w->genesis, &genesis);
    focal_network_id(&w->network, focal_buf_view(&w->genesis));
    focal_statement_sign(&w->genesis_statement, w->authority.secret, NULL, focal_buf_view(&w->genesis));

    const struct focal_scope scope = scope_of("country:KEN");
    w->name.author = w->node.sign_public;
    fill(w->name.epoch.b, 16, 7);
    focal_scope_id(&w->name.scope, &w->network, &scope);
    w->name.lane = FOCAL_LANE_NOTICES;
    focal_log_id(&w->log, &w->network, &w->name);
}

static void world_close(struct world *w)
{
    focal_buf_close(&w->genesis);
    focal_buf_close(&w->genesis_statement);
}

static void keys_and_genesis(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    CHECK(AUTHORITY_PUBLIC, &w.authority.public);
    CHECK(NODE_SIGN_PUBLIC, &w.node.sign_public);
    CHECK(NODE_CHANNEL_PUBLIC, &w.node.channel_public);
    CHECK(NODE_OPEN_PUBLIC, &w.node.open_public);
    CHECK(NETWORK_ID, &w.network);
    CHECK_BUF(GENESIS_STATEMENT, &w.genesis_statement);
    struct focal_statement decoded;
    assert_int_equal(focal_statement_decode(&decoded, focal_buf_view(&w.genesis_statement)), FOCAL_OK);
    assert_true(focal_statement_verify(&decoded, &w.authority.public, &w.network));
    world_close(&w);
}

static void certificate(void **state)
{
    (void)state;
    struct world w;
    struct focal_certificate c;
    struct focal_buf body, statement;
    struct focal_hash hash;
    world_open(&w);
    memset(&c, 0, sizeof c);
    office_of(&c.office, "KEN-1");
    memcpy(c.entity, "Agency", 6);
    c.role = FOCAL_ROLE_OFFICE;
    c.rights = FOCAL_RIGHT_REDACT;
    c.read[0] = scope_of("country:KEN");
    c.read[1] = scope_of("network");
    c.read[2] = scope_of("control");
    c.read_count = 3;
    c.write[0] = scope_of("network");
    c.write[1] = scope_of("country:KEN");
    c.write_count = 2;
    focal_node_keys_public(&c.keys, &w.node);
    c.number = 300;
    c.from_day = 20001;
    c.to_day = 20366;
    c.openings_max = 400;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_certificate_encode(&body, &c);
    focal_statement_sign(&statement, w.authority.secret, &w.network, focal_buf_view(&body));
    CHECK_BUF(CERTIFICATE_STATEMENT, &statement);
    focal_statement_hash(&hash, &w.network, focal_buf_view(&body));
    CHECK(CERTIFICATE_HASH, &hash);

    c.follows_set = true;
    fill(c.follows.b, 32, 90);
    c.invitation_set = true;
    c.invitation = 5;
    focal_buf_clear(&body);
    focal_certificate_encode(&body, &c);
    CHECK_BUF(CERTIFICATE_FULL_BODY, &body);
    focal_buf_close(&body);
    focal_buf_close(&statement);
    world_close(&w);
}

static void cut(void **state)
{
    (void)state;
    struct world w;
    struct focal_cut c;
    struct focal_cut_tip tip;
    struct focal_buf body, statement, tips;
    struct focal_hash hash;
    world_open(&w);
    memset(&c, 0, sizeof c);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_buf_init(&tips, FOCAL_STATEMENT_MAX);
    office_of(&c.office, "KEN-1");
    c.key = w.node.sign_public;
    c.reach.kind = FOCAL_REACH_EVERYTHING;
    c.number = 1;
    c.day = 20100;
    c.reason = FOCAL_CUT_KEY_STOLEN;
    for (uint8_t i = 2; i > 0; i--) {           /* sorted by the encoder */
        tip.log = w.log;
        tip.tip.seq = i * (uint64_t)300;
        fill(&tip.tip.h, sizeof tip.tip.h, (uint8_t)(i * 16));
        focal_cut_tip_put(&tips, &tip);
    }
    c.tips = focal_buf_view(&tips);
    focal_cut_encode(&body, &c);
    focal_statement_sign(&statement, w.authority.secret, &w.network, focal_buf_view(&body));
    CHECK_BUF(CUT_STATEMENT, &statement);
    focal_statement_hash(&hash, &w.network, focal_buf_view(&body));
    CHECK(CUT_HASH, &hash);

    c.reach = (struct focal_reach){ .kind = FOCAL_REACH_SCOPE, .scope = scope_of("country:KEN") };
    c.number = 300;
    c.tips = focal_span_of(NULL, 0);
    focal_buf_clear(&body);
    focal_cut_encode(&body, &c);
    CHECK_BUF(CUT_SCOPE_BODY, &body);
    c.reach = (struct focal_reach){ .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT };
    focal_buf_clear(&body);
    focal_cut_encode(&body, &c);
    CHECK_BUF(CUT_RIGHT_BODY, &body);
    focal_buf_close(&tips);
    focal_buf_close(&body);
    focal_buf_close(&statement);
    world_close(&w);
}

static void renewal(void **state)
{
    (void)state;
    struct world w;
    struct focal_renewal r;
    struct focal_delegation d;
    struct focal_sign_key key;
    struct focal_buf body, delegation, statement;
    struct focal_hash hash;
    world_open(&w);
    memset(&r, 0, sizeof r);
    memset(&d, 0, sizeof d);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&delegation, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_renewal_key(&key, &w.node);
    CHECK(RENEWAL_KEY_PUBLIC, &key.public);
    office_of(&d.office, "HQ");
    d.key_set = true;
    d.key = key.public;
    d.number = 300;
    d.until_day = 22000;
    d.day = 20100;
    focal_delegation_encode(&body, &d);
    focal_statement_sign(&delegation, w.authority.secret, &w.network, focal_buf_view(&body));
    CHECK_BUF(DELEGATION_STATEMENT, &delegation);
    focal_statement_hash(&hash, &w.network, focal_buf_view(&body));
    CHECK(DELEGATION_HASH, &hash);

    office_of(&r.office, "KEN-1");
    fill(&r.certificate, sizeof r.certificate, 17);
    r.number = 1;
    r.to_day = 20732;
    r.openings_max = 800;
    r.day = 20310;
    focal_buf_clear(&body);
    focal_renewal_encode(&body, &r);
    focal_statement_sign(&statement, w.authority.secret, &w.network, focal_buf_view(&body));
    CHECK_BUF(RENEWAL_STATEMENT, &statement);
    focal_statement_hash(&hash, &w.network, focal_buf_view(&body));
    CHECK(RENEWAL_HASH, &hash);

    r.delegation = focal_buf_view(&delegation);
    focal_buf_clear(&body);
    focal_buf_clear(&statement);
    focal_renewal_encode(&body, &r);
    focal_statement_sign(&statement, key.secret, &w.network, focal_buf_view(&body));
    CHECK_BUF(RENEWAL_BY_KEY_STATEMENT, &statement);
    d.key_set = false;
    focal_buf_clear(&body);
    focal_delegation_encode(&body, &d);
    CHECK_BUF(DELEGATION_ENDED_BODY, &body);
    focal_buf_close(&body);
    focal_buf_close(&delegation);
    focal_buf_close(&statement);
    world_close(&w);
}

static void policy(void **state)
{
    (void)state;
    struct world w;
    struct focal_policy p = { .name = FOCAL_POLICY_TWO_PERSONS, .number = 1, .value = FOCAL_POLICY_TWO_REDACT | FOCAL_POLICY_TWO_VEIL, .day = 20100 };
    struct focal_buf body, statement;
    struct focal_hash hash;
    world_open(&w);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_policy_encode(&body, &p);
    focal_statement_sign(&statement, w.authority.secret, &w.network, focal_buf_view(&body));
    CHECK_BUF(POLICY_STATEMENT, &statement);
    focal_statement_hash(&hash, &w.network, focal_buf_view(&body));
    CHECK(POLICY_HASH, &hash);
    focal_buf_close(&body);
    focal_buf_close(&statement);
    world_close(&w);
}

static void succession(void **state)
{
    (void)state;
    struct world w;
    struct focal_sign_key later;
    struct focal_succession is;
    struct focal_buf body, statement;
    struct focal_delegation d;
    struct focal_hash hash;
    uint8_t seed[32], good[64];
    world_open(&w);
    fill(seed, sizeof seed, 151);
    focal_sign_key_make(&later, seed);
    fill(good, 32, 90);
    fill(good + 32, 32, 17);
    is = (struct focal_succession){ .number = 300, .key = later.public, .good = focal_span_of(good, sizeof good), .day = 20400 };
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_succession_encode(&body, &is);
    focal_statement_sign(&statement, w.recovery.secret, &w.network, focal_buf_view(&body));
    CHECK_BUF(SUCCESSION_STATEMENT, &statement);
    focal_statement_hash(&hash, &w.network, focal_buf_view(&body));
    CHECK(SUCCESSION_HASH, &hash);

    memset(&d, 0, sizeof d);
    office_of(&d.office, "HQ");
    d.number = 300;
    d.until_day = 22000;
    d.day = 20100;
    focal_buf_clear(&body);
    focal_buf_clear(&statement);
    focal_delegation_encode(&body, &d);
    focal_statement_by(&body, &later.public);
    focal_statement_sign(&statement, later.secret, &w.network, focal_buf_view(&body));
    CHECK_BUF(BY_SUCCESSOR_STATEMENT, &statement);
    focal_buf_close(&body);
    focal_buf_close(&statement);
    world_close(&w);
}

static void names_of_logs(void **state)
{
    (void)state;
    struct world w;
    struct focal_hash id;
    struct focal_scope scope = scope_of("control");
    world_open(&w);
    focal_scope_id(&id, &w.network, &scope);
    CHECK(SCOPE_CONTROL, &id);
    scope = scope_of("network");
    focal_scope_id(&id, &w.network, &scope);
    CHECK(SCOPE_NETWORK, &id);
    CHECK(SCOPE_KEN, &w.name.scope);
    CHECK(LOG_ID, &w.log);
    struct focal_id epoch;
    uint8_t random[32];
    fill(random, 32, 3);
    focal_epoch_id(&epoch, random, focal_span_text("machine"), focal_span_text("boot"), &w.network);
    CHECK(EPOCH_ID, &epoch);
    struct focal_ref ref = { .log = w.log, .seq = 258 };
    fill(ref.h8, 8, 40);
    uint8_t code[8];
    focal_put_be64(code, focal_short_code(&ref));
    CHECK(SHORT_CODE, &code);
    world_close(&w);
}

static void chain(void **state)
{
    (void)state;
    struct world w;
    struct focal_hash h, c, payload;
    struct focal_signature signature;
    uint8_t seed[16], salt[FOCAL_SALT_BYTES], header[3000];
    world_open(&w);
    fill(seed, sizeof seed, 33);
    fill(&payload, sizeof payload, 66);
    fill(header, sizeof header, 99);
    focal_chain_start(&h, &w.log);
    CHECK(CHAIN_0, &h);
    focal_salt_from_seed(salt, seed, 258);
    CHECK(SALT, &salt);
    focal_commitment(&c, salt, focal_span_of(&payload, sizeof payload));
    CHECK(COMMITMENT, &c);
    focal_chain_next(&h, &h, &w.log, focal_span_of(header, 40), &c);
    CHECK(CHAIN_1, &h);
    const struct focal_tip tip = { .seq = 1, .h = h };
    focal_sign_head(&signature, w.node.sign_secret, &w.network, &w.log, &tip);
    CHECK(HEAD_SIGNATURE, &signature);
    focal_commitment(&c, salt, focal_span_of(header, sizeof header));
    CHECK(COMMITMENT_LONG, &c);
    focal_chain_next(&h, &h, &w.log, focal_span_of(header, sizeof header), &c);
    CHECK(CHAIN_2_LONG, &h);
    world_close(&w);
}

static void receipt(void **state)
{
    (void)state;
    struct world w;
    struct focal_receipt r;
    struct focal_signature signature;
    struct focal_buf body;
    uint8_t heads[2 * 56];
    world_open(&w);
    memset(&r, 0, sizeof r);
    fill(heads, sizeof heads, 11);
    office_of(&r.office, "KEN-1");
    r.signer = w.node.sign_public;
    r.epoch = w.name.epoch;
    r.scope = w.name.scope;
    r.number = 129;
    r.day = 20002;
    r.statements = w.network;
    r.heads = focal_span_of(heads, sizeof heads);
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    focal_receipt_encode(&body, &r);
    CHECK_BUF(RECEIPT_BODY, &body);
    focal_receipt_sign(&signature, w.node.sign_secret, &w.network, focal_buf_view(&body));
    CHECK(RECEIPT_SIGNATURE, &signature);
    focal_buf_close(&body);
    world_close(&w);
}

static void joining(void **state)
{
    (void)state;
    struct world w;
    struct focal_public_keys keys;
    struct focal_signature signature;
    struct focal_hash handshake;
    const char *words[8];
    uint8_t psk[FOCAL_PSK_BYTES], wide[32], prologue[37];
    char line[128] = "";
    world_open(&w);
    fill(&handshake, sizeof handshake, 77);
    focal_join_sign(&signature, &w.node, &w.network, &handshake);
    CHECK(JOIN_SIGNATURE, &signature);
    fill(psk, sizeof psk, 88);
    focal_psk_widen(wide, &w.network, psk);
    CHECK(PSK_WIDE, &wide);
    focal_prologue(prologue, &w.network);
    CHECK(PROLOGUE, &prologue);
    focal_node_keys_public(&keys, &w.node);
    focal_eight_words(words, &w.network, 5, &keys);
    for (size_t i = 0; i < 8; i++) {
        strcat(line, i > 0 ? " " : "");
        strcat(line, words[i]);
    }
    assert_string_equal(line, EIGHT_WORDS);
    world_close(&w);
}

static void invitation(void **state)
{
    (void)state;
    struct world w;
    struct focal_invitation in;
    struct focal_buf text;
    world_open(&w);
    memset(&in, 0, sizeof in);
    in.network = w.network;
    in.genesis = focal_buf_view(&w.genesis_statement);
    in.listener = w.node.channel_public;
    fill(in.psk, sizeof in.psk, 88);
    in.number = 5;
    office_of(&in.office, "KEN-1");
    memcpy(in.country, "KEN", 3);
    memcpy(in.addresses[0], "hq.example:7443", 15);
    memcpy(in.addresses[1], "[2001:db8::1]:7443", 18);
    in.address_count = 2;
    in.expires_day = 20007;
    focal_buf_init(&text, 16384);
    focal_invitation_encode(&text, &in);
    assert_string_equal(focal_buf_cstr(&text), INVITATION);
    focal_buf_close(&text);
    world_close(&w);
}

/* To three keys, one of them a later one of an office that keeps the former; two classes of size. */
static void sealed_values(void **state)
{
    (void)state;
    struct world w;
    struct focal_buf small, large, plain;
    struct focal_sealed_place place;
    struct focal_key to[3];
    uint8_t random[96];
    world_open(&w);
    memset(&place, 0, sizeof place);
    place.network = w.network;
    fill(&place.record, sizeof place.record, 7);
    place.field = 2200;
    office_of(&place.author, "KEN-1");
    for (uint8_t i = 1; i < 3; i++) {
        struct focal_node_keys other;
        fill(random, sizeof random, (uint8_t)(60 * i));
        focal_node_keys_make(&other, random);
        to[i] = other.open_public;
    }
    to[0] = w.node.open_public;
    focal_buf_init(&small, 4096);
    focal_buf_init(&large, 4096);
    focal_buf_init(&plain, 4096);
    fill(random, sizeof random, 33);
    assert_int_equal(focal_sealed_seal(&small, focal_span_text("\x04"), &place, to, 3, random), FOCAL_OK);
    CHECK_BUF(SEALED_SMALL, &small);
    assert_int_equal(focal_sealed_seal(&large, focal_span_text("not at home: only under the mango tree"), &place, to, 1, random), FOCAL_OK);
    CHECK_BUF(SEALED_LARGE, &large);
    fill(random, sizeof random, 44);
    assert_int_equal(focal_node_keys_renew_opening(&w.node, random), FOCAL_OK);
    assert_int_equal(focal_sealed_open(&plain, focal_buf_view(&large), &place, &w.node), FOCAL_OK);
    assert_string_equal(focal_buf_cstr(&plain), "not at home: only under the mango tree");
    focal_buf_clear(&plain);
    focal_node_keys_encode(&plain, &w.node);
    CHECK_BUF(NODE_KEYS_RENEWED, &plain);
    focal_buf_close(&small);
    focal_buf_close(&large);
    focal_buf_close(&plain);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_genesis), cmocka_unit_test(certificate), cmocka_unit_test(cut), cmocka_unit_test(renewal), cmocka_unit_test(policy), cmocka_unit_test(succession), cmocka_unit_test(names_of_logs),
        cmocka_unit_test(chain), cmocka_unit_test(receipt), cmocka_unit_test(joining), cmocka_unit_test(invitation),
        cmocka_unit_test(sealed_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
