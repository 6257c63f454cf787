#include "lib/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum status privileges_find_group(gid_t *out, const char *option, const char *group,
                                  struct problem *why)
{
    const struct group *entry = getgrnam(group);

    if (entry == NULL)
        return problem_set(why, STATUS_CONFIG, "%s: there is no group '%s'", option, group);
    *out = entry->gr_gid;
    return STATUS_OK;
}

enum status privileges_find(struct identity *out, const char *user, const char *group,
                            struct problem *why)
{
    const struct passwd *entry = getpwnam(user);

    if (entry == NULL || strlen(user) >= sizeof out->user)
        return problem_set(why, STATUS_CONFIG, "user: there is no user '%s'", user);
    if (entry->pw_uid == 0)
        return problem_set(why, STATUS_CONFIG,
                           "user: '%s' is root: name a user without its rights", user);
    *out = (struct identity){.uid = entry->pw_uid, .gid = entry->pw_gid};
    (void)snprintf(out->user, sizeof out->user, "%s", user);
    if (group[0] == '\0')
        return STATUS_OK;
    return privileges_find_group(&out->gid, "group", group, why);
}

/* The user that this process runs as. */
static void find_current(struct identity *out)
{
    const struct passwd *entry = getpwuid(geteuid());

    *out = (struct identity){.uid = geteuid(), .gid = getegid()};
    if (entry != NULL)
        (void)snprintf(out->user, sizeof out->user, "%s", entry->pw_name);
    else
        (void)snprintf(out->user, sizeof out->user, "%lu", (unsigned long)out->uid);
}

static bool is_now(const struct identity *identity)
{
    uid_t uids[3];
    gid_t gids[3];

    if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 ||
        getresgid(&gids[0], &gids[1], &gids[2]) != 0)
        return false;
    for (int i = 0; i < 3; i++)
        if (uids[i] != identity->uid || gids[i] != identity->gid)
            return false;
    return true;
}

static bool root_can_be_regained(void)
{
    return setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setuid(0) == 0 ||
           setresgid((gid_t)-1, 0, (gid_t)-1) == 0;
}

enum status privileges_drop(const struct identity *identity, struct problem *why)
{
    if (initgroups(identity->user, identity->gid) != 0 ||
        setresgid(identity->gid, identity->gid, identity->gid) != 0 ||
        setresuid(identity->uid, identity->uid, identity->uid) != 0)
        return problem_set(why, STATUS_INTERNAL, "cannot become user %s: %s",
                           identity->user, strerror(errno));
    if (!is_now(identity) || root_can_be_regained())
        return problem_set(why, STATUS_INTERNAL,
                           "became user %s, but not for good: give it no capabilities",
                           identity->user);
    return STATUS_OK;
}

void privileges_harden(void)
{
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifndef __SANITIZE_ADDRESS__ /* LeakSanitizer traces its own process */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

void privileges_limit_descriptors(size_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_max > wanted)
        limit.rlim_max = wanted;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

enum status privileges_check(const char *path, int mode, struct problem *why)
{
    struct identity identity;

    if (faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 || errno == ENOENT ||
        errno == ENOTDIR)
        return STATUS_OK;
    int error = errno;
    find_current(&identity);
    return problem_set(why, STATUS_CONFIG, "the user %s cannot %s %s: %s", identity.user,
                       (mode & W_OK) != 0 ? "write" : "read", path, strerror(error));
}
