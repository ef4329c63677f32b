"""Runs of `layerbudget` on pretend hosts through launch/run, and the faults done to them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TOOL = Path(
    os.environ.get("LAYERBUDGET", REPOSITORY / ".build" / "debug" / "layerbudget")
).resolve()
LAUNCH = REPOSITORY / "launch" / "run"
HOSTS = Path(__file__).with_name("hosts")
SLURM = Path(__file__).with_name("slurm")
STATE = Path("/run/layerbudget-pretend")
PRIVATE = STATE / "private"
EXAMPLE = REPOSITORY / "docs" / "example"
NAMES = tuple(f"pretend{i}" for i in range(1, 5))
NETWORK = ("--network", "10.88.0.0/24")

HERE = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "LAYERBUDGET": str(TOOL),
}
# TCP only: the pretend hosts share one /dev/shm, through which real ones could not talk.
SETTINGS = HERE | {
    "OMPI_MCA_plm": "rsh",
    "OMPI_MCA_plm_rsh_agent": str(STATE / "agent"),
    "OMPI_MCA_pml": "ob1",
    "OMPI_MCA_btl": "tcp,self",
}


@dataclass
class Ended:
    """How a run ended: exit code, all it said, and the seconds from the fault (or the start)."""

    code: int
    text: str
    seconds: float


def environment(settings: dict[str, str] = SETTINGS, **changes: str) -> dict[str, str]:
    # mpirun of the tests themselves, or a batch job around them, must not be seen.
    own = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "SLURM_", "PMIX_"))}
    return own | settings | changes


def hosts(*arguments: object) -> str:
    """Calls Tests/cluster/hosts; its output."""
    done = subprocess.run(
        [HOSTS, *map(str, arguments)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"hosts {arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def keeper(host: str) -> int:
    """The sleeper that is the host."""
    return int((STATE / f"{host}.pid").read_text())


def processes(host: str) -> list[int]:
    """What runs on a host, without its sleeper: `hosts processes`, quick enough to be polled."""
    own = os.readlink(f"/proc/{keeper(host)}/ns/uts")
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if os.readlink(entry / "ns" / "uts") == own:
                    found.append(int(entry.name))
    return sorted(set(found) - {keeper(host)})


def on_hosts(
    *arguments: object, ranks: int = 4, options: tuple[object, ...] = (), first: str = "pretend1"
) -> list[str]:
    """The command line of a run over the pretend hosts, started on one of them."""
    launcher = [HOSTS, "in", first, LAUNCH, "--hostfile", STATE / "hostfile", *NETWORK]
    own = ["--oversubscribe", "-n", ranks, *options, "--", *arguments]
    return [str(part) for part in [*launcher, *own]]


def ended(
    command: list[str],
    *,
    limit: float = 120,
    settings: dict[str, str] = SETTINGS,
    **changes: str,
) -> Ended:
    """Runs a command to its end."""
    start = time.monotonic()
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment(settings, **changes),
        timeout=limit,
        check=False,
    )
    return Ended(done.returncode, done.stdout, time.monotonic() - start)


def alone(*arguments: object) -> Ended:
    """One process, no MPI."""
    return ended([str(part) for part in [TOOL, *arguments]])


@dataclass
class Running:
    """A run over the pretend hosts that something is about to happen to."""

    process: subprocess.Popen[bytes]
    output: Path
    log: Path
    start: float = field(default_factory=time.monotonic)

    def ranks(self) -> dict[str, int]:
        """The process of the tool on each host."""
        found = {}
        for host in NAMES:
            for pid in processes(host):
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{pid}/exe") == str(TOOL):
                        found[host] = pid
        return found

    def until_at_work(self, seconds: float = 1.0, count: int = 4) -> dict[str, int]:
        """The ranks, each after so many seconds of processor time: past the start."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"ended too early:\n{self.text()}"
            ranks = self.ranks()
            if len(ranks) == count and all(used(pid) >= seconds for pid in ranks.values()):
                return ranks
            time.sleep(0.02)
        raise AssertionError(f"the ranks did not get to work:\n{self.text()}")

    def until_kept(self, lines: int) -> int:
        """Waits until the journals hold so many whole lines; how many there are."""
        deadline = time.monotonic() + 60
        while (kept := finished_lines(self.output)) < lines:
            assert self.process.poll() is None, f"ended too early:\n{self.text()}"
            assert time.monotonic() < deadline, "no line was kept"
            time.sleep(0.02)
        return kept

    def fault(self) -> None:
        """From here on the time is taken."""
        self.start = time.monotonic()

    def wait(self, limit: float) -> Ended:
        code = self.process.wait(limit)
        return Ended(code, self.text(), time.monotonic() - self.start)

    def text(self) -> str:
        return self.log.read_text(errors="replace")


def offers(option: str) -> bool:
    """Whether the tool's score command has an option."""
    return option in alone("score", "--help").text


def used(pid: int) -> float:
    """Seconds of processor time; 0 for a process that has gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def finished_lines(output: Path) -> int:
    """Whole lines of all journals beside an output."""
    lines = 0
    for file in Path(f"{output}.journal").glob("*.jsonl"):
        with contextlib.suppress(OSError):
            lines += file.read_bytes().count(b"\n")
    return lines


@contextlib.contextmanager
def running(command: list[str], output: Path, log: Path, **changes: str) -> Iterator[Running]:
    """Starts a run; whatever happens, nothing of it is left behind."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=environment(**changes),
        )
    try:
        yield Running(process, output, log)
    finally:
        for host in NAMES:
            hosts("join", host)
        sweep()
        process.kill()
        process.wait(30)


def sweep() -> None:
    """Ends all processes on the hosts but the sleepers, which are the hosts."""
    for host in NAMES:
        for pid in processes(host):
            with contextlib.suppress(OSError):
                os.kill(pid, 9)


def leftovers() -> list[str]:
    """Processes of the tool or of Open MPI that outlived their run; waits five seconds for them."""
    until(lambda: not tool_processes(), 5)
    return tool_processes()


def tool_processes() -> list[str]:
    lines = []
    for host in NAMES:
        for pid in processes(host):
            with contextlib.suppress(OSError):
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                if name in ("orted", "mpirun", TOOL.name[:15]):
                    lines.append(f"{host}: {pid} {name}")
    return lines


def until(condition: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
    """Whether a condition, looked at every so many seconds, came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
