//! Tables as kubectl prints them.

/// Blanks between two columns.
const GAP: usize = 3;

/// Rows under a head; each column is as wide as its widest cell, and no line ends in blanks.
#[must_use]
pub fn table<const COLUMNS: usize>(head: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let head = head.map(str::to_owned);
    for row in std::iter::once(&head).chain(rows) {
        let cells = row.iter().zip(widths);
        let line: String =
            cells.map(|(cell, width)| format!("{cell:<width$}{:GAP$}", "")).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["cidr-global", "1"], ["a", ""], ["é", "22"]].map(|row| row.map(str::to_owned));
        let expected = "\
POOL          SIZE
cidr-global   1
a
é             22
";
        assert_eq!(table(["POOL", "SIZE"], &rows), expected);
    }
}
