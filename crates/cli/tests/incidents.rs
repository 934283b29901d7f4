//! Small broken workspaces (`incidents/*.txtar` at the top) and the truth about them: what `steady check` says of each environment is
//! held against what really happens there when the real go does it, in both directions.
//!
//! The comment of an archive says what is broken, then `finding: ID` for each error and warning that must be reported (`none`),
//! `breaks: ENVIRONMENT…` (`none`), `note: ID` for notes that must be among those given, and `flags: …` for check. `open: WHY` says that check is known not to agree yet: the truth is tested all
//! the same, and the line must go as soon as check agrees. Its files: `tree/…` is the repository, committed as it is unless `setup.sh`
//! says otherwise; `outside/…` lies beside it; `proxy/PATH@VERSION/…` are modules that the module proxy has; `truth.sh` has functions in
//! place of those of `incidents/truth/prelude.sh`.
//!
//! What happens to others is tested once for each state of an archive (and of what it is tested with), since it follows from that alone.
//! `STEADY=PROGRAM` judges another one; `INCIDENTS=truth` leaves check out: it holds the corpus against go alone, all of it anew.

#![allow(clippy::disallowed_methods)] // tests stand outside of the session

mod archive;

use archive::txtar;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

const ENVIRONMENTS: [&str; 4] = ["here", "ci", "colleague", "consumer"];

type Outcome<T = ()> = Result<T, String>;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = fs::read_dir(top())
        .expect("the folder of incidents")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "txtar"))
        .map(|path| {
            let name = path.file_stem().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            Trial::test(name, move || run(&path).map_err(Failed::from))
        })
        .collect();
    trials.push(Trial::test("every-class", || {
        every_class().map_err(Failed::from)
    }));
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    libtest_mimic::run(&arguments, trials).exit();
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../incidents")
}

/// What an archive says of itself.
#[derive(Default)]
struct Incident {
    findings: BTreeSet<String>,
    notes: BTreeSet<String>,
    breaks: BTreeSet<String>,
    flags: Vec<String>,
    /// Check does not agree yet, for this reason.
    open: Option<String>,
    files: Vec<(String, String)>,
}

impl Incident {
    fn read(path: &Path) -> Outcome<Incident> {
        let text = fs::read_to_string(path).map_err(told)?;
        let (comment, files) = txtar(&text);
        let mut incident = Incident {
            files,
            ..Incident::default()
        };
        let (mut described, mut keys) = (false, BTreeSet::new());
        for line in comment.lines().filter(|line| !line.trim().is_empty()) {
            if line.starts_with('#') {
                described = true;
                continue;
            }
            let (key, value) = line.split_once(':').ok_or(format!("what is {line:?}?"))?;
            keys.insert(key.to_owned());
            if key == "open" {
                incident.open = Some(value.trim().to_owned());
                continue;
            }
            let words = value.split_whitespace().map(str::to_owned);
            let words = words.filter(|word| word != "none");
            match key {
                "finding" => incident.findings.extend(words),
                "note" => incident.notes.extend(words),
                "breaks" => incident.breaks.extend(words),
                "flags" => incident.flags.extend(words),
                other => return Err(format!("what is {other:?}?")),
            }
        }
        if !described || !keys.contains("finding") || !keys.contains("breaks") {
            return Err("a description, finding: and breaks: are needed".into());
        }
        let known = |name: &String| ENVIRONMENTS.contains(&name.as_str());
        match incident.breaks.iter().find(|name| !known(name)) {
            Some(name) => Err(format!("no environment is called {name:?}")),
            None => Ok(incident),
        }
    }

    /// A name for all that the truth follows from.
    fn key(&self) -> Outcome<String> {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        };
        add(include_str!("incidents.rs"));
        add(include_str!("archive/mod.rs"));
        for file in ["truth/prelude.sh", "truth/publish.go"] {
            add(&fs::read_to_string(top().join(file)).map_err(told)?);
        }
        add(&fs::read_to_string(goroot().join("VERSION")).map_err(told)?);
        self.breaks
            .iter()
            .chain(&self.flags)
            .for_each(|word| add(word));
        for (name, text) in &self.files {
            add(name);
            add(text);
        }
        Ok(format!("{:x}", hash.finalize()))
    }

    fn has_flag(&self, name: &str) -> bool {
        self.flags.iter().any(|flag| flag == name)
    }
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The Go distribution that the truth is done with: GO's, or that of the toolchain in use.
fn goroot() -> &'static Path {
    static GOROOT: OnceLock<PathBuf> = OnceLock::new();
    GOROOT.get_or_init(|| {
        let mut command = match std::env::var_os("GO") {
            Some(go) => Command::new(go),
            None => Command::new(env!("CARGO_BIN_EXE_steady")),
        };
        let output = command.args(["env", "GOROOT"]).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        PathBuf::from(text.expect("a Go toolchain").trim())
    })
}

