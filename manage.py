#!/usr/bin/env python
"""Guardia's commands: `manage.py help` lists them. Without GUARDIA_DATABASE_URL the embedded database is used."""

import os
import sys

from django.core.management import execute_from_command_line

from guardia.embedded.exceptions import EmbeddedError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardia.settings")
    try:
        execute_from_command_line(sys.argv)
    except EmbeddedError as error:
        sys.exit(f"guardia: the embedded database can't be used: {error}")


if __name__ == "__main__":
    main()
