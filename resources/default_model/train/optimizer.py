"""Muon for the matrices inside the blocks, AdamW for everything else; float32 masters of bfloat16 weights, and their EMA."""
import collections

import torch


def orthogonalize(stack: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Nearest (semi-)orthogonal matrices of a (count, rows, columns) stack, by Newton-Schulz iteration (Jordan et al., Muon, 2024)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = stack.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()


def is_muon(name: str, parameter: torch.Tensor) -> bool:
    """Whether a parameter is a matrix inside a block, which Muon steps; AdamW does the rest."""
    inside = "transformer_blocks." in name or ".block." in name
    return parameter.ndim == 2 and inside and ".norm" not in name and "relative_attention_bias" not in name


class MasterOptimizer:
    """Steps the given parameters. State (masters, moments, EMA) is plain tensors, so that a checkpoint resumes exactly."""

    def __init__(self, named, is_muon, ema_decay=0.9995, weight_decay=0.01):
        self.names, self.live = zip(*named)
        self.master = [p.detach().float().clone() for p in self.live]
        self.ema = [p.clone() for p in self.master]
        self.first = [torch.zeros_like(p) for p in self.master]
        self.second = [torch.zeros_like(p) for p in self.master]
        self.muon = [is_muon(name, p) for name, p in zip(self.names, self.live)]
        self.ema_decay, self.weight_decay, self.steps = ema_decay, weight_decay, 0

    def step(self, adam_lr: float, muon_lr: float, clip: float = 1.0) -> None:
        """One update from the live gradients (scaled down to a norm of at most `clip`), which it clears. Never waits for the device."""
        self.steps += 1
        grads = [p.grad.float() for p in self.live]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
        torch._foreach_mul_(grads, (clip / (norm + 1e-6)).clamp(max=1.0))
        self._adam([i for i, m in enumerate(self.muon) if not m], grads, adam_lr)
        self._muon([i for i, m in enumerate(self.muon) if m], grads, muon_lr)
        decay = min(self.ema_decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.ema, self.master, 1 - decay)
        with torch.no_grad():
            torch._foreach_copy_(list(self.live), self.master)
        for p in self.live:
            p.grad = None

    def _adam(self, chosen, grads, lr, b1=0.9, b2=0.95):
        pick = lambda values: [values[i] for i in chosen]
        master, first, second, grad = map(pick, (self.master, self.first, self.second, grads))
        torch._foreach_lerp_(first, grad, 1 - b1)
        torch._foreach_mul_(second, b2)
        torch._foreach_addcmul_(second, grad, grad, 1 - b2)
        scale = torch._foreach_sqrt(torch._foreach_div(second, 1 - b2 ** self.steps))
        torch._foreach_add_(scale, 1e-8)
        torch._foreach_addcdiv_(master, first, scale, -lr / (1 - b1 ** self.steps))

    def _muon(self, chosen, grads, lr, momentum=0.95):
        groups = collections.defaultdict(list)
        for i in chosen:
            self.first[i].mul_(momentum).add_(grads[i])
            groups[tuple(grads[i].shape)].append(i)
        for shape, members in groups.items():
            update = orthogonalize(torch.stack([grads[i] + momentum * self.first[i] for i in members]))
            for i, delta in zip(members, update):  # 0.2 √max(rows, columns): the step size of Adam (Liu et al., Moonlight, 2025)
                self.master[i].mul_(1 - lr * self.weight_decay).add_(delta, alpha=-lr * 0.2 * max(shape) ** 0.5)

    def state(self) -> dict:
        return {key: getattr(self, key) for key in ("master", "ema", "first", "second", "steps")}

    def restore(self, state: dict) -> None:
        for key in ("master", "ema", "first", "second"):
            torch._foreach_copy_(getattr(self, key), state[key])
        self.steps = state["steps"]
        with torch.no_grad():
            torch._foreach_copy_(list(self.live), self.master)

    def load_ema(self) -> None:
        """Puts the averaged weights into the live parameters, for sampling; call load_master() to train on."""
        with torch.no_grad():
            torch._foreach_copy_(list(self.live), self.ema)

    def load_master(self) -> None:
        with torch.no_grad():
            torch._foreach_copy_(list(self.live), self.master)
