/* focalctl: the client of the control socket. */
#include "cli.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>

/* A field that is left out for want of memory would be a record that says less than was typed. */
static void *json_memory(size_t bytes)
{
    void *p = focal_alloc(bytes);
    if (p)
        return p;
    fputs("focalctl: no memory (FD-020)\n", stderr);
    exit(1);
}

int main(int argc, char **argv)
{
    struct args args;
    (void)setlocale(LC_CTYPE, "");      /* widths of letters on a terminal */
    (void)signal(SIGPIPE, SIG_IGN);
    json_set_alloc_funcs(json_memory, focal_free);
    int code = args_read(&args, argc, argv);
    if (code < 0)
        code = args.verb->run(&args);
    args_close(&args);
    return code;
}
