"""No server outlives the hub, however the hub ends, and whoever runs it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from secrets import token_urlsafe

import psutil
import pytest

from hub.servers import processes, state
from hub.servers.launch import NOBODY
from hub.servers.reach import embedded
from hub.servers.state import ProcessMark, State
from hub.servers.supervisor import EmbeddedServers
from hub.settings.model import Servers
from tests.support.processes import Spawner, kill
from tests.support.waiting import wait_until

Running = Callable[[Path], dict[str, psutil.Process]]
SLEEP = ["-c", "import time; time.sleep(600)"]
LAUNCHER = ["-I", "-S", str(Path(processes.__file__).with_name("launch.py"))]

RUN = """
import sys, time
from pathlib import Path
from hub.servers.reach import embedded
from hub.settings.model import Servers
with embedded(Path(sys.argv[1]), Servers()):
    Path(sys.argv[1], "up").touch()
    time.sleep(600)
"""


def test_kill_9_of_the_hub_ends_its_servers(
    tmp_path: Path, running: Running, spawn: Spawner
) -> None:
    hub = spawn.python(["-c", RUN, str(tmp_path)], log=tmp_path / "hub.log")
    wait_until((tmp_path / "up").exists, 30)
    servers = running(tmp_path)
    assert servers.keys() == {"nats", "postgres", "redis"}
    family = [*servers.values(), *servers["postgres"].children()]
    kill(hub)
    wait_until(lambda: not any(process.is_running() for process in family), 30)
    log = (tmp_path / "postgres.log").read_text()
    assert "received fast shutdown request" in log  # a clean stop, not a crash


def test_a_hub_starts_at_once_after_kill_9_of_another(tmp_path: Path, spawn: Spawner) -> None:
    hub = spawn.python(["-c", RUN, str(tmp_path)], log=tmp_path / "hub.log")
    wait_until((tmp_path / "up").exists, 30)
    before = state.read(tmp_path)
    kill(hub)
    with embedded(tmp_path, Servers()):
        after = state.read(tmp_path)
    assert before is not None
    assert after is not None
    assert after.processes.keys() == before.processes.keys()
    assert not set(after.processes.values()) & set(before.processes.values())


def test_another_hub_on_the_folder_is_refused_while_one_runs(
    tmp_path: Path, running: Running, spawn: Spawner
) -> None:
    with embedded(tmp_path, Servers()):
        before = running(tmp_path)
        hub = spawn.python(["-c", RUN, str(tmp_path)], log=tmp_path / "hub.log")
        assert hub.wait(30) == 1
        assert f"process {os.getpid()} runs the servers" in (tmp_path / "hub.log").read_text()
        assert running(tmp_path) == before


def left_running(data_dir: Path, mark: ProcessMark) -> None:
    """Write the state of a hub whose Redis is the marked process."""
    state.write(data_dir, State(password=token_urlsafe(), processes={"redis": mark}))


async def test_a_server_that_was_left_running_is_ended_first(
    tmp_path: Path, spawn: Spawner
) -> None:
    left = psutil.Process(spawn.python(SLEEP).pid)
    left_running(tmp_path, processes.mark(left.pid))
    async with EmbeddedServers(tmp_path, Servers()):
        assert not left.is_running()


async def test_a_process_that_only_got_the_same_pid_is_left_alone(
    tmp_path: Path, spawn: Spawner
) -> None:
    other = psutil.Process(spawn.python(SLEEP).pid)
    left_running(tmp_path, ProcessMark(pid=other.pid, created=other.create_time() - 60))
    async with EmbeddedServers(tmp_path, Servers()):
        assert other.is_running()


def test_a_launcher_whose_parent_is_gone_starts_nothing(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    not_our_parent = "1"
    arguments = [not_our_parent, "15", "", shutil.which("touch") or "touch", str(touched)]
    launched = subprocess.run([sys.executable, *LAUNCHER, *arguments], check=False)
    assert launched.returncode == 1
    assert not touched.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test here runs as an ordinary user")
def test_an_ordinary_user_runs_the_servers(
    tmp_path: Path, running: Running, spawn: Spawner
) -> None:
    # Root that sees itself as nobody, without any capability: the interpreter may lie where
    # only root can read it.
    data = tmp_path / "data"
    data.mkdir()
    launcher = [*LAUNCHER, str(os.getpid()), str(int(signal.SIGTERM)), str(data)]
    spawn.python([*launcher, sys.executable, "-c", RUN, str(data)], log=tmp_path / "hub.log")
    wait_until((data / "up").exists, 30)
    assert running(data).keys() == {"nats", "postgres", "redis"}


@pytest.mark.skipif(os.geteuid() != 0, reason="about running as root")
def test_root_without_namespaces_runs_postgres_as_nobody_below_a_closed_folder(
    tmp_path: Path, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    with embedded(tmp_path, Servers()):
        assert running(tmp_path)["postgres"].uids().real == 0  # nobody in its own namespace
    monkeypatch.setenv("CROSSDOCK_NO_NAMESPACE", "1")
    with embedded(tmp_path, Servers()):
        assert running(tmp_path)["postgres"].uids().real == NOBODY
    monkeypatch.delenv("CROSSDOCK_NO_NAMESPACE")
    with embedded(tmp_path, Servers()):
        assert running(tmp_path)["postgres"].uids().real == 0
