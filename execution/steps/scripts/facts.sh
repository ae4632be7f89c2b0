# What this host is like; changes nothing. $1 home  $2 PID file  $3 sudo: ask about it  then what should be there:
# x:PATH a program, d:PATH a folder that can be written (or made), f:PATH a file.   Prints name=value lines.
set -u
pretty=$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release 2>/dev/null | tr -d '"'"'")
[ -n "$pretty" ] || pretty=$(cat /etc/redhat-release 2>/dev/null)
printf 'os=%s\n' "${pretty:-$(uname -sr)}"
printf 'account=%s\n' "$(id -un 2>/dev/null || id | sed 's/^[^(]*(\([^)]*\)).*/\1/')"
pid=$(cat -- "$2" 2>/dev/null)
case $pid in
'' | *[!0-9]*) owner='' args='' ;;
*) owner=$(ps -o user= -p "$pid" 2>/dev/null | tr -d ' ') args=$(ps -o args= -p "$pid" 2>/dev/null | tr '\n' ' ') ;;
esac
[ -n "$owner" ] || owner=$(ls -ld -- "$1" 2>/dev/null | awk '{ print $3; exit }')
printf 'owner=%s\n' "$owner"
printf 'selinux=%s\n' "$(getenforce 2>/dev/null || echo Disabled)"
if [ "$3" = sudo ]; then if sudo -n -l >/dev/null 2>&1; then echo sudo=allowed; else echo sudo=none; fi; fi
shift 3
for want in "$@"; do
  path=${want#?:}
  case $want in
  x:*) if [ -f "$path" ] && [ -x "$path" ]; then is=program; elif [ -e "$path" ]; then is='no program'; else is=missing; fi ;;
  d:*) if [ -d "$path" ]; then if [ -w "$path" ]; then is=folder; else is='not writable'; fi
    elif [ -e "$path" ]; then is='no folder'
    elif [ -d "${path%/*}" ] && [ -w "${path%/*}" ]; then is=folder; else is=missing; fi ;;
  *) if [ -f "$path" ]; then is=file; elif [ -e "$path" ]; then is='no file'; else is=missing; fi ;;
  esac
  printf 'path=%s %s\n' "$is" "$path"
done
printf 'process=%.8000s\n' "$args"