/// The program that is judged: this one, or STEADY.
fn steady() -> String {
    std::env::var("STEADY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_steady").to_owned())
}

fn shared(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The program that makes module zips, built from `truth/publish.go`.
fn publisher() -> Outcome<&'static Path> {
    static PROGRAM: OnceLock<Outcome<PathBuf>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let dir = shared("publish");
        let vendored = goroot().join("src/cmd/vendor/golang.org/x/mod");
        fs::create_dir_all(dir.join("tmp")).map_err(told)?;
        copy(&vendored, &dir.join("mod"))?;
        write(&dir, "mod/go.mod", "module golang.org/x/mod\n\ngo 1.23\n")?;
        let go_mod = "module publish\n\ngo 1.23\n\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => ./mod\n";
        write(&dir, "go.mod", go_mod)?;
        let source = fs::read_to_string(top().join("truth/publish.go")).map_err(told)?;
        write(&dir, "main.go", &source)?;
        let output = Command::new(goroot().join("bin/go"))
            .args(["build", "-o", "publish", "."])
            .current_dir(&dir)
            .env_clear()
            .envs(base(&dir))
            .env("GOROOT", goroot())
            .output()
            .map_err(told)?;
        if output.status.success() {
            Ok(dir.join("publish"))
        } else {
            Err(words(&output))
        }
    });
    program.as_deref().map_err(Clone::clone)
}

fn copy(from: &Path, to: &Path) -> Outcome {
    fs::create_dir_all(to).map_err(told)?;
    for entry in fs::read_dir(from).map_err(told)? {
        let entry = entry.map_err(told)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(told)?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).map_err(told)?;
        }
    }
    Ok(())
}

fn write(base: &Path, name: &str, text: &str) -> Outcome {
    let path = base.join(name);
    let parent = path.parent().unwrap_or(base);
    fs::create_dir_all(parent).map_err(told)?;
    fs::write(&path, text).map_err(|error| format!("{name}: {error}"))
}

/// Variables that everything runs with, below a directory of its own.
fn base(work: &Path) -> BTreeMap<String, String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", work.join("goroot/bin").display());
    let own = |name: &str| work.join(name).display().to_string();
    let mut variables: BTreeMap<String, String> = [
        ("HOME", own("home")),
        ("TMPDIR", own("tmp")),
        ("WORK", work.display().to_string()),
        ("REPO", own("src/repo")),
        ("PROXY", own("proxy")),
        ("GOROOT", own("goroot")),
        ("GOCACHE", shared("build").display().to_string()),
        ("PATH", path),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (name, value) in [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "somebody"),
        ("GIT_AUTHOR_EMAIL", "somebody@example.com"),
        ("GIT_COMMITTER_NAME", "somebody"),
        ("GIT_COMMITTER_EMAIL", "somebody@example.com"),
        // Submodules from a directory of this machine.
        ("GIT_CONFIG_COUNT", "2"),
        ("GIT_CONFIG_KEY_0", "protocol.file.allow"),
        ("GIT_CONFIG_VALUE_0", "always"),
        ("GIT_CONFIG_KEY_1", "init.defaultBranch"),
        ("GIT_CONFIG_VALUE_1", "main"),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    variables
}

fn words(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// The place where one incident happens.
struct Scene {
    temporary: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        // Module caches are write-protected.
        let _ = Command::new("chmod")
            .args(["-R", "u+w"])
            .arg(self.temporary.path())
            .output();
    }
}

impl Scene {
    fn set(incident: &Incident) -> Outcome<Scene> {
        let temporary = tempfile::tempdir().map_err(told)?;
        let work = fs::canonicalize(temporary.path()).map_err(told)?;
        for name in ["home", "tmp", "src/repo", "proxy", "goroot"] {
            fs::create_dir_all(work.join(name)).map_err(told)?;
        }
        let mut variables = base(&work);
        variables.insert("PUBLISH".into(), publisher()?.display().to_string());
        for (flag, name) in [("-prove", "PROVE"), ("-test", "TEST")] {
            if incident.has_flag(flag) {
                variables.insert(name.into(), "yes".into());
            }
        }
        let scene = Scene {
            temporary,
            variables,
        };
        scene.distribution(&work)?;
        scene.files(&work, incident)?;
        scene.commit(&work)?;
        Ok(scene)
    }

