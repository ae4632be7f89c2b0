# One line of a configuration file. $1 set|is  $2 file  $3 how the line begins now (empty: add it)  $4 the line
# $5 back-up  $6 note that a reload is due (empty: none)  then the command that validates, if there is one
set -u
tab=$(printf '\t')
lines() {
  done=
  while IFS= read -r l || [ -n "$l" ]; do
    i=${l%%[! "$tab"]*}
    t=${l#"$i"}
    is_it=
    if [ -n "$2" ]; then case $t in "$2"*) is_it=yes ;; esac; elif [ "$t" = "$3" ]; then is_it=yes; fi
    if [ -z "$is_it" ]; then printf '%s\n' "$l"
    elif [ -z "$done" ]; then printf '%s\n' "$i$3"; done=yes; fi
  done <"$1"
  [ -n "$done" ] || printf '%s\n' "$3"
}
[ -f "$2" ] && [ ! -L "$2" ] || { echo "not a plain file" >&2; exit 3; }
wanted=$(lines "$2" "$3" "$4")
if [ "$1" = is ]; then [ "$wanted" = "$(cat -- "$2")" ]; exit; fi
mark=$6 file=$2 kept=$5
if [ ! -e "$kept" ]; then cp -p -- "$file" "$kept.part" && mv -f -- "$kept.part" "$kept" || exit 1; fi
[ -z "$mark" ] || : >"$mark" || exit 1
cp -p -- "$file" "$file.guardia-new" && printf '%s\n' "$wanted" >"$file.guardia-new" && mv -f -- "$file.guardia-new" "$file" || exit 1
shift 6
[ $# -eq 0 ] || "$@" || { cp -p -- "$kept" "$file.guardia-new" && mv -f -- "$file.guardia-new" "$file"; exit 4; }
