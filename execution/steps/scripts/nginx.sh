# One server of an nginx upstream. $1 what  $2 file with the upstream's lines  $3 address as written there
# $4 nginx  $5 for `is`: down|up, for `back`, `is_back`: what `was` printed (1: it was down even before us, so leave it)
# others: how many other servers aren't down.  old_workers: how many still end what they had begun before a reload.
set -u
tab=$(printf '\t')
line_state() {
  state=
  while IFS= read -r l || [ -n "$l" ]; do
    t=${l#"${l%%[! "$tab"]*}"}
    case $t in "server $1;"* | "server $1 "*) case $t in *" down;"* | *" down "*) state=down ;; *) state=up ;; esac ;; esac
  done <"$2"
  [ -n "$state" ]
}
# One edit of this file at a time: several hosts of a wave may be on their way.
hold() {
  n=0
  until mkdir -- "$1.guardia-lock" 2>/dev/null; do
    p=$(cat -- "$1.guardia-lock/pid" 2>/dev/null)
    if [ -n "$p" ] && ! kill -0 "$p" 2>/dev/null && ! ps -p "$p" >/dev/null 2>&1; then rm -rf -- "$1.guardia-lock"; fi
    n=$((n + 1))
    [ "$n" -le 25 ] || { echo "somebody else edits it" >&2; exit 5; }
    sleep 1
  done
  trap 'rm -rf -- "$held"' EXIT
  held=$1.guardia-lock
  echo $$ >"$held/pid"
}
edit() {
  hold "$1"
  [ -f "$1" ] && [ ! -L "$1" ] || { echo "not a plain file" >&2; exit 3; }
  rm -f -- "$1.guardia-old" && cp -p -- "$1" "$1.guardia-old" && cp -p -- "$1" "$1.guardia-new" || exit 1
  while IFS= read -r l || [ -n "$l" ]; do
    t=${l#"${l%%[! "$tab"]*}"}
    case $t in
    "server $2;"* | "server $2 "*)
      case $3:$t in
      down:*" down;"* | down:*" down "*) ;;
      down:*) l=${l%%;*}" down;"${l#*;} ;;
      up:*" down;"*) l=${l%%" down;"*}";"${l#*" down;"} ;;
      up:*" down "*) l=${l%%" down "*}" "${l#*" down "} ;;
      esac ;;
    esac
    printf '%s\n' "$l"
  done <"$1" >"$1.guardia-new"
  mv -f -- "$1.guardia-new" "$1" || exit 1
  if ! "$4" -t; then mv -f -- "$1.guardia-old" "$1"; exit 4; fi
  rm -f -- "$1.guardia-old"
  "$4" -s reload
}
line_state "$3" "$2" || { echo "no such server in the upstream" >&2; exit 1; }
case $1 in
was) if [ "$state" = down ]; then echo 1; else echo 0; fi ;;
is) [ "$state" = "$5" ] ;;
down | up) edit "$2" "$3" "$1" "$4" ;;
others) n=0
  while IFS= read -r l || [ -n "$l" ]; do
    t=${l#"${l%%[! "$tab"]*}"}
    case $t in "server $3;"* | "server $3 "*) ;; "server "*) case $t in *" down;"* | *" down "*) ;; *) n=$((n + 1)) ;; esac ;; esac
  done <"$2"
  echo "$n" ;;
old_workers) sleep 1 # the reload is told to the master, which tells them
  ps -ef 2>/dev/null | awk '/nginx: worker process is shutting down/ && !/awk/ { n++ } END { print n + 0 }' ;;
is_back) if [ "$5" = 1 ]; then [ "$state" = down ]; else [ "$state" = up ]; fi ;;
back) [ "$5" = 1 ] || edit "$2" "$3" up "$4" ;;
esac
