"""python -m readers check READER FOLDER: what we wrote, read by others.
python -m readers produce WRITER FOLDER: others write what the Arrow files of the folder hold.
python -m readers hold WRITER FOLDER: what we read of it.
python -m readers skip READER FOLDER ID: whether it finds a row where nearly all else is burnt.
"""

import sys

from . import check, hold, produce, skip

COMMANDS = {"check": check.check, "produce": produce.produce, "hold": hold.hold, "skip": skip.skip}

if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    sys.exit(1 if COMMANDS[command](*arguments) else 0)
