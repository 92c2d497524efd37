/* Where things are: the programs beside us, the data files, the demo's directory and what is left of it. */
#include "stage.h"

#include "focal/control.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WALK_FDS = 16 };

enum focal_status focal_place_path(char out[STAGE_PATH_MAX], struct focal_error *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(out, STAGE_PATH_MAX, fmt, args);
    va_end(args);
    if (n < 0 || n >= STAGE_PATH_MAX)
        return focal_fail(err, FOCAL_TOO_BIG, "Choose a shorter one.", "the path is too long: %.200s", out);
    return FOCAL_OK;
}

enum focal_status focal_place_find_programs(struct stage *s, struct focal_error *err)
{
    ssize_t n = readlink("/proc/self/exe", s->exe, sizeof s->exe - 1);

    if (n <= 0 || n >= (ssize_t)sizeof s->exe - 1)
        return focal_fail(err, FOCAL_IO, "", "cannot find out where this program is: %s", strerror(errno));
    s->exe[n] = 0;
    char *slash = strrchr(s->exe, '/');
    focal_assert(slash);
    (void)snprintf(s->bin, sizeof s->bin, "%.*s", (int)(slash - s->exe), s->exe);
    /* In the build tree both stand together; installed, the daemon is in sbin. */
    if (focal_place_path(s->ctl, err, "%s/focalctl", s->bin) == FOCAL_OK && access(s->ctl, X_OK) == 0)
        return FOCAL_OK;
    if (focal_place_path(s->ctl, err, "%s/../bin/focalctl", s->bin) == FOCAL_OK && access(s->ctl, X_OK) == 0)
        return FOCAL_OK;
    return focal_fail(err, FOCAL_NOT_FOUND, "Build both programs, or install the whole package.", "focalctl is not beside %s", s->exe);
}

bool focal_place_data(const struct stage *s, char out[STAGE_PATH_MAX], const char *name)
{
    const char *slash = s->options.figures ? strrchr(s->options.figures, '/') : NULL;

    if (focal_place_path(out, NULL, "%s/../../conf/data/%s", s->bin, name) == FOCAL_OK && access(out, R_OK) == 0)
        return true;
    if (focal_place_path(out, NULL, "%s/../share/focal/%s", s->bin, name) == FOCAL_OK && access(out, R_OK) == 0)
        return true;
    return slash && focal_place_path(out, NULL, "%.*s/%s", (int)(slash - s->options.figures), s->options.figures, name) == FOCAL_OK
           && access(out, R_OK) == 0;
}

/* ---- the directory ---- */

static bool empty(const char *path)
{
    DIR *dir = opendir(path);
    bool any = false;

    for (struct dirent *e; dir && !any && (e = readdir(dir));)
        any = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    if (dir)
        closedir(dir);
    return dir && !any;
}

static enum focal_status enter_given(struct stage *s, struct focal_error *err)
{
    struct stat is;
    enum focal_status status = FOCAL_OK;

    if (lstat(s->options.dir, &is) != 0) {
        status = focal_dir_make(s->options.dir, 0700, err);
        s->dir_made = status == FOCAL_OK;
    } else if (!S_ISDIR(is.st_mode) || !empty(s->options.dir)) {
        return focal_fail(err, FOCAL_EXISTS, "Name a directory that is empty or not there yet; end an earlier demo with: focald demo --stop --dir DIR",
                          "%s is not an empty directory", s->options.dir);
    }
    char real[PATH_MAX];
    if (status == FOCAL_OK && !realpath(s->options.dir, real))
        status = focal_fail(err, FOCAL_IO, "", "cannot use %s: %s", s->options.dir, strerror(errno));
    return status ? status : focal_place_path(s->dir, err, "%s", real);
}

static enum focal_status enter_temporary(struct stage *s, struct focal_error *err)
{
    const char *tmp = getenv("TMPDIR");
    /* The longest thing beneath is OFFICE/control.sock, and a Unix socket's path is short. */
    size_t most = STAGE_SOCKET_MAX - strlen("/focal-demo-XXXXXX/") - sizeof s->nodes[0].code - strlen("/control.sock");

    if (!tmp || tmp[0] != '/' || strlen(tmp) > most)
        tmp = "/tmp";
    enum focal_status status = focal_place_path(s->dir, err, "%s/focal-demo-XXXXXX", tmp);
    if (status == FOCAL_OK && !mkdtemp(s->dir))
        status = focal_fail(err, FOCAL_IO, "Name a directory with --dir.", "cannot make a directory under %s: %s", tmp, strerror(errno));
    s->dir_made = status == FOCAL_OK;
    return status;
}

static enum focal_status name_node(struct stage *s, struct stage_node *node, struct focal_error *err)
{
    enum focal_status status = focal_place_path(node->dir, err, "%s/%s", s->dir, node->code);

