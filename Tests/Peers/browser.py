#!/usr/bin/env python3
# A person with a browser and nothing else: it knows no page of ours by name, only what forms and buttons say, and it
# never carries a password or cookie to another origin. Standard library only.

import argparse
import http.cookiejar
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser

TIMEOUT = 60
MAXIMUM_STEPS = 12
WORDS = {
    "approve": ("approve", "allow", "authorize", "authorise", "accept", "yes"),
    "deny": ("deny", "do not allow", "refuse", "cancel", "no"),
}
TAKE_BACK = "take back"


@dataclass
class Form:
    action: str
    method: str
    # (kind, name, value); kind is the input's type, or "submit" for buttons.
    fields: list = field(default_factory=list)
    # (name, value, label) of what can be pressed.
    buttons: list = field(default_factory=list)
    # Pieces of the text of the section around it, the form's own included.
    around: list = field(default_factory=list)

    def has_password(self):
        return any(kind == "password" for kind, _, _ in self.fields)

    def button(self, decision):
        """The button that stands for a decision, or None: by its value first, then its name, then its label."""
        for part in (1, 0, 2):
            for word in WORDS[decision]:
                for candidate in self.buttons:
                    if candidate[part].strip().lower() == word:
                        return candidate
        return None

    def labelled(self, label):
        """The button that says just this, or None."""
        return next((button for button in self.buttons if " ".join(button[2].split()).lower() == label), None)

    def is_about(self, text):
        return text.lower() in " ".join(" ".join(self.around).split()).lower()

    def filled(self, person, password):
        """Name and value pairs, the first text input being the name and the password input the password."""
        pairs, named = [], False
        for kind, name, value in self.fields:
            if kind == "password":
                value = password
            elif kind in ("text", "email") and self.has_password() and not named:
                value, named = person, True
            if name:
                pairs.append((name, value))
        return pairs


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.title, self.pin, self.forms = "", None, []
        self._form = self._button = self._inside = None
        self._section = []

    def handle_starttag(self, tag, attributes):
        given = {name: value or "" for name, value in attributes}
        if self._inside is None and {"pin", "verifier"} & {given.get("id"), *given.get("class", "").split()}:
            self._inside, self.pin = tag, self.pin or ""
        if tag == "title":
            self._inside = tag
        elif tag == "section":
            self._section = []
        elif tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower(), around=self._section)
            self.forms.append(self._form)
        elif self._form and tag == "input":
            kind = given.get("type", "text").lower()
            if kind in ("submit", "image"):
                self._form.buttons.append((given.get("name", ""), given.get("value", ""), given.get("value", "")))
            elif kind not in ("checkbox", "radio") or "checked" in given:
                self._form.fields.append((kind, given.get("name", ""), given.get("value", "")))
        elif self._form and tag == "button" and given.get("type", "submit").lower() == "submit":
            self._button = [given.get("name", ""), given.get("value", ""), ""]

    def handle_data(self, data):
        self._section.append(data)
        if self._inside == "title":
            self.title += data
        elif self._inside:
            self.pin += data
        if self._button:
            self._button[2] += data

    def handle_endtag(self, tag):
        if tag == self._inside:
            self._inside = None
        if tag == "section":
            self._section = []
        elif tag == "form":
            self._form = None
        elif tag == "button" and self._button:
            if self._form:
                self._form.buttons.append(tuple(self._button))
            self._button = None


