"""Running one seed: its world, until everything is at rest, and what the checker says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.sim.around import Desk, nemesis, send_all
from tests.sim.checker import check
from tests.sim.loop import Stuck
from tests.sim.seam import Patch, replaced
from tests.sim.world import FAULT_SECONDS, REST_SECONDS, Switches, World

_LOOK_SECONDS = 20.0
_LAST_TURNS = 50
"""Turns of the loop in which cancelled tasks come to their end."""


@dataclass(frozen=True, slots=True)
class Bug:
    """A planted bug: what stands in place of the hub's code, or how the world is turned."""

    name: str
    says: str
    patches: Callable[[], Sequence[Patch]] = tuple
    switches: Callable[[], Switches] = Switches


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one seed."""

    seed: int
    violations: tuple[str, ...]
    history: str
    digest: str
    seconds: float
    documents: int
    effects: int


def run(seed: int, bug: Bug | None = None, *, always_told: bool = False) -> Result:
    """Run one seed; `simulated()` must be around it.

    Args:
        seed: makes everything of the run.
        bug: planted for the run.
        always_told: the history is kept, even where nothing was broken.
    """
    switches = bug.switches() if bug else Switches()
    with replaced(bug.patches() if bug else ()):
        world = World(seed, switches)
        violations = _play(world)
    return Result(
        seed,
        tuple(violations),
        world.history.text() if violations or always_told else "",
        world.history.digest(),
        world.loop.time(),
        len(world.store.rows("document")),
        sum(len(target.effects) for target in world.targets.values()),
    )


def _play(world: World) -> list[str]:
    violations: list[str] = []
    try:
        world.loop.run_until_complete(_until_rest(world, violations))
    except Stuck:
        violations.append("stuck: everything waits, and nothing is left to happen")
    except RuntimeError as error:
        violations.append(f"stuck: {error}")
    finally:
        _clear(world)
    return violations + check(world)


async def _until_rest(world: World, violations: list[str]) -> None:
    world.begin()
    tasks = [asyncio.create_task(send_all(world, sender)) for sender in world.load.senders]
    world.sending = len(tasks)
    tasks.append(asyncio.create_task(nemesis(world)))
    tasks.append(asyncio.create_task(Desk(world, "desk").work()))
    while world.loop.time() < FAULT_SECONDS + REST_SECONDS:
        await asyncio.sleep(_LOOK_SECONDS)
        broken = [task.exception() for task in tasks if task.done() and task.exception()]
        if broken:
            violations.append(f"the simulation itself broke: {broken[0]!r}")
            return
        if world.mended_all and world.at_rest():
            world.tell("rest")
            return
    violations.append("no rest: " + "; ".join(left_over(world)))


def left_over(world: World) -> list[str]:
    """Say what is not at rest."""
    left = [
        f"delivery {row['id'][:6]} to {row['target']} is {row['state']} ({row['code']})"
        for row in world.unsettled()
    ]
    left += [
        f"letter {row['id'][:6]} is {row['state']}"
        for row in world.store.rows("dead_letter")
        if row["state"] in ("open", "replaying")
    ]
    left += [f"event {row['subject']} is not published" for row in world.store.rows("outbox")]
    if world.undecided():
        left.append("receipts are not decided")
    if world.sending:
        left.append(f"{world.sending} partners still wait for a yes")
    return left


def _clear(world: World) -> None:
    """End all tasks of the run."""
    for process in world.live:
        process.alive = False
    loop = world.loop
    tasks = [task for task in loop.tasks if not task.done()]
    for task in tasks:
        task.cancel()
    for _ in range(_LAST_TURNS):
        loop.call_soon(loop.stop)
        loop.run_forever()
        if all(task.done() for task in tasks):
            break
    loop.tasks.clear()
    loop.forget_timers()
    loop.close()
