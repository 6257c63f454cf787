/*
 * How many processors this process may use.
 */
#ifndef LIB_CPUS_H
#define LIB_CPUS_H

/* At least 1: the processors of its affinity (sched_getaffinity(2)), or fewer where a
 * control group limits its time (cpu.max of cgroup v2, cpu.cfs_quota_us of v1), as that of
 * a container does. It is found out once per process and its children, because a sandbox
 * may not let them look again. */
int cpus_usable(void);

/* Asks the kernel to let this process, and those that it forks later, work for longer
 * before others of the same priority take their turn (SCHED_BATCH, sched(7)). Does nothing
 * where another policy than the usual one was chosen for it. */
void cpus_prefer_batches(void);

/* The part of the control groups, for tests: cgroup is the path of the process's list of
 * groups, /proc/self/cgroup, and root the directory that they are mounted in,
 * /sys/fs/cgroup. A part of a processor counts as one. 0: no limit is known. */
int cpus_limit(const char *cgroup, const char *root);

#endif
