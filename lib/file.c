#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    COPY_BYTES = 1 << 24, /* at a time */
};

/* Keeps the errno of what failed first. */
static enum status sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);

    if (fd < 0)
        return STATUS_IO;
    int error = fsync(fd) == 0 ? 0 : errno;
    if (close(fd) != 0 && error == 0)
        error = errno;
    if (error == 0)
        return STATUS_OK;
    errno = error;
    return STATUS_IO;
}

enum status file_sync(const char *path)
{
    return sync_path(path, O_RDONLY);
}

enum status file_sync_directory_of(const char *path)
{
    char *copy = strdup(path); /* dirname writes into it */

    if (copy == NULL)
        return STATUS_NO_MEMORY;
    enum status status = sync_path(dirname(copy), O_RDONLY | O_DIRECTORY);
    int error = errno;
    free(copy);
    errno = error;
    return status;
}

/* Some file systems have no hard links, others know no flags of renameat2(2). */
bool file_rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    return (errno == EINVAL || errno == ENOSYS) && link(from, to) == 0 && unlink(from) == 0;
}

bool file_copy(int from, int to)
{
    ssize_t sent;

    do
        sent = sendfile(to, from, NULL, COPY_BYTES);
    while (sent > 0 || (sent < 0 && errno == EINTR));
    return sent == 0;
}

struct file_id file_id_of(const struct stat *info)
{
    return (struct file_id){info->st_dev, info->st_ino};
}

struct file_id file_id_at(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 ? file_id_of(&info) : (struct file_id){0, 0};
}

bool file_id_equals(struct file_id a, struct file_id b)
{
    return a.ino == b.ino && a.dev == b.dev;
}

int64_t file_size_bytes(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 ? (int64_t)info.st_size : 0;
}
