"""Lists that stay quick with millions of tasks: the newest of an institution, by a day, by words of the request."""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tickets.models.words

#: Costly to the planner, so that it is asked of the index, or last.
FUNCTION = """
CREATE FUNCTION tickets_bigrams(words text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 500
RETURN (
  SELECT array_agg(letter || following)
  FROM unnest(string_to_array(upper(words), NULL), (string_to_array(upper(words), NULL))[2:]) AS pairs (letter, following)
  WHERE following IS NOT NULL
)
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0004_withdrawn")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION tickets_bigrams(text)"),
        migrations.AddIndex(
            model_name="opstask", index=models.Index(fields=["institution", "-id"], name="task_newest")
        ),
        migrations.AddIndex(
            model_name="opstask",
            index=models.Index(
                fields=["institution", "status"], condition=models.Q(closed_at=None), name="task_open"
            ),
        ),
        migrations.AddIndex(
            model_name="opstask",
            index=django.contrib.postgres.indexes.GinIndex(
                tickets.models.words.Bigrams("text"), name="task_by_words"
            ),
        ),
        migrations.AddIndex(
            model_name="opstask",
            index=django.contrib.postgres.indexes.BrinIndex(fields=["created_at"], name="task_by_day"),
        ),
        migrations.AlterField(
            model_name='opstask',
            name='institution',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='accounts.institution', verbose_name='institution'),
        ),
        migrations.AlterField(
            model_name='opstask',
            name='requester',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='filed_tasks', to=settings.AUTH_USER_MODEL, verbose_name='requester'),
        ),
    ]
