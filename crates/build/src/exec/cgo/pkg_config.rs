//! Flags from pkg-config.

use steady_packages::package::Package;

use super::Run;
use crate::cflags::{Rules, check, is_safe_argument};
use crate::plan::NodeId;
use crate::shell::{Done, Failure};

impl Run<'_> {
    /// The flags for compiling and for linking that pkg-config knows of what a package asks for.
    pub(super) fn pkg_config_flags(
        &self,
        node: NodeId,
        package: &Package,
    ) -> Done<(Vec<String>, Vec<String>)> {
        let words = &package.public.files.cgo_pkg_config;
        if words.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let flags: Vec<String> = words
            .iter()
            .filter(|word| word.starts_with("--") && *word != "--")
            .cloned()
            .collect();
        let names: Vec<String> = words
            .iter()
            .filter(|word| !word.starts_with("--"))
            .cloned()
            .collect();
        if let Some(name) = names.iter().find(|name| !is_safe_argument(name)) {
            return Err(Failure::new(format!(
                "invalid pkg-config package name: {name}"
            )));
        }
        check(None, "", "pkg-config", &flags, Rules::PkgConfig).map_err(Failure::new)?;
        let ask = |what: &str, kind: &str, rules: Rules| -> Done<Vec<String>> {
            let program = self.pkg_config();
            let mut words = vec![program.clone(), what.to_owned()];
            words.extend(flags.iter().cloned());
            words.push("--".into());
            words.extend(names.iter().cloned());
            let shell = self.shell(node);
            let ran = shell.run_out(&package.public.dir, &[], &words);
            if ran.error.is_some() {
                let heading = format!(
                    "{program} {what} {} -- {}",
                    flags.join(" "),
                    names.join(" ")
                );
                shell.report(&heading, "", ran)?;
                return Ok(Vec::new());
            }
            let output = String::from_utf8_lossy(&ran.output);
            let found = split_output(output.trim()).map_err(Failure::new)?;
            check(
                Some(self.config),
                kind,
                &format!("pkg-config {what}"),
                &found,
                rules,
            )
            .map_err(Failure::new)?;
            Ok(found)
        };
        Ok((
            ask("--cflags", "CFLAGS", Rules::Compiler)?,
            ask("--libs", "LDFLAGS", Rules::Linker)?,
        ))
    }
}

/// Splits what pkg-config prints as a shell would, but without anything that a shell would run or look up.
fn split_output(output: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = output.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None | Some('"'), '\\') => {
                let next = chars.next();
                match next {
                    None if quote.is_some() => {
                        return Err("unterminated quoted string in pkgconf output".into());
                    }
                    None => return Err("broken character escaping in pkgconf output".into()),
                    Some('\n') => {}
                    Some(next) => {
                        let word = word.get_or_insert_default();
                        if quote.is_some() && !matches!(next, '$' | '`' | '"' | '\\') {
                            word.push('\\');
                        }
                        word.push(next);
                    }
                }
            }
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (Some(_), c) if !matches!(c, '$' | '`') => word.get_or_insert_default().push(c),
            (None | Some(_), '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`') => {
                return Err(format!(
                    "unexpected shell character '{c}' in pkgconf output"
                ));
            }
            (_, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (_, ' ' | '\t' | '\n') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("unterminated quoted string in pkgconf output".into());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits() {
        let split = |text: &str| split_output(text);
        assert_eq!(
            split(r"-r:foo -L/usr/white\ space/lib -lfoo\ bar -lbar\ baz").unwrap(),
            ["-r:foo", "-L/usr/white space/lib", "-lfoo bar", "-lbar baz"]
        );
        assert_eq!(
            split(r#"-lextra\ fun\ arg\\ "\$a\b" 'x"y' "" "#).unwrap(),
            ["-lextra fun arg\\", "$a\\b", "x\"y", ""]
        );
        assert_eq!(split("a\\\nb").unwrap(), ["ab"]);
        assert_eq!(split("").unwrap(), [""; 0]);
        assert!(split(r#""-r:foo" "-L/usr/white space/lib "-lfoo bar" "-lbar baz""#).is_err());
        assert!(split("-lfoo\\").is_err());
        assert!(split("`rm`").is_err() && split("\"$x\"").is_err());
    }
}
