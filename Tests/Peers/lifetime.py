# A program that a test started ends with it, even when the test had no time to say so.

import os
import stat
import threading


def watch_input(stop):
    """Calls `stop` at the end of a piped input; a terminal or /dev/null says nothing about who started us."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return

    def wait():
        while os.read(0, 4096):
            pass
        stop()

    threading.Thread(target=wait, daemon=True).start()
