"""Clients that send notes without a pause, and record the answers."""

import threading

from support.answers import note_id_of
from support.fastcgi import Closed, http_params
from support.site import encode
from support.wait import wait_for


class Load:
    """
    Clients that send notes, each with a text of its own, until told to stop.

    A connection that ends without an answer is a failure and ends its client, unless lossy:
    then the client goes on with a new connection.
    """

    def __init__(self, service, world, *, kept, fresh, lossy=False):
        self.service = service
        self.world = world
        self.lossy = lossy
        self.stop = threading.Event()
        self.answers = {}  # of every text that was answered
        self.failures = []
        work = [self._work_kept] * kept + [self._work_fresh] * fresh
        self.threads = [
            threading.Thread(target=self._work, args=[number, target])
            for number, target in enumerate(work)
        ]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait_for_answers(len(self.threads))
        return self

    def __exit__(self, *failure):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)

    def wait_for_answers(self, more):
        """Until so many more than now have come."""
        wanted = len(self.answers) + more
        wait_for(lambda: len(self.answers) >= wanted or self.failures, "answers", 60)

    def texts(self, code):
        return {text for text, answer in self.answers.items() if answer.header("X-Error-Code") == code}

    def assert_stored(self):
        """What was acknowledged is there once, and what was refused is not."""
        notes = self.service.site.notes(self.world.contact)
        stored = {note["note_id"]: note["note_content"] for note in notes}
        assert len(set(stored.values())) == len(stored)
        for text in self.texts(None):
            assert stored[note_id_of(self.answers[text])] == text
        assert not set(stored.values()) & self.texts("UNAVAILABLE")

    def _work(self, number, target):
        texts = self._texts(number)
        while not self.stop.is_set():
            try:
                target(texts)
            except (OSError, Closed) as failure:
                if not self.lossy:
                    self.failures.append(failure)
                    return
                self.stop.wait(0.02)

    def _texts(self, number):
        count = 0
        while not self.stop.is_set():
            count += 1
            yield f"{number} {count}"

    def _body(self, text):
        return encode(self.world.body(note=text))

    def _work_kept(self, texts):
        with self.service.connect(30) as connection:
            for text in texts:
                body = self._body(text)
                self.answers[text] = connection.request(http_params(body), body, keep=True)

    def _work_fresh(self, texts):
        for text in texts:
            self.answers[text] = self.service.request(self._body(text), timeout=30)
