/* For root only: others have nobody to act as. */
#include "lib/acting.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"

enum {
    THEIRS = 40001, /* ids without a name */
    GROUP = 40002,
};

static void make_directory(const char *name, uid_t owner)
{
    assert_int_equal(mkdir(scratch_path(name), 0755), 0);
    assert_int_equal(chown(scratch_path(name), owner, GROUP), 0);
}

static void make_link(const char *target, const char *name, uid_t owner)
{
    assert_int_equal(symlink(target, scratch_path(name)), 0);
    assert_int_equal(lchown(scratch_path(name), owner, GROUP), 0);
}

static void the_first_on_the_way_who_is_not_root_is_found(void **state)
{
    static const struct {
        const char *name;
        uid_t wanted;
    } cases[] = {
        {"roots/new", 0},
        {"roots/missing/new", 0},
        {"theirs/new", THEIRS},
        {"theirs/roots/new", THEIRS},
        {"roots/theirs-link/new", THEIRS},
        {"roots/link-to-theirs", THEIRS},
        {"theirs-link", THEIRS},
        {"roots/dangling", 0},
    };
    struct acting found;

    (void)state;
    make_directory("roots", 0);
    make_directory("theirs", THEIRS);
    make_directory("theirs/roots", 0);
    scratch_write("theirs/file", "");
    make_link("..", "roots/theirs-link", THEIRS);
    make_link("../theirs/file", "roots/link-to-theirs", 0);
    make_link("roots/new", "theirs-link", THEIRS);
    make_link("/no/such/file", "roots/dangling", 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        acting_find(&found, scratch_path(cases[i].name));
        if (found.uid != cases[i].wanted)
            fail_msg("%s: %ld", cases[i].name, (long)found.uid);
        assert_true(found.uid == 0 || found.gid == GROUP);
    }
}

static void a_relative_path_begins_in_the_working_directory(void **state)
{
    struct acting found;

    (void)state;
    make_directory("theirs", THEIRS);
    assert_int_equal(chdir(scratch_path("theirs")), 0);
    acting_find(&found, "new");
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(found.uid, THEIRS);
    acting_find(&found, "new");
    assert_int_equal(found.uid, 0);
}

static void only_effective_ids_and_groups_change_and_return(void **state)
{
    const struct acting who = {.uid = THEIRS, .gid = GROUP};
    struct problem why = {""};
    gid_t groups[64], before[64];
    int count = getgroups(COUNT(before), before);

    (void)state;
    for (int i = 0; i < 2; i++) { /* any number of times */
        assert_int_equal(acting_as(&who, &why), STATUS_OK);
        assert_int_equal(geteuid(), THEIRS);
        assert_int_equal(getegid(), GROUP);
        assert_int_equal(getuid(), 0);
        assert_int_equal(getgroups(COUNT(groups), groups), 1);
        assert_int_equal(groups[0], GROUP);
    }
    assert_int_equal(open("/etc/shadow", O_RDONLY | O_CLOEXEC), -1);
    assert_int_equal(acting_as_before(&why), STATUS_OK);
    assert_int_equal(geteuid(), 0);
    assert_int_equal(getegid(), 0);
    assert_int_equal(getgroups(COUNT(groups), groups), count);
    assert_memory_equal(groups, before, (size_t)count * sizeof before[0]);
}

static int act_as_another(int to_parent)
{
    const struct acting other = {.uid = GROUP, .gid = GROUP};
    struct acting found;
    struct problem why = {""};

    (void)to_parent;
    if (setresgid(GROUP, GROUP, GROUP) != 0 || setresuid(THEIRS, THEIRS, THEIRS) != 0)
        return 1;
    acting_find(&found, "/");
    if (found.uid != THEIRS || acting_as(&other, &why) != STATUS_OK)
        return 2;
    return geteuid() == THEIRS && acting_as_before(&why) == STATUS_OK ? 0 : 3;
}

static void for_other_users_nothing_changes(void **state)
{
    struct child child = child_start(act_as_another);

    (void)state;
    assert_int_equal(child_end(&child), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_on_the_way_who_is_not_root_is_found),
        TEST(a_relative_path_begins_in_the_working_directory),
        TEST(only_effective_ids_and_groups_change_and_return),
        TEST(for_other_users_nothing_changes),
    };

    if (geteuid() != 0)
        return 77;
    return cmocka_run_group_tests_name("acting", tests, NULL, NULL);
}
