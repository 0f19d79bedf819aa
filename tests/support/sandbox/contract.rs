//! Checks a response against an OpenAPI 3.1 document.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use jsonschema::Validator;
use serde_json::{Value, json};

/// A document, and the validators that were made from it.
pub struct Contract {
    document: Value,
    validators: Mutex<HashMap<String, Validator>>,
}

impl Contract {
    pub fn new(document: Value) -> Self {
        Self { document, validators: Mutex::default() }
    }

    /// The contract with ACE360.
    pub fn ace360() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| {
            let text = include_str!("../../../openapi/upstream/ace360-connect.yaml");
            Self::new(serde_yaml_ng::from_str(text).expect("the contract is YAML"))
        })
    }

    pub fn onefile() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| {
            let text = include_str!("../../../openapi/upstream/onefile-v2.1.yaml");
            Self::new(serde_yaml_ng::from_str(text).expect("the contract is YAML"))
        })
    }

    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Panics unless the document allows this response to this call.
    pub fn check(&self, method: &str, path: &str, status: u16, body: Option<&Value>) {
        let at = format!("{method} {path} answered {status}");
        let (template, item) =
            self.path(path).unwrap_or_else(|| panic!("{at}: no such path in the document"));
        let responses = &item[method.to_lowercase()]["responses"];
        let mut key = status.to_string();
        if responses.get(&key).is_none() {
            key = format!("{}XX", status / 100);
        }
        let response =
            responses.get(&key).unwrap_or_else(|| panic!("{at}: the document knows no such answer"));
        let mut place = pointer(&["paths", template, &method.to_lowercase(), "responses", &key]);
        let mut response = response;
        if let Some(reference) = response["$ref"].as_str() {
            reference[1..].clone_into(&mut place);
            response = self.document.pointer(&place).expect("a reference leads somewhere");
        }
        match (response.pointer("/content/application~1json/schema"), body) {
            (Some(_), Some(body)) => {
                self.validate(&(place + "/content/application~1json/schema"), body, &at);
            }
            (Some(_), None) => panic!("{at}: without the body that the document promises"),
            (None, Some(body)) if status == 204 => panic!("{at}: with a body: {body}"),
            // Without a schema any body is allowed, as for a server error.
            (None, _) => {}
        }
    }

    /// Panics unless this matches the schema of that name.
    pub fn allows(&self, schema: &str, body: &Value) {
        self.validate(&pointer(&["components", "schemas", schema]), body, schema);
    }

    fn validate(&self, place: &str, body: &Value, at: &str) {
        // The lock is released before an error is reported, so that one test's failure does not
        // affect the others.
        let faults = self.faults(place, body);
        assert!(faults.is_empty(), "{at}, against the document:\n{}", faults.join("\n"));
    }

    fn faults(&self, place: &str, body: &Value) -> Vec<String> {
        let mut validators = self.validators.lock().unwrap();
        let validator = validators.entry(place.to_owned()).or_insert_with(|| {
            // Use the schema itself and not a reference, because a reference cannot contain a
            // path's braces.
            let schema = self.document.pointer(place).expect("the place was found before");
            let schema = json!({ "allOf": [schema], "components": self.document["components"] });
            jsonschema::draft202012::new(&schema).expect("the schema is one")
        });
        validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    fn path(&self, path: &str) -> Option<(&str, &Value)> {
        let paths = self.document["paths"].as_object().expect("a document has paths");
        // If several match, the one with the fewest variables applies: `/User/Search`, not
        // `/User/{id}`.
        paths
            .iter()
            .filter(|(template, _)| fits(template, path))
            .min_by_key(|(template, _)| template.matches('{').count())
            .map(|(template, item)| (template.as_str(), item))
    }
}

/// Whether the path matches the template. A name in braces matches anything within a segment.
fn fits(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    wanted.len() == given.len()
        && wanted.iter().zip(given).all(|(wanted, given)| match around(wanted) {
            Some((before, after)) => {
                given.len() > before.len() + after.len()
                    && given.starts_with(before)
                    && given.ends_with(after)
                    && (!after.is_empty() || !given.contains(':'))
            }
            None => *wanted == given,
        })
}

/// The text before and after the variable of a template's segment.
fn around(segment: &str) -> Option<(&str, &str)> {
    let (before, rest) = segment.split_once('{')?;
    let (_, after) = rest.split_once('}')?;
    Some((before, after))
}

fn pointer(steps: &[&str]) -> String {
    steps.iter().fold(String::new(), |place, step| place + "/" + &step.replace('~', "~0").replace('/', "~1"))
}
