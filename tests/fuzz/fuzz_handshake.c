/* The handshake as both ends meet it: a script of what a stranger does to a link, up to the first frames behind it.
 *
 * byte 0     who       bits: STRANGER or middle, INVITED, KNOWS_SECRET, DIALS, MEMBER
 * the rest   acts      one byte each, with what it needs behind it
 *
 * In the middle, between two honest ends: exactly what the other end handed out, in its order, is taken, and all else is
 * refused. With the secret an end is a member who changes its own messages (INSIDE) before they are sealed. A stranger at one end has a key pair of its own, or a member's, and the secret or not: without the secret nobody is
 * listened to, and a handshake has no payloads. */
#include "../unit/sync/ends.h"
#include "fuzz.h"

enum { STRANGER = 1, INVITED = 2, KNOWS_SECRET = 4, DIALS = 8, MEMBER = 16, INSIDE = 32 };
enum { ACTS_MAX = 64, KEPT_MAX = 96, SEED_HQ = 7, SEED_KEN = 8 };

struct kept { struct focal_buf frames[KEPT_MAX]; size_t count, accepted; };     /* accepted: of them, by the other end */

struct side {
    struct end end;
    struct kept said;
    bool dead, over, lost;          /* it refused something; its time was over; something of what it said was dropped */
    bool wrote;
};

static bool bent;                   /* somebody changed its own messages */

static struct network net;
static struct office hq, ken;
static struct focal_fake_image *images[2];
static struct side sides[2];        /* 0 dials */
static struct focal_buf work;

static void begin_once(void)
{
    struct focal_ref ref;
    network_make(&net);
    office_make(&hq, &net, "HQ", SEED_HQ);
    office_make(&ken, &net, "KEN", SEED_KEN);
    struct office *both[] = { &hq, &ken };
    introduce(&hq, 1);
    introduce(&ken, 1);
    hold(&hq, &ken.statement);
    hold(&ken, &hq.statement);
    for (int i = 0; i < 2; i++) {
        begin(both[i]);
        write_value(both[i], &scope_network, NULL, FIELD_A, (uint8_t)i, &ref);
        commit(both[i]);
        images[i] = focal_fake_store_backup(both[i]->store, false);
        assert_non_null(images[i]);
    }
    focal_buf_init(&work, 256 * 1024);
    for (int i = 0; i < 2 * KEPT_MAX; i++)
        focal_buf_init(&sides[i / KEPT_MAX].said.frames[i % KEPT_MAX], FOCAL_NOISE_MAX);
}

static enum focal_status side_writing(void *data)
{
    ((struct side *)data)->wrote = true;
    return end_writing(data);
}

/* Of any length that a message has room for: whose box it is, its node finds out. */
static enum focal_status side_admitted(void *data, struct focal_session *s, struct focal_span sealed)
{
    (void)s;
    ((struct side *)data)->end.admitted_len = sealed.len;
    return FOCAL_OK;
}

static void start_side(struct side *x, struct office *o, uint64_t seed, bool invited)
{
    o->chance.state = seed * 1000;
    end_make(&x->end, o, 1000);
    x->end.psks[0].is_network = !invited;
    x->end.psks[0].invitation = invited ? 4 : 0;
    x->said.count = x->said.accepted = 0;
    x->dead = x->over = x->lost = x->wrote = false;
    x->end.host.writing = side_writing;
    x->end.host.admitted = side_admitted;
}

/* What a link wrote is taken back, so that every script meets the same offices. */
static void end_side(struct side *x, int which)
{
    end_close(&x->end);
    if (!x->wrote)
        return;
    focal_oplog_close(x->end.office->ol);
    assert_int_equal(focal_fake_store_restore(x->end.office->store, images[which]), FOCAL_OK);
    office_open(x->end.office);
}

/* Keeps the next frame that it has to say; false when there is none. */
static bool say_next(struct side *x)
{
    if (x->dead || x->over || x->said.count == KEPT_MAX || !end_take(&x->end, &x->said.frames[x->said.count]))
        return false;
    x->said.count++;
    return true;
}

