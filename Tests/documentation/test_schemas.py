"""The JSON Schemas of docs/schemas, held against what the real tool writes and prints."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from documented_runs import documents, prepare
from jsonschema import Draft202012Validator
from schema_files import SCHEMAS, WRITTEN, validator
from tool_runs import REPOSITORY

Document = tuple[str, str, object]
# A place in a document, list elements all alike: ("units", "*", "name").
Place = tuple[str, ...]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    folder = tmp_path_factory.mktemp("documents")
    prepare(folder)
    return documents(folder)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", WRITTEN)
def test_real_documents_are_valid(name: str, written: list[Document]) -> None:
    ours = [document for document in written if document[0] == name]
    assert ours, f"no run writes {name}"
    for _, source, contents in ours:
        found = [f"{e.json_path}: {e.message[:200]}" for e in validator(name).iter_errors(contents)]
        assert not found, f"{source}\n" + "\n".join(found)


# MARK: Mutations


def objects(value: object, place: Place = ()) -> Iterator[tuple[Place, object]]:
    """Every value in a document, once per place."""
    seen: set[Place] = set()
    stack = [(place, value)]
    while stack:
        place, value = stack.pop()
        if place not in seen:
            seen.add(place)
            yield place, value
        if isinstance(value, dict):
            stack += [((*place, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            stack += [((*place, "*"), inner) for inner in value]


def replaced(value: object, place: Place, other: object) -> object:
    """The document with something else at the first value of a place."""
    if not place:
        return other
    key, rest = place[0], place[1:]
    if isinstance(value, list):
        for index, inner in enumerate(value):
            if any(p[: len(rest)] == rest for p, _ in objects(inner)):
                return [*value[:index], replaced(inner, rest, other), *value[index + 1 :]]
    assert isinstance(value, dict)
    return value | {key: replaced(value[key], rest, other)}


# Fields that may be a number or one of some words.
EITHER = {"max", "cost", "bytes_per_slot"}


def wrong(place: Place, value: object) -> list[object]:
    """Values of every other JSON type; no number for an absent one."""
    kinds: list[object] = [[0], {"undocumented": [0]}, "no such word", True]
    if value is not None and not EITHER & set(place[-1:]):
        kinds.append(7.5)
    return [kind for kind in kinds if json_type(kind) != json_type(value)]


def json_type(value: object) -> type:
    return float if type(value) is int else type(value)


def first_of_each(written: list[Document], name: str) -> list[Document]:
    """The documents of a schema that bring places which none before them had."""
    seen: set[Place] = set()
    kept = []
    for document in written:
        places = {place for place, _ in objects(document[2])} if document[0] == name else set()
        if places - seen:
            kept.append(document)
            seen |= places
    return kept


@pytest.mark.parametrize("name", WRITTEN)
def test_wrong_types_are_refused(name: str, written: list[Document]) -> None:
    done: set[Place] = set()
    for _, source, contents in first_of_each(written, name):
        for place, value in objects(contents):
            if place in done:
                continue
            done.add(place)
            for other in wrong(place, value):
                damaged = replaced(contents, place, other)
                assert not validator(name).is_valid(damaged), f"{source}: {place} as {other!r}"
    assert done


@pytest.mark.parametrize("name", WRITTEN)
def test_undocumented_fields_are_refused(name: str, written: list[Document]) -> None:
    for _, source, contents in first_of_each(written, name):
        for place, value in objects(contents):
            if isinstance(value, dict):
                # Maps of names to values take any name, but none with a value of this type.
                damaged = replaced(contents, place, value | {"undocumented": [None]})
                assert not validator(name).is_valid(damaged), f"{source}: {place}"


# MARK: Nothing but what is there

# Fields that no run here writes, and why.
UNSEEN = {
    "processor_quota": "only where a control group limits the time of processors",
    "target_parameters": "only with fused experts: Tests/interoperability/test_export_peft.py",
}
# A property, by its file, where in it, and its name.
Property = tuple[str, str, str]


def declared(file: str, schema: object, at: str = "") -> Iterator[Property]:
    """Every property that a schema describes; what an `if` asks for is none."""
    if isinstance(schema, dict):
        for key, inner in schema.items():
            if key == "properties":
                for name, field in inner.items():
                    yield file, at, name
                    yield from declared(file, field, f"{at}/properties/{name}")
            elif key != "if":
                yield from declared(file, inner, f"{at}/{key}")
    elif isinstance(schema, list):
        for index, inner in enumerate(schema):
            yield from declared(file, inner, f"{at}/{index}")


def part(file: str, at: str) -> object:
    found: object = SCHEMAS[file]
    for key in at.split("/")[1:]:
        assert isinstance(found, (dict, list))
        found = found[int(key)] if isinstance(found, list) else found[key]
    return found


def applies(file: str, at: str, contents: object) -> bool:
    stem = "" if at.startswith("/") else "/"
    schema = {"$ref": f"{file}.json#{stem}{at}"}
    return validator(file).evolve(schema=schema).is_valid(contents)


def used(file: str, at: str, contents: object) -> Iterator[Property]:
    """The properties of a schema, and of those it refers to, that a valid document has."""
    schema = part(file, at)
    if not isinstance(schema, dict):
        return
    for key, inner in schema.items():
        if key == "$ref":
            other, _, place = inner.partition("#")
            yield from used(other.removesuffix(".json") or file, place, contents)
        elif key == "properties" and isinstance(contents, dict):
            for name in inner.keys() & contents.keys():
                yield file, at, name
                yield from used(file, f"{at}/properties/{name}", contents[name])
        elif key == "items" and isinstance(contents, list):
            for element in contents:
                yield from used(file, f"{at}/items", element)
        elif key == "additionalProperties" and isinstance(contents, dict):
            known = schema.get("properties", {}).keys()
            for name in contents.keys() - known:
                yield from used(file, f"{at}/{key}", contents[name])
        elif key in ("allOf", "oneOf", "anyOf"):
            for index in range(len(inner)):
                if applies(file, f"{at}/{key}/{index}", contents):
                    yield from used(file, f"{at}/{key}/{index}", contents)
        elif key == "if":
            branch = "then" if applies(file, f"{at}/if", contents) else "else"
            yield from used(file, f"{at}/{branch}", contents)


def test_every_field_is_written_by_a_run(written: list[Document]) -> None:
    seen = {found for name, _, contents in written for found in used(name, "", contents)}
    all_fields = {p for name in [*WRITTEN, "shared"] for p in declared(name, SCHEMAS[name])}
    missing = {found for found in all_fields - seen if found[2] not in UNSEEN}
    assert not missing, "\n".join(map(str, sorted(missing)))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_is_in_the_reference(name: str) -> None:
    text = (REPOSITORY / "docs" / "formats.md").read_text("utf-8")
    words = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`\n]+)`", text))))
    fields = {field for _, _, field in declared(name, SCHEMAS[name])}
    assert fields <= words, sorted(fields - words)
