/* db backup: to a file, or into a directory of copies. */
#include "app/ctl/backup.h"

#include "app/manage/manage_backup.h"
#include "app/store/schema.h"

struct backup_row {
    int64_t schema_version;
    struct span backup;
    int64_t size_bytes;
    int64_t removed; /* copies; negative: none are to be */
};

static const struct column columns[] = {
    {.member = "schema_version",
     .heading = "SCHEMA VERSION",
     .type = COLUMN_INT,
     OUTPUT_FIELD(backup_row, schema_version)},
    {.member = "backup",
     .heading = "BACKUP",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(backup_row, backup)},
    {.member = "size_bytes",
     .heading = "SIZE, BYTES",
     .type = COLUMN_INT,
     OUTPUT_FIELD(backup_row, size_bytes)},
    {.member = "removed",
     .heading = "OLDER ONES REMOVED",
     .type = COLUMN_INT,
     .optional = true,
     OUTPUT_FIELD(backup_row, removed)},
    {.member = NULL},
};

const char backup_more[] =
    "In a directory the copy is called by the time in UTC: crmnotes-20260131T120000Z.db "
    "for "
    "crmnotes.db.\n"
    "Keep the key file, too, but in another place: without it no key in the copy works.";

const struct parameter backup_parameters[] = {
    {.name = "FILE",
     .rule = argument_any,
     .need = PARAMETER_ONE,
     .help = "the copy, which must not exist yet"},
    {.name = "--directory",
     .value = "DIR",
     .rule = argument_any,
     .need = PARAMETER_ONE,
     .help = "where the copy gets a name by the time"},
    {.name = "--keep",
     .value = "N",
     .rule = argument_count,
     .with = "--directory",
     .help = "then remove the oldest copies there until N are left; else all stay"},
    {.name = NULL},
};

static const char *text_or_null(const struct argument *argument)
{
    return argument->given ? argument->text.data : NULL;
}

static void remark_on(struct ctl *ctl, const struct backup *backup)
{
    const struct backup_removal *removal = &backup->removal;

    if (backup->unrecorded.text[0] != '\0')
        ctl_remark(ctl, "the backup is complete, but 'db status' will not show it: %s",
                   backup->unrecorded.text);
    if (removal->incomplete > 0)
        ctl_remark(ctl,
                   "%lld files in %s have the name of a copy, but are not complete or "
                   "cannot be read, such as %s: they do not count, and stay",
                   (long long)removal->incomplete, backup->directory, removal->example);
}

static enum status print(struct ctl *ctl, const struct backup *backup, int version)
{
    const struct backup_row row = {
        .schema_version = version,
        .backup = span_of(backup->file != NULL ? backup->file : backup->path),
        .size_bytes = backup->size_bytes,
        .removed = backup->keep > 0 ? backup->removal.removed : -1,
    };

    return output_row(ctl->output, columns, &row);
}

enum status backup_run(struct ctl *ctl)
{
    struct backup backup = {
        .database = ctl->settings->database,
        .file = text_or_null(ctl_get(ctl, "FILE")),
        .directory = text_or_null(ctl_get(ctl, "--directory")),
        .keep = ctl_get(ctl, "--keep")->count,
        .now_ms = ctl->now_ms,
    };
    int version = 0;
    enum status status =
        schema_open_earlier(&ctl->db, &version, backup.database, DB_WRITE, &ctl->why);

    if (status == STATUS_NOT_FOUND)
        status = STATUS_UNAVAILABLE;
    backup.db = ctl->db;
    backup.earlier = version < (int)schema_migrations_count;
    if (status == STATUS_OK)
        status = manage_backup(&backup, &ctl->why);
    if (status != STATUS_OK)
        return status;
    remark_on(ctl, &backup);
    return print(ctl, &backup, version);
}
