"""Compares the answers that clients got with the content of the database."""

import collections
import contextlib
import http.client
import json
import sqlite3
import threading
import time
from dataclasses import dataclass, field

from support.paths import CALL_PATH
from support.site import encode

SENT = "sent"
ACKNOWLEDGED = "acknowledged"
REFUSED = "refused"
UNKNOWN = "unknown"

# Errors that do not say that the note was not stored.
UNCERTAIN = ("OUTCOME_UNKNOWN",)

# All clients send note_visibility 1.
HIDDEN = "SELECT count(*) FROM notes WHERE visible = 0"

STORED = """
    SELECT lower(hex(note_id)), content FROM notes
    UNION ALL
    SELECT lower(hex(note_id)), content FROM note_revisions
"""


@dataclass
class Entry:
    content: str
    state: str = SENT
    note_id: str | None = None  # as acknowledged
    code: str = ""  # of the error, or the HTTP status when the service sent none


@dataclass
class Verdict:
    """Markers by what is wrong with them; all empty when nothing is."""

    lost: list = field(default_factory=list)
    altered: list = field(default_factory=list)
    doubled: list = field(default_factory=list)
    refused_but_stored: list = field(default_factory=list)
    never_sent: list = field(default_factory=list)

    def is_good(self):
        return not any(vars(self).values())

    def __str__(self):
        return ", ".join(f"{len(v)} {name} {v[:3]}" for name, v in vars(self).items() if v) or "good"


class Ledger:
    """Entries by marker, the first word of each note. Safe for threads."""

    def __init__(self):
        self.entries = {}
        self._lock = threading.Lock()

    def enter(self, marker, content):
        with self._lock:
            assert marker not in self.entries
            self.entries[marker] = Entry(content)

    def settle(self, marker, state, *, note_id=None, code=""):
        with self._lock:
            entry = self.entries[marker]
            entry.state, entry.note_id, entry.code = state, note_id, code

    def count(self, state):
        with self._lock:
            return sum(entry.state == state for entry in self.entries.values())

    def codes(self):
        """How often each error came."""
        with self._lock:
            return collections.Counter(e.code for e in self.entries.values() if e.code)

    def summary(self):
        states = ", ".join(f"{self.count(s)} {s}" for s in (ACKNOWLEDGED, REFUSED, UNKNOWN, SENT))
        return f"{states}; errors {dict(self.codes())}"

    def judge(self, database):
        """Compares with a database after the last write."""
        return self.judge_rows(read_notes(database))

    def judge_rows(self, rows):
        verdict = Verdict()
        stored = collections.defaultdict(list)
        for note_id, content in rows:
            stored[content.partition(" ")[0]].append((note_id, content))
        for marker, copies in stored.items():
            if marker not in self.entries:
                verdict.never_sent.append(marker)
            if len(copies) > 1:
                verdict.doubled.append(marker)
        for marker, entry in self.entries.items():
            copies = stored.get(marker, [])
            if entry.state == ACKNOWLEDGED and not copies:
                verdict.lost.append(marker)
            elif entry.state == REFUSED and copies:
                verdict.refused_but_stored.append(marker)
            if copies and not _agrees(entry, *copies[0]):
                verdict.altered.append(marker)
        return verdict


def _agrees(entry, note_id, content):
    same_note = entry.note_id is None or entry.note_id.replace("-", "") == note_id
    return same_note and content == entry.content


def read_notes(database):
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as connection:
        return connection.execute(STORED).fetchall()


def assert_sound(database):
    """All pages and references of the file are valid, and every note is as it was sent."""
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as connection:
        assert connection.execute(HIDDEN).fetchone() == (0,)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def classify(status, headers, body):
    """(state, note id, code) that an HTTP answer tells; headers with names in lower case."""
    code = headers.get("x-error-code", "")
    if status == 200 and not code:
        answer = json.loads(body)
        assert answer["status"] == "success", body
        return ACKNOWLEDGED, answer["data"]["note_id"], ""
    if not code or code in UNCERTAIN:
        return UNKNOWN, None, code or str(status)
    return REFUSED, None, code


class Client(threading.Thread):
    """
    Sends notes one after another over a kept connection and records the answers.

    Every fifth request updates a note that it got acknowledged before. With repeats, each
    has an Idempotency-Key, and is sent so many times more while its outcome is unknown.
    """

    def __init__(self, port, ledger, world, dice, *, name, contacts=None, sizes=(20, 400), limit=None, repeats=0):
        super().__init__(name=name, daemon=True)
        self.port = port
        self.ledger = ledger
        self.world = world
        self.dice = dice
        self.contacts = contacts or [world.contact]
        self.sizes = sizes
        self.limit = limit
        self.repeats = repeats
        self.ending = threading.Event()
        self.failure = None
        self._mine = []  # (note, contact) acknowledged
        self._connection = None

    def run(self):
        number = 0
        try:
            while not self.ending.is_set() and (self.limit is None or number < self.limit):
                number += 1
                self.one(f"{self.name}-{number}")
        except Exception as failure:  # for the thread that waits for this one
            self.failure = failure
        finally:
            self._drop()

    def end(self):
        self.ending.set()

    def one(self, marker):
        update = bool(self._mine) and self.dice.random() < 0.2
        note_id, contact = self.dice.choice(self._mine) if update else ("", self.dice.choice(self.contacts))
        content = f"{marker} {'x' * self.dice.randint(*self.sizes)}"
        self.ledger.enter(marker, content)
        body = encode(self.world.body(contact_id=contact, note_id=note_id, note=content))
        state, told_id, code = self._send(body, marker)
        for _ in range(self.repeats if state == UNKNOWN else 0):
            self.ending.wait(0.1)
            again, told_id, _ = self._send(body, marker)
            if again == ACKNOWLEDGED:  # a refusal says nothing about the first attempt
                state, code = again, ""
                break
        assert state != ACKNOWLEDGED or told_id == (note_id or told_id), "an update made a note"
        self.ledger.settle(marker, state, note_id=told_id, code=code)
        if state == ACKNOWLEDGED and len(self._mine) < 50:
            self._mine.append((told_id, contact))

    def _send(self, body, key):
        try:
            return self._exchange(body, key)
        except (OSError, http.client.HTTPException) as failure:
            self._drop()
            self.ending.wait(0.02)  # the web server may be starting
            return UNKNOWN, None, type(failure).__name__

    def _exchange(self, body, key):
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        headers = {"Content-Type": "application/json"}
        if self.repeats:
            headers["Idempotency-Key"] = key
        self._connection.request("POST", CALL_PATH, body, headers)
        answer = self._connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return classify(answer.status, headers, answer.read())

    def _drop(self):
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def start_clients(count, port, ledger, world, dice, **more):
    clients = [
        Client(port, ledger, world, type(dice)(dice.random()), name=f"c{i}.{time.monotonic_ns()}", **more)
        for i in range(count)
    ]
    for client in clients:
        client.start()
    return clients


def end_clients(clients, seconds=120):
    """Lets every client finish the request in hand."""
    for client in clients:
        client.end()
    join_clients(clients, seconds)


def join_clients(clients, seconds=120):
    deadline = time.monotonic() + seconds
    for client in clients:
        client.join(max(0.0, deadline - time.monotonic()))
        assert not client.is_alive(), f"{client.name} did not end"
        if client.failure is not None:
            raise client.failure
