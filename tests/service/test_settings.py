"""Settings: every wrong one is refused with a sentence that says what to do."""

import base64
import dataclasses
from hashlib import sha256
from pathlib import Path

import pytest

from service.personal_fields import GROUPS
from service.setting_table import SETTINGS, Role, Setting
from service.settings import Settings, SettingsError, default_text, without_password

WEB = {
    "REDIS_URL": "redis://:hunter2@store.internal:6379/1",
    "STRIPE_WEBHOOK_SECRET": "whsec_first",
    "ONFILE_API_KEYS": "sk_live_0123456789abcdef",
}


def problems_of(environ: dict[str, str], role: Role = "web") -> list[str]:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ(environ, role=role)
    return refused.value.problems


def problem_with(name: str, text: str) -> str:
    [problem] = problems_of({**WEB, name: text})
    assert problem.startswith(f"{name} ")
    assert problem.endswith(".")
    return problem


def test_what_the_web_needs_is_enough() -> None:
    settings = Settings.from_environ(WEB, role="web")
    assert settings.redis_url == settings.projection_url == WEB["REDIS_URL"]
    assert settings.webhook_secrets == ("whsec_first",)
    assert settings.api_keys == ("sk_live_0123456789abcdef",)
    assert settings.ops_key is None
    assert settings.port == 8000


def test_every_setting_can_be_set() -> None:
    settings = Settings.from_environ(
        {
            **WEB,
            "ONFILE_PROJECTION_URL": "rediss://cluster.internal:7000",
            "STRIPE_API_KEY": "rk_live_0123456789abcdef",
            "ONFILE_STRIPE_URL": "https://stripe.internal/",
            "ONFILE_OPS_KEY": "ops_0123456789abcdef",
            "ONFILE_METRICS_KEY": "metrics_0123456789abcdef",
            "ONFILE_ENCRYPTION_KEYS": base64.b64encode(bytes(range(32))).decode(),
            "ONFILE_HOST": "0.0.0.0",  # noqa: S104
            "PORT": "9000",
            "ONFILE_DROP_FIELDS": "email, name",
            "ONFILE_REPLICAS": "1",
            "ONFILE_RETENTION_DAYS": "7",
            "ONFILE_SIGNATURE_TOLERANCE_SECONDS": "60",
            "ONFILE_BODY_LIMIT_BYTES": "2048",
            "ONFILE_HEAD_LIMIT_BYTES": "4096",
            "ONFILE_CONNECTION_LIMIT": "100",
            "ONFILE_CLIENT_TIMEOUT_SECONDS": "2.5",
            "ONFILE_KEEP_ALIVE_SECONDS": "30",
            "ONFILE_STORE_TIMEOUT_SECONDS": "0.5",
            "ONFILE_LOG_FORMAT": "JSON",
            "ONFILE_LOG_LEVEL": "warning",
        },
        role="web",
    )
    defaults = Settings(redis_url="", webhook_secrets=(), api_keys=())
    for field in dataclasses.fields(Settings):
        assert getattr(settings, field.name) != getattr(defaults, field.name)


def test_the_table_has_a_row_for_every_setting_and_only_for_those() -> None:
    fields = [field.name for field in dataclasses.fields(Settings)]
    assert sorted(row.field for row in SETTINGS) == sorted(fields)
    assert len({row.name for row in SETTINGS}) == len(fields)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_default_is_a_value_that_could_be_set(setting: Setting) -> None:
    text = default_text(setting)
    if text and text != setting.default_text:
        assert setting.read(text) == getattr(Settings(redis_url="redis://x"), setting.field)
    assert setting.meaning.endswith(".")
    assert bool(setting.needed_by) == bool(setting.advice)


def test_several_secrets_and_keys_are_separated_by_commas_and_trimmed() -> None:
    settings = Settings.from_environ(
        {
            **WEB,
            "STRIPE_WEBHOOK_SECRET": " whsec_new , whsec_old,",
            "ONFILE_API_KEYS": "sk_test_1,rk_live_0123456789",
        },
        role="web",
    )
    assert settings.webhook_secrets == ("whsec_new", "whsec_old")
    assert settings.api_keys == ("sk_test_1", "rk_live_0123456789")


def test_what_to_drop_is_named_in_groups_or_is_all() -> None:
    def dropped(text: str) -> tuple[str, ...]:
        return Settings.from_environ({**WEB, "ONFILE_DROP_FIELDS": text}, role="web").drop_fields

    assert dropped("phone,EMAIL, ") == ("email", "phone")
    assert dropped("all") == dropped("name,all") == tuple(GROUPS)
    assert dropped("") == ()
    told = problem_with("ONFILE_DROP_FIELDS", "email,nmae")
    assert "names 'nmae'" in told
    assert all(group in told for group in (*GROUPS, "all"))


