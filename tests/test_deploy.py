"""The two set-up commands: what they find, what they install, and what they say when something is missing."""

import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import httpx
import pytest

from deploy import environment
from deploy.environment import Environment, SetupError, chosen_port, find_chromium, fingerprint
from tests.conftest import ServerStarter, free_port

ROOT = Path(__file__).resolve().parent.parent


def start(checkout: Path, prelude: str = "", *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Runs deploy/start.py to its end, after some lines that change the Python it sees."""
    script = checkout / "deploy" / "start.py"
    code = f"""
import runpy, sys
sys.path.insert(0, {str(script.parent)!r})
{prelude}
sys.argv = {[str(script), *arguments]!r}
runpy.run_path({str(script)!r}, run_name="__main__")
"""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env={**os.environ, **extra}
    )


# The environment


def test_an_environment_is_made_once_and_mended_when_broken(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "answers", lambda url: False)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# nothing\n")
    made = Environment(tmp_path / "venv")

    made.ensure(requirements)
    assert "Making the virtual environment" in capfd.readouterr().out
    assert made.is_complete(requirements)

    made.ensure(requirements)
    assert capfd.readouterr().out == ""

    requirements.write_text("# nothing else\n")
    assert not made.is_complete(requirements)
    made.ensure(requirements)
    said = capfd.readouterr().out
    assert "Installing" in said
    assert "Making" not in said

    (made.folder / "lossviz-installing").touch()  # what an installation that was cut short leaves behind
    made.ensure(requirements)
    assert "incomplete" in capfd.readouterr().out
    assert made.is_complete(requirements)

    made.python.unlink()
    assert not made.is_complete(requirements)


def test_failed_installation_is_not_taken_for_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "answers", lambda url: False)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("./not-there\n")
    with pytest.raises(SetupError, match="pip's message above"):
        Environment(tmp_path / "venv").ensure(requirements)
    assert not Environment(tmp_path / "venv").is_complete(requirements)


def test_fingerprint_follows_included_files_and_the_python_version(tmp_path: Path) -> None:
    base, dev = tmp_path / "base.txt", tmp_path / "dev.txt"
    base.write_text("one==1\n")
    dev.write_text("-r base.txt\ntwo==2\n")
    before = fingerprint(dev, "3.11")
    assert fingerprint(dev, "3.12") != before
    base.write_text("one==2\n")
    assert fingerprint(dev, "3.11") != before


def test_requirements_are_pinned_exactly() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and line[0] not in "#-"]
        assert lines
        assert all(line.count("==") == 1 for line in lines)


# What start.py says


def test_missing_venv_module_names_the_package(checkout: Path) -> None:
    done = start(checkout, "sys.modules['ensurepip'] = None", "--server.port", str(free_port()))
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert "Traceback" not in done.stderr


def test_older_python_is_named(checkout: Path) -> None:
    done = start(checkout, "sys.version_info = (3, 9, 2, 'final', 0)")
    assert done.returncode == 1
    assert done.stderr.strip() == "lossviz needs Python 3.11 or newer; this is Python 3.9."


def test_busy_port_is_named(checkout: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = start(checkout, "", "--server.port", str(port))
    assert done.returncode == 1
    assert f"Port {port} is in use" in done.stderr
    assert f"--server.port {port + 1}" in done.stderr
    assert "Traceback" not in done.stderr


def test_classroom_host_must_be_a_bare_name(checkout: Path) -> None:
    done = start(checkout, "", "--server.port", str(free_port()), LOSSVIZ_LAN_HOST="http://teacher.local:8501")
    assert done.returncode == 1
    assert "without http://" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "port"),
    [
        ([], {}, 8501),
        ([], {"STREAMLIT_SERVER_PORT": "8600"}, 8600),
        (["--server.port", "8601"], {"STREAMLIT_SERVER_PORT": "8600"}, 8601),
        (["--server.port=8602"], {}, 8602),
    ],
)
def test_port_is_the_one_streamlit_takes(arguments: list[str], variables: dict[str, str], port: int) -> None:
    assert chosen_port(arguments, variables) == port


@pytest.mark.parametrize("port", ["0", "65536", "http", ""])
def test_impossible_port_is_refused(port: str) -> None:
    with pytest.raises(SetupError, match="from 1 to 65535"):
        chosen_port(["--server.port", port], {})


# Serving


def test_second_start_installs_nothing_serves_and_ends_without_a_traceback(checkout: Path) -> None:
    # The packages of the running environment stand in for those that a first start would have installed.
    venv = checkout / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    made = Environment(venv)
    packages = subprocess.run(
        [made.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    Path(packages, "shared.pth").write_text(sysconfig.get_path("purelib"))
    requirements = checkout / "requirements.txt"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    (venv / "lossviz-requirements.txt.stamp").write_text(fingerprint(requirements, version))

    port = free_port()
    began = time.monotonic()
    server = subprocess.Popen(
        [sys.executable, checkout / "deploy" / "start.py", "--server.port", str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        while True:
            assert server.poll() is None, server.communicate()[0]
            assert time.monotonic() - began < 30
            try:
                httpx.get(f"http://localhost:{port}/_stcore/health")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        server.send_signal(signal.SIGINT)
        output = server.communicate(timeout=20)[0]
    finally:
        server.kill()
        server.wait()
    assert "Installing" not in output
    assert f"http://localhost:{port}" in output
    assert "Traceback" not in output


def test_classroom_server_answers_to_its_name_and_to_no_other(
    start_server: ServerStarter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "deploy")
    from deploy.start import lan_options

    assert lan_options({}) == []
    with start_server(*lan_options({"LOSSVIZ_LAN_HOST": "teacher.local"})) as url:
        port = url.rpartition(":")[2]
        for host, status in (("teacher.local", 200), ("localhost", 200), ("elsewhere.example", 421)):
            assert httpx.get(f"{url}/", headers={"Host": f"{host}:{port}"}).status_code == status


# Chromium


def fake_browser(folder: Path, name: str, status: int = 0) -> str:
    """A program that answers --version with the given exit status."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\nexit {status}\n")
    program.chmod(0o755)
    return str(program)


