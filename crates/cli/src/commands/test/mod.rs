//! `go test`.

mod flags;
mod vetting;

use std::sync::Arc;
use steady_build::release::Release;
use steady_build::testing::{self, CovData, TestSettings};
use steady_build::{BuildConfig, Outcome, Sink};
use steady_packages::load::{Loaded, TestSet};
use steady_packages::package::{PackageError, PackageId};
use steady_system::timezone::Zone;

use crate::build_events::BuildEvents;
use crate::command::{Command, Kind};
use crate::configs::{self, BuildRequest};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::{FlagError, define};
use crate::loading::{self, ModRequest, Request, Workbench};
use crate::session::{Called, Session};
use flags::{CommandLine, TestFlags};

/// `go test`
pub static TEST: Command = Command {
    usage: "go test [build/test flags] [packages] [build/test flags & test binary flags]",
    short: "test packages",
    long: include_str!("../../help/text/test.txt"),
    examples: &[
        ("the tests of all packages", "steady test ./..."),
        (
            "some of one package, anew",
            "steady test -count=1 -run Parse ./syntax",
        ),
        (
            "the test program of a package",
            "steady test -c -o app.test ./app",
        ),
    ],
    kind: Kind::Raw {
        flags: define::<TestFlags>,
        run,
    },
};

fn run(session: &mut Session, words: &[String]) -> Result {
    let known = session.command.definition(session.called);
    let definition = known.unwrap_or_else(define::<TestFlags>);
    let cwd = session.environment().cwd().to_owned();
    let read = session
        .goflags
        .apply_prefixed(&definition, "test.")
        .and_then(|goflags| flags::read(&definition, goflags, words, &cwd));
    let line = match read {
        Ok(line) => line,
        Err(FlagError::Help) => return Err(Failure::Usage),
        Err(error) => {
            session.printer.note(error.to_string());
            return Err(Failure::Usage);
        }
    };
    let vet = match vetting::settings(session, line.flags.vet.as_deref()) {
        Ok(vet) => vet,
        Err(error) => {
            let value = steady_build::quote::quote(line.flags.vet.as_deref().unwrap_or_default());
            session
                .printer
                .note(format!("invalid value {value} for flag -vet: {error}"));
            return Err(Failure::Usage);
        }
    };
    let fuzzes = line
        .flags
        .fuzz
        .as_ref()
        .is_some_and(|fuzz| !fuzz.is_empty());
    let spared = vetting::spared_by_fuzzer(session);
    let mut request = request(&line.flags);
    request.fuzz = fuzzes.then_some(&spared);
    let mut bench = loading::prepare(session, request)?;
    bench.config.explain = line.flags.explain.explain;
    if bench.config.flags.cover && !Release::of(&session.settings.version).counts_in_testdeps() {
        return Err(Failure::unsupported(
            "test -cover with toolchains before Go 1.24",
        ));
    }
    let loaded = bench.load(session, &line.packages)?;
    if loaded.roots.is_empty() {
        return Err(Failure::plain("no packages to test"));
    }
    check_single(&bench, &line, &loaded)?;
    let mut settings = settings(session, &bench.config, &line);
    settings.vet = vet;
    settings.cover_packages.clone_from(&loaded.covered.packages);
    test(session, bench, loaded, settings)
}

