# A back-up: tar, gzip and the SHA-256 of it. $1 make|is|undo  $2 what (file or folder)  $3 archive (….tar.gz)
set -u
PATH=$PATH:/usr/xpg4/bin
sum() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256 <"$1"
  elif command -v digest >/dev/null 2>&1; then digest -a sha256 <"$1"
  else openssl dgst -sha256 <"$1" | sed 's/.* //'; fi | cut -d' ' -f1
}
case $1 in
make)
  [ -e "$2" ] || { echo "nothing there" >&2; exit 1; }
  top=${2%/*} name=${2##*/}
  need=$(du -sk "$2" | awk '{ print $1 }')
  free=$(df -Pk "${3%/*}" | awk 'NR == 2 { print $4 }')
  [ "$free" -gt "$need" ] || { echo "too little room: $need KiB to keep, $free KiB free" >&2; exit 1; }
  (cd -- "${top:-/}" && tar cf - "./$name") >"$3.part" && tar tf - <"$3.part" >/dev/null || exit 1
  gzip -f -- "$3.part" && gzip -t "$3.part.gz" && mv -f -- "$3.part.gz" "$3" && sum "$3" >"$3.sha256" || exit 1
  printf '%s bytes, SHA-256 %s\n' "$(wc -c <"$3" | tr -d ' ')" "$(cat "$3.sha256")"
  ;;
is) [ -f "$3" ] && [ -f "$3.sha256" ] && [ "$(sum "$3")" = "$(cat "$3.sha256")" ] ;;
undo) rm -f -- "$3" "$3.part" "$3.part.gz" "$3.sha256" ;;
esac
