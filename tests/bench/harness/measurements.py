"""
All that a run measures: one function for each, which takes a Plan and answers what goes into
the JSON. MEASUREMENTS is the table of them.
"""

import contextlib
import signal
import statistics
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from support.service import Service
from support.site import Site

from harness import instructions as callgrind
from harness import alike, crowd, generators, load, overload as overloading, population, subjects, usage
from harness.generators import Load
from harness.subjects import Crmnotes, Fcgid

MIB = 1024 * 1024


@dataclass
class Plan:
    """How much is measured."""

    directory: Path  # for what several subjects use
    seconds: int = 10  # of one timed run
    warm: int = 2
    rounds: int = 3
    connections: tuple = (1, 8, 64, 256)
    apache_connections: tuple = (8, 64)
    note_counts: tuple = (10_000, 1_000_000, 10_000_000)
    block_counts: tuple = (1, 10_000)
    note_sizes: tuple = (100, 4096, 61440)
    crowd: int = 1_000_000  # contacts to look one up among
    worker_counts: tuple = (1, 2, 4, 8, 16, 64)
    curve_rates: tuple = (
        250, 500, 1000, 1250, 1600, 2000, 2500, 3150, 4000, 5000, 6300, 8000,
        10000, 12500, 16000, 20000, 25000, 31500, 40000, 50000, 63000, 80000,
    )  # fmt: skip
    wal_times: int = 60  # as long as a timed run
    starts: int = 9
    reloads: int = 5
    record: bool = False  # instructions.json is written instead of compared
    against: object = None  # subjects.Programs of another commit
    peers: bool = True
    show: object = print
    files: dict = field(default_factory=dict)

    def bodies(self, **what):
        """The file of request bodies, written once."""
        key = tuple(sorted(what.items()))
        if key not in self.files:
            name = "-".join(["bodies", *(f"{name}-{value}" for name, value in key)])
            self.files[key] = population.write_bodies(self.directory / name, **what)
        return self.files[key]

    def load(self, connections, bodies=None, **more):
        more = {"warm": self.warm, **more}
        return Load(bodies or self.bodies(), connections, self.seconds, **more)

    def compare(self, those, connections, bodies=None, rounds=None, **more):
        sent = self.load(connections, bodies, **more)
        return self.turns([(subject.name, subject, sent) for subject in those], rounds)

    def turns(self, those, rounds=None):
        return load.compare(those, rounds=rounds or self.rounds, show=self.show)


QUICK = {
    "seconds": 1,
    "warm": 0,
    "rounds": 1,
    "connections": (64,),
    "apache_connections": (8,),
    "note_counts": (10_000, 30_000),
    "block_counts": (1, 1000),
    "crowd": 10_000,
    "worker_counts": (2,),
    "curve_rates": (500, 2000),
    "wal_times": 3,
    "starts": 2,
    "reloads": 1,
}


@contextlib.contextmanager
def opened(*those):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(subject) for subject in those]


def services(plan, **more):
    """crmnotes, and that of another commit where one is wanted."""
    wanted = (subjects.THIS_TREE, plan.against)
    return [Crmnotes(programs=programs, **more) for programs in wanted if programs]


def ceilings(plan):
    """
    Both kinds, and the service's own loop of another commit. The plain one is a yardstick, so
    it has the same number of processes whatever the service has.
    """
    answer, workers = subjects.constant_answer()
    found = [
        subjects.Ceiling(answer, subjects.PLAIN_PROCESSES, "plain"),
        subjects.Ceiling(answer, workers, "own"),
    ]
    if plan.against:
        answer, workers = subjects.constant_answer(plan.against)
        found.append(subjects.Ceiling(answer, workers, "own", programs=plan.against))
    return found


def peers(plan):
    made = (subjects.Php("FULL"), subjects.Php("NORMAL"), subjects.Go("FULL"), subjects.Go("NORMAL"))
    return made if plan.peers else ()


def create(plan):
    """Creating notes over 10,000 contacts: the ceiling, crmnotes, and its peers."""
    results = []
    ours, others = services(plan), peers(plan)
    with opened(*ceilings(plan), *ours, *others) as all_of_them:
        alike.check(ours[0], others)
        for connections in plan.connections:
            results += plan.compare(all_of_them, connections)
    return results


def update(plan):
    """Updating notes; the former version of each is kept. With 64 connections: all as in create."""
    bodies = plan.bodies(update=True)
    results = []
    ours = services(plan)
    with opened(*ceilings(plan), *ours, *peers(plan)) as all_of_them:
        for connections in plan.connections:
            those = all_of_them if connections == 64 else ours
            results += plan.compare(those, connections, bodies, update=True)
    return results


