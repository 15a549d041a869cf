import random
import unittest

import numpy as np

import fixture
import captions
import emoji
import heldout
import pixelfont
import render
import scenes
from scenes import Background, Placed, Scene, Sign

YELLOW = Background(("yellow",), "", (scenes.COLOURS["yellow"],))


def scene(kind, names, **more) -> Scene:
    return Scene(kind, 128, 128, more.pop("background", YELLOW), tuple(Placed(name, 30, 30, 60) for name in names), **more)


class Table(unittest.TestCase):
    def test_code_points_match_with_and_without_the_variation_selector(self):
        self.assertEqual(emoji.table()["snowman"].stem, "2603-fe0f")
        self.assertEqual(emoji.table()["key"].stem, "1f511")

    def test_only_entries_with_a_picture_and_no_skin_tones(self):
        self.assertEqual(list(emoji.table()), ["fox", "owl", "lemon", "grapes", "rocket", "snowman", "key", "flag of brazil"])

    def test_tags_without_the_name_itself(self):
        self.assertEqual(emoji.table()["fox"].tags, ("tag 0",))

    def test_countable_names_are_short_nouns_with_an_article(self):
        self.assertEqual(emoji.countable(), ("fox", "owl", "lemon", "rocket", "snowman", "key"))

    def test_two_entries_of_one_name_are_refused(self):
        entry = dict(label="fox", group=3, hexcode="1F98A")
        with self.assertRaisesRegex(ValueError, "two entries are called 'fox'"):
            emoji.read_table([entry, entry | dict(hexcode="1F989")], ["1f98a", "1f989"])

    def test_pictures_are_premultiplied_and_of_the_asked_side(self):
        for side in (20, 64, 100, 256):
            pixels = emoji.picture("fox", side)
            self.assertEqual(pixels.shape, (side, side, 4))
            self.assertLessEqual(int((pixels[..., :3].max(-1).astype(int) - pixels[..., 3]).max()), 1)
        self.assertEqual(emoji.picture("fox", 64)[0, 0].tolist(), [0, 0, 0, 0])

    def test_an_unknown_name_is_named(self):
        with self.assertRaisesRegex(ValueError, "no picture is called 'dodo'"):
            emoji.picture("dodo", 64)


class Captions(unittest.TestCase):
    def test_one_sentence_for_every_kind(self):
        split = Background(("red", "blue"), "above", ((0, 0, 0),) * 2)
        for made, expected in (
                (scene("one", ["owl"]), "an owl on a yellow background"),
                (scene("one", ["owl"], size="small"), "a small owl on a yellow background"),
                (scene("one", ["grapes"], size="big"), "big grapes on a yellow background"),
                (scene("one", ["fox"], place="in the top left corner of"), "a fox in the top left corner of a yellow background"),
                (scene("pair", ["fox", "owl"], relation="to the left of"), "a fox to the left of an owl on a yellow background"),
                (scene("pair", ["fox", "grapes"], relation="and"), "a fox and grapes on a yellow background"),
                (scene("count", ["lemon"] * 3), "three lemons on a yellow background"),
                (scene("many", ["fox", "owl", "key"]), "a fox, an owl and a key on a yellow background"),
                (scene("sign", ["fox"], sign=Sign("HI", 0, 0, 3)), "a fox above a sign that says HI on a yellow background"),
                (scene("sign", [], sign=Sign("HI", 0, 0, 3)), "a sign that says HI on a yellow background"),
                (scene("one", ["fox"], background=split), "a fox on a background of red above blue")):
            self.assertEqual(captions.caption(made), expected)

    def test_other_styles(self):
        self.assertEqual(captions.caption(scene("one", ["owl"]), "short"), "an owl, yellow background")
        self.assertEqual(captions.caption(scene("one", ["owl"]), "picture"), "a picture of an owl on a yellow background")
        self.assertEqual(captions.caption(scene("one", ["owl"]), "tags", "bird"), "an owl (bird) on a yellow background")


