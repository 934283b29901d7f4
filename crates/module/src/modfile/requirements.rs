//! Edits of go.mod's requirements. From `go 1.17` on, direct and indirect ones stand in blocks of their own.

use super::directives::{auto_quote, is_indirect};
use super::syntax::{Block, Comments, Line, LineId, Statement, Syntax};
use super::{Entry, ModFile, Position, Require};
use crate::ModuleVersion;
use std::collections::BTreeMap;

/// Sets or takes away `// indirect`, and leaves the rest of the comment.
fn set_indirect(line: &mut Line, indirect: bool) {
    if is_indirect(line) == indirect {
        return;
    }
    if indirect {
        match line.comments.suffix.first_mut() {
            None => line.comments.suffix.push("// indirect".into()),
            Some(comment) => {
                let text = comment
                    .strip_prefix("//")
                    .unwrap_or(comment)
                    .trim()
                    .to_string();
                *comment = if text.is_empty() {
                    "// indirect".into()
                } else {
                    format!("// indirect; {text}")
                };
            }
        }
        return;
    }
    let text = line.comments.suffix[0]
        .strip_prefix("//")
        .unwrap_or_default()
        .trim()
        .to_string();
    match text.strip_prefix("indirect;") {
        Some(rest) => line.comments.suffix[0] = format!("//{rest}"),
        None => {
            line.comments.suffix.remove(0);
        }
    }
}

/// Whether there are comments other than `// indirect`.
fn has_comments(comments: &Comments) -> bool {
    let plain = |comment: &String| {
        comment
            .strip_prefix("//")
            .is_some_and(|text| text.trim() == "indirect")
    };
    !comments.before.is_empty()
        || comments.suffix.len() > 1
        || comments.suffix.iter().any(|comment| !plain(comment))
}

/// Where requirements stand in a file: indexes of statements.
#[derive(Default)]
struct Layout {
    direct: Option<usize>,
    indirect: Option<usize>,
    last: Option<usize>,
    count: usize,
}

impl Layout {
    /// The last uncommented statement with direct and with indirect requirements only, and the last of any kind.
    fn of(syntax: &Syntax) -> Layout {
        let mut layout = Layout::default();
        for (at, statement) in syntax.statements.iter().enumerate() {
            let (comments, lines): (&Comments, &[Line]) = match statement {
                Statement::Line(line)
                    if line.tokens.first().is_some_and(|verb| verb == "require") =>
                {
                    (&line.comments, std::slice::from_ref(line))
                }
                Statement::Block(block) if block.tokens[0] == "require" => {
                    (&block.comments, &block.lines)
                }
                _ => continue,
            };
            layout.last = Some(at);
            layout.count += 1;
            // What stands behind a block's opening parenthesis is no comment of the requirements.
            let outer = matches!(statement, Statement::Block(_)) && !comments.before.is_empty();
            if outer || lines.is_empty() || lines.iter().any(|line| has_comments(&line.comments)) {
                continue;
            }
            if lines.iter().all(is_indirect) {
                layout.indirect = Some(at);
            } else if !lines.iter().any(is_indirect) {
                layout.direct = Some(at);
            }
        }
        layout
    }
}

fn new_block(syntax: &mut Syntax, at: usize) {
    let block = Block {
        comments: Comments::default(),
        start: Position::default(),
        tokens: vec!["require".into()],
        lines: Vec::new(),
        close: Comments::default(),
    };
    syntax.statements.insert(at, Statement::Block(block));
}

impl ModFile {
    fn new_require(&mut self, require: &Require, line: LineId) {
        if let Some((line, _)) = self.syntax.line_mut(line) {
            set_indirect(line, require.indirect);
        }
        self.require.push(Entry {
            value: require.clone(),
            line,
            at: Position::default(),
        });
    }

    /// Requires a version: changes the first line of that path and removes its others, or adds a line.
    pub fn add_require(&mut self, path: &str, version: &str) {
        let mut seen = false;
        let syntax = &mut self.syntax;
        self.require.retain_mut(|known| {
            if known.module.path != path {
                return true;
            }
            if std::mem::replace(&mut seen, true) {
                syntax.remove_line(known.line);
                return false;
            }
            known.value.module.version = version.to_string();
            set_version(syntax, known.line, &known.value.module);
            true
        });
        if !seen {
            self.add_new_require(&Require {
                module: ModuleVersion::new(path, version),
                indirect: false,
            });
        }
    }

