/* Verify finds what a redaction in force should have taken away. */
#include "redactors.h"

struct row { enum focal_shelf shelf; struct focal_buf key, value; };

/* A copy of the row that holds this text. */
static void remember(struct row *row, size_t at, enum focal_shelf shelf, const char *text)
{
    row->shelf = shelf;
    focal_buf_init(&row->key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&row->value, FOCAL_STORE_VALUE_MAX);
    while (focal_store_next(offices[at].store, shelf, focal_buf_view(&row->key), &row->key, &row->value) == FOCAL_OK)
        for (size_t i = 0; i + strlen(text) <= row->value.len; i++)
            if (memcmp(row->value.data + i, text, strlen(text)) == 0)
                return;
    fail_msg("no row of shelf %d holds it", shelf);
}

static void put_back(struct row *row, size_t at)
{
    assert_int_equal(focal_store_begin(offices[at].store), FOCAL_OK);
    assert_int_equal(focal_store_put(offices[at].store, row->shelf, focal_buf_view(&row->key), focal_buf_view(&row->value)), FOCAL_OK);
    assert_int_equal(focal_store_commit(offices[at].store), FOCAL_OK);
    focal_buf_close(&row->key);
    focal_buf_close(&row->value);
}

/* The one fault that verify finds, if it is this. */
static bool finds(size_t at, const char *what)
{
    struct focal_verify *v;
    enum focal_status st;
    assert_int_equal(focal_verify_open(&v, offices[at].ol), FOCAL_OK);
    while ((st = focal_verify_slice(v, 50)) == FOCAL_MORE)
        ;
    assert_int_equal(st, FOCAL_OK);
    bool found = false;
    for (size_t i = 0; i < focal_verify_error_count(v); i++)
        found = found || strstr(focal_verify_error(v, i), what) != NULL;
    focal_verify_close(v);
    return found;
}

static void a_segment_with_its_payload(void **state)
{
    (void)state;
    for (int whole = 0; whole < 2; whole++) {           /* named itself, or its record */
        struct row row;
        const struct focal_ref record = write_text(KEN, NULL, "of the record"), edit = write_text(KEN, &record, whole ? other_canary : canary);
        exchange();
        remember(&row, TCD, FOCAL_SHELF_SEGMENT, whole ? other_canary : canary);
        assert_false(finds(TCD, "still here"));
        assert_int_equal(redact(KEN, whole ? &record : NULL, whole ? NULL : &edit), FOCAL_OK);
        exchange();
        all_equal();
        put_back(&row, TCD);
        assert_true(finds(TCD, "what it says is still here"));
        assert_false(finds(KEN, "still here"));
        tear_down(state);
        set_up(state);
    }
}

static void what_is_kept_hidden(void **state)
{
    (void)state;
    struct row row;
    const struct focal_ref record = write_text(KEN, NULL, canary);
    exchange();
    assert_int_equal(redact(HQ, &record, NULL), FOCAL_OK);
    exchange();
    remember(&row, TCD, FOCAL_SHELF_HIDDEN, canary);
    all_equal();                                        /* one office of headquarters alone: hidden is right */
    assert_int_equal(redact(KEN, &record, NULL), FOCAL_OK);
    exchange();
    all_equal();
    put_back(&row, TCD);
    assert_true(finds(TCD, "still kept hidden"));
    assert_false(finds(SSD, "still"));
}

/* A redaction that comes while verify is under way makes nothing wrong that was right when it began. */
static void a_redaction_while_it_looks(void **state)
{
    (void)state;
    struct focal_verify *v;
    const struct focal_ref record = write_text(KEN, NULL, canary);
    exchange();
    assert_int_equal(focal_verify_open(&v, offices[TCD].ol), FOCAL_OK);
    assert_int_equal(redact(KEN, &record, NULL), FOCAL_OK);
    exchange();
    enum focal_status st;
    while ((st = focal_verify_slice(v, 50)) == FOCAL_MORE)
        ;
    assert_int_equal(st, FOCAL_OK);
    assert_int_equal(focal_verify_error_count(v), 0);
    focal_verify_close(v);
    all_equal();
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = { WITH(a_segment_with_its_payload), WITH(what_is_kept_hidden), WITH(a_redaction_while_it_looks) };
    return cmocka_run_group_tests_name("oplog_verify_redacted", tests, NULL, NULL);
}
