/* What is to be signed by the authority: another last day of a membership, a key that gives such days from then on, a policy. */
#include "job.h"

#include "focal/config.h"

#include <stdio.h>
#include <string.h>

enum { MONTHS = 12, MONTHS_MAX = 120, OPENINGS_A_YEAR = 400, DELEGATED_MAX_DAYS = 20 * 366 };

static uint32_t openings_more(uint32_t now, uint64_t months)
{
    const uint64_t more = now + (months + 11) / 12 * OPENINGS_A_YEAR;
    return more < UINT32_MAX ? (uint32_t)more : UINT32_MAX;
}

static enum focal_status months_of(struct job *j, uint64_t *months, struct focal_error *err)
{
    *months = MONTHS;
    if (json_object_get(j->with, "months") && (!job_number(j, "months", months) || *months == 0 || *months > MONTHS_MAX))
        return focal_fail(err, FOCAL_USAGE, "between 1 and 120", "a membership cannot be put off by so many months");
    return FOCAL_OK;
}

static enum job_state one_to_sign(struct job *j, const struct focal_office *office, struct focal_buf *body)
{
    json_t *out = body->failed ? NULL : to_sign_json(j, office, json_pack("[o]", body_json(focal_buf_view(body))));
    focal_buf_close(body);
    return out ? job_one(j, out) : job_fail(j, NULL);
}

enum job_state run_renew_begin(struct job *j)
{
    struct focal_error err;
    struct focal_office office;
    uint64_t months;
    const char *text = job_text(j, "office");
    if (!text)
        return job_failf(j, FOCAL_USAGE, "name it by its code", "which office?");
    enum focal_status st = office_find(job_oplog(j), text, &office, &err);
    if (st == FOCAL_OK)
        st = months_of(j, &months, &err);
    const struct focal_certificate *c = st == FOCAL_OK ? focal_oplog_certificate(job_oplog(j), &office) : NULL;
    if (c && focal_oplog_cut_of(job_oplog(j), &c->keys.sign))
        st = focal_fail(&err, FOCAL_REFUSED, "it comes back only with a new key: `focalctl office invite CODE`", "the membership of %s was ended", office.text);
    if (st != FOCAL_OK)
        return job_fail(j, &err);
    const uint32_t today = job_today(j), from = c->to_day > today ? c->to_day : today;
    struct focal_renewal r = { .office = office, .number = focal_oplog_renewal_number(job_oplog(j), &office) + 1, .day = today };
    struct focal_buf body;
    r.to_day = from + (uint32_t)((months * 366 + 11) / 12);
    r.openings_max = openings_more(c->openings_max, months);
    focal_oplog_certificate_hash(job_oplog(j), c, &r.certificate);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_renewal_encode(&body, &r);
    return one_to_sign(j, &office, &body);
}

static bool day_parse(uint32_t *day_1970, const char *text)
{
    uint32_t day;
    if (!focal_date_parse(&day, focal_span_text(text)) || day < focal_date_from_unix_days(0))
        return false;
    *day_1970 = day - focal_date_from_unix_days(0);
    return true;
}

enum job_state run_delegate_begin(struct job *j)
{
    struct focal_oplog *ol = job_oplog(j);
    const struct focal_certificate *mine = focal_oplog_mine(ol);
    const bool end = job_flag(j, "end");
    struct focal_delegation d, before;
    struct focal_span statement;
    struct focal_buf body;
    uint32_t until = 0;
    const char *text = job_text(j, "until");
    if (!mine || mine->role != FOCAL_ROLE_HQ)
        return job_failf(j, FOCAL_DENIED, "do it at headquarters", "only headquarters renews memberships by itself");
    const bool given = focal_oplog_delegation(ol, &mine->office, &before, &statement);
    if (end && !(given && before.key_set))
        return job_failf(j, FOCAL_NOT_FOUND, "`focalctl network show` says who may renew", "no key for renewals was given to %s", mine->office.text);
    if (!end && (!text || !day_parse(&until, text) || until <= job_today(j) || until > job_today(j) + DELEGATED_MAX_DAYS))
        return job_failf(j, FOCAL_USAGE, "--until 2031-12-31", "the last day that the key may give must lie in the next twenty years");
    memset(&d, 0, sizeof d);
    d.office = mine->office;
    d.key_set = !end;
    if (!end)
        focal_node_renewal_key(j->admin->is.node, &d.key);
    d.number = given ? before.number + 1 : 1;
    d.until_day = end ? job_today(j) : until;
    d.day = job_today(j);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_delegation_encode(&body, &d);
    return one_to_sign(j, &mine->office, &body);
}

/* Said anew each time, whole: what is not named is no policy any more. */
enum job_state run_policy_begin(struct job *j)
{
    struct focal_policy p = { .day = job_today(j) }, before;
    struct focal_office office;
    struct focal_buf body;
    uint32_t set;
    const char *text = job_text(j, "two_persons");
    if (!text || !focal_two_persons_parse(&set, text))
        return job_failf(j, FOCAL_USAGE, "--two-persons redact,export,revoke,veil, or some of them, or \"\" for none", "that is not what two persons can be wanted for");
    (void)snprintf(p.name, sizeof p.name, "%s", FOCAL_POLICY_TWO_PERSONS);
    p.number = focal_oplog_policy(job_oplog(j), p.name, &before) ? before.number + 1 : 1;
    p.value = set;
    focal_node_office(j->admin->is.node, &office);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_policy_encode(&body, &p);
    return one_to_sign(j, &office, &body);
}
