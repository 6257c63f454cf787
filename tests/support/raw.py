"""Requests to the service without a web server, answered as support.answers compares them."""

from support import fastcgi
from support.answers import assert_error
from support.site import encode


def as_answer(response):
    """Without the line that tells the web server the HTTP status."""
    response.code = response.header("X-Error-Code")
    response.http_status = response.status
    response.headers = [pair for pair in response.headers if pair[0] != "Status"]
    return Answer(response)


class Answer:
    """The same attributes as an answer that came through a web server."""

    def __init__(self, response):
        self.status = response.http_status
        self.headers = response.headers
        self.body = response.body
        self.code = response.code
        self.app_status = response.app_status
        self.protocol_status = response.protocol_status

    def header(self, name, default=None):
        values = [value for known, value in self.headers if known.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else default


def send(service, body=b"", **http):
    """One request on a connection of its own; body as bytes or as what json.dumps takes."""
    data = body if isinstance(body, bytes) else encode(body)
    return as_answer(service.request(data, **http))


def send_on(connection, body=b"", *, keep=True, **http):
    """One request on a connection that is kept."""
    data = body if isinstance(body, bytes) else encode(body)
    return as_answer(connection.request(fastcgi.http_params(data, **http), data, keep=keep))


def ask(connection, **http):
    """A request that is answered without the database."""
    answer = connection.request(fastcgi.http_params(b"{", **http), b"{", keep=True)
    assert_error(answer, "INVALID_JSON", "Request body is not valid JSON", status=400)


def code(service, body=b"", **http):
    """The error's code, None for success."""
    return send(service, body, **http).code