    /// Adds a line whatever there is.
    pub fn add_new_require(&mut self, require: &Require) {
        let tokens = [
            "require".to_string(),
            auto_quote(&require.module.path),
            require.module.version.clone(),
        ];
        let line = self.syntax.add_line(None, &tokens);
        self.new_require(require, line);
    }

    /// Removes what is required of a path.
    pub fn drop_require(&mut self, path: &str) {
        super::edit::drop_where(&mut self.syntax, &mut self.require, |known| {
            known.module.path == path
        });
    }

    /// Brings the known lines to what `wanted` says, removes those that are not wanted or stand twice, and returns what has no line yet.
    fn update_requires<'a>(&mut self, wanted: &'a [Require]) -> Vec<&'a Require> {
        let mut missing: BTreeMap<&str, &Require> = wanted
            .iter()
            .map(|require| (require.module.path.as_str(), require))
            .collect();
        let syntax = &mut self.syntax;
        self.require.retain_mut(|known| {
            let Some(want) = missing.remove(known.module.path.as_str()) else {
                syntax.remove_line(known.line);
                return false;
            };
            known.value = want.clone();
            set_version(syntax, known.line, &want.module);
            if let Some((line, _)) = syntax.line_mut(known.line) {
                set_indirect(line, want.indirect);
            }
            true
        });
        missing.into_values().collect()
    }

    /// Makes the requirements exactly these; new ones go to the last block. For files before `go 1.17`.
    pub fn set_require(&mut self, wanted: &[Require]) {
        for require in self.update_requires(wanted) {
            self.add_new_require(require);
        }
        self.sort_blocks();
    }

    /// Makes the requirements exactly these, direct and indirect ones in blocks of their own. Lines in blocks with comments stay where
    /// they are; a single block without comments is parted in two.
    pub fn set_require_separate_indirect(&mut self, wanted: &[Require]) {
        let layout = Layout::of(&self.syntax);
        let one_flat = layout.count == 1 && layout.last.is_some_and(|at| !self.commented(at));
        let (direct, indirect) = self.ensure_blocks(&layout);
        let home = |syntax: &Syntax, at: usize, line: LineId| match &syntax.statements[at] {
            Statement::Block(block) => block.lines.iter().any(|known| known.id == line),
            _ => false,
        };
        let in_direct: Vec<LineId> = self
            .require
            .iter()
            .map(|known| known.line)
            .filter(|&line| home(&self.syntax, direct, line))
            .collect();
        let in_indirect: Vec<LineId> = self
            .require
            .iter()
            .map(|known| known.line)
            .filter(|&line| home(&self.syntax, indirect, line))
            .collect();
        let missing = self.update_requires(wanted);
        for known in &mut self.require {
            let wrong = if known.indirect {
                &in_direct
            } else {
                &in_indirect
            };
            if one_flat || wrong.contains(&known.line) {
                let to = if known.indirect { indirect } else { direct };
                known.line = self.syntax.move_line(known.line, to);
            }
        }
        for require in missing {
            let line = self.syntax.new_line(&[
                auto_quote(&require.module.path),
                require.module.version.clone(),
            ]);
            let id = line.id;
            self.syntax
                .ensure_block(if require.indirect { indirect } else { direct })
                .lines
                .push(line);
            self.new_require(require, id);
        }
        self.sort_blocks();
    }

    fn commented(&self, at: usize) -> bool {
        match &self.syntax.statements[at] {
            Statement::Block(block) => !block.comments.before.is_empty(),
            Statement::Line(line) => has_comments(&line.comments),
            Statement::Comments(_) => true,
        }
    }

    /// Statements of the block for direct and of that for indirect requirements, made where they are missing.
    fn ensure_blocks(&mut self, layout: &Layout) -> (usize, usize) {
        let syntax = &mut self.syntax;
        let mut indirect = layout.indirect;
        let direct = layout.direct.unwrap_or_else(|| {
            let at = match (indirect, layout.last) {
                (Some(at), _) => at,
                (None, Some(last)) => last + 1,
                (None, None) => syntax.statements.len(),
            };
            new_block(syntax, at);
            indirect = indirect.map(|at| at + 1);
            at
        });
        let indirect = indirect.unwrap_or_else(|| {
            new_block(syntax, direct + 1);
            direct + 1
        });
        syntax.ensure_block(direct);
        syntax.ensure_block(indirect);
        (direct, indirect)
    }
}

fn set_version(syntax: &mut Syntax, line: LineId, module: &ModuleVersion) {
    let tokens = [
        "require".to_string(),
        auto_quote(&module.path),
        module.version.clone(),
    ];
    syntax.update_line(line, &tokens);
}
