/* Rights: whose groups give which, and what is said to who has not the one that a command needs. */
#include "job.h"

#include <stdio.h>
#include <string.h>

static bool is_in(const struct focal_group *group, uint32_t gid, const uint32_t *groups, size_t count)
{
    if (!group->exists)
        return false;
    for (size_t i = 0; i < count; i++)
        if (groups[i] == group->gid)
            return true;
    return group->gid == gid;
}

unsigned focal_rights_of(const struct focal_groups *named, uint32_t uid, uint32_t gid, const uint32_t *groups, size_t count)
{
    unsigned rights = 0;
    if (uid == named->owner && named->owner_all)
        return FOCAL_MAY_ALL;
    if (uid == 0 || is_in(&named->admin, gid, groups, count))
        rights |= FOCAL_MAY_ADMIN;
    if (is_in(&named->entry, gid, groups, count))
        rights |= FOCAL_MAY_ENTRY;
    if (is_in(&named->read, gid, groups, count))
        rights |= FOCAL_MAY_READ;
    return rights;
}

bool job_may(const struct job *j, unsigned rights)
{
    return j->conn->rights & rights;
}

/* Least first: who only reads is noted as reading, though he may do more. */
unsigned right_used(unsigned needs, unsigned rights)
{
    static const unsigned order[] = { FOCAL_MAY_READ, FOCAL_MAY_ENTRY, FOCAL_MAY_ADMIN };
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (needs & rights & order[i])
            return order[i];
    return 0;
}

const struct focal_group *right_group(const struct focal_groups *groups, unsigned right)
{
    return right == FOCAL_MAY_ADMIN ? &groups->admin : right == FOCAL_MAY_ENTRY ? &groups->entry : right == FOCAL_MAY_READ ? &groups->read : NULL;
}

void command_words(char out[FOCAL_CONTROL_VERB_MAX], const char *name)
{
    size_t i = 0;
    for (; name[i] && i + 1 < FOCAL_CONTROL_VERB_MAX; i++)
        out[i] = name[i] == '.' ? ' ' : name[i];
    out[i] = 0;
}

/* "focal-read or focal-entry", least first. */
static void groups_print(char out[120], const struct focal_groups *groups, unsigned needs)
{
    size_t used = 0;
    out[0] = 0;
    for (unsigned right; (right = right_used(needs, FOCAL_MAY_ALL)) != 0 && used < 120; needs &= ~right)
        used += (size_t)snprintf(out + used, 120 - used, "%s%s", used ? " or " : "", right_group(groups, right)->name);
}

enum focal_status rights_refuse(const struct focal_groups *groups, uint32_t uid, const char *name, unsigned needs, struct focal_error *err)
{
    char words[FOCAL_CONTROL_VERB_MAX], names[120], hint[240];
    const struct focal_group *least = right_group(groups, right_used(needs, FOCAL_MAY_ALL));
    command_words(words, name);
    groups_print(names, groups, needs);
    if (groups->owner_all && !least->exists)
        return focal_fail(err, FOCAL_DENIED, "run it as the user that focald runs as; for more people it runs as a service, with groups",
                          "\"%s\" is for the user that runs this daemon (user %u), and you are user %u", words, groups->owner, uid);
    (void)snprintf(hint, sizeof hint, least->exists ? "root on this machine can add you: `usermod -aG %s LOGIN`; then log in again"
                   : "root on this machine can make the group and add you: `groupadd --system %s`, start focald again, `usermod -aG ...`", least->name);
    return focal_fail(err, FOCAL_DENIED, hint, "\"%s\" is for members of %s, and you (user %u) are not one", words, names, uid);
}
