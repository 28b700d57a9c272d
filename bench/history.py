"""Sections about orders: import, folding again, preview, the summary of the models, memory."""

import re
import shutil
import statistics

import shop
from measure import agree, example, peer, regulars, say, summary, timing, together, THREADS

PREVIEWS = [
    "orders >= 3 and last_order before 60 days ago",
    "revenue in last 365 days > 500 and orders >= 2",
    "in segment loyal and revenue > 1000",
]

# Part of the customers for `lifetimes`, by partitions of the history: 3 of 64.
SAMPLE_PARTITIONS = "0[0-2]"


def segments(directory):
    """All segments of a workspace as JSON: every trait and every segment is computed for it."""
    return regulars("-C", directory, "segments", "--format", "json")


def figures(document):
    """What other tools are compared with."""
    everyone = document["everyone"]
    prospects = next(s for s in document["segments"] if s["segment"] == "prospect")
    return {
        "customers": everyone["customers"],
        "buyers": everyone["customers"] - prospects["kpis"]["customers"],
        "orders": everyone["orders"],
        "revenue_minor": everyone["revenue_minor"],
    }


def import_files(size, name, paths):
    """One import into an empty workspace and the first look at all segments."""
    directory = shop.fresh_workspace(size, name)
    runs = [regulars("-C", directory, "import", *paths), segments(directory)]
    (directory / "complete").touch()
    parts = {"import_seconds": runs[0].wall, "segments_seconds": runs[1].wall}
    return {**together(runs), **parts}, figures(runs[1].json())


def measure_import(size):
    """Import to finished profiles from Parquet and CSV, `score` after it, DuckDB beside it."""
    parquet, csv = shop.files(size), shop.files(size, "csv")
    orders = shop.orders_pattern(parquet)
    truth = peer("orders_totals", orders).json()
    sorted_files = size.home / "sorted"
    taken = {"parquet": [], "csv": [], "duckdb": [], "score": [], "segments_scored": []}
    for turn in range(size.runs):
        for form, paths in (("parquet", parquet), ("csv", csv)):
            say(f"import from {form}, run {turn + 1} of {size.runs}")
            run, seen = import_files(size, form, paths)
            agree("orders", seen["orders"], truth["orders"])
            agree("revenue", seen["revenue_minor"], truth["revenue_minor"])
            taken[form].append(run)
        say("DuckDB partitions, sorts and writes")
        run = peer("partition_and_sort", orders, sorted_files)
        agree("lines written", run.json()["read"], run.json()["written"])
        taken["duckdb"].append({**together([run]), "wall": run.json()["seconds"]})
        say("score")
        # The CSV workspace: the one from Parquet stays without a fit, for the other sections.
        scored = size.home / "workspaces" / "csv"
        taken["score"].append(together([regulars("-C", scored, "score", "--format", "json")]))
        taken["segments_scored"].append(together([segments(scored)]))
    shutil.rmtree(sorted_files, ignore_errors=True)
    result = {name: summary(runs) for name, runs in taken.items()}
    for form in ("parquet", "csv"):
        for part in ("import_seconds", "segments_seconds"):
            result[form][part] = statistics.median(run[part] for run in taken[form])
    return {**result, "figures": seen, "file_mb": {
        form: sum(path.stat().st_size for path in shop.order_files(paths)) / 1e6
        for form, paths in (("parquet", parquet), ("csv", csv))
    }}


def measure_fold(size):
    """All traits and segments over the stored history, DuckDB's quintiles over the same files."""
    directory = shop.workspace(size)
    history = shop.history_pattern(directory)
    truth = peer("history_totals", history).json()
    ours, theirs, first = [], {"plain": [], "orders-first": []}, None
    for turn in range(2 * size.runs - 1):
        say(f"fold again, run {turn + 1} of {2 * size.runs - 1}")
        run = segments(directory)
        document = run.json()
        first = first or run.out
        agree("the same output each time", int(run.out == first), 1)
        ours.append(together([run]))
        for form, runs in theirs.items():
            run = peer("rfm_quintiles", history, document["as_of"], form)
            agree("customers of the query", truth["customers"], run.json()["customers"])
            agree("sums of the query", truth["monetary"], run.json()["monetary"])
            runs.append({**together([run]), "wall": run.json()["seconds"]})
    seen = figures(document)
    for what in ("buyers", "orders", "revenue_minor"):
        agree(what, seen[what], truth[what])
    return {
        "regulars": summary(ours),
        "duckdb": {form: summary(runs) for form, runs in theirs.items()},
        "segments": len(document["segments"]),
        "figures": {**seen, "lines": truth["lines"]},
    }


