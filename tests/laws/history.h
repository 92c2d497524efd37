/* Small histories as a list of signed pieces and statements, and what a node lives through as they come in one order or another. */
#ifndef FOCAL_TESTS_HISTORY_H
#define FOCAL_TESTS_HISTORY_H

#include "../unit/oplog/forge.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS_MAX = 24, WORDS_MAX = 8, BUFFERS_MAX = 64, ENTRIES_MAX = 32 };

/* One branch of one log, as far as its author has written it. */
struct line {
    const struct office *author;
    struct focal_log_name name;
    struct focal_id id;
    uint64_t seq;
    struct focal_hash h;
};

struct step {
    bool is_statement, never;           /* never: it waits for ever, for what it needs is not told here */
    bool beyond;                        /* of a cut: gets in when it comes before it, and means nothing */
    bool is_unsigned;                   /* staged, until the piece after it brings the signature */
    struct carried piece;
    struct focal_buf statement;
    size_t after;                       /* the step that comes before it in its log; STEPS_MAX: none */
};

struct history {
    const char *name;
    struct step steps[STEPS_MAX];
    size_t count, fixed;                /* the first `fixed` come first and in this order */
    const char *erased[WORDS_MAX], *kept[WORDS_MAX];
    struct focal_ref records[WORDS_MAX];
    size_t erased_count, kept_count, record_count;
    struct focal_buf buffers[BUFFERS_MAX];      /* payloads and headers that pieces are made of */
    size_t buffer_count;
};

/* ---- making one ------------------------------------------------------------------------------------------------------- */

static inline struct focal_buf *history_buffer(struct history *h)
{
    assert_true(h->buffer_count < BUFFERS_MAX);
    focal_buf_init(&h->buffers[h->buffer_count], FOCAL_STATEMENT_MAX);
    return &h->buffers[h->buffer_count++];
}

static inline struct line line_in(const struct office *author, const struct focal_scope *scope, uint8_t lane, uint8_t epoch)
{
    struct line line = { .author = author, .name = name_of(author, scope, epoch) };
    line.name.lane = lane;
    focal_log_id(&line.id, &net.id, &line.name);
    focal_chain_start(&line.h, &line.id);
    return line;
}

static inline struct line line_of(const struct office *author, const struct focal_scope *scope, uint8_t lane)
{
    return line_in(author, scope, lane, 1);
}

static inline size_t step_add(struct history *h)
{
    assert_true(h->count < STEPS_MAX);
    h->steps[h->count] = (struct step){ .after = STEPS_MAX };
    return h->count++;
}

/* The entries of a piece follow the line's end; the reference is that of the last. */
static inline struct focal_ref piece_of(struct history *h, struct line *line, struct forged_entry *entries, size_t count, bool sign)
{
    const size_t at = step_add(h);
    for (size_t i = at; i-- > 0 && h->steps[at].after == STEPS_MAX && line->seq > 0;) {
        const struct step *s = &h->steps[i];
        if (!s->is_statement && s->piece.piece.last == line->seq && memcmp(&s->piece.name, &line->name, sizeof line->name) == 0)
            h->steps[at].after = i;     /* of two branches it may be the other: only an order the less */
    }
    for (size_t i = 0; i < count; i++)
        entries[i].header.seq = line->seq + 1 + i;
    forge(&h->steps[at].piece, line->author, &line->name, line->seq ? &line->h : NULL, line->seq + 1, entries, count, sign);
    h->steps[at].is_unsigned = !sign;
    line->seq += count;
    line->h = forge_head;
    struct focal_ref ref = { .log = line->id, .seq = line->seq };
    memcpy(ref.h8, line->h.b, sizeof ref.h8);
    return ref;
}

static inline struct focal_ref piece(struct history *h, struct line *line, struct forged_entry *entries, size_t count)
{
    return piece_of(h, line, entries, count, true);
}

