#include "autoconfig.h"

#include "app/process/sandbox.h"

#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifdef ENABLE_ATTACKS
#include "app/process/attacks.h"
#endif
#include "app/store/schema.h"
#include "lib/landlock.h"
#include "lib/log.h"
#include "lib/syscalls.h"

enum {
    PATHS_MAX = 20,
    ENDING_BYTES = 8,
};

enum file { DATABASE, WAL, SHM, LOCK, FILE_COUNT };

/* Tells a file from another one that was put in its place under the same name. */
struct file_id {
    dev_t dev;
    ino_t ino; /* 0: there is none */
};

/* Paths that a process may use, and the memory for their texts. */
struct rules {
    struct landlock_path paths[PATHS_MAX];
    size_t count;
    char texts[PATHS_MAX][PATH_MAX + ENDING_BYTES];
};

/* Of this process. */
static struct {
    bool entered;
    char database[PATH_MAX]; /* as the settings name it */
    size_t file_count;       /* that it may use; 0: their whole directory, or no sandbox */
    char files[FILE_COUNT][PATH_MAX + ENDING_BYTES];
    struct file_id seen[FILE_COUNT];
} self;

static void add(struct rules *rules, const char *path, unsigned access)
{
    char *text = rules->texts[rules->count];

    (void)snprintf(text, sizeof rules->texts[0], "%s", path);
    rules->paths[rules->count++] = (struct landlock_path){text, access};
}

static void add_directory_of(struct rules *rules, const char *path, unsigned access)
{
    char copy[PATH_MAX + ENDING_BYTES];

    (void)snprintf(copy, sizeof copy, "%s", path);
    add(rules, dirname(copy), access);
}

/* For files that are replaced by rename: their directory, and that of the file to which a
 * symbolic link leads now. */
static void add_replaceable(struct rules *rules, const char *path, unsigned access)
{
    char real[PATH_MAX];

    if (path[0] == '\0')
        return;
    add_directory_of(rules, path, access);
    if (realpath(path, real) != NULL)
        add_directory_of(rules, real, access);
}

/* SQLite resolves symbolic links before it appends -wal and -shm; the lock does not. */
static void name_files(void)
{
    const char *database = self.database;
    char real[PATH_MAX];
    const char *known = realpath(database, real) != NULL ? real : database;

    (void)snprintf(self.files[DATABASE], sizeof self.files[0], "%s", known);
    (void)snprintf(self.files[WAL], sizeof self.files[0], "%s-wal", known);
    (void)snprintf(self.files[SHM], sizeof self.files[0], "%s-shm", known);
    (void)snprintf(self.files[LOCK], sizeof self.files[0], "%s.lock", database);
}

static struct file_id look(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return (struct file_id){0, 0};
    return (struct file_id){info.st_dev, info.st_ino};
}

/* Landlock has rules only for files that exist: opens the database once, which makes them.
 * */
static void make_missing_files(const char *database, enum db_mode mode, size_t count)
{
    bool missing = false;
    struct db *db = NULL;

    for (size_t i = 0; i < count; i++)
        missing = missing || look(self.files[i]).ino == 0;
    if (missing && look(self.files[DATABASE]).ino != 0 &&
        schema_open(&db, database, mode, NULL) == STATUS_OK)
        db_close(db);
}

static void allow_files(struct rules *rules, const char *database, enum db_mode mode)
{
    static const unsigned of_mode[][FILE_COUNT] = {
        [DB_READ] = {[DATABASE] = LANDLOCK_READ,
                     [WAL] = LANDLOCK_READ,
                     [SHM] = LANDLOCK_READ | LANDLOCK_WRITE},
        [DB_WRITE] = {[DATABASE] = LANDLOCK_READ | LANDLOCK_WRITE,
                      [WAL] = LANDLOCK_READ | LANDLOCK_WRITE,
                      [SHM] = LANDLOCK_READ | LANDLOCK_WRITE,
                      [LOCK] = LANDLOCK_READ | LANDLOCK_WRITE},
    };

    self.file_count = mode == DB_WRITE ? FILE_COUNT : LOCK;
    make_missing_files(database, mode, self.file_count);
    for (size_t i = 0; i < self.file_count; i++) {
        self.seen[i] = look(self.files[i]);
        add(rules, self.files[i], of_mode[mode][i]);
    }
}

static void add_log(struct rules *rules, const struct settings *settings)
{
    if (settings->log[0] == '/')
        add_directory_of(rules, settings->log, LANDLOCK_WRITE | LANDLOCK_MAKE);
}

static void add_reading(struct rules *rules, const struct settings *settings)
{
    add_replaceable(rules, settings->geoip_country, LANDLOCK_READ);
    add_replaceable(rules, settings->geoip_city, LANDLOCK_READ);
    add_replaceable(rules, settings->geoip_asn, LANDLOCK_READ);
}

/* It has no master that would replace it when its files are replaced, so it keeps the whole
 * directory. */
static void add_for_single(struct rules *rules, const struct sandbox *sandbox)
{
    const struct settings *settings = sandbox->settings;
    unsigned all = LANDLOCK_READ | LANDLOCK_WRITE | LANDLOCK_MAKE | LANDLOCK_LIST;

    add_directory_of(rules, self.files[DATABASE], all);
    add_directory_of(rules, settings->database, all);
    add(rules, settings->secret_key_file, LANDLOCK_READ);
    if (sandbox->config != NULL)
        add(rules, sandbox->config, LANDLOCK_READ);
    if (sandbox->socket != NULL)
        add_directory_of(rules, sandbox->socket, LANDLOCK_REMOVE);
}

