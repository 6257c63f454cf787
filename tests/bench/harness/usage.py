"""Processor time, memory and output of processes, from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

from support import processes

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Used:
    """What processes have used; written_bytes: by process, None where we may not see it."""

    cpu_seconds: float
    written_bytes: dict


def cpu_seconds(pids):
    """User and system time of the processes and of their children that have ended."""
    ticks = 0
    for pid in pids:
        fields = processes.stat(pid)
        if fields is not None:
            ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS_A_SECOND


def written_bytes(pid):
    """
    What the process has caused to be sent to storage: pages of files that it made dirty, each
    counted again after it was written back. Unlike wchar it has neither what goes into pipes
    and sockets nor what is overwritten before it is synced, and it has mapped files and the
    rest of a page of which only a part was written.
    """
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes:"))


def by_role(roles):
    return {
        role: Used(cpu_seconds(pids), {pid: written_bytes(pid) for pid in pids})
        for role, pids in roles.items()
    }


def difference(before, after):
    """What was used meanwhile; processes may have come, and others have ended."""
    return {role: _since(before[role], now) for role, now in after.items()}


def _since(before, now):
    written = {
        pid: None if count is None else count - (before.written_bytes.get(pid) or 0)
        for pid, count in now.written_bytes.items()
    }
    return Used(now.cpu_seconds - before.cpu_seconds, written)


def written_by_service(used):
    """All that is no web server; None unless we could see all of it."""
    counts = [n for role, one in used.items() if role != "web" for n in one.written_bytes.values()]
    return None if None in counts else sum(counts)


def idle():
    """(time without work, all time) of all processors, in ticks."""
    fields = Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]
    ticks = [int(field) for field in fields]
    return ticks[3] + ticks[4], sum(ticks)


def idle_percent(before, after):
    return round(100 * (after[0] - before[0]) / max(1, after[1] - before[1]), 1)


def pss_kib(pid):
    """The process's share of memory: what it has alone, and its part of what it shares."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise AssertionError(f"no Pss of process {pid}")


def pss_without_kib(pid, path):
    """The same, less the pages of a file that it has mapped: they are the kernel's cache of it."""
    total, is_other = 0, True
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):  # the head of a mapping: address, rights, ..., path
            is_other = words[-1] != str(path)
        elif words[0] == "Pss:" and is_other:
            total += int(words[1])
    return total


def pool_pss_kib(pids):
    return sum(map(pss_kib, pids))


def command_name(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
