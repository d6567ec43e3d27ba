"""Print SECURITY.md's table of dependencies with the number of places with `unsafe` in each, in Markdown.

    python3 .ci/unsafe.py

What is in which group comes from `cargo tree` (normal dependencies on this machine's target; nothing is built or downloaded): of the
default features, of these with `async,sql`, with `object_store` and with `cli`, and of all features. A crate stands in the first group
that has it. Crates that only procedural macros need are found by a second tree without these; build scripts and what they use are left
out. A place is the word `unsafe` before `{`, `fn`, `impl`, `trait` or `extern` in a crate's `src/**/*.rs`, for whatever platform and unit
tests included, comments and literals left out: declarations in plain `extern "C"` blocks and unsafe attributes are none. C and assembly
are marked for crates that link a library (`links`) and bring its sources. `ROWS` says what the important crates are trusted with; the
rest is listed as others. A name in `ROWS` that is not in its group, or a crate whose source is not in the registry, is an error.
"""

import pathlib
import re
import subprocess
import sys

OURS = "herringbone"
WIDTH = 160
REGISTRY = pathlib.Path.home() / ".cargo/registry/src"

DEFAULT, ASYNC_SQL, REST = "In the default library", "Only with `async` or `sql`", "Only with `object_store` or the command"

# By group: what crates are trusted with, and their names.
ROWS = {
    DEFAULT: [
        ("compressed pages, and pages to be compressed", "zstd zstd-safe zstd-sys lz4_flex flate2 zlib-rs brotli brotli-decompressor"),
        ("compressed pages", "libdeflater libdeflate-sys"),
        ("pages to be compressed", "snap"),
        ("memory for brotli", "alloc-no-stdlib alloc-stdlib"),
        ("values that were checked", "arrow-array arrow-buffer arrow-cmp arrow-data arrow-schema arrow-select"),
        ("values that were checked, for Arrow", "hashbrown ahash half zerocopy"),
        ("a schema to be stored; reading one takes constants alone", "arrow-ipc flatbuffers"),
        ("a stored schema", "base64"),
        ("slices", "bytemuck bytes fearless_simd"),
        ("bytes to sum up", "crc32fast twox-hash"),
        ("tasks", "rayon rayon-core crossbeam-deque crossbeam-epoch crossbeam-utils either"),
        ("reads", "rustix bitflags"),
        ("reads: generated bindings, for all architectures", "linux-raw-sys"),
        ("metadata and headers to be written", "thrift byteorder varint-rs"),
        ("nothing: `thrift` has types of theirs", "uuid ordered-float"),
        ("nothing: the build's configuration, errors' texts", "cfg-if thiserror"),
    ],
    ASYNC_SQL: [
        ("tasks and reads", "futures-channel futures-core futures-io futures-task futures-util pin-project-lite slab"),
        ("a filter's text", "sqlparser"),
    ],
    REST: [
        ("`object_store`: what servers answer", "object_store reqwest hyper hyper-util h2 http http-body httparse quick-xml"),
        ("`object_store`: TLS", "rustls rustls-webpki rustls-pki-types aws-lc-rs"),
        ("`object_store`: TLS; generated bindings, for all platforms", "aws-lc-sys"),
        ("`object_store`: tasks, sockets and files", "tokio tokio-util mio socket2 nix parking_lot parking_lot_core lock_api"),
        ("`object_store`: bytes to sum up", "crc-fast md-5"),
        ("`object_store`: addresses", "url idna"),
        ("both: JSON, base64", "serde_json base64"),
        ("the command: memory", "mimalloc libmimalloc-sys"),
        ("the command: files of other formats", "arrow-csv csv csv-core arrow-json simdutf8 arrow-cast lexical-core atoi"),
        ("the command: rows to be sorted", "arrow-ord"),
        ("the command: arguments, the terminal", "clap clap_builder glob console indicatif portable-atomic"),
    ],
}

LITERAL_OR_COMMENT = re.compile(
    r"""(?<!\w)[bc]?r(?P<hashes>\#*)".*?"(?P=hashes)   # a raw string
      | "(?:\\.|[^"\\])*"                             # a string
      | '(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'\n])'         # a character, which a lifetime is not
      | //[^\n]*                                      # a comment
      | /\*                                           # the start of a comment that may have others in it
    """,
    re.DOTALL | re.VERBOSE,
)
COMMENT_EDGE = re.compile(r"/\*|\*/")
PLACE = re.compile(r"\bunsafe\s*(?:\{|(?:fn|impl|trait|extern)\b)")


