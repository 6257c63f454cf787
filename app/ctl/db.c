#include "lib/db.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/ctl/backup.h"
#include "app/ctl/ctl.h"
#include "app/ctl/migration.h"
#include "app/manage/manage_migrate.h"
#include "app/manage/manage_restore.h"
#include "app/store/note_check.h"
#include "app/store/schema.h"
#include "app/store/summary.h"
#include "lib/backup_record.h"
#include "lib/file.h"
#include "lib/migrate.h"

/* The columns of all verbs; each verb fills those that it prints. */
struct db_row {
    int64_t schema_version;
    int64_t schema_wanted;
    int64_t applied;
    struct span database;
    struct span secret_key_file;
    bool secret_key_created;
    struct span secret_key; /* a word of examine_key_file */
    int64_t size_bytes;
    int64_t wal_bytes;
    struct summary summary;
    bool ok;
    struct backup_record last; /* backup; all zeros: none is known */
    struct span last_path;
    struct span restored;
    struct span kept;
};

/* Columns of several verbs. */
#define VERSION_COLUMN                                                                     \
    .member = "schema_version", .heading = "SCHEMA VERSION", .type = COLUMN_INT,           \
    OUTPUT_FIELD(db_row, schema_version)
#define DATABASE_COLUMN                                                                    \
    .member = "database", .heading = "DATABASE", .type = COLUMN_TEXT,                      \
    OUTPUT_FIELD(db_row, database)
#define KEY_FILE_COLUMN                                                                    \
    .member = "secret_key_file", .heading = "KEY FILE", .type = COLUMN_TEXT,               \
    OUTPUT_FIELD(db_row, secret_key_file)
#define KEY_STATE_COLUMN                                                                   \
    .member = "secret_key", .heading = "KEY FILE IS", .type = COLUMN_TEXT,                 \
    OUTPUT_FIELD(db_row, secret_key)
#define SIZE_COLUMN                                                                        \
    .member = "size_bytes", .heading = "SIZE, BYTES", .type = COLUMN_INT,                  \
    OUTPUT_FIELD(db_row, size_bytes)

static const struct column migrate_columns[] = {
    {VERSION_COLUMN},
    {.member = "applied",
     .heading = "MIGRATIONS APPLIED",
     .type = COLUMN_INT,
     OUTPUT_FIELD(db_row, applied)},
    {DATABASE_COLUMN},
    {KEY_FILE_COLUMN},
    {.member = "secret_key_created",
     .heading = "KEY FILE CREATED",
     .type = COLUMN_BOOL,
     OUTPUT_FIELD(db_row, secret_key_created)},
    {.member = NULL},
};

static const struct column status_columns[] = {
    {VERSION_COLUMN},
    {.member = "schema_wanted",
     .heading = "SCHEMA WANTED",
     .type = COLUMN_INT,
     OUTPUT_FIELD(db_row, schema_wanted)},
    {DATABASE_COLUMN},
    {KEY_FILE_COLUMN},
    {KEY_STATE_COLUMN},
    {SIZE_COLUMN},
    {.member = "wal_bytes",
     .heading = "WAL, BYTES",
     .type = COLUMN_INT,
     OUTPUT_FIELD(db_row, wal_bytes)},
    {.member = "orgs",
     .heading = "ORGANIZATIONS",
     .type = COLUMN_INT,
     OUTPUT_FIELD(db_row, summary.orgs)},
    {.member = "members",
     .heading = "MEMBERS",
     .type = COLUMN_INT,
     OUTPUT_FIELD(db_row, summary.members)},
    {.member = "contacts",
     .heading = "CONTACTS",
     .type = COLUMN_INT,
     OUTPUT_FIELD(db_row, summary.contacts)},
    {.member = "notes",
     .heading = "NOTES",
     .type = COLUMN_INT,
     OUTPUT_FIELD(db_row, summary.notes)},
    {.member = "backup_at",
     .heading = "LAST BACKUP",
     .type = COLUMN_DATE,
     OUTPUT_FIELD(db_row, last.at_ms)},
    {.member = "backup",
     .heading = "IN FILE",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(db_row, last_path)},
    {.member = "backup_bytes",
     .heading = "ITS SIZE, BYTES",
     .type = COLUMN_INT,
     OUTPUT_FIELD(db_row, last.size_bytes)},
    {.member = NULL},
};

static const struct column check_columns[] = {
    {VERSION_COLUMN},
    {DATABASE_COLUMN},
    {KEY_FILE_COLUMN},
    {KEY_STATE_COLUMN},
    {.member = "ok", .heading = "SOUND", .type = COLUMN_BOOL, OUTPUT_FIELD(db_row, ok)},
    {.member = NULL},
};

