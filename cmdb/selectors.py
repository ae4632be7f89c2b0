"""Reads of the CMDB, scoped to a user."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import User
from accounts.scope import visible_to
from cmdb.models import Server, System


def systems_visible_to(user: User | AnonymousUser) -> QuerySet[System]:
    return visible_to(System.objects.select_related("institution"), user)


def servers_visible_to(user: User | AnonymousUser) -> QuerySet[Server]:
    return visible_to(Server.objects.filter(is_active=True).select_related("system", "site"), user)
