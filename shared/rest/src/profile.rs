//! What is known of somebody, as it is shown to themselves and to who administers.

use crate::Problem;
use penfold_directory::{Attribute, Profile, ProfileChange};
use penfold_types::PrincipalId;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::marker::PhantomData;
use utoipa::ToSchema;

/// A field that is left alone where it is absent, and emptied where it is null (RFC 7396).
fn nullable<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(from).map(Some)
}

macro_rules! profile {
    ($($field:ident => $attribute:ident),* $(,)?) => {
        /// What an address book shows beside the name.
        #[derive(Debug, Clone, Default, Serialize, ToSchema)]
        pub struct ProfileView {
            $(#[serde(skip_serializing_if = "Option::is_none")]
            $field: Option<String>,)*
            /// The id of a person of the organisation, who may have been deleted since.
            #[serde(skip_serializing_if = "Option::is_none")]
            manager: Option<String>,
        }

        /// Each 1 to 128 octets; what is absent stays, and null takes it away.
        #[derive(Debug, Clone, Default, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        #[schema(example = json!({ "title": "Head of Sales", "department": "Sales", "office": "2.14", "phone": "+49 30 1234567" }))]
        pub struct NewProfile {
            $(#[serde(default, deserialize_with = "nullable")]
            #[schema(value_type = Option<String>, min_length = 1, max_length = 128)]
            $field: Option<Option<String>>,)*
            /// The id of another person of the organisation.
            #[serde(default, deserialize_with = "nullable")]
            #[schema(value_type = Option<String>)]
            manager: Option<Option<String>>,
        }

        impl From<Profile> for ProfileView {
            fn from(profile: Profile) -> Self {
                let text = |attribute| profile.get(attribute).map(str::to_owned);
                Self { $($field: text(Attribute::$attribute),)* manager: profile.manager.map(|manager| manager.to_string()) }
            }
        }

        impl NewProfile {
            /// `pointer`: where this stands in the body.
            pub fn read(self, pointer: &str) -> Result<ProfileChange, Problem> {
                let mut change = ProfileChange::default();
                $(if let Some(text) = self.$field {
                    change.texts.insert(Attribute::$attribute, text);
                })*
                if let Some((attribute, words)) = change.wrong() {
                    return Err(Problem::field(format!("{pointer}/{}", attribute.as_str()), words));
                }
                let manager = |id: String| {
                    id.parse::<PrincipalId>().map_err(|_| Problem::field(format!("{pointer}/manager"), "the id of a person of the organisation"))
                };
                change.manager = self.manager.map(|id| id.map(manager).transpose()).transpose()?;
                Ok(change)
            }
        }
    };
}

profile! {
    given_name => GivenName, family_name => FamilyName, title => Title, department => Department, company => Company, office => Office,
    phone => Phone, mobile => Mobile, street => Street, city => City, state => State, postal_code => PostalCode, country => Country,
    employee_id => EmployeeId, employee_type => EmployeeType,
}

/// For a field that is an object or absent: a list of its values in their order, which serde would take as well, is none.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    from.deserialize_any(Object(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_stays_and_null_takes_away() {
        let read = |text: &str| serde_json::from_str::<NewProfile>(text).unwrap().read("/profile");
        let change = read(r#"{ "title": "Clerk", "department": null, "manager": null }"#).unwrap();
        let texts: Vec<_> = change.texts.into_iter().collect();
        assert_eq!(texts, [(Attribute::Title, Some("Clerk".to_owned())), (Attribute::Department, None)]);
        assert_eq!(change.manager, Some(None));
        let pointer = |text: &str| read(text).unwrap_err().errors[0].pointer.clone();
        assert_eq!(pointer(r#"{ "city": "a\nb" }"#), "/profile/city");
        assert_eq!(pointer(r#"{ "city": " " }"#), "/profile/city");
        assert_eq!(pointer(r#"{ "manager": "ann" }"#), "/profile/manager");
        assert!(read("{}").unwrap().is_empty());
    }

    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "object")]
        profile: Option<NewProfile>,
    }

    #[test]
    fn a_list_is_no_object() {
        let read = |text: &str| serde_json::from_str::<Body>(text).map(|body| body.profile.is_some());
        assert!(read(r#"{"profile": {"title": "Clerk"}}"#).unwrap());
        assert!(!read(r#"{"profile": null}"#).unwrap() && !read("{}").unwrap());
        assert!(read(r#"{"profile": [null, null]}"#).is_err());
        assert!(read(r#"{"profile": {"fly": "x"}}"#).is_err());
    }
}
