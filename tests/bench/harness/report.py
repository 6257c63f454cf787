"""Results for people on the terminal: a table, and ratios within a run."""

from harness.load import EACH_ROUND

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


def row(results, measurement, subject, connections=64):
    for result in results.get(measurement, ()):
        if result["subject"] == subject and result["connections"] == connections:
            return result
    return None


def ratio(over, under):
    return None if over is None or not under else over / under


def ratios(over, under, key="requests_per_s"):
    """One figure of two results, round by round, in order; empty if one was not measured."""
    if over is None or under is None:
        return []
    pairs = zip(over["each_round"][key], under["each_round"][key], strict=True)
    return sorted(a / b for a, b in pairs if b)


def middle(values):
    return values[len(values) // 2] if values else None


def against_lines(results, measurement, commit):
    """
    This tree against another commit, by round. On a busy machine the processor time of the
    service says more than the rate.
    """
    for under in results.get(measurement, ()):
        name, what, rest = under["subject"].partition(f" {commit}")
        over = row(results, measurement, name + rest, under["connections"]) if what else None
        found = {key: ratios(over, under, key) for key in EACH_ROUND}
        if all(found.values()):
            figures = ", ".join(
                f"{key} {middle(values):.3f} × ({values[0]:.3f}–{values[-1]:.3f})"
                for key, values in found.items()
            )
            yield f"{over['subject']} against {name + what + rest}, {under['connections']} connections: {figures}"
