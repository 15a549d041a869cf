"""Muon for the matrices inside the blocks, AdamW for everything else; float32 masters of bfloat16 weights, and their EMA.

What is stepped alike lies in one row of memory for each quantity, so that a step reads and writes each of them once.
"""
import collections

import torch

KEYS = ("master", "ema", "first", "second")
B1, B2 = 0.9, 0.95  # AdamW's


def orthogonalize(stack: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Nearest (semi-)orthogonal matrices of a (count, rows, columns) stack in bfloat16, by Newton-Schulz iteration (Jordan et al., Muon, 2024)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = stack.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def is_muon(name: str, parameter: torch.Tensor) -> bool:
    """Whether a parameter is a matrix inside a block, which Muon steps; AdamW does the rest."""
    inside = "transformer_blocks." in name or ".block." in name
    return parameter.ndim == 2 and inside and ".norm" not in name and "relative_attention_bias" not in name


def adam(master, ema, first, second, grad, clip, lr, bias1, bias2, ema_share):
    grad = grad * clip
    first.lerp_(grad, 1 - B1)
    second.mul_(B2).addcmul_(grad, grad, value=1 - B2)
    master.sub_(lr * (first / bias1) / ((second / bias2).sqrt() + 1e-8))
    ema.lerp_(master, ema_share)


def momentum(first, grad, clip, share=0.95):
    """Nesterov's, as Muon takes it: what is to be orthogonalized."""
    grad = grad * clip
    first.mul_(share).add_(grad)
    return (grad + share * first).bfloat16()


def move(master, ema, delta, step, kept, ema_share):
    master.mul_(kept).sub_(step * delta.float())
    ema.lerp_(master, ema_share)


class MasterOptimizer:
    """Steps the given parameters. State (masters, moments, EMA) is plain tensors, so that a checkpoint resumes exactly."""

    def __init__(self, named, is_muon, ema_decay=0.9995, weight_decay=0.01, compiled=False):
        self.names, self.live = zip(*named)
        self.ema_decay, self.weight_decay, self.steps = ema_decay, weight_decay, 0
        self.groups = collections.defaultdict(list)  # what is stepped alike: Muon's matrices of one shape; all others
        for i, (name, parameter) in enumerate(named):
            self.groups[tuple(parameter.shape) if is_muon(name, parameter) else None].append(i)
        self.rows = {group: self._rows(members) for group, members in self.groups.items()}
        for key in KEYS + ("grad",):
            setattr(self, key, self._views(key))
        for key in ("master", "ema"):
            torch._foreach_copy_(getattr(self, key), [p.detach().float() for p in self.live])
        compile_ = torch.compile if compiled else lambda function, **_: function
        self.adam, self.momentum, self.move = (compile_(f, dynamic=False) for f in (adam, momentum, move))

    def _rows(self, members: list[int]) -> dict[str, torch.Tensor]:
        size = sum(self.live[i].numel() for i in members)
        return {key: torch.zeros(size, device=self.live[0].device) for key in KEYS + ("grad",)}

    def _views(self, key: str) -> list[torch.Tensor]:
        """One of the quantities for every parameter, in its shape, on the same memory."""
        views = {}
        for group, members in self.groups.items():
            parts = self.rows[group][key].split([self.live[i].numel() for i in members])
            views |= {i: part.view(self.live[i].shape) for i, part in zip(members, parts)}
        return [views[i] for i in range(len(self.live))]

    @torch.no_grad()
    def step(self, adam_lr: float, muon_lr: float, clip: float = 1.0) -> None:
        """One update from the live gradients (scaled down to a norm of at most `clip`), which it clears. Never waits for the device."""
        self.steps += 1
        torch._foreach_copy_(self.grad, [p.grad for p in self.live])
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(rows["grad"]) for rows in self.rows.values()]))
        scale = (clip / (norm + 1e-6)).clamp(max=1.0)
        ema_share = torch.tensor(1 - min(self.ema_decay, (1 + self.steps) / (10 + self.steps)))
        for group, rows in self.rows.items():
            if group is None:
                self._adam(rows, scale, adam_lr, ema_share)
            else:
                self._muon(rows, group, scale, muon_lr, ema_share)
        self.load_master()
        for p in self.live:
            p.grad = None

    def _adam(self, rows, scale, lr, ema_share):
        numbers = map(torch.tensor, (lr, 1 - B1 ** self.steps, 1 - B2 ** self.steps))  # tensors: as numbers they would be compiled anew
        self.adam(*(rows[key] for key in KEYS), rows["grad"], scale, *numbers, ema_share)

    def _muon(self, rows, shape, scale, lr, ema_share):
        update = orthogonalize(self.momentum(rows["first"], rows["grad"], scale).view(-1, *shape))
        step = lr * 0.2 * max(shape) ** 0.5  # the step size of Adam (Liu et al., Moonlight, 2025)
        self.move(rows["master"], rows["ema"], update.reshape(-1), *map(torch.tensor, (step, 1 - lr * self.weight_decay)), ema_share)

    @torch.no_grad()
    def bound(self, name: str, most: float) -> None:
        """Keeps a parameter at `most` or below."""
        at = self.names.index(name)
        self.master[at].clamp_(max=most)
        self.live[at].clamp_(max=most)

    def state(self) -> dict:
        return {key: getattr(self, key) for key in (*KEYS, "steps")}

    def restore(self, state: dict) -> None:
        for key in KEYS:
            torch._foreach_copy_(getattr(self, key), state[key])
        self.steps = state["steps"]
        self.load_master()

    @torch.no_grad()
    def load_ema(self) -> None:
        """Puts the averaged weights into the live parameters, for sampling; call load_master() to train on."""
        torch._foreach_copy_(list(self.live), self.ema)

    @torch.no_grad()
    def load_master(self) -> None:
        torch._foreach_copy_(list(self.live), self.master)
