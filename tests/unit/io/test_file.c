/* Files: the rules for secrets, writing whole or not at all, directories. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/io.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static const char *in_dir(const char *name)
{
    static char paths[16][256];
    static unsigned next;
    char *path = paths[next++ % 16];

    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/focal-file-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf -- '%s'", dir);
    return system(command);
}

static unsigned names_in_dir(void)
{
    DIR *d = opendir(dir);
    unsigned count = 0;

    for (struct dirent *e; (e = readdir(d)) != NULL;)
        count += e->d_name[0] != '.';
    closedir(d);
    return count;
}

static void test_writes_whole_files(void **state)
{
    struct focal_error err;
    struct focal_buf buf;
    struct stat st;

    (void)state;
    const char *path = in_dir("file");
    assert_int_equal(focal_file_write(path, focal_span_text("first"), 0640, false, &err), FOCAL_OK);
    assert_int_equal(focal_file_write(path, focal_span_text("second"), 0640, false, &err), FOCAL_EXISTS);
    assert_non_null(strstr(err.message, path));
    focal_buf_init(&buf, 100);
    assert_int_equal(focal_file_read(&buf, path, 5, &err), FOCAL_OK);
    assert_string_equal(focal_buf_cstr(&buf), "first");
    assert_int_equal(focal_file_write(path, focal_span_text("third"), 0600, true, &err), FOCAL_OK);
    focal_buf_clear(&buf);
    assert_int_equal(focal_file_read(&buf, path, 100, &err), FOCAL_OK);
    assert_string_equal(focal_buf_cstr(&buf), "third");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    focal_buf_clear(&buf);
    assert_int_equal(focal_file_read(&buf, path, 4, &err), FOCAL_TOO_BIG);
    focal_buf_clear(&buf);
    assert_int_equal(focal_file_read(&buf, in_dir("none"), 4, &err), FOCAL_NOT_FOUND);
    focal_buf_close(&buf);
    assert_int_equal(focal_file_write(in_dir("none/file"), focal_span_text("x"), 0600, true, &err), FOCAL_NOT_FOUND);
    /* A link is replaced, not followed; a refusal leaves nothing behind. */
    assert_int_equal(symlink(path, in_dir("link")), 0);
    assert_int_equal(focal_file_write(in_dir("link"), focal_span_text("x"), 0600, false, &err), FOCAL_EXISTS);
    assert_int_equal(names_in_dir(), 2);
}

static void test_a_big_file(void **state)
{
    struct focal_error err;
    struct focal_buf buf;
    uint8_t *bytes = focal_alloc(200000);

    (void)state;
    focal_entropy_fill(NULL, bytes, 200000);
    assert_int_equal(focal_file_write(in_dir("big"), focal_span_of(bytes, 200000), 0600, false, &err), FOCAL_OK);
    focal_buf_init(&buf, 200000);
    assert_int_equal(focal_file_read_secret(&buf, in_dir("big"), 200000, &err), FOCAL_OK);
    assert_int_equal(buf.len, 200000);
    assert_memory_equal(buf.data, bytes, 200000);
    focal_buf_wipe_close(&buf);
    focal_free(bytes);
}

static void test_secrets_have_rules(void **state)
{
    static const unsigned bad[] = { 0640, 0604, 0610, 0602, 0666, 0777, 0620, 0601 };
    struct focal_error err;
    struct focal_buf buf;

    (void)state;
    const char *path = in_dir("key");
    focal_buf_init(&buf, 100);
    assert_int_equal(focal_file_write(path, focal_span_text("secret"), 0600, false, &err), FOCAL_OK);
    assert_int_equal(focal_file_read_secret(&buf, path, 6, &err), FOCAL_OK);
    assert_string_equal(focal_buf_cstr(&buf), "secret");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        focal_buf_clear(&buf);
        assert_int_equal(chmod(path, bad[i]), 0);
        assert_int_equal(focal_file_read_secret(&buf, path, 6, &err), FOCAL_DENIED);
        assert_int_equal(buf.len, 0);
        assert_non_null(strstr(err.hint, "chmod 600"));
        assert_non_null(strstr(err.hint, path));
    }
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(focal_file_read_secret(&buf, path, 6, &err), FOCAL_OK);
    focal_buf_clear(&buf);
    assert_int_equal(focal_file_read_secret(&buf, path, 5, &err), FOCAL_TOO_BIG);
    focal_buf_clear(&buf);
    assert_int_equal(symlink(path, in_dir("keylink")), 0);
    assert_int_equal(focal_file_read_secret(&buf, in_dir("keylink"), 6, &err), FOCAL_DENIED);
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    assert_int_equal(focal_file_read_secret(&buf, in_dir("fifo"), 6, &err), FOCAL_DENIED);
    assert_int_equal(focal_file_read_secret(&buf, dir, 6, &err), FOCAL_DENIED);
    assert_int_equal(focal_file_read_secret(&buf, in_dir("none"), 6, &err), FOCAL_NOT_FOUND);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 12345, 0), 0);
        assert_int_equal(focal_file_read_secret(&buf, path, 6, &err), FOCAL_DENIED);
        assert_non_null(strstr(err.message, "another user"));
    }
    assert_int_equal(buf.len, 0);
    focal_buf_close(&buf);
}

