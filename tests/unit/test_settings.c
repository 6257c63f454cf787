#include "app/settings.h"

#include "lib/cpus.h"
#include "tests/unit/scratch.h"

static struct settings *settings;
static const struct settings_arguments none;

static const char *const variables[] = {
    "CRMNOTES_CONFIG",  "CRMNOTES_DATABASE",       "CRMNOTES_WORKERS",
    "CRMNOTES_LISTEN",  "CRMNOTES_SOCKET_MODE",    "CRMNOTES_TRUSTED_PROXIES",
    "CRMNOTES_UNKNOWN", "CRMNOTES_MAX_BODY_BYTES", "CRMNOTES_BUILD",
};

static int prepare(void **state)
{
    for (size_t i = 0; i < COUNT(variables); i++)
        (void)unsetenv(variables[i]);
    return scratch_make(state);
}

static int clean_up(void **state)
{
    free(settings);
    settings = NULL;
    return scratch_remove(state);
}

static enum status load(const struct settings_arguments *arguments, struct problem *why)
{
    free(settings);
    settings = calloc(1, sizeof *settings);
    assert_non_null(settings);
    return settings_load(settings, arguments, why);
}

static void must_load(const struct settings_arguments *arguments)
{
    struct problem why = {""};

    if (load(arguments, &why) != STATUS_OK)
        fail_msg("%s", why.text);
}

/* Loads a file of that text. */
static void must_load_text(const char *text)
{
    char path[128];

    scratch_write("conf", text);
    (void)snprintf(path, sizeof path, "%s", scratch_path("conf"));
    must_load(&(struct settings_arguments){.config = path});
}

static void expect_complaint(const char *text, const char *expected)
{
    struct problem why = {""};
    char path[128], sentence[1200];

    scratch_write("conf", text);
    (void)snprintf(path, sizeof path, "%s", scratch_path("conf"));
    assert_int_equal(load(&(struct settings_arguments){.config = path}, &why),
                     STATUS_CONFIG);
    (void)snprintf(sentence, sizeof sentence, "%s:%s", path, expected);
    assert_string_equal(why.text, sentence);
}

static void without_any_file_the_defaults_hold(void **state)
{
    (void)state;
    if (access("/etc/crmnotes/crmnotes.conf", F_OK) == 0)
        skip();
    must_load(&none);
    assert_string_equal(settings->database, "/var/lib/crmnotes/crmnotes.db");
    assert_string_equal(settings->secret_key_file, "/var/lib/crmnotes/crmnotes.db.key");
    assert_string_equal(settings->user, "");
    assert_string_equal(settings->group, "");
    assert_true(settings->sandbox);
    assert_string_equal(settings->listen, "");
    assert_int_equal(settings->socket_mode, 0660);
    assert_string_equal(settings->socket_group, "");
    assert_true(settings->workers >= 1);
    assert_string_equal(settings->base_path, "");
    assert_int_equal(settings->trusted_proxies.count, 0);
    assert_int_equal(settings->max_body_bytes, 524288);
    assert_int_equal(settings->max_note_bytes, 65536);
    assert_int_equal(settings->request_timeout, 30);
    assert_int_equal(settings->rate_limit.count, 0);
    assert_int_equal(settings->credential_failures.count, 100);
    assert_int_equal(settings->credential_failures.time_s, 600);
    assert_int_equal(settings->contact_failures.count, 1000);
    assert_int_equal(settings->contact_failures.time_s, 600);
    assert_false(settings->uniform_errors);
    assert_false(settings->strict_status);
    assert_true(settings->developer_docs);
    assert_string_equal(settings->geoip_country, "");
    assert_string_equal(settings->log, "stderr");
}

