//! Where the sums of a module version come from, and what each is proved by.
//!
//! There are two sums, of the zip and of go.mod. Each can be vouched for by lines of go.sum, by what the module cache holds (hashed
//! now), and by the checksum database, whose answer counts only with its proof that the record is in the signed log.

use camino::Utf8PathBuf;
use steady_module::{ModuleVersion, gosum, path};
use steady_packages::modload::Modules;
use steady_system::Files;

/// One of the two sums of a version.
#[derive(Debug)]
pub struct Answer {
    /// The module; its version ends in `/go.mod` for the sum of its go.mod.
    pub module: ModuleVersion,
    /// What there is to be known, in the order of the chain.
    pub witnesses: Vec<Witness>,
}

/// Somebody who says what a sum is, or why not.
#[derive(Debug, Clone)]
pub struct Witness {
    /// `go.sum:12`, `module cache`, `checksum database`.
    pub place: Place,
    /// The `h1:` sum; empty if there is none to be had.
    pub sum: String,
    /// How it is known, or why there is none.
    pub how: String,
}

/// Where a sum stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of go.sum or go.work.sum.
    Line(Utf8PathBuf, usize),
    /// The module cache.
    Cache(Utf8PathBuf),
    /// The checksum database.
    Database,
}

impl Answer {
    /// The different sums that are told; one is well, two contradict one another.
    #[must_use]
    pub fn sums(&self) -> Vec<&str> {
        let mut sums: Vec<&str> = self
            .witnesses
            .iter()
            .map(|witness| witness.sum.as_str())
            .filter(|sum| !sum.is_empty())
            .collect();
        sums.sort_unstable();
        sums.dedup();
        sums
    }

    /// Does the database's signed log have just this sum?
    #[must_use]
    pub fn is_proved(&self) -> bool {
        let by_database =
            |witness: &Witness| witness.place == Place::Database && !witness.sum.is_empty();
        self.witnesses.iter().any(by_database) && self.sums().len() == 1
    }
}

/// The sums of a version: of its zip, and of its go.mod.
#[must_use]
pub fn sums(modules: &Modules, files: &Files, module: &ModuleVersion) -> [Answer; 2] {
    let go_mod = ModuleVersion::new(module.path.clone(), format!("{}/go.mod", module.version));
    [
        Answer {
            witnesses: [
                lines(modules, files, module),
                vec![zip(modules, files, module)],
                vec![database(modules, module)],
            ]
            .concat(),
            module: module.clone(),
        },
        Answer {
            witnesses: [
                lines(modules, files, &go_mod),
                vec![go_mod_file(modules, files, module)],
                vec![database(modules, &go_mod)],
            ]
            .concat(),
            module: go_mod,
        },
    ]
}

fn lines(modules: &Modules, files: &Files, module: &ModuleVersion) -> Vec<Witness> {
    let of = modules.sum_files();
    let mut found = Vec::new();
    for file in of.main.iter().chain(&of.workspace) {
        let text = files.read_to_string(file).unwrap_or_default();
        for (line, sum) in gosum::recorded(&text, module) {
            found.push(Witness {
                place: Place::Line(file.clone(), line),
                sum: sum.to_owned(),
                how: "recorded".to_owned(),
            });
        }
    }
    found
}

fn zip(modules: &Modules, files: &Files, module: &ModuleVersion) -> Witness {
    let fetcher = modules.fetcher();
    let place = Place::Cache(fetcher.cache_path(module, "zip").unwrap_or_default());
    let Some(recorded) = fetcher.sum(module) else {
        return Witness {
            place,
            sum: String::new(),
            how: "not there: it was not downloaded".to_owned(),
        };
    };
    let wrong = steady_proxy::verify(fetcher, files, std::slice::from_ref(module));
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    Witness {
        place,
        sum: recorded,
        how: if wrong.is_empty() {
            "recorded when it was downloaded; zip and directory were hashed again now and are as they were".to_owned()
        } else {
            format!(
                "recorded when it was downloaded, and no longer right: {}",
                wrong.join("; ")
            )
        },
    }
}

fn go_mod_file(modules: &Modules, files: &Files, module: &ModuleVersion) -> Witness {
    let fetcher = modules.fetcher();
    let file = fetcher.cache_path(module, "mod").unwrap_or_default();
    let there = files.is_file(&file);
    let hashed = there.then(|| fetcher.go_mod_sum(&module.path, &module.version));
    let (sum, how) = match hashed {
        Some(Ok(sum)) => (sum, "hashed now".to_owned()),
        Some(Err(error)) => (String::new(), error.to_string()),
        None => (String::new(), "not there: it was not downloaded".to_owned()),
    };
    Witness {
        place: Place::Cache(file),
        sum,
        how,
    }
}

fn database(modules: &Modules, module: &ModuleVersion) -> Witness {
    let fetcher = modules.fetcher();
    let witness = |sum: String, how: String| Witness {
        place: Place::Database,
        sum,
        how,
    };
    match fetcher.database_sums(module) {
        Ok(Some(sums)) if !sums.is_empty() => witness(
            sums[0].clone(),
            "in its log: the record's place in the signed tree was proved".to_owned(),
        ),
        Ok(Some(_)) => witness(
            String::new(),
            "its record has no sum of this kind".to_owned(),
        ),
        Ok(None) => {
            let config = fetcher.config();
            let patterns = config.gonosumdb.split(',');
            let named = patterns
                .into_iter()
                .find(|pattern| path::match_prefix_patterns(pattern, &module.path));
            let why = match (config.gosumdb.as_str(), named) {
                ("off", _) => "not asked: GOSUMDB=off".to_owned(),
                (_, Some(pattern)) => {
                    format!("not asked: {pattern:?} in GONOSUMDB (or GOPRIVATE) names the module")
                }
                _ => "not asked".to_owned(),
            };
            witness(String::new(), why)
        }
        Err(error) => witness(String::new(), format!("no answer: {error}")),
    }
}
