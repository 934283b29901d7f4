//! `go list` of packages.

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use steady_build::{ListNeeds, Sink};
use steady_packages::load::Loaded;
use steady_packages::modload::{Details, Modules};
use steady_packages::package::{ModulePublic, PackageError, PackageId};
use steady_packages::reached::Reached;
use steady_packages::source::BuildContext;

use crate::configs::BuildRequest;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::loading::{self, ModRequest, Request};
use crate::session::Session;
use crate::template::data::{CONTEXT, object};

use super::format::{Format, JsonFlag, Shower};
use super::{ListFlags, check_retracted, functions};

/// Loads, completes and shows packages.
pub fn list(
    session: &mut Session,
    flags: &ListFlags,
    json: JsonFlag,
    patterns: &[String],
) -> Result {
    let template = flags
        .f
        .as_deref()
        .filter(|f| !f.is_empty())
        .unwrap_or("{{.ImportPath}}");
    // Whether a template looks at a field must be known before loading, and its functions need what loading knows.
    let early = Format::new(json.clone(), template, functions(gotmpl::Value::Nil, None))?;
    let stale = match &early {
        Format::Json(json) => json.needs(&["Stale", "StaleReason"]),
        _ => template.contains(".Stale"),
    };
    let request = request(flags, &early, stale);
    let bench = loading::prepare(session, request)?;
    check_retracted(flags, &bench.modules)?;
    let mut loaded = bench.load(session, patterns)?;
    if !flags.e && !report(session, &mut loaded) {
        return Err(Failure::Said(Status::FAILED));
    }
    let sink: Arc<dyn Sink> = session.printer.clone();
    if flags.test {
        add_tests(&mut loaded, flags.e)?;
        let mains: Vec<PackageId> = loaded.tests.iter().map(|tests| tests.main).collect();
        steady_build::command::keep_test_mains(&bench.config, &mut loaded.set, &mains, &sink)?;
        for id in mains {
            // What names files of the build cache holds as long as they are there.
            let files = &loaded.set[id].public.files.go_files;
            files.iter().for_each(|file| _ = session.files.exists(file));
        }
    }
    let shown: Vec<PackageId> = if flags.deps {
        loaded.with_dependencies()
    } else {
        loaded.roots.clone()
    };
    if flags.deps && !flags.e {
        for id in &shown {
            if let Some(error) = &loaded.set[*id].public.error {
                session.printer.error_plain(error.to_string());
            }
        }
    }
    let context = context_value(&bench.context);
    if flags.retracted {
        session.spoil_answer(); // proxies are asked
    }
    if stale || flags.export || flags.compiled {
        let needs = ListNeeds {
            is_list: true,
            export: flags.export,
            compiled_go_files: flags.compiled,
            errors: flags.e,
        };
        let built: Vec<PackageId> = shown
            .iter()
            .copied()
            .filter(|id| {
                let files = &loaded.set[*id].public.files;
                !files.go_files.is_empty() || !files.cgo_files.is_empty()
            })
            .collect();
        steady_build::command::list(bench.config, &mut loaded.set, &built, needs, sink)?;
    }
    if flags.compiled {
        // What cgo adds to a package is imported by the files that are compiled.
        for id in &shown {
            let package = &mut loaded.set[*id];
            let added = package.internal.compiled_imports.clone();
            package.public.imports.extend(added);
        }
    }
    if flags.retracted {
        add_retractions(&bench.modules, &mut loaded, &shown);
    }
    resolve_test_imports(&mut loaded, &shown);
    let split = flags.build.pgo.as_deref().unwrap_or("auto") == "auto" && loaded.roots.len() > 1;
    if flags.test || split {
        name_copies(&mut loaded);
    }
    complete(&mut loaded, &shown, &early);
    let functions = functions(context, Some(bench.modules));
    let format = Format::new(json, template, functions)?;
    let shower = Shower::new(&format, &session.printer);
    let reached = early.needs(&["Deps"]).then(|| Reached::of(&loaded.set));
    for id in shown {
        if session.printer.is_closed() {
            break;
        }
        if let Some(reached) = &reached {
            let path = |dep: PackageId| loaded.set[dep].public.import_path.clone();
            let deps: BTreeSet<String> = reached.all(id).map(path).collect();
            loaded.set[id].public.deps = deps.into_iter().collect();
        }
        shower.package(&loaded.set[id].public)?;
        loaded.set[id].public.deps = Vec::new();
    }
    Ok(Status::DONE)
}

/// What loading is asked for.
fn request<'a>(flags: &'a ListFlags, format: &Format, stale: bool) -> Request<'a> {
    Request {
        find: flags.find,
        stamp: flags.export || stale,
        auto_vcs: true,
        tests: flags.test,
        skip_embeds: match format {
            Format::Json(json) => {
                let embeds = ["EmbedFiles", "TestEmbedFiles", "XTestEmbedFiles"];
                !flags.export && !json.needs(&embeds)
            }
            _ => false,
        },
        ..Request::of(
            BuildRequest {
                v: flags.verbose.v,
                cover: Some(&flags.cover),
                ..BuildRequest::of(&flags.build)
            },
            ModRequest {
                trace: flags.build.trace.x,
                ..ModRequest::of(&flags.modmode, &flags.modules)
            },
        )
    }
}

/// Prints errors of the packages named and takes those packages out. False: there were some.
fn report(session: &Session, loaded: &mut Loaded) -> bool {
    let mut good = true;
    for id in &loaded.roots {
        if let Some(error) = &loaded.set[*id].public.error {
            session.printer.error_plain(error.to_string());
            good = false;
        }
    }
    good
}

