#include "autoconfig.h"

#include "app/process/sandbox.h"

#include <libgen.h>
#include <limits.h>
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
#include "lib/db_files.h"
#include "lib/landlock.h"
#include "lib/log.h"
#include "lib/syscalls.h"

enum {
    PATHS_MAX = 20,
    GEO_DIRECTORIES = 6, /* of three files: that of its path, and where a link leads */
};

/* Paths that a process may use, and the memory for their texts. */
struct rules {
    struct landlock_path paths[PATHS_MAX];
    size_t count;
    char texts[PATHS_MAX][DB_FILE_PATH_BYTES];
};

/* The sandbox of this process. */
static struct {
    bool entered;
    /* the files that it may use; all zero: their whole directory, or no sandbox */
    struct db_files_seen seen;
    /* of a worker; NULL: its geo files are not confined, or there is no master that would
     * replace it */
    const struct settings *geo;
    char geo_directories[GEO_DIRECTORIES][PATH_MAX]; /* that it may read, without links */
    size_t geo_count;
} self;

static void add(struct rules *rules, const char *path, unsigned access)
{
    char *text = rules->texts[rules->count];

    (void)snprintf(text, sizeof rules->texts[0], "%s", path);
    rules->paths[rules->count++] = (struct landlock_path){text, access};
}

static void add_directory_of(struct rules *rules, const char *path, unsigned access)
{
    char copy[PATH_MAX];

    (void)snprintf(copy, sizeof copy, "%s", path);
    add(rules, dirname(copy), access);
}

/* Landlock's rules are for files that exist, so those that are missing are made first. */
static void make_missing_files(const char *database, enum db_mode mode)
{
    struct db *db = NULL;

    if (db_files_missing(database, mode) &&
        schema_open(&db, database, mode, NULL) == STATUS_OK)
        db_close(db);
}

static unsigned access_for(unsigned use)
{
    return ((use & DB_FILE_READ) != 0 ? LANDLOCK_READ : 0) |
           ((use & DB_FILE_WRITE) != 0 ? LANDLOCK_WRITE : 0);
}

/* Adds the files that a connection of this mode opens, and access to the directory in which
 * the data are. */
static void allow_files(struct rules *rules, const char *database, enum db_mode mode,
                        unsigned directory_access)
{
    struct db_files files;

    make_missing_files(database, mode);
    db_files_see(&self.seen, database, mode);
    db_files_find(&files, database);
    for (size_t i = 0; i < files.count; i++) {
        unsigned use = db_file_use_of(&files.list[i], mode);
        if (use != 0)
            add(rules, files.list[i].path, access_for(use));
    }
    add(rules, files.directory, directory_access);
}

static void add_log(struct rules *rules, const struct settings *settings)
{
    if (settings->log[0] == '/')
        add_directory_of(rules, settings->log, LANDLOCK_WRITE | LANDLOCK_MAKE);
}

static void add_geo_directory(struct rules *rules, const char *path)
{
    char real[PATH_MAX];

    add_directory_of(rules, path, LANDLOCK_READ);
    if (realpath(rules->paths[rules->count - 1].path, real) != NULL)
        (void)snprintf(self.geo_directories[self.geo_count++], PATH_MAX, "%s", real);
}

/* For files that are replaced by rename: their directory, and that of the file to which a
 * symbolic link leads now. */
static void add_geo_file(struct rules *rules, const char *path)
{
    char real[PATH_MAX];

    if (path[0] == '\0')
        return;
    add_geo_directory(rules, path);
    if (realpath(path, real) != NULL)
        add_geo_directory(rules, real);
}

static void add_geo_files(struct rules *rules, const struct settings *settings)
{
    self.geo_count = 0;
    add_geo_file(rules, settings->geoip_country);
    add_geo_file(rules, settings->geoip_city);
    add_geo_file(rules, settings->geoip_asn);
}

