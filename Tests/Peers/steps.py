# An app tells what it did step by step, one JSON line each, the last one saying whether all of it was good. No step
# holds a token, a code or a secret.

import json
import os
import sys
import urllib.parse

from browser import Browser, read_password

TIMEOUT = 60


class Steps:
    """The lines of one run."""

    def __init__(self):
        self._good, self._statuses = True, []

    def watch(self, session):
        """A requests session whose answers are noted, and which asks no proxy."""
        def seen(response, *_, **__):
            self._statuses.append(
                [response.request.method, urllib.parse.urlsplit(response.url).path, response.status_code])

        session.hooks["response"].append(seen)
        session.trust_env = False
        return session

    def done(self, step, ok, **members):
        """Prints a step with the requests it took."""
        self._good = self._good and bool(ok)
        print(json.dumps({"step": step, "ok": bool(ok), **members, "statuses": self._statuses}), flush=True)
        self._statuses.clear()
        return bool(ok)

    def failed(self, error):
        self.done("error", False, error=f"{type(error).__name__}: {error}"[:400])

    def end(self):
        """Prints the last line and returns the exit code."""
        print(json.dumps({"step": "end", "ok": self._good}), flush=True)
        return 0 if self._good else 1


class Person:
    """Who is asked: signs in and presses a button, on the page an app sends a browser to."""

    def __init__(self, options):
        self._name, self._decision = options.person, options.decision
        self._password = read_password(options.password_file) if options.password_file else None

    def answer(self, url):
        """Where the browser was sent in the end; None when it stayed."""
        page = Browser().decide(url, self._name, self._password, self._decision)
        return page.redirected_to, page.status

    def type_code(self, url, code):
        """Opens the page of a device, types its code and decides; the status of the last page."""
        browser = Browser()
        page = browser.get(url)
        for _ in range(4):
            form = next((form for form in page.forms if form.has_password() or form.button(self._decision)
                         or any(kind == "text" for kind, *_ in form.fields)), None)
            if form is None or page.status >= 400:
                break
            pressed = form.button(self._decision)
            pairs = form.filled(self._name, self._password)
            if not form.has_password() and pressed is None:
                pairs = [(name, code if kind == "text" else value) for kind, name, value in form.fields if name]
            pressed = pressed or (form.buttons[0] if form.buttons else None)
            page = browser.submit(page, form, pairs + ([pressed[:2]] if pressed and pressed[0] else []))
        return page.status


def add_person(parser):
    """The options that say who is asked and what they answer."""
    parser.add_argument("--person")
    parser.add_argument("--password-file", help="'-' for standard input")
    parser.add_argument("--decision", default="approve", choices=["approve", "deny"])


def devices(session, base, auth=None, itself=False):
    """What the home lets the app see: the status and the operations; or, with a token for itself, its own client id."""
    if itself:
        reply = session.get(base + "/api/v1/app", auth=auth, timeout=TIMEOUT)
        return reply.status_code, [reply.json()["client_id"]] if reply.status_code == 200 else []
    reply = session.get(base + "/api/v1/devices", auth=auth, timeout=TIMEOUT)
    listed = reply.json().get("devices", []) if reply.status_code == 200 else []
    return reply.status_code, sorted(
        f"{operation['op']}@{device['name']}" for device in listed for operation in device["operations"])


def run(flow, options):
    """Runs one flow to its end, whatever comes; the process's exit code."""
    steps = Steps()
    try:
        flow(options, steps)
    except Exception as error:  # The libraries' own errors have no common root.
        steps.failed(error)
    return steps.end()


def write(path, text):
    """A private file."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def usage(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)
