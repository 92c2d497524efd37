/* withdraw and restore; and what is said of a withdrawn case elsewhere. */
#include "job.h"

#include <stdio.h>
#include <string.h>

static const char *const state_words[] = { [FOCAL_WITHDRAWAL_NONE] = "none", [FOCAL_WITHDRAWAL_AS_SEEN] = "as_seen",
                                           [FOCAL_WITHDRAWAL_CHANGED] = "changed", [FOCAL_WITHDRAWAL_UNSEEN] = "unseen" };

/* ---- saying ---- */

json_t *withdrawal_json(struct focal_oplog *oplog, const struct focal_record *r)
{
    const struct focal_live *live = focal_record_withdrawn_by(r);
    if (!live)
        return NULL;
    const struct focal_certificate *author = focal_oplog_author(oplog, &live->ref.log);
    struct focal_buf text;
    json_t *out = json_object();
    focal_buf_init(&text, 4096);
    value_text(&text, oplog, r->kind ? focal_field_by_number(r->kind, FOCAL_CASE_WITHDRAWN) : NULL, live->value);
    json_object_set_new(out, "reason", text_json(focal_buf_cstr(&text)));
    json_object_set_new(out, "office", author ? text_json(author->office.text) : json_null());
    json_object_set_new(out, "state", json_string(state_words[focal_record_withdrawal(r)]));
    focal_buf_close(&text);
    return out;
}

bool slot_needs_person(const struct focal_record *r, const struct focal_slot *slot)
{
    return slot->two_versions && (slot->number == FOCAL_CASE_WITHDRAWN || !focal_record_withdrawn_by(r));
}

bool withdrawal_needs_person(const struct focal_record *r)
{
    enum focal_withdrawal is = focal_record_withdrawal(r);
    return is == FOCAL_WITHDRAWAL_CHANGED || is == FOCAL_WITHDRAWAL_UNSEEN;
}

bool record_needs_person(const struct focal_record *r)
{
    bool needs = withdrawal_needs_person(r) || r->more;
    for (size_t i = 0; i < r->slot_count && !needs; i++)
        needs = slot_needs_person(r, &r->slots[i]);
    return needs;
}

/* ---- doing ---- */

static enum focal_status put(struct draft *d, enum focal_change_op op, uint64_t number, struct focal_span value, struct focal_error *err)
{
    return draft_put(d, op, focal_field_by_number(d->change.kind, number), value, err);
}

static enum focal_status put_code(struct draft *d, uint32_t code, struct focal_error *err)
{
    struct focal_buf bytes;
    focal_buf_init(&bytes, 16);
    focal_buf_varint(&bytes, code);
    enum focal_status st = put(d, FOCAL_OP_SET, FOCAL_CASE_WITHDRAWN, focal_buf_view(&bytes), err);
    focal_buf_close(&bytes);
    return st;
}

static bool has_home(const struct focal_record *r)
{
    return r->home_set && !focal_bytes_zero(r->home.b, sizeof r->home.b);
}

/* Does this office see the country part, as it is said to be here, and can it write there? */
static bool holds_country(struct job *j, const struct focal_record *r)
{
    const struct focal_certificate *mine = focal_oplog_mine(job_oplog(j));
    const struct focal_scope *home = has_home(r) ? focal_oplog_scope(job_oplog(j), &r->home) : NULL;
    return mine && home && r->complete && focal_oplog_reads(mine, home) && focal_oplog_may_write(job_oplog(j), home);
}

static enum focal_status forget_seen(struct draft *d, bool country, struct focal_error *err)
{
    enum focal_status st = put(d, FOCAL_OP_CLEAR, FOCAL_CASE_SAW, focal_span_of(NULL, 0), err);
    if (st == FOCAL_OK)
        st = put(d, FOCAL_OP_CLEAR, FOCAL_CASE_SAW_NETWORK, focal_span_of(NULL, 0), err);
    if (st == FOCAL_OK && country)
        st = put(d, FOCAL_OP_CLEAR, FOCAL_CASE_SAW_COUNTRY, focal_span_of(NULL, 0), err);
    return st;
}

