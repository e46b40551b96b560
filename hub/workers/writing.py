"""Writing: a document in a target's own words and as the bytes of its transport."""

from __future__ import annotations

import orjson

from hub.workers.jobs import EncodeJob, Given, Rendered, RenderJob
from hub.workers.tools import Tools

_STEP = 0


def render(tools: Tools, job: RenderJob, given: Given) -> Rendered:
    """Write a canonical document in a target's own words and bytes.

    ``$received_on`` is the day of the job's control numbers.

    Raises:
        Rejected: the mapping or the codec refuses it.
        ConfigError: there is no such connection or mapping.

    """
    given.progress.begin(_STEP, given.seconds)
    bound = tools.connection(job.connection)
    compiled = tools.library.outbound(bound.system, job.entity, job.flow)
    bindings = {
        **bound.bindings,
        "control": job.control,
        "received_on": job.numbers.at.date().isoformat(),
    }
    body = compiled.mapping.apply(orjson.loads(job.canonical_json), bindings)
    encoded = bound.codec.encode(job.flow, body, job.numbers)
    return Rendered(body, encoded, compiled.version)


def encode(tools: Tools, job: EncodeJob, given: Given) -> bytes:
    """Write a body that needs no mapping as bytes.

    Raises:
        Rejected: the codec refuses it.
        ConfigError: there is no such connection.

    """
    given.progress.begin(_STEP, given.seconds)
    return tools.connection(job.connection).codec.encode(job.flow, job.body, job.numbers)
