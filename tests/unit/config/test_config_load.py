"""Two TOML files and .env files become one checked environment, or all their faults at once."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_project import BASE, STAGING

from fairlead.config import load
from fairlead.config.reference import reference
from fairlead.errors import ConfigError, FairleadError, UsageError
from fairlead.model import Host, Secret

URL = 'url = "http://staging.example.com"\n'


def problems_of(loaded, **files):
    with pytest.raises(ConfigError) as caught:
        loaded(**files)
    return caught.value.problems


# --- what a good project becomes


def test_an_environment_knows_its_names_and_places(loaded):
    environment = loaded()
    assert environment.key == "agentic-staging"
    assert environment.directory == "/opt/agentic/staging"
    assert environment.compose_file == environment.root / "compose.yaml"
    assert environment.compose_file.is_absolute()


def test_hosts_take_user_and_port_from_ssh_unless_they_have_their_own(loaded):
    ssh = '[ssh]\nuser = "ops"\nport = 2200\n'
    more = '[hosts.b]\naddress = "10.0.0.2"\nuser = "root"\nport = 22\n'
    first, second = loaded(base=BASE + ssh, staging=STAGING + more).hosts
    assert first == Host("staging1", "10.0.0.1", "ops", 2200, ("web", "data"))
    assert second == Host("b", "10.0.0.2", "root", 22, ())


def test_the_environments_file_wins_and_tables_merge(loaded):
    base = BASE + '[router]\nhttp_port = 8080\nhttps_port = 8443\n[[smoke]]\nname = "one"\n'
    staging = URL + STAGING + '[router]\nhttp_port = 80\n[[smoke]]\nname = "two"\n'
    environment = loaded(base=base, staging=staging)
    assert (environment.router.http_port, environment.router.https_port) == (80, 8443)
    assert [check.name for check in environment.smoke] == ["two"]


def test_durations_are_seconds(loaded):
    base = 'keep_warm = "2h"\ndrain_timeout = "500ms"\nlock_lease = "1.5m"\n' + BASE
    environment = loaded(base=base)
    assert (environment.keep_warm, environment.drain_timeout) == (7200, 0.5)
    assert environment.lock_lease == 90


def test_services_find_their_hosts_by_role(loaded):
    staging = STAGING + '[hosts.web2]\naddress = "10.0.0.2"\nroles = ["web"]\n'
    environment = loaded(staging=staging)
    assert [host.name for host in environment.hosts_for("api")] == ["staging1", "web2"]
    assert [host.name for host in environment.hosts_for("redis")] == ["staging1"]
    assert len(environment.hosts_for("a worker that is not declared")) == 2


def test_health_may_be_a_path_or_a_table(loaded):
    short = loaded(base=BASE.replace("[services.redis]", 'health = "/up"\n[services.redis]'))
    table = 'health = { path = "/up", timeout = "5s", status = [200, "300-399"] }\n'
    long = loaded(base=BASE.replace("[services.redis]", f"{table}[services.redis]"))
    assert short.service("api").health.path == long.service("api").health.path == "/up"
    assert long.service("api").health.timeout == 5
    assert 302 in long.service("api").health.status
    assert 404 not in long.service("api").health.status


def test_routes_are_hosts_in_lower_case_and_path_prefixes(loaded):
    routes = '["Example.com/API/", "*/x", "127.0.0.1"]'
    environment = loaded(base=BASE.replace('["*"]', routes))
    texts = [str(route) for route in environment.service("api").routes]
    assert texts == ["example.com/API", "*/x", "127.0.0.1/"]


@pytest.mark.parametrize(
    ("batch", "hosts", "size"),
    [("1", 4, 1), ("3", 4, 3), ('"25%"', 4, 1), ('"25%"', 9, 2), ('"1%"', 3, 1), ('"100%"', 7, 7)],
)
def test_a_batch_is_a_number_or_a_share_rounded_down(loaded, batch, hosts, size):
    assert loaded(base=BASE + f"[rolling]\nbatch = {batch}\n").rolling.size(hosts) == size


def test_a_migration_is_split_into_words_as_a_shell_would(loaded):
    migrate = '[migrate]\nservice = "api"\ncommand = "sh -c \'python -m app.migrate --all\'"\n'
    environment = loaded(base=BASE + migrate)
    assert environment.migrate.argv == ("sh", "-c", "python -m app.migrate --all")


def test_paths_on_this_machine_start_at_the_root_or_at_home(loaded):
    ssh = '[ssh]\nkey = "~/.ssh/id"\nknown_hosts = ".lab/known_hosts"\n'
    environment = loaded(base=BASE + ssh)
    assert environment.ssh.key == os.path.expanduser("~/.ssh/id")
    assert environment.ssh.known_hosts == str(environment.root / ".lab/known_hosts")


def test_the_files_that_were_read_are_told(loaded):
    environment = loaded(**{".env": "A=1\n", ".env.example": "A=\n"})
    names = [os.path.relpath(path, environment.root) for path in environment.files]
    assert names == ["deploy/fairlead.toml", "deploy/staging.toml", ".env", ".env.example"]


def test_values_cannot_be_changed_afterwards(loaded):
    environment = loaded(**{".env": "A=1\n"})
    with pytest.raises(TypeError):
        environment.variables["A"] = Secret("2")
    with pytest.raises(TypeError):
        environment.services["x"] = environment.service("api")


# --- variables in the TOML files


def test_variables_come_from_the_process_then_the_environments_file_then_env(loaded):
    staging = STAGING.replace("10.0.0.1", "${A}-${B}-${C}-${D:-d}")
    files = {".env": "A=env\nB=env\nC=env\n", ".env.staging": "A=staging\nB=staging\n"}
    environment = loaded(environ={"A": "process"}, staging=staging, **files)
    assert environment.hosts[0].address == "process-staging-env-d"


def test_a_variable_may_give_a_number_or_a_truth(loaded):
    base = BASE + '[router]\nhttp_port = "${PORT}"\n[registry]\ninsecure = "${INSECURE}"\n'
    environment = loaded(environ={"PORT": "8080", "INSECURE": "true"}, base=base)
    assert (environment.router.http_port, environment.registry.insecure) == (8080, True)


def test_a_number_in_quotes_is_no_number(loaded):
    (problem,) = problems_of(loaded, base=BASE + '[router]\nhttp_port = "8080"\n')
    assert problem.path == "router.http_port"


def test_two_dollars_are_one(loaded):
    base = BASE + '[[smoke]]\nname = "price"\ncontains = "$$5 ${X:-y} $${z}"\n'
    assert loaded(base=URL + base).smoke[0].contains == "$5 y ${z}"


def test_an_unset_variable_is_named_with_its_place(loaded):
    (problem,) = problems_of(loaded, staging=STAGING.replace("10.0.0.1", "${NOWHERE}"))
    assert (problem.file, problem.line) == ("deploy/staging.toml", 2)
    assert problem.path == "hosts.staging1.address"
    assert "${NOWHERE}" in problem.message


# --- the containers' environment


def test_container_variables_are_env_under_the_environments_own(loaded):
    files = {".env": "A=1\nB=1\n", ".env.staging": "B=2\nC=${A}3\n"}
    variables = loaded(**files).variables
    assert {key: value.reveal() for key, value in variables.items()} == {
        "A": "1",
        "B": "2",
        "C": "13",
    }


def test_every_missing_key_is_named_at_once(loaded):
    files = {".env.example": "# needed\nA=\nB=example\nC\nD=\n", ".env": "D=here\n"}
    (problem,) = problems_of(loaded, **files)
    assert problem.file == ".env.staging"
    assert problem.path == "A, B, C"


def test_a_key_without_a_value_is_missing(loaded):
    (problem,) = problems_of(loaded, **{".env.example": "A=\n", ".env.staging": "A=\n"})
    assert problem.path == "A"


def test_the_process_may_give_a_required_key_and_is_named_for_it(loaded):
    files = {".env.example": "A=\nB=\n", ".env.staging": "B=file\n"}
    environment = loaded(environ={"A": "process", "B": "process", "C": "unasked"}, **files)
    assert environment.from_process == ("A",)
    assert environment.variables["B"] == Secret("file")
    assert "C" not in environment.variables


def test_a_missing_env_file_is_fine_when_nothing_is_required(loaded):
    assert loaded().variables == {}


# --- the hash


def test_the_hash_follows_variables_and_configuration_but_not_how_hosts_are_reached(loaded):
    first = loaded(**{".env": "A=1\n"}).config_hash
    assert loaded(**{".env": "A=1\n"}).config_hash == first
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert loaded(**{".env": "A=2\n"}).config_hash != first
    assert loaded(base=BASE.replace("8000", "8001"), **{".env": "A=1\n"}).config_hash != first
    ssh = '[ssh]\nkey = "~/other"\n[registry]\npassword = "${P:-rotates}"\n'
    assert loaded(base=BASE + ssh, **{".env": "A=1\n"}).config_hash == first


# --- faults: where, what, and what is probably meant

FAULTS = [
    # file, text added, line, path, part of the message, suggestion
    ("base", 'stratgy = "rolling"', "stratgy", "unknown key", "strategy"),
    ("base", 'strategy = "blue-gren"', "strategy", "must be one of", "blue-green"),
    ("base", 'keep_warm = "10"', "keep_warm", "must be a duration", ""),
    ("base", "keep_warm = 10", "keep_warm", "must be a duration", ""),
    ("base", 'lock_lease = "0s"', "lock_lease", "longer than nothing", ""),
    ("base", "keep_releases = 0", "keep_releases", "whole number from 1", ""),
    ("base", "keep_releases = true", "keep_releases", "whole number from 1", ""),
    ("base", 'base_directory = "opt"', "base_directory", "absolute path", ""),
    ("base", 'base_directory = "/opt/../etc"', "base_directory", "absolute path", ""),
    ("base", 'base_directory = "/"', "base_directory", "absolute path", ""),
    ("base", 'url = "ftp://x"', "url", "must be a URL", ""),
    ("base", 'url = "http://u:p@x"', "url", "must be a URL", ""),
    ("base", "ssh = 3", "ssh", "must be a table", ""),
    ("base", 'ssh.key = "-oProxyCommand=x"', "ssh.key", "hyphen", ""),
    ("base", 'ssh.user = "-l"', "ssh.user", "user name", ""),
    ("base", "ssh.port = 65536", "ssh.port", "from 1 to 65535", ""),
    ("base", "ssh.prot = 22", "ssh.prot", "unknown key", "port"),
    ("base", 'registry.server = "https://x"', "registry.server", "without scheme", ""),
    ("base", 'registry.password = "hunter2"', "registry.password", "from a variable", ""),
    ("base", "router.redirect_http = true", "router.redirect_http", "certificate", ""),
    (
        "base",
        'router.trusted_proxies = ["10.0.0.0/8", "10.0.0.1/8"]',
        "router.trusted_proxies[1]",
        "without bits behind its mask",
        "",
    ),
    ("base", 'router.trusted_proxies = ["lb"]', "router.trusted_proxies[0]", "an IP address", ""),
    ("base", "router.trusted_proxies = [10]", "router.trusted_proxies[0]", "an IP address", ""),
    ("base", "router.https_port = 80", "router.https_port", "is the http_port", ""),
    ("base", 'router.certificate = "/a/../b"', "router.certificate", "absolute path", ""),
    ("base", "rolling.batch = 0", "rolling.batch", "number of hosts", ""),
    ("base", 'rolling.batch = "0%"', "rolling.batch", "number of hosts", ""),
    ("base", 'rolling.batch = "101%"', "rolling.batch", "number of hosts", ""),
    ("base", 'migrate = { service = "apo", command = "x" }', "migrate.service", "no such", "api"),
    ("base", 'migrate = { service = "api" }', "migrate.command", "is required", ""),
    ("base", 'migrate = { service = "api", command = "\'x" }', "migrate.command", "quotes", ""),
    ("base", 'smoke = [{ path = "/" }]', "smoke[0].name", "is required", ""),
    ("base", 'smoke = [{ name = "x", path = "y" }]', "smoke[0].path", "begins with a slash", ""),
    ("base", 'smoke = [{ name = "x", tls_days = 1 }]', "smoke[0].tls_days", "https", ""),
    (
        "base",
        'smoke = [{ name = "x", tls_days = 1, from = ["host"] }]',
        "smoke[0].tls_days",
        'has to name "client"',
        "",
    ),
    ("base", 'smoke = [{ name = "x", from = ["hosts"] }]', "smoke[0].from[0]", "one of", "host"),
    ("base", 'smoke = [{ name = "x", from = [] }]', "smoke[0].from", "must name", ""),
    ("base", 'smoke = [{ name = "x", status = 600 }]', "smoke[0].status", "HTTP status", ""),
    ("base", 'smoke = [{ name = "x", json = { a = [] } }]', "smoke[0].json.a", "a list", ""),
    (
        "base",
        'smoke = [{ name = "x", method = "HEAD", contains = "y" }]',
        "smoke[0].method",
        "no body",
        "",
    ),
    ("base", 'env.secret = "A"', "env.secret", "must be a list", ""),
    ("base", "env.secret = [1]", "env.secret[0]", "must be a text", ""),
    ("staging", 'app = "other"', "app", "the same for every environment", ""),
    ("staging", 'compose = "nope.yaml"', "compose", "no such file: deploy/nope.yaml", ""),
    ("staging", 'hosts.b.address = ""', "hosts.b.address", "host name", ""),
    ("staging", 'hosts.b.address = "-oProxyCommand=x"', "hosts.b.address", "host name", ""),
    ("staging", 'hosts.b.address = "a b"', "hosts.b.address", "host name", ""),
    ("staging", 'hosts.b.address = "root@a"', "hosts.b.address", "without a user", ""),
    ("staging", 'hosts.b.address = "a:22"', "hosts.b.address", "without a port", ""),
    ("staging", 'hosts.b.address = "10.0.0.1"', "hosts.staging1.address", "same machine", ""),
    ("staging", "hosts.b.roles = []", "hosts.b.address", "is required", ""),
    ("staging", 'services.api.roles = ["wbe"]', "services.api.roles[0]", "no host", "web"),
    ("staging", "services.api.replicas = 0", "services.api.replicas", "whole number", ""),
    ("staging", "services.redis.replicas = 2", "services.redis.replicas", "one replica", ""),
    ("staging", 'services.redis.routes = ["a.b"]', "services.redis.routes", "cannot be routed", ""),
    ("staging", 'services.x.routes = ["y.z"]', "services.x.port", "is required", ""),
    ("staging", "services.x = { port = 1, routes = ['*'] }", "services.x.routes[0]", "already", ""),
    ("staging", 'services.api.routes = ["http://x"]', "services.api.routes[0]", "no scheme", ""),
    ("staging", 'services.api.routes = ["x y"]', "services.api.routes[0]", "host with or", ""),
    ("staging", 'services.api.routes = ["*.x.com"]', "services.api.routes[0]", "host with or", ""),
    ("staging", 'services.api.image = "a/b:v1"', "services.api.image", "without a tag", ""),
    ("staging", 'services.api.health = "/a b"', "services.api.health.path", "must be a path", ""),
    (
        "staging",
        'services.api.health = { pth = "/" }',
        "services.api.health.pth",
        "unknown",
        "path",
    ),
]


@pytest.mark.parametrize(("where", "text", "path", "message", "suggestion"), FAULTS)
def test_a_fault_is_told_with_file_line_path_and_likely_meaning(
    loaded, where, text, path, message, suggestion
):
    files = {where: f"# first line\n{text}\n{BASE if where == 'base' else STAGING}"}
    found = [one for one in problems_of(loaded, **files) if one.path == path]
    assert len(found) == 1, problems_of(loaded, **files)
    problem = found[0]
    assert message in problem.message
    assert problem.suggestion == suggestion
    assert problem.file == ("deploy/fairlead.toml" if where == "base" else "deploy/staging.toml")
    if path not in ("hosts.staging1.address", "services.redis.routes"):
        assert problem.line == 2


def test_a_service_that_keeps_data_is_on_exactly_one_host(loaded):
    staging = STAGING + '[hosts.b]\naddress = "10.0.0.2"\nroles = ["data"]\n'
    (problem,) = problems_of(loaded, staging=staging)
    assert problem.path == "services.redis.roles"
    assert "staging1, b" in problem.message


def test_an_environment_without_hosts_is_told_in_its_own_file(loaded):
    (problem,) = problems_of(loaded, staging="")
    assert (problem.file, problem.path) == ("deploy/staging.toml", "hosts")


def test_smoke_checks_from_here_need_to_know_where_to(loaded):
    base = BASE + '[[smoke]]\nname = "x"\n'
    (problem,) = problems_of(loaded, base=base)
    assert problem.path == "url"
    assert loaded(environ={"TEST_URL": "http://x"}, base=base).url == ""


def test_all_faults_of_all_files_are_told_at_once(loaded):
    found = problems_of(
        loaded,
        base='stratgy = "x"\nkeep_warm = 3\n' + BASE,
        staging=STAGING.replace("10.0.0.1", "a b"),
        **{".env": "what is this\n", ".env.example": "NEEDED=\n"},
    )
    assert {(one.file, one.path) for one in found} == {
        ("deploy/fairlead.toml", "stratgy"),
        ("deploy/fairlead.toml", "keep_warm"),
        ("deploy/staging.toml", "hosts.staging1.address"),
        (".env", "line 1"),
        (".env.staging", "NEEDED"),
    }


def test_a_table_over_a_value_is_refused_since_half_of_it_would_be_lost(loaded):
    staging = STAGING + "[services.api.health]\ntimeout = '5s'\n"
    base = BASE.replace("[services.redis]", 'health = "/up"\n[services.redis]')
    (problem,) = problems_of(loaded, base=base, staging=staging)
    assert problem.path == "services.api.health"


@pytest.mark.parametrize(
    ("text", "line"),
    [("app = ", 1), ("app = 'a'\n[x\n", 2), ("\n\n[a]\n[a]\n", 4), ("a = '''\n\n", 3)],
)
def test_a_syntax_error_is_a_problem_with_its_line(loaded, text, line):
    (problem,) = problems_of(loaded, base=text)
    assert (problem.file, problem.path, problem.line) == ("deploy/fairlead.toml", "syntax", line)


def test_both_files_syntax_errors_are_told(loaded):
    assert len(problems_of(loaded, base="=", staging="=")) == 2


def test_a_file_that_is_no_text_is_a_problem(project):
    root = project()
    (root / "deploy/staging.toml").write_bytes(b"\xff\xfe")
    (root / ".env").write_bytes(b"A=\xff\n")
    with pytest.raises(ConfigError) as caught:
        load(root, "staging", {})
    assert [one.file for one in caught.value.problems] == ["deploy/staging.toml", ".env"]


def test_no_fault_shows_the_value_of_a_variable(loaded):
    base = BASE + '[router]\nimage = "${P}"\n[registry]\nserver = "${P}"\nusername = "${P}"\n'
    found = problems_of(loaded, environ={"P": "-hunter2 "}, base=base)
    assert len(found) == 2
    assert "hunter2" not in str(found)


MIGRATE = BASE + '[migrate]\nservice = "api"\ncommand = "tool {}"\n'
DATABASE = {".env.staging": "DATABASE_URL=postgres://shop:hunter2-pg@db/shop\n"}
DUMPED = """
[[backup.data]]
name = "main"
kind = "command"
service = "redis"
dump = "tool --key=${API_KEY}"
restore = "tool --key=$$API_KEY"
check = "tool ${API_KEY}"
"""


def test_a_secret_in_a_command_is_refused_with_what_works_instead(loaded):
    """Law 10: it would be in the argv of docker on the host, and of this program."""
    (problem,) = problems_of(loaded, base=MIGRATE.format("${DATABASE_URL}"), **DATABASE)
    assert (problem.file, problem.path) == ("deploy/fairlead.toml", "migrate.command")
    assert problem.message == (
        "puts the secret DATABASE_URL into the list of processes; write "
        "`sh -c '… \"$$DATABASE_URL\"'`: the shell in the container knows its variables"
    )
    dumped = problems_of(loaded, environ={"API_KEY": "hunter2-key"}, base=BASE + DUMPED)
    assert [one.path for one in dumped] == ["backup.data[0].dump", "backup.data[0].check"]
    assert "hunter2" not in f"{problem}{dumped}"


def test_what_is_no_secret_may_be_in_a_command(loaded):
    """By its look, or because `[env] clear` says so; the container's own variable always."""
    env = {".env": "BATCH=500\nTABLE_KEY=articles\n"}
    clear = '[env]\nclear = ["TABLE_KEY"]\n'
    base = MIGRATE.format("${BATCH} ${TABLE_KEY} $$DATABASE_URL") + clear
    loaded_ = loaded(base=base, **env, **DATABASE)
    assert loaded_.migrate.argv == ("tool", "500", "articles", "$DATABASE_URL")


