"""The `castor` command. Each subcommand imports what it needs when it runs, so that `castor --help` is fast."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from castor_devstack.errors import DevstackError
from castor_devstack.lifecycle.terminal import ProgressPipe, print_line
from castor_devstack.supervision.state_folder import find_state_folder

app = typer.Typer(
    help="CASTOR on one machine: seven services, PostgreSQL, Valkey and the ingress, without Docker.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def up(
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when all is ready, and leave it running.")
    ] = False,
    x: Annotated[
        str | None, typer.Option(help="'sandbox': a local fake of the X API with invented posts; needs no key.")
    ] = None,
    reload: Annotated[bool, typer.Option("--reload", help="Restart a service when its source changes.")] = False,
    progress_fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Start everything; run until Ctrl-C, or with --detach in the background."""
    if x is not None:
        from castor_devstack.stack.sandbox import choose

        choose(x)
    from castor_devstack.lifecycle.background import UP, launch_detached
    from castor_devstack.lifecycle.up import StackOptions, run_stack

    options = StackOptions(reload=reload)
    if detach:
        launch_detached(find_state_folder(), print, (*UP, "--reload") if reload else UP)
    elif progress_fd is None:
        run_stack(find_state_folder(), print_line, options=options)
    else:
        progress = ProgressPipe(progress_fd)
        try:
            run_stack(find_state_folder(), progress.print_line, progress.close, options)
        except DevstackError as error:
            progress.print_line(f"castor: {error}")
            raise typer.Exit(error.exit_code) from error


@app.command()
def down() -> None:
    """Stop everything. The data are kept."""
    from castor_devstack.lifecycle.down import stop_stack

    stop_stack(find_state_folder(), print)


@app.command(name="run")
def run_service(
    service: Annotated[str, typer.Argument(help="A service, for example trending.")],
    reload: Annotated[bool, typer.Option("--reload", help="Restart it when its source changes.")] = False,
    stub_peers: Annotated[
        bool, typer.Option("--stub-peers", help="In place of the services that it calls: examples of their contracts.")
    ] = False,
) -> None:
    """Run one service with what it needs, until Ctrl-C, its log on the screen."""
    from castor_devstack.lifecycle.single import run_single
    from castor_devstack.stack.services import service_named

    run_single(find_state_folder(), service_named(service), print_line, reload=reload, stub_peers=stub_peers)


@app.command()
def restart(service: Annotated[str, typer.Argument(help="A service, for example trending.")]) -> None:
    """Restart one service from its source, and return when it is ready; everything else runs on."""
    from castor_devstack.lifecycle.restart import restart_service
    from castor_devstack.stack.services import service_named

    restart_service(find_state_folder(), service_named(service).name, print)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show what runs and where; exit code 1 unless all is ready."""
    import json

    from castor_devstack.lifecycle import status as state

    report = state.status(find_state_folder())
    print(json.dumps(report, indent=2) if as_json else state.as_table(report))
    if not state.all_ready(report):
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Ask every capability one small question: what is configured, and does it answer? Exit code 1 if one does not.

    Where a language model is configured, one short call of it is paid; X is asked for a count, which is free.
    """
    from castor_devstack.job.demo import examine_running

    if not examine_running(find_state_folder(), print_line):
        raise typer.Exit(1)


@app.command()
def logs(
    service: Annotated[
        str, typer.Argument(help="A service, or postgres, valkey, ingress, supervisor, migrations, x.")
    ] = "",
    request: Annotated[str | None, typer.Option(help="Print what all parts logged of the request of this id.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing new lines.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many lines to start with.")] = 50,
) -> None:
    """Print the log of a part, or with --request the lines of a request over all parts, in the order of time."""
    if request is not None:
        from castor_devstack.lifecycle.log_lines import lines_of_request

        for line in lines_of_request(find_state_folder(), request):
            print_line(line.text())
        return
    from castor_devstack.lifecycle.logs import follow_log
    from castor_devstack.stack.services import service_named

    parts = {"postgres", "valkey", "ingress", "supervisor", "migrations", "x"}
    part = service if service in parts else service_named(service).name
    follow_log(find_state_folder().log(part), lines, follow=follow, write=print_line)


