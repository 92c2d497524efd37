/* PAUSE: an end whose disk is nearly full takes in no more of what can wait. Notices and control go on: they are small, and
 * what they say (redactions, memberships, where offices are) must not wait for somebody to buy a disk.
 *
 * Nothing is lost by what is passed over: it is not acknowledged, and asked for when the pause is over. */
#include "session.h"

bool pause_passes(struct focal_session *s, const struct focal_log_name *name)
{
    const struct shared_scope *scope = shared_by_id(s, &name->scope);
    return name->lane == FOCAL_LANE_NOTICES || (scope && scope->scope.cls == FOCAL_SCOPE_CONTROL);
}

bool pause_holds(struct focal_session *s, const struct focal_log_name *name)
{
    return s->host->pause && (s->host->pause_strict || !pause_passes(s, name));
}

/* Messages that would be written, where nothing of others may be. Each is sent again on the next link, which is why such
 * a pause ends with one. */
bool pause_drops(const struct focal_session *s, uint8_t type)
{
    return s->host->pause && s->host->pause_strict
           && (type == FOCAL_MSG_STATEMENT || type == FOCAL_MSG_RECEIPT || type == FOCAL_MSG_JOIN || type == FOCAL_MSG_ADMIT);
}

bool pause_make(struct focal_session *s, struct focal_message *m)
{
    if (s->pause_told == s->host->pause)
        return false;
    s->pause_told = s->host->pause;
    m->type = FOCAL_MSG_PAUSE;
    m->is.pause = s->host->pause ? FOCAL_PAUSE_DISK : FOCAL_PAUSE_NONE;
    return true;
}

enum focal_status focal_session_resume(struct focal_session *s)
{
    size_t at = 0;
    void *value;
    enum focal_status st = FOCAL_OK;
    if (s->state != FOCAL_SESSION_TALKING || s->closing)
        return FOCAL_OK;
    asks_forget_link(s->host, s->link);
    tip_looks_start(s);
    while (st == FOCAL_OK && focal_map_next(&s->logs, &at, NULL, &value))
        st = ask_if_behind(s, value);
    return st;
}

bool focal_session_they_pause(const struct focal_session *s)
{
    return s->they_pause != FOCAL_PAUSE_NONE;
}
