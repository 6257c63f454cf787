#include "lib/log.h"

#include <fcntl.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/uuid.h"
#include "tests/unit/scratch.h"

#include "lib/address.h"
#include "lib/clock.h"
#include "lib/json_scan.h"

static char path[96];
static char text[1 << 20];

static int open_log(void **state)
{
    if (scratch_enter(state) != 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/log", scratch_directory);
    return log_open(path, "test", NULL) == STATUS_OK ? 0 : -1;
}

static int close_log(void **state)
{
    (void)log_open("stderr", "test", NULL);
    return scratch_leave(state);
}

/* The whole file as a string. */
static const char *read_text(const char *name)
{
    FILE *file = fopen(name, "r");

    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    assert_int_equal(fclose(file), 0);
    text[len] = '\0';
    return text;
}

/* The one line of the log as an object, after json_scan has accepted it. */
static struct json_object *read_line(void)
{
    struct arena *arena = arena_create(1 << 20);
    const char *line = read_text("log");
    size_t len = strlen(line);

    assert_true(len > 0 && len <= LOG_LINE_BYTES);
    assert_ptr_equal(strchr(line, '\n'), line + len - 1);
    if (json_scan((struct span){line, len - 1}, arena) != JSON_OBJECT)
        fail_msg("no JSON object: %s", line);
    arena_free(arena);
    struct json_object *object = json_tokener_parse(line);
    assert_non_null(object);
    return object;
}

static const char *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value)
                                                           : NULL;
}

static void an_event_is_one_line_with_its_members_in_order(void **state)
{
    char expected[128];

    (void)state;
    LOG(LEVEL_WARNING, "tested", LOG_TEXT("a", "x/y \"z\""), LOG_NUMBER("b", -5),
        LOG_SPAN("c", ((struct span){"abc", 2})));
    const char *line = read_text("log");
    assert_memory_equal(line, "{\"ts\":\"", 7);
    (void)snprintf(expected, sizeof expected,
                   "\",\"level\":\"warning\",\"event\":\"tested\",\"pid\":%d,"
                   "\"a\":\"x/y \\\"z\\\"\",\"b\":-5,\"c\":\"ab\"}\n",
                   (int)getpid());
    assert_string_equal(line + 7 + CLOCK_TEXT_BYTES - 1, expected);
}

static void the_time_is_now(void **state)
{
    int64_t before_ms = clock_now_ms(), at_ms = 0;

    (void)state;
    log_event(LEVEL_INFO, "tested", NULL, 0);
    struct json_object *line = read_line();
    assert_int_equal(clock_parse(&at_ms, span_of(member(line, "ts"))), STATUS_OK);
    assert_in_range(at_ms, before_ms, clock_now_ms());
    assert_string_equal(member(line, "level"), "info");
    json_object_put(line);
}

static void empty_text_is_left_out(void **state)
{
    (void)state;
    LOG(LEVEL_ERROR, "tested", LOG_TEXT("a", ""), LOG_TEXT("b", NULL), LOG_NUMBER("c", 0));
    struct json_object *line = read_line();
    assert_null(member(line, "a"));
    assert_null(member(line, "b"));
    assert_string_equal(member(line, "c"), "0");
    json_object_put(line);
}

static void ids_addresses_and_times_are_written_as_text(void **state)
{
    static const struct uuid id = {{0xab, 1}}, none;
    static const struct address nowhere = {.family = ADDRESS_NONE};
    struct address address;

    (void)state;
    assert_true(address_parse(&address, span_of("192.0.2.1")));
    LOG(LEVEL_INFO, "tested", LOG_UUID("a", &id), LOG_UUID("b", &none),
        LOG_ADDRESS("c", &address), LOG_ADDRESS("d", &nowhere), LOG_TIME("e", 1));
    struct json_object *line = read_line();
    assert_string_equal(member(line, "a"), "ab010000-0000-0000-0000-000000000000");
    assert_null(member(line, "b"));
    assert_string_equal(member(line, "c"), "192.0.2.1");
    assert_null(member(line, "d"));
    assert_string_equal(member(line, "e"), "1970-01-01T00:00:00.001Z");
    json_object_put(line);
}

