#include "app/commit/letter.h"

#include <sys/mman.h>

#include "app/api/call.h"
#include "app/rules/note_rules.h"
#include "tests/unit/scratch.h"

static const char note[] = "a note";

static struct note_command command;
static size_t max_text_bytes;
static char letter[sizeof command + sizeof note - 1];
static char *end; /* of a page, behind which there is none */

static int make_pages(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages =
        mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(pages != MAP_FAILED && page >= sizeof letter);
    end = pages + page;
    return mprotect(end, page, PROT_NONE);
}

static int make_command(void **state)
{
    (void)state;
    max_text_bytes = sizeof note - 1;
    memset(&command, 0, sizeof command);
    command.content = span_of(note);
    command.common.credentials.address.family = ADDRESS_IPV4;
    return 0;
}

/* Reads the first len bytes of the letter, where reading more ends the test. */
static enum status read_bytes(struct note_command *out, size_t len)
{
    union {
        struct note_command note;
        char bytes[COMMAND_MAX_BYTES];
    } read;
    memcpy(end - len, letter, len);
    enum status status = letter_read(&read.note.common, call_command_kinds(),
                                     (struct span){end - len, len}, max_text_bytes);

    *out = read.note;
    return status;
}

static enum status read_letter(struct note_command *out)
{
    memcpy(letter, &command, sizeof command);
    memcpy(letter + sizeof command, note, sizeof note - 1);
    return read_bytes(out, sizeof letter);
}

static void a_letter_gives_the_command_and_its_note(void **state)
{
    struct note_command out;

    (void)state;
    command.editable = FLAG_NOT_SENT;
    command.visible = FLAG_ON;
    assert_int_equal(read_letter(&out), STATUS_OK);
    assert_ptr_equal(out.content.data, end - (sizeof note - 1));
    assert_true(span_equals(out.content, span_of(note)));
    assert_int_equal(out.visible, FLAG_ON);
}

static void a_letter_that_is_cut_off_or_too_long_is_refused(void **state)
{
    struct note_command out;

    (void)state;
    assert_int_equal(read_letter(&out), STATUS_OK);
    for (size_t len = 0; len < sizeof letter; len++)
        assert_int_equal(read_bytes(&out, len), STATUS_INVALID);
    command.content.len--;
    assert_int_equal(read_letter(&out), STATUS_INVALID);
    command.content.len = SIZE_MAX;
    assert_int_equal(read_letter(&out), STATUS_INVALID);
}

/* Reading a bool that holds anything but 0 and 1 is undefined behaviour. */
static void a_truth_value_that_is_none_is_refused(void **state)
{
    bool *const values[] = {
        &command.common.credentials.has_api_key,
        &command.common.credentials.has_secret,
        &command.org_id.given,
        &command.org_id.is_uuid,
        &command.member_id.given,
        &command.member_id.is_uuid,
        &command.contact_id.given,
        &command.contact_id.is_uuid,
        &command.common.uniform_errors,
        &command.note_id.given,
        &command.note_id.is_uuid,
    };
    struct note_command out;

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        memset(values[i], 1, 1);
        assert_int_equal(read_letter(&out), STATUS_OK);
        memset(values[i], 2, 1);
        assert_int_equal(read_letter(&out), STATUS_INVALID);
        memset(values[i], 0, 1);
    }
}

static void a_flag_out_of_range_is_refused(void **state)
{
    static const int flags[] = {-2, 2, 1 << 24};
    struct note_command out;

    (void)state;
    for (size_t i = 0; i < COUNT(flags); i++) {
        memcpy(&command.editable, &flags[i], sizeof command.editable);
        assert_int_equal(read_letter(&out), STATUS_INVALID);
        command.editable = FLAG_OFF;
        memcpy(&command.visible, &flags[i], sizeof command.visible);
        assert_int_equal(read_letter(&out), STATUS_INVALID);
        command.visible = FLAG_OFF;
    }
}

static void a_family_that_does_not_exist_is_refused(void **state)
{
    struct note_command out;

    (void)state;
    for (unsigned family = 0; family <= UINT8_MAX; family++) {
        bool good =
            family == ADDRESS_NONE || family == ADDRESS_IPV4 || family == ADDRESS_IPV6;
        command.common.credentials.address.family = (uint8_t)family;
        assert_int_equal(read_letter(&out), good ? STATUS_OK : STATUS_INVALID);
    }
}

static void a_time_before_1970_is_refused(void **state)
{
    struct note_command out;

    (void)state;
    command.common.now_ms = -1;
    assert_int_equal(read_letter(&out), STATUS_INVALID);
}

static void a_text_without_an_end_is_refused(void **state)
{
    const struct {
        char *text;
        size_t size;
    } texts[] = {
        {command.common.request_id, sizeof command.common.request_id},
        {command.common.idempotency_key, sizeof command.common.idempotency_key},
        {command.common.tags.country, sizeof command.common.tags.country},
        {command.common.tags.city, sizeof command.common.tags.city},
        {command.common.tags.network, sizeof command.common.tags.network},
    };
    struct note_command out;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        memset(texts[i].text, 'x', texts[i].size);
        assert_int_equal(read_letter(&out), STATUS_INVALID);
        texts[i].text[texts[i].size - 1] = '\0';
        assert_int_equal(read_letter(&out), STATUS_OK);
    }
}

static void texts_over_the_limit_are_refused(void **state)
{
    struct note_command out;

    (void)state;
    max_text_bytes = sizeof note - 2;
    assert_int_equal(read_letter(&out), STATUS_INVALID);
}

static enum status read_with_note(const char bytes[sizeof note - 1])
{
    struct note_command out;

    (void)read_letter(&out);
    memcpy(letter + sizeof command, bytes, sizeof note - 1);
    return read_bytes(&out, sizeof letter);
}

static void a_text_that_is_no_text_is_refused(void **state)
{
    (void)state;
    assert_int_equal(read_with_note("\xe2\x82\xac \xc3\xa9"), STATUS_OK);
    assert_int_equal(read_with_note("a\0note"), STATUS_INVALID);
    assert_int_equal(read_with_note("a not\xc3"), STATUS_INVALID);
    assert_int_equal(read_with_note("\xed\xa0\x80ote"), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_letter_gives_the_command_and_its_note, make_command),
        cmocka_unit_test_setup(a_letter_that_is_cut_off_or_too_long_is_refused,
                               make_command),
        cmocka_unit_test_setup(a_truth_value_that_is_none_is_refused, make_command),
        cmocka_unit_test_setup(a_flag_out_of_range_is_refused, make_command),
        cmocka_unit_test_setup(a_family_that_does_not_exist_is_refused, make_command),
        cmocka_unit_test_setup(a_time_before_1970_is_refused, make_command),
        cmocka_unit_test_setup(a_text_without_an_end_is_refused, make_command),
        cmocka_unit_test_setup(texts_over_the_limit_are_refused, make_command),
        cmocka_unit_test_setup(a_text_that_is_no_text_is_refused, make_command),
    };

    return cmocka_run_group_tests(tests, make_pages, NULL);
}
