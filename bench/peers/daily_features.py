"""The features of a customer at a day's end, from sums over what is known: plain numpy, the same for every peer.

What is added up, and how, is each peer's own: `daily_polars.py`, `daily_pandas.py`. Days are whole days since
1970-01-01. Missing numbers are NaN. Amounts are added up as whole ten-thousandths, so that sums are exact.
"""

import datetime
import json
from pathlib import Path

import numpy as np

WINDOWS = (7, 30, 90, 365)
UNIT = 10_000

Columns = dict[str, np.ndarray]


def day_number(day: str) -> int:
    return (datetime.date.fromisoformat(day) - datetime.date(1970, 1, 1)).days


class Job:
    """What a day's run is told: FILE of JSON, written by bench/daily-peers.ts."""

    def __init__(self, path: Path):
        self.described = json.loads(path.read_text())
        self.cutoff = day_number(self.described["date"])
        self.catalogue = self.described["catalogue"]
        self.files = self.described["files"]
        self.timezone = self.described["timezone"]
        self.terminal = self.described["terminalTypes"]
        self.kept = Path(self.described["kept"])
        # Kinds of events are the places of their types, from 1 on; all others are pooled as 0.
        self.kinds = {name: place + 1 for place, name in enumerate(self.catalogue["eventTypes"])}
        self.excluded = self.catalogue["excluded"]

    def properties(self) -> dict[str, tuple[bool, list[str]]]:
        """Property → whether it is a category, and the types of event that have it."""
        found: dict[str, tuple[bool, list[str]]] = {}
        for one in self.catalogue["properties"]:
            found.setdefault(one["property"], (one["kind"] == "category", []))[1].append(one["type"])
        return found


class Features:
    """Features by name for customers who joined on some days."""

    def __init__(self, job: Job, joined: np.ndarray):
        self.job = job
        self.rows = len(joined)
        self.columns: Columns = {"tenure_days": job.cutoff - joined.astype(float)}

    def add(self, name: str, values: np.ndarray, window: int | None = None, begin: str | None = None) -> None:
        """One over a window is missing where the window reaches back before the data."""
        if window is not None and self.job.cutoff - (window - 1) < day_number(begin or "1970-01-01"):
            values = np.full(self.rows, np.nan)
        self.columns[name] = values

    def age(self, day: np.ndarray) -> np.ndarray:
        return self.job.cutoff - day

    def add_kind(self, kind: str | None, sums: Columns) -> None:
        """Features of one type of event, of the pool of the others where it is null."""
        catalogue = self.job.catalogue
        name = kind or "other_events"
        begin = (catalogue["beginsOn"].get(kind) if kind else None) or catalogue["eventsBeginOn"]
        for days in WINDOWS:
            self.add(f"{name}_count_{days}", zeros(sums[f"count_{days}"]), days, begin)
        self.add(f"{name}_count_all", zeros(sums["count_all"]))
        half = zeros(sums["count_30"]) + 0.5
        self.add(f"{name}_trend", np.log(half / (zeros(sums["count_before_30"]) + 0.5)), 60, begin)
        self.add(f"{name}_trend_90", np.log(half / (zeros(sums["count_90"]) / 3 + 0.5)), 90, begin)
        gap = gaps(sums)
        self.add(f"{name}_days_since", self.age(sums["last_day"]))
        self.add(f"{name}_days_since_first", self.age(sums["first_day"]))
        self.add(f"{name}_gap", gap)
        self.add(f"{name}_overdue", ratio(self.age(sums["last_day"]), gap))
        if kind in catalogue["valuedTypes"]:
            for days in WINDOWS:
                self.add(f"{name}_value_{days}", zeros(sums[f"value_{days}"]) / UNIT, days, begin)
            self.add(f"{name}_value_mean", ratio(sums["value_all"] / UNIT, sums["value_count"]))
            self.add(f"{name}_value_last", sums["value_last"])
        for one in catalogue["properties"]:
            if one["type"] == kind:
                self._add_property(f"{kind}.{one['property']}", one["property"], sums, begin)

    def _add_property(self, name: str, of: str, sums: Columns, begin: str) -> None:
        self.add(f"{name}_last", sums[f"{of}_last"])
        if f"{of}_sum" in sums:
            self.add(f"{name}_mean", ratio(sums[f"{of}_sum"] / UNIT, sums[f"{of}_count"]))
            self.add(f"{name}_mean_90", ratio(sums[f"{of}_sum_90"] / UNIT, sums[f"{of}_count_90"]), 90, begin)

    def add_activity(self, kinds: list[Columns], days: Columns) -> None:
        """Features over all events together. @param kinds sums of each kind"""
        begin = self.job.catalogue["eventsBeginOn"]
        known = days | {
            "first_day": np.fmin.reduce([sums["first_day"] for sums in kinds]),
            "last_day": np.fmax.reduce([sums["last_day"] for sums in kinds]),
        }
        self.add("activity_days_30", zeros(days["days_30"]), 30, begin)
        self.add("activity_days_90", zeros(days["days_90"]), 90, begin)
        types = sum((zeros(sums["count_90"]) > 0).astype(float) for sums in kinds)
        self.add("activity_types_90", types, 90, begin)
        gap = gaps(known)
        self.add("activity_days_since", self.age(known["last_day"]))
        self.add("activity_gap", gap)
        self.add("activity_overdue", ratio(self.age(known["last_day"]), gap))
        recent, before = (sum(zeros(sums[name]) for sums in kinds) for name in ("count_30", "count_before_30"))
        self.add("activity_trend", np.log((recent + 0.5) / (before + 0.5)), 60, begin)

    def add_metric(self, metric: str, sums: Columns) -> None:
        """Features of a metric's answers."""
        last, count = sums["score_last"], sums["count_all"]
        self.add(f"{metric}_last", last)
        self.add(f"{metric}_mean", ratio(sums["score_sum"] / UNIT, count))
        begin = self.job.catalogue["answersBeginOn"].get(metric)
        self.add(f"{metric}_mean_90", ratio(sums["score_sum_90"] / UNIT, sums["count_90"]), 90, begin)
        self.add(f"{metric}_lowest", sums["score_min"])
        self.add(f"{metric}_trend", last - ratio(sums["score_sum"] / UNIT - last, count - 1))
        self.add(f"{metric}_count", zeros(count))
        self.add(f"{metric}_days_since", self.age(sums["last_day"]))

    def add_initiative(self, initiative: str, latest: Columns) -> None:
        self.add(f"initiative_{initiative}", latest["arm"])
        self.add(f"initiative_{initiative}_days_since", self.age(latest["last_day"]))


def zeros(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values)


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Missing where nothing is below."""
    return np.divide(above, below, out=np.full(len(above), np.nan), where=(below != 0) & ~np.isnan(below))


def gaps(sums: Columns) -> np.ndarray:
    return ratio(sums["last_day"] - sums["first_day"], sums["days_all"] - 1)
