/* Who may what: the groups of this machine that the configuration names, looked up once, at the start. */
#include "run.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROW_BYTES = 4096, ROW_BYTES_MAX = 4 << 20 };    /* a group's row holds the names of its members */

/* False: no memory, or the list of groups cannot be read. */
static bool look_up(struct focal_group *group, const char *name)
{
    int failed = ERANGE;
    (void)snprintf(group->name, sizeof group->name, "%s", name);
    for (size_t size = ROW_BYTES; failed == ERANGE && size <= ROW_BYTES_MAX; size *= 4) {
        struct group row, *found = NULL;
        char *text = focal_alloc(size);
        if (!text)
            return false;
        failed = getgrnam_r(name, &row, text, size, &found);
        group->exists = failed == 0 && found;
        group->gid = group->exists ? (uint32_t)row.gr_gid : 0;
        focal_free(text);
    }
    /* The manual lists all of these for a name that is not there. */
    return failed == 0 || failed == ENOENT || failed == ESRCH || failed == EBADF || failed == EPERM;
}

static void say_missing(struct running *r, const struct focal_group *group)
{
    if (!group->exists && !r->groups.owner_all)
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "there is no group %s, so nobody has its rights; run: groupadd --system %s, then start focald again",
                         group->name, group->name);
}

/* Started by hand for a directory, the daemon serves the user who started it. As a service it serves the members of the
 * groups, and its own user is nobody in particular; only where there are no groups at all is nobody else there to serve. */
enum focal_status find_groups(struct running *r, struct focal_error *err)
{
    struct focal_groups *g = &r->groups;
    bool known = look_up(&g->admin, r->config.admin_group);
    known = look_up(&g->entry, r->config.entry_group) && known;
    known = look_up(&g->read, r->config.read_group) && known;
    if (!known)
        return focal_fail(err, FOCAL_BUSY, "look at /etc/nsswitch.conf and what it names, then start focald again", "the list of groups of this machine cannot be read");
    bool one_gid = g->admin.exists && ((g->entry.exists && g->entry.gid == g->admin.gid) || (g->read.exists && g->read.gid == g->admin.gid));
    if (one_gid)
        return focal_fail(err, FOCAL_REFUSED, "give each group a number of its own: groupmod -g NUMBER NAME",
                          "the group %s has the same number as another one: whoever administers would read records", g->admin.name);
    const bool any = g->admin.exists || g->entry.exists || g->read.exists;
    g->owner = (uint32_t)geteuid();
    g->owner_all = r->dir || !any;
    if (!r->dir && !any)
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "there are no groups %s, %s and %s: only user %u may talk to this daemon", g->admin.name, g->entry.name,
                         g->read.name, (unsigned)g->owner);
    say_missing(r, &g->admin);
    say_missing(r, &g->entry);
    say_missing(r, &g->read);
    return FOCAL_OK;
}
