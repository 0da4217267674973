#!/usr/bin/env python3
# A person in a real Chromium before the home's pages, and what could be done to that person. Prints one JSON line; exit
# code 0 when every check held, 1 when one did not, 2 when it was called wrongly. Standard library only.

import argparse
import http.client
import os
import signal
import sys

import accessibility
import asking
from browser import read_password
from hostile import ATTACKS
from landing import HostileSite, Landing
from visiting import PAGES, Story, Visitor
from webdriver import Chromium

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
SCHEMES = ("light", "dark")
RUNS_SCRIPTS = "<h1>no script</h1><script>document.querySelector('h1').textContent = 'script'</script>"


def dance(options, story):
    """Sign in, decide, and land where the app said, or read the PIN."""
    with Landing(options.landing) as landing, Chromium(script=not options.no_script) as browser:
        with HostileSite() as site:
            browser.go(site.put(RUNS_SCRIPTS))
            story.check("scripts as wanted", browser.text("h1") == ("no script" if options.no_script else "script"))
        visitor = _visitor(options, browser)
        visitor.open(_asker(options, landing)())
        story.check("asked to sign in", visitor.sign_in())
        story.tell(asked=visitor.page(), text=browser.text("main"))
        if options.keyboard:
            browser.press("enter")
            story.check("Enter alone decides nothing", bool(browser.all("button[value=approve]")))
        visitor.decide(options.decision)
        if options.pin:
            shown = browser.all(".pin")
            story.tell(page=visitor.page(), pin=browser.text(".pin") if shown else None)
            story.check("PIN only when allowed", bool(shown) == (options.decision == "approve"))
        else:
            arrived = landing.next()
            story.tell(landed=arrived)
            good = "code" in arrived or "oauth_verifier" in arrived
            refused = (arrived.get("error") or arrived.get("oauth_problem")) in ("access_denied", "user_refused")
            decided = (options.decision == "approve", options.decision == "deny")
            story.check("landed as decided", (good, refused) == decided)
        story.check("the browser complained of nothing", not _complaints(browser, story))


def attack(options, story):
    with Landing(options.landing) as landing, Chromium() as browser:
        options.attack(_visitor(options, browser), landing, _asker(options, landing), story)


def pages(options, story):
    """Every page at every width and in both colour schemes: what is wrong with it, and a picture of it."""
    given = dict(pair.split("=", 1) for pair in options.url)
    wanted = [page for page in PAGES if (page.needs is None or page.needs in given)
              and (not options.only or page.name in options.only)]
    faults, lowest, files = {}, {}, []
    if options.out:
        os.makedirs(options.out, exist_ok=True)
    with Chromium() as browser:
        visitor = _visitor(options, browser)
        for page in wanted:
            page.reach(visitor, *([given[page.needs]] if page.needs else []))
            found = accessibility.structure(browser)
            for scheme in SCHEMES:
                browser.scheme(scheme)
                for size, (width, height) in SIZES.items():
                    browser.size(width, height)
                    found += accessibility.sideways(browser)
                    if options.out:
                        files.append(f"{page.name}-{size}-{scheme}.png")
                        browser.shot(os.path.join(options.out, files[-1]))
                ratio, short = accessibility.contrasts(browser)
                lowest[f"{page.name} {scheme}"] = round(ratio, 2)
                found += [f"{scheme}: {fault}" for fault in short + accessibility.focus(browser)]
            browser.size(accessibility.NARROWEST, 640)
            found += accessibility.sideways(browser)
            browser.size(*SIZES["desktop"])
            browser.scheme("light")
            if _complaints(browser, story):
                found.append("the browser complained")
            story.check(page.name, not found)
            if found:
                faults[page.name] = found
    story.tell(faults=faults, lowest_contrast=lowest, files=files)


def _complaints(browser, story):
    # Browsers ask for an icon on their own account, and call every page of status 400 and above an error.
    usual = ("favicon", "server responded with a status")
    seen = [line for line in browser.console() if not any(text in line for text in usual)]
    if seen:
        story.tell(console=seen)
    return seen


def _visitor(options, browser):
    return Visitor(browser, options.base, options.person, read_password(options.password_file),
                   getattr(options, "keyboard", False))


def _asker(options, landing):
    def ask(scope=None, state=None, redirect=None):
        if options.protocol == "oauth1":
            callback = "oob" if options.pin else landing.url
            return asking.oauth1(
                options.base, options.key, read_password(options.secret_file), callback, scope or options.scope)
        return asking.oauth2(options.base, options.key, redirect or landing.url, scope or options.scope, state)[0]
    return ask


def _parser():
    parser = argparse.ArgumentParser(description="Click through the home's pages in Chromium, and attack them.")
    parser.add_argument("--deadline", type=float, default=110, help="give up after so many seconds")
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name, run, help):
        command = commands.add_parser(name, help=help)
        command.add_argument("--base", required=True, help="the home's address, such as http://127.0.0.1:8420")
        command.add_argument("--person", required=True)
        command.add_argument("--password-file", required=True)
        command.set_defaults(run=run, pin=False)
        return command

    def add_app(command, protocols):
        command.add_argument("protocol", choices=protocols)
        command.add_argument("--key", required=True, help="the app's consumer key or client id")
        command.add_argument("--secret-file", help="OAuth 1.0a only")
        command.add_argument("--landing", required=True, help="the app's redirect target; served here")
        command.add_argument("--scope", required=True)

    command = add("dance", dance, "sign in, decide, land")
    add_app(command, ["oauth1", "oauth2"])
    command.add_argument("--decision", choices=["approve", "deny"], default="approve")
    command.add_argument("--pin", action="store_true", help="ask for a PIN instead of a redirect (oauth1)")
    command.add_argument("--keyboard", action="store_true", help="Tab, Enter and letters only")
    command.add_argument("--no-script", action="store_true", help="with JavaScript switched off")
    for name, function in ATTACKS.items():
        command = add(name, attack, function.__doc__)
        add_app(command, ["oauth2"] if name == "injected" else ["oauth1", "oauth2"])
        command.set_defaults(attack=function)
    command = add("pages", pages, "check every page for accessibility, and take pictures")
    command.add_argument("--url", action="append", default=[], metavar="NAME=URL", help="an address that a page needs")
    command.add_argument("--only", action="append", default=[], metavar="PAGE", choices=[page.name for page in PAGES])
    command.add_argument("--out", metavar="FOLDER", help="where pictures go")
    return parser


def _give_up(*_):
    raise TimeoutError("it took too long")


def main():
    options = _parser().parse_args()
    options.base = options.base.rstrip("/")
    story = Story(options.command)
    signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, options.deadline)
    try:
        options.run(options, story)
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        story.tell(error=f"{type(error).__name__}: {error}")
    print(story)
    return 0 if story.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
