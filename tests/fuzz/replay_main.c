/* Replays a fuzz target without a fuzzer: no input, every file of its corpus, then mutations of those, always the same
 * ones. So each decoder meets hostile bytes in every test run, with any compiler.
 *
 *   fuzz_<name> DIRECTORY     FOCAL_FUZZ_RUNS mutations (10000), drawn from FOCAL_FUZZ_SEED (1)
 *   fuzz_<name> FILE          that file alone
 *
 * Input that ends the program is left in crash-<program> in the working directory. */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INPUT_BYTES_MAX = 64 * 1024, FILES_MAX = 4096, RUNS_DEFAULT = 10000 };

struct input { uint8_t *data; size_t len; char name[256]; };

static struct {
    struct input files[FILES_MAX];
    size_t count;
} corpus;

/* What is being tried, for the moment of death. */
static struct { const uint8_t *data; size_t len; char path[300]; } trial;

static void keep_crash(void)
{
    int fd = open(trial.path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        return;
    if (write(fd, trial.data, trial.len) != (ssize_t)trial.len)
        unlink(trial.path);
    close(fd);
}

static void on_signal(int number)
{
    keep_crash();
    signal(number, SIG_DFL);
    raise(number);
}

/* An assertion of the unit tests' set-ups ends the program by exit. */
static void on_exit_within(void)
{
    if (trial.len)
        keep_crash();
}

/* Present only when a sanitizer is linked, which ends the program without a signal. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

static void die(const char *what, const char *about)
{
    fprintf(stderr, "%s: %s\n", what, about);
    exit(2);
}

/* Each trial has a block of its own size, so that a sanitizer sees any read past the end. */
static void attempt(const uint8_t *data, size_t len)
{
    uint8_t *own = malloc(len ? len : 1);
    if (!own)
        die("out of memory", "a trial");
    if (len)
        memcpy(own, data, len);
    trial.data = own;
    trial.len = len;
    LLVMFuzzerTestOneInput(own, len);
    trial.len = 0;
    free(own);
}

static void load(const char *path, const char *name)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        die("cannot open", path);
    static uint8_t bytes[INPUT_BYTES_MAX];
    size_t len = fread(bytes, 1, sizeof bytes, file);
    if (ferror(file))
        die("cannot read", path);
    if (len == sizeof bytes && fgetc(file) != EOF)
        die("longer than any trial", path);
    fclose(file);
    if (corpus.count == FILES_MAX)
        die("too many files, at", path);
    struct input *input = &corpus.files[corpus.count++];
    input->data = malloc(len ? len : 1);
    if (!input->data)
        die("out of memory", path);
    memcpy(input->data, bytes, len);
    input->len = len;
    snprintf(input->name, sizeof input->name, "%s", name);
}

static int by_name(const void *a, const void *b)
{
    const struct input *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static void load_directory(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return; /* a target without a corpus meets mutations of nothing */
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char file[4096];
        struct stat about;
        int n = snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (n < (int)sizeof file && stat(file, &about) == 0 && S_ISREG(about.st_mode))
            load(file, entry->d_name);
    }
    closedir(dir);
    /* The order of a directory is no order. */
    qsort(corpus.files, corpus.count, sizeof *corpus.files, by_name);
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state += 0x9E3779B97F4A7C15u;
    uint64_t v = *state;
    v = (v ^ v >> 30) * 0xBF58476D1CE4E5B9u;
    v = (v ^ v >> 27) * 0x94D049BB133111EBu;
    return below ? (v ^ v >> 31) % below : 0;
}

/* One small change of the kind that finds the mistakes of decoders. */
static size_t change(uint8_t *data, size_t len, uint64_t *state)
{
    static const uint8_t telling[] = { 0x00, 0x01, 0x7F, 0x80, 0x81, 0xFE, 0xFF };
    size_t at = draw(state, len);
    size_t run = 1 + draw(state, 16);
    switch (draw(state, 8)) {
    case 0: /* one bit */
        if (len)
            data[at] ^= (uint8_t)(1u << draw(state, 8));
        return len;
    case 1: /* a telling byte */
        if (len)
            data[at] = telling[draw(state, sizeof telling)];
        return len;
    case 2: /* any byte */
        if (len)
            data[at] = (uint8_t)draw(state, 256);
        return len;
    case 3: /* cut short */
        return at;
    case 4: /* take out */
        run = run < len - at ? run : len - at;
        memmove(data + at, data + at + run, len - at - run);
        return len - run;
    case 5: /* put in */
        if (len + run > INPUT_BYTES_MAX)
            return len;
        memmove(data + at + run, data + at, len - at);
        for (size_t i = 0; i < run; i++)
            data[at + i] = (uint8_t)draw(state, 256);
        return len + run;
    case 6: /* repeat */
        run = run < len - at ? run : len - at;
        if (len + run > INPUT_BYTES_MAX)
            return len;
        memmove(data + at + run, data + at, len - at);
        return len + run;
    default: /* go on as another file does */
        if (corpus.count) {
            const struct input *other = &corpus.files[draw(state, corpus.count)];
            size_t from = draw(state, other->len), rest = other->len - from;
            if (at + rest <= INPUT_BYTES_MAX) {
                memcpy(data + at, other->data + from, rest);
                return at + rest;
            }
        }
        return len;
    }
}

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        die("usage", "fuzz_<name> DIRECTORY | FILE");
    const char *program = strrchr(argv[0], '/');
    snprintf(trial.path, sizeof trial.path, "crash-%s", program ? program + 1 : argv[0]);
    static const int deadly[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(keep_crash);
    for (size_t i = 0; i < (__sanitizer_set_death_callback ? 1u : sizeof deadly / sizeof *deadly); i++)
        signal(deadly[i], on_signal);

    if (atexit(on_exit_within) != 0)
        die("cannot watch", "the program's end");
    struct stat about;
    if (stat(argv[1], &about) == 0 && S_ISREG(about.st_mode)) {
        load(argv[1], argv[1]);
        attempt(corpus.files[0].data, corpus.files[0].len);
        return 0;
    }
    load_directory(argv[1]);
    attempt(NULL, 0);
    for (size_t i = 0; i < corpus.count; i++)
        attempt(corpus.files[i].data, corpus.files[i].len);

    uint64_t runs = number("FOCAL_FUZZ_RUNS", RUNS_DEFAULT), seed = number("FOCAL_FUZZ_SEED", 1);
    static uint8_t work[INPUT_BYTES_MAX];
    for (uint64_t run = 0; run < runs; run++) {
        uint64_t state = seed << 32 ^ run;
        size_t len = 0;
        if (corpus.count) {
            const struct input *start = &corpus.files[draw(&state, corpus.count)];
            memcpy(work, start->data, start->len);
            len = start->len;
        }
        for (uint64_t changes = 1 + draw(&state, 6); changes > 0; changes--)
            len = change(work, len, &state);
        attempt(work, len);
    }
    printf("%zu files and %llu mutations\n", corpus.count, (unsigned long long)runs);
    for (size_t i = 0; i < corpus.count; i++)
        free(corpus.files[i].data);
    return 0;
}
