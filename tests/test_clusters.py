"""Which records are one dataset, and under which identity it goes on: the pure half."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from harvester.identity.clusters import JOIN, LONGEST_CHAIN, MOST_BY_WORDS, PIN, SPLIT, Hand, Name, Same, clusters
from harvester.identity.homes import Known, homes

NAMES = {number: Name(f"s{number % 3}", f"g{number}") for number in range(12)}
numbers = st.integers(0, 11)
scores = st.sampled_from((0.7, 0.8, 0.9, 1.0))
pairs = st.tuples(numbers, numbers).filter(lambda pair: pair[0] < pair[1])
webs = st.dictionaries(pairs, scores, max_size=25)
groups = st.sets(numbers, min_size=2, max_size=4)


def named(found: set[int]) -> frozenset[Name]:
    return frozenset(NAMES[number] for number in found)


@st.composite
def decisions(draw: st.DrawFn) -> list[Hand]:
    made = []
    for number in range(draw(st.integers(0, 4))):
        kind, found = draw(st.sampled_from((JOIN, SPLIT, PIN))), sorted(draw(groups))
        first, second = (found[:1], found[1:]) if kind == SPLIT else (found, [])
        made.append(Hand(number, kind, named(set(first)), named(set(second))))
    return made


def links(web: dict[tuple[int, int], float]) -> list[Same]:
    return [Same(a, b, score) for (a, b), score in web.items()]


def apart(parts: list[tuple[int, ...]], a: int, b: int) -> bool:
    return not any(a in part and b in part for part in parts)


@given(webs, decisions(), st.sets(pairs, max_size=6), st.randoms(use_true_random=False))
def test_nothing_depends_on_the_order_or_on_numbers(
    web: dict[tuple[int, int], float], said: list[Hand], vetoes: set[tuple[int, int]], random: object
) -> None:
    def told(a: int, b: int) -> bool:
        return (min(a, b), max(a, b)) in vetoes

    expected = clusters(NAMES, links(web), said, told)
    order = list(NAMES)
    random.shuffle(order)  # type: ignore[attr-defined]
    renumbered = {100 + place: NAMES[number] for place, number in enumerate(order)}
    back = {100 + place: number for place, number in enumerate(order)}
    there = {number: new for new, number in back.items()}
    turned = [Same(there[b], there[a], score) for a, b, score in reversed(links(web))]
    found = clusters(renumbered, turned, said[::-1], lambda a, b: told(back[a], back[b]))
    assert [tuple(back[one] for one in part) for part in found] == expected


@given(webs, decisions())
def test_every_record_is_in_one_cluster_that_something_holds_together(
    web: dict[tuple[int, int], float], said: list[Hand]
) -> None:
    parts = clusters(NAMES, links(web), said)
    assert sorted(one for part in parts for one in part) == sorted(NAMES)
    held = {frozenset(pair) for pair in web}
    held |= {frozenset(p) for h in said if h.kind != SPLIT for p in combinations(ids(h.first), 2)}
    for part in parts:
        reached = {part[0]}
        while more := {b for pair in held for b in pair if pair & reached and b in part} - reached:
            reached |= more
        assert reached == set(part)


def ids(found: frozenset[Name]) -> list[int]:
    return sorted(number for number, name in NAMES.items() if name in found)


@given(webs, groups)
def test_the_last_word_is_a_persons(web: dict[tuple[int, int], float], found: set[int]) -> None:
    first, *rest = sorted(found)
    split = Hand(2, SPLIT, named({first}), named(set(rest)))
    joined = Hand(1, JOIN, named(found))
    assert all(apart(clusters(NAMES, links(web), [joined, split]), first, one) for one in rest)
    again = clusters(NAMES, links(web), [joined, split, Hand(3, JOIN, named(found))])
    assert not any(apart(again, first, one) for one in rest)
    assert tuple(sorted(found)) in [
        tuple(sorted(part)) for part in clusters(NAMES, links(web), [joined, Hand(9, PIN, named(found))])
    ]


@given(webs)
def test_a_source_lists_a_dataset_once_unless_rules_say_otherwise(web: dict[tuple[int, int], float]) -> None:
    for part in clusters(NAMES, links(web)):
        for a, b in combinations(sorted(part), 2):
            assert NAMES[a].source != NAMES[b].source or (a, b) in web


def test_a_veto_keeps_a_third_record_out() -> None:
    web = [Same(0, 1, 0.9), Same(1, 2, 0.8)]
    assert clusters({n: NAMES[n] for n in range(3)}, web) == [(0, 1, 2)]
    assert clusters({n: NAMES[n] for n in range(3)}, web, (), lambda a, b: {a, b} == {0, 2}) == [(0, 1), (2,)]


def test_an_identifier_is_not_vetoed_by_words() -> None:
    web = [Same(0, 1, 1.0), Same(1, 2, 1.0)]
    assert clusters({n: NAMES[n] for n in range(3)}, web, (), lambda a, b: True) == [(0, 1, 2)]


def test_who_has_two_equally_good_partners_in_one_source_has_none() -> None:
    three = {0: NAMES[0], 3: NAMES[3], 1: NAMES[1]}
    assert clusters(three, [Same(0, 1, 0.9), Same(1, 3, 0.9)]) == [(0,), (3,), (1,)]
    assert clusters(three, [Same(0, 1, 0.9), Same(1, 3, 0.8)]) == [(0, 1), (3,)]
    assert clusters(three, [Same(0, 1, 0.9), Same(1, 3, 0.9), Same(0, 3, 0.9)]) == [(0, 3, 1)]


def test_words_alone_join_no_crowds() -> None:
    many = {number: Name(f"s{number}", "g") for number in range(MOST_BY_WORDS + 20)}
    chain = [Same(number, number + 1, 0.9) for number in range(len(many) - 1)]
    assert max(map(len, clusters(many, chain))) <= MOST_BY_WORDS
    sure = [Same(number, number + 1, 1.0) for number in range(len(many) - 1)]
    assert len(clusters(many, sure)) == 1


def test_an_endless_chain_is_no_evidence() -> None:
    many = {number: Name(f"s{number}", "g") for number in range(LONGEST_CHAIN + 1)}
    chain = [Same(number, number + 1, 0.9) for number in range(LONGEST_CHAIN)]
    assert len(clusters(many, chain)) == len(many)


def test_a_pinned_dataset_neither_grows_nor_shrinks() -> None:
    web = [Same(0, 1, 1.0), Same(1, 2, 1.0)]
    three = {n: NAMES[n] for n in range(3)}
    assert clusters(three, web, [Hand(1, PIN, named({0, 1}))]) == [(0, 1), (2,)]
    assert clusters(three, [Same(1, 2, 1.0)], [Hand(1, PIN, named({0, 1}))]) == [(0, 1), (2,)]


def test_growing_keeps_the_oldest_identity() -> None:
    known = [Known(10, True, 1), Known(20, True, 2), Known(30, True, 3)]
    assert homes([(3, 1, 2)], {1: 10, 2: 20, 3: 30}, known) == ([10], {20: 10, 30: 10})
    assert homes([(1, 2), (4,)], {1: 10, 2: 10, 4: None}, known[:1]) == ([10, None], {})


def test_what_is_split_off_gets_its_own_back() -> None:
    known = [Known(10, True, 1), Known(20, False, 2), Known(30, False, 3)]
    assert homes([(1,), (2, 3)], {1: 10, 2: 10, 3: 10}, known) == ([10, 20], {30: 20})
    assert homes([(1,), (2,), (3,)], {1: 10, 2: 10, 3: 10}, known) == ([10, 20, 30], {})


def test_a_dataset_goes_with_its_founder() -> None:
    known = [Known(10, True, 5), Known(20, False, 1)]
    assert homes([(1, 2), (5,)], {1: 10, 2: 10, 5: 10}, known) == ([20, 10], {})
    assert homes([(1, 2), (5,)], {1: 10, 2: 10, 5: 10}, [Known(10, True, None)]) == ([10, None], {})


@given(
    st.lists(st.lists(numbers, min_size=1, max_size=4), max_size=6),
    st.dictionaries(numbers, st.one_of(st.none(), st.integers(50, 55))),
    st.data(),
)
def test_no_identity_is_given_twice(found: list[list[int]], places: dict[int, int | None], data: st.DataObject) -> None:
    met: set[int] = set()
    parts = []
    for part in found:
        parts.append(tuple(dict.fromkeys(one for one in part if one not in met)))
        met |= set(part)
    parts = [part for part in parts if part]
    datasets = {home for one, home in places.items() if home is not None and one in met}
    ended = data.draw(st.sets(st.integers(60, 65)))
    known = [Known(d, True, data.draw(st.one_of(st.none(), numbers))) for d in sorted(datasets)]
    known += [Known(d, False, data.draw(st.one_of(st.none(), numbers))) for d in sorted(ended)]
    kept, into = homes(parts, places, known)
    given_out = [dataset for dataset in kept if dataset is not None]
    assert len(given_out) == len(set(given_out))
    assert not set(given_out) & into.keys()
    assert datasets <= set(given_out) | into.keys()
    assert set(into.values()) <= set(given_out)