static void every_option_can_be_set_in_a_file(void **state)
{
    (void)state;
    must_load_text("# a comment\n"
                   "database = /data/x.db\n"
                   "secret_key_file = /data/x.key ; another comment\n"
                   "user = crmnotes\n"
                   "group = www-data\n"
                   "sandbox = no\n"
                   "listen = unix:/run/x.sock\n"
                   "socket_mode = 0600\n"
                   "socket_group = www-data\n"
                   "workers = 3\n"
                   "base_path = /cgi-bin/crmnotes.fcgi\n"
                   "trusted_proxies =\n"
                   "  10.0.0.0/24\n"
                   "\t2001:db8::/64, 192.0.2.1\n"
                   "max_body_bytes = 1024\n"
                   "max_note_bytes = 1\n"
                   "request_timeout = 3600\n"
                   "rate_limit = 600/1m\n"
                   "credential_failures = off\n"
                   "contact_failures = 5/2h\n"
                   "uniform_errors = yes\n"
                   "http_status = strict\n"
                   "developer_docs = no\n"
                   "geoip_country = /geo/country.mmdb\n"
                   "geoip_city = /geo/city.mmdb\n"
                   "geoip_asn = /geo/asn.mmdb\n"
                   "log = /var/log/x.log\n");
    assert_string_equal(settings->database, "/data/x.db");
    assert_string_equal(settings->secret_key_file, "/data/x.key");
    assert_string_equal(settings->user, "crmnotes");
    assert_string_equal(settings->group, "www-data");
    assert_false(settings->sandbox);
    assert_string_equal(settings->listen, "unix:/run/x.sock");
    assert_int_equal(settings->socket_mode, 0600);
    assert_string_equal(settings->socket_group, "www-data");
    assert_int_equal(settings->workers, 3);
    assert_string_equal(settings->base_path, "/cgi-bin/crmnotes.fcgi");
    assert_int_equal(settings->trusted_proxies.count, 3);
    assert_int_equal(settings->trusted_proxies.list[2].prefix_len, 32);
    assert_int_equal(settings->max_body_bytes, 1024);
    assert_int_equal(settings->max_note_bytes, 1);
    assert_int_equal(settings->request_timeout, 3600);
    assert_int_equal(settings->rate_limit.count, 600);
    assert_int_equal(settings->rate_limit.time_s, 60);
    assert_int_equal(settings->credential_failures.count, 0);
    assert_int_equal(settings->contact_failures.count, 5);
    assert_int_equal(settings->contact_failures.time_s, 7200);
    assert_true(settings->uniform_errors);
    assert_true(settings->strict_status);
    assert_false(settings->developer_docs);
    assert_string_equal(settings->geoip_asn, "/geo/asn.mmdb");
    assert_string_equal(settings->log, "/var/log/x.log");
}

static void the_key_file_stands_beside_the_database(void **state)
{
    (void)state;
    must_load_text("database = /data/x.db\n");
    assert_string_equal(settings->secret_key_file, "/data/x.db.key");
    must_load(&(struct settings_arguments){.database = "/elsewhere/y.db"});
    assert_string_equal(settings->secret_key_file, "/elsewhere/y.db.key");
}

static void environment_goes_before_file_and_arguments_before_both(void **state)
{
    char path[128];

    (void)state;
    scratch_write("conf", "workers = 2\nlisten = unix:/file\ndatabase = /file.db\n");
    (void)snprintf(path, sizeof path, "%s", scratch_path("conf"));
    (void)setenv("CRMNOTES_CONFIG", path, 1);
    (void)setenv("CRMNOTES_WORKERS", "3", 1);
    (void)setenv("CRMNOTES_LISTEN", "unix:/environment", 1);
    must_load(&(struct settings_arguments){.workers = "4"});
    assert_int_equal(settings->workers, 4);
    assert_string_equal(settings->listen, "unix:/environment");
    assert_string_equal(settings->database, "/file.db");
    /* --config goes before CRMNOTES_CONFIG */
    scratch_write("other", "workers = 7\n");
    (void)snprintf(path, sizeof path, "%s", scratch_path("other"));
    (void)unsetenv("CRMNOTES_WORKERS");
    must_load(&(struct settings_arguments){.config = path});
    assert_int_equal(settings->workers, 7);
}

static void zero_workers_means_several_for_each_core(void **state)
{
    int cores = cpus_usable();

    (void)state;
    must_load(&(struct settings_arguments){.workers = "0"});
    assert_int_equal(settings->workers, cores > 2 ? 2 * cores : 4);
}

static void who_waits_for_a_commit_outlasts_who_waits_for_the_lock(void **state)
{
    static const char *const timeouts[] = {"1", "2", "4", "30", "3600"};
    char text[64];

    (void)state;
    for (size_t i = 0; i < COUNT(timeouts); i++) {
        (void)snprintf(text, sizeof text, "request_timeout = %s\n", timeouts[i]);
        must_load_text(text);
        int commit_ms = settings_commit_timeout_ms(settings);
        int lock_ms = settings_lock_timeout_ms(settings);
        assert_in_range(lock_ms, 200, commit_ms - 1);
        /* even for one that has to wait until another batch has given up */
        assert_true(2 * lock_ms < 2 * commit_ms);
        assert_true(2 * commit_ms < settings->request_timeout * 1000);
    }
}

