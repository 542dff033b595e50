"""docker-compose.yml and infra/Dockerfile as their tools read them."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dockerfile_parse import DockerfileParser
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
DOCKERFILE = ROOT / "infra" / "Dockerfile"
EXAMPLE = (ROOT / ".env.example").read_text()
SERVERS = {"minio", "rabbitmq", "postgres"}

# The innermost ${NAME}, ${NAME:-default} or ${NAME:?message}.
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^{}]*))?\}")


@cache
def compose() -> Any:
    """Return docker-compose.yml, its variables untouched."""
    return YAML(typ="safe").load(ROOT / "docker-compose.yml")


def names(text: str) -> set[str]:
    """Return the names that .env.example leaves to be filled."""
    return set(re.findall(r"^([A-Z][A-Z0-9_]*)=", text, re.MULTILINE))


def services() -> dict[str, Any]:
    """Return the services as they run with a secret of its own for each name."""
    given = {name: f"{name.lower().replace('_', '')}0" for name in names(EXAMPLE)}
    found: dict[str, Any] = _filled(compose()["services"], given)
    return found


def variables() -> dict[str, set[str]]:
    """Return the kinds (`?`, `-`, or nothing) in which each variable is used."""
    found: dict[str, set[str]] = {}
    for text in _texts(compose()):
        rest = text
        while match := _VARIABLE.search(rest):
            found.setdefault(match["name"], set()).add(match["kind"] or "")
            rest = rest.replace(match[0], "")
        assert "$" not in rest, f"{text!r}: a variable is written ${{NAME:?…}}"
    return found


@cache
def stages() -> dict[str, list[dict[str, str]]]:
    """Return the Dockerfile's instructions by stage, what stages build on included."""
    found: dict[str, list[dict[str, str]]] = {}
    for instruction in _instructions():
        if instruction["instruction"] == "FROM":
            base, _, name = instruction["value"].partition(" AS ")
            stage = found[name] = [*found.get(base, [])]
        stage.append(instruction)
    return found


def last(stage: str, name: str) -> str:
    """Return the value that counts of an instruction in a stage."""
    return [each["value"] for each in stages()[stage] if each["instruction"] == name][
        -1
    ]


def _instructions() -> Iterator[dict[str, str]]:
    for each in DockerfileParser(str(DOCKERFILE)).structure:
        if each["instruction"] != "COMMENT":
            yield {"instruction": each["instruction"], "value": each["value"]}


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


def _filled(node: Any, given: Mapping[str, str]) -> Any:
    if isinstance(node, Mapping):
        return {key: _filled(value, given) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, given) for value in node]
    if isinstance(node, str):
        while match := _VARIABLE.search(node):
            default = match["rest"] if match["kind"] == "-" else ""
            node = node.replace(match[0], given.get(match["name"], default))
    return node