/* With its begin entry, where it is the first of its log. */
static inline struct focal_ref entry(struct history *h, struct line *line, struct forged_entry e)
{
    struct forged_entry list[2] = { begin_entry, e };
    return line->seq == 0 ? piece(h, line, list, 2) : piece(h, line, &e, 1);
}

static inline void statement(struct history *h, const struct focal_buf *bytes)
{
    struct step *s = &h->steps[step_add(h)];
    s->is_statement = true;
    focal_buf_init(&s->statement, FOCAL_STATEMENT_MAX);
    focal_buf_span(&s->statement, focal_buf_view(bytes));
}

static inline void certificate(struct history *h, const struct office *o, uint64_t number, uint32_t rights)
{
    struct focal_certificate c;
    struct focal_buf bytes;
    focal_buf_init(&bytes, FOCAL_STATEMENT_MAX);
    certificate_for(&c, o, number);
    c.rights = rights;
    certificate_sign(&bytes, &net, &c);
    statement(h, &bytes);
    focal_buf_close(&bytes);
}

static inline void opens(struct history *h, const struct office *o, uint8_t epoch)
{
    struct line control = line_in(o, &scope_control, FOCAL_LANE_DATA, epoch);
    struct forged_entry first = begin_entry;
    struct focal_buf payload;
    opening(&payload, &control.name, epoch);
    first.payload = focal_buf_view(&payload);
    (void)piece(h, &control, &first, 1);
    focal_buf_close(&payload);
}

/* Gives its record two values, or one. home: says the home scope, the network. */
static inline struct forged_entry says_of_kind(struct history *h, uint64_t kind, const struct focal_ref *record, bool home, const char *a, const char *b)
{
    struct forged_entry e = { .header = { .shape = FOCAL_SHAPE_ORDINARY, .creates = record == NULL } };
    struct focal_hash scope;
    struct focal_item items[2];
    size_t n = 0;
    focal_scope_id(&scope, &net.id, &scope_network);
    const struct focal_span home_id = focal_span_of(scope.b, sizeof scope.b);
    if (a)
        items[n++] = (struct focal_item){ .field = FIELD_A, .value = focal_span_text(a) };
    if (b)
        items[n++] = (struct focal_item){ .field = FIELD_B, .value = focal_span_text(b) };
    if (record)
        e.header.record = *record;
    struct focal_buf *payload = history_buffer(h);
    focal_payload_encode(payload, kind, home ? &home_id : NULL, NULL, items, n);
    e.payload = focal_buf_view(payload);
    return e;
}

static inline struct forged_entry says(struct history *h, const struct focal_ref *record, bool home, const char *a, const char *b)
{
    return says_of_kind(h, FOCAL_KIND_CASE, record, home, a, b);
}

static inline int replaced_order(const void *a, const void *b)
{
    return focal_replaced_compare(a, b);
}

static inline struct forged_entry instead(struct history *h, struct forged_entry e, const struct focal_ref *of, const uint16_t *ordinals, size_t count)
{
    struct focal_replaced list[8];
    struct focal_buf *bytes = history_buffer(h);
    assert_true(count <= 8);
    for (size_t i = 0; i < count; i++)
        list[i] = (struct focal_replaced){ .entry = of[i], .ordinal = ordinals ? ordinals[i] : 0 };
    qsort(list, count, sizeof *list, replaced_order);
    for (size_t i = 0; i < count; i++)
        focal_replaced_put(bytes, &list[i]);
    e.header.replaced = focal_buf_view(bytes);
    return e;
}

