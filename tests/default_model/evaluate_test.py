import argparse
import json
import os
import stat
import subprocess
import sys
import tarfile
import textwrap
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from PIL import Image

import fixture
import autoencoder
import emoji
import evaluate
import grid
import export
import flux
import heldout
import pack
import render
import scenes
import vocabulary
import words

# Stands in for quantspot-cli compare: "draws" what the test put beside it, and notes every call.
FAKE_CLI = """
    import json, pathlib, shutil, sys
    given = dict(zip(sys.argv[2::2], sys.argv[3::2]))
    here, out = pathlib.Path(__file__).parent, pathlib.Path(given["--out"])
    with (here / "calls.txt").open("a") as log:
        log.write(" ".join(sys.argv[1:]) + "\\n")
    comparisons = []
    for number, prompt in enumerate(pathlib.Path(given["--prompts"]).read_text().splitlines()):
        samples = []
        for precision in given["--precisions"].split(","):
            (out / precision).mkdir(exist_ok=True)
            shutil.copy(here / precision / (prompt + ".png"), out / precision / f"{number}.png")
            samples.append(dict(precision=precision, image=f"{precision}/{number}.png"))
        comparisons.append(dict(recipe=dict(prompt=prompt), samples=samples))
    (out / "report.json").write_text(json.dumps(dict(comparisons=comparisons)))
"""


class PerfectJudge:
    """Ranks 0 where the picture is the real one, else 7; the other measures are the real ones."""

    def __init__(self, *_):
        pass

    def ranks(self, picture, scene):
        return [0 if (picture == render.render(scene)).all() else 7] * len(scene.subjects)

    def retrieval(self, texts, pictures):
        return 1.0


class Evaluation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = fixture.WORK / "evaluate"
        cls.folder.mkdir()
        cls.cli = cls.folder / "cli"
        cls.cli.write_text(f"#!{sys.executable}\n" + textwrap.dedent(FAKE_CLI))
        cls.cli.chmod(cls.cli.stat().st_mode | stat.S_IXUSR)
        cls.entries = heldout.choose(dict.fromkeys(heldout.COUNTS, 4), 1)
        heldout.write(cls.folder / "captions.jsonl", cls.entries)
        for entry in cls.entries:
            scene = scenes.from_json(entry["scene"])
            for precision, picture in (("bf16", render.render(scene)), ("bnb-nf4", np.full((scene.height, scene.width, 3), 128, np.uint8))):
                (cls.folder / precision).mkdir(exist_ok=True)
                Image.fromarray(picture).save(cls.folder / precision / (entry["caption"] + ".png"))
        autoencoder.build(8).save_pretrained(cls.folder / "model/vae")
        cls.arguments = argparse.Namespace(model=cls.folder / "model", cli=cls.cli, captions=cls.folder / "captions.jsonl", precisions="bf16,bnb-nf4",
                                           limit=None, threads=1, pictures=cls.folder / "out", grid=cls.folder / "grid.png", out=None)
        with mock.patch.object(evaluate.judge, "Judge", PerfectJudge):
            cls.result = evaluate.evaluate(cls.arguments)

    def test_perfect_pictures_have_perfect_figures(self):
        row = self.result["precisions"]["bf16"]
        self.assertEqual([row[k] for k in ("subject_top1", "subject_top5", "background", "count", "sign")], [1.0] * 5)
        self.assertEqual(row, self.result["real"]["real pictures"])

    def test_gray_pictures_have_none(self):
        row = self.result["precisions"]["bnb-nf4"]
        self.assertEqual([row[k] for k in ("subject_top1", "subject_top5", "count", "sign")], [0.0] * 4)
        self.assertLess(row["background"], 0.3)
        self.assertLess(row["psnr_to_first"], 20)

    def test_one_call_for_every_size_and_seed(self):
        calls = (self.folder / "calls.txt").read_text().splitlines()
        asked = {(e["scene"]["width"], e["scene"]["height"], e["seed"]) for e in self.entries}
        self.assertEqual(len(calls), len(asked))
        for width, height, seed in asked:
            self.assertTrue(any(f"--width {width} --height {height}" in call and f"--seeds {seed} " in call for call in calls))

    def test_finished_pictures_are_not_drawn_again(self):
        before = (self.folder / "calls.txt").read_text()
        with mock.patch.object(evaluate.judge, "Judge", PerfectJudge):
            again = evaluate.evaluate(self.arguments)
        self.assertEqual((self.folder / "calls.txt").read_text(), before)
        self.assertEqual(again, self.result)

    def test_the_table_has_a_row_for_every_precision_and_for_real_pictures(self):
        lines = evaluate.table(self.result).splitlines()
        self.assertEqual([line.split("|")[1].strip() for line in lines[2:]],
                         ["bf16", "bnb-nf4", "real pictures", "real pictures, autoencoder only"])
        self.assertEqual(len({line.count("|") for line in lines}), 1)

    def test_the_grid_has_a_named_row_for_every_precision_and_a_column_for_every_caption_told(self):
        with Image.open(self.folder / "grid.png") as sheet:
            sheet, step = np.asarray(sheet), grid.SIDE + grid.GAP
        self.assertEqual(sheet.shape, (2 * step, grid.NAME + len(self.result["grid"]) * step, 3))
        by_caption = {entry["caption"]: scenes.from_json(entry["scene"]) for entry in self.entries}
        for row, expected in enumerate((lambda scene: render.render(scene), lambda scene: np.full((128, 128, 3), 128))):
            self.assertTrue((sheet[row * step:][:step, :grid.NAME] < 64).any())
            for column, caption in enumerate(self.result["grid"]):
                shown = sheet[row * step:][:grid.SIDE, grid.NAME + column * step:][:, :grid.SIDE]
                self.assertTrue((shown == expected(by_caption[caption])).all(), caption)

    def test_what_was_not_asked_has_no_figure(self):
        self.assertIsNone(evaluate.share([]))
        self.assertEqual(evaluate.share([True, False, False]), 0.333)

    def test_a_failing_program_is_an_error(self):
        failing = self.folder / "failing"
        failing.write_text("#!/bin/sh\nexit 1\n")
        failing.chmod(0o755)
        with self.assertRaises(subprocess.CalledProcessError):
            evaluate.run_cli(failing, self.folder, [dict(caption="a", seed=0, scene=scenes.from_json(self.entries[0]["scene"]))], ["bf16"],
                             self.folder / "none", 1)


