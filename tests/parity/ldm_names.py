"""Names of the original latent diffusion code for diffusers' tensors, the other way round than diffusers converts: so its conversion checks ours."""

import re

import torch

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0", "conv2": "out_layers.3",
          "conv_shortcut": "skip_connection"}
UNET = {"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2", "add_embedding.linear_1": "label_emb.0.0",
        "add_embedding.linear_2": "label_emb.0.2", "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
        "mid_block.attentions.0": "middle_block.1"}
OPENCLIP = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj", "self_attn.out_proj": "attn.out_proj"}
VAE = {"mid_block.resnets.0": "mid.block_1", "mid_block.resnets.1": "mid.block_2", "conv_norm_out": "norm_out", "conv_shortcut": "nin_shortcut",
       "mid_block.attentions.0.group_norm": "mid.attn_1.norm", "mid_block.attentions.0.to_q": "mid.attn_1.q", "mid_block.attentions.0.to_k": "mid.attn_1.k",
       "mid_block.attentions.0.to_v": "mid.attn_1.v", "mid_block.attentions.0.to_out.0": "mid.attn_1.proj_out"}


def leaf(rest: str) -> str:
    layer, kind = rest.rsplit(".", 1)
    return f"{RESNET[layer]}.{kind}"


def unet(tensors: dict, config: dict) -> dict:
    """tensors: any values by diffusers' names."""
    layers, blocks, result = config["layers_per_block"], len(config["block_out_channels"]), {}
    for name, value in tensors.items():
        for own, other in UNET.items():
            if name.startswith(own + "."):
                result[other + name[len(own):]] = value
        if found := re.match(r"mid_block\.resnets\.(\d)\.(.*)", name):
            result[f"middle_block.{2 * int(found[1])}.{leaf(found[2])}"] = value
        elif found := re.match(r"down_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.*)", name):
            number = 1 + int(found[1]) * (layers + 1) + int(found[3])
            result[f"input_blocks.{number}.0.{leaf(found[4])}" if found[2] == "resnets" else f"input_blocks.{number}.1.{found[4]}"] = value
        elif found := re.match(r"down_blocks\.(\d+)\.downsamplers\.0\.conv\.(.*)", name):
            result[f"input_blocks.{(int(found[1]) + 1) * (layers + 1)}.0.op.{found[2]}"] = value
        elif found := re.match(r"up_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.*)", name):
            number = int(found[1]) * (layers + 1) + int(found[3])
            result[f"output_blocks.{number}.0.{leaf(found[4])}" if found[2] == "resnets" else f"output_blocks.{number}.1.{found[4]}"] = value
        elif found := re.match(r"up_blocks\.(\d+)\.upsamplers\.0\.conv\.(.*)", name):
            attends = config["up_block_types"][int(found[1])].startswith("Cross")
            result[f"output_blocks.{(int(found[1]) + 1) * (layers + 1) - 1}.{2 if attends else 1}.conv.{found[2]}"] = value
    assert len(result) == len(tensors) and blocks > 1
    return result


def vae(tensors: dict, blocks: int) -> dict:
    result = {}
    for name, value in tensors.items():
        if "attentions" in name and name.endswith(".weight") and "group_norm" not in name:
            value = value[:, :, None, None]   # a matrix here, a convolution there
        for own, other in VAE.items():
            name = name.replace(own + ".", other + ".")
        name = re.sub(r"encoder\.down_blocks\.(\d+)\.resnets\.", r"encoder.down.\1.block.", name)
        name = re.sub(r"encoder\.down_blocks\.(\d+)\.downsamplers\.0\.", r"encoder.down.\1.downsample.", name)
        name = re.sub(r"decoder\.up_blocks\.(\d+)\.resnets\.", lambda m: f"decoder.up.{blocks - 1 - int(m[1])}.block.", name)
        name = re.sub(r"decoder\.up_blocks\.(\d+)\.upsamplers\.0\.", lambda m: f"decoder.up.{blocks - 1 - int(m[1])}.upsample.", name)
        result[name] = value
    return result


