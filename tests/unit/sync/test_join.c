/* A newcomer under an invitation: what it shows must fit the link in each part, nothing of a talk stands before it is one, and
 * whether and when it is admitted is its node's to say. */
#include "ends.h"

static struct network net;
static struct office hq, ken;
static struct end a, b;                 /* A dials under an invitation of B */

static int set_up(void **state)
{
    (void)state;
    network_make(&net);
    office_make(&hq, &net, "HQ", 7);
    office_make(&ken, &net, "KEN", 8);
    struct office *both[] = { &hq, &ken };
    for (int i = 0; i < 4; i++)
        hold(both[i / 2], &both[i % 2]->statement);
    end_make(&a, &hq, 1000);
    end_make(&b, &ken, 1000);
    a.psks[0].is_network = false;
    a.psks[0].invitation = 4;
    b.psks[1] = a.psks[0];
    b.psks[0].key[0] ^= 1;
    b.psk_count = 2;
    ends_dial(&a, &b);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ends_close(&a, &b);
    office_close(&hq);
    office_close(&ken);
    network_close(&net);
    return 0;
}

/* The handshake, and what A says of itself is held back. */
static void shake(void)
{
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    for (int i = 0; i < 3; i++) {
        assert_true(end_take(i == 1 ? &b : &a, &frame));
        assert_int_equal(end_frame(i == 1 ? &a : &b, focal_buf_view(&frame)), FOCAL_OK);
    }
    queue_drop(a.s);
    focal_buf_close(&frame);
    assert_int_equal(focal_session_state(b.s), FOCAL_SESSION_JOINING);
}

static struct focal_message join_of(const struct office *sign, const struct office *channel, const struct office *open, const struct office *signer)
{
    struct focal_message m = { .type = FOCAL_MSG_JOIN };
    m.is.join.sign = sign->keys.sign_public;
    m.is.join.channel = channel->keys.channel_public;
    m.is.join.open = open->keys.open_public;
    focal_join_sign(&m.is.join.signature, &signer->keys, &net.id, &a.s->secrets->channel.handshake);
    return m;
}

static void joining(void **state)
{
    (void)state;
    pump(&a, &b);
    assert_int_equal(focal_session_state(b.s), FOCAL_SESSION_JOINING);
    assert_int_equal(focal_session_invitation(b.s), 4);
    assert_int_equal(b.joined, 4);
    assert_true(focal_key_equal(&b.joined_keys.open, &hq.keys.open_public));
    assert_int_equal(a.admitted_len, 0);
    struct focal_message m = { .type = FOCAL_MSG_WANT, .is.want = { .from = 1, .to.seq = 1 } };
    assert_int_equal(say(&b, &a, &m), FOCAL_NEVER);     /* nothing of a talk before it is one */
}

static void joining_again_is_told_again(void **state)
{
    (void)state;
    b.admit = true;
    pump(&a, &b);
    assert_int_equal(a.admitted_len, strlen("sealed secret"));
    assert_int_equal(focal_session_state(a.s), FOCAL_SESSION_CLOSED);
}

/* The three keys belong to one newcomer, who signed them for this very link. */
static void keys_that_do_not_fit(void **state)
{
    const struct { const struct office *sign, *channel, *open, *signer; } wrong[] = {
        { &ken, &hq, &hq, &hq }, { &hq, &ken, &hq, &hq }, { &hq, &ken, &hq, &ken }, { &hq, &hq, &ken, &ken }, { &hq, &hq, &hq, &ken },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        shake();
        struct focal_message m = join_of(wrong[i].sign, wrong[i].channel, wrong[i].open, wrong[i].signer);
        assert_int_equal(say(&a, &b, &m), FOCAL_NEVER);
        assert_int_equal(b.joined, 0);
        assert_false(b.tx);                     /* nothing was even begun */
        assert_true(b.s->closing);
        tear_down(state);
        set_up(state);
    }
    shake();
    struct focal_message m = join_of(&hq, &hq, &hq, &hq);
    assert_int_equal(say(&a, &b, &m), FOCAL_OK);
    assert_int_equal(b.joined, 4);
}

static void who_dialled_is_not_joined(void **state)
{
    (void)state;
    shake();
    struct focal_message m = join_of(&ken, &ken, &ken, &ken);
    assert_int_equal(say(&b, &a, &m), FOCAL_NEVER);
    assert_int_equal(a.joined, 0);
}

static void who_listens_is_not_admitted(void **state)
{
    (void)state;
    shake();
    struct focal_message m = { .type = FOCAL_MSG_ADMIT, .is.admit.sealed_secret = focal_span_text("a secret of mine") };
    assert_int_equal(say(&a, &b, &m), FOCAL_NEVER);
    assert_int_equal(b.admitted_len, 0);
    assert_true(b.s->closing);
}

/* ---- what the node says ---- */

static enum focal_status answer;

static enum focal_status writing_or_not(void *data)
{
    return answer == FOCAL_OK ? end_writing(data) : answer;
}

