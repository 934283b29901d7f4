//! Templates for `list -f`, in the syntax of Go's package text/template.
//!
//! The crate gotmpl parses and executes; its values are plain data, whereas Go's templates see structs with static types and
//! methods. The difference is made up here, in the tree between parsing and execution:
//!
//! * a chain of fields becomes a call that knows the fields of each type ([`data`]), so an unknown field and a nil pointer are
//!   errors, with position and words as in Go;
//! * what is printed goes through a call that prints objects with a `String` or `Error` method as Go does;
//! * `.Time.Format "layout"` is the one method with arguments.
//!
//! The names of all fields that a template mentions are known before it runs ([`GoTemplate::wants`]), so that nothing is worked
//! out that nobody looks at.

pub mod data;
pub mod time;

use gotmpl::parse::{CommandNode, Expr, ListNode, Node, Parser, PipeNode, Pos, SmolStr};
use gotmpl::{FuncMap, Template, TemplateError, Value, ValueFunc};
use std::collections::BTreeSet;
use std::sync::Arc;

use data::{TEXT, TYPE};

const GET: &str = "steady field";
const SHOW: &str = "steady show";
const CALL: &str = "steady method";
const KEEP: &str = "steady show but nil";
const NILS: &str = "steady nils";
/// The end of a string of a list that goes through `printf`.
const END: char = '\0';
/// Functions whose arguments are formatted: objects turn into their text first.
const FORMATTING: &[&str] = &["print", "printf", "println", "html", "js", "urlquery"];
const NAME: &str = "main";
/// What every template may call.
const BUILT_IN: &[&str] = &[
    "and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or",
    "print", "printf", "println", "slice", "urlquery",
];

/// A parsed template.
pub struct GoTemplate {
    template: Template,
    fields: BTreeSet<String>,
    whole: bool,
}

/// What came of an execution: what was printed, perhaps before an error.
pub struct Output {
    /// The text.
    pub text: String,
    /// Why it ends here.
    pub error: Option<String>,
}

impl GoTemplate {
    /// Parses a template that may call the given functions beside the usual ones.
    ///
    /// # Errors
    /// A mistake in the syntax, or a function that does not exist; the text is Go's.
    pub fn parse(text: &str, mut functions: FuncMap) -> Result<GoTemplate, String> {
        let parser = Parser::with_name(Some(NAME), text, "{{", "}}");
        let (tree, defines) = parser
            .and_then(Parser::parse)
            .map_err(|error| syntax_error(&error))?;
        if let Some(early) = early_end(text) {
            return Err(early);
        }
        functions.insert(GET.to_owned(), Arc::new(get) as ValueFunc);
        functions.insert(SHOW.to_owned(), Arc::new(show) as ValueFunc);
        functions.insert(CALL.to_owned(), Arc::new(call) as ValueFunc);
        functions.insert(KEEP.to_owned(), Arc::new(keep) as ValueFunc);
        functions.insert(NILS.to_owned(), Arc::new(nils) as ValueFunc);
        let mut rewriter = Rewriter {
            source: text,
            known: functions.keys().cloned().collect(),
            ranges: 0,
            mistake: None,
            fields: BTreeSet::new(),
            whole: false,
        };
        let mut template = Template::new(NAME).funcs(functions);
        for mut define in defines {
            rewriter.list(&mut define.body);
            template = template.add_parse_tree(&define.name, define.body);
        }
        let mut tree = tree;
        rewriter.list(&mut tree);
        if let Some(mistake) = rewriter.mistake {
            return Err(mistake);
        }
        template = template.add_parse_tree(NAME, tree);
        Ok(GoTemplate {
            template,
            fields: rewriter.fields,
            whole: rewriter.whole,
        })
    }

    /// Does the template look at the field, or at whole values?
    #[must_use]
    pub fn wants(&self, field: &str) -> bool {
        self.whole || self.fields.contains(field)
    }

