import argparse
import random
import unittest

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
                found = names.ends(text, made)
                self.assertEqual([name for _, name in found], [subject.name for subject in made.subjects])
                for end, name in found:
                    self.assertTrue(text[:end].endswith(name), (text, end))

    def test_a_count_is_named_once_in_the_plural(self):
        made = scene("count", "fox", "fox", "fox")
        text = captions.caption(made)
        (end, name), = names.ends(text, made)
        self.assertEqual((text[:end], name), ("three foxes", "fox"))

    def test_nothing_is_named_by_a_sign_alone(self):
        made = scene("sign", sign=Sign("HELLO", 0, 0, 3))
        self.assertEqual(names.ends(captions.caption(made), made), [])

    def test_the_piece_is_the_last_of_the_name(self):
        tokenizer, rng, known = T5Tokenizer.from_pretrained(PIPELINE / "tokenizer_2"), random.Random(0), list(emoji.table())
        seen = set()
        for _ in range(60):
            ids, named = names.example(tokenizer, rng)
            for piece, row in named:
                said = tokenizer.decode(ids[:piece + 1])
                self.assertTrue(said.endswith((known[row], names.words.plural(known[row]))), (said, known[row]))
                seen.add(row)
        self.assertEqual(len(seen), len(known))


class Codes(unittest.TestCase):
    def test_components_keep_distances_in_order_and_have_a_variance_of_one(self):
        rows = torch.randn(40, 12, generator=torch.Generator().manual_seed(0)) * torch.linspace(4, 0.1, 12)
        made = names.principal(rows, 6)
        self.assertEqual(made.shape, (40, 6))
        self.assertAlmostEqual(made.var().item(), 1.0, delta=0.02)
        torch.testing.assert_close(made.mean(0), torch.zeros(6), atol=1e-4, rtol=0)
        spreads = made.std(0)
        self.assertTrue((spreads[:-1] >= spreads[1:]).all())
        correlations = torch.corrcoef(made.T) - torch.eye(6)
        self.assertLess(correlations.abs().max().item(), 1e-3)

    def test_each_emoji_has_its_own(self):
        made = names.codes(PIPELINE)
        self.assertEqual(made.shape, (len(emoji.table()), len(emoji.table()) - 1))
        self.assertGreater((torch.cdist(made, made) + 100 * torch.eye(len(made))).min().item(), 0.1)


class Teaching(unittest.TestCase):
    def arguments(self, **more) -> argparse.Namespace:
        return argparse.Namespace(**dict(seed=0, compile=False, pipeline=PIPELINE, start=None, minutes=10.0, slice_end=None, batch=24, workers=0, log_every=1,
                                         adam_lr=2e-3, muon_lr=5e-3) | more)

    def test_it_learns_goes_on_and_hands_t5_to_flux(self):
        first = names.Trainer(self.arguments())
        batch = names.chunk(first.tokenizer, 0, 0, 24)
        losses = [first.step(*batch) for _ in range(60)]
        self.assertLess(losses[-1], 0.5 * losses[0])
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
