"""Indexes that another one serves, or that nothing reads, are gone from the table that every decision writes.

Not that of a round's task: Django takes the unique partial index `round_one_living` on the same column for it, and
would drop both.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0010_decisions_of_every_kind'),
        ('tickets', '0005_lists_of_millions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='approvalstep',
            name='approver',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='approval_steps', to=settings.AUTH_USER_MODEL, verbose_name='asked'),
        ),
        migrations.AlterField(
            model_name='approvalstep',
            name='decided_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by'),
        ),
        migrations.AlterField(
            model_name='approvalstep',
            name='original_owner',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='original owner'),
        ),
        migrations.AlterField(
            model_name='approvalstep',
            name='requester',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='requester'),
        ),
        migrations.AlterField(
            model_name='approvalstep',
            name='round',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='governance.approvalround', verbose_name='round'),
        ),
    ]
