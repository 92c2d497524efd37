/* The word with which a test or the bench asks for a database that is not encrypted. No program that is shipped says it, so
 * the linker leaves this file out of them. */
#include "inside.h"

struct focal_sqlite_in_clear { char nothing; };

const struct focal_sqlite_in_clear *focal_sqlite_in_clear(void)
{
    static const struct focal_sqlite_in_clear word;
    return &word;
}
