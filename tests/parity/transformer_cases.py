"""Group: random-weight DiT, Stable Diffusion 3.5 and PixArt-Σ pipelines and what diffusers computes with them."""

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import diffusers
import numpy as np
import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, T5Config, T5EncoderModel

import tiny_tokenizers as tokenizers
from random_pipeline import randomize, round_weights

KL = dict(latent_channels=4, down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4, layers_per_block=1,
          block_out_channels=[4, 4, 8, 8], norm_num_groups=2, sample_size=64)
LABELS = {str(i): f"thing {i}" for i in range(1000)} | {"1": "goldfish, Carassius auratus", "134": "crane", "517": "crane", "207": "golden retriever"}


@dataclass
class Spec:
    """What shapes a folder. The dicts are arguments of the reference's own classes."""

    pipeline: str
    seed: int
    transformer_class: str
    transformer: dict
    scheduler: str
    scheduler_options: dict = field(default_factory=dict)
    vae: dict = field(default_factory=dict)
    clips: list[dict] = field(default_factory=list)   # with projection
    t5: dict | None = None
    index: dict = field(default_factory=dict)         # more of model_index.json


SPECS = {
    "dit_a": Spec("DiTPipeline", 51, "DiTTransformer2DModel",
                  dict(num_attention_heads=2, attention_head_dim=12, num_layers=3, in_channels=4, out_channels=8, sample_size=6, patch_size=2),
                  "DDIMScheduler", dict(clip_sample=False), dict(scaling_factor=0.4), index=dict(id2label=LABELS)),
    "dit_b": Spec("DiTPipeline", 52, "DiTTransformer2DModel",
                  dict(num_attention_heads=1, attention_head_dim=20, num_layers=2, in_channels=4, out_channels=4, sample_size=8, attention_bias=False, norm_elementwise_affine=True,
                       norm_eps=1e-3, activation_fn="gelu", num_embeds_ada_norm=1003),
                  "DDPMScheduler", dict(clip_sample=False, beta_schedule="squaredcos_cap_v2"), dict(scaling_factor=0.5, use_quant_conv=False, use_post_quant_conv=False)),
    "sd3_a": Spec("StableDiffusion3Pipeline", 53, "SD3Transformer2DModel",
                  dict(num_attention_heads=2, attention_head_dim=12, num_layers=4, in_channels=4, out_channels=4, sample_size=8, patch_size=2, caption_projection_dim=24,
                       joint_attention_dim=44, pooled_projection_dim=30, pos_embed_max_size=12, dual_attention_layers=[0, 1], qk_norm="rms_norm"),
                  "FlowMatchEulerDiscreteScheduler", dict(shift=3.0), dict(scaling_factor=1.3, shift_factor=0.06, use_quant_conv=False, use_post_quant_conv=False),
                  clips=[dict(hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2, hidden_act="quick_gelu", projection_dim=12),
                         dict(hidden_size=24, intermediate_size=48, num_hidden_layers=3, num_attention_heads=3, hidden_act="gelu", projection_dim=18)],
                  t5=dict(d_model=44, d_kv=12, d_ff=36, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu")),
    "sd3_b": Spec("StableDiffusion3Pipeline", 54, "SD3Transformer2DModel",
                  dict(num_attention_heads=1, attention_head_dim=20, num_layers=2, in_channels=4, out_channels=4, sample_size=4, patch_size=2, caption_projection_dim=20,
                       joint_attention_dim=40, pooled_projection_dim=28, pos_embed_max_size=9),
                  "FlowMatchEulerDiscreteScheduler", dict(shift=1.5, num_train_timesteps=900), dict(scaling_factor=0.8, shift_factor=-0.1),
                  clips=[dict(hidden_size=12, intermediate_size=24, num_hidden_layers=4, num_attention_heads=2, hidden_act="quick_gelu", projection_dim=12),
                         dict(hidden_size=20, intermediate_size=32, num_hidden_layers=4, num_attention_heads=2, hidden_act="gelu", projection_dim=16)]),
    "pixart_a": Spec("PixArtSigmaPipeline", 55, "PixArtTransformer2DModel",
                     dict(num_attention_heads=2, attention_head_dim=12, num_layers=3, in_channels=4, out_channels=8, sample_size=8, patch_size=2, caption_channels=28,
                          cross_attention_dim=24),
                     "DPMSolverMultistepScheduler", dict(), dict(scaling_factor=0.13025),
                     t5=dict(d_model=28, d_kv=8, d_ff=36, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu")),
    "pixart_b": Spec("PixArtSigmaPipeline", 56, "PixArtTransformer2DModel",
                     dict(num_attention_heads=1, attention_head_dim=16, num_layers=2, in_channels=4, out_channels=4, sample_size=16, patch_size=2, cross_attention_dim=20,
                          attention_bias=False, interpolation_scale=2, norm_eps=1e-4),
                     "EulerAncestralDiscreteScheduler", dict(timestep_spacing="trailing"), dict(scaling_factor=0.3),
                     t5=dict(d_model=20, d_kv=8, d_ff=32, num_layers=2, num_heads=2, feed_forward_proj="relu")),
}
# As quantspot's recipes, with prompts and seeds for each picture.
RECIPES = {
    "dit_a": dict(prompts=["207", "Carassius auratus"], seeds=[7, 1234], steps=5, width=48, height=48, guidance=3.0, negative_prompt=None),
    "dit_b": dict(prompts=["1001"], seeds=[3], steps=4, width=64, height=64, guidance=2.0, negative_prompt=None),
    "sd3_a": dict(prompts=["A  red ﬁox on the\tgreen background, don't!", "one pizza"], seeds=[5, 6], steps=4, width=64, height=48, guidance=3.5,
                  negative_prompt=None, max_sequence_length=20),
    "sd3_b": dict(prompts=["a bright castle, two owls in soft light"], seeds=[8], steps=3, width=48, height=80, guidance=2.0, negative_prompt="old  sketch, blue",
                  max_sequence_length=14, clip_skip=1),
    "pixart_a": dict(prompts=[" A Violin in the GARDEN ", "three robots with an umbrella, painting on the old mountain"], seeds=[11, 12], steps=6, width=80, height=48,
                     guidance=3.0, negative_prompt="old sketch", max_sequence_length=24),
    "pixart_b": dict(prompts=["the old river"], seeds=[2], steps=3, width=96, height=96, guidance=1.0, negative_prompt=None, max_sequence_length=10),
}


def build(name: str, spec: Spec, folder: Path) -> None:
    parts, others = {"vae": AutoencoderKL(**(KL | spec.vae))}, {"scheduler": getattr(diffusers, spec.scheduler)(**spec.scheduler_options)}
    suffixes = ["", "_2"][:len(spec.clips)]
    vocab, merges = tokenizers.clip_bpe(spec.seed, 60, True, False)
    for suffix, clip in zip(suffixes, spec.clips):
        tokenizer = tokenizers.save_clip(folder / f"tokenizer{suffix}", "vocab", vocab, merges, "!" if suffix else tokenizers.EOS, 77)
        others[f"tokenizer{suffix}"] = tokenizer
        parts[f"text_encoder{suffix}"] = CLIPTextModelWithProjection(CLIPTextConfig(
            vocab_size=len(tokenizer), bos_token_id=tokenizer.bos_token_id, pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
            max_position_embeddings=77, **clip))
    if spec.t5:
        suffix = "_3" if spec.clips else ""
        others[f"tokenizer{suffix}"] = tokenizer = tokenizers.save_t5(folder / f"tokenizer{suffix}", "spiece", spec.seed, 150, "rules", 0)
        parts[f"text_encoder{suffix}"] = T5EncoderModel(T5Config(vocab_size=(len(tokenizer) + 15) // 8 * 8, is_encoder_decoder=False, use_cache=False,
                                                                 dropout_rate=0.0, **spec.t5))
    parts["transformer"] = getattr(diffusers, spec.transformer_class)(**spec.transformer)
    rng = torch.Generator().manual_seed(spec.seed)
    for part in sorted(parts):
        randomize(parts[part], rng)
        parts[part].eval()
    absent = dict(text_encoder_3=None, tokenizer_3=None) if spec.clips and not spec.t5 else {}
    pipe = getattr(diffusers, spec.pipeline)(**parts, **others, **absent, **spec.index)
    calibrate(pipe, RECIPES[name])
    save(pipe, spec, folder, parts, others, absent)


@torch.no_grad()
def calibrate(pipe, recipe: dict) -> None:
    """Scales the last layers: model output of unit variance, image around 0 with standard deviation 0.4."""
    pipe.set_progress_bar_config(disable=True)
    outputs = []
    hook = pipe.transformer.register_forward_hook(lambda module, args, out: outputs.append(out[0]))
    run(pipe, recipe)
    hook.remove()
    last = getattr(pipe.transformer, "proj_out_2", None) or pipe.transformer.proj_out
    for weight in last.parameters():
        weight.data /= outputs[0].std()
    image = pipe.vae.decode(unscaled(pipe, run(pipe, recipe)[0])).sample
    conv, scale = pipe.vae.decoder.conv_out, 0.4 / image.std()
    conv.weight.data *= scale
    conv.bias.data = (conv.bias - image.mean((0, 2, 3))) * scale
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            round_weights(part)


def unscaled(pipe, latents: torch.Tensor) -> torch.Tensor:
    return latents / pipe.vae.config.scaling_factor + (pipe.vae.config.shift_factor or 0)


def save(pipe, spec: Spec, folder: Path, parts: dict, others: dict, absent: dict) -> None:
    """Component by component: saving the whole pipeline would rewrite the tokenizers in one form."""
    index = {"_class_name": spec.pipeline, "_diffusers_version": diffusers.__version__} | spec.index | {name: [None, None] for name in absent}
    for name, model in parts.items():
        model.to(torch.bfloat16).save_pretrained(folder / name)
        index[name] = ["transformers" if "text" in name else "diffusers", type(model).__name__]
    pipe.scheduler.save_pretrained(folder / "scheduler")
    index |= {name: ["transformers", type(one).__name__] if "tokenizer" in name else ["diffusers", spec.scheduler] for name, one in others.items()}
    (folder / "model_index.json").write_text(json.dumps(index, indent=None if spec.index else 2) + "\n")


def run(pipe, recipe: dict, noise: torch.Tensor | None = None) -> tuple[torch.Tensor, np.ndarray]:
    """(final latents, pictures). Every picture draws from its own generator; DiT, whose pipeline gives none to the scheduler, from torch's own."""
    seen, decode = [], pipe.vae.decode
    pipe.vae.decode = lambda latents, *args, **kwargs: (seen.append(latents), decode(latents, *args, **kwargs))[1]
    generators = [torch.Generator().manual_seed(seed) for seed in recipe["seeds"]]
    if isinstance(pipe, diffusers.DiTPipeline):
        own = len(generators) == 1
        torch.manual_seed(recipe["seeds"][0])
        labels = [int(prompt) if prompt.isdigit() else pipe.get_label_ids([prompt])[0] for prompt in recipe["prompts"]]
        draw, module = diffusers.pipelines.dit.pipeline_dit.randn_tensor, diffusers.pipelines.dit.pipeline_dit
        if noise is not None:
            module.randn_tensor = lambda *args, **kwargs: noise
        images = pipe(class_labels=labels, guidance_scale=recipe["guidance"], num_inference_steps=recipe["steps"], generator=None if own else generators).images
        module.randn_tensor = draw
    else:
        call = dict(prompt=recipe["prompts"], width=recipe["width"], height=recipe["height"], num_inference_steps=recipe["steps"], guidance_scale=recipe["guidance"],
                    max_sequence_length=recipe["max_sequence_length"], generator=generators, latents=noise)
        if recipe["negative_prompt"] is not None:
            call["negative_prompt"] = [recipe["negative_prompt"]] * len(generators)
        call |= dict(clip_skip=recipe.get("clip_skip")) if hasattr(pipe, "text_encoder_2") else dict(use_resolution_binning=recipe.get("use_resolution_binning", False))
        images = pipe(**call).images
    pipe.vae.decode = decode
    scale, shift = pipe.vae.config.scaling_factor, pipe.vae.config.shift_factor or 0
    return (seen[0] - shift) * scale, np.stack([np.asarray(image) for image in images])


def load(folder: Path, dtype: torch.dtype):
    index = json.loads((folder / "model_index.json").read_text())
    absent = {name: None for name, part in index.items() if part == [None, None]}
    pipe = getattr(diffusers, index["_class_name"]).from_pretrained(folder, torch_dtype=dtype, local_files_only=True, **absent)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def text_tensors(pipe, recipe: dict) -> dict:
    if isinstance(pipe, diffusers.DiTPipeline):
        return {}
    negative = [recipe["negative_prompt"] or ""] * len(recipe["prompts"])
    length = recipe["max_sequence_length"]
    if isinstance(pipe, diffusers.StableDiffusion3Pipeline):
        made = pipe.encode_prompt(recipe["prompts"], None, None, negative_prompt=negative, clip_skip=recipe.get("clip_skip"), max_sequence_length=length)
        names = ("prompt_embeds", "negative_prompt_embeds", "pooled", "negative_pooled")
    else:
        made = pipe.encode_prompt(recipe["prompts"], negative_prompt=negative, max_sequence_length=length)
        names = ("prompt_embeds", "mask", "negative_prompt_embeds", "negative_mask")
    return {name: tensor.clone().float() for name, tensor in zip(names, made)}


@torch.no_grad()
def expected(folder: Path, recipe: dict) -> dict:
    pipe = load(folder, torch.float32)
    tensors, outputs = text_tensors(pipe, recipe), []
    shape = (1, 4, recipe["height"] // 8, recipe["width"] // 8)
    tensors["noise"] = torch.cat([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in recipe["seeds"]])
    hook = pipe.transformer.register_forward_hook(lambda module, args, out: outputs.append(out[0]))
    tensors["latents"], pictures = run(pipe, recipe)
    hook.remove()
    tensors["output_0"], tensors["image_u8"] = outputs[0], torch.from_numpy(pictures)
    tensors["bf16_latents"] = run(load(folder, torch.bfloat16), recipe, tensors["noise"].bfloat16())[0]
    return tensors


def make(golden: Path) -> None:
    for name, spec in SPECS.items():
        folder, recipe = golden / name, RECIPES[name]
        shutil.rmtree(folder, ignore_errors=True)
        build(name, spec, folder / "pipeline")
        tensors = expected(folder / "pipeline", recipe)
        save_file({key: value.contiguous() for key, value in tensors.items()}, folder / "expected.safetensors")
        distance = (tensors["bf16_latents"].float() - tensors["latents"]).norm() / tensors["latents"].norm()
        case = recipe | {
            "noise_sha256": [hashlib.sha256(noise.numpy().tobytes()).hexdigest() for noise in tensors["noise"]],
            "bf16_relative_error": round(distance.item(), 6)}
        (folder / "case.json").write_text(json.dumps(case, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        for file in folder.rglob("*.safetensors"):
            file.chmod(0o644)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        print(f"{name}: latents std {tensors['latents'].std():.2f}, picture std {tensors['image_u8'].float().std():.0f}, "
              f"bf16 error {distance:.4f}, {size / 1e3:.0f} kB")
