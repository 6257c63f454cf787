"""Results for people: a table on the terminal, the goals, and the page RESULTS.md."""

from dataclasses import dataclass

COLUMNS = (
    # heading, key, format
    ("", "subject", "{:<30}"),
    ("conn", "connections", "{:>4}"),
    ("offered", "offered_per_s", "{:>7}"),
    ("req/s", "requests_per_s", "{:>8.0f}"),
    ("p50 ms", "p50_ms", "{:>8.2f}"),
    ("p99 ms", "p99_ms", "{:>8.2f}"),
    ("p99.9 ms", "p999_ms", "{:>9.2f}"),
    ("srv p99", "server_p99_ms", "{:>7}"),
    ("longest", "longest_wait_ms", "{:>7}"),
    ("µs worker", "cpu_us_worker", "{:>9.1f}"),
    ("writer", "cpu_us_writer", "{:>6.1f}"),
    ("master", "cpu_us_master", "{:>6.1f}"),
    ("web", "cpu_us_web", "{:>6.1f}"),
    ("load", "cpu_us_load", "{:>6.1f}"),
    ("idle %", "idle_percent", "{:>6.0f}"),
    ("B/note", "written_bytes", "{:>6.0f}"),
    ("procs", "processes", "{:>5}"),
    ("PSS MiB", "pss_kib", "{:>7.1f}"),
    ("failed", "failed", "{:>6}"),
)


def _cell(result, key, form):
    value = result.get(key)
    width = int(form.partition(":")[2].lstrip("<>").partition(".")[0].rstrip("f}"))
    if value is None:
        return "-".rjust(width)
    return form.format(value / 1024 if key == "pss_kib" else value)


def heading():
    cells = []
    for name, _, form in COLUMNS:
        width = int(form.partition(":")[2].lstrip("<>").partition(".")[0].rstrip("f}"))
        cells.append(name.rjust(width) if ">" in form else name.ljust(width))
    return " ".join(cells)


def line(result):
    """One row of the terminal's table; text as it is."""
    if isinstance(result, str):
        return result
    text = " ".join(_cell(result, key, form) for _, key, form in COLUMNS)
    if result.get("first_failure"):
        text += f"\n    first failure: {result['first_failure']}"
    return text


# ---- Ratios within a run ----


def row(results, measurement, subject, connections):
    for result in results.get(measurement, ()):
        if result["subject"] == subject and result["connections"] == connections:
            return result
    return None


def find(results, measurement, subject, connections, key):
    return (row(results, measurement, subject, connections) or {}).get(key)


def ratio(over, under):
    return None if over is None or not under else over / under


def ratios(over, under, key):
    """One figure of two subjects, round by round, in order; empty if one was not measured."""
    if over is None or under is None:
        return []
    pairs = zip(over["each_round"][key], under["each_round"][key], strict=True)
    return sorted(a / b for a, b in pairs if b)


