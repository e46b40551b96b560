"""The simulation's ledger does what PostgreSQL does: one script, played on both, row by row."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hub.archive import Archive
from hub.ledger.engine import open_engine
from tests.sim.seam import simulated
from tests.support.decide_scripts import Script, model_engine, play, world
from tests.support.ledger_scripts import Both


@pytest.mark.parametrize("seed", range(6))
async def test_claiming_and_settling_are_modelled_as_they_are(database: str, seed: int) -> None:
    engine = open_engine(database)
    try:
        both = Both(engine, random.Random(seed))  # noqa: S311  # a seed
        await both.begin()
        for number in range(50):
            await both.step()
            if number % 3 == 0:
                await both.compare()
        await both.compare()
        assert both.store.rows("attempt")
    finally:
        await engine.dispose()


@pytest.mark.parametrize("seed", range(12))
async def test_deciding_and_releasing_are_modelled_as_they_are(
    database: str, tmp_path: Path, seed: int
) -> None:
    script, engine, archive = Script(seed), open_engine(database), Archive(tmp_path)
    try:
        async with world(script, engine, archive, real=True) as at:
            real = await play(script, at.pipeline, at.engine, at.read)
        with simulated():
            async with world(script, model_engine(), archive, real=False) as at:
                model = await play(script, at.pipeline, at.engine, at.read)
        assert model == real
    finally:
        archive.close()
        await engine.dispose()
