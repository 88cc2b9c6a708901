# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completion of damond's command line for bash.

_damond() {
        # shellcheck disable=SC2034  # set by _init_completion
        local cur prev words cword split
        _init_completion -s || return

        case $prev in
        -c|--config)
                _filedir
                return
                ;;
        --for)
                return
                ;;
        --log-level)
                mapfile -t COMPREPLY < <(compgen -W 'error warning info debug' -- "$cur")
                return
                ;;
        esac
        $split && return

        mapfile -t COMPREPLY < <(compgen -W '-c --config= -t --check-config -T --dump-config --probe
                -n --dry-run --explain --for= --log-level= -h --help -V --version' -- "$cur")
        [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
} &&
        complete -F _damond damond
