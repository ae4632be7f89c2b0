# A certificate file before it is installed. $1 certificate (PEM, chain behind it)  $2 private key  $3 days it must still be valid
set -u
mine=$(openssl pkey -in "$2" -pubout -passin pass: 2>/dev/null) || { echo "the private key can't be read" >&2; exit 1; }
its=$(openssl x509 -in "$1" -noout -pubkey 2>/dev/null) || { echo "not a certificate" >&2; exit 1; }
[ "$mine" = "$its" ] || { echo "the key belongs to another certificate" >&2; exit 1; }
openssl x509 -in "$1" -noout -checkend "$(($3 * 86400))" || exit 1
openssl x509 -in "$1" -noout -subject -enddate -serial
