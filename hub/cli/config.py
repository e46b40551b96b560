"""`crossdock config`: whether a site's configuration is right, and what the hub makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from canonical.errors import ConfigError
from hub.cli.exits import Exit
from hub.cli.known import known
from hub.cli.output import Output, OutputOption, console, print_json, print_rows
from hub.servers.addresses import masked
from hub.settings.check import misfits
from hub.settings.loader import Loaded, load, read
from hub.settings.places import SettingsError, dotted
from hub.settings.secrets import is_reference, resolve, secret_values

app = typer.Typer(help="Check and show a site's configuration.", no_args_is_help=True)

File = Annotated[
    Path,
    typer.Argument(envvar="CROSSDOCK_CONFIG", help="The site's YAML file."),
]
_DEFAULT = Path("crossdock.yaml")


@app.command("check")
def check_command(
    file: File = _DEFAULT,
    *,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Also check that every secret is there.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Tell every mistake in a configuration with its file and line; exit code 1 if there is one."""
    problems = find_problems(file, secrets=secrets)
    rows = [{"where": p.where, "code": p.code, "detail": p.detail} for p in problems]
    if output is Output.JSON:
        print_json({"file": str(file), "ok": not rows, "problems": rows})
    elif rows:
        print_rows(rows, ("where", "code", "detail"), output)
    else:
        console().print(f"{file}: no mistakes")
    raise typer.Exit(Exit.FAILURE if rows else Exit.OK)


@app.command("show")
def show_command(file: File = _DEFAULT, output: OutputOption = Output.TABLE) -> None:
    """Print the configuration as the hub would use it; secrets stay references."""
    try:
        loaded = load(file)
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(Exit.FAILURE) from error
    values = shown(loaded)
    if output is Output.JSON:
        print_json(values)
    else:
        typer.echo(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), nl=False)


def find_problems(file: Path, *, secrets: bool = False) -> tuple[ConfigError, ...]:
    """Everything that is wrong with a site, or nothing."""
    try:
        loaded, found = read(file)
    except SettingsError as error:
        return error.problems
    if loaded is not None:
        said = {problem.where for problem in found}
        # What follows from a value that was refused is not another mistake.
        found += [each for each in misfits(loaded, known()) if each.where not in said]
        found += missing_secrets(loaded) if secrets and not found else []
    return tuple(found)


def missing_secrets(loaded: Loaded) -> list[ConfigError]:
    """The secrets of a site that are not there, where it runs now."""
    references: dict[tuple[str | int, ...], object] = {
        ("api_tokens", name): token for name, token in loaded.site.api_tokens.items()
    }
    for name, connection in loaded.site.connections.items():
        for path, value in secret_values(connection.options):
            references["connections", name, "options", *path] = value
        for path, value in secret_values(connection.transport.model_dump(exclude_none=True)):
            references["connections", name, "transport", *path] = value
    for option, url in loaded.site.servers.model_dump().items():
        if is_reference(url):
            references["servers", option] = url
    missing = []
    for path, reference in references.items():
        try:
            resolve(str(reference), loaded.layer.place(path))
        except ConfigError as error:
            detail = f"{dotted(path)}: {error.detail}"
            missing.append(ConfigError(error.code, error.where, detail))
    return missing


def shown(loaded: Loaded) -> dict[str, Any]:
    """The site as plain values; what could carry credentials is masked."""
    values: dict[str, Any] = _masked(loaded.site.model_dump(mode="json", exclude_none=True))
    return values


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return masked(value) if isinstance(value, str) and "://" in value else value
