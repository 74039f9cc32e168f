#!/usr/bin/env python3
"""Says everything about a package that is not as it must be; what is in it is stated here a second time.

  check.py [--any-handler] FOLDER ZIP HANDLER LICENCES     from the repository's root
  check.py --self-test FOLDER ZIP HANDLER LICENCES         spoils copies of ZIP: each must be found out

--any-handler lets a handler pass that needs this machine's libraries.
"""
import json
import os
import stat
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

UNIX = 3


def wanted_names(licences):
    """Name to mode."""
    names = ["host.json"]
    tracked = list(Path().glob("*/function.json")) + list(Path("deploy/package").glob("*/function.json"))
    names += [f"{path.parent.name}/function.json" for path in tracked]
    names += [f"deploy/templates/{path.name}" for path in Path("deploy/templates").glob("*.mustache")]
    names += [f"licences/{path.name}" for path in licences.glob("*.txt")]
    return {"bin/handler": 0o755, **{name: 0o644 for name in names}}


def listing_complaints(package, wanted):
    entries = package.infolist()
    names = [entry.filename for entry in entries]
    for name in sorted(set(wanted) - set(names)):
        yield f"{name} is missing"
    for name in sorted(set(names) - set(wanted)):
        yield f"{name} does not belong there"
    if names != sorted(set(names)):
        yield "the names are not in order, or one is there twice"
    if package.comment:
        yield "it has a comment"
    for entry in entries:
        mode = entry.external_attr >> 16
        if entry.create_system != UNIX:
            yield f"{entry.filename}: its creator is not Unix, so that its mode is not looked at"
        if mode != stat.S_IFREG | wanted.get(entry.filename, 0o644):
            yield f"{entry.filename}: its mode is {mode:o}"
        if entry.date_time != (2000, 1, 1, 0, 0, 0) or entry.extra or entry.comment:
            yield f"{entry.filename}: carries a time of its own, or something else"