    /// Executes the template for one value.
    #[must_use]
    pub fn execute(&self, value: &Value) -> Output {
        let mut text = String::new();
        let error = self
            .template
            .execute_template_fmt(&mut text, NAME, value)
            .err();
        let error = error.map(|error| match error {
            TemplateError::Exec(message) if message.starts_with("template: ") => message,
            error => format!("template: {NAME}: {error}"),
        });
        Output { text, error }
    }
}

/// Go's templates give the line of a syntax error, not the column.
fn syntax_error(error: &TemplateError) -> String {
    match error {
        TemplateError::Parse { line, message, .. } | TemplateError::Lex { line, message, .. } => {
            format!("template: {NAME}:{line}: {message}")
        }
        other => other.to_string(),
    }
}

/// The parser takes an `{{end}}` or `{{else}}` that belongs to nothing for the end of the template, and closes what is open at
/// its end: in both cases text behind is not part of the template itself.
fn early_end(text: &str) -> Option<String> {
    const LAST: &str = "\u{1}";
    let ends = |text: &str| {
        let marked = format!("{text}{LAST}");
        let parser = Parser::with_name(Some(NAME), &marked, "{{", "}}");
        let (tree, _) = parser.and_then(Parser::parse).ok()?;
        let whole =
            matches!(tree.nodes.last(), Some(Node::Text(last)) if last.text.ends_with(LAST));
        Some(!whole)
    };
    if ends(text) != Some(true) {
        return None;
    }
    let closed = text.rmatch_indices("}}").map(|(at, _)| &text[..at + 2]);
    let at = closed
        .take_while(|front| ends(front) == Some(true))
        .last()?;
    let action = at.rsplit("{{").next().unwrap_or_default();
    let action = action.trim_start_matches(['-', ' ', '\t', '\n']);
    let (what, read) = match ["else", "end"]
        .iter()
        .find(|word| action.starts_with(**word))
    {
        Some(word) => (format!("{{{{{word}}}}}"), at),
        None => ("EOF".to_owned(), text), // something is not closed
    };
    let line = read.matches('\n').count() + 1;
    Some(format!("template: {NAME}:{line}: unexpected {what}"))
}

/// Changes the tree as the module's description says.
struct Rewriter<'a> {
    source: &'a str,
    /// The functions given, beside those that are built in.
    known: BTreeSet<String>,
    /// How many loops are open.
    ranges: usize,
    /// The first thing that parses and still cannot be.
    mistake: Option<String>,
    fields: BTreeSet<String>,
    whole: bool,
}

