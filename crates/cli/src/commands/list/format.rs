//! How `list` shows one package or module: a template, or JSON in Go's form.

use gotmpl::{FuncMap, Value};
use serde::Serialize;
use serde_json::Value as Json;
use std::cell::Cell;
use std::collections::BTreeSet;
use steady_packages::package::{ModulePublic, PackagePublic};

use crate::failure::{Failure, Result};
use crate::flags::value;
use crate::gojson;
use crate::printer::Printer;
use crate::template::GoTemplate;
use crate::template::data::{MODULE, PACKAGE, Struct, TEXT, object};

/// The value of `-json`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonFlag {
    /// JSON is wanted.
    pub on: bool,
    /// Only these fields; empty: all.
    pub fields: BTreeSet<String>,
}

impl JsonFlag {
    /// Reads every `-json` in its order.
    #[must_use]
    pub fn read(values: &[String]) -> JsonFlag {
        let mut flag = JsonFlag::default();
        for text in values {
            match value::boolean(text) {
                Ok(on) => flag.on = on,
                Err(_) => {
                    flag.on = true;
                    flag.fields.extend(text.split(',').map(str::to_owned));
                }
            }
        }
        flag
    }

    /// Is any of the fields shown? Also true when no JSON is asked for: then a template may look at it.
    #[must_use]
    pub fn needs(&self, fields: &[&str]) -> bool {
        self.fields.is_empty() || fields.iter().any(|field| self.fields.contains(*field))
    }
}

/// A way to show things.
pub enum Format {
    /// JSON.
    Json(JsonFlag),
    /// The import path alone, which needs no template.
    ImportPath,
    /// A template.
    Template(Box<GoTemplate>),
}

impl Format {
    /// The way that the flags ask for.
    ///
    /// # Errors
    /// A template that does not parse.
    pub fn new(json: JsonFlag, template: &str, functions: FuncMap) -> Result<Format> {
        if json.on {
            return Ok(Format::Json(json));
        }
        if template == "{{.ImportPath}}" {
            return Ok(Format::ImportPath);
        }
        let template = GoTemplate::parse(template, functions).map_err(Failure::plain)?;
        Ok(Format::Template(Box::new(template)))
    }

    /// Is the field looked at?
    #[must_use]
    pub fn needs(&self, fields: &[&str]) -> bool {
        match self {
            Format::Json(json) => json.needs(fields),
            Format::ImportPath => false,
            Format::Template(template) => fields.iter().any(|field| template.wants(field)),
        }
    }
}

/// Shows one thing after another on standard output.
pub struct Shower<'a> {
    format: &'a Format,
    printer: &'a Printer,
    line_open: Cell<bool>,
}

impl<'a> Shower<'a> {
    /// Shows in this way.
    #[must_use]
    pub fn new(format: &'a Format, printer: &'a Printer) -> Shower<'a> {
        Shower {
            format,
            printer,
            line_open: Cell::new(false),
        }
    }

    /// One package.
    ///
    /// # Errors
    /// A template that fails.
    pub fn package(&self, package: &PackagePublic) -> Result<()> {
        if matches!(self.format, Format::ImportPath) {
            self.printer.out(format!("{}\n", package.import_path));
            return Ok(());
        }
        self.show(package, &PACKAGE, |json| {
            if let Some(error) = &package.error {
                json["Error"][TEXT] = error.to_string().into();
            }
            for (i, error) in package.deps_errors.iter().enumerate() {
                json["DepsErrors"][i][TEXT] = error.to_string().into();
            }
        })
    }

    /// One module.
    ///
    /// # Errors
    /// A template that fails.
    pub fn module(&self, module: &ModulePublic) -> Result<()> {
        self.show(module, &MODULE, |_| {})
    }

    fn show(
        &self,
        thing: &impl Serialize,
        kind: &Struct,
        complete: impl FnOnce(&mut Json),
    ) -> Result<()> {
        match self.format {
            Format::Json(flag) if flag.fields.is_empty() => {
                self.printer.out(gojson::to_string(thing)? + "\n");
                Ok(())
            }
            Format::Json(flag) => {
                let mut json = serde_json::to_value(thing)?;
                if let Some(map) = json.as_object_mut() {
                    map.retain(|name, _| flag.fields.contains(name));
                }
                self.printer.out(gojson::to_string(&json)? + "\n");
                Ok(())
            }
            Format::ImportPath => Ok(()),
            Format::Template(template) => {
                let mut json = serde_json::to_value(thing)?;
                complete(&mut json);
                self.execute(template, &object(kind, &json))
            }
        }
    }

    /// A line end follows unless the template wrote one, or nothing at all so far.
    fn execute(&self, template: &GoTemplate, value: &Value) -> Result<()> {
        let output = template.execute(value);
        let mut text = output.text;
        if let Some(last) = text.bytes().last() {
            self.line_open.set(last != b'\n');
        }
        if output.error.is_none() && self.line_open.replace(false) {
            text.push('\n');
        }
        self.printer.out(text);
        output
            .error
            .map_or(Ok(()), |error| Err(Failure::plain(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(json: &[&str], template: &str) -> String {
        let out = Shared::default();
        let printer = Printer::to(Box::new(out.clone()), Box::new(io::sink()));
        let json: Vec<String> = json.iter().map(|value| (*value).to_owned()).collect();
        let format = Format::new(JsonFlag::read(&json), template, FuncMap::new()).unwrap();
        let shower = Shower::new(&format, &printer);
        for name in ["a", ""] {
            let package = PackagePublic {
                import_path: "x/<y>".into(),
                name: name.into(),
                imports: vec!["fmt".into()],
                ..PackagePublic::default()
            };
            shower.package(&package).unwrap();
        }
        drop(printer);
        let bytes = out.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn templates_end_their_lines() {
        assert_eq!(shown(&[], "{{.ImportPath}}"), "x/<y>\nx/<y>\n");
        assert_eq!(shown(&[], "{{.Name}}"), "a\n");
        assert_eq!(shown(&[], "{{.Name}}\n"), "a\n\n");
    }

    #[test]
    fn json_shows_what_is_asked_for() {
        let one = "{\n\t\"ImportPath\": \"x/\\u003cy\\u003e\",\n\t\"Name\": \"a\"\n}\n";
        assert!(shown(&["Name,ImportPath"], "").starts_with(one));
        assert!(shown(&["true"], "").contains("\"Imports\": [\n\t\t\"fmt\"\n\t]"));
    }

    #[test]
    fn json_flags_add_up() {
        let read = |values: &[&str]| {
            JsonFlag::read(&values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>())
        };
        assert!(!read(&[]).on && read(&["true"]).on && !read(&["false"]).on);
        assert!(
            read(&["Dir,Name"]).needs(&["Name"])
                && !read(&["Dir"]).needs(&["Name"])
                && read(&["true"]).needs(&["Name"])
        );
    }
}
