from audit.models.chain import SYSTEM_CHAIN, Chain, Entry
from audit.models.checkpoint import Checkpoint, SealedChain, Witness
from audit.models.integrity import IntegrityHold, Verification

__all__ = [
    "SYSTEM_CHAIN",
    "Chain",
    "Checkpoint",
    "Entry",
    "IntegrityHold",
    "SealedChain",
    "Verification",
    "Witness",
]
