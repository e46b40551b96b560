"""Switches one seeded bug on in every Python process that starts with this folder on its path.

Python imports `sitecustomize` by itself. ``CROSSDOCK_TOOTH`` names a bug of `bugs.py`; its module
is changed right after it was loaded, before anybody can have taken anything out of it, and
``CROSSDOCK_TOOTH_MARK`` (a file) then shows that the bug was really there. The product reads
neither variable, and never has this folder on its path.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader
from pathlib import Path
from types import ModuleType

if sys.path and (NAME := os.environ.get("CROSSDOCK_TOOTH")):
    from bugs import BUGS, Bug  # type: ignore[import-not-found]  # beside this file

    class Infected(Loader):
        """Loads a module as usual, then changes it."""

        def __init__(self, loader: Loader, bug: Bug) -> None:
            self._loader, self._bug = loader, bug

        def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
            return self._loader.create_module(spec)

        def exec_module(self, module: ModuleType) -> None:
            self._loader.exec_module(module)
            self._bug.patch(module)
            if mark := os.environ.get("CROSSDOCK_TOOTH_MARK"):
                Path(mark).touch()

    class Finder:
        """Finds the module of the bug, and no other."""

        def __init__(self, bug: Bug) -> None:
            self._bug = bug

        def find_spec(
            self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None
        ) -> importlib.machinery.ModuleSpec | None:
            if name != self._bug.module:
                return None
            spec = importlib.machinery.PathFinder.find_spec(name, path)
            if spec is not None and spec.loader is not None:
                spec.loader = Infected(spec.loader, self._bug)
            return spec

    sys.meta_path.insert(0, Finder(BUGS[NAME]))
