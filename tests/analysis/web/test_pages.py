"""Replays as files, in a real browser: every game can be clicked through, and nothing in them does anything of its own."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from stratarena.agents.budget import Spend
from stratarena.agents.tree import NodeCheck, SearchTree, TreeKind, TreeNode
from stratarena.analysis.web.bundle import write_page
from stratarena.analysis.web.document import match_document, play_again, summary
from stratarena.arena.cli import run_command_line
from stratarena.arena.commands.reading import opened
from stratarena.arena.events import Called, Searched
from stratarena.games.base import Move

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
SHOTS = os.environ.get("STRATARENA_SCREENSHOTS")
"""A folder to leave pictures in, for those who want to look themselves."""
BOARDS = [
    ("connect_four", ".board.four .disc", ("attacker",)),
    ("hex", ".board.hex .disc", ()),
    ("chess", ".board.chess .piece", ()),
    ("chess960", ".board.chess .piece", ()),
    ("open_spiel:tic_tac_toe", ".board.text pre", ()),
    ("open_spiel:kuhn_poker", ".board.text pre", ()),
    ("tower_defense", ".board.tower .unit", ("climber",)),
    ("battle_card", ".table .card", ()),
    ("turn_based", ".arena .fighter", ()),
]


def shoot(page, name):
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def frame(page):
    return int(page.locator(".scrub").input_value())


def last(page):
    return int(page.locator(".scrub").get_attribute("max"))


@pytest.mark.parametrize(("game", "thing", "agents"), BOARDS, ids=[game for game, _, _ in BOARDS])
def test_a_match_of_every_game_can_be_stepped_through_from_a_file(game, thing, agents, match_of, page_of, look):
    """Keys, buttons, scrubber and move list lead to the same place; the board is drawn at each step, offline."""
    number = match_of(game, *agents)
    with look(page_of(number).as_uri(), offline=True) as page:
        page.wait_for_selector(".replay")
        end = last(page)
        assert end > 1
        assert page.locator("h2", has_text="The start").count() == 1
        page.keyboard.press("ArrowRight")
        assert frame(page) == 1
        page.get_by_role("button", name="On (→)").click()
        assert frame(page) == 2
        page.keyboard.press("ArrowLeft")
        assert frame(page) == 1
        page.locator(".movelist button").last.click()
        assert frame(page) == end
        assert page.locator(thing).count() > 0
        # The link leads back to the place.
        assert page.url.endswith(f"#frame={end}")
        page.keyboard.press("Home")
        assert frame(page) == 0
        page.locator(".scrub").fill(str(end))
        assert frame(page) == end
        assert page.locator(".result").inner_text()
        shoot(page, game.replace(":", "-"))
        assert page.asked == [page_of(number).as_uri()]
        assert page.wrong == []


def test_jumps_lead_to_revisions_refusals_and_the_largest_swing(record, match_of, page_of, look):
    """Where the record has them, in order; the swing is the largest of the judged frames."""
    number = match_of("connect_four", "attacker", plies=6)
    with opened(record) as reader:
        match = reader.match(str(number))
        document = match_document(play_again(reader, match), reader.tournament("every-game"))
    has = {
        kind: [n for n, one in enumerate(document["frames"]) if any(step["kind"] == kind for step in one["steps"])]
        for kind in ("revised", "refused")
    }
    values = [one["standing"] and one["standing"]["value"] for one in document["frames"]]
    swings = {n: abs(values[n] - values[n - 1]) for n in range(1, len(values)) if None not in values[n - 1 : n + 1]}
    assert has["revised"]
    assert has["refused"]
    with look(page_of(number).as_uri()) as page:
        for kind, key in (("revised", "v"), ("refused", "r")):
            page.keyboard.press("Home")
            for wanted in has[kind]:
                page.keyboard.press(key)
                assert frame(page) == wanted
                assert page.locator(f".step.{kind}").count() >= 1
        assert page.locator(".step.refused").first.locator(".why").inner_text()
        page.keyboard.press("Home")
        if max(swings.values(), default=0) >= 0.1:
            page.get_by_role("button", name="largest swing").click()
            assert swings[frame(page)] == max(swings.values())
        assert "by" in page.locator(".evalbar").get_attribute("aria-label")


def test_a_revised_plan_is_shown_as_a_difference(match_of, page_of, look):
    """What came, went and moved, each with its cost, and what the plan costs of its purse."""
    number = match_of("battle_card", "climber", "greedy")
    with look(page_of(number).as_uri()) as page:
        page.keyboard.press("v")
        revised = page.locator(".step.revised")
        assert revised.count() == 1
        assert revised.locator(".change-list li").count() > 0
        signs = revised.locator(".change-list .sign").evaluate_all("all => all.map((one) => one.title)")
        assert set(signs) <= {"added", "removed", "moved", "replaced", "kept"}
        assert page.locator(".plans .meter").count() == 2


def test_a_round_is_played_moment_by_moment(match_of, page_of, look):
    """The slider of a battle moves units and health; the log follows the cards."""
    with look(page_of(match_of("tower_defense", "climber", "greedy")).as_uri()) as page:
        page.locator(".movelist button").last.click()
        slider = page.locator(".transport input")
        end = float(slider.get_attribute("max"))
        places = "all => all.filter((one) => one.getAttribute('visibility') === 'visible').map((one) => one.getAttribute('transform')).join()"
        seen = set()
        for share in (0, 0.4, 0.6, 1):
            slider.evaluate("(one, at) => { one.value = at; one.dispatchEvent(new Event('input')); }", end * share)
            seen.add(page.locator(".unit").evaluate_all(places))
        assert len(seen) == 4
    with look(page_of(match_of("battle_card", "climber", "greedy")).as_uri()) as page:
        page.locator(".movelist button").last.click()
        page.locator(".log li").nth(20).click()
        assert page.locator(".log .now").count() == 1
        assert page.locator(".clock").inner_text().startswith("21 of")


def test_nothing_that_a_model_wrote_runs_or_is_asked_for(record, match_of, page_of, look):
    """Script tags, handlers, ends of elements, style, frames, links and escapes of a hostile agent are words on a page."""
    total = 0
    with opened(record) as reader:
        hostile = [
            match
            for match in reader.matches(reader.tournament("every-game"))
            if "attacker" in (match.first, match.second)
        ]
    imported = match_of("chess", "Ada", "Bob")
    for number in [*[match.match_id for match in hostile if match.plies > 3][:4], imported]:
        with look(page_of(number).as_uri()) as page:
            for _ in range(last(page) + 1):
                page.locator("#turn details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
                total += page.locator("#turn .words").count()
                page.keyboard.press("ArrowRight")
            assert page.evaluate("window.pwned") is None
            assert page.evaluate("window.violations") == []
            for tag in ("script", "style", "img", "iframe", "link", "base", "form", "object", "embed"):
                assert page.locator(f"#app {tag}").count() == 0, tag
            assert page.locator("#app [onerror], #app [onload], #app [onclick]").count() == 0
            assert page.locator("#app [style*=fixed]").count() == 0
            assert page.asked == [page_of(number).as_uri()]
            assert page.wrong == []
    assert total > 20


def test_hostile_words_are_shown_as_they_were_said(match_of, page_of, look):
    """Markup stands there letter by letter; escapes and reversals of writing are named instead of obeyed."""
    said = []
    with look(page_of(match_of("connect_four", "attacker", plies=6)).as_uri()) as page:
        for _ in range(last(page) + 1):
            said += page.locator("#turn .message.answer .words").all_inner_texts()
            page.keyboard.press("ArrowRight")
    together = "\n".join(said)
    assert "<script>window.pwned = 1</script>" in together or "</script><script>window.pwned = 2" in together
    assert "\x1b" not in together
    assert "\u202e" not in together
    if "owned" in together:
        assert "␛]0;owned" in together


def test_the_policy_is_a_second_lock(match_of, page_of, look):
    """Markup that got in all the same would neither run nor fetch."""
    with look(page_of(match_of("chess")).as_uri()) as page:
        page.evaluate(
            """() => {
              const box = document.createElement('div');
              box.innerHTML = '<img src="https://example.com/x.png" onerror="window.pwned = 1">';
              document.body.append(box);
              const script = document.createElement('script');
              script.textContent = 'window.pwned = 2';
              document.body.append(script);
              const style = document.createElement('style');
              style.textContent = 'body { display: none }';
              document.body.append(style);
            }"""
        )
        page.wait_for_timeout(300)
        assert len(page.evaluate("window.violations")) >= 3
        assert page.evaluate("window.pwned") is None
        assert page.locator("body").is_visible()
        # The browser tells of the wish for the picture, and that the policy refused it before anything was sent.
        assert page.blocked == [("https://example.com/x.png", "csp")]
        assert page.asked == [page_of(match_of("chess")).as_uri(), "https://example.com/x.png"]


def test_a_tournament_is_one_file_with_an_index(record, page_of, look):
    """Every match that has begun is listed, can be chosen by game, and opens from the same file."""
    with opened(record) as reader:
        matches = reader.matches(reader.tournament("every-game"))
    path = page_of("every-game")
    with look(path.as_uri(), offline=True) as page:
        page.wait_for_selector("table")
        assert page.locator("tbody tr").count() == len(matches)
        page.select_option("select[name=game]", "chess960")
        expect(page.locator("tbody tr")).to_have_count(2)
        page.locator("tbody a").first.click()
        page.wait_for_selector(".board.chess")
        page.keyboard.press("End")
        assert "match=" in page.url
        page.get_by_role("link", name="Tournament every-game").click()
        page.wait_for_selector("table")
        shoot(page, "tournament")
        assert page.asked == [path.as_uri()]
        assert page.wrong == []


def test_a_page_fits_a_phone_and_both_themes(match_of, page_of, look):
    """Nothing is wider than the screen; dark follows the system and can be switched."""
    for game in ("chess", "tower_defense", "battle_card", "turn_based", "hex"):
        with look(page_of(match_of(game)).as_uri(), width=390, height=800, color_scheme="dark") as page:
            page.keyboard.press("End")
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), game
            dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
            page.get_by_role("button", name="Light or dark").click()
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
            shoot(page, f"phone-{game}")


CONTRAST = """() => {
  const channel = (value) => { const one = value / 255; return one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const colour = (text) => { const found = text.match(/[\\d.]+/g).map(Number); return found.length > 3 && found[3] === 0 ? null : found.slice(0, 3); };
  const behind = (node) => { for (let at = node; at; at = at.parentElement) { const found = colour(getComputedStyle(at).backgroundColor); if (found) return found; } return [255, 255, 255]; };
  const poor = [];
  for (const node of document.querySelectorAll('#app *')) {
    if (node.closest('svg, .fallen, .gone, :disabled') || !node.checkVisibility()) continue;
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())) continue;
    const [one, two] = [light(colour(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < 4.5) poor.push(`${node.tagName}.${node.className} ${node.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return [...new Set(poor)];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_and_everything_has_a_name(scheme, match_of, page_of, look):
    """Contrast of at least 4.5 to 1 (WCAG AA), and a name for every button and picture."""
    for game, agents in (
        ("connect_four", ("attacker",)),
        ("battle_card", ("climber", "greedy")),
        ("turn_based", ()),
        ("chess", ("Ada",)),
    ):
        with look(page_of(match_of(game, *agents)).as_uri(), color_scheme=scheme) as page:
            page.keyboard.press("v")
            page.locator("#app details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
            assert page.evaluate(CONTRAST) == [], game
            nameless = "all => all.filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim())).length"
            assert page.locator("button, [role=img], input, select").evaluate_all(nameless) == 0


def test_keys_reach_everything(match_of, page_of, look):
    """By tab alone one comes to the controls and the moves; the list of keys opens and closes."""
    with look(page_of(match_of("chess")).as_uri()) as page:
        reached = set()
        for _ in range(30):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.className")
            )
        assert {"On (→)", "Ply", "Keys (?)"} <= reached
        assert any(name.startswith("move ") for name in reached)
        page.keyboard.press("?")
        assert page.locator("dialog.help").is_visible()
        page.keyboard.press("Escape")
        page.locator("dialog.help").wait_for(state="detached")


def test_the_same_record_gives_the_same_bytes(record, match_of, tmp_path, capsys):
    """No clock and no order of chance in a page."""
    number = str(match_of("battle_card"))
    for name in ("one", "two"):
        assert run_command_line(["replay", number, "--html", str(tmp_path / name), "--db", record]) == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_file_is_never_written_over(record, match_of, tmp_path, capsys):
    """A word, an exit code, and the file as it was."""
    path = tmp_path / "mine.html"
    path.write_text("mine")
    assert run_command_line(["replay", str(match_of("chess")), "--html", str(path), "--db", record]) == 2
    assert "exists already" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert run_command_line(["replay", "nonesuch", "--html", str(tmp_path / "x.html"), "--db", record]) == 1
    assert "is no tournament" in capsys.readouterr().err
    assert not (tmp_path / "x.html").exists()


def test_the_document_holds_texts_once(record, match_of):
    """Prompts repeat themselves; the document does not."""
    with opened(record) as reader:
        match = reader.match(str(match_of("connect_four", "attacker", plies=6)))
        document = match_document(play_again(reader, match), reader.tournament("every-game"))
    texts = document["texts"]
    assert len(texts) == len(set(texts))
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def searched(record, number, tree, tmp_path):
    """The page of a match in whose first turn somebody searched that tree."""
    with opened(record) as reader:
        match = reader.match(str(number))
        played = play_again(reader, match)
        first = played.frames[1]
        played.frames[1] = replace(
            first, steps=(*first.steps, Searched(tree=tree, spend=Spend(nodes=5, think_ms=12.0)))
        )
        document = match_document(played, reader.tournament("every-game"))
    path = tmp_path / "searched.html"
    path.write_text("".join(write_page("A search", [summary(match)], [document])), encoding="utf-8")
    return path


def node(parent, move, depth, **more):
    return TreeNode(parent=parent, move=None if move is None else Move(move), depth=depth, **more)


def test_a_search_can_be_opened_move_by_move(record, match_of, look, tmp_path):
    """Candidates by visits, the principal variation open, what the rules found wrong, and a model's words as words."""
    fine = NodeCheck(legal=True, legal_local=True, state_right=True, state_right_local=True, terminal_right=True, n_missed=0)  # fmt: skip
    wrong = NodeCheck(legal=False, legal_local=False, state_right=None, state_right_local=None, terminal_right=None, n_missed=None)  # fmt: skip
    tree = SearchTree(
        kind=TreeKind.INTERNAL,
        method="minimax",
        simulations=9,
        n_nodes=5,
        depth=2,
        first_move=Move("3"),
        value_before=-0.25,
        value_after=0.5,
        line=(Move("4"), Move("5")),
        whole=True,
        nodes=(
            node(None, None, 0, visits=9, value=0.5),
            node(0, "3", 1, visits=2, value=-0.1, prior=0.6, check=fine),
            node(0, "4", 1, visits=6, value=0.5, prior=0.4, check=fine, state="<img src=x onerror=alert(1)>"),
            node(2, "5", 2, visits=3, value=0.5, proven=True, terminal=True, check=fine),
            node(0, "9", 1, visits=1, problem="</script><script>window.pwned = 1</script>", check=wrong),
        ),
    )
    path = searched(record, match_of("connect_four", "greedy", "mcts-20"), tree, tmp_path)
    with look(path.as_uri() + "#frame=1") as page:
        step = page.locator(".step.searched")
        assert step.locator("h3").inner_text() == "Search: minimax"
        assert "value −0.25 → +0.50, 3 → 4" in step.inner_text()
        assert "By the rules: 3 of 4 moves legal, 3 of 3 positions right" in step.inner_text()
        codes = step.locator(".node > code:first-child").all_inner_texts()
        assert codes == ["4", "5", "3", "9"]
        assert step.locator(".node.best").count() == 2
        assert "not legal" in step.locator(".node.wrong").inner_text()
        assert "</script><script>" in step.inner_text()
        assert "<img src=x" in step.inner_text()
        shoot(page, "search")
        assert page.evaluate("window.pwned") is None
        assert page.asked == [path.as_uri() + "#frame=1"] or page.asked == [path.as_uri()]
        assert page.wrong == []


def test_a_long_run_of_calls_is_one_line_until_it_is_opened(record, match_of, look, tmp_path):
    """What a search asked its model does not push plan and refusals out of sight."""
    with opened(record) as reader:
        played = play_again(reader, reader.match(str(match_of("connect_four", "attacker", plies=6))))
        at, call = next(
            (at, step)
            for at, one in enumerate(played.frames)
            for step in one.steps
            if isinstance(step, Called) and step.error is None
        )
        played.frames[at] = replace(played.frames[at], steps=(call,) * 9)
        document = match_document(played, reader.tournament("every-game"))
    path = tmp_path / "calls.html"
    path.write_text("".join(write_page("Calls", [summary(played.match)], [document])), encoding="utf-8")
    with look(path.as_uri() + f"#frame={at}") as page:
        run = page.locator(".step.called")
        assert run.count() == 1
        run.locator("summary", has_text="9 calls in a row").click()
        expect(page.locator(".step.called .step.called")).to_have_count(9)
        assert page.locator(".step.called .step.called .answer").first.is_visible()
        assert page.wrong == []


def test_a_large_search_keeps_its_most_visited_nodes_with_all_above_them(record, match_of, look, tmp_path):
    """Ten thousand nodes: what is left out is said, and the page opens."""
    rng = Random(1)
    nodes = [node(None, None, 0, visits=10_000, value=0.0)]
    for _ in range(10_000):
        parent = rng.randrange(len(nodes))
        nodes.append(node(parent, str(rng.randrange(1, 8)), nodes[parent].depth + 1, visits=rng.randrange(3)))
    tree = SearchTree(kind=TreeKind.EXTERNAL, method="uct", simulations=10_000, n_nodes=10_001, depth=30, nodes=tuple(nodes), whole=True)  # fmt: skip
    path = searched(record, match_of("connect_four", "greedy", "mcts-20"), tree, tmp_path)
    with look(path.as_uri() + "#frame=1") as page:
        assert "are left out here" in page.locator(".step.searched").inner_text()
        shown = page.locator(".step.searched .node").count()
        page.locator(".step.searched summary").first.click()
        expect(page.locator(".step.searched .node")).not_to_have_count(shown)
        assert page.wrong == []
