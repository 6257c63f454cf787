#include "lib/mailbox.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>

#include "lib/clock.h"
#include "tests/unit/scratch.h"

enum {
    CLIENTS = 3,
    BOXES = 40, /* so that the boxes of one client lie in two words */
    LETTER_BYTES = 10000,
    PATIENCE_MS = 10000,
};

static struct mailboxes *boxes;
static char answer[MAILBOX_ANSWER_BYTES];
static size_t answer_len;

static int make(void **state)
{
    (void)state;
    boxes = mailboxes_create(CLIENTS, BOXES, LETTER_BYTES);
    return boxes != NULL ? 0 : -1;
}

static int unmake(void **state)
{
    (void)state;
    mailboxes_free(boxes);
    return 0;
}

static enum status post_parts(struct mailboxes *to, size_t client, size_t box,
                              struct span head, struct span body)
{
    const struct span parts[] = {head, body};

    return mailbox_post(to, client, box, parts, COUNT(parts));
}

static void post(size_t client, size_t box, const char *text)
{
    assert_int_equal(post_parts(boxes, client, box, span_of(text), span_of("")), STATUS_OK);
}

static enum mailbox_state check(size_t client, size_t box)
{
    return mailbox_check(boxes, client, box, answer, &answer_len);
}

static size_t take(const char *wanted)
{
    size_t number = 0;
    struct span letter;

    assert_true(mailboxes_take(boxes, &number, &letter));
    assert_int_equal(letter.len, strlen(wanted));
    assert_memory_equal(letter.data, wanted, letter.len);
    return number;
}

static void assert_no_letter(void)
{
    size_t number;
    struct span letter;

    assert_false(mailboxes_take(boxes, &number, &letter));
}

static bool is_told(size_t client)
{
    struct pollfd bell = {.fd = mailboxes_client_fd(boxes, client), .events = POLLIN};

    return poll(&bell, 1, 0) == 1;
}

static void a_letter_is_answered(void **state)
{
    (void)state;
    assert_int_equal(post_parts(boxes, 1, 39, span_of("head"), span_of("body")), STATUS_OK);
    assert_int_equal(check(1, 39), MAILBOX_WAITING);
    size_t number = take("headbody");
    assert_int_equal(check(1, 39), MAILBOX_WAITING);
    mailboxes_answer(boxes, number, "yes", 3);
    assert_false(is_told(1));
    mailboxes_tell(boxes);
    assert_true(is_told(1));
    assert_false(is_told(0));
    assert_int_equal(check(1, 39), MAILBOX_ANSWERED);
    assert_int_equal(answer_len, 3);
    assert_memory_equal(answer, "yes", 3);
    assert_no_letter();
}

static void a_box_can_be_used_again_and_again(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        post(0, 0, i % 2 == 0 ? "even" : "odd");
        mailboxes_answer(boxes, take(i % 2 == 0 ? "even" : "odd"), "", 0);
        assert_int_equal(check(0, 0), MAILBOX_ANSWERED);
    }
}

static void a_letter_as_long_as_promised_fits_and_a_longer_one_does_not(void **state)
{
    char text[2 * LETTER_BYTES];
    size_t limit = mailboxes_letter_bytes(boxes), number;
    struct span letter;

    (void)state;
    memset(text, 'x', sizeof text);
    assert_true(limit >= LETTER_BYTES && limit < sizeof text);
    assert_int_equal(
        post_parts(boxes, 0, 1, ((struct span){text, limit - 1}), span_of("y")), STATUS_OK);
    assert_true(mailboxes_take(boxes, &number, &letter));
    assert_int_equal(letter.len, limit);
    assert_int_equal(letter.data[limit - 1], 'y');
    assert_int_equal(post_parts(boxes, 0, 2, ((struct span){text, limit}), span_of("y")),
                     STATUS_TOO_LARGE);
    assert_int_equal(post_parts(boxes, 0, 2, ((struct span){text, limit + 1}), span_of("")),
                     STATUS_TOO_LARGE);
    assert_no_letter();
}

static void boxes_take_turns(void **state)
{
    size_t seen[CLIENTS] = {0};

    (void)state;
    for (size_t i = 0; i < CLIENTS; i++)
        post(i, 0, "a");
    /* a client that posts again at once does not overtake the others */
    for (int i = 0; i < 30; i++) {
        size_t number = take("a");
        size_t client = number / BOXES;
        mailboxes_answer(boxes, number, "", 0);
        assert_int_equal(check(client, 0), MAILBOX_ANSWERED);
        seen[client]++;
        post(client, 0, "a");
    }
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(seen[i], 10);
}

