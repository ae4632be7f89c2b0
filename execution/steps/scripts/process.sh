# What processes use. $1 PID file or empty  $2 words of the command line or empty  $3 %CPU at most  $4 MiB at most  $5 how many at least
# One line for each: PID, %CPU, MiB, command. Limits of 0 don't count. Resident memory where ps tells it, else virtual.
set -u
list() {
  ps -e -o pid= -o pcpu= -o rss= -o args= 2>/dev/null || ps -e -o pid= -o pcpu= -o vsz= -o args=
}
pid=
[ -z "$1" ] || pid=$(cat -- "$1") || exit 1
list | PID=$pid WORDS=$2 awk -v cpu="$3" -v mib="$4" -v least="$5" -v me="$$" '
  { line = $0; sub(/^ *[0-9]+ +[^ ]+ +[^ ]+ +/, "", line) }
  ENVIRON["PID"] != "" && $1 != ENVIRON["PID"] { next }
  ENVIRON["WORDS"] != "" && !index(line, ENVIRON["WORDS"]) { next }
  $1 == me || (index(line, "set -u") && index(line, " guardia ")) { next }
  {
    n++; used = int($3 / 1024)
    note = (cpu > 0 && $2 + 0 > cpu + 0) ? "  ! CPU" : ""
    if (mib > 0 && used > mib + 0) note = note "  ! memory"
    if (note) bad = 1
    printf "%s %s%% %d MiB %s%s\n", $1, $2, used, substr(line, 1, 120), note
  }
  END { printf "%d processes\n", n; exit bad || n < least + 0 }'