static inline struct forged_entry quotes(struct history *h, const struct line *of, struct focal_hash before, struct forged_entry e, uint64_t seq)
{
    struct forged_entry q = { .header = { .shape = FOCAL_SHAPE_QUOTE, .quoted_author = of->name.author, .quoted_epoch = of->name.epoch,
        .quoted_before = before }, .payload = e.payload, .salt = (uint8_t)seq };
    struct focal_buf *header = history_buffer(h);
    uint8_t salt[FOCAL_SALT_BYTES];
    e.header.seq = seq;
    focal_header_encode(header, &e.header);
    q.header.quoted_header = focal_buf_view(header);
    memset(salt, (int)seq, sizeof salt);
    focal_commitment(&q.header.quoted_commitment, salt, q.payload);
    return q;
}

static inline struct forged_entry redacts(struct history *h, const struct focal_ref *ref, const struct focal_ref *record)
{
    struct forged_entry e = { .header = { .shape = FOCAL_SHAPE_ORDINARY, .creates = true } };
    struct focal_item items[3];
    uint8_t one[FOCAL_REF_BYTES], other[FOCAL_REF_BYTES];
    static const uint8_t reason = 2;
    size_t n = 0;
    if (ref) {
        focal_ref_put(one, ref);
        items[n++] = (struct focal_item){ .field = FOCAL_REDACTION_ENTRY, .value = focal_span_of(one, sizeof one) };
    }
    if (record) {
        focal_ref_put(other, record);
        items[n++] = (struct focal_item){ .field = FOCAL_REDACTION_RECORD, .value = focal_span_of(other, sizeof other) };
    }
    items[n++] = (struct focal_item){ .field = FOCAL_REDACTION_REASON, .value = focal_span_of(&reason, 1) };
    struct focal_buf *payload = history_buffer(h);
    focal_payload_encode(payload, FOCAL_KIND_REDACTION, NULL, NULL, items, n);
    e.payload = focal_buf_view(payload);
    return e;
}

static inline void history_close(struct history *h)
{
    for (size_t i = 0; i < h->count; i++) {
        if (h->steps[i].is_statement)
            focal_buf_close(&h->steps[i].statement);
        else
            carried_close(&h->steps[i].piece);
    }
    for (size_t i = 0; i < h->buffer_count; i++)
        focal_buf_close(&h->buffers[i]);
}

/* ---- living through it -------------------------------------------------------------------------------------------------- */

enum batching { AT_ONCE, EACH, BY_CHANCE, BATCHINGS };

struct life {
    const struct history *h;
    struct office *at;
    struct chance chance;
    bool arrived[STEPS_MAX], done[STEPS_MAX];
};

static inline bool take(struct life *l, size_t i)
{
    const struct step *s = &l->h->steps[i];
    const enum focal_status st = s->is_statement ? focal_oplog_add_statement(l->at->ol, focal_buf_view(&s->statement)) : hand_over(l->at, &s->piece);
    if (st != FOCAL_OK && st != FOCAL_EXISTS && st != FOCAL_NOT_YET && st != FOCAL_CONFLICT && st != FOCAL_NO_LONGER)
        fail_msg("%s: step %zu: status %d", l->h->name, i, (int)st);
    return st == FOCAL_OK || st == FOCAL_EXISTS;
}

/* What waits is tried again until nothing moves. */
static inline void settle(struct life *l, const size_t *order)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t k = 0; k < l->h->count; k++) {
            const size_t i = order[k];
            if (!l->arrived[i] || l->done[i])
                continue;
            /* What was staged may have been dropped, and is then asked for again. */
            const size_t after = l->h->steps[i].after;
            if (after != STEPS_MAX && l->h->steps[after].is_unsigned && l->done[after])
                (void)take(l, after);
            if (take(l, i))
                moved = l->done[i] = true;
        }
    }
}

static inline void end_transaction(struct life *l)
{
    commit(l->at);
    if (!focal_oplog_scrub_due(l->at->ol))
        return;
    assert_int_equal(focal_store_scrub(l->at->store), FOCAL_OK);
    focal_oplog_scrubbed(l->at->ol);
}

