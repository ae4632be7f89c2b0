"""The inventory's names of old algorithms are the connector's."""

from cmdb.choices import LEGACY_SSH
from cmdb.models.inventory import LONGEST_WAY
from execution.ssh.legacy import LEGACY
from execution.ssh.route import LONGEST


def test_the_inventory_and_the_connector_speak_of_the_same_things() -> None:
    assert set(LEGACY_SSH) == {name for names in LEGACY.values() for name in names}
    assert LONGEST_WAY == LONGEST
