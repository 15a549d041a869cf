"""Packs what training downloads (pictures, names, byte-pair merges) into one archive, for a machine without a network:

    pack.py data.tar          here;    train.sh --data data.tar          there
"""
import argparse
import tarfile
from pathlib import Path

import emoji
import vocabulary
from workplace import work_dir


def members(root: Path) -> list[Path]:
    """Files below the working folder: licences, the English names, the pictures in use, the merges."""
    data = root / "data"
    names = [data / f"fluent-emoji-3d/package/assets/{entry.stem}.webp" for entry in emoji.table().values()]
    names += [data / "emojibase-data/package/en/data.json", root / "bpe" / Path(vocabulary.BPE_FILE).name]
    return names + [file for file in sorted(data.glob("*/package/LICENSE*"))]


def pack(archive: Path) -> None:
    emoji.fetch()
    vocabulary.original_merges()
    with tarfile.open(archive, "w") as tar:
        for file in members(work_dir()):
            entry = tar.gettarinfo(file, str(file.relative_to(work_dir())))
            entry.uid = entry.gid = entry.mtime = 0
            entry.uname = entry.gname = ""
            with file.open("rb") as stream:
                tar.addfile(entry, stream)
    print(f"{archive}: {archive.stat().st_size} bytes, {len(emoji.table())} pictures")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    pack(parser.parse_args().archive)