static const struct column restore_columns[] = {
    {VERSION_COLUMN},
    {DATABASE_COLUMN},
    {.member = "restored",
     .heading = "RESTORED FROM",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(db_row, restored)},
    {.member = "kept",
     .heading = "FORMER DATABASE",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(db_row, kept)},
    {SIZE_COLUMN},
    {.member = NULL},
};

static struct db_row row_of(const struct ctl *ctl)
{
    return (struct db_row){
        .schema_version = (int64_t)schema_migrations_count,
        .schema_wanted = (int64_t)schema_migrations_count,
        .database = span_of(ctl->settings->database),
        .secret_key_file = span_of(ctl->settings->secret_key_file),
    };
}

static bool key_file_exists(const struct ctl *ctl)
{
    struct stat info;

    return lstat(ctl->settings->secret_key_file, &info) == 0 || errno != ENOENT;
}

/* Reads the key file and makes its mark. On failure why says what is wrong with it. */
static enum status read_mark(struct ctl *ctl, struct key_mark *mark, struct problem *why)
{
    struct key_source source;
    enum status status = key_source_open(&source, ctl->settings->secret_key_file,
                                         ctl->settings->database, why);

    if (status == STATUS_OK)
        *mark = source.mark;
    key_source_close(&source);
    return status;
}

static enum status migrate(struct ctl *ctl)
{
    struct db_row row = row_of(ctl);
    struct migration_run run = {
        .database = ctl->settings->database,
        .key_file = ctl->settings->secret_key_file,
    };
    enum status status = migration_apply(ctl, &run);

    if (status != STATUS_OK)
        return status;
    /* perhaps only a part of the database was copied */
    if (run.empty_beside_key)
        ctl_remark(ctl,
                   "the key file %s was there already, but the database is empty: if it "
                   "was copied, was its -wal file left behind?",
                   run.key_file);
    row.applied = run.applied;
    row.secret_key_created = run.key_created;
    return output_row(ctl->output, migrate_columns, &row);
}

/* Opens a database whatever version of our schema it has. */
static enum status open_any_version(struct ctl *ctl, int64_t *version)
{
    struct migrations ours = schema_ours();
    int number = 0;
    enum status status = db_open(&ctl->db, ctl->settings->database, DB_READ, &ctl->why);

    if (status == STATUS_NOT_FOUND)
        return schema_advise(&ctl->why, STATUS_UNAVAILABLE, ctl->settings->database, 0);
    if (status == STATUS_OK)
        status = migrate_version(ctl->db, &ours, &number, &ctl->why);
    *version = number;
    return status;
}

#define NO_KEY_FILE "there is no key file %s: put it back, without it no key works"

static enum status remark_on_missing(const struct ctl *ctl, struct problem *why)
{
    return problem_set(why, STATUS_OK, NO_KEY_FILE, ctl->settings->secret_key_file);
}

/* Sets *word to what the key file is: "right", "wrong", "missing", or "unusable".
 * STATUS_CONFIG for a wrong one; why says more of all but the right one. */
static enum status examine_key_file(struct ctl *ctl, struct span *word, struct problem *why)
{
    struct key_mark mark;
    enum status status = read_mark(ctl, &mark, why);

    if (status != STATUS_OK) {
        bool missing = status == STATUS_NOT_FOUND;
        *word = span_of(missing ? "missing" : "unusable");
        return missing ? remark_on_missing(ctl, why) : STATUS_OK;
    }
    status = key_mark_check(ctl->db, &mark, why);
    *word = span_of(status == STATUS_OK ? "right" : "wrong");
    return status;
}

/* A backup that is not known is no failure: the row has nulls then. */
static void read_last_backup(struct ctl *ctl, struct db_row *row)
{
    struct problem why;
    enum status status = backup_record_read(&row->last, ctl->settings->database, &why);

    row->last_path = span_of(row->last.path);
    if (status != STATUS_OK)
        row->last.size_bytes = -1;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        ctl_remark(ctl, "%s", why.text);
}

static enum status show_status(struct ctl *ctl)
{
    struct migrations ours = schema_ours();
    struct db_row row = row_of(ctl);
    struct db_sizes sizes = {.data_bytes = 0};
    enum status status = open_any_version(ctl, &row.schema_version);