/* Adds the directory of the last symbolic link on the way to a file, for a link that is
 * switched to another directory beside the former one; never the root directory. */
static void add_directory_of_link(struct rules *rules, const char *path, unsigned access)
{
    char way[PATH_MAX];
    struct stat info;

    (void)snprintf(way, sizeof way, "%s", path);
    for (char *end = strrchr(way, '/'); end != NULL && end > way; end = strrchr(way, '/')) {
        if (lstat(way, &info) == 0 && S_ISLNK(info.st_mode)) {
            add_directory_of(rules, way, access);
            return;
        }
        *end = '\0';
    }
}

/* There is no master that would replace this process when its files are replaced, so it may
 * use their whole directories. */
static void add_for_single(struct rules *rules, const struct sandbox *sandbox)
{
    const struct settings *settings = sandbox->settings;
    unsigned all = LANDLOCK_READ | LANDLOCK_WRITE | LANDLOCK_MAKE | LANDLOCK_LIST;
    struct db_files files;

    db_files_find(&files, settings->database);
    add(rules, files.directory, all);
    add(rules, files.named_directory, all);
    add_directory_of_link(rules, settings->geoip_country, LANDLOCK_READ);
    add_directory_of_link(rules, settings->geoip_city, LANDLOCK_READ);
    add_directory_of_link(rules, settings->geoip_asn, LANDLOCK_READ);
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
    if (role == ROLE_WORKER) /* can read a database that replaces this one */
        allow_files(rules, settings->database, DB_READ, LANDLOCK_READ);
    if (role == ROLE_MONITOR) /* makes room for another process when that happens */
        allow_files(rules, settings->database, DB_READ, 0);
    if (role == ROLE_WRITER) /* syncs the directory, and makes a WAL that was removed */
        allow_files(rules, settings->database, DB_WRITE, LANDLOCK_LIST | LANDLOCK_MAKE);
    else
        add_geo_files(rules, settings);
    if (role == ROLE_WORKER)
        self.geo = settings;
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
        [ROLE_MONITOR] = SYSCALLS_SERVE,
        [ROLE_SINGLE] = SYSCALLS_SERVE | SYSCALLS_STORE | SYSCALLS_OWN_FILES,
    };

    /* to connect again after the daemon was restarted */
    return sets[role] | (log_is_syslog() ? SYSCALLS_SYSLOG : 0);
}

static bool has_landlock(void)
{
#ifdef ENABLE_ATTACKS
    if (attacks_leave_out_landlock())
        return false;
#endif
    return landlock_version() > 0;
}

static enum status enter(enum role role, const struct sandbox *sandbox, struct problem *why)
{
    struct rules *rules = calloc(1, sizeof *rules);

    if (rules == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    tzset(); /* syslog(3) would read the time zone's file later, when it cannot */
    if (role != ROLE_MASTER && has_landlock())
        make_rules(rules, role, sandbox);
    bool any_file = role == ROLE_MASTER;
#ifdef COVERAGE_COUNTERS
    any_file = true; /* gcov writes its counters when a process ends */
#endif
    enum status status = STATUS_OK;
    if (has_landlock())
        status = landlock_enter(rules->paths, rules->count, any_file, why);
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

/* Whether there is a file that is in none of the directories that this worker may read. */
static bool is_geo_out_of_reach(const char *path)
{
    char real[PATH_MAX];

    if (path[0] == '\0' || realpath(path, real) == NULL)
        return false;
    for (size_t i = 0; i < self.geo_count; i++)
        if (holds(self.geo_directories[i], real))
            return false;
    return true;
}

bool sandbox_outdated(void)
{
    if (db_files_replaced(&self.seen))
        return true;
    return self.geo != NULL && (is_geo_out_of_reach(self.geo->geoip_country) ||
                                is_geo_out_of_reach(self.geo->geoip_city) ||
                                is_geo_out_of_reach(self.geo->geoip_asn));
}