def code_of(text):
    """Rust source without comments and literals."""
    parts, at = [], 0
    while found := LITERAL_OR_COMMENT.search(text, at):
        parts.append(text[at : found.start()])
        at = found.end()
        depth = 1 if found.group() == "/*" else 0
        while depth:
            edge = COMMENT_EDGE.search(text, at)
            if edge is None:
                return " ".join(parts)
            depth += 1 if edge.group() == "/*" else -1
            at = edge.end()
    parts.append(text[at:])
    return " ".join(parts)


def tree(features, edges="normal"):
    """The crates of a feature set, as pairs of name and version."""
    command = ["cargo", "tree", "--offline", "--locked", "-e", edges, "--prefix", "none", "--format", "{p}", *features]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    crates = {(name, version.removeprefix("v")) for name, version in (line.split()[:2] for line in lines if line)}
    return {crate for crate in crates if crate[0] != OURS}


def source_of(crate):
    """The directory of a crate's source."""
    found = list(REGISTRY.glob(f"*/{crate[0]}-{crate[1]}"))
    if not found:
        sys.exit(f"no source of {crate} under {REGISTRY}")
    return found[0]


def places(crate):
    """The number of places with `unsafe`."""
    source = source_of(crate)
    files = (source / "src").rglob("*.rs") if (source / "src").is_dir() else source.glob("*.rs")
    return sum(len(PLACE.findall(code_of(file.read_text(encoding="utf-8", errors="replace")))) for file in files)


def foreign(crate):
    """What a crate is besides Rust, to be put after its name."""
    source = source_of(crate)
    if not re.search(r"^links\s*=", (source / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE):
        return ""
    kinds = {"C": ("*.c",), "assembly": ("*.S", "*.s", "*.asm")}
    kinds = [kind for kind, patterns in kinds.items() if any(any(source.rglob(pattern)) for pattern in patterns)]
    return f" ({' and '.join(kinds)})" if kinds else ""


def rows(crates, trusted, counts, label):
    """Rows for crates, as many as their width demands."""

    def row(batch):
        return f"| {', '.join(map(label, batch))} | {trusted} | {', '.join(str(counts[crate]) for crate in batch)} |"

    batch = []
    for crate in crates:
        if batch and len(row(batch + [crate])) > WIDTH:
            yield row(batch)
            batch = []
        batch.append(crate)
    if batch:
        yield row(batch)


def zeros(crates, trusted, label):
    """Rows for crates without `unsafe`, one number for all."""
    for line in rows(crates, trusted, dict.fromkeys(crates, ""), label):
        yield re.sub(r"\| [ ,]*\|$", "| 0 |", line)


def main():
    default, async_sql = tree([]), tree(["--features", "async,sql"])
    remote, command = tree(["--features", "object_store"]), tree(["--features", "cli"])
    every = tree(["--all-features"])
    macros = every - tree(["--all-features"], "normal,no-proc-macro")
    groups = {DEFAULT: default, ASYNC_SQL: async_sql - default, REST: every - async_sql}
    counts = {crate: places(crate) for crate in every}
    several = {name for name, _ in every if sum(name == other for other, _ in every) > 1}

    def label(crate):
        name, version = crate
        return f"`{name}`{f' {version}' if name in several else ''}{foreign(crate)}"

    print("| crates | trusted with | places with `unsafe` |")
    print("| --- | --- | --- |")
    for group, crates in groups.items():
        print(f"| **{group}** | | |")
        left = crates - macros
        for trusted, names in ROWS[group]:
            named = []
            for name in names.split():
                found = sorted(crate for crate in left if crate[0] == name)
                if not found:
                    sys.exit(f"{name} is not in the group {group!r}, or twice in its rows")
                named += found
            left -= set(named)
            print(*rows(named, trusted, counts, label), sep="\n")
        others = {"others, for their dependencies": left}
        if group == REST:
            others = {
                "`object_store`: others": left - command,
                "both: others": left & remote & command,
                "the command: others": left - remote,
            }
        for trusted, some in others.items():
            some = sorted((crate for crate in some if counts[crate] or foreign(crate)), key=lambda crate: (-counts[crate], crate))
            if some:
                print(*rows(some, trusted, counts, label), sep="\n")
        none = sorted(crate for crate in left if not counts[crate] and not foreign(crate))
        if none:
            print(*zeros(none, "others, without `unsafe`", label), sep="\n")
        run_by_build = sorted(crates & macros)
        if run_by_build:
            print(*rows(run_by_build, "nothing: macros, which the compiler runs", counts, label), sep="\n")


main()
