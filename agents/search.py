"""The search kernel: select, expand, back up, over one compact tree; every searching agent of ours stands on it.

A node holds numbers only for the moves that were tried, which come first; of the others only the next is ever looked at. It
does no asking of its own. `gather` descends and hands out the leaves that need an evaluation, `supply` takes one and
backs it up, so that the same kernel serves a function that answers at once, a batch, and answers that come one by one.
Evaluation, prior, transition and the choice at the root are passed in.

Values inside run from 0 (lost) to 1 (won). Sources: PUCT of AlphaZero in the form that OpenSpiel's asynchronous search has,
with dynamic virtual counts after Schultz et al., *Mastering Board Games by External and Internal Planning with Language
Models* (2412.12119): an edge on the way to a waiting leaf counts as tried some times more, the most at the leaf, half as
often a ply up, and at least `virtual_min` times. Proven results after Winands et al., *Monte-Carlo Tree Search Solver*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf, log, sqrt
from random import Random
from typing import Any

from stratarena.agents.search_tree import DEAD, DRAW, Evaluation, Leaf, Node, Opened, Settings, World
from stratarena.games.base import Move

__all__ = ["RootChoice", "Search", "best_mean", "most_visits", "secure"]

_ORDERS = 16
"""Orders of each number of moves that are drawn; each is also begun at any of its places."""

RootChoice = Callable[[Node], int]


class Search:
    """A search in progress, on one tree from one root. The same arguments and answers give the same tree."""

    def __init__(
        self,
        root: Opened,
        world: World,
        *,
        settings: Settings | None = None,
        rng: Random,
        key: Callable[[Any], Any] | None = None,
    ) -> None:
        """`key` tells equal positions by equal values, where transpositions are wanted."""
        self.settings = settings or Settings()
        self.root = Node(root, None, None)
        self.simulations = 0
        """Descents made, whatever they came to."""
        self.n_nodes = 1
        """Positions entered."""
        self.depth = 0
        self._world = world
        self._rng = rng
        self._uct = self.settings.selection == "uct"
        self._orders: dict[int, list[list[int]]] = {}
        self._known: dict[Any, Node] | None = None
        self._key = key
        if self.settings.transpositions:
            if key is None:
                raise ValueError("transpositions need a key that tells positions apart")
            self._known = {key(root.state): self.root}

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to search: the root is proven, or all its moves are dead."""
        return self.root.result is not None or self.root.exhausted

    def gather(self, n: int) -> list[Leaf]:
        """Make `n` descents; the leaves that need an evaluation, each once. Supply all of them before the next call.

        A descent that ends in a known result is backed up at once. Before the root is evaluated it is the only leaf,
        and its evaluation no simulation.
        """
        if self.root.value is None:
            leaf = Leaf(self.root)
            leaf.paths.append([])
            return [leaf]
        leaves: list[Leaf] = []
        for _ in range(n):
            if self.is_over:
                break
            self.simulations += 1
            node, path = self._descend()
            if self._known_result(node, path):
                continue
            waiting = node.pending
            if waiting is None:
                waiting = node.pending = Leaf(node)
                leaves.append(waiting)
            waiting.paths.append(path)
            if n > 1:
                self._add_virtual(path)
        return leaves

    def supply(self, leaf: Leaf, evaluation: Evaluation | None) -> None:
        """Take what somebody thinks of a leaf; None says that nobody could tell, and that its move is dead."""
        node = leaf.node
        node.pending = None
        for path in leaf.paths:
            for edge, _ in path:
                edge.virtual = None
        if evaluation is None:
            for path in leaf.paths:
                self._bury(node, path)
            return
        node.claim = evaluation.claim
        if evaluation.opened is not None:
            node.state, node.first, node.result = evaluation.opened
            node.terminal = node.result is not None
        for path in leaf.paths:
            if not self._known_result(node, path):
                self._take(node, evaluation, path)

    def run(self, evaluate: Callable[[Node], Evaluation], simulations: int) -> None:
        """Search with a function that answers at once until so many simulations are made, or nothing is left to search."""
        root, descend, take = self.root, self._descend, self._take
        if root.value is None and root.result is None:
            take(root, evaluate(root), [])
        while self.simulations < simulations and root.result is None and not root.exhausted:
            self.simulations += 1
            node, path = descend()
            if (node.value is None and node.result is None) or not self._known_result(node, path):
                take(node, evaluate(node), path)

    def moves_at(self, node: Node) -> tuple[Move, ...]:
        """The moves of a node in the world's order, which is the order of an evaluation's numbers."""
        return tuple(self._world.moves(node.state))

    def list_moves(self, node: Node) -> None:
        """Have the moves of an evaluated node listed, in the order of their priors; of equals in an order drawn for it.

        So no tie is decided by the game's own order. Drawing anew for each node would cost more than the node: the orders
        come from some that are drawn once.
        """
        evaluation = node.evaluation
        if node.moves is not None or evaluation is None:
            return
        moves = self._world.moves(node.state) if evaluation.moves is None else evaluation.moves
        count = len(moves)
        drawn = self._orders.get(count)
        if drawn is None:
            drawn = self._orders[count] = []
        draw = self._rng.random() * _ORDERS
        which = int(draw)
        while which >= len(drawn):
            drawn.append(self._rng.sample(range(count), count))
        order = drawn[which]
        begin = int((draw - which) * count)
        order = order[begin:] + order[:begin]
        priors = evaluation.priors
        if priors is not None:
            if node is self.root:
                priors = self._with_noise(priors)
            order = sorted(order, key=lambda i: -priors[i])
            node.priors = [priors[i] for i in order]
        if evaluation.estimates is not None:
            node.estimates = [evaluation.estimates[i] for i in order]
        node.moves = [moves[i] for i in order]
        node.visits, node.totals, node.means, node.urges, node.children = [], [], [], [], []
        node.exhausted = not count
        node.evaluation = None

    def open_next(self, node: Node) -> Node:
        """Enter the next untried move of a node; the position there, not evaluated yet."""
        assert node.moves is not None
        child = self._enter(node, node.moves[len(node.visits)])
        node.visits.append(0)
        node.totals.append(0.0)
        node.means.append(0.0)
        node.urges.append(0.0)
        node.children.append(child)
        if node.proofs is not None:
            node.proofs.append(None)
        if node.virtual is not None:
            node.virtual.append(0)
        return child

    def line(self, choose: RootChoice | None = None) -> tuple[Move, ...]:
        """The principal variation: the root's choice, then the most visited move of each node; empty before any opinion."""
        moves: list[Move] = []
        node: Node | None = self.root
        choice = choose or most_visits
        self.list_moves(self.root)
        while node is not None and node.moves:
            i = choice(node)
            tried = i < len(node.visits) and node.visits[i] > 0
            if moves and not tried:
                break
            moves.append(node.moves[i])
            node = node.children[i] if tried else None
            choice = most_visits
        return tuple(moves)

    def nodes(self) -> Iterator[Node]:
        """Every position entered, parents before children, level by level; the root first."""
        level = [self.root]
        seen = {id(self.root)}
        while level:
            yield from level
            below = []
            for node in level:
                for child in node.children if node.moves is not None else ():
                    if id(child) not in seen:
                        seen.add(id(child))
                        below.append(child)
            level = below

    def _descend(self) -> tuple[Node, list[tuple[Node, int]]]:
        """From the root by selection to a node that is not evaluated, or whose result is known."""
        node = self.root
        path: list[tuple[Node, int]] = []
        settings, uct = self.settings, self._uct
        while node.value is not None and node.result is None:
            moves = node.moves
            if moves is None:
                self.list_moves(node)
                moves = node.moves
                assert moves is not None
            if node.exhausted:
                break
            means = node.means
            tried = len(means)
            if node.proofs is not None or node.virtual is not None:
                i = _select(node, settings)
            elif not uct:
                i = _select_puct(node, settings)
            elif tried < len(moves):
                i = tried
            else:
                # UCB1, written out here: it is most of what plain searches do.
                count = 1.0 * node.n
                scale = settings.c * sqrt(log(count))
                best, i, place = -inf, 0, 0
                for mean, urge in zip(means, node.urges):  # noqa: B905
                    score = mean + scale * urge
                    if score > best:
                        best, i = score, place
                    place += 1  # noqa: SIM113
            path.append((node, i))
            node = node.children[i] if i < tried else self.open_next(node)
        if len(path) > self.depth:
            self.depth = len(path)
        return node, path

    def _enter(self, node: Node, move: Move) -> Node:
        opened = self._world.enter(node.state, move)
        child = Node(opened, node, move)
        if self._known is not None and opened is not None:
            assert self._key is not None
            known = self._known.setdefault(self._key(opened.state), child)
            if known is not child:
                return known
        self.n_nodes += 1
        return child

    def _known_result(self, node: Node, path: list[tuple[Node, int]]) -> bool:
        """Whether a descent came to a known result, or to where nothing is left to try; it is backed up then."""
        if node.result is not None:
            self._back_up(path, node.result)
            if self.settings.solve:
                _prove(path, node.result)
            return True
        if node.value is not None:
            node.n += 1
            self._back_up(path, node.value if node.first else 1.0 - node.value)
            return True
        return False

    def _back_up(self, path: list[tuple[Node, int]], result: float) -> None:
        """Count a result, which is FIRST's, in along the way."""
        against = 1.0 - result
        uct = self._uct
        for node, i in path:
            node.n += 1
            n = node.visits[i] + 1
            count = 1.0 * n
            total = node.totals[i] + (result if node.first else against)
            node.visits[i] = n
            node.totals[i] = total
            node.means[i] = total / count
            if uct:
                node.urges[i] = 1.0 / sqrt(count)
            else:
                priors = node.priors
                node.urges[i] = (1.0 if priors is None else priors[i]) / (1.0 + count)

    def _take(self, node: Node, evaluation: Evaluation, path: list[tuple[Node, int]]) -> None:
        """Keep an evaluation and back it up."""
        node.evaluation = evaluation
        value = node.value = evaluation.value
        node.n = 1
        self._back_up(path, value if node.first else 1.0 - value)

    def _bury(self, leaf: Node, path: list[tuple[Node, int]]) -> None:
        """Give up the last move of a path; a node without a move left to try is exhausted."""
        if not path:
            leaf.exhausted = True
            return
        node, i = path[-1]
        if node.proofs is None:
            node.proofs = [None] * len(node.visits)
        if node.proofs[i] is None:
            node.proofs[i] = DEAD
        assert node.moves is not None
        node.exhausted = len(node.proofs) == len(node.moves) and None not in node.proofs

    def _add_virtual(self, path: list[tuple[Node, int]]) -> None:
        settings, count = self.settings, self.settings.virtual_max
        for node, i in reversed(path):
            if node.virtual is None:
                node.virtual = [0] * len(node.visits)
            node.virtual[i] += max(settings.virtual_min, count)
            count //= 2

    def _with_noise(self, priors: tuple[float, ...]) -> tuple[float, ...]:
        share = self.settings.noise_share
        if not share:
            return priors
        drawn = [self._rng.gammavariate(self.settings.noise_alpha, 1.0) for _ in priors]
        total = sum(drawn) or 1.0
        return tuple((1 - share) * p + share * g / total for p, g in zip(priors, drawn, strict=True))


