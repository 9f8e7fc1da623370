"""Chess endings of king and queen, or king and rook, against king, as the model sees them.

A board is four tokens: the squares of the mover's king, of the other king and of the piece, and whose piece it is and which.
Behind them each move that there might be has a place of its own, which holds the square it would lead to on an empty
board and answers with the move's value, or that it is not possible: a line of the piece may be blocked, the board end,
the square be guarded. Colours do not matter, so texts show the mover as White; counts of moves and repetitions are no part of it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import chess
import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm import endings
from stratarena.agents.gamelm.endings import IMAGES, KINDS, MOVES, NOWHERE, QUEEN, SQUARES, STEPS, TARGETS
from stratarena.agents.gamelm.forms import Board, Boards, NotInterchange
from stratarena.agents.gamelm.games import CHESS
from stratarena.agents.gamelm.labels import ILLEGAL, Labelled
from stratarena.agents.gamelm.reading import STATUSES
from stratarena.agents.gamelm.splits import plainest
from stratarena.agents.gamelm.vocabulary import BUCKETS, Vocabulary
from stratarena.games.base import Move, PositionError, Seat, SpecError
from stratarena.games.fide_chess import Chess

__all__ = ["FORM", "LONGEST", "ChessEndingsForm", "moves_to_mate"]

LONGEST = 20
"""More moves than any mate takes: a move that wins has this score less the moves to the mate, itself among them."""
_OWN, _THEIRS = NOWHERE, NOWHERE + len(KINDS)
"""The content of a kind of piece is its number above these."""
_PIECE_TYPES = {chess.QUEEN: QUEEN, chess.ROOK: endings.ROOK}
_LETTERS = ".QR"
_STATE = re.compile(r"w \|\| ([KQRkqr.](?: [KQRkqr.]){63}) \|\|")
_NO_ENDING = "no ending of king and queen, or king and rook, against king, without castling rights"

_Men = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def _packed(king: NDArray[np.int64], piece: NDArray[np.int64], kind: NDArray[np.int64]) -> Boards:
    return (king | piece << 7 | kind << 14).astype(np.uint64)


def _men(side: Boards) -> _Men:
    """A side's king, piece and kind of piece."""
    numbers = side.astype(np.int64)
    return numbers & 127, numbers >> 7 & 127, numbers >> 14 & 3


def _one(king: int, piece: int = NOWHERE, kind: int = 0) -> int:
    return king | piece << 7 | kind << 14


