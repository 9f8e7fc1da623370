"""Machine code of the search kernel, where it was built: the same modules from the same source, and the same trees bit by bit.

Built files lie in a folder named by the hash of the sources that they were made from, and are looked for by the hash of the
sources that are there now. So an edited source never runs as it was before: it finds nothing, and runs as Python, until
it is built again. `python -m stratarena.agents.compile_kernel` builds; nothing needs it.
"""

from __future__ import annotations

import os
import sysconfig
import warnings
from collections.abc import Sequence
from hashlib import sha256
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

__all__ = ["GROUP", "MODULES", "PURE_PYTHON", "CompiledKernel", "file_of", "folder_of"]

MODULES = ("stratarena.agents.search_tree", "stratarena.agents.search")
"""They are compiled together, and only ever run in the same form."""
GROUP = "stratarena_kernel"
PURE_PYTHON = "STRATARENA_PURE_PYTHON"
"""Environment variable: anything in it leaves the machine code alone, as debuggers and coverage want it."""
_LIBRARY = f"{GROUP}__mypyc"
"""What mypyc calls the file that holds the code of the whole group."""
_HERE = Path(__file__).parent


def folder_of(package: Path = _HERE) -> Path:
    """Where the machine code of the sources in this folder belongs, whether it was built or not.

    The sources are the modules, what they take from the games, and how they are built. The interpreter is part of the
    name: one checkout may serve several.
    """
    sources = [package / f"{module.rpartition('.')[2]}.py" for module in MODULES]
    sources += [package.parent / "games" / "base.py", package / "compile_kernel.py"]
    stamp = sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    return package / "__pycache__" / f"kernel-{stamp}-{sysconfig.get_config_var('SOABI') or 'unknown'}"


def file_of(module: str, folder: Path) -> Path:
    """The built file of a module in such a folder."""
    return folder / (module.rpartition(".")[2] + EXTENSION_SUFFIXES[0])


class CompiledKernel(MetaPathFinder):
    """Finds the kernel's modules as machine code of just the sources that are there, or leaves them to others."""

    def __init__(self, package: Path = _HERE) -> None:
        self._package = package
        self._library: ModuleType | None = None
        self._folder: Path | None = None
        self._looked = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where one of the modules is; None for all others, and where there is no machine code that fits."""
        if fullname == _LIBRARY and self._folder is not None:
            return spec_from_file_location(fullname, file_of(fullname, self._folder))
        if fullname not in MODULES:
            return None
        if not self._looked:
            # Once for all modules: machine code of one does not go with Python of the other.
            self._looked = True
            self._folder = self._usable()
        return None if self._folder is None else spec_from_file_location(fullname, file_of(fullname, self._folder))

    def _usable(self) -> Path | None:
        """The folder of what was built from these sources, if all of it is there and loads on this machine."""
        if os.environ.get(PURE_PYTHON):
            return None
        try:
            folder = folder_of(self._package)
        except OSError:
            # No sources, no hash: whoever ships only bytecode gets that.
            return None
        library = file_of(_LIBRARY, folder)
        if not library.exists() or not all(file_of(module, folder).exists() for module in MODULES):
            return None
        try:
            spec = spec_from_file_location(_LIBRARY, library, loader=ExtensionFileLoader(_LIBRARY, str(library)))
            assert spec is not None
            self._library = module_from_spec(spec)
        except ImportError as error:
            told = f"the compiled search kernel does not load, so it runs as Python: {error}"
            warnings.warn(told, RuntimeWarning, stacklevel=2)
            return None
        return folder
