/* A log whose reader does not read: nothing waits, lines stay whole, losses are
 * reported. */
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <json.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

enum {
    LINES = 1000,
    FIELD = 300,
    PATIENCE_S = 20, /* after which a process that waits is ended by SIGALRM */
};

static int saved_stderr;
static int reader; /* the reading end of standard error */
static char text[4 << 20];
static size_t text_len;

static int take_stderr(void **state)
{
    saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
    (void)alarm(PATIENCE_S);
    text_len = 0;
    reader = -1;
    return saved_stderr < 0 ? -1 : scratch_make(state);
}

static int give_stderr_back(void **state)
{
    (void)alarm(0);
    log_after_fork(); /* forget */
    if (reader >= 0)
        (void)close(reader);
    (void)dup2(saved_stderr, STDERR_FILENO);
    (void)close(saved_stderr);
    (void)log_open("stderr", "test", NULL);
    return scratch_remove(state);
}

static void become_stderr(int end, int reading_end)
{
    assert_return_code(dup2(end, STDERR_FILENO), errno);
    (void)close(end);
    reader = reading_end;
    assert_return_code(fcntl(reader, F_SETFL, O_NONBLOCK), errno);
}

static void make_pipe(void)
{
    int ends[2];

    assert_return_code(pipe(ends), errno);
    become_stderr(ends[1], ends[0]);
}

static void make_socket(void)
{
    int ends[2];

    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), errno);
    become_stderr(ends[1], ends[0]);
}

/* The terminal's line discipline would change the newlines. */
static void make_terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_WRONLY | O_NOCTTY);
    assert_return_code(slave, errno);
    become_stderr(slave, master);
}

/* Then standard error cannot be opened once more, as when it belongs to another user. */
static void open_log_without_descriptors(void)
{
    struct rlimit before;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, before.rlim_max}), 0);
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void write_lines(int from, int count)
{
    char filling[FIELD];

    memset(filling, 'x', sizeof filling);
    for (int i = from; i < from + count; i++)
        LOG(LEVEL_INFO, "numbered", LOG_NUMBER("number", i),
            LOG_SPAN("filling", ((struct span){filling, sizeof filling})));
}

static void read_what_is_there(void)
{
    ssize_t len;

    while ((len = read(reader, text + text_len, sizeof text - 1 - text_len)) > 0)
        text_len += (size_t)len;
    text[text_len] = '\0';
}

static void read_everything(void)
{
    do {
        read_what_is_there();
        log_flush();
    } while (log_is_waiting());
    read_what_is_there();
}

static int64_t number_of(struct json_object *line, const char *name)
{
    struct json_object *value = NULL;

    return json_object_object_get_ex(line, name, &value) ? json_object_get_int64(value)
                                                         : -1;
}

/* The lines that were read: in their order, none twice, and how many were reported as
 * lost. */
struct found {
    int lines, lost, reports;
};

static struct found judge(void)
{
    struct found found = {0, 0, 0};
    int64_t last = -1;
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        struct json_object *object = json_tokener_parse(line);
        if (object == NULL)
            fail_msg("no JSON: %s", line);
        int64_t number = number_of(object, "number"), lost = number_of(object, "count");
        if (lost >= 0) {
            assert_non_null(strstr(line, "\"event\":\"log_lines_lost\""));
            found.lost += (int)lost;
            found.reports++;
        } else {
            assert_true(number > last);
            last = number;
            found.lines++;
        }
        json_object_put(object);
    }
    return found;
}

static void expect_no_waiting_and_an_honest_count(void)
{
    write_lines(0, LINES);
    assert_true(log_is_waiting());
    read_everything();
    write_lines(LINES, 1);
    read_everything();
    struct found found = judge();
    assert_int_equal(found.reports, 1);
    assert_in_range(found.lost, 1, LINES - 1);
    assert_int_equal(found.lines + found.lost, LINES + 1);
}

static void a_full_pipe_is_not_waited_for(void **state)
{
    (void)state;
    make_pipe();
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    expect_no_waiting_and_an_honest_count();
}

static void gathered_lines_are_written_when_they_are_released(void **state)
{
    (void)state;
    make_pipe();
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    log_gather();
    write_lines(0, 3);
    read_what_is_there();
    assert_string_equal(text, "");
    log_release();
    read_what_is_there();
    assert_string_not_equal(text, "");
    write_lines(3, 1);
    read_what_is_there();
    assert_int_equal(judge().lines, 4);
}

static void gathered_lines_go_to_the_log_that_they_were_written_for(void **state)
{
    (void)state;
    make_pipe();
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    log_gather();
    write_lines(0, 2);
    assert_int_equal(log_open("/dev/null", "test", NULL), STATUS_OK);
    log_release();
    read_what_is_there();
    assert_int_equal(judge().lines, 2);
}

static void gathered_lines_are_counted_when_they_are_lost(void **state)
{
    (void)state;
    make_pipe();
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    log_gather();
    write_lines(0, LINES);
    log_release();
    assert_true(log_is_waiting());
    read_everything();
    struct found found = judge();
    assert_int_equal(found.reports, 1);
    assert_in_range(found.lost, 1, LINES - 1);
    assert_int_equal(found.lines + found.lost, LINES);
}

static void the_description_that_others_share_stays_as_it_was(void **state)
{
    (void)state;
    make_pipe();
    int before = fcntl(STDERR_FILENO, F_GETFL);
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    write_lines(0, LINES);
    assert_int_equal(fcntl(STDERR_FILENO, F_GETFL), before);
}