def middle(values):
    return values[len(values) // 2] if values else None


def against_lines(results, measurement, commit):
    """This tree against another commit, by round."""
    for under in results.get(measurement, ()):
        name, connections = under["subject"], under["connections"]
        if not name.endswith(f" {commit}"):
            continue
        over = row(results, measurement, name.removesuffix(f" {commit}"), connections)
        for key in ("requests_per_s", "p99_ms"):
            found = ratios(over, under, key)
            if found:
                yield (
                    f"{over['subject']} against {name}, {connections} connections: {key}"
                    f" {middle(found):.3f} × ({found[0]:.3f} to {found[-1]:.3f} in {len(found)} rounds)"
                )


# ---- The goals ----


@dataclass(frozen=True)
class Goal:
    what: str
    least: bool  # True: at least; False: at most
    bound: float
    unit: str
    measured: object  # function of all results; None: not measured

    def judge(self, results):
        value = self.measured(results)
        met = None if value is None else value >= self.bound if self.least else value <= self.bound
        return {
            "what": self.what,
            "goal": f"{'≥' if self.least else '≤'} {self.bound:g}{self.unit}",
            "measured": None if value is None else round(value, 3),
            "unit": self.unit,
            "met": met,
        }


def _at_64(key, other):
    """crmnotes over another subject of the same run, creating notes, 64 connections."""

    def measured(results):
        ours = find(results, "create", "crmnotes", 64, key)
        return ratio(ours, find(results, "create", other, 64, key))

    return measured


def _against_ceiling(key, best):
    """… over the better of the two ceilings."""

    def measured(results):
        ceilings = [find(results, "create", f"ceiling, {loop}", 64, key) for loop in ("plain", "own")]
        if None in ceilings:
            return None
        return ratio(find(results, "create", "crmnotes", 64, key), best(ceilings))

    return measured


def _first_and_last(measurement):
    def measured(results):
        rows = results.get(measurement)
        return ratio(rows[-1]["requests_per_s"], rows[0]["requests_per_s"]) if rows else None

    return measured


def _of(measurement, *path, scale=1):
    def measured(results):
        value = results.get(measurement)
        for step in path:
            value = value[step] if value is not None else None
        return None if value is None else value / scale

    return measured


GOALS = (
    Goal("creating notes, 64 connections, against the ceiling", True, 0.60, " ×", _against_ceiling("requests_per_s", max)),
    Goal("… against the plain ceiling, with libfcgi's own loop", True, 0.60, " ×",
         _at_64("requests_per_s", "ceiling, plain")),
    Goal("… 99th percentile against the ceiling's", False, 2.5, " ×", _against_ceiling("p99_ms", min)),
    Goal("… against PHP on SQLite with FULL", True, 6, " ×", _at_64("requests_per_s", "PHP FULL")),
    Goal("… 99th percentile against PHP with FULL", False, 0.125, " ×", _at_64("p99_ms", "PHP FULL")),
    Goal("… against PHP with NORMAL (not durable)", True, 2.5, " ×", _at_64("requests_per_s", "PHP NORMAL")),
    Goal("… against Go on SQLite with FULL", True, 4, " ×", _at_64("requests_per_s", "Go FULL")),
    Goal("… against Go with NORMAL (not durable)", True, 1.5, " ×", _at_64("requests_per_s", "Go NORMAL")),
    Goal("10 million notes against 10 thousand", True, 0.90, " ×", _first_and_last("growth")),
    Goal("10,000 blocks against 1", True, 0.98, " ×", _first_and_last("blocks")),
    Goal("idle memory (PSS) of a worker", False, 1.5, " MiB", _of("memory", "after_load", "worker_kib", scale=1024)),
    Goal("mod_fcgid, 8 connections, 99th percentile", False, 30, " ms",
         lambda results: find(results, "apache", "mod_fcgid", 8, "p99_ms")),
    Goal("WAL under full load with 64 readers", False, 64, " MiB", _of("wal", "largest_wal_mib")),
)  # fmt: skip


def judge(results):
    return [goal.judge(results) for goal in GOALS]


def _measured(goal):
    return "not measured" if goal["measured"] is None else f"{goal['measured']:.2f}{goal['unit']}"


def _verdict(goal):
    return {True: "met", False: "MISSED", None: ""}[goal["met"]]


def goal_lines(goals):
    return [
        f"{goal['what']:<56} {goal['goal']:>10} {_measured(goal):>14}  {_verdict(goal)}" for goal in goals
    ]


# ---- The page ----


def _table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def _number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def _load_rows(results, name=None):
    first = results[0]["subject"] if name is None else name
    base = {r["connections"]: r["requests_per_s"] for r in results if r["subject"] == first}
    for r in results:
        relative = ratio(r["requests_per_s"], base.get(r["connections"]))
        yield (
            r["connections"],
            r["subject"],
            "–" if relative is None else f"{relative:.2f}",
            _number(r["requests_per_s"]),
            _number(r["p50_ms"], 2),
            _number(r["p99_ms"], 2),
            _number(r["p999_ms"], 2),
            _number(r["cpu_us_service"]),
            _number(r.get("cpu_us_writer")),
            _number(r["cpu_us_web"]),
            _number(r["pss_kib"] / 1024, 1),
            r["failed"] or "",
        )


def _load_table(results, relative_to=None):
    name = relative_to or results[0]["subject"]
    headings = ("connections", "", f"× {name}", "requests/s", "p50 ms", "p99 ms", "p99.9 ms",
                "CPU µs", "of it writer", "CPU µs web server", "PSS MiB", "failed")  # fmt: skip
    return _table(headings, _load_rows(results, name))


SECTIONS = (
    ("create", "Creating notes", "crmnotes"),
    ("update", "Updating notes", "crmnotes"),
    ("apache", "Through Apache", None),
    ("growth", "With many notes stored", None),
    ("blocks", "With many CIDR blocks for each developer key", None),
    ("workers", "With pools of different size", None),
)


def _machine(run):
    m = run["machine"]
    disk = m["file_system"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(m["packages"].items()))
    return [
        f"Made on {run['date']} from {run['commit']} by `{run['command']}` on:",
        "",
        f"- {m['processor']}, {m['cores']} cores, {m['memory_gib']} GiB; nginx, wrk and what is measured share them",
        f"- {m['distribution']}, Linux {m['kernel']}",
        f"- database on {disk['type']} ({disk['device']}), where an fdatasync takes {m['fdatasync_us']} µs",
        f"- {versions}",
    ]


def page(run, plots):
    """The text of RESULTS.md."""
    results = run["results"]
    lines = ["# Results", "", "Written by `tests/bench/run`; do not edit.", "", *_machine(run), ""]
    lines += [
        "Only successes are counted (what failed stands in the last column), and every acknowledged note",
        "was found in the database afterwards. crmnotes, and what is called FULL, is durable: the answer",
        "leaves after the fsync. What is called NORMAL may lose acknowledged notes when the power fails.",
        "The ceiling is a libfcgi program that does nothing, with as many processes as crmnotes has: plain,",
        "with libfcgi's own loop, and with the loop of the service; the better of both counts. Percentiles",
        "are those of wrk, corrected for coordinated omission.",
        "",
        "## Goals",
        "",
        *_table(
            ("", "goal", "measured", ""),
            ((g["what"], g["goal"], _measured(g), _verdict(g)) for g in run["goals"]),
        ),
        "",
    ]
    lines += [line for plot in plots for line in (f"![{plot.stem}]({plot.name})", "")]
    for name, title, base in SECTIONS:
        if results.get(name):
            lines += [f"## {title}", "", *_load_table(results[name], base), ""]
    lines += _others(results)
    return "\n".join(lines).rstrip() + "\n"


def _others(results):
    lines = []
    if results.get("sizes"):
        rows = (
            (f"{r['note_bytes']:,}", _number(r["requests_per_s"]), _number(r["mib_per_s"], 1), _number(r["p99_ms"], 2))
            for r in results["sizes"]
        )
        lines += ["## Notes of different length, 64 connections", ""]
        lines += [*_table(("bytes", "requests/s", "MiB/s", "p99 ms"), rows), ""]
    lines += ["## And besides", ""]
    facts = []
    if results.get("memory"):
        m = results["memory"]
        facts += [
            (f"PSS of a worker, {when.replace('_', ' ')}", f"{m[when]['worker_kib'] / 1024:.2f} MiB") for when in m
        ]
        facts.append(("PSS of the whole pool, after load", f"{m['after_load']['pool_kib'] / 1024:.1f} MiB"))
        if m["after_load"]["writer_kib"]:
            facts.append(("PSS of the writer, after load", f"{m['after_load']['writer_kib'] / 1024:.1f} MiB"))
    if results.get("start"):
        facts.append(("start to the first note stored", f"{results['start']['median_ms']} ms"))
    if results.get("reload"):
        r = results["reload"]
        facts.append(("longest gap in answers under load", f"{r['without']['gap_ms']} ms"))
        facts.append((f"… with {r['with']['reloads']} reloads", f"{r['with']['gap_ms']} ms, {r['with']['failed']} failed"))
    if results.get("wal"):
        w = results["wal"]
        facts.append((f"largest WAL in {w['seconds']:.0f} s of load with 64 readers", f"{w['largest_wal_mib']} MiB"))
    for name, number in results.get("instructions", {}).get("instructions", {}).items():
        facts.append((f"instructions a request: {name}", f"{number:,}"))
    return [*lines, *_table(("", ""), facts), ""]
