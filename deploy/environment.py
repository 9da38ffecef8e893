"""Makes the virtual environment that lossviz runs and is tested in. Standard library only, Python 3.11 or newer."""

import hashlib
import http.client
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WINDOWS = os.name == "nt"
PROBE_SECONDS = 4

TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PLAYWRIGHT_DOWNLOADS = "https://cdn.playwright.dev"

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
# Quiet and offline: no sandbox (containers run as root), no GPU, and none of the browser's own background traffic.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class SetupError(Exception):
    """Something is missing that only the person at the keyboard can provide; the message says what to do."""


# The virtual environment


class Environment:
    """The virtual environment in `folder`: made, filled and mended when needed, left alone when complete."""

    def __init__(self, folder: Path = ROOT / ".venv") -> None:
        self.folder = folder
        self.python = folder / ("Scripts/python.exe" if WINDOWS else "bin/python")
        self._unfinished = folder / "lossviz-installing"

    def _stamp(self, requirements: Path) -> Path:
        return self.folder / f"lossviz-{requirements.name}.stamp"

    def _python_version(self) -> str | None:
        """The version of the environment's Python, or None if it does not run."""
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        try:
            done = subprocess.run([self.python, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    def is_complete(self, requirements: Path) -> bool:
        """Whether exactly these requirements were installed to the end, for the Python that is still there."""
        version = self._python_version()
        stamp = self._stamp(requirements)
        return (
            version is not None
            and not self._unfinished.exists()
            and stamp.is_file()
            and stamp.read_text() == fingerprint(requirements, version)
        )

    def ensure(self, requirements: Path) -> None:
        """Installs `requirements` unless that has been done; starts afresh where an installation was cut short."""
        if self.is_complete(requirements):
            return
        version = self._python_version()
        if version is None or self._unfinished.exists() or not self._fits(version):
            self._create()
        self._install(requirements)

    def _fits(self, version: str) -> bool:
        """Whether the packages in the environment belong to its Python (they do not after a system upgrade)."""
        return WINDOWS or (self.folder / "lib" / f"python{version}").is_dir()

    def _create(self) -> None:
        if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
            raise SetupError(
                "Python's venv module is missing. Install python3-venv (on Debian or Ubuntu, as root: "
                "apt-get install python3-venv), then run this command again."
            )
        if self.folder.exists():
            say(f"{self.folder} is incomplete; making it anew.")
            shutil.rmtree(self.folder)
        say(f"Making the virtual environment {self.folder}")
        made = subprocess.run([sys.executable, "-m", "venv", self.folder], check=False)
        if made.returncode:
            raise SetupError(f"The virtual environment {self.folder} could not be made; the reason stands above.")

    def _install(self, requirements: Path) -> None:
        self._unfinished.touch()
        say(f"Installing {requirements.name}. The first time this takes some minutes; later starts install nothing.")
        command = [self.python, "-m", "pip", "install", "--disable-pip-version-check", "-r", requirements]
        if sys.platform == "linux" and answers(f"{TORCH_CPU_INDEX}/torch/"):
            # The default Linux build of PyTorch brings gigabytes of GPU libraries that are of no use here.
            command += ["--extra-index-url", TORCH_CPU_INDEX]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            raise SetupError(
                "Installing failed; pip's message above says why. Mend that (often it is the network), "
                "then run the command again."
            )
        version = self._python_version() or ""
        for installed in requirement_files(requirements):
            self._stamp(installed).write_text(fingerprint(installed, version))
        self._unfinished.unlink()


def requirement_files(requirements: Path) -> list[Path]:
    """The requirements file and those that it includes with `-r`."""
    files = [requirements]
    for line in requirements.read_text().splitlines():
        if line.startswith("-r "):
            files += requirement_files(requirements.parent / line.removeprefix("-r ").strip())
    return files


def fingerprint(requirements: Path, python_version: str) -> str:
    """What was installed: a digest of the requirements, included files and all, and the Python they were for."""
    digest = hashlib.sha256()
    for file in requirement_files(requirements):
        digest.update(file.read_bytes())
    return f"python {python_version} {digest.hexdigest()}\n"


# The network


def answers(url: str) -> bool:
    """Whether a web address answers at once and says yes."""
    request = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=PROBE_SECONDS) as response:
            return 200 <= int(response.status) < 300
    except (OSError, ValueError, http.client.HTTPException):
        return False


def chosen_port(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """The port that Streamlit will be told: its own option, its environment variable, or 8501."""
    value = environment.get("STREAMLIT_SERVER_PORT", "8501")
    for position, argument in enumerate(arguments):
        if argument.startswith("--server.port="):
            value = argument.partition("=")[2]
        elif argument == "--server.port" and position + 1 < len(arguments):
            value = arguments[position + 1]
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
        raise SetupError(f"--server.port must be a number from 1 to 65535, not {value!r}.")
    return int(value)


def require_free_port(port: int) -> None:
    """Raises SetupError, naming the port and what to do, if something listens on it already."""
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return
    raise SetupError(
        f"Port {port} is in use by another program; perhaps lossviz is running already at http://localhost:{port}. "
        f"Stop that program, or choose another port: start.py --server.port {port + 1}"
    )


# Chromium


def find_chromium(environment: Mapping[str, str] = os.environ, places: Sequence[str] = CHROMIUM_PLACES) -> str | None:
    """The Chromium to test with: LOSSVIZ_CHROMIUM, one on PATH, one in the usual places, or Playwright's own."""
    if named := environment.get("LOSSVIZ_CHROMIUM"):
        if not starts(named):
            raise SetupError(f"LOSSVIZ_CHROMIUM is {named!r}, but no browser starts from there.")
        return named
    on_path = (shutil.which(name, path=environment.get("PATH")) for name in CHROMIUM_NAMES)
    candidates = [path for path in on_path if path] + [place for place in places if Path(place).is_file()]
    return next((path for path in candidates if starts(path)), None) or _playwright_chromium()


def starts(path: str) -> bool:
    """Whether the browser at `path` runs (a downloaded one may lack system libraries)."""
    if WINDOWS:  # There --version opens a window instead of printing.
        return Path(path).is_file()
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _playwright_chromium(python: Path = Path(sys.executable)) -> str | None:
    code = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    path = done.stdout.strip()
    return path if path and starts(path) else None


def require_chromium(python: Path) -> str:
    """A Chromium that runs, installed if there is none."""
    found = find_chromium() or _playwright_chromium(python)
    if found:
        return found
    if answers(PLAYWRIGHT_DOWNLOADS):
        say("Installing Chromium for the browser tests")
        subprocess.run([python, "-m", "playwright", "install", "chromium"], timeout=600, check=False)
        if found := _playwright_chromium(python):
            return found
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        say("Installing Debian's chromium package for the browser tests")
        for command in ([apt, "update"], [apt, "install", "-y", "chromium"]):
            subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False)
        if found := find_chromium():
            return found
        raise SetupError("The browser tests need Chromium, and apt-get install chromium did not bring one that runs.")
    remedy = "as root: apt-get install chromium" if apt else "install Chrome or Chromium, or set LOSSVIZ_CHROMIUM"
    raise SetupError(f"The browser tests need Chromium, and none was found or could be downloaded. Do this: {remedy}")


def say(message: str) -> None:
    """Tells the person at the keyboard what is happening, ahead of any output that follows."""
    print(f"lossviz: {message}", flush=True)
