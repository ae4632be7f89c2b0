"""The rule floor of request parsing: text in, fields out, nothing guessed."""

from .catalogue import Catalogue
from .danger import find_dangers
from .entities import resolve
from .intent import find_intent
from .names import NameHit, find_names
from .normalise import Normalised, normalise
from .params import extract
from .result import CATEGORY_OF, ParsedRequest
from .slots import Request, missing
from .stance import asks_for_work, is_urgent


def parse_request(text: str, catalogue: Catalogue, *, has_artefact: bool = False) -> ParsedRequest:
    """Parse one request against a CMDB snapshot.

    `has_artefact`: a file came with the request, which fills the artifact slot. Deterministic; raises InvalidInput
    for a text of more than `normalise.MAX_CHARACTERS` characters and nothing else.
    """
    doc = normalise(text)
    dangers = find_dangers(doc)
    reading = find_intent(doc)
    intent = reading.intent
    asked, stance = asks_for_work(
        doc,
        has_intent=intent is not None and intent.rule != "intent_health",
        has_danger=bool(dangers),
        only_forbidden=reading.forbidden and (intent is None or intent.rule == "intent_health"),
    )
    danger_codes = tuple(f"danger_{name}" for name in dangers)
    if not asked:
        return ParsedRequest(is_request=False, is_dangerous=bool(dangers), reasons=(stance, *danger_codes))
    hits = find_names(doc, catalogue)
    entities = resolve(doc, catalogue, hits)
    reasons = (stance, *((intent.rule,) if intent else ("intent_unknown",)), *entities.reasons, *danger_codes)
    rest = _without_names(doc, hits)
    sub_type = intent.sub_type if intent else ""
    params = extract(doc, sub_type, rest) if sub_type else {}
    compact_rest = "".join(rest.lower().split())
    request = Request(doc, sub_type, params, entities, has_artefact, compact_rest)
    asks = missing(request)
    return ParsedRequest(
        is_request=True,
        category=CATEGORY_OF[sub_type] if sub_type else None,
        sub_type=sub_type or None,
        institution=entities.institution,
        system=entities.system,
        servers=entities.servers,
        params=params,
        needs_info=asks if sub_type else ("sub_type", *asks),
        is_dangerous=bool(dangers),
        is_urgent=is_urgent(doc),
        reasons=reasons,
    )


def _without_names(doc: Normalised, hits: list[NameHit]) -> str:
    chars = list(doc.text)
    for hit in hits:
        if hit.kind != "server":
            start, end = doc.origin[hit.start], doc.origin[hit.end - 1] + 1
            chars[start:end] = " " * (end - start)
    return "".join(chars)
