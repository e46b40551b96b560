"""What can go wrong in a run. Each fault takes effect, lasts as long as it lasts, and passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from hub import topology
from tests.sim.target import MODES
from tests.sim.world import FAULT_SECONDS, World

Fault = Callable[[World], Coroutine[Any, Any, None]]


async def kill(world: World) -> None:
    """``kill -9`` of a hub process; another starts a moment later."""
    if not world.live:
        return
    world.end_process(world.rng.choice(world.live))
    delay = world.rng.choice((0.1, 1.0, world.rng.uniform(1, 60)))
    world.loop.call_later(delay, world.start_process)


async def end(world: World) -> None:
    """SIGTERM: the process finishes or gives back what it has in hand; another starts beside it."""
    if not world.live:
        return
    process = world.rng.choice(world.live)
    world.tell("term", process.name)
    world.live.remove(process)
    process.stop.set()
    world.loop.call_later(world.rng.uniform(0, 5), world.start_process)
    world.loop.call_later(world.rng.choice((5.0, 30.0)), process.kill)


async def pause(world: World) -> None:
    """SIGSTOP and SIGCONT: the process knows nothing of the time between."""
    if not world.live:
        return
    process = world.rng.choice(world.live)
    seconds = world.rng.choice((2.0, 30.0, 70.0))
    world.tell("pause", process.name, f"{seconds:.0f}s")
    process.stopped_until = world.loop.time() + seconds


async def broker_killed(world: World) -> None:
    """The broker dies and comes back: acknowledgements of its last moments are lost."""
    if not world.broker.up:
        return
    world.tell("nats", "killed")
    world.broker.kill()
    await asyncio.sleep(world.rng.choice((0.5, 5.0, 40.0)))
    world.tell("nats", "back")
    world.broker.start()


async def full_replay(world: World) -> None:
    """The consumer loses its position: everything that was ever stored comes again."""
    world.tell("nats", "position lost")
    world.broker.consumers[topology.NORMALIZE].reset()
    world.broker.wake()


async def late_answers(world: World) -> None:
    """Publishes are stored, and their PubAcks do not come in time."""
    world.broker.late_answers += world.rng.randint(1, 3)


async def stream_full(world: World) -> None:
    """INTAKE takes no more for a while."""
    stream = world.broker.streams[topology.INTAKE]
    stream.full = True
    await asyncio.sleep(world.rng.uniform(1, 20))
    stream.full = False


async def ledger_away(world: World) -> None:
    """Nobody reaches the ledger for a while."""
    world.tell("ledger", "away")
    world.store.away = True
    await asyncio.sleep(world.rng.choice((0.3, 5.0, 40.0)))
    world.store.away = False
    world.tell("ledger", "back")


async def commits_fail(world: World) -> None:
    """Some commits do not take place, and some do without saying so."""
    world.store.failing += world.rng.randint(0, 2)
    world.store.lost_answers += world.rng.randint(0, 2)


async def mood(world: World) -> None:
    """A target is in a mood for a while."""
    target = world.rng.choice(list(world.targets.values()))
    mode = world.rng.choice(MODES[1:])
    now = world.loop.time()
    until = min(now + world.rng.choice((3.0, 20.0, 120.0)), FAULT_SECONDS)
    world.tell("mood", target.name, mode, f"{until - now:.0f}s")
    target.moods.append((now, until, mode))


async def strike(world: World) -> None:
    """Lie in wait for a delivery to come into some state, and do the worst just then."""
    world.ambush = (
        world.rng.choice(("in_flight", "in_flight", "in_doubt", "delivered")),
        world.rng.choice(
            (ledger_away, ledger_away, pause, pause, kill, commits_fail, broker_killed)
        ),
    )


async def nothing(world: World) -> None:
    """A quiet while."""
    del world


FAULTS: tuple[Fault, ...] = (
    kill, kill, kill, end, pause, pause, broker_killed, full_replay, late_answers, stream_full,
    ledger_away, commits_fail, commits_fail, mood, mood, mood, strike, strike, strike, strike, strike, nothing,
)  # fmt: skip
