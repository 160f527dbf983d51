#!/bin/sh
# The launch gate with curl alone: the last synchronisation, the checks, the verdict.
#
#   RECENT_SYNC_URL, RECENT_SYNC_API_KEY   the service, and a key with the scope `run`
#   GATE_MIGRATION   slug or id of the migration
#   GATE_STEPS       which of the steps to run: "recent verify readiness" by default
#   GATE_SECONDS     how long each job may take (1800)
#   GATE_KEY         a name of this attempt: repeated under it, a request starts no second job
#   GATE_RETRIES     how often a request is repeated that the service cannot answer (4)
#
# Exit code: 0 ready; 1 not ready, stale, or a job that did not end well; 2 wrong use;
# 3 the service cannot be reached; 4 timed out.
set -u

: "${RECENT_SYNC_URL:=http://127.0.0.1:8400}"
if [ -z "${RECENT_SYNC_API_KEY:-}" ] || [ -z "${GATE_MIGRATION:-}" ]; then
    echo "gate: RECENT_SYNC_API_KEY and GATE_MIGRATION are needed" >&2
    exit 2
fi
seconds=${GATE_SECONDS:-1800}
attempt=${GATE_KEY:-$(date +%s)-$$}
result=0

# ask METHOD PATH [BODY [KEY]]: the answer's body, its status on a line of its own. The API key goes
# by standard input: arguments can be seen by everybody on the machine.
ask() {
    set -- "$1" "$2" "${3:-}" "${4:-}"
    printf 'header = "Authorization: Bearer %s"\n' "$RECENT_SYNC_API_KEY" |
        curl --config - --silent --show-error --max-time 90 --retry "${GATE_RETRIES:-4}" --retry-connrefused \
            --request "$1" --header "Content-Type: application/json" --header "Prefer: wait=30" \
            ${4:+--header "Idempotency-Key: $4"} ${3:+--data "$3"} \
            --write-out '\n%{http_code}' "$RECENT_SYNC_URL/v1$2"
}

# answer METHOD PATH [BODY [KEY]]: sets `document`, or ends the gate.
answer() {
    if ! reply=$(ask "$@"); then
        echo "gate: the service cannot be reached" >&2
        exit 3
    fi
    status=${reply##*
}
    document=${reply%
*}
    case $status in
        2??) return ;;
        4??) code=2 ;;
        *) code=3 ;;
    esac
    echo "gate: $1 $2 was answered $status: $(member detail)" >&2
    exit "$code"
}

# member NAME: the first text of this name in the document.
member() {
    printf '%s' "$document" |
        sed -n "s/^[^{]*{/{/; s/\"$1\" *: *\"/\\
\"/; s/^.*\\n\"\\([^\"]*\\)\".*\$/\\1/p"
}

# run KIND BODY: starts a job and waits for its end.
run() {
    deadline=$(($(date +%s) + seconds))
    answer POST /jobs "$2" "$attempt-$1"
    job=$(member id)
    while :; do
        state=$(member status)
        case $state in
            succeeded) echo "gate: $1 succeeded" && return ;;
            completed_with_errors | failed | cancelled)
                echo "gate: $1 ended $state (job $job)" >&2
                result=1
                return
                ;;
        esac
        if [ "$(date +%s)" -ge "$deadline" ]; then
            echo "gate: $1 has not ended within $seconds seconds (job $job)" >&2
            exit 4
        fi
        answer GET "/jobs/$job"
        sleep 1
    done
}

verdict() {
    answer GET "/migrations/$GATE_MIGRATION/readiness"
    verdict=$(member verdict)
    echo "gate: the verdict is $verdict"
    if [ "$verdict" != ready ]; then result=1; fi
}

asked="\"migration\": \"$GATE_MIGRATION\""
for step in ${GATE_STEPS:-recent verify readiness}; do
    case $step in
        recent) run recent "{\"kind\": \"recent\", $asked, \"cutover\": true}" ;;
        verify) run verify "{\"kind\": \"verify\", $asked}" ;;
        readiness) verdict ;;
        *)
            echo "gate: there is no step $step" >&2
            exit 2
            ;;
    esac
done
exit "$result"
