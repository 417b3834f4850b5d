"""The rules by which two records are judged, in their order; the first that speaks decides."""

from __future__ import annotations

from collections.abc import Callable

from harvester.identity.case import Case, told_titles
from harvester.identity.comparing import Bond, Prose
from harvester.identity.judgement import Decision, Judgement
from harvester.identity.titles import Likeness

Rule = Callable[[Case], Judgement | None]

SAME, PROBABLE, RELATED, DIFFERENT = Decision.SAME, Decision.PROBABLE, Decision.RELATED, Decision.DIFFERENT
# So many telling words in both titles, and nobody else thought of them.
_UNMISTAKABLE = 5
_SHORT_COPY, _LONG_COPY = 15, 40
_TOO_MANY = 3
# Words of a description that says nothing.
_FEW = 6
# Of their telling words; two texts of one language have more than that by chance.
_STRANGE = 0.25


def _doubts(case: Case) -> int:
    """How much speaks against one dataset."""
    weak = (
        case.titles.likeness in (Likeness.APART, Likeness.SIBLINGS),
        case.texts.likeness in (Prose.UNLIKE, Prose.TEMPLATE) or (case.texts.telling and case.texts.shared < _STRANGE),
        case.owners in (Bond.APART, Bond.CONFLICT),
        case.owners is Bond.CONFLICT,
    )
    return 2 * len(case.vetoes) + sum(weak)


def _identifier(case: Case) -> Judgement | None:
    """One identifier in the whole world, unless everything else contradicts: some portals give one to a series."""
    if "id" not in case.kinds:
        return None
    if _doubts(case) < _TOO_MANY:
        return case.ruled(SAME, "identifier", 0.99, "both have one identifier")
    return case.ruled(PROBABLE, "identifier doubted", 0.6, "both have one identifier, and little else")


def _file(case: Case) -> Judgement | None:
    """The same files: the same data, if the titles or the descriptions say so too."""
    if "url" not in case.kinds:
        return None
    told = f"both lead to {round(case.files * 100)} % of the files of one"
    titles, texts = case.titles, case.texts
    backed = titles.agree or texts.agree or (titles.likeness is Likeness.WIDER and texts.likeness >= Prose.LOOSE)
    siblings = titles.likeness is Likeness.SIBLINGS and texts.likeness < Prose.PART
    if backed and not (siblings or case.vetoes or case.owners is Bond.CONFLICT) and case.files >= 0.5:
        return case.ruled(SAME, "file", 0.97, told)
    if case.vetoes or titles.likeness is Likeness.EDITION or case.files < 0.5:
        return case.ruled(RELATED, "file of another", 0.4, told)
    if titles.likeness > Likeness.APART or texts.likeness > Prose.UNLIKE:
        return case.ruled(PROBABLE, "file alone", 0.6, told)
    return None


def _page(case: Case) -> Judgement | None:
    """One page on the web; many datasets may have it, so that the text has to agree as well."""
    if "page" not in case.kinds or case.vetoes or case.owners is Bond.CONFLICT:
        return None
    if case.titles.agree or (case.texts.agree and case.titles.likeness is not Likeness.SIBLINGS):
        return case.ruled(SAME, "page", 0.95, "both have one page")
    return None


def _vetoed(case: Case) -> Judgement | None:
    """Places, times, numbers that no dataset has twice; what differs in time alone is another edition."""
    if not case.vetoes:
        return None
    titles, texts = case.titles, case.texts
    alike = titles.likeness >= Likeness.SIBLINGS or (texts.telling and texts.likeness >= Prose.TEMPLATE)
    if alike and (case.owned or (case.owners is Bond.UNKNOWN and case.places is Bond.SAME)):
        if all(veto.timed for veto in case.vetoes) or (titles.dated and titles.likeness is Likeness.EDITION):
            return case.ruled(RELATED, "edition", 0.3)
        if titles.likeness >= Likeness.SIBLINGS and texts.likeness >= Prose.TEMPLATE:
            return case.ruled(RELATED, "series", 0.3)
    return case.ruled(DIFFERENT, "veto", 0.05)


def _foreign(case: Case) -> Judgement | None:
    """Two councils with one title."""
    if case.owners is not Bond.CONFLICT:
        return None
    if case.titles.agree and case.titles.specific and case.texts.likeness >= Prose.PART and case.owner_named:
        return case.ruled(PROBABLE, "named owner", 0.5)
    return case.ruled(DIFFERENT, "owners", 0.05)


def _kind(case: Case) -> Judgement | None:
    """A series, and a dataset that may be of it."""
    if case.a.kind == case.b.kind:
        return None
    if case.titles.likeness >= Likeness.WIDER and case.owners is not Bond.CONFLICT:
        return case.ruled(RELATED, "series and dataset", 0.3, "one is a series, the other a dataset")
    return case.ruled(DIFFERENT, "series and dataset", 0.05, "one is a series, the other a dataset")


