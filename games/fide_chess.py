"""Chess and Chess960 by python-chess behind our protocol.

Source: FIDE Laws of Chess (2023), and its Guidelines II for Chess960; the numbers of the 960 starts are Scharnagl's. Draws that a player would have to claim there, by threefold repetition (9.2) and by
fifty moves (9.3), end the game by themselves here, as in OpenSpiel and in engine tournaments: nobody has to claim.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from random import Random

import chess

from stratarena.games.base import (
    AmbiguousMove,
    IllegalMove,
    MalformedMove,
    Move,
    Outcome,
    PositionError,
    Seat,
    SpecError,
    Traits,
)

__all__ = ["N_STARTS", "Chess", "Chess960", "Position"]

N_STARTS = 960
"""Starting positions of Chess960."""

_UCI = re.compile(r"[a-h][1-8][a-h][1-8][qrbn]?")
_NULL_MOVES = frozenset({"--", "Z0", "0000", "@@@@"})
_EXPECTED = "a move is UCI, such as e2e4 or e7e8q, or SAN, such as Nf3 or O-O"
_FIFTY_MOVES_IN_PLIES = 100
_ENDS = (
    "White moves first. Checkmate wins. Stalemate, insufficient material, the third occurrence of a position, and fifty "
    "moves by each side without a capture or pawn move are draws and end the game by themselves."
)


class Position:
    """A board that nobody changes, and the positions since the last capture or pawn move.

    What is worked out once about it (its legal moves, its outcome) is kept.
    """

    __slots__ = ("_moves", "_outcome", "board", "history")

    def __init__(self, board: chess.Board, history: tuple[int, ...]) -> None:
        self.board = board
        self.history = history
        """Hashes of the positions that could come back, this one's last."""
        self._moves: dict[Move, chess.Move] | None = None
        self._outcome: Outcome | bool | None = False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Position):
            return NotImplemented
        return self.history == other.history and self.board.halfmove_clock == other.board.halfmove_clock

    def __hash__(self) -> int:
        return hash(self.history)

    def outcome(self) -> Outcome | None:
        """How the game ended here, if it did."""
        if isinstance(self._outcome, bool):
            self._outcome = self._find_outcome()
        return self._outcome

    def legal(self) -> dict[Move, chess.Move]:
        """The legal moves by their UCI names, sorted; empty when the game is over."""
        return {} if self.outcome() is not None else self._named_moves()

    def _named_moves(self) -> dict[Move, chess.Move]:
        if self._moves is None:
            named = [(Move(move.uci()), move) for move in self.board.generate_legal_moves()]
            named.sort(key=_name)
            self._moves = dict(named)
        return self._moves

    def _find_outcome(self) -> Outcome | None:
        board = self.board
        # A search asks for many outcomes and few lists of moves: one legal move is enough to know here.
        if not any(board.generate_legal_moves()):
            if not board.is_check():
                return Outcome(None, "stalemate")
            return Outcome(Seat.SECOND if board.turn else Seat.FIRST, "checkmate")
        if board.is_insufficient_material():
            return Outcome(None, "insufficient_material")
        if self.history.count(self.history[-1]) >= 3:
            return Outcome(None, "threefold_repetition")
        if board.halfmove_clock >= _FIFTY_MOVES_IN_PLIES:
            return Outcome(None, "fifty_moves")
        return None


