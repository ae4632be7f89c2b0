"""Takes down admin pages of other packages that would be a door past our rules."""

from django.contrib import admin
from django.contrib.auth.models import Group


def take_down() -> None:
    """django-q2's pages read pickled results and offer to run tasks again; groups would be a second way to rights."""
    from django_q.models import Failure, OrmQ, Schedule, Success

    for model in (Failure, OrmQ, Schedule, Success, Group):
        if admin.site.is_registered(model):
            admin.site.unregister(model)
