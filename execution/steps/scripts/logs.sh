# What a log says. $1 log  $2 MiB from its end  $3 how many of the most frequent lines  then texts to count
# Digits count as the same, so that lines that differ in time and number alone are one.
set -u
[ -f "$1" ] || { echo "no such log" >&2; exit 1; }
part() { tail -c "$(($2 * 1048576))" "$1" | tr -d '\000'; }
log=$1 mib=$2 top=$3
shift 3
printf 'lines: %s\n' "$(part "$log" "$mib" | wc -l | tr -d ' ')"
for text do
  printf '%s: %s\n' "$text" "$(part "$log" "$mib" | TEXT=$text awk 'index($0, ENVIRON["TEXT"]) { n++ } END { print n + 0 }')"
done
echo "most frequent:"
part "$log" "$mib" | sed 's/[0-9][0-9]*/N/g' | cut -c1-200 | sort | uniq -c | sort -rn | head -n "$top"
