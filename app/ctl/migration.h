/*
 * Making or migrating the database, for the verbs that do so.
 */
#ifndef APP_CTL_MIGRATION_H
#define APP_CTL_MIGRATION_H

#include "app/ctl/ctl.h"

/* Does what db migrate does: run->database and run->key_file are given. The database is
 * closed afterwards. Failures as of manage_migrate_begin() and manage_migrate_settle();
 * ctl->why says what to do. */
enum status migration_apply(struct ctl *ctl, struct migration_run *run);

/* Where a service uses the database (STATUS_BUSY), appends to ctl->why how to stop it;
 * returns status. */
enum status migration_advise_to_stop(struct ctl *ctl, enum status status);

#endif
