"""python daily_compare.py FOLDER FEATURES: whether a peer's features of a day are ours, customer by customer.

FOLDER holds ours: `columns.json`, `customers.json` and `features.f64`. Prints JSON: how many features and values were
compared, the largest difference, relative where a value is above 1, and what differs; exit code 1 where anything does.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

# Ours are decimals divided, theirs floats.
TOLERANCE = 1e-9


def compare(folder: Path, features: Path) -> dict:
    columns = json.loads((folder / "columns.json").read_text())
    customers = json.loads((folder / "customers.json").read_text())
    ours = np.fromfile(folder / "features.f64", dtype="<f8").reshape(len(columns), len(customers))
    table = pq.read_table(features).sort_by("customer_id")
    if table["customer_id"].to_pylist() != customers:
        theirs = set(table["customer_id"].to_pylist())
        words = f"{len(theirs)} customers at risk instead of {len(customers)}, {len(theirs & set(customers))} of them the same."
        return {"compared": 0, "unequal": {"customer_id": words}}
    unequal, largest, compared, values = {}, 0.0, 0, 0
    for column, own in zip(columns, ours):
        name = column["name"]
        if name not in table.column_names:
            unequal[name] = "is not there"
            continue
        compared += 1
        values += len(own)
        difference, missing = differ(column["categories"], own, table[name])
        largest = max(largest, difference)
        if difference > TOLERANCE or missing > 0:
            unequal[name] = f"differs by up to {difference:.3g}, {missing} missing only here or there"
    return {"features": len(columns), "compared": compared, "values": values, "largest": largest, "unequal": unequal}


def differ(categories: list[str] | None, own: np.ndarray, other) -> tuple[float, int]:
    """The largest difference, and how many values are missing on one side only."""
    if categories is not None:
        places = {category: float(place) for place, category in enumerate(categories)}
        theirs = np.array([np.nan if value is None else places.get(value, -1.0) for value in other.to_pylist()])
    else:
        theirs = other.to_numpy(zero_copy_only=False).astype(float)
    gaps = np.isnan(own) != np.isnan(theirs)
    both = ~np.isnan(own) & ~np.isnan(theirs)
    difference = np.abs(own - theirs)[both] / np.maximum(1, np.abs(own[both]))
    return float(difference.max(initial=0)), int(gaps.sum())


if __name__ == "__main__":
    report = compare(Path(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps(report))
    sys.exit(1 if report["unequal"] else 0)
