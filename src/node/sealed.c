/* Values that travel through every office and open at their addressees alone.
 *
 * Addressees are the office that created the record, since it follows the record up; headquarters, its alternate, so that
 * what is known does not end with one office's keys; and always who writes, so that it can read what it wrote. Who names
 * others has those, and itself.
 * A sealed value belongs to the record, the field and the author it was sealed for: a copy of it in another office's entry
 * opens nowhere, so that nobody can put back what he cannot read. */
#include "inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- addressees ---- */

static bool among(const struct sealed_keys *to, const uint8_t key[32])
{
    for (size_t i = 0; i < to->count; i++)
        if (memcmp(to->list[i].b, key, 32) == 0)
            return true;
    return false;
}

static enum focal_status add(struct sealed_keys *to, const struct focal_key *key, struct focal_error *err)
{
    if (among(to, key->b))
        return FOCAL_OK;
    if (to->count == FOCAL_SEALED_ADDRESSEES_MAX)
        return focal_fail(err, FOCAL_REFUSED, "name fewer with `--seal-to`", "a value is sealed to %d offices at most, this one among them", FOCAL_SEALED_ADDRESSEES_MAX);
    to->list[to->count++] = *key;
    return FOCAL_OK;
}

/* Sealed values stand in `network`: who does not read that, or from whom it was taken, never receives them. */
static bool receives(const struct focal_node *n, const struct focal_certificate *c)
{
    const struct focal_scope network = { .cls = FOCAL_SCOPE_NETWORK };
    return c && focal_oplog_may_read(n->oplog, c, &network);
}

static enum focal_status add_named(const struct focal_node *n, const struct focal_change *c, struct sealed_keys *to, struct focal_error *err)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < c->seal_to_count && st == FOCAL_OK; i++) {
        const struct focal_certificate *who = focal_oplog_certificate(n->oplog, &c->seal_to[i]);
        if (!who)
            st = focal_fail(err, FOCAL_NOT_FOUND, "`focalctl office list` lists the offices", "there is no office \"%s\" to seal it to", c->seal_to[i].text);
        else if (!receives(n, who))
            st = focal_fail(err, FOCAL_REFUSED, "name another office", "%s does not receive what offices write for all, and so would never open it", who->office.text);
        else
            st = add(to, &who->keys.open, err);
    }
    return st;
}

enum focal_status sealed_addressees(const struct focal_node *n, const struct focal_change *c, const struct focal_certificate *creator, struct sealed_keys *to,
    struct focal_error *err)
{
    const struct focal_certificate *who;
    bool alternate = false;
    to->count = 0;
    enum focal_status st = add(to, &n->keys->open_public, err);
    if (c->seal_to_count > 0)
        return st == FOCAL_OK ? add_named(n, c, to, err) : st;
    if (st == FOCAL_OK && receives(n, creator) && strcmp(creator->office.text, n->office.text) != 0)
        st = add(to, &creator->keys.open, err);
    for (size_t i = 0; st == FOCAL_OK && (who = focal_oplog_office_at(n->oplog, i)) != NULL; i++) {
        if ((who->role != FOCAL_ROLE_HQ && !FOCAL_PLANTED(SEALED_TO_ALL)) || !receives(n, who))
            continue;
        alternate = true;
        if (strcmp(who->office.text, n->office.text) != 0)
            st = add(to, &who->keys.open, err);
    }
    if (st == FOCAL_OK && !alternate)   /* a new member may hear of headquarters' own membership after it can write */
        return focal_fail(err, FOCAL_REFUSED, "wait until `focalctl status` shows the link with headquarters up, or name who opens it with `--seal-to`",
                          "headquarters' membership has not arrived here yet, and it is to be able to open what is sealed");
    return st;
}

static int by_code(const void *a, const void *b)
{
    const struct focal_office *one = a, *other = b;
    return strcmp(one->text, other->text);
}

static void name_all(const struct focal_node *n, const struct focal_sealed *sealed, struct focal_sealed_to *to)
{
    for (size_t i = 0; i < sealed->addressees; i++) {
        const struct focal_certificate *who = focal_oplog_certificate_by_opening(n->oplog, focal_sealed_to(sealed, i));
        bool twice = false;
        for (size_t k = 0; who && k < to->count; k++)
            twice = twice || strcmp(to->office[k].text, who->office.text) == 0;
        if (!who)
            to->unknown++;
        else if (!twice)
            to->office[to->count++] = who->office;
    }
    qsort(to->office, to->count, sizeof to->office[0], by_code);
}

/* ---- sealing ---- */

