"""What callers of `/v1/dead-letters` send: filters and wishes, as models with bounds.

Codes: ``reason_missing``, ``selection_missing``, ``moment_invalid``, ``correction_missing``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from canonical.errors import Rejected
from hub.api.words import word_of
from hub.dead_letters import export, json_patch
from hub.dead_letters.filters import Filters, Stage, State
from hub.dead_letters.times import moment
from hub.ledger.document_words import ENTITIES

Text = Annotated[str, Field(max_length=200)]
_MOST = 1000


class Form(BaseModel):
    """Base of all: unknown names are refused."""

    model_config = ConfigDict(extra="forbid")


class Chosen(Form):
    """The filters of the commands; everything that is given must fit."""

    ids: Annotated[list[Text], Field(max_length=_MOST)] = Field(
        [], description="Ids, or their first 8 characters."
    )
    group: Text | None = Field(None, description="A fingerprint, or its first 8 characters.")
    partner: Text | None = None
    doc: Annotated[Text, AfterValidator(word_of(ENTITIES))] | None = Field(
        None, description="order, shipment, invoice ..."
    )
    key: Text | None = Field(None, description="A number, a business key, or our reference.")
    error: Text | None = Field(None, description="The error's code.")
    stage: Stage | None = None
    target: Text | None = None
    since: Text | None = Field(None, description="`2h` ago, or ISO 8601.")
    until: Text | None = Field(None, description="As `since`; both are inclusive.")
    replayed: bool | None = None
    state: State | None = None
    limit: int = Field(100, ge=1, le=_MOST)

    def filters(self, now: datetime, *, limit: int | None = None) -> Filters:
        """Return them as the filters of the library.

        Raises:
            Rejected: ``moment_invalid``.
        """
        return Filters(
            ids=tuple(self.ids),
            group=self.group,
            partner=self.partner,
            doc=self.doc,
            key=self.key,
            error=self.error,
            stage=self.stage,
            target=self.target,
            since=_moment("since", self.since, now),
            until=_moment("until", self.until, now),
            replayed=self.replayed,
            state=self.state,
            limit=self.limit if limit is None else limit,
        )


class Exported(Chosen):
    """What is exported, and how it is written."""

    format: export.Form = export.Form.JSONL


class Reason(Form):
    """Why; goes into the audit trail."""

    reason: Text

    def why(self) -> str:
        """Return the reason.

        Raises:
            Rejected: ``reason_missing``: only blanks.
        """
        if not self.reason.strip():
            raise Rejected("reason_missing", "reason", "it goes into the audit trail")
        return self.reason


class Action(Reason):
    """An action on letters: archive, restore, purge."""

    filters: Chosen = Field(default_factory=Chosen)
    all: bool = Field(default=False, description="Act on all of them, where no filter is given.")
    dry_run: bool = False

    def chosen(self, now: datetime, *, limit: int | None = None) -> Filters:
        """Return the filters; none at all must be meant.

        Raises:
            Rejected: ``selection_missing`` or ``moment_invalid``.
        """
        found = self.filters.filters(now, limit=limit)
        if not (found.narrow or self.all):
            raise Rejected("selection_missing", "filters", "give a filter, or all")
        return found


class ReplayForm(Action):
    """A replay job."""

    rate: float | None = Field(None, ge=0.01, le=1000, description="Letters begun a second.")
    max: int | None = Field(None, ge=1, description="Refuse if more letters are chosen.")
    canary: int = Field(0, ge=0, description="So many go first.")
    map_version: Text | None = None
    limit: int | None = Field(None, ge=1, description="At most so many letters, the oldest first.")


class Edit(Reason):
    """A correction: one of a JSON Patch (RFC 6902) and the corrected document."""

    patch: list[dict[str, Any]] | None = Field(None, description="A JSON Patch (RFC 6902).")
    document: str | None = Field(None, description="The corrected document as text.")
    dry_run: bool = False

    def applied(self, body: bytes) -> bytes:
        """Return the corrected document of the original.

        Raises:
            Rejected: ``correction_missing``, and those of `json_patch`.
        """
        if (self.patch is None) == (self.document is None):
            raise Rejected("correction_missing", "", "expected one of patch and document")
        if self.document is not None:
            return self.document.encode()
        operations = json_patch.read(orjson.dumps(self.patch))
        return json_patch.write(json_patch.apply(json_patch.read(body), operations))


class Approval(Reason):
    """A second person's word."""

    refuse: bool = False


def _moment(name: str, text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        return moment(text, now)
    except ValueError as error:
        raise Rejected("moment_invalid", name, str(error)) from None
