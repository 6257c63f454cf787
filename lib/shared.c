#include "lib/shared.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mapped.h"

enum {
    MARK_MAX_BYTES = 64,
};

/* The files that are open; memory is NULL in free places. */
static struct mapped files[SHARED_FILES_MAX];

/* The place with this memory; NULL: there is none. */
static struct mapped *find(const void *memory)
{
    for (size_t i = 0; i < SHARED_FILES_MAX; i++)
        if (files[i].memory == memory)
            return &files[i];
    return NULL;
}

void *shared_create(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory != MAP_FAILED ? memory : NULL;
}

static enum status fail(struct problem *why, const char *path, const char *what)
{
    return problem_set(why, STATUS_UNAVAILABLE, "cannot %s %s: %s", what, path,
                       strerror(errno));
}

/* Empty, or left behind by a crash between the allocation and the first write. */
static bool is_new(int fd, off_t size, size_t bytes, size_t mark_len)
{
    static const char zeros[MARK_MAX_BYTES];
    char mark[MARK_MAX_BYTES];

    return size == 0 ||
           ((size_t)size == bytes && pread(fd, mark, mark_len, 0) == (ssize_t)mark_len &&
            memcmp(mark, zeros, mark_len) == 0);
}

static enum status fill(int fd, const char *path, size_t bytes, struct span head,
                        struct problem *why)
{
    errno = posix_fallocate(fd, 0, (off_t)bytes);
    if (errno == 0 && pwrite(fd, head.data, head.len, 0) == (ssize_t)head.len)
        return STATUS_OK;
    (void)fail(why, path, "make");
    (void)!ftruncate(fd, 0);
    return STATUS_UNAVAILABLE;
}

static enum status prepare(int fd, const char *path, size_t bytes, struct span head,
                           size_t mark_len, struct problem *why)
{
    char mark[MARK_MAX_BYTES];
    struct stat info;

    if (fstat(fd, &info) != 0)
        return fail(why, path, "look at");
    if (!S_ISREG(info.st_mode))
        return problem_set(why, STATUS_INVALID, "%s is no regular file: remove it", path);
    if (is_new(fd, info.st_size, bytes, mark_len))
        return fill(fd, path, bytes, head, why);
    if ((size_t)info.st_size != bytes ||
        pread(fd, mark, mark_len, 0) != (ssize_t)mark_len ||
        memcmp(mark, head.data, mark_len) != 0)
        return problem_set(why, STATUS_INVALID,
                           "%s is damaged or of another version: remove it, and restart",
                           path);
    return STATUS_OK;
}

static enum status map(void **out, int fd, const char *path, size_t bytes,
                       struct problem *why)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (memory == MAP_FAILED)
        return fail(why, path, "map");
    struct mapped *mapped = find(NULL);
    assert(mapped != NULL);
    *mapped = (struct mapped){
        .memory = memory, .bytes = bytes, .protection = PROT_READ | PROT_WRITE};
    mapped_watch(mapped);
    *out = memory;
    return STATUS_OK;
}

enum status shared_open(void **out, const char *path, size_t bytes, struct span head,
                        size_t mark_len, struct problem *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    assert(mark_len > 0 && mark_len <= MARK_MAX_BYTES && mark_len <= head.len);
    assert(head.len <= bytes);
    *out = NULL;
    if (fd < 0)
        return fail(why, path, "open");
    /* one process makes the file, others wait; the kernel releases the lock at its end */
    enum status status = flock(fd, LOCK_EX) == 0 ? STATUS_OK : fail(why, path, "lock");
    if (status == STATUS_OK)
        status = prepare(fd, path, bytes, head, mark_len, why);
    if (status == STATUS_OK)
        status = map(out, fd, path, bytes, why);
    (void)flock(fd, LOCK_UN); /* close would not do it: the mapping keeps the file open */
    (void)close(fd);
    return status;
}

void shared_free(void *memory, size_t bytes)
{
    if (memory == NULL)
        return;
    struct mapped *mapped = find(memory);
    if (mapped != NULL) {
        mapped_forget(mapped);
        mapped->memory = NULL;
    }
    (void)munmap(memory, bytes);
}
