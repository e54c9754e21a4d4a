//! Which files of a crate use which others.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    slice,
};

use super::words::{Word, text, words};

/// One file uses something of another.
#[derive(Debug)]
pub(super) struct Use {
    /// The two files, by their paths below `src`. Re-exports are followed to the file that defines the name.
    pub(super) from: String,
    pub(super) to: String,
    /// The first place that uses such a name, and the name's path.
    line: usize,
    path: String,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            from,
            to,
            line,
            path,
        } = self;
        write!(f, "{from}:{line} uses {path} of {to}")
    }
}

/// The modules of a crate, by their paths from its root.
pub(super) struct Crate(BTreeMap<Vec<String>, Module>);

/// A module that has a file.
#[derive(Default)]
struct Module {
    file: String,
    /// The modules with files of their own inside it.
    children: BTreeMap<String, PathBuf>,
    imports: Vec<Import>,
    /// The paths in its code, with their lines.
    paths: Vec<(Vec<String>, usize)>,
}

struct Import {
    path: Vec<String>,
    name: String,
    line: usize,
}

impl Crate {
    /// Reads the crate whose `lib.rs` is in a folder.
    pub(super) fn read(src: &Path) -> Self {
        let mut modules = BTreeMap::new();
        read_module(src, &src.join("lib.rs"), src, &[], &mut modules);
        Self(modules)
    }

    /// Each pair of files once, with the using file first.
    pub(super) fn uses(&self) -> Vec<Use> {
        let mut uses = BTreeMap::new();
        for (at, module) in &self.0 {
            let imports = module.imports.iter().map(|it| (&it.path, it.line));
            let paths = module.paths.iter().map(|(path, line)| (path, *line));
            for (path, line) in imports.chain(paths) {
                let Some(to) = self.resolve(at, path, 0) else {
                    continue;
                };
                if !to.starts_with(at) {
                    let files = (module.file.clone(), self.0[&to].file.clone());
                    uses.entry(files).or_insert((line, path.join("::")));
                }
            }
        }
        let uses = uses.into_iter().map(|((from, to), (line, path))| Use {
            from,
            to,
            line,
            path,
        });
        uses.collect()
    }

    /// The module that defines what a path names in the module `at`, or `None` if it is in another crate.
    fn resolve(&self, at: &[String], path: &[String], imports: usize) -> Option<Vec<String>> {
        assert!(imports < 20, "`{}` is part of a cycle", path.join("::"));
        let (mut here, mut rest) = (at.to_vec(), path);
        let mut is_ours = false;
        while let Some((first, more)) = rest.split_first() {
            match first.as_str() {
                "crate" => here.clear(),
                "self" => {}
                "super" => drop(here.pop()?),
                _ => break,
            }
            (is_ours, rest) = (true, more);
        }
        while let Some((first, more)) = rest.split_first() {
            let module = self.0.get(&here)?;
            if module.children.contains_key(first) {
                here.push(first.clone());
            } else if let Some(import) = module.import_of(first) {
                let path = [&import.path, more].concat();
                return self.resolve(&here, &path, imports + 1);
            } else {
                break;
            }
            (is_ours, rest) = (true, more);
        }
        is_ours.then_some(here)
    }
}

fn read_module(
    src: &Path,
    file: &Path,
    folder: &Path,
    at: &[String],
    modules: &mut BTreeMap<Vec<String>, Module>,
) {
    let source = fs::read_to_string(file);
    let source = source.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let name = file.strip_prefix(src).unwrap_or(file).display();
    let module = Module::of(name.to_string(), &words(&source));
    for (child, file) in &module.children {
        let inside = folder.join(file.file_stem().unwrap_or_default());
        let beside = folder.join(file);
        let file = if beside.exists() {
            beside
        } else {
            inside.join("mod.rs")
        };
        let at = [at, slice::from_ref(child)].concat();
        read_module(src, &file, &inside, &at, modules);
    }
    modules.insert(at.to_vec(), module);
}

