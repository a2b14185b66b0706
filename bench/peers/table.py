"""The exported table: features of all rows and, for each task, which rows to learn from and which to forecast."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ANSWERS = 11


@dataclass(frozen=True)
class Rows:
    """Features [rows, columns] with NaN for missing, and labels [rows]. Categories are numbers from 0."""

    features: np.ndarray
    label: np.ndarray
    is_category: np.ndarray
    # 2: it happened or not. 11: answers from 0 to 10.
    classes: int


class Task:
    """One task of one split."""

    def __init__(self, described: dict, table: "Table"):
        self.described = described
        self.classes = ANSWERS if described["kind"] == "answer" else 2
        self.table = table
        learned = np.fromfile(table.folder / described["train"], dtype="<i4").reshape(3, -1)
        self.row, self.label, self.fold = learned
        self.test_row = np.fromfile(table.folder / described["test"], dtype="<i4")

    def train(self) -> Rows:
        return self._rows(np.ones(len(self.row), dtype=bool))

    def test(self) -> np.ndarray:
        return self.table.features[self.test_row]

    def validations(self) -> list[tuple[Rows, Rows]]:
        """What to learn from and what to choose by: one later block, or each fold of customers in turn."""
        if self.described["validation"] == "forward":
            return [(self._rows(self.fold == 0), self._rows(self.fold == 1))]
        folds = range(self.fold.max() + 1)
        return [(self._rows(self.fold != fold), self._rows(self.fold == fold)) for fold in folds]

    def _rows(self, which: np.ndarray) -> Rows:
        features = self.table.features[self.row[which]]
        return Rows(features, self.label[which], self.table.is_category, self.classes)


class Table:
    def __init__(self, folder: Path):
        self.folder = folder
        job = json.loads((folder / "job.json").read_text())
        columns = job["columns"]
        values = np.fromfile(folder / "features.f64", dtype="<f8").reshape(len(columns), job["rows"])
        self.features = np.ascontiguousarray(values.T)
        self.is_category = np.array([column["categories"] is not None for column in columns])
        self.job = job
        self.tasks = [Task(described, self) for described in job["tasks"]]
