"""python trees.py FOLDER THREADS: boosts the rows of FOLDER/job.json with XGBoost and prints seconds and log loss."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import xgboost

folder, threads = Path(sys.argv[1]), int(sys.argv[2])
job = json.loads((folder / "job.json").read_text())
features = np.fromfile(folder / "features.f32", dtype="<f4").reshape(job["rows"], job["columns"])
label = np.fromfile(folder / "label.u8", dtype="u1")
learned = job["learned"]
settings = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "grow_policy": "lossguide",
    "max_depth": 0,
    "max_leaves": job["leaves"],
    "max_bin": job["bins"],
    "eta": job["rate"],
    "min_child_weight": job["leastCurvature"],
    "lambda": job["l2"],
    "nthread": threads,
}
started = time.perf_counter()
# The quickest way XGBoost has from rows to a model.
table = xgboost.QuantileDMatrix(features[:learned], label[:learned], max_bin=job["bins"], nthread=threads)
model = xgboost.train(settings, table, job["rounds"])
seconds = time.perf_counter() - started
later = np.clip(model.predict(xgboost.DMatrix(features[learned:])).astype(float), 1e-6, 1 - 1e-6)
happened = label[learned:]
loss = -np.where(happened == 1, np.log(later), np.log1p(-later)).mean()
print(json.dumps({"version": xgboost.__version__, "seconds": seconds, "loss": float(loss)}))