def openclip(tensors: dict) -> dict:
    """tensors: by transformers' names, "text_model." in front or not."""
    tensors = {name.removeprefix("text_model."): value for name, value in tensors.items()}
    result = {"token_embedding.weight": tensors["embeddings.token_embedding.weight"], "positional_embedding": tensors["embeddings.position_embedding.weight"],
              "ln_final.weight": tensors["final_layer_norm.weight"], "ln_final.bias": tensors["final_layer_norm.bias"]}
    if "text_projection.weight" in tensors:
        result["text_projection"] = tensors["text_projection.weight"].T.contiguous()
    for name, value in tensors.items():
        if not (found := re.match(r"encoder\.layers\.(\d+)\.(.*)\.(weight|bias)", name)):
            continue
        block = f"transformer.resblocks.{found[1]}."
        if found[2] in OPENCLIP:
            result[f"{block}{OPENCLIP[found[2]]}.{found[3]}"] = value
        elif found[2].endswith("q_proj"):
            result[f"{block}attn.in_proj_{found[3]}"] = torch.cat([tensors[name.replace("q_proj", which)] for which in ("q_proj", "k_proj", "v_proj")])
    return result


SD3 = {"context_embedder": "context_embedder", "pos_embed.proj": "x_embedder.proj", "time_text_embed.timestep_embedder.linear_1": "t_embedder.mlp.0",
       "time_text_embed.timestep_embedder.linear_2": "t_embedder.mlp.2", "time_text_embed.text_embedder.linear_1": "y_embedder.mlp.0",
       "time_text_embed.text_embedder.linear_2": "y_embedder.mlp.2", "proj_out": "final_layer.linear", "norm_out.linear": "final_layer.adaLN_modulation.1"}
SD3_BLOCK = {"norm1.linear": "x_block.adaLN_modulation.1", "norm1_context.linear": "context_block.adaLN_modulation.1", "attn.to_out.0": "x_block.attn.proj",
             "attn.to_add_out": "context_block.attn.proj", "attn2.to_out.0": "x_block.attn2.proj", "ff.net.0.proj": "x_block.mlp.fc1", "ff.net.2": "x_block.mlp.fc2",
             "ff_context.net.0.proj": "context_block.mlp.fc1", "ff_context.net.2": "context_block.mlp.fc2", "attn.norm_q": "x_block.attn.ln_q",
             "attn.norm_k": "x_block.attn.ln_k", "attn.norm_added_q": "context_block.attn.ln_q", "attn.norm_added_k": "context_block.attn.ln_k",
             "attn2.norm_q": "x_block.attn2.ln_q", "attn2.norm_k": "x_block.attn2.ln_k"}
SD3_FUSED = {"attn.to_q": ("x_block.attn.qkv", ("attn.to_q", "attn.to_k", "attn.to_v")), "attn2.to_q": ("x_block.attn2.qkv", ("attn2.to_q", "attn2.to_k", "attn2.to_v")),
             "attn.add_q_proj": ("context_block.attn.qkv", ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"))}


def sd3(names, layers: int) -> dict[str, tuple[list[str], bool]]:
    """Stability AI's name of each tensor of an SD3Transformer2DModel: which of diffusers' tensors it has below each other, and whether its halves are swapped."""
    table: dict[str, tuple[list[str], bool]] = {}
    for name in names:
        if name == "pos_embed.pos_embed":
            table["pos_embed"] = ([name], False)
            continue
        layer, kind = name.rsplit(".", 1)
        if not layer.startswith("transformer_blocks."):
            table[f"{SD3[layer]}.{kind}"] = ([name], layer == "norm_out.linear")
            continue
        _, number, inner = layer.split(".", 2)
        if inner in SD3_BLOCK:
            table[f"joint_blocks.{number}.{SD3_BLOCK[inner]}.{kind}"] = ([name], inner == "norm1_context.linear" and int(number) == layers - 1)
        elif inner in SD3_FUSED:
            fused, parts = SD3_FUSED[inner]
            table[f"joint_blocks.{number}.{fused}.{kind}"] = ([f"transformer_blocks.{number}.{part}.{kind}" for part in parts], False)
    return table
