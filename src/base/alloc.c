/* The one place where the project's own code takes heap memory. */
#include "focal/base.h"

#include <stdlib.h>

/* The only global of the program that changes; tests set it before they start and take it away before they end. */
static struct {
    bool (*allow)(void *data, size_t bytes);
    void *data;
} hook;

void focal_alloc_hook(bool (*allow)(void *data, size_t bytes), void *data)
{
    hook.allow = allow;
    hook.data = data;
}

bool focal_alloc_allowed(size_t bytes)
{
    return !hook.allow || hook.allow(hook.data, bytes);
}

/* No object may be larger than pointers can be subtracted in. */
static bool sensible(size_t bytes)
{
    return bytes <= PTRDIFF_MAX;
}

void *focal_alloc(size_t bytes)
{
    if (!sensible(bytes) || !focal_alloc_allowed(bytes))
        return NULL;
    return calloc(1, bytes ? bytes : 1);
}

void *focal_realloc(void *p, size_t bytes)
{
    if (!sensible(bytes) || !focal_alloc_allowed(bytes))
        return NULL;
    return realloc(p, bytes ? bytes : 1);
}

void focal_free(void *p)
{
    free(p);
}