def test_an_unknown_environment_names_those_that_exist(project):
    root = project(**{"deploy/production.toml": STAGING})
    with pytest.raises(UsageError) as caught:
        load(root, "stagin", {})
    assert "did you mean `staging`" in caught.value.what
    assert "production, staging" in caught.value.why[0]
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["../staging", "a-b", "blue", "router", "-x", "a/b", "x\n", "é"])
def test_a_name_that_cannot_be_an_environments_is_refused(project, name):
    with pytest.raises(UsageError):
        load(project(), name, {})


# --- whatever is written, the answer is an environment or sentences

LINES = reference().splitlines()
VALUES = (
    *("1", "-1", "1.5", "nan", "inf", "true", "99999999999999999", "1979-05-27", "07:32:00"),
    *('"x"', '""', '"-x"', '"${X}"', '"${"', '"\\u0000"', '"25%"', '"*"', '"/"', '"a/b"'),
    *("[]", "[[]]", "{}", "{a = 1}", '["a", 1, {b = 2}]'),
)
GARBAGE = st.text(st.sampled_from("ab_.-=[]{}\"'#\n$,:1 \\\t"), max_size=60)


def outcome(root: Path, base: str, staging: str, env: str) -> None:
    for name, text in (
        ("deploy/fairlead.toml", base),
        ("deploy/staging.toml", staging),
        (".env", env),
        (".env.example", env),
        ("compose.yaml", ""),
    ):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8", errors="surrogatepass")
    error = refusal(root)
    assert error is None or error.exit_code == 2
    assert error is None or all("\n" not in line for line in error.why)


