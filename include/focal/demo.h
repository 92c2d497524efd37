/* demo: a headquarters and offices as real processes on this machine, watched by a person.
 *
 * It starts daemons as child processes and then is nothing but their client: setup, invitation and admission run as the
 * programs people type, everything else goes through the control sockets. It opens no store and no link of its own, so
 * what it shows is what the daemons answer.
 * Exit 0 says that everything printed was checked and held. Children are ended and the directory removed on every way
 * out, unless --keep.
 * Threads: one; call it before anything starts threads, because it forks. */
#ifndef FOCAL_DEMO_H
#define FOCAL_DEMO_H

/* `focald demo ...`: argv[0] is "demo". Returns the exit status of the process. */
int focal_demo_main(int argc, char **argv);

#endif
