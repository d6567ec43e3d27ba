//! Who wrote a file, as far as it matters: some versions of some writers wrote things that must not be believed.

/// The parsed `created_by` of a file: `<application> version <version> (build <hash>)`.
///
/// ```
/// use herringbone::metadata::WriterVersion;
/// let writer = WriterVersion::parse("parquet-mr version 1.12.3-amzn-0 (build f8dced182c4c1fbdec6ccb3185537b5a01e6ed6b)").unwrap();
/// assert_eq!(writer.application(), "parquet-mr");
/// assert_eq!(writer.numbers(), Some([1, 12, 3]));
/// assert_eq!(writer.suffix(), Some("-amzn-0"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterVersion {
    application: String,
    version: Option<String>,
    build: Option<String>,
    numbers: Option<[u32; 3]>,
    /// How many bytes of `version` the numbers take.
    numbers_end: usize,
}

impl WriterVersion {
    /// Takes `created_by` apart; `None` if it has another form.
    pub fn parse(created_by: &str) -> Option<Self> {
        let (application, rest) = split_application(created_by)?;
        let (version, rest) = match rest.find('(') {
            Some(open) => rest.split_at_checked(open)?,
            None => (rest, ""),
        };
        let version = Some(version.trim()).filter(|version| !version.is_empty()).map(str::to_owned);
        let build = rest.trim().strip_prefix('(').and_then(|build| build.strip_suffix(')'));
        let build = build.and_then(|build| build.trim().strip_prefix("build")).map(|build| build.trim().to_owned());
        let (numbers, numbers_end) = version.as_deref().and_then(leading_numbers).unzip();
        let application = application.to_owned();
        Some(Self { application, version, build: build.filter(|build| !build.is_empty()), numbers, numbers_end: numbers_end.unwrap_or(0) })
    }

    /// The name of the application, such as `parquet-mr` or `parquet-cpp-arrow`.
    pub fn application(&self) -> &str {
        &self.application
    }

    /// The whole version, such as `1.8.0-SNAPSHOT`.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Major, minor and patch number, when the version begins with three numbers.
    pub fn numbers(&self) -> Option<[u32; 3]> {
        self.numbers
    }

    /// What follows the three numbers, if anything does.
    pub fn suffix(&self) -> Option<&str> {
        self.numbers?;
        self.version.as_deref()?.get(self.numbers_end..).filter(|suffix| !suffix.is_empty())
    }

    /// The build, usually a commit.
    pub fn build(&self) -> Option<&str> {
        self.build.as_deref()
    }

    /// Whether it is `application` in a version before `release`; a pre-release comes before its release.
    /// `None` if it is that application, but its version cannot be told.
    pub fn is_before(&self, application: &str, release: [u32; 3]) -> Option<bool> {
        if self.application != application {
            return Some(false);
        }
        let numbers = self.numbers?;
        Some(numbers < release || (numbers == release && self.suffix().is_some_and(|suffix| !suffix.starts_with('+'))))
    }
}

/// Whether binary bounds in the deprecated fields may be corrupt (PARQUET-251): so they are if the writer is unknown, or
/// parquet-mr before 1.8.0 and not one of Cloudera's builds that had the fix early.
pub(crate) fn has_corrupt_binary_bounds(writer: Option<&WriterVersion>) -> bool {
    let Some(writer) = writer else { return true };
    let fixed_early = writer.numbers() == Some([1, 5, 0]) && writer.suffix().and_then(cdh_release).is_some_and(|cdh| cdh >= [5, 5, 0]);
    !fixed_early && writer.is_before("parquet-mr", [1, 8, 0]).unwrap_or(true)
}

/// Whether the prefix of a page's first DELTA_BYTE_ARRAY value may refer to the page before (PARQUET-246): so it does
/// if the writer is unknown, or parquet-mr before 1.8.0.
pub(crate) fn has_prefixes_across_pages(writer: Option<&WriterVersion>) -> bool {
    writer.is_none_or(|writer| writer.is_before("parquet-mr", [1, 8, 0]).unwrap_or(true))
}

/// Whether `total_compressed_size` may leave out the dictionary page's header (IMPALA-694): parquet-mr before 1.2.9.
pub(crate) fn forgets_dictionary_header(writer: Option<&WriterVersion>) -> bool {
    writer.is_none_or(|writer| writer.is_before("parquet-mr", [1, 2, 9]).unwrap_or(true))
}

/// Whether null counts of byte arrays may leave out the nulls of optional groups around them: parquet-cpp does so of Arrow's dictionaries, up to
/// version 26 at the least.
pub(crate) fn forgets_nulls_of_groups(writer: Option<&WriterVersion>) -> bool {
    writer.is_some_and(|writer| matches!(writer.application(), "parquet-cpp-arrow" | "parquet-cpp"))
}

