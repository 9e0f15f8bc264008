"""A recipe file: the tables for curation and for training, read in one place."""

from pathlib import Path

from genprm.curate.recipe import Curation
from genprm.errors import InputError
from genprm.recipe import Table, read_recipe
from genprm.train.recipe import Training


class Recipe(Table):
    """Either table may be missing where only the other is used."""

    curate: Curation | None = None
    train: Training | None = None


def read_curation(path: Path) -> Curation:
    """The table `curate`.

    Raises:
        InputError: it is missing, or a field is wrong.
    """
    table = read_recipe(path, Recipe).curate
    if table is None:
        raise InputError(f"{path}: there is no table curate; fix: add [curate]")
    return table


def read_training(path: Path) -> Training:
    """The table `train`; raises as `read_curation`."""
    table = read_recipe(path, Recipe).train
    if table is None:
        raise InputError(f"{path}: there is no table train; fix: add [train]")
    return table
