#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the runs of tests/bench/run say: how near each monitor was to the truth, at what cost.

Usage: analyse.py DIR [--runs]
  DIR     what run left behind
  --runs  a line for each run instead of one for all repeats

A snapshot at time t describes what was accessed from t minus an aggregation interval to t. It is
compared with the truth of that time, not of t: the true rate of a page is the share of the sample
intervals in it in which the page was accessed, the estimated one is nr_accesses of its region,
divided by its maximum. Only pages that are resident in the pattern's arena count.

Columns of the table, as mean (smallest to largest) of the repeats:
  error      mean absolute error of the access rate, weighted by bytes
  all cold   the same for a monitor that calls everything cold, to compare with
  wss p50    bytes of the regions with accesses, median of the snapshots, and p75; and the truth's
  hot P, R   precision and recall of "hot": accessed in half of the checks or more
  cold P, R  precision and recall of "cold": not accessed for 5 s
  reaction   seconds from a change of what is accessed to the first snapshot that has three
             quarters of it right: whose error is below a quarter of what a snapshot from before
             the change would have. A change never seen counts with the time until the next one.
  regions    mean number of regions
  MIPS       million instructions per second of the monitor, in --icount time; of the kernel
             without snapshots being written
  RSS        resident size of the monitor, at the end
  slowdown   CPU time that the workload takes per access, relative to that without a monitor
