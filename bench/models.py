"""Sections about models: fits and scores of CDNOW and of simulated customers."""

import re

import shop
from measure import agree, example, peer, say, timing, THREADS

UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
HORIZON = {"cdnow": 52, "simulated": 365}


def measure_cdnow(size):
    """The full CDNOW data, in weeks."""
    path = shop.BENCH / "cdnow.csv"
    peer("cdnow", path)
    return compare(str(path), path, size.runs, HORIZON["cdnow"])


def measure_simulated(size):
    """As many simulated customers as the shop has, in days."""
    path = size.home / "simulated.csv"
    say("simulating customers for the models")
    example("fit_speed", size.customers, THREADS, path)
    return compare(str(size.customers), path, size.runs, HORIZON["simulated"])


def compare(source, path, runs, horizon):
    """Fits of Regulars, several; `lifetimes` once, as it takes long."""
    taken = []
    for turn in range(runs):
        say(f"fits of {path.stem}, run {turn + 1} of {runs}")
        taken.append(fit_speed(source))
    say(f"lifetimes fits {path.stem}")
    theirs = peer("fit_lifetimes", path, horizon).json()
    ours = taken[0]
    agree("customers fitted", ours["customers"], theirs["customers"])
    for name, value in theirs["parameters"].items():
        agree(f"BG/NBD {name}", ours["parameters"]["BG/NBD"][name], value, tolerance=0.02)
    names = taken[0]["seconds"]
    return {
        "customers": ours["customers"],
        "distinct": ours["distinct"],
        "regulars": {name: timing([run["seconds"][name] for run in taken]) for name in names},
        "lifetimes": theirs,
        "parameters": ours["parameters"],
    }


def fit_speed(source):
    """The timings that the example prints, by name: `group`, `fit BG/NBD`, `score BG/NBD`, ..."""
    text = example("fit_speed", source, THREADS).out
    seconds, parameters, model = {}, {}, None
    for line in text.splitlines():
        if found := re.match(r"fit (\S+) +(\S+)", line):
            model = found[1]
            seconds[f"fit {model}"] = duration(found[2])
        elif found := re.match(r" +score +(\S+)", line):
            seconds[f"score {model}"] = duration(found[1])
        elif found := re.match(r"group +(\S+) \((\d+) distinct\)", line):
            seconds["group"] = duration(found[1])
            distinct = int(found[2])
        elif found := re.match(r"forecast revenue +(\S+)", line):
            seconds["forecast revenue"] = duration(found[1])
        elif pairs := re.findall(r'\("(\w+)", ([-\d.e]+)\)', line):
            parameters[model] = {name: float(value) for name, value in pairs}
    customers = int(text.split(maxsplit=1)[0])
    return {"customers": customers, "distinct": distinct, "seconds": seconds, "parameters": parameters}


def duration(text):
    """Seconds of a duration as Rust prints it: `12.3ms`."""
    number, unit = re.fullmatch(r"([\d.]+)(\D+)", text).groups()
    return float(number) * UNITS[unit]
