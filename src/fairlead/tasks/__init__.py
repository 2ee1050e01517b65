"""The verbs. `ns` is what a project's tasks.py takes: `from fairlead.tasks import ns`."""

from invoke.collection import Collection

from fairlead.tasks.backups import copy, list_, prune, take, verify
from fairlead.tasks.build import build
from fairlead.tasks.deploy import deploy
from fairlead.tasks.doctor import doctor
from fairlead.tasks.execute import exec_
from fairlead.tasks.host import check, setup
from fairlead.tasks.init import init
from fairlead.tasks.lint import lint
from fairlead.tasks.lock import release as release_lock  # `release` is a module here
from fairlead.tasks.lock import status_
from fairlead.tasks.logs import logs
from fairlead.tasks.push import push
from fairlead.tasks.release import bump, notes, publish
from fairlead.tasks.rollback import rollback
from fairlead.tasks.scan import scan
from fairlead.tasks.services import changed, matrix
from fairlead.tasks.services import list_ as list_services
from fairlead.tasks.smoke import smoke
from fairlead.tasks.status import status
from fairlead.tasks.test import run_tests

ns = Collection(
    *(init, doctor, lint, run_tests, scan, build, push),
    *(deploy, rollback, smoke, status, logs, exec_),
)
ns.add_collection(Collection("backups", list_, take, verify, prune, copy))
ns.add_collection(Collection("lock", status_, release_lock))
ns.add_collection(Collection("host", setup, check))
ns.add_collection(Collection("release", bump, notes, publish))
ns.add_collection(Collection("services", list_services, changed, matrix))
