"""Measures Regulars beside its peers and writes docs/benchmarks.md: see bench/run.

Sections can be measured apart; each keeps its result in .bench/, and the page is put together from
all that are there.
"""

import argparse
import json
import sys
import time

import history
import live
import models
import page
import shop
from measure import ROOT, THREADS, Failure, machine, say

SECTIONS = {
    "import": history.measure_import,
    "fold": history.measure_fold,
    "preview": history.measure_preview,
    "summary": history.measure_summary,
    "cdnow": models.measure_cdnow,
    "simulated": models.measure_simulated,
    "memory": history.measure_memory,
    "live": live.measure_live,
}


def main():
    arguments = parse()
    size = shop.QUICK if arguments.quick else shop.FULL
    # A try never overwrites the figures of the full size.
    target = size.home / "benchmarks.md" if arguments.quick else ROOT / "docs" / "benchmarks.md"
    chosen = [] if arguments.page else arguments.only or list(SECTIONS)
    failed = []
    for name in chosen:
        began = time.monotonic()
        try:
            save(size, name, {"machine": machine(), "result": SECTIONS[name](size)})
        except Failure as failure:
            say(f"{name}: {failure}")
            failed.append(name)
            continue
        say(f"{name}: measured in {time.monotonic() - began:.0f} s")
    page.write(target, load(size), size, THREADS)
    say(f"wrote {target.relative_to(ROOT)}")
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


def parse():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a twentieth of the size, to try the script; writes .bench/quick/benchmarks.md")
    parser.add_argument("--only", action="append", choices=SECTIONS, metavar="NAME", help=f"measure one section (may be repeated): {', '.join(SECTIONS)}")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page from what was measured")
    return parser.parse_args()


def save(size, name, result):
    directory = size.home / "results"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.json").write_text(json.dumps(result, indent=1))


def load(size):
    """What has been measured, in the order of the page."""
    paths = {name: size.home / "results" / f"{name}.json" for name in SECTIONS}
    found = {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}
    if not found:
        sys.exit("nothing has been measured yet")
    return found


if __name__ == "__main__":
    main()
