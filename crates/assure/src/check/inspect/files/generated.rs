//! Generated code that is older than what it is made from.

use crate::check::finding::{Environment, Evidence, Finding, Fix};
use crate::check::git::{Repository, Tracked};
use crate::check::world::World;
use camino::Utf8Path;
use steady_system::clean;

/// Generated files that were committed before what they are made from. Both must be named by the line that makes one from the other.
pub(super) fn stale(world: &World, git: &Repository, out: &mut Vec<Finding>) {
    for (file, line, command) in git.generate_lines() {
        let dir = Utf8Path::new(file).parent().unwrap_or(Utf8Path::new(""));
        let named: Vec<String> = command
            .split_whitespace()
            .map(|word| word.rsplit('=').next().unwrap_or(word))
            .map(|word| clean(&dir.join(word)).into_string())
            .filter(|path| git.tracked.get(path) == Some(&Tracked::File))
            .collect();
        let generated = |path: &&String| {
            let text = world.committed.read_to_string(git.root.join(path.as_str()));
            text.is_ok_and(|text| {
                let mut head = text.lines().take(20);
                head.any(|line| line.contains("Code generated ") && line.contains("DO NOT EDIT"))
            })
        };
        let (made, sources): (Vec<&String>, Vec<&String>) = named.iter().partition(generated);
        for made in &made {
            let Some(when) = git.last_change(made) else {
                continue;
            };
            // What generates is code too, and changes without changing what it makes.
            let data = sources
                .iter()
                .filter(|path| !path.ends_with(".sh") && !path.ends_with(".go"));
            let mut newer =
                data.filter(|path| git.last_change(path).is_some_and(|time| time > when));
            let Some(source) = newer.next() else {
                continue;
            };
            let message = format!("{made} was generated before {source} was changed");
            out.push(
                Finding::new("files/generated-stale", (*made).clone(), message)
                    .hits_all(Environment::ALL)
                    .shown_by(Evidence::place(
                        file.clone(),
                        *line,
                        format!("//go:generate {command}"),
                    ))
                    .shown_by(Evidence::run(
                        format!("git log -1 --format=%cs -- {made} {source}"),
                        format!("{source} has the later commit"),
                    ))
                    .fixed_by(Fix::shown(format!("go generate ./{dir}"))),
            );
        }
    }
}
