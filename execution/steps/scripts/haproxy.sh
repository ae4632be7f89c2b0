# HAProxy's runtime API. $1 what  $2 socket (/path or host:port)  $3 backend  $4 server
# was: prints 0 ready, 1 drain, 2 maint, whatever its health is; back, is_back: $5 is what `was` printed.
# others: how many other servers of the backend are in use.  ease: wait at most $5 seconds for its sessions to end.
set -u
say() {
  case $2 in
  /*) unix=$2 host='' port='' ;;
  *) unix='' host=${2%:*} port=${2##*:} ;;
  esac
  if command -v socat >/dev/null 2>&1; then
    if [ -n "$unix" ]; then printf '%s\n' "$1" | socat -t 5 - "UNIX-CONNECT:$unix"
    else printf '%s\n' "$1" | socat -t 5 - "TCP:$host:$port"; fi
  elif [ -n "$unix" ] && nc -h 2>&1 | grep -e '-U' >/dev/null; then printf '%s\n' "$1" | nc -w 5 -U "$unix"
  elif [ -z "$unix" ] && command -v nc >/dev/null 2>&1; then printf '%s\n' "$1" | nc -w 5 "$host" "$port"
  elif command -v perl >/dev/null 2>&1; then
    perl -MIO::Socket::INET -MIO::Socket::UNIX -e '
      my ($line, $unix, $host, $port) = @ARGV; alarm 10;
      my $peer = $unix ne "" ? IO::Socket::UNIX->new(Peer => $unix) : IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port);
      $peer or exit 1; print $peer "$line\n"; $peer->flush; print while <$peer>;' "$1" "$unix" "$host" "$port"
  else
    for p in python3 python; do command -v "$p" >/dev/null 2>&1 && break; p=''; done
    [ -n "$p" ] || { echo "neither socat, nc, perl nor python is here" >&2; return 5; }
    "$p" -c '
import socket, sys
line, unix, host, port = sys.argv[1:5]
peer = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
peer.settimeout(10)
peer.connect(unix if unix else (host, int(port)))
peer.sendall((line + "\n").encode())
while True:
    data = peer.recv(65536)
    if not data: break
    sys.stdout.write(data.decode("utf-8", "replace"))' "$1" "$unix" "$host" "$port"
  fi
}
column() {
  say 'show stat' "$1" | awk -F, -v b="$2" -v s="$3" -v c="$4" '$1 == b && $2 == s { print $c; found = 1 } END { exit !found }'
}
told() {
  out=$(say "set server $2/$3 state $4" "$1") || exit 1
  [ -z "$out" ] || { printf '%s\n' "$out" >&2; exit 1; }
}
# The administrative state by its bits; HAProxy before 1.6 knows only the words.
admin() {
  bits=$(say "show servers state $2" "$1" | awk -v b="$2" -v s="$3" '$2 == b && $4 == s { print $7; exit }')
  case $bits in
  '' | *[!0-9]*) state=$(column "$1" "$2" "$3" 18) || return 1
    case $state in DRAIN*) echo 1 ;; MAINT*) echo 2 ;; *) echo 0 ;; esac ;;
  *) if [ $((bits & 39)) -ne 0 ]; then echo 2; elif [ $((bits & 24)) -ne 0 ]; then echo 1; else echo 0; fi ;;
  esac
}
case $1 in
sessions) column "$2" "$3" "$4" 5 ;;
state) column "$2" "$3" "$4" 18 ;;
was) column "$2" "$3" "$4" 18 >/dev/null && admin "$2" "$3" "$4" ;;
others) say 'show stat' "$2" | awk -F, -v b="$3" -v s="$4" '$1 == b && $2 != s && $2 != "FRONTEND" && $2 != "BACKEND" &&
  ($18 ~ /^UP/ || $18 == "no check") { n++ } END { print n + 0 }' ;;
drain | maint | ready) told "$2" "$3" "$4" "$1" ;;
ease) n=0
  while [ "$n" -lt "$5" ] && [ "$(column "$2" "$3" "$4" 5)" != 0 ]; do sleep 1; n=$((n + 1)); done ;;
is_out) [ "$(admin "$2" "$3" "$4")" = 2 ] ;;
back) case $5 in 0) told "$2" "$3" "$4" ready ;; 1) told "$2" "$3" "$4" drain ;; *) told "$2" "$3" "$4" maint ;; esac ;;
is_back) [ "$(admin "$2" "$3" "$4")" = "$5" ] || exit 1
  [ "$5" != 0 ] || case $(column "$2" "$3" "$4" 18) in UP | UP' '* | 'no check') ;; *) exit 1 ;; esac ;;
esac
