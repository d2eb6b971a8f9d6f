"""How Sphinx makes the pages: ``make docs`` writes ``build/docs/index.html``."""

from __future__ import annotations

import re
from pathlib import Path

from docutils.nodes import Element
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

import netinsight

project = "NetInsight"
author = "the NetInsight authors"
project_copyright = "the NetInsight authors, Apache License 2.0"
version = release = netinsight.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_static"]

html_theme = "furo"
html_title = f"NetInsight {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sourcelink = False

myst_heading_anchors = 4  # the anchors that GitHub makes

nb_execution_mode = "off"  # a test runs the notebook and keeps what it prints

autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_typehints = "signature"
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_attr_annotations = False
napoleon_custom_sections = [("Attributes", "params_style")]

# What is not described here: other people's packages, and what is not public.
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|networkx|pydantic|datetime|collections|typing|np|NDArray|enum)(\..*)?"),
    ("py:.*", r"netinsight\.(diagnosis|errors|flow|model|network)\..*|Place|Severity"),
]

CONTENTS = re.compile(r"^## (?P<caption>.+)|^- \[.*?\]\((?P<page>[\w-]+)\.(?:md|ipynb)\)", re.MULTILINE)


def add_contents(app: Sphinx, page: str, text: list[str]) -> None:
    """The side bar is what index.md lists: GitHub reads the list, Sphinx these trees."""
    if page != app.config.root_doc:
        return
    trees: list[str] = []
    for found in CONTENTS.finditer(text[0]):
        if found["caption"]:
            trees.append(f":hidden:\n:caption: {found['caption']}\n")
        else:
            trees[-1] += f"\n{found['page']}"
    text[0] += "".join(f"\n```{{toctree}}\n{tree}\n```\n" for tree in trees)


def leave_as_text(app: Sphinx, document: Element) -> None:
    """A link to a folder of the repository leads somewhere on GitHub; here it is only its text."""
    here = Path(app.srcdir, app.env.docname).parent
    for link in list(document.findall(pending_xref)):
        if link["reftype"] == "myst" and (here / link["reftarget"]).is_dir():
            link.replace_self(link.children)


def setup(app: Sphinx) -> None:
    """Connect both."""
    app.connect("source-read", add_contents)
    app.connect("doctree-read", leave_as_text)
