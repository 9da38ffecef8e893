"""Installs what the tests need, a Chromium included, and runs them all.

    python3 deploy/test.py [options of pytest]

LOSSVIZ_CHROMIUM=<path> names the browser to use; without it one is looked for, then installed.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (this is for those who run it with an older one)
    sys.exit("lossviz needs Python 3.11 or newer; this is Python %d.%d." % sys.version_info[:2])  # noqa: UP031

import os
import subprocess
from collections.abc import Sequence

from environment import ROOT, Environment, SetupError, require_chromium, say

CHECKS = (("ruff", "check", "."), ("mypy",))


def main(arguments: Sequence[str]) -> int:
    """Runs ruff, mypy and pytest; pytest last, so that its summary is the last line. Non-zero if any of them fails."""
    environment = Environment()
    environment.ensure(ROOT / "requirements-dev.txt")
    os.environ["LOSSVIZ_CHROMIUM"] = require_chromium(environment.python)
    failed = 0
    for check in CHECKS:
        say(" ".join(check))
        if subprocess.run([environment.python, "-m", *check], cwd=ROOT, check=False).returncode:
            say(f"{check[0]} failed")
            failed = 1
    say("pytest")
    # Side by side, each process with a server and a browser of its own.
    command = [environment.python, "-m", "pytest", "-n", "logical", "--maxprocesses", "4", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode or failed


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(f"lossviz: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
