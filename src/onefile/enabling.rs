//! Whether the integration may be switched on.

use uuid::Uuid;

use super::{OneFile, OneFileError};
use crate::domain::{DesktopIntegration, Fault};
use crate::store::OneFileChoices;

impl OneFile {
    /// All that is in the way of keeping these settings with the integration switched on; nothing: it may be. `with_token`: a customer
    /// token comes with them.
    ///
    /// # Errors
    /// The database's.
    pub async fn may_enable(
        &self,
        provider: Uuid,
        new: &OneFileChoices,
        with_token: bool,
    ) -> Result<Vec<Fault>, OneFileError> {
        let before = self.store.onefile_settings(provider).await?;
        let mut faults = Vec::new();
        if !with_token && before.token.is_none() {
            let message =
                "Send the customer token that OneFile Support issued: without it nothing can be called.";
            faults.push(Fault::at("/customerToken", "required", message));
        }
        if new.desktop_integration == DesktopIntegration::Active {
            let message = "Switch the OneFile integration of PICS Desktop off first, then send `off`: both would work on the same records.";
            faults.push(Fault::at("/desktopIntegration", "desktopActive", message));
        }
        Ok(faults)
    }
}
