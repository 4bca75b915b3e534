#!/usr/bin/env python3
"""Claim: the scaling planner leaves less load unserved than a 1-minute metric with a 5-minute start, for fewer instance-hours
than fixed capacity; its predictive option does better still without seeing ahead.

Replays two real traces through the product's own planner (bench_scaling links it), second by second:

  World Cup 1998   requests a minute of the tournament's web site, 30 April to 26 July
  load balancer    requests per 5 minutes of an ELB in April 2014, times 100 so that an instance's share is a load and not
                   single requests

An instance serves its capacity evenly over the seconds; what comes beyond it in a second is unserved, nothing queues. All
policies have a target of 70 % of the capacity, unless the row says another, and at least one instance. The constants of
the forecast (src/observe/load_forecast.cc) were chosen on the first 60 % of the World Cup and the first half of the other
trace; the figures are of the rest. ARGOSY_DATA says where the data is (../shared/data otherwise); --part first shows the
parts they were chosen on; --plot FILE writes the plot as SVG.
"""

import argparse
import csv
import datetime
import json
import os
import subprocess
from pathlib import Path

import common
from article_load import line as draw

DATA = Path(os.environ.get("ARGOSY_DATA", common.REPOSITORY.parent / "shared" / "data")) / "traffic"
TARGET = 0.7
FAST, SLOW = 1, 300  # seconds until an instance serves: a built-in model's, with room to spare; SageMaker's
DAY = 24 * 60
PLOTTED = {"sagemaker": "#c30", "predictive": "#e8862e", "reactive": "#06c"}


def minute_of(text):
    when = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
    return int(when.timestamp()) // 60


def world_cup(path):
    with open(DATA / "worldcup98_per_minute.csv") as file:
        minutes = {minute_of(r["period"]): float(r["count"]) for r in csv.DictReader(file)}
    return write(path, minutes, 0.6)


def load_balancer(path):
    with open(DATA / "elb_request_count_5min.csv") as file:
        rows = [(minute_of(r["timestamp"]), 100 * float(r["value"]) / 5) for r in csv.DictReader(file)]
    return write(path, {minute + i: value for minute, value in rows for i in range(5)}, 0.5)


def write(path, minutes, part):
    path.write_text("".join(f"{minute},{value}\n" for minute, value in sorted(minutes.items())))
    ordered = sorted(minutes)
    return path, ordered[int(len(ordered) * part)]


def replay(trace, kind, **settings):
    words = [f"{name}={value}" for name, value in settings.items()]
    told = subprocess.run([common.need("bench_scaling"), trace, kind, *words], check=True, capture_output=True, text=True)
    return json.loads(told.stdout)


