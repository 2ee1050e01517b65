"""Without a registry each host gets the images of the services it runs, and no others."""

from dataclasses import replace

from factories import REDIS, WORKER, an_environment
from test_record import built

from fairlead.images.deliver import wanted_by


def test_a_host_gets_the_images_of_its_roles():
    worker = replace(WORKER, roles=("work",))
    roles = {"work1": ("work",), "db1": ("data",)}
    environment = an_environment(("web1", "work1", "db1"), (worker, REDIS), roles)
    shared = replace(built("tasks"), services=("tasks", "worker"))
    found = wanted_by(environment, [built("worker"), shared])
    assert {host: [one.name for one in images] for host, images in found.items()} == {
        "work1": ["worker", "tasks"],
        "web1": ["tasks"],  # a service that names no role runs everywhere
        "db1": ["tasks"],
    }
