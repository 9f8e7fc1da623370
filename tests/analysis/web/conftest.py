"""A record of every game, with an agent in it that answers as an attacker would, and a real browser to look at it."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager

import pytest

from stratarena.arena.cli import run_command_line
from stratarena.arena.commands.reading import opened

HOSTILE = [
    "<script>window.pwned = 1</script> 4",
    "</script><script>window.pwned = 2</script><img src=x onerror='window.pwned = 3'> 3",
    "<svg onload='window.pwned = 4'><style>* { display: none !important }</style> 5",
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m <iframe src='https://example.com/frame'></iframe> 2",
    "<a href='javascript:window.pwned = 5' style='position:fixed;inset:0'>here</a> 6 <!-- <script>",
    "\u202e\u2066 <link rel=stylesheet href='https://example.com/x.css'><img src='https://example.com/x.png'> 1",
    "{{constructor.constructor('window.pwned = 6')()}} ${window.pwned = 7} \\u003cscript\\u003e 7 ]]>",
    '"><base href="https://example.com/"><form action="https://example.com/"><input name=x></form> 4 3 4',
]
TOURNAMENT = f"""
name = "every-game"
seed = 5
games = ["connect_four", "hex(size=5, swap=true)", "chess", "chess960", "open_spiel:tic_tac_toe", "open_spiel:kuhn_poker",
  "tower_defense(rounds=3)", "battle_card(rounds=3)", "turn_based(rounds=3)"]
rounds = 1

[policies]
re_asks = 8
max_plies = {{ chess = 24, chess960 = 16 }}

[budgets]
move = {{ completion_tokens = 12 }}
match = {{ model_calls = 40 }}

[models.attacker]
kind = "scripted"
answers = {json.dumps(HOSTILE)}

[agents.attacker]
kind = "llm"
model = "attacker"
reader = "tolerant"
line = 3
self_checks = 1
max_tokens = 200
games = ["connect_four", "tower_defense(rounds=3)"]

[agents.greedy]
kind = "greedy"
games = ["connect_four", "hex(size=5, swap=true)", "chess", "chess960", "tower_defense(rounds=3)", "battle_card(rounds=3)",
  "turn_based(rounds=3)"]

[agents.climber]
kind = "best_response"
tries = 6

[agents.mcts-20]
kind = "mcts"
simulations = 20
games = ["connect_four", "hex(size=5, swap=true)", "chess", "chess960"]

[agents.dice]
kind = "random"
games = ["open_spiel:tic_tac_toe", "open_spiel:kuhn_poker"]

[agents.dice-2]
kind = "random"
games = ["open_spiel:tic_tac_toe", "open_spiel:kuhn_poker"]
"""
PGN = """[Event "</script><script>window.pwned = 8</script>"]
[White "Ada"]
[Black "Bob"]
[Result "1-0"]

1. e4 {<img src=x onerror="window.pwned = 9"> [%eval 0.3]} e5 {[%eval 0.2]} 2. Qh5 Ke7 {[%eval #1]} 3. Qxe5# 1-0
"""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def record(tmp_path_factory):
    """The path of a database with a match of every game, graded where that is quick."""
    folder = tmp_path_factory.mktemp("every-game")
    db = str(folder / "every-game.db")
    (folder / "every.toml").write_text(TOURNAMENT, encoding="utf-8")
    assert run_command_line(["run", str(folder / "every.toml"), "--db", db]) == 0
    assert run_command_line(["annotate", "every-game", "--with", "bitbully", "--db", db]) == 0
    (folder / "evil.pgn").write_text(PGN, encoding="utf-8")
    assert run_command_line(["import", str(folder / "evil.pgn"), "--into", db]) == 0
    return db


@pytest.fixture(scope="session")
def match_of(record):
    """The number of a match of a game between two agents, or of any two."""

    def find(game, *agents, plies=0):
        with opened(record) as reader:
            for tournament in reader.tournaments():
                for match in reader.matches(tournament):
                    if (
                        match.game.startswith(game)
                        and set(agents) <= {match.first, match.second}
                        and match.plies >= plies
                    ):
                        return match.match_id
        raise AssertionError(f"no match of {game} with {agents}")

    return find


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        why = "no Chromium on this machine (Debian: apt-get install chromium): nobody has looked at the pages"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    # A page is waited for as long as a crowded machine may need: these tests ask what it shows, not how soon.
    playwright.expect.set_options(timeout=60_000)
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def look(browser):
    """Opens an address in a page that keeps count of everything it asks for and everything that goes wrong."""
    contexts = []

    @contextmanager
    def opener(address, *, width=1280, height=900, **more):
        context = browser.new_context(viewport={"width": width, "height": height}, **more)
        contexts.append(context)
        page = context.new_page()
        page.asked, page.blocked, page.wrong = [], [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("requestfailed", lambda request: page.blocked.append((request.url, request.failure)))
        page.on("dialog", lambda dialog: (page.wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("pageerror", lambda error: page.wrong.append(f"error: {error}"))
        page.on("console", lambda line: page.wrong.append(line.text) if line.type in ("error", "warning") else None)
        page.on("popup", lambda popup: page.wrong.append(f"popup: {popup.url}"))
        page.add_init_script(
            "window.violations = []; document.addEventListener('securitypolicyviolation',"
            " (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));"
        )
        page.goto(address)
        page.wait_for_selector("main")
        yield page
        context.close()

    return opener


@pytest.fixture(scope="session")
def page_of(record, tmp_path_factory):
    """The path of the page of a match or tournament, written once."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}

    def write(reference):
        if reference not in made:
            made[reference] = folder / f"{reference}.html"
            assert run_command_line(["replay", str(reference), "--html", str(made[reference]), "--db", record]) == 0
        return made[reference]

    return write
