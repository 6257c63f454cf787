"""
What a disk may hold after a power cut, from a record of what was done to it.

The model: what was written to a file before a sync of it began is on the disk once that
sync has ended. Everything else that was written may be there or not, each write by itself,
in any order, and cut at a sector.
"""

import contextlib
import mmap
import os
import sqlite3
import struct
from dataclasses import dataclass, field

from faults.preload import environment
from support.site import owner_of_sites

WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, ANSWER, UNEXPECTED = range(1, 7)
DATABASE, WAL = 1, 2
HEAD = struct.Struct("<QIIQQ")
SECTOR_BYTES = 512
UUID_LEN = 36


class Recorder:
    """Records what programs that are started with `environment` do to a site's database."""

    def __init__(self, library, site, **more):
        self.site = site
        site.configure(sandbox="no")  # the recorder writes files in the service's name
        self.directory = site.directory / "record"
        self.directory.mkdir()
        self.directory.chmod(0o700)
        (self.directory / "counter").write_bytes(bytes(8))
        owner = owner_of_sites()
        if owner:
            for path in (self.directory, self.directory / "counter"):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self.before, self.after = self._images(), None
        self.environment = environment(
            library, RECORD_DATABASE=site.database, RECORD_DIRECTORY=self.directory, **more
        )

    def finish(self):
        """To be called after the programs have ended and before the database is opened again."""
        self.after = self._images()

    def _images(self):
        database = self.site.database
        files = {DATABASE: database, WAL: database.with_name(f"{database.name}-wal")}
        return {file: path.read_bytes() for file, path in files.items()}

    def events(self):
        """All that was recorded, in order."""
        found = []
        for path in self.directory.iterdir():
            if path.name != "counter":
                found += _events_of(path)
        found.sort(key=lambda event: event.number)
        assert [event.number for event in found] == list(range(len(found))), "the record has gaps"
        odd = [event for event in found if event.event == UNEXPECTED]
        assert not odd, f"not foreseen: {bytes(odd[0].data)} of file {odd[0].file}"
        return found


@dataclass(slots=True)
class Event:
    number: int
    event: int
    file: int
    offset: int
    data: memoryview


def _events_of(path):
    with open(path, "rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    at, found = 0, []
    while at < len(view):
        number, event, which, offset, length = HEAD.unpack_from(view, at)
        at += HEAD.size
        found.append(Event(number, event, which, offset, view[at : at + length]))
        at += length
    return found


@dataclass
class Disk:
    """One file: what is certainly on the disk, and what was done since, in order."""

    durable: bytearray
    pending: list = field(default_factory=list)
    at_sync: int = 0  # how many of the pending a sync that has begun covers

    def do(self, event):
        if event.event in (WRITE, TRUNCATE):
            self.pending.append(event)
        elif event.event == SYNC_BEGIN:
            self.at_sync = len(self.pending)
        elif event.event == SYNC_END:
            for done in self.pending[: self.at_sync]:
                apply(self.durable, done)
            del self.pending[: self.at_sync]
            self.at_sync = 0

    def after_cut(self, dice, way):
        image = bytearray(self.durable)
        for event in choose(self.pending, dice, way):
            apply_torn(image, event, dice) if way == "tear" else apply(image, event)
        return image


def choose(pending, dice, way):
    """Which of the writes that were not synced reached the disk, and in which order."""
    if way == "keep all":
        return pending
    if way == "keep none":
        return []
    if way == "keep first":
        return pending[: dice.randint(0, len(pending))]
    kept = [event for event in pending if dice.random() < 0.5]
    dice.shuffle(kept)
    return kept


WAYS = ("keep all", "keep none", "keep first", "drop some", "drop some", "tear", "tear")


def apply(image, event):
    if event.event == TRUNCATE:
        del image[event.offset :]
        image.extend(bytes(event.offset - len(image)))
    else:
        put(image, event.offset, event.data)


def put(image, offset, data):
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(data)] = data


def apply_torn(image, event, dice):
    """Applies a write sector by sector, without some of them."""
    if event.event == TRUNCATE:
        apply(image, event)
        return
    at, end = event.offset, event.offset + len(event.data)
    while at < end:
        until = min(end, (at // SECTOR_BYTES + 1) * SECTOR_BYTES)
        if dice.random() < 0.7:
            put(image, at, event.data[at - event.offset : until - event.offset])
        at = until


@dataclass
class Cut:
    """The result of one cut."""

    number: int
    way: str
    damaged: str  # what integrity_check says; empty when it is content
    lost: set  # notes that were acknowledged and are not there

    def is_good(self):
        return not self.damaged and not self.lost


def cut_points(events, count, dice):
    """Places between events, half of them right after an answer, where a loss would show."""
    answers = [i + 1 for i, event in enumerate(events) if event.event == ANSWER]
    assert answers, "no answer was recorded"
    points = [dice.choice(answers) for _ in range(count // 2)]
    points += [dice.randint(answers[0], len(events)) for _ in range(count - len(points))]
    return sorted(points)


def play(before, events, points):
    """Yields (point, disks, acknowledged so far) for each of the points, which are in order."""
    disks = {file: Disk(bytearray(image)) for file, image in before.items()}
    acknowledged, done = set(), 0
    for point in points:
        for event in events[done:point]:
            if event.event == ANSWER:
                acknowledged.add(bytes(event.data).decode())
            else:
                disks[event.file].do(event)
        done = point
        yield point, disks, acknowledged


def write_images(images, directory):
    """A database as the next start finds it: -shm does not survive."""
    target = directory / "crmnotes.db"
    for file, name in ((DATABASE, "crmnotes.db"), (WAL, "crmnotes.db-wal")):
        (directory / name).write_bytes(images[file])
    (directory / "crmnotes.db-shm").unlink(missing_ok=True)
    return target


def look_into(database):
    """(complaint, {note id: content}) of a database after a cut."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        try:
            answer = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            broken = connection.execute("PRAGMA foreign_key_check").fetchone()
            rows = connection.execute("SELECT hex(note_id), content FROM notes").fetchall()
        except sqlite3.DatabaseError as failure:
            return str(failure), {}
    complaint = "" if answer == "ok" and not broken else f"{answer} {broken}"
    return complaint, {as_uuid(note_id): content for note_id, content in rows}


def as_uuid(digits):
    d = digits.lower()
    return f"{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:]}"


def make_cuts(recorder, events, count, dice, directory, contents, check=lambda database: None):
    """Cuts the power `count` times and answers the result of each."""
    cuts = []
    for point, disks, acknowledged in play(recorder.before, events, cut_points(events, count, dice)):
        way = dice.choice(WAYS)
        images = {file: disk.after_cut(dice, way) for file, disk in disks.items()}
        database = write_images(images, directory)
        complaint, notes = look_into(database)
        lost = {n for n in acknowledged if notes.get(n) != contents.get(n, notes.get(n, ""))}
        lost |= acknowledged - notes.keys()
        cuts.append(Cut(point, way, complaint, lost))
        check(database)
    return cuts
