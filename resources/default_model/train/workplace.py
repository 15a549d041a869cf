"""Where training keeps its files, which device it uses, and how it stops and goes on: shared by every stage."""
import contextlib
import csv
import os
import random
import signal
import time
from pathlib import Path

import torch


def work_dir() -> Path:
    """Packages, checkpoints and logs; $QUANTSPOT_TRAIN_DIR, else build/default_model. Never in tracked folders."""
    path = Path(os.environ.get("QUANTSPOT_TRAIN_DIR", Path(__file__).resolve().parents[3] / "build/default_model"))
    path.mkdir(parents=True, exist_ok=True)
    return path


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def use_threads(count: int) -> None:
    torch.set_num_threads(count)
    if device().type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True


def chunk_rng(purpose: str, seed: int, index: int) -> random.Random:
    """The generator of one chunk of pictures: the same whatever process draws it."""
    return random.Random(f"{purpose}/{seed}/{index}")


class Clock:
    """Training time of one stage: earlier runs are counted in, this run may be held to a slice, SIGTERM ends it early."""

    def __init__(self, minutes: float, slice_end: float | None, used_seconds: float = 0.0):
        self.total, self.slice_end = minutes * 60, slice_end
        self._start, self._stopped = time.time() - used_seconds, False
        with contextlib.suppress(ValueError):  # only the main thread may set it
            signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_) -> None:
        self._stopped = True

    @property
    def seconds(self) -> float:
        return time.time() - self._start

    @property
    def done(self) -> float:
        """Share of the planned time that is used, at most 1."""
        return min(1.0, self.seconds / self.total)

    @property
    def finished(self) -> bool:
        return self.seconds >= self.total

    @property
    def interrupted(self) -> bool:
        """The plan is not through, but this run has to end."""
        return not self.finished and (self._stopped or (self.slice_end is not None and time.time() >= self.slice_end))

    def runs(self) -> bool:
        return not self.finished and not self.interrupted


def save_checkpoint(state: dict, file: Path) -> None:
    """Writes beside the file and renames: an interrupted save leaves the old checkpoint whole."""
    part = file.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, file)


def load_checkpoint(file: Path) -> dict | None:
    return torch.load(file, map_location="cpu", weights_only=True) if file.exists() else None


class Log:
    """A CSV with a fixed header, appended to across runs, and the same line on the terminal."""

    def __init__(self, file: Path, *columns: str):
        self.file, self.columns = file, columns

    def row(self, *values) -> None:
        new = not self.file.exists()
        with self.file.open("a", newline="") as stream:
            csv.writer(stream).writerows(([self.columns] if new else []) + [values])
        print(self.file.stem + "  " + "  ".join(f"{c} {v}" for c, v in zip(self.columns, values)), flush=True)


TIME_IS_UP = 75  # exit code: this run's slice ended before the plan; run again to go on


def leave_if(clock: Clock) -> None:
    if clock.interrupted:
        print(f"stopped after {clock.seconds / 60:.1f} of {clock.total / 60:.1f} minutes; run again to go on", flush=True)
        raise SystemExit(TIME_IS_UP)
