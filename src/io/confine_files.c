/* Landlock: the files this process may still open. */
#include "focal/io_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Rights that came with later versions, by the numbers of landlock.h: the headers we build with may be older than the kernel. */
#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FILE_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE)
#define WRITE_RIGHTS (READ_RIGHTS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR           \
                      | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK | RIGHT_REFER | RIGHT_TRUNCATE)
#define ALL_OF_VERSION_1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define RIGHT_REFER (1ULL << 13)        /* from version 2: between directories */
#define RIGHT_TRUNCATE (1ULL << 14)     /* from version 3 */

static uint64_t rights_of(unsigned version)
{
    uint64_t all = ALL_OF_VERSION_1;
    if (version >= 2)
        all |= RIGHT_REFER;
    if (version >= 3)
        all |= RIGHT_TRUNCATE;
    return all;
}

static bool allow(int set, const char *path, uint64_t rights)
{
    struct stat st;
    if (!path || !path[0])
        return true;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
    struct landlock_path_beneath_attr beneath = { .allowed_access = rights, .parent_fd = fd };
    bool done = fstat(fd, &st) == 0;
    if (!S_ISDIR(st.st_mode))
        beneath.allowed_access &= FILE_RIGHTS;
    done = done && syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
    close(fd);
    return done;
}

static bool allow_all(int set, const struct focal_confine_paths *paths, uint64_t rights)
{
    bool done = true;
    for (size_t i = 0; i < paths->write_count && done; i++)
        done = allow(set, paths->write[i], WRITE_RIGHTS & rights);
    for (size_t i = 0; i < paths->read_count && done; i++)
        done = allow(set, paths->read[i], READ_RIGHTS);
    return done;
}

enum focal_status focal_confine_files(const struct focal_confine_paths *paths, unsigned *version)
{
    long known = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    *version = known > 0 ? (unsigned)known : 0;
    if (known <= 0)
        return FOCAL_UNSUPPORTED;
    struct landlock_ruleset_attr attr = { .handled_access_fs = rights_of(*version) };
    int set = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr.handled_access_fs, 0);
    if (set < 0)
        return FOCAL_UNSUPPORTED;
    bool done = allow_all(set, paths, attr.handled_access_fs) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        && syscall(SYS_landlock_restrict_self, set, 0) == 0;
    close(set);
    return done ? FOCAL_OK : FOCAL_UNSUPPORTED;
}