def measure_preview(size):
    """What `segments preview` says of its evaluation, without reading and folding."""
    directory = shop.workspace(size)
    result = {}
    for rule in PREVIEWS:
        say(f"preview: {rule}")
        evaluated = []
        for _ in range(size.runs):
            told = regulars("-C", directory, "segments", "preview", rule).err
            found = re.search(r"evaluated for ([\d,]+) customers in (\d+) ms", told)
            evaluated.append(int(found[2]) / 1e3)
        result[rule] = {**timing(evaluated), "customers": int(found[1].replace(",", ""))}
    return result


def measure_summary(size):
    """x, t_x, T and mean repeat spend of each customer, from the stored history."""
    directory = shop.workspace(size)
    history, sample = shop.history_pattern(directory), shop.history_pattern(directory, SAMPLE_PARTITIONS)
    today = segments(directory).json()["as_of"][:10]
    taken = {"regulars": [], "duckdb": [], "polars": []}
    for turn in range(size.runs):
        say(f"summary for the models, run {turn + 1} of {size.runs}")
        # The example goes over the history three times; the first counts as much as the others.
        ours = [summary_line(line) for line in example("rfm_summary", directory, THREADS).out.splitlines()]
        taken["regulars"] += [one["seconds"] for one in ours]
        for name in ("duckdb", "polars"):
            theirs = peer(f"summary_{name}", history, today).json()
            taken[name].append(theirs["seconds"])
            same_summary(ours[0], theirs)
    say("summary: lifetimes, on a part of the customers")
    part = peer("summary_lifetimes", sample, today).json()
    same_summary(peer("summary_duckdb", sample, today).json(), part)
    return {
        **{name: timing(seconds) for name, seconds in taken.items()},
        "lifetimes": {"seconds": part["seconds"], "customers": part["customers"]},
        "customers": ours[0]["customers"],
    }


def summary_line(line):
    """The pairs of name and number that the example prints."""
    words = line.split()
    return {name: float(value) for name, value in zip(words[::2], words[1::2])}


def same_summary(ours, theirs):
    """The same customers, purchases, days and money, whoever counted."""
    for what in ("customers", "repeats", "days", "repeat_spend_minor"):
        agree(f"summary: {what}", ours[what], theirs[what])


def measure_memory(size):
    """Peak memory of import and segments as lines grow: with customers held, and in proportion."""
    # A made-up customer has at least two lines or so: held at 400,000, for 1 million lines.
    held = size.customers * 2 // 5
    kinds = [("held", lambda _: held), ("in proportion", lambda share: size.customers // share)]
    points = []
    for kind, customers_at in kinds:
        for share in (20, 4, 1):
            lines, customers = size.lines // share, customers_at(share)
            say(f"memory: {lines:,} lines of {customers:,} customers")
            points.append({"customers_are": kind, **memory_of(size, customers, lines)})
    shutil.rmtree(size.home / "workspaces" / "memory", ignore_errors=True)
    return {"points": points}


def memory_of(size, customers, lines):
    """One point of the curve."""
    paths = shop.files(size, customers=customers, lines=lines)
    directory = shop.fresh_workspace(size, "memory")
    imported = regulars("-C", directory, "import", *paths)
    looked = segments(directory)
    return {
        "customers": looked.json()["everyone"]["customers"],
        "lines": peer("history_totals", shop.history_pattern(directory)).json()["lines"],
        "import_mb": imported.peak_mb,
        "segments_mb": looked.peak_mb,
        "wall": imported.wall + looked.wall,
    }
