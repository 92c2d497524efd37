/* The set of statements the authority has signed. It only grows. What it grants is derived from it by anyone alike:
 * of certificates of one office, one signing key or one channel key the highest number counts, then the smaller hash. */
#include "inside.h"

#include <stdlib.h>

enum { FIRST = 16 };

enum focal_status focal_oplog_room(void **array, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return FOCAL_OK;
    size_t more = *cap ? *cap * 2 : FIRST;
    void *grown = focal_realloc(*array, more * size);
    if (!grown)
        return FOCAL_NO_MEMORY;
    *array = grown;
    *cap = more;
    return FOCAL_OK;
}

void focal_oplog_statements_init(struct focal_oplog *ol)
{
    focal_map_init(&ol->statements.by_sign, sizeof(struct focal_key), ol->seed);
    focal_map_init(&ol->statements.by_channel, sizeof(struct focal_key), ol->seed);
}

static void free_held(struct held_statement *held)
{
    focal_free(held->bytes);
    focal_free(held->what);
    focal_free(held->leads);
    focal_free(held);
}

void focal_oplog_statements_close(struct focal_oplog *ol)
{
    struct statement_set *set = &ol->statements;
    for (size_t i = 0; i < set->count; i++)
        free_held(set->list[i]);
    for (size_t i = 0; i < set->idle_count; i++)
        free_held(set->idle[i]);
    focal_free(set->list);
    focal_free(set->idle);
    focal_free(set->subjects);
    focal_free(set->offices);
    focal_free(set->cuts);
    focal_map_close(&set->by_sign);
    focal_map_close(&set->by_channel);
}

/* ---- derived ------------------------------------------------------------------------------------------------------ */

static bool counts_before(const struct held_statement *a, const struct held_statement *b)
{
    if (a->certificate->number != b->certificate->number)
        return a->certificate->number > b->certificate->number;
    return memcmp(a->hash.b, b->hash.b, sizeof a->hash.b) < 0;
}

static enum focal_status put_if_highest(struct focal_map *map, const struct focal_key *key, struct held_statement *held)
{
    const struct held_statement *best = focal_map_get(map, key);
    return best && counts_before(best, held) ? FOCAL_OK : focal_map_put(map, key, held);
}

static enum focal_status index_office(struct statement_set *set, struct held_statement *held)
{
    size_t at = 0;
    int order = 1;
    while (at < set->office_count
           && (order = strcmp(set->offices[at]->certificate->office.text, held->certificate->office.text)) < 0)
        at++;
    if (at < set->office_count && order == 0) {
        if (counts_before(held, set->offices[at]))
            set->offices[at] = held;
        return FOCAL_OK;
    }
    void *list = set->offices;
    enum focal_status st = focal_oplog_room(&list, &set->office_cap, set->office_count, sizeof *set->offices);
    set->offices = list;
    if (st != FOCAL_OK)
        return st;
    memmove(set->offices + at + 1, set->offices + at, (set->office_count - at) * sizeof *set->offices);
    set->offices[at] = held;
    set->office_count++;
    return FOCAL_OK;
}

static enum focal_status index_scopes(struct focal_oplog *ol, const struct focal_certificate *c)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < c->read_count && st == FOCAL_OK; i++)
        st = focal_oplog_scope_add(ol, &c->read[i]);
    for (size_t i = 0; i < c->write_count && st == FOCAL_OK; i++)
        st = focal_oplog_scope_add(ol, &c->write[i]);
    return st;
}

static enum focal_status index_certificate(struct focal_oplog *ol, struct held_statement *held)
{
    struct statement_set *set = &ol->statements;
    const struct focal_certificate *c = held->certificate;
    struct held_statement *head = focal_map_get(&set->by_sign, &c->keys.sign);
    /* The head of the list of one key is its highest, so that the map's value is both. */
    enum focal_status st = FOCAL_OK;
    if (!head || counts_before(held, head)) {
        held->same_sign = head;
        st = focal_map_put(&set->by_sign, &c->keys.sign, held);
    } else {
        held->same_sign = head->same_sign;
        head->same_sign = held;
    }
    if (st == FOCAL_OK)
        st = put_if_highest(&set->by_channel, &c->keys.channel, held);
    if (st == FOCAL_OK)
        st = index_office(set, held);
    return st == FOCAL_OK ? index_scopes(ol, c) : st;
}

