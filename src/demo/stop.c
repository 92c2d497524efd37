/* `demo --stop --dir D`: ends the daemons an earlier demo left running. A process number may have been given to somebody
 * else since, so a process is held by its descriptor, looked at, and only then asked to end. */
#include "stage.h"

#include "focal/control.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

enum { ACCOUNT_BYTES_MAX = 1 << 20, CMDLINE_MAX = 2048 };

/* Is the process `focald run --dir DIR`, with this very directory? */
static bool is_daemon_of(pid_t pid, const char *dir)
{
    char path[64], line[CMDLINE_MAX];

    (void)snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    size_t n = fread(line, 1, sizeof line - 1, f);
    fclose(f);
    line[n] = 0;
    const char *word[4] = { NULL, NULL, NULL, NULL };
    size_t at = 0;
    for (size_t i = 0; i < 4 && at < n; i++) {
        word[i] = line + at;
        at += strlen(line + at) + 1;
    }
    if (!word[3] || strcmp(word[1], "run") != 0 || strcmp(word[2], "--dir") != 0 || strcmp(word[3], dir) != 0)
        return false;
    const char *slash = strrchr(word[0], '/');
    return strcmp(slash ? slash + 1 : word[0], "focald") == 0;
}

/* 0: not running, 1: ended, -1: cannot be ended. */
static int end_one(pid_t pid, const char *dir)
{
    int fd = pidfd_open(pid, 0), how = -1;

    if (fd < 0)
        return errno == ESRCH || errno == EINVAL ? 0 : -1;
    if (!is_daemon_of(pid, dir)) {
        close(fd);
        return 0;
    }
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    if (pidfd_send_signal(fd, SIGTERM, NULL, 0) == 0 || errno == ESRCH)
        how = poll(&wait, 1, STAGE_END_MS) > 0 ? 1 : -1;
    if (how < 0 && pidfd_send_signal(fd, SIGKILL, NULL, 0) == 0)
        how = poll(&wait, 1, STAGE_END_MS) > 0 ? 1 : -1;
    close(fd);
    return how;
}

static int complain(const struct stage_options *o, const struct focal_error *e)
{
    struct stage s = { .options = *o };

    focal_show_error(&s, e);
    return 1;
}

static json_t *read_account(const struct stage_options *o, char real[PATH_MAX], struct focal_error *err)
{
    char path[STAGE_PATH_MAX];
    struct focal_buf text;
    json_t *account = NULL;
    const char *hint = "Name the directory that the demo was kept in: focald demo --stop --dir DIR";

    if (!realpath(o->dir, real)) {
        (void)focal_fail(err, FOCAL_NOT_FOUND, hint, "no directory %s: %s", o->dir, strerror(errno));
        return NULL;
    }
    focal_buf_init(&text, ACCOUNT_BYTES_MAX);
    if (focal_place_path(path, err, "%s/demo.json", real) == FOCAL_OK) {
        if (focal_file_read(&text, path, ACCOUNT_BYTES_MAX, err) != FOCAL_OK)
            (void)focal_fail(err, FOCAL_NOT_FOUND, hint, "no demo was kept in %s", real);
        else if (focal_json_parse(&account, focal_buf_view(&text), err) == FOCAL_OK && !json_is_array(json_object_get(account, "offices"))) {
            (void)focal_fail(err, FOCAL_MALFORMED, "End the processes by hand.", "%s does not say who runs", path);
            json_decref(account);
            account = NULL;
        }
    }
    focal_buf_close(&text);
    return account;
}

int focal_place_stop(const struct stage_options *o)
{
    char real[PATH_MAX];
    struct focal_error err = { 0 };
    json_t *account = read_account(o, real, &err), *office;
    size_t i, ended = 0, gone = 0, stuck = 0;

    if (!account)
        return complain(o, &err);
    json_array_foreach(json_object_get(account, "offices"), i, office) {
        const char *code = json_string_value(json_object_get(office, "code"));
        json_int_t pid = json_integer_value(json_object_get(office, "pid"));
        char dir[STAGE_PATH_MAX];
        if (!code || strchr(code, '/') || pid <= 1 || pid > INT_MAX || focal_place_path(dir, NULL, "%s/%s", real, code))
            continue;
        int how = end_one((pid_t)pid, dir);
        if (how < 0 && !o->json)
            fprintf(stderr, "focald demo: %s (process %lld) does not end\n", code, (long long)pid);
        ended += how > 0;
        gone += how == 0;
        stuck += how < 0;
    }
    json_decref(account);
    if (o->json)
        printf("{\"schema\":\"focal.demo.stop/1\",\"ended\":%zu,\"not_running\":%zu,\"stuck\":%zu}\n", ended, gone, stuck);
    else
        printf("%zu daemons ended, %zu were not running. The files are still in %s\n", ended, gone, real);
    return stuck ? 1 : 0;
}
