#!/bin/sh
# Ends the service gracefully and removes its PID file.
# Exit: 0 ended, 1 it wasn't running, 2 it didn't end within 15 seconds.
set -u
APP_HOME=$(cd "$(dirname "$0")/.." && pwd) || exit 2
PID_FILE=$APP_HOME/run/app.pid

note() {
    printf '%s %s\n' "$(date '+%Y-%m-%dT%H:%M:%S%z')" "$1" >>"$APP_HOME/logs/actions.log"
}

RUNNING=$(cat "$PID_FILE" 2>/dev/null)
if [ -z "$RUNNING" ] || ! kill -TERM "$RUNNING" 2>/dev/null; then
    rm -f "$PID_FILE"
    note "shutdown-not-running pid=${RUNNING:-none}"
    echo "shutdown: the service is not running" >&2
    exit 1
fi

TRIES=0
while kill -0 "$RUNNING" 2>/dev/null; do
    if [ "$TRIES" -ge 300 ]; then
        note "shutdown-failed pid=$RUNNING"
        echo "shutdown: pid $RUNNING did not end" >&2
        exit 2
    fi
    sleep 0.05
    TRIES=$((TRIES + 1))
done
rm -f "$PID_FILE"
note "shutdown pid=$RUNNING"
echo "shutdown: ended pid $RUNNING"