class Export(unittest.TestCase):
    def test_averaged_weights_are_written_in_the_order_of_training(self):
        torch.manual_seed(0)
        networks = flux.Networks(None, False, None)
        ema = [torch.full_like(p.detach(), i / 256).float() for i, (_, p) in enumerate(networks.named())]
        loaded = export.averaged(dict(optimizer=dict(ema=ema)), None)
        for i, (_, parameter) in enumerate(loaded.named()):
            self.assertTrue((parameter == torch.tensor(i / 256, dtype=torch.bfloat16)).all())

    def test_the_index_names_every_part_that_the_pipeline_needs(self):
        target = fixture.WORK / "index"
        target.mkdir()
        export.write_model_index(target)
        index = json.loads((target / "model_index.json").read_text())
        self.assertEqual(index["transformer"], ["diffusers", "FluxTransformer2DModel"])
        self.assertEqual(json.loads((target / "quantspot.json").read_text()), {"max_sequence_length": vocabulary.TOKENS})
        self.assertEqual((target / "names.txt").read_text().splitlines(), list(map(words.with_article, emoji.table())))
        (target / "vae").mkdir()
        (target / "vae/config.json").write_text('{"_name_or_path": "/home/someone", "a": 1}')
        export.forget_paths(target)
        self.assertEqual(json.loads((target / "vae/config.json").read_text()), {"a": 1})

    def test_the_trainer_does_not_count_as_model(self):
        target = fixture.WORK / "sized"
        (target / "train").mkdir(parents=True)
        (target / "a.bin").write_bytes(bytes(10))
        (target / "train/b.bin").write_bytes(bytes(1000))
        self.assertEqual(export.size_of(target), 10)


class Archive(unittest.TestCase):
    def test_it_holds_what_another_machine_needs_and_no_traces_of_this_one(self):
        merges = fixture.WORK / "bpe/bpe_simple_vocab_16e6.txt.gz"
        merges.parent.mkdir(exist_ok=True)
        merges.write_bytes(vocabulary.gzip.compress(b"header\nf o\nfo x</w>\n"))
        pack.pack(fixture.WORK / "data.tar")
        with tarfile.open(fixture.WORK / "data.tar") as tar:
            names = tar.getnames()
            self.assertTrue(all(m.uid == 0 and not m.uname and m.mtime == 0 for m in tar.getmembers()))
            tar.extractall(fixture.WORK / "there", filter="data")
        self.assertEqual(sum(name.endswith(".webp") for name in names), len(emoji.table()))
        code = "import emoji, vocabulary; print(len(emoji.table()), vocabulary.original_merges())"
        there = os.environ | {"QUANTSPOT_TRAIN_DIR": str(fixture.WORK / "there"), "PATH": ""}  # without npm: nothing can be downloaded
        found = subprocess.run([sys.executable, "-c", code], cwd=fixture.TRAIN, env=there, capture_output=True, text=True)
        self.assertEqual(found.stdout.strip(), f"{len(emoji.table())} ['f o', 'fo x</w>', '']")


class Script(unittest.TestCase):
    def run_script(self, *options, **environment) -> subprocess.CompletedProcess:
        return subprocess.run([fixture.TRAIN / "train.sh", *options], env=os.environ | environment, capture_output=True, text=True)

    def test_an_unknown_option_shows_the_usage(self):
        done = self.run_script("--frobnicate")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--slice MINUTES", done.stderr)

    def test_finished_stages_are_skipped(self):
        work = fixture.WORK / "script"
        (work / "pipeline/tokenizer_2").mkdir(parents=True)
        (work / "pipeline/tokenizer_2/spiece.model").touch()
        (work / "stages.json").write_text(json.dumps(dict(autoencoder={}, clip={}, names={}, flux=dict(minutes=72.0))))
        recorder = work / "python"  # runs the short checks, notes the stages
        recorder.write_text(f'#!/bin/sh\ncase $1 in *.py) echo "$1" >> {work}/ran; exit 1;; *) exec {sys.executable} "$@";; esac\n')
        recorder.chmod(0o755)
        for hours, expected in (("2", "export.py"), ("4", "flux.py")):
            (work / "ran").unlink(missing_ok=True)
            self.run_script("--hours", hours, QUANTSPOT_TRAIN_DIR=str(work), QUANTSPOT_TRAIN_PYTHON=str(recorder))
            self.assertEqual([Path(line).name for line in (work / "ran").read_text().split()], [expected])


if __name__ == "__main__":
    unittest.main()
