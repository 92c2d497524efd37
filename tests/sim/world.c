/* Nodes, people and time of a world. */
#include "inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { START_S = 1530000000 };         /* the wall clock when a world begins, some day in 2018 */

/* splitmix64 (Steele, Lea, Flood 2014): small, and equal on every machine. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t world_random(struct world *w, uint64_t below) { return below ? draw(&w->random) % below : 0; }
uint64_t world_now_ms(const struct world *w) { return w->now_ms; }
size_t world_count(const struct world *w) { return w->node_count; }
struct focal_node *world_node(struct world *w, int i) { return w->nodes[i].node; }
struct focal_store *world_store(struct world *w, int i) { return w->nodes[i].store; }
const char *world_failure(const struct world *w) { return w->failure[0] ? w->failure : NULL; }
uint64_t world_trace(const struct world *w) { return w->trace; }
uint64_t world_steps(const struct world *w) { return w->steps; }
size_t world_case_count(const struct world *w) { return w->case_count; }

void world_network(struct world *w, const struct world_network *n)
{
    w->network = *n;
    w->wire_spoilt = w->wire_spoilt || n->garble_permille || n->shorten_permille || n->double_permille;
}

void world_steps_go_wrong(struct world *w, const struct world_steps_go_wrong *wrong) { w->wrong = *wrong; }

const struct world_counts *world_counts(struct world *w)
{
    sim_known_answers(&w->counts.questions, &w->counts.answers);
    return &w->counts;
}


void sim_entropy(void *data, void *out, size_t len)
{
    struct world *w = data;
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)draw(&w->random);
}

void sim_mix(struct world *w, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++)
        w->trace = (w->trace ^ p[i]) * UINT64_C(0x100000001b3);
}

void sim_fail(struct world *w, const char *fmt, ...)
{
    if (w->failure[0])
        return;
    int n = snprintf(w->failure, sizeof w->failure, "seed %llu, at %llu ms: ", (unsigned long long)w->seed, (unsigned long long)w->now_ms);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(w->failure + n, sizeof w->failure - (size_t)n, fmt, args);
    va_end(args);
}

/* FOCAL_SIM_TRACE=1 */
void sim_tell(const struct world *w, int i, const char *what)
{
    if (getenv("FOCAL_SIM_TRACE"))
        fprintf(stderr, "%llu ms, step %llu: %s (node %d): %s\n", (unsigned long long)w->now_ms, (unsigned long long)w->steps, w->nodes[i].code, i, what);
}

bool sim_grow(void *list, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return true;
    void *was;
    memcpy(&was, list, sizeof was);
    size_t more = *cap ? *cap * 2 : 64;
    void *p = focal_realloc(was, more * size);
    if (!p)
        return false;
    memcpy(list, &p, sizeof p);
    *cap = more;
    return true;
}

struct focal_now sim_time(const struct world *w, const struct sim_node *n)
{
    int64_t passed = (int64_t)(n->clock_frozen ? n->frozen_wall_ms : w->now_ms);
    int64_t wall = (int64_t)START_S * 1000 + passed + n->clock_off_ms + (int64_t)w->later_ms;
    return (struct focal_now){ .mono_ms = w->now_ms, .wall_ms = wall > 0 ? (uint64_t)wall : 0 };
}

/* ---- making --------------------------------------------------------------------------------------------------------- */

struct world *world_new(uint64_t seed)
{
    struct world *w = focal_alloc(sizeof *w);
    focal_assert(w && focal_crypto_init() == FOCAL_OK);
    w->seed = seed;
    w->random = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    w->now_ms = 1000;
    w->next_link = 1;
    w->trace = UINT64_C(0xcbf29ce484222325);
    w->network = (struct world_network){ .delay_least_ms = 5, .delay_most_ms = 40 };
    focal_buf_init(&w->genesis, FOCAL_STATEMENT_MAX);
    sim_entropy(w, w->mark, sizeof w->mark);
    sim_memory_watched(true);
    sim_known_answers(&w->counts.questions, &w->counts.answers);
    return w;
}

void world_free(struct world *w)
{
    for (size_t k = 0; k < WORLD_LINKS_MAX; k++) {
        struct sim_link *l = &w->links[k];
        for (int e = 0; e < 2; e++)
            while (l->first[e]) {
                struct sim_frame *f = l->first[e];
                l->first[e] = f->next;
                focal_free(f);
            }
    }
    for (size_t i = 0; i < w->node_count; i++) {
        struct sim_node *n = &w->nodes[i];
        focal_node_close(n->node);
        focal_store_close(n->store);
        focal_fake_image_free(n->backup);
        focal_buf_close(&n->certificate);
        for (size_t k = 0; k < n->word_count; k++)
            focal_buf_close(&n->words[k].statement);
        focal_buf_close(&n->renewal);
        focal_free(n->watch);
        sim_malice_free(n->malice);
    }
    focal_buf_close(&w->genesis);
    focal_buf_close(&w->delegation);
    focal_buf_close(&w->succession);
    sim_book_close(&w->book);
    focal_free(w->cases);
    focal_free(w);
    sim_memory_watched(false);
}

