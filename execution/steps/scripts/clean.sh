# Files by age into a trash, from where they can come back. $1 count|move|is|restore|purge  $2 folder  $3 trash  $4 days
# $5 names (a pattern as for find)  then the folders it must lie in. Links are not followed and not touched.
# purge: takes away the trashes in the folder $3 that were filled more than $4 days ago, as the note beside each says.
set -u
act=$1 from=$2 trash=$3 days=$4 names=$5
shift 5
inside() {
  for top do
    top=$(cd -P -- "$top" 2>/dev/null && pwd -P) || continue
    [ "$top" != / ] || continue
    case $real in "$top" | "$top"/*) return 0 ;; esac
  done
  return 1
}
total() { awk '$1 == "failed" { bad = 1; next } { n++; s += $1 } END { printf "%d files, %d bytes\n", n, s; exit bad }'; }
sizes='for f do wc -c <"$f"; done'
move='
from=$1 trash=$2; shift 2
for f do
  r=${f#"$from"/}
  t=$trash/$r
  mkdir -p -- "$t.d" && rmdir -- "$t.d" || exit 1
  [ -e "$t" ] && t=$t.$$
  n=$(wc -c <"$f") && mv -- "$f" "$t" && echo "$n" || exit 1
done'
back='
from=$1 trash=$2; shift 2
for f do
  r=${f#"$trash"/}
  t=$from/$r
  mkdir -p -- "$t.d" && rmdir -- "$t.d" || exit 1
  if [ -e "$t" ] || [ -L "$t" ]; then echo "is there again, left in the trash: $r" >&2; continue; fi
  n=$(wc -c <"$f") && mv -- "$f" "$t" && echo "$n" || exit 1
done'
purge='
for f do n=$(wc -c <"$f") && rm -f -- "$f" && echo "$n" || exit 1; done'
if [ "$act" = purge ]; then
  [ -d "$trash" ] && [ ! -L "$trash" ] || exit 0
  for note in "$trash"/*.moved; do
    [ -f "$note" ] && [ ! -L "$note" ] && [ -n "$(find "$note" -mtime "+$days")" ] || continue
    one=${note%.moved}
    if [ -d "$one" ] && [ ! -L "$one" ]; then find "$one" -type f -exec sh -c "$purge" guardia {} + || echo failed; fi
    rm -f -- "$note"
  done | total
  exit
fi
[ ! -L "$from" ] && real=$(cd -P -- "$from" && pwd -P) || { echo "no such folder" >&2; exit 3; }
inside "$@" || { echo "outside of the folders where this is allowed" >&2; exit 3; }
case $trash/ in "$real"/* | "$from"/*) echo "the trash must lie outside of the folder" >&2; exit 3 ;; esac
case $act in
count) find "$real" -xdev -type f -name "$names" -mtime "+$days" -exec sh -c "$sizes" guardia {} + | total ;;
move)
  mkdir -p -- "$trash" && : >"$trash.moved" || exit 1
  { find "$real" -xdev -type f -name "$names" -mtime "+$days" -exec sh -c "$move" guardia "$real" "$trash" {} + || echo failed; } | total
  ;;
is) [ -z "$(find "$real" -xdev -type f -name "$names" -mtime "+$days" -exec sh -c 'echo left' guardia {} +)" ] ;;
restore)
  [ -d "$trash" ] || exit 0
  { find "$trash" -type f -exec sh -c "$back" guardia "$real" "$trash" {} + || echo failed; } | total
  ;;
esac