REFUSALS = {"wrong key": "INVALID_API_KEY", "wrong owner": "NOT_OWNER"}
# Failures are counted as always, but not limited.
UNLIMITED = {"credential_failures": "1000000/1s", "contact_failures": "1000000/1s"}


def refusals(plan):
    """Requests that are refused, for a wrong key and for a contact of another member."""
    with opened(*ceilings(plan), *services(plan, options=UNLIMITED)) as those:
        turns = []
        for subject in those:
            for what, code in REFUSALS.items() if subject.stores else [("", "")]:
                name = f"{subject.name}, {what}" if what else subject.name
                bodies = plan.bodies(code=code) if code else None
                turns.append((name, subject, plan.load(64, bodies, code=code)))
        return plan.turns(turns)


SUSTAINED = 0.98  # of what was offered, answered in time
LONGEST_P99_MS = 1000


def _sustained(result):
    enough = result["requests_per_s"] >= SUSTAINED * result["offered_per_s"]
    return enough and result["p99_ms"] <= LONGEST_P99_MS and not result["failed"]


def curve(plan):
    """Latency from when a request was due, against offered load, until each has not followed twice."""
    generators.check_open_load()
    durable = [one for one in peers(plan) if one.durable]
    results = []
    with opened(Crmnotes(), *durable) as left:
        for subject in left:
            generators.wrk(subject, plan.load(64), max(1, plan.warm))
        before = {subject.name: True for subject in left}
        for rate in plan.curve_rates:
            found = plan.compare(left, 64, rate=rate, warm=0)
            for result in found:
                result["sustained"] = _sustained(result)
            now = {result["subject"]: result["sustained"] for result in found}
            left = [one for one in left if now[one.name] or before[one.name]]
            results, before = results + found, now
            if not left:
                break
    return results


def reading(plan, subject, name, body, path):
    """The subject, and the ceiling of each kind that answers what it does."""
    answer = subjects.answer_of(subject, body, path)
    counts = (("plain", subjects.PLAIN_PROCESSES), ("own", subject.processes_count()))
    return [subjects.Ceiling(answer, count, loop, name=f"ceiling, {loop}, {name}") for loop, count in counts]


def fetch(plan):
    """Fetching a contact with 20 notes of 200 bytes, against a ceiling that answers the same bytes."""
    bodies = population.write_fetches(plan.directory / "fetches")
    sent = plan.load(64, bodies, path=population.FETCH, reads=True)
    shape = {"notes": 20 * population.CONTACT_COUNT, "note_bytes": 200}
    with opened(Crmnotes("crmnotes, fetch", **shape)) as (ours,):
        ceilings_ = reading(plan, ours, "fetch", population.fetch_body(population.Contact(0)), population.FETCH)
        with opened(*ceilings_):
            return plan.turns([(one.name, one, sent) for one in (*ceilings_, ours)])


def lookup(plan):
    """Looking a contact up among a million of one organization, by what people know of it."""
    shape = {"notes": 0, "crowd": plan.crowd}
    with opened(Crmnotes("crmnotes, lookup", **shape)) as (ours,):
        mixed = population.lookup_body(crowd.Person(0).email)
        ceilings_ = reading(plan, ours, "lookup", mixed, population.LOOKUP)
        with opened(*ceilings_):
            kinds = {"mix": crowd.MIX, **{name: (kind,) for name, kind in crowd.KINDS.items()}}
            turns = [(one.name, one, _lookups(plan, "mix", crowd.MIX)) for one in ceilings_]
            turns += [(f"crmnotes, lookup by {name}", ours, _lookups(plan, name, those))
                      for name, those in kinds.items()]  # fmt: skip
            return plan.turns(turns)


def _lookups(plan, name, kinds):
    path = plan.directory / f"lookups-{name.replace(' ', '-')}"
    if not path.exists():
        texts = crowd.texts(20_000, plan.crowd, kinds)
        population.write_lines(path, map(population.lookup_body, texts))
    return plan.load(64, path, path=population.LOOKUP, reads=True)


