/*
 * What an operator can set: every option of both programs in one table.
 */
#ifndef APP_SETTINGS_H
#define APP_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/config.h"
#include "lib/throttle.h"

enum {
    SETTINGS_COUNT = 26, /* options in the table */
};

struct settings {
    char database[CONFIG_TEXT_BYTES];        /* absolute path of the SQLite file */
    char secret_key_file[CONFIG_TEXT_BYTES]; /* never empty after settings_load */
    char user[CONFIG_TEXT_BYTES];            /* to run as when root starts it; or empty */
    char group[CONFIG_TEXT_BYTES];           /* its group instead of the user's; or empty */
    bool sandbox;                            /* Landlock and seccomp */
    char listen[CONFIG_TEXT_BYTES]; /* unix:PATH, 127.0.0.1:PORT, [::1]:PORT, or empty */
    int64_t socket_mode;            /* permission bits of a Unix socket */
    char socket_group[CONFIG_TEXT_BYTES];  /* of a Unix socket; empty: the process's */
    char status_listen[CONFIG_TEXT_BYTES]; /* where status and metrics are; as listen */
    int64_t workers;                       /* never 0 after settings_load */
    char base_path[CONFIG_TEXT_BYTES];     /* what to take off before the call's path */
    struct config_blocks trusted_proxies;
    int64_t max_body_bytes;
    int64_t max_note_bytes;
    int64_t request_timeout, idle_timeout;    /* seconds */
    struct throttle_rate rate_limit;          /* notes of a developer key */
    struct throttle_rate credential_failures; /* of a client network */
    struct throttle_rate contact_failures;    /* of a developer key */
    bool uniform_errors; /* contacts of other organizations count as not existing */
    bool strict_status;  /* http_status: errors have the status that HTTP defines */
    bool developer_docs; /* calls that answer documents about the API exist */
    char geoip_country[CONFIG_TEXT_BYTES];
    char geoip_city[CONFIG_TEXT_BYTES];
    char geoip_asn[CONFIG_TEXT_BYTES];
    char log[CONFIG_TEXT_BYTES]; /* stderr, syslog, or an absolute path */

    struct config_value values[SETTINGS_COUNT]; /* the text and the origin of each */
};

/* What the command line overrides; NULL for what it does not give. */
struct settings_arguments {
    const char *config; /* path of the file */
    const char *database;
    const char *listen;
    const char *workers;
};

/*
 * Fills *settings (about half a megabyte: not for the stack) from the defaults, the file
 * (arguments->config, else CRMNOTES_CONFIG, else /etc/crmnotes/crmnotes.conf if there is
 * one), the environment (CRMNOTES_<OPTION>) and the arguments. STATUS_CONFIG with why
 * filled when anything is wrong.
 */
enum status settings_load(struct settings *settings,
                          const struct settings_arguments *arguments, struct problem *why);

/* A new struct settings, filled; free() it. NULL with why filled on failure. */
struct settings *settings_create(const struct settings_arguments *arguments,
                                 struct problem *why);

/* The configuration file that these arguments lead to; NULL: none. */
const char *settings_config_path(const struct settings_arguments *arguments);

/* How long a command may wait for the writer to take it, and how long its commit may take
 * after that. Both together are less than request_timeout, after which a process is
 * killed. */
int settings_commit_timeout_ms(const struct settings *settings);

/* How long a commit waits for the write lock: less than the callers wait for the answer. */
int settings_lock_timeout_ms(const struct settings *settings);

/* Writes the database, the key file and the socket, a line each with the origin of the
 * value. */
void settings_print_files(const struct settings *settings, FILE *out);

/* Writes every option with its value and its origin, in the form of the file. */
void settings_print(const struct settings *settings, FILE *out);

#endif
