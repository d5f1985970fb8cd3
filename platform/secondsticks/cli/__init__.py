"""The `secondsticks` command: claps, slates and sound without a server or a database.

The network runs in a scanner process of its own. What comes out is described in docs/scan-json.md.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from secondsticks import __version__
from secondsticks.cli import detecting, linking, scanning, watching
from secondsticks.cli.outcomes import STOPPED, WRONG_USAGE, CheckpointRefused, ExtraMissing, FolderRefused
from secondsticks.watch.overlap import WatchRefused
from training.scanner import Scanner

COMMANDS = {
    "scan": scanning,
    "watch": watching,
    "link-sound": linking,
    "detect": detecting,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name must not end us on a terminal without its letters
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    options = parser.parse_args(arguments)
    if "out" in options and bool(options.export) != bool(options.out):
        parser.error("--export and --out go together")
    try:
        with Scanner(checkpoint=options.checkpoint) as scanner:
            status: int = COMMANDS[options.command].run(options, scanner)
            return status
    except (CheckpointRefused, ExtraMissing, FolderRefused, WatchRefused) as error:
        print(f"secondsticks: {error}", file=sys.stderr)
        return WRONG_USAGE
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        # Whoever read our stdout has left. Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="secondsticks", description="Finds the claps in film footage.")
    parser.add_argument("--version", action="version", version=f"secondsticks {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, description=module.DESCRIPTION)
        module.offer(command)
        command.add_argument("--checkpoint", type=Path, metavar="FILE", help="instead of the shipped one")
        command.epilog = "Exit status: 0 all files were read, 1 some were not, 2 wrong usage."
    return parser
