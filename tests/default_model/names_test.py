import argparse
import dataclasses
import random
import unittest

import numpy as np
import torch
from diffusers import AutoencoderTiny
from transformers import T5Tokenizer

import fixture
import autoencoder
import captions
import emoji
import flux
import names
import scenes
import vocabulary
from scenes import Background, Placed, Scene, Sign

YELLOW = Background(("yellow",), "", (scenes.COLOURS["yellow"],))
PIPELINE = fixture.WORK / "names_pipeline"


def setUpModule():
    torch.manual_seed(0)
    vocabulary.write_t5(PIPELINE / "tokenizer_2", 300)
    autoencoder.build(8).save_pretrained(PIPELINE / "vae")


def scene(kind: str, *subjects: str, **more) -> Scene:
    return Scene(kind, 128, 128, YELLOW, tuple(Placed(name, 0, 0, 40) for name in subjects), **more)


class Places(unittest.TestCase):
    def test_names_end_where_the_caption_says_them(self):
        for made in (scene("one", "fox", size="big"), scene("pair", "owl", "flag of brazil", relation="above"), scene("many", "key", "fox", "grapes"),
                     scene("sign", "rocket", sign=Sign("KEY", 0, 0, 3))):
            for style in captions.STYLES:
                text = captions.caption(made, style, "tag 1")
                found = [(end, name) for end, name, _ in names.things(text, made) if name in emoji.table()]
                self.assertEqual([name for _, name in found], [subject.name for subject in made.subjects])
                for end, name in found:
                    self.assertTrue(text[:end].endswith(name), (text, end))

    def test_a_count_is_named_once_in_the_plural(self):
        made = scene("count", "fox", "fox", "fox")
        text = captions.caption(made)
        (end, name, _), ground = names.things(text, made)
        self.assertEqual((text[:end], name, ground[1]), ("three foxes", "fox", "yellow background"))

    def test_signs_and_colours_end_where_the_caption_says_them(self):
        made = scene("sign", sign=Sign("HELLO", 0, 0, 3))
        for background, spoken in ((YELLOW, ("yellow",)), (Background(("red", "blue"), "above", ((0, 0, 0),) * 2), ("red", "blue"))):
            made = dataclasses.replace(made, background=background)
            for style in captions.STYLES:
                text = captions.caption(made, style)
                found = names.things(text, made)
                self.assertEqual([name for _, name, _ in found], [None, *map(names.ground_name, spoken)])
                for (end, _, _), word in zip(found, ("says HELLO", *spoken), strict=True):
                    self.assertTrue(text[:end].endswith(word), (text, end))

    def test_the_piece_is_the_last_of_the_name(self):
        tokenizer, rng, known = T5Tokenizer.from_pretrained(PIPELINE / "tokenizer_2"), random.Random(0), list(names.table())
        seen = set()
        for _ in range(60):
            ids, named = names.example(tokenizer, rng)
            for piece, row, _ in named:
                said = tokenizer.decode(ids[:piece + 1])
                if row == names.NO_CODE:
                    self.assertIn(said.split()[-1].upper(), scenes.WORDS)
                    continue
                seen.add(row)
                if row >= len(emoji.table()):
                    self.assertEqual(names.ground_name(said.split()[-1]), known[row])
                    continue
                self.assertTrue(said.endswith((known[row], names.words.plural(known[row]))), (said, known[row]))
        self.assertEqual(len(seen), len(known))


