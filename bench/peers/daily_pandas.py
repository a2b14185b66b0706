"""python daily_pandas.py JOB raw|keep|next [FEATURES]: a day's predictions with pandas and XGBoost.

The steps are those of `daily_polars.py`.
"""

import datetime
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from daily_features import UNIT, WINDOWS, Features, Job
from daily_models import Models, prediction_columns

KEYS = ["customer_id", "kind"]
MOMENT = ["at", "row_id"]


def read(job: Job, table: str, files: list[str] | None = None, columns: list[str] | None = None) -> pd.DataFrame:
    frame = pd.concat([pd.read_parquet(path, columns=columns) for path in files or job.files[table]], ignore_index=True)
    if "day" in frame:
        frame["day"] = (pd.to_datetime(frame["day"]) - pd.Timestamp(0)).dt.days
        frame = frame[frame["day"] <= job.cutoff]
    return frame


def read_events(job: Job, files: list[str] | None = None) -> pd.DataFrame:
    columns = [f"prop_{name}" for name in job.properties()]
    events = read(job, "events", files, ["customer_id", "type", "day", "value", *columns, *MOMENT])
    events = events[~events["type"].isin(job.excluded)]
    kinds = events["type"].map(job.kinds).fillna(0).astype("int8")
    return events.drop(columns="type").assign(kind=kinds)


def amount(values: pd.Series) -> pd.Series:
    return (values * UNIT).round().astype("int64")