def test_chromium_is_the_named_one_then_on_path_then_in_the_usual_places(tmp_path: Path) -> None:
    named = fake_browser(tmp_path / "named", "my-browser")
    on_path = fake_browser(tmp_path / "path", "google-chrome")
    usual = fake_browser(tmp_path / "usual", "Chrome")
    path = str(tmp_path / "path")
    assert find_chromium({"LOSSVIZ_CHROMIUM": named, "PATH": path}, [usual]) == named
    assert find_chromium({"PATH": path}, [usual]) == on_path
    assert find_chromium({"PATH": ""}, [str(tmp_path / "nowhere"), usual]) == usual


def test_chromium_that_does_not_start_is_passed_over(tmp_path: Path) -> None:
    fake_browser(tmp_path / "path", "chromium", status=127)
    usual = fake_browser(tmp_path / "usual", "Chrome")
    assert find_chromium({"PATH": str(tmp_path / "path")}, [usual]) == usual
    with pytest.raises(SetupError, match="no browser starts from there"):
        find_chromium({"LOSSVIZ_CHROMIUM": str(tmp_path / "path" / "chromium")}, [])


def test_missing_chromium_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "answers", lambda url: False)
    monkeypatch.setattr(environment, "find_chromium", lambda: None)
    monkeypatch.setattr(environment, "_playwright_chromium", lambda python: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="install Chrome or Chromium, or set LOSSVIZ_CHROMIUM"):
        environment.require_chromium(Path(sys.executable))
    fake_browser(tmp_path, "apt-get")
    with pytest.raises(SetupError, match="as root: apt-get install chromium"):
        environment.require_chromium(Path(sys.executable))


def test_missing_chromium_is_installed_where_that_is_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chromium = tmp_path / "chromium"
    apt = fake_browser(tmp_path, "apt-get")
    Path(apt).write_text(
        f'#!/bin/sh\n[ "$*" = "install -y chromium" ] || exit 0\n'
        f'printf "#!/bin/sh\\n" > {chromium}\n/bin/chmod 755 {chromium}\n'
    )
    monkeypatch.setattr(environment, "answers", lambda url: False)
    monkeypatch.setattr(environment, "_playwright_chromium", lambda python=None: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(environment.find_chromium, "__defaults__", (os.environ, ()))
    monkeypatch.delenv("LOSSVIZ_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.require_chromium(Path(sys.executable)) == str(chromium)
