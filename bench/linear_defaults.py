#!/usr/bin/env python3
"""Claim: the linear learner's defaults are chosen without the test set of corrected labels.

KDD99's training file alone is divided: in each fold a quarter of the types of attack are left out of what is trained on,
and each type is left out once in every round. What is looked at is 300 rows drawn of each type left out, and as many rows
of normal traffic held back: so do attacks nobody has seen meet a model in life, and no type counts for more than another.
Prints accuracy and F1 for the defaults and for one thing changed at a time, as means over all folds.
"""

import collections
import gzip
import os
import random
import statistics
import sys

import common
from linear_quality import DATA, argosy

ROUNDS = int(os.environ.get("ARGOSY_ROUNDS", "4"))
PARTS = 4
ROWS_OF_A_TYPE = 300
SETTINGS = (
    {},
    {"argosy_clip": "1"},
    {"argosy_clip": "2"},
    {"argosy_clip": "3"},
    {"argosy_clip": "10"},
    {"argosy_clip": "off"},
    {"epochs": "40", "early_stopping_patience": "10"},
    {"mini_batch_size": "100"},
    {"mini_batch_size": "5000"},
    {"learning_rate": "0.01"},
    {"learning_rate": "0.03"},
    {"learning_rate": "0.3"},
    {"wd": "0.000001"},
    {"wd": "0.0001"},
    {"l1": "0.0001"},
    {"optimizer": "sgd"},
    {"use_lr_scheduler": "false"},
    {"positive_example_weight_mult": "balanced"},
)


def name_of(setting):
    return " ".join(f"{k}={v}" for k, v in setting.items()) or "defaults"


def folds(rows_of, chance):
    """(lines to train on, lines to look at) for each part of the types of attack."""
    types = sorted(set(rows_of) - {"normal."})
    chance.shuffle(types)
    normal = rows_of["normal."]
    for part in range(PARTS):
        unseen = types[part::PARTS]
        held_back = set(chance.sample(range(len(normal)), len(normal) // 5))
        train = [line for i, line in enumerate(normal) if i not in held_back]
        for kind in types:
            if kind not in unseen:
                train += rows_of[kind]
        chance.shuffle(train)
        look = [line for kind in unseen for line in chance.choices(rows_of[kind], k=ROWS_OF_A_TYPE)]
        look += [normal[i] for i in chance.choices(sorted(held_back), k=len(look))]
        yield train, look


def main():
    source = DATA / "kdd99" / "kddcup.data_10_percent.gz"
    if not source.exists():
        return print(f"{source} is not there")
    rows_of = collections.defaultdict(list)
    with gzip.open(source, "rt") as file:
        for line in file.read().splitlines():
            rows_of[line.rsplit(",", 1)[1]].append(line)
    found = collections.defaultdict(list)
    with common.scratch() as folder:
        for round_ in range(ROUNDS):
            for train, look in folds(rows_of, random.Random(round_)):
                (folder / "train.csv").write_text("\n".join(train) + "\n")
                (folder / "look.csv").write_text("\n".join(look) + "\n")
                for setting in SETTINGS:
                    told = argosy(
                        folder / "train.csv",
                        folder / "look.csv",
                        predictor_type="binary_classifier",
                        argosy_label="-1",
                        argosy_label_map="normal.=normal,*=attack",
                        argosy_categorical="auto",
                        argosy_seed=round_ + 1,
                        **setting,
                    )
                    found[name_of(setting)].append(
                        (told["test:binary_classification_accuracy"], told["test:binary_f_beta"])
                    )
    rows = []
    for name in map(name_of, SETTINGS):
        accuracy, f1 = zip(*found[name])
        rows.append((name, f"{statistics.mean(accuracy):.4f}", f"{statistics.mean(f1):.4f}"))
    common.table(
        f"Types of attack never seen, {ROUNDS * PARTS} folds", ["hyperparameters", "accuracy", "F1"], rows, []
    )
    return None


if __name__ == "__main__":
    sys.exit(main())
