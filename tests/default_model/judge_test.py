import argparse
import random
import unittest

import numpy as np
import torch
from transformers import CLIPTokenizer

import fixture
import autoencoder
import clip
import emoji
import judge
import pictures
import render
import scenes
import vocabulary
from scenes import Background, Placed, Scene, Sign

YELLOW = Background(("yellow",), "", (scenes.COLOURS["yellow"],))
SPLIT = Background(("red", "blue"), "beside", (scenes.COLOURS["red"], scenes.COLOURS["blue"]))


def noisy(picture: np.ndarray, amount: float = 12) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, amount, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


class BackgroundColour(unittest.TestCase):
    def test_every_colour_is_told_from_the_others_in_spite_of_tint_and_noise(self):
        for name, rgb in scenes.COLOURS.items():
            tinted = tuple(min(255, max(0, value + 6)) for value in rgb)
            made = Scene("one", 128, 128, Background((name,), "", (tinted,)), (Placed("owl", 20, 20, 88),))
            self.assertTrue(judge.background_right(noisy(render.render(made)), made), name)

    def test_a_wrong_colour_is_wrong(self):
        asked = Scene("one", 128, 128, Background(("red",), "", (scenes.COLOURS["red"],)), (Placed("owl", 20, 20, 88),))
        drawn = Scene("one", 128, 128, YELLOW, asked.subjects)
        self.assertFalse(judge.background_right(render.render(drawn), asked))

    def test_both_of_two_colours_must_be_right_and_in_order(self):
        asked = Scene("one", 192, 128, SPLIT, (Placed("fox", 60, 30, 64),))
        swapped = scenes.dataclasses.replace(asked, background=Background(("blue", "red"), "beside", SPLIT.rgb[::-1]))
        self.assertTrue(judge.background_right(render.render(asked), asked))
        self.assertFalse(judge.background_right(render.render(swapped), asked))

    def test_a_picture_that_is_all_subject_is_judged_by_its_edge(self):
        made = Scene("one", 128, 128, YELLOW, (Placed("fox", 0, 0, 128),))
        self.assertEqual(judge.empty_ground(made).sum(), 128 * 128 - 124 * 124)


class Count(unittest.TestCase):
    def test_pieces_are_counted_on_one_and_on_two_colours(self):
        for number in (2, 3, 4):
            for frame in scenes.SIZES:
                for background in (YELLOW, SPLIT):
                    made = Scene("count", *frame, background, scenes._together(["rocket"] * number, frame, str(number)))
                    self.assertEqual(judge.count_things(noisy(render.render(made), 6), made), number)

    def test_one_too_few_is_seen(self):
        subjects = scenes._together(["lemon"] * 4, (128, 128), "4")
        asked = Scene("count", 128, 128, SPLIT, subjects)
        drawn = scenes.dataclasses.replace(asked, subjects=subjects[:3])
        self.assertEqual(judge.count_things(render.render(drawn), asked), 3)

    def test_specks_are_no_things(self):
        made = Scene("count", 128, 128, YELLOW, (Placed("owl", 20, 20, 60),))
        picture = render.render(made)
        picture[100:103, 100:103] = 0
        self.assertEqual(judge.count_things(picture, made), 1)