/* A new one may give, or show, a right to redact. Most renew an old one, and say nothing new of it. */
static enum focal_status take_certificate(struct focal_oplog *ol, struct held_statement *held)
{
    const struct focal_key *key = &held->certificate->keys.sign;
    const struct redactor before = focal_oplog_redactor(ol, key);
    enum focal_status st = index_certificate(ol, held);
    const struct redactor now = focal_oplog_redactor(ol, key);
    if (ol->redacted.count > 0 && (before.right != now.right || strcmp(before.office.text, now.office.text) != 0) && !FOCAL_PLANTED(REDACTION_JUDGED_ONCE))
        ol->targets_all = true;
    return st;
}

/* Hashes of sorted hashes: of each subject, and of all. */
static enum focal_status index_subjects(struct focal_oplog *ol)
{
    struct statement_set *set = &ol->statements;
    struct focal_buf all;
    focal_buf_init(&all, SIZE_MAX / 2);
    set->subject_count = 0;
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < set->count;) {
        size_t end = i, from = all.len;
        for (; end < set->count && memcmp(set->list[end]->subject, set->list[i]->subject, 8) == 0; end++)
            focal_buf_bytes(&all, set->list[end]->hash.b, sizeof set->list[end]->hash.b);
        void *list = set->subjects;
        st = focal_oplog_room(&list, &set->subject_cap, set->subject_count, sizeof *set->subjects);
        set->subjects = list;
        if (st == FOCAL_OK && all.failed)
            st = FOCAL_NO_MEMORY;
        if (st != FOCAL_OK)
            break;
        struct held_subject *subject = &set->subjects[set->subject_count++];
        memcpy(subject->subject, set->list[i]->subject, 8);
        subject->first = i;
        subject->count = end - i;
        focal_blake2b(subject->set, sizeof subject->set, focal_span_text("focal subject set 1"),
                      focal_span_of(all.data + from, all.len - from));
        i = end;
    }
    if (st == FOCAL_OK)
        focal_blake2b(set->hash.b, sizeof set->hash.b, focal_span_text("focal statements 1"), focal_buf_view(&all));
    focal_buf_close(&all);
    return st;
}

/* One subject per kind and office. What a statement is about stands in its first item, also in kinds that come later: so every
 * program gives the same names, and one more statement does not make all of its kind go out again. */
static void subject_of(uint8_t out[8], const struct focal_hash *network, uint64_t of_kind, struct focal_span subject)
{
    uint8_t kind[8];
    focal_put_be64(kind, of_kind);
    const struct focal_span parts[] = { focal_span_text("focal subject 1"), { network->b, sizeof network->b }, { kind, sizeof kind }, subject };
    struct focal_hash h;
    focal_hash_parts(&h, parts, sizeof parts / sizeof *parts);
    memcpy(out, h.b, 8);
}

static int place_order(const struct held_statement *a, const struct held_statement *b)
{
    int order = memcmp(a->subject, b->subject, 8);
    return order ? order : memcmp(a->hash.b, b->hash.b, sizeof a->hash.b);
}

