"""No secret is left in a text, and what is ordinary stays readable."""

import base64
import json
import shlex
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fairlead.config.redaction import MASK, Redactor, looks_random, says_secret
from fairlead.model import Secret

RANDOM = "kJ8fQz2LmN5xR7vB"


def redactor(secret_names=(), clear_names=(), extra=(), **variables):
    values = {name: Secret(value) for name, value in variables.items()}
    return Redactor(values, secret_names, clear_names, [Secret(one) for one in extra])


# Printable, and not made of the mask's own character.
SECRETS = st.text(
    st.characters(
        codec="utf-8", exclude_characters="•", exclude_categories=("Cs", "Cc", "Zl", "Zp")
    ),
    min_size=4,
    max_size=40,
).filter(lambda text: len(text.strip()) >= 4)
AROUND = st.text(st.sampled_from("ab ./:=\n'\"x"), max_size=20)


@given(secret=SECRETS, before=AROUND, after=AROUND)
@example(secret="hunter2", before="", after="")
@example(secret="it's $5", before="x='", after="'")
@example(secret='a"b\\c', before="", after="")
def test_a_secret_never_gets_through_however_it_is_written(secret, before, after):
    one = redactor(["VALUE"], VALUE=secret)
    bare = secret.strip()
    forms = {
        bare,
        quote(bare),
        quote(bare, safe=""),
        quote_plus(bare),
        quote(bare, safe="").lower() if bare.isascii() and bare.islower() else quote(bare),
        base64.b64encode(bare.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(bare.encode()).decode().rstrip("="),
        shlex.quote(bare),
        json.dumps(bare)[1:-1],
        json.dumps(bare, ensure_ascii=False)[1:-1],
        repr(bare)[1:-1],
        bare.replace("$", "$$"),
    }
    if bare.isdecimal():  # a number is masked where it stands alone
        before, after = before + " ", " " + after
    for form in forms:
        assert form not in one.redact(f"{before}{form}{after}"), form


@given(secret=SECRETS, user=st.text(st.sampled_from("abcdef"), max_size=9))
def test_basic_credentials_do_not_give_the_password_away(secret, user):
    if len(secret.strip().encode()) < 7:  # too few whole characters of base64 to be sure of
        return
    pair = base64.b64encode(f"{user}:{secret.strip()}".encode()).decode()
    shown = redactor(["VALUE"], VALUE=secret).redact(f"Authorization: Basic {pair}")
    assert pair not in shown
    assert MASK in shown


def test_a_key_of_many_lines_is_masked_line_by_line():
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n-----END PRIVATE KEY-----\n"
    shown = redactor(TLS_KEY=key).redact("line: kqhkiG9w0BAQ\n" + key)
    assert "MIIEvQIBADANBg" not in shown
    assert "kqhkiG9w0BAQ" not in shown


NAMES_OF_SECRETS = (
    *("SECRET_KEY", "DB_PASSWORD", "apiToken", "GITHUB_TOKEN", "dbPass", "DB_PASS", "SENTRY_DSN"),
    *("AWS_SECRET_ACCESS_KEY", "BASIC_AUTH", "PRIVATE_PEM", "credentials", "SLACK_WEBHOOK_URL"),
    *("PGPASSWORD", "API.KEY", "MYSQL_PWD"),
)


@pytest.mark.parametrize("name", NAMES_OF_SECRETS)
def test_names_that_say_secret(name):
    assert says_secret(name)


@pytest.mark.parametrize(
    "name", ["HOST", "PORT", "GREETING", "KEYCLOAK_URL", "AUTHOR", "PASSENGERS", "DEBUG"]
)
def test_names_that_do_not(name):
    assert not says_secret(name)


@pytest.mark.parametrize(
    "value",
    [
        RANDOM,
        "9f86d081884c7d659a2feaa0c55ad015",
        "550e8400-e29b-41d4-a716-446655440000",
        "AKIAIOSFODNN7EXAMPLE9X2",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    ],
)
def test_values_that_look_random(value):
    assert looks_random(value)
    assert redactor(OPAQUE=value).redact(f"x={value}") == f"x={MASK}"


@pytest.mark.parametrize(
    "value",
    [
        "production",
        "8000",
        "registry.example.com:5000/team/app2",
        "2025-12-02T14:30:22",
        "createApplicationFactory",
        "/var/lib/application/data",
        "agentic.settings.production",
        "redis://redis:6379/0",
        "hello, this is an ordinary sentence",
        "aaaaaaaaaaaaaaaaaaaaaaa1",
        "v2.5.0",
        "on",
    ],
)
def test_ordinary_values_stay(value):
    text = f"started {value} on port 8000 in production"
    assert redactor(SETTING=value).redact(text) == text


def test_short_values_are_never_masked():
    assert redactor(SECRET_KEY="abc", PASSWORD="").redact("abc") == "abc"


def test_words_that_are_in_every_log_are_not_masked():
    assert redactor(AUTH="true", SECRET_MODE="production").redact("true production") == (
        "true production"
    )


def test_a_number_is_masked_where_it_stands_alone():
    assert redactor(TOKEN_PIN="3600").redact("3600 13600 36000") == f"{MASK} 13600 36000"


def test_the_configuration_may_overrule():
    one = redactor(["PEPPER"], ["PUBLIC_KEY"], PEPPER="plain", PUBLIC_KEY="shown")
    assert one.redact("plain shown") == f"{MASK} shown"


def test_secrets_that_are_no_variable():
    assert redactor(extra=["hunter2"]).redact("login hunter2") == f"login {MASK}"


@pytest.mark.parametrize(
    "password", ["hunter2", "p%40ss", "p/w0rd", "p@ss", "aa:bb", "kJ8fQz2LmN5xR7vB"]
)
def test_the_password_in_a_variables_url_is_masked_everywhere(password):
    one = redactor(DATABASE=f"postgres://app:{password}@db:5432/app")
    assert password not in one.redact(f"cannot log in with {password} at db")
    assert "postgres://app:" in one.redact(f"postgres://app:{password}@db:5432/app")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at https://ci:tok@en@host/x", f"at https://ci:{MASK}@host/x"),
        ("amqp://:pw@mq", f"amqp://:{MASK}@mq"),
        ("http://host:8000/a", "http://host:8000/a"),
        ("mail me@host or http://x", "mail me@host or http://x"),
    ],
)
def test_a_password_in_any_url_is_masked_without_being_known(text, shown):
    assert redactor().redact(text) == shown


def test_each_secret_of_a_list_is_masked():
    assert redactor(API_KEYS="first1,second2").redact("used second2") == f"used {MASK}"


def test_parts_of_a_value_may_be_random():
    one = redactor(HOOK=f"https://hooks.example.com/services/{RANDOM}")
    assert one.redact(f"POST {RANDOM} failed") == f"POST {MASK} failed"


def test_what_is_masked_once_stays_as_it_is():
    one = redactor(PASSWORD="hunter2", OTHER_KEY="hunter2 too")
    once = one.redact("hunter2 hunter2 too http://a:b@c")
    assert one.redact(once) == once


def test_a_megabyte_of_log_is_read_through():
    """Patterns that look back again and again would meet the suite's timeout here."""
    variables = {f"SECRET_{n}": f"{RANDOM}{n:04}'\"$ü" for n in range(60)}
    one = redactor(**variables)
    text = "2025-12-02 14:30:22 INFO request served in 12 ms path=/api/v1/items/kJ8f\n" * 14_000
    assert one.redact(text) == text
