//! Who decided a variable: the process environment, the user's file, the toolchain's file, or nobody.

use super::{EMBEDDED, Settings};
use steady_system::Files;

/// One place that sets a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `the environment`, `/home/u/.config/go/env:3`, `/usr/local/go/go.env:7`.
    pub place: String,
    /// What it is set to there.
    pub value: String,
}

impl Settings {
    /// The places that set a variable, the one that decides first. None: the variable has its default.
    #[must_use]
    pub fn origins(&self, name: &str, files: &Files) -> Vec<Origin> {
        let mut origins = Vec::new();
        let own = self.environment.get(name);
        if !own.is_empty() {
            origins.push(Origin {
                place: "the environment".to_owned(),
                value: own.to_owned(),
            });
        }
        if let Ok(path) = &self.env_file.path {
            let text = files.read_to_string(path).unwrap_or_default();
            origins.extend(line_of(&text, name, path.as_str()));
        }
        let root = self.goroot.as_ref().map(|goroot| goroot.join("go.env"));
        let text = root
            .as_ref()
            .and_then(|path| files.read_to_string(path).ok());
        match (root, text) {
            (Some(path), Some(text)) => origins.extend(line_of(&text, name, path.as_str())),
            _ => origins.extend(line_of(
                EMBEDDED,
                name,
                "the go.env of a Go distribution, built in",
            )),
        }
        origins
    }
}

/// The last `NAME=value` line of a file, which is the one that counts.
fn line_of(text: &str, name: &str, file: &str) -> Option<Origin> {
    let lines = text.lines().enumerate();
    let of_name = lines.filter_map(|(at, line)| {
        let value = line.strip_prefix(name)?.strip_prefix('=')?;
        Some((at + 1, value))
    });
    let (line, value) = of_name.last()?;
    (!value.is_empty()).then(|| Origin {
        place: format!("{file}:{line}"),
        value: value.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8Path;
    use steady_system::Environment;

    #[test]
    fn the_environment_before_the_users_file_before_the_toolchains() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        let files = Files::new(dir);
        let text = "# mine\nGOPROXY=off\nGOFLAGS=-x\nGOPROXY=direct\n";
        files
            .write(dir.join("env"), text.as_bytes(), 0o666)
            .unwrap();
        files.create_dir_all(dir.join("root/bin")).unwrap();
        files
            .write(
                dir.join("root/go.env"),
                b"GOPROXY=https://p.example\n",
                0o666,
            )
            .unwrap();
        let environment = Environment::empty(dir)
            .with("GOENV", dir.join("env").as_str())
            .with("GOFLAGS", "-v");
        let mut settings = Settings::load(environment, &files);
        settings.goroot = Some(dir.join("root"));
        let places = |name: &str| {
            let origins = settings.origins(name, &files);
            let shown = origins.iter().map(|origin| {
                let place = origin.place.replace(dir.as_str(), "D");
                format!("{place} {}", origin.value)
            });
            shown.collect::<Vec<_>>()
        };
        assert_eq!(
            places("GOPROXY"),
            ["D/env:4 direct", "D/root/go.env:1 https://p.example"]
        );
        assert_eq!(places("GOFLAGS"), ["the environment -v", "D/env:3 -x"]);
        assert!(places("GOBIN").is_empty());
    }
}
