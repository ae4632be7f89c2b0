# A tree of static files. $1 apply|is|undo  $2 archive (tar)  $3 stage  $4 root  $5 kept  $6 yes: take away what isn't in it
# Kept: old/ has the files as they were, `new` names those that weren't there. Links in the root are never followed.
set -u
root=$(cd -P -- "$4" && pwd -P) || { echo "the root isn't there" >&2; exit 3; }
[ "$root" != / ] || exit 3
for side in "$3" "$5"; do
  case $side/ in "$root"/* | "$4"/*) echo "work folders must lie outside of the root" >&2; exit 3 ;; esac
done
each='
mode=$1 root=$2 kept=$3; shift 3
keep() {
  [ -f "$kept/old/$1" ] && return 0
  mkdir -p -- "$kept/old/$1.d" && rmdir -- "$kept/old/$1.d" && cp -p -- "$root/$1" "$kept/part" && mv -f -- "$kept/part" "$kept/old/$1"
}
for f do
  r=${f#./} t=$root/${f#./}
  d=${t%/*}
  while [ ! -d "$d" ]; do d=${d%/*}; done
  case $(cd -P -- "$d" && pwd -P)/ in "$root"/*) ;; *) echo "a link leads out of the root: $r" >&2; exit 3 ;; esac
  if [ -L "$t" ] || { [ -e "$t" ] && [ ! -f "$t" ]; }; then echo "not a plain file: $r" >&2; exit 3; fi
  [ "$mode" = check ] && continue
  cmp -s "$f" "$t" && continue
  [ "$mode" = is ] && exit 1
  mkdir -p -- "${t%/*}" || exit 1
  if [ -f "$t" ]; then keep "$r" && cp -p -- "$t" "$t.guardia-new" || exit 1; echo "changed $r"
  else printf "%s\n" "$r" >>"$kept/new"; echo "new $r"; fi
  cat "$f" >"$t.guardia-new" && mv -f -- "$t.guardia-new" "$t" || exit 1
done'
extra='
mode=$1 root=$2 kept=$3 stage=$4; shift 4
for f do
  r=${f#./}
  [ -e "$stage/$r" ] && continue
  [ "$mode" = is ] && exit 1
  mkdir -p -- "$kept/old/$r.d" && rmdir -- "$kept/old/$r.d" && cp -p -- "$root/$r" "$kept/part" || exit 1
  mv -f -- "$kept/part" "$kept/old/$r" && rm -f -- "$root/$r" || exit 1
  echo "gone $r"
done'
back='
kept=$1 root=$2; shift 2
for f do
  r=${f#./}
  mkdir -p -- "$root/$r.d" && rmdir -- "$root/$r.d" || exit 1
  cp -p -- "$f" "$root/$r.guardia-new" && mv -f -- "$root/$r.guardia-new" "$root/$r" || exit 1
done'
over() {
  (cd -- "$1" && shift && find . -type f -exec sh -c "$@" {} +)
}
case $1 in
apply)
  mkdir -p -- "$5/old" || exit 1
  if [ ! -d "$3" ]; then
    rm -rf -- "$3.part" && mkdir -p -- "$3.part" && (cd -- "$3.part" && tar xf -) <"$2" && mv -- "$3.part" "$3" || exit 1
  fi
  over "$3" "$each" guardia check "$root" "$5" && over "$3" "$each" guardia apply "$root" "$5" || exit 1
  [ "$6" != yes ] || over "$root" "$extra" guardia apply "$root" "$5" "$3"
  ;;
is)
  [ -d "$3" ] && over "$3" "$each" guardia is "$root" "$5" || exit 1
  [ "$6" != yes ] || over "$root" "$extra" guardia is "$root" "$5" "$3"
  ;;
undo)
  [ ! -d "$5/old" ] || over "$5/old" "$back" guardia "$5" "$root" || exit 1
  if [ -f "$5/new" ]; then
    while IFS= read -r r; do rm -f -- "$root/$r" || exit 1; done <"$5/new" || exit 1
  fi
  rm -rf -- "$5" "$3" "$3.part"
  ;;
esac
