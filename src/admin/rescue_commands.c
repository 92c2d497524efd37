/* rescue: what a cut caught of each record, and bringing it in again. */
#include "redactions.h"

#include <string.h>

enum { RESCUE_LIMIT = 1000, ONLY_MAX = 64 };

struct rescuing {
    struct focal_beyond_walk walk;
    json_t *found;                      /* by the record's long reference */
    uint64_t limit;
    bool more;
    const char *wanted;                 /* of `show` and `take`: a reference, long or short */
    json_t *entries;                    /* of `show` */
    bool matched, ambiguous;
    struct focal_ref only[ONLY_MAX];
    struct focal_rescue_order order;
    struct job *job;
};

static void rescuing_free(void *own)
{
    struct rescuing *r = own;
    json_decref(r->found);
    json_decref(r->entries);
}

/* A record's code names the office that created it. Where nothing counts of the log that it was created in, only the key says which. */
static void code_of(struct job *j, const struct focal_beyond *b, char code[32])
{
    focal_oplog_record_code(job_oplog(j), &b->record, code);
    if (b->creates && b->office.text[0])
        focal_code_print(code, &b->office, focal_short_code(&b->record));
}

static void count(json_t *item, const char *key, bool one)
{
    json_object_set_new(item, key, json_integer(json_integer_value(json_object_get(item, key)) + one));
}

static void list_one(void *data, const struct focal_beyond *b)
{
    struct rescuing *r = data;
    char code[32], scope[16];
    json_t *ref = ref_json(&b->record), *item = json_object_get(r->found, json_string_value(ref));
    if (!item && json_object_size(r->found) >= r->limit) {
        r->more = true;
        json_decref(ref);
        return;
    }
    code_of(r->job, b, code);
    if (!item) {
        item = json_object();
        json_object_set_new(r->found, json_string_value(ref), item);
        json_object_set_new(item, "id", json_string(code));
        json_object_set(item, "record", ref);
        json_object_set_new(item, "offices", json_array());
        json_object_set_new(item, "scopes", json_array());
    }
    if (b->creates)
        json_object_set_new(item, "id", json_string(code));
    focal_scope_print(scope, &b->scope);
    put_unique(json_object_get(item, "offices"), text_json(b->office.text[0] ? b->office.text : "unknown"));
    put_unique(json_object_get(item, "scopes"), json_string(scope));
    count(item, "entries", true);
    count(item, "brought_in", b->brought_in);
    count(item, "without_content", !b->whole);
    json_decref(ref);
}

static void match_one(void *data, const struct focal_beyond *b)
{
    struct rescuing *r = data;
    char code[32];
    json_t *ref = ref_json(&b->record);
    code_of(r->job, b, code);
    if (strcasecmp(r->wanted, code) == 0 || strcasecmp(r->wanted, json_string_value(ref)) == 0) {
        r->ambiguous = r->ambiguous || (r->matched && focal_ref_compare(&r->order.is.record, &b->record) != 0);
        r->matched = true;
        r->order.is.record = b->record;
    }
    json_decref(ref);
}

static json_t *caught_json(struct focal_oplog *oplog, struct focal_span bytes)
{
    struct focal_payload payload;
    struct focal_value_walk at = { 0 };
    struct focal_item item;
    json_t *out = json_object();
    if (focal_payload_decode(&payload, bytes) != FOCAL_OK)
        return out;
    const struct focal_kind *kind = focal_kind_by_number(payload.kind);
    while (focal_payload_next(&payload, &at, &item)) {
        const struct focal_field *field = kind ? focal_field_by_number(kind, item.field) : NULL;
        struct focal_buf text;
        if (!field || field->intake == FOCAL_INTAKE_MACHINE)
            continue;
        focal_buf_init(&text, FOCAL_ENTRY_MAX);
        value_text(&text, oplog, field, item.value);
        json_t *list = json_object_get(out, field->name);
        if (!list)
            json_object_set_new(out, field->name, list = json_array());
        json_array_append_new(list, text_json(focal_buf_cstr(&text)));
        focal_buf_wipe_close(&text);
    }
    return out;
}

static void show_matching(void *data, const struct focal_beyond *b)
{
    struct rescuing *r = data;
    char scope[16];
    if (focal_ref_compare(&r->order.is.record, &b->record) != 0)
        return;
    json_t *one = json_object();
    focal_scope_print(scope, &b->scope);
    json_object_set_new(one, "entry", ref_json(&b->entry));
    json_object_set_new(one, "office", text_json(b->office.text[0] ? b->office.text : "unknown"));
    json_object_set_new(one, "scope", json_string(scope));
    json_object_set_new(one, "creates", json_boolean(b->creates));
    json_object_set_new(one, "brought_in", json_boolean(b->brought_in));
    json_object_set_new(one, "fields", b->whole ? caught_json(job_oplog(r->job), b->payload) : json_null());
    json_array_append_new(r->entries, one);
}

