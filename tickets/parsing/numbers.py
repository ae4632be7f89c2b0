"""Numbers as Koreans say them: 팔천팔십 (8080), 사사삼 (443), 이 (2), 두 번째 (2)."""

import re

_DIGITS = {"영": 0, "공": 0, "일": 1, "이": 2, "삼": 3, "사": 4, "오": 5, "육": 6, "륙": 6, "칠": 7, "팔": 8, "구": 9}
_UNITS = {"십": 10, "백": 100, "천": 1_000}
_TEN_THOUSAND = "만"
_NATIVE = {
    "첫": 1, "한": 1, "하나": 1, "두": 2, "둘": 2, "세": 3, "셋": 3, "네": 4, "넷": 4, "다섯": 5, "여섯": 6,
    "일곱": 7, "여덟": 8, "아홉": 9, "열": 10,
}  # fmt: skip
SINO = "[영공일이삼사오육륙칠팔구십백천만]"
NATIVE = "(?:" + "|".join(sorted(_NATIVE, key=len, reverse=True)) + ")"
_MAX_SPOKEN = 12


def spoken_number(word: str) -> int | None:
    """Return the value of a Sino-Korean or native number word or of digits; None if it is no number."""
    word = word.strip()
    if word.isascii() and word.isdigit():
        return int(word) if len(word) <= _MAX_SPOKEN else None
    if word in _NATIVE:
        return _NATIVE[word]
    if not word or len(word) > _MAX_SPOKEN or not re.fullmatch(SINO + "+", word):
        return None
    if all(char in _DIGITS for char in word):
        return int("".join(str(_DIGITS[char]) for char in word))  # digit by digit, as ports are dictated
    return _positional(word)


def _positional(word: str) -> int | None:
    total = section = digit = 0
    for char in word:
        if char in _DIGITS:
            digit = digit * 10 + _DIGITS[char]
        elif char in _UNITS:
            section += (digit or 1) * _UNITS[char]
            digit = 0
        else:
            total += (section + digit or 1) * 10_000
            section = digit = 0
    return total + section + digit


_LETTERS = {
    "세이프": "safe", "어드민": "admin", "테스트": "test", "유저": "user", "오라클": "oracle", "루트": "root",
    "오퍼": "oper", "게스트": "guest", "매니저": "manager", "데브": "dev", "에스": "s", "에이": "a", "비": "b",
}  # fmt: skip


def spoken_account(words: str) -> str | None:
    """Return the account name of a dictated one ("세이프 이십삼" is safe23); None if a word is unknown."""
    compact = words.replace(" ", "")
    for word, letters in _LETTERS.items():
        if compact.startswith(word):
            rest = compact.removeprefix(word)
            number = spoken_number(rest) if rest else None
            if not rest or number is not None:
                return letters + ("" if number is None else str(number))
    return None