class Reading(unittest.TestCase):
    def board(self, word: str, frame=(128, 128), unit=3) -> Scene:
        sign = Sign(word, 0, 0, unit)
        return Scene("sign", *frame, YELLOW, sign=scenes.dataclasses.replace(sign, left=(frame[0] - sign.width) // 2, top=40))

    def test_every_word_is_read_in_spite_of_noise(self):
        for word in scenes.WORDS:
            made = self.board(word)
            self.assertEqual(judge.read_sign(noisy(render.render(made), 25), made), word)

    def test_a_shifted_board_is_read(self):
        made = self.board("HELLO")
        self.assertEqual(judge.read_sign(np.roll(render.render(made), (3, -4), (0, 1)), made), "HELLO")

    def test_another_word_is_not_read_as_the_asked_one(self):
        self.assertEqual(judge.read_sign(render.render(self.board("WAIT")), self.board("WELL")), "WAIT")

    def test_an_empty_picture_has_no_word(self):
        made = self.board("OPEN")
        self.assertNotEqual(judge.read_sign(render.ground(YELLOW, 128, 128), made), "OPEN")


class CloseUps(unittest.TestCase):
    def test_a_close_up_is_the_subject_with_a_margin(self):
        picture = render.render(Scene("one", 192, 128, YELLOW, (Placed("owl", 100, 30, 60),)))
        view = clip.close_up(picture, 100, 30, 60)
        self.assertEqual(view.shape, (128, 128, 3))
        self.assertLess(np.abs(view[64, 64].astype(int) - (120, 80, 60)).max(), 4)
        self.assertLess(np.abs(view[2, 2].astype(int) - scenes.COLOURS["yellow"]).max(), 4)

    def test_at_the_edge_it_moves_inside(self):
        picture = np.zeros((128, 128, 3), np.uint8)
        picture[:, 100:] = 255
        self.assertGreater(clip.close_up(picture, 90, 0, 40)[:, 64:].mean(), 200)

    def test_squared_cuts_the_middle_of_the_longer_side(self):
        picture = np.zeros((128, 192, 3), np.uint8)
        picture[:, 32:160] = 200
        self.assertTrue((clip.squared(picture) == 200).all())
        self.assertEqual(clip.squared(np.zeros((256, 256, 3), np.uint8)).shape, (128, 128, 3))

    def test_the_colour_behind_a_subject(self):
        made = Scene("one", 128, 128, SPLIT)
        self.assertEqual([clip.colour_behind(made, Placed("fox", left, 0, 40)) for left in (0, 80)], ["red", "blue"])


class SmallClip(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(0)
        cls.folder = fixture.WORK / "clip_test"
        merges = ["f o", "fo x</w>"]
        vocabulary.write_clip(cls.folder / "tokenizer", merges)
        tokenizer = CLIPTokenizer.from_pretrained(cls.folder / "tokenizer")
        clip.write(clip.build(tokenizer), tokenizer, cls.folder, False)
        autoencoder.build(8).save_pretrained(cls.folder / "vae")
        cls.vae = pictures.autoencoder(cls.folder)
        cls.judge = judge.Judge(cls.folder / "clip_score", list(emoji.table()))

    def trainer(self) -> clip.Trainer:
        return clip.Trainer(argparse.Namespace(seed=0, pipeline=self.folder, minutes=10.0, slice_end=None, compile=False))

    def test_one_rank_for_every_subject(self):
        made = Scene("many", 128, 128, YELLOW, scenes._together(["fox", "owl", "key"], (128, 128), "3"))
        ranks = self.judge.ranks(render.render(made), made)
        self.assertEqual(len(ranks), 3)
        self.assertTrue(all(0 <= rank < len(emoji.table()) for rank in ranks))
        self.assertEqual(self.judge.ranks(render.render(made), Scene("sign", 128, 128, YELLOW)), [])

    def test_the_rank_counts_better_fitting_names(self):
        made = Scene("one", 128, 128, YELLOW, (Placed("fox", 20, 20, 88),))
        picture, ranks = render.render(made), {}
        for name in emoji.table():
            ranks[name] = self.judge.ranks(picture, scenes.dataclasses.replace(made, subjects=(Placed(name, 20, 20, 88),)))[0]
        self.assertEqual(sorted(ranks.values()), list(range(len(ranks))))

    def test_the_text_half_gives_what_the_whole_gives(self):
        from transformers import CLIPModel, CLIPTextModel
        whole = CLIPModel.from_pretrained(self.folder / "clip_score").eval()
        half = CLIPTextModel.from_pretrained(self.folder / "text_encoder").eval()
        ids = CLIPTokenizer.from_pretrained(self.folder / "tokenizer")(["a fox"], return_tensors="pt").input_ids
        with torch.no_grad():
            expected = whole.text_model(ids).pooler_output
            torch.testing.assert_close(half(ids).pooler_output, expected)

    def test_it_learns_and_goes_on_from_its_checkpoint(self):
        first, part = self.trainer(), clip.chunk(0, 0, 6, self.vae)
        losses = [first.step(*part)[0].item() for _ in range(8)]
        self.assertLess(losses[-1], losses[0])
        first.save()
        try:
            same = self.trainer()
        finally:
            first.checkpoint.unlink()
        self.assertEqual((same.steps, same.optimizer.steps), (8, 8))
        for a, b in zip((*same.optimizer.first, *same.optimizer.ema, *same.model.parameters()), (*first.optimizer.first, *first.optimizer.ema, *first.model.parameters())):
            torch.testing.assert_close(a, b, rtol=0, atol=0)

    def test_the_text_encoder_that_flux_was_trained_on_can_be_kept(self):
        folder = fixture.WORK / "kept"
        for number, keep in ((0, False), (1, False), (2, True)):
            torch.manual_seed(number)
            clip.write(clip.build(self.judge.tokenizer), self.judge.tokenizer, folder, keep)
            written = [(folder / part / "model.safetensors").read_bytes() for part in ("text_encoder", "clip_score")]
            if number:
                self.assertEqual([now == old for now, old in zip(written, before)], [keep, False])
            before = written

    def test_a_share_of_the_pictures_has_been_through_the_autoencoder(self):
        made, rng = Scene("one", 192, 128, YELLOW, (Placed("fox", 60, 30, 64),)), random.Random(0)
        real = render.render(made)
        coded = pictures.decoded(self.vae, real)
        drawn = [clip.drawn(made, rng, self.vae) for _ in range(200)]
        self.assertEqual(coded.shape, real.shape)
        self.assertFalse(np.array_equal(coded, real))
        self.assertTrue(all(np.array_equal(one, real) or np.array_equal(one, coded) for one in drawn))
        self.assertAlmostEqual(np.mean([np.array_equal(one, coded) for one in drawn]), clip.CODED, delta=0.1)

    def test_a_batch_without_close_ups_has_a_loss(self):
        trainer = self.trainer()
        images, texts, shown = clip.chunk(0, 0, 3, self.vae)
        self.assertTrue(np.isfinite(trainer.step(images, texts, torch.full_like(shown, -1))[0].item()))

    def test_close_ups_are_numbered_by_their_names_and_colours(self):
        known, colours = list(emoji.table()), list(scenes.COLOURS)
        _, texts, shown = clip.chunk(3, 0, 40, self.vae)
        said = [(text, known[row], colours[colour]) for text, (row, colour) in zip(texts, shown.tolist()) if row >= 0]
        self.assertGreater(len(said), 10)
        for text, name, colour in said:
            self.assertIn(text, (clip.words.with_article(name), clip.close_up_text(name, colour)))
        self.assertTrue(all(row == colour == -1 for row, colour in shown.tolist() if row < 0))

    def test_a_close_up_is_told_from_all_names_on_its_own_colour(self):
        trainer, count = self.trainer(), len(emoji.table())
        trainer.choices = torch.nn.functional.normalize(torch.randn(len(scenes.COLOURS), count, 128), dim=-1)
        shown = torch.tensor([(2, 5), (7, 5), (-1, -1), (0, 11)])
        images = trainer.choices[shown[:, 1], shown[:, 0]]
        loss = lambda asked: trainer.named(images, asked, torch.tensor(50.0)).item()
        self.assertLess(loss(shown), 1e-6)
        self.assertGreater(loss(shown.roll(1, 0)), 5)
        self.assertGreater(loss(torch.where(shown == 5, 4, shown)), 5)

    def test_what_the_judge_is_asked_is_the_text_of_every_name_on_the_colour(self):
        trainer = self.trainer()
        trainer.refresh_choices()
        text = clip.close_up_text("owl", "teal")
        with torch.no_grad():
            expected = clip.text_features(trainer.model, trainer.tokenizer, [text])[0]
        got = trainer.choices[list(scenes.COLOURS).index("teal"), emoji.row("owl")]
        torch.testing.assert_close(got, expected, rtol=0, atol=0.02)

    def test_equal_captions_are_all_right_answers(self):
        logits = torch.full((2, 2), 5.0)
        self.assertAlmostEqual(clip.contrastive(logits, ["a", "a"]).item(), np.log(2), places=5)
        self.assertLess(clip.contrastive(torch.eye(2) * 50, ["a", "b"]).item(), 1e-6)


if __name__ == "__main__":
    unittest.main()
