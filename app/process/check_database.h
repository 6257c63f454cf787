/*
 * Whether the service can start: its user can use the files, and key file and database
 * belong together.
 */
#ifndef APP_PROCESS_CHECK_DATABASE_H
#define APP_PROCESS_CHECK_DATABASE_H

#include <stdbool.h>

#include "app/settings.h"
#include "lib/privileges.h"
#include "lib/secret.h"

struct check {
    const struct settings *settings;
    const char *config;            /* the file that they come from, or NULL */
    const struct identity *become; /* the user to check as; NULL: this process's user */
    bool here; /* check in this process, which opens the database anyway, or cannot fork */
};

/* Reads the key file as this process's user; the caller wipes *key. STATUS_NOT_FOUND names
 * the command that makes one; else as secret_key_load. */
enum status check_key_file(struct secret_key *key, const struct settings *settings,
                           struct problem *why);

/*
 * Checks in a process of its own, unless check->here is set: that process may become
 * another user, while the caller may still need to be root and must never open the
 * database. STATUS_OK: the files can be used and, with_key, the key file belongs to them.
 * STATUS_NOT_FOUND, STATUS_SCHEMA, STATUS_CONFIG (the key, or a file out of the user's
 * reach): they cannot. STATUS_INTERNAL: the check could not be made. why is filled then.
 */
enum status check_database(const struct check *check, bool with_key, struct problem *why);

/* The exit status of a program that ends because of what check_database returned. */
int check_exit_status(enum status status);

#endif
