#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Asks a program for what it holds, a batch at a time and a fiftieth of it all the time, at a steady pace.

requests.py redis SOCKET KEYS VALUE-SIZE     fills a redis-server, then reads from it
requests.py sqlite ROWS ROW-SIZE             is the program itself: a database in its own memory

Prints "ready" when all is there, then once a second "work UNITS NANOSECONDS" for the units of work
done so far, and the time that it waited for them. Ends on SIGTERM.
"""
import random
import signal
import socket
import sqlite3
import sys
import time

BATCH = 20
PAUSE = 0.05
HOT_SHARE = 50
TEXT = []


def text(size):
    """Words at random, which a compressor makes half as much of, or less."""
    if not TEXT:
        words = [b'%x' % (i * 2654435761 % 2**32) for i in range(64)]
        TEXT.append(b' '.join(random.choices(words, k=64000)))
    start = random.randrange(len(TEXT[0]) - size)
    return TEXT[0][start:start + size]


class Redis:
    def __init__(self, path, keys, size):
        self.keys = int(keys)
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(path)
        self.answers = self.connection.makefile('rb')
        for first in range(0, self.keys, 64):
            numbers = range(first, min(first + 64, self.keys))
            self.send([(b'SET', b'key:%d' % i, text(int(size))) for i in numbers])
            for _ in numbers:
                if self.answers.readline() != b'+OK\r\n':
                    raise SystemExit('redis: a value was not stored')

    def send(self, commands):
        self.connection.sendall(b''.join(
            b'*%d\r\n' % len(words) + b''.join(b'$%d\r\n%s\r\n' % (len(word), word) for word in words)
            for words in commands))

    def ask(self, numbers):
        self.send([(b'GET', b'key:%d' % i) for i in numbers])
        for _ in numbers:
            size = int(self.answers.readline()[1:])
            if size < 0 or len(self.answers.read(size + 2)) != size + 2:
                raise SystemExit('redis: a value is not there')


class Sqlite:
    def __init__(self, rows, size):
        self.keys = int(rows)
        self.database = sqlite3.connect(':memory:')
        self.database.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, value BLOB)')
        self.database.executemany('INSERT INTO t VALUES (?, ?)',
                                  ((i, text(int(size))) for i in range(self.keys)))

    def ask(self, numbers):
        for i in numbers:
            if not self.database.execute('SELECT value FROM t WHERE id = ?', (i,)).fetchone():
                raise SystemExit('sqlite: a row is not there')


def main():
    random.seed(1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    program = {'redis': Redis, 'sqlite': Sqlite}[sys.argv[1]](*sys.argv[2:])
    print('ready', flush=True)
    units = waited = 0
    told = time.monotonic_ns()
    first = program.keys // 2
    while True:
        numbers = [first + random.randrange(program.keys // HOT_SHARE) for _ in range(BATCH)]
        begun = time.monotonic_ns()
        program.ask(numbers)
        now = time.monotonic_ns()
        units += BATCH
        waited += now - begun
        if now - told >= 1_000_000_000:
            print('work', units, waited, flush=True)
            told += 1_000_000_000
        time.sleep(PAUSE)


main()
