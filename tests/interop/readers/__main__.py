"""python -m readers check READER FOLDER: what we wrote, read by others.
python -m readers produce WRITER FOLDER: others write what the Arrow files of the folder hold.
python -m readers hold WRITER FOLDER: what we read of it.
"""

import sys

from . import check, hold, produce

COMMANDS = {"check": check.check, "produce": produce.produce, "hold": hold.hold}

if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    sys.exit(1 if COMMANDS[command](*arguments) else 0)