impl Rewriter<'_> {
    fn list(&mut self, list: &mut ListNode) {
        for node in &mut list.nodes {
            match node {
                Node::Action(action) => {
                    self.pipe(&mut action.pipe);
                    if action.pipe.decl.is_empty() {
                        let pos = action.pos;
                        let args = vec![Expr::Identifier(pos, SHOW.into())];
                        action.pipe.commands.push(CommandNode { pos, args });
                    }
                }
                Node::Range(branch) => {
                    self.pipe(&mut branch.pipe);
                    self.ranges += 1;
                    self.list(&mut branch.body);
                    self.ranges -= 1;
                    if let Some(otherwise) = &mut branch.else_body {
                        self.list(otherwise);
                    }
                }
                Node::If(branch) | Node::With(branch) => {
                    self.pipe(&mut branch.pipe);
                    self.list(&mut branch.body);
                    if let Some(otherwise) = &mut branch.else_body {
                        self.list(otherwise);
                    }
                }
                Node::Template(call) => {
                    if let Some(pipe) = &mut call.pipe {
                        self.pipe(pipe);
                    }
                }
                Node::List(inner) => self.list(inner),
                Node::Define(define) => self.list(&mut define.body),
                Node::Break(pos) => self.leaves_range(*pos, "break"),
                Node::Continue(pos) => self.leaves_range(*pos, "continue"),
                Node::Text(_) => {}
            }
        }
    }

    fn leaves_range(&mut self, pos: Pos, word: &str) {
        if self.ranges == 0 {
            self.refuse(pos, format!("{{{{{word}}}}} outside {{{{range}}}}"));
        }
    }

    fn refuse(&mut self, pos: Pos, what: String) {
        let mistake = format!("template: {NAME}:{}: {what}", pos.line);
        self.mistake.get_or_insert(mistake);
    }

    fn pipe(&mut self, pipe: &mut PipeNode) {
        let mut commands = Vec::with_capacity(pipe.commands.len());
        for (i, mut command) in std::mem::take(&mut pipe.commands).into_iter().enumerate() {
            self.command(&mut command);
            let formats = matches!(command.args.first(), Some(Expr::Identifier(_, name)) if FORMATTING.contains(&name.as_str()));
            let pos = command.pos;
            let verbs =
                matches!(command.args.first(), Some(Expr::Identifier(_, name)) if name == "printf");
            let step = |name: &str| CommandNode {
                pos,
                args: vec![Expr::Identifier(pos, name.into())],
            };
            if formats {
                let show = if verbs { KEEP } else { SHOW };
                if i > 0 {
                    commands.push(step(show));
                }
                for argument in command.args.iter_mut().skip(1) {
                    let inner = std::mem::replace(argument, Expr::Nil(pos));
                    *argument = function(pos, show, vec![inner]);
                }
            }
            commands.push(command);
            if verbs {
                commands.push(step(NILS));
            }
        }
        pipe.commands = commands;
    }

    fn command(&mut self, command: &mut CommandNode) {
        let pos = command.pos;
        let method = command.args.len() > 1
            && matches!(
                command.args[0],
                Expr::Field(..) | Expr::Variable(..) | Expr::Chain(..)
            );
        if method {
            let (receiver, name) = self.receiver(&command.args[0]);
            let mut args = vec![
                Expr::Identifier(pos, CALL.into()),
                receiver,
                Expr::String(pos, name),
            ];
            args.extend(command.args.drain(1..));
            for argument in args.iter_mut().skip(3) {
                self.expression(argument);
            }
            command.args = args;
            return;
        }
        for argument in &mut command.args {
            self.expression(argument);
        }
    }

    /// Splits `.A.B.Method` into what `.A.B` becomes and the method's name.
    fn receiver(&mut self, expression: &Expr) -> (Expr, Arc<str>) {
        let split = |names: &[SmolStr]| {
            let (last, rest) = names
                .split_last()
                .map_or(("", &[][..]), |(last, rest)| (last.as_str(), rest));
            (rest.to_vec(), Arc::from(last))
        };
        let (mut receiver, name) = match expression {
            Expr::Field(pos, names) => {
                let (rest, name) = split(names);
                (
                    if rest.is_empty() {
                        Expr::Dot(*pos)
                    } else {
                        Expr::Field(*pos, rest)
                    },
                    name,
                )
            }
            Expr::Variable(pos, variable, names) => {
                let (rest, name) = split(names);
                (Expr::Variable(*pos, variable.clone(), rest), name)
            }
            Expr::Chain(pos, inner, names) => {
                let (rest, name) = split(names);
                (Expr::Chain(*pos, inner.clone(), rest), name)
            }
            other => (other.clone(), Arc::from("")),
        };
        self.expression(&mut receiver);
        (receiver, name)
    }

    fn expression(&mut self, expression: &mut Expr) {
        let pos = expression.pos();
        match expression {
            Expr::Field(_, names) => {
                let names = std::mem::take(names);
                // Of a chain Go knows where its second link stands.
                let shift = names.first().filter(|_| names.len() > 1);
                let shift = shift.map_or(0, |first| first.len() + 1);
                *expression = self.chain((pos, shift), "", Expr::Dot(pos), &names);
            }
            Expr::Variable(_, name, names) => {
                self.whole |= names.is_empty();
                let names = std::mem::take(names);
                if !names.is_empty() {
                    let variable = Expr::Variable(pos, name.clone(), Vec::new());
                    let name = name.clone();
                    *expression = self.chain((pos, name.len()), &name, variable, &names);
                }
            }
            Expr::Chain(_, inner, names) => {
                self.expression(inner);
                let names = std::mem::take(names);
                let inner = std::mem::replace(inner.as_mut(), Expr::Nil(pos));
                *expression = self.chain((pos, 0), "", inner, &names);
            }
            Expr::Pipe(_, pipe) => self.pipe(pipe),
            Expr::Dot(_) => self.whole = true,
            Expr::Identifier(_, name) => {
                let name = name.as_str();
                if !BUILT_IN.contains(&name) && !self.known.contains(name) {
                    self.refuse(pos, format!("function {name:?} not defined"));
                }
            }
            _ => {}
        }
    }

    /// `names` behind `start`, which is written as `shown`; the place in messages is `shift` bytes behind `pos`.
    fn chain(
        &mut self,
        (pos, shift): (Pos, usize),
        shown: &str,
        start: Expr,
        names: &[SmolStr],
    ) -> Expr {
        self.fields.extend(names.iter().map(ToString::to_string));
        let before = self.source.get(..pos.offset).unwrap_or_default();
        let column = pos.offset - before.rfind('\n').map_or(0, |at| at + 1) + shift;
        let links = names.iter().map(|name| format!(".{name}"));
        let shown: String = std::iter::once(shown.to_owned()).chain(links).collect();
        let place = format!(
            "{NAME}:{}:{column}: executing \"{NAME}\" at <{shown}>",
            pos.line
        );
        let mut args = vec![Expr::String(pos, place.into()), start];
        args.extend(
            names
                .iter()
                .map(|name| Expr::String(pos, Arc::from(name.as_str()))),
        );
        function(pos, GET, args)
    }
}

