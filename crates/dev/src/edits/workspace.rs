//! A small workspace, and edits of every kind that people (and programs) make in one.

#![allow(clippy::disallowed_methods)]

use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// What it begins as.
const FILES: [(&str, &str); 13] = [
    ("go.work", "go 1.24\n\nuse ./a\nuse ./b\n"),
    ("a/go.mod", "module example.com/a\n\ngo 1.24\n"),
    ("a/lib/lib.go", LIB),
    ("a/lib/lib_test.go", LIB_TEST),
    ("a/lib/testdata/input", "one"),
    ("a/cmd/app/main.go", APP),
    ("a/cmd/app/text/one.txt", "one"),
    (
        "a/cmd/tool/main.go",
        "package main\n\nimport \"example.com/b/p\"\n\nfunc main() { println(p.Name) }\n",
    ),
    ("b/go.mod", "module example.com/b\n\ngo 1.24\n"),
    ("b/p/p.go", "package p\n\nconst Name = \"one\"\n"),
    ("b/p/p_linux.go", "package p\n\nconst System = \"linux\"\n"),
    (
        "b/p/p_other.go",
        "//go:build !linux\n\npackage p\n\nconst System = \"other\"\n",
    ),
    (
        "b/q/q.go",
        "package q\n\nfunc Q(x, y int) int { x = y; return x }\n",
    ),
];

const LIB: &str = "package lib\n\nimport (\n\t\"example.com/b/p\"\n\t\"example.com/b/q\"\n)\n\nfunc Name() string { return p.Name + p.System }\n\nfunc Three() int { return q.Q(1, 3) }\n";

const LIB_TEST: &str = "package lib\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestThree(t *testing.T) {\n\tif Three() != 3 {\n\t\tt.Error(Three())\n\t}\n}\n\nfunc TestInput(t *testing.T) {\n\tdata, err := os.ReadFile(\"testdata/input\")\n\tif err != nil || string(data) == \"bad\" || os.Getenv(\"EDITED\") == \"bad\" {\n\t\tt.Fatal(string(data), err)\n\t}\n}\n";

const APP: &str = "package main\n\nimport (\n\t\"embed\"\n\n\t\"example.com/a/lib\"\n)\n\n//go:embed text\nvar texts embed.FS\n\nfunc main() { println(lib.Name(), lib.Three()); _, _ = texts.ReadDir(\"text\") }\n";

/// A small generator with a seed: the same edits whenever it is the same.
pub struct Dice(pub u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }
}

/// The workspace, and the variables that commands get there.
pub struct Workspace {
    root: PathBuf,
    /// Variables.
    pub variables: Vec<(&'static str, &'static str)>,
}

/// The Go files that edits choose from; some are not there in the beginning.
const SOURCES: [&str; 9] = [
    "a/lib/lib.go",
    "a/lib/lib_test.go",
    "a/lib/more.go",
    "a/cmd/app/main.go",
    "a/cmd/tool/main.go",
    "b/p/p.go",
    "b/p/p_linux.go",
    "b/q/q.go",
    "b/q/q_test.go",
];

impl Workspace {
    /// Makes it anew.
    pub fn new(root: PathBuf) -> Result<Workspace> {
        let workspace = Workspace {
            root,
            variables: Vec::new(),
        };
        workspace.reset()?;
        Ok(workspace)
    }

    /// The directory that commands run in.
    pub fn dir(&self) -> PathBuf {
        self.root.join("a")
    }

    fn reset(&self) -> Result<()> {
        let _ = fs::remove_dir_all(&self.root);
        for (name, text) in FILES {
            self.write(name, text)?;
        }
        Ok(())
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.root.join(name);
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        Ok(fs::write(path, text)?)
    }

