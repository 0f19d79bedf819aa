//! Checks the API's responses against its own served document.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate};
use jsonschema::{Draft, Validator};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::answer::Answer;

const PROBLEM: &str = "application/problem+json";
/// Keywords whose values are not schemas.
const PLAIN: [&str; 6] = ["example", "examples", "enum", "default", "required", "const"];

/// The document, and the validators that were made from it.
pub struct Contract {
    document: Value,
    /// The document with every object closed, so that an undeclared field is an error.
    strict: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl std::fmt::Debug for Contract {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contract {…}")
    }
}

/// Headers that callers use. A response that has one must declare it.
const TOLD: [&str; 5] = ["etag", "idempotent-replayed", "location", "retry-after", "www-authenticate"];
const EVERYWHERE: &[&str] = &["ratelimit", "ratelimit-policy", "x-request-id"];

impl Contract {
    /// The document that an app serves. All apps of a binary serve the same one.
    pub async fn served_at(base: &str, http: &Client) -> Arc<Self> {
        static SERVED: OnceCell<Arc<Contract>> = OnceCell::const_new();
        let read = || async {
            let response = http.get(format!("{base}/openapi.json")).send().await.unwrap();
            Arc::new(Self::new(response.json().await.unwrap()))
        };
        Arc::clone(SERVED.get_or_init(read).await)
    }

    fn new(document: Value) -> Self {
        let mut parts = BTreeSet::new();
        // A webhook's message has all of a change and its own type. The change itself stays closed.
        let mut answers = document.clone();
        answers.as_object_mut().unwrap().remove("webhooks");
        parts_of_all(&answers, &mut parts);
        let mut strict = document.clone();
        for (name, schema) in strict["components"]["schemas"].as_object_mut().unwrap() {
            close(schema, parts.contains(&format!("#/components/schemas/{name}")));
        }
        Self { document, strict, validators: Mutex::default() }
    }

    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Panics unless the document allows this response to this call.
    pub fn check(&self, method: &str, path: &str, answer: &Answer) {
        let at = format!("{} answered {} against the document", answer.at, answer.status);
        let path = path.split('?').next().unwrap_or_default();
        let id = answer.header("x-request-id").unwrap_or_else(|| panic!("{at}: without X-Request-Id"));
        if answer.status >= 400 {
            self.check_problem(path, id, answer, &at);
        }
        let Some(template) = self.template(path) else {
            assert_eq!(answer.status, 404, "{at}: it has no such path");
            return;
        };
        let operation = &self.document["paths"][template][method.to_lowercase()];
        if operation.is_null() {
            assert_eq!(answer.status, 405, "{at}: {template} has no such method");
            return;
        }
        let status = answer.status.to_string();
        let response = &operation["responses"][&status];
        assert!(!response.is_null(), "{at}: it declares no such status");
        // Headers of every response are declared for successful calls.
        let everywhere = if answer.status < 400 { EVERYWHERE } else { &[] };
        for name in TOLD.iter().chain(everywhere).filter(|name| answer.header(name).is_some()) {
            let mut declared = response["headers"].as_object().into_iter().flatten();
            assert!(
                declared.any(|(own, _)| own.eq_ignore_ascii_case(name)),
                "{at}: it declares no header {name}"
            );
        }
        let Some(content) = response["content"].as_object() else {
            assert!(answer.text.is_empty(), "{at}: it declares no body, and there is one: {}", answer.text);
            return;
        };
        let given = answer.header("content-type").unwrap_or_default();
        let declared = content
            .keys()
            .find(|own| *own == given || *own == given.split(';').next().unwrap_or_default())
            .unwrap_or_else(|| panic!("{at}: content type `{given}`, but it declares {:?}", content.keys()));
        let place = pointer(&[
            "paths",
            template,
            &method.to_lowercase(),
            "responses",
            &status,
            "content",
            declared,
            "schema",
        ]);
        let body = if declared.contains("json") {
            serde_json::from_str(&answer.text)
                .unwrap_or_else(|error| panic!("{at}: {error}: {}", answer.text))
        } else {
            Value::String(answer.text.clone())
        };
        self.validate(&place, &body, &at);
        if template == "/changes" && answer.status == 200 {
            for change in body["items"].as_array().into_iter().flatten() {
                self.check_change(change, &at);
            }
        }
    }

    /// Checks that a change matches the document's webhook of its type.
    pub fn check_change(&self, change: &Value, at: &str) {
        let type_ = change["type"].as_str().unwrap();
        let data = "post/requestBody/content/application~1json/schema/properties/data/allOf/1";
        self.validate(&format!("/webhooks/{type_}/{data}"), change, &format!("{at}: {type_}"));
        let example = self.example_of(type_);
        let (shown, sent) = (forms(example), forms(change));
        // Fields of a record have different kinds of values.
        let other_field = example["data"]["field"] != change["data"]["field"];
        let of_field = |place: &str| place.starts_with("/data/before") || place.starts_with("/data/after");
        let comparable = |place: &str| place.starts_with("/data") && !(other_field && of_field(place));
        for (place, form) in sent.iter().filter(|(place, _)| comparable(place)) {
            let example = shown.get(place).filter(|shown| **shown != "null" && *form != "null");
            assert!(
                example.is_none_or(|shown| shown == form),
                "{at}: {type_}{place} is {form} in {change:#}, and the document shows {example:?}"
            );
        }
    }

