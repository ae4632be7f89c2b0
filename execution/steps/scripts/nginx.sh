# One server of an nginx upstream. $1 what  $2 file with the upstream's lines, with or without their block  $3 host:port
# $4 nginx  $5 for `is`: down|up, for `back`, `is_back`: what `was` printed
# was: a digit for each line of it, 1 down.  others: how many other servers are in use (no backup), in the upstream with
# the fewest.  down, up, back: the file comes back unless nginx agrees with it and begins new workers.
# old_workers: how many still end what they had begun before a reload.
set -u
what=$1 file=$2 peer=$3 nginx=$4 told=${5:-}
# Hidden names: `include folder/*` passes them over. The former file stays there until the new one is in use.
hidden=${file%/*}/.${file##*/}.
held=${hidden}guardia-lock old=$hidden$peer.guardia-old new=$hidden$peer.guardia-new
# nginx' own way to read a file: words, quotes, comments, blocks. Prints the new text, or what was found.
reading='
function ended(  k, at, want, head, is_down, is_backup) {
  at = block[depth]
  if (kind[depth] != "upstream" && depth) return
  if (word[1] == "include") includes = 1
  if (word[1] != "server" || n < 2) return
  for (k = 3; k <= n; k++) { if (word[k] == "down") is_down = 1; if (word[k] == "backup") is_backup = 1 }
  if (word[2] != peer && word[2] ":80" != peer) { if (!is_down && !is_backup) others[at]++; return }
  digits = digits (is_down ? 1 : 0)
  has[at] = 1
  if (!is_down) used[at] = 1
  want = act == "down" ? "1" : act == "up" ? "0" : substr(before, length(digits), 1)
  if (want == "1" && !is_down) { text = text " down"; changes++ }
  if (want == "0" && is_down) changes++
  if (want == "0") for (k = n; k > 2; k--) if (word[k] == "down") {
    head = substr(text, 1, from[k]); sub(/[ \t]$/, "", head)
    text = head substr(text, to[k] + 1)
  }
}
function flush() { if (writes) printf "%s", text; text = ""; n = 0 }
function word_ends(at) { to[n] = at; inside = 0 }
{
  if (NR > 1) { if (inside && !quote) word_ends(length(text)); text = text "\n" }
  if (!n) flush()
  for (i = 1; i <= length($0); i++) {
    c = substr($0, i, 1)
    if (escaped) { escaped = 0; word[n] = word[n] c }
    else if (quote) {
      if (c == quote) { quote = ""; word_ends(length(text) + 1) } else if (c == "\\") escaped = 1; else word[n] = word[n] c
    }
    else if (c == ";" || c == "{" && !(inside && word[n] ~ /\$$/)) {
      if (inside) word_ends(length(text))
      if (c == ";") ended(); else { depth++; kind[depth] = word[1]; block[depth] = ++blocks }
      text = text c; flush(); continue
    }
    else if (c ~ /[ \t\r]/) { if (inside) word_ends(length(text)) }
    else if (!inside && c == "#") { text = text substr($0, i); break }
    else if (!inside && c == "}") {
      if (n || !depth) { bad = 1; exit 3 }
      depth--; text = text c; flush(); continue
    }
    else {
      if (!inside) { inside = 1; n++; word[n] = ""; from[n] = length(text); if (c == "\"" || c == apostrophe) quote = c }
      if (c == "\\") escaped = 1; else if (!quote) word[n] = word[n] c
    }
    text = text c
  }
}
END {
  if (bad || depth || n || inside) exit 3
  if (digits == "") exit includes ? 8 : 9
  if (length(before) != length(digits) && before ~ /0/ && before ~ /1/) exit 7
  if (writes) { printf "%s%s", text, newline; exit }
  for (at in has) if (((at in used) || digits !~ /0/) && (least == "" || others[at] + 0 < least)) least = others[at] + 0
  print digits, least, changes + 0
}'
# $1 down|up|back  $2 for back: what `was` printed  $3 yes: print the new text  $4 how it ends
read_as() {
  LC_ALL=C awk -v act="$1" -v before="$2" -v writes="$3" -v newline="$4" -v peer="$peer" -v apostrophe="'" "$reading" "$file"
  n=$?
  case $n in
  0) ;;
  7) echo "the server's lines are others than before" >&2 ;;
  8) echo "no such server in the upstream, but it includes other files: name the one with it" >&2 ;;
  9) echo "no such server in the upstream" >&2; n=1 ;;
  *) echo "not understood as a configuration of nginx" >&2 ;;
  esac
  return "$n"
}
look() { said=$(read_as "$1" "$2" '' '') || exit $?; }
# The file is what $1 (and $2) would make of it, and in use.
holds() { look "$1" "$2"; [ "${said##* }" = 0 ] && [ ! -e "$old" ]; }
# One edit of this file at a time: several hosts of a wave may be on their way.
hold() {
  n=0
  until mkdir -- "$held" 2>/dev/null; do
    p=$(cat -- "$held/pid" 2>/dev/null)
    if [ -n "$p" ] && ! kill -0 "$p" 2>/dev/null && ! ps -p "$p" >/dev/null 2>&1; then rm -rf -- "$held"; fi
    n=$((n + 1))
    [ "$n" -le 25 ] || { echo "somebody else edits it: $held" >&2; exit 5; }
    sleep 1
  done
  trap 'rm -rf -- "$held" "$new"' EXIT
  echo $$ >"$held/pid"
}
workers() { ps -e -o pid= -o ppid= -o args= 2>/dev/null | awk '$3 == "nginx:" && $4 == "worker" && $5 == "process"'"$1"; }
# All workers of one master are new. Where none could be seen before ($1), nothing can be said.
in_use() {
  [ -n "$1" ] || { sleep 1; return 0; }
  n=0
  while [ "$n" -le 15 ]; do
    workers ' && !/shutting down/' | awk -v before=" $1 " '{ if (index(before, " " $1 " ")) kept[$2] = 1; else begun[$2] = 1 }
      END { for (m in begun) if (!(m in kept)) found = 1; exit !found }' && return 0
    n=$((n + 1))
    sleep 1
  done
  echo "nginx did not take it over; its error log says why" >&2
  return 1
}
edit() {
  hold
  end=''; [ -n "$(tail -c 1 "$file")" ] || end='\n'
  rm -f -- "$old" && cp -p -- "$file" "$old" && cp -p -- "$file" "$new" || exit 1
  read_as "$1" "$2" yes "$end" >"$new" || { n=$?; rm -f -- "$old"; exit "$n"; }
  mv -f -- "$new" "$file" || exit 1
  "$nginx" -t || { mv -f -- "$old" "$file"; exit 4; }
  before=$(echo $(workers ' && !/shutting down/ { print $1 }'))
  "$nginx" -s reload || { mv -f -- "$old" "$file"; exit 6; }
  in_use "$before" || { mv -f -- "$old" "$file"; "$nginx" -s reload; exit 6; }
  rm -f -- "$old"
}
[ ! -L "$file" ] || { echo "a link: name the file itself" >&2; exit 3; }
[ -f "$file" ] && [ -r "$file" ] || { echo "no such file, or not to be read" >&2; exit 3; }
case $what in
was) look back ''; echo "${said%% *}" ;;
others) look back ''; said=${said#* }; echo "${said% *}" ;;
is) holds "$5" '' ;;
is_back) holds back "$5" ;;
down | up) edit "$what" '' ;;
back) edit back "$5" ;;
old_workers) workers ' && /shutting down/ { n++ } END { print n + 0 }' ;;
esac
