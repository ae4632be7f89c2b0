from audit.models.chain import SYSTEM_CHAIN, Chain, Entry
from audit.models.checkpoint import Checkpoint, SealedChain, Witness
from audit.models.data_key import DataKey
from audit.models.integrity import IntegrityHold, Verification
from audit.models.report import Explanation, Report

__all__ = [
    "SYSTEM_CHAIN",
    "Chain",
    "Checkpoint",
    "DataKey",
    "Entry",
    "Explanation",
    "IntegrityHold",
    "Report",
    "SealedChain",
    "Verification",
    "Witness",
]
