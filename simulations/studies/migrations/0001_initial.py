import django.db.models.deletion
import django.utils.timezone
import simulations.studies.models
import uuid
from django.db import migrations, models


# A study that is new, goes on, or is cancelled wakes the reconciler. Its own note of whose turn it was does not.
FORWARD = """
CREATE TRIGGER studies_ring_doorbell_on_submit AFTER INSERT ON studies
  FOR EACH STATEMENT EXECUTE FUNCTION sumok8_ring_doorbell();
CREATE TRIGGER studies_ring_doorbell_on_change AFTER UPDATE OF status ON studies
  FOR EACH STATEMENT EXECUTE FUNCTION sumok8_ring_doorbell();
"""
BACKWARD = """
DROP TRIGGER studies_ring_doorbell_on_submit ON studies;
DROP TRIGGER studies_ring_doorbell_on_change ON studies;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('simulations', '0008_control_plane_unreachable'),
        ('tenants', '0003_limit_messages'),
    ]

    operations = [
        migrations.CreateModel(
            name='Study',
            fields=[
                ('study_id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('status', models.CharField(choices=[('RUNNING', 'Running'), ('PAUSED', 'Paused'), ('COMPLETE', 'Complete'), ('INCOMPLETE', 'Incomplete'), ('CANCELLED', 'Cancelled')], default='RUNNING', max_length=10)),
                ('reason', models.CharField(default='STARTED', max_length=24)),
                ('message', models.TextField(blank=True)),
                ('request', models.JSONField(help_text='As accepted, with defaults; its cells hold what is run.')),
                ('seeds', models.JSONField(help_text='In the order in which they are run; the same in every cell.')),
                ('extensions', models.JSONField(blank=True, default=dict, help_text='Seeds there were after each extension, by its Idempotency-Key.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('served_at', models.DateTimeField(blank=True, help_text='When a run of it was last made a job.', null=True)),
                ('idempotency_key', models.CharField(blank=True, max_length=255, null=True)),
                ('request_sha256', models.CharField(blank=True, max_length=64)),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='studies', to='tenants.tenant')),
            ],
            options={
                'verbose_name_plural': 'studies',
                'db_table': 'studies',
                'ordering': ['-created_at', '-study_id'],
            },
        ),
        migrations.CreateModel(
            name='Cell',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('name', models.CharField(max_length=300)),
                ('variant', models.CharField(max_length=60)),
                ('point', models.JSONField(default=dict, help_text="The sweep's values here.")),
                ('against', models.PositiveSmallIntegerField(help_text='Position of the cell that it is compared with.', null=True)),
                ('request', models.JSONField(help_text='What each run asks for, but the seed.')),
                ('setting', models.JSONField(default=dict, help_text='Begin, end, step length and scale as they take effect.')),
                ('scenario', models.ForeignKey(null=True, on_delete=simulations.studies.models.keep_for_active_studies, related_name='study_cells', to='simulations.scenario')),
                ('study', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='cells', to='studies.study')),
            ],
            options={
                'db_table': 'study_cells',
                'ordering': ['position'],
            },
        ),
        migrations.CreateModel(
            name='StudyRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seed', models.BigIntegerField()),
                ('place', models.PositiveIntegerField(help_text="In the study's order: all cells of a seed, then the next seed.")),
                ('status', models.CharField(choices=[('PLANNED', 'Planned'), ('SUBMITTED', 'Submitted'), ('SUCCEEDED', 'Succeeded'), ('FAILED', 'Failed'), ('CANCELLED', 'Cancelled')], default='PLANNED', max_length=10)),
                ('tries', models.PositiveSmallIntegerField(default=0, help_text='Jobs that were made for it.')),
                ('digest', models.CharField(blank=True, help_text='Of what it ran; see `services.reuse`.', max_length=64)),
                ('reused', models.BooleanField(default=False, help_text='Another run had done exactly this; its results are used.')),
                ('reason', models.CharField(blank=True, max_length=24)),
                ('message', models.TextField(blank=True)),
                ('kpis', models.JSONField(blank=True, null=True)),
                ('sumo_version', models.CharField(blank=True, max_length=40)),
                ('wall_s', models.FloatField(blank=True, help_text="Seconds from the job's start to its end.", null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('cell', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='studies.cell')),
                ('job', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='study_runs', to='simulations.job')),
                ('study', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='studies.study')),
            ],
            options={
                'db_table': 'study_runs',
                'ordering': ['place'],
            },
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(fields=['tenant', '-created_at', '-study_id'], name='studies_tenant_newest'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(condition=models.Q(('status__in', ['RUNNING', 'PAUSED'])), fields=['tenant'], name='studies_active'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.UniqueConstraint(fields=('tenant', 'idempotency_key'), name='studies_unique_idempotency_key'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('status__in', ['RUNNING', 'PAUSED'])), models.Q(('finished_at__isnull', False), ('status__in', ['COMPLETE', 'INCOMPLETE', 'CANCELLED'])), _connector='OR'), name='studies_finished_iff_ended'),
        ),
        migrations.AddConstraint(
            model_name='cell',
            constraint=models.UniqueConstraint(fields=('study', 'position'), name='study_cells_unique_position'),
        ),
        migrations.AddIndex(
            model_name='studyrun',
            index=models.Index(condition=models.Q(('status', 'PLANNED')), fields=['study', 'place'], name='study_runs_planned'),
        ),
        migrations.AddIndex(
            model_name='studyrun',
            index=models.Index(condition=models.Q(('status', 'SUBMITTED')), fields=['study'], name='study_runs_submitted'),
        ),
        migrations.AddIndex(
            model_name='studyrun',
            index=models.Index(condition=models.Q(('reused', False), ('status', 'SUCCEEDED')), fields=['digest'], name='study_runs_digest'),
        ),
        migrations.AddConstraint(
            model_name='studyrun',
            constraint=models.UniqueConstraint(fields=('study', 'place'), name='study_runs_unique_place'),
        ),
        migrations.AddConstraint(
            model_name='studyrun',
            constraint=models.UniqueConstraint(fields=('cell', 'seed'), name='study_runs_unique_seed'),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
