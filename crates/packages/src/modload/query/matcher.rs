//! Which versions a query lets in, and which of them it wants.

use super::Allowed;
use crate::modload::{ModError, Result};
use steady_module::path as module_path;
use steady_module::{gover, pseudo};

/// What a query asks of a version.
pub(in crate::modload) struct Matcher<'q> {
    pub(in crate::modload) path: &'q str,
    pub(in crate::modload) prefix: String,
    pub(in crate::modload) least: Option<(&'q str, bool)>,
    pub(in crate::modload) most: Option<(&'q str, bool)>,
    /// One version is meant, which need not be in any list.
    pub(in crate::modload) exact: bool,
    pub(in crate::modload) allowed: Allowed,
    pub(in crate::modload) may_use_latest: bool,
    pub(in crate::modload) prefer_lower: bool,
    pub(in crate::modload) prefer_incompatible: bool,
}

impl<'q> Matcher<'q> {
    /// `None`: a branch, a tag or a commit.
    pub(super) fn new(
        path: &'q str,
        query: &'q str,
        current: &'q str,
        allowed: Allowed,
    ) -> Result<Option<Matcher<'q>>> {
        let mut matcher = Matcher {
            path,
            prefix: String::new(),
            least: None,
            most: None,
            exact: false,
            allowed,
            may_use_latest: false,
            prefer_lower: false,
            prefer_incompatible: current.ends_with("+incompatible"),
        };
        let none = matches!(current, "" | "none");
        match query {
            "latest" => matcher.may_use_latest = true,
            "upgrade" if none => matcher.may_use_latest = true,
            "patch" if none => return Err(ModError::NoPatchBase(path.to_string())),
            "upgrade" | "patch" => {
                matcher.may_use_latest = pseudo::is_pseudo_version(current);
                matcher.least = Some((current, true));
                if query == "patch" {
                    matcher.prefix = format!("{}.", gover::mod_major_minor(path, current));
                }
            }
            _ => {
                let bounds = ["<=", "<", ">=", ">"];
                let bound = bounds.into_iter().find(|bound| query.starts_with(bound));
                match bound {
                    Some(bound) => matcher.range(query, bound)?,
                    None if gover::mod_is_valid(path, query) => matcher.version(query),
                    None => return Ok(None),
                }
            }
        }
        Ok(Some(matcher))
    }

    pub(super) fn range(&mut self, query: &'q str, bound: &str) -> Result<()> {
        let version = &query[bound.len()..];
        if !gover::mod_is_valid(self.path, version) {
            return Err(ModError::Message(format!(
                "invalid semantic version {version:?} in range {query:?}"
            )));
        }
        // `v1.2` could mean v1.2.0 or all of v1.2.
        if matches!(bound, "<=" | ">") && gover::mod_is_prefix(self.path, version) {
            return Err(ModError::Message(format!(
                "ambiguous semantic version {version:?} in range {query:?}"
            )));
        }
        let inclusive = bound.ends_with('=');
        if bound.starts_with('<') {
            self.most = Some((version, inclusive));
        } else {
            self.least = Some((version, inclusive));
            self.prefer_lower = true;
        }
        self.prefer_incompatible |= !self.of_major(version);
        Ok(())
    }

    pub(super) fn version(&mut self, query: &'q str) {
        if gover::mod_is_prefix(self.path, query) {
            self.prefix = format!("{query}.");
            self.least = Some((query, true));
        } else {
            self.exact = true;
        }
        self.prefer_incompatible |= !self.of_major(query);
    }

    pub(super) fn of_major(&self, version: &str) -> bool {
        module_path::split_path_version(self.path)
            .is_some_and(|(_, major)| module_path::match_path_major(version, major))
    }

    pub(super) fn matches(&self, version: &str) -> bool {
        let within = version.starts_with(&self.prefix)
            || gover::is_toolchain(self.path) && self.prefix.trim_end_matches('.') == version;
        let above = self.least.is_none_or(|(least, inclusive)| {
            let order = gover::mod_compare(self.path, version, least);
            order.is_gt() || inclusive && order.is_eq()
        });
        let below = self.most.is_none_or(|(most, inclusive)| {
            let order = gover::mod_compare(self.path, version, most);
            order.is_lt() || inclusive && order.is_eq()
        });
        within && above && below
    }
}
