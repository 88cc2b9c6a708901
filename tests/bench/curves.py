#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Error against cost: what the runs of tests/bench/curves say.

Usage: curves.py DIR
Prints a table, and leaves DIR/plot.svg: a panel a workload, million instructions of the monitor per
second to the right, error upwards, both logarithmic.
"""
import math
import os
import sys

from analyse import WORKLOADS, Run

WIDTH, HEIGHT, MARGIN = 260, 200, 44
COLOURS = {"damond": "#c03030", "kernel": "#3060c0"}
MIPS_RANGE, ERROR_RANGE = (1, 300), (0.0005, 0.5)


def points(folder):
    """(workload, monitor, name of the point, MIPS, error) of each run."""
    found = []
    for point in os.listdir(folder):
        base = os.path.join(folder, point)
        if not os.path.exists(os.path.join(base, "settings")):
            continue
        with open(os.path.join(base, "settings"), encoding="ascii") as file:
            settings = dict(line.rstrip("\n").split("=", 1) for line in file)
        for name in os.listdir(base):
            if not name.endswith(".truth"):
                continue
            workload, monitor, _ = name[:-len(".truth")].split(".")
            try:
                figures = Run(os.path.join(base, name[:-len(".truth")]), monitor, settings).figures
            except SystemExit as reason:
                print(f"curves: {point}, {workload}: {reason}", file=sys.stderr)
                continue
            if figures.get("MIPS"):
                found.append((workload, monitor, point.split("-", 1)[1], figures["MIPS"], figures["error"]))
    return sorted(found, key=lambda p: (WORKLOADS.index(p[0]), p[1], p[3]))


def place(value, limits, length):
    low, high = (math.log(limit) for limit in limits)
    value = math.log(min(max(value, limits[0]), limits[1]))
    return (value - low) / (high - low) * length


def panel(workload, found, left, top):
    """One coordinate system; what is below its error axis lies on it."""
    inner_width, inner_height = WIDTH - MARGIN - 10, HEIGHT - MARGIN - 20
    lines = [f'<g transform="translate({left + MARGIN},{top + 20})">',
             f'<text x="{inner_width / 2}" y="-6" text-anchor="middle">{workload}</text>',
             f'<rect width="{inner_width}" height="{inner_height}" fill="none" stroke="#888"/>']
    for tick in (1, 10, 100):
        x = place(tick, MIPS_RANGE, inner_width)
        lines.append(f'<text x="{x:.1f}" y="{inner_height + 14}" text-anchor="middle">{tick}</text>')
    for tick in (0.001, 0.01, 0.1):
        y = inner_height - place(tick, ERROR_RANGE, inner_height)
        lines.append(f'<line x2="{inner_width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        lines.append(f'<text x="-4" y="{y + 4:.1f}" text-anchor="end">{tick}</text>')
    for monitor, colour in COLOURS.items():
        places = [(place(mips, MIPS_RANGE, inner_width), inner_height - place(error, ERROR_RANGE, inner_height))
                  for w, m, _, mips, error in found if (w, m) == (workload, monitor)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}"/>')
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
    return lines + ["</g>"]


def plot(found, path):
    workloads = [w for w in WORKLOADS if any(p[0] == w for p in found)]
    columns = 3
    rows = (len(workloads) + columns - 1) // columns
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{columns * WIDTH}" height="{rows * HEIGHT + 30}" '
             'font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="white"/>']
    for i, workload in enumerate(workloads):
        lines += panel(workload, found, i % columns * WIDTH, i // columns * HEIGHT)
    y = rows * HEIGHT + 16
    lines.append(f'<text x="{MARGIN}" y="{y}">error of the access rate against million instructions per second: '
                 f'<tspan fill="{COLOURS["damond"]}">damond</tspan>, '
                 f'<tspan fill="{COLOURS["kernel"]}">in-kernel DAMON</tspan></text></svg>')
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


def main(folder):
    found = points(folder)
    print("| workload | monitor | point | MIPS | error |")
    print("|---|---|---|---|---|")
    for workload, monitor, name, mips, error in found:
        print(f"| {workload} | {monitor} | {name} | {mips:.1f} | {error:.4f} |")
    plot(found, os.path.join(folder, "plot.svg"))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    main(sys.argv[1])
