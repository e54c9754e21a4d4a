"""What is in the unpacked packages, and where READMEs and other documents link to: see package.sh."""

import glob
import os
import re
import sys
import tomllib

# Folders and files of each package, besides those that cargo adds.
CONTENTS = {
    "flask-pyjwt": {"src", "docs", "README.md", "CHANGELOG.md", "LICENSE"},
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


def leads_somewhere(link, markdown, folder, repository):
    """Whether a link in this text leads to a heading, to a file of the repository, or out of it.

    Relative links are looked for in `folder`; without one there are none, since docs.rs has no files for them.
    """
    raw = repository.replace("https://github.com/", "https://raw.githubusercontent.com/")
    address, _, anchor = link.partition("#")
    if not address:
        return anchor in anchors(markdown)
    if address.startswith((repository + "/blob/main/", raw + "/main/")):
        path = address.split("/main/", maxsplit=1)[1]
    elif re.match(r"https://(raw\.githubusercontent|github)\.com/[^/]+/[^/]+/(blob/)?main/(docs/|benches/|[A-Z]+\.md)", address):
        return False  # of another repository than the one that Cargo.toml names
    elif re.match(r"https://|http://(127\.0\.0\.1|localhost)\b", address):
        return True
    elif folder is None:
        return False
    else:
        path = os.path.join(folder, address)
    return os.path.exists(path) and (not anchor or anchor in anchors(text_of(path)))


def check_links(name, path, folder, repository):
    markdown = text_of(path)
    for match in LINK.finditer(prose(markdown)):
        link = next(part for part in match.groups() if part)
        if not leads_somewhere(link, markdown, folder, repository):
            problems.append(f"{name} links to {link}, which is not there")


for name, contents in CONTENTS.items():
    folder = os.path.join(sys.argv[1], name)
    there = set(os.listdir(folder)) - BY_CARGO
    if there != contents:
        problems.append(f"{name}: holds {sorted(there)} in place of {sorted(contents)}")
        continue
    with open(os.path.join(folder, "Cargo.toml"), "rb") as file:
        package = tomllib.load(file)["package"]
    for key in METADATA:
        if not package.get(key):
            problems.append(f"{name}: Cargo.toml has no `{key}`")
    if not package.get("metadata", {}).get("docs", {}).get("rs", {}).get("all-features"):
        problems.append(f"{name}: docs.rs is not asked for all features")
    if text_of(os.path.join(folder, "LICENSE")) != text_of("LICENSE"):
        problems.append(f"{name}: LICENSE is another than the repository's")
    check_links(f"{name}: README.md", os.path.join(folder, "README.md"), None, package["repository"])

for path in glob.glob("*.md") + glob.glob("docs/**/*.md", recursive=True) + glob.glob("examples/**/*.md", recursive=True):
    if path != "README.md":
        check_links(path, path, os.path.dirname(path) or ".", package["repository"])

print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
sys.exit(1 if problems else 0)
