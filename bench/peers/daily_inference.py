"""python daily_inference.py FOLDER OWN lightgbm|xgboost ROWS THREADS: how long a peer's models take to predict.

FOLDER holds the models, OWN features of a day as our side wrote them; they are repeated to so many rows. Prints JSON:
seconds of the fastest of three rounds, encoded rows in memory, all tasks together.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from daily_models import Models


def measure(folder: Path, own: Path, name: str, rows: int, threads: int) -> float:
    models = Models(folder, name)
    columns = json.loads((own / "columns.json").read_text())
    values = np.fromfile(own / "features.f64", dtype="<f8").reshape(len(columns), -1)
    features = {column["name"]: named(column["categories"], own) for column, own in zip(columns, values)}
    matrix = models.matrix(features)
    matrix = np.ascontiguousarray(np.resize(matrix, (rows, matrix.shape[1])))
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        models.predict(matrix, threads)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def named(categories: list[str] | None, values: np.ndarray) -> np.ndarray:
    if categories is None:
        return values
    return np.array([None if np.isnan(place) else categories[int(place)] for place in values], dtype=object)


if __name__ == "__main__":
    folder, own, name, rows, threads = sys.argv[1:]
    print(json.dumps(measure(Path(folder), Path(own), name, int(rows), int(threads))))
