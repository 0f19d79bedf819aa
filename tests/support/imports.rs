//! Finds which file names an item of which other file. It reads tokens, not lines: `use` trees and
//! paths in code, attributes and macros count. A re-exported name counts for the file that defines
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A source file and its module path with the crate: `["picsbridge", "api", "runs"]`.
pub struct Source {
    pub file: String,
    pub module: Vec<String>,
    pub text: String,
}

/// The first place where a file names something of another file.
#[derive(Clone, Debug)]
pub struct Link {
    pub from: String,
    pub line: usize,
    /// The path as it is written: `super::page::Page`.
    pub path: String,
    pub to: String,
    /// False if only the module itself is named, as in `use super::page;`.
    pub item: bool,
}

/// The Rust files below a folder of this package, by their relative names.
pub fn files(folder: &str) -> BTreeMap<String, String> {
    fn walk(folder: &Path, base: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, base, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(base).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = BTreeMap::new();
    walk(&base, &base, &mut found);
    found
}

/// All links between files.
pub fn links(sources: &[Source]) -> Vec<Link> {
    let mut tree = Tree::default();
    let mut mentions = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        let module = tree.module(&source.module);
        tree.modules[module].file = Some(file);
        let tokens = source.text.parse().unwrap_or_else(|error| panic!("{}: {error}", source.file));
        let mut reader = Reader { tree: &mut tree, module, found: Vec::new(), names: BTreeSet::new() };
        reader.items(tokens);
        let Reader { found, names, .. } = reader;
        // A file does not use what it only re-exports.
        let used = found.into_iter().filter(|mention| match &mention.passed_on {
            Some(name) => names.contains(name),
            None => true,
        });
        mentions.extend(used.map(|mention| (file, mention)));
    }
    let mut links = BTreeMap::new();
    for (file, mention) in mentions {
        let (to, item) = match tree.resolve(mention.module, &mention.path, mention.is_use, 0) {
            Some(Target::Item(to)) => (to, true),
            Some(Target::Module(module)) => match tree.modules[module].file {
                Some(to) => (to, mention.glob),
                None => continue,
            },
            None => continue,
        };
        if to != file {
            links.entry((file, to, item)).or_insert(Link {
                from: sources[file].file.clone(),
                line: mention.line,
                path: mention.path.join("::"),
                to: sources[to].file.clone(),
                item,
            });
        }
    }
    links.into_values().collect()
}

/// Circles of files, shortest first. No two of them share a link.
pub fn circles(links: &[Link]) -> Vec<Vec<&Link>> {
    let mut left: Vec<&Link> = links.iter().filter(|link| link.item).collect();
    let mut found = Vec::new();
    loop {
        // A link of a circle leads to a file with outgoing links, and comes from a file with
        // incoming links.
        let mut before = usize::MAX;
        while left.len() < before {
            before = left.len();
            let from: BTreeSet<_> = left.iter().map(|link| &link.from).collect();
            let to: BTreeSet<_> = left.iter().map(|link| &link.to).collect();
            left.retain(|link| from.contains(&link.to) && to.contains(&link.from));
        }
        let Some(circle) = left.iter().filter_map(|link| way_back(link, &left)).min_by_key(Vec::len) else {
            return found;
        };
        left.retain(|link| !circle.iter().any(|on| std::ptr::eq(*on, *link)));
        found.push(circle);
    }
}