def test_all_problems_are_told_at_once_in_sentences() -> None:
    problems = problems_of({"PORT": "eighty", "ONFILE_LOG_LEVEL": "loud"})
    assert [problem.split()[0] for problem in problems] == [
        "REDIS_URL",
        "STRIPE_WEBHOOK_SECRET",
        "ONFILE_API_KEYS",
        "PORT",
        "ONFILE_LOG_LEVEL",
    ]
    assert problems[1] == (
        "STRIPE_WEBHOOK_SECRET is not set: copy the signing secret (whsec_…) from the endpoint's "
        "page in Stripe's dashboard."
    )
    assert problems[3] == "PORT is 'eighty'; it must be a whole number from 1 to 65535."


@pytest.mark.parametrize("role", ["worker", "operator"])
def test_who_answers_no_http_needs_no_secret_and_no_key(role: Role) -> None:
    assert Settings.from_environ({"REDIS_URL": "redis://store"}, role=role).api_keys == ()
    [problem] = problems_of({}, role)
    assert problem.startswith("REDIS_URL is not set")


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
@pytest.mark.parametrize("name", WEB)
def test_an_empty_value_is_none(name: str, blank: str) -> None:
    [problem] = problems_of({**WEB, name: blank})
    assert problem.startswith(f"{name} is not set: ")


@pytest.mark.parametrize("name", ["STRIPE_WEBHOOK_SECRET", "ONFILE_API_KEYS"])
def test_commas_alone_are_no_secret_and_no_key(name: str) -> None:
    assert problem_with(name, ", ,").endswith("holds only commas; write at least one value.")


@pytest.mark.parametrize("secret", ["sk_live_oops", "whsec_", "whsec_a b", "WHSEC_abc"])
def test_what_cannot_be_a_webhook_secret_is_refused_and_not_repeated(secret: str) -> None:
    problem = problem_with("STRIPE_WEBHOOK_SECRET", f"whsec_fine,{secret}")
    assert "a secret (number 2) that" in problem
    assert f" {secret} " not in problem


@pytest.mark.parametrize(
    "key", ["secret", "sk_live_test_0123456789", "sk_live_x y", "sk_live_shört"]
)
def test_a_key_says_which_one_mode_it_reads(key: str) -> None:
    problem = problem_with("ONFILE_API_KEYS", key)
    assert "exactly one of _live_ and _test_" in problem
    assert key not in problem.replace("a key ", "")


def test_a_live_key_that_can_be_guessed_is_refused() -> None:
    assert "shorter than 16 characters" in problem_with("ONFILE_API_KEYS", "sk_live_1")


@pytest.mark.parametrize("key", ["short", "0123456789 abcdef", "0123456789äöüabcdef"])
def test_an_operators_key_that_can_be_guessed_or_not_be_sent_is_refused(key: str) -> None:
    assert key not in problem_with("ONFILE_OPS_KEY", key)


def test_the_operators_key_reads_nothing() -> None:
    key = "sk_live_0123456789abcdef"
    [problem] = problems_of({**WEB, "ONFILE_OPS_KEY": key})
    assert problem.startswith("ONFILE_OPS_KEY is also in ONFILE_API_KEYS")


def test_encryption_keys_are_read_in_their_order_from_a_file_too(tmp_path: Path) -> None:
    first, second = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    (tmp_path / "keys").write_text(f"{first}\n{second}\n")
    environ = {"REDIS_URL": "redis://store"}
    by_file = environ | {"ONFILE_ENCRYPTION_KEYS_FILE": str(tmp_path / "keys")}
    assert Settings.from_environ(by_file, role="worker").encryption_keys == (first, second)
    stopped = Settings.from_environ(
        environ | {"ONFILE_ENCRYPTION_KEYS": f"none,{first}"}, role="worker"
    )
    assert stopped.encryption_keys == ("none", first)
    assert first in stopped.secrets
    assert "none" not in stopped.secrets
    assert first not in repr(stopped)


@pytest.mark.parametrize(
    "key", ["secret", "c2hvcnQ=", "A" * 43, base64.b64encode(bytes(31)).decode(), "ä" * 44]
)
def test_what_is_no_encryption_key_is_refused_with_how_to_make_one(key: str) -> None:
    problem = problem_with("ONFILE_ENCRYPTION_KEYS", f"none,{key}")
    assert "a key (number 2) that is not 32 bytes in base64" in problem
    assert "`openssl rand -base64 32`" in problem
    assert key not in problem


