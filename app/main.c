/*
 * crmnotes.fcgi: the service.
 */
#include "autoconfig.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/api/call.h"
#include "app/commit/letter.h"
#include "app/commit/writer.h"
#include "app/process/check.h"
#include "app/process/sandbox.h"
#include "app/serve/limits.h"
#include "app/serve/worker.h"
#include "app/settings.h"
#include "lib/geo.h"
#include "lib/listener.h"
#include "lib/log.h"
#include "lib/mailbox.h"
#include "lib/pool.h"
#include "lib/privileges.h"
#include "lib/process_title.h"
#include "lib/signals.h"

static const char program_name[] = "crmnotes.fcgi";

static const char version[] = PACKAGE_STRING "\n";

static const char help[] =
    "Usage: crmnotes.fcgi [OPTION]...\n"
    "Serves the call \"Add Notes to Contact\" by FastCGI.\n"
    "\n"
    "  --config FILE     read FILE, else $CRMNOTES_CONFIG, else\n"
    "                    /etc/crmnotes/crmnotes.conf if there is one\n"
    "  --database FILE   the SQLite database\n"
    "  --listen WHERE    unix:PATH, 127.0.0.1:PORT or [::1]:PORT; without it the\n"
    "                    socket that LISTEN_FDS or descriptor 0 hands over\n"
    "  --workers N       processes that serve; 0: four for each core, at least 8\n"
    "  --single          serve in this one process, for mod_fcgid\n"
    "  --check-config    say what would keep the service from starting, and end\n"
    "  --show-config     print the settings with their origin, and end\n"
    "  --version         print the version, and end\n"
    "  --help            print this, and end\n"
    "\n"
    "Signals: TERM, INT end after the requests in hand; HUP reloads the configuration\n"
    "and the workers; USR1 opens the log anew.\n";

struct options {
    struct settings_arguments arguments;
    bool single, check_config, show_config;
};

/* The state of the service, kept by the master and inherited by its workers. */
struct state {
    struct options options;
    struct settings *settings;
    bool drop;                /* root: become `identity` */
    struct identity identity; /* of settings->user */
    struct secret_key key;
    int listening;
    char made_socket[CONFIG_TEXT_BYTES]; /* and must remove it; empty: was handed over */
    int give, take;
    int slots; /* of the pool; INT_MAX with --single */
    struct caller_cache *caller_cache;
    struct throttle *throttle; /* see limits.h */
    struct mailboxes *boxes;   /* between workers and writer; NULL with --single */
};

static int fail(int exit_status, const struct problem *why)
{
    (void)fprintf(stderr, "%s: %s\n", program_name, why->text);
    return exit_status;
}

static bool misused(const char *word, const char *complaint)
{
    (void)fprintf(stderr, "%s: '%s' %s: see --help\n", program_name, word, complaint);
    return false;
}

/* What getopt_long does not know, or not so; code is what it returned. */
static bool misused_option(int code, const char *word)
{
    const char letter[] = {'-', (char)optopt, '\0'};
    bool has_value = strchr(word, '=') != NULL;

    if (code == ':')
        return misused(word, "needs a value");
    if (optopt != 0 && !has_value) /* there are no short ones */
        return misused(letter, "is no option");
    return misused(word, optopt != 0 ? "takes no value" : "is no option");
}

/* True: go on. False: end with *exit_status. */
static bool read_options(struct options *out, int argc, char **argv, int *exit_status)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"database", required_argument, NULL, 'd'},
        {"listen", required_argument, NULL, 'l'},
        {"workers", required_argument, NULL, 'w'},
        {"single", no_argument, NULL, 's'},
        {"check-config", no_argument, NULL, 'k'},
        {"show-config", no_argument, NULL, 'o'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char **const texts[] = {
        ['c'] = &out->arguments.config,
        ['d'] = &out->arguments.database,
        ['l'] = &out->arguments.listen,
        ['w'] = &out->arguments.workers,
    };
    int option;

    *exit_status = EX_USAGE;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
        if (option == ':' || option == '?')
            return misused_option(option, argv[optind - 1]);
        if (option == 'v' || option == 'h') {
            *exit_status =
                fputs(option == 'h' ? help : version, stdout) < 0 ? EX_IOERR : EX_OK;
            return false;
        }
        if (option == 's')
            out->single = true;
        else if (option == 'k')
            out->check_config = true;
        else if (option == 'o')
            out->show_config = true;
        else
            *texts[option] = optarg;
    }
    if (optind == argc)
        return true;
    return misused(argv[optind], "is unexpected");
}

/* Who this is to serve as; root stays what it is where no user is set. */
static enum status find_identity(struct state *state, struct problem *why)
{
    const struct settings *s = state->settings;

