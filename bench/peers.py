"""What the peers do, each in a process of its own: `python bench/peers.py NAME ARGUMENTS`.

Every function prints one JSON object: the seconds of the work itself, without starting Python and
loading libraries, and totals by which the results are compared.
"""

import json
import os
import pathlib
import sys
import time

# The parameters of one child; as many threads for all.
THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))

# A shop's orders that count, by the words of the made-up files: an order with a line that was
# cancelled does not, nor one of nobody (a customer number of zeros only stands for none).
ORDERS_COUNTED = """
select count(*), cast(100 * sum(net) as bigint)
from (select order_id,
             sum(quantity * unit_price - coalesce(line_discount, 0) - coalesce(refunded, 0)) as net
      from read_parquet('{orders}') where not regexp_full_match(customer_id, '0+') or email is not null
      group by order_id
      having bool_and(status = 'paid') and count(cancelled_at) = 0)
"""

RFM_PLAIN = """
create or replace temp table rfm as
select customer_id, recency, frequency, monetary,
       ntile(5) over (order by recency desc) as r,
       ntile(5) over (order by frequency) as f,
       ntile(5) over (order by monetary) as m
from (select customer_id,
             date_diff('day', max(occurred_at), timestamptz '{now}') as recency,
             count(distinct order_key) as frequency,
             sum(net_minor - refunded_minor) as monetary
      from read_parquet('{history}') group by customer_id)
"""

# The same, orders first: what somebody would write who had seen how long `count(distinct)` takes.
RFM_ORDERS_FIRST = """
create or replace temp table rfm as
select customer_id, recency, frequency, monetary,
       ntile(5) over (order by recency desc) as r,
       ntile(5) over (order by frequency) as f,
       ntile(5) over (order by monetary) as m
from (select customer_id,
             date_diff('day', max(ordered_at), timestamptz '{now}') as recency,
             count(*) as frequency,
             sum(net) as monetary
      from (select customer_id, order_key, max(occurred_at) as ordered_at,
                   sum(net_minor - refunded_minor) as net
            from read_parquet('{history}') group by customer_id, order_key)
      group by customer_id)
"""

RFM_SUMMARY = """
create or replace temp table summary as
select customer_id, count(*) - 1 as x, date_diff('day', min(day), max(day)) as t_x,
       date_diff('day', min(day), date '{today}') as t,
       sum(net) - arg_min(net, day) as repeat_spend,
       (sum(net) - arg_min(net, day)) / nullif(count(*) - 1, 0) as monetary
from (select customer_id, cast(occurred_at as date) as day, sum(net_minor - refunded_minor) as net
      from read_parquet('{history}') where status = 'placed' group by all)
group by customer_id
"""


def duckdb_connection():
    """DuckDB with as many threads as the others, days in UTC."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"set threads = {THREADS}; set timezone = 'UTC'")
    return connection


def timed(work):
    """The seconds of a piece of work, with its result."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def orders_totals(orders):
    """Orders and revenue of a shop's file of order lines, not timed."""
    query = ORDERS_COUNTED.format(orders=orders)
    count, revenue = duckdb_connection().execute(query).fetchone()
    return {"orders": count, "revenue_minor": revenue}


def partition_and_sort(orders, directory):
    """DuckDB: the order lines by hash of the customer, each part sorted, as Parquet files."""
    connection = duckdb_connection()
    connection.execute(f"set temp_directory = '{directory}.spill'")
    seconds, _ = timed(lambda: connection.execute(
        f"copy (select *, hash(coalesce(customer_id, email)) % 64 as part from read_parquet('{orders}')"
        f" order by part, coalesce(customer_id, email), ordered_at)"
        f" to '{directory}' (format parquet, partition_by (part), overwrite)"
    ))
    rows = "select count(*) from read_parquet('{}')"
    read = connection.execute(rows.format(orders)).fetchone()[0]
    written = connection.execute(rows.format(f"{directory}/*/*.parquet")).fetchone()[0]
    return {"seconds": seconds, "read": read, "written": written}


def rfm_quintiles(history, now, form):
    """DuckDB: recency, frequency, monetary and the quintile of each, of every customer."""
    query = {"plain": RFM_PLAIN, "orders-first": RFM_ORDERS_FIRST}[form]
    connection = duckdb_connection()
    seconds, _ = timed(lambda: connection.execute(query.format(history=history, now=now)))
    customers, monetary = connection.execute(
        "select count(*), cast(sum(monetary) as bigint) from rfm"
    ).fetchone()
    return {"seconds": seconds, "customers": customers, "monetary": monetary}


def history_totals(history):
    """What the stored history adds up to, not timed: everything, and the orders that count."""
    customers, monetary, orders, revenue, buyers, lines = duckdb_connection().execute(
        "select count(distinct customer_id), cast(sum(net_minor - refunded_minor) as bigint),"
        " count(distinct order_key) filter (status = 'placed'),"
        " cast(sum(net_minor - refunded_minor) filter (status = 'placed') as bigint),"
        " count(distinct customer_id) filter (status = 'placed'), count(*)"
        f" from read_parquet('{history}')"
    ).fetchone()
    return {
        "customers": customers, "monetary": monetary, "orders": orders,
        "revenue_minor": revenue, "buyers": buyers, "lines": lines,
    }


