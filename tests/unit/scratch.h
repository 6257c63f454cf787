/*
 * A directory of its own for each test, and children whose exit is checked.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include "tests/unit/unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch_directory[64];
static char scratch_text[4][128];

/* Fixtures of cmocka_unit_test_setup_teardown(). */
static inline int scratch_make(void **state)
{
    (void)state;
    (void)snprintf(scratch_directory, sizeof scratch_directory, "%s/crmnotes-unit-XXXXXX",
                   unit_tmp());
    return mkdtemp(scratch_directory) != NULL ? 0 : -1;
}

static inline int scratch_remove_entry(const char *path, const struct stat *info, int type,
                                       struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

static inline int scratch_remove(void **state)
{
    (void)state;
    return nftw(scratch_directory, scratch_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* The same, with the directory as the working directory. */
static inline int scratch_enter(void **state)
{
    return scratch_make(state) == 0 ? chdir(scratch_directory) : -1;
}

static inline int scratch_leave(void **state)
{
    return chdir("/") == 0 ? scratch_remove(state) : -1;
}

/* The path of a name in the directory; good for the next three calls. */
static inline const char *scratch_path(const char *name)
{
    static unsigned next;
    char *text = scratch_text[next++ % COUNT(scratch_text)];

    (void)snprintf(text, sizeof scratch_text[0], "%s/%s", scratch_directory, name);
    return text;
}

static inline void scratch_write(const char *name, const char *text)
{
    FILE *file = fopen(scratch_path(name), "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* A child process, and a pipe by which it reports that it has reached a point. */
struct child {
    pid_t id;
    int from_child;
};

/* Runs body in a child, whose exit status is what body returns. */
static inline struct child child_start(int (*body)(int to_parent))
{
    int ends[2];
    struct child child;

    assert_int_equal(pipe(ends), 0);
    child.id = fork();
    assert_true(child.id >= 0);
    if (child.id == 0) {
        (void)close(ends[0]);
        _exit(body(ends[1]));
    }
    (void)close(ends[1]);
    child.from_child = ends[0];
    return child;
}

static inline void child_tell(int to_parent)
{
    if (write(to_parent, "!", 1) != 1)
        _exit(99);
}

/* Waits until the child reports. */
static inline void child_wait_told(const struct child *child)
{
    char told;

    assert_int_equal(read(child->from_child, &told, 1), 1);
}

/* Waits for the child's end: its exit status, or 128 and the signal. */
static inline int child_end(const struct child *child)
{
    int status = 0;

    assert_int_equal(waitpid(child->id, &status, 0), child->id);
    (void)close(child->from_child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
