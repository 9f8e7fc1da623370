"""Agents that search around a model: their evaluators, budgets, declared plans, and the model's own world."""

from __future__ import annotations

import json
from collections import defaultdict
from hashlib import blake2b
from math import exp, isclose
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.agents.base import AgentSpec
from stratarena.agents.buckets import bucket, centre, labels_of, mirrored, move_scores
from stratarena.agents.budget import Budget, Spend
from stratarena.agents.conformance import check_agent
from stratarena.agents.evaluation_prompts import read_move_values, read_percent
from stratarena.agents.evaluators import PriorShape
from stratarena.agents.external_mcts import LlmMcts, OracleMcts, RolloutMcts
from stratarena.agents.imagination import told
from stratarena.agents.models.base import Completion, Finish, Request, Scores, Scoring
from stratarena.agents.params import ParamsError
from stratarena.agents.plan import Cause
from stratarena.agents.thought_tree import BestOfN, TreeOfThought
from stratarena.agents.tree import TreeKind
from stratarena.analysis.estimate import rate
from stratarena.arena.events import Appraised, Called, Proposed, Revised, Searched, TurnClosed
from stratarena.arena.referee import Enforcement if False else Budgets  # placeholder
