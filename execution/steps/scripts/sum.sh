# The SHA-256 of a file, with whatever this Unix calls it.
set -u
PATH=$PATH:/usr/xpg4/bin
if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"
elif command -v shasum >/dev/null 2>&1; then shasum -a 256 <"$1"
elif command -v digest >/dev/null 2>&1; then digest -a sha256 <"$1"
elif command -v csum >/dev/null 2>&1; then csum -h SHA256 "$1"
else openssl dgst -sha256 <"$1" | sed 's/.* //'; fi | cut -d' ' -f1
