//! Why a command ends early, and with which exit code.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use herringbone::{Error, ErrorKind};

use crate::grid::shown;

/// The result of everything in the command.
pub type Result<T = (), E = Failure> = std::result::Result<T, E>;

/// Why a command ends early.
#[derive(Debug)]
pub enum Failure {
    /// Whoever read the output has gone: there is nothing to say, and nobody to say it to.
    ClosedPipe,
    /// The command line asks for something that cannot be; exit code 2.
    Usage(String),
    /// A file is bad or cannot be read or written; exit code 1.
    File(String),
    /// As `File`, but everything was said already.
    Reported,
}

impl Failure {
    /// An error of a file that is not Parquet's concern.
    pub fn at(path: &Path, what: &str, error: impl std::fmt::Display) -> Self {
        Failure::File(format!("{what} {}: {error}", path.display()))
    }

    /// Says on standard error what happened, in one line.
    pub fn report(&self) {
        let (Failure::Usage(message) | Failure::File(message)) = self else { return };
        // If standard error is closed as well, the exit code has to do.
        let _ = writeln!(io::stderr(), "herringbone: {}", shown(message));
    }

    /// What the process returns.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Failure::ClosedPipe => ExitCode::SUCCESS,
            Failure::File(_) | Failure::Reported => ExitCode::from(1),
            Failure::Usage(_) => ExitCode::from(2),
        }
    }
}

/// Says something on standard error that does not end the command.
pub fn warn(message: &str) {
    // If standard error is closed, nobody wants to know.
    let _ = writeln!(io::stderr(), "herringbone: warning: {}", shown(message));
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Usage => Failure::Usage(error.to_string()),
            ErrorKind::Limit if error.to_string().contains("Limits::") => Failure::File(format!("{error} (--limits sets them)")),
            _ => Failure::File(error.to_string()),
        }
    }
}

/// Errors of standard output, the one place that is written to without a name.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::File(format!("cannot write the output: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_harmless_line() {
        assert_eq!(shown("no column \"a\nb\u{1b}[2J\" ä"), "no column \"a\\nb\\u{1b}[2J\" ä");
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(matches!(failure, Failure::ClosedPipe), "{failure:?}");
        assert!(matches!(Failure::from(io::Error::from(io::ErrorKind::StorageFull)), Failure::File(_)));
    }
}
