//! Where two programs part.

use object::{Object as _, ObjectSection as _};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use steady_build::buildinfo::{BuildInfo, BuildModule};
use steady_module::amount;

/// One difference between a program that was given and one that was built here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(
    tag = "What",
    rename_all = "lowercase",
    rename_all_fields = "PascalCase"
)]
pub enum Parting {
    /// What build info says; empty where it says nothing.
    Info {
        /// `toolchain`, `setting GOAMD64`, `module example.com/a`.
        name: String,
        /// Of the program given.
        given: String,
        /// Of the one built here.
        here: String,
    },
    /// A section.
    Section {
        /// Its name.
        name: String,
        /// Its size; none if the program given has no such section.
        given: Option<usize>,
        /// Its size in the one built here.
        here: Option<usize>,
        /// How many bytes differ, where both are of one size.
        differing: Option<usize>,
    },
    /// One of them is no program of a known format, so that sections cannot be compared.
    Format,
    /// The size of the files.
    Size {
        /// Of the program given.
        given: usize,
        /// Of the one built here.
        here: usize,
    },
    /// The first byte that differs.
    Byte {
        /// Counted from the beginning of the file.
        offset: usize,
        /// The section of the program given that it lies in, if it lies in one.
        section: Option<String>,
    },
}

impl Parting {
    /// It may be because of the name of the build mode, which goes into build ids.
    #[must_use]
    pub fn is_build_id(&self) -> bool {
        matches!(self, Parting::Section { name, .. } if name.contains(".buildid"))
    }
}

impl fmt::Display for Parting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Parting::Info { name, given, here } => {
                let shown = |text: &'_ str| match text {
                    "" => "nothing".to_owned(),
                    text => text.to_owned(),
                };
                write!(f, "{name}: {}, here {}", shown(given), shown(here))
            }
            Parting::Section {
                name,
                given,
                here,
                differing,
            } => match (given, here, differing) {
                (None, _, _) => write!(f, "section {name}: only in the one that was built here"),
                (_, None, _) => write!(f, "section {name}: only in the program given"),
                (Some(size), _, Some(count)) => {
                    let size = amount::bytes(*size);
                    write!(f, "section {name}: {count} of {size} differ")
                }
                (Some(given), Some(here), None) => {
                    let given = amount::bytes(*given);
                    write!(f, "section {name}: {given}, here {here}")
                }
            },
            Parting::Format => f.write_str("format: one of them is no program of a known format"),
            Parting::Size { given, here } => {
                write!(f, "size: {}, here {here}", amount::bytes(*given))
            }
            Parting::Byte { offset, section } => {
                write!(f, "first byte that differs: {offset}")?;
                match section {
                    Some(section) => write!(f, " (in {section})"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// Where two programs part, the most telling first; empty only if they are the same.
#[must_use]
pub fn partings(given: (&[u8], &BuildInfo), here: (&[u8], &BuildInfo)) -> Vec<Parting> {
    if given.0 == here.0 {
        return Vec::new();
    }
    let mut found = of_info(given.1, here.1);
    found.extend(of_sections(given.0, here.0));
    if given.0.len() != here.0.len() {
        found.push(Parting::Size {
            given: given.0.len(),
            here: here.0.len(),
        });
    }
    if let Some(offset) = given.0.iter().zip(here.0).position(|(a, b)| a != b) {
        found.push(Parting::Byte {
            offset,
            section: section_at(given.0, offset),
        });
    }
    found
}

/// The section that a byte of the file lies in.
fn section_at(program: &[u8], offset: usize) -> Option<String> {
    let program = object::File::parse(program).ok()?;
    let offset = u64::try_from(offset).ok()?;
    let mut sections = program.sections();
    let section = sections.find(|section| {
        let range = section.file_range();
        range.is_some_and(|(start, size)| (start..start + size).contains(&offset))
    })?;
    section.name().ok().map(str::to_owned)
}

fn of_info(given: &BuildInfo, here: &BuildInfo) -> Vec<Parting> {
    let mut found = Vec::new();
    let mut tell = |name: &str, given: &str, here: &str| {
        if given != here {
            found.push(Parting::Info {
                name: name.to_owned(),
                given: given.to_owned(),
                here: here.to_owned(),
            });
        }
    };
    tell("toolchain", &given.go_version, &here.go_version);
    tell("main package", &given.path, &here.path);
    tell(
        "main module",
        &described(&given.main),
        &described(&here.main),
    );
    let settings = |info: &BuildInfo| -> BTreeMap<String, String> {
        let settings = info.settings.iter();
        settings
            .map(|setting| (setting.key.clone(), setting.value.clone()))
            .collect()
    };
    let modules = |info: &BuildInfo| -> BTreeMap<String, String> {
        let deps = info.deps.iter();
        deps.map(|dep| (dep.path.clone(), described(dep))).collect()
    };
    for (what, given, here) in [
        ("setting", settings(given), settings(here)),
        ("module", modules(given), modules(here)),
    ] {
        let mut keys: Vec<&String> = given.keys().chain(here.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let value = |of: &BTreeMap<String, String>| of.get(key).cloned().unwrap_or_default();
            tell(&format!("{what} {key}"), &value(&given), &value(&here));
        }
    }
    found
}

fn described(module: &BuildModule) -> String {
    let own = format!("{} {} {}", module.path, module.version, module.sum);
    let own = own.trim_end().to_owned();
    match &module.replace {
        Some(new) => format!("{own} => {}", described(new)),
        None => own,
    }
}

/// Which sections differ.
fn of_sections(given: &[u8], here: &[u8]) -> Vec<Parting> {
    let (Ok(given), Ok(here)) = (object::File::parse(given), object::File::parse(here)) else {
        return vec![Parting::Format];
    };
    let sections = |file: &object::File<'_>| -> BTreeMap<String, Vec<u8>> {
        let all = file.sections();
        all.filter_map(|section| {
            let name = section.name().ok()?.to_owned();
            Some((name, section.data().ok()?.to_vec()))
        })
        .collect()
    };
    let (given, here) = (sections(&given), sections(&here));
    let added = here.keys().filter(|name| !given.contains_key(*name));
    let mut found = Vec::new();
    for name in given.keys().chain(added) {
        let (old, new) = (given.get(name), here.get(name));
        if old == new {
            continue;
        }
        let differing = old.zip(new).filter(|(a, b)| a.len() == b.len());
        found.push(Parting::Section {
            name: name.clone(),
            given: old.map(Vec::len),
            here: new.map(Vec::len),
            differing: differing.map(|(a, b)| a.iter().zip(b).filter(|(a, b)| a != b).count()),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> BuildInfo {
        BuildInfo::parse(text).unwrap()
    }

    #[test]
    fn programs_part_in_settings_and_modules() {
        let one = info("path\tm\nmod\tm\t(devel)\t\ndep\td\tv1.0.0\th1:a\nbuild\tGOAMD64=v1\n");
        let other = info("path\tm\nmod\tm\t(devel)\t\ndep\td\tv1.1.0\th1:b\nbuild\tGOAMD64=v3\n");
        assert!(partings((b"x", &one), (b"x", &one)).is_empty());
        let found = partings((b"xa", &one), (b"xb", &other));
        assert_eq!(found[0].to_string(), "setting GOAMD64: v1, here v3");
        assert_eq!(
            found[1].to_string(),
            "module d: d v1.0.0 h1:a, here d v1.1.0 h1:b"
        );
        assert_eq!(
            found.last().unwrap().to_string(),
            "first byte that differs: 1"
        );
    }
}
