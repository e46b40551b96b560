"""Replay jobs at work: what runs in the hub, a short step at a time.

Everything is in the ledger, so that any process may take the next step and none has to remember. A
step follows what has begun, then begins the next letters: the oldest first, one of each business
key at a time, no faster than the job's rate, and never more at a target than a small window, so that
live deliveries do not queue behind replays. A target that is down fills its window and so holds
the job back by itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from canonical.errors import Rejected
from hub.clock import Clock
from hub.dead_letters import outcome, replay
from hub.dead_letters.outcome import NOT_DONE, REFUSED, REPLAYED, UNDER_WAY, Outcome
from hub.ledger import audit, replays
from hub.ledger.deliveries import WAITING
from hub.release.holds import Act

Row = Mapping[str, Any]

SKIPPED = "skipped"
EVERY_SECONDS = 0.25
_MOST_IN_WINDOW = 100
_SLOW = timedelta(seconds=30)
"""Begun longer ago than this, a letter does not count in the window: it keeps no other waiting."""
_BEHIND = timedelta(seconds=0.1)
"""Where something live has been due for so long, no letter begins: the target or we are busy."""
_MOST_WINDOWS = 10
"""All that has begun at a target and not ended is never more than so many windows."""


class ReplayRunner:
    """Takes steps of unfinished jobs; safe in any number of replicas."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        versions: Collection[str],
        woken: Callable[[str], None],
    ) -> None:
        """Take what it works with.

        Args:
            engine: the ledger.
            clock: the time.
            versions: of the mappings that this hub runs.
            woken: told each target for which something has become due.
        """
        self._engine = engine
        self._clock = clock
        self._versions = versions
        self._woken = woken
        self._log = structlog.get_logger("hub.dead_letters")

    async def run(self) -> int:
        """Take one step of every unfinished job; return how many letters began.

        Raises:
            SQLAlchemyError, OSError: the ledger cannot be used; the next step goes on.
        """
        async with self._engine.connect() as ledger:
            ids = await replays.unfinished(ledger)
        count, failed = 0, None
        for job_id in ids:
            try:
                count += await self._step(job_id)
            except (SQLAlchemyError, OSError) as error:  # one job's trouble is not the others'
                self._log.warning("replay_job_waits", error=type(error).__name__)
                failed = error
        if failed is not None:
            raise failed
        return count

    async def _step(self, job_id: str) -> int:
        async with self._engine.begin() as ledger:
            job = await replays.lock(ledger, job_id, wait=False)
            if job is None or job["ended_at"] is not None:
                return 0
            step = Step(ledger, job, self._clock.now())
            woken = await step.take(self._versions)
        for target in woken:
            self._woken(target)
        return step.count


