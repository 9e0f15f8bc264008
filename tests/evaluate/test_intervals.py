"""Bootstrap intervals: coverage, pairing, and what has no interval."""

import numpy as np

from genprm.evaluate.intervals import bootstrap_f1, bootstrap_mean, hits, interval


def test_the_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for trial in range(200):
        sample = rng.random(150) < 0.7
        found = interval(bootstrap_mean(f"trial {trial}", sample.astype(float), draws=400))
        assert found is not None
        covered += found.low <= 0.7 <= found.high
    assert 0.90 <= covered / 200 <= 0.99


def test_identical_runs_differ_by_nothing_in_every_draw() -> None:
    rng = np.random.default_rng(1)
    labels = [int(x) for x in rng.integers(-1, 4, 200)]
    noisy = [label if rng.random() < 0.7 else -1 for label in labels]
    first, second = (bootstrap_f1("math", hits(labels, noisy)) for _ in range(2))
    assert np.array_equal(first.f1, second.f1)


def test_pairing_narrows_the_interval_of_a_difference() -> None:
    rng = np.random.default_rng(2)
    labels = [int(x) for x in rng.integers(-1, 4, 300)]
    weak = [label if rng.random() < 0.6 else 9 for label in labels]
    strong = [w if w == label or rng.random() < 0.9 else label
              for w, label in zip(weak, labels, strict=True)]  # fmt: skip
    a, b = bootstrap_f1("math", hits(labels, weak)), bootstrap_f1("math", hits(labels, strong))
    unpaired = bootstrap_f1("another name", hits(labels, strong))
    assert np.std(b.f1 - a.f1) < 0.5 * np.std(unpaired.f1 - a.f1)


def test_no_rows_of_a_kind_no_interval() -> None:
    draws = bootstrap_f1("only errors", hits([0, 1, 2], [0, 1, 1]))
    assert interval(draws.correct_accuracy) is None
    assert interval(draws.f1) is None
    assert interval(draws.error_accuracy) is not None
