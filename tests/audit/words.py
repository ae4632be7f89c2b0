"""What entries say, their personal parts opened: for tests that look for words which only the sealed part holds."""

import json
from typing import Any

from audit.models import Entry
from audit.reading import told


def body_of_entry(entry: Entry) -> dict[str, Any]:
    return told([entry])[0].body


def words_of(entry: Entry) -> str:
    return json.dumps(body_of_entry(entry), ensure_ascii=False)
