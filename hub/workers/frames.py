"""Frames between a worker and its parent: eight bytes of length, then a pickle.

Both ends are the same program on the same machine, started by one another: nobody else can write
into the socket, so that pickle is safe here.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("<Q")
_MOST_BYTES = 2**31


def pack(value: Any) -> bytes:
    """One frame."""
    body = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def send(channel: socket.socket, value: Any) -> None:
    """Child: write one frame."""
    channel.sendall(pack(value))


def receive(channel: socket.socket) -> Any:
    """Child: read one frame.

    Raises:
        EOFError: the parent is gone.

    """
    (length,) = _LENGTH.unpack(_read(channel, _LENGTH.size))
    return pickle.loads(_read(channel, length))  # noqa: S301  # see the module's docstring


def _read(channel: socket.socket, length: int) -> bytearray:
    data = bytearray(length)
    view = memoryview(data)
    while view:
        read = channel.recv_into(view)
        if read == 0:
            raise EOFError
        view = view[read:]
    return data


async def send_async(channel: socket.socket, frame: bytes) -> None:
    """Parent: write one packed frame.

    Raises:
        OSError: the worker is gone.

    """
    await asyncio.get_running_loop().sock_sendall(channel, frame)


async def receive_async(channel: socket.socket) -> Any:
    """Parent: read one frame.

    Raises:
        EOFError, OSError: the worker is gone.

    """
    (length,) = _LENGTH.unpack(await _read_async(channel, _LENGTH.size))
    if length > _MOST_BYTES:
        raise EOFError
    return pickle.loads(await _read_async(channel, length))  # noqa: S301


async def _read_async(channel: socket.socket, length: int) -> bytearray:
    loop = asyncio.get_running_loop()
    data = bytearray(length)
    view = memoryview(data)
    while view:
        read = await loop.sock_recv_into(channel, view)
        if read == 0:
            raise EOFError
        view = view[read:]
    return data