/// Lists tests' packages behind those that were named.
fn add_tests(loaded: &mut Loaded, with_errors: bool) -> Result<()> {
    if let Some(error) = loading::test_error(loaded).filter(|_| !with_errors) {
        return Err(Failure::error(format!("can't load test package: {error}")));
    }
    for tests in loaded.tests.clone() {
        loaded.roots.extend(tests.members());
    }
    Ok(())
}

/// Finds out which modules of the packages shown were taken back.
fn add_retractions(modules: &Modules, loaded: &mut Loaded, shown: &[PackageId]) {
    let mut known: BTreeMap<(String, String), ModulePublic> = BTreeMap::new();
    for id in shown {
        if let Some(module) = &loaded.set[*id].public.module {
            let key = (module.path.clone(), module.version.clone());
            known.entry(key).or_insert_with(|| (**module).clone());
        }
    }
    let mut list: Vec<ModulePublic> = known.values().cloned().collect();
    let details = Details {
        retracted: true,
        ..Details::default()
    };
    modules.add_details(&mut list, details);
    let list: Vec<Arc<ModulePublic>> = list.into_iter().map(Arc::new).collect();
    let places: Vec<_> = known.into_keys().collect();
    for id in shown {
        let module = &mut loaded.set[*id].public.module;
        let key = module
            .as_ref()
            .map(|module| (module.path.clone(), module.version.clone()));
        if let Some(at) = key.and_then(|key| places.binary_search(&key).ok()) {
            *module = Some(Arc::clone(&list[at]));
        }
    }
}

/// Imports of tests are shown as they are resolved for the package itself.
fn resolve_test_imports(loaded: &mut Loaded, shown: &[PackageId]) {
    for id in shown {
        let public = &mut loaded.set[*id].public;
        for imports in [&mut public.test_imports, &mut public.x_test_imports] {
            let resolved = imports
                .drain(..)
                .map(|import| public.import_map.get(&import).cloned().unwrap_or(import));
            *imports = resolved.collect::<BTreeSet<String>>().into_iter().collect();
        }
    }
}

/// Tells packages that were compiled for a test, or with the profile of a program, from the ordinary ones: `p [q.test]`, `p [q]`.
fn name_copies(loaded: &mut Loaded) {
    let all = loaded.with_dependencies();
    let mut old: HashMap<PackageId, String> = HashMap::new();
    for id in &all {
        let package = &mut loaded.set[*id];
        if !package.public.for_test.is_empty() || !package.internal.for_main.is_empty() {
            let name = package.description();
            old.insert(
                *id,
                std::mem::replace(&mut package.public.import_path, name),
            );
        }
    }
    for id in &all {
        let mut names: HashMap<&str, String> = HashMap::new();
        for import in &loaded.set[*id].internal.imports {
            if let Some(path) = old.get(import) {
                names.insert(path, loaded.set[*import].public.import_path.clone());
            }
        }
        for import in &mut loaded.set[*id].public.imports {
            if let Some(name) = names.get(import.as_str()) {
                import.clone_from(name);
            }
        }
    }
}

/// What templates get from `context`.
fn context_value(context: &BuildContext) -> gotmpl::Value {
    let gopath: Vec<&str> = context.gopath.iter().map(|dir| dir.as_str()).collect();
    object(
        &CONTEXT,
        &json!({
            "GOARCH": context.goarch,
            "GOOS": context.goos,
            "GOROOT": context.goroot.as_str(),
            "GOPATH": gopath.join(":"),
            "CgoEnabled": context.cgo_enabled,
            "UseAllFiles": context.use_all_files,
            "Compiler": context.compiler,
            "BuildTags": context.build_tags,
            "ToolTags": context.tool_tags,
            "ReleaseTags": context.release_tags,
            "InstallSuffix": context.install_suffix,
        }),
    )
}

/// Fields that only listing fills, as far as anybody looks at them.
fn complete(loaded: &mut Loaded, shown: &[PackageId], format: &Format) {
    let named: BTreeSet<PackageId> = loaded.roots.iter().copied().collect();
    for id in shown {
        loaded.set[*id].public.dep_only = !named.contains(id);
    }
    if format.needs(&["DepsErrors"]) {
        collect_errors(loaded);
    }
    for id in shown {
        let package = &mut loaded.set[*id];
        let internal = &package.internal;
        let written = internal
            .raw_imports
            .iter()
            .chain(&internal.compiled_imports);
        let pairs = written.zip(&package.public.imports);
        package.public.import_map = pairs
            .filter(|(raw, path)| raw != path)
            .map(|(raw, path)| (raw.clone(), path.clone()))
            .collect();
    }
}

/// The errors of all packages that each one needs, by the package that they are about.
fn collect_errors(loaded: &mut Loaded) {
    let mut known: HashMap<PackageId, BTreeMap<PackageId, PackageError>> = HashMap::new();
    for id in loaded.with_dependencies() {
        let mut errors: BTreeMap<PackageId, PackageError> = BTreeMap::new();
        for import in &loaded.set[id].internal.imports {
            if let Some(error) = &loaded.set[*import].public.error {
                errors.insert(*import, error.clone());
            }
            errors.extend(
                known
                    .get(import)
                    .into_iter()
                    .flatten()
                    .map(|(id, error)| (*id, error.clone())),
            );
        }
        let mut list: Vec<PackageError> = errors.values().cloned().collect();
        list.sort_by(
            |a, b| match (a.import_stack.last(), b.import_stack.last()) {
                (None, None) => a.err.cmp(&b.err),
                (a, b) => a.cmp(&b),
            },
        );
        loaded.set[id].public.deps_errors = list;
        known.insert(id, errors);
    }
}
