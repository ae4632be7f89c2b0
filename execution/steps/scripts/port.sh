# A port in the firewall, now and after a reboot. $1 bits|open|close|undo_open|undo_close  $2 auto|firewalld|nftables|iptables
# $3 port  $4 tcp|udp  $5 source (empty: any)  $6 mark  $7 file of persistent rules (empty: the usual)  $8 undo_…: bits before
# Bits: 1 open now, 2 open after a reboot.
set -u
PATH=$PATH:/usr/sbin:/sbin
S=
[ "$(id -u)" = 0 ] || S='sudo -n'
act=$1 tool=$2 port=$3 proto=$4 source=$5 mark=guardia:$6: file=$7 before=${8:-0}
has() { command -v "$1" >/dev/null 2>&1; }
usual() { for f do [ -f "$f" ] && echo "$f" && return; done; }
if [ "$tool" = auto ]; then
  if has firewall-cmd && $S firewall-cmd --state >/dev/null 2>&1; then tool=firewalld
  elif has nft && [ -n "$(usual /etc/nftables.conf /etc/sysconfig/nftables.conf)" ] && $S nft list ruleset 2>/dev/null | grep 'hook input' >/dev/null; then tool=nftables
  elif has iptables; then tool=iptables
  else echo "no firewall that we know" >&2; exit 5; fi
fi
case $tool in
firewalld)
  rule=--X-port=$port/$proto
  case $source in
  '') ;;
  *:*) rule="--X-rich-rule=rule family=\"ipv6\" source address=\"$source\" port port=\"$port\" protocol=\"$proto\" accept" ;;
  *) rule="--X-rich-rule=rule family=\"ipv4\" source address=\"$source\" port port=\"$port\" protocol=\"$proto\" accept" ;;
  esac
  fw() { what=$1; shift; $S firewall-cmd -q "$@" "--$what${rule#--X}"; }
  bit() { if [ "$1" = 1 ]; then fw query; else fw query --permanent; fi; }
  add() { if [ "$1" = 1 ]; then fw add; else fw add --permanent; fi; }
  del() { if [ "$1" = 1 ]; then fw remove; else fw remove --permanent; fi; }
  ;;
nftables)
  [ -n "$file" ] || file=$(usual /etc/nftables.conf /etc/sysconfig/nftables.conf)
  chain=$($S nft list ruleset | awk '$1 == "table" { t = $2 " " $3 } $1 == "chain" { c = $2 } /type filter hook input/ { print t " " c; exit }')
  [ -n "$chain" ] || { echo "no input chain" >&2; exit 5; }
  from=
  case $source in '') ;; *:*) from="ip6 saddr $source" ;; *) from="ip saddr $source" ;; esac
  line="insert rule $chain $from $proto dport $port accept comment \"$mark\""
  bit() { if [ "$1" = 1 ]; then $S nft list chain $chain | grep -F "\"$mark\"" >/dev/null; else $S grep -F "\"$mark\"" "$file" >/dev/null; fi; }
  add() { if [ "$1" = 1 ]; then $S nft "$line"; else printf '%s\n' "$line" | $S tee -a "$file" >/dev/null; fi; }
  del() {
    if [ "$1" = 1 ]; then
      $S nft -a list chain $chain | grep -F "\"$mark\"" | while read -r l; do $S nft delete rule $chain handle "${l##*handle }" || exit 1; done
    else kept=$($S grep -v -F "\"$mark\"" "$file"); printf '%s\n' "$kept" | $S tee "$file" >/dev/null; fi
  }
  ;;
iptables)
  [ -n "$file" ] || file=$(usual /etc/iptables/rules.v4 /etc/sysconfig/iptables)
  rule="-p $proto${source:+ -s $source} --dport $port -m comment --comment $mark -j ACCEPT"
  bit() { if [ "$1" = 1 ]; then $S iptables-save | grep -F "$mark" >/dev/null; else [ -n "$file" ] && $S grep -F "$mark" "$file" >/dev/null; fi; }
  add() {
    if [ "$1" = 1 ]; then $S iptables -I INPUT $rule; return; fi
    [ -n "$file" ] || { echo "no file of persistent rules" >&2; return 5; }
    new=$($S awk -v r="-A INPUT $rule" '/^\*filter/ { f = 1 } f && !d && (/^-A INPUT/ || /^COMMIT/) { print r; d = 1 } { print }' "$file")
    printf '%s\n' "$new" | $S tee "$file" >/dev/null
  }
  del() {
    if [ "$1" = 1 ]; then $S iptables -D INPUT $rule; else kept=$($S grep -v -F "$mark" "$file"); printf '%s\n' "$kept" | $S tee "$file" >/dev/null; fi
  }
  ;;
esac
state() {
  n=0
  bit 1 && n=1
  bit 2 && n=$((n + 2))
  echo "$n"
}
each() {
  for b in 1 2; do
    [ "$2" = all ] || { case $2:$b in 3:* | 1:1 | 2:2) [ "$3" = set ] || continue ;; *) [ "$3" = unset ] || continue ;; esac; }
    if [ "$1" = add ]; then bit "$b" || add "$b" || exit 1; else ! bit "$b" || del "$b" || exit 1; fi
  done
}
case $act in
bits) state ;;
open) each add all ;;
close) each del all ;;
undo_open) each del "$before" unset ;;
undo_close) each add "$before" set ;;
esac
