"""One process alone, as under mod_fcgid."""

import contextlib

from support.answers import assert_success, note_id_of
from support.family import serves
from support.fastcgi import http_params
from support.load import Load
from support.service import Listening, Service
from support.site import Site, encode


def test_a_single_process_has_no_children_and_keeps_many_connections():
    with Site() as site, Service(site, single=True) as service, contextlib.ExitStack() as stack:
        world = site.world()
        kept = [stack.enter_context(service.connect()) for _ in range(30)]
        for number, connection in enumerate(kept):
            body = encode(world.body(note=f"{number}"))
            answer = connection.request(http_params(body), body, keep=True)
            assert_success(answer, world.contact, f'"{number}"', visibility=1)
        assert service.workers() == []
        assert serves(service)
        assert len(site.notes(world.contact)) == 30


def test_several_single_processes_share_a_database():
    with Site() as site, contextlib.ExitStack() as stack:
        world = site.world()
        loads = []
        for number in range(3):
            path = site.directory / f"{number}.sock"
            service = Service(site, single=True, args=["--listen", f"unix:{path}"])
            service.log = site.directory / f"{number}.log"
            stack.enter_context(Listening(service, path) or contextlib.nullcontext())
            loads.append(Load(service, world, kept=1, fresh=1))
        with contextlib.ExitStack() as under_load:
            for load in loads:
                under_load.enter_context(load)
            for load in loads:
                load.wait_for_answers(20)
        for load in loads:
            assert load.failures == []
            assert load.texts(None) == load.answers.keys()
        contents = [note["note_id"] for note in site.notes(world.contact)]
        acknowledged = [note_id_of(answer) for load in loads for answer in load.answers.values()]
        assert sorted(contents) == sorted(acknowledged)
