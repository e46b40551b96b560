"""The embedded servers: started together, kept running, stopped, never two on one folder."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import asyncpg
import nats
import psutil
import pytest
import redis.asyncio
from nats.aio.client import Client

from canonical.errors import ConfigError
from hub.servers import state
from hub.servers.addresses import Addresses, find_running
from hub.servers.nats import Nats
from hub.servers.postgres import Postgres
from hub.servers.reach import reach
from hub.servers.redis import Redis
from hub.servers.server import Server
from hub.servers.supervisor import EmbeddedServers
from hub.settings.model import Servers
from tests.support.waiting import wait_for

Running = Callable[[Path], dict[str, psutil.Process]]
NAMES = {"nats", "postgres", "redis"}


async def write_everywhere(addresses: Addresses) -> None:
    connection = await nats.connect(addresses.nats_url)
    stream = connection.jetstream()
    await stream.add_stream(name="KEPT", subjects=["kept.>"])
    await stream.publish("kept.one", b"order", stream="KEPT")
    await connection.close()
    database = await asyncpg.connect(addresses.database_url)
    await database.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('order')")
    await database.close()
    async with redis.asyncio.Redis.from_url(addresses.redis_url) as client:
        await client.set("kept", "order")


async def read_everywhere(addresses: Addresses) -> list[bytes | str | None]:
    connection = await nats.connect(addresses.nats_url)
    message = await connection.jetstream().get_msg("KEPT", seq=1)
    await connection.close()
    database = await asyncpg.connect(addresses.database_url)
    row = await database.fetchval("SELECT word FROM kept")
    await database.close()
    async with redis.asyncio.Redis.from_url(addresses.redis_url) as client:
        return [message.data, row, await client.get("kept")]


async def test_three_servers_start_answer_and_stop(tmp_path: Path, running: Running) -> None:
    servers = EmbeddedServers(tmp_path, Servers())
    async with servers as addresses:
        await write_everywhere(addresses)
        started = running(tmp_path)
        assert {status.name for status in servers.statuses()} == NAMES
        assert {status.pid for status in servers.statuses()} == {p.pid for p in started.values()}
    assert started.keys() == NAMES
    assert not any(process.is_running() for process in started.values())
    assert servers.statuses() == []


async def test_data_and_addresses_survive_a_restart(tmp_path: Path) -> None:
    async with EmbeddedServers(tmp_path, Servers()) as first:
        await write_everywhere(first)
    async with EmbeddedServers(tmp_path, Servers()) as second:
        assert second == first
        assert await read_everywhere(second) == [b"order", "order", b"order"]


async def test_a_killed_server_comes_back_with_its_data(tmp_path: Path, running: Running) -> None:
    servers = EmbeddedServers(tmp_path, Servers())
    async with servers as addresses:
        await write_everywhere(addresses)
        killed = running(tmp_path)
        # PostgreSQL's children end by themselves when their postmaster is gone.
        for process in killed.values():
            process.kill()

        def all_back() -> bool:
            now = {status.name: status.pid for status in servers.statuses()}
            return all(now[name] not in {None, killed[name].pid} for name in NAMES)

        await wait_for(all_back, 30)
        await wait_for(lambda: answers(addresses), 30)
        assert await read_everywhere(addresses) == [b"order", "order", b"order"]
        assert [status.restarts for status in servers.statuses()] == [1, 1, 1]


async def answers(addresses: Addresses) -> bool:
    try:
        await read_everywhere(addresses)
    except (OSError, TimeoutError, nats.errors.Error, asyncpg.PostgresError):
        return False
    except redis.exceptions.RedisError:
        return False
    return True


async def test_two_supervisors_on_one_folder_are_refused(tmp_path: Path, running: Running) -> None:
    async with EmbeddedServers(tmp_path, Servers()):
        before = running(tmp_path)
        with pytest.raises(ConfigError) as refused:
            await EmbeddedServers(tmp_path, Servers()).__aenter__()
        assert refused.value.code == "data_dir_in_use"
        assert running(tmp_path) == before


async def test_a_taken_port_is_left_and_another_one_used(tmp_path: Path) -> None:
    async with EmbeddedServers(tmp_path, Servers()):
        pass
    known = state.read(tmp_path)
    assert known is not None
    async with await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0) as other:
        free = other.sockets[0].getsockname()[1]
        state.write(tmp_path, known.model_copy(update={"ports": known.ports | {"redis": free}}))
        async with EmbeddedServers(tmp_path, Servers()) as addresses:
            assert f":{free}/" not in addresses.redis_url
            assert f":{known.ports['nats']}" in addresses.nats_url


async def test_a_server_with_a_url_is_not_started(tmp_path: Path, running: Running) -> None:
    settings = Servers(nats_url="nats://nats.example:4222", redis_url="redis://redis.example/0")
    async with EmbeddedServers(tmp_path, settings) as addresses:
        assert running(tmp_path).keys() == {"postgres"}
        assert addresses.nats_url == "nats://nats.example:4222"
        assert addresses.redis_url == "redis://redis.example/0"


async def test_a_program_that_is_not_needed_may_be_missing(tmp_path: Path) -> None:
    settings = Servers(
        redis_server=Path("/nowhere"),
        redis_url="redis://redis.example/0",
        nats_server=Path("/nowhere"),
        nats_url="nats://nats.example:4222",
    )
    async with EmbeddedServers(tmp_path, settings):
        assert find_running(tmp_path, settings) is not None


async def test_a_data_folder_may_have_any_name(tmp_path: Path) -> None:
    async with EmbeddedServers(tmp_path / 'my "dätä" $HOME' / ("x" * 120), Servers()) as addresses:
        await write_everywhere(addresses)
        assert await read_everywhere(addresses) == [b"order", "order", b"order"]


async def test_with_three_urls_nothing_is_touched(tmp_path: Path) -> None:
    data_dir = tmp_path / "not-made"
    settings = Servers(nats_url="nats://n", database_url="postgresql://p/d", redis_url="redis://r")
    async with EmbeddedServers(data_dir, settings) as addresses:
        assert addresses == Addresses("nats://n", "postgresql://p/d", "redis://r")
    assert not data_dir.exists()


async def test_one_that_cannot_start_stops_the_others(tmp_path: Path, running: Running) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(ConfigError) as refused:
        async with EmbeddedServers(tmp_path / "data", Servers(redis_server=broken)):
            pytest.fail("a broken server was taken for a running one")
    assert refused.value.code == "server_failed"
    assert refused.value.where == str(tmp_path / "data" / "redis.log")
    assert "status 3" in refused.value.detail
    assert running(tmp_path / "data") == {}
    async with EmbeddedServers(tmp_path / "data", Servers()):
        pass  # the lock was given back


async def test_a_damaged_state_file_is_named_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "servers.json").write_text("{")
    with pytest.raises(ConfigError) as refused:
        await EmbeddedServers(tmp_path, Servers()).__aenter__()
    assert refused.value.code == "state_unreadable"
    assert refused.value.where == str(tmp_path / "servers.json")
    assert (tmp_path / "servers.json").read_text() == "{"


def open_files(data_dir: Path) -> list[Path]:
    """Files that others than the owner may read; the servers' folders are closed altogether."""
    files = [path for path in data_dir.iterdir() if path.is_file()]
    return [path for path in files if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]