    /// Checks that for every wanted type one of these changes has exactly the fields of its example
    /// in the document.
    pub fn shows_what_is_sent(&self, changes: &[Value], wanted: impl Fn(&str) -> bool) {
        let fields = |change: &Value| -> BTreeSet<String> { forms(change).into_keys().collect() };
        let types = self.document["webhooks"].as_object().unwrap().keys().filter(|type_| wanted(type_));
        for type_ in types {
            let example = fields(self.example_of(type_));
            let sent: Vec<_> =
                changes.iter().filter(|change| change["type"] == **type_).map(fields).collect();
            assert!(
                sent.contains(&example),
                "{type_}: the document shows {example:?}, and {sent:?} were sent"
            );
        }
    }

    fn example_of(&self, type_: &str) -> &Value {
        let content = "post/requestBody/content/application~1json/example/data";
        self.document.pointer(&format!("/webhooks/{type_}/{content}")).unwrap()
    }

    /// Checks the rules for every error on any path.
    fn check_problem(&self, path: &str, request_id: &str, answer: &Answer, at: &str) {
        assert_eq!(answer.header("content-type"), Some(PROBLEM), "{at}: {}", answer.text);
        let problem: Value = serde_json::from_str(&answer.text).unwrap();
        self.validate("/components/schemas/Problem", &problem, at);
        assert_eq!(problem["status"], answer.status, "{at}: its own status");
        assert_eq!(problem["requestId"], request_id, "{at}: its requestId");
        assert_eq!(problem["instance"], path, "{at}: its instance");
        let (type_, code) = (problem["type"].as_str().unwrap(), problem["code"].as_str().unwrap());
        assert!(
            type_.starts_with("http") && type_.ends_with(&format!("/problems/{code}")),
            "{at}: type {type_}"
        );
        for text in ["title", "detail"] {
            assert!(!problem[text].as_str().unwrap().is_empty(), "{at}: an empty {text}");
        }
    }

    fn validate(&self, place: &str, body: &Value, at: &str) {
        let validator = {
            // A failed test must not make the others fail.
            let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
            let validator = validators.entry(place.to_owned()).or_insert_with(|| {
                // Use the schema itself and not a reference, because a reference cannot contain a
                // path's braces.
                let schema =
                    self.strict.pointer(place).unwrap_or_else(|| panic!("{at}: no schema at {place}"));
                let schema = json!({ "allOf": [schema], "components": self.strict["components"] });
                let options =
                    jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
                Arc::new(options.build(&schema).expect("the schema is one"))
            });
            Arc::clone(validator)
        };
        let faults: Vec<String> =
            validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(faults.is_empty(), "{at}:\n{}\nin {body:#}", faults.join("\n"));
    }

    /// The template of a path. If several match, the one with the shortest parameters.
    fn template(&self, path: &str) -> Option<&str> {
        let paths = self.document["paths"].as_object().unwrap();
        paths
            .keys()
            .filter(|template| fits(template, path))
            .min_by_key(|template| {
                (template.matches('{').count(), std::cmp::Reverse(template.matches(':').count()))
            })
            .map(String::as_str)
    }
}

/// The form of every value, by its pointer.
fn forms(value: &Value) -> BTreeMap<String, String> {
    fn walk(at: String, value: &Value, found: &mut BTreeMap<String, String>) {
        let form = match value {
            Value::Object(fields) if fields.is_empty() => "an empty object",
            Value::Object(fields) => {
                return fields.iter().for_each(|(name, value)| walk(format!("{at}/{name}"), value, found));
            }
            Value::Array(_) => "a list",
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(text) if DateTime::parse_from_rfc3339(text).is_ok() => "a time",
            Value::String(text) if text.parse::<NaiveDate>().is_ok() => "a date",
            Value::String(text) if text.parse::<Uuid>().is_ok() => "a UUID",
            Value::String(_) => "a text",
        };
        found.insert(at, form.to_owned());
    }
    let mut found = BTreeMap::new();
    walk(String::new(), value, &mut found);
    found
}

fn fits(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    wanted.len() == given.len()
        && wanted.iter().zip(given).all(|(wanted, given)| {
            match wanted.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                // `{id}`, or `{id}:cancel`.
                Some((_, verb)) => given.strip_suffix(verb).is_some_and(|value| !value.is_empty()),
                None => *wanted == given,
            }
        })
}

fn pointer(steps: &[&str]) -> String {
    steps.iter().fold(String::new(), |place, step| place + "/" + &step.replace('~', "~0").replace('/', "~1"))
}

/// The schemas that are parts of others. They must stay open.
fn parts_of_all(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for part in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                found.extend(part["$ref"].as_str().map(str::to_owned));
            }
            fields.values().for_each(|value| parts_of_all(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| parts_of_all(value, found)),
        _ => {}
    }
}

/// Closes the objects of a schema. `open`: it is a part of another one.
fn close(schema: &mut Value, open: bool) {
    let Some(keywords) = schema.as_object_mut() else { return };
    let names_fields = keywords.contains_key("properties") || keywords.contains_key("allOf");
    for (keyword, value) in keywords.iter_mut() {
        match keyword.as_str() {
            "properties" => {
                for field in value.as_object_mut().unwrap().values_mut() {
                    close(field, false);
                }
            }
            plain if PLAIN.contains(&plain) => {}
            "allOf" => value.as_array_mut().unwrap().iter_mut().for_each(|part| close(part, true)),
            _ => match value {
                Value::Array(items) => items.iter_mut().for_each(|item| close(item, open)),
                Value::Object(_) => close(value, false),
                _ => {}
            },
        }
    }
    if names_fields && !open && !keywords.contains_key("additionalProperties") {
        keywords.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
    }
}
