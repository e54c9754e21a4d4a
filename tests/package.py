"""What is in the unpacked packages, and where their READMEs link to: see package.sh."""

import os
import re
import sys
import tomllib

# Folders and files of each package, besides those that cargo adds.
CONTENTS = {
    "flask-pyjwt": {"src", "examples", "docs", "README.md", "CHANGELOG.md", "LICENSE"},
    "flask-pyjwt-core": {"src", "README.md", "LICENSE"},
    "flask-pyjwt-macros": {"src", "README.md", "LICENSE"},
}
BY_CARGO = {"Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json"}
METADATA = ("description", "documentation", "license", "readme", "repository", "rust-version")
LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)|<(https?://[^>\s]+)>|src=\"([^\"]+)\"")

problems = []


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def prose(markdown):
    """Without code, in which brackets are no links."""
    return re.sub(r"`[^`\n]*`", "`code`", re.sub(r"^```.*?^```", "", markdown, flags=re.M | re.S))


def anchors(markdown):
    """The ids of headings, as GitHub, crates.io and rustdoc make them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", markdown, flags=re.M | re.S), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(name, folder, repository):
    markdown = text_of(os.path.join(folder, "README.md"))
    raw = repository.replace("https://github.com/", "https://raw.githubusercontent.com/")
    for match in LINK.finditer(prose(markdown)):
        link = next(part for part in match.groups() if part)
        address, _, anchor = link.partition("#")
        if not address:
            found = anchor in anchors(markdown)
        elif address.startswith((repository + "/blob/main/", raw + "/main/")):
            path = re.split(r"/main/", address, maxsplit=1)[1]
            found = os.path.isfile(path) and (not anchor or anchor in anchors(text_of(path)))
        elif address.startswith((repository, raw)):
            found = address == repository
        else:
            # A relative link leads nowhere on docs.rs.
            found = address.startswith("https://") or re.match(r"http://(127\.0\.0\.1|localhost)\b", address)
        if not found:
            problems.append(f"{name}: README.md links to {link}, which is not there")


for name, contents in CONTENTS.items():
    folder = os.path.join(sys.argv[1], name)
    there = set(os.listdir(folder)) - BY_CARGO
    if there != contents:
        problems.append(f"{name}: holds {sorted(there)} in place of {sorted(contents)}")
    with open(os.path.join(folder, "Cargo.toml"), "rb") as file:
        package = tomllib.load(file)["package"]
    for key in METADATA:
        if not package.get(key):
            problems.append(f"{name}: Cargo.toml has no `{key}`")
    if not package.get("metadata", {}).get("docs", {}).get("rs", {}).get("all-features"):
        problems.append(f"{name}: docs.rs is not asked for all features")
    if text_of(os.path.join(folder, "LICENSE")) != text_of("LICENSE"):
        problems.append(f"{name}: LICENSE is another than the repository's")
    check_links(name, folder, package["repository"])

print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
sys.exit(1 if problems else 0)