def beside(plan):
    """Creating notes at full speed, alone and beside 64 clients that fetch contacts all the time."""
    fetches = population.write_fetches(plan.directory / "fetches")
    results = []
    with opened(Crmnotes(notes=20 * population.CONTACT_COUNT, note_bytes=200)) as (subject,):
        for _ in range(plan.rounds):
            results.append(("alone", load.run(subject, plan.load(64))))
            sent = Load(fetches, 64, plan.seconds + 2 * plan.warm + 2, path=population.FETCH, reads=True)
            readers = threading.Thread(target=generators.wrk, args=(subject, sent, sent.seconds))
            readers.start()
            results.append(("beside 64 readers", load.run(subject, plan.load(64))))
            readers.join()
    merged = [
        {**load.median([one for what, one in results if what == name]), "subject": name}
        for name in ("alone", "beside 64 readers")
    ]
    for result in merged:
        plan.show(result)
    return merged


def apache(plan):
    """Creating notes through Apache: mod_proxy_fcgi, and mod_fcgid, which starts processes itself."""
    proxy = Crmnotes("mod_proxy_fcgi", front=subjects.ApacheProxyFcgi)
    results = []
    with opened(proxy, Fcgid("mod_fcgid")) as those:
        for connections in plan.apache_connections:
            results += plan.compare(those, connections)
    return results


def growth(plan):
    """Creating notes where there are many already."""
    those = [Crmnotes(f"{count:,} notes", notes=count) for count in plan.note_counts]
    with opened(*those):
        results = plan.compare(those, 64, rounds=2 * plan.rounds - 1)
        for subject, result in zip(those, results, strict=True):
            result["notes_before"] = subject.shape["notes"]
            result["database_mib"] = round(subject.site.database.stat().st_size / MIB)
    return results


def blocks(plan):
    """Creating notes where every developer key has that many CIDR blocks."""
    those = [Crmnotes(f"{count:,} blocks", blocks=count) for count in plan.block_counts]
    with opened(*those):
        return plan.compare(those, 64, rounds=2 * plan.rounds - 1)


def sizes(plan):
    """Creating notes of different lengths."""
    with opened(Crmnotes()) as (subject,):
        return plan.turns(
            [
                (f"{size:,} bytes", subject, plan.load(64, plan.bodies(note_bytes=size)))
                for size in plan.note_sizes
            ]
        )


def workers(plan):
    """Creating notes with pools of different size."""
    those = [Crmnotes(f"{count} workers", workers=count) for count in plan.worker_counts]
    with opened(*those):
        return plan.compare(those, 64) + plan.compare(those, 256)


def memory(plan):
    """PSS of an idle pool: fresh, and after load; of workers without the pages of the database."""
    with opened(Crmnotes()) as (subject,):
        fresh = _pool_memory(subject)
        load.run(subject, plan.load(64, warm=0))
        after = _pool_memory(subject)
    result = {"fresh": fresh, "after_load": after}
    for when, kib in result.items():  # fresh: after a single note
        plan.show(
            f"{when}: worker {kib['worker_kib']} KiB, writer {kib['writer_kib']} KiB,"
            f" whole pool {kib['pool_kib']} KiB"
        )
    return result


def _pool_memory(subject):
    database = subject.service.site.database
    each = [usage.pss_without_kib(pid, database) for pid in subject.worker_pids()]
    return {
        "worker_kib": statistics.median(each),
        "worker_max_kib": max(each),
        "workers": len(each),
        "writer_kib": usage.pool_pss_kib(subject.writer_pids()),
        "master_kib": usage.pss_kib(subject.service.process.pid),
        "pool_kib": usage.pool_pss_kib(subject.service_pids()),
    }


class Readers(threading.Thread):
    """
    64 readers of the database, each of which holds a read transaction for 50 ms, again and
    again: at every moment one of them still reads an older state.
    """

    COUNT = 64
    HOLD_SECONDS = 0.05

    def __init__(self, database):
        super().__init__(daemon=True)
        self.database = database
        self.ended = threading.Event()
        self.looks = 0

    def run(self):
        with contextlib.ExitStack() as stack:
            readers = [
                stack.enter_context(population.connect(self.database, "ro")) for _ in range(self.COUNT)
            ]
            while not self.ended.is_set():
                for reader in readers:
                    if reader.in_transaction:
                        reader.execute("COMMIT")
                    reader.execute("BEGIN")
                    reader.execute("SELECT org_id FROM orgs LIMIT 1").fetchone()
                    self.looks += 1
                    time.sleep(self.HOLD_SECONDS / self.COUNT)


class Sampler(threading.Thread):
    """The largest value of something that is looked at every 50 ms."""

    def __init__(self, look):
        super().__init__(daemon=True)
        self.look = look
        self.ended = threading.Event()
        self.largest = 0

    def run(self):
        while not self.ended.wait(0.05):
            self.largest = max(self.largest, self.look())