impl Module {
    /// The import of a name. `use name;` is skipped, because it imports another crate.
    fn import_of(&self, name: &str) -> Option<&Import> {
        let mut imports = self.imports.iter();
        imports.find(|it| it.name == name && it.path != [name])
    }

    fn of(file: String, words: &[Word]) -> Self {
        let mut module = Self {
            file,
            ..Self::default()
        };
        // The number of open braces, and at which number a module without a file of its own began.
        let mut depth = 0_usize;
        let mut inline = Vec::new();
        let mut at = 0;
        while at < words.len() {
            match text(words, at) {
                "mod" if text(words, at + 2) == ";" => {
                    module.add_child(words, at);
                    at += 3;
                }
                "mod" if text(words, at + 2) == "{" => {
                    inline.push(depth);
                    at += 2;
                }
                "{" => {
                    depth += 1;
                    at += 1;
                }
                "}" => {
                    depth = depth.saturating_sub(1);
                    inline.retain(|began| *began < depth);
                    at += 1;
                }
                // The path in `pub(in crate::keys)` names a module but uses nothing of it.
                "in" if text(words, at - 1) == "(" => at += 2,
                "use" => at = use_tree(words, at + 1, &[], inline.len(), &mut module.imports),
                first if is_name(first) => {
                    let line = words[at].line;
                    let mut path = vec![first.to_owned()];
                    while text(words, at + 1) == "::" && is_name(text(words, at + 2)) {
                        path.push(text(words, at + 2).to_owned());
                        at += 2;
                    }
                    at += 1;
                    // An exported macro is at the root, wherever it is defined.
                    if path.len() > 1 && text(words, at) != "!" {
                        module.paths.push((from_file(path, inline.len()), line));
                    }
                }
                _ => at += 1,
            }
        }
        module
    }

    /// Adds the module that is declared at this position.
    fn add_child(&mut self, words: &[Word], at: usize) {
        let mut name = text(words, at + 1).to_owned();
        let mut file = PathBuf::from(format!("{name}.rs"));
        // `#[path = "file"] mod name;`
        if at >= 6 && text(words, at - 4) == "path" && text(words, at - 3) == "=" {
            file = PathBuf::from(text(words, at - 2).trim_matches('"'));
        }
        // Of two modules with the same name, a feature selects one. Both are read.
        while self.children.contains_key(&name) {
            name.push('\'');
        }
        self.children.insert(name, file);
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// A path inside so many modules without files of their own, as it would be written in the file itself.
fn from_file(mut path: Vec<String>, inline: usize) -> Vec<String> {
    for _ in 0..inline {
        if path.len() > 1 && path[0] == "super" {
            path.remove(0);
        }
    }
    path
}

/// Reads a tree of imports, and returns the position after it.
fn use_tree(
    words: &[Word],
    start: usize,
    before: &[String],
    inline: usize,
    imports: &mut Vec<Import>,
) -> usize {
    let mut path = before.to_vec();
    let mut at = start;
    let mut name = None;
    while at < words.len() {
        match text(words, at) {
            "::" => {}
            "{" => {
                at += 1;
                while !matches!(text(words, at), "}" | "") {
                    let after = use_tree(words, at, &path, inline, imports);
                    assert!(after > at, "line {}: no tree of imports", words[at].line);
                    at = after + usize::from(text(words, after) == ",");
                }
                return at + 1;
            }
            "as" => {
                at += 1;
                name = Some(text(words, at).to_owned());
            }
            word if is_name(word) => path.push(word.to_owned()),
            _ => break,
        }
        at += 1;
    }
    at += usize::from(text(words, at) == "*");
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let name = name.or_else(|| path.last().cloned());
    let path = from_file(path, inline);
    // An inline module uses its own file without an import.
    if let Some(name) = name
        && (inline == 0 || path.len() > 1)
    {
        imports.push(Import {
            path,
            name,
            line: words[start].line,
        });
    }
    at
}
