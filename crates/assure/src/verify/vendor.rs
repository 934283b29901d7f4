//! The vendor directory: modules.txt against go.mod, and every file against the module zips.
//!
//! Which files belong in it, the vendor writer knows: its plan says for each of them where it comes from. The plan needs packages to
//! be loaded, which makes up for what the module cache lacks; so it is not asked for while something in the cache is wrong that has to
//! be told first. Without it each file is still held against the module that modules.txt gives its package to; what should be there
//! and is not cannot be told then, and that is said.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use steady_module::ModuleVersion;
use steady_module::amount::noun;
use steady_module::changes::changes;
use steady_module::modules_txt::ModulesTxt;
use steady_packages::modload::VendorPlan;
use steady_system::FileKind;

use super::cache::{Item, Listing, Place};
use super::sums::Sums;
use super::tree::{Listed, Print};
use super::{Chain, FILES, Failure, Link, Outcome, Problem, copies};

const LIST: &str = "modules.txt";
const DRIFT: &str =
    "an editor, a merge, or a change of go.mod that the vendor directory was not made anew for";

/// Copies by their names in a zip.
type Copies = HashMap<String, Vec<Utf8PathBuf>>;

/// The vendor directory as it is, and what it should be.
pub(super) struct Vendor {
    /// The directory.
    pub dir: Utf8PathBuf,
    /// What is to be held against each module's zip.
    pub copies: HashMap<ModuleVersion, Copies>,
    there: bool,
    checked: usize,
    failures: Vec<Failure>,
    /// Why it is not known what should be there.
    no_plan: Option<String>,
    spent: Duration,
}

impl Vendor {
    pub fn new(chain: &Chain<'_>, sums: &Sums, list: &Listing) -> Vendor {
        let since = Instant::now();
        let dir = chain.modules.vendor_place().unwrap_or_default();
        let mut vendor = Vendor {
            there: chain.files.is_dir(&dir),
            dir,
            copies: HashMap::new(),
            checked: 0,
            failures: Vec::new(),
            no_plan: None,
            spent: Duration::ZERO,
        };
        if vendor.there {
            vendor.look(chain, sums, list);
        }
        vendor.spent = since.elapsed();
        vendor
    }

    fn look(&mut self, chain: &Chain<'_>, sums: &Sums, list: &Listing) {
        let text = self.list_text(chain);
        let txt = ModulesTxt::parse(&text);
        for line in chain.modules.vendor_disagreements(&txt) {
            self.disagreement(chain, &line);
        }
        let mut listed = match Listed::new(chain.files, &self.dir) {
            Ok(listed) => listed,
            Err(error) => {
                let failure = failure(chain, Problem::Unreadable, self.dir.clone());
                let failure = failure.saying("a directory", error.to_string());
                self.failures.push(failure);
                return;
            }
        };
        listed.take(LIST);
        match self.plan(chain, sums, list) {
            Ok(plan) => {
                self.compare_list(chain, &text, &plan.modules_txt);
                self.by_plan(chain, list, &plan, &mut listed);
            }
            Err(reason) => {
                self.no_plan = Some(reason);
                self.by_list(chain, &txt, &mut listed);
            }
        }
        for extra in listed.rest() {
            self.checked += 1;
            let nothing = || "no file: no vendored package has it".to_owned();
            self.failures.push(
                failure(chain, extra.problem, listed.path(extra.name))
                    .saying(extra.expected.unwrap_or_else(nothing), extra.found),
            );
        }
    }

