"""What choosing modules by gain or by gradient norm buys, by the local model's own word.

    python docs/studies/gain_against_norm.py SCORES.json …

For every scores file: of modules that together hold at most a share of the parameters, taken
greedily by gain per parameter or by squared gradient norm per parameter, the share of all gains.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

SHARES = (0.1, 0.25, 0.5)


def main() -> None:
    print("| scores | " + " | ".join(f"{share:.0%}: by gain / by norm" for share in SHARES) + " |")
    print("|---|" + "---|" * len(SHARES))
    for name in sys.argv[1:]:
        units = json.loads(Path(name).read_text())["units"]
        modules = [module for unit in units for module in unit["modules_detail"]]
        cells = [cell(modules, share) for share in SHARES]
        print(f"| {Path(name).stem} | " + " | ".join(cells) + " |")


def cell(modules: list[dict], share: float) -> str:
    return " / ".join(
        f"{100 * taken(modules, key, share):.1f} %" for key in ("gain", "gradient_norm_squared")
    )


def taken(modules: list[dict], key: str, share: float) -> float:
    """Share of all gains in the modules that fit, best first."""

    def parameters(module: dict) -> int:
        return module["shape"][0] * module["shape"][1]

    room = share * sum(map(parameters, modules))
    found = 0.0
    for module in sorted(modules, key=lambda one: -one[key] / parameters(one)):
        if parameters(module) <= room:
            room -= parameters(module)
            found += module["gain"]
    return found / sum(module["gain"] for module in modules)


if __name__ == "__main__":
    main()
