"""Why a change is held whose number its sender has used for another one."""

from __future__ import annotations

from hub.release.control_points import Reason

SAME_NUMBER = Reason(
    "identity", "conflict", "change_sequence", "another change with the same number is in force"
)
