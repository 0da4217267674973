#!/usr/bin/env python3
# The person in front of a run_*.py peer: opens the address an app or device gave, signs in, says yes or no, and tells
# where the browser is sent then, without going there.
#   approve.py PEER AUTHORIZE_URL [--deny]
#   approve.py PEER VERIFICATION_URI --user-code CODE [--deny]
#   approve.py glewlwyd ISSUER --take-back

import argparse
import json
import sys
import urllib.parse
import urllib.request

from browser import MAXIMUM_STEPS, TIMEOUT, Browser, origin
from running import PASSWORD, PERSON


class FormPerson(Browser):
    """Fills in whatever form comes, for servers whose pages are forms."""

    def answer(self, url, decision, code=None):
        page = self.get(url)
        for _ in range(MAXIMUM_STEPS):
            form = None if page.redirected_to or page.status >= 400 else self._next(page.forms, decision)
            if form is None:
                return page
            pressed = form.button(decision) or (form.buttons[0] if form.buttons else None)
            page = self.submit(page, form, self._filled(form, code) + ([pressed[:2]] if pressed and pressed[0] else []))
        raise OSError(f"still a form after {MAXIMUM_STEPS} of them")

    @staticmethod
    def _next(forms, decision):
        """The form to sign in with, else the one that decides, else one that asks for a text."""
        wanted = [
            lambda form: form.has_password(), lambda form: form.button(decision),
            lambda form: form.method == "post" and any(kind == "text" for kind, *_ in form.fields)]
        return next((form for is_wanted in wanted for form in forms if is_wanted(form)), None)

    @staticmethod
    def _filled(form, code):
        texts = PERSON if form.has_password() or code is None else code
        typed = {"password": PASSWORD, "text": texts, "email": texts}
        return [(name, typed.get(kind, value)) for kind, name, value in form.fields if name]


class GlewlwydPerson(Browser):
    """Does what glewlwyd's sign-in page does in JavaScript: its pages hold no forms, and no button for no."""

    def answer(self, url, decision, code=None):
        if decision == "deny":
            raise OSError("at glewlwyd a person can only stay away")
        if code and "code" not in _parameters(url):
            url += "?" + urllib.parse.urlencode({"code": code})
        page = self.get(url)
        # What is asked shows in the address of the sign-in page; a device's only after the sign-in.
        if "callback_url" in _parameters(page.url):
            self._call(page.url, "POST", "/api/auth/", username=PERSON, password=PASSWORD)
            page = self._go_on(page)
        asked = _parameters(page.url)
        if "client_id" in asked and "callback_url" in asked:
            self._call(page.url, "PUT", f"/api/auth/grant/{asked['client_id']}", scope=asked["scope"])
            page = self._go_on(page)
        if not page.redirected_to and _parameters(page.url).get("prompt") != "deviceComplete":
            raise OSError(f"status {page.status} at {page.url}")
        return page

    def take_back(self, issuer):
        """Does what the page with the person's sign-ins does; returns how many refresh tokens lived until then."""
        self._call(issuer, "POST", "/api/auth/", username=PERSON, password=PASSWORD)
        with self._opener.open(f"{issuer}/token", timeout=TIMEOUT) as answer:
            living = [each["token_hash"] for each in json.load(answer) if each["enabled"]]
        for name in living:
            request = urllib.request.Request(f"{issuer}/token/{urllib.parse.quote(name, safe='')}", method="DELETE")
            self._opener.open(request, timeout=TIMEOUT).close()
        return len(living)

    def _go_on(self, page):
        return self.get(_parameters(page.url)["callback_url"] + "&g_continue")

    def _call(self, url, method, path, **body):
        request = urllib.request.Request(
            origin(url) + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
        self._opener.open(request, timeout=TIMEOUT).close()


def _parameters(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


PEOPLE = {
    "canaille": FormPerson, "django-oauth-toolkit": FormPerson, "oidc-provider-mock": FormPerson,
    "glewlwyd": GlewlwydPerson}


def main():
    parser = argparse.ArgumentParser(description="Say yes or no at a peer as a person would.")
    parser.add_argument("peer", choices=sorted(PEOPLE))
    parser.add_argument("url")
    parser.add_argument("--user-code", help="what a device shows; then the URL is its verification URI")
    parser.add_argument("--deny", action="store_true")
    parser.add_argument("--take-back", action="store_true", help="end every refresh token at the issuer")
    options = parser.parse_args()
    if options.take_back:
        print(json.dumps({"taken_back": PEOPLE[options.peer]().take_back(options.url)}))
        return 0
    outcome = {"status": None, "redirected_to": None, "title": None}
    try:
        page = PEOPLE[options.peer]().answer(options.url, "deny" if options.deny else "approve", options.user_code)
    except OSError as error:
        print(json.dumps({**outcome, "error": str(error)}))
        return 1
    outcome.update(status=page.status, redirected_to=page.redirected_to, title=page.title)
    print(json.dumps(outcome))
    return 0 if page.redirected_to or (options.user_code and page.status < 400) else 1


if __name__ == "__main__":
    sys.exit(main())