    if (s->user[0] == '\0')
        return STATUS_OK;
    state->drop = geteuid() == 0;
    return privileges_find(&state->identity, s->user, s->group, why);
}

static enum status drop_privileges(struct state *state, struct problem *why)
{
    enum status status = STATUS_OK;

    if (state->drop)
        status = privileges_drop(&state->identity, why);
    state->drop = false;
    privileges_harden(); /* the change of user undid a part of it */
    return status;
}

static struct check check_of(const struct state *state, const struct settings *settings)
{
    return (struct check){
        .settings = settings,
        .config = settings_config_path(&state->options.arguments),
        .become = state->drop ? &state->identity : NULL,
    };
}

static int exit_status_of(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return EX_OK;
    case STATUS_NOT_FOUND:
    case STATUS_SCHEMA:
    case STATUS_CONFIG:
        return EX_CONFIG;
    case STATUS_INTERNAL:
        return EX_OSERR;
    default:
        return EX_UNAVAILABLE;
    }
}

static void warn_about_geo(const char *path, const char *sentence)
{
    (void)fprintf(stderr, "%s: warning: %s: %s\n", program_name, path, sentence);
}

/* The service does without these files. */
static void check_geo_files(const struct settings *settings)
{
    const struct geo_paths paths = {settings->geoip_country, settings->geoip_city,
                                    settings->geoip_asn};

    geo_free(geo_create(&paths, warn_about_geo));
}

/* The exit status is that of the first. */
static void note_problem(int *exit_status, int found, const struct problem *why)
{
    if (found == EX_OK)
        return;
    (void)fail(found, why);
    if (*exit_status == EX_OK)
        *exit_status = found;
}

static int exit_status_of_place(enum status status)
{
    return status == STATUS_OK            ? EX_OK
           : status == STATUS_CANT_CREATE ? EX_CANTCREAT
                                          : EX_CONFIG;
}

static void check_key_and_database(int *exit_status, struct state *state)
{
    const struct check check = check_of(state, state->settings);
    struct problem why = {""};
    bool has_key = check_key_file(&state->key, state->settings, &why) == STATUS_OK;

    note_problem(exit_status, has_key ? EX_OK : EX_CONFIG, &why);
    enum status status = check_database(&check, has_key, &why);
    note_problem(exit_status, exit_status_of(status), &why);
}

/* All that would keep the service from starting. */
static int check_config(struct state *state)
{
    const struct settings *s = state->settings;
    int exit_status = EX_OK;
    struct problem why = {""};

    settings_print_files(s, stdout);
    if (fflush(stdout) != 0)
        exit_status = EX_IOERR;
    check_key_and_database(&exit_status, state);
    if (s->listen[0] != '\0') {
        enum status status = listener_check(s->listen, s->socket_group, &why);
        note_problem(&exit_status, exit_status_of_place(status), &why);
    }
    note_problem(&exit_status, exit_status_of_place(log_check(s->log, &why)), &why);
    check_geo_files(s);
    return exit_status;
}

static enum status get_socket(struct state *state, struct problem *why)
{
    const struct settings *s = state->settings;
    enum status status = STATUS_NOT_FOUND;

    if (state->options.arguments.listen == NULL)
        status = listener_inherit(&state->listening, why);
    if (status != STATUS_NOT_FOUND)
        return status;
    if (s->listen[0] == '\0')
        return problem_set(why, STATUS_CONFIG,
                           "no socket to serve: use --listen unix:PATH, or start it by "
                           "spawn-fcgi, mod_fcgid or a systemd socket");
    status = listener_open(&state->listening, s->listen, (mode_t)s->socket_mode,
                           s->socket_group, why);
    if (status != STATUS_OK)
        return status;
    /* a reload may change the settings, but not this socket */
    (void)snprintf(state->made_socket, sizeof state->made_socket, "%s", s->listen);
    if (!state->drop)
        return STATUS_OK;
    gid_t group = s->socket_group[0] == '\0' ? state->identity.gid : (gid_t)-1;
    return listener_give(s->listen, state->identity.uid, group, why);
}

/* False: the process must end; the log says why. */
static bool contain(const struct state *state, enum role role)
{
    const struct sandbox sandbox = {
        .settings = state->settings,
        .config = settings_config_path(&state->options.arguments),
        .socket = listener_path(state->made_socket),
    };
    struct problem why = {""};

    if (sandbox_enter(role, &sandbox, &why) == STATUS_OK)
        return true;
    LOG(LEVEL_ERROR, "sandbox_failed", LOG_TEXT("message", why.text));
    return false;
}

