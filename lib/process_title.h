/*
 * The title of a process: what ps(1) and /proc/PID/cmdline show.
 *
 * A title is written over the command line and the environment that the kernel laid out at
 * the start, which is the only memory that is shown. The environment moves before that, so
 * that getenv(3) goes on working and none of it can show in a title: while only its owner
 * may read a process's environment, everybody may read its command line. The name that
 * pgrep(1) and killall(1) look for, /proc/PID/comm, stays that of the program.
 */
#ifndef LIB_PROCESS_TITLE_H
#define LIB_PROCESS_TITLE_H

/*
 * Takes over the memory of main's argv and of the environment; argv[i] and environ point to
 * copies afterwards. To be called before anything keeps a pointer from getenv. name begins
 * every title and is not copied. Without memory for the copies the title stays as it is.
 */
void process_title_init(int argc, char **argv, const char *name);

/* Shows "NAME: ROLE NUMBER (COMMAND LINE)", cut to the room there is; without NUMBER where
 * that is negative. No effect before process_title_init. */
void process_title_set(const char *role, int number);

#endif