def last(rows: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    """The latest value of each customer and kind, and when that was."""
    latest = rows.sort_values(MOMENT).drop_duplicates(KEYS, keep="last")
    names = {column: f"{name}_last", "at": f"{name}_at", "row_id": f"{name}_row"}
    return latest.rename(columns=names).set_index(KEYS)[list(names.values())]


def add_up(job: Job, events: pd.DataFrame, cutoff: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sums by customer and kind, and days of activity by customer."""
    age = cutoff - events["day"]
    flags = events[KEYS].assign(
        **{f"count_{days}": age < days for days in WINDOWS}, count_before_30=age.between(30, 59), count_all=True
    )
    groups = events.groupby(KEYS, sort=False)
    parts = [
        flags.groupby(KEYS, sort=False).sum(),
        groups.agg(first_day=("day", "min"), last_day=("day", "max"), last_at=("at", "max")),
        events[[*KEYS, "day"]].drop_duplicates().groupby(KEYS, sort=False).size().rename("days_all"),
    ]
    valued = events["kind"].isin([job.kinds[name] for name in job.catalogue["valuedTypes"]])
    rows = events[valued & events["value"].notna()]
    whole, own_age = amount(rows["value"]), cutoff - rows["day"]
    sums = {f"value_{days}": whole.where(own_age < days, 0) for days in WINDOWS}
    sums |= {"value_count": 1, "value_all": whole}
    parts += [rows[KEYS].assign(**sums).groupby(KEYS, sort=False).sum(), last(rows, "value", "value")]
    for name, (is_category, types) in job.properties().items():
        column = f"prop_{name}"
        rows = events[events["kind"].isin([job.kinds[kind] for kind in types]) & events[column].notna()]
        parts.append(last(rows, column, name))
        if is_category:
            continue
        whole, recent = amount(rows[column]), cutoff - rows["day"] < 90
        sums = {f"{name}_sum": whole, f"{name}_count": 1}
        sums |= {f"{name}_sum_90": whole.where(recent, 0), f"{name}_count_90": recent.astype("int64")}
        parts.append(rows[KEYS].assign(**sums).groupby(KEYS, sort=False).sum())
    active = events[["customer_id", "day"]].drop_duplicates()
    age = cutoff - active["day"]
    days = active[["customer_id"]].assign(days_30=age < 30, days_90=age < 90, days_all=True)
    return parts[0].join(parts[1:]).reset_index(), days.groupby("customer_id").sum().reset_index()


def is_sum(name: str) -> bool:
    return not name.startswith(("first_", "last_")) and not name.endswith(("_last", "_at", "_row")) and name not in KEYS


def carry_on(kept: pd.DataFrame, gone: pd.DataFrame, now: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """What the days in question say now, in place of what they said before. All of these days are in both."""
    sums = [name for name in kept.columns if is_sum(name)]
    both = kept.merge(now[keys], on=keys, how="left", indicator=True)["_merge"].eq("both").to_numpy()
    touched = pd.concat([kept[both], now], ignore_index=True)
    added = pd.concat([touched, gone.assign(**{name: -gone[name] for name in sums})], ignore_index=True)
    parts = [added.groupby(keys, sort=False)[sums].sum()]
    if "first_day" in kept:
        groups = touched.groupby(keys, sort=False)
        parts.append(groups.agg(first_day=("first_day", "min"), last_day=("last_day", "max"), last_at=("last_at", "max")))
    for name in (column.removesuffix("_at") for column in kept.columns if column.endswith("_at") and column != "last_at"):
        own = [f"{name}_last", f"{name}_at", f"{name}_row"]
        ordered = touched[touched[own[1]].notna()].sort_values(own[1:])
        parts.append(ordered.drop_duplicates(keys, keep="last").set_index(keys)[own])
    joined = parts[0].join(parts[1:]).reset_index()
    return pd.concat([kept[~both], joined[kept.columns]], ignore_index=True)


def keep(job: Job) -> None:
    job.kept.mkdir(parents=True, exist_ok=True)
    events = read_events(job)
    # In the order of days, so that a few days are found without reading the others.
    events.sort_values("day").to_parquet(job.kept / "events-until.parquet", row_group_size=50_000, index=False)
    write_kept(job, *add_up(job, events, job.cutoff))


def write_kept(job: Job, kinds: pd.DataFrame, days: pd.DataFrame) -> None:
    kinds.to_parquet(job.kept / f"kinds-{job.cutoff}.parquet", index=False)
    days.to_parquet(job.kept / f"days-{job.cutoff}.parquet", index=False)


def next_day(job: Job) -> tuple[pd.DataFrame, pd.DataFrame]:
    before = job.described["keptDay"]
    fresh = read_events(job, job.files["fresh"])
    fresh = fresh[fresh["day"] > before]
    # The days that enter or leave a window between the two.
    steps = range(1, job.cutoff - before + 1)
    edges = {before + step - edge for edge in (0, 30, 60, 90, *WINDOWS) for step in steps} - {before + step for step in steps}
    paths = sorted(job.kept.glob("events-*.parquet"))
    wanted = [("day", "in", sorted(edges))]
    earlier = pd.concat([pd.read_parquet(path, filters=wanted) for path in paths], ignore_index=True)
    gone = add_up(job, earlier, before)
    now = add_up(job, pd.concat([earlier, fresh], ignore_index=True), job.cutoff)
    kinds, days = (pd.read_parquet(job.kept / f"{name}-{before}.parquet") for name in ("kinds", "days"))
    kinds = carry_on(kinds, gone[0], now[0], KEYS)
    days = carry_on(days, gone[1], now[1], ["customer_id"])
    fresh.to_parquet(job.kept / f"events-{job.cutoff}.parquet", index=False)
    write_kept(job, kinds, days)
    return kinds, days


def local_day(job: Job, instants: pd.Series) -> pd.Series:
    return (instants.dt.tz_convert(job.timezone).dt.tz_localize(None).dt.normalize() - pd.Timestamp(0)).dt.days


def at_risk(job: Job, customers: pd.DataFrame, kinds: pd.DataFrame) -> pd.DataFrame:
    """Everybody who joined and has not left since: (customer_id, joined), in the order of ids."""
    joinings = customers[["customer_id"]].assign(joined=local_day(job, customers["joined_at"]), since=customers["joined_at"])
    latest = joinings[joinings["joined"] <= job.cutoff].groupby("customer_id").max()
    ends = kinds[kinds["kind"].isin([job.kinds[name] for name in job.terminal])]
    latest["ended"] = ends.groupby("customer_id")["last_at"].max()
    stayed = latest["ended"].isna() | (latest["ended"] < latest["since"])
    return latest[stayed].sort_index().reset_index()


def aligned(spine: pd.DataFrame, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns of a table with a row a customer, in the order of the spine. Numbers are float64, missing NaN."""
    joined = table.set_index("customer_id").reindex(spine["customer_id"])
    moments = [name for name in joined.columns if name.endswith("_at")]
    return {
        name: column.to_numpy(float, na_value=np.nan)
        if pd.api.types.is_numeric_dtype(column)
        else column.astype(object).where(column.notna(), None).to_numpy()
        for name, column in joined.drop(columns=moments).items()
    }


def answers(job: Job) -> pd.DataFrame:
    rows = read(job, "responses")
    recent = rows["day"] > job.cutoff - 90
    whole = amount(rows["score"])
    own = rows.assign(whole=whole, whole_90=whole.where(recent, 0), recent=recent).sort_values(MOMENT)
    return own.groupby(["customer_id", "metric"]).agg(
        count_all=("score", "size"),
        score_sum=("whole", "sum"),
        score_sum_90=("whole_90", "sum"),
        count_90=("recent", "sum"),
        score_last=("score", "last"),
        score_min=("score", "min"),
        last_day=("day", "max"),
    ).reset_index()


def arms(job: Job) -> pd.DataFrame:
    rows = read(job, "interventions").sort_values(MOMENT)
    return rows.groupby(["customer_id", "initiative"]).agg(arm=("arm", "last"), last_day=("day", "max")).reset_index()


def attributes(job: Job, customers: pd.DataFrame) -> pd.DataFrame:
    """As known at the cutoff: the latest row that was valid then."""
    valid = customers["valid_from"].isna() | (local_day(job, customers["valid_from"]) <= job.cutoff)
    known = customers[valid].sort_values(["valid_from", "ordinal"], na_position="first")
    names = [one["name"] for one in job.catalogue["attributes"]]
    latest = known.drop_duplicates("customer_id", keep="last").set_index("customer_id")
    values = latest[[f"attr_{name}" for name in names]].set_axis(names, axis=1)
    return values.assign(annual_value=known.groupby("customer_id")["annual_value"].last()).reset_index()


def features(job: Job, kinds: pd.DataFrame, days: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    customers = read(job, "customers")
    spine = at_risk(job, customers, kinds)
    made = Features(job, spine["joined"].to_numpy())
    names = [*job.kinds, *([None] if job.catalogue["hasOtherTypes"] else [])]
    sums = [aligned(spine, kinds[kinds["kind"] == job.kinds.get(name, 0)].drop(columns="kind")) for name in names]
    for name, own in zip(names, sums):
        made.add_kind(name, own)
    made.add_activity(sums, aligned(spine, days))
    answered, treated = answers(job), arms(job)
    for metric in job.catalogue["metrics"]:
        made.add_metric(metric, aligned(spine, answered[answered["metric"] == metric].drop(columns="metric")))
    for initiative in job.catalogue["initiatives"]:
        own = treated[treated["initiative"] == initiative].drop(columns="initiative")
        made.add_initiative(initiative, aligned(spine, own))
    made.columns |= aligned(spine, attributes(job, customers))
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
        pd.DataFrame({"customer_id": customers} | found).to_parquet(features_path, index=False)
    models = Models(Path(job.described["models"]), "xgboost")
    predictions = prediction_columns(models.predict(models.matrix(found)))
    date = datetime.date.fromisoformat(job.described["date"])
    pd.DataFrame({"customer_id": customers, "date": date} | predictions).to_parquet(job.described["predictions"])
    print(len(customers))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
