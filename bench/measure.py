"""Children timed with their CPU and peak memory, and the machine that they ran on."""

import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / ".bench"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
REGULARS = TARGET / "regulars"
THREADS = 2


class Failure(Exception):
    """A command that failed, or a result that is not what another tool says."""


@dataclass
class Run:
    """One child that ended well."""

    wall: float
    cpu: float
    peak_mb: float
    out: str
    err: str

    def json(self):
        """What a peer printed, or a document on stdout."""
        return json.loads(self.out)


def run(command, env=None):
    """Runs a command to its end; fails when it does.

    The peak of a child can never be measured as less than this process has in memory, so nothing
    large may be imported here: peers run in children (peers.py).
    """
    command = [str(part) for part in command]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.perf_counter()
        child = subprocess.Popen(
            command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, cwd=ROOT,
            env={**os.environ, **(env or {})},
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        done = Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read(), err.read())
    # 5: done, with some rows rejected.
    if child.returncode not in (0, 5):
        raise Failure(f"exit {child.returncode} of {' '.join(command)}\n{done.err[-4000:]}")
    return done


def regulars(*arguments):
    """Runs Regulars with the threads of the benchmark."""
    return run([REGULARS, "--threads", THREADS, *arguments])


def example(name, *arguments):
    """Runs an example of the workspace."""
    return run([TARGET / "examples" / name, *arguments])


def peer(name, *arguments):
    """Runs one function of peers.py in a process of its own."""
    limits = {"POLARS_MAX_THREADS": str(THREADS), "OMP_NUM_THREADS": str(THREADS)}
    return run([sys.executable, ROOT / "bench" / "peers.py", name, *arguments], env=limits)


def together(runs):
    """Commands that do one piece of work one after the other, as one."""
    return {
        "wall": sum(run.wall for run in runs),
        "cpu": sum(run.cpu for run in runs),
        "peak_mb": max(run.peak_mb for run in runs),
    }


def timing(seconds):
    """The median of several runs, with the least and the most."""
    return {
        "median": statistics.median(seconds),
        "least": min(seconds),
        "most": max(seconds),
        "runs": len(seconds),
    }


def summary(runs):
    """Medians of several `together`; the peak is the highest."""
    return {
        "wall": timing([run["wall"] for run in runs]),
        "cpu": timing([run["cpu"] for run in runs]),
        "peak_mb": max(run["peak_mb"] for run in runs),
    }


def agree(what, ours, theirs, tolerance=0.0):
    """Fails when two tools do not say the same: a time for a wrong answer would mean nothing."""
    if abs(ours - theirs) > tolerance * max(abs(ours), abs(theirs)):
        raise Failure(f"{what}: Regulars says {ours}, the peer {theirs}")


def say(text):
    """Progress, on stderr."""
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


def machine():
    """The machine and the versions, for the head of the page."""
    return {
        "cpu": _after_colon("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": int(_after_colon("/proc/meminfo", "MemTotal").split()[0]) / 1024**2,
        "system": f"{platform.system()} {platform.release()}",
        "load": os.getloadavg()[0],
        "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC",
        "commit": _first_line(["git", "rev-parse", "--short", "HEAD"]),
        "versions": _versions(),
    }


def _versions():
    names = ("duckdb", "polars", "lifetimes", "pandas", "numpy", "scipy")
    code = "import sys, importlib.metadata as m; print(' '.join(m.version(n) for n in sys.argv[1:]))"
    found = _first_line([sys.executable, "-c", code, *names]).split()
    return {
        "regulars": _first_line([str(REGULARS), "--version"]).split()[-1],
        "rustc": _first_line(["rustc", "--version"]).split()[1],
        "python": platform.python_version(),
        **dict(zip(names, found)),
    }


def _first_line(command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()[0]


def _after_colon(path, key):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(key):
            return line.split(":", 1)[1].strip()
    return ""