def most_visits(node: Node) -> int:
    """The root choice of AlphaZero: the most visited move, of equals the one with the higher mean, estimate, prior.

    A proven win comes before everything, a proven loss after everything but dead moves. Before any visit it is the move
    of the highest estimate, else prior: the choice of no search.
    """
    return _choice(node, lambda i: (node.visits[i] if i < len(node.visits) else 0, node.mean(i) or 0.0))


def best_mean(node: Node) -> int:
    """The move of the highest mean result, of equals the most visited; otherwise as `most_visits`."""
    return _choice(
        node,
        lambda i: (-inf if (mean := node.mean(i)) is None else mean, node.visits[i] if i < len(node.visits) else 0),
    )


def secure(node: Node) -> int:
    """The move of the highest lower bound, mean less 1 / sqrt(visits) (Chaslot et al.); otherwise as `most_visits`."""

    def bound(i: int) -> tuple[float, float]:
        mean = node.mean(i)
        return (-inf, 0.0) if mean is None or not node.visits[i] else (mean - 1 / sqrt(node.visits[i]), mean)

    return _choice(node, bound)


def _choice(node: Node, rank: Callable[[int], tuple[float, float]]) -> int:
    assert node.moves is not None
    estimates = node.estimates

    def key(i: int) -> tuple[float, ...]:
        return (node.standing(i), *rank(i), 0.0 if estimates is None else estimates[i], node.prior(i))

    return max(range(len(node.moves)), key=key)


