#include "lib/acting.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    GROUPS_MAX = 256,
};

/* As what the process was started. */
static struct {
    bool known;
    struct acting self;
    gid_t groups[GROUPS_MAX];
    int count;
} before;

static bool belongs_to_another(struct acting *out, const struct stat *info)
{
    if (info->st_uid == 0)
        return false;
    *out = (struct acting){.uid = info->st_uid, .gid = info->st_gid};
    return true;
}

/* The path of a directory or link on the way. */
static bool judge(struct acting *out, const char *path)
{
    struct stat info;

    return (lstat(path, &info) == 0 && S_ISLNK(info.st_mode) &&
            belongs_to_another(out, &info)) ||
           (stat(path, &info) == 0 && S_ISDIR(info.st_mode) &&
            belongs_to_another(out, &info));
}

/* Whether another user owns something on the way to path, or a link there. */
static bool find_on_the_way(struct acting *out, const char *path)
{
    char prefix[PATH_MAX];
    size_t len = strlen(path);

    if (len >= sizeof prefix)
        return false;
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        (void)snprintf(prefix, sizeof prefix, "%.*s", (int)i, path);
        if (judge(out, prefix))
            return true;
    }
    return false;
}

/* The same for what links in the path lead to, where that exists. */
static bool find_behind_links(struct acting *out, const char *path)
{
    char real[PATH_MAX], copy[PATH_MAX];

    if (realpath(path, real) != NULL)
        return find_on_the_way(out, real);
    (void)snprintf(copy, sizeof copy, "%s", path); /* dirname writes into it */
    return realpath(dirname(copy), real) != NULL && find_on_the_way(out, real);
}

void acting_find(struct acting *out, const char *path)
{
    char absolute[PATH_MAX], here[PATH_MAX];

    *out = (struct acting){.uid = getuid() == 0 ? 0 : geteuid(), .gid = getgid()};
    if (getuid() != 0)
        return;
    if (path[0] == '/')
        (void)snprintf(absolute, sizeof absolute, "%s", path);
    else if (getcwd(here, sizeof here) == NULL ||
             snprintf(absolute, sizeof absolute, "%s/%s", here, path) >=
                 (int)sizeof absolute)
        return;
    if (!find_on_the_way(out, absolute))
        (void)find_behind_links(out, absolute);
}

static bool remember_self(void)
{
    if (before.known)
        return true;
    before.self = (struct acting){.uid = geteuid(), .gid = getegid()};
    before.count = getgroups(GROUPS_MAX, before.groups);
    before.known = before.count >= 0;
    return before.known;
}

static bool return_to_self(void)
{
    return seteuid(before.self.uid) == 0 && setegid(before.self.gid) == 0 &&
           setgroups((size_t)before.count, before.groups) == 0;
}

/* The only group is that of the files: the C library's look-up of a user's groups aborts
 * the program when there is no memory. */
static bool change_to(const struct acting *who)
{
    return setgroups(1, &who->gid) == 0 && setegid(who->gid) == 0 && seteuid(who->uid) == 0;
}

enum status acting_as(const struct acting *who, struct problem *why)
{
    if (getuid() != 0)
        return STATUS_OK;
    bool done = remember_self() && return_to_self();
    if (done && who->uid != before.self.uid)
        done = change_to(who);
    return done ? STATUS_OK
                : problem_set(why, STATUS_INTERNAL, "cannot act as user %ld: %s",
                              (long)who->uid, strerror(errno));
}

enum status acting_as_before(struct problem *why)
{
    const struct acting self = before.self;

    return before.known ? acting_as(&self, why) : STATUS_OK;
}