def _origins() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which move becomes a move of an image: `[image, 8]` for steps, `[image, square, 32]` for the piece."""
    steps = np.zeros((8, 8), np.int64)
    lines = np.tile(np.arange(32), (8, SQUARES + 1, 1))
    for image, goes in enumerate(IMAGES):
        home = 27
        steps[image] = [goes[STEPS[home]].tolist().index(to) for to in STEPS[goes[home]]]
        for square in range(SQUARES):
            before, after = goes[TARGETS[QUEEN, square]].tolist(), TARGETS[QUEEN, goes[square]].tolist()
            # Places off the board have no partner of their own: any will do, for no move is there.
            spare = [index for index, to in enumerate(before) if to == NOWHERE]
            lines[image, square] = [spare.pop() if to == NOWHERE else before.index(to) for to in after]
    return steps, lines


_STEP_ORIGINS, _LINE_ORIGINS = _origins()


class ChessEndingsForm:
    """See `forms.Form`; a side is a number that packs its king's square, its piece's and which piece it is."""

    game = CHESS
    tag = "chess"
    order = tuple(range(MOVES))
    words = Vocabulary(
        moves=MOVES,
        contents=SQUARES + 1 + 2 * len(KINDS),
        places=4,
        asked=MOVES,
        nothing=NOWHERE,
        # A king alone, with a rook, with a queen.
        lengths=(8, 24, 40),
    )
    images = len(IMAGES)

    def contents(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """Squares as in python-chess, 64 for a piece that is not there; then 65 and 66 an own queen and rook, 67 and 68 theirs."""
        (king, piece, kind), (other, their_piece, their_kind) = _men(own), _men(opponent)
        where = np.where(kind > 0, piece, their_piece)
        whose = np.where(kind > 0, _OWN + kind, np.where(their_kind > 0, _THEIRS + their_kind, NOWHERE))
        return np.stack([king, other, where, whose], axis=1)

    def asked(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """Where each step of the mover's king and each move of its piece leads on an empty board."""
        king, piece, kind = _men(own)
        return np.concatenate([STEPS[king], TARGETS[kind, piece]], axis=1)

    def board_of(self, contents: tuple[int, ...]) -> Board:
        """The board that these words say; a square that is none stands off the board."""
        king, other, where = (min(word, NOWHERE) for word in contents[:3])
        whose = contents[3] - NOWHERE
        if whose <= 0:
            return _one(king), _one(other)
        if whose <= len(KINDS):
            return _one(king, where, whose), _one(other)
        return _one(king), _one(other, where, whose - len(KINDS))

    def room(self, own: Boards, opponent: Boards) -> NDArray[np.bool_]:
        """The legal moves."""
        (king, piece, kind), (other, their_piece, their_kind) = _men(own), _men(opponent)
        able: NDArray[np.bool_] = np.zeros((len(own), MOVES), np.bool_)
        lone, strong = np.flatnonzero(kind == 0), np.flatnonzero(kind)
        able[lone, :8] = endings.lone_moves(their_kind[lone], other[lone], their_piece[lone] & 63, king[lone])
        able[strong] = endings.strong_moves(kind[strong], king[strong], piece[strong], other[strong])
        return able

    def play(self, own: Boards, opponent: Boards, moves: NDArray[np.int64]) -> tuple[Boards, Boards]:
        """The boards after a possible move, seen by the other side."""
        (king, piece, kind), (other, their_piece, their_kind) = _men(own), _men(opponent)
        to = self.asked(own, opponent)[np.arange(len(own)), moves]
        walks = moves < len(STEPS[0])
        taken = (their_kind > 0) & (to == their_piece)
        mover = _packed(np.where(walks, to, king), np.where(walks, piece, to), kind)
        return _packed(other, np.where(taken, NOWHERE, their_piece), np.where(taken, 0, their_kind)), mover

    def statuses(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """Lost where the mover is mated; drawn where it is stalemated, or only the kings are left."""
        (king, _, kind), (other, piece, their_kind) = _men(own), _men(opponent)
        check = endings.attacked(their_kind, piece & 63, king, other)
        stuck = (kind == 0) & ~self.room(own, opponent).any(axis=1)
        drawn = np.where(stuck | (kind + their_kind == 0), STATUSES.index("<drawn>"), 0)
        return np.where(stuck & check, STATUSES.index("<lost>"), drawn).astype(np.int64)

    def image(self, own: Boards, opponent: Boards, which: NDArray[np.int64] | int) -> tuple[Boards, Boards]:
        """Under one of the board's eight symmetries."""
        (king, piece, kind), (other, their_piece, their_kind) = _men(own), _men(opponent)
        return (
            _packed(IMAGES[which, king], IMAGES[which, piece], kind),
            _packed(IMAGES[which, other], IMAGES[which, their_piece], their_kind),
        )

    def image_moves(self, own: Boards, opponent: Boards, which: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """By the squares that they lead to."""
        _, piece, _ = _men(own)
        numbers = np.broadcast_to(np.asarray(which), piece.shape)
        return np.concatenate([_STEP_ORIGINS[numbers], _LINE_ORIGINS[numbers, piece] + len(STEPS[0])], axis=1)

    def chances(self, scores: NDArray[np.integer]) -> NDArray[np.float64]:
        """One half for a draw; a bucket for every move that a mate takes, the quickest win the highest, 0.74 to 0.99."""
        moves = LONGEST - np.abs(scores)
        return np.asarray(np.where(scores == 0, 0.5, 0.5 + np.sign(scores) * (0.5 - (moves - 0.5) / BUCKETS)))

    def scores(self, own: Boards, opponent: Boards) -> NDArray[np.int8]:
        """`[n, moves]`: exact labels of positions that are not over."""
        able = self.room(own, opponent)
        found = np.full(able.shape, ILLEGAL, np.int8)
        for move in range(MOVES):
            legal = np.flatnonzero(able[:, move])
            after = self.play(own[legal], opponent[legal], np.full(len(legal), move))
            plies = _plies_to_mate(*after)
            # The side that is then to move has an even number of plies where it is mated, an odd one where it mates.
            won = LONGEST - (plies // 2 + 1)
            lost = (plies + 1) // 2 - LONGEST
            found[legal, move] = np.where(plies < 0, 0, np.where(plies % 2 == 0, won, lost))
        return found

    def generate(self, n_games: int, seed: int) -> Labelled:
        """Every position of an ending but for symmetries, whichever side is to move: 0 the queen's, 1 the rook's.

        No games are played. Raises `SpecError` for further ones.
        """
        if seed >= len(KINDS):
            raise SpecError(f"there are {len(KINDS)} chess endings: data.chunks = {len(KINDS)} are all, one each")
        kind, table = KINDS[seed], endings.solved(KINDS[seed])
        own, opponent = [], []
        for side, strong in ((table.strong, True), (table.lone, False)):
            king, piece, lone = np.nonzero(side != endings.ILLEGAL)
            sides = [_packed(king, piece, np.full(len(king), kind)), _bare(lone)]
            mine, theirs = sides if strong else sides[::-1]
            # One image stands for all.
            plain = plainest(self, mine, theirs)
            first = (plain[0] == mine) & (plain[1] == theirs)
            mine, theirs = mine[first], theirs[first]
            going = self.statuses(mine, theirs) == 0
            own.append(mine[going])
            opponent.append(theirs[going])
        boards = np.concatenate(own), np.concatenate(opponent)
        return Labelled(*boards, self.scores(*boards))

    def finished(self) -> tuple[Boards, Boards]:
        """Mates, stalemates and kings alone, but for symmetries."""
        own, opponent = [], []
        for kind in (0, *KINDS):
            king, piece, lone = np.nonzero(endings.solved(kind).lone != endings.ILLEGAL) if kind else _two_kings()
            sides = _bare(lone), _packed(king, piece, np.full(len(king), kind))
            own.append(sides[0])
            opponent.append(sides[1])
        boards = np.concatenate(own), np.concatenate(opponent)
        over = self.statuses(*boards) != 0
        mine, theirs = boards[0][over], boards[1][over]
        plain = plainest(self, mine, theirs)
        first = (plain[0] == mine) & (plain[1] == theirs)
        return mine[first], theirs[first]

    def board(self, state: Any, seat: Seat) -> Board:
        """This seat's men and the other's. Raises `PositionError` for any other chess than these endings."""
        found = Chess().decode(state).board if isinstance(state, str) else state.board
        pieces = [(square, piece) for square, piece in found.piece_map().items() if piece.piece_type != chess.KING]
        if len(pieces) != 1 or pieces[0][1].piece_type not in _PIECE_TYPES or found.castling_rights:
            raise PositionError(f"{found.fen()!r} is {_NO_ENDING}")
        ((square, piece),) = pieces
        sides = {}
        for colour in chess.COLORS:
            king = found.king(colour)
            assert king is not None
            sides[colour] = _one(king, square, _PIECE_TYPES[piece.piece_type]) if piece.color == colour else _one(king)
        white = seat is Seat.FIRST
        return sides[white], sides[not white]

    def encode(self, board: Board, mover: Seat, before: Any = None) -> str:
        """FEN, whose counts go on from those of the position before, a state or a text."""
        found = chess.Board.empty()
        white = mover is Seat.FIRST
        men = 0
        for side, colour in zip(board, (white, not white), strict=True):
            king, piece, kind = side & 127, side >> 7 & 127, side >> 14
            if kind and piece < NOWHERE:
                found.set_piece_at(piece, chess.Piece(chess.QUEEN if kind == QUEEN else chess.ROOK, colour))
                men += 1
            if king < NOWHERE:
                found.set_piece_at(king, chess.Piece(chess.KING, colour))
        found.turn = white
        if before is not None:
            last = Chess().decode(before).board if isinstance(before, str) else before.board
            taken = men < last.occupied.bit_count() - 2
            found.halfmove_clock = 0 if taken else last.halfmove_clock + 1
            found.fullmove_number = last.fullmove_number + (not last.turn)
        return found.fen()

    def move(self, index: int, mover: Seat, board: Board) -> Move:
        """UCI."""
        return Move(self.move_text(index, board))

    def index(self, move: Move, mover: Seat, board: Board) -> int:
        """The number of a move in UCI. Raises `ValueError` for a text that is none of this board."""
        found = _names(board).get(str(move))
        if found is None:
            raise ValueError(f"{move!r} is no move of {self.state_text(board)}")
        return found

    def first(self, board: Board) -> bool:
        """Texts show the mover as White."""
        return True

    def state_text(self, board: Board) -> str:
        """`w || 64 squares ||`, a1, b1, … h8, the mover's men in capitals."""
        squares = ["."] * SQUARES
        for side, case in zip(board, (str.upper, str.lower), strict=True):
            king, piece, kind = side & 127, side >> 7 & 127, side >> 14
            if kind and piece < NOWHERE:
                squares[piece] = case(_LETTERS[kind])
            if king < NOWHERE:
                squares[king] = case("k")
        return f"w || {' '.join(squares)} ||"

    def board_from_text(self, text: str) -> Board:
        """The mover's men and the other's. Raises `NotInterchange` for any other text, naming a position that is no ending."""
        matched = _STATE.fullmatch(text)
        men: dict[str, list[int]] = {}
        for square, letter in enumerate(matched[1].split() if matched else ()):
            if letter != ".":
                men.setdefault(letter, []).append(square)
        kings = [men.pop(letter, []) for letter in "Kk"]
        if [len(squares) for squares in kings] != [1, 1] or sum(map(len, men.values())) > 1:
            raise NotInterchange(
                f"{text!r} is {_NO_ENDING}: expected w, then 64 squares from a1 to h8 between double bars, the mover's men in capitals"
            )
        own, opponent = kings[0][0], kings[1][0]
        for letter, (square,) in men.items():
            kind = _LETTERS.index(letter.upper())
            return (
                (_one(own, square, kind), _one(opponent))
                if letter.isupper()
                else (_one(own), _one(opponent, square, kind))
            )
        return _one(own), _one(opponent)

    def move_text(self, index: int, board: Board) -> str:
        """UCI; a move off the board is called by its number, such as off17."""
        return list(_names(board))[index]

    def move_from_text(self, text: str, board: Board) -> int:
        """The number of such a move."""
        found = _names(board).get(text)
        if found is None:
            raise NotInterchange(f"{text!r} is no move of the men on this board: expected one like a1b2")
        return found


@lru_cache(maxsize=4096)
def _names(board: Board) -> dict[str, int]:
    """The moves of a board by their texts, in order: UCI, or off and the number where they lead off the board."""
    own, opponent = (np.array([side], np.uint64) for side in board)
    king, piece = board[0] & 127, board[0] >> 7 & 127
    home = [*[king] * len(STEPS[0]), *[piece] * len(TARGETS[0, 0])]
    asked = FORM.asked(own, opponent)[0].tolist()
    return {
        f"off{index}" if to == NOWHERE else chess.square_name(origin) + chess.square_name(to): index
        for index, (origin, to) in enumerate(zip(home, asked, strict=True))
    }


def _two_kings() -> _Men:
    one, other = (part.ravel() for part in np.indices((SQUARES, SQUARES)))
    apart = (one != other) & ~endings.near(one, other)
    return one[apart], np.full(apart.sum(), NOWHERE), other[apart]


def _bare(king: NDArray[np.int64]) -> Boards:
    return _packed(king, np.full(len(king), NOWHERE), np.zeros(len(king), np.int64))


def _plies_to_mate(own: Boards, opponent: Boards) -> NDArray[np.int64]:
    """`[n]`: with best play of both, even for a side that is mated, odd for one that mates; -1 where it is drawn."""
    (king, piece, kind), (other, their_piece, their_kind) = _men(own), _men(opponent)
    found = np.full(len(own), endings.DRAWN, np.int64)
    for which in KINDS:
        table = endings.solved(which)
        strong, lone = kind == which, their_kind == which
        found[strong] = table.strong[king[strong], piece[strong], other[strong]]
        found[lone] = table.lone[other[lone], their_piece[lone], king[lone]]
    return found


def moves_to_mate(scores: NDArray[np.integer]) -> NDArray[np.int64]:
    """The moves that the mate takes from here, of whoever mates, by scores that are not 0."""
    return np.asarray(LONGEST - np.abs(scores.astype(np.int64)))


FORM = ChessEndingsForm()
