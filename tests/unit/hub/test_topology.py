"""Making streams where the server cannot yet: what no real server does on demand."""

from __future__ import annotations

from typing import cast

import pytest
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import NotFoundError, ServerError

from hub import topology


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology, "_STORE_PAUSES", (0.0,) * 6)


class Clearing:
    """A JetStream that is still clearing a folder away: so many times it cannot make a stream."""

    def __init__(self, times: int, code: int = 10049) -> None:
        self.left = times
        self.code = code
        self.made: list[str] = []

    async def stream_info(self, _name: str) -> None:
        raise NotFoundError(code=404, err_code=10059, description="stream not found")

    async def add_stream(self, config: StreamConfig) -> None:
        if self.left:
            self.left -= 1
            raise ServerError(code=500, err_code=self.code, description="no store")
        self.made.append(str(config.name))


async def test_a_stream_whose_folder_is_still_cleared_away_is_made_a_moment_later() -> None:
    js = Clearing(2)
    made = await topology.declare(cast("JetStreamContext", js), "ledger-1", topology.Sizes())
    assert made == js.made
    assert topology.INTAKE in made


@pytest.mark.parametrize(("times", "code"), [(99, 10049), (1, 10047)])
async def test_a_stream_that_cannot_be_made_is_an_error(times: int, code: int) -> None:
    js = Clearing(times, code)
    with pytest.raises(ServerError):
        await topology.declare(cast("JetStreamContext", js), "ledger-1", topology.Sizes())
    assert js.made == []
