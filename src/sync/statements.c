/* Sets of statements made equal: subjects that differ are sent whole, both ways. A subject holds few statements. */
#include "session.h"

#include <string.h>

enum focal_status subjects_send(struct focal_session *s)
{
    struct focal_buf items;
    focal_buf_init(&items, ITEMS_MAX);
    struct focal_message m = { .type = FOCAL_MSG_SUBJECTS };
    struct focal_subject subject;
    enum focal_status st = FOCAL_OK;
    size_t i = 0;
    bool more = focal_oplog_subject(s->host->oplog, i, &subject);
    do {
        focal_buf_clear(&items);
        m.is.subjects.count = 0;
        while (more && items.len + 24 <= ITEMS_MAX) {
            focal_subject_put(&items, &subject);
            m.is.subjects.count++;
            more = focal_oplog_subject(s->host->oplog, ++i, &subject);
        }
        m.is.subjects.last = !more;
        m.is.subjects.items = focal_buf_view(&items);
        st = items.failed ? FOCAL_NO_MEMORY : queue_message(s, &m);
    } while (st == FOCAL_OK && more);
    focal_buf_close(&items);
    focal_oplog_statements_hash(s->host->oplog, &s->subjects_sent_for);
    s->subjects_due = false;
    return st;
}

/* Whether a statement counts depends on the authority of today: what they had to leave aside they may want now. */
static void given_again(struct focal_session *s)
{
    const struct focal_key *authority = focal_oplog_authority(s->host->oplog, NULL);
    if (!focal_key_equal(authority, &s->given_under)) {
        focal_map_clear(&s->given);
        s->given_under = *authority;
    }
}

/* Once on a link: while they take in a long list of ours, each of their own lists still lacks most of it. */
static enum focal_status send_subject(struct focal_session *s, const struct focal_subject *subject)
{
    uint8_t key[24];
    memcpy(key, subject->subject, 8);
    memcpy(key + 8, subject->set, 16);
    if (focal_map_get(&s->given, key))
        return FOCAL_OK;
    struct focal_message m = { .type = FOCAL_MSG_STATEMENT };
    for (size_t i = 0; focal_oplog_subject_statement(s->host->oplog, subject->subject, i, &m.is.statement); i++) {
        enum focal_status st = queue_message(s, &m);
        if (st != FOCAL_OK)
            return st;
    }
    return focal_map_put(&s->given, key, s);
}

static bool theirs_of(const struct focal_subjects *list, const uint8_t subject[8], struct focal_subject *out)
{
    for (size_t i = 0; i < list->count; i++) {
        focal_subject_get(out, list, i);
        if (memcmp(out->subject, subject, 8) == 0)
            return true;
    }
    return false;
}

/* Those that lead, or the others. */
static enum focal_status send_differing(struct focal_session *s, const struct focal_subjects *list, bool leading, size_t *equal)
{
    struct focal_subject ours, theirs;
    for (size_t i = 0; focal_oplog_subject(s->host->oplog, i, &ours); i++) {
        if (focal_oplog_subject_leads(s->host->oplog, ours.subject) != leading)
            continue;
        if (theirs_of(list, ours.subject, &theirs) && memcmp(theirs.set, ours.set, 16) == 0) {
            ++*equal;
            continue;
        }
        enum focal_status st = send_subject(s, &ours);
        if (st != FOCAL_OK)
            return st;
    }
    return FOCAL_OK;
}

enum focal_status subjects_take(struct focal_session *s, const struct focal_subjects *list)
{
    /* Every one of ours that is not equal in their list is sent. A list cut over several messages makes us send a few
     * that they hold: harmless, and rare. What we lack they see in our own list. */
    size_t equal = 0;
    given_again(s);
    enum focal_status st = send_differing(s, list, true, &equal);
    if (st == FOCAL_OK)
        st = send_differing(s, list, false, &equal);
    if (st != FOCAL_OK)
        return st;
    if (equal == list->count)
        return FOCAL_OK;
    /* They hold what we lack, or less of it: our list makes them send it. A few answers to one state of ours are enough,
     * since each exchange leaves both with the union. */
    struct focal_hash set;
    focal_oplog_statements_hash(s->host->oplog, &set);
    if (!focal_hash_equal(&set, &s->subjects_sent_for))
        s->subjects_answers = 0;
    s->subjects_due = s->subjects_due || s->subjects_answers++ < SUBJECTS_ANSWERS_MAX;
    return FOCAL_OK;
}

/* Once for each log: whoever goes on sending it will also hear of later cuts, as of any statement. */
enum focal_status cuts_send(struct focal_session *s, struct peer_log *p)
{
    struct focal_message m = { .type = FOCAL_MSG_STATEMENT };
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; !p->told_cuts && st == FOCAL_OK && focal_oplog_cut_statement(s->host->oplog, i, &p->name.author, &m.is.statement); i++)
        st = m.is.statement.len ? queue_message(s, &m) : FOCAL_OK;
    p->told_cuts = true;
    return st;
}

enum focal_status statement_take(struct focal_session *s, struct focal_span statement)
{
    enum focal_status st = s->host->writing(s->host->data);
    if (st == FOCAL_OK)
        st = focal_oplog_add_statement(s->host->oplog, statement);
    if (st == FOCAL_EXISTS || st == FOCAL_NOT_YET)      /* not yet: they may know a later authority, or an earlier one only */
        return FOCAL_OK;
    if (st == FOCAL_OK) {
        s->taking_statement = true;
        s->host->statements_changed(s->host->data, s);
        s->taking_statement = false;
    }
    return st;
}