def test_an_encryption_key_stands_in_one_place_and_none_in_the_first() -> None:
    key = base64.b64encode(bytes(32)).decode()
    assert "a key twice" in problem_with("ONFILE_ENCRYPTION_KEYS", f"{key},{key}")
    assert "only stand first" in problem_with("ONFILE_ENCRYPTION_KEYS", f"{key},none")


def test_encryption_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.setting_values.find_spec", lambda _: None)
    key = base64.b64encode(bytes(32)).decode()
    assert "pip install 'onfile[encryption]'" in problem_with("ONFILE_ENCRYPTION_KEYS", key)


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "rediss://h:1/0",
        "unix:///run/valkey.sock",
        "redis://u:p@[::1]:6379/2",
        "redis+sentinel://u:p@h1:1,h2/primary/3",
        "rediss+sentinel://[::1]:1,[::2]/primary",
    ],
)
def test_a_store_is_named_by_its_address(url: str) -> None:
    assert Settings.from_environ({"REDIS_URL": url}, role="worker").redis_url == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("localhost:6379", "begins with 'localhost'"),
        ("store", "begins with 'no scheme'"),
        ("http://localhost", "begins with 'http'"),
        ("redis://", "names no host"),
        ("redis://h:port", "cannot be read"),
        ("redis://h:99999", "cannot be read"),
        ("redis://[::1", "cannot be read"),
        ("redis://h/zero", "number of a database"),
        ("unix://", "names no socket"),
        ("redis://h?decode_responses=True", "workers cannot live with"),
        ("redis+sentinel://h1,h2:port/primary", "no host and port"),
        ("redis+sentinel://h1,,h2/primary", "no host and port"),
        ("redis+sentinel://h1:1,h2:2", "names no primary"),
        ("redis+sentinel://h1:1,h2:2/primary/zero", "names no primary"),
        ("redis+sentinel://h1/primary?protocol=3", "has options"),
    ],
)
def test_what_is_no_address_of_a_store_is_refused(url: str, why: str) -> None:
    for name in ("REDIS_URL", "ONFILE_PROJECTION_URL"):
        assert why in problem_with(name, url)


@pytest.mark.parametrize("text", ["0", "65536", "-1", "1.5", "\u0661", "9" * 5000])
def test_a_number_out_of_bounds_is_refused(text: str) -> None:
    problem = problem_with("PORT", text)
    assert "must be a whole number from 1 to 65535" in problem
    assert len(problem) < 200


@pytest.mark.parametrize("text", ["0", "61", "nan", "inf", "1e1", "soon"])
def test_a_duration_out_of_bounds_is_refused(text: str) -> None:
    assert "must be seconds from 0.05 to 60" in problem_with("ONFILE_STORE_TIMEOUT_SECONDS", text)


def test_an_address_to_listen_on_is_no_url() -> None:
    assert "must be an address" in problem_with("ONFILE_HOST", "http://0.0.0.0")


def test_its_repr_shows_no_secret() -> None:
    environ = {
        **WEB,
        "ONFILE_OPS_KEY": "ops_0123456789abcdef",
        "STRIPE_API_KEY": "rk_test_0123456789",
    }
    settings = Settings.from_environ(environ, role="web")
    assert settings.secrets == (
        "whsec_first",
        "sk_live_0123456789abcdef",
        "rk_test_0123456789",
        "ops_0123456789abcdef",
        "hunter2",
    )
    for shown in (repr(settings), str(settings), f"{settings}"):
        assert "redis_url='redis://***@store.internal:6379/1'" in shown
        assert not any(secret in shown for secret in settings.secrets)


def test_a_password_is_secret_in_both_spellings() -> None:
    settings = Settings(redis_url="redis://u:p%40ss@h", projection_url="redis://h")
    assert settings.secrets == ("p%40ss", "p@ss")
    assert without_password("redis://u:p%40ss@h:1/0") == "redis://***@h:1/0"
    assert without_password("redis://h") == "redis://h"


@pytest.mark.parametrize("text", ["sk_live_a", "rk_test_a", "sk_live_a, rk_test_b"])
def test_stripes_own_key_is_taken_for_each_mode(text: str) -> None:
    settings = Settings.from_environ({**WEB, "STRIPE_API_KEY": text}, role="web")
    assert settings.stripe_keys == tuple(text.split(", "))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("pk_live_a", "no secret key of Stripe's"),
        ("whsec_a", "no secret key of Stripe's"),
        ("sk_live_a, rk_test_b c", "a key (number 2) that is no secret key"),
        ("sk_live_a,rk_live_b", "two keys of one mode"),
    ],
)
def test_what_is_no_key_of_stripes_is_refused_and_not_repeated(text: str, why: str) -> None:
    problem = problem_with("STRIPE_API_KEY", text)
    assert why in problem
    assert text not in problem


