"""A strategy and its waves as people read them: on the plan, the run and the playbook."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from execution.playbooks.strategy import Strategy


def strategy_words(strategy: Strategy) -> list[str]:
    """What it says, a sentence each; what it leaves at the usual isn't said, but for the way back."""
    words = [_pace(strategy)]
    if strategy.tolerate_wave != "0" or strategy.tolerate_run != "0":
        words.append(
            _("May fail: %(wave)s of a wave, %(run)s in all; no server of a critical site.")
            % {"wave": strategy.tolerate_wave, "run": strategy.tolerate_run}
        )
    else:
        words.append(_("No failure is tolerated."))
    if strategy.bake:
        words.append(
            _("A healthy wave is watched for %(time)s and checked again before the next one.")
            % {"time": duration_words(strategy.bake)}
        )
    if strategy.gate == "manual":
        words.append(_("A person lets each next wave go."))
    words.append(
        {
            "host": _("If it fails: the failed servers go back."),
            "wave": _("If it fails: the wave goes back."),
            "run": _("If it fails: everything goes back, also what had succeeded."),
        }[strategy.rollback]
    )
    return words


def _pace(strategy: Strategy) -> str:
    batches = " → ".join(strategy.batches)
    if strategy.by == "groups":
        return _("In %(count)s equal groups.") % {"count": strategy.groups}
    if strategy.by == "pairs":
        return _("Two servers at a time.")
    if strategy.by == "tier" and strategy.tier:
        return _("Tier %(tier)s first, and no tier with another: %(batches)s.") % {
            "tier": strategy.tier,
            "batches": batches,
        }
    if strategy.by == "tier":
        return _("Tier by tier, the least critical first: %(batches)s.") % {"batches": batches}
    return _("Batches: %(batches)s.") % {"batches": batches}


def duration_words(seconds: int) -> str:
    if seconds % 60 == 0:
        minutes = seconds // 60
        return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": seconds}


def planned_waves(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each wave of a plan: its number, size, tiers, and how many of it may fail."""
    strategy, hosts = Strategy.of(content), content["hosts"]
    waves = []
    for number, names in enumerate(content["waves"], start=1):
        tiers = [hosts[name]["tier"] for name in names]
        waves.append(
            {
                "number": number,
                "size": len(names),
                "tiers": sorted(set(tiers)),
                "tolerated": strategy.tolerated_in_wave(tiers),
                "names": names,
            }
        )
    return waves