/* One frame to one end. honest: it is the one that is due there. */
static void deliver(struct side *to, struct kept *from, struct focal_span frame)
{
    struct focal_session *s = to->end.s;
    if (to->over)
        return;
    const enum focal_session_state before = s->state;
    const bool deaf = s->closing;
    const bool honest = from && from->accepted < from->count && focal_span_equal(frame, focal_buf_view(&from->frames[from->accepted]));
    const enum focal_status status = end_frame(&to->end, frame);
    focal_assert(!focal_sync_world(status));
    if (deaf || to->dead) {
        focal_assert(s->state == before || s->state == FOCAL_SESSION_CLOSED);
        return;
    }
    if (from)
        focal_assert(status == FOCAL_OK ? honest : !honest || bent);
    if (status != FOCAL_OK) {
        focal_assert(s->state == before);
        to->dead = true;
    } else if (from) {
        from->accepted++;
    }
}

static void pass_time(uint8_t seconds)
{
    for (int i = 0; i < 2; i++) {
        struct side *x = &sides[i];
        if (!x->end.s || x->over)
            continue;
        x->end.host.now.mono_ms += 1000u * seconds;
        const enum focal_status status = focal_session_tick(x->end.s);
        focal_assert(status == FOCAL_OK || status == FOCAL_TIMEOUT);
        x->over = status != FOCAL_OK;
    }
}

/* So many bytes of the script, or what there is. */
static struct focal_span some(struct focal_cur *script, size_t len)
{
    const size_t left = focal_cur_left(script);
    return focal_cur_bytes(script, len < left ? len : left);
}

/* A frame of its own: as it was, one byte changed, cut, or grown. */
static struct focal_span spoil(const struct focal_buf *frame, unsigned how, struct focal_cur *script)
{
    focal_buf_clear(&work);
    focal_buf_bytes(&work, frame->data, frame->len);
    if (how == 1 && work.len > 0) {
        const size_t at = focal_cur_be16(script) % work.len;
        work.data[at] ^= focal_cur_u8(script);
    } else if (how == 2) {
        focal_buf_truncate(&work, work.len ? focal_cur_be16(script) % work.len : 0);
    } else if (how == 3) {
        const struct focal_span more = some(script, focal_cur_u8(script));
        focal_buf_bytes(&work, more.data, more.len);
    }
    return focal_buf_view(&work);
}

/* ---- in the middle ---- */

/* The next message of one end, or one of the script's, changed before it is sealed. */
static void act_inside(struct side *from, struct side *to, unsigned how, struct focal_cur *script)
{
    struct focal_channel *sends = &from->end.s->secrets->channel, before = *sends, receives = to->end.s->secrets->channel;
    struct focal_buf plain;
    if (from->dead || from->over || from->said.count == KEPT_MAX || !focal_session_proven(from->end.s) || !focal_session_proven(to->end.s))
        return;
    struct focal_buf *frame = &from->said.frames[from->said.count];
    focal_buf_init(&plain, FOCAL_NOISE_MAX);
    if (how == 5) {
        const struct focal_span raw = some(script, focal_cur_be16(script));
        focal_buf_clear(frame);
        assert_int_equal(focal_channel_seal(sends, frame, raw), FOCAL_OK);
        from->said.count++;
        bent = true;
        deliver(to, &from->said, focal_buf_view(frame));
    } else if (say_next(from)) {
        /* Behind one that was lost it cannot be opened, and is refused as it is. */
        if (focal_channel_unseal(&receives, &plain, focal_buf_view(frame)) == FOCAL_OK) {
            const struct focal_span message = spoil(&plain, how & 3, script);
            focal_buf_clear(frame);
            assert_int_equal(focal_channel_seal(&before, frame, message), FOCAL_OK);
            bent = true;
        }
        deliver(to, &from->said, focal_buf_view(frame));
    }
    focal_buf_close(&plain);
}

