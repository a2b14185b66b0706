"""python run.py versions | run.py fit FOLDER | run.py tune FOLDER

`fit` learns each task of FOLDER/job.json with every peer there is, three seeds averaged, and writes the probabilities
of its test rows beside it; `tune` only chooses settings. Both write FOLDER/report.json.
"""

import json
import sys
import time
import warnings
from importlib import metadata
from pathlib import Path

PACKAGES = {"logistic": "scikit-learn", "xgboost": "xgboost", "lightgbm": "lightgbm", "catboost": "catboost"}


def versions() -> dict[str, str]:
    found = {}
    for peer, package in PACKAGES.items():
        try:
            found[peer] = metadata.version(package)
        except metadata.PackageNotFoundError:
            pass
    return found


def load_peer(name: str):
    import boosted
    import linear

    kinds = {"xgboost": boosted.XGBoost, "lightgbm": boosted.LightGBM, "catboost": boosted.CatBoost}
    return linear if name == "logistic" else kinds[name]()


def main(command: str, folder: Path) -> None:
    import numpy as np
    import search
    from table import Table

    warnings.filterwarnings("ignore")
    table = Table(folder)
    report = []
    for number, task in enumerate(table.tasks):
        for name in table.job["peers"]:
            started = time.perf_counter()
            peer = load_peer(name)
            said = {"split": task.described["split"], "task": task.described["task"], "peer": name}
            params = task.described["params"].get(name)
            if command == "tune" or params is None:
                params = search.choose(peer, task, kept=params, **table.job["search"])
            said["params"] = params
            if command == "fit":
                rows, features = task.train(), task.test()
                fitted = [peer.fit(params, rows, seed) for seed in peer.seeds]
                trained = time.perf_counter()
                probability = np.mean([each.predict(features) for each in fitted], axis=0)
                said |= {"trainSeconds": trained - started, "predictSeconds": time.perf_counter() - trained}
                said["file"] = f"{number}.{name}.f64"
                values = probability if task.classes > 2 else probability[:, 1]
                np.ascontiguousarray(values, dtype="<f8").tofile(folder / said["file"])
            report.append(said)
            words = f"{said['split']} {said['task']} {name}: {time.perf_counter() - started:.0f} s"
            print(words, file=sys.stderr, flush=True)
    (folder / "report.json").write_text(json.dumps(report))


if __name__ == "__main__":
    if sys.argv[1] == "versions":
        print(json.dumps(versions()))
    else:
        main(sys.argv[1], Path(sys.argv[2]))
