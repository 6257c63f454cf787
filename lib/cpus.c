#include "lib/cpus.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Reads up to two numbers and returns how many there are. */
static int read_numbers(const char *path, long long *first, long long *second)
{
    FILE *file = fopen(path, "re");
    int count = file == NULL ? 0 : fscanf(file, "%lld %lld", first, second);

    if (file != NULL)
        (void)fclose(file);
    return count;
}

/* The time of all processors, in microseconds a period, that one group may use. */
static bool read_quota(const char *directory, bool is_v2, long long *quota,
                       long long *period)
{
    char path[PATH_MAX + 32];
    long long none;

    if (is_v2) { /* "max 100000" where there is no limit */
        (void)snprintf(path, sizeof path, "%s/cpu.max", directory);
        return read_numbers(path, quota, period) == 2;
    }
    (void)snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", directory);
    if (read_numbers(path, quota, &none) != 1)
        return false;
    (void)snprintf(path, sizeof path, "%s/cpu.cfs_period_us", directory);
    return read_numbers(path, period, &none) == 1;
}

/* The smallest limit of a group and of those that it is in; 0: none. */
static int limit_of_group(const char *root, const char *group, bool is_v2)
{
    char directory[PATH_MAX];
    long long quota, period;
    int limit = 0;
    int len =
        snprintf(directory, sizeof directory, "%s%s%s", root, is_v2 ? "" : "/cpu", group);
    size_t top = strlen(root) + (is_v2 ? 0 : strlen("/cpu"));

    while (len > 0 && (size_t)len < sizeof directory && strlen(directory) >= top) {
        if (read_quota(directory, is_v2, &quota, &period) && quota > 0 && period > 0) {
            long long cpus = (quota + period - 1) / period;
            limit =
                limit == 0 || cpus < limit ? (int)(cpus < INT_MAX ? cpus : INT_MAX) : limit;
        }
        *strrchr(directory, '/') = '\0';
    }
    return limit;
}

/* A line is "number:controllers:group", with no controllers for cgroup v2. */
static int limit_of_line(char *line, const char *root)
{
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;

    if (group == NULL)
        return 0;
    *controllers++ = '\0';
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (controllers[0] == '\0')
        return limit_of_group(root, group, true);
    for (char *one; (one = strsep(&controllers, ",")) != NULL;)
        if (strcmp(one, "cpu") == 0)
            return limit_of_group(root, group, false);
    return 0;
}

int cpus_limit(const char *cgroup, const char *root)
{
    FILE *file = fopen(cgroup, "re");
    char line[PATH_MAX + 128];
    int smallest = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        int limit = limit_of_line(line, root);
        if (limit > 0 && (smallest == 0 || limit < smallest))
            smallest = limit;
    }
    if (file != NULL)
        (void)fclose(file);
    return smallest;
}

int cpus_usable(void)
{
    static int known;
    cpu_set_t set;

    if (known > 0)
        return known;
    /* a machine of more processors than the set has bits has many in any case */
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : CPU_SETSIZE;
    int limit = cpus_limit("/proc/self/cgroup", "/sys/fs/cgroup");
    known = limit > 0 && limit < count ? limit : count;
    return known;
}

void cpus_prefer_batches(void)
{
    const struct sched_param priority = {.sched_priority = 0};

    if (sched_getscheduler(0) == SCHED_OTHER)
        (void)sched_setscheduler(0, SCHED_BATCH, &priority);
}
