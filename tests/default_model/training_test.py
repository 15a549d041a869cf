import argparse
import random
import time
import unittest

import torch
from diffusers import FluxTransformer2DModel
from diffusers.models.transformers import transformer_flux

import fixture
import attention
import autoencoder
import blocks
import flux
import latents
import optimizer
import pictures
import scenes
import vocabulary
import workplace


class Clocks(unittest.TestCase):
    def test_earlier_runs_count(self):
        clock = workplace.Clock(minutes=1, slice_end=None, used_seconds=59.99)
        self.assertGreater(clock.done, 0.99)
        time.sleep(0.02)
        self.assertTrue(clock.finished and not clock.runs() and not clock.interrupted)
        workplace.leave_if(clock)

    def test_a_slice_ends_with_its_own_exit_code(self):
        clock = workplace.Clock(minutes=60, slice_end=time.time() - 1)
        self.assertTrue(clock.interrupted and not clock.runs())
        with self.assertRaises(SystemExit) as left:
            workplace.leave_if(clock)
        self.assertEqual(left.exception.code, 75)

    def test_a_signal_ends_it_in_order(self):
        clock = workplace.Clock(minutes=60, slice_end=None)
        self.assertTrue(clock.runs())
        clock._stop()
        self.assertTrue(clock.interrupted)


class Files(unittest.TestCase):
    def test_a_checkpoint_is_replaced_whole(self):
        file = fixture.WORK / "a.pt"
        self.assertIsNone(workplace.load_checkpoint(file))
        workplace.save_checkpoint(dict(step=1, weight=torch.ones(2)), file)
        workplace.save_checkpoint(dict(step=2, weight=torch.zeros(2)), file)
        self.assertEqual(workplace.load_checkpoint(file)["step"], 2)
        self.assertFalse(file.with_suffix(".part").exists())

    def test_a_log_has_its_header_once(self):
        file = fixture.WORK / "log.csv"
        for step in (1, 2):
            workplace.Log(file, "steps", "loss").row(step, 0.5)
        self.assertEqual(file.read_text().split(), ["steps,loss", "1,0.5", "2,0.5"])


class Chunks(unittest.TestCase):
    def test_workers_change_nothing(self):
        make = lambda index: autoencoder.crops(index, 3, 2)
        alone, beside = pictures.stream(make, 5, 0), pictures.stream(make, 5, 2)
        for _ in range(3):
            torch.testing.assert_close(next(alone), next(beside))

    def test_a_resumed_stream_goes_on_where_it_was(self):
        make = lambda index: index * index
        whole = pictures.stream(make, 0, 0)
        self.assertEqual([next(whole) for _ in range(6)][4:], [next(pictures.stream(make, 4, 0)), 25])

    def test_bytes_and_units_are_inverse(self):
        pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).repeat(1, 3, 1, 1)
        self.assertTrue((pictures.to_bytes(pictures.to_unit(pixels)) == pixels.permute(0, 2, 3, 1).numpy()).all())


