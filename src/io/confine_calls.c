/* seccomp: what this process may still ask of the kernel. */
#include "focal/io_confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __x86_64__
#define MACHINE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define MACHINE AUDIT_ARCH_AARCH64
#endif

enum { VALUES_MAX = 8 };

/* A call is good as it is, or only if (argument & mask) is one of the values. Arguments are looked at in their lower half:
 * all that stand here are of type int or flags below 2^32. */
struct rule {
    const char *name; int number;
    bool ends;
    uint8_t value_count, argument;
    uint32_t mask, values[VALUES_MAX];
};

#define CALL(name) { #name, SYS_##name, false, 0, 0, 0, { 0 } }
#define ENDS(name) { #name, SYS_##name, true, 0, 0, 0, { 0 } }
#define ONLY(name, argument, mask, count, ...) { #name, SYS_##name, false, count, argument, mask, { __VA_ARGS__ } }
#define WHOLE 0xffffffffu
/* Never both: libraries are mapped with one or the other, and no memory that was written becomes code. */
#define EXECUTABLE_MEMORY (PROT_WRITE | PROT_EXEC)

static const struct rule rules[] = {
    /* memory */
    CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise), CALL(mlock), CALL(munlock),
    ONLY(mmap, 2, EXECUTABLE_MEMORY, 3, 0, PROT_WRITE, PROT_EXEC), ONLY(mprotect, 2, EXECUTABLE_MEMORY, 2, 0, PROT_WRITE),
    /* files */
    CALL(openat), CALL(close), CALL(read), CALL(readv), CALL(write), CALL(writev), CALL(pread64), CALL(pwrite64), CALL(lseek), CALL(fsync),
    CALL(fdatasync), CALL(ftruncate), CALL(fallocate), CALL(fcntl), CALL(newfstatat), CALL(fstat), CALL(statx), CALL(statfs), CALL(fstatfs),
    CALL(faccessat), CALL(faccessat2), CALL(readlinkat), CALL(getdents64), CALL(mkdirat), CALL(unlinkat), CALL(renameat), CALL(renameat2),
    CALL(linkat), CALL(fchmod), CALL(fchmodat), CALL(fchown), CALL(umask), CALL(getcwd), CALL(dup), CALL(dup3), CALL(flock),
    /* waiting */
    CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_pwait), CALL(ppoll), CALL(eventfd2), CALL(pipe2), CALL(futex), CALL(nanosleep),
    CALL(clock_nanosleep), CALL(restart_syscall), CALL(timerfd_create), CALL(timerfd_settime), CALL(sched_yield),
    /* sockets: to people on this machine and to peers */
    ONLY(socket, 0, WHOLE, 3, AF_UNIX, AF_INET, AF_INET6), CALL(bind), CALL(listen), CALL(accept), CALL(accept4), CALL(connect), CALL(shutdown),
    CALL(sendto), CALL(sendmsg), CALL(sendmmsg), CALL(recvfrom), CALL(recvmsg), CALL(recvmmsg), CALL(getsockname), CALL(getpeername), CALL(getsockopt),
    CALL(setsockopt), ONLY(ioctl, 1, WHOLE, 5, FIONBIO, FIONREAD, FIOCLEX, TCGETS, TIOCGWINSZ),
    /* threads of this process, no process of its own; what clone3 wants stands in memory, where no filter sees it */
    ONLY(clone, 0, CLONE_VM | CLONE_THREAD, 1, CLONE_VM | CLONE_THREAD), CALL(set_robust_list), CALL(rseq), CALL(set_tid_address),
    CALL(sched_getaffinity), CALL(gettid), CALL(exit), ONLY(prctl, 0, WHOLE, 3, PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE),
    /* about itself */
    CALL(getpid), CALL(getppid), CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(getrusage), CALL(prlimit64), CALL(sysinfo), CALL(uname),
    CALL(clock_gettime), CALL(clock_getres), CALL(gettimeofday), CALL(getrandom),
    /* signals, and the end */
    CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(rt_sigtimedwait), CALL(sigaltstack), CALL(tgkill), CALL(exit_group),
