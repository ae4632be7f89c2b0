# The lines of a file that begin with $2, blanks aside; changes nothing. $1 file  $2 how they begin
set -u
tab=$(printf '\t')
[ -f "$1" ] && [ ! -L "$1" ] || { echo "not a plain file" >&2; exit 3; }
while IFS= read -r l || [ -n "$l" ]; do
  t=${l#"${l%%[! "$tab"]*}"}
  case $t in "$2"*) printf '%s\n' "$l" ;; esac
done <"$1"
