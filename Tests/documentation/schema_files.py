"""The JSON Schemas of docs/schemas, by their names."""

from __future__ import annotations

import json
from functools import cache

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from tool_runs import REPOSITORY

FOLDER = REPOSITORY / "docs" / "schemas"
SCHEMAS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
# Of these the tool writes none; what it reads has fields of other programs, too.
READ = {"nodes", "loads", "scores-read", "plan-read"}
WRITTEN = sorted(SCHEMAS.keys() - READ - {"shared"})


@cache
def validator(name: str) -> Draft202012Validator:
    files = ((f"{stem}.json", Resource.from_contents(schema)) for stem, schema in SCHEMAS.items())
    return Draft202012Validator(SCHEMAS[name], registry=Registry().with_resources(files))