static void a_letter_that_was_not_taken_can_be_withdrawn(void **state)
{
    (void)state;
    post(0, 5, "never mind");
    assert_int_equal(mailbox_withdraw(boxes, 0, 5, answer, &answer_len), MAILBOX_WITHDRAWN);
    assert_no_letter();
    post(0, 5, "now");
    (void)take("now");
    assert_int_equal(mailbox_withdraw(boxes, 0, 5, answer, &answer_len), MAILBOX_WAITING);
}

static void a_late_answer_reaches_nobody(void **state)
{
    (void)state;
    post(2, 0, "first");
    size_t number = take("first");
    assert_int_equal(mailbox_give_up(boxes, 2, 0, answer, &answer_len), MAILBOX_LOST);
    assert_int_equal(post_parts(boxes, 2, 0, span_of("second"), span_of("")), STATUS_BUSY);
    mailboxes_answer(boxes, number, "late", 4);
    mailboxes_tell(boxes);
    assert_false(is_told(2));
    post(2, 0, "second");
    assert_int_equal(check(2, 0), MAILBOX_WAITING);
    mailboxes_answer(boxes, take("second"), "2", 1);
    assert_int_equal(check(2, 0), MAILBOX_ANSWERED);
    assert_memory_equal(answer, "2", 1);
}

static void an_answer_that_came_just_in_time_is_not_given_up(void **state)
{
    (void)state;
    post(2, 1, "x");
    mailboxes_answer(boxes, take("x"), "in time", 7);
    assert_int_equal(mailbox_give_up(boxes, 2, 1, answer, &answer_len), MAILBOX_ANSWERED);
    assert_int_equal(answer_len, 7);
}

static void a_letter_is_wiped_when_it_is_done_with(void **state)
{
    static const char zeros[6];
    struct span letters[4];
    size_t number;

    (void)state;
    for (size_t i = 0; i < COUNT(letters); i++) {
        post(0, i, "secret");
        assert_true(mailboxes_take(boxes, &number, &letters[i]));
        assert_int_equal(number, i);
    }
    mailboxes_answer(boxes, 0, "yes", 3);
    assert_memory_equal(letters[0].data, zeros, 6);
    assert_int_equal(mailbox_give_up(boxes, 0, 1, answer, &answer_len), MAILBOX_LOST);
    assert_memory_equal(letters[1].data, "secret", 6); /* the server may be reading it */
    mailboxes_answer(boxes, 1, "late", 4);
    assert_memory_equal(letters[1].data, zeros, 6);
    assert_int_equal(mailbox_give_up(boxes, 0, 2, answer, &answer_len), MAILBOX_LOST);
    mailboxes_recover(boxes); /* the server has died */
    assert_memory_equal(letters[2].data, zeros, 6);
    assert_int_equal(check(0, 3), MAILBOX_LOST);
    assert_memory_equal(letters[3].data, zeros, 6);
    assert_int_equal(check(0, 0), MAILBOX_ANSWERED);
    post(0, 0, "secret");
    assert_int_equal(mailbox_withdraw(boxes, 0, 0, answer, &answer_len), MAILBOX_WITHDRAWN);
    assert_memory_equal(letters[0].data, zeros, 6);
}

static void what_a_dead_server_took_is_lost_and_the_rest_is_delivered(void **state)
{
    (void)state;
    post(0, 0, "taken");
    (void)take("taken");
    post(1, 0, "given up");
    (void)take("given up");
    assert_int_equal(mailbox_give_up(boxes, 1, 0, answer, &answer_len), MAILBOX_LOST);
    post(2, 0, "waits");
    mailboxes_recover(boxes); /* the new server begins */
    assert_true(is_told(0));
    assert_int_equal(check(0, 0), MAILBOX_LOST);
    post(1, 0, "anew");
    (void)take("waits");
    (void)take("anew");
    assert_no_letter();
}