@app.command()
def token(
    user: Annotated[str | None, typer.Option(help="E-mail; registered if unknown. Default: administrator.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="Print an API key with this scope; repeatable.")] = None,
) -> None:
    """Print an access token; with --scope, an API key of those scopes that is valid for a day."""
    from castor_devstack.job.tokens import access_token, scoped_key
    from castor_devstack.stack.credentials import ADMIN_EMAIL

    email = user or ADMIN_EMAIL
    print(scoped_key(find_state_folder(), email, tuple(scope)) if scope else access_token(find_state_folder(), email))


Since = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day of the period, in Bogotá.")]
Until = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of the period, inclusive.")]
Question = Annotated[str | None, typer.Option(help="What to ask about the tweets.")]


Dates = Annotated[str | None, typer.Option(help="'dmy' or 'mdy': how the file writes 3/4/2022.")]
Encoding = Annotated[str | None, typer.Option(help="utf-8, utf-16 or windows-1252. Default: recognised.")]
Columns = Annotated[str | None, typer.Option(help="Unknown headers of the file: FIELD:HEADER,FIELD:HEADER.")]
Follow = Annotated[
    str | None,
    typer.Option(help="Whom to follow: NAME,NAME. Default: authors of the file where it names nobody followed."),
]


@app.command()
def password(
    user: Annotated[str | None, typer.Option(help="E-mail; registered if unknown. Default: administrator.")] = None,
) -> None:
    """Print the password with which a user of this stack signs in to the console."""
    from castor_devstack.job.tokens import password as password_of
    from castor_devstack.stack.credentials import ADMIN_EMAIL

    print(password_of(find_state_folder(), user or ADMIN_EMAIL))


@app.command()
def demo(
    file: Annotated[Path | None, typer.Option("--input", help="CSV, JSON Lines or another file of tweets.")] = None,
    report: Annotated[Path | None, typer.Option(help="Where to write the result as JSON; HTML beside it.")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="A file, or a data set: for the file, or as it is stored.")
    ] = None,
    since: Since = None,
    until: Until = None,
    question: Question = None,
    dates: Dates = None,
    encoding: Encoding = None,
    columns: Columns = None,
    follow: Follow = None,
) -> None:
    """Run the main job, from tweets to forecasts and a cited answer; starts the stack if needed."""
    _run_job(file, dataset, report, (since, until), question, (dates, encoding, columns, follow))


@app.command()
def report(
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file; JSON beside it.")] = Path(
        "report.html"
    ),
    file: Annotated[Path | None, typer.Option("--input", help="CSV, JSON Lines or another file of tweets.")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="A file, or a data set: for the file, or as it is stored.")
    ] = None,
    since: Since = None,
    until: Until = None,
    question: Question = None,
    dates: Dates = None,
    encoding: Encoding = None,
    columns: Columns = None,
    follow: Follow = None,
) -> None:
    """Write the report of a file or a data set as one HTML page; without either, that of the sample."""
    _run_job(file, dataset, output, (since, until), question, (dates, encoding, columns, follow))


def _run_job(
    file: Path | None,
    dataset: str | None,
    output: Path | None,
    period: tuple[datetime | None, datetime | None],
    question: str | None,
    said: tuple[str | None, str | None, str | None, str | None],
) -> None:
    from castor_devstack.job.demo import Outputs, run
    from castor_devstack.job.request import FileHints, names_of, request_of

    since, until = (moment.date() if moment else None for moment in period)
    dates, encoding, columns, follow = said
    hints = FileHints(dates, encoding, columns, names_of(follow))
    raise typer.Exit(run(request_of(file, dataset, since, until, question, hints), Outputs.beside(output)))


def main() -> None:
    """Run the command; an expected failure prints one sentence to standard error and sets the exit code."""
    try:
        app()
    except DevstackError as error:
        sys.stderr.write(f"castor: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
