"""Blocks of operators one after the other, in flat arrays."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from boundcalc.errors import SpecError

if TYPE_CHECKING:
    from boundcalc.graph.arrays import GraphArrays


def joined(
    parts: list[tuple[GraphArrays, int]], *, shared_weights: bool
) -> dict[str, NDArray[Any]]:
    """The columns of copies of blocks in series; O(operators), not O(copies) Python steps."""
    if not parts:
        raise SpecError("nothing to put in series", expected="one block at least")
    pieces: dict[str, list[NDArray[Any]]] = {field.name: [] for field in fields(parts[0][0])}
    operators = slots = edges = groups = in_runs = 0
    for number, (block, count) in enumerate(parts):
        if number > 0 or count > 1:
            _check_entry(block)
        copies = np.arange(count)[:, None]
        # Where a block reads 0, the shift of inputs makes that the operator before the block.
        own = block.members[1:] + 1
        shift = 0 if shared_weights else copies * own.max()
        pieces["first"].append((block.first[2:] + copies * len(block.inputs)).ravel() + slots)
        pieces["inputs"].append((block.inputs + copies * block.size).ravel() + operators)
        pieces["edges"].append((block.edges + copies * block.edge_count).ravel() + edges)
        pieces["groups"].append(np.broadcast_to(own + shift, (count, block.size)).ravel() + groups)
        for name in ("a", "l", "A", "J", "A3", "B"):
            pieces[name].append(np.tile(getattr(block, name), count))
        for name in ("b", "K", "B3"):
            pieces[name].append(np.tile(getattr(block, name)[1:], count))
        shift = copies * len(block.run_nodes)
        pieces["run_first"].append((block.run_first[1:] + shift).ravel() + in_runs)
        pieces["run_nodes"].append((block.run_nodes + copies * block.size).ravel() + operators)
        for name in ("run_norm", "run_affine"):
            pieces[name].append(np.tile(getattr(block, name), count))
        in_runs += count * len(block.run_nodes)
        operators += count * block.size
        slots += count * len(block.inputs)
        edges += count * block.edge_count
        groups = int(pieces["groups"][-1].max())
    heads = {"first": np.zeros(2, np.int64)} | dict.fromkeys(("b", "K", "B3"), np.zeros(1))
    heads |= dict.fromkeys(("groups", "run_first"), np.zeros(1, np.int64))
    return {
        name: np.concatenate([heads[name], *found] if name in heads else found)
        for name, found in pieces.items()
    }


def _check_entry(block: GraphArrays) -> None:
    """Constants of what reads 0 in a block that does not read the data."""
    entry = block.inputs == 0
    unread = entry & ((block.a == 0) | (block.l == 0))
    if unread.any():
        k = int(np.argmax(unread))
        raise SpecError(
            f"operator {block.owners[k]} of the block has no constants for the block's input",
            value=f"a = {block.a[k]}, l = {block.l[k]}",
            expected="a, l > 0, and A, A3, B of an input that moves",
            fix="a graph's first operator reads the data, which does not move: "
            "give its input constants, or build the block from arrays",
        )
