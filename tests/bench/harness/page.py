"""The page RESULTS.md."""

from harness import goals
from harness.report import ratio


def _table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows] + [""]


def _number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def _scaled(value, scale, digits):
    return _number(None if value is None else value / scale, digits)


# ---- Tables of load ----

LOAD_COLUMNS = (
    ("requests/s", lambda r: _number(r["requests_per_s"])),
    ("p50 ms", lambda r: _number(r["p50_ms"], 2)),
    ("p99 ms", lambda r: _number(r["p99_ms"], 2)),
    ("p99.9 ms", lambda r: _number(r["p999_ms"], 2)),
    ("CPU µs: worker", lambda r: _number(r.get("cpu_us_worker"), 1)),
    ("writer", lambda r: _number(r.get("cpu_us_writer"), 1)),
    ("master", lambda r: _number(r.get("cpu_us_master"), 1)),
    ("web server", lambda r: _number(r["cpu_us_web"], 1)),
    ("load", lambda r: _number(r["cpu_us_load"], 1)),
    ("idle %", lambda r: _number(r["idle_percent"])),
    ("KB written", lambda r: _scaled(r.get("written_bytes"), 1000, 1)),
    ("PSS MiB", lambda r: _scaled(r["pss_kib"], 1024, 1)),
    ("failed", lambda r: r["failed"] or ""),
)


# For long tables.
SHORT = [column for column in LOAD_COLUMNS if column[0] not in ("master", "web server", "load", "idle %")]


def _load_table(results, base=None, columns=LOAD_COLUMNS):
    """Rows of load with their rates against those of the subject `base`, or of the first one."""
    base = base or results[0]["subject"]
    rates = {r["connections"]: r["requests_per_s"] for r in results if r["subject"] == base}
    several = len({r["connections"] for r in results}) > 1
    rows = []
    for r in results:
        relative = ratio(r["requests_per_s"], rates.get(r["connections"]))
        cells = [r["subject"], _number(relative, 2), *(show(r) for _, show in columns)]
        rows.append([r["connections"], *cells] if several else cells)
    headings = ["", f"× {base}", *(name for name, _ in columns)]
    return _table(["connections", *headings] if several else headings, rows)


SECTIONS = (
    ("update", "Updating notes", "crmnotes"),
    ("refusals", "Refusing requests, 64 connections", "ceiling, plain"),
    ("apache", "Through Apache", None),
    ("growth", "With many notes stored, 64 connections", None),
    ("blocks", "With many CIDR blocks for each developer key, 64 connections", None),
    ("workers", "With pools of different size", None),
    ("sizes", "Notes of different length, 64 connections", None),
    ("overload", "More than a slow disk bears (requests/s: answered with success in time)", None),
)


def _main_table(results):
    rows = [r for r in results.get("create", ()) if r["connections"] == 64]
    return ["## Creating notes, 64 connections", "", *_load_table(rows, "crmnotes")] if rows else []


def _all_connections(results, plots):
    rows = results.get("create", ())
    if len({r["connections"] for r in rows}) < 2:
        return []
    return [
        "## Creating notes, by the number of connections",
        "",
        *_pictures(plots, "throughput", "latency"),
        *_load_table(rows, "crmnotes", SHORT),
    ]


def _pictures(plots, *stems):
    return [line for plot in plots if plot.stem in stems for line in (f"![{plot.stem}]({plot.name})", "")]


# ---- Latency against offered load ----


def _curve_cell(result):
    if result is None:
        return ""
    if not result["sustained"]:
        return f"{_number(result['requests_per_s'])} answered; {_number(result['p99_ms'])}"
    return " / ".join(_number(result[key], 1) for key in ("p50_ms", "p99_ms", "p999_ms"))


def _curve(results, plots):
    found = results.get("curve")
    if not found:
        return []
    names = list(dict.fromkeys(r["subject"] for r in found))
    by_rate = {}
    for r in found:
        by_rate.setdefault(r["offered_per_s"], {})[r["subject"]] = r
    rows = (
        [_number(rate), *(_curve_cell(here.get(name)) for name in names)]
        for rate, here in sorted(by_rate.items())
    )
    return [
        "## Latency against offered load, 64 connections",
        "",
        "Requests at a constant rate, whether there are answers or not; latency from the moment when each",
        "was due. A step is not sustained when fewer than 98 % were answered in time or the 99th percentile",
        "is over a second; it is given as what was answered a second, and its 99th percentile. Each ends",
        "with two of these.",
        "",
        *_pictures(plots, "curve"),
        *_table(["offered/s", *(f"{name}: p50 / p99 / p99.9 ms" for name in names)], rows),
    ]


