"""Draws the shape of a FLUX pipeline, and a recipe for it, from a seed: odd combinations on purpose."""

import random

from random_pipeline import PipelineSpec

PROMPTS = [
    "a red fox on the green background", "A BRIGHT  castle, under morning light!!", "one pizza & two rockets (1920s) — très détaillé",
    "don't paint the robot's umbrella; it's a river", "", "漢字 🦊 and ﬁne naïve café", "three owls\tand\na violin",
    "small old lighthouse, soft focus. " * 9, "a <extra_id_0> fox </s> on<extra_id_1>a <|endoftext|> hill",
]


def draw_spec(seed: int) -> PipelineSpec:
    rng = random.Random(seed)
    clip_heads, t5_heads = rng.randint(1, 4), rng.randint(1, 5)
    tiny, full = rng.random() < 0.4, rng.random() < 0.7
    clip = dict(hidden_size=clip_heads * rng.choice([4, 6, 8, 12]), num_attention_heads=clip_heads,
                num_hidden_layers=rng.randint(1, 4), intermediate_size=rng.choice([20, 33, 64, 100]),
                hidden_act=rng.choice(["quick_gelu", "quick_gelu", "gelu"]),
                layer_norm_eps=rng.choice([1e-5, 1e-5, 1e-4]))
    t5 = dict(d_model=rng.choice([16, 20, 36, 48]), d_kv=rng.choice([4, 8, 10, 16]), num_heads=t5_heads,
              d_ff=rng.choice([24, 40, 65]), num_layers=rng.randint(1, 4),
              feed_forward_proj=rng.choice(["gated-gelu", "gated-gelu", "relu"]),
              relative_attention_num_buckets=rng.choice([32, 32, 16, 8]),
              relative_attention_max_distance=rng.choice([128, 128, 20]), layer_norm_epsilon=rng.choice([1e-6, 1e-5]))
    return PipelineSpec(
        seed=seed, transformer=draw_transformer(rng), clip=clip, t5=t5, tiny_vae=tiny,
        vae=draw_tiny(rng) if tiny else draw_kl(rng), scheduler=draw_scheduler(rng),
        clip_files=rng.choice(["vocab", "json"]), clip_merges=rng.randint(10, 150),
        clip_full_alphabet=full, clip_specials_first=rng.random() < 0.2,
        clip_pad=rng.choice(["<|endoftext|>"] * 4 + ["!" if full else "<|endoftext|>"]), clip_length=rng.choice([77, 77, 40, 16]),
        legacy_eos=rng.random() < 0.4, clip_prefix=rng.random() < 0.6, t5_files=rng.choice(["spiece", "json", "both"]),
        t5_vocab=rng.randint(100, 300), t5_normalizer=rng.choice(["identity", "rules", "nmt_nfkc", "nmt_nfkc_cf"]),
        t5_extra_ids=rng.choice([0, 100]),
        dtypes={name: rng.choice(["bfloat16", "bfloat16", "float16", "float32"])
                for name in ("transformer", "vae", "text_encoder", "text_encoder_2")},
        version_4=rng.random() < 0.4, shard_size=rng.choice([None, None, "40KB", "200KB"]))


def draw_transformer(rng: random.Random) -> dict:
    axes = [2 * rng.randint(1, 5) for _ in range(3)]
    double, single = rng.choice([(1, 1), (2, 3), (3, 1), (1, 5), (0, 2), (2, 0), (4, 4)])
    return dict(num_layers=double, num_single_layers=single, num_attention_heads=rng.randint(1, 5),
                attention_head_dim=sum(axes), axes_dims_rope=axes, guidance_embeds=rng.random() < 0.5)


def draw_kl(rng: random.Random) -> dict:
    levels = rng.randint(2, 4)
    groups = rng.choice([1, 2, 4])
    return dict(down_block_types=["DownEncoderBlock2D"] * levels, up_block_types=["UpDecoderBlock2D"] * levels,
                block_out_channels=[groups * rng.randint(2, 6) for _ in range(levels)], norm_num_groups=groups,
                layers_per_block=rng.randint(1, 3), latent_channels=rng.choice([4, 8, 16]), sample_size=64,
                scaling_factor=rng.uniform(0.3, 1.5), shift_factor=rng.choice([0.0, 0.1159, -0.3]),
                use_quant_conv=(quant := rng.random() < 0.5), use_post_quant_conv=quant,
                mid_block_add_attention=rng.random() < 0.8)


def draw_tiny(rng: random.Random) -> dict:
    levels, width = rng.randint(2, 4), rng.choice([6, 8, 13])
    return dict(latent_channels=rng.choice([4, 16]), encoder_block_out_channels=[width] * levels,
                decoder_block_out_channels=[width] * levels, num_encoder_blocks=[1] * levels,
                num_decoder_blocks=[rng.randint(1, 3) for _ in range(levels - 1)] + [1],
                scaling_factor=rng.uniform(0.5, 2), shift_factor=rng.choice([0.0, 0.2]))


def draw_scheduler(rng: random.Random) -> dict:
    if rng.random() < 0.4:
        return dict(shift=rng.choice([1.0, 3.0, 0.5, 1.7]))
    return dict(use_dynamic_shifting=True, base_shift=rng.choice([0.5, 0.3]), max_shift=rng.choice([1.15, 2.0]),
                base_image_seq_len=rng.choice([256, 8]), max_image_seq_len=rng.choice([4096, 100]),
                shift=rng.choice([1.0, 3.0]), time_shift_type=rng.choice(["exponential"] * 3 + ["linear"]))


def draw_recipe(seed: int) -> dict:
    rng = random.Random(seed + 1_000_000)
    negative = rng.choice([None, None, "", "old blue sketch", "a  fox"])
    return dict(prompts=[rng.choice(PROMPTS)], seed=rng.choice([0, 7, 12345, 2**31 + 5, 2**40 + 3]),
                steps=rng.randint(1, 6), width=16 * rng.randint(1, 6), height=16 * rng.randint(1, 6),
                guidance=rng.choice([0.0, 1.0, 3.5, 7.0]), true_cfg=1.0 if negative is None else rng.choice([1.0, 2.0, 4.5]),
                negative_prompt=negative, max_sequence_length=rng.choice([8, 16, 40, 77, 128]))


def large_spec() -> PipelineSpec:
    """Proportions of FLUX.1 with fewer and narrower blocks (about 80 million weights): tiles, buckets and groups as in it."""
    return PipelineSpec(
        seed=77, transformer=dict(num_layers=2, num_single_layers=3, num_attention_heads=6, attention_head_dim=128,
                                  axes_dims_rope=[16, 56, 56], guidance_embeds=True),
        clip=dict(hidden_size=256, num_attention_heads=4, num_hidden_layers=4, intermediate_size=1024, hidden_act="quick_gelu"),
        t5=dict(d_model=512, d_kv=64, num_heads=8, d_ff=1280, num_layers=4, feed_forward_proj="gated-gelu"),
        vae=dict(down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4, norm_num_groups=32,
                 block_out_channels=[32, 64, 128, 128], layers_per_block=2, latent_channels=16, sample_size=1024,
                 scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False),
        scheduler=dict(use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15, shift=3.0), legacy_eos=True,
        clip_prefix=True, t5_files="both", t5_normalizer="nmt_nfkc", t5_extra_ids=100, version_4=True, shard_size="60MB")


def large_recipe() -> dict:
    return dict(prompts=["a bright castle, under morning light"], seed=5, steps=3, width=256, height=192, guidance=3.5,
                true_cfg=1.0, negative_prompt=None, max_sequence_length=256)
