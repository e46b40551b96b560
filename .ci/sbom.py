"""The bill of materials in CycloneDX 1.6: ``sbom.py LOCK FILE``, what a lock holds with its hashes.

Licences are those that the packages name themselves where they are installed; what is locked for
other platforms alone has none here. The hashes are of every file of a version that an installation
may take: wheels of all platforms and the source.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.utils import canonicalize_name

LONGEST_NAME = 60  # characters: some packages put the whole text of their licence into License

_PIN = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^ ;\\]+)(.*(?:\n    --hash=.*)+)", re.M)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def pins(lock: str) -> dict[tuple[str, str], list[str]]:
    """SHA-256 of the files by name and version: a version may differ by platform or Python."""
    return {(name, version): _HASH.findall(rest) for name, version, rest in _PIN.findall(lock)}


def licences(name: str) -> list[License]:
    """What the installed package says of itself (core metadata: License-Expression, License)."""
    try:
        said = metadata.metadata(name).json
    except metadata.PackageNotFoundError:
        return []
    text = str(said.get("license_expression") or said.get("license") or "")
    classified = [
        value.rpartition(" :: ")[2]
        for value in said.get("classifier", [])
        if value.startswith("License :: ")
    ]
    short = text if 0 < len(text) <= LONGEST_NAME else next(iter(classified), "")
    return [LicenseFactory().make_from_string(short)] if short else []


def component(name: str, version: str, hashes: list[str]) -> Component:
    """One package of the index."""
    made = Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        bom_ref=f"{name}@{version}",
        purl=PackageURL("pypi", None, name, version),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in hashes],
    )
    made.licenses.update(licences(name))
    return made


def bill(project: dict[str, Any], lock: str) -> Bom:
    """What the project is made of; its own line names what it asks for by itself."""
    ours = Component(
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        bom_ref=project["name"],
        licenses=[LicenseFactory().make_from_string(project["license"])],
    )
    parts = [component(name, version, hashes) for (name, version), hashes in pins(lock).items()]
    asked = {canonicalize_name(re.split(r"[^\w.-]", each)[0]) for each in project["dependencies"]}
    bom = Bom(components=parts)
    bom.metadata.component = ours
    bom.register_dependency(ours, [part for part in parts if part.name in asked])
    return bom


def main(lock: str, file: str) -> int:
    """Write the bill for the project in the working directory."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    made = bill(project, Path(lock).read_text("utf-8"))
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(JsonV1Dot6(made).output_as_string(indent=1), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
