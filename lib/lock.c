#include "lib/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/clock.h"

enum {
    ALARM_REPEAT_US = 50000, /* an alarm before flock sleeps does not interrupt it */
};

struct lock {
    int fd;
};

static void give_to_owner_of(const char *like_path, int fd)
{
    struct stat like;

    if (geteuid() == 0 && like_path != NULL && stat(like_path, &like) == 0)
        (void)!fchown(fd, like.st_uid, like.st_gid);
}

enum status lock_open(struct lock **out, const char *path, const char *like_path,
                      struct problem *why)
{
    struct lock *lock = malloc(sizeof *lock);

    *out = NULL;
    if (lock == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    lock->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (lock->fd >= 0)
        give_to_owner_of(like_path, lock->fd);
    else if (errno == EEXIST)
        lock->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (lock->fd < 0) {
        free(lock);
        return problem_set(why, STATUS_UNAVAILABLE, "cannot open the lock file %s: %s",
                           path, strerror(errno));
    }
    *out = lock;
    return STATUS_OK;
}

void lock_close(struct lock *lock)
{
    if (lock == NULL)
        return;
    (void)close(lock->fd);
    free(lock);
}

static void wake(int signal_number)
{
    (void)signal_number;
}

/* flock() has no timeout; a repeating alarm interrupts it at the deadline. */
static enum status take_by_alarm(struct lock *lock, int timeout_ms)
{
    const struct itimerval off = {{0, 0}, {0, 0}};
    const struct itimerval ring = {
        .it_interval = {.tv_usec = ALARM_REPEAT_US},
        .it_value = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 + 1},
    };
    struct sigaction ours = {.sa_handler = wake}, before;
    sigset_t alarm_set, mask_before;
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    int taken;

    sigemptyset(&alarm_set);
    sigaddset(&alarm_set, SIGALRM);
    sigaction(SIGALRM, &ours, &before);
    sigprocmask(SIG_UNBLOCK, &alarm_set, &mask_before);
    setitimer(ITIMER_REAL, &ring, NULL);
    do
        taken = flock(lock->fd, LOCK_EX);
    while (taken != 0 && errno == EINTR && clock_monotonic_ms() < deadline_ms);
    int error = errno;
    setitimer(ITIMER_REAL, &off, NULL);
    sigprocmask(SIG_SETMASK, &mask_before, NULL);
    sigaction(SIGALRM, &before, NULL);
    if (taken == 0)
        return STATUS_OK;
    return error == EINTR ? STATUS_BUSY : STATUS_UNAVAILABLE;
}

enum status lock_take(struct lock *lock, int timeout_ms)
{
    if (lock == NULL || flock(lock->fd, LOCK_EX | LOCK_NB) == 0)
        return STATUS_OK;
    if (errno != EWOULDBLOCK && errno != EINTR)
        return STATUS_UNAVAILABLE;
    return timeout_ms > 0 ? take_by_alarm(lock, timeout_ms) : STATUS_BUSY;
}

void lock_release(struct lock *lock)
{
    if (lock != NULL)
        (void)flock(lock->fd, LOCK_UN);
}

/* Users have a read lock of fcntl(2) on the first byte, which flock(2) does not touch. It
 * belongs to the open file description, and so to children as well. */
static struct flock users(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
}

enum status lock_add_user(struct lock *lock)
{
    struct flock mark = users(F_RDLCK);

    return fcntl(lock->fd, F_OFD_SETLK, &mark) == 0 ? STATUS_OK : STATUS_UNAVAILABLE;
}

bool lock_has_users(const char *path)
{
    struct flock mark = users(F_WRLCK);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return false;
    bool found = fcntl(fd, F_OFD_GETLK, &mark) == 0 && mark.l_type != F_UNLCK;
    (void)close(fd);
    return found;
}
