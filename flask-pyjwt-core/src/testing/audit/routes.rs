//! The routes that an application has registered.

use std::collections::BTreeSet;

use actix_web::{
    http::Method,
    introspection::{GuardDetailReport, IntrospectionNode, IntrospectionTree, ResourceType},
};

/// A name and a value.
pub(super) type Header = (String, String);

/// A path with the methods that were registered for it.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) pattern: String,
    /// Empty for a handler of any method, and for a scope.
    pub(super) methods: Vec<Method>,
    /// Header fields that guards of actix-web require here and around it.
    headers: BTreeSet<Header>,
    pub(super) is_scope: bool,
}

impl Listed {
    /// The header fields to send: none, and each value of the fields that several guards require.
    pub(super) fn variants(&self) -> Vec<Vec<Header>> {
        const MOST: usize = 32;

        let mut variants: Vec<Vec<Header>> = vec![Vec::new()];
        for header in &self.headers {
            let (name, _) = header;
            let with = variants
                .iter()
                .filter(|variant| variant.iter().all(|(other, _)| other != name))
                .map(|variant| [variant.as_slice(), std::slice::from_ref(header)].concat());
            let with: Vec<_> = with.collect();
            variants.extend(with);
        }
        variants.sort_by_key(Vec::len);
        variants.truncate(MOST);
        variants
    }
}

/// All paths, the scopes among them, and the application itself as a scope.
pub(super) fn listed(tree: &IntrospectionTree) -> Vec<Listed> {
    let mut all = vec![Listed {
        pattern: String::new(),
        methods: Vec::new(),
        headers: BTreeSet::new(),
        is_scope: true,
    }];
    collect(&tree.root, &BTreeSet::new(), &mut all);
    all
}

fn collect(node: &IntrospectionNode, around: &BTreeSet<Header>, all: &mut Vec<Listed>) {
    let mut headers = around.clone();
    for detail in node.guard_details.iter().flat_map(|it| &it.details) {
        if let GuardDetailReport::Headers { headers: wanted } = detail {
            headers.extend(wanted.iter().map(|it| (it.name.clone(), it.value.clone())));
        }
    }
    // Other nodes are only parts of a path.
    if !node.patterns.is_empty() || !node.methods.is_empty() {
        let mut methods = node.methods.clone();
        methods.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        all.push(Listed {
            pattern: node.full_path.clone(),
            methods,
            headers: headers.clone(),
            is_scope: matches!(node.kind, ResourceType::Scope | ResourceType::App),
        });
    }
    for child in &node.children {
        collect(child, &headers, all);
    }
}

/// The patterns of external resources, which are no routes.
pub(super) fn external(tree: &IntrospectionTree) -> Vec<String> {
    let externals = tree.externals.iter();
    let mut patterns: Vec<_> = externals.flat_map(|it| it.patterns.clone()).collect();
    patterns.sort();
    patterns.dedup();
    patterns
}
