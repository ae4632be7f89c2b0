# HAProxy's runtime API. $1 was|state|sessions|drain|ready|back  $2 socket (/path or host:port)  $3 backend  $4 server
# back: $5 is what `was` printed (1: it took no new requests even before us, so leave it).
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
case $1 in
sessions) column "$2" "$3" "$4" 5 ;;
state) column "$2" "$3" "$4" 18 ;;
was) state=$(column "$2" "$3" "$4" 18) || exit 1
  case $state in DRAIN* | MAINT*) echo 1 ;; *) echo 0 ;; esac ;;
drain | ready) told "$2" "$3" "$4" "$1" ;;
back) [ "$5" = 1 ] || told "$2" "$3" "$4" ready ;;
esac
