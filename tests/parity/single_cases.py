"""Group: the golden pipelines as single files in the original naming, converted back by diffusers' own code before they are kept."""

import json
from pathlib import Path

import gguf
import numpy
import torch
from diffusers.loaders import single_file_utils as reference
from safetensors.torch import load_file, save_file

import ldm_names


def part(folder: Path, name: str) -> tuple[dict[str, torch.Tensor], dict]:
    (file,) = (folder / name).glob("*.safetensors")
    return load_file(file), json.loads((folder / name / "config.json").read_text())


def same(left: dict, right: dict) -> None:
    assert left.keys() == right.keys(), left.keys() ^ right.keys()
    assert all(torch.equal(value, right[name]) for name, value in left.items())


def denoiser_and_vae(folder: Path) -> dict[str, torch.Tensor]:
    unet, config = part(folder, "unet")
    vae, vae_config = part(folder, "vae")
    file = {f"model.diffusion_model.{name}": value for name, value in ldm_names.unet(unet, config).items()}
    file |= {f"first_stage_model.{name}": value for name, value in ldm_names.vae(vae, len(vae_config["block_out_channels"])).items()}
    same(reference.convert_ldm_unet_checkpoint(dict(file), config), unet)
    same(reference.convert_ldm_vae_checkpoint(dict(file), vae_config), vae)
    return file


def prefixed(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"{prefix}text_model.{name.removeprefix('text_model.')}": value for name, value in tensors.items()}


class Width:
    """All that convert_open_clip_checkpoint asks of a model."""

    def __init__(self, width: int):
        self.config = type("Config", (), {"hidden_size": width})()


def with_openclip(tensors: dict[str, torch.Tensor], prefix: str, width: int) -> dict[str, torch.Tensor]:
    file = {prefix + name: value for name, value in ldm_names.openclip(tensors).items()}
    if prefix + "text_projection" not in file or file[prefix + "text_projection"].shape[0] == width:
        back = reference.convert_open_clip_checkpoint(Width(width), dict(file), prefix)
        same(back, {("text_model." if "text_projection" not in name else "") + name.removeprefix("text_model."): value for name, value in tensors.items()})
    return file


def save(tensors: dict[str, torch.Tensor], path: Path) -> None:
    """The golden weights are BF16 values."""
    short = {name: value.bfloat16().contiguous() for name, value in tensors.items()}
    assert all(torch.equal(value.float(), tensors[name].float()) for name, value in short.items())
    save_file(short, path)


def comfy_gguf(folder: Path, path: Path) -> None:
    """As ComfyUI-GGUF's convert.py writes a UNet: what has a multiple of 256 values but no such rows is held as rows of 256."""
    unet, config = part(folder, "unet")
    writer = gguf.GGUFWriter(str(path), "sd1")
    values = {}
    for name, value in ldm_names.unet(unet, config).items():
        data = value.float().numpy()
        kind = gguf.GGMLQuantizationType.F32 if data.ndim == 1 else gguf.GGMLQuantizationType.F16
        shape = data.shape
        if data.ndim > 1 and data.size >= 512 and data.size % 256 == 0 and shape[-1] % 256:
            data, kind = data.reshape(-1, 256), gguf.GGMLQuantizationType.Q8_0
            writer.add_array(f"comfy.gguf.orig_shape.{name}", [int(extent) for extent in shape])
        packed = gguf.quants.quantize(data, kind)
        writer.add_tensor(name, packed, raw_dtype=kind)
        values[name] = torch.from_numpy(gguf.quants.dequantize(packed, kind).astype(numpy.float32)).reshape(shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    expected = reference.convert_ldm_unet_checkpoint({f"model.diffusion_model.{name}": value for name, value in values.items()}, config)
    save_file({name: torch.tensor([value.double().sum(), value.double().square().sum()]) for name, value in expected.items()}, path.with_suffix(".sums.safetensors"))


def sd3_file(folder: Path) -> tuple[dict[str, torch.Tensor], dict]:
    """A transformer as Stability AI names it, and by what it is made."""
    tensors, config = part(folder, "transformer")
    table = ldm_names.sd3(tensors, config["num_layers"])
    file = {}
    for name, (parts, swapped) in table.items():
        value = torch.cat([tensors[one] for one in parts]) if len(parts) > 1 else tensors[parts[0]]
        file[f"model.diffusion_model.{name}"] = torch.cat(value.chunk(2)[::-1]) if swapped else value
    same(reference.convert_sd3_transformer_checkpoint_to_diffusers(dict(file)), tensors)
    return file, table


def make(golden: Path) -> None:
    folder = golden / "single"
    folder.mkdir(exist_ok=True)
    # The test makes the files from these tables: the weights are there already.
    tables = {name: sd3_file(golden / name / "pipeline")[1] for name in ("sd3_a", "sd3_b")}
    (folder / "sd3_names.json").write_text(json.dumps(tables, separators=(",", ":")) + "\n")
    sd = golden / "sd_a" / "pipeline"
    save(denoiser_and_vae(sd) | prefixed("cond_stage_model.transformer.", part(sd, "text_encoder")[0]), folder / "sd.safetensors")
    xl = golden / "sdxl_a" / "pipeline"
    text, config = part(xl, "text_encoder_2")
    save(denoiser_and_vae(xl) | prefixed("conditioner.embedders.0.transformer.", part(xl, "text_encoder")[0])
         | with_openclip(text, "conditioner.embedders.1.model.", config["hidden_size"]), folder / "sdxl.safetensors")
    # SD 2 keeps OpenCLIP's last layer, which nothing uses, and a projection.
    text, config = part(golden / "sd_b" / "pipeline", "text_encoder")
    last = config["num_hidden_layers"] - 1
    more = {name.replace(f"layers.{last}.", f"layers.{last + 1}."): value + 1 for name, value in text.items() if f"layers.{last}." in name}
    file = with_openclip(text, "cond_stage_model.model.", config["hidden_size"]) | {
        f"cond_stage_model.model.{name}": value for name, value in ldm_names.openclip(text | more).items() if f"resblocks.{last + 1}." in name}
    save_file({name: value.contiguous() for name, value in file.items()} | {"cond_stage_model.model.text_projection": torch.zeros(20, 20)}, folder / "sd2_text.safetensors")
    comfy_gguf(sd, folder / "comfy.gguf")
    for path in sorted(folder.iterdir()):
        print(f"single/{path.name}: {path.stat().st_size / 1e3:.0f} kB")
