//! The fault switch: rules that say which calls fail, how often, and how. The first rule that fires
//! applies.

pub mod play;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::draw::Draw;
use super::{ace360, onefile};

/// A rule of the fault switch.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({"operation": "createApprentice", "times": 1, "kind": {"commitThenReset": {}}})))]
pub struct Rule {
    /// The upstream, `ace360` or `onefile`; any upstream if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// The operation as the state names it, such as `createApprentice` or `createUser`, or `*`; `*`
    /// if absent. ACE360 and OneFile both have a `getStandard`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// How often the rule fires; without limit if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// The share of the matching calls for which the rule fires, from 0 to 1, drawn from the
    /// sandbox's seed. All calls if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chance: Option<f64>,
    /// The number of matching calls that pass first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip: Option<u64>,
    pub kind: Kind,
}

/// The kind of fault. Of the kinds before `truncated`, only `delay` does the call's work.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Kind {
    /// Responds with this status, and does nothing. A text body is sent unchanged, anything else as
    /// JSON.
    #[serde(rename_all = "camelCase")]
    Status {
        status: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
        /// The `Retry-After` header: seconds or an HTTP date.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<Value>,
    },
    /// Waits, then works as usual. If the caller leaves meanwhile, nothing is done.
    Delay { ms: u64 },
    /// Closes the connection without a response, and does nothing.
    Reset {},
    /// Responds with 200 and an HTML page, and does nothing.
    Html {},
    /// Does not respond for this time, then closes the connection, and does nothing.
    Silence { ms: u64 },
    /// Responds with 200 and valid JSON of about this size in chunks, and does nothing.
    Huge { bytes: u64 },
    /// Responds with 200 and this body, and does nothing. A text is sent unchanged, anything else
    /// as JSON.
    ReplaceBody { body: Value },
    /// Does the work, then sends the first half of the JSON.
    Truncated {},
    /// Does the work, then responds with the right keys and values of wrong types.
    WrongTypes {},
    /// Does the work, then closes the connection without a response. For a read this equals
    /// `reset`.
    CommitThenReset {},
    /// Does the work, then responds after this time.
    CommitThenSilence { ms: u64 },
}

/// A rule with its results so far.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleState {
    pub rule: Rule,
    /// The number of calls that the rule was checked against. If an earlier rule fires, the call
    /// does not reach this one.
    pub seen: u64,
    pub fired: u64,
}

#[derive(Debug)]
pub struct Faults {
    rules: Vec<RuleState>,
    draw: Draw,
    seed: u64,
}

impl Faults {
    pub fn new(seed: u64) -> Self {
        Self { rules: Vec::new(), draw: Draw::new(seed), seed }
    }

    /// Replaces all rules. The random numbers start from the beginning, so that the same rules meet
    /// the same calls.
    pub fn set(&mut self, rules: Vec<Rule>) {
        self.draw = Draw::new(self.seed);
        self.rules = rules.into_iter().map(|rule| RuleState { rule, seen: 0, fired: 0 }).collect();
    }

    pub fn rules(&self) -> &[RuleState] {
        &self.rules
    }

    /// The fault of this call, if there is one.
    pub fn meet(&mut self, upstream: &str, operation: &str) -> Option<Kind> {
        let draw = &mut self.draw;
        let hit = self.rules.iter_mut().find_map(|state| {
            let rule = &state.rule;
            let matches = rule.upstream.as_deref().is_none_or(|name| name == upstream)
                && rule.operation.as_deref().is_none_or(|name| name == "*" || name == operation);
            if !matches {
                return None;
            }
            state.seen += 1;
            let fires = state.seen > rule.skip.unwrap_or(0)
                && rule.times.is_none_or(|times| state.fired < times)
                && rule.chance.is_none_or(|chance| draw.chance(chance));
            fires.then_some(state)
        })?;
        hit.fired += 1;
        Some(hit.rule.kind.clone())
    }
}

impl Rule {
    /// Why the rule is invalid. A rule that never matches would let a test pass without testing
    /// anything.
    pub fn fault(&self) -> Option<String> {
        let ace360 = || ace360::OPERATIONS.into_iter();
        let operations: Vec<&str> = match self.upstream.as_deref() {
            Some("ace360") => ace360().collect(),
            Some("onefile") => onefile::call::operations().collect(),
            None => ace360().chain(onefile::call::operations()).collect(),
            Some(other) => {
                return Some(format!("there is no upstream '{other}' here, only 'ace360' and 'onefile'"));
            }
        };
        let operation = self.operation.as_deref().filter(|name| *name != "*" && !operations.contains(name));
        if let Some(operation) = operation {
            return Some(format!("there is no operation '{operation}': take '*' or one of {operations:?}"));
        }
        if self.chance.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
            return Some("chance goes from 0 to 1".to_owned());
        }
        match self.kind {
            Kind::Status { status, .. } if !(200..=599).contains(&status) => {
                Some(format!("{status} is not the status of an answer: take 200 to 599"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(extra: Value) -> Rule {
        let mut rule = serde_json::json!({ "kind": { "reset": {} } });
        if let (Value::Object(rule), Value::Object(extra)) = (&mut rule, extra) {
            rule.extend(extra);
        }
        serde_json::from_value(rule).unwrap()
    }

    fn fired(rules: Vec<Rule>, calls: usize) -> Vec<bool> {
        let mut faults = Faults::new(1);
        faults.set(rules);
        (0..calls).map(|_| faults.meet("ace360", "getStandard").is_some()).collect()
    }

    #[test]
    fn a_rule_skips_then_fires_as_often_as_it_says() {
        let rules = vec![rule(serde_json::json!({ "skip": 1, "times": 2 }))];
        assert_eq!(fired(rules, 5), [false, true, true, false, false]);
    }

    #[test]
    fn chance_is_the_same_each_time_and_about_right() {
        let half = || vec![rule(serde_json::json!({ "chance": 0.5 }))];
        let outcome = fired(half(), 1000);
        assert_eq!(outcome, fired(half(), 1000));
        let hits = outcome.iter().filter(|hit| **hit).count();
        assert!((450..550).contains(&hits), "{hits} of 1000");
        assert!(!fired(vec![rule(serde_json::json!({ "chance": 0.0 }))], 100).contains(&true));
        assert!(!fired(vec![rule(serde_json::json!({ "chance": 1.0 }))], 100).contains(&false));
    }

    #[test]
    fn a_rule_for_another_operation_lets_the_call_through() {
        assert_eq!(fired(vec![rule(serde_json::json!({ "operation": "createApprentice" }))], 1), [false]);
    }

    #[test]
    fn a_rule_that_could_never_match_is_refused() {
        assert!(rule(serde_json::json!({ "operation": "createAprentice" })).fault().is_some());
        assert!(rule(serde_json::json!({ "upstream": "ace" })).fault().is_some());
        assert!(rule(serde_json::json!({ "chance": 2 })).fault().is_some());
        assert!(rule(serde_json::json!({ "upstream": "ace360", "operation": "*" })).fault().is_none());
        assert!(
            rule(serde_json::json!({ "upstream": "ace360", "operation": "createUser" })).fault().is_some()
        );
        assert!(
            rule(serde_json::json!({ "upstream": "onefile", "operation": "createUser" })).fault().is_none()
        );
    }
}
