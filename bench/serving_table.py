#!/usr/bin/env python3
"""Claim: everything that is promised of serving, in one table: Argosy, its peers measured in the same run, the goal.

  serving_table.py [--rows linear stacks …] [--short]

The pieces are those of serving.py, user_models.py, article_load.py, wake_up.py, latency.py and overload.py. A goal
against the fastest of several peers stands beside each of them. --short shows that everything runs; its figures mean nothing.
"""

import argparse
import functools
import os
import platform
import sys
import time

import article_load
import common
import latency
import overload
import serving
import serving_peers
import user_models
import wake_up

HEAD = ["work", "Argosy", "peer", "ratio", "goal", "met"]
NOTHING_LOST = 0.97  # of the throughput without idle connections: what two runs of the same differ by
SHORT = {
    serving: {"SECONDS": 1, "WARM_UP": 0.2, "ROUNDS": 1, "UPDATES": 3},
    user_models: {"SECONDS": 1, "WARM_UP": 0.2, "ROUNDS": 1},
    article_load: {"LOAD_SECONDS": 10},
    wake_up: {"WAKE_UPS": 2, "CROSSINGS": 1},
    latency: {"TIMES": 3},
    overload: {"SECONDS": 2, "WARM_UP": 1},
}


def verdict(holds):
    return "yes" if holds else "no"


def per_second(figures):
    return f"{figures['rate']:,.0f}/s"


def faster(work, own, peers, goal_of):
    """A line for each peer: how many times its rate; goal_of(name) is the least."""
    for name, peer in peers.items():
        goal, asked = goal_of(name), (work, per_second(own), f"{name}: {per_second(peer)}")
        if peer["rate"] == 0:  # nothing to hold against it
            yield *asked, "", f"≥ {goal:g} ×", "not measured"
            continue
        times = own["rate"] / peer["rate"]
        yield *asked, f"{times:.2f} ×", f"≥ {goal:g} ×", verdict(times >= goal and own["errors"] == 0)


def within(work, seconds, most, published):
    """A line about a median time."""
    middle = common.median(seconds)
    goal = f"≤ {most * 1000:.0f} ms" if most < 1 else f"≤ {most:g} s"
    return work, f"{middle * 1000:.0f} ms", published, "", goal, verdict(middle <= most)


class Kdd:
    """A running Argosy with the models of KDD99, made when they are first asked for."""

    def __init__(self, argosy, folder, notes):
        self.argosy, self.folder, self.notes = argosy, folder, notes

    @functools.cached_property
    def data(self):
        return serving.read_kdd()

    @functools.cached_property
    def linear(self):
        return serving.deploy_linear(self.argosy, self.folder, *self.data)

    @functools.cached_property
    def boosted(self):
        return serving.deploy_boosted(self.argosy, self.folder, *self.data)

    @functools.cached_property
    def linear_figures(self):
        return serving.against_nginx(self.linear, (64, 1000), self.notes, axum=True)

    @functools.cached_property
    def boosted_figures(self):
        return serving.against_nginx(self.boosted, (64,), self.notes)[64]


def split(told):
    """(Argosy's figures, those of the others)"""
    return told["Argosy"], {name: figures for name, figures in told.items() if name != "Argosy"}


def linear(kdd):
    for connections, told in kdd.linear_figures.items():
        own, peers = split(told)
        yield from faster(f"linear model, {connections} connections", own, peers, lambda _: 1.0)
        if nginx := peers.get("nginx return 200"):
            slower = own["p99_ms"] / nginx["p99_ms"]
            figures = f"{own['p99_ms']:.1f} ms", f"nginx return 200: {nginx['p99_ms']:.1f} ms", f"{slower:.2f} ×"
            yield "  its p99", *figures, "≤ 1.5 ×", verdict(slower <= 1.5)
    rows = kdd.data[1]
    size = sum(map(len, rows)) // len(rows)
    yield f"  differently signed, {size} bytes", f"{len(rows):,}", "", "", "≥ 100,000", verdict(len(rows) >= 100_000)


def stacks(kdd):
    own = kdd.linear_figures[64]["Argosy"]
    peers = serving.linear_against_stacks(kdd.linear, kdd.notes)
    work = "linear model, 64 connections"
    yield from faster(work, own, peers, lambda name: 150 if name == serving_peers.SKLEARN else 7)


def boosted(kdd):
    own, nginx = split(kdd.boosted_figures)
    yield from faster("100 trees of depth 6, 64 connections", own, nginx, lambda _: 0.8)
    peers = serving.boosted_against_stacks(kdd.boosted, kdd.notes)
    yield from faster("100 trees of depth 6, 64 connections", own, peers, lambda _: 30)


def idle(kdd):
    (_, _, without), (count, memory, busy) = serving.idle_connections(kdd.linear)
    work = f"{count:,} idle connections"
    yield work, f"{memory:.0f} MB", "", "", "≤ 150 MB", verdict(memory <= 150)
    kept = busy["rate"] / without["rate"]
    met = verdict(kept >= NOTHING_LOST and busy["errors"] == 0)
    alone = f"alone: {per_second(without)}"
    yield "  64 busy ones beside them", per_second(busy), alone, f"{kept:.2f} ×", "no loss", met