/// The shortest circle that contains a link.
fn way_back<'a>(link: &'a Link, links: &[&'a Link]) -> Option<Vec<&'a Link>> {
    let mut seen = BTreeSet::from([&link.to]);
    let mut ways = vec![vec![link]];
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let end = way.last()?;
            for next in links.iter().filter(|next| next.from == end.to) {
                let mut way = way.clone();
                way.push(next);
                if next.to == link.from {
                    return Some(way);
                }
                if seen.insert(&next.to) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

/// A path that a file names.
struct Mention {
    /// The module where the path begins.
    module: usize,
    path: Vec<String>,
    line: usize,
    /// `use a::b::*`: everything of a module is named.
    glob: bool,
    is_use: bool,
    /// `pub use`: the name of the re-export.
    passed_on: Option<String>,
}

#[derive(Default)]
struct Module {
    file: Option<usize>,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    items: BTreeSet<String>,
    imports: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
}

#[derive(Default)]
struct Tree {
    /// The first is the root of all crates.
    modules: Vec<Module>,
}

enum Target {
    Item(usize),
    Module(usize),
}

impl Tree {
    fn module(&mut self, path: &[String]) -> usize {
        if self.modules.is_empty() {
            self.modules.push(Module::default());
        }
        path.iter().fold(0, |parent, name| self.child(parent, name))
    }

    fn child(&mut self, parent: usize, name: &str) -> usize {
        if let Some(child) = self.modules[parent].children.get(name) {
            return *child;
        }
        let child = self.modules.len();
        self.modules.push(Module { parent: Some(parent), ..Module::default() });
        self.modules[parent].children.insert(name.to_owned(), child);
        child
    }

    fn crate_of(&self, mut module: usize) -> usize {
        while let Some(parent) = self.modules[module].parent.filter(|parent| *parent != 0) {
            module = parent;
        }
        module
    }

    /// The meaning of a path in a module. `None`: it belongs to another package, or is a local
    /// name.
    fn resolve(&self, module: usize, path: &[String], is_use: bool, depth: usize) -> Option<Target> {
        // A name that refers to itself would never end.
        if depth > 20 {
            return None;
        }
        let mut at = module;
        let mut rest = path;
        let mut rooted = false;
        while let Some((first, others)) = rest.split_first() {
            match first.as_str() {
                "crate" => at = self.crate_of(at),
                "self" => {}
                "super" => at = self.modules[at].parent?,
                _ => break,
            }
            rooted = true;
            rest = others;
        }
        let Some((name, others)) = rest.split_first() else { return Some(Target::Module(at)) };
        if let Some(found) = self.name(at, name, others, depth) {
            return Some(found);
        }
        if !rooted {
            let root = *self.modules[0].children.get(name)?;
            return match others {
                [] if !is_use => None,
                _ => self.resolve(root, &[&["self".to_owned()], others].concat(), is_use, depth + 1),
            };
        }
        // A macro created it.
        self.modules[at].file.map(Target::Item)
    }

    /// A name of a module, and the rest of the path.
    fn name(&self, at: usize, name: &str, others: &[String], depth: usize) -> Option<Target> {
        if depth > 20 {
            return None;
        }
        let module = &self.modules[at];
        if others.is_empty() && module.items.contains(name) {
            return module.file.map(Target::Item);
        }
        if let Some(child) = module.children.get(name) {
            let inner = [&["self".to_owned()], others].concat();
            return self.resolve(*child, &inner, false, depth + 1);
        }
        if let Some(import) = module.imports.get(name)
            && let Some(found) = self.resolve(at, &[import, others].concat(), true, depth + 1)
        {
            return Some(found);
        }
        if module.items.contains(name) {
            return module.file.map(Target::Item);
        }
        // Depth first, because each glob may lead to several more.
        module.globs.iter().find_map(|glob| match self.resolve(at, glob, true, depth + 8)? {
            Target::Module(other) if other != at => self.name(other, name, others, depth + 8),
            _ => None,
        })
    }
}

struct Reader<'a> {
    tree: &'a mut Tree,
    module: usize,
    found: Vec<Mention>,
    /// The names outside of `use`.
    names: BTreeSet<String>,
}

impl Reader<'_> {
    /// The items of a module.
    fn items(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match (word(&tokens[at]).as_deref(), tokens.get(at + 1)) {
                (
                    Some("struct" | "enum" | "union" | "trait" | "type" | "fn" | "const" | "static"),
                    Some(next),
                ) => {
                    let name = word(next).filter(|name| !matches!(name.as_str(), "fn" | "unsafe" | "_"));
                    self.tree.modules[self.module].items.extend(name);
                }
                (Some("macro_rules"), Some(_)) => {
                    let name = tokens.get(at + 2).and_then(word);
                    self.tree.modules[self.module].items.extend(name);
                }
                _ => {}
            }
            at = self.token(&tokens, at);
        }
    }

    fn within(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = self.token(&tokens, at);
        }
    }

    /// Reads the token at this position, and returns the next position.
    fn token(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        match &tokens[at] {
            TokenTree::Group(group) => {
                self.within(group.stream());
                at + 1
            }
            TokenTree::Ident(ident) if *ident == "use" => {
                let public = is_public(&tokens[..at]);
                let end = (at..tokens.len()).find(|at| is(&tokens[*at], ';')).unwrap_or(tokens.len());
                let mut leaves = Vec::new();
                tree(&tokens[at + 1..end], &[], &mut leaves);
                for leaf in leaves {
                    self.import(leaf, public);
                }
                end + 1
            }
            TokenTree::Ident(ident) if *ident == "mod" && tokens.get(at + 1).and_then(word).is_some() => {
                let child = self.tree.child(self.module, &word(&tokens[at + 1]).expect("a name"));
                let Some(TokenTree::Group(body)) = tokens.get(at + 2) else { return at + 2 };
                let outer = std::mem::replace(&mut self.module, child);
                self.tree.modules[child].file = self.tree.modules[outer].file;
                self.items(body.stream());
                self.module = outer;
                at + 3
            }
            TokenTree::Ident(ident) => {
                let line = ident.span().start().line;
                let field = at > 0 && is(&tokens[at - 1], '.');
                // After a `::` without a name before it, the name belongs to a type: `<T as
                // Trait>::name`.
                let follows = at > 1 && is(&tokens[at - 1], ':') && is(&tokens[at - 2], ':');
                let (path, next) = path(tokens, at);
                if !field && !follows {
                    self.names.insert(path[0].clone());
                    if path.len() > 1 {
                        let module = self.module;
                        self.found.push(Mention {
                            module,
                            path,
                            line,
                            glob: false,
                            is_use: false,
                            passed_on: None,
                        });
                    }
                }
                next
            }
            _ => at + 1,
        }
    }

    fn import(&mut self, leaf: Leaf, public: bool) {
        let Leaf { path, name, glob, line } = leaf;
        let here = &mut self.tree.modules[self.module];
        if glob {
            here.globs.push(path.clone());
        } else if name != "_" {
            here.imports.entry(name.clone()).or_insert_with(|| path.clone());
        }
        let passed_on = public.then(|| if glob { String::new() } else { name });
        self.found.push(Mention { module: self.module, path, line, glob, is_use: true, passed_on });
    }
}

