# What was asked, taken apart once, and what comes back.

import base64
import json
import urllib.parse

FORM = "application/x-www-form-urlencoded"


class Answer:
    """A JSON body unless it is bytes already."""

    def __init__(self, status, body, **headers):
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes):
            self.data = body
        else:
            self.data = json.dumps(body).encode()
            self.headers.setdefault("Content-Type", "application/json")


class Refused(Exception):
    """A request that the vendor would not take: `why` is for the log, the answer for the client."""

    def __init__(self, why, answer):
        super().__init__(why)
        self.why, self.answer = why, answer


class Parameters(dict):
    """Parameters of a query or a form; one that comes twice is an error."""

    def __init__(self, text):
        super().__init__()
        for name, value in urllib.parse.parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)):
            if name in self:
                raise ValueError(f"{name} twice")
            self[name] = value


class Asked:
    """One request; `notes` go into the log."""

    def __init__(self, method, url, headers, body):
        self.method, self.url, self.body = method, url, body
        self.headers = {name.lower(): value for name, value in headers.items()}
        parts = urllib.parse.urlsplit(url)
        self.path = parts.path
        # HOST/PATH, as the vendor's own address would have it.
        self.place = parts.path.lstrip("/")
        self.query = Parameters(parts.query)
        self.is_form = self.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
        self.form = Parameters(body.decode()) if self.is_form else Parameters("")
        self.notes = {}

    @property
    def authorization(self):
        """The scheme in lower case, and what follows it."""
        scheme, _, rest = self.headers.get("authorization", "").partition(" ")
        return scheme.lower(), rest.strip()

    def basic(self):
        """User and password as they stand in a Basic header, not decoded any further; None without one."""
        scheme, rest = self.authorization
        if scheme != "basic":
            return None
        user, colon, password = base64.b64decode(rest, validate=True).decode().partition(":")
        return (user, password) if colon else None