static void act_between(uint8_t who, struct focal_cur *script)
{
    const uint8_t act = focal_cur_u8(script);
    struct side *from = &sides[act & 1], *to = &sides[!(act & 1)];
    const unsigned how = act >> 1 & 7;
    if (act & INSIDE && who & KNOWS_SECRET) {
        act_inside(from, to, how, script);
    } else if (how <= 3) {
        if (say_next(from))
            deliver(to, &from->said, spoil(&from->said.frames[from->said.count - 1], how, script));
    } else if (how == 4) {
        struct kept *k = act & 16 ? &to->said : &from->said;
        const uint8_t which = focal_cur_u8(script);
        if (k->count)
            deliver(to, &from->said, spoil(&k->frames[which % k->count], which >> 6, script));
    } else if (how == 5) {
        const struct focal_span raw = some(script, focal_cur_u8(script));
        deliver(to, &from->said, raw);
    } else if (how == 6) {
        pass_time(focal_cur_u8(script));
    } else {
        from->lost = say_next(from) || from->lost;
    }
}

static void between(uint8_t who, struct focal_cur *script)
{
    ends_dial(&sides[0].end, &sides[1].end);
    for (int acts = 0; acts < ACTS_MAX && focal_cur_left(script) > 0; acts++)
        act_between(who, script);
    /* Whoever was not disturbed comes to an end with it: three frames, and both know each other. */
    bool whole = true;
    for (int i = 0; i < 2; i++)
        whole = whole && !sides[i].dead && !sides[i].over && !sides[i].lost && sides[i].said.accepted == sides[i].said.count;
    for (int i = 0; whole && i < 4; i++)
        if (say_next(&sides[i & 1]))
            deliver(&sides[!(i & 1)], &sides[i & 1].said, focal_buf_view(&sides[i & 1].said.frames[sides[i & 1].said.count - 1]));
    const struct focal_session *a = sides[0].end.s, *b = sides[1].end.s;
    focal_assert(!whole || (focal_session_proven(a) && focal_session_proven(b)));
    if (focal_session_proven(b)) {
        focal_assert(focal_session_proven(a) && focal_key_equal(&b->far, &hq.keys.channel_public));
        focal_assert(focal_hash_equal(&a->secrets->channel.handshake, &b->secrets->channel.handshake));
    }
    focal_assert(sides[1].end.joined == 0 || sides[1].end.joined == 4);
}

/* ---- at one end ---- */

static struct { struct focal_noise noise; struct focal_channel channel; bool open, knows; } stranger;

static void stranger_start(const struct side *honest, uint8_t who)
{
    uint8_t prologue[37], e[32], secret[32], psk[32];
    const struct focal_node_keys *far = &honest->end.office->keys;
    const struct office *member = honest == &sides[0] ? &ken : &hq;
    focal_prologue(prologue, &net.id);
    memset(e, 3, sizeof e);
    memset(secret, 4, sizeof secret);
    memcpy(psk, honest->end.psks[0].key, sizeof psk);
    stranger.knows = who & KNOWS_SECRET;
    psk[31] ^= !stranger.knows;
    stranger.open = false;
    focal_noise_init(&stranger.noise, FOCAL_NOISE_XKpsk3, who & DIALS, focal_span_of(prologue, sizeof prologue),
                     who & MEMBER ? member->keys.channel_secret : secret, who & DIALS ? &far->channel_public : NULL, e, psk);
}

/* What the honest end has to say, as far as the stranger can read it. */
static void stranger_hears(struct side *honest)
{
    while (say_next(honest)) {
        const struct focal_span frame = focal_buf_view(&honest->said.frames[honest->said.count - 1]);
        focal_buf_clear(&work);
        if (stranger.open) {
            focal_assert((focal_channel_unseal(&stranger.channel, &work, frame) == FOCAL_OK) == stranger.knows);
        } else {
            (void)!focal_noise_read(&stranger.noise, &work, frame);
        }
        if (!stranger.open && focal_noise_done(&stranger.noise)) {
            focal_channel_open(&stranger.channel, &stranger.noise);
            stranger.open = true;
        }
    }
}