static void make_rules(struct rules *rules, enum role role, const struct sandbox *sandbox)
{
    const struct settings *settings = sandbox->settings;

    add(rules, "/dev/urandom", LANDLOCK_READ); /* SQLite may use it for random numbers */
#ifdef __SANITIZE_ADDRESS__
    add(rules, "/proc", LANDLOCK_READ | LANDLOCK_LIST);
#endif
    add_log(rules, settings);
    if (role == ROLE_WORKER) {
        allow_files(rules, settings->database, DB_READ);
        /* so that it can read a database that replaces this one, until it ends */
        add_directory_of(rules, self.files[DATABASE], LANDLOCK_READ);
    }
    if (role == ROLE_WRITER) {
        allow_files(rules, settings->database, DB_WRITE);
        add_directory_of(rules, self.files[DATABASE], LANDLOCK_LIST); /* for its fsync */
    } else {
        add_reading(rules, settings);
    }
    if (role == ROLE_SINGLE)
        add_for_single(rules, sandbox);
}

static unsigned calls_of(enum role role)
{
    static const unsigned sets[] = {
        [ROLE_MASTER] = SYSCALLS_SERVE | SYSCALLS_STORE | SYSCALLS_OWN_FILES |
                        SYSCALLS_SYSLOG | SYSCALLS_SUPERVISE,
        [ROLE_WORKER] = SYSCALLS_SERVE,
        [ROLE_WRITER] = SYSCALLS_STORE,
        [ROLE_SINGLE] = SYSCALLS_SERVE | SYSCALLS_STORE | SYSCALLS_OWN_FILES,
    };

    /* to connect again when the daemon was restarted */
    return sets[role] | (log_is_syslog() ? SYSCALLS_SYSLOG : 0);
}

static enum status enter(enum role role, const struct sandbox *sandbox, struct problem *why)
{
    struct rules *rules = calloc(1, sizeof *rules);

    if (rules == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    tzset(); /* for syslog: later, the time zone's file is out of reach */
    (void)snprintf(self.database, sizeof self.database, "%s", sandbox->settings->database);
    name_files();
    if (role != ROLE_MASTER && landlock_version() > 0)
        make_rules(rules, role, sandbox);
    bool any_file = role == ROLE_MASTER;
#ifdef COVERAGE_COUNTERS
    any_file = true; /* gcov writes its counters when a process ends */
#endif
    enum status status = landlock_enter(rules->paths, rules->count, any_file, why);
    free(rules);
    return status == STATUS_OK ? syscalls_enter(calls_of(role), why) : status;
}

enum status sandbox_enter(enum role role, const struct sandbox *sandbox,
                          struct problem *why)
{
    enum status status = STATUS_OK;

    if (role == ROLE_SINGLE && self.entered)
        return STATUS_OK;
    if (sandbox->settings->sandbox)
        status = enter(role, sandbox, why);
    self.entered = true;
#ifdef ENABLE_ATTACKS
    if (status == STATUS_OK)
        attacks_run(role);
#endif
    return status;
}

/* Whether path is in directory or below it. */
static bool holds(const char *directory, const char *path)
{
    size_t len = strlen(directory);

    return strncmp(directory, path, len) == 0 &&
           (path[len] == '/' || directory[len - 1] == '/');
}

/* Workers may write every file in the log's directory and below it. */
static void warn_of_log(const struct settings *settings)
{
    char log[PATH_MAX], database[PATH_MAX], copy[CONFIG_TEXT_BYTES];

    (void)snprintf(copy, sizeof copy, "%s", settings->log);
    if (settings->log[0] == '/' && realpath(dirname(copy), log) != NULL &&
        realpath(settings->database, database) != NULL && holds(log, database))
        LOG(LEVEL_WARNING, "sandbox_wide", LOG_TEXT("path", settings->log),
            LOG_TEXT("message", "the database is in the directory of the log or below, so "
                                "workers can write it: give the log another directory"));
}

void sandbox_report(const struct settings *settings)
{
    if (!settings->sandbox) {
        LOG(LEVEL_WARNING, "sandbox_off",
            LOG_TEXT("message", "processes may do all that their user may"));
        return;
    }
    if (landlock_version() == 0)
        LOG(LEVEL_INFO, "no_landlock",
            LOG_TEXT("message", "files are protected by their permissions alone"));
    if (!syscalls_filterable())
        LOG(LEVEL_INFO, "no_seccomp", LOG_TEXT("message", "system calls are not filtered"));
    warn_of_log(settings);
}

bool sandbox_outdated(void)
{
    if (self.file_count == 0)
        return false;
    name_files(); /* a symbolic link may have been changed */
    if (look(self.files[DATABASE]).ino == 0)
        return false;
    for (size_t i = 0; i < self.file_count; i++) {
        struct file_id now = look(self.files[i]);
        if (now.ino != self.seen[i].ino || now.dev != self.seen[i].dev)
            return true;
    }
    return false;
}
