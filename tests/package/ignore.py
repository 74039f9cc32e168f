#!/usr/bin/env python3
"""Whether `func azure functionapp publish` from the root would send what the package holds, by .funcignore.

  ignore.py ZIP     from the repository's root

The rules are read twice, by git itself and as Core Tools reads them.  Only what is made for the package alone
(licences, the functions of deploy/package/) is not in the root.
"""
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

RULES = Path(".funcignore")
NEVER_SENT = {".funcignore", ".gitignore", "local.settings.json"}  # by Core Tools, whatever the rules say

# What lies in a tree after everything was built and used once.
BUILT = """bin/handler bin/release/handler bin/asan/handler bin/fuzz/fuzz_json bin/standin/host bin/e2e/run
bin/unit/test_json bin/triage.zip bin/package/host.json bin/package/bin/handler
bin/package/licences/curl.txt bin/package/deploy/templates/a.mustache bin/package/trigger-devin/function.json
build/deps build/dev/handler/main.o build/release/licences/curl.txt build/node/node_modules/a/README.md
.azure/dev/.env .vscode/settings.json .github/workflows/ci.yml .env .editorconfig azure.yaml SECURITY.md
deploy/README.md deploy/main.bicep deploy/deploy.sh deploy/release/lock deploy/playbook/a.md
deploy/systemd/a.service deploy/package/host.json deploy/package/retry-devin/function.json deploy/build/main.json
docs/page.png tests/unit/golden/a.md local.settings.json""".split()


def tree():
    """Names of all files here, but for git's own, and of those that may come to be."""
    names = set(BUILT)
    for folder, folders, files in os.walk("."):
        if ".git" in folders:
            folders.remove(".git")
        names |= {os.path.normpath(os.path.join(folder, name)) for name in files}
    return sorted(names - NEVER_SENT - {".git"})


def sent_by_git(rules, names):
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["git", "init", "-q", scratch], check=True)
        (Path(scratch) / ".git/info/exclude").write_text("\n".join(rules))
        ignored = subprocess.run(
            ["git", "-c", "core.excludesFile=/dev/null", "-C", scratch, "check-ignore", "--no-index", "--stdin", "-z"],
            input="\0".join(names), stdout=subprocess.PIPE, text=True, check=False,
        ).stdout.split("\0")
    return set(names) - set(ignored)


def expression(rules):
    """One alternative a rule, from the start of a name to the end of a word."""
    if not rules:
        return re.compile(r"(?!)")
    escaped = [re.sub(r"[-\[\]/{}()+?.\\^$|]", r"\\\g<0>", rule.lstrip("/")) for rule in rules]
    globbed = [rule.replace("**", "(.+)").replace("*", "([^/]+)") for rule in escaped]
    return re.compile("^(?:" + "|".join(globbed) + r")\b", re.ASCII)


def sent_by_core_tools(rules, names):
    """A file that any `!` rule names is sent, in whatever order the rules are."""
    rules = [rule for rule in map(str.strip, rules) if rule and not rule.startswith("#")]
    kept = expression([rule[1:] for rule in rules if rule.startswith("!")])
    dropped = expression([rule for rule in rules if not rule.startswith("!")])
    return {name for name in names if kept.match(name) or not dropped.match(name)}


def complaints(rules, names, wanted):
    for reader, read in (("git", sent_by_git), ("Core Tools", sent_by_core_tools)):
        sent = read(rules, names)
        yield from (f"as {reader} reads it, it sends {name}" for name in sorted(sent - wanted))
        yield from (f"as {reader} reads it, it leaves {name} behind" for name in sorted(wanted - sent))


def needless(rules, names, wanted):
    """Each rule left out in turn must be missed; so this test is one that can fail."""
    for number, rule in enumerate(rules):
        if rule and not rule.startswith("#") and not list(complaints(rules[:number] + rules[number + 1:], names, wanted)):
            yield f"nothing changes without the rule {rule}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with zipfile.ZipFile(sys.argv[1]) as package:
        packed = set(package.namelist())
    own = {f"{path.parent.name}/" for path in Path("deploy/package").glob("*/function.json")} | {"licences/"}
    wanted = {name for name in packed if not name.startswith(tuple(own))}
    rules = RULES.read_text().splitlines()
    names = tree()
    found = list(complaints(rules, names, wanted)) or list(needless(rules, names, wanted))
    for complaint in found[:20]:
        print(f"{RULES}: {complaint}")
    if found:
        sys.exit(1)
    print(f"package: .funcignore leaves {len(wanted)} of {len(names)} files, those of the package")


main()
