/* What the daemon may still do to this machine once it runs: reach its own directory, its fence and its socket, read what
 * names and clocks need, and talk. Whoever takes it over through a peer's bytes has no more than that. */
#include "run.h"

#include "focal/io_confine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A sanitizer's runtime looks into its own process with calls that the list has not. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static void directory_of(char out[PATH_BYTES], const char *path)
{
    (void)snprintf(out, PATH_BYTES, "%s", path);
    char *slash = strrchr(out, '/');
    if (slash)
        slash[slash == out ? 1 : 0] = 0;
    else
        (void)snprintf(out, PATH_BYTES, ".");
}

/* A fence's place must be there before the rules are made. Where it cannot be made there is no fence, and the daemon says so;
 * in the office's own directory it would be copied with it, and is refused. */
static void make_place(const char *path, const char *dir)
{
    struct focal_error ignored;
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    const bool within = strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == 0);
    if (path[0] && !within)
        (void)!(focal_dir_make(path, 0700, &ignored) == FOCAL_OK);
}

static enum focal_status confine_files(const struct running *r, unsigned *version)
{
    char state[PATH_BYTES], runtime[PATH_BYTES], socket[PATH_BYTES], file[PATH_BYTES] = "";
    fence_places(r, state, runtime);
    directory_of(socket, r->socket);
    if (r->file)
        directory_of(file, r->file);
    make_place(state, r->config.dir);
    make_place(runtime, r->config.dir);
    const char *const write[] = { r->config.dir, state, runtime, socket, "/dev/null" };
    /* Resolving names reads /etc and loads libraries; the processors' list and this machine's boot are in /sys and /proc. */
    const char *const read[] = { file, getenv("CREDENTIALS_DIRECTORY"), "/etc", "/usr/lib", "/lib", "/lib64", "/usr/share/zoneinfo", "/run/systemd/resolve",
        "/dev/urandom", "/proc/self", "/proc/meminfo", "/proc/sys/kernel/random", "/sys/devices/system/cpu" };
    const struct focal_confine_paths paths = { write, sizeof write / sizeof write[0], read, sizeof read / sizeof read[0] };
    return focal_confine_files(&paths, version);
}

void confine(struct running *r)
{
    unsigned version = 0;
    if (confine_files(r, &version) == FOCAL_OK)
        focal_trace_line(&r->trace, FOCAL_INFO, "daemon", "confined to its own files (Landlock %u)", version);
    else
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "this kernel cannot confine it to its own files: no Landlock");
    if (SANITIZED)
        return;
    if (focal_confine_calls() == FOCAL_OK)
        focal_trace_line(&r->trace, FOCAL_INFO, "daemon", "confined to the system calls it needs (seccomp)");
    else
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "this kernel cannot confine its system calls: no seccomp");
}
