"""
What is measured: the service, the ceiling and the peers, each behind a web server of its own
with a database of its own. A subject is a context manager; while it is open it answers on
`port`.
"""

import contextlib
import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from support import fastcgi, processes, webservers
from support.family import is_writer
from support.paths import BUILD, CALL_PATH, CONF, SOURCE
from support.service import Service, listening_socket
from support.site import WEB_USER, Site, owner_of_sites, substitute

from harness import population, usage

HERE = SOURCE / "tests" / "bench"

# As Debian ships it, and the same for all subjects, except for room for more connections, and
# the log: the time of each answer, its status, and how long the client had waited for it. It also has requests that a client gave up
# (499), and so shows clients that starve.
NGINX_LOG = "nginx-access.log"
NGINX_CONF = """\
{user}
worker_processes auto;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    log_format times '$msec $status $request_time';
    access_log {directory}/{log} times;
    sendfile on;
    tcp_nopush on;
    client_body_temp_path {directory}/nginx-body;
    fastcgi_temp_path {directory}/nginx-fastcgi;
    proxy_temp_path {directory}/nginx-proxy;
    scgi_temp_path {directory}/nginx-scgi;
    uwsgi_temp_path {directory}/nginx-uwsgi;
    include {directory}/server.conf;
}}
"""

PHP_PROCESSES = 16
PLAIN_PROCESSES = 8  # of the plain ceiling, each of which serves one connection at a time


@dataclass(frozen=True)
class Programs:
    """Programs and the configuration that is shipped with them; commit: "" for this tree."""

    commit: str
    build: Path
    conf: Path

    def named(self, what):
        return f"{what} {self.commit}".strip()

    def site(self, **more):
        programs = {"service": self.build / "crmnotes.fcgi", "ctl": self.build / "crmnotesctl"}
        return Site(**programs, conf=self.conf, **more)


THIS_TREE = Programs("", BUILD, CONF)


def filled(text, **values):
    for name, value in values.items():
        text = text.replace(f"@{name.upper()}@", str(value))
    assert "@" not in text, text[text.index("@") :][:40]
    return text


class Nginx(webservers.Nginx):
    """nginx on conf/nginx.conf as shipped, or on a peer's file."""

    access_log = NGINX_LOG
    wait_unit_ms = 1000

    def __init__(self, site, server=None, **values):
        super().__init__(site)
        self.server = server
        self.values = values

    def command(self):
        if self.server is None:
            self.conf_file("nginx.conf", "server.conf")
        else:
            text = filled(self.server.read_text(), port=self.port, **self.values)
            (self.directory / "server.conf").write_text(text)
        shutil.copy("/etc/nginx/fastcgi_params", self.directory)
        config = self.directory / "nginx.conf"
        user = f"user {WEB_USER};" if owner_of_sites() else ""
        config.write_text(NGINX_CONF.format(directory=self.directory, user=user, log=NGINX_LOG))
        return ["nginx", "-p", self.directory, "-c", config, "-e", self.directory / "nginx-error.log"]


class Apache:
    """Mixed into Apache: its log as nginx's, but in milliseconds."""

    access_log = "apache-access.log"
    wait_unit_ms = 1

    def command(self):
        command = super().command()
        config = self.directory / "httpd.conf"
        usual = '"%h %t \\"%r\\" %>s %b"'
        times = '"%{sec}t.%{msec_frac}t %>s %{ms}T"'
        config.write_text(substitute(config.read_text(), {usual: times}))
        return command


class ApacheProxyFcgi(Apache, webservers.ApacheProxyFcgi):
    pass


class ApacheFcgid(Apache, webservers.ApacheFcgid):
    pass


