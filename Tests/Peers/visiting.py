# A person in front of a real browser: signs in where asked, presses one button, by mouse or by keyboard alone. The
# pages of a home, by name, are listed here once.

import json
from dataclasses import dataclass
from typing import Callable

MAXIMUM_TABS = 60
BUTTON = {"approve": "button[value=approve]", "deny": "button[value=deny]"}
STATUS = "return performance.getEntriesByType('navigation')[0].responseStatus"


class Story:
    """What was checked and what was seen; becomes one JSON line, good when every check held."""

    def __init__(self, name):
        self.seen, self.checks = {"name": name}, {}

    def tell(self, **members):
        self.seen.update(members)

    def check(self, what, holds):
        """Notes a check; one that is made more than once has to hold each time."""
        self.checks[what] = bool(holds) and self.checks.get(what, True)

    @property
    def is_good(self):
        return bool(self.checks) and all(self.checks.values()) and "error" not in self.seen

    def __str__(self):
        return json.dumps({**self.seen, "ok": self.is_good, "checks": self.checks})


class Visitor:
    """Somebody who knows one name and password."""

    def __init__(self, browser, base, person, password, keyboard=False):
        self.browser, self.base, self._keyboard = browser, base, keyboard
        self._person, self._password = person, password

    def open(self, path_or_url):
        self.browser.go(path_or_url if "://" in path_or_url else self.base + path_or_url)

    def fill(self, css, text):
        if self._keyboard:
            self._reach(css)
            self.browser.press(*text)
        else:
            self.browser.type(css, text)

    def push(self, css):
        """Presses what leads to another page."""
        if self._keyboard:
            self._reach(css)
            self.browser.leave(lambda: self.browser.press("enter"))
        else:
            self.browser.leave(lambda: self.browser.click(css))

    def _reach(self, css):
        for _ in range(MAXIMUM_TABS):
            self.browser.press("tab")
            if self.browser.run("return document.activeElement.matches(arguments[0])", css):
                return
        raise OSError(f"the Tab key does not reach {css}")

    def is_asked_to_sign_in(self):
        return bool(self.browser.all("input[type=password]") and self.browser.all("input[name=name]"))

    def sign_in(self, password=None, name=None):
        """Signs in if that is asked; whether it was."""
        if not self.is_asked_to_sign_in():
            return False
        if name or not self.browser.run("return document.querySelector('input[name=name]').value"):
            self.fill("input[name=name]", name or self._person)
        self.fill("input[type=password]", password or self._password)
        self.push("form button")
        return True

    def open_signed_in(self, path_or_url):
        self.open(path_or_url)
        self.sign_in()

    def decide(self, decision):
        # Over plain http a yes wants the password on the same page.
        if decision == "approve" and self.browser.all("input[type=password]"):
            self.fill("input[type=password]", self._password)
        self.push(BUTTON[decision])

    def form(self):
        """The fields of the page's first form."""
        fields = self.browser.run("return Object.fromEntries(new FormData(document.forms[0]))")
        return {name: value or (self._password if name == "password" else value) for name, value in fields.items()}

    def page(self):
        """What a person sees: the status, the heading, the text."""
        return {"status": self.browser.run(STATUS), "heading": self.browser.text("h1")}

    def forget(self):
        """Goes on as somebody the home has not seen."""
        self.browser.forget_cookies()


@dataclass(frozen=True)
class Page:
    """A page of a home and the way to it; `needs` names an address that has to be given."""
    name: str
    reach: Callable
    needs: str | None = None


def _wrong(visitor):
    visitor.forget()
    visitor.open("/")
    visitor.sign_in(password="not the password")


def _anonymous(path_or_url):
    def reach(visitor, url=None):
        visitor.forget()
        visitor.open(url or path_or_url)
    return reach


def _approved(visitor, url):
    visitor.open_signed_in(url)
    visitor.decide("approve")


PAGES = [
    Page("sign-in", _anonymous("/")),
    Page("sign-in-fault", _wrong),
    Page("sign-in-purpose", _anonymous(None), needs="app"),
    Page("consent-app", Visitor.open_signed_in, needs="app"),
    Page("consent-app-high-risk", Visitor.open_signed_in, needs="app-high-risk"),
    Page("consent-agent", Visitor.open_signed_in, needs="agent"),
    Page("pin", _approved, needs="pin"),
    Page("has-access", lambda visitor: visitor.open_signed_in("/")),
    Page("notice", lambda visitor: visitor.open("/oauth1/authorize?oauth_token=gone")),
    Page("link-not-right", lambda visitor: visitor.open("/oauth2/authorize?client_id=nobody&response_type=code")),
    Page("device", Visitor.open_signed_in, needs="device"),
    Page("device-fault", lambda visitor, url: visitor.open_signed_in(url + "?user_code=BBBB-BBBB"), needs="device"),
    Page("device-confirm", Visitor.open_signed_in, needs="device-code"),
    Page("set-up", _anonymous(None), needs="set-up"),
]