def _title(case: Case) -> Judgement | None:
    """Titles that agree; how much more is needed depends on how telling they are, and whose."""
    if not case.titles.agree:
        return None
    if _enough(case):
        return case.ruled(SAME, "title", 0.9)
    if case.titles.specific or case.owned or case.texts.agree:
        return case.ruled(PROBABLE, "title alone", 0.6)
    return case.ruled(DIFFERENT, "common title", 0.2)


def _enough(case: Case) -> bool:
    titles, texts, owners = case.titles, case.texts, case.owners
    unmistakable = titles.shared >= _UNMISTAKABLE and titles.likeness is Likeness.EQUAL
    if case.owned:
        if titles.likeness is Likeness.NEAR:
            return texts.likeness > Prose.UNLIKE
        silent = texts.likeness is Prose.SILENT and titles.likeness in (Likeness.EQUAL, Likeness.EXPLAINED)
        return titles.shared > 1 or texts.likeness >= Prose.LOOSE or silent
    if owners is Bond.UNKNOWN:
        return (texts.agree and (titles.specific or texts.telling)) or (unmistakable and texts.likeness != Prose.UNLIKE)
    return texts.agree and texts.telling and (titles.specific or case.owner_named)


def _edition(case: Case) -> Judgement | None:
    """Another year, or the archive, of a dataset."""
    if case.titles.likeness is not Likeness.EDITION:
        return None
    twin = case.texts.likeness >= Prose.NEAR and case.texts.telling and case.owners is Bond.SAME
    if twin and "twin" in case.kinds:
        return case.ruled(PROBABLE, "edition or copy", 0.5)
    if case.owners is Bond.APART:
        return case.ruled(DIFFERENT, "edition of another", 0.1)
    return case.ruled(RELATED, "edition", 0.3)


def _retitled(case: Case) -> Judgement | None:
    """One description that these two alone have, under two titles."""
    texts, titles = case.texts, case.titles
    copy = texts.likeness is Prose.EQUAL and texts.length >= _SHORT_COPY
    if not (copy or (texts.agree and texts.telling)) or (case.owners is Bond.APART and not case.owner_named):
        return None
    sibling = titles.likeness in (Likeness.SIBLINGS, Likeness.WIDER) or titles.shared > 1
    if "twin" not in case.kinds:
        if case.copied or sibling or not case.owned:
            return None
        return case.ruled(PROBABLE, "alike under two titles", 0.5)
    if sibling or (texts.likeness is Prose.PART and texts.length < _LONG_COPY):
        return case.ruled(PROBABLE, "retitled or sibling", 0.5)
    if case.owned or case.moment or case.places is Bond.SAME:
        return case.ruled(SAME, "retitled", 0.85)
    return case.ruled(PROBABLE, "description alone", 0.6)


def _part(case: Case) -> Judgement | None:
    """A dataset and one of its parts."""
    if case.owners is Bond.SAME and case.titles.likeness is Likeness.WIDER and case.texts.likeness >= Prose.LOOSE:
        return case.ruled(RELATED, "part", 0.25)
    return None


def _unalike(case: Case) -> Judgement | None:
    return Judgement(DIFFERENT, "unalike", 0.0, (told_titles(case.titles),))


def _listed_twice(case: Case) -> Judgement | None:
    """A source that lists one dataset twice: everything has to agree, and a hard key or the files with it."""
    agree = case.titles.agree and (case.texts.agree or case.texts.length < _FEW)
    if not agree or case.vetoes or case.owners in (Bond.APART, Bond.CONFLICT):
        return None
    if "id" in case.kinds or ("url" in case.kinds and case.files == 1.0):
        return case.ruled(SAME, "listed twice", 0.9)
    if case.titles.likeness is Likeness.EQUAL and case.texts.likeness >= Prose.NEAR:
        return case.ruled(PROBABLE, "listed twice by its text", 0.5)
    return None


def _beside(case: Case) -> Judgement | None:
    """Datasets of one source that have a key, a title or a text in common."""
    if case.titles.likeness is Likeness.EDITION or (case.titles.agree and case.owners is not Bond.CONFLICT):
        return case.ruled(RELATED, "namesakes", 0.3)
    if not case.kinds.isdisjoint(("id", "url")) and case.titles.likeness > Likeness.APART:
        return case.ruled(RELATED, "series", 0.3)
    return None


CROSSING: tuple[Rule, ...] = (
    _identifier,
    _kind,
    _file,
    _page,
    _vetoed,
    _foreign,
    _title,
    _edition,
    _retitled,
    _part,
    _unalike,
)
WITHIN: tuple[Rule, ...] = (_kind, _listed_twice, _beside, _part, _unalike)
