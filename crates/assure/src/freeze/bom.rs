//! A bill of materials: which modules a program is made of, at which versions, and who needs whom. From loaded packages, or from what a
//! program says of itself.

use camino::Utf8Path;
use std::collections::{BTreeMap, BTreeSet};
use steady_build::buildinfo::{BuildInfo, BuildModule};
use steady_module::ModuleVersion;
use steady_packages::modload::Modules;
use steady_packages::package::{ModulePublic, PackageId, PackageSet};
use steady_proxy::Fetcher;
use steady_system::Files;

use super::licence;

/// What a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the bill is about.
    Subject,
    /// Another module of the same workspace.
    Member,
    /// A module.
    Module,
    /// The standard library.
    Standard,
}

/// One part of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// What it is.
    pub kind: Kind,
    /// Its module path; `std` for the standard library.
    pub path: String,
    /// Its version; empty if it is a directory.
    pub version: String,
    /// The `h1:` sum of its zip, or empty.
    pub sum: String,
    /// What it stands in for, if it replaces another module: path and version.
    pub replaces: Option<ModuleVersion>,
    /// SPDX identifier of its licence, if that is known for sure.
    pub licence: Option<&'static str>,
}

impl Component {
    /// One of which nothing is known but what it is and its path.
    #[must_use]
    pub fn bare(kind: Kind, path: impl Into<String>) -> Component {
        Component {
            kind,
            path: path.into(),
            version: String::new(),
            sum: String::new(),
            replaces: None,
            licence: None,
        }
    }

    /// What others call it, here and in both formats: its package URL. Paths keep their case: two that differ in it are two modules.
    #[must_use]
    pub fn purl(&self) -> String {
        let path: Vec<String> = self.path.split('/').map(escape).collect();
        match self.version.as_str() {
            "" => format!("pkg:golang/{}", path.join("/")),
            version => format!("pkg:golang/{}@{}", path.join("/"), escape(version)),
        }
    }
}

/// Everything but letters, digits and `-._~:` in percent form.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' | b':' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A bill of materials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bom {
    /// Name of what it is about: a program's file name, or the main module's path.
    pub name: String,
    /// The first is the subject; the rest by package URL.
    pub components: Vec<Component>,
    /// Package URLs of what each component needs, by package URL.
    pub needs: BTreeMap<String, BTreeSet<String>>,
    /// SHA-256 of the program, if it is about one.
    pub sha256: String,
    /// When it was made, as far as that follows from what it is about: RFC 3339.
    pub created: Option<String>,
    /// Version of Steady.
    pub tool: String,
    /// Build settings of a program.
    pub settings: Vec<(String, String)>,
}

/// What finding sums and licences takes.
pub struct Lookup<'a> {
    /// Where modules are kept.
    pub fetcher: &'a Fetcher,
    /// The disk.
    pub files: &'a Files,
    /// Version of Go that is linked, without `go`.
    pub go_version: String,
    /// Version of Steady.
    pub tool: String,
    /// When the document is said to be made.
    pub created: Option<String>,
}

