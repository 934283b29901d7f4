//! Where a build's words go.

use crate::inputs::Explanation;

/// Receives everything that a build says, one whole message at a time and never two at once.
///
/// `package` is the description of the package that the text belongs to (`import/path` or `import/path [for test]`), if
/// there is one; `-json` needs it.
pub trait Sink: Send + Sync {
    /// Text for standard error that is no failure by itself: names under `-v`, shell lines under `-x` and `-n`, warnings of
    /// tools that succeeded. Complete with its line ends.
    fn print(&self, package: Option<&str>, text: &str);

    /// A failure. Without a final line end; whoever prints it adds one if it is missing. The run's exit code becomes 1.
    fn error(&self, package: Option<&str>, text: &str);

    /// Bytes for standard output, to be seen at once.
    fn stdout(&self, bytes: &[u8]);

    /// A package is built anew, for these reasons. Only told if [`crate::BuildConfig::explain`] is set.
    fn rebuilt(&self, _package: &str, _explanation: &Explanation) {}

    /// What a checker has found: lines of a file with what is wrong there. It goes where [`Sink::print`] goes.
    fn diagnostics(&self, text: &str) {
        self.print(None, text);
    }

    /// Whether anybody watches [`Sink::progress`].
    fn watches(&self) -> bool {
        false
    }

    /// How far the run is; at its end nothing. Called whenever something begins or ends, so it must be quick.
    fn progress(&self, _progress: Option<&Progress<'_>>) {}
}

/// How far a run is.
#[derive(Debug)]
pub struct Progress<'a> {
    /// Packages that are there, and all.
    pub packages: (usize, usize),
    /// Packages whose tests have been run, and all.
    pub tests: (usize, usize),
    /// Packages that have been checked by vet because somebody asked for it, and all.
    pub checks: (usize, usize),
    /// What is at work, in the order in which it began.
    pub running: Vec<&'a Running>,
    /// A program has the terminal to itself: nothing else may be drawn there.
    pub terminal_in_use: bool,
}

/// One thing that is at work.
#[derive(Debug)]
pub struct Running {
    /// `compile`, `cgo`, `link`, `vet`, or `test`.
    pub verb: &'static str,
    /// Whose it is.
    pub package: String,
}
