"""Installs what lossviz needs into .venv, the first time only, and serves it on http://localhost:8501.

    python3 deploy/start.py [options of `streamlit run`]

LOSSVIZ_LAN_HOST=<name or address of this machine> serves a classroom too: all interfaces, under that name as well.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (this is for those who run it with an older one)
    sys.exit("lossviz needs Python 3.11 or newer; this is Python %d.%d." % sys.version_info[:2])  # noqa: UP031

import os
import re
import subprocess
from collections.abc import Mapping, Sequence

from environment import ROOT, WINDOWS, Environment, SetupError, chosen_port, require_free_port, say

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


def lan_options(environment: Mapping[str, str]) -> list[str]:
    """Streamlit's options for serving other machines, if LOSSVIZ_LAN_HOST names this one; else none."""
    host = environment.get("LOSSVIZ_LAN_HOST", "").strip()
    if not host:
        return []
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", host):
        raise SetupError(
            f"LOSSVIZ_LAN_HOST is {host!r}; it must be the bare name or IPv4 address by which other machines reach "
            "this one, such as 192.168.1.20 or teacher.local, without http:// and without a port."
        )
    options = ["--server.address", "0.0.0.0", "--browser.serverAddress", host]
    for name in (*LOCAL_NAMES, host):
        options += ["--server.allowedHosts", name]
    return options


def main(arguments: Sequence[str]) -> int:
    """Installs where needed, then serves until stopped."""
    port = chosen_port(arguments, os.environ)
    lan = lan_options(os.environ)
    require_free_port(port)
    environment = Environment()
    environment.ensure(ROOT / "requirements.txt")
    command = [str(environment.python), "-m", "streamlit", "run", str(ROOT / "app.py"), *lan, *arguments]
    os.chdir(ROOT)
    say("Starting. Stop it with Ctrl-C.")
    if not WINDOWS:
        os.execv(command[0], command)  # So that signals reach the server itself.
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(f"lossviz: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