static int run_worker(void *context, struct pool_worker *self)
{
    const struct state *state = context;
    const struct worker_context worker = {
        .settings = state->settings,
        .key = &state->key,
        .caller_cache = state->caller_cache,
        .throttle = state->throttle,
        .listening = state->listening,
        .give = state->give,
        .take = state->take,
        .boxes = state->boxes,
    };

    if (!contain(state, state->boxes == NULL ? ROLE_SINGLE : ROLE_WORKER))
        return EX_OSERR;
    return worker_run(&worker, self);
}

static int run_writer(void *context, struct pool_worker *self)
{
    const struct state *state = context;

    if (!contain(state, ROLE_WRITER))
        return EX_OSERR;
    const struct writer_context writer = {
        .database_path = state->settings->database,
        .lock_timeout_ms = settings_lock_timeout_ms(state->settings),
        .boxes = state->boxes,
        .kinds = call_command_kinds(),
    };
    return writer_run(&writer, self);
}

enum {
    DESCRIPTORS_OTHER = 64, /* files, and the standard ones */
    SLOTS_MIN = 32,         /* room to raise a small number of workers by a reload */
};

static struct pool_settings pool_settings_of(const struct settings *settings)
{
    int both = 2 * (int)settings->workers;

    return (struct pool_settings){
        .workers = (int)settings->workers,
        .slots = both > SLOTS_MIN ? both : SLOTS_MIN,
        .request_timeout_ms = (int)settings->request_timeout * 1000,
    };
}

static size_t letter_bytes(const struct settings *settings)
{
    return letter_max_bytes((size_t)settings->max_note_bytes);
}

static enum status to_change_restart(const char *option, struct problem *why)
{
    return problem_set(why, STATUS_CONFIG, "%s: to change it, restart", option);
}

/* What was laid out at the start cannot change. */
static enum status check_reloadable(const struct state *state,
                                    const struct settings *settings, struct problem *why)
{
    const struct settings *now = state->settings;
    const bool made_socket = state->made_socket[0] != '\0';

    if (strcmp(settings->database, now->database) != 0)
        return to_change_restart("database", why);
    if (strcmp(settings->user, now->user) != 0)
        return to_change_restart("user", why);
    if (strcmp(settings->group, now->group) != 0)
        return to_change_restart("group", why);
    if (settings->sandbox != now->sandbox)
        return to_change_restart("sandbox", why);
    if (made_socket && strcmp(settings->listen, now->listen) != 0)
        return to_change_restart("listen", why);
    if (made_socket && settings->socket_mode != now->socket_mode)
        return to_change_restart("socket_mode", why);
    if (made_socket && strcmp(settings->socket_group, now->socket_group) != 0)
        return to_change_restart("socket_group", why);
    if (state->boxes != NULL &&
        letter_bytes(settings) > mailboxes_letter_bytes(state->boxes))
        return problem_set(why, STATUS_CONFIG, "max_note_bytes: to raise it, restart");
    if (pool_settings_of(settings).slots > state->slots)
        return problem_set(why, STATUS_CONFIG, "workers: to raise it over %d, restart",
                           state->slots / 2);
    return STATUS_OK;
}

/* Trouble with the database itself is for those who have it open. */
static enum status check_new_key(const struct state *state, const struct settings *settings,
                                 const struct secret_key *key, struct problem *why)
{
    struct check check = check_of(state, settings);

    if (memcmp(key, &state->key, sizeof *key) == 0)
        return STATUS_OK;
    check.here = state->options.single; /* confined, it cannot fork */
    enum status status = check_database(&check, true, why);
    return status == STATUS_CONFIG || status == STATUS_INTERNAL ? status : STATUS_OK;
}

static enum status renew(struct state *state, struct problem *why)
{
    struct settings *settings = settings_create(&state->options.arguments, why);
    struct secret_key key;

    if (settings == NULL)
        return STATUS_CONFIG;
    enum status status = check_reloadable(state, settings, why);
    if (status == STATUS_OK)
        status = check_key_file(&key, settings, why);
    if (status == STATUS_OK)
        status = check_new_key(state, settings, &key, why);
    if (status == STATUS_OK)
        status = log_open(settings->log, program_name, why);
    if (status == STATUS_OK) {
        free(state->settings);
        state->settings = settings;
        state->key = key;
    } else {
        free(settings);
    }
    secret_wipe(&key, sizeof key);
    return status;
}

static enum status reload(void *context, struct pool_settings *pool)
{
    struct state *state = context;
    struct problem why = {""};
    enum status status = renew(state, &why);