class Packing(unittest.TestCase):
    def test_the_inverse_for_every_size(self):
        for width, height in scenes.SIZES:
            z = torch.randn(2, 16, height // 8, width // 8)
            tokens = latents.pack(z)
            self.assertEqual(tokens.shape, (2, width * height // 256, 64))
            torch.testing.assert_close(latents.unpack(tokens, width, height), z)

    def test_as_the_pipeline_packs(self):
        from diffusers import FluxPipeline
        z = torch.randn(1, 16, 16, 24)
        torch.testing.assert_close(latents.pack(z), FluxPipeline._pack_latents(z, 1, 16, 16, 24))

    def test_sizes_follow_their_shares(self):
        cycle = latents.Chunks(None, "0").cycle
        for size, share in enumerate(scenes.SIZE_SHARES):
            self.assertAlmostEqual(cycle.count(size) / len(cycle), share, places=2)
        self.assertGreater(len(set(cycle[:6])), 1)


class Noise(unittest.TestCase):
    def test_a_loss_that_is_no_number_ends_training(self):
        self.assertEqual(flux.finite(0.5, 1), 0.5)
        for loss in (float("nan"), float("inf")):
            with self.assertRaisesRegex(SystemExit, "at step 7; run again with a lower"):
                flux.finite(loss, 7)

    def test_levels_lie_between_clean_and_noise_and_are_bfloat16(self):
        sigma = flux.noise_levels(20000, torch.Generator().manual_seed(0))
        self.assertTrue((sigma.bfloat16().float() == sigma).all() and sigma.min() >= 0 and sigma.max() <= 1)
        self.assertAlmostEqual(sigma.mean().item(), 0.621, delta=0.01)
        self.assertGreater((sigma < 0.05).float().mean().item(), 0.004)


class Guidance(unittest.TestCase):
    def test_what_is_learnt_is_what_two_passes_give(self):
        torch.manual_seed(3)
        target, uncaptioned = torch.randn(2, 4), torch.randn(2, 4)
        for scale in (1.0, 1.5, 3.0):
            learnt = torch.zeros(2, 4)
            for _ in range(400):  # a network that always learns its target
                learnt = flux.guided(target, learnt, uncaptioned, scale)
            torch.testing.assert_close(learnt, uncaptioned + scale * (target - uncaptioned), rtol=1e-4, atol=1e-4)

    def test_it_is_no_way_for_gradients(self):
        predicted = torch.randn(2, requires_grad=True)
        self.assertFalse(flux.guided(torch.randn(2), predicted, torch.randn(2), 2.0).requires_grad)


class Attention(unittest.TestCase):
    def test_products_are_torchs_attention(self):
        query, key, value = (torch.randn(2, 3, 7, 8, requires_grad=True) for _ in range(3))
        for options in ({}, dict(attn_mask=torch.randn(2, 1, 7, 7)), dict(attn_mask=torch.ones(7, 7).tril().bool()), dict(scale=0.3), dict(is_causal=True)):
            made = [attend(query, key, value, **options) for attend in (attention.products, torch.nn.functional.scaled_dot_product_attention)]
            torch.testing.assert_close(*made)
            slopes = [torch.autograd.grad(out.pow(2).sum(), (query, key, value)) for out in made]
            torch.testing.assert_close(*slopes)


class Batches(unittest.TestCase):
    """A training set of 20 scenes whose captions have from 1 to 40 pieces."""

    @classmethod
    def setUpClass(cls):
        lengths = torch.arange(1, 41).view(20, 2)
        ids = torch.arange(40).expand(20, 2, 40) < lengths[..., None]
        stored = dict(latents0=torch.randn(20, 64, 64).half(), ids0=ids.short(), pooled0=torch.randn(20, 2, 8).half(),
                      empty_ids=torch.zeros(1, 40, dtype=torch.long), empty_pooled=torch.zeros(1, 8))
        torch.save(stored, fixture.WORK / "dataset-3.pt")
        cls.stored = {key: value.clone() for key, value in stored.items()}
        cls.dataset = latents.Dataset(fixture.WORK, fixture.WORK, 3, argparse.Namespace())

    def test_short_ones_have_whole_captions(self):
        clean, ids, pooled = self.dataset.batch(0, 500, 0.0, True, torch.Generator().manual_seed(0))
        self.assertEqual((clean.shape, ids.shape, pooled.shape), ((500, 64, 64), (500, latents.SHORT), (500, 8)))
        self.assertEqual(sorted(set(ids.sum(1).tolist())), list(range(1, latents.SHORT + 1)))

    def test_others_have_all_lengths_and_some_no_caption(self):
        ids = self.dataset.batch(0, 2000, 0.1, False, torch.Generator().manual_seed(0))[1]
        self.assertEqual(sorted(set(ids.sum(1).tolist())), list(range(0, 37)))  # the longest are those of the scenes held back
        self.assertAlmostEqual((ids.sum(1) == 0).float().mean().item(), 0.1, delta=0.03)

    def test_no_caption_has_the_ids_of_one_that_was_left_out(self):
        for length in (latents.SHORT, 40, 512):
            ids, pooled = self.dataset.empty(3, length)
            self.assertEqual((ids.shape, pooled.shape, ids.any().item()), ((3, length), (3, 8), False))
        short = self.dataset.batch(0, 200, 0.5, True, torch.Generator().manual_seed(0))[1]
        self.assertEqual((short != self.dataset.empty(*short.shape)[0]).any(1).unique().tolist(), [False, True])

    def test_a_tenth_is_held_back_and_never_drawn(self):
        unseen, seen = self.dataset.check(False)[0], self.dataset.check(True)[0]
        torch.testing.assert_close(unseen, self.stored["latents0"][18:].float())
        drawn = self.dataset.batch(0, 2000, 0.0, False, torch.Generator().manual_seed(2))[0]
        found = lambda scenes: [bool((drawn == scene).all(2).all(1).any()) for scene in scenes]
        self.assertEqual((found(unseen), found(seen), len(self.dataset)), ([False] * 2, [True] * 2, 18))

    def test_what_is_held_back_has_its_own_caption(self):
        for seen, first in ((True, 16), (False, 18)):
            _, ids, pooled = self.dataset.check(seen)
            self.assertEqual(ids.sum(1).tolist(), [2 * first + 1, 2 * first + 3])
            torch.testing.assert_close(pooled, self.stored["pooled0"][first:first + 2, 0].float())

    def test_latents_and_features_are_of_the_same_caption(self):
        clean, ids, pooled = self.dataset.batch(0, 50, 0.0, True, torch.Generator().manual_seed(1))
        for row in range(50):
            scene, which = divmod(int(ids[row].sum()) - 1, 2)
            torch.testing.assert_close(clean[row], self.dataset.stored["latents0"][scene].float())
            torch.testing.assert_close(pooled[row], self.dataset.stored["pooled0"][scene, which].float())


def descend(steps: int, stored: dict | None = None):
    """A few steps on a small problem, from the start or from a stored state; the state and the live weights."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Linear(16, 4)).bfloat16()
    stepper = optimizer.MasterOptimizer(list(net.named_parameters()), lambda name, p: p.ndim == 2 and name.startswith("0"))
    if stored:
        stepper.restore(stored)
    x, y = torch.randn(32, 8).bfloat16(), torch.randn(32, 4).bfloat16()
    losses = []
    for _ in range(steps):
        loss = (net(x) - y).float().pow(2).mean()
        loss.backward()
        stepper.step(1e-2, 1e-2)
        losses.append(loss.item())
    return stepper, [p.detach().clone() for p in net.parameters()], losses


class Optimizer(unittest.TestCase):
    def test_it_descends(self):
        losses = descend(60)[2]
        self.assertLess(losses[-1], 0.7 * losses[0])

    def test_a_restored_state_goes_on_exactly(self):
        whole = descend(10)
        half = descend(5)[0].state()
        for a, b in zip(whole[1], descend(5, {k: [t.clone() for t in v] if isinstance(v, list) else v for k, v in half.items()})[1]):
            torch.testing.assert_close(a, b, rtol=0, atol=0)

    def test_averaged_weights_can_be_put_in_and_taken_out(self):
        stepper, live, _ = descend(5)
        stepper.load_ema()
        self.assertTrue(any((a != b).any() for a, b in zip(stepper.live, live)))
        stepper.load_master()
        for a, b in zip(stepper.live, live):
            torch.testing.assert_close(a.detach(), b, rtol=0, atol=0)

    def test_orthogonalized_matrices_have_singular_values_near_one(self):
        torch.manual_seed(1)
        for shape in ((1, 24, 64), (2, 64, 24)):
            values = torch.linalg.svdvals(optimizer.orthogonalize(torch.randn(shape)).float())
            self.assertGreater(values.min().item(), 0.5)
            self.assertLess(values.max().item(), 1.3)

    def test_adam_is_torch_own(self):
        ours, reference = (torch.nn.Linear(6, 4) for _ in range(2))
        reference.load_state_dict(ours.state_dict())
        stepper = optimizer.MasterOptimizer(list(ours.named_parameters()), lambda name, p: False)
        adam = torch.optim.AdamW(reference.parameters(), lr=1e-2, betas=(0.9, 0.95), weight_decay=0)
        self.walk(ours, reference, lambda: stepper.step(1e-2, 0, clip=1e9), adam.step, atol=2e-6)

    def test_muon_is_torch_own(self):
        ours, reference = (torch.nn.Linear(24, 40, bias=False) for _ in range(2))
        reference.load_state_dict(ours.state_dict())
        stepper = optimizer.MasterOptimizer(list(ours.named_parameters()), lambda name, p: True)
        muon = torch.optim.Muon(reference.parameters(), lr=1e-2, weight_decay=0.01, momentum=0.95, adjust_lr_fn="match_rms_adamw")
        self.walk(ours, reference, lambda: stepper.step(0, 1e-2, clip=1e9), muon.step, atol=6e-4)  # both orthogonalize in bfloat16

    def walk(self, ours, reference, step, reference_step, atol):
        start = [p.detach().clone() for p in ours.parameters()]
        for seed in range(8):
            for a, b in zip(ours.parameters(), reference.parameters()):
                a.grad = torch.randn(a.shape, generator=torch.Generator().manual_seed(seed))
                b.grad = a.grad.clone()
            step()
            reference_step()
        for before, a, b in zip(start, ours.parameters(), reference.parameters()):
            torch.testing.assert_close(a, b, rtol=0, atol=atol)
            self.assertGreater((a - before).abs().mean().item(), 8 * atol)  # far more than they may differ by

    def test_large_gradients_are_scaled_down(self):
        moved = []
        for factor in (1, 1000):  # both beyond a norm of 1: the same direction, so the same step
            net = torch.nn.Linear(6, 4)
            torch.nn.init.zeros_(net.weight), torch.nn.init.zeros_(net.bias)
            stepper = optimizer.MasterOptimizer(list(net.named_parameters()), lambda name, p: False)
            for seed in range(2):
                for p in net.parameters():
                    p.grad = torch.randn(p.shape, generator=torch.Generator().manual_seed(seed)) * (factor if seed else 2)
                stepper.step(1e-2, 0)
            moved.append(net.weight.detach().clone())
        torch.testing.assert_close(*moved)

    def test_a_bounded_parameter_stays_at_its_bound_while_others_move(self):
        stepper, _, _ = descend(3)
        most = float(stepper.master[0].max()) - 0.05
        stepper.bound("0.weight", most)
        self.assertLessEqual(float(stepper.live[0].max()), most + 1e-3)
        self.assertEqual(float(stepper.master[0].max()), torch.tensor(most).item())

    def test_muon_takes_the_matrices_inside_blocks_only(self):
        networks = flux.Networks(None, False, None)
        chosen = [name for name, parameter in networks.named() if flux.is_muon(name, parameter)]
        self.assertTrue(chosen and all(".block." in name or "transformer_blocks." in name for name in chosen))
        self.assertFalse([name for name in chosen if "norm" in name or "embed" in name])


class Networks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(0)
        cls.networks = flux.Networks(None, False, None)

    def test_within_the_budget(self):
        count = sum(parameter.numel() for parameter in self.networks.net.parameters())
        self.assertLessEqual(count, 12_000_000)

    def test_the_loss_reaches_every_weight(self):
        frame = (192, 128)
        x, sigma = torch.randn(2, 96, 64), torch.tensor([0.3, 0.7])
        ids = torch.randint(3, vocabulary.T5_PIECES, (2, vocabulary.TOKENS))
        velocity = self.networks.velocity(x, sigma, ids, torch.randn(2, 128), frame)
        self.assertEqual(velocity.shape, x.shape)
        velocity.pow(2).mean().backward()
        untouched = [name for name, p in self.networks.named() if p.grad is None]
        self.assertEqual(untouched, [])
        self.assertTrue(all(p.grad is None for p in self.networks.t5.parameters()))   # what names.py taught stays


class Blocks(unittest.TestCase):
    def test_products_change_neither_the_velocity_nor_its_gradients(self):
        torch.manual_seed(0)
        net = FluxTransformer2DModel(**flux.SHAPE)
        for name, parameter in net.named_parameters():
            if ".norm_" in name:  # 1 everywhere at first, which would hide a wrong place
                torch.nn.init.normal_(parameter, 1, 0.3)
        ids = torch.cartesian_prod(torch.zeros(1), torch.arange(6.0), torch.arange(4.0))
        given = dict(hidden_states=torch.randn(2, 24, 64), timestep=torch.rand(2), encoder_hidden_states=torch.randn(2, 7, 192),
                     pooled_projections=torch.randn(2, 128), img_ids=ids, txt_ids=torch.zeros(7, 3), return_dict=False)
        weights = torch.randn(2, 24, 64)

        def run():
            net.zero_grad()
            velocity = net(**given)[0]
            (velocity * weights).sum().backward()
            return [velocity.detach()] + [p.grad.clone() for p in net.parameters()]

        known, apply = run(), transformer_flux.apply_rotary_emb
        try:
            blocks.use_products(net)
            self.assertTrue(any(isinstance(module, blocks.RMSNorm) for module in net.modules()))
            for a, b in zip(run(), known):
                torch.testing.assert_close(a, b, rtol=0, atol=2e-5 * b.abs().max().item())
        finally:
            transformer_flux.apply_rotary_emb = apply


class Autoencoder(unittest.TestCase):
    def arguments(self, **more) -> argparse.Namespace:
        return argparse.Namespace(**dict(seed=0, width=8, start=None, minutes=10.0, slice_end=None, bf16=True, batch=2, workers=0, log_every=1, check=4) | more)

    def test_it_goes_on_from_its_checkpoint(self):
        first = autoencoder.Trainer(self.arguments())
        for index in range(3):
            first.step(autoencoder.crops(index, 0, 2))
        first.save()
        second = autoencoder.Trainer(self.arguments(width=99))
        self.assertEqual((second.steps, second.width), (3, 8))
        for a, b in zip(first.vae.parameters(), second.vae.parameters()):
            torch.testing.assert_close(a, b, rtol=0, atol=0)
        first.checkpoint.unlink()

    def test_crops_are_of_training_scenes_and_by_their_number(self):
        self.assertEqual(autoencoder.crops(0, 0, 3).shape, (3, 3, 64, 64))
        torch.testing.assert_close(autoencoder.crops(7, 0, 2), autoencoder.crops(7, 0, 2))
        self.assertTrue((autoencoder.crops(7, 0, 2) != autoencoder.crops(8, 0, 2)).any())


class Vocabulary(unittest.TestCase):
    def test_pruning_keeps_how_words_are_cut(self):
        merges = ["f o", "fo x</w>", "o w", "ow l</w>", "z z", "l e"]
        kept = vocabulary.prune(merges)
        self.assertIn("fo x</w>", kept)
        self.assertNotIn("z z", kept)
        rank = {tuple(m.split()): i for i, m in enumerate(merges)}
        short = {tuple(m.split()): i for i, m in enumerate(kept)}
        for word in vocabulary.corpus_words():
            self.assertEqual(vocabulary.derivation(word, rank), vocabulary.derivation(word, short))

    def test_case_is_folded_and_captions_have_no_unknown_pieces(self):
        folder = fixture.WORK / "t5"
        vocabulary.write_t5(folder, 200)
        from transformers import T5Tokenizer
        tokenizer = T5Tokenizer.from_pretrained(folder)
        self.assertEqual(tokenizer("a sign that says HELLO").input_ids, tokenizer("A Sign that says hello").input_ids)
        rng = random.Random(0)
        self.assertNotIn(tokenizer.unk_token_id, tokenizer(vocabulary.captions.caption(scenes.draw_scene(rng))).input_ids)


if __name__ == "__main__":
    unittest.main()