static void nor_is_a_pipe_that_cannot_be_opened_once_more(void **state)
{
    (void)state;
    make_pipe();
    open_log_without_descriptors();
    expect_no_waiting_and_an_honest_count();
}

static void nor_is_a_full_socket(void **state)
{
    (void)state;
    make_socket();
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    expect_no_waiting_and_an_honest_count();
}

static void nor_is_a_terminal_that_was_stopped(void **state)
{
    (void)state;
    make_terminal();
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    write_lines(0, LINES);
    assert_true(log_is_waiting());
    read_everything();
    assert_non_null(strstr(text, "\"log_lines_lost\""));
}

static void a_burst_that_fits_the_queue_loses_nothing(void **state)
{
    (void)state;
    make_pipe();
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    write_lines(0, 250);
    assert_true(log_is_waiting());
    read_everything();
    struct found found = judge();
    assert_int_equal(found.lines, 250);
    assert_int_equal(found.reports, 0);
}

static void losses_are_told_each_time_anew(void **state)
{
    (void)state;
    make_pipe();
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    for (int round = 0; round < 3; round++) {
        write_lines(round * LINES, LINES);
        read_everything();
    }
    struct found found = judge();
    assert_int_equal(found.reports, 3);
    assert_int_equal(found.lines + found.lost, 3 * LINES);
}

static void a_disk_that_was_full_is_told_of_later(void **state)
{
    (void)state;
    if (log_open("/dev/full", "test", NULL) != STATUS_OK)
        skip();
    write_lines(0, 5);
    log_flush();
    assert_false(log_is_waiting());
    make_pipe();
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    write_lines(5, 1);
    read_everything();
    struct found found = judge();
    assert_int_equal(found.lost, 5);
    assert_int_equal(found.lines, 1);
}

static void a_reader_that_has_gone_costs_lines_only(void **state)
{
    (void)state;
    make_pipe();
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    (void)signal(SIGPIPE, SIG_IGN); /* as signals_init does */
    (void)close(reader);
    reader = -1;
    write_lines(0, LINES);
    log_finish(60000);
    assert_false(log_is_waiting());
}

static void the_end_waits_for_a_reader_only_as_long_as_it_is_told(void **state)
{
    (void)state;
    make_pipe();
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    write_lines(0, LINES);
    log_finish(50);
    assert_true(log_is_waiting());
}

/* Reads after a while, so that the parent has to wait. */
static void read_late(void)
{
    char piece[4096];
    struct pollfd ready = {.fd = reader, .events = POLLIN};

    (void)poll(NULL, 0, 200);
    while (poll(&ready, 1, 2000) > 0 && read(reader, piece, sizeof piece) > 0)
        ;
    _exit(0);
}

static void what_is_queued_is_written_at_the_end(void **state)
{
    (void)state;
    make_pipe();
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    pid_t child = fork();
    if (child == 0)
        read_late();
    write_lines(0, LINES);
    log_finish(10000);
    assert_false(log_is_waiting());
    (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_child_does_not_repeat_its_parents_lines(void **state)
{
    int status = 0;

    (void)state;
    make_pipe();
    assert_int_equal(log_open("stderr", "test", NULL), STATUS_OK);
    write_lines(0, 250);
    pid_t child = fork();
    if (child == 0) {
        log_after_fork();
        _exit(log_is_waiting());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    read_everything();
    assert_int_equal(judge().lines, 250);
}

static void a_fifo_is_refused_at_once(void **state)
{
    struct problem why = {""};
    const char *path = scratch_path("fifo");

    (void)state;
    assert_return_code(mkfifo(path, 0600), errno);
    for (int i = 0; i < 2; i++) { /* without a reader, and with one */
        assert_int_equal(log_check(path, &why), STATUS_CANT_CREATE);
        assert_non_null(strstr(why.text, "is a FIFO: name a regular file"));
        why.text[0] = '\0';
        assert_int_equal(log_open(path, "test", &why), STATUS_CANT_CREATE);
        assert_non_null(strstr(why.text, "is a FIFO: name a regular file"));
        if (reader < 0)
            reader = open(path, O_RDONLY | O_NONBLOCK);
        assert_return_code(reader, errno);
    }
}

#define with_stderr(test)                                                                  \
    cmocka_unit_test_setup_teardown(test, take_stderr, give_stderr_back)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_stderr(a_full_pipe_is_not_waited_for),
        with_stderr(gathered_lines_are_written_when_they_are_released),
        with_stderr(gathered_lines_go_to_the_log_that_they_were_written_for),
        with_stderr(gathered_lines_are_counted_when_they_are_lost),
        with_stderr(the_description_that_others_share_stays_as_it_was),
        with_stderr(nor_is_a_pipe_that_cannot_be_opened_once_more),
        with_stderr(nor_is_a_full_socket),
        with_stderr(nor_is_a_terminal_that_was_stopped),
        with_stderr(a_burst_that_fits_the_queue_loses_nothing),
        with_stderr(losses_are_told_each_time_anew),
        with_stderr(a_disk_that_was_full_is_told_of_later),
        with_stderr(a_reader_that_has_gone_costs_lines_only),
        with_stderr(the_end_waits_for_a_reader_only_as_long_as_it_is_told),
        with_stderr(what_is_queued_is_written_at_the_end),
        with_stderr(a_child_does_not_repeat_its_parents_lines),
        with_stderr(a_fifo_is_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
