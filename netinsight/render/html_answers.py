"""Several reports on one page: a line for each, that opens; those that do not hold are open from the start."""

from __future__ import annotations

from markupsafe import Markup

from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.report import Answers
from netinsight.render import svg
from netinsight.render.html import render_fragment, template
from netinsight.render.line import render_line


def render_answers(answers: Answers, catalogue: Catalogue) -> str:
    """Answers as a page of its own."""
    lang = Lang(answers.answers[0].lang)
    told = [
        (render_line(one, catalogue), Markup(render_fragment(one, catalogue)), one.verdict.value != "reachable")  # noqa: S704
        for one in answers.answers
    ]
    title = f"{answers.preset}: {catalogue.word(answers.verdict.value, lang)}"
    html_lang = "zh-Hans" if lang is Lang.ZH else "en"
    page = template("answers.html.j2").render(title=title, answers=told, html_lang=html_lang, sans=Markup(svg.SANS))  # noqa: S704
    return str(page)
