#!/usr/bin/env bash
# Everything `make check` looks at; runs all of it and fails if any part does.
set -uo pipefail
bin=.venv/bin
failed=()
part() { local name=$1; echo "— $name"; shift; "$@" || failed+=("$name"); }
# mypy and makemigrations read the settings; they need no database server for it.
offline=(env GUARDIA_DATABASE_URL=postgres://nobody@127.0.0.1:1/none GUARDIA_SECRET_KEY=check-only-key-that-signs-nothing-at-all-0123456789)
part "ruff" $bin/ruff check --quiet .
part "format" $bin/ruff format --check --quiet .
part "types" "${offline[@]}" $bin/mypy
part "floors" "${offline[@]}" $bin/lint-imports --no-cache
part "messages" $bin/python tools/messages.py check
part "shape" $bin/python tools/shape.py
part "migrations" $bin/python manage.py makemigrations --check --dry-run -v 0
part "deployment" env GUARDIA_HTTPS=true $bin/python manage.py check --deploy --fail-level WARNING
if [ ${#failed[@]} -gt 0 ]; then
  printf 'check failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "check: all good"
