//! The paths and methods of the API, taken from its document.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::Split;

use actix_web::HttpRequest;
use utoipa::openapi::path::{Parameter, ParameterIn, PathItem};
use utoipa::openapi::{OpenApi, RefOr};

/// The paths of the API, with their methods.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// Grouped by their first segment, which is never a parameter.
    templates: HashMap<String, Vec<Template>>,
    /// Templates whose `GET` takes query parameters.
    asked: BTreeSet<String>,
    /// Templates whose `POST` takes no body.
    posted_bare: BTreeSet<String>,
    /// The document, serialised once.
    json: String,
}

#[derive(Clone, Debug)]
struct Template {
    path: String,
    segments: Vec<String>,
    methods: Vec<&'static str>,
}

impl Routes {
    pub fn of(api: &OpenApi) -> Self {
        let mut paths: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        let in_query = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(own) if matches!(own.parameter_in, ParameterIn::Query));
        let asked = api
            .paths
            .paths
            .iter()
            .filter(|(_, item)| {
                let parameters = item.get.as_ref().and_then(|read| read.parameters.as_ref());
                parameters.is_some_and(|parameters| parameters.iter().any(in_query))
            })
            .map(|(path, _)| path.clone())
            .collect();
        let bare = |item: &PathItem| item.post.as_ref().is_some_and(|post| post.request_body.is_none());
        let posted_bare =
            api.paths.paths.iter().filter(|(_, item)| bare(item)).map(|(path, _)| path.clone()).collect();
        for (path, item) in &api.paths.paths {
            let methods = paths.entry(path.clone()).or_default();
            for (method, operation) in
                [("GET", &item.get), ("PUT", &item.put), ("POST", &item.post), ("DELETE", &item.delete)]
            {
                if operation.is_some() {
                    methods.push(method);
                }
            }
        }
        let mut templates: HashMap<String, Vec<Template>> = HashMap::new();
        for (path, methods) in paths {
            let (first, rest) = parts(&path);
            let segments = rest.map(str::to_owned).collect();
            templates.entry(first.to_owned()).or_default().push(Template { path, segments, methods });
        }
        Self { templates, asked, posted_bare, json: serde_json::to_string(api).unwrap_or_default() }
    }

    /// The document as JSON.
    pub fn document(&self) -> String {
        self.json.clone()
    }

    /// Whether the `GET` of a template takes query parameters.
    pub fn asks(&self, template: &str) -> bool {
        self.asked.contains(template)
    }

    /// Whether the `POST` of a template takes no body.
    pub fn posts_nothing(&self, template: &str) -> bool {
        self.posted_bare.contains(template)
    }

    /// The methods of a path, as in the `Allow` header; `None` if there is no such path.
    pub fn methods_of(&self, path: &str) -> Option<String> {
        let methods: Vec<&str> =
            self.of_path(path).flat_map(|template| template.methods.iter().copied()).collect();
        (!methods.is_empty()).then(|| methods.join(", "))
    }

    /// The template of a request's path, such as `/learners/{learnerId}`; `None` if there is no
    /// such path. It is faster than actix's `match_pattern`, which tries a regular expression for
    /// each route.
    pub fn template_of(&self, request: &HttpRequest) -> Option<Cow<'_, str>> {
        // A fixed path such as `/tokens/self` sorts before a template, because braces sort after
        // letters.
        match self.of_path(request.path()).next() {
            Some(template) => Some(Cow::Borrowed(&template.path)),
            None => request.match_pattern().map(Cow::Owned),
        }
    }

    fn of_path(&self, path: &str) -> impl Iterator<Item = &Template> {
        let (first, rest) = parts(path);
        self.templates.get(first).into_iter().flatten().filter(move |template| {
            let mut given = rest.clone();
            let fits =
                template.segments.iter().all(|own| given.next().is_some_and(|given| matches(own, given)));
            fits && given.next().is_none()
        })
    }
}

/// Splits a path into its first segment and the others.
fn parts(path: &str) -> (&str, Split<'_, char>) {
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
    (segments.next().unwrap_or_default(), segments)
}

/// Whether a template's segment, such as `{learnerId}`, `{id}:cancel` or `ace360:sync`, matches a
/// path's segment.
fn matches(template: &str, given: &str) -> bool {
    match template.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((_, verb)) => {
            given.strip_suffix(verb).is_some_and(|value| !value.is_empty() && !value.contains(':'))
        }
        None => template == given,
    }
}
