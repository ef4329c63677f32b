"""How the commands of `sh` blocks are tried where they cannot run as they are shown.

A command is found by its page and what it begins with. Words of capitals are a reader's own; files
and folders of such names are made by `stand_ins.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Elsewhere:
    """Run by a test that is named: `file::test`, or what a shell script must hold."""

    page: str
    start: str
    test: str


@dataclass(frozen=True)
class NotRun:
    page: str
    start: str
    reason: str


@dataclass(frozen=True)
class Changed:
    """Run with other words and with options behind it, mostly so that it takes seconds."""

    page: str
    start: str
    added: str = ""
    words: dict[str, str] = field(default_factory=dict)


Trial = Elsewhere | NotRun | Changed

COLLECT = "python launch/collect_statistics.py"
FEW = "--sequences 4 --length 64"
ONE_WINDOW = "--windows 1 --length 32"
SESSIONS = "Tests/documentation/test_sessions.py::test_shown_sessions"
SLURM = "Tests/cluster/test_slurm.py::test_two_nodes"
BATCH = "Tests/cluster/test_batch_scripts.py::test_runs_on_the_nodes_of_the_job"
INSTALL = "Tests/terminal/test_install.py"
COMPLETIONS = "Tests/terminal/test_completions.py"
COMPARE = "Tests/interoperability/test_compare_"

TRIALS: list[Trial] = [
    NotRun("README.md", "launch/quickstart", "a release build of minutes; run by hand"),
    NotRun("README.md", "launch/test", "it runs this test"),
    Changed("README.md", f"{COLLECT} --model MODEL_FOLDER --text calibration.txt -o", FEW),
    # With its names filled in it is a step of docs/tutorials/kronfluence.md.
    Elsewhere("README.md", f"{COLLECT} --model MODEL_FOLDER --text calibration.txt --fr", SESSIONS),
    Elsewhere("README.md", "srun", SLURM),
    Changed("docs/apply.md", "python launch/evaluate.py", "--windows 2"),
    Elsewhere("docs/cluster.md", "sbatch", SLURM),
    Elsewhere("docs/cluster.md", "qsub", BATCH),
    Elsewhere("docs/cluster.md", 'COMMAND="score', BATCH),
    Changed(
        "docs/cluster.md",
        "LAYERBUDGET=/shared/run-inside",
        "",
        {
            "LAYERBUDGET=/shared/run-inside launch/run": "launch/run --oversubscribe",
            "/shared/stats": "docs/example/statistics.safetensors",
            "/shared/s.json": "s.json",
        },
    ),
    Elsewhere("docs/curvature.md", COLLECT, SESSIONS),
    Changed(
        "docs/example/README.md",
        "python launch/train_example.py",
        "--steps 2 --layers 2 --text LICENSE",
    ),
    Changed("docs/example/README.md", COLLECT, FEW),
    Elsewhere(
        "docs/installing.md",
        "launch/install --prefix",
        f"{INSTALL}::test_everything_is_in_its_place",
    ),
    NotRun("docs/installing.md", "sudo", "it writes to /usr/local"),
    Elsewhere(
        "docs/installing.md",
        "launch/install --uninstall",
        f"{INSTALL}::test_a_second_install_replaces_and_uninstall_leaves_nothing",
    ),
    Elsewhere("docs/installing.md", "source PREFIX/share/bash", f"{COMPLETIONS}::test_bash"),
    Elsewhere("docs/installing.md", "fpath=", f"{COMPLETIONS}::test_zsh"),
    Elsewhere("docs/installing.md", "source PREFIX/share/fish", f"{COMPLETIONS}::test_fish"),
    Elsewhere(
        "docs/library/README.md",
        "swift run",
        "Tests/documentation/test_library.py::test_the_package_builds_by_path",
    ),
    Changed("docs/lora.md", COLLECT, FEW),
    Changed("docs/lora-study.md", COLLECT, FEW, {"SEED": "0"}),
    Elsewhere(
        "docs/lora-study.md", "python launch/compare_lora.py", f"{COMPARE}lora.py::test_a_whole_run"
    ),
    Changed(
        "docs/performance.md",
        "layerbudget-bench price",
        "",
        {"price": "price --units 100 --repeats 1"},
    ),
    Changed("docs/performance.md", "mpirun -n 2 layerbudget-bench price", "", {"50000000": "1000"}),
    Changed("docs/performance.md", "layerbudget-bench gemm", "--order 64 --repeats 1"),
    Changed(
        "docs/performance.md",
        "layerbudget-bench gain",
        "",
        {"768x3072": "16x24 --order 64 --repeats 1"},
    ),
    Changed(
        "docs/performance.md",
        "mpirun -n 2 layerbudget-bench gain",
        "",
        {"-bench gain": "-bench gain --shape 16x24 --order 64 --repeats 1"},
    ),
    Changed("docs/performance.md", "layerbudget-bench reading", "--millions 1 --repeats 1"),
    Changed("docs/performance.md", "layerbudget-bench apply", "--order 64 --modules 1 --repeats 1"),
    Changed("docs/pruning-study.md", "head", "", {"602871": "8000"}),
    Changed("docs/pruning-study.md", "tail", "", {"602872": "8001"}),
    Changed("docs/pruning-study.md", COLLECT, FEW, {"SEED": "0"}),
    Elsewhere(
        "docs/pruning-study.md",
        "python launch/unit_losses.py",
        f"{COMPARE}pruning.py::test_losses_of_single_blocks",
    ),
    Changed(
        "docs/pruning-study.md",
        "python docs/studies/ekfac_statistics.py",
        "--sequences 8",
        {"SEED": "0"},
    ),
    Elsewhere(
        "docs/pruning-study.md",
        "python launch/compare_pruning.py",
        f"{COMPARE}pruning.py::test_a_whole_run",
    ),
    Changed("docs/pruning-study.md", "python docs/studies/block_damage.py", ONE_WINDOW),
    # Chromium's sandbox is not for root.
    Changed("docs/report.md", "chromium", "", {"--headless": "--headless --no-sandbox"}),
    NotRun(
        "docs/studies/README.md",
        "python docs/studies/make_texts.py",
        "it reads the manuals that a machine happens to have",
    ),
    NotRun(
        "docs/studies/README.md",
        "python docs/studies/gain_noise.py",
        "24 sets of statistics of up to 1024 sequences",
    ),
    NotRun(
        "docs/studies/README.md",
        "for study in kind_rankings kind_agreement",
        "minutes, even for four sequences: dense formulas in float64",
    ),
    Changed(
        "docs/transfer-study.md",
        "for text in own manuals german",
        "",
        {"own manuals german": "own", "0 1": "0", "--threads 1": f"--threads 1 {FEW}"},
    ),
    # With other statistics the tables are others.
    Changed(
        "docs/transfer-study.md",
        "python docs/studies/transfer_study.py",
        "",
        {" --document docs/transfer-study.md": ""},
    ),
    Elsewhere(
        "docs/tutorials/kronfluence.md", "pip install -r", "launch/test::-r launch/requirements.txt"
    ),
    Elsewhere(
        "docs/tutorials/kronfluence.md",
        "pip install --no-deps",
        "launch/test::--no-deps -r launch/requirements-kronfluence.txt",
    ),
    Elsewhere(
        "Sources/OpenMPICollectives/README.md",
        "swift build",
        "launch/test::swift build --build-tests",
    ),
    Elsewhere(
        "Sources/OpenMPICollectives/README.md",
        "mpirun",
        'launch/test::"$bundle" --testing-library swift-testing --filter RankedTests',
    ),
    NotRun(
        "Tests/CurvatureTests/Fixtures/kronfluence/README.md",
        "python",
        "the fixture is kept as it is, for what was measured on it",
    ),
    NotRun("Tests/Fuzzing/README.md", "Tests/Fuzzing/run", "a build with libFuzzer of minutes"),
    Changed(
        "Tests/Fuzzing/README.md",
        "LAYERBUDGET=.build/release",
        "",
        {"LAYERBUDGET=.build/release/layerbudget ": "", "SECONDS [--seed N]": "3 --seed 1"},
    ),
    Changed("Tests/Fuzzing/README.md", "python Tests", "", {"/tmp/kept": "kept"}),
    NotRun("Tests/Fuzzing/README.md", "Tests/sanitizers", "builds with sanitizers of minutes"),
    Elsewhere(
        "Tests/cluster/README.md", "LAYERBUDGET=", "launch/test::-p no:cacheprovider Tests/cluster"
    ),
    Elsewhere(
        "Tests/terminal/README.md", "LAYERBUDGET=", "launch/test::Tests/browser Tests/terminal"
    ),
]
