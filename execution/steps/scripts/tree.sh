# The plain files below a folder, each with its SHA-256: `<digest>  ./<name>`; changes nothing. $1 folder
# Links are not followed, other file systems not entered. A folder that isn't there has no files.
set -u
PATH=$PATH:/usr/xpg4/bin
cd -P -- "$1" 2>/dev/null || { [ ! -e "$1" ] && exit 0; echo "not a folder that can be read" >&2; exit 3; }
if command -v sha256sum >/dev/null 2>&1; then find . -xdev -type f -exec sha256sum {} +
elif command -v shasum >/dev/null 2>&1; then find . -xdev -type f -exec shasum -a 256 {} +
else
  find . -xdev -type f -exec sh -c '
    for f do
      d=$(if command -v digest >/dev/null 2>&1; then digest -a sha256 "$f"; else openssl dgst -sha256 <"$f" | sed "s/.* //"; fi)
      printf "%s  %s\n" "$d" "$f"
    done' guardia {} +
fi