def refusal(root: Path) -> FairleadError | None:
    try:
        load(root, "staging", {})
    except FairleadError as error:
        return error
    return None


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(base=GARBAGE, staging=GARBAGE, env=GARBAGE)
def test_garbage_never_is_a_traceback(tmp_path, base, staging, env):
    outcome(tmp_path, base, staging, env)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    line=st.integers(0, len(LINES) - 1),
    value=st.sampled_from(VALUES),
)
def test_any_value_in_any_place_is_taken_or_told(tmp_path, line, value):
    changed = [
        f"{text.split('=')[0]}= {value}" if index == line and "=" in text else text
        for index, text in enumerate(LINES)
    ]
    outcome(tmp_path, "\n".join(changed), "", "")


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(cut=st.sets(st.integers(0, len(LINES) - 1), max_size=6))
def test_any_lines_left_out_are_a_default_or_told(tmp_path, cut):
    kept = [text for index, text in enumerate(LINES) if index not in cut]
    outcome(tmp_path, "\n".join(kept), "", "")


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(env=st.text(max_size=80))
def test_any_env_file_is_read_or_told(tmp_path, env):
    outcome(tmp_path, BASE, STAGING, env)


# What only a deploy needs


SECRETS = {
    ".env.example": "DATABASE_URL=\n",
    "base": BASE + '[registry]\nserver = "r.example.com"\npassword = "${REGISTRY_PASSWORD}"\n',
}


