//! The table of errors, by what they are about: narrow patterns first.

mod code;
mod fetching;
mod machine;
mod modules;
mod packages;
mod sums;

/// One kind of error.
pub struct Known {
    /// Its name, stable.
    pub name: &'static str,
    /// What its text looks like; the parts that differ are groups.
    pub pattern: &'static str,
    /// Why it happens.
    pub cause: &'static str,
    /// What to look at, beside the line of the source that the error names.
    pub looks: &'static [Look],
    /// Commands (empty: none does it) and when each is right. The first is the one for most.
    pub fixes: &'static [(&'static str, &'static str)],
}

/// Something to look at; texts may hold `$1`.
pub enum Look {
    /// Lines of go.sum and go.work.sum about a version of a module.
    Sums(&'static str, &'static str),
    /// Lines of go.mod and go.work with a word.
    GoMod(&'static str),
    /// Lines of vendor/modules.txt with a word.
    Vendor(&'static str),
    /// Marks of a merge that nobody finished.
    Conflicts,
    /// Variables, and who set them.
    Variables(&'static [&'static str]),
    /// The version in use of a module.
    Selected(&'static str),
    /// Modules of the graph that could have a package.
    Providers(&'static str),
    /// Lines of a module version's own go.mod, as the module cache has it, with a word.
    Cached(&'static str, &'static str),
    /// What lies in a directory.
    Dir(&'static str),
    /// The package clause of a file in a directory.
    Clause(&'static str, &'static str),
    /// Where other files beside a file declare a name.
    Declared(&'static str, &'static str),
    /// The imports of lines like `imports PATH from FILE`.
    Imports(&'static str),
    /// The programs of the main modules, and what nearly is one.
    Programs,
}

const PRIVATE: &[&str] = &["GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOPROXY", "GOSUMDB"];
const NETWORK: &[&str] = &["GOPROXY", "GOSUMDB", "HTTPS_PROXY", "NO_PROXY"];
const VERSIONS: &[&str] = &["GOTOOLCHAIN", "GOROOT"];

impl Known {
    /// Whether its way out is worth a hint to who has not asked.
    #[must_use]
    pub fn is_worth_a_hint(&self) -> bool {
        !code::KNOWN.iter().any(|own| own.name == self.name)
    }
}

/// All kinds, the narrow before the wide.
pub fn known() -> impl Iterator<Item = &'static Known> {
    let all = [
        sums::KNOWN,
        modules::KNOWN,
        packages::KNOWN,
        machine::KNOWN,
        fetching::KNOWN,
        code::KNOWN,
    ];
    all.into_iter().flatten()
}