/// The application, and what follows the word `version`.
fn split_application(created_by: &str) -> Option<(&str, &str)> {
    let mut from = 0_usize;
    loop {
        let at = from.checked_add(created_by.get(from..)?.find("version")?)?;
        let (application, rest) = created_by.split_at_checked(at)?;
        let trimmed = application.trim_end();
        if trimmed.len() < application.len() && !trimmed.is_empty() {
            return Some((trimmed.trim_start(), rest.strip_prefix("version")?));
        }
        from = at.checked_add(1)?;
    }
}

/// The three numbers that a version begins with, and where they end.
fn leading_numbers(version: &str) -> Option<([u32; 3], usize)> {
    let mut numbers = [0; 3];
    let mut rest = version;
    for (i, number) in numbers.iter_mut().enumerate() {
        if i > 0 {
            rest = rest.strip_prefix('.')?;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, behind) = rest.split_at_checked(digits)?;
        *number = digits.parse().ok()?;
        rest = behind;
    }
    Some((numbers, version.len().checked_sub(rest.len())?))
}

/// The release of Cloudera's distribution in a suffix such as `-cdh5.5.0`.
fn cdh_release(suffix: &str) -> Option<[u32; 3]> {
    leading_numbers(suffix.strip_prefix("-cdh")?).map(|(numbers, _)| numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parts = (String, Option<String>, Option<[u32; 3]>, Option<String>, Option<String>);

    fn parts(created_by: &str) -> Option<Parts> {
        let writer = WriterVersion::parse(created_by)?;
        let suffix = writer.suffix().map(str::to_owned);
        Some((writer.application, writer.version, writer.numbers, suffix, writer.build))
    }

    #[test]
    fn takes_created_by_apart() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            parts("parquet-mr version 1.8.0-SNAPSHOT (build abcd)"),
            Some(("parquet-mr".into(), some("1.8.0-SNAPSHOT"), Some([1, 8, 0]), some("-SNAPSHOT"), some("abcd")))
        );
        assert_eq!(
            parts("parquet-cpp-arrow version 14.0.2"),
            Some(("parquet-cpp-arrow".into(), some("14.0.2"), Some([14, 0, 2]), None, None))
        );
        assert_eq!(parts("impala version 1.0rc1 (build 6cf9)"), Some(("impala".into(), some("1.0rc1"), None, None, some("6cf9"))));
        assert_eq!(parts("my own app version 1.2.3(build)"), Some(("my own app".into(), some("1.2.3"), Some([1, 2, 3]), None, None)));
        assert_eq!(parts("parquet-mr version (build x)"), Some(("parquet-mr".into(), None, None, None, some("x"))));
        assert_eq!(parts("parquet-mr version"), Some(("parquet-mr".into(), None, None, None, None)));
        assert_eq!(
            parts("subversion reader version 99999999999.1.1"),
            Some(("subversion reader".into(), some("99999999999.1.1"), None, None, None))
        );
        for other in ["", "version 1.2.3", "parquet-mr 1.2.3", "DuckDB", "versionversion", " version 3"] {
            assert_eq!(parts(other), None, "{other:?}");
        }
    }

    #[test]
    fn knows_the_writers_that_are_not_to_be_believed() {
        let corrupt = |created_by| has_corrupt_binary_bounds(WriterVersion::parse(created_by).as_ref());
        for bad in [
            "",
            "unparsable",
            "parquet-mr version 1.6.0",
            "parquet-mr version 1.7.9 (build 9)",
            "parquet-mr version 1.8.0-rc1",
            "parquet-mr version 1.8.0rc4",
            "parquet-mr version",
            "parquet-mr version 1.5.0",
            "parquet-mr version 1.5.0-cdh5.4.9",
        ] {
            assert!(corrupt(bad), "{bad}");
        }
        for good in [
            "parquet-mr version 1.8.0",
            "parquet-mr version 1.8.0+build",
            "parquet-mr version 1.10.1",
            "parquet-mr version 1.5.0-cdh5.5.0",
            "impala version 1.0",
            "parquet-cpp version 1.3.2",
        ] {
            assert!(!corrupt(good), "{good}");
        }
        assert!(has_prefixes_across_pages(None));
        assert!(has_prefixes_across_pages(WriterVersion::parse("parquet-mr version 1.7.0").as_ref()));
        assert!(!has_prefixes_across_pages(WriterVersion::parse("parquet-mr version 1.8.1").as_ref()));
        assert!(forgets_dictionary_header(WriterVersion::parse("parquet-mr version 1.2.8").as_ref()));
        assert!(!forgets_dictionary_header(WriterVersion::parse("parquet-mr version 1.2.9").as_ref()));
    }
}