"""
import bisect
import os
import re
import sys
from collections import defaultdict

PAGE = 4096
MIB = 1 << 20
COLD_SECONDS = 5.0
WORKLOADS = ["static", "moving", "islands", "gradient", "needles", "thp", "file", "sparse", "bursts"]
MONITORS = ["none", "damond", "kernel"]


def parse_runs(text):
    """Page ranges [first, end) of the list of runs."""
    ranges = []
    for run in text.split(","):
        first, pages, stride, times = re.fullmatch(r"(\d+)\+(\d+)(?:/(\d+)\*(\d+))?", run).groups()
        for i in range(int(times or 1)):
            start = int(first) + i * int(stride or 0)
            ranges.append((start, start + int(pages)))
    return ranges


class Truth:
    """A truth file: see tests/workloads/pattern.c. Pieces are what is always touched together."""

    def __init__(self, path):
        self.sets, self.ends, self.passes, self.changes, self.work = {}, [], [], [], []
        resident = []
        with open(path, encoding="ascii") as file:
            for line in file:
                word, *rest = line.split()
                if word == "arena":
                    self.start, self.end = (int(address, 16) for address in rest)
                elif word == "resident":
                    resident = parse_runs(rest[0])
                elif word == "set":
                    self.sets[int(rest[0])] = parse_runs(rest[1])
                elif word == "change":
                    self.changes.append(float(rest[0]))
                elif word == "touched":
                    self.ends.append(float(rest[0]))
                    pairs = (pair.split(":") for pair in rest[1:])
                    self.passes.append({int(set_id): int(passes) for set_id, passes in pairs})
                elif word == "work":
                    self.work.append((float(rest[0]), int(rest[1]), int(rest[2])))
        self.pieces = self.cut(resident)
        self.bytes = sum(end - start for start, end, _ in self.pieces)

    def cut(self, resident):
        """The resident memory in order, as (start, end, set or None) in bytes of address."""
        hot = sorted((first, end, set_id) for set_id, ranges in self.sets.items() for first, end in ranges)
        pieces, nr = [], 0
        for first, end in sorted(resident):
            at = first
            while nr < len(hot) and hot[nr][0] < end:
                if hot[nr][0] > at:
                    pieces.append((at, hot[nr][0], None))
                pieces.append(hot[nr])
                at = hot[nr][1]
                nr += 1
            if at < end:
                pieces.append((at, end, None))
        assert nr == len(hot), "what is touched is resident"
        return [(self.start + a * PAGE, self.start + b * PAGE, set_id) for a, b, set_id in pieces]

    def records(self, start, end):
        """Indices of the records of 100 ms that are at least half in the time from start to end."""
        return range(bisect.bisect_left(self.ends, start + 0.05), bisect.bisect_right(self.ends, end + 0.05))

    def rates(self, start, end, window):
        """For each set the share of the windows in which it was touched; None when not recorded."""
        records = self.records(start, end)
        if not records or start < self.ends[0] - 0.1 or end > self.ends[-1] + 0.1:
            return None
        rates = defaultdict(float)
        # Windows shorter than a record are known by how many of them its passes, which are
        # even in time, can meet; longer ones consist of records.
        together = max(1, round(window / 0.1))
        blocks = [records[i:i + together] for i in range(0, len(records), together)]
        for block in blocks:
            met = defaultdict(int)
            for i in block:
                for set_id, passes in self.passes[i].items():
                    met[set_id] += passes
            for set_id, passes in met.items():
                rates[set_id] += min(1.0, passes * min(1.0, window / 0.1)) * len(block) / len(records)
        return rates

    def accessed(self, start, end):
        """The sets that were touched at all."""
        return {set_id for i in self.records(start, end) for set_id in self.passes[i]}

    def touch_cost(self, start, end):
        """CPU time per access, in ns: the median of the seconds in which memory was accessed."""
        costs = [(c1 - c0) / (t1 - t0) for (_, t0, c0), (time, t1, c1) in zip(self.work, self.work[1:])
                 if start <= time <= end and t1 > t0]
        return percentile(costs, 0.5) if costs else None


class Snapshot:
    def __init__(self, time):
        self.time, self.regions = time, []


LINE = re.compile(r"\s*(\S+)\s+\d+ \[\d+\] (\d+\.\d+): damon:damon_aggregated: "
                  r"target_id=\d+ nr_regions=(\d+) (\d+)-(\d+): (\d+) (\d+)")


def read_record(path):
    """Snapshots of one target in the order of time, whole ones only."""
    snapshots, nr_regions = [], 0
    with open(path, encoding="ascii") as file:
        for line in file:
            match = LINE.match(line)
            if not match:
                continue
            time = float(match[2])
            if not snapshots or snapshots[-1].time != time:
                if snapshots and len(snapshots[-1].regions) != nr_regions:
                    snapshots.pop()
                snapshots.append(Snapshot(time))
            nr_regions = int(match[3])
            snapshots[-1].regions.append(tuple(int(match[i]) for i in range(4, 8)))
    if snapshots and len(snapshots[-1].regions) != nr_regions:
        snapshots.pop()
    return snapshots


def overlay(pieces, regions):
    """Resident pieces with the region that says something about each: (bytes, set, nr, age).

    What no region covers is not seen accessed.
    """
    out, nr = [], 0
    for start, end, set_id in pieces:
        while nr < len(regions) and regions[nr][1] <= start:
            nr += 1
        at, k = start, nr
        while at < end:
            if k == len(regions) or regions[k][0] >= end:
                out.append((end - at, set_id, 0, 0))
                break
            if regions[k][0] > at:
                out.append((regions[k][0] - at, set_id, 0, 0))
                at = regions[k][0]
            stop = min(end, regions[k][1])
            out.append((stop - at, set_id, regions[k][2], regions[k][3]))
            at = stop
            k += 1
    return out


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def ratio(part, whole):
    return part / whole if whole else None


def mean(values):
    return sum(values) / len(values) if values else None


class Run:
    """The figures of one run; those that make no sense for it are None."""

    def __init__(self, base, monitor, settings):
        self.figures = {}
        truth = Truth(base + ".truth")
        self.cost = truth.touch_cost(truth.work[0][0] + 1, truth.work[-1][0])
        if monitor == "none":
            return
        sample, aggregation = int(settings["sample"]) / 1e6, int(settings["aggregation"]) / 1e6
        # What the two count to: the checks that fit into an aggregation.
        self.most = max(1, int(settings["aggregation"]) // int(settings["sample"]))
        cpu = read_cpu(base + ".cpu")
        snapshots = read_record(base + ".record")
        begin, end = cpu[0][0] + int(settings["warm_up"]), cpu[0][0] + int(settings["seconds"])
        self.cost = truth.touch_cost(begin, end)
        self.figures["MIPS"] = self.mips(cpu, monitor, begin, snapshots)
        self.figures["RSS"] = cpu[-1][2] / 1024 if monitor == "damond" else None
        self.compare(truth, snapshots, aggregation, begin, end, monitor)

    def mips(self, cpu, monitor, begin, snapshots):
        if monitor == "kernel":
            begin = snapshots[-1].time + 1
        cpu = [entry for entry in cpu if entry[0] >= begin]
        if len(cpu) < 2:
            return None
        return (cpu[-1][1] - cpu[0][1]) / (cpu[-1][0] - cpu[0][0]) / 1e6

    def interval(self, snapshots, i, aggregation, monitor):
        """How long the aggregation that snapshot i describes really took."""
        since = snapshots[i].time - snapshots[i - 1].time
        if monitor == "kernel" and since > 1.5 * aggregation:
            return aggregation              # of those, not each one is recorded
        return since

    def compare(self, truth, snapshots, aggregation, begin, end, monitor):
        errors, cold_errors, wss, true_wss, counts, nr = [], [], [], [], [], []
        hot, cold = [0, 0, 0], [0, 0, 0]        # right, said, true
        seen = []                               # time and error against what is accessed now
        for i in range(1, len(snapshots)):
            snapshot, took = snapshots[i], self.interval(snapshots, i, aggregation, monitor)
            if not begin <= snapshot.time <= end:
                continue
            rates = truth.rates(snapshot.time - took, snapshot.time, took / self.most)
            if rates is None:
                continue
            recent = truth.accessed(snapshot.time - COLD_SECONDS, snapshot.time)
            error = zero = size_seen = size_true = 0
            for size, set_id, nr_accesses, age in overlay(truth.pieces, snapshot.regions):
                rate, said = rates.get(set_id, 0.0), nr_accesses / self.most
                error += size * abs(rate - min(1.0, said))
                zero += size * rate
                size_seen += size * (nr_accesses > 0)
                size_true += size * (rate > 0)
                count(hot, size, said >= 0.5, rate >= 0.5)
                count(cold, size, nr_accesses == 0 and age * took >= COLD_SECONDS, set_id not in recent)
            errors.append(error / truth.bytes)
            cold_errors.append(zero / truth.bytes)
            wss.append(size_seen / MIB)
            true_wss.append(size_true / MIB)
            nr.append(len(snapshot.regions))
            if truth.changes:
                seen.append((snapshot.time, overlay(truth.pieces, snapshot.regions)))
        if not errors:
            raise SystemExit("no snapshot can be compared with the truth")
        figures = self.figures
        figures["snapshots"] = len(errors)
        figures["error"], figures["all cold"] = mean(errors), mean(cold_errors)
        figures["wss p50"], figures["wss p75"] = percentile(wss, 0.5), percentile(wss, 0.75)
        figures["true p50"], figures["true p75"] = percentile(true_wss, 0.5), percentile(true_wss, 0.75)
        figures["hot P"], figures["hot R"] = ratio(hot[0], hot[1]), ratio(hot[0], hot[2])
        figures["cold P"], figures["cold R"] = ratio(cold[0], cold[1]), ratio(cold[0], cold[2])
        figures["regions"] = mean(nr)
        figures["reaction"] = self.reaction(truth, seen, begin, end)

    def reaction(self, truth, seen, begin, end):
        delays = []
        for i, change in enumerate(truth.changes):
            until = truth.changes[i + 1] if i + 1 < len(truth.changes) else truth.ends[-1]
            if change < begin or until > end:
                continue                # a change is followed to its end, or not at all
            before = truth.accessed(change - 1, change - 0.1)
            after = truth.accessed(change + 0.1, change + 1.1)
            changed = sum(e - s for s, e, set_id in truth.pieces if (set_id in before) != (set_id in after))
            delay = until - change
            for time, pieces in seen:
                if change < time < until and sum(
                        size * abs((set_id in after) - min(1.0, nr_accesses / self.most))
                        for size, set_id, nr_accesses, _ in pieces) < changed / 4:
                    delay = time - change
                    break
            delays.append(delay)
        return mean(delays)


def count(sums, size, said, true):
    sums[0] += size * (said and true)
    sums[1] += size * said
    sums[2] += size * true


def read_cpu(path):
    with open(path, encoding="ascii") as file:
        return [(float(time), int(ns), int(kb)) for time, ns, kb in (line.split() for line in file)]


COLUMNS = [("error", "{:.3f}"), ("all cold", "{:.3f}"), ("wss p50", "{:.1f}"), ("wss p75", "{:.1f}"),
           ("true p50", "{:.1f}"), ("true p75", "{:.1f}"), ("hot P", "{:.2f}"), ("hot R", "{:.2f}"),
           ("cold P", "{:.2f}"), ("cold R", "{:.2f}"), ("reaction", "{:.1f}"), ("regions", "{:.0f}"),
           ("MIPS", "{:.2f}"), ("RSS", "{:.1f}"), ("slowdown", "{:.3f}")]


def show(form, values):
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    middle, low, high = (form.format(value) for value in (mean(values), min(values), max(values)))
    return middle if low == high else f"{middle} ({low}-{high})"


def main(folder, each_run):
    with open(os.path.join(folder, "settings"), encoding="ascii") as file:
        settings = dict(line.rstrip("\n").split("=", 1) for line in file)
    names = sorted(name[:-len(".truth")] for name in os.listdir(folder) if name.endswith(".truth"))
    found = defaultdict(list)
    for name in names:
        workload, monitor, repeat = name.split(".")
        found[workload, monitor].append((int(repeat), Run(os.path.join(folder, name), monitor, settings)))
    print("Sampling every {:g} ms, aggregation {:g} ms, {} to {} regions, cpu_budget {}; hot memory is "
          "accessed every {} ms; {} s, of which the first {} not evaluated. Sizes in MiB.\n".format(
              int(settings["sample"]) / 1000, int(settings["aggregation"]) / 1000,
              settings["min"], settings["max"], settings["budget"], settings["touch"],
              settings["seconds"], settings["warm_up"]))
    print("| workload | monitor | runs | " + " | ".join(name for name, _ in COLUMNS) + " |")
    print("|" + "---|" * (len(COLUMNS) + 3))
    for workload in sorted({w for w, _ in found}, key=WORKLOADS.index):
        alone = mean([run.cost for _, run in found[workload, "none"] if run.cost])
        for monitor in MONITORS[1:]:
            runs = sorted(found[workload, monitor], key=lambda entry: entry[0])
            for _, run in runs:
                run.figures["slowdown"] = run.cost / alone if alone and run.cost else None
            groups = [[entry] for entry in runs] if each_run else [runs] if runs else []
            for group in groups:
                which = f"#{group[0][0]}" if each_run else str(len(group))
                cells = [show(form, [run.figures.get(name) for _, run in group]) for name, form in COLUMNS]
                print("| " + " | ".join([workload, monitor, which] + cells) + " |")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    runs_wanted = "--runs" in arguments
    arguments = [argument for argument in arguments if argument != "--runs"]
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        sys.exit(0 if arguments == ["--help"] else 2)
    main(arguments[0], runs_wanted)
