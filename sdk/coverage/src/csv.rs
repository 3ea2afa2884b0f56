//! Comma-separated values as the guide has them: quoted cells may hold commas and line ends.

/// The rows of a text, each with its cells, without blanks around them.
pub fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut cell = String::new();
    let mut is_quoted = false;
    let mut letters = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(taken(&mut cell)),
            '\n' if !is_quoted => {
                row.push(taken(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !is_quoted => {}
            _ => cell.push(letter),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(taken(&mut cell));
        rows.push(row);
    }
    rows
}

fn taken(cell: &mut String) -> String {
    std::mem::take(cell).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_commas_quotes_and_line_ends() {
        let expected = vec![vec!["a,b", "c \"d\"", "e\nf"], vec!["1", "", "2"]];
        assert_eq!(rows("\u{feff}\"a,b\", \"c \"\"d\"\"\",\"e\nf\"\r\n1,,2"), expected);
    }
}
