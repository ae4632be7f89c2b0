"""What a verification found, in the reader's language. Verifications speak English: what is kept of them, and what
`audit_verify` and `tools/verify_audit.py` say, is the same everywhere."""

from django.utils.translation import gettext_noop

from audit.choices import FaultKind
from guardia.common.phrases import Phrases

DETAILS = (
    gettext_noop("number %(number)s is there twice"),
    gettext_noop("the entry is not what its hash was made from"),
    gettext_noop("the entry belongs to another chain"),
    gettext_noop("two entries that should follow each other don't"),
    gettext_noop("the entry after it was sealed as number %(number)s"),
    gettext_noop("the entry was sealed as number %(number)s"),
    gettext_noop("entry %(number)s stands in another place"),
    gettext_noop("entry %(number)s is missing"),
    gettext_noop("there were %(count)s entries, %(left)s are left"),
    gettext_noop("the chain's head knows nothing of it"),
    gettext_noop("the chain's head is not its last entry"),
    gettext_noop("a signed checkpoint seals other entries up to %(number)s"),
    gettext_noop("a signed checkpoint knows this chain, it is gone"),
    gettext_noop("two checkpoints with this number were signed"),
    gettext_noop("%(count)s were made"),
    gettext_noop("the line is not a checkpoint"),
    gettext_noop("the checkpoint is there twice"),
    gettext_noop("checkpoint %(number)s follows"),
    gettext_noop("the key in force did not sign this checkpoint"),
    gettext_noop("it does not follow the checkpoint before it"),
    gettext_noop("the root is not that of the heads"),
    gettext_noop("%(chain)s is not what the checkpoint before said"),
    gettext_noop("the next key is none"),
)
_PHRASES = Phrases(DETAILS)


def kind_words(kind: str) -> str:
    """`audit.seal.Fault.kind` in words."""
    return str(FaultKind(kind).label) if kind in FaultKind else kind


def fault_words(detail: str) -> str:
    """`audit.seal.Fault.detail` as a person reads it."""
    return _PHRASES.translated(detail)
