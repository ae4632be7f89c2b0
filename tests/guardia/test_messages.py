"""Every text has its Korean, and the tool that says so finds what is missing."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import messages

SMALL = {
    "accounts/words.py": """
        from django.utils.translation import gettext as _now, gettext_lazy as _, npgettext
        HELLO = _("Hello %(name)s")
        LATER = _now("In {minutes} minutes")
        COUNT = npgettext("servers", "%(count)s left", "%(count)s are left", 2)
    """,
    "templates/page.html": """
        {% load i18n %}{% translate "Wave" context "rollout" %} {{ _("Canary")|upper }}
        {% blocktranslate trimmed count count=n %}
            {{ count }} of 100% host{% plural %}{{ count }} of 100% hosts
        {% endblocktranslate %}
        <p title="_('not a text')">gettext('nor this')</p>
    """,
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout whose catalogue is complete."""
    for name, content in SMALL.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(line.strip() for line in content.splitlines()), encoding="utf-8")
    messages.update(tmp_path)
    po = tmp_path / messages.CATALOGUE
    head, body = po.read_text(encoding="utf-8").split("\n\n", 1)
    body = re.sub(r'msgid "(.*)"\nmsgstr ""', r'msgid "\1"\nmsgstr "\1"', body)
    body = re.sub(r'msgid_plural "(.*)"\nmsgstr\[0\] ""', r'msgid_plural "\1"\nmsgstr[0] "\1"', body)
    po.write_text(f"{head}\n\n{body}", encoding="utf-8")
    assert messages.problems_of(tmp_path) == []
    return tmp_path


def edit(root: Path, old: str, new: str) -> None:
    po = root / messages.CATALOGUE
    text = po.read_text(encoding="utf-8")
    assert old in text
    po.write_text(text.replace(old, new), encoding="utf-8")


def run(command: str, root: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, messages.__file__, command, "--root", str(root)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_the_catalogue_of_the_product_is_complete() -> None:
    assert messages.problems_of(messages.ROOT) == []


def test_texts_are_found_in_python_and_in_templates(checkout: Path) -> None:
    assert {(text.context, text.singular, text.plural) for text in messages.texts_of(checkout)} == {
        (None, "Hello %(name)s", None),
        (None, "In {minutes} minutes", None),
        ("servers", "%(count)s left", "%(count)s are left"),
        ("rollout", "Wave", None),
        (None, "Canary", None),
        (None, "%(count)s of 100%% host", "%(count)s of 100%% hosts"),
    }


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('msgstr "Canary"', 'msgstr ""', "no Korean: 'Canary'"),
        ('msgid "Canary"', '#, fuzzy\nmsgid "Canary"', "fuzzy: 'Canary'"),
        ('msgstr "Hello %(name)s"', 'msgstr "Hello %(nam)s"', "placeholders ['%(nam)s'] instead of ['%(name)s']"),
        ('msgstr "Hello %(name)s"', 'msgstr "Hello %(name)"', "placeholders [] instead of ['%(name)s']"),
        ('msgstr "In {minutes} minutes"', 'msgstr "{hours}"', "placeholders ['{hours}'] instead of ['{minutes}']"),
        ('msgstr[0] "%(count)s are left"', 'msgstr[0] "some"', "placeholders [] instead of ['%(count)s']"),
        ('msgid "Canary"\nmsgstr "Canary"', "", "not in the catalogue (make messages): 'Canary'"),
        ('msgid "Canary"', 'msgid "Kanary"', "no longer in the sources (make messages): 'Kanary'"),
    ],
)
def test_each_problem_is_named(checkout: Path, old: str, new: str, problem: str) -> None:
    edit(checkout, old, new)

    assert any(line.startswith(problem) for line in messages.problems_of(checkout))
    done = run("check", checkout)
    assert done.returncode == 1
    assert problem in done.stderr


@pytest.mark.parametrize("command", ["check", "update", "compile"])
def test_a_catalogue_with_the_marks_of_a_merge_is_refused_and_kept(checkout: Path, command: str) -> None:
    edit(checkout, 'msgid "Canary"', '<<<<<<< HEAD\nmsgid "Canary"')
    before = (checkout / messages.CATALOGUE).read_text(encoding="utf-8")
    compiled = (checkout / messages.CATALOGUE).with_suffix(".mo")
    compiled.write_bytes(b"the last good one")

    done = run(command, checkout)

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert (checkout / messages.CATALOGUE).read_text(encoding="utf-8") == before
    assert compiled.read_bytes() == b"the last good one"


def test_an_update_keeps_translations_drops_what_is_gone_and_settles(checkout: Path) -> None:
    edit(checkout, 'msgstr "Canary"', 'msgstr "카나리"')
    (checkout / "accounts/words.py").write_text('from x import gettext as _\nNEW = _("New")\n', encoding="utf-8")

    messages.update(checkout)

    first = (checkout / messages.CATALOGUE).read_text(encoding="utf-8")
    assert 'msgstr "카나리"' in first
    assert "Hello" not in first
    assert messages.problems_of(checkout) == ["no Korean: 'New'"]
    messages.update(checkout)
    assert (checkout / messages.CATALOGUE).read_text(encoding="utf-8") == first


def test_an_error_is_told_in_korean(tmp_path: Path) -> None:
    """Django reads what `compile` wrote."""
    (tmp_path / messages.CATALOGUE).parent.mkdir(parents=True)
    shutil.copy(messages.ROOT / messages.CATALOGUE, tmp_path / messages.CATALOGUE)
    messages.compile_catalogue(tmp_path)
    program = (
        "import django; from django.conf import settings; from django.utils import translation\n"
        f"settings.configure(USE_I18N=True, LANGUAGE_CODE='ko', LOCALE_PATHS=[{str(tmp_path / 'locale')!r}])\n"
        "django.setup(); from guardia.common.errors import StaleState\n"
        "translation.activate('ko'); print(StaleState())\n"
        "translation.activate('en'); print(StaleState())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=messages.ROOT, check=True
    )

    korean, english = done.stdout.splitlines()
    assert korean == "그사이 상태가 바뀌었습니다. 새로 고친 뒤 다시 확인해 주십시오."
    assert english == "The state has changed meanwhile. Reload and look again."