/* What is trusted may be read by others, and written by nobody else. */
static void test_trusted_files_have_rules(void **state)
{
    static const unsigned good[] = { 0600, 0640, 0644, 0444, 0400 }, bad[] = { 0660, 0620, 0602, 0646, 0666, 0777 };
    struct focal_error err;
    struct focal_buf buf;

    (void)state;
    const char *path = in_dir("conf");
    focal_buf_init(&buf, 100);
    assert_int_equal(focal_file_write(path, focal_span_text("x"), 0600, false, &err), FOCAL_OK);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(chmod(path, good[i]), 0);
        assert_int_equal(focal_file_read_trusted(&buf, path, 6, &err), FOCAL_OK);
    }
    focal_buf_clear(&buf);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(chmod(path, bad[i]), 0);
        assert_int_equal(focal_file_read_trusted(&buf, path, 6, &err), FOCAL_DENIED);
        assert_non_null(strstr(err.hint, "chmod 644"));
        assert_non_null(strstr(err.hint, path));
    }
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(symlink(path, in_dir("link")), 0);
    assert_int_equal(focal_file_read_trusted(&buf, in_dir("link"), 6, &err), FOCAL_DENIED);
    assert_non_null(strstr(err.message, "symbolic link"));
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    assert_int_equal(focal_file_read_trusted(&buf, in_dir("fifo"), 6, &err), FOCAL_DENIED);
    assert_int_equal(focal_file_read_trusted(&buf, in_dir("none"), 6, &err), FOCAL_NOT_FOUND);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 12345, 0), 0);
        assert_int_equal(focal_file_read_trusted(&buf, path, 6, &err), FOCAL_DENIED);
        assert_non_null(strstr(err.hint, "chown 0 "));
        /* Root's files are trusted by everybody else, and nobody's secrets. */
        assert_int_equal(chown(path, 0, 0), 0);
        assert_int_equal(chmod(path, 0644), 0);
        assert_int_equal(chmod(dir, 0755), 0);
        assert_int_equal(seteuid(12345), 0);
        enum focal_status trusted = focal_file_read_trusted(&buf, path, 6, &err), secret = focal_file_read_secret(&buf, path, 6, &err);
        assert_int_equal(seteuid(0), 0);
        assert_int_equal(trusted, FOCAL_OK);
        assert_int_equal(secret, FOCAL_DENIED);
        focal_buf_clear(&buf);
    }
    assert_int_equal(buf.len, 0);
    focal_buf_close(&buf);
}

static void test_trusted_directories(void **state)
{
    struct focal_error err;

    (void)state;
    assert_int_equal(focal_dir_trusted(in_dir("none"), &err), FOCAL_NOT_FOUND);
    assert_int_equal(mkdir(in_dir("d"), 0700), 0);
    assert_int_equal(focal_dir_trusted(in_dir("d"), &err), FOCAL_OK);
    assert_int_equal(chmod(in_dir("d"), 0775), 0);
    assert_int_equal(focal_dir_trusted(in_dir("d"), &err), FOCAL_DENIED);
    assert_non_null(strstr(err.hint, "chmod 755"));
    assert_int_equal(chmod(in_dir("d"), 0755), 0);
    assert_int_equal(symlink(in_dir("d"), in_dir("l")), 0);
    assert_int_equal(focal_dir_trusted(in_dir("l"), &err), FOCAL_DENIED);
    assert_int_equal(focal_file_write(in_dir("f"), focal_span_text("x"), 0600, false, &err), FOCAL_OK);
    assert_int_equal(focal_dir_trusted(in_dir("f"), &err), FOCAL_DENIED);
}

static void test_directories(void **state)
{
    struct focal_error err;
    struct stat st;

    (void)state;
    assert_int_equal(focal_dir_make(in_dir("a/b//c/"), 0700, &err), FOCAL_OK);
    assert_int_equal(stat(in_dir("a/b/c"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(focal_dir_make(in_dir("a/b"), 0700, &err), FOCAL_OK);
    assert_int_equal(focal_file_write(in_dir("plain"), focal_span_text(""), 0600, false, &err), FOCAL_OK);
    assert_int_equal(focal_dir_make(in_dir("plain"), 0700, &err), FOCAL_EXISTS);
    assert_int_not_equal(focal_dir_make(in_dir("plain/x"), 0700, &err), FOCAL_OK);
    assert_int_equal(focal_dir_make("", 0700, &err), FOCAL_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writes_whole_files, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_a_big_file, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_secrets_have_rules, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_trusted_files_have_rules, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_trusted_directories, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_directories, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