# ---- The rest ----


def _memory(m):
    for when in m:
        yield f"PSS of a worker without pages of the database, {when.replace('_', ' ')}", f"{m[when]['worker_kib'] / 1024:.2f} MiB"
    yield "PSS of the whole pool, after load", f"{m['after_load']['pool_kib'] / 1024:.1f} MiB"
    if m["after_load"]["writer_kib"]:
        yield "PSS of the writer, after load", f"{m['after_load']['writer_kib'] / 1024:.1f} MiB"


def _start(s):
    yield "start to the first note stored", f"{s['median_ms']} ms"


def _imports(i):
    yield f"importing {i['contacts']:,} contacts by crmnotesctl", f"{i['seconds']} s"


def _reload(r):
    yield "longest gap in answers under load", f"{r['without']['gap_ms']} ms"
    yield f"… with {r['with']['reloads']} reloads", f"{r['with']['gap_ms']} ms, {r['with']['failed']} failed"


def _wal(w):
    yield f"largest WAL in {w['seconds']:.0f} s of load with 64 readers", f"{w['largest_wal_mib']} MiB"


def _instructions(i):
    for name, number in i["instructions"].items():
        yield f"instructions a request: {name}", f"{number:,}"


FACTS = {
    "memory": _memory,
    "start": _start,
    "reload": _reload,
    "wal": _wal,
    "imports": _imports,
    "instructions": _instructions,
}


def _besides(results):
    facts = [fact for name, of in FACTS.items() if results.get(name) for fact in of(results[name])]
    return ["## And besides", "", *_table(("", ""), facts)] if facts else []


def _machine(run):
    m = run["machine"]
    disk = m["file_system"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(m["packages"].items()))
    return [
        f"- made on {run['date']} from {run['commit']} by `{run['command']}`",
        f"- {m['processor']}, {m['cores']} cores, {m['memory_gib']} GiB; nginx, the load and what is measured share them",
        f"- {m['distribution']}, Linux {m['kernel']}",
        f"- database on {disk['type']} ({disk['device']}), where an fdatasync takes {m['fdatasync_us']} µs",
        f"- {versions}",
        "",
    ]


ABOUT = """\
Only successes are counted (what failed stands in the last column), and every acknowledged note
was found in the database afterwards. crmnotes, and what is called FULL, is durable: the answer
leaves after the fsync. What is called NORMAL may lose acknowledged notes when the power fails.

- The ceiling is a libfcgi program that does nothing: *plain* with libfcgi's own loop in 8 processes,
  each of which serves one connection at a time, so that others wait for long; *own* with the loop of
  the service and as many processes as it has.{against}
- All rows of a table with the same number of connections were measured in turns; figures are the
  middle of the rounds, and a ratio in the goals is the middle of those of each round, with the
  smallest and the largest.
- Load is wrk's, whose percentiles are corrected for coordinated omission, or, where the rate is
  given, that of tests/bench/open_load.c.
- CPU is processor time for each request by who spent it; the worker's column has all of what is
  not crmnotes. KB written is what the processes behind the web server sent to storage for each
  request (write_bytes of /proc/PID/io): pages of database, write-ahead log and log file.
"""

AGAINST = """
  What has {commit} behind its name is that commit, with its own programs and configuration."""


def page(run, plots):
    """The text of RESULTS.md."""
    results = run["results"]
    against = AGAINST.format(commit=run["against"]) if run["against"] else ""
    judged = ((g["what"], g["goal"], goals.measured(g), goals.verdict(g)) for g in run["goals"])
    lines = [
        *("# Results", "", "Written by `tests/bench/run`; do not edit.", ""),
        *_main_table(results),
        *ABOUT.format(against=against).splitlines(),
        "",
        *("## Goals", "", *_table(("", "goal", "measured", ""), judged)),
        *_curve(results, plots),
        *_all_connections(results, plots),
    ]
    for name, title, base in SECTIONS:
        if results.get(name):
            lines += [f"## {title}", "", *_load_table(results[name], base)]
    lines += [*_besides(results), "## The machine", "", *_machine(run)]
    return "\n".join(lines).rstrip() + "\n"
