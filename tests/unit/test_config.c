#include "lib/config.h"

#include "tests/unit/scratch.h"

struct fields {
    char text[CONFIG_TEXT_BYTES];
    char path[CONFIG_TEXT_BYTES];
    int64_t number;
    int64_t mode;
    struct config_blocks blocks;
    bool flag;
};

#define FIELD(name) #name, .offset = offsetof(struct fields, name)

static const struct config_option options[] = {
    {FIELD(text), .initial = "some text", .parse = config_text},
    {FIELD(path), .initial = "", .parse = config_path},
    {FIELD(number), .initial = "7", .parse = config_integer, .min = 1, .max = 1000},
    {FIELD(mode), .initial = "0640", .parse = config_octal, .min = 0, .max = 0777},
    {FIELD(blocks), .initial = "", .parse = config_cidr_list, .list = true},
    {FIELD(flag), .initial = "yes", .parse = config_yes_no},
};

static struct fields fields;
static struct config_value values[COUNT(options)];
static struct config config = {options, COUNT(options), &fields, values};

static int set_up(void **state)
{
    struct problem why = {""};

    if (config_defaults(&config, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return scratch_make(state);
}

static int tear_down(void **state)
{
    static const char *const variables[] = {"T_TEXT", "T_PATH", "T_NUMBER", "T_MODE",
                                            "T_BLOCKS"};

    for (size_t i = 0; i < COUNT(variables); i++)
        (void)unsetenv(variables[i]);
    return scratch_remove(state);
}

static enum status read_text(const char *text, struct problem *why)
{
    scratch_write("conf", text);
    return config_read_file(&config, scratch_path("conf"), why);
}

static void must_read(const char *text)
{
    struct problem why = {""};

    if (read_text(text, &why) != STATUS_OK)
        fail_msg("%s", why.text);
}

/* The text must be refused with a sentence that begins "FILE:LINE: " and holds a part. */
static void must_refuse(const char *text, int line, const char *part)
{
    struct problem why = {""};
    char place[160];

    if (read_text(text, &why) != STATUS_CONFIG)
        fail_msg("accepted: %s", text);
    (void)snprintf(place, sizeof place, "%s:%d: ", scratch_path("conf"), line);
    if (strncmp(why.text, place, strlen(place)) != 0 || strstr(why.text, part) == NULL)
        fail_msg("'%s' says: %s", text, why.text);
}

static void defaults_hold_until_something_else_is_said(void **state)
{
    (void)state;
    assert_string_equal(fields.text, "some text");
    assert_string_equal(fields.path, "");
    assert_int_equal(fields.number, 7);
    assert_int_equal(fields.mode, 0640);
    assert_int_equal(fields.blocks.count, 0);
    assert_string_equal(values[2].text, "7");
    assert_string_equal(values[2].origin, "default");
    must_read("");
    must_read("# only a comment\n\n; and another\n");
    assert_int_equal(fields.number, 7);
}

static void yes_and_no_are_written_as_words(void **state)
{
    static const char *const others[] = {"", "Yes", "true", "1", "yes no", "nope"};
    char text[32], part[64];

    (void)state;
    assert_true(fields.flag);
    must_read("flag = no\n");
    assert_false(fields.flag);
    must_read("flag = yes\n");
    assert_true(fields.flag);
    for (size_t i = 0; i < COUNT(others); i++) {
        (void)snprintf(text, sizeof text, "flag = %s\n", others[i]);
        (void)snprintf(part, sizeof part, "flag: must be yes or no, not '%s'", others[i]);
        must_refuse(text, 1, part);
    }
}

static void default_that_breaks_its_own_rule_is_our_fault(void **state)
{
    static const struct config_option wrong[] = {
        {FIELD(number), .initial = "0", .parse = config_integer, .min = 1, .max = 2},
    };
    struct config broken = {wrong, 1, &fields, values};
    struct problem why = {""};

    (void)state;
    assert_int_equal(config_defaults(&broken, &why), STATUS_INTERNAL);
    assert_non_null(strstr(why.text, "number"));
}

static void options_are_read_with_their_origin(void **state)
{
    char origin[160];

    (void)state;
    must_read("# first line\n"
              "text = a = b # not a comment\n"
              "path=/var/lib/x\n"
              "\n"
              "  ; indented comment\n"
              "number : 1000\n"
              "mode = 0777 ; a comment\n"
              "blocks = 10.0.0.0/8, 2001:db8::/32\t192.0.2.1");
    assert_string_equal(fields.text, "a = b # not a comment");
    assert_string_equal(fields.path, "/var/lib/x");
    assert_int_equal(fields.number, 1000);
    assert_int_equal(fields.mode, 0777);
    assert_int_equal(fields.blocks.count, 3);
    assert_int_equal(fields.blocks.list[1].prefix_len, 32);
    (void)snprintf(origin, sizeof origin, "%s:6", scratch_path("conf"));
    assert_string_equal(values[2].origin, origin);
}

static void list_goes_on_in_indented_lines(void **state)
{
    (void)state;
    must_read("blocks =\n"
              "    10.0.0.0/8\n"
              "    # a comment between\n"
              "\t192.0.2.0/24, 198.51.100.7\n"
              "\n"
              "number = 3\n");
    assert_int_equal(fields.blocks.count, 3);
    assert_int_equal(fields.blocks.list[2].prefix_len, 32);
    assert_int_equal(fields.number, 3);
}

static void list_may_be_long_though_lines_may_not(void **state)
{
    char text[8192] = "blocks =\n";
    size_t used = strlen(text);

    (void)state;
    for (int i = 0; i < CONFIG_BLOCKS_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "  10.0.%d.0/24\n", i);
    must_read(text);
    assert_int_equal(fields.blocks.count, CONFIG_BLOCKS_MAX);
    (void)snprintf(text + used, sizeof text - used, "  192.0.2.1\n");
    must_refuse(text, CONFIG_BLOCKS_MAX + 2, "more than 256 blocks");
}

static void faults_are_told_with_file_and_line(void **state)
{
    static const struct {
        const char *text;
        int line;
        const char *part;
    } rows[] = {
        {"nothing = 1\n", 1, "no option 'nothing'"},
        {"\n\nNumber = 1\n", 3, "no option 'Number'"},
        {"number = 0\n", 1, "from 1 to 1000"},
        {"number = 1001\n", 1, "from 1 to 1000"},
        {"number = 99999999999999999999\n", 1, "from 1 to 1000"},
        {"number = -1\n", 1, "must be a number"},
        {"number = +1\n", 1, "must be a number"},
        {"number = 0x10\n", 1, "must be a number"},
        {"number = 1k\n", 1, "must be a number"},
        {"number =\n", 1, "must be a number"},
        {"mode = 0800\n", 1, "octal"},
        {"mode = 1000\n", 1, "from 0 to 0777"},
        {"path = relative\n", 1, "absolute path"},
        {"blocks = 10.0.0.1/8\n", 1, "10.0.0.0/8"},
        {"blocks = 10.0.0.0/8\n  nonsense\n", 2, "nonsense"},
        {"text = a\n  b\n", 2, "text is no list"},
        {"[section]\nnumber = 1\n", 2, "section"},
        {"number 1\n", 1, "expected 'option = value'"},
        {"number = 1\njust words\n", 2, "expected 'option = value'"},
        {"number = bad\nnothing = 1\n", 1, "must be a number"},
        {"number = 1\ntext = a\nnumber = 1\n", 3, "number was given in line 1 already"},
        {"blocks = 10.0.0.0/8\n  11.0.0.0/8\nblocks = 12.0.0.0/8\n", 3,
         "blocks was given in line 2 already"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        must_refuse(rows[i].text, rows[i].line, rows[i].part);
}

static void longest_line_is_read_and_a_longer_one_refused(void **state)
{
    char text[CONFIG_LINE_BYTES + 32] = "# a comment\ntext = ";
    size_t before = strlen("# a comment\n"), len = before + CONFIG_LINE_BYTES;

    (void)state;
    memset(text + strlen(text), 'x', len - strlen(text));
    text[len] = '\0';
    must_read(text); /* without the newline at the end of the file */
    assert_int_equal(strlen(fields.text), CONFIG_LINE_BYTES - strlen("text = "));
    text[len] = '\n';
    text[len + 1] = '\0';
    must_read(text);
    assert_int_equal(strlen(fields.text), CONFIG_LINE_BYTES - strlen("text = "));
    text[len] = 'x';
    must_refuse(text, 2, "longer than");
    text[len + 1] = '\n';
    text[len + 2] = '\0';
    must_refuse(text, 2, "longer than");
}

static void missing_file_is_named(void **state)
{
    struct problem why = {""};

    (void)state;
    assert_int_equal(config_read_file(&config, scratch_path("none"), &why),
                     STATUS_NOT_FOUND);
    assert_non_null(strstr(why.text, scratch_path("none")));
    assert_int_not_equal(config_read_file(&config, scratch_directory, &why), STATUS_OK);
}

static void environment_goes_before_the_file(void **state)
{
    struct problem why = {""};

    (void)state;
    must_read("number = 5\ntext = file\n");
    assert_int_equal(setenv("T_NUMBER", "6", 1), 0);
    assert_int_equal(config_read_environment(&config, "T", &why), STATUS_OK);
    assert_int_equal(fields.number, 6);
    assert_string_equal(fields.text, "file");
    assert_string_equal(values[2].origin, "environment variable T_NUMBER");
}

static void environments_faults_name_the_variable(void **state)
{
    struct problem why = {""};

    (void)state;
    assert_int_equal(setenv("T_MODE", "9", 1), 0);
    assert_int_equal(config_read_environment(&config, "T", &why), STATUS_CONFIG);
    assert_int_equal(strncmp(why.text, "environment variable T_MODE: ",
                             strlen("environment variable T_MODE: ")),
                     0);
    assert_int_equal(fields.mode, 0640);
}

static void empty_variable_is_a_value(void **state)
{
    struct problem why = {""};

    (void)state;
    assert_int_equal(setenv("T_TEXT", "", 1), 0);
    assert_int_equal(config_read_environment(&config, "T", &why), STATUS_OK);
    assert_string_equal(fields.text, "");
}

static void command_line_sets_and_names_its_option(void **state)
{
    struct problem why = {""};

    (void)state;
    assert_int_equal(config_set(&config, "number", "9", "--number", &why), STATUS_OK);
    assert_int_equal(fields.number, 9);
    assert_int_equal(config_set(&config, "number", "x", "--number", &why), STATUS_CONFIG);
    assert_int_equal(strncmp(why.text, "--number: number: ", 18), 0);
    assert_int_equal(config_set(&config, "none", "x", "--none", &why), STATUS_CONFIG);
    assert_int_equal(fields.number, 9);
}

/* It would end the line for the parser, whatever follows it. */
static void a_line_with_a_nul_byte_is_refused(void **state)
{
    static const char text[] = "text = a\nblocks = 10.0.0.0/8 \0 192.0.2.0/24\n";
    struct problem why = {""};
    FILE *file = fopen(scratch_path("conf"), "we");

    (void)state;
    assert_non_null(file);
    assert_int_equal(fwrite(text, sizeof text - 1, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(config_read_file(&config, scratch_path("conf"), &why), STATUS_CONFIG);
    assert_non_null(strstr(why.text, ":2: the line holds a NUL byte"));
    assert_int_equal(fields.blocks.count, 0);
}

static void too_long_a_value_is_refused(void **state)
{
    struct problem why = {""};
    char text[CONFIG_TEXT_BYTES + 1];

    (void)state;
    memset(text, 'x', CONFIG_TEXT_BYTES);
    text[CONFIG_TEXT_BYTES] = '\0';
    assert_int_equal(config_set(&config, "text", text, "here", &why), STATUS_CONFIG);
    assert_string_equal(fields.text, "some text");
    text[CONFIG_TEXT_BYTES - 1] = '\0';
    assert_int_equal(config_set(&config, "text", text, "here", &why), STATUS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults_hold_until_something_else_is_said),
        TEST(yes_and_no_are_written_as_words),
        TEST(default_that_breaks_its_own_rule_is_our_fault),
        TEST(options_are_read_with_their_origin),
        TEST(list_goes_on_in_indented_lines),
        TEST(list_may_be_long_though_lines_may_not),
        TEST(faults_are_told_with_file_and_line),
        TEST(longest_line_is_read_and_a_longer_one_refused),
        TEST(missing_file_is_named),
        TEST(environment_goes_before_the_file),
        TEST(environments_faults_name_the_variable),
        TEST(empty_variable_is_a_value),
        TEST(command_line_sets_and_names_its_option),
        TEST(a_line_with_a_nul_byte_is_refused),
        TEST(too_long_a_value_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