static enum focal_status put_seen(struct draft *d, const struct focal_record *r, bool country, struct focal_error *err)
{
    uint8_t saw[FOCAL_SAW_BYTES];
    focal_record_saw(r, false, saw);
    enum focal_status st = put(d, FOCAL_OP_ADD, country || !has_home(r) ? FOCAL_CASE_SAW : FOCAL_CASE_SAW_NETWORK, focal_span_of(saw, sizeof saw), err);
    focal_record_saw(r, true, saw);
    return st == FOCAL_OK && country ? put(d, FOCAL_OP_ADD, FOCAL_CASE_SAW_COUNTRY, focal_span_of(saw, sizeof saw), err) : st;
}

static enum focal_status take_reason(struct job *j, uint32_t *number, struct focal_error *err)
{
    const struct focal_code_table *table = focal_field_by_number(job_kind(j), FOCAL_CASE_WITHDRAWN)->tables[0];
    const char *typed = job_text(j, "reason");
    const struct focal_code *code = typed ? focal_code_by_name(table, focal_span_text(typed)) : NULL;
    if (code && code->number != FOCAL_CODE_RESTORED) {
        *number = code->number;
        return FOCAL_OK;
    }
    char hint[120] = "--reason";
    size_t used = strlen(hint);
    for (const struct focal_code *c = table->codes; c->name && used < sizeof hint; c++)
        if (c->number != FOCAL_CODE_RESTORED)
            used += (size_t)snprintf(hint + used, sizeof hint - used, "%s %s", c == table->codes ? "" : ",", c->name);
    return typed ? focal_fail(err, FOCAL_USAGE, hint, "\"%.40s\" is not a reason to withdraw a case", typed)
                 : focal_fail(err, FOCAL_USAGE, hint, "say why it is withdrawn");
}

/* What is withdrawn or restored is what was looked at: something that came meanwhile must be seen first. */
static enum focal_status made_against(struct job *j, struct draft *d, const struct focal_record *r, struct focal_error *err)
{
    d->change.record = r->ref;
    d->change.if_version = true;
    memcpy(d->change.version, r->version, sizeof r->version);
    enum focal_status st = job_if_version(j, &d->change, err);
    return st == FOCAL_OK ? draft_finish(d, err) : st;
}

static enum focal_status prepare_withdraw(struct job *j, struct draft *d, const struct focal_record *r, struct focal_error *err)
{
    uint32_t reason = 0;
    bool country = holds_country(j, r);
    d->change.kind = r->kind;
    enum focal_status st = take_reason(j, &reason, err);
    if (st == FOCAL_OK)
        st = put_code(d, reason, err);
    if (st == FOCAL_OK)
        st = forget_seen(d, country, err);
    if (st == FOCAL_OK)
        st = put_seen(d, r, country, err);
    return st == FOCAL_OK ? made_against(j, d, r, err) : st;
}

static enum focal_status prepare_restore(struct job *j, struct draft *d, const struct focal_record *r, struct focal_error *err)
{
    char code[32];
    d->change.kind = r->kind;
    focal_oplog_record_code(job_oplog(j), &r->ref, code);
    if (!focal_record_withdrawn_by(r))
        return focal_fail(err, FOCAL_REFUSED, "`focalctl case list --withdrawn` lists those that are", "%s is not withdrawn; nothing was changed", code);
    enum focal_status st = put_code(d, FOCAL_CODE_RESTORED, err);
    if (st == FOCAL_OK)
        st = forget_seen(d, holds_country(j, r), err);
    return st == FOCAL_OK ? made_against(j, d, r, err) : st;
}

enum job_state run_withdraw(struct job *j)
{
    return job_edit(j, prepare_withdraw);
}

enum job_state run_restore(struct job *j)
{
    return job_edit(j, prepare_restore);
}