@dataclass
class Page:
    status: int
    url: str
    title: str = ""
    pin: str | None = None
    forms: list = field(default_factory=list)
    # Where the site sends the browser when that is another origin; not followed.
    redirected_to: str | None = None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def origin(url):
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Browser:
    """One browser with its cookies; redirects are followed within an origin only."""

    def __init__(self):
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _NoRedirects(),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def get(self, url):
        return self._go(url, None, "none")

    def submit(self, page, form, pairs):
        """Sends a form the way browsers do, `Origin` included."""
        target = urllib.parse.urljoin(page.url, form.action or page.url)
        body = urllib.parse.urlencode(pairs)
        if form.method != "post":
            return self._go(target.partition("?")[0] + "?" + body, None, "same-origin")
        return self._go(target, body.encode(), "same-origin", origin(page.url))

    def _go(self, url, body, site, sender=None):
        for _ in range(MAXIMUM_STEPS):
            request = urllib.request.Request(url, data=body, headers={
                "Accept": "text/html", "User-Agent": "Keyholder test browser", "Sec-Fetch-Site": site})
            if sender and body is not None:
                request.add_header("Origin", sender)
            try:
                reply = self._opener.open(request, timeout=TIMEOUT)
            except urllib.error.HTTPError as error:
                reply = error
            with reply:
                status, location = reply.status, reply.headers.get("Location")
                text = reply.read(1 << 20).decode("utf-8", "replace")
            if status not in (301, 302, 303, 307, 308) or not location:
                return self._read(status, url, text)
            target = urllib.parse.urljoin(url, location)
            if origin(target) != origin(url):
                return Page(status, url, redirected_to=target)
            if status in (301, 302, 303):
                body = None
            url = target
        raise OSError(f"more than {MAXIMUM_STEPS} redirects")

    @staticmethod
    def _read(status, url, text):
        reader = _Reader()
        reader.feed(text)
        pin = reader.pin.strip() if reader.pin is not None else None
        return Page(status, url, " ".join(reader.title.split()), pin or None, reader.forms)

    def decide(self, url, person=None, password=None, decision="approve"):
        """Opens an authorisation URL, signs in where asked, presses one button, and says where that led."""
        page, signed_in = self.get(url), False
        for _ in range(MAXIMUM_STEPS):
            if page.redirected_to or page.status >= 400:
                return page
            form = next((form for form in page.forms if form.has_password() or form.button(decision)), None)
            if form is None:
                return page
            # A consent page may want the password again; then the button tells what it is.
            if form.has_password() and not form.button(decision):
                if signed_in or person is None or password is None:
                    return page
                signed_in = True
                pairs = form.filled(person, password)
                pressed = form.buttons[0] if form.buttons else None
            else:
                pairs, pressed = form.filled(person, password), form.button(decision)
            if pressed and pressed[0]:
                pairs.append(pressed[:2])
            decided = form.button(decision) is not None
            page = self.submit(page, form, pairs)
            if decided:
                return page
        return page


    def take_back(self, url, person, password, whose=""):
        """Opens the page of what has access, signs in where asked, and takes back the first that matches; the page
        behind that, or None when nothing matched."""
        page = self.get(url)
        sign_in = next((form for form in page.forms if form.has_password()), None)
        if sign_in:
            pressed = sign_in.buttons[:1]
            pairs = sign_in.filled(person, password) + [button[:2] for button in pressed if button[0]]
            page = self.submit(page, sign_in, pairs)
        for form in page.forms:
            button = form.labelled(TAKE_BACK)
            if button and form.is_about(whose):
                return self.submit(page, form, form.filled(person, password) + ([button[:2]] if button[0] else []))
        return None


def is_listener(url):
    """Whether a URL is a hub's own loopback listener for redirects."""
    return re.match(r"http://127\.0\.0\.1:\d+/callback/", url) is not None


def read_password(path):
    """The first line of a file, or of standard input for `-`."""
    if path == "-":
        return sys.stdin.readline().rstrip("\r\n")
    with open(path, encoding="utf-8") as file:
        return file.readline().rstrip("\r\n")


def approve(options):
    outcome = {"status": None, "redirected_to": None, "pin": None, "title": None}
    try:
        password = read_password(options.password_file) if options.password_file else None
        browser = Browser()
        page = browser.decide(options.url, options.person, password, options.decision)
        outcome.update(status=page.status, redirected_to=page.redirected_to, pin=page.pin, title=page.title)
        if page.redirected_to and is_listener(page.redirected_to) and not options.no_follow:
            page = Browser().get(page.redirected_to)
            outcome.update(status=page.status, title=page.title)
    except (OSError, ValueError) as error:
        print(json.dumps({**outcome, "error": str(error)}))
        return 1
    print(json.dumps(outcome))
    # A form that is still there was not understood, or the password was wrong.
    return 0 if page.status < 400 and not page.forms else 1


def take_back(options):
    outcome = {"status": None, "title": None}
    try:
        page = Browser().take_back(options.url, options.person, read_password(options.password_file), options.whose)
        if page is None:
            raise ValueError(f"no button \"{TAKE_BACK}\" for \"{options.whose}\"")
    except (OSError, ValueError) as error:
        print(json.dumps({**outcome, "error": str(error)}))
        return 1
    print(json.dumps({"status": page.status, "title": page.title}))
    return 0 if page.status < 400 else 1


def main():
    parser = argparse.ArgumentParser(description="Press the buttons of a page as a person in a browser would.")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("approve", help="sign in, decide, follow the way back to the hub")
    command.add_argument("url")
    command.add_argument("--person")
    command.add_argument("--password-file", help="'-' for standard input")
    command.add_argument("--decision", choices=sorted(WORDS), default="approve")
    command.add_argument("--no-follow", action="store_true", help="stop at the redirect, even to a hub's listener")
    command.set_defaults(run=approve)
    command = commands.add_parser("take-back", help="sign in and take back what was allowed")
    command.add_argument("url")
    command.add_argument("--person", required=True)
    command.add_argument("--password-file", required=True, help="'-' for standard input")
    command.add_argument("--whose", default="", metavar="TEXT", help="the section with this text, not the first one")
    command.set_defaults(run=take_back)
    options = parser.parse_args()
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