def rows_of(trace, cut, capacity, part, series):
    """(name, figures) of every policy on a part of a trace."""
    if part == "first":
        lines = [line for line in trace.read_text().splitlines() if int(line.split(",")[0]) < cut]
        trace = trace.with_suffix(".first")
        trace.write_text("\n".join(lines) + "\n")
        cut = 0
    loads = [float(line.split(",")[1]) for line in trace.read_text().splitlines() if int(line.split(",")[0]) >= cut]
    common_settings = {"capacity": capacity, "target": capacity * TARGET, "from": cut}
    at_peak = -(-max(loads) // (capacity * TARGET))
    at_mean = -(-(sum(loads) / len(loads)) // (capacity * TARGET))

    def one(kind, **more):
        return replay(trace, kind, **common_settings, **more)

    yield "fixed, for the peak", one("fixed", count=int(at_peak))
    yield "fixed, for the mean", one("fixed", count=int(max(at_mean, 1)))
    yield "1-minute metric, 5-minute start", one("sagemaker", start=SLOW, series=series / "sagemaker")

    def at(kind, target, start, **more):
        return replay(trace, kind, **{**common_settings, "target": capacity * target}, start=start, **more)

    yield "Argosy, reactive", at("reactive", TARGET, FAST, series=series / "reactive")
    yield "Argosy, predictive", at("predictive", TARGET, FAST, series=series / "predictive")
    # With less to spare, the forecast shows more.
    yield "target 90 %: reactive", at("reactive", 0.9, FAST)
    yield "target 90 %: predictive", at("predictive", 0.9, FAST)
    yield "5-minute start: reactive", at("reactive", TARGET, SLOW)
    yield "5-minute start: predictive", at("predictive", TARGET, SLOW, buffer=SLOW)
    # What a reactive policy pays that buys its headroom with a lower target instead.
    for target in (0.5, 0.3):
        yield f"5-minute start: reactive, at {target:.0%}", at("reactive", target, SLOW)


def print_rows(title, rows):
    print(f"\n{title}")
    print(f"{'':<36} {'unserved':>12} {'%':>9} {'instance-hours':>15} {'changes':>8} {'most':>5}")
    for name, told in rows:
        share = 100 * told["unserved"] / told["requests"]
        print(
            f"{name:<36} {told['unserved']:>12,.0f} {share:>9.4f} {told['instance_hours']:>15,.0f} {told['changes']:>8,} "
            f"{told['most']:>5}",
            flush=True,
        )


def steps(values):
    """At most 1,500 points of a series, each the most of its share."""
    wide = max(1, len(values) // 1500)
    return list(enumerate(max(values[i : i + wide]) for i in range(0, len(values), wide)))


def plot(path, panels):
    """Load and instances over all of each trace and over its busiest day, in instances' worth of load."""
    width, height, left = 960, 130, 50
    parts = []
    for number, (title, capacity, at_peak, series) in enumerate(panels):
        read = {name: [line.split(",") for line in (series / name).read_text().splitlines()] for name in PLOTTED}
        load = [float(r[1]) / capacity for r in read["reactive"]]
        counts = {name: [int(r[2]) for r in rows] for name, rows in read.items()}
        busiest = max(range(0, max(len(load) - DAY, 1), 60), key=lambda at: sum(load[at : at + DAY]))
        spans = ("all of it", 0, len(load)), ("its busiest day", busiest, busiest + DAY)
        for row, (span, begin, end) in enumerate(spans):
            top = 50 + (2 * number + row) * (height + 40)
            curves = [("#bbb", load), *((colour, counts[name]) for name, colour in PLOTTED.items())]
            curves = [(colour, steps(values[begin:end])) for colour, values in curves]
            most = max(at_peak, *(y for _, points in curves for _, y in points))
            curves.append(("#000", [(0, at_peak), (len(curves[0][1]) - 1, at_peak)]))
            parts.append(f'<text x="{left}" y="{top - 8}">{title}, {span}; at most {most:.0f} instances</text>')
            parts.append(f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#ccc"/>')
            for colour, points in curves:
                parts.append(draw(points, len(points) - 1, most, left, top, width, height, colour))
    legend = "in instances' worth: load (grey), fixed for the peak (black), 1-minute metric and 5-minute start (red), "
    parts.append(f'<text x="{left}" y="18">{legend}Argosy reactive (blue), predictive (orange)</text>')
    size = f'width="{width + 2 * left}" height="{50 + 2 * len(panels) * (height + 40)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
    Path(path).write_text(head + '<rect width="100%" height="100%" fill="white"/>' + "\n".join(parts) + "</svg>\n")


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--part", choices=("first", "rest"), default="rest")
    words.add_argument("--plot")
    given = words.parse_args()
    with common.scratch() as folder:
        panels = []
        for title, make, capacity in (("World Cup 1998", world_cup, 30_000), ("load balancer", load_balancer, 1_500)):
            trace, cut = make(folder / f"{make.__name__}.csv")
            series = folder / f"{make.__name__}-series"
            series.mkdir()
            rows = list(rows_of(trace, cut, capacity, given.part, series))
            print_rows(f"{title}, an instance serves {capacity:,} a minute", rows)
            panels.append((title, capacity, rows[0][1]["most"], series))
        if given.plot:
            plot(given.plot, panels)


if __name__ == "__main__":
    main()
