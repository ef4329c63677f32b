"""`layerbudget report` in a real browser: names stay names, nothing is fetched, all units there."""

from __future__ import annotations

import csv
import shutil
import struct
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import CHROMIUM, opened

sys.path.append(str(Path(__file__).resolve().parents[1] / "documentation"))
from tool_runs import REPOSITORY, environment  # noqa: E402

needs_browser = pytest.mark.skipif(not CHROMIUM, reason="needs chromium (apt-get install chromium)")
EXAMPLE = REPOSITORY / "docs" / "example" / "statistics.safetensors"
HOSTILE = [
    "<script>document.title='ran'</script>",
    "<img src=http://fetched.example/image onerror=\"document.title='ran'\">",
    "\"><svg onload=\"document.title='ran'\"><style>@import 'http://fetched.example/css'</style>",
    "</title><base href=http://fetched.example/><link rel=stylesheet href=style>",
    "</style></table></details><iframe src=http://fetched.example/frame>",
    "javascript:document.title='ran'",
    "\N{RIGHT-TO-LEFT OVERRIDE}layers.0\N{ZERO WIDTH SPACE}",
    "x' onclick='document.title=1",
    "<!--",
    "]]><x:script xmlns:x='http://www.w3.org/1999/xhtml'>document.title='ran'</x:script>",
]


class Elements(HTMLParser):
    """Names, attributes and text of a page's elements, styles left out."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.cells: list[str] = []
        self.title = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "th":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.names and self.names[-1] == "title" and not self.title:
            self.title = data
        if self.names and self.names[-1] == "th":
            self.cells[-1] += data


def run(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["layerbudget", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def report(folder: Path, names: list[str]) -> Path:
    """A page of a real plan for units of these names."""
    with (folder / "scores.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["name", "gain"])
        rows.writerows([name, 1 + place % 7] for place, name in enumerate(names))
    budget = str(4 * len(names))
    run(
        folder,
        "allocate",
        "--scores",
        "scores.csv",
        "--budget",
        budget,
        "-o",
        "plan.json",
        "--quiet",
    )
    run(folder, "report", "plan.json", "-o", "report.html", "--quiet")
    return folder / "report.html"


def dimensions(png: Path) -> tuple[int, int]:
    head = png.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:24])


@needs_browser
def test_the_browser_runs_and_fetches_where_it_may(tmp_path: Path) -> None:
    """Else the other tests could not fail."""
    page = tmp_path / "page.html"
    page.write_text(f"<table><tr><th>{HOSTILE[0]}</th></tr></table>{HOSTILE[1]}")
    dom, asked = opened(page, tmp_path / "profile", "--dump-dom")
    assert Elements(dom).title == "ran"
    assert any("fetched.example/image" in request for request in asked)


@needs_browser
def test_hostile_names_stay_names(tmp_path: Path) -> None:
    page = report(tmp_path, HOSTILE)
    dom, asked = opened(page, tmp_path / "profile", "--dump-dom")
    elements = Elements(dom)
    assert asked == []
    assert elements.title.startswith("Capacity plan")
    assert not {"script", "img", "iframe", "base", "link", "object"} & set(elements.names)
    assert not [name for name, _ in elements.attributes if name.startswith("on")]
    links = [value for name, value in elements.attributes if name in ("href", "src")]
    assert all(value.startswith("#") for value in links)
    for name in HOSTILE:
        shown = name.replace("\N{RIGHT-TO-LEFT OVERRIDE}", "\\u{202E}")
        shown = shown.replace("\N{ZERO WIDTH SPACE}", "\\u{200B}")
        assert shown in elements.cells, name


@needs_browser
def test_hostile_names_stay_names_in_a_drawing(tmp_path: Path) -> None:
    """An SVG of its own is a document that a browser would run scripts of."""
    report(tmp_path, HOSTILE)
    run(tmp_path, "report", "plan.json", "--format", "svg", "--chart", "allocation")
    dom, asked = opened(tmp_path / "allocation.svg", tmp_path / "profile", "--dump-dom")
    elements = Elements(dom)
    assert asked == []
    assert {"svg", "text"} <= set(elements.names)
    assert not {"script", "x:script", "img", "iframe", "a", "image"} & set(elements.names)
    assert not [name for name, _ in elements.attributes if name.startswith(("on", "href"))]


@needs_browser
@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.parametrize("scheme", [0, 1], ids=["dark", "light"])
def test_a_real_report_is_drawn(width: int, scheme: int, tmp_path: Path) -> None:
    run(tmp_path, "allocate", "--statistics", str(EXAMPLE), "--budget", "96", "-o", "plan.json")
    run(tmp_path, "report", "plan.json", "-o", "report.html")
    picture = tmp_path / "report.png"
    _, asked = opened(
        tmp_path / "report.html",
        tmp_path / "profile",
        f"--screenshot={picture}",
        f"--window-size={width},1400",
        f"--blink-settings=preferredColorScheme={scheme}",
    )
    assert asked == []
    assert dimensions(picture) == (width, 1400)
    # A blank page of this size is a few kilobytes.
    assert picture.stat().st_size > 40_000


@needs_browser
def test_ten_thousand_units_open(tmp_path: Path) -> None:
    names = [f"model.layers.{layer}" for layer in range(10_000)]
    dom, asked = opened(report(tmp_path, names), tmp_path / "profile", "--dump-dom")
    assert asked == []
    cells = set(Elements(dom).cells)
    assert all(name in cells for name in names)
    # The charts draw groups of units, not every one.
    assert dom.count("<rect") + dom.count("<circle") + dom.count("<text") < 5000


@pytest.mark.skipif(not shutil.which("rsvg-convert"), reason="needs rsvg-convert (librsvg2-bin)")
def test_a_chart_as_png(tmp_path: Path) -> None:
    run(tmp_path, "allocate", "--statistics", str(EXAMPLE), "--budget", "96", "-o", "plan.json")
    run(tmp_path, "report", "plan.json", "--format", "png", "--chart", "allocation")
    assert dimensions(tmp_path / "allocation.png")[0] == 1440
