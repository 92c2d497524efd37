/* Clocks, chance and the machine: the only place of the program that asks for them. */
#include "loop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(clockid_t id)
{
    struct timespec t;
    int rv = clock_gettime(id, &t);

    focal_assert(rv == 0);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t focal_io_mono_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t focal_io_mono_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

void focal_clock_now(struct focal_now *now)
{
    now->mono_ms = clock_ns(CLOCK_MONOTONIC) / 1000000;
    now->wall_ms = clock_ns(CLOCK_REALTIME) / 1000000;
}

void focal_entropy_fill(void *data, void *out, size_t len)
{
    uint8_t *at = out;

    (void)data;
    while (len) {
        ssize_t n = getrandom(at, len < 256 ? len : 256, 0);
        if (n < 0) {
            focal_assert(errno == EINTR);   /* a signal before the pool was ready; without chance we cannot go on */
            continue;
        }
        at += n;
        len -= (size_t)n;
    }
}

/* The first line of a small file of the system, cut to len characters and zero-ended; zeros if it cannot be read. */
static void read_id(char *out, size_t len, const char *path)
{
    FILE *file = fopen(path, "re");
    size_t got = file ? fread(out, 1, len, file) : 0;

    if (file)
        fclose(file);
    if (got != len)
        memset(out, '0', len);
    out[len] = 0;
}

void focal_machine_id(char out[33])
{
    read_id(out, 32, "/etc/machine-id");
}

void focal_boot_id(char out[37])
{
    read_id(out, 36, "/proc/sys/kernel/random/boot_id");
}

uint64_t focal_process_cpu_us(void)
{
    struct rusage use;
    int rv = getrusage(RUSAGE_SELF, &use);

    focal_assert(rv == 0);
    return (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000u +
           (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

uint64_t focal_process_peak_kib(void)
{
    struct rusage use;
    int rv = getrusage(RUSAGE_SELF, &use);

    focal_assert(rv == 0);
    return (uint64_t)use.ru_maxrss;
}

uint64_t focal_process_rss_kib(void)
{
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file) {
        if (fscanf(file, "%lu %lu", &size, &resident) != 2)
            resident = 0;
        fclose(file);
    }
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}
