"""Draws shapes of Stable Diffusion, SDXL, SD 3, PixArt and DiT pipelines, and recipes for them, from a seed: odd combinations on purpose."""

import random

import diffusers

import compare_schedulers
import sd_cases
import transformer_cases
from random_specs import PROMPTS

FAMILIES = ("sd", "sdxl", "sd3", "pixart", "dit")
BETAS = sd_cases.BETAS
STEPS = (1, 2, 3, 4, 5, 7, 11)
SCHEDULERS = [
    ("DDIMScheduler", dict(clip_sample=False, set_alpha_to_one=False, steps_offset=1)), ("DDIMScheduler", dict(timestep_spacing="trailing", clip_sample=False)),
    ("PNDMScheduler", dict(skip_prk_steps=True, steps_offset=1)), ("PNDMScheduler", dict()), ("EulerDiscreteScheduler", dict(timestep_spacing="leading", steps_offset=1)),
    ("EulerDiscreteScheduler", dict(use_karras_sigmas=True)), ("EulerAncestralDiscreteScheduler", dict()), ("HeunDiscreteScheduler", dict(use_karras_sigmas=True)), ("DPMSolverMultistepScheduler", dict(use_karras_sigmas=True)),
    ("DPMSolverMultistepScheduler", dict(solver_order=3)), ("DPMSolverMultistepScheduler", dict(algorithm_type="sde-dpmsolver++")), ("UniPCMultistepScheduler", dict()),
    ("UniPCMultistepScheduler", dict(solver_order=3, use_karras_sigmas=True)), ("LCMScheduler", dict()), ("DDPMScheduler", dict(clip_sample=False)),
]
FLOW_SCHEDULERS = [
    ("FlowMatchEulerDiscreteScheduler", dict(shift=1.0)), ("FlowMatchEulerDiscreteScheduler", dict(shift=3.0)), ("FlowMatchEulerDiscreteScheduler", dict(shift=6.5)),
    ("FlowMatchEulerDiscreteScheduler", dict(shift=3.0, use_karras_sigmas=True)), ("FlowMatchEulerDiscreteScheduler", dict(use_exponential_sigmas=True)),
    ("FlowMatchEulerDiscreteScheduler", dict(shift=2.0, use_beta_sigmas=True)), ("FlowMatchEulerDiscreteScheduler", dict(use_dynamic_shifting=True, base_image_seq_len=8)),
    ("FlowMatchEulerDiscreteScheduler", dict(use_dynamic_shifting=True, time_shift_type="linear", max_shift=2.0)),
    ("FlowMatchEulerDiscreteScheduler", dict(shift=3.0, shift_terminal=0.1)), ("FlowMatchHeunDiscreteScheduler", dict(shift=3.0)), ("FlowMatchHeunDiscreteScheduler", dict()),
    ("UniPCMultistepScheduler", dict(use_flow_sigmas=True, flow_shift=3.0, prediction_type="flow_prediction")),
    ("DPMSolverMultistepScheduler", dict(use_flow_sigmas=True, flow_shift=3.0, prediction_type="flow_prediction")),
]
# Of those that the other pipelines take, with options at random.
OPTIONAL = {"ddim": "DDIMScheduler", "ddpm": "DDPMScheduler", "pndm": "PNDMScheduler", "euler": "EulerDiscreteScheduler", "euler-ancestral": "EulerAncestralDiscreteScheduler", "heun": "HeunDiscreteScheduler",
            "dpmpp-2m": "DPMSolverMultistepScheduler", "unipc": "UniPCMultistepScheduler", "lcm": "LCMScheduler"}
UNFIT = ("prediction_type", "num_train_timesteps", "use_flow_sigmas", "variance_type", "beta_start", "beta_end", "beta_schedule", "original_inference_steps")


def draw_scheduler(rng: random.Random) -> tuple[str, dict]:
    if rng.random() < 0.4:
        return rng.choice(SCHEDULERS)
    key = rng.choice(list(OPTIONAL))
    options = compare_schedulers.draw(rng, key, getattr(diffusers, OPTIONAL[key]))
    return OPTIONAL[key], {name: value for name, value in options.items() if name not in UNFIT}


def draw_clip(rng: random.Random, layers: int, projection: int | None = None) -> dict:
    heads = rng.randint(1, 4)
    size = dict(hidden_size=heads * rng.choice([4, 6, 8]), num_attention_heads=heads, num_hidden_layers=layers, intermediate_size=rng.choice([20, 33, 64]),
                hidden_act=rng.choice(["quick_gelu", "gelu"]))
    return size | (dict(projection_dim=projection) if projection else {})


