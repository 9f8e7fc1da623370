"""The plug-in loader: spelling of specs, names, and every way in which loading goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.games import plugins
from stratarena.games.base import SpecError
from stratarena.games.connect_four import ConnectFour
from stratarena.games.plugins import GROUPS, load, load_game, names, parse_spec, print_spec

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
VALUES: st.SearchStrategy[plugins.Value] = (
    st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e99, max_value=1e99)
    | st.text().filter(lambda text: "\\" not in text and not ('"' in text and "'" in text))
)


@pytest.mark.parametrize(
    ("text", "name", "params"),
    [
        ("chess", "chess", {}),
        ("hex()", "hex", {}),
        ("hex(size=7)", "hex", {"size": 7}),
        (" hex ( size = 7 , swap=true ) ", "hex", {"size": 7, "swap": True}),
        ("mcts(c=1.5, n=-2, x=1e3)", "mcts", {"c": 1.5, "n": -2, "x": 1000.0}),
        ("""uci(path="/a b/(c), d", other='say "hi"')""", "uci", {"path": "/a b/(c), d", "other": 'say "hi"'}),
        ("llm(system='')", "llm", {"system": ""}),
    ],
)
def test_a_spec_is_a_name_and_typed_parameters(text: str, name: str, params: dict[str, object]) -> None:
    """Whole numbers stay whole, true is true, quotes come off."""
    read = parse_spec(text)
    assert read == (name, params)
    assert list(map(type, read[1].values())) == list(map(type, params.values()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7hex",
        "hex(",
        "hex)",
        "hex(size)",
        "hex(7)",
        "hex(size=)",
        "hex(size=seven)",
        "hex(size=7,)",
        "hex(size=7 swap=true)",
        "hex(size=7)(swap=true)",
        "hex(swap=True)",
        "hex(size=7, size=7)",
        'hex(size="7)',
        "hex(size=[7])",
        "hex(size=0x7)",
        "hex(size=nan)",
        "hex(size=1e999)",
        "hex(size=٧)",
        "hex(size=" + "9" * 5000 + ")",
        "hex(size=__import__('os'))",
    ],
)
def test_anything_else_is_no_spec(text: str) -> None:
    """Strict: nothing is guessed, evaluated or dropped."""
    with pytest.raises(SpecError):
        parse_spec(text)


@given(NAMES, st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_printed_spec_reads_back_as_it_was(name: str, params: dict[str, plugins.Value]) -> None:
    """Order of parameters included."""
    assert parse_spec(print_spec(name, params)) == (name, params)
    assert list(parse_spec(print_spec(name, params))[1]) == list(params)


def test_a_text_that_has_no_spelling_is_refused_when_printed() -> None:
    """Rather than printed so that it reads back as something else."""
    with pytest.raises(SpecError, match="cannot be written"):
        print_spec("x", {"y": "\"'"})


def test_our_games_are_found_by_name() -> None:
    """Through the same entry points as a stranger's."""
    ours = {plugin.name: plugin for plugin in names("stratarena.games") if plugin.distribution == "stratarena"}
    assert {"chess", "connect_four", "hex"} <= set(ours)
    assert ours["chess"].value == "stratarena.games.fide_chess:Chess"
    assert isinstance(load_game("connect_four"), ConnectFour)


@pytest.mark.parametrize("group", GROUPS)
def test_every_name_of_ours_loads_or_lacks_only_an_extra(group: str) -> None:
    """A renamed function would show here."""
    for plugin in names(group):
        if plugin.distribution == "stratarena":
            assert callable(load(group, plugin.name))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ches", "there is no game 'ches'; did you mean 'chess'"),
        ("zzz", "there is no game 'zzz'; there are: .*chess"),
        ("hex(sise=7)", "no parameter 'sise'; did you mean 'size'. it takes: size, swap"),
        ("chess(size=7)", "no parameter 'size'; it takes none"),
        ("hex(size=99)", "whole number from 2 to 19"),
        ("hex(size='7')", "whole number from 2 to 19"),
        ("hex(swap=1)", "expected true or false"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_accepted(text: str, says: str) -> None:
    """One sentence a user can act on."""
    with pytest.raises(SpecError, match=says):
        load_game(text)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Puts a distribution with one game, and its module, on the path."""

    def put(distribution: str, *, name: str, value: str, module: str = "") -> None:
        info = tmp_path / f"{distribution.replace('-', '_')}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[stratarena.games]\n{name} = {value}\n")
        if module:
            (tmp_path / f"{module}.py").write_text("from stratarena_nowhere import rules\n")
        plugins._points.cache_clear()

    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    yield put
    plugins._points.cache_clear()


def test_two_distributions_that_claim_one_name_are_both_named(install) -> None:  # type: ignore[no-untyped-def]
    """Neither wins by the order of installation."""
    install("checkers-one", name="checkers", value="one:Game")
    install("checkers-two", name="checkers", value="two:Game")
    with pytest.raises(SpecError, match="'checkers' is claimed by checkers-one and by checkers-two"):
        load_game("checkers")
    assert [plugin.distribution for plugin in names("stratarena.games") if plugin.name == "checkers"] == [
        "checkers-one",
        "checkers-two",
    ]


def test_a_plugin_that_fails_to_import_is_listed_and_raises_only_when_asked_for(install) -> None:  # type: ignore[no-untyped-def]
    """Listing imports nothing; the error carries the cause."""
    install("broken", name="broken", value="broken_rules:Game", module="broken_rules")
    assert "broken" in {plugin.name for plugin in names("stratarena.games")}
    assert "broken_rules" not in sys.modules
    with pytest.raises(SpecError, match="'broken' cannot be loaded from broken_rules:Game: No module") as raised:
        load_game("broken")
    assert isinstance(raised.value.__cause__, ImportError)
