"""
One timed run of load, and the proof that what was answered is in the database.

Percentiles are those of what makes the load, see generators.py. The times of each request in the
log of the web server, uncorrected and in whole milliseconds, are given as well.
"""

import os
import resource

from support.wait import wait_for

from harness import usage
from harness.generators import open_load, wrk


class Lie(Exception):
    """More or less was acknowledged than stored."""


def quiet(subject):
    """The numbers of notes stored after the last request: wrk ends while some are still running."""
    seen = []

    def settled():
        seen.append(subject.stored())
        return len(seen) > 1 and seen[-1] == seen[-2]

    wait_for(settled, "the end of requests in hand", 60, interval=0.1)
    return seen[-1]


def waits_ms(web, log, since):
    """How long requests waited as the web server saw it, in order, those given up included."""
    found = []
    with open(log, encoding="ascii", errors="replace") as file:
        file.seek(since)
        for line in file:
            fields = line.split()
            if len(fields) == 3:
                found.append(round(float(fields[2]) * web.wait_unit_ms))
    return sorted(found)


def children_cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _send(subject, load):
    """The load itself, with the processor time that it takes, and the time that no processor worked."""
    idle, own_cpu = usage.idle(), children_cpu_seconds()
    found = open_load(subject.port, load) if load.rate else wrk(subject, load, load.seconds)
    return found, children_cpu_seconds() - own_cpu, usage.idle_percent(idle, usage.idle())


def run(subject, load):
    """
    Load on a subject: rates, percentiles, memory; processor time of each role and bytes written,
    both by request. Raises Lie when the database does not hold what was acknowledged.
    """
    if load.warm:
        wrk(subject, load, load.warm)
    before = quiet(subject)
    os.sync()
    log_began = subject.access_log.stat().st_size
    used_before = usage.by_role(subject.roles())
    found, load_cpu, idle_percent = _send(subject, load)
    after = quiet(subject)
    used = usage.difference(used_before, usage.by_role(subject.roles()))
    answered = found["succeeded"] + found["failed"]

    def each(amount, scale=1):
        return round(amount / answered * scale, 1) if answered and amount is not None else None

    waits = waits_ms(subject.web, subject.access_log, log_began)
    result = {
        "subject": subject.name,
        "connections": load.connections,
        **found,
        **{f"cpu_us_{role}": each(one.cpu_seconds, 1e6) for role, one in used.items()},
        "cpu_us_service": each(sum(one.cpu_seconds for role, one in used.items() if role != "web"), 1e6),
        "cpu_us_load": each(load_cpu, 1e6),
        "idle_percent": idle_percent,
        "written_bytes": each(usage.written_by_service(used)) if subject.stores else None,
        "processes": subject.processes_count(),
        "pss_kib": usage.pool_pss_kib(subject.service_pids()),
        "durable": subject.durable if subject.stores else None,
        "server_p99_ms": waits[len(waits) * 99 // 100],
        "longest_wait_ms": waits[-1],
    }
    if before is not None:
        result["stored"] = after[load.update] - before[load.update]
        acknowledged = 0 if load.code else found["succeeded"]
        if load.reads:
            acknowledged = 0
        if result["stored"] < acknowledged or (load.code and after != before):
            raise Lie(f"{subject.name}: {acknowledged} acknowledged, {result['stored']} stored")
    return result


EACH_ROUND = ("requests_per_s", "p99_ms", "cpu_us_service")
TOTALS = ("seconds", "succeeded", "good", "refused", "failed", "stored", "unsent", "connect_errors", "read_errors", "write_errors", "timeouts")
SETTINGS = ("connections", "offered_per_s")


def median(results):
    """One result out of several of the same subject: the middle of each figure, and totals."""
    merged = dict(results[0])
    for name, value in results[0].items():
        if name in TOTALS:
            merged[name] = sum(result[name] for result in results)
        elif name == "first_failure":
            merged[name] = next((r[name] for r in results if r[name]), "")
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and name not in SETTINGS:
            merged[name] = sorted(result[name] for result in results)[len(results) // 2]
    merged["rounds"] = len(results)
    merged["each_round"] = {name: [result[name] for result in results] for name in EACH_ROUND}
    return merged


def compare(turns, *, rounds=1, show=print):
    """
    Runs loads in turns, in each second round from the last to the first, so that what disturbs
    the machine for a while disturbs all of them. A turn is a name, a subject and its load.
    One result for each, the middle of the rounds.
    """
    results = {name: [] for name, _, _ in turns}
    for number in range(rounds):
        for name, subject, load in turns if number % 2 == 0 else reversed(turns):
            results[name].append({**run(subject, load), "subject": name})
    merged = [median(list_) for list_ in results.values()]
    for result in merged:
        show(result)
    return merged
