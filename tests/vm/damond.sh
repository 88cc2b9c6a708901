# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Helpers for the jobs that run damond in the virtual machine: lib.sh, and damond itself.
#
#   . "$(dirname "$0")/damond.sh"
#   start_damond <<<"targets = (...); ..."          # "$damond" is the pid, $tmp/damond.err the log
#   snapshot >"$tmp/now"                            # what it says on SIGUSR1

# shellcheck source=tests/vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Intervals that an emulated machine keeps up with.
monitoring='monitoring = { sample_interval = "20ms"; aggregation_interval = "400ms";
update_interval = "1s"; min_regions = 10; max_regions = 1000; cpu_budget = "off"; };'

# start_damond [OPTION...]: the configuration comes from standard input
start_damond() {
        cat >"$tmp/damond.conf"
        start damond "$DAMOND" -c "$tmp/damond.conf" "$@"
        # with --icount, time runs ahead while the guest waits for a file of the host
        wait_line damond '^damond: started' 120
}

# snapshot: the lines that damond logs on SIGUSR1
snapshot() {
        local before
        before=$(wc -l <"$tmp/damond.err")
        # shellcheck disable=SC2154  # set by start
        kill -USR1 "$damond"
        wait_until 120 snapshot_done "$before" || fail "damond gives no snapshot"
        tail -n +"$((before + 1))" "$tmp/damond.err"
}

snapshot_done() {
        # not grep -q: it ends early, and tail with it, in a failure
        tail -n +"$(($1 + 1))" "$tmp/damond.err" | grep '^damond: monitoring: ' >/dev/null
}

# accessed_bytes FILE: bytes of the regions in a snapshot that were accessed
accessed_bytes() {
        local word range accesses bytes=0
        while read -r word _ _ range _ accesses _; do
                [ "$word" = region ] && [ "${accesses%/*}" != 0 ] || continue
                bytes=$((bytes + 16#${range#*-} - 16#${range%-*}))
        done <"$1"
        echo "$bytes"
}

# scheme_stat FILE SCHEME FIELD: a number from a snapshot
scheme_stat() {
        sed -n "s/^damond: scheme $2: .*\\b$3=\\([0-9]*\\).*/\\1/p" "$1"
}

# monitoring_stat FILE FIELD: a number from a snapshot
monitoring_stat() {
        sed -n "s/^damond: monitoring: .*\\b$2=\\([0-9]*\\).*/\\1/p" "$1"
}

# between LOW N HIGH: all whole numbers
between() {
        [ "$1" -le "$2" ] && [ "$2" -le "$3" ]
}

ok() {
        printf 'ok    %s\n' "$*"
}