/// A call in brackets.
fn function(pos: Pos, name: &str, arguments: Vec<Expr>) -> Expr {
    let mut args = vec![Expr::Identifier(pos, name.into())];
    args.extend(arguments);
    let commands = vec![CommandNode { pos, args }];
    Expr::Pipe(
        pos,
        PipeNode {
            pos,
            decl: Vec::new(),
            commands,
            is_assign: false,
        },
    )
}

fn text_of(value: &Value) -> &str {
    match value {
        Value::String(text) => text,
        _ => "",
    }
}

/// Place, start, names.
fn get(args: &[Value]) -> gotmpl::Result<Value> {
    let [place, start, names @ ..] = args else {
        return Ok(Value::Nil);
    };
    let fail = |what: String| {
        Err(TemplateError::Exec(format!(
            "template: {}: {what}",
            text_of(place)
        )))
    };
    let mut value = start.clone();
    let mut kind = "interface {}";
    for name in names.iter().map(text_of) {
        let next = match &value {
            Value::Map(map) => match map.get(name) {
                Some(next) => next.clone(),
                None => match map.get(TYPE) {
                    Some(_) if name == "String" || name == "Error" => {
                        map.get(TEXT).cloned().unwrap_or(Value::Nil)
                    }
                    Some(kind) => {
                        return fail(format!(
                            "can't evaluate field {name} in type {}",
                            text_of(kind)
                        ));
                    }
                    None => Value::Nil,
                },
            },
            Value::Nil => return fail(format!("nil pointer evaluating {kind}.{name}")),
            other => {
                return fail(format!(
                    "can't evaluate field {name} in type {}",
                    other.type_name()
                ));
            }
        };
        kind = data::pointer_type(name);
        value = next;
    }
    Ok(value)
}

/// Objects become their text, nil pointers `<nil>`; lists are treated the same, one by one.
fn show(args: &[Value]) -> gotmpl::Result<Value> {
    Ok(args.first().map_or(Value::Nil, shown))
}

/// As [`show`], but nil pointers stay what they are, and strings of lists and maps end with [`END`].
fn keep(args: &[Value]) -> gotmpl::Result<Value> {
    let ended = |value: &Value| match value {
        Value::String(text) => Value::String(format!("{text}{END}").into()),
        other => other.clone(),
    };
    Ok(match args.first() {
        None | Some(Value::Nil) => Value::Nil,
        Some(value) => match shown(value) {
            Value::List(list) => Value::List(list.iter().map(ended).collect()),
            Value::Map(map) if map.values().all(|value| matches!(value, Value::String(_))) => {
                let pairs = map.iter();
                let pairs = pairs.map(|(key, value)| (format!("{key}{END}").into(), ended(value)));
                Value::Map(Arc::new(pairs.collect()))
            }
            shown => shown,
        },
    })
}

