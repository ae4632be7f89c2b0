# What this host is like; changes nothing. $1 home  $2 PID file  $3 sudo: ask about it  then what should be there:
# x:PATH a program, d:PATH a folder that can be written (or made), f:PATH a file.   Prints name=value lines.
set -u
pretty=''
if [ -r /etc/os-release ]; then
  while IFS='=' read -r name value; do
    if [ "$name" = PRETTY_NAME ]; then pretty=$value; fi
  done < /etc/os-release
  pretty=${pretty#[\"\']} pretty=${pretty%[\"\']}
fi
if [ -z "$pretty" ] && [ -r /etc/redhat-release ]; then read -r pretty < /etc/redhat-release; fi
printf 'os=%s\n' "${pretty:-$(uname -sr)}"
printf 'account=%s\n' "$(id -un 2>/dev/null || id | sed 's/^[^(]*(\([^)]*\)).*/\1/')"
owner_of() { ls -ld -- "$1" 2>/dev/null | { read -r mode links who rest; printf '%s' "$who"; }; }
pid='' owner='' args=''
{ read -r pid < "$2"; } 2>/dev/null
case $pid in
'' | *[!0-9]*) ;;
*) # ps reads all of /proc, which costs ten times as much
  if [ -r "/proc/$pid/cmdline" ]; then owner=$(owner_of "/proc/$pid") args=$(tr '\0\n' '  ' < "/proc/$pid/cmdline" 2>/dev/null)
  else owner=$(ps -o user= -p "$pid" 2>/dev/null | tr -d ' ') args=$(ps -o args= -p "$pid" 2>/dev/null | tr '\n' ' ')
  fi ;;
esac
[ -n "$owner" ] || owner=$(owner_of "$1")
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
