/* Children: daemons that stay and programs that run to their end. Nothing here starts threads, so fork is safe. */
#include "stage.h"

#include "focal/control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_BYTES_MAX = 4 << 20, ARGS_MAX = 32, LOOK_MS = 50 };

/* In the child, between fork and exec: only calls that are safe there. */
static _Noreturn void become(const char *program, char *const *argv, int in, int out, int err, bool die_with_parent, pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid();                           /* Ctrl-C reaches the demo alone, which then ends its children in order */
    if (die_with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(127);
    }
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
        _exit(127);
    execv(program, argv);
    _exit(127);
}

static enum focal_status start(const char *const *argv, int out, int err, bool die_with_parent, pid_t *pid, struct focal_error *error)
{
    char *copy[ARGS_MAX + 1] = { 0 };
    enum focal_status status = FOCAL_OK;
    size_t n = 0;
    pid_t parent = getpid();
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);

    for (; argv[n]; n++) {
        focal_assert(n < ARGS_MAX);
        copy[n] = focal_alloc(strlen(argv[n]) + 1);
        if (copy[n])
            memcpy(copy[n], argv[n], strlen(argv[n]) + 1);
        else
            status = focal_fail(error, FOCAL_NO_MEMORY, "", "no memory to start %s", argv[0]);
    }
    *pid = -1;
    if (status == FOCAL_OK && in >= 0)
        *pid = fork();
    if (*pid == 0)
        become(argv[0], copy, in, out, err, die_with_parent, parent);
    if (*pid < 0 && status == FOCAL_OK)
        status = focal_fail(error, FOCAL_IO, "", "cannot start %s: %s", argv[0], strerror(errno));
    if (in >= 0)
        close(in);
    while (n)
        focal_free(copy[--n]);
    return status;
}