static inline void live(const struct history *h, const size_t *order, enum batching batching, uint64_t seed, struct office *at)
{
    struct life l = { .h = h, .at = at, .chance = { seed } };
    bool before[STEPS_MAX] = { false };
    office_make(at, &net, "MLI", 900);
    focal_fake_store_keep_log(at->store);
    hold(at, &at->statement);
    begin(at);
    for (size_t k = 0; k < h->count; k++) {
        l.arrived[order[k]] = true;
        settle(&l, order);
        if (batching == BY_CHANCE && chance_below(&l.chance, 4) == 0) {
            roll_back(at);
            memcpy(l.done, before, sizeof before);
            begin(at);
            settle(&l, order);
        }
        if (batching == AT_ONCE || (batching == BY_CHANCE && chance_below(&l.chance, 2) == 0))
            continue;
        end_transaction(&l);
        memcpy(before, l.done, sizeof before);
        if (batching == BY_CHANCE && chance_below(&l.chance, 3) == 0) {
            focal_oplog_close(at->ol);
            office_open(at);
        }
        begin(at);
    }
    end_transaction(&l);
    /* What was erased by a redaction that counts no more is asked for again. */
    begin(at);
    for (size_t i = 0; i < h->count && focal_oplog_has_holes(at->ol); i++) {
        if (!h->steps[i].is_statement)
            (void)take(&l, i);
    }
    end_transaction(&l);
    assert_false(focal_oplog_has_holes(at->ol));
    for (size_t i = 0; i < h->count; i++)
        assert_true(h->steps[i].beyond || l.done[i] == !h->steps[i].never);
}

/* ---- what must be the same ------------------------------------------------------------------------------------------------- */

static inline int entry_order(const void *a, const void *b)
{
    const struct focal_record_entry *one = a, *other = b;
    return focal_ref_compare(&one->ref, &other->ref);
}

/* Found by the postings, which themselves name lines and segments, and so may differ. */
static inline size_t entries_about(struct office *o, const struct focal_ref *record, const struct focal_scope *scope, struct focal_record_entry *out)
{
    struct focal_hash id;
    size_t count;
    focal_scope_id(&id, &net.id, scope);
    assert_int_equal(focal_oplog_record_entries(o->ol, record, &id, 0, out, ENTRIES_MAX, &count), FOCAL_OK);
    assert_true(count <= ENTRIES_MAX);
    qsort(out, count, sizeof *out, entry_order);
    return count;
}

static inline void same_entries(const struct history *h, struct office *a, struct office *b)
{
    static const struct focal_scope *const scopes[] = { &scope_network, &scope_kenya };
    struct focal_record_entry one[ENTRIES_MAX], other[ENTRIES_MAX];
    for (size_t r = 0; r < h->record_count; r++) {
        for (size_t s = 0; s < 2; s++) {
            const size_t count = entries_about(a, &h->records[r], scopes[s], one);
            assert_int_equal(entries_about(b, &h->records[r], scopes[s], other), count);
            for (size_t i = 0; i < count; i++) {
                assert_int_equal(focal_ref_compare(&one[i].ref, &other[i].ref), 0);
                assert_string_equal(one[i].office.text, other[i].office.text);
                assert_true(one[i].creates == other[i].creates && one[i].has_home == other[i].has_home);
            }
        }
    }
}

static inline void rebuild_changes_nothing(struct office *o)
{
    uint64_t before[FOCAL_SHELF_LAST + 1], after, rows;
    for (int s = FOCAL_SHELF_META; s <= FOCAL_SHELF_LAST; s++)
        assert_int_equal(focal_shelf_digest(o->store, (enum focal_shelf)s, &before[s], &rows), FOCAL_OK);
    begin(o);
    assert_int_equal(focal_oplog_rebuild(o->ol), FOCAL_OK);
    commit(o);
    for (int s = FOCAL_SHELF_META; s <= FOCAL_SHELF_LAST; s++) {
        assert_int_equal(focal_shelf_digest(o->store, (enum focal_shelf)s, &after, &rows), FOCAL_OK);
        if (before[s] != after)
            fail_msg("rebuild changed shelf %d", s);
    }
}