static size_t place_of(const struct statement_set *set, const struct held_statement *held)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (place_order(set->list[middle], held) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct held_statement *const *focal_oplog_statements_of(const struct focal_oplog *ol, uint64_t kind, const char *about, size_t *count)
{
    const struct statement_set *set = &ol->statements;
    struct held_statement least = { .len = 0 };
    subject_of(least.subject, &ol->network, kind, focal_span_text(about));
    const size_t first = place_of(set, &least);
    for (*count = 0; first + *count < set->count && memcmp(set->list[first + *count]->subject, least.subject, sizeof least.subject) == 0;)
        ++*count;
    return set->list + first;
}

bool focal_oplog_subject_leads(const struct focal_oplog *ol, const uint8_t subject[8])
{
    uint8_t leads[8];
    subject_of(leads, &ol->network, FOCAL_STATEMENT_AUTHORITY, focal_span_text(FOCAL_SUCCESSION_SUBJECT));
    return memcmp(leads, subject, sizeof leads) == 0;
}

/* ---- in and out ------------------------------------------------------------------------------------------------------- */

/* What of a statement is kept as this program understands it. */
static const void *understood(const struct focal_statement *s, size_t *size)
{
    switch (s->kind) {
    case FOCAL_STATEMENT_CERTIFICATE: *size = sizeof s->is.certificate; return &s->is.certificate;
    case FOCAL_STATEMENT_CUT: *size = sizeof s->is.cut; return &s->is.cut;
    case FOCAL_STATEMENT_RENEWAL: *size = sizeof s->is.renewal; return &s->is.renewal;
    case FOCAL_STATEMENT_DELEGATION: *size = sizeof s->is.delegation; return &s->is.delegation;
    case FOCAL_STATEMENT_POLICY: *size = sizeof s->is.policy; return &s->is.policy;
    case FOCAL_STATEMENT_AUTHORITY: *size = sizeof s->is.succession; return &s->is.succession;
    default: *size = 0; return NULL;
    }
}

/* What looks into the bytes that came looks into our copy. */
static struct focal_span ours(const struct held_statement *held, struct focal_span bytes, struct focal_span part)
{
    return part.len > 0 ? focal_span_of(held->bytes + (part.data - bytes.data), part.len) : focal_span_of(NULL, 0);
}

static void take_what(struct held_statement *held, const struct focal_statement *s, struct focal_span bytes)
{
    switch (s->kind) {
    case FOCAL_STATEMENT_CERTIFICATE:
        held->certificate = held->what;
        held->signed_to = held->certificate->to_day;
        held->signed_openings = held->certificate->openings_max;
        break;
    case FOCAL_STATEMENT_CUT:
        held->cut = held->what;
        held->cut->tips = ours(held, bytes, held->cut->tips);
        break;
    case FOCAL_STATEMENT_RENEWAL:
        held->renewal = held->what;
        held->renewal->delegation = ours(held, bytes, held->renewal->delegation);
        break;
    case FOCAL_STATEMENT_AUTHORITY:
        held->succession = held->what;
        held->succession->good = ours(held, bytes, held->succession->good);
        break;
    case FOCAL_STATEMENT_DELEGATION:
        held->delegation = held->what;
        break;
    default:
        held->policy = held->what;
    }
}

static struct held_statement *make_held(const struct focal_oplog *ol, const struct focal_statement *s, struct focal_span bytes)
{
    struct held_statement *held = focal_alloc(sizeof *held);
    if (!held)
        return NULL;
    size_t size;
    const void *is = understood(s, &size);
    held->kind = s->kind;
    held->len = bytes.len;
    held->bytes = focal_alloc(bytes.len);
    held->what = is ? focal_alloc(size) : NULL;
    if (!held->bytes || (is && !held->what)) {
        free_held(held);
        return NULL;
    }
    memcpy(held->bytes, bytes.data, bytes.len);
    if (is) {
        memcpy(held->what, is, size);
        take_what(held, s, bytes);
    }
    const struct focal_signature *by = &s->signature;
    held->signer = *focal_statement_signer(s, &ol->genesis);
    held->delegated = held->renewal && held->renewal->delegation.len > 0;
    if (held->delegated)
        focal_statement_hash(&held->under, &ol->network, focal_span_of(held->renewal->delegation.data + sizeof by->b, held->renewal->delegation.len - sizeof by->b));
    focal_statement_hash(&held->hash, &ol->network, s->body);
    subject_of(held->subject, &ol->network, s->kind, s->subject);
    return held;
}

enum focal_status focal_oplog_statement_insert(struct focal_oplog *ol, struct held_statement *held)
{
    struct statement_set *set = &ol->statements;
    void *list = set->list;
    enum focal_status st = focal_oplog_room(&list, &set->cap, set->count, sizeof *set->list);
    set->list = list;
    if (st != FOCAL_OK)
        return st;
    size_t at = place_of(set, held);
    memmove(set->list + at + 1, set->list + at, (set->count - at) * sizeof *set->list);
    set->list[at] = held;
    set->count++;
    return FOCAL_OK;
}

/* What is derived from the statements that count, once all of them are there. */
static enum focal_status derive(struct focal_oplog *ol)
{
    enum focal_status st = index_subjects(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_cuts_derive(ol);
    if (st == FOCAL_OK)
        focal_oplog_renewals_derive(ol);
    return st;
}

/* The same from the beginning: which of them count, and who holds what by them. Scopes stay known: lines stand in them. */
static enum focal_status derive_all(struct focal_oplog *ol)
{
    struct statement_set *set = &ol->statements;
    enum focal_status st = focal_oplog_authority_derive(ol);
    set->office_count = 0;
    focal_map_clear(&set->by_sign);
    focal_map_clear(&set->by_channel);
    for (size_t i = 0; i < set->count && st == FOCAL_OK; i++) {
        set->list[i]->same_sign = NULL;
        if (set->list[i]->certificate)
            st = index_certificate(ol, set->list[i]);
    }
    for (size_t i = 0; i < set->idle_count && st == FOCAL_OK; i++)
        if (set->idle[i]->certificate)
            st = index_scopes(ol, set->idle[i]->certificate);
    return st == FOCAL_OK ? derive(ol) : st;
}

/* Everything may mean something else now. */
static enum focal_status take_succession(struct focal_oplog *ol)
{
    enum focal_status st = focal_oplog_own_first(ol);
    if (st == FOCAL_OK)
        st = derive_all(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_limits_again(ol);
    if (ol->redacted.count > 0)
        ol->targets_all = ol->unhide_due = true;
    return st;
}

/* A failure is undone by the rollback that must follow it. */
static enum focal_status take_held(struct focal_oplog *ol, struct held_statement *held)
{
    if (held->succession)
        return take_succession(ol);
    enum focal_status st = held->certificate ? take_certificate(ol, held) : FOCAL_OK;
    if (st == FOCAL_OK)
        st = index_subjects(ol);
    if (st == FOCAL_OK && held->cut)
        st = focal_oplog_cut_taken(ol, held->cut);
    if (st == FOCAL_OK)
        focal_oplog_renewals_derive(ol);
    /* What was taken away by a change of the authority may be given again. */
    if (st == FOCAL_OK && ol->statements.authority && (held->certificate || held->renewal)) {
        st = focal_oplog_own_first(ol);
        if (st == FOCAL_OK)
            st = focal_oplog_limits_again(ol);
    }
    return st;
}

/* As it would be held, whatever the answer; NULL: NEVER, or no memory. */
static enum focal_status weigh(const struct focal_oplog *ol, struct focal_span bytes, struct held_statement **held)
{
    struct focal_statement s;
    *held = NULL;
    if (focal_statement_decode(&s, bytes) != FOCAL_OK || !focal_oplog_statement_signed(ol, &s))
        return FOCAL_NEVER;
    *held = make_held(ol, &s, bytes);
    if (!*held)
        return FOCAL_NO_MEMORY;
    const size_t at = place_of(&ol->statements, *held);
    if (at < ol->statements.count && place_order(ol->statements.list[at], *held) == 0)
        return FOCAL_EXISTS;
    return focal_oplog_statement_counts(ol, *held) ? FOCAL_OK : FOCAL_NOT_YET;
}

enum focal_status focal_oplog_weigh(const struct focal_oplog *ol, struct focal_span bytes)
{
    struct held_statement *held;
    const enum focal_status st = weigh(ol, bytes, &held);
    if (held)
        free_held(held);
    return st;
}

enum focal_status focal_oplog_add_statement(struct focal_oplog *ol, struct focal_span bytes)
{
    struct held_statement *held;
    enum focal_status st = weigh(ol, bytes, &held);
    if (st != FOCAL_OK) {
        if (held)
            free_held(held);
        return st;
    }
    st = focal_store_put(ol->store, FOCAL_SHELF_STATEMENT, focal_span_of(held->hash.b, 32), bytes);
    if (st == FOCAL_OK)
        st = focal_oplog_statement_insert(ol, held);
    if (st != FOCAL_OK) {
        free_held(held);
        return st;
    }
    return take_held(ol, held);         /* from here on it belongs to the set */
}

static enum focal_status load_one(struct focal_oplog *ol, struct focal_span key, struct focal_span value)
{
    struct focal_statement s;
    struct focal_hash hash;
    if (focal_statement_decode(&s, value) != FOCAL_OK || !focal_oplog_statement_signed(ol, &s))
        return FOCAL_DAMAGED;
    focal_statement_hash(&hash, &ol->network, s.body);
    if (!focal_span_equal(key, focal_span_of(hash.b, sizeof hash.b)))
        return FOCAL_DAMAGED;
    struct held_statement *held = make_held(ol, &s, value);
    if (!held)
        return FOCAL_NO_MEMORY;
    held->durable = true;
    enum focal_status st = focal_oplog_statement_insert(ol, held);
    if (st != FOCAL_OK)
        free_held(held);
    return st;
}

enum focal_status focal_oplog_statements_load(struct focal_oplog *ol, struct focal_error *err)
{
    enum focal_status st;
    focal_buf_clear(&ol->key);
    while ((st = focal_store_next(ol->store, FOCAL_SHELF_STATEMENT, focal_buf_view(&ol->key), &ol->key, &ol->value)) == FOCAL_OK) {
        st = load_one(ol, focal_buf_view(&ol->key), focal_buf_view(&ol->value));
        if (st == FOCAL_DAMAGED)
            return focal_fail(err, st, "restore the database from a copy, or set this office up anew",
                              "a statement of the authority in the database is damaged");
        if (st != FOCAL_OK)
            return st;
    }
    return st == FOCAL_NOT_FOUND ? derive_all(ol) : st;
}

void focal_oplog_statements_durable(struct focal_oplog *ol)
{
    for (size_t i = 0; i < ol->statements.count; i++)
        ol->statements.list[i]->durable = true;
    for (size_t i = 0; i < ol->statements.idle_count; i++)
        ol->statements.idle[i]->durable = true;
}

/* How many of a list stay. */
static size_t keep_durable(struct held_statement **list, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (list[i]->durable)
            list[kept++] = list[i];
        else
            free_held(list[i]);
    }
    return kept;
}

enum focal_status focal_oplog_statements_forget(struct focal_oplog *ol)
{
    struct statement_set *set = &ol->statements;
    const size_t kept = keep_durable(set->list, set->count), idle = keep_durable(set->idle, set->idle_count);
    if (kept == set->count && idle == set->idle_count)
        return FOCAL_OK;
    set->count = kept;
    set->idle_count = idle;
    focal_oplog_scopes_close(ol);
    return derive_all(ol);
}

/* ---- asked --------------------------------------------------------------------------------------------------------------- */

bool focal_oplog_subject(const struct focal_oplog *ol, size_t i, struct focal_subject *out)
{
    if (i >= ol->statements.subject_count)
        return false;
    memcpy(out->subject, ol->statements.subjects[i].subject, sizeof out->subject);
    memcpy(out->set, ol->statements.subjects[i].set, sizeof out->set);
    return true;
}

bool focal_oplog_subject_statement(const struct focal_oplog *ol, const uint8_t subject[8], size_t i, struct focal_span *out)
{
    const struct statement_set *set = &ol->statements;
    for (size_t s = 0; s < set->subject_count; s++) {
        if (memcmp(set->subjects[s].subject, subject, 8) != 0)
            continue;
        if (i >= set->subjects[s].count)
            return false;
        const struct held_statement *held = set->list[set->subjects[s].first + i];
        *out = focal_span_of(held->bytes, held->len);
        return true;
    }
    return false;
}

void focal_oplog_statements_hash(const struct focal_oplog *ol, struct focal_hash *out)
{
    *out = ol->statements.hash;
}

const struct focal_certificate *focal_oplog_certificate(const struct focal_oplog *ol, const struct focal_office *office)
{
    for (size_t i = 0; i < ol->statements.office_count; i++) {
        const struct focal_certificate *c = ol->statements.offices[i]->certificate;
        if (strcmp(c->office.text, office->text) == 0)
            return c;
    }
    return NULL;
}

const struct held_statement *focal_oplog_held_by_sign(const struct focal_oplog *ol, const struct focal_key *key)
{
    return focal_map_get(&ol->statements.by_sign, key);
}

const struct focal_certificate *focal_oplog_certificate_by_sign(const struct focal_oplog *ol, const struct focal_key *key)
{
    const struct held_statement *held = focal_map_get(&ol->statements.by_sign, key);
    return held ? held->certificate : NULL;
}

const struct focal_certificate *focal_oplog_certificate_by_channel(const struct focal_oplog *ol, const struct focal_key *key)
{
    const struct held_statement *held = focal_map_get(&ol->statements.by_channel, key);
    return held ? held->certificate : NULL;
}

void focal_oplog_certificate_hash(const struct focal_oplog *ol, const struct focal_certificate *c, struct focal_hash *out)
{
    for (size_t i = 0; i < ol->statements.count; i++) {
        if (ol->statements.list[i]->certificate == c) {
            *out = ol->statements.list[i]->hash;
            return;
        }
    }
    /* Certificates come from here; a copy has no name, because what this program does not understand is not in it. */
    focal_unreachable();
}

const struct focal_certificate *focal_oplog_certificate_by_opening(const struct focal_oplog *ol, const uint8_t key[32])
{
    const struct focal_certificate *found = NULL;
    for (size_t i = 0; i < ol->statements.count; i++) {
        const struct focal_certificate *c = ol->statements.list[i]->certificate;
        if (c && memcmp(c->keys.open.b, key, 32) == 0 && (!found || strcmp(c->office.text, found->office.text) < 0))
            found = c;
    }
    return found;
}

const struct focal_certificate *focal_oplog_office_at(const struct focal_oplog *ol, size_t i)
{
    return i < ol->statements.office_count ? ol->statements.offices[i]->certificate : NULL;
}

const struct focal_certificate *focal_oplog_mine(const struct focal_oplog *ol)
{
    return ol->has_keys ? focal_oplog_certificate_by_sign(ol, &ol->keys->sign_public) : NULL;
}