def draw_t5(rng: random.Random, width: int) -> dict:
    return dict(d_model=width, d_kv=rng.choice([4, 8, 10]), num_heads=rng.randint(1, 4), d_ff=rng.choice([24, 40, 65]), num_layers=rng.randint(1, 3),
                feed_forward_proj=rng.choice(["gated-gelu", "relu"]))


def draw_vae(rng: random.Random, levels: int, latent: int) -> dict:
    groups, quant = rng.choice([1, 2]), rng.random() < 0.5
    return dict(down_block_types=["DownEncoderBlock2D"] * levels, up_block_types=["UpDecoderBlock2D"] * levels, norm_num_groups=groups, latent_channels=latent,
                block_out_channels=[groups * rng.randint(2, 5) for _ in range(levels)], layers_per_block=rng.randint(1, 2), scaling_factor=rng.uniform(0.2, 1.2),
                use_quant_conv=quant, use_post_quant_conv=quant, mid_block_add_attention=rng.random() < 0.8)


def draw_unet(rng: random.Random, latent: int, xl: bool, pooled: int) -> dict:
    levels, groups = rng.randint(1, 4), rng.choice([2, 4])
    crossed = [rng.random() < 0.7 for _ in range(levels)]
    channels = [groups * rng.choice([2, 4, 6]) for _ in range(levels)]
    heads = [rng.choice([head for head in (1, 2, 4) if width % head == 0]) for width in channels]
    unet = dict(in_channels=latent, out_channels=latent, block_out_channels=channels, norm_num_groups=groups, attention_head_dim=heads,
                layers_per_block=rng.choice([1, 2, [rng.randint(1, 2) for _ in range(levels)]]), use_linear_projection=rng.random() < 0.5,
                transformer_layers_per_block=rng.choice([1, [rng.randint(1, 2) for _ in range(levels)]]), upcast_attention=rng.random() < 0.2,
                norm_eps=rng.choice([1e-5, 1e-6]), resnet_time_scale_shift=rng.choice(["default", "default", "scale_shift"]),
                down_block_types=["CrossAttnDownBlock2D" if one else "DownBlock2D" for one in crossed],
                up_block_types=["CrossAttnUpBlock2D" if one else "UpBlock2D" for one in reversed(crossed)])
    if xl:
        ids = rng.choice([4, 6, 8])
        unet |= dict(addition_embed_type="text_time", addition_time_embed_dim=ids, projection_class_embeddings_input_dim=pooled + 6 * ids)
    return unet


