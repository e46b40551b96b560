"""Carries strikes out, and writes down what each of them did."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil
import redis

from tests.faults.journal import Journal
from tests.faults.load import Load
from tests.faults.schedule import HUBS, SERVERS, Strike
from tests.faults.world import World

_START_SECONDS = 60.0
_REACHED_SECONDS = 10.0
"""How long a hub at work may take to reach a failpoint; then it is killed all the same."""
_GRACE_SECONDS = 40.0
_REST_SECONDS = 120.0
_LOOK_SECONDS = 0.05


class Nemesis:
    """Strikes a world, one thing after the other.

    A hub that ends without having been told to is started again, as a supervisor would, and
    counted in `deserted`: the checker names every such end.
    """

    def __init__(self, world: World, load: Load, history: Journal) -> None:
        self._world = world
        self._load = load
        self._history = history
        self.kills: Counter[str] = Counter()
        """Component or failpoint -> how often it died of us."""
        self.deserted: list[str] = []
        self._acts: dict[str, Callable[[Strike], str]] = {
            "kill": self._kill,
            "failpoint": self._failpoint,
            "worker": self._worker,
            "pause": self._pause,
            "term": self._term,
            "net": self._net,
            "wipe": self._wipe,
            "redis": self._redis,
            "misbehave": self._misbehave,
        }

    def run(self, strikes: Iterable[Strike], enough: Callable[[], bool]) -> None:
        """Strike until there is enough; then mend everything."""
        for strike in strikes:
            if enough():
                break
            self._supervise()
            outcome = self._acts[strike.kind](strike)
            self._history.append(strike=strike.row(), outcome=outcome)
            _wait(strike.gap)
        self._world.mend()
        self._history.append(mended=True)

    def _supervise(self) -> None:
        for name, hub in self._world.hubs.items():
            if not hub.alive:
                status = hub.process.returncode if hub.process else None
                self.deserted.append(f"{name} ended with {status}")
                self._history.append(deserted=name, status=status)
                self._world.start_hub(name)

    def _kill(self, strike: Strike) -> str:
        name = strike.subject
        if name in HUBS:
            self._world.hubs[name].kill()
        elif name == "sandbox":
            self._world.sandbox.kill()
        else:
            self._world.servers.kill(name)
        self.kills[name] += 1
        _wait(strike.seconds)
        if name in HUBS:
            self._world.start_hub(name)
        elif name == "sandbox":
            self._world.sandbox.start()
        else:
            self._world.servers.start(name)
        return "killed"

    def _failpoint(self, strike: Strike) -> str:
        hub, place = self._world.hubs[strike.subject], str(strike.detail)
        hub.kill()
        self.kills[strike.subject] += 1
        self._world.start_hub(strike.subject, place)
        _while(lambda: hub.alive and not hub.ready(), _START_SECONDS)
        _while(lambda: hub.alive, _REACHED_SECONDS)
        reached = not hub.alive and hub.process is not None
        if reached and hub.process is not None and hub.process.returncode != -signal.SIGKILL:
            return "deserted"
        if reached:
            self.kills[f"at {place.partition(':')[0]}"] += 1
        else:
            hub.kill()
            self.kills[strike.subject] += 1
        self._world.start_hub(strike.subject)
        return "reached" if reached else "not_reached"

    def _worker(self, strike: Strike) -> str:
        for process in self._world.processes(strike.subject)[:1]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
                self.kills["worker"] += 1
                return "killed"
        return "nobody"

    def _pause(self, strike: Strike) -> str:
        name = strike.subject
        if name in SERVERS:
            self._world.servers.freeze(name)
            _wait(strike.seconds)
            self._world.servers.thaw(name)
            return "paused"
        process = (
            self._world.sandbox.process if name == "sandbox" else self._world.hubs[name].process
        )
        if process is None or process.poll() is not None:
            return "nobody"
        os.kill(process.pid, signal.SIGSTOP)
        _wait(strike.seconds)
        os.kill(process.pid, signal.SIGCONT)
        return "paused"

    def _term(self, strike: Strike) -> str:
        hub = self._world.hubs[strike.subject]
        if hub.process is None:
            return "nobody"
        asked = time.monotonic()
        hub.process.terminate()
        _while(lambda: hub.alive, _GRACE_SECONDS)
        took, status = time.monotonic() - asked, hub.process.poll()
        hub.kill()
        self._world.start_hub(strike.subject)
        # Before its handlers stand, a process dies of SIGTERM as any other does.
        fine = status in (0, -signal.SIGTERM)
        return f"ended in {took:.1f} s" if fine else f"ended with {status} in {took:.1f} s"

    def _net(self, strike: Strike) -> str:
        assert isinstance(strike.detail, dict)
        link = self._world.links[strike.subject]
        link.behave(strike.detail["mode"], strike.detail["amount"])
        _wait(strike.seconds)
        link.behave("pass")
        return "passed"

    def _wipe(self, strike: Strike) -> str:
        """Lose NATS at a moment when it holds nothing that the ledger does not know."""
        self._load.hold()
        try:
            if not self._at_rest():
                return "busy"
            self._world.servers.kill(strike.subject)
            self.kills[strike.subject] += 1
            self._world.servers.wipe(strike.subject)
            self._world.servers.start(strike.subject)
            return f"rebuilt with {self._world.command('rebuild')['status']}"
        finally:
            self._load.go_on()

    def _at_rest(self) -> bool:
        end = time.monotonic() + _REST_SECONDS
        while time.monotonic() < end:
            with suppress(Exception):  # NATS or the ledger may be asleep just now
                if not self._load.waiting and not self._world.undecided():
                    return True
            _wait(0.5)
        return False

    def _redis(self, strike: Strike) -> str:
        url = self._world.servers.addresses.redis_url
        with suppress(redis.RedisError), redis.Redis.from_url(url, socket_timeout=5) as client:
            if strike.detail == "flush":
                client.flushall()
                return "flushed"
            client.config_set("maxmemory", "1mb")
            _wait(strike.seconds)
            client.config_set("maxmemory", "256mb")
            return "filled"
        return "nobody"

    def _misbehave(self, strike: Strike) -> str:
        assert isinstance(strike.detail, dict)
        rule = {"match": {"path_contains": "/companies"}, "times": 2, **strike.detail}
        try:
            self._world.sandbox.control("POST", "/misbehave", json=rule)
        except Exception as error:  # it may be dead or asleep just now
            return type(error).__name__
        return "told"


def _while(condition: Callable[[], bool], seconds: float) -> None:
    """Wait as long as the condition holds, but no longer than so many seconds."""
    end = time.monotonic() + seconds
    while condition() and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)
