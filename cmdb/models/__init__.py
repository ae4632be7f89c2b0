"""What is where: sites, systems and servers of the institutions, how each is operated, and the credential vault."""

from cmdb.models.balancer import Balancer
from cmdb.models.credential import Credential
from cmdb.models.database import Database
from cmdb.models.gateway import Gateway
from cmdb.models.inventory import Server, Site, System
from cmdb.models.profile import EnvironmentProfile

__all__ = ["Balancer", "Credential", "Database", "EnvironmentProfile", "Gateway", "Server", "Site", "System"]