class Covers(unittest.TestCase):
    def test_what_pixels_show(self):
        rng = random.Random(3)
        for frame in scenes.SIZES:
            made = scenes.draw_scene(rng, frame, "many")
            for _, name, cover in names.things(captions.caption(made), made)[:-len(made.background.colours)]:
                mask = np.zeros((made.height, made.width))
                for s in (s for s in made.subjects if s.name == name):
                    mask[s.top:s.top + s.side, s.left:s.left + s.side] = 1
                parts = mask.reshape(names.GRID, made.height // names.GRID, names.GRID, made.width // names.GRID).mean((1, 3))
                np.testing.assert_allclose(cover, parts.ravel(), atol=1e-9)

    def test_a_count_covers_all_of_its_places(self):
        made = scenes.draw_scene(random.Random(0), (128, 128), "count")
        cover = names.things(captions.caption(made), made)[0][2]
        self.assertAlmostEqual(cover.mean(), len(made.subjects) * scenes.SMALL ** 2 / 128 ** 2)

    def test_colours_share_the_picture_in_their_order(self):
        for split, first in (("", np.ones((8, 8))), ("beside", np.repeat([[1, 0]], 4, 1).repeat(8, 0)), ("above", np.repeat([[1], [0]], 4, 0).repeat(8, 1))):
            colours = ("red", "blue")[:2 if split else 1]
            made = dataclasses.replace(scene("one", "fox"), background=Background(colours, split, ((0, 0, 0),) * len(colours)))
            found = [cover.reshape(8, 8) for _, name, cover in names.things(captions.caption(made), made)[1:]]
            np.testing.assert_array_equal(found[0], first)
            np.testing.assert_array_equal(sum(found), np.ones((8, 8)))


class Codes(unittest.TestCase):
    def test_components_keep_distances_in_order_and_have_a_variance_of_one(self):
        rows = torch.randn(40, 12, generator=torch.Generator().manual_seed(0)) * torch.linspace(4, 0.1, 12)
        mean, basis = names.principal(rows, 6)
        made = (rows - mean) @ basis
        self.assertEqual(made.shape, (40, 6))
        self.assertAlmostEqual(made.var().item(), 1.0, delta=0.02)
        torch.testing.assert_close(made.mean(0), torch.zeros(6), atol=1e-4, rtol=0)
        spreads = made.std(0)
        self.assertTrue((spreads[:-1] >= spreads[1:]).all())
        correlations = torch.corrcoef(made.T) - torch.eye(6)
        self.assertLess(correlations.abs().max().item(), 1e-3)

    def test_each_emoji_and_each_colour_has_its_own(self):
        made = names.codes(PIPELINE)
        self.assertEqual(made.shape, (len(emoji.table()) + len(scenes.COLOURS), len(emoji.table()) - 1))
        self.assertGreater((torch.cdist(made, made) + 100 * torch.eye(len(made))).min().item(), 0.1)


class Positions(unittest.TestCase):
    def test_heads_begin_by_looking_behind_ahead_around_and_closely_behind(self):
        attention = flux.new_t5(None).encoder.block[0].layer[0].SelfAttention
        bias = attention.compute_bias(20, 20)[0].detach()  # (heads, asking, asked)
        away = torch.arange(20) - torch.arange(20)[:, None]
        for head, (behind, ahead) in enumerate(((True, False), (False, True), (True, True), (True, False))):
            for seen, step in ((behind, -1), (ahead, 1)):
                beside, whole = bias[head].diagonal(step), bias[head][torch.sign(away) == step]
                self.assertTrue((beside >= -1).all() if seen else (whole == -8).all(), (head, step))
            self.assertTrue((bias[head].diagonal() == 0).all())
        for head in (0, 2, 3):
            self.assertTrue((bias[head, 19, 12:].diff() > 0).all())  # nearer is more
        for head in (1, 2):
            self.assertTrue((bias[head, 0, :8].diff() < 0).all())


class Teaching(unittest.TestCase):
    def arguments(self, **more) -> argparse.Namespace:
        return argparse.Namespace(**dict(seed=0, compile=False, pipeline=PIPELINE, start=None, minutes=10.0, slice_end=None, batch=24, workers=0, log_every=1,
                                         adam_lr=2e-3, muon_lr=5e-3) | more)

    def test_it_learns_which_of_two_comes_first(self):
        trainer, batch = names.Trainer(self.arguments()), []
        for colours in (("red", "blue"), ("blue", "red")):
            made = dataclasses.replace(scene("one", "fox"), background=Background(colours, "beside", ((0, 0, 0),) * 2))
            text = captions.caption(made)
            batch += [(text, end, cover) for end, _, cover in names.things(text, made)[1:]]
        ids = [trainer.tokenizer(text).input_ids for text, _, _ in batch]
        named = torch.tensor([(row, len(trainer.tokenizer(text[:end]).input_ids) - 2, names.NO_CODE) for row, (text, end, _) in enumerate(batch)])
        covers = torch.tensor(np.array([cover for _, _, cover in batch])).float()
        for _ in range(120):
            told = trainer.tell(torch.tensor(ids), named)[1]
            (told - covers).pow(2).mean().backward()
            for parameter in trainer.optimizer.live:
                parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            trainer.optimizer.step(2e-3, 5e-3)
        self.assertLess((trainer.tell(torch.tensor(ids), named)[1] - covers).abs().mean().item(), 0.3)  # a bag of words stays at 0.5

    def test_it_learns_goes_on_and_hands_t5_to_flux(self):
        first = names.Trainer(self.arguments())
        batch = names.chunk(first.tokenizer, 0, 0, 24)
        losses = np.array([first.step(*batch) for _ in range(60)])
        self.assertTrue((losses[-1] < 0.5 * losses[0]).all(), losses)
        first.save()
        second = names.Trainer(self.arguments())
        self.assertEqual(second.optimizer.steps, 60)
        for a, b in zip(first.t5.parameters(), second.t5.parameters()):
            torch.testing.assert_close(a, b, rtol=0, atol=0)
        second.finish()
        taught = flux.Networks(None, False, PIPELINE).t5
        for a, b in zip(second.t5.parameters(), taught.parameters()):
            torch.testing.assert_close(a, b, rtol=0, atol=0)
        first.checkpoint.unlink()


if __name__ == "__main__":
    unittest.main()
