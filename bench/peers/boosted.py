"""XGBoost, LightGBM and CatBoost behind one interface. Missing values and categories stay as they are."""

import importlib
import os
from types import SimpleNamespace

import numpy as np

from table import Rows

MOST_ROUNDS = 2000
PATIENCE = 50
SEEDS = (1, 2, 3)
# XGBoost and LightGBM heed OMP_NUM_THREADS by themselves.
THREADS = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))


def uniform(random, low: float, high: float) -> float:
    return float(f"{random.uniform(low, high):.4g}")


def log_uniform(random, low: float, high: float) -> float:
    return float(f"{np.exp(random.uniform(np.log(low), np.log(high))):.4g}")


def slowest(classes: int) -> float:
    """The lowest rate: answers take eleven trees a round."""
    return 0.01 if classes == 2 else 0.03


def both_columns(probability: np.ndarray) -> np.ndarray:
    return probability if probability.ndim == 2 else np.column_stack([1 - probability, probability])


class Fitted:
    """A fitted model: probabilities [rows, classes], how many rounds it took, and the library's own model."""

    def __init__(self, predict, rounds: int, model=None):
        self.predict = lambda features: both_columns(predict(features))
        self.rounds = rounds
        self.model = model


class Boosted:
    seeds = SEEDS

    def candidates(self, random, classes: int, count: int) -> list[dict]:
        """The defaults, then random draws from a wide grid."""
        return [self.standard(classes)] + [self.draw(random, classes) for _ in range(count - 1)]

    def standard(self, _classes: int) -> dict:
        return self.defaults


class XGBoost(Boosted):
    name = "xgboost"
    defaults = {"max_depth": 6, "eta": 0.05, "min_child_weight": 1.0}

    def __init__(self):
        self.library = importlib.import_module("xgboost")

    def draw(self, random, classes: int) -> dict:
        return {
            "max_depth": int(random.integers(3, 11)),
            "min_child_weight": log_uniform(random, 1, 20),
            "eta": log_uniform(random, slowest(classes), 0.2),
            "subsample": uniform(random, 0.5, 1),
            "colsample_bytree": uniform(random, 0.3, 1),
            "lambda": log_uniform(random, 0.1, 30),
            "alpha": log_uniform(random, 0.001, 3),
            "max_cat_to_onehot": int(random.choice([4, 64])),
        }

    def fit(self, params: dict, rows: Rows, seed: int, validation: Rows | None = None) -> Fitted:
        settings, rounds = split_rounds(params)
        answers = {"objective": "multi:softprob", "num_class": rows.classes, "eval_metric": "mlogloss"}
        happened = {"objective": "binary:logistic", "eval_metric": "logloss"}
        settings |= {"seed": seed, "tree_method": "hist"} | (answers if rows.classes > 2 else happened)
        stop = {"evals": [(self.matrix(validation), "later")], "early_stopping_rounds": PATIENCE} if validation else {}
        model = self.library.train(settings, self.matrix(rows), rounds, verbose_eval=False, **stop)
        best = model.best_iteration + 1 if validation else rounds

        def predict(features: np.ndarray) -> np.ndarray:
            table = self.matrix(SimpleNamespace(features=features, label=None, is_category=rows.is_category))
            return model.predict(table, iteration_range=(0, best))

        return Fitted(predict, best, model)

    def matrix(self, rows):
        kinds = ["c" if is_category else "q" for is_category in rows.is_category]
        return self.library.DMatrix(rows.features, rows.label, feature_types=kinds, enable_categorical=True)