/// What loading is asked for.
fn request(flags: &TestFlags) -> Request<'_> {
    Request {
        builds: true,
        stamp: true,
        tests: true,
        ..Request::of(
            BuildRequest {
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

/// Flags that are for one package only.
fn check_single(bench: &Workbench, line: &CommandLine, loaded: &Loaded) -> Result<()> {
    let flags = &line.flags;
    let several = loaded.roots.len() != 1;
    let fail = |text: String| Err(Failure::plain(text));
    if flags.fuzz.as_deref().is_some_and(|fuzz| !fuzz.is_empty()) {
        if several {
            return fail("cannot use -fuzz flag with multiple packages".to_owned());
        }
        if flags.coverprofile.is_some() {
            return fail("cannot use -coverprofile flag with -fuzz flag".to_owned());
        }
        if let Some(flag) = flags.profile() {
            return fail(format!("cannot use {flag} flag with -fuzz flag"));
        }
        // A failure is written into the package's directory; what others share must not be changed so.
        let public = &loaded.set[loaded.roots[0]].public;
        let own = match &public.module {
            Some(module) => bench.modules.main(&module.path).is_some(),
            None => !(public.standard && bench.modules.enabled()),
        };
        if !own {
            return fail("cannot use -fuzz flag on package outside the main module".to_owned());
        }
    }
    match flags.profile() {
        Some(flag) if several => fail(format!("cannot use {flag} flag with multiple packages")),
        _ => Ok(()),
    }
}

fn settings(session: &Session, config: &BuildConfig, line: &CommandLine) -> TestSettings {
    let flags = &line.flags;
    let given = |value: &Option<String>| value.as_ref().is_some_and(|text| !text.is_empty());
    let verbose = flags.v.as_deref().is_some_and(|v| v != "false");
    let old_json = config
        .setting("GODEBUG")
        .split(',')
        .any(|pair| pair == "gotestjsonbuildtext=1");
    let dir = match flags.outputdir.as_deref() {
        None | Some("") => session.environment().cwd().to_owned(),
        Some(dir) => session.files.absolute(dir),
    };
    TestSettings {
        arguments: line.arguments.clone(),
        local: line.packages.is_empty(),
        compile_only: flags.c,
        output: flags.o.clone().unwrap_or_default(),
        keeps_program: matches!(flags.profile(), Some(flag) if flag != "-trace"),
        json: flags.json,
        tells_failed_build: !old_json,
        shows_passed: verbose || given(&flags.list) || line.asks_help,
        marks: flags.v.as_deref() == Some("test2json"),
        fail_fast: flags.failfast,
        benchmarks: given(&flags.bench),
        fuzzes: given(&flags.fuzz),
        timeout: line.timeout,
        exec: match &flags.exec {
            Some(words) if !words.0.is_empty() => words.0.clone(),
            _ => steady_build::command::foreign_runner(config),
        },
        cover_profile: flags
            .coverprofile
            .as_deref()
            .filter(|path| !path.is_empty())
            .map(|path| steady_system::clean(&dir.join(path))),
        cover_packages: Vec::new(),
        covdata: Some(covdata(session)),
        environment: configs::program_environment(&session.settings),
        own_groups: session.called == Called::Steady,
        vet: None,
    }
}

/// The toolchain's program that reads coverage data: it has it built, or it is built when it is needed.
fn covdata(session: &Session) -> CovData {
    let session = session.fork();
    let find = move || {
        let path = session.settings.tool_dir().join("covdata");
        if session.files.exists(&path) {
            return Ok(path);
        }
        crate::commands::tool::program(&mut session.fork(), "covdata")
    };
    CovData(Arc::new(find))
}

fn test(session: &Session, bench: Workbench, mut loaded: Loaded, settings: TestSettings) -> Result {
    let events = settings.json && settings.tells_failed_build;
    let sink: Arc<dyn Sink> = if events {
        Arc::new(BuildEvents::new(&session.printer))
    } else {
        session.printer.clone()
    };
    let packages: Vec<_> = loaded.roots.iter().map(|id| &loaded.set[*id]).collect();
    testing::check_output(session.environment().cwd(), &settings, &packages)?;
    let mut wanted = Vec::new();
    for id in &loaded.roots {
        let tests = loaded.tests.iter().find(|tests| tests.package == *id);
        match first_error(&loaded, *id, tests) {
            None => wanted.push((*id, tests.copied())),
            Some((failed, errors)) => {
                tell_setup(session, &loaded, *id, &errors, &sink);
                tell_setup_failed(session, &loaded, *id, failed, &settings);
            }
        }
    }
    let says_fail = !(settings.json || settings.fuzzes || settings.local);
    let outcome = testing::test(
        bench.config,
        &mut loaded.set,
        &wanted,
        &loaded.roots,
        settings,
        sink,
    )?;
    Ok(ended(session, &outcome, says_fail))
}

/// The exit code; after several packages a last word, for what failed may be far up by now.
fn ended(session: &Session, outcome: &Outcome, says_fail: bool) -> Status {
    let failed = outcome.failed || session.printer.failed();
    if failed && says_fail && !outcome.root_failed && !outcome.interrupted {
        session.printer.out("FAIL\n");
    }
    if failed || outcome.interrupted {
        Status::FAILED
    } else {
        Status::DONE
    }
}

/// What keeps the tests of a package from being built: the package that is wrong, and the errors to be told.
fn first_error(
    loaded: &Loaded,
    id: PackageId,
    tests: Option<&TestSet>,
) -> Option<(PackageId, Vec<(PackageId, PackageError)>)> {
    let error_of = |id: &PackageId| Some((*id, loaded.set[*id].public.error.clone()?));
    if loaded.set[id].public.incomplete || loaded.set[id].public.error.is_some() {
        let all = loaded.set.with_dependencies(&[id]);
        let errors: Vec<_> = all.iter().filter_map(error_of).collect();
        if let Some((first, _)) = errors.first() {
            return Some((*first, errors));
        }
    }
    let tests = tests?;
    let parts = [Some(tests.inner), tests.external, Some(tests.main)];
    for part in parts.into_iter().flatten() {
        let public = &loaded.set[part].public;
        if !public.incomplete && public.error.is_none() {
            continue;
        }
        let mut all = loaded.set.with_dependencies(&[part]).into_iter();
        let found = error_of(&part).or_else(|| all.find_map(|id| error_of(&id)));
        if let Some(found) = found {
            return Some((found.0, vec![found]));
        }
    }
    None
}

fn tell_setup(
    session: &Session,
    loaded: &Loaded,
    id: PackageId,
    errors: &[(PackageId, PackageError)],
    sink: &Arc<dyn Sink>,
) {
    session.printer.flush();
    let path = &loaded.set[id].public.import_path;
    for (of, error) in errors {
        let description = loaded.set[*of].description();
        let text = if path.is_empty() {
            error.to_string()
        } else {
            format!("# {path}\n{error}")
        };
        sink.error(Some(&description), &text);
    }
}

/// Says that there will be no test of a package.
fn tell_setup_failed(
    session: &Session,
    loaded: &Loaded,
    id: PackageId,
    failed: PackageId,
    settings: &TestSettings,
) {
    let path = &loaded.set[id].public.import_path;
    let line = format!("FAIL\t{path} [setup failed]\n");
    if !settings.json {
        session.printer.stdout(line.as_bytes());
        return;
    }
    let zone = Zone::local(session.environment());
    let write = Box::new(|bytes: &[u8]| session.printer.stdout(bytes));
    let mut json = steady_build::test_json::Converter::new(path, zone, false, write);
    if settings.tells_failed_build {
        json.set_failed_build(&loaded.set[failed].description());
    }
    json.write(line.as_bytes());
    json.exited(false);
    json.close();
}
