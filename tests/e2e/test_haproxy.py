"""HAProxy, which takes a FastCGI connection for more than one request in several ways."""

import concurrent.futures
import http.client
import socket

import pytest

from support import webservers
from support.answers import assert_error, assert_success, note_id_of
from support.paths import CALL_PATH
from support.service import Service
from support.site import Site, encode

OPTIONS = {
    "defaults": [],
    "no connection is kept": ["no option keep-conn"],
    "values are asked for": ["option get-values"],
    "several at a time": ["option mpxs-conns", "option max-reqs 16"],
    "several at a time, asked for": ["option mpxs-conns", "option max-reqs 16", "option get-values"],
}


class Behind:
    """A site behind HAProxy."""

    def __init__(self, site, service, port, several):
        self.site, self.service, self.port, self.several = site, service, port, several
        self.front = webservers.Front("haproxy", site, port)
        self.world = site.world()


@pytest.fixture(scope="module", params=OPTIONS.values(), ids=OPTIONS)
def behind(request):
    with Site(options={"workers": 1}) as site, Service(site) as service:
        with webservers.HAProxy(site, request.param) as server:
            yield Behind(site, service, server.port, "option mpxs-conns" in request.param)


def is_haproxys(answer):
    """
    An answer that HAProxy made. Where it is told to send several requests at a time on
    a connection, those that begin in the middle of another are refused, which HAProxy 2.6
    answers with an error of its own, often only when its time limit is over.
    """
    return answer.status in (500, 502, 503, 504) and answer.header("X-Request-Id") is None


def texts_of(behind, contact):
    return {note["note_id"]: note["note_content"] for note in behind.site.notes(contact)}


def test_answers_belong_to_their_requests_however_many_come_at_a_time(behind):
    """Short and long ones, good and bad ones."""

    def ask(number):
        text = f"{number} " + "x" * (number * 7919 % 60000 if number % 3 else 0)
        if number % 5 == 0:
            answer = behind.front.send(b"{")
            if behind.several and is_haproxys(answer):
                return None
            assert_error(answer, "INVALID_JSON", "Request body is not valid JSON", status=400)
            return None
        answer = behind.front.send(
            behind.world.body(note=text, contact_id=contact), headers={"Idempotency-Key": f"k{number}"}
        )
        if behind.several and is_haproxys(answer):
            return None
        assert_success(answer, contact, f'"{text}"', visibility=1)
        return note_id_of(answer), text

    contact = behind.site.add_contact(behind.world.org, behind.world.member)["contact_id"]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answered = dict(filter(None, pool.map(ask, range(80 if behind.several else 400))))
    assert answered if behind.several else len(answered) == 320
    assert texts_of(behind, contact) == answered
    assert behind.service.events("worker_died") == []


def begin(behind, body):
    """A client that has sent its request up to the middle of its body."""
    client = socket.create_connection(("127.0.0.1", behind.port), 60)
    head = f"POST {CALL_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    client.sendall(head.encode() + body[: len(body) // 2])
    return client


def end(client, body):
    client.sendall(body[len(body) // 2 :])
    answer = http.client.HTTPResponse(client, method="POST")
    answer.begin()
    return webservers.Answer(answer.status, answer.getheaders(), answer.read())


def test_slow_clients_beside_each_other(behind):
    contact = behind.site.add_contact(behind.world.org, behind.world.member)["contact_id"]
    texts = [f"{number} " + "y" * 40000 for number in range(10)]
    bodies = [encode(behind.world.body(note=text, contact_id=contact)) for text in texts]
    clients = [begin(behind, body) for body in bodies]
    stored = {}
    for client, body, text in zip(clients, bodies, texts):
        answer = end(client, body)
        client.close()
        if behind.several and is_haproxys(answer):
            continue
        assert_success(answer, contact, f'"{text}"', visibility=1)
        stored[note_id_of(answer)] = text
    assert texts_of(behind, contact) == stored
    assert texts[0] in stored.values()
    assert behind.service.events("worker_died") == []


def test_clients_that_leave_in_the_middle(behind):
    contact = behind.site.add_contact(behind.world.org, behind.world.member)["contact_id"]
    for number in range(10):
        body = encode(behind.world.body(note="gone" + 30000 * "z", contact_id=contact))
        begin(behind, body).close()
        answer = behind.front.send(behind.world.body(note=f"{number}", contact_id=contact))
        assert_success(answer, contact, f'"{number}"', visibility=1)
    assert sorted(texts_of(behind, contact).values()) == [f"{number}" for number in range(10)]