async def test_only_the_owner_can_read_what_holds_a_password(tmp_path: Path) -> None:
    async with EmbeddedServers(tmp_path, Servers()) as addresses:
        known = state.read(tmp_path)
        assert known is not None
        assert known.password not in repr(addresses) + repr(known)
        assert known.password in addresses.database_url
    assert sorted(open_files(tmp_path)) == []
    assert all(stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o700 for name in NAMES)


async def test_servers_want_the_password_and_get_none_of_our_secrets(
    tmp_path: Path, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSDOCK_BC_CLIENT_SECRET", "canary-value")
    async with EmbeddedServers(tmp_path, Servers()) as addresses:
        for process in running(tmp_path).values():
            assert "canary-value" not in process.environ().values()
        known = state.read(tmp_path)
        assert known is not None

        def without_password(url: str) -> str:
            return url.replace(known.password, "wrong")

        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(without_password(addresses.database_url))
        connection = Client()
        with pytest.raises(nats.errors.Error):
            await connection.connect(
                without_password(addresses.nats_url), allow_reconnect=False, error_cb=silent
            )
        await connection.close()
        async with redis.asyncio.Redis.from_url(without_password(addresses.redis_url)) as client:
            with pytest.raises(redis.exceptions.AuthenticationError):
                await client.ping()


async def test_a_server_that_wants_another_password_is_told_from_one_that_is_not_there(
    tmp_path: Path,
) -> None:
    async with EmbeddedServers(tmp_path, Servers()) as addresses:
        known = state.read(tmp_path)
        assert known is not None
        port, program = known.ports["nats"], Path("unused")
        made = Nats(tmp_path, port, known.password, program, sync_always=True, monitor_port=None)
        assert await made.ready()
        others: list[Server] = [
            replace(made, password="other"),  # noqa: S106  # a wrong one
            Redis(tmp_path, known.ports["redis"], "other", program),
            Postgres(tmp_path, known.ports["postgres"], "other", program, program),
        ]
        assert str(port) in addresses.nats_url
        for server in others:
            with pytest.raises(ConfigError, match="server_password_wrong"):
                await server.ready()
    assert not await made.ready()


async def silent(_: Exception) -> None:
    """The refusal is expected."""


async def test_a_command_beside_a_hub_uses_its_servers(tmp_path: Path, running: Running) -> None:
    assert find_running(tmp_path, Servers()) is None
    async with EmbeddedServers(tmp_path, Servers()) as addresses:
        before = running(tmp_path)
        async with reach(tmp_path, Servers()) as reached:
            assert reached == addresses
        assert running(tmp_path) == before
    assert find_running(tmp_path, Servers()) is None


async def test_a_command_without_a_hub_starts_the_servers(tmp_path: Path, running: Running) -> None:
    async with reach(tmp_path, Servers()) as first:
        assert running(tmp_path).keys() == NAMES
    assert running(tmp_path) == {}
    async with reach(tmp_path, Servers()) as second:
        assert second == first


async def test_a_postmaster_pid_of_another_program_does_not_stop_postgres(tmp_path: Path) -> None:
    async with EmbeddedServers(tmp_path, Servers()):
        pid_file = tmp_path / "postgres" / "cluster" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
    init = 1  # always runs, and is never ours
    pid_file.write_text("\n".join([str(init), *lines[1:], ""]))
    async with EmbeddedServers(tmp_path, Servers()) as addresses:
        database = await asyncpg.connect(addresses.database_url, timeout=5)
        assert await database.fetchval("SELECT 1") == 1
        await database.close()


async def test_a_half_made_cluster_is_made_again(tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    async with EmbeddedServers(tmp_path, Servers()) as addresses:
        await write_everywhere(addresses)
    assert not half.exists()