def handler_complaints(data, is_any):
    """ELF64, little endian, x86-64; no program interpreter means that it needs nothing else."""
    if data[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<H", data, 18)[0] != 62:
        yield "bin/handler is no program for linux-x64"
        return
    start, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    kinds = [struct.unpack_from("<I", data, start + i * size)[0] for i in range(count)]
    if 3 in kinds and not is_any:
        yield "bin/handler is not static: it needs a loader and libraries that Azure does not have"


def is_kept(part, whole):
    """Whether all that `part` states holds in `whole`."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(n in whole and is_kept(v, whole[n]) for n, v in part.items())
    return part == whole


def without(base, over):
    """What of `base` is not stated anew by `over`."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return base
    return {
        name: without(value, over[name]) if name in over else value
        for name, value in base.items()
        if name not in over or (isinstance(value, dict) and isinstance(over[name], dict))
    }


def host_complaints(data):
    host = json.loads(data)
    root = json.loads(Path("host.json").read_text())
    extra = json.loads(Path("deploy/package/host.json").read_text())
    if not is_kept(extra, host) or not is_kept(without(root, extra), host):
        yield "host.json is not the root's with deploy/package/host.json over it"
    if host["customHandler"]["description"]["defaultExecutablePath"] != "bin/handler":
        yield "host.json names another program than bin/handler: Core Tools makes only that one executable"


def content_complaints(package, folder, handler, licences, is_any):
    data = {entry.filename: package.read(entry) for entry in package.infolist() if not entry.is_dir()}
    on_disk = {str(path.relative_to(folder)): path for path in folder.rglob("*") if not path.is_dir()}
    if {name: path.read_bytes() for name, path in on_disk.items()} != data:
        yield f"{folder}/ holds something else than the zip"
    for path in [folder, *folder.rglob("*")]:
        mode = 0o755 if path.is_dir() or path == folder / "bin/handler" else 0o644
        if stat.S_IMODE(path.lstat().st_mode) != mode:
            yield f"{path}: its mode is {stat.S_IMODE(path.lstat().st_mode):o}"
    for name, source in [("bin/handler", handler)] + [(f"licences/{p.name}", p) for p in licences.iterdir()]:
        if name in data and data[name] != source.read_bytes():
            yield f"{name} is not {source}"
    yield from handler_complaints(data.get("bin/handler", b""), is_any)
    yield from host_complaints(data.get("host.json", b"{}"))


def repeat_complaints(target, handler, licences):
    with tempfile.TemporaryDirectory() as scratch:
        again = Path(scratch) / "again.zip"
        made = subprocess.run(
            ["deploy/pack.py", handler, licences, Path(scratch) / "again", again],
            stdout=subprocess.DEVNULL, env={**os.environ, "TZ": "Asia/Tokyo"}, check=False,
        )
        if made.returncode != 0 or again.read_bytes() != target.read_bytes():
            yield "made again it has other bytes"


def complaints(folder, target, handler, licences, is_any):
    wanted = wanted_names(licences)
    if not any(name.startswith("licences/") for name in wanted):
        yield f"{licences}/ has no licences"
    try:
        with zipfile.ZipFile(target) as package:
            if package.testzip() is not None:
                yield "a checksum is wrong"
            yield from listing_complaints(package, wanted)
            yield from content_complaints(package, folder, handler, licences, is_any)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as problem:
        yield f"it cannot be read: {problem!r}"


# --- spoiling ------------------------------------------------------------------------------------

def set_mode(mode):
    return lambda entry: setattr(entry, "external_attr", mode << 16)


SPOILED = {
    "the handler is not executable": ("bin/handler", set_mode(stat.S_IFREG | 0o644), None),
    "anybody may write the handler": ("bin/handler", set_mode(stat.S_IFREG | 0o777), None),
    "host.json cannot be read by others": ("host.json", set_mode(stat.S_IFREG | 0o600), None),
    "a function is a link": ("trigger-devin/function.json", set_mode(stat.S_IFLNK | 0o777), None),
    "no mode at all": ("host.json", set_mode(0), None),
    "made on Windows": ("bin/handler", lambda entry: setattr(entry, "create_system", 0), None),
    "the time of today": ("host.json", lambda entry: setattr(entry, "date_time", (2026, 1, 2, 3, 4, 6)), None),
    "a file of one's own": ("local.settings.json", None, b"{}"),
    "a folder as an entry": ("bin/", None, b""),
    "out of order": ("aaa", lambda entry: setattr(entry, "filename", "zzz"), b""),
    "another handler": ("bin/handler", None, b"#!/bin/sh\n"),
    "another host.json": ("host.json", None, b'{"version": "2.0"}'),
    "no handler": ("bin/handler", lambda entry: setattr(entry, "filename", "bin/handler.exe"), None),
}


def spoil(target, copy, name, change, data):
    with zipfile.ZipFile(target) as package, zipfile.ZipFile(copy, "w") as out:
        entries = {entry.filename: (entry, package.read(entry)) for entry in package.infolist()}
        fresh = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
        fresh.create_system = UNIX
        fresh.external_attr = (stat.S_IFREG | 0o644) << 16
        entry, content = entries.get(name, (fresh, b""))
        if change is not None:
            change(entry)
        entries[name] = (entry, content if data is None else data)
        for key in sorted(entries):
            out.writestr(*entries[key])


ROOT_HOST = {"version": "2.0", "extensions": {"http": {"routePrefix": "api"}}, "functionTimeout": "00:02:00"}
EXTRA_HOST = {"functionTimeout": "00:05:00", "extensions": {"queues": {"batchSize": 4}}, "extensionBundle": {"id": "x"}}
MERGED_HOST = {
    "version": "2.0",
    "extensions": {"http": {"routePrefix": "api"}, "queues": {"batchSize": 4}},
    "functionTimeout": "00:05:00",
    "extensionBundle": {"id": "x"},
}


def merges(packer):
    """A root and extras for the package alone: what comes of them."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        for name, text in {
            "host.json": json.dumps(ROOT_HOST), "deploy/package/host.json": json.dumps(EXTRA_HOST), "handler": "",
            "one/function.json": "{}", "deploy/package/two/function.json": "{}", "licences/a.txt": "", "other/a.json": "{}",
        }.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        subprocess.run([packer, "handler", "licences", "out", "out.zip"], cwd=root, check=True, stdout=subprocess.DEVNULL)
        with zipfile.ZipFile(root / "out.zip") as package:
            names = ["bin/handler", "host.json", "licences/a.txt", "one/function.json", "two/function.json"]
            return package.namelist() == names and json.loads(package.read("host.json")) == MERGED_HOST


def self_test(folder, target, handler, licences):
    if not merges(Path("deploy/pack.py").resolve()):
        sys.exit("package: self-test: deploy/package/ is not merged over the root as it should be")
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "spoiled.zip"
        for what, (name, change, data) in SPOILED.items():
            spoil(target, copy, name, change, data)
            if not list(complaints(folder, copy, handler, licences, True)):
                sys.exit(f"package: self-test: not found out: {what}")
        spoil(target, copy, "host.json", None, None)
        if list(complaints(folder, copy, handler, licences, True)):
            sys.exit("package: self-test: a copy without a flaw is refused")
    print(f"package: self-test fine ({len(SPOILED)} spoiled)")


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    if len(words) != 4:
        sys.exit(__doc__)
    folder, target, handler, licences = map(Path, words)
    if "--self-test" in sys.argv:
        self_test(folder, target, handler, licences)
        return
    found = list(complaints(folder, target, handler, licences, "--any-handler" in sys.argv))
    found += repeat_complaints(target, handler, licences)
    for complaint in found:
        print(f"{target}: {complaint}")
    if found:
        sys.exit(1)
    print(f"package: {target} holds what it must and nothing else")


main()