impl Lookup<'_> {
    fn licence(&self, module: &ModuleVersion) -> Option<&'static str> {
        let dir = self.fetcher.download_dir(module).ok()?;
        licence::of_dir(self.files, &dir)
    }

    fn standard(&self) -> Component {
        Component {
            version: self.go_version.clone(),
            ..Component::bare(Kind::Standard, "std")
        }
    }

    fn module(&self, module: &ModuleVersion, replaces: Option<ModuleVersion>) -> Component {
        let sum = self.fetcher.recorded_sum(module);
        Component {
            kind: Kind::Module,
            path: module.path.clone(),
            version: module.version.clone(),
            sum: sum.or_else(|| self.fetcher.sum(module)).unwrap_or_default(),
            replaces,
            licence: self.licence(module),
        }
    }

    /// The bill of packages with everything that they import.
    #[must_use]
    pub fn of_packages(&self, modules: &Modules, set: &PackageSet, roots: &[PackageId]) -> Bom {
        let mut parts: BTreeMap<String, Component> = BTreeMap::new();
        let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let all = set.with_dependencies(roots);
        let mut purls: BTreeMap<PackageId, String> = BTreeMap::new();
        for id in all {
            let public = &set[id].public;
            let component = match &public.module {
                Some(module) => self.of_public(module),
                None if public.standard => self.standard(),
                None => continue,
            };
            let purl = component.purl();
            for import in &set[id].internal.imports {
                if let Some(other) = purls.get(import).filter(|other| **other != purl) {
                    needs.entry(purl.clone()).or_default().insert(other.clone());
                }
            }
            purls.insert(id, purl.clone());
            parts.entry(purl).or_insert(component);
        }
        let subject = roots
            .iter()
            .filter_map(|root| purls.get(root))
            .find_map(|purl| parts.get(purl))
            .filter(|component| component.kind == Kind::Member)
            .map(|component| component.path.clone())
            .or_else(|| modules.mains().first().map(|main| main.path.clone()))
            .unwrap_or_default();
        self.assemble(&subject, parts, needs)
    }

    fn of_public(&self, module: &ModulePublic) -> Component {
        let asked = ModuleVersion::new(&*module.path, &*module.version);
        match &module.replace {
            Some(new) if new.version.is_empty() => Component {
                replaces: Some(asked),
                licence: licence::of_dir(self.files, Utf8Path::new(&module.dir)),
                ..Component::bare(Kind::Module, module.path.clone())
            },
            Some(new) => self.module(&ModuleVersion::new(&*new.path, &*new.version), Some(asked)),
            None if module.main => Component {
                licence: licence::of_dir(self.files, Utf8Path::new(&module.dir)),
                ..Component::bare(Kind::Member, module.path.clone())
            },
            None => self.module(&asked, None),
        }
    }

    fn assemble(
        &self,
        subject: &str,
        mut parts: BTreeMap<String, Component>,
        needs: BTreeMap<String, BTreeSet<String>>,
    ) -> Bom {
        let own = parts
            .iter()
            .find(|(_, part)| part.kind == Kind::Member && part.path == subject)
            .map(|(purl, _)| purl.clone());
        let mut first = own
            .and_then(|purl| parts.remove(&purl))
            .unwrap_or_else(|| Component::bare(Kind::Subject, subject));
        first.kind = Kind::Subject;
        let mut components = vec![first];
        components.extend(parts.into_values());
        Bom {
            name: subject.to_owned(),
            components,
            needs,
            sha256: String::new(),
            created: self.created.clone(),
            tool: self.tool.clone(),
            settings: Vec::new(),
        }
    }

    /// The bill of a program by its build info, which knows modules and not who needs whom: the program needs them all.
    #[must_use]
    pub fn of_program(&self, name: &str, bytes: &[u8], info: &BuildInfo) -> Bom {
        let part = |module: &BuildModule| {
            let used = module.replace.as_deref().unwrap_or(module);
            let asked = ModuleVersion::new(&*module.path, &*module.version);
            let replaces = module.replace.is_some().then_some(asked);
            if used.is_local() {
                return Component {
                    replaces,
                    ..Component::bare(Kind::Module, module.path.clone())
                };
            }
            let used_version = ModuleVersion::new(&*used.path, &*used.version);
            Component {
                sum: used.sum.clone(),
                ..self.module(&used_version, replaces)
            }
        };
        let mut first = part(&info.main);
        first.kind = Kind::Subject;
        if first.path.is_empty() {
            first.path.clone_from(&info.path);
        }
        let mut rest: BTreeMap<String, Component> = BTreeMap::new();
        for component in info.deps.iter().map(part).chain([self.standard()]) {
            rest.insert(component.purl(), component);
        }
        let needs = BTreeMap::from([(first.purl(), rest.keys().cloned().collect())]);
        let settings = info.settings.iter();
        let when = settings.clone().find(|setting| setting.key == "vcs.time");
        let mut components = vec![first];
        components.extend(rest.into_values());
        Bom {
            name: name.to_owned(),
            components,
            needs,
            sha256: super::sha256(bytes),
            created: self
                .created
                .clone()
                .or(when.map(|setting| setting.value.clone())),
            tool: self.tool.clone(),
            settings: settings
                .map(|setting| (setting.key.clone(), setting.value.clone()))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_urls() {
        let mut component = Component {
            kind: Kind::Module,
            path: "example.com/Big/mod/v2".to_owned(),
            version: "v2.0.0+incompatible".to_owned(),
            sum: String::new(),
            replaces: None,
            licence: None,
        };
        assert_eq!(
            component.purl(),
            "pkg:golang/example.com/Big/mod/v2@v2.0.0%2Bincompatible"
        );
        component.version.clear();
        assert_eq!(component.purl(), "pkg:golang/example.com/Big/mod/v2");
    }
}
