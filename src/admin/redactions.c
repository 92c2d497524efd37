/* What is known of redactions: who asked, who has confirmed, and finding a record that is gone. */
#include "redactions.h"

#include <string.h>

void redaction_rows_free(struct redaction_rows *r)
{
    focal_free(r->rows);
    memset(r, 0, sizeof *r);
}

enum focal_status redaction_rows_add(struct redaction_rows *r, const struct redaction_row *row)
{
    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 8;
        struct redaction_row *more = focal_realloc(r->rows, cap * sizeof *more);
        if (!more)
            return FOCAL_NO_MEMORY;
        r->rows = more;
        r->cap = cap;
    }
    r->rows[r->count++] = *row;
    return FOCAL_OK;
}

static bool is_office(const struct focal_certificate *c, const struct focal_office *office)
{
    return c && strcmp(c->office.text, office->text) == 0;
}

bool redaction_counts(struct focal_oplog *oplog, const struct focal_office *by, const struct focal_certificate *author, const struct focal_certificate *creator)
{
    const struct focal_certificate *c = by->text[0] ? focal_oplog_certificate(oplog, by) : NULL;
    return c && ((c->rights & FOCAL_RIGHT_REDACT) || is_office(author, by) || is_office(creator, by));
}

enum focal_status redaction_rows_of(struct redaction_rows *out, struct focal_oplog *oplog, const struct focal_ref *target, bool whole)
{
    uint8_t prefix[FOCAL_REF_BYTES];
    struct focal_buf key;
    struct focal_redaction r;
    const struct focal_certificate *author = focal_oplog_author(oplog, &target->log);
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_ref_put(prefix, target);
    focal_buf_bytes(&key, prefix, sizeof prefix);
    enum focal_status st;
    while ((st = focal_oplog_next_redaction(oplog, &key, &r)) == FOCAL_OK && focal_ref_compare(&r.target, target) == 0) {
        struct redaction_row row = { .notice = r.notice, .scope = r.scope, .by = r.by };
        if (r.whole_record != whole)
            continue;
        row.counts = redaction_counts(oplog, &r.by, author, author);
        st = redaction_rows_add(out, &row);
        if (st != FOCAL_OK)
            break;
    }
    focal_buf_close(&key);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

bool looks_left(const struct job *j, int done)
{
    enum { LOOKS_PER_SLICE = 32 };
    return done == 0 || (done < LOOKS_PER_SLICE && j->admin->is.spent_ms(j->admin->is.data) < FOCAL_ADMIN_TURN_MS);
}

const struct focal_code_table *redaction_reasons(void)
{
    const struct focal_field *field = focal_field_by_number(focal_kind_by_number(FOCAL_KIND_REDACTION), FOCAL_REDACTION_REASON);
    focal_assert(field);
    return field->tables[0];
}

/* ---- who has confirmed ---- */

/* -1: not known of some, 0: not of some, 1: of all; 2: nothing there concerns it. */
static int confirmed_all(struct job *j, const struct focal_certificate *c, const struct redaction_rows *rows)
{
    int all = 2;
    for (size_t i = 0; i < rows->count && all != 0; i++) {
        const struct focal_scope *scope = focal_oplog_scope(job_oplog(j), &rows->rows[i].scope);
        if (!rows->rows[i].counts || !scope || !focal_oplog_may_read(job_oplog(j), c, scope))
            continue;
        int one = focal_node_confirmed(j->admin->is.node, &c->office, &rows->rows[i].notice);
        all = one == 0 || all == 2 ? one : one < all ? one : all;
    }
    return all;
}

json_t *confirmed_json(struct job *j, const struct redaction_rows *rows)
{
    json_t *out = json_array();
    struct focal_oplog *oplog = job_oplog(j);
    const struct focal_certificate *c, *mine = focal_oplog_mine(oplog);
    for (size_t i = 0; (c = focal_oplog_office_at(oplog, i)); i++) {
        struct focal_peer_status p;
        int confirmed = confirmed_all(j, c, rows);
        if (confirmed == 2)
            continue;
        json_t *one = json_object();
        json_object_set_new(one, "office", text_json(c->office.text));
        json_object_set_new(one, "confirmed", confirmed < 0 ? json_null() : json_boolean(confirmed));
        if (c != mine)
            json_object_set_new(one, "last_heard_s", peer_find(j, c->office.text, &p) && p.heard ? json_integer((json_int_t)(p.heard_ago_ms / 1000)) : json_null());
        json_array_append_new(out, one);
    }
    return out;
}

/* ---- finding what is gone ---- */

enum focal_status record_was_redacted(struct focal_oplog *oplog, const struct focal_ref *ref, bool *redacted)
{
    const struct focal_log *log = focal_oplog_log(oplog, &ref->log);
    *redacted = false;
    return log ? focal_oplog_record_redacted(oplog, ref, &log->name.scope, redacted) : FOCAL_OK;
}

enum focal_status redacted_error(struct job *j, const struct focal_ref *ref, struct focal_error *err)
{
    char code[32], hint[100];
    focal_oplog_record_code(job_oplog(j), ref, code);
    (void)snprintf(hint, sizeof hint, "`focalctl redaction show %s` says by whom, and who has confirmed it", code);
    return focal_fail(err, FOCAL_NOT_FOUND, hint, "%s was redacted", code);
}

enum focal_status redacted_unknown(enum focal_status st, const char *text, struct focal_error *err)
{
    return focal_fail(err, st, "run `focalctl verify`", "whether %.70s was redacted cannot be read", text);
}

/* The index of codes forgets a redacted record; the redactions name it. */
static enum focal_status find_gone(struct focal_oplog *oplog, const char *text, struct focal_ref *ref)
{
    struct focal_office office;
    uint64_t short40;
    struct focal_buf key;
    struct focal_redaction r;
    enum focal_status st = focal_code_parse(&office, &short40, focal_span_text(text));
    if (st != FOCAL_OK)
        return st;
    bool found = false;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    while ((st = focal_oplog_next_redaction(oplog, &key, &r)) == FOCAL_OK) {
        if (!r.whole_record || !r.in_force || focal_short_code(&r.target) != short40 || (found && focal_ref_compare(&r.target, ref) == 0)
            || !is_office(focal_oplog_author(oplog, &r.target.log), &office))
            continue;
        if (found) {
            st = FOCAL_AMBIGUOUS;
            break;
        }
        *ref = r.target;
        found = true;
    }
    focal_buf_close(&key);
    return st == FOCAL_NOT_FOUND && found ? FOCAL_OK : st;
}

enum focal_status redactable_find(struct job *j, const char *text, struct focal_ref *ref, struct focal_error *err)
{
    enum focal_status st = record_find(job_oplog(j), focal_node_store(j->admin->is.node), text, ref, err);
    if (st != FOCAL_NOT_FOUND)
        return st;
    enum focal_status gone = find_gone(job_oplog(j), text, ref);
    if (gone == FOCAL_AMBIGUOUS)
        return focal_fail(err, gone, "say which by its long form: `focalctl redaction list --json` has it", "%.40s names more than one redacted record", text);
    if (gone == FOCAL_OK)
        return gone;
    /* That it is not here is said only when the redactions could be asked; what is no code names none of them. */
    return gone == FOCAL_NOT_FOUND || gone == FOCAL_MALFORMED || gone == FOCAL_REFUSED ? st : redacted_unknown(gone, text, err);
}
