//! What is found out about modules beside loading their packages: are they tidy, what do authors say of what is required, is there
//! anything to exclude?

use camino::Utf8PathBuf;
use std::sync::{Arc, OnceLock};
use steady_assure::check::world::{Member, Probe};
use steady_module::ModuleVersion;
use steady_module::modules_txt::ModulesTxt;
use steady_module::path::{escape_path, escape_version};
use steady_packages::index::Index;
use steady_packages::modload::{Change, Details, ModMode, Modules, TidyOptions};
use steady_packages::package::ModulePublic;
use steady_system::FileKind;

use super::environments::Survey;
use crate::configs;
use crate::loading::{self, ModRequest};
use crate::session::Session;

/// What is done beside loading, bit by bit, when nothing is left to load.
pub struct Probes<'s> {
    survey: &'s Survey,
    index: Option<Arc<Index>>,
    found: Vec<OnceLock<Probe>>,
}

impl<'s> Probes<'s> {
    /// Each module as it is here, alone, and what git takes a while for. `index`: over the tree as it is here.
    #[must_use]
    pub fn new(survey: &'s Survey, index: Option<Arc<Index>>) -> Probes<'s> {
        let members = survey.here_layout.members.len();
        Probes {
            survey,
            index,
            found: vec![OnceLock::new(); members],
        }
    }

    /// How many things there are to do.
    #[must_use]
    pub fn len(&self) -> usize {
        self.found.len() + 1
    }

    /// Does one of them.
    pub fn work(&self, at: usize) {
        let members = &self.survey.here_layout.members;
        match (at.checked_sub(1), &self.survey.repository) {
            (None, Some(git)) => git.look_ahead(),
            (Some(at), _) if at < members.len() => {
                let session = self.survey.here.session.fork();
                let found = probe(session, &members[at], self.index.as_ref());
                let _ = self.found[at].set(found.unwrap_or_default());
            }
            _ => {}
        }
    }

    /// What was found out. What could not be (something is not in the module cache, say) is left out.
    #[must_use]
    pub fn found(self) -> Vec<Probe> {
        self.found
            .into_iter()
            .filter_map(OnceLock::into_inner)
            .collect()
    }
}

fn probe(mut session: Session, member: &Member, index: Option<&Arc<Index>>) -> Option<Probe> {
    let request = ModRequest {
        mode: Some("mod"),
        default_mode: Some(ModMode::Mod),
        force: true,
        no_workspace: true,
        main_dir: Some(&member.dir),
        index,
        lenient_sums: true,
        ..ModRequest::default()
    };
    let modules = loading::open_modules(&mut session, request).ok()?;
    // Before requirements are worked out anew: who asks for what is to be seen as it is.
    let idle = |module: &&ModuleVersion| matches!(modules.selected(&module.path), Ok(None));
    let excludes = member.file.exclude.iter().map(|exclude| &exclude.value);
    Some(Probe {
        module: member.path.clone(),
        idle_excludes: excludes.filter(idle).cloned().collect(),
        told: told(&modules, member),
        tidy: tidy(&session, &modules),
        edited: edited(&session, member),
    })
}

/// Direct requirements with what their authors say of them.
fn told(modules: &Modules, member: &Member) -> Vec<ModulePublic> {
    let direct = member
        .file
        .require
        .iter()
        .filter(|require| !require.indirect);
    let mut found: Vec<ModulePublic> = direct
        .map(|require| modules.module_info(&require.module))
        .collect();
    let details = Details {
        retracted: true,
        deprecated: true,
        ..Details::default()
    };
    modules.add_details(&mut found, details);
    found.retain(|module| !module.retracted.is_empty() || !module.deprecated.is_empty());
    found
}

/// How many edited files are worth naming.
const MANY: usize = 3;

/// Files of the vendor directory that differ from those of their modules, as far as the module cache has these.
fn edited(session: &Session, member: &Member) -> Vec<Utf8PathBuf> {
    let files = &session.files;
    let vendor = member.dir.join("vendor");
    let Ok(text) = files.read_to_string(vendor.join("modules.txt")) else {
        return Vec::new();
    };
    let list = ModulesTxt::parse(&text);
    let cache = Utf8PathBuf::from(session.settings.gomodcache().0);
    let mut out = Vec::new();
    for (package, module) in &list.packages {
        let replaced = list
            .meta
            .get(module)
            .is_some_and(|meta| !meta.replacement.path.is_empty());
        let (Ok(path), Ok(version)) = (escape_path(&module.path), escape_version(&module.version))
        else {
            continue;
        };
        let below = package.strip_prefix(&module.path).unwrap_or_default();
        let from = cache
            .join(format!("{path}@{version}"))
            .join(below.trim_start_matches('/'));
        if replaced || !files.is_dir(&from) {
            continue;
        }
        let here = vendor.join(package);
        for entry in files.read_dir(&here).unwrap_or_default() {
            let file = here.join(&entry.name);
            if entry.kind != FileKind::File || out.len() == MANY {
                continue;
            }
            if files.read(from.join(&entry.name)).ok() != files.read(&file).ok() {
                out.push(file);
            }
        }
    }
    out
}

fn tidy(session: &Session, modules: &Modules) -> Option<[Change; 2]> {
    let options = TidyOptions::default();
    let key = modules.tidy_key(&options);
    if key.as_ref().is_some_and(|key| modules.was_tidy(key)) {
        return None;
    }
    let context = Arc::new(configs::plain_context(session).ok()?);
    let tidy = modules.tidy(context, &options).ok()?;
    if !tidy.packages.errors(true).is_empty() {
        return None;
    }
    let changes = modules.diff_tidy(&tidy).ok()?;
    let same = changes.iter().all(|change| change.before == change.after);
    if let Some(key) = key.filter(|_| same) {
        modules.remember_tidy(&key, &tidy);
    }
    (!same).then_some(changes)
}
