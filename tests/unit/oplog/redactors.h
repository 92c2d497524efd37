/* Four offices that redact, and what is asked of them afterwards. */
#ifndef FOCAL_TESTS_REDACTORS_H
#define FOCAL_TESTS_REDACTORS_H

#include "offices.h"

enum { KEN, SSD, HQ, TCD, OFFICES };

static struct network net;
static struct office offices[OFFICES];
static const char *const codes[OFFICES] = { "KEN", "SSD", "HQ", "TCD" };
static const char canary[] = "a canary that must be nowhere", other_canary[] = "another canary, of another office";

enum { FIELD_TEXT = FOCAL_FIELD(510, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET) };

static inline struct focal_span mark(const char *text)
{
    return focal_span_of(text, strlen(text));
}

/* HQ alone has the right to redact what others wrote. */
static inline void certify(size_t i, uint64_t number, uint32_t rights)
{
    struct focal_certificate c;
    certificate_for(&c, &offices[i], number);
    c.rights = rights;
    focal_buf_clear(&offices[i].statement);
    certificate_sign(&offices[i].statement, &net, &c);
}

static inline int set_up(void **state)
{
    (void)state;
    network_make(&net);
    for (size_t i = 0; i < OFFICES; i++) {
        office_make(&offices[i], &net, codes[i], 50 + i);
        certify(i, 1, i == HQ ? FOCAL_RIGHT_REDACT : 0);
        focal_fake_store_keep_log(offices[i].store);
    }
    introduce(offices, OFFICES);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFFICES; i++)
        office_close(&offices[i]);
    network_close(&net);
    return 0;
}

static inline struct focal_ref write_text(size_t by, const struct focal_ref *record, const char *text)
{
    struct focal_ref ref;
    begin(&offices[by]);
    assert_int_equal(try_write(&offices[by], &scope_network, record, NULL, 0, FOCAL_KIND_CASE, FIELD_TEXT, mark(text), &ref), FOCAL_OK);
    commit(&offices[by]);
    return ref;
}

static inline enum focal_status redact(size_t by, const struct focal_ref *record, const struct focal_ref *entry)
{
    struct focal_ref notice;
    struct focal_error err;
    struct focal_redact r = { .scope = scope_network, .entries = entry, .entry_count = entry ? 1 : 0, .records = record,
        .record_count = record ? 1 : 0, .reason = 2 };
    begin(&offices[by]);
    enum focal_status st = focal_oplog_redact(offices[by].ol, &r, &notice, &err);
    commit(&offices[by]);
    return st;
}

static inline void exchange(void)
{
    for (size_t round = 0; round < 2; round++)
        for (size_t a = 0; a < OFFICES; a++)
            for (size_t b = 0; b < OFFICES; b++)
                if (a != b)
                    carry_all(&offices[a], &offices[b]);
}

static inline void scrub(size_t i)
{
    assert_int_equal(focal_store_scrub(offices[i].store), FOCAL_OK);
    focal_oplog_scrubbed(offices[i].ol);
}

static inline bool readable(size_t i, const char *text)
{
    if (focal_oplog_scrub_due(offices[i].ol))
        scrub(i);
    return focal_fake_store_holds(offices[i].store, mark(text));
}

static inline uint64_t rows_of(size_t i, enum focal_shelf shelf)
{
    uint64_t digest, rows;
    assert_int_equal(focal_shelf_digest(offices[i].store, shelf, &digest, &rows), FOCAL_OK);
    return rows;
}

static inline void all_equal(void)
{
    struct focal_hash one, other;
    for (size_t i = 0; i < OFFICES; i++) {
        assert_verifies(&offices[i], i ? &other : &one);
        if (i)
            assert_true(focal_hash_equal(&one, &other));
        if (i)
            assert_same_state(&offices[0], &offices[i]);
    }
}

static inline bool shown(size_t i, const struct focal_ref *record)
{
    struct focal_record_view view;
    if (focal_oplog_record(offices[i].ol, NULL, record, &view) != FOCAL_OK)
        return false;
    bool kind = view.record.kind != NULL;
    focal_record_view_close(&view);
    return kind;
}

