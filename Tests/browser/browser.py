"""A headless Chromium that loads one file, and a proxy that counts what it tries to fetch."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
# What the browser asks its maker for by itself, whatever the page.
OWN = re.compile(r"^\w+ (http://)?[\w.-]+\.(google|googleapis|gstatic|gvt1)\.com[:/]")
QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--hide-scrollbars",
)


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """Everything that a browser asks this proxy for, and its address."""
    asked: list[str] = []

    class Refusal(BaseHTTPRequestHandler):
        def refuse(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.send_error(404)

        do_GET = do_POST = do_HEAD = do_CONNECT = refuse

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def opened(page: Path, profile: Path, *options: str) -> tuple[str, list[str]]:
    """What a browser prints of a page after loading it, and what it tried to fetch meanwhile."""
    with proxy() as (address, asked):
        # Loopback too, which a browser otherwise reaches without the proxy.
        network = (f"--proxy-server={address}", "--proxy-bypass-list=<-loopback>")
        run = subprocess.run(
            [CHROMIUM, *QUIET, *network, f"--user-data-dir={profile}", *options, page.as_uri()],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    return run.stdout, [request for request in asked if not OWN.match(request)]
