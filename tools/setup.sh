#!/usr/bin/env bash
# Makes .venv from the lock file $1; every file is checked against its hash.
set -euo pipefail
lock=$1
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Guardia needs Python 3.11 or newer; $("$python" --version) is here. Name another: make PYTHON=python3.12 ..." >&2
  exit 1
}
if [ ! -x .venv/bin/python ]; then
  if ! "$python" -m venv .venv 2>/dev/null; then
    rm -rf .venv
    # Debian ships venv's pip in a package of its own; any pip will do to fill an empty environment.
    "$python" -m venv --without-pip .venv
  fi
fi
if .venv/bin/python -m pip --version >/dev/null 2>&1; then
  pip=(.venv/bin/python -m pip)
elif "$python" -m pip --version >/dev/null 2>&1; then
  pip=("$python" -m pip --python .venv/bin/python)
else
  echo "There is no pip. On Debian: apt-get install python3-venv" >&2
  exit 1
fi
echo "Installing $(grep -c '==' "$lock") packages from $lock ..."
"${pip[@]}" install --quiet --disable-pip-version-check --require-hashes -r "$lock"
