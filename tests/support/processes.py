"""Starting programs, ending them by their id, and looking for what they left behind."""

import contextlib
import itertools
import os
import resource
import signal
import subprocess
from pathlib import Path

from support.wait import wait_for

SANITIZER_MARKS = (
    "ERROR: AddressSanitizer",
    "ERROR: LeakSanitizer",
    "runtime error:",
    "AddressSanitizer:DEADLYSIGNAL",
)

# A stack trace of a sanitizer is the only thing that may be slow at the end of a program.
STOP_SECONDS = 20.0


def start(command, *, log, env=None, cwd=None, **more):
    """Starts command in a session of its own; standard output and error go to the file log."""
    with open(log, "ab") as output:
        return subprocess.Popen(
            [str(word) for word in command],
            stdout=output,
            stderr=output,
            env=env,
            cwd=cwd,
            start_new_session=True,
            **{"stdin": subprocess.DEVNULL, **more},
        )


def stop(process, how=signal.SIGTERM, seconds=STOP_SECONDS):
    """Ends a process that we started and answers its exit status; KILL if it does not end."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill_session(process.pid)
        process.wait(seconds)
        raise AssertionError(f"{process.args[0]} did not end {seconds} s after signal {how}")


def alive(pid):
    """True while the process runs; a zombie counts as ended."""
    return _state(pid) not in (None, "Z")


def suspend(pid):
    """Stops a process that goes on with SIGCONT."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: _state(pid) == "T", "the process to be stopped")


def session_members(session):
    """Ids of the living processes in a session that we started."""
    return [pid for pid, _, member_of in _processes() if member_of == session]


def children(pid):
    """Ids of the living children of a process."""
    return [child for child, parent, _ in _processes() if parent == pid]


def title(pid):
    """What ps shows as its command line; empty when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()
    return ""


def mentioning(text):
    """Ids of the living processes, other than us, whose command line holds text."""
    needle = str(text).encode()
    found = []
    for pid, _, _ in _processes():
        with contextlib.suppress(OSError):
            if pid != os.getpid() and needle in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def open_files(pid):
    """What the descriptors of a process refer to; empty when it is gone."""
    found = {}
    with contextlib.suppress(OSError):
        for entry in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                found[int(entry)] = os.readlink(f"/proc/{pid}/fd/{entry}")
    return found


def waiting_for_lock(path=None):
    """Ids of the processes that wait for a lock on the file, or on any."""
    inode = f":{os.stat(path).st_ino} " if path else ""
    with open("/proc/locks") as locks:
        return [int(line.split()[5]) for line in locks if "-> FLOCK" in line and inode in line]


@contextlib.contextmanager
def limited(pid, what, value):
    """Sets a soft limit of a process of our own user, such as resource.RLIMIT_FSIZE."""
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (value, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, what, before)


def descriptors_limited(pid, room):
    """Lets a process of our own user have only so many descriptors more than now."""
    used = open_files(pid)
    free = (number for number in itertools.count() if number not in used)
    first = next(itertools.islice(free, room, None))  # that is not to be had
    return limited(pid, resource.RLIMIT_NOFILE, first)


def kill_session(session):
    for pid in session_members(session):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def assert_session_is_gone(session, seconds=5.0):
    """Nothing of the session may outlive its leader by more than a moment."""
    try:
        wait_for(lambda: not session_members(session), "the last process of a session", seconds)
    except AssertionError:
        left = session_members(session)
        kill_session(session)
        raise AssertionError(f"processes left behind: {left}") from None


def assert_no_sanitizer_line(*logs):
    for log in logs:
        text = Path(log).read_text(errors="replace") if Path(log).exists() else ""
        for mark in SANITIZER_MARKS:
            assert mark not in text, f"{log}:\n{text[text.index(mark) - 200 if text.index(mark) > 200 else 0:][:6000]}"


def assert_no_core_file(directory):
    cores = [path for path in Path(directory).rglob("core*") if path.is_file()]
    assert not cores, f"core files: {cores}"


def stat(pid):
    """The fields of /proc/PID/stat from the third one on, see proc(5); None: it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _processes():
    """(pid, parent, session) of everything that lives."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = stat(entry)
            if fields is not None and fields[0] != "Z":
                yield int(entry), int(fields[1]), int(fields[3])


def _state(pid):
    fields = stat(pid)
    return None if fields is None else fields[0]
