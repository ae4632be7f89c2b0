"""A gateway's enrolment, from its own side."""

import hmac
import json

from execution.gateways.exceptions import CoreAway, CoreRefused
from execution.gateways.home import own_keys, pin_core
from execution.gateways.messages import answer_bytes, enrolment_mac, fingerprint
from execution.gateways.remote import Core
from guardia.common.errors import StaleState
from guardia.common.signing import is_signed


def join(*, url: str, ca: str, name: str, code: str, known: str = "") -> str:
    """Give the core our public keys with a proof of the one-time code, and pin the core that proves it too.

    Returns our fingerprint, which an administrator types at the core. `known`: a name that this home has already.
    Raises StaleState (enrolled before), CoreAway (no answer, or one that doesn't prove the code), CoreRefused.
    """
    if known:
        raise StaleState(f"this home is the gateway {known} already")
    keys = own_keys()
    sign_key, seal_key = keys.public
    mac = enrolment_mac(code, name, sign_key=sign_key, seal_key=seal_key)
    core = Core(url, name, keys.sign, "", ca)
    try:
        said = {"sign_key": sign_key, "seal_key": seal_key, "mac": mac}
        request, status, body, signature = core.ask_unpinned("enrol", said)
    finally:
        core.close()
    if status != 200:
        raise CoreRefused(
            "the core doesn't know this name and code (or no more: five wrong ones end it)", status=status
        )
    try:
        answer = json.loads(body)
        core_key, proof = str(answer["core_key"]), str(answer["mac"])
    except (ValueError, TypeError, KeyError) as error:
        raise CoreAway from error
    is_proved = hmac.compare_digest(proof.encode(), enrolment_mac(code, name, core=core_key).encode())
    if not is_proved or not is_signed(core_key, answer_bytes(request, status, body), signature):
        raise CoreAway("what answers there doesn't know the one-time code: it isn't the core", code="not_the_core")
    pin_core(core_key, name)
    return fingerprint(sign_key, seal_key)
