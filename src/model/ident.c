/* Names of things: identifiers, references, scopes, office codes. */
#include "focal/model.h"

#include <stdio.h>
#include <string.h>

bool focal_id_equal(const struct focal_id *a, const struct focal_id *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool focal_hash_equal(const struct focal_hash *a, const struct focal_hash *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool focal_key_equal(const struct focal_key *a, const struct focal_key *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool focal_bytes_zero(const void *data, size_t len)
{
    const uint8_t *bytes = data;
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= bytes[i];
    return any == 0;
}

/* ---- references ---- */

void focal_ref_put(uint8_t out[FOCAL_REF_BYTES], const struct focal_ref *ref)
{
    memcpy(out, ref->log.b, 16);
    focal_put_be64(out + 16, ref->seq);
    memcpy(out + 24, ref->h8, 8);
}

void focal_ref_get(struct focal_ref *ref, const uint8_t in[FOCAL_REF_BYTES])
{
    memcpy(ref->log.b, in, 16);
    ref->seq = focal_get_be64(in + 16);
    memcpy(ref->h8, in + 24, 8);
}

int focal_ref_compare(const struct focal_ref *a, const struct focal_ref *b)
{
    int order = memcmp(a->log.b, b->log.b, 16);
    if (order == 0 && a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    if (order == 0)
        order = memcmp(a->h8, b->h8, 8);
    return order < 0 ? -1 : order > 0;
}

bool focal_ref_parse(struct focal_ref *ref, struct focal_span hex)
{
    uint8_t bytes[FOCAL_REF_BYTES];
    if (!focal_unhex(bytes, sizeof bytes, hex))
        return false;
    focal_ref_get(ref, bytes);
    return true;
}

/* ---- scopes ---- */

static bool upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

/* Any three capitals are a country here: certificates of peers hold scopes too, and a list of countries that a newer
 * program knows better must not decide what is well-formed. Who takes a scope from a person asks focal_country_known. */
bool focal_scope_parse(struct focal_scope *scope, struct focal_span text)
{
    static const char prefix[] = "country:";
    enum { PREFIX = sizeof prefix - 1 };
    struct focal_scope made = { 0 };
    if (focal_span_equal(text, focal_span_text("control"))) {
        made.cls = FOCAL_SCOPE_CONTROL;
    } else if (focal_span_equal(text, focal_span_text("network"))) {
        made.cls = FOCAL_SCOPE_NETWORK;
    } else if (text.len == PREFIX + 3 && memcmp(text.data, prefix, PREFIX) == 0) {
        const uint8_t *c = text.data + PREFIX;
        if (!upper(c[0]) || !upper(c[1]) || !upper(c[2]))
            return false;
        made.cls = FOCAL_SCOPE_COUNTRY;
        memcpy(made.country, c, 3);
    } else {
        return false;
    }
    *scope = made;
    return true;
}

void focal_scope_print(char out[16], const struct focal_scope *scope)
{
    switch (scope->cls) {
    case FOCAL_SCOPE_CONTROL: snprintf(out, 16, "control"); return;
    case FOCAL_SCOPE_NETWORK: snprintf(out, 16, "network"); return;
    case FOCAL_SCOPE_COUNTRY: snprintf(out, 16, "country:%.3s", scope->country); return;
    case FOCAL_SCOPE_SEALED:  snprintf(out, 16, "sealed"); return;
    case FOCAL_SCOPE_LOCAL:   snprintf(out, 16, "local"); return;
    default:                  snprintf(out, 16, "scope-%u", (unsigned)scope->cls); return;
    }
}

int focal_scope_compare(const struct focal_scope *a, const struct focal_scope *b)
{
    if (a->cls != b->cls)
        return a->cls < b->cls ? -1 : 1;
    int order = strncmp(a->country, b->country, sizeof a->country);
    return order < 0 ? -1 : order > 0;
}

/* ---- offices ---- */

bool focal_office_parse(struct focal_office *office, struct focal_span text)
{
    if (text.len < 2 || text.len > FOCAL_OFFICE_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool inside = i > 0 && i + 1 < text.len;
        if (!upper(c) && !(c >= '0' && c <= '9') && !(c == '-' && inside))
            return false;
    }
    struct focal_office made = { { 0 } };
    memcpy(made.text, text.data, text.len);
    *office = made;
    return true;
}
