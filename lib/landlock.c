#include "autoconfig.h"

#include "lib/landlock.h"

#ifdef HAVE_LINUX_LANDLOCK_H

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Constants of the kernel's interface, since the headers may be older than the kernel. */
enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_DIR = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_CHAR = 1 << 6,
    MAKE_DIR = 1 << 7,
    MAKE_REG = 1 << 8,
    MAKE_SOCK = 1 << 9,
    MAKE_FIFO = 1 << 10,
    MAKE_BLOCK = 1 << 11,
    MAKE_SYM = 1 << 12,
    REFER = 1 << 13,     /* version 2 */
    TRUNCATE = 1 << 14,  /* version 3 */
    IOCTL_DEV = 1 << 15, /* version 5 */

    SPECIAL =
        EXECUTE | MAKE_CHAR | MAKE_BLOCK | MAKE_FIFO | MAKE_SYM | MAKE_SOCK | IOCTL_DEV,
    OF_FILES =
        EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV, /* not directories */

    BIND_TCP = 1 << 0, /* version 4 */
    CONNECT_TCP = 1 << 1,

    ABSTRACT_UNIX_SOCKET = 1 << 0, /* version 6 */
    SIGNAL = 1 << 1,
};

/* struct landlock_ruleset_attr as of version 6. Fields that an older kernel does not know
 * must be zero. */
struct ruleset {
    uint64_t fs, net, scoped;
};

int landlock_version(void)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return version > 0 ? (int)version : 0;
}

static uint64_t known_to(int version)
{
    uint64_t known = REFER - 1;

    if (version >= 2)
        known |= REFER;
    if (version >= 3)
        known |= TRUNCATE;
    if (version >= 5)
        known |= IOCTL_DEV;
    return known;
}

static struct ruleset ruleset_of(int version, bool any_file)
{
    return (struct ruleset){
        .fs = (any_file ? SPECIAL : UINT64_MAX) & known_to(version),
        .net = version >= 4 ? BIND_TCP | CONNECT_TCP : 0,
        .scoped = version >= 6 ? ABSTRACT_UNIX_SOCKET | SIGNAL : 0,
    };
}

static uint64_t rights_of(unsigned access)
{
    return (access & LANDLOCK_READ ? READ_FILE : 0) |
           (access & LANDLOCK_WRITE ? WRITE_FILE | TRUNCATE : 0) |
           (access & LANDLOCK_MAKE ? MAKE_REG : 0) |
           (access & LANDLOCK_LIST ? READ_DIR : 0) |
           (access & LANDLOCK_REMOVE ? REMOVE_FILE : 0);
}

/* The rights that the kernel accepts for this file: some are for directories only. */
static uint64_t fitting(int fd, uint64_t rights)
{
    struct stat info;

    return fstat(fd, &info) == 0 && S_ISDIR(info.st_mode) ? rights : rights & OF_FILES;
}

static bool allow(int ruleset, uint64_t handled, const struct landlock_path *path)
{
    struct landlock_path_beneath_attr rule = {
        .parent_fd = open(path->path, O_PATH | O_CLOEXEC),
    };

    if (rule.parent_fd < 0) /* without a rule the path is forbidden, which is safe */
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP;
    rule.allowed_access = fitting(rule.parent_fd, rights_of(path->access)) & handled;
    bool allowed =
        rule.allowed_access == 0 ||
        syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    (void)close(rule.parent_fd);
    return allowed;
}

static bool enter(int ruleset, uint64_t handled, const struct landlock_path *paths,
                  size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!allow(ruleset, handled, &paths[i]))
            return false;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}

enum status landlock_enter(const struct landlock_path *paths, size_t count, bool any_file,
                           struct problem *why)
{
    int version = landlock_version();

    if (version == 0)
        return STATUS_OK;
    struct ruleset rules = ruleset_of(version, any_file);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    bool entered = ruleset >= 0 && enter(ruleset, rules.fs, paths, count);
    int error = errno;
    if (ruleset >= 0)
        (void)close(ruleset);
    if (!entered)
        return problem_set(why, STATUS_INTERNAL, "Landlock refused its rules: %s",
                           strerror(error));
    return STATUS_OK;
}

#else

int landlock_version(void)
{
    return 0;
}

enum status landlock_enter(const struct landlock_path *paths, size_t count, bool any_file,
                           struct problem *why)
{
    (void)paths;
    (void)count;
    (void)any_file;
    (void)why;
    return STATUS_OK;
}

#endif
