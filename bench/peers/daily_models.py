"""python daily_models.py FOLDER lightgbm|xgboost: fits the models that a peer's daily run predicts with.

One classifier for each outcome and horizon and one of eleven classes for the NPS answer, the library's defaults, rounds
by early stopping on later rows, refitted on all. Writes them to FOLDER/<peer>-models and, as JSON to stdout, the log
loss of each task on the judged rows, which none of them saw.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np


def fit(folder: Path, name: str) -> dict:
    import boosted
    import search
    from table import Table

    peer = {"lightgbm": boosted.LightGBM, "xgboost": boosted.XGBoost}[name]()
    models = folder / f"{name}-models"
    models.mkdir(exist_ok=True)
    started = time.perf_counter()
    table = Table(folder)
    losses = {}
    for task in table.tasks:
        params = search.choose(peer, task, count=1, seconds=0)
        fitted = peer.fit(params, task.train(), 1)
        fitted.model.save_model(models / f"{task.described['task']}{SUFFIX[name]}")
        label = np.fromfile(folder / task.described["testLabel"], dtype="<i4")
        losses[task.described["task"]] = search.log_loss(fitted.predict(task.test()), label)
    return {"losses": losses, "seconds": time.perf_counter() - started}


SUFFIX = {"lightgbm": ".txt", "xgboost": ".ubj"}


class Models:
    """The fitted models of a peer, loaded. Predicts features [rows, columns]; a category is its place."""

    def __init__(self, folder: Path, name: str):
        table = json.loads((folder / "job.json").read_text())
        self.name = name
        self.columns = table["columns"]
        self.paths = {task["task"]: folder / f"{name}-models" / f"{task['task']}{SUFFIX[name]}" for task in table["tasks"]}
        if name == "lightgbm":
            import lightgbm

            self.models = {task: lightgbm.Booster(model_file=path) for task, path in self.paths.items()}
        else:
            import xgboost

            self.models = {task: xgboost.Booster(model_file=path) for task, path in self.paths.items()}

    def matrix(self, features: dict[str, np.ndarray]) -> np.ndarray:
        """The models' columns of the features by name. A category that was never learned is missing."""
        columns = []
        for column in self.columns:
            values = features[column["name"]]
            if column["categories"] is not None:
                places = {category: place for place, category in enumerate(column["categories"])}
                values = np.array([places.get(value, np.nan) for value in values])
            columns.append(values)
        return np.column_stack(columns).astype(np.float32)

    def predict(self, rows: np.ndarray, threads: int = 0) -> dict[str, np.ndarray]:
        """Task → probability [rows], of answers [rows, 11]."""
        if self.name == "lightgbm":
            return {task: model.predict(rows, num_threads=threads) for task, model in self.models.items()}
        import xgboost

        kinds = ["q" if column["categories"] is None else "c" for column in self.columns]
        table = xgboost.DMatrix(rows, feature_types=kinds, enable_categorical=True, nthread=threads or None)
        for model in self.models.values():
            model.set_param({"nthread": threads})
        return {task: model.predict(table) for task, model in self.models.items()}


def prediction_columns(predictions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns of a day's predictions: a probability each, and of answers the expected one beside its distribution."""
    columns = {}
    for task, values in predictions.items():
        if values.ndim == 1:
            columns[task] = values
        else:
            columns[f"{task}_expected"] = values @ np.arange(values.shape[1])
            columns |= {f"{task}_{answer}": values[:, answer] for answer in range(values.shape[1])}
    return columns


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    print(json.dumps(fit(Path(sys.argv[1]), sys.argv[2])))