/// Go formats each string of a list or map by the verb; here these stand in the text as something that the verb is not for.
fn lists(text: &str) -> String {
    let marks = [
        ("%!q(list=[", "["),
        ("%!s(list=[", "["),
        ("%!q(map=map[", "map["),
        ("%!s(map=map[", "map["),
    ];
    let mut text = text.to_owned();
    for (mark, open) in marks {
        let format = |text: &str| match mark.starts_with("%!q") {
            true => steady_module::quote::quote(text),
            false => text.to_owned(),
        };
        let mut left = text.as_str();
        let mut done = String::with_capacity(text.len());
        while let Some((before, rest)) = left.split_once(mark) {
            done.push_str(before);
            if let Some(after) = rest.strip_prefix("])") {
                done.push_str(&format!("{open}]"));
                left = after;
                continue;
            }
            let Some((inside, after)) = rest.split_once(&format!("{END}])")) else {
                left = rest;
                break;
            };
            let (between, colon) = (format!("{END} "), format!("{END}:"));
            let word = |word: &str| {
                let parts: Vec<String> = word.split(&colon).map(&format).collect();
                parts.join(":")
            };
            let words: Vec<String> = inside.split(&between).map(word).collect();
            done.push_str(&format!("{open}{}]", words.join(" ")));
            left = after;
        }
        done.push_str(left);
        text = done;
    }
    text.replace(END, "")
}

/// What `printf` made of lists of strings, and of nil pointers: those that a package has are errors, and of these Go prints
/// `<nil>` whatever the verb.
fn nils(args: &[Value]) -> gotmpl::Result<Value> {
    let Some(Value::String(text)) = args.first() else {
        return Ok(args.first().cloned().unwrap_or(Value::Nil));
    };
    let mut text = lists(text);
    for verb in ["q", "s", "x"] {
        text = text.replace(&format!("%!{verb}(<nil>)"), "<nil>");
    }
    Ok(Value::String(text.into()))
}

fn shown(value: &Value) -> Value {
    match value {
        Value::Nil => Value::String("<nil>".into()),
        Value::Map(map) if map.contains_key(TYPE) => match map.get(TEXT) {
            Some(text) => text.clone(),
            None => {
                let fields = map.iter().filter(|(name, _)| !name.starts_with('\0'));
                Value::Map(Arc::new(
                    fields
                        .map(|(name, value)| (Arc::clone(name), shown(value)))
                        .collect(),
                ))
            }
        },
        Value::List(list) => Value::List(list.iter().map(shown).collect()),
        other => other.clone(),
    }
}

