/* Memory for keys: zeroed, usable to its last byte and not beyond, wiped, and failing as other memory does. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/crypto.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void is_zeroed_and_whole(void **state)
{
    (void)state;
    uint8_t *p = focal_secret_alloc(1000), zeros[1000] = { 0 };
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 16, 0);
    assert_memory_equal(p, zeros, sizeof zeros);
    memset(p, 7, sizeof zeros);
    focal_secret_free(p);
    focal_secret_free(NULL);
    assert_null(focal_secret_alloc(0));
    assert_null(focal_secret_alloc(SIZE_MAX));
}

/* A byte behind it stands on a page that nobody may read: who runs on falls down instead of telling. */
static void nobody_reads_on(void **state)
{
    (void)state;
    const uint8_t *p = focal_secret_alloc(64);
    assert_non_null(p);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        volatile const uint8_t *beyond = p;
        uint8_t sum = 0;
        for (size_t i = 0; i < 4096; i++)
            sum ^= beyond[i];
        _exit(sum == 0 ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) > 1);        /* a sanitizer's handler ends it with a code of its own */
    focal_secret_free((void *)(uintptr_t)p);
}

static bool never(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return false;
}

static void fails_where_other_memory_does(void **state)
{
    (void)state;
    focal_alloc_hook(never, NULL);
    void *p = focal_secret_alloc(64);
    focal_alloc_hook(NULL, NULL);
    assert_null(p);
}

int main(void)
{
    if (focal_crypto_init() != FOCAL_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_zeroed_and_whole),
        cmocka_unit_test(nobody_reads_on),
        cmocka_unit_test(fails_where_other_memory_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