    /// One edit; what it was.
    pub fn edit(&mut self, dice: &mut Dice) -> Result<String> {
        match dice.roll(10) {
            0..=3 => self.edit_source(dice),
            4 => self.edit_tree(dice),
            5 | 6 => self.edit_data(dice),
            7 => self.edit_modules(dice),
            8 => Ok(self.edit_variables(dice)),
            // Broken states pile up; most edits should meet something that builds.
            _ => {
                self.reset()?;
                self.variables.clear();
                Ok("everything as in the beginning".to_string())
            }
        }
    }

    /// The content of Go files.
    fn edit_source(&self, dice: &mut Dice) -> Result<String> {
        let name = dice.pick(&SOURCES);
        let path = self.root.join(name);
        let package = package_of(name);
        let Ok(text) = fs::read_to_string(&path) else {
            self.write(name, &format!("package {package}\n"))?;
            return Ok(format!("{name} made"));
        };
        let number = dice.roll(1000);
        let (what, text) = match dice.roll(9) {
            0 => ("a variable", format!("{text}\nvar v{number} = {number}\n")),
            1 => ("a comment", format!("{text}\n// {number}\n")),
            2 => ("a comment first", format!("// {number}\n\n{text}")),
            3 => (
                "an import",
                format!(
                    "{text}\n\nimport _ \"{}\"\n",
                    dice.pick(&["unsafe", "example.com/b/q", "example.com/none", "fmt"])
                ),
            ),
            4 => ("an error", format!("{text}\nvar _ int = \"{number}\"\n")),
            5 => ("a syntax error", format!("{text}\nfunc {{\n")),
            6 => (
                "what vet minds",
                format!("{text}\nfunc f{number}(x int) {{ x = x }}\n"),
            ),
            7 => (
                "a constraint",
                format!(
                    "//go:build {}\n\n{text}",
                    dice.pick(&["tagged", "!tagged", "linux", "ignore"])
                ),
            ),
            _ => return edit_in_secret(&path).map(|()| format!("secret edit of {name}")),
        };
        fs::write(&path, text)?;
        Ok(format!("{what} in {name}"))
    }

    /// Files and directories that come, go and change their names.
    fn edit_tree(&self, dice: &mut Dice) -> Result<String> {
        let name = dice.pick(&SOURCES);
        let path = self.root.join(name);
        let end = if name.ends_with("_test.go") {
            "_test.go"
        } else {
            ".go"
        };
        let to = path.with_file_name(format!("renamed{end}"));
        let what = match dice.roll(7) {
            0 => fs::remove_file(&path).map(|()| "removed"),
            1 => fs::rename(&path, to).map(|()| "renamed"),
            2 => fs::rename(&path, path.with_file_name("x_windows.go"))
                .map(|()| "for another system"),
            3 => swap(&path, &self.root.join("b/q/q.go")).map(|()| "and q.go swapped"),
            4 => again(&path).map(|()| "replaced by its copy"),
            5 => {
                let dir = path.parent().unwrap_or(&self.root);
                let away = self.root.join("away");
                let _ = fs::remove_dir_all(&away);
                fs::rename(dir, &away)
                    .and_then(|()| std::os::unix::fs::symlink(&away, dir))
                    .map(|()| "in a directory behind a link")
            }
            _ => touch(&path).map(|()| "touched"),
        };
        Ok(match what {
            Ok(what) => format!("{name} {what}"),
            Err(_) => format!("nothing: {name} is not there"),
        })
    }

    /// What is embedded, and what tests read.
    fn edit_data(&self, dice: &mut Dice) -> Result<String> {
        let number = dice.roll(5).to_string();
        match dice.roll(6) {
            0 => self.write("a/cmd/app/text/one.txt", &number)?,
            1 => self.write(&format!("a/cmd/app/text/{number}.txt"), "x")?,
            2 => drop(fs::remove_dir_all(self.root.join("a/cmd/app/text"))),
            3 => self.write("a/lib/testdata/input", dice.pick(&["two", "bad"]))?,
            4 => drop(edit_in_secret(&self.root.join("a/lib/testdata/input"))),
            _ => drop(edit_in_secret(&self.root.join("a/cmd/app/text/one.txt"))),
        }
        Ok("data".to_string())
    }

