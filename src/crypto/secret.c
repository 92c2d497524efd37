/* Memory for keys: pages of their own between pages that nobody may touch, not written to swap where the system lets us say
 * so, and wiped when given back. */
#include "focal/crypto.h"

#include <sodium.h>
#include <string.h>

enum { ALIGN = 16 };                    /* what follows starts where the region does, and the region ends at a guard page */

void *focal_secret_alloc(size_t bytes)
{
    if (bytes == 0 || bytes > SIZE_MAX - ALIGN || !focal_alloc_allowed(bytes))
        return NULL;
    size_t whole = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    void *p = sodium_malloc(whole);
    if (p)
        memset(p, 0, whole);
    return p;
}

void focal_secret_free(void *p)
{
    sodium_free(p);
}
