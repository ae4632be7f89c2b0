"""The Korean catalogue: `messages.py update | check | compile`, without the gettext programs.

update   take every text of the sources into locale/ko, keep translations, drop what is gone
check    exit 1 and name each missing or fuzzy text, each wrong placeholder, each text the catalogue doesn't know
compile  django.po → django.mo (which git ignores)
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SOURCES = (
    "accounts", "audit", "cmdb", "notifications", "tickets", "governance", "execution", "guardia",
    "templates", "locale",
)  # fmt: skip
CATALOGUE = Path("locale/ko/LC_MESSAGES/django.po")
HEADER = """\
# Korean texts of Guardia. `make messages` adds what is new; translate it here; `make check` says what is left.
msgid ""
msgstr ""
"Language: ko\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""
#: Which arguments of each function are what, as Babel writes it ((1, "c"): the first is the context).
_FUNCTIONS = {"gettext": (1,), "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3)}
_KEYWORDS = {"_": (1,)} | {name + end: spec for name, spec in _FUNCTIONS.items() for end in ("", "_lazy", "_noop")}
_ALIAS = re.compile(r"\b(n?p?gettext(?:_lazy|_noop)?) as (\w+)")
_STRING = r"u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")"
_CALL = re.compile(rf"(?<!\w)(n?p?gettext|_)\(\s*({_STRING}(?:\s*,\s*{_STRING})*)")
_PLACEHOLDER = re.compile(r"%\(\w+\)[sdf]|\{\w*\}")


@dataclass(frozen=True, slots=True)
class Text:
    """One text of the sources; `plural` and `context` are None when it has none."""

    singular: str
    plural: str | None
    context: str | None


def texts_of(root: Path) -> dict[Text, list[str]]:
    """Every text under `root` with the files that use it, both in a stable order."""
    found: dict[Text, set[str]] = {}
    for path in sorted(path for folder in SOURCES for path in (root / folder).rglob("*") if path.is_file()):
        name = path.relative_to(root).as_posix()
        for text in _texts_in(path):
            found.setdefault(text, set()).add(name)
    return {text: sorted(files) for text, files in sorted(found.items(), key=lambda item: sorted(item[1]))}


def _texts_in(path: Path) -> Iterator[Text]:
    if path.suffix == ".py" and "migrations" not in path.parts:
        keywords = dict(_KEYWORDS)
        for function, alias in _ALIAS.findall(path.read_text(encoding="utf-8")):
            keywords[alias] = _KEYWORDS[function]
        with path.open("rb") as file:
            for _line, message, _comments, context in extract("python", file, keywords=keywords):
                singular, plural = message if isinstance(message, tuple) else (message, None)
                yield Text(singular, plural, context)
    elif path.suffix in {".html", ".txt"}:
        # What Django makes of a template is no Python that parses, but its calls with literal texts can be read.
        for function, literals in _CALL.findall(templatize(path.read_text(encoding="utf-8"), origin=str(path))):
            parts: list[str] = list(ast.literal_eval(f"[{literals}]"))
            context = parts.pop(0) if function.startswith(("pg", "npg")) else None
            yield Text(parts[0], parts[1] if function.startswith("n") else None, context)


def read_catalogue(root: Path) -> Catalog:
    """The catalogue as it is; an empty one where there is none. Raises PoFileError for a broken one."""
    path = root / CATALOGUE
    if not path.is_file():
        return Catalog(locale="ko")
    with path.open("rb") as file:
        return read_po(file, locale="ko", abort_invalid=True)


def update(root: Path) -> None:
    """Write the catalogue anew: the texts of the sources with the translations there were."""
    old, new = read_catalogue(root), Catalog(locale="ko")
    for text, files in texts_of(root).items():
        known = old.get(text.singular, text.context)
        is_same = known is not None and _plural_of(known) == text.plural
        new.add(
            text.singular if text.plural is None else (text.singular, text.plural),
            known.string if known is not None and is_same else None,
            locations=[(name, 0) for name in files],
            flags=known.flags & {"fuzzy"} if known is not None and is_same else (),
            user_comments=known.user_comments if known is not None else (),
            context=text.context,
        )
    body = BytesIO()
    write_po(body, new, omit_header=True, include_lineno=False, width=118)
    path = root / CATALOGUE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + body.getvalue().decode("utf-8").strip() + "\n", encoding="utf-8")


def problems_of(root: Path) -> list[str]:
    """What is wrong with the catalogue, one line each."""
    catalogue = read_catalogue(root)
    known = {_text_of(message): message for message in catalogue if message.id}
    wanted = texts_of(root)
    problems = [f"not in the catalogue (make messages): {_show(text)}" for text in wanted if text not in known]
    problems += [f"no longer in the sources (make messages): {_show(text)}" for text in known if text not in wanted]
    for text, message in known.items():
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if not all(strings):
            problems.append(f"no Korean: {_show(text)}")
        elif message.fuzzy:
            problems.append(f"fuzzy: {_show(text)}")
        expected = sorted(set(_PLACEHOLDER.findall(text.plural or text.singular)))
        problems += [
            f"placeholders {_placeholders(string)} instead of {expected}: {_show(text)}"
            for string in strings
            if string and _placeholders(string) != expected
        ]
    return problems


def compile_catalogue(root: Path) -> None:
    """django.po → django.mo beside it."""
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(root))
    (root / CATALOGUE).with_suffix(".mo").write_bytes(compiled.getvalue())


def _placeholders(text: str) -> list[str]:
    return sorted(set(_PLACEHOLDER.findall(text)))


def _plural_of(message: Message) -> str | None:
    return message.id[1] if isinstance(message.id, tuple | list) else None


def _text_of(message: Message) -> Text:
    singular = message.id[0] if isinstance(message.id, tuple | list) else message.id
    return Text(singular, _plural_of(message), message.context)


def _show(text: Text) -> str:
    return f"{text.context + ' | ' if text.context else ''}{text.singular!r}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["update", "check", "compile"])
    parser.add_argument("--root", type=Path, default=ROOT, help="another checkout")
    arguments = parser.parse_args()
    try:
        return _run(arguments.command, arguments.root)
    except PoFileError as error:
        print(f"{CATALOGUE}: {error.args[0]}", file=sys.stderr)
        return 1


def _run(command: str, root: Path) -> int:
    if command == "compile":
        compile_catalogue(root)
        return 0
    if command == "update":
        update(root)
        return 0
    problems = problems_of(root)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print(f"{len(problems)} problems in {CATALOGUE}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