    if (status != STATUS_OK) {
        LOG(LEVEL_ERROR, "reload_failed", LOG_TEXT("message", why.text));
        return status;
    }
    *pool = pool_settings_of(state->settings);
    pool->slots = state->slots;
    return STATUS_OK;
}

static void report_database_trouble(int code, const char *message)
{
    LOG(LEVEL_WARNING, "sqlite", LOG_NUMBER("code", code), LOG_TEXT("message", message));
}

/* What deserves a second thought of who started it. */
static void report_start(const struct state *state)
{
    const struct settings *s = state->settings;

    if (geteuid() == 0)
        LOG(LEVEL_WARNING, "running_as_root",
            LOG_TEXT("message", "requests are served with root's rights: set user"));
    else if (s->user[0] != '\0' && state->identity.uid != geteuid())
        LOG(LEVEL_WARNING, "user_ignored", LOG_TEXT("user", s->user),
            LOG_TEXT("message", "only root can become another user"));
    sandbox_report(s);
}

static int serve(struct state *state)
{
    static const struct pool_role roles[] = {
        {.name = "writer", .count = 1, .run = run_writer},
    };
    static const struct pool_program program = {.run = run_worker,
                                                .roles = roles,
                                                .role_count =
                                                    sizeof roles / sizeof roles[0],
                                                .reload = reload};
    const struct pool_settings pool = pool_settings_of(state->settings);
    struct problem why = {""};

    if (log_open(state->settings->log, program_name, &why) != STATUS_OK)
        return fail(EX_CANTCREAT, &why);
    report_start(state);
    state->caller_cache = caller_cache_create();
    state->throttle = limits_open(state->settings, state->options.single);
    if (state->caller_cache == NULL || state->throttle == NULL)
        return fail(EX_OSERR, &(struct problem){"out of memory"});
    if (state->options.single)
        return pool_run_single(&program, state);
    if (fastcgi_handover_pair(&state->give, &state->take) != STATUS_OK)
        return fail(EX_OSERR, &(struct problem){"cannot make a socket pair"});
    state->slots = pool.slots;
    state->boxes =
        mailboxes_create((size_t)pool.slots, FASTCGI_PLACES, letter_bytes(state->settings));
    if (state->boxes == NULL)
        return fail(EX_OSERR, &(struct problem){"cannot make the writer's mailboxes"});
    if (!contain(state, ROLE_MASTER))
        return EX_OSERR;
    return pool_run(&program, state, &pool);
}

/* Every process of the pool has a descriptor for each slot, and the kernel counts what is on
 * its way between two of them: at a reload, all connections. */
static void limit_descriptors(const struct settings *settings)
{
    size_t slots = (size_t)pool_settings_of(settings).slots;

    privileges_limit_descriptors(slots * (FASTCGI_PLACES + 1) + DESCRIPTORS_OTHER);
}

static int start(struct state *state)
{
    struct problem why = {""};

    state->settings = settings_create(&state->options.arguments, &why);
    if (state->settings == NULL)
        return fail(EX_CONFIG, &why);
    if (state->options.show_config) {
        settings_print(state->settings, stdout);
        return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
    if (find_identity(state, &why) != STATUS_OK)
        return fail(EX_CONFIG, &why);
    if (state->options.check_config)
        return check_config(state);
    const struct check check = check_of(state, state->settings);
    enum status status = check_database(&check, true, &why);
    if (status != STATUS_OK)
        return fail(exit_status_of(status), &why);
    limit_descriptors(state->settings);
    status = get_socket(state, &why);
    if (status != STATUS_OK)
        return fail(status == STATUS_CONFIG ? EX_CONFIG : EX_CANTCREAT, &why);
    if (drop_privileges(state, &why) != STATUS_OK)
        return fail(EX_OSERR, &why);
    if (check_key_file(&state->key, state->settings, &why) != STATUS_OK)
        return fail(EX_CONFIG, &why);
    return serve(state);
}

int main(int argc, char **argv)
{
    struct state state = {.listening = -1, .give = -1, .take = -1, .slots = INT_MAX};
    int exit_status;

    process_title_init(argc, argv, program_name);
    if (!read_options(&state.options, argc, argv, &exit_status))
        return exit_status;
    privileges_harden();
    signals_init();
    if (secret_init() != STATUS_OK || db_init(report_database_trouble) != STATUS_OK)
        return fail(EX_SOFTWARE, &(struct problem){"a library cannot be initialised"});
    exit_status = start(&state);
    if (state.made_socket[0] != '\0')
        listener_remove(state.made_socket);
    secret_wipe(&state.key, sizeof state.key);
    mailboxes_free(state.boxes);
    caller_cache_free(state.caller_cache);
    throttle_free(state.throttle);
    free(state.settings);
    return exit_status;
}
