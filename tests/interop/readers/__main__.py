"""python -m readers check READER FOLDER"""

import sys

from . import check

COMMANDS = {"check": check.check}

if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    sys.exit(1 if COMMANDS[command](*arguments) else 0)
