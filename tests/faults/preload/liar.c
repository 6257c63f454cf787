/*
 * Makes SQLite report every fifth transaction falsely: LIE=lose loses it but reports
 * success, deny stores it but reports a full disk, double stores its last note twice. Only
 * to show that the tests would notice.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY = 5 };

static int denied; /* the next call for the error is about a commit that was denied */

static const char double_last[] =
    "INSERT INTO notes (note_id, org_id, contact_id, author_id, created_at, version, "
    "content,"
    " editable, visible, written_by, written_at, developer_key_id, request_id)"
    " SELECT randomblob(16), org_id, contact_id, author_id, created_at, version, content,"
    " editable, visible, written_by, written_at, developer_key_id, request_id"
    " FROM notes ORDER BY number DESC LIMIT 1";

static int lies(const char *how)
{
    const char *lie = getenv("LIE");

    return lie != NULL && strcmp(lie, how) == 0;
}

int sqlite3_step(sqlite3_stmt *statement)
{
    static int (*step)(sqlite3_stmt *);
    static int commits;
    const char *sql = sqlite3_sql(statement);

    if (step == NULL)
        step = (int (*)(sqlite3_stmt *))dlsym(RTLD_NEXT, "sqlite3_step");
    if (sql == NULL || strcmp(sql, "COMMIT") != 0 || ++commits % EVERY != 0)
        return step(statement);
    if (lies("lose"))
        return sqlite3_exec(sqlite3_db_handle(statement), "ROLLBACK", NULL, NULL, NULL) ==
                       SQLITE_OK
                   ? SQLITE_DONE
                   : SQLITE_IOERR;
    if (lies("double"))
        (void)sqlite3_exec(sqlite3_db_handle(statement), double_last, NULL, NULL, NULL);
    int code = step(statement);
    if (!lies("deny") || code != SQLITE_DONE)
        return code;
    denied = 1;
    return SQLITE_FULL;
}

int sqlite3_extended_errcode(sqlite3 *handle)
{
    static int (*errcode)(sqlite3 *);

    if (errcode == NULL)
        errcode = (int (*)(sqlite3 *))dlsym(RTLD_NEXT, "sqlite3_extended_errcode");
    if (!denied)
        return errcode(handle);
    denied = 0;
    return SQLITE_FULL;
}
