//! An address: four lines and a postcode here, one text in OneFile.

use serde_json::{Value, json};

use crate::domain::{Address, Postcode};

/// The address as one text: the lines, then the postcode.
pub(super) fn address_text(address: Option<&Address>) -> Option<String> {
    let address = address?;
    let postcode = address.postcode.as_ref().map(Postcode::as_str);
    let lines = address.lines().chain(postcode).collect::<Vec<_>>();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// OneFile's text as an address here. The last part may be the postcode. Lines after the fourth are
/// joined into the fourth.
pub(super) fn address_value(text: &str) -> Value {
    let parts = text.split(['\n', '\r', ',']).map(str::trim).filter(|part| !part.is_empty());
    let mut lines: Vec<String> = parts.map(str::to_owned).collect();
    let postcode =
        lines.last().and_then(|last| Postcode::parse(last).ok()).map(|code| code.as_str().to_owned());
    if postcode.is_some() {
        lines.pop();
    }
    if lines.len() > 4 {
        let rest = lines.split_off(3).join(", ");
        lines.push(rest);
    }
    let mut address = json!({ "postcode": postcode });
    for (number, line) in lines.into_iter().enumerate() {
        address[format!("line{}", number + 1)] = json!(line);
    }
    address
}