static void place_of(const struct focal_node *n, const struct focal_ref *record, uint64_t field, const struct focal_office *author, struct focal_sealed_place *place)
{
    *place = (struct focal_sealed_place){ .network = *focal_oplog_network(n->oplog), .record = *record, .field = field, .author = *author };
}

enum focal_status sealed_put(struct focal_node *n, struct focal_buf *out, struct focal_span plain, const struct focal_ref *record, uint64_t field,
    const struct sealed_keys *to, struct focal_error *err)
{
    struct focal_sealed_place place;
    uint8_t random[32];
    place_of(n, record, field, &n->office, &place);
    if (FOCAL_PLANTED(SEALED_IN_CLEAR)) {
        focal_buf_span(out, plain);
        return FOCAL_OK;
    }
    n->entropy.fill(n->entropy.data, random, sizeof random);
    enum focal_status st = focal_sealed_seal(out, plain, &place, to->list, to->count, random);
    focal_wipe(random, sizeof random);
    if (st == FOCAL_TOO_BIG)
        return focal_fail(err, st, "make it shorter", "the value is too long to be sealed");
    if (st == FOCAL_NEVER)
        return focal_fail(err, st, "name other offices with `--seal-to`, and tell headquarters",
                          "an office it would be sealed to has an opening key in its membership that anybody could open");
    return st == FOCAL_OK ? st : focal_fail(err, st, "try again with fewer changes at once", "no memory for the change");
}

/* ---- opening ---- */

enum focal_status focal_node_unseal(const struct focal_node *n, const struct focal_ref *record, const struct focal_live *live, struct focal_buf *plain,
    struct focal_sealed_to *to)
{
    struct focal_sealed sealed;
    struct focal_sealed_place place;
    const struct focal_certificate *author = focal_oplog_author(n->oplog, &live->ref.log);
    if (to)
        memset(to, 0, sizeof *to);
    enum focal_status st = focal_sealed_decode(&sealed, live->value);
    if (st != FOCAL_OK)
        return st;
    if (to)
        name_all(n, &sealed, to);
    if (!plain)
        return FOCAL_OK;
    if (!author)
        return FOCAL_NEVER;
    place_of(n, record, live->field, &author->office, &place);
    return focal_sealed_open(plain, live->value, &place, n->keys);
}

bool sealed_says(const struct focal_node *n, const struct focal_ref *record, const struct focal_live *live, struct focal_span plain, const struct sealed_keys *to)
{
    struct focal_sealed sealed;
    struct focal_buf said;
    if (focal_sealed_decode(&sealed, live->value) != FOCAL_OK || sealed.addressees != to->count)
        return false;
    for (size_t i = 0; i < sealed.addressees; i++)
        if (!among(to, focal_sealed_to(&sealed, i)))
            return false;
    focal_buf_init(&said, FOCAL_ENTRY_MAX);
    bool same = focal_node_unseal(n, record, live, &said, NULL) == FOCAL_OK && focal_span_equal(focal_buf_view(&said), plain);
    focal_buf_wipe_close(&said);
    return same;
}

/* ---- in place of another entry ---- */

enum focal_status sealed_again(struct focal_node *n, struct focal_buf *out, const struct focal_ref *record, const struct focal_live *live, struct focal_error *err)
{
    struct focal_sealed sealed;
    struct focal_buf plain;
    struct sealed_keys to = { .count = 0 };
    const struct focal_certificate *author = focal_oplog_author(n->oplog, &live->ref.log);
    enum focal_status st = focal_sealed_decode(&sealed, live->value);
    if (st == FOCAL_OK && author && (strcmp(author->office.text, n->office.text) == 0 || FOCAL_PLANTED(SEALED_COPIED))) {
        focal_buf_span(out, live->value);               /* ours: it fits as it is, and we need not open it */
        return out->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
    }
    for (size_t i = 0; st == FOCAL_OK && i < sealed.addressees; i++)
        memcpy(to.list[to.count++].b, focal_sealed_to(&sealed, i), 32);
    focal_buf_init(&plain, FOCAL_ENTRY_MAX);
    if (st == FOCAL_OK)
        st = focal_node_unseal(n, record, live, &plain, NULL);
    if (st == FOCAL_OK)
        st = sealed_put(n, out, focal_buf_view(&plain), record, live->field, &to, err);
    else if (st != FOCAL_NO_MEMORY)
        st = focal_fail(err, FOCAL_DENIED, "redact that sealed field first, or the whole record, or ask who can open it",
                        "the field stands in one entry with a sealed one that does not open here, and that one cannot be written again");
    focal_buf_wipe_close(&plain);
    return st;
}
