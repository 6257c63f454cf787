#include "lib/lock.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "lib/clock.h"
#include "tests/unit/scratch.h"

enum {
    LONG_MS = 20000, /* far longer than any of this takes */
};

static struct lock *must_open(void)
{
    struct lock *lock;
    struct problem why = {""};

    if (lock_open(&lock, scratch_path("lock"), NULL, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return lock;
}

/* Takes the lock, reports that, and keeps it until it is killed. */
static int hold_until_killed(int to_parent)
{
    struct lock *lock = must_open();

    if (lock_take(lock, LONG_MS) != STATUS_OK)
        return 1;
    child_tell(to_parent);
    for (;;)
        (void)pause();
}

/* Reports, waits for the lock, and returns by its exit status whether it got it. */
static int wait_for_lock(int to_parent)
{
    struct lock *lock = must_open();

    child_tell(to_parent);
    return lock_take(lock, LONG_MS) == STATUS_OK ? 0 : 1;
}

static void free_lock_is_taken_at_once(void **state)
{
    struct lock *lock = must_open();

    (void)state;
    assert_int_equal(lock_take(lock, 0), STATUS_OK);
    lock_close(lock);
}

static void lock_is_refused_after_the_time_limit(void **state)
{
    static const int limits_ms[] = {0, 1, 150, 1100};
    struct child holder = child_start(hold_until_killed);
    struct lock *lock = must_open();

    (void)state;
    child_wait_told(&holder);
    for (size_t i = 0; i < COUNT(limits_ms); i++) {
        int64_t began_ms = clock_monotonic_ms();
        assert_int_equal(lock_take(lock, limits_ms[i]), STATUS_BUSY);
        int64_t took_ms = clock_monotonic_ms() - began_ms;
        assert_true(took_ms >= limits_ms[i]);
        assert_true(took_ms < limits_ms[i] + 1000);
    }
    assert_int_equal(kill(holder.id, SIGKILL), 0);
    assert_int_equal(child_end(&holder), 128 + SIGKILL);
    lock_close(lock);
}

static void lock_falls_when_its_holder_dies(void **state)
{
    struct child holder = child_start(hold_until_killed);
    struct lock *lock = must_open();

    (void)state;
    child_wait_told(&holder);
    assert_int_equal(lock_take(lock, 0), STATUS_BUSY);
    assert_int_equal(kill(holder.id, SIGKILL), 0);
    assert_int_equal(lock_take(lock, LONG_MS), STATUS_OK);
    (void)child_end(&holder);
    lock_close(lock);
}

static void waiter_gets_the_lock_when_it_is_released(void **state)
{
    struct lock *lock = must_open();
    assert_int_equal(lock_take(lock, 0), STATUS_OK);
    struct child waiter = child_start(wait_for_lock);

    (void)state;
    child_wait_told(&waiter);
    lock_release(lock);
    assert_int_equal(child_end(&waiter), 0);
    lock_close(lock);
}

static void closing_releases(void **state)
{
    struct lock *lock = must_open(), *other = must_open();

    (void)state;
    assert_int_equal(lock_take(lock, 0), STATUS_OK);
    assert_int_equal(lock_take(other, 0), STATUS_BUSY);
    lock_close(lock);
    assert_int_equal(lock_take(other, 0), STATUS_OK);
    lock_close(other);
    lock_close(NULL);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int signal_number)
{
    (void)signal_number;
    alarms++;
}

/* The wait uses SIGALRM: handler, mask and timer must be restored. */
static void waiting_leaves_the_callers_alarm_as_it_was(void **state)
{
    struct sigaction ours = {.sa_handler = count_alarm}, found;
    struct lock *lock = must_open(), *other = must_open();
    struct itimerval timer;
    sigset_t blocked, mask;

    (void)state;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    assert_int_equal(sigaction(SIGALRM, &ours, NULL), 0);
    assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    assert_int_equal(lock_take(lock, 0), STATUS_OK);
    assert_int_equal(lock_take(other, 120), STATUS_BUSY);
    assert_int_equal(sigaction(SIGALRM, NULL, &found), 0);
    assert_true(found.sa_handler == count_alarm);
    assert_int_equal(sigprocmask(SIG_UNBLOCK, &blocked, &mask), 0);
    assert_int_equal(sigismember(&mask, SIGALRM), 1);
    assert_int_equal(alarms, 0);
    assert_int_equal(getitimer(ITIMER_REAL, &timer), 0);
    assert_int_equal(timer.it_value.tv_sec, 0);
    assert_int_equal(timer.it_value.tv_usec, 0);
    lock_close(lock);
    lock_close(other);
}

static void file_has_no_rights_for_others_and_is_used_again(void **state)
{
    struct stat first, second;

    (void)state;
    lock_close(must_open());
    assert_int_equal(stat(scratch_path("lock"), &first), 0);
    assert_int_equal(first.st_mode & 0007, 0);
    lock_close(must_open());
    assert_int_equal(stat(scratch_path("lock"), &second), 0);
    assert_true(first.st_ino == second.st_ino);
}

static void new_file_gets_the_owner_of_its_model(void **state)
{
    struct problem why = {""};
    struct lock *lock;
    struct stat info;

    (void)state;
    if (geteuid() != 0)
        skip();
    scratch_write("model", "");
    assert_int_equal(chown(scratch_path("model"), 12, 34), 0);
    assert_int_equal(lock_open(&lock, scratch_path("lock"), scratch_path("model"), &why),
                     STATUS_OK);
    assert_int_equal(stat(scratch_path("lock"), &info), 0);
    assert_int_equal(info.st_uid, 12);
    assert_int_equal(info.st_gid, 34);
    lock_close(lock);
}

static void link_or_missing_directory_is_refused_with_a_sentence(void **state)
{
    static const char *const names[] = {"link", "no-directory/lock"};

    (void)state;
    assert_int_equal(symlink(scratch_path("elsewhere"), scratch_path("link")), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct problem why = {""};
        struct lock *lock = (struct lock *)1;
        assert_int_equal(lock_open(&lock, scratch_path(names[i]), NULL, &why),
                         STATUS_UNAVAILABLE);
        assert_null(lock);
        assert_non_null(strstr(why.text, names[i]));
    }
    assert_int_equal(access(scratch_path("elsewhere"), F_OK), -1);
}

static int until_closed[2]; /* a pipe */

/* Says that it is a user, forks a child that it leaves behind, and ends. */
static int leave_a_user_behind(int to_parent)
{
    struct lock *lock = must_open();

    if (lock_add_user(lock) != STATUS_OK)
        return 1;
    pid_t id = fork();
    if (id == 0) {
        char unused;
        (void)close(until_closed[1]);
        _exit((int)read(until_closed[0], &unused, 1));
    }
    child_tell(to_parent);
    return 0;
}

static void users_are_known_until_the_last_of_them_ends(void **state)
{
    (void)state;
    assert_int_equal(pipe(until_closed), 0);
    struct child user = child_start(leave_a_user_behind);
    child_wait_told(&user);
    assert_int_equal(child_end(&user), 0);
    assert_true(lock_has_users(scratch_path("lock")));
    struct lock *lock = must_open();
    assert_int_equal(lock_take(lock, 0), STATUS_OK); /* which they do not hold */
    lock_release(lock);
    assert_int_equal(close(until_closed[1]), 0);
    while (lock_has_users(scratch_path("lock")))
        (void)usleep(1000);
    assert_int_equal(close(until_closed[0]), 0);
    lock_close(lock);
}

static void a_user_is_one_until_it_closes_the_lock(void **state)
{
    struct lock *lock = must_open();

    (void)state;
    assert_false(lock_has_users(scratch_path("lock")));
    assert_int_equal(lock_add_user(lock), STATUS_OK);
    assert_true(lock_has_users(scratch_path("lock")));
    lock_close(lock);
    assert_false(lock_has_users(scratch_path("lock")));
    assert_false(lock_has_users(scratch_path("no lock")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(free_lock_is_taken_at_once),
        TEST(lock_is_refused_after_the_time_limit),
        TEST(lock_falls_when_its_holder_dies),
        TEST(waiter_gets_the_lock_when_it_is_released),
        TEST(closing_releases),
        TEST(users_are_known_until_the_last_of_them_ends),
        TEST(a_user_is_one_until_it_closes_the_lock),
        TEST(waiting_leaves_the_callers_alarm_as_it_was),
        TEST(file_has_no_rights_for_others_and_is_used_again),
        TEST(new_file_gets_the_owner_of_its_model),
        TEST(link_or_missing_directory_is_refused_with_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