static struct sim_node *new_node(struct world *w, const char *code, const char *country)
{
    focal_assert(w->node_count < WORLD_NODES_MAX);
    struct sim_node *n = &w->nodes[w->node_count];
    memset(n, 0, sizeof *n);
    (void)snprintf(n->code, sizeof n->code, "%s", code);
    (void)snprintf(n->country, sizeof n->country, "%s", country);
    (void)snprintf(n->address, sizeof n->address, "n%zu.example:7443", w->node_count);
    uint8_t random[96];
    sim_entropy(w, random, sizeof random);
    focal_node_keys_make(&n->keys, random);
    (void)snprintf(n->machine, sizeof n->machine, "m%zu", w->node_count);
    focal_buf_init(&n->certificate, FOCAL_STATEMENT_MAX);
    n->store = focal_fake_store_new();
    focal_assert(n->store);
    focal_fake_store_fence(n->store, (struct focal_entropy){ sim_entropy, w }, n->machine);
    if (country[0])
        memcpy(n->reads[n->read_count++], country, 4);
    w->node_count++;
    return n;
}

static void office_of(struct focal_office *out, const char *code)
{
    focal_assert(focal_office_parse(out, focal_span_text(code)));
}

/* A membership statement for keys; countries beside control and network. */
void sim_certify(struct world *w, struct focal_buf *statement, const struct focal_sign_key *authority, const char *code, uint8_t role,
                 const struct focal_public_keys *keys, const char *const *countries, size_t country_count, uint64_t invitation)
{
    struct focal_certificate c;
    memset(&c, 0, sizeof c);
    office_of(&c.office, code);
    (void)snprintf(c.entity, sizeof c.entity, "Example");
    c.role = role;
    c.rights = FOCAL_RIGHT_REDACT;
    c.read[c.read_count++] = (struct focal_scope){ .cls = FOCAL_SCOPE_CONTROL, .country = "" };
    c.read[c.read_count++] = (struct focal_scope){ .cls = FOCAL_SCOPE_NETWORK, .country = "" };
    for (size_t i = 0; i < country_count; i++) {
        struct focal_scope s = { .cls = FOCAL_SCOPE_COUNTRY, .country = "" };
        memcpy(s.country, countries[i], 4);
        size_t at = c.read_count++;
        for (; at > 2 && focal_scope_compare(&c.read[at - 1], &s) > 0; at--)
            c.read[at] = c.read[at - 1];
        c.read[at] = s;
    }
    memcpy(c.write, c.read, sizeof c.read);
    c.write_count = c.read_count;
    c.keys = *keys;
    c.number = 1;
    c.from_day = START_S / 86400;
    c.to_day = c.from_day + 366;
    c.openings_max = 400;
    c.invitation_set = invitation != 0;
    c.invitation = invitation;
    struct focal_buf body;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_certificate_encode(&body, &c);
    if (w->successions > 0 && authority == &w->authority)
        focal_statement_by(&body, &authority->public);
    focal_statement_sign(statement, authority->secret, &w->network_id, focal_buf_view(&body));
    focal_assert(!body.failed && !statement->failed);
    focal_buf_close(&body);
}

/* FOCAL_SIM_TRACE=1 shows what nodes say, to look into one seed. */
static void trace_line(void *data, enum focal_level level, const char *room, const char *text)
{
    (void)level;
    fprintf(stderr, "%s %s: %s\n", (const char *)data, room, text);
}

void world_start(struct world *w, int i)
{
    struct sim_node *n = &w->nodes[i];
    if (n->node || w->failure[0])
        return;
    struct focal_error err = { .status = FOCAL_OK };
    struct focal_node_setup setup = { .store = n->store, .keys = &n->keys, .entropy = { sim_entropy, w }, .machine_id = n->machine,
                                      .boot_id = "", .map_seed = w->seed + (uint64_t)i, .redial_most_ms = 60000 };
    if (getenv("FOCAL_SIM_TRACE"))
        setup.trace = (struct focal_trace){ .line = trace_line, .data = n->code, .most = FOCAL_DEBUG };
    n->starts++;
    n->start_at_ms = 0;
    n->stopped = false;
    enum focal_status st = focal_node_open(&n->node, &setup, sim_time(w, n), &err);
    if (st != FOCAL_OK) {
        sim_fail(w, "node %s does not open: %s", n->code, err.message);
        return;
    }
    n->watched_changes = UINT64_MAX;
    const char *list[] = { n->address };
    struct focal_node_event events[2] = { { .type = FOCAL_EVENT_ADDRESSES }, { .type = FOCAL_EVENT_TICK } };
    events[0].is.addresses.list = list;
    events[0].is.addresses.count = 1;
    (void)!sim_step(w, i, events, 2);
}

