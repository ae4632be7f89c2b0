"""Makes `generated.txt`, the larger part of the labelled sample: `python -m tests.guardia.masking.make_sample`.

The same seed gives the same lines; another one gives lines that nobody has looked at, which the test measures as well.
"""

import base64
import hashlib
import string
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

SEED, LINES = 20261121, 700
FILE = Path(__file__).with_name("generated.txt")
_ALNUM = string.ascii_letters + string.digits
_FIRST, _LAST = "김이박최정강조윤장임", ("민준", "서연", "도윤", "지우", "하은", "건우")
_DOMAINS = ("moef.go.kr", "korea.kr", "nia.or.kr", "example.co.kr", "mail.busan.go.kr", "naver.com")


def _of(dice: Random, letters: str, least: int, most: int = 0) -> str:
    return "".join(dice.choice(letters) for _ in range(dice.randint(least, most or least)))


def password(dice: Random) -> str:
    """As people and machines choose them: always a sign or digit, nothing that ends a word."""
    word = dice.choice(
        (_of(dice, _ALNUM, 6, 20), dice.choice(("Spring", "guardia", "admin", "Qwer", "busan")) + "2026")
    )
    return word + dice.choice("!@#$%^*+?.-_") + _of(dice, string.digits, 1, 4)


def resident(dice: Random) -> str:
    born = date(1935, 1, 1) + timedelta(days=dice.randrange(33_000))
    is_late, is_foreign = born.year >= 2000, dice.random() < 0.1
    century = dice.choice("34" if is_late else "12") if not is_foreign else dice.choice("78" if is_late else "56")
    return f"{born:%y%m%d}{dice.choice(('-', '-', '-', ''))}{century}{_of(dice, string.digits, 6)}"


def card(dice: Random) -> str:
    digits = dice.choice(("4", "51", "55", "2720", "35", "62", "65", "94")) + _of(dice, string.digits, 15)
    digits = digits[:15]
    total = sum(value if (value := int(digit) * (2 - at % 2)) < 10 else value - 9 for at, digit in enumerate(digits))
    digits += str(-total % 10)
    by = dice.choice(("-", " ", ""))
    return by.join(digits[at : at + 4] for at in range(0, 16, 4))


def phone(dice: Random) -> str:
    by = dice.choice("--. ")
    area = dice.choice(("010", "010", "010", "011", "02", "031", "051", "070", "064"))
    digits = _of(dice, "23456789", 1) + _of(dice, string.digits, 3 if area == "010" else 2), _of(dice, string.digits, 4)
    if area == "010" and dice.random() < 0.3:
        return dice.choice(("010", "+8210", "+82-10-")) + digits[0] + digits[1]
    return by.join((area, *digits))


def email(dice: Random) -> str:
    name = _of(dice, string.ascii_lowercase, 3, 10) + dice.choice(("", ".", "_", "+")) + _of(dice, _ALNUM, 1, 4)
    return f"{name}@{dice.choice(_DOMAINS)}"


def jwt(dice: Random) -> str:
    parts = ('{"alg":"HS256","typ":"JWT"}', f'{{"sub":"{_of(dice, _ALNUM, 8)}","exp":{dice.randrange(2**31)}}}')
    told = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join([*told, _of(dice, _ALNUM + "-_", 43)])


def token(dice: Random) -> str:
    makers: tuple[Callable[[], str], ...] = (
        lambda: jwt(dice),
        lambda: dice.choice(("AKIA", "ASIA")) + _of(dice, string.ascii_uppercase + "234567", 16),
        lambda: dice.choice(("ghp_", "gho_", "ghs_")) + _of(dice, _ALNUM, 36),
        lambda: "github_pat_" + _of(dice, _ALNUM, 22) + "_" + _of(dice, _ALNUM, 59),
        lambda: "glpat-" + _of(dice, _ALNUM + "-_", 20),
        lambda: "xoxb-" + _of(dice, string.digits, 12) + "-" + _of(dice, _ALNUM, 24),
    )
    return dice.choice(makers)()


def session(dice: Random) -> str:
    return _of(dice, "0123456789ABCDEF", 32) + dice.choice(("", ".was01"))


def basic(dice: Random) -> str:
    return base64.b64encode(f"{_of(dice, string.ascii_lowercase, 4, 8)}:{password(dice)}".encode()).decode()


_MAKERS: dict[str, Callable[[Random], str]] = {
    "secret": password,
    "token": token,
    "session": session,
    "authorization": basic,
    "url": lambda dice: _of(dice, _ALNUM + "!$*.-_", 6, 16),
    "rrn": resident,
    "card": card,
    "phone": phone,
    "email": email,
}
_AFTER = ("", "", "", " (10.0.0.7)", " rc=0", " …", " 처리함")


def _sentences(kind: str) -> list[str]:
    rows = (row.split("\t", 1) for row in FILE.with_name("sentences.txt").read_text(encoding="utf-8").splitlines()[1:])
    return [said for of, said in rows if of == kind]


def lines(seed: int, count: int) -> Iterator[str]:
    """`count` labelled lines: three of five hold something."""
    dice = Random(seed)
    said = {kind: _sentences(kind) for kind in (*_MAKERS, "none", "before")}
    befores = [*[""] * 3, *said["before"]]
    for _ in range(count):
        before, after = dice.choice(befores).format(pid=dice.randrange(30_000)), dice.choice(_AFTER)
        if before.startswith("{"):
            after = '"}'
        if dice.random() < 0.6:
            kind = dice.choice(list(_MAKERS))
            sentence = dice.choice(said[kind])
            if before.startswith("{") and '"' in sentence:
                before, after = "", ""
            yield before + sentence.format(f"⟦{kind}|{_MAKERS[kind](dice)}⟧") + after
        else:
            sentence = dice.choice(said["none"])
            if before.startswith("{") and '"' in sentence:
                before, after = "", ""
            yield before + sentence.format(**_noise(dice)) + after


def _noise(dice: Random) -> dict[str, str]:
    digest = hashlib.sha512(dice.randbytes(8)).hexdigest()
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.randrange(30_000_000))
    return {
        "v": f"{dice.randrange(30)}.{dice.randrange(20)}.{dice.randrange(300)}",
        "ip": ".".join(str(dice.randrange(1, 255)) for _ in range(4)),
        "port": str(dice.randrange(1024, 65_536)),
        **{f"hex{size}": digest[:size] for size in (2, 8, 16, 32, 40, 64)},
        "uuid": str(uuid.UUID(digest[:32])),
        "order": f"{moment:%Y%m%d}{dice.randrange(10**8):08}",
        "ms": str(int(moment.timestamp() * 1000)),
        "n": str(dice.randrange(100_000)),
        "big": str(dice.randrange(10**9, 10**12)),
        **{f"n{size}": f"{dice.randrange(10 ** (size - 1), 10**size)}" for size in (2, 3, 4, 5)},
    }


def main() -> None:
    text = "\n".join(lines(SEED, LINES))
    FILE.write_text(
        f"# Made by make_sample.py with seed {SEED}. ⟦kind|value⟧: what must be hidden.\n{text}\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
