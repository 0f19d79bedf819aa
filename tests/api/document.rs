//! The API's document: it is the committed one, it is complete, and every route follows its token
//! rules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use picsbridge::auth::scope::Scope;
use reqwest::Method;
use serde_json::Value;

use crate::support::TestApp;

const COMMITTED: &str = include_str!("../../openapi/picsbridge.json");
const ADOPT: &str = "cargo run -- openapi > openapi/picsbridge.json";
/// The only operations without a token.
const PUBLIC: [&str; 6] =
    ["getDocument", "getJwks", "getLiveness", "getMetrics", "getProblem", "getReadiness"];

struct Operation {
    method: Method,
    path: String,
    what: Value,
}

impl Operation {
    fn name(&self) -> &str {
        self.what["operationId"].as_str().unwrap_or_default()
    }

    /// The scopes that it declares, of which one is enough. Empty: it is public.
    fn scopes(&self) -> Vec<Scope> {
        let schemes =
            self.what["security"].as_array().unwrap_or_else(|| panic!("{}: no security", self.name()));
        let scope = |scheme: &Value| {
            let bearer = scheme.get("bearer")?.as_array().unwrap();
            assert_eq!(bearer.len(), 1, "{}: one scope", self.name());
            Some(Scope::parse(bearer[0].as_str().unwrap()).expect("a scope that there is"))
        };
        let scopes: Vec<Scope> = schemes.iter().filter_map(scope).collect();
        assert!(
            !schemes.is_empty() && (scopes.is_empty() || scopes.len() == schemes.len()),
            "{}",
            self.name()
        );
        scopes
    }

    /// The path with values in its parameters.
    fn filled(&self) -> String {
        let dummies = [
            ("{learnerId}", "NOBODY"),
            ("{officerId}", "NOBODY"),
            ("{organisationId}", "NOWHERE"),
            ("{id}", "0190b0a0-0000-7000-8000-000000000000"),
            ("{deliveryId}", "0190b0a0-0000-7000-8000-000000000001"),
            ("{code}", "notFound"),
        ];
        let path = dummies.iter().fold(self.path.clone(), |path, (name, value)| path.replace(name, value));
        assert!(!path.contains('{'), "{path}: say in this test what to put into its parameter");
        path
    }
}

fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(|(method, what)| Operation {
            method: method.to_uppercase().parse().unwrap(),
            path: path.clone(),
            what: what.clone(),
        })
    });
    operations.collect()
}

/// Every value that is no list or object, by its pointer.
fn leaves(at: String, value: &Value, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(key, value)| leaves(format!("{at}/{key}"), value, found));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(key, value)| leaves(format!("{at}/{key}"), value, found));
        }
        leaf => {
            found.insert(at, leaf.clone());
        }
    }
}

#[tokio::test]
async fn the_served_document_is_the_committed_one() {
    let app = TestApp::start().await;
    let served = app.without_token().get("/openapi.json").await.expect(200);
    let committed: Value = serde_json::from_str(COMMITTED).unwrap();
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    leaves(String::new(), &committed, &mut old);
    leaves(String::new(), &served, &mut new);
    let mut lines = Vec::new();
    for place in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        match (old.get(place), new.get(place)) {
            (Some(old), None) => lines.push(format!("- {place}: {old}")),
            (None, Some(new)) => lines.push(format!("+ {place}: {new}")),
            (Some(old), Some(new)) if old != new => lines.push(format!("~ {place}: {old} -> {new}")),
            _ => {}
        }
    }
    assert!(
        lines.is_empty(),
        "the served document differs from openapi/picsbridge.json:\n{}\nIf that is meant: {ADOPT}",
        lines.join("\n")
    );
}

