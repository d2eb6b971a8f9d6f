"""Several reports on one page: a line for each, that opens; those that do not hold are open from the start."""

from __future__ import annotations

from markupsafe import Markup

from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.report import Answers
from netinsight.render import svg
from netinsight.render.html import render_fragment, template
from netinsight.render.line import render_line
from netinsight.render.path_nodes import Captions, no_captions


def render_answers(answers: Answers, catalogue: Catalogue, captions: Captions = no_captions) -> str:
    """Answers as a page of its own."""
    lang = Lang(answers.answers[0].lang)
    told = []
    for one in answers.answers:
        whole = Markup(render_fragment(one, catalogue, captions))  # noqa: S704
        told.append((render_line(one, catalogue), whole, one.verdict.value != "reachable"))
    title = f"{answers.preset}: {catalogue.word(answers.verdict.value, lang)}"
    html_lang = "zh-Hans" if lang is Lang.ZH else "en"
    page = template("answers.html.j2").render(title=title, answers=told, html_lang=html_lang, sans=Markup(svg.SANS))  # noqa: S704
    return str(page)