    /// go.mod, go.work, and a module in between.
    fn edit_modules(&self, dice: &mut Dice) -> Result<String> {
        match dice.roll(5) {
            0 => {
                let version = dice.pick(&["1.20", "1.21", "1.24", "1.26"]);
                let line = dice.pick(&[
                    "",
                    "\nignore ./cmd/tool\n",
                    "\ngodebug panicnil=1\n",
                    "\nreplace example.com/b => ../b\n",
                ]);
                self.write(
                    "a/go.mod",
                    &format!("module example.com/a\n\ngo {version}\n{line}"),
                )?;
            }
            1 => {
                let uses = dice.pick(&[
                    "use ./a\nuse ./b\n",
                    "use ./a\n",
                    "use (\n\t./a\n\t./b\n)\n\nreplace example.com/none => ./b\n",
                ]);
                self.write("go.work", &format!("go 1.26\n\n{uses}"))?;
            }
            2 => self.write("a/cmd/go.mod", "module example.com/a/cmd\n\ngo 1.24\n")?,
            3 => drop(fs::remove_file(self.root.join("a/cmd/go.mod"))),
            _ => self.write(
                "b/go.mod",
                dice.pick(&[
                    "module example.com/b\n",
                    "module example.com/c\n\ngo 1.24\n",
                ]),
            )?,
        }
        Ok("modules".to_string())
    }

    fn edit_variables(&mut self, dice: &mut Dice) -> String {
        let choices = [
            ("GOFLAGS", "-tags=tagged"),
            ("GOFLAGS", "-trimpath"),
            ("GOFLAGS", "-gcflags=-N"),
            ("CGO_ENABLED", "0"),
            ("GOOS", "windows"),
            ("GOARCH", "arm64"),
            ("GOAMD64", "v2"),
            ("GOEXPERIMENT", "nogreenteagc"),
            ("EDITED", "bad"),
            ("GOWORK", "off"),
        ];
        if dice.roll(2) == 0 {
            self.variables.clear();
        } else {
            self.variables.push(dice.pick(&choices));
        }
        format!("{:?}", self.variables)
    }
}

fn package_of(name: &str) -> &'static str {
    match name {
        name if name.contains("/cmd/") => "main",
        name if name.contains("/lib/") => "lib",
        name if name.contains("/q/") => "q",
        _ => "p",
    }
}

/// Writes other content of the same size and sets the modification time back.
fn edit_in_secret(path: &Path) -> Result<()> {
    let (text, time) = (fs::read_to_string(path)?, fs::metadata(path)?.modified()?);
    let pairs = [
        ("one", "two"),
        ("1, 3", "3, 1"),
        ("x = y", "x = x"),
        ("println", "printnl"),
    ];
    let swapped = pairs.iter().find_map(|(from, to)| {
        let (from, to) = if text.contains(from) {
            (from, to)
        } else {
            (to, from)
        };
        text.contains(from).then(|| text.replace(from, to))
    });
    fs::write(path, swapped.unwrap_or(text))?;
    fs::File::options()
        .write(true)
        .open(path)?
        .set_modified(time)?;
    Ok(())
}

fn swap(one: &Path, other: &Path) -> std::io::Result<()> {
    let third = one.with_file_name("third");
    fs::rename(one, &third)?;
    fs::rename(other, one).and_then(|()| fs::rename(&third, other))
}

/// Another file with the same content, size and time.
fn again(path: &Path) -> std::io::Result<()> {
    let (text, time) = (fs::read(path)?, fs::metadata(path)?.modified()?);
    let copy = path.with_file_name("copy");
    fs::write(&copy, text)?;
    fs::File::options()
        .write(true)
        .open(&copy)?
        .set_modified(time)?;
    fs::rename(copy, path)
}

fn touch(path: &Path) -> std::io::Result<()> {
    let file = fs::File::options().write(true).open(path)?;
    file.set_modified(std::time::SystemTime::now())
}
