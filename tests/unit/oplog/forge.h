/* A network of two, and pieces of logs as nobody's program would write them: signed by hand. */
#ifndef FOCAL_TESTS_FORGE_H
#define FOCAL_TESTS_FORGE_H

#include "offices.h"

static struct network net;
static struct office ken, hq;           /* ken writes, hq takes in */

static inline int set_up(void **state)
{
    (void)state;
    network_make(&net);
    office_make(&ken, &net, "KEN", 7);
    office_make(&hq, &net, "HQ", 8);
    hold(&ken, &ken.statement);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    office_close(&ken);
    office_close(&hq);
    network_close(&net);
    return 0;
}

static inline void carry_control(void)
{
    struct carried c;
    assert_int_equal(take_up(&ken, log_of(&ken, &net, &ken, &scope_control), 1, 16000, &c), FOCAL_OK);
    begin(&hq);
    assert_int_equal(hand_over(&hq, &c), FOCAL_OK);
    commit(&hq);
    carried_close(&c);
}

/* ---- an author who does as he likes ---- */

struct forged_entry {
    struct focal_header header;
    struct focal_span payload;
    bool stripped;
    uint8_t salt;                       /* all its bytes; 0: as the sequence, and a quote has that of what it quotes */
    struct focal_span newer_header;     /* of a shape that comes later: these bytes, not `header` */
};

static struct focal_hash forge_head;    /* h of the last entry forged */

static inline void forge(struct carried *out, const struct office *author, const struct focal_log_name *name, const struct focal_hash *before,
    uint64_t first, const struct forged_entry *entries, size_t count, bool sign)
{
    struct focal_stretch_entry list[64];
    struct focal_salt_run run = { .first = first, .last = first + count - 1 };
    struct focal_buf bytes[64], salts;
    struct focal_id id;
    struct focal_hash h;
    assert_true(count <= 64);
    memset(out, 0, sizeof *out);
    focal_buf_init(&out->packed, 1 << 20);
    focal_buf_init(&salts, 1 << 20);
    focal_log_id(&id, &net.id, name);
    if (before)
        h = *before;
    else
        focal_chain_start(&h, &id);
    memcpy(out->piece.before, h.b, 8);
    for (size_t i = 0; i < count; i++) {
        uint8_t salt[16];
        memset(salt, entries[i].salt ? entries[i].salt : (int)(first + i), sizeof salt);
        focal_buf_init(&bytes[i], 1 << 20);
        if (entries[i].newer_header.len > 0)
            focal_buf_span(&bytes[i], entries[i].newer_header);
        else
            focal_header_encode(&bytes[i], &entries[i].header);
        memset(&list[i], 0, sizeof list[i]);
        list[i].header = focal_buf_view(&bytes[i]);
        list[i].payload = entries[i].payload;
        focal_commitment(&list[i].c, salt, list[i].payload);
        focal_chain_next(&h, &h, &id, list[i].header, &list[i].c);
        if (entries[i].stripped) {
            list[i].payload = focal_span_of(NULL, 0);
        } else {
            list[i].has_payload = true;
            memset(list[i].c.b, 0, sizeof list[i].c.b);
            focal_buf_bytes(&salts, salt, sizeof salt);
        }
    }
    run.salts = focal_buf_view(&salts);
    const struct focal_stretch s = { .first = first, .count = count, .entries = list, .runs = &run, .run_count = 1 };
    struct focal_packer *packer = focal_packer_open();
    assert_int_equal(focal_stretch_pack(packer, &out->packed, &s), FOCAL_OK);
    focal_packer_close(packer);
    for (size_t i = 0; i < count; i++)
        focal_buf_close(&bytes[i]);
    focal_buf_close(&salts);
    out->name = *name;
    out->piece.first = first;
    out->piece.last = first + count - 1;
    out->piece.is_signed = sign;
    forge_head = h;
    const struct focal_tip tip = { .seq = out->piece.last, .h = h };
    if (sign)
        focal_sign_head(&out->piece.signature, author->keys.sign_secret, &net.id, &id, &tip);
}

static inline struct focal_log_name name_of(const struct office *author, const struct focal_scope *scope, uint8_t epoch)
{
    struct focal_log_name name = { .author = author->keys.sign_public, .lane = FOCAL_LANE_DATA };
    memset(name.epoch.b, epoch, sizeof name.epoch.b);
    focal_scope_id(&name.scope, &net.id, scope);
    return name;
}

static inline void opening(struct focal_buf *payload, const struct focal_log_name *name, uint8_t number)
{
    const struct focal_item items[] = {
        { .field = FOCAL_OPENING_NUMBER, .value = focal_span_of(&number, 1) },
        { .field = FOCAL_OPENING_AUTHOR, .value = focal_span_of(name->author.b, 32) },
        { .field = FOCAL_OPENING_EPOCH, .value = focal_span_of(name->epoch.b, 16) },
    };
    focal_buf_init(payload, 1024);
    focal_payload_encode(payload, FOCAL_KIND_OPENING, NULL, NULL, items, 3);
}

static const uint8_t kind_nothing = 0, kind_case = FOCAL_KIND_CASE;
static const struct forged_entry begin_entry = { .header = { .shape = FOCAL_SHAPE_BEGIN, .seq = 1 }, .payload = { &kind_nothing, 1 } };

static inline struct forged_entry creating(uint64_t seq)
{
    return (struct forged_entry){ .header = { .shape = FOCAL_SHAPE_ORDINARY, .seq = seq, .creates = true }, .payload = { &kind_case, 1 } };
}

static inline enum focal_status offer(const struct carried *c)
{
    begin(&hq);
    enum focal_status st = hand_over(&hq, c);
    commit(&hq);
    return st;
}

static inline enum focal_status offer_and_close(struct carried *c)
{
    enum focal_status st = offer(c);
    carried_close(c);
    return st;
}

#endif