@pytest.mark.parametrize(
    "url", ["api.stripe.com", "ftp://h", "https://", "http://h?a=b", "http://h:x", "http://u:p@h"]
)
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    assert "must be the address of a server" in problem_with("ONFILE_STRIPE_URL", url)


class TestFiles:
    def test_a_setting_may_be_in_a_file_one_value_a_line(self, tmp_path: Path) -> None:
        (tmp_path / "secrets").write_text("whsec_new\n\n whsec_old \n")
        environ = {**WEB, "STRIPE_WEBHOOK_SECRET_FILE": str(tmp_path / "secrets")}
        del environ["STRIPE_WEBHOOK_SECRET"]
        settings = Settings.from_environ(environ, role="web")
        assert settings.webhook_secrets == ("whsec_new", "whsec_old")

    def test_an_empty_file_is_no_value(self, tmp_path: Path) -> None:
        (tmp_path / "keys").write_text("\n")
        environ = {**WEB, "ONFILE_API_KEYS": "", "ONFILE_API_KEYS_FILE": str(tmp_path / "keys")}
        [problem] = problems_of(environ)
        assert problem.startswith("ONFILE_API_KEYS is not set: ")

    def test_a_value_and_a_file_are_one_too_many(self) -> None:
        [problem] = problems_of({**WEB, "PORT": "1", "PORT_FILE": "port"})
        assert problem == "PORT is set, and so is PORT_FILE; set one of them."

    @pytest.mark.parametrize("content", [None, b"\xff"])
    def test_a_file_that_cannot_be_read_is_named(
        self, tmp_path: Path, content: bytes | None
    ) -> None:
        path = tmp_path / "file"
        if content:
            path.write_bytes(content)
        [problem] = problems_of({**WEB, "ONFILE_OPS_KEY_FILE": str(path)})
        assert problem.startswith(
            f"ONFILE_OPS_KEY cannot be read: ONFILE_OPS_KEY_FILE names {path}"
        )


class TestHashes:
    HEX = sha256(b"sk_live_0123456789abcdef").hexdigest()

    def test_keys_may_be_given_as_hashes(self) -> None:
        keys = f"sha256:live:{self.HEX},sha256:test:{self.HEX}"
        assert Settings.from_environ({**WEB, "ONFILE_API_KEYS": keys}, role="web").api_keys == (
            f"sha256:live:{self.HEX}",
            f"sha256:test:{self.HEX}",
        )

    @pytest.mark.parametrize(
        "key", ["sha256:HEX", "sha256:live:HEXa", "sha256:prod:HEX", "sha256:sk_live_0123456789"]
    )
    def test_a_hash_that_is_none_is_refused_and_not_repeated(self, key: str) -> None:
        key = key.replace("HEX", self.HEX)
        assert key not in problem_with("ONFILE_API_KEYS", key)

    def test_the_operators_key_may_be_a_hash_and_no_broken_one(self) -> None:
        environ = {**WEB, "ONFILE_OPS_KEY": f"sha256:{sha256(b'other').hexdigest()}"}
        assert Settings.from_environ(environ, role="web").ops_key
        assert "64 hex digits" in problem_with("ONFILE_OPS_KEY", f"sha256:{self.HEX[:-1]}")

    @pytest.mark.parametrize("ops", ["sk_live_0123456789abcdef", f"sha256:{HEX}"])
    @pytest.mark.parametrize("api", ["sk_live_0123456789abcdef", f"sha256:live:{HEX}"])
    def test_the_operators_key_is_no_api_key_however_they_are_written(
        self, ops: str, api: str
    ) -> None:
        [problem] = problems_of({**WEB, "ONFILE_API_KEYS": api, "ONFILE_OPS_KEY": ops})
        assert problem.startswith("ONFILE_OPS_KEY is also in ONFILE_API_KEYS")


def test_the_metrics_key_must_not_read_customers() -> None:
    key = WEB["ONFILE_API_KEYS"]
    [problem] = problems_of({**WEB, "ONFILE_METRICS_KEY": key})
    assert problem.startswith("ONFILE_METRICS_KEY is also in ONFILE_API_KEYS")
    assert key not in problem
