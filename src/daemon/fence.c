/* Where this daemon's database has its fence: in two places that neither belong to the office's directory nor to what
 * backups take of it. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#define SYSTEM_STATE "/var/lib/focal-fence"
#define SYSTEM_RUNTIME "/run/focal"
#define NAME "focal-fence"

/* base/sub/focal-fence; "" where base is not set, is no absolute path, or is too long. */
static void beneath(char out[PATH_BYTES], const char *base, const char *sub)
{
    int n = base && base[0] == '/' ? snprintf(out, PATH_BYTES, "%s%s/%s", base, sub, NAME) : 0;
    if (n <= 0 || n >= PATH_BYTES)
        out[0] = 0;
}

static void places_of_user(char state[PATH_BYTES], char runtime[PATH_BYTES])
{
    const char *given = getenv("XDG_STATE_HOME");
    if (given && given[0] == '/')
        beneath(state, given, "");
    else
        beneath(state, getenv("HOME"), "/.local/state");
    beneath(runtime, getenv("XDG_RUNTIME_DIR"), "");
}

static void tell(struct running *r, const char *state, const char *runtime)
{
    static const char next[] = "a new epoch is opened before the next write";
    switch (focal_store_fence(r->store)) {
    case FOCAL_FENCE_NEW:
    case FOCAL_FENCE_GOOD:
        break;
    case FOCAL_FENCE_BEHIND:
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "the database is an older copy of what was last written here; %s", next);
        break;
    case FOCAL_FENCE_MISSING:
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "the database has no fence here: it was copied, moved, or the fence was lost; %s", next);
        break;
    case FOCAL_FENCE_MOVED:
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "the database was last written on another machine or in another place; %s", next);
        break;
    case FOCAL_FENCE_NONE:
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "no fence can be written in \"%s\" nor in \"%s\": a new epoch is opened at the first write after every start",
                         state, runtime);
        break;
    }
}

void fence_places(const struct running *r, char state[PATH_BYTES], char runtime[PATH_BYTES])
{
    (void)snprintf(state, PATH_BYTES, "%s", SYSTEM_STATE);
    (void)snprintf(runtime, PATH_BYTES, "%s", SYSTEM_RUNTIME);
    if (r->dir)
        places_of_user(state, runtime);
}

void fence_setup(struct focal_fence_setup *setup, struct running *r)
{
    fence_places(r, r->fence_state, r->fence_runtime);
    focal_machine_id(r->machine_id);
    *setup = (struct focal_fence_setup){ .places = { r->fence_state[0] ? r->fence_state : NULL, r->fence_runtime[0] ? r->fence_runtime : NULL },
        .machine_id = focal_span_text(r->machine_id), .entropy = { focal_entropy_fill, NULL } };
}

enum focal_status open_fence(struct running *r, struct focal_error *err)
{
    struct focal_fence_setup setup;
    fence_setup(&setup, r);
    enum focal_status st = focal_sqlite_fence(r->store, &setup, err);
    if (st == FOCAL_OK)
        tell(r, r->fence_state, r->fence_runtime);
    return st;
}
