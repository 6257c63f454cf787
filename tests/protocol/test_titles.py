"""What ps shows of the processes of a service."""

import os
from pathlib import Path

import pytest

from support import processes
from support.wait import wait_for


def of_role(service, role):
    return [pid for pid in service.workers() if processes.title(pid).startswith(f"crmnotes.fcgi: {role}")]


def test_titles_name_the_roles(start):
    service = start({"workers": 2})
    arguments = f"({service.site.program()} --config {service.site.config})"
    assert processes.title(service.process.pid) == f"crmnotes.fcgi: master {arguments}"
    wait_for(lambda: len(of_role(service, "worker")) == 2, "both workers")
    titles = sorted(processes.title(pid) for pid in service.workers())
    assert titles == [
        f"crmnotes.fcgi: worker 0 {arguments}",
        f"crmnotes.fcgi: worker 1 {arguments}",
        f"crmnotes.fcgi: writer {arguments}",
    ]


def test_a_single_process_has_a_title(start):
    service = start(single=True)
    assert processes.title(service.process.pid).startswith("crmnotes.fcgi: single (")


def test_the_name_of_the_program_stays(start):
    """For pgrep and killall."""
    service = start({"workers": 1})
    for pid in [service.process.pid, *service.workers()]:
        assert Path(f"/proc/{pid}/comm").read_text().strip() == "crmnotes.fcgi"


@pytest.mark.parametrize("single", [False, True], ids=["pool", "single"])
def test_the_environment_is_used_and_not_shown(start, single):
    service = start(env={"CRMNOTES_MAX_NOTE_BYTES": "4321", "CANARY": "canary-in-the-environment"}, single=single)
    world = service.site.world()
    answer = service.call(world.body(note="x" * 4322))
    assert dict(answer.headers)["X-Error-Code"] == "INVALID_FIELDS"
    for pid in [service.process.pid, *service.workers()]:
        assert "canary" not in processes.title(pid)
        if os.geteuid() == 0:
            assert b"canary" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_all_of_a_pool_work_in_batches_without_turns_in_between(start):
    service = start({"workers": 2})
    wait_for(lambda: len(service.workers()) == 3, "two workers and a writer")
    for pid in (service.process.pid, *service.workers()):
        assert os.sched_getscheduler(pid) == os.SCHED_BATCH
