"""A service with a monitor, and what that tells."""

import contextlib
import json
import re

from support import fastcgi, processes
from support.service import Service
from support.site import Site

METRIC = re.compile(r'([a-z_]+)(?:\{([^}]*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="([^"]*)"')


class Monitored:
    """A service with a monitor."""

    def __init__(self, service):
        self.service = service
        self.socket = service.site.directory / "status.sock"

    def ask(self, **how):
        """As fastcgi.request."""
        return fastcgi.request(self.socket, of_calls=False, **how)

    def get(self, path, method="GET", accept=None):
        return self.ask(method=method, path=path, headers={"Accept": accept} if accept else {})

    def json(self, path):
        response = self.get(path)
        assert response.header("Content-Type") == "application/json"
        return json.loads(response.body)

    def metrics(self):
        """{(name, labels): value}, labels as a frozenset of pairs."""
        response = self.get("/metrics")
        assert response.status == 200
        found = {}
        for line in response.body.decode().splitlines():
            if line.startswith("#"):
                continue
            name, labels, value = METRIC.fullmatch(line).groups()
            key = (name.removeprefix("crmnotes_"), frozenset(LABEL.findall(labels or "")))
            assert key not in found, line
            found[key] = float(value)
        return found

    def metric(self, name, **labels):
        return self.metrics().get((name, frozenset(labels.items())))

    def pids(self, role):
        """Of the processes of a role."""
        children = processes.children(self.service.process.pid)
        return [pid for pid in children if f": {role}" in processes.title(pid)]

    def pid(self, role):
        (pid,) = self.pids(role)
        return pid


@contextlib.contextmanager
def monitored(**options):
    with Site(options=options) as site:
        site.open_to_owner()
        site.configure(status_listen=f"unix:{site.directory}/status.sock")
        with Service(site) as service:
            yield Monitored(service)