/// Receiver, method, arguments.
fn call(args: &[Value]) -> gotmpl::Result<Value> {
    let [receiver, method, arguments @ ..] = args else {
        return Ok(Value::Nil);
    };
    let text = match receiver {
        Value::Map(map) => map.get(data::RFC3339).map(text_of),
        _ => None,
    };
    match (text_of(method), text, arguments) {
        ("Format", Some(time), [layout]) => {
            Ok(Value::String(time::format(time, text_of(layout)).into()))
        }
        (name, ..) => Err(TemplateError::Exec(format!(
            "template: {NAME}: executing \"{NAME}\": {name} has arguments but cannot be invoked as function"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::data::{MODULE, object};
    use super::*;
    use serde_json::json;

    fn module() -> Value {
        object(
            &MODULE,
            &json!({"Path": "a.example/m", "Version": "v1.0.0", "Time": "2018-02-14T15:44:20Z", "Retracted": ["bad", "worse"]}),
        )
    }

    fn run(text: &str) -> Result<String, String> {
        let output = GoTemplate::parse(text, FuncMap::new())?.execute(&module());
        output.error.map_or(Ok(output.text), Err)
    }

    #[test]
    fn what_parses_and_still_cannot_be() {
        let error = |text| GoTemplate::parse(text, FuncMap::new()).err();
        for (text, wrong) in [
            ("{{.Path}}{{end}}", "1: unexpected {{end}}"),
            (
                "{{if .Path}}a{{else}}b{{end}}\n{{- else}}",
                "2: unexpected {{else}}",
            ),
            ("{{if .Path}}a{{else}}b", "1: unexpected EOF"),
            ("{{nope .Path}}", "1: function \"nope\" not defined"),
            (
                "{{if .Path}}{{break}}{{end}}",
                "1: {{break}} outside {{range}}",
            ),
        ] {
            assert_eq!(
                error(text),
                Some(format!("template: main:{wrong}")),
                "{text}"
            );
        }
        for text in [
            "{{range .Path}}{{if .}}{{continue}}{{end}}{{else}}x{{end}} {{- \"}}\"}} ",
            "{{define \"x\"}}{{len .}}{{end}}{{template \"x\" .Path -}} \n",
        ] {
            assert_eq!(error(text), None, "{text}");
        }
    }

    #[test]
    fn fields_that_are_empty_print_as_their_zero_value() {
        assert_eq!(
            run("{{.Path}} <{{.Dir}}> {{.Main}} {{.Versions}} {{.Replace}}").unwrap(),
            "a.example/m <> false [] <nil>"
        );
    }

    #[test]
    fn objects_print_by_their_method() {
        assert_eq!(
            run("{{.}}|{{.String}}|{{printf \"%q\" .}}|{{. | print}}").unwrap(),
            "a.example/m v1.0.0 (retracted)|a.example/m v1.0.0 (retracted)|\"a.example/m v1.0.0 (retracted)\"|a.example/m v1.0.0 (retracted)"
        );
        assert_eq!(
            run("{{.Time}} {{.Time.Format \"2006-01-02\"}}").unwrap(),
            "2018-02-14 15:44:20 +0000 UTC 2018-02-14"
        );
    }

    #[test]
    fn verbs_are_for_each_string_of_a_list() {
        assert_eq!(
            run("{{printf \"%q %s %v\" .Retracted .Retracted .Retracted}}").unwrap(),
            "[\"bad\" \"worse\"] [bad worse] [bad worse]"
        );
        assert_eq!(run("{{.Versions | printf \"%q\"}}").unwrap(), "[]");
    }

    #[test]
    fn control_structures() {
        assert_eq!(run("{{with .Replace}}x{{else}}y{{end}}{{range $i, $r := .Retracted}}{{$i}}{{$r}},{{end}}").unwrap(), "y0bad,1worse,");
        assert_eq!(
            run("{{define \"t\"}}{{.Path}}{{end}}{{template \"t\" .}}").unwrap(),
            "a.example/m"
        );
        assert_eq!(
            run("{{if eq .Path \"a.example/m\"}}{{len .Retracted}}{{end}}").unwrap(),
            "2"
        );
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        assert_eq!(
            run("x\n {{.Nope}}").unwrap_err(),
            "template: main:2:3: executing \"main\" at <.Nope>: can't evaluate field Nope in type *modinfo.ModulePublic"
        );
        assert_eq!(
            run("{{.Replace.Path}}").unwrap_err(),
            "template: main:1:10: executing \"main\" at <.Replace.Path>: nil pointer evaluating *modinfo.ModulePublic.Path"
        );
        assert!(
            run("{{.Path")
                .unwrap_err()
                .starts_with("template: main:1: "),
            "{}",
            run("{{.Path").unwrap_err()
        );
    }

    #[test]
    fn mentioned_fields_are_known() {
        let template =
            GoTemplate::parse("{{with .Module}}{{.Path}}{{end}}", FuncMap::new()).unwrap();
        assert!(template.wants("Module") && template.wants("Path") && !template.wants("Deps"));
        assert!(
            GoTemplate::parse("{{.}}", FuncMap::new())
                .unwrap()
                .wants("Deps")
        );
    }
}
