//! Ids in paths.

use std::future::{Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::Either;
use uuid::Uuid;

use super::problem::Problem;
use super::request_context::admitted;
use crate::domain::{Broken, Fault, LearnerId, OfficerId, OrganisationId};

/// An id in the path.
#[derive(Debug)]
pub struct Id<T>(pub T);

/// An id that a path may carry.
pub trait PathId: Sized {
    /// The name of the path's parameter.
    const NAME: &'static str;
    fn read(text: &str) -> Result<Self, Broken>;
}

macro_rules! path_ids {
    ($($id:ident $name:literal,)*) => {$(
        impl PathId for $id {
            const NAME: &'static str = $name;
            fn read(text: &str) -> Result<Self, Broken> {
                Self::parse(text)
            }
        }
    )*};
}
path_ids! { LearnerId "learnerId", OfficerId "officerId", OrganisationId "organisationId", }

/// An id of ours.
impl PathId for Uuid {
    const NAME: &'static str = "id";
    fn read(text: &str) -> Result<Self, Broken> {
        Self::parse_str(text)
            .map_err(|_| Broken { code: "invalidId", message: "Send an id as it was answered." })
    }
}

/// A delivery of a webhook's.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryId(pub Uuid);

impl PathId for DeliveryId {
    const NAME: &'static str = "deliveryId";
    fn read(text: &str) -> Result<Self, Broken> {
        Uuid::read(text).map(Self)
    }
}

impl<T: PathId> FromRequest for Id<T> {
    type Error = Problem;
    type Future = Either<Ready<Result<Self, Problem>>, Pin<Box<dyn Future<Output = Result<Self, Problem>>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        match T::read(request.match_info().query(T::NAME)) {
            Ok(id) => Either::Left(ready(Ok(Self(id)))),
            Err(broken) => {
                let admitted = admitted(request);
                Either::Right(Box::pin(async move {
                    admitted.await;
                    let fault = Fault::in_parameter(T::NAME, broken.code, broken.message);
                    Err(Problem::parameters(vec![fault]))
                }))
            }
        }
    }
}
