"""Workers that read: beside commits that take long, and from a file that they cannot read."""

import os
import threading
import time

from support.answers import assert_error
from support.calls import FETCH, data_of, fetch_body
from support.family import send, waits_for_lock, writer_of, writers_held_up
from support.raw import as_answer
from support.site import encode
from support.wait import wait_for

NOT_READ = "The service is not available. Try again."


def notes_of(service, world, **fields):
    return data_of(as_answer(service.call(fetch_body(world, include_notes=1, **fields), path=FETCH)))["notes"]


def test_reads_go_on_while_a_commit_takes_long(start):
    service = start({"workers": 1})
    world = service.site.world()
    data_of(as_answer(service.call(world.body())))
    with service.connect() as waiting:
        with writers_held_up(service.site):
            send(waiting, encode(world.body(note="waits")))
            wait_for(lambda: waits_for_lock(writer_of(service)), "the writer at the lock")
            began = time.monotonic()
            for _ in range(100):
                assert len(notes_of(service, world)) == 1
            assert time.monotonic() - began < 2
        data_of(as_answer(waiting.read_response()))
    assert len(notes_of(service, world)) == 2


def test_a_read_sees_what_was_answered_before_it_was_sent(start):
    """Beside others who read all the time, so that reads wait for each other."""
    service = start({"workers": 1})
    world = service.site.world()
    is_over = threading.Event()

    def read_on():
        while not is_over.is_set():
            notes_of(service, world)

    others = [threading.Thread(target=read_on) for _ in range(6)]
    for thread in others:
        thread.start()
    try:
        for number in range(60):
            data_of(as_answer(service.call(world.body(note=f"note {number}"))))
            assert notes_of(service, world, notes_limit=1)[0]["note_content"] == f"note {number}"
    finally:
        is_over.set()
        for thread in others:
            thread.join()


def test_what_cannot_be_read_costs_its_answer_and_no_worker(start):
    """The database file loses its end, as if a disk could not read it any more."""
    service = start({"workers": 1})
    world, database = service.site.world(), service.site.database
    for number in range(40):
        data_of(as_answer(service.call(world.body(note=f"{number} ".ljust(4000, "x")))))
    service.stop()  # writes all of the WAL to the file
    service.start()
    (worker,) = set(service.workers()) - {writer_of(service)}
    # with a commit in the WAL, SQLite does not ask for the size of the file
    data_of(as_answer(service.call(world.body(contact_id=world.second_contact, member_id=world.second_member))))
    assert len(notes_of(service, world)) == 40
    content = database.read_bytes()
    os.truncate(database, 8192)
    answer = as_answer(service.call(fetch_body(world, include_notes=1), path=FETCH))
    assert_error(answer, "UNAVAILABLE", NOT_READ, status=503, also=["retry-after"])
    event = service.wait_for_event("read_failed")
    assert event["message"] == "a part of the database file cannot be read any more"
    with open(database, "r+b") as file:
        file.write(content)

    def is_back():
        answer = as_answer(service.call(fetch_body(world, include_notes=1), path=FETCH))
        return answer.status == 200 and len(data_of(answer)["notes"]) == 40

    wait_for(is_back, "the notes")
    assert worker in service.workers()
