"""Fixtures for the fault tests. tests/faults/run sets the variables."""

import os
import random
import shutil
import tempfile
from pathlib import Path

import pytest

from faults import preload


@pytest.fixture(scope="session")
def is_long():
    return os.environ.get("FAULTS_LONG") == "yes"


@pytest.fixture(scope="session")
def scale():
    """How much of the short form is done: half of it in tests/run without --all."""
    return 0.5 if os.environ.get("FAULTS_BRIEF") == "yes" else 1


@pytest.fixture
def dice(request):
    """Random numbers of this test; the seed is printed so that a run can be repeated."""
    seed = os.environ.get("FAULTS_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"{request.node.name}: --seed {seed}")
    return random.Random(f"{seed} {request.node.name}")


@pytest.fixture(scope="session")
def libraries():
    """A function that compiles preload/NAME.c and answers the library's path."""
    directory = Path(tempfile.mkdtemp(prefix="crmnotes-preload-"))
    directory.chmod(0o755)
    yield lambda name: preload.build(name, directory)
    shutil.rmtree(directory)


@pytest.fixture
def faults(libraries, site):
    """Faults to be switched on and off in programs that run with faults.environment."""
    with preload.Faults(libraries("faults"), site) as made:
        yield made