class Step:
    """One step of one job, whose row is locked by the caller's transaction."""

    def __init__(self, ledger: AsyncConnection, job: Row, now: datetime) -> None:
        self._ledger = ledger
        self._job = dict(job)
        self._now = now
        self._window: int = max(2, min(_MOST_IN_WINDOW, math.ceil(job["per_second"])))
        self.count = 0
        """Letters that began."""

    async def take(self, versions: Collection[str]) -> list[str]:
        """Follow, judge the canaries, begin what is next, end the job; return targets to wake."""
        going = await self._follow()
        await self._judge(versions)
        woken: list[str] = []
        if self._job["state"] in ("canary", "running"):
            woken = await self._begin(going)
        await self._tidy()
        await self._finish()
        return woken

    async def _follow(self) -> list[Row]:
        """Write the outcomes of what has ended; return what has not."""
        begun = await replays.begun(self._ledger, self._job["id"])
        if not begun:
            return []
        found = await outcome.outcomes(self._ledger, [row["letter_id"] for row in begun])
        ended = {name: each for name, each in found.items() if _has_ended(each)}
        for row in begun:  # a letter that was purged has no outcome any more
            if row["letter_id"] not in found:
                ended[row["letter_id"]] = Outcome(row["letter_id"], NOT_DONE, "letter_unknown")
        await self._end(list(ended.values()))
        failed = {
            row["lane"]
            for row in begun
            if row["letter_id"] in ended and ended[row["letter_id"]].outcome != REPLAYED
        }
        await self._skip(failed)
        return [dict(row) for row in begun if row["letter_id"] not in ended]

    async def _skip(self, lanes: Collection[str]) -> None:
        """Leave open what follows a letter that did not go: it must not overtake it."""
        if lanes:
            why = (SKIPPED, "earlier_failed")
            await replays.end_waiting(self._ledger, self._job["id"], why, self._now, lanes)

    async def _judge(self, versions: Collection[str]) -> None:
        wanted = self._job["map_version"]
        if self._job["state"] not in ("canary", "running"):
            return
        if wanted is not None and not any(each.startswith(wanted) for each in versions):
            await self._stop("mapping_version_unknown", "the hub runs no mapping of this version")
        elif self._job["state"] == "canary":
            failed = await replays.failed_canaries(self._ledger, self._job["id"])
            if failed:
                await self._stop("canary_failed", f"{failed} did not go well")
            elif not await replays.has_unfinished(self._ledger, self._job["id"], canary=True):
                await self._change(state="running")

    async def _stop(self, code: str, detail: str) -> None:
        await self._change(state="stopped", code=code, detail=detail)

    async def _tidy(self) -> None:
        """End some of what has not begun, where nothing more will."""
        over = replays.OVER.get(self._job["state"])
        if over is not None:
            why = (over, self._job["code"] or "")
            await replays.end_waiting(self._ledger, self._job["id"], why, self._now)

    async def _change(self, **values: Any) -> None:
        await replays.change(self._ledger, self._job["id"], **values)
        self._job |= values

    def _allowed(self) -> int:
        """Return how many letters the rate lets begin now; half a second's worth at once at most."""
        rate = float(self._job["per_second"])
        ahead: timedelta = self._now - self._job["next_at"]
        burst = max(1, math.ceil(rate / 2))
        return 0 if ahead < timedelta() else min(burst, int(ahead.total_seconds() * rate) + 1)

    async def _begin(self, going: Sequence[Row]) -> list[str]:
        allowed, begun_at = self._allowed(), []
        busy = [row["lane"] for row in going]
        for target in self._job["targets"]:
            room = min(allowed - self.count, self._room(going, target))
            if room <= 0 or await replays.is_behind(self._ledger, target, self._now - _BEHIND):
                continue
            items = await replays.next_items(self._ledger, self._job, target, busy, room)
            if items:
                await self._begin_items(items)
                begun_at.append(target)
                busy += [row["lane"] for row in items]
        if self.count:
            spent = timedelta(seconds=self.count / self._job["per_second"])
            # What was not used of the rate is not saved up beyond half a second.
            earliest = max(self._job["next_at"], self._now - timedelta(seconds=0.5))
            await self._change(next_at=earliest + spent)
        return begun_at

    def _room(self, going: Sequence[Row], target: str) -> int:
        mine = [row["begun_at"] for row in going if row["target"] == target]
        quick = sum(1 for begun_at in mine if begun_at > self._now - _SLOW)
        return min(self._window - quick, self._window * _MOST_WINDOWS - len(mine))

    async def _begin_items(self, items: Sequence[Row]) -> None:
        ids = [row["letter_id"] for row in items]
        act = Act(self._job["actor"], self._job["reason"], self._now)
        found = await _begin_safely(self._ledger, ids, act)
        going = [name for name, refused in found.items() if refused is None]
        self.count += len(going)
        await replays.mark_begun(self._ledger, self._job["id"], going, self._now)
        refusals = [each for each in found.values() if each is not None]
        await self._end(refusals)
        lanes = {row["letter_id"]: row["lane"] for row in items}
        await self._skip({lanes[each.id] for each in refusals if not _has_gone(each)})

    async def _end(self, outcomes: Sequence[Outcome]) -> None:
        if not outcomes:
            return
        rows = [
            {
                "letter_id": each.id,
                "outcome": each.outcome,
                "code": each.code,
                "place": each.where,
                "detail": each.detail,
                "new_letter": each.new_letter,
            }
            for each in outcomes
        ]
        await replays.end(self._ledger, self._job["id"], rows, self._now)

    async def _finish(self) -> None:
        job_id = self._job["id"]
        if await replays.has_unfinished(self._ledger, job_id, canary=False):
            return
        state = "done" if self._job["state"] in ("canary", "running") else self._job["state"]
        counts: Counter[str] = Counter((await replays.counts(self._ledger, [job_id]))[job_id])
        await self._change(state=state, ended_at=self._now)
        after = {"state": state, "counts": dict(counts)}
        entry = audit.Entry(
            "crossdock", "replay_job.end", job_id, self._job["reason"], {"state": "running"}, after
        )
        await audit.append(self._ledger, entry, self._now)


def _has_ended(found: Outcome) -> bool:
    """Whether a job need not follow a letter any more; what waits for another one is not its own."""
    return found.outcome != UNDER_WAY or found.code in WAITING


def _has_gone(refused: Outcome) -> bool:
    """Whether a refusal says that the letter's document is where it should be: others may follow."""
    return refused.code in ("already_delivered", "letter_not_open")


async def _begin_safely(
    ledger: AsyncConnection, ids: Sequence[str], act: Act
) -> dict[str, Outcome | None]:
    """Begin letters together; where the ledger refuses that, one by one: one never stops others."""
    try:
        async with ledger.begin_nested():
            found = await replay.begin_all(ledger, ids, act)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        if len(ids) == 1:
            return {ids[0]: Outcome(ids[0], NOT_DONE, "ledger_refused", "", type(error).__name__)}
        alone = [await _begin_safely(ledger, [each], act) for each in ids]
        return {name: each for one in alone for name, each in one.items()}
    return {name: _refused(name, why) for name, why in found.items()}


def _refused(letter_id: str, why: Rejected | None) -> Outcome | None:
    return None if why is None else Outcome(letter_id, REFUSED, why.code, "", why.detail)
