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
}
