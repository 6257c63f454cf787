"""
Real web servers on the files in conf/, each on a free loopback port.

What is changed in those files, by exact strings, is all in REPLACED below: addresses and
paths. The rest of each server's configuration, which a distribution brings, is written here.
"""

import contextlib
import http.client
import os
import signal
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from support import processes
from support.paths import CALL_PATH, CONF
from support.service import Service
from support.site import WEB_USER, encode, owner_of_sites, substitute
from support.wait import free_port, wait_for

KINDS = ("nginx", "apache-proxy-fcgi", "apache-fcgid", "spawn-fcgi")

# Strings of the shipped files and what stands in their place in a test.
REPLACED = {
    "nginx.conf": {
        "listen 80;": "listen 127.0.0.1:{port};",
        "listen [::]:80;": "",
        "unix:/run/crmnotes/crmnotes.sock": "unix:{socket}",
        "unix:/run/crmnotes/status.sock": "unix:{status}",
    },
    "apache-proxy-fcgi.conf": {
        '"unix:/run/crmnotes/crmnotes.sock|': '"unix:{socket}|',
        '"unix:/run/crmnotes/status.sock|': '"unix:{status}|',
    },
    "apache-fcgid.conf": {
        'Alias "/apis" "/usr/lib/crmnotes/': 'Alias "/apis" "{programs}/',
        'FcgidWrapper "/usr/lib/crmnotes/': 'FcgidWrapper "{programs}/',
        'FcgidCmdOptions "/usr/lib/crmnotes/': 'FcgidCmdOptions "{programs}/',
        "CRMNOTES_CONFIG=/etc/crmnotes/crmnotes.conf": "CRMNOTES_CONFIG={config}",
    },
}

NGINX_CONF = """\
{user}
worker_processes 2;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log;
events {{ worker_connections 512; }}
http {{
    access_log {directory}/nginx-access.log;
    client_body_temp_path {directory}/nginx-body;
    fastcgi_temp_path {directory}/nginx-fastcgi;
    proxy_temp_path {directory}/nginx-proxy;
    scgi_temp_path {directory}/nginx-scgi;
    uwsgi_temp_path {directory}/nginx-uwsgi;
    default_type text/plain;
    include {directory}/crmnotes-nginx.conf;
}}
"""

APACHE_MODULES = Path("/usr/lib/apache2/modules")
APACHE_CONF = """\
ServerRoot {directory}
ServerName localhost
DocumentRoot {directory}/htdocs
Listen 127.0.0.1:{port}
PidFile {directory}/apache.pid
DefaultRuntimeDir {directory}
ErrorLog {directory}/apache-error.log
{load}
{user}
StartServers 1
ThreadsPerChild 32
MaxRequestWorkers 64
LogFormat "%h %t \\"%r\\" %>s %b" common
CustomLog {directory}/apache-access.log common
{more}
<Directory />
    AllowOverride None
    Require all denied
</Directory>
Include {directory}/crmnotes-apache.conf
"""
APACHE_BASE_MODULES = ("mpm_event", "authz_core", "authz_host")
FCGID_CONF = """\
FcgidIPCDir {directory}/fcgid
FcgidProcessTableFile {directory}/fcgid/shm
"""


