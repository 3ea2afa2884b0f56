//! Names of members that FHIR does not have: they may say anything, so they are values too.
//!
//! A name that the grant does not open is a token, also where it is withheld: no two members of an
//! object can do without one.

use std::sync::Arc;

use hilum_message::{At, Json, NodeId};

use super::View;
use crate::origin::Shape;
use crate::seals::{Origin, Plain, Seal};
use crate::token::{Token, looks_like_token};
use crate::{Classes, Sight};

impl View {
    /// What stands in the place of a member's name, if it is not to be shown as it stands.
    pub(crate) fn shown_name(&mut self, json: &Json, id: NodeId) -> Option<String> {
        let classes = self.classer.name_classes(json, id);
        if classes.is_empty() {
            return None;
        }
        let (plain, classes) = self.name_before(json, id, classes)?;
        let mut sight = self.grant.sight_of(classes);
        let text = if sight == Sight::Open { plain.text() } else { None };
        if text.as_ref().is_none_or(|it| looks_like_token(it.as_bytes())) {
            sight = sight.max(Sight::Seal);
        }
        if let Some(start) = json.node(id).map(|it| it.start())
            && self.counted.add(start)
        {
            match sight {
                Sight::Open => self.sights.opened.add(classes),
                Sight::Seal => self.sights.sealed.add(classes),
                Sight::Withhold => self.sights.withheld.add(classes),
            }
        }
        if sight == Sight::Open {
            // As it stands, unless the step before was shown a token.
            let stands = matches!(&plain, Plain::Name(of, ..) if Arc::ptr_eq(of, self.message()));
            return text.filter(|_| !stands).map(|it| it.to_string());
        }
        Some(self.sealed_name(json, id, plain, classes).to_string())
    }

    /// The name as the sender wrote it, where a step before was shown a token.
    fn name_before(&self, json: &Json, id: NodeId, classes: Classes) -> Option<(Plain, Classes)> {
        let range = json.node(id)?.name.clone()?;
        if let Some(template) = &self.template
            && let Some(token) = json.plain_name(id).and_then(Token::exactly)
            && let Some(seal) = template.seals.get(&token)
        {
            return Some((seal.plain.clone(), classes.and(seal.classes)));
        }
        Some((Plain::Name(Arc::clone(self.message()), id, range), classes))
    }

    fn sealed_name(&mut self, json: &Json, id: NodeId, plain: Plain, classes: Classes) -> Token {
        let token = self.mint.of_path(&format!("name #{}", id.index()));
        let at = json.node(id).and_then(|it| it.parent).unwrap_or(Json::ROOT);
        let path = Arc::from(self.message().place_name(At::Json(at)));
        let origin = Origin { step: self.mint.step(), path, changes: Vec::new() };
        self.seals.add(token, || Seal { plain, classes, shape: Shape::Name, origin });
        token
    }
}
