"""`harvester source`: recognise, add, list, show, edit, pause, resume, remove."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Row

from harvester import registry, sources
from harvester.catalogue import queries
from harvester.catalogue.database import writing
from harvester.cli.shared import err, opened, out, table_of
from harvester.connector import Recognised, without_credentials
from harvester.errors import SourceError, UsageError
from harvester.following import bring_up_to_date
from harvester.http import Http
from harvester.jsonio import loads
from harvester.net.urls import told
from harvester.notices import notify as notices
from harvester.schedule import utcnow
from harvester.settings import Settings
from harvester.timing import PRESETS

app = typer.Typer(no_args_is_help=True, help="The portals and feeds that are harvested.")

Url = Annotated[str, typer.Argument(help="Address of the portal, its API, or a feed.")]
Name = Annotated[str, typer.Argument(help="Name of the source.")]
Option = Annotated[list[str], typer.Option("--option", "-o", metavar="KEY=VALUE", help="Option of the connector.")]
_FORMS = f"{', '.join(PRESETS)}, `every 6h`, or five cron fields; '' for never"
Schedule = Annotated[str | None, typer.Option(help=f"When to harvest: {_FORMS}.")]
FullSchedule = Annotated[
    str | None,
    typer.Option(help=f"When to walk everything, where `--schedule` asks for changes alone: {_FORMS}."),
]
Zone = Annotated[str | None, typer.Option(help="Time zone of both schedules, e.g. Europe/Paris; UTC when none.")]
Jitter = Annotated[int | None, typer.Option(help="Start up to so many seconds later, each time at another moment.")]
Asked = Annotated[
    str | None,
    typer.Option(
        "--access",
        metavar="JSON",
        help="How to ask it (headers, secrets, proxy, ca_bundle, user_agent, interval, connections), "
        "as JSON or @FILE; '' for nothing special.",
    ),
]
Told = Annotated[
    str | None,
    typer.Option("--notify", metavar="JSON", help="Whom to tell of its runs: a list of rules, as JSON or @FILE."),
]
_WIDE_PAGE = 1000


@app.command()
def recognise(url: Url) -> None:
    """Say which connector a URL needs, what stands there, and one sample."""
    found = _recognised(Settings(), url)
    out.print(
        table_of(["", ""], [["connector", found.connector], ["url", without_credentials(found.url)], *_facts(found)])
    )


@app.command()
def add(
    url: Url,
    name: Annotated[str | None, typer.Option(help="Short name; made of the portal's title when left out.")] = None,
    connector: Annotated[str | None, typer.Option(help="Connector; found out when left out.")] = None,
    option: Option = [],  # noqa: B006
    schedule: Schedule = None,
    full_schedule: FullSchedule = None,
    timezone: Zone = None,
    jitter: Jitter = None,
    access: Asked = None,
    notify: Told = None,
) -> None:
    """Add a source; the connector is found out from the URL unless it is given."""
    with opened() as (settings, engine):
        found = None if connector else _recognised(settings, url)
        with writing(engine) as connection:
            added = sources.add(
                connection,
                url=found.url if found else url,
                connector=found.connector if found else str(connector),
                name=name,
                title=found.title if found else None,
                options=sources.parse_options(option),
                schedule=schedule,
                full_schedule=full_schedule,
                timezone=timezone or "UTC",
                jitter=jitter or 0,
                access=_parsed(access, {}),
                notify=_parsed(notify, []),
                now=utcnow(),
            )
        out.print(f"added source [bold]{added}[/]; harvest it with: harvester run {added}")


@app.command(name="list")
def list_sources() -> None:
    """List the sources with their last run."""
    with opened() as (_, engine), engine.connect() as connection:
        after, rows = "", []
        while page := queries.source_list(connection, after, _WIDE_PAGE):
            ids = [row.id for row in page]
            counts, last = queries.active_counts(connection, ids), queries.latest_runs(connection, ids)
            rows += [_line(row, counts.get(row.id, 0), last.get(row.id)) for row in page]
            after = page[-1].name
    columns = ["name", "connector", "url", "schedule", "next run", "active records", "last run", "status"]
    out.print(table_of(columns, rows))


@app.command()
def show(name: Name) -> None:
    """Show one source; options that may be secrets are masked."""
    with opened() as (_, engine), engine.connect() as connection:
        row = sources.named(connection, name)
        last = queries.latest_runs(connection, [row.id]).get(row.id)
        shown = row._asdict() | {"url": told(row.url), "notify": _whom(row)}
        shown |= {"last_run": last and f"{last.id} {last.status} {last.started_at or 'not started'}"}
        facts = [[key, value] for key, value in shown.items() if key not in ("id", "options")]
        options = json.dumps(sources.masked(row.options), ensure_ascii=False)
        out.print(table_of(["", ""], [*facts, ["options", options]]))


def _whom(row: Row[Any]) -> str | None:
    """The rules of its notices, without what in the address of a webhook may be its secret."""
    rules = [rule.model_dump(mode="json") for rule in notices.loaded(row.notify)]
    hidden = [rule | {"to": notices.masked(rule["channel"], rule["to"])} for rule in rules]
    return json.dumps(hidden, ensure_ascii=False) if hidden else None


@app.command()
def edit(
    name: Name,
    url: Annotated[str | None, typer.Option(help="New address.")] = None,
    title: Annotated[str | None, typer.Option(help="New title.")] = None,
    connector: Annotated[str | None, typer.Option(help="New connector.")] = None,
    option: Option = [],  # noqa: B006
    schedule: Schedule = None,
    full_schedule: FullSchedule = None,
    timezone: Zone = None,
    jitter: Jitter = None,
    access: Asked = None,
    notify: Told = None,
) -> None:
    """Change a source; an option given replaces that option, `key=` removes it."""
    with opened() as (_, engine), writing(engine) as connection:
        given = sources.parse_options(option)
        kept = sources.named(connection, name).options | given if given else None
        options = {key: value for key, value in kept.items() if value != ""} if kept is not None else None
        sources.edit(
            connection,
            name,
            utcnow(),
            url=url,
            title=title,
            connector=connector,
            options=options,
            schedule=schedule,
            full_schedule=full_schedule,
            timezone=timezone,
            jitter=jitter,
            access=_parsed(access, {}),
            notify=_parsed(notify, []),
        )
    out.print(f"changed source [bold]{name}[/]")


@app.command()
def pause(name: Name) -> None:
    """Stop harvesting a source on schedule; a run that has begun goes on. `harvester run NAME` still works."""
    with opened() as (_, engine), writing(engine) as connection:
        changed = sources.pause(connection, name, utcnow())
    out.print(f"paused source [bold]{name}[/]" if changed else f"source [bold]{name}[/] is paused already")


@app.command()
def resume(name: Name) -> None:
    """Harvest a paused source on schedule again, from its next time on."""
    with opened() as (_, engine), writing(engine) as connection:
        changed = sources.resume(connection, name, utcnow())
        due = sources.named(connection, name).next_run_at
    told = f"next run {due:%Y-%m-%d %H:%M} UTC" if due else "it has no schedule"
    out.print(f"resumed source [bold]{name}[/]: {told}" if changed else f"source [bold]{name}[/] is not paused")


@app.command()
def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a source; datasets that no other source lists leave the catalogue."""
    with opened() as (settings, engine):
        with engine.connect() as connection:
            active = queries.active_count(connection, sources.named(connection, name).id)
        if not yes and not typer.confirm(f"Remove {name} with its {active} active records?"):
            raise UsageError("nothing was removed", code="not-confirmed")
        with writing(engine) as connection:
            sources.remove(connection, name, utcnow())
        bring_up_to_date(engine, settings)
    out.print(f"removed source [bold]{name}[/] and its {active} active records")


