"""Trains the small CLIP on scenes and captions; its text half becomes the pipeline's frozen first text encoder."""
import argparse
import random
import time
from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel, CLIPTokenizer, CLIPVisionConfig

import data
from autoencoder import pixels, scene_pool

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1)  # CLIP's own normalization
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(1, 3, 1, 1)
WIDTH = dict(hidden_size=192, intermediate_size=512, num_attention_heads=4, projection_dim=128)
BATCH, POOL = 96, 6000


def build(tokenizer: CLIPTokenizer) -> CLIPModel:
    special = dict(bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    text = CLIPTextConfig(vocab_size=len(tokenizer), num_hidden_layers=3, max_position_embeddings=77, **WIDTH, **special)
    vision = CLIPVisionConfig(num_hidden_layers=4, image_size=data.SIZE, patch_size=16, **WIDTH)
    return CLIPModel(CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=128))


def contrastive(logits: torch.Tensor, captions: list[str]) -> torch.Tensor:
    """Symmetric cross-entropy in which equal captions are all right answers."""
    same = torch.tensor([[a == b for b in captions] for a in captions]).float()
    target = same / same.sum(1, keepdim=True)
    return -(target * logits.log_softmax(1)).sum(1).mean() / 2 - (target * logits.t().log_softmax(1)).sum(1).mean() / 2


def normalize(images: torch.Tensor) -> torch.Tensor:
    return (images.float() / 255 - MEAN) / STD


def train(pipeline: Path, minutes: float, seed: int) -> None:
    torch.manual_seed(seed)
    tokenizer = CLIPTokenizer.from_pretrained(pipeline / "tokenizer")
    model = build(tokenizer)
    scenes, rng = scene_pool(POOL, seed + 2), random.Random(seed)
    images, captions = pixels(scenes), [data.random_caption(s, rng) for s in scenes]
    encoded = tokenizer(captions, padding=True, return_tensors="pt")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.02, betas=(0.9, 0.98))
    begun, step = time.time(), 0
    while (done := (time.time() - begun) / (minutes * 60)) < 1:
        optimizer.param_groups[0]["lr"] = 1e-3 * min(1, (step + 1) / 100) * max(0.02, 1 - done)
        chosen = torch.randint(0, POOL, (BATCH,))
        logits = model(input_ids=encoded.input_ids[chosen], attention_mask=encoded.attention_mask[chosen],
                       pixel_values=normalize(images[chosen])).logits_per_text
        loss = contrastive(logits, [captions[i] for i in chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(max=4.6052)
        step += 1
        if step % 50 == 0:
            hits = (logits.argmax(1) == torch.arange(BATCH)).float().mean().item()
            print(f"clip steps {step} minutes {done * minutes:.1f} loss {loss.item():.3f} in-batch {hits:.3f}", flush=True)
    save(model, tokenizer, pipeline)


def save(model: CLIPModel, tokenizer: CLIPTokenizer, pipeline: Path) -> None:
    model.save_pretrained(pipeline / "clip_score")
    tokenizer.save_pretrained(pipeline / "clip_score")
    text = CLIPTextModel(model.config.text_config)
    strip = lambda key: key.removeprefix("text_model.")
    own = {strip(key): key for key in text.state_dict()}
    text.load_state_dict({own[strip(k)]: v for k, v in model.state_dict().items() if k.startswith("text_model.") and strip(k) in own})
    text.save_pretrained(pipeline / "text_encoder")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=7)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    train(arguments.pipeline, arguments.minutes, arguments.seed)
