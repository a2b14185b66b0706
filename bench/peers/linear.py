"""Regularised logistic regression as scikit-learn's documentation would have it; multinomial for answers."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from table import Rows

name = "logistic"
# Its fit does not depend on chance.
seeds = (1,)
defaults = {"C": 0.1, "scale": "standard"}


def candidates(_random, _classes: int, count: int) -> list[dict]:
    """The whole grid: there are few settings. Untuned, only the strength is chosen."""
    strengths = [10.0**exponent for exponent in (-4, -3.5, -3, -2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1)]
    scales = ("standard",) if count <= 1 else ("standard", "quantile")
    return [defaults] + [{"C": float(f"{c:.4g}"), "scale": scale} for c in strengths for scale in scales]


class Fitted:
    def __init__(self, model, rows: Rows):
        self.model = model
        self.rounds = None
        self.classes = rows.classes
        self.unseen = 0.5 / (len(rows.label) + rows.classes)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """[rows, classes]; answers that were never given get half a row's share."""
        probability = np.full((len(features), self.classes), self.unseen)
        probability[:, self.model.classes_] = self.model.predict_proba(features)
        return probability / probability.sum(axis=1, keepdims=True)


def fit(params: dict, rows: Rows, seed: int, validation: Rows | None = None) -> Fitted:
    count = min(200, len(rows.label))
    normal = QuantileTransformer(n_quantiles=count, output_distribution="normal", random_state=seed)
    spread = normal if params["scale"] == "quantile" else StandardScaler()
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), spread, StandardScaler())
    words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-1.0),
        OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10),
    )
    columns = ColumnTransformer(
        [("numbers", numbers, np.flatnonzero(~rows.is_category)), ("words", words, np.flatnonzero(rows.is_category))]
    )
    model = make_pipeline(columns, LogisticRegression(C=params["C"], max_iter=300, tol=1e-3))
    return Fitted(model.fit(rows.features, rows.label), rows)
