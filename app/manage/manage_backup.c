#include "app/manage/manage_backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/store/note_check.h"
#include "lib/acting.h"
#include "lib/backup_record.h"
#include "lib/file.h"

/* The files of the database are open already. */
static enum status write_copy(struct backup *backup, const char *path, struct problem *why)
{
    db_copy_check *check = backup->earlier ? NULL : note_check;
    enum status status = db_backup(backup->db, path, check, why);

    if (status != STATUS_OK)
        return status;
    backup->size_bytes = file_size_bytes(path);
    if (realpath(path, backup->path) == NULL)
        (void)snprintf(backup->path, sizeof backup->path, "%s", path);
    return STATUS_OK;
}

static enum status write_file(struct backup *backup, struct problem *why)
{
    struct stat info;

    if (stat(backup->file, &info) == 0 && S_ISDIR(info.st_mode))
        return problem_set(why, STATUS_CANT_CREATE,
                           "%s is a directory: give the name of a file in it, or "
                           "--directory %s",
                           backup->file, backup->file);
    return write_copy(backup, backup->file, why);
}

static enum status write_new(struct backup *backup, struct backup_directory *directory,
                             struct problem *why)
{
    char path[PATH_MAX];
    enum status status =
        backup_directory_open(directory, backup->directory, backup->database, why);

    if (status == STATUS_OK)
        status = backup_directory_name(directory, path, sizeof path, &backup->now_ms, why);
    return status == STATUS_OK ? write_copy(backup, path, why) : status;
}

static void record(struct backup *backup)
{
    struct backup_record made = {.at_ms = backup->now_ms, .size_bytes = backup->size_bytes};

    memcpy(made.path, backup->path, sizeof made.path);
    (void)backup_record_write(backup->database, &made, &backup->unrecorded);
}

/* As the owner of the database, whose the record is, and then as the writer again. */
static enum status record_as_user(struct backup *backup, const struct acting *writer,
                                  struct problem *why)
{
    struct acting user;

    acting_find(&user, backup->database);
    enum status status = acting_as(&user, why);
    if (status == STATUS_OK)
        record(backup);
    return status == STATUS_OK ? acting_as(writer, why) : status;
}

static enum status remove_old(struct backup *backup, struct backup_directory *directory,
                              struct problem *why)
{
    enum status status =
        backup_directory_keep(directory, backup->keep, &backup->removal, why);

    if (status != STATUS_OK)
        problem_prefix(why, "the backup %s is complete, but", backup->path);
    return status;
}

static enum status run(struct backup *backup, const struct acting *writer,
                       struct problem *why)
{
    struct backup_directory directory = {.fd = -1};
    enum status status = backup->directory != NULL ? write_new(backup, &directory, why)
                                                   : write_file(backup, why);

    if (status == STATUS_OK)
        status = record_as_user(backup, writer, why);
    if (status == STATUS_OK && backup->keep > 0)
        status = remove_old(backup, &directory, why);
    backup_directory_close(&directory);
    return status;
}

enum status manage_backup(struct backup *backup, struct problem *why)
{
    struct acting writer, user;

    backup->path[0] = '\0';
    backup->size_bytes = 0;
    backup->removal = (struct backup_removal){.example = ""};
    backup->unrecorded.text[0] = '\0';
    acting_find(&writer, backup->directory != NULL ? backup->directory : backup->file);
    acting_find(&user, backup->database);
    enum status status = acting_as(&writer, why);
    if (status == STATUS_OK)
        status = run(backup, &writer, why);
    return acting_as(&user, why) == STATUS_OK ? status : STATUS_INTERNAL;
}
