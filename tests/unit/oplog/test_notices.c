/* Notices that are not as this program writes them: what they may and may not do. */
#include "forge.h"
#include "inside.h"

static uint64_t rows_of(struct office *o, enum focal_shelf shelf)
{
    uint64_t digest, rows;
    assert_int_equal(focal_shelf_digest(o->store, shelf, &digest, &rows), FOCAL_OK);
    return rows;
}

static void hold_opening(void)
{
    struct focal_log_name control = name_of(&ken, &scope_control, 1);
    struct focal_buf payload;
    struct forged_entry first = begin_entry;
    struct carried p;
    hold(&hq, &ken.statement);
    hold(&hq, &hq.statement);
    opening(&payload, &control, 1);
    first.payload = focal_buf_view(&payload);
    forge(&p, &ken, &control, NULL, 1, &first, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_buf_close(&payload);
}

static struct focal_log_name notices_in(const struct focal_scope *scope)
{
    struct focal_log_name name = name_of(&ken, scope, 1);
    name.lane = FOCAL_LANE_NOTICES;
    return name;
}

/* A record of ken's at hq. */
static struct focal_ref hold_record(struct focal_log_name *data, struct focal_hash *before)
{
    struct forged_entry list[2] = { begin_entry, creating(2) };
    struct carried p;
    struct focal_ref ref = { .seq = 2 };
    *data = name_of(&ken, &scope_network, 1);
    focal_log_id(&ref.log, &net.id, data);
    forge(&p, &ken, data, NULL, 1, list, 1, true);
    *before = forge_head;
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    forge(&p, &ken, data, before, 2, &list[1], 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    memcpy(ref.h8, forge_head.b, sizeof ref.h8);
    return ref;
}

static bool shown(const struct focal_ref *record)
{
    struct focal_record_view view;
    if (focal_oplog_record(hq.ol, NULL, record, &view) != FOCAL_OK)
        return false;
    const bool kind = view.record.kind != NULL;
    focal_record_view_close(&view);
    return kind;
}

static struct focal_span naming(struct focal_buf *payload, const struct focal_span *targets, size_t count, uint64_t kind)
{
    struct focal_item items[4];
    assert_true(count <= 4);
    for (size_t i = 0; i < count; i++)
        items[i] = (struct focal_item){ .field = FOCAL_REDACTION_RECORD, .value = targets[i] };
    focal_buf_init(payload, 1000);
    focal_payload_encode(payload, kind, NULL, NULL, items, count);
    assert_false(payload->failed);
    return focal_buf_view(payload);
}

/* Names of a form that comes later are kept as they are and mean nothing; those beside them count. */
static void names_of_later_forms(void **state)
{
    (void)state;
    struct focal_log_name data, notices = notices_in(&scope_network);
    struct focal_hash before;
    struct focal_buf odd, both;
    struct carried p;
    uint8_t name[FOCAL_REF_BYTES];
    hold_opening();
    const struct focal_ref record = hold_record(&data, &before);
    focal_ref_put(name, &record);
    const struct focal_span targets[] = { focal_span_of(name, 5), focal_span_of(name, sizeof name) };
    struct forged_entry list[4] = { begin_entry, creating(2), creating(3), creating(4) };
    list[1].payload = naming(&odd, targets, 1, FOCAL_KIND_REDACTION);
    list[2].payload = naming(&both, targets + 1, 1, FOCAL_KIND_CASE);       /* no redaction, whatever its fields are called */
    forge(&p, &ken, &notices, NULL, 1, list, 3, true);
    const struct focal_hash head = forge_head;
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_int_equal(rows_of(&hq, FOCAL_SHELF_REDACTION), 0);
    assert_true(shown(&record));
    assert_verifies(&hq, NULL);
    focal_buf_close(&both);
    list[3].payload = naming(&both, targets, 2, FOCAL_KIND_REDACTION);
    forge(&p, &ken, &notices, &head, 4, &list[3], 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_int_equal(rows_of(&hq, FOCAL_SHELF_REDACTION), 1);
    assert_false(shown(&record));
    assert_verifies(&hq, NULL);
    focal_buf_close(&odd);
    focal_buf_close(&both);
}

/* Redactions are of the network and of countries; control is not redacted by anybody. */
static void control_is_not_redacted(void **state)
{
    (void)state;
    struct focal_log_name data, notices = notices_in(&scope_control);
    struct focal_hash before;
    struct focal_buf payload;
    struct carried p;
    uint8_t name[FOCAL_REF_BYTES];
    hold_opening();
    const struct focal_ref record = hold_record(&data, &before);
    focal_ref_put(name, &record);
    const struct focal_span target = focal_span_of(name, sizeof name);
    struct forged_entry list[2] = { begin_entry, creating(2) };
    list[1].payload = naming(&payload, &target, 1, FOCAL_KIND_REDACTION);
    forge(&p, &ken, &notices, NULL, 1, list, 2, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_int_equal(rows_of(&hq, FOCAL_SHELF_REDACTION), 0);
    assert_true(shown(&record));
    assert_verifies(&hq, NULL);
    focal_buf_close(&payload);
}

/* A quote in a log of notices makes no part of a record, and stays whole when what it quotes is redacted: nobody takes a notice
 * without its payload, and who handed one on would be blamed for it. */
static void a_quote_among_notices_stays_whole(void **state)
{
    (void)state;
    struct focal_log_name data, notices = notices_in(&scope_network);
    struct focal_hash before, c;
    struct focal_buf header, payload;
    struct carried p;
    struct office third;
    uint8_t salt[16], names[2][FOCAL_REF_BYTES];
    hold_opening();
    const struct focal_ref record = hold_record(&data, &before);
    focal_buf_init(&header, 1000);
    const struct forged_entry quoted = creating(2);
    focal_header_encode(&header, &quoted.header);
    memset(salt, 2, sizeof salt);
    focal_commitment(&c, salt, focal_span_of(&kind_case, 1));
    struct forged_entry list[3] = { begin_entry, { .header = { .shape = FOCAL_SHAPE_QUOTE, .seq = 2, .quoted_author = data.author, .quoted_epoch = data.epoch,
        .quoted_before = before, .quoted_header = focal_buf_view(&header), .quoted_commitment = c }, .payload = focal_span_of(&kind_case, 1) }, creating(3) };
    forge(&p, &ken, &notices, NULL, 1, list, 2, true);
    struct focal_ref quote = { .seq = 2 };
    const struct focal_hash head = forge_head;
    focal_log_id(&quote.log, &net.id, &notices);
    memcpy(quote.h8, head.b, sizeof quote.h8);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_ref_put(names[0], &record);
    focal_ref_put(names[1], &quote);
    const bool in_order = memcmp(names[0], names[1], FOCAL_REF_BYTES) < 0;
    const struct focal_span targets[] = { focal_span_of(names[!in_order], FOCAL_REF_BYTES), focal_span_of(names[in_order], FOCAL_REF_BYTES) };
    list[2].payload = naming(&payload, targets, 2, FOCAL_KIND_REDACTION);
    forge(&p, &ken, &notices, &head, 3, &list[2], 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_false(shown(&record));
    assert_verifies(&hq, NULL);
    office_make(&third, &net, "TCD", 9);
    hold(&third, &ken.statement);
    carry_all(&hq, &third);                 /* as an honest office hands it on */
    assert_int_equal(focal_oplog_log(third.ol, &quote.log)->head.seq, 3);
    assert_verifies(&third, NULL);
    office_close(&third);
    focal_buf_close(&header);
    focal_buf_close(&payload);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(names_of_later_forms), WITH(control_is_not_redacted), WITH(a_quote_among_notices_stays_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
