#include "lib/sqlite.h"

#include <stdio.h>

static const char get_stamp[] =
    "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)"
    " FROM pragma_application_id, pragma_user_version";

static enum status read_stamp(void *arg, const struct db_rows *row)
{
    *(struct db_stamp *)arg = (struct db_stamp){
        .application = (int)db_int(row, 0),
        .version = (int)db_int(row, 1),
        .has_tables = db_int(row, 2) > 0,
    };
    return STATUS_OK;
}

enum status db_stamp_read(struct db *db, struct db_stamp *stamp)
{
    *stamp = (struct db_stamp){.application = 0};
    return db_first(db, get_stamp, NULL, 0, read_stamp, stamp);
}

const char *db_engine_version(void)
{
    return SQLITE_VERSION;
}

enum status db_stamp_write(struct db *db, int application, int version)
{
    char pragmas[128];

    (void)snprintf(pragmas, sizeof pragmas,
                   "PRAGMA application_id=%d; PRAGMA user_version=%d", application,
                   version);
    return db_script(db, pragmas);
}