/* Every word that must be gone is gone, in the log of the store as well. */
static inline void words_are_gone(const struct history *h, struct office *o)
{
    for (size_t i = 0; i < h->erased_count; i++) {
        if (focal_fake_store_holds(o->store, focal_span_text(h->erased[i])))
            fail_msg("%s: %s is readable", h->name, h->erased[i]);
    }
    for (size_t i = 0; i < h->kept_count; i++)
        assert_true(focal_fake_store_holds(o->store, focal_span_text(h->kept[i])));
}

static inline void same_meaning(const struct history *h, struct office *reference, const struct focal_hash *digest, struct office *o)
{
    struct focal_hash other;
    struct focal_buf why;
    uint64_t hidden, expected;
    assert_same_state(reference, o);
    focal_buf_init(&why, 1 << 16);
    if (focal_shelf_compare(reference->store, o->store, FOCAL_SHELF_REDACTION, &why) != FOCAL_OK)
        fail_msg("redactions differ: %s", focal_buf_cstr(&why));
    focal_buf_close(&why);
    assert_verifies(o, &other);
    assert_true(focal_hash_equal(digest, &other));
    assert_int_equal(focal_oplog_hidden_count(reference->ol, &expected), FOCAL_OK);
    assert_int_equal(focal_oplog_hidden_count(o->ol, &hidden), FOCAL_OK);
    assert_int_equal(hidden, expected);
    same_entries(h, reference, o);
}

/* ---- every order ---------------------------------------------------------------------------------------------------------- */

struct orders {
    const struct history *h;
    struct office *reference;
    struct focal_hash digest;           /* of the reference */
    size_t order[STEPS_MAX], seen, lived, stride;       /* of `stride` lives one is lived */
    bool placed[STEPS_MAX], founded;
};

static inline void live_and_compare(struct orders *o)
{
    for (int b = 0; b < BATCHINGS; b++) {
        if (o->founded && o->stride > 1 && (o->seen * BATCHINGS + (size_t)b) % o->stride != 0)
            continue;
        struct office here, *at = o->founded ? &here : o->reference;
        live(o->h, o->order, (enum batching)b, o->seen * 31 + (size_t)b, at);
        words_are_gone(o->h, at);
        if (o->founded)
            same_meaning(o->h, o->reference, &o->digest, at);
        rebuild_changes_nothing(at);
        if (o->founded)
            office_close(at);
        else
            assert_verifies(at, &o->digest);
        o->founded = true;
        o->lived++;
    }
    o->seen++;
}

static inline void orders_from(struct orders *o, size_t at)
{
    if (at == o->h->count) {
        live_and_compare(o);
        return;
    }
    for (size_t i = at < o->h->fixed ? at : o->h->fixed; i < (at < o->h->fixed ? at + 1 : o->h->count); i++) {
        const size_t after = o->h->steps[i].after;
        if (o->placed[i] || (after != STEPS_MAX && !o->placed[after]))
            continue;
        o->placed[i] = true;
        o->order[at] = i;
        orders_from(o, at + 1);
        o->placed[i] = false;
    }
}

/* In every order that is one within each log, in three batchings. The reference is made by the first, unless it is given. */
static inline void every_order(const struct history *h, struct office *reference, bool given, size_t stride)
{
    struct orders o = { .h = h, .reference = reference, .stride = stride, .founded = given };
    assert_int_not_equal(stride % BATCHINGS, 0);    /* else it would meet one batching alone */
    if (given)
        assert_verifies(reference, &o.digest);
    orders_from(&o, 0);
    print_message("%s: %zu of %zu lives, %zu orders\n", h->name, o.lived, o.seen * BATCHINGS, o.seen);
    assert_true(o.lived > 0);
}

#endif