class LightGBM(Boosted):
    name = "lightgbm"
    defaults = {"num_leaves": 31, "learning_rate": 0.05, "min_data_in_leaf": 20}

    def __init__(self):
        self.library = importlib.import_module("lightgbm")

    def draw(self, random, classes: int) -> dict:
        depth = int(random.integers(3, 11))
        return {
            "max_depth": depth,
            "num_leaves": int(min(2**depth, round(log_uniform(random, 7, 255)))),
            "min_data_in_leaf": int(round(log_uniform(random, 5, 100))),
            "min_sum_hessian_in_leaf": log_uniform(random, 1, 20),
            "learning_rate": log_uniform(random, slowest(classes), 0.2),
            "bagging_fraction": uniform(random, 0.5, 1),
            "bagging_freq": 1,
            "feature_fraction": uniform(random, 0.3, 1),
            "lambda_l2": log_uniform(random, 0.1, 30),
            "cat_smooth": log_uniform(random, 1, 100),
        }

    def fit(self, params: dict, rows: Rows, seed: int, validation: Rows | None = None) -> Fitted:
        settings, rounds = split_rounds(params)
        answers = {"objective": "multiclass", "num_class": rows.classes}
        settings |= {"seed": seed, "verbose": -1} | (answers if rows.classes > 2 else {"objective": "binary"})
        table = self.table(rows)
        stop = {}
        if validation:
            stop["valid_sets"] = [self.table(validation, reference=table)]
            stop["callbacks"] = [self.library.early_stopping(PATIENCE, verbose=False)]
        model = self.library.train(settings, table, rounds, **stop)
        best = model.best_iteration if validation else rounds
        return Fitted(lambda features: model.predict(features, num_iteration=best), best, model)

    def table(self, rows: Rows, reference=None):
        categories = np.flatnonzero(rows.is_category).tolist()
        return self.library.Dataset(rows.features, rows.label, categorical_feature=categories, reference=reference)


class CatBoost(Boosted):
    name = "catboost"
    defaults = {"depth": 6, "learning_rate": 0.05}

    def __init__(self):
        self.library = importlib.import_module("catboost")

    def standard(self, classes: int) -> dict:
        # Eleven answers make each of its full trees eleven times as large, and statistics of categories far slower.
        return self.defaults if classes == 2 else self.defaults | {"depth": 4, "one_hot_max_size": 64}

    def draw(self, random, classes: int) -> dict:
        return {
            "depth": int(random.integers(3, 11 if classes == 2 else 6)),
            "learning_rate": log_uniform(random, slowest(classes), 0.2),
            "l2_leaf_reg": log_uniform(random, 1, 30),
            "random_strength": log_uniform(random, 0.1, 5),
            "bagging_temperature": uniform(random, 0, 1),
            "one_hot_max_size": int(random.choice([2, 32])) if classes == 2 else 64,
        }

    def fit(self, params: dict, rows: Rows, seed: int, validation: Rows | None = None) -> Fitted:
        settings, rounds = split_rounds(params)
        answers = {"loss_function": "MultiClass", "classes_count": rows.classes}
        settings |= answers if rows.classes > 2 else {"loss_function": "Logloss"}
        model = self.library.CatBoost(
            settings
            | {"iterations": rounds, "random_seed": seed, "thread_count": THREADS}
            | {"verbose": False, "allow_writing_files": False}
        )
        stop = {"eval_set": self.pool(validation), "early_stopping_rounds": PATIENCE} if validation else {}
        model.fit(self.pool(rows), **stop)

        def predict(features: np.ndarray) -> np.ndarray:
            table = self.pool(SimpleNamespace(features=features, label=None, is_category=rows.is_category))
            return model.predict(table, prediction_type="Probability")

        return Fitted(predict, model.tree_count_)

    def pool(self, rows):
        places = np.flatnonzero(rows.is_category)
        numbers = np.ascontiguousarray(rows.features[:, ~rows.is_category], dtype=np.float32)
        words = np.nan_to_num(rows.features[:, rows.is_category], nan=-1).astype(np.int64).astype("S").astype(object)
        features = self.library.FeaturesData(numbers, words if rows.is_category.any() else None)
        return self.library.Pool(features, None if rows.label is None else rows.label)


def split_rounds(params: dict) -> tuple[dict, int]:
    settings = {key: value for key, value in params.items() if key not in ("rounds", "tried", "loss")}
    return settings, params.get("rounds", MOST_ROUNDS)