enum focal_status focal_child_start(struct stage *s, struct stage_node *node, struct focal_error *err)
{
    const char *argv[] = { s->exe, "run", "--dir", node->dir, NULL };
    int log = open(node->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (log < 0)
        return focal_fail(err, FOCAL_IO, "", "cannot write %s: %s", node->log, strerror(errno));
    pid_t pid;
    enum focal_status status = start(argv, log, log, !s->options.keep, &pid, err);
    close(log);
    if (status == FOCAL_OK)
        node->pid = pid;
    return status;
}

bool focal_child_alive(struct stage_node *node)
{
    if (node->pid && waitpid(node->pid, &node->how, WNOHANG) == node->pid)
        node->pid = 0;
    return node->pid != 0;
}

static void ended_well(struct stage *s, const struct stage_node *node)
{
    if (WIFSIGNALED(node->how))
        focal_show_claim(s, false, "the daemon of %s was ended by signal %d", node->code, WTERMSIG(node->how));
    else
        focal_show_claim(s, WEXITSTATUS(node->how) == 0, "the daemon of %s ended with %d", node->code, WEXITSTATUS(node->how));
}

void focal_child_end_all(struct stage *s)
{
    uint64_t until = focal_stage_mono_ms() + STAGE_END_MS;
    bool any = true;

    for (size_t i = 0; i < s->node_count; i++) {
        focal_talk_close(&s->nodes[i]);
        if (focal_child_alive(&s->nodes[i]))
            kill(s->nodes[i].pid, SIGTERM);
    }
    while (any && focal_stage_mono_ms() < until) {
        any = false;
        for (size_t i = 0; i < s->node_count; i++)
            any |= focal_child_alive(&s->nodes[i]);
        if (any)
            poll(NULL, 0, 10);
    }
    for (size_t i = 0; i < s->node_count; i++)
        if (focal_child_alive(&s->nodes[i])) {
            kill(s->nodes[i].pid, SIGKILL);
            while (waitpid(s->nodes[i].pid, &s->nodes[i].how, 0) < 0 && errno == EINTR)
                ;
            s->nodes[i].pid = 0;
        }
    for (size_t i = 0; i < s->node_count; i++)
        ended_well(s, &s->nodes[i]);
}

/* ---- programs that run to their end ---- */

struct run { pid_t pid; int fds[2]; struct focal_buf text[2]; };         /* standard output, standard error */

/* Takes what both pipes hold; gives back whether one is still open. */
static bool drain(struct run *r)
{
    struct pollfd wait[2] = { { .fd = r->fds[0], .events = POLLIN }, { .fd = r->fds[1], .events = POLLIN } };

    poll(wait, 2, LOOK_MS);             /* a negative fd is passed over */
    for (int i = 0; i < 2; i++) {
        char piece[4096];
        if (r->fds[i] < 0 || !wait[i].revents)
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

static enum focal_status wait_for(struct stage *s, struct run *r, const char *name, int *code, struct focal_error *err)
{
    uint64_t until = focal_stage_mono_ms() + STAGE_PROGRAM_MS;
    enum focal_status status = FOCAL_OK;
    int how = 0;

    while (drain(r) && status == FOCAL_OK) {
        if (focal_stage_interrupted(s))
            status = focal_fail(err, FOCAL_CANCELLED, "", "interrupted");
        else if (focal_stage_mono_ms() > until)
            status = focal_fail(err, FOCAL_TIMEOUT, "", "%s did not end within %d s", name, STAGE_PROGRAM_MS / 1000);
    }
    if (status)
        kill(r->pid, SIGKILL);
    while (waitpid(r->pid, &how, 0) < 0 && errno == EINTR)
        ;
    *code = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    return status;
}

/* A failing program says why on its standard error, as {"error":{...}} or as text. */
static enum focal_status told(struct run *r, const char *const *argv, int code, struct focal_error *err)
{
    json_t *said = NULL;
    char words[160] = "";
    size_t at = 0;

    for (size_t i = 1; argv[i] && i < 4 && at < sizeof words; i++)
        at += (size_t)snprintf(words + at, sizeof words - at, " %s", argv[i]);
    const char *slash = strrchr(argv[0], '/');
    const char *text = focal_buf_cstr(&r->text[1]);
    if (focal_json_parse(&said, focal_span_text(text), NULL) == FOCAL_OK) {
        const json_t *e = json_object_get(said, "error");
        const char *message = json_string_value(json_object_get(e, "message"));
        const char *hint = json_string_value(json_object_get(e, "hint"));
        (void)focal_fail(err, FOCAL_REFUSED, hint ? hint : "", "%s%s: %s", slash ? slash + 1 : argv[0], words, message ? message : text);
    } else {
        (void)focal_fail(err, FOCAL_REFUSED, "", "%s%s ended with %d: %.200s", slash ? slash + 1 : argv[0], words, code, text[0] ? text : "it said nothing");
    }
    json_decref(said);
    return FOCAL_REFUSED;
}

enum focal_status focal_child_json(struct stage *s, const char *const *argv, json_t **out, struct focal_error *err)
{
    struct run r = { .fds = { -1, -1 } };
    int pipes[2][2] = { { -1, -1 }, { -1, -1 } }, code = 0;
    enum focal_status status = FOCAL_OK;

    *out = NULL;
    for (int i = 0; i < 2; i++) {
        focal_buf_init(&r.text[i], OUTPUT_BYTES_MAX);
        if (pipe2(pipes[i], O_CLOEXEC) && status == FOCAL_OK)
            status = focal_fail(err, FOCAL_IO, "", "no pipe: %s", strerror(errno));
        r.fds[i] = pipes[i][0];
    }
    if (status == FOCAL_OK)
        status = start(argv, pipes[0][1], pipes[1][1], true, &r.pid, err);
    for (int i = 0; i < 2; i++)
        if (pipes[i][1] >= 0)
            close(pipes[i][1]);
    if (status == FOCAL_OK)
        status = wait_for(s, &r, argv[0], &code, err);
    if (status == FOCAL_OK && code != 0)
        status = told(&r, argv, code, err);
    if (status == FOCAL_OK)
        status = focal_json_parse(out, focal_buf_view(&r.text[0]), err);
    for (int i = 0; i < 2; i++) {
        if (r.fds[i] >= 0)
            close(r.fds[i]);
        focal_buf_wipe_close(&r.text[i]);
    }
    return status;
}

enum focal_status focal_child_free_port(unsigned *port, struct focal_error *err)
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
