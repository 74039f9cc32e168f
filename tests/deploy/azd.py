#!/usr/bin/env python3
"""Holds azure.yaml to what azd's own schema asks of a function app, and to the files it names.

azd's schema is in no package registry, so the rules that touch us are written out here.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
STEPS = {
    f"{when}{what}"
    for when in ("pre", "post")
    for what in (
        "build",
        "deploy",
        "down",
        "infracreate",
        "infradelete",
        "package",
        "provision",
        "publish",
        "restore",
        "up",
    )
}
# A function app is neither an image nor in a cluster; its settings come from Bicep.
NOT_FOR_FUNCTIONS = {"image", "docker", "k8s", "apiVersion", "env"}


def read(text):
    """Mappings of mappings and words: all the YAML that we use; anything else is refused."""
    root = {}
    open_at = [(-1, root)]
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = re.fullmatch(r"( *)([A-Za-z-]+):(?: +(\S.*))?", line)
        if not found:
            sys.exit(f"azure.yaml: cannot read {line!r}")
        indent = len(found[1])
        while open_at[-1][0] >= indent:
            open_at.pop()
        home = open_at[-1][1]
        if found[2] in home:
            sys.exit(f"azure.yaml: {found[2]} twice")
        home[found[2]] = found[3] or {}
        if not found[3]:
            open_at.append((indent, home[found[2]]))
    return root


def hooks_wrong(hooks, where):
    for step, hook in hooks.items():
        if step not in STEPS:
            yield f"{where}: {step} is no step of azd"
        if hook.get("shell") not in ("sh", "pwsh"):
            yield f"{where}: {step} has no shell"
        for command in re.split(r" && ", hook.get("run", "")):
            program, *words = command.split() or [""]
            if program == "make":
                continue
            if not (ROOT / program).is_file():
                yield f"{where}: {step}: there is no {program}"
            elif words and f"    {words[0]}" not in (ROOT / program).read_text():
                yield f"{where}: {step}: {program} does not know {words[0]}"


def wrong(made):
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", made.get("name", "")):
        yield "name is missing or has letters that azd refuses"
    infra = made.get("infra", {})
    for ending in ("bicep", "bicepparam"):
        file = ROOT / infra.get("path", "infra") / f"{infra.get('module', 'main')}.{ending}"
        if not file.is_file():
            yield f"infra: there is no {file}"
        elif ending == "bicep":
            template = file.read_text()
            if "targetScope = 'resourceGroup'" not in template:
                yield "infra: azd would deploy to the subscription"
            for service in made.get("services", {}):
                if f"'azd-service-name': '{service}'" not in template:
                    yield f"services: {service}: no resource has its tag"
    if infra.get("provider") != "bicep":
        yield "infra: provider is not bicep"
    yield from hooks_wrong(made.get("hooks", {}), "hooks")
    services = made.get("services", {})
    if len(services) != 1:
        yield "services: there is one"
    for name, service in services.items():
        for member, value in {"project": ".", "host": "function", "language": "custom", "dist": "bin/package"}.items():
            if service.get(member) != value:
                yield f"services: {name}: {member} is {service.get(member)}, wanted {value}"
        for member in NOT_FOR_FUNCTIONS & set(service):
            yield f"services: {name}: {member} is not for functions"
        if service.get("remoteBuild", "false") != "false":
            yield f"services: {name}: nothing there compiles C"
        yield from hooks_wrong(service.get("hooks", {}), f"services: {name}")
        if "make package" not in service.get("hooks", {}).get("prepackage", {}).get("run", ""):
            yield f"services: {name}: nobody builds {service.get('dist')}"


def main():
    text = (ROOT / "azure.yaml").read_text()
    found = list(wrong(read(text)))
    if found:
        sys.exit("\n".join(f"azure.yaml: {line}" for line in found))
    breaks = {
        "name: alerts": "name: Alerts",
        "path: deploy": "path: infra",
        "module: main": "module: alerts",
        "provider: bicep": "provider: terraform",
        "preprovision": "beforeprovision",
        "shell: sh": "shell: tcsh",
        "--check": "--chekc",
        "deploy/deploy.sh": "deploy/gone.sh",
        "  triage:": "  other:",
        "host: function": "host: containerapp",
        "language: custom": "language: go",
        "dist: bin/package": "dist: bin",
        "project: .": "project: .\n    image: x",
        "    dist:": "    remoteBuild: true\n    dist:",
        "prepackage": "postpackage",
        "make package": "make parcel",
    }
    for old, new in breaks.items():
        broken = text.replace(old, new)
        assert broken != text, old
        if not list(wrong(read(broken))):
            sys.exit(f"azd.py: self-test: {old} -> {new} is not noticed")
    print(f"azd: azure.yaml is fine, and {len(breaks)} breaks of it are noticed")


if __name__ == "__main__":
    main()
