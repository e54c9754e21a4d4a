"""Checks the contents of the unpacked packages and the links of their READMEs: see package.sh."""

import os
import sys
import tomllib

from links import check, text_of

# Folders and files of each package, without those that cargo adds.
CONTENTS = {
    "flask-pyjwt": {"src", "docs", "README.md", "CHANGELOG.md", "LICENSE"},
    "flask-pyjwt-cli": {"src", "README.md", "LICENSE"},
    "flask-pyjwt-core": {"src", "README.md", "LICENSE"},
    "flask-pyjwt-grammar": {"src", "README.md", "LICENSE"},
    "flask-pyjwt-macros": {"src", "README.md", "LICENSE"},
    "flask-pyjwt-pkcs11": {"src", "README.md", "LICENSE"},
    "flask-pyjwt-postgres": {"src", "README.md", "LICENSE"},
}
BY_CARGO = {"Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json"}
METADATA = ("description", "documentation", "license", "readme", "repository", "rust-version")

problems = []


for name, contents in CONTENTS.items():
    folder = os.path.join(sys.argv[1], name)
    there = set(os.listdir(folder)) - BY_CARGO
    if there != contents:
        problems.append(f"{name}: contains {sorted(there)} in place of {sorted(contents)}")
        continue
    with open(os.path.join(folder, "Cargo.toml"), "rb") as file:
        package = tomllib.load(file)["package"]
    for key in METADATA:
        if not package.get(key):
            problems.append(f"{name}: Cargo.toml has no `{key}`")
    if not package.get("metadata", {}).get("docs", {}).get("rs", {}).get("all-features"):
        problems.append(f"{name}: docs.rs does not build with all features")
    if text_of(os.path.join(folder, "LICENSE")) != text_of("LICENSE"):
        problems.append(f"{name}: LICENSE differs from the repository's")
    problems += check(f"{name}: README.md", os.path.join(folder, "README.md"), None, package["repository"])

print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
sys.exit(1 if problems else 0)
