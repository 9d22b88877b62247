"""Settings come from the environment, are checked, and are all documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import PREFIX, Settings, describe_problems

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def problems_of(**values: object) -> str:
    with pytest.raises(ValidationError) as caught:
        Settings(**values)  # type: ignore[arg-type]
    return describe_problems(caught.value)


def test_defaults_listen_only_on_this_machine() -> None:
    settings = Settings()
    assert (settings.host, settings.port, settings.device) == ("127.0.0.1", 8050, "auto")
    assert (settings.cache_limit_mb, settings.cache_timeout_s, settings.pixel_limit) == (1024, 604_800, 2**24)
    assert settings.redis_url is None
    assert settings.data_dir is None
    assert settings.cache_dir.is_absolute()


def test_guidance_leaves_a_core_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cache.settings._usable_cores", lambda: 6)
    assert Settings().guidance_threads == 5
    monkeypatch.setattr("cache.settings._usable_cores", lambda: 1)
    assert Settings().guidance_threads == 1


def test_environment_sets_every_kind_of_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FUSEVIS_PORT", "9000")
    monkeypatch.setenv("FUSEVIS_DEVICE", "cuda:1")
    monkeypatch.setenv("FUSEVIS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FUSEVIS_REDIS_URL", "redis://127.0.0.1:6379/0")
    settings = Settings()
    assert (settings.port, settings.device, settings.data_dir) == (9000, "cuda:1", tmp_path)
    assert settings.redis_url == "redis://127.0.0.1:6379/0"


def test_keywords_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSEVIS_PORT", "9000")
    assert Settings(port=9001).port == 9001


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(PREFIX + name.upper(), "")
    assert getattr(Settings(), name) == getattr(Settings.model_construct(), name)


def test_a_folder_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert Settings(cache_dir=Path("~/results")).cache_dir == tmp_path / "results"
    assert Settings(cache_dir=Path("results")).cache_dir == tmp_path / "results"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", ""),
        ("port", "65536"),
        ("port", "-1"),
        ("port", "http"),
        ("server_threads", "0"),
        ("device", "gpu"),
        ("device", "cuda:"),
        ("device", "cuda:one"),
        ("interactive_threads", "0"),
        ("guidance_threads", "-2"),
        ("cache_limit_mb", "0"),
        ("cache_timeout_s", "-1"),
        ("redis_url", "http://127.0.0.1:6379"),
        ("data_dir", "/no/such/folder"),
        ("pixel_limit", "0"),
        ("secret_key", "too short"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str) -> None:
    message = problems_of(**{name: value})
    assert message.startswith(f"{name} (FUSEVIS_{name.upper()})")
    assert len(message.splitlines()) == 1


def test_every_problem_is_told_at_once() -> None:
    assert len(problems_of(port=-1, device="gpu").splitlines()) == 2


def test_confidential_values_are_not_repeated() -> None:
    told = problems_of(redis_url="http://user:hunter2@host", secret_key="hunter2")
    assert "hunter2" not in told
    shown = repr(Settings(redis_url="redis://user:hunter2@host", secret_key="hunter2hunter2hunter2"))
    assert "hunter2" not in shown


def test_a_misspelt_variable_is_refused_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSEVIS_CACH_DIR", "/tmp")
    assert problems_of() == "There is no setting FUSEVIS_CACH_DIR; did you mean FUSEVIS_CACHE_DIR?"


def test_settings_do_not_change_under_way() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


def documented_defaults() -> dict[str, str]:
    """Return each row of the document's table: variable without the prefix → default."""
    table = DOCUMENT.read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `FUSEVIS_(\w+)` \| ([^|]*) \|", table, flags=re.MULTILINE))


def test_the_document_lists_exactly_the_settings_that_exist() -> None:
    assert list(documented_defaults()) == [name.upper() for name in Settings.model_fields]


def test_the_document_gives_the_fixed_defaults() -> None:
    fixed = {
        name.upper(): f"`{field.default}`"
        for name, field in Settings.model_fields.items()
        if field.default_factory is None and field.default is not None
    }
    documented = documented_defaults()
    assert {name: documented[name] for name in fixed} == fixed


def test_every_setting_has_a_description() -> None:
    assert all(field.description for field in Settings.model_fields.values())
