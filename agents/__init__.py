"""The thinking: agents as generators of steps, and the seams behind which models and engines stand."""

import sys

from stratarena.agents.compiled import CompiledKernel

sys.meta_path.insert(0, CompiledKernel())
