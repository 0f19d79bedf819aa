//! Pages of lists, as the API document shows them.

/// Declares the type of a page.
macro_rules! page {
    ($(#[$doc:meta])* $name:ident of $item:ty) => {
        $(#[$doc])*
        #[derive(Debug, serde::Serialize, utoipa::ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// The records of this page, at most `pageSize`.
            items: Vec<$item>,
            /// Send it as `pageToken` to get the next page. Null: this is the last page.
            #[schema(example = "TC0xMDAx")]
            next_page_token: Option<String>,
        }
    };
}

pub(super) use page;
