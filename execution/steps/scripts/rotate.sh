# Rotates one log while its writer goes on. $1 rotate|is|undo  $2 log  $3 what the old part is called
# Copy, then truncate: lines that come between the two are appended to the copy when it is done a second time.
set -u
head_is() {
  size=$(wc -c <"$2" | tr -d ' ')
  [ "$size" -gt 0 ] && head -c "$size" "$1" | cmp -s - "$2"
}
[ -f "$2" ] && [ ! -L "$2" ] || { echo "not a plain file" >&2; exit 3; }
case $1 in
rotate)
  [ ! -e "$3.gz" ] || exit 0
  if [ ! -e "$3" ]; then cp -p -- "$2" "$3.part" && mv -f -- "$3.part" "$3" || exit 1; fi
  if head_is "$2" "$3"; then
    size=$(wc -c <"$3" | tr -d ' ')
    tail -c "+$((size + 1))" -- "$2" >>"$3" && : >"$2" || exit 1
  fi
  gzip -f -- "$3" && wc -c <"$3.gz"
  ;;
is) [ -f "$3.gz" ] && [ ! -e "$3" ] ;;
undo)
  [ ! -f "$3.gz" ] || gzip -d -f -- "$3.gz" || exit 1
  [ -f "$3" ] || exit 0
  if ! head_is "$2" "$3"; then cat -- "$2" >>"$3" && cat -- "$3" >"$2" || exit 1; fi
  rm -f -- "$3"
  ;;
esac
