"""The layerbudget command, run once per step."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from layerbudget_statistics.plain_errors import (
    EXIT_DATA,
    EXIT_INPUT,
    EXIT_USAGE,
    CommandError,
)

VARIABLE = "LAYERBUDGET"


class Tool:
    """Found by option or by the environment variable LAYERBUDGET."""

    def __init__(self, path: str | None, threads: int = 1) -> None:
        named = path or os.environ.get(VARIABLE)
        if not named:
            raise CommandError(EXIT_USAGE, f"name the tool: --layerbudget PATH or {VARIABLE}=PATH")
        found = shutil.which(named)
        if not found:
            raise CommandError(EXIT_INPUT, f"{named} is not a command that can be run")
        self.path = found
        self.environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}

    def run(self, *words: object) -> str:
        command = [self.path, *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment)
        if done.returncode:
            told = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
            code = done.returncode if done.returncode > 0 else EXIT_DATA
            raise CommandError(
                code, f"{Path(self.path).name} {words[0]} failed with {done.returncode}: {told[0]}"
            )
        return done.stdout

    def has(self, command: str, option: str = "") -> bool:
        """Whether this build knows a command, and in it an option.

        For a command it does not know it prints the help of all and succeeds, so the line of usage
        has to name it.
        """
        done = subprocess.run(
            [self.path, command, "--help"], capture_output=True, text=True, env=self.environment
        )
        usage = next((line for line in done.stdout.splitlines() if line.startswith("USAGE:")), "")
        return done.returncode == 0 and command in usage.split() and option in done.stdout