/* OK: at the end; MORE: another slice. */
static enum focal_status walk_on(struct job *j, struct rescuing *r, void (*each)(void *, const struct focal_beyond *))
{
    for (int i = 0; looks_left(j, i); i++) {
        enum focal_status st = focal_oplog_next_beyond(job_oplog(j), &r->walk, each, r);
        if (st != FOCAL_OK)
            return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
    }
    return FOCAL_MORE;
}

static struct rescuing *open_rescue(struct job *j)
{
    struct rescuing *r = job_own(j, sizeof *r, rescuing_free);
    if (!r)
        return NULL;
    r->job = j;
    r->found = json_object();
    r->entries = json_array();
    r->limit = RESCUE_LIMIT;
    (void)job_number(j, "limit", &r->limit);
    return r;
}

enum job_state run_rescue_list(struct job *j)
{
    struct rescuing *r = j->own ? j->own : open_rescue(j);
    const char *key;
    json_t *item;
    if (!r)
        return job_fail(j, NULL);
    enum focal_status st = walk_on(j, r, list_one);
    if (st == FOCAL_MORE)
        return JOB_AGAIN;
    if (st != FOCAL_OK)
        return job_failf(j, st, "run `focalctl verify`", "what lies beyond cuts cannot be read");
    json_object_foreach(r->found, key, item)
        job_item(j, json_incref(item));
    return job_end(j, FOCAL_OK, json_pack("{s:b}", "more", r->more));
}

static enum job_state take(struct job *j, struct rescuing *r)
{
    if (j->stage == 1) {
        struct focal_node_event e = { .type = FOCAL_EVENT_RESCUE, .is.rescue = &r->order };
        if (!job_event(j, &e))
            return JOB_AGAIN;
        j->stage = 2;
        return JOB_STEP;
    }
    if (r->order.status == FOCAL_MORE) {
        j->stage = 1;
        return take(j, r);
    }
    if (r->order.status != FOCAL_OK) {
        struct focal_error err = r->order.error;
        err.status = r->order.status;
        return job_fail(j, &err);
    }
    json_t *item = json_object();
    json_object_set_new(item, "id", code_json(job_oplog(j), &r->order.is.record));
    json_object_set_new(item, "record", ref_json(&r->order.is.record));
    json_object_set_new(item, "brought_in", json_integer((json_int_t)r->order.is.brought_in));
    json_object_set_new(item, "without_content", json_integer((json_int_t)r->order.is.gone));
    return job_one(j, item);
}

static enum job_state show(struct job *j, struct rescuing *r)
{
    char code[32];
    enum focal_status st = walk_on(j, r, show_matching);
    if (st == FOCAL_MORE)
        return JOB_AGAIN;
    if (st != FOCAL_OK)
        return job_failf(j, st, "run `focalctl verify`", "what lies beyond cuts cannot be read");
    json_t *item = json_object();
    focal_oplog_record_code(job_oplog(j), &r->order.is.record, code);
    json_object_set_new(item, "id", json_string(code));
    json_object_set_new(item, "record", ref_json(&r->order.is.record));
    json_object_set(item, "entries", r->entries);
    return job_one(j, item);
}

/* The entries of it that are meant; none named: all. */
static bool take_only(const struct job *j, struct rescuing *r)
{
    const json_t *list = json_object_get(j->with, "entries");
    if (json_array_size(list) > ONLY_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        uint8_t bytes[FOCAL_REF_BYTES];
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || strlen(text) != 2 * sizeof bytes || !focal_unhex(bytes, sizeof bytes, focal_span_text(text)))
            return false;
        focal_ref_get(&r->only[i], bytes);
    }
    r->order.is.only = r->only;
    r->order.is.only_count = json_array_size(list);
    return true;
}

/* `show` and `take`: first which record is meant. */
enum job_state run_rescue(struct job *j)
{
    struct rescuing *r = j->own ? j->own : open_rescue(j);
    if (!r)
        return job_fail(j, NULL);
    const bool shows = strcmp(j->command->name, "rescue.show") == 0;
    r->wanted = job_text(j, "ref");
    if (!r->wanted)
        return job_failf(j, FOCAL_USAGE, "name it as `focalctl rescue list` does", "which record?");
    if (j->stage > 0)
        return shows ? show(j, r) : take(j, r);
    enum focal_status st = walk_on(j, r, match_one);
    if (st == FOCAL_MORE)
        return JOB_AGAIN;
    if (st != FOCAL_OK)
        return job_failf(j, st, "run `focalctl verify`", "what lies beyond cuts cannot be read");
    if (r->ambiguous)
        return job_failf(j, FOCAL_AMBIGUOUS, "say which by its long form: `focalctl rescue list --json` has it", "%.40s names more than one record", r->wanted);
    if (!r->matched)
        return job_failf(j, FOCAL_NOT_FOUND, "`focalctl rescue list` shows what there is", "nothing of %.70s lies beyond a cut here", r->wanted);
    if (!take_only(j, r))
        return job_failf(j, FOCAL_USAGE, "at most 64, each as `focalctl rescue show` has it", "an entry is not named as it should be");
    j->stage = 1;
    r->walk = (struct focal_beyond_walk){ 0 };
    return shows ? show(j, r) : take(j, r);
}
