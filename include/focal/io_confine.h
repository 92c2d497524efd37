/* Confining this process: after these calls it can reach no other files, start no other program, look into no other process
 * and ask the kernel for little, whatever a peer's bytes or a person's file may make it do.
 *
 * Not here: what the service manager does beyond that (systemd/focald.service); the privacy of this process's memory (the
 * programs' main).
 * Both hold for the calling thread and all threads that it starts later, for ever: call them before the loop is opened.
 * Sources: landlock(7), seccomp(2), the kernel's Documentation/userspace-api/landlock.rst and seccomp_filter.rst. */
#ifndef FOCAL_IO_CONFINE_H
#define FOCAL_IO_CONFINE_H

#include "focal/base.h"

/* Paths of what may be opened; what stands beneath a directory counts too. NULL and "" are passed over, and so is what is
 * not there: nothing that comes into being there later is reachable. */
struct focal_confine_paths {
    const char *const *write; size_t write_count;       /* read, written, made, renamed, removed */
    const char *const *read; size_t read_count;         /* read only */
};

/* Landlock. No program can be executed from anywhere afterwards. UNSUPPORTED: this kernel has none, or it is switched off.
 * *version receives the kernel's Landlock version. */
FOCAL_MUST_USE enum focal_status focal_confine_files(const struct focal_confine_paths *, unsigned *version);

/* seccomp: a list of system calls that the daemon and its libraries make; starting programs, tracing, loading kernel code and
 * the like end the process, every other call fails with ENOSYS. UNSUPPORTED: this kernel or this processor has no filter here. */
FOCAL_MUST_USE enum focal_status focal_confine_calls(void);

/* The list by name, for who compares it with another; NULL after the last. `ends`: this one ends the process. */
const char *focal_confine_call_at(size_t i, bool *ends);

#endif
