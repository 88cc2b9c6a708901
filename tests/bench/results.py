#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Makes the tables of tests/bench/results from the lines that its runs have left: one of all ways to run
the programs, and one of what huge pages cost and how much of that a scheme took back.

results.py FILE...
"""
import sys

MB = 1 << 20
HEAD = ('program', 'way', 'resident, MB', 'less resident', 'with compressed swap', 'slower', 'major faults',
        'swapped out / in, MB', 'applied, MB', 'moved / returned, MB', 'CPU')


def read(names):
    runs = {}
    for name in names:
        with open(name, encoding='utf-8', errors='replace') as lines:
            for line in lines:
                words = line.split()
                if words[:1] == ['result']:
                    values = {key: int(value) for key, value in (word.split('=') for word in words[3:])}
                    runs.setdefault(words[1], {})[words[2]] = values
    return runs


def print_row(cells):
    print('| ' + ' | '.join(cells) + ' |')


def print_head(*cells):
    print_row(cells)
    print('|' + '---|' * len(cells))


def mb(size):
    return f'{size / MB:.0f}'


def less(now, before):
    return f'{100 * (1 - now / before):.1f} %'


def slower(run, alone):
    return f'{100 * (run["ps"] / alone["ps"] - 1):+.1f} %'


def row(program, way, run, alone):
    cells = [program, way, mb(run['resident_kb'] * 1024), less(run['resident_kb'], alone['resident_kb']),
             less(run['used_kb'], alone['used_kb']), slower(run, alone), str(run['faults']),
             f'{mb(run["swapped_out"] * 4096)} / {mb(run["swapped_in"] * 4096)}']
    if way in ('alone', 'thp'):
        return cells + ['', '', '']
    # DAMON does not look at what became of memory
    return cells + [mb(run['applied']),
                    f'{mb(run["moved"])} / {mb(run["returned"])}' if way.startswith('damond') else '',
                    f'{run["cpu_ns"] / run["seconds"] / 1e7:.2f} %']


def ethp(program, ways):
    alone, thp = ways['alone'], ways['thp']
    cost = thp['resident_kb'] - alone['resident_kb']
    cells = [program, f'{cost / 1024:+.1f}', slower(thp, alone)]
    for way in ('damond-ethp', 'kernel-ethp'):
        run = ways.get(way)
        if not run:
            return
        kept = run['resident_kb'] - alone['resident_kb']
        cells += [f'{kept / 1024:+.1f}', f'{100 * (1 - kept / cost):.0f} %' if cost > 1024 else '', slower(run, alone)]
    print_row(cells)


def main():
    runs = {program: ways for program, ways in read(sys.argv[1:]).items() if 'alone' in ways}
    print_head(*HEAD)
    for program, ways in runs.items():
        for way, run in ways.items():
            print_row(row(program, way, run, ways['alone']))
    if not any('thp' in ways for ways in runs.values()):
        return
    print()
    print_head('program', 'huge pages everywhere, MB', 'slower', 'damond, MB', 'taken back', 'slower', 'DAMON, MB',
               'taken back', 'slower')
    for program, ways in runs.items():
        if 'thp' in ways:
            ethp(program, ways)


main()
