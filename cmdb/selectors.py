"""Reads of the CMDB, scoped to a user."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import User
from accounts.scope import visible_to
from cmdb.models import System


def systems_visible_to(user: User | AnonymousUser) -> QuerySet[System]:
    return visible_to(System.objects.select_related("institution"), user)