/// One name of a `use`.
struct Leaf {
    path: Vec<String>,
    name: String,
    glob: bool,
    line: usize,
}

/// Splits the tree of a `use`: `a::{b, c::{self, D as E}, f::*}`.
fn tree(tokens: &[TokenTree], before: &[String], leaves: &mut Vec<Leaf>) {
    for branch in tokens.split(|token| is(token, ',')) {
        let mut path = before.to_vec();
        let mut name = None;
        let mut line = 0;
        let mut whole = true;
        let mut glob = false;
        for token in branch {
            match token {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    tree(&inner, &path, leaves);
                    whole = false;
                }
                TokenTree::Ident(ident) => {
                    line = ident.span().start().line;
                    if *ident == "as" {
                        name = Some(String::new());
                    } else if name.is_some() {
                        name = Some(ident.to_string());
                    } else if *ident != "self" || path.is_empty() {
                        path.push(ident.to_string());
                    }
                }
                token => glob |= is(token, '*'),
            }
        }
        if whole && let Some(last) = path.last().cloned() {
            leaves.push(Leaf { path, name: name.unwrap_or(last), glob, line });
        }
    }
}

/// The path that begins here, and its end.
fn path(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    loop {
        path.extend(word(&tokens[at]));
        at += 1;
        match tokens.get(at..at + 3) {
            Some([first, second, TokenTree::Ident(_)]) if is(first, ':') && is(second, ':') => at += 2,
            _ => return (path, at),
        }
    }
}

fn is_public(before: &[TokenTree]) -> bool {
    match before {
        [.., last] if word(last).as_deref() == Some("pub") => true,
        [.., public, TokenTree::Group(_)] => word(public).as_deref() == Some("pub"),
        _ => false,
    }
}

fn is(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

fn word(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(ident) => Some(ident.to_string().trim_start_matches("r#").to_owned()),
        _ => None,
    }
}
