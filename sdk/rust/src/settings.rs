//! Settings of the route: `[route.<name>.settings]` in the site's configuration.

use crate::host::settings as host;

/// The setting, if the route has it.
pub fn get(key: &str) -> Option<String> {
    host::get(key)
}

/// A setting that is a list: `"ehr, archive"`. None if the route does not have it.
pub fn list(key: &str) -> Option<Vec<String>> {
    get(key).map(|it| split(&it))
}

fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_list_has_commas_and_may_have_spaces() {
        assert_eq!(split("ehr, archive,"), ["ehr", "archive"]);
        assert!(split(" , ").is_empty());
    }
}
