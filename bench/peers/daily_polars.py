"""python daily_polars.py JOB raw|keep|next [FEATURES]: a day's predictions with Polars and LightGBM.

`raw`: from all events. `keep`: works out what is kept from one day to the next, and predicts nothing. `next`: carries
what was kept on by the events of the new day and of those that leave a window. FEATURES: a Parquet file to write the
features to, for a comparison.
"""

import datetime
import sys
from pathlib import Path

import numpy as np
import polars as pl

from daily_features import UNIT, WINDOWS, Features, Job
from daily_models import Models, prediction_columns

KEYS = ["customer_id", "kind"]
MOMENT = ["at", "row_id"]


def read(job: Job, table: str, files: list[str] | None = None) -> pl.LazyFrame:
    frame = pl.scan_parquet(files or job.files[table], missing_columns="insert", extra_columns="ignore")
    if table not in ("events", "responses", "interventions"):
        return frame
    return frame.with_columns(pl.col("day").cast(pl.Int32), pl.col("at").dt.epoch("us"))


def read_events(job: Job, files: list[str] | None = None) -> pl.LazyFrame:
    kind = pl.col("type").replace_strict(job.kinds, default=0, return_dtype=pl.UInt8).alias("kind")
    events = read(job, "events", files).filter(~pl.col("type").is_in(job.excluded), pl.col("day") <= job.cutoff)
    properties = [f"prop_{name}" for name in job.properties()]
    return events.select("customer_id", kind, "day", "value", *properties, *MOMENT)


def amount(column: str) -> pl.Expr:
    return (pl.col(column) * UNIT).round().cast(pl.Int64)


def last(column: str, name: str) -> list[pl.Expr]:
    """The latest value, and when that was."""
    ordered = pl.struct(*MOMENT, pl.col(column)).sort_by(*MOMENT).last()
    return [
        ordered.struct.field(column).alias(f"{name}_last"),
        ordered.struct.field("at").alias(f"{name}_at"),
        ordered.struct.field("row_id").alias(f"{name}_row"),
    ]