static void values_out_of_range_are_refused_with_file_and_line(void **state)
{
    static const struct {
        const char *text, *complaint;
    } rows[] = {
        {"workers = x\n", "1: workers: must be a number, not 'x'"},
        {"\n\nworkers = 1025\n", "3: workers: must be from 0 to 1024, not '1025'"},
        {"workers = -1\n", "1: workers: must be a number, not '-1'"},
        {"workers =\n", "1: workers: must be a number, not ''"},
        {"socket_mode = 0999\n",
         "1: socket_mode: must be a number in octal digits, not '0999'"},
        {"max_body_bytes = 1023\n",
         "1: max_body_bytes: must be from 1024 to 8388608, not '1023'"},
        {"request_timeout = 0\n", "1: request_timeout: must be from 1 to 3600, not '0'"},
        {"sandbox = off\n", "1: sandbox: must be yes or no, not 'off'"},
        {"base_path = cgi-bin\n",
         "1: base_path: must begin with / and must not end with it, not 'cgi-bin'"},
        {"base_path = /x/\n",
         "1: base_path: must begin with / and must not end with it, not '/x/'"},
        {"log = relative.log\n",
         "1: log: must be stderr, syslog or an absolute path, not 'relative.log'"},
        {"listen = nonsense\n",
         "1: listen: must be unix:PATH, 127.0.0.1:PORT or [::1]:PORT, not 'nonsense'"},
        {"database =\n", "1: database: must name a file"},
        {"geoip_city = city.mmdb\n",
         "1: geoip_city: must be an absolute path, one that begins "
         "with /, not 'city.mmdb'"},
        {"unknown = 1\n", "1: there is no option 'unknown'"},
        {"[section]\nworkers = 1\n",
         "2: option in section [section]: options stand without a section"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_complaint(rows[i].text, rows[i].complaint);
}

static void a_bad_variable_or_argument_is_named(void **state)
{
    struct problem why = {""};

    (void)state;
    (void)setenv("CRMNOTES_MAX_BODY_BYTES", "5", 1);
    assert_int_equal(load(&none, &why), STATUS_CONFIG);
    assert_string_equal(why.text, "environment variable CRMNOTES_MAX_BODY_BYTES: "
                                  "max_body_bytes: must be from 1024 to 8388608, not '5'");
    (void)unsetenv("CRMNOTES_MAX_BODY_BYTES");
    assert_int_equal(load(&(struct settings_arguments){.workers = "many"}, &why),
                     STATUS_CONFIG);
    assert_string_equal(why.text, "--workers: workers: must be a number, not 'many'");
}

static void a_variable_of_no_option_is_named(void **state)
{
    struct problem why = {""};

    (void)state;
    (void)setenv("CRMNOTES_UNKNOWN", "", 1);
    assert_int_equal(load(&none, &why), STATUS_CONFIG);
    assert_string_equal(why.text,
                        "environment variable CRMNOTES_UNKNOWN: there is no such option");
    (void)unsetenv("CRMNOTES_UNKNOWN");
    (void)setenv("CRMNOTESX", "of another program", 1);
    must_load(&none);
    (void)unsetenv("CRMNOTESX");
}

static void
the_database_of_the_command_line_is_meant_from_the_working_directory(void **state)
{
    char here[CONFIG_TEXT_BYTES], expected[CONFIG_TEXT_BYTES + 8];
    char too_long[CONFIG_TEXT_BYTES + 1];
    struct problem why = {""};

    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    must_load(&(struct settings_arguments){.database = "x.db"});
    (void)snprintf(expected, sizeof expected, "%s/x.db", here);
    assert_string_equal(settings->database, expected);
    must_load(&(struct settings_arguments){.database = "/x.db"});
    assert_string_equal(settings->database, "/x.db");
    memset(too_long, 'x', sizeof too_long);
    too_long[CONFIG_TEXT_BYTES] = '\0';
    assert_int_equal(load(&(struct settings_arguments){.database = too_long}, &why),
                     STATUS_CONFIG);
    assert_string_equal(why.text, "--database: the path is too long");
}

static void a_file_that_is_named_must_be_there(void **state)
{
    struct problem why = {""};

    (void)state;
    assert_int_equal(load(&(struct settings_arguments){.config = "/no/such/file"}, &why),
                     STATUS_CONFIG);
    assert_string_equal(why.text, "cannot read the configuration /no/such/file: "
                                  "No such file or directory");
    (void)setenv("CRMNOTES_CONFIG", "/no/such/other", 1);
    assert_int_equal(load(&none, &why), STATUS_CONFIG);
}

static void what_is_printed_can_be_read_again(void **state)
{
    char path[128];

    (void)state;
    must_load_text("workers = 3\ndatabase = /data/x.db\ntrusted_proxies = 10.0.0.0/8\n");
    (void)snprintf(path, sizeof path, "%s", scratch_path("printed"));
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    settings_print(settings, out);
    assert_int_equal(fclose(out), 0);
    must_load(&(struct settings_arguments){.config = path});
    assert_int_equal(settings->workers, 3);
    assert_string_equal(settings->database, "/data/x.db");
    assert_string_equal(settings->secret_key_file, "/data/x.db.key");
    assert_int_equal(settings->trusted_proxies.count, 1);
}

#define prepared(test) cmocka_unit_test_setup_teardown(test, prepare, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        prepared(without_any_file_the_defaults_hold),
        prepared(every_option_can_be_set_in_a_file),
        prepared(the_key_file_stands_beside_the_database),
        prepared(environment_goes_before_file_and_arguments_before_both),
        prepared(zero_workers_means_several_for_each_core),
        prepared(who_waits_for_a_commit_outlasts_who_waits_for_the_lock),
        prepared(values_out_of_range_are_refused_with_file_and_line),
        prepared(a_variable_of_no_option_is_named),
        prepared(the_database_of_the_command_line_is_meant_from_the_working_directory),
        prepared(a_bad_variable_or_argument_is_named),
        prepared(a_file_that_is_named_must_be_there),
        prepared(what_is_printed_can_be_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
