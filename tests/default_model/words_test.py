import unittest

import fixture  # noqa: F401
import words


class Spoken(unittest.TestCase):
    def test_labels_become_phrases(self):
        for label, expected in (
                ("flag: Côte d’Ivoire", "flag of côte d'ivoire"), ("flag: Bosnia & Herzegovina", "flag of bosnia and herzegovina"),
                ("keycap: 10", "keycap 10"), ("family: man, woman, boy", "family of man, woman and boy"), ("man: bald", "bald man"),
                ("person: beard", "person with a beard"), ("woman: red hair", "woman with red hair"),
                ("man walking: facing right", "man walking facing right"), ("Japanese “free of charge” button", "japanese free of charge button"),
                ("A button (blood type)", "a button blood type"), ("fox", "fox")):
            self.assertEqual(words.spoken(label), expected)


class Articles(unittest.TestCase):
    def test_sound_decides(self):
        for name, expected in (("fox", "a fox"), ("owl", "an owl"), ("unicorn", "a unicorn"), ("hourglass done", "an hourglass done"),
                               ("one o'clock", "a one o'clock"), ("sos button", "an sos button"), ("euro banknote", "a euro banknote"),
                               ("up arrow", "an up arrow"), ("x-ray", "an x-ray"), ("ear of corn", "an ear of corn")):
            self.assertEqual(words.with_article(name), expected)

    def test_plurals_and_things_without_a_count_have_none(self):
        for name in ("grapes", "glasses", "french fries", "men holding hands", "people with bunny ears", "bread", "aries", "no entry", "keycap 3"):
            self.assertEqual(words.with_article(name), name)

    def test_a_final_s_is_no_plural_by_itself(self):
        for name in ("cactus", "compass", "wine glass", "man lifting weights", "dress", "woman's boot", "locomotive"):
            self.assertTrue(words.takes_article(name), name)


class Plurals(unittest.TestCase):
    def test_regular_and_irregular(self):
        for name, expected in (("lemon", "lemons"), ("fox", "foxes"), ("butterfly", "butterflies"), ("monkey", "monkeys"), ("polar bear", "polar bears"),
                               ("computer mouse", "computer mice"), ("wolf", "wolves"), ("snowman", "snowmen"), ("bus", "buses"), ("fish", "fish"),
                               ("peach", "peaches"), ("game die", "game dice"), ("ear of corn", "ears of corn"), ("volcano", "volcanoes")):
            self.assertEqual(words.plural(name), expected)

    def test_enumeration(self):
        self.assertEqual(words.enumeration(["a"]), "a")
        self.assertEqual(words.enumeration(["a", "b"]), "a and b")
        self.assertEqual(words.enumeration(["a", "b", "c"]), "a, b and c")


if __name__ == "__main__":
    unittest.main()