def _select_puct(node: Node, settings: Settings) -> int:
    """The move of the highest mean plus c · prior · sqrt(N) / (1 + n), a tried one before others of equals."""
    count = 1.0 * node.n
    weight = settings.c * sqrt(count)
    moves, priors = node.moves, node.priors
    assert moves is not None
    share = weight if priors is not None else weight / len(moves)
    best, i, tried = -inf, 0, 0
    for mean, urge in zip(node.means, node.urges):  # noqa: B905
        score = mean + share * urge
        if score > best:
            best, i = score, tried
        tried += 1
    if tried < len(moves):
        first = settings.first_play
        if first is None:
            first = _bring_forward(node, weight)
        if first + weight * node.prior(tried) > best:
            return tried
    return i


def _select(node: Node, settings: Settings) -> int:
    """Selection where results are proven or virtual tries stand: a proven move counts as just its result."""
    proofs, virtual = node.proofs, node.virtual
    total = node.n + (sum(virtual) if virtual is not None else 0)
    weight = settings.c * sqrt(total)
    uct = settings.selection == "uct"
    best, chosen = -inf, -1
    assert node.moves is not None
    tried = len(node.visits)
    if tried < len(node.moves):
        if uct:
            return tried
        first = settings.first_play
        if first is None:
            first = _bring_forward(node, weight)
        best, chosen = first + weight * node.prior(tried), tried
    for i, visits in enumerate(node.visits):
        proof = None if proofs is None else proofs[i]
        if proof is not None:
            if proof == DEAD:
                continue
            score = proof
        else:
            extra = 0 if virtual is None else virtual[i]
            n = visits + extra
            mean = (node.totals[i] + extra * settings.virtual_value) / n if n else settings.virtual_value
            score = mean + (settings.c * sqrt(log(total) / max(n, 1)) if uct else weight * node.prior(i) / (1 + n))
        if score >= best:
            best, chosen = score, i
    return chosen