    /// A Go distribution whose defaults are those of this place: the real one, but for its go.env.
    fn distribution(&self, work: &Path) -> Outcome {
        let place = work.join("goroot");
        for entry in fs::read_dir(goroot()).map_err(told)? {
            let entry = entry.map_err(told)?;
            if entry.file_name() != "go.env" {
                symlink(&entry.path(), &place.join(entry.file_name()))?;
            }
        }
        let proxy = work.join("proxy");
        let settings = format!(
            "GOPROXY=file://{}\nGOSUMDB=off\nGOTOOLCHAIN=local\n",
            proxy.display()
        );
        write(&place, "go.env", &settings)
    }

    fn files(&self, work: &Path, incident: &Incident) -> Outcome {
        write(work, "truth.sh", "")?;
        write(work, "exports", "")?;
        let mut modules = BTreeSet::new();
        for (name, text) in &incident.files {
            if let Some(path) = name.strip_prefix("tree/") {
                write(&work.join("src/repo"), path, text)?;
            } else if let Some(path) = name.strip_prefix("outside/") {
                write(&work.join("src"), path, text)?;
            } else if let Some(path) = name.strip_prefix("proxy/") {
                let (module, rest) = path.split_once('@').ok_or(format!("{name}: no version"))?;
                let (version, _) = rest.split_once('/').ok_or(format!("{name}: no file"))?;
                modules.insert((module, version));
                write(&work.join("modules"), path, text)?;
            } else if matches!(name.as_str(), "setup.sh" | "truth.sh") {
                write(work, name, text)?;
            } else {
                return Err(format!("{name}: neither tree/, outside/ nor proxy/"));
            }
        }
        for (module, version) in modules {
            let dir = work.join(format!("modules/{module}@{version}"));
            let output = Command::new(publisher()?)
                .arg("dir")
                .arg(dir)
                .args([module, version])
                .arg(work.join("proxy"))
                .output()
                .map_err(told)?;
            if !output.status.success() {
                return Err(words(&output));
            }
        }
        Ok(())
    }

    fn commit(&self, work: &Path) -> Outcome {
        let setup = work.join("setup.sh");
        let own = if setup.exists() {
            ". \"$WORK/setup.sh\""
        } else {
            ":"
        };
        let script = format!(
            "git init -q && {own}\n[ ! -d .git ] || git rev-parse -q --verify HEAD >/dev/null || commit_but"
        );
        let output = self.shell(&script)?;
        if output.status.success() {
            Ok(())
        } else {
            Err(format!("setup.sh: {}", words(&output)))
        }
    }

    fn shell(&self, script: &str) -> Outcome<Output> {
        let prelude = top().join("truth/prelude.sh");
        let script = format!(". '{}'\n. \"$WORK/truth.sh\"\n{script}", prelude.display());
        Command::new("sh")
            .args(["-euc", &script])
            .current_dir(&self.variables["REPO"])
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null())
            .output()
            .map_err(told)
    }

    /// Whether it runs in an environment, and what was said.
    fn truth(&self, environment: &str) -> Outcome<(bool, String)> {
        let script = match environment {
            "here" => ". \"$WORK/exports\"\nhere".to_owned(),
            other => other.to_owned(),
        };
        let output = self.shell(&script)?;
        Ok((output.status.success(), words(&output)))
    }

    fn check(&self, flags: &[String]) -> Outcome<(Value, String)> {
        let script = format!(
            ". \"$WORK/exports\"\nexec '{}' check -json {}",
            steady(),
            flags.join(" ")
        );
        let output = self.shell(&script)?;
        let text = words(&output);
        match serde_json::from_slice(&output.stdout) {
            Ok(value) if matches!(output.status.code(), Some(0 | 1)) => Ok((value, text)),
            _ => Err(format!("steady check: {}\n{text}", output.status)),
        }
    }
}

fn symlink(to: &Path, at: &Path) -> Outcome {
    std::os::unix::fs::symlink(to, at).map_err(told)
}