#if defined __x86_64__      /* older forms of the above, which newer processors never had */
    CALL(arch_prctl), CALL(access), CALL(readlink), CALL(mkdir), CALL(rmdir), CALL(unlink), CALL(rename), CALL(link), CALL(stat), CALL(lstat),
    CALL(open), CALL(chmod), CALL(dup2), CALL(epoll_wait), CALL(poll), CALL(time),
#endif
    /* what only a taken-over process asks for */
    ENDS(execve), ENDS(execveat), ENDS(ptrace), ENDS(process_vm_readv), ENDS(process_vm_writev), ENDS(kcmp), ENDS(pidfd_getfd), ENDS(bpf),
    ENDS(perf_event_open), ENDS(userfaultfd), ENDS(init_module), ENDS(finit_module), ENDS(delete_module), ENDS(kexec_load), ENDS(mount), ENDS(umount2),
    ENDS(pivot_root), ENDS(chroot), ENDS(setns), ENDS(unshare), ENDS(keyctl), ENDS(add_key), ENDS(request_key), ENDS(setuid), ENDS(setgid),
    ENDS(setgroups), ENDS(setresuid), ENDS(setresgid), ENDS(capset), ENDS(reboot), ENDS(swapon), ENDS(settimeofday), ENDS(clock_settime),
    ENDS(open_by_handle_at), ENDS(quotactl), ENDS(acct),
};
enum { RULES = sizeof rules / sizeof rules[0], STEPS_MAX = 8 + RULES * 2 + 16 * (VALUES_MAX + 4) };

const char *focal_confine_call_at(size_t i, bool *ends)
{
    if (i >= RULES)
        return NULL;
    *ends = rules[i].ends;
    return rules[i].name;
}

#ifdef MACHINE

struct program { struct sock_filter steps[STEPS_MAX]; size_t count; };

static void put(struct program *p, struct sock_filter step)
{
    focal_assert(p->count < STEPS_MAX);
    p->steps[p->count++] = step;
}

static void load(struct program *p, size_t offset) { put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset)); }
static void answer(struct program *p, uint32_t action) { put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action)); }
/* Passes over `steps` steps when what was loaded is not `value`. */
static void unless(struct program *p, uint32_t value, size_t steps) { put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, (uint8_t)steps)); }

static void put_rule(struct program *p, const struct rule *r)
{
    if (r->value_count == 0) {
        unless(p, (uint32_t)r->number, 1);
        answer(p, r->ends ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ALLOW);
        return;
    }
    unless(p, (uint32_t)r->number, 3 + 2 * (size_t)r->value_count);
    load(p, offsetof(struct seccomp_data, args) + 8 * (size_t)r->argument);     /* both processors here store the lower half first */
    put(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, r->mask));
    for (size_t i = 0; i < r->value_count; i++) {
        unless(p, r->values[i], 1);
        answer(p, SECCOMP_RET_ALLOW);
    }
    answer(p, SECCOMP_RET_ERRNO | (r->number == SYS_socket ? EAFNOSUPPORT : EPERM));
}

static void put_all(struct program *p)
{
    load(p, offsetof(struct seccomp_data, arch));
    unless(p, MACHINE, 1);
    put(p, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1));
    answer(p, SECCOMP_RET_KILL_PROCESS);        /* calls in another processor's numbering would pass by the list */
    load(p, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < RULES; i++)
        put_rule(p, &rules[i]);
    answer(p, SECCOMP_RET_ERRNO | ENOSYS);      /* also clone3, for which libraries then take clone; also numbers with x32's bit */
}

enum focal_status focal_confine_calls(void)
{
    struct program p = { .count = 0 };
    put_all(&p);
    struct sock_fprog filter = { .len = (unsigned short)p.count, .filter = p.steps };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return FOCAL_UNSUPPORTED;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0 ? FOCAL_OK : FOCAL_UNSUPPORTED;
}

#else

enum focal_status focal_confine_calls(void) { return FOCAL_UNSUPPORTED; }

#endif
