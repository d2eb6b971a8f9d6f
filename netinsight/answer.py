"""Answers as people and notebooks see them: a report that knows how to show itself."""

from __future__ import annotations

from pydantic import ConfigDict, PrivateAttr

from netinsight.diagnosis.catalogue import Catalogue, Lang
from netinsight.diagnosis.report import Answers, Report
from netinsight.network.build import Network
from netinsight.network.captions import Caption, caption_of
from netinsight.render.line import render_line
from netinsight.render.text import render_text


class Answer(Report):
    """One diagnosis; everything of ``Report``, and the forms in which it is shown.

    In a notebook it shows itself as HTML, elsewhere ``print(answer)`` gives the text.
    """

    model_config = ConfigDict(defer_build=True)  # nothing of it is validated: it is made of a report

    _catalogue: Catalogue = PrivateAttr()
    _network: Network = PrivateAttr()

    @classmethod
    def of(cls, report: Report, catalogue: Catalogue, network: Network) -> Answer:
        """A report, with the catalogue whose words it is told in, and the network that its pictures are of."""
        answer = cls.model_construct(report.model_fields_set, **dict(report))
        answer._catalogue, answer._network = catalogue, network
        return answer

    def text(self, *, colour: bool = False, every_item: bool = False) -> str:
        """As the command line prints it: at most 100 columns, with ``every_item`` the normal and skipped items too."""
        return render_text(self, self._catalogue, colour=colour, every_item=every_item)

    def line(self, *, colour: bool = False) -> str:
        """In one line: verdict, question, what stops it first."""
        return render_line(self, self._catalogue, colour=colour)

    def html(self) -> str:
        """As one self-contained page."""
        from netinsight.render.html import render_html

        return render_html(self, self._catalogue, self._caption)

    def _caption(self, kind: str, name: str) -> Caption:
        """What a picture says of an object beside its id."""
        return caption_of(self._network, kind, name)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        asked = self.question
        ends = f"{asked.source.id} -> {asked.destination.id}"
        return f"<Answer {self.verdict.value}: {ends} {asked.protocol} {asked.port}>"

    def _repr_html_(self) -> str:
        from netinsight.render.html import render_fragment

        return render_fragment(self, self._catalogue, self._caption)


class AnswerSet(Answers):
    """Several questions that are one, as ``Answers``; it shows itself like an ``Answer``."""

    model_config = ConfigDict(defer_build=True)

    answers: list[Answer]  # type: ignore[assignment]

    def text(self, *, colour: bool = False, every_item: bool = False) -> str:
        """A line for each question, then the report of each that does not hold."""
        lines = [answer.line(colour=colour) for answer in self.answers]
        wanted = [answer for answer in self.answers if every_item or answer.verdict.value != "reachable"]
        reports = [answer.text(colour=colour, every_item=every_item) for answer in wanted]
        title = f"{self.preset}: {self._word(self.verdict.value)}"
        return "\n\n".join(["\n".join([title, *lines]), *reports]).rstrip("\n") + "\n"

    def _word(self, name: str) -> str:
        first = self.answers[0]
        return first._catalogue.word(name, Lang(first.lang))

    def html(self) -> str:
        """As one self-contained page."""
        from netinsight.render.html_answers import render_answers

        first = self.answers[0]
        return render_answers(self, first._catalogue, first._caption)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<AnswerSet {self.preset} {self.verdict.value}: {self.answers}>"

    def _repr_html_(self) -> str:
        return "".join(answer._repr_html_() for answer in self.answers)