def updates(kdd):
    each, asked, failed = serving.updates(kdd.linear)
    work = f"{serving.UPDATES} updates under full load"
    yield work, f"{failed} of {asked:,} failed", "", f"{each:.2f} s each", "0 failed", verdict(failed == 0)


def article(kdd):
    endpoint = kdd.argosy.deploy(kdd.linear.uri)
    article_load.follow(kdd.argosy, endpoint, article_load.THRESHOLDS[0])
    mean, full, _, failed = article_load.ask_again(kdd.argosy, kdd.folder, endpoint, kdd.data[1][:20_000])
    kdd.argosy.sagemaker("DeleteEndpoint", EndpointName=endpoint)
    for work, rate, published in (
        (f"0 to {article_load.USERS:,} users, then held: mean", mean, article_load.PUBLISHED_MEAN),
        ("  at full load", full, article_load.PUBLISHED_FULL),
    ):
        met = rate >= 50 * published and failed == 0
        yield work, f"{rate:,.0f}/s", f"published: {published:,}/s", f"{rate / published:.1f} ×", "≥ 50 ×", verdict(met)


def user(folder, notes):
    if not serving_peers.installed("sklearn", "joblib"):
        notes.append("the user's model is left out: scikit-learn is not installed")
        return
    told = user_models.run(folder, notes)
    peers = {name: figures for name, figures in told.items() if not user_models.is_argosy(name)}
    for name in filter(user_models.is_argosy, told):
        yield from faster(name.replace("Argosy", "user's Python model"), told[name], peers, lambda _: 1.5)


def scaling(folder, notes):
    woken, crossed = wake_up.run(folder)
    yield within("threshold crossed → new instance", crossed, 2, "published: 5–7 min")
    yield within("from zero to first answer", woken, 0.1, "published: 7–18 s (Knative)")


def creation(folder, notes):
    with common.Argosy(folder) as argosy:
        artifact = argosy.train(argosy.put("bench", "train.csv", common.two_clouds()), epochs="1")
        to_service, _ = latency.endpoints(argosy, argosy.create_config(artifact))
    yield within("CreateEndpoint → InService", to_service, 0.1, "published: minutes")


def twice_the_load(folder, notes):
    closed, loops = overload.run(folder)
    capacity = closed["ok_per_second"]
    _, told, refused = loops[-1]
    admitted, p99 = told["ok_per_second"], told["p99_us"] / 1000
    others = told["errors"] - told["statuses"].get("503", 0)
    work, met = "twice the load it can take", verdict(admitted >= 0.9 * capacity)
    yield work, f"{admitted:,.0f}/s", f"capacity: {capacity:,.0f}/s", f"{admitted / capacity:.2f} ×", "≥ 0.9 ×", met
    yield "  p99 of the admitted", f"{p99:.0f} ms", "", "", "≤ 50 ms", verdict(p99 <= 50)
    took = f"503 in {common.median(refused) * 1000:.0f} ms" if refused else "none refused"
    met = verdict(refused and common.median(refused) <= 0.05 and others == 0)
    yield "  the rest", took, "", f"{others} other errors", "503 at once", met


ON_KDD = {"linear": linear, "stacks": stacks, "boosted": boosted, "idle": idle, "updates": updates, "article": article}
ALONE = {"user": user, "scaling": scaling, "creation": creation, "overload": twice_the_load}


def measured(name, lines, table, notes):
    """Adds a piece's lines; one that fails leaves the rest alone."""
    begin = time.monotonic()
    try:
        table += list(lines)
    except (Exception, SystemExit) as why:
        notes.append(f"{name} is not measured: {type(why).__name__} {why}")
    print(f"  {name}: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--rows", nargs="+", choices=[*ON_KDD, *ALONE], default=[*ON_KDD, *ALONE])
    words.add_argument("--short", action="store_true")
    given = words.parse_args()
    if given.short:
        for module, settings in SHORT.items():
            vars(module).update(settings)
    table, notes = [], []
    if on_kdd := [name for name in ON_KDD if name in given.rows]:
        with common.scratch() as folder, common.Argosy(folder, *serving.OPTIONS) as argosy:
            kdd = Kdd(argosy, folder, notes)
            for name in on_kdd:
                measured(name, ON_KDD[name](kdd), table, notes)
    for name in (name for name in ALONE if name in given.rows):
        with common.scratch() as folder:
            measured(name, ALONE[name](folder, notes), table, notes)
    if given.short:
        notes.append("--short: these figures mean nothing")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    notes.append(f"Linux {platform.release()}, {memory:.0f} GB, Python {platform.python_version()}")
    common.table("Serving", HEAD, table, dict.fromkeys(notes))


if __name__ == "__main__":
    sys.exit(main())