#[tokio::test]
async fn every_operation_says_what_it_is_whose_it_is_and_how_it_can_fail() {
    let app = TestApp::start().await;
    let document = app.document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let tags: Vec<&str> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut names = BTreeSet::new();
    for operation in operations(document) {
        let at = format!("{} {}", operation.method, operation.path);
        assert!(!operation.name().is_empty(), "{at}: no operationId");
        assert!(names.insert(operation.name().to_owned()), "{at}: {} stands twice", operation.name());
        for text in ["summary", "description"] {
            assert!(operation.what[text].as_str().is_some_and(|text| !text.is_empty()), "{at}: no {text}");
        }
        let own: Vec<&str> =
            operation.what["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
        assert!(own.len() == 1 && tags.contains(&own[0]), "{at}: tags {own:?}");

        let responses = operation.what["responses"].as_object().unwrap();
        let declares = |status: &str| responses.contains_key(status);
        let scopes = operation.scopes();
        if scopes.is_empty() {
            assert!(
                PUBLIC.contains(&operation.name()),
                "{at}: needs no token, which this test does not know"
            );
        } else {
            for status in ["401", "403", "500", "503"] {
                assert!(declares(status), "{at}: {status} is not declared");
            }
        }
        for scope in scopes {
            let description = operation.what["description"].as_str().unwrap();
            let named = format!("`{}`", scope.as_str());
            assert!(description.contains(&named), "{at}: its text does not name {named}");
        }
        for (status, response) in responses {
            assert!(!response["description"].as_str().unwrap().is_empty(), "{at} {status}: no description");
            if status.as_str() >= "400" {
                let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{at} {status}");
            }
        }
        if operation.what.get("requestBody").is_some() {
            for status in ["400", "413", "415", "422"] {
                assert!(declares(status), "{at}: takes a body, but {status} is not declared");
            }
        }
        let parameters = operation.what["parameters"].as_array().cloned().unwrap_or_default();
        for segment in operation.path.split('/').filter(|segment| segment.starts_with('{')) {
            let name = segment[1..].split('}').next().unwrap();
            let declared = parameters
                .iter()
                .any(|own| own["in"] == "path" && own["name"] == name && own["required"] == true);
            assert!(declared, "{at}: {segment} is not declared");
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_field_says_what_it_is() {
    fn walk(value: &Value, at: &str, document: &Value, faults: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str)
                    && document.pointer(reference.trim_start_matches('#')).is_none()
                {
                    faults.push(format!("{at}: {reference} leads nowhere"));
                }
                fields.iter().for_each(|(key, value)| walk(value, &format!("{at}/{key}"), document, faults));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, at, document, faults)),
            _ => {}
        }
    }
    let app = TestApp::start().await;
    let document = app.document();
    let mut faults = Vec::new();
    walk(document, "", document, &mut faults);
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            let said = |schema: &Value| schema["description"].as_str().is_some_and(|text| !text.is_empty());
            let target = schema["$ref"].as_str().and_then(|to| document.pointer(&to[1..]));
            let within = schema["oneOf"].as_array().into_iter().flatten().any(said);
            if !said(schema) && !target.is_some_and(said) && !within {
                faults.push(format!("{name}.{field} is not described"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn every_route_answers_401_without_a_token_and_403_without_its_scope() {
    let app = TestApp::start().await;
    for operation in operations(app.document()) {
        let scopes = operation.scopes();
        if scopes.is_empty() {
            continue;
        }
        let path = operation.filled();
        let answer = app.without_token().call(operation.method.clone(), &path).send().await;
        answer.refused(401, "unauthenticated");

        let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|own| !scopes.contains(own)).collect();
        let without = app.with_scopes(&others).await;
        let problem = without.call(operation.method.clone(), &path).send().await.refused(403, "scopeMissing");
        for scope in scopes {
            let named = format!("`{}`", scope.as_str());
            assert!(problem["detail"].as_str().unwrap().contains(&named), "{}: {problem}", operation.name());
        }
    }
}

#[tokio::test]
async fn the_scope_that_a_route_declares_is_all_that_it_needs() {
    let app = TestApp::start().await;
    for operation in operations(app.document()) {
        let path = operation.filled();
        let mut callers = vec![app.without_token()];
        if !operation.scopes().is_empty() {
            callers.clear();
        }
        for scope in operation.scopes() {
            callers.push(app.with_scopes(&[scope]).await);
        }
        for caller in callers {
            let answer = caller.call(operation.method.clone(), &path).send().await;
            assert!(![401, 403].contains(&answer.status), "{}: {}", operation.name(), answer.text);
            assert!(answer.status < 500, "{}: {}", operation.name(), answer.text);
        }
    }
}

#[tokio::test]
async fn every_route_answers_every_scope_of_every_provider_as_the_document_says() {
    let app = TestApp::start().await;
    let other = app.second_provider().await;
    let mut callers = Vec::new();
    for scope in Scope::ALL {
        callers.push((*scope, "own", app.with_scopes(&[*scope]).await));
        let wanted = serde_json::json!({"name": "one scope", "scopes": [scope]});
        let issued = other.post("/tokens", &wanted).await.expect(201);
        callers.push((*scope, "foreign", other.as_token(issued["token"].as_str().unwrap())));
    }
    let mut wrong = Vec::new();
    let mut tried = 0;
    for operation in operations(app.document()) {
        let (allowed, path) = (operation.scopes(), operation.filled());
        for (scope, whose, caller) in &callers {
            let status = caller.call(operation.method.clone(), &path).send().await.status;
            let refused = status == 401 || status == 403;
            if status >= 500 || refused == (allowed.is_empty() || allowed.contains(scope)) {
                wrong.push(format!("{} with {} ({whose}): {status}", operation.name(), scope.as_str()));
            }
            tried += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 1500, "{tried}");
}

fn is_file(link: &str) -> bool {
    Path::new(link).extension().is_some_and(|extension| extension == "js" || extension == "css")
}

#[tokio::test]
async fn the_swagger_page_is_served_with_all_that_it_needs() {
    let app = TestApp::start().await;
    let redirect = app.page("/docs").await;
    assert!(redirect.status().is_redirection());
    assert_eq!(redirect.headers()["location"], "/docs/");
    let page = app.page("/docs/").await;
    assert_eq!(page.status(), 200);
    let html = page.text().await.unwrap();
    let mut named = 0;
    for link in html.split(['"', '\'']).filter(|text| is_file(text)) {
        let file = app.page(&format!("/docs/{}", link.trim_start_matches("./"))).await;
        assert_eq!(file.status(), 200, "{link}");
        named += 1;
    }
    assert!(named >= 3, "{html}");
    let script = app.page("/docs/swagger-initializer.js").await.text().await.unwrap();
    assert!(script.contains("/openapi.json"), "{script}");
    assert!(!html.contains("https://") || !html.contains("cdn"), "nothing is loaded from elsewhere");
}

/// The schema of a body, which may be one schema or null.
fn named(schema: &Value) -> Option<&str> {
    let target = schema["$ref"]
        .as_str()
        .or_else(|| schema["oneOf"].as_array().into_iter().flatten().find_map(|part| part["$ref"].as_str()));
    target.map(|target| target.rsplit('/').next().unwrap())
}

#[tokio::test]
async fn every_body_and_the_main_answers_have_an_example_that_their_schema_allows() {
    let app = TestApp::start().await;
    let document = app.document();
    let mut wanted: BTreeSet<&str> =
        ["Run", "RunRecord", "Tab", "Preview", "Intent", "Feed", "ImportAnswer", "Problem"].into();
    for operation in operations(document) {
        let schema = &document["paths"][&operation.path][operation.method.as_str().to_lowercase()]["requestBody"]
            ["content"]["application/json"]["schema"];
        wanted.extend(named(schema));
    }
    assert!(wanted.contains("Learner") && wanted.contains("BulkUpload"), "{wanted:?}");
    for name in wanted {
        let schema = &document["components"]["schemas"][name];
        let example = schema.get("example").unwrap_or_else(|| panic!("{name} has no example"));
        let whole = serde_json::json!({ "allOf": [{"$ref": format!("#/components/schemas/{name}")}], "components": document["components"] });
        let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
        let faults: Vec<_> = validator.iter_errors(example).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{name}: {faults:?}");
    }
}

#[tokio::test]
async fn every_operation_shows_an_answer_that_its_schema_allows() {
    let app = TestApp::start().await;
    let document = app.document();
    let mut faults = Vec::new();
    for operation in operations(document) {
        let responses = operation.what["responses"].as_object().unwrap();
        for (status, response) in responses.iter().filter(|(status, _)| status.starts_with('2')) {
            let Some(content) = response["content"].get("application/json") else { continue };
            let at = format!("{} {status}", operation.name());
            let Some(example) = content.get("example") else {
                faults.push(format!("{at}: no example"));
                continue;
            };
            let begins = operation.method == Method::POST && !operation.path.starts_with("/runs");
            if begins && example.get("trigger").is_some() {
                let (upstream, ended) = (operation.path.split('/').nth(1).unwrap(), status == "200");
                if example["upstream"] != *upstream
                    || !example["kind"].as_str().unwrap().starts_with(upstream)
                    || example["finishedAt"].is_null() == ended
                {
                    faults.push(format!("{at}: the run that is shown is another call's"));
                }
            } else if begins
                && status == "202"
                && ["uploaded", "enrolled"].iter().any(|own| example["state"] == *own)
                && !operation.path.ends_with(":sync")
            {
                faults.push(format!("{at}: its outcome is not known yet, and shown"));
            }
            let mut values = BTreeMap::new();
            leaves(String::new(), example, &mut values);
            let blank = values.iter().filter(|(_, value)| **value == "…");
            faults.extend(blank.map(|(place, _)| format!("{at}: nothing is shown for {place}")));
            let whole =
                serde_json::json!({ "allOf": [content["schema"]], "components": document["components"] });
            let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
            faults.extend(validator.iter_errors(example).map(|error| format!("{at}: {error}")));
        }
    }
    for (type_, item) in document["webhooks"].as_object().unwrap() {
        let content = &item["post"]["requestBody"]["content"]["application/json"];
        let whole = serde_json::json!({ "allOf": [content["schema"]], "components": document["components"] });
        let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
        faults.extend(validator.iter_errors(&content["example"]).map(|error| format!("{type_}: {error}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn every_link_leads_to_an_operation_and_gives_it_what_the_answer_has() {
    let app = TestApp::start().await;
    let document = app.document();
    let all = operations(document);
    let mut links = 0;
    for operation in &all {
        for response in operation.what["responses"].as_object().unwrap().values() {
            for link in response["links"].as_object().into_iter().flat_map(serde_json::Map::values) {
                links += 1;
                let next = all.iter().find(|other| link["operationId"] == other.name());
                let next = next.unwrap_or_else(|| panic!("{}: {link}", operation.name()));
                let example = &response["content"]["application/json"]["example"];
                for (parameter, from) in link["parameters"].as_object().unwrap() {
                    let declared = next.what["parameters"].as_array().unwrap();
                    assert!(
                        declared.iter().any(|own| own["name"] == *parameter && own["in"] == "path"),
                        "{link}"
                    );
                    let pointer = from.as_str().unwrap().strip_prefix("$response.body#").unwrap();
                    assert!(
                        example.pointer(pointer).is_some_and(Value::is_string),
                        "{}: {link}",
                        operation.name()
                    );
                }
            }
        }
    }
    assert!(links > 50, "{links}");
}

#[tokio::test]
async fn words_that_programs_go_by_are_listed() {
    let app = TestApp::start().await;
    let schemas = &app.document()["components"]["schemas"];
    let listed = |name: &str, word: &str| {
        let words = schemas[name]["enum"].as_array().unwrap_or_else(|| panic!("{name} is no list"));
        assert!(words.iter().any(|own| own == word), "{name}: {words:?}");
    };
    listed("RunKind", "ace360.upload");
    listed("ChangeType", "ace360.statusChanged");
    listed("ChangeType", "run.finished");
    listed("RecordCode", "fieldsMissing");
    listed("IntentState", "notSent");
    listed("Code", "settledByHand");
    for (schema, field) in
        [("Run", "kind"), ("Change", "type"), ("RunRecord", "code"), ("TabProblem", "code")]
    {
        let reference = schemas[schema]["properties"][field].to_string();
        assert!(reference.contains("$ref"), "{schema}.{field} names no list: {reference}");
    }
}
