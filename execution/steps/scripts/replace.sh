# A whole file. $1 put|back  $2 file  $3 back-up  $4 the new file  $5 note that a reload is due (empty: none)
# then the command that validates, if there is one. The new one takes over mode and owner of the old one.
set -u
put() {
  if [ -e "$2" ]; then cp -p -- "$2" "$2.guardia-new" && cat -- "$1" >"$2.guardia-new"
  else cp -p -- "$1" "$2.guardia-new"; fi && mv -f -- "$2.guardia-new" "$2"
}
case $1 in
put)
  [ -f "$4" ] && [ ! -L "$4" ] && [ ! -L "$2" ] && [ ! -d "$2" ] || { echo "not a plain file" >&2; exit 3; }
  file=$2 kept=$3 new=$4 mark=$5
  if [ ! -e "$kept" ] && [ ! -e "$kept.absent" ]; then
    if [ -e "$file" ]; then cp -p -- "$file" "$kept.part" && mv -f -- "$kept.part" "$kept"; else : >"$kept.absent"; fi || exit 1
  fi
  [ -z "$mark" ] || : >"$mark" || exit 1
  put "$new" "$file" || exit 1
  shift 5
  [ $# -eq 0 ] || "$@" && exit 0
  if [ -e "$kept" ]; then put "$kept" "$file"; else rm -f -- "$file"; fi
  exit 4
  ;;
back)
  if [ -e "$3" ]; then put "$3" "$2" && mv -f -- "$3" "$3.undone" || exit 1; fi
  if [ -e "$3.absent" ]; then rm -f -- "$2" "$3.absent" || exit 1; fi
  ;;
esac
