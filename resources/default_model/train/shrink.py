"""Drops whole blocks from a trained FLUX transformer, so that the folder stays small: shrink.py SOURCE TARGET transformer_blocks.1 …"""
import sys

import torch
from diffusers import FluxTransformer2DModel


def shrink(net: FluxTransformer2DModel, blocks: list[str]) -> FluxTransformer2DModel:
    for group in ("transformer_blocks", "single_transformer_blocks"):
        dropped = {int(b.rsplit(".", 1)[1]) for b in blocks if b.rsplit(".", 1)[0] == group}
        kept = [block for i, block in enumerate(getattr(net, group)) if i not in dropped]
        setattr(net, group, torch.nn.ModuleList(kept))
    net.register_to_config(num_layers=len(net.transformer_blocks), num_single_layers=len(net.single_transformer_blocks))
    return net


if __name__ == "__main__":
    shrink(FluxTransformer2DModel.from_pretrained(sys.argv[1]), sys.argv[3:]).save_pretrained(sys.argv[2])
