//! From what came of single zips to what is said of each link.

use std::time::Instant;
use steady_module::amount::amount;

use super::cache::{Item, Listing, Place};
use super::pass::{Passed, Share};
use super::sums::Sums;
use super::toolchain::{self, Rules};
use super::vendor::Vendor;
use super::{Chain, FILES, Failure, Link, Outcome, Problem};

/// From items to links.
pub(super) struct Totals<'a> {
    pub chain: &'a Chain<'a>,
    pub sums: &'a Sums,
    pub list: &'a Listing,
    /// How many shared the work.
    pub threads: u32,
}

impl Totals<'_> {
    pub fn outcomes(&self, passed: Vec<Passed>, vendor: Option<Vendor>) -> Vec<Outcome> {
        let mut cache = self.cache();
        let mut tree = Outcome::new(Link::Tree, FILES);
        let mut goroot = Outcome::new(Link::Toolchain, FILES);
        let mut copies = Outcome::new(Link::Vendor, FILES);
        let (mut hard_links, mut skipped, mut looked) = (0, 0, false);
        for one in passed {
            if one.is_toolchain {
                looked = true;
                self.ask_database(&one, &mut goroot);
                for share in [one.zip, one.tree] {
                    self.add(&mut goroot, share);
                }
                continue;
            }
            hard_links += one.hard_links;
            skipped += one.vendor.skipped;
            self.add(&mut cache, one.zip);
            self.add(&mut tree, one.tree);
            self.add(&mut copies, one.vendor);
        }
        let partial = |item: &&Item| item.place == Place::Partial;
        match self.list.items.iter().filter(partial).count() {
            0 => {}
            count => tree.notes.push(format!(
                "{} not extracted to the end: go extracts anew before it uses them",
                amount(count, ["tree was", "trees were"])
            )),
        }
        if hard_links > 0 {
            tree.notes.push(format!(
                "{} other names too (hard links): who writes there changes them here",
                amount(hard_links, ["file has", "files have"])
            ));
        }
        if self
            .list
            .items
            .iter()
            .any(|item| item.rules == Rules::Distribution)
        {
            let note = "go.env is a distributor's to change, and was not compared";
            goroot.notes.push(note.to_owned());
        }
        if !looked {
            toolchain::without(self.chain, &mut goroot);
        }
        if let Some(vendor) = vendor {
            vendor.finish(self.chain, &mut copies, skipped);
        }
        let mut outcomes = vec![cache, tree, copies, goroot];
        for outcome in &mut outcomes {
            outcome.failures.sort_by(|a, b| a.file.cmp(&b.file));
        }
        outcomes.retain(|outcome| self.chain.wants(outcome.link));
        outcomes
    }

    fn add(&self, outcome: &mut Outcome, share: Share) {
        outcome.checked += share.checked;
        outcome.bytes += share.bytes;
        outcome.elapsed += share.elapsed / self.threads;
        outcome.failures.extend(share.failures);
    }

    fn cache(&self) -> Outcome {
        let since = Instant::now();
        let mut outcome = Outcome::new(Link::Cache, ["zip or .mod file", "zips and .mod files"]);
        if self.chain.wants(Link::Cache) {
            outcome.failures = self.list.failures(self.chain, self.sums);
        }
        outcome.checked = self.list.checked_mods;
        if let Some(error) = &self.list.graph_error {
            let first = error.lines().next().unwrap_or_default();
            let reason =
                format!("the module graph was not read, looked at is what go.sum names: {first}");
            outcome.unverified(1, "list of modules", reason, "");
        }
        let modules = || {
            self.list
                .items
                .iter()
                .filter(|item| item.rules == Rules::Module)
        };
        let absent = modules()
            .filter(|item| item.zip.is_none() && item.place == Place::None)
            .count();
        if absent > 0 {
            outcome
                .notes
                .push(amount(absent, ["module is", "modules are"]) + " not in the cache");
        }
        let loose = modules()
            .filter(|item| item.zip.is_some() && self.sums.recorded(&item.module).is_empty())
            .count();
        if loose > 0 {
            outcome.notes.push(format!(
                "{} in no go.sum: held against what was recorded when they came",
                amount(loose, ["zip is", "zips are"])
            ));
        }
        outcome.timed(since)
    }

    /// A toolchain stands in no go.sum: the database itself says what its zip is.
    fn ask_database(&self, passed: &Passed, outcome: &mut Outcome) {
        let Some(item) = self
            .list
            .items
            .iter()
            .find(|item| item.rules != Rules::Module)
        else {
            return;
        };
        let known = self.chain.modules.fetcher().database_sums(&item.module);
        let sum = passed.sum.as_ref().or(item.record.sum.as_ref());
        match (known, sum) {
            (Ok(Some(known)), Some(sum)) if !known.contains(sum) => {
                let file = item.zip.as_ref().map_or(&item.record.file, |(zip, _)| zip);
                let failure = Failure::new(Link::Toolchain, Problem::Forged, file.clone())
                    .of(&item.module)
                    .saying(known.join(", "), sum.clone())
                    .because("who delivered the toolchain is hostile, or its zip was exchanged");
                outcome.failures.push(failure);
            }
            (Ok(Some(_)), Some(_)) => {}
            (Ok(_), _) => outcome.unverified(
                1,
                "sum of the toolchain's zip",
                "the settings keep it from the checksum database",
                "",
            ),
            (Err(error), _) if error.is_security() => {
                let failure =
                    Failure::new(Link::Toolchain, Problem::Forged, item.record.file.clone())
                        .of(&item.module)
                        .saying("an answer that the checksum database has signed", error.to_string())
                        .because("a proxy or a network between here and the checksum database answers in its name")
                        .fixed_by("GOPROXY=direct steady verify -links toolchain");
                outcome.failures.push(failure);
            }
            (Err(error), _) => {
                let text = error.to_string();
                let first = text.lines().next().unwrap_or_default().to_owned();
                outcome.unverified(1, "sum of the toolchain's zip", first, "");
            }
        }
    }
}
