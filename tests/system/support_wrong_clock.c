/* A wall clock that is wrong: loaded before the C library (LD_PRELOAD), it answers for it. The file named by
 * FOCAL_WRONG_CLOCK_FILE holds two numbers of 64 bits: milliseconds to add, and a time at which the clock stands, or zero.
 * It is mapped, so that the clock can be set while the program runs. The clock that only counts stays right. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct wrong { int64_t add_ms, stands_ms; };

int clock_gettime(clockid_t id, struct timespec *out);
int gettimeofday(struct timeval *restrict out, void *restrict zone);
time_t time(time_t *out);

static const volatile struct wrong *wrong(void)
{
    static const volatile struct wrong right, *found;
    const char *path = getenv("FOCAL_WRONG_CLOCK_FILE");
    if (found)
        return found;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *found, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0)
        (void)close(fd);
    found = at == MAP_FAILED ? &right : at;
    return found;
}

/* While any file may still be opened. */
__attribute__((constructor)) static void open_it(void)
{
    (void)wrong();
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    int saved = errno;
    if (syscall(SYS_clock_gettime, id, out) != 0)
        return -1;
    if (id == CLOCK_REALTIME) {
        int64_t stands_ms = wrong()->stands_ms, ms = (int64_t)out->tv_sec * 1000 + out->tv_nsec / 1000000 + wrong()->add_ms;
        if (stands_ms)
            ms = stands_ms;
        out->tv_sec = (time_t)(ms / 1000);
        out->tv_nsec = (long)(ms % 1000) * 1000000;
    }
    errno = saved;
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec t;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &t) != 0)
        return -1;
    out->tv_sec = t.tv_sec;
    out->tv_usec = t.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec t;
    time_t now = clock_gettime(CLOCK_REALTIME, &t) == 0 ? t.tv_sec : (time_t)-1;
    if (out)
        *out = now;
    return now;
}
