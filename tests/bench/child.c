/* Children: daemons that stay and programs that run to their end. Between fork and exec stand only calls that are safe
 * beside threads, because the proxy is one. */
#include "bench.h"

#include "focal/control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OUTPUT_BYTES_MAX = 4 << 20, ARGS_MAX = 32, LOOK_MS = 20 };

static _Noreturn void become(const char *program, char *const *argv, int in, int out, int err, pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid();                           /* Ctrl-C reaches the bench alone, which then ends its children in order */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
        _exit(127);
    execv(program, argv);
    _exit(127);
}

static enum focal_status start(const char *const *argv, int out, int err, pid_t *pid, struct focal_error *error)
{
    union { const char *const *given; char *const *taken; } args = { .given = argv };  /* execv does not write to them */
    pid_t parent = getpid();
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);

    *pid = in >= 0 ? fork() : -1;
    if (*pid == 0)
        become(argv[0], args.taken, in, out, err, parent);
    enum focal_status status = *pid > 0 ? FOCAL_OK : focal_fail(error, FOCAL_IO, "", "cannot start %s: %s", argv[0], strerror(errno));
    if (in >= 0)
        close(in);
    return status;
}

enum focal_status child_start(struct bench *b, struct node *node, struct focal_error *err)
{
    const char *argv[] = { b->focald, "run", "--dir", node->dir, NULL };
    int log = open(node->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    pid_t pid;

    if (log < 0)
        return focal_fail(err, FOCAL_IO, "", "cannot write %s: %s", node->log, strerror(errno));
    enum focal_status status = start(argv, log, log, &pid, err);
    close(log);
    if (status == FOCAL_OK)
        node->pid = pid;
    return status;
}

bool child_alive(struct node *node)
{
    if (node->pid && waitpid(node->pid, NULL, WNOHANG) == node->pid)
        node->pid = 0;
    return node->pid != 0;
}

void child_end(struct node *node)
{
    double until = seconds() + END_MS / 1000.0;

    talk_close(node);
    if (child_alive(node))
        kill(node->pid, SIGTERM);
    while (child_alive(node) && seconds() < until)
        poll(NULL, 0, 5);
    child_kill(node);
}

void child_kill(struct node *node)
{
    talk_close(node);
    if (!child_alive(node))
        return;
    kill(node->pid, SIGKILL);
    while (waitpid(node->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    node->pid = 0;
}

/* ---- programs that run to their end ---- */

struct run { pid_t pid; int fds[2]; struct focal_buf text[2]; };         /* standard output, standard error */

static bool drain(struct run *r)
{
    struct pollfd look[2] = { { .fd = r->fds[0], .events = POLLIN }, { .fd = r->fds[1], .events = POLLIN } };

    poll(look, 2, LOOK_MS);
    for (int i = 0; i < 2; i++) {
        char piece[4096];
        if (r->fds[i] < 0 || !look[i].revents)
            continue;
        ssize_t n = read(r->fds[i], piece, sizeof piece);
        if (n > 0)
            focal_buf_bytes(&r->text[i], piece, (size_t)n);
        else if (n == 0 || errno != EINTR) {
            close(r->fds[i]);
            r->fds[i] = -1;
        }
    }
    return r->fds[0] >= 0 || r->fds[1] >= 0;
}

static enum focal_status ends(struct bench *b, struct run *r, const char *const *argv, struct focal_error *err)
{
    double until = seconds() + PROGRAM_MS / 1000.0;
    enum focal_status status = FOCAL_OK;
    int how = 0;

    while (drain(r) && status == FOCAL_OK) {
        if (interrupted(b))
            status = focal_fail(err, FOCAL_CANCELLED, "", "interrupted");
        else if (seconds() > until)
            status = focal_fail(err, FOCAL_TIMEOUT, "", "%s %s did not end within %d s", argv[0], argv[1], PROGRAM_MS / 1000);
    }
    if (status)
        kill(r->pid, SIGKILL);
    while (waitpid(r->pid, &how, 0) < 0 && errno == EINTR)
        ;
    if (status == FOCAL_OK && !(WIFEXITED(how) && WEXITSTATUS(how) == 0))
        status = focal_fail(err, FOCAL_REFUSED, "", "%s %s ended with %d: %.250s", argv[0], argv[1],
                            WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how), focal_buf_cstr(&r->text[1]));
    return status;
}

enum focal_status child_json(struct bench *b, const char *const *argv, json_t **out, struct focal_error *err)
{
    struct run r = { .fds = { -1, -1 } };
    int pipes[2][2] = { { -1, -1 }, { -1, -1 } };
    enum focal_status status = FOCAL_OK;

    *out = NULL;
    for (int i = 0; i < 2; i++) {
        focal_buf_init(&r.text[i], OUTPUT_BYTES_MAX);
        if (pipe2(pipes[i], O_CLOEXEC) && status == FOCAL_OK)
            status = focal_fail(err, FOCAL_IO, "", "no pipe: %s", strerror(errno));
        r.fds[i] = pipes[i][0];
    }
    if (status == FOCAL_OK)
        status = start(argv, pipes[0][1], pipes[1][1], &r.pid, err);
    for (int i = 0; i < 2; i++)
        if (pipes[i][1] >= 0)
            close(pipes[i][1]);
    if (status == FOCAL_OK)
        status = ends(b, &r, argv, err);
    if (status == FOCAL_OK)
        status = focal_json_parse(out, focal_buf_view(&r.text[0]), err);
    for (int i = 0; i < 2; i++) {
        if (r.fds[i] >= 0)
            close(r.fds[i]);
        focal_buf_close(&r.text[i]);
    }
    return status;
}

enum focal_status child_free_port(unsigned *port, struct focal_error *err)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    enum focal_status status = FOCAL_OK;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) || getsockname(fd, (struct sockaddr *)&at, &len))
        status = focal_fail(err, FOCAL_IO, "", "no free port on 127.0.0.1: %s", strerror(errno));
    *port = ntohs(at.sin_port);
    if (fd >= 0)
        close(fd);
    return status;
}

/* ---- what a child costs, as the system tells ---- */

double child_cpu_s(const struct node *node)
{
    clockid_t clock;
    struct timespec t;

    if (!node->pid || clock_getcpuclockid(node->pid, &clock) || clock_gettime(clock, &t))
        return 0;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double child_rss_mib(const struct node *node, bool peak)
{
    char path[64], line[128];
    double kib = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)node->pid);
    FILE *from = node->pid ? fopen(path, "r") : NULL;
    while (from && fgets(line, sizeof line, from))
        if (sscanf(line, peak ? "VmHWM: %lf" : "VmRSS: %lf", &kib) == 1)
            break;
    if (from)
        fclose(from);
    return kib / 1024;
}
