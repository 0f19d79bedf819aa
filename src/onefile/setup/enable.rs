//! Whether the integration may be switched on.

use uuid::Uuid;

use super::readiness::CheckId;
use crate::domain::{DesktopIntegration, Fault};
use crate::onefile::{OneFile, OneFileError};
use crate::store::{By, Forced, OneFileChoices, OneFileSettings};

impl OneFile {
    /// All that is in the way of keeping these settings with the integration switched on; nothing: it may be. `with_token`: a customer
    /// token comes with them.
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
        if !before.choices.enabled {
            let told: Vec<_> = faults.iter().filter_map(|fault| fault.pointer.clone()).collect();
            let readiness = self.readiness_with(provider, new, with_token).await?;
            let blocked = readiness.blocked().map(|check| (place(check.id), check));
            // What was told in words of its own above is not told twice.
            let blocked = blocked.filter(|((pointer, _), _)| !told.iter().any(|own| own == pointer));
            faults.extend(
                blocked.map(|((pointer, code), check)| Fault::at(pointer, code, check.message.clone())),
            );
        }
        Ok(faults)
    }

    /// Switches the integration on over all that is in its way, but for a missing customer token; audited with the reason and
    /// the person. `false`: the settings were changed meanwhile.
    pub async fn force_on(
        &self,
        provider: Uuid,
        before: &OneFileSettings,
        forced: Option<Forced<'_>>,
        by: &By,
    ) -> Result<bool, OneFileError> {
        Ok(self.store.enable_onefile(provider, before.version, forced, by).await?)
    }
}

/// The setting that a line of the checklist is about, and the line's name.
const fn place(check: CheckId) -> (&'static str, &'static str) {
    match check {
        CheckId::TokenTested => ("/customerToken", "tokenTested"),
        CheckId::DesktopIntegrationOff => ("/desktopIntegration", "desktopIntegrationOff"),
        CheckId::OfficersLinked => ("/enabled", "officersLinked"),
        CheckId::OrganisationsLinked => ("/enabled", "organisationsLinked"),
        CheckId::MisValuesUnique => ("/enabled", "misValuesUnique"),
        CheckId::OfficersHaveEmail => ("/enabled", "officersHaveEmail"),
        CheckId::QualificationsCovered => ("/enabled", "qualificationsCovered"),
        CheckId::DefaultClassroom => ("/defaultClassrooms", "defaultClassroom"),
    }
}