def draw_unet_case(rng: random.Random, seed: int, xl: bool) -> tuple[sd_cases.Spec, dict]:
    latent, levels, layers = rng.choice([4, 4, 3, 8]), rng.randint(2, 4), rng.randint(2, 4)
    pooled = rng.choice([10, 12, 16])
    scheduler, options = draw_scheduler(rng)
    prediction = rng.choice(["epsilon", "epsilon", "v_prediction"])
    unet = draw_unet(rng, latent, xl, pooled)
    spec = sd_cases.Spec(seed=seed, clip=draw_clip(rng, layers), unet=unet, scheduler=scheduler, scheduler_options=options | BETAS | dict(prediction_type=prediction),
                         clip_2=draw_clip(rng, layers, pooled) if xl else None, vae=draw_vae(rng, levels, latent), clip_pad=rng.choice(["!", "<|endoftext|>"]),
                         legacy_eos=rng.random() < 0.3, index=dict(force_zeros_for_empty_prompt=rng.random() < 0.7) if xl else {})
    multiple = 8 if levels < 4 else 2 ** (levels - 1)   # the pipelines take multiples of 8
    recipe = draw_recipe(rng, seed, multiple, 6 if levels == 4 else 8 * 6 // 2 ** (levels - 1))
    recipe |= dict(guidance_rescale=rng.choice([0.0, 0.0, 0.5]), clip_skip=rng.choice([0, 0, 1]))
    if xl and rng.random() < 0.5:
        recipe |= dict(original_size=[rng.randint(64, 2000), rng.randint(64, 2000)], target_size=[rng.randint(64, 2000), 512], crop=[rng.randint(0, 99), 0])
    return spec, recipe


def draw_recipe(rng: random.Random, seed: int, multiple: int, most: int) -> dict:
    size = lambda: multiple * rng.randint(2, max(3, most * 8 // multiple))
    return dict(prompts=[rng.choice(PROMPTS)], seeds=[seed * 31 + 5], steps=rng.choice(STEPS), width=size(), height=size(), guidance=rng.choice([1.0, 2.0, 3.5, 0.0]),
                negative_prompt=rng.choice([None, None, "", "old  sketch, blue"]))


def draw_transformer_case(rng: random.Random, seed: int, family: str) -> tuple[transformer_cases.Spec, dict]:
    heads, width = rng.randint(1, 3), rng.choice([8, 12, 20])
    sizes = dict(num_attention_heads=heads, attention_head_dim=width, num_layers=rng.randint(1, 4), patch_size=2, in_channels=4)
    vae = dict(draw_vae(rng, 4, 4))
    recipe = draw_recipe(rng, seed, 16, 8)
    scheduler, options = rng.choice(FLOW_SCHEDULERS) if family == "sd3" else draw_scheduler(rng)
    if family == "sd3":
        inner, joint, pooled = heads * width, rng.choice([40, 48, 60]), [rng.choice([8, 12]), rng.choice([10, 16])]
        layers = rng.randint(2, 4)
        clips = [draw_clip(rng, layers, size) for size in pooled]
        joint = max(joint, sum(clip["hidden_size"] for clip in clips))
        dual = sorted(rng.sample(range(sizes["num_layers"]), rng.randint(0, sizes["num_layers"] - 1)))
        transformer = sizes | dict(out_channels=4, sample_size=rng.choice([4, 8, 16]), caption_projection_dim=inner, joint_attention_dim=joint, pooled_projection_dim=sum(pooled),
                                   pos_embed_max_size=rng.choice([12, 17, 24]), dual_attention_layers=dual, qk_norm=rng.choice([None, "rms_norm"]))
        t5 = draw_t5(rng, joint) if rng.random() < 0.6 else None
        recipe |= dict(max_sequence_length=rng.choice([12, 33, 77, 256]), clip_skip=rng.choice([0, 0, 1]))
        return transformer_cases.Spec("StableDiffusion3Pipeline", seed, "SD3Transformer2DModel", transformer, scheduler, options, vae | dict(shift_factor=rng.choice([0.0609, -0.2])), clips, t5), recipe
    if family == "pixart":
        caption = rng.choice([20, 28, 33])
        transformer = sizes | dict(out_channels=rng.choice([4, 8]), sample_size=rng.choice([8, 16, 32]), caption_channels=caption, cross_attention_dim=heads * width,
                                   interpolation_scale=rng.choice([None, 1, 2]))
        recipe |= dict(max_sequence_length=rng.choice([10, 40, 300]))
        if transformer["sample_size"] == 32 and rng.random() < 0.5:
            recipe["use_resolution_binning"] = True
        return transformer_cases.Spec("PixArtSigmaPipeline", seed, "PixArtTransformer2DModel", transformer, scheduler, options, vae, t5=draw_t5(rng, caption)), recipe
    side = rng.choice([4, 6, 8, 10])
    transformer = sizes | dict(out_channels=rng.choice([4, 8]), sample_size=side)
    recipe |= dict(prompts=[rng.choice(["207", "0", "999", "golden retriever", "crane"])], width=8 * side, height=8 * side, negative_prompt=None)
    return transformer_cases.Spec("DiTPipeline", seed, "DiTTransformer2DModel", transformer, scheduler, options, vae, index=dict(id2label=transformer_cases.LABELS)), recipe


def wide_sdxl() -> tuple[sd_cases.Spec, dict]:
    """SDXL's own widths, heads and transformer depths (2, 10) with one layer a block and three of each text encoder: 0.9 billion weights."""
    text = dict(num_hidden_layers=3)
    spec = sd_cases.Spec(
        seed=65, clip=text | dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12, hidden_act="quick_gelu"),
        clip_2=text | dict(hidden_size=1280, intermediate_size=5120, num_attention_heads=20, hidden_act="gelu", projection_dim=1280),
        unet=dict(block_out_channels=[320, 640, 1280], attention_head_dim=[5, 10, 20], layers_per_block=1, norm_num_groups=32, use_linear_projection=True,
                  transformer_layers_per_block=[1, 2, 10], addition_embed_type="text_time", addition_time_embed_dim=256,
                  projection_class_embeddings_input_dim=2816, down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
                  up_block_types=["UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"]),
        vae=dict(scaling_factor=0.13025), scheduler="EulerDiscreteScheduler", scheduler_options=dict(timestep_spacing="leading", steps_offset=1, **BETAS),
        index=dict(force_zeros_for_empty_prompt=True))
    return spec, dict(prompts=[PROMPTS[1]], seeds=[7], steps=4, width=128, height=128, guidance=5.0, negative_prompt="old  sketch, blue")


def draw_case(family: str, seed: int):
    """(spec, recipe) of the family's folder with this number, the same everywhere."""
    rng = random.Random(f"{family} {seed}")
    if family in ("sd", "sdxl"):
        return draw_unet_case(rng, seed, family == "sdxl")
    return draw_transformer_case(rng, seed, family)
