#include "lib/process_title.h"

#include <fcntl.h>
#include <stdbool.h>

#include "tests/unit/scratch.h"

/* Each test runs in a new process of this program, because titles need the memory of main's
 * arguments. */
static char self_path[4096];

static char shown[8192];
static size_t shown_len;

static void read_file(const char *path)
{
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    ssize_t len = read(fd, shown, sizeof shown - 1);
    assert_int_equal(close(fd), 0);
    assert_true(len >= 0);
    shown_len = (size_t)len;
    shown[shown_len] = '\0';
}

static bool shows(const char *needle)
{
    return memmem(shown, shown_len, needle, strlen(needle)) != NULL;
}

/* In the child: argv is { program, part, argument... }. */
static void title_with_room(char **argv)
{
    process_title_set("worker", 3);
    read_file("/proc/self/cmdline");
    assert_string_equal(shown + strlen(shown) - 1, ")");
    char *command = strchr(shown, '(');
    assert_non_null(command);
    *command = '\0';
    assert_string_equal(shown, "test: worker 3 ");
    assert_memory_equal(command + 1, self_path, strlen(self_path));
    assert_string_equal(argv[0], self_path);
}

static void title_without_number(char **argv)
{
    (void)argv;
    process_title_set("worker", 3);
    process_title_set("w", -1);
    read_file("/proc/self/cmdline");
    assert_memory_equal(shown, "test: w (", 9);
    /* the rest of a longer title is not visible behind a shorter one */
    for (size_t i = strlen(shown); i < shown_len; i++)
        assert_int_equal(shown[i], '\0');
}

static void environment(char **argv)
{
    (void)argv;
    process_title_set("worker", 3);
    assert_string_equal(getenv("SECRET"), "canary");
    assert_int_equal(setenv("ANOTHER", "value", 1), 0);
    assert_int_equal(setenv("SECRET", "changed", 1), 0);
    assert_string_equal(getenv("ANOTHER"), "value");
    assert_string_equal(getenv("SECRET"), "changed");
    read_file("/proc/self/cmdline");
    assert_false(shows("canary"));
    read_file("/proc/self/environ");
    assert_false(shows("canary"));
}

static void long_command_line(char **argv)
{
    process_title_set("a role with a long name", 1000);
    read_file("/proc/self/cmdline");
    assert_memory_equal(shown, "test: a role with a long name 1000 (", 36);
    assert_false(shows("canary"));
    assert_int_equal(strlen(argv[2]), 3000);
}

static void no_room(char **argv)
{
    (void)argv;
    process_title_set("role", 1234567);
    read_file("/proc/self/cmdline");
    assert_true(strlen(shown) < shown_len);
    assert_memory_equal(shown, "te", 2);
}

static const struct {
    const char *name;
    void (*run)(char **argv);
} parts[] = {
    {"title_with_room", title_with_room},
    {"title_without_number", title_without_number},
    {"environment", environment},
    {"long_command_line", long_command_line},
    {"no_room", no_room},
};

/* Runs a part as a test of its own, which fails when the part does. */
static char **part_argv;
static void (*part)(char **argv);

static void run_part(void **state)
{
    (void)state;
    part(part_argv);
}

static int be_part(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run_part)};

    process_title_init(argc, argv, "test");
    part_argv = argv;
    for (size_t i = 0; i < COUNT(parts); i++)
        if (strcmp(parts[i].name, argv[1]) == 0)
            part = parts[i].run;
    return part == NULL ? 99 : cmocka_run_group_tests(tests, NULL, NULL);
}

static void start(const char *name, const char *argument, char **environment_of_child)
{
    char *const argv[] = {self_path, (char *)(uintptr_t)name, (char *)(uintptr_t)argument,
                          NULL};
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        (void)execve(self_path, argv, environment_of_child);
        _exit(99);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static char secret[] = "SECRET=canary", filling[200] = "FILLING=";
static char *plain[] = {secret, filling, NULL};
static char *none[] = {NULL};

static void the_title_names_role_number_and_command_line(void **state)
{
    (void)state;
    start("title_with_room", NULL, plain);
}

static void a_shorter_title_replaces_a_longer_one(void **state)
{
    (void)state;
    start("title_without_number", NULL, plain);
}

static void the_environment_stays_usable_and_hidden(void **state)
{
    (void)state;
    start("environment", NULL, plain);
}

static void long_command_lines_are_cut(void **state)
{
    static char word[3001];

    (void)state;
    memset(word, 'w', sizeof word - 1);
    start("long_command_line", word, plain);
}

static void without_an_environment_the_title_is_cut(void **state)
{
    (void)state;
    start("no_room", NULL, none);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_title_names_role_number_and_command_line),
        cmocka_unit_test(a_shorter_title_replaces_a_longer_one),
        cmocka_unit_test(the_environment_stays_usable_and_hidden),
        cmocka_unit_test(long_command_lines_are_cut),
        cmocka_unit_test(without_an_environment_the_title_is_cut),
    };

    memset(filling + strlen(filling), 'x', sizeof filling - 1 - strlen(filling));
    ssize_t len = readlink("/proc/self/exe", self_path, sizeof self_path - 1);
    self_path[len > 0 ? len : 0] = '\0';
    return argc > 1 ? be_part(argc, argv) : cmocka_run_group_tests(tests, NULL, NULL);
}