def wal(plan):
    """The size of the write-ahead log under load, while 64 others read all the time."""
    with opened(Crmnotes()) as (subject,):
        file = Path(f"{subject.site.database}-wal")
        readers = Readers(subject.site.database)
        sampler = Sampler(lambda: file.stat().st_size)
        readers.start()
        sampler.start()
        try:
            result = load.run(subject, Load(plan.bodies(), 64, plan.wal_times * plan.seconds, warm=0))
        finally:
            for thread in (readers, sampler):
                thread.ended.set()
                thread.join()
    result["largest_wal_mib"] = round(sampler.largest / MIB, 1)
    result["looks_of_readers"] = readers.looks
    plan.show(result)
    plan.show(f"largest WAL: {result['largest_wal_mib']} MiB")
    return result


def start(plan):
    """From the start of the program to the first note that it has stored."""
    body = subjects.encoded(population.Contact(0).body("x" * population.NOTE_BYTES))
    times = []
    with Site() as site:
        population.fill(site)
        for _ in range(plan.starts):
            began = time.monotonic()
            service = Service(site).start(wait=False)
            try:
                times.append(subjects.first_success(service.address, body, began + 20) - began)
            finally:
                service.stop()
                service.assert_clean()
    result = {"starts": len(times), "median_ms": round(statistics.median(times) * 1e3, 1),
              "longest_ms": round(max(times) * 1e3, 1)}  # fmt: skip
    plan.show(f"first note after {result['median_ms']} ms (longest of {len(times)}: {result['longest_ms']} ms)")
    return result


def imports(plan):
    """Importing a crowd of contacts from a file, without a service beside it."""
    path = crowd.write_csv(plan.directory / "contacts.csv", plan.crowd)
    with Site() as site:
        world = site.world()
        began = time.monotonic()
        whose = ("--org", world.org, "--owner", world.member)
        done = site.ctl_raw("contact", "import", path, *whose, seconds=600)
        seconds = time.monotonic() - began
        if done.returncode != 0 or f"ADDED {plan.crowd}" not in " ".join(done.stdout.split()):
            raise RuntimeError(f"contact import: {done.stdout}{done.stderr}")
    plan.show(f"{plan.crowd:,} contacts in {seconds:.1f} s")
    return {"contacts": plan.crowd, "seconds": round(seconds, 1)}


def reload(plan):
    """The longest time without an answer under load, without and with reloads (HUP)."""
    result = {}
    with opened(Crmnotes()) as (subject,):
        for name, reloads in (("without", 0), ("with", plan.reloads)):
            result[name] = _gap(plan, subject, reloads)
    plan.show(
        f"longest gap in answers: {result['without']['gap_ms']} ms, "
        f"{result['with']['gap_ms']} ms over {plan.reloads} reloads; failed: {result['with']['failed']}"
    )
    return result


def _gap(plan, subject, reloads):
    seconds = max(plan.seconds, reloads + 1)
    log_began = subject.access_log.stat().st_size
    stopped = threading.Event()

    def send():
        for _ in range(reloads):
            if not stopped.wait(seconds / (reloads + 1)):
                subject.service.signal(signal.SIGHUP)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        found = load.run(subject, Load(plan.bodies(), 16, seconds, warm=0))
    finally:
        stopped.set()
        sender.join()
    times = []
    with open(subject.access_log, encoding="ascii", errors="replace") as log:
        log.seek(log_began)
        for line in log:
            fields = line.split()
            if len(fields) == 3 and fields[1] == "200":
                times.append(float(fields[0]))
    times.sort()
    gap = max(b - a for a, b in zip(times, times[1:], strict=False))
    return {"gap_ms": round(gap * 1e3, 1), "succeeded": found["succeeded"], "failed": found["failed"],
            "first_failure": found["first_failure"], "reloads": reloads}  # fmt: skip


def overload(plan):
    """Creating notes on a slow disk, with as many requests as it bears and with four times as many."""
    return overloading.measure(plan)


def instructions(plan):
    """Instructions a request, by callgrind: of a process by itself, of a worker, of the writer."""
    return callgrind.measure(record=plan.record, show=plan.show)


MEASUREMENTS = {
    function.__name__: function
    for function in (
        instructions, create, curve, update, refusals, fetch, lookup, beside, apache, growth, blocks, sizes, workers, memory, start, reload, wal,
        imports, overload,
    )
}  # fmt: skip
