/*
 * What several modules do with a file by its path.
 */
#ifndef LIB_FILE_H
#define LIB_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/status.h"

/* Writes a file's content through to the disk. STATUS_IO with errno set when that fails. */
enum status file_sync(const char *path);

/*
 * Writes the directory of path through to the disk, which makes a name that was added,
 * replaced or removed in it durable. STATUS_IO or STATUS_NO_MEMORY, with errno set, when
 * that fails.
 */
enum status file_sync_directory_of(const char *path);

/* Renames a file, but replaces none that has the new name. False with errno: it failed. */
bool file_rename_new(const char *from, const char *to);

/* Appends the rest of a file to another one, by their descriptors. False with errno: it
 * failed. */
bool file_copy(int from, int to);

/* Which file it is, whatever its name. */
struct file_id {
    dev_t dev;
    ino_t ino; /* 0: there is none */
};

struct file_id file_id_of(const struct stat *info);

/* Of the file that the path leads to; zeros where there is none, or it cannot be
 * examined. */
struct file_id file_id_at(const char *path);

/* Also true where both are zeros. */
bool file_id_equals(struct file_id a, struct file_id b);

/* The size in bytes; 0 for a file that does not exist or cannot be examined. */
int64_t file_size_bytes(const char *path);

#endif
