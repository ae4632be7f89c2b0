"""The one place where secrets and what identifies people are hidden in text. A net, not the rule: the rule is never to
pass a secret in. How good the net is, `tests/guardia/masking/` measures and docs/masking.md tells.

`mask` is for whatever is stored: secrets, resident numbers, cards. `mask_all` hides telephone numbers and e-mail too:
logs and events, and what is shown to those who needn't reach anybody. `hide_personal` is for rows of databases.
"""

from guardia.common.masking.forms import MASK, Net, covered
from guardia.common.masking.named import NAMED
from guardia.common.masking.people import CARD, EMAIL, IN_TABLES, PHONE, RESIDENT
from guardia.common.masking.private_keys import key_spans
from guardia.common.masking.statements import insert_spans
from guardia.common.masking.stream import StreamMask, cut_short
from guardia.common.masking.tokens import TOKENS

__all__ = ["MASK", "StreamMask", "cut_short", "hide_personal", "mask", "mask_all"]

#: Stored nowhere.
_FORBIDDEN = Net(*NAMED, *TOKENS, RESIDENT, CARD)
#: Contacts are stored where they are needed, and shown to who needs them.
_ALL = Net(*_FORBIDDEN.forms, PHONE, EMAIL)
_IN_TABLES = Net(*IN_TABLES, PHONE, EMAIL, RESIDENT, CARD)
_TABLE_MARK = "***"


def mask(text: str) -> str:
    """`text` with secrets, resident numbers and cards replaced by a mask; the words around them stay readable."""
    return _masked(text, _FORBIDDEN)


def mask_all(text: str) -> str:
    """The same, with telephone numbers and e-mail addresses hidden, too."""
    return _masked(text, _ALL)


def hide_personal(text: str) -> str:
    """A cell of a database's table with whatever looks like a number or address of a person replaced: rather too much
    than too little."""
    return covered(text, [span for span, _kind in _IN_TABLES.found(text)], _TABLE_MARK)


def _masked(text: str, net: Net) -> str:
    spans = [span for span, _kind in net.found(text)] + key_spans(text) + insert_spans(text)
    return covered(text, spans, MASK) if spans else text
