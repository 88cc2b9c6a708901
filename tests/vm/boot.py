# SPDX-License-Identifier: GPL-2.0-only
"""What the jobs of a machine with systemd share: commands, units, processes, and the journal.

Import it behind
    sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
"""
import glob
import json
import os
import subprocess
import sys
import threading
import time

repo = os.environ['REPO']
workloads = os.environ.get('WORKLOADS') or repo + '/build/tests/workloads'
# made by conf/debian/build
package = os.environ.get('PACKAGE') or max(glob.glob(repo + '/build/package/damond_*.deb'), default='')

# MESSAGE_ID of records, see damond(8)
STARTED = 'd59d62d458314dd7afa33c4aa3f9426d'
STOPPED = '34dcd77ec1f24ff0b07c7b9c157b97ce'
RELOADED = 'd1622af1284a47ea9d2d7cb6c33f9e63'
RELOAD_CHANGE = '5b8e2f6d91a34c0f8d27a4e6c0b39f71'
RELOAD_REFUSED = 'c3a1f0a5d7c64a53b7b1c6a2f1f0e9d4'
CONFIG_ERROR = '7dcf53832cfd43f1a26c7e9772ebcd4f'
ATTACHED = '1a0e3a1eb74d4d0e9a4104a8f46efe44'
GONE = '9930d1e3ac8d4f5dab2e6cec213d7b50'
SCHEME_STATISTICS = 'af7a0b46d489470287d4f23b637f95b4'
MONITORING_STATISTICS = '0e4cb8cbe5d7426bb15559369cbd961e'
UNAVAILABLE = 'efad2d0594ec4471ab87817bc9e2322e'
CAVEAT = '6a90e3d8f1b74c25bd48c7a2059ef61c'


def uptime():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def ok(text):
    print('ok    %5.1f s: %s' % (uptime(), text), flush=True)


def fail(text):
    print('FAIL: %s\nThe end of the journal:' % text, flush=True)
    subprocess.run(['journalctl', '-b', '--no-pager', '-n', '40', '-o', 'short-monotonic'], check=False)
    os._exit(1)     # whatever still runs: the machine ends, too


def check(condition, text):
    if not condition:
        fail(text)


def run(*command, status=0):
    """Output and errors of a command whose exit status must be this."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True, check=False)
    check(done.returncode == status,
          '%s: exit status %d, not %d:\n%s' % (' '.join(command), done.returncode, status, done.stdout))
    return done.stdout


def wait_for(what, condition, seconds=20):
    """What the condition returns, once that is true."""
    end = uptime() + seconds
    while True:
        result = condition()
        if result:
            return result
        if uptime() > end:
            fail('not within %d s: %s' % (seconds, what))
        time.sleep(0.1)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def show(unit, *properties):
    """The values of properties of a unit."""
    lines = run('systemctl', 'show', '-p', ','.join(properties), unit).splitlines()
    values = dict(line.split('=', 1) for line in lines)
    return [values[name] for name in properties]


def write_unit(name, service):
    write('/etc/systemd/system/' + name, '[Service]\n' + service)
    run('systemctl', 'daemon-reload')


def damond(besides=0):
    """Process ID and status line, once it runs as a process other than this."""
    def running():
        state, pid, text = show('damond', 'ActiveState', 'MainPID', 'StatusText')
        return (int(pid), text) if state == 'active' and text and int(pid) != besides else None
    return wait_for('damond runs', running)


def status_fields(pid):
    """/proc/PID/status."""
    lines = read('/proc/%d/status' % pid).splitlines()
    return {name: value.strip() for name, value in (line.split(':', 1) for line in lines)}


def swapped(pid):
    """Bytes of it in swap."""
    return int(status_fields(pid)['VmSwap'].split()[0]) << 10


class Journal:
    """What the journal has of a unit, by the unit or by systemd, as it comes."""

    def __init__(self, unit):
        self.records = []
        self.seen = 0
        self.follower = subprocess.Popen(
            ['journalctl', '-b', '-f', '--no-tail', '-o', 'json', '-u', unit],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, universal_newlines=True)
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        for line in self.follower.stdout:
            self.records.append(json.loads(line))

    def wait(self, what, where=None, seconds=20, **fields):
        """The next record with these fields, for which "where" is true."""
        def next_one():
            while self.seen < len(self.records):
                record = self.records[self.seen]
                self.seen += 1
                if all(record.get(name) == str(value) for name, value in fields.items()) and \
                        (not where or where(record)):
                    return record
            return None
        return wait_for('in the journal: ' + what, next_one, seconds)


def when(record):
    """Seconds from the start of the machine."""
    return int(record['__MONOTONIC_TIMESTAMP']) / 1e6


def number(record, field):
    return int(record['DAMOND_' + field])
