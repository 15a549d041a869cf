"""Does huggingface_hub find what quantspot-cli downloaded, and the other way round? Not part of ctest: it needs huggingface_hub.

Usage: check_hub_cache.py QUANTSPOT_CLI
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CLI = sys.argv[1]
FAKE = Path(__file__).parents[1] / "engine" / "fake_hub.py"


def tree(folder):
    """Every file of a cache with what it is: a link's target or the bytes."""
    return {str(f.relative_to(folder)): os.readlink(f) if f.is_symlink() else f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_symlink() or f.is_file()}


def main(work, owner):
    repo = work / "served" / owner / "tiny"
    for name, data in {"model_index.json": b"{}", "vae/config.json": b"{}", "vae/diffusion_pytorch_model.safetensors": bytes(range(256)) * 100}.items():
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_bytes(data)
    server = subprocess.Popen([sys.executable, str(FAKE), str(work / "served")], stdout=subprocess.PIPE, text=True)
    try:
        os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        os.environ["HF_HUB_DISABLE_XET"] = "1"
        os.environ["HF_TOKEN"] = ""
        from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download

        ours, theirs = work / "ours", work / "theirs"
        subprocess.run([CLI, "models", "download", f"{owner}/tiny"], check=True, env=os.environ | {"HF_HUB_CACHE": str(ours)}, stdout=subprocess.DEVNULL)
        found = Path(snapshot_download(f"{owner}/tiny", cache_dir=ours, local_files_only=True))
        assert (found / "vae/diffusion_pytorch_model.safetensors").read_bytes() == bytes(range(256)) * 100
        report = scan_cache_dir(ours)
        assert not report.warnings and len(report.repos) == 1, report.warnings
        for name in ("model_index.json", "vae/config.json", "vae/diffusion_pytorch_model.safetensors"):
            hf_hub_download(f"{owner}/tiny", name, cache_dir=theirs)
        left, right = tree(ours), tree(theirs)
        different = {name for name in left.keys() | right.keys() if left.get(name) != right.get(name) and name != "CACHEDIR.TAG"}
        assert not different, different
        listed = json.loads(subprocess.run([CLI, "models", "path", f"{owner}/tiny"], check=True, env=os.environ | {"HF_HUB_CACHE": str(theirs)}, stdout=subprocess.PIPE).stdout)
        assert listed["path"] == str(theirs / found.relative_to(ours)), listed
        print(f"{owner}: huggingface_hub finds our cache and makes the same one: {len(left)} files and links; its cache is found by us")
    finally:
        server.kill()


if len(sys.argv) < 3:                    # huggingface_hub reads its environment once
    for owner in ("good", "real"):
        subprocess.run([sys.executable, __file__, CLI, owner], check=True)
else:
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder).resolve(), sys.argv[2])
