//! A table as people read it.

use super::Setting;

/// The table of `settings` as `--help` prints it: flag, variable, and what it is for with its default.
#[must_use]
pub fn table(settings: &[Setting]) -> String {
    let flags: Vec<_> = settings.iter().map(flag_as_typed).collect();
    let widest = |texts: &mut dyn Iterator<Item = &str>| texts.map(str::len).max().unwrap_or(0);
    let flag_width = widest(&mut flags.iter().map(String::as_str));
    let variable_width = widest(&mut settings.iter().map(|setting| setting.variable));
    let rows = settings.iter().zip(flags).map(|(setting, flag)| {
        let default = if setting.default.is_empty() {
            String::new()
        } else {
            format!(" [{}]", setting.default)
        };
        let (variable, help) = (setting.variable, setting.help);
        format!("  {flag:<flag_width$}  {variable:<variable_width$}  {help}{default}\n")
    });
    rows.collect()
}

fn flag_as_typed(setting: &Setting) -> String {
    match (setting.flag, setting.letter()) {
        ("", _) => String::new(),
        (flag, None) => format!("--{flag}"),
        (flag, Some(letter)) => format!("-{letter}, --{flag}"),
    }
}

/// The table of `settings` as documentation holds it: flag, variable, default and meaning.
#[must_use]
pub fn markdown(settings: &[Setting]) -> String {
    let rows = settings.iter().map(|it| {
        let variable = code([it.variable]);
        [code([flag_as_typed(it)]), variable, it.default.to_owned(), it.help.to_owned()]
    });
    lines(["flag", "variable", "default", "meaning"], rows)
}

/// The same, with the key in a configuration file, the first version that has it, and names that still work.
#[must_use]
pub fn markdown_in_full(settings: &[Setting]) -> String {
    let rows = settings.iter().map(|it| {
        [
            code([flag_as_typed(it)]),
            code([it.variable]),
            code([it.key()]),
            it.default.to_owned(),
            it.help.to_owned(),
            it.since.to_owned(),
            code(it.deprecated()),
        ]
    });
    lines(["flag", "variable", "key", "default", "meaning", "since", "old names"], rows)
}

fn code(names: impl IntoIterator<Item: AsRef<str>>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    let names = names.iter().flat_map(|name| name.as_ref().split(", "));
    let names = names.filter(|name| !name.is_empty());
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn lines<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head = [head.map(str::to_owned), ["---"; N].map(str::to_owned)];
    head.into_iter().chain(rows).map(|cells| line(&cells)).collect()
}