def _recognised(settings: Settings, url: str) -> Recognised:
    with Http(settings) as http:
        found, reasons = _asked(http, url)
    if found:
        return found[0]
    for reason in reasons:
        err.print(reason)
    raise UsageError(
        f"no connector recognises {url}; if you know the kind of portal, name it: "
        f"harvester source add {url} --connector {'|'.join(registry.names())}",
        code="not-recognised",
    )


def _asked(http: Http, url: str) -> tuple[list[Recognised], list[str]]:
    """A URL without a scheme means https, and http where a host speaks nothing else."""
    try:
        return registry.recognise(http, sources.with_scheme(url))
    except SourceError:
        if "://" in url:
            raise
        return registry.recognise(http, f"http://{url}")


def _facts(found: Recognised) -> list[list[object]]:
    advertised = "not stated" if found.advertised is None else found.advertised
    return [["title", found.title], ["advertised datasets", advertised], ["sample", found.sample]]


def _parsed(text: str | None, nothing: Any) -> Any:
    """JSON, or the JSON in a file named by `@`; `nothing` when it is empty."""
    if text is None:
        return None
    try:
        return loads(Path(text[1:]).read_bytes() if text.startswith("@") else text) if text.strip() else nothing
    except (OSError, ValueError) as error:
        raise UsageError(f"{text!r} is no JSON: {error}", code="bad-json") from error


def _line(row: Row[Any], active: int, last: Row[Any] | None) -> list[object]:
    due = min((at for at in (row.next_run_at, row.next_full_at) if at), default=None)
    soon = "paused" if row.paused_at else due and f"{due:%Y-%m-%d %H:%M}"
    when = f"{last.started_at:%Y-%m-%d %H:%M}" if last and last.started_at else "never"
    url = told(row.url)
    return [row.name, row.connector, url, row.schedule, soon, active, when, last.status if last else ""]
