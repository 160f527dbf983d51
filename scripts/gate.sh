#!/bin/sh
# The launch gate of a pipeline: the last synchronisation, the checks, the verdict.
#
#   RECENT_SYNC_URL, RECENT_SYNC_API_KEY   the service, and a key with the scope `run`
#   GATE_MIGRATION                         slug or id of the migration
#   GATE_STEPS     which of the steps to run: "recent verify readiness" by default
#   GATE_TIMEOUT   how long each job may take, such as 30m (the default)
#   GATE_JUNIT     where to write the checks as JUnit XML; empty for nowhere
#   GATE_HTML      where to write the page for people; empty for nowhere
#   GATE_KEY       a name of this attempt: a step that is repeated under it starts no second job
#   GATE_PROGRAM   the command, `recent-sync` by default
#
# Exit code: 0 ready; 1 not ready, stale, or a job that did not end well; 2 wrong use;
# 3 the service or a store cannot be reached; 4 timed out.
set -u

if [ -z "${GATE_MIGRATION:-}" ]; then
    echo "gate: GATE_MIGRATION names no migration" >&2
    exit 2
fi
program=${GATE_PROGRAM:-recent-sync}
timeout=${GATE_TIMEOUT:-30m}
result=0

# What ran, but did not end well, is looked at all the same: the verdict says why. Everything else
# ends the gate, because a verdict after it would be about something else.
note_or_stop() {
    case $1 in
        0) ;;
        1) result=1 ;;
        *) exit "$1" ;;
    esac
}

run() {
    kind=$1
    shift
    set -- run "$kind" --migration "$GATE_MIGRATION" --wait --timeout "$timeout" "$@"
    if [ -n "${GATE_KEY:-}" ]; then
        set -- "$@" --idempotency-key "$GATE_KEY-$kind"
    fi
    "$program" "$@"
    note_or_stop $?
}

verdict() {
    set -- readiness --migration "$GATE_MIGRATION"
    if [ -n "${GATE_JUNIT:-}" ]; then set -- "$@" --junit "$GATE_JUNIT"; fi
    if [ -n "${GATE_HTML:-}" ]; then set -- "$@" --html "$GATE_HTML"; fi
    "$program" "$@"
    note_or_stop $?
}

for step in ${GATE_STEPS:-recent verify readiness}; do
    case $step in
        recent) run recent --cutover ;;
        verify) run verify ;;
        readiness) verdict ;;
        *)
            echo "gate: there is no step $step" >&2
            exit 2
            ;;
    esac
done
exit "$result"
