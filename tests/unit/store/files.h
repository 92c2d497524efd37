/* Whole files, as the tests of the store harm and compare them. */
#ifndef FOCAL_TESTS_FILES_H
#define FOCAL_TESTS_FILES_H

#include "focal/base.h"

#include <stdio.h>

/* To be closed by the caller. */
static inline struct focal_buf contents(const char *path)
{
    struct focal_buf buf;
    focal_buf_init(&buf, 64u << 20);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    uint8_t block[4096];
    size_t n;
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        focal_buf_bytes(&buf, block, n);
    fclose(f);
    assert_false(buf.failed);
    return buf;
}

static inline void write_file(const char *path, struct focal_span bytes)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
    assert_int_equal(fclose(f), 0);
}

#endif
