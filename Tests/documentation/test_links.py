"""Links between the pages of the documentation lead somewhere, headings included."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tool_runs import REPOSITORY

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "Sources/**/README.md", "Tests/**/*.md", "*/*.md")
    for path in set(REPOSITORY.glob(pattern))
    if ".build" not in path.parts
)


def prose(path: Path) -> str:
    """A page's text without its code."""
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", lambda code: re.sub(r"[\[\]()#]", "", code[0]), text)


def anchors(path: Path) -> set[str]:
    """What a heading is called in a link, as GitHub does it."""
    names: set[str] = set()
    for heading in re.findall(r"^#+ +(.+)$", path.read_text("utf-8"), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower().strip()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        repeats = sum(
            name == other or re.fullmatch(rf"{re.escape(name)}-\d+", other) is not None
            for other in names
        )
        names.add(f"{name}-{repeats}" if repeats else name)
    return names


@pytest.mark.parametrize("page", sorted(set(PAGES)), ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    links = re.findall(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"", prose(page))
    for link in (first or second for first, second in links):
        if re.match(r"^[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken
