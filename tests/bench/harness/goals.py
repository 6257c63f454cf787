"""The goals, and whether the results of a run reach them."""

from dataclasses import dataclass

from harness.report import middle, ratios, row


@dataclass(frozen=True)
class Goal:
    what: str
    least: bool  # True: at least; False: at most
    bound: float
    unit: str
    measured: object  # function of a run: values in order, of which the middle one counts

    def judge(self, run):
        values = self.measured(run)
        value = middle(values)
        met = None if value is None else value >= self.bound if self.least else value <= self.bound
        return {
            "what": self.what.replace("COMMIT", run["against"] or "another commit"),
            "goal": f"{'≥' if self.least else '≤'} {self.bound:g}{self.unit}",
            "measured": None if value is None else round(value, 3),
            "spread": [round(values[0], 3), round(values[-1], 3)] if len(values) > 1 else None,
            "unit": self.unit,
            "met": met,
        }


def _ratio(measurement, over, under, key="requests_per_s", connections=(64, 64)):
    """One subject over another of the same rounds; COMMIT stands for that of --against."""

    def measured(run):
        names = (name.replace("COMMIT", run["against"] or "") for name in (over, under))
        found = [row(run["results"], measurement, *which) for which in zip(names, connections, strict=True)]
        return ratios(*found, key)

    return measured


def _create(under, key="requests_per_s"):
    return _ratio("create", "crmnotes", under, key)


def _last_and_first(measurement):
    def measured(run):
        rows = run["results"].get(measurement)
        return ratios(rows[-1], rows[0]) if rows else []

    return measured


def _row(measurement, subject, connections, key, scale=1):
    def measured(run):
        found = row(run["results"], measurement, subject, connections)
        return [] if found is None or found.get(key) is None else [found[key] / scale]

    return measured


def _of(measurement, *path, scale=1):
    def measured(run):
        value = run["results"].get(measurement)
        for step in path:
            value = value[step] if value is not None else None
        return [] if value is None else [value / scale]

    return measured


PLAIN, OWN_BEFORE = "ceiling, plain", "ceiling, own COMMIT"
GOALS = (
    Goal("creating notes, 64 connections, against the plain ceiling", True, 0.90, " ×", _create(PLAIN)),
    Goal("… against the ceiling with the service's loop of COMMIT", True, 0.50, " ×", _create(OWN_BEFORE)),
    Goal("… against crmnotes of COMMIT", True, 1.7, " ×", _create("crmnotes COMMIT")),
    Goal("… 99th percentile against that of the ceiling with its loop", False, 2, " ×", _create("ceiling, own", "p99_ms")),
    Goal("… 256 connections against 64", True, 1.0, " ×",
         _ratio("create", "crmnotes", "crmnotes", connections=(256, 64))),
    Goal("… against PHP on SQLite with FULL", True, 12, " ×", _create("PHP FULL")),
    Goal("… 99th percentile against PHP with FULL", False, 0.125, " ×", _create("PHP FULL", "p99_ms")),
    Goal("… against PHP with NORMAL (not durable)", True, 2.5, " ×", _create("PHP NORMAL")),
    Goal("… against Go on SQLite with FULL", True, 8, " ×", _create("Go FULL")),
    Goal("… against Go with NORMAL (not durable)", True, 1.5, " ×", _create("Go NORMAL")),
    Goal("… bytes written for a note of 100 bytes", False, 6, " KB",
         _row("create", "crmnotes", 64, "written_bytes", scale=1000)),
    Goal("updating, against the ceiling with the service's loop of COMMIT", True, 0.25, " ×",
         _ratio("update", "crmnotes", OWN_BEFORE)),
    Goal("refusing a wrong key, against the plain ceiling", True, 0.60, " ×",
         _ratio("refusals", "crmnotes, wrong key", PLAIN)),
    Goal("refusing a wrong owner, against the plain ceiling", True, 0.60, " ×",
         _ratio("refusals", "crmnotes, wrong owner", PLAIN)),
    Goal("fetching a contact with 20 notes, against the plain ceiling", True, 0.75, " ×",
         _ratio("fetch", "crmnotes, fetch", f"{PLAIN}, fetch")),
    Goal("looking a contact up among a million, against the plain ceiling", True, 0.50, " ×",
         _ratio("lookup", "crmnotes, lookup by mix", f"{PLAIN}, lookup")),
    Goal("… 99th percentile against that of the ceiling with its loop", False, 3, " ×",
         _ratio("lookup", "crmnotes, lookup by mix", "ceiling, own, lookup", "p99_ms")),
    Goal("creating notes beside 64 readers, against alone", True, 0.50, " ×", _last_and_first("beside")),
    Goal("10 million notes against 10 thousand", True, 0.95, " ×", _last_and_first("growth")),
    Goal("10,000 blocks against 1", True, 0.98, " ×", _last_and_first("blocks")),
    Goal("goodput at four times the capacity of a slow disk, against once", True, 0.90, " ×", _last_and_first("overload")),
    Goal("instructions of a worker for a note", False, 45, " k",
         _of("instructions", "instructions", "worker, create", scale=1000)),
    Goal("instructions of the writer for a note", False, 50, " k",
         _of("instructions", "instructions", "writer, create", scale=1000)),
    Goal("idle memory (PSS) of a worker, without pages of the database", False, 1.5, " MiB", _of("memory", "after_load", "worker_kib", scale=1024)),
    Goal("mod_fcgid, 8 connections, 99th percentile", False, 30, " ms", _row("apache", "mod_fcgid", 8, "p99_ms")),
    Goal("importing a million contacts", False, 60, " s", _of("imports", "seconds")),
    Goal("WAL under full load with 64 readers", False, 64, " MiB", _of("wal", "largest_wal_mib")),
)  # fmt: skip


def judge(run):
    return [goal.judge(run) for goal in GOALS]


def measured(goal):
    """With the smallest and the largest of the rounds."""
    if goal["measured"] is None:
        return "not measured"
    spread = " ({:.2f}–{:.2f})".format(*goal["spread"]) if goal["spread"] else ""
    return f"{goal['measured']:.2f}{goal['unit']}{spread}"


def verdict(goal):
    return {True: "met", False: "MISSED", None: ""}[goal["met"]]


def lines(goals):
    """Of those that were measured."""
    for goal in goals:
        if goal["measured"] is not None:
            yield f"{goal['what']:<66} {goal['goal']:>9}  {measured(goal):<24} {verdict(goal)}"
