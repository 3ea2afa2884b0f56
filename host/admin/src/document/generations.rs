//! Generations and what is different between them, as JSON.

use hilum_gateway::{Applied, Changes, GenerationShown};
use hilum_store::GenerationRecord;
use serde_json::{Map, Value, json};

/// `POST /v1/apply`, `POST /v1/rollback`
pub fn applied(it: &Applied) -> Value {
    json!({
        "generation": it.digest.to_string(),
        "parent": it.parent.to_string(),
        "is_other": it.digest != it.parent,
        "applied": it.is_applied,
        "changes": changes(&it.changes),
    })
}

/// `GET /v1/generations/{old}/diff/{new}`
pub fn changes(all: &Changes) -> Value {
    let package = |it: &Option<(String, hilum_words::Digest)>| {
        it.as_ref().map(|(title, digest)| json!({ "version": title, "digest": digest.to_string() }))
    };
    let sections = all.sections.iter().map(|it| {
        let keys = it.keys.iter().map(|it| json!({ "key": it.key, "old": it.old, "new": it.new }));
        json!({ "section": it.section, "change": it.how.word(), "keys": keys.collect::<Vec<_>>() })
    });
    let plugins = all.plugins.iter().map(|it| {
        json!({
            "name": it.name,
            "old": package(&it.old),
            "new": package(&it.new),
            "more_asks": it.more_asks,
            "more_imports": it.more_imports,
        })
    });
    let files = all.files.iter().map(|it| json!({ "name": it.name, "change": it.how.word() }));
    json!({
        "sections": sections.collect::<Vec<_>>(),
        "plugins": plugins.collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
    })
}

/// `GET /v1/generations`
pub fn generations(all: &[GenerationRecord]) -> Value {
    let documents = all.iter().enumerate().map(|(index, it)| {
        let mut document = record(it);
        document.insert("current".to_owned(), (index == 0).into());
        Value::Object(document)
    });
    json!({ "generations": documents.collect::<Vec<_>>() })
}

/// `GET /v1/generations/{it}`
pub fn generation(it: &GenerationShown) -> Value {
    let mut document = record(&it.record);
    document.insert("current".to_owned(), it.is_current.into());
    let files = it.files.as_ref().map(|all| {
        let file = |(name, digest): &(String, hilum_words::Digest)| {
            json!({ "name": name, "digest": digest.to_string() })
        };
        all.iter().map(file).collect::<Vec<_>>()
    });
    document.insert("files".to_owned(), files.into());
    let plugin = |(name, title, digest, asks): &(
        String,
        String,
        hilum_words::Digest,
        Vec<String>,
    )| {
        json!({ "name": name, "version": title, "digest": digest.to_string(), "asks": asks })
    };
    document.insert("plugins".to_owned(), it.plugins.iter().map(plugin).collect());
    let text = |(name, text): &(String, String)| json!({ "name": name, "text": text });
    document.insert("configuration".to_owned(), it.configuration.iter().map(text).collect());
    Value::Object(document)
}

fn record(it: &GenerationRecord) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("digest".to_owned(), it.digest.to_string().into());
    document.insert("since".to_owned(), it.at.to_string().into());
    document.insert("actor".to_owned(), it.actor.to_string().into());
    document.insert("parent".to_owned(), it.parent.map(|it| it.to_string()).into());
    document.insert("summary".to_owned(), it.summary.clone().into());
    document.insert("reason".to_owned(), it.reason.clone().into());
    document.insert("rollback".to_owned(), it.is_rollback.into());
    document
}