def _bring_forward(node: Node, weight: float) -> float:
    """Make the untried move that the evaluation itself and the priors favour most the next one; its estimate."""
    moves, estimates, priors, tried = node.moves, node.estimates, node.priors, len(node.visits)
    assert moves is not None
    if estimates is None:
        return DRAW
    i = max(range(tried, len(moves)), key=lambda i: estimates[i] + weight * node.prior(i))
    moves[tried], moves[i] = moves[i], moves[tried]
    estimates[tried], estimates[i] = estimates[i], estimates[tried]
    if priors is not None:
        priors[tried], priors[i] = priors[i], priors[tried]
    return estimates[tried]


def _prove(path: list[tuple[Node, int]], result: float) -> None:
    """Note a proven result of the last move of a path, and of every node that it decides."""
    for node, i in reversed(path):
        if node.proofs is None:
            node.proofs = [None] * len(node.visits)
        node.proofs[i] = result if node.first else 1.0 - result
        decided = _decided(node)
        if decided is None:
            return
        node.result = result = decided if node.first else 1.0 - decided


def _decided(node: Node) -> float | None:
    """The proven value of a node for its side to move: a winning move decides, else all must be proven."""
    proofs = node.proofs
    assert proofs is not None
    assert node.moves is not None
    if 1.0 in proofs:
        return 1.0
    if len(proofs) < len(node.moves):
        return None
    # A dead move may be anything, so the others prove nothing then.
    known = [proof for proof in proofs if proof is not None and proof != DEAD]
    return max(known) if len(known) == len(proofs) else None
