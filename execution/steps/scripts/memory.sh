# Memory and swap. $1 MiB that must be free  $2 % of swap that may be used  (0: doesn't count)
set -u
if [ -r /proc/meminfo ]; then
  awk -v free="$1" -v swap="$2" '
    { v[$1] = $2 }
    END {
      a = ("MemAvailable:" in v) ? v["MemAvailable:"] : v["MemFree:"] + v["Buffers:"] + v["Cached:"]
      t = v["SwapTotal:"]; u = t > 0 ? int((t - v["SwapFree:"]) * 100 / t) : 0
      printf "total %d MiB, available %d MiB, swap used %d%%\n", v["MemTotal:"] / 1024, a / 1024, u
      exit (free > 0 && a / 1024 < free + 0) || (swap > 0 && u > swap + 0)
    }' /proc/meminfo || bad=1
else
  vmstat 1 2 || bad=1
fi
echo "largest:"
{ ps -e -o rss= -o pid= -o args= 2>/dev/null || ps -e -o vsz= -o pid= -o args=; } | sort -rn | head -n 5 | cut -c1-160
exit "${bad:-0}"
