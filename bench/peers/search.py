"""Chooses a peer's settings on the learning rows alone."""

import sys
import time

import numpy as np

# Refitted on everything, a little more is learned.
REFIT_ROUNDS = 1.1
# Tried however long they take.
FEWEST = 3


def log_loss(probability: np.ndarray, label: np.ndarray) -> float:
    seen = probability[np.arange(len(label)), label]
    return float(-np.log(np.clip(seen, 1e-6, 1)).mean())


def choose(peer, task, count: int, seconds: float, kept: dict | None = None) -> dict:
    """The settings with the lowest log loss on the validation rows, `rounds` for a refit on all rows included.

    The first candidate is the peer's defaults; one candidate is these alone. Rounds by early stopping. After so many
    seconds no further candidate is begun; `tried` says how many were, `loss` what the chosen one's was. What was kept
    without its loss is measured and stays.
    """
    candidates = peer.candidates(np.random.default_rng(1), task.classes, count)
    if kept:
        candidates = [{key: value for key, value in kept.items() if key != "rounds"}]
    validations = task.validations()
    best_losses, chosen, tried = None, None, 0
    began = time.perf_counter()
    for number, params in enumerate(candidates):
        started = time.perf_counter()
        if number >= FEWEST and started - began > seconds:
            break
        tried += 1
        losses, rounds = [], []
        for fit_rows, later in validations:
            fitted = peer.fit(params, fit_rows, 1, later)
            losses.append(log_loss(fitted.predict(later.features), later.label))
            rounds.append(fitted.rounds)
            # Clearly behind the best on the same folds: the others are not worth the time.
            if best_losses and np.mean(losses) > 1.01 * np.mean(best_losses[: len(losses)]):
                break
        is_whole = len(losses) == len(validations)
        if best_losses is None or (is_whole and np.mean(losses) < np.mean(best_losses)):
            best_losses, chosen = losses, dict(params)
            if rounds[0] is not None:
                chosen["rounds"] = int(round(REFIT_ROUNDS * np.mean(rounds)))
        said = f"{np.mean(losses):.5f} on {len(losses)} of {len(validations)}, {time.perf_counter() - started:.0f} s"
        print(f"  {peer.name} {number + 1}/{len(candidates)}: {said}", file=sys.stderr, flush=True)
    loss = float(f"{np.mean(best_losses):.5g}")
    return (kept or chosen | {"tried": tried}) | {"loss": loss}
