/*
 * Pools of lib/pool.h whose processes count in shared memory what happens to them.
 *
 * A test starts one master in a process of its own, sends it signals, and reads the counters
 * and the log.
 */
#ifndef TESTS_UNIT_POOL_SITE_H
#define TESTS_UNIT_POOL_SITE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/pool.h"
#include "tests/unit/wait_for.h"

enum {
    ROLES = 2,
    ROLE_PROCESSES = 2, /* of each role */
    WORKERS_MAX = 256,  /* that one test can count */
    SLOTS = 40,
};

/* The behaviour of the workers that are forked from now on. */
enum behaviour {
    SERVE,
    DIE_AT_ONCE,
    BE_STUCK, /* busy with one request for ever */
    BE_QUICK, /* busy without a pause, with many short requests */
    NEVER_BE_READY,
    BE_READY_ALONE, /* the first one; the others never are */
    FINISH_LATE,    /* busy until `released` */
    HEAR_NOTHING,   /* idle, but ignores orders */
};

/* Shared by the test, the master and its workers. */
extern struct shared {
    _Atomic enum behaviour behaviour;
    atomic_int born, ready, finished, handed_over, reloads, fewest_ready_at_hand_over;
    atomic_int workers_after_reload;
    atomic_int companions, companions_ended, finished_before_companion;
    _Atomic pid_t companion;
    struct role_count {
        atomic_int born, ended, ended_before; /* all others */
        _Atomic pid_t pids[ROLE_PROCESSES];   /* by pool_slot */
        atomic_bool stuck, dies_at_once;      /* those that are born from now on */
    } roles[ROLES];
    atomic_int seen_starting, seen_idle, seen_busy, seen_companions; /* by the companion */
    atomic_int worker_ends[POOL_TIMED_OUT + 1], role_ends[POOL_TIMED_OUT + 1];
    atomic_int last_slot; /* of a worker that has ended */
    atomic_bool released, reload_fails;
    _Atomic pid_t pids[WORKERS_MAX]; /* in the order in which they were born */
    atomic_int slots[WORKERS_MAX];   /* likewise */
} * shared;

extern pid_t master; /* 0: it has ended */
extern char log_path[96];

/* Workers alone; with one process of a role beside them; with two roles of two each. */
extern const struct pool_program program, with_companion, with_roles;

/* Starts a master of that program; workers 0: a single process without a master. */
void start_master_of(const struct pool_program *what, int workers, int slots,
                     int request_timeout_ms);

/* Starts a master of `program` whose workers behave like that. */
void start_master(int workers, int request_timeout_ms, enum behaviour behaviour);

/* Fixtures: shared memory and a log; a pool that a failed test left is killed. */
int make_pool(void **state);
int remove_pool(void **state);
#define with_pool(test) cmocka_unit_test_setup_teardown(test, make_pool, remove_pool)

/* For the group of tests. */
int init_signals(void **state);

void wait_until_ready(int wanted);

/* How often the log contains the text. */
int count_in_log(const char *part);

/* Waits until the log contains the text so many times. */
void wait_for_log(const char *part, int wanted);

/* Waits for the end of the master; its exit status. */
int wait_for_master(void);

/* Ends the pool; all workers that still live must finish. */
void end_pool(int signal_number, int living);

void kill_worker(int number);

#endif