    fn list_text(&mut self, chain: &Chain<'_>) -> String {
        let file = self.dir.join(LIST);
        let kind = chain.files.lstat(&file).map(|meta| meta.kind).ok();
        self.checked += 1;
        if kind == Some(FileKind::File)
            && let Ok(bytes) = chain.files.read(&file)
        {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        let (problem, found) = match kind {
            None => (Problem::Missing, "no file"),
            Some(FileKind::File) => (Problem::Unreadable, "a file that cannot be read"),
            Some(_) => (Problem::Linked, "a link, or no regular file"),
        };
        let failure = failure(chain, problem, file).saying("the list of vendored modules", found);
        self.failures.push(failure);
        String::new()
    }

    /// A line of what go says of inconsistent vendoring: `path@version: what`.
    fn disagreement(&mut self, chain: &Chain<'_>, line: &str) {
        let (module, what) = line.split_once(": ").unwrap_or(("", line));
        let module = match module.split_once('@') {
            Some((path, version)) => ModuleVersion::new(path, version),
            None => ModuleVersion::new(module, ""),
        };
        self.failures.push(
            failure(chain, Problem::Stale, self.dir.join(LIST))
                .of(&module)
                .saying("what go.mod says", format!("{module} {what}")),
        );
    }

    fn compare_list(&mut self, chain: &Chain<'_>, text: &str, wanted: &str) {
        if text == wanted || !chain.files.exists(self.dir.join(LIST)) {
            return;
        }
        let problem = match text {
            "" => Problem::Empty,
            text if wanted.starts_with(text) => Problem::Truncated,
            text if text.contains("<<<<<<< ") => Problem::Conflicting,
            text if has_duplicates(text) => Problem::Duplicated,
            _ => Problem::Edited,
        };
        let mut lines = changes(text, wanted).trim().replace("\n\t", "; ");
        if lines.is_empty() {
            "lines in another order".clone_into(&mut lines);
        }
        let found = format!("a list that lacks (+) or has besides (-): {lines}");
        self.failures.push(
            failure(chain, problem, self.dir.join(LIST))
                .saying("the list that go.mod and the packages give", found),
        );
    }

    /// What the directory should hold.
    fn plan(&self, chain: &Chain<'_>, sums: &Sums, list: &Listing) -> Result<VendorPlan, String> {
        if list.is_suspicious(chain.files, sums) {
            return Err("the module cache has to be in order first, see the link cache".to_owned());
        }
        let context = Arc::clone(&chain.context);
        let found = chain
            .modules
            .packages_to_vendor(Arc::clone(&context))
            .map_err(|error| error.to_string())?;
        if let Some(error) = found.errors(true).first() {
            return Err(error.to_string());
        }
        let plan = chain.modules.plan_vendor(&found, &context);
        plan.map_err(|error| error.to_string())
    }

    fn by_plan(
        &mut self,
        chain: &Chain<'_>,
        list: &Listing,
        plan: &VendorPlan,
        listed: &mut Listed,
    ) {
        let fetcher = chain.modules.fetcher();
        let dirs: HashMap<Utf8PathBuf, &ModuleVersion> = list
            .items
            .iter()
            .filter_map(|item| Some((fetcher.extracted_path(&item.module).ok()?, &item.module)))
            .collect();
        let mut buffer = Vec::new();
        for (place, from) in plan.files() {
            if listed.take(place.as_str()).is_none() && listed.is_behind_link(place.as_str()) {
                continue;
            }
            let owner = from.ancestors().skip(1).find_map(|dir| {
                let name = from.strip_prefix(dir).ok()?;
                Some((*dirs.get(dir)?, name))
            });
            if let Some((module, name)) = owner {
                self.expect(module, name.as_str(), &place);
                continue;
            }
            // A directory stands in for the module: its file is the measure.
            self.checked += 1;
            match chain.files.read(&from) {
                Ok(bytes) => {
                    let mut copy = copies::open(chain, self.dir.join(&place));
                    copy.take(&bytes, &mut buffer);
                    let found = copies::settle(chain, copy, Print::of(&bytes));
                    let cause = "the directory that replaces the module was changed since, or the copy was edited";
                    self.failures
                        .extend(found.map(|failure| failure.because(cause)));
                }
                Err(error) => self.failures.push(
                    failure(chain, Problem::Unreadable, from.clone())
                        .saying("a file to copy", error.to_string()),
                ),
            }
        }
    }

    fn expect(&mut self, module: &ModuleVersion, name: &str, place: &Utf8Path) {
        let copies = self.copies.entry(module.clone()).or_default();
        let places = copies.entry(name.to_owned()).or_default();
        places.push(place.to_owned());
    }

    /// Each file against the module whose package is the nearest above it.
    fn by_list(&mut self, chain: &Chain<'_>, txt: &ModulesTxt, listed: &mut Listed) {
        let names: Vec<String> = listed.names().map(str::to_owned).collect();
        for name in names {
            let owner = Utf8Path::new(&name)
                .ancestors()
                .skip(1)
                .find_map(|dir| txt.packages.get(dir.as_str()))
                .or_else(|| {
                    // Licences lie above packages.
                    let above =
                        |module: &&ModuleVersion| name.starts_with(&format!("{}/", module.path));
                    txt.list
                        .iter()
                        .filter(above)
                        .max_by_key(|module| module.path.len())
                });
            let Some(module) = owner else { continue };
            let Some(below) = name.strip_prefix(&format!("{}/", module.path)) else {
                continue;
            };
            listed.take(&name);
            let by = match chain.modules.replacement(module) {
                Some(new) if new.version.is_empty() => continue,
                Some(new) => new.clone(),
                None => module.clone(),
            };
            let below = below.to_owned();
            self.expect(&by, &below, Utf8Path::new(&name));
        }
        let dirs: HashSet<&Utf8Path> = listed
            .names()
            .filter_map(|name| Utf8Path::new(name).parent())
            .collect();
        let lost: Vec<Utf8PathBuf> = txt
            .packages
            .keys()
            .filter(|package| !dirs.contains(Utf8Path::new(package.as_str())))
            .map(|package| self.dir.join(package))
            .collect();
        for dir in lost {
            self.failures.push(
                failure(chain, Problem::Missing, dir)
                    .saying("the files of a package that modules.txt names", "no file"),
            );
        }
    }

    /// Modules that were fetched while the plan was made, as they are now.
    pub fn renewed(&self, chain: &Chain<'_>, list: &Listing) -> Vec<Item> {
        let absent = |item: &&Item| {
            item.zip.is_none()
                && item.place == Place::None
                && self.copies.contains_key(&item.module)
        };
        let items = list.items.iter().filter(absent);
        items
            .map(|item| Item::new(chain, item.module.clone()))
            .collect()
    }

    /// Adds what was found here to what the pass over the zips found.
    pub fn finish(self, chain: &Chain<'_>, outcome: &mut Outcome, skipped: usize) {
        if !self.there {
            outcome
                .notes
                .push("there is no vendor directory".to_owned());
        }
        outcome.elapsed += self.spent;
        outcome.checked += self.checked;
        outcome.failures.extend(self.failures);
        if let Some(reason) = self.no_plan {
            let first = reason.lines().next().unwrap_or_default();
            let reason = format!("which files should be there is not known: {first}");
            outcome.unverified(1, "list of files", reason, &chain.vendor_command);
        }
        if skipped > 0 {
            let reason = "no good zip of their modules is in the cache";
            outcome.unverified(skipped, noun(skipped, FILES), reason, super::REPAIR);
        }
    }
}

/// Whether a package stands in the list twice.
fn has_duplicates(text: &str) -> bool {
    let mut seen = HashSet::new();
    let mut lines = text.lines().filter(|line| !line.starts_with("##"));
    lines.any(|line| !seen.insert(line))
}

/// A failure of the vendor directory.
pub(super) fn failure(chain: &Chain<'_>, problem: Problem, file: Utf8PathBuf) -> Failure {
    Failure::new(Link::Vendor, problem, file)
        .because(DRIFT)
        .fixed_by(&*chain.vendor_command)
}