static void a_new_client_finds_its_boxes_empty(void **state)
{
    (void)state;
    post(0, 0, "queued");
    post(0, 1, "taken");
    post(0, 2, "answered");
    for (int i = 0; i < 3; i++) {
        size_t number;
        struct span letter;
        assert_true(mailboxes_take(boxes, &number, &letter));
        if (number == 2)
            mailboxes_answer(boxes, number, "", 0);
    }
    post(0, 3, "not taken");
    mailboxes_claim(boxes, 0); /* the client has died */
    assert_no_letter();
    post(0, 2, "x");
    post(0, 3, "x");
    assert_int_equal(post_parts(boxes, 0, 1, span_of("x"), span_of("")), STATUS_BUSY);
    mailboxes_answer(boxes, 1, "for the dead", 12);
    post(0, 1, "x");
    assert_int_equal(check(0, 1), MAILBOX_WAITING);
}

static void waiting_ends_when_a_letter_comes(void **state)
{
    sigset_t none;

    (void)state;
    sigemptyset(&none);
    pid_t client = fork();
    if (client == 0) {
        (void)poll(NULL, 0, 50);
        _exit(post_parts(boxes, 0, 7, span_of("hello"), span_of("")) != STATUS_OK);
    }
    int64_t deadline_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (!mailboxes_wait(boxes, PATIENCE_MS, -1, &none))
        assert_true(clock_monotonic_ms() < deadline_ms);
    (void)take("hello");
    int status;
    assert_int_equal(waitpid(client, &status, 0), client);
    assert_int_equal(status, 0);
}

/* Its client rang no bell, because the server did not sleep. */
static void a_letter_that_is_there_already_is_not_waited_for(void **state)
{
    sigset_t none;

    (void)state;
    sigemptyset(&none);
    post(0, 0, "early");
    (void)alarm(PATIENCE_MS / 1000); /* ends the test if it waits */
    assert_true(mailboxes_wait(boxes, 2 * PATIENCE_MS, -1, &none));
    (void)alarm(0);
    (void)take("early");
}

static void waiting_ends_when_the_other_descriptor_does(void **state)
{
    int ends[2];
    sigset_t none;

    (void)state;
    sigemptyset(&none);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(close(ends[1]), 0);
    assert_false(mailboxes_wait(boxes, PATIENCE_MS, ends[0], &none));
    assert_int_equal(close(ends[0]), 0);
}

/* Posts letters with its own number and a count, and expects the same in the answers. */
static int be_client(size_t client, int letters)
{
    struct pollfd bell = {.fd = mailboxes_client_fd(boxes, client), .events = POLLIN};

    for (int i = 0; i < letters; i++) {
        int letter[2] = {(int)client, i}, got[MAILBOX_ANSWER_BYTES / sizeof(int)];
        size_t len = 0, box = (size_t)i % BOXES;
        struct span head = {(const char *)letter, sizeof letter};
        enum mailbox_state state;

        if (post_parts(boxes, client, box, head, span_of("")) != STATUS_OK)
            return 1;
        while ((state = mailbox_check(boxes, client, box, got, &len)) == MAILBOX_WAITING)
            (void)poll(&bell, 1, 1);
        if (state != MAILBOX_ANSWERED || len != sizeof letter || got[0] != letter[0] ||
            got[1] != letter[1])
            return 2;
    }
    return 0;
}

static void every_client_gets_its_own_answers(void **state)
{
    enum { LETTERS = 3000 };
    pid_t clients[CLIENTS];
    sigset_t none;

    (void)state;
    sigemptyset(&none);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = fork();
        if (clients[i] == 0)
            _exit(be_client(i, LETTERS));
    }
    for (int answered = 0; answered < CLIENTS * LETTERS;) {
        size_t number;
        struct span letter;
        (void)mailboxes_wait(boxes, PATIENCE_MS, -1, &none);
        while (mailboxes_take(boxes, &number, &letter)) {
            mailboxes_answer(boxes, number, letter.data, letter.len);
            answered++;
        }
        mailboxes_tell(boxes);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        int status;
        assert_int_equal(waitpid(clients[i], &status, 0), clients[i]);
        assert_int_equal(status, 0);
    }
}

#define WITH_BOXES(test) cmocka_unit_test_setup_teardown(test, make, unmake)

/* Overwrites bytes that occur once in shared memory, as a process that was taken over
 * could. */
