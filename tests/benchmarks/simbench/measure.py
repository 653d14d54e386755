"""Times of all tools on one case, in turns."""

from __future__ import annotations

import math
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from simbench.cases import Case
from simbench.pool import ToolError, Worker
from simbench.tools import TOOLS


@dataclass(frozen=True)
class Times:
    """Seconds a step of one tool on one case.

    Attributes
    ----------
    best, median, worst
        Of all rounds.
    steps
        In a round.
    first
        Seconds of the first call: compilation, and two steps.
    """

    best: float
    median: float
    worst: float
    steps: int
    first: float


#: A tool and its number of threads.
Player: TypeAlias = tuple[str, int]


class Team:
    """Workers that are started when first needed and measured in turns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workers: dict[Player, Worker] = {}
        self.lost: dict[str, str] = {}

    def worker(self, player: Player) -> Worker:
        if player not in self.workers:
            self.workers[player] = Worker(*player)
        return self.workers[player]

    def times(
        self,
        case: Case,
        players: list[Player],
        *,
        rounds: int,
        seconds: float,
        steps: int | None = None,
    ) -> dict[Player, dict[str, Any]]:
        """:class:`Times` by tool and threads; a tool that fails is missing, and said so.

        Parameters
        ----------
        rounds
            Every tool runs once in each.
        seconds
            Roughly how long a tool runs in a round.
        steps
            Of a round; otherwise as many as fit into ``seconds``.
        """
        path = str(case.saved(self.folder))
        ready: dict[Player, tuple[int, float]] = {}
        for player in players:
            if case.kind not in TOOLS[player[0]].kinds:
                continue
            try:
                first = self.worker(player).ask("prepare", problem=path)["seconds"]
                ready[player] = (steps or self._steps(player, path, seconds), first)
            except ToolError as error:
                self.drop(player, error)
        found: dict[Player, list[float]] = {player: [] for player in ready}
        for number in range(rounds):
            for player, (count, _) in ready.items():
                answer = self.worker(player).ask("run", problem=path, steps=count, seed=number)
                assert answer["finite"], (player, case)
                found[player].append(answer["seconds"] / count)
        for player in ready:
            self.worker(player).ask("forget")
        return {
            player: asdict(Times(min(all_), median(all_), max(all_), *ready[player]))
            for player, all_ in found.items()
        }

    def _steps(self, player: Player, path: str, seconds: float) -> int:
        """By growing numbers, as the first steps are slow."""
        count = 1
        while True:
            taken = self.worker(player).ask("run", problem=path, steps=count, seed=0)["seconds"]
            if taken > seconds / 2 or count >= 2**20:
                return max(TOOLS[player[0]].steps, math.floor(count * seconds / taken))
            count *= 4

    def drop(self, player: Player, error: ToolError) -> None:
        """Go on without a tool that failed."""
        self.lost[player[0]] = str(error).strip().splitlines()[-1]
        print(f"left out: {error}", file=sys.stderr)
        if player in self.workers:
            self.workers.pop(player).close()

    def close(self) -> None:
        for worker in self.workers.values():
            worker.close()
        self.workers.clear()
