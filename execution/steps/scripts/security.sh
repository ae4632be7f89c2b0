# A look at what attackers look at. $1 the application's folder  $2 strict: findings fail the step. A finding begins with "! ".
set -u
PATH=$PATH:/usr/sbin:/sbin
bad=
found() { printf '! %s\n' "$*"; bad=yes; }
passed() { printf 'ok %s\n' "$*"; }
for f in /etc/ssh/sshd_config; do
  if [ -r "$f" ]; then
    if grep -i '^[[:space:]]*PermitRootLogin[[:space:]]*yes' "$f" >/dev/null; then found "root may log in by SSH"; else passed "root log-in by SSH"; fi
    if grep -i '^[[:space:]]*PermitEmptyPasswords[[:space:]]*yes' "$f" >/dev/null; then found "SSH takes empty passwords"; else passed "empty passwords in SSH"; fi
  else echo "not looked at: $f (not readable)"; fi
done
for f in /etc/passwd /etc/shadow /etc/group /etc/crontab; do
  [ -e "$f" ] || continue
  if [ "$(ls -ldL "$f" | cut -c9)" = w ]; then found "others may write $f"; else passed "rights of $f"; fi
done
[ "$(ls -ldL /etc/shadow 2>/dev/null | cut -c8)" != r ] || found "everybody may read /etc/shadow"
open=$({ ss -ltn 2>/dev/null || netstat -an 2>/dev/null; } | awk '/LISTEN/ { n = split($4, a, /[.:]/); print a[n] }' | sort -nu)
for p in 21 23 512 513 514; do
  if printf '%s\n' "$open" | grep -x "$p" >/dev/null; then found "port $p listens (FTP, Telnet or an r-service)"; fi
done
printf 'listening ports: %s\n' "$(printf '%s\n' "$open" | tr '\n' ' ')"
n=$(find "$1" -xdev -type f -perm -0002 -exec sh -c 'for f do echo x; done' guardia {} + 2>/dev/null | wc -l | tr -d ' ')
if [ "$n" -gt 0 ]; then found "$n files that anybody may write below $1"; else passed "files anybody may write"; fi
n=$(find "$1" -xdev -type f \( -perm -4000 -o -perm -2000 \) -exec sh -c 'for f do echo x; done' guardia {} + 2>/dev/null | wc -l | tr -d ' ')
if [ "$n" -gt 0 ]; then found "$n files with set-user-ID or set-group-ID below $1"; else passed "set-user-ID files"; fi
n=$(find "$1" -xdev -type f \( -name '*.jsp' -o -name '*.jspx' -o -name '*.php' \) -mtime -7 -exec sh -c 'for f do echo x; done' guardia {} + 2>/dev/null | wc -l | tr -d ' ')
if [ "$n" -gt 0 ]; then found "$n pages with code changed in the last 7 days below $1"; else passed "pages with code changed lately"; fi
[ "$2" != strict ] || [ -z "$bad" ]
