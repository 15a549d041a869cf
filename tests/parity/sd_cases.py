"""Group: random-weight Stable Diffusion 1.x, 2.x and SDXL pipelines and what diffusers computes with them."""

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import diffusers
import numpy as np
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

import tiny_tokenizers as tokenizers
from random_pipeline import randomize, round_weights


@dataclass
class Spec:
    """What shapes a folder. The dicts are arguments of the reference's own classes."""

    seed: int
    clip: dict
    unet: dict
    scheduler: str
    scheduler_options: dict
    clip_2: dict | None = None          # SDXL
    vae: dict = field(default_factory=dict)
    clip_pad: str = tokenizers.EOS
    legacy_eos: bool = False
    index: dict = field(default_factory=dict)   # more of model_index.json


BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
KL = dict(latent_channels=4, down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4, layers_per_block=1,
          block_out_channels=[4, 4, 8, 8], norm_num_groups=2, sample_size=64)
SPECS = {
    "sd_a": Spec(
        seed=41, clip=dict(hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=3, hidden_act="quick_gelu"),
        unet=dict(block_out_channels=[8, 12, 16], layers_per_block=2, norm_num_groups=4, attention_head_dim=2,
                  down_block_types=["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
                  up_block_types=["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]),
        scheduler="PNDMScheduler", scheduler_options=dict(skip_prk_steps=True, set_alpha_to_one=False, steps_offset=1, **BETAS),
        vae=dict(scaling_factor=0.18215)),
    "sd_b": Spec(
        seed=42, clip=dict(hidden_size=20, intermediate_size=40, num_hidden_layers=4, num_attention_heads=2, hidden_act="gelu"), clip_pad="!",
        legacy_eos=True,
        unet=dict(block_out_channels=[8, 16], layers_per_block=[1, 2], norm_num_groups=2, attention_head_dim=[2, 4], use_linear_projection=True,
                  upcast_attention=True, norm_eps=1e-6, freq_shift=1, flip_sin_to_cos=False, downsample_padding=0, mid_block_scale_factor=1.5,
                  resnet_time_scale_shift="scale_shift", center_input_sample=True, act_fn="gelu", time_embedding_act_fn="silu",
                  timestep_post_act="mish", time_embedding_dim=20, conv_in_kernel=5, conv_out_kernel=1,
                  down_block_types=["DownBlock2D", "CrossAttnDownBlock2D"], up_block_types=["CrossAttnUpBlock2D", "UpBlock2D"]),
        scheduler="DDIMScheduler",
        scheduler_options=dict(prediction_type="v_prediction", set_alpha_to_one=False, steps_offset=1, clip_sample=False, **BETAS),
        vae=dict(scaling_factor=0.4, use_quant_conv=False, use_post_quant_conv=False)),
    "sdxl_a": Spec(
        seed=43, clip=dict(hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2, hidden_act="quick_gelu"),
        clip_2=dict(hidden_size=24, intermediate_size=48, num_hidden_layers=3, num_attention_heads=3, hidden_act="gelu", projection_dim=20),
        unet=dict(block_out_channels=[8, 12, 16], layers_per_block=1, norm_num_groups=4, attention_head_dim=[1, 2, 4], use_linear_projection=True,
                  transformer_layers_per_block=[1, 2, 3], addition_embed_type="text_time", addition_time_embed_dim=6,
                  projection_class_embeddings_input_dim=20 + 6 * 6,
                  down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
                  up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"]),
        scheduler="EulerDiscreteScheduler", scheduler_options=dict(timestep_spacing="leading", steps_offset=1, **BETAS),
        vae=dict(scaling_factor=0.13025, force_upcast=True, latents_mean=[0.1, -0.2, 0.3, 0.0], latents_std=[0.9, 1.1, 1.2, 0.8]),
        index=dict(force_zeros_for_empty_prompt=True)),
    "sdxl_b": Spec(
        seed=44, clip=dict(hidden_size=12, intermediate_size=24, num_hidden_layers=4, num_attention_heads=2, hidden_act="quick_gelu"),
        clip_2=dict(hidden_size=16, intermediate_size=32, num_hidden_layers=4, num_attention_heads=2, hidden_act="gelu", projection_dim=12), legacy_eos=True,
        unet=dict(block_out_channels=[8, 16], layers_per_block=1, norm_num_groups=4, attention_head_dim=[2, 4], use_linear_projection=True,
                  transformer_layers_per_block=[1, 2], addition_embed_type="text_time", addition_time_embed_dim=8,
                  projection_class_embeddings_input_dim=12 + 6 * 8,
                  down_block_types=["DownBlock2D", "CrossAttnDownBlock2D"], up_block_types=["CrossAttnUpBlock2D", "UpBlock2D"]),
        scheduler="EulerAncestralDiscreteScheduler", scheduler_options=dict(timestep_spacing="trailing", **BETAS),
        vae=dict(scaling_factor=0.13025), index=dict(force_zeros_for_empty_prompt=True)),
}
# As quantspot's recipes, with prompts and seeds for each picture. A size of 8 · odd leaves odd maps inside the UNet.
RECIPES = {
    "sd_a": dict(prompts=["A  red ﬁox on the\tgreen background, don't!", "one pizza"], seeds=[7, 1234], steps=5, width=72, height=56, guidance=2.5,
                 negative_prompt="old  sketch, blue", strength=0.61),
    "sd_b": dict(prompts=["a bright castle, two owls in soft light"], seeds=[3], steps=4, width=48, height=32, guidance=3.0, negative_prompt=None,
                 guidance_rescale=0.7, clip_skip=1),
    "sdxl_a": dict(prompts=["a violin in the garden", "three robots with an umbrella"], seeds=[11, 12], steps=3, width=64, height=40, guidance=4.0,
                   negative_prompt=None, original_size=[640, 300], target_size=[100, 90], crop=[7, 3], strength=0.7),
    "sdxl_b": dict(prompts=["a small lighthouse, painting " * 20, "the old river"], seeds=[5, 6], steps=3, width=40, height=24, guidance=2.0,
                   negative_prompt="", clip_skip=1),
}


def text_model(spec: Spec, config: dict, tokenizer, cls) -> torch.nn.Module:
    return cls(CLIPTextConfig(vocab_size=len(tokenizer), bos_token_id=tokenizer.bos_token_id, pad_token_id=tokenizer.pad_token_id,
                              eos_token_id=2 if spec.legacy_eos else tokenizer.eos_token_id, max_position_embeddings=77, **config))


def build(spec: Spec, folder: Path, recipe: dict) -> None:
    vocab, merges = tokenizers.clip_bpe(spec.seed, 60, True, False)
    tokenizer = tokenizers.save_clip(folder / "tokenizer", "vocab", vocab, merges, spec.clip_pad, 77)
    parts = {"text_encoder": text_model(spec, spec.clip, tokenizer, CLIPTextModel), "vae": AutoencoderKL(**(KL | spec.vae))}
    context = spec.clip["hidden_size"]
    others = {"tokenizer": tokenizer, "scheduler": getattr(diffusers, spec.scheduler)(**spec.scheduler_options)}
    if spec.clip_2:
        others["tokenizer_2"] = tokenizers.save_clip(folder / "tokenizer_2", "vocab", vocab, merges, "!", 77)
        parts["text_encoder_2"] = text_model(spec, spec.clip_2, others["tokenizer_2"], CLIPTextModelWithProjection)
        context += spec.clip_2["hidden_size"]
    parts["unet"] = UNet2DConditionModel(cross_attention_dim=context, sample_size=8, **spec.unet)
    rng = torch.Generator().manual_seed(spec.seed)
    for name in sorted(parts):
        randomize(parts[name], rng)
        parts[name].eval()
    pipe = make_pipe(spec, parts, others)
    calibrate(pipe, recipe)
    save(pipe, spec, folder)


def make_pipe(spec: Spec, parts: dict, others: dict):
    if spec.clip_2:
        return StableDiffusionXLPipeline(**parts, **others, add_watermarker=False, **spec.index)
    return with_norm_in_place(StableDiffusionPipeline(**parts, **others, safety_checker=None, feature_extractor=None, requires_safety_checker=False))


def with_norm_in_place(pipe):
    """diffusers 0.42.1 looks for the final norm (clip_skip) where transformers 4 had it."""
    if not hasattr(pipe.text_encoder, "text_model"):
        object.__setattr__(pipe.text_encoder, "text_model", pipe.text_encoder)
    return pipe


@torch.no_grad()
def calibrate(pipe, recipe: dict) -> None:
    """Scales the last layers: model output of unit variance, image around 0 with standard deviation 0.4."""
    pipe.set_progress_bar_config(disable=True)
    outputs = []
    hook = pipe.unet.register_forward_hook(lambda module, args, out: outputs.append(out[0]))
    call = reference_call(recipe) | dict(num_inference_steps=3, output_type="latent")
    pipe(**call)
    hook.remove()
    for weight in pipe.unet.conv_out.parameters():
        weight.data /= outputs[0].std()
    image = pipe.vae.decode(unscaled(pipe, pipe(**call).images)).sample
    last, scale = pipe.vae.decoder.conv_out, 0.4 / image.std()
    last.weight.data *= scale
    last.bias.data = (last.bias - image.mean((0, 2, 3))) * scale
    for part in ("text_encoder", "text_encoder_2", "vae", "unet"):
        if getattr(pipe, part, None) is not None:
            round_weights(getattr(pipe, part))


def unscaled(pipe, latents: torch.Tensor) -> torch.Tensor:
    """As the pipelines do before they decode."""
    config = pipe.vae.config
    if isinstance(pipe, StableDiffusionXLPipeline) and config.latents_mean is not None:
        shape = (1, -1, 1, 1)
        mean, std = torch.tensor(config.latents_mean).view(shape), torch.tensor(config.latents_std).view(shape)
        return latents * std / config.scaling_factor + mean
    return latents / config.scaling_factor


def save(pipe, spec: Spec, folder: Path) -> None:
    """Component by component: saving the whole pipeline would rewrite the tokenizers in one form."""
    index = {"_class_name": type(pipe).__name__, "_diffusers_version": diffusers.__version__} | spec.index
    for name in ("text_encoder", "text_encoder_2", "unet", "vae"):
        model = getattr(pipe, name, None)
        if model is not None:
            model.to(torch.bfloat16).save_pretrained(folder / name)
            index[name] = ["transformers" if "text" in name else "diffusers", type(model).__name__]
    pipe.scheduler.save_pretrained(folder / "scheduler")
    index |= {"scheduler": ["diffusers", spec.scheduler], "tokenizer": ["transformers", "CLIPTokenizer"]}
    if spec.clip_2:
        index["tokenizer_2"] = ["transformers", "CLIPTokenizer"]
    else:
        index |= {"safety_checker": [None, None], "feature_extractor": [None, None], "requires_safety_checker": False}
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")


def reference_call(recipe: dict) -> dict:
    """The recipe as arguments of the reference's pipeline. Every picture draws from its own generator."""
    count = len(recipe["prompts"])
    call = dict(prompt=recipe["prompts"], width=recipe["width"], height=recipe["height"], num_inference_steps=recipe["steps"],
                guidance_scale=recipe["guidance"], guidance_rescale=recipe.get("guidance_rescale", 0.0), clip_skip=recipe.get("clip_skip"),
                generator=[torch.Generator().manual_seed(seed) for seed in recipe["seeds"]])
    if recipe["negative_prompt"] is not None:
        call["negative_prompt"] = [recipe["negative_prompt"]] * count
    for key, name in (("original_size", "original_size"), ("target_size", "target_size"), ("crop", "crops_coords_top_left")):
        if key in recipe:
            call[name] = tuple(reversed(recipe[key]))   # quantspot says width, height
    return call


def load(folder: Path, dtype: torch.dtype):
    cls = getattr(diffusers, json.loads((folder / "model_index.json").read_text())["_class_name"])
    extra = {} if "XL" in cls.__name__ else {"safety_checker": None}
    pipe = cls.from_pretrained(folder, torch_dtype=dtype, local_files_only=True, **extra)
    pipe.set_progress_bar_config(disable=True)
    return with_norm_in_place(pipe)


def text_tensors(pipe, recipe: dict) -> dict:
    call = reference_call(recipe)
    made = pipe.encode_prompt(call["prompt"], device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=True,
                              negative_prompt=call.get("negative_prompt"), clip_skip=call["clip_skip"])
    names = ("prompt_embeds", "negative_prompt_embeds", "pooled", "negative_pooled")
    return {name: tensor.clone() for name, tensor in zip(names, made)}


# "a red (fox:1.3) on the ((green background)), [old] photo" in its pieces.
PIECES = [("a red ", 1.0), ("fox", 1.3), (" on the ", 1.0), ("green background", 1.1 * 1.1), (", ", 1.0), ("old", 1 / 1.1), (" photo", 1.0)]


@torch.no_grad()
def weighted(pipe) -> torch.Tensor:
    """Embedding of PIECES: scaled token by token, then back to its mean."""
    tokenizer, ids, weights = pipe.tokenizer, [], []
    for text, weight in PIECES:
        own = tokenizer(text, add_special_tokens=False).input_ids
        ids, weights = ids + own, weights + [weight] * len(own)
    rest = tokenizer.model_max_length - len(ids) - 2
    ids = [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id] + [tokenizer.pad_token_id] * rest
    embeds = pipe.text_encoder(torch.tensor([ids]))[0]
    scaled = embeds * torch.tensor([1.0, *weights] + [1.0] * (rest + 1)).view(1, -1, 1)
    return scaled * (embeds.mean() / scaled.mean())


@torch.no_grad()
def from_picture(pipe, recipe: dict) -> dict:
    """Image to image from a picture of noise and bars, and the first result's latents decoded in tiles and picture by picture."""
    rng = np.random.default_rng(recipe["seeds"][0])
    picture = rng.integers(0, 256, (recipe["height"], recipe["width"], 3), dtype=np.uint8)
    picture[:, ::5] = 230
    cls = diffusers.StableDiffusionXLImg2ImgPipeline if "XL" in type(pipe).__name__ else diffusers.StableDiffusionImg2ImgPipeline
    extra = {} if "XL" in type(pipe).__name__ else {"requires_safety_checker": False}
    other = cls(**{key: value for key, value in pipe.components.items() if key != "image_encoder" or value is not None}, **extra)
    other.set_progress_bar_config(disable=True)
    call = reference_call(recipe)
    for key in ("width", "height", "guidance_rescale"):
        del call[key]
    call |= dict(image=Image.fromarray(picture), strength=recipe["strength"], output_type="latent")
    latents = other(**call).images
    pipe.vae.enable_tiling()
    tiled = pipe.vae.decode(unscaled(pipe, latents)).sample
    pipe.vae.disable_tiling()
    decoded = pipe.vae.decode(unscaled(pipe, latents)).sample
    bytes_of = lambda image: torch.from_numpy(np.stack([np.asarray(one) for one in pipe.image_processor.postprocess(image, output_type="pil")]))
    return {"picture": torch.from_numpy(picture), "from_picture_latents": latents, "from_picture_u8": bytes_of(decoded), "tiled_u8": bytes_of(tiled)}


@torch.no_grad()
def expected(folder: Path, recipe: dict) -> dict:
    pipe = load(folder, torch.float32)
    tensors, outputs = text_tensors(pipe, recipe), []
    shape = (1, 4, recipe["height"] // pipe.vae_scale_factor, recipe["width"] // pipe.vae_scale_factor)
    tensors["noise"] = torch.cat([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in recipe["seeds"]])
    hook = pipe.unet.register_forward_hook(lambda module, args, out: outputs.append(out[0]))
    tensors["latents"] = pipe(output_type="latent", **reference_call(recipe)).images
    hook.remove()
    tensors["output_0"] = outputs[0]
    images = pipe(output_type="pil", **reference_call(recipe)).images
    tensors["image_u8"] = torch.from_numpy(np.stack([np.asarray(image) for image in images]))
    if not hasattr(pipe, "text_encoder_2"):
        tensors["weighted_embeds"] = weighted(pipe)
    if "strength" in recipe:
        tensors |= from_picture(pipe, recipe)
    half = load(folder, torch.bfloat16)
    tensors["bf16_latents"] = half(output_type="latent", latents=tensors["noise"].bfloat16(), **reference_call(recipe)).images
    return tensors


def make(golden: Path) -> None:
    for name, spec in SPECS.items():
        folder, recipe = golden / name, RECIPES[name]
        shutil.rmtree(folder, ignore_errors=True)
        build(spec, folder / "pipeline", recipe)
        tensors = expected(folder / "pipeline", recipe)
        save_file({key: value.contiguous() for key, value in tensors.items()}, folder / "expected.safetensors")
        distance = (tensors["bf16_latents"].float() - tensors["latents"]).norm() / tensors["latents"].norm()
        case = recipe | {
            "noise_sha256": [hashlib.sha256(noise.numpy().tobytes()).hexdigest() for noise in tensors["noise"]],
            "bf16_relative_error": round(distance.item(), 6)}
        (folder / "case.json").write_text(json.dumps(case, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        print(f"{name}: latents std {tensors['latents'].std():.2f}, picture std {tensors['image_u8'].float().std():.0f}, "
              f"bf16 error {distance:.4f}, {size / 1e3:.0f} kB")