    if (status == FOCAL_OK)
        status = focal_place_path(node->log, err, "%s/%s.log", s->dir, node->code);
    if (status == FOCAL_OK)
        status = focal_place_path(node->socket, err, "%s/control.sock", node->dir);
    if (status == FOCAL_OK && strlen(node->socket) > STAGE_SOCKET_MAX)
        status = focal_fail(err, FOCAL_TOO_BIG, "Choose a directory with a shorter name.", "a socket's path has at most %d bytes, this one has %zu: %s",
                            STAGE_SOCKET_MAX, strlen(node->socket), node->socket);
    return status;
}

/* The daemons' fences go with the demo and not into the home of who watches it. */
static enum focal_status keep_to_ourselves(struct stage *s, struct focal_error *err)
{
    char state[STAGE_PATH_MAX], runtime[STAGE_PATH_MAX];
    enum focal_status status = focal_place_path(state, err, "%s/state", s->dir);

    if (status == FOCAL_OK)
        status = focal_place_path(runtime, err, "%s/run", s->dir);
    if (status == FOCAL_OK && (setenv("XDG_STATE_HOME", state, 1) || setenv("XDG_RUNTIME_DIR", runtime, 1)))
        status = focal_fail(err, FOCAL_NO_MEMORY, "", "no memory for the environment of the daemons");
    return status;
}

enum focal_status focal_place_open(struct stage *s, struct focal_error *err)
{
    enum focal_status status = s->options.dir ? enter_given(s, err) : enter_temporary(s, err);

    s->dir_entered = status == FOCAL_OK;
    if (status == FOCAL_OK)
        status = keep_to_ourselves(s, err);
    for (size_t i = 0; status == FOCAL_OK && i < s->node_count; i++)
        status = name_node(s, &s->nodes[i], err);
    return status;
}

static int remove_one(const char *path, const struct stat *is, int type, struct FTW *at)
{
    (void)is;
    (void)type;
    return at->level == 0 ? 0 : remove(path);
}

void focal_place_close(struct stage *s)
{
    if (!s->dir_entered || s->options.keep)
        return;
    if (nftw(s->dir, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 || (s->dir_made && rmdir(s->dir) != 0))
        fprintf(stderr, "focald demo: cannot remove all of %s: %s\n", s->dir, strerror(errno));
    s->dir_entered = false;
}

enum focal_status focal_place_report(struct stage *s, struct focal_error *err)
{
    char cwd[PATH_MAX], sources[STAGE_PATH_MAX];

    if (s->options.report && s->options.report[0] == '/')
        return focal_place_path(s->report, err, "%s", s->options.report);
    if (s->options.report || !s->options.keep)
        if (!getcwd(cwd, sizeof cwd))
            return focal_fail(err, FOCAL_IO, "", "cannot tell the current directory: %s", strerror(errno));
    if (s->options.report)
        return focal_place_path(s->report, err, "%s/%s", cwd, s->options.report);
    if (s->options.keep)
        return focal_place_path(s->report, err, "%s/report.html", s->dir);
    /* The directory goes, so the report stands in the build tree, or where one is when there is none. */
    enum focal_status status = focal_place_path(sources, err, "%s/../CMakeCache.txt", s->bin);
    if (status == FOCAL_OK && access(sources, R_OK) == 0) {
        const char *slash = strrchr(s->bin, '/');
        return focal_place_path(s->report, err, "%.*s/demo-report.html", (int)(slash - s->bin), s->bin);
    }
    return status ? status : focal_place_path(s->report, err, "%s/demo-report.html", cwd);
}

/* ---- who runs ---- */

json_t *focal_stage_account(const struct stage *s, bool running)
{
    json_t *account = json_object(), *offices = json_array();

    json_object_set_new(account, "schema", json_string("focal.demo/1"));
    for (size_t i = 0; running && i < s->node_count; i++)
        json_array_append_new(offices, json_pack("{s:s, s:s, s:i, s:s}", "code", s->nodes[i].code, "socket", s->nodes[i].socket, "pid",
                                                 (int)s->nodes[i].pid, "dir", s->nodes[i].dir));
    json_object_set_new(account, "offices", offices);
    json_object_set_new(account, "report", s->report[0] ? json_string(s->report) : json_null());
    json_object_set_new(account, "dir", s->options.keep ? json_string(s->dir) : json_null());
    return account;
}

enum focal_status focal_place_remember(struct stage *s, struct focal_error *err)
{
    char path[STAGE_PATH_MAX];
    struct focal_buf text;
    json_t *account = focal_stage_account(s, true);
    enum focal_status status = focal_place_path(path, err, "%s/demo.json", s->dir);

    focal_buf_init(&text, 1 << 20);
    focal_json_print(&text, account);
    json_decref(account);
    focal_buf_u8(&text, '\n');
    if (status == FOCAL_OK && text.failed)
        status = FOCAL_NO_MEMORY;
    if (status == FOCAL_OK)
        status = focal_file_write(path, focal_buf_view(&text), 0600, true, err);
    focal_buf_close(&text);
    return status;
}
