//! `go-import` meta tags: what a web page says about where a module's repository is.
//!
//! The page is read as HTML that may be careless, up to the end of its head; what stands in its body is never believed.

/// One `<meta name="go-import" content="prefix vcs root [subdir]">`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaImport {
    /// Import path of the repository's root.
    pub prefix: String,
    /// `git`, ..., or `mod` for a module proxy.
    pub vcs: String,
    /// URL.
    pub root: String,
    /// Directory of the repository where the module lies, or empty.
    pub subdir: String,
}

/// The tags of a page: first those for module proxies, then the others for prefixes that have none.
pub fn parse(page: &str) -> Vec<MetaImport> {
    let found = metas(page);
    let (mut list, others): (Vec<MetaImport>, Vec<MetaImport>) =
        found.into_iter().partition(|meta| meta.vcs == "mod");
    let proxied: Vec<String> = list.iter().map(|meta| meta.prefix.clone()).collect();
    list.extend(
        others
            .into_iter()
            .filter(|meta| !proxied.contains(&meta.prefix)),
    );
    list
}

/// The one tag for an import path.
///
/// # Errors
/// Why there is none; the bool says that the page has tags for other paths only (or none at all).
pub fn matching<'a>(metas: &'a [MetaImport], path: &str) -> Result<&'a MetaImport, (bool, String)> {
    let mut found: Option<&MetaImport> = None;
    let mut others = Vec::new();
    for meta in metas {
        if !has_path_prefix(path, &meta.prefix) {
            let prefix = &meta.prefix;
            others.push(format!(
                "meta tag {prefix} did not match import path {path}"
            ));
            continue;
        }
        match found {
            None => found = Some(meta),
            // Proxies come first and win.
            Some(first) if first.vcs == "mod" && meta.vcs != "mod" => break,
            Some(_) => {
                return Err((
                    false,
                    format!("multiple meta tags match import path {path:?}"),
                ));
            }
        }
    }
    found.ok_or_else(|| (true, others.join(", ")))
}

/// Whether a slash-separated path is `prefix` or below it.
pub fn has_path_prefix(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'))
}

fn metas(page: &str) -> Vec<MetaImport> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            continue;
        }
        let closing = rest.starts_with('/');
        let name_at = usize::from(closing);
        let name_end = rest[name_at..]
            .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
            .map_or(rest.len(), |end| name_at + end);
        let name = local(&rest[name_at..name_end]).to_ascii_lowercase();
        match (closing, name.as_str()) {
            (false, "body") | (true, "head") => break,
            (false, "meta") => {
                let (attributes, after) = attributes(&rest[name_end..]);
                rest = after;
                found.extend(go_import(&attributes));
            }
            (false, _) if name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                rest = attributes(&rest[name_end..]).1;
            }
            _ => rest = &rest[name_end..],
        }
    }
    found
}

fn go_import(attributes: &[(String, String)]) -> Option<MetaImport> {
    let value = |key: &str| {
        let found = attributes.iter().find(|(name, _)| name == key);
        found.map_or("", |(_, value)| value.as_str())
    };
    if value("name") != "go-import" {
        return None;
    }
    let words: Vec<&str> = value("content").split_whitespace().collect();
    let (prefix, vcs, root, subdir) = match words[..] {
        [prefix, vcs, root] => (prefix, vcs, root, ""),
        [prefix, vcs, root, subdir] => (prefix, vcs, root, subdir),
        _ => return None,
    };
    Some(MetaImport {
        prefix: prefix.to_owned(),
        vcs: vcs.to_owned(),
        root: root.to_owned(),
        subdir: subdir.to_owned(),
    })
}

/// A name without its namespace.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// The attributes of a tag (names in lower case), and what follows the tag.
fn attributes(text: &str) -> (Vec<(String, String)>, &str) {
    let mut list = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return (list, rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (list, after);
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/'))
            .unwrap_or(rest.len());
        if end == 0 {
            // An equals sign without a name.
            rest = &rest[1..];
            continue;
        }
        let name = local(&rest[..end]).to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            (value, rest) = attribute_value(after.trim_start());
        }
        list.push((name, decode(value)));
    }
}

fn attribute_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    let end = text
        .find(|c: char| c.is_whitespace() || c == '>')
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Replaces the entities that XML knows.
pub fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out += before;
        let known = after.split_once(';').and_then(|(name, rest)| {
            let c = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                _ => {
                    let number = name.strip_prefix('#')?;
                    let code = match number.strip_prefix('x') {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => number.parse().ok()?,
                    };
                    char::from_u32(code)?
                }
            };
            Some((c, rest))
        });
        match known {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(prefix: &str, vcs: &str, root: &str, subdir: &str) -> MetaImport {
        MetaImport {
            prefix: prefix.into(),
            vcs: vcs.into(),
            root: root.into(),
            subdir: subdir.into(),
        }
    }

    #[test]
    fn tags_of_a_page() {
        let page = r#"<!DOCTYPE html><!-- <meta name="go-import" content="no git no"> -->
            <HTML><head><title>a < b</title><script>if (a<b) {}</script>
            <META content="x.test/a git https://x.test/a.git" NAME=go-import />
            <meta name='go-import' content='x.test/b hg https://x.test/b?u=1&amp;v=2 sub/dir'>
            <meta name="go-import" content="too few">
            <meta name="other" content="x.test/c git https://x.test/c">
            <body><meta name="go-import" content="x.test/evil git https://evil.test/">"#;
        let want = [
            meta("x.test/a", "git", "https://x.test/a.git", ""),
            meta("x.test/b", "hg", "https://x.test/b?u=1&v=2", "sub/dir"),
        ];
        assert_eq!(parse(page), want);
    }

    #[test]
    fn a_proxy_stands_before_a_repository_of_the_same_prefix() {
        let page = r#"<meta name="go-import" content="x.test git https://x.test/a">
            <meta name="go-import" content="x.test mod https://proxy.test">
            <meta name="go-import" content="y.test git https://y.test"></head>
            <meta name="go-import" content="late git https://late">"#;
        let want = [
            meta("x.test", "mod", "https://proxy.test", ""),
            meta("y.test", "git", "https://y.test", ""),
        ];
        assert_eq!(parse(page), want);
    }

    #[test]
    fn one_tag_must_fit() {
        let metas = [
            meta("x.test", "git", "https://x.test", ""),
            meta("x.test/a", "git", "https://x.test", ""),
        ];
        assert_eq!(matching(&metas, "x.test/b").unwrap(), &metas[0]);
        let (_, text) = matching(&metas, "x.test/a").unwrap_err();
        assert_eq!(text, "multiple meta tags match import path \"x.test/a\"");
        let (mismatch, text) = matching(&metas[1..], "x.test/b").unwrap_err();
        assert!(mismatch);
        assert_eq!(text, "meta tag x.test/a did not match import path x.test/b");
        assert_eq!(matching(&[], "x.test").unwrap_err(), (true, String::new()));
    }

    #[test]
    fn careless_pages_end() {
        for page in [
            "<",
            "<meta",
            "<meta name",
            "<meta name=\"go",
            "<a =>",
            "<!--",
            "</",
            "&#x;",
        ] {
            assert!(parse(page).is_empty(), "{page}");
        }
        assert_eq!(decode("a&amp;b&#65;&#x42;&unknown;&"), "a&bAB&unknown;&");
    }
}