def test_without_values_an_environment_is_read_and_says_what_is_missing(project):
    root = project(**SECRETS)
    found = load(root, "staging", {}, values=False)
    assert [one.path for one in found.missing] == ["DATABASE_URL", "registry.password"]
    assert [host.name for host in found.hosts] == ["staging1"]
    assert found.registry.password.reveal() == ""


def test_with_values_both_are_problems_and_nothing_is_missing_once_they_are_there(project):
    root = project(**SECRETS)
    with pytest.raises(ConfigError) as told:
        load(root, "staging", {})
    assert {one.path for one in told.value.problems} == {"DATABASE_URL", "registry.password"}
    given = {"DATABASE_URL": "postgres://x", "REGISTRY_PASSWORD": "y"}
    assert load(root, "staging", given).missing == ()


def test_other_faults_are_told_without_values_too(project):
    root = project(base=BASE + "strateyg = 1\n", **{".env.example": "A=\n"})
    with pytest.raises(ConfigError) as told:
        load(root, "staging", {}, values=False)
    assert "A" not in {one.path for one in told.value.problems}


def test_missing_values_are_written_elsewhere_than_faults_are_corrected(loaded):
    with pytest.raises(ConfigError) as told:
        loaded(**{".env.example": "A=\n"})
    values = "write the values into .env.staging, or export them; then: inv doctor"
    assert told.value.next_step == values
    with pytest.raises(ConfigError) as told:
        loaded(base=BASE + "strateyg = 1\n", **{".env.example": "A=\n"})
    assert told.value.next_step == "correct the rest; " + values
    with pytest.raises(ConfigError) as told:
        loaded(base=BASE + "strateyg = 1\n", **{".env.example": ""})
    assert told.value.next_step == "correct what is listed, then: inv doctor"
    assert told.value.docs == "reference/config.md"
