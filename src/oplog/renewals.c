/* What renewals make of certificates: a later last day, and more openings; and what day it is by others.
 *
 * Openings decide what an entry means, so they only grow: whoever signed a renewal with a key that the authority once gave,
 * it counts for ever, up to OPENINGS_A_YEAR for each year beyond the certificate's own last day. Days decide who is talked
 * to: there a renewal counts only while its key is the one that the authority gave last, its certificate the highest of its
 * office, and nothing was taken from that. All is a function of the set held, in whatever order it came. */
#include "inside.h"

enum { OPENINGS_A_YEAR = 400, YEAR_DAYS = 365 };

/* The certificate that is meant; NULL: it is not here yet. */
static struct held_statement *extended(const struct focal_oplog *ol, const struct focal_renewal *r)
{
    size_t count;
    struct held_statement *const *list = focal_oplog_statements_of(ol, FOCAL_STATEMENT_CERTIFICATE, r->office.text, &count);
    for (size_t i = 0; i < count; i++)
        if (list[i]->certificate && focal_hash_equal(&list[i]->hash, &r->certificate))
            return list[i];
    return NULL;
}

/* Signed by a key that the authority has not taken away, and that reaches so far? Of equal numbers, two keys speak for neither. */
static bool key_stands(const struct focal_oplog *ol, const struct focal_renewal *r)
{
    size_t count;
    const struct focal_delegation *by = &r->by;
    const struct focal_certificate *keeper = focal_oplog_certificate(ol, &by->office);
    struct held_statement *const *list = focal_oplog_statements_of(ol, FOCAL_STATEMENT_DELEGATION, by->office.text, &count);
    bool stands = r->to_day <= by->until_day && !(keeper && focal_oplog_cut_of(ol, &keeper->keys.sign));
    for (size_t i = 0; i < count && stands; i++) {
        const struct focal_delegation *d = list[i]->delegation;
        if (d && d->number >= by->number)
            stands = d->key_set && focal_key_equal(&d->key, &by->key) && r->to_day <= d->until_day;
    }
    return stands;
}

static uint32_t openings_of(const struct focal_renewal *r, const struct held_statement *of)
{
    const uint32_t days = r->to_day > of->signed_to ? r->to_day - of->signed_to : 0;
    const uint64_t most = of->signed_openings + (uint64_t)OPENINGS_A_YEAR * ((days + (uint64_t)YEAR_DAYS - 1) / YEAR_DAYS);
    if (r->delegation.len == 0 || r->openings_max <= most)
        return r->openings_max;
    return (uint32_t)(most < UINT32_MAX ? most : UINT32_MAX);
}

void focal_oplog_renewals_derive(struct focal_oplog *ol)
{
    struct statement_set *set = &ol->statements;
    for (size_t i = 0; i < set->count; i++) {
        if (!set->list[i]->certificate)
            continue;
        set->list[i]->certificate->to_day = set->list[i]->signed_to;
        set->list[i]->certificate->openings_max = set->list[i]->signed_openings;
    }
    for (size_t i = 0; i < set->count; i++) {
        const struct focal_renewal *r = set->list[i]->renewal;
        struct held_statement *of = r ? extended(ol, r) : NULL;
        if (!of)
            continue;
        struct focal_certificate *c = of->certificate;
        const uint32_t openings = openings_of(r, of);
        c->openings_max = openings > c->openings_max ? openings : c->openings_max;
        const bool by_authority = r->delegation.len == 0 || FOCAL_PLANTED(RENEWAL_KEY_FOR_EVER);
        const bool counts = focal_oplog_certificate(ol, &c->office) == c && (by_authority || (key_stands(ol, r) && !focal_oplog_cut_of(ol, &c->keys.sign)));
        c->to_day = counts && r->to_day > c->to_day ? r->to_day : c->to_day;
    }
}

uint64_t focal_oplog_renewal_number(const struct focal_oplog *ol, const struct focal_office *office)
{
    size_t count;
    uint64_t highest = 0;
    struct held_statement *const *list = focal_oplog_statements_of(ol, FOCAL_STATEMENT_RENEWAL, office->text, &count);
    for (size_t i = 0; i < count; i++)
        highest = list[i]->renewal && list[i]->renewal->number > highest ? list[i]->renewal->number : highest;
    return highest;
}

bool focal_oplog_delegation(const struct focal_oplog *ol, const struct focal_office *office, struct focal_delegation *out, struct focal_span *statement)
{
    size_t count;
    struct held_statement *const *list = focal_oplog_statements_of(ol, FOCAL_STATEMENT_DELEGATION, office->text, &count);
    out->number = 0;
    for (size_t i = 0; i < count; i++) {
        if (!list[i]->delegation || list[i]->delegation->number <= out->number)
            continue;
        *out = *list[i]->delegation;
        *statement = focal_span_of(list[i]->bytes, list[i]->len);
    }
    return out->number > 0;
}

static uint32_t day_in(const struct held_statement *held)
{
    return held->certificate ? held->certificate->from_day : held->cut ? held->cut->day : held->renewal ? held->renewal->day : held->delegation ? held->delegation->day : held->policy ? held->policy->day : 0;
}

uint32_t focal_oplog_others_day(const struct focal_oplog *ol)
{
    uint32_t latest = ol->genesis.day;
    size_t at = 0;
    const void *key;
    void *value;
    for (size_t i = 0; i < ol->statements.count; i++)
        latest = day_in(ol->statements.list[i]) > latest ? day_in(ol->statements.list[i]) : latest;
    while (focal_map_next(&ol->receipts.held, &at, &key, &value)) {
        const struct held_receipt *held = value;
        struct focal_key signer;
        memcpy(signer.b, held->key + sizeof(struct focal_hash), sizeof signer.b);
        const bool other = !ol->has_keys || !focal_key_equal(&signer, &ol->keys->sign_public);
        if (other && held->day > latest && focal_oplog_held_by_sign(ol, &signer) && !focal_oplog_cut_of(ol, &signer))
            latest = held->day;
    }
    return latest;
}

bool focal_oplog_policy(const struct focal_oplog *ol, const char *name, struct focal_policy *out)
{
    size_t count;
    struct held_statement *const *list = focal_oplog_statements_of(ol, FOCAL_STATEMENT_POLICY, name, &count);
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < count; i++) {
        const struct focal_policy *p = list[i]->policy;
        if (!p || p->number < out->number)
            continue;
        const uint64_t with = p->number == out->number ? out->value : 0;
        *out = *p;
        out->value |= with;
    }
    return out->number > 0;
}
