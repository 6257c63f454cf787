"""crmnotes.fcgi without a web server: started in each of its ways, stopped, and inspected."""

import fcntl
import signal
import socket

from support import fastcgi, processes
from support.log import LogReader
from support.site import encode, owner_of_sites
from support.wait import free_port, wait_for


class Service:
    """
    A running crmnotes.fcgi on a site.

    listen: "unix" (by the configuration), "tcp" (--listen 127.0.0.1:PORT), "inherited"
    (a listening socket as descriptor 0), "listen_fds" (as systemd passes one).
    single adds --single, which needs an inherited socket unless args say otherwise.
    As root it runs as www-data unless as_owner is False.

    Used as a context manager it asserts at the end that the program ended cleanly and left
    nothing behind.
    """

    def __init__(self, site, *, listen="unix", single=False, args=(), env=None, as_owner=True):
        self.site = site
        self.listen = listen
        self.single = single
        self.args = list(args)
        self.env = env or {}
        self.as_owner = as_owner
        self.process = None
        self.address = None
        self.log = site.directory / "service.log"
        self._reader = LogReader()

    def __enter__(self):
        return self.start()

    def __exit__(self, failure, *_):
        if self.process is None:
            return
        status = self.stop()
        if failure is None:
            assert status == 0, f"ended with {status}:\n{self.log_text()[-4000:]}"
        self.assert_clean()

    def start(self, wait=True):
        command, more, inherited = self._command()
        owner = owner_of_sites() if self.as_owner else None
        if owner:
            self.site.open_to_owner()
            more.update(user=owner.pw_uid, group=owner.pw_gid, extra_groups=[])
        self.process = processes.start(
            command,
            log=self.log,
            env=self.site.environment(**self.env, **more.pop("env", {})),
            cwd=self.site.directory,
            **more,
        )
        if inherited is not None:
            inherited.close()
        if wait:
            try:
                self.wait_until_it_answers()
            except BaseException:
                processes.kill_session(self.process.pid)
                raise
        return self

    def wait_until_it_answers(self, seconds=20.0):
        wait_for(self._answers, f"an answer from {self.address}", seconds)

    def stop(self, how=signal.SIGTERM):
        """Ends the master and answers its exit status."""
        return processes.stop(self.process, how)

    def assert_clean(self):
        processes.assert_session_is_gone(self.process.pid)
        processes.assert_no_sanitizer_line(self.log)
        processes.assert_no_core_file(self.site.directory)
        if self.listen == "unix":
            assert not self.site.socket.exists(), f"{self.site.socket} was left behind"

    def signal(self, how):
        self.process.send_signal(how)

    def workers(self):
        """Ids of the master's living children."""
        return processes.children(self.process.pid)

    def connect(self, timeout=15.0):
        return fastcgi.Connection(self.address, timeout)

    def request(self, body=b"", **http):
        """One request on its own connection; arguments as for fastcgi.http_params."""
        return fastcgi.request(self.address, body, **http)

    def call(self, body, **http):
        """The same, with a body as json.dumps takes it."""
        return self.request(encode(body), **http)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def events(self, event=None, **members):
        """The log's lines as dicts, or those of one event with these members; others are an error."""
        read = wait_for(self._read_whole_lines, "the end of the log's last line")
        assert None not in read.events, self.log_text()[-4000:]
        chosen = read.events if event is None else _chosen(read.events, event, members)
        return [dict(one) for one in chosen]

    def wait_for_event(self, event, seconds=15.0, says="", **members):
        """The first logged event of that name with these members, whose message holds `says`."""

        def found():
            chosen = _chosen(self._reader.read(self.log).events, event, members)
            return next((dict(one) for one in chosen if says in one.get("message", "")), None)

        return wait_for(found, f"event {event} {members} {says}", seconds)

    def _read_whole_lines(self):
        """None while a line is being written: a reader can see the first part of one write."""
        read = self._reader.read(self.log)
        return None if read.rest else read

    def _command(self):
        command = [self.site.program(), "--config", self.site.config, *self.args]
        if self.single:
            command.append("--single")
        if self.listen == "unix":
            self.address = self.site.socket
            return command, {}, None
        if self.listen == "tcp":
            self.address = ("127.0.0.1", free_port())
            return [*command, "--listen", f"127.0.0.1:{self.address[1]}"], {}, None
        self.site.configure(listen=None)
        self.address = self.site.socket
        inherited = listening_socket(self.address)
        if self.listen == "inherited":
            return command, {"stdin": inherited}, inherited
        assert self.listen == "listen_fds", self.listen
        return _by_listen_fds(command, inherited)

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}:\n{self.log_text()[-4000:]}")
        try:
            return self.request(method="GET", path="/").status == 404
        except (OSError, fastcgi.Closed):
            return False


def _chosen(events, event, members):
    """In the order of the log; lines that are no JSON are none of these."""
    return (
        one for one in events if one and one.get("event") == event and members.items() <= one.items()
    )


class Listening:
    """A service at another address than the one of its configuration."""

    def __init__(self, service, address):
        self.service = service
        self.address = address

    def __enter__(self):
        self.service.start(wait=False)
        self.service.address = self.address
        self.service.wait_until_it_answers()

    def __exit__(self, *failure):
        self.service.__exit__(*failure)


def listening_socket(path):
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.bind(str(path))
    path.chmod(0o666)
    made.listen(511)
    return made


def _by_listen_fds(command, inherited):
    """LISTEN_PID must be the id of the program itself, so a shell sets it and becomes it."""
    high = fcntl.fcntl(inherited.fileno(), fcntl.F_DUPFD, 10)
    inherited.close()
    script = 'export LISTEN_PID=$$; exec "$@" 3<&"$PASSED" {PASSED}<&-'
    command = ["/bin/bash", "-c", script, "bash", *command]
    keep = socket.socket(fileno=high)
    return command, {"pass_fds": (high,), "env": {"LISTEN_FDS": "1", "PASSED": high}}, keep