    if (status != STATUS_OK)
        return status;
    status = db_sizes(ctl->db, &sizes);
    row.size_bytes = sizes.data_bytes;
    row.wal_bytes = sizes.log_bytes;
    row.summary = (struct summary){-1, -1, -1, -1, -1, -1};
    if (status == STATUS_OK && migrate_check(ctl->db, &ours, &ctl->note) == STATUS_OK) {
        status = examine_key_file(ctl, &row.secret_key, &ctl->note);
        if (status == STATUS_OK || status == STATUS_CONFIG)
            status = summary_get(ctl->db, &row.summary);
    }
    read_last_backup(ctl, &row);
    return status == STATUS_OK ? output_row(ctl->output, status_columns, &row) : status;
}

static enum status check(struct ctl *ctl)
{
    struct db_row row = row_of(ctl);
    enum status status = db_check(ctl->db, &ctl->why);

    if (status == STATUS_OK)
        status = note_check(ctl->db, &ctl->why);
    row.ok = status == STATUS_OK;
    if (status == STATUS_OK) {
        status = examine_key_file(ctl, &row.secret_key, &ctl->why);
        /* keys cannot be looked up, whatever else is in order */
        if (status == STATUS_OK && ctl->why.text[0] != '\0')
            status = STATUS_CONFIG;
    }
    return status == STATUS_OK ? output_row(ctl->output, check_columns, &row) : status;
}

/* Writes into the copy's audit who restored it. */
static enum status note_restore(struct ctl *ctl)
{
    ctl_changed(ctl, NULL, NULL);
    return STATUS_OK;
}

static void remark_on_restored(struct ctl *ctl, const struct restore *restored)
{
    if (restored->still_recorded.text[0] != '\0')
        ctl_remark(ctl, "the last backup is that of the former database: %s",
                   restored->still_recorded.text);
    if (!key_file_exists(ctl))
        ctl_remark(ctl, NO_KEY_FILE, restored->key_file);
    if (restored->version < (int)schema_migrations_count)
        ctl_remark(ctl, "the schema is an earlier one: run 'crmnotesctl db migrate'");
}

static enum status restore(struct ctl *ctl)
{
    struct db_row row = row_of(ctl);
    struct restore restore = {
        .file = ctl_get(ctl, "FILE")->text.data,
        .database = ctl->settings->database,
        .key_file = ctl->settings->secret_key_file,
        .discard = ctl_get(ctl, "--discard")->given,
    };
    enum status status = manage_restore_begin(&restore, &ctl->why);

    if (status == STATUS_OK && restore.version == (int)schema_migrations_count) {
        ctl->db = restore.copy;
        status = ctl_write(ctl, note_restore);
        ctl->db = NULL;
    }
    status = manage_restore_end(&restore, ctl->now_ms, status, &ctl->why);
    if (status != STATUS_OK)
        return migration_advise_to_stop(ctl, status);
    remark_on_restored(ctl, &restore);
    row.schema_version = restore.version;
    row.restored = span_of(restore.file);
    row.kept = span_of(restore.kept);
    row.size_bytes = file_size_bytes(restore.database);
    return output_row(ctl->output, restore_columns, &row);
}

static const struct parameter none[] = {{.name = NULL}};

static const struct verb verbs[] = {
    {.name = "migrate",
     .help = "Make the database and the key file, or bring the database to this schema",
     .more = "Safe to repeat: what is there already is left alone. Before an upgrade stop "
             "the service and make a backup.",
     .access = CTL_ALONE,
     .one = true,
     .parameters = none,
     .run = migrate},
    {.name = "status",
     .help = "Show the schema's version, sizes, and how much there is of everything",
     .access = CTL_ALONE,
     .one = true,
     .parameters = none,
     .run = show_status},
    {.name = "check",
     .help = "Verify the whole database; takes long for a large one",
     .access = CTL_READ,
     .one = true,
     .parameters = none,
     .run = check},
    BACKUP_VERB,
    {.name = "restore",
     .help = "Verify a copy and put it in place of the database",
     .more = "Stop the service first: systemctl stop crmnotes.socket crmnotes.service",
     .access = CTL_ALONE,
     .one = true,
     .parameters =
         (const struct parameter[]){{.name = "FILE",
                                     .rule = argument_any,
                                     .need = PARAMETER_REQUIRED,
                                     .help = "the copy, as db backup makes it"},
                                    {.name = "--discard",
                                     .help = "remove the present database; else it is kept "
                                             "beside the restored one, under a new name"},
                                    {.name = NULL}},
     .run = restore},
    {.name = NULL},
};

const struct noun noun_db = {"db", "The database", verbs};
