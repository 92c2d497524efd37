/* Confining a process: tried in children, since it lasts for ever. Each child says with its exit code what it could do. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/io_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_CONFINED = 100 };            /* of a child: this kernel knows no such thing */

static char dir[64], outside[80], inside[80];

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/focal-confine-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(inside, sizeof inside, "%s/in", dir);
    snprintf(outside, sizeof outside, "%s/out", dir);
    return mkdir(inside, 0700) || mkdir(outside, 0700);
}

static int remove_dir(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf -- '%s'", dir);
    return system(command);
}

/* The child's exit code, or minus the signal that ended it. */
static int in_child(int (*what)(void))
{
    pid_t child = fork();
    if (child == 0)
        _exit(what());
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static bool can_open(const char *in, const char *name, int flags)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", in, name);
    int fd = open(path, flags, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int confine_to_inside(bool read_outside)
{
    const char *const write[] = { inside, "", NULL, "/nowhere/at/all" }, *const read[] = { outside };
    unsigned version;
    const struct focal_confine_paths paths = { write, 4, read, read_outside ? 1 : 0 };
    return focal_confine_files(&paths, &version) == FOCAL_OK ? 0 : NOT_CONFINED;
}

static int writes_inside_only(void)
{
    if (!can_open(outside, "before", O_CREAT | O_WRONLY))
        return 1;
    if (confine_to_inside(false))
        return NOT_CONFINED;
    if (!can_open(inside, "a", O_CREAT | O_RDWR) || !can_open(inside, "a", O_WRONLY | O_TRUNC))
        return 2;
    char from[128], to[128];
    snprintf(from, sizeof from, "%s/a", inside);
    snprintf(to, sizeof to, "%s/b", inside);
    if (rename(from, to) != 0 || unlink(to) != 0)
        return 3;
    if (can_open(outside, "before", O_RDONLY) || errno != EACCES)
        return 4;
    return can_open(outside, "after", O_CREAT | O_WRONLY) || can_open("/etc", "passwd", O_RDONLY) ? 5 : 0;
}

static int reads_what_may_be_read(void)
{
    if (!can_open(outside, "before", O_CREAT | O_WRONLY))
        return 1;
    if (confine_to_inside(true))
        return NOT_CONFINED;
    if (!can_open(outside, "before", O_RDONLY))
        return 2;
    return can_open(outside, "before", O_WRONLY) || can_open(outside, "other", O_CREAT | O_WRONLY) ? 3 : 0;
}

static int starts_no_program(void)
{
    const char *const all[] = { "/" };
    unsigned version;
    if (focal_confine_files(&(struct focal_confine_paths){ all, 1, NULL, 0 }, &version) != FOCAL_OK)
        return NOT_CONFINED;
    char *const args[] = { (char[]){ "true" }, NULL };
    execv("/bin/true", args);
    return errno == EACCES ? 0 : 1;
}

/* The child must come to its end as expected, or say that the kernel has nothing of the kind. */
static void child_ends(int (*what)(void), int expected)
{
    int ended = in_child(what);
    if (ended == NOT_CONFINED) {
        print_message("this kernel cannot confine: not tried\n");
        skip();
    }
    assert_int_equal(ended, expected);
}

static void files_outside_are_out_of_reach(void **state) { (void)state; child_ends(writes_inside_only, 0); }
static void files_to_read_cannot_be_written(void **state) { (void)state; child_ends(reads_what_may_be_read, 0); }
static void no_program_can_be_executed(void **state) { (void)state; child_ends(starts_no_program, 0); }

/* ---- system calls ---------------------------------------------------------------------------------------------------- */

static int confined(void) { return focal_confine_calls() == FOCAL_OK ? 0 : NOT_CONFINED; }

static int executes(void)
{
    char *const args[] = { (char[]){ "true" }, NULL };
    if (confined())
        return NOT_CONFINED;
    execv("/bin/true", args);
    return 1;
}

static int traces(void)
{
    if (confined())
        return NOT_CONFINED;
    (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    return 1;
}

static int becomes_another(void)
{
    if (confined())
        return NOT_CONFINED;
    (void)syscall(SYS_setuid, 0);
    return 1;
}

static void *answers(void *data)
{
    *(int *)data = 42;
    return NULL;
}

static int lives_on(void)
{
    if (confined())
        return NOT_CONFINED;
    int told = 0, ends[2];
    pthread_t thread;
    if (pthread_create(&thread, NULL, answers, &told) != 0 || pthread_join(thread, NULL) != 0 || told != 42)
        return 1;
    if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1 || close(ends[0]) != 0)
        return 2;
    if (!can_open(inside, "c", O_CREAT | O_RDWR))
        return 3;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || close(fd) != 0)
        return 4;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && munmap(page, 4096) == 0 ? 0 : 5;
}

static int asks_for_what_it_has_no_need_of(void)
{
    if (confined())
        return NOT_CONFINED;
    if (fork() != -1 || errno != EPERM)
        return 1;
    if (socket(AF_NETLINK, SOCK_RAW, 0) != -1 || errno != EAFNOSUPPORT)
        return 2;
    if (mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED || errno != EPERM)
        return 3;
    if (syscall(SYS_memfd_create, "x", 0) != -1 || errno != ENOSYS)
        return 4;
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != -1 || errno != EPERM)
        return 5;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED || mprotect(page, 4096, PROT_READ | PROT_EXEC) != -1 || errno != EPERM || mprotect(page, 4096, PROT_READ) != 0)
        return 7;
    return prctl(PR_SET_SECCOMP, 0, 0, 0, 0) != -1 ? 6 : 0;
}

#if defined __x86_64__
/* The same number means another call in the processor's older numbering. */
static int asks_in_other_numbers(void)
{
    if (confined())
        return NOT_CONFINED;
    long answer = 0;
    __asm__ volatile("int $0x80" : "=a"(answer) : "a"(20L) : "memory");     /* getpid there */
    return 1;
}

static void other_numberings_end_it(void **state) { (void)state; child_ends(asks_in_other_numbers, -SIGSYS); }
#endif

static void starting_a_program_ends_it(void **state) { (void)state; child_ends(executes, -SIGSYS); }
static void tracing_ends_it(void **state) { (void)state; child_ends(traces, -SIGSYS); }
static void changing_user_ends_it(void **state) { (void)state; child_ends(becomes_another, -SIGSYS); }
static void what_it_needs_goes_on(void **state) { (void)state; child_ends(lives_on, 0); }
static void what_it_does_not_need_fails(void **state) { (void)state; child_ends(asks_for_what_it_has_no_need_of, 0); }

static void the_list_names_each_call_once(void **state)
{
    (void)state;
    bool ends, other;
    size_t count = 0, ending = 0;
    for (const char *name; (name = focal_confine_call_at(count, &ends)); count++) {
        ending += ends;
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal(focal_confine_call_at(i, &other), name);
    }
    assert_true(count > 100 && ending > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_outside_are_out_of_reach),
        cmocka_unit_test(files_to_read_cannot_be_written),
        cmocka_unit_test(no_program_can_be_executed),
        cmocka_unit_test(starting_a_program_ends_it),
        cmocka_unit_test(tracing_ends_it),
        cmocka_unit_test(changing_user_ends_it),
#if defined __x86_64__
        cmocka_unit_test(other_numberings_end_it),
#endif
        cmocka_unit_test(what_it_needs_goes_on),
        cmocka_unit_test(what_it_does_not_need_fails),
        cmocka_unit_test(the_list_names_each_call_once),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
