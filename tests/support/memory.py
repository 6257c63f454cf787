"""The memory of processes, as the kernel counts it."""

from pathlib import Path

import pytest

from support.paths import CTL

MIB = 1024  # in KiB


# A mark of tests that look at the memory of crmnotesctl.
of_crmnotesctl = pytest.mark.skipif(
    CTL.exists() and b"__asan_init" in CTL.read_bytes(), reason="AddressSanitizer keeps what was freed"
)


def of(pid, file, name):
    """A figure in KiB of a file of /proc."""
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def pss(pids):
    return sum(of(pid, "smaps_rollup", "Pss") for pid in pids)


class Memory:
    """What processes take beyond what they have now, in MiB."""

    def __init__(self, pids):
        self.pids = pids
        self.pss = pss(self.pids)
        self.rss = {pid: of(pid, "smaps_rollup", "Rss") for pid in self.pids}
        for pid in self.pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew

    def more(self):
        return (pss(self.pids) - self.pss) / MIB

    def peak(self):
        """The sum of all peaks, as if they had been at the same moment."""
        return sum(of(pid, "status", "VmHWM") - self.rss[pid] for pid in self.pids) / MIB