static bool stranger_may_write(bool dials)
{
    const uint8_t m = stranger.noise.message;
    return !stranger.open && m < 3 && (m % 2 == 0) == dials;
}

/* Its next message of the handshake, made by the rules but for a payload, and spoiled or not. */
static void stranger_shakes(struct side *honest, struct focal_cur *script, unsigned how, bool dials)
{
    struct focal_buf message;
    if (!stranger_may_write(dials))
        return;
    const struct focal_span payload = how == 4 ? some(script, focal_cur_u8(script)) : focal_span_of(NULL, 0);
    focal_buf_init(&message, FOCAL_NOISE_MAX);
    if (focal_noise_write(&stranger.noise, &message, payload) == FOCAL_OK) {
        const struct focal_span frame = spoil(&message, how & 3, script);
        const bool right = focal_span_equal(frame, focal_buf_view(&message)) && payload.len == 0;
        const bool was_dead = honest->dead || honest->end.s->closing;
        if (focal_noise_done(&stranger.noise)) {
            focal_channel_open(&stranger.channel, &stranger.noise);
            stranger.open = true;
        }
        deliver(honest, NULL, frame);
        focal_assert(was_dead || right || honest->dead || honest->over);
    }
    focal_buf_close(&message);
}

static void stranger_acts(struct side *honest, struct focal_cur *script, bool dials)
{
    const uint8_t act = focal_cur_u8(script);
    const bool was_dead = honest->dead || honest->over || honest->end.s->closing;
    if (act % 8 < 5) {
        stranger_shakes(honest, script, act % 8, dials);
    } else if (act % 8 == 5) {
        const struct focal_span raw = some(script, focal_cur_u8(script));
        deliver(honest, NULL, raw);
        focal_assert(was_dead || honest->dead);
    } else if (act % 8 == 6) {
        pass_time(focal_cur_u8(script));
    } else if (stranger.open) {
        const struct focal_span plain = some(script, focal_cur_be16(script));
        focal_buf_clear(&work);
        assert_int_equal(focal_channel_seal(&stranger.channel, &work, plain), FOCAL_OK);
        deliver(honest, NULL, focal_buf_view(&work));
        focal_assert(was_dead || stranger.knows || honest->dead);
    }
    stranger_hears(honest);
}

static void with_a_stranger(uint8_t who, struct focal_cur *script)
{
    const bool dials = who & DIALS;
    struct side *honest = &sides[dials ? 1 : 0];
    struct end *e = &honest->end;
    stranger_start(honest, who);
    e->s = dials ? focal_session_accepted(&e->host, 2) : focal_session_dialled(&e->host, 1, &ken.keys.channel_public, &e->psks[0]);
    assert_non_null(e->s);
    stranger_hears(honest);
    for (int acts = 0; acts < ACTS_MAX && focal_cur_left(script) > 0; acts++)
        stranger_acts(honest, script, dials);
    /* Who listens knows the far end by its secret; who dials, by the static key it dialled. */
    focal_assert(!focal_session_proven(e->s) || (dials ? stranger.knows : who & MEMBER));
    focal_assert(!e->joined || focal_key_equal(&e->joined_keys.channel, &e->s->far));
    focal_assert(e->admitted_len == 0 || stranger.knows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!images[0])
        begin_once();
    if (len == 0)
        return 0;
    struct focal_cur script = focal_cur_of(focal_span_of(data + 1, len - 1));
    const uint8_t who = data[0];
    bent = false;
    start_side(&sides[0], &hq, SEED_HQ, who & INVITED);
    start_side(&sides[1], &ken, SEED_KEN, who & INVITED);
    if (who & STRANGER)
        with_a_stranger(who, &script);
    else
        between(who, &script);
    end_side(&sides[0], 0);
    end_side(&sides[1], 1);
    return 0;
}
