"""FLUX's blocks as a CPU compiles them well: the same function as diffusers' own, with products where those have strided loops.

Slow there are the rotary embedding of neighbouring channels and the sum over all tokens for RMSNorm's weights (no vectors, one thread), tanh,
and the joining of attention and MLP.
"""
import math

import torch
from diffusers.models.transformers import transformer_flux


def quarter_turn(channels: int, like: torch.Tensor) -> torch.Tensor:
    """(channels, channels): x @ it turns every pair (a, b) of neighbouring channels to (−b, a)."""
    even = torch.arange(0, channels, 2, device=like.device)
    turn = torch.zeros(channels, channels, dtype=like.dtype, device=like.device)
    turn[even + 1, even], turn[even, even + 1] = -1, 1
    return turn


def rotary(x: torch.Tensor, freqs_cis: tuple[torch.Tensor, torch.Tensor], sequence_dim: int = 1) -> torch.Tensor:
    """diffusers' apply_rotary_emb for (b, tokens, heads, channels), and cosines and sines of (tokens, channels)."""
    if sequence_dim != 1:
        raise ValueError(f"rotary: sequence_dim is {sequence_dim}; tokens must be the second dimension")
    cos, sin = (part[None, :, None].to(x.device) for part in freqs_cis)
    return (x.float() * cos + (x @ quarter_turn(x.shape[-1], x)).float() * sin).to(x.dtype)


class RMSNorm(torch.nn.RMSNorm):
    """Its weights are a diagonal matrix, so that their gradient is a product, too."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = x.float()
        unit = (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)).to(x.dtype)
        return unit @ torch.diag(self.weight)


class TanhGELU(torch.nn.Module):
    """GELU's tanh approximation by the logistic function: (1 + tanh u) / 2 = σ(2u)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = x.float()
        return (wide * torch.sigmoid(math.sqrt(8 / math.pi) * (wide + 0.044715 * wide * wide * wide))).to(x.dtype)


def _single(self, hidden_states, encoder_hidden_states, temb, image_rotary_emb=None, joint_attention_kwargs=None):
    """FluxSingleTransformerBlock.forward with the two halves of proj_out applied to attention and MLP, which are never joined."""
    words = encoder_hidden_states.shape[1]
    residual = torch.cat([encoder_hidden_states, hidden_states], 1)
    normed, gate = self.norm(residual, emb=temb)
    attended = self.attn(hidden_states=normed, image_rotary_emb=image_rotary_emb, **(joint_attention_kwargs or {}))
    width = attended.shape[-1]
    out = torch.nn.functional.linear(attended, self.proj_out.weight[:, :width])
    out = out + torch.nn.functional.linear(self.act_mlp(self.proj_mlp(normed)), self.proj_out.weight[:, width:], self.proj_out.bias)
    out = residual + gate.unsqueeze(1) * out
    return out[:, :words], out[:, words:]


def use_products(net: torch.nn.Module) -> None:
    """For this transformer, and rotary() for every other of this process; parameters and their names stay."""
    transformer_flux.apply_rotary_emb = rotary
    for module in net.modules():
        if type(module) is torch.nn.RMSNorm:
            module.__class__ = RMSNorm
        elif isinstance(module, transformer_flux.FluxSingleTransformerBlock):
            module.forward = _single.__get__(module)
            module.act_mlp = TanhGELU()
