from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.settings import (
    FILE,
    PYPROJECT,
    Flags,
    KeyChoice,
    Limits,
    Paths,
    Screen,
    Settings,
    SettingsError,
    load_settings,
)


def project(folder: Path, own: str | None = None, pyproject: str | None = None) -> Path:
    for name, text in ((FILE, own), (PYPROJECT, pyproject)):
        if text is not None:
            (folder / name).write_text(text)
    return folder


def test_without_files_everything_is_the_default(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings(Paths(), Flags(), Limits(), None, None, ())


def test_a_pyproject_of_other_tools_says_nothing(tmp_path: Path) -> None:
    assert (
        load_settings(project(tmp_path, pyproject="[tool.ruff]\nline-length = 100")) == Settings()
    )


def test_everything_can_be_set(tmp_path: Path) -> None:
    text = """
        target = "aie2p"
        alloc-scheme = "basic-sequential"
        [paths]
        peano = "tools/peano"
        aiecc = "/opt/aiecc.py"
        python = "~/python"
        device = "/dev/accel/accel1"
        [flags]
        compile = ["-O1", "-DX=1"]
        [limits]
        aiecc = 30
        probe = 0.5
    """
    settings = load_settings(project(tmp_path, text))
    assert settings.target == "aie2p"
    assert settings.alloc_scheme == "basic-sequential"
    assert settings.paths.peano == tmp_path / "tools/peano"
    assert settings.paths.aiecc == Path("/opt/aiecc.py")
    assert settings.paths.python == Path.home() / "python"
    assert settings.paths.device == Path("/dev/accel/accel1")
    assert settings.paths.xrt is None
    assert settings.flags == Flags(compile=("-O1", "-DX=1"))
    assert (settings.limits.aiecc, settings.limits.probe) == (30.0, 0.5)
    assert settings.files == (tmp_path / FILE,)


def test_the_own_file_wins_key_by_key(tmp_path: Path) -> None:
    both = project(
        tmp_path,
        own='target = "aie2"\n[limits]\naiecc = 5',
        pyproject='[tool.npu-workbench]\ntarget = "aie2p"\nlimits = {aiecc = 9, compile = 8}',
    )
    settings = load_settings(both)
    assert settings.target == "aie2"
    assert (settings.limits.aiecc, settings.limits.compile) == (5.0, 8.0)
    assert settings.files == (tmp_path / PYPROJECT, tmp_path / FILE)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[path]", "no setting path", "did you mean paths?"),
        ("[paths]\npeeno = 'x'", "no setting paths.peeno", "did you mean peano?"),
        ("[limits]\nquux = 1", "no setting limits.quux", "there are probe, compile"),
        ("alloc_scheme = 'x'", "no setting alloc_scheme", "did you mean alloc-scheme?"),
        ("paths = 3", "paths must be a table, not 3", None),
        ("[paths]\npeano = 3", "paths.peano must be a path in quotes, not 3", None),
        ("[paths]\npeano = ''", "paths.peano must be a path", None),
        ("[paths]\npeano = '~nobody_at_all/x'", "a path whose ~ names a home", None),
        ("[flags]\ncompile = '-O1'", "flags.compile must be a list of strings", None),
        ("[flags]\naiecc = [1]", "flags.aiecc must be a list of strings", None),
        ("[limits]\nrun = true", "limits.run must be a positive number", None),
        ("[limits]\nrun = 0", "limits.run must be a positive number", None),
        ("[limits]\nrun = inf", "limits.run must be a positive number", None),
        ("[limits]\nrun = 'long'", "limits.run must be a positive number", None),
        ("target = 'npu1'", 'target must be "aie2" or "aie2p", not \'npu1\'', None),
        ("alloc-scheme = []", 'alloc-scheme must be "bank-aware" or "basic-sequential"', None),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str, hint: str | None) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(project(tmp_path, text))
    assert message in caught.value.message
    assert caught.value.where == str(tmp_path / FILE)
    assert (caught.value.hint or "").startswith(hint or "")


def test_the_pyproject_is_named_when_it_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(project(tmp_path, pyproject="[tool.npu-workbench]\ntargets = 'aie2'"))
    assert caught.value.where == str(tmp_path / PYPROJECT)
    assert caught.value.hint == "did you mean target?"


def test_a_table_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"tool\.npu-workbench must be a table, not 1"):
        load_settings(project(tmp_path, pyproject="[tool]\nnpu-workbench = 1"))


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not TOML") as caught:
        load_settings(project(tmp_path, 'target = "aie2"\n[limits\n'))
    assert caught.value.where == f"{tmp_path / FILE}:2"


def test_unreadable_files(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings(tmp_path)
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    with pytest.raises(SettingsError, match="can't be read"):
        load_settings(tmp_path)


@given(st.text())
def test_any_text_is_settings_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / FILE).write_text(text, encoding="utf-8", errors="surrogatepass")
    with contextlib.suppress(SettingsError):
        load_settings(folder)


def test_what_the_screen_is_to_be_like(tmp_path: Path) -> None:
    text = """
        [screen]
        theme = "mine.toml"
        signal = "notify"
        long-run = 3
        [keys]
        rerun = ["r", "f5"]
        log.wrap = "W"
        [keys.panes]
        up = "e"
    """
    settings = load_settings(project(tmp_path, text))
    assert settings.screen == Screen(str(tmp_path / "mine.toml"), "notify", 3.0)
    where = str(tmp_path / FILE)
    assert settings.keys == (
        KeyChoice("rerun", ("r", "f5"), where),
        KeyChoice("log.wrap", ("W",), where),
        KeyChoice("panes.up", ("e",), where),
    )


def test_keys_of_both_files_count_the_own_ones_more(tmp_path: Path) -> None:
    both = project(
        tmp_path,
        own='[keys]\nrerun = "R"',
        pyproject='[tool.npu-workbench.keys]\nrerun = "f5"\ncancel = "f6"',
    )
    chosen = {choice.action: (choice.keys, choice.where) for choice in load_settings(both).keys}
    assert chosen == {
        "rerun": (("R",), str(tmp_path / FILE)),
        "cancel": (("f6",), str(tmp_path / PYPROJECT)),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[keys]\nrerun = 3", "keys.rerun must be a key in quotes"),
        ("[keys]\nlog.wrap = []", "keys.log.wrap must be a key in quotes"),
        ("[keys.log.more]\nwrap = 'w'", "keys.log.more must be a key in quotes"),
        ("keys = 3", "keys must be a table"),
        ("[screen]\nsignal = 'horn'", 'screen.signal must be "none" or "bell" or "notify"'),
        ("[screen]\ntheme = 3", "screen.theme must be a theme's name"),
        ("[screen]\nlong_run = 3", "there is no setting screen.long_run (did you mean long-run?)"),
    ],
)
def test_what_no_screen_can_be_like(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(project(tmp_path, text))
    assert message in str(caught.value)
