"""
More requests than can be answered in time. A slow disk sets the capacity, not the processor:
nginx and the load share the processors with the service, and would take from it what they need
for four times as many requests.

Goodput is what is answered with success within request_timeout of when it was due. What is
refused with Retry-After is no failure here.
"""

from faults import preload
from support.service import Service

from harness import generators
from harness.subjects import Crmnotes

SYNC_MS = 200
REQUEST_TIMEOUT = 2  # seconds; at first queues of about 800 requests take two thirds of it
CONNECTIONS = 900  # more than those
CLOSED_LOOP_CONNECTIONS = 256  # as many as the requests that four workers have in hand
FACTORS = (1, 4)


class OnSlowDisk(Crmnotes):
    """The service, with a library before libc's fsync."""

    def __init__(self, directory):
        super().__init__("crmnotes, slow disk", options={"request_timeout": REQUEST_TIMEOUT})
        self.directory = directory

    def make_service(self):
        library = preload.build("slow", self.directory)
        library.chmod(0o755)
        self.disk = preload.SlowDisk(library, self.site)
        return Service(self.site, env=self.disk.environment)


def measure(plan):
    with OnSlowDisk(plan.directory) as subject:
        subject.disk.set(SYNC_MS)
        warm = plan.load(CLOSED_LOOP_CONNECTIONS)
        capacity = round(generators.wrk(subject, warm, max(2, plan.warm))["requests_per_s"])
        plan.show(f"capacity with {CLOSED_LOOP_CONNECTIONS} connections: {capacity}/s")
        good = {"good_ms": REQUEST_TIMEOUT * 1000, "warm": 0}
        results = plan.turns(
            [
                (f"{factor} × capacity", subject, plan.load(CONNECTIONS, rate=factor * capacity, **good))
                for factor in FACTORS
            ]
        )
        subject.disk.set(0)
    for result in results:
        plan.show(f"{result['subject']}: {result['offered_per_s']} offered a second; in all "
                  f"{result['good']} good, {result['refused']} refused, "
                  f"{result['succeeded'] - result['good']} late, {result['failed']} failed")  # fmt: skip
    return results
