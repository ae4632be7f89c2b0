from audit.models.chain import SYSTEM_CHAIN, Chain, Entry
from audit.models.checkpoint import Checkpoint, SealedChain, Witness
from audit.models.data_key import DataKey
from audit.models.integrity import IntegrityHold, Verification

__all__ = [
    "SYSTEM_CHAIN",
    "Chain",
    "Checkpoint",
    "DataKey",
    "Entry",
    "IntegrityHold",
    "SealedChain",
    "Verification",
    "Witness",
]
