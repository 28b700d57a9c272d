"""The made-up shop at the sizes of the benchmark: generated once, kept in .bench/."""

import shutil
from dataclasses import dataclass

from measure import BENCH, REGULARS, regulars, run, say

SEED = 7


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    name: str
    customers: int
    lines: int
    runs: int
    live_seconds: int

    @property
    def home(self):
        """Where data, workspaces and results of this size are."""
        return BENCH / self.name


FULL = Size("full", 1_000_000, 20_000_000, runs=3, live_seconds=300)
QUICK = Size("quick", 50_000, 1_000_000, runs=2, live_seconds=20)


def generate_command(customers, lines, form, directory):
    """The arguments that make the files."""
    return [
        "generate", "--customers", customers, "--order-lines", lines, "--seed", SEED,
        "--files", form, "-o", directory,
    ]


def files(size, form="parquet", customers=None, lines=None):
    """The files of a shop, made when they are not there yet."""
    customers, lines = customers or size.customers, lines or size.lines
    directory = size.home / "data" / f"{customers}-{lines}-{form}"
    if not directory.exists():
        say(f"generating {lines:,} order lines of {customers:,} customers ({form})")
        # Made elsewhere and moved, so that a run that was broken off leaves no half.
        unfinished = directory.with_name(directory.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        run([REGULARS, *generate_command(customers, lines, form, unfinished)])
        unfinished.rename(directory)
    return sorted(directory.glob(f"*.{form}"))


def order_files(paths):
    """The files of the order lines among them: a large shop has several."""
    return [path for path in paths if path.stem.startswith("orders")]


def orders_pattern(paths):
    """The same, as a pattern that DuckDB takes."""
    first = order_files(paths)[0]
    return first.with_name(f"orders*{first.suffix}")


def fresh_workspace(size, name):
    """An empty workspace; what was in its place is gone."""
    directory = size.home / "workspaces" / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    regulars("init", directory)
    return directory


def workspace(size):
    """The workspace with the Parquet files imported and nothing scored; made when not there."""
    directory = size.home / "workspaces" / "parquet"
    if not (directory / "complete").exists():
        say("importing for a section that needs the stored history")
        fresh_workspace(size, "parquet")
        regulars("-C", directory, "import", *files(size))
        (directory / "complete").touch()
    return directory


def history_pattern(directory, partition="*"):
    """The stored order lines of a workspace, for any tool that reads Parquet."""
    return directory / "data" / "history" / f"orders-p{partition}-*.parquet"