int world_hq(struct world *w, const char *code, const char *const *countries, size_t country_count)
{
    focal_assert(w->node_count == 0);
    struct sim_node *n = new_node(w, code, "");
    uint8_t seed[32];
    sim_entropy(w, seed, sizeof seed);
    focal_sign_key_make(&w->authority, seed);
    sim_entropy(w, w->secret, sizeof w->secret);
    struct focal_genesis g;
    memset(&g, 0, sizeof g);
    (void)snprintf(g.label, sizeof g.label, "Simulated Network");
    g.authority = w->authority.public;
    g.recovery = w->authority.public;
    g.day = START_S / 86400;
    g.expiry_stops = true;
    struct focal_buf body;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_genesis_encode(&body, &g);
    focal_network_id(&w->network_id, focal_buf_view(&body));
    focal_statement_sign(&w->genesis, w->authority.secret, NULL, focal_buf_view(&body));
    struct focal_public_keys keys;
    focal_node_keys_public(&keys, &n->keys);
    sim_certify(w, &n->certificate, &w->authority, code, FOCAL_ROLE_HQ, &keys, countries, country_count, 0);
    for (size_t k = 0; k < country_count; k++)
        memcpy(n->reads[n->read_count++], countries[k], 4);
    focal_buf_close(&body);
    sim_found(w, n);
    world_start(w, 0);
    return 0;
}

static void invitation_for(struct world *w, struct focal_invitation *v, const char *code, const char *country, uint64_t number)
{
    memset(v, 0, sizeof *v);
    v->network = w->network_id;
    v->genesis = focal_buf_view(&w->genesis);
    v->listener = w->nodes[0].keys.channel_public;
    sim_entropy(w, v->psk, sizeof v->psk);
    v->number = number;
    office_of(&v->office, code);
    (void)snprintf(v->country, sizeof v->country, "%s", country);
    (void)snprintf(v->addresses[0], sizeof v->addresses[0], "%s", w->nodes[0].address);
    v->address_count = 1;
    v->expires_day = START_S / 86400 + 3650;
}

static void found_joiner(struct world *w, struct sim_node *n, const struct focal_invitation *v)
{
    struct focal_buf token;
    focal_buf_init(&token, 16384);
    focal_invitation_encode(&token, v);
    if (focal_node_found_office(n->store, v, focal_buf_view(&token)) != FOCAL_OK)
        sim_fail(w, "office %s cannot be set up", n->code);
    focal_buf_close(&token);
}

static enum focal_status add_certificate(struct focal_store *store, struct focal_span certificate)
{
    struct focal_oplog *ol = NULL;
    enum focal_status st = focal_oplog_open(&ol, store, NULL, NULL, NULL, NULL);
    if (st == FOCAL_OK)
        st = focal_store_begin(store);
    if (st == FOCAL_OK)
        st = focal_oplog_add_statement(ol, certificate);
    if (st == FOCAL_OK || st == FOCAL_EXISTS)
        st = focal_store_commit(store);
    focal_oplog_close(ol);
    return st;
}

static enum focal_status add_secret(struct world *w, struct focal_store *store)
{
    enum focal_status st = focal_store_begin(store);
    if (st == FOCAL_OK)
        st = focal_store_put(store, FOCAL_SHELF_META, focal_span_text("network-secret"), focal_span_of(w->secret, 32));
    return st == FOCAL_OK ? focal_store_commit(store) : st;
}

/* A member brings its certificate and the network's secret with it; headquarters founds, and where it starts again it has the
 * memberships that it signed. */
void sim_found(struct world *w, struct sim_node *n)
{
    enum focal_status st = FOCAL_OK;
    if (n == &w->nodes[0]) {
        st = focal_node_found_hq(n->store, focal_buf_view(&w->genesis), focal_buf_view(&n->certificate), w->secret);
        for (size_t k = 1; k < w->node_count && st == FOCAL_OK; k++)
            if (w->nodes[k].certificate.len)
                st = add_certificate(n->store, focal_buf_view(&w->nodes[k].certificate));
    } else {
        struct focal_invitation v;
        invitation_for(w, &v, n->code, n->country, 0);
        found_joiner(w, n, &v);
        st = add_certificate(n->store, focal_buf_view(&n->certificate));
        if (st == FOCAL_OK)
            st = add_secret(w, n->store);
    }
    if (st != FOCAL_OK)
        sim_fail(w, "node %s cannot be set up: %s", n->code, focal_status_name(st));
}

