#include "lib/cpus.h"

#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

static void make_directory(const char *name)
{
    assert_int_equal(mkdir(scratch_path(name), 0700), 0);
}

static int limit_for(const char *groups)
{
    char list[256];

    scratch_write("cgroup", groups);
    (void)snprintf(list, sizeof list, "%s", scratch_path("cgroup"));
    return cpus_limit(list, scratch_directory);
}

static void without_groups_there_is_no_limit(void **state)
{
    (void)state;
    assert_int_equal(cpus_limit("/nonexistent", "/nonexistent"), 0);
    assert_int_equal(limit_for(""), 0);
    assert_int_equal(limit_for("0::/\n"), 0);
    assert_int_equal(limit_for("0::/gone/away\n"), 0);
    assert_int_equal(limit_for("nonsense\n::\n:::\n0:\n"), 0);
}

static void the_quota_of_version_2_is_rounded_up(void **state)
{
    static const struct {
        const char *text;
        int limit;
    } rows[] = {
        {"max 100000\n", 0},    {"100000 100000\n", 1},
        {"200000 100000\n", 2}, {"150000 100000", 2},
        {"1000 100000\n", 1},   {"0 100000\n", 0},
        {"100000\n", 0},        {"", 0},
        {"-1 -1\n", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        scratch_write("cpu.max", rows[i].text);
        assert_int_equal(limit_for("0::/\n"), rows[i].limit);
    }
}

static void the_smallest_limit_on_the_way_up_counts(void **state)
{
    (void)state;
    make_directory("a");
    make_directory("a/b");
    scratch_write("cpu.max", "max 100000\n");
    scratch_write("a/cpu.max", "300000 100000\n");
    scratch_write("a/b/cpu.max", "500000 100000\n");
    assert_int_equal(limit_for("0::/a/b\n"), 3);
    scratch_write("a/b/cpu.max", "200000 100000\n");
    assert_int_equal(limit_for("0::/a/b\n"), 2);
    assert_int_equal(limit_for("0::/a\n"), 3);
    assert_int_equal(limit_for("0::/a/c\n"), 3);
}

static void the_quota_of_version_1_is_read(void **state)
{
    (void)state;
    make_directory("cpu");
    make_directory("cpu/docker");
    scratch_write("cpu/cpu.cfs_quota_us", "-1\n");
    scratch_write("cpu/cpu.cfs_period_us", "100000\n");
    scratch_write("cpu/docker/cpu.cfs_quota_us", "250000\n");
    scratch_write("cpu/docker/cpu.cfs_period_us", "50000\n");
    assert_int_equal(limit_for("3:cpuset:/docker\n2:cpu,cpuacct:/docker\n0::/\n"), 5);
    assert_int_equal(limit_for("2:cpuacct:/docker\n"), 0);
    assert_int_equal(limit_for("2:cpu:/\n"), 0);
}

static void some_processors_can_be_used(void **state)
{
    cpu_set_t set;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    assert_in_range(cpus_usable(), 1, CPU_COUNT(&set));
}

/* The policy of a child that prefers batches, when it had that one before. */
static int policy_after(int policy)
{
    const struct sched_param priority = {.sched_priority = 0};
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        if (sched_setscheduler(0, policy, &priority) != 0)
            _exit(255);
        cpus_prefer_batches();
        _exit(sched_getscheduler(0));
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void batches_are_preferred_where_nothing_was_chosen(void **state)
{
    (void)state;
    assert_int_equal(policy_after(SCHED_OTHER), SCHED_BATCH);
    assert_int_equal(policy_after(SCHED_IDLE), SCHED_IDLE);
}

#define IN_DIRECTORY(test)                                                                 \
    cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(without_groups_there_is_no_limit),
        IN_DIRECTORY(the_quota_of_version_2_is_rounded_up),
        IN_DIRECTORY(the_smallest_limit_on_the_way_up_counts),
        IN_DIRECTORY(the_quota_of_version_1_is_read),
        cmocka_unit_test(some_processors_can_be_used),
        cmocka_unit_test(batches_are_preferred_where_nothing_was_chosen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
