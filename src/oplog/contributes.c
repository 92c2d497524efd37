/* What the set of statements grants. Certificates grant for ever; whatever takes rights away will be asked here too. */
#include "inside.h"

bool focal_oplog_grants(const struct focal_oplog *ol, const struct focal_key *author, const struct focal_scope *scope)
{
    for (const struct held_statement *held = focal_oplog_held_by_sign(ol, author); held; held = held->same_sign) {
        if (focal_certificate_lists(held->certificate->write, held->certificate->write_count, scope))
            return true;
    }
    return false;
}

bool focal_oplog_opens(const struct focal_oplog *ol, const struct focal_key *author, uint64_t number)
{
    for (const struct held_statement *held = focal_oplog_held_by_sign(ol, author); held; held = held->same_sign) {
        if (number > 0 && number <= held->certificate->openings_max)
            return true;
    }
    return false;
}

bool focal_oplog_contributes(const struct focal_oplog *ol, struct oplog_log *log)
{
    if (FOCAL_PLANTED(SECOND_BRANCH_DROPPED) && log->parent)
        return false;
    if (!log->granted)
        log->granted = focal_oplog_grants(ol, &log->pub.name.author, &log->pub.scope);
    return log->granted;
}

bool focal_oplog_has_author(const struct oplog_log *log)
{
    for (const struct oplog_log *line = log; line; line = line->next_line) {
        if ((line->pub.mine || focal_oplog_has_entries(line)) && focal_oplog_counts(line, line->pub.base.seq + 1))
            return true;
    }
    return false;
}

bool focal_oplog_reads(const struct focal_certificate *c, const struct focal_scope *scope)
{
    return c && focal_certificate_lists(c->read, c->read_count, scope);
}

bool focal_oplog_opening_troubled(struct focal_span bytes)
{
    struct focal_payload payload;
    struct focal_value_walk at = { 0 };
    struct focal_item item;
    if (focal_payload_decode(&payload, bytes) != FOCAL_OK)
        return false;
    while (focal_payload_next(&payload, &at, &item)) {
        if (item.field == FOCAL_OPENING_REASON)
            return item.value.len != 1
                   || (item.value.data[0] != REASON_FIRST && item.value.data[0] != REASON_RESTARTED && item.value.data[0] != REASON_LEFT);
    }
    return false;
}

uint64_t focal_oplog_opening(const struct focal_log_name *name, struct focal_span bytes)
{
    struct focal_payload payload;
    if (focal_payload_decode(&payload, bytes) != FOCAL_OK || payload.kind != FOCAL_KIND_OPENING)
        return 0;
    uint64_t number = 0;
    bool author = false, epoch = false;
    struct focal_value_walk at = { 0 };
    struct focal_item item;
    while (focal_payload_next(&payload, &at, &item)) {
        if (item.field == FOCAL_OPENING_NUMBER) {
            struct focal_cur cur = focal_cur_of(item.value);
            uint64_t v = focal_cur_varint(&cur);
            number = focal_cur_done(&cur) ? v : 0;
        } else if (item.field == FOCAL_OPENING_AUTHOR) {
            author = focal_span_equal(item.value, focal_span_of(name->author.b, sizeof name->author.b));
        } else if (item.field == FOCAL_OPENING_EPOCH) {
            epoch = focal_span_equal(item.value, focal_span_of(name->epoch.b, sizeof name->epoch.b));
        }
    }
    return author && epoch ? number : 0;
}
