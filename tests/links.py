"""Checks that every link in the documents has a target: python3 tests/links.py

Checks the Markdown files, and target/site if docs/site.sh has built it. In the guide, each link from page to page has a
second definition in docs/guide/links.md, for rustdoc, which must have the same target.
"""

import glob
import html.parser
import os
import re
import sys
import tomllib
import urllib.parse

LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)|<(https?://[^>\s]+)>|src=\"([^\"]+)\"")
# `[text][label]`, and `[label]: target` at the end of a page.
REFERENCE = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])+\]\[([^\]]+)\]")
DEFINITION = re.compile(r"^\[([^\]]+)\]: (\S+)$", flags=re.M)
GUIDE = "docs/guide"
MODULES = "crate::guide::"


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def without_blocks(markdown):
    return re.sub(r"^( *)```.*?^\1```", "", markdown, flags=re.M | re.S)


def prose(markdown):
    """The text without code, where brackets are not links."""
    return re.sub(r"(`+)[^\n]*?\1", "`code`", without_blocks(markdown))


def anchors(markdown):
    """The ids of headings, as GitHub, crates.io, rustdoc and mdBook make them."""
    headings = re.findall(r"^#+ (.*)$", without_blocks(markdown), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def has_target(link, markdown, folder, repository):
    """Whether a link in this text points to an existing heading or file of the repository, or to another site.

    Relative links are relative to `folder`. Without a folder they are wrong, since docs.rs has no files for them.
    """
    raw = repository.replace("https://github.com/", "https://raw.githubusercontent.com/")
    address, _, anchor = link.partition("#")
    if not address:
        return anchor in anchors(markdown)
    if address.startswith((repository + "/blob/main/", repository + "/tree/main/", raw + "/main/")):
        path = address.split("/main/", maxsplit=1)[1]
    elif re.match(r"https://(raw\.githubusercontent|github)\.com/[^/]+/[^/]+/(blob/|tree/)?main/(docs/|benches/|[A-Z]+\.md)", address):
        return False  # another repository than the one in Cargo.toml
    elif re.match(r"https://|http://(127\.0\.0\.1|localhost)\b", address):
        return True
    elif folder is None:
        return False
    else:
        path = os.path.join(folder, address)
    return os.path.exists(path) and (not anchor or os.path.isdir(path) or anchor in anchors(text_of(path)))


def check(name, path, folder, repository):
    """Yields the problems with the links of a document."""
    markdown = text_of(path)
    text = prose(markdown)
    links = {next(part for part in match.groups() if part) for match in LINK.finditer(text)}
    defined = dict(DEFINITION.findall(text))
    links.update(target for target in defined.values() if not target.startswith("crate::"))
    for link in sorted(links):
        if not has_target(link, markdown, folder, repository):
            yield f"{name} links to {link}, which does not exist"
    for label in sorted(set(REFERENCE.findall(text)) - set(defined)):
        yield f"{name} has a link [{label}], and no line `[{label}]: …` at its end"


def check_guide():
    """The links from page to page, which rustdoc takes from links.md."""
    modules = dict(DEFINITION.findall(text_of(f"{GUIDE}/links.md")))
    summary = re.findall(r"\]\(([^)]+)\.md\)", text_of(f"{GUIDE}/SUMMARY.md"))
    pages = {os.path.relpath(path, GUIDE).removesuffix(".md") for path in glob.glob(f"{GUIDE}/**/*.md", recursive=True)}
    for page in sorted(pages - set(summary) - {"SUMMARY", "links"}):
        yield f"{GUIDE}/{page}.md is not in SUMMARY.md"
    for page in summary:
        if page == "introduction":
            continue  # the book's first page alone; rustdoc has src/guide.rs
        for label, target in DEFINITION.findall(text_of(f"{GUIDE}/{page}.md")):
            path, _, anchor = target.partition("#")
            if not path.endswith(".md"):
                continue
            path = os.path.normpath(os.path.join(os.path.dirname(page), path)).removesuffix(".md")
            module = MODULES + path.replace("/", "::") + (f"#{anchor}" if anchor else "")
            if path in summary and modules.get(label) != module:
                yield f"{GUIDE}/links.md lacks `[{label}]: {module}`, for {page}.md"
    for label, target in modules.items():
        path, _, anchor = target.removeprefix(MODULES).partition("#")
        path = f"{GUIDE}/{path.replace('::', '/')}.md"
        if target.startswith(MODULES) and not (os.path.exists(path) and (not anchor or anchor in anchors(text_of(path)))):
            yield f"{GUIDE}/links.md: [{label}] leads to {target}, which does not exist"


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.links, self.ids = set(), set()
        self.feed(text_of(path))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        link = attributes.get("href" if tag in ("a", "link") else "src")
        if link and not re.match(r"[a-z]+:", link):
            self.links.add(urllib.parse.unquote(link))


def check_site(site):
    """The links between the pages of the book."""
    pages = {os.path.abspath(path): Page(path) for path in glob.glob(f"{site}/**/*.html", recursive=True)}
    for path, page in sorted(pages.items()):
        # 404.html is served for every missing address; print.html and toc.html repeat the pages.
        if os.path.basename(path) in ("404.html", "print.html", "toc.html"):
            continue
        for link in sorted(page.links):
            address, _, anchor = link.partition("#")
            target = os.path.normpath(os.path.join(os.path.dirname(path), address)) if address else path
            if not os.path.exists(target) or (anchor and target in pages and anchor not in pages[target].ids):
                yield f"{os.path.relpath(path)} links to {link}, which does not exist"


def main():
    with open("Cargo.toml", "rb") as file:
        repository = tomllib.load(file)["workspace"]["package"]["repository"]
    documents = [
        path
        for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md")
        for path in glob.glob(pattern, recursive=True)
        if path != f"{GUIDE}/links.md"  # it has paths of rustdoc
    ]
    problems = [problem for path in documents for problem in check(path, path, os.path.dirname(path) or ".", repository)]
    problems += check_guide()
    problems += check_site(os.path.join("target", "site"))
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
