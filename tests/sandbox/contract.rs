//! The contracts with the upstreams.

use serde_json::Value;

use crate::support::sandbox::contract::Contract;

#[test]
fn every_operation_and_field_of_the_contract_says_its_evidence() {
    fn look(value: &Value, place: &str, missing: &mut Vec<String>) {
        let evidence = |value: &Value| {
            ["documented", "observed", "assumed"].contains(&value["x-evidence"].as_str().unwrap_or_default())
        };
        let Some(fields) = value.as_object() else {
            return value.as_array().into_iter().flatten().for_each(|item| look(item, place, missing));
        };
        for (key, value) in fields {
            let place = format!("{place}/{key}");
            let operation = value.get("operationId").is_some();
            let parameter = value.get("in").is_some();
            let field = fields.contains_key("type") && key == "properties";
            if (operation || parameter) && !evidence(value) {
                missing.push(place.clone());
            }
            if field {
                let lacking = value.as_object().unwrap().iter().filter(|(_, field)| !evidence(field));
                missing.extend(lacking.map(|(name, _)| format!("{place}/{name}")));
            }
            look(value, &place, missing);
        }
    }
    let mut missing = Vec::new();
    for contract in [Contract::ace360(), Contract::onefile()] {
        look(contract.document(), "", &mut missing);
    }
    assert!(missing.is_empty(), "without x-evidence: {missing:#?}");
}
