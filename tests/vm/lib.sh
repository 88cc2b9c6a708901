# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Helpers for the jobs that run in the virtual machine: starting programs and waiting for what
# they say, reading what /proc tells about them, and ending all of them whatever happens.
#
#   . "$(dirname "$0")/lib.sh"
#   start hot "$WORKLOADS/hotcold" --size 256M      # "$hot" is the pid, $tmp/hot.out its output
#   wait_line hot '^ready'
#   wait_until 30 swapped_at_least 100000           # seconds, then a command
#   finish hot                                      # SIGTERM, wait; $? is its exit status
#
# Note that a job that is killed with SIGKILL cleans nothing up; in the guest that costs nothing.

: "${REPO:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${DAMOND:=$REPO/build/src/daemon/damond}"
: "${WORKLOADS:=$REPO/build/tests/workloads}"
export REPO DAMOND WORKLOADS

tmp=$(mktemp -d)
started=()

end_all() {
        local pid
        for pid in "${started[@]}"; do
                kill -KILL "$pid" || true
                wait "$pid" || true
        done 2>/dev/null                # and not a word of the shell about it
        rm -rf -- "$tmp"
}
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() {
        printf '%s\n' "$*"
}

fail() {
        printf 'FAIL: %s\n' "$*"
        exit 1
}

# own_programs [PROGRAM...]: these, damond and those that a job waits and counts with, and what all of them
# open, become the guest's own, in memory. As long as they are the host's, each opening is a round trip (a
# sleep makes 20 of them), and with --icount time runs ahead meanwhile.
own_programs() {
        local program programs
        [ "${DAMOND_VM:-}" = 1 ] || return 0    # nothing of the host is touched
        mapfile -t programs < <(type -P awk bash cat dd dirname getconf grep head mkdir paste rm sed seq sleep sort \
                tail wc "$@")
        programs+=("$DAMOND")
        {
                printf '%s\n' "${programs[@]}" /etc/ld.so.cache /usr/share/locale/locale.alias \
                        /usr/lib/*/gconv/gconv-modules.cache
                find /usr/lib/locale/C.utf8 -type f || true
                for program in "${programs[@]}"; do
                        LD_TRACE_LOADED_OBJECTS=1 "$program" | grep -o '/[^ ]*' || true
                done
        } | sort -u | xargs touch -c
}

# start NAME COMMAND...: in the background; its pid is in the variable NAME, its output in
# $tmp/NAME.out and $tmp/NAME.err.
start() {
        local name=$1
        shift
        "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null &
        printf -v "$name" '%s' $!
        started+=($!)
}

# finish NAME: SIGTERM, wait; its exit status. It is not killed again at the end.
finish() {
        local pid=${!1} other left=()
        kill -TERM "$pid" 2>/dev/null || true
        for other in "${started[@]}"; do
                [ "$other" = "$pid" ] || left+=("$other")
        done
        started=("${left[@]}")
        wait "$pid"
}

# wait_until SECONDS COMMAND...: until the command succeeds; false when the time is over.
wait_until() {
        local end=$((SECONDS + $1))
        shift
        until "$@"; do
                [ "$SECONDS" -lt "$end" ] || return 1
                sleep 0.1
        done
}

# wait_line NAME REGEX [SECONDS [COUNT]]: until the program has printed such a line (that often).
wait_line() {
        local name=$1 pattern=$2 seconds=${3:-60} count=${4:-1}
        wait_until "$seconds" lines_at_least "$name" "$pattern" "$count" && return
        cat "$tmp/$name.out" "$tmp/$name.err"
        fail "$name did not print '$pattern' within $seconds s"
}

lines_at_least() {
        local found
        found=$(grep -Ec -- "$2" "$tmp/$1.out" "$tmp/$1.err" | awk -F: '{ n += $NF } END { print n }')
        [ "$found" -ge "$3" ]
}

# kb PID FIELD: a "FIELD: N kB" line of /proc/PID/status.
kb() {
        awk -v field="$2:" '$1 == field { n = $2 } END { print n + 0 }' "/proc/$1/status" 2>/dev/null
}

# stat_field PID N: the Nth field of /proc/PID/stat as proc(5) counts them (3 and up).
stat_field() {
        local line
        line=$(cat "/proc/$1/stat" 2>/dev/null) || { echo 0; return; }
        line=${line##*) }
        awk -v n=$(($2 - 2)) '{ print $n }' <<<"$line"
}

majflt() {
        stat_field "$1" 12
}

# cpu_ms PID: user and system time of the process so far.
cpu_ms() {
        local user system hz
        user=$(stat_field "$1" 14)
        system=$(stat_field "$1" 15)
        hz=$(getconf CLK_TCK)
        echo $(((user + system) * 1000 / hz))
}

now_ms() {
        local up _
        read -r up _ </proc/uptime
        echo $((10#${up/./} * 10))
}
