/* focalctl: the client of the control socket. */
#include "cli.h"

#include <locale.h>
#include <signal.h>

int main(int argc, char **argv)
{
    struct args args;
    (void)setlocale(LC_CTYPE, "");      /* widths of letters on a terminal */
    (void)signal(SIGPIPE, SIG_IGN);
    int code = args_read(&args, argc, argv);
    if (code < 0)
        code = args.verb->run(&args);
    args_close(&args);
    return code;
}
