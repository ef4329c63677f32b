"""Failures in one line and an exit code, for every command of this folder."""

from __future__ import annotations

import argparse
from typing import NoReturn

EXIT_USAGE, EXIT_DATA, EXIT_INPUT, EXIT_INTERRUPTED = 64, 65, 66, 75


class CommandError(Exception):
    """A failure told to the user in one line, with the exit code it ends in."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Parser(argparse.ArgumentParser):
    """argparse that ends in 64 (usage) and says so in one line; no option may be cut short."""

    def __init__(self, description: str | None) -> None:
        super().__init__(
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        raise CommandError(EXIT_USAGE, f"{message} (see --help)")


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return value