class Subject:
    """name: in tables and JSON; durable: an acknowledged note survives a power cut."""

    stores = True
    durable = True

    def __init__(self, name, *, programs=THIS_TREE, **shape):
        self.name = programs.named(name)
        self.programs = programs
        self.shape = shape  # of the database, see population.fill
        self.stack = contextlib.ExitStack()
        self.site = None
        self.web = None

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.site = stack.enter_context(self.programs.site(migrate=self.stores))
            if self.stores:
                population.fill(self.site, **self.shape)
            self.site.open_to_owner()
            self.web = self.start(stack)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *failure):
        self.stack.__exit__(*failure)

    def start(self, stack):
        """Starts what answers, then the web server, which it returns."""
        raise NotImplementedError

    @property
    def port(self):
        return self.web.port

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def access_log(self):
        """A line for each request: time of the answer, status, how long it took."""
        return self.site.directory / self.web.access_log

    def stored(self):
        """(notes, updates) in the database; None where nothing is stored."""
        return population.stored(self.site.database) if self.stores else None

    def service_pids(self):
        raise NotImplementedError

    def web_pids(self):
        return processes.session_members(self.web.process.pid)

    def roles(self):
        """All processes by what they do; "web" is the web server."""
        return {"worker": self.service_pids(), "web": self.web_pids()}

    def code_of(self, load):
        """The code of the errors that the load asks for, if this can answer so."""
        return load.code

    def processes_count(self):
        """How many processes answer requests."""
        return len(self.service_pids())

    def run_as_owner(self):
        """Arguments of Popen for a program that is to run as the service does."""
        owner = owner_of_sites()
        return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}


class Crmnotes(Subject):
    """
    The shipped programs with the shipped configuration, but for options; workers None: the
    default.
    """

    def __init__(self, name="crmnotes", *, workers=None, front=Nginx, options=None, **more):
        super().__init__(name, **more)
        self.options = options or {}
        self.workers_wanted = workers
        self.front = front
        self.service = None

    def start(self, stack):
        self.site.configure(**self.options)
        self.service = stack.enter_context(self.make_service())
        # The writer opens the database with the first note, and is known by that.
        first = self.service.request(encoded(population.Contact(0).body("first")))
        assert succeeded(first), first.stdout
        return stack.enter_context(self.front(self.site))

    def make_service(self):
        args = [] if self.workers_wanted is None else ["--workers", str(self.workers_wanted)]
        return Service(self.site, args=args)

    def service_pids(self):
        return processes.session_members(self.service.process.pid)

    def writer_pids(self):
        """The process that writes: of those below the master, the one with the lock file open."""
        return [pid for pid in self.service.workers() if is_writer(pid)]

    def worker_pids(self):
        return sorted(set(self.service.workers()) - set(self.writer_pids()))

    def roles(self):
        pids = {"worker": self.worker_pids(), "writer": self.writer_pids(), "web": self.web_pids()}
        return {**pids, "master": [self.service.process.pid]}

    def processes_count(self):
        return len(self.worker_pids())


class Fcgid(Subject):
    """Apache starts the service itself; the shipped file."""

    def start(self, stack):
        return stack.enter_context(ApacheFcgid(self.site))

    def service_pids(self):
        return [pid for pid in super().web_pids() if usage.command_name(pid) == "crmnotes.fcgi"]

    def web_pids(self):
        return [pid for pid in super().web_pids() if usage.command_name(pid) != "crmnotes.fcgi"]


class Ceiling(Subject):
    """A libfcgi program that does nothing, with nginx and processes as crmnotes has them."""

    stores = False

    def __init__(self, answer, processes_wanted, loop, name=None, **more):
        super().__init__(name or f"ceiling, {loop}", **more)
        self.loop = loop  # "plain" or "own", see ceiling.c
        self.answer = answer  # the CGI answer
        self.processes_wanted = processes_wanted
        self.process = None

    def start(self, stack):
        answer = self.site.directory / "answer"
        answer.write_bytes(self.answer)
        program = reachable(self.site, self.programs.build / "tests" / "bench" / "ceiling")
        with listening_socket(self.site.socket) as listening:
            self.process = processes.start(
                [program, self.loop, self.processes_wanted, answer],
                log=self.site.directory / "ceiling.log",
                stdin=listening,
                **self.run_as_owner(),
            )
        stack.callback(end, self.process)
        return stack.enter_context(Nginx(self.site))

    def service_pids(self):
        return processes.session_members(self.process.pid)

    def code_of(self, load):
        return ""

    def processes_count(self):
        return self.processes_wanted


class Peer(Subject):
    """Another language on the same schema; synchronous is FULL or NORMAL."""

    language = ""

    def __init__(self, synchronous):
        super().__init__(f"{self.language} {synchronous}")
        self.synchronous = synchronous
        self.durable = synchronous == "FULL"
        self.process = None

    def files(self):
        return HERE / "peers" / self.language.lower()

    def service_pids(self):
        return processes.session_members(self.process.pid)


