"""docs/benchmarks.md, from the results of the sections."""

from measure import THREADS
from shop import generate_command

HEAD = """# Benchmarks

Written by `just bench` (bench/); do not edit. Regulars and its peers run in turn on one machine, each in a
process of its own with {threads} threads. Times are medians, with the least and the most in brackets; memory is the
highest peak of the process. Regulars is timed as a whole process; of a peer only the work is timed, not starting
Python and loading libraries. Results are compared before a time counts: orders, customers, revenue and
parameters are the same, or the run stops.

A ratio says how many times as long the peer took: above 1, Regulars is faster.
"""


def write(path, results, size, threads):
    """Writes the page with the sections that have been measured."""
    parts = [HEAD.format(threads=threads), *machines(results), shop_files(size)]
    for name, section in SECTIONS.items():
        if name in results:
            parts.append(section(results[name]["result"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts))


def machines(results):
    """The machine of the sections, and what differed between them."""
    newest = max(results.values(), key=lambda one: one["machine"]["date"])["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in newest["versions"].items())
    yield table(["machine", ""], [
        ["processor", f"{newest['cpu']}, {newest['cores']} cores"],
        ["memory", f"{newest['memory_gb']:.1f} GB"],
        ["system", newest["system"]],
        ["versions", versions],
    ])
    yield table(["section", "measured", "commit", "load before"], [
        [name, one["machine"]["date"], f"`{one['machine']['commit']}`", f"{one['machine']['load']:.1f}"]
        for name, one in results.items()
    ])


def shop_files(size):
    """The commands that make what is measured."""
    commands = [
        ["regulars", *generate_command(size.customers, size.lines, form, f"big-{form}")]
        for form in ("parquet", "csv")
    ]
    lines = "\n".join(" ".join(str(part) for part in command) for command in commands)
    return (
        f"The shop has {size.lines:,} order lines of {size.customers:,} customers"
        f" ([made up](made-up-shop.md)):\n\n```sh\n{lines}\n```\n"
    )


def import_section(result):
    """Import, score and the peer."""
    seen, mb = result["figures"], result["file_mb"]
    duckdb = result["duckdb"]
    rows = []
    for name, what, limit in (
        ("parquet", "from Parquet to every trait and segment", 30),
        ("csv", "from CSV to every trait and segment", 45),
        ("score", "`score` after it", 60),
        ("segments_scored", "`segments` with the scores", None),
        ("duckdb", "DuckDB: partition by customer, sort, write Parquet", None),
    ):
        one = result[name]
        ratio = "" if name in ("duckdb", "score", "segments_scored") else times(duckdb["wall"], one["wall"])
        rows.append([what, *process(one), f"{limit} s" if limit else "", ratio])
    parts = "; ".join(
        f"{name}: import {seconds(result[form]['import_seconds'])}, segments {seconds(result[form]['segments_seconds'])}"
        for form, name in (("parquet", "Parquet"), ("csv", "CSV"))
    )
    return f"""## Import to finished profiles

```sh
regulars init shop
regulars -C shop import big-parquet/*.parquet      # or big-csv/*.csv
regulars -C shop segments --format json
regulars -C shop score --format json
```

{seen['orders']:,} orders of {seen['buyers']:,} buyers that count; the file of the order lines has
{mb['parquet']:,.0f} MB as Parquet and {mb['csv']:,.0f} MB as CSV. The limit for memory is 4 GB. DuckDB reads, sorts and
writes the same Parquet file; it recognises nothing, matches no refunds and folds nothing.

{table(["", "time", "CPU", "peak memory", "limit", "DuckDB's time / ours"], rows)}
Of the time, {parts}.
"""


def fold_section(result):
    """Folding again and the peer."""
    ours, theirs = result["regulars"], result["duckdb"]
    rows = [
        [f"Regulars: every trait and {result['segments']} segments", *process(ours), ""],
        ["DuckDB: plain query", *process(theirs["plain"]), times(theirs["plain"]["wall"], ours["wall"])],
        ["DuckDB: orders first", *process(theirs["orders-first"]), times(theirs["orders-first"]["wall"], ours["wall"])],
    ]
    return f"""## Folding the stored history again

`regulars segments --format json` over the stored history ({result['figures']['lines']:,} lines), in alternation with
DuckDB over the same Parquet files: recency, frequency and monetary value of every customer with `ntile(5)` of each,
into a table in memory. The plain query counts `distinct` orders by customer; the other groups by order first.
The limit: at most half the time of the plain query.

{table(["", "time", "CPU", "peak memory", "DuckDB's time / ours"], rows)}"""


def preview_section(result):
    """Evaluation of previews."""
    rows = [[f"`{rule}`", f"{one['customers']:,}", spread(one)] for rule, one in result.items()]
    return f"""## Preview of a rule

`regulars segments preview RULE` says how long the rule took over all customers once they are folded. The limit is
100 ms.

{table(["rule", "customers", "evaluation"], rows)}"""


def summary_section(result):
    """Summary for the models and the peers."""
    ours, part = result["regulars"], result["lifetimes"]
    scaled = part["seconds"] * result["customers"] / part["customers"]
    rows = [["Regulars (`rfm_summary` example)", spread(ours), ""]]
    for name, title in (("duckdb", "DuckDB"), ("polars", "Polars")):
        rows.append([title, spread(result[name]), times(result[name], ours)])
    rows.append([
        f"lifetimes, {part['customers']:,} customers in {seconds(part['seconds'])}, scaled",
        seconds(scaled), f"{scaled / ours['median']:,.1f}",
    ])
    return f"""## Summary for the purchase models

x, t_x, T and the mean of the repeat purchases of {result['customers']:,.0f} buyers, by days, from the stored history.
Regulars folds every fact of a profile on the way. lifetimes summarises a part of the customers, read beforehand; its
time is scaled to all. The limit: 50 times as fast as lifetimes, and faster than DuckDB and Polars.

{table(["", "time", "peer's time / ours"], rows)}"""


def fit_section(title, command, limits):
    """A section about fits."""
    def section(result):
        ours, theirs = result["regulars"], result["lifetimes"]
        peers = {"fit BG/NBD": theirs["fit"], "score BG/NBD": theirs["score"]}
        rows = []
        for name, one in ours.items():
            peer = peers.get(name)
            rows.append([
                "group equal customers" if name == "group" else name, spread(one), limits.get(name, ""),
                seconds(peer) if peer else "", f"{peer / one['median']:,.1f}" if peer else "",
            ])
        parameters = ", ".join(f"{name} {value:.4f}" for name, value in ours_parameters(result))
        return f"""## {title}

`{CARGO} {command or result['customers']} {THREADS}`: {result['customers']:,} customers, {result['distinct']:,} distinct. `lifetimes` fits and scores the same
customers, once. BG/NBD parameters, the same within 2 %: {parameters}. Scoring is the expected orders and, in Regulars,
their interval and the chance of no order; in lifetimes the expected orders and P(alive).

{table(["", "time", "limit", "lifetimes", "its time / ours"], rows)}"""
    return section


def ours_parameters(result):
    """The parameters of BG/NBD."""
    return result["parameters"]["BG/NBD"].items()


def memory_section(result):
    """The curve of memory."""
    rows = [
        [f"{one['lines']:,}", f"{one['customers']:,}", one["customers_are"],
         megabytes(one["import_mb"]), megabytes(one["segments_mb"]), seconds(one["wall"])]
        for one in result["points"]
    ]
    return f"""## Memory as the history grows

Peak memory of `import` and of `segments --format json`, one run each, with the number of customers held and with
customers in proportion to lines.

{table(["lines", "customers", "customers are", "import", "segments", "time of both"], rows)}

`segments` keeps a profile of each customer, and 16 bytes for each order that counts (its time and its net revenue,
which windows at any moment ask for), each category and each brand that a customer bought. With customers held it grows
by these, as more lines are more orders of the same customers; the lines of an order are not kept.
An import grows with customers, and with lines hardly."""


def waited(cold):
    """Of a start after a kill: until what had waited to be folded is folded, where that was measured."""
    if "folded" not in cold:
        return []
    return [[f"until {cold['waiting']:,} of them that had waited to be folded are, while events are taken", seconds(cold["folded"]), ""]]


def live_section(result):
    """The live path under load."""
    batches, singles, probes = result["batches"], result["singles"], result["probes"]
    stampede, same, cold = result["stampede"], result["same"], result["cold_start"]
    events = batches["sent"]["events"]
    rows = [
        ["events on disk each second, batches of 100", f"{batches['durable_per_second']:,.0f}", "100,000"],
        ["events folded each second, until the last", f"{batches['folded_per_second']:,.0f}", "100,000 (at least 50,000)"],
        ["events for each second of the server's CPU", f"{batches['events_per_cpu_second']:,.0f}", "60,000"],
        ["share of events that some segment looks at", f"{batches['read_share']:.0%}", "30 % or more"],
        ["transitions for each hundred events", f"{100 * batches['transitions'] / events:.1f}", "about 2"],
        ["answer to a batch", latency(batches["sent"]["latency"]), ""],
        [f"answer to a single event, {singles['requests_per_second']:,.0f} a second", latency(singles["latency"]), "p99 25 ms"],
        [f"from the answer to the transition in the outbox, at {probes['traffic']['events_per_second']:,.0f} events/s", delays(probes["delays"]), "p99 100 ms"],
        ["the same as somebody sees it who asks the API for it", latency(probes["in_outbox"]), ""],
        [f"{stampede['fired']:,} of {stampede['due']:,} wake-ups that were due at one instant: the record that found the last", f"{stampede['all_fired_after'] or 0:.3f} s after it", "5 s"],
        ["from the answer to the transition in the outbox meanwhile", delays(stampede["delays"]), "100 ms"],
        ["the same as somebody sees it who asks the API for it", latency(stampede["probes"]["in_outbox"]), ""],
        ["peak memory", megabytes(result["stopped"]["peak_mb"]), "6,000 MB"],
        ["first start", seconds(result["first_start"]), ""],
        [f"start from a cold cache after a kill with {cold['tail']:,} records in the log", seconds(cold["seconds"]), "15 s with 1,000,000"],
        *waited(cold),
        [f"start with the {events:,} events and more in the history", seconds(same["start"]), ""],
        ["stop", seconds(result["stopped"]["seconds"]), ""],
    ]
    if same["differing"]:
        differing = ", ".join(f"`{name}` {sizes}" for name, sizes in same["differing"].items())
        agreed = f"Of {same['segments']} segments these differ (live and then folded, started again and then folded): {differing}."
    else:
        agreed = f"All {same['segments']} segments but those of channels have the same size live, folded by `regulars segments`, and after the next start."
    return f"""## Live

`just bench-live`: `regulars serve` holds the shop with its scores and a hundred more segments (`bench/live_segments.py`).
The load generator runs on the same cores; its time is in no figure of the server. Customers are drawn by Zipf's law,
every message id is new, every event is on disk before its answer. Latencies count from the moment at which a request
was due. Wake-ups are timed by the clock of the log, which stands still where nothing arrives: what they hold up is in
the line below.

{table(["", "measured", "aim"], rows)}
{agreed}
"""


def latency(one):
    """Percentiles of a latency."""
    return f"p50 {one['p50_ms']:.1f} ms, p99 {one['p99_ms']:.1f} ms, most {one['max_ms']:.0f} ms"


def delays(one):
    """How long transitions took, by the bounds of the server's histogram."""
    def bound(seconds):
        return f"at most {seconds * 1000:,.0f} ms" if seconds != float("inf") else "more than 10 s"

    return (
        f"p50 {bound(one['p50_seconds'])}, p99 {bound(one['p99_seconds'])}, all {bound(one['all_seconds'])}; "
        f"{one['within_100_ms']:.2%} of {one['transitions']:,} within 100 ms"
    )


CARGO = "cargo run --release -p regulars-stats --example fit_speed --"
SECTIONS = {
    "import": import_section,
    "fold": fold_section,
    "preview": preview_section,
    "summary": summary_section,
    "cdnow": fit_section("Fits: CDNOW", "cdnow.csv", {"fit BG/NBD": "50 ms"}),
    "simulated": fit_section("Fits: simulated customers", None, {
        "fit BG/NBD": "1 s", "score BG/NBD": "1 s", "fit Pareto/NBD": "20 s",
    }),
    "memory": memory_section,
    "live": live_section,
}


def process(one):
    """Cells of a process: time, CPU, memory."""
    return [spread(one["wall"]), seconds(one["cpu"]["median"]), megabytes(one["peak_mb"])]


def times(theirs, ours):
    """The peer's median over ours."""
    return f"{theirs['median'] / ours['median']:,.2f}"


def spread(one):
    """The median, with the range of the runs."""
    if one["runs"] == 1:
        return seconds(one["median"])
    return f"{seconds(one['median'])} ({seconds(one['least'])}–{seconds(one['most'])})"


def seconds(value):
    """A duration in a unit that fits."""
    if value < 1e-3:
        return f"{value * 1e6:.0f} µs"
    return f"{value * 1e3:.3g} ms" if value < 0.9995 else f"{value:,.1f} s" if value >= 10 else f"{value:.2f} s"


def megabytes(value):
    """Memory."""
    return f"{value:,.0f} MB"


def table(head, rows):
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