static void bytes_that_are_no_utf8_become_question_marks(void **state)
{
    static const struct {
        struct span given;
        const char *logged;
    } rows[] = {
        {{"a\xff"
          "b",
          3},
         "a?b"},
        {{"\xc3", 1}, "?"},
        {{"\xed\xa0\x80", 3}, "???"},
        {{"\xc0\x80", 2}, "??"},
        {{"\xf0\x9f\x98\x80", 4}, "\xf0\x9f\x98\x80"},
        {{"\xe2\x82", 2}, "??"},
        {{"line\nbreak\r\t\x01", 13}, "line\nbreak\r\t\x01"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(truncate("log", 0), 0);
        LOG(LEVEL_INFO, "tested", LOG_SPAN("text", rows[i].given));
        struct json_object *line = read_line();
        assert_string_equal(member(line, "text"), rows[i].logged);
        json_object_put(line);
    }
}

static void a_nul_is_written_as_an_escape(void **state)
{
    (void)state;
    LOG(LEVEL_INFO, "tested", LOG_SPAN("text", ((struct span){"a\0b", 3})));
    assert_non_null(strstr(read_text("log"), "\"text\":\"a\\u0000b\""));
}

/* U+009B begins a command to a terminal, as ESC [ does. */
static void controls_of_two_bytes_are_written_as_escapes(void **state)
{
    (void)state;
    LOG(LEVEL_INFO, "tested",
        LOG_TEXT("text", "\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0\xe2\x80\xa8"));
    assert_non_null(
        strstr(read_text("log"), "\"text\":\"\\u0080\\u009b\\u009f\xc2\xa0\\u2028\""));
}

static void long_text_is_cut_at_a_character(void **state)
{
    char euros[3000];

    (void)state;
    for (size_t i = 0; i < sizeof euros; i += 3)
        memcpy(euros + i, "\xe2\x82\xac", 3);
    LOG(LEVEL_INFO, "tested", LOG_SPAN("text", ((struct span){euros, sizeof euros})));
    struct json_object *line = read_line();
    assert_int_equal(strlen(member(line, "text")), LOG_FIELD_BYTES / 3 * 3);
    json_object_put(line);
}

/* The longest case: each of these bytes takes six bytes in JSON. */
static void a_line_stays_short_and_whole_whatever_it_holds(void **state)
{
    static const char bytes[] = {'\x01', '"', '\\', 'x', '\xff', '\0'};
    char worst[2000];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        struct span field = {worst, sizeof worst};

        memset(worst, bytes[i], sizeof worst);
        assert_int_equal(truncate("log", 0), 0);
        LOG(LEVEL_INFO, "tested", LOG_SPAN("a", field), LOG_SPAN("b", field),
            LOG_SPAN("c", field), LOG_SPAN("d", field), LOG_SPAN("e", field),
            LOG_SPAN("f", field), LOG_SPAN("g", field), LOG_SPAN("h", field),
            LOG_SPAN("i", field), LOG_SPAN("j", field), LOG_NUMBER("last", INT64_MIN));
        struct json_object *line = read_line();
        assert_non_null(member(line, "a"));
        assert_string_equal(member(line, "last"), "-9223372036854775808");
        json_object_put(line);
    }
}

static void a_renamed_file_is_written_to_until_the_log_is_opened_anew(void **state)
{
    (void)state;
    log_event(LEVEL_INFO, "one", NULL, 0);
    assert_int_equal(rename("log", "log.1"), 0);
    log_event(LEVEL_INFO, "two", NULL, 0);
    assert_int_equal(access("log", F_OK), -1);
    assert_int_equal(log_reopen(NULL), STATUS_OK);
    log_event(LEVEL_INFO, "three", NULL, 0);
    assert_non_null(strstr(read_text("log.1"), "\"one\""));
    assert_non_null(strstr(text, "\"two\""));
    assert_null(strstr(text, "\"three\""));
    assert_non_null(strstr(read_text("log"), "\"three\""));
    assert_null(strstr(text, "\"two\""));
}