class Php(Peer):
    language = "PHP"

    def start(self, stack):
        directory = self.site.directory
        script = reachable(self.site, self.files() / "notes.php")
        owner = owner_of_sites()
        values = {
            "directory": directory,
            "socket": self.site.socket,
            "user": f"user = {WEB_USER}" if owner else "",
            "children": PHP_PROCESSES,
            "database": self.site.database,
            "key_file": self.site.key_file,
            "synchronous": self.synchronous,
        }
        config = directory / "php-fpm.conf"
        config.write_text(filled((self.files() / "php-fpm.conf").read_text(), **values))
        command = [php_fpm(), "-F", "-y", config]
        if owner:
            (directory / "php-error.log").touch()
            os.chown(directory / "php-error.log", owner.pw_uid, owner.pw_gid)
        self.process = processes.start(command, log=directory / "php-fpm.log")
        stack.callback(end, self.process)
        return stack.enter_context(
            Nginx(self.site, self.files() / "nginx.conf", socket=self.site.socket, program=script)
        )

    def processes_count(self):
        return PHP_PROCESSES


class Go(Peer):
    language = "Go"

    def start(self, stack):
        environment = self.site.environment(
            DATABASE=self.site.database,
            KEY_FILE=self.site.key_file,
            SYNCHRONOUS=self.synchronous,
            LISTEN=self.site.socket,
        )
        self.process = processes.start(
            [reachable(self.site, BUILD / "bench" / "notes-go")],
            log=self.site.directory / "go.log",
            env=environment,
            **self.run_as_owner(),
        )
        stack.callback(end, self.process)
        return stack.enter_context(
            Nginx(self.site, self.files() / "nginx.conf", socket=self.site.socket)
        )


def reachable(site, program):
    """A copy that every user can reach, wherever we were built."""
    copy = site.directory / "measured" / program.name
    copy.parent.mkdir(exist_ok=True)
    shutil.copy(program, copy)
    return copy


def end(process):
    processes.stop(process)
    processes.assert_session_is_gone(process.pid)


def php_fpm():
    """php-fpm, whose name on Debian has the version in it."""
    for directory in os.environ["PATH"].split(":"):
        with contextlib.suppress(OSError):
            for name in sorted(os.listdir(directory), reverse=True):
                if name.startswith("php-fpm"):
                    return f"{directory}/{name}"
    raise FileNotFoundError("php-fpm")


def answer_of(subject, body, path):
    """What the service answers to a request, as it is."""
    response = subject.service.request(encoded(body), path=path)
    assert succeeded(response), response.stdout
    return response.stdout


def constant_answer(programs=THIS_TREE):
    """What the service answers to the creation of a note, and the size of its pool."""
    with Crmnotes(notes=0, programs=programs) as subject:
        body = population.Contact(0).body("x" * population.NOTE_BYTES)
        response = subject.service.request(encoded(body))
        assert succeeded(response), response.stdout
        return response.stdout, subject.processes_count()


def succeeded(response):
    return response.body.endswith(b'"status":"success"}')


def encoded(body):
    return json.dumps(body, separators=(",", ":")).encode()


def build():
    """Builds the ceiling and open_load, and the Go program into BUILD/bench."""
    target = BUILD / "bench"
    target.mkdir(exist_ok=True)
    subprocess.run(["make", "-s", "-C", BUILD, "tests/bench/ceiling", "tests/bench/open_load"], check=True)
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": "/usr/share/gocode",
        "GOCACHE": str(target / "go-cache"),
        "GOFLAGS": "",
    }
    subprocess.run(
        ["go", "build", "-tags", "libsqlite3", "-o", target / "notes-go", HERE / "peers" / "go" / "notes.go"],
        check=True,
        env=environment,
    )


def first_success(address, body, deadline):
    """Sends body until it is answered by a success; the time of that answer."""
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, fastcgi.Closed):
            if succeeded(fastcgi.request(address, body)):
                return time.monotonic()
        time.sleep(0.0005)
    raise AssertionError(f"no success from {address}")