static void spoil(const void *from, const void *to, size_t size)
{
    char line[512];
    size_t found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");

    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        char *rest, *begin, *end;
        if (strstr(line, " rw-s ") == NULL || strstr(line, "/dev/zero") == NULL)
            continue;
        memcpy(&begin, &(uintptr_t){strtoul(line, &rest, 16)}, sizeof begin);
        memcpy(&end, &(uintptr_t){strtoul(rest + 1, NULL, 16)}, sizeof end);
        for (char *at = begin; at < end; at += size)
            if (memcmp(at, from, size) == 0) {
                memcpy(at, to, size);
                found++;
            }
    }
    (void)fclose(maps);
    assert_int_equal(found, 1);
}

/* The last word of bits has room for more boxes than there are. */
static void bits_of_boxes_that_do_not_exist_are_ignored(void **state)
{
    static const uint64_t last = UINT64_C(1) << (CLIENTS * BOXES - 1) % 64,
                          and_beyond = UINT64_MAX << (CLIENTS * BOXES - 1) % 64;

    (void)state;
    post(CLIENTS - 1, BOXES - 1, "the last one");
    spoil(&last, &and_beyond, sizeof last);
    assert_int_equal(take("the last one"), CLIENTS * BOXES - 1);
    assert_no_letter();
}

static void lengths_that_cannot_be_true_are_cut(void **state)
{
    static const uint32_t letter_len = 7777, of_answer = 77, nonsense = UINT32_MAX;
    char text[7777];
    struct span letter;
    size_t number;

    (void)state;
    memset(text, 'x', sizeof text);
    assert_int_equal(post_parts(boxes, 0, 0, (struct span){text, sizeof text}, span_of("")),
                     STATUS_OK);
    spoil(&letter_len, &nonsense, sizeof nonsense);
    assert_true(mailboxes_take(boxes, &number, &letter));
    assert_int_equal(letter.len, mailboxes_letter_bytes(boxes));
    mailboxes_answer(boxes, number, text, of_answer);
    spoil(&of_answer, &nonsense, sizeof nonsense);
    assert_int_equal(check(0, 0), MAILBOX_ANSWERED);
    assert_int_equal(answer_len, sizeof answer);
}

/* A server that died between its look at the bit and its look at the box. */
static void a_letter_whose_bit_is_gone_is_delivered_by_the_next_server(void **state)
{
    static const uint64_t bit = UINT64_C(1) << (2 * BOXES + 5) % 64, none = 0;

    (void)state;
    post(2, 5, "waits");
    spoil(&bit, &none, sizeof bit);
    assert_no_letter();
    mailboxes_recover(boxes);
    (void)take("waits");
}

static void letters_that_wait_are_counted(void **state)
{
    (void)state;
    assert_int_equal(mailboxes_waiting(boxes), 0);
    post(0, 0, "a");
    post(2, BOXES - 1, "b");
    assert_int_equal(mailboxes_waiting(boxes), 2);
    (void)take("a");
    assert_int_equal(mailboxes_waiting(boxes), 1);
    (void)take("b");
    assert_int_equal(mailboxes_waiting(boxes), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BOXES(a_letter_is_answered),
        WITH_BOXES(letters_that_wait_are_counted),
        WITH_BOXES(a_box_can_be_used_again_and_again),
        WITH_BOXES(a_letter_as_long_as_promised_fits_and_a_longer_one_does_not),
        WITH_BOXES(boxes_take_turns),
        WITH_BOXES(a_letter_that_was_not_taken_can_be_withdrawn),
        WITH_BOXES(a_late_answer_reaches_nobody),
        WITH_BOXES(an_answer_that_came_just_in_time_is_not_given_up),
        WITH_BOXES(a_letter_is_wiped_when_it_is_done_with),
        WITH_BOXES(what_a_dead_server_took_is_lost_and_the_rest_is_delivered),
        WITH_BOXES(a_new_client_finds_its_boxes_empty),
        WITH_BOXES(waiting_ends_when_a_letter_comes),
        WITH_BOXES(a_letter_that_is_there_already_is_not_waited_for),
        WITH_BOXES(waiting_ends_when_the_other_descriptor_does),
        WITH_BOXES(every_client_gets_its_own_answers),
        WITH_BOXES(lengths_that_cannot_be_true_are_cut),
        WITH_BOXES(bits_of_boxes_that_do_not_exist_are_ignored),
        WITH_BOXES(a_letter_whose_bit_is_gone_is_delivered_by_the_next_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
