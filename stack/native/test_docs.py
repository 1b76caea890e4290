"""Checks the documents: links and anchors resolve, the index is complete, and quoted logs and errors exist in the code."""

import functools
import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FILTER = re.compile(r"\|[=~] \\?\"([^\"\\]+)\\?\"")


def documents():
    listed = subprocess.run(["git", "ls-files", "*.md", ":!service/src/test"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / it for it in listed.stdout.splitlines()]


def prose(text):
    """Without blocks of code, which may contain brackets and number signs."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(document):
    """The anchors that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", prose(document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", it.strip().lower()).replace(" ", "-") for it in headings}


def links(document):
    for link in LINK.findall(prose(document.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:", link):
            path, _, anchor = link.partition("#")
            yield link, (document.parent / path).resolve() if path else document, anchor


@functools.cache
def texts():
    """The source of the service, in which a text that is split over lines is joined."""
    source = "".join(it.read_text(encoding="utf-8") for it in (ROOT / "service/src/main/java").rglob("*.java"))
    return re.sub(r'"\s*\+\s*"', "", source)


class Documents(unittest.TestCase):
    def test_links_resolve(self):
        for document in documents():
            for link, target, anchor in links(document):
                where = f"{document.relative_to(ROOT)}: {link}"
                self.assertTrue(target.exists(), f"{where}: no such file")
                if anchor:
                    self.assertIn(anchor, anchors(target), f"{where}: no such heading")

    def test_the_index_lists_every_document(self):
        index = ROOT / "docs/README.md"
        listed = {target for _, target, _ in links(index)} | {index}
        runbooks = ROOT / "docs/runbooks"
        missing = [it for it in documents() if it not in listed and it.parent != runbooks]
        self.assertEqual([], [str(it.relative_to(ROOT)) for it in missing])

    def test_log_texts_exist_in_the_code(self):
        source = texts()
        for document in documents():
            for text in FILTER.findall(document.read_text(encoding="utf-8")):
                found = re.search(text, source)
                self.assertTrue(found, f"{document.relative_to(ROOT)}: no log line contains {text!r}")

    def test_error_texts_of_model_servers_exist_in_the_code(self):
        page = (ROOT / "docs/runbooks/ModelErrors.md").read_text(encoding="utf-8")
        found = re.findall(r"\*\*(.+?)\*\*", page[page.index("## What to do") :], re.DOTALL)
        self.assertGreater(len(found), 8)
        for text in found:
            begin = re.split(r"\d*…", " ".join(text.split()))[0]
            self.assertTrue(begin in texts(), f"docs/runbooks/ModelErrors.md names {begin!r}, which no code reports")


if __name__ == "__main__":
    unittest.main()
