# One server of an nginx upstream. $1 was|is|down|up|back  $2 file with the upstream's lines  $3 address as written there
# $4 nginx  $5 for `is`: down|up, for `back`: what `was` printed (1: it was down even before us, so leave it)
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
edit() {
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
back) [ "$5" = 1 ] || edit "$2" "$3" up "$4" ;;
esac
