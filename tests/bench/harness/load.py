"""
One timed run of load, and the proof that what was answered is in the database.

Percentiles are wrk's, which corrects for coordinated omission: a request that waits for long
counts for those that its connection would have sent meanwhile, so the 99th percentile shows
a server that serves some clients at once and lets others wait. The times of each request in the
log of the web server, uncorrected and in whole milliseconds, are given as well.
"""

import json
import os
import resource
import subprocess

from support.paths import SOURCE
from support.wait import wait_for

from harness import usage

SCRIPT = SOURCE / "tests" / "bench" / "load.lua"
TIMEOUT_SECONDS = 70  # longer than any web server here waits for an answer


class Lie(Exception):
    """More was acknowledged than stored."""


def wrk(subject, bodies, connections, seconds):
    """Runs wrk; what load.lua wrote, with wrk's own processor time."""
    result = subject.site.directory / "wrk.json"
    result.unlink(missing_ok=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["wrk", "-t", "1", "-c", str(connections), "-d", f"{max(1, round(seconds))}s", "--timeout",
         f"{TIMEOUT_SECONDS}s", "-s", SCRIPT, subject.url, "--", bodies],
        env={**os.environ, "BENCH_RESULT": str(result)},
        capture_output=True,
        text=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0 or not result.exists():
        raise AssertionError(f"wrk: {done.stdout}{done.stderr}")
    found = json.loads(result.read_text())
    found["wrk_cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return found


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


def run(subject, bodies, connections, seconds, *, update=False, warm=1.0):
    """
    Load on a subject: rates, percentiles, processor time a request, memory. Raises Lie when
    the database does not hold what was acknowledged.
    """
    if warm:
        wrk(subject, bodies, connections, warm)
    before = quiet(subject)
    os.sync()
    log_began = subject.access_log.stat().st_size
    service, web = subject.service_pids(), subject.web_pids()
    writer = subject.writer_pids()
    service_cpu, web_cpu = usage.cpu_seconds(service), usage.cpu_seconds(web)
    writer_cpu = usage.cpu_seconds(writer)
    found = wrk(subject, bodies, connections, seconds)
    after = quiet(subject)
    service, web = subject.service_pids(), subject.web_pids()  # mod_fcgid starts more
    service_cpu, web_cpu = usage.cpu_seconds(service) - service_cpu, usage.cpu_seconds(web) - web_cpu
    writer_cpu = usage.cpu_seconds(writer) - writer_cpu if writer else None
    answered = found["succeeded"] + found["failed"]
    wrk_cpu = found.pop("wrk_cpu")

    def each_us(cpu):
        return round(cpu / answered * 1e6, 1) if answered and cpu is not None else None

    result = {
        "subject": subject.name,
        "connections": connections,
        "requests_per_s": round(found["succeeded"] / found["seconds"], 1),
        **found,
        "cpu_us_service": each_us(service_cpu),
        "cpu_us_writer": each_us(writer_cpu),
        "cpu_us_web": each_us(web_cpu),
        "cpu_us_wrk": each_us(wrk_cpu),
        "processes": subject.processes_count(),
        "pss_kib": usage.pool_pss_kib(service),
        "durable": subject.durable if subject.stores else None,
    }
    waits = waits_ms(subject.web, subject.access_log, log_began)
    result["server_p99_ms"] = waits[len(waits) * 99 // 100]
    result["longest_wait_ms"] = waits[-1]
    if before is not None:
        result["stored"] = after[update] - before[update]
        if result["stored"] < found["succeeded"]:
            raise Lie(f"{subject.name}: {found['succeeded']} acknowledged, {result['stored']} stored")
    return result


EACH_ROUND = ("requests_per_s", "p99_ms")
TOTALS = ("seconds", "succeeded", "failed", "stored", "connect_errors", "read_errors", "write_errors", "timeouts")


def median(results):
    """One result out of several of the same subject: the middle of each figure, and totals."""
    merged = dict(results[0])
    for name, value in results[0].items():
        if name in TOTALS:
            merged[name] = sum(result[name] for result in results)
        elif name == "first_failure":
            merged[name] = next((r[name] for r in results if r[name]), "")
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and name != "connections":
            merged[name] = sorted(result[name] for result in results)[len(results) // 2]
    merged["rounds"] = len(results)
    merged["each_round"] = {name: [result[name] for result in results] for name in EACH_ROUND}
    return merged


def compare(subjects, bodies, connections, seconds, *, rounds=1, update=False, warm=1.0, show=print):
    """
    Runs load on subjects in turns, in each second round from the last to the first, so that
    what disturbs the machine for a while disturbs all of them. One result for each, the
    middle of the rounds.
    """
    results = {subject.name: [] for subject in subjects}
    for number in range(rounds):
        for subject in subjects if number % 2 == 0 else reversed(subjects):
            results[subject.name].append(
                run(subject, bodies, connections, seconds, update=update, warm=warm)
            )
    merged = [median(list_) for list_ in results.values()]
    for result in merged:
        show(result)
    return merged
