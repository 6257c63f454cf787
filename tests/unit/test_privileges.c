#include "lib/privileges.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"

static const char somebody[] = "www-data";

static struct identity must_find(const char *user, const char *group)
{
    struct identity found;
    struct problem why = {""};

    if (privileges_find(&found, user, group, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return found;
}

static void a_user_is_found_with_its_own_group_or_another(void **state)
{
    const struct passwd *entry = getpwnam(somebody);

    (void)state;
    if (entry == NULL)
        skip();
    const uid_t uid = entry->pw_uid;
    const gid_t gid = entry->pw_gid;
    struct identity found = must_find(somebody, "");
    assert_string_equal(found.user, somebody);
    assert_int_equal(found.uid, uid);
    assert_int_equal(found.gid, gid);
    found = must_find(somebody, "daemon");
    assert_int_equal(found.uid, uid);
    assert_int_equal(found.gid, getgrnam("daemon")->gr_gid);
}

static void root_and_names_of_nobody_are_refused(void **state)
{
    static const struct {
        const char *user, *group, *sentence;
    } cases[] = {
        {"no-such-user", "", "user: there is no user 'no-such-user'"},
        {"root", "", "user: 'root' is root: name a user without its rights"},
        {"daemon", "no-such-group", "group: there is no group 'no-such-group'"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct identity found;
        struct problem why = {""};
        assert_int_equal(privileges_find(&found, cases[i].user, cases[i].group, &why),
                         STATUS_CONFIG);
        assert_string_equal(why.text, cases[i].sentence);
    }
}

static int drop_and_try_to_return(int to_parent)
{
    struct identity identity = must_find(somebody, "daemon");
    struct problem why = {""};
    gid_t groups[64];
    gid_t roots = 0;

    (void)to_parent;
    if (setgroups(1, &roots) != 0 || privileges_drop(&identity, &why) != STATUS_OK)
        return 1;
    if (getuid() != identity.uid || geteuid() != identity.uid || getegid() != identity.gid)
        return 2;
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setgroups(1, &roots) == 0)
        return 3;
    int count = getgroups((int)COUNT(groups), groups);
    for (int i = 0; i < count; i++)
        if (groups[i] == 0)
            return 4;
    return open("/etc/shadow", O_RDONLY) >= 0 ? 5 : 0;
}

static void who_drops_root_has_neither_its_groups_nor_a_way_back(void **state)
{
    (void)state;
    if (geteuid() != 0 || getpwnam(somebody) == NULL)
        skip();
    struct child child = child_start(drop_and_try_to_return);
    assert_int_equal(child_end(&child), 0);
}

static int drop_without_being_root(int to_parent)
{
    struct identity identity = must_find(somebody, "");
    struct problem why = {""};

    (void)to_parent;
    if (geteuid() == 0 && setuid(identity.uid) != 0)
        return 1;
    return privileges_drop(&identity, &why) == STATUS_INTERNAL &&
                   strncmp(why.text, "cannot become user ", 19) == 0
               ? 0
               : 2;
}

static void who_is_not_root_cannot_become_anybody(void **state)
{
    (void)state;
    if (getpwnam(somebody) == NULL)
        skip();
    struct child child = child_start(drop_without_being_root);
    assert_int_equal(child_end(&child), 0);
}

static int harden(int to_parent)
{
    struct rlimit core;

    (void)to_parent;
    privileges_harden();
    if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
        return 1;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 2;
#ifndef __SANITIZE_ADDRESS__
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return 3;
#endif
    return 0;
}

static void a_hardened_process_leaves_no_core_and_gains_nothing(void **state)
{
    (void)state;
    struct child child = child_start(harden);
    assert_int_equal(child_end(&child), 0);
}

static int limit(int to_parent)
{
    struct rlimit now;

    (void)to_parent;
    privileges_limit_descriptors(20);
    if (getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur != 20 || now.rlim_max != 20)
        return 1;
    privileges_limit_descriptors(1000); /* what the hard limit does not allow */
    return getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 20 ? 0 : 2;
}

static void descriptors_are_limited_to_what_is_wanted(void **state)
{
    (void)state;
    struct child child = child_start(limit);
    assert_int_equal(child_end(&child), 0);
}

static int check_as_somebody(int to_parent)
{
    struct identity identity = must_find(somebody, "");
    struct problem why = {""};
    char expected[256];

    (void)to_parent;
    scratch_write("theirs", "x");
    const char *path = scratch_path("theirs");
    if (chmod(scratch_directory, 0755) != 0 || chmod(path, 0600) != 0 ||
        privileges_drop(&identity, &why) != STATUS_OK)
        return 1;
    (void)snprintf(expected, sizeof expected,
                   "the user %s cannot read %s: Permission denied", somebody, path);
    if (privileges_check(path, R_OK, &why) != STATUS_CONFIG ||
        strcmp(why.text, expected) != 0)
        return 2;
    if (privileges_check(scratch_directory, W_OK, &why) != STATUS_CONFIG ||
        strstr(why.text, " cannot write ") == NULL)
        return 3;
    if (privileges_check(scratch_directory, R_OK, &why) != STATUS_OK)
        return 4;
    return privileges_check("/no/such/file", R_OK, &why) == STATUS_OK ? 0 : 5;
}

static void a_file_out_of_reach_is_named_with_the_user(void **state)
{
    (void)state;
    if (geteuid() != 0 || getpwnam(somebody) == NULL)
        skip();
    struct child child = child_start(check_as_somebody);
    assert_int_equal(child_end(&child), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_user_is_found_with_its_own_group_or_another),
        TEST(root_and_names_of_nobody_are_refused),
        TEST(who_drops_root_has_neither_its_groups_nor_a_way_back),
        TEST(who_is_not_root_cannot_become_anybody),
        TEST(a_hardened_process_leaves_no_core_and_gains_nothing),
        TEST(descriptors_are_limited_to_what_is_wanted),
        TEST(a_file_out_of_reach_is_named_with_the_user),
    };

    return cmocka_run_group_tests_name("privileges", tests, NULL, NULL);
}