@dataclass
class Answer:
    """An HTTP answer as it came."""

    status: int
    headers: list
    body: bytes

    def header(self, name, default=None):
        values = [value for known, value in self.headers if known.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else default


class WebServer:
    """A web server in the foreground; subclasses write its configuration."""

    def __init__(self, site, replace=None):
        self.site = site
        self.replace = replace or {}
        self.directory = site.directory
        self.port = free_port()
        self.log = self.directory / "webserver.log"
        self.process = None

    def __enter__(self):
        self.site.open_to_owner()
        self.process = processes.start(
            self.command(), log=self.log, cwd=self.directory, env=self.site.environment()
        )
        try:
            wait_for(self._listens, f"{self.process.args[0]} on port {self.port}")
        except BaseException:
            processes.kill_session(self.process.pid)
            raise
        return self

    def __exit__(self, *failure):
        processes.stop(self.process)
        processes.assert_session_is_gone(self.process.pid)
        processes.assert_no_sanitizer_line(self.log, *self.directory.glob("*-error.log"))

    def conf_file(self, name, target):
        """The file of conf/ with REPLACED and this server's own replacements."""
        values = {
            "port": self.port,
            "socket": self.site.socket,
            "status": self.site.directory / "status.sock",
            "programs": self.site.program().parent,
            "config": self.site.config,
        }
        text = (self.site.conf / name).read_text()
        known = {old: new.format(**values) for old, new in REPLACED[name].items()}
        (self.directory / target).write_text(substitute(substitute(text, known), self.replace))

    def _listens(self):
        if self.process.poll() is not None:
            logs = [self.log, *self.directory.glob("*-error.log")]
            raise AssertionError("\n".join(log.read_text() for log in logs if log.exists()))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status > 0
        except OSError:
            return False
        finally:
            connection.close()


class Nginx(WebServer):
    def command(self):
        self.conf_file("nginx.conf", "crmnotes-nginx.conf")
        config = self.directory / "nginx.conf"
        user = f"user {WEB_USER};" if owner_of_sites() else ""
        config.write_text(NGINX_CONF.format(directory=self.directory, user=user))
        early = self.directory / "nginx-error.log"
        return ["nginx", "-p", self.directory, "-c", config, "-e", early]


class Apache(WebServer):
    conf_name = ""
    modules = ()
    more = ""

    def command(self):
        self.conf_file(self.conf_name, "crmnotes-apache.conf")
        (self.directory / "htdocs").mkdir(exist_ok=True)
        load = [
            f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so"
            for name in (*APACHE_BASE_MODULES, *self.modules)
        ]
        user = f"User {WEB_USER}\nGroup {WEB_USER}" if owner_of_sites() else ""
        config = self.directory / "httpd.conf"
        config.write_text(
            APACHE_CONF.format(
                directory=self.directory,
                port=self.port,
                load="\n".join(load),
                user=user,
                more=self.more.format(directory=self.directory),
            )
        )
        return ["apache2", "-f", config, "-DFOREGROUND"]


class ApacheProxyFcgi(Apache):
    conf_name = "apache-proxy-fcgi.conf"
    modules = ("env", "proxy", "proxy_fcgi")


class ApacheFcgid(Apache):
    """Starts the service itself."""

    conf_name = "apache-fcgid.conf"
    modules = ("alias", "fcgid")
    more = FCGID_CONF

    def command(self):
        ipc = self.directory / "fcgid"
        ipc.mkdir(exist_ok=True)
        owner = owner_of_sites()
        if owner:
            os.chown(ipc, owner.pw_uid, owner.pw_gid)
        return super().command()


HAPROXY_CONF = """\
global
    {user}
    {settings}
defaults
    mode http
    timeout connect 20s
    timeout client 60s
    timeout server 5s
frontend web
    bind 127.0.0.1:{port}
    default_backend service
backend service
    use-fcgi-app crmnotes
    http-reuse always
    server crmnotes unix@{socket} proto fcgi
fcgi-app crmnotes
    docroot /
    {options}
"""


class HAProxy(WebServer):
    """
    Of this one conf/ has no file. options are lines of its section fcgi-app. One thread, so
    that requests share connections as far as the options allow.
    """

    def __init__(self, site, options=()):
        super().__init__(site)
        self.options = options

    def command(self):
        config = self.directory / "haproxy.cfg"
        config.write_text(
            HAPROXY_CONF.format(
                user=f"user {WEB_USER}\n    group {WEB_USER}" if owner_of_sites() else "",
                settings="nbthread 1",
                port=self.port,
                socket=self.site.socket,
                options="\n    ".join(self.options),
            )
        )
        return ["haproxy", "-db", "-f", config]


class SpawnFcgi:
    """The pool as conf/spawn-fcgi.sh starts it: in the background, its log in a file."""

    def __init__(self, site):
        self.site = site
        self.pid = None
        self.log = site.directory / "service.log"
        self.sanitizer = site.directory / "sanitizer"

    def __enter__(self):
        self.site.configure(listen=None, log=self.log)
        self.site.open_to_owner()
        environment = self.site.environment(
            PROGRAM=self.site.program(),
            CONFIG=self.site.config,
            RUN=self.site.directory,
            SERVICE_USER=WEB_USER,
            WEB_GROUP=WEB_USER,
            ASAN_OPTIONS=f"log_path={self.sanitizer}",
            UBSAN_OPTIONS=f"log_path={self.sanitizer}:print_stacktrace=1",
        )
        done = processes.start(
            [CONF / "spawn-fcgi.sh"], log=self.site.directory / "spawn.log", env=environment
        )
        assert done.wait(20) == 0, (self.site.directory / "spawn.log").read_text()
        self.pid = int((self.site.directory / "crmnotes.pid").read_text())
        return self

    def __exit__(self, *failure):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        wait_for(lambda: not processes.alive(self.pid), "the end of the pool", 20)
        wait_for(
            lambda: not processes.mentioning(self.site.config), "the end of the pool's workers", 5
        )
        reports = list(self.site.directory.glob("sanitizer.*"))
        assert not reports, reports[0].read_text()[:6000]


@dataclass
class Front:
    """A site behind a web server, as a client sees it."""

    # Called for each answer of the service, as support.fastcgi.Connection.look.
    look = None

    kind: str
    site: object
    port: int

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self):
        return self.origin + CALL_PATH

    def send(self, body, *, method="POST", path=CALL_PATH, headers=None):
        """One request; body as bytes or as what json.dumps takes."""
        data = body if body is None or isinstance(body, bytes) else encode(body)
        return self._exchange(method, path, data, headers or {})

    def send_chunks(self, pieces):
        """One request whose body is sent in chunks, without a Content-Length."""
        return self._exchange("POST", CALL_PATH, pieces, {"Transfer-Encoding": "chunked"})

    def _exchange(self, method, path, data, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Content-Type": "application/json", **headers}
            chunked = "Transfer-Encoding" in headers
            connection.request(method, path, data, headers, encode_chunked=chunked)
            answer = connection.getresponse()
            return self._seen(method, path, Answer(answer.status, answer.getheaders(), answer.read()))
        finally:
            connection.close()


    @staticmethod
    def _seen(method, path, answer):
        """Answers without a request id are the web server's own."""
        if Front.look is not None and answer.header("X-Request-Id"):
            asked = urllib.parse.unquote(path.partition("?")[0])
            Front.look(method, asked, answer.status, answer.headers, answer.body)
        return answer


@contextlib.contextmanager
def front(kind, site, replace=None):
    """The site behind a web server of that kind, service included, until the end of the block."""
    with contextlib.ExitStack() as stack:
        if kind == "spawn-fcgi":
            stack.enter_context(SpawnFcgi(site))
        elif kind != "apache-fcgid":
            stack.enter_context(Service(site))
        server = {"apache-proxy-fcgi": ApacheProxyFcgi, "apache-fcgid": ApacheFcgid}.get(kind, Nginx)
        running = stack.enter_context(server(site, replace))
        yield Front(kind, site, running.port)