class Scenes(unittest.TestCase):
    def test_a_seed_gives_the_same_scenes(self):
        draw = lambda: [scenes.draw_scene(random.Random(i)) for i in range(50)]
        self.assertEqual(draw(), draw())

    def test_every_kind_and_size_comes_up_and_names_what_it_holds(self):
        rng = random.Random(1)
        drawn = [scenes.draw_scene(rng) for _ in range(400)]
        self.assertEqual({s.kind for s in drawn}, set(scenes.KINDS))
        self.assertEqual({(s.width, s.height) for s in drawn}, set(scenes.SIZES))
        for s in drawn:
            number = {"one": (1,), "pair": (2,), "count": (2, 3, 4), "many": (3, 4), "sign": (0, 1)}[s.kind]
            self.assertIn(len(s.subjects), number)
            self.assertEqual(len({p.name for p in s.subjects}) == len(s.subjects), s.kind != "count")

    def test_everything_lies_inside_the_picture(self):
        rng = random.Random(2)
        for s in (scenes.draw_scene(rng) for _ in range(400)):
            for p in s.subjects:
                self.assertGreaterEqual(min(p.left, p.top), 0)
                self.assertLessEqual(max(p.left + p.side - s.width, p.top + p.side - s.height), 0)
            if s.sign:
                self.assertGreaterEqual(min(s.sign.left, s.sign.top), 0)
                self.assertLessEqual(s.sign.left + s.sign.width, s.width)
                self.assertLessEqual(s.sign.top + s.sign.height, s.height)

    def test_a_subject_of_one_size_always_lies_the_same_in_the_tokens(self):
        rng, found = random.Random(7), {}
        for s in (scenes.draw_scene(rng) for _ in range(1000)):
            for p in s.subjects:
                found.setdefault(p.side, set()).add((p.left % scenes.PATCH, p.top % scenes.PATCH))
        self.assertEqual({side: len(offsets) for side, offsets in found.items()}, dict.fromkeys((scenes.SMALL, scenes.MIDDLE, scenes.BIG), 1))

    def test_nothing_lies_over_another(self):
        rng = random.Random(8)
        for s in (scenes.draw_scene(rng) for _ in range(600)):
            taken = np.zeros((s.height, s.width), int)
            for p in s.subjects:
                taken[p.top:p.top + p.side, p.left:p.left + p.side] += 1
            if s.sign:
                taken[s.sign.top:s.sign.top + s.sign.height, s.sign.left:s.sign.left + s.sign.width] += 1
            self.assertEqual(taken.max(), 1)

    def test_subjects_lie_where_the_caption_says(self):
        rng, seen = random.Random(3), set()
        middle = lambda p: (p.left + p.side / 2, p.top + p.side / 2)
        for s in (scenes.draw_scene(rng) for _ in range(600)):
            if s.kind == "pair":
                (x0, y0), (x1, y1) = map(middle, s.subjects)
                self.assertLess(*((y0, y1) if s.relation == "above" else (x0, x1)))
            if s.place:
                x, y = middle(s.subjects[0])
                for word, holds in (("left", x < s.width / 2), ("right", x > s.width / 2), ("top", y < s.height / 2), ("bottom", y > s.height / 2)):
                    self.assertTrue(word not in s.place or holds, (s.place, x, y))
                seen.add(s.place)
        self.assertEqual(seen, set(scenes.PLACES))

    def test_training_never_sees_a_held_out_combination(self):
        rng = random.Random(4)
        training = {scenes.combination(scenes.training_scene(rng)) for _ in range(3000)}
        evaluation = {scenes.combination(scenes.evaluation_scene(rng)) for _ in range(100)}
        self.assertFalse(training & evaluation)

    def test_a_combination_does_not_depend_on_pixels(self):
        rng = random.Random(5)
        s = scenes.draw_scene(rng, (128, 128), "one")
        moved = scenes.dataclasses.replace(s, subjects=(scenes.dataclasses.replace(s.subjects[0], left=1),), width=256, height=256)
        self.assertEqual(scenes.held_out(s), scenes.held_out(moved))

    def test_json_holds_everything(self):
        rng = random.Random(6)
        for s in (scenes.draw_scene(rng) for _ in range(50)):
            self.assertEqual(scenes.from_json(scenes.to_json(s)), s)


class HeldOut(unittest.TestCase):
    def test_entries_are_held_out_distinct_and_read_back(self):
        entries = heldout.choose({"one": 12, "sign": 5}, 0)
        self.assertEqual(len({e["caption"] for e in entries}), 17)
        self.assertEqual({e["seed"] for e in entries}, set(range(heldout.SEEDS)))
        heldout.write(fixture.WORK / "captions.jsonl", entries)
        read = heldout.read(fixture.WORK / "captions.jsonl")
        self.assertTrue(all(scenes.held_out(e["scene"]) and captions.caption(e["scene"]) == e["caption"] for e in read))

    def test_the_committed_file_has_512_different_captions_held_out_by_their_hash(self):
        read = heldout.read(heldout.FILE)
        self.assertEqual(len({e["caption"] for e in read}), 512)
        self.assertTrue(all(scenes.held_out(e["scene"]) for e in read))
        self.assertEqual({e["scene"].kind for e in read}, set(scenes.KINDS))


class Rendering(unittest.TestCase):
    def test_backgrounds(self):
        two = ((10, 20, 30), (200, 210, 220))
        for split, first, last in (("beside", (64, 0), (0, 127)), ("above", (0, 64), (127, 0))):
            canvas = render.ground(Background(("a", "b"), split, two), 128, 128)
            self.assertEqual((canvas[first].tolist(), canvas[last].tolist()), (list(two[0]), list(two[1])))

    def test_a_subject_fills_its_square_and_leaves_the_rest(self):
        picture = render.render(Scene("one", 128, 128, YELLOW, (Placed("owl", 40, 20, 64),)))
        changed = np.argwhere((np.abs(picture.astype(int) - scenes.COLOURS["yellow"]) > 60).any(-1))
        self.assertEqual(changed.min(0).tolist(), [25, 45])
        self.assertEqual(changed.max(0).tolist(), [20 + 59 - 1, 40 + 59 - 1])
        self.assertLess(np.abs(picture[52, 72].astype(int) - (120, 80, 60)).max(), 4)

    def test_what_lies_outside_is_cut_off(self):
        picture = render.render(Scene("one", 128, 128, YELLOW, (Placed("owl", -32, 100, 64),)))
        self.assertLess(np.abs(picture[120, 5].astype(int) - (120, 80, 60)).max(), 4)

    def test_the_font_has_every_letter_and_no_two_alike(self):
        shapes = {letter: pixelfont.glyph(letter).tobytes() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
        self.assertEqual(len(set(shapes.values())), 26)
        self.assertEqual(pixelfont.word_mask("AB").shape, (7, 11))
        with self.assertRaisesRegex(ValueError, "no '3'"):
            pixelfont.glyph("3")

    def test_words_on_signs_are_letters_of_the_font(self):
        self.assertLessEqual({letter for word in scenes.WORDS for letter in word}, set(pixelfont.LETTERS))
        self.assertTrue(all(Sign(word, 0, 0, 3).width <= 128 for word in scenes.WORDS))


if __name__ == "__main__":
    unittest.main()