def summary_duckdb(history, today):
    """DuckDB: x, t_x, T and the mean of the repeat purchases of every customer, by days."""
    connection = duckdb_connection()
    query = RFM_SUMMARY.format(history=history, today=today)
    seconds, _ = timed(lambda: connection.execute(query))
    customers, repeats, days, spend = connection.execute(
        "select count(*), cast(sum(x) as bigint), cast(sum(t) as bigint),"
        " cast(sum(repeat_spend) as bigint) from summary"
    ).fetchone()
    return totals(seconds, customers, repeats, days, spend)


def summary_polars(history, today):
    """Polars: the same."""
    import polars as pl

    end = pl.lit(today).str.to_date()
    net, day = pl.col("net"), pl.col("day")
    repeats = pl.len().cast(pl.Int64) - 1
    spend = net.sum() - net.sort_by("day").first()
    query = (
        pl.scan_parquet(history)
        .filter(pl.col("status").cast(pl.String) == "placed")
        .group_by("customer_id", pl.col("occurred_at").dt.date().alias("day"))
        .agg((pl.col("net_minor") - pl.col("refunded_minor")).sum().alias("net"))
        .group_by("customer_id")
        .agg(
            repeats.alias("x"),
            (day.max() - day.min()).dt.total_days().alias("t_x"),
            (end - day.min()).dt.total_days().alias("t"),
            spend.alias("repeat_spend"),
            (spend / repeats).alias("monetary"),
        )
    )
    seconds, frame = timed(query.collect)
    return totals(seconds, frame.height, frame["x"].sum(), frame["t"].sum(), frame["repeat_spend"].sum())


def summary_lifetimes(history, today):
    """lifetimes: the same; reading the file is not timed."""
    from lifetimes.utils import summary_data_from_transaction_data

    frame = duckdb_connection().execute(
        "select customer_id, occurred_at::timestamp as at, net_minor - refunded_minor as net"
        f" from read_parquet('{history}') where status = 'placed'"
    ).df()
    seconds, summary = timed(lambda: summary_data_from_transaction_data(
        frame, "customer_id", "at", monetary_value_col="net", observation_period_end=today, freq="D",
    ))
    repeats = int(summary.frequency.sum())
    spend = round(float((summary.frequency * summary.monetary_value).sum()))
    return {"lines": len(frame), **totals(seconds, len(summary), repeats, int(summary["T"].sum()), spend)}


def totals(seconds, customers, repeats, days, repeat_spend_minor):
    """What the summaries of two tools are compared by."""
    return {
        "seconds": seconds, "customers": customers, "repeats": repeats,
        "days": days, "repeat_spend_minor": repeat_spend_minor,
    }


def cdnow(path):
    """Writes the full CDNOW data, as lifetimes summarises it in weeks to 1997-09-30, not timed."""
    import lifetimes.datasets
    import pandas as pd
    from lifetimes.utils import summary_data_from_transaction_data

    source = pathlib.Path(lifetimes.datasets.__file__).parent / "CDNOW_master.txt"
    names = ["customer", "date", "quantity", "spend"]
    frame = pd.read_csv(source, sep=r"\s+", header=None, skiprows=1, dtype={"customer": str}, names=names)
    summary = summary_data_from_transaction_data(
        frame, "customer", "date", monetary_value_col="spend", datetime_format="%Y%m%d",
        observation_period_end="19970930", freq="D",
    )
    rows = pd.DataFrame({
        "x": summary.frequency.astype(int), "t_x": summary.recency / 7, "t": summary["T"] / 7,
        "mean": summary.monetary_value,
    })
    rows.to_csv(path, index=False)
    return {"customers": len(rows)}


def fit_lifetimes(path, horizon):
    """lifetimes: fits BG/NBD to a file of customers and scores them."""
    import pandas as pd
    from lifetimes import BetaGeoFitter

    rows = pd.read_csv(path)
    fit_seconds, fitter = timed(lambda: BetaGeoFitter().fit(rows.x, rows.t_x, rows.t))

    def score():
        orders = fitter.conditional_expected_number_of_purchases_up_to_time(
            float(horizon), rows.x, rows.t_x, rows.t
        )
        return orders, fitter.conditional_probability_alive(rows.x, rows.t_x, rows.t)

    score_seconds, (orders, _) = timed(score)
    return {
        "customers": len(rows), "fit": fit_seconds, "score": score_seconds,
        "parameters": {name: float(value) for name, value in fitter.params_.items()},
        "expected_orders": float(orders.sum()),
    }


PEERS = [
    orders_totals, partition_and_sort, rfm_quintiles, history_totals, summary_duckdb,
    summary_polars, summary_lifetimes, cdnow, fit_lifetimes,
]

if __name__ == "__main__":
    import warnings

    # lifetimes was written for older versions of what it stands on.
    warnings.filterwarnings("ignore")
    chosen = {function.__name__: function for function in PEERS}[sys.argv[1]]
    print(json.dumps(chosen(*sys.argv[2:])))