fn run(path: &Path) -> Outcome {
    let incident = Incident::read(path)?;
    let scene = Scene::set(&incident)?;
    let mut wrong = String::new();
    let truth_alone = std::env::var("INCIDENTS").is_ok_and(|mode| mode == "truth");
    let memory = shared("incidents").join(incident.key()?);
    let known = !truth_alone && memory.exists();
    // What happens here is done every time: check finds the module cache that it leaves.
    let environments = if known {
        &ENVIRONMENTS[..1]
    } else {
        &ENVIRONMENTS[..]
    };
    for &environment in environments {
        let (runs, said) = scene.truth(environment)?;
        if runs == incident.breaks.contains(environment) {
            let how = if runs { "runs" } else { "does not run" };
            let _ = writeln!(wrong, "TRUTH: it {how} {environment}\n{said}");
        }
    }
    if wrong.is_empty() && !known {
        write(&shared("incidents"), &incident.key()?, "true\n")?;
    }
    if truth_alone {
        return if wrong.is_empty() { Ok(()) } else { Err(wrong) };
    }
    let truthful = wrong.is_empty();
    let text = match scene.check(&incident.flags) {
        Ok((verdict, text)) => {
            compare(&incident, &verdict, &mut wrong);
            text
        }
        Err(error) => {
            wrong.push_str(&error);
            String::new()
        }
    };
    match (&incident.open, truthful, wrong.is_empty()) {
        (None, _, true) | (Some(_), true, false) => Ok(()),
        (Some(why), true, true) => Err(format!("check agrees: remove the line \"open: {why}\"")),
        _ => Err(format!("{wrong}\n{text}")),
    }
}

/// Every class of findings, which are those with a page, has an incident.
fn every_class() -> Outcome {
    let mut named = BTreeSet::new();
    for entry in fs::read_dir(top()).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.extension().is_some_and(|ext| ext == "txtar") {
            let incident = Incident::read(&path)?;
            let ids = incident.findings.iter().chain(&incident.notes);
            named.extend(ids.map(|id| id.replace('/', "-")));
        }
    }
    let pages = fs::read_dir(top().join("../docs/findings")).map_err(told)?;
    let pages = pages.filter_map(|entry| {
        let path = entry.ok()?.path();
        Some(path.file_stem()?.to_string_lossy().into_owned())
    });
    let without: Vec<String> = pages
        .filter(|page| page != "README" && !named.contains(page))
        .collect();
    if without.is_empty() {
        return Ok(());
    }
    Err(format!("no incident for {}", without.join(", ")))
}

/// Verdicts against the truth, findings against those that there must be.
fn compare(incident: &Incident, verdict: &Value, wrong: &mut String) {
    let list = |name: &str| verdict[name].as_array().cloned().unwrap_or_default();
    let proves = incident.has_flag("-prove") || incident.has_flag("-test");
    for environment in ENVIRONMENTS {
        let said = list("Environments")
            .iter()
            .find(|one| one["Name"] == environment)
            .map_or("nothing".to_owned(), |one| {
                format!("{} {}", one["Verdict"], one["Reason"])
            });
        let breaks = incident.breaks.contains(environment);
        // What nobody can require works for nobody, and that is no break.
        let right: &[&str] = match breaks {
            true => &["\"breaks\"", "\"unimportable\""],
            false if proves => &["\"ready\""],
            false => &["\"loads\""],
        };
        if !right.iter().any(|right| said.starts_with(right)) {
            let _ = writeln!(
                wrong,
                "VERDICT: {environment} {}, and check says {said}",
                right.join(" or ")
            );
        }
    }
    let all = list("Findings");
    for missed in incident.notes.iter().filter(|note| {
        let noted =
            |finding: &Value| finding["ID"] == note.as_str() && finding["Severity"] == "note";
        !all.iter().any(noted)
    }) {
        let _ = writeln!(wrong, "MISSED: {missed} as a note");
    }
    let findings: BTreeSet<String> = all
        .iter()
        .filter(|finding| {
            finding["Severity"] != "note" && finding.get("Accepted").is_none_or(Value::is_null)
        })
        .filter_map(|finding| Some(finding["ID"].as_str()?.to_owned()))
        .collect();
    for missed in incident.findings.difference(&findings) {
        let _ = writeln!(wrong, "MISSED: {missed}");
    }
    for cried in findings.difference(&incident.findings) {
        let _ = writeln!(wrong, "CRIED: {cried}");
    }
}