static enum focal_status not_joined(void *data, struct focal_session *s, uint64_t invitation, const struct focal_public_keys *keys, struct focal_buf *sealed)
{
    (void)data;
    (void)s;
    (void)invitation;
    (void)keys;
    focal_buf_text(sealed, "never to be sent");
    return FOCAL_DENIED;
}

static enum focal_status not_admitted(void *data, struct focal_session *s, struct focal_span sealed)
{
    (void)data;
    (void)s;
    (void)sealed;
    return FOCAL_NEVER;
}

/* An invitation that is used, or taken back: it costs the newcomer its link, and no secret leaves. */
static void a_join_not_wanted_any_more(void **state)
{
    (void)state;
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    shake();
    b.host.joined = not_joined;
    struct focal_message m = join_of(&hq, &hq, &hq, &hq);
    assert_int_equal(say(&a, &b, &m), FOCAL_DENIED);
    while (end_take(&b, &frame))
        assert_int_equal(end_frame(&a, focal_buf_view(&frame)), FOCAL_OK);
    assert_int_equal(focal_session_state(b.s), FOCAL_SESSION_CLOSED);
    assert_int_equal(a.admitted_len, 0);
    assert_int_equal(focal_session_bye_reason(a.s), FOCAL_BYE_FAULT);
    focal_buf_close(&frame);
}

static void a_disk_that_fails_is_nobodys_fault(void **state)
{
    (void)state;
    shake();
    b.host.writing = a.host.writing = writing_or_not;
    answer = FOCAL_IO;
    struct focal_message m = join_of(&hq, &hq, &hq, &hq);
    assert_int_equal(say(&a, &b, &m), FOCAL_IO);
    assert_int_equal(b.joined, 0);
    assert_false(b.s->closing);
    struct focal_message admit = { .type = FOCAL_MSG_ADMIT, .is.admit.sealed_secret = focal_span_text("sealed") };
    assert_int_equal(say(&b, &a, &admit), FOCAL_IO);
    assert_int_equal(a.admitted_len, 0);
    assert_false(a.s->closing);                 /* it is not done: no goodbye */
    answer = FOCAL_OK;
    a.host.admitted = not_admitted;             /* sealed to somebody else */
    assert_int_equal(say(&b, &a, &admit), FOCAL_NEVER);
    assert_true(a.s->closing);
}

/* People have compared the words: only a link that waits for that is told. */
static void admitted_while_it_waits(void **state)
{
    (void)state;
    focal_session_admit(b.s, focal_span_text("too early"));
    assert_null(b.s->queue_head);
    pump(&a, &b);
    assert_int_equal(a.admitted_len, 0);
    focal_session_admit(a.s, focal_span_text("by the newcomer"));
    assert_null(a.s->queue_head);
    focal_session_admit(b.s, focal_span_text("sealed secret"));
    pump(&a, &b);
    assert_int_equal(a.admitted_len, strlen("sealed secret"));
    assert_int_equal(focal_session_state(b.s), FOCAL_SESSION_CLOSED);
    focal_session_admit(b.s, focal_span_text("too late"));
    assert_null(b.s->queue_head);
}

static bool allow_none(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return false;
}

/* What cannot be said now is said on the next link. */
static void admitted_without_memory(void **state)
{
    (void)state;
    pump(&a, &b);
    focal_alloc_hook(allow_none, NULL);
    focal_session_admit(b.s, focal_span_text("sealed secret"));
    focal_alloc_hook(NULL, NULL);
    assert_true(b.s->closing);
    pump(&a, &b);
    assert_int_equal(focal_session_state(b.s), FOCAL_SESSION_CLOSED);
    assert_int_equal(a.admitted_len, 0);
}

/* A disk so full that nothing of others may be written: neither a newcomer nor an admission is taken, and both wait. */
static void a_strict_pause_joins_nobody(void **state)
{
    (void)state;
    shake();
    a.host.pause = a.host.pause_strict = b.host.pause = b.host.pause_strict = true;
    struct focal_message m = join_of(&hq, &hq, &hq, &hq), admit = { .type = FOCAL_MSG_ADMIT, .is.admit.sealed_secret = focal_span_text("sealed") };
    assert_int_equal(say(&a, &b, &m), FOCAL_OK);
    assert_int_equal(say(&b, &a, &admit), FOCAL_OK);
    assert_int_equal(b.joined, 0);
    assert_int_equal(a.admitted_len, 0);
    assert_int_equal(focal_session_resume(b.s), FOCAL_OK);      /* there is nothing to ask for */
    assert_int_equal(b.host.asks.count, 0);
    b.host.pause_strict = false;
    assert_int_equal(say(&a, &b, &m), FOCAL_OK);
    assert_int_equal(b.joined, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(joining, set_up, tear_down),
        cmocka_unit_test_setup_teardown(joining_again_is_told_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_that_do_not_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_dialled_is_not_joined, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_listens_is_not_admitted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_join_not_wanted_any_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_that_fails_is_nobodys_fault, set_up, tear_down),
        cmocka_unit_test_setup_teardown(admitted_while_it_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(admitted_without_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_strict_pause_joins_nobody, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("sync_join", tests, NULL, NULL);
}
