/* Founding, opening, closing; and what follows the end of a transaction. */
#include "inside.h"

enum focal_status focal_oplog_found(struct focal_store *store, struct focal_span genesis)
{
    struct focal_statement s;
    if (focal_statement_decode(&s, genesis) != FOCAL_OK || s.kind != FOCAL_STATEMENT_GENESIS
        || !focal_statement_verify(&s, NULL, NULL))
        return FOCAL_NEVER;
    struct focal_hash network;
    struct focal_buf value;
    focal_network_id(&network, s.body);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    enum focal_status st = focal_store_begin(store);
    if (st != FOCAL_OK)
        return st;
    st = focal_store_get(store, FOCAL_SHELF_META, focal_span_text("genesis"), &value);
    focal_buf_close(&value);
    if (st == FOCAL_OK)
        st = FOCAL_EXISTS;
    else if (st == FOCAL_NOT_FOUND)
        st = focal_store_put(store, FOCAL_SHELF_META, focal_span_text("genesis"), focal_span_of(network.b, sizeof network.b));
    if (st == FOCAL_OK)
        st = focal_store_put(store, FOCAL_SHELF_STATEMENT, focal_span_of(network.b, sizeof network.b), genesis);
    if (st == FOCAL_OK)
        return focal_store_commit(store);
    focal_store_rollback(store);
    return st;
}

static enum focal_status load_genesis(struct focal_oplog *ol, struct focal_error *err)
{
    const char *const hint = "restore the database from a copy, or set this office up anew";
    enum focal_status st = focal_store_get(ol->store, FOCAL_SHELF_META, focal_span_text("genesis"), &ol->value);
    if (st == FOCAL_NOT_FOUND)
        return focal_fail(err, st, "set this office up first", "the database holds no network");
    if (st != FOCAL_OK)
        return st;
    if (ol->value.len != sizeof ol->network.b)
        return focal_fail(err, FOCAL_DAMAGED, hint, "the name of the network in the database is damaged");
    memcpy(ol->network.b, ol->value.data, sizeof ol->network.b);
    st = focal_store_get(ol->store, FOCAL_SHELF_STATEMENT, focal_span_of(ol->network.b, sizeof ol->network.b), &ol->value);
    if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
        return st;
    struct focal_statement s;
    if (st == FOCAL_NOT_FOUND || focal_statement_decode(&s, focal_buf_view(&ol->value)) != FOCAL_OK
        || s.kind != FOCAL_STATEMENT_GENESIS || !focal_statement_verify(&s, NULL, &ol->network))
        return focal_fail(err, FOCAL_DAMAGED, hint, "the founding statement in the database is damaged");
    ol->genesis = s.is.genesis;
    const struct focal_scope control = { .cls = FOCAL_SCOPE_CONTROL };
    focal_scope_id(&ol->control_scope, &ol->network, &control);
    return FOCAL_OK;
}

static void init(struct focal_oplog *ol)
{
    focal_map_init(&ol->log_map, sizeof(struct focal_id), ol->seed);
    focal_map_init(&ol->line_map, sizeof(struct focal_id), ol->seed);
    focal_map_init(&ol->redacted, FOCAL_REF_BYTES, ol->seed);
    focal_map_init(&ol->scope_map, sizeof(struct focal_hash), ol->seed);
    focal_oplog_statements_init(ol);
    focal_oplog_receipts_init(ol);
    focal_oplog_batch_init(&ol->batch, ol->seed, BATCH_PARTS_MAX, BATCH_ENTRIES_MAX, BATCH_BYTES_MAX);
    focal_part_init(&ol->part);
    focal_part_lift_limit(&ol->part);   /* bounded by one row and a batch */
    focal_arena_init(&ol->arena, ARENA_BYTES_MAX);
    focal_buf_init(&ol->key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&ol->value, FOCAL_STORE_VALUE_MAX);
    focal_buf_init(&ol->encoded, FOCAL_STORE_VALUE_MAX);
    focal_buf_init(&ol->scratch, FOCAL_STORE_VALUE_MAX);
    focal_buf_init(&ol->names, FOCAL_ORDINARY_MAX);
    focal_buf_init(&ol->refs, 2 * FOCAL_STRETCH_ENTRIES_MAX * FOCAL_REF_BYTES);
}

