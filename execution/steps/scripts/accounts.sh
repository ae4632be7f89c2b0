# The accounts of a host. $1 days without a log-in that are too many (0: doesn't count)  $2 strict: findings fail the step
# A finding begins with "! ". What this login may not read is said, not guessed.
set -u
bad=
found() { printf '! %s\n' "$*"; bad=yes; }
users=$(getent passwd 2>/dev/null || cat /etc/passwd)
while IFS=: read -r name _ uid _ _ home shell; do
  [ "$uid" != 0 ] || [ "$name" = root ] || found "user ID 0: $name"
  case $shell in */nologin | */false | */sync | */shutdown | */halt) continue ;; esac
  printf '%s %s %s %s\n' "$name" "$uid" "$home" "${shell:-/bin/sh}"
done <<END
$users
END
same=$(printf '%s\n' "$users" | cut -d: -f3 | sort | uniq -d | tr '\n' ' ')
[ -z "$same" ] || found "user IDs held twice: $same"
if [ -r /etc/shadow ]; then
  empty=$(awk -F: '$2 == "" { printf "%s ", $1 }' /etc/shadow)
  [ -z "$empty" ] || found "no password: $empty"
else echo "not looked at: /etc/shadow (not readable)"; fi
if [ "$1" -gt 0 ]; then
  if command -v lastlog >/dev/null 2>&1; then
    idle=$(lastlog -b "$1" 2>/dev/null | awk 'NR > 1 && !/\*\*/ { printf "%s ", $1 }')
    [ -z "$idle" ] || found "no log-in for $1 days: $idle"
  else echo "not looked at: last log-ins (no lastlog)"; fi
fi
printf '%s\n' "$users" | cut -d: -f1 | while IFS= read -r name; do
  home=$(printf '%s\n' "$users" | awk -F: -v n="$name" '$1 == n { print $6; exit }')
  [ ! -r "$home/.ssh/authorized_keys" ] || printf 'SSH keys of %s: %s\n' "$name" "$(grep -c '^[^#]' "$home/.ssh/authorized_keys")"
done
[ "$2" != strict ] || [ -z "$bad" ]
