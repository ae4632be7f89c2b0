#!/bin/sh
# Starts the service in the background and returns when it listens.
# Exit: 0 started, 1 refused because it runs already, 2 it didn't come up.
set -u
APP_HOME=$(cd "$(dirname "$0")/.." && pwd) || exit 2
. "$APP_HOME/conf/server.env"
PID_FILE=$APP_HOME/run/app.pid

note() {
    printf '%s %s\n' "$(date '+%Y-%m-%dT%H:%M:%S%z')" "$1" >>"$APP_HOME/logs/actions.log"
}

if [ -s "$PID_FILE" ]; then
    RUNNING=$(cat "$PID_FILE")
    if kill -0 "$RUNNING" 2>/dev/null; then
        note "startup-refused pid=$RUNNING"
        echo "startup: refused, the service already runs with pid $RUNNING" >&2
        exit 1
    fi
fi
rm -f "$PID_FILE"

nohup "$PYTHON" -S -E "$APP_HOME/lib/was.py" "$APP_HOME" "$ADDRESS" "$HTTP_PORT" "$FLEET_LOCK" \
    >>"$APP_HOME/logs/catalina.out" 2>&1 </dev/null &
STARTED=$!

# The service writes its PID file once it listens; one that loses a race for the port ends without.
TRIES=0
while [ "$TRIES" -lt 300 ]; do
    if [ -s "$PID_FILE" ] && [ "$(cat "$PID_FILE")" = "$STARTED" ]; then
        note "startup pid=$STARTED"
        echo "startup: started with pid $STARTED"
        exit 0
    fi
    kill -0 "$STARTED" 2>/dev/null || break
    sleep 0.05
    TRIES=$((TRIES + 1))
done
note "startup-failed pid=$STARTED"
echo "startup: the service did not come up, see $APP_HOME/logs/catalina.out" >&2
exit 2
