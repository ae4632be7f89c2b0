# Waits until a process has ended, and helps if that is allowed. $1 PID (0: none)  $2 none|term|kill  $3 seconds each
set -u
[ "$1" = 0 ] && exit 0
what=$(ps -p "$1" -o args= 2>/dev/null)
gone() {
  n=0
  while [ "$n" -le "$2" ]; do
    kill -0 "$1" 2>/dev/null || exit 0
    [ "$(ps -p "$1" -o args= 2>/dev/null)" = "$what" ] || exit 0
    [ "$n" -eq "$2" ] || sleep 1
    n=$((n + 1))
  done
}
gone "$1" "$3"
[ "$2" != none ] || exit 1
echo "TERM to $1"
kill -TERM "$1"
gone "$1" "$3"
[ "$2" = kill ] || exit 1
echo "KILL to $1"
kill -KILL "$1"
gone "$1" 5
exit 1