/* No seed is kept of a run in which anything is stripped, in whichever segment: looked at as the rows stand on the disk. */
static inline void no_seed_reaches(size_t at)
{
    enum { LINE_BYTES = 16, HEAD_BYTES = 32 + 8 + 32 + 64 + 4, SEQS = 5000 };
    struct focal_packer *packer = focal_packer_open();
    struct focal_arena arena;
    struct focal_buf key, value;
    uint8_t line[LINE_BYTES] = { 0 };
    focal_arena_init(&arena, 64u << 20);
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    for (int pass = 0; pass < 2; pass++) {
        static uint8_t lines[64][LINE_BYTES];
        static bool of[64][SEQS];
        static size_t count;
        if (pass == 0) {
            count = 0;
            memset(of, 0, sizeof of);
        }
        focal_buf_clear(&key);
        while (focal_store_next(offices[at].store, FOCAL_SHELF_SEGMENT, focal_buf_view(&key), &key, &value) == FOCAL_OK) {
            struct focal_stretch s;
            size_t which = 0;
            memcpy(line, key.data, sizeof line);
            while (which < count && memcmp(lines[which], line, sizeof line) != 0)
                which++;
            assert_true(which < 64);
            if (which == count)
                memcpy(lines[count++], line, sizeof line);
            focal_arena_reset(&arena);
            assert_int_equal(focal_stretch_unpack(packer, &s, &arena, focal_span_of(value.data + HEAD_BYTES, value.len - HEAD_BYTES)), FOCAL_OK);
            for (size_t k = 0; k < s.count && pass == 0; k++)
                of[which][s.first + k] = !s.entries[k].has_payload;
            for (size_t r = 0; pass == 1 && r < s.run_count; r++)
                for (uint64_t q = s.runs[r].first; q <= s.runs[r].last; q++)
                    assert_false(s.runs[r].has_seed && of[which][q]);
        }
    }
    focal_buf_close(&key);
    focal_buf_close(&value);
    focal_arena_close(&arena);
    focal_packer_close(packer);
}

/* Entries first..first+count-1 of KEN's log, which belong to one run of which this piece holds a part. */
static inline void seeded_piece(struct carried *out, const struct focal_log_name *name, struct focal_hash *h, uint64_t first, size_t count, const struct focal_salt_run *run,
                         struct focal_ref *refs)
{
    struct focal_stretch_entry list[8];
    struct focal_buf headers[8];
    struct focal_packer *packer = focal_packer_open();
    static const uint8_t begin_kind = FOCAL_KIND_NOTHING, kind = FOCAL_KIND_CASE;
    struct focal_id id;
    focal_log_id(&id, &net.id, name);
    memset(out, 0, sizeof *out);
    memcpy(out->piece.before, h->b, 8);
    for (size_t i = 0; i < count; i++) {
        const struct focal_header header = { .shape = first + i == 1 ? FOCAL_SHAPE_BEGIN : FOCAL_SHAPE_ORDINARY, .seq = first + i, .creates = first + i > 1 };
        uint8_t salt[16];
        struct focal_hash c;
        focal_buf_init(&headers[i], 100);
        focal_header_encode(&headers[i], &header);
        list[i] = (struct focal_stretch_entry){ .header = focal_buf_view(&headers[i]), .has_payload = true,
            .payload = focal_span_of(first + i == 1 ? &begin_kind : &kind, 1) };
        focal_salt_from_seed(salt, run->seed, first + i);
        focal_commitment(&c, salt, list[i].payload);
        focal_chain_next(h, h, &id, list[i].header, &c);
        refs[i] = (struct focal_ref){ .log = id, .seq = first + i };
        memcpy(refs[i].h8, h->b, 8);
    }
    struct focal_salt_run part = *run;
    const struct focal_stretch s = { .first = first, .count = count, .entries = list, .runs = &part, .run_count = 1 };
    const struct focal_tip tip = { .seq = first + count - 1, .h = *h };
    out->name = *name;
    out->piece.first = first;
    out->piece.last = tip.seq;
    out->piece.is_signed = true;
    focal_sign_head(&out->piece.signature, offices[KEN].keys.sign_secret, &net.id, &id, &tip);
    focal_buf_init(&out->packed, 1 << 16);
    assert_int_equal(focal_stretch_pack(packer, &out->packed, &s), FOCAL_OK);
    for (size_t i = 0; i < count; i++)
        focal_buf_close(&headers[i]);
    focal_packer_close(packer);
}

#endif