int world_member(struct world *w, const char *code, const char *country)
{
    int i = (int)w->node_count;
    struct sim_node *n = new_node(w, code, country);
    struct focal_public_keys keys;
    focal_node_keys_public(&keys, &n->keys);
    const char *countries[] = { country };
    sim_certify(w, &n->certificate, &w->authority, code, FOCAL_ROLE_OFFICE, &keys, countries, country[0] ? 1 : 0, 0);
    sim_found(w, n);
    struct focal_node_event ev = { .type = FOCAL_EVENT_STATEMENT };
    ev.is.statement = focal_buf_view(&n->certificate);
    (void)!sim_step(w, 0, &ev, 1);
    world_start(w, i);
    return i;
}

int world_joiner(struct world *w, const char *code, const char *country)
{
    int i = (int)w->node_count;
    struct sim_node *n = new_node(w, code, country);
    struct focal_invitation v;
    n->joins = true;
    invitation_for(w, &v, code, country, focal_node_next_invitation(w->nodes[0].node));
    enum focal_status answer = FOCAL_OK;
    struct focal_node_event ev = { .type = FOCAL_EVENT_INVITE, .answer = &answer };
    ev.is.invite.invitation = &v;
    for (int tries = 0; tries < 5 && (sim_step(w, 0, &ev, 1) != FOCAL_OK || answer != FOCAL_OK); tries++) {
        sim_injection(w);
        world_start(w, 0);              /* killed by it: people start it and ask again */
    }
    found_joiner(w, n, &v);
    world_start(w, i);
    return i;
}

bool world_admit(struct world *w, const char *code)
{
    struct focal_join_waiting waiting[64];
    if (!w->nodes[0].node)
        return false;
    size_t count = focal_node_waiting_joins(w->nodes[0].node, waiting, 64);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(waiting[i].office.text, code) != 0 || !waiting[i].joined || waiting[i].admitted)
            continue;
        struct focal_buf statement;
        focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
        const char *countries[] = { waiting[i].country };
        sim_certify(w, &statement, &w->authority, code, FOCAL_ROLE_OFFICE, &waiting[i].keys, countries, waiting[i].country[0] ? 1 : 0, waiting[i].invitation);
        enum focal_status answer = FOCAL_OK;
        struct focal_node_event ev = { .type = FOCAL_EVENT_STATEMENT, .answer = &answer };
        ev.is.statement = focal_buf_view(&statement);
        bool ok = sim_step(w, 0, &ev, 1) == FOCAL_OK && answer == FOCAL_OK;
        for (size_t k = 0; ok && k < w->node_count; k++) {
            if (strcmp(w->nodes[k].code, code) != 0)
                continue;
            focal_buf_clear(&w->nodes[k].certificate);
            focal_buf_span(&w->nodes[k].certificate, focal_buf_view(&statement));
        }
        focal_buf_close(&statement);
        return ok;
    }
    return false;
}

/* ---- time --------------------------------------------------------------------------------------------------------------------- */

static void starts_due(struct world *w)
{
    for (size_t i = 0; i < w->node_count; i++) {
        struct sim_node *n = &w->nodes[i];
        if (n->stopped && n->go_on_at_ms <= w->now_ms)
            n->stopped = false;
        if (!n->node && n->start_at_ms && n->start_at_ms <= w->now_ms)
            world_start(w, (int)i);
    }
}

void world_inject(struct world *w, uint64_t at_step, void (*what)(struct world *, void *data), void *data)
{
    w->inject_at = at_step;
    w->inject = what;
    w->inject_data = data;
}

void sim_injection(struct world *w)
{
    if (!w->inject || w->steps < w->inject_at)
        return;
    void (*what)(struct world *, void *) = w->inject;
    w->inject = NULL;
    what(w, w->inject_data);
}

void world_run(struct world *w, uint64_t ms)
{
    uint64_t end = w->now_ms + ms;
    while (!w->failure[0]) {
        uint64_t next = sim_next_event_ms(w);
        if (next > end)
            break;
        if (next > w->now_ms)
            w->now_ms = next;
        starts_due(w);
        sim_network_due(w);
        for (size_t i = 0; i < w->node_count; i++) {
            struct sim_node *n = &w->nodes[i];
            if (n->node && !n->stopped && focal_node_deadline_ms(n->node) <= w->now_ms) {
                struct focal_node_event tick = { .type = FOCAL_EVENT_TICK };
                (void)!sim_step(w, (int)i, &tick, 1);
                sim_injection(w);
            }
        }
    }
    w->now_ms = end;
}
