"""Scenes in words."""
import random

import emoji
import words
from scenes import Background, Scene

PLAIN = "plain"  # the sentence that prompts and evaluation use; training sees the others now and then
STYLES = {PLAIN: 0.8, "short": 0.06, "picture": 0.06, "tags": 0.08}


def background_phrase(background: Background) -> str:
    if background.split:
        return f"a background of {background.colours[0]} {background.split} {background.colours[1]}"
    return f"{words.with_article(background.colours[0])} background"


def subject_phrase(scene: Scene) -> str:
    names = [subject.name for subject in scene.subjects]
    if scene.kind == "count":
        return f"{words.NUMBERS[len(names)]} {words.plural(names[0])}"
    if scene.kind == "sign":
        board = f"a sign that says {scene.sign.word}"
        return f"{words.with_article(names[0])} above {board}" if names else board
    if scene.kind == "pair" and scene.relation != "and":
        return f"{words.with_article(names[0])} {scene.relation} {words.with_article(names[1])}"
    if scene.size:
        return f"{words.article(scene.size)} {scene.size} {names[0]}" if words.takes_article(names[0]) else f"{scene.size} {names[0]}"
    return words.enumeration([words.with_article(name) for name in names])


def caption(scene: Scene, style: str = PLAIN, tag: str = "") -> str:
    """One sentence; `tag` is another word for the first subject, used by the style "tags"."""
    subject, ground = subject_phrase(scene), background_phrase(scene.background)
    link = scene.place or "on"
    if style == "short" and not scene.place:
        return f"{subject}, {ground.split(' ', 1)[1]}"
    if style == "picture":
        return f"a picture of {subject} {link} {ground}"
    if style == "tags" and tag:
        return f"{subject} ({tag}) {link} {ground}"
    return f"{subject} {link} {ground}"


def random_caption(scene: Scene, rng: random.Random) -> str:
    style = rng.choices(list(STYLES), list(STYLES.values()))[0]
    tags = emoji.table()[scene.subjects[0].name].tags if scene.subjects else ()
    return caption(scene, style, rng.choice(tags) if tags else "")
