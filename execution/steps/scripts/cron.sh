# One job of the login's crontab. $1 set|drop|is|gone|undo  $2 crontab  $3 mark  $4 line  $5 back-up
# The job is the line behind the comment with our mark; `drop` and `gone` also know it by the line alone.
set -u
now=$("$2" -l 2>/dev/null) || now=
others() {
  skip=
  printf '%s\n' "$now" | while IFS= read -r l; do
    if [ "$l" = "# $1" ]; then skip=yes; continue; fi
    if [ -n "$skip" ]; then skip=; continue; fi
    [ -n "$2" ] && [ "$l" = "$2" ] && continue
    printf '%s\n' "$l"
  done
}
ours() {
  take=
  while IFS= read -r l || [ -n "$l" ]; do
    if [ "$l" = "# $1" ]; then take=yes; printf '%s\n' "$l"; continue; fi
    if [ -n "$take" ] || { [ -n "$2" ] && [ "$l" = "$2" ]; }; then printf '%s\n' "$l"; fi
    take=
  done
}
install() {
  "$1" "$2" && rm -f -- "$2"
}
case $1 in
is) [ "$(printf '%s\n' "$now" | ours "$3" '')" = "# $3
$4" ] ;;
gone) [ -z "$(printf '%s\n' "$now" | ours "$3" "$4")" ] ;;
set | drop)
  if [ ! -f "$5" ]; then printf '%s\n' "$now" >"$5.part" && mv -f -- "$5.part" "$5" || exit 1; fi
  if [ "$1" = set ]; then others "$3" '' >"$5.new" && printf '# %s\n%s\n' "$3" "$4" >>"$5.new"; else others "$3" "$4" >"$5.new"; fi || exit 1
  install "$2" "$5.new"
  ;;
undo)
  [ -f "$5" ] || exit 0
  { others "$3" "$4" && ours "$3" "$4" <"$5"; } >"$5.new" || exit 1
  install "$2" "$5.new" && mv -f -- "$5" "$5.undone"
  ;;
esac
