#!/usr/bin/env python3
"""Makes the package that is deployed: the folder, and a zip of it with the same bytes for the same content.

  pack.py HANDLER LICENCES FOLDER ZIP     from the repository's root

What is in it: host.json (the root's, with deploy/package/host.json merged over it), every function folder of
the root and of deploy/package/, the templates, HANDLER as bin/handler, and the texts in LICENCES.
Sent to Azure as it is: so modes are set here, and the order and the times in the zip never change.
"""
import json
import os
import shutil
import stat
import sys
import zipfile
from pathlib import Path

EXTRAS = Path("deploy/package")
TEMPLATES = Path("deploy/templates")
HANDLER = "bin/handler"
STAMP = (2000, 1, 1, 0, 0, 0)


def merged(base, over):
    """Objects are merged, anything else is replaced."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{name: merged(base.get(name), value) for name, value in over.items()}}


def read_json(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as problem:
        sys.exit(f"pack.py: {path}: {problem}; mend it and run again")


def files_of(folder):
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def contents(handler, licences):
    """Name in the package to bytes."""
    host = merged(read_json(Path("host.json")), read_json(EXTRAS / "host.json"))
    found = {"host.json": (json.dumps(host, indent=2) + "\n").encode()}
    for parent in (Path(), EXTRAS):
        for function in sorted(parent.glob("*/function.json")):
            for path in files_of(function.parent):
                found[f"{function.parent.name}/{path.name}"] = path.read_bytes()
    for path in sorted(TEMPLATES.glob("*.mustache")):
        found[str(path)] = path.read_bytes()
    for path in files_of(licences):
        found[f"licences/{path.name}"] = path.read_bytes()
    found[HANDLER] = handler.read_bytes()
    return found


def mode_of(name):
    return 0o755 if name == HANDLER else 0o644


def write_folder(folder, found):
    """Made beside its place and then moved there: whoever looks sees the old one or the new one."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    for name, data in found.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode_of(name))
    for path in [fresh, *fresh.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def write_zip(target, found):
    fresh = target.with_name(target.name + ".new")
    with zipfile.ZipFile(fresh, "w") as package:
        for name in sorted(found):
            entry = zipfile.ZipInfo(name, STAMP)
            entry.create_system = 3  # Unix: without it the modes are not looked at
            entry.external_attr = (stat.S_IFREG | mode_of(name)) << 16
            entry.compress_type = zipfile.ZIP_STORED  # what a deflater writes differs from zlib to zlib
            package.writestr(entry, found[name])
    fresh.replace(target)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    handler, licences, folder, target = map(Path, sys.argv[1:])
    if not handler.is_file() or not licences.is_dir():
        sys.exit(f"pack.py: {handler} or {licences}/ is missing; `make release` makes both")
    os.umask(0o022)
    found = contents(handler, licences)
    folder.parent.mkdir(parents=True, exist_ok=True)
    write_folder(folder, found)
    write_zip(target, found)
    print(f"package: {folder}/ and {target}, {len(found)} files, {target.stat().st_size} bytes")


main()
