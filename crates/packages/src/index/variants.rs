//! What one directory is under several build configurations.
//!
//! Evaluating says which tags it asked for. Two configurations that answer all of these alike make the same of a directory, so that most
//! directories are one package for all platforms.

use crate::source::{BuildContext, DirContents, PackageSource, evaluate};
use camino::Utf8Path;
use std::sync::Arc;

/// The packages that a directory was found to be.
#[derive(Default)]
pub(super) struct Variants(Vec<Variant>);

struct Variant {
    source: Arc<PackageSource>,
    /// Whether each tag of `source.all_tags` held.
    held: Vec<bool>,
    /// What else decides.
    rest: Rest,
}

/// What has a say in evaluating beside the tags that it asks for.
#[derive(PartialEq)]
struct Rest {
    use_all_files: bool,
    import_comments: bool,
    /// Conditions of `#cgo` lines ask for tags without telling: all that a tag can follow from.
    tags: Option<Vec<String>>,
}

impl Rest {
    fn of(context: &BuildContext, contents: &DirContents) -> Rest {
        let cgo_lines = |lines: &[String]| lines.iter().any(|line| !line.is_empty());
        let whole = contents.files.iter().any(|file| cgo_lines(&file.cgo_lines));
        let target = [&context.goos, &context.goarch, &context.compiler];
        let lists = [
            &context.build_tags,
            &context.tool_tags,
            &context.release_tags,
        ];
        let cgo = context.cgo_enabled.then(|| "cgo".to_owned());
        let all = target
            .into_iter()
            .chain(lists.into_iter().flatten())
            .cloned()
            .chain(cgo);
        Rest {
            use_all_files: context.use_all_files,
            import_comments: context.import_comments,
            tags: whole.then(|| all.collect()),
        }
    }
}

fn held(source: &PackageSource, context: &BuildContext) -> impl Iterator<Item = bool> {
    source.all_tags.iter().map(|tag| context.has_tag(tag))
}

impl Variants {
    /// The package under a configuration, evaluated only if none of those known is the same.
    pub(super) fn under(
        &mut self,
        context: &BuildContext,
        dir: &Utf8Path,
        contents: &DirContents,
    ) -> Arc<PackageSource> {
        let rest = Rest::of(context, contents);
        let fits = |variant: &&Variant| {
            variant.rest == rest && held(&variant.source, context).eq(variant.held.iter().copied())
        };
        if let Some(known) = self.0.iter().find(fits) {
            return Arc::clone(&known.source);
        }
        let source = Arc::new(evaluate(dir, contents, context));
        self.0.push(Variant {
            held: held(&source, context).collect(),
            source: Arc::clone(&source),
            rest,
        });
        source
    }
}
