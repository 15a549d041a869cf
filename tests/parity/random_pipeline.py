"""Builds FLUX pipelines of any shape with random weights that do not degenerate, in diffusers folder form."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL, AutoencoderTiny, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel,
)
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, T5Config, T5EncoderModel, T5Tokenizer

import tiny_tokenizers as tokenizers


@dataclass
class PipelineSpec:
    """Everything that shapes a folder. The dicts are arguments of the reference's own classes."""

    seed: int
    transformer: dict          # FluxTransformer2DModel, without the widths that follow from the encoders and the VAE
    clip: dict                 # CLIPTextConfig
    t5: dict                   # T5Config
    vae: dict                  # AutoencoderKL or AutoencoderTiny
    scheduler: dict
    tiny_vae: bool = False
    clip_files: str = "vocab"  # or "json"
    clip_merges: int = 60
    clip_full_alphabet: bool = True
    clip_specials_first: bool = False
    clip_pad: str = tokenizers.EOS
    clip_length: int = 77
    legacy_eos: bool = False   # config says 2, as before transformers 4.31: pooled at the highest id
    clip_prefix: bool = False  # keys start with text_model., as in every folder written by transformers 4
    t5_files: str = "spiece"   # or "json", "both"
    t5_vocab: int = 150
    t5_normalizer: str = "identity"
    t5_extra_ids: int = 0
    version_4: bool = False    # tokenizer_config.json as transformers 4 wrote it
    dtypes: dict = field(default_factory=dict)  # component -> dtype on disk; bfloat16 unless given
    shard_size: str | None = None               # of the transformer


def randomize(model: torch.nn.Module, rng: torch.Generator) -> None:
    """Every parameter, also those that usual initialisation leaves at 0 or 1, so that none can be ignored."""
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=rng)
        leaf = name.rsplit(".", 1)[-1]
        if weight.ndim <= 1:
            weight.data = 0.1 * noise if leaf == "bias" else 1 + 0.2 * noise
        elif weight.ndim == 2 and "embed" in name and "embedder" not in name or "relative_attention_bias" in name or name == "shared.weight":
            weight.data = noise
        else:
            weight.data = noise * (weight[0].numel() ** -0.5) * (1.4 if weight.ndim == 4 else 1.0)


def round_weights(model: torch.nn.Module) -> None:
    """To bf16 values, so that a folder stored in bf16 and one in fp32 hold the same model."""
    for weight in model.parameters():
        weight.data = weight.data.bfloat16().float()


def build(spec: PipelineSpec, folder: Path, size: tuple[int, int] = (64, 64)) -> None:
    """Writes the folder. size (width, height) is what the output scales are calibrated at."""
    vocab, merges = tokenizers.clip_bpe(
        spec.seed, spec.clip_merges, spec.clip_full_alphabet, spec.clip_specials_first)
    clip_tokenizer = tokenizers.save_clip(
        folder / "tokenizer", spec.clip_files, vocab, merges, spec.clip_pad, spec.clip_length)
    t5_tokenizer = tokenizers.save_t5(
        folder / "tokenizer_2", spec.t5_files, spec.seed, spec.t5_vocab, spec.t5_normalizer, spec.t5_extra_ids)
    if spec.version_4:
        tokenizers.add_decoder_lists(folder / "tokenizer", folder / "tokenizer_2", vocab)
        clip_tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
        t5_tokenizer = T5Tokenizer.from_pretrained(folder / "tokenizer_2")
    rng = torch.Generator().manual_seed(spec.seed)
    clip = CLIPTextModel(CLIPTextConfig(
        vocab_size=len(vocab), bos_token_id=clip_tokenizer.bos_token_id, pad_token_id=clip_tokenizer.pad_token_id,
        eos_token_id=2 if spec.legacy_eos else clip_tokenizer.eos_token_id,
        max_position_embeddings=spec.clip_length, **spec.clip))
    t5 = T5EncoderModel(T5Config(vocab_size=(len(t5_tokenizer) + 15) // 8 * 8, is_encoder_decoder=False,
                                 use_cache=False, dropout_rate=0.0, **spec.t5))
    vae = (AutoencoderTiny if spec.tiny_vae else AutoencoderKL)(**spec.vae)
    transformer = FluxTransformer2DModel(
        in_channels=4 * spec.vae["latent_channels"], joint_attention_dim=spec.t5["d_model"],
        pooled_projection_dim=spec.clip["hidden_size"], **spec.transformer)
    for model in (clip, t5, vae, transformer):
        randomize(model, rng)
        model.eval()
    pipe = FluxPipeline(scheduler=FlowMatchEulerDiscreteScheduler(**spec.scheduler), vae=vae, text_encoder=clip,
                        tokenizer=clip_tokenizer, text_encoder_2=t5, tokenizer_2=t5_tokenizer, transformer=transformer)
    calibrate(pipe, size)
    save(pipe, spec, folder)


@torch.no_grad()
def calibrate(pipe: FluxPipeline, size: tuple[int, int]) -> None:
    """Scales the last layers: velocity of unit variance, image around 0 with standard deviation 0.4."""
    pipe.set_progress_bar_config(disable=True)
    velocities = []
    hook = pipe.transformer.register_forward_hook(lambda module, args, out: velocities.append(out[0]))

    def run() -> torch.Tensor:
        return pipe("a red fox on the green background", width=size[0], height=size[1], num_inference_steps=4,
                    max_sequence_length=16, generator=torch.Generator().manual_seed(1), output_type="latent").images

    run()
    hook.remove()
    for weight in pipe.transformer.proj_out.parameters():
        weight.data /= velocities[0].std()
    latents = pipe._unpack_latents(run(), size[1], size[0], pipe.vae_scale_factor)
    image = pipe.vae.decode(latents / pipe.vae.config.scaling_factor + pipe.vae.config.shift_factor).sample
    tiny = hasattr(pipe.vae.decoder, "layers")
    last = pipe.vae.decoder.layers[-1] if tiny else pipe.vae.decoder.conv_out
    scale, mean = 0.4 / image.std(), image.mean((0, 2, 3))
    last.weight.data *= scale
    # DecoderTiny ends with 2x - 1
    last.bias.data = (last.bias - (mean + 1) / 2) * scale + 0.5 if tiny else (last.bias - mean) * scale
    for model in (pipe.text_encoder, pipe.text_encoder_2, pipe.vae, pipe.transformer):
        round_weights(model)


def save(pipe: FluxPipeline, spec: PipelineSpec, folder: Path) -> None:
    """Component by component: saving the whole pipeline would rewrite the tokenizers in one form."""
    index = {"_class_name": "FluxPipeline", "_diffusers_version": "0.42.1"}
    for name in ("text_encoder", "text_encoder_2", "transformer", "vae"):
        model = getattr(pipe, name)
        options = {"max_shard_size": spec.shard_size} if name == "transformer" and spec.shard_size else {}
        model.to(getattr(torch, spec.dtypes.get(name, "bfloat16"))).save_pretrained(folder / name, **options)
        library = "transformers" if "text" in name else "diffusers"
        index[name] = [library, type(model).__name__]
    pipe.scheduler.save_pretrained(folder / "scheduler")
    index |= {"scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
              "tokenizer": ["transformers", "CLIPTokenizer"], "tokenizer_2": ["transformers", "T5TokenizerFast"]}
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    if spec.clip_prefix:
        file = folder / "text_encoder" / "model.safetensors"
        tensors = load_file(file)
        save_file({f"text_model.{key}": value for key, value in tensors.items()}, file, {"format": "pt"})
