# The log since a moment. $1 log  $2 its size at that moment (a smaller log has been rotated: all of it)
set -u
size=$(wc -c <"$1") || exit 1
if [ "$size" -lt "$2" ]; then head -c 1048576 -- "$1"; else tail -c "+$(($2 + 1))" -- "$1" | head -c 1048576; fi
