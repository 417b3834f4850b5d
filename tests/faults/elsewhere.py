"""What cannot be shown by a portal alone, and the test or measurement that shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What fails elsewhere, what is true here, and where that is shown: a test by its node, or a program of `bench`."""

    tickets: tuple[int, ...]
    fails: str
    here: str
    shown: str


ELSEWHERE: tuple[Elsewhere, ...] = (
    Elsewhere(
        (1,),
        "the worker is killed in mid-run",
        "the run goes on where it stopped, and the catalogue is the same as without the kill",
        "tests/test_killed.py::test_a_worker_killed_at_random_points_changes_nothing",
    ),
    Elsewhere(
        (1,),
        "a run loses its worker again and again",
        "it is given up and the source can be run again",
        "tests/test_claims.py::test_a_run_that_gets_nowhere_is_given_up",
    ),
    Elsewhere(
        (11,),
        "two portals list the same dataset",
        "it is there once, with the provenance of both",
        "tests/test_run.py::test_one_dataset_on_two_portals_stands_once",
    ),
    Elsewhere(
        (12,),
        "one of two portals that share a dataset drops it",
        "it lives on with the record of the other",
        "tests/test_run.py::test_a_joined_dataset_lives_on_with_its_other_record",
    ),
    Elsewhere(
        (13,),
        "two runs of one source start at once",
        "the database refuses the second",
        "tests/test_claims.py::test_the_database_itself_refuses_a_second_live_run",
    ),
    Elsewhere(
        (14,),
        "a source is due again and again while it waits",
        "it waits once",
        "tests/test_schedule.py::test_missed_times_count_once_and_a_source_never_runs_twice_at_once",
    ),
    Elsewhere(
        (15, 18),
        "memory grows with the catalogue and with time",
        "it is flat",
        "bench/soak.py",
    ),
    Elsewhere(
        (15,),
        "a large portal is held in memory",
        "memory is measured for catalogues of any size",
        "bench/harvest.py",
    ),
    Elsewhere(
        (17,),
        "a data.json is read whole",
        "it is read as a stream",
        "tests/test_dcat_us.py::test_memory_stays_flat",
    ),
    Elsewhere(
        (21,),
        "a link to the next page leads to another host",
        "it is followed and told",
        "tests/test_dcat.py::test_paging_that_leads_to_another_host_is_told",
    ),
    Elsewhere(
        (26,),
        "the source is given as the address of a page of the portal",
        "its API is found",
        "tests/test_ckan.py::test_the_api_is_found_from_any_address",
    ),
    Elsewhere(
        (28,),
        "licences are named in many ways",
        "they are recognised, measured on labelled texts",
        "tests/test_vocabularies.py::test_precision_and_recall_on_the_labelled_strings",
    ),
    Elsewhere(
        (36,),
        "the portal wants another User-Agent",
        "each source may have its own",
        "tests/test_polite.py::test_a_source_has_its_own_pace_and_user_agent",
    ),
    Elsewhere(
        (37,),
        "a connection is never made",
        "it is cut after `connect_timeout`",
        "tests/test_polite.py::test_slow_handshakes_and_names_are_cut",
    ),
    Elsewhere(
        (37,),
        "the certificate of the portal has expired",
        "nothing is asked, and the error says so",
        "tests/test_polite.py::test_what_is_wrong_with_a_certificate_is_told",
    ),
    Elsewhere(
        (38,),
        "a failed run is reported as a success",
        "it says failed in API, pages, command line, logs, metrics and notices",
        "tests/test_watching.py::test_a_failed_run_says_failed_everywhere",
    ),
    Elsewhere(
        (39,),
        "lists are slow when the history is long",
        "no list reads a whole table or sorts one",
        "tests/test_history_plans.py::test_no_list_reads_a_whole_table_nor_sorts_one",
    ),
    Elsewhere(
        (39,),
        "history grows without end",
        "it is kept for as long as is set",
        "tests/test_retention.py::test_runs_and_problems_go_but_the_last_run_and_held_ones_stay",
    ),
    Elsewhere(
        (40,),
        "exports of a run are built in memory",
        "they are streamed",
        "tests/test_api_history.py::test_a_diff_is_streamed_in_the_form_asked_for",
    ),
    Elsewhere(
        (44,),
        "a report cannot be understood by those who could mend it",
        "every code says what it means and what to do",
        "tests/test_codes.py::test_every_code_that_is_emitted_is_explained",
    ),
    Elsewhere(
        (45,),
        "a portal harvests us, and we harvest it",
        "our own datasets are not there twice",
        "tests/test_faults.py::test_our_own_datasets_do_not_come_back_as_others",
    ),
)