def add_up(job: Job, events: pl.LazyFrame, cutoff: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sums by customer and kind, and days of activity by customer."""
    age = cutoff - pl.col("day")
    counts = events.group_by(KEYS).agg(
        *[(age < days).sum().cast(pl.Int64).alias(f"count_{days}") for days in WINDOWS],
        age.is_between(30, 59).sum().cast(pl.Int64).alias("count_before_30"),
        pl.len().cast(pl.Int64).alias("count_all"),
        pl.col("day").n_unique().cast(pl.Int64).alias("days_all"),
        pl.col("day").min().alias("first_day"),
        pl.col("day").max().alias("last_day"),
        pl.col("at").max().alias("last_at"),
    )
    valued = [job.kinds[name] for name in job.catalogue["valuedTypes"]]
    values = events.filter(pl.col("value").is_not_null(), pl.col("kind").is_in(valued)).group_by(KEYS)
    parts = [
        values.agg(
            *[amount("value").filter(age < days).sum().alias(f"value_{days}") for days in WINDOWS],
            pl.len().cast(pl.Int64).alias("value_count"),
            amount("value").sum().alias("value_all"),
            *last("value", "value"),
        )
    ]
    for name, (is_category, types) in job.properties().items():
        column = f"prop_{name}"
        kinds = [job.kinds[kind] for kind in types]
        own = events.filter(pl.col(column).is_not_null(), pl.col("kind").is_in(kinds)).group_by(KEYS)
        sums = [] if is_category else [
            amount(column).sum().alias(f"{name}_sum"),
            pl.len().cast(pl.Int64).alias(f"{name}_count"),
            amount(column).filter(age < 90).sum().alias(f"{name}_sum_90"),
            (age < 90).sum().cast(pl.Int64).alias(f"{name}_count_90"),
        ]
        parts.append(own.agg(*sums, *last(column, name)))
    days = events.select("customer_id", "day").unique().group_by("customer_id").agg(
        (age < 30).sum().cast(pl.Int64).alias("days_30"),
        (age < 90).sum().cast(pl.Int64).alias("days_90"),
        pl.len().cast(pl.Int64).alias("days_all"),
    )
    counts, days, *parts = pl.collect_all([counts, days, *parts])
    for part in parts:
        counts = counts.join(part, on=KEYS, how="left")
    return counts, days


def is_sum(name: str) -> bool:
    return not name.startswith(("first_", "last_")) and not name.endswith(("_last", "_at", "_row")) and name not in KEYS


def carry_on(kept: pl.DataFrame, gone: pl.DataFrame, now: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """What the days in question say now, in place of what they said before. All of these days are in both."""
    sums = [name for name in kept.columns if is_sum(name)]
    others = [name for name in kept.columns if name not in sums and name not in keys]
    gone = gone.with_columns(*[-pl.col(name) for name in sums], *[pl.lit(None).alias(name) for name in others])
    touched = pl.concat([kept.join(now, on=keys, how="semi"), gone, now], how="diagonal_relaxed").group_by(keys)
    joined = [pl.col(name).sum() for name in sums]
    for name in others:
        if name == "first_day":
            joined.append(pl.col(name).min())
        elif name in ("last_day", "last_at"):
            joined.append(pl.col(name).max())
        else:
            of = name.rsplit("_", 1)[0]
            joined.append(pl.col(name).sort_by(f"{of}_at", f"{of}_row", nulls_last=False).last())
    untouched = kept.join(now, on=keys, how="anti")
    return pl.concat([untouched, touched.agg(joined).select(untouched.columns).cast(untouched.schema)])


def edge_days(before: int, cutoff: int) -> list[int]:
    """The days that enter or leave a window between two days."""
    return [before + step - edge for edge in (0, 30, 60, 90, *WINDOWS) for step in range(1, cutoff - before + 1)]


def keep(job: Job) -> None:
    (job.kept / "events").mkdir(parents=True, exist_ok=True)
    events = read_events(job)
    # In the order of days, so that a few days are found without reading the others.
    events.sort("day").sink_parquet(job.kept / "events" / "until.parquet", row_group_size=50_000)
    write_kept(job, *add_up(job, events, job.cutoff))


def write_kept(job: Job, kinds: pl.DataFrame, days: pl.DataFrame) -> None:
    kinds.write_parquet(job.kept / f"kinds-{job.cutoff}.parquet")
    days.write_parquet(job.kept / f"days-{job.cutoff}.parquet")


def next_day(job: Job) -> tuple[pl.DataFrame, pl.DataFrame]:
    before = job.described["keptDay"]
    fresh = read_events(job, job.files["fresh"]).filter(pl.col("day") > before).collect()
    wanted = sorted(set(edge_days(before, job.cutoff)))
    kept = pl.scan_parquet(job.kept / "events" / "*.parquet")
    earlier = pl.concat([kept.filter(pl.col("day") == day) for day in wanted if day <= before]).collect()
    gone = add_up(job, earlier.lazy(), before)
    now = add_up(job, pl.concat([earlier, fresh.select(earlier.columns)]).lazy(), job.cutoff)
    kinds, days = (pl.read_parquet(job.kept / f"{name}-{before}.parquet") for name in ("kinds", "days"))
    kinds = carry_on(kinds, gone[0], now[0], KEYS)
    days = carry_on(days, gone[1], now[1], ["customer_id"])
    fresh.write_parquet(job.kept / "events" / f"{job.cutoff}.parquet")
    write_kept(job, kinds, days)
    return kinds, days


def at_risk(job: Job, kinds: pl.DataFrame) -> pl.DataFrame:
    """Everybody who joined and has not left since: (customer_id, joined), in the order of ids."""
    local = pl.col("joined_at").dt.convert_time_zone(job.timezone).dt.date().cast(pl.Int32)
    joinings = read(job, "customers").select("customer_id", local.alias("joined"), since=pl.col("joined_at").dt.epoch("us"))
    latest = joinings.filter(pl.col("joined") <= job.cutoff).group_by("customer_id").agg(pl.all().max())
    ends = kinds.lazy().filter(pl.col("kind").is_in([job.kinds[name] for name in job.terminal]))
    ends = ends.group_by("customer_id").agg(pl.col("last_at").max().alias("ended"))
    members = latest.join(ends, on="customer_id", how="left")
    return members.filter((pl.col("ended") < pl.col("since")).fill_null(True)).sort("customer_id").collect()


def aligned(spine: pl.DataFrame, table: pl.DataFrame) -> dict[str, np.ndarray]:
    """The columns of a table with a row a customer, in the order of the spine. Numbers are float64, missing NaN."""
    joined = spine.select("customer_id").join(table, on="customer_id", how="left", maintain_order="left")
    return {
        column.name: column.to_numpy() if column.dtype == pl.String else column.cast(pl.Float64).fill_null(np.nan).to_numpy()
        for column in joined.drop("customer_id")
    }


def answers(job: Job) -> pl.DataFrame:
    recent = pl.col("day") > job.cutoff - 90
    return read(job, "responses").filter(pl.col("day") <= job.cutoff).group_by("customer_id", "metric").agg(
        pl.len().alias("count_all"),
        amount("score").sum().alias("score_sum"),
        amount("score").filter(recent).sum().alias("score_sum_90"),
        recent.sum().alias("count_90"),
        pl.col("score").sort_by(*MOMENT).last().alias("score_last"),
        pl.col("score").min().alias("score_min"),
        pl.col("day").max().alias("last_day"),
    ).collect()


def arms(job: Job) -> pl.DataFrame:
    interventions = read(job, "interventions").filter(pl.col("day") <= job.cutoff)
    latest = pl.col("arm").sort_by(*MOMENT).last(), pl.col("day").max().alias("last_day")
    return interventions.group_by("customer_id", "initiative").agg(*latest).collect()


def attributes(job: Job) -> pl.DataFrame:
    """As known at the cutoff: the latest row that was valid then."""
    valid = pl.col("valid_from").dt.convert_time_zone(job.timezone).dt.date().cast(pl.Int32)
    known = read(job, "customers").filter((valid <= job.cutoff).fill_null(True)).sort("valid_from", "ordinal", nulls_last=False)
    names = [one["name"] for one in job.catalogue["attributes"]]
    values = pl.col("annual_value").drop_nulls().last()
    return known.group_by("customer_id", maintain_order=True).agg(*[pl.col(f"attr_{name}").last().alias(name) for name in names], values).collect()


def features(job: Job, kinds: pl.DataFrame, days: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, np.ndarray]]:
    spine = at_risk(job, kinds)
    made = Features(job, spine["joined"].to_numpy())
    names = [*job.kinds, *([None] if job.catalogue["hasOtherTypes"] else [])]
    by_kind = {kind: table for (kind,), table in kinds.partition_by("kind", as_dict=True).items()}
    sums = [aligned(spine, by_kind.get(job.kinds.get(name, 0), kinds.clear()).drop("kind")) for name in names]
    for name, own in zip(names, sums):
        made.add_kind(name, own)
    made.add_activity(sums, aligned(spine, days))
    answered, treated = answers(job), arms(job)
    for metric in job.catalogue["metrics"]:
        made.add_metric(metric, aligned(spine, answered.filter(pl.col("metric") == metric).drop("metric")))
    for initiative in job.catalogue["initiatives"]:
        own = treated.filter(pl.col("initiative") == initiative).drop("initiative")
        made.add_initiative(initiative, aligned(spine, own))
    made.columns |= aligned(spine, attributes(job))
    return spine, made.columns


def main(path: Path, command: str, features_path: str | None) -> None:
    job = Job(path)
    if command == "keep":
        keep(job)
        return
    kinds, days = add_up(job, read_events(job), job.cutoff) if command == "raw" else next_day(job)
    spine, found = features(job, kinds, days)
    customers = spine["customer_id"]
    if features_path:
        columns = {name: list(values) if values.dtype == object else values for name, values in found.items()}
        pl.DataFrame({"customer_id": customers} | columns).write_parquet(features_path)
    models = Models(Path(job.described["models"]), "lightgbm")
    predictions = prediction_columns(models.predict(models.matrix(found)))
    date = datetime.date.fromisoformat(job.described["date"])
    day = pl.DataFrame({"customer_id": customers} | predictions).with_columns(date=pl.lit(date))
    day.write_parquet(job.described["predictions"])
    print(len(customers))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