static void a_file_is_appended_to_and_closed_to_strangers(void **state)
{
    struct stat info;
    mode_t before = umask(0);

    (void)state;
    assert_int_equal(unlink("log"), 0);
    assert_int_equal(log_reopen(NULL), STATUS_OK);
    (void)umask(before);
    log_event(LEVEL_INFO, "one", NULL, 0);
    assert_int_equal(log_open(path, "test", NULL), STATUS_OK);
    log_event(LEVEL_INFO, "two", NULL, 0);
    assert_non_null(strstr(read_text("log"), "\"one\""));
    assert_non_null(strstr(text, "\"two\""));
    assert_int_equal(stat("log", &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
}

static void a_log_that_cannot_be_opened_leaves_the_present_one(void **state)
{
    struct problem why = {""};

    (void)state;
    assert_int_equal(log_open("/no/such/directory/log", "test", &why), STATUS_CANT_CREATE);
    assert_string_equal(
        why.text, "cannot open the log /no/such/directory/log: No such file or directory");
    log_event(LEVEL_INFO, "still", NULL, 0);
    assert_non_null(strstr(read_text("log"), "\"still\""));
    assert_int_equal(log_reopen(NULL), STATUS_OK);
    log_event(LEVEL_INFO, "after", NULL, 0);
    assert_non_null(strstr(read_text("log"), "\"after\""));
}

static void a_log_that_cannot_be_reopened_goes_on(void **state)
{
    struct problem why = {""};

    (void)state;
    assert_int_equal(rename("log", "log.1"), 0);
    assert_int_equal(symlink("other", "log"), 0);
    assert_int_equal(log_reopen(&why), STATUS_CANT_CREATE);
    assert_non_null(strstr(why.text, path));
    log_event(LEVEL_INFO, "still", NULL, 0);
    assert_non_null(strstr(read_text("log.1"), "\"still\""));
    assert_int_equal(access("other", F_OK), -1);
}

/* In a process of its own, because it changes standard error. */
static void expect_child(void (*run)(void))
{
    int wait_status = 0;
    pid_t child = fork();

    if (child == 0) {
        run();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &wait_status, 0), child);
    assert_int_equal(wait_status, 0);
}

static void write_to_standard_error(void)
{
    int fd = open("other", O_WRONLY | O_CREAT, 0600);

    if (dup2(fd, STDERR_FILENO) < 0 || log_open("stderr", "test", NULL) != STATUS_OK)
        _exit(1);
    log_event(LEVEL_INFO, "here", NULL, 0);
    if (log_reopen(NULL) != STATUS_OK)
        _exit(1);
    log_event(LEVEL_INFO, "there", NULL, 0);
}

static int write_of_the_child(int to_parent)
{
    (void)to_parent;
    log_event(LEVEL_INFO, "of_the_child", NULL, 0);
    return 0;
}

static void each_process_writes_its_own_number(void **state)
{
    char expected[64];

    (void)state;
    log_event(LEVEL_INFO, "of_the_parent", NULL, 0);
    const struct child child = child_start(write_of_the_child);
    assert_int_equal(child_end(&child), 0);
    (void)snprintf(expected, sizeof expected, "\"of_the_child\",\"pid\":%d}",
                   (int)child.id);
    assert_non_null(strstr(read_text("log"), expected));
}

static void standard_error_is_a_target_that_reopening_leaves_alone(void **state)
{
    (void)state;
    expect_child(write_to_standard_error);
    assert_non_null(strstr(read_text("other"), "\"here\""));
    assert_non_null(strstr(text, "\"there\""));
}

static void lose_standard_error(void)
{
    (void)close(STDERR_FILENO);
    if (log_open("stderr", "test", NULL) != STATUS_OK)
        _exit(1);
    log_event(LEVEL_INFO, "to_syslog", NULL, 0);
    /* descriptor 2 is free now: the file that gets it must not get our lines */
    int fd = open("other", O_WRONLY | O_CREAT, 0600);
    log_event(LEVEL_INFO, "to_syslog", NULL, 0);
    (void)close(fd);
}

static void without_standard_error_no_other_file_is_written_to(void **state)
{
    (void)state;
    expect_child(lose_standard_error);
    assert_string_equal(read_text("other"), "");
}

enum {
    WRITERS = 4,
    LINES = 500,
};

static void write_lines(char letter)
{
    char field[600];

    memset(field, letter, sizeof field);
    if (letter % 2 == 0)
        log_gather();
    for (int i = 0; i < LINES; i++)
        LOG(LEVEL_INFO, "tested", LOG_SPAN("a", ((struct span){field, sizeof field})),
            LOG_SPAN("b", ((struct span){field, sizeof field})));
    log_release();
    _exit(0);
}

static void lines_of_several_processes_never_mix(void **state)
{
    static char big[WRITERS * LINES * LOG_LINE_BYTES];
    size_t lines = 0;

    (void)state;
    for (int i = 0; i < WRITERS; i++)
        if (fork() == 0)
            write_lines((char)('a' + i));
    for (int i = 0; i < WRITERS; i++) {
        int wait_status = 0;
        assert_true(wait(&wait_status) > 0);
        assert_int_equal(wait_status, 0);
    }
    FILE *file = fopen("log", "r");
    assert_non_null(file);
    while (fgets(big, sizeof big, file) != NULL) {
        struct json_object *line = json_tokener_parse(big);
        assert_non_null(line);
        assert_string_equal(member(line, "a"), member(line, "b"));
        json_object_put(line);
        lines++;
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(lines, WRITERS * LINES);
}

#define in_directory(test) cmocka_unit_test_setup_teardown(test, open_log, close_log)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(an_event_is_one_line_with_its_members_in_order),
        in_directory(the_time_is_now),
        in_directory(empty_text_is_left_out),
        in_directory(ids_addresses_and_times_are_written_as_text),
        in_directory(bytes_that_are_no_utf8_become_question_marks),
        in_directory(a_nul_is_written_as_an_escape),
        in_directory(controls_of_two_bytes_are_written_as_escapes),
        in_directory(long_text_is_cut_at_a_character),
        in_directory(a_line_stays_short_and_whole_whatever_it_holds),
        in_directory(a_renamed_file_is_written_to_until_the_log_is_opened_anew),
        in_directory(a_file_is_appended_to_and_closed_to_strangers),
        in_directory(a_log_that_cannot_be_opened_leaves_the_present_one),
        in_directory(a_log_that_cannot_be_reopened_goes_on),
        in_directory(each_process_writes_its_own_number),
        in_directory(standard_error_is_a_target_that_reopening_leaves_alone),
        in_directory(without_standard_error_no_other_file_is_written_to),
        in_directory(lines_of_several_processes_never_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