class Chess:
    """Chess. Moves are UCI (`e2e4`, `e7e8q`); SAN is read too. Threefold repetition and fifty moves end the game."""

    id = "chess"
    _name = "chess"
    _chess960 = False
    # 96 pawn moves and 30 captures, of which at least 8 must be one move for the pawns to pass each other, make 118
    # moves that reset the fifty-move count; each comes at most 100 plies after the one before. Between them the side
    # that resets must change 3 times, which costs a ply each: 118 * 100 - 3 (F. Labelle, "The longest possible chess
    # game": 5,898.5 moves). After the 118th only the kings are left.
    traits = Traits(max_plies=11_797, seat_names=("White", "Black"))
    rules = (
        f"Chess by the usual rules. {_ENDS}\n"
        "A move is written in UCI: the square it leaves and the square it goes to, such as e2e4; castling is the "
        "king's move (e1g1); a promotion adds the piece (e7e8q)."
    )

    def initial(self, rng: Random) -> Position:
        """The usual array; `rng` is not used."""
        return _without_history(chess.Board())

    def to_move(self, state: Position) -> Seat:
        """White is FIRST."""
        return Seat.FIRST if state.board.turn else Seat.SECOND

    def legal_moves(self, state: Position) -> Sequence[Move]:
        """UCI names in alphabetical order; none once the game is over."""
        return tuple(state.legal())

    def play(self, state: Position, move: Move) -> Position:
        """The position after the move; the given one is left as it is. Raises `IllegalMove`."""
        played = state.legal().get(move)
        if played is None:
            raise self._illegal(state, move, self._why_not(state, move))
        board = state.board.copy(stack=False)
        board.push(played)
        board.clear_stack()
        key = _key(board)
        return Position(board, (*state.history, key) if board.halfmove_clock else (key,))

    def outcome(self, state: Position) -> Outcome | None:
        """Checkmate or one of the draws, or None."""
        return state.outcome()

    def visible(self, state: Position, seat: Seat) -> Position:
        """The state itself: nothing is hidden."""
        return state

    def parse(self, state: Position, text: str) -> Move:
        """The move that `text` names in UCI or SAN; see `Game.parse`. Null moves are refused."""
        word = text.strip()
        if word in _NULL_MOVES:
            raise self._malformed(state, text, f"passing is no chess move; {_EXPECTED}")
        legal = state.legal()
        if word in legal:
            return Move(word)
        if _UCI.fullmatch(word):
            raise self._illegal(state, text, self._why_not(state, Move(word)))
        try:
            move = Move(state.board.parse_san(word).uci())
        except chess.AmbiguousMoveError:
            could = ", ".join(sorted(name for name, move in legal.items() if _fits(state.board, move, word)))
            raise AmbiguousMove(
                text, game=self.id, position=self.encode(state), why=f"could be {could}; name one of them"
            ) from None
        except chess.IllegalMoveError:
            raise self._illegal(state, text, self._why_not(state, Move(word))) from None
        except ValueError:
            raise self._malformed(state, text, _EXPECTED) from None
        if move not in legal:
            raise self._illegal(state, text, self._why_not(state, move))
        return move

    def render(self, state: Position, seat: Seat) -> str:
        """Eight ranks from White's side with file letters below; capitals are White's pieces."""
        ranks = str(state.board).splitlines()
        return "\n".join([*(f"{8 - row} {rank}" for row, rank in enumerate(ranks)), "  a b c d e f g h"])

    def encode(self, state: Position) -> str:
        """FEN; an en passant square only where the capture is legal."""
        return state.board.fen()

    def decode(self, text: str) -> Position:
        """The position of a FEN, without the history that a FEN cannot hold."""
        try:
            board = chess.Board(text.strip(), chess960=self._chess960)
        except ValueError as error:
            raise PositionError(f"{text!r} is no FEN: {error}") from None
        status = board.status()
        if status != chess.STATUS_VALID:
            wrong = ", ".join(flag.name.lower().replace("_", " ") for flag in status if flag.name)
            raise PositionError(f"{text!r} is no position that can occur: {wrong}")
        return _without_history(board)

    def digest(self, state: Position) -> str:
        """16 hexadecimal digits of the position, the fifty-move count and the positions that could repeat."""
        text = f"{self._name}:{state.board.halfmove_clock}:{state.history}"
        return blake2b(text.encode(), digest_size=8).hexdigest()

    def _why_not(self, state: Position, move: Move) -> str:
        if state.outcome() is not None:
            return "the game is over"
        legal = state.legal()
        from_here = [name for name in legal if name[:2] == move[:2]]
        if _UCI.fullmatch(move) and from_here:
            king = state.board.king(state.board.turn)
            castling = self._chess960 and king is not None and chess.square_name(king) == move[:2]
            hint = "; castling is the king's square and its own rook's" if castling else ""
            return f"not legal here; legal from {move[:2]}: {' '.join(from_here)}{hint}"
        check = "you are in check; " if state.board.is_check() else ""
        return f"not legal here; {check}there are {len(legal)} legal moves, such as {' '.join(list(legal)[:5])}"

    def _malformed(self, state: Position, text: str, why: str) -> MalformedMove:
        return MalformedMove(text, game=self.id, position=self.encode(state), why=why)

    def _illegal(self, state: Position, text: str, why: str) -> IllegalMove:
        return IllegalMove(text, game=self.id, position=self.encode(state), why=why)


class Chess960(Chess):
    """Chess960 (Fischer random): the back ranks of one of 960 starts. Moves are UCI with castling as king takes rook.

    `start` is the number of a start from 0 to 959 (518 is the array of chess); without it the start is drawn.
    """

    _name = "chess960"
    _chess960 = True
    rules = (
        "Chess960: chess from a drawn back rank, mirrored for Black, bishops on opposite colours and the king between "
        "the rooks. After castling king and rook stand as in chess: on the g and f files, or on the c and d files; all "
        "squares between their old and new places must be empty but for the two, and the king must not leave, cross or "
        f"enter check. {_ENDS}\n"
        "A move is written in UCI: the square it leaves and the square it goes to, such as e2e4; castling is the king's "
        "square and its own rook's square (such as e1h1), or O-O (towards the h file) and O-O-O; a promotion adds the "
        "piece (e7e8q)."
    )

    def __init__(self, start: int | None = None) -> None:
        if start is not None and (isinstance(start, bool) or not isinstance(start, int) or not 0 <= start < N_STARTS):
            raise SpecError(f"chess960: start = {start!r}; expected a whole number from 0 to {N_STARTS - 1}")
        self.start = start
        self.id = "chess960" if start is None else f"chess960(start={start})"

    def initial(self, rng: Random) -> Position:
        """The chosen start, or one of the 960, each as likely."""
        number = rng.randrange(N_STARTS) if self.start is None else self.start
        return _without_history(chess.Board.from_chess960_pos(number))

    def encode(self, state: Position) -> str:
        """Shredder-FEN: castling rights by the rooks' files; an en passant square only where the capture is legal."""
        return state.board.shredder_fen()


def _without_history(board: chess.Board) -> Position:
    return Position(board, (_key(board),))


def _name(named: tuple[Move, chess.Move]) -> str:
    return named[0]


def _key(board: chess.Board) -> int:
    """64 bits of what makes two positions the same for repetition (FIDE 9.2.3): men, mover, castling, en passant."""
    # python-chess has no public name for this; its own repetition test rests on the same key.
    return int.from_bytes(blake2b(repr(board._transposition_key()).encode(), digest_size=8).digest())


def _fits(board: chess.Board, move: chess.Move, san: str) -> bool:
    """Whether an ambiguous SAN text could mean this move."""
    named = chess.SAN_REGEX.match(san)
    if named is None:
        return False
    piece, file, rank, target, _ = named.groups()
    origin = chess.square_name(move.from_square)
    return (
        board.piece_type_at(move.from_square) == chess.PIECE_SYMBOLS.index((piece or "p").lower())
        and chess.square_name(move.to_square) == target
        and file in (None, origin[0])
        and rank in (None, origin[1])
    )
