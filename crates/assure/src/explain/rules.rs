//! What each `replace` and `exclude` line does in each context: in the workspace, in its module alone, for whoever imports the module.

use steady_module::ModuleVersion;
use steady_packages::modload::{Asker, ModError, Modules, Place, ReplaceLine};

/// Modules opened in one way.
pub struct Context<'m> {
    /// What it is called: `workspace`, `module example.com/a alone`.
    pub name: String,
    /// Opened that way.
    pub modules: &'m Modules,
}

/// A line, and what it does in each context in which it could do something.
#[derive(Debug)]
pub struct Rule {
    /// Where it stands.
    pub place: Place,
    /// `replace a => ../a`, `exclude a v1.0.0`.
    pub text: String,
    /// In the order of the contexts; last what it is for those who import the module.
    pub effects: Vec<Effect>,
}

/// What a line does in one context.
#[derive(Debug)]
pub struct Effect {
    /// The context's name.
    pub context: String,
    /// It changes something there.
    pub works: bool,
    /// What it changes, or why it changes nothing: a clause without a full stop.
    pub why: String,
    /// The line that decides instead.
    pub other: Option<Place>,
    /// Who asks for what the line excludes.
    pub asked_by: Vec<Asker>,
}

const IMPORTERS: &str = "importers";

/// What the `replace` lines do.
///
/// # Errors
/// A module graph that cannot be read.
pub fn replaces(contexts: &[Context<'_>]) -> Result<Vec<Rule>, ModError> {
    let mut rules: Vec<Rule> = Vec::new();
    for context in contexts {
        let lines = context.modules.replace_lines();
        for line in &lines {
            let (works, why, other) = replace_effect(context.modules, line)?;
            let text = format!(
                "replace {} => {}",
                spaced(&line.rule.old),
                spaced(&line.rule.new)
            );
            let effect = Effect {
                context: context.name.clone(),
                works,
                why,
                other,
                asked_by: Vec::new(),
            };
            add(&mut rules, &line.place, text, effect);
        }
    }
    for rule in &mut rules {
        let of_work = rule.place.file.file_name() == Some("go.work");
        rule.effects.push(for_importers(if of_work {
            "go.work is not part of a module"
        } else {
            "only the main module's replace lines count, so they get what go.mod requires; 'install PATH@VERSION' refuses the module for it"
        }));
    }
    Ok(rules)
}

/// What the `exclude` lines do.
///
/// # Errors
/// A module graph that cannot be read.
pub fn excludes(contexts: &[Context<'_>]) -> Result<Vec<Rule>, ModError> {
    let mut rules: Vec<Rule> = Vec::new();
    for context in contexts {
        let lines = context.modules.exclude_lines();
        if lines.is_empty() {
            continue;
        }
        let askers = context.modules.who_asks_excluded()?;
        for (place, module) in lines {
            let asked_by = askers.get(&module).cloned().unwrap_or_default();
            let effect = Effect {
                context: context.name.clone(),
                works: !asked_by.is_empty(),
                why: exclude_effect(context.modules, &module, &asked_by)?,
                other: None,
                asked_by,
            };
            let text = format!("exclude {}", spaced(&module));
            add(&mut rules, &place, text, effect);
        }
    }
    for rule in &mut rules {
        rule.effects.push(for_importers(
            "only the main module's exclude lines count, so that version may be selected there; 'install PATH@VERSION' refuses the module for it",
        ));
    }
    Ok(rules)
}

fn for_importers(why: &str) -> Effect {
    Effect {
        context: IMPORTERS.to_owned(),
        works: false,
        why: why.to_owned(),
        other: None,
        asked_by: Vec::new(),
    }
}

fn add(rules: &mut Vec<Rule>, place: &Place, text: String, effect: Effect) {
    match rules.iter_mut().find(|rule| rule.place == *place) {
        Some(rule) => rule.effects.push(effect),
        None => rules.push(Rule {
            place: place.clone(),
            text,
            effects: vec![effect],
        }),
    }
}

type Verdict = (bool, String, Option<Place>);

fn replace_effect(modules: &Modules, line: &ReplaceLine) -> Result<Verdict, ModError> {
    let old = &line.rule.old;
    if modules.main(&old.path).is_some() {
        let why = format!(
            "{} is a main module here, which nothing can replace",
            old.path
        );
        return Ok((false, why, None));
    }
    let Some(selected) = modules.selected(&old.path)? else {
        return Ok((false, format!("nothing requires {}", old.path), None));
    };
    let winner = modules.replaced_at(&selected);
    if winner.as_ref().is_some_and(|by| by.place == line.place) {
        let why = format!("stands in for {selected}, the version that is selected");
        return Ok((true, why, None));
    }
    if !old.version.is_empty() && old.version != selected.version {
        let why = format!(
            "{selected} is selected, and the rule is for {} alone",
            old.version
        );
        return Ok((false, why, None));
    }
    let Some(other) = winner else {
        return Ok((false, format!("{selected} is not replaced here"), None));
    };
    let why = match (
        other.of_work && !line.of_work,
        other.rule.new == line.rule.new,
    ) {
        (true, _) => "go.work replaces the same, and go.work wins",
        (false, true) => "another member says the same",
        (false, false) => "another line is for just this version, and the narrower one wins",
    };
    Ok((false, why.to_owned(), Some(other.place)))
}

/// What an `exclude` line changes, or why it changes nothing.
fn exclude_effect(
    modules: &Modules,
    excluded: &ModuleVersion,
    askers: &[Asker],
) -> Result<String, ModError> {
    let selected = modules.selected(&excluded.path)?;
    let Some(first) = askers.first() else {
        let now = selected.map_or_else(
            || format!("nothing requires {}", excluded.path),
            |selected| format!("{selected} is selected"),
        );
        let version = &excluded.version;
        return Ok(format!(
            "no module asks for {version}; {now} (get -u and version queries still pass it over)"
        ));
    };
    let who = match askers.len() {
        1 => format!("{} asks", first.module),
        count => format!("{} and {} more ask", first.module, count - 1),
    };
    let instead = match &selected {
        Some(selected) => format!("{selected} is selected instead"),
        None => format!("no other version of {} is asked for", excluded.path),
    };
    Ok(format!("{who} for it; {instead}"))
}

/// As it stands in files: path, and version behind a space.
fn spaced(module: &ModuleVersion) -> String {
    match module.version.as_str() {
        "" => module.path.clone(),
        version => format!("{} {version}", module.path),
    }
}
