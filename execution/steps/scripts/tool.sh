# Runs a text with the first interpreter that is here. $1 the text  $2 interpreters, divided by commas  then its arguments
text=$1 tools=$2
shift 2
IFS=,
for tool in $tools; do
  unset IFS
  command -v "$tool" >/dev/null 2>&1 && exec "$tool" -c "$text" "$@"
done
echo "none of these is here: $tools" >&2
exit 127
