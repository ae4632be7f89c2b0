# How full the file systems are. $1 % that may be used  $2 a folder: only where it lies (empty: all local ones)
set -u
if [ -n "$2" ]; then df -Pk "$2"; else df -Pkl 2>/dev/null || df -Pk; fi | awk -v most="$1" '
  NR == 1 { next }
  $1 ~ /^(tmpfs|devtmpfs|udev|none|proc|swap)$/ { next }
  { used = $5; sub("%", "", used); note = ""; if (used + 0 > most + 0) { note = "  !"; bad = 1 }
    printf "%s %s of %d MiB%s\n", $6, $5, $2 / 1024, note }
  END { exit bad }'
