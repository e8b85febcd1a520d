"""House rules about imports that import-linter has no contract type for."""

import sys
from fnmatch import fnmatchcase
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


def _is_in(module: str, packages: list[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


class OnlyContract(Contract):
    """Importers import nothing but each other, what is allowed, and the pure part of the standard library.

    The built-in contract types say what may not be imported, so a new dependency passes them unseen;
    this one refuses whatever it was not told of. `importers` are shell patterns of module names.
    """

    importers = fields.ListField(subfield=fields.StringField())
    allowed = fields.ListField(subfield=fields.StringField())
    impure = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001 (import-linter's signature)
        importers = [module for module in graph.modules if self._is_importer(module)]
        output.verbose_print(verbose, f"{len(importers)} modules to look at.")
        broken = [
            f"{importer} imports {imported}"
            for importer in sorted(importers)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not self._may_import(imported)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in cast("list[str]", check.metadata["broken"]):
            output.print_error(line)

    def _is_importer(self, module: str) -> bool:
        return any(fnmatchcase(module, pattern) for pattern in cast("list[str]", self.importers))

    def _may_import(self, module: str) -> bool:
        if self._is_importer(module) or _is_in(module, cast("list[str]", self.allowed)):
            return True
        pure = module.split(".", maxsplit=1)[0] in sys.stdlib_module_names
        return pure and not _is_in(module, cast("list[str]", self.impure))