static enum focal_status load(struct focal_oplog *ol, struct focal_error *err)
{
    enum focal_status st = load_genesis(ol, err);
    if (st == FOCAL_OK)
        st = focal_oplog_statements_load(ol, err);
    if (st == FOCAL_OK)
        st = focal_oplog_logs_load(ol, err);
    if (st == FOCAL_OK)
        st = focal_oplog_limits_load(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_again_load(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_holes_load(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_epoch_load(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_redactions_load(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_receipts_load(ol);
    ol->scrub_due = ol->redacted.count > 0;     /* power may have gone between a commit and its scrubbing */
    return st == FOCAL_OK ? focal_oplog_heed_fence(ol) : st;
}

enum focal_status focal_oplog_open(struct focal_oplog **out, struct focal_store *store, const struct focal_node_keys *keys,
                                   const struct focal_entropy *entropy, const struct focal_trace *trace, struct focal_error *err)
{
    *out = NULL;
    struct focal_oplog *ol = focal_alloc(sizeof *ol);
    if (!ol)
        return focal_fail(err, FOCAL_NO_MEMORY, "", "out of memory");
    ol->store = store;
    ol->has_keys = keys != NULL;
    ol->keys = keys ? focal_secret_alloc(sizeof *ol->keys) : NULL;
    if (keys && !ol->keys) {
        focal_free(ol);
        return focal_fail(err, FOCAL_NO_MEMORY, "", "out of memory");
    }
    if (keys)
        *ol->keys = *keys;
    if (trace)
        ol->trace = *trace;
    if (entropy) {
        ol->entropy = *entropy;
        entropy->fill(entropy->data, &ol->seed, sizeof ol->seed);
    }
    focal_assert(entropy || !keys);
    init(ol);
    ol->packer = focal_packer_open();
    struct focal_error failure = { .status = FOCAL_OK };
    enum focal_status st = ol->packer ? load(ol, &failure) : FOCAL_NO_MEMORY;
    if (st == FOCAL_OK) {
        *out = ol;
        return st;
    }
    if (failure.status == FOCAL_OK)
        focal_fail(&failure, st, "", "the database could not be read: %s", focal_status_text(st));
    if (err)
        *err = failure;
    focal_oplog_close(ol);
    return st;
}

void focal_oplog_close(struct focal_oplog *ol)
{
    if (!ol)
        return;
    focal_oplog_logs_close(ol);
    focal_oplog_statements_close(ol);
    focal_oplog_receipts_close(ol);
    focal_oplog_batch_close(&ol->batch);
    focal_free(ol->created);
    focal_map_close(&ol->redacted);
    focal_free(ol->targets);
    focal_free(ol->breaches);
    focal_free(ol->begun);
    focal_part_close(&ol->part);
    focal_packer_close(ol->packer);
    focal_arena_close(&ol->arena);
    focal_buf_close(&ol->key);
    focal_buf_close(&ol->value);
    focal_buf_close(&ol->encoded);
    focal_buf_close(&ol->scratch);
    focal_buf_close(&ol->names);
    focal_buf_close(&ol->refs);
    focal_secret_free(ol->keys);
    focal_free(ol);
}

static size_t keep_id(uint8_t out[MACHINE_ID_MAX], struct focal_span id)
{
    size_t len = id.len < MACHINE_ID_MAX ? id.len : MACHINE_ID_MAX;
    if (len)
        memcpy(out, id.data, len);
    return len;
}

void focal_oplog_set_machine(struct focal_oplog *ol, struct focal_span machine_id, struct focal_span boot_id)
{
    ol->machine_id_len = keep_id(ol->machine_id, machine_id);
    ol->boot_id_len = keep_id(ol->boot_id, boot_id);
}

const struct focal_hash *focal_oplog_network(const struct focal_oplog *ol)
{
    return &ol->network;
}

const struct focal_genesis *focal_oplog_genesis(const struct focal_oplog *ol)
{
    return &ol->genesis;
}

/* ---- the end of a transaction ------------------------------------------------------------------------------------------ */

void focal_oplog_committed(struct focal_oplog *ol)
{
    /* An entry that was not sealed is lost, and someone believes it was written. */
    focal_assert(ol->batch.part_count == 0);
    for (size_t i = 0; i < ol->log_count; i++)
        focal_assert(ol->logs[i]->own == NULL);
    focal_assert(ol->target_count == 0 && ol->breach_count == 0 && ol->begun_count == 0 && !ol->unhide_due);
    focal_oplog_statements_durable(ol);
}

bool focal_oplog_scrub_due(const struct focal_oplog *ol)
{
    return ol->scrub_due;
}

void focal_oplog_scrubbed(struct focal_oplog *ol)
{
    ol->scrub_due = false;
}

enum focal_status focal_oplog_rolled_back(struct focal_oplog *ol)
{
    focal_oplog_own_forget(ol);
    focal_oplog_batch_clear(&ol->batch);
    ol->breach_count = 0;
    ol->unhide_due = false;
    enum focal_status st = focal_oplog_statements_forget(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_logs_reload(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_limits_load(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_again_load(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_holes_load(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_redactions_load(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_epoch_load(ol);
    return st == FOCAL_OK ? focal_oplog_receipts_load(ol) : st;
}
